/*
 * flowdb_write.c - see flowdb.h: what the recorder writes beside flows.
 */
#include "schema/flowdb_sql.h"

static int64_t or_null(int64_t us)
{
	return us ? us : SQL_NULL;
}

int flowdb_run_begin(struct flowdb *db, const struct run_row *run, int64_t *ret_id,
                     struct err *err)
{
	sqlite3_stmt *stmt;
	int r = changes_flush(db, err); /* they are of the run before */

	if (r >= 0)
		r = sql_slot(
			db, SLOT_RUN_BEGIN,
			"INSERT INTO run (version, source, inputs, filter, roles_unknown, begun_us, keep)"
			" VALUES (?, ?, ?, ?, coalesce(?, ''), nullif(?, 0), ?)",
			&stmt, err);

	if (r < 0)
		return r;
	bind_text(stmt, 1, run->version);
	bind_text(stmt, 2, run->source);
	bind_text(stmt, 3, run->inputs);
	bind_text(stmt, 4, run->filter);
	bind_text(stmt, 5, run->roles_unknown);
	sqlite3_bind_int64(stmt, 6, run->begun_us);
	sqlite3_bind_int(stmt, 7, run->keep);
	r = sql_run(db, stmt, err);
	if (r < 0)
		return r;
	*ret_id = sqlite3_last_insert_rowid(db->sql);
	return 0;
}

int flowdb_run_update(struct flowdb *db, int64_t run, int64_t first_us, int64_t last_us,
                      bool ended, const struct counters *counters, struct err *err)
{
#define X(name) (int64_t) counters->name,
	const int64_t values[] = {run, or_null(first_us), or_null(last_us), ended,
	                          RUN_COUNTERS(X)};
#undef X
	sqlite3_stmt *stmt;
#define X(name) ", " #name
	static const char names[] = RUN_COUNTERS(X);
#undef X
#define X(name) ", ?"
	static const char marks[] = RUN_COUNTERS(X);
#undef X
	char text[1024];
	int r;

	/* ?5 is the first counter, `seen`. */
	snprintf(text, sizeof(text),
	         "UPDATE run SET (first_us, last_us, ended%s) = (?2, ?3, ?4%s),"
	         " packet_us = iif(?5 > coalesce(seen, 0), ?3, packet_us) WHERE id = ?1",
	         names, marks);
	r = sql_slot(db, SLOT_RUN_UPDATE, text, &stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	r = sql_run(db, stmt, err);
	/* With it ends what went on. */
	return r < 0 || !ended ? r : flowdb_blind_end(db, run, err);
}

int flowdb_run_restarts(struct flowdb *db, int64_t run, const struct restarts *more,
                        struct err *err)
{
	const int64_t values[] = {run, (int64_t)more->inspector, (int64_t)more->sensor,
	                          (int64_t)more->recorder};
	sqlite3_stmt *stmt;
	int r = sql_slot(db, SLOT_RUN_RESTARTS,
	                 "UPDATE run SET inspector_restarts = inspector_restarts + ?2,"
	                 " sensor_restarts = sensor_restarts + ?3,"
	                 " recorder_restarts = recorder_restarts + ?4 WHERE id = ?1",
	                 &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	return sql_run(db, stmt, err);
}

int flowdb_live_last(struct flowdb *db, int64_t *ret_us, bool *ret_ended, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "SELECT coalesce(last_us, begun_us) AS us, ended FROM run"
	                    " WHERE source = 'live' AND us IS NOT NULL ORDER BY id DESC LIMIT 1",
	                    &stmt, err);

	if (r >= 0)
		r = sql_step(db, stmt, err);
	if (r > 0) {
		*ret_us = sqlite3_column_int64(stmt, 0);
		*ret_ended = sqlite3_column_int(stmt, 1);
	}
	return r;
}

int flowdb_input_put(struct flowdb *db, int64_t run, const struct input_row *input,
                     struct err *err)
{
	const int64_t values[] = {run,
	                          (int64_t)input->size,
	                          or_null(input->first_us),
	                          or_null(input->last_us),
	                          (int64_t)input->packets,
	                          input->cut};
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db,
		"INSERT INTO input (run, size, first_us, last_us, packets, cut, name, hash, note)"
		" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		&stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	bind_text(stmt, 7, input->name);
	bind_text(stmt, 8, input->hash);
	bind_text(stmt, 9, input->note);
	return sql_run(db, stmt, err);
}

int flowdb_has_input(struct flowdb *db, uint64_t size, const char *hash, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db, "SELECT 1 FROM input WHERE size = ?1 AND hash = coalesce(?2, hash) AND hash <> ''"
		" AND packets > 0 LIMIT 1",
		&stmt, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, (int64_t)size);
	if (hash)
		bind_text(stmt, 2, hash);
	return sql_step(db, stmt, err);
}

