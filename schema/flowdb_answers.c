/*
 * flowdb_answers.c - see flowdb_query.h: findings, coverage, units, runs.
 */
#include "schema/flowdb_sql.h"

static void where_finding(char *where, const struct finding_query *query)
{
	const struct flow_query *flow = &query->flow;

	if (flow->since_us || flow->until_us)
		text_add(where, WHERE_MAX, " AND f.first_us <= ?2 AND f.last_us >= ?1");
	query_unit(where, "f.unit", flow);
	if (flow->kind)
		text_add(where, WHERE_MAX, " AND f.kind = %d", flow->kind);
	if (flow->severity)
		text_add(where, WHERE_MAX, " AND f.severity >= %d", flow->severity);
	if (flow->finding)
		text_add(where, WHERE_MAX, " AND f.id = ?9");
	if (flow->row)
		text_add(where, WHERE_MAX,
		         " AND f.row = (SELECT id FROM envelope_row WHERE text = ?5)");
	if (flow->peer
	            .bits) /* its flows know; where not all are kept, the peers gathered may */
		text_add(where, WHERE_MAX,
		         " AND (EXISTS (SELECT 1 FROM flow x JOIN host h ON h.id = x.remote"
		         " WHERE x.finding = f.id AND h.bytes BETWEEN ?6 AND ?7)"
		         " OR (f.kept < f.flows AND meets(f.remote, ?6, ?7)))");
	if (query->state == FINDINGS_OPEN)
		text_add(where, WHERE_MAX, " AND f.open");
	else if (query->state == FINDINGS_CLOSED)
		text_add(where, WHERE_MAX, " AND NOT f.open");
	else if (query->state == FINDINGS_WAIVED)
		text_add(where, WHERE_MAX, " AND f.open AND f.waiver <> ''");
}

/* The columns after the id and the unit's name: FINDING_NUMBERS, FINDING_TEXTS. */
static void read_finding(sqlite3_stmt *stmt, struct finding_row *row)
{
	*row = (struct finding_row){
		.unit = sqlite3_column_int64(stmt, 2),
		.kind = (uint8_t)sqlite3_column_int(stmt, 3),
		.severity = (uint8_t)sqlite3_column_int(stmt, 4),
		.transport = (uint8_t)sqlite3_column_int(stmt, 5),
		.app = (uint16_t)sqlite3_column_int(stmt, 6),
		.first_us = sqlite3_column_int64(stmt, 7),
		.last_us = sqlite3_column_int64(stmt, 8),
		.flows = (uint64_t)sqlite3_column_int64(stmt, 9),
		.kept = (uint64_t)sqlite3_column_int64(stmt, 10),
		.bytes = (uint64_t)sqlite3_column_int64(stmt, 11),
		.open = sqlite3_column_int(stmt, 12),
	};
	text_copy(row->row, sizeof(row->row), column_text(stmt, 13));
	text_copy(row->remote, sizeof(row->remote), column_text(stmt, 14));
	text_copy(row->role, sizeof(row->role), column_text(stmt, 15));
	text_copy(row->port, sizeof(row->port), column_text(stmt, 16));
	text_copy(row->reason, sizeof(row->reason), column_text(stmt, 17));
	text_copy(row->waiver, sizeof(row->waiver), column_text(stmt, 18));
}

#define FINDING_NUMBERS \
	"f.unit, f.kind, f.severity, f.transport, f.application, f.first_us, f.last_us, f.flows," \
	" f.kept, f.bytes, f.open"
#define FINDING_TEXTS "coalesce(e.text, ''), f.remote, f.role, f.port, f.reason, f.waiver"

