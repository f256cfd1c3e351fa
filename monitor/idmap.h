/*
 * idmap.h - a bounded map from 64-bit numbers (flow numbers, hashes) to pointers: open addressing,
 * grown by doubling up to its maximum. Key 0 is not used.
 */
#ifndef MONITOR_IDMAP_H
#define MONITOR_IDMAP_H

#include "schema/base.h"

struct idmap {
	struct idmap_slot {
		uint64_t key;
		void *value;
	} * slots;
	size_t size; /* a power of two, or 0 */
	size_t count, max;
};

/* `max` entries at most; allocates nothing yet. */
void idmap_init(struct idmap *map, size_t max);
/* Frees the map, not what its values point to. */
void idmap_release(struct idmap *map);
/* Empties it. */
void idmap_clear(struct idmap *map);
/* The key will be looked for soon: brings near where it would be. */
void idmap_near(const struct idmap *map, uint64_t key);
/* NULL if the key is not there. */
void *idmap_find(const struct idmap *map, uint64_t key);
/* The key must not be there. 0, -ENOSPC at the maximum, -ENOMEM. */
int idmap_add(struct idmap *map, uint64_t key, void *value) MUST_CHECK;
/* Takes the key out and returns its value; NULL if it was not there. */
void *idmap_take(struct idmap *map, uint64_t key);

#endif
