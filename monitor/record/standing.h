/*
 * standing.h - how the rows of each unit stand while a run goes on: told when that changes, and not with
 * every flow. What an open flow came to is taken back when a later word of it says otherwise; what one that is over
 * came to stays. Where nobody can be told now, the row waits and is told later, as it stands then.
 */
#ifndef MONITOR_RECORD_STANDING_H
#define MONITOR_RECORD_STANDING_H

#include "monitor/record/coverage.h"

#define STANDING_FLOWS_MAX \
	(1 << 20) /* open flows that can be taken back; those past it stay, and are counted */

struct standings;

struct standings_options {
	const struct coverage *coverage; /* outlives it: which rows mirror each other */
	int64_t teller;                  /* struct exercised */
	/* False: there is no room now. */
	bool (*tell)(void *context, const char *unit, const struct exercised *exercised);
	void *context;
};

/* NULL when out of memory. */
struct standings *standings_new(const struct standings_options *options);
void standings_free(struct standings *standings);

/* One word about a flow of `unit`; `over`: the last one. */
void standings_note(struct standings *standings, const struct unit *unit,
                    const struct view *view, const struct verdict *verdict, bool over);
/* Tells of rows that waited. */
void standings_flush(struct standings *standings);

/* What found no place: rows that are not told of, and flows that will not be taken back. */
uint64_t standings_refused(const struct standings *standings);

#endif
