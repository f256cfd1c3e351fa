/*
 * flowdb.c - see flowdb.h: opening, closing and transactions.
 *
 * A database is in WAL mode: readers see whole commits and never wait for the writer. Invariants:
 *  (1) There is one writer: it holds an exclusive flock() on the directory, which dies with it.
 *  (2) A file that is not ours is never written to: we look at its header before anything else.
 *  (3) A reader writes nothing. While flows.db-wal exists somebody writes, or died writing: the
 *      reader then shares the WAL as SQLite means it. Without one the file is complete, and is read
 *      as immutable, which needs no other file and so works in a read-only directory; so does a copy
 *      with its WAL, which is read without locks. Should a writer change a file under such a reader,
 *      flowdb_check() says so at the end.
 */
#include "schema/flowdb_sql.h"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define BUSY_TIMEOUT_MS 1000
#define CHECKPOINT_PAGES 4096
#define PAGE_BYTES 4096

/*
 * Behind each commit, in place of SQLite's own checkpoints: what could not be written back, for want of room or because
 * somebody reads it, is tried again the next time.
 */
static int on_commit(void *context, sqlite3 *sql, const char *name, int pages)
{
	struct flowdb *db = context;
	int left = pages, done = 0;

	if (pages >= CHECKPOINT_PAGES)
		sqlite3_wal_checkpoint_v2(sql, name, SQLITE_CHECKPOINT_PASSIVE, &left, &done);
	db->wal_bytes = (uint64_t)(left > done ? left : 0) * PAGE_BYTES;
	return SQLITE_OK;
}

int flowdb_was_version(const struct flowdb *db)
{
	return db->was_version;
}

int flowdb_version(void)
{
	return FLOWDB_VERSION;
}

uint64_t flowdb_wal_bytes(const struct flowdb *db)
{
	return db->wal_bytes;
}

int flowdb_sync_each(struct flowdb *db, struct err *err)
{
	return sql_exec(db, "PRAGMA synchronous = FULL", err);
}

int flowdb_cache(struct flowdb *db, uint32_t kib, struct err *err)
{
	char text[64];

	snprintf(text, sizeof(text), "PRAGMA cache_size = -%u", kib);
	return sql_exec(db, text, err);
}

static int prepare_writer(struct flowdb *db, struct err *err)
{
	int64_t version;
	int r = check_owner(db, &version, err);

	if (r < 0)
		return r;
	if (version == FLOWDB_VERSION && db->lock >= 0)
		r = flowdb_look(db, err); /* before anything is written to it */
	if (r < 0)
		return r;
	/* Before there is a table, or never (but for `tlmon db compact`). */
	if (!version && db->lock >= 0)
		r = sql_exec(db, "PRAGMA auto_vacuum = INCREMENTAL", err);
	if (r < 0)
		return r;
	r = sql_exec(
		db,
		"PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
		"PRAGMA cache_size = -32768; PRAGMA journal_size_limit = 67108864;"
		"PRAGMA temp_store = MEMORY", /* a sandboxed recorder can make no file in /tmp */
		err);
	if (r >= 0)
		r = query_functions(db, err);
	if (r >= 0)
		r = migrate(db, version, err);
	if (r >= 0 && version && version < FLOWDB_VERSION)
		db->was_version = (int)version;
	sqlite3_wal_hook(db->sql, on_commit, db);
	return r;
}

/* There is one writer, and it may be of another version. */
static int refuse_second(struct flowdb *db, const char *dir, struct err *err)
{
	int64_t version = version_in_head(db->path);
	char holder[HOLDER_TEXT];

	holder_print(dir, holder);
	if (!version || version == FLOWDB_VERSION)
		return err_set(err, -EBUSY,
		               "%s: another tlmon is writing here%s; stop it, or name another "
		               "directory with -l",
		               dir, holder);
	return err_set(
		err, -EBUSY,
		"%s: %s tlmon%s is writing here: its database is of version %lld, this one's of %d. "
		"Stop it%s, or name another directory with -l",
		dir, version < FLOWDB_VERSION ? "an older" : "a newer", holder,
		(long long)version, FLOWDB_VERSION,
		version < FLOWDB_VERSION ? ", and this one turns what it recorded into that" : "");
}

