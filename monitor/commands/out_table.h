/*
 * out_table.h - rows of text laid out for people: aligned, cut to fit, coloured. For out.c.
 */
#ifndef MONITOR_COMMANDS_OUT_TABLE_H
#define MONITOR_COMMANDS_OUT_TABLE_H

#include "monitor/commands/out.h"

struct out_table;

/* Of those columns that have a title. 0 or -ENOMEM, as all below. */
int out_table_new(FILE *file, const struct out_column *columns, size_t count, bool wide,
                  struct out_table **ret_table) MUST_CHECK;
void out_table_free(struct out_table *table);

/* The next cell of the row that is being made. */
void out_table_cell(struct out_table *table, const char *text);
/* Paints it. */
void out_table_paint(struct out_table *table, enum out_paint paint);
/* A line of its own, now. */
void out_table_say(const struct out_table *table, const char *text);
/* A line below the row. */
void out_table_note(struct out_table *table, const char *text);
/* The row is whole; prints what is held once that is OUT_TABLE_ROWS. */
int out_table_end(struct out_table *table) MUST_CHECK;
/* Prints what is held. */
int out_table_flush(struct out_table *table) MUST_CHECK;

#endif
