/*
 * paper.c - see paper.h: what is common to both forms. A table is held whole until it ends, for its
 * columns are as wide as what stands in them.
 */
#include "monitor/commands/out.h"
#include "monitor/commands/paper_form.h"

#include <assert.h>
#include <stdarg.h>

struct paper {
	const struct paper_forming *form;
	FILE *file;
	enum block block;
	struct paper_table table;
	struct paper_row row; /* in hand */
	size_t at;            /* its next cell */
	bool failed;          /* memory was wanting */
};

/*
 * What must not reach a screen as it is: C0, C1, and what turns the direction of writing (Unicode 15, 23.2).
 * Nor U+FFFE and U+FFFF, which are no characters: XML has none of these (XML 1.0, 2.2).
 */
static bool is_steering(const unsigned char *s, size_t len)
{
	if (len == 1)
		return *s < 0x20 || *s == 0x7f;
	if (len == 2)
		return *s == 0xc2 && s[1] < 0xa0;
	if (len == 3 && *s == 0xef)
		return s[1] == 0xbf && s[2] >= 0xbe;
	return len == 3 && *s == 0xe2 &&
	       ((s[1] == 0x80 &&
	         (s[2] == 0x8e || s[2] == 0x8f || (s[2] >= 0xa8 && s[2] <= 0xae))) ||
	        (s[1] == 0x81 && s[2] >= 0xa6 && s[2] <= 0xa9));
}

static void put_steering(FILE *file, const unsigned char *s, size_t len)
{
	if (len == 3)
		fprintf(file, "\\u%04x",
		        (s[0] & 0xfU) << 12 | (s[1] & 0x3fU) << 6 | (s[2] & 0x3fU));
	else
		fprintf(file, "\\x%02x", s[len - 1]);
}

char *text_visible(const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	char *visible = NULL;
	size_t size = 0, plain = 0;
	FILE *file;

	while (s[plain] >= 0x20 && s[plain] < 0x7f)
		plain++;
	if (!s[plain]) /* as nearly all of it */
		return strdup(text);
	file = open_memstream(&visible, &size);
	if (!file)
		return NULL;
	while (*s) {
		size_t len = utf8_len(s);

		if (!len)
			fprintf(file, "\\x%02x", *s);
		else if (is_steering(s, len))
			put_steering(file, s, len);
		else
			fwrite(s, 1, len, file);
		s += len ? len : 1;
	}
	if (fclose(file)) {
		free(visible);
		return NULL;
	}
	return visible;
}

int paper_new(enum paper_form form, FILE *file, const char *title, struct paper **ret_paper,
              struct err *err)
{
	struct paper *paper = calloc(1, sizeof(*paper));
	CLEANUP(freep) char *visible = text_visible(title);

	if (!paper || !visible) {
		free(paper);
		return err_set(err, -ENOMEM, "out of memory");
	}
	paper->form = form == PAPER_HTML       ? &PAPER_AS_HTML
	              : form == PAPER_TERMINAL ? &PAPER_AS_TERMINAL
	                                       : &PAPER_AS_TEXT;
	paper->file = file;
	paper->form->begin(file, visible);
	*ret_paper = paper;
	return 0;
}

static void row_release(struct paper_row *row)
{
	for (size_t i = 0; i < PAPER_COLUMNS_MAX; i++)
		free(row->cells[i]);
	free(row->note);
	free(row->command);
	*row = (struct paper_row){0};
}

static void table_release(struct paper_table *table)
{
	for (size_t i = 0; i < table->row_count; i++)
		row_release(&table->rows[i]);
	free(table->rows);
	*table = (struct paper_table){0};
}

void paper_free(struct paper *paper)
{
	if (!paper)
		return;
	row_release(&paper->row);
	table_release(&paper->table);
	free(paper);
}

void paper_freep(struct paper **paper)
{
	paper_free(*paper);
	*paper = NULL;
}

/* Formats, visible; NULL where memory is wanting, and the paper knows. */
static char *PRINTF(2, 0) text_of(struct paper *paper, const char *fmt, va_list args)
{
	CLEANUP(freep) char *raw = NULL;
	char *text;

	if (vasprintf(&raw, fmt, args) < 0)
		raw = NULL;
	text = raw ? text_visible(raw) : NULL;
	paper->failed |= !text;
	return text;
}

static void go_to(struct paper *paper, enum block block)
{
	assert(!paper->table.columns);
	if (paper->block == block)
		return;
	if (paper->block)
		paper->form->block(paper->file, paper->block, false);
	paper->block = block;
	if (block)
		paper->form->block(paper->file, block, true);
}

#define TEXT_OF_ARGS(paper, fmt) \
	({ \
		va_list args_; \
		char *text_; \
		va_start(args_, fmt); \
		text_ = text_of(paper, fmt, args_); \
		va_end(args_); \
		text_; \
	})

void paper_lead(struct paper *paper, enum tone tone, const char *fmt, ...)
{
	CLEANUP(freep) char *text = TEXT_OF_ARGS(paper, fmt);

	go_to(paper, BLOCK_NONE);
	if (text)
		paper->form->lead(paper->file, tone, text);
}

