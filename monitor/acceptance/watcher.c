/*
 * watcher.c - see watcher.h. Of a row only masks are kept: whole cells are made up for one unit at a time. Invariants:
 *  (1) What a recorder told of flows that are over is never lost, though another takes its place: with
 *      the first word of another teller, what stood until then stays.
 *  (2) `sums` are those of all units, as each was settled last.
 */
#include "monitor/acceptance/watcher.h"
#include "monitor/idmap.h"

#include <xxhash.h>

struct watched_row {
	struct row_standing kept, now;
	int64_t teller;
	uint8_t state; /* enum cell_state; as it was told last, with what follows */
	uint8_t grade, blocked, whys;
	bool excused;
};

struct watched_unit {
	char *name;
	uint32_t profiles;
	size_t required, decided;
	struct watched_row *rows; /* NULL: nothing was told of it */
};

struct watcher {
	const struct policy *policy;
	void (*news)(void *context, const struct watcher_news *news);
	void *context;
	struct watched_unit *units;
	size_t unit_count, unit_room;
	struct idmap by_name; /* hash -> index + 1 */
	bool *entry_seen; /* one an entry of the policy that stands for many hosts: one of them was */
	size_t entries_unseen;
	struct watcher_sums sums;
	bool lost; /* something found no place */
	/* Of one unit at a time. */
	struct cell *cells;
	bool *open; /* required rows of it that are not decided */
	struct group_cell groups[GROUPS_MAX];
	size_t group_count;
};

static uint64_t name_key(const char *name)
{
	return XXH3_64bits(name, strlen(name)) | 1;
}

static bool row_applies(const struct watcher *watcher, uint32_t profiles, size_t row)
{
	return profiles & BIT(watcher->policy->rows[row].profile);
}

static bool is_required(const struct watcher *watcher, uint32_t profiles, size_t row)
{
	return row_applies(watcher, profiles, row) &&
	       watcher->policy->rows[row].need == NEED_REQUIRED;
}

static struct watched_unit *unit_add(struct watcher *watcher, const char *name,
                                     uint32_t profiles)
{
	struct watched_unit *unit;

	if (watcher->unit_count == WATCHER_UNITS_MAX ||
	    array_reserve(&watcher->units, &watcher->unit_room, watcher->unit_count + 1,
	                  sizeof(*unit)) < 0)
		return NULL;
	unit = &watcher->units[watcher->unit_count];
	*unit = (struct watched_unit){.name = strdup(name), .profiles = profiles};
	if (!unit->name || idmap_add(&watcher->by_name, name_key(name),
	                             (void *)(uintptr_t)(watcher->unit_count + 1)) < 0) {
		free(unit->name);
		return NULL;
	}
	watcher->unit_count++;
	for (size_t row = 0; row < watcher->policy->row_count; row++)
		unit->required += is_required(watcher, profiles, row);
	watcher->sums.units++;
	watcher->sums.required += unit->required;
	return unit;
}

int watcher_new(const struct policy *policy,
                void (*news)(void *context, const struct watcher_news *news), void *context,
                struct watcher **ret, struct err *err)
{
	CLEANUP(watcher_freep) struct watcher *watcher = calloc(1, sizeof(*watcher));

	if (!watcher)
		return err_set(err, -ENOMEM, "out of memory");
	watcher->policy = policy;
	watcher->news = news;
	watcher->context = context;
	idmap_init(&watcher->by_name, WATCHER_UNITS_MAX);
	watcher->entry_seen = calloc(policy->unit_count + 1, sizeof(*watcher->entry_seen));
	watcher->cells = calloc(policy->row_count + 1, sizeof(*watcher->cells));
	watcher->open = calloc(policy->row_count + 1, sizeof(*watcher->open));
	if (!watcher->entry_seen || !watcher->cells || !watcher->open)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < policy->unit_count; i++) {
		const struct unit_rule *rule = &policy->units[i];

		watcher->entries_unseen += rule->many;
		if (!rule->many && !unit_add(watcher, rule->name, rule->profiles))
			return err_set(err, -ENOMEM, "out of memory");
	}
	*ret = TAKE(watcher);
	return 0;
}

