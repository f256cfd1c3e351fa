/*
 * test_acceptance_read.c - what an acceptance takes from a database: which flows, units, findings and intervals are of
 * the window, and what a unit's rows come to.
 */
#include "monitor/acceptance/acceptance.h"
#include "schema/blind.h"
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define S INT64_C(1000000)
#define AT(second) (DBKIT_DAY + (second)*S)

static const char SITE[] =
	"units:\n"
	"  - {name: boardroom, addresses: [10.20.0.15], profiles: [room]}\n"
	"  - {name: floor, addresses: [10.30.0.0/24], profiles: [room]}\n"
	"  - {name: ghost, addresses: [10.20.0.99], profiles: [room]}\n";
/* ... and without what was never there. */
static const char ONE[] = "units: [{name: boardroom, addresses: [10.20.0.15], profiles: [room]}]\n";

struct bench {
	struct dbkit kit;
	struct policy *policy;
	struct acceptance *acceptance;
	struct err err;
};

static void load(struct bench *bench, const char *site)
{
	const struct policy_args args = {
		.site_path = "site.yaml", .site_text = site, .site_text_len = strlen(site)};

	policy_freep(&bench->policy);
	if (policy_load(&args, &bench->policy, &bench->err) < 0)
		fail_msg("%s", bench->err.text);
	assert_int_equal(flowdb_policy_put(bench->kit.db, bench->policy->hash, "rows", site,
	                                   &bench->kit.policy, &bench->err),
	                 0);
}

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	dbkit_open(&bench->kit);
	load(bench, ONE);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	acceptance_free(bench->acceptance);
	policy_free(bench->policy);
	dbkit_close(&bench->kit);
	free(bench);
	return 0;
}

/* A flow as it was judged, begun at that second and 10 s long. */
struct judged {
	int second;
	const char *rows[ROWS_MAX]; /* NULL: none */
	enum ruling ruling;
	enum grade grade;
	enum kind kind;
	enum why why;
	uint8_t transport, outcome, told, media;
	const char *peer, *sender;
	uint16_t port;
	int64_t finding;
	bool one_way, heard; /* packets of the unit alone; of its peer alone */
};

static int64_t put(struct bench *bench, struct judged judged)
{
	struct flow_facts facts = dbkit_facts(judged.second, judged.peer ? judged.peer : "52.112.1.9",
	                                      judged.port ? judged.port : 443);
	struct verdict verdict = {
		.ruling = (uint8_t)(judged.ruling ? judged.ruling : RULING_DOCUMENTED),
		.grade = (uint8_t)(judged.grade ? judged.grade : GRADE_EXACT),
		.kind = (uint8_t)judged.kind,
		.why = (uint8_t)judged.why,
		.direction = DIRECTION_OUT,
	};
	struct flow_row flow = {
		.run = bench->kit.run,
		.policy = bench->kit.policy,
		.unit = bench->kit.unit,
		.facts = &facts,
		.name = "",
		.verdict = &verdict,
		.finding = judged.finding,
		.told = judged.told,
	};
	int64_t id = 0;

	if (judged.transport)
		facts.transport = judged.transport;
	facts.outcome = judged.outcome ? judged.outcome : OUTCOME_ANSWERED;
	if (judged.told & TOLD_OPEN && !judged.outcome)
		facts.outcome = OUTCOME_UNKNOWN;
	facts.media = judged.media;
	if (judged.one_way)
		facts.packets[1] = facts.bytes[1] = 0;
	if (judged.heard)
		facts.packets[0] = facts.bytes[0] = 0;
	if (judged.sender) {
		facts.icmp_type = 3;
		facts.icmp_code = 13;
		facts.icmp_sender = dbkit_addr(judged.sender);
	}
	if (verdict.ruling == RULING_OUTSIDE) {
		verdict.nearest_count = 1;
		verdict.nearest[0] = (struct nearest){
			.count = 2,
			.differs = {{FIELD_PEER, "maestro", "8.8.8.8"},
		                    {FIELD_REMOTE_PORT, "443", "8443"}}};
		flow.nearest[0] = judged.rows[0];
	} else {
		for (unsigned i = 0; i < ROWS_MAX && judged.rows[i]; i++)
			flow.rows[verdict.row_count++] = judged.rows[i];
	}
	if (flowdb_flow_put(bench->kit.db, &flow, &id, &bench->err) < 0)
		fail_msg("%s", bench->err.text);
	return id;
}
#define PUT(...) put(bench, (struct judged){__VA_ARGS__})

/* All that the profile requires, from that second on. */
static void do_all(struct bench *bench, int second)
{
	PUT(.second = second, .rows = {"room.out.dns"}, .transport = TRANSPORT_UDP);
	PUT(.second = second + 1, .rows = {"room.out.dhcp"}, .transport = TRANSPORT_UDP);
	PUT(.second = second + 2, .rows = {"room.out.maestro"});
}

