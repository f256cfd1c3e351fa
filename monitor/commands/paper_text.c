/*
 * paper_text.c - a document as plain text: at most 80 columns, however wide the terminal is, for it is
 * pasted. Nothing is cut: what is too long goes on in the next line, commands alone are never broken.
 */
#include "monitor/commands/paper_form.h"

#define FACT_WIDTH 16
#define GAP 2       /* between columns */
#define WRAP_MIN 10 /* no column that wraps gets narrower */

/* A character of UTF-8 counts as one column. */
static size_t width_of(const char *text, size_t len)
{
	size_t width = 0;

	for (size_t i = 0; i < len; i++)
		width += ((unsigned char)text[i] & 0xc0) != 0x80;
	return width;
}

/* How many bytes of `text` go into a line of `room` columns: up to a blank, or into a long word behind a mark. */
static size_t line_len(const char *text, size_t room)
{
	size_t len = 0, width = 0, blank = 0, mark = 0;

	while (text[len]) {
		size_t next = len + 1;

		while (((unsigned char)text[next] & 0xc0) == 0x80)
			next++;
		if (text[len] == ' ')
			blank = len;
		if (width++ == room)
			return blank ? blank : mark > len / 2 ? mark : len;
		len = next;
		if (strchr("-/.,:_@", text[len - 1]))
			mark = len;
	}
	return len;
}

static const char *skip_blanks(const char *text)
{
	while (*text == ' ')
		text++;
	return text;
}

void text_wrap(FILE *file, size_t indent, const char *text)
{
	for (;;) {
		size_t len = line_len(text, PAPER_WIDTH - indent);

		fprintf(file, "%.*s\n", (int)len, text);
		text = skip_blanks(text + len);
		if (!*text)
			return;
		fprintf(file, "%*s", (int)indent, "");
	}
}

static void rule(FILE *file, char c, size_t width)
{
	for (size_t i = 0; i < width && i < PAPER_WIDTH; i++)
		fputc(c, file);
	fputc('\n', file);
}

static void text_begin(FILE *file, const char *title)
{
	text_wrap(file, 0, title);
	rule(file, '=', width_of(title, strlen(title)));
}

/* ECMA-48, 8.3.117: red, green, yellow, faint; and off. */
static const char *const PAINT[] = {
	[TONE_PLAIN] = "",         [TONE_GOOD] = "\033[32m", [TONE_DOUBT] = "\033[33m",
	[TONE_BAD] = "\033[1;31m", [TONE_QUIET] = "\033[2m",
};

static void paint_on(FILE *file, bool painted, enum tone tone)
{
	if (painted)
		fputs(PAINT[tone], file);
}

static void paint_off(FILE *file, bool painted, enum tone tone)
{
	if (painted && tone)
		fputs("\033[0m", file);
}

static void put_lead(FILE *file, bool painted, enum tone tone, const char *text)
{
	fputc('\n', file);
	paint_on(file, painted, tone);
	text_wrap(file, 0, text);
	paint_off(file, painted, tone);
}

static void text_lead(FILE *file, enum tone tone, const char *text)
{
	put_lead(file, false, tone, text);
}

static void text_head(FILE *file, const char *text)
{
	fputc('\n', file);
	text_wrap(file, 0, text);
	rule(file, '-', width_of(text, strlen(text)));
}

static void put_subhead(FILE *file, bool painted, enum tone tone, const char *text)
{
	fputc('\n', file);
	paint_on(file, painted, tone);
	text_wrap(file, 0, text);
	paint_off(file, painted, tone);
}

static void text_subhead(FILE *file, enum tone tone, const char *text)
{
	put_subhead(file, false, tone, text);
}

static void text_say(FILE *file, const char *text)
{
	text_wrap(file, 0, text);
}

static void put_item(FILE *file, bool painted, enum tone tone, const char *text)
{
	paint_on(file, painted, tone);
	fputs(tone == TONE_BAD ? "! " : "- ", file);
	text_wrap(file, 2, text);
	paint_off(file, painted, tone);
}

static void text_item(FILE *file, enum tone tone, const char *text)
{
	put_item(file, false, tone, text);
}

static void text_fact(FILE *file, const char *name, const char *text)
{
	fprintf(file, "%-*s", FACT_WIDTH, name);
	text_wrap(file, FACT_WIDTH, text);
}

static void text_command(FILE *file, const char *text)
{
	fprintf(file, "  %s\n", text);
}

/* To be copied: not a blank is put before them, for YAML would mind. */
static void text_lines(FILE *file, const char *lines)
{
	fputs(lines, file);
}

static void text_blank(FILE *file, const char *name)
{
	fprintf(file, "\n%-*s", FACT_WIDTH, name);
	rule(file, '_', 48);
}

static void text_block(FILE *file, enum block block, bool begins)
{
	(void)file;
	(void)block;
	(void)begins;
}

static void text_end(FILE *file)
{
	(void)file;
}

static bool stands_below(const struct paper_table *table, size_t column)
{
	return table->columns[column].flags & PAPER_BELOW;
}

/* Of the columns that may give way the widest; `count` of them: none. */
static size_t find_widest(const struct paper_table *table,
                          const size_t widths[PAPER_COLUMNS_MAX])
{
	size_t widest = table->count;

	for (size_t i = 0; i < table->count; i++)
		if (table->columns[i].flags & (PAPER_WRAP | PAPER_ABOVE) && widths[i] > WRAP_MIN &&
		    (widest == table->count || widths[i] > widths[widest]))
			widest = i;
	return widest;
}

