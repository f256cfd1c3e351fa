/*
 * test_retention.c - what grows old goes, oldest first, in steps, and is on record as gone; what is young,
 * open or being written stays.
 */
#include "tests/lib/dbkit.h"
#include "monitor/record/retention.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <cmocka.h>

#define HOUR 3600
#define HOUR_US (HOUR * INT64_C(1000000))

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

static void must(int r, const struct err *err)
{
	if (r < 0)
		fail_msg("%s", err->text);
}

/* So many flows, one each minute of the day from `second` on, every tenth under the finding. */
static void put_flows(struct dbkit *kit, int second, unsigned count, int64_t finding)
{
	for (unsigned i = 0; i < count; i++) {
		struct flow_facts facts =
			dbkit_facts(second + (int)i * 60, "52.112.1.9", (uint16_t)(1024 + i));

		dbkit_flow(kit, &facts, i % 10 ? "online.out.audio" : NULL, i % 10 ? 0 : finding);
	}
}

static int64_t ask(struct dbkit *kit, const char *text)
{
	CLEANUP(freep) char *lines = dbkit_ask(kit->dir, text);

	return *lines ? strtoll(lines, NULL, 10) : -1;
}

static void commit(struct dbkit *kit)
{
	struct err err = {0};

	must(flowdb_commit(kit->db, &err), &err);
}

struct told {
	int64_t finding;
	uint64_t rows;
};

static void told(void *context, int64_t finding, uint64_t rows)
{
	struct told *told = context;

	told->finding = finding;
	told->rows += rows;
}

static void what_ended_before_the_limit_goes_and_the_rest_stays(void **state)
{
	struct dbkit *kit = *state;
	int64_t finding = dbkit_finding(kit, kit->unit, KIND_REMOTE_PORT, SEVERITY_MEDIUM, "x", 30);
	struct told gone = {0};
	struct retention retention = {
		.limits.span_us = 5 * HOUR_US, .gone = told, .context = &gone};
	struct err err = {0};

	put_flows(kit, 0, 300, finding); /* 00:00 to 04:59 */
	commit(kit);
	must(retention_finish(&retention, kit->db, DBKIT_DAY + 7 * HOUR_US, &err), &err);
	/* 01:59:00 lasts 10 s. */
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow"), 180);
	assert_int_equal(ask(kit, "SELECT min(start_us) FROM flow"), DBKIT_DAY + 2 * HOUR_US);
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow_differs"), 18);
	assert_int_equal(gone.finding, finding);
	assert_int_equal(gone.rows, 12);
	assert_int_equal(ask(kit, "SELECT kept FROM finding"), 18);
	assert_int_equal(ask(kit, "SELECT flows FROM finding"), 30);
	assert_int_equal(ask(kit, "SELECT flows FROM removed WHERE how = 1"), 120);
	assert_int_equal(ask(kit, "SELECT until_us FROM removed"), DBKIT_DAY + 2 * HOUR_US);
}

static void a_flow_that_goes_beyond_the_limit_stays(void **state)
{
	struct dbkit *kit = *state;
	struct flow_facts facts = dbkit_facts(0, "52.112.1.9", 443);
	struct retention retention = {.limits.span_us = 3 * HOUR_US};
	struct err err = {0};

	facts.last_us = DBKIT_DAY + 10 * HOUR_US;
	dbkit_flow(kit, &facts, "online.out.audio", 0);
	put_flows(kit, 60, 5, 0);
	commit(kit);
	must(retention_finish(&retention, kit->db, DBKIT_DAY + 12 * HOUR_US, &err), &err);
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow WHERE start_us < 1795305600000001"), 1);
	/* The last one stays as well: its number is not to be given again. */
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow"), 2);
	assert_int_equal(ask(kit, "SELECT max(id) FROM flow"), 6);
}