static int ask(struct bench *bench, struct acceptance_options options)
{
	options.policy = bench->policy;
	options.fail_on = options.fail_on ? options.fail_on : SEVERITY_LOW;
	acceptance_freep(&bench->acceptance);
	bench->err = (struct err){0};
	return acceptance_new(bench->kit.db, &options, &bench->acceptance, &bench->err);
}
#define ASK(...) ask(bench, (struct acceptance_options){__VA_ARGS__})

static void is_result(struct bench *bench, enum acceptance_result result, const char *reason)
{
	const struct acceptance *a = bench->acceptance;
	bool any = !reason;

	for (size_t i = 0; i < a->reason_count && !any; i++)
		any = strstr(a->reasons[i].text, reason);
	if (a->result != result || !any)
		fail_msg("%s, '%s' wanted, and is %s, of %zu reasons the first is: %s",
		         acceptance_result_name(result), reason ? reason : "",
		         acceptance_result_name(a->result), a->reason_count,
		         a->reason_count ? a->reasons[0].text : "none");
}

static const struct cell *cell_of(const struct bench *bench, const char *unit, const char *row)
{
	const struct acceptance *a = bench->acceptance;

	for (size_t i = 0; i < a->unit_count; i++)
		if (!strcmp(a->units[i].name, unit))
			return &a->units[i]
			                .cells[envelope_find_row(a->policy->envelope, row)];
	fail_msg("no unit %s", unit);
	return NULL;
}

static void all_that_is_required_and_nothing_else_is_accepted(void **state)
{
	struct bench *bench = *state;

	do_all(bench, 100);
	assert_int_equal(ASK(0), 0);
	is_result(bench, ACCEPTED, NULL);
	assert_int_equal(bench->acceptance->reason_count, 0);
	assert_int_equal(bench->acceptance->unit_count, 1);
	assert_int_equal(bench->acceptance->units[0].result, ACCEPTED);
	assert_int_equal(bench->acceptance->units[0].documented, 3);
	assert_int_equal(bench->acceptance->packets, 100);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.dns")->grade, GRADE_EXACT);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.dns")->first_us, AT(100));
	assert_int_equal(cell_of(bench, "boardroom", "room.out.dns")->last_us, AT(110));
	assert_true(cell_of(bench, "boardroom", "room.in.dhcp")->carried);
	assert_false(cell_of(bench, "boardroom", "onprem.out.sip")->applies);
}

