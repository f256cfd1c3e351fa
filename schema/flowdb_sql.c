/*
 * flowdb_sql.c - see flowdb_sql.h: how SQLite is spoken to, and what its errors mean.
 */
#include "schema/flowdb_sql.h"

int sql_damaged(const struct flowdb *db, const char *what, struct err *err)
{
	return err_set(err, -EBADMSG,
	               "%s: damaged (%s); 'sqlite3 %s .recover' saves what can be read", db->path,
	               what, db->path);
}

void sql_wait(struct flowdb *db, int ms)
{
	db->busy_ms = ms;
	sqlite3_busy_timeout(db->sql, ms);
}

static int locked(struct flowdb *db, struct err *err)
{
	char who[FLOWDB_WHO], time[32] = "";

	if (db->busy_ms)
		snprintf(time, sizeof(time), " for more than %d s", db->busy_ms / 1000);
	return err_set(err, -EBUSY, "%s: locked by %s%s; try again", db->path,
	               flowdb_who(flowdb_writer(db), who), time);
}

int sql_error(struct flowdb *db, int rc, struct err *err)
{
	const char *what = db->sql ? sqlite3_errmsg(db->sql) : sqlite3_errstr(rc);
	int number = db->sql ? sqlite3_system_errno(db->sql) : 0;

	switch (rc & 0xff) {
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return locked(db, err);
	case SQLITE_FULL:
		return err_set(err, -ENOSPC, "%s: the disk is full", db->path);
	case SQLITE_NOTADB:
		return err_set(err, -EBADMSG,
		               "%s: not a database; -l wants a directory of tlmon's", db->path);
	case SQLITE_CORRUPT:
		return sql_damaged(db, what, err);
	case SQLITE_NOMEM:
		return err_set(err, -ENOMEM, "out of memory");
	case SQLITE_CANTOPEN: /* of the files beside it: one is missing, and we may not make it */
		return err_set(err, -EROFS, "%s: %s", db->path, what);
	case SQLITE_READONLY:
		return err_set(err, -EROFS, "%s: not writable for us", db->path);
	case SQLITE_ERROR:
	case SQLITE_CONSTRAINT:
	case SQLITE_MISMATCH:
		if (!strcmp(what, "integer overflow"))
			return err_set(err, -ESTALE,
			               "%s: a number in it is too large to be added up; "
			               "'tlmon db check' names its row",
			               db->path);
		return err_set(err, -ESTALE, "%s: not as tlmon left it (%s); did another program change it?",
		               db->path, what);
	default:
		if ((rc & 0xff) == SQLITE_IOERR && (number == ENOSPC || number == EDQUOT))
			return err_set(err, -ENOSPC, "%s: the disk is full", db->path);
		return err_set(err, -EIO, "%s: %s", db->path, what);
	}
}

void stmt_finalizep(sqlite3_stmt **stmt)
{
	sqlite3_finalize(*stmt);
	*stmt = NULL;
}

static int prepare(struct flowdb *db, const char *text, unsigned flags, sqlite3_stmt **ret_stmt,
                   struct err *err)
{
	int rc = sqlite3_prepare_v3(db->sql, text, -1, flags, ret_stmt, NULL);

	return rc ? sql_error(db, rc, err) : 0;
}

/* Rows that are to be written, of which a statement of somebody's own may ask. */
static int write_all(struct flowdb *db, struct err *err)
{
	int r = rows_flush(db, err);

	if (r >= 0)
		r = seen_flush(db, err);
	return r < 0 ? r : changes_flush(db, err);
}

int sql_prepare(struct flowdb *db, const char *text, sqlite3_stmt **ret_stmt, struct err *err)
{
	int r = write_all(db, err);

	return r < 0 ? r : prepare(db, text, 0, ret_stmt, err);
}

/* Rows of the table `flow` that are to be written make no difference to it. */
static bool is_apart(enum slot slot)
{
	switch (slot) {
	case SLOT_FLOW_POLICY:
	case SLOT_FLOW_LAST:
	case SLOT_FLOW_DELETE:
	case SLOT_FLOW_BLIND:
	case SLOT_FLOW_FIND:
	case SLOT_FLOW_GET:
	case SLOT_FINDING_LATEST:
	case SLOT_FINDING_FOLD:
	case SLOT_COMMIT:
		return false;
	default:
		return true;
	}
}