static void a_step_deletes_no_more_than_it_may_and_the_next_goes_on(void **state)
{
	struct dbkit *kit = *state;
	struct retain_step step = {.cut_us = DBKIT_DAY + 24 * HOUR_US, .flows_max = 100};
	struct err err = {0};
	int64_t second = dbkit_unit(kit, "huddle"), first = kit->unit;

	put_flows(kit, 0, 150, 0);
	kit->unit = second;
	put_flows(kit, 0, 151, 0);
	kit->unit = first;
	commit(kit);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(flowdb_retain(kit->db, &step, &err), RETAIN_MORE);
		assert_int_equal(step.flows, 100);
	}
	assert_int_equal(flowdb_retain(kit->db, &step, &err), RETAIN_OVER);
	assert_int_equal(step.flows, 0);
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow"), 1);
	assert_int_equal(ask(kit, "SELECT flows FROM removed"), 300);
}

static void nothing_goes_while_somebody_reads(void **state)
{
	struct dbkit *kit = *state;
	struct retain_step step = {.cut_us = DBKIT_DAY + 24 * HOUR_US, .flows_max = 100};
	struct flowdb *reader = NULL;
	struct err err = {0};
	struct span span;

	put_flows(kit, 0, 50, 0);
	commit(kit);
	must(flowdb_open(kit->dir, FLOWDB_READ, &reader, &err), &err);
	must(flowdb_span(reader, &span, &err), &err);
	must(flowdb_begin(kit->db, &err), &err);
	put_flows(kit, 4 * HOUR, 50, 0);
	commit(kit);
	assert_int_equal(flowdb_retain(kit->db, &step, &err), RETAIN_HELD);
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow"), 100);
	flowdb_close(reader);
	assert_int_equal(flowdb_retain(kit->db, &step, &err), RETAIN_OVER);
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow"), 1);
}

static void what_a_replay_wrote_itself_stays(void **state)
{
	struct dbkit *kit = *state;
	struct retention retention = {.limits.span_us = 3 * HOUR_US, .spared_run = kit->run};
	struct err err = {0};

	put_flows(kit, 0, 20, 0);
	commit(kit);
	must(retention_finish(&retention, kit->db, DBKIT_DAY + 24 * HOUR_US, &err), &err);
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow"), 20);
	assert_int_equal(ask(kit, "SELECT count(*) FROM removed"), 0);
}

static void too_big_a_database_loses_its_oldest_flows_and_the_file_shrinks(void **state)
{
	struct dbkit *kit = *state;
	struct retention retention = {.limits.bytes = 3 << 20};
	struct extent before, after;
	struct err err = {0};

	for (unsigned i = 0; i < 120; i++)
		put_flows(kit, (int)i * 60000, 1000, 0);
	commit(kit);
	must(flowdb_extent(kit->db, &before, &err), &err);
	assert_true(before.used > 9 << 20);
	must(retention_finish(&retention, kit->db, DBKIT_DAY + 2400 * HOUR_US, &err), &err);
	must(flowdb_extent(kit->db, &after, &err), &err);
	assert_true(after.used <= 3 << 20);
	assert_true(after.used > 2 << 20); /* and no more than was needed */
	assert_true(after.used + after.free < before.used + before.free);
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow WHERE start_us + lasted_us <"
	                          " (SELECT until_us FROM removed)"),
	                 0);
}

static void the_last_two_hours_stay_however_small_the_limit(void **state)
{
	struct dbkit *kit = *state;
	struct retention retention = {.limits.bytes = 4096};
	struct err err = {0};

	put_flows(kit, 0, 300, 0); /* to 04:59 */
	commit(kit);
	must(retention_finish(&retention, kit->db, DBKIT_DAY + 5 * HOUR_US, &err), &err);
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow"), 120);
}

