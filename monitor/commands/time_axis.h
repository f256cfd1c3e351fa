/*
 * time_axis.h - time from left to right in a drawing (inline SVG of a paper): where a moment stands, and the
 * ticks above it. Whatever is drawn uses whole tenths of a unit, so it is the same text wherever it is made.
 */
#ifndef MONITOR_COMMANDS_TIME_AXIS_H
#define MONITOR_COMMANDS_TIME_AXIS_H

#include "schema/base.h"

struct time_axis {
	FILE *file;
	int64_t since_us, until_us;
	int left, right; /* where they stand */
	int top, bottom; /* of what is drawn below the ticks' words */
	bool utc;        /* else local */
};

/* Tenths; what lies outside stands at the end that is nearer. */
int axis_x10(const struct time_axis *axis, int64_t us);
/* Lines of class "t", each with its time above. */
void axis_draw(const struct time_axis *axis);
/* The pattern of id "blind", a hatching; once in a document before it is used. */
void axis_define_hatching(FILE *file);
/* From `since_us` to `until_us`, as wide as can be seen, `top` to `bottom`; what it is in words. */
void axis_hatch(const struct time_axis *axis, int64_t since_us, int64_t until_us, int top,
                int bottom, const char *words);

#endif
