/*
 * test_flowdb_changes.c - what becomes of findings waits for the end of its transaction (schema/flowdb_changes.c): the
 * database is the one that is made where nothing waits, also what the triggers noted.
 */
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define FINDINGS 9000 /* more than twice as many as wait at once */
#define KEPT \
	"SELECT * FROM finding ORDER BY id; SELECT * FROM finding_change ORDER BY id;" \
	"SELECT * FROM envelope_row ORDER BY id; SELECT * FROM sqlite_sequence ORDER BY name"

struct story {
	struct dbkit kit;
	bool waits;
	struct finding_row row[FINDINGS];
	int64_t id[FINDINGS];
};

/* Where nothing is to wait, somebody asks. */
static void seen(struct story *story)
{
	struct err err = {0};
	int64_t id;

	if (!story->waits)
		assert_int_equal(flowdb_last_change(story->kit.db, story->kit.run, &id, &err), 0);
}

static void put(struct story *story, unsigned i)
{
	struct err err = {0};

	assert_int_equal(flowdb_finding_put(story->kit.db, &story->row[i], &story->id[i], &err), 0);
	seen(story);
}

static void open_one(struct story *story, unsigned i)
{
	struct finding_row *row = &story->row[i];
	struct err err = {0};

	*row = (struct finding_row){
		.unit = story->kit.unit,
		.kind = KIND_PEER,
		.severity = SEVERITY_MEDIUM,
		.transport = 6,
		.app = (uint16_t)(i % 5),
		.first_us = 1000 + i,
		.last_us = 2000 + i,
		.flows = 1,
		.open = true,
		.reason = "as it opened",
	};
	if (i % 9)
		snprintf(row->row, sizeof(row->row), "row.%u", i % 7);
	snprintf(row->remote, sizeof(row->remote), "10.%u.%u.0/24", i / 256, i % 256);
	assert_int_equal(flowdb_finding_number(story->kit.db, &story->id[i], &err), 0);
	assert_int_equal(flowdb_finding_open(story->kit.db, row, story->id[i], &err), 0);
	seen(story);
}

static void count(struct story *story, unsigned i)
{
	story->row[i].flows++;
	story->row[i].last_us += 500;
	snprintf(story->row[i].reason, sizeof(story->row[i].reason), "seen %u times",
	         (unsigned)story->row[i].flows);
	put(story, i);
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

static void tell_of_many(struct story *story)
{
	for (unsigned i = 0; i < FINDINGS; i++) {
		open_one(story, i);
		if (i % 3 == 0)
			count(story, i);
		if (i >= 100 && i % 2) /* of this transaction, and of the one before */
			count(story, i - 100);
		if (i == 2000 || i == 2050)
			commit(story);
	}
}

static void findings_that_wait_are_written_as_if_they_had_not(void **state)
{
	told_alike(tell_of_many);
}

static void close_one(struct story *story, unsigned i, bool open)
{
	story->row[i].open = open;
	snprintf(story->row[i].reason, sizeof(story->row[i].reason), open ? "again" : "closed");
	put(story, i);
}

static void tell_of_changes(struct story *story)
{
	for (unsigned i = 0; i < 300; i++) {
		open_one(story, i);
		if (i % 3 == 0) { /* a flow that began earlier ends later */
			story->row[i].first_us -= 900;
			count(story, i);
		}
		if (i % 4 == 0)
			close_one(story, i, false);
		if (i % 8 == 0) {
			count(story, i); /* closed: the time noted is that of the closing */
			close_one(story, i, true);
			count(story, i);
		}
		if (i % 5 == 0) {
			text_copy(story->row[i].waiver, sizeof(story->row[i].waiver), "netops");
			put(story, i);
		}
		if (i % 20 == 0) {
			*story->row[i].waiver = '\0';
			put(story, i);
		}
		if (i == 150)
			commit(story);
		if (i > 10 && i % 6 == 0)
			close_one(story, i - 10, !story->row[i - 10].open);
	}
}

static void what_is_noted_of_them_is_noted_in_its_order(void **state)
{
	told_alike(tell_of_changes);
}

static void tell_of_a_later_run(struct story *story)
{
	const struct run_row run = {.version = "test", .source = "file", .inputs = "b", .filter = ""};
	struct err err = {0};
	int64_t id;

	for (unsigned i = 0; i < 50; i++)
		open_one(story, i);
	for (unsigned i = 0; i < 50; i += 3)
		close_one(story, i, false);
	commit(story);
	for (unsigned i = 50; i < 60; i++) /* of the run before */
		open_one(story, i);
	assert_int_equal(flowdb_run_begin(story->kit.db, &run, &id, &err), 0);
	for (unsigned i = 0; i < 50; i++) {
		count(story, i); /* seen again: the time of the first sight is noted, not that of the last */
		count(story, i);
	}
	for (unsigned i = 0; i < 50; i += 6)
		close_one(story, i, true);
}

static void what_a_later_run_sees_again_is_noted_at_first_sight(void **state)
{
	told_alike(tell_of_a_later_run);
}

static void tell_of_what_is_taken_back(struct story *story)
{
	struct err err = {0};

	for (unsigned i = 0; i < 50; i++)
		open_one(story, i);
	commit(story);
	for (unsigned i = 0; i < 50; i++)
		count(story, i);
	for (unsigned i = 50; i < 100; i++)
		open_one(story, i);
	flowdb_rollback(story->kit.db);
	assert_int_equal(flowdb_begin(story->kit.db, &err), 0);
	for (unsigned i = 70; i < 120; i++)
		open_one(story, i);
}

static void what_waited_is_forgotten_with_its_transaction(void **state)
{
	told_alike(tell_of_what_is_taken_back);
}

/* By its key and by its id a finding that waits is found as one that is there. */
static void who_asks_sees_what_waits(void **state)
{
	CLEANUP(freep) struct story *story = malloc(sizeof(*story));
	struct finding_row found;
	struct err err = {0};
	int64_t id = 0;

	assert_non_null(story);
	begin(story, true);
	for (unsigned i = 0; i < 40; i++)
		open_one(story, i);
	count(story, 7);
	assert_int_equal(flowdb_finding_find(story->kit.db, &story->row[7], &found, &id, &err), 1);
	assert_int_equal(id, story->id[7]);
	assert_int_equal(found.flows, 2);
	open_one(story, 40);
	assert_int_equal(flowdb_finding_key(story->kit.db, story->id[40], &found, &err), 1);
	assert_string_equal(found.remote, story->row[40].remote);
	open_one(story, 41);
	*story->row[42].remote = 'x'; /* of no finding */
	assert_int_equal(flowdb_finding_find(story->kit.db, &story->row[42], &found, &id, &err), 0);
	dbkit_done(&story->kit);
	dbkit_close(&story->kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(findings_that_wait_are_written_as_if_they_had_not),
		cmocka_unit_test(what_is_noted_of_them_is_noted_in_its_order),
		cmocka_unit_test(what_a_later_run_sees_again_is_noted_at_first_sight),
		cmocka_unit_test(what_waited_is_forgotten_with_its_transaction),
		cmocka_unit_test(who_asks_sees_what_waits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
