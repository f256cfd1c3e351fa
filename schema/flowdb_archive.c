/*
 * flowdb_archive.c - see flowdb_upkeep.h: a time range moves to another database. Invariants:
 *  (1) Whatever is deleted here was committed there before, on the disk. A call that was killed between the two
 *      leaves rows in both; they have the same numbers, so the next call replaces them there, and deletes them.
 *  (2) An archive has the numbers of the database it belongs to, of flows as of texts: 'tlmon explain 81234'
 *      means the same flow. So nothing is copied into a database where a number means something else, and numbers of
 *      what went from here are never given again (AUTOINCREMENT in flowdb.sql; the last flow stays).
 *  (3) What moves from here is on record here before the first row goes.
 *  (4) What an archive has stays there: a row gives way only to a newer state of itself.
 */
#include "schema/flowdb_upkeep.h"
#include "schema/flowdb_needed.h"
#include "schema/flowdb_sql.h"

#include <limits.h>
#include <stdlib.h>

#define CHUNK 2000 /* flows in a step */
#define COLUMNS_MAX 2048
#define LATER_US "60000000" /* a flow may wait for its lease: more than it does */

/* A packet of a finding goes when its flow does; by its time, where no row of that flow is here. */
#define FLOW_IS_HERE \
	"EXISTS (SELECT 1 FROM main.flow f WHERE f.finding = evidence.finding" \
	" AND f.run = evidence.run AND f.packet = evidence.flow)"
#define EVIDENCE_ALONE "time_us < ?1 AND NOT " FLOW_IS_HERE
#define OF_CHUNK \
	"(SELECT e.id FROM temp.chunk c JOIN main.flow f ON f.id = c.id JOIN main.evidence e" \
	" ON e.finding = f.finding AND e.run = f.run AND e.flow = f.packet)"

/* --peer takes any name of a peer by then, of whoever asked, in any run: with flows the first stays. */
#define NAME_OF_NONE \
	NAME_SPENT " AND (name, address, first_us) NOT IN (SELECT name, address, min(first_us)" \
	" FROM main.name_seen WHERE address IN (SELECT remote FROM main.flow) GROUP BY name, address)"

/* What becomes of each table. ?1 is the time before which things move. */
static const struct {
	const char *table;
	enum { ONCE, ANEW, RANGE, WIDER, OF_FLOW, OTHERWISE } how;
	const char *moves,
		*goes; /* RANGE, WIDER: rows that are copied; of these deleted here, NULL: none */
} TABLES[] = {
	{"word", OTHERWISE, NULL, NULL},
	{"run", ANEW, NULL, NULL},
	{"blind", RANGE, "since_us < ?1", "until_us < ?1"},
	{"evidence", RANGE, EVIDENCE_ALONE, EVIDENCE_ALONE}, /* the rest: OF_CHUNK */
	{"evidence_day", ANEW, NULL, NULL},
	{"input", ONCE, NULL, NULL},
	{"handover", OTHERWISE, NULL, NULL},
	{"held", OTHERWISE, NULL, NULL},
	{"policy", ONCE, NULL, NULL},
	{"policy_use", ANEW, NULL, NULL},
	{"envelope_row", ONCE, NULL, NULL},
	{"host", ONCE, NULL, NULL},
	{"name", ONCE, NULL, NULL},
	{"name_seen", RANGE, "first_us < ?1", NAME_OF_NONE},
	{"unit", ANEW, NULL, NULL},
	{"unit_address", WIDER, "first_us < ?1", "last_us < ?1"},
	{"lease", RANGE, "first_us < ?1 + " LATER_US, LEASE_SPENT},
	{"finding", OTHERWISE, NULL, NULL},
	{"finding_change", RANGE, "time_us < ?1", NULL},
	{"link", ONCE, NULL, NULL},
	{"row_set", ONCE, NULL, NULL},
	{"flow", OTHERWISE, NULL, NULL},
	{"tally", OTHERWISE, NULL, NULL},
	{"media_port", ONCE, NULL, NULL},
	{"flow_more", OF_FLOW, NULL, NULL},
	{"differs", OTHERWISE, NULL, NULL},
	{"phrase", ONCE, NULL, NULL},
	{"removed", OTHERWISE, NULL, NULL},
	{"coverage", ANEW, NULL, NULL},
};

bool flowdb_archive_knows(const char *table)
{
	for (size_t i = 0; i < ARRAY_LEN(TABLES); i++)
		if (!strcmp(TABLES[i].table, table))
			return true;
	return false;
}

