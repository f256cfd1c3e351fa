/*
 * outcome.h - what became of the attempt that a flow is: answered, refused, prohibited, silence, or
 * a mirror that shows one side of it (design.md 3).
 */
#ifndef MONITOR_CAPTURE_OUTCOME_H
#define MONITOR_CAPTURE_OUTCOME_H

#include "schema/facts.h"

/* Whether end `end` said something, a refusal aside. */
bool outcome_spoke(const struct flow_facts *facts, unsigned end);
/* Writes facts->outcome as far as it can be told now. */
void outcome_write(struct flow_facts *facts);

#endif
