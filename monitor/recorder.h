/*
 * recorder.h - the role that judges and writes: checks every event, joins opinions, learns names
 * and leases, judges, gathers findings, fills the database. It sees no packet.
 */
#ifndef MONITOR_RECORDER_H
#define MONITOR_RECORDER_H

#include "monitor/record/findings.h"
#include "monitor/record/strangers.h"
#include "monitor/ring.h"

struct recorder;

struct recorder_options {
	const struct policy *policy; /* outlives the recorder */
	struct flowdb *db;           /* open for writing, outlives it too */
	struct ring *facts, *opinions;
	const struct ring *packets; /* what the inspector has released there, it is done with */
	const char *version, *source, *inputs, *filter; /* of the run; "" */
	bool live; /* commits every second; files commit by rows */
	/* The inputs as capture knows them, for names and hashes; NULL for live. */
	const struct captured_input *(*input)(void *context, unsigned index);
	/* A finding opens; may be NULL. */
	void (*found)(void *context, const struct finding *finding);
	void *context;
};

/* Begins a run in the database. 0, or negative errno with err filled. */
int recorder_new(const struct recorder_options *options, struct recorder **ret,
                 struct err *err) MUST_CHECK;
void recorder_free(struct recorder *recorder);

/*
 * Handles what has come, as far as the join allows; returns how many facts, or negative errno with
 * err filled when the database fails.
 */
int recorder_step(struct recorder *recorder, struct err *err) MUST_CHECK;

struct recorder_sums {
	uint64_t flows;        /* rows: flows of units, one for each unit */
	uint64_t by_ruling[5]; /* ended ones, by enum ruling */
	uint64_t findings;     /* opened in this run */
	uint64_t refused;      /* events that failed their check, and flows without a place */
	struct counters counters;  /* the sensor's last word */
	int64_t first_us, last_us; /* of the run's clock */
};
const struct recorder_sums *recorder_sums(const struct recorder *recorder);
/* All that found no place or failed its check: events, opinions, names, units, candidates. */
uint64_t recorder_refused(const struct recorder *recorder);
const struct units *recorder_units(const struct recorder *recorder);
const struct strangers *recorder_strangers(const struct recorder *recorder);

#endif
