/*
 * json.h - text as JSON writes it (RFC 8259 7), for all who write JSON.
 */
#ifndef MONITOR_JSON_H
#define MONITOR_JSON_H

#include "schema/base.h"

/* `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void json_put(FILE *file, const char *text);

/* Length of the well-formed UTF-8 sequence at `s` (RFC 3629 4), 0 if there is none. */
size_t utf8_len(const unsigned char *s);
/* How many bytes from `s` on need no thought: printable ASCII but quotes and backslash. */
size_t plain_len(const unsigned char *s);

#endif
