/*
 * test_flowdb_rows.c - rows of the table `flow` that are to be written (schema/flowdb_rows.c): whoever reads or changes the
 * table finds them there, however many they are, and the database is the one of a writer that commits after each.
 */
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define FLOWS_MAX 40
#define KEPT \
	"SELECT * FROM flow ORDER BY id; SELECT * FROM tally ORDER BY 1, 2, 3, 4;" \
	"SELECT * FROM finding ORDER BY id"

struct story {
	struct dbkit kit;
	bool commits;
	int64_t finding[2], policy, id[FLOWS_MAX];
	unsigned flows;
};

static void commit(struct story *story)
{
	struct err err = {0};

	assert_int_equal(flowdb_commit(story->kit.db, &err), 0);
	assert_int_equal(flowdb_begin(story->kit.db, &err), 0);
}

static void begin(struct story *story, bool commits)
{
	struct err err = {0};

	*story = (struct story){.commits = commits};
	dbkit_open(&story->kit);
	assert_int_equal(
		flowdb_policy_put(story->kit.db, "another", "", "", &story->policy, &err), 0);
	for (unsigned i = 0; i < 2; i++)
		story->finding[i] =
			dbkit_finding(&story->kit, story->kit.unit, KIND_REMOTE_PORT,
		                      SEVERITY_MEDIUM, i ? "192.0.2.1" : "192.0.2.2", 1);
	commit(story);
}

static void put(struct story *story, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		struct flow_facts facts = dbkit_facts((int)story->flows, "52.112.1.9", 443);

		facts.id = story->flows + 1;
		story->id[story->flows++] =
			dbkit_flow(&story->kit, &facts, NULL, story->finding[0]);
		if (story->commits)
			commit(story);
	}
}

static int seen(void *context, const struct flow_view *flow, struct err *err)
{
	(void)err;
	*(uint64_t *)context = flow->facts.id;
	return 0;
}

static void is_found(struct story *story, unsigned flows)
{
	int64_t start = dbkit_facts((int)flows - 1, "52.112.1.9", 443).first_us;
	struct flow_found found;
	struct err err = {0};

	assert_int_equal(flowdb_flow_find(story->kit.db, story->kit.run, story->kit.unit, start,
	                                  flows, &found, &err),
	                 1);
	assert_int_equal(found.id, story->id[flows - 1]);
	assert_int_equal(found.finding, story->finding[0]);
}

static void is_shown(struct story *story, unsigned flows)
{
	uint64_t number = 0;
	struct err err = {0};

	assert_int_equal(flowdb_flow(story->kit.db, story->id[flows - 1], seen, &number, &err),
	                 1);
	assert_int_equal(number, flows);
}

static void is_the_latest(struct story *story, unsigned flows)
{
	int64_t latest = 0;
	struct err err = {0};

	assert_int_equal(flowdb_finding_latest(story->kit.db, story->finding[0], &latest, &err),
	                 0);
	assert_int_equal(latest, dbkit_facts((int)flows - 1, "52.112.1.9", 443).first_us);
}

static void becomes_blind(struct story *story, unsigned flows)
{
	struct err err = {0};

	assert_int_equal(flowdb_flow_blind(story->kit.db, story->id[flows - 1], &err), 0);
}

static void is_judged_by_another(struct story *story, unsigned flows)
{
	struct err err = {0};

	assert_int_equal(
		flowdb_flow_policy(story->kit.db, story->id[flows - 1], story->policy, &err),
		0);
}

static void goes_along(struct story *story, unsigned flows)
{
	struct err err = {0};

	(void)flows;
	assert_int_equal(
		flowdb_finding_fold(story->kit.db, story->finding[0], story->finding[1], &err),
		0);
}

static void comes_anew(struct story *story, unsigned flows)
{
	struct flow_facts facts = dbkit_facts((int)flows - 1, "52.112.1.9", 444);
	struct verdict verdict = {
		.ruling = RULING_DOCUMENTED, .grade = GRADE_EXACT, .row_count = 1};
	struct flow_row row = {
		.run = story->kit.run,
		.policy = story->kit.policy,
		.unit = story->kit.unit,
		.facts = &facts,
		.name = "",
		.app = facts.app,
		.verdict = &verdict,
		.rows = {"online.out.auth_https"},
	};
	struct err err = {0};

	facts.id = flows;
	assert_int_equal(flowdb_flow_put(story->kit.db, &row, &story->id[flows - 1], &err), 0);
}

static void is_taken_back(struct story *story, unsigned flows)
{
	struct err err = {0};

	if (story->commits) /* of that nothing can be taken back, so nothing is written */
		return;
	flowdb_rollback(story->kit.db);
	story->flows -= flows;
	assert_int_equal(flowdb_begin(story->kit.db, &err), 0);
}

/* What happens to the last one of so many rows, and to one in their midst; then others come. */
static char *told(void (*happens)(struct story *story, unsigned flows), unsigned flows,
                  bool commits)
{
	struct story story;
	char *kept;

	begin(&story, commits);
	if (happens == is_taken_back && commits)
		flows = 0;
	put(&story, flows);
	if (flows || happens != is_taken_back)
		happens(&story, flows);
	if (flows > 1 && happens != is_the_latest && happens != is_taken_back)
		happens(&story, flows / 2);
	put(&story, 1);
	dbkit_done(&story.kit);
	kept = dbkit_ask(story.kit.dir, KEPT);
	dbkit_close(&story.kit);
	return kept;
}

static void rows_to_be_written_are_there_for_all(void **state)
{
	static void (*const HAPPENS[])(struct story * story, unsigned flows) = {
		is_found,   is_shown,   is_the_latest, becomes_blind, is_judged_by_another,
		goes_along, comes_anew, is_taken_back,
	};

	static const unsigned FLOWS[] = {1, 15, 16, 17, 35}; /* 16 are written at a time */

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(HAPPENS); i++)
		for (size_t j = 0; j < ARRAY_LEN(FLOWS); j++) {
			CLEANUP(freep) char *one = told(HAPPENS[i], FLOWS[j], true);
			CLEANUP(freep) char *many = told(HAPPENS[i], FLOWS[j], false);

			assert_true(strlen(one) > 100);
			assert_string_equal(many, one);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_to_be_written_are_there_for_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
