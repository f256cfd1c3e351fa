/*
 * flowdb_twice.c - see flowdb_sql.h: a database asked together with an archive of its own. Flows are in one of the
 * two; coverage, media ports, findings, and what lasted beyond the time of the archive are in both, and those of the
 * archive do not count again.
 */
#include "schema/flowdb_sql.h"

/* The runs of an archive are those of its database, with their numbers; so are the policies. */
static int has_runs_of(struct flowdb *archive, struct flowdb *whole, bool *ret, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL, *same = NULL;
	int r = sql_prepare(archive, "SELECT id, source, inputs, coalesce(begun_us, 0) FROM run",
	                    &stmt, err);

	if (r >= 0)
		r = sql_prepare(whole,
		                "SELECT 1 FROM run WHERE id = ?1 AND source = ?2 AND inputs = ?3"
		                " AND coalesce(begun_us, 0) = ?4",
		                &same, err);
	*ret = false;
	while (r >= 0 && (r = sql_step(archive, stmt, err)) > 0) {
		for (int i = 0; i < 4; i++)
			sqlite3_bind_value(same, i + 1, sqlite3_column_value(stmt, i));
		r = sql_step(whole, same, err);
		*ret = r > 0;
		if (r <= 0)
			return r;
		sqlite3_reset(same);
	}
	return r;
}

static int removed_how(struct flowdb *db, int how, int64_t *ret_us, struct err *err)
{
	const int64_t value = how;

	return sql_ask(db, "SELECT coalesce(since_us, until_us) FROM removed WHERE how = ?1", &value,
	               1, ret_us, err);
}

int twice_find(struct flowdb *first, struct err *err)
{
	for (struct flowdb *db = first; db; db = db->next) {
		int64_t us, other_us;
		int r = removed_how(db, 3, &us, err);

		for (struct flowdb *other = first; other && r > 0 && !db->whole;
		     other = other->next) {
			bool same = false;
			int has = other == db ? 0 : removed_how(other, 2, &other_us, err);

			if (has > 0)
				has = has_runs_of(db, other, &same, err);
			if (has < 0)
				return has;
			if (same) {
				db->whole = other;
				db->whole_from_us = us;
				db->next_archive = other->archives;
				other->archives = db;
			}
		}
		if (r < 0)
			return r;
	}
	return 0;
}

/* Ids that the query gives in the whole database are taken into temp.told of the archive, or out of it. */
static int tell(struct flowdb *archive, const char *text, const struct flow_query *query, bool take,
                struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL, *put = NULL;
	int r = sql_prepare(archive->whole, text, &stmt, err);

	if (r >= 0)
		r = sql_prepare(archive,
		                take ? "INSERT OR IGNORE INTO temp.told VALUES (?1)"
		                     : "DELETE FROM temp.told WHERE id = ?1",
		                &put, err);
	if (r < 0)
		return r;
	query_bind(stmt, query);
	while ((r = sql_step(archive->whole, stmt, err)) > 0) {
		sqlite3_bind_int64(put, 1, sqlite3_column_int64(stmt, 0));
		r = sql_run(archive, put, err);
		if (r < 0)
			return r;
	}
	return r;
}

static int fill_told(struct flowdb *archive, const struct finding_query *query, struct err *err)
{
	struct finding_query own = *query;
	char text[WHERE_MAX];
	int r = sql_exec(archive,
	                 "PRAGMA temp_store = MEMORY;"
	                 "CREATE TEMP TABLE IF NOT EXISTS told (id INTEGER PRIMARY KEY);"
	                 "DELETE FROM temp.told",
	                 err);

	if (r >= 0)
		r = tell(archive, "SELECT id FROM finding", &query->flow, true, err);
	/* One that would be told but for its flows may have them in the archive. */
	own.flow.since_us = own.flow.until_us = 0;
	own.flow.peer = (struct prefix){0};
	own.flow.peer_name = NULL;
	own.flow.port_high = 0;
	own.flow.filter = NULL;
	own.flow.media = own.flow.direction = own.flow.outcome = 0;
	own.flow.blind = false;
	snprintf(text, sizeof(text), "SELECT g.id FROM finding g WHERE 1");
	query_findings(archive->whole, text, &own);
	if (r >= 0)
		r = tell(archive, text, &query->flow, false, err);
	snprintf(text, sizeof(text), "SELECT g.id FROM finding g WHERE 1");
	query_findings(archive->whole, text, query);
	return r < 0 ? r : tell(archive, text, &query->flow, true, err);
}

int twice_findings(struct flowdb *first, struct flowdb *db, char *where,
                   const struct finding_query *query, struct err *err)
{
	query_findings(db, where, query);
	while (first && first != db->whole)
		first = first->next;
	if (!db->whole || !first)
		return 0;
	text_add(where, WHERE_MAX, " AND g.id NOT IN (SELECT id FROM temp.told)");
	return fill_told(db, query, err);
}

const struct flowdb *flowdb_origin(const struct flowdb *db)
{
	return db->whole ? db->whole : db;
}
