/*
 * name_index.h - which masks belong to a host name: patterns looked up by whole name and by suffix,
 * so that a policy with hundreds of them costs a flow next to nothing.
 */
#ifndef RULES_NAME_INDEX_H
#define RULES_NAME_INDEX_H

#include "rules/arena.h"

struct name_index;

/* Empty; lives as long as `arena`, with room for `count` patterns. NULL when memory is short. */
struct name_index *name_index_new(struct arena *arena, size_t count);
/* Adds a pattern in lower case, borrowed. */
void name_index_add(struct name_index *index, const char *pattern, uint32_t mask);
/* After the last one is added, before the first is looked up. */
void name_index_sort(struct name_index *index);
/* All masks whose patterns `name` fits, or-ed. */
uint32_t name_index_find(const struct name_index *index, const char *name);

#endif
