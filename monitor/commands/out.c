/*
 * out.c - see out.h. The table is libsmartcols', everything else is a few bytes of grammar
 * (RFC 8259, RFC 4180). Text comes from the wire: JSON escapes it, libsmartcols prints control
 * characters as \x1b, so that no name can steer a terminal.
 */
#include "monitor/commands/options.h"
#include "monitor/commands/out_table.h"

#include <assert.h>
#include <poll.h>
#include <stdarg.h>

struct out {
	enum out_format format;
	FILE *file;
	struct out_column columns[OUT_COLUMNS_MAX];
	size_t count, at; /* at: the column whose cell comes next */
	uint64_t rows;
	bool gone;
	bool first_cell;         /* no name was written in this row yet */
	struct out_table *table; /* NULL in the other formats */
};

int out_format_parse(const char *text, enum out_format *ret_format, struct err *err)
{
	static const char *const words[] = {"table", "json", "jsonl", "csv"};
	int at = word_parse("-o", "format", text, words, ARRAY_LEN(words), err);

	if (at < 0)
		return at;
	*ret_format = (enum out_format)at;
	return 0;
}

void shell_put(FILE *file, const char *word)
{
	static const char PLAIN[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "0123456789-_./:,=+@%";

	if (*word && !word[strspn(word, PLAIN)]) {
		fputs(word, file);
		return;
	}
	fputc('\'', file);
	for (; *word; word++)
		if (*word == '\'')
			fputs("'\\''", file);
		else
			fputc(*word, file);
	fputc('\'', file);
}

/* RFC 4180 knows no control characters; of those a text may have lines alone. */
static void csv_char(FILE *file, const unsigned char *s, size_t len)
{
	if (*s == '"')
		fputc('"', file);
	if (!len)
		fputs("\xef\xbf\xbd", file);
	else if ((*s < 0x20 && !strchr("\t\r\n", *s)) || *s == 0x7f)
		fprintf(file, "\\x%02x", *s);
	else if (len == 2 && *s == 0xc2 && s[1] < 0xa0)
		fprintf(file, "\\x%02x", s[1]);
	else
		fwrite(s, 1, len, file);
}

/* A spreadsheet takes for a formula what begins so; behind an apostrophe it is text. */
static bool is_formula(const char *text)
{
	return *text && strchr("=+-@\t\r", *text);
}

static void csv_put(FILE *file, const char *text, bool guarded)
{
	bool quoted = strpbrk(text, ",\"\r\n") || text[0] == ' ' ||
	              (*text && text[strlen(text) - 1] == ' ');

	if (quoted)
		fputc('"', file);
	if (guarded && is_formula(text))
		fputc('\'', file);
	for (const unsigned char *s = (const unsigned char *)text; *s;) {
		size_t plain = plain_len(s), len = plain ? plain : utf8_len(s);

		csv_char(file, s, len);
		s += len ? len : 1;
	}
	if (quoted)
		fputc('"', file);
}

int out_new(enum out_format format, FILE *file, const struct out_column *columns, size_t count,
            bool wide, struct out **ret_out, struct err *err)
{
	struct out *out = calloc(1, sizeof(*out));

	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	*out = (struct out){.format = format,
	                    .file = file,
	                    .count = count,
	                    .first_cell = true};
	assert(count <= OUT_COLUMNS_MAX);
	memcpy(out->columns, columns, count * sizeof(*columns));
	if (format == OUT_TABLE && out_table_new(file, columns, count, wide, &out->table) < 0) {
		free(out);
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
	out_table_free(out->table);
	free(out);
}

void out_freep(struct out **out)
{
	out_free(*out);
	*out = NULL;
}

uint64_t out_count(const struct out *out)
{
	return out->rows;
}

void out_say(struct out *out, const char *fmt, ...)
{
	CLEANUP(freep) char *text = NULL;
	va_list args;

	if (out->format != OUT_TABLE || out->gone)
		return;
	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	if (!text)
		return;
	text_tame(text);
	out_table_say(out->table, text);
}

/* Begins the next cell; false where this format leaves its column out. */
static bool cell_begins(struct out *out)
{
	const struct out_column *column = &out->columns[out->at];

	assert(out->at < out->count);
	out->at++;
	if (out->format == OUT_TABLE)
		return column->title;
	if (!column->name)
		return false;
	if (!out->first_cell)
		fputc(',', out->file);
	else if (out->format == OUT_JSON)
		fputs(out->rows ? ",\n{" : "[\n{", out->file);
	else if (out->format == OUT_JSONL)
		fputc('{', out->file);
	if (out->format != OUT_CSV) {
		fputc('"', out->file);
		fputs(column->name, out->file);
		fputs("\":", out->file);
	}
	out->first_cell = false;
	return true;
}

static void cell_put(struct out *out, const char *text, bool quoted)
{
	if (!cell_begins(out))
		return;
	if (out->format == OUT_TABLE)
		out_table_cell(out->table, text ? text : "");
	else if (out->format == OUT_CSV)
		csv_put(out->file, text ? text : "", quoted);
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
	if (out->format == OUT_TABLE && out->columns[out->at - 1].title)
		out_table_paint(out->table, paint);
}

void out_note(struct out *out, const char *text)
{
	if (out->format == OUT_TABLE)
		out_table_note(out->table, text);
}

/* errno of the write that failed may be long gone; a pipe that nobody reads still says so. */
static int stream_check(FILE *file, struct err *err)
{
	struct pollfd pipe = {.fd = fileno(file)};

	if (!ferror(file))
		return 0;
	if (poll(&pipe, 1, 0) == 1 && pipe.revents & (POLLERR | POLLHUP))
		return 1;
	return err_set(err, -EIO, "the answer could not be written to its end");
}

int stream_end(FILE *file, struct err *err)
{
	fflush(file);
	return stream_check(file, err);
}

static int wrote(struct out *out, struct err *err)
{
	int r = out->gone ? 1 : stream_check(out->file, err);

	out->gone = r > 0;
	return r;
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
	else if (out_table_end(out->table) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	out->at = 0;
	out->first_cell = true;
	out->rows++;
	return wrote(out, err);
}

int out_flush(struct out *out, struct err *err)
{
	if (out->format == OUT_TABLE && !out->gone && out_table_flush(out->table) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	fflush(out->file);
	return wrote(out, err);
}

int out_finish(struct out *out, struct err *err)
{
	if (out->gone)
		return 1;
	if (out->format == OUT_TABLE && out_table_flush(out->table) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	if (out->format == OUT_JSON)
		fputs(out->rows ? "\n]\n" : "[]\n", out->file);
	fflush(out->file);
	return wrote(out, err);
}
