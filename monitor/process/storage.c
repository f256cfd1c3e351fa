/*
 * storage.c - see storage.h.
 */
#include "monitor/process/storage.h"
#include "monitor/process/child.h"
#include "monitor/log.h"
#include "monitor/older.h"
#include "schema/flowdb_query.h"

#include <unistd.h>

#define LOOK_US 200000
#define RESERVE_US 10000000
#define STOP_US 1000000       /* a lock is waited for, once the end is asked for */
#define WAL_BYTES (64u << 20) /* more than that: somebody is asked for */
#define BROKEN \
	2 /* on board->broken: a page is wrong; once: what another program may have changed only meanwhile */

/* On board->full: the reserve, if it is there, is still to be given up; or it is there because there is room again. */
enum { FULL = 1, FULL_NOTED };

/* ---------------------------------------------------------------------- damaged */

static int set_aside(struct storage *storage, const char *why, struct err *err)
{
	struct crew *crew = storage->crew;
	const char *dir = crew->options->dir;
	struct flowdb_aside aside;
	int r = flowdb_set_aside(dir, crew_now_us(), err);

	if (r >= 0)
		r = flowdb_aside(dir, &aside, err);
	if (r < 0)
		return r;
	log_error("%s", why);
	if (r)
		log_error("%s/flows.db is set aside as %s, and a new one begun; 'sqlite3 %s/%s .recover | "
		          "sqlite3 saved.db' saves what can be read",
		          dir, aside.name, dir, aside.name);
	crew->board->broken = 0;
	return 0;
}

/* One without a run stands in the place of the one set aside: that is said with its first commit. */
static int note_aside(struct storage *storage, struct err *err)
{
	struct flowdb_aside aside;
	struct span span;
	int r = flowdb_span(storage->db, &span, err);

	if (r >= 0 && !span.runs)
		r = flowdb_aside(storage->crew->options->dir, &aside, err);
	if (r <= 0)
		return r;
	text_copy(storage->aside, sizeof(storage->aside), aside.name);
	storage->has_note = true;
	storage->note = (struct blind_row){
		.cause = BLIND_SET_ASIDE,
		.since_us = aside.since_us,
		.until_us = aside.until_us,
		.detail = storage->aside,
	};
	return 0;
}

static bool is_broken(int error)
{
	return error == -EBADMSG || error == -ESTALE;
}

/* ------------------------------------------------------------------------- full */

static int take_open(void *context, const struct blind_view *blind, struct err *err)
{
	*(bool *)context |= !blind->row.until_us;
	return 0;
}

/* What the reserve is for: since when, on the disk itself, whatever becomes of us. */
static void note_full(const struct storage *storage)
{
	const struct crew *crew = storage->crew;
	int64_t run = atomic_load(&crew->board->run), id = 0;
	const struct blind_row row = {.run = run,
	                              .since_us = crew->unwritten_us,
	                              .cause = BLIND_DISK_FULL,
	                              .detail = ""};
	const struct blind_query full = {.run = run, .cause = BLIND_DISK_FULL};
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	bool noted = false;
	struct err err;

	if (!crew->options->capture.live || !row.since_us ||
	    flowdb_open(crew->options->dir, FLOWDB_WRITE, &db, &err) < 0)
		return;
	if (flowdb_blinds(db, &full, take_open, &noted, &err) < 0 || noted)
		return;
	if (flowdb_begin(db, &err) < 0 || flowdb_has_run(db, run, &err) <= 0 ||
	    flowdb_blind_put(db, &row, &id, &err) < 0 || flowdb_commit(db, &err) < 0)
		flowdb_rollback(db);
}

static bool stops(const struct crew *crew)
{
	return atomic_load(&crew->board->stop) >= BOARD_STOP;
}

static bool wait_for_room(const struct storage *storage)
{
	struct crew *crew = storage->crew;

	while (!reserve_make(&storage->reserve)) {
		if (stops(crew))
			return false;
		usleep(LOOK_US);
		atomic_fetch_add(&crew->board->role[PROCESS_RECORDER].turns, 1);
	}
	return true;
}

static int stand_in(struct storage *storage, struct err *err)
{
	int r = flowdb_open(NULL, FLOWDB_WRITE, &storage->db, err);

	storage->stands_in = true;
	return r < 0 ? r : flowdb_know(storage->db, storage->crew->options->dir, err);
}

