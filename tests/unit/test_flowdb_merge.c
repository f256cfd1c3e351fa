/*
 * test_flowdb_merge.c - several sensors' databases asked as one: one order, what is alike joined; what is
 * counted and sorted by; what is fresh.
 */
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <unistd.h>

struct bench {
	struct dbkit kit[2];
	struct flowdb *db;
	char text[512];
};

/* First: flows at 100 (443) and 300 s (under a finding); second: 200 s (443) and 300 s. */
static int setup(void **state)
{
	struct bench *b = calloc(1, sizeof(*b));
	const char *dirs[2];
	struct err err;

	for (int i = 0; i < 2; i++) {
		struct dbkit *kit = &b->kit[i];
		struct flow_facts facts = dbkit_facts(100 + 100 * i, "52.112.1.9", 443);
		const struct mac none = {0};
		const struct coverage_row used = {.unit = 1,
		                                  .row = "online.out.sip_tls",
		                                  .exact = 2 + (uint64_t)i,
		                                  .first_us = 5 - i,
		                                  .last_us = 9};
		int64_t finding;

		dbkit_open(kit);
		finding = dbkit_finding(kit, kit->unit, KIND_REMOTE_PORT, SEVERITY_MEDIUM,
		                        "198.51.100.0/24", 3 + (uint64_t)i);
		dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
		assert_int_equal(flowdb_unit_seen(kit->db, kit->unit, &facts.end[0].addr, &none, 1,
		                                  1, 2, &err),
		                 0);
		facts = dbkit_facts(300, "198.51.100.7", 16332);
		dbkit_flow(kit, &facts, NULL, finding);
		assert_int_equal(kit->unit, used.unit);
		assert_int_equal(flowdb_coverage_add(kit->db, &used, &err), 0);
		dbkit_done(kit);
		dirs[i] = kit->dir;
	}
	if (flowdb_open_all(dirs, 2, &b->db, &err) < 0)
		fail_msg("%s", err.text);
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bench *b = *state;

	flowdb_close(b->db);
	for (int i = 0; i < 2; i++)
		dbkit_close(&b->kit[i]);
	free(b);
	return 0;
}

/* "a" and "b" for the two sensors. */
static char letter(const struct bench *b, const char *sensor)
{
	assert_non_null(sensor);
	return strstr(b->kit[0].dir, sensor) ? 'a' : 'b';
}

static int add_flow(void *context, const struct flow_view *flow, struct err *err)
{
	struct bench *b = context;

	text_add(b->text, sizeof(b->text), "%c%lld ", letter(b, flow->sensor),
	         (long long)(flow->facts.first_us - DBKIT_DAY) / 1000000);
	return 0;
}

static const char *flows(struct bench *b, const struct flow_query *query)
{
	struct err err = {0};

	*b->text = '\0';
	if (flowdb_flows(b->db, query, add_flow, b, &err) < 0)
		fail_msg("%s", err.text);
	return b->text;
}

static void flows_of_all_sensors_come_in_one_order(void **state)
{
	struct bench *b = *state;

	assert_string_equal(flows(b, &(struct flow_query){0}), "a100 b200 a300 b300 ");
	assert_string_equal(flows(b, &(struct flow_query){.limit = 3}), "a100 b200 a300 ");
	assert_string_equal(flows(b, &(struct flow_query){.sort = "-start"}),
	                    "a300 b300 b200 a100 ");
	assert_string_equal(flows(b, &(struct flow_query){.sort = "remote,-start"}),
	                    "b200 a100 a300 b300 ");
	assert_string_equal(flows(b, &(struct flow_query){.sort = "sensor", .ruling = RULING_OUTSIDE}),
	                    strcmp(b->kit[0].dir, b->kit[1].dir) < 0 ? "a300 b300 " : "b300 a300 ");
}

