/*
 * flowdb_seen.c - see flowdb.h: where units were seen waits for the end of its transaction, for an address that is new is
 * seen again soon. Invariants:
 *  (1) New rows come in the order in which they were first seen.
 *  (2) What waits twice is written twice, to the same row: merging it here only spares that.
 */
#include "schema/flowdb_sql.h"

enum { MOST = 4096, AT_ONCE = 16 }; /* MOST: a power of two */
enum { UNIT, ADDRESS, MAC, FIRST, LAST, KNOWN_BY, VALUES };

struct seen {
	unsigned count;
	uint16_t latest[MOST]; /* by the low bits of a unit: 1 + what waits of it; 0: nothing does */
	int64_t rows[MOST][VALUES];
};

#define ONE "(?, ?, ?, ?, ?, ?)"
#define FOUR ONE ", " ONE ", " ONE ", " ONE
#define TEXT(rows) \
	"INSERT INTO unit_address (unit, address, mac, first_us, last_us, known_by) VALUES " rows \
	" ON CONFLICT DO UPDATE SET first_us = min(first_us, excluded.first_us)," \
	" last_us = max(last_us, excluded.last_us), known_by = known_by | excluded.known_by"

static int write_rows(struct flowdb *db, const int64_t (*rows)[VALUES], unsigned count,
                      struct err *err)
{
	sqlite3_stmt *stmt;
	int r = count == AT_ONCE ? sql_slot(db, SLOT_UNIT_SEEN_MANY,
	                                    TEXT(FOUR ", " FOUR ", " FOUR ", " FOUR), &stmt, err)
	                         : sql_slot(db, SLOT_UNIT_SEEN, TEXT(ONE), &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, rows[0], (size_t)count * VALUES);
	return sql_run(db, stmt, err);
}

int seen_flush(struct flowdb *db, struct err *err)
{
	struct seen *seen = db->seen;
	unsigned count = seen ? seen->count : 0;
	int r = 0;

	if (!count)
		return 0;
	seen_forget(db);
	for (unsigned i = 0, step; i < count && r >= 0; i += step) {
		step = count - i < AT_ONCE ? 1 : AT_ONCE;
		r = write_rows(db, seen->rows + i, step, err);
	}
	return r;
}

void seen_forget(struct flowdb *db)
{
	if (!db->seen || !db->seen->count)
		return;
	db->seen->count = 0;
	memset(db->seen->latest, 0, sizeof(db->seen->latest));
}

static bool is_alike(const int64_t *a, const int64_t *b)
{
	return a[UNIT] == b[UNIT] && a[ADDRESS] == b[ADDRESS] && a[MAC] == b[MAC];
}

static int put(struct flowdb *db, const int64_t values[VALUES], struct err *err)
{
	struct seen *seen = db->seen;
	uint16_t *latest = &seen->latest[(uint64_t)values[UNIT] & (MOST - 1)];
	int64_t *row = *latest ? seen->rows[*latest - 1] : NULL;
	int r = 0;

	if (row && is_alike(row, values)) {
		if (values[FIRST] < row[FIRST])
			row[FIRST] = values[FIRST];
		if (values[LAST] > row[LAST])
			row[LAST] = values[LAST];
		row[KNOWN_BY] |= values[KNOWN_BY];
		return 0;
	}
	if (seen->count == MOST)
		r = seen_flush(db, err);
	if (r < 0)
		return r;
	memcpy(seen->rows[seen->count], values, sizeof(seen->rows[0]));
	*latest = (uint16_t)++seen->count;
	return sqlite3_get_autocommit(db->sql) ? seen_flush(db, err) : 0;
}

int flowdb_unit_seen(struct flowdb *db, int64_t unit, const struct addr *addr,
                     const struct mac *mac, uint8_t known_by, int64_t first_us, int64_t last_us,
                     struct err *err)
{
	int64_t values[VALUES] = {unit, 0, SQL_NULL, first_us, last_us, known_by};
	int r = intern_addr(db, addr, &values[ADDRESS], err);

	if (r >= 0 && !mac_is_zero(mac))
		r = intern_mac(db, mac, &values[MAC], err);
	if (r < 0)
		return r;
	if (!db->seen)
		db->seen = calloc(1, sizeof(*db->seen));
	return db->seen ? put(db, values, err) : err_set(err, -ENOMEM, "out of memory");
}
