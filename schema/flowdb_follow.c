/*
 * flowdb_follow.c - see flowdb_query.h: a reader that goes on with what a writer commits.
 */
#include "schema/flowdb_sql.h"

#include <unistd.h>

/* Another file stands there now, or the one that was taken for a dead one is written again. */
static bool is_stale(const struct flowdb *db)
{
	CLEANUP(freep) char *wal = NULL;
	struct stat now;

	if (stat(db->path, &now) < 0)
		return false; /* gone; maybe another comes */
	if (now.st_ino != db->was.st_ino || now.st_dev != db->was.st_dev)
		return true;
	if (!db->frozen)
		return false;
	if (asprintf(&wal, "%s-wal", db->path) < 0)
		wal = NULL;
	return now.st_mtim.tv_sec != db->was.st_mtim.tv_sec ||
	       now.st_mtim.tv_nsec != db->was.st_mtim.tv_nsec || (wal && !access(wal, F_OK));
}

/* In place: whoever holds the handle goes on with it. One that is being made is there the next time. */
static int reopen(struct flowdb *db, struct err *err)
{
	CLEANUP(freep) char *dir = strndup(db->path, (size_t)(strrchr(db->path, '/') - db->path));
	CLEANUP(flowdb_closep) struct flowdb *new = NULL;
	ino_t was = db->was.st_ino;
	struct flowdb old;
	int r = dir ? flowdb_open(dir, FLOWDB_READ, &new, err)
	            : err_set(err, -ENOMEM, "out of memory");

	if (r == -ENODATA || r == -ENOENT || r == -EBUSY)
		return 0;
	if (r < 0)
		return r;
	new->next = db->next;
	new->sensor = db->sensor;
	if (new->was.st_ino == was)
		new->point = db->point; /* the same one, only alive again */
	else
		new->point.known = true; /* all that is in it is fresh */
	old = *db;
	*db = *new;
	*new = old;
	new->next = NULL;
	new->sensor = NULL;
	return 0;
}

static int read_point(struct flowdb *db, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_exec(db, "COMMIT; BEGIN", err);

	if (r >= 0)
		r = sql_prepare(db,
		                "SELECT (SELECT max(id) FROM flow), (SELECT max(id) FROM finding_change)",
		                &stmt, err);
	if (r >= 0)
		r = sql_step(db, stmt, err);
	if (r < 0)
		return r;
	db->point.flow = db->point.flow_now;
	db->point.change = db->point.change_now;
	db->point.flow_now = sqlite3_column_int64(stmt, 0);
	db->point.change_now = sqlite3_column_int64(stmt, 1);
	if (!db->point.known) {
		db->point.flow = db->point.flow_now;
		db->point.change = db->point.change_now;
	}
	db->point.known = true;
	return 0;
}

int flowdb_refresh(struct flowdb *db, struct err *err)
{
	int r = 0;

	for (; db && r >= 0; db = db->next) {
		if (is_stale(db))
			r = reopen(db, err);
		if (r >= 0)
			r = read_point(db, err);
	}
	return r;
}
