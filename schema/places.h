/*
 * places.h - where things stand, found by their hash: open addressing, at most half full. The things are the
 * caller's, numbered from 1 on, and it tells apart those of one hash.
 */
#ifndef SCHEMA_PLACES_H
#define SCHEMA_PLACES_H

#include "schema/base.h"

struct place {
	uint64_t hash;
	size_t number; /* 0: free */
};

/* Zeroed, it is empty. */
struct places {
	struct place *slot;
	size_t count, room; /* room: a power of two */
};

/* Room for one more, before it is looked for. 0 or -ENOMEM with err filled. */
int places_reserve(struct places *places, struct err *err) MUST_CHECK;
/* The first place of this hash (`after` NULL), or the next: a free one if there is none. */
struct place *place_next(const struct places *places, uint64_t hash, const struct place *after);
/* Takes the free place that place_next() gave. */
void place_take(struct places *places, struct place *place, uint64_t hash, size_t number);
void places_release(struct places *places);

#endif
