/*
 * test_reports.c - one acceptance as text, HTML and JSON: what each holds and in what order, what is hostile, how many units are
 * drawn. No run, and no database.
 */
#include "tests/lib/jsonkit.h"
#include "tests/lib/reporting.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
#include <cmocka.h>

#define S INT64_C(1000000)

#define HOSTILE "</text><script>alert(1)</script>\xe2\x80\xae\x1b[31m\xff&\"'"

/* ------------------------------------------------------------------- forms */

static void nothing_is_taken_back_below(void **state)
{
	static const char *const order[] = {
		"NOT ACCEPTED: Head", "The result is not accepted: ", "At --fail-on low, as was asked",
		"With --fail-on medium", "With --fail-on high", "Why", "Were we looking?",
		"Units", "Documented rows by unit", "Ways that are closed", "The run in time",
		"Findings, worst first", "What to do next", "Waivers", "Rows as documented", "Made from",
		"Signed", NULL};
	struct reporting *bench = *state;

	reporting_make_mixed(bench);
	reporting_write(bench, REPORT_TEXT);
	reporting_in_order(bench, order);
	assert_non_null(strstr(bench->text, "\nNOT ACCEPTED. With --fail-on medium it would be: "
	                                    "not accepted.\n"));
	reporting_write(bench, REPORT_HTML);
	reporting_in_order(bench, order);
}

static void is_80_columns(const struct reporting *bench)
{
	size_t width = 0;

	for (const char *c = bench->text; *c; c++) {
		width = *c == '\n' ? 0 : width + (((unsigned char)*c & 0xc0) != 0x80);
		if (width > 80)
			fail_msg("wider: %.120s", c - 80);
	}
}

static void a_text_is_80_columns_however_many_units_there_are(void **state)
{
	static const char *const NAMES[] = {"boardroom", "meeting-room-on-the-fourth-floor-of-berlin",
	                                    "2001:db8:1234:5678:9abc:def0:1234:5678", "huddle",
	                                    "board"};
	struct reporting *bench = *state;

	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
		reporting_add_units(bench, 1, NAMES[i], "room, onprem, external, online, touch");
		reporting_set(bench, i, "room.out.dns", (struct cell){.unproven = 1, .outside = 200, .silent = 7});
		reporting_judge(bench);
		reporting_write(bench, REPORT_TEXT);
		is_80_columns(bench);
	}
	reporting_has(bench, "\nmeeting-room-on-the-fourth-floor-of-berlin\n                     ");
	reporting_has(bench, "\n2001:db8:1234:5678:9abc:def0:1234:5678\n                     ");
	reporting_has(bench, "\nhuddle               undetermined ");
}

static void a_text_is_80_columns_and_says_how_each_row_stands(void **state)
{
	struct reporting *bench = *state;

	reporting_make_mixed(bench);
	reporting_write(bench, REPORT_TEXT);
	is_80_columns(bench);
	reporting_has(bench, "! 00:01:40 to 00:02:10 (30.0 s): kernel-drop, 120 packets: the kernel");
	reporting_has(bench, "one-sided, 120 flows, huddle alone: the");
	reporting_has(bench, "online.out.sip_tls     required     3 outside              -\n");
	reporting_has(bench, "BLOCKED by 10.20.0.1");
	reporting_has(bench, "undetermined:          -\n                                    unanswered, encrypted\n");
	reporting_has(bench, "ok unproven, 2\n");
	reporting_has(bench, "not exercised*");
	reporting_has(bench, "* as far as could be seen: see the intervals above.\n");
	reporting_has(bench, "! boardroom, online.out.audio: udp 10.20.0.15:50002 > 52.112.1.9:50011:\n"
	           "  prohibited by 10.20.0.1 (ICMP 3/13), 1 flow\n");
	reporting_has(bench, "\nF5 low, huddle: service, waived\n");
	reporting_has(bench, "boardroom: open it at 10.20.0.1\nudp dport 50000-59999 accept\nct state");
	reporting_has(bench, "av-team  2026-01-31 EXPIRED  old & gone             none\n    kind peer\n");
	reporting_has(bench, "netops   2026-12-31          local clock until 4.5  F5\n"
	           "    units huddle; peer 10.0.0.9; udp; remote ports 123; application ntp\n");
	reporting_has(bench, "Room system connectivity / Outbound / 1");
	reporting_has(bench, bench->policy->hash);
	reporting_has(bench, bench->policy->envelope->hash);
	reporting_has(bench, "software        tlmon " TLMON_VERSION "\n");
	reporting_has(bench, "\nSignature       ____");
}

