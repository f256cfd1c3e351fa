/*
 * flowdb_query.c - see flowdb_query.h: what narrows an answer, as conditions of SQL; and flows. Their ids are
 * put in order first, so that the sorting holds a few integers a flow, however many there are; then each is
 * read whole.
 */
#include "schema/flowdb_sql.h"

/* Parameters from here on: names of units asked for, and the addresses that these may be. */
#define UNIT_NAMES 20
#define UNIT_ADDRS 200
#define UNITS_MAX 100

const char *column_text(sqlite3_stmt *stmt, int at)
{
	const unsigned char *text = sqlite3_column_text(stmt, at);

	return text ? (const char *)text : "";
}

/* The units asked for, one after the other; NULL past the last. */
static const char *unit_at(const struct flow_query *query, unsigned at)
{
	if (query->unit && !at--)
		return query->unit;
	for (unsigned i = 0; query->more_units && query->more_units[i] && i < UNITS_MAX; i++)
		if (i == at)
			return query->more_units[i];
	return NULL;
}

/* "(SELECT ...)": the ids of the units asked for; false where none are. */
static bool units_print(const struct flow_query *query, char *buf, size_t size)
{
	unsigned count = 0;

	*buf = '\0';
	while (unit_at(query, count))
		count++;
	text_add(buf, size, "(SELECT id FROM unit WHERE name IN (");
	for (unsigned i = 0; i < count; i++)
		text_add(buf, size, "%s?%u", i ? ", " : "", UNIT_NAMES + i);
	text_add(buf, size,
	         ") UNION SELECT a.unit FROM unit_address a JOIN host h ON h.id = a.address"
	         " WHERE h.bytes IN (");
	for (unsigned i = 0; i < count; i++)
		text_add(buf, size, "%s?%u", i ? ", " : "", UNIT_ADDRS + i);
	text_add(buf, size, "))");
	return count;
}

void query_unit(char *where, const char *unit, const struct flow_query *query)
{
	char list[WHERE_MAX / 4];

	if (units_print(query, list, sizeof(list)))
		text_add(where, WHERE_MAX, " AND %s IN %s", unit, list);
}

void query_window(char *where, const struct flow_query *query)
{
	char list[WHERE_MAX / 4];

	if (!query->since_us && !query->until_us) {
		query_unit(where, "f.unit", query);
		return;
	}
	if (!units_print(query, list, sizeof(list)))
		text_copy(list, sizeof(list), "(SELECT id FROM unit)");
	text_add(where, WHERE_MAX, " AND " WINDOW_OF("IN %1$s"), list);
}

/* A name's pattern has one special letter, *; GLOB has more. */
static void bind_glob(sqlite3_stmt *stmt, int at, const char *name)
{
	char glob[3 * NAME_MAX_LEN + 8] = "";

	for (; name && *name; name++)
		text_add(glob, sizeof(glob), *name == '?' || *name == '[' ? "[%c]" : "%c",
		         *name >= 'A' && *name <= 'Z' ? *name + 'a' - 'A' : *name);
	if (name)
		sqlite3_bind_text(stmt, at, glob, -1, SQLITE_TRANSIENT);
}

void query_bind(sqlite3_stmt *stmt, const struct flow_query *query)
{
	struct addr unit, last = prefix_last(&query->peer);
	const char *name;

	sqlite3_bind_int64(stmt, 1, query->since_us);
	sqlite3_bind_int64(stmt, 2, query->until_us ? query->until_us : INT64_MAX);
	for (unsigned i = 0; (name = unit_at(query, i)); i++) {
		bind_text(stmt, (int)(UNIT_NAMES + i), name);
		if (!addr_parse(name, &unit))
			sqlite3_bind_blob(stmt, (int)(UNIT_ADDRS + i), unit.b, sizeof(unit.b),
			                  SQLITE_TRANSIENT);
	}
	bind_text(stmt, 5, query->row);
	if (query->peer.bits) {
		sqlite3_bind_blob(stmt, 6, query->peer.addr.b, sizeof(last.b),
		                  SQLITE_TRANSIENT);
		sqlite3_bind_blob(stmt, 7, last.b, sizeof(last.b), SQLITE_TRANSIENT);
	}
	sqlite3_bind_int64(stmt, 8, query->limit ? (int64_t)query->limit : -1);
	sqlite3_bind_int64(stmt, 9, query->finding);
	bind_glob(stmt, 10, query->peer_name);
	sqlite3_bind_pointer(stmt, 11, (void *)query->filter, "filter", NULL);
}

