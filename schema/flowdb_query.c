/*
 * flowdb_query.c - see flowdb_query.h: flows. Their ids are put in order first, so that the sorting
 * holds two integers a flow, however many there are; then each is read whole.
 */
#include "schema/flowdb_sql.h"

const char *column_text(sqlite3_stmt *stmt, int at)
{
	const unsigned char *text = sqlite3_column_text(stmt, at);

	return text ? (const char *)text : "";
}

static struct addr last_of(const struct prefix *prefix)
{
	struct addr addr = prefix->addr;

	for (unsigned bit = prefix->bits; bit < 128; bit++)
		addr.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return addr;
}

static void meets(sqlite3_context *context, int count, sqlite3_value **values)
{
	const char *text = (const char *)sqlite3_value_text(values[0]);
	const void *low = sqlite3_value_blob(values[1]), *high = sqlite3_value_blob(values[2]);
	struct prefix prefix;
	bool met = false;

	if (text && low && high && prefix_parse(text, &prefix) == 0) {
		struct addr last = last_of(&prefix);

		met = memcmp(prefix.addr.b, high, 16) <= 0 && memcmp(last.b, low, 16) >= 0;
	}
	sqlite3_result_int(context, met);
}

int query_functions(struct flowdb *db, struct err *err)
{
	int rc =
		sqlite3_create_function(db->sql, "meets", 3, SQLITE_UTF8 | SQLITE_DETERMINISTIC,
	                                NULL, meets, NULL, NULL);

	return rc ? sql_error(db, rc, err) : 0;
}

/* The ids of the units asked for. */
#define UNITS \
	"(SELECT id FROM unit WHERE name = ?3 UNION SELECT a.unit FROM" \
	" unit_address a JOIN host h ON h.id = a.address WHERE h.bytes = ?4)"

void query_unit(char *where, const char *unit, const struct flow_query *query)
{
	if (query->unit)
		text_add(where, WHERE_MAX, " AND %s IN " UNITS, unit);
}

void query_window(char *where, const struct flow_query *query)
{
	if (!query->since_us && !query->until_us)
		query_unit(where, "f.unit", query);
	else if (query->unit)
		text_add(where, WHERE_MAX, " AND " WINDOW_OF("IN " UNITS));
	else
		text_add(where, WHERE_MAX, " AND " WINDOW_OF("IN (SELECT id FROM unit)"));
}

void query_bind(sqlite3_stmt *stmt, const struct flow_query *query)
{
	struct addr unit, last = last_of(&query->peer);

	sqlite3_bind_int64(stmt, 1, query->since_us);
	sqlite3_bind_int64(stmt, 2, query->until_us ? query->until_us : INT64_MAX);
	bind_text(stmt, 3, query->unit);
	if (query->unit && !addr_parse(query->unit, &unit))
		sqlite3_bind_blob(stmt, 4, unit.b, sizeof(unit.b), SQLITE_TRANSIENT);
	bind_text(stmt, 5, query->row);
	if (query->peer.bits) {
		sqlite3_bind_blob(stmt, 6, query->peer.addr.b, sizeof(last.b),
		                  SQLITE_TRANSIENT);
		sqlite3_bind_blob(stmt, 7, last.b, sizeof(last.b), SQLITE_TRANSIENT);
	}
	sqlite3_bind_int64(stmt, 8, query->limit ? (int64_t)query->limit : -1);
	sqlite3_bind_int64(stmt, 9, query->finding);
}

int flowdb_check_unit(struct flowdb *db, const char *unit, struct err *err)
{
	const struct flow_query query = {.unit = unit};
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	char sql[WHERE_MAX] = "SELECT 1 FROM unit u WHERE 1";
	char some[512] = "";
	unsigned named = 0;
	int r;

	if (!unit)
		return 0;
	query_unit(sql, "u.id", &query);
	r = sql_prepare(db, sql, &stmt, err);
	if (r < 0)
		return r;
	query_bind(stmt, &query);
	r = sql_step(db, stmt, err);
	if (r)
		return r < 0 ? r : 0;
	stmt_finalizep(&stmt);
	r = sql_prepare(db, "SELECT name, count(*) OVER () FROM unit ORDER BY name", &stmt,
	                err);
	while (r >= 0 && (r = sql_step(db, stmt, err)) > 0) {
		text_add(some, sizeof(some), "%s%s", named ? ", " : "", column_text(stmt, 0));
		if (++named == 8) {
			if (sqlite3_column_int(stmt, 1) > 8)
				text_add(some, sizeof(some), ", ... (%d in all)",
				         sqlite3_column_int(stmt, 1));
			break;
		}
	}
	if (r < 0)
		return r;
	return err_set(err, -ENOENT, "no unit '%s' in %s; recorded: %s", unit, db->path,
	               named ? some : "none");
}

static void where_flow(char *where, const struct flow_query *query)
{
	query_window(where, query);
	if (query->ruling == RULING_OUTSIDE || query->kind || query->severity)
		text_add(where, WHERE_MAX,
		         " AND f.kind > 0"); /* what the partial index holds */
	if (query->ruling)
		text_add(where, WHERE_MAX, " AND f.verdict = %d", query->ruling);
	if (query->kind)
		text_add(where, WHERE_MAX, " AND f.kind = %d", query->kind);
	if (query->severity)
		text_add(where, WHERE_MAX, " AND f.severity >= %d", query->severity);
	if (query->blind)
		text_add(where, WHERE_MAX, " AND f.blind");
	if (query->finding)
		text_add(where, WHERE_MAX, " AND f.finding = ?9");
	if (query->row)
		text_add(
			where, WHERE_MAX,
			" AND (f.row = (SELECT id FROM envelope_row WHERE text = ?5) OR f.row_set IN"
			" (SELECT id FROM row_set WHERE instr(', ' || text || ',', ', ' || ?5 || ','))"
			" OR (f.kind > 0 AND EXISTS (SELECT 1 FROM flow_differs d WHERE d.flow = f.id"
			" AND d.rank = 0 AND d.row = (SELECT id FROM envelope_row WHERE text = ?5))))");
	if (query->peer.bits)
		text_add(where, WHERE_MAX,
		         " AND (SELECT bytes FROM host WHERE id = f.remote) BETWEEN ?6 AND ?7");
}

int flowdb_flows(struct flowdb *db, const struct flow_query *query,
                 int (*each)(void *context, const struct flow_view *flow, struct err *err),
                 void *context, struct err *err)
{
	char sql[WHERE_MAX] = "SELECT f.id FROM flow f WHERE 1";
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = flowdb_check_unit(db, query->unit, err);

	if (r < 0)
		return r;
	where_flow(sql, query);
	text_add(sql, sizeof(sql), " ORDER BY f.start_us, f.id LIMIT ?8");
	r = sql_prepare(db, sql, &stmt, err);
	if (r < 0)
		return r;
	query_bind(stmt, query);
	while ((r = sql_step(db, stmt, err)) > 0) {
		r = flow_get(db, sqlite3_column_int64(stmt, 0), each, context, err);
		if (r < 0 || r > 1)
			break;
	}
	return r < 0 ? r : 0;
}
