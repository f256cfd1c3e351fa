/*
 * test_reports.c - one acceptance in four forms: what each holds and in what order, what is hostile, how many units are drawn,
 * what a CI server makes of it, and files that are whole or not there. No run, and no database but one.
 */
#include "monitor/acceptance/reports.h"
#include "tests/lib/dbkit.h"
#include "tests/lib/jsonkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>

#define S INT64_C(1000000)

static const char SITE[] =
	"site: Head <b>office\n"
	"units:\n"
	"  - {name: boardroom, addresses: [10.20.0.15], profiles: [room, online]}\n"
	"  - {name: huddle, addresses: [10.20.0.16], profiles: [room]}\n"
	"waivers:\n"
	"  - {units: [huddle], remote: 10.0.0.9, transport: udp, remote-ports: [123], application: ntp,\n"
	"     owner: netops, reason: local clock until 4.5, expires: 2026-12-31}\n"
	"  - {kind: peer, owner: av-team, reason: old & gone, expires: 2026-01-31}\n";

#define HOSTILE "</text><script>alert(1)</script>\xe2\x80\xae\x1b[31m\xff&\"'"

struct bench {
	struct policy *policy;
	struct acceptance a;
	char *text;
	size_t size;
};

static void *take(size_t count, size_t size)
{
	void *memory = calloc(count, size);

	assert_non_null(memory);
	return memory;
}

static int setup(void **state)
{
	const struct policy_args args = {
		.site_path = "site.yaml", .site_text = SITE, .site_text_len = strlen(SITE)};
	struct bench *bench = take(1, sizeof(*bench));
	struct err err = {0};

	if (policy_load(&args, &bench->policy, &err) < 0)
		fail_msg("%s", err.text);
	bench->a = (struct acceptance){
		.options = {.policy = bench->policy, .fail_on = SEVERITY_LOW, .source = "day.pcap"},
		.policy = bench->policy,
		.since_us = DBKIT_DAY,
		.until_us = DBKIT_DAY + 600 * S,
		.runs = 1,
		.packets = 1234,
	};
	*state = bench;
	return 0;
}

static void acceptance_release(struct acceptance *a)
{
	for (size_t i = 0; i < a->unit_count; i++) {
		free(a->units[i].name);
		free(a->units[i].cells);
		free(a->units[i].groups);
	}
	for (size_t i = 0; i < a->finding_count; i++)
		free(a->findings[i].who);
	for (size_t i = 0; i < a->closed_count; i++) {
		free(a->closed[i].finding.who);
		free(a->closed[i].by);
		free(a->closed[i].why);
	}
	free(a->closed);
	for (size_t i = 0; i < a->reason_count; i++)
		free(a->reasons[i].text);
	for (size_t i = 0; i < a->step_count; i++) {
		free(a->steps[i].who);
		free(a->steps[i].say);
		free(a->steps[i].lines);
	}
	free(a->units);
	free(a->findings);
	free(a->blinds);
	free(a->reasons);
	free(a->steps);
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	acceptance_release(&bench->a);
	policy_free(bench->policy);
	free(bench->text);
	free(bench);
	return 0;
}

/* ---------------------------------------------------------------- building */

static void add_units(struct bench *bench, size_t count, const char *name, const char *profiles)
{
	struct acceptance *a = &bench->a;
	size_t from = a->unit_count;
	struct err err;

	assert_int_equal(
		array_reserve(&a->units, &a->unit_room, from + count, sizeof(*a->units)), 0);
	for (size_t i = from; i < from + count; i++) {
		struct acceptance_unit *unit = &a->units[i];

		a->unit_count++;
		assert_true(asprintf(&unit->name, count > 1 ? "%s-%02zu" : "%s", name, i) > 0);
		assert_int_equal(policy_parse_profiles(bench->policy->envelope, profiles,
		                                       &unit->profiles, &err),
		                 0);
		unit->seen = true;
		unit->cells = take(bench->policy->row_count + 1, sizeof(*unit->cells));
		for (size_t k = 0; k < bench->policy->row_count; k++) {
			unit->cells[k].applies =
				unit->profiles & BIT(bench->policy->rows[k].profile);
			unit->cells[k].group = -1;
		}
	}
}

static struct cell *cell_of(struct bench *bench, size_t unit, const char *row)
{
	int at = envelope_find_row(bench->policy->envelope, row);

	assert_true(at >= 0);
	return &bench->a.units[unit].cells[at];
}

static struct cell *set(struct bench *bench, size_t unit, const char *row, struct cell cell)
{
	struct cell *at = cell_of(bench, unit, row);

	cell.applies = at->applies;
	cell_settle(&cell);
	return *at = cell, at;
}

