/*
 * test_flowdb_hostile.c - a database that somebody turned over: bytes at random, tables without STRICT and full of
 * what may not be there, views and triggers of another. Readers may be told nonsense or refuse; they live.
 */
#include "tests/lib/dbkit.h"
#include "tests/lib/flowgen.h"
#include "schema/flowdb_upkeep.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#define TURNS 300
#define DIR_NAME "/tmp/tlmon-test-XXXXXX"

static void must(int r, const struct err *err)
{
	if (r < 0)
		fail_msg("%s", err->text);
}

/* Some hundred flows of a few units, with all that hangs from them. */
static void make_database(const char *dir)
{
	const struct flowgen_size size = {.flows = 400, .units = 5, .days = 2, .seed = 5};
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	CLEANUP(flowgen_freep) struct flowgen *gen = NULL;
	struct flow_facts facts;
	struct verdict verdict;
	struct flow_row flow;
	struct err err = {0};
	int r;

	must(flowdb_open(dir, FLOWDB_WRITE, &db, &err), &err);
	must(flowdb_begin(db, &err), &err);
	must(flowgen_new(db, &size, &gen, &err), &err);
	while ((r = flowgen_next(gen, &flow, &facts, &verdict, &err)) > 0) {
		int64_t id = 0;

		must(flowdb_flow_put(db, &flow, &id, &err), &err);
	}
	must(r, &err);
	must(flowgen_finish(gen, &err), &err);
	must(flowdb_commit(db, &err), &err);
}

static uint8_t *file_read(const char *dir, size_t *ret_len)
{
	char path[128];
	struct stat st;
	uint8_t *bytes;
	int fd;

	snprintf(path, sizeof(path), "%s/flows.db", dir);
	fd = open(path, O_RDONLY);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &st), 0);
	bytes = malloc((size_t)st.st_size);
	assert_int_equal(read(fd, bytes, (size_t)st.st_size), st.st_size);
	close(fd);
	*ret_len = (size_t)st.st_size;
	return bytes;
}

static void file_write(const char *dir, const uint8_t *bytes, size_t len)
{
	char path[128];
	int fd;

	snprintf(path, sizeof(path), "%s/flows.db", dir);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
}

static void remove_dir(const char *dir)
{
	char command[64];

	snprintf(command, sizeof(command), "rm -rf %s", dir);
	assert_int_equal(system(command), 0);
}

/* ------------------------------------------------------------ every question */

static unsigned told;

/* Touches all of a text, as whoever prints it would. */
static void touch(const char *text)
{
	assert_non_null(text);
	told += strlen(text) != 0;
}

static int each_flow(void *context, const struct flow_view *flow, struct err *err)
{
	touch(flow->unit);
	touch(flow->profiles);
	touch(flow->policy);
	touch(flow->name);
	touch(flow->remark);
	assert_true(flow->row_count <= ROWS_MAX && flow->nearest_count <= NEAREST_MAX);
	assert_true(flow->local <= 1);
	for (unsigned i = 0; i < flow->row_count; i++)
		touch(flow->rows[i]);
	for (unsigned i = 0; i < flow->nearest_count; i++) {
		assert_true(flow->nearest[i].count <= FIELD_COUNT);
		for (unsigned j = 0; j < flow->nearest[i].count; j++)
			touch(flow->nearest[i].differs[j].seen);
	}
	return 0;
}

static int each_finding(void *context, const struct finding_view *finding, struct err *err)
{
	touch(finding->unit);
	touch(finding->row.reason);
	touch(finding->row.row);
	return 0;
}

static int each_group(void *context, const struct finding_group *group, struct err *err)
{
	touch(group->unit);
	return 0;
}

static int each_change(void *context, const struct change_view *change, struct err *err)
{
	touch(change->finding.unit);
	return 0;
}

static int each_coverage(void *context, const struct coverage_view *view, struct err *err)
{
	touch(view->unit);
	touch(view->row.row);
	return 0;
}

static int each_unit(void *context, const struct unit_view *unit, struct err *err)
{
	touch(unit->name);
	touch(unit->profiles);
	return 0;
}

