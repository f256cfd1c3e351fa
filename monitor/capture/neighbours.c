/*
 * neighbours.c - see neighbours.h. A direct-mapped table: never full.
 */
#include "monitor/capture/neighbours.h"

#include <xxhash.h>

#define AGAIN_US (60 * SECOND_US)
#define SECOND_US INT64_C(1000000)

enum neighbour neighbours_note(struct neighbours *neighbours, const struct packet *packet)
{
	struct {
		struct addr address;
		struct mac mac;
		uint16_t tunnel;
	} key = {packet->neighbour, packet->neighbour_mac, packet->tunnel};
	struct neighbour_slot *slot =
		&neighbours->slots[XXH3_64bits(&key, sizeof(key)) % NEIGHBOURS_MAX];
	int64_t now_us = packet->time_us;

	if (mac_is_zero(&key.mac) ||
	    (slot->told_us && now_us >= slot->told_us && now_us - slot->told_us < AGAIN_US &&
	     slot->tunnel == key.tunnel && addr_equal(&slot->address, &key.address) &&
	     mac_equal(&slot->mac, &key.mac)))
		return NEIGHBOUR_KNOWN;
	if (neighbours->second != now_us / SECOND_US) {
		neighbours->second = now_us / SECOND_US;
		neighbours->told = 0;
	}
	if (neighbours->told == NEIGHBOURS_A_SECOND)
		return NEIGHBOUR_REFUSED;
	neighbours->told++;
	*slot = (struct neighbour_slot){now_us, key.address, key.mac,
	                                 packet->tunnel};
	return NEIGHBOUR_NEW;
}
