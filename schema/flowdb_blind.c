/*
 * flowdb_blind.c - see flowdb.h and flowdb_query.h: what was not seen, and how things stand
 * on the whole.
 */
#include "schema/flowdb_sql.h"

static int64_t or_null(int64_t value)
{
	return value ? value : SQL_NULL;
}

int flowdb_flow_blind(struct flowdb *db, int64_t id, struct err *err)
{
	sqlite3_stmt *stmt;
	int r;

	if (waiting_is_blind(db, id))
		return 0;
	r = sql_slot(db, SLOT_FLOW_BLIND, "UPDATE flow SET said = said | ?2 WHERE id = ?1",
	                 &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, (const int64_t[]){id, INT64_C(1) << SAID_BLIND}, 2);
	return sql_run(db, stmt, err);
}

int flowdb_blind_put(struct flowdb *db, const struct blind_row *blind, int64_t *id,
                     struct err *err)
{
	const int64_t values[] = {
		or_null(*id),          or_null(blind->run), blind->cause,
		or_null(blind->unit),  blind->since_us,     or_null(blind->until_us),
		(int64_t)blind->count,
	};
	sqlite3_stmt *stmt;
	int r = sql_slot(
		db, SLOT_BLIND_PUT,
		"INSERT INTO blind (id, run, cause, unit, since_us, until_us, count, detail)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
		" (run, cause, unit, since_us, until_us, count, detail) = (excluded.run,"
		" excluded.cause, excluded.unit, excluded.since_us, excluded.until_us,"
		" excluded.count, excluded.detail)",
		&stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	bind_text(stmt, ARRAY_LEN(values) + 1, blind->detail);
	r = sql_run(db, stmt, err);
	if (r < 0)
		return r;
	if (!*id)
		*id = sqlite3_last_insert_rowid(db->sql);
	return 0;
}

int flowdb_blind_end(struct flowdb *db, int64_t run, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db,
		"UPDATE blind SET until_us = max(since_us,"
		" coalesce((SELECT last_us FROM run WHERE id = blind.run), since_us))"
		" WHERE until_us IS NULL AND ?1 IN (0, run)",
		&stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, &run, 1);
	return sql_run(db, stmt, err);
}

int flowdb_blinds(struct flowdb *db, const struct blind_query *query,
                  int (*each)(void *context, const struct blind_view *blind, struct err *err),
                  void *context, struct err *err)
{
	const struct flow_query *window = &query->window;
	CLEANUP(freep) char *sql = calloc(1, WHERE_MAX);
	static const char select[] =
		"SELECT b.id, u.name, b.run, b.unit, b.since_us, b.until_us, b.count, b.cause,"
		" b.detail FROM blind b LEFT JOIN unit u ON u.id = b.unit WHERE 1";
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = !sql         ? err_set(err, -ENOMEM, "out of memory")
	        : db->sensor ? 0 /* another may know it, and not this one */
	                     : query_check_units(db, window, err);

	if (r < 0)
		return r;
	text_add(sql, WHERE_MAX, "%s", select);
	if (window->since_us || window->until_us)
		text_add(sql, WHERE_MAX,
		         " AND b.since_us <= ?2 AND coalesce(b.until_us, ?1) >= ?1");
	if (window->unit || window->more_units) {
		text_add(sql, WHERE_MAX, " AND (b.unit IS NULL OR (1");
		query_unit(sql, "b.unit", window);
		text_add(sql, WHERE_MAX, "))");
	}
	if (query->cause)
		text_add(sql, WHERE_MAX, " AND b.cause = %d", query->cause);
	if (query->run)
		text_add(sql, WHERE_MAX, " AND b.run = %lld", (long long)query->run);
	text_add(sql, WHERE_MAX, " ORDER BY b.since_us, b.id LIMIT ?8");
	r = sql_prepare(db, sql, &stmt, err);
	if (r < 0)
		return r;
	query_bind(stmt, window);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct blind_view view = {
			.id = sqlite3_column_int64(stmt, 0),
			.unit = sqlite3_column_int64(stmt, 3) ? column_text(stmt, 1) : NULL,
			.row = {.run = sqlite3_column_int64(stmt, 2),
		                .unit = sqlite3_column_int64(stmt, 3),
		                .since_us = sqlite3_column_int64(stmt, 4),
		                .until_us = sqlite3_column_int64(stmt, 5),
		                .count = (uint64_t)sqlite3_column_int64(stmt, 6),
		                .cause = (uint8_t)sqlite3_column_int(stmt, 7),
		                .detail = column_text(stmt, 8)},
		};

		r = each(context, &view, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

/* One row of numbers. */
static int read_numbers(struct flowdb *db, const char *text, uint64_t *numbers, int count,
                        struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, text, &stmt, err);

	if (r >= 0)
		r = sql_step(db, stmt, err);
	for (int i = 0; r > 0 && i < count; i++)
		numbers[i] = (uint64_t)sqlite3_column_int64(stmt, i);
	return r < 0 ? r : 0;
}

#define UNIT_CURRENT "u.run = (SELECT max(id) FROM run)"

int flowdb_standing(struct flowdb *db, struct standing *ret, struct err *err)
{
	struct standing s = {0};
	uint64_t units[2], flows[3], findings[6];
	char text[512];
	int r = tally_flush(db, err);

	if (r >= 0)
		r = packets_flush(db, err);
	if (r >= 0)
		r = read_numbers(db,
		                 "SELECT count(*), coalesce(sum(" UNIT_SEEN "), 0) FROM unit u"
		                 " WHERE u.listed AND " UNIT_CURRENT,
		                 units, 2, err);

	snprintf(text, sizeof(text),
	         "SELECT coalesce(sum(flows), 0), coalesce(sum(flows * (grade = %d)), 0),"
	         " coalesce(sum(flows * (grade = %d)), 0) FROM tally WHERE verdict = %d",
	         GRADE_UNPROVEN, GRADE_WIDE, RULING_DOCUMENTED);
	if (r >= 0)
		r = read_numbers(db, text, flows, 3, err);
	if (r >= 0)
		r = read_numbers(
			db,
			"SELECT coalesce(sum(waiver <> ''), 0), coalesce(sum(severity = 0 AND waiver = ''), 0),"
			" coalesce(sum(severity = 1 AND waiver = ''), 0),"
			" coalesce(sum(severity = 2 AND waiver = ''), 0),"
			" coalesce(sum(severity = 3 AND waiver = ''), 0),"
			" coalesce(sum(severity = 4 AND waiver = ''), 0) FROM finding WHERE open",
			findings, 6, err);
	if (r >= 0)
		r = read_numbers(db, "SELECT count(*) FROM evidence", &s.evidence, 1, err);
	if (r < 0)
		return r;
	s.units = units[0];
	s.units_seen = units[1];
	s.documented = flows[0];
	s.unproven = flows[1];
	s.wide = flows[2];
	s.waived = findings[0];
	memcpy(s.open, &findings[1], sizeof(s.open));
	*ret = s;
	return 0;
}

int flowdb_units_missing(struct flowdb *db,
                         int (*each)(void *context, const char *name, struct err *err),
                         void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "SELECT u.name FROM unit u WHERE u.listed AND " UNIT_CURRENT
	                    " AND NOT " UNIT_SEEN " ORDER BY u.name",
	                    &stmt, err);

	while (r >= 0 && (r = sql_step(db, stmt, err)) > 0) {
		r = each(context, column_text(stmt, 0), err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}