static void measure(const struct paper_table *table, size_t widths[PAPER_COLUMNS_MAX])
{
	size_t whole = 0;

	for (size_t i = 0; i < table->count; i++) {
		widths[i] = 0;
		if (stands_below(table, i))
			continue;
		widths[i] = width_of(table->columns[i].title, strlen(table->columns[i].title));
		for (size_t row = 0; row < table->row_count; row++) {
			const char *cell = table->rows[row].cells[i];
			size_t width = cell ? width_of(cell, strlen(cell)) : 0;

			widths[i] = width > widths[i] ? width : widths[i];
		}
		whole += widths[i] + (whole ? GAP : 0);
	}
	while (whole > PAPER_WIDTH) {
		size_t widest = find_widest(table, widths);

		if (widest == table->count)
			return;
		widths[widest]--;
		whole--;
	}
}

/* One line of a row: what of each cell goes into it; the rest stays. Returns whether there is any. `tones`: NULL: no colour. */
static bool put_line(FILE *file, const struct paper_table *table,
                     const size_t widths[PAPER_COLUMNS_MAX],
                     const char *rest[PAPER_COLUMNS_MAX], const uint8_t *tones)
{
	size_t owed = 0; /* blanks before the next thing: none at the end of a line */
	bool more = false;

	for (size_t i = 0; i < table->count; i++) {
		size_t len = line_len(rest[i], widths[i]), width = width_of(rest[i], len);
		size_t pad = widths[i] > width ? widths[i] - width : 0;
		bool right = table->columns[i].flags & PAPER_RIGHT;

		if (stands_below(table, i))
			continue;
		if (len) {
			fprintf(file, "%*s", (int)(owed + (right ? pad : 0)), "");
			paint_on(file, tones, tones ? tones[i] : TONE_PLAIN);
			fprintf(file, "%.*s", (int)len, rest[i]);
			paint_off(file, tones, tones ? tones[i] : TONE_PLAIN);
		}
		owed = len ? (right ? 0 : pad) + GAP : owed + widths[i] + GAP;
		rest[i] = skip_blanks(rest[i] + len);
		more |= *rest[i];
	}
	fputc('\n', file);
	return more;
}

static void put_below(FILE *file, const char *text)
{
	if (!text || !*text)
		return;
	fputs("    ", file);
	text_wrap(file, 4, text);
}

/* What would have to be broken, in a line of its own; its column is empty then. */
static void put_above(FILE *file, const struct paper_table *table,
                      const size_t widths[PAPER_COLUMNS_MAX],
                      const char *rest[PAPER_COLUMNS_MAX])
{
	for (size_t i = 0; i < table->count; i++) {
		if (!(table->columns[i].flags & PAPER_ABOVE) ||
		    width_of(rest[i], strlen(rest[i])) <= widths[i])
			continue;
		text_wrap(file, 0, rest[i]);
		rest[i] = "";
	}
}

static void put_row(FILE *file, const struct paper_table *table,
                    const size_t widths[PAPER_COLUMNS_MAX], const struct paper_row *row,
                    bool painted)
{
	const char *rest[PAPER_COLUMNS_MAX];

	for (size_t i = 0; i < table->count; i++)
		rest[i] = row->cells[i] ? row->cells[i] : "";
	put_above(file, table, widths, rest);
	while (put_line(file, table, widths, rest, painted ? row->tones : NULL))
		;
	for (size_t i = 0; i < table->count; i++)
		if (stands_below(table, i))
			put_below(file, row->cells[i]);
	put_below(file, row->note);
	if (row->command)
		fprintf(file, "    %s\n", row->command);
}

static void put_table(FILE *file, bool painted, const struct paper_table *table)
{
	size_t widths[PAPER_COLUMNS_MAX];
	struct paper_row titles = {0};

	measure(table, widths);
	for (size_t i = 0; i < table->count; i++)
		if (!stands_below(table, i))
			titles.cells[i] = (char *)table->columns[i].title; /* only read */
	put_row(file, table, widths, &titles, false);
	for (size_t row = 0; row < table->row_count; row++)
		put_row(file, table, widths, &table->rows[row], painted);
}

static void text_table(FILE *file, const struct paper_table *table)
{
	put_table(file, false, table);
}

static void terminal_lead(FILE *file, enum tone tone, const char *text)
{
	put_lead(file, true, tone, text);
}

static void terminal_subhead(FILE *file, enum tone tone, const char *text)
{
	put_subhead(file, true, tone, text);
}

static void terminal_item(FILE *file, enum tone tone, const char *text)
{
	put_item(file, true, tone, text);
}

static void terminal_table(FILE *file, const struct paper_table *table)
{
	put_table(file, true, table);
}

#define COMMON \
	.begin = text_begin, .head = text_head, .say = text_say, .fact = text_fact, \
	.command = text_command, .lines = text_lines, .blank = text_blank, \
	.block = text_block, .end = text_end

const struct paper_forming PAPER_AS_TEXT = {
	COMMON,
	.lead = text_lead,
	.subhead = text_subhead,
	.item = text_item,
	.table = text_table,
};

const struct paper_forming PAPER_AS_TERMINAL = {
	COMMON,
	.lead = terminal_lead,
	.subhead = terminal_subhead,
	.item = terminal_item,
	.table = terminal_table,
};
