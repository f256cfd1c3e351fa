/*
 * flowdb_acceptance.c - see flowdb_acceptance.h. A window is looked up as in every other question (query_window()):
 * one that is narrowed to a unit or a time goes through no other flows.
 */
#include "schema/flowdb_acceptance.h"
#include "schema/flowdb_sql.h"

/*
 * Asks of the flows of a window. `sql` has room for WHERE_MAX and says what is asked, up to where the window's conditions
 * go (NULL: no memory); `end` goes behind them.
 */
static int ask_window(struct flowdb *db, const struct flow_query *query, char *sql,
                      const char *end, sqlite3_stmt **ret_stmt, struct err *err)
{
	int r = sql ? query_check_units(db, query, err) : err_set(err, -ENOMEM, "out of memory");

	if (r < 0)
		return r;
	query_window(sql, query);
	text_add(sql, WHERE_MAX, "%s", end);
	r = sql_prepare(db, sql, ret_stmt, err);
	if (r >= 0)
		query_bind(*ret_stmt, query);
	return r;
}

/* Of flow f: the row it is judged by; of one outside the nearest. */
#define FLOW_ROW \
	"iif(f.verdict = %1$d, (SELECT d.row FROM differs d WHERE d.id = f.differs AND d.rank = 0 LIMIT 1), f.row)"

/* Nobody has said yet what became of it, but both ends were heard. */
#define FLOW_GOES_ON \
	"f.said >> 20 & %2$d AND f.packets_out AND f.packets_in AND " FLOW_OUTCOME " NOT IN (%4$d, %5$d)"

/* Columns by which sums are told apart. */
#define ALIKE "unit, row, row_set, verdict, grade, kind, why, media, transport, outcome, policy"

static const char TALLIES[] =
	"SELECT u.name, coalesce(s.text, e.text), g.verdict, g.grade, g.kind, g.why, g.media,"
	" g.transport, g.outcome, p.hash, g.unit, g.flows, g.first_us, g.last_us, g.flow"
	" FROM (SELECT " ALIKE ", count(*) AS flows, min(start_us) AS first_us,"
	" max(end_us) AS last_us, min(id) AS flow FROM"
	" (SELECT f.unit, " FLOW_ROW " AS row, " FLOW_ROW_SET " AS row_set, f.verdict, " FLOW_GRADE
	" AS grade, f.kind, " FLOW_WHY " AS why, " FLOW_MEDIA " AS media, f.transport, iif(" FLOW_GOES_ON
	", %3$d, " FLOW_OUTCOME ") AS outcome, f.policy, f.id, f.start_us, f.start_us + f.lasted_us AS end_us"
	" FROM flow f WHERE 1";
static const char TALLIES_END[] =
	") GROUP BY " ALIKE ") g JOIN unit u ON u.id = g.unit JOIN policy p ON p.id = g.policy"
	" LEFT JOIN envelope_row e ON e.id = g.row LEFT JOIN row_set s ON s.id = g.row_set"
	" ORDER BY 1, 2, 3, 4, 5, 6, 7, 8, 9, 10";

static void read_tally(sqlite3_stmt *stmt, struct flow_tally *tally)
{
	*tally = (struct flow_tally){
		.unit = column_text(stmt, 0),
		.rows = column_text(stmt, 1),
		.ruling = (uint8_t)sqlite3_column_int(stmt, 2),
		.grade = (uint8_t)sqlite3_column_int(stmt, 3),
		.kind = (uint8_t)sqlite3_column_int(stmt, 4),
		.why = (uint8_t)sqlite3_column_int(stmt, 5),
		.media = (uint8_t)sqlite3_column_int(stmt, 6),
		.transport = (uint8_t)sqlite3_column_int(stmt, 7),
		.outcome = (uint8_t)sqlite3_column_int(stmt, 8),
		.policy = column_text(stmt, 9),
		.unit_id = sqlite3_column_int64(stmt, 10),
		.flows = (uint64_t)sqlite3_column_int64(stmt, 11),
		.first_us = sqlite3_column_int64(stmt, 12),
		.last_us = sqlite3_column_int64(stmt, 13),
		.flow = sqlite3_column_int64(stmt, 14),
	};
}