void watcher_free(struct watcher *watcher)
{
	if (!watcher)
		return;
	for (size_t i = 0; i < watcher->unit_count; i++) {
		free(watcher->units[i].name);
		free(watcher->units[i].rows);
	}
	free(watcher->units);
	free(watcher->entry_seen);
	free(watcher->cells);
	free(watcher->open);
	idmap_release(&watcher->by_name);
	free(watcher);
}

void watcher_freep(struct watcher **watcher)
{
	watcher_free(*watcher);
	*watcher = NULL;
}

/* ------------------------------------------------------------------- cells */

static void cell_fill(const struct watched_row *row, struct cell *cell)
{
	uint16_t what = row->kept.what | row->now.what;
	uint8_t media = row->kept.media | row->now.media;

	*cell = (struct cell){
		.exact = what & STANDS_EXACT,
		.unproven = what & STANDS_UNPROVEN,
		.wide = what & STANDS_WIDE,
		.unanswered = what & STANDS_UNANSWERED,
		.one_sided = what & STANDS_ONE_SIDED,
		.silent = what & STANDS_SILENT,
		.prohibited = what & STANDS_PROHIBITED,
		.refused = what & STANDS_REFUSED,
		.unwaived = what & STANDS_BLOCKED, /* what is waived the report says */
		.outside = what & STANDS_OUTSIDE,
		.undetermined = what & STANDS_UNDETERMINED,
		.verdict_whys = row->kept.whys | row->now.whys,
		.media = media & (MEDIA_AUDIO | MEDIA_VIDEO | MEDIA_DATA),
		.media_unknown = media & STANDS_NO_MEDIA,
	};
	cell_settle(cell);
}

static bool is_decided(uint8_t state)
{
	return state == CELL_OK || state == CELL_OUTSIDE || state == CELL_BLOCKED;
}

/* As unit_is_decided() has it: a row of a group stands or falls with that. */
static bool row_is_decided(const struct watcher *watcher, size_t row)
{
	bool grouped = false;

	for (size_t i = 0; i < watcher->group_count; i++) {
		const struct group_cell *settled = &watcher->groups[i];

		for (unsigned k = 0; k < settled->group->row_count; k++) {
			if (settled->group->rows[k] != row)
				continue;
			grouped = true;
			if (!is_decided(settled->state))
				return false;
		}
	}
	return grouped || is_decided(watcher->cells[row].state);
}

/* Fills `cells`, `groups` and `open`. Returns how many required rows are decided. */
static size_t unit_settle_rows(struct watcher *watcher, const struct watched_unit *unit)
{
	static const struct watched_row NOTHING;
	size_t decided = 0;

	for (size_t row = 0; row < watcher->policy->row_count; row++) {
		cell_fill(unit->rows ? &unit->rows[row] : &NOTHING, &watcher->cells[row]);
		watcher->cells[row].applies = row_applies(watcher, unit->profiles, row);
	}
	watcher->group_count =
		unit_groups(watcher->policy, unit->profiles, watcher->cells, watcher->groups);
	for (size_t row = 0; row < watcher->policy->row_count; row++) {
		bool required = is_required(watcher, unit->profiles, row),
		     done = required && row_is_decided(watcher, row);

		watcher->open[row] = required && !done;
		decided += done;
	}
	return decided;
}

static bool is_news(const struct watched_row *row, const struct cell *cell)
{
	return row->state != cell->state || row->grade != cell->grade ||
	       row->excused != cell->excused ||
	       (cell->state == CELL_BLOCKED && row->blocked != cell->blocked) ||
	       (cell->state == CELL_UNDETERMINED && row->whys != cell->whys);
}

static void row_news(struct watcher *watcher, struct watched_unit *unit, size_t row,
                     const struct exercised *by)
{
	struct watched_row *watched = &unit->rows[row];
	const struct cell *cell = &watcher->cells[row];
	const struct watcher_news news = {
		.unit = unit->name,
		.unit_index = (size_t)(unit - watcher->units),
		.row = row,
		.before = watched->state,
		.cell = cell,
		.group = cell->group >= 0 ? watcher->groups[cell->group].group->id : NULL,
		.by = by->row == row ? by : NULL,
	};

	if (!is_news(watched, cell))
		return;
	watched->state = cell->state;
	watched->grade = cell->grade;
	watched->blocked = cell->blocked;
	watched->whys = cell->whys;
	watched->excused = cell->excused;
	if (cell->applies && watcher->news)
		watcher->news(watcher->context, &news);
}

