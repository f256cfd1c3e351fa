/*
 * rows_tried.h - every row of a unit's profiles as the judge held it against a flow: for people a table, for
 * programs a list. Flows that were recorded and flows written by hand are told alike.
 */
#ifndef MONITOR_COMMANDS_ROWS_TRIED_H
#define MONITOR_COMMANDS_ROWS_TRIED_H

#include "monitor/json.h"
#include "rules/judge.h"

/* On stdout, in 80 columns. */
void rows_tried_print(const struct policy *policy, const struct view *view);
/* [{"row": ..., "ip-version": "match", ..., "result": "exact"}, ...] */
void rows_tried_json(const struct policy *policy, const struct view *view, FILE *file);

#endif
