/*
 * flowdb_copy.c - see flowdb_upkeep.h: a snapshot, and the file written anew. Invariants:
 *  (1) A copy has another name until it is whole and on the disk; nothing is ever overwritten.
 *  (2) A snapshot is of one moment: it is made inside the reader's transaction, and the writer goes on.
 */
#include "schema/flowdb_upkeep.h"
#include "schema/flowdb_sql.h"

#include <assert.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define STEP_PAGES 64
#define TOLD_STEPS 100000 /* of SQLite's machine, between two words of progress */

void upkeep_tell(const struct upkeep_progress *progress, const char *doing, uint64_t done,
                 uint64_t all)
{
	if (progress && progress->told)
		progress->told(progress->context, doing, done, all);
}

static int has_room(const char *dir, uint64_t want, struct err *err)
{
	struct statvfs fs;
	uint64_t room;

	if (statvfs(dir, &fs) < 0)
		return err_set(err, -errno, "%s: %s", dir, strerror(errno));
	room = (uint64_t)fs.f_bavail * fs.f_frsize;
	if (room >= want)
		return 0;
	return err_set(
		err, -ENOSPC,
		"%s: %llu MB are free on that disk, and %llu MB are needed; make room, or "
		"name a folder on another disk",
		dir, (unsigned long long)(room >> 20), (unsigned long long)((want >> 20) + 1));
}

/* ---------------------------------------------------------------- snapshot */

struct target {
	char *path, *part; /* what it will be called, and until then */
	int dir;           /* locked */
	bool made_dir, made_part;
};

