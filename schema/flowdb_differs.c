/*
 * flowdb_differs.c - see flowdb_sql.h: in what a flow outside differs from the nearest rows. Most flows share that with
 * others, and name it by an id. Invariants:
 *  (1) Whatever shares an id differs alike, and rows of `differs` are never changed.
 *  (2) An id is above all that were given before, and not below the number of any flow that names it, rounded down to a
 *      multiple of ERA. So what stands below the first flow that is left, rounded so, is named by none (flowdb_needed.h).
 *  (3) What is shared is what has an id of the block that the highest one is in: at most BLOCK are remembered. All of them
 *      are read again where others may have written, so that what gets which id follows from what was written alone.
 */
#include "schema/flowdb_sql.h"

#define XXH_INLINE_ALL
#include <xxhash.h>

enum {
	ERA = 1 << 20,   /* flows; also in flowdb_needed.h */
	BLOCK = 1 << 14, /* ids; an era begins with a block */
	PLACES = 2 * BLOCK,
};

/* What shares an id, as it stands among the differences. */
struct alike {
	int64_t id;
	uint32_t hash, first, count;
};

struct sharing {
	int64_t last, block; /* the highest id; that of the block, times BLOCK */
	size_t count;
	struct alike alike[BLOCK];
	uint16_t place[PLACES]; /* 1 + which one stands there; 0: empty */
	struct difference *differences;
	size_t used, room;
};

static void forget(struct sharing *sharing, int64_t block)
{
	memset(sharing->place, 0, sizeof(sharing->place));
	sharing->count = sharing->used = 0;
	sharing->block = block;
}

static int64_t block_of(int64_t id)
{
	return id / BLOCK * BLOCK;
}

static uint32_t hash_of(const struct difference *all, size_t count)
{
	return (uint32_t)XXH3_64bits(all, count * sizeof(*all));
}

/* The place of what is alike, or of what would be. */
static uint16_t *find(struct sharing *sharing, uint32_t hash, const struct difference *all,
                      size_t count)
{
	uint32_t at = hash;

	for (;; at++) {
		uint16_t *place = &sharing->place[at & (PLACES - 1)];
		const struct alike *alike = &sharing->alike[*place - 1];

		if (!*place ||
		    (alike->hash == hash && alike->count == count &&
		     !memcmp(&sharing->differences[alike->first], all, count * sizeof(*all))))
			return place;
	}
}

static int remember(struct sharing *sharing, int64_t id, const struct difference *all,
                    size_t count, struct err *err)
{
	uint32_t hash = hash_of(all, count);

	if (array_reserve(&sharing->differences, &sharing->room, sharing->used + count,
	                  sizeof(*all)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	*find(sharing, hash, all, count) = (uint16_t)(sharing->count + 1);
	memcpy(&sharing->differences[sharing->used], all, count * sizeof(*all));
	sharing->alike[sharing->count++] =
		(struct alike){id, hash, (uint32_t)sharing->used, (uint32_t)count};
	sharing->used += count;
	return 0;
}

/* All that is in the block of the highest id. */
static int read_block(struct flowdb *db, struct sharing *sharing, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	struct difference all[DIFFERENCES_MAX];
	size_t count = 0;
	int64_t id = 0;
	int r = sql_prepare(db,
	                    "SELECT id, rank, field, row, expected, seen FROM differs"
	                    " WHERE id >= ?1 ORDER BY id, rank, field",
	                    &stmt, err);

	if (r < 0)
		return r;
	forget(sharing, block_of(sharing->last));
	sqlite3_bind_int64(stmt, 1, sharing->block);
	while ((r = sql_step(db, stmt, err)) > 0) {
		int64_t next = sqlite3_column_int64(stmt, 0);

		if (count && next != id && (r = remember(sharing, id, all, count, err)) < 0)
			return r;
		count = next == id ? count : 0;
		id = next;
		if (count < DIFFERENCES_MAX) /* no writer of ours wrote more */
			all[count++] = (struct difference){
				.rank = (uint16_t)sqlite3_column_int(stmt, 1),
				.field = (uint16_t)sqlite3_column_int(stmt, 2),
				.row = (uint32_t)sqlite3_column_int64(stmt, 3),
				.expected = (uint32_t)sqlite3_column_int64(stmt, 4),
				.seen = (uint32_t)sqlite3_column_int64(stmt, 5),
			};
	}
	return r < 0 || !count ? r : remember(sharing, id, all, count, err);
}

/* Once in a transaction: that others have written tells the highest id, for each is above those before. */
static int ready(struct flowdb *db, struct err *err)
{
	int64_t last = 0;
	int r;

	if (!db->sharing)
		db->sharing = calloc(1, sizeof(*db->sharing));
	if (!db->sharing)
		return err_set(err, -ENOMEM, "out of memory");
	if (db->differs_known)
		return 0;
	r = sql_ask_slot(db, SLOT_DIFFERS_LAST, "SELECT max(id) FROM differs", NULL, 0, &last,
	                 err);
	if (r >= 0 && (last < 0 || last > INT64_MAX / 2))
		return err_set(err, -ESTALE, "%s: not as tlmon left it (id %lld in differs)",
		               db->path, (long long)last);
	if (r >= 0 && last != db->sharing->last) {
		db->sharing->last = last;
		r = read_block(db, db->sharing, err);
	}
	if (r < 0)
		db->sharing->last = 0;
	db->differs_known = r >= 0;
	return r < 0 ? r : 0;
}

static int write(struct flowdb *db, int64_t id, const struct difference *all, size_t count,
                 struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < count && r >= 0; i++) {
		const int64_t values[] = {id,         all[i].rank,     all[i].field,
		                          all[i].row, all[i].expected, all[i].seen};

		r = sql_tell(db, SLOT_DIFFERS_PUT,
		             "INSERT INTO differs (id, rank, field, row, expected, seen)"
		             " VALUES (?, ?, ?, ?, ?, ?)",
		             values, ARRAY_LEN(values), err);
	}
	return r;
}

int differs_id(struct flowdb *db, const struct difference *all, size_t count, int64_t *ret_id,
               struct err *err)
{
	/* The flow may be a new one, or have any number before it. */
	int64_t era = (db->flow_last + 1) / ERA * ERA, next;
	struct sharing *sharing;
	uint16_t *place;
	int r = ready(db, err);

	if (r < 0)
		return r;
	sharing = db->sharing;
	next = sharing->last + 1 > era ? sharing->last + 1 : era;
	if (block_of(next) != sharing->block)
		forget(sharing, block_of(next));
	place = find(sharing, hash_of(all, count), all, count);
	if (*place) {
		*ret_id = sharing->alike[*place - 1].id;
		return 0;
	}
	r = write(db, next, all, count, err);
	if (r >= 0)
		r = remember(sharing, next, all, count, err);
	if (r < 0)
		return r;
	*ret_id = sharing->last = next;
	return 0;
}

void differs_forget(struct flowdb *db)
{
	db->differs_known = false;
	if (db->sharing)
		forget(db->sharing, db->sharing->last = 0);
}

void differs_release(struct flowdb *db)
{
	if (db->sharing)
		free(db->sharing->differences);
	free(db->sharing);
	db->sharing = NULL;
}
