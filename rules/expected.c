/*
 * expected.c - see expected.h. The text of a reading is cut to the room that a verdict has for it.
 */
#include "rules/expected.h"

#include "rules/arena.h"

/* Joins words as a sentence does: "a", "a or b", "a, b or c". */
struct words {
	char *buf;
	size_t size;
	unsigned count;
	const char *last;
};

static void words_add(struct words *words, const char *word)
{
	if (words->last)
		text_add(words->buf, words->size, "%s%s", words->count > 1 ? ", " : "",
		         words->last);
	words->last = word;
	words->count++;
}

static void words_end(struct words *words)
{
	if (words->last)
		text_add(words->buf, words->size, "%s%s", words->count > 1 ? " or " : "",
		         words->last);
}

/* "rtp, rtcp, stun", as a row is written, becomes "rtp, rtcp or stun". */
static void list_print(const char *written, char *buf, size_t size)
{
	const char *last = strrchr(written, ',');

	if (last)
		text_add(buf, size, "%.*s or%s", (int)(last - written), written, last + 1);
	else
		text_add(buf, size, "%s", written);
}

static void applications_print(const struct row *row, const struct row_form *form,
                               struct words *words)
{
	if (!memcmp(&form->apps, &row->form[0].apps, sizeof(form->apps)) &&
	    row->application_words[0]) {
		list_print(row->application_words, words->buf, words->size);
		return;
	}
	for (unsigned app = 0; app < APP_COUNT; app++)
		if (app_set_has(&form->apps, (enum app)app))
			words_add(words, app_name((enum app)app));
}

static void media_print(const struct row *row, const struct row_form *form, struct words *words)
{
	static const uint8_t kinds[] = {MEDIA_AUDIO, MEDIA_VIDEO, MEDIA_DATA};

	if (form->media == row->form[0].media && row->media_words[0]) {
		list_print(row->media_words, words->buf, words->size);
		return;
	}
	for (unsigned i = 0; i < ARRAY_LEN(kinds); i++)
		if (form->media & kinds[i])
			words_add(words, media_name(kinds[i]));
}

static void expected_print(const struct envelope *envelope, const struct row *row,
                           const struct row_form *form, enum field field, char *buf, size_t size)
{
	struct words words = {.buf = buf, .size = size};

	buf[0] = '\0';
	switch (field) {
	case FIELD_IP_VERSION:
		for (unsigned version = 4; version <= 6; version += 2)
			if (form->ip_versions & BIT(version))
				words_add(&words, version == 4 ? "4" : "6");
		break;
	case FIELD_TRANSPORT:
		if (form->tcp)
			words_add(&words, "tcp");
		if (form->udp)
			words_add(&words, "udp");
		break;
	case FIELD_DIRECTION:
		for (unsigned d = DIRECTION_OUT; d <= DIRECTION_IN; d++)
			if (form->directions & BIT(d))
				words_add(&words, direction_name((enum direction)d));
		break;
	case FIELD_PEER:
		for (unsigned role = 0; role < envelope->role_count; role++)
			if (form->peers >> role & 1)
				words_add(&words, envelope->roles[role].id);
		break;
	case FIELD_REMOTE_PORT:
		port_set_print(&form->remote, buf, size);
		break;
	case FIELD_APPLICATION:
		applications_print(row, form, &words);
		break;
	case FIELD_LOCAL_PORT:
		port_set_print(&form->local, buf, size);
		break;
	case FIELD_MEDIA:
		media_print(row, form, &words);
		break;
	case FIELD_COUNT:
		break;
	}
	words_end(&words);
}

/* "not tls or http": of what can have begun with none of them. */
static void ruled_out_print(const struct row_form *form, char *buf, size_t size)
{
	struct words words = {.buf = buf, .size = size};

	text_copy(buf, size, "not ");
	for (unsigned app = 0; app < APP_COUNT; app++)
		if (app_set_has(&form->apps, (enum app)app))
			words_add(&words, app_name((enum app)app));
	words_end(&words);
}

static int form_print(struct policy *policy, const struct row *row, const struct row_form *form,
                      struct expected *ret)
{
	struct differs differs;

	for (unsigned field = 0; field < FIELD_COUNT; field++) {
		expected_print(policy->envelope, row, form, (enum field)field, differs.expected,
		               sizeof(differs.expected));
		ret->field[field] = arena_text(policy->arena, differs.expected);
		if (!ret->field[field])
			return -ENOMEM;
	}
	ruled_out_print(form, differs.seen, sizeof(differs.seen));
	ret->ruled_out = arena_text(policy->arena, differs.seen);
	return ret->ruled_out ? 0 : -ENOMEM;
}

int expected_build(struct policy *policy)
{
	int r = 0;

	policy->expected = arena_take(policy->arena,
	                              policy->row_count * FORMS_MAX * sizeof(*policy->expected));
	if (!policy->expected)
		return -ENOMEM;
	for (size_t i = 0; i < policy->row_count; i++) {
		const struct row *row = &policy->rows[i];

		for (unsigned form = 0; form < row->form_count && r >= 0; form++)
			r = form_print(policy, row, &row->form[form],
			               &policy->expected[i * FORMS_MAX + form]);
	}
	return r;
}
