/*
 * test_acceptance_read.c - what an acceptance takes from a database: which flows, units and findings are of the
 * window, and what a unit's rows come to.
 */
#include "schema/blind.h"
#include "tests/lib/acceptkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static const char SITE[] =
	"units:\n"
	"  - {name: boardroom, addresses: [10.20.0.15], profiles: [room]}\n"
	"  - {name: floor, addresses: [10.30.0.0/24], profiles: [room]}\n"
	"  - {name: ghost, addresses: [10.20.0.99], profiles: [room]}\n";

static void all_that_is_required_and_nothing_else_is_accepted(void **state)
{
	struct acceptkit *bench = *state;

	acceptkit_do_all(bench, 100);
	assert_int_equal(ASK(0), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
	assert_int_equal(bench->acceptance->reason_count, 0);
	assert_int_equal(bench->acceptance->unit_count, 1);
	assert_int_equal(bench->acceptance->units[0].result, ACCEPTED);
	assert_int_equal(bench->acceptance->units[0].documented, 3);
	assert_int_equal(bench->acceptance->packets, 100);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.dns")->grade, GRADE_EXACT);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.dns")->first_us, AT(100));
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.dns")->last_us, AT(110));
	assert_true(acceptkit_cell(bench, "boardroom", "room.in.dhcp")->carried);
	assert_false(acceptkit_cell(bench, "boardroom", "onprem.out.sip")->applies);
}

