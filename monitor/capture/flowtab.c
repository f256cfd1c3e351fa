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
 *  (6) The list of the young is in payload_us order: all have the same time to settle. Those that
 *      stay young are on another, in the order of their last payloads.
 */
#include "monitor/capture/flowtab.h"

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
	uint32_t number; /* slot + 1; 0: empty */
	uint32_t hash;
};

/* On the flow's idle list, or that of the ended; slot + 1, 0 ends. And the hash of its key. */
struct links {
	uint32_t older, newer;
	uint32_t hash;
};

union young_slot {
	struct young young;
	uint32_t next; /* on the free list */
};

struct flowtab {
	struct flowtab_limits limits;
	struct flow *slots;
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
	tab->slots = pages_new(limits->flows * sizeof(*tab->slots));
	tab->links = pages_new(limits->flows * sizeof(*tab->links));
	tab->index = pages_new(index_size(limits) * sizeof(*tab->index));
	tab->youth = pages_new(limits->young * sizeof(*tab->youth));
	if (!tab->slots || !tab->links || !tab->index || !tab->youth) {
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

	return (uint64_t)limits->flows * (sizeof(*tab->slots) + sizeof(*tab->links)) +
	       index_size(limits) * sizeof(*tab->index) +
	       (uint64_t)limits->young * sizeof(*tab->youth);
}

void flowtab_free(struct flowtab *tab)
{
	if (!tab)
		return;
	pages_free(tab->slots, tab->limits.flows * sizeof(*tab->slots));
	pages_free(tab->links, tab->limits.flows * sizeof(*tab->links));
	pages_free(tab->index, index_size(&tab->limits) * sizeof(*tab->index));
	pages_free(tab->youth, tab->limits.young * sizeof(*tab->youth));
	free(tab);
}

static uint32_t number_of(const struct flowtab *tab, const struct flow *flow)
{
	return (uint32_t)(flow - tab->slots) + 1;
}

static struct flow *flow_of(struct flowtab *tab, uint32_t number)
{
	return number ? &tab->slots[number - 1] : NULL;
}

static struct links *links_of(struct flowtab *tab, const struct flow *flow)
{
	return &tab->links[flow - tab->slots];
}

/* As bytes, but without a call: it is asked of every packet. */
static bool key_equal(const struct flow_key *a, const struct flow_key *b)
{
	return addr_equal(&a->addr[0], &b->addr[0]) && addr_equal(&a->addr[1], &b->addr[1]) &&
	       !memcmp(a->port, b->port, sizeof(*a) - offsetof(struct flow_key, port));
}

/* Where the key lies in the index, or the empty place where it would. */
static uint32_t place_of(const struct flowtab *tab, const struct flow_key *key, uint32_t hash)
{
	uint32_t i = hash & tab->index_mask;

	while (tab->index[i].number &&
	       (tab->index[i].hash != hash ||
	        !key_equal(&tab->slots[tab->index[i].number - 1].key, key)))
		i = (i + 1) & tab->index_mask;
	return i;
}

struct flow *flowtab_find(struct flowtab *tab, const struct flow_key *key)
{
	return flow_of(tab, tab->index[place_of(tab, key, (uint32_t)flow_key_hash(key))].number);
}

void flowtab_near_place(const struct flowtab *tab, uint32_t hash)
{
	__builtin_prefetch(&tab->index[hash & tab->index_mask], 1);
}

void flowtab_near(const struct flowtab *tab, uint32_t hash)
{
	uint32_t i = hash & tab->index_mask;
	const char *slot;

	while (tab->index[i].number && tab->index[i].hash != hash)
		i = (i + 1) & tab->index_mask;
	if (!tab->index[i].number)
		return;
	slot = (const char *)&tab->slots[tab->index[i].number - 1];
	for (size_t line = 0; line < sizeof(struct flow); line += 64)
		__builtin_prefetch(slot + line, 1);
	__builtin_prefetch(&tab->links[tab->index[i].number - 1], 1);
}

/* Of a flow that ends soon: its place in the index and what it holds. gcc leaves out calls that only fetch. */
static inline __attribute__((always_inline)) void slot_near(const struct flowtab *tab, uint32_t number)
{
	const char *slot = (const char *)&tab->slots[number - 1];

	__builtin_prefetch(&tab->index[tab->links[number - 1].hash & tab->index_mask], 1);
	for (size_t line = 0; line < sizeof(struct flow); line += 64)
		__builtin_prefetch(slot + line, 1);
}

void flowtab_near_end(const struct flowtab *tab, const struct flow *flow)
{
	slot_near(tab, number_of(tab, flow));
}

/* Whoever ends after this one, if others go first only now and then. */
static inline __attribute__((always_inline)) void next_near(const struct flowtab *tab, const struct flow *flow)
{
	uint32_t number = number_of(tab, flow);

	for (unsigned i = 0; number && i < NEXT_NEAR; i++)
		number = tab->links[number - 1].newer;
	if (number)
		slot_near(tab, number);
}

bool flowtab_is_full(const struct flowtab *tab)
{
	return !tab->free && tab->fresh == tab->limits.flows;
}

struct flow *flowtab_add(struct flowtab *tab, const struct flow_key *key)
{
	uint32_t hash = (uint32_t)flow_key_hash(key);
	uint32_t place = place_of(tab, key, hash);
	struct flow *flow;

