/*
 * outcome.h - what became of the attempt that a flow is: answered, refused, prohibited, silence, or
 * a mirror that shows one side of it (design.md 3).
 */
#ifndef MONITOR_CAPTURE_OUTCOME_H
#define MONITOR_CAPTURE_OUTCOME_H

#include "schema/facts.h"

/* Whether end `end` said something, a refusal aside. */
bool outcome_spoke(const struct flow_facts *facts, unsigned end);
/*
 * An ICMP error about a packet of end `end`. A later word changes nothing but that a decision (prohibited,
 * refused) goes before a mere failure to deliver.
 */
void outcome_error(struct flow_facts *facts, unsigned end, const struct packet *packet);
/* What it came to so far. */
enum outcome outcome_now(const struct flow_facts *facts);
/* Writes that to facts->outcome, and how long it has been silent, as far as it can be told at `now_us`. */
void outcome_write(struct flow_facts *facts, int64_t now_us);
/*
 * Whether a request has no answer and its silence says nothing yet: under 3 s, or its last try is just out, or it was
 * asked once and the second try may be on its way (after 1 to 3 s by RFC 6298 2.1, 5 s of resolvers).
 */
bool outcome_waits(const struct flow_facts *facts, int64_t now_us);

#endif
