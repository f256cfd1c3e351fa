/*
 * flowdb_stats.c - see flowdb_upkeep.h: where the bytes are, and what is wrong with them.
 */
#include "schema/flowdb_upkeep.h"
#include "schema/flowdb_sql.h"

#define WRONG_MAX 100 /* told of one kind */
#define TOLD_STEPS 100000

struct telling {
	const struct upkeep_progress *progress;
	const char *doing;
	uint64_t done, all;
};

static int tell_on(void *context)
{
	const struct telling *telling = context;

	upkeep_tell(telling->progress, telling->doing, telling->done, telling->all);
	return 0;
}

/* ------------------------------------------------------------------- stats */

struct question {
	const char *doing;
	enum stat_part part;
	const char *text; /* gives name, rows or NULL, bytes */
};

static const struct question STATS[] = {
	{"reading pages", STAT_TABLE,
         "SELECT s.name, NULL, s.pgsize FROM dbstat s JOIN sqlite_schema m ON m.name = s.name"
         " WHERE s.aggregate = 1 AND m.type = 'table' ORDER BY 3 DESC, 1"},
	{"reading pages", STAT_INDEX,
         "SELECT s.name, NULL, s.pgsize FROM dbstat s JOIN sqlite_schema m ON m.name = s.name"
         " WHERE s.aggregate = 1 AND m.type = 'index' ORDER BY 3 DESC, 1"},
	{"counting days", STAT_DAY,
         "SELECT strftime('%Y-%m-%d', day * 86400, 'unixepoch'), n, 0 FROM (SELECT"
         " start_us / 86400000000 AS day, count(*) AS n FROM flow GROUP BY 1) ORDER BY day"},
	{"counting units", STAT_UNIT,
         "SELECT u.name, sum(t.flows), 0 FROM unit u JOIN tally t ON t.unit = u.id"
         " GROUP BY u.id ORDER BY 2 DESC, 1"},
};

static int ask_stats(struct flowdb *db, const struct question *question,
                     int (*each)(void *context, const struct stat_row *row, struct err *err),
                     void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, question->text, &stmt, err);

	while (r >= 0 && (r = sql_step(db, stmt, err)) > 0) {
		struct stat_row row = {
			.part = question->part,
			.name = column_text(stmt, 0),
			.rows = sqlite3_column_int64(stmt, 1),
			.bytes = (uint64_t)sqlite3_column_int64(stmt, 2),
		};

		/* One that SQLite keeps for itself has no row number of ours. */
		if (question->part == STAT_INDEX)
			row.rows = -1;
		if (question->part == STAT_TABLE) {
			char text[256];

			snprintf(text, sizeof(text), "SELECT count(*) FROM \"%.200s\"",
			         row.name);
			r = sql_ask(db, text, NULL, 0, &row.rows, err);
		}
		if (r >= 0)
			r = each(context, &row, err);
		if (r < 0)
			return r;
	}
	return r;
}

int flowdb_stats(struct flowdb *db, const struct upkeep_progress *progress,
                 int (*each)(void *context, const struct stat_row *row, struct err *err),
                 void *context, struct err *err)
{
	struct telling telling = {.progress = progress, .all = ARRAY_LEN(STATS)};
	int r = 0;

	sqlite3_progress_handler(db->sql, TOLD_STEPS, tell_on, &telling);
	for (size_t i = 0; i < ARRAY_LEN(STATS) && r >= 0; i++) {
		telling.doing = STATS[i].doing;
		telling.done = i;
		r = ask_stats(db, &STATS[i], each, context, err);
	}
	sqlite3_progress_handler(db->sql, 0, NULL, NULL);
	return r < 0 ? r : 0;
}

/* ------------------------------------------------------------------ verify */

/* Each gives a sentence for each thing that is wrong. */
/* 2^53: three hundred years in microseconds. */
#define TOO_LARGE(name, id, table, columns) \
	"SELECT printf('" name ": a number of it is too large', " id ") FROM " table \
	" WHERE max(" columns ") > 9007199254740992"

