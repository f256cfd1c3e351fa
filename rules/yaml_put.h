/*
 * yaml_put.h - writes what a site file may hold: texts, lists of texts, maps of these. Whatever is
 * written is read back as it was, by yaml.h and by any other reader of YAML.
 */
#ifndef RULES_YAML_PUT_H
#define RULES_YAML_PUT_H

#include "schema/base.h"

/* A key of a map, with its text or its list of texts. */
struct yaml_pair {
	const char *key;
	const char *const *texts;
	size_t count;
	bool list; /* else texts[0] alone */
};

/* A text; with quotes where a reader could take it for anything else, or (`quoted`, as JSON wants it) always. */
void yaml_put_text(FILE *out, const char *text, bool quoted);
/* "{name: huddle, macs: [..]}"; "[room, online]". */
void yaml_put_map(FILE *out, const struct yaml_pair *pairs, size_t count, bool quoted);
void yaml_put_list(FILE *out, const char *const *texts, size_t count, bool quoted);
/* The item of a list, a line a key: "  - units: [huddle]", "    kind: peer". `indent`: blanks before the dash. */
void yaml_put_item(FILE *out, const struct yaml_pair *pairs, size_t count, size_t indent);

#endif
