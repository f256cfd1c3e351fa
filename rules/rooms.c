/*
 * rooms.c - the file that a site's `units-file` names: one unit a record, name,mac,address,profiles
 * as comma-separated values (RFC 4180: quotes, doubled quotes, CR LF). The first record names the
 * columns, in any order. Several MACs, addresses or profiles are parted by blanks.
 */
#include "rules/units.h"

#define FIELD_MAX 1024
#define HEADER "name,mac,address,profiles"

enum column { COLUMN_NAME, COLUMN_MAC, COLUMN_ADDRESS, COLUMN_PROFILES, COLUMNS };
WORDS(COLUMN_WORDS, "name", "mac", "address", "profiles");

struct csv_field {
	size_t offset, width; /* as written, quotes included */
	char text[FIELD_MAX];
};

struct csv {
	const struct text_file *source;
	size_t at;
	unsigned line;
	struct csv_field field[COLUMNS + 1];
	size_t count; /* fields of the record read last */
	bool headed;  /* the columns are known: */
	size_t place[COLUMNS];
};

static struct csv_field *field_of(struct csv *csv, enum column column)
{
	return &csv->field[csv->place[column]];
}

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

/* To a comma, a quote or the end of the line. A sanitizer's strcspn() measures all of the file behind it. */
static size_t plain_len(const char *text)
{
	static const char ENDS[] = ",\"\r\n"; /* and NUL */
	size_t len = 0;

	while (!memchr(ENDS, text[len], sizeof(ENDS)))
		len++;
	return len;
}

