/*
 * wire_ip.c - the headers of wire.c's packets: link, IP, TCP, UDP, ICMP, ARP.
 */
#include "tests/lib/wire_inner.h"

static void put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value)
{
	put16(at, value >> 16);
	put16(at + 2, value & 0xffff);
}

/* `frame` has room for the padding. */
static void padded_send(struct wire *w, uint8_t *frame, size_t len)
{
	if (len < w->pad) {
		memset(frame + len, 0, w->pad - len);
		len = w->pad;
	}
	wire_frame(w, frame, len);
}

/* The link header before `ether_type`; returns its length. */
static size_t link_put(const struct wire *w, const struct pair *pair, unsigned ether_type,
                       uint8_t *at)
{
	uint8_t from[6], to[6];
	size_t len = 12;

	mac_of(w, &pair->from, from);
	mac_of(w, &pair->to, to);
	switch (w->link) {
	case WIRE_ETHERNET:
		memcpy(at, to, 6);
		memcpy(at + 6, from, 6);
		for (unsigned i = 0; i < w->vlan_count; i++, len += 4) {
			/* IEEE 802.1Q 9.6: the inner tag is 0x8100, those around it 0x88a8 */
			put16(at + len, i + 1 < w->vlan_count ? 0x88a8 : 0x8100);
			put16(at + len + 2, w->vlan[i]);
		}
		put16(at + len, ether_type);
		return len + 2;
	case WIRE_SLL: /* LINKTYPE_LINUX_SLL: type, ARPHRD, length, address, protocol */
		memset(at, 0, 16);
		put16(at + 2, 1);
		put16(at + 4, 6);
		memcpy(at + 6, from, 6);
		put16(at + 14, ether_type);
		return 16;
	case WIRE_SLL2: /* LINKTYPE_LINUX_SLL2: protocol, 0, interface, ARPHRD, type, length, address */
		memset(at, 0, 20);
		put16(at, ether_type);
		put32(at + 4, 2);
		put16(at + 8, 1);
		at[11] = 6;
		memcpy(at + 12, from, 6);
		return 20;
	case WIRE_RAW:
		return 0;
	case WIRE_NULL: /* the address family in the order of whoever wrote it: little-endian here */
		memcpy(at, (uint8_t[]){pair->from.v6 ? 30 : 2, 0, 0, 0}, 4);
		return 4;
	case WIRE_LOOP:
		put32(at, pair->from.v6 ? 24 : 2);
		return 4;
	}
	wrong("no such link type", "");
}

static uint32_t sum_add(uint32_t sum, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i + 1 < len; i += 2)
		sum += (uint32_t)data[i] << 8 | data[i + 1];
	if (len % 2)
		sum += (uint32_t)data[len - 1] << 8;
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum;
}

/* RFC 1071 over the pseudo header (RFC 9293 3.1, RFC 8200 8.1) and the segment. */
static unsigned transport_sum(const struct pair *pair, uint8_t protocol, const uint8_t *data,
                              size_t len)
{
	size_t addr_len = pair->from.v6 ? 16 : 4;
	uint32_t sum = sum_add(0, pair->from.addr, addr_len);

	sum = sum_add(sum, pair->to.addr, addr_len);
	sum = sum_add(sum + protocol + (uint32_t)(len >> 16) + (len & 0xffff), data, len);
	return ~sum & 0xffff;
}

static size_t ip4_put(const struct pair *pair, uint8_t protocol, uint32_t id,
                      size_t payload_len, unsigned offset, bool more, uint8_t *at)
{
	if (payload_len + 20 > 65535)
		wrong("too long for IPv4", "65515 bytes at most");
	memset(at, 0, 20);
	at[0] = 0x45;
	put16(at + 2, (unsigned)payload_len + 20);
	put16(at + 4, id & 0xffff);
	put16(at + 6, offset / 8 | (more ? 0x2000U : 0));
	at[8] = pair->to.addr[0] >> 4 == 14 ? 1 : 64;
	at[9] = protocol;
	memcpy(at + 12, pair->from.addr, 4);
	memcpy(at + 16, pair->to.addr, 4);
	put16(at + 10, ~sum_add(0, at, 20) & 0xffff);
	return 20;
}

static size_t ip6_put(const struct pair *pair, uint8_t protocol, size_t payload_len,
                      uint8_t *at)
{
	if (payload_len > 65535)
		wrong("too long for IPv6", "65535 bytes at most");
	memset(at, 0, 40);
	at[0] = 0x60;
	put16(at + 4, (unsigned)payload_len);
	at[6] = protocol;
	at[7] = pair->to.addr[0] == 0xff ? 1 : 64;
	memcpy(at + 8, pair->from.addr, 16);
	memcpy(at + 24, pair->to.addr, 16);
	return 40;
}