static struct acceptance_finding *add_finding(struct bench *bench, size_t unit, const char *row,
                                              enum kind kind, enum severity severity,
                                              const char *waiver)
{
	struct acceptance *a = &bench->a;
	struct acceptance_finding *finding;

	assert_int_equal(array_reserve(&a->findings, &a->finding_room, a->finding_count + 1,
	                               sizeof(*a->findings)),
	                 0);
	finding = &a->findings[a->finding_count++];
	*finding = (struct acceptance_finding){
		.id = (int64_t)a->finding_count,
		.unit = unit,
		.who = strdup(unit < a->unit_count ? a->units[unit].name : "10.9.9.9"),
		.row = *row ? envelope_find_row(bench->policy->envelope, row) : -1,
		.waived = *waiver,
		.refuses = !*waiver && severity >= a->options.fail_on,
		.finding = {.kind = (uint8_t)kind,
	                    .severity = (uint8_t)severity,
	                    .transport = TRANSPORT_UDP,
	                    .app = APP_NTP,
	                    .first_us = DBKIT_DAY + 60 * S,
	                    .last_us = DBKIT_DAY + 61 * S,
	                    .flows = 1,
	                    .open = true},
	};
	text_copy(finding->finding.row, ROW_ID_MAX, row);
	text_copy(finding->finding.remote, PREFIX_TEXT, "10.0.0.0/24");
	text_copy(finding->finding.port, 64, "123");
	text_copy(finding->finding.waiver, 256, waiver);
	snprintf(finding->finding.reason, 768, "why F%lld stands", (long long)finding->id);
	if (*waiver)
		a->waived++;
	else
		a->by_severity[severity]++;
	if (finding->refuses && finding->row >= 0 && unit < a->unit_count)
		a->units[unit].cells[finding->row].refusing++;
	return finding;
}

static void add_blind(struct bench *bench, enum blind_cause cause, int from_s, int to_s,
                      const char *unit)
{
	struct acceptance *a = &bench->a;
	struct acceptance_blind *blind;

	assert_int_equal(array_reserve(&a->blinds, &a->blind_room, a->blind_count + 1,
	                               sizeof(*a->blinds)),
	                 0);
	blind = &a->blinds[a->blind_count++];
	*blind = (struct acceptance_blind){.id = (int64_t)a->blind_count,
	                                   .row = {.cause = (uint8_t)cause,
	                                           .since_us = DBKIT_DAY + from_s * S,
	                                           .until_us = DBKIT_DAY + to_s * S,
	                                           .count = 120}};
	text_copy(blind->unit, sizeof(blind->unit), unit);
	a->blind_causes |= (uint32_t)BIT(cause);
}

static void add_step(struct bench *bench, enum step_kind kind, size_t unit, const char *say,
                     const char *lines)
{
	struct acceptance *a = &bench->a;

	assert_int_equal(
		array_reserve(&a->steps, &a->step_room, a->step_count + 1, sizeof(*a->steps)),
		0);
	a->steps[a->step_count++] = (struct step){.kind = (uint8_t)kind,
	                                          .unit = unit,
	                                          .row = -1,
	                                          .say = strdup(say),
	                                          .lines = lines ? strdup(lines) : NULL};
}

static void judge(struct bench *bench)
{
	struct acceptance *a = &bench->a;
	struct err err = {0};

	for (size_t i = 0; i < a->reason_count; i++)
		free(a->reasons[i].text);
	a->reason_count = 0;
	assert_int_equal(acceptance_judge(a, &err), 0);
}

/* Everything works. */
static void make_fine(struct bench *bench, size_t units)
{
	add_units(bench, units, "boardroom", "room, online");
	for (size_t i = 0; i < units; i++)
		for (size_t k = 0; k < bench->policy->row_count; k++)
			if (bench->a.units[i].cells[k].applies)
				set(bench, i, bench->policy->rows[k].id,
				    (struct cell){.exact = 2,
				                  .first_us = DBKIT_DAY + (int64_t)(k + 1) * 10 * S,
				                  .last_us = DBKIT_DAY + 500 * S});
}

/* One of each. */
static void make_mixed(struct bench *bench)
{
	struct cell *cell;

	make_fine(bench, 1);
	add_units(bench, 1, "huddle", "room");
	set(bench, 0, "online.out.sip_tls", (struct cell){.outside = 3});
	cell = set(bench, 0, "online.out.audio", (struct cell){.prohibited = 1, .unwaived = 1});
	cell->block_count = 1;
	cell->blocks[0] = (struct cell_block){.kind = KIND_BLOCKED_PROHIBITED,
	                                      .transport = TRANSPORT_UDP,
	                                      .direction = DIRECTION_OUT,
	                                      .icmp_type = 3,
	                                      .icmp_code = 13,
	                                      .local_port = 50002,
	                                      .remote_port = 50011,
	                                      .local = dbkit_addr("10.20.0.15"),
	                                      .remote = dbkit_addr("52.112.1.9"),
	                                      .sender = dbkit_addr("10.20.0.1"),
	                                      .flow = 9,
	                                      .flows = 1};
	set(bench, 0, "online.out.video",
	    (struct cell){.unanswered = 1, .undetermined = 1, .verdict_whys = BIT(WHY_ENCRYPTED)});
	set(bench, 1, "room.out.dns", (struct cell){.unproven = 1, .outside = 2});
	add_finding(bench, 0, "online.out.sip_tls", KIND_PEER, SEVERITY_HIGH, "");
	add_finding(bench, 0, "online.out.audio", KIND_BLOCKED_PROHIBITED, SEVERITY_MEDIUM, "");
	add_finding(bench, 1, "room.out.dns", KIND_PEER, SEVERITY_LOW, "");
	add_finding(bench, 1, "", KIND_SERVICE, SEVERITY_LOW, "");
	add_finding(bench, 1, "room.out.dhcp", KIND_SERVICE, SEVERITY_LOW,
	            "netops: local clock until 4.5 (until 2026-12-31)");
	add_finding(bench, SIZE_MAX, "", KIND_UNLISTED_UNIT, SEVERITY_MEDIUM, "");
	add_blind(bench, BLIND_KERNEL_DROP, 100, 130, "");
	add_blind(bench, BLIND_ONE_SIDED, 200, 300, "huddle");
	bench->a.units[0].blind = bench->a.units[1].blind = true;
	add_step(bench, STEP_FIREWALL, 0, "open it at 10.20.0.1",
	         "udp dport 50000-59999 accept\nct state established accept\n");
	judge(bench);
}

