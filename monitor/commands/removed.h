/*
 * removed.h - what was recorded and is not here any more: until when, and where it is now.
 */
#ifndef MONITOR_COMMANDS_REMOVED_H
#define MONITOR_COMMANDS_REMOVED_H

#include "schema/flowdb_upkeep.h"

#define REMOVED_TEXT 1024

/*
 * "; what ended before 2026-03-02T12:00:00Z was moved to another database: -l /srv/archive", for each of what `db` lacks of
 * the time from since_us to until_us (0: that end is open); "" where it lacks nothing.
 */
int removed_print(struct flowdb *db, int64_t since_us, int64_t until_us, char buf[REMOVED_TEXT],
                  struct err *err) MUST_CHECK;

#endif
