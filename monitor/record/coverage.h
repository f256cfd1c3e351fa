/*
 * coverage.h - which rows a unit used, and how: counted once a flow, when it is over.
 */
#ifndef MONITOR_RECORD_COVERAGE_H
#define MONITOR_RECORD_COVERAGE_H

#include "monitor/record/units.h"

struct coverage {
	const struct policy *policy;
	int16_t *mirror; /* row -> the row its UDP flows exercise as well; -1 */
};

/* 0 or -ENOMEM. `policy` must outlive it. */
int coverage_init(struct coverage *coverage, const struct policy *policy) MUST_CHECK;
void coverage_release(struct coverage *coverage);

/* The last word about a flow of `unit`. */
void coverage_count(const struct coverage *coverage, struct unit *unit, const struct view *view,
                    const struct verdict *verdict);
/* ... and the rows that it was counted for have their ids, whenever the counts are written. */
int coverage_settle(const struct coverage *coverage, struct flowdb *db, const struct verdict *verdict,
                    struct err *err) MUST_CHECK;

#endif
