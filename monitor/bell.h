/*
 * bell.h - how one process wakes another: a futex in shared memory. Whoever waits first listens, then
 * looks whether there is work, and only then sleeps: a ring between the two is not missed.
 *
 *     ticket = bell_listen(bell);
 *     if (!there_is_work())
 *             bell_wait(bell, ticket, 50000);
 *
 * Ringing costs a fence while nobody sleeps. Every wait has an end: a lost wake-up delays, no more.
 */
#ifndef MONITOR_BELL_H
#define MONITOR_BELL_H

#include "schema/base.h"

#include <stdatomic.h>

struct bell {
	_Atomic uint32_t rung;
	_Atomic uint32_t sleeper;
};

uint32_t bell_listen(struct bell *bell);
/* Until the bell rings (or rang since `ticket`), a signal comes or the time is over. */
void bell_wait(struct bell *bell, uint32_t ticket, int64_t timeout_us);
void bell_ring(struct bell *bell);

#endif
