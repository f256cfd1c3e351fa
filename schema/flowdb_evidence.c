/*
 * flowdb_evidence.c - see flowdb.h and flowdb_query.h: packets that were kept, and the budgets of days.
 */
#include "schema/flowdb_sql.h"

#define DAY_US (86400 * INT64_C(1000000))

static int64_t or_null(int64_t value)
{
	return value ? value : SQL_NULL;
}

enum { BATCH = 16, COLUMNS = 8, SHORT = 256 };

/* Rows that wait for others: so many at once cost less than half, for the last id is read and written for each statement. */
struct packets {
	unsigned count;
	struct evidence_row rows[BATCH];
	uint8_t bytes[BATCH][SHORT];
};

#define INTO "INSERT OR FAIL INTO evidence (run, flow, finding, time_us, cause, link, wire_len, bytes) VALUES "
#define ONE "(?, ?, ?, ?, ?, ?, ?, ?)"
#define FOUR ONE ", " ONE ", " ONE ", " ONE

static int write_rows(struct flowdb *db, const struct evidence_row *rows, unsigned count,
                      struct err *err)
{
	sqlite3_stmt *stmt;
	int r = count == BATCH ? sql_slot(db, SLOT_EVIDENCE_PUT_MANY,
	                                  INTO FOUR ", " FOUR ", " FOUR ", " FOUR, &stmt, err)
	                       : sql_slot(db, SLOT_EVIDENCE_PUT, INTO ONE, &stmt, err);

	if (r < 0)
		return r;
	for (unsigned i = 0; i < count; i++) {
		const struct evidence_row *row = &rows[i];
		const int64_t values[] = {
			row->run,
			or_null((int64_t)row->flow),
			or_null(row->finding),
			row->time_us,
			or_null(row->cause),
			row->link,
			row->wire_len,
		};
		int at = (int)i * COLUMNS + 1;

		for (size_t j = 0; j < ARRAY_LEN(values); j++)
			bind_one(stmt, at++, values[j]);
		/* A pointer that is NULL would bind NULL; no bytes at all are no NULL. */
		sqlite3_bind_blob(stmt, at, row->len ? row->bytes : (void *)"", (int)row->len,
		                  SQLITE_STATIC);
	}
	return sql_run(db, stmt, err);
}

int packets_flush(struct flowdb *db, struct err *err)
{
	struct packets *packets = db->packets;
	unsigned count = packets ? packets->count : 0;
	int r = 0;

	if (count)
		packets->count = 0;
	if (count == BATCH)
		return write_rows(db, packets->rows, BATCH, err);
	for (unsigned i = 0; i < count && r >= 0; i++)
		r = write_rows(db, &packets->rows[i], 1, err);
	return r;
}

void packets_forget(struct flowdb *db)
{
	if (db->packets)
		db->packets->count = 0;
}

int flowdb_evidence_put(struct flowdb *db, const struct evidence_row *evidence, struct err *err)
{
	struct packets *packets = db->packets;
	int r;

	if (!packets)
		packets = db->packets = calloc(1, sizeof(*packets));
	if (!packets || evidence->len > SHORT || sqlite3_get_autocommit(db->sql)) {
		r = packets_flush(db, err);
		return r < 0 ? r : write_rows(db, evidence, 1, err);
	}
	packets->rows[packets->count] = *evidence;
	packets->rows[packets->count].bytes = packets->bytes[packets->count];
	if (evidence->len)
		memcpy(packets->bytes[packets->count], evidence->bytes, evidence->len);
	return ++packets->count == BATCH ? packets_flush(db, err) : 0;
}

int flowdb_evidence_flows(struct flowdb *db, int64_t finding, uint64_t *ret_flows,
                          struct err *err)
{
	int64_t flows = 0;
	int r = packets_flush(db, err);

	if (r >= 0)
		r = sql_ask_slot(
			db, SLOT_EVIDENCE_FLOWS,
			"SELECT count(*) FROM (SELECT DISTINCT run, flow FROM evidence WHERE finding = ?1)",
			&finding, 1, &flows, err);

	*ret_flows = (uint64_t)flows;
	return r < 0 ? r : 0;
}

