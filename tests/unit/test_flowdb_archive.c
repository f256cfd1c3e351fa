/*
 * test_flowdb_archive.c - flows that move to an archive keep their numbers, are never lost and never doubled,
 * wherever a call is cut off; snapshots are whole or not there; what is counted wrong is told.
 */
#include "tests/lib/dbkit.h"
#include "tests/lib/flowgen.h"
#include "schema/flowdb_upkeep.h"

#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define FLOWS 9000
#define DAY_US INT64_C(86400000000)

struct bench {
	char dir[64], to[80];
};

static void must(int r, const struct err *err)
{
	if (r < 0)
		fail_msg("%s", err->text);
}

static int setup(void **state)
{
	const struct flowgen_size size = {.flows = FLOWS, .units = 20, .days = 4, .seed = 3};
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	CLEANUP(flowgen_freep) struct flowgen *gen = NULL;
	struct bench *bench = calloc(1, sizeof(*bench));
	struct flow_facts facts;
	struct verdict verdict;
	struct flow_row flow;
	struct err err = {0};
	int r;

	text_copy(bench->dir, sizeof(bench->dir), "/tmp/tlmon-test-XXXXXX");
	assert_non_null(mkdtemp(bench->dir));
	snprintf(bench->to, sizeof(bench->to), "%s/archive", bench->dir);
	must(flowdb_open(bench->dir, FLOWDB_WRITE, &db, &err), &err);
	must(flowdb_begin(db, &err), &err);
	must(flowgen_new(db, &size, &gen, &err), &err);
	while ((r = flowgen_next(gen, &flow, &facts, &verdict, &err)) > 0) {
		int64_t id = 0;

		must(flowdb_flow_put(db, &flow, &id, &err), &err);
	}
	must(r, &err);
	must(flowgen_finish(gen, &err), &err);
	must(flowdb_commit(db, &err), &err);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;
	char command[128];

	snprintf(command, sizeof(command), "rm -rf %s", bench->dir);
	assert_int_equal(system(command), 0);
	free(bench);
	return 0;
}

static int64_t ask(const char *dir, const char *text)
{
	CLEANUP(freep) char *lines = dbkit_ask(dir, text);

	return *lines ? strtoll(lines, NULL, 10) : -1;
}

static int each_wrong(void *context, const char *wrong, struct err *err)
{
	fail_msg("%s", wrong);
	return 0;
}

static void is_sound(const char *dir)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct err err = {0};

	must(flowdb_open(dir, FLOWDB_READ, &db, &err), &err);
	must(flowdb_verify(db, NULL, each_wrong, NULL, &err), &err);
}

static struct archived archive(struct bench *bench, int64_t until_us)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct archived moved;
	struct err err = {0};

	must(flowdb_open(bench->dir, FLOWDB_WRITE, &db, &err), &err);
	must(flowdb_archive(db, bench->to, until_us, NULL, &moved, &err), &err);
	return moved;
}

/* All flows with all that a reader is told of them, from both together. */
static char *all_of(struct bench *bench)
{
	if (access(bench->to, F_OK))
		return dbkit_ask(bench->dir, "SELECT * FROM v_flow ORDER BY id");
	CLEANUP(freep) char *here = dbkit_ask(bench->dir, "SELECT * FROM v_flow ORDER BY id"),
	                    *there = dbkit_ask(bench->to, "SELECT * FROM v_flow ORDER BY id");
	char *all = malloc(strlen(here) + strlen(there) + 1);

	strcpy(all, there);
	strcat(all, here);
	return all;
}

static int by_id(const void *a, const void *b)
{
	return (int)(strtol(*(char *const *)a, NULL, 10) - strtol(*(char *const *)b, NULL, 10));
}

