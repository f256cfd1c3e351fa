/*
 * tunnel.c - takes off what a mirror wrapped packets in, once: GRE and ERSPAN over IP, VXLAN, Geneve and
 * TZSP over UDP. Nothing of such a header is proof, so the inside must be sound as well.
 */
#include "dissectors/layers.h"

enum { TRANSPORT_GRE = 47 };
enum { PORT_VXLAN = 4789, PORT_GENEVE = 6081, PORT_TZSP = 37008 };
enum { GRE_CHECKSUM = 0x8000, GRE_ROUTING = 0x4000, GRE_KEY = 0x2000, GRE_SEQUENCE = 0x1000 };
enum {
	TYPE_IPV4 = 0x0800,
	TYPE_BRIDGED = 0x6558,
	TYPE_IPV6 = 0x86dd,
	TYPE_ERSPAN = 0x88be, /* I and II */
	TYPE_ERSPAN_III = 0x22eb,
};
/* No packet on a wire is longer: what was cut off on its way here is not known to us. */
#define WIRE_MAX (1u << 17)
#define IP_MAX (40 + UINT16_MAX)

struct inside {
	struct rest rest;
	enum tunnel tunnel;
	bool ip;       /* it begins there; else with Ethernet */
	uint16_t vlan; /* that its header tells of; VLAN_NONE */
};

/*
 * draft-foschiano-erspan-03 4.2, 4.3:
 *   II:  | version 4: 1, VLAN 12 | class 3, encapsulation 2, truncated 1, session 10 | 12, index 20 |
 *   III: | version 4: 2, VLAN 12 | class 3, 2, truncated 1, session 10 | timestamp 32 | group 16 |
 *        | P 1, frame type 5: 0 Ethernet, 2 IP | hardware 6, D 1, granularity 2, O 1 | O: 8 bytes |
 * Type I has none. Whether the frame was truncated its IP header tells as well.
 */
static bool read_erspan(struct inside *inside, bool third, bool sequence)
{
	const uint8_t *b;
	uint16_t flags;

	inside->tunnel = TUNNEL_ERSPAN;
	if (!third && !sequence)
		return true;
	b = rest_take(&inside->rest, third ? 12 : 8);
	if (!b || b[0] >> 4 != (third ? 2 : 1))
		return false;
	if (be16(b) & 0xfff)
		inside->vlan = be16(b) & 0xfff;
	if (!third)
		return true;
	flags = be16(b + 10);
	if ((flags >> 10 & 31) == 2)
		inside->ip = true;
	else if (flags >> 10 & 31)
		return false;
	return !(flags & 1) || rest_take(&inside->rest, 8);
}

/* RFC 2784 2.1, RFC 2890 2: | flags 13, version 3: 0 | type 2 | checksum 4 | key 4 | sequence 4 |. */
static bool read_gre(struct inside *inside)
{
	const uint8_t *b = rest_take(&inside->rest, 4);
	uint16_t flags, type;

	if (!b)
		return false;
	flags = be16(b);
	type = be16(b + 2);
	if (flags & (GRE_ROUTING | 7))
		return false;
	for (unsigned flag = GRE_CHECKSUM; flag >= GRE_SEQUENCE; flag >>= 1)
		if (flags & flag && !rest_take(&inside->rest, 4))
			return false;
	inside->tunnel = TUNNEL_GRE;
	switch (type) {
	case TYPE_BRIDGED:
		return true;
	case TYPE_IPV4:
	case TYPE_IPV6:
		inside->ip = true;
		return true;
	case TYPE_ERSPAN:
	case TYPE_ERSPAN_III:
		return read_erspan(inside, type == TYPE_ERSPAN_III, flags & GRE_SEQUENCE);
	default:
		return false;
	}
}

/* RFC 7348 5: | flags 1: 0x08, with a group policy 0x88 | 3 | network 3 | 0 |. */
static bool read_vxlan(struct inside *inside)
{
	const uint8_t *b = rest_take(&inside->rest, 8);

	inside->tunnel = TUNNEL_VXLAN;
	return b && (b[0] & 0x7f) == 0x08 && !b[7];
}

/* RFC 8926 3.4: | version 2: 0, options 6, in units of 4 | control 1, critical 1, 6 | type 2 | network 3 | 0 |. */
static bool read_geneve(struct inside *inside)
{
	const uint8_t *b = rest_take(&inside->rest, 8);
	uint16_t type;

	if (!b || b[0] >> 6 || b[1] & 0x80 || b[7] ||
	    !rest_take(&inside->rest, (b[0] & 63u) * 4))
		return false;
	inside->tunnel = TUNNEL_GENEVE;
	type = be16(b + 2);
	inside->ip = type == TYPE_IPV4 || type == TYPE_IPV6;
	return inside->ip || type == TYPE_BRIDGED;
}

