/*
 * flowdb_rejudge.c - see flowdb.h: what is written when recorded flows are judged again.
 */
#include "schema/flowdb_sql.h"

int flowdb_flow_ids(struct flowdb *db,
                    int (*each)(void *context, int64_t id, struct err *err), void *context,
                    struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, "SELECT id FROM flow ORDER BY id", &stmt, err);

	while (r >= 0 && (r = sql_step(db, stmt, err)) > 0) {
		r = each(context, sqlite3_column_int64(stmt, 0), err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_flow_policy(struct flowdb *db, int64_t id, int64_t policy, struct err *err)
{
	const int64_t values[] = {id, policy};
	sqlite3_stmt *stmt;
	int r = sql_slot(db, SLOT_FLOW_POLICY, "UPDATE flow SET policy = ?2 WHERE id = ?1", &stmt,
	                 err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	return sql_run(db, stmt, err);
}

int flowdb_coverage_less(struct flowdb *db, const struct coverage_row *c, struct err *err)
{
	int64_t values[] = {c->unit, 0, (int64_t)c->exact, (int64_t)c->unproven, (int64_t)c->wide,
	                    (int64_t)c->unanswered, (int64_t)c->blocked, (int64_t)c->outside};
	sqlite3_stmt *stmt;
	int r;

	if (!c->exact && !c->unproven && !c->wide && !c->unanswered && !c->blocked &&
	    !c->outside)
		return 0;
	r = intern_text(db, INTERN_ROW, c->row, &values[1], err);
	if (r >= 0)
		r = sql_slot(db, SLOT_COVERAGE_LESS,
		             "UPDATE coverage SET exact = max(exact - ?3, 0),"
		             " unproven = max(unproven - ?4, 0), wide = max(wide - ?5, 0),"
		             " unanswered = max(unanswered - ?6, 0), blocked = max(blocked - ?7, 0),"
		             " outside = max(outside - ?8, 0) WHERE unit = ?1 AND row = ?2",
		             &stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	return sql_run(db, stmt, err);
}

int flowdb_coverage_settle(struct flowdb *db, struct err *err)
{
	return sql_exec(db,
	                "DELETE FROM coverage WHERE exact + unproven + wide + unanswered + blocked"
	                " + outside = 0;"
	                "UPDATE coverage SET first_us = NULL, last_us = NULL"
	                " WHERE exact + unproven + wide = 0 AND first_us IS NOT NULL",
	                err);
}

int flowdb_newest_change(struct flowdb *db, int64_t *ret_id, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, "SELECT coalesce(max(id), 0) FROM finding_change", &stmt, err);

	if (r >= 0)
		r = sql_step(db, stmt, err);
	if (r > 0)
		*ret_id = sqlite3_column_int64(stmt, 0);
	return r < 0 ? r : 0;
}

/* Of each finding with a newer change: the state it had before, and the one it has now. */
#define CHANGED \
	"SELECT (SELECT c.state FROM finding_change c WHERE c.finding = f.id AND c.id <= ?1" \
	" ORDER BY c.id DESC LIMIT 1) AS was, iif(f.open, iif(f.waiver = '', 1, 2), 3) AS now" \
	" FROM finding f WHERE f.id IN (SELECT finding FROM finding_change WHERE id > ?1)"

int flowdb_changes_by(struct flowdb *db, int64_t after, const struct finding_judgement *by,
                      struct finding_turns *ret, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *put = NULL, *count = NULL;
	int r = sql_prepare(db,
	                    "UPDATE finding_change SET by_whom = ?2, why = ?3, at_us = ?4"
	                    " WHERE id > ?1",
	                    &put, err);

	if (r >= 0)
		r = sql_prepare(db,
		                "SELECT count(*) FILTER (WHERE now = 1),"
		                " count(*) FILTER (WHERE now = 2),"
		                " count(*) FILTER (WHERE now = 3 AND was) FROM (" CHANGED
		                ") WHERE now IS NOT was",
		                &count, err);
	if (r < 0)
		return r;
	sqlite3_bind_int64(put, 1, after);
	bind_text(put, 2, by->by_whom);
	bind_text(put, 3, by->why);
	sqlite3_bind_int64(put, 4, by->at_us);
	r = sql_run(db, put, err);
	if (r < 0)
		return r;
	sqlite3_bind_int64(count, 1, after);
	r = sql_step(db, count, err);
	if (r > 0)
		*ret = (struct finding_turns){
			.opened = (uint64_t)sqlite3_column_int64(count, 0),
			.waived = (uint64_t)sqlite3_column_int64(count, 1),
			.closed = (uint64_t)sqlite3_column_int64(count, 2),
		};
	return r < 0 ? r : 0;
}
