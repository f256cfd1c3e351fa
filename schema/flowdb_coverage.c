/*
 * flowdb_coverage.c - see flowdb_query.h: how units exercised rows, as counted over all runs or, for a window,
 * made up from the flows in it by the rules that the recorder counts by (monitor/record/coverage.c).
 */
#include "schema/flowdb_sql.h"

#include <assert.h>

static const char COUNTED[] =
	"SELECT u.name, e.text, c.exact, c.unproven, c.wide, c.unanswered, c.blocked, c.outside,"
	" c.first_us, c.last_us, c.unit FROM coverage c JOIN unit u ON u.id = c.unit"
	" JOIN envelope_row e ON e.id = c.row WHERE 1";

/* Behind the flows of the window, `w`. A flow counts once for a row, also where it fits it and its mirror. */
static const char MADE_UP[] =
	"), fits AS (SELECT id, row FROM w WHERE verdict = %1$d AND row IS NOT NULL"
	" UNION SELECT w.id, m.row FROM w JOIN (SELECT s.id, e.id AS row FROM row_set s"
	" JOIN envelope_row e ON instr(', ' || s.text || ',', ', ' || e.text || ',')) m"
	" ON m.id = w.row_set WHERE verdict = %1$d),"
	" used AS (SELECT id, row FROM fits UNION SELECT fits.id, m.other FROM fits"
	" JOIN mirror m ON m.row = fits.row JOIN w ON w.id = fits.id WHERE w.transport = %3$d),"
	" told AS (SELECT w.unit, used.row, w.kind = 0 AND outcome = %4$d AS answered, grade, kind,"
	" 0 AS outside, start_us, end_us FROM used JOIN w ON w.id = used.id"
	" UNION ALL SELECT unit, row, 0, 0, 0, 1, NULL, NULL FROM (SELECT DISTINCT w.id, w.unit,"
	" d.row FROM w JOIN differs d ON d.id = w.differs AND d.rank = 0 WHERE verdict = %2$d))"
	" SELECT u.name, e.text, sum(answered AND grade = %5$d) AS exact,"
	" sum(answered AND grade NOT IN (%5$d, %6$d)), sum(answered AND grade = %6$d),"
	" sum(NOT answered AND NOT kind AND NOT outside), sum(kind > 0), sum(outside),"
	" min(iif(answered, start_us, NULL)), max(iif(answered, end_us, NULL)), c.unit"
	" FROM told c JOIN unit u ON u.id = c.unit JOIN envelope_row e ON e.id = c.row WHERE 1";

static void sql_made_up(const struct flowdb *db, const struct flow_query *query,
                        const struct row_mirror *mirrors, size_t count, char *sql)
{
	struct flow_query flows = *query;

	flows.row = NULL; /* of the row, not of the flow */
	text_add(sql, WHERE_MAX, "WITH mirror (row, other) AS (SELECT 0, 0");
	for (size_t i = 0; i < count; i++)
		text_add(sql, WHERE_MAX,
		         " UNION ALL SELECT a.id, b.id FROM envelope_row a, envelope_row b"
		         " WHERE a.text = '%s' AND b.text = '%s'",
		         mirrors[i].row, mirrors[i].other);
	text_add(sql, WHERE_MAX,
	         "), w AS MATERIALIZED (SELECT f.id, f.unit, f.row, " FLOW_ROW_SET " AS row_set, f.verdict, f.kind, f.differs,"
	         " " FLOW_OUTCOME " AS outcome, " FLOW_GRADE " AS grade, f.transport, f.start_us, f.start_us + f.lasted_us AS end_us FROM flow f"
	         " WHERE 1");
	query_flows(db, sql, &flows);
	text_add(sql, WHERE_MAX, MADE_UP, RULING_DOCUMENTED, RULING_OUTSIDE,
	         TRANSPORT_UDP, OUTCOME_ANSWERED, GRADE_EXACT, GRADE_WIDE);
}

