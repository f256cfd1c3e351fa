/*
 * status.h - what SIGUSR1 makes a run say of itself.
 */
#ifndef MONITOR_PROCESS_STATUS_H
#define MONITOR_PROCESS_STATUS_H

#include "monitor/process/child.h"

/* How far it is, in one line. */
void status_line(FILE *out, const struct run_state *state);
/* `child`: PROCESS_COUNT of them; `missing` of the board says what their sandbox lacks. */
void status_print(FILE *out, const struct run_state *state, const struct child *child,
                  const struct board *board);

#endif
