/*
 * test_out.c - the one writer of answers: escapes, quotes, widths, readers that go away.
 */
#include "monitor/commands/out.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <pty.h>
#include <unistd.h>
#include <cmocka.h>

static const struct out_column COLUMNS[] = {
	{"id", "ID", OUT_RIGHT}, {"text", "TEXT", OUT_CUT}, {"flag", NULL, 0},
	{NULL, "SHORT", 0},	 {"list", NULL, 0},
};

/* One that is worth more than what stands around it. */
static const struct out_column RANKED[] = {
	{"id", "FLOW", OUT_CUT},
	{"text", "SPEAKS", OUT_CUT_FIRST},
	{"flag", NULL, 0},
	{NULL, "WHY", OUT_CUT_NEXT},
	{"list", NULL, 0},
};

struct row {
	int64_t id;
	const char *text;
	bool flag;
	const char *list, *note;
};

static void write_row(struct out *out, const struct row *row)
{
	struct err err;

	out_int(out, row->id);
	out_text(out, row->text);
	out_bool(out, row->flag);
	out_text(out, "s");
	if (row->list)
		out_raw(out, row->list);
	else
		out_null(out);
	if (row->note)
		out_note(out, row->note);
	assert_int_equal(out_end(out, &err), 0);
}

/* What comes out of these rows; static. */
static const char *written(enum out_format format, const struct row *rows, size_t count,
			   bool wide)
{
	static char text[65536];
	FILE *file = tmpfile();
	struct out *out = NULL;
	struct err err = {0};
	size_t len;

	assert_non_null(file);
	assert_int_equal(out_new(format, file, COLUMNS, ARRAY_LEN(COLUMNS), wide, &out, &err),
			 0);
	out_say(out, "above");
	for (size_t i = 0; i < count; i++)
		write_row(out, &rows[i]);
	assert_int_equal(out_finish(out, &err), 0);
	assert_int_equal(out_count(out), count);
	out_free(out);
	rewind(file);
	len = fread(text, 1, sizeof(text) - 1, file);
	text[len] = '\0';
	fclose(file);
	return text;
}

static void json_lines_have_one_object_a_row(void **state)
{
	const struct row rows[] = {{1, "a", true, "[1,2]", NULL},
				   {-2, NULL, false, NULL, "a note"}};

	assert_string_equal(written(OUT_JSONL, rows, 2, false),
			    "{\"id\":1,\"text\":\"a\",\"flag\":true,\"list\":[1,2]}\n"
			    "{\"id\":-2,\"text\":null,\"flag\":false,\"list\":null}\n");
	assert_string_equal(written(OUT_JSONL, rows, 0, false), "");
}

static void json_is_an_array_also_of_nothing(void **state)
{
	const struct row rows[] = {{1, "a", true, "{}", NULL}, {2, "b", true, "[]", NULL}};

	assert_string_equal(written(OUT_JSON, rows, 2, false),
			    "[\n{\"id\":1,\"text\":\"a\",\"flag\":true,\"list\":{}},\n"
			    "{\"id\":2,\"text\":\"b\",\"flag\":true,\"list\":[]}\n]\n");
	assert_string_equal(written(OUT_JSON, rows, 0, false), "[]\n");
}