static void read_coverage(sqlite3_stmt *stmt, struct coverage_row *row)
{
	*row = (struct coverage_row){
		.exact = (uint64_t)sqlite3_column_int64(stmt, 2),
		.unproven = (uint64_t)sqlite3_column_int64(stmt, 3),
		.wide = (uint64_t)sqlite3_column_int64(stmt, 4),
		.unanswered = (uint64_t)sqlite3_column_int64(stmt, 5),
		.blocked = (uint64_t)sqlite3_column_int64(stmt, 6),
		.outside = (uint64_t)sqlite3_column_int64(stmt, 7),
		.first_us = sqlite3_column_int64(stmt, 8),
		.last_us = sqlite3_column_int64(stmt, 9),
		.unit = sqlite3_column_int64(stmt, 10),
	};
}

static void add_coverage(struct coverage_row *to, const struct coverage_row *more)
{
	to->exact += more->exact;
	to->unproven += more->unproven;
	to->wide += more->wide;
	to->unanswered += more->unanswered;
	to->blocked += more->blocked;
	to->outside += more->outside;
	if (more->first_us && (!to->first_us || more->first_us < to->first_us))
		to->first_us = more->first_us;
	if (more->last_us > to->last_us)
		to->last_us = more->last_us;
}

/* Of one unit and row what the databases say is summed up before it is told. */
struct telling {
	char unit[256], row[ROW_ID_MAX];
	struct coverage_view view;
	bool any;
	int (*each)(void *context, const struct coverage_view *coverage, struct err *err);
	void *context;
};

static int tell(struct telling *telling, struct err *err)
{
	int r;

	if (!telling->any)
		return 0;
	telling->view.unit = telling->unit;
	telling->view.row.row = telling->row;
	r = telling->each(telling->context, &telling->view, err);
	telling->any = false;
	return r;
}

static int take_coverage(struct telling *telling, sqlite3_stmt *stmt, struct err *err)
{
	struct coverage_row row;
	int r = 0;

	read_coverage(stmt, &row);
	if (telling->any && !strcmp(telling->unit, column_text(stmt, 0)) &&
	    !strcmp(telling->row, column_text(stmt, 1))) {
		add_coverage(&telling->view.row, &row);
		return 0;
	}
	r = tell(telling, err);
	telling->any = true;
	telling->view.row = row;
	text_copy(telling->unit, sizeof(telling->unit), column_text(stmt, 0));
	text_copy(telling->row, sizeof(telling->row), column_text(stmt, 1));
	return r;
}

int flowdb_coverage(struct flowdb *db, const struct flow_query *query,
                    const struct row_mirror *mirrors, size_t mirror_count,
                    int (*each)(void *context, const struct coverage_view *coverage,
                                struct err *err),
                    void *context, struct err *err)
{
	bool made_up = query->since_us || query->until_us;
	struct flow_query whole = *query;
	struct telling telling = {.each = each, .context = context};
	CLEANUP(freep) char *sql = malloc(WHERE_MAX);
	struct merge merge;
	struct flowdb *from;
	sqlite3_stmt *stmt;
	int r = sql ? query_check_units(db, query, err) : err_set(err, -ENOMEM, "out of memory");

	if (r < 0)
		return r;
	whole.limit = 0;
	merge_init(&merge, 2, 0, 0);
	for (; db && r >= 0; db = db->next) {
		*sql = '\0';
		if (made_up)
			sql_made_up(db, query, mirrors, mirror_count, sql);
		else
			text_add(sql, WHERE_MAX, "%s%s", COUNTED, db->whole ? " AND 0" : "");
		query_unit(sql, "c.unit", query);
		if (query->row)
			text_add(sql, WHERE_MAX, " AND e.text = ?5");
		if (made_up)
			text_add(sql, WHERE_MAX, " GROUP BY u.name, e.text");
		sorting_add(sql, 2, 0);
		r = merge_add(&merge, db, sql, &whole, err);
	}
	while (r >= 0 && (r = merge_next(&merge, &from, &stmt, err)) > 0) {
		r = take_coverage(&telling, stmt, err);
		if (r)
			break;
	}
	if (!r)
		r = tell(&telling, err);
	merge_release(&merge);
	return r < 0 ? r : 0;
}
