/*
 * out.h - one writer for the answers of all commands: rows of typed cells become a table for
 * people, or JSON, JSON lines or CSV for programs. JSON lines and CSV leave as they come; a table
 * is laid out in pieces of OUT_TABLE_ROWS, so no answer is ever held whole.
 *
 *     out_text(out, "F17");
 *     out_int(out, 3);
 *     r = out_end(out);
 *
 * Cells are given in the order of the columns. A column without a title is left out of tables, one
 * without a name stands in tables alone; its cell is given all the same and dropped.
 */
#ifndef MONITOR_COMMANDS_OUT_H
#define MONITOR_COMMANDS_OUT_H

#include "monitor/json.h"

enum out_format { OUT_TABLE, OUT_JSON, OUT_JSONL, OUT_CSV };

#define OUT_HELP "  -o FORMAT             table (the default), json, jsonl or csv\n"
#define OUT_TABLE_ROWS 4096
#define OUT_COLUMNS_MAX 64

/* Returns 0, or -EINVAL with err naming what is accepted. */
int out_format_parse(const char *text, enum out_format *ret_format, struct err *err) MUST_CHECK;

enum {
	OUT_RIGHT = 1,    /* aligned right */
	OUT_CUT = 2,      /* may be cut to fit, ... */
	OUT_CUT_NEXT = 4, /* ... before those, ... */
	OUT_CUT_FIRST =
		8, /* ... before all, and left out, the last one first, where that spares the rest */
};

struct out_column {
	const char *name;  /* key in JSON, heading in CSV; NULL: tables alone */
	const char *title; /* heading in tables; NULL: none there */
	unsigned flags;
};

enum out_paint { OUT_PLAIN, OUT_RED, OUT_YELLOW, OUT_GREEN, OUT_DIM, OUT_BOLD };

struct out;

/*
 * Writes to `file`, which stays the caller's. A table is as wide as the
 * terminal, unless `wide`; a pipe or a file gets it whole, for grep and awk. Colour on a terminal alone, and not
 * under $NO_COLOR or where $TERM is dumb. Relies on SIGPIPE being ignored.
 */
int out_new(enum out_format format, FILE *file, const struct out_column *columns, size_t count,
            bool wide, struct out **ret_out, struct err *err) MUST_CHECK;
void out_free(struct out *out);
void out_freep(struct out **out);

/* A line of its own, in tables alone: what heads or follows the answer. */
void out_say(struct out *out, const char *fmt, ...) PRINTF(2, 3);

/*
 * NULL: null, empty in tables and CSV. Control characters reach neither a table nor CSV, and in CSV what a
 * spreadsheet would take for a formula has an apostrophe before it.
 */
void out_text(struct out *out, const char *text);
void out_int(struct out *out, int64_t value);
void out_bool(struct out *out, bool value);
void out_null(struct out *out);
/* JSON as it is; the same text as one string in tables and CSV. */
void out_raw(struct out *out, const char *json);
/* Paints the cell given last; tables on a terminal alone. */
void out_paint(struct out *out, enum out_paint paint);
/* A full line below this row, in tables alone; at most one a row. */
void out_note(struct out *out, const char *text);

/*
 * Ends the row. Returns 0; 1 when whoever read us has gone: write no more, it is no error; or
 * negative errno with err filled.
 */
int out_end(struct out *out, struct err *err) MUST_CHECK;
/* What there is so far leaves at once, and more may follow. Returns as out_end() does. */
int out_flush(struct out *out, struct err *err) MUST_CHECK;
/* Ends the answer: the closing bracket, the last piece of a table. Returns as out_end() does. */
int out_finish(struct out *out, struct err *err) MUST_CHECK;
/* Rows ended so far. */
uint64_t out_count(const struct out *out);

/* Nothing more is to be written to `file`. Returns as out_end() does. */
int stream_end(FILE *file, struct err *err) MUST_CHECK;

/* `word` as a shell reads it back. */
void shell_put(FILE *file, const char *word);

#endif
