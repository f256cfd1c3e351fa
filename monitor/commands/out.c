/*
 * out.c - see out.h. The table is libsmartcols', everything else is a few bytes of grammar
 * (RFC 8259, RFC 4180). Text comes from the wire: JSON escapes it, libsmartcols prints control
 * characters as \x1b, so that no name can steer a terminal.
 */
#include "monitor/commands/out_fit.h"

#include <assert.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct out {
	enum out_format format;
	FILE *file;
	const struct out_column *columns;
	size_t count, at; /* at: the column whose cell comes next */
	uint64_t rows;
	size_t width;
	bool colour, wide, gone, headed;
	bool first_cell; /* no name was written in this row yet */
	struct libscols_table *table;
	struct libscols_line *line;
	unsigned flags[FIT_COLUMNS_MAX]; /* of the columns that stand in the table */
	size_t table_columns;
	size_t table_rows,
		table_cell; /* rows held; columns of this row that stand in the table */
	char **notes;	    /* one a row held; NULL: none */
	size_t notes_room;
};

int out_format_parse(const char *text, enum out_format *ret_format, struct err *err)
{
	static const char *const words[] = {"table", "json", "jsonl", "csv"};

	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i], text)) {
			*ret_format = (enum out_format)i;
			return 0;
		}
	return err_set(err, -EINVAL, "-o %s: no such format; accepted: " OUT_FORMATS, text);
}

