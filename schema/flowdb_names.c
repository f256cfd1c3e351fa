/*
 * flowdb_names.c - see flowdb_query.h: DNS answers on record.
 */
#include "schema/flowdb_sql.h"

/* Of the units that had the client's address meanwhile the one that had it last. */
#define NAME_FROM \
	" FROM name_seen x JOIN name n ON n.id = x.name JOIN host c ON c.id = x.client" \
	" JOIN host s ON s.id = x.server JOIN host a ON a.id = x.address" \
	" LEFT JOIN (SELECT o.address, o.unit, o.first_us, o.last_us, u.name FROM unit_address o" \
	" JOIN unit u ON u.id = o.unit) h ON h.address = x.client AND h.first_us <= x.until_us" \
	" AND h.last_us >= x.first_us WHERE 1"
#define NAME_KEYS "x.first_us, n.text, a.bytes, c.bytes, s.bytes"
#define NAME_KEY_COUNT 5

static void where_name(const struct flowdb *db, char *sql, const struct flow_query *query)
{
	if (db->whole)
		text_add(sql, WHERE_MAX, " AND max(x.last_us, x.until_us) < %lld",
		         (long long)db->whole_from_us);
	if (query->since_us || query->until_us)
		text_add(sql, WHERE_MAX, " AND x.first_us <= ?2 AND x.until_us >= ?1");
	query_unit(sql, "h.unit", query);
	if (query->peer.bits)
		text_add(sql, WHERE_MAX, " AND a.bytes BETWEEN ?6 AND ?7");
	if (query->peer_name)
		text_add(sql, WHERE_MAX, " AND lower(n.text) GLOB ?10");
	text_add(sql, WHERE_MAX,
	         " GROUP BY x.client, x.address, x.name, x.server, x.run, x.first_us");
}

int flowdb_names(struct flowdb *db, const struct flow_query *query,
                 int (*each)(void *context, const struct name_view *name, struct err *err),
                 void *context, struct err *err)
{
	CLEANUP(freep) char *sql = malloc(WHERE_MAX);
	struct sorting sorting;
	struct merge merge;
	struct flowdb *from;
	sqlite3_stmt *stmt;
	unsigned keys;
	int r = sql ? query_check_units(db, query, err) : err_set(err, -ENOMEM, "out of memory");

	if (r >= 0)
		r = sorting_of(THING_NAMES, query->sort, &sorting, err);
	if (r < 0)
		return r;
	keys = sorting.count + NAME_KEY_COUNT;
	merge_init(&merge, keys, sorting.down, query->limit);
	for (; db && r >= 0; db = db->next) {
		snprintf(sql, WHERE_MAX,
		         "SELECT %s" NAME_KEYS
		         ", x.last_us, x.until_us, h.name, max(h.last_us)" NAME_FROM,
		         sorting.columns);
		where_name(db, sql, query);
		sorting_add(sql, keys, sorting.down);
		r = merge_add(&merge, db, sql, query, err);
	}
	while (r >= 0 && (r = merge_next(&merge, &from, &stmt, err)) > 0) {
		int at = (int)sorting.count;
		struct name_view view = {
			.sensor = from->sensor,
			.client_unit = (const char *)sqlite3_column_text(stmt, at + 7),
			.row = {.first_us = sqlite3_column_int64(stmt, at),
		                .name = column_text(stmt, at + 1),
		                .last_us = sqlite3_column_int64(stmt, at + 5),
		                .until_us = sqlite3_column_int64(stmt, at + 6)},
		};

		column_addr(stmt, at + 2, &view.row.address);
		column_addr(stmt, at + 3, &view.row.client);
		column_addr(stmt, at + 4, &view.row.server);
		r = each(context, &view, err);
		if (r)
			break;
	}
	merge_release(&merge);
	return r < 0 ? r : 0;
}
