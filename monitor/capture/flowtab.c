/*
 * flowtab.c - see flowtab.h. Invariants:
 *  (1) Both directions of a conversation have the same key, and a key is there once.
 *  (2) Every live flow is in the index and on exactly one idle list; each list is in last_us order,
 *      because the clock never goes back and a touch moves to its end.
 *  (3) A flow leaves only through flowtab_remove(), whose caller has told the recorder.
 *  (4) A flow that is over is on the list of those instead, and in no index; that list and the one of
 *      the live untold are in the order of `untold`.
 *  (5) What is read of a flow to find it, to take it off a list or to take another one out of the index
 *      lies beside the slots, close together: a slot is a cache miss or more.
 *  (6) A seed (seed.h) is a live flow in all of that; its number in the index says so, and its slot is not touched.
 *      It grows there when it is found. To see it end it grows in the slot behind all others, one at a time.
 *  (7) The list of the young is in payload_us order: all have the same time to settle. Those that
 *      stay young are on another, in the order of their last payloads.
 */
#include "monitor/capture/flowtab_parts.h"

#include <assert.h>

const struct flowtab_limits FLOWTAB_DEFAULTS = {
	.flows = 1 << 20,
	.young = 1 << 17,
	.idle_us =
		{
			[IDLE_UDP] = 60 * INT64_C(1000000),
			[IDLE_ICMP] = 10 * INT64_C(1000000),
			[IDLE_OTHER] = 60 * INT64_C(1000000),
			[IDLE_TCP_OPENING] = 30 * INT64_C(1000000),
			[IDLE_TCP_OPEN] = 3600 * INT64_C(1000000),
			[IDLE_TCP_CLOSED] = 5 * INT64_C(1000000),
			[IDLE_UDP_LONE] = 60 * INT64_C(1000000),
			[IDLE_UDP_CALL] = 60 * INT64_C(1000000),
			[IDLE_TCP_LONE] = 3600 * INT64_C(1000000),
		},
};

static size_t index_size(const struct flowtab_limits *limits)
{
	size_t size = 64;

	while (size < (size_t)limits->flows * 2)
		size *= 2;
	return size;
}

struct flowtab *flowtab_new(const struct flowtab_limits *limits)
{
	struct flowtab *tab = calloc(1, sizeof(*tab));

	if (!tab)
		return NULL;
	tab->limits = *limits;
	for (unsigned i = 0; i < IDLE_COUNT; i++)
		tab->limits.idle_us[i] = limits->idle_us[FLOWTAB_SPAN[i]];
	tab->index_mask = (uint32_t)index_size(limits) - 1;
	tab->shortest_us = INT64_MAX;
	for (unsigned i = 0; i < IDLE_COUNT; i++)
		if (tab->limits.idle_us[i] < tab->shortest_us)
			tab->shortest_us = tab->limits.idle_us[i];
	tab->slots = pages_new((limits->flows + (size_t)1) * sizeof(*tab->slots));
	tab->seeds = pages_new(limits->flows * sizeof(*tab->seeds));
	tab->links = pages_new(limits->flows * sizeof(*tab->links));
	tab->index = pages_new(index_size(limits) * sizeof(*tab->index));
	tab->youth = pages_new(limits->young * sizeof(*tab->youth));
	if (!tab->slots || !tab->seeds || !tab->links || !tab->index || !tab->youth) {
		flowtab_free(tab);
		return NULL;
	}
	pages_wide(tab->index, index_size(limits) * sizeof(*tab->index));
	pages_wide(tab->youth, limits->young * sizeof(*tab->youth));
	return tab;
}

uint64_t flowtab_bytes(const struct flowtab_limits *limits)
{
	const struct flowtab *tab = NULL;

	return (uint64_t)limits->flows *
	               (sizeof(*tab->slots) + sizeof(*tab->seeds) + sizeof(*tab->links)) +
	       index_size(limits) * sizeof(*tab->index) +
	       (uint64_t)limits->young * sizeof(*tab->youth);
}

void flowtab_free(struct flowtab *tab)
{
	if (!tab)
		return;
	pages_free(tab->slots, (tab->limits.flows + (size_t)1) * sizeof(*tab->slots));
	pages_free(tab->seeds, tab->limits.flows * sizeof(*tab->seeds));
	pages_free(tab->links, tab->limits.flows * sizeof(*tab->links));
	pages_free(tab->index, index_size(&tab->limits) * sizeof(*tab->index));
	pages_free(tab->youth, tab->limits.young * sizeof(*tab->youth));
	free(tab);
}