int flowdb_findings(struct flowdb *db, const struct finding_query *query,
                    int (*each)(void *context, const struct finding_view *finding,
                                struct err *err),
                    void *context, struct err *err)
{
	char sql[WHERE_MAX] = "SELECT f.id, u.name, " FINDING_NUMBERS ", " FINDING_TEXTS
			      " FROM finding f JOIN unit u ON u.id = f.unit"
			      " LEFT JOIN envelope_row e ON e.id = f.row WHERE 1";
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = flowdb_check_unit(db, query->flow.unit, err);

	if (r < 0)
		return r;
	where_finding(sql, query);
	text_add(sql, sizeof(sql),
	         " ORDER BY f.open DESC, f.waiver <> '', f.severity DESC, f.flows DESC, f.kind,"
	         " coalesce(e.text, ''), f.remote, f.role, f.port, u.name, f.id LIMIT ?8");
	r = sql_prepare(db, sql, &stmt, err);
	if (r < 0)
		return r;
	query_bind(stmt, &query->flow);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct finding_view view = {.id = sqlite3_column_int64(stmt, 0),
		                            .unit = column_text(stmt, 1)};

		read_finding(stmt, &view.row);
		r = each(context, &view, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_finding_changes(struct flowdb *db, int64_t run, int64_t after, uint64_t limit,
                           int (*each)(void *context, const struct change_view *change,
                                       struct err *err),
                           void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db,
		"SELECT f.id, u.name, " FINDING_NUMBERS ", " FINDING_TEXTS
		", c.id, c.run, c.time_us,"
		" c.state, (SELECT x.id FROM flow x WHERE x.finding = f.id ORDER BY x.start_us, x.id LIMIT 1)"
		" FROM finding_change c CROSS JOIN finding f ON f.id = c.finding"
		" JOIN unit u ON u.id = f.unit LEFT JOIN envelope_row e ON e.id = f.row"
		" WHERE c.id > ?2 AND +c.run = ?1 ORDER BY c.id LIMIT ?3",
		&stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, (const int64_t[]){run, after, (int64_t)limit}, 3);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct change_view view = {
			.finding = {.id = sqlite3_column_int64(stmt, 0),
		                    .unit = column_text(stmt, 1)},
			.id = sqlite3_column_int64(stmt, 19),
			.run = sqlite3_column_int64(stmt, 20),
			.time_us = sqlite3_column_int64(stmt, 21),
			.state = (uint8_t)sqlite3_column_int(stmt, 22),
			.flow = sqlite3_column_int64(stmt, 23),
		};

		read_finding(stmt, &view.finding.row);
		r = each(context, &view, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_last_change(struct flowdb *db, int64_t run, int64_t *ret_id, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db, "SELECT id FROM finding_change WHERE +run < ?1 ORDER BY id DESC LIMIT 1",
		&stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, &run, 1);
	r = sql_step(db, stmt, err);
	if (r < 0)
		return r;
	*ret_id = r ? sqlite3_column_int64(stmt, 0) : 0;
	return 0;
}

/* Where a group's head is its finding with most flows, the first of these: one number says both. */
#define HEAD_BASE "4611686018427387904"

int flowdb_finding_groups(struct flowdb *db, const struct finding_query *query,
                          int (*each)(void *context, const struct finding_group *group,
                                      struct err *err),
                          void *context, struct err *err)
{
	char sql[WHERE_MAX] =
		"WITH g AS (SELECT max(f.severity) AS severity, count(DISTINCT f.unit) AS units,"
		" count(*) AS findings, min(f.transport) AS transport_low,"
		" max(f.transport) AS transport_high, min(f.application) AS app_low,"
		" max(f.application) AS app_high, min(f.first_us) AS first_us,"
		" max(f.last_us) AS last_us, sum(f.flows) AS flows, sum(f.kept) AS kept,"
		" sum(f.bytes) AS bytes,"
		" max(printf('%020d%020d', f.flows, " HEAD_BASE " - f.id)) AS head"
		" FROM finding f WHERE 1";
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = flowdb_check_unit(db, query->flow.unit, err);

	if (r < 0)
		return r;
	where_finding(sql, query);
	text_add(
		sql, sizeof(sql),
		" GROUP BY f.kind, f.row, f.remote, f.role, f.port, f.open, f.waiver <> '')"
		" SELECT f.id, u.name, f.unit, f.kind, g.severity, f.transport, f.application, g.first_us,"
		" g.last_us, g.flows, g.kept, g.bytes, f.open, " FINDING_TEXTS ","
		" g.units, g.findings, g.app_low, g.app_high, g.transport_low, g.transport_high"
		" FROM g JOIN finding f ON f.id = " HEAD_BASE
		" - CAST(substr(g.head, 21) AS INTEGER)"
		" JOIN unit u ON u.id = f.unit LEFT JOIN envelope_row e ON e.id = f.row"
		" ORDER BY f.open DESC, f.waiver <> '', g.severity DESC, g.units DESC, g.flows DESC,"
		" f.kind, coalesce(e.text, ''), f.remote, f.role, f.port LIMIT ?8");
	r = sql_prepare(db, sql, &stmt, err);
	if (r < 0)
		return r;
	query_bind(stmt, &query->flow);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct finding_group group = {
			.id = sqlite3_column_int64(stmt, 0),
			.unit = column_text(stmt, 1),
			.units = (uint64_t)sqlite3_column_int64(stmt, 19),
			.findings = (uint64_t)sqlite3_column_int64(stmt, 20),
			.apps = {(uint16_t)sqlite3_column_int(stmt, 21),
		                 (uint16_t)sqlite3_column_int(stmt, 22)},
			.transports = {(uint8_t)sqlite3_column_int(stmt, 23),
		                       (uint8_t)sqlite3_column_int(stmt, 24)},
		};

		read_finding(stmt, &group.row);
		r = each(context, &group, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_coverage(struct flowdb *db, const char *unit, const char *row,
                    int (*each)(void *context, const struct coverage_view *coverage,
                                struct err *err),
                    void *context, struct err *err)
{
	const struct flow_query query = {.unit = unit, .row = row};
	char sql[WHERE_MAX] =
		"SELECT u.name, c.unit, e.text, c.exact, c.unproven, c.wide, c.unanswered,"
		" c.blocked, c.outside, c.first_us, c.last_us FROM coverage c"
		" JOIN unit u ON u.id = c.unit JOIN envelope_row e ON e.id = c.row WHERE 1";
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = flowdb_check_unit(db, unit, err);

	if (r < 0)
		return r;
	query_unit(sql, "c.unit", &query);
	text_add(sql, sizeof(sql), "%s ORDER BY u.name, e.text", row ? " AND e.text = ?5" : "");
	r = sql_prepare(db, sql, &stmt, err);
	if (r < 0)
		return r;
	query_bind(stmt, &query);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct coverage_view view = {
			.unit = column_text(stmt, 0),
			.row = {.unit = sqlite3_column_int64(stmt, 1),
		                .row = column_text(stmt, 2),
		                .exact = (uint64_t)sqlite3_column_int64(stmt, 3),
		                .unproven = (uint64_t)sqlite3_column_int64(stmt, 4),
		                .wide = (uint64_t)sqlite3_column_int64(stmt, 5),
		                .unanswered = (uint64_t)sqlite3_column_int64(stmt, 6),
		                .blocked = (uint64_t)sqlite3_column_int64(stmt, 7),
		                .outside = (uint64_t)sqlite3_column_int64(stmt, 8),
		                .first_us = sqlite3_column_int64(stmt, 9),
		                .last_us = sqlite3_column_int64(stmt, 10)},
		};

		r = each(context, &view, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_units(struct flowdb *db,
                 int (*each)(void *context, const struct unit_view *unit, struct err *err),
                 void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = tally_flush(db, err);

	if (r >= 0)
		r = sql_prepare(
		db,
		"SELECT id, name, profiles, listed, (SELECT coalesce(sum(t.flows), 0) FROM tally t WHERE t.unit = u.id)"
		" FROM unit u ORDER BY name",
		&stmt, err);

	while (r >= 0 && (r = sql_step(db, stmt, err)) > 0) {
		struct unit_view view = {
			.id = sqlite3_column_int64(stmt, 0),
			.name = column_text(stmt, 1),
			.profiles = column_text(stmt, 2),
			.listed = sqlite3_column_int(stmt, 3),
			.flows = (uint64_t)sqlite3_column_int64(stmt, 4),
		};

		r = each(context, &view, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_runs(struct flowdb *db,
                int (*each)(void *context, const struct run_view *run, struct err *err),
                void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
#define X(name) ", " #name
	int r = sql_prepare(
		db,
		"SELECT id, version, source, inputs, filter, first_us, last_us, ended, packet_us,"
		" begun_us, roles_unknown, inspector_restarts, sensor_restarts,"
		" recorder_restarts" RUN_COUNTERS(X) " FROM run ORDER BY id",
		&stmt, err);
#undef X

	while (r >= 0 && (r = sql_step(db, stmt, err)) > 0) {
		struct run_view view = {
			.id = sqlite3_column_int64(stmt, 0),
			.row = {.version = column_text(stmt, 1),
		                .source = column_text(stmt, 2),
		                .inputs = column_text(stmt, 3),
		                .filter = column_text(stmt, 4),
		                .begun_us = sqlite3_column_int64(stmt, 9),
		                .roles_unknown = column_text(stmt, 10)},
			.first_us = sqlite3_column_int64(stmt, 5),
			.last_us = sqlite3_column_int64(stmt, 6),
			.ended = sqlite3_column_int(stmt, 7),
			.packet_us = sqlite3_column_int64(stmt, 8),
			.restarts = {(uint64_t)sqlite3_column_int64(stmt, 11),
		                     (uint64_t)sqlite3_column_int64(stmt, 12),
		                     (uint64_t)sqlite3_column_int64(stmt, 13)},
		};
		int at = 14;

#define X(name) view.counters.name = (uint64_t)sqlite3_column_int64(stmt, at++);
		RUN_COUNTERS(X)
#undef X
		r = each(context, &view, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_inputs(struct flowdb *db, int64_t run,
                  int (*each)(void *context, const struct input_row *input, struct err *err),
                  void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db,
		"SELECT name, size, hash, first_us, last_us, packets, cut, note FROM input"
		" WHERE ?1 IN (0, run) ORDER BY id",
		&stmt, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, run);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct input_row input = {
			.name = column_text(stmt, 0),
			.size = (uint64_t)sqlite3_column_int64(stmt, 1),
			.hash = column_text(stmt, 2),
			.first_us = sqlite3_column_int64(stmt, 3),
			.last_us = sqlite3_column_int64(stmt, 4),
			.packets = (uint64_t)sqlite3_column_int64(stmt, 5),
			.cut = sqlite3_column_int(stmt, 6),
			.note = column_text(stmt, 7),
		};

		r = each(context, &input, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_span(struct flowdb *db, struct span *ret_span, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = tally_flush(db, err);

	if (r >= 0)
		r = sql_prepare(
		db,
		"SELECT count(*), min(first_us), max(last_us), (SELECT sum(flows) FROM tally),"
		" (SELECT count(*) FROM finding), (SELECT count(*) FROM unit),"
		" (SELECT source = 'live' FROM run ORDER BY id DESC LIMIT 1), max(id) FROM run",
		&stmt, err);

	if (r >= 0)
		r = sql_step(db, stmt, err);
	if (r < 0)
		return r;
	*ret_span = (struct span){
		.runs = (uint64_t)sqlite3_column_int64(stmt, 0),
		.first_us = sqlite3_column_int64(stmt, 1),
		.last_us = sqlite3_column_int64(stmt, 2),
		.flows = (uint64_t)sqlite3_column_int64(stmt, 3),
		.findings = (uint64_t)sqlite3_column_int64(stmt, 4),
		.units = (uint64_t)sqlite3_column_int64(stmt, 5),
		.live = sqlite3_column_int(stmt, 6),
		.last_run = sqlite3_column_int64(stmt, 7),
	};
	return 0;
}

int flowdb_knows_row(struct flowdb *db, const char *row, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, "SELECT 1 FROM envelope_row WHERE text = ?1", &stmt, err);

	if (r < 0)
		return r;
	bind_text(stmt, 1, row);
	return sql_step(db, stmt, err);
}
