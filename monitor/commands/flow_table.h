/*
 * flow_table.h - recorded flows as rows of an answer.
 */
#ifndef MONITOR_COMMANDS_FLOW_TABLE_H
#define MONITOR_COMMANDS_FLOW_TABLE_H

#include "monitor/commands/query.h"

extern const struct out_column FLOW_COLUMNS[];
extern const size_t FLOW_COLUMN_COUNT;

/* Ids of rows as a cell: a list. */
void row_list_put(struct out *out, const char (*rows)[ROW_ID_MAX], unsigned count);
/* The cells of one row under FLOW_COLUMNS; the row is still to be ended. */
void flow_cells(struct out *out, const struct flow_view *flow, bool one_day);
/* One row under FLOW_COLUMNS; returns as out_end() does. `one_day`: the table need not tell the day. */
int flow_put(struct out *out, const struct flow_view *flow, bool one_day,
             struct err *err) MUST_CHECK;

/* "udp :50016 > 52.112.1.9:3478": the unit's port, who opened it, the peer. Returns `buf`. */
const char *flow_text(const struct flow_view *flow, char *buf, size_t size);

#endif
