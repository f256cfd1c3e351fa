/*
 * flowdb_handover.c - see flowdb.h: where a run stands, in the same transaction as what it has written.
 */
#include "schema/flowdb_sql.h"

int flowdb_handover_put(struct flowdb *db, const struct handover_row *row, const void *sums,
                        size_t sums_len, struct err *err)
{
	const int64_t values[] = {
		row->run,
		(int64_t)row->session,
		(int64_t)row->facts,
		(int64_t)row->opinions,
		(int64_t)row->control,
		(int64_t)row->skip,
	};
	sqlite3_stmt *stmt;
	int r = sql_slot(
		db, SLOT_HANDOVER_PUT,
		"INSERT OR REPLACE INTO handover (run, session, facts, opinions, control,"
		" skip, reads, inputs, sums) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
		&stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	bind_text(stmt, 7, row->reads);
	bind_text(stmt, 8, row->inputs);
	sqlite3_bind_blob(stmt, 9, sums, (int)sums_len, SQLITE_STATIC);
	return sql_run(db, stmt, err);
}

int flowdb_handover_find(struct flowdb *db, uint64_t session, const char *reads,
                         struct handover_row *ret, void *sums, size_t sums_len, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db,
		"SELECT run, session, facts, opinions, control, skip, sums FROM handover"
		" WHERE ((session = ?1 AND ?1 <> 0) OR (reads = ?2 AND reads <> ''))"
		" AND length(sums) = ?3 ORDER BY session = ?1 DESC, run DESC LIMIT 1",
		&stmt, err);
	const void *bytes;

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, (int64_t)session);
	bind_text(stmt, 2, reads);
	sqlite3_bind_int64(stmt, 3, (int64_t)sums_len);
	r = sql_step(db, stmt, err);
	if (r <= 0)
		return r;
	bytes = sqlite3_column_blob(stmt, 6);
	if (!bytes || (size_t)sqlite3_column_bytes(stmt, 6) != sums_len)
		return 0;
	*ret = (struct handover_row){
		.run = sqlite3_column_int64(stmt, 0),
		.session = (uint64_t)sqlite3_column_int64(stmt, 1),
		.facts = (uint64_t)sqlite3_column_int64(stmt, 2),
		.opinions = (uint64_t)sqlite3_column_int64(stmt, 3),
		.control = (uint64_t)sqlite3_column_int64(stmt, 4),
		.skip = (uint64_t)sqlite3_column_int64(stmt, 5),
		.reads = "",
		.inputs = "",
	};
	memcpy(sums, bytes, sums_len);
	return 1;
}

static int run_of_two(struct flowdb *db, const char *text, int64_t run, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, text, &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, &run, 1);
	return sql_run(db, stmt, err);
}

int flowdb_handover_drop(struct flowdb *db, int64_t run, struct err *err)
{
	int r = flowdb_held_clear(db, run, err);

	return r < 0 ? r : run_of_two(db, "DELETE FROM handover WHERE run = ?1", run, err);
}

int flowdb_handover_reads(struct flowdb *db, uint64_t size, const char *hash, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db,
		"SELECT run FROM handover WHERE instr(inputs, printf('%lld:%s,', ?1, ?2))"
		" AND ?2 <> '' LIMIT 1",
		&stmt, err);

	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, (int64_t)size);
	bind_text(stmt, 2, hash);
	return sql_step(db, stmt, err);
}

int flowdb_handover_forget(struct flowdb *db, uint64_t session, uint64_t size, const char *hash,
                           struct err *err)
{
#define DEAD \
	" handover WHERE session <> ?1 AND (reads = ''" \
	" OR (?3 <> '' AND instr(inputs, printf('%lld:%s,', ?2, ?3))))"
	static const char *const TEXTS[] = {
		"DELETE FROM held WHERE run IN (SELECT run FROM" DEAD ")",
		"DELETE FROM" DEAD,
	};
#undef DEAD
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(TEXTS) && r >= 0; i++) {
		CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;

		r = sql_prepare(db, TEXTS[i], &stmt, err);
		if (r < 0)
			break;
		sqlite3_bind_int64(stmt, 1, (int64_t)session);
		sqlite3_bind_int64(stmt, 2, (int64_t)size);
		bind_text(stmt, 3, hash);
		r = sql_run(db, stmt, err);
	}
	return r;
}

/* ------------------------------------------------------- flows whose last word waits */

int flowdb_held_clear(struct flowdb *db, int64_t run, struct err *err)
{
	return run_of_two(db, "DELETE FROM held WHERE run = ?1", run, err);
}

int flowdb_held_put(struct flowdb *db, int64_t run, enum app opinion, unsigned marks,
                    const struct event *event, struct err *err)
{
	const int64_t values[] = {run, opinion, marks};
	sqlite3_stmt *stmt;
	int r = sql_slot(db, SLOT_HELD_PUT,
	                 "INSERT INTO held (run, opinion, marks, event) VALUES (?, ?, ?, ?)",
	                 &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	sqlite3_bind_blob(stmt, 4, event, (int)event->len, SQLITE_STATIC);
	return sql_run(db, stmt, err);
}

int flowdb_held(struct flowdb *db, int64_t run,
                int (*each)(void *context, enum app opinion, unsigned marks,
                            const struct event *event, struct err *err),
                void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "SELECT opinion, marks, event FROM held WHERE run = ?1 ORDER BY id",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, &run, 1);
	while ((r = sql_step(db, stmt, err)) > 0) {
		_Alignas(8) uint8_t copy[EVENT_MAX];
		int opinion = sqlite3_column_int(stmt, 0);
		size_t len = (size_t)sqlite3_column_bytes(stmt, 2);
		const void *bytes = sqlite3_column_blob(stmt, 2);

		if (!bytes || len < sizeof(struct event) || len > sizeof(copy) || opinion < 0 ||
		    opinion >= APP_COUNT)
			continue; /* none of ours wrote that */
		memcpy(copy, bytes, len);
		if (event_check((const struct event *)(const void *)copy, len) < 0)
			continue;
		r = each(context, (enum app)opinion, (unsigned)sqlite3_column_int(stmt, 1),
		         (const struct event *)(const void *)copy, err);
		if (r < 0)
			return r;
	}
	return r;
}
