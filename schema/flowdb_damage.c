/*
 * flowdb_damage.c - see flowdb.h: a database that is not as a writer left it. What costs little even of a large one is
 * looked at whenever a writer opens it.
 */
#include "schema/flowdb_sql.h"

/* Every table with its columns. */
#define COLUMNS \
	"SELECT m.name, c.name FROM sqlite_schema m, pragma_table_info(m.name) c" \
	" WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"

/* What a table lacks that those of a fresh database have; it may have more. */
static int look_at_tables(struct flowdb *db, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *fresh = NULL;
	CLEANUP(stmt_finalizep) sqlite3_stmt *wanted = NULL;
	CLEANUP(stmt_finalizep) sqlite3_stmt *there = NULL;
	char text[160];
	int r = flowdb_open(NULL, FLOWDB_WRITE, &fresh, err);

	if (r >= 0)
		r = sql_prepare(fresh, COLUMNS, &wanted, err);
	if (r >= 0)
		r = sql_prepare(db, COLUMNS " AND m.name = ?1 AND c.name = ?2", &there, err);
	while (r >= 0 && (r = sql_step(fresh, wanted, err)) > 0) {
		bind_text(there, 1, column_text(wanted, 0));
		bind_text(there, 2, column_text(wanted, 1));
		r = sql_step(db, there, err);
		if (r < 0)
			return r;
		if (!r) {
			snprintf(text, sizeof(text), "it has no %s.%s", column_text(wanted, 0),
			         column_text(wanted, 1));
			return sql_damaged(db, text, err);
		}
		sqlite3_reset(there);
	}
	return r;
}

/* Small tables whole; of the large ones that they can be entered from both ends. */
static int look_at_pages(struct flowdb *db, struct err *err)
{
	static const char *const WHOLE[] = {"run", "policy", "unit", "envelope_row",
	                                    "handover"};
	static const char *const ENDS[] = {"flow", "finding", "blind", "host", "name"};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(WHOLE) && r >= 0; i++) {
		CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
		char text[64];

		snprintf(text, sizeof(text), "PRAGMA integrity_check(%s)", WHOLE[i]);
		r = sql_prepare(db, text, &stmt, err);
		if (r >= 0)
			r = sql_step(db, stmt, err);
		if (r > 0 && strcmp(column_text(stmt, 0), "ok") != 0)
			return sql_damaged(db, column_text(stmt, 0), err);
	}
	for (size_t i = 0; i < ARRAY_LEN(ENDS) && r >= 0; i++) {
		char text[128];

		snprintf(
			text, sizeof(text),
			"SELECT * FROM %s WHERE id IN ((SELECT min(id) FROM %s), (SELECT max(id) FROM %s))",
			ENDS[i], ENDS[i], ENDS[i]);
		r = sql_exec(db, text, err);
	}
	return r < 0 ? r : 0;
}

/* The main file is complete only once all of the WAL is in it. */
static int look_at_length(struct flowdb *db, struct err *err)
{
	int log = 0, done = 0, rc;

	rc = sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_PASSIVE, &log, &done);
	if ((rc & 0xff) == SQLITE_CORRUPT || (rc & 0xff) == SQLITE_NOTADB)
		return sql_error(db, rc, err);
	if (rc || log != done || stat(db->path, &db->was) < 0)
		return 0;
	return sql_check_whole(db, err);
}

int flowdb_look(struct flowdb *db, struct err *err)
{
	int r = look_at_length(db, err);

	if (r >= 0)
		r = look_at_tables(db, err);
	return r < 0 ? r : look_at_pages(db, err);
}
