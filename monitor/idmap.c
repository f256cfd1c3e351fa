/*
 * idmap.c - see idmap.h. Linear probing; at most three quarters full; deletion shifts back, so
 * there are no tombstones.
 */
#include "monitor/idmap.h"

void idmap_init(struct idmap *map, size_t max)
{
	*map = (struct idmap){.max = max};
}

void idmap_release(struct idmap *map)
{
	free(map->slots);
	*map = (struct idmap){.max = map->max};
}

/* Numbers side by side have places side by side, up to so many: flows come and go about in the order of theirs. */
enum { SIDE_BITS = 3 };

static size_t home_of(const struct idmap *map, uint64_t key)
{
	size_t group = (size_t)((key >> SIDE_BITS) * UINT64_C(0x9e3779b97f4a7c15) >> 20);

	return (group << SIDE_BITS | (key & (BIT(SIDE_BITS) - 1))) & (map->size - 1);
}

static size_t slot_of(const struct idmap *map, uint64_t key)
{
	size_t i = home_of(map, key);

	while (map->slots[i].key && map->slots[i].key != key)
		i = (i + 1) & (map->size - 1);
	return i;
}

void idmap_clear(struct idmap *map)
{
	size_t max = map->max;

	idmap_release(map);
	idmap_init(map, max);
}

void idmap_near(const struct idmap *map, uint64_t key)
{
	if (map->count)
		bring_near(&map->slots[home_of(map, key)]);
}

void *idmap_find(const struct idmap *map, uint64_t key)
{
	return map->count ? map->slots[slot_of(map, key)].value : NULL;
}

static int grow(struct idmap *map)
{
	struct idmap wider = {.size = map->size ? map->size * 2 : 64, .max = map->max};

	wider.slots = calloc(wider.size, sizeof(*wider.slots));
	if (!wider.slots)
		return -ENOMEM;
	for (size_t i = 0; i < map->size; i++)
		if (map->slots[i].key)
			wider.slots[slot_of(&wider, map->slots[i].key)] = map->slots[i];
	wider.count = map->count;
	free(map->slots);
	*map = wider;
	return 0;
}

int idmap_add(struct idmap *map, uint64_t key, void *value)
{
	if (map->count == map->max)
		return -ENOSPC;
	if ((map->count + 1) * 4 > map->size * 3) {
		int r = grow(map);

		if (r < 0)
			return r;
	}
	map->slots[slot_of(map, key)] = (struct idmap_slot){key, value};
	map->count++;
	return 0;
}

void *idmap_take(struct idmap *map, uint64_t key)
{
	size_t mask = map->size - 1;
	size_t hole, i;
	void *value;

	if (!map->count)
		return NULL;
	hole = slot_of(map, key);
	if (!map->slots[hole].key)
		return NULL;
	value = map->slots[hole].value;
	for (i = (hole + 1) & mask; map->slots[i].key; i = (i + 1) & mask) {
		size_t home = home_of(map, map->slots[i].key);

		/* Whoever could live in the hole moves there: its home is not between hole and here. */
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			map->slots[hole] = map->slots[i];
			hole = i;
		}
	}
	map->slots[hole] = (struct idmap_slot){0};
	map->count--;
	return value;
}
