/*
 * checksum.h - whether the checksum of TCP or UDP in a packet is what its sender must have put there.
 */
#ifndef MONITOR_CAPTURE_CHECKSUM_H
#define MONITOR_CAPTURE_CHECKSUM_H

#include "schema/packet.h"

enum checksum {
	CHECKSUM_UNKNOWN, /* neither TCP nor UDP, a fragment, cut, or UDP without one */
	CHECKSUM_RIGHT,
	CHECKSUM_UNSUMMED, /* the sum of the pseudo header alone: the sending host leaves the rest to its card */
	CHECKSUM_WRONG,
};

/* Of a packet that was decoded as IP. */
enum checksum checksum_look(const struct packet *packet);

#endif
