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
	bool router;
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

bool routers_note(struct routers *routers, const struct mac *mac, const struct addr *addr,
                  int64_t at_us)
{
	struct front *front = front_of(routers, mac);
	bool v6 = !addr_is_v4(addr);
	unsigned limit = v6 ? ROUTER_V6 : ROUTER_V4;
	struct fronted *list;

	if (!front || front->router || addr_is_unspecified(addr) || addr_is_multicast(addr))
		return false;
	list = v6 ? front->v6 : front->v4;
	for (unsigned i = 0; i < front->count[v6]; i++)
		if (addr_equal(&list[i].addr, addr)) {
			if (at_us > list[i].last_us)
				list[i].last_us = at_us;
			return false;
		}
	front->count[v6] = forget_old(list, front->count[v6], at_us);
	list[front->count[v6]++] = (struct fronted){*addr, at_us};
	front->router = front->count[v6] > limit;
	return front->router;
}

void routers_recall(struct routers *routers, const struct mac *mac)
{
	struct front *front = front_of(routers, mac);

	if (front)
		front->router = true;
}

bool routers_has(const struct routers *routers, const struct mac *mac)
{
	const struct front *front = idmap_find(&routers->macs, key_of(mac));

	return front && front->router;
}
