/*
 * flowdb_changes.c - see flowdb_sql.h: what becomes of findings waits for the end of its transaction, so that a row is
 * written once, with its last counts, and new ones many to a statement. Invariants:
 *  (1) Rows, and what the triggers note of them, come in the order in which they were put.
 *  (2) One that is put again in the meantime is written once where the triggers would note nothing of that, nor anything else of
 *      what was before.
 *  (3) Whoever asks for rows of `finding`, or changes them, sees to those that wait first.
 */
#include "schema/flowdb_sql.h"

#define XXH_INLINE_ALL /* of keys this short the call costs more */
#include <xxhash.h>

enum { MOST = 4096, PLACES = 4 * MOST, AT_ONCE = 16, COLUMNS = 18 }; /* PLACES: a power of two */

struct changes {
	unsigned count;
	/* 1 + the last change of an id, and of a key, from its own place on; 0: there is none. */
	uint16_t by_id[PLACES], by_key[PLACES];
	struct change {
		bool fresh;        /* it is not there yet */
		int64_t id, row;   /* row: its id */
		int64_t opened_us; /* of a fresh one: its beginning as it was put first, which the trigger notes */
		struct finding_row finding;
	} change[MOST];
};

static size_t next_to(size_t place)
{
	return (place + 1) & (PLACES - 1);
}

static uint16_t *place_of(struct changes *changes, int64_t id)
{
	size_t at = (size_t)id & (PLACES - 1);

	while (changes->by_id[at] && changes->change[changes->by_id[at] - 1].id != id)
		at = next_to(at);
	return &changes->by_id[at];
}

#define INTO \
	"INSERT " OR_FAIL "INTO finding (id, unit, kind, severity, row, transport, application," \
	" first_us, last_us, flows, kept, bytes, open, remote, role, port, reason, waiver) VALUES "
#define ONE "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define FOUR ONE ", " ONE ", " ONE ", " ONE

static void bind_finding(sqlite3_stmt *stmt, int at, const struct change *change)
{
	const struct finding_row *f = &change->finding;
	const int64_t values[] = {
		change->id,
		f->unit,
		f->kind,
		f->severity,
		change->row,
		f->transport,
		f->app,
		change->opened_us,
		f->last_us,
		(int64_t)f->flows,
		(int64_t)f->kept,
		(int64_t)f->bytes,
		f->open,
	};
	const char *const texts[] = {f->remote, f->role, f->port, f->reason, f->waiver};

	for (size_t i = 0; i < ARRAY_LEN(values); i++)
		bind_one(stmt, at++, values[i]);
	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		bind_text(stmt, at++, texts[i]);
}

static int insert(struct flowdb *db, const struct change *change, unsigned count,
                  struct err *err)
{
	sqlite3_stmt *stmt;
	int r = count == AT_ONCE ? sql_slot(db, SLOT_FINDING_PUT_MANY,
	                                    INTO FOUR ", " FOUR ", " FOUR ", " FOUR, &stmt, err)
	                         : sql_slot(db, SLOT_FINDING_PUT, INTO ONE, &stmt, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < count; i++)
		bind_finding(stmt, (int)i * COLUMNS + 1, &change[i]);
	return sql_run(db, stmt, err);
}

