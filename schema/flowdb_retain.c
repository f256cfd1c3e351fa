/*
 * flowdb_retain.c - see flowdb_upkeep.h: what grew old goes, in steps. Invariants:
 *  (1) What is gone is on record (table removed) in the transaction that takes the first row of it.
 *  (2) Numbers are not given twice: the last flow and the last finding stay.
 *  (3) Runs, inputs, policies, units, coverage, texts and addresses stay: the recorder holds their numbers. So do
 *      findings that it knows.
 *  (4) What a flow that stays is judged by stays (flowdb_needed.h).
 */
#include "schema/flowdb_upkeep.h"
#include "schema/flowdb_needed.h"
#include "schema/flowdb_sql.h"

#define UNITS_MAX 256      /* looked at in one step */
#define OLDEST_US 1000000 /* so exactly the end of the oldest ones is sought */
#define FIRST_TEXT "1000" /* rows that nothing hangs from, in one step */

int flowdb_removed(struct flowdb *db,
                   int (*each)(void *context, const struct removed_row *row, struct err *err),
                   void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db, "SELECT how, since_us, until_us, flows, place FROM removed ORDER BY id",
		&stmt, err);

	while (r >= 0 && (r = sql_step(db, stmt, err)) > 0) {
		const struct removed_row row = {
			.how = (uint8_t)sqlite3_column_int(stmt, 0),
			.since_us = sqlite3_column_int64(stmt, 1),
			.until_us = sqlite3_column_int64(stmt, 2),
			.flows = (uint64_t)sqlite3_column_int64(stmt, 3),
			.place = column_text(stmt, 4),
		};

		r = each(context, &row, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_whole(struct flowdb *db, struct whole *ret, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	char text[1024] = "SELECT (SELECT max(until_us) FROM removed WHERE since_us IS NULL"
			  " AND (how <> 2 OR until_us NOT IN (0";
	int r;

	/* What moved to an archive that is asked as well is not missed. */
	for (struct flowdb *archive = db->archives; archive; archive = archive->next_archive)
		text_add(text, sizeof(text), ", %lld", (long long)archive->whole_from_us);
	text_add(text, sizeof(text),
	         "))), (SELECT min(since_us) FROM removed WHERE until_us IS NULL AND %d)",
	         !db->whole);
	r = sql_prepare(db, text, &stmt, err);
	if (r >= 0)
		r = sql_step(db, stmt, err);
	if (r < 0)
		return r;
	*ret = (struct whole){sqlite3_column_int64(stmt, 0), sqlite3_column_int64(stmt, 1)};
	return 0;
}

bool flowdb_is_copy(const struct flowdb *db)
{
	return db->whole;
}

int removed_add(struct flowdb *db, int how, int64_t until_us, uint64_t flows, const char *place,
                struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	const int64_t values[] = {how, until_us, (int64_t)flows};
	int r = sql_prepare(
		db,
		"INSERT INTO removed (how, until_us, flows, place) VALUES (?, ?, ?, ?)"
		" ON CONFLICT (how, place) DO UPDATE SET flows = flows + excluded.flows,"
		" until_us = max(until_us, excluded.until_us)",
		&stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	bind_text(stmt, 4, place);
	return sql_run(db, stmt, err);
}

/*
 * Somebody reads. Of other programs the kernel knows it; of our own connections only of one that began before the last
 * commit: the log cannot be written back behind it.
 */
static int is_held(struct flowdb *db, struct err *err)
{
	int log = 0, done = 0, rc;

	if (flowdb_reader(db))
		return 1;
	rc = sqlite3_wal_checkpoint_v2(db->sql, NULL, SQLITE_CHECKPOINT_PASSIVE, &log,
	                                   &done);

	if (rc == SQLITE_BUSY)
		return 1;
	return rc ? sql_error(db, rc, err) : done < log;
}

/* ------------------------------------------------------------------- flows */

/* An old flow, and the finding that counts its row; 0: none. */
struct old_flow {
	int64_t id, finding;
};

/* The oldest of the unit's flows that may go, at most `room`. */
static int find_old(struct flowdb *db, const struct retain_step *step, int64_t unit,
                    struct old_flow *flows, size_t room, size_t *count, struct err *err)
{
	const int64_t values[] = {unit, step->cut_us, step->spared_run,
	                          (int64_t)(room - *count)};
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "SELECT id, finding FROM flow WHERE unit = ?1 AND start_us < ?2"
	                    " AND start_us + lasted_us < ?2 AND run <> ?3"
	                    " AND id < (SELECT max(id) FROM flow) ORDER BY start_us LIMIT ?4",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	while ((r = sql_step(db, stmt, err)) > 0)
		flows[(*count)++] = (struct old_flow){sqlite3_column_int64(stmt, 0),
		                                      sqlite3_column_int64(stmt, 1)};
	return r;
}

/* Goes on behind step->after_unit until there is enough for a step. RETAIN_OVER: no unit is left. */
static int gather(struct flowdb *db, struct retain_step *step, struct old_flow *flows,
                  size_t *count, struct err *err)
{
	for (unsigned units = 0; units < UNITS_MAX; units++) {
		int64_t unit;
		int r = sql_ask(db, "SELECT id FROM unit WHERE id > ?1 ORDER BY id LIMIT 1",
		                &step->after_unit, 1, &unit, err);

		if (r <= 0)
			return r < 0 ? r : RETAIN_OVER;
		r = find_old(db, step, unit, flows, step->flows_max, count, err);
		if (r < 0)
			return r;
		if (*count == step->flows_max)
			break; /* this unit may have more */
		step->after_unit = unit;
	}
	return RETAIN_MORE;
}

/* Its rows are fewer now. */
static int rows_gone(struct flowdb *db, const struct retain_step *step, int64_t finding,
                     uint64_t rows, struct err *err)
{
	const int64_t values[] = {finding, (int64_t)rows};
	sqlite3_stmt *stmt;
	int r;

	if (!finding)
		return 0;
	r = sql_slot(db, SLOT_FINDING_LESS,
	             "UPDATE finding SET kept = max(kept - ?2, 0) WHERE id = ?1", &stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, values, ARRAY_LEN(values));
	r = sql_run(db, stmt, err);
	if (r >= 0 && step->gone)
		step->gone(step->context, finding, rows);
	return r;
}

static int by_finding(const void *a, const void *b)
{
	const struct old_flow *x = a, *y = b;

	return x->finding != y->finding ? (x->finding > y->finding) - (x->finding < y->finding)
	                                : (x->id > y->id) - (x->id < y->id);
}

static int delete_flows(struct flowdb *db, const struct retain_step *step,
                        struct old_flow *flows, size_t count, struct err *err)
{
	sqlite3_stmt *stmt;
	size_t first = 0;
	int r = sql_slot(db, SLOT_FLOW_DELETE, "DELETE FROM flow WHERE id = ?1", &stmt, err);

	qsort(flows, count, sizeof(*flows), by_finding);
	for (size_t i = 0; i < count && r >= 0; i++) {
		sqlite3_bind_int64(stmt, 1, flows[i].id);
		r = sql_run(db, stmt, err);
		if (r >= 0 &&
		    (i + 1 == count || flows[i + 1].finding != flows[first].finding)) {
			r = rows_gone(db, step, flows[first].finding, i + 1 - first, err);
			first = i + 1;
		}
	}
	return r;
}

/* ------------------------------------------------------------------ leaves */

/*
 * What else grew old; ?2: the run that is spared. Times of these mostly rise with their numbers: only the first ones are
 * looked at. What a replay of an older capture wrote stands behind younger rows, and goes when those have gone.
 */
#define EVIDENCE_GOES \
	"DELETE FROM evidence WHERE id IN (SELECT id FROM evidence ORDER BY id LIMIT " FIRST_TEXT \
	") AND time_us < ?1 AND run <> ?2 RETURNING coalesce(finding, 0)"
static const char *const FIRST[] = {
	"DELETE FROM blind WHERE id IN (SELECT id FROM blind ORDER BY id LIMIT " FIRST_TEXT
	") AND until_us < ?1 AND run IS NOT ?2",
};
/* What bears no run: that one saw it once it had begun. */
#define CUT "min(?1, coalesce((SELECT first_us FROM run WHERE id = ?2), ?1))"
static const char *const LEAVES[] = {
	"DELETE FROM evidence_day WHERE (day + 1) * 86400000000 <= " CUT,
	"DELETE FROM name_seen WHERE run <> ?2 AND " NAME_SPENT,
	"DELETE FROM lease WHERE run <> ?2 AND " LEASE_SPENT,
	"DELETE FROM unit_address WHERE last_us < " CUT,
};
#define FINDINGS_SPENT \
	"SELECT id FROM finding WHERE NOT open AND kept = 0 AND last_us < ?1" \
	" AND id < (SELECT max(id) FROM finding)" \
	" AND NOT EXISTS (SELECT 1 FROM flow WHERE flow.finding = finding.id)" \
	" AND NOT EXISTS (SELECT 1 FROM evidence WHERE evidence.finding = finding.id)"

/* What no flow names any more of in what they differ. Such a step deletes some thousand flows: it keeps up. */
static int delete_differs(struct flowdb *db, struct err *err)
{
	return sql_exec(db,
	                "DELETE FROM differs WHERE id IN (SELECT DISTINCT id FROM differs WHERE " DIFFERS_SPENT
	                " ORDER BY id LIMIT " FIRST_TEXT ")",
	                err);
}

static int delete_all(struct flowdb *db, const char *const *texts, size_t count,
                      const struct retain_step *step, bool *ret_any, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < count && r >= 0; i++) {
		CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;

		r = sql_prepare(db, texts[i], &stmt, err);
		if (r < 0)
			break;
		bind_all(stmt, (const int64_t[]){step->cut_us, step->spared_run}, 2);
		r = sql_run(db, stmt, err);
		*ret_any |= r >= 0 && sqlite3_changes(db->sql) > 0;
	}
	return r;
}

/* Numbers of findings. */
struct numbers {
	int64_t *all;
	size_t count, room;
};

static int numbers_of(struct flowdb *db, const char *text, const struct retain_step *step,
                      struct numbers *numbers, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db, text, &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, (const int64_t[]){step->cut_us, step->spared_run},
	         (size_t)sqlite3_bind_parameter_count(stmt));
	while ((r = sql_step(db, stmt, err)) > 0) {
		if (array_reserve(&numbers->all, &numbers->room, numbers->count + 1,
		                  sizeof(*numbers->all)) < 0)
			return err_set(err, -ENOMEM, "out of memory");
		numbers->all[numbers->count++] = sqlite3_column_int64(stmt, 0);
	}
	return r;
}

/* Closed, and nothing is left of them, nor does the recorder know them. */
static int delete_findings(struct flowdb *db, const struct retain_step *step, bool *ret_any,
                           struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	struct numbers spent = {0};
	int r = numbers_of(db, FINDINGS_SPENT, step, &spent, err);

	if (r >= 0)
		r = sql_prepare(db, "DELETE FROM finding WHERE id = ?1", &stmt, err);
	for (size_t i = 0; i < spent.count && r >= 0; i++) {
		if (step->knows && step->knows(step->context, spent.all[i]))
			continue;
		sqlite3_bind_int64(stmt, 1, spent.all[i]);
		r = sql_run(db, stmt, err);
		*ret_any = true;
	}
	free(spent.all);
	return r;
}

/* -------------------------------------------------------------------- step */

/* One after the other, each once: what is deleted of a finding lies mostly together. */
static int tell_emptied(const struct retain_step *step, const struct numbers *lost,
                        struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < lost->count && r >= 0; i++)
		if (lost->all[i] && (!i || lost->all[i] != lost->all[i - 1]))
			r = step->emptied(step->context, lost->all[i], err);
	return r;
}

