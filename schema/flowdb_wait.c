/*
 * flowdb_wait.c - see flowdb_sql.h: rows of flows that go on wait for the end of their transaction. Most such flows are
 * over by then, and are written once in place of being written, deleted and written again. Invariants:
 *  (1) A row that waits stands where its id says; one that comes to the same place writes the older one first.
 *  (2) Whoever reads or changes rows of `flow` while some may wait sees to these first, or changes them here.
 */
#include "schema/flowdb_sql.h"

enum { PLACES = 4096 }; /* a power of two */

struct waiting {
	size_t count;
	int64_t id[PLACES];      /* 0: empty */
	int64_t finding[PLACES]; /* of the cells, in whose place it holds */
	struct flow_cells cells[PLACES];
};

static size_t place_of(int64_t id)
{
	return (uint64_t)id & (PLACES - 1);
}

static void leave(struct waiting *waiting, size_t at)
{
	waiting->cells[at].flow[FLOW_FINDING] = waiting->finding[at];
	waiting->id[at] = 0;
	waiting->count--;
}

bool waiting_take(struct flowdb *db, int64_t id, struct flow_cells *ret)
{
	struct waiting *waiting = db->waiting;
	size_t at = place_of(id);

	if (!waiting || !id || waiting->id[at] != id)
		return false;
	leave(waiting, at);
	*ret = waiting->cells[at];
	return true;
}

static int write_place(struct flowdb *db, size_t at, struct err *err)
{
	struct waiting *waiting = db->waiting;
	int64_t id = waiting->id[at];

	if (!id)
		return 0;
	leave(waiting, at);
	return flow_cells_write(db, &waiting->cells[at], id, err);
}

int waiting_put(struct flowdb *db, const struct flow_cells *cells, int64_t id, struct err *err)
{
	size_t at = place_of(id);
	int r;

	if (!db->waiting)
		db->waiting = calloc(1, sizeof(*db->waiting));
	if (!db->waiting)
		return flow_cells_write(db, cells, id, err);
	r = write_place(db, at, err);
	if (r < 0)
		return r;
	db->waiting->cells[at] = *cells;
	db->waiting->id[at] = id;
	db->waiting->finding[at] = cells->flow[FLOW_FINDING];
	db->waiting->count++;
	return 0;
}

bool waiting_is_blind(struct flowdb *db, int64_t id)
{
	struct waiting *waiting = db->waiting;
	size_t at = place_of(id);

	if (!waiting || waiting->id[at] != id)
		return false;
	waiting->cells[at].flow[FLOW_SAID] |= INT64_C(1) << SAID_BLIND;
	return true;
}

void waiting_fold(struct flowdb *db, int64_t from, int64_t into)
{
	struct waiting *waiting = db->waiting;

	for (size_t i = 0; waiting && waiting->count && i < PLACES; i++)
		if (waiting->finding[i] == from)
			waiting->finding[i] = into;
}

int waiting_flush(struct flowdb *db, struct err *err)
{
	struct waiting *waiting = db->waiting;
	size_t first;
	int r = 0;

	if (!waiting || !waiting->count)
		return rows_flush(db, err);
	/* In the order of ids, so that rows of new flows are appended. */
	first = place_of(db->flow_last + 1);
	for (size_t i = 0; i < PLACES && waiting->count && r >= 0; i++)
		r = write_place(db, (first + i) & (PLACES - 1), err);
	return r < 0 ? r : rows_flush(db, err);
}

void waiting_forget(struct flowdb *db)
{
	if (!db->waiting)
		return;
	memset(db->waiting->id, 0, sizeof(db->waiting->id));
	db->waiting->count = 0;
}

void waiting_release(struct flowdb *db)
{
	free(db->waiting);
	db->waiting = NULL;
}
