/*
 * test_report_junit.c - what a CI server makes of an acceptance: it is red where `tlmon check` ends 1, and errors alone where it ends 3.
 */
#include "tests/lib/reporting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* What became of the test case; static until the next. */
static const char *fate_of(const struct reporting *bench, const char *class, const char *name)
{
	static const char *const fates[] = {"failure", "error", "skipped"};
	char head[160], tag[32];
	const char *at, *end;

	snprintf(head, sizeof(head), "<testcase classname=\"%s\" name=\"%s\" time=\"0.000\"",
	         class, name);
	at = strstr(bench->text, head);
	if (!at)
		fail_msg("no %s in:\n%s", head, bench->text);
	at += strlen(head);
	if (!strncmp(at, "/>", 2))
		return "passed";
	end = strstr(at, "</testcase>");
	for (size_t i = 0; i < ARRAY_LEN(fates); i++) {
		const char *found;

		snprintf(tag, sizeof(tag), "<%s ", fates[i]);
		found = strstr(at, tag);
		if (found && found < end)
			return fates[i];
	}
	return "passed";
}

#define FATE(class, name, fate) assert_string_equal(fate_of(bench, class, name), fate)

static void a_server_is_told_row_by_row(void **state)
{
	struct reporting *bench = *state;

	reporting_make_mixed(bench);
	reporting_write(bench, REPORT_JUNIT);
	FATE("boardroom", "room.out.dhcp", "passed");
	FATE("boardroom", "online.out.sip_tls", "failure");  /* outside */
	FATE("boardroom", "online.out.audio", "failure");    /* blocked */
	FATE("boardroom", "online.out.video", "error");      /* undetermined */
	FATE("huddle", "room.out.dns", "failure");           /* ok, and a finding refuses */
	FATE("huddle", "room.out.maestro", "skipped");       /* not exercised */
	FATE("huddle", "room.out.dhcp", "skipped");          /* waived, and not exercised */
	FATE("huddle", "finding F4 service", "failure");     /* of no row */
	FATE("10.9.9.9", "finding F6 unlisted-unit", "failure");
	FATE("acceptance", "mirror", "error");
	FATE("acceptance", "result", "failure");
	reporting_lacks(bench, "name=\"touch.in.control\""); /* of no unit's profile */
	reporting_lacks(bench, "name=\"finding F1 "); /* its row tells of it */
	reporting_has(bench, "type=\"blocked\" message=\"required, BLOCKED by 10.20.0.1\">"
	           "F2 medium blocked-prohibited: why F2 stands\n"
	           "udp 10.20.0.15:50002 &gt; 52.112.1.9:50011: prohibited by 10.20.0.1 (ICMP "
	           "3/13), 1 flow\n</failure>");
	reporting_has(bench, "<testsuite name=\"boardroom\" package=\"tlmon\" id=\"0\" timestamp=\"2026-11-22T00:00:00\"");
	reporting_has(bench, "time=\"600.000\"");
	reporting_lacks(bench, "time=\"0.000\">\n    </testcase>");
}

/* As many of a kind as the heads say. */
static void counts_add_up(void **state)
{
	struct reporting *bench = *state;
	char head[160];

	reporting_make_mixed(bench);
	reporting_write(bench, REPORT_JUNIT);
	snprintf(head, sizeof(head), "<testsuites name=\"tlmon check\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" ",
	         reporting_count(bench, "<testcase "), reporting_count(bench, "<failure "),
	         reporting_count(bench, "<error "));
	reporting_has(bench, head);
	assert_int_equal(reporting_count(bench, "<testsuite "), 3);
}