int flowdb_policy_put(struct flowdb *db, const char *hash, const char *envelope_text,
                      const char *site_text, int64_t *ret_id, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *put = NULL, *find = NULL;
	int r = sql_prepare(db,
	                    "INSERT INTO policy (hash, envelope, site) VALUES (?, ?, ?)"
	                    " ON CONFLICT DO NOTHING",
	                    &put, err);

	if (r >= 0)
		r = sql_prepare(db, "SELECT id FROM policy WHERE hash = ?1", &find, err);
	if (r < 0)
		return r;
	bind_text(put, 1, hash);
	bind_text(put, 2, envelope_text);
	bind_text(put, 3, site_text);
	r = sql_run(db, put, err);
	if (r < 0)
		return r;
	bind_text(find, 1, hash);
	r = sql_step(db, find, err);
	if (r < 0)
		return r;
	*ret_id = sqlite3_column_int64(find, 0);
	return 0;
}

int flowdb_unit_put(struct flowdb *db, const char *name, const char *profiles, bool listed,
                    int64_t *ret_id, struct err *err)
{
	sqlite3_stmt *put, *find;
	int r = sql_slot(db, SLOT_UNIT_PUT,
	                 "INSERT INTO unit (name, profiles, listed, run)"
	                 " VALUES (?, ?, ?, (SELECT max(id) FROM run))"
	                 " ON CONFLICT (name) DO UPDATE SET profiles = excluded.profiles,"
	                 " listed = excluded.listed, run = excluded.run",
	                 &put, err);

	if (r >= 0)
		r = sql_slot(db, SLOT_UNIT_FIND, "SELECT id FROM unit WHERE name = ?1", &find,
		             err);
	if (r < 0)
		return r;
	bind_text(put, 1, name);
	bind_text(put, 2, profiles);
	sqlite3_bind_int(put, 3, listed);
	r = sql_run(db, put, err);
	if (r < 0)
		return r;
	bind_text(find, 1, name);
	r = sql_step(db, find, err);
	if (r < 0)
		return r;
	*ret_id = sqlite3_column_int64(find, 0);
	sqlite3_reset(find);
	return 0;
}

int flowdb_name_put(struct flowdb *db, const struct name_row *name, struct err *err)
{
	int64_t values[] = {0, 0, 0, 0, name->first_us, name->last_us, name->until_us, name->run,
	                    name->unit ? name->unit : SQL_NULL, name->counted};
	sqlite3_stmt *stmt;
	int r = intern_addr(db, &name->client, &values[0], err);

	if (r >= 0)
		r = intern_addr(db, &name->server, &values[1], err);
	if (r >= 0)
		r = intern_addr(db, &name->address, &values[2], err);
	if (r >= 0)
		r = intern_text(db, INTERN_NAME, name->name, &values[3], err);
	if (r >= 0)
		r = sql_slot(db, SLOT_NAME_WIDEN,
		             "UPDATE name_seen SET last_us = max(last_us, ?6), until_us = max(until_us, ?7)"
		             " WHERE client = ?1 AND address = ?3 AND name = ?4 AND server = ?2"
		             " AND run = ?8 AND unit IS ?9 AND counted = ?10"
		             " AND first_us <= ?5 AND until_us >= ?5",
		             &stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	r = sql_run(db, stmt, err);
	if (r < 0 || sqlite3_changes(db->sql))
		return r;
	r = sql_slot(db, SLOT_NAME_PUT,
	             "INSERT INTO name_seen (client, server, address, name, first_us, last_us, until_us,"
	             " run, unit, counted) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE"
	             " SET last_us = max(last_us, excluded.last_us),"
	             " until_us = max(until_us, excluded.until_us)",
	             &stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	return sql_run(db, stmt, err);
}

int flowdb_row_put(struct flowdb *db, const char *row, struct err *err)
{
	int64_t id;

	return *row ? intern_text(db, INTERN_ROW, row, &id, err) : 0;
}

int flowdb_coverage_add(struct flowdb *db, const struct coverage_row *c, struct err *err)
{
	int64_t values[] = {c->unit,
	                    0,
	                    (int64_t)c->exact,
	                    (int64_t)c->unproven,
	                    (int64_t)c->wide,
	                    (int64_t)c->unanswered,
	                    (int64_t)c->blocked,
	                    (int64_t)c->outside,
	                    or_null(c->first_us),
	                    or_null(c->last_us)};
	sqlite3_stmt *stmt;
	int r;

	if (!c->exact && !c->unproven && !c->wide && !c->unanswered && !c->blocked &&
	    !c->outside)
		return 0;
	r = intern_text(db, INTERN_ROW, c->row, &values[1], err);
	if (r >= 0)
		r = sql_slot(
			db, SLOT_COVERAGE_ADD,
			"INSERT INTO coverage (unit, row, exact, unproven, wide, unanswered, blocked,"
			" outside, first_us, last_us) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
			" ON CONFLICT DO UPDATE SET exact = exact + excluded.exact,"
			" unproven = unproven + excluded.unproven, wide = wide + excluded.wide,"
			" unanswered = unanswered + excluded.unanswered,"
			" blocked = blocked + excluded.blocked, outside = outside + excluded.outside,"
			/* min() and max() of a NULL are NULL: then the other one counts */
			" first_us = coalesce(min(first_us, excluded.first_us), first_us, excluded.first_us),"
			" last_us = coalesce(max(last_us, excluded.last_us), last_us, excluded.last_us)",
			&stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	return sql_run(db, stmt, err);
}
