/*
 * fuzz_site.c - text that an operator gives us: a site file, or, behind a first line that says so, rooms.csv
 * ("csv"), a list of endpoints ("json") or an envelope, as it is recorded ("# FILE"). What is refused must be refused with a message.
 */
#include "rules/arena.h"
#include "rules/endpoints.h"
#include "rules/policy.h"
#include "rules/units.h"
#include "rules/yaml_edit.h"

#include <assert.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Read once: it never changes. */
static const struct envelope *envelope(void)
{
	static struct envelope *loaded;

	if (!loaded)
		assert(envelope_load(NULL, &loaded, NULL) == 0);
	return loaded;
}

/* Whoever puts the lines where they belong gets the changed file. */
static void put_lines(const char *text, size_t len, const struct yaml_edited *edited)
{
	const char *end = text + len, *from = text, *behind, *now = edited->text;
	size_t kept, made = strlen(edited->lines);

	for (unsigned line = 1; line < edited->line; line++)
		from = (const char *)memchr(from, '\n', (size_t)(end - from)) + 1;
	behind = from;
	for (unsigned line = 0; line < edited->replaced; line++) {
		const char *newline = memchr(behind, '\n', (size_t)(end - behind));

		behind = newline ? newline + 1 : end;
	}
	kept = (size_t)(from - text);
	assert(edited->len >= kept && !memcmp(text, now, kept));
	if (made && behind == end && edited->len < kept + made)
		made--; /* a last line without its end */
	assert(edited->len == kept + made + (size_t)(end - behind));
	assert(!memcmp(now + kept, edited->lines, made));
	assert(!memcmp(now + kept + made, behind, (size_t)(end - behind)));
}

/* Changes as remedies make them: refused with a message, or all else stays as it was. */
static void edit_site(const char *text, size_t len)
{
	static const char *const texts[] = {"8.8.8.8"}, *const on[] = {"true"};
	static const struct yaml_pair pairs[] = {{"units", texts, 1, true}, {"kind", on, 1, false}};
	static const struct yaml_edit edits[] = {
		{.verb = YAML_ADD, .path = {"roles", "dns-server", "addresses"}, .texts = texts, .text_count = 1},
		{.verb = YAML_ADD, .path = {"units", "name=a", "profiles"}, .texts = texts, .text_count = 1},
		{.verb = YAML_ADD, .path = {"waivers"}, .pairs = pairs, .pair_count = 2, .tall = true},
		{.verb = YAML_ADD, .path = {"units"}, .pairs = pairs, .pair_count = 2},
		{.verb = YAML_SET, .path = {"options", "nat"}, .texts = on, .text_count = 1, .plain = true},
		{.verb = YAML_DROP, .path = {"narrow", "online.out.audio"}},
	};

	for (size_t i = 0; i < ARRAY_LEN(edits); i++) {
		CLEANUP(yaml_edited_release) struct yaml_edited edited = {0};
		struct err err = {0};

		if (yaml_edit("site.yaml", text, len, &edits[i], &edited, &err) < 0)
			assert(*err.text);
		else
			put_lines(text, len, &edited);
	}
}

static int read_site(const char *text, size_t len, struct err *err)
{
	struct policy_args args = {.site_path = "/nowhere/site.yaml",
	                           .site_text = text,
	                           .site_text_len = len,
	                           .envelope = envelope()};
	CLEANUP(policy_freep) struct policy *policy = NULL;
	int r = policy_load(&args, &policy, err);

	assert((r == 0) == (policy != NULL));
	if (len)
		edit_site(text, len);
	return r;
}

static int read_rooms(const char *text, size_t len, struct err *err)
{
	CLEANUP(policy_freep) struct policy *policy = calloc(1, sizeof(*policy));
	CLEANUP(unit_list_release) struct unit_list list = {.policy = policy};
	CLEANUP(text_file_release) struct text_file file = {.name = NULL};
	int r = text_file_of("rooms.csv", text, len, &file, err);

	policy->envelope = envelope();
	policy->arena = arena_new();
	if (r >= 0)
		r = rooms_read(&file, &list, err);
	return r < 0 ? r : units_index(&list, err);
}

static int read_endpoints(const char *text, size_t len, struct err *err)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	CLEANUP(yaml_freep) struct yaml_file *file = NULL;
	const struct endpoint_choice all = {.area_count = 0};
	struct endpoint_list list;
	int r = yaml_read("endpoints.json", text, len, &file, err);

	return r < 0 ? r : endpoints_read(file, &all, arena, &list, err);
}

/* What a folder of documented rows says: rows, groups, roles. */
static int read_envelope(const char *text, size_t len, struct err *err)
{
	CLEANUP(envelope_freep) struct envelope *read = NULL;
	CLEANUP(freep) char *all = calloc(1, len + 1);
	int r;

	assert(all);
	memcpy(all, text, len);
	r = envelope_of_text(all, &read, err);
	assert((r == 0) == (read != NULL));
	for (size_t i = 0; read && i < read->group_count; i++)
		for (unsigned k = 0; k < read->groups[i].row_count; k++)
			assert(read->rows[read->groups[i].rows[k]].profile == read->groups[i].profile);
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct err err = {0};
	int r;

	if (size > 65536)
		return 0;
	if (size >= 4 && !memcmp(text, "csv\n", 4))
		r = read_rooms(text + 4, size - 4, &err);
	else if (size >= 5 && !memcmp(text, "json\n", 5))
		r = read_endpoints(text + 5, size - 5, &err);
	else if (size >= 7 && !memcmp(text, "# FILE ", 7))
		r = read_envelope(text, size, &err);
	else
		r = read_site(text, size, &err);
	assert(r == 0 || (err.code == r && err.text[0]));
	return 0;
}
