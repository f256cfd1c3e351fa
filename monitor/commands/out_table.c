/*
 * out_table.c - see out_table.h. libsmartcols aligns and escapes; which cell gives way when a line
 * is too long is said here: a flow's addresses are worth more than the name behind them. Of the
 * columns that may be cut by the same rank the widest gives way first, none goes below CUT_MIN or its title.
 */
#include "monitor/commands/out_table.h"

#include <assert.h>
#include <libsmartcols.h>
#include <limits.h>
#include <locale.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#define TABLE_COLUMNS_MAX 64
#define GAP 2 /* between columns */
#define CUT_MIN 8

struct out_table {
	FILE *file;
	struct libscols_table *scols;
	struct libscols_line *line; /* the row that is being made */
	const char *titles[TABLE_COLUMNS_MAX];
	unsigned flags[TABLE_COLUMNS_MAX];
	size_t least[TABLE_COLUMNS_MAX]; /* columns on the screen, however little room there is */
	size_t count, at, rows, width;
	bool colour, wide, headed;
	bool left_out[TABLE_COLUMNS_MAX]; /* of those with OUT_CUT_FIRST, in all pieces alike */
	char **notes; /* one a row held; NULL: none */
	size_t notes_room;
};

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

static size_t text_width(const char *text)
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

	if (text_width(text) <= room)
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
static size_t shrink(const struct out_table *t, size_t *widths, unsigned flag, size_t excess)
{
	while (excess) {
		size_t widest = t->count;

		for (size_t i = 0; i < t->count; i++)
			if (t->flags[i] & flag && widths[i] > t->least[i] &&
			    (widest == t->count || widths[i] > widths[widest]))
				widest = i;
		if (widest == t->count)
			break;
		widths[widest]--;
		excess--;
	}
	return excess;
}

static size_t total_width(const size_t *widths, size_t count)
{
	size_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += widths[i] ? widths[i] + (total ? GAP : 0) : 0;
	return total;
}

/* Whether even with all that gives way first cut to the least there is no room for the rest. */
static bool wants_fewer(const struct out_table *t, const size_t *widths)
{
	size_t least[TABLE_COLUMNS_MAX], total = total_width(widths, t->count);

	memcpy(least, widths, sizeof(least));
	return total > t->width &&
	       shrink(t, least, OUT_CUT_FIRST | OUT_CUT_NEXT, total - t->width) > 0;
}

/* Leaves out columns, from the right, until there is room for the rest. */
static void leave_out(struct out_table *t, size_t *widths)
{
	for (size_t i = t->count; i-- > 0 && wants_fewer(t, widths);)
		if (t->flags[i] & OUT_CUT_FIRST) {
			t->left_out[i] = true;
			widths[i] = 0;
		}
}

static int table_fit(struct out_table *t)
{
	static const unsigned ranks[] = {OUT_CUT_FIRST, OUT_CUT_NEXT, OUT_CUT};
	struct libscols_table *table = t->scols;
	size_t widths[TABLE_COLUMNS_MAX] = {0}, count = t->count,
	       lines = scols_table_get_nlines(table), total;

	for (size_t i = 0; i < count; i++) {
		struct libscols_column *column = scols_table_get_column(table, i);

		widths[i] = text_width(scols_cell_get_data(scols_column_get_header(column)));
		for (size_t j = 0; j < lines; j++) {
			struct libscols_cell *cell =
				scols_line_get_cell(scols_table_get_line(table, j), i);
			size_t cell_width = text_width(scols_cell_get_data(cell));

			if (cell_width > widths[i])
				widths[i] = cell_width;
		}
	}
	if (!t->headed)
		leave_out(t, widths);
	for (size_t i = 0; i < count; i++)
		if (t->left_out[i]) {
			scols_column_set_flags(scols_table_get_column(table, i),
			                       SCOLS_FL_HIDDEN);
			widths[i] = 0;
		}
	for (size_t i = 0; i < ARRAY_LEN(ranks); i++) {
		total = total_width(widths, count);
		if (total > t->width)
			shrink(t, widths, ranks[i], total - t->width);
	}
	for (size_t i = 0; i < count; i++)
		for (size_t j = 0; j < lines && widths[i]; j++)
			if (cell_cut(scols_line_get_cell(scols_table_get_line(table, j), i),
			             widths[i]) < 0)
				return -ENOMEM;
	return 0;
}

/* SIZE_MAX: nobody looks at it in lines. */
static size_t width_of(FILE *file)
{
	struct winsize size;

	if (!isatty(fileno(file)))
		return SIZE_MAX;
	return !ioctl(fileno(file), TIOCGWINSZ, &size) && size.ws_col ? size.ws_col : 80;
}

/* It would show the colours as letters. */
static bool is_dumb(void)
{
	const char *term = getenv("TERM");

	return term && !strcmp(term, "dumb");
}

