/*
 * routers.c - see routers.h.
 */
#include "monitor/record/routers.h"

#define WITHIN_US (3600 * INT64_C(1000000))

struct fronted {
	struct addr addr;
	int64_t last_us;
};

struct front {
	int64_t since_us, until_us; /* it was, or is, a router's; 0: it never was */
	unsigned count[2]; /* of IPv4, IPv6 */
	struct fronted v4[ROUTER_V4 + 1], v6[ROUTER_V6 + 1];
};

void routers_init(struct routers *routers)
{
	idmap_init(&routers->macs, ROUTERS_MAX);
}

void routers_release(struct routers *routers)
{
	for (size_t i = 0; i < routers->macs.size; i++)
		free(routers->macs.slots[i].value);
	idmap_release(&routers->macs);
}

static uint64_t key_of(const struct mac *mac)
{
	uint64_t key = 1;

	for (unsigned i = 0; i < sizeof(mac->b); i++)
		key = key << 8 | mac->b[i];
	return key;
}

static struct front *front_of(struct routers *routers, const struct mac *mac)
{
	struct front *front = idmap_find(&routers->macs, key_of(mac));

	if (front)
		return front;
	front = calloc(1, sizeof(*front));
	if (front && idmap_add(&routers->macs, key_of(mac), front) < 0) {
		free(front);
		front = NULL;
	}
	routers->refused += !front;
	return front;
}

/* Drops what was not seen for an hour; returns how many are left. */
static unsigned forget_old(struct fronted *list, unsigned count, int64_t at_us)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < count; i++)
		if (at_us - list[i].last_us <= WITHIN_US)
			list[kept++] = list[i];
	return kept;
}

static struct fronted *oldest_of(struct fronted *list, unsigned count)
{
	struct fronted *oldest = list;

	for (unsigned i = 1; i < count; i++)
		if (list[i].last_us < oldest->last_us)
			oldest = &list[i];
	return oldest;
}

/* Puts the address into a list of more places than one host has addresses, the latest ones. */
static void fronted_put(struct fronted *list, unsigned *count, unsigned places,
                        const struct addr *addr, int64_t at_us)
{
	for (unsigned i = 0; i < *count; i++)
		if (addr_equal(&list[i].addr, addr)) {
			if (at_us > list[i].last_us)
				list[i].last_us = at_us;
			return;
		}
	*count = forget_old(list, *count, at_us);
	*(*count < places ? &list[(*count)++] : oldest_of(list, places)) =
		(struct fronted){*addr, at_us};
}

bool routers_note(struct routers *routers, const struct mac *mac, const struct addr *addr,
                  int64_t at_us)
{
	struct front *front = front_of(routers, mac);
	bool v6 = !addr_is_v4(addr), was;
	unsigned places = (v6 ? ROUTER_V6 : ROUTER_V4) + 1;
	struct fronted *list;
	int64_t until_us;

	if (!front || addr_is_unspecified(addr) || addr_is_multicast(addr))
		return false;
	list = v6 ? front->v6 : front->v4;
	fronted_put(list, &front->count[v6], places, addr, at_us);
	if (front->count[v6] < places)
		return false;
	was = at_us <= front->until_us;
	until_us = oldest_of(list, places)->last_us + WITHIN_US;
	if (until_us > front->until_us)
		front->until_us = until_us;
	if (was || at_us > front->until_us)
		return false;
	front->since_us = at_us;
	return true;
}

void routers_recall(struct routers *routers, const struct mac *mac, int64_t since_us,
                    int64_t at_us)
{
	struct front *front = front_of(routers, mac);

	if (!front)
		return;
	front->since_us = since_us;
	front->until_us = at_us + WITHIN_US;
}

static const struct front *front_find(const struct routers *routers, const struct mac *mac)
{
	return idmap_find(&routers->macs, key_of(mac));
}

bool routers_has(const struct routers *routers, const struct mac *mac, int64_t at_us)
{
	int64_t until_us = routers_until(routers, mac);

	return until_us && at_us <= until_us;
}

int64_t routers_since(const struct routers *routers, const struct mac *mac)
{
	const struct front *front = front_find(routers, mac);

	return front ? front->since_us : 0;
}

int64_t routers_until(const struct routers *routers, const struct mac *mac)
{
	const struct front *front = front_find(routers, mac);

	return front ? front->until_us : 0;
}
