/*
 * flip_table.h - flips as rows of an answer: what `tlmon whatif` lists and sums up.
 */
#ifndef MONITOR_COMMANDS_FLIP_TABLE_H
#define MONITOR_COMMANDS_FLIP_TABLE_H

#include "monitor/commands/out.h"
#include "monitor/flips.h"

extern const struct out_column FLIP_COLUMNS[], FLIP_FLOW_COLUMNS[];
extern const size_t FLIP_COLUMN_COUNT, FLIP_FLOW_COLUMN_COUNT;

int flip_group_put(struct out *out, const struct flip_group *group, struct err *err) MUST_CHECK;
int flip_flow_put(struct out *out, const struct flow_view *flow,
                  const struct past *past, struct err *err) MUST_CHECK;

/* The lines below the table: how many flows were judged, what flipped, what could not be judged. */
void flips_say(const struct flip_sums *sums);

#endif