static int retain(struct flowdb *db, struct retain_step *step, struct old_flow *flows,
                  size_t count, bool over, struct err *err)
{
	bool any = count > 0;
	struct numbers lost = {0};
	int r = flowdb_begin(db, err);

	if (r < 0)
		return r;
	r = delete_flows(db, step, flows, count, err);
	if (r >= 0)
		r = numbers_of(db, EVIDENCE_GOES, step, &lost, err);
	any |= lost.count > 0;
	if (r >= 0)
		r = delete_all(db, FIRST, ARRAY_LEN(FIRST), step, &any, err);
	if (r >= 0)
		r = delete_differs(db, err);
	if (r >= 0 && over && step->leaves)
		r = delete_all(db, LEAVES, ARRAY_LEN(LEAVES), step, &any, err);
	if (r >= 0 && over && step->leaves)
		r = delete_findings(db, step, &any, err);
	if (r >= 0 && any)
		r = removed_add(db, REMOVAL_RETENTION, step->cut_us, count, "", err);
	if (r >= 0)
		r = flowdb_commit(db, err);
	if (r < 0)
		flowdb_rollback(db);
	else
		step->flows = count;
	if (r >= 0 && step->emptied)
		r = tell_emptied(step, &lost, err);
	free(lost.all);
	return r;
}

