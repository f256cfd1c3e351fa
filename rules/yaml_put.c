/*
 * yaml_put.c - see yaml_put.h.
 */
#include "rules/yaml_put.h"

#include "rules/text_file.h"

#include <ctype.h>

/* Digits with dots, slashes, hyphens: ports, days, addresses. "1.5" would be a number to others. */
static bool is_figures(const char *text)
{
	size_t dots = 0;

	for (const char *c = text; *c; c++) {
		if (!isdigit((unsigned char)*c) && !strchr("./-", *c))
			return false;
		dots += *c == '.';
	}
	return isdigit((unsigned char)text[0]) && dots != 1;
}

static bool is_word(const char *text)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on",
	                                    "off",  "null",  "y",   "n"};

	if (!isalpha((unsigned char)text[0]) || isspace((unsigned char)text[strlen(text) - 1]))
		return false;
	for (const char *c = text; *c; c++)
		if (!isascii(*c) || (!isalnum((unsigned char)*c) && !strchr("-_./ ", *c)))
			return false;
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcasecmp(words[i], text))
			return false;
	return true;
}

/* Double quotes as YAML and JSON both read them (YAML 1.2 5.7, RFC 8259 7). */
static void put_quoted(FILE *out, const char *text)
{
	size_t len;

	fputc('"', out);
	for (; *text; text += len) {
		len = character_len(text);
		if (!len) {
			len = 1;
			if (*text == '\n' || *text == '\t')
				fputs(*text == '\n' ? "\\n" : "\\t", out);
			else if ((unsigned char)*text < 0x80)
				fprintf(out, "\\u%04x", (unsigned char)*text);
			else
				fputs("\xef\xbf\xbd", out); /* no UTF-8: U+FFFD */
			continue;
		}
		if (*text == '"' || *text == '\\')
			fputc('\\', out);
		fwrite(text, 1, len, out);
	}
	fputc('"', out);
}

void yaml_put_text(FILE *out, const char *text, bool quoted)
{
	if (!quoted && (is_word(text) || is_figures(text)))
		fputs(text, out);
	else
		put_quoted(out, text);
}

void yaml_put_list(FILE *out, const char *const *texts, size_t count, bool quoted)
{
	fputc('[', out);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? ", " : "", out);
		yaml_put_text(out, texts[i], quoted);
	}
	fputc(']', out);
}

static void put_value(FILE *out, const struct yaml_pair *pair, bool quoted)
{
	if (pair->list)
		yaml_put_list(out, pair->texts, pair->count, quoted);
	else
		yaml_put_text(out, pair->texts[0], quoted);
}

void yaml_put_map(FILE *out, const struct yaml_pair *pairs, size_t count, bool quoted)
{
	fputc('{', out);
	for (size_t i = 0; i < count; i++) {
		fputs(i ? ", " : "", out);
		yaml_put_text(out, pairs[i].key, quoted);
		fputs(": ", out);
		put_value(out, &pairs[i], quoted);
	}
	fputc('}', out);
}

void yaml_put_item(FILE *out, const struct yaml_pair *pairs, size_t count, size_t indent)
{
	for (size_t i = 0; i < count; i++) {
		fprintf(out, "%*s%s", (int)indent, "", i ? "  " : "- ");
		yaml_put_text(out, pairs[i].key, false);
		fputs(": ", out);
		put_value(out, &pairs[i], false);
		fputc('\n', out);
	}
}
