/*
 * desk_parts.h - what the files of desk.h share. For them alone.
 */
#ifndef MONITOR_RECORD_DESK_PARTS_H
#define MONITOR_RECORD_DESK_PARTS_H

#include "monitor/record/desk.h"

/* What an event tells of a flow, and what the inspector thinks of it. */
struct told_flow {
	const struct flow_facts *facts;
	const char *name;
	enum app opinion;
	bool ended;    /* this is its last word, ... */
	bool may_hold; /* ... and there is a place where it could wait */
};

struct held_flow {
	struct event_flow *event;
	enum app opinion;
	struct open_flow open;
};

/* For the unit at end `local`, to whom `sheet` belongs. Sets *ret_hold where an ended flow must wait. */
int desk_judge(struct desk *desk, struct unit *unit, const struct told_flow *flow, unsigned local,
               struct sheet *sheet, bool *ret_hold, struct err *err) MUST_CHECK;
/*
 * For the units at both ends. Sets *ret_hold where an ended flow must wait; then `open` is as before. *ret_units: a unit
 * takes part in it.
 */
int desk_handle(struct desk *desk, const struct event_flow *event, enum app opinion, bool may_hold,
                struct open_flow *open, bool *ret_hold, bool *ret_units,
                struct err *err) MUST_CHECK;

/* It waits; without memory it does not. */
void desk_hold(struct desk *desk, const struct event_flow *event, enum app opinion,
               const struct open_flow *open);
bool desk_holds(const struct desk *desk, uint64_t flow);
/* All that waited, and the places where they did. */
void desk_drop_held(struct desk *desk);

#endif
