/*
 * line.h - protocols of text: the first line, whole or as far as it has come.
 */
#ifndef DISSECTORS_LINE_H
#define DISSECTORS_LINE_H

#include "schema/base.h"

enum line { LINE_NO, LINE_MORE, LINE_YES };

/* Whether data begins with `word`; LINE_MORE where it ends inside it. */
static inline enum line line_begins(const uint8_t *data, uint32_t len, const char *word)
{
	uint32_t want = (uint32_t)strlen(word);

	if (memcmp(data, word, len < want ? len : want))
		return LINE_NO;
	return len < want ? LINE_MORE : LINE_YES;
}

/* Length of the line at the start of data without its LF, or -1 if it does not end here. */
static inline int64_t line_len(const uint8_t *data, uint32_t len)
{
	const uint8_t *end = len ? memchr(data, '\n', len) : NULL;

	return end ? end - data : -1;
}

/* Nothing but what can stand in a line: a binary protocol that happens to begin with a word is none. */
static inline bool line_is_text(const uint8_t *data, uint32_t len)
{
	for (uint32_t i = 0; i < len; i++)
		if ((data[i] < ' ' && data[i] != '\t' && data[i] != '\r') || data[i] == 0x7f)
			return false;
	return true;
}

/* Whether `word` stands in the line. */
static inline const uint8_t *line_find(const uint8_t *data, uint32_t len, const char *word)
{
	return memmem(data, len, word, strlen(word));
}

#endif
