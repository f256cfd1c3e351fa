/*
 * standing.c - see standing.h. Invariants:
 *  (1) Of a row `open` counts the open flows that came to each thing; `over` is a mask, and only grows.
 *  (2) A row is told of when what matters of it changed since it was told last: no flood of flows that
 *      come to the same tells anything.
 *  (3) A row that could not be told stands on the list of those that wait, once.
 */
#include "monitor/record/standing.h"
#include "monitor/idmap.h"

struct row_stand {
	uint32_t open[STANDS_COUNT], open_media[STANDS_MEDIA_COUNT];
	struct row_standing over;
	struct row_standing told;
	uint8_t open_whys; /* of those that are undetermined, or were */
	bool waits;
};

struct unit_stand {
	const struct unit *unit;
	int64_t time_us; /* of the latest change */
	bool known;      /* it was told of */
	struct row_stand rows[];
};

/* What an open flow of a unit came to by its latest word. */
struct counted {
	uint8_t row_count, media, whys;
	uint8_t what; /* bit number */
	uint16_t rows[2 * ROWS_MAX];
};

struct waiting {
	struct unit_stand *unit;
	uint16_t row;
};

struct standings {
	struct standings_options options;
	struct idmap units; /* unit.number -> struct unit_stand */
	struct idmap flows; /* flow_key() -> struct counted */
	struct waiting *waiting;
	size_t waiting_count, waiting_room;
	uint64_t refused;
};

struct standings *standings_new(const struct standings_options *options)
{
	struct standings *standings = calloc(1, sizeof(*standings));

	if (!standings)
		return NULL;
	standings->options = *options;
	idmap_init(&standings->units, UNITS_MAX);
	idmap_init(&standings->flows, STANDING_FLOWS_MAX);
	return standings;
}

static void map_release(struct idmap *map)
{
	for (size_t i = 0; i < map->size; i++)
		free(map->slots[i].value);
	idmap_release(map);
}

void standings_free(struct standings *standings)
{
	if (!standings)
		return;
	map_release(&standings->units);
	map_release(&standings->flows);
	free(standings->waiting);
	free(standings);
}

uint64_t standings_refused(const struct standings *standings)
{
	return standings->refused;
}

/* Both ends of a flow may be units. */
static uint64_t flow_key(const struct view *view)
{
	return view->facts->id << 1 | (view->local & 1);
}

static struct unit_stand *stand_of(struct standings *standings, const struct unit *unit)
{
	struct unit_stand *stand = idmap_find(&standings->units, unit->number);

	if (stand)
		return stand;
	stand = calloc(1, sizeof(*stand) + standings->options.coverage->policy->row_count *
	                                           sizeof(struct row_stand));
	if (stand && idmap_add(&standings->units, unit->number, stand) >= 0) {
		stand->unit = unit;
		return stand;
	}
	free(stand);
	standings->refused++;
	return NULL;
}

/* ------------------------------------------------------------- what it is */

static int documented_what(const struct view *view, const struct verdict *verdict)
{
	switch (verdict->kind) {
	case KIND_BLOCKED_SILENT:
		return STANDS_SILENT;
	case KIND_BLOCKED_PROHIBITED:
		return STANDS_PROHIBITED;
	case KIND_REFUSED:
		return STANDS_REFUSED;
	default:
		break;
	}
	if (view->facts->outcome == OUTCOME_ONE_SIDED)
		return STANDS_ONE_SIDED;
	if (view->facts->outcome != OUTCOME_ANSWERED)
		return STANDS_UNANSWERED;
	return verdict->grade == GRADE_EXACT  ? STANDS_EXACT
	       : verdict->grade == GRADE_WIDE ? STANDS_WIDE
	                                      : STANDS_UNPROVEN;
}

static int what_of(const struct view *view, const struct verdict *verdict)
{
	switch (verdict->ruling) {
	case RULING_DOCUMENTED:
		return documented_what(view, verdict);
	case RULING_OUTSIDE:
		return STANDS_OUTSIDE;
	case RULING_UNDETERMINED:
		return STANDS_UNDETERMINED;
	default:
		return 0;
	}
}

