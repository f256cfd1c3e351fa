/*
 * flowdb_answers.c - see flowdb_query.h: units, runs, what the database covers.
 */
#include "schema/flowdb_sql.h"

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

int flowdb_covers(struct flowdb *db, struct span *ret_span, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = tally_flush(db, err);

	if (r >= 0)
		r = sql_prepare(
		db,
		"SELECT count(*), min(first_us), max(last_us), (SELECT sum(flows) FROM tally),"
		" (SELECT count(*) FROM unit),"
		" count(*) FILTER (WHERE source = 'live') > 0,"
		" coalesce(max(id) FILTER (WHERE source = 'live'), max(id)) FROM run",
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
		.units = (uint64_t)sqlite3_column_int64(stmt, 4),
		.live = sqlite3_column_int(stmt, 5),
		.last_run = sqlite3_column_int64(stmt, 6),
	};
	return 0;
}

int flowdb_span(struct flowdb *db, struct span *ret_span, struct err *err)
{
	int64_t findings = 0;
	int r = flowdb_covers(db, ret_span, err);

	if (r >= 0)
		r = sql_ask(db, "SELECT count(*) FROM finding", NULL, 0, &findings, err);
	if (r < 0)
		return r;
	ret_span->findings = (uint64_t)findings;
	return 0;
}

static int knows_row(struct flowdb *db, const char *row, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, "SELECT 1 FROM envelope_row WHERE text = ?1", &stmt, err);

	if (r < 0)
		return r;
	bind_text(stmt, 1, row);
	return sql_step(db, stmt, err);
}

int flowdb_knows_row(struct flowdb *db, const char *row, struct err *err)
{
	int r = 0;

	for (; db && !r; db = db->next)
		r = knows_row(db, row, err);
	return r;
}
