/*
 * flowdb_aside.c - see flowdb.h: a damaged database is set aside with all its files, never written to, never removed.
 * Invariants, wherever we are killed:
 *  (1) Its name ends in ".moving" until its WAL has moved too; whoever next takes the directory's lock finishes that.
 *      So it never loses its WAL, and no WAL stands beside a database that it does not belong to.
 *  (2) Nothing is moved over another file.
 */
#include "schema/flowdb_sql.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define TRIES 100
#define MOVING ".moving"
#define STAMP "flows.db.damaged-%Y%m%dT%H%M%SZ"

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
	                        "SELECT min(coalesce(begun_us, first_us)), max(last_us) FROM run", -1,
	                        &stmt, NULL) &&
	    sqlite3_step(stmt) == SQLITE_ROW) {
		since_us = sqlite3_column_int64(stmt, 0);
		until_us = sqlite3_column_int64(stmt, 1);
	}
	sqlite3_finalize(stmt);
	stmt = NULL;
	sqlite3_close(db.sql);
	if (since_us <= 0 || until_us < since_us || until_us > EVENT_NUMBER_MAX)
		return;
	ret->since_us = since_us;
	if (until_us > ret->until_us)
		ret->until_us = until_us;
}

/* Asked of the effective user: the supervisor's real one may not look into the directory (access(2)). */
static bool is_there(int dir, const char *name)
{
	struct stat st;

	return !fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW);
}

/* Never over another file; 1: that name is taken, 0 also if there is nothing to move. */
static int move(int dir, const char *from, const char *to, struct err *err)
{
	if (!renameat2(dir, from, dir, to, RENAME_NOREPLACE) || errno == ENOENT)
		return 0;
	if (errno == EINVAL && !is_there(dir, to) && !renameat(dir, from, dir, to))
		return 0;
	return errno == EEXIST || errno == EINVAL
	               ? 1
	               : err_set(err, -errno, "%s: cannot be set aside: %s", from,
	                         strerror(errno));
}

/* Moves what is left to be moved. SQLite finds a WAL by its name beside the database. */
static int finish(int dir, const char *name, struct err *err)
{
	char moving[96], to[96];
	const char *const parts[][2] = {
		{"flows.db-wal", "-wal"}, {"flows.db-shm", "-shm"}, {moving, ""}};
	/* Were there another database by now, these would be its own. */
	size_t first = is_there(dir, "flows.db") ? 2 : 0;
	int r = 0;

	snprintf(moving, sizeof(moving), "%s" MOVING, name);
	for (size_t i = first; i < ARRAY_LEN(parts) && !r; i++) {
		snprintf(to, sizeof(to), "%s%s", name, parts[i][1]);
		r = move(dir, parts[i][0], to, err);
	}
	return r > 0 ? err_set(err, -EEXIST, "%s: there already, and nothing is moved over it",
	                       to)
	             : r;
}

/* "flows.db.damaged-20261122T031500Z-2.moving": its length up to the dot; 0: it is no such name. */
static size_t name_len(const char *name, bool *ret_moving, int64_t *ret_us)
{
	struct tm tm = {0};
	const char *end = strptime(name, STAMP, &tm);

	if (!end)
		return 0;
	if (*end == '-' && strspn(end + 1, "0123456789"))
		end += 1 + strspn(end + 1, "0123456789");
	*ret_moving = !strcmp(end, MOVING);
	*ret_us = (int64_t)timegm(&tm) * 1000000;
	return *end && !*ret_moving ? 0 : (size_t)(end - name);
}

/* The last one set aside, or one that still moves: 1; 0: there is none. */
static int last_of(const char *dir, bool moving, struct flowdb_aside *ret, struct err *err)
{
	DIR *entries = opendir(dir);
	struct dirent *entry;
	int found = 0;

	if (!entries)
		return err_set(err, -errno, "%s: %s", dir, strerror(errno));
	while ((entry = readdir(entries))) {
		bool it_moves;
		int64_t at_us;
		size_t len = name_len(entry->d_name, &it_moves, &at_us);

		/* Of one second the longer name is the later one, else the greater. */
		if (!len || len >= sizeof(ret->name) || it_moves != moving ||
		    (found && (at_us < ret->at_us ||
		               (at_us == ret->at_us &&
		                (len < strlen(ret->name) ||
		                 (len == strlen(ret->name) && strncmp(entry->d_name, ret->name, len) < 0))))))
			continue;
		snprintf(ret->name, sizeof(ret->name), "%.*s", (int)len, entry->d_name);
		ret->at_us = at_us;
		found = 1;
	}
	closedir(entries);
	return found;
}

int flowdb_aside(const char *dir, struct flowdb_aside *ret, struct err *err)
{
	CLEANUP(freep) char *path = NULL;
	int r = last_of(dir, false, ret, err);

	if (r <= 0)
		return r;
	if (asprintf(&path, "%s/%s", dir, ret->name) < 0) {
		path = NULL;
		return err_set(err, -ENOMEM, "out of memory");
	}
	ret->since_us = 0;
	ret->until_us = ret->at_us;
	read_span(path, ret);
	return 1;
}

int aside_finish(const char *dir, int lock, struct err *err)
{
	struct flowdb_aside aside;
	int r = last_of(dir, true, &aside, err);

	return r > 0 ? finish(lock, aside.name, err) : r;
}

int flowdb_set_aside(const char *dir, int64_t at_us, struct err *err)
{
	CLEANUP(closep) int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	time_t at_s = (time_t)(at_us / 1000000);
	char stamp[64], name[80], moving[96];
	struct tm tm;
	int r;

	if (lock < 0 || flock(lock, LOCK_EX | LOCK_NB) < 0)
		return err_set(err, -errno, "%s: cannot be locked: %s", dir, strerror(errno));
	r = aside_finish(dir, lock, err);
	if (r < 0)
		return r;
	strftime(stamp, sizeof(stamp), STAMP, gmtime_r(&at_s, &tm));
	for (unsigned i = 1; i <= TRIES; i++) {
		snprintf(name, sizeof(name), i > 1 ? "%s-%u" : "%s", stamp, i);
		snprintf(moving, sizeof(moving), "%s" MOVING, name);
		if (is_there(lock, name))
			continue;
		r = move(lock, "flows.db", moving, err);
		if (r <= 0)
			return r < 0 ? r : finish(lock, name, err);
	}
	return err_set(err, -EEXIST, "%s: %d files set aside in one second", dir, TRIES);
}
