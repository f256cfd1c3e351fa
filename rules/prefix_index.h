/*
 * prefix_index.h - which entry covers an address: sorted prefixes, each knowing the next wider one.
 */
#ifndef RULES_PREFIX_INDEX_H
#define RULES_PREFIX_INDEX_H

#include "rules/arena.h"
#include "schema/addr.h"

struct prefix_entry {
	struct prefix prefix;
	uint32_t value;
	int32_t parent; /* index of the narrowest entry that covers this one, or -1 */
};

/* Sorted by address, wider before narrower; filled by its owner, then sorted once. */
struct prefix_index {
	struct prefix_entry *entries;
	size_t count;
};

/* Room for `count` entries in `arena`, of which none is filled. 0 or -ENOMEM. */
int prefix_index_init(struct prefix_index *index, struct arena *arena, size_t count) MUST_CHECK;
void prefix_index_add(struct prefix_index *index, const struct prefix *prefix, uint32_t value);
/* Entries of one prefix stay side by side, in the order of their values. */
void prefix_index_sort(struct prefix_index *index);
/* After sorting: one entry a prefix, whose value is the or of its own and all wider ones. */
void prefix_index_or(struct prefix_index *index);
/* The narrowest entry that covers the address, or NULL. */
const struct prefix_entry *prefix_index_find(const struct prefix_index *index,
                                             const struct addr *addr);

#endif
