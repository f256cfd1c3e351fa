/*
 * flowdb_rows.c - see flowdb_sql.h: rows of the table `flow` are inserted some at a time, for a statement's beginning and
 * end, its four cursors opened and closed, cost a quarter of an insert. Invariants:
 *  (1) A row stands in the statement's parameters until it is written, and is written before any statement that reads or
 *      changes the table: sql_slot(), sql_prepare() and sql_exec() see to that.
 *  (2) What was rolled back is forgotten here.
 */
#include "schema/flowdb_sql.h"

#define INTO \
	"INSERT OR FAIL INTO flow (run, policy, unit, start_us, lasted_us, packet, transport, local," \
	" local_port, remote, remote_port, link, name, application, verdict, row, kind, finding," \
	" packets_out, packets_in, bytes_out, bytes_in, said, how, tcp_flags, asked, payloads, differs," \
	" id) VALUES "
#define ONE \
	"(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
#define FOUR ONE ", " ONE ", " ONE ", " ONE

/*
 * OR FAIL: what went before a row that is refused stays, until the transaction is rolled back. Otherwise SQLite would copy
 * each page that a statement of several rows touches, and that takes twice the time of one row each.
 */
static int ready(struct flowdb *db, sqlite3_stmt **ret_stmt, struct err *err)
{
	*ret_stmt = db->slot[SLOT_FLOW_PUT_MANY];
	if (*ret_stmt)
		return 0;
	for (size_t i = 0; i < ROWS_AT_ONCE; i++)
		for (size_t j = 0; j < ROW_VALUES; j++)
			db->rows.bound[i][j] = SQL_NULL;
	return sql_slot(db, SLOT_FLOW_PUT_MANY, INTO FOUR ", " FOUR ", " FOUR ", " FOUR,
	                ret_stmt, err);
}

static int write_one(struct flowdb *db, const int64_t *values, struct err *err)
{
	return sql_tell(db, SLOT_FLOW_PUT, INTO ONE, values, ROW_VALUES, err);
}

int rows_flush(struct flowdb *db, struct err *err)
{
	unsigned count = db->rows.count;
	int r = 0;

	db->rows.count = 0;
	if (count == ROWS_AT_ONCE)
		return sql_run(db, db->slot[SLOT_FLOW_PUT_MANY], err);
	for (unsigned i = 0; i < count && r >= 0; i++)
		r = write_one(db, db->rows.bound[i], err);
	return r;
}

static void bind(struct flowdb *db, sqlite3_stmt *stmt, size_t place, size_t column,
                 int64_t value)
{
	if (db->rows.bound[place][column] == value)
		return;
	bind_one(stmt, (int)(place * ROW_VALUES + column + 1), value);
	db->rows.bound[place][column] = value;
}

/* What it shares with the one that stood in its place is bound already: half of its columns, in the long run. */
int rows_put(struct flowdb *db, const int64_t values[FLOW_VALUES], int64_t id, struct err *err)
{
	sqlite3_stmt *stmt;
	int r = ready(db, &stmt, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < FLOW_VALUES; i++)
		bind(db, stmt, db->rows.count, i, values[i]);
	bind(db, stmt, db->rows.count, FLOW_VALUES, id);
	return ++db->rows.count == ROWS_AT_ONCE ? rows_flush(db, err) : 0;
}
