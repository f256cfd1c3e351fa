/*
 * inspector.h - the role that asks nDPI: first packets in, opinions out.
 */
#ifndef MONITOR_INSPECTOR_H
#define MONITOR_INSPECTOR_H

#include "monitor/ring.h"

struct inspector;

/* Flows it keeps state of at once; past that the one opened longest ago is given up, and counted. */
#define INSPECTOR_FLOWS_MAX (1 << 16)

struct inspector_options {
	uint32_t flows; /* kept at once; 0: INSPECTOR_FLOWS_MAX */
	struct ring *packets, *opinions; /* read; written */
	/*
	 * Where it shows which packet it has in hand: the position released so far, plus one; 0: none. So who
	 * finds it dead knows whether the oldest packet there is to blame. NULL: nowhere.
	 */
	_Atomic uint64_t *hand;
	_Atomic uint64_t *finished; /* counts what it is done with; NULL */
	bool dtls; /* for tests: nDPI gets DTLS too */
};

/* 0, or negative errno with err filled. */
int inspector_new(const struct inspector_options *options, struct inspector **ret,
                  struct err *err) MUST_CHECK;
void inspector_free(struct inspector *inspector);

/*
 * Handles what lies on the ring of packets, at most `most` events; returns how many. Stops early
 * while the ring of opinions is full. Each event is released when its opinion is written: "done".
 */
unsigned inspector_step(struct inspector *inspector, unsigned most);

/* Flows given up because the state table was full, or refused because there was no memory. */
uint64_t inspector_refused(const struct inspector *inspector);

#endif
