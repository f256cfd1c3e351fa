/*
 * flowdb_sums.c - see flowdb_incident.h: the flows of a window, added up. They are read as they lie there and
 * brought together here; an id is looked up once. SQLite takes three times as long to group and join them.
 */
#include "schema/flowdb_incident.h"
#include "schema/flowdb_sql.h"
#include "schema/hashes.h"

#include <xxhash.h>

/* By what flows are told apart: small numbers, packed so that they sort as they stand; ids. */
enum {
	KEY_FACTS,
	KEY_VERDICT,
	KEY_FINDING,
	KEY_NAME_KIND,
	KEY_REMOTE,
	KEY_NAME,
	KEY_ROW,
	KEY_POLICY,
	KEY_COUNT
};

struct gathered {
	struct flow_sum sum;
	int64_t key[KEY_COUNT];
};

/* What ids of a table stand for. */
struct lookup {
	sqlite3_stmt *stmt;
	struct meaning {
		struct addr addr;
		char *text; /* NULL: the id stands for nothing */
	} * all;
	size_t count, room;
	struct hashes hashes;
};

enum { LOOKUP_HOST, LOOKUP_NAME, LOOKUP_ROW, LOOKUP_POLICY, LOOKUP_COUNT };
static const char *const LOOKUPS[LOOKUP_COUNT] = {
	[LOOKUP_HOST] = "SELECT '', bytes FROM host WHERE id = ?1",
	[LOOKUP_NAME] = "SELECT text FROM name WHERE id = ?1",
	[LOOKUP_ROW] = "SELECT text FROM envelope_row WHERE id = ?1",
	[LOOKUP_POLICY] = "SELECT hash FROM policy WHERE id = ?1",
};

struct gathering {
	struct flowdb *db;
	struct gathered *all;
	size_t count, room;
	struct hashes hashes;
	struct lookup lookups[LOOKUP_COUNT];
};

static void gathering_release(struct gathering *gathering)
{
	for (size_t i = 0; i < LOOKUP_COUNT; i++) {
		struct lookup *lookup = &gathering->lookups[i];

		stmt_finalizep(&lookup->stmt);
		for (size_t j = 0; j < lookup->count; j++)
			free(lookup->all[j].text);
		free(lookup->all);
		hashes_release(&lookup->hashes);
	}
	free(gathering->all);
	hashes_release(&gathering->hashes);
}

