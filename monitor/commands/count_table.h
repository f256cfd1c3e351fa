/*
 * count_table.h - --count-by: how many flows or findings there are of each.
 */
#ifndef MONITOR_COMMANDS_COUNT_TABLE_H
#define MONITOR_COMMANDS_COUNT_TABLE_H

#include "monitor/commands/query.h"

/* The whole answer, head and foot. `what` is "flows", "findings". */
int count_list(const struct query *query, enum flowdb_thing thing, const char *what,
               struct err *err) MUST_CHECK;

#endif
