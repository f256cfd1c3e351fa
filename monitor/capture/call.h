/*
 * call.h - a flow of media in the course of time: when its ports are used again, when what it carries
 * must be looked at anew, and checks that are answered late.
 */
#ifndef MONITOR_CAPTURE_CALL_H
#define MONITOR_CAPTURE_CALL_H

#include "monitor/capture/flowtab.h"

/* Whether its application is one of those that share a 5-tuple with media (RFC 7983). */
bool call_is(const struct flow_facts *facts);

/*
 * Whether this UDP packet of end `end` opens a new conversation on the 5-tuple of an old one (domain.md
 * 7.3): a check of another ICE session, or media of a new source after silence and new checks.
 */
bool call_begins_anew(const struct flow *flow, unsigned end, const struct packet *packet);
/* What the new flow must know of the old one, and where it is told so; `same_end`: end 0 is the same one. */
struct call_trace call_next(const struct flow *flow, const struct packet *packet);
void call_begin(struct flow *flow, const struct call_trace *next, bool same_end);

/* Every packet of it with payload; true if it changed a fact of a flow that has settled. */
bool call_packet(struct flow *flow, unsigned end, const struct packet *packet);

/*
 * Whether a flow that has settled must be shown to the dissectors again, from this packet on; each time in
 * vain it is left alone for longer. _end() says whether anything changed.
 */
bool call_relearns(const struct flow *flow, const struct packet *packet);
void call_relearn_begin(struct flow *flow);
bool call_relearn_end(struct flow *flow);

#endif
