/*
 * join.h - opinions waiting for their facts. Bounded: opinions never wait for facts in a ring, so
 * no circle of waits can form; when the table is full a further opinion is refused and counted.
 */
#ifndef MONITOR_RECORD_JOIN_H
#define MONITOR_RECORD_JOIN_H

#include "monitor/ring.h"

struct join;

/* NULL when out of memory. */
struct join *join_new(size_t max);
void join_free(struct join *join);

/* Drains the ring of opinions into the table. */
void join_drain(struct join *join, struct ring *opinions);
/*
 * Up to where the ring of opinions can be given back with the next commit: while some wait for their flows all stay
 * where a successor finds them, up to half a ring of them.
 */
uint64_t join_settled(struct join *join, const struct ring *opinions);
/* Of flows up to this number opinions that waited were given back. */
uint64_t join_parted(const struct join *join);
/* The last opinion of a flow, APP_NONE; `last` takes it off the table. */
enum app join_opinion(struct join *join, uint64_t flow, bool last);

/* Opinions refused because the table was full, and events that failed event_check(). */
uint64_t join_refused(const struct join *join);

#endif