int flowdb_retain(struct flowdb *db, struct retain_step *step, struct err *err)
{
	CLEANUP(freep) struct old_flow *flows = calloc(step->flows_max, sizeof(*flows));
	int64_t unit = step->after_unit;
	size_t count = 0;
	int state, r;

	step->flows = 0;
	if (!flows)
		return err_set(err, -ENOMEM, "out of memory");
	state = gather(db, step, flows, &count, err);
	if (state < 0 || (state == RETAIN_MORE && !count))
		return state;
	r = is_held(db, err);
	if (r > 0)
		step->after_unit = unit;
	if (r)
		return r < 0 ? r : RETAIN_HELD;
	r = retain(db, step, flows, count, state == RETAIN_OVER, err);
	return r < 0 ? r : state;
}

/* At most `most`: flows that ended before and may go. */
static int count_ended(struct flowdb *db, int64_t before_us, int64_t spared_run, int64_t most,
                       int64_t *ret, struct err *err)
{
	const int64_t values[] = {before_us, spared_run, most};
	int r = sql_ask(db,
	                "SELECT count(*) FROM (SELECT 1 FROM unit u CROSS JOIN flow f ON f.unit = u.id"
	                " AND f.start_us < ?1 WHERE f.start_us + f.lasted_us < ?1 AND f.run <> ?2"
	                " AND f.id < (SELECT max(id) FROM flow) LIMIT ?3)",
	                values, ARRAY_LEN(values), ret, err);

	return r < 0 ? r : 0;
}

