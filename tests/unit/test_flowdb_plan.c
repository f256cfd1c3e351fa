/*
 * test_flowdb_plan.c - what a large database needs, shown on a small one: a flow is small, and no question goes
 * through all flows.
 */
#include "schema/flowdb_acceptance.h"
#include "schema/flowdb_incident.h"
#include "schema/flowdb_sql.h"
#include "tests/lib/dbkit.h"
#include "tests/lib/flowgen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { FLOWS = 120000, FEW = 20000, BYTES_A_FLOW = 120, TEXTS_MAX = 128 };

/* Every statement that was run, by its text. */
struct asked {
	char *text[TEXTS_MAX];
	unsigned count;
};

static int note(unsigned kind, void *context, void *stmt, void *unused)
{
	const char *text = sqlite3_sql(stmt);
	struct asked *asked = context;

	for (unsigned i = 0; i < asked->count; i++)
		if (!strcmp(asked->text[i], text))
			return 0;
	assert_true(asked->count < TEXTS_MAX);
	asked->text[asked->count++] = strdup(text);
	return 0;
}

static void fill(struct flowdb *db, const struct flowgen_size *size)
{
	CLEANUP(flowgen_freep) struct flowgen *gen = NULL;
	struct flow_facts facts;
	struct verdict verdict;
	struct flow_row flow;
	struct err err = {0};
	int64_t id;

	assert_int_equal(flowdb_begin(db, &err), 0);
	assert_int_equal(flowgen_new(db, size, &gen, &err), 0);
	while (flowgen_next(gen, &flow, &facts, &verdict, &err) > 0) {
		id = 0;
		assert_int_equal(flowdb_flow_put(db, &flow, &id, &err), 0);
	}
	assert_int_equal(flowgen_finish(gen, &err), 0);
	assert_int_equal(flowdb_commit(db, &err), 0);
}

static int64_t number(struct flowdb *db, const char *text)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	struct err err = {0};

	assert_int_equal(sql_prepare(db, text, &stmt, &err), 0);
	assert_int_equal(sql_step(db, stmt, &err), 1);
	return sqlite3_column_int64(stmt, 0);
}

static int make(void **state)
{
	struct flowdb *db = NULL;
	struct err err = {0};

	if (flowdb_open(NULL, FLOWDB_WRITE, &db, &err) < 0)
		fail_msg("%s", err.text);
	/* Of 10 units, as many to each as 300 have of three million. */
	fill(db, &(struct flowgen_size){.flows = FLOWS, .units = 10, .days = 30, .seed = 5});
	*state = db;
	return 0;
}

static int close_it(void **state)
{
	flowdb_close(*state);
	return 0;
}