/* ------------------------------------------------------------------- asking */

static const char *write_form(struct bench *bench, enum report_form form)
{
	struct err err = {0};
	FILE *file;

	free(TAKE(bench->text));
	file = open_memstream(&bench->text, &bench->size);
	assert_non_null(file);
	if (report_write(&bench->a, form, file, false, &err) < 0)
		fail_msg("%s", err.text);
	fclose(file);
	return bench->text;
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

static size_t count_of(const struct bench *bench, const char *words)
{
	size_t count = 0;

	for (const char *c = bench->text; (c = strstr(c, words)); c++)
		count++;
	return count;
}

static void in_order(const struct bench *bench, const char *const *words)
{
	const char *at = bench->text;

	for (; *words; words++) {
		const char *next = strstr(at, *words);

		if (!next)
			fail_msg("no '%s' behind what comes before it in:\n%s", *words,
			         bench->text);
		at = next;
	}
}

/* ------------------------------------------------------------------- forms */

static void nothing_is_taken_back_below(void **state)
{
	static const char *const order[] = {
		"NOT ACCEPTED: Head", "The result is not accepted: ", "At --fail-on low, as was asked",
		"With --fail-on medium", "With --fail-on high", "Why", "Were we looking?",
		"Units", "Documented rows by unit", "Ways that are closed", "The run in time",
		"Findings, worst first", "What to do next", "Waivers", "Rows as documented", "Made from",
		"Signed", NULL};
	struct bench *bench = *state;

	make_mixed(bench);
	write_form(bench, REPORT_TEXT);
	in_order(bench, order);
	assert_non_null(strstr(bench->text, "\nNOT ACCEPTED. With --fail-on medium it would be: "
	                                    "not accepted.\n"));
	write_form(bench, REPORT_HTML);
	in_order(bench, order);
}

static void is_80_columns(const struct bench *bench)
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
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_LEN(NAMES); i++) {
		add_units(bench, 1, NAMES[i], "room, onprem, external, online, touch");
		set(bench, i, "room.out.dns", (struct cell){.unproven = 1, .outside = 200, .silent = 7});
		judge(bench);
		write_form(bench, REPORT_TEXT);
		is_80_columns(bench);
	}
	has(bench, "\nmeeting-room-on-the-fourth-floor-of-berlin\n                     ");
	has(bench, "\n2001:db8:1234:5678:9abc:def0:1234:5678\n                     ");
	has(bench, "\nhuddle               undetermined ");
}

static void a_text_is_80_columns_and_says_how_each_row_stands(void **state)
{
	struct bench *bench = *state;

	make_mixed(bench);
	write_form(bench, REPORT_TEXT);
	is_80_columns(bench);
	has(bench, "! 00:01:40 to 00:02:10 (30.0 s): kernel-drop, 120 packets: the kernel");
	has(bench, "one-sided, 120 flows, huddle alone: the");
	has(bench, "online.out.sip_tls     required     3 outside              -\n");
	has(bench, "BLOCKED by 10.20.0.1");
	has(bench, "undetermined:          -\n                                    unanswered, encrypted\n");
	has(bench, "ok unproven, 2\n");
	has(bench, "not exercised*");
	has(bench, "* as far as could be seen: see the intervals above.\n");
	has(bench, "! boardroom, online.out.audio: udp 10.20.0.15:50002 > 52.112.1.9:50011:\n"
	           "  prohibited by 10.20.0.1 (ICMP 3/13), 1 flow\n");
	has(bench, "\nF5 low, huddle: service, waived\n");
	has(bench, "boardroom: open it at 10.20.0.1\nudp dport 50000-59999 accept\nct state");
	has(bench, "av-team  2026-01-31 EXPIRED  old & gone             none\n    kind peer\n");
	has(bench, "netops   2026-12-31          local clock until 4.5  F5\n"
	           "    units huddle; peer 10.0.0.9; udp; remote ports 123; application ntp\n");
	has(bench, "Room system connectivity / Outbound / 1");
	has(bench, bench->policy->hash);
	has(bench, bench->policy->envelope->hash);
	has(bench, "software        tlmon " TLMON_VERSION "\n");
	has(bench, "\nSignature       ____");
}