/* The lane of a unit: 62 signs over the window. */
static void a_text_has_the_run_in_time(void **state)
{
	struct reporting *bench = *state;

	reporting_make_mixed(bench);
	bench->a.findings[3].finding.first_us = DBKIT_DAY + 400 * S;
	reporting_write(bench, REPORT_TEXT);
	reporting_has(bench, "\n                00:00:00                                                00:10:00\n");
	reporting_has(bench, "\nboardroom       .ooooo#o..////...........o.ooo..oooo............................\n");
	reporting_has(bench, "\nhuddle          ......!...////.......///////////..........!.....................\n");
}

static void the_last_line_is_the_next_level(void **state)
{
	static const char LAST[] = "\nACCEPTED. --fail-on high is the last level.\n";
	struct reporting *bench = *state;

	reporting_make_fine(bench, 1);
	reporting_add_finding(bench, 0, "room.out.dns", KIND_PEER, SEVERITY_MEDIUM, "");
	reporting_judge(bench);
	reporting_write(bench, REPORT_TEXT);
	reporting_has(bench, "\nNOT ACCEPTED. With --fail-on medium it would be: not accepted.\n");
	bench->a.options.fail_on = SEVERITY_MEDIUM;
	reporting_judge(bench);
	reporting_write(bench, REPORT_TEXT);
	reporting_has(bench, "\nNOT ACCEPTED. With --fail-on high it would be: accepted.\n");
	bench->a.options.fail_on = SEVERITY_HIGH;
	bench->a.findings[0].refuses = false;
	reporting_judge(bench);
	reporting_write(bench, REPORT_TEXT);
	reporting_has(bench, "ACCEPTED: Head");
	reporting_has(bench, "- 1 open finding of severity medium: does not count at --fail-on high\n");
	assert_string_equal(bench->text + bench->size - strlen(LAST), LAST);
}

/* Whoever reads one line of it must not take a part for the whole. */
static void a_filter_stands_in_every_form_and_beside_the_result(void **state)
{
	struct reporting *bench = *state;
	struct acceptance *a = &bench->a;

	reporting_make_fine(bench, 1);
	reporting_judge(bench);
	for (enum report_form form = 0; form < REPORT_FORM_COUNT; form++) {
		reporting_write(bench, form);
		reporting_lacks(bench, "filtered)");
		reporting_lacks(bench, "lets through");
	}
	snprintf(a->filter, sizeof(a->filter), "udp or <b>");
	a->filtered = 1;
	reporting_write(bench, REPORT_TEXT);
	reporting_has(bench, "ACCEPTED (filtered): Head");
	reporting_has(bench, "The result is accepted: only what 'udp or <b>' lets through was judged; every\n");
	reporting_has(bench, "filter          'udp or <b>': what it lets through was judged, and nothing else\n");
	reporting_has(bench, "\nACCEPTED (filtered). With --fail-on medium it would be: accepted.\n");
	reporting_write(bench, REPORT_HTML);
	reporting_has(bench, "<title>ACCEPTED (filtered): Head");
	reporting_has(bench, "only what &#39;udp or &lt;b&gt;&#39; lets through was judged; every required row");
	reporting_write(bench, REPORT_JSON);
	reporting_has(bench, "\"filter\":\"udp or <b>\",\"runs_filtered\":1,");
	reporting_write(bench, REPORT_JUNIT);
	assert_int_equal(reporting_count(bench, "<property name=\"filter\" value=\"udp or &lt;b&gt;\"/>"), 2);
	reporting_has(bench, "name=\"result\" time=\"0.000\">\n      <system-out>only what &#39;udp or "
	           "&lt;b&gt;&#39; lets through was judged; every");

	a->runs = 3;
	reporting_write(bench, REPORT_TEXT);
	reporting_has(bench, "ACCEPTED (partly filtered): Head");
	reporting_has(bench, "in 1 of 3 runs only what 'udp or <b>' lets through");
	reporting_has(bench, "'udp or <b>', in 1 of 3 runs: there what it lets through was\n");
	reporting_has(bench, "\nACCEPTED (partly filtered). With --fail-on medium it would be: accepted.\n");
	reporting_write(bench, REPORT_JUNIT);
	reporting_has(bench, "value=\"in 1 of 3 runs only what");
	memset(a->filter, 'x', 4000);
	a->filter[4000] = '\0';
	reporting_write(bench, REPORT_TEXT);
	reporting_has(bench, "x...' lets through was judged; every required row");
}

