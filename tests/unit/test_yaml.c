/*
 * test_yaml.c - the typed reader: what it takes, and how it says where something is wrong.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "rules/yaml.h"

static struct yaml_file *read_yaml(const char *name, const char *text)
{
	struct yaml_file *file = NULL;
	struct err err = {0};

	if (yaml_read(name, text, strlen(text), &file, &err) < 0)
		fail_msg("%s", err.text);
	return file;
}

static void a_map_is_read_in_the_order_of_the_file(void **state)
{
	CLEANUP(yaml_freep)
	struct yaml_file *file = read_yaml("t.yaml", "b: 1\na: [x, 'y z', \"\"]\nc:\n");
	const struct yaml *node = yaml_first(yaml_root(file)), *item;
	const char *text = NULL;

	assert_string_equal(yaml_key(node), "b");
	node = yaml_next(node);
	assert_string_equal(yaml_key(node), "a");
	assert_int_equal(yaml_count(node), 3);
	item = yaml_next(yaml_first(node));
	assert_int_equal(yaml_text(item, &text, NULL), 0);
	assert_string_equal(text, "y z");
	assert_int_equal(yaml_line(item), 2);
	assert_null(yaml_key(item));
	assert_int_equal(yaml_text(yaml_next(item), &text, NULL), -EINVAL); /* empty */
	assert_int_equal(yaml_list(yaml_get(yaml_root(file), "c"), NULL), 0);
	assert_int_equal(yaml_map(yaml_get(yaml_root(file), "c"), "c", NULL, NULL), 0);
	assert_null(yaml_get(yaml_root(file), "d"));
}

static void json_is_read_by_the_same_reader(void **state)
{
	CLEANUP(yaml_freep)
	struct yaml_file *file = read_yaml(
		"t.json",
		"[\n\t{\"id\": 11, \"ips\": [\"1.2.3.0/24\"],\t\"required\": true}\n]\n");
	const struct yaml *set = yaml_first(yaml_root(file));
	bool flag = false;

	assert_int_equal(yaml_flag(yaml_get(set, "required"), &flag, NULL), 0);
	assert_true(flag);
	assert_int_equal(yaml_count(yaml_get(set, "ips")), 1);
}

