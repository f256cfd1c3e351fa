/*
 * retention.c - see retention.h. A sweep goes over all units with one cut: what ended before it goes. The
 * next one begins a minute of record time later, or at once while the file is too big.
 */
#include "monitor/record/retention.h"

#define SWEEP_US INT64_C(60000000)
#define LEAVES_US INT64_C(3600000000) /* whole tables are looked through so seldom */
#define STEP_FLOWS 256
#define STEP_FLOWS_MAX 4096
#define SIZE_FLOWS 2048 /* so many of the oldest go in a sweep for the size's sake */
#define SHRINK_PAGES 64 /* in a step */
#define SPARE_BYTES \
	(4u << 20) /* free room that stays in the file: it is written again at once */

/* What ended before goes in the next sweep; 0: nothing is to be done. */
static int find_cut(const struct retention *retention, struct flowdb *db, int64_t now_us,
                    int64_t *ret_cut_us, struct err *err)
{
	const struct retention_limits *limits = &retention->limits;
	struct extent extent;
	bool due = now_us - retention->swept_us >= SWEEP_US;
	int64_t cut_us = 0, oldest_us = 0;
	int r;

	if (limits->span_us && due)
		cut_us = now_us - limits->span_us;
	if (limits->bytes && (due || retention->flows)) {
		r = flowdb_extent(db, &extent, err);
		if (r >= 0 && extent.used > limits->bytes)
			r = flowdb_oldest(db, SIZE_FLOWS, retention->spared_run,
			                  now_us - RETENTION_LEAST_US, &oldest_us, err);
		if (r < 0)
			return r;
		if (oldest_us > cut_us)
			cut_us = oldest_us;
	}
	if (cut_us > now_us - RETENTION_LEAST_US)
		cut_us = now_us - RETENTION_LEAST_US;
	*ret_cut_us = cut_us > 0 ? cut_us : 0;
	return 0;
}

static int shrink(struct flowdb *db, struct err *err)
{
	struct extent extent;
	int r = flowdb_extent(db, &extent, err);

	if (r < 0 || extent.free <= SPARE_BYTES || extent.free <= extent.used / 16)
		return r;
	return flowdb_shrink(db, SHRINK_PAGES, err);
}

static int step(struct retention *retention, struct flowdb *db, int64_t now_us, uint64_t rows,
                struct err *err)
{
	struct retain_step *sweep = &retention->step;
	int r = 0;

	if (!sweep->cut_us) {
		*sweep = (struct retain_step){.spared_run = retention->spared_run,
		                              .gone = retention->gone,
		                              .emptied = retention->emptied,
		                              .knows = retention->knows,
		                              .context = retention->context};
		sweep->leaves = now_us - retention->leaves_us >= LEAVES_US;
		r = find_cut(retention, db, now_us, &sweep->cut_us, err);
		retention->flows = 0;
		if (r < 0 || !sweep->cut_us)
			return r;
	}
	sweep->flows_max = 2 * rows < STEP_FLOWS       ? STEP_FLOWS
	                   : 2 * rows < STEP_FLOWS_MAX ? (unsigned)(2 * rows)
	                                               : STEP_FLOWS_MAX;
	r = flowdb_retain(db, sweep, err);
	if (r < 0 || r == RETAIN_HELD)
		return r < 0 ? r : 0;
	retention->flows += sweep->flows;
	if (r == RETAIN_OVER) {
		retention->swept_us = now_us;
		if (sweep->leaves)
			retention->leaves_us = now_us;
		sweep->cut_us = 0;
	}
	if (sweep->flows) {
		int shrunk = shrink(db, err);

		if (shrunk < 0)
			return shrunk;
	}
	return r == RETAIN_MORE || retention->flows;
}

int retention_step(struct retention *retention, struct flowdb *db, int64_t now_us,
                   uint64_t rows, struct err *err)
{
	int r = retention->limits.span_us || retention->limits.bytes
	                ? step(retention, db, now_us, rows, err)
	                : 0;

	return r == -ENOSPC || r == -EBUSY ? 0 : r;
}

int retention_finish(struct retention *retention, struct flowdb *db, int64_t now_us,
                     struct err *err)
{
	int r;

	do
		r = retention_step(retention, db, now_us, STEP_FLOWS_MAX, err);
	while (r > 0);
	return r;
}
