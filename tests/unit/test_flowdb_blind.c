/*
 * test_flowdb_blind.c - what the database keeps of what was not seen.
 */
#include "tests/lib/dbkit.h"

#include <ctype.h>
#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#define S INT64_C(1000000)

static int setup(void **state)
{
	struct dbkit *kit = malloc(sizeof(*kit));

	dbkit_open(kit);
	*state = kit;
	return 0;
}

static int teardown(void **state)
{
	dbkit_close(*state);
	free(*state);
	return 0;
}

static int take_run(void *context, const struct run_view *run, struct err *err)
{
	struct run_view *ret = context;

	*ret = *run;
	ret->row.roles_unknown = *run->row.roles_unknown ? "some" : "";
	return 0;
}

static int64_t put(struct dbkit *kit, struct blind_row row)
{
	struct err err = {0};
	int64_t id = 0;

	if (!row.detail)
		row.detail = "";
	if (flowdb_blind_put(kit->db, &row, &id, &err) < 0)
		fail_msg("%s", err.text);
	return id;
}

static int add(void *context, const struct blind_view *blind, struct err *err)
{
	text_add(context, 512, "%lld ", (long long)blind->id);
	return 0;
}

static const char *blinds(struct dbkit *kit, struct blind_query query)
{
	static char text[512];
	struct err err = {0};

	*text = '\0';
	if (flowdb_blinds(kit->db, &query, add, text, &err) < 0)
		fail_msg("%s", err.text);
	return text;
}

static void blind_intervals_are_found_by_window_unit_cause_and_run(void **state)
{
	struct dbkit *kit = *state;
	int64_t huddle = dbkit_unit(kit, "huddle");

	put(kit, (struct blind_row){.run = kit->run,
	                            .cause = BLIND_KERNEL_DROP,
	                            .since_us = 20 * S,
	                            .until_us = 30 * S});
	put(kit, (struct blind_row){.run = kit->run,
	                            .cause = BLIND_ONE_SIDED,
	                            .unit = huddle,
	                            .since_us = 10 * S,
	                            .until_us = 40 * S});
	put(kit, (struct blind_row){.cause = BLIND_NOT_RUNNING, .since_us = 50 * S});
	assert_string_equal(blinds(kit, (struct blind_query){0}), "2 1 3 ");
	assert_string_equal(blinds(kit, (struct blind_query){.window = {.since_us = 30 * S,
	                                                                .until_us = 35 * S}}),
	                    "2 1 ");
	assert_string_equal(blinds(kit, (struct blind_query){.window = {.since_us = 31 * S,
	                                                                .until_us = 49 * S}}),
	                    "2 ");
	assert_string_equal(blinds(kit, (struct blind_query){.window = {.since_us = 60 * S}}),
	                    "3 ");
	assert_string_equal(blinds(kit, (struct blind_query){.window = {.until_us = 20 * S}}),
	                    "2 1 ");
	/* What is blind for all is blind for this one. */
	assert_string_equal(blinds(kit, (struct blind_query){.window = {.unit = "boardroom"}}),
	                    "1 3 ");
	assert_string_equal(blinds(kit, (struct blind_query){.window = {.unit = "huddle"}}),
	                    "2 1 3 ");
	assert_string_equal(blinds(kit, (struct blind_query){.cause = BLIND_NOT_RUNNING}),
	                    "3 ");
	assert_string_equal(blinds(kit, (struct blind_query){.run = kit->run}), "2 1 ");
	assert_string_equal(blinds(kit, (struct blind_query){.window = {.limit = 1}}), "2 ");
}

static int take(void *context, const struct blind_view *blind, struct err *err)
{
	struct blind_view *ret = context;

	*ret = *blind;
	ret->unit = blind->unit ? "named" : NULL;
	ret->row.detail = strcmp(blind->row.detail, "eth1") ? "?" : "eth1";
	return 0;
}