/* The lane of a unit: 62 signs over the window. */
static void a_text_has_the_run_in_time(void **state)
{
	struct bench *bench = *state;

	make_mixed(bench);
	bench->a.findings[3].finding.first_us = DBKIT_DAY + 400 * S;
	write_form(bench, REPORT_TEXT);
	has(bench, "\n                00:00:00                                                00:10:00\n");
	has(bench, "\nboardroom       .ooooo#o..////...........o.ooo..oooo............................\n");
	has(bench, "\nhuddle          ......!...////.......///////////..........!.....................\n");
}

static void the_last_line_is_the_next_level(void **state)
{
	static const char LAST[] = "\nACCEPTED. --fail-on high is the last level.\n";
	struct bench *bench = *state;

	make_fine(bench, 1);
	add_finding(bench, 0, "room.out.dns", KIND_PEER, SEVERITY_MEDIUM, "");
	judge(bench);
	write_form(bench, REPORT_TEXT);
	has(bench, "\nNOT ACCEPTED. With --fail-on medium it would be: not accepted.\n");
	bench->a.options.fail_on = SEVERITY_MEDIUM;
	judge(bench);
	write_form(bench, REPORT_TEXT);
	has(bench, "\nNOT ACCEPTED. With --fail-on high it would be: accepted.\n");
	bench->a.options.fail_on = SEVERITY_HIGH;
	bench->a.findings[0].refuses = false;
	judge(bench);
	write_form(bench, REPORT_TEXT);
	has(bench, "ACCEPTED: Head");
	has(bench, "- 1 open finding of severity medium: does not count at --fail-on high\n");
	assert_string_equal(bench->text + bench->size - strlen(LAST), LAST);
}

/* Whoever reads one line of it must not take a part for the whole. */
static void a_filter_stands_in_every_form_and_beside_the_result(void **state)
{
	struct bench *bench = *state;
	struct acceptance *a = &bench->a;

	make_fine(bench, 1);
	judge(bench);
	for (enum report_form form = 0; form < REPORT_FORM_COUNT; form++) {
		write_form(bench, form);
		lacks(bench, "filtered)");
		lacks(bench, "lets through");
	}
	snprintf(a->filter, sizeof(a->filter), "udp or <b>");
	a->filtered = 1;
	write_form(bench, REPORT_TEXT);
	has(bench, "ACCEPTED (filtered): Head");
	has(bench, "The result is accepted: only what 'udp or <b>' lets through was judged; every\n");
	has(bench, "filter          'udp or <b>': what it lets through was judged, and nothing else\n");
	has(bench, "\nACCEPTED (filtered). With --fail-on medium it would be: accepted.\n");
	write_form(bench, REPORT_HTML);
	has(bench, "<title>ACCEPTED (filtered): Head");
	has(bench, "only what &#39;udp or &lt;b&gt;&#39; lets through was judged; every required row");
	write_form(bench, REPORT_JSON);
	has(bench, "\"filter\":\"udp or <b>\",\"runs_filtered\":1,");
	write_form(bench, REPORT_JUNIT);
	assert_int_equal(count_of(bench, "<property name=\"filter\" value=\"udp or &lt;b&gt;\"/>"), 2);
	has(bench, "name=\"result\" time=\"0.000\">\n      <system-out>only what &#39;udp or "
	           "&lt;b&gt;&#39; lets through was judged; every");

	a->runs = 3;
	write_form(bench, REPORT_TEXT);
	has(bench, "ACCEPTED (partly filtered): Head");
	has(bench, "in 1 of 3 runs only what 'udp or <b>' lets through");
	has(bench, "'udp or <b>', in 1 of 3 runs: there what it lets through was\n");
	has(bench, "\nACCEPTED (partly filtered). With --fail-on medium it would be: accepted.\n");
	write_form(bench, REPORT_JUNIT);
	has(bench, "value=\"in 1 of 3 runs only what");
	memset(a->filter, 'x', 4000);
	a->filter[4000] = '\0';
	write_form(bench, REPORT_TEXT);
	has(bench, "x...' lets through was judged; every required row");
}

static void html_needs_nothing_else(void **state)
{
	struct bench *bench = *state;

	make_mixed(bench);
	write_form(bench, REPORT_HTML);
	lacks(bench, "<script");
	lacks(bench, "<link");
	lacks(bench, "<img");
	lacks(bench, "http:");
	lacks(bench, "src=");
	assert_int_equal(count_of(bench, "url("), 1); /* the hatching */
	assert_int_equal(count_of(bench, "<svg"), 2);
	assert_int_equal(count_of(bench, "<svg"), count_of(bench, "</svg>"));
	assert_int_equal(count_of(bench, "<details"), count_of(bench, "</details>"));
	assert_int_equal(count_of(bench, "<g"), count_of(bench, "</g>"));
	has(bench, "<details><summary>The envelope in full, ");
	has(bench, "site: Head &lt;b&gt;office\n");
	has(bench, "prefers-color-scheme:dark");
	has(bench, "@page{size:A4");
	has(bench, "<p class=\"blank\"><span>Signature</span></p>");
}

