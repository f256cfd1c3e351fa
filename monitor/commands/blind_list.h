/*
 * blind_list.h - what was not seen in a window: the intervals on record and, between them, the time in
 * which no run looked at all.
 */
#ifndef MONITOR_COMMANDS_BLIND_LIST_H
#define MONITOR_COMMANDS_BLIND_LIST_H

#include "monitor/commands/query.h"

/* A live run writes its heartbeat every second; one that is older is old. */
#define RUNNING_US INT64_C(5000000)
/* As the sensor has it: flows go on from one file of a run into the next within a minute. */
#define FILES_GAP_US INT64_C(60000000)
#define LIVE_GAP_US INT64_C(1000000) /* the grain of a heartbeat */

/* A live run, the last one, that has not ended: its heartbeat is fresh, or its writer is still there. */
bool run_goes_on(const struct query *query, const struct run_view *run);

/*
 * Oldest first. Time outside any run has id 0 and cause not-running. With no window asked for it is
 * what lies between runs and, live, between the last one and now; between files of one run the gaps
 * longer than a minute (flows go on into the next file within one). A window in which nothing was recorded is such
 * time from end to end, whichever end is open (0). Returns 1 then, else 0, or negative errno.
 */
int blind_list(const struct query *query, enum blind_cause cause,
               int (*each)(void *context, const struct blind_view *blind, struct err *err),
               void *context, struct err *err) MUST_CHECK;

/* What an interval adds up to by cause; time that two of a cause share counts once. */
struct blind_sums {
	int64_t since_us, until_us; /* the window they are clipped to */
	struct blind_sum {
		uint64_t intervals, count;
		bool open; /* one of them has no beginning, or begins after the window */
		int64_t us, to_us; /* to_us: counted up to here */
	} by_cause[BLIND_CAUSE_COUNT];
};
void blind_sums_init(struct blind_sums *sums, const struct query *query);
/* In the order of blind_list(). */
void blind_sums_add(struct blind_sums *sums, const struct blind_row *blind);
/* "2 intervals, 12.5 s, 120 packets". Returns `buf`. */
#define BLIND_SUM_TEXT 96
const char *blind_sum_print(const struct blind_sum *sum, enum blind_cause cause,
                            char buf[BLIND_SUM_TEXT]);

#endif
