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
#include "monitor/capture/seed.h"

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

/* Whose span a kind has. */
static const uint8_t SPAN[IDLE_COUNT] = {
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

/* Which are given up before which; all others first. */
enum rank { RANK_LONE, RANK_ANSWERED, RANK_KEPT, RANKS };
static const uint8_t RANK[IDLE_COUNT] = {
	[IDLE_UDP] = RANK_ANSWERED,
	[IDLE_UDP_CALL] = RANK_KEPT,
	[IDLE_TCP_OPEN] = RANK_KEPT,
};
#define NEXT_NEAR 4  /* so many evictions before its own a flow is brought near */
#define RANK_SHARE 8 /* of the slots one in so many stays with each rank, as far as it fills it */

struct list {
	uint32_t oldest, newest; /* slot + 1 */
};

struct place {
	uint32_t number; /* slot + 1, and SOWN; 0: empty */
	uint32_t hash;
};
#define SOWN (UINT32_C(1) << 31) /* it is a seed */

/* Of each slot, beside it. */
struct links {
	uint32_t older, newer; /* on the flow's idle list, or that of the ended; slot + 1, 0 ends */
	uint32_t hash;         /* of its key */
	enum { SLOT_FREE, SLOT_SEED, SLOT_FLOW, SLOT_OVER } state;
};

union young_slot {
	struct young young;
	uint32_t next; /* on the free list */
};

struct flowtab {
	struct flowtab_limits limits;
	struct flow *slots; /* and one more, for a seed that ends */
	struct seed *seeds;  /* of each slot */
	uint32_t grown;      /* which of them lies in the slot behind the last */
	struct links *links; /* of each slot */
	struct place *index; /* open addressing, linear probing */
	uint32_t index_mask;
	uint32_t count, fresh, free; /* free: slot + 1, chained through `newer` */
	int64_t shortest_us; /* of idle_us */
	uint32_t untold_count;
	union young_slot *youth;
	uint32_t young_fresh, young_free;
	struct list idle[IDLE_COUNT], over, young, staying, untold;
	uint32_t ranked[RANKS]; /* flows on the idle lists of each */
	struct flow_key sought; /* looked for last in vain, */
	uint32_t sought_hash;   /* ... and its hash; 0: none was */
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
		tab->limits.idle_us[i] = limits->idle_us[SPAN[i]];
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

static uint32_t number_of(const struct flowtab *tab, const struct flow *flow)
{
	uint32_t slot = (uint32_t)(flow - tab->slots);

	return slot == tab->limits.flows ? tab->grown : slot + 1;
}

static struct flow *flow_of(struct flowtab *tab, uint32_t number)
{
	return number ? &tab->slots[number - 1] : NULL;
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

/* When a live one had its last packet. */
static int64_t last_us(const struct flowtab *tab, uint32_t number)
{
	return tab->links[number - 1].state == SLOT_SEED ? tab->seeds[number - 1].time_us
	                                                 : tab->slots[number - 1].facts.last_us;
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
	__builtin_prefetch(&tab->index[hash & tab->index_mask], 1);
}

/* gcc leaves out calls of functions that only fetch: these are none. */
#define FETCHING static inline __attribute__((always_inline))

FETCHING void bytes_near(const void *bytes, size_t len)
{
	for (size_t line = 0; line < len; line += 64)
		__builtin_prefetch((const char *)bytes + line, 1);
}

FETCHING void slot_near(const struct flowtab *tab, uint32_t number, bool sown)
{
	if (sown)
		bytes_near(&tab->seeds[number - 1], sizeof(struct seed));
	else
		bytes_near(&tab->slots[number - 1], sizeof(struct flow));
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
	__builtin_prefetch(&tab->links[number - 1], 1);
}

/* Of a flow that ends soon: its place in the index and what it holds. */
FETCHING void end_near(const struct flowtab *tab, uint32_t number)
{
	const struct links *links = &tab->links[number - 1];

	__builtin_prefetch(&tab->index[links->hash & tab->index_mask], 1);
	slot_near(tab, number, links->state == SLOT_SEED);
}

void flowtab_near_end(const struct flowtab *tab, uint32_t number)
{
	end_near(tab, number);
}

/* Whoever ends after this one, if others go first only now and then. */
FETCHING void next_near(const struct flowtab *tab, uint32_t number)
{
	for (unsigned i = 0; number && i < NEXT_NEAR; i++)
		number = tab->links[number - 1].newer;
	if (number)
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
		tab->ranked[RANK[idle]]--;
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
		tab->ranked[RANK[idle]]++;
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

/* ------------------------------------------------------------ the untold */

void flowtab_told(struct flowtab *tab, struct flow *flow)
{
	if (!flow->untold)
		return;
	flow->untold = 0;
	tab->untold_count--;
	if (flow->idle == IDLE_OVER)
		return; /* on that list it stays until it is removed */
	if (flow->untold_older)
		flow_of(tab, flow->untold_older)->untold_newer = flow->untold_newer;
	else
		tab->untold.oldest = flow->untold_newer;
	if (flow->untold_newer)
		flow_of(tab, flow->untold_newer)->untold_older = flow->untold_older;
	else
		tab->untold.newest = flow->untold_older;
}

void flowtab_untold(struct flowtab *tab, struct flow *flow, uint64_t number)
{
	assert(flow->idle != IDLE_OVER);
	flowtab_told(tab, flow);
	flow->untold = number;
	tab->untold_count++;
	flow->untold_newer = 0;
	flow->untold_older = tab->untold.newest;
	if (tab->untold.newest)
		flow_of(tab, tab->untold.newest)->untold_newer = number_of(tab, flow);
	else
		tab->untold.oldest = number_of(tab, flow);
	tab->untold.newest = number_of(tab, flow);
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

struct flow *flowtab_oldest_over(struct flowtab *tab)
{
	return flow_of(tab, tab->over.oldest);
}

struct flow *flowtab_oldest_untold(struct flowtab *tab)
{
	struct flow *over = flowtab_oldest_over(tab), *live = flow_of(tab, tab->untold.oldest);

	return !over || (live && live->untold < over->untold) ? live : over;
}

uint32_t flowtab_untold_count(const struct flowtab *tab)
{
	return tab->untold_count;
}

/* -------------------------------------------------------------- their age */

/* Kinds that share a span go in the order of their last packets. */
uint32_t flowtab_expired(const struct flowtab *tab, int64_t now_us)
{
	uint32_t first = 0;
	unsigned kind = 0;

	for (unsigned i = 0; i < IDLE_COUNT; i++) {
		uint32_t number = tab->idle[i].oldest;

		if (!number || now_us - last_us(tab, number) < tab->limits.idle_us[i])
			continue;
		if (!first || SPAN[i] < SPAN[kind] ||
		    (SPAN[i] == SPAN[kind] && last_us(tab, number) < last_us(tab, first))) {
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
		uint32_t number = RANK[i] == rank ? tab->idle[i].oldest : 0;

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

struct flow *flowtab_at(struct flowtab *tab, uint32_t number)
{
	return live_of(tab, number);
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

static struct list *young_list(struct flowtab *tab, const struct flow *flow)
{
	return flow->staying ? &tab->staying : &tab->young;
}

static void young_append(struct flowtab *tab, struct flow *flow)
{
	struct list *list = young_list(tab, flow);
	uint32_t number = number_of(tab, flow);

	flow->young_newer = 0;
	flow->young_older = list->newest;
	if (list->newest)
		flow_of(tab, list->newest)->young_newer = number;
	else
		list->oldest = number;
	list->newest = number;
}

static void young_unlink(struct flowtab *tab, struct flow *flow)
{
	struct list *list = young_list(tab, flow);

	if (flow->young_older)
		flow_of(tab, flow->young_older)->young_newer = flow->young_newer;
	else
		list->oldest = flow->young_newer;
	if (flow->young_newer)
		flow_of(tab, flow->young_newer)->young_older = flow->young_older;
	else
		list->newest = flow->young_older;
}

bool flowtab_make_young(struct flowtab *tab, struct flow *flow)
{
	union young_slot *slot;

	if (flow->young)
		return true;
	if (tab->young_free) {
		slot = &tab->youth[tab->young_free - 1];
		tab->young_free = slot->next;
	} else if (tab->young_fresh < tab->limits.young) {
		slot = &tab->youth[tab->young_fresh++];
	} else {
		return false;
	}
	memset(slot, 0, sizeof(*slot));
	flow->young = &slot->young;
	flow->staying = false;
	young_append(tab, flow);
	return true;
}

void flowtab_make_old(struct flowtab *tab, struct flow *flow)
{
	union young_slot *slot = (union young_slot *)flow->young;

	if (!slot)
		return;
	assert(!stream_waits(&slot->young.stream[0]) && !stream_waits(&slot->young.stream[1]));
	young_unlink(tab, flow);
	slot->next = tab->young_free;
	tab->young_free = (uint32_t)(slot - tab->youth) + 1;
	flow->young = NULL;
}

void flowtab_stay_young(struct flowtab *tab, struct flow *flow)
{
	young_unlink(tab, flow);
	flow->staying = true;
	young_append(tab, flow);
}

struct flow *flowtab_oldest_staying(struct flowtab *tab)
{
	return flow_of(tab, tab->staying.oldest);
}

struct flow *flowtab_oldest_young(struct flowtab *tab)
{
	return flow_of(tab, tab->young.oldest);
}

uint32_t flowtab_count(const struct flowtab *tab)
{
	return tab->count;
}
