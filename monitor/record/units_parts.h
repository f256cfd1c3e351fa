/*
 * units_parts.h - what units.c and leases.c share. For them alone.
 */
#ifndef MONITOR_RECORD_UNITS_PARTS_H
#define MONITOR_RECORD_UNITS_PARTS_H

#include "monitor/record/routers.h"
#include "monitor/record/units.h"

#define LEASES_MAX 65536
#define ROUTER_NEWS_MAX 16
#define SHARED_MAX 256 /* of more it is not said when they are over */
#define SECOND_US INT64_C(1000000)

struct units {
	const struct policy *policy;
	struct unit **all;
	size_t count, room;
	struct unit **changed; /* those that a flush writes; there is room for all */
	size_t changed_count, changed_room;
	struct idmap by_place; /* hash of (entry, address) -> unit */
	struct idmap by_lease; /* MAC -> struct addr, the address DHCP gave it */
	uint64_t *lease_keys;  /* of these, in the order they came; once full a circle, ... */
	size_t lease_room, lease_first; /* ... of which this one goes next */
	struct addresses *addresses;
	struct routers routers; /* by the packets they send */
	struct routers proxies; /* by what they say of themselves: anybody can say it in their name */
	struct router_news news[ROUTER_NEWS_MAX];
	struct router_news shared[SHARED_MAX]; /* told of, and not over */
	unsigned shared_count;
	unsigned news_count;
	uint64_t refused;
};

/* The key of a MAC in by_lease. */
uint64_t mac_key(const struct mac *mac);

#endif
