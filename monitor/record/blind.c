/*
 * blind.c - see blind.h. Invariants:
 *  (1) What the ledger remembers stands in the database as it does here.
 *  (2) An interval that goes on is never forgotten while another one could be.
 *  (3) A row lies where its number says, until as many others were told of; it knows the one before it of its unit's
 *      place, so that what one unit did is found without looking at all.
 *  (4) Each interval is in the chain of its unit's place, or of those of all units; what begins after
 *      latest_us is not looked for at all while nothing goes on: most flows, most of the time.
 */
#include "monitor/record/blind.h"

#include <xxhash.h>

#define PLACES 16384 /* a power of two */
#define NONE UINT32_MAX

struct interval {
	int64_t id, run, unit, since_us, until_us; /* until 0: goes on */
	uint64_t key;                              /* of cause, unit, detail */
	uint64_t count, number;                    /* number: larger is noted later */
	uint32_t next; /* of its chain, or NONE */
	uint8_t cause;
	char detail[BLIND_DETAIL_MAX];
};

struct told_row {
	int64_t flow, unit, since_us, until_us; /* flow 0: empty, or marked already */
	uint64_t before; /* the number of another one of the place; 0: there was none */
};

struct blinds {
	uint32_t of_all, of_unit[PLACES]; /* chains: what holds for all units, and for some of them */
	struct interval all[BLINDS_MAX];
	size_t count, next; /* next: where the search for a place begins when all are taken */
	uint64_t noted;
	uint32_t causes;   /* of all that was ever noted */
	size_t open;       /* intervals that go on */
	int64_t latest_us; /* no other one ends later */
	struct told_row rows[BLIND_ROWS_MAX];
	uint64_t row_count, row_of_unit[PLACES]; /* the number of the latest row, and of each place's */
	int64_t forgotten_us; /* end of the latest row that was forgotten; 0: none was */
	int64_t newest_us; /* end of the newest row told of */
	uint64_t refused;
	void (*told)(void *context, const struct blind_row *blind);
	void *context;
};

struct blinds *blinds_new(void)
{
	struct blinds *blinds = calloc(1, sizeof(*blinds));

	if (!blinds)
		return NULL;
	blinds->of_all = NONE;
	memset(blinds->of_unit, 0xff, sizeof(blinds->of_unit));
	return blinds;
}

void blinds_free(struct blinds *blinds)
{
	free(blinds);
}

void blinds_tell(struct blinds *blinds, void (*told)(void *context, const struct blind_row *blind),
                 void *context)
{
	blinds->told = told;
	blinds->context = context;
}

uint64_t blinds_refused(const struct blinds *blinds)
{
	return blinds->refused;
}

static int64_t end_of(int64_t until_us)
{
	return until_us ? until_us : INT64_MAX;
}

static bool overlaps(const struct interval *interval, int64_t since_us, int64_t until_us)
{
	return interval->since_us <= until_us && end_of(interval->until_us) >= since_us;
}

static uint64_t key_of(const struct interval *interval)
{
	struct {
		int64_t unit;
		uint64_t cause;
		char detail[BLIND_DETAIL_MAX];
	} key = {interval->unit, interval->cause, ""};

	memcpy(key.detail, interval->detail, strlen(interval->detail));
	return XXH3_64bits(&key, sizeof(key)) | 1;
}

static bool all_before(const struct blinds *blinds, int64_t us)
{
	return !blinds->open && blinds->latest_us < us;
}

static void account(struct blinds *blinds, const struct interval *interval)
{
	blinds->open += !interval->until_us;
	if (interval->until_us > blinds->latest_us)
		blinds->latest_us = interval->until_us;
}

static size_t place_of(int64_t unit)
{
	return (uint64_t)unit & (PLACES - 1);
}

/* Where the chain begins that an interval of this unit is in; 0: of all units. */
static uint32_t *chain_of(struct blinds *blinds, int64_t unit)
{
	return unit ? &blinds->of_unit[place_of(unit)] : &blinds->of_all;
}

static void unchain(struct blinds *blinds, uint32_t at)
{
	uint32_t *link = chain_of(blinds, blinds->all[at].unit);

	while (*link != at)
		link = &blinds->all[*link].next;
	*link = blinds->all[at].next;
}

