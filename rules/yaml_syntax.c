/*
 * yaml_syntax.c - see yaml_syntax.h. Brackets and quotes are found by a reading of our own, much
 * rougher than YAML; it is asked only where the parser has complained of them already.
 */
#include "rules/yaml_syntax.h"

#define OPEN_MAX 64 /* more than the reader of nodes lets in */

struct reading {
	const struct text_file *source;
	size_t at;
	size_t open[OPEN_MAX]; /* where brackets stand open, the innermost last */
	unsigned depth;
};

/* What stands where a person must look. */
enum fault { FAULT_NONE, FAULT_BRACKET_OPEN, FAULT_BRACKET_CLOSES, FAULT_QUOTE_OPEN };

/* Whether a value or a key may begin here: behind nothing, a blank, a bracket or a comma. */
static bool begins_word(const struct reading *reading)
{
	return !reading->at || strchr(" \t\r\n[{,", reading->source->text[reading->at - 1]);
}

/* Whether a bracket here would open a list: not one in the middle of a plain text. */
static bool begins_value(const struct reading *reading)
{
	const char *text = reading->source->text;
	size_t at = reading->at;

	if (reading->depth)
		return true;
	while (at && (text[at - 1] == ' ' || text[at - 1] == '\t'))
		at--;
	return !at || text[at - 1] == '\n' ||
	       (at < reading->at && (text[at - 1] == ':' || text[at - 1] == '-'));
}

/* Steps over a quoted text; false if it is never closed. */
static bool step_quoted(struct reading *reading)
{
	const char *text = reading->source->text;
	char quote = text[reading->at];

	for (reading->at++; text[reading->at]; reading->at++) {
		if (quote == '"' && text[reading->at] == '\\' && text[reading->at + 1])
			reading->at++;
		else if (quote == '\'' && !strncmp(text + reading->at, "''", 2))
			reading->at++;
		else if (text[reading->at] == quote)
			return true;
	}
	return false;
}

static bool closes(const struct reading *reading)
{
	const char *text = reading->source->text;

	return reading->depth && text[reading->open[reading->depth - 1]] ==
	                                 (text[reading->at] == ']' ? '[' : '{');
}

/* The first fault of brackets and quotes; *ret_at is its place. */
static enum fault find_fault(struct reading *reading, size_t *ret_at)
{
	const char *text = reading->source->text;

	for (; text[reading->at]; reading->at++) {
		char c = text[reading->at];

		*ret_at = reading->at;
		if (c == '#' && begins_word(reading))
			reading->at += strcspn(text + reading->at, "\n") - 1;
		else if ((c == '"' || c == '\'') && begins_word(reading) &&
		         !step_quoted(reading))
			return FAULT_QUOTE_OPEN;
		else if ((c == '[' || c == '{') && begins_value(reading)) {
			if (reading->depth == OPEN_MAX)
				return FAULT_NONE;
			reading->open[reading->depth++] = reading->at;
		} else if ((c == ']' || c == '}') && reading->depth) {
			if (!closes(reading))
				return FAULT_BRACKET_CLOSES;
			reading->depth--;
		}
	}
	if (!reading->depth)
		return FAULT_NONE;
	*ret_at = reading->open[reading->depth - 1];
	return FAULT_BRACKET_OPEN;
}

static bool is_of_brackets(const char *said)
{
	return strstr(said, "flow ") || strstr(said, "quote");
}

static size_t line_start(const struct text_file *source, unsigned line)
{
	size_t at = 0;

	for (unsigned n = 1; n < line && at < source->len; at++)
		n += source->text[at] == '\n';
	return at;
}

/* The tab among the blanks that `line` begins with. */
static bool find_tab(const struct text_file *source, unsigned line, size_t *ret_at)
{
	size_t at = line_start(source, line);

	at += strspn(source->text + at, " ");
	*ret_at = at;
	return source->text[at] == '\t';
}

/* The place the parser names; the end of the text stands for the last thing written there. */
static size_t place_of(const struct text_file *source, unsigned line, unsigned column)
{
	size_t at = line_start(source, line);

	for (unsigned n = 1; n < column && at < source->len && source->text[at] != '\n'; n++)
		do
			at++;
		while (((unsigned char)source->text[at] & 0xc0) == 0x80);
	while (at && (!source->text[at] || strchr(" \r\n", source->text[at])))
		at--;
	while (at && ((unsigned char)source->text[at] & 0xc0) == 0x80)
		at--;
	return at;
}

int syntax_fail(const struct text_file *source, const char *said, unsigned line,
                unsigned column, bool indented, struct err *err)
{
	struct reading reading = {.source = source};
	size_t at = 0;

	if (!line)
		return text_file_fail(source, 0, 1, err, -EINVAL, "no YAML: %s", said);
	if (indented && (find_tab(source, line, &at) || find_tab(source, line + 1, &at)))
		return text_file_fail(source, at, 1, err, -EINVAL,
		                      "a tab stands before this line, YAML wants blanks (%s)",
		                      said);
	switch (is_of_brackets(said) ? find_fault(&reading, &at) : FAULT_NONE) {
	case FAULT_BRACKET_OPEN:
		return text_file_fail(source, at, 1, err, -EINVAL,
		                      "this bracket is never closed (%s)", said);
	case FAULT_BRACKET_CLOSES:
		return text_file_fail(source, at, 1, err, -EINVAL,
		                      "this closes another kind of bracket than stands open "
		                      "(%s)",
		                      said);
	case FAULT_QUOTE_OPEN:
		return text_file_fail(source, at, 1, err, -EINVAL,
		                      "this quote is never closed (%s)", said);
	default:
		return text_file_fail(source, place_of(source, line, column), 1, err, -EINVAL,
		                      "%s", said);
	}
}
