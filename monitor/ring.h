/*
 * ring.h - one writer, one reader, a run of events between them (schema/event.h). The memory is
 * shared and anonymous, so that the two may be processes; what stands there is never believed: the
 * reader gets copies of its own, and a writer that left nonsense behind is cut off. Neither side
 * ever waits in here: a full or empty ring says so, and the caller decides.
 */
#ifndef MONITOR_RING_H
#define MONITOR_RING_H

#include "schema/event.h"

/* A process's handle on it: both may use the one they were forked with. */
struct ring;

/* `bytes` is rounded up to a power of two; NULL when out of memory. */
struct ring *ring_new(size_t bytes);
/* Unmaps it here; the other process keeps it. */
void ring_free(struct ring *ring);

/*
 * A process takes over as writer or reader, its predecessor is gone: it goes on where the memory says
 * that one stopped. Positions that make no sense empty the ring. The reader sees again what its
 * predecessor had taken but not released.
 */
void ring_attach_writer(struct ring *ring);
void ring_attach_reader(struct ring *ring);
/* In the place of a reader that is gone and has no successor: all that was written is thrown away. */
void ring_skip(struct ring *ring);

/*
 * Writer: room for an event of `len` bytes (rounded up to 8), zeroed, its head.len set; NULL while
 * the ring is full. ring_publish() hands what was reserved last to the reader.
 */
void *ring_reserve(struct ring *ring, size_t len);
void ring_publish(struct ring *ring);

/*
 * Reader: a copy of the oldest event not taken yet, NULL while there is none; it stays valid until
 * ring_take(), which goes on to the next. ring_release() gives the room of all that was taken back
 * to the writer: what was not released is seen again by a successor.
 */
const struct event *ring_peek(struct ring *ring);
void ring_take(struct ring *ring);
void ring_release(struct ring *ring);
/*
 * Reader: before the event to be peeked at next; and goes on to such a position of a predecessor's, if it lies ahead and
 * was written.
 */
uint64_t ring_position(const struct ring *ring);
void ring_forward(struct ring *ring, uint64_t position);
/* Reader: bytes taken and not released yet. */
size_t ring_unreleased(const struct ring *ring);

/*
 * Positions, in bytes since the beginning: what was published, and what was released. Whoever sees a position
 * released also sees what the reader wrote elsewhere before.
 */
uint64_t ring_written(const struct ring *ring);
uint64_t ring_released(const struct ring *ring);
size_t ring_size(const struct ring *ring);
/* The reader met what no writer of ours writes: nothing more comes until another writer attaches. */
bool ring_is_broken(const struct ring *ring);

#endif
