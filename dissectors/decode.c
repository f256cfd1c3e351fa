/*
 * decode.c - see decode.h. Here: the link layer. ip.c and transport.c take it from there.
 */
#include "dissectors/layers.h"

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_RARP = 0x8035,
	TYPE_IPV6 = 0x86dd,
};
#define VLAN_TAGS_MAX 3

static bool type_is_vlan(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/* IEEE 802.1Q 9.6: | priority 3, DEI 1, id 12 | EtherType of what follows |. */
static enum decoded decode_type(struct rest rest, uint16_t type, struct packet *packet)
{
	for (unsigned tags = 0; tags < VLAN_TAGS_MAX && type_is_vlan(type); tags++) {
		const uint8_t *tag = rest_take(&rest, 4);

		if (!tag)
			return rest_fault(&rest, 4);
		if (!tags)
			packet->vlan = be16(tag) & 0xfff;
		type = be16(tag + 2);
	}
	switch (type) {
	case TYPE_IPV4:
		return decode_ip(rest, 4, packet);
	case TYPE_IPV6:
		return decode_ip(rest, 6, packet);
	case TYPE_ARP:
	case TYPE_RARP:
		return DECODED_ARP;
	default:
		return DECODED_NOT_IP;
	}
}

static enum decoded decode_ethernet(struct rest rest, struct packet *packet)
{
	const uint8_t *b = rest_take(&rest, 14);

	if (!b)
		return rest_fault(&rest, 14);
	memcpy(packet->dst_mac.b, b, 6);
	memcpy(packet->src_mac.b, b + 6, 6);
	return decode_type(rest, be16(b + 12), packet);
}

/* LINKTYPE_LINUX_SLL: | packet type 2 | ARPHRD 2 | address length 2 | address 8 | protocol 2 |. */
static enum decoded decode_sll(struct rest rest, struct packet *packet)
{
	const uint8_t *b = rest_take(&rest, 16);

	if (!b)
		return rest_fault(&rest, 16);
	if (be16(b + 4) == 6)
		memcpy(packet->src_mac.b, b + 6, 6);
	return decode_type(rest, be16(b + 14), packet);
}

/* LINKTYPE_LINUX_SLL2: | protocol 2 | 0 2 | interface 4 | ARPHRD 2 | type 1 | length 1 | address 8 |. */
static enum decoded decode_sll2(struct rest rest, struct packet *packet)
{
	const uint8_t *b = rest_take(&rest, 20);

	if (!b)
		return rest_fault(&rest, 20);
	if (b[11] == 6)
		memcpy(packet->src_mac.b, b + 12, 6);
	return decode_type(rest, be16(b), packet);
}

/*
 * LINKTYPE_NULL has the address family in the byte order of the machine that captured, LINKTYPE_LOOP
 * in network order. Families are small numbers, so the order shows. AF_INET is 2 everywhere, AF_INET6
 * has as many numbers as there are BSDs.
 */
static enum decoded decode_loopback(struct rest rest, struct packet *packet)
{
	const uint8_t *b = rest_take(&rest, 4);
	uint32_t family;

	if (!b)
		return rest_fault(&rest, 4);
	family = be32(b);
	if (family > 0xffff)
		family = __builtin_bswap32(family);
	switch (family) {
	case 2:
		return decode_ip(rest, 4, packet);
	case 10: /* Linux */
	case 24: /* NetBSD, OpenBSD */
	case 28: /* FreeBSD */
	case 30: /* Darwin */
		return decode_ip(rest, 6, packet);
	default:
		return DECODED_NOT_IP;
	}
}

enum decoded packet_decode(enum link link, const uint8_t *frame, uint32_t caplen,
                           uint32_t wire_len, struct packet *packet)
{
	struct rest rest = {
		.c = cursor_over(frame, caplen),
		.wire = wire_len > caplen ? wire_len : caplen,
	};

	*packet = (struct packet){
		.number = packet->number,
		.time_us = packet->time_us,
		.wire_len = rest.wire,
		.vlan = VLAN_NONE,
	};
	switch (link) {
	case LINK_ETHERNET:
		return decode_ethernet(rest, packet);
	case LINK_SLL:
		return decode_sll(rest, packet);
	case LINK_SLL2:
		return decode_sll2(rest, packet);
	case LINK_RAW:
		return decode_ip(rest, 0, packet);
	case LINK_LOOPBACK:
		return decode_loopback(rest, packet);
	}
	return DECODED_NOT_IP;
}
