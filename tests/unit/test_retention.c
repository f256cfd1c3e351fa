/*
 * test_retention.c - what grows old goes, oldest first, in steps, and is on record as gone; what is young,
 * open or being written stays.
 */
#include "tests/lib/dbkit.h"
#include "monitor/record/findings.h"
#include "monitor/record/retention.h"

#include <setjmp.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <sys/wait.h>
#include <unistd.h>
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
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow WHERE differs IN (SELECT id FROM differs)"), 18);
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
	                 1); /* what DHCP last told a unit of which there are flows */
	assert_int_equal(ask(kit, "SELECT count(*) FROM lease"), 1);
	assert_int_equal(ask(kit, "SELECT count(*) FROM finding WHERE remote = 'closed'"), 0);
	assert_int_equal(ask(kit, "SELECT count(*) FROM finding"), 2);
	assert_true(closed != open);
	assert_int_equal(ask(kit, "SELECT count(*) FROM unit"), 1);
	assert_int_equal(ask(kit, "SELECT count(*) FROM pragma_foreign_key_check"), 0);
}

static void one_long_flow_does_not_take_the_young_ones_along(void **state)
{
	struct dbkit *kit = *state;
	struct flow_facts facts = dbkit_facts(0, "52.112.64.14", 443);
	struct retention retention = {0};
	struct extent extent;
	struct err err = {0};

	facts.last_us = DBKIT_DAY + 2000 * HOUR_US;
	dbkit_flow(kit, &facts, "online.out.audio", 0);
	for (unsigned i = 0; i < 20; i++)
		put_flows(kit, (int)i * 60000, 1000, 0);
	commit(kit);
	must(flowdb_extent(kit->db, &extent, &err), &err);
	retention.limits.bytes = extent.used - 65536;
	must(retention_finish(&retention, kit->db, DBKIT_DAY + 2400 * HOUR_US, &err), &err);
	assert_true(ask(kit, "SELECT count(*) FROM flow") > 20000 - 2 * 2049);
	assert_true(ask(kit, "SELECT count(*) FROM flow") < 20001);
	assert_int_equal(ask(kit, "SELECT min(id) FROM flow"), 1);
}

static void of_captures_read_in_any_order_the_oldest_flows_go_first(void **state)
{
	struct dbkit *kit = *state;
	int64_t cut_us;
	struct err err = {0};

	put_flows(kit, 500 * HOUR, 600, 0);
	put_flows(kit, 0, 600, 0);
	commit(kit);
	must(flowdb_oldest(kit->db, 100, 0, DBKIT_DAY + 900 * HOUR_US, &cut_us, &err), &err);
	assert_in_range(cut_us, DBKIT_DAY + HOUR_US / 2, DBKIT_DAY + 100 * HOUR_US / 60 + HOUR_US / 60);
	must(flowdb_oldest(kit->db, 100, kit->run, DBKIT_DAY + 900 * HOUR_US, &cut_us, &err), &err);
	assert_int_equal(cut_us, 0);
	must(flowdb_oldest(kit->db, 100, 0, DBKIT_DAY, &cut_us, &err), &err);
	assert_int_equal(cut_us, 0);
}

static void put_name(struct dbkit *kit, const char *name, const char *address, int hour, int until_hour)
{
	const struct name_row row = {.run = kit->run,
	                             .unit = kit->unit,
	                             .client = dbkit_addr("10.20.0.15"),
	                             .server = dbkit_addr("10.20.0.2"),
	                             .address = dbkit_addr(address),
	                             .name = name,
	                             .first_us = DBKIT_DAY + hour * HOUR_US,
	                             .last_us = DBKIT_DAY + hour * HOUR_US,
	                             .until_us = DBKIT_DAY + until_hour * HOUR_US};
	struct err err = {0};

	must(flowdb_name_put(kit->db, &row, &err), &err);
}