static void flows_are_found_by_port_at_either_end_and_by_what_they_are(void **state)
{
	struct bench *b = *state;
	const char *const units[] = {"attic", "boardroom", NULL};

	assert_string_equal(flows(b, &(struct flow_query){.port_low = 443, .port_high = 443}),
	                    "a100 b200 ");
	assert_string_equal(flows(b, &(struct flow_query){.port_low = 50000, .port_high = 50019}),
	                    "a100 b200 a300 b300 ");
	assert_string_equal(flows(b, &(struct flow_query){.transport = TRANSPORT_UDP}), "");
	assert_string_equal(flows(b, &(struct flow_query){.grade = GRADE_EXACT}), "a100 b200 ");
	assert_string_equal(flows(b, &(struct flow_query){.more_units = units + 1}),
	                    "a100 b200 a300 b300 ");
	assert_int_equal(flowdb_flows(b->db, &(struct flow_query){.more_units = units}, add_flow, b,
	                              &(struct err){0}),
	                 -ENOENT);
}

static int add_group(void *context, const struct finding_group *group, struct err *err)
{
	struct bench *b = context;

	text_add(b->text, sizeof(b->text), "%llu unit, %llu findings, %llu flows, %c; ",
	         (unsigned long long)group->units, (unsigned long long)group->findings,
	         (unsigned long long)group->row.flows, letter(b, group->sensor));
	return 0;
}

static int add_holding(void *context, const struct holding_view *holding, struct err *err)
{
	struct bench *b = context;

	text_add(b->text, sizeof(b->text), "%c %s %llu flows %llu open; ",
	         letter(b, holding->sensor), holding->unit, (unsigned long long)holding->flows,
	         (unsigned long long)holding->findings_open);
	return 0;
}

static int add_coverage(void *context, const struct coverage_view *coverage, struct err *err)
{
	struct bench *b = context;

	text_add(b->text, sizeof(b->text), "%s %s %llu %lld..%lld; ", coverage->unit,
	         coverage->row.row, (unsigned long long)coverage->row.exact,
	         (long long)coverage->row.first_us, (long long)coverage->row.last_us);
	return 0;
}

static void findings_units_and_coverage_of_one_name_are_joined(void **state)
{
	struct bench *b = *state;
	struct err err = {0};

	assert_int_equal(flowdb_finding_groups(b->db, &(struct finding_query){0}, add_group, b, &err),
	                 0);
	assert_string_equal(b->text, "1 unit, 2 findings, 7 flows, b; "); /* b's has most flows */
	*b->text = '\0';
	assert_int_equal(flowdb_holdings(b->db, &(struct flow_query){0}, add_holding, b, &err), 0);
	assert_string_equal(b->text, "a boardroom 4 flows 2 open; b boardroom 4 flows 2 open; ");
	*b->text = '\0';
	assert_int_equal(
		flowdb_coverage(b->db, &(struct flow_query){0}, NULL, 0, add_coverage, b, &err), 0);
	assert_string_equal(b->text, "boardroom online.out.sip_tls 5 4..9; ");
}

static void coverage_of_a_window_is_made_up_from_its_flows(void **state)
{
	static const struct row_mirror mirrors[] = {{"online.out.sip_tls", "online.out.audio"}};
	const struct flow_query query = {.since_us = DBKIT_DAY + 150 * 1000000LL};
	struct bench *b = *state;
	struct err err = {0};

	if (flowdb_coverage(b->db, &query, mirrors, 1, add_coverage, b, &err) < 0)
		fail_msg("%s", err.text);
	/* TCP has no mirror; the flow outside came near online.out.audio and exercised nothing. */
	assert_string_equal(b->text, "boardroom online.out.audio 0 0..0; "
	                             "boardroom online.out.sip_tls 1 1795305800000000..1795305810000000; ");
}

static int add_count(void *context, const struct count_view *count, struct err *err)
{
	struct bench *b = context;

	for (size_t i = 0; i < count->field_count; i++)
		text_add(b->text, sizeof(b->text), "%s ", count->fields[i] ? count->fields[i] : "-");
	text_add(b->text, sizeof(b->text), "%llu; ", (unsigned long long)count->count);
	return 0;
}

static const char *counts(struct bench *b, enum flowdb_thing thing, const char *by, uint64_t limit)
{
	const struct finding_query query = {.flow.limit = limit};
	struct err err = {0};

	*b->text = '\0';
	if (flowdb_counts(b->db, thing, &query, by, add_count, b, &err) < 0)
		fail_msg("%s", err.text);
	return b->text;
}

