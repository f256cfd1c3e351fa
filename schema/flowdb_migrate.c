/*
 * flowdb_migrate.c - whose a database is and of which version; the first tables, and the steps from older ones.
 */
#include "schema/flowdb_sql.h"

#include <fcntl.h>
#include <unistd.h>

/* schema/flowdb.sql and the steps that lead there from older versions, as they are. */
__asm__(".pushsection .rodata\n"
        "flowdb_tables: .incbin \"schema/flowdb.sql\"\n"
        ".byte 0\n"
        "flowdb_1_to_2: .incbin \"schema/migrate/1-to-2.sql\"\n"
        ".byte 0\n"
        "flowdb_2_to_3: .incbin \"schema/migrate/2-to-3.sql\"\n"
        ".byte 0\n"
        "flowdb_3_to_4: .incbin \"schema/migrate/3-to-4.sql\"\n"
        ".byte 0\n"
        "flowdb_4_to_5: .incbin \"schema/migrate/4-to-5.sql\"\n"
        ".byte 0\n"
        ".popsection\n");
extern const char flowdb_tables[], flowdb_1_to_2[], flowdb_2_to_3[], flowdb_3_to_4[],
	flowdb_4_to_5[];

/* STEPS[n] takes a database from version n to n + 1. */
static const char *const STEPS[FLOWDB_VERSION] = {
	[1] = flowdb_1_to_2, [2] = flowdb_2_to_3, [3] = flowdb_3_to_4,
	[4] = flowdb_4_to_5};

/* Whose it is and how old. *ret_version 0: empty, nobody's yet. */
int check_owner(struct flowdb *db, int64_t *ret_version, struct err *err)
{
	int64_t application = 0, version = 0, objects = 0;
	int r = sql_number(db, "PRAGMA application_id", &application, err);

	if (r >= 0)
		r = sql_number(db, "PRAGMA user_version", &version, err);
	if (r >= 0)
		r = sql_number(db, "SELECT count(*) FROM sqlite_schema", &objects, err);
	if (r < 0)
		return r;
	if (!application && !version && !objects) {
		*ret_version = 0;
		return 0;
	}
	if (application != FLOWDB_APPLICATION)
		return err_set(
			err, -EINVAL,
			"%s: a database of another program (application_id 0x%08llx, ours is "
			"0x%08x); name another directory with -l",
			db->path, (long long)application, FLOWDB_APPLICATION);
	if (version < 1 || version > FLOWDB_VERSION)
		return err_set(
			err, -EINVAL,
			"%s: version %lld, written by a newer tlmon; this one knows up to %d. "
			"Upgrade tlmon, or name another directory with -l",
			db->path, (long long)version, FLOWDB_VERSION);
	*ret_version = version;
	return 0;
}

/* A step that rebuilt a table must have left nothing that refers to what is gone. */
static int check_references(struct flowdb *db, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, "PRAGMA foreign_key_check", &stmt, err);

	if (r >= 0)
		r = sql_step(db, stmt, err);
	if (r <= 0)
		return r;
	return err_set(err, -EBADMSG,
	               "%s: row %lld of table %s refers to a row of %s that is not there; it stays "
	               "as the older tlmon wrote it. Name another directory with -l",
	               db->path, (long long)sqlite3_column_int64(stmt, 1),
	               (const char *)sqlite3_column_text(stmt, 0),
	               (const char *)sqlite3_column_text(stmt, 2));
}

/*
 * All steps in one transaction: a database is of one version or another, never between. An empty
 * one (version 0) is made as the latest.
 */
static int take_steps(struct flowdb *db, int64_t version, struct err *err)
{
	bool old = version > 0 && version < FLOWDB_VERSION;
	char pragmas[96];
	int r = sql_exec(db, "BEGIN IMMEDIATE", err);

	if (r >= 0 && !version) {
		r = sql_exec(db, flowdb_tables, err);
		version = FLOWDB_VERSION;
	}
	for (; r >= 0 && version < FLOWDB_VERSION; version++)
		r = sql_exec(db, STEPS[version], err);
	if (r >= 0 && old)
		r = check_references(db, err);
	if (r >= 0)
		r = flowdb_put_words(db, err);
	snprintf(pragmas, sizeof(pragmas),
	         "PRAGMA application_id = %d; PRAGMA user_version = %d", FLOWDB_APPLICATION,
	         FLOWDB_VERSION);
	if (r >= 0)
		r = sql_exec(db, pragmas, err);
	if (r >= 0)
		r = sql_exec(db, "COMMIT", err);
	if (r < 0)
		flowdb_rollback(db);
	return r;
}

/*
 * Foreign keys cannot be switched within a transaction. They are off while a table is rebuilt, and stay off: what we
 * write refers to ids that we have just looked up, and what hangs from a row goes by triggers (flowdb.sql).
 */
int migrate(struct flowdb *db, int64_t version, struct err *err)
{
	int r = sql_exec(db, "PRAGMA foreign_keys = OFF; PRAGMA legacy_alter_table = ON", err);

	if (r >= 0)
		r = take_steps(db, version, err);
	return r < 0 ? r : sql_exec(db, "PRAGMA legacy_alter_table = OFF", err);
}

int64_t version_in_head(const char *path)
{
	CLEANUP(closep) int fd = open(path, O_RDONLY | O_CLOEXEC);
	uint8_t head[72];

	/* Of the SQLite file format: user_version at 60, application_id at 68, both big-endian. */
	if (fd < 0 || pread(fd, head, sizeof(head), 0) != sizeof(head) ||
	    (head[68] << 24 | head[69] << 16 | head[70] << 8 | head[71]) != FLOWDB_APPLICATION)
		return 0;
	return (int64_t)head[60] << 24 | head[61] << 16 | head[62] << 8 | head[63];
}