#define SAME_DIFFERENCE \
	"(d.id, d.rank, d.field, d.row, d.expected, d.seen) = (a.id, a.rank, a.field, a.row, a.expected, a.seen)"

/* Where a number, or a name, must mean the same. */
static const char *const SAME[] = {
	"SELECT a.text FROM archive.host a JOIN main.host h ON h.id = a.id WHERE h.bytes <> a.bytes",
	"SELECT a.text FROM archive.host a JOIN main.host h ON h.bytes = a.bytes WHERE h.id <> a.id",
	"SELECT a.text FROM archive.name a JOIN main.name n ON n.id = a.id WHERE n.text <> a.text",
	"SELECT a.text FROM archive.name a JOIN main.name n ON n.text = a.text WHERE n.id <> a.id",
	"SELECT a.name FROM archive.unit a JOIN main.unit u ON u.id = a.id WHERE u.name <> a.name",
	"SELECT a.name FROM archive.unit a JOIN main.unit u ON u.name = a.name WHERE u.id <> a.id",
	"SELECT 'policy ' || a.hash FROM archive.policy a JOIN main.policy p ON p.id = a.id"
	" WHERE p.hash <> a.hash",
	"SELECT a.text FROM archive.envelope_row a JOIN main.envelope_row e ON e.id = a.id WHERE e.text <> a.text",
	"SELECT a.text FROM archive.row_set a JOIN main.row_set s ON s.id = a.id WHERE s.text <> a.text",
	"SELECT a.text FROM archive.phrase a JOIN main.phrase p ON p.id = a.id WHERE p.text <> a.text",
	"SELECT 'link ' || a.id FROM archive.link a JOIN main.link l ON l.id = a.id"
	" WHERE (l.local_mac, l.remote_mac, l.vlan) IS NOT (a.local_mac, a.remote_mac, a.vlan)",
	/* An id stands for all its rows: one that either side alone has makes it another. */
	"SELECT 'differences ' || a.id FROM archive.differs a WHERE a.id IN (SELECT id FROM main.differs)"
	" AND NOT EXISTS (SELECT 1 FROM main.differs d WHERE " SAME_DIFFERENCE ")",
	"SELECT 'differences ' || d.id FROM main.differs d WHERE d.id IN (SELECT id FROM archive.differs)"
	" AND NOT EXISTS (SELECT 1 FROM archive.differs a WHERE " SAME_DIFFERENCE ")",
	"SELECT 'run ' || a.id FROM archive.run a LEFT JOIN main.run r ON r.id = a.id WHERE r.id IS NULL"
	" OR (r.source, r.inputs, coalesce(r.begun_us, 0)) <> (a.source, a.inputs, coalesce(a.begun_us, 0))",
};

/* Runs `text` with ?1 bound. */
static int run_at(struct flowdb *db, const char *text, int64_t us, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, text, &stmt, err);

	if (r < 0)
		return r;
	if (sqlite3_bind_parameter_count(stmt))
		sqlite3_bind_int64(stmt, 1, us);
	return sql_run(db, stmt, err);
}

/* "id, run, ...": the columns that are stored, so that it does not matter which others are derived. */
static int columns_of(struct flowdb *db, const char *table, char buf[COLUMNS_MAX],
                      struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "SELECT group_concat('\"' || name || '\"', ', ')"
	                    " FROM pragma_table_xinfo(?1) WHERE hidden = 0",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_text(stmt, 1, table);
	r = sql_step(db, stmt, err);
	if (r < 0)
		return r;
	text_copy(buf, COLUMNS_MAX, column_text(stmt, 0));
	return 0;
}

/* Copies the rows of which `which` holds. `meets`: an upsert, or "". */
static int copy(struct flowdb *db, const char *table, const char *verb, const char *which,
                const char *meets, int64_t us, struct err *err)
{
	char columns[COLUMNS_MAX], text[3 * COLUMNS_MAX];
	int r = columns_of(db, table, columns, err);

	if (r < 0)
		return r;
	snprintf(text, sizeof(text), "%s INTO archive.%s (%s) SELECT %s FROM main.%s WHERE %s %s",
	         verb, table, columns, columns, table, which, meets);
	return run_at(db, text, us, err);
}

/* ------------------------------------------------------------------- steps */

