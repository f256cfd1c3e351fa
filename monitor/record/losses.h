/*
 * losses.h - what the sensor's counters tell of packets, flows and names that were not seen or kept:
 * the difference between two health events is an interval in the ledger (blind.h).
 */
#ifndef MONITOR_RECORD_LOSSES_H
#define MONITOR_RECORD_LOSSES_H

#include "monitor/record/blind.h"
#include "schema/event.h"

#define SILENT_US INT64_C(30000000) /* no packet at all for so long: the mirror is silent */

struct losses {
	struct counters before;
	int64_t before_us; /* of the health event before; 0: there was none */
	int64_t packet_us; /* health event at which `seen` had grown last */
	bool silent;
};

/* For a recorder that takes the place of a dead one: what was counted at its last commit. */
void losses_resume(struct losses *losses, const struct counters *counters, int64_t time_us,
                   bool silent);
/* Nobody read until then: whether packets came meanwhile is not known. */
void losses_gap(struct losses *losses, int64_t time_us);

/* Notes what was lost since the health event before. 0, or negative errno with err filled. */
int losses_note(struct losses *losses, struct blinds *blinds, struct flowdb *db, int64_t run,
                bool live, const struct event_health *health, struct err *err) MUST_CHECK;

#endif