/* A server is red where `tlmon check` ends 1, and where it ends 3 it has errors alone. */
static void a_server_and_the_exit_agree(void **state)
{
	static const struct {
		const char *row;
		struct cell cell;
		enum severity severity; /* of a finding, peer; none: none */
		enum severity fail_on;
		enum acceptance_result result;
		const char *fate;
	} CASES[] = {
		{"room.out.dns", {.exact = 1}, SEVERITY_NONE, SEVERITY_LOW, ACCEPTED, "passed"},
		{"room.out.dns", {.exact = 1, .outside = 1}, SEVERITY_LOW, SEVERITY_LOW, NOT_ACCEPTED, "failure"},
		{"room.out.dns", {.exact = 1, .outside = 1}, SEVERITY_LOW, SEVERITY_MEDIUM, ACCEPTED, "passed"},
		{"room.out.dns", {0}, SEVERITY_NONE, SEVERITY_LOW, ACCEPTANCE_UNDETERMINED, "skipped"},
		{"room.out.dns", {.unanswered = 1}, SEVERITY_NONE, SEVERITY_LOW, ACCEPTANCE_UNDETERMINED, "error"},
		{"room.out.dns", {.silent = 1, .unwaived = 1}, SEVERITY_NONE, SEVERITY_HIGH, NOT_ACCEPTED, "failure"},
		{"room.out.dns", {.outside = 1}, SEVERITY_LOW, SEVERITY_HIGH, ACCEPTANCE_UNDETERMINED, "skipped"},
		{"room.in.web_ui", {0}, SEVERITY_NONE, SEVERITY_LOW, ACCEPTED, "skipped"},
		{"room.in.web_ui", {.unanswered = 1}, SEVERITY_NONE, SEVERITY_LOW, ACCEPTED, "skipped"},
		{"room.in.web_ui", {.silent = 1, .unwaived = 1}, SEVERITY_NONE, SEVERITY_LOW, ACCEPTED, "skipped"},
		{"room.in.web_ui", {.outside = 1}, SEVERITY_MEDIUM, SEVERITY_HIGH, ACCEPTED, "skipped"},
		{"room.in.web_ui", {.outside = 1}, SEVERITY_MEDIUM, SEVERITY_MEDIUM, NOT_ACCEPTED, "failure"},
	};

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		struct reporting *bench;

		reporting_teardown(state);
		reporting_setup(state);
		bench = *state;
		bench->a.options.fail_on = CASES[i].fail_on;
		reporting_make_fine(bench, 1);
		reporting_set(bench, 0, CASES[i].row, CASES[i].cell);
		if (CASES[i].severity)
			reporting_add_finding(bench, 0, CASES[i].row, KIND_PEER, CASES[i].severity, "");
		reporting_judge(bench);
		reporting_write(bench, REPORT_JUNIT);
		if (bench->a.result != CASES[i].result)
			fail_msg("case %zu: result %d", i, bench->a.result);
		if (strcmp(fate_of(bench, "boardroom", CASES[i].row), CASES[i].fate) != 0)
			fail_msg("case %zu: %s", i, fate_of(bench, "boardroom", CASES[i].row));
		assert_int_equal(!!strstr(bench->text, "<failure "),
		                 CASES[i].result == NOT_ACCEPTED);
		if (CASES[i].result == ACCEPTANCE_UNDETERMINED)
			reporting_has(bench, "<error ");
		if (CASES[i].result == ACCEPTED)
			reporting_lacks(bench, "<error ");
	}
}

/* As it may have worked in what is gone: no failure, but no green either. */
static void a_block_beside_what_was_removed_is_an_error(void **state)
{
	struct reporting *bench = *state;

	reporting_make_fine(bench, 1);
	reporting_set(bench, 0, "room.out.dns", (struct cell){.silent = 1, .unwaived = 1});
	reporting_add_blind(bench, BLIND_REMOVED, 0, 60, "");
	reporting_judge(bench);
	assert_int_equal(bench->a.result, ACCEPTANCE_UNDETERMINED);
	reporting_write(bench, REPORT_JUNIT);
	FATE("boardroom", "room.out.dns", "error");
	reporting_lacks(bench, "<failure ");
	reporting_add_finding(bench, 0, "room.out.dhcp", KIND_PEER, SEVERITY_LOW, "");
	reporting_judge(bench);
	assert_int_equal(bench->a.result, NOT_ACCEPTED);
	reporting_write(bench, REPORT_JUNIT);
	FATE("boardroom", "room.out.dns", "error");
	FATE("boardroom", "room.out.dhcp", "failure");
}

