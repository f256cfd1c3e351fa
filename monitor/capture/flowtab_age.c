/*
 * flowtab_age.c - see flowtab.h: who was silent longest, who is missed least, who came first.
 */
#include "monitor/capture/flowtab_parts.h"

#define NEXT_NEAR 4  /* so many evictions before its own a flow is brought near */
#define RANK_SHARE 8 /* of the slots one in so many stays with each rank, as far as it fills it */

const uint8_t FLOWTAB_SPAN[IDLE_COUNT] = {
	[IDLE_UDP] = IDLE_UDP,
	[IDLE_ICMP] = IDLE_ICMP,
	[IDLE_OTHER] = IDLE_OTHER,
	[IDLE_TCP_OPENING] = IDLE_TCP_OPENING,
	[IDLE_TCP_OPEN] = IDLE_TCP_OPEN,
	[IDLE_TCP_CLOSED] = IDLE_TCP_CLOSED,
	[IDLE_UDP_LONE] = IDLE_UDP,
	[IDLE_UDP_CALL] = IDLE_UDP,
	[IDLE_TCP_LONE] = IDLE_TCP_OPEN,
};

const uint8_t FLOWTAB_RANK[IDLE_COUNT] = {
	[IDLE_UDP] = RANK_ANSWERED,
	[IDLE_UDP_CALL] = RANK_KEPT,
	[IDLE_TCP_OPEN] = RANK_KEPT,
};

/* When a live one had its last packet. */
static int64_t last_us(const struct flowtab *tab, uint32_t number)
{
	return tab->links[number - 1].state == SLOT_SEED ? tab->seeds[number - 1].time_us
	                                                 : tab->slots[number - 1].facts.last_us;
}

/* Whoever ends after this one, if others go first only now and then. */
static inline void next_near(const struct flowtab *tab, uint32_t number)
{
	for (unsigned i = 0; number && i < NEXT_NEAR; i++)
		number = tab->links[number - 1].newer;
	if (number)
		end_near(tab, number);
}

/* Kinds that share a span go in the order of their last packets. */
uint32_t flowtab_expired(const struct flowtab *tab, int64_t now_us)
{
	uint32_t first = 0;
	unsigned kind = 0;

	for (unsigned i = 0; i < IDLE_COUNT; i++) {
		uint32_t number = tab->idle[i].oldest;

		if (!number || now_us - last_us(tab, number) < tab->limits.idle_us[i])
			continue;
		if (!first || FLOWTAB_SPAN[i] < FLOWTAB_SPAN[kind] ||
		    (FLOWTAB_SPAN[i] == FLOWTAB_SPAN[kind] && last_us(tab, number) < last_us(tab, first))) {
			first = number;
			kind = i;
		}
	}
	if (first)
		next_near(tab, first);
	return first;
}

int64_t flowtab_due(struct flowtab *tab, int64_t now_us)
{
	int64_t due_us = now_us + tab->shortest_us;

	for (unsigned i = 0; i < IDLE_COUNT; i++) {
		uint32_t oldest = tab->idle[i].oldest;

		if (oldest && last_us(tab, oldest) + tab->limits.idle_us[i] < due_us)
			due_us = last_us(tab, oldest) + tab->limits.idle_us[i];
	}
	return due_us;
}

static uint32_t longest_idle(const struct flowtab *tab, enum rank rank)
{
	uint32_t longest = 0;

	for (unsigned i = 0; i < IDLE_COUNT; i++) {
		uint32_t number = FLOWTAB_RANK[i] == rank ? tab->idle[i].oldest : 0;

		if (number && (!longest || last_us(tab, number) < last_us(tab, longest)))
			longest = number;
	}
	return longest;
}

uint32_t flowtab_least_missed(const struct flowtab *tab)
{
	uint32_t number = 0;
	unsigned rank = 0;

	while (rank < RANKS && tab->ranked[rank] <= tab->limits.flows / RANK_SHARE)
		rank++;
	if (rank < RANKS)
		number = longest_idle(tab, rank);
	for (rank = 0; rank < RANKS && !number; rank++)
		number = longest_idle(tab, rank);
	if (number)
		next_near(tab, number);
	return number;
}

static uint64_t id_of(const struct flowtab *tab, uint32_t number)
{
	return tab->links[number - 1].state == SLOT_SEED ? tab->seeds[number - 1].id
	                                                 : tab->slots[number - 1].facts.id;
}

static bool is_live(const struct flowtab *tab, uint32_t number)
{
	return tab->links[number - 1].state == SLOT_SEED ||
	       tab->links[number - 1].state == SLOT_FLOW;
}

struct numbered {
	uint64_t id;
	uint32_t number;
};

static int by_id(const void *a, const void *b)
{
	uint64_t x = ((const struct numbered *)a)->id, y = ((const struct numbered *)b)->id;

	return x < y ? -1 : x > y;
}

/*
 * While no slot was used again they lie in order. Where the oldest always went for the newest, which took its place, they
 * do from somewhere in the middle on, and round.
 */
static void sort_by_id(struct numbered *all, size_t count, uint32_t *ret)
{
	size_t breaks = 0, first = 0;

	for (size_t i = 1; i < count; i++)
		if (all[i].id < all[i - 1].id) {
			breaks++;
			first = i;
		}
	if (breaks > 1 || (breaks && all[count - 1].id > all[0].id)) {
		qsort(all, count, sizeof(*all), by_id);
		first = 0;
	}
	for (size_t i = 0; i < count; i++)
		ret[i] = all[first + i < count ? first + i : first + i - count].number;
}

uint32_t *flowtab_sorted(const struct flowtab *tab, size_t *ret_count)
{
	CLEANUP(freep) struct numbered *all = tab->count ? calloc(tab->count, sizeof(*all)) : NULL;
	CLEANUP(freep) uint32_t *numbers = tab->count ? calloc(tab->count, sizeof(*numbers)) : NULL;
	size_t count = 0;

	*ret_count = 0;
	if (!all || !numbers)
		return NULL;
	for (uint32_t number = 1; number <= tab->fresh; number++)
		if (is_live(tab, number))
			all[count++] = (struct numbered){id_of(tab, number), number};
	sort_by_id(all, count, numbers);
	*ret_count = count;
	return TAKE(numbers);
}

bool flowtab_any(const struct flowtab *tab,
                 bool (*is)(const void *context, const struct flow *flow), const void *context)
{
	for (uint32_t number = 1; number <= tab->fresh; number++) {
		const struct flow *flow = &tab->slots[number - 1];
		struct flow grown;

		if (!is_live(tab, number))
			continue;
		if (tab->links[number - 1].state == SLOT_SEED) {
			seed_grow(&tab->seeds[number - 1], false, &grown);
			flow = &grown;
		}
		if (is(context, flow))
			return true;
	}
	return false;
}