static void row_add(struct counted *counted, int row)
{
	for (unsigned i = 0; i < counted->row_count; i++)
		if (counted->rows[i] == row)
			return;
	counted->rows[counted->row_count++] = (uint16_t)row;
}

static uint8_t media_of(const struct flow_facts *facts)
{
	return facts->media ? facts->media : STANDS_NO_MEDIA;
}

/* As cells.c and coverage.c count: every row that fits, and of UDP the row that each mirrors. */
static struct counted count(const struct standings *standings, const struct view *view,
                            const struct verdict *verdict)
{
	const struct coverage *coverage = standings->options.coverage;
	int what = what_of(view, verdict);
	struct counted ret = {
		.what = (uint8_t)(what ? __builtin_ctz((unsigned)what) : 0),
		.media = what & STANDS_ANSWERED ? media_of(view->facts) : 0,
		.whys = what == STANDS_UNDETERMINED ? (uint8_t)BIT(verdict->why) : 0,
	};

	if (what == STANDS_OUTSIDE) {
		if (verdict->nearest_count)
			row_add(&ret, verdict->nearest[0].row);
		return ret;
	}
	for (unsigned i = 0; what && i < verdict->row_count; i++) {
		int mirror = coverage->mirror[verdict->rows[i]];

		row_add(&ret, verdict->rows[i]);
		if (mirror >= 0 && verdict->ruling == RULING_DOCUMENTED &&
		    view->facts->transport == TRANSPORT_UDP)
			row_add(&ret, mirror);
	}
	return ret;
}

/* ----------------------------------------------------------------- telling */

/* Of several grades the best one counts. */
static uint16_t best_grade(uint16_t what)
{
	uint16_t answered = what & STANDS_ANSWERED;

	return (uint16_t)((what & ~STANDS_ANSWERED) | (answered & -answered));
}

static struct row_standing standing_of(const struct row_stand *row)
{
	struct row_standing ret = row->over;

	for (unsigned i = 0; i < STANDS_COUNT; i++)
		if (row->open[i])
			ret.what |= (uint16_t)BIT(i);
	for (unsigned i = 0; i < STANDS_MEDIA_COUNT; i++)
		if (row->open_media[i])
			ret.media |= (uint8_t)BIT(i);
	if (row->open[__builtin_ctz(STANDS_UNDETERMINED)])
		ret.whys |= row->open_whys;
	ret.what = best_grade(ret.what);
	/* Most flows of media begin so: only where none was known ever does it say anything. */
	if (ret.media & ~STANDS_NO_MEDIA)
		ret.media &= (uint8_t)~STANDS_NO_MEDIA;
	return ret;
}

/*
 * Whether it is news. While there is an answer, a block or a flow outside, it is none that others wait for an answer,
 * or got it; else it is, but in vain told twice.
 */
static bool is_news(const struct row_standing *now, const struct row_standing *told)
{
	const uint16_t weak = STANDS_UNANSWERED | STANDS_ONE_SIDED | STANDS_UNDETERMINED;
	uint16_t strong = now->what & ~weak;

	if (strong != (told->what & ~weak) || now->media != told->media)
		return true;
	return !strong && ((now->what ^ told->what) & weak || now->whys & ~told->whys);
}

static void row_wait(struct standings *standings, struct unit_stand *stand, size_t row)
{
	if (stand->rows[row].waits)
		return;
	if (array_reserve(&standings->waiting, &standings->waiting_room,
	                  standings->waiting_count + 1, sizeof(*standings->waiting)) < 0) {
		standings->refused++;
		return;
	}
	stand->rows[row].waits = true;
	standings->waiting[standings->waiting_count++] = (struct waiting){stand, (uint16_t)row};
}

/* `view` and `verdict` of the flow that changed it; NULL: it waited. */
static bool row_tell(const struct standings *standings, struct unit_stand *stand, size_t row,
                     const struct view *view, const struct verdict *verdict)
{
	struct row_stand *at = &stand->rows[row];
	const struct unit *unit = stand->unit;
	struct exercised told = {
		.time_us = stand->time_us,
		.teller = standings->options.teller,
		.entry = (uint32_t)(unit->rule - standings->options.coverage->policy->units),
		.row = (uint16_t)row,
		.standing = standing_of(at),
	};

	if (stand->known && !is_news(&told.standing, &at->told))
		return true;
	if (view) {
		const struct flow_facts *facts = view->facts;

		told.transport = facts->transport;
		told.direction = verdict->direction;
		told.icmp_type = facts->icmp_type;
		told.icmp_code = facts->icmp_code;
		told.local = facts->end[view->local].addr;
		told.remote = facts->end[!view->local].addr;
		told.local_port = facts->end[view->local].port;
		told.remote_port = facts->end[!view->local].port;
		told.sender = facts->icmp_sender;
	}
	if (!standings->options.tell(standings->options.context, unit->name, &told))
		return false;
	at->told = told.standing;
	stand->known = true;
	return true;
}

