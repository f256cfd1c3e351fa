/*
 * test_flowdb_differs.c - flows that differ alike from the nearest rows share the lines that say in what
 * (schema/flowdb_differs.c): which id these have follows from what was written alone, and no id that may have gone is named.
 */
#include "tests/lib/dbkit.h"
#include "monitor/record/retention.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define ERA 1048576
#define KEPT "SELECT * FROM differs ORDER BY 1, 2, 3; SELECT * FROM flow ORDER BY id"
/* Flows that name nothing, or what they do not differ in: their own port. */
#define ASTRAY \
	"SELECT count(*) FROM flow f WHERE 2 <> (SELECT count(*) FROM differs d JOIN phrase s ON s.id = d.seen" \
	" WHERE d.id = f.differs AND (d.field <> 4 OR s.text = f.remote_port))"

static void must(int r, const struct err *err)
{
	if (r < 0)
		fail_msg("%s", err->text);
}

/* A flow to that port, outside by it and by its peer. */
static void put(struct dbkit *kit, unsigned number, unsigned port)
{
	struct flow_facts facts =
		dbkit_facts((int)(number % 86000), "52.112.1.9", (uint16_t)port);
	struct verdict verdict = {
		.ruling = RULING_OUTSIDE,
		.kind = KIND_REMOTE_PORT,
		.nearest_count = 1,
		.nearest = {{.count = 2,
	                     .differs = {{FIELD_PEER, "sfb-online", "52.112.1.9"},
	                                 {FIELD_REMOTE_PORT, "50000-59999", ""}}}},
	};
	struct flow_row row = {
		.run = kit->run,
		.policy = kit->policy,
		.unit = kit->unit,
		.facts = &facts,
		.name = "",
		.app = facts.app,
		.evidence = facts.evidence,
		.verdict = &verdict,
		.nearest = {"online.out.audio"},
	};
	struct err err = {0};
	int64_t id = 0;

	facts.id = number + 1;
	snprintf(verdict.nearest[0].differs[1].seen, sizeof(verdict.nearest[0].differs[1].seen),
	         "%u", port);
	must(flowdb_flow_put(kit->db, &row, &id, &err), &err);
}

/* As a recorder that was killed and goes on: nothing is remembered. */
static void reopen(struct dbkit *kit)
{
	struct err err = {0};

	dbkit_done(kit);
	must(flowdb_open(kit->dir, FLOWDB_WRITE, &kit->db, &err), &err);
	must(flowdb_begin(kit->db, &err), &err);
}

static void asks(struct dbkit *kit, const char *text, const char *answer)
{
	CLEANUP(freep) char *lines = dbkit_ask(kit->dir, text);

	assert_string_equal(lines, answer);
}

/* Writes them in one go or, every so often, anew; the database. */
static char *told(void (*tell)(struct dbkit *kit, unsigned each), unsigned each)
{
	struct dbkit kit;
	char *kept;

	dbkit_open(&kit);
	tell(&kit, each);
	dbkit_done(&kit);
	asks(&kit, ASTRAY, "0\n");
	asks(&kit, "PRAGMA foreign_key_check", "");
	kept = dbkit_ask(kit.dir, KEPT);
	dbkit_close(&kit);
	return kept;
}

static void told_alike(void (*tell)(struct dbkit *kit, unsigned each), unsigned each)
{
	CLEANUP(freep) char *once = told(tell, 0);
	CLEANUP(freep) char *anew = told(tell, each);

	assert_true(strlen(once) > 1000);
	assert_string_equal(anew, once);
}

static void tell_few(struct dbkit *kit, unsigned each)
{
	for (unsigned i = 0; i < 200; i++) {
		put(kit, i, 400 + i % 7);
		if (each && i % each == each - 1)
			reopen(kit);
	}
}

static void flows_that_differ_alike_share_an_id(void **state)
{
	struct dbkit kit;

	(void)state;
	dbkit_open(&kit);
	for (unsigned i = 0; i < 6; i++)
		put(&kit, i, 400 + i % 2);
	dbkit_done(&kit);
	asks(&kit, "SELECT group_concat(differs) FROM flow", "1,2,1,2,1,2\n");
	asks(&kit, "SELECT count(*) FROM differs", "4\n");
	asks(&kit, ASTRAY, "0\n");
	dbkit_close(&kit);
}

static void who_goes_on_gives_the_ids_that_would_have_been_given(void **state)
{
	(void)state;
	told_alike(tell_few, 1);
	told_alike(tell_few, 5);
}

/* Every third is alike, the others are not. */
static void tell_more_than_are_remembered(struct dbkit *kit, unsigned each)
{
	for (unsigned i = 0; i < 27000; i++) {
		put(kit, i, i % 3 == 2 ? 60000 : 1 + i / 3 * 2 + i % 3);
		if (each && i % each == each - 1)
			reopen(kit);
	}
}

static void more_than_are_remembered_are_told_apart(void **state)
{
	struct dbkit kit;

	(void)state;
	told_alike(tell_more_than_are_remembered, 7001);
	dbkit_open(&kit);
	tell_more_than_are_remembered(&kit, 0);
	dbkit_done(&kit);
	/* What is alike has one id in each block. */
	asks(&kit,
	     "SELECT count(*), min(differs) / 16384, max(differs) / 16384 FROM (SELECT DISTINCT differs"
	     " FROM flow WHERE remote_port = 60000); SELECT count(DISTINCT id), max(id) FROM differs",
	     "2|0|1\n18002|18002\n");
	dbkit_close(&kit);
}

