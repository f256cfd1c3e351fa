/*
 * flowdb_finding_put.c - see flowdb.h: what the recorder writes and asks of findings.
 */
#include "schema/flowdb_sql.h"

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
	int64_t values[] = {key->unit, key->kind, SQL_NULL, key->transport, key->app};
	sqlite3_stmt *stmt;
	int r = changes_have(db, key) ? changes_flush(db, err) : 0;

	if (r >= 0 && *key->row)
		r = intern_text(db, INTERN_ROW, key->row, &values[2], err);
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