static void html_needs_nothing_else(void **state)
{
	struct reporting *bench = *state;

	reporting_make_mixed(bench);
	reporting_write(bench, REPORT_HTML);
	reporting_lacks(bench, "<script");
	reporting_lacks(bench, "<link");
	reporting_lacks(bench, "<img");
	reporting_lacks(bench, "http:");
	reporting_lacks(bench, "src=");
	assert_int_equal(reporting_count(bench, "url("), 1); /* the hatching */
	assert_int_equal(reporting_count(bench, "<svg"), 2);
	assert_int_equal(reporting_count(bench, "<svg"), reporting_count(bench, "</svg>"));
	assert_int_equal(reporting_count(bench, "<details"), reporting_count(bench, "</details>"));
	assert_int_equal(reporting_count(bench, "<g"), reporting_count(bench, "</g>"));
	reporting_has(bench, "<details><summary>The envelope in full, ");
	reporting_has(bench, "site: Head &lt;b&gt;office\n");
	reporting_has(bench, "prefers-color-scheme:dark");
	reporting_has(bench, "@page{size:A4");
	reporting_has(bench, "<p class=\"blank\"><span>Signature</span></p>");
}

static void what_is_hostile_is_seen_and_does_nothing(void **state)
{
	struct reporting *bench = *state;

	reporting_make_fine(bench, 1);
	free(bench->a.units[0].name);
	bench->a.units[0].name = strdup(HOSTILE);
	text_copy(reporting_add_finding(bench, 0, "room.out.dns", KIND_PEER, SEVERITY_HIGH, "")
	                  ->finding.reason,
	          768, HOSTILE);
	reporting_add_step(bench, STEP_SITE, 0, HOSTILE, HOSTILE "\n");
	reporting_add_blind(bench, BLIND_KERNEL_DROP, 1, 2, HOSTILE);
	reporting_judge(bench);
	for (unsigned form = 0; form < REPORT_FORM_COUNT; form++) {
		reporting_write(bench, (enum report_form)form);
		reporting_lacks(bench, "\x1b");
		reporting_lacks(bench, "\xff");
		if (form == REPORT_JSON) {
			assert_true(jsonkit_valid(bench->text));
			continue;
		}
		reporting_lacks(bench, "\xe2\x80\xae");
		reporting_has(bench, "\\u202e\\x1b[31m\\xff");
		if (form == REPORT_TEXT)
			continue;
		reporting_lacks(bench, "<script");
		reporting_has(bench, "&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u202e");
	}
}

static void forms_are_the_same_bytes_each_time(void **state)
{
	struct reporting *bench = *state;

	reporting_make_mixed(bench);
	for (unsigned form = 0; form < REPORT_FORM_COUNT; form++) {
		CLEANUP(freep) char *first =
			strdup(reporting_write(bench, (enum report_form)form));

		setenv("TZ", form % 2 ? "Asia/Tokyo" : "America/Lima", 1);
		tzset();
		assert_string_equal(reporting_write(bench, (enum report_form)form), first);
	}
	setenv("TZ", "UTC", 1);
	tzset();
}

static void each_unit_is_drawn_up_to_40_of_more_they_are_counted(void **state)
{
	static const struct {
		size_t units;
		bool words, signs;
	} CASES[] = {{1, true, true}, {6, true, true}, {7, false, true}, {40, false, true}, {41, false, false}};
	struct reporting *bench = *state;

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		const char *svg, *end;
		char *copy;
		size_t cells = 0;

		reporting_teardown(state);
		reporting_setup(state);
		bench = *state;
		reporting_make_fine(bench, CASES[i].units);
		reporting_judge(bench);
		reporting_write(bench, REPORT_HTML);
		svg = strstr(bench->text, "<svg");
		end = strstr(svg, "</svg>");
		copy = strndup(svg, (size_t)(end - svg));
		free(TAKE(bench->text));
		bench->text = copy;
		for (size_t k = 0; k < bench->policy->row_count; k++)
			cells += bench->a.units[0].cells[k].applies;
		assert_int_equal(reporting_count(bench, "<title>boardroom"),
		                 CASES[i].signs ? CASES[i].units * (cells + 1) : 0);
		assert_int_equal(!!strstr(bench->text, ">ok exact<"), CASES[i].words);
		if (!CASES[i].signs)
			assert_int_equal(reporting_count(bench, ">41<"), cells);
	}
}

