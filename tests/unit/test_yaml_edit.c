/*
 * test_yaml_edit.c - a change in the text of a YAML file: what is written, which lines differ, and that
 * all else stays as it is.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "rules/yaml_edit.h"

#define TEXTS(...) .texts = (const char *const[]){__VA_ARGS__}, \
	.text_count = sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *)
#define ADD(...) {.verb = YAML_ADD, __VA_ARGS__}
#define SET(...) {.verb = YAML_SET, __VA_ARGS__}
#define DROP(...) {.verb = YAML_DROP, __VA_ARGS__}
#define ADDRESSES .path = {"roles", "dns-server", "addresses"}, TEXTS("8.8.8.8")

static const char *const ONE[] = {"huddle"}, *const KIND[] = {"peer"};
static const struct yaml_pair WAIVER[] = {{"units", ONE, 1, true}, {"kind", KIND, 1, false}};
#define A_WAIVER .path = {"waivers"}, .pairs = WAIVER, .pair_count = 2

struct edit_case {
	const char *what, *text;
	struct yaml_edit edit;
	const char *now;
	unsigned line, replaced;
	const char *lines;
};

static const struct edit_case CASES[] = {
	{"a list in brackets", "roles:\n  dns-server: {addresses: [10.0.0.53]} # ours\nsite: x\n",
         ADD(ADDRESSES), "roles:\n  dns-server: {addresses: [10.0.0.53, 8.8.8.8]} # ours\nsite: x\n", 2, 1,
         "  dns-server: {addresses: [10.0.0.53, 8.8.8.8]} # ours\n"},
	{"several at once", "roles: {dns-server: {addresses: [\"2001:db8::1\"]}}\n",
         ADD(.path = {"roles", "dns-server", "addresses"}, TEXTS("8.8.8.8", "2001:db8::2")),
         "roles: {dns-server: {addresses: [\"2001:db8::1\", 8.8.8.8, \"2001:db8::2\"]}}\n", 1, 1,
         "roles: {dns-server: {addresses: [\"2001:db8::1\", 8.8.8.8, \"2001:db8::2\"]}}\n"},
	{"a list over several lines, with comments and a last comma",
         "roles:\n  dns-server:\n    addresses: [10.0.0.53, # first\n                10.0.1.53, # second\n      ]\n",
         ADD(ADDRESSES),
         "roles:\n  dns-server:\n    addresses: [10.0.0.53, # first\n                10.0.1.53, 8.8.8.8, # second\n      ]\n",
         4, 1, "                10.0.1.53, 8.8.8.8, # second\n"},
	{"an empty list in brackets", "roles: {dns-server: {addresses: []}}\n", ADD(ADDRESSES),
         "roles: {dns-server: {addresses: [8.8.8.8]}}\n", 1, 1,
         "roles: {dns-server: {addresses: [8.8.8.8]}}\n"},
	{"a list of dashes",
         "roles:\n  dns-server:\n    addresses:\n      - 10.0.0.53 # ours\n\n  # below\n  edge:\n",
         ADD(ADDRESSES),
         "roles:\n  dns-server:\n    addresses:\n      - 10.0.0.53 # ours\n      - 8.8.8.8\n\n  # below\n  edge:\n",
         5, 0, "      - 8.8.8.8\n"},
	{"dashes that are not indented", "roles:\n  dns-server:\n    addresses:\n    - '10.0.0.53'\nsite: x\n",
         ADD(ADDRESSES), "roles:\n  dns-server:\n    addresses:\n    - '10.0.0.53'\n    - 8.8.8.8\nsite: x\n", 5,
         0, "    - 8.8.8.8\n"},
	{"a role that is not there", "roles:\n    edge: {addresses: [1.2.3.4]}\nunits: []\n", ADD(ADDRESSES),
         "roles:\n    edge: {addresses: [1.2.3.4]}\n    dns-server: {addresses: [8.8.8.8]}\nunits: []\n", 3, 0,
         "    dns-server: {addresses: [8.8.8.8]}\n"},
	{"no roles at all", "site: x\n# the end\n", ADD(ADDRESSES),
         "site: x\nroles:\n  dns-server: {addresses: [8.8.8.8]}\n# the end\n", 2, 0,
         "roles:\n  dns-server: {addresses: [8.8.8.8]}\n"},
	{"a key with nothing behind it", "site: x\nroles: # none yet\nunits: []\n", ADD(ADDRESSES),
         "site: x\nroles: # none yet\n  dns-server: {addresses: [8.8.8.8]}\nunits: []\n", 3, 0,
         "  dns-server: {addresses: [8.8.8.8]}\n"},
	{"a key with a word for nothing", "roles: ~\n", ADD(ADDRESSES),
         "roles: {dns-server: {addresses: [8.8.8.8]}}\n", 1, 1,
         "roles: {dns-server: {addresses: [8.8.8.8]}}\n"},
	{"nothing in brackets", "{roles: , site: x}\n", ADD(ADDRESSES),
         "{roles: {dns-server: {addresses: [8.8.8.8]}} , site: x}\n", 1, 1,
         "{roles: {dns-server: {addresses: [8.8.8.8]}} , site: x}\n"},
	{"nothing in brackets without a colon", "{site: x, roles}\n", ADD(ADDRESSES),
         "{site: x, roles: {dns-server: {addresses: [8.8.8.8]}}}\n", 1, 1,
         "{site: x, roles: {dns-server: {addresses: [8.8.8.8]}}}\n"},
	{"a file in brackets", "{site: x}", ADD(ADDRESSES),
         "{site: x, roles: {dns-server: {addresses: [8.8.8.8]}}}", 1, 1,
         "{site: x, roles: {dns-server: {addresses: [8.8.8.8]}}}\n"},
	{"no file", "", ADD(ADDRESSES), "roles:\n  dns-server: {addresses: [8.8.8.8]}\n", 1, 0,
         "roles:\n  dns-server: {addresses: [8.8.8.8]}\n"},
	{"no end of line at the end", "site: x", ADD(ADDRESSES),
         "site: x\nroles:\n  dns-server: {addresses: [8.8.8.8]}\n", 1, 1,
         "site: x\nroles:\n  dns-server: {addresses: [8.8.8.8]}\n"},
	{"an item by its name",
         "units:\n  - {name: \"a b\", profiles: [room]}\n  - name: huddle\n    profiles:\n      - room\n    macs: []\n",
         ADD(.path = {"units", "name=huddle", "profiles"}, TEXTS("touch")),
         "units:\n  - {name: \"a b\", profiles: [room]}\n  - name: huddle\n    profiles:\n      - room\n      - touch\n    macs: []\n",
         6, 0, "      - touch\n"},
	{"... in quotes, with a quoted list", "units: [{\"name\": \"a b\", \"profiles\": [\"room\"]}]\n",
         ADD(.path = {"units", "name=a b", "profiles"}, TEXTS("touch")),
         "units: [{\"name\": \"a b\", \"profiles\": [\"room\", touch]}]\n", 1, 1,
         "units: [{\"name\": \"a b\", \"profiles\": [\"room\", touch]}]\n"},
	{"a map among dashes, in a line", "waivers:\n- {kind: media}\n", ADD(A_WAIVER),
         "waivers:\n- {kind: media}\n- {units: [huddle], kind: peer}\n", 3, 0,
         "- {units: [huddle], kind: peer}\n"},
	{"... in lines of its own", "waivers:\n  - kind: media\n    row: x\nsite: x\n", ADD(A_WAIVER, .tall = true),
         "waivers:\n  - kind: media\n    row: x\n  - units: [huddle]\n    kind: peer\nsite: x\n", 4, 0,
         "  - units: [huddle]\n    kind: peer\n"},
	{"a map in a list that is not there", "site: x\n", ADD(A_WAIVER, .tall = true),
         "site: x\nwaivers:\n  - units: [huddle]\n    kind: peer\n", 2, 0,
         "waivers:\n  - units: [huddle]\n    kind: peer\n"},
	{"a map in an empty list", "waivers: []\n", ADD(A_WAIVER, .tall = true),
         "waivers: [{units: [huddle], kind: peer}]\n", 1, 1, "waivers: [{units: [huddle], kind: peer}]\n"},
	{"a text that is there", "options: {nat: false, allow-vbss: \"false\"}\n",
         SET(.path = {"options", "allow-vbss"}, TEXTS("true")), "options: {nat: false, allow-vbss: \"true\"}\n",
         1, 1, "options: {nat: false, allow-vbss: \"true\"}\n"},
	{"a text that is not there", "options:\n  nat: false\n", SET(.path = {"options", "site"}, TEXTS("a b")),
         "options:\n  nat: false\n  site: a b\n", 3, 0, "  site: a b\n"},
	{"... nor its map", "site: x\n", SET(.path = {"options", "site"}, TEXTS("b")),
         "site: x\noptions: {site: b}\n", 2, 0, "options: {site: b}\n"},
	{"a word that quotes would make a text", "options: {nat: \"false\"}\n",
         SET(.path = {"options", "nat"}, TEXTS("true"), .plain = true), "options: {nat: true}\n", 1, 1,
         "options: {nat: true}\n"},
	{"behind a block of text", "site: |\n  a\n  b\n\nunits: []\n", ADD(ADDRESSES),
         "site: |\n  a\n  b\n\nunits: []\nroles:\n  dns-server: {addresses: [8.8.8.8]}\n", 6, 0,
         "roles:\n  dns-server: {addresses: [8.8.8.8]}\n"},
	{"taken out of lines", "narrow:\n  a: {x: 1} # why\n  b: {y: 1}\nsite: x\n", DROP(.path = {"narrow", "a"}),
         "narrow:\n  b: {y: 1}\nsite: x\n", 2, 1, ""},
	{"... the only one, and its map with it", "narrow:\n  a:\n    x: [1]\nsite: x\n",
         DROP(.path = {"narrow", "a"}), "site: x\n", 1, 3, ""},
	{"taken out of brackets, first", "narrow: {a: {x: 1}, b: {y: 1}}\n", DROP(.path = {"narrow", "a"}),
         "narrow: {b: {y: 1}}\n", 1, 1, "narrow: {b: {y: 1}}\n"},
	{"... and last", "narrow: {a: {x: 1}, b: {y: 1}}\n", DROP(.path = {"narrow", "b"}),
         "narrow: {a: {x: 1}}\n", 1, 1, "narrow: {a: {x: 1}}\n"},
};

static void what_is_changed_is_changed_and_all_else_stays(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		const struct edit_case *c = &CASES[i];
		CLEANUP(yaml_edited_release) struct yaml_edited edited = {0};
		struct err err = {0};

		if (yaml_edit("t.yaml", c->text, strlen(c->text), &c->edit, &edited, &err) < 0)
			fail_msg("%s: %s", c->what, err.text);
		if (strcmp(edited.text, c->now) != 0 || strcmp(edited.lines, c->lines) != 0 ||
		    edited.line != c->line || edited.replaced != c->replaced)
			fail_msg("%s:\n%s--\n%sline %u, replaces %u", c->what, edited.text,
			         edited.lines, edited.line, edited.replaced);
		assert_int_equal(edited.len, strlen(edited.text));
	}
}

/* Whoever does as the lines say gets the same file. */
static void the_lines_put_in_their_place_make_the_file(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		const struct edit_case *c = &CASES[i];
		const char *from = c->text, *behind;
		char made[1024];

		for (unsigned line = 1; line < c->line; line++)
			from = strchr(from, '\n') + 1;
		behind = from;
		for (unsigned line = 0; line < c->replaced; line++)
			behind = strchrnul(behind, '\n') + (strchr(behind, '\n') != NULL);
		snprintf(made, sizeof(made), "%.*s%s%s", (int)(from - c->text), c->text, c->lines,
		         behind);
		if (strncmp(made, c->now, strlen(c->now)) != 0)
			fail_msg("%s:\n%s", c->what, made);
	}
}