static void a_blind_interval_comes_back_and_is_rewritten(void **state)
{
	struct dbkit *kit = *state;
	struct blind_row row = {.run = kit->run,
	                        .unit = kit->unit,
	                        .since_us = 1,
	                        .count = UINT32_MAX,
	                        .cause = BLIND_LINK_DOWN,
	                        .detail = "eth1"};
	struct blind_view seen = {0};
	struct err err = {0};
	int64_t id = put(kit, row), again = id;

	row.until_us = 5;
	row.count = 7;
	assert_int_equal(flowdb_blind_put(kit->db, &row, &again, &err), 0);
	assert_int_equal(again, id);
	assert_int_equal(flowdb_blinds(kit->db, &(struct blind_query){0}, take, &seen, &err),
	                 0);
	assert_string_equal(seen.unit, "named");
	assert_int_equal(seen.row.run, kit->run);
	assert_int_equal(seen.row.unit, kit->unit);
	assert_int_equal(seen.row.since_us, 1);
	assert_int_equal(seen.row.until_us, 5);
	assert_int_equal(seen.row.count, 7);
	assert_int_equal(seen.row.cause, BLIND_LINK_DOWN);
	assert_string_equal(seen.row.detail, "eth1");
}

static void what_a_dead_run_left_open_ends_with_its_heartbeat(void **state)
{
	struct dbkit *kit = *state;
	const struct run_row live = {.version = "2",
	                             .source = "live",
	                             .inputs = "eth1",
	                             .filter = "",
	                             .begun_us = 100 * S,
	                             .roles_unknown = "edge"};
	const struct counters none = {0};
	CLEANUP(freep) char *ends = NULL;
	struct err err = {0};
	int64_t dead, next, us = 0;
	bool ended = true;

	assert_int_equal(flowdb_live_last(kit->db, &us, &ended, &err), 0);
	assert_int_equal(flowdb_run_begin(kit->db, &live, &dead, &err), 0);
	assert_int_equal(flowdb_live_last(kit->db, &us, &ended, &err), 1);
	assert_int_equal(us, 100 * S);
	assert_int_equal(flowdb_run_update(kit->db, dead, 100 * S, 160 * S, false, &none, &err),
	                 0);
	assert_int_equal(flowdb_live_last(kit->db, &us, &ended, &err), 1);
	assert_int_equal(us, 160 * S);
	assert_false(ended);
	put(kit,
	    (struct blind_row){.run = dead, .cause = BLIND_LINK_DOWN, .since_us = 150 * S});
	put(kit, (struct blind_row){.run = dead,
	                            .cause = BLIND_LINK_DOWN,
	                            .since_us = 170 * S,
	                            .detail = "later"});
	assert_int_equal(flowdb_run_begin(kit->db, &live, &next, &err), 0);
	put(kit,
	    (struct blind_row){.run = next, .cause = BLIND_LINK_DOWN, .since_us = 200 * S});
	assert_int_equal(flowdb_blind_end(kit->db, dead, &err), 0);
	dbkit_done(kit);
	ends = dbkit_ask(kit->dir, "SELECT until_us / 1000000 FROM blind ORDER BY id");
	assert_string_equal(ends, "160\n170\nNULL\n");
}

static void what_goes_on_when_a_run_ends_ends_with_it(void **state)
{
	struct dbkit *kit = *state;
	const struct counters none = {0};
	CLEANUP(freep) char *ends = NULL;
	struct err err = {0};

	put(kit,
	    (struct blind_row){.run = kit->run, .cause = BLIND_LINK_DOWN, .since_us = 5 * S});
	put(kit, (struct blind_row){.cause = BLIND_NOT_RUNNING, .since_us = 6 * S});
	assert_int_equal(flowdb_run_update(kit->db, kit->run, S, 9 * S, false, &none, &err), 0);
	assert_int_equal(flowdb_run_update(kit->db, kit->run, S, 10 * S, true, &none, &err), 0);
	dbkit_done(kit);
	ends = dbkit_ask(kit->dir, "SELECT until_us / 1000000 FROM blind ORDER BY id");
	assert_string_equal(ends, "10\nNULL\n");
}