/* Lines in the order of their numbers. */
static char *sorted(char *text)
{
	char **lines = calloc(strlen(text) + 1, sizeof(*lines)), *out = malloc(strlen(text) + 1),
	     *save = NULL;
	size_t count = 0;

	for (char *line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
		lines[count++] = line;
	qsort(lines, count, sizeof(*lines), by_id);
	*out = '\0';
	for (size_t i = 0, at = 0; i < count; i++)
		at += (size_t)sprintf(out + at, "%s\n", lines[i]);
	free(lines);
	free(text);
	return out;
}

static void what_moves_is_there_as_it_was_and_the_rest_here(void **state)
{
	struct bench *bench = *state;
	CLEANUP(freep) char *before = sorted(all_of(bench)), *after = NULL;
	int64_t until_us = FLOWGEN_DAY + 2 * DAY_US, there;
	struct archived moved = archive(bench, until_us);

	there = ask(bench->to, "SELECT count(*) FROM flow");
	assert_true(there > FLOWS / 4 && there < FLOWS * 3 / 4);
	assert_int_equal(moved.flows, there);
	assert_int_equal(moved.again, 0);
	assert_int_equal(ask(bench->dir, "SELECT count(*) FROM flow"), FLOWS - there);
	after = sorted(all_of(bench));
	assert_string_equal(after, before);
	assert_true(ask(bench->to, "SELECT max(start_us + lasted_us) FROM flow") < until_us);
	assert_true(ask(bench->dir, "SELECT min(start_us + lasted_us) FROM flow") >= until_us);
	assert_int_equal(ask(bench->dir, "SELECT until_us FROM removed WHERE how = 2"), until_us);
	assert_int_equal(ask(bench->to, "SELECT since_us FROM removed WHERE how = 3"), until_us);
	is_sound(bench->dir);
	is_sound(bench->to);
}

static void a_second_call_goes_on_where_the_first_ended(void **state)
{
	struct bench *bench = *state;
	CLEANUP(freep) char *before = sorted(all_of(bench)), *after = NULL;

	archive(bench, FLOWGEN_DAY + DAY_US);
	archive(bench, FLOWGEN_DAY + 3 * DAY_US);
	assert_int_equal(archive(bench, FLOWGEN_DAY + 3 * DAY_US).flows, 0);
	archive(bench, FLOWGEN_DAY + 100 * DAY_US);
	/* The last flow stays, so that its number is not given again. */
	assert_int_equal(ask(bench->dir, "SELECT count(*) FROM flow"), 1);
	after = sorted(all_of(bench));
	assert_string_equal(after, before);
	is_sound(bench->dir);
	is_sound(bench->to);
}

/* Dies after so many words of progress, as if killed. */
static void die(void *context, const char *doing, uint64_t done, uint64_t all)
{
	unsigned *left = context;

	if (!(*left)--)
		_exit(9);
}

static void a_call_that_dies_loses_nothing_and_doubles_nothing(void **state)
{
	struct bench *bench = *state;
	CLEANUP(freep) char *before = sorted(all_of(bench)), *after = NULL;

	for (unsigned steps = 0; steps < 3; steps++) {
		pid_t child = fork();
		int status;

		if (!child) {
			unsigned left = steps / 2;
			const struct upkeep_progress progress = {die, &left};
			struct flowdb *db = NULL;
			struct archived moved;
			struct err err = {0};

			if (flowdb_open(bench->dir, FLOWDB_WRITE, &db, &err) >= 0)
				(void)!flowdb_archive(db, bench->to, FLOWGEN_DAY + 3 * DAY_US,
				                      &progress, &moved, &err);
			_exit(0);
		}
		waitpid(child, &status, 0);
		assert_int_equal(WEXITSTATUS(status), 9);
	}
	archive(bench, FLOWGEN_DAY + 3 * DAY_US);
	after = sorted(all_of(bench));
	assert_string_equal(after, before);
	is_sound(bench->dir);
	is_sound(bench->to);
}

static void rows_that_were_copied_and_not_deleted_are_recognised(void **state)
{
	struct bench *bench = *state;
	CLEANUP(freep) char *before = sorted(all_of(bench)), *after = NULL;
	char text[1024];

	/* Back to the moment between copying and deleting. */
	snprintf(text, sizeof(text), "cp %s/flows.db %s/before.db", bench->dir, bench->dir);
	assert_int_equal(system(text), 0);
	archive(bench, FLOWGEN_DAY + 2 * DAY_US);
	snprintf(text, sizeof(text), "mv %s/before.db %s/flows.db", bench->dir, bench->dir);
	assert_int_equal(system(text), 0);
	assert_true(archive(bench, FLOWGEN_DAY + 2 * DAY_US).again > FLOWS / 4);
	after = sorted(all_of(bench));
	assert_string_equal(after, before);
	is_sound(bench->dir);
	is_sound(bench->to);
}

static void refused(struct bench *bench, const char *to, const char *words)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct archived moved;
	struct err err = {0};

	must(flowdb_open(bench->dir, FLOWDB_WRITE, &db, &err), &err);
	assert_true(flowdb_archive(db, to, FLOWGEN_DAY + DAY_US, NULL, &moved, &err) < 0);
	if (!strstr(err.text, words))
		fail_msg("no '%s' in: %s", words, err.text);
	assert_int_equal(ask(bench->dir, "SELECT count(*) FROM flow"), FLOWS);
}

