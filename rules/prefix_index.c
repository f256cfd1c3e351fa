/*
 * prefix_index.c - see prefix_index.h. Two prefixes are apart or one holds the other, so the sorted
 * list is a forest in preorder, and a stack of open prefixes finds every parent in one pass.
 */
#include "rules/prefix_index.h"

int prefix_index_init(struct prefix_index *index, struct arena *arena, size_t count)
{
	index->entries = arena_take(arena, count * sizeof(*index->entries));
	index->count = 0;
	return index->entries ? 0 : -ENOMEM;
}

void prefix_index_add(struct prefix_index *index, const struct prefix *prefix, uint32_t value)
{
	index->entries[index->count++] = (struct prefix_entry){*prefix, value, -1};
}

static int compare(const void *a, const void *b)
{
	const struct prefix_entry *x = a, *y = b;
	int order = addr_compare(&x->prefix.addr, &y->prefix.addr);

	if (!order)
		order = (x->prefix.bits > y->prefix.bits) - (x->prefix.bits < y->prefix.bits);
	return order ? order : (x->value > y->value) - (x->value < y->value);
}

static bool holds(const struct prefix_entry *wide, const struct prefix_entry *narrow)
{
	return wide->prefix.bits <= narrow->prefix.bits &&
	       prefix_covers(&wide->prefix, &narrow->prefix.addr);
}

static void find_parents(struct prefix_index *index)
{
	for (size_t i = 0; i < index->count; i++) {
		int32_t parent = (int32_t)i - 1;

		while (parent >= 0 && !holds(&index->entries[parent], &index->entries[i]))
			parent = index->entries[parent].parent;
		index->entries[i].parent = parent;
	}
}

void prefix_index_sort(struct prefix_index *index)
{
	if (index->count)
		qsort(index->entries, index->count, sizeof(*index->entries), compare);
	find_parents(index);
}

void prefix_index_or(struct prefix_index *index)
{
	size_t kept = 0;

	for (size_t i = 0; i < index->count; i++) {
		struct prefix_entry *last = kept ? &index->entries[kept - 1] : NULL;
		const struct prefix_entry *entry = &index->entries[i];

		if (last && last->prefix.bits == entry->prefix.bits &&
		    addr_equal(&last->prefix.addr, &entry->prefix.addr))
			last->value |= entry->value;
		else
			index->entries[kept++] = *entry;
	}
	index->count = kept;
	find_parents(index);
	for (size_t i = 0; i < kept; i++)
		if (index->entries[i].parent >= 0)
			index->entries[i].value |=
				index->entries[index->entries[i].parent].value;
}

const struct prefix_entry *prefix_index_find(const struct prefix_index *index,
                                             const struct addr *addr)
{
	size_t low = 0, high = index->count;
	int32_t at;

	while (low < high) { /* the first entry that begins behind the address */
		size_t middle = low + (high - low) / 2;

		if (addr_compare(&index->entries[middle].prefix.addr, addr) <= 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (at = (int32_t)low - 1; at >= 0; at = index->entries[at].parent)
		if (prefix_covers(&index->entries[at].prefix, addr))
			return &index->entries[at];
	return NULL;
}