static void nothing_at_all_is_a_report_too(void **state)
{
	struct reporting *bench = *state;

	bench->a.since_us = bench->a.until_us = 0;
	bench->a.unrecorded = true;
	bench->a.packets = bench->a.runs = 0;
	reporting_judge(bench);
	for (unsigned form = 0; form < REPORT_FORM_COUNT; form++)
		reporting_write(bench, (enum report_form)form);
	reporting_has(bench, "errors=\"1\"");
	reporting_write(bench, REPORT_TEXT);
	reporting_has(bench, "UNDETERMINED: Head");
	reporting_has(bench, "No: nothing was recorded.");
	reporting_has(bench, "No unit was seen.");
	reporting_write(bench, REPORT_JSON);
	assert_true(jsonkit_valid(bench->text));
}

static void what_was_decided_together_says_why(void **state)
{
	struct reporting *bench = *state;
	struct acceptance_unit *unit;
	const struct row_group *group;
	char head[ROW_ID_MAX + 8];

	reporting_make_fine(bench, 1);
	reporting_set(bench, 0, "online.out.sip_tls", (struct cell){.unanswered = 2});
	unit = &bench->a.units[0];
	unit->groups = calloc(GROUPS_MAX, sizeof(*unit->groups));
	unit->group_count = unit_groups(bench->policy, unit->profiles, unit->cells, unit->groups);
	assert_true(unit->group_count > 0);
	group = unit->groups[0].group;
	reporting_judge(bench);
	reporting_write(bench, REPORT_TEXT);
	reporting_has(bench, "\nDecided together\n----------------\nGROUP");
	snprintf(head, sizeof(head), "\n%s ", group->id);
	reporting_has(bench, head);
	reporting_has(bench, "one that works shows all");
	reporting_has(bench, "boardroom: decided");
	reporting_has(bench, "online.out.sip_tls     required     ok unproven (by another row), 2 unanswered\n");
	reporting_write(bench, REPORT_HTML);
	reporting_has(bench, group->reason);
	reporting_write(bench, REPORT_JSON);
	assert_true(jsonkit_is(bench->text, "$.units[0].groups[0].group", group->id));
	assert_true(jsonkit_is(bench->text, "$.units[0].groups[0].state", "ok"));
}

/* The last of the findings stands no more. */
static void close_last(struct reporting *bench, const char *by, const char *why)
{
	struct acceptance *a = &bench->a;
	struct acceptance_finding *last = &a->findings[--a->finding_count];

	assert_int_equal(array_reserve(&a->closed, &a->closed_room, a->closed_count + 1,
	                               sizeof(*a->closed)),
	                 0);
	a->by_severity[last->finding.severity]--;
	if (last->row >= 0 && last->unit < a->unit_count)
		a->units[last->unit].cells[last->row].refusing--;
	last->refuses = last->finding.open = false;
	last->id = (int64_t)a->closed_count + 1;
	a->closed[a->closed_count++] =
		(struct acceptance_closed){.finding = *last, .by = strdup(by), .why = strdup(why)};
	a->closed_by_hand += *by != 0;
}

