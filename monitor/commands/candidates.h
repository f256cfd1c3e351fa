/*
 * candidates.h - a run that knew no units: who looks like a room system, and how to go on.
 */
#ifndef MONITOR_COMMANDS_CANDIDATES_H
#define MONITOR_COMMANDS_CANDIDATES_H

#include "monitor/recorder.h"

#define CANDIDATES_NAMED 8 /* in the command line */

/*
 * Prints a line for each MAC with its addresses, and the command line that judges them: `words`
 * (behind "watch", ended by NULL) as they were given, and the first CANDIDATES_NAMED units.
 */
void candidates_print(FILE *file, const struct candidate *candidates, size_t count,
                      char *const *words);

#endif
