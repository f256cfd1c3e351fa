/*
 * decode.h - a captured frame -> struct packet: Ethernet, up to three VLAN tags, PPPoE, MPLS, IPv4, IPv6
 * with extension headers, TCP, UDP, ICMP and ICMPv6 with the packet they quote, and who says which
 * address is its own. What a mirror wrapped packets in is taken off by packet_unwrap().
 */
#ifndef DISSECTORS_DECODE_H
#define DISSECTORS_DECODE_H

#include "schema/link.h"
#include "schema/packet.h"

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

/*
 * If the packet, of which packet_decode() said DECODED_IP, is a mirror's wrapping (GRE, ERSPAN I to III,
 * VXLAN, Geneve, TZSP) around something sound: true, *packet is what was inside (number and time_us
 * stay), and *ret says what that is. A tunnel inside a tunnel stays as it is. A wrapping that came in
 * fragments is opened by its first: the rest of what is inside counts as cut off.
 */
bool packet_unwrap(struct packet *packet, enum decoded *ret);
/* Whether it may be one, by protocol and port. Cheap: it is asked of every packet. */
bool packet_seems_wrapped(const struct packet *packet);

/*
 * Of a packet of which DECODED_IP was said: how many bytes from packet->frame on are headers, to the end of that
 * of TCP, UDP or ICMP; of other transports and of later fragments to the end of that of IP.
 */
uint32_t packet_headers_len(const struct packet *packet);

#endif
