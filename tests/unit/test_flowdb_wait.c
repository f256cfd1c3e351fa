/*
 * test_flowdb_wait.c - rows that wait for the end of their transaction (schema/flowdb_wait.c): the database is the one that
 * is made where none waits.
 */
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define FLOWS 9000 /* more than twice the places, so that rows come to those of others */
#define KEPT \
	"SELECT * FROM flow ORDER BY id; SELECT * FROM flow_more ORDER BY flow;" \
	"SELECT * FROM differs ORDER BY id, rank;" \
	"SELECT * FROM tally ORDER BY 1, 2, 3, 4"

struct story {
	struct dbkit kit;
	bool waits;
	int64_t finding[2];
	int64_t id[FLOWS];
};

static void put(struct story *story, unsigned i, bool ended, bool outside, int64_t finding)
{
	struct flow_facts facts =
		dbkit_facts((int)(i % 3600), "52.112.1.9", (uint16_t)(1024 + i % 500));
	struct verdict verdict = {
		.ruling = outside ? RULING_OUTSIDE : RULING_DOCUMENTED,
		.grade = outside ? GRADE_NONE : GRADE_EXACT,
		.kind = outside ? KIND_REMOTE_PORT : KIND_NONE,
		.row_count = outside ? 0 : 1,
		.nearest_count = outside ? 1 : 0,
		.nearest = {{.count = 1,
	                     .differs = {{FIELD_REMOTE_PORT, "50000-59999", "16332"}}}}};
	struct flow_row row = {
		.run = story->kit.run,
		.policy = story->kit.policy,
		.unit = story->kit.unit,
		.facts = &facts,
		.name = i % 3 ? "" : "fe01.corp.example",
		.app = facts.app,
		.evidence = facts.evidence,
		.verdict = &verdict,
		.rows = {outside ? NULL : "online.out.auth_https"},
		.nearest = {outside ? "online.out.audio" : NULL},
		.finding = finding,
		.waits = story->waits && !ended,
	};
	struct err err = {0};

	facts.id = i + 1;
	facts.packets[0] += ended;
	facts.media_packets[0] = i % 7 ? 0 : i;
	assert_int_equal(flowdb_flow_put(story->kit.db, &row, &story->id[i], &err), 0);
}

static void commit(struct story *story)
{
	struct err err = {0};

	assert_int_equal(flowdb_commit(story->kit.db, &err), 0);
	assert_int_equal(flowdb_begin(story->kit.db, &err), 0);
}

static void begin(struct story *story, bool waits)
{
	memset(story, 0, sizeof(*story));
	story->waits = waits;
	dbkit_open(&story->kit);
	for (unsigned i = 0; i < 2; i++)
		story->finding[i] =
			dbkit_finding(&story->kit, story->kit.unit, KIND_REMOTE_PORT,
		                      SEVERITY_MEDIUM, i ? "192.0.2.1" : "192.0.2.2", 1);
	commit(story);
}

static void end(struct story *story, char **ret)
{
	dbkit_done(&story->kit);
	*ret = dbkit_ask(story->kit.dir, KEPT);
	dbkit_close(&story->kit);
}

/* Tells it twice, and compares what is kept. */
static void told_alike(void (*tell)(struct story *story))
{
	CLEANUP(freep) struct story *story = malloc(sizeof(*story));
	CLEANUP(freep) char *plain = NULL;
	CLEANUP(freep) char *waited = NULL;

	assert_non_null(story);
	begin(story, false);
	tell(story);
	end(story, &plain);
	begin(story, true);
	tell(story);
	end(story, &waited);
	assert_true(strlen(plain) > 1000);
	assert_string_equal(waited, plain);
}

static void tell_flows(struct story *story)
{
	for (unsigned i = 0; i < FLOWS; i++) {
		put(story, i, false, i % 5 == 0, i % 5 ? 0 : story->finding[0]);
		if (i >= 100 && i % 3 == 0) /* over in the same transaction */
			put(story, i - 100, true, (i - 100) % 5 == 0,
			    (i - 100) % 5 ? 0 : story->finding[0]);
		if (i == 6000)
			commit(story);
	}
	for (unsigned i = 0; i < FLOWS; i += 7) /* over much later, and judged otherwise */
		put(story, i, true, i % 2, i % 2 ? story->finding[1] : 0);
}

static void rows_that_wait_are_written_as_if_they_had_not(void **state)
{
	told_alike(tell_flows);
}

static void tell_of_blindness(struct story *story)
{
	struct err err = {0};

	for (unsigned i = 0; i < 200; i++)
		put(story, i, i % 2, false, 0);
	for (unsigned i = 0; i < 200; i += 3)
		assert_int_equal(flowdb_flow_blind(story->kit.db, story->id[i], &err), 0);
}

static void what_waits_is_marked_blind_where_it_waits(void **state)
{
	told_alike(tell_of_blindness);
}

static void tell_of_a_fold(struct story *story)
{
	struct err err = {0};

	for (unsigned i = 0; i < 200; i++)
		put(story, i, i % 2, true, story->finding[i % 4 == 0]);
	assert_int_equal(
		flowdb_finding_fold(story->kit.db, story->finding[1], story->finding[0], &err),
		0);
	for (unsigned i = 0; i < 200;
	     i += 8) /* what waited is over, and stands where the others went */
		put(story, i, true, true, story->finding[0]);
}

static void what_waits_goes_along_with_its_finding(void **state)
{
	told_alike(tell_of_a_fold);
}

static void tell_of_what_is_taken_back(struct story *story)
{
	struct err err = {0};

	for (unsigned i = 0; i < 100; i++)
		put(story, i, false, false, 0);
	commit(story);
	for (unsigned i = 100; i < 200; i++)
		put(story, i, false, false, 0);
	flowdb_rollback(story->kit.db);
	memset(story->id + 100, 0, 100 * sizeof(*story->id));
	assert_int_equal(flowdb_begin(story->kit.db, &err), 0);
	for (unsigned i = 50; i < 150; i++)
		put(story, i, i % 2, false, 0);
}

static void what_waited_is_forgotten_with_its_transaction(void **state)
{
	told_alike(tell_of_what_is_taken_back);
}

static void tell_of_the_last_row_and_new_ones(struct story *story)
{
	for (unsigned i = 0; i < 10; i++)
		put(story, i, false, false, 0);
	commit(story);
	put(story, 9, false, false, 0); /* first of all in its transaction */
	for (unsigned i = 10; i < 200; i++)
		put(story, i, i % 2, false, 0);
	put(story, 9, true, false, 0);
	for (unsigned i = 0; i < 200; i++)
		for (unsigned j = 0; j < i; j++)
			assert_int_not_equal(story->id[i], story->id[j]);
}

static void what_waits_with_the_highest_id_keeps_it(void **state)
{
	told_alike(tell_of_the_last_row_and_new_ones);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_that_wait_are_written_as_if_they_had_not),
		cmocka_unit_test(what_waits_is_marked_blind_where_it_waits),
		cmocka_unit_test(what_waits_goes_along_with_its_finding),
		cmocka_unit_test(what_waited_is_forgotten_with_its_transaction),
		cmocka_unit_test(what_waits_with_the_highest_id_keeps_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
