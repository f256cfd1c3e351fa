/*
 * test_report.c - acceptance beside blindness: what could not be seen is cited, and keeps the result
 * open where something might have gone by.
 */
#include "monitor/report.h"
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define S INT64_C(1000000)

struct bench {
	struct dbkit kit;
	struct policy *policy;
	char *text;
	enum report_verdict result;
};

/* The site's one unit has done all that its profile requires. */
static int setup(void **state)
{
	static const char site[] =
		"units: [{name: boardroom, addresses: [10.20.0.15], profiles: [room]}]\n";
	const struct policy_args args = {
		.site_path = "site.yaml", .site_text = site, .site_text_len = strlen(site)};
	struct bench *bench = calloc(1, sizeof(*bench));
	struct err err = {0};

	dbkit_open(&bench->kit);
	assert_int_equal(policy_load(&args, &bench->policy, &err), 0);
	for (size_t i = 0; i < bench->policy->row_count; i++) {
		const struct row *row = &bench->policy->rows[i];
		const struct coverage_row done = {
			.unit = bench->kit.unit, .row = row->id, .exact = 1};

		if (row->need == NEED_REQUIRED)
			assert_int_equal(flowdb_coverage_add(bench->kit.db, &done, &err), 0);
	}
	assert_int_equal(flowdb_unit_put(bench->kit.db, "boardroom", "room", true,
	                                 &bench->kit.unit, &err),
	                 0);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	free(bench->text);
	policy_free(bench->policy);
	dbkit_close(&bench->kit);
	free(bench);
	return 0;
}

static void note(struct bench *bench, struct blind_row row)
{
	struct err err = {0};
	int64_t id = 0;

	row.run = bench->kit.run;
	row.since_us += DBKIT_DAY;
	if (row.until_us)
		row.until_us += DBKIT_DAY;
	if (!row.detail)
		row.detail = "";
	assert_int_equal(flowdb_blind_put(bench->kit.db, &row, &id, &err), 0);
}

static void read_report(struct bench *bench)
{
	struct report *report = NULL;
	struct err err = {0};
	size_t size = 0;
	FILE *file;

	free(TAKE(bench->text));
	file = open_memstream(&bench->text, &size);
	if (report_new(bench->kit.db, bench->policy, SEVERITY_LOW, &report, &err) < 0)
		fail_msg("%s", err.text);
	bench->result = report_result(report);
	assert_int_equal(report_text(report, file, false, &err), 0);
	fclose(file);
	report_free(report);
}

static void has(const struct bench *bench, const char *words)
{
	if (!strstr(bench->text, words))
		fail_msg("no '%s' in:\n%s", words, bench->text);
}

static void lacks(const struct bench *bench, const char *words)
{
	if (strstr(bench->text, words))
		fail_msg("'%s' in:\n%s", words, bench->text);
}

static void where_all_was_seen_nothing_is_cited(void **state)
{
	struct bench *bench = *state;

	read_report(bench);
	assert_int_equal(bench->result, REPORT_ACCEPTED);
	lacks(bench, "Not everything could be seen");
	lacks(bench, "not exercised*");
}

static void each_cause_keeps_the_result_open_or_does_not(void **state)
{
	static const enum report_verdict wanted[BLIND_CAUSE_COUNT] = {
		[BLIND_NOT_RUNNING] = REPORT_OPEN,
		[BLIND_KERNEL_DROP] = REPORT_OPEN,
		[BLIND_INSPECTOR_DOWN] = REPORT_ACCEPTED,
		[BLIND_SENSOR_DOWN] = REPORT_OPEN,
		[BLIND_RING_FULL] = REPORT_ACCEPTED,
		[BLIND_EVICTED] = REPORT_OPEN,
		[BLIND_LINK_DOWN] = REPORT_OPEN,
		[BLIND_MIRROR_SILENT] = REPORT_OPEN,
		[BLIND_TRUNCATED] = REPORT_ACCEPTED,
		[BLIND_ONE_SIDED] = REPORT_ACCEPTED,
		[BLIND_CLOCK_STEP] = REPORT_ACCEPTED,
		[BLIND_DISK_FULL] = REPORT_OPEN,
	};

	for (unsigned cause = BLIND_NONE + 1; cause < BLIND_CAUSE_COUNT; cause++) {
		struct bench *bench;

		teardown(state);
		setup(state);
		bench = *state;
		note(bench, (struct blind_row){.cause = (uint8_t)cause,
		                               .since_us = S,
		                               .until_us = 2 * S,
		                               .count = 1});
		read_report(bench);
		if (bench->result != wanted[cause])
			fail_msg("%s gives %d", blind_cause_name((enum blind_cause)cause),
			         bench->result);
		has(bench, "Not everything could be seen:\n");
		has(bench, blind_cause_name((enum blind_cause)cause));
		has(bench, blind_cause_sentence((enum blind_cause)cause));
		assert_int_equal(!strstr(bench->text, "packets went by unseen"),
		                 wanted[cause] == REPORT_ACCEPTED);
	}
}