int flowdb_flow_tallies(struct flowdb *db, const struct flow_query *query,
                        int (*each)(void *context, const struct flow_tally *tally,
                                    struct err *err),
                        void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	CLEANUP(freep) char *sql = calloc(1, WHERE_MAX);
	int r;

	if (sql)
		text_add(sql, WHERE_MAX, TALLIES, RULING_OUTSIDE, TOLD_OPEN, OUTCOME_ANSWERED,
		         OUTCOME_REFUSED, OUTCOME_PROHIBITED);
	r = ask_window(db, query, sql, TALLIES_END, &stmt, err);
	if (r < 0)
		return r;
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct flow_tally tally;

		read_tally(stmt, &tally);
		r = each(context, &tally, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

/* The port that was opened tells blocks apart, the other one is that of the first flow (a bare column beside min()). */
static const char BLOCKS[] =
	"SELECT g.flow, u.name, coalesce(s.text, e.text), g.kind, g.transport, g.direction, l.bytes,"
	" g.local_port, r.bytes, g.remote_port, g.icmp, i.bytes, g.finding, g.flows FROM"
	" (SELECT min(f.id) AS flow, f.unit, f.row, " FLOW_ROW_SET " AS row_set, f.kind, f.transport, " FLOW_DIRECTION
	" AS direction, f.local, f.local_port, f.remote, f.remote_port, iif(" FLOW_DIRECTION
	" = %d, f.local_port, f.remote_port) AS opened, coalesce(m.icmp, 0) AS icmp, m.icmp_sender,"
	" f.finding, count(*) AS flows FROM flow f LEFT JOIN flow_more m ON m.flow = f.id"
	" WHERE f.kind > 0 AND f.verdict = %d";
static const char BLOCKS_END[] =
	" GROUP BY f.unit, f.row, row_set, f.kind, f.transport, direction, f.local, f.remote, opened,"
	" icmp, m.icmp_sender, f.finding) g JOIN unit u ON u.id = g.unit JOIN host l ON l.id = g.local"
	" JOIN host r ON r.id = g.remote LEFT JOIN host i ON i.id = g.icmp_sender"
	" LEFT JOIN envelope_row e ON e.id = g.row LEFT JOIN row_set s ON s.id = g.row_set"
	" ORDER BY 1";

static void read_block(sqlite3_stmt *stmt, struct flow_block *block)
{
	int icmp = sqlite3_column_int(stmt, 10);

	*block = (struct flow_block){
		.flow = sqlite3_column_int64(stmt, 0),
		.unit = column_text(stmt, 1),
		.rows = column_text(stmt, 2),
		.kind = (uint8_t)sqlite3_column_int(stmt, 3),
		.transport = (uint8_t)sqlite3_column_int(stmt, 4),
		.direction = (uint8_t)sqlite3_column_int(stmt, 5),
		.local_port = (uint16_t)sqlite3_column_int(stmt, 7),
		.remote_port = (uint16_t)sqlite3_column_int(stmt, 9),
		.icmp_type = (uint8_t)(icmp >> 8),
		.icmp_code = (uint8_t)icmp,
		.finding = sqlite3_column_int64(stmt, 12),
		.flows = (uint64_t)sqlite3_column_int64(stmt, 13),
	};
	column_addr(stmt, 6, &block->local);
	column_addr(stmt, 8, &block->remote);
	column_addr(stmt, 11, &block->sender);
}

int flowdb_flow_blocks(struct flowdb *db, const struct flow_query *query,
                       int (*each)(void *context, const struct flow_block *block,
                                   struct err *err),
                       void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	CLEANUP(freep) char *sql = calloc(1, WHERE_MAX);
	int r;

	if (sql)
		text_add(sql, WHERE_MAX, BLOCKS, DIRECTION_IN, RULING_DOCUMENTED);
	r = ask_window(db, query, sql, BLOCKS_END, &stmt, err);
	if (r < 0)
		return r;
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct flow_block block;

		read_block(stmt, &block);
		r = each(context, &block, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_finding_flows(struct flowdb *db, const struct flow_query *query,
                         int (*each)(void *context, int64_t finding, int64_t flow,
                                     struct err *err),
                         void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	CLEANUP(freep) char *sql = calloc(1, WHERE_MAX);
	int r;

	if (sql)
		text_add(sql, WHERE_MAX,
		         "SELECT f.finding, min(f.id) FROM flow f WHERE f.finding IS NOT NULL");
	r = ask_window(db, query, sql, " GROUP BY 1 ORDER BY 1", &stmt, err);
	if (r < 0)
		return r;
	while ((r = sql_step(db, stmt, err)) > 0) {
		r = each(context, sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1), err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}
