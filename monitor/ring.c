/*
 * ring.c - see ring.h. Invariants:
 *  (1) `head` and `tail` count bytes and never wrap; head - tail is what lies unread.
 *  (2) An event is never broken at the end of the memory: a length of PAD there sends the reader to
 *      the start.
 *  (3) The writer alone stores `head`, the reader alone `tail` and `broken`; each keeps its own position
 *      in its handle and believes the memory only while it takes over.
 *  (4) A position or a length out of the memory is used only after it was checked, as a copy that the
 *      other side cannot change any more.
 */
#include "monitor/ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define PAD UINT32_MAX

struct shared {
	_Alignas(64) _Atomic uint64_t head;
	_Alignas(64) _Atomic uint64_t tail;
	_Atomic uint32_t broken;
	_Alignas(64) uint8_t data[];
};

struct ring {
	struct shared *shared;
	size_t size;
	uint64_t head, reserved; /* writer: where it is, and will be at the next publish */
	uint64_t cursor;         /* reader: before the event to be peeked at */
	uint64_t released;       /* reader: what it has given back */
	bool cut;                /* reader: it met nonsense, and waits for another writer */
	uint64_t next;           /* reader: behind the one in `copy`; 0: none is there */
	_Alignas(8) uint8_t copy[EVENT_MAX];
};

struct ring *ring_new(size_t bytes)
{
	struct ring *ring = calloc(1, sizeof(*ring));

	if (!ring)
		return NULL;
	ring->size = 64 * 1024;
	while (ring->size < bytes)
		ring->size *= 2;
	ring->shared = mmap(NULL, sizeof(*ring->shared) + ring->size, PROT_READ | PROT_WRITE,
	                    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ring->shared == MAP_FAILED) {
		free(ring);
		return NULL;
	}
	return ring;
}

void ring_free(struct ring *ring)
{
	if (!ring)
		return;
	munmap(ring->shared, sizeof(*ring->shared) + ring->size);
	free(ring);
}

uint64_t ring_written(const struct ring *ring)
{
	return atomic_load_explicit(&ring->shared->head, memory_order_acquire);
}

uint64_t ring_released(const struct ring *ring)
{
	return atomic_load_explicit(&ring->shared->tail, memory_order_acquire);
}

size_t ring_size(const struct ring *ring)
{
	return ring->size;
}

bool ring_is_broken(const struct ring *ring)
{
	return atomic_load_explicit(&ring->shared->broken, memory_order_relaxed);
}

static bool positions_fit(const struct ring *ring, uint64_t head, uint64_t tail)
{
	return head >= tail && head - tail <= ring->size && !(head % 8) && !(tail % 8);
}

void ring_attach_writer(struct ring *ring)
{
	uint64_t head = ring_written(ring), tail = ring_released(ring);

	/* The reader goes on from its own tail: what a broken predecessor left is skipped. */
	if (!positions_fit(ring, head, tail) || ring_is_broken(ring))
		head = tail & ~UINT64_C(7);
	ring->head = head;
	atomic_store_explicit(&ring->shared->head, head, memory_order_release);
	atomic_store_explicit(&ring->shared->broken, 0, memory_order_release);
}

void ring_attach_reader(struct ring *ring)
{
	uint64_t head = ring_written(ring), tail = ring_released(ring);

	ring->cursor = positions_fit(ring, head, tail) ? tail : head & ~UINT64_C(7);
	ring->next = 0;
	ring_release(ring);
}

void ring_skip(struct ring *ring)
{
	ring->cursor = ring_written(ring) & ~UINT64_C(7);
	ring->next = 0;
	ring_release(ring);
}

void *ring_reserve(struct ring *ring, size_t len)
{
	uint64_t used = ring->head - ring_released(ring);
	size_t at = ring->head & (ring->size - 1);
	size_t to_end = ring->size - at, pad = 0;
	struct event *event;

	len = (len + 7) & ~(size_t)7;
	assert(len >= sizeof(*event) && len <= EVENT_MAX);
	if (to_end < len)
		pad = to_end;
	/* A reader gone mad would have released more than was written: then it gets nothing. */
	if (used > ring->size || ring->size - used < pad + len)
		return NULL;
	if (pad) {
		((struct event *)(void *)(ring->shared->data + at))->len = PAD;
		at = 0;
	}
	event = (struct event *)(void *)(ring->shared->data + at);
	memset(event, 0, len);
	event->len = (uint32_t)len;
	ring->reserved = ring->head + pad + len;
	return event;
}

void ring_publish(struct ring *ring)
{
	ring->head = ring->reserved;
	atomic_store_explicit(&ring->shared->head, ring->head, memory_order_release);
}

static const struct event *ring_breaks(struct ring *ring)
{
	ring->cut = true;
	atomic_store_explicit(&ring->shared->broken, 1, memory_order_release);
	return NULL;
}

const struct event *ring_peek(struct ring *ring)
{
	const struct shared *shared = ring->shared;
	uint64_t head = ring_written(ring);
	size_t at, to_end;
	uint32_t len;

	if (ring->next)
		return (const struct event *)(const void *)ring->copy;
	if (ring->cut && !ring_is_broken(ring)) {
		ring->cut = false; /* the new writer began where we had released to */
		ring->cursor = ring->released;
		head = ring_written(ring);
	}
	if (ring->cut || head == ring->cursor)
		return NULL;
	if (!positions_fit(ring, head, ring->cursor))
		return ring_breaks(ring);
	at = ring->cursor & (ring->size - 1);
	to_end = ring->size - at;
	len = *(const volatile uint32_t *)(const void *)(shared->data + at);
	if (len == PAD) {
		if (head - ring->cursor < to_end + sizeof(struct event))
			return ring_breaks(ring);
		ring->cursor += to_end;
		at = 0;
		to_end = ring->size;
		len = *(const volatile uint32_t *)(const void *)shared->data;
	}
	if (len < sizeof(struct event) || len > EVENT_MAX || len % 8 || len > to_end ||
	    len > head - ring->cursor)
		return ring_breaks(ring);
	memcpy(ring->copy, shared->data + at, len);
	memcpy(ring->copy, &len, sizeof(len)); /* the one that was checked */
	ring->next = ring->cursor + len;
	return (const struct event *)(const void *)ring->copy;
}

void ring_take(struct ring *ring)
{
	assert(ring->next);
	ring->cursor = ring->next;
	ring->next = 0;
}

void ring_release(struct ring *ring)
{
	ring->released = ring->cursor;
	atomic_store_explicit(&ring->shared->tail, ring->cursor, memory_order_release);
}

uint64_t ring_position(const struct ring *ring)
{
	return ring->cursor;
}

void ring_forward(struct ring *ring, uint64_t position)
{
	if (position <= ring->cursor || !positions_fit(ring, ring_written(ring), position))
		return;
	ring->cursor = position;
	ring->next = 0;
	ring_release(ring);
}

size_t ring_unreleased(const struct ring *ring)
{
	return ring->cursor - ring->released;
}