static void it_moves_into_no_database_of_another(void **state)
{
	struct bench *bench = *state;
	struct dbkit other;

	dbkit_open(&other);
	dbkit_done(&other);
	refused(bench, other.dir, "is no archive");
	dbkit_sql(other.dir, "INSERT INTO removed (how, since_us, flows, place) VALUES (3, 1, 0, '/x')");
	refused(bench, other.dir, "the archive of another database");
	dbkit_close(&other);
	refused(bench, bench->dir, "is the database itself");
}

/* As when its flows were judged again, and so given numbers that are given here too. */
static void it_moves_into_no_archive_whose_numbers_mean_something_else(void **state)
{
	static const struct {
		const char *change, *words;
	} changes[] = {
		{"INSERT INTO differs SELECT max(id), 7, field, row, expected, seen FROM differs", "differences"},
		{"DELETE FROM differs WHERE (id, rank, field) = (SELECT id, max(rank), field FROM differs"
		 " GROUP BY id HAVING count(*) > 1)",
		 "differences"},
		{"UPDATE phrase SET text = 'else' WHERE id = 1", "else is not the same"},
		{"UPDATE envelope_row SET text = 'another' WHERE id = 1", "another is not the same"},
		{"UPDATE link SET vlan = 4000 WHERE id = (SELECT min(id) FROM link)", "link"},
	};
	struct bench *bench = *state;
	char command[300];

	archive(bench, FLOWGEN_DAY + DAY_US);
	snprintf(command, sizeof(command), "cp -r %s %s.kept", bench->to, bench->to);
	assert_int_equal(system(command), 0);
	for (size_t i = 0; i < ARRAY_LEN(changes); i++) {
		CLEANUP(flowdb_closep) struct flowdb *db = NULL;
		struct archived moved;
		struct err err = {0};

		dbkit_sql(bench->to, changes[i].change);
		must(flowdb_open(bench->dir, FLOWDB_WRITE, &db, &err), &err);
		if (flowdb_archive(db, bench->to, FLOWGEN_DAY + 2 * DAY_US, NULL, &moved, &err) >= 0)
			fail_msg("moved all the same: %s", changes[i].change);
		if (!strstr(err.text, changes[i].words))
			fail_msg("no '%s' in: %s", changes[i].words, err.text);
		snprintf(command, sizeof(command), "rm -rf %s && cp -r %s.kept %s", bench->to,
		         bench->to, bench->to);
		assert_int_equal(system(command), 0);
	}
	archive(bench, FLOWGEN_DAY + 2 * DAY_US);
	is_sound(bench->to);
}

