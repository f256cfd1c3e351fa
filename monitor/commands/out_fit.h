/*
 * out_fit.h - makes a table fit a width by cutting texts where the columns allow it.
 */
#ifndef MONITOR_COMMANDS_OUT_FIT_H
#define MONITOR_COMMANDS_OUT_FIT_H

#include "monitor/commands/out.h"

#include <libsmartcols.h>

#define FIT_COLUMNS_MAX 64
#define FIT_GAP 2 /* between columns */

/*
 * Cuts cells until the lines are `width` wide, or nothing more may be cut. `flags` are those of the
 * table's `count` columns: columns with OUT_CUT_FIRST give way first, then those with OUT_CUT, the
 * widest before the others, none below OUT_CUT_MIN. 0 or -ENOMEM.
 */
int table_fit(struct libscols_table *table, const unsigned *flags, size_t count,
	      size_t width) MUST_CHECK;

#endif
