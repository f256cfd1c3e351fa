/*
 * arena.h - memory that is given back all at once. A loaded envelope or policy never changes and
 * goes as a whole, so each owns one arena and nothing in it is freed singly.
 */
#ifndef RULES_ARENA_H
#define RULES_ARENA_H

#include "schema/base.h"

struct arena;

/* NULL when memory is short; so below. */
struct arena *arena_new(void);
void arena_free(struct arena *arena);
void arena_freep(struct arena **arena);
/* Zeroed, aligned for any type; lives as long as the arena. */
void *arena_take(struct arena *arena, size_t size);
/* `len` bytes of `text` and a NUL. */
char *arena_copy(struct arena *arena, const char *text, size_t len);
char *arena_text(struct arena *arena, const char *text);

#endif