static void remember(struct blinds *blinds, const struct interval *interval)
{
	uint32_t *chain = chain_of(blinds, interval->unit);
	size_t at = blinds->count;

	if (at < BLINDS_MAX) {
		blinds->count++;
	} else {
		at = blinds->next;
		for (size_t i = 0; i < BLINDS_MAX && !blinds->all[at].until_us; i++)
			at = (at + 1) % BLINDS_MAX;
		blinds->next = (at + 1) % BLINDS_MAX;
		blinds->refused++;
		blinds->open -= !blinds->all[at].until_us;
		unchain(blinds, (uint32_t)at);
	}
	account(blinds, interval);
	blinds->causes |= (uint32_t)BIT(interval->cause);
	blinds->all[at] = *interval;
	blinds->all[at].number = ++blinds->noted;
	blinds->all[at].key = key_of(interval);
	blinds->all[at].next = *chain;
	*chain = (uint32_t)at;
}

static int load_one(void *context, const struct blind_view *view, struct err *err)
{
	struct interval interval = {
		.id = view->id,
		.run = view->row.run,
		.unit = view->row.unit,
		.since_us = view->row.since_us,
		.until_us = view->row.until_us,
		.count = view->row.count,
		.cause = view->row.cause,
	};

	text_copy(interval.detail, sizeof(interval.detail), view->row.detail);
	remember(context, &interval);
	return 0;
}

int blinds_load(struct blinds *blinds, struct flowdb *db, int64_t run, struct err *err)
{
	const struct blind_query query = {.run = run};

	return flowdb_blinds(db, &query, load_one, blinds, err);
}

static struct blind_row row_of(const struct interval *interval)
{
	return (struct blind_row){
		.run = interval->run,
		.unit = interval->unit,
		.since_us = interval->since_us,
		.until_us = interval->until_us,
		.count = interval->count,
		.cause = interval->cause,
		.detail = interval->detail,
	};
}

static int put(struct flowdb *db, struct interval *interval, struct err *err)
{
	const struct blind_row row = row_of(interval);

	return flowdb_blind_put(db, &row, &interval->id, err);
}

static void tell(const struct blinds *blinds, const struct interval *interval)
{
	const struct blind_row row = row_of(interval);

	if (blinds->told)
		blinds->told(blinds->context, &row);
}

/* Whether `more` is part of `last`: it ends it, overlaps it, or nothing much lies between them. */
static bool belongs(const struct interval *last, const struct interval *more)
{
	return !last->until_us || (more->since_us <= last->until_us + BLIND_JOIN_US &&
	                           end_of(more->until_us) >= last->since_us - BLIND_JOIN_US);
}

/* The one noted last of the same cause, unit and detail that it is part of; NULL. */
static struct interval *home_of(struct blinds *blinds, const struct interval *more)
{
	uint64_t key = key_of(more);
	struct interval *home = NULL;

	if (all_before(blinds, more->since_us - BLIND_JOIN_US))
		return NULL;
	for (uint32_t i = *chain_of(blinds, more->unit); i != NONE; i = blinds->all[i].next) {
		struct interval *other = &blinds->all[i];

		if (other->key == key && other->cause == more->cause &&
		    other->unit == more->unit && !strcmp(other->detail, more->detail) &&
		    belongs(other, more) && (!home || other->number > home->number))
			home = other;
	}
	return home;
}

static void join(struct interval *last, const struct interval *more)
{
	if (more->since_us < last->since_us)
		last->since_us = more->since_us;
	if (!more->until_us || !last->until_us)
		last->until_us = more->until_us;
	else if (more->until_us > last->until_us)
		last->until_us = more->until_us;
	/* The end of one that went on is told by another clock than its beginning. */
	if (last->until_us && last->until_us < last->since_us)
		last->until_us = last->since_us;
	last->count += more->count;
}

static struct told_row *row_at(struct blinds *blinds, uint64_t number)
{
	return &blinds->rows[number % BLIND_ROWS_MAX];
}

static int mark_row(const struct blinds *blinds, struct flowdb *db,
                    const struct interval *interval, struct told_row *row, struct err *err)
{
	int r;

	if (!row->flow || row->until_us < blinds->newest_us - BLIND_ROWS_US ||
	    (interval->unit && interval->unit != row->unit) ||
	    !overlaps(interval, row->since_us, row->until_us))
		return 0;
	r = flowdb_flow_blind(db, row->flow, err);
	row->flow = 0;
	return r;
}

