/*
 * ring.c - see ring.h. Invariants:
 *  (1) `head` and `tail` count bytes and never wrap; head - tail is what lies unread.
 *  (2) An event is never broken at the end of the memory: a length of PAD there sends the reader to
 *      the start.
 *  (3) The writer alone stores `head` and `mark`, the reader alone `tail`.
 */
#include "monitor/ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <sys/mman.h>

#define PAD UINT32_MAX

struct ring {
	size_t size, mapped;
	_Alignas(64) _Atomic uint64_t head;
	_Atomic uint64_t mark;
	uint64_t reserved; /* writer: where head goes at the next publish */
	_Alignas(64) _Atomic uint64_t tail;
	_Alignas(64) uint8_t data[];
};

struct ring *ring_new(size_t bytes)
{
	size_t size = 64 * 1024;
	struct ring *ring;
	size_t mapped;

	while (size < bytes)
		size *= 2;
	mapped = sizeof(*ring) + size;
	ring = mmap(NULL, mapped, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (ring == MAP_FAILED)
		return NULL;
	ring->size = size;
	ring->mapped = mapped;
	return ring;
}

void ring_free(struct ring *ring)
{
	if (ring)
		munmap(ring, ring->mapped);
}

void *ring_reserve(struct ring *ring, size_t len)
{
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_relaxed);
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_acquire);
	size_t at = head & (ring->size - 1);
	size_t to_end = ring->size - at;
	struct event *event;

	len = (len + 7) & ~(size_t)7;
	assert(len >= sizeof(*event) && len <= EVENT_MAX);
	if (to_end < len) {
		if (ring->size - (head - tail) < to_end + len)
			return NULL;
		((struct event *)(void *)(ring->data + at))->len = PAD;
		head += to_end;
		at = 0;
	} else if (ring->size - (head - tail) < len) {
		return NULL;
	}
	event = (struct event *)(void *)(ring->data + at);
	memset(event, 0, len);
	event->len = (uint32_t)len;
	ring->reserved = head + len;
	return event;
}

void ring_publish(struct ring *ring)
{
	atomic_store_explicit(&ring->head, ring->reserved, memory_order_release);
}

void ring_mark(struct ring *ring, uint64_t value)
{
	atomic_store_explicit(&ring->mark, value, memory_order_release);
}

uint64_t ring_marked(const struct ring *ring)
{
	return atomic_load_explicit(&ring->mark, memory_order_acquire);
}

const struct event *ring_peek(struct ring *ring)
{
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	uint64_t head = atomic_load_explicit(&ring->head, memory_order_acquire);
	const struct event *event;

	if (tail == head)
		return NULL;
	event = (const struct event *)(const void *)(ring->data + (tail & (ring->size - 1)));
	if (event->len == PAD) {
		tail += ring->size - (tail & (ring->size - 1));
		atomic_store_explicit(&ring->tail, tail, memory_order_release);
		event = (const struct event *)(const void *)ring->data;
	}
	return event;
}

void ring_release(struct ring *ring)
{
	uint64_t tail = atomic_load_explicit(&ring->tail, memory_order_relaxed);
	const struct event *event =
		(const struct event *)(const void *)(ring->data + (tail & (ring->size - 1)));

	atomic_store_explicit(&ring->tail, tail + event->len, memory_order_release);
}
