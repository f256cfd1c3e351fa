/*
 * ip.c - IPv4 and IPv6 with extension headers, of a frame and of what an ICMP error quotes.
 */
#include "dissectors/layers.h"

enum {
	NEXT_HOP_BY_HOP = 0,
	NEXT_ROUTING = 43,
	NEXT_FRAGMENT = 44,
	NEXT_AUTHENTICATION = 51,
	NEXT_DESTINATION = 60,
};
#define EXTENSIONS_MAX 8

/*
 * The datagram's length by its header against what the frame had. Shorter is Ethernet padding and is
 * cut off; longer is a lie. 0 is what a sending host's own capture shows of a segment that the card
 * will cut up (TCP segmentation offload): then the frame says how long it is.
 */
static enum decoded rest_trim(struct rest *rest, uint32_t header, uint32_t total,
                              struct packet *packet)
{
	if (total < header || total > rest->wire)
		return DECODED_MALFORMED;
	packet->ip_len = total;
	packet->ip_caplen = rest->left < total ? rest->left : total;
	packet->truncated = packet->ip_caplen < total;
	rest->wire = total;
	rest->left = packet->ip_caplen;
	return DECODED_IP;
}

/* RFC 791 3.1. */
static enum decoded decode_ipv4(struct rest rest, struct packet *packet)
{
	struct rest whole = rest;
	const uint8_t *b = rest_take(&rest, 20);
	uint32_t header, total;
	uint16_t fragment;
	enum decoded r;

	if (!b)
		return rest_fault(&rest, 20);
	header = (b[0] & 15u) * 4;
	total = be16(b + 2);
	fragment = be16(b + 6);
	if (b[0] >> 4 != 4 || header < 20)
		return DECODED_MALFORMED;
	if (!total && b[9] == TRANSPORT_TCP)
		total = whole.wire;
	packet->ip_version = 4;
	packet->ip = b;
	r = rest_trim(&whole, header, total, packet);
	if (r != DECODED_IP)
		return r;
	packet->transport = b[9];
	packet->src = addr_from_v4(b + 12);
	packet->dst = addr_from_v4(b + 16);
	packet->ip_id = be16(b + 4);
	packet->fragment = fragment & 0x3fff; /* more to come, or an offset */
	packet->fragment_later = fragment & 0x1fff;
	packet->fragment_at = (uint16_t)((fragment & 0x1fff) * 8);
	if (!rest_take(&whole, header))
		return rest_fault(&whole, header);
	return decode_transport(whole, packet);
}

/* Length of an extension header by its first two bytes (RFC 8200 4, RFC 4302 2.2). */
static uint32_t extension_len(uint8_t next, const uint8_t *b)
{
	return next == NEXT_AUTHENTICATION ? (b[1] + 2u) * 4 : (b[1] + 1u) * 8;
}

static bool next_is_extension(uint8_t next)
{
	return next == NEXT_HOP_BY_HOP || next == NEXT_ROUTING || next == NEXT_FRAGMENT ||
	       next == NEXT_AUTHENTICATION || next == NEXT_DESTINATION;
}

/* RFC 8200 3, 4. */
static enum decoded decode_ipv6(struct rest rest, struct packet *packet)
{
	struct rest whole = rest;
	const uint8_t *b = rest_take(&rest, 40);
	uint32_t total;
	uint8_t next;
	enum decoded r;

	if (!b)
		return rest_fault(&rest, 40);
	if (b[0] >> 4 != 6)
		return DECODED_MALFORMED;
	next = b[6];
	total = 40u + be16(b + 4);
	if (total == 40 && (next == TRANSPORT_TCP || next == NEXT_HOP_BY_HOP))
		total = whole.wire; /* offloaded, or with a jumbo option (RFC 2675) */
	packet->ip_version = 6;
	packet->ip = b;
	r = rest_trim(&whole, 40, total, packet);
	if (r != DECODED_IP)
		return r;
	packet->src = addr_from_v6(b + 8);
	packet->dst = addr_from_v6(b + 24);
	rest = whole;
	(void)rest_take(&rest, 40);
	for (unsigned n = 0; next_is_extension(next); n++) {
		struct rest peek = rest;
		uint32_t len;

		b = rest_take(&peek, 8);
		if (!b)
			return rest_fault(&rest, 8);
		if (n == EXTENSIONS_MAX)
			return DECODED_MALFORMED;
		if (next == NEXT_FRAGMENT) {
			len = 8;
			packet->ip_id = be32(b + 4);
			packet->fragment =
				be16(b + 2) & 0xfff9; /* RFC 6946: a lone one is whole */
			packet->fragment_later = be16(b + 2) & 0xfff8;
			packet->fragment_at = be16(b + 2) & 0xfff8;
		} else {
			len = extension_len(next, b);
		}
		next = b[0];
		if (!rest_take(&rest, len))
			return rest_fault(&rest, len);
		if (packet->fragment_later)
			break;
	}
	packet->transport = next;
	return decode_transport(rest, packet);
}

enum decoded decode_ip(struct rest rest, unsigned version, struct packet *packet)
{
	if (!rest.wire)
		return DECODED_MALFORMED;
	if (!rest.left)
		return DECODED_CUT;
	if (!version)
		version = rest.at[0] >> 4;
	if (version == 4)
		return decode_ipv4(rest, packet);
	if (version == 6)
		return decode_ipv6(rest, packet);
	return DECODED_MALFORMED;
}

/* Up to the transport header of the quoted packet; false if it is not told or has no ports there. */
static bool quoted_ipv4(struct cursor *c, struct packet *packet)
{
	uint32_t header;
	const uint8_t *b = cursor_take(c, 20);

	if (!b)
		return false;
	header = (b[0] & 15u) * 4;
	if (header < 20 || be16(b + 6) & 0x1fff)
		return false;
	packet->quoted_transport = b[9];
	packet->quoted_src = addr_from_v4(b + 12);
	packet->quoted_dst = addr_from_v4(b + 16);
	cursor_skip(c, header - 20);
	return !c->short_read;
}

static bool quoted_ipv6(struct cursor *c, struct packet *packet)
{
	const uint8_t *b = cursor_take(c, 40);
	uint8_t next;

	if (!b)
		return false;
	next = b[6];
	packet->quoted_src = addr_from_v6(b + 8);
	packet->quoted_dst = addr_from_v6(b + 24);
	for (unsigned n = 0; next_is_extension(next); n++) {
		b = cursor_take(c, 8);
		if (!b || n == EXTENSIONS_MAX ||
		    (next == NEXT_FRAGMENT && be16(b + 2) & 0xfff8))
			return false;
		if (next != NEXT_FRAGMENT)
			cursor_skip(c, extension_len(next, b) - 8);
		next = b[0];
	}
	packet->quoted_transport = next;
	return !c->short_read;
}

void decode_quoted(const uint8_t *data, uint32_t len, struct packet *packet)
{
	struct cursor c = cursor_over(data, len);
	uint8_t version = len ? data[0] >> 4 : 0;

	if (version == 4)
		packet->quoted = quoted_ipv4(&c, packet);
	else if (version == 6)
		packet->quoted = quoted_ipv6(&c, packet);
	if (!packet->quoted)
		return;
	if (packet->quoted_transport == TRANSPORT_TCP ||
	    packet->quoted_transport == TRANSPORT_UDP) {
		packet->quoted_src_port = cursor_be16(&c);
		packet->quoted_dst_port = cursor_be16(&c);
		packet->quoted = !c.short_read;
	}
}
