/*
 * addresses.c - see addresses.h. Each table is a row of sets; an address has its places in one of them.
 */
#include "monitor/record/addresses.h"

#define XXH_INLINE_ALL /* of keys this short the call costs more */
#include <xxhash.h>

#define WAYS 16
#define SETS (ADDRESSES_MAX / WAYS)

struct claim {
	struct addr addr;
	struct mac mac;
	int64_t from_us, until_us; /* both 0: nothing is here */
};

struct set {
	struct claim way[WAYS];
};

struct addresses {
	struct set lease[SETS], neighbour[SETS];
	bool leases, neighbours; /* some were told of: else nobody needs to look */
	uint64_t refused;
};

struct addresses *addresses_new(void)
{
	return calloc(1, sizeof(struct addresses));
}

void addresses_free(struct addresses *addresses)
{
	free(addresses);
}

static size_t set_of(const struct addr *addr)
{
	return XXH3_64bits(addr, sizeof(*addr)) % SETS;
}

static bool claims(const struct claim *claim, const struct addr *addr)
{
	return claim->until_us && addr_equal(&claim->addr, addr);
}

/* The claim of this MAC that still holds at `at_us`; NULL. */
static struct claim *claim_of(struct set *set, const struct mac *mac, const struct addr *addr,
                              int64_t at_us)
{
	for (unsigned i = 0; i < WAYS; i++)
		if (claims(&set->way[i], addr) && mac_equal(&set->way[i].mac, mac) &&
		    set->way[i].until_us >= at_us)
			return &set->way[i];
	return NULL;
}

static void claim_put(struct addresses *addresses, struct set *set, const struct mac *mac,
                      const struct addr *addr, int64_t from_us, int64_t until_us)
{
	struct claim *claim = claim_of(set, mac, addr, from_us);

	if (claim) {
		claim->until_us = until_us;
		return;
	}
	claim = &set->way[0];
	for (unsigned i = 1; i < WAYS; i++)
		if (set->way[i].until_us < claim->until_us)
			claim = &set->way[i];
	addresses->refused += claim->until_us > from_us;
	*claim = (struct claim){*addr, *mac, from_us, until_us};
}

void addresses_lease(struct addresses *addresses, const struct mac *mac,
                     const struct addr *addr, int64_t from_us, int64_t until_us)
{
	struct set *set = &addresses->lease[set_of(addr)];

	addresses->leases = true;
	for (unsigned i = 0; i < WAYS; i++)
		if (claims(&set->way[i], addr) && !mac_equal(&set->way[i].mac, mac) &&
		    set->way[i].until_us > from_us)
			set->way[i].until_us = from_us;
	claim_put(addresses, set, mac, addr, from_us, until_us);
}

void addresses_give_up(struct addresses *addresses, const struct mac *mac,
                       const struct addr *addr, int64_t at_us)
{
	struct claim *claim = claim_of(&addresses->lease[set_of(addr)], mac, addr, at_us);

	if (claim)
		claim->until_us = at_us;
}

void addresses_neighbour(struct addresses *addresses, const struct mac *mac,
                         const struct addr *addr, int64_t at_us)
{
	addresses->neighbours = true;
	claim_put(addresses, &addresses->neighbour[set_of(addr)], mac, addr, at_us,
	          at_us + NEIGHBOUR_HOLDS_US);
}

bool addresses_leased(const struct addresses *addresses, const struct addr *addr,
                      int64_t first_us, int64_t last_us, struct mac *ret_mac)
{
	const struct set *set;
	const struct claim *best = NULL;

	if (!addresses->leases)
		return false;
	set = &addresses->lease[set_of(addr)];
	for (unsigned i = 0; i < WAYS; i++) {
		const struct claim *claim = &set->way[i];

		/* Intervals do not overlap: the first that is not over is the one in force, or follows. */
		if (claims(claim, addr) && claim->until_us > first_us &&
		    claim->from_us <= last_us && (!best || claim->from_us < best->from_us))
			best = claim;
	}
	if (best)
		*ret_mac = best->mac;
	return best;
}

bool addresses_told(const struct addresses *addresses, const struct addr *addr,
                    int64_t first_us, int64_t last_us, struct mac *ret_mac)
{
	const struct set *set;
	const struct claim *only = NULL;

	if (!addresses->neighbours)
		return false;
	set = &addresses->neighbour[set_of(addr)];
	for (unsigned i = 0; i < WAYS; i++) {
		const struct claim *claim = &set->way[i];

		if (!claims(claim, addr) || claim->until_us < first_us ||
		    claim->from_us > last_us)
			continue;
		if (only && !mac_equal(&only->mac, &claim->mac))
			return false;
		only = claim;
	}
	if (only)
		*ret_mac = only->mac;
	return only;
}

bool addresses_says(const struct addresses *addresses, const struct mac *mac,
                    const struct addr *addr, int64_t first_us, int64_t last_us)
{
	const struct set *set;

	if (!addresses->neighbours)
		return false;
	set = &addresses->neighbour[set_of(addr)];
	for (unsigned i = 0; i < WAYS; i++)
		if (claims(&set->way[i], addr) && mac_equal(&set->way[i].mac, mac) &&
		    set->way[i].until_us >= first_us && set->way[i].from_us <= last_us)
			return true;
	return false;
}

uint64_t addresses_refused(const struct addresses *addresses)
{
	return addresses->refused;
}