static void a_file_that_cannot_be_read_says_where(void **state)
{
	static const struct {
		const char *text, *said; /* the whole message */
	} cases[] = {
		{"", "t.yaml:1:1: an empty file\n    \n    ^"},
		{"# nothing\n", "t.yaml:1:1: an empty file\n    # nothing\n    ^"},
		{"a: 1\nb: 2\na: 3\n",
		 "t.yaml:3:1: 'a' stands here twice, first in line 1\n    a: 3\n    ^"},
		{"a: &x 1\n",
		 "t.yaml:1:7: anchors (&name) and tags (!name) are not accepted\n    a: &x 1\n          ^"},
		{"a: [*x]\n",
		 "t.yaml:1:6: aliases (*name) are not accepted; write the value out (a name that begins with * "
		 "needs quotes)\n    a: [*x]\n         ^"},
		{"a: 1\n---\nb: 2\n",
		 "t.yaml:2:1: a second document begins here; one file holds one\n    ---\n    ^~~"},
		{"? [a]\n: b\n", "t.yaml:1:3: a key must be a plain text\n    ? [a]\n      ^"},
		{"a: \"b\n",
		 "t.yaml:1:4: this quote is never closed (double-quoted scalar without closing quote)\n    a: \"b\n       ^"},
		{"a:\nb: [c, {d: e\n\n\n",
		 "t.yaml:2:8: this bracket is never closed (missing comma in flow mapping)\n"
		 "    b: [c, {d: e\n           ^"},
		{"a: {b: [c, d]\ne: f\n",
		 "t.yaml:1:4: this bracket is never closed (wrongly indented flow mapping)\n"
		 "    a: {b: [c, d]\n       ^"},
		{"a: [b, \"]\", it's] # [\nc: [d}\ne: f\n",
		 "t.yaml:2:6: this closes another kind of bracket than stands open (mismatched flow "
		 "mapping end)\n    c: [d}\n         ^"},
		{"a: b\n- c\nd: e\n",
		 "t.yaml:2:1: did not find expected key\n    - c\n    ^"},
		{"a: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n",
		 "t.yaml:1:19: nested deeper than 16 levels\n"
		 "    a: [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]\n                      ^"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct yaml_file *file = NULL;
		struct err err = {0};

		assert_int_equal(
			yaml_read("t.yaml", cases[i].text, strlen(cases[i].text), &file, &err),
			-EINVAL);
		assert_null(file);
		assert_string_equal(err.text, cases[i].said);
	}
}

static void what_is_no_text_is_refused_where_it_stands(void **state)
{
	static const struct {
		const char *text;
		size_t len;
		const char *said;
	} cases[] = {
		{"a: 1\nb\0c", 8,
		 "t.yaml:2:2: a control character (byte 0x00); accepted: text in UTF-8\n    b?c\n     ^"},
		{"a: \xff", 4,
		 "t.yaml:1:4: byte 0xff is not UTF-8; accepted: text in UTF-8\n    a: ?\n       ^"},
		{"a: \xc3", 4,
		 "t.yaml:1:4: byte 0xc3 is not UTF-8; accepted: text in UTF-8\n    a: ?\n       ^"},
		{"a: \xe0\x80\x80", 6, "t.yaml:1:4: byte 0xe0 is not UTF-8"}, /* overlong */
		{"a: \xed\xa0\x80", 6, "t.yaml:1:4: byte 0xed is not UTF-8"}, /* a surrogate */
		{"a: \xf4\x90\x80\x80", 7,
		 "t.yaml:1:4: byte 0xf4 is not UTF-8"}, /* past U+10FFFF */
		{"a: \x1b[31m", 8,
		 "t.yaml:1:4: a control character (byte 0x1b); accepted: text in UTF-8\n    a: ?[31m\n       ^"},
		{"% \xff\xff", 4,
		 "t.yaml:1:3: byte 0xff is not UTF-8"}, /* libfyaml hangs on it */
		{"% x\n", 4, "t.yaml:1:1: directives (%NAME) are not accepted"},
		{"a: 1\n%YAML 1.2\n", 15, "t.yaml:2:1: directives (%NAME) are not accepted"},
		{"a: \"x\\0y\"\n", 10, "t.yaml:1:5: a NUL byte inside a text"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct yaml_file *file = NULL;
		struct err err = {0};

		assert_int_equal(yaml_read("t.yaml", cases[i].text, cases[i].len, &file, &err),
				 -EINVAL);
		if (strncmp(err.text, cases[i].said, strlen(cases[i].said)))
			fail_msg("'%s', expected '%s'", err.text, cases[i].said);
	}
}

static void text_in_any_script_is_taken(void **state)
{
	static const char text[] = "\xef\xbb\xbf"
				   "a: Größe 会議室 \xf0\x9f\x8e\xa5 %\r\n";
	CLEANUP(yaml_freep) struct yaml_file *file = read_yaml("t.yaml", text);
	const char *value = NULL;

	assert_int_equal(yaml_text(yaml_get(yaml_root(file), "a"), &value, NULL), 0);
	assert_string_equal(value, "Größe 会議室 \xf0\x9f\x8e\xa5 %");
}

static void a_tab_before_a_line_is_named(void **state)
{
	static const struct {
		const char *name, *text, *said;
	} cases[] = {
		{"t.yaml", "a: x\n\tb: []\n",
		 "t.yaml:2:1: a tab stands before this line, YAML wants blanks (invalid multiline plain key)\n"
		 "     b: []\n    ^"},
		{"t.yaml", "a:\n  \tb: x\nc: d\ne: f\n",
		 "t.yaml:2:3: a tab stands before this line, YAML wants blanks (invalid tab as indendation in a "
		 "mapping)\n       b: x\n      ^"},
		{"t.json", "{\n\t\"a\": [1,\n\t\"b\": 2\n}\n", "t.json:3:5: JSON considers keys"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct yaml_file *file = NULL;
		struct err err = {0};

		assert_int_equal(yaml_read(cases[i].name, cases[i].text, strlen(cases[i].text), &file, &err),
				 -EINVAL);
		if (strncmp(err.text, cases[i].said, strlen(cases[i].said)))
			fail_msg("'%s', expected '%s'", err.text, cases[i].said);
	}
}

static void a_value_that_is_not_there_is_shown_by_its_key_or_its_dash(void **state)
{
	static const char text[] = "# c\na:\n  - b\n  # - c\n  -\n  -\nd:\ne: [f]\n";
	CLEANUP(yaml_freep) struct yaml_file *file = read_yaml("t.yaml", text);
	const struct yaml *root = yaml_root(file), *item = yaml_next(yaml_first(yaml_get(root, "a")));
	const char *word = NULL;
	struct err err = {0};

	assert_int_equal(yaml_text(yaml_get(root, "d"), &word, &err), -EINVAL);
	assert_string_equal(err.text, "t.yaml:7:1: d is empty; accepted: a text\n    d:\n    ^");
	assert_int_equal(yaml_text(item, &word, &err), -EINVAL);
	assert_string_equal(err.text, "t.yaml:5:3: this is empty; accepted: a text\n      -\n      ^");
	assert_int_equal(yaml_text(yaml_next(item), &word, &err), -EINVAL);
	assert_non_null(strstr(err.text, "t.yaml:6:3: this is empty"));
	assert_int_equal(yaml_line(yaml_next(item)), 6);
}

static void control_characters_reach_no_terminal(void **state)
{
	static const char text[] = "a: \"x\\e[31m\"\nb: \"x\\x9b31m\"\nc: \"x\\ty\"\nd: |\n  x\n  y\ne: >\n  one\n  line\n"
				   "f: {\"g\\e\": h}\n";
	const char *refused[] = {"a", "b", "c", "d"}, *word = NULL;
	char *key = strstr(text, "f:"), shown[SHOWN_MAX];
	struct yaml_file *file = NULL;
	struct err err = {0};

	assert_int_equal(yaml_read("t.yaml", text, strlen(text), &file, &err), -EINVAL);
	assert_non_null(strstr(err.text, "t.yaml:10:6: a control character in this text; accepted: one line"));
	assert_int_equal(yaml_read("t.yaml", text, (size_t)(key - text), &file, &err), 0);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		assert_int_equal(yaml_text(yaml_get(yaml_root(file), refused[i]), &word, &err), -EINVAL);
	assert_non_null(strstr(err.text, "t.yaml:5:1: a control character in this text"));
	assert_int_equal(yaml_text(yaml_get(yaml_root(file), "e"), &word, &err), 0);
	assert_string_equal(word, "one line");
	assert_string_equal(text_shown("a\x1b[1m\xc2\x9b\xffö", shown), "a?[1m???ö");
	yaml_free(file);
}

static void a_bomb_of_brackets_is_refused_at_once(void **state)
{
	CLEANUP(freep) char *text = malloc(8000001);
	struct yaml_file *file = NULL;
	struct err err = {0};

	memset(text, '[', 8000000);
	text[8000000] = '\0';
	assert_int_equal(yaml_read("t.yaml", text, 8000000, &file, &err), -EINVAL);
	assert_non_null(strstr(err.text, "more than 4096 brackets are open"));
	assert_int_equal(yaml_read("t.yaml", text, TEXT_FILE_MAX + 1, &file, &err), -EFBIG);
}

static void values_of_the_wrong_type_are_shown(void **state)
{
	static const char text[] = "a: {b: 1}\nc: [d]\ne: maybe\nf: one\n";
	CLEANUP(yaml_freep) struct yaml_file *file = read_yaml("t.yaml", text);
	const struct yaml *root = yaml_root(file);
	const char *word = NULL;
	unsigned index = 7;
	bool flag = false;
	struct err err = {0};

	WORDS(NUMBERS, "once", "twice");
	WORDS(KEYS, "a", "c");
	assert_int_equal(yaml_text(yaml_get(root, "a"), &word, &err), -EINVAL);
	assert_string_equal(err.text,
			    "t.yaml:1:4: a is one text, no map\n    a: {b: 1}\n       ^");
	assert_int_equal(yaml_text(yaml_get(root, "c"), &word, &err), -EINVAL);
	assert_string_equal(err.text,
			    "t.yaml:2:4: c is one text, no list\n    c: [d]\n       ^");
	assert_int_equal(yaml_list(yaml_get(root, "e"), &err), -EINVAL);
	assert_string_equal(
		err.text,
		"t.yaml:3:4: e is a list; accepted: [maybe]\n    e: maybe\n       ^~~~~");
	assert_int_equal(yaml_flag(yaml_get(root, "e"), &flag, &err), -EINVAL);
	assert_string_equal(
		err.text,
		"t.yaml:3:4: e: 'maybe' is neither true nor false; accepted: true, false\n"
		"    e: maybe\n       ^~~~~");
	assert_int_equal(yaml_word(yaml_get(root, "f"), "count", &NUMBERS, &index, &err),
			 -EINVAL);
	assert_string_equal(
		err.text,
		"t.yaml:4:4: unknown count 'one'; accepted: once, twice; did you mean "
		"'once'?\n    f: one\n       ^~~");
	assert_int_equal(yaml_map(root, "it", &KEYS, &err), -EINVAL);
	assert_string_equal(err.text, "t.yaml:3:1: unknown key of it 'e'; accepted: a, c\n"
				      "    e: maybe\n    ^");
	assert_int_equal(yaml_need(root, "it", "g", &root, &err), -EINVAL);
	assert_string_equal(err.text, "t.yaml:1:1: it lacks 'g'\n    a: {b: 1}\n    ^");
	assert_int_equal(index, 7);
}

static void columns_count_characters_and_long_lines_are_cut_about_the_caret(void **state)
{
	static const char text[] =
		"a: [Größe, 12345678901234567890123456789012345678901234567890123456789012345678901234567890, bad]\n";
	CLEANUP(yaml_freep) struct yaml_file *file = read_yaml("t.yaml", text);
	const struct yaml *item = yaml_next(yaml_first(yaml_first(yaml_root(file))));
	struct err err = {0};

	yaml_fail(yaml_first(yaml_first(yaml_root(file))), &err, "this");
	assert_non_null(strstr(err.text, "t.yaml:1:5: this\n    a: [Größe, 1234567"));
	assert_non_null(strstr(err.text, "\n        ^~~~~"));
	yaml_fail(yaml_next(item), &err, "that");
	assert_non_null(strstr(err.text, "t.yaml:1:94: that\n"));
	assert_non_null(strstr(
		err.text, "7890, bad]\n                                                ^~~"));
}

static void a_near_word_is_offered_and_a_far_one_is_not(void **state)
{
	static const struct {
		const char *text, *near;
	} cases[] = {
		{"unit", "units"},  {"untis", "units"}, {"wiavers", "waivers"},
		{"roles", "roles"}, {"rolls", "roles"}, {"zebra", NULL},
		{"x", NULL},
	};

	char longer[301] = "";

	WORDS(KEYS, "units", "roles", "waivers");
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *near = words_near(&KEYS, cases[i].text);

		if (cases[i].near)
			assert_string_equal(near, cases[i].near);
		else
			assert_null(near);
	}
	memset(longer, 'u', sizeof(longer) - 1);
	assert_null(words_near(&KEYS, longer));
}

static void every_truncation_of_a_file_is_survived(void **state)
{
	static const char text[] =
		"a: [x, {b: \"c\", d: 'e'}]\nf:\n  - g: |\n      h\n    i: >-\n      j\n# k\n";

	for (size_t len = 0; len <= strlen(text); len++) {
		CLEANUP(yaml_freep) struct yaml_file *file = NULL;
		struct err err = {0};

		if (yaml_read("t.yaml", text, len, &file, &err) < 0)
			assert_non_null(strstr(err.text, "t.yaml:"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_map_is_read_in_the_order_of_the_file),
		cmocka_unit_test(json_is_read_by_the_same_reader),
		cmocka_unit_test(a_file_that_cannot_be_read_says_where),
		cmocka_unit_test(what_is_no_text_is_refused_where_it_stands),
		cmocka_unit_test(text_in_any_script_is_taken),
		cmocka_unit_test(a_tab_before_a_line_is_named),
		cmocka_unit_test(a_value_that_is_not_there_is_shown_by_its_key_or_its_dash),
		cmocka_unit_test(control_characters_reach_no_terminal),
		cmocka_unit_test(a_bomb_of_brackets_is_refused_at_once),
		cmocka_unit_test(values_of_the_wrong_type_are_shown),
		cmocka_unit_test(
			columns_count_characters_and_long_lines_are_cut_about_the_caret),
		cmocka_unit_test(a_near_word_is_offered_and_a_far_one_is_not),
		cmocka_unit_test(every_truncation_of_a_file_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