/* Rows of a day that the program writes without a number of its own. */
static void record_day(struct bench *bench, int64_t day_us)
{
	char text[1024];

	snprintf(text, sizeof(text),
	         "INSERT INTO blind (run, cause, since_us, until_us, count, detail)"
	         " VALUES (1, 3, %lld, %lld, 1, '');"
	         "INSERT INTO evidence (run, time_us, cause, link, wire_len, bytes)"
	         " VALUES (1, %lld, 3, 0, 60, x'0102');"
	         "INSERT INTO finding (unit, kind, severity, remote, role, transport, port, application,"
	         " first_us, last_us, flows, kept, bytes, open, reason, waiver)"
	         " VALUES (1, 1, 2, 'here and gone', '', 6, '443', 3, %lld, %lld, 7, 0, 5, 0, 'why', '');"
	         "INSERT INTO unit_address (unit, address, first_us, last_us, known_by)"
	         " SELECT 1, min(id), %lld, %lld, %d FROM host",
	         (long long)day_us, (long long)day_us + 1, (long long)day_us, (long long)day_us,
	         (long long)day_us + 1, (long long)day_us, (long long)day_us + 1,
	         day_us < FLOWGEN_DAY + 10 * DAY_US ? 1 : 2);
	dbkit_sql(bench->dir, text);
}

static void what_an_archive_has_no_later_one_takes_away(void **state)
{
	static const char *const COUNTS[] = {
		"SELECT count(*) FROM blind WHERE cause = 3",
		"SELECT count(*) FROM evidence WHERE cause = 3",
		"SELECT count(*) FROM finding WHERE remote = 'here and gone' AND flows = 7",
	};
	struct bench *bench = *state;

	dbkit_sql(bench->dir, "DELETE FROM blind; DELETE FROM evidence; DELETE FROM unit_address");
	for (unsigned i = 0; i < 3; i++) {
		int64_t until_us = FLOWGEN_DAY + (20 + i) * DAY_US;

		record_day(bench, until_us - 15 * DAY_US);
		archive(bench, until_us);
		archive(bench, until_us);
		assert_int_equal(ask(bench->dir, "SELECT count(*) FROM blind"), 0);
		assert_int_equal(ask(bench->dir, "SELECT count(*) FROM finding"
		                                 " WHERE remote = 'here and gone'"), 0);
		for (size_t k = 0; k < ARRAY_LEN(COUNTS); k++)
			assert_int_equal(ask(bench->to, COUNTS[k]), i + 1);
		is_sound(bench->dir);
		is_sound(bench->to);
	}
}

/* Two packets of each flow, its first and its last; and of each day one whose flow has no row. */
static void a_packet_goes_when_its_flow_does(void **state)
{
	static const char LOST[] =
		"SELECT count(*) FROM evidence e WHERE flow < 1000000000 AND NOT EXISTS (SELECT 1 FROM flow f"
		" WHERE f.finding = e.finding AND f.run = e.run AND f.packet = e.flow)";
	struct bench *bench = *state;
	int64_t all, until_us = FLOWGEN_DAY + 2 * DAY_US;
	char text[1024];

	dbkit_sql(bench->dir,
	          "DELETE FROM evidence;"
	          "UPDATE flow SET packet = id, lasted_us = max(lasted_us, 7200000000) WHERE finding NOT NULL;"
	          "INSERT INTO evidence (run, flow, finding, time_us, link, wire_len, bytes)"
	          " SELECT run, packet, finding, start_us, 0, 60, x'01' FROM flow WHERE finding NOT NULL"
	          " UNION ALL SELECT run, packet, finding, start_us + lasted_us, 0, 60, x'02' FROM flow"
	          " WHERE finding NOT NULL;"
	          "INSERT INTO evidence (run, flow, finding, time_us, link, wire_len, bytes)"
	          " SELECT run, 1000000000 + day, finding, min(start_us), 0, 60, x'03' FROM (SELECT *,"
	          " start_us / 86400000000 AS day FROM flow WHERE finding NOT NULL) GROUP BY day;"
	          "UPDATE finding SET flows = flows + 9, last_us = last_us + 7200000000");
	all = ask(bench->dir, "SELECT count(*) FROM evidence");
	snprintf(text, sizeof(text),
	         "SELECT count(*) > 0 FROM flow WHERE finding NOT NULL AND start_us < %lld"
	         " AND start_us + lasted_us >= %lld", (long long)until_us, (long long)until_us);
	assert_int_equal(ask(bench->dir, text), 1);
	archive(bench, until_us);
	archive(bench, until_us);
	assert_int_equal(ask(bench->dir, LOST), 0);
	assert_int_equal(ask(bench->to, LOST), 0);
	assert_int_equal(ask(bench->dir, "SELECT count(*) FROM evidence") +
	                 ask(bench->to, "SELECT count(*) FROM evidence"), all);
	assert_int_equal(ask(bench->to, "SELECT count(*) FROM evidence WHERE flow >= 1000000000"), 2);
	is_sound(bench->dir);
	is_sound(bench->to);
}

