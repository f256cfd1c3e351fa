/*
 * test_memory.c - the split of --memory: nothing above what was asked for, every part no less than it works with.
 */
#include "monitor/memory.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define MIB UINT64_C(1048576)

static uint64_t sum_of(const struct memory *memory, bool live)
{
	struct memory_line lines[MEMORY_LINES];
	uint64_t sum = 0;

	for (unsigned i = memory_lines(memory, live, lines); i-- > 0;)
		sum += lines[i].bytes;
	return sum;
}

static void the_parts_stay_under_what_was_asked_for_and_use_it_up(void **state)
{
	for (uint64_t bytes = 128 * MIB; bytes <= 16384 * MIB; bytes += bytes / 3)
		for (unsigned live = 0; live < 2; live++) {
			struct memory memory;
			struct err err;

			assert_int_equal(memory_split(bytes, 0, live, &memory, &err), 0);
			assert_true(memory_needed(&memory, live) <= bytes);
			assert_int_equal(sum_of(&memory, live), memory_needed(&memory, live));
			assert_true(memory.young * 8 <= memory.flows);
			/* One flow more would not fit. */
			memory.flows++;
			memory.young = memory.flows / 8;
			assert_true(memory.flows > 1 << 26 || memory_needed(&memory, live) > bytes);
		}
}

static void more_memory_is_never_less_of_anything(void **state)
{
	struct memory before = {0};

	for (uint64_t bytes = 128 * MIB; bytes <= 8192 * MIB; bytes += 16 * MIB) {
		struct memory memory;
		struct err err;

		assert_int_equal(memory_split(bytes, 0, true, &memory, &err), 0);
		for (unsigned i = 0; i < MEMORY_PARTS; i++)
			assert_true(memory.most[i] >= before.most[i]);
		before = memory;
	}
	for (unsigned i = 0; i < MEMORY_PARTS; i++)
		if (i != MEMORY_UNITS)
			assert_int_equal(before.most[i], memory_default().most[i]);
}

static void too_little_is_refused_with_the_least_that_works(void **state)
{
	for (unsigned live = 0; live < 2; live++) {
		struct memory memory = {.flows = 7};
		unsigned long long least;
		struct err err;

		assert_int_equal(memory_split(MIB, 0, live, &memory, &err), -ENOSPC);
		assert_int_equal(memory.flows, 7);
		assert_int_equal(sscanf(err.text, "the least that works is %lluM", &least), 1);
		assert_int_equal(memory_split(least * MIB, 0, live, &memory, &err), 0);
		assert_int_equal(memory_split((least - 1) * MIB, 0, live, &memory, &err), -ENOSPC);
	}
}

static void flows_asked_for_win(void **state)
{
	struct memory memory, alone;
	struct err err;

	assert_int_equal(memory_split(256 * MIB, 0, false, &alone, &err), 0);
	assert_int_equal(memory_split(256 * MIB, 1 << 20, false, &memory, &err), 0);
	assert_int_equal(memory.flows, 1 << 20);
	assert_memory_equal(memory.most, alone.most, sizeof(memory.most));
	assert_true(memory_needed(&memory, false) > 256 * MIB);
}

static void without_it_every_table_is_as_large_as_ever(void **state)
{
	const struct memory memory = memory_default();

	assert_int_equal(memory.bytes, 0);
	assert_int_equal(memory.flows, FLOWTAB_DEFAULTS.flows);
	assert_int_equal(memory.young, FLOWTAB_DEFAULTS.young);
	assert_int_equal(memory.most[MEMORY_FACTS], 16384);
	assert_int_equal(memory.most[MEMORY_PACKETS], 8192);
	assert_int_equal(memory.most[MEMORY_STREAMS], STREAMS_DEFAULT);
	assert_int_equal(memory.most[MEMORY_CACHE], 32768);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_parts_stay_under_what_was_asked_for_and_use_it_up),
		cmocka_unit_test(more_memory_is_never_less_of_anything),
		cmocka_unit_test(too_little_is_refused_with_the_least_that_works),
		cmocka_unit_test(flows_asked_for_win),
		cmocka_unit_test(without_it_every_table_is_as_large_as_ever),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
