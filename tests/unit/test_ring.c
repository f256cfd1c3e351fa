/*
 * test_ring.c - one writer, one reader: order, wrap-around, full and empty, successors, and a
 * memory that holds nonsense, or is written to by somebody else all the time.
 */
#include "monitor/ring.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

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

static void an_event_that_claims_to_go_on_past_the_end_of_the_memory_is_cut_off(void **state)
{
	struct ring *ring = ring_new(1);
	struct event *event;

	while (ring_written(ring) < ring_size(ring) - 24) {
		assert_true(put(ring, 1, 24));
		assert_int_equal(take(ring), 1);
		ring_release(ring);
	}
	event = ring_reserve(ring, ring_size(ring) - ring_written(ring));
	assert_non_null(event);
	event->len += 32;
	ring_publish(ring);
	assert_true(put(ring, 2, 64));
	assert_null(ring_peek(ring));
	assert_true(ring_is_broken(ring));
	ring_free(ring);
}

/* ------------------------------------------- the other side was taken over */

#define READS 100000
#define WRITES 100000
#define ENOUGH 10000 /* of them */

/* As ring.c lays it out: head, tail and broken, then the events. */
enum { HEAD = 0, TAIL = 64, DATA = 128 };

static uint64_t draw(uint64_t *state)
{
	*state ^= *state << 13;
	*state ^= *state >> 7;
	*state ^= *state << 17;
	return *state;
}

/* The shared memory under a ring that is new: the first event stands at its beginning. */
static uint8_t *memory_of(struct ring *ring)
{
	return (uint8_t *)ring_reserve(ring, sizeof(struct event)) - DATA;
}

/* What is right next to a position or a length, and what is far from it. */
static uint64_t near(uint64_t value, uint64_t *state)
{
	static const int64_t BY[] = {0, 8, 16, 24, -8, 4096, 65536, -65536, 1, 1 << 20};
	uint64_t drawn = draw(state);

	return drawn % 16 < ARRAY_LEN(BY) ? value + (uint64_t)BY[drawn % 16] : draw(state);
}

/* A process that writes the whole memory full, at random, until it is ended. */
static pid_t scribbler(uint8_t *memory, size_t size, bool tail_alone)
{
	pid_t pid = fork();
	uint64_t state = 0x2545f4914f6cdd1d;

	if (pid)
		return pid;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		uint64_t *head = (uint64_t *)(void *)(memory + HEAD),
			 *tail = (uint64_t *)(void *)(memory + TAIL);
		uint32_t *len = (uint32_t *)(void *)(memory + DATA + draw(&state) % size / 8 * 8);

		if (tail_alone) {
			__atomic_store_n(tail,
			                 draw(&state) % 4 ? *head - draw(&state) % size / 8 * 8
			                                  : near(*head, &state),
			                 __ATOMIC_RELAXED);
			continue;
		}
		/* Most lengths are sound, so that the reader gets far; they change under its eyes. */
		for (unsigned i = 0; i < 64; i++, len = (uint32_t *)(void *)(memory + DATA + draw(&state) % size / 8 * 8))
			__atomic_store_n(len, (uint32_t)(16 + draw(&state) % 8 * 8), __ATOMIC_RELAXED);
		/* The one that the reader is about to copy. */
		len = (uint32_t *)(void *)(memory + DATA + *tail % size);
		for (unsigned i = 0; i < 64; i++)
			__atomic_store_n(len, (uint32_t)(16 + draw(&state) % 8 * 8 + (i % 16 == 15)), __ATOMIC_RELAXED);
		__atomic_store_n(len, (uint32_t)near(4096, &state), __ATOMIC_RELAXED);
		__atomic_store_n(head, draw(&state) % 4 ? near(*tail, &state) : draw(&state) % size / 8 * 8 + *tail,
		                 __ATOMIC_RELAXED);
		if (draw(&state) % 64 == 0)
			__atomic_store_n(tail, near(*head, &state), __ATOMIC_RELAXED);
		if (draw(&state) % 4 == 0)
			__atomic_store_n((uint32_t *)(void *)(memory + TAIL + 8), 0, __ATOMIC_RELAXED);
	}
}