static void json_stays_json(void **state)
{
	const struct yaml_edit edit = ADD(.path = {"units", "name=a", "macs"}, TEXTS("x"));
	static const char text[] = "{\"units\": [{\"name\": \"a\"}]}";
	CLEANUP(yaml_edited_release) struct yaml_edited edited = {0};
	struct err err = {0};

	if (yaml_edit("t.json", text, strlen(text), &edit, &edited, &err) < 0)
		fail_msg("%s", err.text);
	assert_string_equal(edited.text, "{\"units\": [{\"name\": \"a\", \"macs\": [\"x\"]}]}");
}

static void what_cannot_be_changed_is_refused(void **state)
{
	const struct {
		const char *text, *said;
		struct yaml_edit edit;
		int code;
	} refused[] = {
		{"roles: 17\n", "a text stands here; accepted: a list or a map", ADD(ADDRESSES), -EINVAL},
		{"roles: [a]\n", "no item here has dns-server", ADD(ADDRESSES), -EINVAL},
		{"waivers: {a: b}\n", "a map stands here; accepted: a list", ADD(A_WAIVER), -EINVAL},
		{"options: {nat: []}\n", "a list or a map stands here; accepted: a text",
                 SET(.path = {"options", "nat"}, TEXTS("true")), -EINVAL},
		{"site: x\n", "no 'narrow' is there", DROP(.path = {"narrow", "a"}), -ENOENT},
		{"a: [\n", "t.yaml:1:4", ADD(ADDRESSES), -EINVAL},
	};

	for (size_t i = 0; i < ARRAY_LEN(refused); i++) {
		struct yaml_edited edited = {0};
		struct err err = {0};

		assert_int_equal(yaml_edit("t.yaml", refused[i].text, strlen(refused[i].text),
		                           &refused[i].edit, &edited, &err),
		                 refused[i].code);
		if (!strstr(err.text, refused[i].said))
			fail_msg("%s: %s", refused[i].text, err.text);
		assert_null(edited.text);
	}
}

