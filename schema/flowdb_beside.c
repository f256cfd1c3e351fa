/*
 * flowdb_beside.c - see flowdb.h: a short second writer beside the recorder. The recorder has a transaction
 * open nearly always, and SQLite gives the lock to whoever happens to ask in the moment between two: so
 * there is a door. The second writer holds the lock on a byte of flows.db that SQLite does not use; the
 * recorder looks at it before it begins anew, and lets the other one go first.
 */
#include "schema/flowdb_sql.h"

#include <fcntl.h>
#include <time.h>
#include <unistd.h>

#define DOOR_BYTE 0x40001000 /* SQLite locks 510 bytes from 0x40000000 on */
#define DOOR_WAIT_MS 2000    /* the recorder waits no longer than that */
#define BESIDE_WAIT_MS 15000 /* the other one: commits of a replay can be seconds apart */
#define STEP_MS 2

static void step(void)
{
	const struct timespec pause = {.tv_nsec = STEP_MS * 1000000L};

	nanosleep(&pause, NULL);
}

int door_open(struct flowdb *db, struct err *err)
{
	db->door = open(db->path, O_RDWR | O_CLOEXEC);
	if (db->door < 0)
		return err_set(err, -errno, "%s: %s", db->path, strerror(errno));
	return 0;
}

void door_wait(const struct flowdb *db)
{
	for (int waited = 0; db->door >= 0 && waited < DOOR_WAIT_MS; waited += STEP_MS) {
		struct flock lock = {.l_type = F_WRLCK, .l_start = DOOR_BYTE, .l_len = 1};

		if (fcntl(db->door, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
			return;
		step();
	}
}

static int door_take(struct flowdb *db, struct err *err)
{
	for (int waited = 0; waited < BESIDE_WAIT_MS; waited += STEP_MS) {
		struct flock lock = {.l_type = F_WRLCK, .l_start = DOOR_BYTE, .l_len = 1};

		if (!fcntl(db->door, F_SETLK, &lock))
			return 0;
		if (errno != EAGAIN && errno != EACCES)
			return err_set(err, -errno, "%s: cannot be locked: %s", db->path,
			               strerror(errno));
		step();
	}
	return err_set(err, -EBUSY, "%s: another command is changing a finding; try again", db->path);
}

int beside_begin(struct flowdb *db, struct err *err)
{
	int r = door_open(db, err);

	if (r >= 0)
		r = door_take(db, err);
	if (r < 0)
		return r;
	sql_wait(db, BESIDE_WAIT_MS);
	return flowdb_begin(db, err);
}

/* ----------------------------------------------------------------- findings */

static int put_state(struct flowdb *db, const struct finding_judgement *judgement, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, "UPDATE finding SET open = ?2, reason = coalesce(?3, reason) WHERE id = ?1 AND open <> ?2",
	                    &stmt, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, judgement->finding);
	sqlite3_bind_int(stmt, 2, judgement->open);
	if (judgement->reason)
		bind_text(stmt, 3, judgement->reason);
	r = sql_run(db, stmt, err);
	return r < 0 ? r : sqlite3_changes(db->sql) > 0;
}

/* The trigger noted that it changed; by whom it cannot know. */
static int put_author(struct flowdb *db, const struct finding_judgement *judgement,
                      struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "UPDATE finding_change SET by_whom = ?2, why = ?3, at_us = ?4"
	                    " WHERE id = (SELECT max(id) FROM finding_change WHERE finding = ?1)",
	                    &stmt, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, judgement->finding);
	bind_text(stmt, 2, judgement->by_whom);
	bind_text(stmt, 3, judgement->why);
	sqlite3_bind_int64(stmt, 4, judgement->at_us);
	return sql_run(db, stmt, err);
}

int flowdb_finding_judge(struct flowdb *db, const struct finding_judgement *judgement,
                         struct err *err)
{
	int changed = put_state(db, judgement, err);
	int r = changed > 0 ? put_author(db, judgement, err) : changed;

	return r < 0 ? r : changed;
}

int flowdb_others_wrote(struct flowdb *db, struct err *err)
{
	sqlite3_stmt *stmt;
	int64_t version;
	int r = sql_slot(db, SLOT_DATA_VERSION, "PRAGMA data_version", &stmt, err);

	if (r >= 0)
		r = sql_step(db, stmt, err);
	if (r <= 0)
		return r;
	version = sqlite3_column_int64(stmt, 0);
	sqlite3_reset(stmt);
	r = db->data_version && db->data_version != version;
	db->data_version = version;
	return r;
}

int flowdb_finding_states(struct flowdb *db,
                          int (*each)(void *context, int64_t id, bool open, const char *reason,
                                      struct err *err),
                          void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, "SELECT id, open, reason FROM finding ORDER BY id", &stmt, err);

	if (r < 0)
		return r;
	while ((r = sql_step(db, stmt, err)) > 0) {
		r = each(context, sqlite3_column_int64(stmt, 0), sqlite3_column_int(stmt, 1),
		         column_text(stmt, 2), err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}
