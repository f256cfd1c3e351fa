/*
 * flowdb_finding.c - see flowdb_query.h: findings, one by one and gathered over units, and what became of them.
 */
#include "schema/flowdb_sql.h"
#include "schema/hashes.h"

#include <xxhash.h>

/* From column `at` on: the id, the unit's name, FINDING_NUMBERS, FINDING_TEXTS. */
static void read_finding(sqlite3_stmt *stmt, int at, struct finding_row *row)
{
	*row = (struct finding_row){
		.unit = sqlite3_column_int64(stmt, at + 2),
		.kind = (uint8_t)sqlite3_column_int(stmt, at + 3),
		.severity = (uint8_t)sqlite3_column_int(stmt, at + 4),
		.transport = (uint8_t)sqlite3_column_int(stmt, at + 5),
		.app = (uint16_t)sqlite3_column_int(stmt, at + 6),
		.first_us = sqlite3_column_int64(stmt, at + 7),
		.last_us = sqlite3_column_int64(stmt, at + 8),
		.flows = (uint64_t)sqlite3_column_int64(stmt, at + 9),
		.kept = (uint64_t)sqlite3_column_int64(stmt, at + 10),
		.bytes = (uint64_t)sqlite3_column_int64(stmt, at + 11),
		.open = sqlite3_column_int(stmt, at + 12),
	};
	text_copy(row->row, sizeof(row->row), column_text(stmt, at + 13));
	text_copy(row->remote, sizeof(row->remote), column_text(stmt, at + 14));
	text_copy(row->role, sizeof(row->role), column_text(stmt, at + 15));
	text_copy(row->port, sizeof(row->port), column_text(stmt, at + 16));
	text_copy(row->reason, sizeof(row->reason), column_text(stmt, at + 17));
	text_copy(row->waiver, sizeof(row->waiver), column_text(stmt, at + 18));
}

#define FINDING_NUMBERS \
	"g.unit, g.kind, g.severity, g.transport, g.application, g.first_us, g.last_us, g.flows," \
	" g.kept, g.bytes, g.open"
#define FINDING_TEXTS "coalesce(e.text, ''), g.remote, g.role, g.port, g.reason, g.waiver"


/* Of its last change: whoever made it, if a person did. */
#define LAST_CHANGE(column) \
	"(SELECT c." column " FROM finding_change c WHERE c.finding = g.id ORDER BY c.id DESC" \
	" LIMIT 1)"
#define FINDING_PERSON \
	LAST_CHANGE("by_whom") ", " LAST_CHANGE("why") ", " LAST_CHANGE("at_us")
#define FINDING_COLUMNS "g.id, u.name, " FINDING_NUMBERS ", " FINDING_TEXTS ", " FINDING_PERSON
#define FINDING_FROM \
	" FROM finding g JOIN unit u ON u.id = g.unit LEFT JOIN envelope_row e ON e.id = g.row WHERE 1"

/* Statements over the chain, in the order of `keys`, one finding after the other. */
static int findings_merge(struct flowdb *db, const struct finding_query *query, const char *keys,
                          unsigned key_count, uint64_t down, const char *columns, const char *where,
                          struct merge *merge, struct err *err)
{
	CLEANUP(freep) char *sql = malloc(WHERE_MAX);
	int r = sql ? 0 : err_set(err, -ENOMEM, "out of memory");

	merge_init(merge, key_count, down, query->flow.limit);
	for (struct flowdb *first = db; db && r >= 0; db = query->flow.alone ? NULL : db->next) {
		snprintf(sql, WHERE_MAX, "SELECT %s, %s" FINDING_FROM "%s", keys, columns, where);
		r = twice_findings(first, db, sql, query, err);
		if (r < 0)
			break;
		sorting_add(sql, key_count, down);
		r = merge_add(merge, db, sql, &query->flow, err);
	}
	return r;
}

int flowdb_without_row(struct flowdb *db, const struct finding_query *query, uint64_t *ret_flows,
                       struct err *err)
{
	struct finding_query whole = *query;
	struct merge merge;
	struct flowdb *from;
	sqlite3_stmt *stmt;
	char where[64];
	int r = query_check_units(db, &query->flow, err);

	if (r < 0)
		return r;
	*ret_flows = 0;
	whole.flow.limit = 0;
	snprintf(where, sizeof(where), " AND g.kept < g.flows AND g.kind <> %d", KIND_UNLISTED_UNIT);
	r = findings_merge(db, &whole, "g.id", 1, 0, "g.flows - g.kept", where, &merge, err);
	while (r >= 0 && (r = merge_next(&merge, &from, &stmt, err)) > 0)
		*ret_flows += (uint64_t)sqlite3_column_int64(stmt, 1);
	merge_release(&merge);
	return r < 0 ? r : 0;
}

