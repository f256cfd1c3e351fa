/*
 * shelf.h - flows that were told of and are not over: what is kept of each between its events. A million lie there
 * at a time, so each is one piece of memory, without what is zero: some 150 bytes of it.
 */
#ifndef MONITOR_RECORD_SHELF_H
#define MONITOR_RECORD_SHELF_H

#include "monitor/idmap.h"
#include "monitor/record/evidence.h"
#include "monitor/record/findings.h"

/* What is kept of a flow between its events, for the unit at one of its ends. */
struct sheet {
	int64_t id; /* its row; 0: not written yet */
	struct unit *unit; /* whose it is to its end, whatever is learnt of addresses meanwhile */
	struct gathered gathered;
	struct exhibit exhibit;
	bool over;   /* its last word is judged: only the other end's unit still waits */
	bool waited; /* for the same question in what ended along with it */
};

struct open_flow {
	struct sheet sheet[2];
	bool told; /* of an event before */
};

struct shelf {
	struct idmap flows;
};

/* `max` flows at most; allocates nothing yet. */
void shelf_init(struct shelf *shelf, size_t max);
void shelf_release(struct shelf *shelf);

/* As it was put there; zero if it was not. */
void shelf_get(const struct shelf *shelf, uint64_t flow, struct open_flow *ret);
/* Puts it there, or in the place of what was, with its latest event. 0, -ENOSPC, -ENOMEM: then what was is there. */
int shelf_put(struct shelf *shelf, const struct open_flow *open,
              const struct event_flow *latest) MUST_CHECK;
void shelf_drop(struct shelf *shelf, uint64_t flow);
/* The sheet of that end, to be changed, where packets of the flow were ever kept; else NULL. */
struct sheet *shelf_exhibited(const struct shelf *shelf, uint64_t flow, unsigned end);

/* Their latest events, in no order, each the caller's to free; *ret_count of them. NULL: out of memory. */
struct event_flow **shelf_latest(const struct shelf *shelf, size_t *ret_count);

#endif
