/*
 * routers.h - which of the MACs that would tell a unit stand before many addresses: those are a router's,
 * or of a host that answers for others (RFC 1027), and tell nobody. Bounded: of at most ROUTERS_MAX MACs.
 */
#ifndef MONITOR_RECORD_ROUTERS_H
#define MONITOR_RECORD_ROUTERS_H

#include "monitor/idmap.h"
#include "schema/addr.h"

#define ROUTERS_MAX 65536
/*
 * More addresses than that within an hour are no one host's. A unit has one of IPv4, two while it changes
 * or on two networks; of IPv6 a link-local, a unique local and a global one, the two latter with temporary ones
 * of several days beside them (RFC 8981 3.4).
 */
#define ROUTER_V4 4
#define ROUTER_V6 16

struct routers {
	struct idmap macs;
	uint64_t refused;
};

void routers_init(struct routers *routers);
void routers_release(struct routers *routers);
/*
 * A frame from `mac` had this address, or (a table of its own) it said so. True if by that it is a router's, and
 * was none. It is one until an hour has passed in which it had no more addresses than one host.
 */
bool routers_note(struct routers *routers, const struct mac *mac, const struct addr *addr,
                  int64_t at_us);
/* As the recorder before knew: since when; it is one for an hour from `at_us` on. */
void routers_recall(struct routers *routers, const struct mac *mac, int64_t since_us,
                    int64_t at_us);
bool routers_has(const struct routers *routers, const struct mac *mac, int64_t at_us);
/* When it became one last, and until when it is one if nothing more is seen of it; 0: never. */
int64_t routers_since(const struct routers *routers, const struct mac *mac);
int64_t routers_until(const struct routers *routers, const struct mac *mac);

#endif