static int knows_unit(struct flowdb *db, const char *unit, struct err *err)
{
	const struct flow_query query = {.unit = unit};
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	CLEANUP(freep) char *sql = calloc(1, WHERE_MAX);
	int r = sql ? 0 : err_set(err, -ENOMEM, "out of memory");

	if (r < 0)
		return r;
	text_add(sql, WHERE_MAX, "SELECT 1 FROM unit u WHERE 1");
	query_unit(sql, "u.id", &query);
	r = sql_prepare(db, sql, &stmt, err);
	if (r < 0)
		return r;
	query_bind(stmt, &query);
	return sql_step(db, stmt, err);
}

/* Whether something of old was removed from one of them: an address, too. */
static int any_removed(struct flowdb *db, bool *ret, struct err *err)
{
	int64_t one;
	int r = 0;

	for (; db && !r; db = db->next)
		r = sql_ask(db, "SELECT 1 FROM removed WHERE since_us IS NULL LIMIT 1", NULL, 0,
		            &one, err);
	*ret = r > 0;
	return r < 0 ? r : 0;
}

int flowdb_check_unit(struct flowdb *db, const char *unit, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	char some[512] = "";
	unsigned named = 0;
	struct addr addr;
	bool removed = false;
	int r = 0;

	if (!unit)
		return 0;
	for (struct flowdb *each = db; each; each = each->next) {
		r = knows_unit(each, unit, err);
		if (r)
			return r < 0 ? r : 0;
	}
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
	if (!addr_parse(unit, &addr))
		r = any_removed(db, &removed, err);
	if (r < 0)
		return r;
	return err_set(err, -ENOENT, "no unit '%s' in %s%s%s; recorded: %s", unit, db->path,
	               db->next ? " nor in the others" : "",
	               removed ? " (old addresses were removed there: ask by the unit's name)" : "",
	               named ? some : "none");
}

int query_check_units(struct flowdb *db, const struct flow_query *query, struct err *err)
{
	const char *unit;
	int r = 0;

	for (unsigned i = 0; r >= 0 && (unit = unit_at(query, i)); i++)
		r = flowdb_check_unit(db, unit, err);
	return r;
}

#define NAMED "(SELECT id FROM name WHERE lower(text) GLOB ?10)"

/* What of a flow's peer and ports is asked for. */
static void where_ends(char *where, const struct flow_query *query)
{
	if (query->peer.bits)
		text_add(where, WHERE_MAX,
		         " AND (SELECT bytes FROM host WHERE id = f.remote) BETWEEN ?6 AND ?7");
	if (query->peer_name)
		text_add(where, WHERE_MAX,
		         " AND (f.name IN " NAMED " OR EXISTS (SELECT 1 FROM"
		         " (SELECT address, min(first_us) AS first_us FROM name_seen WHERE name IN " NAMED
		         " GROUP BY address) b WHERE b.address = f.remote"
		         " AND b.first_us <= f.start_us + f.lasted_us))");
	if (query->port_high)
		text_add(where, WHERE_MAX,
		         " AND f.transport IN (%d, %d) AND (f.local_port BETWEEN %u AND %u"
		         " OR f.remote_port BETWEEN %u AND %u)",
		         TRANSPORT_TCP, TRANSPORT_UDP, query->port_low, query->port_high,
		         query->port_low, query->port_high);
	if (query->filter)
		text_add(where, WHERE_MAX,
		         " AND takes(?11, f.transport, " FLOW_IP_VERSION ", (SELECT vlan FROM link WHERE id = f.link),"
		         " (SELECT bytes FROM host WHERE id = f.local), f.local_port, (SELECT h.bytes"
		         " FROM link l JOIN host h ON h.id = l.local_mac WHERE l.id = f.link),"
		         " (SELECT bytes FROM host WHERE id = f.remote), f.remote_port, (SELECT h.bytes"
		         " FROM link l JOIN host h ON h.id = l.remote_mac WHERE l.id = f.link),"
		         " f.packets_out, f.packets_in)");
}

/* What a flow is and what became of it. */
static void where_nature(char *where, const struct flow_query *query)
{
	if (query->transport)
		text_add(where, WHERE_MAX, " AND f.transport = %u", query->transport);
	if (query->app)
		text_add(where, WHERE_MAX, " AND f.application = %u", query->app);
	if (query->media & MEDIA_MIXED)
		text_add(where, WHERE_MAX, " AND " FLOW_MEDIA " NOT IN (0, %d, %d, %d)", MEDIA_AUDIO,
		         MEDIA_VIDEO, MEDIA_DATA);
	else if (query->media)
		text_add(where, WHERE_MAX, " AND " FLOW_MEDIA " & %u", query->media);
	if (query->direction)
		text_add(where, WHERE_MAX, " AND " FLOW_DIRECTION " = %u", query->direction - 1);
	if (query->outcome)
		text_add(where, WHERE_MAX, " AND " FLOW_OUTCOME " = %u", query->outcome);
	if (query->ruling)
		text_add(where, WHERE_MAX, " AND f.verdict = %d", query->ruling);
	if (query->grade)
		text_add(where, WHERE_MAX, " AND " FLOW_GRADE " = %u", query->grade);
	if (query->blind)
		text_add(where, WHERE_MAX, " AND " FLOW_BLIND);
}