static void what_else_is_older_goes_with_the_flows(void **state)
{
	struct dbkit *kit = *state;
	struct retention retention = {.limits.span_us = 3 * HOUR_US};
	struct addr local = dbkit_addr("10.20.0.15");
	struct mac mac = dbkit_mac("00:26:8c:01:02:03");
	const struct name_row name = {.run = kit->run,
	                              .client = local,
	                              .server = local,
	                              .address = local,
	                              .name = "old.example",
	                              .first_us = DBKIT_DAY,
	                              .last_us = DBKIT_DAY + 1,
	                              .until_us = DBKIT_DAY + 2};
	const struct lease_row lease = {.run = kit->run,
	                                .unit = kit->unit,
	                                .mac = mac,
	                                .address = local,
	                                .first_us = DBKIT_DAY,
	                                .last_us = DBKIT_DAY + 1};
	const struct blind_row blind = {.run = kit->run,
	                                .since_us = DBKIT_DAY,
	                                .until_us = DBKIT_DAY + 1,
	                                .cause = BLIND_KERNEL_DROP,
	                                .detail = ""};
	const struct evidence_row packet = {.run = kit->run,
	                                    .time_us = DBKIT_DAY,
	                                    .len = 1,
	                                    .bytes = (const uint8_t *)"x"};
	int64_t id = 0, open, closed;
	struct err err = {0};

	must(flowdb_name_put(kit->db, &name, &err), &err);
	must(flowdb_lease_put(kit->db, &lease, &err), &err);
	must(flowdb_unit_seen(kit->db, kit->unit, &local, &mac, 1, DBKIT_DAY, DBKIT_DAY + 1, &err),
	     &err);
	must(flowdb_blind_put(kit->db, &blind, &id, &err), &err);
	must(flowdb_evidence_put(kit->db, &packet, &err), &err);
	closed = dbkit_finding(kit, kit->unit, KIND_PEER, SEVERITY_LOW, "closed", 0);
	open = dbkit_finding(kit, kit->unit, KIND_PEER, SEVERITY_LOW, "open", 0);
	dbkit_finding(kit, kit->unit, KIND_PEER, SEVERITY_LOW, "last", 0);
	put_flows(kit, 0, 3, 0);
	commit(kit);
	dbkit_sql(kit->dir, "UPDATE finding SET open = 0 WHERE remote IN ('closed', 'last')");
	must(retention_finish(&retention, kit->db, DBKIT_DAY + 24 * HOUR_US, &err), &err);
	assert_int_equal(ask(kit, "SELECT (SELECT count(*) FROM name_seen) + (SELECT count(*) FROM lease)"
	                          " + (SELECT count(*) FROM unit_address) + (SELECT count(*) FROM blind)"
	                          " + (SELECT count(*) FROM evidence)"),
	                 0);
	assert_int_equal(ask(kit, "SELECT count(*) FROM finding WHERE remote = 'closed'"), 0);
	assert_int_equal(ask(kit, "SELECT count(*) FROM finding"), 2);
	assert_true(closed != open);
	assert_int_equal(ask(kit, "SELECT count(*) FROM unit"), 1);
	assert_int_equal(ask(kit, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

static void without_limits_nothing_ever_goes(void **state)
{
	struct dbkit *kit = *state;
	struct retention retention = {0};
	struct err err = {0};

	put_flows(kit, 0, 10, 0);
	commit(kit);
	must(retention_finish(&retention, kit->db, INT64_MAX / 2, &err), &err);
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow"), 10);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_ended_before_the_limit_goes_and_the_rest_stays),
		TEST(a_flow_that_goes_beyond_the_limit_stays),
		TEST(a_step_deletes_no_more_than_it_may_and_the_next_goes_on),
		TEST(nothing_goes_while_somebody_reads),
		TEST(what_a_replay_wrote_itself_stays),
		TEST(too_big_a_database_loses_its_oldest_flows_and_the_file_shrinks),
		TEST(the_last_two_hours_stay_however_small_the_limit),
		TEST(what_else_is_older_goes_with_the_flows),
		TEST(without_limits_nothing_ever_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