static void ip_send(struct wire *w, const struct pair *pair, uint8_t protocol,
                    const uint8_t *payload, size_t len)
{
	static uint8_t buf[64 + WIRE_DATAGRAM];
	bool v6 = pair->from.v6;
	size_t header = v6 ? 40 : 20;
	size_t link = link_put(w, pair, v6 ? 0x86dd : 0x0800, buf);
	uint32_t id = w->ip_id++;
	size_t n;

	if (!w->mtu || header + len <= w->mtu) {
		n = v6 ? ip6_put(pair, protocol, len, buf + link)
		       : ip4_put(pair, protocol, id, len, 0, false, buf + link);
		if (len)
			memcpy(buf + link + n, payload, len);
		padded_send(w, buf, link + n + len);
		w->last_ip_len =
			(uint32_t)(n + len < sizeof(w->last_ip) ? n + len : sizeof(w->last_ip));
		memcpy(w->last_ip, buf + link, w->last_ip_len);
		return;
	}
	size_t room = (w->mtu - header - (v6 ? 8 : 0)) / 8 * 8;

	for (size_t at = 0; at < len; at += room) {
		bool more = len - at > room;
		size_t part = more ? room : len - at;

		if (v6) { /* RFC 8200 4.5 */
			n = ip6_put(pair, 44, part + 8, buf + link);
			buf[link + n] = protocol;
			buf[link + n + 1] = 0;
			put16(buf + link + n + 2, (unsigned)at | more);
			put32(buf + link + n + 4, id);
			n += 8;
		} else {
			n = ip4_put(pair, protocol, id, part, (unsigned)at, more, buf + link);
		}
		memcpy(buf + link + n, payload + at, part);
		padded_send(w, buf, link + n + part);
	}
}

void wire_ip(struct wire *w, const char *text, uint8_t protocol, const void *payload,
             size_t len)
{
	struct pair pair = pair_parse(text, false);

	ip_send(w, &pair, protocol, payload, len);
}

void wire_udp(struct wire *w, const char *tuple, const void *data, size_t len)
{
	struct pair pair = pair_parse(tuple, true);
	static uint8_t buf[WIRE_DATAGRAM];

	if (len + 8 > 65535)
		wrong("too long for UDP", tuple);
	put16(buf, pair.from.port);
	put16(buf + 2, pair.to.port);
	put16(buf + 4, (unsigned)len + 8);
	put16(buf + 6, 0);
	if (len)
		memcpy(buf + 8, data, len);
	unsigned sum = transport_sum(&pair, 17, buf, len + 8);

	put16(buf + 6, sum ? sum : 0xffff); /* RFC 768: zero means none */
	ip_send(w, &pair, 17, buf, len + 8);
}

/* TCP */

/* A connection's first number: any that does not change from run to run (FNV-1a). */
static uint32_t first_number(const struct pair *pair)
{
	uint32_t hash = 2166136261U;
	const struct host *ends[] = {&pair->from, &pair->to};

	for (unsigned e = 0; e < 2; e++) {
		for (unsigned i = 0; i < 16; i++)
			hash = (hash ^ ends[e]->addr[i]) * 16777619U;
		hash = (hash ^ ends[e]->port) * 16777619U;
	}
	return hash;
}

/* NULL if nothing went this way yet. */
static struct stream *stream_find(struct wire *w, const struct host *from,
                                  const struct host *to)
{
	for (unsigned i = w->stream_count; i-- > 0;)
		if (host_equal(&w->stream[i].pair.from, from) &&
		    host_equal(&w->stream[i].pair.to, to))
			return &w->stream[i];
	return NULL;
}

static struct stream *stream_of(struct wire *w, const struct pair *pair)
{
	struct stream *stream = stream_find(w, &pair->from, &pair->to);

	if (stream)
		return stream;
	/* The oldest makes room: a wire of thousands of connections uses each for a short while. */
	if (w->stream_count == STREAMS_MAX) {
		memmove(w->stream, w->stream + STREAMS_MAX / 2, sizeof(w->stream) / 2);
		w->stream_count = STREAMS_MAX / 2;
	}
	stream = &w->stream[w->stream_count++];
	stream->pair = *pair;
	stream->next = first_number(pair);
	return stream;
}

static uint8_t flags_parse(const char *flags)
{
	static const char letters[] = "FSRPAU";
	uint8_t mask = 0;

	for (; *flags; flags++) {
		const char *at = strchr(letters, *flags);

		if (!at)
			wrong("cannot be TCP flags", flags);
		mask |= (uint8_t)(1U << (at - letters));
	}
	return mask;
}