static void what_is_hostile_is_seen_and_does_nothing(void **state)
{
	struct bench *bench = *state;

	make_fine(bench, 1);
	free(bench->a.units[0].name);
	bench->a.units[0].name = strdup(HOSTILE);
	text_copy(add_finding(bench, 0, "room.out.dns", KIND_PEER, SEVERITY_HIGH, "")
	                  ->finding.reason,
	          768, HOSTILE);
	add_step(bench, STEP_SITE, 0, HOSTILE, HOSTILE "\n");
	add_blind(bench, BLIND_KERNEL_DROP, 1, 2, HOSTILE);
	judge(bench);
	for (unsigned form = 0; form < REPORT_FORM_COUNT; form++) {
		write_form(bench, (enum report_form)form);
		lacks(bench, "\x1b");
		lacks(bench, "\xff");
		if (form == REPORT_JSON) {
			assert_true(jsonkit_valid(bench->text));
			continue;
		}
		lacks(bench, "\xe2\x80\xae");
		has(bench, "\\u202e\\x1b[31m\\xff");
		if (form == REPORT_TEXT)
			continue;
		lacks(bench, "<script");
		has(bench, "&lt;/text&gt;&lt;script&gt;alert(1)&lt;/script&gt;\\u202e");
	}
}

static void forms_are_the_same_bytes_each_time(void **state)
{
	struct bench *bench = *state;

	make_mixed(bench);
	for (unsigned form = 0; form < REPORT_FORM_COUNT; form++) {
		CLEANUP(freep) char *first =
			strdup(write_form(bench, (enum report_form)form));

		setenv("TZ", form % 2 ? "Asia/Tokyo" : "America/Lima", 1);
		tzset();
		assert_string_equal(write_form(bench, (enum report_form)form), first);
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
	struct bench *bench = *state;

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		const char *svg, *end;
		char *copy;
		size_t cells = 0;

		teardown(state);
		setup(state);
		bench = *state;
		make_fine(bench, CASES[i].units);
		judge(bench);
		write_form(bench, REPORT_HTML);
		svg = strstr(bench->text, "<svg");
		end = strstr(svg, "</svg>");
		copy = strndup(svg, (size_t)(end - svg));
		free(TAKE(bench->text));
		bench->text = copy;
		for (size_t k = 0; k < bench->policy->row_count; k++)
			cells += bench->a.units[0].cells[k].applies;
		assert_int_equal(count_of(bench, "<title>boardroom"),
		                 CASES[i].signs ? CASES[i].units * (cells + 1) : 0);
		assert_int_equal(!!strstr(bench->text, ">ok exact<"), CASES[i].words);
		if (!CASES[i].signs)
			assert_int_equal(count_of(bench, ">41<"), cells);
	}
}

static void nothing_at_all_is_a_report_too(void **state)
{
	struct bench *bench = *state;

	bench->a.since_us = bench->a.until_us = 0;
	bench->a.unrecorded = true;
	bench->a.packets = bench->a.runs = 0;
	judge(bench);
	for (unsigned form = 0; form < REPORT_FORM_COUNT; form++)
		write_form(bench, (enum report_form)form);
	has(bench, "errors=\"1\"");
	write_form(bench, REPORT_TEXT);
	has(bench, "UNDETERMINED: Head");
	has(bench, "No: nothing was recorded.");
	has(bench, "No unit was seen.");
	write_form(bench, REPORT_JSON);
	assert_true(jsonkit_valid(bench->text));
}

static void what_was_decided_together_says_why(void **state)
{
	struct bench *bench = *state;
	struct acceptance_unit *unit;
	const struct row_group *group;
	char head[ROW_ID_MAX + 8];

	make_fine(bench, 1);
	set(bench, 0, "online.out.sip_tls", (struct cell){.unanswered = 2});
	unit = &bench->a.units[0];
	unit->groups = take(GROUPS_MAX, sizeof(*unit->groups));
	unit->group_count = unit_groups(bench->policy, unit->profiles, unit->cells, unit->groups);
	assert_true(unit->group_count > 0);
	group = unit->groups[0].group;
	judge(bench);
	write_form(bench, REPORT_TEXT);
	has(bench, "\nDecided together\n----------------\nGROUP");
	snprintf(head, sizeof(head), "\n%s ", group->id);
	has(bench, head);
	has(bench, "one that works shows all");
	has(bench, "boardroom: decided");
	has(bench, "online.out.sip_tls     required     ok unproven (by another row), 2 unanswered\n");
	write_form(bench, REPORT_HTML);
	has(bench, group->reason);
	write_form(bench, REPORT_JSON);
	assert_true(jsonkit_is(bench->text, "$.units[0].groups[0].group", group->id));
	assert_true(jsonkit_is(bench->text, "$.units[0].groups[0].state", "ok"));
}