static int mark_rows(struct blinds *blinds, struct flowdb *db, const struct interval *interval,
                     struct err *err)
{
	uint64_t count = blinds->row_count;
	int r = 0;

	if (interval->cause == BLIND_SET_ASIDE) /* of flows that are not here */
		return 0;
	/* Some that it touches may be among those that were forgotten too soon. */
	blinds->refused += blinds->forgotten_us &&
	                   blinds->forgotten_us >= blinds->newest_us - BLIND_ROWS_US &&
	                   blinds->forgotten_us >= interval->since_us;
	if (!interval->unit)
		for (size_t i = 0; i < BLIND_ROWS_MAX && r >= 0; i++)
			r = mark_row(blinds, db, interval, &blinds->rows[i], err);
	else
		for (uint64_t n = blinds->row_of_unit[place_of(interval->unit)];
		     n && n + BLIND_ROWS_MAX > count && r >= 0; n = row_at(blinds, n)->before)
			r = mark_row(blinds, db, interval, row_at(blinds, n), err);
	return r < 0 ? r : 0;
}

int blinds_note(struct blinds *blinds, struct flowdb *db, int64_t run,
                const struct blind_row *blind, struct err *err)
{
	struct interval more = {
		.run = run,
		.unit = blind->unit,
		.since_us = blind->since_us,
		.until_us = blind->until_us,
		.count = blind->count,
		.cause = blind->cause,
	};
	struct interval *home;
	bool ends = false;
	int r;

	if (more.until_us && more.until_us < more.since_us)
		more.until_us = more.since_us;
	text_copy(more.detail, sizeof(more.detail), blind->detail);
	home = home_of(blinds, &more);
	if (home) {
		blinds->open -= !home->until_us;
		ends = !home->until_us && more.until_us;
		join(home, &more);
		account(blinds, home);
		more = *home;
	}
	r = put(db, &more, err);
	if (r < 0)
		return r;
	if (!home)
		remember(blinds, &more);
	if (!home || ends)
		tell(blinds, &more);
	return mark_rows(blinds, db, &more, err);
}

static bool chain_meets(const struct blinds *blinds, uint32_t chain, uint32_t causes,
                        int64_t unit, int64_t since_us, int64_t until_us)
{
	for (uint32_t i = chain; i != NONE; i = blinds->all[i].next) {
		const struct interval *interval = &blinds->all[i];

		if (overlaps(interval, since_us, until_us) && causes >> interval->cause & 1 &&
		    (!interval->unit || interval->unit == unit))
			return true;
	}
	return false;
}

bool blinds_meet_any(const struct blinds *blinds, uint32_t causes, int64_t unit, int64_t since_us,
                     int64_t until_us)
{
	_Static_assert(BLIND_CAUSE_COUNT <= 32, "a cause is a bit of a mask");
	if (!(blinds->causes & causes) || all_before(blinds, since_us))
		return false;
	return chain_meets(blinds, blinds->of_all, causes, unit, since_us, until_us) ||
	       (unit && chain_meets(blinds, blinds->of_unit[place_of(unit)], causes, unit, since_us,
	                            until_us));
}

bool blinds_meets(const struct blinds *blinds, enum blind_cause cause, int64_t unit,
                  int64_t since_us, int64_t until_us)
{
	uint32_t causes = (uint32_t)(cause ? BIT(cause) : ~BIT(BLIND_SET_ASIDE));

	return blinds_meet_any(blinds, causes, unit, since_us, until_us);
}

void blinds_row(struct blinds *blinds, int64_t flow, int64_t unit, int64_t since_us,
                int64_t until_us)
{
	uint64_t *latest = &blinds->row_of_unit[place_of(unit)];
	struct told_row *row = row_at(blinds, ++blinds->row_count);

	if (until_us > blinds->newest_us)
		blinds->newest_us = until_us;
	if (row->flow && row->until_us > blinds->forgotten_us)
		blinds->forgotten_us = row->until_us;
	*row = (struct told_row){flow, unit, since_us, until_us, *latest};
	*latest = blinds->row_count;
}