/* Open before closed, waived last, worst first; id tells apart what is alike in one database. */
#define NATURAL_KEYS \
	"g.open, g.waiver <> '', g.severity, g.flows, g.kind, coalesce(e.text, ''), g.remote," \
	" g.role, g.port, u.name, g.id"
#define NATURAL_COUNT 11
#define NATURAL_DOWN (BIT(0) | BIT(2) | BIT(3))

int flowdb_findings(struct flowdb *db, const struct finding_query *query,
                    int (*each)(void *context, const struct finding_view *finding,
                                struct err *err),
                    void *context, struct err *err)
{
	char keys[sizeof(((struct sorting *)0)->columns) + sizeof(NATURAL_KEYS)];
	struct sorting sorting;
	struct merge merge;
	struct flowdb *from;
	sqlite3_stmt *stmt;
	int at, r = query_check_units(db, &query->flow, err);

	if (r >= 0)
		r = sorting_of(THING_FINDINGS, query->flow.sort, &sorting, err);
	if (r < 0)
		return r;
	snprintf(keys, sizeof(keys), "%s" NATURAL_KEYS, sorting.columns);
	at = (int)sorting.count + NATURAL_COUNT;
	r = findings_merge(db, query, keys, (unsigned)at,
	                   sorting.down | (uint64_t)NATURAL_DOWN << sorting.count, FINDING_COLUMNS,
	                   "", &merge, err);
	while (r >= 0 && (r = merge_next(&merge, &from, &stmt, err)) > 0) {
		struct finding_view view = {.id = sqlite3_column_int64(stmt, at),
		                            .sensor = from->sensor,
		                            .unit = column_text(stmt, at + 1),
		                            .by = column_text(stmt, at + 19),
		                            .why = column_text(stmt, at + 20),
		                            .at_us = sqlite3_column_int64(stmt, at + 21)};

		read_finding(stmt, at, &view.row);
		r = each(context, &view, err);
		if (r)
			break;
	}
	merge_release(&merge);
	return r < 0 ? r : 0;
}