/* Whether a database may become, or is, an archive of ours. */
static int check_same(struct flowdb *db, const char *to, struct err *err)
{
	int64_t others = 0;
	int r = sql_ask(db,
	                "SELECT count(*) FROM archive.run WHERE NOT EXISTS"
	                " (SELECT 1 FROM archive.removed WHERE how = 3)",
	                NULL, 0, &others, err);

	if (r < 0)
		return r;
	if (others)
		return err_set(
			err, -EINVAL,
			"%s: holds what was recorded there, and is no archive; name another "
			"directory",
			to);
	for (size_t i = 0; i < ARRAY_LEN(SAME); i++) {
		CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;

		r = sql_prepare(db, SAME[i], &stmt, err);
		if (r >= 0)
			r = sql_step(db, stmt, err);
		if (r < 0)
			return r;
		if (r)
			return err_set(
				err, -EINVAL,
				"%s: the archive of another database (%s is not the same here); "
				"name another directory",
				to, column_text(stmt, 0));
	}
	return 0;
}

/*
 * A closed finding that went from here may have come back under another number: the archive has both, and so its keys
 * are not unique.
 */
static int copy_findings(struct flowdb *db, int64_t until_us, struct err *err)
{
	int r = sql_exec(db,
	                 "DROP INDEX IF EXISTS archive.finding_key;"
	                 "CREATE INDEX archive.finding_key ON finding (unit, kind, coalesce(row, 0),"
	                 " remote, role, transport, port, application)",
	                 err);

	if (r >= 0)
		r = copy(db, "finding", "INSERT OR REPLACE", "first_us < ?1", "", until_us, err);
	return r < 0 ? r
	             : sql_exec(db,
	                        "UPDATE archive.finding SET kept = (SELECT count(*) FROM"
	                        " archive.flow f WHERE f.finding = finding.id)",
	                        err);
}

/* What moves by time. An address that went and came back: one row, wide enough for both. */
static int copy_range(struct flowdb *db, size_t table, int64_t until_us, struct err *err)
{
	static const char BOTH[] =
		"ON CONFLICT DO UPDATE SET first_us = min(first_us, excluded.first_us),"
		" last_us = max(last_us, excluded.last_us), known_by = known_by | excluded.known_by";
	bool wider = TABLES[table].how == WIDER;

	if (!TABLES[table].moves)
		return 0;
	return copy(db, TABLES[table].table, wider ? "INSERT" : "INSERT OR REPLACE",
	            TABLES[table].moves, wider ? BOTH : "", until_us, err);
}

/* Runs, units, texts: whole, for they are small, and flows refer to them. */
static int copy_shared(struct flowdb *db, int64_t until_us, const char *from, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_exec(db, "BEGIN IMMEDIATE", err);

	for (size_t i = 0; i < ARRAY_LEN(TABLES) && r >= 0; i++)
		if (TABLES[i].how == ONCE || TABLES[i].how == ANEW)
			r = copy(db, TABLES[i].table,
			         TABLES[i].how == ONCE ? "INSERT OR IGNORE"
			                               : "INSERT OR REPLACE",
			         "1", "", 0, err);
	if (r >= 0)
		r = copy_findings(db, until_us, err);
	if (r >= 0)
		r = sql_prepare(db,
		                "INSERT INTO archive.removed (how, since_us, flows, place)"
		                " VALUES (3, ?1, 0, ?2) ON CONFLICT (how, place) DO UPDATE SET"
		                " since_us = max(since_us, excluded.since_us)",
		                &stmt, err);
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, until_us);
	bind_text(stmt, 2, from);
	r = sql_run(db, stmt, err);
	for (size_t i = 0; i < ARRAY_LEN(TABLES) && r >= 0; i++)
		r = copy_range(db, i, until_us, err);
	return r < 0 ? r : sql_exec(db, "COMMIT", err);
}