static void flows_that_overlap_the_window_count_and_no_others(void **state)
{
	struct bench *bench = *state;

	do_all(bench, 100);
	PUT(.second = 5000, .rows = {"room.out.llmnr"});
	assert_int_equal(ASK(.since_us = AT(111), .until_us = AT(200)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "room.out.dns was not exercised");
	assert_int_equal(cell_of(bench, "boardroom", "room.out.dhcp")->state, CELL_OK);
	assert_int_equal(bench->acceptance->units[0].flows, 2);
	assert_int_equal(ASK(.since_us = AT(110), .until_us = AT(200)), 0);
	is_result(bench, ACCEPTED, NULL);
	assert_int_equal(ASK(.since_us = AT(50), .until_us = AT(102)), 0);
	is_result(bench, ACCEPTED, NULL);
	assert_int_equal(ASK(.since_us = AT(50), .until_us = AT(101)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "room.out.maestro was not exercised");
	assert_int_equal(ASK(.since_us = AT(4000), .until_us = AT(6000)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "room.out.dns was not exercised");
}

static void a_window_that_shows_nothing_proves_nothing(void **state)
{
	struct bench *bench = *state;

	do_all(bench, 100);
	assert_int_equal(ASK(.since_us = AT(105), .until_us = AT(105)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "the window has no length");
	/* Nor does one go backwards that ends before all there is, or begins behind it. */
	assert_int_equal(ASK(.until_us = AT(-3600)), 0);
	assert_int_equal(bench->acceptance->since_us, AT(-3600));
	assert_int_equal(bench->acceptance->until_us, AT(-3600));
	assert_int_equal(ASK(.since_us = AT(90000)), 0);
	assert_int_equal(bench->acceptance->since_us, AT(90000));
	assert_int_equal(bench->acceptance->until_us, AT(90000));
	/* The run is of one day. */
	assert_int_equal(ASK(.since_us = AT(-7200), .until_us = AT(-3600)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "nothing was recorded in the window");
	is_result(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: boardroom");
	assert_int_equal(ASK(.since_us = AT(-3600), .until_us = AT(3600)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "not-running");
	assert_int_equal(ASK(.since_us = AT(60), .until_us = AT(90000)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "not-running");
	assert_int_equal(ASK(.since_us = AT(40000), .until_us = AT(50000)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: boardroom");
}

static void a_live_run_that_died_was_not_watching_after_it(void **state)
{
	struct bench *bench = *state;
	const struct run_row live = {
		.version = "1", .source = "live", .inputs = "eth1", .filter = "", .begun_us = AT(90000)};
	const struct counters counters = {.seen = 50, .in_flows = 50};

	assert_int_equal(flowdb_run_begin(bench->kit.db, &live, &bench->kit.run, &bench->err), 0);
	assert_int_equal(flowdb_run_update(bench->kit.db, bench->kit.run, AT(90000), AT(93600), false,
	                                   &counters, &bench->err),
	                 0);
	do_all(bench, 90100);
	dbkit_done(&bench->kit); /* nobody holds it any more */
	assert_int_equal(flowdb_open(bench->kit.dir, FLOWDB_READ, &bench->kit.db, &bench->err), 0);
	assert_int_equal(ASK(.since_us = AT(90001)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "run 2 died at ");
	assert_int_equal(bench->acceptance->units[0].result, ACCEPTANCE_UNDETERMINED);
	/* What was young when it died has no row: an outside flow may have begun there. */
	assert_int_equal(ASK(.since_us = AT(90001), .until_us = AT(93540)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "run 2 died at ");
	assert_int_equal(ASK(.since_us = AT(90001), .until_us = AT(93000)), 0);
	is_result(bench, ACCEPTED, NULL);
	assert_int_equal(ASK(.since_us = AT(90001), .until_us = AT(97200)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "not-running");
	assert_int_equal(bench->acceptance->runs, 1);
	assert_int_equal(bench->acceptance->packets, 50);
}

static void what_a_run_that_goes_on_has_not_written_yet_keeps_it_open(void **state)
{
	struct bench *bench = *state;
	const struct run_row live = {
		.version = "1", .source = "live", .inputs = "eth1", .filter = "", .begun_us = AT(90000)};
	const struct counters counters = {.seen = 50, .in_flows = 50};

	assert_int_equal(flowdb_run_begin(bench->kit.db, &live, &bench->kit.run, &bench->err), 0);
	assert_int_equal(flowdb_run_update(bench->kit.db, bench->kit.run, AT(90000), AT(93600), false,
	                                   &counters, &bench->err),
	                 0);
	do_all(bench, 90100);
	assert_int_equal(ASK(.since_us = AT(90001), .until_us = AT(93600), .running = bench->kit.run), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "may not be written yet");
	assert_int_equal(bench->acceptance->units[0].result, ACCEPTANCE_UNDETERMINED);
	assert_int_equal(ASK(.since_us = AT(90001), .until_us = AT(93535), .running = bench->kit.run), 0);
	is_result(bench, ACCEPTED, NULL);
	assert_int_equal(bench->acceptance->settled_us, AT(93535));
}

static void a_file_that_was_not_read_to_its_end_keeps_it_open(void **state)
{
	struct bench *bench = *state;
	const struct run_row file = {.version = "1", .source = "file", .inputs = "b.pcap", .filter = ""};
	const struct counters counters = {.seen = 50, .in_flows = 50};

	do_all(bench, 100);
	assert_int_equal(flowdb_run_begin(bench->kit.db, &file, &bench->kit.run, &bench->err), 0);
	assert_int_equal(ASK(0), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "run 2 died early");
	assert_int_equal(flowdb_run_update(bench->kit.db, bench->kit.run, AT(1000), AT(2000), false,
	                                   &counters, &bench->err),
	                 0);
	assert_int_equal(ASK(0), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "run 2 died at ");
	assert_int_equal(ASK(.running = bench->kit.run), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "run 2 is not over");
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(1500)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "run 2 died at ");
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(900)), 0);
	is_result(bench, ACCEPTED, NULL);
}

static void a_database_without_a_run_proves_nothing(void **state)
{
	struct bench *bench = *state;
	struct flowdb *db = bench->kit.db, *empty = NULL;

	assert_int_equal(flowdb_open(NULL, FLOWDB_WRITE, &empty, &bench->err), 0);
	bench->kit.db = empty;
	assert_int_equal(ASK(0), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "there is no packet at all");
	bench->kit.db = db;
	flowdb_close(empty);
}

/* It had its address before the window and behind it. */
static void a_unit_silent_in_the_window_was_not_seen_in_it(void **state)
{
	struct bench *bench = *state;
	struct addr addr = dbkit_addr("10.20.0.99");
	int64_t boardroom = bench->kit.unit, ghost;

	load(bench, SITE);
	do_all(bench, 1000);
	ghost = bench->kit.unit = dbkit_unit(&bench->kit, "ghost");
	do_all(bench, 100);
	do_all(bench, 5000);
	bench->kit.unit = boardroom;
	assert_int_equal(flowdb_unit_seen(bench->kit.db, ghost, &addr, &(struct mac){0},
	                                  KNOWN_BY_PACKETS, AT(100), AT(5010), &bench->err),
	                 0);
	assert_int_equal(ASK(.unit = "ghost", .since_us = AT(900), .until_us = AT(1100)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: ghost");
	assert_false(bench->acceptance->units[0].seen);
	assert_int_equal(bench->acceptance->units[0].address_count, 1);
	assert_int_equal(ASK(.unit = "ghost", .since_us = AT(4900), .until_us = AT(5100)), 0);
	is_result(bench, ACCEPTED, NULL);
	assert_int_equal(ASK(.unit = "ghost"), 0);
	is_result(bench, ACCEPTED, NULL);
}

static void one_unit_alone_is_judged_when_it_is_asked_for(void **state)
{
	struct bench *bench = *state;
	struct addr addr = dbkit_addr("10.20.0.15");
	int64_t boardroom = bench->kit.unit;

	load(bench, SITE);
	do_all(bench, 100);
	assert_int_equal(flowdb_unit_seen(bench->kit.db, boardroom, &addr, &(struct mac){0},
	                                  KNOWN_BY_PACKETS, AT(100), AT(200), &bench->err),
	                 0);
	bench->kit.unit = dbkit_unit(&bench->kit, "floor/10.30.0.7");
	PUT(.second = 100, .rows = {"room.out.dns"}, .ruling = RULING_UNDETERMINED, .why = WHY_MIDSTREAM);
	assert_int_equal(ASK(.unit = "boardroom"), 0);
	is_result(bench, ACCEPTED, NULL);
	assert_int_equal(ASK(.unit = "10.20.0.15", .since_us = AT(90), .until_us = AT(300)), 0);
	is_result(bench, ACCEPTED, NULL);
	assert_int_equal(bench->acceptance->unit_count, 1);
	assert_int_equal(bench->acceptance->units[0].address_count, 1);
	/* Of a unit that the list names and that never showed the database knows nothing. */
	assert_int_equal(ASK(.unit = "ghost"), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: ghost");
	assert_int_equal(ASK(.unit = "10.20.0.99"), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: ghost");
	assert_int_equal(ASK(.unit = "cellar"), -ENOENT);
	assert_non_null(strstr(bench->err.text, "cellar"));
	assert_non_null(strstr(bench->err.text, "boardroom"));
}

static void all_units_of_the_list_stand_there_and_those_seen_of_an_entry_for_many(void **state)
{
	struct bench *bench = *state;
	const struct acceptance *a;

	load(bench, SITE);
	do_all(bench, 100);
	assert_int_equal(ASK(0), 0);
	a = bench->acceptance;
	is_result(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: ghost");
	is_result(bench, ACCEPTANCE_UNDETERMINED, "of 1 entry of the list of units no host was seen: floor");
	assert_int_equal(a->unit_count, 2);
	assert_string_equal(a->units[0].name, "boardroom");
	assert_int_equal(a->units[0].result, ACCEPTED);
	assert_string_equal(a->units[1].name, "ghost");
	assert_int_equal(a->units[1].result, ACCEPTANCE_UNDETERMINED);
	/* Whose name begins alike is no host of it. */
	bench->kit.unit = dbkit_unit(&bench->kit, "floor2/10.30.0.8");
	do_all(bench, 100);
	assert_int_equal(ASK(0), 0);
	assert_int_equal(bench->acceptance->unit_count, 3);
	assert_int_equal(bench->acceptance->silent_entries, 1);
	bench->kit.unit = dbkit_unit(&bench->kit, "floor/10.30.0.7");
	do_all(bench, 100);
	assert_int_equal(ASK(0), 0);
	a = bench->acceptance;
	assert_int_equal(a->silent_entries, 0);
	assert_int_equal(a->unit_count, 4);
	assert_string_equal(a->units[1].name, "floor/10.30.0.7");
	assert_int_equal(a->units[1].result, ACCEPTANCE_UNDETERMINED); /* it is of `online` too */
	/* In a window without it its entry is without any, and it does not stand there. */
	assert_int_equal(ASK(.since_us = AT(1000), .until_us = AT(2000)), 0);
	assert_int_equal(bench->acceptance->unit_count, 2);
	assert_int_equal(bench->acceptance->silent_entries, 1);
	/* Asked for by name it does, and was not seen. */
	assert_int_equal(ASK(.since_us = AT(1000), .until_us = AT(2000), .unit = "floor/10.30.0.7"), 0);
	assert_int_equal(bench->acceptance->unit_count, 1);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: floor/10.30.0.7");
	assert_int_equal(ASK(.since_us = AT(1000), .until_us = AT(2000)), 0);
	assert_string_equal(bench->acceptance->silent[0]->name, "floor");
}

static void a_flow_that_goes_on_with_packets_both_ways_is_answered(void **state)
{
	struct bench *bench = *state;

	PUT(.second = 100, .rows = {"room.out.dns"}, .told = TOLD_OPEN);
	PUT(.second = 100, .rows = {"room.out.dhcp"}, .told = TOLD_OPEN, .one_way = true);
	PUT(.second = 100, .rows = {"room.in.web_ui"}, .told = TOLD_OPEN, .heard = true);
	PUT(.second = 100, .rows = {"room.out.maestro"}, .told = TOLD_OPEN, .outcome = OUTCOME_REFUSED);
	PUT(.second = 100, .rows = {"room.out.llmnr"}, .outcome = OUTCOME_ONE_SIDED);
	assert_int_equal(ASK(0), 0);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.dns")->state, CELL_OK);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.dhcp")->state, CELL_UNDETERMINED);
	assert_int_equal(cell_of(bench, "boardroom", "room.in.web_ui")->state, CELL_UNDETERMINED);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.maestro")->state, CELL_UNDETERMINED);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.llmnr")->whys, CELL_WHY_ONE_SIDED);
}

static void flows_count_for_all_rows_that_tie_and_outside_for_the_nearest(void **state)
{
	struct bench *bench = *state;
	int64_t first;

	PUT(.second = 100, .rows = {"room.out.dns", "room.out.maestro"}, .grade = GRADE_WIDE, .media = MEDIA_AUDIO);
	first = PUT(.second = 101, .rows = {"room.out.llmnr"}, .ruling = RULING_OUTSIDE, .kind = KIND_PEER);
	PUT(.second = 102, .rows = {"room.out.llmnr"}, .ruling = RULING_OUTSIDE, .kind = KIND_PEER);
	PUT(.second = 103, .rows = {"room.in.web_ui"}, .ruling = RULING_UNDETERMINED, .why = WHY_ENCRYPTED);
	PUT(.second = 104, .ruling = RULING_HOUSEKEEPING);
	assert_int_equal(ASK(0), 0);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.dns")->wide, 1);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.maestro")->wide, 1);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.maestro")->media, MEDIA_AUDIO);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.llmnr")->outside, 2);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.llmnr")->flow, first);
	assert_int_equal(cell_of(bench, "boardroom", "room.in.web_ui")->verdict_whys, BIT(WHY_ENCRYPTED));
	assert_int_equal(bench->acceptance->units[0].outside, 2);
	assert_int_equal(bench->acceptance->units[0].undetermined, 1);
	assert_int_equal(bench->acceptance->units[0].housekeeping, 1);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "1 flow nothing certain can be said of (encrypted): boardroom");
}

static int64_t find(struct bench *bench, enum kind kind, const char *row, const char *remote,
                    uint64_t flows, uint64_t kept, const char *waiver)
{
	struct finding_row finding = {
		.unit = bench->kit.unit,
		.kind = (uint8_t)kind,
		.severity = SEVERITY_MEDIUM,
		.transport = TRANSPORT_TCP,
		.first_us = AT(100),
		.last_us = AT(200),
		.flows = flows,
		.kept = kept,
		.open = true,
	};
	int64_t id = 0;

	text_copy(finding.row, sizeof(finding.row), row);
	text_copy(finding.remote, sizeof(finding.remote), remote);
	text_copy(finding.waiver, sizeof(finding.waiver), waiver);
	assert_int_equal(flowdb_finding_put(bench->kit.db, &finding, &id, &bench->err), 0);
	return id;
}

static void what_was_closed_is_told_with_who_and_why(void **state)
{
	struct bench *bench = *state;
	const struct acceptance *a;
	int64_t first = find(bench, KIND_PEER, "room.out.llmnr", "10.1.0.0/24", 900, 1, "");
	int64_t second = find(bench, KIND_SERVICE, "", "10.2.0.0/24", 1, 1, "");

	do_all(bench, 100);
	PUT(.second = 101, .rows = {"room.out.llmnr"}, .ruling = RULING_OUTSIDE, .kind = KIND_PEER,
	    .finding = first);
	for (int64_t id = first; id <= second; id++)
		assert_int_equal(
			flowdb_finding_judge(bench->kit.db,
		                             &(struct finding_judgement){.finding = id,
		                                                         .at_us = AT(400),
		                                                         .by_whom = id == first ? "me" : "",
		                                                         .why = id == first ? "ours" : ""},
		                             &bench->err),
			1);
	assert_int_equal(ASK(0), 0);
	a = bench->acceptance;
	is_result(bench, ACCEPTED, NULL);
	assert_int_equal(a->finding_count, 0);
	assert_int_equal(a->closed_count, 2);
	assert_int_equal(a->closed_by_hand, 1);
	assert_int_equal(a->closed[0].finding.id, first);
	assert_int_equal(a->closed[0].finding.unit, 0);
	assert_string_equal(a->closed[0].by, "me");
	assert_string_equal(a->closed[0].why, "ours");
	assert_int_equal(a->closed[0].at_us, AT(400));
	assert_string_equal(a->closed[1].by, "");
	assert_int_equal(a->units[0].outside, 900); /* also those without a row */
	/* Not of this window. */
	assert_int_equal(ASK(.since_us = AT(300), .until_us = AT(500)), 0);
	assert_int_equal(bench->acceptance->closed_count, 0);
}

static void a_blocked_row_says_between_whom_and_by_whom(void **state)
{
	struct bench *bench = *state;
	char peer[] = "203.0.113.0";
	const struct cell *cell;
	int64_t finding = find(bench, KIND_BLOCKED_PROHIBITED, "room.out.maestro", "", 12, 12, "");

	do_all(bench, 100);
	for (unsigned i = 0; i < 12; i++) {
		peer[10] = (char)('0' + i % 10);
		PUT(.second = 120 + (int)i, .rows = {"room.out.maestro"}, .kind = KIND_BLOCKED_PROHIBITED,
		    .outcome = OUTCOME_PROHIBITED, .peer = peer, .sender = "10.20.0.1", .finding = finding);
	}
	assert_int_equal(ASK(0), 0);
	cell = cell_of(bench, "boardroom", "room.out.maestro");
	assert_int_equal(cell->state, CELL_OK); /* a yes beside a no */
	assert_int_equal(cell->prohibited, 12);
	assert_int_equal(cell->block_count, CELL_BLOCKS_MAX);
	assert_int_equal(cell->blocks_more, 2);
	assert_int_equal(cell->blocks[0].flows, 2);
	assert_int_equal(cell->blocks[0].kind, KIND_BLOCKED_PROHIBITED);
	assert_int_equal(cell->blocks[0].icmp_type, 3);
	assert_int_equal(cell->blocks[0].icmp_code, 13);
	assert_int_equal(cell->blocks[0].remote_port, 443);
	assert_int_equal(cell->blocks[0].local_port, 50000);
	assert_memory_equal(&cell->blocks[0].sender, &(struct addr[]){dbkit_addr("10.20.0.1")}[0],
	                    sizeof(struct addr));
	assert_memory_equal(&cell->blocks[0].remote, &(struct addr[]){dbkit_addr("203.0.113.0")}[0],
	                    sizeof(struct addr));
	assert_memory_equal(&cell->blocks[0].local, &(struct addr[]){dbkit_addr("10.20.0.15")}[0],
	                    sizeof(struct addr));
	is_result(bench, NOT_ACCEPTED, "1 open finding of severity medium");
	assert_int_equal(cell->refusing, 1);
}

static void ways_are_told_apart_by_the_port_that_was_opened(void **state)
{
	struct bench *bench = *state;
	const struct cell *cell;

	for (int i = 0; i < 3; i++)
		PUT(.second = 100 + i, .rows = {"room.out.maestro"}, .kind = KIND_REFUSED,
		    .outcome = OUTCOME_REFUSED, .peer = "203.0.113.1", .port = (uint16_t)(i < 2 ? 443 : 8443));
	/* Judged by both ends of a pair of rows it is one block for each. */
	PUT(.second = 110, .rows = {"room.out.dhcp", "room.in.dhcp"}, .kind = KIND_BLOCKED_SILENT,
	    .transport = TRANSPORT_UDP, .outcome = OUTCOME_UNANSWERED);
	/* By one of them, too. */
	PUT(.second = 120, .rows = {"room.out.dhcp"}, .kind = KIND_REFUSED, .transport = TRANSPORT_UDP,
	    .outcome = OUTCOME_REFUSED);
	assert_int_equal(ASK(0), 0);
	cell = cell_of(bench, "boardroom", "room.out.maestro");
	assert_int_equal(cell->block_count, 2);
	assert_int_equal(cell->blocks[0].remote_port, 443);
	assert_int_equal(cell->blocks[0].flows, 2);
	assert_int_equal(cell->blocks[1].remote_port, 8443);
	assert_int_equal(cell->blocks[1].flows, 1);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.dhcp")->block_count, 2);
	assert_int_equal(cell_of(bench, "boardroom", "room.in.dhcp")->block_count, 2);
}

static void what_is_waived_refuses_at_no_level_and_what_is_blocked_at_all(void **state)
{
	struct bench *bench = *state;
	const struct cell *cell;
	int64_t waived;

	PUT(.second = 100, .rows = {"room.out.dns"});
	PUT(.second = 100, .rows = {"room.out.dhcp"}, .transport = TRANSPORT_UDP);
	waived = find(bench, KIND_REFUSED, "room.out.maestro", "", 1, 1, "netops: known (until 2030-01-01)");
	PUT(.second = 120, .rows = {"room.out.maestro"}, .kind = KIND_REFUSED, .outcome = OUTCOME_REFUSED,
	    .finding = waived);
	assert_int_equal(ASK(0), 0);
	is_result(bench, ACCEPTED, NULL);
	assert_int_equal(bench->acceptance->waived, 1);
	cell = cell_of(bench, "boardroom", "room.out.maestro");
	assert_int_equal(cell->state, CELL_BLOCKED);
	assert_true(cell->waived);
	/* Another one beside it that nobody waived. */
	PUT(.second = 130, .rows = {"room.out.maestro"}, .kind = KIND_BLOCKED_SILENT,
	    .outcome = OUTCOME_UNANSWERED, .peer = "203.0.113.9",
	    .finding = find(bench, KIND_BLOCKED_SILENT, "room.out.maestro", "", 1, 1, ""));
	assert_int_equal(ASK(.fail_on = SEVERITY_HIGH), 0);
	is_result(bench, NOT_ACCEPTED, "room.out.maestro is blocked: boardroom");
	assert_int_equal(acceptance_result_at(bench->acceptance, SEVERITY_HIGH), NOT_ACCEPTED);
	assert_false(cell_of(bench, "boardroom", "room.out.maestro")->waived);
}

static void of_a_flood_the_finding_knows_the_count(void **state)
{
	struct bench *bench = *state;

	do_all(bench, 100);
	PUT(.second = 120, .rows = {"room.out.llmnr"}, .ruling = RULING_OUTSIDE, .kind = KIND_PEER,
	    .finding = find(bench, KIND_PEER, "room.out.llmnr", "8.8.8.0/24", 5000, 1, ""));
	find(bench, KIND_BLOCKED_SILENT, "room.in.web_ui", "8.8.8.8", 70, 0, "");
	assert_int_equal(ASK(0), 0);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.llmnr")->outside, 5000);
	assert_int_equal(cell_of(bench, "boardroom", "room.in.web_ui")->silent, 70);
	assert_int_equal(cell_of(bench, "boardroom", "room.in.web_ui")->state, CELL_BLOCKED);
	assert_false(cell_of(bench, "boardroom", "room.in.web_ui")->waived);
	assert_int_equal(bench->acceptance->units[0].outside, 5000);
	assert_int_equal(bench->acceptance->units[0].blocked, 70);
	/* Of a window that holds a part of it nobody knows how many. */
	assert_int_equal(ASK(.since_us = AT(110), .until_us = AT(300)), 0);
	assert_int_equal(cell_of(bench, "boardroom", "room.out.llmnr")->outside, 1);
	assert_int_equal(bench->acceptance->finding_count, 2);
}

static void findings_of_the_window_stand_there_open_or_waived(void **state)
{
	struct bench *bench = *state;
	const struct acceptance_finding *finding;
	int64_t flow;

	do_all(bench, 100);
	find(bench, KIND_MEDIA, "room.out.dns", "", 1, 0, "netops: known (until 2030-01-01)");
	flow = PUT(.second = 150, .rows = {"room.out.dns"}, .ruling = RULING_OUTSIDE, .kind = KIND_PEER,
	           .finding = find(bench, KIND_PEER, "room.out.dns", "8.8.8.0/24", 1, 1, ""));
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(400)), 0);
	assert_int_equal(bench->acceptance->finding_count, 2);
	finding = &bench->acceptance->findings[0];
	assert_int_equal(finding->finding.kind, KIND_PEER);
	assert_true(finding->refuses);
	assert_int_equal(finding->flow, flow);
	assert_int_equal(finding->unit, 0);
	assert_string_equal(finding->who, "boardroom");
	assert_int_equal(finding->row, envelope_find_row(bench->policy->envelope, "room.out.dns"));
	assert_true(bench->acceptance->findings[1].waived);
	assert_false(bench->acceptance->findings[1].refuses);
	assert_int_equal(bench->acceptance->by_severity[SEVERITY_MEDIUM], 1);
	/* The whole of it, and later. */
	assert_int_equal(ASK(.since_us = AT(300), .until_us = AT(400)), 0);
	assert_int_equal(bench->acceptance->finding_count, 0);
}

static void a_unit_on_no_list_refuses_and_is_no_unit(void **state)
{
	struct bench *bench = *state;
	int64_t id = 0;

	do_all(bench, 100);
	assert_int_equal(flowdb_unit_put(bench->kit.db, "10.20.3.30", "", false, &id, &bench->err), 0);
	bench->kit.unit = id;
	find(bench, KIND_UNLISTED_UNIT, "", "", 2, 0, "");
	assert_int_equal(ASK(0), 0);
	is_result(bench, NOT_ACCEPTED, "1 open finding of severity medium");
	assert_int_equal(bench->acceptance->unit_count, 1);
	assert_int_equal(bench->acceptance->units[0].result, ACCEPTED);
	assert_int_equal(bench->acceptance->findings[0].unit, SIZE_MAX);
	assert_string_equal(bench->acceptance->findings[0].who, "10.20.3.30");
}

static void flows_judged_by_another_policy_keep_it_open(void **state)
{
	struct bench *bench = *state;
	int64_t policy = bench->kit.policy;

	assert_int_equal(flowdb_policy_put(bench->kit.db, "fedcba9876543210", "rows", "site",
	                                   &bench->kit.policy, &bench->err),
	                 0);
	PUT(.second = 50, .rows = {"room.out.dns"});
	bench->kit.policy = policy;
	do_all(bench, 100);
	assert_int_equal(ASK(0), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "1 flow was judged by another policy");
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(300)), 0);
	is_result(bench, ACCEPTED, NULL);
}

static void a_file_cut_in_the_window_keeps_it_open(void **state)
{
	struct bench *bench = *state;
	const struct input_row input = {.name = "day.pcap",
	                                .hash = "",
	                                .first_us = AT(0),
	                                .last_us = AT(500),
	                                .packets = 9,
	                                .cut = true,
	                                .note = "cut after packet 9"};

	do_all(bench, 100);
	assert_int_equal(flowdb_input_put(bench->kit.db, bench->kit.run, &input, &bench->err), 0);
	assert_int_equal(ASK(0), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "1 file ends in the middle");
	assert_int_equal(bench->acceptance->cuts, 1);
	assert_int_equal(ASK(.since_us = AT(501), .until_us = AT(600)), 0);
	assert_int_equal(bench->acceptance->cuts, 0);
}

static void gaps_between_files_are_blind_or_said(void **state)
{
	struct bench *bench = *state;
	struct input_row input = {.name = "a.pcap", .hash = "", .first_us = AT(0), .last_us = AT(500),
	                          .packets = 9, .note = ""};
	struct run_row other = {.version = "1", .source = "file", .inputs = "c.pcap", .filter = ""};
	const struct counters counters = {.seen = 50, .in_flows = 50};

	do_all(bench, 100);
	assert_int_equal(flowdb_input_put(bench->kit.db, bench->kit.run, &input, &bench->err), 0);
	input.first_us = AT(540);
	input.last_us = AT(800);
	assert_int_equal(flowdb_input_put(bench->kit.db, bench->kit.run, &input, &bench->err), 0);
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(700)), 0);
	is_result(bench, ACCEPTED, NULL);
	assert_int_equal(bench->acceptance->file_gaps, 1);
	assert_int_equal(bench->acceptance->file_gap_us, 40 * S);
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(400)), 0);
	assert_int_equal(bench->acceptance->file_gaps, 0);
	/* A longer one is no gap between files: nobody was watching. */
	input.first_us = AT(861);
	input.last_us = AT(900);
	assert_int_equal(flowdb_input_put(bench->kit.db, bench->kit.run, &input, &bench->err), 0);
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(880)), 0);
	assert_int_equal(bench->acceptance->file_gaps, 1);
	assert_int_equal(bench->acceptance->file_gap_us, 40 * S);
	/* From one run to the next nobody held the flows. */
	assert_int_equal(flowdb_run_begin(bench->kit.db, &other, &bench->kit.run, &bench->err), 0);
	assert_int_equal(flowdb_run_update(bench->kit.db, bench->kit.run, AT(840), AT(900), true,
	                                   &counters, &bench->err),
	                 0);
	input.first_us = AT(840);
	input.last_us = AT(900);
	assert_int_equal(flowdb_input_put(bench->kit.db, bench->kit.run, &input, &bench->err), 0);
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(880)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "not-running");
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
	struct bench *bench = *state;
	const struct counters counters = {.seen = 50, .in_flows = 50};

	do_all(bench, 100);
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
	struct bench *bench = *state;
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

