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
	int r = sql_slot(
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

/* The id of a row's text; SQL_NULL for "". */
static int row_id(struct flowdb *db, const char *row, int64_t *ret_id, struct err *err)
{
	*ret_id = SQL_NULL;
	return *row ? intern_text(db, INTERN_ROW, row, ret_id, err) : 0;
}

int flowdb_row_put(struct flowdb *db, const char *row, struct err *err)
{
	int64_t id;

	return row_id(db, row, &id, err);
}

int flowdb_finding_latest(struct flowdb *db, int64_t finding, int64_t *ret_us, struct err *err)
{
	int r = waiting_flush(db, err);

	if (r >= 0)
		r = sql_ask_slot(db, SLOT_FINDING_LATEST,
		                 "SELECT coalesce(max(start_us), 0) FROM flow WHERE finding = ?1",
		                 &finding, 1, ret_us, err);

	return r < 0 ? r : 0;
}

int flowdb_finding_find(struct flowdb *db, const struct finding_row *key,
                        struct finding_row *ret, int64_t *ret_id, struct err *err)
{
	int64_t values[] = {key->unit, key->kind, 0, key->transport, key->app};
	sqlite3_stmt *stmt;
	int r = row_id(db, key->row, &values[2], err);

	if (r >= 0)
		r = sql_slot(
			db, SLOT_FINDING_FIND,
			"SELECT id, severity, first_us, last_us, flows, kept, bytes, open, reason, waiver"
			" FROM finding WHERE unit = ?1 AND kind = ?2 AND coalesce(row, 0) = coalesce(?3, 0)"
			" AND transport = ?4 AND application = ?5 AND remote = ?6 AND role = ?7 AND port = ?8",
			&stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	bind_text(stmt, 6, key->remote);
	bind_text(stmt, 7, key->role);
	bind_text(stmt, 8, key->port);
	r = sql_step(db, stmt, err);
	if (r <= 0)
		return r;
	*ret = *key;
	*ret_id = sqlite3_column_int64(stmt, 0);
	ret->severity = (uint8_t)sqlite3_column_int(stmt, 1);
	ret->first_us = sqlite3_column_int64(stmt, 2);
	ret->last_us = sqlite3_column_int64(stmt, 3);
	ret->flows = (uint64_t)sqlite3_column_int64(stmt, 4);
	ret->kept = (uint64_t)sqlite3_column_int64(stmt, 5);
	ret->bytes = (uint64_t)sqlite3_column_int64(stmt, 6);
	ret->open = sqlite3_column_int(stmt, 7);
	text_copy(ret->reason, sizeof(ret->reason), (const char *)sqlite3_column_text(stmt, 8));
	text_copy(ret->waiver, sizeof(ret->waiver), (const char *)sqlite3_column_text(stmt, 9));
	sqlite3_reset(stmt);
	return 1;
}

int flowdb_finding_number(struct flowdb *db, int64_t *ret_id, struct err *err)
{
	if (!db->finding_last) {
		int r = sql_ask_slot(db, SLOT_FINDING_LAST,
		                     "SELECT seq FROM sqlite_sequence WHERE name = 'finding'", NULL, 0,
		                     &db->finding_last, err);

		if (!r) /* the first one of all */
			r = sql_exec(db, "INSERT INTO sqlite_sequence (name, seq)"
			             " VALUES ('finding_change', 0), ('finding', 0)",
			             err);
		if (r < 0)
			return r;
	}
	*ret_id = ++db->finding_last;
	return 0;
}

/* What its key says of a finding never changes: neither does its place in the index. */
static int finding_update(struct flowdb *db, const struct finding_row *f, int64_t id,
                          struct err *err)
{
	const int64_t values[] = {
		id,
		f->severity,
		f->first_us,
		f->last_us,
		(int64_t)f->flows,
		(int64_t)f->kept,
		(int64_t)f->bytes,
		f->open,
	};
	sqlite3_stmt *stmt;
	int r = sql_slot(db, SLOT_FINDING_UPDATE,
	                 "UPDATE finding SET severity = ?2, first_us = ?3, last_us = ?4, flows = ?5,"
	                 " kept = ?6, bytes = ?7, open = ?8, reason = ?9, waiver = ?10 WHERE id = ?1",
	                 &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	bind_text(stmt, 9, f->reason);
	bind_text(stmt, 10, f->waiver);
	r = sql_run(db, stmt, err);
	return r < 0 ? r : sqlite3_changes(db->sql);
}

static int finding_insert(struct flowdb *db, const struct finding_row *f, int64_t id,
                          struct err *err)
{
	int64_t values[] = {
		id,
		f->unit,
		f->kind,
		f->severity,
		0,
		f->transport,
		f->app,
		f->first_us,
		f->last_us,
		(int64_t)f->flows,
		(int64_t)f->kept,
		(int64_t)f->bytes,
		f->open,
	};
	sqlite3_stmt *stmt;
	int r = row_id(db, f->row, &values[4], err);

	if (r >= 0)
		r = sql_slot(
			db, SLOT_FINDING_PUT,
			"INSERT INTO finding (id, unit, kind, severity, row, transport, application,"
			" first_us, last_us, flows, kept, bytes, open, remote, role, port, reason, waiver)"
			" VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
			&stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	bind_text(stmt, 14, f->remote);
	bind_text(stmt, 15, f->role);
	bind_text(stmt, 16, f->port);
	bind_text(stmt, 17, f->reason);
	bind_text(stmt, 18, f->waiver);
	return sql_run(db, stmt, err);
}

int flowdb_finding_put(struct flowdb *db, const struct finding_row *f, int64_t *id,
                       struct err *err)
{
	int r = *id ? finding_update(db, f, *id, err) : flowdb_finding_number(db, id, err);

	return r ? r < 0 ? r : 0 : finding_insert(db, f, *id, err);
}

int flowdb_finding_fold(struct flowdb *db, int64_t from, int64_t into, struct err *err)
{
	const int64_t values[] = {from, into};
	sqlite3_stmt *stmt;
	int r = sql_slot(db, SLOT_FINDING_FOLD,
	                 "UPDATE flow SET finding = ?2 WHERE finding = ?1", &stmt, err);

	if (r < 0)
		return r;
	waiting_fold(db, from, into);
	bind_all(stmt, values, ARRAY_LEN(values));
	r = sql_run(db, stmt, err);
	return r < 0 ? r : flowdb_evidence_fold(db, from, into, err);
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