static void who_closed_what_and_why_is_told(void **state)
{
	struct reporting *bench = *state;

	reporting_make_fine(bench, 1);
	reporting_judge(bench);
	reporting_write(bench, REPORT_TEXT);
	reporting_has(bench, "None: nothing was outside, and nothing that is documented was");
	bench->a.units[0].outside = 21000;
	reporting_write(bench, REPORT_TEXT);
	reporting_lacks(bench, "nothing was outside");
	reporting_has(bench, "None is open.\n");
	reporting_add_finding(bench, 0, "room.out.dns", KIND_PEER, SEVERITY_HIGH, "");
	close_last(bench, "me", "our own <probe>");
	reporting_add_finding(bench, SIZE_MAX, "", KIND_UNLISTED_UNIT, SEVERITY_MEDIUM, "");
	close_last(bench, "", "");
	reporting_judge(bench);
	assert_int_equal(bench->a.result, ACCEPTED);
	reporting_write(bench, REPORT_TEXT);
	reporting_lacks(bench, "nothing was outside");
	reporting_has(bench, "None is open; 2 were closed:\n");
	reporting_has(bench, "F1 high, boardroom: peer, 1 flow, closed by me: our own <probe>\n");
	reporting_has(bench, "closed by the judge: why");
	reporting_has(bench, "1 was closed by a person");
	reporting_write(bench, REPORT_HTML);
	reporting_has(bench, "closed by me: our own &lt;probe&gt;");
	reporting_write(bench, REPORT_JSON);
	assert_true(jsonkit_valid(bench->text));
	assert_true(jsonkit_is(bench->text, "$.closed[0].by", "me"));
	assert_true(jsonkit_is(bench->text, "$.closed[0].why", "our own <probe>"));
	assert_true(jsonkit_is(bench->text, "$.closed[0].state", "closed"));
	assert_true(jsonkit_is(bench->text, "$.closed[1].unit", "10.9.9.9"));
	reporting_write(bench, REPORT_JUNIT);
	reporting_has(bench, "<testcase classname=\"boardroom\" name=\"finding F1 peer\" time=\"0.000\">\n"
	           "      <skipped message=\"closed by me: our own &lt;probe&gt;\"/>");
	reporting_has(bench, "<testcase classname=\"10.9.9.9\" name=\"finding F2 unlisted-unit\"");
	reporting_lacks(bench, "<failure ");
}

static void of_many_that_were_closed_twenty_are_told(void **state)
{
	struct reporting *bench = *state;

	reporting_make_fine(bench, 1);
	for (unsigned i = 0; i < 23; i++) {
		reporting_add_finding(bench, 0, "", KIND_SERVICE, SEVERITY_LOW, "");
		close_last(bench, "me", "known");
	}
	reporting_add_finding(bench, 0, "", KIND_SERVICE, SEVERITY_LOW, "");
	reporting_judge(bench);
	reporting_write(bench, REPORT_TEXT);
	reporting_has(bench, "\n23 were closed:\n");
	assert_int_equal(reporting_count(bench, "closed by me: known"), 20);
	reporting_has(bench, "... and 3 more; .json has them all.");
	reporting_write(bench, REPORT_JSON);
	assert_int_equal(reporting_count(bench, "\"by\":\"me\""), 23);
}

/* -------------------------------------------------------------------- JSON */

static void a_program_finds_everything(void **state)
{
	static const char *const ASKED[][2] = {
		{"$.result", "not-accepted"},
		{"$.at.high", "not-accepted"},
		{"$.units[0].rows[0].state", "ok"},
		{"$.units[1].unit", "huddle"},
		{"$.findings[4].waiver", "netops: local clock until 4.5 (until 2026-12-31)"},
		{"$.findings[5].unit", "10.9.9.9"},
		{"$.waivers[1].expired", "1"},
		{"$.waivers[0].excuses[0]", "F5"},
		{"$.blind[0].packets_unseen", "1"},
		{"$.next[0].kind", "firewall"},
		{"$.since", "2026-11-22T00:00:00.000000Z"},
	};
	struct reporting *bench = *state;

	reporting_make_mixed(bench);
	reporting_write(bench, REPORT_JSON);
	assert_true(jsonkit_valid(bench->text));
	for (size_t i = 0; i < ARRAY_LEN(ASKED); i++)
		assert_true(jsonkit_is(bench->text, ASKED[i][0], ASKED[i][1]));
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, reporting_setup, reporting_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(nothing_is_taken_back_below),
		WITH(a_text_is_80_columns_and_says_how_each_row_stands),
		WITH(a_text_is_80_columns_however_many_units_there_are),
		WITH(a_text_has_the_run_in_time),
		WITH(the_last_line_is_the_next_level),
		WITH(a_filter_stands_in_every_form_and_beside_the_result),
		WITH(html_needs_nothing_else),
		WITH(what_is_hostile_is_seen_and_does_nothing),
		WITH(forms_are_the_same_bytes_each_time),
		WITH(each_unit_is_drawn_up_to_40_of_more_they_are_counted),
		WITH(nothing_at_all_is_a_report_too),
		WITH(what_was_decided_together_says_why),
		WITH(who_closed_what_and_why_is_told),
		WITH(of_many_that_were_closed_twenty_are_told),
		WITH(a_program_finds_everything),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