int flowdb_evidence_held(struct flowdb *db, int64_t finding, int64_t run, uint64_t flow,
                         uint64_t *ret_packets, struct err *err)
{
	const int64_t values[] = {finding, run, (int64_t)flow};
	int64_t packets = 0;
	int r = packets_flush(db, err);

	if (r >= 0)
		r = sql_ask_slot(
			db, SLOT_EVIDENCE_HELD,
			"SELECT count(*) FROM evidence WHERE finding = ?1 AND run = ?2 AND flow = ?3",
			values, ARRAY_LEN(values), &packets, err);

	*ret_packets = (uint64_t)packets;
	return r < 0 ? r : 0;
}

int flowdb_evidence_move(struct flowdb *db, int64_t finding, int64_t run, uint64_t flow,
                         int64_t into, struct err *err)
{
	const int64_t values[] = {finding, run, (int64_t)flow, into};
	int r = packets_flush(db, err);

	if (r < 0)
		return r;
	if (!into)
		return sql_tell(
			db, SLOT_EVIDENCE_DROP,
			"DELETE FROM evidence WHERE finding = ?1 AND run = ?2 AND flow = ?3",
			values, 3, err);
	return sql_tell(
		db, SLOT_EVIDENCE_MOVE,
		"UPDATE evidence SET finding = ?4 WHERE finding = ?1 AND run = ?2 AND flow = ?3",
		values, ARRAY_LEN(values), err);
}

int flowdb_evidence_fold(struct flowdb *db, int64_t from, int64_t into, struct err *err)
{
	const int64_t values[] = {from, into};
	int r = packets_flush(db, err);

	return r < 0 ? r
	             : sql_tell(db, SLOT_EVIDENCE_FOLD,
	                        "UPDATE evidence SET finding = ?2 WHERE finding = ?1", values,
	                        ARRAY_LEN(values), err);
}

int flowdb_evidence_lost(struct flowdb *db, int64_t run, uint64_t packets, struct err *err)
{
	const int64_t values[] = {run, (int64_t)packets};

	return sql_tell(db, SLOT_EVIDENCE_LOST,
	            "UPDATE run SET evidence_lost = evidence_lost + ?2 WHERE id = ?1", values,
	            ARRAY_LEN(values), err);
}

int flowdb_evidence_day(struct flowdb *db, int64_t day, struct evidence_day_row *ret,
                        struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, "SELECT bytes, refused FROM evidence_day WHERE day = ?1", &stmt,
	                    err);

	if (r < 0)
		return r;
	bind_all(stmt, &day, 1);
	r = sql_step(db, stmt, err);
	if (r < 0)
		return r;
	*ret = (struct evidence_day_row){.day = day};
	if (r) {
		ret->bytes = (uint64_t)sqlite3_column_int64(stmt, 0);
		ret->refused = (uint64_t)sqlite3_column_int64(stmt, 1);
	}
	return 0;
}

int flowdb_evidence_day_put(struct flowdb *db, const struct evidence_day_row *day,
                            struct err *err)
{
	const int64_t values[] = {day->day, (int64_t)day->bytes, (int64_t)day->refused};

	return sql_tell(
		db, SLOT_EVIDENCE_DAY_PUT,
		"INSERT INTO evidence_day (day, bytes, refused) VALUES (?, ?, ?)"
		" ON CONFLICT DO UPDATE SET (bytes, refused) = (excluded.bytes, excluded.refused)",
		values, ARRAY_LEN(values), err);
}

/* ----------------------------------------------------------------- queries */

static void read_packet(sqlite3_stmt *stmt, struct evidence_view *view)
{
	*view = (struct evidence_view){
		.id = sqlite3_column_int64(stmt, 0),
		.first_us = sqlite3_column_int64(stmt, 11),
		.unit_id = sqlite3_column_int64(stmt, 1),
		.unit = sqlite3_column_int64(stmt, 1) ? column_text(stmt, 2) : NULL,
		.row = {.run = sqlite3_column_int64(stmt, 3),
	                .flow = (uint64_t)sqlite3_column_int64(stmt, 4),
	                .finding = sqlite3_column_int64(stmt, 5),
	                .time_us = sqlite3_column_int64(stmt, 6),
	                .cause = (uint8_t)sqlite3_column_int(stmt, 7),
	                .link = (uint8_t)sqlite3_column_int(stmt, 8),
	                .wire_len = (uint32_t)sqlite3_column_int64(stmt, 9),
	                .bytes = sqlite3_column_blob(stmt, 10),
	                .len = (size_t)sqlite3_column_bytes(stmt, 10)},
	};
}

