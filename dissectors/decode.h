/*
 * decode.h - a captured frame -> struct packet: Ethernet, up to three VLAN tags, IPv4, IPv6 with
 * extension headers, TCP, UDP, ICMP and ICMPv6 with the packet they quote.
 */
#ifndef DISSECTORS_DECODE_H
#define DISSECTORS_DECODE_H

#include "schema/packet.h"

/* Link types by what they look like, not by libpcap's numbers. */
enum link { LINK_ETHERNET, LINK_SLL, LINK_SLL2, LINK_RAW, LINK_LOOPBACK };

enum decoded {
	DECODED_IP, /* packet is filled; also for a later fragment */
	DECODED_ARP,
	DECODED_IGMP,      /* and MLD: membership upkeep, no flow */
	DECODED_ND,        /* ICMPv6 133-137 */
	DECODED_NOT_IP,    /* any other EtherType, 802.3 */
	DECODED_MALFORMED, /* the headers contradict themselves or the wire length */
	DECODED_CUT, /* the snap length cut it before the ports: nothing to file it under */
};

/*
 * Reads the frame of `caplen` bytes (`wire_len` on the wire). Fills every field of *packet but
 * number and time_us, which stay untouched. Never reads past caplen. `packet` borrows `frame`.
 */
enum decoded packet_decode(enum link link, const uint8_t *frame, uint32_t caplen,
                           uint32_t wire_len, struct packet *packet);

#endif
