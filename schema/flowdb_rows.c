/*
 * flowdb_rows.c - see flowdb_sql.h: rows of the table `flow` are inserted some at a time, for a statement's beginning and
 * end, its four cursors opened and closed, cost a quarter of an insert. Invariants:
 *  (1) A row stands in the statement's parameters until it is written, and is written before any statement that reads or
 *      changes the table: sql_slot(), sql_prepare() and sql_exec() see to that.
 *  (2) What was rolled back is forgotten here.
 * A row that is written anew is updated in its place, where unit, time and what it is counted as are the same: deleting it
 * and inserting another takes all indices and the trigger of the deletion, four times as long.
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

static int write_if_waits(struct flowdb *db, int64_t id, struct err *err)
{
	for (unsigned i = 0; i < db->rows.count; i++)
		if (db->rows.bound[i][FLOW_VALUES] == id)
			return rows_flush(db, err);
	return 0;
}

static unsigned grade_of(int64_t said)
{
	return said >> SAID_GRADE & 3;
}

/* What the row says that stands there: 1; 0: there is none. */
static int read_was(struct flowdb *db, int64_t id, int64_t was[FLOW_VALUES], int64_t *ret_how,
                    struct err *err)
{
	sqlite3_stmt *stmt;
	int r = write_if_waits(db, id, err);

	if (r >= 0)
		r = sql_slot(
			db, SLOT_FLOW_WAS,
			"SELECT unit, start_us, verdict, kind, finding, said, how FROM flow"
			" WHERE id = ?1",
			&stmt, err);
	if (r < 0)
		return r;
	sqlite3_bind_int64(stmt, 1, id);
	r = sql_step(db, stmt, err);
	if (r <= 0)
		return r;
	was[FLOW_UNIT] = sqlite3_column_int64(stmt, 0);
	was[FLOW_START] = sqlite3_column_int64(stmt, 1);
	was[FLOW_RULING] = sqlite3_column_int64(stmt, 2);
	was[FLOW_KIND] = sqlite3_column_int64(stmt, 3);
	was[FLOW_FINDING] = sqlite3_column_type(stmt, 4) == SQLITE_NULL
	                            ? SQL_NULL
	                            : sqlite3_column_int64(stmt, 4);
	was[FLOW_SAID] = sqlite3_column_int64(stmt, 5);
	*ret_how = sqlite3_column_int64(stmt, 6);
	sqlite3_reset(stmt);
	return 1;
}

/* What a row is not found by: three of four indices stay as they are. */
#define APART \
	"run = ?1, policy = ?2, lasted_us = ?5, packet = ?6, transport = ?7, local = ?8," \
	" local_port = ?9, remote = ?10, remote_port = ?11, link = ?12, name = ?13, application = ?14," \
	" verdict = ?15, row = ?16, packets_out = ?19, packets_in = ?20, bytes_out = ?21," \
	" bytes_in = ?22, said = ?23, how = ?24, tcp_flags = ?25, asked = ?26, payloads = ?27," \
	" differs = ?28"

int rows_rewrite(struct flowdb *db, const int64_t values[FLOW_VALUES], int64_t id,
                 bool *ret_more, struct err *err)
{
	int64_t was[FLOW_VALUES], how;
	sqlite3_stmt *stmt;
	int r = read_was(db, id, was, &how, err);

	if (r <= 0)
		return r;
	if (was[FLOW_UNIT] != values[FLOW_UNIT] || was[FLOW_START] != values[FLOW_START] ||
	    was[FLOW_RULING] != values[FLOW_RULING] ||
	    grade_of(was[FLOW_SAID]) != grade_of(values[FLOW_SAID]))
		return 0;
	*ret_more = how >> HOW_MORE & 1;
	if (was[FLOW_KIND] == values[FLOW_KIND] && was[FLOW_FINDING] == values[FLOW_FINDING])
		r = sql_slot(db, SLOT_FLOW_REWRITE, "UPDATE flow SET " APART " WHERE id = ?29",
		             &stmt, err);
	else
		r = sql_slot(db, SLOT_FLOW_REGATHER,
		             "UPDATE flow SET " APART
		             ", kind = ?17, finding = ?18 WHERE id = ?29",
		             &stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, FLOW_VALUES);
	sqlite3_bind_int64(stmt, ROW_VALUES, id);
	r = sql_run(db, stmt, err);
	return r < 0 ? r : 1;
}