static void a_peer_is_found_by_its_name_on_both_sides(void **state)
{
	static const char NAMED[] =
		"SELECT count(*) FROM flow f WHERE EXISTS (SELECT 1 FROM name_seen s JOIN name n ON n.id = s.name"
		" WHERE n.text = 'old.example' AND s.address = f.remote AND s.first_us <= f.start_us + f.lasted_us)";
	struct bench *bench = *state;
	char text[1024];
	int64_t all;

	/* Twice bound, long ago, by nobody we know: to the peer that most flows are with, and to one without any. */
	snprintf(text, sizeof(text),
	         "INSERT INTO name (text) VALUES ('old.example');"
	         "INSERT INTO host (bytes, text) VALUES (x'0a', 'nobody');"
	         "INSERT INTO name_seen SELECT 1, NULL, 1, 1, h.id, n.id, %lld + k, %lld + k, %lld + k, 1"
	         " FROM name n, (SELECT 1 AS k UNION SELECT 2), (SELECT max(id) AS id FROM host UNION SELECT remote"
	         " FROM (SELECT remote FROM flow GROUP BY remote ORDER BY count(*) DESC LIMIT 1)) h"
	         " WHERE n.text = 'old.example'",
	         (long long)FLOWGEN_DAY, (long long)FLOWGEN_DAY, (long long)FLOWGEN_DAY);
	dbkit_sql(bench->dir, text);
	all = ask(bench->dir, NAMED);
	archive(bench, FLOWGEN_DAY + DAY_US);
	archive(bench, FLOWGEN_DAY + 2 * DAY_US);
	assert_true(ask(bench->dir, NAMED) > 0);
	assert_true(ask(bench->to, NAMED) > 0);
	assert_int_equal(ask(bench->dir, NAMED) + ask(bench->to, NAMED), all);
	assert_int_equal(ask(bench->dir, "SELECT count(*) FROM name_seen WHERE unit IS NULL"), 1);
	assert_int_equal(ask(bench->to, "SELECT count(*) FROM name_seen WHERE unit IS NULL"), 4);
}

static void an_address_that_came_back_stands_there_from_its_first_day_on(void **state)
{
	struct bench *bench = *state;

	dbkit_sql(bench->dir, "DELETE FROM unit_address");
	record_day(bench, FLOWGEN_DAY + 5 * DAY_US);
	archive(bench, FLOWGEN_DAY + 8 * DAY_US);
	record_day(bench, FLOWGEN_DAY + 11 * DAY_US);
	archive(bench, FLOWGEN_DAY + 20 * DAY_US);
	assert_int_equal(ask(bench->to, "SELECT count(*) FROM unit_address"), 1);
	assert_int_equal(ask(bench->to, "SELECT first_us FROM unit_address"),
	                 FLOWGEN_DAY + 5 * DAY_US);
	assert_int_equal(ask(bench->to, "SELECT last_us FROM unit_address"),
	                 FLOWGEN_DAY + 11 * DAY_US + 1);
	assert_int_equal(ask(bench->to, "SELECT known_by FROM unit_address"), 3);
}