static void segment_send(struct wire *w, struct stream *stream, uint8_t flags,
                         const uint8_t *data, size_t len)
{
	enum { FIN = 1, SYN = 2, ACK = 16 };
	static uint8_t buf[WIRE_DATAGRAM];
	const struct pair pair = stream->pair;
	const struct stream *back = stream_find(w, &pair.to, &pair.from);
	size_t header = flags & SYN ? 24 : 20;

	if ((flags & (SYN | ACK)) == SYN)
		stream->next = first_number(&pair);
	memset(buf, 0, header);
	put16(buf, pair.from.port);
	put16(buf + 2, pair.to.port);
	put32(buf + 4, stream->next);
	if (flags & ACK)
		put32(buf + 8, back ? back->next : 0);
	buf[12] = (uint8_t)(header / 4 << 4);
	buf[13] = flags;
	put16(buf + 14, 64240);
	if (flags & SYN) /* RFC 9293 3.2: maximum segment size */
		memcpy(buf + 20, (uint8_t[]){2, 4, 1460 >> 8, 1460 & 255}, 4);
	if (len)
		memcpy(buf + header, data, len);
	put16(buf + 16, transport_sum(&pair, 6, buf, header + len));
	stream->next += (uint32_t)len + !!(flags & SYN) + !!(flags & FIN);
	ip_send(w, &pair, 6, buf, header + len);
}

void wire_tcp(struct wire *w, const char *tuple, const char *flags, const void *data,
              size_t len)
{
	struct pair pair = pair_parse(tuple, true);
	struct stream *stream = stream_of(w, &pair);
	uint8_t mask = flags_parse(flags);
	const uint8_t *at = data;

	while (w->mss && len > w->mss) {
		segment_send(w, stream, mask & (uint8_t) ~(1 | 8), at, w->mss);
		at += w->mss;
		len -= w->mss;
	}
	segment_send(w, stream, mask, at, len);
}

void wire_lose(struct wire *w, const char *tuple, uint32_t bytes)
{
	struct pair pair = pair_parse(tuple, true);

	stream_of(w, &pair)->next += bytes;
}

/* ICMP and the rest */

static void icmp_send(struct wire *w, const struct pair *pair, uint8_t *message, size_t len)
{
	put16(message + 2, 0);
	if (pair->from
	            .v6) /* RFC 4443 2.3: over the pseudo header; RFC 792: over the message alone */
		put16(message + 2, transport_sum(pair, 58, message, len));
	else
		put16(message + 2, ~sum_add(0, message, len) & 0xffff);
	ip_send(w, pair, pair->from.v6 ? 58 : 1, message, len);
}

void wire_echo(struct wire *w, const char *text, bool reply, uint16_t id, uint16_t seq)
{
	struct pair pair = pair_parse(text, false);
	uint8_t message[40] = {0};

	if (pair.from.v6)
		message[0] = reply ? 129 : 128;
	else
		message[0] = reply ? 0 : 8;
	put16(message + 4, id);
	put16(message + 6, seq);
	for (uint8_t i = 8; i < sizeof(message); i++)
		message[i] = i;
	icmp_send(w, &pair, message, sizeof(message));
}

void wire_icmp_error(struct wire *w, const char *text, uint8_t type, uint8_t code)
{
	struct pair pair = pair_parse(text, false);
	uint8_t message[8 + sizeof(w->last_ip)] = {type, code};
	uint32_t quote = w->last_ip_len;

	if (!quote)
		wrong("no packet to quote", text);
	if (!pair.from.v6 && quote > 28) /* RFC 792: the header and eight bytes */
		quote = 28;
	memcpy(message + 8, w->last_ip, quote);
	icmp_send(w, &pair, message, 8 + quote);
}

void wire_arp(struct wire *w, const char *text)
{
	struct pair pair = pair_parse(text, false), seen = pair;
	uint8_t buf[64 + 28];

	if (pair.from.v6)
		wrong("ARP is for IPv4", text);
	memset(seen.to.addr, 255, 4);
	size_t link = link_put(w, &seen, 0x0806, buf);
	uint8_t *arp = buf + link;

	memset(arp, 0, 28);
	put16(arp, 1); /* RFC 826: Ethernet, IPv4, lengths, request */
	put16(arp + 2, 0x0800);
	arp[4] = 6;
	arp[5] = 4;
	put16(arp + 6, 1);
	mac_of(w, &pair.from, arp + 8);
	memcpy(arp + 14, pair.from.addr, 4);
	memcpy(arp + 24, pair.to.addr, 4);
	padded_send(w, buf, link + 28);
}
