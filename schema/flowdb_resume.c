/*
 * flowdb_resume.c - see flowdb.h: what a recorder asks for that goes on in the place of a dead one.
 */
#include "schema/flowdb_sql.h"

int flowdb_has_run(struct flowdb *db, int64_t run, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, "SELECT 1 FROM run WHERE id = ?1", &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, &run, 1);
	return sql_step(db, stmt, err);
}

int flowdb_flow_find(struct flowdb *db, int64_t run, int64_t unit, int64_t start_us,
                     uint64_t packet, struct flow_found *ret, struct err *err)
{
	const int64_t values[] = {unit, start_us, run, (int64_t)packet};
	sqlite3_stmt *stmt;
	int r = waiting_flush(db, err);

	if (r >= 0)
		r = sql_slot(db, SLOT_FLOW_FIND,
	                 "SELECT id, finding, bytes_out + bytes_in, application, " FLOW_EVIDENCE " FROM flow f"
	                 " WHERE unit = ?1 AND start_us = ?2 AND run = ?3 AND packet = ?4",
	                 &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	r = sql_step(db, stmt, err);
	if (r <= 0)
		return r;
	*ret = (struct flow_found){
		.id = sqlite3_column_int64(stmt, 0),
		.finding = sqlite3_column_int64(stmt, 1),
		.bytes = (uint64_t)sqlite3_column_int64(stmt, 2),
		.opinion = sqlite3_column_int(stmt, 4) == EVIDENCE_INSPECTED
		                   ? (enum app)sqlite3_column_int(stmt, 3)
		                   : APP_NONE,
	};
	sqlite3_reset(stmt);
	return 1;
}

int flowdb_finding_key(struct flowdb *db, int64_t id, struct finding_row *ret, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "SELECT f.unit, f.kind, f.transport, f.application, x.text, f.remote,"
	                    " f.role, f.port FROM finding f LEFT JOIN envelope_row x ON x.id = f.row"
	                    " WHERE f.id = ?1",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, &id, 1);
	r = sql_step(db, stmt, err);
	if (r <= 0)
		return r;
	*ret = (struct finding_row){
		.unit = sqlite3_column_int64(stmt, 0),
		.kind = (uint8_t)sqlite3_column_int(stmt, 1),
		.transport = (uint8_t)sqlite3_column_int(stmt, 2),
		.app = (uint16_t)sqlite3_column_int(stmt, 3),
	};
	text_copy(ret->row, sizeof(ret->row), column_text(stmt, 4));
	text_copy(ret->remote, sizeof(ret->remote), column_text(stmt, 5));
	text_copy(ret->role, sizeof(ret->role), column_text(stmt, 6));
	text_copy(ret->port, sizeof(ret->port), column_text(stmt, 7));
	return 1;
}

int flowdb_names_held(struct flowdb *db, int64_t run, int64_t at_us, int64_t until_us,
                      int (*each)(void *context, const struct name_row *name, struct err *err),
                      void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	const int64_t values[] = {at_us, run, until_us};
	int r = sql_prepare(db,
	                    "SELECT c.bytes, s.bytes, a.bytes, n.text, x.first_us, x.last_us, x.until_us,"
	                    " x.run, x.unit, x.counted FROM name_seen x JOIN host c ON c.id = x.client"
	                    " JOIN host s ON s.id = x.server JOIN host a ON a.id = x.address"
	                    " JOIN name n ON n.id = x.name WHERE x.until_us >= ?1"
	                    " AND x.first_us <= ?3 AND x.run = coalesce(nullif(?2, 0), x.run)"
	                    " ORDER BY x.run, x.first_us, x.client, x.address, x.name, x.server",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct name_row row = {
			.run = sqlite3_column_int64(stmt, 7),
			.unit = sqlite3_column_int64(stmt, 8),
			.counted = sqlite3_column_int(stmt, 9),
			.name = column_text(stmt, 3),
			.first_us = sqlite3_column_int64(stmt, 4),
			.last_us = sqlite3_column_int64(stmt, 5),
			.until_us = sqlite3_column_int64(stmt, 6),
		};

		column_addr(stmt, 0, &row.client);
		column_addr(stmt, 1, &row.server);
		column_addr(stmt, 2, &row.address);
		r = each(context, &row, err);
		if (r)
			return r < 0 ? r : 0;
	}
	return r;
}

int flowdb_run_findings(struct flowdb *db, int64_t run,
                        int (*each)(void *context, int64_t id, int64_t unit, struct err *err),
                        void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "SELECT id, unit FROM finding WHERE id IN (SELECT finding FROM finding_change"
	                    " WHERE run = ?1) ORDER BY id",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, &run, 1);
	while ((r = sql_step(db, stmt, err)) > 0) {
		r = each(context, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), err);
		if (r < 0)
			return r;
	}
	return r;
}