static int each_holding(void *context, const struct holding_view *holding, struct err *err)
{
	touch(holding->unit);
	return 0;
}

static int each_run(void *context, const struct run_view *run, struct err *err)
{
	touch(run->row.version);
	touch(run->row.inputs);
	touch(run->row.roles_unknown);
	return 0;
}

static int each_input(void *context, const struct input_row *input, struct err *err)
{
	touch(input->name);
	touch(input->note);
	return 0;
}

static int each_blind(void *context, const struct blind_view *blind, struct err *err)
{
	touch(blind->row.detail);
	return 0;
}

static int each_text(void *context, const char *text, struct err *err)
{
	touch(text);
	return 0;
}

static int each_removed(void *context, const struct removed_row *row, struct err *err)
{
	touch(row->place);
	return 0;
}

static int each_stat(void *context, const struct stat_row *row, struct err *err)
{
	touch(row->name);
	return 0;
}

/* What they return is theirs to say. */
static void said(int r, const struct err *err)
{
	if (r < 0)
		touch(err->text);
}

static void ask_all(struct flowdb *db)
{
	const struct flow_query all = {0},
	                        narrow = {.unit = "room-001",
	                                  .since_us = FLOWGEN_DAY + 1,
	                                  .until_us = FLOWGEN_DAY + INT64_C(3600000000)};
	const struct finding_query findings = {.flow = {.severity = SEVERITY_LOW}};
	const struct blind_query blinds = {0};
	struct standing standing;
	struct whole whole;
	struct err err = {0};
	struct span span;
	int64_t id;

	said(flowdb_span(db, &span, &err), &err);
	said(flowdb_whole(db, &whole, &err), &err);
	said(flowdb_flows(db, &all, each_flow, NULL, &err), &err);
	said(flowdb_flows(db, &narrow, each_flow, NULL, &err), &err);
	said(flowdb_flow(db, 7, each_flow, NULL, &err), &err);
	said(flowdb_findings(db, &findings, each_finding, NULL, &err), &err);
	said(flowdb_finding_groups(db, &findings, each_group, NULL, &err), &err);
	said(flowdb_finding_changes(db, 1, 0, 100, each_change, NULL, &err), &err);
	said(flowdb_last_change(db, 1, &id, &err), &err);
	said(flowdb_coverage(db, &all, NULL, 0, each_coverage, NULL, &err), &err);
	said(flowdb_coverage(db, &narrow, NULL, 0, each_coverage, NULL, &err), &err);
	said(flowdb_units(db, each_unit, NULL, &err), &err);
	said(flowdb_holdings(db, &all, each_holding, NULL, &err), &err);
	said(flowdb_holdings(db, &narrow, each_holding, NULL, &err), &err);
	said(flowdb_runs(db, each_run, NULL, &err), &err);
	said(flowdb_inputs(db, 0, each_input, NULL, &err), &err);
	said(flowdb_blinds(db, &blinds, each_blind, NULL, &err), &err);
	said(flowdb_standing(db, &standing, &err), &err);
	said(flowdb_units_missing(db, each_text, NULL, &err), &err);
	said(flowdb_check_unit(db, "nobody", &err), &err);
	said(flowdb_knows_row(db, "online.out.audio", &err), &err);
	said(flowdb_removed(db, each_removed, NULL, &err), &err);
	said(flowdb_stats(db, NULL, each_stat, NULL, &err), &err);
	said(flowdb_verify(db, NULL, each_text, NULL, &err), &err);
}

static bool open_and_ask(const char *dir)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct err err = {0};

	if (flowdb_open(dir, FLOWDB_READ, &db, &err) < 0) {
		touch(err.text);
		return false;
	}
	ask_all(db);
	return true;
}

/* ------------------------------------------------------------------- cases */