static void tell_of_what_is_taken_back(struct dbkit *kit, unsigned each)
{
	struct err err = {0};

	put(kit, 0, 400);
	must(flowdb_commit(kit->db, &err), &err);
	must(flowdb_begin(kit->db, &err), &err);
	if (each) {
		for (unsigned i = 0; i < each; i++)
			put(kit, i, 500 + i);
		flowdb_rollback(kit->db);
		must(flowdb_begin(kit->db, &err), &err);
	}
	for (unsigned i = 0; i < 50; i++)
		put(kit, i, 400 + i % 5);
}

static void ids_that_were_taken_back_are_given_to_others(void **state)
{
	(void)state;
	told_alike(tell_of_what_is_taken_back, 3);
}

static void what_another_has_written_meanwhile_is_shared(void **state)
{
	struct dbkit kit;
	struct err err = {0};

	(void)state;
	dbkit_open(&kit);
	put(&kit, 0, 400);
	must(flowdb_commit(kit.db, &err), &err);
	dbkit_sql(
		kit.dir,
		"INSERT INTO phrase SELECT 1000 + column1, column1 FROM (VALUES (401), (402));"
		"INSERT INTO differs SELECT 2, rank, field, row, expected, iif(field = 4, 1401, seen)"
		" FROM differs WHERE id = 1;"
		"INSERT INTO differs SELECT 3, rank, field, row, expected, iif(field = 4, 1402, seen)"
		" FROM differs WHERE id = 1");
	must(flowdb_begin(kit.db, &err), &err);
	for (unsigned i = 0; i < 4; i++)
		put(&kit, i, 400 + i);
	dbkit_done(&kit);
	asks(&kit, "SELECT group_concat(differs) FROM flow", "1,1,2,3,4\n");
	asks(&kit, ASTRAY, "0\n");
	dbkit_close(&kit);
}

/* Numbers of flows move on as if a million had come and gone. */
static void pass_an_era(struct dbkit *kit, int64_t to)
{
	char text[128];

	dbkit_done(kit);
	snprintf(text, sizeof(text),
	         "UPDATE flow SET id = %lld WHERE id = (SELECT max(id) FROM flow)",
	         (long long)to);
	dbkit_sql(kit->dir, text);
	must(flowdb_open(kit->dir, FLOWDB_WRITE, &kit->db, &(struct err){0}), &(struct err){0});
	must(flowdb_begin(kit->db, &(struct err){0}), &(struct err){0});
}

static void no_flow_names_what_is_of_an_earlier_era(void **state)
{
	struct dbkit kit;

	(void)state;
	dbkit_open(&kit);
	put(&kit, 0, 400);
	put(&kit, 1, 400);
	pass_an_era(&kit, ERA - 2);
	put(&kit, 2, 400); /* the last number of its era */
	put(&kit, 3, 400);
	put(&kit, 4, 400);
	put(&kit, 5, 401);
	pass_an_era(&kit, 5 * (int64_t)ERA + 7);
	put(&kit, 6, 401);
	dbkit_done(&kit);
	asks(&kit, "SELECT group_concat(id || ':' || differs, ' ') FROM flow",
	     "1:1 1048574:1 1048575:1 1048576:1048576 1048577:1048576 5242887:1048577 5242888:5242880\n");
	asks(&kit, ASTRAY, "0\n");
	dbkit_close(&kit);
}

static void what_no_flow_names_any_more_goes_with_old_flows(void **state)
{
	struct retention retention = {.limits.span_us = 3600 * INT64_C(1000000)};
	struct err err = {0};
	struct dbkit kit;

	(void)state;
	dbkit_open(&kit);
	for (unsigned i = 0; i < 100; i++)
		put(&kit, i, 400 + i);
	pass_an_era(&kit, ERA + 5);
	for (unsigned i = 0; i < 10; i++)
		put(&kit, 50000 + i, 400 + i);
	must(flowdb_commit(kit.db, &err), &err);
	asks(&kit, "SELECT count(DISTINCT id) FROM differs", "110\n");
	must(retention_finish(&retention, kit.db, DBKIT_DAY + 30000 * INT64_C(1000000), &err),
	     &err);
	must(flowdb_begin(kit.db, &err), &err);
	put(&kit, 50010, 400); /* what goes was never to be named again */
	dbkit_done(&kit);
	asks(&kit, "SELECT min(id), max(id), count(DISTINCT id) FROM differs",
	     "1048576|1048585|10\n");
	asks(&kit, "SELECT count(*), min(id) FROM flow", "11|1048582\n");
	asks(&kit, ASTRAY, "0\n");
	dbkit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_that_differ_alike_share_an_id),
		cmocka_unit_test(who_goes_on_gives_the_ids_that_would_have_been_given),
		cmocka_unit_test(more_than_are_remembered_are_told_apart),
		cmocka_unit_test(ids_that_were_taken_back_are_given_to_others),
		cmocka_unit_test(what_another_has_written_meanwhile_is_shared),
		cmocka_unit_test(no_flow_names_what_is_of_an_earlier_era),
		cmocka_unit_test(what_no_flow_names_any_more_goes_with_old_flows),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
