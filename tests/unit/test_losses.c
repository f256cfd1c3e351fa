/*
 * test_losses.c - what the sensor's counters tell of packets that were not seen, interval by interval.
 */
#include "monitor/record/losses.h"
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define S INT64_C(1000000)

struct bench {
	struct dbkit kit;
	struct blinds *blinds;
	struct losses losses;
	char text[4096];
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	dbkit_open(&bench->kit);
	bench->blinds = blinds_new();
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	blinds_free(bench->blinds);
	dbkit_close(&bench->kit);
	free(bench);
	return 0;
}

static void health(struct bench *bench, int64_t second, struct counters counters, bool live)
{
	const struct event_health event = {.time_us = second * S, .counters = counters};
	struct err err = {0};

	assert_int_equal(losses_note(&bench->losses, bench->blinds, bench->kit.db, bench->kit.run,
	                             live, &event, &err),
	                 0);
}

static int add(void *context, const struct blind_view *blind, struct err *err)
{
	char *text = context;

	text_add(text, 4096, "%s %lld-%lld x%llu; ", blind_cause_name(blind->row.cause),
	         (long long)(blind->row.since_us / S), (long long)(blind->row.until_us / S),
	         (unsigned long long)blind->row.count);
	return 0;
}

static const char *blind(struct bench *bench)
{
	struct blind_query query = {0};
	struct err err = {0};

	*bench->text = '\0';
	assert_int_equal(flowdb_blinds(bench->kit.db, &query, add, bench->text, &err), 0);
	return bench->text;
}

static void each_counter_has_its_cause_and_the_second_it_grew_in(void **state)
{
	static const struct {
		struct counters more;
		const char *says;
	} cases[] = {
		{{.kernel_dropped = 7}, "kernel-drop 10-11 x7; "},
		{{.truncated = 3}, "truncated 10-11 x3; "},
		{{.evicted = 2}, "evicted 10-11 x2; "},
		{{.inspect_shed = 4, .told_shed = 1}, "ring-full 10-11 x5; "},
		{{.streams_shed = 1460}, "stream-gap 10-11 x1460; "},
		{{.young_shed = 6}, "dissect-full 10-11 x6; "},
		{{.malformed = 9, .duplicates = 9, .names_refused = 9}, ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		void *fresh;

		setup(&fresh);
		health(fresh, 10, (struct counters){.seen = 1}, true);
		health(fresh, 11, cases[i].more, true);
		health(fresh, 12, cases[i].more, true); /* nothing new */
		assert_string_equal(blind(fresh), cases[i].says);
		teardown(&fresh);
	}
}

static void seconds_that_follow_one_another_are_one_interval(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 5; i++)
		health(bench, 10 + i, (struct counters){.kernel_dropped = 100u * (unsigned)i}, true);
	assert_string_equal(blind(bench), "kernel-drop 10-14 x400; ");
}

static void what_a_predecessor_counted_is_not_counted_again(void **state)
{
	struct bench *bench = *state;

	losses_resume(&bench->losses, &(struct counters){.kernel_dropped = 50}, 20 * S, false);
	health(bench, 21, (struct counters){.kernel_dropped = 52}, true);
	assert_string_equal(blind(bench), "kernel-drop 20-21 x2; ");
}

static void a_counter_that_goes_back_is_no_loss(void **state)
{
	struct bench *bench = *state;

	health(bench, 10, (struct counters){.kernel_dropped = 50}, true);
	health(bench, 11, (struct counters){.kernel_dropped = 3}, true);
	assert_string_equal(blind(bench), "kernel-drop 10-10 x50; ");
}

static void silence_counts_from_the_last_packet_until_the_next(void **state)
{
	struct bench *bench = *state;

	health(bench, 10, (struct counters){.seen = 5}, true);
	for (int i = 11; i < 40; i++)
		health(bench, i, (struct counters){.seen = 5}, true);
	assert_string_equal(blind(bench), "");
	health(bench, 40, (struct counters){.seen = 5}, true);
	assert_string_equal(blind(bench), "mirror-silent 10-0 x0; "); /* it goes on */
	health(bench, 47, (struct counters){.seen = 6}, true);
	assert_string_equal(blind(bench), "mirror-silent 10-47 x0; ");
}

static void who_stood_still_does_not_know_whether_it_was_silent(void **state)
{
	struct bench *bench = *state;

	health(bench, 10, (struct counters){.seen = 5}, true);
	health(bench, 70, (struct counters){.seen = 5}, true); /* no health event for a minute */
	assert_string_equal(blind(bench), "");
	for (int i = 71; i <= 100; i++)
		health(bench, i, (struct counters){.seen = 5}, true);
	assert_string_equal(blind(bench), "mirror-silent 70-0 x0; ");
}

static void a_silence_that_a_predecessor_noted_is_ended(void **state)
{
	struct bench *bench = *state;

	health(bench, 10, (struct counters){.seen = 5}, true);
	for (int i = 11; i <= 40; i++)
		health(bench, i, (struct counters){.seen = 5}, true);
	bench->losses = (struct losses){0};
	losses_resume(&bench->losses, &(struct counters){.seen = 5}, 41 * S, true);
	health(bench, 42, (struct counters){.seen = 6}, true);
	assert_string_equal(blind(bench), "mirror-silent 10-42 x0; ");
}

static void a_file_has_no_silence(void **state)
{
	struct bench *bench = *state;

	health(bench, 10, (struct counters){.seen = 5}, false);
	health(bench, 100, (struct counters){.seen = 5}, false);
	assert_string_equal(blind(bench), "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_counter_has_its_cause_and_the_second_it_grew_in),
		cmocka_unit_test_setup_teardown(seconds_that_follow_one_another_are_one_interval, setup, teardown),
		cmocka_unit_test_setup_teardown(what_a_predecessor_counted_is_not_counted_again, setup, teardown),
		cmocka_unit_test_setup_teardown(a_counter_that_goes_back_is_no_loss, setup, teardown),
		cmocka_unit_test_setup_teardown(silence_counts_from_the_last_packet_until_the_next, setup, teardown),
		cmocka_unit_test_setup_teardown(who_stood_still_does_not_know_whether_it_was_silent, setup, teardown),
		cmocka_unit_test_setup_teardown(a_silence_that_a_predecessor_noted_is_ended, setup, teardown),
		cmocka_unit_test_setup_teardown(a_file_has_no_silence, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