/* The question, in memory that is the caller's to free; NULL without any. */
static char *evidence_sql(const struct evidence_query *query)
{
	const struct flow_query *window = &query->window;
	char where[WHERE_MAX] = "", *text = NULL;
	size_t size = 0;
	FILE *sql = open_memstream(&text, &size);

	if (!sql)
		return NULL;
	fprintf(sql,
	        "SELECT e.id, f.unit, u.name, e.run, e.flow, e.finding, e.time_us, e.cause, e.link,"
	        " e.wire_len, e.bytes, (SELECT min(x.time_us) FROM evidence x WHERE x.finding ="
	        " e.finding AND x.run = e.run AND x.flow = e.flow) FROM evidence e"
	        " LEFT JOIN finding f ON f.id = e.finding LEFT JOIN unit u ON u.id = f.unit"
	        " WHERE e.finding IS %sNULL",
	        query->died ? "" : "NOT ");
	if (window->since_us || window->until_us)
		fputs(" AND e.time_us BETWEEN ?1 AND ?2", sql);
	query_unit(where, "f.unit", window);
	fputs(where, sql);
	for (size_t i = 0; i < query->of_count; i++) {
		const struct evidence_of *of = &query->of[i];

		fprintf(sql, "%s(e.finding = %lld", i ? " OR " : " AND (", (long long)of->finding);
		if (of->flow)
			fprintf(sql, " AND e.run = %lld AND e.flow = %lld", (long long)of->run,
			        (long long)of->flow);
		fputs(i + 1 < query->of_count ? ")" : "))", sql);
	}
	fputs(" ORDER BY e.time_us, e.run, e.flow, e.id LIMIT ?8", sql);
	if (fclose(sql)) {
		free(text);
		return NULL;
	}
	return text;
}

int flowdb_evidence(struct flowdb *db, const struct evidence_query *query,
                    int (*each)(void *context, const struct evidence_view *packet,
                                struct err *err),
                    void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	CLEANUP(freep) char *sql = evidence_sql(query);
	int r = sql ? flowdb_check_unit(db, query->window.unit, err)
	            : err_set(err, -ENOMEM, "out of memory");

	if (r >= 0)
		r = packets_flush(db, err);
	if (r >= 0)
		r = sql_prepare(db, sql, &stmt, err);
	if (r < 0)
		return r;
	query_bind(stmt, &query->window);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct evidence_view view;

		read_packet(stmt, &view);
		r = each(context, &view, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_evidence_lack(struct flowdb *db, int64_t since_us, int64_t until_us,
                         struct evidence_lack *ret, struct err *err)
{
	const int64_t values[] = {since_us,          until_us, since_us / DAY_US,
	                          until_us / DAY_US, KEEP_OFF, KEEP_HEADERS};
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db,
		"SELECT count(*), coalesce(sum(keep = ?5), 0), coalesce(sum(keep = ?6), 0),"
		" coalesce(sum(keep IS NULL), 0), coalesce(sum(evidence_shed), 0),"
		" coalesce(sum(evidence_lost), 0),"
		" (SELECT coalesce(sum(refused), 0) FROM evidence_day WHERE day BETWEEN ?3 AND ?4),"
		" (SELECT min(day) FROM evidence_day WHERE day BETWEEN ?3 AND ?4 AND refused > 0),"
		" EXISTS (SELECT 1 FROM policy_use WHERE run IS NULL)"
		" FROM run WHERE first_us <= ?2 AND last_us >= ?1",
		&stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	r = sql_step(db, stmt, err);
	if (r < 0)
		return r;
	*ret = (struct evidence_lack){
		.runs = (uint64_t)sqlite3_column_int64(stmt, 0),
		.off = (uint64_t)sqlite3_column_int64(stmt, 1),
		.headers = (uint64_t)sqlite3_column_int64(stmt, 2),
		.unable = (uint64_t)sqlite3_column_int64(stmt, 3),
		.shed = (uint64_t)sqlite3_column_int64(stmt, 4),
		.lost = (uint64_t)sqlite3_column_int64(stmt, 5),
		.refused = (uint64_t)sqlite3_column_int64(stmt, 6),
		.refused_day = sqlite3_column_int64(stmt, 7),
		.rejudged = sqlite3_column_int(stmt, 8),
	};
	return 0;
}