/* As above, of any that lives: a seed as a copy of what it has grown to, for one that ends. */
static struct flow *live_of(struct flowtab *tab, uint32_t number)
{
	struct flow *flow = &tab->slots[tab->limits.flows];

	if (!number || tab->links[number - 1].state != SLOT_SEED)
		return flow_of(tab, number);
	tab->grown = number;
	seed_grow(&tab->seeds[number - 1], false, flow);
	flow->idle = IDLE_TCP_OPENING;
	return flow;
}

/* As bytes, but without a call: it is asked of every packet. */
static bool key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return addr_equal(&a->addr[0], &b->addr[0]) && addr_equal(&a->addr[1], &b->addr[1]) &&
	       !memcmp(a->port, b->port, sizeof(*a) - offsetof(struct flow_key, port));
}

static const struct flow_key *key_of(const struct flowtab *tab, uint32_t number)
{
	return number & SOWN ? &tab->seeds[(number & ~SOWN) - 1].key
	                     : &tab->slots[number - 1].key;
}

/* Where the key lies in the index, or the empty place where it would. */
static uint32_t place_of(const struct flowtab *tab, const struct flow_key *key, uint32_t hash)
{
	uint32_t i = hash & tab->index_mask;

	while (tab->index[i].number &&
	       (tab->index[i].hash != hash || !key_equal(key_of(tab, tab->index[i].number), key)))
		i = (i + 1) & tab->index_mask;
	return i;
}

static struct flow *grow(struct flowtab *tab, struct place *place)
{
	uint32_t number = place->number & ~SOWN;
	struct flow *flow = flow_of(tab, number);

	seed_grow(&tab->seeds[number - 1], true, flow);
	flow->idle = IDLE_TCP_OPENING;
	place->number = number;
	tab->links[number - 1].state = SLOT_FLOW;
	return flow;
}

struct flow *flowtab_find(struct flowtab *tab, const struct flow_key *key)
{
	uint32_t hash = (uint32_t)flow_key_hash(key);
	struct place *place = &tab->index[place_of(tab, key, hash)];

	if (place->number & SOWN)
		return grow(tab, place);
	if (!place->number) {
		tab->sought = *key;
		tab->sought_hash = hash;
	}
	return flow_of(tab, place->number);
}

void flowtab_near_place(const struct flowtab *tab, uint32_t hash)
{
	bring_near(&tab->index[hash & tab->index_mask]);
}

void flowtab_near(const struct flowtab *tab, uint32_t hash)
{
	uint32_t i = hash & tab->index_mask, number;

	while (tab->index[i].number && tab->index[i].hash != hash)
		i = (i + 1) & tab->index_mask;
	number = tab->index[i].number & ~SOWN;
	if (!number)
		return;
	slot_near(tab, number, tab->index[i].number & SOWN);
	bring_near(&tab->links[number - 1]);
}

void flowtab_near_end(const struct flowtab *tab, uint32_t number)
{
	end_near(tab, number);
}

bool flowtab_is_full(const struct flowtab *tab)
{
	return !tab->free && tab->fresh == tab->limits.flows;
}

/* A slot for a new flow, in the index; 0: the table is full. */
static uint32_t take_slot(struct flowtab *tab, const struct flow_key *key, bool sown)
{
	bool known = tab->sought_hash && key_equal(&tab->sought, key);
	uint32_t hash = known ? tab->sought_hash : (uint32_t)flow_key_hash(key);
	struct place *place = &tab->index[place_of(tab, key, hash)];
	uint32_t number = tab->free;

	assert(!place->number);
	if (number)
		tab->free = tab->links[number - 1].newer;
	else if (tab->fresh < tab->limits.flows)
		number = ++tab->fresh;
	else
		return 0;
	tab->links[number - 1].hash = hash;
	tab->links[number - 1].state = sown ? SLOT_SEED : SLOT_FLOW;
	*place = (struct place){number | (sown ? SOWN : 0), hash};
	tab->count++;
	return number;
}

struct flow *flowtab_add(struct flowtab *tab, const struct flow_key *key)
{
	struct flow *flow = flow_of(tab, take_slot(tab, key, false));

	if (!flow)
		return NULL;
	memset(flow, 0, sizeof(*flow));
	flow->key = *key;
	flow->idle = IDLE_NOT;
	return flow;
}

static struct list *idle_list(struct flowtab *tab, unsigned idle)
{
	return idle == IDLE_OVER ? &tab->over : &tab->idle[idle];
}

