/*
 * test_acceptance_window.c - when an acceptance could see: windows, runs that go on or died, files, filters, intervals.
 */
#include "schema/blind.h"
#include "tests/lib/acceptkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void a_window_that_shows_nothing_proves_nothing(void **state)
{
	struct acceptkit *bench = *state;

	acceptkit_do_all(bench, 100);
	assert_int_equal(ASK(.since_us = AT(105), .until_us = AT(105)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "the window has no length");
	/* Nor does one go backwards that ends before all there is, or begins behind it. */
	assert_int_equal(ASK(.until_us = AT(-3600)), 0);
	assert_int_equal(bench->acceptance->since_us, AT(-3600));
	assert_int_equal(bench->acceptance->until_us, AT(-3600));
	assert_int_equal(ASK(.since_us = AT(90000)), 0);
	assert_int_equal(bench->acceptance->since_us, AT(90000));
	assert_int_equal(bench->acceptance->until_us, AT(90000));
	/* The run is of one day. */
	assert_int_equal(ASK(.since_us = AT(-7200), .until_us = AT(-3600)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "nothing was recorded in the window");
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: boardroom");
	assert_int_equal(ASK(.since_us = AT(-3600), .until_us = AT(3600)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "not-running");
	assert_int_equal(ASK(.since_us = AT(60), .until_us = AT(90000)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "not-running");
	assert_int_equal(ASK(.since_us = AT(40000), .until_us = AT(50000)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: boardroom");
}

static void a_live_run_that_died_was_not_watching_after_it(void **state)
{
	struct acceptkit *bench = *state;
	const struct run_row live = {
		.version = "1", .source = "live", .inputs = "eth1", .filter = "", .begun_us = AT(90000)};
	const struct counters counters = {.seen = 50, .in_flows = 50};

	assert_int_equal(flowdb_run_begin(bench->kit.db, &live, &bench->kit.run, &bench->err), 0);
	assert_int_equal(flowdb_run_update(bench->kit.db, bench->kit.run, AT(90000), AT(93600), false,
	                                   &counters, &bench->err),
	                 0);
	acceptkit_do_all(bench, 90100);
	dbkit_done(&bench->kit); /* nobody holds it any more */
	assert_int_equal(flowdb_open(bench->kit.dir, FLOWDB_READ, &bench->kit.db, &bench->err), 0);
	assert_int_equal(ASK(.since_us = AT(90001)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "run 2 died at ");
	assert_int_equal(bench->acceptance->units[0].result, ACCEPTANCE_UNDETERMINED);
	/* What was young when it died has no row: an outside flow may have begun there. */
	assert_int_equal(ASK(.since_us = AT(90001), .until_us = AT(93540)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "run 2 died at ");
	assert_int_equal(ASK(.since_us = AT(90001), .until_us = AT(93000)), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
	assert_int_equal(ASK(.since_us = AT(90001), .until_us = AT(97200)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "not-running");
	assert_int_equal(bench->acceptance->runs, 1);
	assert_int_equal(bench->acceptance->packets, 50);
}

static void what_a_run_that_goes_on_has_not_written_yet_keeps_it_open(void **state)
{
	struct acceptkit *bench = *state;
	const struct run_row live = {
		.version = "1", .source = "live", .inputs = "eth1", .filter = "", .begun_us = AT(90000)};
	const struct counters counters = {.seen = 50, .in_flows = 50};

	assert_int_equal(flowdb_run_begin(bench->kit.db, &live, &bench->kit.run, &bench->err), 0);
	assert_int_equal(flowdb_run_update(bench->kit.db, bench->kit.run, AT(90000), AT(93600), false,
	                                   &counters, &bench->err),
	                 0);
	acceptkit_do_all(bench, 90100);
	assert_int_equal(ASK(.since_us = AT(90001), .until_us = AT(93600), .running = bench->kit.run), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "may not be written yet");
	assert_int_equal(bench->acceptance->units[0].result, ACCEPTANCE_UNDETERMINED);
	assert_int_equal(ASK(.since_us = AT(90001), .until_us = AT(93535), .running = bench->kit.run), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
	assert_int_equal(bench->acceptance->settled_us, AT(93535));
}

static void a_file_that_was_not_read_to_its_end_keeps_it_open(void **state)
{
	struct acceptkit *bench = *state;
	const struct run_row file = {.version = "1", .source = "file", .inputs = "b.pcap", .filter = ""};
	const struct counters counters = {.seen = 50, .in_flows = 50};

	acceptkit_do_all(bench, 100);
	assert_int_equal(flowdb_run_begin(bench->kit.db, &file, &bench->kit.run, &bench->err), 0);
	assert_int_equal(ASK(0), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "run 2 died early");
	assert_int_equal(flowdb_run_update(bench->kit.db, bench->kit.run, AT(1000), AT(2000), false,
	                                   &counters, &bench->err),
	                 0);
	assert_int_equal(ASK(0), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "run 2 died at ");
	assert_int_equal(ASK(.running = bench->kit.run), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "run 2 is not over");
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(1500)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "run 2 died at ");
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(900)), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
}

static void a_database_without_a_run_proves_nothing(void **state)
{
	struct acceptkit *bench = *state;
	struct flowdb *db = bench->kit.db, *empty = NULL;

	assert_int_equal(flowdb_open(NULL, FLOWDB_WRITE, &empty, &bench->err), 0);
	bench->kit.db = empty;
	assert_int_equal(ASK(0), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "there is no packet at all");
	bench->kit.db = db;
	flowdb_close(empty);
}

static void a_file_cut_in_the_window_keeps_it_open(void **state)
{
	struct acceptkit *bench = *state;
	const struct input_row input = {.name = "day.pcap",
	                                .hash = "",
	                                .first_us = AT(0),
	                                .last_us = AT(500),
	                                .packets = 9,
	                                .cut = true,
	                                .note = "cut after packet 9"};

	acceptkit_do_all(bench, 100);
	assert_int_equal(flowdb_input_put(bench->kit.db, bench->kit.run, &input, &bench->err), 0);
	assert_int_equal(ASK(0), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "1 file ends in the middle");
	assert_int_equal(bench->acceptance->cuts, 1);
	assert_int_equal(ASK(.since_us = AT(501), .until_us = AT(600)), 0);
	assert_int_equal(bench->acceptance->cuts, 0);
}

static void gaps_between_files_are_blind_or_said(void **state)
{
	struct acceptkit *bench = *state;
	struct input_row input = {.name = "a.pcap", .hash = "", .first_us = AT(0), .last_us = AT(500),
	                          .packets = 9, .note = ""};
	struct run_row other = {.version = "1", .source = "file", .inputs = "c.pcap", .filter = ""};
	const struct counters counters = {.seen = 50, .in_flows = 50};

	acceptkit_do_all(bench, 100);
	assert_int_equal(flowdb_input_put(bench->kit.db, bench->kit.run, &input, &bench->err), 0);
	input.first_us = AT(540);
	input.last_us = AT(800);
	assert_int_equal(flowdb_input_put(bench->kit.db, bench->kit.run, &input, &bench->err), 0);
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(700)), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
	assert_int_equal(bench->acceptance->file_gaps, 1);
	assert_int_equal(bench->acceptance->file_gap_us, 40 * ACCEPTKIT_S);
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(400)), 0);
	assert_int_equal(bench->acceptance->file_gaps, 0);
	/* A longer one is no gap between files: nobody was watching. */
	input.first_us = AT(861);
	input.last_us = AT(900);
	assert_int_equal(flowdb_input_put(bench->kit.db, bench->kit.run, &input, &bench->err), 0);
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(880)), 0);
	assert_int_equal(bench->acceptance->file_gaps, 1);
	assert_int_equal(bench->acceptance->file_gap_us, 40 * ACCEPTKIT_S);
	/* From one run to the next nobody held the flows. */
	assert_int_equal(flowdb_run_begin(bench->kit.db, &other, &bench->kit.run, &bench->err), 0);
	assert_int_equal(flowdb_run_update(bench->kit.db, bench->kit.run, AT(840), AT(900), true,
	                                   &counters, &bench->err),
	                 0);
	input.first_us = AT(840);
	input.last_us = AT(900);
	assert_int_equal(flowdb_input_put(bench->kit.db, bench->kit.run, &input, &bench->err), 0);
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(880)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "not-running");
}

static void a_filter_is_told_with_how_many_runs_had_it(void **state)
{
	static const struct {
		const char *filter, *all;
		uint64_t filtered;
	} RUNS[] = {
		{"udp port 53", "udp port 53", 1}, {"udp", "udp port 53; udp", 2},
		{"", "udp port 53; udp", 2},       {"udp", "udp port 53; udp", 3},
		{"port 53", "udp port 53; udp; port 53", 4},
	};
	struct acceptkit *bench = *state;
	const struct counters counters = {.seen = 50, .in_flows = 50};

	acceptkit_do_all(bench, 100);
	for (size_t i = 0; i < ARRAY_LEN(RUNS); i++) {
		const struct run_row run = {.version = "1", .source = "file", .inputs = "c.pcap",
		                            .filter = RUNS[i].filter};

		assert_int_equal(flowdb_run_begin(bench->kit.db, &run, &bench->kit.run, &bench->err),
		                 0);
		assert_int_equal(flowdb_run_update(bench->kit.db, bench->kit.run, AT(0), AT(900),
		                                   true, &counters, &bench->err),
		                 0);
		assert_int_equal(ASK(0), 0);
		assert_string_equal(bench->acceptance->filter, RUNS[i].all);
		assert_int_equal(bench->acceptance->filtered, RUNS[i].filtered);
		assert_int_equal(bench->acceptance->runs, i + 2);
	}
}

static void of_filters_without_a_place_dots_stand_there(void **state)
{
	struct acceptkit *bench = *state;
	const struct counters counters = {.seen = 50, .in_flows = 50};
	char filter[5000];
	size_t len;

	for (char letter = 'a'; letter < 'e'; letter++) {
		const struct run_row run = {.version = "1", .source = "file", .inputs = "c.pcap",
		                            .filter = filter};

		snprintf(filter, sizeof(filter), "%0*d%c", 4000, 0, letter);
		assert_int_equal(flowdb_run_begin(bench->kit.db, &run, &bench->kit.run, &bench->err),
		                 0);
		assert_int_equal(flowdb_run_update(bench->kit.db, bench->kit.run, AT(0), AT(900),
		                                   true, &counters, &bench->err),
		                 0);
	}
	assert_int_equal(ASK(0), 0);
	len = strlen(bench->acceptance->filter);
	assert_int_equal(len, 4001 + 2 + 4001 + 5);
	assert_string_equal(bench->acceptance->filter + len - 6, "b; ...");
	assert_int_equal(bench->acceptance->filtered, 4);
}

static void note(struct acceptkit *bench, enum blind_cause cause, int since, int until, int64_t unit)
{
	const struct blind_row row = {.run = bench->kit.run,
	                              .unit = unit,
	                              .since_us = AT(since),
	                              .until_us = AT(until),
	                              .count = 1,
	                              .cause = (uint8_t)cause,
	                              .detail = "eth1"};
	int64_t id = 0;

	assert_int_equal(flowdb_blind_put(bench->kit.db, &row, &id, &bench->err), 0);
}

static void intervals_of_the_window_and_of_the_unit_are_cited(void **state)
{
	struct acceptkit *bench = *state;
	const struct acceptance *a;

	acceptkit_do_all(bench, 100);
	note(bench, BLIND_KERNEL_DROP, 1000, 1010, 0);
	note(bench, BLIND_TRUNCATED, 120, 130, 0);
	note(bench, BLIND_MAC_SHARED, 120, 130, dbkit_unit(&bench->kit, "attic"));
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(300), .unit = "boardroom"), 0);
	a = bench->acceptance;
	acceptkit_is(bench, ACCEPTED, NULL);
	assert_int_equal(a->blind_count, 1);
	assert_int_equal(a->blinds[0].row.cause, BLIND_TRUNCATED);
	assert_string_equal(a->blinds[0].row.detail, "eth1");
	assert_true(a->units[0].blind);
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(300)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "mac-shared");
	assert_int_equal(bench->acceptance->units[0].result, ACCEPTED);
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(1005)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "kernel-drop");
	assert_int_equal(bench->acceptance->units[0].result, ACCEPTANCE_UNDETERMINED);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, acceptkit_setup, acceptkit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_window_that_shows_nothing_proves_nothing),
		WITH(a_live_run_that_died_was_not_watching_after_it),
		WITH(what_a_run_that_goes_on_has_not_written_yet_keeps_it_open),
		WITH(a_file_that_was_not_read_to_its_end_keeps_it_open),
		WITH(a_database_without_a_run_proves_nothing),
		WITH(a_file_cut_in_the_window_keeps_it_open),
		WITH(gaps_between_files_are_blind_or_said),
		WITH(a_filter_is_told_with_how_many_runs_had_it),
		WITH(of_filters_without_a_place_dots_stand_there),
		WITH(intervals_of_the_window_and_of_the_unit_are_cited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