void query_flows(const struct flowdb *db, char *where, const struct flow_query *query)
{
	query_window(where, query);
	if (query->ruling == RULING_OUTSIDE || query->kind || query->severity)
		text_add(where, WHERE_MAX,
		         " AND f.kind > 0"); /* what the partial index holds */
	if (query->kind)
		text_add(where, WHERE_MAX, " AND f.kind = %d", query->kind);
	if (query->severity)
		text_add(where, WHERE_MAX, " AND " FLOW_SEVERITY " >= %d", query->severity);
	if (query->finding)
		text_add(where, WHERE_MAX, " AND f.finding = ?9");
	if (query->fresh)
		text_add(where, WHERE_MAX, " AND f.id > %lld", (long long)db->point.flow);
	where_nature(where, query);
	if (query->row)
		text_add(
			where, WHERE_MAX,
			" AND (f.row = (SELECT id FROM envelope_row WHERE text = ?5) OR " FLOW_ROW_SET " IN"
			" (SELECT id FROM row_set WHERE instr(', ' || text || ',', ', ' || ?5 || ','))"
			" OR (f.kind > 0 AND EXISTS (SELECT 1 FROM differs d WHERE d.id = f.differs"
			" AND d.rank = 0 AND d.row = (SELECT id FROM envelope_row WHERE text = ?5))))");
	where_ends(where, query);
}

/* Such conversations may have carried media, and then on any port. */
#define MEDIA_APPS APP_STUN, APP_RTP, APP_RTCP, APP_TURN_CHANNEL

/*
 * Of a finding that lost rows, what it gathers says as much as it can. Where it says nothing, and no row is left that
 * would, what was asked for cannot be ruled out: better one finding too many than an open one missed.
 */
static void where_rows_gone(char *where, const struct flow_query *query)
{
	text_add(where, WHERE_MAX, " OR (g.kept < g.flows AND g.kind <> %d", KIND_UNLISTED_UNIT);
	if (query->peer.bits)
		text_add(where, WHERE_MAX,
		         " AND (meets(g.remote, ?6, ?7) OR (g.kept = 0 AND g.remote = ''))");
	if (query->port_high)
		text_add(where, WHERE_MAX,
		         " AND (has_port(g.port, %u, %u) OR (g.kept = 0 AND g.transport IN (0, %d, %d)"
		         " AND (g.port IN ('', 'scan') OR g.application IN (%d, %d, %d, %d))))",
		         query->port_low, query->port_high, TRANSPORT_TCP, TRANSPORT_UDP, MEDIA_APPS);
	if (query->media)
		text_add(where, WHERE_MAX,
		         " AND g.kept = 0 AND g.transport IN (0, %d, %d)"
		         " AND g.application IN (%d, %d, %d, %d, %d)",
		         TRANSPORT_TCP, TRANSPORT_UDP, APP_NONE, MEDIA_APPS);
	if (query->peer_name || query->filter || query->direction || query->outcome || query->blind)
		text_add(where, WHERE_MAX, " AND g.kept = 0");
	text_add(where, WHERE_MAX, ")");
}

static void where_flow(char *where, const char *of, const struct flow_query *query)
{
	text_add(where, WHERE_MAX, "%s", of);
	where_ends(where, query);
	where_nature(where, query);
	text_add(where, WHERE_MAX, ")");
}

/*
 * A flow of finding g overlaps the window. As in WINDOW_OF, so that no finding's whole past is read; but those that
 * last longer are sought once for all findings.
 */
static void where_flow_of_window(char *where, const struct flow_query *query)
{
	char list[WHERE_MAX / 4], text[WHERE_MAX / 2] = "";

	if (!units_print(query, list, sizeof(list)))
		text_copy(list, sizeof(list), "(SELECT id FROM unit)");
	where_flow(where,
	           "EXISTS (SELECT 1 FROM flow f WHERE f.finding = g.id"
	           " AND f.start_us BETWEEN ?1 - " HOUR " AND ?2 AND f.start_us + f.lasted_us >= ?1",
	           query);
	text_add(text, sizeof(text),
	         " OR g.id IN (SELECT f.finding FROM flow f WHERE f.unit IN %s AND f.lasted_us > " HOUR
	         " AND f.start_us < ?1 - " HOUR " AND f.start_us + f.lasted_us >= ?1",
	         list);
	where_flow(where, text, query);
}

