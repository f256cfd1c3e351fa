/*
 * out_fit.c - see out_fit.h. libsmartcols can cut columns too, but takes from them as it likes; a
 * flow's addresses are worth more than the name behind them.
 */
#include "monitor/commands/out_fit.h"

#include <limits.h>
#include <wchar.h>

#define OUT_CUT_MIN 8

/* Columns on the screen of the character at *text, which is passed; bytes that are none count one. */
static size_t next_width(const char **text, mbstate_t *state)
{
	wchar_t c;
	size_t len = mbrtowc(&c, *text, MB_LEN_MAX, state);
	int width;

	if (len == (size_t)-1 || len == (size_t)-2 || !len) {
		memset(state, 0, sizeof(*state));
		++*text;
		return 1;
	}
	*text += len;
	width = wcwidth(c);
	return width < 0 ? 1 : (size_t)width;
}

static size_t width_of(const char *text)
{
	mbstate_t state = {0};
	size_t width = 0;

	while (text && *text)
		width += next_width(&text, &state);
	return width;
}

static int cell_cut(struct libscols_cell *cell, size_t room)
{
	const char *text = scols_cell_get_data(cell), *end = text;
	mbstate_t state = {0};
	size_t width = 0;
	char *cut;
	int r;

	if (width_of(text) <= room)
		return 0;
	while (*end) {
		const char *next = end;

		width += next_width(&next, &state);
		if (width + 1 > room) /* the dots want one */
			break;
		end = next;
	}
	if (asprintf(&cut, "%.*s\u2026", (int)(end - text), text) < 0)
		return -ENOMEM;
	r = scols_cell_refer_data(cell, cut);
	if (r)
		free(cut);
	return r ? -ENOMEM : 0;
}

/* Takes `excess` from the columns that have `flag`, the widest first; returns what is left of it. */
static size_t shrink(size_t *widths, const unsigned *flags, size_t count, unsigned flag,
		     size_t excess)
{
	while (excess) {
		size_t widest = count;

		for (size_t i = 0; i < count; i++)
			if (flags[i] & flag && widths[i] > OUT_CUT_MIN &&
			    (widest == count || widths[i] > widths[widest]))
				widest = i;
		if (widest == count)
			break;
		widths[widest]--;
		excess--;
	}
	return excess;
}

int table_fit(struct libscols_table *table, const unsigned *flags, size_t count, size_t width)
{
	size_t widths[FIT_COLUMNS_MAX] = {0}, total = 0, lines = scols_table_get_nlines(table);
	size_t excess;

	for (size_t i = 0; i < count; i++) {
		struct libscols_column *column = scols_table_get_column(table, i);

		widths[i] = width_of(scols_cell_get_data(scols_column_get_header(column)));
		for (size_t j = 0; j < lines; j++) {
			struct libscols_cell *cell =
				scols_line_get_cell(scols_table_get_line(table, j), i);
			size_t cell_width = width_of(scols_cell_get_data(cell));

			if (cell_width > widths[i])
				widths[i] = cell_width;
		}
		total += widths[i] + (i ? FIT_GAP : 0);
	}
	if (total <= width)
		return 0;
	excess = shrink(widths, flags, count, OUT_CUT_FIRST, total - width);
	shrink(widths, flags, count, OUT_CUT, excess);
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < lines && flags[i] & (OUT_CUT | OUT_CUT_FIRST); j++)
			if (cell_cut(scols_line_get_cell(scols_table_get_line(table, j), i),
				     widths[i]) < 0)
				return -ENOMEM;
	return 0;
}