static int look_up(struct flowdb *db, struct lookup *lookup, int64_t id, struct err *err)
{
	struct meaning *meaning;
	int r;

	if (array_reserve(&lookup->all, &lookup->room, lookup->count + 1,
	                  sizeof(*lookup->all)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	meaning = &lookup->all[lookup->count++];
	sqlite3_reset(lookup->stmt);
	bind_one(lookup->stmt, 1, id);
	r = sql_step(db, lookup->stmt, err);
	if (r <= 0)
		return r;
	meaning->text = strdup(column_text(lookup->stmt, 0));
	if (sqlite3_column_count(lookup->stmt) > 1)
		column_addr(lookup->stmt, 1, &meaning->addr);
	return meaning->text ? 0 : err_set(err, -ENOMEM, "out of memory");
}

/* *ret_meaning may move with the next lookup. */
static int find_meaning(struct gathering *gathering, unsigned which, int64_t id,
                        const struct meaning **ret_meaning, struct err *err)
{
	struct lookup *lookup = &gathering->lookups[which];
	struct hashed *place;
	int r = hashes_reserve(&lookup->hashes, err);

	if (r >= 0 && !lookup->stmt)
		r = sql_prepare(gathering->db, LOOKUPS[which], &lookup->stmt, err);
	if (r < 0)
		return r;
	place = hashed_next(&lookup->hashes, (uint64_t)id, NULL);
	if (!place->number) {
		r = look_up(gathering->db, lookup, id, err);
		if (r < 0)
			return r;
		hashed_take(&lookup->hashes, place, (uint64_t)id, lookup->count);
	}
	*ret_meaning = &lookup->all[place->number - 1];
	return 0;
}

/* One that was just begun. 0: its peer or policy is not there, and it is none. */
static int give_meaning(struct gathering *gathering, struct gathered *new, struct err *err)
{
	const int64_t ids[LOOKUP_COUNT] = {
		[LOOKUP_HOST] = new->key[KEY_REMOTE],
		[LOOKUP_NAME] = new->key[KEY_NAME],
		[LOOKUP_ROW] = new->key[KEY_ROW],
		[LOOKUP_POLICY] = new->key[KEY_POLICY],
	};
	const struct meaning *meaning;
	const char *texts[LOOKUP_COUNT];

	for (unsigned i = 0; i < LOOKUP_COUNT; i++) {
		int r = find_meaning(gathering, i, ids[i], &meaning, err);

		if (r < 0)
			return r;
		texts[i] = meaning->text;
		if (i == LOOKUP_HOST)
			new->sum.remote = meaning->addr;
	}
	new->sum.name = texts[LOOKUP_NAME] ? texts[LOOKUP_NAME] : "";
	new->sum.row = texts[LOOKUP_ROW] ? texts[LOOKUP_ROW] : "";
	new->sum.policy = texts[LOOKUP_POLICY];
	new->sum.ids[TRAIT_PEER] = ids[LOOKUP_HOST];
	new->sum.ids[TRAIT_NAME] = ids[LOOKUP_NAME];
	new->sum.ids[TRAIT_ROW] = ids[LOOKUP_ROW];
	return texts[LOOKUP_HOST] && texts[LOOKUP_POLICY];
}

#define COLUMNS \
	"f.remote, f.name, f.row, f.policy, f.finding, f.transport, f.local_port, f.remote_port," \
	" f.application, f.verdict, f.kind, f.said, f.how, f.start_us, f.lasted_us, f.packets_out," \
	" f.packets_in, f.bytes_out, f.bytes_in"

/* Of one flow; without what its ids stand for. */
static void read_flow(sqlite3_stmt *stmt, const struct unit_window *window,
                      struct gathered *flow)
{
	int64_t said = sqlite3_column_int64(stmt, 11), how = sqlite3_column_int64(stmt, 12);
	int64_t first_us = sqlite3_column_int64(stmt, 13);
	int64_t last_us = first_us + sqlite3_column_int64(stmt, 14);
	struct flow_sum *sum = &flow->sum;

	*sum = (struct flow_sum){
		.finding = sqlite3_column_int64(stmt, 4),
		.transport = (uint8_t)sqlite3_column_int(stmt, 5),
		.app = (uint16_t)sqlite3_column_int(stmt, 8),
		.ruling = (uint8_t)sqlite3_column_int(stmt, 9),
		.kind = (uint8_t)sqlite3_column_int(stmt, 10),
		.evidence = said >> SAID_EVIDENCE & 3,
		.direction = said >> SAID_DIRECTION & 3,
		.grade = said >> SAID_GRADE & 3,
		.media = said >> SAID_MEDIA & 7,
		.why = said >> SAID_WHY & 15,
		.severity = said >> SAID_SEVERITY & 7,
		.blind = said >> SAID_BLIND & 1,
		.name_kind = how >> HOW_NAME_KIND & 3,
		.flows = 1,
		.before = first_us<window->since_us, .after = last_us> window->until_us,
		.packets_out = (uint64_t)sqlite3_column_int64(stmt, 15),
		.packets_in = (uint64_t)sqlite3_column_int64(stmt, 16),
		.bytes_out = (uint64_t)sqlite3_column_int64(stmt, 17),
		.bytes_in = (uint64_t)sqlite3_column_int64(stmt, 18),
		.first_us = first_us,
		.last_us = last_us,
	};
	sum->port = (uint16_t)sqlite3_column_int(stmt, sum->direction == DIRECTION_IN ? 6 : 7);
	flow->key[KEY_FACTS] = (int64_t)sum->transport << 39 | (int64_t)sum->port << 23 |
	                       (int64_t)sum->direction << 21 | sum->app << 5 |
	                       sum->evidence << 3 | sum->media;
	flow->key[KEY_VERDICT] = (int64_t)sum->ruling << 17 | sum->grade << 15 |
	                         sum->why << 11 | sum->kind << 3 | sum->severity;
	flow->key[KEY_FINDING] = sum->finding;
	flow->key[KEY_NAME_KIND] = sum->name_kind;
	flow->key[KEY_REMOTE] = sqlite3_column_int64(stmt, 0);
	flow->key[KEY_NAME] = sqlite3_column_int64(stmt, 1);
	flow->key[KEY_ROW] = sqlite3_column_int64(stmt, 2);
	flow->key[KEY_POLICY] = sqlite3_column_int64(stmt, 3);
}

static void sum_up(struct flow_sum *to, const struct flow_sum *flow)
{
	to->flows += flow->flows;
	to->before += flow->before;
	to->after += flow->after;
	to->blind += flow->blind;
	to->packets_out += flow->packets_out;
	to->packets_in += flow->packets_in;
	to->bytes_out += flow->bytes_out;
	to->bytes_in += flow->bytes_in;
	if (flow->first_us < to->first_us)
		to->first_us = flow->first_us;
	if (flow->last_us > to->last_us)
		to->last_us = flow->last_us;
}

static int gather(struct gathering *gathering, struct gathered *flow, struct err *err)
{
	uint64_t hash = XXH3_64bits(flow->key, sizeof(flow->key));
	struct hashed *place = NULL;
	int r = hashes_reserve(&gathering->hashes, err);

	if (r < 0)
		return r;
	do {
		place = hashed_next(&gathering->hashes, hash, place);
		if (place->number && !memcmp(gathering->all[place->number - 1].key, flow->key,
		                             sizeof(flow->key))) {
			sum_up(&gathering->all[place->number - 1].sum, &flow->sum);
			return 0;
		}
	} while (place->number);
	r = give_meaning(gathering, flow, err);
	if (r <= 0)
		return r;
	if (array_reserve(&gathering->all, &gathering->room, gathering->count + 1,
	                  sizeof(*flow)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	gathering->all[gathering->count++] = *flow;
	hashed_take(&gathering->hashes, place, hash, gathering->count);
	return 0;
}

/* Not by ids, which differ from database to database. */
static int compare_gathered(const void *a, const void *b)
{
	const struct gathered *x = a, *y = b;
	int order = memcmp(x->sum.remote.b, y->sum.remote.b, sizeof(x->sum.remote.b));

	if (!order)
		order = (x->sum.first_us > y->sum.first_us) -
		        (x->sum.first_us < y->sum.first_us);
	for (unsigned i = KEY_FACTS; !order && i <= KEY_NAME_KIND; i++)
		order = (x->key[i] > y->key[i]) - (x->key[i] < y->key[i]);
	if (!order)
		order = strcmp(x->sum.row, y->sum.row);
	if (!order)
		order = strcmp(x->sum.name, y->sum.name);
	return order ? order : strcmp(x->sum.policy, y->sum.policy);
}

int flowdb_flow_sums(struct flowdb *db, const struct unit_window *window,
                     int (*each)(void *context, const struct flow_sum *sum, struct err *err),
                     void *context, struct err *err)
{
	CLEANUP(stmt_finalizep) sqlite3_stmt *stmt = NULL;
	CLEANUP(gathering_release) struct gathering gathering = {.db = db};
	int r = sql_prepare(db, FLOWS_OF_WINDOW(COLUMNS), &stmt, err);

	if (r >= 0)
		bind_unit_window(stmt, window);
	while (r >= 0 && (r = sql_step(db, stmt, err)) > 0) {
		struct gathered flow;

		read_flow(stmt, window, &flow);
		r = gather(&gathering, &flow, err);
	}
	if (r >= 0 && gathering.count)
		qsort(gathering.all, gathering.count, sizeof(*gathering.all), compare_gathered);
	for (size_t i = 0; i < gathering.count && r >= 0; i++) {
		r = each(context, &gathering.all[i].sum, err);
		if (r > 0)
			break;
	}
	return r < 0 ? r : 0;
}
