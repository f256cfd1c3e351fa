/*
 * flowdb_merge.c - see flowdb_query.h, flowdb_sql.h: several databases asked as one. Each answers in its own
 * order; the least row of all comes next (of equals that of the database named first), so nothing is held.
 */
#include "schema/flowdb_sql.h"

static const char *name_of(const char *dir, char *buf, size_t size)
{
	char *real = realpath(dir, NULL);
	const char *name = real ? strrchr(real, '/') : NULL;

	text_copy(buf, size, name && name[1] ? name + 1 : dir);
	free(real);
	return buf;
}

/* Names the sensor of dirs[at]; one that another has too does not tell them apart. */
static char *sensor_of(const char *const *dirs, size_t count, size_t at)
{
	char name[256], other[256];

	name_of(dirs[at], name, sizeof(name));
	for (size_t i = 0; i < count; i++)
		if (i != at && !strcmp(name, name_of(dirs[i], other, sizeof(other))))
			return strdup(dirs[at]);
	return strdup(name);
}

static int check_twice(struct flowdb *first, const struct flowdb *db, struct err *err)
{
	for (; first != db; first = first->next)
		if (first->was.st_ino == db->was.st_ino && first->was.st_dev == db->was.st_dev)
			return err_set(err, -EINVAL, "-l: %s and %s are one database", first->path,
			               db->path);
	return 0;
}

int flowdb_open_all(const char *const *dirs, size_t count, struct flowdb **ret_db,
                    struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *first = NULL;
	struct flowdb **end = &first;
	int r = 0;

	if (count > FLOWDBS_MAX)
		return err_set(err, -E2BIG, "-l: more than %d databases", FLOWDBS_MAX);
	for (size_t i = 0; i < count && r >= 0; i++) {
		r = flowdb_open(dirs[i], FLOWDB_READ, end, err);
		if (r < 0)
			return r;
		r = check_twice(first, *end, err);
		if (r >= 0 && count > 1 && !((*end)->sensor = sensor_of(dirs, count, i)))
			r = err_set(err, -ENOMEM, "out of memory");
		end = &(*end)->next;
	}
	if (r >= 0 && count > 1)
		r = twice_find(first, err);
	if (r >= 0)
		*ret_db = TAKE(first);
	return r;
}

struct flowdb *flowdb_nth(struct flowdb *db, size_t n)
{
	while (db && n--)
		db = db->next;
	return db;
}

const char *flowdb_sensor(const struct flowdb *db)
{
	return db->sensor;
}

void merge_init(struct merge *merge, unsigned keys, uint64_t down, uint64_t limit)
{
	merge->count = merge->at = 0;
	merge->keys = keys;
	merge->down = down;
	merge->left = limit ? limit : UINT64_MAX;
	merge->begun = false;
}

void merge_release(struct merge *merge)
{
	for (size_t i = 0; i < merge->count; i++)
		sqlite3_finalize(merge->part[i].stmt);
	merge->count = 0;
}

int merge_add(struct merge *merge, struct flowdb *db, const char *sql,
              const struct flow_query *query, struct err *err)
{
	sqlite3_stmt **stmt = &merge->part[merge->count].stmt;
	int r = sql_prepare(db, sql, stmt, err);

	if (r < 0)
		return r;
	merge->part[merge->count++].db = db;
	query_bind(*stmt, query);
	bind_text(*stmt, 12, db->sensor);
	return 0;
}

/* SQLite's own order: NULL, numbers, texts, bytes. */
static int rank_of(int type)
{
	return type == SQLITE_NULL                              ? 0
	       : type == SQLITE_INTEGER || type == SQLITE_FLOAT ? 1
	       : type == SQLITE_TEXT                            ? 2
	                                                        : 3;
}

static int compare_column(sqlite3_stmt *a, sqlite3_stmt *b, int at)
{
	int rank = rank_of(sqlite3_column_type(a, at));
	int order = rank - rank_of(sqlite3_column_type(b, at));

	if (order || !rank)
		return order;
	if (rank == 1) {
		int64_t x = sqlite3_column_int64(a, at), y = sqlite3_column_int64(b, at);

		return x < y ? -1 : x > y;
	}
	int len_a = sqlite3_column_bytes(a, at), len_b = sqlite3_column_bytes(b, at);
	int len = len_a < len_b ? len_a : len_b;

	if (len)
		order = memcmp(sqlite3_column_blob(a, at), sqlite3_column_blob(b, at), (size_t)len);
	return order ? order : len_a - len_b;
}

static bool comes_before(const struct merge *merge, size_t a, size_t b)
{
	for (unsigned i = 0; i < merge->keys; i++) {
		int order = compare_column(merge->part[a].stmt, merge->part[b].stmt, (int)i);

		if (order)
			return merge->down >> i & 1 ? order > 0 : order < 0;
	}
	return a < b;
}

static int part_step(struct merge *merge, size_t at, struct err *err)
{
	int r = sql_step(merge->part[at].db, merge->part[at].stmt, err);

	merge->part[at].row = r > 0;
	return r;
}

int merge_next(struct merge *merge, struct flowdb **ret_db, sqlite3_stmt **ret_stmt,
               struct err *err)
{
	size_t least = merge->count;
	int r = 0;

	if (!merge->left)
		return 0;
	if (merge->begun)
		r = part_step(merge, merge->at, err);
	else
		for (size_t i = 0; i < merge->count && r >= 0; i++)
			r = part_step(merge, i, err);
	if (r < 0)
		return r;
	merge->begun = true;
	for (size_t i = 0; i < merge->count; i++)
		if (merge->part[i].row && (least == merge->count || comes_before(merge, i, least)))
			least = i;
	if (least == merge->count)
		return 0;
	merge->left--;
	merge->at = least;
	*ret_db = merge->part[least].db;
	*ret_stmt = merge->part[least].stmt;
	return 1;
}