/* What only a finding's flows know: of the window too, where all are kept; else its first and last say it. */
static void where_gathered(const struct flowdb *db, char *where, const struct flow_query *query)
{
	bool window = query->since_us || query->until_us;
	bool others = query->peer.bits || query->peer_name || query->port_high || query->filter ||
	              query->media || query->direction || query->outcome || query->blind;

	if (!window && !others)
		return;
	text_add(where, WHERE_MAX, " AND (%s", others ? "" : "g.kept < g.flows OR ");
	if (window)
		where_flow_of_window(where, query);
	if (others)
		where_flow(where,
		           window ? " OR (g.kept < g.flows AND EXISTS (SELECT 1 FROM flow f"
		                    " WHERE f.finding = g.id"
		                  : "(EXISTS (SELECT 1 FROM flow f WHERE f.finding = g.id",
		           query);
	if (others)
		text_add(where, WHERE_MAX, ")");
	if (others && !db->archives) /* else the rows that went are there, and tell */
		where_rows_gone(where, query);
	text_add(where, WHERE_MAX, ")");
}

void query_findings(const struct flowdb *db, char *where, const struct finding_query *query)
{
	const struct flow_query *flow = &query->flow;

	if (flow->since_us || flow->until_us)
		text_add(where, WHERE_MAX, " AND g.first_us <= ?2 AND g.last_us >= ?1");
	query_unit(where, "g.unit", flow);
	if (flow->kind)
		text_add(where, WHERE_MAX, " AND g.kind = %d", flow->kind);
	if (flow->severity)
		text_add(where, WHERE_MAX, " AND g.severity >= %d", flow->severity);
	if (flow->transport)
		text_add(where, WHERE_MAX, " AND g.transport IN (0, %u)", flow->transport);
	if (flow->app)
		text_add(where, WHERE_MAX, " AND g.application = %u", flow->app);
	if (flow->finding)
		text_add(where, WHERE_MAX, " AND g.id = ?9");
	if (flow->fresh)
		text_add(where, WHERE_MAX,
		         " AND g.id IN (SELECT finding FROM finding_change WHERE id > %lld)",
		         (long long)db->point.change);
	if (flow->row)
		text_add(where, WHERE_MAX,
		         " AND g.row = (SELECT id FROM envelope_row WHERE text = ?5)");
	if (query->state == FINDINGS_OPEN)
		text_add(where, WHERE_MAX, " AND g.open");
	else if (query->state == FINDINGS_CLOSED)
		text_add(where, WHERE_MAX, " AND NOT g.open");
	else if (query->state == FINDINGS_WAIVED)
		text_add(where, WHERE_MAX, " AND g.open AND g.waiver <> ''");
	where_gathered(db, where, flow);
}

int flowdb_flows(struct flowdb *db, const struct flow_query *query,
                 int (*each)(void *context, const struct flow_view *flow, struct err *err),
                 void *context, struct err *err)
{
	CLEANUP(freep) char *sql = malloc(WHERE_MAX);
	struct sorting sorting;
	struct merge merge;
	struct flowdb *from;
	sqlite3_stmt *stmt;
	int r = sql ? query_check_units(db, query, err) : err_set(err, -ENOMEM, "out of memory");

	if (r >= 0)
		r = sorting_of(THING_FLOWS, query->sort, &sorting, err);
	if (r < 0)
		return r;
	merge_init(&merge, sorting.count + 1, sorting.down, query->limit);
	for (struct flowdb *at = db; at && r >= 0; at = query->alone ? NULL : at->next) {
		snprintf(sql, WHERE_MAX, "SELECT %s%s, f.id FROM flow f WHERE 1", sorting.columns,
		         query->fresh ? "f.id" : "f.start_us");
		query_flows(at, sql, query);
		sorting_add(sql, sorting.count + 2, sorting.down);
		r = merge_add(&merge, at, sql, query, err);
	}
	while (r >= 0 && (r = merge_next(&merge, &from, &stmt, err)) > 0) {
		r = flow_get(from, sqlite3_column_int64(stmt, (int)sorting.count + 1), each,
		             context, err);
		if (r < 0 || r > 1)
			break;
	}
	merge_release(&merge);
	return r < 0 ? r : 0;
}
