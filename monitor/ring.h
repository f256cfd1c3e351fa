/*
 * ring.h - one writer, one reader, a run of events between them (schema/event.h). The memory is
 * shared and anonymous, so that the two may be processes. Neither side ever waits in here: a full or
 * empty ring says so, and the caller decides.
 */
#ifndef MONITOR_RING_H
#define MONITOR_RING_H

#include "schema/event.h"

struct ring;

/* `bytes` is rounded up to a power of two; NULL when out of memory. */
struct ring *ring_new(size_t bytes);
void ring_free(struct ring *ring);

/*
 * Writer: room for an event of `len` bytes (rounded up to 8), zeroed, its head.len set; NULL while
 * the ring is full. ring_publish() hands what was reserved last to the reader.
 */
void *ring_reserve(struct ring *ring, size_t len);
void ring_publish(struct ring *ring);

/*
 * Writer: publishes a number beside the events ("done" of the join). Reader: a number seen here means that
 * every event written before it can be read now.
 */
void ring_mark(struct ring *ring, uint64_t value);
uint64_t ring_marked(const struct ring *ring);

/* Reader: the oldest event, NULL while empty; it stays valid until ring_release(). */
const struct event *ring_peek(struct ring *ring);
void ring_release(struct ring *ring);

#endif