int sql_slot(struct flowdb *db, enum slot slot, const char *text, sqlite3_stmt **ret_stmt,
             struct err *err)
{
	int r = db->rows.count && !is_apart(slot) ? rows_flush(db, err) : 0;

	if (r < 0)
		return r;
	if (!db->slot[slot]) {
		r = prepare(db, text, SQLITE_PREPARE_PERSISTENT, &db->slot[slot], err);

		if (r < 0)
			return r;
	}
	sqlite3_reset(db->slot[slot]);
	*ret_stmt = db->slot[slot];
	return 0;
}

void bind_one(sqlite3_stmt *stmt, int at, int64_t value)
{
	if (value == SQL_NULL)
		sqlite3_bind_null(stmt, at);
	else
		sqlite3_bind_int64(stmt, at, value);
}

void bind_all(sqlite3_stmt *stmt, const int64_t *values, size_t count)
{
	for (size_t i = 0; i < count; i++)
		bind_one(stmt, (int)i + 1, values[i]);
}

void bind_text(sqlite3_stmt *stmt, int at, const char *text)
{
	sqlite3_bind_text(stmt, at, text, -1, SQLITE_STATIC);
}

int sql_step(struct flowdb *db, sqlite3_stmt *stmt, struct err *err)
{
	int rc = sqlite3_step(stmt);
	int r = rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : sql_error(db, rc, err);

	if (r <= 0)
		sqlite3_reset(stmt);
	return r;
}

int sql_run(struct flowdb *db, sqlite3_stmt *stmt, struct err *err)
{
	int r = sql_step(db, stmt, err);

	if (r > 0)
		sqlite3_reset(stmt);
	return r < 0 ? r : 0;
}

int sql_exec(struct flowdb *db, const char *text, struct err *err)
{
	int r = write_all(db, err);
	int rc = r < 0 ? 0 : sqlite3_exec(db->sql, text, NULL, NULL, NULL);

	return r < 0 ? r : rc ? sql_error(db, rc, err) : 0;
}

int sql_tell(struct flowdb *db, enum slot slot, const char *text, const int64_t *values,
             size_t count, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_slot(db, slot, text, &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, count);
	return sql_run(db, stmt, err);
}

static int first_number(struct flowdb *db, sqlite3_stmt *stmt, const int64_t *values,
                        size_t count, int64_t *ret, struct err *err)
{
	int r;

	bind_all(stmt, values, count);
	r = sql_step(db, stmt, err);
	if (r < 0)
		return r;
	*ret = r ? sqlite3_column_int64(stmt, 0) : 0;
	sqlite3_reset(stmt);
	return r;
}

int sql_ask(struct flowdb *db, const char *text, const int64_t *values, size_t count,
            int64_t *ret, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, text, &stmt, err);

	return r < 0 ? r : first_number(db, stmt, values, count, ret, err);
}

int sql_ask_slot(struct flowdb *db, enum slot slot, const char *text, const int64_t *values,
                 size_t count, int64_t *ret, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_slot(db, slot, text, &stmt, err);

	return r < 0 ? r : first_number(db, stmt, values, count, ret, err);
}

int sql_number(struct flowdb *db, const char *text, int64_t *ret, struct err *err)
{
	int r = sql_ask(db, text, NULL, 0, ret, err);

	return r < 0 ? r : 0;
}

char *sql_uri(const char *path, const char *options)
{
	char *uri = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&uri, &size);

	if (!out)
		return NULL;
	fputs(*path == '/' ? "file://" : "file:", out);
	for (; *path; path++)
		fprintf(out, strchr("%?#", *path) ? "%%%02x" : "%c", (unsigned char)*path);
	fputs(options, out);
	return fclose(out) ? NULL : uri;
}

int sql_check_whole(struct flowdb *db, struct err *err)
{
	int64_t pages = 0, page_size = 0;
	int r = sql_number(db, "PRAGMA page_count", &pages, err);

	if (r >= 0)
		r = sql_number(db, "PRAGMA page_size", &page_size, err);
	if (r < 0 || pages * page_size <= db->was.st_size)
		return r;
	return err_set(err, -EBADMSG, "%s: cut short: %lld bytes of %lld are there", db->path,
	               (long long)db->was.st_size, (long long)(pages * page_size));
}
