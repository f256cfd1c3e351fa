/*
 * rows.c - see rows.h. A row has one form as written, and further ones: `also` adds a reading,
 * `instead` replaces all others while the site sets an option.
 */
#include "rules/rows.h"

#include "rules/arena.h"
#include "rules/form.h"
#include "rules/groups.h"

#define ROW_COUNT_MAX 4096

WORDS(FILE_KEYS, "profile", "title", "rows", "groups");
WORDS(ROW_KEYS, "id", "document", FORM_KEYS, "need", "need-reason", "exercise", "origin", "note", "severity",
      "also", "instead");
WORDS(OTHER_FORM_KEYS, FORM_KEYS, "origin", "note", "when");
WORDS(ORIGINS, "stated", "inferred");
WORDS(SEVERITIES, "info", "low", "medium", "high");
static const char *const NEED_LIST[] = {"required", "recommended", "if-used"};
const struct words NEEDS = {NEED_LIST, ARRAY_LEN(NEED_LIST)};
static const char *const OPTION_LIST[] = {"nat", "strict-relay-ports", "allow-vbss"};
const struct words SITE_OPTIONS = {OPTION_LIST, ARRAY_LEN(OPTION_LIST)};

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* An optional text of a map; "" where it is missing. */
static int read_text(const struct yaml *map, const char *key, struct arena *arena,
                     const char **ret_text, struct err *err)
{
	const struct yaml *node = yaml_get(map, key);
	const char *text = "";
	int r = node ? yaml_text(node, &text, err) : 0;

	if (r < 0)
		return r;
	*ret_text = arena_text(arena, text);
	return *ret_text ? 0 : no_memory(err);
}

static int read_origin(const struct yaml *map, bool *inferred, struct err *err)
{
	const struct yaml *node = yaml_get(map, "origin");
	unsigned origin = 0;
	int r = node ? yaml_word(node, "origin", &ORIGINS, &origin, err) : 0;

	*inferred = origin == 1;
	return r;
}

/* The entries of `also` or `instead`. */
static int read_forms(const struct yaml *list, bool instead, struct envelope *envelope,
                      struct row *row, struct err *err)
{
	int r = list ? yaml_list(list, err) : 0;

	for (const struct yaml *node = list ? yaml_first(list) : NULL; r >= 0 && node;
	     node = yaml_next(node)) {
		struct row_form form = row->form[0];
		const struct yaml *when;
		unsigned option = 0;

		r = yaml_map(node, instead ? "an instead reading" : "an also reading",
		             &OTHER_FORM_KEYS, err);
		if (r < 0)
			return r;
		if (row->form_count == FORMS_MAX)
			return yaml_fail(node, err, "more than %d readings of one row",
			                 FORMS_MAX);
		when = yaml_get(node, "when");
		if (instead && !when)
			return yaml_fail(node, err, "an instead reading needs 'when'");
		r = form_read(node, envelope, &form, err);
		if (r >= 0)
			r = read_origin(node, &form.inferred, err);
		if (r >= 0)
			r = read_text(node, "note", envelope->arena, &form.note, err);
		if (r >= 0 && when) {
			r = yaml_word(when, "option", &SITE_OPTIONS, &option, err);
			form.when = (uint8_t)(option + 1);
		}
		form.instead = instead;
		row->form[row->form_count++] = form;
	}
	return r;
}

static int read_severities(const struct yaml *map, struct row *row, struct err *err)
{
	const char *fields[FIELD_COUNT];
	struct words words = {fields, FIELD_COUNT};
	int r = map ? yaml_map(map, "severity", NULL, err) : 0;

	for (unsigned i = 0; i < FIELD_COUNT; i++)
		fields[i] = field_name((enum field)i);
	for (const struct yaml *node = map ? yaml_first(map) : NULL; r >= 0 && node;
	     node = yaml_next(node)) {
		unsigned field = 0, severity = 0;

		r = yaml_key_word(node, "field", &words, &field, err);
		if (r >= 0)
			r = yaml_word(node, "severity", &SEVERITIES, &severity, err);
		if (r >= 0)
			row->severity[field] = (uint8_t)(SEVERITY_INFO + severity);
	}
	return r;
}

static int read_id(const struct yaml *map, const struct envelope *envelope, struct row *row,
                   struct err *err)
{
	const struct yaml *node = NULL;
	const char *text = "";
	char shown[SHOWN_MAX];
	int r = yaml_need(map, "a row", "id", &node, err);

	if (r >= 0)
		r = yaml_text(node, &text, err);
	if (r < 0)
		return r;
	if (!text_copy(row->id, sizeof(row->id), text))
		return yaml_fail(node, err, "the id of a row has at most %zu characters",
		                 sizeof(row->id) - 1);
	if (envelope_find_row(envelope, text) >= 0 || envelope_find_group(envelope, text) >= 0)
		return yaml_fail(node, err, "there is a row or a group '%s' already",
		                 text_shown(text, shown));
	return 0;
}