static int take_plain(struct csv *csv, struct csv_field *field, struct err *err)
{
	const struct text_file *source = csv->source;
	size_t len = plain_len(source->text + csv->at);

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

/* Reads one record; of a header no more than tells that a column is too many. */
static int take_record(struct csv *csv, struct err *err)
{
	const struct text_file *source = csv->source;

	for (csv->count = 0;;) {
		struct csv_field *field = &csv->field[csv->count];
		int r;

		if (csv->count == COLUMNS && csv->headed)
			return text_file_fail(
				source, csv->at, 1, err, -EINVAL,
				"more than %d fields, one for each column of the first line",
				COLUMNS);
		if (csv->count == ARRAY_LEN(csv->field))
			return 0;
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

static int no_header(const struct text_file *source, size_t offset, size_t width,
                     struct err *err)
{
	return text_file_fail(source, offset, width, err, -EINVAL,
	                      "the first line must name the columns: " HEADER ", in any order");
}

/* The column a field of the header names; COLUMNS: none. */
static enum column column_of(const struct csv_field *field)
{
	const char *text = field->text + strspn(field->text, " ");
	size_t len = strlen(text);
	unsigned column = 0;

	while (len && text[len - 1] == ' ')
		len--;
	while (column < COLUMNS && (strlen(COLUMN_WORDS.word[column]) != len ||
	                            strncasecmp(text, COLUMN_WORDS.word[column], len)))
		column++;
	return (enum column)column;
}

static int take_header(struct csv *csv, struct err *err)
{
	const struct csv_field *first = &csv->field[0];
	bool seen[COLUMNS + 1] = {false};
	char shown[SHOWN_MAX], offer[256];
	unsigned known = 0;

	for (size_t i = 0; i < csv->count; i++)
		known += column_of(&csv->field[i]) != COLUMNS;
	if (!known)
		return no_header(csv->source, first->offset, first->width, err);
	for (size_t i = 0; i < csv->count; i++) {
		const struct csv_field *field = &csv->field[i];
		enum column column = column_of(field);

		if (column == COLUMNS)
			return text_file_fail(
				csv->source, field->offset, field->width, err, -EINVAL,
				"unknown column '%s'; %s", text_shown(field->text, shown),
				words_offer(&COLUMN_WORDS, field->text, offer, sizeof(offer)));
		if (seen[column])
			return text_file_fail(csv->source, field->offset, field->width, err,
			                      -EINVAL, "the column '%s' stands here twice",
			                      COLUMN_WORDS.word[column]);
		seen[column] = true;
		csv->place[column] = i;
	}
	for (unsigned column = 0; column < COLUMNS; column++)
		if (!seen[column])
			return text_file_fail(csv->source, first->offset, first->width, err,
			                      -EINVAL,
			                      "the column '%s' is missing; the first line must "
			                      "name the columns: " HEADER ", in any order",
			                      COLUMN_WORDS.word[column]);
	csv->headed = true;
	return 0;
}

static int add_address(struct unit_list *list, struct csv *csv, const char *word,
                       struct err *err)
{
	const struct csv_field *field = field_of(csv, COLUMN_ADDRESS);
	char shown[SHOWN_MAX];
	struct prefix prefix = {.bits = 0};

	if (prefix_parse(word, &prefix) < 0)
		return text_file_fail(
			csv->source, field->offset, field->width, err, -EINVAL,
			"'%s' is no address; accepted: 10.20.0.15, 10.20.8.0/22, 2001:db8::15",
			text_shown(word, shown));
	return unit_claim_prefix(list, csv->source, field->offset, field->width, &prefix, err);
}

static int add_mac(struct unit_list *list, struct csv *csv, const char *word, struct err *err)
{
	const struct csv_field *field = field_of(csv, COLUMN_MAC);
	char shown[SHOWN_MAX];
	struct mac mac;

	if (mac_parse(word, &mac) < 0)
		return text_file_fail(csv->source, field->offset, field->width, err, -EINVAL,
		                      "'%s' is no MAC address; accepted: 00:26:8c:01:02:03",
		                      text_shown(word, shown));
	return unit_claim_mac(list, csv->source, field->offset, field->width, &mac, err);
}

static int add_profile(struct unit_list *list, struct csv *csv, const char *word,
                       struct err *err)
{
	struct unit_rule *unit = &list->policy->units[list->policy->unit_count - 1];
	int profile = envelope_find_profile(list->policy->envelope, word);
	const struct csv_field *field = field_of(csv, COLUMN_PROFILES);
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
static int each_word(struct unit_list *list, struct csv *csv, enum column column,
                     int (*add)(struct unit_list *, struct csv *, const char *, struct err *),
                     struct err *err)
{
	char *rest = field_of(csv, column)->text, *word;
	int r = 0;

	while (r >= 0 && (word = strsep(&rest, " \t\r\n")))
		if (*word)
			r = add(list, csv, word, err);
	return r;
}

static bool is_blank(const struct csv_field *field)
{
	return !field->text[strspn(field->text, " \t\r\n")];
}

static int add_unit(struct unit_list *list, struct csv *csv, unsigned line, struct err *err)
{
	const struct csv_field *name = field_of(csv, COLUMN_NAME);
	const struct csv_field *first = &csv->field[0];
	char shown[SHOWN_MAX];
	int r;

	if (csv->count != COLUMNS)
		return text_file_fail(csv->source, first->offset, 1, err, -EINVAL,
		                      "%zu field%s; accepted: %d, one for each column of the "
		                      "first line",
		                      csv->count, csv->count == 1 ? "" : "s", COLUMNS);
	if (is_blank(name))
		return text_file_fail(csv->source, name->offset, 1, err, -EINVAL,
		                      "a unit needs a name");
	text_shown(name->text, shown);
	if (is_blank(field_of(csv, COLUMN_MAC)) && is_blank(field_of(csv, COLUMN_ADDRESS)))
		return text_file_fail(
			csv->source, name->offset, name->width, err, -EINVAL,
			"'%s' has neither MAC nor address; a unit needs one of them", shown);
	if (is_blank(field_of(csv, COLUMN_PROFILES)))
		return text_file_fail(csv->source, name->offset, name->width, err, -EINVAL,
		                      "'%s' has no profiles; a unit needs one at least", shown);
	r = unit_begin(list, csv->source, name->offset, name->width, line, name->text, err);
	if (r >= 0)
		r = each_word(list, csv, COLUMN_MAC, add_mac, err);
	if (r >= 0)
		r = each_word(list, csv, COLUMN_ADDRESS, add_address, err);
	if (r >= 0)
		r = each_word(list, csv, COLUMN_PROFILES, add_profile, err);
	return r;
}

int rooms_read(const struct text_file *source, struct unit_list *list, struct err *err)
{
	CLEANUP(freep) struct csv *csv = calloc(1, sizeof(*csv));
	int r = text_file_check(source, err);

	if (r < 0)
		return r;
	if (!csv)
		return err_set(err, -ENOMEM, "out of memory");
	csv->source = source;
	if (!strncmp(source->text, "\xef\xbb\xbf", 3))
		csv->at = 3; /* a byte order mark, as spreadsheets write it */
	for (csv->line = 1; csv->at < source->len; csv->line++) {
		unsigned line = csv->line;

		r = take_record(csv, err);
		if (r < 0)
			return r;
		if (csv->count == 1 && !csv->field[0].width)
			continue; /* an empty line */
		r = csv->headed ? add_unit(list, csv, line, err) : take_header(csv, err);
		if (r < 0)
			return r;
	}
	return csv->headed ? 0 : no_header(source, 0, 1, err);
}