/* The last of the findings stands no more. */
static void close_last(struct bench *bench, const char *by, const char *why)
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
	struct bench *bench = *state;

	make_fine(bench, 1);
	judge(bench);
	write_form(bench, REPORT_TEXT);
	has(bench, "None: nothing was outside, and nothing that is documented was");
	bench->a.units[0].outside = 21000;
	write_form(bench, REPORT_TEXT);
	lacks(bench, "nothing was outside");
	has(bench, "None is open.\n");
	add_finding(bench, 0, "room.out.dns", KIND_PEER, SEVERITY_HIGH, "");
	close_last(bench, "me", "our own <probe>");
	add_finding(bench, SIZE_MAX, "", KIND_UNLISTED_UNIT, SEVERITY_MEDIUM, "");
	close_last(bench, "", "");
	judge(bench);
	assert_int_equal(bench->a.result, ACCEPTED);
	write_form(bench, REPORT_TEXT);
	lacks(bench, "nothing was outside");
	has(bench, "None is open; 2 were closed:\n");
	has(bench, "F1 high, boardroom: peer, 1 flow, closed by me: our own <probe>\n");
	has(bench, "closed by the judge: why");
	has(bench, "1 was closed by a person");
	write_form(bench, REPORT_HTML);
	has(bench, "closed by me: our own &lt;probe&gt;");
	write_form(bench, REPORT_JSON);
	assert_true(jsonkit_valid(bench->text));
	assert_true(jsonkit_is(bench->text, "$.closed[0].by", "me"));
	assert_true(jsonkit_is(bench->text, "$.closed[0].why", "our own <probe>"));
	assert_true(jsonkit_is(bench->text, "$.closed[0].state", "closed"));
	assert_true(jsonkit_is(bench->text, "$.closed[1].unit", "10.9.9.9"));
	write_form(bench, REPORT_JUNIT);
	has(bench, "<testcase classname=\"boardroom\" name=\"finding F1 peer\" time=\"0.000\">\n"
	           "      <skipped message=\"closed by me: our own &lt;probe&gt;\"/>");
	has(bench, "<testcase classname=\"10.9.9.9\" name=\"finding F2 unlisted-unit\"");
	lacks(bench, "<failure ");
}

static void of_many_that_were_closed_twenty_are_told(void **state)
{
	struct bench *bench = *state;

	make_fine(bench, 1);
	for (unsigned i = 0; i < 23; i++) {
		add_finding(bench, 0, "", KIND_SERVICE, SEVERITY_LOW, "");
		close_last(bench, "me", "known");
	}
	add_finding(bench, 0, "", KIND_SERVICE, SEVERITY_LOW, "");
	judge(bench);
	write_form(bench, REPORT_TEXT);
	has(bench, "\n23 were closed:\n");
	assert_int_equal(count_of(bench, "closed by me: known"), 20);
	has(bench, "... and 3 more; .json has them all.");
	write_form(bench, REPORT_JSON);
	assert_int_equal(count_of(bench, "\"by\":\"me\""), 23);
}

/* ------------------------------------------------------------------- JUnit */

/* What became of the test case; static until the next. */
static const char *fate_of(const struct bench *bench, const char *class, const char *name)
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
	struct bench *bench = *state;

	make_mixed(bench);
	write_form(bench, REPORT_JUNIT);
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
	lacks(bench, "name=\"touch.in.control\""); /* of no unit's profile */
	lacks(bench, "name=\"finding F1 "); /* its row tells of it */
	has(bench, "type=\"blocked\" message=\"required, BLOCKED by 10.20.0.1\">"
	           "F2 medium blocked-prohibited: why F2 stands\n"
	           "udp 10.20.0.15:50002 &gt; 52.112.1.9:50011: prohibited by 10.20.0.1 (ICMP "
	           "3/13), 1 flow\n</failure>");
	has(bench, "<testsuite name=\"boardroom\" package=\"tlmon\" id=\"0\" timestamp=\"2026-11-22T00:00:00\"");
	has(bench, "time=\"600.000\"");
	lacks(bench, "time=\"0.000\">\n    </testcase>");
}

/* As many of a kind as the heads say. */
static void counts_add_up(void **state)
{
	struct bench *bench = *state;
	char head[160];

	make_mixed(bench);
	write_form(bench, REPORT_JUNIT);
	snprintf(head, sizeof(head), "<testsuites name=\"tlmon check\" tests=\"%zu\" failures=\"%zu\" errors=\"%zu\" ",
	         count_of(bench, "<testcase "), count_of(bench, "<failure "),
	         count_of(bench, "<error "));
	has(bench, head);
	assert_int_equal(count_of(bench, "<testsuite "), 3);
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
		struct bench *bench;

		teardown(state);
		setup(state);
		bench = *state;
		bench->a.options.fail_on = CASES[i].fail_on;
		make_fine(bench, 1);
		set(bench, 0, CASES[i].row, CASES[i].cell);
		if (CASES[i].severity)
			add_finding(bench, 0, CASES[i].row, KIND_PEER, CASES[i].severity, "");
		judge(bench);
		write_form(bench, REPORT_JUNIT);
		if (bench->a.result != CASES[i].result)
			fail_msg("case %zu: result %d", i, bench->a.result);
		if (strcmp(fate_of(bench, "boardroom", CASES[i].row), CASES[i].fate) != 0)
			fail_msg("case %zu: %s", i, fate_of(bench, "boardroom", CASES[i].row));
		assert_int_equal(!!strstr(bench->text, "<failure "),
		                 CASES[i].result == NOT_ACCEPTED);
		if (CASES[i].result == ACCEPTANCE_UNDETERMINED)
			has(bench, "<error ");
		if (CASES[i].result == ACCEPTED)
			lacks(bench, "<error ");
	}
}