static int read_row(const struct yaml *map, struct envelope *envelope, struct row *row,
                    struct err *err)
{
	static const char *const needed[] = {"document",    "direction",    "transport",
	                                     "local-ports", "remote-ports", "peer",
	                                     "application"};
	struct row_form *form = &row->form[0];
	const struct yaml *node = NULL;
	unsigned need = 0;
	int r = yaml_map(map, "a row", &ROW_KEYS, err);

	if (r >= 0)
		r = read_id(map, envelope, row, err);
	if (r < 0)
		return r;
	form->ip_versions = (uint8_t)(BIT(4) | BIT(6));
	row->form_count = 1;
	r = form_read(map, envelope, form, err);
	for (size_t i = 0; r >= 0 && i < ARRAY_LEN(needed); i++)
		r = yaml_need(map, "a row", needed[i], &node, err);
	if (r >= 0)
		r = read_origin(map, &form->inferred, err);
	if (r >= 0)
		r = read_text(map, "document", envelope->arena, &row->document, err);
	if (r >= 0)
		r = read_text(map, "exercise", envelope->arena, &row->exercise, err);
	if (r >= 0)
		r = read_text(map, "need-reason", envelope->arena, &row->need_reason, err);
	if (r >= 0)
		r = read_text(map, "note", envelope->arena, &row->note, err);
	if (r >= 0)
		r = value_words(yaml_get(map, "application"), envelope->arena,
		                &row->application_words, err);
	if (r >= 0)
		r = value_words(yaml_get(map, "media"), envelope->arena, &row->media_words,
		                err);
	if (r >= 0 && (node = yaml_get(map, "need")))
		r = yaml_word(node, "need", &NEEDS, &need, err);
	if (r >= 0)
		r = read_severities(yaml_get(map, "severity"), row, err);
	form->note = row->note;
	row->need = (uint8_t)need;
	row->stated = !form->inferred;
	if (r >= 0)
		r = read_forms(yaml_get(map, "also"), false, envelope, row, err);
	if (r >= 0)
		r = read_forms(yaml_get(map, "instead"), true, envelope, row, err);
	return r;
}

static int read_profile(const struct yaml *root, struct envelope *envelope, struct err *err)
{
	struct profile *profile = &envelope->profiles[envelope->profile_count];
	const struct yaml *node = NULL;
	const char *text = "";
	char shown[SHOWN_MAX];
	int r = yaml_map(root, "a profile", &FILE_KEYS, err);

	if (r >= 0)
		r = yaml_need(root, "a profile", "profile", &node, err);
	if (r >= 0)
		r = yaml_text(node, &text, err);
	if (r < 0)
		return r;
	if (envelope->profile_count == PROFILES_MAX)
		return yaml_fail(node, err, "more than %d profiles", PROFILES_MAX);
	if (envelope_find_profile(envelope, text) >= 0 || envelope_find_group(envelope, text) >= 0)
		return yaml_fail(node, err, "there is a profile or a group '%s' already",
		                 text_shown(text, shown));
	if (!text_copy(profile->id, sizeof(profile->id), text))
		return yaml_fail(node, err, "the name of a profile has at most %zu characters",
		                 sizeof(profile->id) - 1);
	r = read_text(root, "title", envelope->arena, &profile->title, err);
	if (r >= 0)
		envelope->profile_count++;
	return r;
}

const char *need_name(enum need need)
{
	return need < NEED_COUNT ? NEED_LIST[need] : "";
}

int rows_read(const struct yaml_file *file, struct envelope *envelope, size_t *room,
              struct err *err)
{
	const struct yaml *root = yaml_root(file), *list = NULL;
	int r = read_profile(root, envelope, err);

	if (r >= 0)
		r = yaml_need(root, "a profile", "rows", &list, err);
	if (r >= 0)
		r = yaml_list(list, err);
	for (const struct yaml *node = r >= 0 ? yaml_first(list) : NULL; node;
	     node = yaml_next(node)) {
		struct row row = {.profile = (uint8_t)(envelope->profile_count - 1)};

		r = read_row(node, envelope, &row, err);
		if (r < 0)
			return r;
		if (envelope->row_count == ROW_COUNT_MAX)
			return yaml_fail(node, err, "more than %d rows", ROW_COUNT_MAX);
		if (array_reserve(&envelope->rows, room, envelope->row_count + 1, sizeof(row)) <
		    0)
			return no_memory(err);
		envelope->rows[envelope->row_count++] = row;
	}
	return r < 0 ? r : groups_read(yaml_get(root, "groups"), envelope, err);
}