static void put_lease(struct dbkit *kit, const char *address, int hour, int until_hour)
{
	const struct lease_row row = {.run = kit->run,
	                              .unit = kit->unit,
	                              .mac = dbkit_mac("00:26:8c:01:02:03"),
	                              .address = dbkit_addr(address),
	                              .first_us = DBKIT_DAY + hour * HOUR_US,
	                              .last_us = DBKIT_DAY + hour * HOUR_US,
	                              .until_us = DBKIT_DAY + until_hour * HOUR_US};
	struct err err = {0};

	must(flowdb_lease_put(kit->db, &row, &err), &err);
}

#define NAMES \
	"SELECT n.text || ' ' || h.text || ' ' || ((x.first_us - 1795305600000000) / 3600000000)" \
	" FROM name_seen x JOIN name n ON n.id = x.name JOIN host h ON h.id = x.address ORDER BY 1"

static void names_and_leases_that_a_flow_is_judged_by_stay(void **state)
{
	struct dbkit *kit = *state;
	CLEANUP(freep) char *names = NULL, *leases = NULL;
	struct flow_facts facts = dbkit_facts(3 * HOUR, "52.112.1.9", 443);
	struct retention retention = {.limits.span_us = 50 * HOUR_US};
	struct err err = {0};

	put_name(kit, "a", "52.112.1.1", 1, 2); /* a and b: the first time */
	put_name(kit, "a", "52.112.1.2", 3, 4);
	put_name(kit, "b", "52.112.1.9", 1, 2);
	put_name(kit, "a", "52.112.1.9", 5, 6);  /* of a long flow's peer */
	put_name(kit, "b", "52.112.1.3", 7, 90); /* in force; and the one behind it on the same address */
	put_name(kit, "a", "52.112.1.3", 8, 9);
	put_name(kit, "b", "52.112.1.4", 8, 9);
	put_lease(kit, "10.20.0.14", 0, 1); /* for the first names */
	put_lease(kit, "10.20.0.15", 0, 1);
	put_lease(kit, "10.20.0.15", 2, 3); /* nobody asks for this one; the next is the last before the flow */
	put_lease(kit, "10.20.0.15", 4, 5);
	put_lease(kit, "10.20.0.15", 6, 7);
	facts.last_us = DBKIT_DAY + 99 * HOUR_US;
	facts.first_us = DBKIT_DAY + 10 * HOUR_US;
	dbkit_flow(kit, &facts, "online.out.audio", 0);
	put_flows(kit, 0, 3, 0);
	facts.first_us = DBKIT_DAY + 98 * HOUR_US;
	dbkit_flow(kit, &facts, "online.out.audio", 0);
	commit(kit);
	must(retention_finish(&retention, kit->db, DBKIT_DAY + 100 * HOUR_US, &err), &err);
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow"), 2);
	names = dbkit_ask(kit->dir, NAMES);
	assert_string_equal(names, "a 52.112.1.1 1\na 52.112.1.3 8\na 52.112.1.9 5\nb 52.112.1.3 7\n"
	                           "b 52.112.1.9 1\n");
	leases = dbkit_ask(kit->dir, "SELECT h.text, (l.first_us - 1795305600000000) / 3600000000"
	                             " FROM lease l JOIN host h ON h.id = l.address ORDER BY 1, 2");
	assert_string_equal(leases, "10.20.0.14|0\n10.20.0.15|0\n10.20.0.15|4\n10.20.0.15|6\n");
}

/* What a recorder knows of its findings. */
struct knower {
	struct dbkit *kit;
	struct findings *findings;
};

static int emptied(void *context, int64_t finding, struct err *err)
{
	const struct knower *knower = context;

	return findings_packets_gone(knower->findings, knower->kit->db, finding, err);
}

static bool knows(void *context, int64_t finding)
{
	const struct knower *knower = context;

	return findings_have(knower->findings, finding);
}

