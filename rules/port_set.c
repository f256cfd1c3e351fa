/*
 * port_set.c - sets of ports as sorted, disjoint ranges; see envelope.h.
 */
#include "rules/envelope.h"

int port_set_add(struct port_set *set, uint16_t low, uint16_t high)
{
	struct port_set merged = {0};
	bool placed = false;

	for (unsigned i = 0; i <= set->count; i++) {
		bool last = i == set->count;
		uint16_t l = last ? 0 : set->range[i].low, h = last ? 0 : set->range[i].high;

		if (!last && (unsigned)h + 1 >= low &&
		    (unsigned)high + 1 >= l) { /* they touch: one range */
			low = l < low ? l : low;
			high = h > high ? h : high;
			continue;
		}
		if (!placed && (last || l > high)) {
			if (merged.count == PORT_RANGES_MAX)
				return -E2BIG;
			merged.range[merged.count].low = low;
			merged.range[merged.count++].high = high;
			placed = true;
		}
		if (last)
			break;
		if (merged.count == PORT_RANGES_MAX)
			return -E2BIG;
		merged.range[merged.count++] = set->range[i];
	}
	*set = merged;
	return 0;
}

bool port_set_has(const struct port_set *set, uint16_t port)
{
	for (unsigned i = 0; i < set->count; i++)
		if (port >= set->range[i].low && port <= set->range[i].high)
			return true;
	return false;
}

bool port_set_within(const struct port_set *set, const struct port_set *whole)
{
	for (unsigned i = 0; i < set->count; i++) {
		bool held = false;

		for (unsigned j = 0; j < whole->count && !held; j++)
			held = set->range[i].low >= whole->range[j].low &&
			       set->range[i].high <= whole->range[j].high;
		if (!held)
			return false;
	}
	return true;
}

/*
 * Of two sets of n and m ranges at most n + m - 1 ranges are common, which can be more than we
 * have room for; callers narrow a set by one that lies within it, where n ranges remain.
 */
struct port_set port_set_common(const struct port_set *a, const struct port_set *b)
{
	struct port_set common = {0};

	for (unsigned i = 0; i < a->count; i++)
		for (unsigned j = 0; j < b->count; j++) {
			uint16_t low = a->range[i].low > b->range[j].low ? a->range[i].low
			                                                 : b->range[j].low;
			uint16_t high = a->range[i].high < b->range[j].high ? a->range[i].high
			                                                    : b->range[j].high;

			if (low <= high && common.count < PORT_RANGES_MAX) {
				common.range[common.count].low = low;
				common.range[common.count++].high = high;
			}
		}
	return common;
}

unsigned port_set_size(const struct port_set *set)
{
	unsigned size = 0;

	for (unsigned i = 0; i < set->count; i++)
		size += (unsigned)(set->range[i].high - set->range[i].low) + 1;
	return size;
}

bool port_set_equal(const struct port_set *a, const struct port_set *b)
{
	if (a->count != b->count)
		return false;
	for (unsigned i = 0; i < a->count; i++)
		if (a->range[i].low != b->range[i].low || a->range[i].high != b->range[i].high)
			return false;
	return true;
}

bool port_set_is_ephemeral(const struct port_set *set)
{
	return set->count == 1 && set->range[0].low == 1024 && set->range[0].high == 65535;
}

const char *port_set_print(const struct port_set *set, char *buf, size_t size)
{
	buf[0] = '\0';
	for (unsigned i = 0; i < set->count; i++) {
		text_add(buf, size, "%s%u", i ? ", " : "", set->range[i].low);
		if (set->range[i].high != set->range[i].low)
			text_add(buf, size, "-%u", set->range[i].high);
	}
	return buf;
}
