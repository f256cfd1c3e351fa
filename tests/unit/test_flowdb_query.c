/*
 * test_flowdb_query.c - what is asked of a flow database, and in which order it answers.
 */
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000)

/* Flows, by id: 1 at 100-110 s documented, 2 at 50-60 s outside under F1, 3 at 200-210 s, IPv6 peer, at "huddle". */
static int setup(void **state)
{
	struct dbkit *kit = malloc(sizeof(*kit));
	struct flow_facts facts;
	struct mac none = {0};
	struct err err;
	int64_t huddle, finding;

	dbkit_open(kit);
	*state = kit;
	huddle = dbkit_unit(kit, "huddle");
	finding = dbkit_finding(kit, kit->unit, KIND_REMOTE_PORT, SEVERITY_MEDIUM,
				"198.51.100.0/24", 1);
	facts = dbkit_facts(100, "52.112.1.9", 443);
	dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
	facts = dbkit_facts(50, "198.51.100.7", 16332);
	dbkit_flow(kit, &facts, NULL, finding);
	kit->unit = huddle;
	facts = dbkit_facts(200, "2603:1063::5", 443);
	dbkit_flow(kit, &facts, "online.out.auth_https", 0);
	return flowdb_unit_seen(kit->db, huddle, &facts.end[0].addr, &none, 1, 1, 2, &err);
}

static int teardown(void **state)
{
	dbkit_close(*state);
	free(*state);
	return 0;
}

struct ids {
	char text[256];
	unsigned enough; /* stop after so many; 0: never */
	unsigned count;
};

static int add_flow(void *context, const struct flow_view *flow, struct err *err)
{
	struct ids *ids = context;

	text_add(ids->text, sizeof(ids->text), "%lld ", (long long)flow->id);
	return ids->enough && ++ids->count == ids->enough;
}

static const char *flows(struct dbkit *kit, const struct flow_query *query)
{
	static struct ids ids;
	struct err err = {0};

	ids = (struct ids){0};
	assert_int_equal(flowdb_flows(kit->db, query, add_flow, &ids, &err), 0);
	return ids.text;
}

static struct prefix prefix(const char *text)
{
	struct prefix prefix;

	assert_int_equal(prefix_parse(text, &prefix), 0);
	return prefix;
}

static void flows_come_in_the_order_they_began(void **state)
{
	assert_string_equal(flows(*state, &(struct flow_query){0}), "2 1 3 ");
	assert_string_equal(flows(*state, &(struct flow_query){.limit = 2}), "2 1 ");
}

static void a_window_takes_in_what_overlaps_it(void **state)
{
	static const struct {
		int since, until;
		const char *ids;
	} cases[] = {
		{0, 49, ""},	    {0, 50, "2 "},     {60, 99, "2 "},
		{61, 99, ""},	    {55, 105, "2 1 "}, {102, 103, "1 "},
		{110, 200, "1 3 "}, {211, 0, ""},      {205, 0, "3 "},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct flow_query query = {
			.since_us = cases[i].since ? DBKIT_DAY + cases[i].since * SECOND : 0,
			.until_us = cases[i].until ? DBKIT_DAY + cases[i].until * SECOND : 0,
		};

		if (strcmp(flows(*state, &query), cases[i].ids))
			fail_msg("%d..%d gave %s", cases[i].since, cases[i].until,
				 flows(*state, &query));
	}
}

static void flows_are_found_by_unit_name_or_address(void **state)
{
	assert_string_equal(flows(*state, &(struct flow_query){.unit = "boardroom"}), "2 1 ");
	assert_string_equal(flows(*state, &(struct flow_query){.unit = "huddle"}), "3 ");
	assert_string_equal(flows(*state, &(struct flow_query){.unit = "10.20.0.15"}), "3 ");
}