/* Length of the well-formed UTF-8 sequence at `s` (RFC 3629 4), 0 if there is none. */
static size_t utf8_len(const unsigned char *s)
{
	size_t len = s[0] < 0x80   ? 1
		     : s[0] < 0xc2 ? 0
		     : s[0] < 0xe0 ? 2
		     : s[0] < 0xf0 ? 3
		     : s[0] < 0xf5 ? 4
				   : 0;

	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

void json_put(FILE *file, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', file);
	while (*s) {
		size_t len = utf8_len(s);

		if (!len) {
			fputs("\xef\xbf\xbd", file);
			s++;
			continue;
		}
		if (*s == '"' || *s == '\\')
			fprintf(file, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", file);
		else if (*s == '\t')
			fputs("\\t", file);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(file, "\\u%04x", *s);
		else
			fwrite(s, 1, len, file);
		s += len;
	}
	fputc('"', file);
}

static void csv_put(FILE *file, const char *text)
{
	bool quoted = strpbrk(text, ",\"\r\n") || text[0] == ' ' ||
		      (*text && text[strlen(text) - 1] == ' ');

	if (quoted)
		fputc('"', file);
	for (const unsigned char *s = (const unsigned char *)text; *s;) {
		size_t len = utf8_len(s);

		if (*s == '"')
			fputc('"', file);
		if (len)
			fwrite(s, 1, len, file);
		else
			fputs("\xef\xbf\xbd", file);
		s += len ? len : 1;
	}
	if (quoted)
		fputc('"', file);
}

static size_t width_of(FILE *file)
{
	struct winsize size;
	const char *columns = getenv("COLUMNS");
	int width = columns ? atoi(columns) : 0;

	if (!ioctl(fileno(file), TIOCGWINSZ, &size) && size.ws_col)
		return size.ws_col;
	return width >= 20 && width <= 10000 ? (size_t)width : 120;
}

static int table_new(struct out *out)
{
	struct libscols_table *table = scols_new_table();

	if (!table)
		return -ENOMEM;
	out->table = table;
	out->table_rows = 0;
	scols_table_enable_noheadings(table, out->headed);
	scols_table_enable_colors(table, out->colour);
	scols_table_enable_maxout(table, 0);
	scols_table_set_column_separator(table, "  ");
	scols_table_set_termforce(table, SCOLS_TERMFORCE_ALWAYS);
	scols_table_set_termwidth(table, 1 << 16); /* table_fit() sees to the width */
	out->table_columns = 0;
	for (size_t i = 0; i < out->count; i++) {
		const struct out_column *column = &out->columns[i];

		if (!column->title)
			continue;
		if (!scols_table_new_column(table, column->title, 0,
					    column->flags & OUT_RIGHT ? SCOLS_FL_RIGHT : 0))
			return -ENOMEM;
		assert(out->table_columns < FIT_COLUMNS_MAX);
		out->flags[out->table_columns++] = column->flags;
	}
	return 0;
}

int out_new(enum out_format format, FILE *file, const struct out_column *columns, size_t count,
	    bool wide, struct out **ret_out, struct err *err)
{
	struct out *out = calloc(1, sizeof(*out));

	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	signal(SIGPIPE, SIG_IGN);
	*out = (struct out){.format = format,
			    .file = file,
			    .columns = columns,
			    .count = count,
			    .wide = wide,
			    .first_cell = true,
			    .width = width_of(file),
			    .colour = isatty(fileno(file)) && !getenv("NO_COLOR")};
	if (format == OUT_TABLE)
		setlocale(LC_CTYPE,
			  "C.UTF-8"); /* a unit may be called Größe, whatever $LANG says */
	if (format == OUT_TABLE && table_new(out) < 0) {
		out_free(out);
		return err_set(err, -ENOMEM, "out of memory");
	}
	if (format == OUT_CSV) {
		const char *separator = "";

		for (size_t i = 0; i < count; i++)
			if (columns[i].name) {
				fprintf(file, "%s%s", separator, columns[i].name);
				separator = ",";
			}
		fputs("\r\n", file);
	}
	*ret_out = out;
	return 0;
}

void out_free(struct out *out)
{
	if (!out)
		return;
	for (size_t i = 0; i < out->notes_room; i++)
		free(out->notes[i]);
	free(out->notes);
	scols_unref_table(out->table);
	free(out);
}

void out_freep(struct out **out)
{
	out_free(*out);
	*out = NULL;
}

bool out_is_table(const struct out *out)
{
	return out->format == OUT_TABLE;
}

uint64_t out_count(const struct out *out)
{
	return out->rows;
}

void out_say(struct out *out, const char *fmt, ...)
{
	va_list args;

	if (out->format != OUT_TABLE || out->gone)
		return;
	va_start(args, fmt);
	vfprintf(out->file, fmt, args);
	va_end(args);
	fputc('\n', out->file);
}

/* Begins the next cell; false where this format leaves its column out. */
static bool cell_begins(struct out *out)
{
	const struct out_column *column = &out->columns[out->at];

	assert(out->at < out->count);
	out->at++;
	if (out->format == OUT_TABLE) {
		if (out->at == 1) {
			out->line = scols_table_new_line(out->table, NULL);
			out->table_cell = 0;
		}
		if (!column->title || !out->line)
			return false;
		out->table_cell++;
		return true;
	}
	if (!column->name)
		return false;
	if (!out->first_cell)
		fputc(',', out->file);
	else if (out->format == OUT_JSON)
		fputs(out->rows ? ",\n{" : "[\n{", out->file);
	else if (out->format == OUT_JSONL)
		fputc('{', out->file);
	if (out->format != OUT_CSV)
		fprintf(out->file, "\"%s\":", column->name);
	out->first_cell = false;
	return true;
}

static void cell_put(struct out *out, const char *text, bool quoted)
{
	if (!cell_begins(out))
		return;
	if (out->format == OUT_TABLE)
		scols_line_set_data(out->line, out->table_cell - 1, text ? text : "");
	else if (out->format == OUT_CSV)
		csv_put(out->file, text ? text : "");
	else if (!text)
		fputs("null", out->file);
	else if (quoted)
		json_put(out->file, text);
	else
		fputs(text, out->file);
}

void out_text(struct out *out, const char *text)
{
	cell_put(out, text, true);
}

void out_int(struct out *out, int64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "%lld", (long long)value);
	cell_put(out, text, false);
}

void out_bool(struct out *out, bool value)
{
	cell_put(out, value ? "true" : "false", false);
}

void out_null(struct out *out)
{
	cell_put(out, NULL, false);
}

void out_raw(struct out *out, const char *json)
{
	cell_put(out, json, false);
}

void out_paint(struct out *out, enum out_paint paint)
{
	static const char *const colours[] = {NULL,	  "\033[1;31m", "\033[33m",
					      "\033[32m", "\033[2m",	"\033[1m"};

	if (out->format == OUT_TABLE && out->colour && out->line &&
	    out->columns[out->at - 1].title)
		scols_cell_set_color(scols_line_get_cell(out->line, out->table_cell - 1),
				     colours[paint]);
}

void out_note(struct out *out, const char *text)
{
	size_t row = out->table_rows;

	if (out->format != OUT_TABLE ||
	    array_reserve(&out->notes, &out->notes_room, row + 1, sizeof(char *)) < 0)
		return;
	free(out->notes[row]);
	out->notes[row] = strdup(text);
}

/* Breaks at blanks to fit a terminal; elsewhere a note is one line, so that grep finds it. */
static void note_put(const struct out *out, const char *note)
{
	size_t width = out->colour && out->width > 40 ? out->width - 4 : SIZE_MAX;

	while (*note) {
		size_t len = strlen(note), cut = len;

		if (len > width)
			for (cut = width; cut && note[cut] != ' '; cut--)
				;
		if (!cut)
			cut = width;
		fputs("    ", out->file);
		for (size_t i = 0; i < cut; i++)
			fputc((unsigned char)note[i] < 0x20 || note[i] == 0x7f ? '?' : note[i],
			      out->file);
		fputc('\n', out->file);
		note += cut;
		note += strspn(note, " ");
	}
}

/* Prints the rows held, each with its note below it, and starts the next piece. */
static int table_flush(struct out *out)
{
	CLEANUP(freep) char *text = NULL;
	char *line, *next;
	size_t row = 0;
	bool heading = !out->headed;

	if (!out->table_rows)
		return 0;
	if (!out->wide && table_fit(out->table, out->flags, out->table_columns, out->width) < 0)
		return -ENOMEM;
	if (scols_print_table_to_string(out->table, &text) < 0 || !text)
		return -ENOMEM;
	for (line = text; *line; line = next) {
		size_t len = strcspn(line, "\n");

		next = line + len + (line[len] == '\n');
		while (len && line[len - 1] == ' ')
			len--;
		fprintf(out->file, "%.*s\n", (int)len, line);
		if (heading) {
			heading = false;
			continue;
		}
		if (row < out->notes_room && out->notes[row]) {
			note_put(out, out->notes[row]);
			free(out->notes[row]);
			out->notes[row] = NULL;
		}
		row++;
	}
	out->headed = true;
	scols_unref_table(out->table);
	out->table = NULL;
	out->line = NULL;
	return table_new(out);
}

/* errno of the write that failed may be long gone; a pipe that nobody reads still says so. */
static int wrote(struct out *out, struct err *err)
{
	struct pollfd pipe = {.fd = fileno(out->file)};

	if (out->gone)
		return 1;
	if (!ferror(out->file))
		return 0;
	if (poll(&pipe, 1, 0) == 1 && pipe.revents & (POLLERR | POLLHUP)) {
		out->gone = true;
		return 1;
	}
	return err_set(err, -EIO, "the answer could not be written to its end");
}

int out_end(struct out *out, struct err *err)
{
	assert(out->at == out->count);
	if (out->format == OUT_CSV)
		fputs("\r\n", out->file);
	else if (out->format == OUT_JSONL)
		fputs("}\n", out->file);
	else if (out->format == OUT_JSON)
		fputc('}', out->file);
	else if (!out->line)
		return err_set(err, -ENOMEM, "out of memory");
	out->at = 0;
	out->first_cell = true;
	out->rows++;
	if (out->format == OUT_TABLE && ++out->table_rows >= OUT_TABLE_ROWS &&
	    table_flush(out) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	return wrote(out, err);
}

int out_finish(struct out *out, struct err *err)
{
	if (out->gone)
		return 1;
	if (out->format == OUT_TABLE && table_flush(out) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	if (out->format == OUT_JSON)
		fputs(out->rows ? "\n]\n" : "[]\n", out->file);
	fflush(out->file);
	return wrote(out, err);
}
