/*
 * rooms.c - the file that a site's `units-file` names: one unit a record, name,mac,address,profiles
 * as comma-separated values (RFC 4180: quotes, doubled quotes, CR LF). A first record that reads
 * so is the heading. Several MACs, addresses or profiles are parted by blanks.
 */
#include "rules/units.h"

#define COLUMNS 4
#define FIELD_MAX 1024

static const char *const HEADING[COLUMNS] = {"name", "mac", "address", "profiles"};

struct csv_field {
	size_t offset, width; /* as written, quotes included */
	char text[FIELD_MAX];
};

struct csv {
	const struct text_file *source;
	size_t at;
	unsigned line;
	struct csv_field field[COLUMNS];
	size_t count; /* fields of the record read last */
};

static int take_quoted(struct csv *csv, struct csv_field *field, struct err *err)
{
	const struct text_file *source = csv->source;
	size_t len = 0;

	for (csv->at++; csv->at < source->len; csv->at++) {
		char c = source->text[csv->at];

		csv->line += c == '\n';
		if (c == '"' && source->text[csv->at + 1] != '"')
			break;
		csv->at += c == '"'; /* of a doubled quote one counts */
		if (len == FIELD_MAX - 1)
			return text_file_fail(source, field->offset, 1, err, -EINVAL,
			                      "a field of more than %d bytes", FIELD_MAX - 1);
		field->text[len++] = c;
	}
	field->text[len] = '\0';
	if (csv->at >= source->len)
		return text_file_fail(source, field->offset, 1, err, -EINVAL,
		                      "this quote is never closed");
	csv->at++;
	return 0;
}

static int take_plain(struct csv *csv, struct csv_field *field, struct err *err)
{
	const struct text_file *source = csv->source;
	size_t len = strcspn(source->text + csv->at, ",\"\r\n");

	if (source->text[csv->at + len] == '"')
		return text_file_fail(
			source, csv->at + len, 1, err, -EINVAL,
			"a quote inside a field; accepted: the whole field in quotes, quotes in "
			"it doubled");
	if (len >= FIELD_MAX)
		return text_file_fail(source, field->offset, 1, err, -EINVAL,
		                      "a field of more than %d bytes", FIELD_MAX - 1);
	memcpy(field->text, source->text + csv->at, len);
	field->text[len] = '\0';
	csv->at += len;
	return 0;
}

/* Reads one record. */
static int take_record(struct csv *csv, struct err *err)
{
	const struct text_file *source = csv->source;

	for (csv->count = 0;;) {
		struct csv_field *field = &csv->field[csv->count];
		int r;

		if (csv->count == COLUMNS)
			return text_file_fail(
				source, csv->at, 1, err, -EINVAL,
				"more than %d fields; accepted: name,mac,address,profiles",
				COLUMNS);
		field->offset = csv->at;
		if (csv->at < source->len && source->text[csv->at] == '"')
			r = take_quoted(csv, field, err);
		else
			r = take_plain(csv, field, err);
		if (r < 0)
			return r;
		field->width = csv->at - field->offset;
		csv->count++;
		if (csv->at < source->len && source->text[csv->at] == ',') {
			csv->at++;
			continue;
		}
		csv->at += csv->at < source->len && source->text[csv->at] == '\r';
		if (csv->at >= source->len)
			return 0;
		if (source->text[csv->at] != '\n')
			return text_file_fail(
				source, csv->at, 1, err, -EINVAL,
				"a field goes on behind its quotes; accepted: a comma or the end "
				"of the line");
		csv->at++;
		return 0;
	}
}

static bool is_heading(const struct csv *csv)
{
	for (size_t i = 0; i < csv->count; i++)
		if (strcasecmp(csv->field[i].text, HEADING[i]))
			return false;
	return csv->count == COLUMNS;
}

static int add_address(struct unit_list *list, const struct csv *csv, const char *word,
                       struct err *err)
{
	const struct csv_field *field = &csv->field[2];
	char shown[SHOWN_MAX];
	struct prefix prefix = {.bits = 0};