static void what_is_counted_is_joined_over_sensors_and_most_comes_first(void **state)
{
	struct bench *b = *state;

	assert_string_equal(counts(b, THING_FLOWS, "unit", 0), "boardroom 4; ");
	assert_string_equal(counts(b, THING_FLOWS, "peer,verdict", 0),
	                    "198.51.100.7 outside 2; 52.112.1.9 documented 2; ");
	assert_string_equal(counts(b, THING_FLOWS, "start", 1), "2026-11-22T00:05:00.000000Z 2; ");
	assert_string_equal(counts(b, THING_FLOWS, "row", 0), "- 2; online.out.sip_tls 2; ");
	assert_string_equal(counts(b, THING_FINDINGS, "kind,state", 0), "remote-port open 2; ");
}

static void a_field_that_is_none_is_refused_with_those_that_are(void **state)
{
	struct err err = {0};

	assert_int_equal(flowdb_check_fields(THING_FLOWS, "--sort", "start,bytess", &err), -EINVAL);
	assert_non_null(strstr(err.text, "--sort bytess: no such field"));
	assert_non_null(strstr(err.text, "bytes_out"));
	assert_int_equal(flowdb_check_fields(THING_FLOWS, "--count-by", "", &err), -EINVAL);
	assert_int_equal(flowdb_check_fields(THING_FLOWS, "--count-by", "a,,b", &err), -EINVAL);
	assert_int_equal(flowdb_check_fields(THING_FINDINGS, "--sort", "-flows,unit", &err), 0);
}

static void a_database_named_twice_is_refused(void **state)
{
	struct bench *b = *state;
	const char *dirs[] = {b->kit[0].dir, b->kit[1].dir, b->kit[0].dir};
	struct flowdb *db = NULL;
	struct err err = {0};

	assert_int_equal(flowdb_open_all(dirs, 3, &db, &err), -EINVAL);
	assert_non_null(strstr(err.text, "one database"));
	assert_null(db);
}

static void what_was_committed_since_is_fresh_also_in_a_database_begun_anew(void **state)
{
	struct bench *b = *state;
	const struct flow_query fresh = {.fresh = true};
	char text[256];
	struct err err = {0};

	assert_int_equal(flowdb_refresh(b->db, &err), 0);
	assert_string_equal(flows(b, &fresh), "");
	dbkit_sql(b->kit[1].dir,
	          "INSERT INTO flow (run, policy, unit, start_us, lasted_us, packet, transport, local,"
	          " local_port, remote, remote_port, application, verdict, kind, packets_out,"
	          " packets_in, bytes_out, bytes_in, said, how, tcp_flags, asked, payloads)"
	          " SELECT run, policy, unit, start_us + 700000000, lasted_us, packet, transport,"
	          " local, local_port, remote, remote_port, application, verdict, kind, packets_out,"
	          " packets_in, bytes_out, bytes_in, said, how, tcp_flags, asked, payloads FROM flow"
	          " WHERE id = 1");
	if (flowdb_refresh(b->db, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(flows(b, &fresh), "b900 ");
	assert_int_equal(flowdb_refresh(b->db, &err), 0);
	assert_string_equal(flows(b, &fresh), "");
	/* The first one is begun anew, with what the second holds: all of it is fresh. */
	snprintf(text, sizeof(text), "rm -f '%s'/flows.db*; cp '%s'/flows.db* '%s'",
	         b->kit[0].dir, b->kit[1].dir, b->kit[0].dir);
	assert_int_equal(system(text), 0);
	if (flowdb_refresh(b->db, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(flows(b, &fresh), "a200 a300 a900 ");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(flows_of_all_sensors_come_in_one_order),
		TEST(flows_are_found_by_port_at_either_end_and_by_what_they_are),
		TEST(findings_units_and_coverage_of_one_name_are_joined),
		TEST(coverage_of_a_window_is_made_up_from_its_flows),
		TEST(what_is_counted_is_joined_over_sensors_and_most_comes_first),
		TEST(a_field_that_is_none_is_refused_with_those_that_are),
		TEST(a_database_named_twice_is_refused),
		TEST(what_was_committed_since_is_fresh_also_in_a_database_begun_anew),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