static void idle_unlink(struct flowtab *tab, uint32_t number, enum idle idle)
{
	struct list *list = idle_list(tab, idle);
	const struct links *links = &tab->links[number - 1];

	if (idle != IDLE_OVER)
		tab->ranked[FLOWTAB_RANK[idle]]--;
	if (links->older)
		tab->links[links->older - 1].newer = links->newer;
	else
		list->oldest = links->newer;
	if (links->newer)
		tab->links[links->newer - 1].older = links->older;
	else
		list->newest = links->older;
}

/* To the end of a list. */
static void idle_link(struct flowtab *tab, uint32_t number, enum idle idle)
{
	struct list *list = idle_list(tab, idle);
	struct links *links = &tab->links[number - 1];

	if (idle != IDLE_OVER)
		tab->ranked[FLOWTAB_RANK[idle]]++;
	links->newer = 0;
	links->older = list->newest;
	if (list->newest)
		tab->links[list->newest - 1].newer = number;
	else
		list->oldest = number;
	list->newest = number;
}

void flowtab_touch(struct flowtab *tab, struct flow *flow, enum idle idle)
{
	uint32_t number = number_of(tab, flow);

	if (flow->idle == idle && idle_list(tab, idle)->newest == number)
		return;
	if (flow->idle != IDLE_NOT)
		idle_unlink(tab, number, flow->idle);
	flow->idle = (uint8_t)idle;
	idle_link(tab, number, idle);
}

bool flowtab_sow(struct flowtab *tab, const struct flow_key *key, unsigned side,
                 const struct packet *packet, unsigned samples)
{
	uint32_t number = take_slot(tab, key, true);

	if (!number)
		return false;
	seed_fill(&tab->seeds[number - 1], key, side, packet, samples);
	idle_link(tab, number, IDLE_TCP_OPENING);
	return true;
}

static void index_remove(struct flowtab *tab, uint32_t number)
{
	uint32_t mask = tab->index_mask, hole = tab->links[number - 1].hash & mask;

	while ((tab->index[hole].number & ~SOWN) != number)
		hole = (hole + 1) & mask;
	for (uint32_t i = (hole + 1) & mask; tab->index[i].number; i = (i + 1) & mask) {
		uint32_t home = tab->index[i].hash & mask;

		/* Whoever could live in the hole moves there: its home is not between hole and here. */
		if (((i - home) & mask) >= ((i - hole) & mask)) {
			tab->index[hole] = tab->index[i];
			hole = i;
		}
	}
	tab->index[hole].number = 0;
	tab->count--;
}

static void free_slot(struct flowtab *tab, uint32_t number)
{
	tab->links[number - 1].newer = tab->free;
	tab->links[number - 1].state = SLOT_FREE;
	tab->free = number;
}

void flowtab_remove(struct flowtab *tab, struct flow *flow)
{
	uint32_t number = number_of(tab, flow);

	flowtab_make_old(tab, flow);
	flowtab_told(tab, flow);
	if (flow->idle != IDLE_OVER)
		index_remove(tab, number);
	if (flow->idle != IDLE_NOT)
		idle_unlink(tab, number, flow->idle);
	free_slot(tab, number);
}

const struct seed *flowtab_seed(const struct flowtab *tab, uint32_t number)
{
	return tab->links[number - 1].state == SLOT_SEED ? &tab->seeds[number - 1] : NULL;
}

void flowtab_remove_seed(struct flowtab *tab, uint32_t number)
{
	index_remove(tab, number);
	idle_unlink(tab, number, IDLE_TCP_OPENING);
	free_slot(tab, number);
}

void flowtab_end(struct flowtab *tab, struct flow *flow, uint64_t number)
{
	uint32_t slot = number_of(tab, flow);

	assert(flow->idle != IDLE_OVER);
	flowtab_make_old(tab, flow);
	flowtab_told(tab, flow);
	index_remove(tab, slot);
	if (tab->links[slot - 1].state == SLOT_SEED) {
		*flow_of(tab, slot) = *flow;
		flow = flow_of(tab, slot);
	}
	tab->links[slot - 1].state = SLOT_OVER;
	flowtab_touch(tab, flow, IDLE_OVER);
	flow->untold = number;
	tab->untold_count++;
}

struct flow *flowtab_at(struct flowtab *tab, uint32_t number)
{
	return live_of(tab, number);
}

uint32_t flowtab_count(const struct flowtab *tab)
{
	return tab->count;
}