/* Its rows are what somebody who reads the files again goes on from. */
static void what_a_run_has_written_that_may_be_gone_on_with_stays(void **state)
{
	struct bench *bench = *state;
	int64_t until_us = FLOWGEN_DAY + 3 * DAY_US, begin_us = FLOWGEN_DAY + DAY_US;
	struct archived moved;
	char text[256];

	snprintf(text, sizeof(text),
	         "INSERT INTO handover VALUES (1, 5, 0, 0, 0, 0, 'files', '', x'');"
	         "UPDATE run SET first_us = %lld",
	         (long long)begin_us);
	dbkit_sql(bench->dir, text);
	moved = archive(bench, until_us);
	assert_int_equal(moved.waits_run, 1);
	assert_int_equal(moved.until_us, begin_us);
	assert_true(moved.flows > 0);
	assert_true(ask(bench->dir, "SELECT min(start_us + lasted_us) FROM flow") >= begin_us);
	assert_true(ask(bench->dir, "SELECT min(start_us + lasted_us) FROM flow") < until_us);
	dbkit_sql(bench->dir, "DELETE FROM handover");
	assert_int_equal(archive(bench, until_us).waits_run, 0);
	assert_true(ask(bench->dir, "SELECT min(start_us + lasted_us) FROM flow") >= until_us);
}

/* A table that is new, and of which nobody has said what becomes of it, would be lost. */
static void every_table_has_its_place_in_an_archive(void **state)
{
	struct bench *bench = *state;
	CLEANUP(freep) char *names = dbkit_ask(
		bench->dir, "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'");
	char *save = NULL;

	for (char *name = strtok_r(names, "\n", &save); name; name = strtok_r(NULL, "\n", &save))
		if (!flowdb_archive_knows(name))
			fail_msg("schema/flowdb_archive.c does not say what becomes of table %s", name);
}

static void a_snapshot_is_the_same_and_overwrites_nothing(void **state)
{
	struct bench *bench = *state;
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	CLEANUP(freep) char *before = all_of(bench), *after = NULL;
	char part[128];
	struct err err = {0};

	must(flowdb_open(bench->dir, FLOWDB_READ, &db, &err), &err);
	must(flowdb_snapshot(db, bench->to, NULL, &err), &err);
	after = dbkit_ask(bench->to, "SELECT * FROM v_flow ORDER BY id");
	assert_string_equal(after, before);
	is_sound(bench->to);
	snprintf(part, sizeof(part), "%s/flows.db.part", bench->to);
	assert_int_equal(access(part, F_OK), -1);
	assert_int_equal(flowdb_snapshot(db, bench->to, NULL, &err), -EEXIST);
	assert_non_null(strstr(err.text, "nothing is overwritten"));
}

static void a_snapshot_that_dies_leaves_no_database(void **state)
{
	struct bench *bench = *state;
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	char path[128];
	struct err err = {0};
	pid_t child = fork();
	int status;

	if (!child) {
		unsigned left = 1;
		const struct upkeep_progress progress = {die, &left};

		if (flowdb_open(bench->dir, FLOWDB_READ, &db, &err) >= 0)
			(void)!flowdb_snapshot(db, bench->to, &progress, &err);
		_exit(0);
	}
	waitpid(child, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 9);
	snprintf(path, sizeof(path), "%s/flows.db", bench->to);
	assert_int_equal(access(path, F_OK), -1);
	must(flowdb_open(bench->dir, FLOWDB_READ, &db, &err), &err);
	must(flowdb_snapshot(db, bench->to, NULL, &err), &err);
	is_sound(bench->to);
}

static void compacting_makes_the_file_smaller_and_keeps_what_is_in_it(void **state)
{
	struct bench *bench = *state;
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	CLEANUP(freep) char *before = NULL, *after = NULL;
	struct extent first, last;
	struct err err = {0};

	dbkit_sql(bench->dir, "PRAGMA foreign_keys = ON; DELETE FROM flow WHERE id % 3 > 0;"
	                      "UPDATE finding SET kept = (SELECT count(*) FROM flow f WHERE f.finding = finding.id);"
	                      "INSERT INTO name (text) VALUES ('nobody'), ('somebody');"
	                      "PRAGMA auto_vacuum = NONE; VACUUM");
	before = dbkit_ask(bench->dir, "SELECT * FROM v_flow ORDER BY id");
	must(flowdb_open(bench->dir, FLOWDB_WRITE, &db, &err), &err);
	must(flowdb_extent(db, &first, &err), &err);
	must(flowdb_compact(db, NULL, &err), &err);
	must(flowdb_extent(db, &last, &err), &err);
	flowdb_closep(&db);
	after = dbkit_ask(bench->dir, "SELECT * FROM v_flow ORDER BY id");
	assert_string_equal(after, before);
	assert_int_equal(last.free, 0);
	assert_true(last.used <= first.used + first.free);
	assert_int_equal(ask(bench->dir, "PRAGMA auto_vacuum"), 2);
	assert_int_equal(ask(bench->dir, "SELECT count(*) FROM name WHERE text = 'nobody'"), 0);
	assert_int_equal(ask(bench->dir, "SELECT count(*) FROM name WHERE text = 'somebody'"), 1);
	is_sound(bench->dir);
}