	if (prefix_parse(word, &prefix) < 0)
		return text_file_fail(
			csv->source, field->offset, field->width, err, -EINVAL,
			"'%s' is no address; accepted: 10.20.0.15, 10.20.8.0/22, 2001:db8::15",
			text_shown(word, shown));
	return unit_claim_prefix(list, csv->source, field->offset, field->width, &prefix, err);
}

static int add_mac(struct unit_list *list, const struct csv *csv, const char *word,
                   struct err *err)
{
	const struct csv_field *field = &csv->field[1];
	char shown[SHOWN_MAX];
	struct mac mac;

	if (mac_parse(word, &mac) < 0)
		return text_file_fail(csv->source, field->offset, field->width, err, -EINVAL,
		                      "'%s' is no MAC address; accepted: 00:26:8c:01:02:03",
		                      text_shown(word, shown));
	return unit_claim_mac(list, csv->source, field->offset, field->width, &mac, err);
}

static int add_profile(struct unit_list *list, const struct csv *csv, const char *word,
                       struct err *err)
{
	struct unit_rule *unit = &list->policy->units[list->policy->unit_count - 1];
	int profile = envelope_find_profile(list->policy->envelope, word);
	const struct csv_field *field = &csv->field[3];
	char shown[SHOWN_MAX], offer[512];
	struct profile_words accepted;

	if (profile < 0) {
		profile_words(list->policy->envelope, &accepted);
		return text_file_fail(csv->source, field->offset, field->width, err, -EINVAL,
		                      "unknown profile '%s'; %s", text_shown(word, shown),
		                      words_offer(&accepted.words, word, offer, sizeof(offer)));
	}
	unit->profiles |= (uint32_t)1 << profile;
	return 0;
}

/* Gives each blank-parted word of a field to `add`. */
static int each_word(struct unit_list *list, struct csv *csv, size_t column,
                     int (*add)(struct unit_list *, const struct csv *, const char *,
                                struct err *),
                     struct err *err)
{
	char *rest = csv->field[column].text, *word;
	int r = 0;

	while (r >= 0 && (word = strsep(&rest, " \t\r\n")))
		if (*word)
			r = add(list, csv, word, err);
	return r;
}

static int add_unit(struct unit_list *list, struct csv *csv, unsigned line, struct err *err)
{
	const struct csv_field *name = &csv->field[0];
	int r;

	if (csv->count != COLUMNS)
		return text_file_fail(csv->source, name->offset, 1, err, -EINVAL,
		                      "%zu field%s; accepted: name,mac,address,profiles",
		                      csv->count, csv->count == 1 ? "" : "s");
	if (!name->text[0])
		return text_file_fail(csv->source, name->offset, 1, err, -EINVAL,
		                      "a unit needs a name");
	if (!csv->field[1].text[0] && !csv->field[2].text[0])
		return text_file_fail(
			csv->source, name->offset, name->width, err, -EINVAL,
			"'%s' has neither MAC nor address; a unit needs one of them",
			name->text);
	r = unit_begin(list, csv->source, name->offset, name->width, line, name->text, err);
	if (r >= 0)
		r = each_word(list, csv, 1, add_mac, err);
	if (r >= 0)
		r = each_word(list, csv, 2, add_address, err);
	if (r >= 0)
		r = each_word(list, csv, 3, add_profile, err);
	return r;
}

int rooms_read(const struct text_file *source, struct unit_list *list, struct err *err)
{
	CLEANUP(freep) struct csv *csv = calloc(1, sizeof(*csv));
	bool first = true;

	if (!csv)
		return err_set(err, -ENOMEM, "out of memory");
	csv->source = source;
	if (memchr(source->text, '\0', source->len))
		return text_file_fail(source, strlen(source->text), 1, err, -EINVAL,
		                      "a NUL byte; this is no text");
	if (!strncmp(source->text, "\xef\xbb\xbf", 3))
		csv->at = 3; /* a byte order mark, as spreadsheets write it */
	for (csv->line = 1; csv->at < source->len; csv->line++) {
		unsigned line = csv->line;
		int r = take_record(csv, err);

		if (r < 0)
			return r;
		if (csv->count == 1 && !csv->field[0].width)
			continue; /* an empty line */
		if (!first || !is_heading(csv))
			r = add_unit(list, csv, line, err);
		if (r < 0)
			return r;
		first = false;
	}
	return 0;
}
