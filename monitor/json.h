/*
 * json.h - text as JSON writes it (RFC 8259 7), for all who write JSON.
 */
#ifndef MONITOR_JSON_H
#define MONITOR_JSON_H

#include "schema/addr.h"

/* `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD. */
void json_put(FILE *file, const char *text);

/* ,"key": and a value, as all but the first have it in an object. */
void json_key(FILE *file, const char *key);
void json_text(FILE *file, const char *key, const char *text); /* NULL: null */
void json_filled(FILE *file, const char *key, const char *text); /* "": null, too */
void json_number(FILE *file, const char *key, uint64_t number);
void json_id(FILE *file, const char *key, int64_t id); /* 0: null */
void json_bool(FILE *file, const char *key, bool value);
void json_time(FILE *file, const char *key, int64_t us);              /* 0: null */
void json_addr(FILE *file, const char *key, const struct addr *addr); /* unspecified: null */
void json_mac(FILE *file, const char *key, const struct mac *mac);    /* zero: null */
/* ,"key":[ */
void json_list(FILE *file, const char *key);
/* An element of a list begins, the `at`th from 0; the value of its first key follows. */
void json_item(FILE *file, size_t at, const char *key);
/* An element that is a text. */
void json_word(FILE *file, size_t at, const char *text);

/* Length of the well-formed UTF-8 sequence at `s` (RFC 3629 4), 0 if there is none. */
size_t utf8_len(const unsigned char *s);
/* How many bytes from `s` on need no thought: printable ASCII but quotes and backslash. */
size_t plain_len(const unsigned char *s);

#endif