/* What its key says of a finding never changes: neither does its place in the index. 1; 0: there is none. */
static int update(struct flowdb *db, const struct change *change, struct err *err)
{
	const struct finding_row *f = &change->finding;
	const int64_t values[] = {
		change->id,
		f->severity,
		f->first_us,
		f->last_us,
		(int64_t)f->flows,
		(int64_t)f->kept,
		(int64_t)f->bytes,
		f->open,
	};
	sqlite3_stmt *stmt;
	int r = sql_slot(db, SLOT_FINDING_UPDATE,
	                 "UPDATE " OR_FAIL "finding SET severity = ?2, first_us = ?3, last_us = ?4,"
	                 " flows = ?5, kept = ?6, bytes = ?7, open = ?8, reason = ?9, waiver = ?10"
	                 " WHERE id = ?1",
	                 &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	bind_text(stmt, 9, f->reason);
	bind_text(stmt, 10, f->waiver);
	r = sql_run(db, stmt, err);
	return r < 0 ? r : sqlite3_changes(db->sql);
}

static int write_changes(struct flowdb *db, const struct change *change, unsigned count,
                         struct err *err)
{
	unsigned fresh = 0, done = 0;
	int r = 0;

	while (fresh < count && change[fresh].fresh)
		fresh++;
	for (unsigned step; done < fresh && r >= 0; done += step) {
		step = fresh - done < AT_ONCE ? 1 : AT_ONCE;
		r = insert(db, change + done, step, err);
	}
	/* What began earlier than the flow that it opened for. */
	for (unsigned i = 0; i < fresh && r >= 0; i++)
		if (change[i].opened_us != change[i].finding.first_us)
			r = update(db, &change[i], err);
	if (fresh || r < 0)
		return r < 0 ? r : (int)fresh;
	r = update(db, change, err);
	if (!r)
		r = insert(db, change, 1, err);
	return r < 0 ? r : 1;
}

int changes_flush(struct flowdb *db, struct err *err)
{
	struct changes *changes = db->changes;
	unsigned count = changes ? changes->count : 0;
	int r = 0;

	if (!count)
		return 0;
	changes_forget(db);
	for (unsigned i = 0; i < count && r >= 0; i += (unsigned)r)
		r = write_changes(db, changes->change + i, count - i, err);
	return r < 0 ? r : 0;
}

void changes_forget(struct flowdb *db)
{
	if (!db->changes || !db->changes->count)
		return;
	db->changes->count = 0;
	memset(db->changes->by_id, 0, sizeof(db->changes->by_id));
	memset(db->changes->by_key, 0, sizeof(db->changes->by_key));
}

static bool is_key(const struct finding_row *a, const struct finding_row *b)
{
	return a->unit == b->unit && a->kind == b->kind && a->transport == b->transport &&
	       a->app == b->app && !strcmp(a->row, b->row) && !strcmp(a->remote, b->remote) &&
	       !strcmp(a->role, b->role) && !strcmp(a->port, b->port);
}

/* Where a change of this key is, or would be. */
static uint16_t *key_place(struct changes *changes, const struct finding_row *key)
{
	const char *const texts[] = {key->row, key->remote, key->role, key->port};
	uint64_t hash = (uint64_t)key->unit << 24 ^ (uint64_t)key->kind << 16 ^ key->app;
	size_t at;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		hash = XXH3_64bits_withSeed(texts[i], strlen(texts[i]), hash);
	at = hash & (PLACES - 1);
	while (changes->by_key[at] &&
	       !is_key(&changes->change[changes->by_key[at] - 1].finding, key))
		at = next_to(at);
	return &changes->by_key[at];
}

bool changes_have(const struct flowdb *db, const struct finding_row *key)
{
	return db->changes && db->changes->count && *key_place(db->changes, key);
}

/* Whether nothing more is noted of it than of `was`, and that with the same time. */
static bool is_noted_alike(const struct change *was, const struct finding_row *now)
{
	const struct finding_row *f = &was->finding;

	return f->open == now->open && !*f->waiver == !*now->waiver &&
	       (was->fresh ||
	        (f->first_us == now->first_us && f->last_us == now->last_us && f->flows == now->flows));
}

static int put(struct flowdb *db, const struct finding_row *finding, int64_t id, bool fresh,
               struct err *err)
{
	struct changes *changes = db->changes;
	uint16_t *place = place_of(changes, id);
	struct change *change;
	int r = 0;

	if (*place && is_noted_alike(&changes->change[*place - 1], finding)) {
		changes->change[*place - 1].finding = *finding;
		return 0;
	}
	if (changes->count == MOST)
		r = changes_flush(db, err);
	if (r < 0)
		return r;
	change = &changes->change[changes->count];
	change->fresh = fresh;
	change->id = id;
	change->row = SQL_NULL;
	change->opened_us = finding->first_us;
	change->finding = *finding;
	if (*finding->row)
		r = intern_text(db, INTERN_ROW, finding->row, &change->row, err);
	if (r < 0)
		return r;
	*place_of(changes, id) = *key_place(changes, finding) = (uint16_t)++changes->count;
	return sqlite3_get_autocommit(db->sql) ? changes_flush(db, err) : 0;
}

static int put_into(struct flowdb *db, const struct finding_row *finding, int64_t id, bool fresh,
                    struct err *err)
{
	if (!db->changes)
		db->changes = calloc(1, sizeof(*db->changes));
	return db->changes ? put(db, finding, id, fresh, err)
	                   : err_set(err, -ENOMEM, "out of memory");
}

int flowdb_finding_open(struct flowdb *db, const struct finding_row *finding, int64_t id,
                        struct err *err)
{
	return put_into(db, finding, id, true, err);
}

int flowdb_finding_put(struct flowdb *db, const struct finding_row *finding, int64_t *id,
                       struct err *err)
{
	bool fresh = !*id;
	int r = fresh ? flowdb_finding_number(db, id, err) : 0;

	return r < 0 ? r : put_into(db, finding, *id, fresh, err);
}
