/*
 * units.h - collects the units of a policy from the site file, rooms.csv and --unit, each with the
 * place it is written at, and makes sure that no two claim the same address, MAC or name.
 */
#ifndef RULES_UNITS_H
#define RULES_UNITS_H

#include "rules/policy.h"
#include "rules/yaml.h"

#define UNITS_MAX 100000

enum claim_kind { CLAIM_NAME, CLAIM_PREFIX, CLAIM_MAC };

/* Something one unit alone may have, and where it says so. */
struct claim {
	enum claim_kind kind;
	uint32_t unit;
	struct prefix prefix;
	struct mac mac;
	const struct text_file *source; /* NULL: the command line */
	size_t offset, width;
};

struct unit_list {
	struct policy *policy;
	size_t room;
	struct claim *claims;
	size_t claim_count, claim_room;
};

void unit_list_release(struct unit_list *list);
/* The site file's `units`. The file must outlive the list; so below. */
int units_read(const struct yaml *node, struct unit_list *list, struct err *err) MUST_CHECK;
/* rooms.csv: name,mac,address,profiles as RFC 4180 writes them (rooms.c). */
int rooms_read(const struct text_file *csv, struct unit_list *list, struct err *err) MUST_CHECK;
/* A word of --unit. */
int units_add_word(struct unit_list *list, const char *word, uint32_t profiles,
                   struct err *err) MUST_CHECK;
/* Builds the policy's lookups; two units that claim the same are an error that names both lines. */
int units_index(struct unit_list *list, struct err *err) MUST_CHECK;

/* The steps of adding one unit, for readers of either file. */
int unit_begin(struct unit_list *list, const struct text_file *source, size_t offset,
               size_t width, unsigned line, const char *name, struct err *err) MUST_CHECK;
/* Both belong to the unit begun last. */
int unit_claim_prefix(struct unit_list *list, const struct text_file *source, size_t offset,
                      size_t width, const struct prefix *prefix, struct err *err) MUST_CHECK;
int unit_claim_mac(struct unit_list *list, const struct text_file *source, size_t offset,
                   size_t width, const struct mac *mac, struct err *err) MUST_CHECK;

/* The profiles' words, borrowed from the envelope. */
struct profile_words {
	const char *word[PROFILES_MAX];
	struct words words;
};
void profile_words(const struct envelope *envelope, struct profile_words *ret_words);

#endif
