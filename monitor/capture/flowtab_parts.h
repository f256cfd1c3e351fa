/*
 * flowtab_parts.h - a table of flows from inside: what flowtab.c, flowtab_age.c and flowtab_lists.c share.
 */
#ifndef MONITOR_CAPTURE_FLOWTAB_PARTS_H
#define MONITOR_CAPTURE_FLOWTAB_PARTS_H

#include "monitor/capture/seed.h"

/* Which are given up before which; all others first. */
enum rank { RANK_LONE, RANK_ANSWERED, RANK_KEPT, RANKS };
extern const uint8_t FLOWTAB_RANK[IDLE_COUNT];
extern const uint8_t FLOWTAB_SPAN[IDLE_COUNT]; /* whose span a kind has */

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
	/* On the flow's idle list, or that of the ended; slot + 1, 0 ends. */
	uint32_t older, newer;
	uint32_t hash; /* of its key */
	enum { SLOT_FREE, SLOT_SEED, SLOT_FLOW, SLOT_OVER } state;
};

union young_slot {
	struct young young;
	uint32_t next; /* on the free list */
};

struct flowtab {
	struct flowtab_limits limits;
	struct flow *slots;  /* and one more, for a seed that ends */
	struct seed *seeds;  /* of each slot */
	uint32_t grown;      /* which of them lies in the slot behind the last */
	struct links *links; /* of each slot */
	struct place *index; /* open addressing, linear probing */
	uint32_t index_mask;
	uint32_t count, fresh, free; /* free: slot + 1, chained through `newer` */
	int64_t shortest_us;         /* of idle_us */
	uint32_t untold_count;
	union young_slot *youth;
	uint32_t young_fresh, young_free;
	struct list idle[IDLE_COUNT], over, young, staying, untold;
	uint32_t ranked[RANKS]; /* flows on the idle lists of each */
	struct flow_key sought; /* looked for last in vain, */
	uint32_t sought_hash;   /* ... and its hash; 0: none was */
};

static inline uint32_t number_of(const struct flowtab *tab, const struct flow *flow)
{
	uint32_t slot = (uint32_t)(flow - tab->slots);

	return slot == tab->limits.flows ? tab->grown : slot + 1;
}

static inline struct flow *flow_of(struct flowtab *tab, uint32_t number)
{
	return number ? &tab->slots[number - 1] : NULL;
}

static inline void bytes_near(const void *bytes, size_t len)
{
	for (size_t line = 0; line < len; line += 64)
		bring_near((const char *)bytes + line);
}

static inline void slot_near(const struct flowtab *tab, uint32_t number, bool sown)
{
	if (sown)
		bytes_near(&tab->seeds[number - 1], sizeof(struct seed));
	else
		bytes_near(&tab->slots[number - 1], sizeof(struct flow));
}

/* Of a flow that ends soon: its place in the index and what it holds. */
static inline void end_near(const struct flowtab *tab, uint32_t number)
{
	const struct links *links = &tab->links[number - 1];

	bring_near(&tab->index[links->hash & tab->index_mask]);
	slot_near(tab, number, links->state == SLOT_SEED);
}

#endif
