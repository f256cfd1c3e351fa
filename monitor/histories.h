/*
 * histories.h - recorded flows each under the policy that judged it, however many judged here: its history is
 * made when the first flow of it comes, and a few are held, for policies follow one another.
 */
#ifndef MONITOR_HISTORIES_H
#define MONITOR_HISTORIES_H

#include "monitor/history.h"

#define HISTORIES_MAX 4

struct histories {
	struct flowdb *db; /* filled by the caller, all else zero */
	struct {
		struct policy *policy;
		struct history *history;
	} held[HISTORIES_MAX];
	size_t next; /* gives its place to the next policy */
};

/* The history of the policy of this hash, borrowed until HISTORIES_MAX others were asked for. */
int histories_of(struct histories *histories, const char *hash, struct history **ret_history,
                 struct err *err) MUST_CHECK;
void histories_release(struct histories *histories);

#endif
