/*
 * retention.h - what the recorder does so that its database does not grow for ever: between two commits
 * it deletes what is older than the limit, or more than fits, a few flows at a time.
 */
#ifndef MONITOR_RECORD_RETENTION_H
#define MONITOR_RECORD_RETENTION_H

#include "schema/flowdb_upkeep.h"

#define RETENTION_SPAN_US INT64_C(7776000000000) /* 90 days, ... */
#define RETENTION_BYTES (UINT64_C(20) << 30)     /* ... and 20 GB: the default of a live run */
/*
 * Nothing younger goes, however small the limits: a flow that is open stands there as it was when it last
 * changed, and is written again.
 */
#define RETENTION_LEAST_US INT64_C(7200000000)

/* 0: no limit. */
struct retention_limits {
	int64_t span_us; /* what ended so long before the newest packet goes */
	uint64_t bytes;  /* of the pages in use */
};

struct retention {
	struct retention_limits limits;
	int64_t spared_run;      /* files: what the run itself wrote stays; 0: live */
	struct retain_step step; /* of the sweep that goes on; cut_us 0: none does */
	uint64_t flows;          /* of this sweep, or of the last one */
	int64_t swept_us, leaves_us; /* when the last one ended, of all tables */
	void (*gone)(void *context, int64_t finding, uint64_t rows); /* flowdb_upkeep.h; so below */
	int (*emptied)(void *context, int64_t finding, struct err *err);
	bool (*knows)(void *context, int64_t finding);
	void *context;
};

/*
 * One step, outside any transaction; `now_us` is the newest packet's time, `rows` how many were written since the
 * last step: more than twice as many never go. A full disk and a reader that holds are waited for.
 * 1: there is more to do; 0: there is not, or not now.
 */
int retention_step(struct retention *retention, struct flowdb *db, int64_t now_us,
                   uint64_t rows, struct err *err) MUST_CHECK;
/* The run is over and nobody waits: all of it. */
int retention_finish(struct retention *retention, struct flowdb *db, int64_t now_us,
                     struct err *err) MUST_CHECK;

#endif
