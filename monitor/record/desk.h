/*
 * desk.h - where flows are judged: the units at the ends of a flow are found, the judge is asked for
 * each, findings and rows follow. What is open stays here until its last word.
 */
#ifndef MONITOR_RECORD_DESK_H
#define MONITOR_RECORD_DESK_H

#include "monitor/idmap.h"
#include "monitor/record/blind.h"
#include "monitor/record/book.h"
#include "monitor/record/coverage.h"
#include "monitor/record/evidence.h"
#include "monitor/record/findings.h"
#include "monitor/record/join.h"
#include "monitor/record/retries.h"
#include "monitor/record/standing.h"
#include "monitor/record/strangers.h"

#define DESK_OPEN_MAX (1 << 21) /* flows told of and not over */
#define DESK_HELD_MAX 4096 /* over, but what became of them hangs on what is still to come */

struct recorder_sums {
	uint64_t flows;        /* flows of units, one for each unit; of these ... */
	uint64_t kept;         /* ... have a row: all but what a flood is sampled of */
	uint64_t by_ruling[5]; /* ended ones, by enum ruling */
	uint64_t findings;     /* opened in this run */
	uint64_t refused;      /* events that failed their check, and flows without a place */
	uint64_t unjoined; /* facts handled before the inspector had said all it could */
	int64_t handled;       /* facts; -1: a sensor died, and another reading would tell others */
	uint64_t latest_flow;  /* the highest number of a flow told of */
	uint64_t parted_flow;  /* opinions of flows up to this one a successor may not hear again */
	struct counters counters;  /* the sensor's last word */
	int64_t first_us, last_us; /* of the run's clock */
};
/* Its owner fills what comes first, and keeps `now_us` and `run` up to date. */
struct desk {
	const struct policy *policy;
	struct flowdb *db;
	struct join *join; /* what the inspector thinks of a flow so far */
	struct book *book;
	struct units *units;
	struct findings *findings;
	struct blinds *blinds;
	struct evidence_store *evidence;
	struct standings *standings; /* NULL: nobody asks how rows stand */
	const _Atomic uint32_t *inspector_off; /* not 0 while nobody can be asked; NULL: never */
	struct recorder_sums *sums;
	int64_t run, policy_id;
	int64_t now_us;
	/*
	 * It goes on in the place of a dead one: flows up to this number may have a row already, which
	 * is gone on with; and what nDPI thought of those up to the other one may be lost. 0: of none.
	 */
	uint64_t resumed_flow, resumed_parted;
	/* The desk's own. */
	uint64_t rows; /* written */
	struct idmap open;
	struct held_flow *held;
	unsigned held_count;
	bool held_moved; /* since they were written last */
	struct coverage coverage;
	struct retries *retries;
	struct strangers strangers;
};

/* 0 or -ENOMEM. */
int desk_init(struct desk *desk) MUST_CHECK;
void desk_release(struct desk *desk);

/* One event of a flow. */
int desk_flow(struct desk *desk, const struct event_flow *event, struct err *err) MUST_CHECK;
/* One of a flow's first packets. */
int desk_sample(struct desk *desk, const struct event_sample *event, struct err *err) MUST_CHECK;
/* Another program that read the same files handled this fact: only packets are kept, for what is still to come. */
void desk_leave_out(struct desk *desk, const struct event *event);
/* Time has passed, or (`all`) is over: flows whose last word had to wait are judged. */
int desk_release_held(struct desk *desk, bool all, struct err *err) MUST_CHECK;
/* Flows that wait for their last word, into the database, where a successor finds them. */
int desk_write_held(struct desk *desk, struct err *err) MUST_CHECK;
int desk_read_held(struct desk *desk, struct err *err) MUST_CHECK;
/* Their sensor is gone: of every flow it had told of, the last facts are the last word. */
int desk_lose(struct desk *desk, struct err *err) MUST_CHECK;

#endif