static int target_open(struct target *target, const char *to, struct err *err)
{
	if (asprintf(&target->path, "%s/flows.db", to) < 0)
		target->path = NULL;
	if (asprintf(&target->part, "%s/flows.db.part", to) < 0)
		target->part = NULL;
	if (!target->path || !target->part)
		return err_set(err, -ENOMEM, "out of memory");
	target->made_dir = !mkdir(to, 0750);
	if (!target->made_dir && errno != EEXIST)
		return err_set(err, -errno, "%s: the directory cannot be made: %s", to,
		               strerror(errno));
	target->dir = open(to, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (target->dir < 0)
		return err_set(err, -errno, "%s: %s", to, strerror(errno));
	if (flock(target->dir, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, -EBUSY,
		               "%s: another tlmon is writing here; name another directory", to);
	if (!access(target->path, F_OK))
		return err_set(
			err, -EEXIST,
			"%s: is there already, and nothing is overwritten; name another directory",
			target->path);
	return 0;
}

/* Made with our mode; what a snapshot that was killed has left is taken away. */
static int part_make(struct target *target, struct err *err)
{
	CLEANUP(closep) int fd = -1;

	unlink(target->part);
	fd = open(target->part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0640);
	if (fd < 0)
		return err_set(err, -errno, "%s: cannot be made: %s", target->part,
		               strerror(errno));
	target->made_part = true;
	return 0;
}

static int part_fill(struct flowdb *db, const struct target *target,
                     const struct upkeep_progress *progress, struct err *err)
{
	struct flowdb copy = {.path = target->part, .lock = -1};
	sqlite3_backup *backup = NULL;
	int rc = sqlite3_open_v2(target->part, &copy.sql,
	                         SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
	int r;

	if (!rc)
		rc = sqlite3_exec(copy.sql,
		                  "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF", NULL,
		                  NULL, NULL);
	if (!rc && !(backup = sqlite3_backup_init(copy.sql, "main", db->sql, "main")))
		rc = sqlite3_errcode(copy.sql);
	while (backup && (rc = sqlite3_backup_step(backup, STEP_PAGES)) == SQLITE_OK) {
		uint64_t all = (uint64_t)sqlite3_backup_pagecount(backup);

		upkeep_tell(progress, "copying pages",
		            all - (uint64_t)sqlite3_backup_remaining(backup), all);
	}
	if (backup)
		sqlite3_backup_finish(backup);
	/* Of reading the one or writing the other: the copy's connection has the word for it. */
	r = rc && rc != SQLITE_DONE ? sql_error(&copy, rc, err) : 0;
	sqlite3_close(copy.sql);
	return r;
}

static int sync_path(const char *path, struct err *err)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0 && fsync(fd) == 0)
		return 0;
	return err_set(err, -errno, "%s: cannot be brought to the disk: %s", path,
	               strerror(errno));
}

static int part_name(struct target *target, const char *to, struct err *err)
{
	int r = sync_path(target->part, err);

	if (r < 0)
		return r;
	/* Unlike rename() it overwrites nothing. */
	if (link(target->part, target->path) < 0)
		return err_set(err, -errno, "%s: %s", target->path, strerror(errno));
	unlink(target->part);
	target->made_part = target->made_dir = false;
	return sync_path(to, err);
}

int flowdb_snapshot(struct flowdb *db, const char *to, const struct upkeep_progress *progress,
                    struct err *err)
{
	struct target target = {.dir = -1};
	struct extent extent;
	/* The first question asked in the transaction fixes its moment. */
	int r = flowdb_extent(db, &extent, err);

	if (r >= 0)
		r = target_open(&target, to, err);
	if (r >= 0)
		r = has_room(to, extent.used + extent.free, err);
	if (r >= 0)
		r = part_make(&target, err);
	if (r >= 0)
		r = part_fill(db, &target, progress, err);
	if (r >= 0)
		r = flowdb_check(db, err);
	if (r >= 0)
		r = part_name(&target, to, err);
	if (target.made_part)
		unlink(target.part);
	if (target.made_dir && r < 0)
		rmdir(to);
	closep(&target.dir);
	free(target.path);
	free(target.part);
	return r;
}

/* ----------------------------------------------------------------- compact */

/* Tables of texts, and what refers to them beside REFERENCES. */
static const struct {
	const char *table, *undeclared;
} TEXTS[] = {
	{"link", ""}, /* first: it refers to hosts */
	/* Servers that a lease names: v_lease finds them by their bytes. */
	{"host", " UNION SELECT h.id FROM lease l, (VALUES (1), (17), (33), (49)) n"
                 " JOIN host h ON h.bytes = substr(l.dns, n.column1, 16)"},
	{"name", ""},
	{"phrase", ""},
	{"row_set", " UNION SELECT " FLOW_ROW_SET " FROM flow f WHERE " FLOW_ROW_SET " NOT NULL"},
};

/* Deletes what nothing refers to. The last one stays: its number is not given again. */
static int drop_unused(struct flowdb *db, size_t table, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	char text[4096];
	int r = sql_prepare(db,
	                    "SELECT m.name, f.\"from\" FROM sqlite_schema m,"
	                    " pragma_foreign_key_list(m.name) f"
	                    " WHERE m.type = 'table' AND f.\"table\" = ?1",
	                    &stmt, err);

	if (r < 0)
		return r;
	snprintf(text, sizeof(text),
	         "DELETE FROM %s WHERE id < (SELECT max(id) FROM %s) AND id NOT IN (SELECT 0%s",
	         TEXTS[table].table, TEXTS[table].table, TEXTS[table].undeclared);
	bind_text(stmt, 1, TEXTS[table].table);
	while ((r = sql_step(db, stmt, err)) > 0)
		text_add(text, sizeof(text),
		         " UNION SELECT \"%s\" FROM \"%s\" WHERE \"%s\" NOT NULL",
		         column_text(stmt, 1), column_text(stmt, 0), column_text(stmt, 1));
	text_add(text, sizeof(text), ")");
	return r < 0 ? r : sql_exec(db, text, err);
}

/* An archive has the numbers of texts: those that came back later would have others. */
static int drop_all_unused(struct flowdb *db, struct err *err)
{
	static const char ASTRAY[] = "SELECT count(*) FROM pragma_foreign_key_check";
	int64_t archived = 0, before = 0, after = 0;
	int r = sql_ask(db, "SELECT count(*) FROM removed WHERE how = 2", NULL, 0, &archived,
	                err);

	if (r < 0 || archived)
		return r < 0 ? r : 0;
	r = sql_exec(db, "BEGIN IMMEDIATE", err);
	if (r >= 0)
		r = sql_ask(db, ASTRAY, NULL, 0, &before, err);
	if (r >= 0) /* before the phrases it refers to */
		r = sql_exec(db,
		             "DELETE FROM differs WHERE id < (SELECT max(id) FROM differs)"
		             " AND id NOT IN (SELECT differs FROM flow WHERE differs NOT NULL)",
		             err);
	for (size_t i = 0; i < ARRAY_LEN(TEXTS) && r >= 0; i++)
		r = drop_unused(db, i, err);
	if (r >= 0)
		r = sql_ask(db, ASTRAY, NULL, 0, &after, err);
	assert(r < 0 || before == after);
	if (r >= 0)
		r = sql_exec(db, "COMMIT", err);
	if (r < 0)
		flowdb_rollback(db);
	intern_forget(db);
	return r;
}

static int tell_on(void *context)
{
	upkeep_tell(context, "writing the file anew", 0, 0);
	return 0;
}

/* Where the new file stands while it is made: beside the old one, not in /tmp. */
static int write_anew(struct flowdb *db, const char *dir, struct err *err)
{
	CLEANUP(freep)
	char *old = getenv("SQLITE_TMPDIR") ? strdup(getenv("SQLITE_TMPDIR")) : NULL;
	int r;

	setenv("SQLITE_TMPDIR", dir, 1);
	r = sql_exec(db,
	             "PRAGMA temp_store = FILE; PRAGMA auto_vacuum = INCREMENTAL; VACUUM;"
	             "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA temp_store = MEMORY",
	             err);
	if (old)
		setenv("SQLITE_TMPDIR", old, 1);
	else
		unsetenv("SQLITE_TMPDIR");
	return r;
}

int flowdb_compact(struct flowdb *db, const struct upkeep_progress *progress, struct err *err)
{
	CLEANUP(freep) char *dir = strdup(db->path);
	struct upkeep_progress told = progress ? *progress : (struct upkeep_progress){0};
	struct extent extent;
	int r;

	if (!dir)
		return err_set(err, -ENOMEM, "out of memory");
	*strrchr(dir, '/') = '\0';
	r = flowdb_extent(db, &extent, err);
	/* The new file, and the log that holds it until it stands in the old one's place. */
	if (r >= 0)
		r = has_room(*dir ? dir : "/", 2 * extent.used + (1 << 20), err);
	sqlite3_progress_handler(db->sql, TOLD_STEPS, tell_on, &told);
	if (r >= 0)
		r = drop_all_unused(db, err);
	if (r >= 0)
		r = write_anew(db, *dir ? dir : "/", err);
	sqlite3_progress_handler(db->sql, 0, NULL, NULL);
	return r;
}
