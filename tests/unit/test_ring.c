/*
 * test_ring.c - one writer, one reader: order, wrap-around, full and empty, successors, and a
 * memory that holds nonsense.
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
	assert_int_equal(ring_written(ring), 0);
	assert_int_equal(ring_released(ring), 0);
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
			ring_take(ring);
			ring_release(ring);
		}
	}
	assert_true(written > read);
	ring_free(ring);
}

#define MANY 200000

static _Atomic uint64_t done;

static void *writer(void *context)
{
	struct ring *ring = context;

	for (uint64_t i = 1; i <= MANY; i++) {
		while (!put(ring, i, 24 + i % 7 * 8))
			sched_yield();
		done = i;
	}
	return NULL;
}

static void two_threads_lose_and_reorder_nothing(void **state)
{
	struct ring *ring = ring_new(64 * 1024);
	uint64_t read = 0;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, writer, ring), 0);
	while (read < MANY) {
		uint64_t marked = done;
		const struct event_forget *event;

		while ((event = (const struct event_forget *)ring_peek(ring))) {
			assert_int_equal(event->flow, ++read);
			ring_take(ring);
			ring_release(ring);
		}
		assert_true(read >= marked);
	}
	pthread_join(thread, NULL);
	ring_free(ring);
}

static uint64_t take(struct ring *ring)
{
	const struct event_forget *event = (const struct event_forget *)ring_peek(ring);
	uint64_t flow = event ? event->flow : 0;

	if (event)
		ring_take(ring);
	return flow;
}

static void a_successor_reads_again_what_was_not_released(void **state)
{
	struct ring *ring = ring_new(1);

	for (uint64_t i = 1; i <= 4; i++)
		assert_true(put(ring, i, sizeof(struct event_forget)));
	assert_int_equal(take(ring), 1);
	ring_release(ring);
	assert_int_equal(take(ring), 2);
	assert_int_equal(take(ring), 3);
	assert_int_equal(ring_unreleased(ring), 2 * sizeof(struct event_forget));
	ring_attach_reader(ring);
	assert_int_equal(ring_unreleased(ring), 0);
	for (uint64_t i = 2; i <= 4; i++)
		assert_int_equal(take(ring), i);
	assert_int_equal(take(ring), 0);
	ring_free(ring);
}

static void a_writer_that_died_in_the_middle_of_an_event_leaves_nothing_of_it(void **state)
{
	struct ring *ring = ring_new(1);

	assert_true(put(ring, 1, 32));
	assert_non_null(ring_reserve(ring, 64));
	ring_attach_writer(ring);
	assert_true(put(ring, 2, 24));
	assert_int_equal(take(ring), 1);
	assert_int_equal(take(ring), 2);
	assert_int_equal(take(ring), 0);
	ring_free(ring);
}

/* What another process may have left: the length of an event, as it stands in the memory. */
static void nonsense_is_cut_off_until_another_writer_comes(void **state)
{
	static const uint32_t LENGTHS[] = {0, 8, 23, 25, EVENT_MAX + 8, 1u << 31, UINT32_MAX, 4096};

	for (size_t i = 0; i < ARRAY_LEN(LENGTHS); i++) {
		struct ring *ring = ring_new(1);
		struct event *event;

		assert_true(put(ring, 5, 32));
		assert_int_equal(take(ring), 5); /* and is not released */
		event = ring_reserve(ring, 32);
		assert_non_null(event);
		event->len = LENGTHS[i];
		ring_publish(ring);
		assert_null(ring_peek(ring));
		assert_true(ring_is_broken(ring));
		assert_true(put(ring, 1, 32)); /* the mad one goes on */
		assert_null(ring_peek(ring));
		ring_attach_writer(ring);
		assert_true(put(ring, 7, 32));
		assert_false(ring_is_broken(ring));
		assert_int_equal(take(ring), 7);
		assert_int_equal(take(ring), 0);
		ring_free(ring);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_empty_ring_says_so),
		cmocka_unit_test(what_is_reserved_is_not_seen_before_it_is_published),
		cmocka_unit_test(a_full_ring_refuses_and_goes_on_when_it_was_read),
		cmocka_unit_test(two_threads_lose_and_reorder_nothing),
		cmocka_unit_test(a_successor_reads_again_what_was_not_released),
		cmocka_unit_test(a_writer_that_died_in_the_middle_of_an_event_leaves_nothing_of_it),
		cmocka_unit_test(nonsense_is_cut_off_until_another_writer_comes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
