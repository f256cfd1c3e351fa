/*
 * finding_table.h - findings as rows of an answer: one a finding, or one for what is alike at many
 * units.
 */
#ifndef MONITOR_COMMANDS_FINDING_TABLE_H
#define MONITOR_COMMANDS_FINDING_TABLE_H

#include "monitor/commands/query.h"

extern const struct out_column FINDING_COLUMNS[], FINDING_GROUP_COLUMNS[];
extern const size_t FINDING_COLUMN_COUNT, FINDING_GROUP_COLUMN_COUNT;

/* Callbacks of flowdb_findings() and flowdb_finding_groups(); `context` is the struct out. */
int finding_put(void *context, const struct finding_view *finding, struct err *err) MUST_CHECK;
int finding_group_put(void *context, const struct finding_group *group,
                      struct err *err) MUST_CHECK;

/* The cells of FINDING_COLUMNS; the row goes on. */
void finding_cells(struct out *out, const struct finding_view *finding);

/* "open", "waived" (open, and a waiver excuses it), "closed". */
const char *finding_state(const struct finding_row *row);

#endif
