/*
 * test_paper.c - one document in two forms: what is too wide, what is hostile, what opens and closes.
 */
#include "monitor/commands/paper.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char *text;
static size_t size;

/* A document of one sentence, table and list; static until the next. */
static const char *document(enum paper_form form, void (*write)(struct paper *paper))
{
	struct paper *paper = NULL;
	struct err err;
	FILE *file;

	free(text);
	file = open_memstream(&text, &size);
	assert_non_null(file);
	assert_int_equal(paper_new(form, file, "Title", &paper, &err), 0);
	write(paper);
	assert_int_equal(paper_end(paper, &err), 0);
	paper_free(paper);
	fclose(file);
	return text;
}

static int teardown(void **state)
{
	(void)state;
	free(text);
	text = NULL;
	return 0;
}

static void assert_has(const char *what)
{
	if (!strstr(text, what))
		fail_msg("no '%s' in:\n%s", what, text);
}

static void write_hostile(struct paper *paper)
{
	static const struct paper_column columns[] = {{"NAME", PAPER_WRAP}};

	paper_say(paper, "%s", "</p><script>alert(1)</script>");
	paper_fact(paper, "fact", "%s", "a\033[31mb\xc2\x9b\xe2\x80\xae\xff\n\"'&\xe2\x81\xa6\xe2\x81\xa9");
	paper_table(paper, columns, 1);
	paper_cell(paper, TONE_BAD, "%s", "<td onclick=x>");
	paper_note_command(paper, "%s", "tlmon explain '<b>'");
	paper_row_end(paper);
	paper_table_end(paper);
}

static void markup_is_text_and_control_characters_are_seen(void **state)
{
	(void)state;
	document(PAPER_HTML, write_hostile);
	assert_null(strstr(text, "<script"));
	assert_null(strstr(text, "<td onclick"));
	assert_null(strstr(text, "<b>"));
	assert_has("<p>&lt;/p&gt;&lt;script&gt;alert(1)&lt;/script&gt;</p>");
	assert_has("<dd>a\\x1b[31mb\\x9b\\u202e\\xff\\x0a&quot;&#39;&amp;\\u2066\\u2069</dd>");
	assert_has("&lt;td onclick=x&gt;");
	document(PAPER_TEXT, write_hostile);
	assert_has("fact            a\\x1b[31mb\\x9b");
}

static void write_wide(struct paper *paper)
{
	static const struct paper_column columns[] = {{"ID", PAPER_RIGHT},
	                                              {"WHAT", PAPER_WRAP},
	                                              {"BYTES", PAPER_RIGHT},
	                                              {"WHY", PAPER_BELOW}};

	paper_table(paper, columns, 4);
	for (int i = 9; i <= 10; i++) {
		paper_cell(paper, TONE_PLAIN, "%d", i);
		paper_cell(
			paper, TONE_PLAIN,
			"a-very-long-name.which-goes-on.and-on.and-on.until-it-is-wider-than-"
			"the-line.example \u00e4\u00f6\u00fc");
		paper_cell(paper, TONE_PLAIN, "%d", i * 1000);
		paper_cell(paper, TONE_PLAIN, "below");
		paper_row_end(paper);
	}
	paper_table_end(paper);
	paper_table(paper, columns, 4); /* without a row nothing of it is seen */
	paper_table_end(paper);
}

static size_t widest_line(void)
{
	size_t widest = 0, width = 0;

	for (const char *c = text; *c; c++) {
		width = *c == '\n' ? 0 : width + (((unsigned char)*c & 0xc0) != 0x80);
		widest = width > widest ? width : widest;
	}
	return widest;
}

static void a_table_fits_80_columns_and_loses_nothing(void **state)
{
	(void)state;
	document(PAPER_TEXT, write_wide);
	assert_int_equal(widest_line(), 80);
	assert_has("\nID  WHAT");
	assert_has("\n 9  a-very-long-name.");
	assert_has("until-it-is-wider-than-    9000\n    the-line"); /* broken behind a mark */
	assert_has("line.example \u00e4\u00f6\u00fc\n    below\n10  a-very");
	assert_has("  10000\n");
	document(PAPER_HTML, write_wide);
	assert_has("<th>WHY</th>");
	assert_has("<td class=\" num\">10000</td>");
}

static void write_above(struct paper *paper)
{
	static const struct paper_column columns[] = {
		{"NAME", PAPER_ABOVE}, {"MORE", PAPER_WRAP}, {"N", PAPER_RIGHT}};
	const char *names[] = {"short", "a-name-that-is-longer-than-its-column-could-ever-be-beside-the-rest"};

	paper_table(paper, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		paper_cell(paper, TONE_PLAIN, "%s", names[i]);
		paper_cell(paper, TONE_PLAIN, "forty characters and a few more of these");
		paper_cell(paper, TONE_PLAIN, "%zu", i);
		paper_row_end(paper);
	}
	paper_table_end(paper);
}