static void a_finding_that_the_recorder_knows_stays_and_gets_its_places_for_evidence_back(void **state)
{
	struct dbkit *kit = *state;
	struct knower knower = {kit, findings_new(NULL, NULL, NULL)};
	struct retention retention = {.limits.span_us = 3 * HOUR_US,
	                              .emptied = emptied,
	                              .knows = knows,
	                              .context = &knower};
	const struct flow_facts facts = dbkit_facts(0, "52.112.1.9", 1024);
	struct unit unit = {.id = kit->unit, .number = 1};
	struct finding *finding;
	struct err err = {0};

	must(findings_unlisted(knower.findings, kit->db, &unit, &facts, 0, &finding, &err), &err);
	finding_close(knower.findings, finding, "a person closed it");
	must(findings_settle(knower.findings, kit->db, &err), &err);
	for (unsigned i = 0; i < 3; i++) {
		const struct evidence_row row = {.run = kit->run,
		                                 .flow = i,
		                                 .finding = finding->id,
		                                 .time_us = DBKIT_DAY + (i == 2 ? 23 * HOUR_US : 0),
		                                 .len = 1,
		                                 .bytes = (const uint8_t *)"x"};

		must(flowdb_evidence_put(kit->db, &row, &err), &err);
	}
	finding->evidence = 3;
	dbkit_finding(kit, kit->unit, KIND_PEER, SEVERITY_LOW, "later", 0);
	put_flows(kit, 0, 3, 0);
	commit(kit);
	must(retention_finish(&retention, kit->db, DBKIT_DAY + 24 * HOUR_US, &err), &err);
	assert_int_equal(finding->evidence, 1);
	retention.leaves_us = retention.swept_us = 0;
	must(retention_finish(&retention, kit->db, DBKIT_DAY + 48 * HOUR_US, &err), &err);
	assert_int_equal(finding->evidence, 0);
	assert_int_equal(ask(kit, "SELECT count(*) FROM finding"), 2);
	findings_free(knower.findings);
	knower.findings = findings_new(NULL, NULL, NULL); /* a recorder that knows none */
	retention.leaves_us = retention.swept_us = 0;
	must(retention_finish(&retention, kit->db, DBKIT_DAY + 48 * HOUR_US, &err), &err);
	assert_int_equal(ask(kit, "SELECT count(*) FROM finding"), 1);
	findings_free(knower.findings);
}

static void nothing_goes_while_another_program_reads_what_was_committed_last(void **state)
{
	struct dbkit *kit = *state;
	struct retain_step step = {.cut_us = DBKIT_DAY + 24 * HOUR_US, .flows_max = 100};
	int up[2], down[2];
	struct err err = {0};
	char byte = 0;
	pid_t child;

	put_flows(kit, 0, 50, 0);
	commit(kit);
	assert_int_equal(pipe(up) | pipe(down), 0);
	child = fork();
	if (!child) {
		char path[128];
		sqlite3 *sql;

		snprintf(path, sizeof(path), "%s/flows.db", kit->dir);
		if (sqlite3_open(path, &sql) || sqlite3_exec(sql, "BEGIN; SELECT count(*) FROM flow", NULL, NULL, NULL) ||
		    write(up[1], &byte, 1) != 1 || read(down[0], &byte, 1) != 1)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(up[0], &byte, 1), 1);
	assert_int_equal(flowdb_retain(kit->db, &step, &err), RETAIN_HELD);
	assert_int_equal(write(down[1], &byte, 1), 1);
	waitpid(child, NULL, 0);
	assert_int_equal(flowdb_retain(kit->db, &step, &err), RETAIN_OVER);
	assert_int_equal(ask(kit, "SELECT count(*) FROM flow"), 1);
	for (unsigned i = 0; i < 2; i++) {
		close(up[i]);
		close(down[i]);
	}
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
		TEST(one_long_flow_does_not_take_the_young_ones_along),
		TEST(of_captures_read_in_any_order_the_oldest_flows_go_first),
		TEST(names_and_leases_that_a_flow_is_judged_by_stay),
		TEST(a_finding_that_the_recorder_knows_stays_and_gets_its_places_for_evidence_back),
		TEST(nothing_goes_while_another_program_reads_what_was_committed_last),
		TEST(without_limits_nothing_ever_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
