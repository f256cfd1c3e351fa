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

/* What a flow may be when it is told, and told anew. */
static const struct form {
	enum ruling ruling;
	enum kind kind;
	unsigned finding, seconds, audio, blind;
	const char *seen;
} FORMS[] = {
	{RULING_DOCUMENTED, KIND_NONE, 0, 10, 0, 0, NULL},
	{RULING_DOCUMENTED, KIND_NONE, 0, 8000, 3, 1, NULL},
	{RULING_DOCUMENTED, KIND_REFUSED, 1, 10, 0, 0, NULL},
	{RULING_OUTSIDE, KIND_REMOTE_PORT, 1, 10, 0, 0, "443"},
	{RULING_OUTSIDE, KIND_REMOTE_PORT, 2, 8000, 4, 0, "444"},
	{RULING_OUTSIDE, KIND_PEER, 0, 10, 5, 0, "444"},
	{RULING_UNDETERMINED, KIND_NONE, 0, 10, 6, 0, NULL},
};

static void put_form(struct story *story, const struct form *form, bool waits, int64_t *id)
{
	struct flow_facts facts = dbkit_facts(5, "52.112.1.9", 443);
	bool outside = form->ruling == RULING_OUTSIDE;
	struct verdict verdict = {
		.ruling = (uint8_t)form->ruling,
		.grade = outside ? GRADE_NONE : GRADE_EXACT,
		.kind = (uint8_t)form->kind,
		.row_count = form->ruling == RULING_DOCUMENTED,
		.nearest_count = outside,
		.nearest = {{.count = 1, .differs = {{FIELD_REMOTE_PORT, "50000", ""}}}}};
	struct flow_row row = {
		.run = story->kit.run,
		.policy = story->kit.policy,
		.unit = story->kit.unit,
		.facts = &facts,
		.name = form->audio ? "fe01.corp.example" : "",
		.app = facts.app,
		.verdict = &verdict,
		.rows = {"online.out.auth_https"},
		.nearest = {"online.out.audio"},
		.finding = form->finding ? story->finding[form->finding - 1] : 0,
		.blind = form->blind,
		.waits = waits,
	};
	struct err err = {0};

	if (outside)
		text_copy(verdict.nearest[0].differs[0].seen,
		          sizeof(verdict.nearest[0].differs[0].seen), form->seen);
	facts.id = 7;
	facts.last_us = facts.first_us + form->seconds * INT64_C(1000000);
	facts.media_packets[0] = form->audio;
	assert_int_equal(flowdb_flow_put(story->kit.db, &row, id, &err), 0);
}

/* `first` may be NULL: told once. */
static char *told_anew(const struct form *first, const struct form *then, bool commits,
                       bool waits)
{
	struct story story;
	int64_t id = 0;
	char *kept;

	begin(&story, false);
	put(&story, 3);
	if (first)
		put_form(&story, first, waits, &id);
	if (first && commits)
		commit(&story);
	put_form(&story, then, waits, &id);
	put(&story, 3);
	dbkit_done(&story.kit);
	kept = dbkit_ask(
		story.kit.dir,
		"SELECT * FROM v_flow; SELECT id, start_us, lasted_us, packet, name, row,"
		" finding, kind, said, how FROM flow; SELECT * FROM flow_more;"
		"SELECT * FROM tally WHERE flows <> 0; PRAGMA integrity_check;"
		"SELECT count(*) FROM flow INDEXED BY flow_long WHERE lasted_us > 3600000000;"
		"SELECT id FROM flow INDEXED BY flow_outside WHERE finding IS NOT NULL OR kind > 0"
		" ORDER BY id");
	dbkit_close(&story.kit);
	return kept;
}

static void a_row_written_anew_is_as_if_it_were_written_once(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(FORMS); i++) {
		CLEANUP(freep) char *once = told_anew(NULL, &FORMS[i], false, false);

		for (size_t j = 0; j < 2 * ARRAY_LEN(FORMS); j++) {
			CLEANUP(freep)
			char *anew =
				told_anew(&FORMS[j / 2], &FORMS[i], j & 1, (i + j / 2) & 1);

			assert_string_equal(anew, once);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_to_be_written_are_there_for_all),
		cmocka_unit_test(a_row_written_anew_is_as_if_it_were_written_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