static int delete_ranges(struct flowdb *db, const char *to, int64_t until_us, struct err *err)
{
	bool any = false;
	int r = sql_exec(db, "BEGIN IMMEDIATE", err);

	for (size_t i = 0; i < ARRAY_LEN(TABLES) && r >= 0; i++) {
		char text[2048];

		if (!TABLES[i].goes)
			continue;
		snprintf(text, sizeof(text), "DELETE FROM main.%s WHERE %s", TABLES[i].table,
		         TABLES[i].goes);
		r = run_at(db, text, until_us, err);
		any |= r >= 0 && sqlite3_changes(db->sql) > 0;
	}
	if (r >= 0 && any)
		r = removed_add(db, REMOVAL_ARCHIVED, until_us, 0, to, err);
	/* As with retention: closed, and nothing of it is left here. */
	if (r >= 0)
		r = run_at(
			db,
			"DELETE FROM main.finding WHERE NOT open AND kept = 0 AND last_us < ?1"
			" AND id NOT IN (SELECT finding FROM main.flow WHERE finding NOT NULL)"
			" AND id NOT IN (SELECT finding FROM main.evidence WHERE finding NOT NULL)",
			until_us, err);
	if (r >= 0)
		r = sql_exec(db, "DELETE FROM main.differs WHERE " DIFFERS_SPENT, err);
	return r < 0 ? r : sql_exec(db, "COMMIT", err);
}

/* The next flows, in table temp.chunk: 1; 0: there are none. */
static int next_chunk(struct flowdb *db, int64_t until_us, int64_t *after, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	const int64_t values[] = {*after, until_us, CHUNK};
	int r = sql_exec(db, "DELETE FROM temp.chunk", err);

	if (r >= 0)
		r = sql_prepare(
			db,
			"INSERT INTO temp.chunk SELECT id FROM main.flow WHERE id > ?1"
			" AND start_us + lasted_us < ?2 AND id < (SELECT max(id) FROM main.flow)"
			" ORDER BY id LIMIT ?3",
			&stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	r = sql_run(db, stmt, err);
	if (r >= 0)
		r = sql_ask(db, "SELECT max(id) FROM temp.chunk", NULL, 0, after, err);
	return r < 0 ? r : *after > 0;
}

#define IN_CHUNK "(SELECT id FROM temp.chunk)"

/* Rows of findings that come into the archive, `sign` +, or go from here, -. */
#define KEPT(schema, sign) \
	"UPDATE " schema ".finding SET kept = max(kept " sign \
	" c.n, 0) FROM (SELECT finding, count(*) AS n" \
	" FROM " schema ".flow WHERE id IN " IN_CHUNK \
	" AND finding NOT NULL GROUP BY finding) c" \
	" WHERE finding.id = c.finding"

static int copy_chunk(struct flowdb *db, struct archived *moved, struct err *err)
{
	int64_t again = 0;
	int r = sql_exec(db, "BEGIN IMMEDIATE", err);

	/* Those that an earlier call has copied go first, and with them what they are counted in. */
	if (r >= 0)
		r = sql_exec(db, KEPT("archive", "-"), err);
	if (r >= 0)
		r = sql_exec(db, "DELETE FROM archive.flow WHERE id IN " IN_CHUNK, err);
	if (r >= 0)
		again = sqlite3_changes(db->sql);
	if (r >= 0)
		r = copy(db, "flow", "INSERT", "id IN " IN_CHUNK, "", 0, err);
	if (r >= 0)
		r = copy(db, "differs", "INSERT OR IGNORE",
		         "id IN (SELECT differs FROM main.flow WHERE id IN " IN_CHUNK ")", "", 0, err);
	for (size_t i = 0; i < ARRAY_LEN(TABLES) && r >= 0; i++)
		if (TABLES[i].how == OF_FLOW)
			r = copy(db, TABLES[i].table, "INSERT", "flow IN " IN_CHUNK, "",
			         0, err);
	if (r >= 0)
		r = copy(db, "evidence", "INSERT OR REPLACE", "id IN " OF_CHUNK, "", 0, err);
	if (r >= 0)
		r = sql_exec(db, KEPT("archive", "+"), err);
	if (r >= 0)
		r = sql_exec(
			db,
			"INSERT INTO archive.tally (unit, verdict, grade, flows)"
			" SELECT unit, verdict, " FLOW_GRADE " AS grade, count(*) FROM main.flow f WHERE id IN " IN_CHUNK
			" GROUP BY unit, verdict, grade"
			" ON CONFLICT DO UPDATE SET flows = flows + excluded.flows",
			err);
	if (r >= 0)
		r = sql_exec(db, "COMMIT", err);
	moved->again += (uint64_t)again;
	return r;
}

static int delete_chunk(struct flowdb *db, const char *to, int64_t until_us,
                        struct archived *moved, struct err *err)
{
	uint64_t flows = 0;
	int r = sql_exec(db, "BEGIN IMMEDIATE", err);

	if (r >= 0)
		r = sql_exec(db, KEPT("main", "-"), err);
	if (r >= 0)
		r = sql_exec(db, "DELETE FROM main.evidence WHERE id IN " OF_CHUNK, err);
	if (r >= 0)
		r = sql_exec(db, "DELETE FROM main.flow WHERE id IN " IN_CHUNK, err);
	if (r >= 0)
		flows = (uint64_t)sqlite3_changes(db->sql);
	if (r >= 0)
		r = removed_add(db, REMOVAL_ARCHIVED, until_us, flows, to, err);
	if (r >= 0)
		r = sql_exec(db, "COMMIT", err);
	moved->flows += flows;
	return r;
}

static int move_flows(struct flowdb *db, const char *to, int64_t until_us,
                      const struct upkeep_progress *progress, struct archived *moved,
                      struct err *err)
{
	int64_t after = 0, all = 0;
	int r = sql_ask(db,
	                "SELECT count(*) FROM main.flow WHERE start_us + lasted_us < ?1"
	                " AND id < (SELECT max(id) FROM main.flow)",
	                &until_us, 1, &all, err);

	while (r >= 0 && (r = next_chunk(db, until_us, &after, err)) > 0) {
		r = copy_chunk(db, moved, err);
		if (r >= 0)
			r = delete_chunk(db, to, until_us, moved, err);
		upkeep_tell(progress, "moving flows", moved->flows, (uint64_t)all);
	}
	return r;
}

static int move(struct flowdb *db, const char *from, const char *to, int64_t until_us,
                const struct upkeep_progress *progress, struct archived *moved, struct err *err)
{
	int r = check_same(db, to, err);

	/* Copied as they stand: neither triggers nor the order of what refers to what shall meddle. */
	if (r >= 0)
		r = sql_exec(db,
		             "PRAGMA archive.synchronous = FULL;"
		             "CREATE TEMP TABLE chunk (id INTEGER PRIMARY KEY)",
		             err);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	if (r >= 0)
		r = copy_shared(db, until_us, from, err);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_ENABLE_TRIGGER, 1, NULL);
	if (r >= 0)
		r = move_flows(db, to, until_us, progress, moved, err);
	return r < 0 ? r : delete_ranges(db, to, until_us, err);
}