static void an_interval_is_cited_with_times_count_unit_and_detail(void **state)
{
	struct bench *bench = *state;

	note(bench, (struct blind_row){.cause = BLIND_KERNEL_DROP,
	                               .since_us = 3600 * S,
	                               .until_us = 3602 * S + 100000,
	                               .count = 120,
	                               .detail = "eth1"});
	note(bench, (struct blind_row){.cause = BLIND_ONE_SIDED,
	                               .unit = bench->kit.unit,
	                               .since_us = 3600 * S,
	                               .until_us = 90000 * S,
	                               .count = 3});
	note(bench, (struct blind_row){.cause = BLIND_LINK_DOWN, .since_us = 7200 * S});
	read_report(bench);
	has(bench,
	    "- 2026-11-22T01:00:00Z to 01:00:02Z (2.1 s): kernel-drop, 120 packets, eth1\n"
	    "    the kernel dropped packets before we read them\n");
	has(bench,
	    "- 2026-11-22T01:00:00Z to 2026-11-23T01:00:00Z (86400.0 s): one-sided, 3 flows, "
	    "boardroom alone\n");
	has(bench, "- 2026-11-22T02:00:00Z to the end: link-down\n");
}

static void a_row_not_exercised_says_that_it_might_have_gone_unseen(void **state)
{
	struct bench *bench = *state;

	note(bench, (struct blind_row){.cause = BLIND_TRUNCATED, .since_us = S, .until_us = S});
	read_report(bench);
	has(bench, "not exercised*\n");
	has(bench, "\n* not exercised as far as could be seen: see the intervals above\n");
}

static void blindness_of_another_unit_is_none_of_ones_rows(void **state)
{
	struct bench *bench = *state;

	note(bench, (struct blind_row){.cause = BLIND_ONE_SIDED,
	                               .unit = dbkit_unit(&bench->kit, "attic"),
	                               .since_us = S,
	                               .until_us = S});
	read_report(bench);
	has(bench, "not exercised*"); /* of the attic */
	has(bench, "room.in.web_ui         recommended  not exercised*  not exercised\n");
}

static void a_finding_refuses_however_blind_we_were(void **state)
{
	struct bench *bench = *state;

	note(bench,
	     (struct blind_row){.cause = BLIND_SENSOR_DOWN, .since_us = S, .until_us = 2 * S});
	dbkit_finding(&bench->kit, bench->kit.unit, KIND_PEER, SEVERITY_MEDIUM, "10.0.0.0/24",
	              1);
	read_report(bench);
	assert_int_equal(bench->result, REPORT_REFUSED);
	has(bench, "sensor-down");
}

static void more_than_a_page_of_intervals_is_counted(void **state)
{
	struct bench *bench = *state;

	for (int i = 0; i < 30; i++)
		note(bench,
		     (struct blind_row){.cause = i < 29 ? BLIND_TRUNCATED : BLIND_SENSOR_DOWN,
		                        .since_us = i * S,
		                        .until_us = i * S});
	read_report(bench);
	has(bench, "- and 6 intervals more\n");
	assert_int_equal(bench->result, REPORT_OPEN); /* for the last one */
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(where_all_was_seen_nothing_is_cited),
		WITH(each_cause_keeps_the_result_open_or_does_not),
		WITH(an_interval_is_cited_with_times_count_unit_and_detail),
		WITH(a_row_not_exercised_says_that_it_might_have_gone_unseen),
		WITH(blindness_of_another_unit_is_none_of_ones_rows),
		WITH(a_finding_refuses_however_blind_we_were),
		WITH(more_than_a_page_of_intervals_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
