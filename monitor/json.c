/*
 * json.c - see json.h.
 */
#include "monitor/json.h"
#include "schema/time.h"

size_t utf8_len(const unsigned char *s)
{
	size_t len = s[0] < 0x80   ? 1
	             : s[0] < 0xc2 ? 0
	             : s[0] < 0xe0 ? 2
	             : s[0] < 0xf0 ? 3
	             : s[0] < 0xf5 ? 4
	                           : 0;

	for (size_t i = 1; i < len; i++)
		if ((s[i] & 0xc0) != 0x80)
			return 0;
	if ((s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
	    (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f))
		return 0;
	return len;
}

size_t plain_len(const unsigned char *s)
{
	size_t len = 0;

	while (s[len] >= 0x20 && s[len] < 0x7f && s[len] != '"' && s[len] != '\\')
		len++;
	return len;
}

void json_put(FILE *file, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;

	fputc('"', file);
	while (*s) {
		size_t plain = plain_len(s), len = plain ? plain : utf8_len(s);

		if (plain)
			fwrite(s, 1, plain, file);
		else if (!len)
			fputs("\xef\xbf\xbd", file);
		else if (*s == '"' || *s == '\\')
			fprintf(file, "\\%c", *s);
		else if (*s == '\n')
			fputs("\\n", file);
		else if (*s == '\t')
			fputs("\\t", file);
		else if (*s < 0x20 || *s == 0x7f)
			fprintf(file, "\\u%04x", *s);
		else if (*s == 0xc2 && s[1] < 0xa0) /* C1: some terminals obey it */
			fprintf(file, "\\u%04x", s[1]);
		else
			fwrite(s, 1, len, file);
		s += len ? len : 1;
	}
	fputc('"', file);
}

void json_key(FILE *file, const char *key)
{
	fprintf(file, ",\"%s\":", key);
}

void json_text(FILE *file, const char *key, const char *text)
{
	json_key(file, key);
	if (text)
		json_put(file, text);
	else
		fputs("null", file);
}

void json_filled(FILE *file, const char *key, const char *text)
{
	json_text(file, key, text && *text ? text : NULL);
}

void json_number(FILE *file, const char *key, uint64_t number)
{
	json_key(file, key);
	fprintf(file, "%llu", (unsigned long long)number);
}

void json_id(FILE *file, const char *key, int64_t id)
{
	if (id)
		json_number(file, key, (uint64_t)id);
	else
		json_text(file, key, NULL);
}

void json_bool(FILE *file, const char *key, bool value)
{
	json_key(file, key);
	fputs(value ? "true" : "false", file);
}

void json_time(FILE *file, const char *key, int64_t us)
{
	char text[TIME_TEXT];

	json_text(file, key, us ? time_print(us, text) : NULL);
}

void json_addr(FILE *file, const char *key, const struct addr *addr)
{
	char text[ADDR_TEXT];

	json_text(file, key, addr_is_unspecified(addr) ? NULL : addr_print(addr, text));
}

void json_mac(FILE *file, const char *key, const struct mac *mac)
{
	char text[MAC_TEXT];

	json_text(file, key, mac_is_zero(mac) ? NULL : mac_print(mac, text));
}

void json_list(FILE *file, const char *key)
{
	json_key(file, key);
	fputc('[', file);
}

void json_item(FILE *file, size_t at, const char *key)
{
	fprintf(file, "%s\n{\"%s\":", at ? "," : "", key);
}

void json_word(FILE *file, size_t at, const char *text)
{
	fputs(at ? "," : "", file);
	json_put(file, text);
}