	assert(!tab->index[place].number);
	if (tab->free) {
		flow = flow_of(tab, tab->free);
		tab->free = links_of(tab, flow)->newer;
	} else if (tab->fresh < tab->limits.flows) {
		flow = &tab->slots[tab->fresh++];
	} else {
		return NULL;
	}
	memset(flow, 0, sizeof(*flow));
	flow->key = *key;
	links_of(tab, flow)->hash = hash;
	flow->idle = IDLE_NOT;
	tab->index[place] = (struct place){number_of(tab, flow), hash};
	tab->count++;
	return flow;
}

static struct list *idle_list(struct flowtab *tab, unsigned idle)
{
	return idle == IDLE_OVER ? &tab->over : &tab->idle[idle];
}

static void idle_unlink(struct flowtab *tab, struct flow *flow)
{
	struct list *list = idle_list(tab, flow->idle);
	const struct links *links = links_of(tab, flow);

	if (flow->idle != IDLE_OVER)
		tab->ranked[RANK[flow->idle]]--;
	if (links->older)
		tab->links[links->older - 1].newer = links->newer;
	else
		list->oldest = links->newer;
	if (links->newer)
		tab->links[links->newer - 1].older = links->older;
	else
		list->newest = links->older;
}

void flowtab_touch(struct flowtab *tab, struct flow *flow, enum idle idle)
{
	struct list *list = idle_list(tab, idle);
	struct links *links = links_of(tab, flow);
	uint32_t number = number_of(tab, flow);

	if (flow->idle == idle && list->newest == number)
		return;
	if (flow->idle != IDLE_NOT)
		idle_unlink(tab, flow);
	flow->idle = (uint8_t)idle;
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

static void index_remove(struct flowtab *tab, const struct flow *flow)
{
	uint32_t mask = tab->index_mask, number = number_of(tab, flow);
	uint32_t hole = links_of(tab, flow)->hash & mask;

	while (tab->index[hole].number != number)
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

void flowtab_remove(struct flowtab *tab, struct flow *flow)
{
	flowtab_make_old(tab, flow);
	flowtab_told(tab, flow);
	if (flow->idle != IDLE_OVER)
		index_remove(tab, flow);
	if (flow->idle != IDLE_NOT)
		idle_unlink(tab, flow);
	links_of(tab, flow)->newer = tab->free;
	tab->free = number_of(tab, flow);
	flow->facts.id = 0;
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
	assert(flow->idle != IDLE_OVER);
	flowtab_make_old(tab, flow);
	flowtab_told(tab, flow);
	index_remove(tab, flow);
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
struct flow *flowtab_expired(struct flowtab *tab, int64_t now_us)
{
	struct flow *first = NULL;

	for (unsigned i = 0; i < IDLE_COUNT; i++) {
		struct flow *flow = flow_of(tab, tab->idle[i].oldest);

		if (!flow || now_us - flow->facts.last_us < tab->limits.idle_us[i])
			continue;
		if (!first || SPAN[i] < SPAN[first->idle] ||
		    (SPAN[i] == SPAN[first->idle] && flow->facts.last_us < first->facts.last_us))
			first = flow;
	}
	return first;
}

int64_t flowtab_due(struct flowtab *tab, int64_t now_us)
{
	int64_t due_us = now_us + tab->shortest_us;

	for (unsigned i = 0; i < IDLE_COUNT; i++) {
		const struct flow *flow = flow_of(tab, tab->idle[i].oldest);

		if (flow && flow->facts.last_us + tab->limits.idle_us[i] < due_us)
			due_us = flow->facts.last_us + tab->limits.idle_us[i];
	}
	return due_us;
}

static struct flow *longest_idle(struct flowtab *tab, enum rank rank)
{
	struct flow *longest = NULL;

	for (unsigned i = 0; i < IDLE_COUNT; i++) {
		struct flow *flow = RANK[i] == rank ? flow_of(tab, tab->idle[i].oldest) : NULL;

		if (flow && (!longest || flow->facts.last_us < longest->facts.last_us))
			longest = flow;
	}
	return longest;
}

struct flow *flowtab_least_missed(struct flowtab *tab)
{
	struct flow *flow = NULL;
	unsigned rank = 0;

	while (rank < RANKS && tab->ranked[rank] <= tab->limits.flows / RANK_SHARE)
		rank++;
	if (rank < RANKS)
		flow = longest_idle(tab, rank);
	for (rank = 0; rank < RANKS && !flow; rank++)
		flow = longest_idle(tab, rank);
	if (flow)
		next_near(tab, flow);
	return flow;
}

struct numbered {
	uint64_t id;
	struct flow *flow;
};

static int by_number(const void *a, const void *b)
{
	uint64_t x = ((const struct numbered *)a)->id, y = ((const struct numbered *)b)->id;

	return x < y ? -1 : x > y;
}

/* Sorts beside the flows: to look at them anew for each comparison costs a cache miss each. */
static bool sort_by_number(struct flow **flows, size_t count)
{
	CLEANUP(freep) struct numbered *all = calloc(count, sizeof(*all));

	if (!all)
		return false;
	for (size_t i = 0; i < count; i++)
		all[i] = (struct numbered){flows[i]->facts.id, flows[i]};
	qsort(all, count, sizeof(*all), by_number);
	for (size_t i = 0; i < count; i++)
		flows[i] = all[i].flow;
	return true;
}

struct flow **flowtab_sorted(struct flowtab *tab, size_t *ret_count)
{
	CLEANUP(freep) struct flow **flows =
		tab->count ? calloc(tab->count, sizeof(struct flow *)) : NULL;
	bool in_order = true; /* while no slot was used again */
	size_t count = 0;

	*ret_count = 0;
	if (!flows)
		return NULL;
	for (uint32_t i = 0; i < tab->fresh; i++) {
		struct flow *flow = &tab->slots[i];

		if (!flow->facts.id || flow->idle == IDLE_OVER)
			continue;
		in_order &= !count || flows[count - 1]->facts.id < flow->facts.id;
		flows[count++] = flow;
	}
	if (!in_order && !sort_by_number(flows, count))
		return NULL;
	*ret_count = count;
	return TAKE(flows);
}

bool flowtab_any(const struct flowtab *tab,
                 bool (*is)(const void *context, const struct flow *flow), const void *context)
{
	for (uint32_t i = 0; i < tab->fresh; i++)
		if (tab->slots[i].facts.id && tab->slots[i].idle != IDLE_OVER &&
		    is(context, &tab->slots[i]))
			return true;
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
