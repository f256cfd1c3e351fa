/*
 * transport.c - TCP, UDP, ICMP and ICMPv6. A header cut by the snap length behind its ports is good
 * enough to file the packet; what was cut off reads as zero.
 */
#include "dissectors/layers.h"

static void take_payload(struct packet *packet, struct rest rest)
{
	packet->payload = rest.at;
	packet->payload_len = rest.left < rest.wire ? rest.left : rest.wire;
	packet->payload_wire_len = rest.wire;
}

/* RFC 9293 3.1. */
static enum decoded decode_tcp(struct rest rest, struct packet *packet)
{
	struct cursor c = rest_cursor(&rest);
	uint32_t header;

	if (rest.wire < 20)
		return DECODED_MALFORMED;
	packet->src_port = cursor_be16(&c);
	packet->dst_port = cursor_be16(&c);
	if (c.short_read)
		return DECODED_CUT;
	packet->tcp_seq = cursor_be32(&c);
	packet->tcp_ack = cursor_be32(&c);
	header = (uint32_t)(cursor_u8(&c) >> 4) * 4;
	packet->tcp_flags = cursor_u8(&c);
	if (c.short_read)
		return DECODED_IP;
	if (header < 20 || header > rest.wire)
		return DECODED_MALFORMED;
	(void)rest_jump(&rest, header);
	rest.wire -= header;
	take_payload(packet, rest);
	return DECODED_IP;
}

/*
 * RFC 768. Bytes behind the length the header gives are no part of the datagram. More than the
 * IP header has is a lie, but in the first of several fragments: then the length counts them all.
 * Length 0 is a jumbogram (RFC 2675 4) or an offloaded train of datagrams.
 */
static enum decoded decode_udp(struct rest rest, struct packet *packet)
{
	struct cursor c = rest_cursor(&rest);
	uint32_t len;

	if (rest.wire < 8)
		return DECODED_MALFORMED;
	packet->src_port = cursor_be16(&c);
	packet->dst_port = cursor_be16(&c);
	if (c.short_read)
		return DECODED_CUT;
	len = cursor_be16(&c);
	if (c.short_read || !len)
		len = rest.wire;
	if (len < 8 || (len > rest.wire && !packet->fragment))
		return DECODED_MALFORMED;
	(void)rest_jump(&rest, 8);
	rest.wire = len - 8;
	take_payload(packet, rest);
	return DECODED_IP;
}

static bool icmp_quotes(const struct packet *packet)
{
	uint8_t type = packet->icmp_type;

	if (packet->transport == TRANSPORT_ICMP6)
		return type >= 1 && type <= 4; /* RFC 4443 2.1 */
	return type == 3 || type == 4 || type == 5 || type == 11 || type == 12; /* RFC 792 */
}

/* What ICMPv6 does for a link, and membership of groups (RFC 4861 4, RFC 3810 5). */
static enum decoded icmp6_kind(uint8_t type)
{
	if (type >= 133 && type <= 137)
		return DECODED_ND;
	if ((type >= 130 && type <= 132) || type == 143)
		return DECODED_IGMP;
	return DECODED_IP;
}

static enum decoded decode_icmp(struct rest rest, struct packet *packet)
{
	struct cursor c = rest_cursor(&rest);

	if (rest.wire < 8)
		return DECODED_MALFORMED;
	packet->icmp_type = cursor_u8(&c);
	packet->icmp_code = cursor_u8(&c);
	if (c.short_read)
		return DECODED_CUT;
	(void)rest_jump(&rest, 8);
	rest.wire -= 8;
	take_payload(packet, rest);
	if (icmp_quotes(packet))
		decode_quoted(packet->payload, packet->payload_len, packet);
	if (packet->transport == TRANSPORT_ICMP6)
		decode_nd(rest, packet);
	return packet->transport == TRANSPORT_ICMP6 ? icmp6_kind(packet->icmp_type)
	                                            : DECODED_IP;
}

enum decoded decode_transport(struct rest rest, struct packet *packet)
{
	packet->ip_header_len = packet->ip_len - rest.wire;
	if (packet->fragment_later)
		return packet->transport == 2 ? DECODED_IGMP : DECODED_IP;
	switch (packet->transport) {
	case TRANSPORT_TCP:
		return decode_tcp(rest, packet);
	case TRANSPORT_UDP:
		return decode_udp(rest, packet);
	case TRANSPORT_ICMP:
	case TRANSPORT_ICMP6:
		return decode_icmp(rest, packet);
	case 2:
		return DECODED_IGMP;
	default:
		return DECODED_IP;
	}
}
