/*
 * test_ring.c - one writer, one reader: order, wrap-around, full and empty, the mark.
 */
#include "monitor/ring.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static bool put(struct ring *ring, uint64_t flow, size_t len)
{
	struct event_forget *event = ring_reserve(ring, len);

	if (!event)
		return false;
	event->head.type = EVENT_FORGET;
	event->flow = flow;
	ring_publish(ring);
	return true;
}

static void an_empty_ring_says_so(void **state)
{
	struct ring *ring = ring_new(1);

	assert_null(ring_peek(ring));
	assert_int_equal(ring_marked(ring), 0);
	ring_free(ring);
	ring_free(NULL);
}

static void what_is_reserved_is_not_seen_before_it_is_published(void **state)
{
	struct ring *ring = ring_new(1);

	assert_non_null(ring_reserve(ring, sizeof(struct event_forget)));
	assert_null(ring_peek(ring));
	ring_publish(ring);
	assert_non_null(ring_peek(ring));
	ring_free(ring);
}

static void a_full_ring_refuses_and_goes_on_when_it_was_read(void **state)
{
	struct ring *ring = ring_new(64 * 1024);
	uint64_t written = 0, read = 0;

	/* Lengths of all kinds, so that the end of the memory is met at every offset. */
	for (unsigned round = 0; round < 200; round++) {
		while (put(ring, written, 24 + written % 131 * 8))
			written++;
		for (unsigned i = 0; i < 40; i++, read++) {
			const struct event_forget *event = (const struct event_forget *)ring_peek(ring);

			assert_non_null(event);
			assert_int_equal(event->flow, read);
			assert_int_equal(event->head.len, 24 + read % 131 * 8);
			ring_release(ring);
		}
	}
	assert_true(written > read);
	ring_free(ring);
}

#define MANY 200000

static void *writer(void *context)
{
	struct ring *ring = context;

	for (uint64_t i = 1; i <= MANY; i++) {
		while (!put(ring, i, 24 + i % 7 * 8))
			sched_yield();
		ring_mark(ring, i);
	}
	return NULL;
}

static void a_mark_is_never_ahead_of_the_events_it_speaks_of(void **state)
{
	struct ring *ring = ring_new(64 * 1024);
	uint64_t read = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, writer, ring), 0);
	while (read < MANY) {
		uint64_t marked = ring_marked(ring);
		const struct event_forget *event;

		while ((event = (const struct event_forget *)ring_peek(ring))) {
			assert_int_equal(event->flow, ++read);
			ring_release(ring);
		}
		assert_true(read >= marked);
	}
	pthread_join(thread, NULL);
	ring_free(ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_ring_says_so),
		cmocka_unit_test(what_is_reserved_is_not_seen_before_it_is_published),
		cmocka_unit_test(a_full_ring_refuses_and_goes_on_when_it_was_read),
		cmocka_unit_test(a_mark_is_never_ahead_of_the_events_it_speaks_of),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
