/*
 * recorder.h - the role that judges and writes: checks every event, joins opinions, learns names
 * and leases, judges, gathers findings, fills the database. It sees no packet but evidence, which it
 * does not look into.
 */
#ifndef MONITOR_RECORDER_H
#define MONITOR_RECORDER_H

#include "monitor/memory.h"
#include "monitor/record/desk.h"
#include "monitor/record/losses.h"
#include "monitor/record/retention.h"
#include "monitor/ring.h"

struct recorder;

struct recorder_options {
	const struct policy *policy; /* outlives the recorder */
	struct flowdb *db;           /* open for writing, outlives it too */
	struct ring *facts, *opinions;
	struct ring *control;       /* the supervisor's; NULL: there is none */
	const struct ring *packets; /* what the inspector has released there, it is done with */
	uint64_t session; /* of the program: a recorder that died in it is gone on with; 0: none could be */
	const struct recorder_sums *sums; /* what was counted, should the database not know; NULL */
	const char *how; /* all that beside policy and filter decides what facts come; NULL */
	const char *version, *source, *inputs, *filter; /* of the run; "" */
	bool live;
	bool plain;        /* for tests: no way is shorter for flows that are alike */
	const struct memory *memory; /* how large its tables may become; NULL: as large as ever */
	int64_t commit_us; /* for tests: so long after the last commit the next one is due; 0: as ever */
	bool rests; /* behind a commit, so that other writers have their turn: it is asked again soon */
	int64_t begun_us; /* live: wall clock */
	struct retention_limits keep; /* what is older, or more, goes; of files when the run is over */
	bool again;       /* files that the database holds already are welcome */
	const _Atomic uint32_t *inspector_off; /* set while there is no inspector to wait for; NULL: never */
	const struct blind_row *note; /* to be put on record first of all; NULL */
	bool stands_in; /* for one that cannot write: judges and tells, and leaves all on the rings for that one */
	bool waited; /* for room, in the place of one that found none: that is no restart */
	/* The inputs as capture knows them, for names and marks; NULL for live. */
	const struct captured_input *(*input)(void *context, unsigned index);
	/* Has the input's hash be known before it is over. Called by recorder_new() alone. */
	int (*hash)(void *context, unsigned index, struct err *err);
	/* A commit is done: a successor goes on from these; a file is over; a finding opens; may be NULL. */
	void (*committed)(void *context, const struct recorder_sums *sums);
	void (*input_over)(void *context, const struct event_input *input);
	void (*found)(void *context, const struct finding *finding);
	/* How a row of a unit stands, when that changes (standing.h); false: no room, it is asked again. NULL: nobody asks. */
	bool (*exercised)(void *context, const char *unit, const struct exercised *exercised);
	int64_t teller; /* struct exercised */
	/* An interval begins in which not all is seen, or is over; unit "": of all. May be NULL. */
	void (*blind)(void *context, const char *unit, const struct blind_row *blind);
	void *context;
};

/*
 * Begins a run in the database: -EEXIST, with err naming the file, if it holds one of the inputs
 * already. 0, or negative errno with err filled.
 */
int recorder_new(const struct recorder_options *options, struct recorder **ret,
                 struct err *err) MUST_CHECK;
void recorder_free(struct recorder *recorder);

/*
 * Handles what has come, as far as the join allows; returns how many facts, or negative errno with
 * err filled when the database fails. What was handled is released on the ring of facts when it is committed.
 */
int recorder_step(struct recorder *recorder, struct err *err) MUST_CHECK;
/* Nothing comes: commits what is older than a second. */
int recorder_idle(struct recorder *recorder, struct err *err) MUST_CHECK;
/* Nobody will say the last word of the run: every flow that is open ends as lost. */
int recorder_end(struct recorder *recorder, struct err *err) MUST_CHECK;
/* The last word was handled and committed. */
bool recorder_is_over(const struct recorder *recorder);
int64_t recorder_run(const struct recorder *recorder); /* in the database */
/* It goes on with a run of files that another program left when it died. */
bool recorder_goes_on(const struct recorder *recorder);

const struct recorder_sums *recorder_sums(const struct recorder *recorder);
/* As they stood at the last commit: from there a successor goes on. */
const struct recorder_sums *recorder_committed(const struct recorder *recorder);
/* All that found no place or failed its check: events, opinions, names, units, candidates. */
uint64_t recorder_refused(const struct recorder *recorder);
const struct units *recorder_units(const struct recorder *recorder);
const struct strangers *recorder_strangers(const struct recorder *recorder);

#endif
