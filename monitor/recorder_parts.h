/*
 * recorder_parts.h - a recorder from the inside, for its three files alone: recorder.c waits for the inspector and
 * commits, recorder_run.c begins a run or goes on with one, recorder_events.c handles each event.
 */
#ifndef MONITOR_RECORDER_PARTS_H
#define MONITOR_RECORDER_PARTS_H

#include "monitor/record/handover.h"
#include "monitor/recorder.h"
#include "schema/time.h"

struct recorder {
	struct recorder_options options;
	struct join *join;
	struct book *book;
	struct units *units;
	struct findings *findings;
	struct blinds *blinds;
	struct evidence_store *evidence;
	struct standings *standings; /* NULL: nobody asks */
	struct desk desk;
	struct losses losses;
	struct retention retention;
	struct handover handover;
	enum handover_kind goes_on;
	int64_t now_us, commit_us;
	uint64_t rows; /* written beside the desk's, since the last commit */
	bool begun;     /* a transaction is open */
	bool over;
	bool due; /* the clock of the packets asks for a commit */
	int64_t blocked_us; /* live: since when the oldest fact waits for the inspector; monotonic */
	int64_t wall_us;    /* of the last commit, or the beginning of a transaction behind it; monotonic */
	struct recorder_sums sums, committed;
	struct event_flow whole; /* what a brief event at hand says */
};

/* recorder.c */
/* Rows written since the last commit. */
uint64_t recorder_rows(const struct recorder *recorder);
/* `again`: the run goes on behind it. */
int recorder_commit(struct recorder *recorder, bool again, struct err *err) MUST_CHECK;

/* recorder_run.c */
/* Opens a transaction, finds the run or begins one, and commits that. */
int recorder_run_begin(struct recorder *recorder, struct err *err) MUST_CHECK;

/* recorder_events.c */
/* A fact that may be handled now: checked, counted. */
int recorder_handle(struct recorder *recorder, const struct event *event, struct err *err) MUST_CHECK;
/* All that the supervisor has said. */
int recorder_handle_control(struct recorder *recorder, struct err *err) MUST_CHECK;

#endif
