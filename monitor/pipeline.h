/*
 * pipeline.h - one run, from packets to rows, in one process: capture, sensor, inspector and
 * recorder take turns, and meet only in events on rings.
 */
#ifndef MONITOR_PIPELINE_H
#define MONITOR_PIPELINE_H

#include "monitor/capture/capture.h"
#include "monitor/capture/flowtab.h"
#include "monitor/recorder.h"

struct pipeline_state {
	int64_t now_us; /* the run's clock */
	int permille;   /* of the files; -1: unknown, or live */
	bool live;
	const struct counters *counters;
	const struct recorder_sums *sums;
	uint32_t units;
};

struct pipeline_options {
	struct capture_options capture;
	struct flowtab_limits limits;
	const struct policy *policy;
	struct flowdb *db;
	int64_t for_us; /* live: ends after that; 0: never by itself */
	bool again;     /* files that the database holds already are read all the same */
	/* May be NULL; `context` for both. */
	void (*found)(void *context, const struct finding *finding);
	/* Some ten times a second: where the run stands. */
	void (*progress)(void *context, const struct pipeline_state *state);
	void *context;
};

/* What is left to say when the run is over; lives until pipeline_free(). */
struct pipeline;

/*
 * Opens the inputs (`capture`, from capture_open(), stays the caller's), runs to their end, or until
 * SIGINT or SIGTERM, and commits. On success *ret is the caller's. Negative errno with err filled:
 * what was committed before stays.
 */
int pipeline_run(const struct pipeline_options *options, struct capture *capture,
                 struct pipeline **ret, struct err *err) MUST_CHECK;
void pipeline_free(struct pipeline *pipeline);
void pipeline_freep(struct pipeline **pipeline);

const struct recorder *pipeline_recorder(const struct pipeline *pipeline);
/* What had no place in a table and went without: names, opinions, units. No flow is among it. */
uint64_t pipeline_refused(const struct pipeline *pipeline);

#endif