static void a_name_that_has_no_room_stands_above_its_row_unbroken(void **state)
{
	(void)state;
	document(PAPER_TEXT, write_above);
	assert_true(widest_line() <= 80);
	assert_has("\nshort     ");
	assert_has("\na-name-that-is-longer-than-its-column-could-ever-be-beside-the-rest\n          ");
	document(PAPER_HTML, write_above);
	assert_has("<td class=\" wrap\">short</td>");
}

static void write_blocks(struct paper *paper)
{
	paper_lead(paper, TONE_BAD, "lead");
	paper_item(paper, TONE_BAD, "one");
	paper_item(paper, TONE_PLAIN, "two");
	paper_fact(paper, "fact", "three");
	paper_head(paper, "Head");
	paper_command(paper, "tlmon %s", "flows");
	if (paper_drawing(paper))
		fputs("<svg></svg>\n", paper_drawing(paper));
	paper_say(paper, "end");
}

static void lists_open_and_close_by_themselves(void **state)
{
	(void)state;
	document(PAPER_HTML, write_blocks);
	assert_has(
		"<ul>\n<li class=\"bad\">one</li>\n<li>two</li>\n</ul>\n<dl>\n<dt>fact</dt><dd>three</dd>\n"
		"</dl>\n<h2>Head</h2>\n<pre>tlmon flows</pre>\n<div class=\"wide\">\n<svg></svg>\n</div>\n"
		"<p>end</p>\n</body>\n</html>\n");
	document(PAPER_TEXT, write_blocks);
	assert_string_equal(
		text,
		"Title\n=====\n\nlead\n! one\n- two\nfact            three\n\nHead\n----\n"
		"  tlmon flows\nend\n");
}

static void write_parts(struct paper *paper)
{
	paper_subhead(paper, TONE_DOUBT, "F%d <peer>", 3);
	paper_lines(paper, "tcp dport 443 accept\n\n\033[31m</pre>");
	if (paper_fold(paper, false, "<b> %s", "bytes")) {
		paper_lines(paper, "0000  16 03 01\n");
		paper_fold_end(paper);
	}
	paper_blank(paper, "Name");
	paper_item(paper, TONE_GOOD, "end \xef\xbf\xbf");
}

static void what_folds_is_left_out_of_text_and_lines_are_kept(void **state)
{
	(void)state;
	document(PAPER_HTML, write_parts);
	assert_has("<h3 class=\"doubt\">F3 &lt;peer&gt;</h3>\n"
	           "<pre>tcp dport 443 accept\n\n\\x1b[31m&lt;/pre&gt;\n</pre>\n"
	           "<details><summary>&lt;b&gt; bytes</summary>\n<pre>0000  16 03 01\n</pre>\n</details>\n"
	           "<p class=\"blank\"><span>Name</span></p>\n<ul>\n<li class=\"good\">end \\uffff</li>");
	document(PAPER_TEXT, write_parts);
	assert_string_equal(text,
	                    "Title\n=====\n\nF3 <peer>\ntcp dport 443 accept\n\n"
	                    "\\x1b[31m</pre>\n\n"
	                    "Name            ________________________________________________\n"
	                    "- end \\uffff\n");
}

static void a_terminal_gets_the_tones_and_no_other_escape(void **state)
{
	(void)state;
	document(PAPER_TERMINAL, write_parts);
	assert_has("\n\033[33mF3 <peer>\n\033[0mtcp dport 443 accept\n");
	assert_has("\n\\x1b[31m</pre>\n");
	assert_has("\033[32m- end \\uffff\n\033[0m");
	document(PAPER_TERMINAL, write_hostile);
	assert_has("NAME\n\033[1;31m<td onclick=x>\033[0m\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(markup_is_text_and_control_characters_are_seen,
	                                  teardown),
		cmocka_unit_test_teardown(a_table_fits_80_columns_and_loses_nothing, teardown),
		cmocka_unit_test_teardown(a_name_that_has_no_room_stands_above_its_row_unbroken,
	                                  teardown),
		cmocka_unit_test_teardown(lists_open_and_close_by_themselves, teardown),
		cmocka_unit_test_teardown(what_folds_is_left_out_of_text_and_lines_are_kept,
	                                  teardown),
		cmocka_unit_test_teardown(a_terminal_gets_the_tones_and_no_other_escape, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
