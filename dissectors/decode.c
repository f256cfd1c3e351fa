/*
 * decode.c - see decode.h. Here: the link layer, PPPoE and MPLS. ip.c and transport.c take it from there.
 */
#include "dissectors/layers.h"

enum {
	TYPE_IPV4 = 0x0800,
	TYPE_ARP = 0x0806,
	TYPE_RARP = 0x8035,
	TYPE_IPV6 = 0x86dd,
	TYPE_MPLS = 0x8847,
	TYPE_MPLS_UPSTREAM = 0x8848,
	TYPE_PPPOE = 0x8864,
};
enum { PPP_IPV4 = 0x21, PPP_IPV6 = 0x57 };
#define VLAN_TAGS_MAX 3
#define LABELS_MAX 16

static bool type_is_vlan(uint16_t type)
{
	return type == 0x8100 || type == 0x88a8 || type == 0x9100 || type == 0x9200;
}

/*
 * RFC 2516 4: | version 1, type 1 | code 0: data | session 2 | length 2 | PPP |. PPP is | protocol 2 | data |,
 * the protocol in one byte where that is odd (RFC 1661 2).
 */
static enum decoded decode_pppoe(struct rest rest, struct packet *packet)
{
	const uint8_t *b = rest_take(&rest, 6), *p;
	uint16_t protocol;

	if (!b)
		return rest_fault(&rest, 6);
	if (b[0] != 0x11 || b[1])
		return DECODED_NOT_IP;
	if (be16(b + 4) > rest.wire)
		return DECODED_MALFORMED;
	p = rest_take(&rest, 1);
	if (!p)
		return rest_fault(&rest, 1);
	protocol = *p;
	if (!(protocol & 1)) {
		p = rest_take(&rest, 1);
		if (!p)
			return rest_fault(&rest, 1);
		protocol = (uint16_t)(protocol << 8 | *p);
	}
	if (protocol == PPP_IPV4)
		return decode_ip(rest, 4, packet);
	return protocol == PPP_IPV6 ? decode_ip(rest, 6, packet) : DECODED_NOT_IP;
}

static enum decoded decode_frame(struct rest rest, bool in_mpls, struct packet *packet);

/* The Ethernet frame of a pseudowire; false, and `packet` as before, if it cannot be one that we read. */
static bool decode_pseudowire(struct rest rest, struct packet *packet, enum decoded *ret)
{
	const struct packet before = *packet;

	*ret = decode_frame(rest, true, packet);
	if (*ret != DECODED_MALFORMED && *ret != DECODED_NOT_IP)
		return true;
	*packet = before;
	return false;
}

/*
 * RFC 3032 2.1: labels of | label 20, class 3, bottom 1 | lifetime 8 |. What follows the last one no field
 * says. Its first four bits do: 4 and 6 are IP, 0 a pseudowire's control word (RFC 4385 3), most of them with
 * 16 bits of zero. A pseudowire without one begins with any bits at all (RFC 4928 2), a MAC's.
 */
static enum decoded decode_mpls(struct rest rest, struct packet *packet)
{
	const struct packet before = *packet;
	enum decoded r = DECODED_NOT_IP, other;
	struct rest behind;
	const uint8_t *b;
	bool word, plain;
	uint8_t nibble;

	for (unsigned labels = 0;; labels++) {
		b = rest_take(&rest, 4);
		if (!b)
			return rest_fault(&rest, 4);
		if (b[2] & 1)
			break;
		if (labels == LABELS_MAX)
			return DECODED_MALFORMED;
	}
	if (!rest.left)
		return rest_fault(&rest, 1);
	nibble = rest.at[0] >> 4;
	if (nibble == 4 || nibble == 6) {
		struct packet frame = before;

		r = decode_ip(rest, nibble, packet);
		/* Of two readings that one which leaves less behind it unexplained. */
		if (r != DECODED_MALFORMED && packet->ip_len < rest.wire &&
		    decode_pseudowire(rest, &frame, &other) && other == DECODED_IP &&
		    (uint32_t)(frame.ip - rest.at) + frame.ip_len > packet->ip_len) {
			*packet = frame;
			return other;
		}
		if (r != DECODED_MALFORMED)
			return r;
		*packet = before;
	}
	behind = rest;
	word = !nibble && rest_take(&behind, 4);
	plain = word && !be16(rest.at);
	if ((plain && decode_pseudowire(behind, packet, &r)) ||
	    decode_pseudowire(rest, packet, &r) ||
	    (word && !plain && decode_pseudowire(behind, packet, &r)))
		return r;
	return DECODED_NOT_IP;
}

