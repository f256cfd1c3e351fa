/*
 * ahead.c - see ahead.h. Reads Ethernet, with one tag at most, IPv4 and IPv6 with TCP or UDP right behind: nearly
 * all packets there are. What else there is decode.c reads.
 */
#include "monitor/capture/ahead.h"

enum { ETHERNET = 14, TAG = 4, TYPE_TAG = 0x8100, TYPE_IPV4 = 0x0800, TYPE_IPV6 = 0x86dd };

static unsigned be16_at(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

/* The ports, behind addresses and protocol. */
static bool read_ports(const uint8_t *at, const uint8_t *end, struct packet *packet)
{
	if ((packet->transport != TRANSPORT_TCP && packet->transport != TRANSPORT_UDP) ||
	    end - at < 4)
		return false;
	packet->src_port = (uint16_t)be16_at(at);
	packet->dst_port = (uint16_t)be16_at(at + 2);
	return true;
}

static bool read_ipv4(const uint8_t *at, const uint8_t *end, struct packet *packet)
{
	if (end - at < 20 || be16_at(at + 6) & 0x3fff)
		return false;
	packet->ip_version = 4;
	packet->transport = at[9];
	packet->src = addr_from_v4(at + 12);
	packet->dst = addr_from_v4(at + 16);
	return read_ports(at + (at[0] & 15u) * 4, end, packet);
}

static bool read_ipv6(const uint8_t *at, const uint8_t *end, struct packet *packet)
{
	if (end - at < 40)
		return false;
	packet->ip_version = 6;
	packet->transport = at[6];
	packet->src = addr_from_v6(at + 8);
	packet->dst = addr_from_v6(at + 24);
	return read_ports(at + 40, end, packet);
}

/* What of it makes the key; the rest of *packet is left as it was. */
static bool read_frame(const struct frame *frame, struct packet *packet)
{
	const uint8_t *at = frame->bytes, *end = at + frame->caplen;
	unsigned type;

	if (frame->link != LINK_ETHERNET || frame->caplen < ETHERNET + TAG)
		return false;
	type = be16_at(at + 12);
	at += ETHERNET;
	if (type == TYPE_TAG) {
		type = be16_at(at + 2);
		at += TAG;
	}
	if (type == TYPE_IPV4)
		return read_ipv4(at, end, packet);
	return type == TYPE_IPV6 && read_ipv6(at, end, packet);
}

void ahead_look(struct ahead *ahead, const struct flowtab *tab, const struct frame *frame)
{
	uint32_t *hash = &ahead->hash[ahead->at++ % AHEAD_STEP];
	struct packet packet;
	struct flow_key key;

	if (*hash)
		flowtab_near(tab, *hash);
	*hash = 0;
	if (!read_frame(frame, &packet))
		return;
	(void)flow_key_of(&packet, NULL, &key);
	*hash = (uint32_t)flow_key_hash(&key);
	flowtab_near_place(tab, *hash);
}