/* A run that somebody may yet go on with finds its rows here. */
static int spare_cut_off(struct flowdb *db, struct archived *moved, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "SELECT r.id, r.first_us FROM run r JOIN handover h ON h.run = r.id"
	                    " WHERE h.reads <> '' AND r.first_us < ?1 ORDER BY r.first_us LIMIT 1",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, &moved->until_us, 1);
	r = sql_step(db, stmt, err);
	if (r <= 0)
		return r;
	moved->waits_run = sqlite3_column_int64(stmt, 0);
	moved->until_us = sqlite3_column_int64(stmt, 1);
	return 0;
}

static int attach(struct flowdb *db, const struct flowdb *archive, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, "ATTACH ?1 AS archive", &stmt, err);

	if (r < 0)
		return r;
	bind_text(stmt, 1, archive->path);
	return sql_run(db, stmt, err);
}

/* The folder of a database, without what leads there by and by. */
static char *folder_of(const struct flowdb *db)
{
	char *path = realpath(db->path, NULL);

	if (path)
		*strrchr(path, '/') = '\0';
	return path;
}

int flowdb_archive(struct flowdb *db, const char *to, int64_t until_us,
                   const struct upkeep_progress *progress, struct archived *ret,
                   struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *archive = NULL;
	CLEANUP(freep) char *from = folder_of(db), *place = NULL, *given = realpath(to, NULL);
	struct archived moved = {.until_us = until_us};
	int r;

	if (from && given && !strcmp(from, given))
		return err_set(err, -EINVAL,
		               "%s: is the database itself; name another directory", to);
	r = flowdb_open(to, FLOWDB_WRITE, &archive, err); /* its lock is held to the end */
	if (r < 0)
		return r;
	place = folder_of(archive);
	if (!from || !place)
		return err_set(err, -ENOMEM, "out of memory");
	r = attach(db, archive, err);
	if (r >= 0)
		r = spare_cut_off(db, &moved, err);
	if (r >= 0)
		r = move(db, from, place, moved.until_us, progress, &moved, err);
	if (r < 0)
		flowdb_rollback(db);
	sqlite3_exec(db->sql, "DROP TABLE IF EXISTS temp.chunk; DETACH archive", NULL, NULL, NULL);
	*ret = moved;
	return r;
}
