/*
 * yaml_edit.h - changes one thing in the text of a YAML file and leaves every other byte as it is,
 * comments and manner of writing too: a list in brackets stays one, a list of dashes as well.
 */
#ifndef RULES_YAML_EDIT_H
#define RULES_YAML_EDIT_H

#include "rules/yaml.h"
#include "rules/yaml_put.h"

#define YAML_PATH_MAX 4

enum yaml_verb {
	YAML_ADD,  /* texts, or a map of pairs, to the end of the list at `path` */
	YAML_SET,  /* the text at `path` is texts[0] */
	YAML_DROP, /* the key at the end of `path` goes, with all below it */
};

struct yaml_edit {
	uint8_t verb; /* enum yaml_verb */
	/*
	 * Keys from the root on, ended by NULL. Where a list of maps stands "name=huddle" is its item that says so.
	 * Maps and lists that are not there are made, items of lists are not.
	 */
	const char *path[YAML_PATH_MAX + 1];
	const char *const *texts;
	size_t text_count;
	const struct yaml_pair *pairs;
	size_t pair_count;
	bool tall;  /* a map added: a line a key */
	bool plain; /* YAML_SET: true or false, which no quotes may stand around */
};

/* What became of the file. */
struct yaml_edited {
	char *text;
	size_t len;
	/* The lines that differ: `lines` stand in place of `replaced` lines from `line` on (0: behind line `line` - 1). */
	unsigned line, replaced;
	char *lines; /* each ended by \n; "" where lines only went */
};
void yaml_edited_release(struct yaml_edited *edited);

/*
 * Changes `text`, which messages call `name`. What was there before is there afterwards, read again to be sure. An
 * empty text is an empty map. On success *ret is the caller's. -ENOENT: no such item or key; -EINVAL: it is no
 * such YAML, or at `path` there is something else than is to be changed.
 */
int yaml_edit(const char *name, const char *text, size_t len, const struct yaml_edit *edit,
              struct yaml_edited *ret, struct err *err) MUST_CHECK;

#endif