static void flows_that_overlap_the_window_count_and_no_others(void **state)
{
	struct acceptkit *bench = *state;

	acceptkit_do_all(bench, 100);
	PUT(.second = 5000, .rows = {"room.out.llmnr"});
	assert_int_equal(ASK(.since_us = AT(111), .until_us = AT(200)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "room.out.dns was not exercised");
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.dhcp")->state, CELL_OK);
	assert_int_equal(bench->acceptance->units[0].flows, 2);
	assert_int_equal(ASK(.since_us = AT(110), .until_us = AT(200)), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
	assert_int_equal(ASK(.since_us = AT(50), .until_us = AT(102)), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
	assert_int_equal(ASK(.since_us = AT(50), .until_us = AT(101)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "room.out.maestro was not exercised");
	assert_int_equal(ASK(.since_us = AT(4000), .until_us = AT(6000)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "room.out.dns was not exercised");
}

/* It had its address before the window and behind it. */
static void a_unit_silent_in_the_window_was_not_seen_in_it(void **state)
{
	struct acceptkit *bench = *state;
	struct addr addr = dbkit_addr("10.20.0.99");
	int64_t boardroom = bench->kit.unit, ghost;

	acceptkit_load(bench, SITE);
	acceptkit_do_all(bench, 1000);
	ghost = bench->kit.unit = dbkit_unit(&bench->kit, "ghost");
	acceptkit_do_all(bench, 100);
	acceptkit_do_all(bench, 5000);
	bench->kit.unit = boardroom;
	assert_int_equal(flowdb_unit_seen(bench->kit.db, ghost, &addr, &(struct mac){0},
	                                  KNOWN_BY_PACKETS, AT(100), AT(5010), &bench->err),
	                 0);
	assert_int_equal(ASK(.unit = "ghost", .since_us = AT(900), .until_us = AT(1100)), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: ghost");
	assert_false(bench->acceptance->units[0].seen);
	assert_int_equal(bench->acceptance->units[0].address_count, 1);
	assert_int_equal(ASK(.unit = "ghost", .since_us = AT(4900), .until_us = AT(5100)), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
	assert_int_equal(ASK(.unit = "ghost"), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
}

static void one_unit_alone_is_judged_when_it_is_asked_for(void **state)
{
	struct acceptkit *bench = *state;
	struct addr addr = dbkit_addr("10.20.0.15");
	int64_t boardroom = bench->kit.unit;

	acceptkit_load(bench, SITE);
	acceptkit_do_all(bench, 100);
	assert_int_equal(flowdb_unit_seen(bench->kit.db, boardroom, &addr, &(struct mac){0},
	                                  KNOWN_BY_PACKETS, AT(100), AT(200), &bench->err),
	                 0);
	bench->kit.unit = dbkit_unit(&bench->kit, "floor/10.30.0.7");
	PUT(.second = 100, .rows = {"room.out.dns"}, .ruling = RULING_UNDETERMINED, .why = WHY_MIDSTREAM);
	assert_int_equal(ASK(.unit = "boardroom"), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
	assert_int_equal(ASK(.unit = "10.20.0.15", .since_us = AT(90), .until_us = AT(300)), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
	assert_int_equal(bench->acceptance->unit_count, 1);
	assert_int_equal(bench->acceptance->units[0].address_count, 1);
	/* Of a unit that the list names and that never showed the database knows nothing. */
	assert_int_equal(ASK(.unit = "ghost"), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: ghost");
	assert_int_equal(ASK(.unit = "10.20.0.99"), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: ghost");
	assert_int_equal(ASK(.unit = "cellar"), -ENOENT);
	assert_non_null(strstr(bench->err.text, "cellar"));
	assert_non_null(strstr(bench->err.text, "boardroom"));
}

static void all_units_of_the_list_stand_there_and_those_seen_of_an_entry_for_many(void **state)
{
	struct acceptkit *bench = *state;
	const struct acceptance *a;

	acceptkit_load(bench, SITE);
	acceptkit_do_all(bench, 100);
	assert_int_equal(ASK(0), 0);
	a = bench->acceptance;
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: ghost");
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "of 1 entry of the list of units no host was seen: floor");
	assert_int_equal(a->unit_count, 2);
	assert_string_equal(a->units[0].name, "boardroom");
	assert_int_equal(a->units[0].result, ACCEPTED);
	assert_string_equal(a->units[1].name, "ghost");
	assert_int_equal(a->units[1].result, ACCEPTANCE_UNDETERMINED);
	/* Whose name begins alike is no host of it. */
	bench->kit.unit = dbkit_unit(&bench->kit, "floor2/10.30.0.8");
	acceptkit_do_all(bench, 100);
	assert_int_equal(ASK(0), 0);
	assert_int_equal(bench->acceptance->unit_count, 3);
	assert_int_equal(bench->acceptance->silent_entries, 1);
	bench->kit.unit = dbkit_unit(&bench->kit, "floor/10.30.0.7");
	acceptkit_do_all(bench, 100);
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
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "no packet of a listed unit was seen: floor/10.30.0.7");
	assert_int_equal(ASK(.since_us = AT(1000), .until_us = AT(2000)), 0);
	assert_string_equal(bench->acceptance->silent[0]->name, "floor");
}

static void a_flow_that_goes_on_with_packets_both_ways_is_answered(void **state)
{
	struct acceptkit *bench = *state;

	PUT(.second = 100, .rows = {"room.out.dns"}, .told = TOLD_OPEN);
	PUT(.second = 100, .rows = {"room.out.dhcp"}, .told = TOLD_OPEN, .one_way = true);
	PUT(.second = 100, .rows = {"room.in.web_ui"}, .told = TOLD_OPEN, .heard = true);
	PUT(.second = 100, .rows = {"room.out.maestro"}, .told = TOLD_OPEN, .outcome = OUTCOME_REFUSED);
	PUT(.second = 100, .rows = {"room.out.llmnr"}, .outcome = OUTCOME_ONE_SIDED);
	assert_int_equal(ASK(0), 0);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.dns")->state, CELL_OK);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.dhcp")->state, CELL_UNDETERMINED);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.in.web_ui")->state, CELL_UNDETERMINED);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.maestro")->state, CELL_UNDETERMINED);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.llmnr")->whys, CELL_WHY_ONE_SIDED);
}

static void flows_count_for_all_rows_that_tie_and_outside_for_the_nearest(void **state)
{
	struct acceptkit *bench = *state;
	int64_t first;

	PUT(.second = 100, .rows = {"room.out.dns", "room.out.maestro"}, .grade = GRADE_WIDE, .media = MEDIA_AUDIO);
	first = PUT(.second = 101, .rows = {"room.out.llmnr"}, .ruling = RULING_OUTSIDE, .kind = KIND_PEER);
	PUT(.second = 102, .rows = {"room.out.llmnr"}, .ruling = RULING_OUTSIDE, .kind = KIND_PEER);
	PUT(.second = 103, .rows = {"room.in.web_ui"}, .ruling = RULING_UNDETERMINED, .why = WHY_ENCRYPTED);
	PUT(.second = 104, .ruling = RULING_HOUSEKEEPING);
	assert_int_equal(ASK(0), 0);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.dns")->wide, 1);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.maestro")->wide, 1);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.maestro")->media, MEDIA_AUDIO);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.llmnr")->outside, 2);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.llmnr")->flow, first);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.in.web_ui")->verdict_whys, BIT(WHY_ENCRYPTED));
	assert_int_equal(bench->acceptance->units[0].outside, 2);
	assert_int_equal(bench->acceptance->units[0].undetermined, 1);
	assert_int_equal(bench->acceptance->units[0].housekeeping, 1);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "1 flow nothing certain can be said of (encrypted): boardroom");
}

