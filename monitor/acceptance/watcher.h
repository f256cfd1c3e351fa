/*
 * watcher.h - the rows of a run that goes on, from what its recorder tells of them: which stands otherwise now, what is
 * still to be done, and whether all that is required is decided. States are those of the report: cells.c
 * settles both.
 */
#ifndef MONITOR_ACCEPTANCE_WATCHER_H
#define MONITOR_ACCEPTANCE_WATCHER_H

#include "monitor/acceptance/acceptance.h"
#include "schema/event.h"

#define WATCHER_UNITS_MAX 100000 /* as a recorder knows; past that nothing is decided any more */

struct watcher;

/* A row of a unit stands otherwise. What it points to lives as long as the call, but for the name. */
struct watcher_news {
	const char *unit; /* lives as long as the watcher */
	size_t unit_index, row;
	uint8_t before;          /* enum cell_state */
	const struct cell *cell; /* settled, its groups marked */
	const char *group;       /* id of the group that excuses or carries it; NULL */
	const struct exercised
		*by; /* of this row itself; NULL: another row of its group changed */
};

/*
 * `policy` must outlive it. Units that the policy names one by one are there at once, the others when they are
 * seen. 0, or negative errno with err filled.
 */
int watcher_new(const struct policy *policy,
                void (*news)(void *context, const struct watcher_news *news), void *context,
                struct watcher **ret, struct err *err) MUST_CHECK;
void watcher_free(struct watcher *watcher);
void watcher_freep(struct watcher **watcher);

/* What a recorder tells, for the unit of that name. What is new is told before it returns. */
void watcher_take(struct watcher *watcher, const char *unit, const struct exercised *exercised);

struct watcher_sums {
	size_t units, seen;       /* known of; of these told of */
	size_t required, decided; /* rows, of all units */
};
const struct watcher_sums *watcher_sums(const struct watcher *watcher);
/*
 * Whether every required row of every unit is decided, and of each entry that stands for many hosts one was
 * seen. Never once something found no place in memory.
 */
bool watcher_is_decided(const struct watcher *watcher);
/* Whether a row is undetermined (by now); then its cell is in *ret. */
bool watcher_undetermined(const struct watcher *watcher, size_t unit_index, size_t row,
                          struct cell *ret);

/* What somebody could do in the room: the first required rows that no flow came near, and how to exercise them. */
struct watcher_todo {
	const char *unit, *exercise;
	bool seen; /* the unit was */
	size_t rows
		[GROUP_ROWS_MAX]; /* all of the unit that are exercised so, as far as there is room */
	size_t row_count;
};
bool watcher_todo(struct watcher *watcher, struct watcher_todo *ret);

#endif