/* ----------------------------------------------------------------------- locked */

static bool waits(void *context, int pid)
{
	struct storage *storage = context;
	struct board *board = storage->crew->board;
	int64_t now_us = child_clock_us();

	if (!atomic_load(&board->locked_us))
		atomic_store(&board->locked_us, now_us);
	atomic_store(&board->locked_by, pid);
	atomic_fetch_add(&board->role[PROCESS_RECORDER].turns, 1);
	if (!stops(storage->crew))
		return true;
	if (!storage->stop_us)
		storage->stop_us = now_us;
	return now_us - storage->stop_us < STOP_US;
}

/* ------------------------------------------------------------------------ at large */

int storage_open(struct storage *storage, struct crew *crew, struct err *err)
{
	const char *dir = crew->options->dir;
	struct board *board = crew->board;
	const struct err before = board->role[PROCESS_RECORDER].err;
	int r;

	*storage = (struct storage){.crew = crew};
	if (!dir)
		return flowdb_open(NULL, FLOWDB_WRITE, &storage->db, err);
	r = reserve_init(&storage->reserve, dir, err);
	if (r < 0)
		return r;
	if (board->full && !stops(crew)) {
		if (board->full == FULL && reserve_give_up(&storage->reserve)) {
			note_full(storage);
			board->full = FULL_NOTED;
		}
		if (crew->options->capture.live && !reserve_make(&storage->reserve))
			return stand_in(storage, err);
		if (!wait_for_room(storage))
			return err_set(err, -ENOSPC, "%s", before.text);
	}
	r = board->broken >= BROKEN ? set_aside(storage, before.text, err) : 0;
	if (r >= 0)
		r = flowdb_open(dir, FLOWDB_WRITE, &storage->db, err);
	if (is_broken(r)) {
		r = set_aside(storage, err->text, err);
		if (r >= 0)
			r = flowdb_open(dir, FLOWDB_WRITE, &storage->db, err);
	}
	if (r >= 0)
		older_tell(storage->db, dir);
	if (r >= 0)
		r = note_aside(storage, err);
	if (r >= 0 && crew->options->capture.live)
		r = flowdb_sync_each(storage->db, err);
	if (r >= 0)
		flowdb_on_busy(storage->db, waits, storage);
	return r;
}

void storage_release(struct storage *storage)
{
	flowdb_close(storage->db);
	reserve_release(&storage->reserve);
}

void storage_look(struct storage *storage)
{
	struct board *board = storage->crew->board;
	int64_t now_us = child_clock_us();
	uint64_t wal_bytes;

	if (!storage->reserve.path || storage->stands_in)
		return;
	atomic_store(&board->locked_us, 0);
	if (!storage->reserve_us || now_us - storage->reserve_us >= RESERVE_US) {
		reserve_make(&storage->reserve);
		storage->reserve_us = now_us;
	}
	wal_bytes = flowdb_wal_bytes(storage->db);
	atomic_store(&board->wal_bytes, wal_bytes);
	if (wal_bytes >= WAL_BYTES && now_us - storage->wal_us >= RESERVE_US / 10) {
		atomic_store(&board->wal_reader, flowdb_reader(storage->db));
		storage->wal_us = now_us;
	}
}

bool storage_has_room(struct storage *storage)
{
	int64_t now_us = child_clock_us();

	if (!storage->stands_in || now_us - storage->reserve_us < LOOK_US)
		return false;
	storage->reserve_us = now_us;
	return reserve_make(&storage->reserve);
}

bool storage_failed(struct storage *storage, int error)
{
	const struct run_options *options = storage->crew->options;
	struct board *board = storage->crew->board;

	if (error == -ENOSPC && board->full == FULL_NOTED)
		reserve_give_up(&storage->reserve); /* there was less room than it looked */
	if (error == -ENOSPC && !board->full)
		board->full = FULL;
	board->broken += error == -EBADMSG ? BROKEN : error == -ESTALE;
	if (!options->dir)
		return false;
	if (error == -ENOSPC || error == -EBUSY || is_broken(error))
		return true;
	return options->capture.live &&
	       (error == -EIO || error == -EROFS || error == -ENOMEM || error == -ENOENT);
}

void storage_works(struct storage *storage)
{
	if (storage->stands_in)
		return;
	storage->crew->board->full = 0;
	storage->crew->board->broken = 0;
}
