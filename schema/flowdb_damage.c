/*
 * flowdb_damage.c - see flowdb.h: a database that is not as a writer left it. What costs little even of a large one is
 * looked at whenever a writer opens it; one that is damaged is set aside with all its files, never written to, never
 * removed.
 */
#include "schema/flowdb_sql.h"

#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define TRIES 100

/* Every table with its columns. */
#define COLUMNS \
	"SELECT m.name || '.' || c.name FROM sqlite_schema m, pragma_table_info(m.name) c" \
	" WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%'"

static int damaged(struct flowdb *db, struct err *err, const char *what)
{
	return err_set(err, -EBADMSG,
	               "%s: damaged (%s); 'sqlite3 %s .recover' saves what can be read",
	               db->path, what, db->path);
}

/* What a table lacks that those of a fresh database have; it may have more. */
static int look_at_tables(struct flowdb *db, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *fresh = NULL;
	CLEANUP(stmt_finalizep) sqlite3_stmt *wanted = NULL;
	char text[160];
	int r = flowdb_open(NULL, FLOWDB_WRITE, &fresh, err);

	if (r >= 0)
		r = sql_prepare(fresh, COLUMNS, &wanted, err);
	while (r >= 0 && (r = sql_step(fresh, wanted, err)) > 0) {
		CLEANUP(stmt_finalizep) sqlite3_stmt *there = NULL;

		r = sql_prepare(db, COLUMNS " AND m.name || '.' || c.name = ?1", &there, err);
		if (r < 0)
			return r;
		bind_text(there, 1, column_text(wanted, 0));
		r = sql_step(db, there, err);
		if (r < 0)
			return r;
		if (!r) {
			snprintf(text, sizeof(text), "it has no %s", column_text(wanted, 0));
			return damaged(db, err, text);
		}
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
			return damaged(db, err, column_text(stmt, 0));
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

/* ------------------------------------------------------------------ setting aside */

/* What its record spans, if that can still be read: no time of the file itself says it, packets have their own. */
static void read_span(const char *path, struct flowdb_aside *ret)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	struct flowdb db = {.path = (char *)path, .lock = -1};
	int64_t since_us = 0, until_us = 0;
	CLEANUP(freep) char *uri = sql_uri(path, "?mode=ro&immutable=1");

	if (uri &&
	    !sqlite3_open_v2(uri, &db.sql,
	                     SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
	                     NULL) &&
	    !sqlite3_prepare_v2(db.sql,
	                        "SELECT min(min(coalesce(begun_us, first_us), first_us)), max(last_us)"
	                        " FROM run",
	                        -1, &stmt, NULL) &&
	    sqlite3_step(stmt) == SQLITE_ROW) {
		since_us = sqlite3_column_int64(stmt, 0);
		until_us = sqlite3_column_int64(stmt, 1);
	}
	sqlite3_finalize(stmt);
	stmt = NULL;
	sqlite3_close(db.sql);
	if (since_us > 0 && since_us <= until_us && until_us <= EVENT_NUMBER_MAX) {
		ret->since_us = since_us;
		ret->until_us = until_us;
	}
}

/* Never over another file; 1: that name is taken. */
static int move(const char *from, const char *to, struct err *err)
{
	if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) || errno == ENOENT)
		return 0;
	if (errno == EINVAL && access(to, F_OK) < 0 && !rename(from, to))
		return 0;
	return errno == EEXIST || errno == EINVAL
	               ? 1
	               : err_set(err, -errno, "%s: cannot be set aside: %s", from,
	                         strerror(errno));
}

/*
 * The WAL first: should we die half way, a WAL beside a new database would be taken for its own. SQLite finds it by
 * its name beside the database set aside.
 */
static int move_all(const char *path, const char *aside, struct err *err)
{
	static const char *const SUFFIXES[] = {"-wal", "-shm", ""};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(SUFFIXES) && !r; i++) {
		CLEANUP(freep) char *from = NULL, *to = NULL;

		if (asprintf(&from, "%s%s", path, SUFFIXES[i]) < 0 ||
		    asprintf(&to, "%s%s", aside, SUFFIXES[i]) < 0)
			return err_set(err, -ENOMEM, "out of memory");
		r = move(from, to, err);
	}
	return r;
}

int flowdb_set_aside(const char *dir, int64_t at_us, struct flowdb_aside *ret, struct err *err)
{
	CLEANUP(freep) char *path = NULL;
	CLEANUP(closep) int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	time_t at_s = (time_t)(at_us / 1000000);
	char stamp[32];
	struct tm tm;
	int r = 1;

	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, -errno, "%s: cannot be locked: %s", dir, strerror(errno));
	if (asprintf(&path, "%s/flows.db", dir) < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%SZ", gmtime_r(&at_s, &tm));
	ret->since_us = ret->until_us = 0;
	read_span(path, ret);
	for (unsigned i = 0; r > 0 && i < TRIES; i++) {
		CLEANUP(freep) char *aside = NULL;
		char tail[8] = "";

		if (i)
			snprintf(tail, sizeof(tail), "-%u", i + 1);
		snprintf(ret->name, sizeof(ret->name), "flows.db.damaged-%s%s", stamp, tail);
		if (asprintf(&aside, "%s/%s", dir, ret->name) < 0) {
			aside = NULL;
			return err_set(err, -ENOMEM, "out of memory");
		}
		if (access(aside, F_OK) < 0)
			r = move_all(path, aside, err);
	}
	return r > 0 ? err_set(err, -EEXIST, "%s: %d files set aside in one second", path,
	                       TRIES)
	             : r;
}
