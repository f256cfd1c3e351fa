/*
 * retries.h - questions asked again from another port. A resolver, or a Kerberos client, may take a new
 * port for each try: then every flow holds one question alone, and that nobody answered any of them shows
 * only when they are looked at together. Fixed in size: in each set the oldest one gives way.
 */
#ifndef MONITOR_RECORD_RETRIES_H
#define MONITOR_RECORD_RETRIES_H

#include "schema/facts.h"

/* Nearer to each other they are asked at once (A and AAAA); farther apart they are no tries of one. */
#define RETRIES_APART_US INT64_C(1000000)
#define RETRIES_WITHIN_US INT64_C(30000000)

struct retries;

/* NULL when out of memory. */
struct retries *retries_new(void);
void retries_free(struct retries *retries);

/*
 * What is known by now of a flow of `unit` (any number that stands for it), its end `local`, and the name asked
 * for in it. Returns whether the unit asked the same server the same in another flow too, and neither was
 * answered so far.
 */
bool retries_note(struct retries *retries, uint64_t unit, unsigned local,
                  const struct flow_facts *facts, const char *name);

#endif