static int count_wrong(void *context, const char *wrong, struct err *err)
{
	char *all = context;

	strcat(strcat(all, wrong), "\n");
	return 0;
}

static void what_does_not_agree_is_told(void **state)
{
	static const char *const CASES[][2] = {
		{"UPDATE finding SET kept = kept + 1, flows = flows + 1 WHERE id = 1", "F1: "},
		{"UPDATE finding SET flows = kept - 1 WHERE id = 1 AND kept > 0", "F1: "},
		{"INSERT INTO evidence (run, flow, finding, time_us, link, wire_len, bytes)"
	         " SELECT 1, n, g.id, 5, 0, 60, x'01' FROM finding g, (SELECT id + 1000000000 AS n FROM flow"
	         " LIMIT 2) WHERE g.id = 1; UPDATE finding SET flows = kept + 1 WHERE id = 1",
	         "F1: packets of 1 flows"},
		{"UPDATE coverage SET exact = -1", "below zero"},
		{"UPDATE run SET seen = 5, in_flows = 4, out_of_scope = 0, malformed = 0, fragments_lost = 0,"
	         " duplicates = 0 WHERE id = 1",
	         "run 1: 5 packets were seen, and 4"},
		{"UPDATE flow SET policy = 77 WHERE id = 5", "flow: row 5 refers to a row of policy"},
		{"UPDATE tally SET flows = flows + 1", "are counted, and there are"},
		{"PRAGMA foreign_keys = OFF; DELETE FROM unit WHERE id = 1", "unit"},
	};

	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		CLEANUP(flowdb_closep) struct flowdb *db = NULL;
		static char all[1 << 20];
		struct bench *bench;
		struct err err = {0};

		teardown(state);
		setup(state);
		bench = *state;
		dbkit_sql(bench->dir, CASES[i][0]);
		must(flowdb_open(bench->dir, FLOWDB_READ, &db, &err), &err);
		*all = '\0';
		must(flowdb_verify(db, NULL, count_wrong, all, &err), &err);
		if (!strstr(all, CASES[i][1]))
			fail_msg("%s: no '%s' in: %s", CASES[i][0], CASES[i][1], all);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(what_moves_is_there_as_it_was_and_the_rest_here),
		TEST(a_second_call_goes_on_where_the_first_ended),
		TEST(a_call_that_dies_loses_nothing_and_doubles_nothing),
		TEST(rows_that_were_copied_and_not_deleted_are_recognised),
		TEST(it_moves_into_no_database_of_another),
		TEST(it_moves_into_no_archive_whose_numbers_mean_something_else),
		TEST(what_a_run_has_written_that_may_be_gone_on_with_stays),
		TEST(what_an_archive_has_no_later_one_takes_away),
		TEST(a_packet_goes_when_its_flow_does),
		TEST(a_peer_is_found_by_its_name_on_both_sides),
		TEST(an_address_that_came_back_stands_there_from_its_first_day_on),
		TEST(every_table_has_its_place_in_an_archive),
		TEST(a_snapshot_is_the_same_and_overwrites_nothing),
		TEST(a_snapshot_that_dies_leaves_no_database),
		TEST(compacting_makes_the_file_smaller_and_keeps_what_is_in_it),
		TEST(what_does_not_agree_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