static const struct {
	const char *text, *json;
} STRINGS[] = {
	{"", "\"\""},
	{"say \"hi\"\\", "\"say \\\"hi\\\"\\\\\""},
	{"a\nb\tc", "\"a\\nb\\tc\""},
	{"\x1b[31mred", "\"\\u001b[31mred\""},
	{"\x7f", "\"\\u007f\""},
	{"Gr\xc3\xb6\xc3\x9f"
	 "e \xe2\x82\xac \xf0\x9f\x98\x80",
	 "\"Gr\xc3\xb6\xc3\x9f"
	 "e \xe2\x82\xac \xf0\x9f\x98\x80\""},
	{"\xff", "\"\xef\xbf\xbd\""},
	{"\xc3", "\"\xef\xbf\xbd\""},
	{"\xc3(", "\"\xef\xbf\xbd(\""},
	{"\xc0\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\""},		      /* overlong '/' */
	{"\xe0\x80\xaf", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* so too */
	{"\xed\xa0\x80", "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* a surrogate */
	{"\xf4\x90\x80\x80",
	 "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\""}, /* past U+10FFFF */
	{"\xe2\x82", "\"\xef\xbf\xbd\xef\xbf\xbd\""},		  /* cut */
};

static void json_strings_are_escaped_and_always_utf8(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(STRINGS); i++) {
		char *text = NULL;
		size_t size;
		FILE *file = open_memstream(&text, &size);

		json_put(file, STRINGS[i].text);
		fclose(file);
		assert_string_equal(text, STRINGS[i].json);
		free(text);
	}
}

static void csv_quotes_where_rfc_4180_asks(void **state)
{
	const struct row rows[] = {
		{1, "plain", true, NULL, NULL},	      {2, "a,b", false, "[\"x\"]", NULL},
		{3, "say \"hi\"", false, NULL, NULL}, {4, "two\nlines", false, NULL, NULL},
		{5, NULL, false, NULL, NULL},
	};

	assert_string_equal(written(OUT_CSV, rows, 5, false),
			    "id,text,flag,list\r\n"
			    "1,plain,true,\r\n"
			    "2,\"a,b\",false,\"[\"\"x\"\"]\"\r\n"
			    "3,\"say \"\"hi\"\"\",false,\r\n"
			    "4,\"two\nlines\",false,\r\n"
			    "5,,false,\r\n");
}

static void csv_holds_no_control_character_and_no_formula(void **state)
{
	const struct row rows[] = {
		{1, "\x1b[2Jgone\x7f", true, NULL, NULL}, {2, "\xc2\x9bm \xc3\xb6", true, NULL, NULL},
		{3, "=cmd|'x'", true, NULL, NULL},	 {4, "+1", true, NULL, NULL},
		{5, "-1,2", true, NULL, NULL},		 {6, "@sum", true, "-1", NULL},
		{-7, "a=b", true, NULL, NULL},
	};

	assert_string_equal(written(OUT_CSV, rows, 7, false),
			    "id,text,flag,list\r\n"
			    "1,\\x1b[2Jgone\\x7f,true,\r\n"
			    "2,\\x9bm \xc3\xb6,true,\r\n"
			    "3,'=cmd|'x',true,\r\n"
			    "4,'+1,true,\r\n"
			    "5,\"'-1,2\",true,\r\n"
			    "6,'@sum,true,-1\r\n"
			    "-7,a=b,true,\r\n");
}

static void a_table_has_headings_notes_and_only_titled_columns(void **state)
{
	const struct row rows[] = {{1, "abc", true, NULL, "why it is so"},
				   {12, NULL, true, NULL, NULL}};

	assert_string_equal(written(OUT_TABLE, rows, 2, false), "above\n"
								"ID  TEXT  SHORT\n"
								" 1  abc   s\n"
								"    why it is so\n"
								"12        s\n");
	assert_string_equal(written(OUT_TABLE, rows, 0, false), "above\n");
}

/* What a terminal of so many columns is shown of one row; static. */
static const char *shown(const struct out_column *columns, unsigned short width,
			 const struct row *row, bool wide)
{
	static char text[4096];
	struct winsize size = {.ws_row = 24, .ws_col = width};
	struct termios raw = {0};
	struct out *out = NULL;
	struct err err = {0};
	int terminal, end;
	size_t len = 0;
	ssize_t n;
	FILE *file;

	setenv("NO_COLOR", "1", 1);
	cfmakeraw(&raw);
	if (openpty(&terminal, &end, NULL, &raw, &size) < 0) {
		print_message("# skipped: no pseudo terminal here: %s\n", strerror(errno));
		skip();
	}
	file = fdopen(end, "w");
	assert_int_equal(out_new(OUT_TABLE, file, columns, 5, wide, &out, &err), 0);
	write_row(out, row);
	assert_int_equal(out_finish(out, &err), 0);
	out_free(out);
	/* It comes in pieces, when the kernel gets to it; behind the last one the terminal is gone. */
	fclose(file);
	while (len < sizeof(text) - 1 && (n = read(terminal, text + len, sizeof(text) - 1 - len)) > 0)
		len += (size_t)n;
	assert_true(len > 0);
	text[len] = '\0';
	close(terminal);
	unsetenv("NO_COLOR");
	return text;
}

static void on_a_terminal_a_table_is_cut_and_grows_when_told(void **state)
{
	char text[300];
	const struct row row = {1, text, true, NULL, NULL};
	const char *table;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	table = shown(COLUMNS, 40, &row, false);
	assert_non_null(strstr(table, "xxx\xe2\x80\xa6  s\n"));
	assert_int_equal(strlen(strstr(table, " 1  ")), 40 + 2 - strlen("HORT") + 1);
	assert_non_null(strstr(shown(COLUMNS, 40, &row, true), text));
}

static void into_a_file_nothing_is_cut_whatever_columns_says(void **state)
{
	char text[300];
	const struct row row = {1, text, true, NULL, NULL};

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	setenv("COLUMNS", "40", 1);
	assert_non_null(strstr(written(OUT_TABLE, &row, 1, false), text));
	unsetenv("COLUMNS");
}

static void what_is_worth_least_gives_way_first(void **state)
{
	const struct row row = {123456789012, "abcdefghijklmn", true, NULL, NULL};

	assert_string_equal(shown(RANKED, 40, &row, false),
			    "FLOW          SPEAKS          WHY\n"
			    "123456789012  abcdefghijklmn  s\n");
	assert_string_equal(shown(RANKED, 28, &row, false), "FLOW          SPEAKS     WHY\n"
							    "123456789012  abcdefgh\xe2\x80\xa6  s\n");
	assert_string_equal(shown(RANKED, 18, &row, false), "FLOW          WHY\n"
							    "123456789012  s\n");
	assert_string_equal(shown(RANKED, 15, &row, false), "FLOW        WHY\n"
							    "123456789\xe2\x80\xa6  s\n");
}

static void a_table_shows_control_characters_and_sends_none(void **state)
{
	const struct row row = {1, "\x1b[2Jgone", true, NULL, "and \x1b[31m here"};
	const char *table = written(OUT_TABLE, &row, 1, false);

	assert_null(strchr(table, '\x1b'));
	assert_non_null(strstr(table, "\\x1b"));
}

static void a_long_table_has_one_heading_and_every_row(void **state)
{
	FILE *file = tmpfile();
	struct out *out = NULL;
	unsigned headings = 0, lines = 0;
	char line[256];
	struct err err;

	assert_int_equal(
		out_new(OUT_TABLE, file, COLUMNS, ARRAY_LEN(COLUMNS), false, &out, &err), 0);
	for (int i = 0; i < OUT_TABLE_ROWS + 10; i++)
		write_row(out, &(struct row){i, "x", true, NULL, NULL});
	assert_int_equal(out_finish(out, &err), 0);
	out_free(out);
	rewind(file);
	while (fgets(line, sizeof(line), file)) {
		headings += strstr(line, "SHORT") != NULL;
		lines++;
	}
	assert_int_equal(headings, 1);
	assert_int_equal(lines, OUT_TABLE_ROWS + 11);
	fclose(file);
}

static void a_reader_that_goes_away_is_no_error(void **state)
{
	struct out *out = NULL;
	struct err err = {0};
	int fds[2], r = 0;
	FILE *file;

	signal(SIGPIPE, SIG_IGN); /* as main() does */
	assert_int_equal(pipe(fds), 0);
	file = fdopen(fds[1], "w");
	assert_int_equal(
		out_new(OUT_JSONL, file, COLUMNS, ARRAY_LEN(COLUMNS), false, &out, &err), 0);
	close(fds[0]);
	for (int i = 0; !r && i < 100000; i++) {
		out_int(out, i);
		out_text(out, "some text");
		out_bool(out, true);
		out_null(out);
		out_null(out);
		r = out_end(out, &err);
	}
	assert_int_equal(r, 1);
	assert_int_equal(out_finish(out, &err), 1);
	out_free(out);
	fclose(file);
}

static void a_full_disk_is_an_error(void **state)
{
	FILE *file = fopen("/dev/full", "w");
	struct out *out = NULL;
	struct err err = {0};

	if (!file)
		skip();
	assert_int_equal(
		out_new(OUT_JSONL, file, COLUMNS, ARRAY_LEN(COLUMNS), false, &out, &err), 0);
	write_row(out, &(struct row){1, "x", true, NULL, NULL});
	assert_int_equal(out_finish(out, &err), -EIO);
	assert_non_null(strstr(err.text, "could not be written"));
	out_free(out);
	fclose(file);
}

static void an_unknown_format_is_refused_by_name(void **state)
{
	enum out_format format = OUT_CSV;
	struct err err = {0};

	assert_int_equal(out_format_parse("jsonl", &format, &err), 0);
	assert_int_equal(format, OUT_JSONL);
	assert_int_equal(out_format_parse("xml", &format, &err), -EINVAL);
	assert_string_equal(err.text,
			    "-o xml: no such format; accepted: table, json, jsonl, csv");
	assert_int_equal(format, OUT_JSONL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(json_lines_have_one_object_a_row),
		cmocka_unit_test(json_is_an_array_also_of_nothing),
		cmocka_unit_test(json_strings_are_escaped_and_always_utf8),
		cmocka_unit_test(csv_quotes_where_rfc_4180_asks),
		cmocka_unit_test(csv_holds_no_control_character_and_no_formula),
		cmocka_unit_test(a_table_has_headings_notes_and_only_titled_columns),
		cmocka_unit_test(on_a_terminal_a_table_is_cut_and_grows_when_told),
		cmocka_unit_test(into_a_file_nothing_is_cut_whatever_columns_says),
		cmocka_unit_test(what_is_worth_least_gives_way_first),
		cmocka_unit_test(a_table_shows_control_characters_and_sends_none),
		cmocka_unit_test(a_long_table_has_one_heading_and_every_row),
		cmocka_unit_test(a_reader_that_goes_away_is_no_error),
		cmocka_unit_test(a_full_disk_is_an_error),
		cmocka_unit_test(an_unknown_format_is_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