static void the_last_packet_is_told_from_the_heartbeat(void **state)
{
	struct dbkit *kit = *state;
	const struct run_row live = {.version = "2",
	                             .source = "live",
	                             .inputs = "eth1",
	                             .filter = "",
	                             .begun_us = 100 * S,
	                             .roles_unknown = "edge,other-client"};
	struct counters counters = {.told_shed = 3};
	struct run_view run = {0};
	struct err err = {0};
	int64_t id;

	assert_int_equal(flowdb_run_begin(kit->db, &live, &id, &err), 0);
	assert_int_equal(
		flowdb_run_update(kit->db, id, 100 * S, 101 * S, false, &counters, &err), 0);
	assert_int_equal(flowdb_runs(kit->db, take_run, &run, &err), 0);
	assert_int_equal(run.packet_us, 0);
	assert_int_equal(run.row.begun_us, 100 * S);
	assert_string_equal(run.row.roles_unknown, "some");
	assert_int_equal(run.counters.told_shed, 3);
	counters.seen = 5;
	assert_int_equal(
		flowdb_run_update(kit->db, id, 100 * S, 102 * S, false, &counters, &err), 0);
	assert_int_equal(
		flowdb_run_update(kit->db, id, 100 * S, 109 * S, false, &counters, &err), 0);
	assert_int_equal(flowdb_run_restarts(kit->db, id, &(struct restarts){3, 0, 1}, &err),
	                 0);
	assert_int_equal(flowdb_run_restarts(kit->db, id, &(struct restarts){1, 2, 0}, &err),
	                 0);
	assert_int_equal(flowdb_runs(kit->db, take_run, &run, &err), 0);
	assert_int_equal(run.packet_us, 102 * S);
	assert_int_equal(run.last_us, 109 * S);
	assert_int_equal(run.restarts.inspector, 4);
	assert_int_equal(run.restarts.sensor, 2);
	assert_int_equal(run.restarts.recorder, 1);
}

static void the_views_spell_it_out(void **state)
{
	struct dbkit *kit = *state;
	static const uint8_t bytes[] = {0x01, 0x02, 0xfe};
	const struct evidence_row packet = {.run = kit->run,
	                                    .time_us = DBKIT_DAY + 1,
	                                    .flow = 81,
	                                    .cause = BLIND_INSPECTOR_DOWN,
	                                    .wire_len = 1500,
	                                    .len = sizeof(bytes),
	                                    .bytes = bytes};
	const struct evidence_row empty = {.run = kit->run, .time_us = DBKIT_DAY};
	CLEANUP(freep) char *blind = NULL, *evidence = NULL;
	struct standing standing;
	struct err err = {0};

	put(kit, (struct blind_row){.run = kit->run,
	                            .unit = kit->unit,
	                            .cause = BLIND_KERNEL_DROP,
	                            .since_us = DBKIT_DAY,
	                            .until_us = DBKIT_DAY + 1500000,
	                            .count = 12,
	                            .detail = "eth1"});
	put(kit, (struct blind_row){.cause = BLIND_NOT_RUNNING, .since_us = DBKIT_DAY + 2 * S});
	assert_int_equal(flowdb_evidence_put(kit->db, &packet, &err), 0);
	assert_int_equal(flowdb_evidence_put(kit->db, &empty, &err), 0);
	assert_int_equal(flowdb_standing(kit->db, &standing, &err), 0);
	assert_int_equal(standing.evidence, 2);
	dbkit_done(kit);
	blind = dbkit_ask(kit->dir, "SELECT * FROM v_blind");
	assert_string_equal(
		blind,
		"1|1|kernel-drop|boardroom|2026-11-22T00:00:00.000000Z|2026-11-22T00:00:01.500000Z|1.5|12|packets|eth1|"
		"the kernel dropped packets before we read them\n"
		"2|NULL|not-running|NULL|2026-11-22T00:00:02.000000Z|NULL|NULL|0|NULL|NULL|no tlmon was watching\n");
	evidence = dbkit_ask(kit->dir, "SELECT * FROM v_evidence");
	assert_string_equal(
		evidence,
		"1|1|81|NULL|2026-11-22T00:00:00.000001Z|inspector-down|0|1500|3|0102fe\n"
		"2|1|NULL|NULL|2026-11-22T00:00:00.000000Z|NULL|0|0|0|\n");
}

static int add_name(void *context, const char *name, struct err *err)
{
	text_add(context, 512, "%s ", name);
	return 0;
}