int flowdb_finding_changes(struct flowdb *db, int64_t run, int64_t after, uint64_t limit,
                           int (*each)(void *context, const struct change_view *change,
                                       struct err *err),
                           void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db,
		"SELECT g.id, u.name, " FINDING_NUMBERS ", " FINDING_TEXTS
		", c.id, c.run, c.time_us,"
		" c.state, (SELECT x.id FROM flow x WHERE x.finding = g.id ORDER BY x.start_us, x.id LIMIT 1),"
		" c.by_whom, c.why"
		" FROM finding_change c CROSS JOIN finding g ON g.id = c.finding"
		" JOIN unit u ON u.id = g.unit LEFT JOIN envelope_row e ON e.id = g.row"
		" WHERE c.id > ?2 AND +c.run = ?1 ORDER BY c.id LIMIT ?3",
		&stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, (const int64_t[]){run, after, (int64_t)limit}, 3);
	while ((r = sql_step(db, stmt, err)) > 0) {
		struct change_view view = {
			.finding = {.id = sqlite3_column_int64(stmt, 0),
		                    .unit = column_text(stmt, 1)},
			.id = sqlite3_column_int64(stmt, 19),
			.run = sqlite3_column_int64(stmt, 20),
			.time_us = sqlite3_column_int64(stmt, 21),
			.state = (uint8_t)sqlite3_column_int(stmt, 22),
			.flow = sqlite3_column_int64(stmt, 23),
			.by = column_text(stmt, 24),
			.why = column_text(stmt, 25),
		};

		read_finding(stmt, 0, &view.finding.row);
		r = each(context, &view, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}

int flowdb_last_change(struct flowdb *db, int64_t run, int64_t *ret_id, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(
		db, "SELECT id FROM finding_change WHERE +run < ?1 ORDER BY id DESC LIMIT 1",
		&stmt, err);
	if (r < 0)
		return r;
	bind_all(stmt, &run, 1);
	r = sql_step(db, stmt, err);
	if (r < 0)
		return r;
	*ret_id = r ? sqlite3_column_int64(stmt, 0) : 0;
	return 0;
}

/* A group that is made, and what its head said of itself. */
struct grouped {
	struct finding_group group;
	struct flowdb *from; /* of the head */
	uint64_t head_flows;
	char unit[256];
};

struct gathering {
	struct grouped **all;
	size_t count, room;
	struct hashes groups, units; /* units: pairs of group and unit, by their hash alone */
};

/* As they lie in the table: they are brought together here, for sorting them takes longer. */
#define GROUP_KEYS "g.id"
#define GROUP_KEY_COUNT 1
/* As FINDING_COLUMNS, without the long texts: few are ever told. */
#define GROUP_COLUMNS \
	"g.id, u.name, " FINDING_NUMBERS ", coalesce(e.text, ''), g.remote, g.role, g.port, ''," \
	" iif(g.waiver = '', '', '?')"

static bool is_alike(const struct finding_row *a, const struct finding_row *b)
{
	return a->kind == b->kind && !strcmp(a->row, b->row) && !strcmp(a->remote, b->remote) &&
	       !strcmp(a->role, b->role) && !strcmp(a->port, b->port) && a->open == b->open &&
	       !*a->waiver == !*b->waiver;
}

/* Of what is_alike() compares. */
static uint64_t hash_of(const struct finding_row *row)
{
	const char *const texts[] = {row->row, row->remote, row->role, row->port};
	uint64_t hash = (uint64_t)row->kind << 2 | (uint64_t)row->open << 1 | !*row->waiver;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		hash = XXH3_64bits_withSeed(texts[i], strlen(texts[i]), hash);
	return hash;
}

/* The head is the finding with most flows, the first of these. */
static void take_head(struct grouped *to, struct flowdb *from, const struct finding_view *finding)
{
	struct finding_row *sum = &to->group.row;
	const struct finding_row *row = &finding->row;

	to->group.id = finding->id;
	to->group.sensor = finding->sensor;
	to->from = from;
	to->head_flows = row->flows;
	text_copy(to->unit, sizeof(to->unit), finding->unit);
	to->group.unit = to->unit;
	sum->unit = row->unit;
	sum->transport = row->transport;
	sum->app = row->app;
}

/* Whether the group's finding of this unit is the first one of it. */
static int gather_unit(struct gathering *gathering, size_t number, const char *unit,
                       struct err *err)
{
	uint64_t hash = XXH3_64bits_withSeed(unit, strlen(unit), number);
	struct hashed *place;
	int r = hashes_reserve(&gathering->units, err);

	if (r < 0)
		return r;
	place = hashed_next(&gathering->units, hash, NULL);
	if (place->number)
		return 0;
	hashed_take(&gathering->units, place, hash, number);
	gathering->all[number - 1]->group.units++;
	return 0;
}

static void gather_more(struct grouped *to, struct flowdb *from,
                        const struct finding_view *finding)
{
	struct finding_group *group = &to->group;
	const struct finding_row *row = &finding->row;
	struct finding_row *sum = &group->row;

	group->findings++;
	if (row->app < group->apps[0])
		group->apps[0] = row->app;
	if (row->app > group->apps[1])
		group->apps[1] = row->app;
	if (row->transport < group->transports[0])
		group->transports[0] = row->transport;
	if (row->transport > group->transports[1])
		group->transports[1] = row->transport;
	if (row->severity > sum->severity)
		sum->severity = row->severity;
	if (row->first_us < sum->first_us)
		sum->first_us = row->first_us;
	if (row->last_us > sum->last_us)
		sum->last_us = row->last_us;
	sum->flows += row->flows;
	sum->kept += row->kept;
	sum->bytes += row->bytes;
	if (row->flows > to->head_flows ||
	    (row->flows == to->head_flows &&
	     (finding->id < group->id ||
	      (finding->id == group->id && strcmp(finding->unit, to->unit) < 0))))
		take_head(to, from, finding);
}

static int gather_new(struct gathering *gathering, struct flowdb *from,
                      const struct finding_view *finding, struct err *err)
{
	const struct finding_row *row = &finding->row;
	struct grouped *new;

	if (array_reserve(&gathering->all, &gathering->room, gathering->count + 1,
	                  sizeof(*gathering->all)) < 0 ||
	    !(new = malloc(sizeof(*new))))
		return err_set(err, -ENOMEM, "out of memory");
	gathering->all[gathering->count++] = new;
	new->group = (struct finding_group){
		.findings = 1,
		.apps = {row->app, row->app},
		.transports = {row->transport, row->transport},
		.row = *row,
	};
	take_head(new, from, finding);
	return 0;
}

static int gather_one(struct gathering *gathering, struct flowdb *from,
                      const struct finding_view *finding, struct err *err)
{
	uint64_t hash = hash_of(&finding->row);
	struct hashed *place = NULL;
	size_t number = 0;
	int r = hashes_reserve(&gathering->groups, err);

	if (r < 0)
		return r;
	do {
		place = hashed_next(&gathering->groups, hash, place);
		number = place->number;
	} while (number && !is_alike(&gathering->all[number - 1]->group.row, &finding->row));
	if (number) {
		gather_more(gathering->all[number - 1], from, finding);
	} else {
		r = gather_new(gathering, from, finding, err);
		if (r < 0)
			return r;
		number = gathering->count;
		hashed_take(&gathering->groups, place, hash, number);
	}
	return gather_unit(gathering, number, finding->unit, err);
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return a < b ? -1 : a > b;
}

static int compare_groups(const void *a, const void *b)
{
	const struct finding_group *x = &(*(struct grouped *const *)a)->group,
				   *y = &(*(struct grouped *const *)b)->group;
	int order = compare_numbers(y->row.open, x->row.open);

	if (!order)
		order = compare_numbers(*x->row.waiver != '\0', *y->row.waiver != '\0');
	if (!order)
		order = compare_numbers(y->row.severity, x->row.severity);
	if (!order)
		order = compare_numbers(y->units, x->units);
	if (!order)
		order = compare_numbers(y->row.flows, x->row.flows);
	if (!order)
		order = compare_numbers(x->row.kind, y->row.kind);
	if (!order)
		order = strcmp(x->row.row, y->row.row);
	if (!order)
		order = strcmp(x->row.remote, y->row.remote);
	if (!order)
		order = strcmp(x->row.role, y->row.role);
	return order ? order : strcmp(x->row.port, y->row.port);
}

static int gather(struct flowdb *db, const struct finding_query *query,
                  struct gathering *gathering, struct err *err)
{
	struct finding_query whole = *query;
	struct merge merge;
	struct flowdb *from;
	sqlite3_stmt *stmt;
	int r;

	whole.flow.limit = 0;
	r = findings_merge(db, &whole, GROUP_KEYS, GROUP_KEY_COUNT, 0, GROUP_COLUMNS, "",
	                   &merge, err);
	while (r >= 0 && (r = merge_next(&merge, &from, &stmt, err)) > 0) {
		struct finding_view view = {.id = sqlite3_column_int64(stmt, GROUP_KEY_COUNT),
		                            .sensor = from->sensor,
		                            .unit = column_text(stmt, GROUP_KEY_COUNT + 1)};

		read_finding(stmt, GROUP_KEY_COUNT, &view.row);
		r = gather_one(gathering, from, &view, err);
	}
	merge_release(&merge);
	return r;
}

/* The head's long texts. */
static int read_head(struct grouped *gathered, struct err *err)
{
	struct finding_row *row = &gathered->group.row;
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(gathered->from, "SELECT reason, waiver, " LAST_CHANGE("by_whom") ", " LAST_CHANGE("why")
	                    " FROM finding g WHERE id = ?1",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, &gathered->group.id, 1);
	r = sql_step(gathered->from, stmt, err);
	if (r < 0)
		return r;
	text_copy(row->reason, sizeof(row->reason), column_text(stmt, 0));
	text_copy(row->waiver, sizeof(row->waiver), column_text(stmt, 1));
	text_copy(gathered->group.by, sizeof(gathered->group.by), column_text(stmt, 2));
	text_copy(gathered->group.why, sizeof(gathered->group.why), column_text(stmt, 3));
	return 0;
}

int flowdb_finding_groups(struct flowdb *db, const struct finding_query *query,
                          int (*each)(void *context, const struct finding_group *group,
                                      struct err *err),
                          void *context, struct err *err)
{
	struct gathering gathering = {0};
	int r = query_check_units(db, &query->flow, err);

	if (r >= 0)
		r = gather(db, query, &gathering, err);
	if (r >= 0 && gathering.count)
		qsort(gathering.all, gathering.count, sizeof(*gathering.all), compare_groups);
	for (size_t i = 0; i < gathering.count && r >= 0; i++) {
		if (query->flow.limit && i == query->flow.limit)
			break;
		r = read_head(gathering.all[i], err);
		if (r >= 0)
			r = each(context, &gathering.all[i]->group, err);
		if (r > 0)
			break;
	}
	for (size_t i = 0; i < gathering.count; i++)
		free(gathering.all[i]);
	free(gathering.all);
	hashes_release(&gathering.groups);
	hashes_release(&gathering.units);
	return r < 0 ? r : 0;
}

int flowdb_finding_persons(struct flowdb *db, int64_t finding,
                           int (*each)(void *context, const struct change_view *change,
                                       struct err *err),
                           void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	int r = sql_prepare(db,
	                    "SELECT id, run, state, by_whom, why, at_us FROM finding_change"
	                    " WHERE finding = ?1 AND by_whom <> '' ORDER BY id",
	                    &stmt, err);

	if (r < 0)
		return r;
	bind_all(stmt, &finding, 1);
	while ((r = sql_step(db, stmt, err)) > 0) {
		const struct change_view view = {
			.id = sqlite3_column_int64(stmt, 0),
			.run = sqlite3_column_int64(stmt, 1),
			.state = (uint8_t)sqlite3_column_int(stmt, 2),
			.by = column_text(stmt, 3),
			.why = column_text(stmt, 4),
			.time_us = sqlite3_column_int64(stmt, 5),
		};

		r = each(context, &view, err);
		if (r)
			break;
	}
	return r < 0 ? r : 0;
}
