/*
 * watch_strangers.h - a run that knew no units: who looks like a room system, and how to go on.
 */
#ifndef MONITOR_COMMANDS_WATCH_STRANGERS_H
#define MONITOR_COMMANDS_WATCH_STRANGERS_H

#include "monitor/record/strangers.h"

#define STRANGERS_NAMED 8 /* in the command line */

/*
 * Prints a line for each MAC with its addresses, and the command line that judges them: `words`
 * (behind "watch", ended by NULL) as they were given, and the first STRANGERS_NAMED units.
 */
void strangers_print(FILE *file, const struct stranger *strangers, size_t count,
                     char *const *words);

#endif
