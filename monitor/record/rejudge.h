/*
 * rejudge.h - all recorded flows are judged again, for good, as a new policy version: verdicts, findings,
 * coverage, waivers follow. In one transaction, by the one writer.
 */
#ifndef MONITOR_RECORD_REJUDGE_H
#define MONITOR_RECORD_REJUDGE_H

#include "monitor/flips.h"

struct rejudge_options {
	struct flowdb *db; /* open for writing */
	const struct policy *policy;
	const char *by_whom;
	int64_t at_us; /* the wall clock */
	void (*progress)(void *context, uint64_t done, uint64_t all); /* NULL */
	void *context;
};

struct rejudge_sums {
	struct flip_sums flows;
	struct finding_turns findings;
	uint64_t without_row; /* flows counted under findings of which no row is kept: they could not be judged */
};

int rejudge(const struct rejudge_options *options, struct rejudge_sums *ret,
            struct err *err) MUST_CHECK;

#endif
