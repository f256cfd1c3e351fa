/*
 * addresses.h - which MAC has which address at what time, by what DHCP gives and by what hosts say of
 * themselves. Two tables of fixed size; where a place is wanted that is taken, what is over longest gives
 * way, and among what holds what ends first, which is counted.
 */
#ifndef MONITOR_RECORD_ADDRESSES_H
#define MONITOR_RECORD_ADDRESSES_H

#include "schema/addr.h"

#define ADDRESSES_MAX 65536 /* of each of the two */
/* A host's own word holds so long; ARP is asked again within that where there is any traffic. */
#define NEIGHBOUR_HOLDS_US (600 * INT64_C(1000000))

struct addresses;

/* NULL when out of memory. */
struct addresses *addresses_new(void);
void addresses_free(struct addresses *addresses);

/* DHCP gives the address to this MAC: if another had it, its time is over. */
void addresses_lease(struct addresses *addresses, const struct mac *mac,
                     const struct addr *addr, int64_t from_us, int64_t until_us);
/* It gave it up. */
void addresses_give_up(struct addresses *addresses, const struct mac *mac,
                       const struct addr *addr, int64_t at_us);
/* A host says so. While another says so too neither is believed. */
void addresses_neighbour(struct addresses *addresses, const struct mac *mac,
                         const struct addr *addr, int64_t at_us);

/*
 * Who was given the address: at `first_us`, else the first one by `last_us`. False: nobody we know of.
 */
bool addresses_leased(const struct addresses *addresses, const struct addr *addr,
                      int64_t first_us, int64_t last_us, struct mac *ret_mac);
/* Who said at some moment of [first_us, last_us] that it is its own, unchallenged. */
bool addresses_told(const struct addresses *addresses, const struct addr *addr,
                    int64_t first_us, int64_t last_us, struct mac *ret_mac);
/* Whether this MAC said so then, challenged or not. */
bool addresses_says(const struct addresses *addresses, const struct mac *mac,
                    const struct addr *addr, int64_t first_us, int64_t last_us);

/* What had to give way while it held. */
uint64_t addresses_refused(const struct addresses *addresses);

#endif