/* Makes what is missing and takes the lock. *ret_made: the file is ours to remove on failure. */
static int lock_and_make(struct flowdb *db, const char *dir, bool *ret_made, bool *ret_made_dir,
                         struct err *err)
{
	CLEANUP(closep) int fd = -1;
	int r;

	if (!mkdir(dir, 0750))
		*ret_made_dir = true;
	else if (errno != EEXIST)
		return err_set(err, -errno, "%s: the directory cannot be made: %s", dir,
		               strerror(errno));
	db->lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (db->lock < 0)
		return err_set(err, -errno, "%s: %s", dir, strerror(errno));
	if (flock(db->lock, LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? refuse_second(db, dir, err)
		                            : err_set(err, -errno, "%s: cannot be locked: %s",
		                                      dir, strerror(errno));
	r = aside_finish(dir, db->lock, err);
	if (r < 0)
		return r;
	fd = open(db->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0 && errno != EEXIST)
		return err_set(err, -errno, "%s: cannot be made: %s", db->path,
		               strerror(errno));
	*ret_made = fd >= 0;
	if (fd >= 0 && fchmod(fd, 0640) < 0)
		return err_set(err, -errno, "%s: %s", db->path, strerror(errno));
	return 0;
}

/* A shared lock is there to be had unless a writer holds its own; it is given back at once. */
bool flowdb_is_written(const struct flowdb *db)
{
	CLEANUP(freep) char *dir = strdup(db->path);
	CLEANUP(closep) int fd = -1;
	char *end = dir ? strrchr(dir, '/') : NULL;

	if (!end)
		return false;
	end[end == dir] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

static int refuse_read_only(struct flowdb *db, const char *dir, struct err *err)
{
	int64_t version = version_in_head(db->path);

	if (!version || version >= FLOWDB_VERSION)
		return err_set(err, -EROFS,
		               "%s: not writable for us; name another directory with -l", db->path);
	return err_set(err, -EROFS,
	               "%s: not writable for us, and of version %lld: it cannot be turned into "
	               "version %d here. Copy the directory, and run 'tlmon db compact -l COPY'",
	               db->path, (long long)version, FLOWDB_VERSION);
}

static int open_writer(struct flowdb *db, const char *dir, struct err *err)
{
	bool made = false, made_dir = false;
	int r = lock_and_make(db, dir, &made, &made_dir, err);

	if (r >= 0) {
		int rc = sqlite3_open_v2(db->path, &db->sql,
		                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);

		r = rc ? sql_error(db, rc, err) : 0;
	}
	if (r >= 0 && sqlite3_db_readonly(db->sql, "main") == 1)
		r = refuse_read_only(db, dir, err);
	if (r >= 0) {
		sql_wait(db, BUSY_TIMEOUT_MS);
		r = prepare_writer(db, err);
	}
	if (r >= 0)
		r = door_open(db, err);
	if (r >= 0 && !made)
		r = flowdb_look(db, err);
	if (r >= 0)
		r = flowdb_others_wrote(db, err); /* from now on */
	if (r >= 0 && stat(db->path, &db->was) < 0)
		r = err_set(err, -errno, "%s: %s", db->path, strerror(errno));
	if (r < 0 && made) {
		sqlite3_close(db->sql);
		db->sql = NULL;
		unlink(db->path);
	}
	if (r < 0 && made_dir)
		rmdir(dir);
	return r;
}

/* What brings it to our version depends on who may write to it. */
static int refuse_older(struct flowdb *db, int64_t version, struct err *err)
{
	int len = (int)(strrchr(db->path, '/') - db->path);
	CLEANUP(freep) char *dir = strndup(db->path, (size_t)len);
	char holder[HOLDER_TEXT], what[96];

	snprintf(what, sizeof(what), "version %lld, written by an older tlmon; this one reads %d",
	         (long long)version, FLOWDB_VERSION);
	if (dir && flowdb_is_written(db))
		return err_set(err, -EPROTO,
		               "%s: %s. It is being written%s: read it with that tlmon, or stop it, and "
		               "the next 'tlmon watch -l %s' of this one turns it into version %d",
		               db->path, what, holder_print(dir, holder), dir, FLOWDB_VERSION);
	if (access(db->path, W_OK) < 0)
		return err_set(err, -EPROTO,
		               "%s: %s, and it is not writable for us. Copy the directory, and run "
		               "'tlmon db compact -l COPY', which turns the copy into that",
		               db->path, what);
	return err_set(err, -EPROTO,
	               "%s: %s. The next 'tlmon watch -l %.*s' turns it into that and keeps all it "
	               "holds; so does 'tlmon db compact -l %.*s'",
	               db->path, what, len, db->path, len, db->path);
}

/* A file that others may have made, or bytes of it turned over: it shall mislead us, at the most. */
static int distrust(struct flowdb *db, struct err *err)
{
	static const struct {
		int limit, value;
	} LIMITS[] = {
		{SQLITE_LIMIT_LENGTH, 64 << 20}, {SQLITE_LIMIT_SQL_LENGTH, 1 << 20},
		{SQLITE_LIMIT_COLUMN, 200},
		{SQLITE_LIMIT_TRIGGER_DEPTH, 10}, {SQLITE_LIMIT_WORKER_THREADS, 0},
	};

	for (size_t i = 0; i < ARRAY_LEN(LIMITS); i++)
		sqlite3_limit(db->sql, LIMITS[i].limit, LIMITS[i].value);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
	sqlite3_db_config(db->sql, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, NULL);
	return sql_exec(db, "PRAGMA cell_size_check = ON", err);
}

/* What answers a question must be stored as rows: a view in its place could go on for ever. */
static int check_tables(struct flowdb *db, struct err *err)
{
	static const char *const NEEDED[] = {
		"blind",    "coverage", "envelope_row", "evidence",     "evidence_day",
		"finding",  "finding_change",
		"flow",     "flow_more", "differs",      "host",        "input",      "lease",
		"link",     "name",     "name_seen",    "phrase",       "policy",     "policy_use",
		"removed",  "row_set",  "run",          "tally",        "media_port", "unit",
		"unit_address"};

	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	bool there[ARRAY_LEN(NEEDED)] = {false};
	int r = sql_prepare(db,
	                    "SELECT name FROM sqlite_schema WHERE type = 'table'"
	                    " AND sql NOT LIKE 'CREATE VIRTUAL%'",
	                    &stmt, err);

	while (r >= 0 && (r = sql_step(db, stmt, err)) > 0)
		for (size_t i = 0; i < ARRAY_LEN(NEEDED); i++)
			there[i] |= !strcmp(column_text(stmt, 0), NEEDED[i]);
	for (size_t i = 0; i < ARRAY_LEN(NEEDED) && r >= 0; i++)
		if (!there[i]) {
			char text[64];

			snprintf(text, sizeof(text), "there is no table %s", NEEDED[i]);
			return sql_damaged(db, text, err);
		}
	return r;
}

static int open_as(struct flowdb *db, const char *options, struct err *err)
{
	CLEANUP(freep) char *uri = sql_uri(db->path, options);
	int64_t version;
	int rc, r;

	if (!uri)
		return err_set(err, -ENOMEM, "out of memory");
	rc = sqlite3_open_v2(uri, &db->sql,
	                     SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
	                     NULL);
	if (rc)
		return sql_error(db, rc, err);
	sql_wait(db, BUSY_TIMEOUT_MS);
	r = distrust(db, err);
	if (r >= 0 && db->wal_was.st_ino) {
		sqlite3_db_config(db->sql, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
		r = sql_exec(db, "PRAGMA locking_mode = EXCLUSIVE", err);
	}
	if (r >= 0)
		r = check_owner(db, &version, err);
	if (r >= 0 && db->frozen && !db->wal_was.st_ino)
		r = sql_check_whole(db, err);
	if (r >= 0)
		r = query_functions(db, err);
	if (r >= 0 && !version)
		r = err_set(err, -ENODATA, "%s: empty; nothing was ever recorded here",
		            db->path);
	else if (r >= 0 && version < FLOWDB_VERSION)
		r = refuse_older(db, version, err);
	/* One transaction: all answers of a command are of one moment. */
	if (r >= 0)
		r = sql_exec(db, "BEGIN", err);
	return r < 0 ? r : check_tables(db, err);
}

static int open_reader(struct flowdb *db, const char *dir, struct err *err)
{
	CLEANUP(freep) char *wal = NULL;
	CLEANUP(closep) int fd = -1;
	struct stat st;

	if (asprintf(&wal, "%s-wal", db->path) < 0) {
		wal = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	fd = open(db->path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		return err_set(
			err, -ENOENT,
			"%s: no flow database there; 'tlmon watch -l %s' records one, -l or "
			"$TLMON_DIR names another",
			db->path, dir);
	if (fd < 0 || fstat(fd, &db->was) < 0)
		return err_set(err, -errno, "%s: %s", db->path, strerror(errno));
	if (!S_ISREG(db->was.st_mode))
		return err_set(err, -EINVAL, "%s: not a file", db->path);
	if (!stat(wal, &st)) {
		int r = open_as(db, "?mode=ro", err);

		if (r != -EIO && r != -EROFS)
			return r;
		/* Somebody writes, and we may not share its -shm: no other way to read is safe. */
		if (st.st_size && flowdb_is_written(db))
			return err_set(
				err, r,
				"%s: its last commits stand in %s, which cannot be read here while "
				"they are written; ask as the user that writes",
				db->path, wal);
		sqlite3_close(db->sql);
		db->sql = NULL;
		/* A copy without its -shm, where none can be made: an empty WAL holds nothing. */
		if (st.st_size)
			db->wal_was = st;
	}
	db->frozen = true;
	/* Nobody changes either file: no lock is needed, and what indexes the WAL stays in our memory. */
	return open_as(db, db->wal_was.st_ino ? "?mode=ro&vfs=unix-none" : "?mode=ro&immutable=1",
	               err);
}

static int open_beside(struct flowdb *db, const char *dir, struct err *err)
{
	int64_t version = 0;
	int rc, r;

	if (access(db->path, F_OK) < 0)
		return err_set(err, -ENOENT,
		               "%s: no flow database there; 'tlmon watch -l %s' records one, -l or "
		               "$TLMON_DIR names another",
		               db->path, dir);
	rc = sqlite3_open_v2(db->path, &db->sql, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	if (rc)
		return sql_error(db, rc, err);
	sql_wait(db, BUSY_TIMEOUT_MS);
	r = check_owner(db, &version, err);
	if (r >= 0 && version != FLOWDB_VERSION)
		r = refuse_older(db, version, err);
	if (r >= 0 && sqlite3_db_readonly(db->sql, "main"))
		r = err_set(err, -EROFS, "%s: may not be written to here", db->path);
	if (r >= 0)
		r = query_functions(db, err);
	return r < 0 ? r : beside_begin(db, err);
}

int flowdb_open(const char *dir, enum flowdb_mode mode, struct flowdb **ret_db, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = calloc(1, sizeof(*db));
	int r;

	if (!db)
		return err_set(err, -ENOMEM, "out of memory");
	/* No thread of ours but this one: mutexes and sums of memory are a twentieth of a writer's time. */
	sqlite3_config(SQLITE_CONFIG_SINGLETHREAD);
	sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
	db->lock = db->door = db->ask_file = db->ask_shm = -1;
	if (dir ? asprintf(&db->path, "%s/flows.db", dir) < 0
	        : !(db->path = strdup("(in memory)"))) {
		db->path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (!dir) {
		int rc = sqlite3_open_v2(
			":memory:", &db->sql,
			SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX |
				SQLITE_OPEN_URI, /* of one that is attached: flowdb_know() */
			NULL);

		r = rc ? sql_error(db, rc, err) : prepare_writer(db, err);
	} else if (mode == FLOWDB_WRITE) {
		r = open_writer(db, dir, err);
	} else if (mode == FLOWDB_BESIDE) {
		r = open_beside(db, dir, err);
	} else {
		r = open_reader(db, dir, err);
	}
	if (r < 0)
		return r;
	*ret_db = TAKE(db);
	return 0;
}

void flowdb_close(struct flowdb *db)
{
	if (!db)
		return;
	flowdb_close(db->next);
	for (size_t i = 0; i < SLOT_COUNT; i++)
		sqlite3_finalize(db->slot[i]);
	intern_release(db);
	tally_release(db);
	waiting_release(db);
	free(db->packets);
	free(db->changes);
	free(db->seen);
	sqlite3_close(db->sql);
	closep(&db->door); /* not before: with any descriptor of a file its locks go */
	closep(&db->ask_file);
	closep(&db->ask_shm);
	closep(&db->lock);
	free(db->path);
	free(db->sensor);
	free(db);
}

void flowdb_closep(struct flowdb **db)
{
	flowdb_close(*db);
	*db = NULL;
}

static bool is_unchanged(const char *path, const struct stat *was)
{
	struct stat now;

	return !stat(path, &now) && now.st_ino == was->st_ino && now.st_size == was->st_size &&
	       now.st_mtim.tv_sec == was->st_mtim.tv_sec &&
	       now.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

static int check_unchanged(const struct flowdb *db, struct err *err)
{
	CLEANUP(freep) char *wal = NULL;

	if (asprintf(&wal, "%s-wal", db->path) < 0) {
		wal = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (!db->frozen || (is_unchanged(db->path, &db->was) &&
	                    (!db->wal_was.st_ino || is_unchanged(wal, &db->wal_was))))
		return 0;
	return err_set(err, -EAGAIN,
	               "%s: changed while it was read, so the answer may be wrong; ask again",
	               db->path);
}

int flowdb_check(struct flowdb *db, struct err *err)
{
	int r = 0;

	for (; db && r >= 0; db = db->next)
		r = check_unchanged(db, err);
	return r;
}

int flowdb_in_place(struct flowdb *db, struct err *err)
{
	struct stat now;

	if (db->lock < 0 || (!stat(db->path, &now) && now.st_ino == db->was.st_ino &&
	                     now.st_dev == db->was.st_dev))
		return 0;
	return err_set(err, -ENOENT, "%s: somebody removed or replaced it while it was written",
	               db->path);
}

int flowdb_begin(struct flowdb *db, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = sql_slot(db, SLOT_BEGIN, "BEGIN IMMEDIATE", &stmt, err);

	if (db->lock >= 0)
		door_wait(db);
	db->finding_last = db->flow_last = 0; /* somebody beside us may have written */
	db->differs_known = false;
	return r < 0 ? r : sql_run(db, stmt, err);
}

int flowdb_commit(struct flowdb *db, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = tally_flush(db, err);

	if (r >= 0)
		r = packets_flush(db, err);
	if (r >= 0)
		r = seen_flush(db, err);
	if (r >= 0)
		r = changes_flush(db, err);
	if (r >= 0)
		r = sql_slot(db, SLOT_COMMIT, "COMMIT", &stmt, err);
	return r < 0 ? r : sql_run(db, stmt, err);
}

/* A full disk may have rolled back already: then there is nothing to do but forget. */
void flowdb_rollback(struct flowdb *db)
{
	if (!sqlite3_get_autocommit(db->sql))
		sqlite3_exec(db->sql, "ROLLBACK", NULL, NULL, NULL);
	db->finding_last = db->flow_last = 0;
	db->rows.count = 0;
	waiting_forget(db);
	packets_forget(db);
	seen_forget(db);
	changes_forget(db);
	intern_forget(db);
	tally_forget(db);
}
