/*
 * flowdb_policy.c - see flowdb.h, flowdb_query.h: the policies that flows were judged by, and from when on.
 */
#include "schema/flowdb_sql.h"

int flowdb_policy_use(struct flowdb *db, const struct policy_use_row *use, struct err *err)
{
	const int64_t values[] = {use->policy, use->run ? use->run : SQL_NULL,
	                          use->from_us ? use->from_us : SQL_NULL,
	                          use->at_us ? use->at_us : SQL_NULL};
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "INSERT INTO policy_use (policy, run, from_us, at_us, by_whom)"
	                    " VALUES (?, ?, ?, ?, ?)",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	bind_text(stmt, 5, use->by_whom ? use->by_whom : "");
	return sql_run(db, stmt, err);
}

int flowdb_policy_uses(struct flowdb *db,
                       int (*each)(void *context, const struct policy_use_view *use,
                                   struct err *err),
                       void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "SELECT u.id, p.hash, u.policy, u.run, u.from_us, u.at_us, u.by_whom"
	                    " FROM policy_use u JOIN policy p ON p.id = u.policy ORDER BY u.id",
	                    &stmt, err);

	if (r < 0)
		return r;
	while ((r = sql_step(db, stmt, err)) > 0) {
		const struct policy_use_view view = {
			.id = sqlite3_column_int64(stmt, 0),
			.hash = column_text(stmt, 1),
			.row = {.policy = sqlite3_column_int64(stmt, 2),
		                .run = sqlite3_column_int64(stmt, 3),
		                .from_us = sqlite3_column_int64(stmt, 4),
		                .at_us = sqlite3_column_int64(stmt, 5),
		                .by_whom = column_text(stmt, 6)},
		};

		r = each(context, &view, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_policy_text(struct flowdb *db, const char *hash,
                       int (*each)(void *context, const struct policy_text *text,
                                   struct err *err),
                       void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	struct policy_text text;
	size_t len = strlen(hash);
	int r;

	if (len < 4 || len > 64 || strspn(hash, "0123456789abcdef") != len)
		return 0;
	r = sql_prepare(db,
	                "SELECT id, hash, envelope, site, count(*) OVER () FROM policy"
	                " WHERE substr(hash, 1, ?2) = ?1 LIMIT 1",
	                &stmt, err);
	if (r < 0)
		return r;
	bind_text(stmt, 1, hash);
	sqlite3_bind_int64(stmt, 2, (int64_t)len);
	r = sql_step(db, stmt, err);
	if (r <= 0)
		return r;
	if (sqlite3_column_int(stmt, 4) > 1)
		return err_set(err, -EINVAL, "policy %s: %d recorded ones begin so; say more of it",
		               hash, sqlite3_column_int(stmt, 4));
	text = (struct policy_text){.id = sqlite3_column_int64(stmt, 0),
	                            .hash = column_text(stmt, 1),
	                            .envelope = column_text(stmt, 2),
	                            .site = column_text(stmt, 3)};
	r = each(context, &text, err);
	return r < 0 ? r : 1;
}