static int64_t find(struct acceptkit *bench, enum kind kind, const char *row, const char *remote,
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
	struct acceptkit *bench = *state;
	const struct acceptance *a;
	int64_t first = find(bench, KIND_PEER, "room.out.llmnr", "10.1.0.0/24", 900, 1, "");
	int64_t second = find(bench, KIND_SERVICE, "", "10.2.0.0/24", 1, 1, "");

	acceptkit_do_all(bench, 100);
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
	acceptkit_is(bench, ACCEPTED, NULL);
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
	struct acceptkit *bench = *state;
	char peer[] = "203.0.113.0";
	const struct cell *cell;
	int64_t finding = find(bench, KIND_BLOCKED_PROHIBITED, "room.out.maestro", "", 12, 12, "");

	acceptkit_do_all(bench, 100);
	for (unsigned i = 0; i < 12; i++) {
		peer[10] = (char)('0' + i % 10);
		PUT(.second = 120 + (int)i, .rows = {"room.out.maestro"}, .kind = KIND_BLOCKED_PROHIBITED,
		    .outcome = OUTCOME_PROHIBITED, .peer = peer, .sender = "10.20.0.1", .finding = finding);
	}
	assert_int_equal(ASK(0), 0);
	cell = acceptkit_cell(bench, "boardroom", "room.out.maestro");
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
	acceptkit_is(bench, NOT_ACCEPTED, "1 open finding of severity medium");
	assert_int_equal(cell->refusing, 1);
}

static void ways_are_told_apart_by_the_port_that_was_opened(void **state)
{
	struct acceptkit *bench = *state;
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
	cell = acceptkit_cell(bench, "boardroom", "room.out.maestro");
	assert_int_equal(cell->block_count, 2);
	assert_int_equal(cell->blocks[0].remote_port, 443);
	assert_int_equal(cell->blocks[0].flows, 2);
	assert_int_equal(cell->blocks[1].remote_port, 8443);
	assert_int_equal(cell->blocks[1].flows, 1);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.dhcp")->block_count, 2);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.in.dhcp")->block_count, 2);
}