static int64_t bytes_of(struct flowdb *db)
{
	return number(db, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size");
}

static void a_flow_adds_at_most_120_bytes_with_all_that_is_kept_of_it(void **state)
{
	CLEANUP(flowdb_closep) struct flowdb *few = NULL;
	struct err err = {0};
	int64_t bytes;

	assert_int_equal(flowdb_open(NULL, FLOWDB_WRITE, &few, &err), 0);
	fill(few, &(struct flowgen_size){.flows = FEW, .units = 10, .days = 30, .seed = 5});
	bytes = bytes_of(*state) - bytes_of(few);
	if (bytes > (FLOWS - FEW) * BYTES_A_FLOW)
		fail_msg("%lld bytes a flow", (long long)(bytes / (FLOWS - FEW)));
	assert_true(bytes > (FLOWS - FEW) * 60);
}

static void what_is_counted_beside_agrees_with_the_flows(void **state)
{
	struct flowdb *db = *state;

	assert_int_equal(number(db, "SELECT count(*) FROM (SELECT unit, verdict, grade, flows FROM tally EXCEPT"
	                            " SELECT unit, verdict, said >> 7 & 3, count(*) FROM flow GROUP BY 1, 2, 3)"),
	                 0);
	assert_int_equal(number(db, "SELECT (SELECT sum(flows) FROM tally) - (SELECT count(*) FROM flow)"), 0);
	assert_int_equal(number(db, "SELECT (SELECT count(*) FROM media_port) - (SELECT count(DISTINCT unit * 65536"
	                            " + local_port) FROM flow WHERE transport IN (6, 17) AND (said >> 9 & 7"
	                            " OR how >> 14 & 3 OR (said & 3 = 1 AND application IN (7, 9, 10, 13))))"),
	                 0);
	assert_int_equal(number(db, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

/* Whether a statement moves a cursor over all of `flow` or of one of its indices. */
static void goes_through_no_flows(struct flowdb *db, const char *text)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	CLEANUP(freep) char *explain = NULL;
	bool flow[256] = {false};
	char of_flow[256];
	struct err err = {0};

	assert_true(asprintf(&explain, "EXPLAIN %s", text) > 0);
	assert_int_equal(sql_prepare(db, explain, &stmt, &err), 0);
	while (sql_step(db, stmt, &err) > 0) {
		const char *op = column_text(stmt, 1);
		int cursor = sqlite3_column_int(stmt, 2), root = sqlite3_column_int(stmt, 3);

		assert_true(cursor < 256 || !strstr("OpenRead Rewind Last Count", op));
		if (!strcmp(op, "OpenRead")) {
			snprintf(of_flow, sizeof(of_flow),
			         "SELECT count(*) FROM sqlite_schema WHERE rootpage = %d AND tbl_name = 'flow'", root);
			flow[cursor] = number(db, of_flow);
		}
		if ((!strcmp(op, "Rewind") || !strcmp(op, "Last") || !strcmp(op, "Count")) && flow[cursor])
			fail_msg("all flows are gone through by: %s", text);
	}
}

static int pass_flow(void *context, const struct flow_view *flow, struct err *err)
{
	++*(unsigned *)context;
	return 0;
}
static int pass_finding(void *context, const struct finding_view *finding, struct err *err)
{
	return 0;
}
static int pass_group(void *context, const struct finding_group *group, struct err *err)
{
	return 0;
}
static int pass_holding(void *context, const struct holding_view *holding, struct err *err)
{
	return 0;
}
static int pass_unit(void *context, const struct unit_view *unit, struct err *err)
{
	return 0;
}
static int pass_coverage(void *context, const struct coverage_view *coverage, struct err *err)
{
	return 0;
}
static int pass_tally(void *context, const struct flow_tally *tally, struct err *err)
{
	return 0;
}
static int pass_block(void *context, const struct flow_block *block, struct err *err)
{
	return 0;
}
static int pass_first(void *context, int64_t finding, int64_t flow, struct err *err)
{
	return 0;
}
static int pass_name(void *context, const char *name, struct err *err)
{
	return 0;
}

static void ask_flows(struct flowdb *db, const struct flow_query *query)
{
	const struct finding_query findings = {.flow = *query};
	struct err err = {0};
	unsigned flows = 0;

	assert_int_equal(flowdb_flows(db, query, pass_flow, &flows, &err), 0);
	assert_int_equal(flowdb_findings(db, &findings, pass_finding, NULL, &err), 0);
	assert_int_equal(flowdb_finding_groups(db, &findings, pass_group, NULL, &err), 0);
}

static void ask_acceptance(struct flowdb *db, const struct flow_query *query)
{
	struct err err = {0};

	assert_int_equal(flowdb_flow_tallies(db, query, pass_tally, NULL, &err), 0);
	assert_int_equal(flowdb_flow_blocks(db, query, pass_block, NULL, &err), 0);
	assert_int_equal(flowdb_finding_flows(db, query, pass_first, NULL, &err), 0);
}

static int pass_sum(void *context, const struct flow_sum *sum, struct err *err)
{
	uint64_t *seen = context;

	seen[0]++;
	seen[1] += sum->flows;
	seen[2] += sum->bytes_out + sum->bytes_in;
	return 0;
}

static void ask_incident(struct flowdb *db, const struct flow_query *day)
{
	const struct unit_window window = {3, day->since_us, day->until_us};
	struct trait_known trait = {.trait = TRAIT_KIND, .number = UINT16_MAX};
	struct err err = {0};
	uint64_t seen[3] = {0};
	unsigned flows = 0;

	assert_int_equal(flowdb_flow_sums(db, &window, pass_sum, seen, &err), 0);
	assert_int_equal(flowdb_traits_known(db, &window, &trait, 1, &err), 0);
	assert_false(trait.known);
	assert_int_equal(flowdb_window_flows(db, &window, 20, pass_flow, &flows, &err), 0);
	assert_int_equal(flows, 20);
}

static void no_question_goes_through_all_flows(void **state)
{
	static const char *const UNITS[] = {"room-003", "10.1.0.4", NULL};
	struct flowdb *db = *state;
	struct asked asked = {0};
	struct err err = {0};
	struct standing standing;
	struct span span;

	assert_int_equal(sqlite3_trace_v2(db->sql, SQLITE_TRACE_STMT, note, &asked), SQLITE_OK);
	for (size_t i = 0; i < ARRAY_LEN(UNITS); i++) {
		const struct flow_query day = {
			.unit = UNITS[i],
			.since_us = FLOWGEN_DAY + 9 * 86400 * INT64_C(1000000),
			.until_us = FLOWGEN_DAY + 10 * 86400 * INT64_C(1000000),
		};
		struct flow_query query = day;

		ask_flows(db, &query);
		query.ruling = RULING_OUTSIDE;
		ask_flows(db, &query);
		query = day;
		query.kind = KIND_LOCAL_PORT;
		ask_flows(db, &query);
		query = day;
		query.severity = SEVERITY_HIGH;
		ask_flows(db, &query);
		query = day;
		query.blind = true;
		ask_flows(db, &query);
		query = day;
		query.finding = 7;
		ask_flows(db, &query);
		query = day;
		query.row = "online.out.audio";
		ask_flows(db, &query);
		query = day;
		assert_int_equal(prefix_parse("52.112.0.0/14", &query.peer), 0);
		ask_flows(db, &query);
		ask_incident(db, &day);
		assert_int_equal(flowdb_holdings(db, &day, pass_holding, NULL, &err), 0);
		assert_int_equal(flowdb_coverage(db, &day, NULL, 0, pass_coverage, NULL, &err), 0);
		ask_acceptance(db, &day);
		query.since_us = query.until_us = 0;
		if (UNITS[i]) /* of one unit without a window, its own alone */
			ask_acceptance(db, &query);
	}
	ask_acceptance(db, &(struct flow_query){.since_us = FLOWGEN_DAY, .until_us = FLOWGEN_DAY + 1});
	assert_int_equal(flowdb_holdings(db, &(struct flow_query){0}, pass_holding, NULL, &err), 0);
	assert_int_equal(flowdb_units(db, pass_unit, NULL, &err), 0);
	assert_int_equal(flowdb_units_missing(db, pass_name, NULL, &err), 0);
	assert_int_equal(flowdb_standing(db, &standing, &err), 0);
	assert_int_equal(flowdb_span(db, &span, &err), 0);
	assert_int_equal(span.flows, FLOWS);
	sqlite3_trace_v2(db->sql, 0, NULL, NULL);
	assert_true(asked.count > 20);
	for (unsigned i = 0; i < asked.count; i++) {
		goes_through_no_flows(db, asked.text[i]);
		free(asked.text[i]);
	}
}

static int keep_window(void *context, const struct flow_view *flow, struct err *err)
{
	int64_t *sum = context;

	sum[0]++;
	sum[1] += flow->id;
	return 0;
}

static void a_window_holds_what_overlaps_it_however_long(void **state)
{
	struct flowdb *db = *state;
	struct err err = {0};
	char text[512];

	for (unsigned day = 0; day < 30; day += 7) {
		const struct flow_query query = {
			.unit = "room-005",
			.since_us = FLOWGEN_DAY + day * 86400 * INT64_C(1000000),
			.until_us = FLOWGEN_DAY + day * 86400 * INT64_C(1000000) + 60 * INT64_C(1000000),
		};
		int64_t sum[2] = {0};

		assert_int_equal(flowdb_flows(db, &query, keep_window, sum, &err), 0);
		for (int i = 0; i < 2; i++) {
			snprintf(text, sizeof(text),
			         "SELECT coalesce(%s, 0) FROM flow WHERE +unit = (SELECT id FROM unit WHERE name ="
			         " 'room-005') AND start_us <= %lld AND start_us + lasted_us >= %lld",
			         i ? "sum(id)" : "count(*)", (long long)query.until_us,
			         (long long)query.since_us);
			assert_int_equal(sum[i], number(db, text));
		}
	}
	assert_true(number(db, "SELECT count(*) FROM flow WHERE lasted_us > 2 * 3600000000") > 10);
}

struct in_order {
	int64_t id[4];
	unsigned count;
};

static int keep_id(void *context, const struct flow_view *flow, struct err *err)
{
	struct in_order *kept = context;

	assert_true(kept->count < ARRAY_LEN(kept->id));
	kept->id[kept->count++] = flow->id;
	return 0;
}

static void the_first_flows_of_a_window_are_those_that_began_first(void **state)
{
	struct flowdb *db = *state;
	struct err err = {0};

	for (unsigned day = 1; day < 30; day += 7) {
		const int64_t since_us = FLOWGEN_DAY + day * 86400 * INT64_C(1000000);
		const struct unit_window window = {5, since_us, since_us + 86400 * INT64_C(1000000)};
		struct in_order kept = {.count = 0};
		char text[512];

		assert_int_equal(flowdb_window_flows(db, &window, ARRAY_LEN(kept.id), keep_id, &kept, &err), 0);
		assert_int_equal(kept.count, ARRAY_LEN(kept.id));
		for (unsigned i = 0; i < kept.count; i++) {
			snprintf(text, sizeof(text),
			         "SELECT id FROM flow WHERE +unit = 5 AND start_us <= %lld AND start_us + lasted_us"
			         " >= %lld ORDER BY start_us, id LIMIT 1 OFFSET %u",
			         (long long)window.until_us, (long long)window.since_us, i);
			assert_int_equal(kept.id[i], number(db, text));
		}
	}
}

/* Whatever is told apart in a sum, and all of it added up. */
static void sums_are_as_many_as_sql_tells_apart_and_add_up_to_all(void **state)
{
	static const char *const wanted[] = {"(SELECT count(*) FROM (SELECT DISTINCT remote, transport, iif(said >> 5 & 3 = 2,"
	                                     " local_port, remote_port), said >> 5 & 3, application, said & 3,"
	                                     " said >> 9 & 7, verdict, said >> 7 & 3, said >> 12 & 15, kind,"
	                                     " said >> 16 & 7, finding, how >> 10 & 3, row, name, policy FROM w))",
	                                     "(SELECT count(*) FROM w)", "(SELECT sum(bytes_out + bytes_in) FROM w)"};
	struct flowdb *db = *state;
	const int64_t since_us = FLOWGEN_DAY + 9 * 86400 * INT64_C(1000000);
	const struct unit_window window = {5, since_us, since_us + 86400 * INT64_C(1000000)};
	uint64_t seen[ARRAY_LEN(wanted)] = {0};
	struct err err = {0};
	char text[1024];

	assert_int_equal(flowdb_flow_sums(db, &window, pass_sum, seen, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(wanted); i++) {
		snprintf(text, sizeof(text),
		         "WITH w AS (SELECT * FROM flow WHERE +unit = 5 AND start_us <= %lld AND start_us + lasted_us"
		         " >= %lld) SELECT %s",
		         (long long)window.until_us, (long long)window.since_us, wanted[i]);
		assert_int_equal(seen[i], number(db, text));
	}
	assert_true(seen[0] > 100 && seen[0] < seen[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_adds_at_most_120_bytes_with_all_that_is_kept_of_it),
		cmocka_unit_test(what_is_counted_beside_agrees_with_the_flows),
		cmocka_unit_test(no_question_goes_through_all_flows),
		cmocka_unit_test(a_window_holds_what_overlaps_it_however_long),
		cmocka_unit_test(the_first_flows_of_a_window_are_those_that_began_first),
		cmocka_unit_test(sums_are_as_many_as_sql_tells_apart_and_add_up_to_all),
	};

	return cmocka_run_group_tests(tests, make, close_it);
}
