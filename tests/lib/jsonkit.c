/*
 * jsonkit.c - see jsonkit.h. What fails here ends the program: a test cannot go on.
 */
#include "tests/lib/jsonkit.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The one value that `sql` gives of (text, path); NULL for NULL. */
static const char *ask(const char *sql, const char *text, const char *path, char *buf,
                       size_t size)
{
	const char *value;
	sqlite3_stmt *stmt;
	sqlite3 *db;

	if (sqlite3_open(":memory:", &db) || sqlite3_prepare_v2(db, sql, -1, &stmt, NULL)) {
		fprintf(stderr, "jsonkit: %s\n", sqlite3_errmsg(db));
		exit(70);
	}
	sqlite3_bind_text(stmt, 1, text, -1, SQLITE_STATIC);
	sqlite3_bind_text(stmt, 2, path, -1, SQLITE_STATIC);
	value = sqlite3_step(stmt) == SQLITE_ROW ? (const char *)sqlite3_column_text(stmt, 0)
	                                         : NULL;
	if (value)
		snprintf(buf, size, "%s", value);
	sqlite3_finalize(stmt);
	sqlite3_close(db);
	return value ? buf : NULL;
}

bool jsonkit_valid(const char *text)
{
	char buf[8];

	return !strcmp(ask("SELECT json_valid(?1)", text, "", buf, sizeof(buf)), "1");
}

const char *jsonkit_get(const char *text, const char *path, char *buf, size_t size)
{
	return ask("SELECT json_extract(?1, ?2)", text, path, buf, size);
}

bool jsonkit_is(const char *text, const char *path, const char *want)
{
	char buf[4096];
	const char *is = jsonkit_get(text, path, buf, sizeof(buf));

	if (want ? is && !strcmp(want, is) : !is)
		return true;
	fprintf(stderr, "%s is %s, not %s, in %s\n", path, is ? is : "absent",
	        want ? want : "absent", text);
	return false;
}
