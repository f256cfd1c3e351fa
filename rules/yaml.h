/*
 * yaml.h - one typed reader over YAML and JSON files. A file becomes a tree of nodes that know
 * their place; every message about one shows file, line, column, the line and a caret.
 */
#ifndef RULES_YAML_H
#define RULES_YAML_H

#include "rules/text_file.h"

struct yaml_file; /* a file that was read; owns its text and nodes */
struct yaml;      /* one node: a text, a list or a map; lives as long as its file */

/*
 * Reads a file, or bytes in memory that messages call `name`. A name that ends in ".json" is read
 * as JSON. Refused: more than TEXT_FILE_MAX bytes, nesting past 16 levels, anchors and aliases, a
 * second document, duplicate keys, more than 1,024 keys in a map. On success *ret_file is the
 * caller's, to be given to yaml_free().
 */
int yaml_open(const char *path, struct yaml_file **ret_file, struct err *err) MUST_CHECK;
int yaml_read(const char *name, const char *text, size_t len, struct yaml_file **ret_file,
              struct err *err) MUST_CHECK;
void yaml_free(struct yaml_file *file);
void yaml_freep(struct yaml_file **file);
const struct text_file *yaml_source(const struct yaml_file *file);
const struct yaml *yaml_root(const struct yaml_file *file);

/* A node's children in order: the items of a list, the values of a map. NULL past the last. */
const struct yaml *yaml_first(const struct yaml *node);
const struct yaml *yaml_next(const struct yaml *node);
size_t yaml_count(const struct yaml *node);
/* The key by which a map holds this node; NULL for an item of a list. */
const char *yaml_key(const struct yaml *node);
/* NULL if the map has no such key (or is none). */
const struct yaml *yaml_get(const struct yaml *map, const char *key);
/* A value that says nothing: "" without quotes, ~, null. */
bool yaml_is_empty(const struct yaml *node);
unsigned yaml_line(const struct yaml *node);
/* Where its value stands. */
struct place {
	const struct text_file *source;
	size_t offset, width;
};
struct place yaml_place(const struct yaml *node);

/* Is it a map, and are all of its keys among these? An empty value is an empty map. `what` is named in messages: "a row". */
int yaml_map(const struct yaml *node, const char *what, const struct words *keys,
             struct err *err) MUST_CHECK;
/* A list; an empty value is an empty list. */
int yaml_list(const struct yaml *node, struct err *err) MUST_CHECK;
/* A text that is not empty; borrowed from the file. */
int yaml_text(const struct yaml *node, const char **ret_text, struct err *err) MUST_CHECK;
/* true or false. */
int yaml_flag(const struct yaml *node, bool *ret_flag, struct err *err) MUST_CHECK;
/* One of the words; its index. `what` is named in messages: "role". */
int yaml_word(const struct yaml *node, const char *what, const struct words *words,
              unsigned *ret_index, struct err *err) MUST_CHECK;
/* The same for the key of a map. */
int yaml_key_word(const struct yaml *node, const char *what, const struct words *words,
                  unsigned *ret_index, struct err *err) MUST_CHECK;
/* The value of a key that must be there. */
int yaml_need(const struct yaml *map, const char *what, const char *key,
              const struct yaml **ret_node, struct err *err) MUST_CHECK;

/* Says what is wrong with a value, or with its key; returns -EINVAL. */
int yaml_fail(const struct yaml *node, struct err *err, const char *fmt, ...) PRINTF(3, 4);
int yaml_fail_key(const struct yaml *node, struct err *err, const char *fmt, ...) PRINTF(3, 4);

#endif