static void rows_count(struct unit_stand *stand, const struct counted *counted, int32_t more)
{
	for (unsigned i = 0; i < counted->row_count; i++) {
		struct row_stand *row = &stand->rows[counted->rows[i]];

		row->open[counted->what] += (uint32_t)more;
		for (unsigned bit = 0; bit < STANDS_MEDIA_COUNT; bit++)
			if (counted->media & BIT(bit))
				row->open_media[bit] += (uint32_t)more;
		row->open_whys |= counted->whys;
	}
}

static void rows_keep(struct unit_stand *stand, const struct counted *counted)
{
	for (unsigned i = 0; i < counted->row_count; i++) {
		struct row_standing *over = &stand->rows[counted->rows[i]].over;

		over->what |= (uint16_t)BIT(counted->what);
		over->media |= counted->media;
		over->whys |= counted->whys;
	}
}

/* In its turn, where it waits already. */
static void row_tell_or_wait(struct standings *standings, struct unit_stand *stand, size_t row,
                             const struct view *view, const struct verdict *verdict)
{
	if (stand->rows[row].waits || !row_tell(standings, stand, row, view, verdict))
		row_wait(standings, stand, row);
}

static void rows_tell(struct standings *standings, struct unit_stand *stand,
                      const struct counted *counted, const struct view *view,
                      const struct verdict *verdict)
{
	for (unsigned i = 0; i < counted->row_count; i++)
		row_tell_or_wait(standings, stand, counted->rows[i], view, verdict);
}

/* What the flow comes to now is to be taken back later; without a place it stays. */
static bool flow_remember(struct standings *standings, uint64_t key,
                          const struct counted *counted)
{
	struct counted *copy = malloc(sizeof(*copy));

	if (!copy || idmap_add(&standings->flows, key, copy) < 0) {
		free(copy);
		standings->refused++;
		return false;
	}
	*copy = *counted;
	return true;
}

void standings_note(struct standings *standings, const struct unit *unit,
                    const struct view *view, const struct verdict *verdict, bool over)
{
	struct counted now = count(standings, view, verdict), before = {0};
	uint64_t key = flow_key(view);
	struct counted *last = idmap_find(&standings->flows, key);
	struct unit_stand *stand;

	if (!unit->rule) /* on no list, no row holds for it */
		return;
	if (last && !over && !memcmp(last, &now, sizeof(now)))
		return;
	stand = stand_of(standings, unit);
	if (!stand)
		return;
	if (!last && !now.row_count) {
		if (!stand->known && standings->options.coverage->policy->row_count)
			row_tell_or_wait(standings, stand, 0, view, verdict);
		return;
	}
	stand->time_us = view->facts->last_us;
	if (last) {
		before = *last;
		rows_count(stand, &before, -1);
		free(idmap_take(&standings->flows, key));
	}
	if (over || !now.row_count || !flow_remember(standings, key, &now))
		rows_keep(stand, &now);
	else
		rows_count(stand, &now, 1);
	rows_tell(standings, stand, &now, view, verdict);
	rows_tell(standings, stand, &before, view, verdict);
}

void standings_flush(struct standings *standings)
{
	size_t told = 0;

	for (; told < standings->waiting_count; told++) {
		struct waiting *waiting = &standings->waiting[told];

		if (!row_tell(standings, waiting->unit, waiting->row, NULL, NULL))
			break;
		waiting->unit->rows[waiting->row].waits = false;
	}
	standings->waiting_count -= told;
	if (told)
		memmove(standings->waiting, standings->waiting + told,
		        standings->waiting_count * sizeof(*standings->waiting));
}
