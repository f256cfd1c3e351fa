/*
 * neighbours.h - what ARP and neighbour discovery tell, each pair of MAC and address once a minute. Fixed
 * in size; what is told of more pairs a second than a network has is refused, for a flood must not
 * take the place of names and leases.
 */
#ifndef MONITOR_CAPTURE_NEIGHBOURS_H
#define MONITOR_CAPTURE_NEIGHBOURS_H

#include "schema/packet.h"

#define NEIGHBOURS_MAX 4096     /* pairs remembered; another in the place of one is told anew */
#define NEIGHBOURS_A_SECOND 200 /* told; past that the others are refused */

struct neighbours {
	struct neighbour_slot {
		int64_t told_us; /* 0: none */
		struct addr address;
		struct mac mac;
		uint8_t tunnel; /* enum tunnel: a claim in one may be anybody's */
	} slots[NEIGHBOURS_MAX];
	int64_t second;
	uint32_t told; /* in that second */
};

enum neighbour { NEIGHBOUR_KNOWN, NEIGHBOUR_NEW, NEIGHBOUR_REFUSED };

/* Of a packet that may tell of a neighbour: whether the recorder is to hear of it. */
enum neighbour neighbours_note(struct neighbours *neighbours, const struct packet *packet);

#endif
