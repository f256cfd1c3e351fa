/*
 * history.h - recorded flows as the judge saw them when they were recorded: names, leases and what it was
 * told come from the database. Under the policy that judged them they are judged the same again; under
 * another one as a recorder under that policy would have judged them.
 */
#ifndef MONITOR_HISTORY_H
#define MONITOR_HISTORY_H

#include "rules/judge.h"
#include "schema/flowdb_query.h"

struct history;

/*
 * What `db` knows of names and leases, for judging by `policy`; both must outlive it. `flow`: the only one that will be
 * judged, so that little is read; NULL: any. On success *ret_history is the caller's.
 */
int history_new(struct flowdb *db, const struct policy *policy, const struct flow_view *flow,
                struct history **ret_history, struct err *err) MUST_CHECK;
void history_free(struct history *history);
void history_freep(struct history **history);

/* A recorded flow under the policy of a history. */
struct past {
	const struct policy *policy; /* the history's */
	struct view view;
	struct verdict verdict;
	char unit[UNIT_NAME_MAX]; /* whose it is now */
	bool moved;               /* not the unit's that it was recorded for */
};
/* Judges it; false if the policy lists no unit that it would be of. *ret points into the flow and the history. */
bool history_judge(struct history *history, const struct flow_view *flow, struct past *ret);
/* The waiver of the policy that excuses it; NULL: none does, or there is nothing to excuse. */
const struct waiver *past_waiver(const struct past *past);
/* The far end is a unit under the policy, and was none when the flow was recorded: its own row is missing. */
bool history_lacks_peer(struct history *history, const struct flow_view *flow);

/* Whether a verdict is another one than was recorded: what it is, how good, by which rows. */
bool history_flips(const struct history *history, const struct flow_view *flow,
                   const struct verdict *verdict);
/* Whether one that does not flip differs in what else is recorded: the nearest rows and how far off they are. */
bool history_differs(const struct history *history, const struct flow_view *flow,
                     const struct verdict *verdict);

#endif