static const struct {
	const char *doing, *text;
} CHECKS[] = {
	{"pages and indices",
         "SELECT 'SQLite: ' || integrity_check FROM pragma_integrity_check(100)"
         " WHERE integrity_check <> 'ok'"},
	{"references",
         "SELECT printf('%s: row %s refers to a row of %s that is not there', \"table\","
         " coalesce(rowid, '?'), parent) FROM pragma_foreign_key_check"},
	/* Added up they would overflow, which ends a query. */
	{"numbers",
         TOO_LARGE("flow %d", "id", "flow", "abs(start_us / 2), lasted_us, packets_out, packets_in, bytes_out, bytes_in")
         " UNION ALL " TOO_LARGE("F%d", "id", "finding", "flows, kept, bytes, abs(first_us / 2), abs(last_us / 2)")
         " UNION ALL " TOO_LARGE("what is counted of flows of unit %d", "unit", "tally", "flows, 0")
         " UNION ALL " TOO_LARGE("coverage of unit %d", "unit", "coverage",
                                 "exact, unproven, wide, unanswered, blocked, outside")
         " UNION ALL " TOO_LARGE("blind interval %d", "id", "blind",
                                 "abs(since_us / 2), coalesce(until_us, 0), count")
         " UNION ALL " TOO_LARGE("run %d", "id", "run",
                                 "coalesce(first_us, 0), coalesce(last_us, 0), coalesce(seen, 0),"
                                 " coalesce(bytes, 0), coalesce(kernel_dropped, 0)")},
	{"rows that tie",
         "SELECT printf('flow %d: its set of rows is not there', id) FROM flow f"
         " WHERE " FLOW_ROW_SET " NOT NULL AND " FLOW_ROW_SET
         " NOT IN (SELECT id FROM row_set)"},
	{"flows",
         "SELECT printf('flow %d: it ends before it begins', id) FROM flow WHERE lasted_us < 0"},
	{"rows of findings",
         "SELECT printf('F%d: %d rows are kept, and there are %d', id, kept, n) FROM (SELECT id, kept,"
         " (SELECT count(*) FROM flow WHERE flow.finding = finding.id) AS n FROM finding)"
         " WHERE kept <> n"},
	{"counts of findings",
         "SELECT printf('F%d: %d flows, and %d rows of them', id, flows, kept) FROM finding"
         " WHERE kept > flows"},
	{"flows of packets kept",
         "SELECT printf('F%d: packets of %d flows are kept that are no flows of it', id, n - (flows - kept))"
         " FROM (SELECT g.id, g.flows, g.kept, (SELECT count(*) FROM (SELECT DISTINCT e.run, e.flow"
         " FROM evidence e WHERE e.finding = g.id AND e.flow NOT NULL AND NOT EXISTS (SELECT 1 FROM flow f"
         " WHERE f.finding = g.id AND f.run = e.run AND f.packet = e.flow))) AS n FROM finding g)"
         " WHERE n > flows - kept"},
	{"sums of findings", /* flows without a row add to them */
         "SELECT printf('F%d: its bytes or times leave out a flow of it', g.id) FROM finding g"
         " JOIN (SELECT finding, sum(bytes_out + bytes_in) AS bytes, min(start_us) AS first_us,"
         " max(start_us + lasted_us) AS last_us FROM flow WHERE finding IS NOT NULL GROUP BY finding) f"
         " ON f.finding = g.id WHERE g.bytes < f.bytes OR g.first_us > f.first_us OR g.last_us < f.last_us"},
	{"differences",
         "SELECT printf('flow %d: in what it differs from the nearest row is not there', f.id) FROM flow f"
         " JOIN finding g ON g.id = f.finding WHERE f.verdict = 2 AND g.row IS NOT NULL"
         " AND f.differs IS NULL UNION ALL SELECT printf('flow %d: in what it differs is not there', id) FROM flow"
         " WHERE differs NOT NULL AND differs NOT IN (SELECT id FROM differs)"},
	{"packets kept",
         "SELECT printf('packet %d of evidence: %d bytes are kept of %d', id, length(bytes), wire_len)"
         " FROM evidence WHERE length(bytes) > wire_len OR (finding IS NOT NULL AND length(bytes) > 256)"},
	{"counts of flows",
         "SELECT printf('unit %d: %d flows of verdict %d, grade %d are counted, and there are %d', unit,"
         " total(counted), verdict, grade, total(there)) FROM (SELECT unit, verdict, grade,"
         " flows AS counted, 0 AS there FROM tally UNION ALL SELECT unit, verdict, " FLOW_GRADE ", 0, count(*)"
         " FROM flow f GROUP BY 1, 2, 3) GROUP BY unit, verdict, grade"
         " HAVING total(counted) <> total(there)"},
	{"coverage",
         "SELECT printf('coverage of row %d by unit %d is below zero', row, unit) FROM coverage"
         " WHERE min(exact, unproven, wide, unanswered, blocked, outside) < 0"},
	{"flows that coverage lacks", /* it outlives flows, so there may be more; one that was not over is not in it */
         "SELECT printf('coverage: %d flows of unit %d are documented by row %d, and %d are counted', f.n,"
         " f.unit, f.row, coalesce(c.n, 0)) FROM (SELECT unit, row, count(*) AS n FROM flow f"
         " WHERE verdict = 1 AND row IS NOT NULL AND NOT f.said >> 24 & 1 GROUP BY 1, 2) f"
         " LEFT JOIN (SELECT unit, row, exact + unproven + wide + unanswered + blocked AS n FROM coverage) c"
         " ON c.unit = f.unit AND c.row = f.row WHERE coalesce(c.n, 0) < f.n"},
	{"packets of runs",
         "SELECT printf('run %d: %d packets were seen, and %d are accounted for', id, seen, n)"
         " FROM (SELECT id, seen, out_of_scope + in_flows + malformed + fragments_lost + duplicates AS n"
         " FROM run) WHERE seen <> n"},
	{"blind intervals",
         "SELECT printf('blind interval %d: it ends before it begins', id) FROM blind"
         " WHERE until_us < since_us"},
};