/* Numbers say nothing: a flow that is open for days has a low one, and so has all of a capture that was read first. */
int flowdb_oldest(struct flowdb *db, uint64_t count, int64_t spared_run, int64_t until_us,
                  int64_t *ret_us, struct err *err)
{
	int64_t ended = 0, low = 0, high = until_us, most = (int64_t)count + 1;
	int r = sql_ask(db, "SELECT min((SELECT min(start_us) FROM flow WHERE unit = u.id)) FROM unit u",
	                NULL, 0, &low, err);

	*ret_us = 0;
	if (r >= 0)
		r = count_ended(db, high, spared_run, most, &ended, err);
	if (r < 0 || !ended)
		return r < 0 ? r : 0;
	while (ended >= most && high - low > OLDEST_US) {
		int64_t middle = low + (high - low) / 2, earlier;

		r = count_ended(db, middle, spared_run, most, &earlier, err);
		if (r < 0)
			return r;
		if (earlier) {
			high = middle;
			ended = earlier;
		} else {
			low = middle;
		}
	}
	*ret_us = high;
	return 0;
}

int flowdb_shrink(struct flowdb *db, unsigned pages, struct err *err)
{
	char text[64];

	snprintf(text, sizeof(text), "PRAGMA incremental_vacuum(%u)", pages);
	return sql_exec(db, text, err);
}

int flowdb_extent(struct flowdb *db, struct extent *ret, struct err *err)
{
	int64_t size = 0, pages = 0, free_pages = 0;
	int r = sql_ask(db, "PRAGMA page_size", NULL, 0, &size, err);

	if (r >= 0)
		r = sql_ask(db, "PRAGMA page_count", NULL, 0, &pages, err);
	if (r >= 0)
		r = sql_ask(db, "PRAGMA freelist_count", NULL, 0, &free_pages, err);
	if (r < 0)
		return r;
	*ret = (struct extent){
		.used = (uint64_t)((pages - free_pages) * size),
		.free = (uint64_t)(free_pages * size),
		.page = (uint64_t)size,
	};
	return 0;
}
