/*
 * event_brief.h - the last word on a flow of which SYNs alone were seen, in a third of the bytes of any other. It
 * says all of it: what does not fit goes as a struct event_flow.
 */
#ifndef SCHEMA_EVENT_BRIEF_H
#define SCHEMA_EVENT_BRIEF_H

#include "schema/event.h"

struct event_brief {
	struct event head;
	uint64_t id;
	int64_t first_us;
	struct endpoint end[2];
	uint32_t bytes; /* of end 0, as all that follows */
	uint32_t last_after_us; /* the first; it tried whenever it sent */
	uint16_t vlan;
	uint8_t packets, tcp_flags;
	uint8_t outcome, silent_s;
	uint8_t tunnel, ip_version;
};
_Static_assert(sizeof(struct event_brief) == 96, "of a flood each flow is one of these");

/* The rest of *ret, behind its head; false: it would not say all, and *ret is of no use. */
bool event_brief_fill(const struct flow_facts *facts, struct event_brief *ret) MUST_CHECK;
/* What a brief event says, in *whole, as it would stand on the ring; any other event as it is. Nothing is checked. */
const struct event *event_whole(const struct event *event, struct event_flow *whole);

#endif
