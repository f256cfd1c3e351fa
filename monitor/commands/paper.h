/*
 * paper.h - one writer for what people keep: a document of headings, sentences, facts, tables and
 * commands, as plain text of 80 columns or as one self-contained HTML file (no script, nothing from the
 * network, light and dark, for the screen and for A4). The same calls make both.
 *
 *     paper_head(paper, "Findings, worst first");
 *     paper_table(paper, COLUMNS, ARRAY_LEN(COLUMNS));
 *     paper_cell(paper, TONE_BAD, "%s", "high");
 *     ...
 *     paper_row_end(paper);
 *     paper_table_end(paper);
 *
 * Whatever is given is text, never markup, and comes from the wire as likely as not: control characters
 * and such as turn the direction of writing are shown as \x1b, \u202e, and HTML is escaped. Want of memory
 * and failed writes are kept until paper_end().
 */
#ifndef MONITOR_COMMANDS_PAPER_H
#define MONITOR_COMMANDS_PAPER_H

#include "schema/base.h"

/* PAPER_TERMINAL: text with its tones in colour. */
enum paper_form { PAPER_TEXT, PAPER_HTML, PAPER_TERMINAL };

#define PAPER_WIDTH 80
#define PAPER_COLUMNS_MAX 12

enum tone { TONE_PLAIN, TONE_GOOD, TONE_DOUBT, TONE_BAD, TONE_QUIET };

struct paper_column {
	const char *title;
	unsigned flags;
};
enum {
	PAPER_RIGHT = 1, /* aligned right */
	PAPER_WRAP = 2,  /* goes on in a line below where the width does not do */
	PAPER_BELOW = 4, /* in text below the row, over its whole width */
	PAPER_ABOVE = 8, /* gives way as PAPER_WRAP does, but is never broken for it: it stands above its row */
};

struct paper;

/* Writes to `file`, which stays the caller's. On success *ret_paper is the caller's, for paper_free(). */
int paper_new(enum paper_form form, FILE *file, const char *title, struct paper **ret_paper,
              struct err *err) MUST_CHECK;
void paper_free(struct paper *paper);
void paper_freep(struct paper **paper);

/* What the whole comes to, in a sentence. */
void paper_lead(struct paper *paper, enum tone tone, const char *fmt, ...) PRINTF(3, 4);
/* A section begins. */
void paper_head(struct paper *paper, const char *fmt, ...) PRINTF(2, 3);
/* A part of a section begins. */
void paper_subhead(struct paper *paper, enum tone tone, const char *fmt, ...) PRINTF(3, 4);
/* A paragraph. */
void paper_say(struct paper *paper, const char *fmt, ...) PRINTF(2, 3);
/* One of a list. */
void paper_item(struct paper *paper, enum tone tone, const char *fmt, ...) PRINTF(3, 4);
/* "name  what it is"; those that follow one another stand in one column. */
void paper_fact(struct paper *paper, const char *name, const char *fmt, ...) PRINTF(3, 4);
/* A line for the shell: never broken. */
void paper_command(struct paper *paper, const char *fmt, ...) PRINTF(2, 3);
/* Lines, parted by \n, to be copied as they are. */
void paper_lines(struct paper *paper, const char *lines);
/* A rule that is filled in by hand. */
void paper_blank(struct paper *paper, const char *name);
/*
 * What follows until paper_fold_end() stands behind this line, which opens it (`open`: which closes it). False: this form
 * cannot do that, nothing was begun, and whatever is that long may be left out.
 */
bool paper_fold(struct paper *paper, bool open, const char *fmt, ...) PRINTF(3, 4);
void paper_fold_end(struct paper *paper);

/* `columns` stays the caller's until paper_table_end(). */
void paper_table(struct paper *paper, const struct paper_column *columns, size_t count);
void paper_cell(struct paper *paper, enum tone tone, const char *fmt, ...) PRINTF(3, 4);
/* Below this row, over its whole width: a sentence, and a command. At most one of each. */
void paper_note(struct paper *paper, const char *fmt, ...) PRINTF(2, 3);
void paper_note_command(struct paper *paper, const char *fmt, ...) PRINTF(2, 3);
void paper_row_end(struct paper *paper);
void paper_table_end(struct paper *paper);

/* Where a drawing (inline SVG) goes, before the next call; narrow screens scroll it. NULL: this form has no drawings. Texts in it: html_put(). */
FILE *paper_drawing(struct paper *paper);
/* This form has drawings, and things that fold. */
bool paper_draws(const struct paper *paper);

/* Ends the document. 0; 1 when whoever read us has gone; negative errno with err filled. */
int paper_end(struct paper *paper, struct err *err) MUST_CHECK;

/* `text` with everything that steers a terminal or a reader's eye made visible; the caller frees it. NULL: no memory. */
char *text_visible(const char *text) MUST_CHECK;
/* Prints `text` in lines of PAPER_WIDTH, the first behind what stands there already, the others behind `indent` blanks. */
void text_wrap(FILE *file, size_t indent, const char *text);
/* Visible text, as HTML has it, between tags or in a quoted attribute. */
void html_put(FILE *file, const char *text);
/* The same line by line, parted by \n: each ends with one, also the last. */
void html_put_lines(FILE *file, const char *lines);

#endif
