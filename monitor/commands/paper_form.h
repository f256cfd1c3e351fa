/*
 * paper_form.h - what paper.c and its two forms share. For them alone.
 */
#ifndef MONITOR_COMMANDS_PAPER_FORM_H
#define MONITOR_COMMANDS_PAPER_FORM_H

#include "monitor/commands/paper.h"

enum block { BLOCK_NONE, BLOCK_ITEMS, BLOCK_FACTS, BLOCK_DRAWING };

/* Cells that are NULL are empty. */
struct paper_row {
	char *cells[PAPER_COLUMNS_MAX];
	uint8_t tones[PAPER_COLUMNS_MAX];
	char *note, *command; /* NULL: none */
};
struct paper_table {
	const struct paper_column *columns;
	size_t count;
	struct paper_row *rows;
	size_t row_count, room;
};

/* Texts are visible already. `tone` and `name` may mean nothing to a call. */
struct paper_forming {
	void (*begin)(FILE *file, const char *title);
	void (*lead)(FILE *file, enum tone tone, const char *text);
	void (*head)(FILE *file, const char *text);
	void (*subhead)(FILE *file, enum tone tone, const char *text);
	void (*say)(FILE *file, const char *text);
	void (*item)(FILE *file, enum tone tone, const char *text);
	void (*fact)(FILE *file, const char *name, const char *text);
	void (*command)(FILE *file, const char *text);
	void (*lines)(FILE *file, const char *lines); /* each ends with \n */
	void (*blank)(FILE *file, const char *name);
	void (*fold)(FILE *file, bool open, const char *text); /* NULL: this form has none */
	void (*fold_end)(FILE *file);
	void (*table)(FILE *file, const struct paper_table *table);
	/* A run of items, of facts or of drawings begins, ends. */
	void (*block)(FILE *file, enum block block, bool begins);
	void (*end)(FILE *file);
	bool draws;
};
extern const struct paper_forming PAPER_AS_TEXT, PAPER_AS_HTML, PAPER_AS_TERMINAL;

#endif