/*
 * TaZmen Sniffer Protocol (as Wireshark's packet-tzsp.c reads it): | version 1 | type: 0 received, 1 to be
 * sent | 2: Ethernet is 1 | tags: type 1, length 1, value; 0 is padding and 1 the end, both without length |.
 */
static bool read_tzsp(struct inside *inside)
{
	const uint8_t *b = rest_take(&inside->rest, 4), *tag;

	inside->tunnel = TUNNEL_TZSP;
	if (!b || b[0] != 1 || b[1] > 1 || be16(b + 2) != 1)
		return false;
	while ((tag = rest_take(&inside->rest, 1)) && *tag != 1) {
		if (!*tag)
			continue;
		tag = rest_take(&inside->rest, 1);
		if (!tag || !rest_take(&inside->rest, *tag))
			return false;
	}
	return tag;
}

static bool inside_find(const struct packet *packet, struct inside *inside)
{
	if (packet->transport == TRANSPORT_GRE) {
		uint32_t header = packet->ip_header_len;

		if (header > packet->ip_caplen)
			return false;
		inside->rest = (struct rest){packet->ip + header, packet->ip_caplen - header,
		                             packet->ip_len - header};
		return read_gre(inside);
	}
	if (packet->transport != TRANSPORT_UDP)
		return false;
	inside->rest =
		(struct rest){packet->payload, packet->payload_len, packet->payload_wire_len};
	switch (packet->dst_port) {
	case PORT_VXLAN:
		return read_vxlan(inside);
	case PORT_GENEVE:
		return read_geneve(inside);
	case PORT_TZSP:
		return read_tzsp(inside);
	default:
		return false;
	}
}

static enum decoded inside_decode(const struct inside *inside, struct packet *packet)
{
	enum decoded r = inside->ip ? decode_ip(inside->rest, 0, packet)
	                            : decode_ethernet(inside->rest, packet);

	if (packet->vlan == VLAN_NONE)
		packet->vlan = inside->vlan;
	return r;
}

/* Groups that only links use among themselves: IEEE 802.1Q 8.6.3, and Cisco's. */
static bool is_link_group(const struct mac *mac)
{
	static const uint8_t BRIDGES[] = {0x01, 0x80, 0xc2}, CISCO[] = {0x01, 0x00, 0x0c};

	return !memcmp(mac->b, BRIDGES, 3) || !memcmp(mac->b, CISCO, 3);
}

bool packet_seems_wrapped(const struct packet *packet)
{
	if (packet->tunnel || packet->fragment_later)
		return false;
	if (packet->transport != TRANSPORT_UDP)
		return packet->transport == TRANSPORT_GRE;
	return packet->dst_port == PORT_VXLAN || packet->dst_port == PORT_GENEVE ||
	       packet->dst_port == PORT_TZSP;
}

bool packet_unwrap(struct packet *packet, enum decoded *ret)
{
	struct inside inside = {.vlan = VLAN_NONE};
	struct packet empty, inner;
	enum decoded r;

	if (!packet_seems_wrapped(packet) || !inside_find(packet, &inside))
		return false;
	empty.number = packet->number;
	empty.time_us = packet->time_us;
	packet_empty(&empty);
	empty.tunnel = (uint8_t)inside.tunnel;
	empty.wire_len = inside.rest.wire;
	empty.frame = inside.rest.at;
	empty.frame_len = inside.rest.left;
	empty.link = inside.ip ? LINK_RAW : LINK_ETHERNET;
	inner = empty;
	r = inside_decode(&inside, &inner);
	if (r == DECODED_MALFORMED && inside.rest.wire < WIRE_MAX) {
		/* Mirrors cut long packets, and few say so. */
		inside.rest.wire = WIRE_MAX;
		inner = empty;
		r = inside_decode(&inside, &inner);
		if (!inner.truncated || inner.ip_len > IP_MAX)
			r = DECODED_MALFORMED;
	}
	/* Over UDP only what can be nothing else. */
	if (r == DECODED_MALFORMED ||
	    (r == DECODED_NOT_IP && packet->transport == TRANSPORT_UDP &&
	     !is_link_group(&inner.dst_mac)))
		return false;
	*packet = inner;
	*ret = r;
	return true;
}