static void words_that_yaml_would_read_otherwise_are_quoted(void **state)
{
	static const struct {
		const char *text, *put;
	} texts[] = {
		{"huddle", "huddle"},       {"Yes", "\"Yes\""},       {"10.20.0.53", "10.20.0.53"},
		{"1.5", "\"1.5\""},         {"10.0.0.0/8", "10.0.0.0/8"}, {"50000-50019", "50000-50019"},
		{"2026-12-31", "2026-12-31"}, {"2001:db8::1", "\"2001:db8::1\""}, {"a: b", "\"a: b\""},
		{"a ", "\"a \""},           {"", "\"\""},             {"a\nb", "\"a\\nb\""},
		{"say \"so\"", "\"say \\\"so\\\"\""}, {"\x07", "\"\\u0007\""}, {"\xff", "\"\xef\xbf\xbd\""},
		{"*.lync.com", "\"*.lync.com\""}, {"B\xc3\xbcro", "\"B\xc3\xbcro\""},
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		CLEANUP(freep) char *text = NULL;
		size_t len = 0;
		FILE *out = open_memstream(&text, &len);

		yaml_put_text(out, texts[i].text, false);
		fclose(out);
		assert_string_equal(text, texts[i].put);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_changed_is_changed_and_all_else_stays),
		cmocka_unit_test(the_lines_put_in_their_place_make_the_file),
		cmocka_unit_test(json_stays_json),
		cmocka_unit_test(what_cannot_be_changed_is_refused),
		cmocka_unit_test(words_that_yaml_would_read_otherwise_are_quoted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
