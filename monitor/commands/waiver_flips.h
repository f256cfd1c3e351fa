/*
 * waiver_flips.h - findings that stay under another policy, but would be waived by it, or no longer.
 */
#ifndef MONITOR_COMMANDS_WAIVER_FLIPS_H
#define MONITOR_COMMANDS_WAIVER_FLIPS_H

#include "monitor/history.h"

struct waiver_flips;

struct waiver_flips *waiver_flips_new(void); /* NULL when out of memory */
void waiver_flips_free(struct waiver_flips *flips);
/* A flow whose verdict stays. */
int waiver_flips_note(struct waiver_flips *flips, const struct flow_view *flow,
                      const struct past *past, struct err *err) MUST_CHECK;
/* A line on each of these findings. */
int waiver_flips_say(struct waiver_flips *flips, struct flowdb *db, struct err *err) MUST_CHECK;

#endif