/* One that is waived beside one that does not count at this level: it is not waived. */
static void a_row_is_waived_when_all_that_is_wrong_with_it_is(void **state)
{
	static const char WAIVER[] = "netops: local clock until 4.5 (until 2026-12-31)";
	struct reporting *bench = *state;

	bench->a.options.fail_on = SEVERITY_HIGH;
	reporting_make_fine(bench, 1);
	reporting_set(bench, 0, "room.in.web_ui", (struct cell){.outside = 2});
	reporting_set(bench, 0, "room.out.llmnr", (struct cell){.outside = 2});
	reporting_add_finding(bench, 0, "room.in.web_ui", KIND_SERVICE, SEVERITY_LOW, WAIVER);
	reporting_add_finding(bench, 0, "room.out.llmnr", KIND_SERVICE, SEVERITY_LOW, WAIVER);
	reporting_add_finding(bench, 0, "room.out.llmnr", KIND_PEER, SEVERITY_LOW, "");
	reporting_judge(bench);
	reporting_write(bench, REPORT_JUNIT);
	reporting_has(bench, "message=\"recommended, 2 outside; waived by netops: local clock");
	reporting_has(bench, "message=\"if used, 2 outside; does not refuse at --fail-on high\"");
}

/* All that a waiver names must fit: `at` is what it excuses. */
static void a_waiver_excuses_what_it_names_and_no_more(void **state)
{
	static const char WAIVER[] = "netops: local clock until 4.5 (until 2026-12-31)";
	struct reporting *bench = *state;
	struct acceptance_finding *finding;

	reporting_make_fine(bench, 1);
	reporting_add_units(bench, 1, "huddle", "room");
	for (int i = 0; i < 6; i++) {
		finding = reporting_add_finding(bench, i != 1, "", KIND_SERVICE, SEVERITY_LOW, WAIVER);
		if (i == 2)
			finding->finding.transport = TRANSPORT_TCP;
		else if (i == 3)
			finding->finding.app = APP_DNS;
		else if (i == 4)
			text_copy(finding->finding.remote, PREFIX_TEXT, "10.1.0.0/24");
		else if (i == 5)
			finding->waived = false;
	}
	reporting_judge(bench);
	reporting_write(bench, REPORT_JSON);
	reporting_has(bench, "\"excuses\":[\"F1\"]");
	reporting_has(bench, "\"excuses\":[]");
}

static void a_way_of_several_rows_is_told_once(void **state)
{
	static const struct cell_block WAY = {.kind = KIND_REFUSED, .transport = TRANSPORT_TCP, .flow = 7, .flows = 1};
	struct reporting *bench = *state;
	static const char *const ROWS[] = {"room.out.dns", "room.out.maestro"};

	reporting_make_fine(bench, 1);
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct cell *cell = reporting_set(bench, 0, ROWS[i], (struct cell){.refused = 1, .unwaived = 1});

		cell->block_count = 1;
		cell->blocks[0] = WAY;
	}
	reporting_judge(bench);
	reporting_write(bench, REPORT_TEXT);
	reporting_has(bench, "! boardroom, room.out.dns, room.out.maestro: tcp ");
	reporting_lacks(bench, "! boardroom, room.out.maestro: ");
}

/* No unit was seen: a stranger's finding is none of theirs, and says nothing (result.c). */
static void a_stranger_fails_nobody_where_no_unit_was_seen(void **state)
{
	struct reporting *bench = *state;

	reporting_add_units(bench, 1, "boardroom", "room");
	bench->a.units[0].seen = false;
	reporting_add_finding(bench, SIZE_MAX, "", KIND_UNLISTED_UNIT, SEVERITY_MEDIUM, "");
	reporting_judge(bench);
	assert_int_equal(bench->a.result, ACCEPTANCE_UNDETERMINED);
	reporting_write(bench, REPORT_JUNIT);
	FATE("10.9.9.9", "finding F1 unlisted-unit", "skipped");
	FATE("acceptance", "result", "error");
	reporting_lacks(bench, "<failure ");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, reporting_setup, reporting_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(a_server_is_told_row_by_row),
		WITH(counts_add_up),
		WITH(a_server_and_the_exit_agree),
		WITH(a_block_beside_what_was_removed_is_an_error),
		WITH(a_row_is_waived_when_all_that_is_wrong_with_it_is),
		WITH(a_waiver_excuses_what_it_names_and_no_more),
		WITH(a_way_of_several_rows_is_told_once),
		WITH(a_stranger_fails_nobody_where_no_unit_was_seen),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