static void an_unknown_unit_is_refused_and_some_are_named(void **state)
{
	struct dbkit *kit = *state;
	const struct flow_query query = {.unit = "attic"};
	struct ids ids = {0};
	struct err err = {0};

	assert_int_equal(flowdb_flows(kit->db, &query, add_flow, &ids, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no unit 'attic'"));
	assert_non_null(strstr(err.text, "recorded: boardroom, huddle"));
	for (int i = 0; i < 20; i++) {
		char name[32];

		snprintf(name, sizeof(name), "room-%02d", i);
		dbkit_unit(kit, name);
	}
	assert_int_equal(flowdb_check_unit(kit->db, "attic", &err), -ENOENT);
	assert_non_null(strstr(err.text, "room-05, ... (22 in all)"));
	assert_int_equal(flowdb_check_unit(kit->db, "' OR 1=1 --", &err), -ENOENT);
	assert_int_equal(flowdb_check_unit(kit->db, NULL, &err), 0);
}

static void flows_are_found_by_verdict_row_kind_and_finding(void **state)
{
	assert_string_equal(flows(*state, &(struct flow_query){.ruling = RULING_OUTSIDE}),
			    "2 ");
	assert_string_equal(flows(*state, &(struct flow_query){.ruling = RULING_DOCUMENTED}),
			    "1 3 ");
	assert_string_equal(flows(*state, &(struct flow_query){.row = "online.out.sip_tls"}),
			    "1 ");
	assert_string_equal(flows(*state, &(struct flow_query){.row = "online.out.audio"}),
			    "2 "); /* nearest */
	assert_string_equal(flows(*state, &(struct flow_query){.row = "no.such.row"}), "");
	assert_string_equal(flows(*state, &(struct flow_query){.kind = KIND_REMOTE_PORT}),
			    "2 ");
	assert_string_equal(flows(*state, &(struct flow_query){.kind = KIND_PEER}), "");
	assert_string_equal(flows(*state, &(struct flow_query){.severity = SEVERITY_MEDIUM}),
			    "2 ");
	assert_string_equal(flows(*state, &(struct flow_query){.severity = SEVERITY_HIGH}), "");
	assert_string_equal(flows(*state, &(struct flow_query){.finding = 1}), "2 ");
}

static void flows_are_found_by_the_prefix_of_their_peer(void **state)
{
	static const struct {
		const char *peer, *ids;
	} cases[] = {
		{"52.112.0.0/14", "1 "}, {"52.112.1.9", "1 "},	    {"52.112.1.8", ""},
		{"52.0.0.0/6", "1 "},	 {"2603:1063::/39", "3 "},  {"2603:1063::5", "3 "},
		{"::/1", "2 1 3 "},	 {"198.51.100.0/25", "2 "}, {"198.51.100.128/25", ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const struct flow_query query = {.peer = prefix(cases[i].peer)};

		if (strcmp(flows(*state, &query), cases[i].ids))
			fail_msg("%s gave %s", cases[i].peer, flows(*state, &query));
	}
}

static int refuse(void *context, const struct flow_view *flow, struct err *err)
{
	return err_set(err, -EPIPE, "enough of this");
}

static void a_callback_ends_a_query_with_or_without_an_error(void **state)
{
	struct dbkit *kit = *state;
	struct ids ids = {.enough = 2};
	struct err err = {0};

	assert_int_equal(flowdb_flows(kit->db, &(struct flow_query){0}, add_flow, &ids, &err),
			 0);
	assert_string_equal(ids.text, "2 1 ");
	assert_int_equal(flowdb_flows(kit->db, &(struct flow_query){0}, refuse, NULL, &err),
			 -EPIPE);
	assert_string_equal(err.text, "enough of this");
	assert_int_equal(flowdb_flow(kit->db, 99, refuse, NULL, &err), 0);
}

static int add_finding(void *context, const struct finding_view *finding, struct err *err)
{
	struct ids *ids = context;

	text_add(ids->text, sizeof(ids->text), "F%lld:%s ", (long long)finding->id,
		 finding->unit);
	return 0;
}

static const char *findings(struct dbkit *kit, const struct finding_query *query)
{
	static struct ids ids;
	struct err err = {0};

	ids = (struct ids){0};
	if (flowdb_findings(kit->db, query, add_finding, &ids, &err) < 0)
		fail_msg("%s", err.text);
	return ids.text;
}

/* F1 medium remote-port; F2 high; F3 medium with more flows; F4 high, waived; F5 high, closed. */
static void more_findings(struct dbkit *kit)
{
	struct finding_row row = {.unit = kit->unit,
				  .kind = KIND_SERVICE,
				  .severity = SEVERITY_HIGH,
				  .transport = TRANSPORT_UDP,
				  .port = "5353",
				  .role = "any",
				  .app = APP_MDNS,
				  .first_us = DBKIT_DAY,
				  .last_us = DBKIT_DAY + 2 * SECOND,
				  .flows = 9,
				  .open = true,
				  .waiver = "netops: later (until 2026-12-31)"};
	struct err err = {0};
	int64_t id = 0;

	dbkit_finding(kit, kit->unit, KIND_PEER, SEVERITY_HIGH, "203.0.113.9", 2);
	dbkit_finding(kit, kit->unit, KIND_LOCAL_PORT, SEVERITY_MEDIUM, "", 7);
	assert_int_equal(flowdb_finding_put(kit->db, &row, &id, &err), 0);
	row.open = false;
	*row.waiver = '\0';
	text_copy(row.port, sizeof(row.port), "5354");
	id = 0;
	assert_int_equal(flowdb_finding_put(kit->db, &row, &id, &err), 0);
}

static void findings_come_worst_first_and_settled_ones_last(void **state)
{
	more_findings(*state);
	assert_string_equal(findings(*state, &(struct finding_query){0}),
			    "F2:huddle F3:huddle F1:boardroom F4:huddle F5:huddle ");
	assert_string_equal(findings(*state, &(struct finding_query){.state = FINDINGS_OPEN}),
			    "F2:huddle F3:huddle F1:boardroom F4:huddle ");
	assert_string_equal(findings(*state, &(struct finding_query){.state = FINDINGS_WAIVED}),
			    "F4:huddle ");
	assert_string_equal(findings(*state, &(struct finding_query){.state = FINDINGS_CLOSED}),
			    "F5:huddle ");
}

static void findings_are_found_by_what_narrows_them(void **state)
{
	more_findings(*state);
	assert_string_equal(
		findings(*state, &(struct finding_query){.flow = {.unit = "boardroom"}}),
		"F1:boardroom ");
	assert_string_equal(
		findings(*state, &(struct finding_query){.flow = {.kind = KIND_PEER}}),
		"F2:huddle ");
	assert_string_equal(
		findings(*state, &(struct finding_query){.flow = {.severity = SEVERITY_HIGH}}),
		"F2:huddle F4:huddle F5:huddle ");
	assert_string_equal(
		findings(*state, &(struct finding_query){.flow = {.row = "online.out.audio"}}),
		"F2:huddle F3:huddle F1:boardroom ");
	assert_string_equal(findings(*state, &(struct finding_query){.flow = {.finding = 3}}),
			    "F3:huddle ");
	/* The flow kept tells; where none is kept, the peers gathered do, and F4 and F5 name none. */
	assert_string_equal(
		findings(*state,
			 &(struct finding_query){.flow = {.peer = prefix("198.51.100.7")}}),
		"F1:boardroom F4:huddle F5:huddle ");
	assert_string_equal(
		findings(*state,
			 &(struct finding_query){.flow = {.peer = prefix("198.51.100.8")}}),
		"F4:huddle F5:huddle ");
	assert_string_equal(findings(*state,
				     &(struct finding_query){
					     .flow = {.since_us = DBKIT_DAY + 3601 * SECOND}}),
			    "");
	assert_string_equal(
		findings(*state,
			 &(struct finding_query){.flow = {.since_us = DBKIT_DAY + 3 * SECOND,
							  .kind = KIND_SERVICE}}),
		"");
}

static void a_window_takes_a_finding_by_its_flows_where_all_are_kept(void **state)
{
	struct dbkit *kit = *state;
	struct finding_row row = {.unit = kit->unit,
				  .kind = KIND_SERVICE,
				  .severity = SEVERITY_HIGH,
				  .first_us = DBKIT_DAY + 20000 * SECOND,
				  .last_us = DBKIT_DAY + 30010 * SECOND,
				  .flows = 2,
				  .kept = 2,
				  .open = true};
	struct flow_facts early = dbkit_facts(20000, "203.0.113.5", 99);
	struct flow_facts late = dbkit_facts(30000, "203.0.113.6", 99);
	struct finding_query query = {.flow = {.since_us = DBKIT_DAY + 25000 * SECOND,
					       .until_us = DBKIT_DAY + 26000 * SECOND}};
	struct err err = {0};
	int64_t id = 0;
	char wanted[32];

	assert_int_equal(flowdb_finding_put(kit->db, &row, &id, &err), 0);
	dbkit_flow(kit, &early, NULL, id);
	dbkit_flow(kit, &late, NULL, id);
	snprintf(wanted, sizeof(wanted), "F%lld:", (long long)id);
	assert_string_equal(findings(kit, &query), "");
	query.flow.until_us = DBKIT_DAY + 30005 * SECOND;
	assert_non_null(strstr(findings(kit, &query), wanted));
	query.flow.peer = prefix("203.0.113.5"); /* not in the window */
	assert_string_equal(findings(kit, &query), "");
	query.flow.peer = prefix("203.0.113.6");
	assert_non_null(strstr(findings(kit, &query), wanted));

	/* Of some flows nobody knows when they were. */
	row.flows = 3;
	assert_int_equal(flowdb_finding_put(kit->db, &row, &id, &err), 0);
	query.flow.until_us = DBKIT_DAY + 26000 * SECOND;
	query.flow.peer = (struct prefix){0};
	assert_non_null(strstr(findings(kit, &query), wanted));
}

/* It began hours before, and an hour is as far back as others are sought. */
static void a_window_takes_a_finding_by_a_flow_that_lasts_into_it(void **state)
{
	struct dbkit *kit = *state;
	struct finding_row row = {.unit = kit->unit,
				  .kind = KIND_SERVICE,
				  .severity = SEVERITY_HIGH,
				  .first_us = DBKIT_DAY + 20000 * SECOND,
				  .last_us = DBKIT_DAY + 50000 * SECOND,
				  .flows = 2,
				  .kept = 2,
				  .open = true};
	struct flow_facts lasting = dbkit_facts(20000, "203.0.113.5", 99);
	struct flow_facts late = dbkit_facts(49990, "203.0.113.6", 99);
	struct finding_query query = {.flow = {.since_us = DBKIT_DAY + 30000 * SECOND,
					       .until_us = DBKIT_DAY + 31000 * SECOND}};
	struct err err = {0};
	int64_t id = 0;
	char wanted[32];

	lasting.last_us = DBKIT_DAY + 30500 * SECOND;
	assert_int_equal(flowdb_finding_put(kit->db, &row, &id, &err), 0);
	dbkit_flow(kit, &lasting, NULL, id);
	dbkit_flow(kit, &late, NULL, id);
	snprintf(wanted, sizeof(wanted), "F%lld:", (long long)id);
	assert_non_null(strstr(findings(kit, &query), wanted));
	query.flow.unit = "huddle";
	assert_non_null(strstr(findings(kit, &query), wanted));
	query.flow.peer = prefix("203.0.113.5");
	assert_non_null(strstr(findings(kit, &query), wanted));
	query.flow.peer = prefix("203.0.113.6"); /* not in the window */
	assert_string_equal(findings(kit, &query), "");
	query.flow.peer = (struct prefix){0};
	query.flow.since_us = DBKIT_DAY + 30501 * SECOND;
	assert_string_equal(findings(kit, &query), "");
}

struct groups {
	unsigned count;
	struct finding_group group[8];
};

static int add_group(void *context, const struct finding_group *group, struct err *err)
{
	struct groups *groups = context;

	assert_true(groups->count < ARRAY_LEN(groups->group));
	groups->group[groups->count++] = *group;
	return 0;
}

static void what_is_alike_at_many_units_is_one_group(void **state)
{
	struct dbkit *kit = *state;
	struct groups groups = {0};
	const struct finding_group *group = &groups.group[0];
	struct err err = {0};

	for (unsigned i = 0; i < 120; i++) {
		char name[16];
		int64_t unit;

		snprintf(name, sizeof(name), "room-%u", i);
		unit = dbkit_unit(kit, name);
		dbkit_finding(kit, unit, KIND_LOCAL_PORT, i == 5 ? SEVERITY_HIGH : SEVERITY_LOW,
			      "", i == 77 ? 1000 : 1);
		dbkit_finding(kit, unit, KIND_PEER, SEVERITY_LOW, "10.0.0.9", 2);
	}
	assert_int_equal(flowdb_finding_groups(kit->db, &(struct finding_query){0}, add_group,
					       &groups, &err),
			 0);
	assert_int_equal(groups.count, 3); /* with the one of the setup */
	assert_int_equal(group->row.kind, KIND_LOCAL_PORT);
	assert_int_equal(group->units, 120);
	assert_int_equal(group->findings, 120);
	assert_int_equal(group->row.severity, SEVERITY_HIGH);
	assert_int_equal(group->row.flows, 1119);
	assert_int_equal(group->id, 2 + 2 * 77); /* its head has most flows */
	assert_non_null(strstr(group->row.reason, "1000 flows"));
	assert_int_equal(groups.group[1].row.severity, SEVERITY_MEDIUM);
	assert_int_equal(groups.group[1].units, 1);
	assert_int_equal(groups.group[2].units, 120);
	assert_int_equal(groups.group[2].id, 3); /* all alike: the first */
	assert_int_equal(groups.group[2].row.bytes, 240000);
}

static int add_run(void *context, const struct run_view *run, struct err *err)
{
	struct run_view *ret = context;

	assert_string_equal(run->row.inputs, "day.pcap");
	*ret = *run;
	return 0;
}

static int add_unit(void *context, const struct unit_view *unit, struct err *err)
{
	struct ids *ids = context;

	text_add(ids->text, sizeof(ids->text), "%s:%llu ", unit->name,
		 (unsigned long long)unit->flows);
	return 0;
}

static void runs_units_and_span_tell_what_is_covered(void **state)
{
	struct dbkit *kit = *state;
	struct run_view run = {0};
	struct ids ids = {0};
	struct err err = {0};
	struct span span;

	assert_int_equal(flowdb_runs(kit->db, add_run, &run, &err), 0);
	assert_int_equal(run.counters.seen, 100);
	assert_int_equal(run.counters.in_flows, 90);
	assert_int_equal(run.counters.flows, 3);
	assert_int_equal(run.first_us, DBKIT_DAY);
	assert_true(run.ended);
	assert_int_equal(flowdb_units(kit->db, add_unit, &ids, &err), 0);
	assert_string_equal(ids.text, "boardroom:2 huddle:1 ");
	assert_int_equal(flowdb_span(kit->db, &span, &err), 0);
	assert_int_equal(span.runs, 1);
	assert_int_equal(span.flows, 3);
	assert_int_equal(span.findings, 1);
	assert_int_equal(span.units, 2);
	assert_int_equal(span.last_us, DBKIT_DAY + 86400 * SECOND);
	assert_false(span.live);
	assert_int_equal(flowdb_knows_row(kit->db, "online.out.sip_tls", &err), 1);
	assert_int_equal(flowdb_knows_row(kit->db, "online.out.video", &err), 0);
}

static void flows_of_a_folded_finding_stand_under_the_other(void **state)
{
	struct dbkit *kit = *state;
	int64_t into = dbkit_finding(kit, kit->unit, KIND_SERVICE, SEVERITY_HIGH, "", 1);
	struct err err = {0};

	assert_int_equal(flowdb_finding_fold(kit->db, 1, into, &err), 0);
	assert_string_equal(flows(kit, &(struct flow_query){.finding = 1}), "");
	assert_string_equal(flows(kit, &(struct flow_query){.finding = into}), "2 ");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(flows_come_in_the_order_they_began),
		WITH(a_window_takes_in_what_overlaps_it),
		WITH(flows_are_found_by_unit_name_or_address),
		WITH(an_unknown_unit_is_refused_and_some_are_named),
		WITH(flows_are_found_by_verdict_row_kind_and_finding),
		WITH(flows_are_found_by_the_prefix_of_their_peer),
		WITH(a_callback_ends_a_query_with_or_without_an_error),
		WITH(findings_come_worst_first_and_settled_ones_last),
		WITH(findings_are_found_by_what_narrows_them),
		WITH(a_window_takes_a_finding_by_its_flows_where_all_are_kept),
		WITH(a_window_takes_a_finding_by_a_flow_that_lasts_into_it),
		WITH(what_is_alike_at_many_units_is_one_group),
		WITH(runs_units_and_span_tell_what_is_covered),
		WITH(flows_of_a_folded_finding_stand_under_the_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