static void stop(pid_t pid)
{
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Pages that nobody may touch, on both sides of the memory. */
static void guard(uint8_t *memory, struct ring *ring)
{
	size_t pages = (DATA + ring_size(ring) + 4095) / 4096 * 4096;
	uint8_t *const sides[] = {memory - 4096, memory + pages};

	for (size_t i = 0; i < ARRAY_LEN(sides); i++) /* one that is taken may be the heap's: leave it */
		(void)!mmap(sides[i], 4096, PROT_NONE,
		            MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);
}

static void a_writer_that_scribbles_everywhere_gives_its_reader_nothing_unchecked(void **state)
{
	struct ring *ring = ring_new(64 * 1024);
	uint8_t *memory = memory_of(ring);
	pid_t pid = scribbler(memory, ring_size(ring), false);
	unsigned given = 0, none = 0;

	assert_true(pid > 0);
	guard(memory, ring);
	while (given + none < READS || given < ENOUGH) {
		const struct event *event = ring_peek(ring);
		uint8_t first[EVENT_MAX];

		if (!event) {
			none++;
			if (ring_is_broken(ring))
				ring_attach_writer(ring); /* the supervisor's answer to nonsense */
			if (none % 64 == 0)
				ring_attach_reader(ring);
			sched_yield();
			continue;
		}
		given++;
		assert_in_range(event->len, sizeof(*event), EVENT_MAX);
		assert_int_equal(event->len % 8, 0);
		assert_true((uint8_t *)event < memory || (uint8_t *)event >= memory + DATA + ring_size(ring));
		memcpy(first, event, event->len);
		assert_in_range(-event_check(event, event->len), 0, EBADMSG);
		assert_ptr_equal(ring_peek(ring), event);
		assert_memory_equal(first, event, event->len); /* nobody else reaches it */
		ring_take(ring);
		ring_release(ring);
	}
	stop(pid);
	ring_free(ring);
}

static void a_reader_that_scribbles_its_position_moves_no_writer_out_of_the_memory(void **state)
{
	struct ring *ring = ring_new(64 * 1024);
	uint8_t *memory = memory_of(ring);
	size_t pages = (DATA + ring_size(ring) + 4095) / 4096 * 4096;
	pid_t pid = scribbler(memory, ring_size(ring), true);
	uint64_t drawn = 1;
	unsigned written = 0;

	assert_true(pid > 0);
	guard(memory, ring);
	for (unsigned i = 0; i < WRITES || written < ENOUGH; i++) {
		size_t len = 16 + draw(&drawn) % (EVENT_MAX - 16);
		uint8_t *room = ring_reserve(ring, len);

		if (i % 1024 == 0)
			ring_attach_writer(ring);
		if (!room || i % 1024 == 0) {
			sched_yield();
			continue;
		}
		assert_true(room >= memory + DATA && room + len <= memory + DATA + ring_size(ring));
		memset(room + 4, 0xff, len - 4);
		ring_publish(ring);
		written++;
	}
	stop(pid);
	/* The last part of the last page is behind the ring and was never touched. */
	for (uint8_t *at = memory + DATA + ring_size(ring); at < memory + pages; at++)
		assert_int_equal(*at, 0);
	ring_free(ring);
}

static void what_nobody_will_read_is_thrown_away_and_the_writer_goes_on(void **state)
{
	struct ring *ring = ring_new(64 * 1024);

	for (unsigned round = 0; round < 50; round++) {
		while (put(ring, 1, 24 + round % 13 * 8))
			;
		assert_true(ring_written(ring) > ring_released(ring));
		ring_skip(ring);
		assert_int_equal(ring_written(ring), ring_released(ring));
		assert_null(ring_peek(ring));
		assert_true(put(ring, 7 + round, 32));
		assert_int_equal(take(ring), 7 + round);
		ring_release(ring);
	}
	ring_free(ring);
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
		cmocka_unit_test(what_nobody_will_read_is_thrown_away_and_the_writer_goes_on),
		cmocka_unit_test(nonsense_is_cut_off_until_another_writer_comes),
		cmocka_unit_test(an_event_that_claims_to_go_on_past_the_end_of_the_memory_is_cut_off),
		cmocka_unit_test(a_writer_that_scribbles_everywhere_gives_its_reader_nothing_unchecked),
		cmocka_unit_test(a_reader_that_scribbles_its_position_moves_no_writer_out_of_the_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