/* ----------------------------------------------------------------- telling */

static struct watched_unit *unit_find(struct watcher *watcher, const char *name,
                                      uint32_t profiles)
{
	size_t number = (size_t)(uintptr_t)idmap_find(&watcher->by_name, name_key(name));
	struct watched_unit *unit;

	unit = number ? &watcher->units[number - 1] : unit_add(watcher, name, profiles);
	if (!unit || strcmp(unit->name, name) != 0) /* two names of one hash */
		return NULL;
	if (!unit->rows) {
		unit->rows = calloc(watcher->policy->row_count + 1, sizeof(*unit->rows));
		watcher->sums.seen += unit->rows != NULL;
	}
	return unit->rows ? unit : NULL;
}

static void standing_add(struct row_standing *to, const struct row_standing *more)
{
	to->what |= more->what;
	to->media |= more->media;
	to->whys |= more->whys;
}

static void row_take(struct watched_row *row, const struct exercised *exercised)
{
	if (row->teller && row->teller != exercised->teller)
		standing_add(&row->kept, &row->now);
	row->teller = exercised->teller;
	row->now = exercised->standing;
}

void watcher_take(struct watcher *watcher, const char *name, const struct exercised *exercised)
{
	const struct policy *policy = watcher->policy;
	const struct unit_rule *rule;
	struct watched_unit *unit;
	size_t decided;

	if (exercised->row >= policy->row_count || exercised->entry >= policy->unit_count)
		return;
	rule = &policy->units[exercised->entry];
	if (rule->many && !watcher->entry_seen[exercised->entry]) {
		watcher->entry_seen[exercised->entry] = true;
		watcher->entries_unseen--;
	}
	unit = unit_find(watcher, name, rule->profiles);
	if (!unit) {
		watcher->lost = true;
		return;
	}
	row_take(&unit->rows[exercised->row], exercised);
	decided = unit_settle_rows(watcher, unit);
	watcher->sums.decided += decided - unit->decided;
	unit->decided = decided;
	for (size_t row = 0; row < policy->row_count; row++)
		row_news(watcher, unit, row, exercised);
}

/* ------------------------------------------------------------------ asking */

const struct watcher_sums *watcher_sums(const struct watcher *watcher)
{
	return &watcher->sums;
}

bool watcher_is_decided(const struct watcher *watcher)
{
	const struct watcher_sums *sums = &watcher->sums;

	return !watcher->lost && !watcher->entries_unseen && sums->required &&
	       sums->decided == sums->required;
}

bool watcher_undetermined(const struct watcher *watcher, size_t unit_index, size_t row,
                          struct cell *ret)
{
	const struct watched_row *rows = watcher->units[unit_index].rows;

	if (!rows || rows[row].state != CELL_UNDETERMINED || rows[row].excused)
		return false;
	cell_fill(&rows[row], ret);
	return true;
}

static bool todo_of(struct watcher *watcher, const struct watched_unit *unit,
                    struct watcher_todo *ret)
{
	const struct row *rows = watcher->policy->rows;

	*ret = (struct watcher_todo){.unit = unit->name, .seen = unit->rows};
	if (unit->decided == unit->required)
		return false;
	unit_settle_rows(watcher, unit);
	for (size_t row = 0; row < watcher->policy->row_count; row++) {
		if (!watcher->open[row] || watcher->cells[row].state != CELL_NOT_EXERCISED ||
		    (ret->row_count && strcmp(ret->exercise, rows[row].exercise) != 0))
			continue;
		ret->exercise = rows[row].exercise;
		ret->rows[ret->row_count++] = row;
		if (ret->row_count == GROUP_ROWS_MAX)
			break;
	}
	return ret->row_count;
}

bool watcher_todo(struct watcher *watcher, struct watcher_todo *ret)
{
	for (size_t i = 0; i < watcher->unit_count; i++)
		if (todo_of(watcher, &watcher->units[i], ret))
			return true;
	return false;
}