static void units_listed_by_the_last_run_and_never_seen_are_missing(void **state)
{
	struct dbkit *kit = *state;
	const struct run_row run = {
		.version = "2", .source = "file", .inputs = "b.pcap", .filter = ""};
	const struct addr addr = dbkit_addr("10.20.0.15");
	const struct mac mac = {{0}};
	struct standing standing;
	char names[512] = "";
	struct err err = {0};
	int64_t id;

	dbkit_unit(kit, "removed-later");
	assert_int_equal(flowdb_run_begin(kit->db, &run, &id, &err), 0);
	dbkit_unit(kit, "boardroom");
	dbkit_unit(kit, "silent");
	dbkit_unit(kit, "attic");
	assert_int_equal(flowdb_unit_seen(kit->db, kit->unit, &addr, &mac, 1, 1, 2, &err), 0);
	assert_int_equal(flowdb_unit_put(kit->db, "10.9.9.9", "", false, &id, &err), 0);
	assert_int_equal(flowdb_standing(kit->db, &standing, &err), 0);
	assert_int_equal(standing.units, 3);
	assert_int_equal(standing.units_seen, 1);
	assert_int_equal(flowdb_units_missing(kit->db, add_name, names, &err), 0);
	assert_string_equal(names, "attic silent ");
}

static void a_unit_known_by_its_flows_alone_is_seen(void **state)
{
	struct dbkit *kit = *state;
	struct flow_facts facts = dbkit_facts(0, "255.255.255.255", 67);
	struct standing standing;
	char names[512] = "";
	struct err err = {0};

	dbkit_flow(kit, &facts, "room.out.dhcp", 0);
	assert_int_equal(flowdb_standing(kit->db, &standing, &err), 0);
	assert_int_equal(standing.units_seen, 1);
	assert_int_equal(standing.documented, 1);
	assert_int_equal(standing.wide + standing.unproven, 0);
	assert_int_equal(flowdb_units_missing(kit->db, add_name, names, &err), 0);
	assert_string_equal(names, "");
}

static void open_findings_are_counted_by_severity_and_waived_ones_apart(void **state)
{
	struct dbkit *kit = *state;
	struct finding_row waived = {.unit = kit->unit,
	                             .kind = KIND_PEER,
	                             .severity = SEVERITY_HIGH,
	                             .open = true,
	                             .waiver = "netops: so"};
	struct finding_row closed = {
		.unit = kit->unit, .kind = KIND_MEDIA, .severity = SEVERITY_HIGH};
	struct standing standing;
	struct err err = {0};
	int64_t id = 0;

	dbkit_finding(kit, kit->unit, KIND_SERVICE, SEVERITY_HIGH, "10.0.0.0/24", 3);
	dbkit_finding(kit, kit->unit, KIND_SERVICE, SEVERITY_LOW, "10.0.1.0/24", 3);
	dbkit_finding(kit, kit->unit, KIND_SERVICE, SEVERITY_LOW, "10.0.2.0/24", 3);
	assert_int_equal(flowdb_finding_put(kit->db, &waived, &id, &err), 0);
	id = 0;
	assert_int_equal(flowdb_finding_put(kit->db, &closed, &id, &err), 0);
	assert_int_equal(flowdb_standing(kit->db, &standing, &err), 0);
	assert_int_equal(standing.open[SEVERITY_HIGH], 1);
	assert_int_equal(standing.open[SEVERITY_MEDIUM], 0);
	assert_int_equal(standing.open[SEVERITY_LOW], 2);
	assert_int_equal(standing.waived, 1);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(blind_intervals_are_found_by_window_unit_cause_and_run),
		WITH(a_blind_interval_comes_back_and_is_rewritten),
		WITH(what_a_dead_run_left_open_ends_with_its_heartbeat),
		WITH(what_goes_on_when_a_run_ends_ends_with_it),
		WITH(the_last_packet_is_told_from_the_heartbeat),
		WITH(the_views_spell_it_out),
		WITH(units_listed_by_the_last_run_and_never_seen_are_missing),
		WITH(a_unit_known_by_its_flows_alone_is_seen),
		WITH(open_findings_are_counted_by_severity_and_waived_ones_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