/* An empty piece of the table. */
static int table_begin(struct out_table *table)
{
	scols_unref_table(table->scols);
	table->line = NULL;
	table->rows = table->at = 0;
	table->scols = scols_new_table();
	if (!table->scols)
		return -ENOMEM;
	scols_table_enable_noheadings(table->scols, table->headed);
	scols_table_enable_colors(table->scols, table->colour);
	scols_table_enable_maxout(table->scols, 0);
	scols_table_set_column_separator(table->scols, "  ");
	scols_table_set_termforce(table->scols, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(table->scols, 1 << 16); /* table_fit() sees to the width */
	for (size_t i = 0; i < table->count; i++)
		if (!scols_table_new_column(table->scols, table->titles[i], 0,
		                            table->flags[i] & OUT_RIGHT ? SCOLS_FL_RIGHT : 0))
			return -ENOMEM;
	return 0;
}

int out_table_new(FILE *file, const struct out_column *columns, size_t count, bool wide,
                  struct out_table **ret_table)
{
	struct out_table *table = calloc(1, sizeof(*table));

	if (!table)
		return -ENOMEM;
	setlocale(LC_CTYPE,
	          "C.UTF-8"); /* a unit may be called GrÃ¶Ãe, whatever $LANG says */
	table->file = file;
	table->width = width_of(file);
	table->wide = wide || table->width == SIZE_MAX;
	table->colour = isatty(fileno(file)) && !getenv("NO_COLOR") && !is_dumb();
	for (size_t i = 0; i < count; i++) {
		if (!columns[i].title)
			continue;
		assert(table->count < TABLE_COLUMNS_MAX);
		table->titles[table->count] = columns[i].title;
		table->least[table->count] = text_width(columns[i].title);
		if (table->least[table->count] < CUT_MIN)
			table->least[table->count] = CUT_MIN;
		table->flags[table->count++] = columns[i].flags;
	}
	if (table_begin(table) < 0) {
		out_table_free(table);
		return -ENOMEM;
	}
	*ret_table = table;
	return 0;
}

void out_table_free(struct out_table *table)
{
	if (!table)
		return;
	for (size_t i = 0; i < table->notes_room; i++)
		free(table->notes[i]);
	free(table->notes);
	scols_unref_table(table->scols);
	free(table);
}

void out_table_cell(struct out_table *table, const char *text)
{
	if (!table->at)
		table->line = scols_table_new_line(table->scols, NULL);
	if (table->line)
		scols_line_set_data(table->line, table->at, text);
	table->at++;
}

void out_table_paint(struct out_table *table, enum out_paint paint)
{
	static const char *const colours[] = {NULL,       "\033[1;31m", "\033[33m",
	                                      "\033[32m", "\033[2m",    "\033[1m"};

	if (table->colour && table->line && table->at)
		scols_cell_set_color(scols_line_get_cell(table->line, table->at - 1),
		                     colours[paint]);
}

void out_table_note(struct out_table *table, const char *text)
{
	if (array_reserve(&table->notes, &table->notes_room, table->rows + 1, sizeof(char *)) <
	    0)
		return;
	free(table->notes[table->rows]);
	table->notes[table->rows] = strdup(text);
}

int out_table_end(struct out_table *table)
{
	if (!table->line)
		return -ENOMEM;
	table->at = 0;
	return ++table->rows < OUT_TABLE_ROWS ? 0 : out_table_flush(table);
}

/*
 * Breaks at blanks to fit a terminal, `hang` blanks before every line but the first; elsewhere it is
 * one line, so that grep finds it.
 */
static void wrap_put(const struct out_table *table, const char *text, size_t hang)
{
	size_t width = table->width > 40 ? table->width : SIZE_MAX, room = width;

	for (;;) {
		size_t len = strlen(text), cut = len, lead = strspn(text, " ");

		if (len > room)
			for (cut = room; cut > lead && text[cut] != ' '; cut--)
				;
		if (cut <= lead) /* a word longer than the line */
			cut = len < room ? len : room;
		for (size_t i = 0; i < cut; i++)
			fputc((unsigned char)text[i] < 0x20 || text[i] == 0x7f ? '?' : text[i],
			      table->file);
		fputc('\n', table->file);
		text += cut;
		text += strspn(text, " ");
		if (!*text)
			return;
		fprintf(table->file, "%*s", (int)hang, "");
		room = width - hang;
	}
}

#define NOTE_INDENT "    "

static void note_put(const struct out_table *table, const char *note)
{
	char *line;

	if (asprintf(&line, NOTE_INDENT "%s", note) < 0)
		return;
	text_tame(line);
	wrap_put(table, line, strlen(NOTE_INDENT));
	free(line);
}

/* What follows the first gap of two blanks goes on below itself. */
void out_table_say(const struct out_table *table, const char *text)
{
	const char *gap = strstr(text, "  ");
	size_t hang = gap ? (size_t)(gap - text) + strspn(gap, " ") : 0;

	wrap_put(table, text, hang < 24 ? hang : 4);
}

/* Prints the rows held, each with its note below it, and starts the next piece. */
int out_table_flush(struct out_table *table)
{
	CLEANUP(freep) char *text = NULL;
	char *line, *next;
	size_t row = 0;
	bool heading = !table->headed;

	if (!table->rows)
		return 0;
	if (!table->wide && table_fit(table) < 0)
		return -ENOMEM;
	if (scols_print_table_to_string(table->scols, &text) < 0 || !text)
		return -ENOMEM;
	for (line = text; *line; line = next) {
		size_t len = strcspn(line, "\n");

		next = line + len + (line[len] == '\n');
		while (len && line[len - 1] == ' ')
			len--;
		fprintf(table->file, "%.*s\n", (int)len, line);
		if (heading) {
			heading = false;
			continue;
		}
		if (row < table->notes_room && table->notes[row]) {
			note_put(table, table->notes[row]);
			free(table->notes[row]);
			table->notes[row] = NULL;
		}
		row++;
	}
	table->headed = true;
	return table_begin(table);
}