static void note(struct bench *bench, enum blind_cause cause, int since, int until, int64_t unit)
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
	struct bench *bench = *state;
	const struct acceptance *a;

	do_all(bench, 100);
	note(bench, BLIND_KERNEL_DROP, 1000, 1010, 0);
	note(bench, BLIND_TRUNCATED, 120, 130, 0);
	note(bench, BLIND_MAC_SHARED, 120, 130, dbkit_unit(&bench->kit, "attic"));
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(300), .unit = "boardroom"), 0);
	a = bench->acceptance;
	is_result(bench, ACCEPTED, NULL);
	assert_int_equal(a->blind_count, 1);
	assert_int_equal(a->blinds[0].row.cause, BLIND_TRUNCATED);
	assert_string_equal(a->blinds[0].row.detail, "eth1");
	assert_true(a->units[0].blind);
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(300)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "mac-shared");
	assert_int_equal(bench->acceptance->units[0].result, ACCEPTED);
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(1005)), 0);
	is_result(bench, ACCEPTANCE_UNDETERMINED, "kernel-drop");
	assert_int_equal(bench->acceptance->units[0].result, ACCEPTANCE_UNDETERMINED);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(all_that_is_required_and_nothing_else_is_accepted),
		WITH(flows_that_overlap_the_window_count_and_no_others),
		WITH(a_window_that_shows_nothing_proves_nothing),
		WITH(a_live_run_that_died_was_not_watching_after_it),
		WITH(what_a_run_that_goes_on_has_not_written_yet_keeps_it_open),
		WITH(a_file_that_was_not_read_to_its_end_keeps_it_open),
		WITH(a_database_without_a_run_proves_nothing),
		WITH(a_unit_silent_in_the_window_was_not_seen_in_it),
		WITH(one_unit_alone_is_judged_when_it_is_asked_for),
		WITH(all_units_of_the_list_stand_there_and_those_seen_of_an_entry_for_many),
		WITH(a_flow_that_goes_on_with_packets_both_ways_is_answered),
		WITH(flows_count_for_all_rows_that_tie_and_outside_for_the_nearest),
		WITH(what_was_closed_is_told_with_who_and_why),
		WITH(a_blocked_row_says_between_whom_and_by_whom),
		WITH(ways_are_told_apart_by_the_port_that_was_opened),
		WITH(what_is_waived_refuses_at_no_level_and_what_is_blocked_at_all),
		WITH(of_a_flood_the_finding_knows_the_count),
		WITH(findings_of_the_window_stand_there_open_or_waived),
		WITH(a_unit_on_no_list_refuses_and_is_no_unit),
		WITH(flows_judged_by_another_policy_keep_it_open),
		WITH(a_file_cut_in_the_window_keeps_it_open),
		WITH(gaps_between_files_are_blind_or_said),
		WITH(a_filter_is_told_with_how_many_runs_had_it),
		WITH(of_filters_without_a_place_dots_stand_there),
		WITH(intervals_of_the_window_and_of_the_unit_are_cited),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