static void what_is_waived_refuses_at_no_level_and_what_is_blocked_at_all(void **state)
{
	struct acceptkit *bench = *state;
	const struct cell *cell;
	int64_t waived;

	PUT(.second = 100, .rows = {"room.out.dns"});
	PUT(.second = 100, .rows = {"room.out.dhcp"}, .transport = TRANSPORT_UDP);
	waived = find(bench, KIND_REFUSED, "room.out.maestro", "", 1, 1, "netops: known (until 2030-01-01)");
	PUT(.second = 120, .rows = {"room.out.maestro"}, .kind = KIND_REFUSED, .outcome = OUTCOME_REFUSED,
	    .finding = waived);
	assert_int_equal(ASK(0), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
	assert_int_equal(bench->acceptance->waived, 1);
	cell = acceptkit_cell(bench, "boardroom", "room.out.maestro");
	assert_int_equal(cell->state, CELL_BLOCKED);
	assert_true(cell->waived);
	/* Another one beside it that nobody waived. */
	PUT(.second = 130, .rows = {"room.out.maestro"}, .kind = KIND_BLOCKED_SILENT,
	    .outcome = OUTCOME_UNANSWERED, .peer = "203.0.113.9",
	    .finding = find(bench, KIND_BLOCKED_SILENT, "room.out.maestro", "", 1, 1, ""));
	assert_int_equal(ASK(.fail_on = SEVERITY_HIGH), 0);
	acceptkit_is(bench, NOT_ACCEPTED, "room.out.maestro is blocked: boardroom");
	assert_int_equal(acceptance_result_at(bench->acceptance, SEVERITY_HIGH), NOT_ACCEPTED);
	assert_false(acceptkit_cell(bench, "boardroom", "room.out.maestro")->waived);
}

static void of_a_flood_the_finding_knows_the_count(void **state)
{
	struct acceptkit *bench = *state;

	acceptkit_do_all(bench, 100);
	PUT(.second = 120, .rows = {"room.out.llmnr"}, .ruling = RULING_OUTSIDE, .kind = KIND_PEER,
	    .finding = find(bench, KIND_PEER, "room.out.llmnr", "8.8.8.0/24", 5000, 1, ""));
	find(bench, KIND_BLOCKED_SILENT, "room.in.web_ui", "8.8.8.8", 70, 0, "");
	assert_int_equal(ASK(0), 0);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.llmnr")->outside, 5000);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.in.web_ui")->silent, 70);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.in.web_ui")->state, CELL_BLOCKED);
	assert_false(acceptkit_cell(bench, "boardroom", "room.in.web_ui")->waived);
	assert_int_equal(bench->acceptance->units[0].outside, 5000);
	assert_int_equal(bench->acceptance->units[0].blocked, 70);
	/* Of a window that holds a part of it nobody knows how many. */
	assert_int_equal(ASK(.since_us = AT(110), .until_us = AT(300)), 0);
	assert_int_equal(acceptkit_cell(bench, "boardroom", "room.out.llmnr")->outside, 1);
	assert_int_equal(bench->acceptance->finding_count, 2);
}

static void findings_of_the_window_stand_there_open_or_waived(void **state)
{
	struct acceptkit *bench = *state;
	const struct acceptance_finding *finding;
	int64_t flow;

	acceptkit_do_all(bench, 100);
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
	struct acceptkit *bench = *state;
	int64_t id = 0;

	acceptkit_do_all(bench, 100);
	assert_int_equal(flowdb_unit_put(bench->kit.db, "10.20.3.30", "", false, &id, &bench->err), 0);
	bench->kit.unit = id;
	find(bench, KIND_UNLISTED_UNIT, "", "", 2, 0, "");
	assert_int_equal(ASK(0), 0);
	acceptkit_is(bench, NOT_ACCEPTED, "1 open finding of severity medium");
	assert_int_equal(bench->acceptance->unit_count, 1);
	assert_int_equal(bench->acceptance->units[0].result, ACCEPTED);
	assert_int_equal(bench->acceptance->findings[0].unit, SIZE_MAX);
	assert_string_equal(bench->acceptance->findings[0].who, "10.20.3.30");
}

static void flows_judged_by_another_policy_keep_it_open(void **state)
{
	struct acceptkit *bench = *state;
	int64_t policy = bench->kit.policy;

	assert_int_equal(flowdb_policy_put(bench->kit.db, "fedcba9876543210", "rows", "site",
	                                   &bench->kit.policy, &bench->err),
	                 0);
	PUT(.second = 50, .rows = {"room.out.dns"});
	bench->kit.policy = policy;
	acceptkit_do_all(bench, 100);
	assert_int_equal(ASK(0), 0);
	acceptkit_is(bench, ACCEPTANCE_UNDETERMINED, "1 flow was judged by another policy");
	assert_int_equal(ASK(.since_us = AT(90), .until_us = AT(300)), 0);
	acceptkit_is(bench, ACCEPTED, NULL);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, acceptkit_setup, acceptkit_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(all_that_is_required_and_nothing_else_is_accepted),
		WITH(flows_that_overlap_the_window_count_and_no_others),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
