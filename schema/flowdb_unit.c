/*
 * flowdb_unit.c - see flowdb.h, flowdb_query.h: which unit had which address when, and how that is known.
 */
#include "schema/flowdb_sql.h"

static void column_bytes(sqlite3_stmt *stmt, int at, void *ret, size_t len)
{
	const void *bytes = sqlite3_column_blob(stmt, at);

	memset(ret, 0, len);
	if (sqlite3_column_bytes(stmt, at) == (int)len)
		memcpy(ret, bytes, len);
}

void column_addr(sqlite3_stmt *stmt, int at, struct addr *ret)
{
	column_bytes(stmt, at, ret->b, sizeof(ret->b));
}

void column_mac(sqlite3_stmt *stmt, int at, struct mac *ret)
{
	column_bytes(stmt, at, ret->b, sizeof(ret->b));
}

int flowdb_lease_put(struct flowdb *db, const struct lease_row *lease, struct err *err)
{
	int64_t values[] = {lease->unit,
	                    0,
	                    0,
	                    lease->first_us,
	                    lease->last_us,
	                    lease->until_us ? lease->until_us : SQL_NULL,
	                    SQL_NULL,
	                    lease->mask_bits,
	                    lease->run,
	                    lease->counted};
	int64_t dns; /* so that each of them has its text in `host` */
	sqlite3_stmt *stmt;
	int r = intern_mac(db, &lease->mac, &values[1], err);

	if (r >= 0)
		r = intern_addr(db, &lease->address, &values[2], err);
	if (r >= 0 && !addr_is_unspecified(&lease->server))
		r = intern_addr(db, &lease->server, &values[6], err);
	for (unsigned i = 0; r >= 0 && i < lease->dns_count; i++)
		r = intern_addr(db, &lease->dns[i], &dns, err);
	if (r >= 0)
		r = sql_slot(
			db, SLOT_LEASE_PUT,
			"INSERT INTO lease (unit, mac, address, first_us, last_us, until_us, server,"
			" mask_bits, run, counted, dns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET"
			" last_us = excluded.last_us, until_us = excluded.until_us",
			&stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	sqlite3_bind_blob(stmt, 11, lease->dns, lease->dns_count * (int)sizeof(lease->dns[0]),
	                  SQLITE_TRANSIENT);
	return sql_run(db, stmt, err);
}

int flowdb_leases(struct flowdb *db, int64_t since_us,
                  int (*each)(void *context, const struct lease_row *lease, struct err *err),
                  void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db,
		"SELECT l.unit, m.bytes, h.bytes, l.first_us, l.last_us, l.until_us, s.bytes,"
		" l.mask_bits, l.dns, l.run, l.counted FROM lease l JOIN host m ON m.id = l.mac"
		" JOIN host h ON h.id = l.address LEFT JOIN host s ON s.id = l.server"
		" WHERE coalesce(l.until_us, l.last_us) >= ?1"
		" ORDER BY l.first_us, l.run, l.unit, m.bytes, h.bytes",
		&stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, &since_us, 1);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct lease_row row = {
			.run = sqlite3_column_int64(stmt, 9),
			.counted = sqlite3_column_int(stmt, 10),
			.unit = sqlite3_column_int64(stmt, 0),
			.first_us = sqlite3_column_int64(stmt, 3),
			.last_us = sqlite3_column_int64(stmt, 4),
			.until_us = sqlite3_column_int64(stmt, 5),
			.mask_bits = (uint8_t)(sqlite3_column_int(stmt, 7) & 63),
		};
		size_t len = (size_t)sqlite3_column_bytes(stmt, 8);

		column_mac(stmt, 1, &row.mac);
		column_addr(stmt, 2, &row.address);
		column_addr(stmt, 6, &row.server);
		if (len > sizeof(row.dns))
			len = sizeof(row.dns);
		row.dns_count = (uint8_t)(len / sizeof(row.dns[0]));
		if (len)
			memcpy(row.dns, sqlite3_column_blob(stmt, 8), len);
		r = each(context, &row, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_unit_addresses(struct flowdb *db, int64_t since_us,
                          int (*each)(void *context, const struct unit_address_row *row,
                                      struct err *err),
                          void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "SELECT a.unit, h.bytes, m.bytes, a.known_by, a.first_us, a.last_us"
	                    " FROM unit_address a JOIN host h ON h.id = a.address"
	                    " LEFT JOIN host m ON m.id = a.mac WHERE a.last_us >= ?1"
	                    " ORDER BY a.unit, a.first_us, h.bytes, m.bytes",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, &since_us, 1);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct unit_address_row row = {
			.unit = sqlite3_column_int64(stmt, 0),
			.known_by = (uint8_t)(sqlite3_column_int(stmt, 3) & 7),
			.first_us = sqlite3_column_int64(stmt, 4),
			.last_us = sqlite3_column_int64(stmt, 5),
		};

		column_addr(stmt, 1, &row.address);
		column_mac(stmt, 2, &row.mac);
		r = each(context, &row, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_members(struct flowdb *db, const struct flow_query *query,
                   int (*each)(void *context, const struct unit_view *unit, struct err *err),
                   void *context, struct err *err)
{
	CLEANUP(freep) char *sql = malloc(WHERE_MAX);
	char last[256] = "";
	struct merge merge;
	struct flowdb *from;
	sqlite3_stmt *stmt;
	int r = sql ? query_check_units(db, query, err) : err_set(err, -ENOMEM, "out of memory");

	if (r < 0)
		return r;
	merge_init(&merge, 1, 0, 0);
	for (; db && r >= 0; db = db->next) {
		snprintf(sql, WHERE_MAX, "SELECT u.name, u.id, u.profiles, u.listed FROM unit u WHERE 1");
		query_unit(sql, "u.id", query);
		text_add(sql, WHERE_MAX, " ORDER BY 1");
		r = merge_add(&merge, db, sql, query, err);
	}
	while (r >= 0 && (r = merge_next(&merge, &from, &stmt, err)) > 0) {
		struct unit_view view = {
			.name = column_text(stmt, 0),
			.id = sqlite3_column_int64(stmt, 1),
			.profiles = column_text(stmt, 2),
			.listed = sqlite3_column_int(stmt, 3),
		};

		if (!strcmp(last, view.name))
			continue;
		text_copy(last, sizeof(last), view.name);
		r = each(context, &view, err);
		if (r)
			break;
	}
	merge_release(&merge);
	return r < 0 ? r : 0;
}

/* Of the unit u: rows of flow that overlap the window; those that began in it are counted in the index alone. */
#define FLOWS_IN_WINDOW \
	"(SELECT count(*) FROM flow f WHERE f.unit = u.id AND f.start_us BETWEEN ?1 AND ?2)" \
	" + (SELECT count(*) FROM flow f WHERE f.unit = u.id AND f.start_us >= ?1 - " HOUR \
	" AND f.start_us < ?1 AND f.start_us + f.lasted_us >= ?1)" \
	" + (SELECT count(*) FROM flow f WHERE f.unit = u.id AND f.lasted_us > " HOUR \
	" AND f.start_us < ?1 - " HOUR " AND f.start_us + f.lasted_us >= ?1)"

/* The question to one database. */
static void sql_holdings(const struct flowdb *db, const struct flow_query *query, char *sql)
{
	bool window = query->since_us || query->until_us;

	*sql = '\0';
	text_add(
		sql, WHERE_MAX,
		"SELECT u.name, a.first_us, h.bytes, m.bytes, u.id, u.profiles, u.listed, a.known_by,"
		" a.last_us, (SELECT count(*) FROM media_port p WHERE p.unit = u.id AND %d),",
		!db->whole);
	if (window) /* as carries_media() of flowdb_tally.c has it */
		text_add(sql, WHERE_MAX,
		         " (SELECT count(DISTINCT f.local_port) FROM flow f WHERE f.transport IN (%d, %d)"
		         " AND (" FLOW_MEDIA " <> 0 OR f.how >> %d & 3 OR (" FLOW_EVIDENCE " = %d"
		         " AND f.application IN (%d, %d, %d, %d))) AND " WINDOW_OF("= u.id") "),"
		         " " FLOWS_IN_WINDOW ",",
		         TRANSPORT_TCP, TRANSPORT_UDP, HOW_ICE_UNIT, EVIDENCE_DISSECTOR, APP_STUN,
		         APP_RTP, APP_RTCP, APP_TURN_CHANNEL);
	else
		text_add(sql, WHERE_MAX,
		         " (SELECT count(*) FROM media_port p WHERE p.unit = u.id AND %d),"
		         " (SELECT coalesce(sum(t.flows), 0) FROM tally t WHERE t.unit = u.id),",
		         !db->whole);
	text_add(
		sql, WHERE_MAX,
		" (SELECT count(*) FROM finding g WHERE g.unit = u.id AND g.open AND g.waiver = '' AND %d"
		" AND g.first_us <= ?2 AND g.last_us >= ?1), a.unit IS NULL AND " UNIT_SEEN
		" FROM unit u %s unit_address a ON a.unit = u.id AND a.first_us <= ?2"
		" AND a.last_us >= ?1 AND a.last_us < %lld LEFT JOIN host h ON h.id = a.address"
		" LEFT JOIN host m ON m.id = a.mac WHERE 1",
		!db->whole, window && !db->whole ? "JOIN" : "LEFT JOIN",
		db->whole ? (long long)db->whole_from_us : (long long)INT64_MAX);
	query_unit(sql, "u.id", query);
	text_add(sql, WHERE_MAX, " ORDER BY 1, 2, 3, 4");
}

/* Addresses of one unit by one or several sensors; its figures are added up before it is told. */
struct holders {
	char unit[256], profiles[256];
	struct holding_view *all;
	const struct flowdb **from;
	size_t count, room, from_room;
	uint64_t left; /* rows to be told */
	int (*each)(void *context, const struct holding_view *holding, struct err *err);
	void *context;
};

static int tell_unit(struct holders *h, struct err *err)
{
	struct holding_view sums = {0};
	int r = 0;

	/* Figures stand in every row of a unit: of each sensor once. */
	for (size_t i = 0; i < h->count; i++) {
		size_t k = 0;

		while (k < i && h->from[k] != h->from[i])
			k++;
		if (k < i)
			continue;
		sums.media_ports_ever += h->all[i].media_ports_ever;
		sums.media_ports += h->all[i].media_ports;
		sums.flows += h->all[i].flows;
		sums.findings_open += h->all[i].findings_open;
		sums.listed |= h->all[i].listed;
	}
	for (size_t i = 0; i < h->count && !r && h->left; i++) {
		struct holding_view *view = &h->all[i];

		/* An archive has its part of the figures, whether an address is there alone or not. */
		if (!view->seen && h->from[i]->whole)
			continue;
		h->left--;
		view->unit = h->unit;
		view->profiles = h->profiles;
		view->listed = sums.listed;
		view->media_ports_ever = sums.media_ports_ever;
		view->media_ports = sums.media_ports;
		view->flows = sums.flows;
		view->findings_open = sums.findings_open;
		r = h->each(h->context, view, err);
	}
	h->count = 0;
	return r ? r : !h->left;
}

static int take_holding(struct holders *h, const struct flowdb *from, sqlite3_stmt *stmt,
                        struct err *err)
{
	struct holding_view view = {
		.sensor = from->sensor,
		.unit_id = sqlite3_column_int64(stmt, 4),
		.listed = sqlite3_column_int(stmt, 6),
		.seen = sqlite3_column_type(stmt, 2) != SQLITE_NULL,
		.removed = sqlite3_column_int(stmt, 13),
		.at = {.unit = sqlite3_column_int64(stmt, 4),
	               .known_by = (uint8_t)(sqlite3_column_int(stmt, 7) & 7),
	               .first_us = sqlite3_column_int64(stmt, 1),
	               .last_us = sqlite3_column_int64(stmt, 8)},
		.media_ports_ever = (uint64_t)sqlite3_column_int64(stmt, 9),
		.media_ports = (uint64_t)sqlite3_column_int64(stmt, 10),
		.flows = (uint64_t)sqlite3_column_int64(stmt, 11),
		.findings_open = (uint64_t)sqlite3_column_int64(stmt, 12),
	};
	int r = 0;

	if (h->count && strcmp(h->unit, column_text(stmt, 0)) != 0)
		r = tell_unit(h, err);
	if (r)
		return r;
	if (!h->count) {
		text_copy(h->unit, sizeof(h->unit), column_text(stmt, 0));
		text_copy(h->profiles, sizeof(h->profiles), column_text(stmt, 5));
	}
	column_addr(stmt, 2, &view.at.address);
	column_mac(stmt, 3, &view.at.mac);
	if (array_reserve(&h->all, &h->room, h->count + 1, sizeof(*h->all)) < 0 ||
	    array_reserve(&h->from, &h->from_room, h->count + 1, sizeof(*h->from)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	h->from[h->count] = from;
	h->all[h->count++] = view;
	return 0;
}

int flowdb_holdings(struct flowdb *db, const struct flow_query *query,
                    int (*each)(void *context, const struct holding_view *holding,
                                struct err *err),
                    void *context, struct err *err)
{
	struct holders holders = {.left = query->limit ? query->limit : UINT64_MAX,
	                          .each = each,
	                          .context = context};
	CLEANUP(freep) char *sql = malloc(WHERE_MAX);
	struct merge merge;
	struct flowdb *from;
	sqlite3_stmt *stmt;
	int r = sql ? query_check_units(db, query, err) : err_set(err, -ENOMEM, "out of memory");

	if (r < 0)
		return r;
	merge_init(&merge, 4, 0, 0);
	for (; db && r >= 0; db = db->next) {
		r = tally_flush(db, err);
		if (r < 0)
			break;
		sql_holdings(db, query, sql);
		r = merge_add(&merge, db, sql, query, err);
	}
	while (r >= 0 && (r = merge_next(&merge, &from, &stmt, err)) > 0) {
		r = take_holding(&holders, from, stmt, err);
		if (r)
			break;
	}
	if (!r)
		r = tell_unit(&holders, err);
	merge_release(&merge);
	free(holders.all);
	free(holders.from);
	return r < 0 ? r : 0;
}