/* As it may have worked in what is gone: no failure, but no green either. */
static void a_block_beside_what_was_removed_is_an_error(void **state)
{
	struct bench *bench = *state;

	make_fine(bench, 1);
	set(bench, 0, "room.out.dns", (struct cell){.silent = 1, .unwaived = 1});
	add_blind(bench, BLIND_REMOVED, 0, 60, "");
	judge(bench);
	assert_int_equal(bench->a.result, ACCEPTANCE_UNDETERMINED);
	write_form(bench, REPORT_JUNIT);
	FATE("boardroom", "room.out.dns", "error");
	lacks(bench, "<failure ");
	add_finding(bench, 0, "room.out.dhcp", KIND_PEER, SEVERITY_LOW, "");
	judge(bench);
	assert_int_equal(bench->a.result, NOT_ACCEPTED);
	write_form(bench, REPORT_JUNIT);
	FATE("boardroom", "room.out.dns", "error");
	FATE("boardroom", "room.out.dhcp", "failure");
}

/* One that is waived beside one that does not count at this level: it is not waived. */
static void a_row_is_waived_when_all_that_is_wrong_with_it_is(void **state)
{
	static const char WAIVER[] = "netops: local clock until 4.5 (until 2026-12-31)";
	struct bench *bench = *state;

	bench->a.options.fail_on = SEVERITY_HIGH;
	make_fine(bench, 1);
	set(bench, 0, "room.in.web_ui", (struct cell){.outside = 2});
	set(bench, 0, "room.out.llmnr", (struct cell){.outside = 2});
	add_finding(bench, 0, "room.in.web_ui", KIND_SERVICE, SEVERITY_LOW, WAIVER);
	add_finding(bench, 0, "room.out.llmnr", KIND_SERVICE, SEVERITY_LOW, WAIVER);
	add_finding(bench, 0, "room.out.llmnr", KIND_PEER, SEVERITY_LOW, "");
	judge(bench);
	write_form(bench, REPORT_JUNIT);
	has(bench, "message=\"recommended, 2 outside; waived by netops: local clock");
	has(bench, "message=\"if used, 2 outside; does not refuse at --fail-on high\"");
}

/* All that a waiver names must fit: `at` is what it excuses. */
static void a_waiver_excuses_what_it_names_and_no_more(void **state)
{
	static const char WAIVER[] = "netops: local clock until 4.5 (until 2026-12-31)";
	struct bench *bench = *state;
	struct acceptance_finding *finding;

	make_fine(bench, 1);
	add_units(bench, 1, "huddle", "room");
	for (int i = 0; i < 6; i++) {
		finding = add_finding(bench, i != 1, "", KIND_SERVICE, SEVERITY_LOW, WAIVER);
		if (i == 2)
			finding->finding.transport = TRANSPORT_TCP;
		else if (i == 3)
			finding->finding.app = APP_DNS;
		else if (i == 4)
			text_copy(finding->finding.remote, PREFIX_TEXT, "10.1.0.0/24");
		else if (i == 5)
			finding->waived = false;
	}
	judge(bench);
	write_form(bench, REPORT_JSON);
	has(bench, "\"excuses\":[\"F1\"]");
	has(bench, "\"excuses\":[]");
}

static void a_way_of_several_rows_is_told_once(void **state)
{
	static const struct cell_block WAY = {.kind = KIND_REFUSED, .transport = TRANSPORT_TCP, .flow = 7, .flows = 1};
	struct bench *bench = *state;
	static const char *const ROWS[] = {"room.out.dns", "room.out.maestro"};

	make_fine(bench, 1);
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		struct cell *cell = set(bench, 0, ROWS[i], (struct cell){.refused = 1, .unwaived = 1});

		cell->block_count = 1;
		cell->blocks[0] = WAY;
	}
	judge(bench);
	write_form(bench, REPORT_TEXT);
	has(bench, "! boardroom, room.out.dns, room.out.maestro: tcp ");
	lacks(bench, "! boardroom, room.out.maestro: ");
}

/* No unit was seen: a stranger's finding is none of theirs, and says nothing (result.c). */
static void a_stranger_fails_nobody_where_no_unit_was_seen(void **state)
{
	struct bench *bench = *state;

	add_units(bench, 1, "boardroom", "room");
	bench->a.units[0].seen = false;
	add_finding(bench, SIZE_MAX, "", KIND_UNLISTED_UNIT, SEVERITY_MEDIUM, "");
	judge(bench);
	assert_int_equal(bench->a.result, ACCEPTANCE_UNDETERMINED);
	write_form(bench, REPORT_JUNIT);
	FATE("10.9.9.9", "finding F1 unlisted-unit", "skipped");
	FATE("acceptance", "result", "error");
	lacks(bench, "<failure ");
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
	struct bench *bench = *state;

	make_mixed(bench);
	write_form(bench, REPORT_JSON);
	assert_true(jsonkit_valid(bench->text));
	for (size_t i = 0; i < ARRAY_LEN(ASKED); i++)
		assert_true(jsonkit_is(bench->text, ASKED[i][0], ASKED[i][1]));
}