/* Views and triggers are as in a fresh database. */
static int verify_schema(struct flowdb *db,
                         int (*each)(void *context, const char *wrong, struct err *err),
                         void *context, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *fresh = NULL;
	CLEANUP(stmt_finalizep) sqlite3_stmt *wanted = NULL;
	int r = flowdb_open(NULL, FLOWDB_WRITE, &fresh, err);

	if (r >= 0)
		r = sql_prepare(fresh,
		                "SELECT name, type, sql FROM sqlite_schema WHERE type IN ('view', 'trigger')"
		                " ORDER BY name",
		                &wanted, err);
	while (r >= 0 && (r = sql_step(fresh, wanted, err)) > 0) {
		CLEANUP(stmt_finalizep) sqlite3_stmt *there = NULL;
		char text[160];

		r = sql_prepare(db, "SELECT 1 FROM sqlite_schema WHERE name = ?1 AND sql = ?2", &there,
		                err);
		if (r < 0)
			return r;
		bind_text(there, 1, column_text(wanted, 0));
		bind_text(there, 2, column_text(wanted, 2));
		r = sql_step(db, there, err);
		if (r)
			continue;
		snprintf(text, sizeof(text), "%s %s: it is not there, or not as it was made",
		         column_text(wanted, 1), column_text(wanted, 0));
		r = each(context, text, err);
	}
	return r;
}

int flowdb_verify(struct flowdb *db, const struct upkeep_progress *progress,
                  int (*each)(void *context, const char *wrong, struct err *err), void *context,
                  struct err *err)
{
	struct telling telling = {.progress = progress, .all = ARRAY_LEN(CHECKS)};
	int r = 0;

	sqlite3_progress_handler(db->sql, TOLD_STEPS, tell_on, &telling);
	for (size_t i = 0; i < ARRAY_LEN(CHECKS) && r >= 0; i++) {
		CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;

		telling.doing = CHECKS[i].doing;
		telling.done = i;
		upkeep_tell(progress, telling.doing, i, telling.all);
		r = sql_prepare(db, CHECKS[i].text, &stmt, err);
		for (unsigned told = 0;
		     r >= 0 && told < WRONG_MAX && (r = sql_step(db, stmt, err)) > 0; told++)
			r = each(context, column_text(stmt, 0), err);
		if (r == -EBADMSG) /* it cannot be read that far; the others may be */
			r = each(context, err->text, err);
	}
	sqlite3_progress_handler(db->sql, 0, NULL, NULL);
	if (r >= 0)
		r = verify_schema(db, each, context, err);
	return r < 0 ? r : 0;
}