static uint64_t draw(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

static void bytes_turned_over_at_random_crash_nobody(void **state)
{
	uint64_t seed = 20261122;
	char dir[] = DIR_NAME;
	unsigned opened = 0;
	uint8_t *good;
	size_t len;

	assert_non_null(mkdtemp(dir));
	make_database(dir);
	assert_true(open_and_ask(dir));
	good = file_read(dir, &len);
	for (unsigned turn = 0; turn < TURNS; turn++) {
		uint8_t *bytes = malloc(len);
		unsigned count = 1u << draw(&seed) % 8;

		memcpy(bytes, good, len);
		for (unsigned i = 0; i < count; i++)
			bytes[draw(&seed) % len] = (uint8_t)draw(&seed);
		file_write(dir, bytes, len);
		free(bytes);
		opened += open_and_ask(dir);
	}
	/* Most of them open: it is the questions that are tried. */
	assert_true(opened > TURNS / 4);
	free(good);
	remove_dir(dir);
}

static void a_file_cut_anywhere_crashes_nobody(void **state)
{
	uint64_t seed = 7;
	char dir[] = DIR_NAME;
	uint8_t *good;
	size_t len;

	assert_non_null(mkdtemp(dir));
	make_database(dir);
	good = file_read(dir, &len);
	for (unsigned turn = 0; turn < 50; turn++) {
		file_write(dir, good, draw(&seed) % len);
		open_and_ask(dir);
	}
	free(good);
	remove_dir(dir);
}

/* What could not be written by us: each leaves a database that SQLite finds sound. */
static const char *const TRICKS[] = {
	"UPDATE flow SET transport = 9999, verdict = 77, kind = -3, said = -1, how = -1, asked = -1,"
	" tcp_flags = -1, payloads = -1, local_port = 1 << 40, remote_port = -5, application = 70000",
	"UPDATE flow SET start_us = 9223372036854775807, lasted_us = 9223372036854775807",
	"UPDATE flow SET start_us = -9223372036854775807, lasted_us = -1",
	"UPDATE flow SET run = 0, policy = -1, unit = 1, local = 0, remote = -1, name = 12345678",
	"UPDATE finding SET kind = 255, severity = -1, transport = 300, application = -1, flows = -1,"
	" kept = -2, bytes = -3, first_us = -1, last_us = -9223372036854775807",
	"UPDATE finding SET reason = hex(zeroblob(20000)), waiver = hex(zeroblob(20000)), port = hex(zeroblob(900)),"
	" role = hex(zeroblob(900)), remote = hex(zeroblob(900)) || id",
	"UPDATE blind SET cause = 200 + id, count = -1, until_us = since_us - 100",
	"UPDATE host SET bytes = CAST(id || hex(zeroblob(id % 40)) AS BLOB), text = hex(zeroblob(3000))",
	"UPDATE name SET text = id || hex(zeroblob(100000))",
	"UPDATE phrase SET text = id || CAST(x'ff00fe' AS TEXT) || hex(zeroblob(9000))",
	"UPDATE envelope_row SET text = id || hex(zeroblob(9000))",
	"UPDATE row_set SET text = id || ', , ,,,' || hex(zeroblob(9000))",
	"UPDATE unit SET name = id || hex(zeroblob(30000)), profiles = hex(zeroblob(30000))",
	"UPDATE run SET source = '', inputs = hex(zeroblob(50000)), seen = -1, first_us = NULL, last_us = NULL",
	"UPDATE differs SET rank = rank + 100, field = field + 100",
	"UPDATE flow_more SET payload_types = -1, audio = -1, icmp = -1, tunnel = 99, dhcp_type = -7,"
	" remark = hex(zeroblob(5000)), relayed_port = 1 << 33",
	"UPDATE lease SET mask_bits = 1000, dns = zeroblob(1000000)",
	"UPDATE coverage SET exact = -1, unproven = -9223372036854775807, first_us = -1",
	"UPDATE policy SET envelope = hex(zeroblob(100000)), site = CAST(x'00' AS TEXT), hash = 'x' || id",
	"UPDATE removed SET how = 99", "INSERT INTO removed VALUES (1, 99, -1, -1, -1, hex(zeroblob(9000)))",
	"UPDATE tally SET flows = -1",
	/* STRICT is taken off, and NOT NULL with it: any column may hold anything. */
	"DROP INDEX finding_key; PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql ="
	" replace(replace(sql, ') STRICT', ')'), 'NOT NULL', '')"
	" WHERE type = 'table'; PRAGMA writable_schema = RESET; PRAGMA foreign_keys = OFF;"
	"UPDATE flow SET start_us = NULL, verdict = 'x', said = NULL, how = x'00', unit = 1, packets_out = 'many';"
	"UPDATE finding SET reason = NULL, remote = x'ff', flows = 'all', severity = NULL, waiver = NULL;"
	"UPDATE unit SET profiles = NULL; UPDATE host SET text = NULL; UPDATE run SET version = NULL, inputs = NULL,"
	" source = NULL, roles_unknown = NULL; UPDATE blind SET detail = NULL, since_us = 'then', cause = NULL;"
	"UPDATE policy SET hash = NULL; UPDATE differs SET expected = NULL, row = NULL",
	/* Another's views and triggers. */
	"DROP VIEW v_flow; CREATE VIEW v_flow AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c)"
	" SELECT x FROM c",
	"CREATE TRIGGER mine AFTER UPDATE ON finding BEGIN SELECT load_extension('/tmp/x'); END",
};

static void what_no_writer_of_ours_wrote_crashes_nobody(void **state)
{
	char good[] = DIR_NAME;
	uint8_t *bytes;
	size_t len;

	assert_non_null(mkdtemp(good));
	make_database(good);
	bytes = file_read(good, &len);
	for (size_t i = 0; i < ARRAY_LEN(TRICKS); i++) {
		char dir[] = DIR_NAME;

		assert_non_null(mkdtemp(dir));
		file_write(dir, bytes, len);
		dbkit_sql(dir, TRICKS[i]);
		assert_true(open_and_ask(dir));
		remove_dir(dir);
	}
	free(bytes);
	remove_dir(good);
}

static void a_view_in_a_tables_place_is_refused(void **state)
{
	char dir[] = DIR_NAME;
	struct flowdb *db = NULL;
	struct err err = {0};

	assert_non_null(mkdtemp(dir));
	make_database(dir);
	dbkit_sql(dir, "PRAGMA foreign_keys = OFF; DROP TABLE run;"
	               "CREATE VIEW run AS WITH RECURSIVE c(id) AS (SELECT 1 UNION ALL SELECT id + 1 FROM c)"
	               " SELECT id FROM c");
	assert_int_equal(flowdb_open(dir, FLOWDB_READ, &db, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "there is no table run"));
	remove_dir(dir);
}

/* Neither is the address there, nor does it get there: it has no number, and what would name it is not written. */
static void an_address_that_another_keeps_out_is_refused(void **state)
{
	struct mac mac = {{0}};
	struct err err = {0};
	struct dbkit kit;
	struct addr addr;
	int r;

	(void)state;
	dbkit_open(&kit);
	dbkit_done(&kit);
	dbkit_sql(kit.dir, "CREATE UNIQUE INDEX other ON host (text);"
	                   "INSERT INTO host (bytes, text) VALUES (x'00', '10.20.0.77')");
	must(flowdb_open(kit.dir, FLOWDB_WRITE, &kit.db, &err), &err);
	must(flowdb_begin(kit.db, &err), &err);
	addr = dbkit_addr("10.20.0.77");
	r = flowdb_unit_seen(kit.db, kit.unit, &addr, &mac, 1, DBKIT_DAY, DBKIT_DAY, &err);
	assert_int_equal(r, -ESTALE);
	flowdb_rollback(kit.db);
	dbkit_close(&kit);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_turned_over_at_random_crash_nobody),
		cmocka_unit_test(a_file_cut_anywhere_crashes_nobody),
		cmocka_unit_test(what_no_writer_of_ours_wrote_crashes_nobody),
		cmocka_unit_test(a_view_in_a_tables_place_is_refused),
		cmocka_unit_test(an_address_that_another_keeps_out_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