/* ------------------------------------------------------------------- files */

static void the_end_of_a_name_says_what_it_is(void **state)
{
	struct report_files files = {0};
	struct err err = {0};

	assert_int_equal(report_files_add(&files, "a.html", &err), 0);
	assert_int_equal(report_files_add(&files, "dir.d/b.c.xml", &err), 0);
	assert_int_equal(report_files_add(&files, "c.json", &err), 0);
	assert_int_equal(report_files_add(&files, "d.txt", &err), 0);
	assert_int_equal(files.files[1].form, REPORT_JUNIT);
	assert_false(report_files_take_stdout(&files));
	assert_int_equal(report_files_add(&files, "a.html", &err), -EINVAL);
	assert_string_equal(err.text, "--report a.html: it is there twice");
	assert_int_equal(report_files_add(&files, "e.pdf", &err), -EINVAL);
	assert_string_equal(err.text, "--report e.pdf: what it is to be is told by its end; accepted: .html, "
	                              ".xml (JUnit), .json, .txt");
	assert_int_equal(report_files_add(&files, "html", &err), -EINVAL);
	assert_int_equal(report_files_add(&files, "-.json", &err), 0);
	assert_true(report_files_take_stdout(&files));
	assert_int_equal(report_files_add(&files, "-", &err), -EINVAL);
	assert_string_equal(err.text, "--report -: standard output is taken by --report -.json");
	assert_int_equal(files.count, 5);
	report_files_release(&files);
}

static char *slurp(const char *path)
{
	CLEANUP(fclosep) FILE *file = fopen(path, "re");
	char *text = NULL;
	size_t room = 0;

	if (file && getdelim(&text, &room, '\0', file) < 0)
		text = strdup("");
	return text;
}

static size_t files_in(const char *dir)
{
	CLEANUP(freep) char *command = NULL;
	FILE *list;
	unsigned count = 0;

	assert_true(asprintf(&command, "ls -A %s | wc -l", dir) > 0);
	list = popen(command, "re");
	assert_int_equal(fscanf(list, "%u", &count), 1);
	pclose(list);
	return count;
}

static void a_file_is_whole_or_as_it_was(void **state)
{
	struct bench *bench = *state;
	struct report_files files = {0};
	char dir[] = "/tmp/reports.XXXXXX", path[64], link[64];
	CLEANUP(freep) char *text = NULL;
	struct err err = {0};
	struct stat stat;
	FILE *file;

	make_mixed(bench);
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/a.json", dir);
	snprintf(link, sizeof(link), "%s/link.json", dir);
	file = fopen(path, "we");
	fputs("old", file);
	fclose(file);
	assert_int_equal(symlink("a.json", link), 0);
	assert_int_equal(report_files_add(&files, link, &err), 0);
	assert_int_equal(report_files_open(&files, &err), 0);
	text = slurp(path);
	assert_string_equal(text, "old");
	report_files_release(&files); /* it never came to be written */
	free(TAKE(text));
	text = slurp(path);
	assert_string_equal(text, "old");
	assert_int_equal(files_in(dir), 2);

	assert_int_equal(report_files_add(&files, link, &err), 0);
	assert_int_equal(report_files_open(&files, &err), 0);
	assert_int_equal(report_files_write(&files, &bench->a, &err), 0);
	report_files_release(&files);
	free(TAKE(text));
	text = slurp(path);
	assert_true(jsonkit_valid(text));
	assert_int_equal(lstat(link, &stat), 0);
	assert_true(S_ISLNK(stat.st_mode));
	assert_int_equal(lstat(path, &stat), 0);
	assert_int_equal(stat.st_mode & 0444, 0444);
	assert_int_equal(files_in(dir), 2);
	unlink(link);
	unlink(path);
	rmdir(dir);
}

static void what_cannot_be_written_is_said_before_the_run(void **state)
{
	struct report_files files = {0};
	struct err err = {0};

	assert_int_equal(report_files_add(&files, "/no/such/dir/a.html", &err), 0);
	assert_int_equal(report_files_open(&files, &err), -ENOENT);
	assert_string_equal(err.text, "--report /no/such/dir/a.html: No such file or directory");
	report_files_release(&files);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

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
		WITH(a_server_is_told_row_by_row),
		WITH(counts_add_up),
		WITH(a_server_and_the_exit_agree),
		WITH(a_block_beside_what_was_removed_is_an_error),
		WITH(a_row_is_waived_when_all_that_is_wrong_with_it_is),
		WITH(a_waiver_excuses_what_it_names_and_no_more),
		WITH(a_way_of_several_rows_is_told_once),
		WITH(a_stranger_fails_nobody_where_no_unit_was_seen),
		WITH(a_program_finds_everything),
		WITH(the_end_of_a_name_says_what_it_is),
		WITH(a_file_is_whole_or_as_it_was),
		WITH(what_cannot_be_written_is_said_before_the_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