void paper_head(struct paper *paper, const char *fmt, ...)
{
	CLEANUP(freep) char *text = TEXT_OF_ARGS(paper, fmt);

	go_to(paper, BLOCK_NONE);
	if (text)
		paper->form->head(paper->file, text);
}

void paper_subhead(struct paper *paper, enum tone tone, const char *fmt, ...)
{
	CLEANUP(freep) char *text = TEXT_OF_ARGS(paper, fmt);

	go_to(paper, BLOCK_NONE);
	if (text)
		paper->form->subhead(paper->file, tone, text);
}

void paper_say(struct paper *paper, const char *fmt, ...)
{
	CLEANUP(freep) char *text = TEXT_OF_ARGS(paper, fmt);

	go_to(paper, BLOCK_NONE);
	if (text)
		paper->form->say(paper->file, text);
}

void paper_item(struct paper *paper, enum tone tone, const char *fmt, ...)
{
	CLEANUP(freep) char *text = TEXT_OF_ARGS(paper, fmt);

	go_to(paper, BLOCK_ITEMS);
	if (text)
		paper->form->item(paper->file, tone, text);
}

void paper_fact(struct paper *paper, const char *name, const char *fmt, ...)
{
	CLEANUP(freep) char *text = TEXT_OF_ARGS(paper, fmt);

	go_to(paper, BLOCK_FACTS);
	if (text)
		paper->form->fact(paper->file, name, text);
}

void paper_command(struct paper *paper, const char *fmt, ...)
{
	CLEANUP(freep) char *text = TEXT_OF_ARGS(paper, fmt);

	go_to(paper, BLOCK_NONE);
	if (text)
		paper->form->command(paper->file, text);
}

/* Visible, but for the ends of lines; each line has one. NULL: no memory. */
static char *lines_visible(const char *lines)
{
	CLEANUP(freep) char *copy = strdup(lines);
	char *visible = NULL, *rest = copy, *line;
	size_t size = 0;
	FILE *file = open_memstream(&visible, &size);
	bool failed = !file || !copy;

	while (!failed && (line = strsep(&rest, "\n")) && (rest || *line)) {
		CLEANUP(freep) char *text = text_visible(line);

		failed = !text || fprintf(file, "%s\n", text) < 0;
	}
	if (file && fclose(file))
		failed = true;
	if (failed)
		free(TAKE(visible));
	return visible;
}

void paper_lines(struct paper *paper, const char *lines)
{
	CLEANUP(freep) char *text = lines_visible(lines);

	go_to(paper, BLOCK_NONE);
	paper->failed |= !text;
	if (text && *text)
		paper->form->lines(paper->file, text);
}

void paper_blank(struct paper *paper, const char *name)
{
	go_to(paper, BLOCK_NONE);
	paper->form->blank(paper->file, name);
}

bool paper_fold(struct paper *paper, bool open, const char *fmt, ...)
{
	CLEANUP(freep) char *text = TEXT_OF_ARGS(paper, fmt);

	if (!paper->form->fold)
		return false;
	go_to(paper, BLOCK_NONE);
	paper->form->fold(paper->file, open, text ? text : "");
	return true;
}

void paper_fold_end(struct paper *paper)
{
	go_to(paper, BLOCK_NONE);
	paper->form->fold_end(paper->file);
}

void paper_table(struct paper *paper, const struct paper_column *columns, size_t count)
{
	assert(count <= PAPER_COLUMNS_MAX);
	go_to(paper, BLOCK_NONE);
	paper->table = (struct paper_table){.columns = columns, .count = count};
}

void paper_cell(struct paper *paper, enum tone tone, const char *fmt, ...)
{
	assert(paper->at < paper->table.count);
	paper->row.cells[paper->at] = TEXT_OF_ARGS(paper, fmt);
	paper->row.tones[paper->at++] = (uint8_t)tone;
}

void paper_note(struct paper *paper, const char *fmt, ...)
{
	free(paper->row.note);
	paper->row.note = TEXT_OF_ARGS(paper, fmt);
}

void paper_note_command(struct paper *paper, const char *fmt, ...)
{
	free(paper->row.command);
	paper->row.command = TEXT_OF_ARGS(paper, fmt);
}

void paper_row_end(struct paper *paper)
{
	struct paper_table *table = &paper->table;

	assert(paper->at == table->count);
	paper->at = 0;
	if (array_reserve(&table->rows, &table->room, table->row_count + 1,
	                  sizeof(*table->rows)) < 0) {
		paper->failed = true;
		row_release(&paper->row);
		return;
	}
	table->rows[table->row_count++] = paper->row;
	paper->row = (struct paper_row){0};
}

void paper_table_end(struct paper *paper)
{
	if (paper->table.row_count)
		paper->form->table(paper->file, &paper->table);
	table_release(&paper->table);
}

bool paper_draws(const struct paper *paper)
{
	return paper->form->draws;
}

FILE *paper_drawing(struct paper *paper)
{
	if (!paper->form->draws)
		return NULL;
	go_to(paper, BLOCK_DRAWING);
	return paper->file;
}

int paper_end(struct paper *paper, struct err *err)
{
	go_to(paper, BLOCK_NONE);
	paper->form->end(paper->file);
	if (paper->failed)
		return err_set(err, -ENOMEM, "out of memory");
	return stream_end(paper->file, err);
}
