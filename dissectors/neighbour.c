/*
 * neighbour.c - who says which address is its own: ARP (RFC 826, RFC 5227) and neighbour discovery
 * (RFC 4861 4). Only what a host says of itself counts, in a frame that comes from the MAC it names:
 * whoever answers for another address in another's name tells nothing.
 */
#include "dissectors/layers.h"

enum { ARP_REQUEST = 1, ARP_REPLY = 2 };
enum { ND_ROUTER_SOLICIT = 133, ND_ROUTER_ADVERT, ND_SOLICIT, ND_ADVERT };
enum { OPTION_SOURCE = 1, OPTION_TARGET = 2 };

/* A MAC of one host, and the frame's sender's, where the link tells that. */
static bool mac_speaks(const struct packet *packet, const uint8_t mac[6])
{
	struct mac own;

	memcpy(own.b, mac, 6);
	return !(own.b[0] & 1) && !mac_is_zero(&own) &&
	       (mac_is_zero(&packet->src_mac) || mac_equal(&packet->src_mac, &own));
}

static void note(struct packet *packet, const struct addr *addr, const uint8_t mac[6])
{
	if (addr_is_unspecified(addr) || addr_is_multicast(addr) || !mac_speaks(packet, mac))
		return;
	packet->neighbour = *addr;
	memcpy(packet->neighbour_mac.b, mac, 6);
}

/*
 * | hardware 2: 1 | protocol 2: IPv4 | 6 | 4 | operation 2 | sender's MAC 6, IP 4 | target's MAC 6, IP 4 |.
 * A probe (RFC 5227 2.1.1) has no sender's address yet.
 */
void decode_arp(struct rest rest, struct packet *packet)
{
	const uint8_t *b = rest_take(&rest, 28);
	struct addr addr;

	if (!b || be32(b) != 0x00010800 || be16(b + 4) != 0x0604 ||
	    (be16(b + 6) != ARP_REQUEST && be16(b + 6) != ARP_REPLY))
		return;
	addr = addr_from_v4(b + 14);
	note(packet, &addr, b + 8);
}

/* Options | type 1 | length 1, in units of 8 | ... |: the MAC of the one wanted, or NULL. */
static const uint8_t *find_option(struct cursor c, uint8_t wanted)
{
	while (c.left >= 8) {
		uint8_t type = c.at[0], units = c.at[1];
		const uint8_t *b = units ? cursor_take(&c, units * 8u) : NULL;

		if (!b)
			return NULL;
		if (type == wanted && units == 1)
			return b + 2;
	}
	return NULL;
}

/*
 * An advertisement tells of its target, the others of their sender, unless that has no address yet
 * (duplicate address detection, RFC 4862 5.4). None comes from behind a router: the hop limit is 255.
 */
void decode_nd(struct rest rest, struct packet *packet)
{
	const uint8_t *target = NULL, *mac;

	if (packet->ip[7] != 255 || packet->icmp_code ||
	    packet->icmp_type < ND_ROUTER_SOLICIT || packet->icmp_type > ND_ADVERT)
		return;
	if (packet->icmp_type == ND_ROUTER_ADVERT)
		(void)rest_take(&rest, 8); /* reachable time, retransmission */
	else if (packet->icmp_type != ND_ROUTER_SOLICIT)
		target = rest_take(&rest, 16);
	if (packet->icmp_type != ND_ADVERT) {
		mac = find_option(rest_cursor(&rest), OPTION_SOURCE);
		if (mac)
			note(packet, &packet->src, mac);
		return;
	}
	mac = target ? find_option(rest_cursor(&rest), OPTION_TARGET) : NULL;
	if (mac) {
		struct addr addr = addr_from_v6(target);

		note(packet, &addr, mac);
	}
}
