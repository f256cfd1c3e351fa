/*
 * hashes.h - where things stand, found by their hash: open addressing, at most half full. The things are the
 * caller's, numbered from 1 on, and it tells apart those of one hash.
 */
#ifndef SCHEMA_HASHES_H
#define SCHEMA_HASHES_H

#include "schema/base.h"

struct hashed {
	uint64_t hash;
	size_t number; /* 0: free */
};

/* Zeroed, it is empty. */
struct hashes {
	struct hashed *slot;
	size_t count, room; /* room: a power of two */
};

/* Room for one more, before it is looked for. 0 or -ENOMEM with err filled. */
int hashes_reserve(struct hashes *hashes, struct err *err) MUST_CHECK;
/* The first place of this hash (`after` NULL), or the next: a free one if there is none. */
struct hashed *hashed_next(const struct hashes *hashes, uint64_t hash,
                           const struct hashed *after);
/* Takes the free place that hashed_next() gave. */
void hashed_take(struct hashes *hashes, struct hashed *place, uint64_t hash, size_t number);
void hashes_release(struct hashes *hashes);

#endif