/* IEEE 802.1Q 9.6: | priority 3, DEI 1, id 12 | EtherType of what follows |. */
static enum decoded decode_type(struct rest rest, uint16_t type, bool in_mpls,
                                struct packet *packet)
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
		decode_arp(rest, packet);
		return DECODED_ARP;
	case TYPE_RARP:
		return DECODED_ARP;
	case TYPE_PPPOE:
		return decode_pppoe(rest, packet);
	case TYPE_MPLS:
	case TYPE_MPLS_UPSTREAM:
		return in_mpls ? DECODED_NOT_IP : decode_mpls(rest, packet);
	default:
		return DECODED_NOT_IP;
	}
}

static enum decoded decode_frame(struct rest rest, bool in_mpls, struct packet *packet)
{
	const uint8_t *b = rest_take(&rest, 14);

	if (!b)
		return rest_fault(&rest, 14);
	memcpy(packet->dst_mac.b, b, 6);
	memcpy(packet->src_mac.b, b + 6, 6);
	return decode_type(rest, be16(b + 12), in_mpls, packet);
}

enum decoded decode_ethernet(struct rest rest, struct packet *packet)
{
	return decode_frame(rest, false, packet);
}

/* LINKTYPE_LINUX_SLL: | packet type 2 | ARPHRD 2 | address length 2 | address 8 | protocol 2 |. */
static enum decoded decode_sll(struct rest rest, struct packet *packet)
{
	const uint8_t *b = rest_take(&rest, 16);

	if (!b)
		return rest_fault(&rest, 16);
	if (be16(b + 4) == 6)
		memcpy(packet->src_mac.b, b + 6, 6);
	return decode_type(rest, be16(b + 14), false, packet);
}

/* LINKTYPE_LINUX_SLL2: | protocol 2 | 0 2 | interface 4 | ARPHRD 2 | type 1 | length 1 | address 8 |. */
static enum decoded decode_sll2(struct rest rest, struct packet *packet)
{
	const uint8_t *b = rest_take(&rest, 20);

	if (!b)
		return rest_fault(&rest, 20);
	if (b[11] == 6)
		memcpy(packet->src_mac.b, b + 12, 6);
	return decode_type(rest, be16(b), false, packet);
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

void packet_empty(struct packet *packet)
{
	uint64_t number = packet->number;
	int64_t time_us = packet->time_us;
	size_t len = sizeof(*packet);

	/* Of a length that is known the compiler makes `rep stos`, which takes several times as long as the call. */
	__asm__("" : "+r"(len));
	memset(packet, 0, len);
	packet->number = number;
	packet->time_us = time_us;
	packet->vlan = VLAN_NONE;
}

enum decoded packet_decode(enum link link, const uint8_t *frame, uint32_t caplen,
                           uint32_t wire_len, struct packet *packet)
{
	struct rest rest = {
		.at = frame,
		.left = caplen,
		.wire = wire_len > caplen ? wire_len : caplen,
	};

	packet_empty(packet);
	packet->wire_len = rest.wire;
	packet->frame = frame;
	packet->frame_len = caplen;
	packet->link = (uint8_t)link;
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
	case LINK_COUNT:
		break;
	}
	return DECODED_NOT_IP;
}

uint32_t packet_headers_len(const struct packet *packet)
{
	uint32_t len = (uint32_t)(packet->ip - packet->frame) + packet->ip_header_len;

	if (packet->payload)
		len = (uint32_t)(packet->payload - packet->frame);
	else if (!packet->fragment_later && packet->transport == TRANSPORT_TCP)
		len += 20; /* cut within: what there is of it */
	return len < packet->frame_len ? len : packet->frame_len;
}
