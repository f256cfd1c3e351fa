/*
 * test_flowdb_aside.c - a damaged database keeps its WAL when it is set aside, wherever that is cut off, and the one that
 * stands in its place knows of it.
 */
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#define NAME "flows.db.damaged-20261122T031500Z"
#define AT_US INT64_C(1795317300000000)

/* DIR, with a database whose run is in its WAL alone: its writer was killed. */
static void make_killed(char dir[64])
{
	struct err err = {0};
	struct dbkit kit;
	char command[256];

	text_copy(dir, 64, "/tmp/tlmon-test-XXXXXX");
	assert_non_null(mkdtemp(dir));
	dbkit_open(&kit);
	assert_int_equal(flowdb_commit(kit.db, &err), 0);
	snprintf(command, sizeof(command), "cp %s/flows.db* %s", kit.dir, dir);
	assert_int_equal(system(command), 0);
	assert_int_equal(flowdb_begin(kit.db, &err), 0);
	dbkit_close(&kit);
}

static void run(const char *dir, const char *text)
{
	char command[512];

	snprintf(command, sizeof(command), "cd %s && %s", dir, text);
	assert_int_equal(system(command), 0);
}

static void open_anew(const char *dir)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct span span;
	struct err err = {0};

	if (flowdb_open(dir, FLOWDB_WRITE, &db, &err) < 0)
		fail_msg("%s", err.text);
	assert_int_equal(flowdb_span(db, &span, &err), 0);
	assert_int_equal(span.runs, 0);
}

/* What is aside, read under the name it had. */
static void is_whole(const char *dir)
{
	CLEANUP(freep) char *runs = NULL;

	run(dir, "test ! -e " NAME ".moving -a ! -e flows.db-wal");
	run(dir,
	    "mkdir then && cp " NAME " then/flows.db && cp " NAME "-wal then/flows.db-wal");
	run(dir, "mv then/* . && rmdir then");
	runs = dbkit_ask(dir, "SELECT count(*) FROM run");
	assert_string_equal(runs, "1\n");
	run(dir, "rm -r $PWD");
}

static void it_keeps_its_wal_wherever_that_is_cut_off(void **state)
{
	static const char *const STEPS[] = {"mv flows.db " NAME ".moving",
	                                    "mv flows.db-wal " NAME "-wal",
	                                    "mv flows.db-shm " NAME "-shm"};

	for (size_t done = 1; done <= ARRAY_LEN(STEPS); done++) {
		char dir[64];

		make_killed(dir);
		for (size_t i = 0; i < done; i++)
			run(dir, STEPS[i]);
		open_anew(dir);
		is_whole(dir);
	}
}

static void what_is_begun_is_finished_before_another_is_set_aside(void **state)
{
	struct flowdb_aside aside;
	struct err err = {0};
	char dir[64];

	make_killed(dir);
	run(dir, "mv flows.db " NAME ".moving");
	assert_int_equal(flowdb_set_aside(dir, AT_US + 1000000, &err), 0);
	assert_int_equal(flowdb_aside(dir, &aside, &err), 1);
	assert_string_equal(aside.name, NAME);
	is_whole(dir);
}

static void whoever_comes_later_learns_of_it_by_its_name(void **state)
{
	struct flowdb_aside aside;
	struct err err = {0};
	char dir[64];

	make_killed(dir);
	run(dir,
	    "touch flows.db.damaged-20251122T031500Z flows.db.damaged-x flows.db.damaged-20991122T031500Z-wal");
	assert_int_equal(flowdb_set_aside(dir, AT_US + 5, &err), 0);
	assert_int_equal(flowdb_aside(dir, &aside, &err), 1);
	assert_string_equal(aside.name, NAME);
	assert_int_equal(aside.at_us, AT_US);
	assert_int_equal(aside.since_us, 0);
	assert_int_equal(aside.until_us, AT_US);
	open_anew(dir);
	is_whole(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_keeps_its_wal_wherever_that_is_cut_off),
		cmocka_unit_test(what_is_begun_is_finished_before_another_is_set_aside),
		cmocka_unit_test(whoever_comes_later_learns_of_it_by_its_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
