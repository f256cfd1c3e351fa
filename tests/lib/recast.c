/*
 * recast.c - see recast.h.
 */
#include "tests/lib/recast.h"

#include "monitor/capture/capture.h"

#define ETHERNET 14
#define IP_MAX 65575
#define UNITS_V4 0x0a400001u /* 10.64.0.1 */
#define UNITS_BITS 106       /* 10.64.0.0/10, among the addresses as we keep them */

struct host {
	struct addr addr;
	unsigned partners;
	bool sends;
	uint32_t client; /* its number, from 1; 0: it is nobody's client */
};

struct pair {
	size_t host[2]; /* the first sent the pair's first packet */
	int client;     /* which of the two; -1: not yet known */
};

struct kept {
	int64_t at_us;
	size_t begin; /* in bytes */
	uint32_t caplen, len;
	uint16_t header_len; /* of IP */
	uint8_t version, transport;
	bool later, quoted; /* a later fragment; an ICMP error */
	size_t pair, quoted_pair;
};

struct recast {
	uint8_t *bytes;
	size_t byte_count, byte_room;
	struct kept *kept;
	size_t kept_count, kept_room;
	struct host *hosts;
	size_t host_count, host_room;
	struct pair *pairs;
	size_t pair_count, pair_room;
};

static void recast_free(struct recast *capture)
{
	if (!capture)
		return;
	free(capture->bytes);
	free(capture->kept);
	free(capture->hosts);
	free(capture->pairs);
	free(capture);
}

static void recast_freep(struct recast **capture)
{
	recast_free(*capture);
}

void recasting_release(struct recasting *all)
{
	for (size_t i = 0; i < all->count; i++)
		recast_free(all->captures[i]);
	free(all->captures);
}

static int out_of_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static int host_of(struct recast *capture, const struct addr *addr, size_t *ret)
{
	for (*ret = 0; *ret < capture->host_count; ++*ret)
		if (addr_equal(&capture->hosts[*ret].addr, addr))
			return 0;
	if (array_reserve(&capture->hosts, &capture->host_room, *ret + 1, sizeof(struct host)) <
	    0)
		return -ENOMEM;
	capture->hosts[capture->host_count++] = (struct host){.addr = *addr};
	return 0;
}

static int pair_of(struct recast *capture, const struct addr *src, const struct addr *dst,
                   size_t *ret)
{
	size_t from, to;

	if (host_of(capture, src, &from) < 0 || host_of(capture, dst, &to) < 0)
		return -ENOMEM;
	for (*ret = 0; *ret < capture->pair_count; ++*ret) {
		const size_t *host = capture->pairs[*ret].host;

		if ((host[0] == from && host[1] == to) || (host[0] == to && host[1] == from))
			return 0;
	}
	if (array_reserve(&capture->pairs, &capture->pair_room, *ret + 1, sizeof(struct pair)) <
	    0)
		return -ENOMEM;
	capture->pairs[capture->pair_count++] = (struct pair){.host = {from, to}, .client = -1};
	capture->hosts[from].partners++;
	capture->hosts[to].partners++;
	return 0;
}

static int recast_keep(struct recast *capture, const struct packet *packet)
{
	struct kept kept = {
		.at_us = packet->time_us,
		.begin = capture->byte_count,
		.caplen = packet->ip_caplen,
		.len = packet->ip_len,
		.header_len = (uint16_t)packet->ip_header_len,
		.version = packet->ip_version,
		.transport = packet->transport,
		.later = packet->fragment_later,
		.quoted = packet->quoted,
	};
	size_t from;

	if (pair_of(capture, &packet->src, &packet->dst, &kept.pair) < 0 ||
	    host_of(capture, &packet->src, &from) < 0 ||
	    (kept.quoted && pair_of(capture, &packet->quoted_src, &packet->quoted_dst,
	                            &kept.quoted_pair) < 0) ||
	    array_reserve(&capture->kept, &capture->kept_room, capture->kept_count + 1,
	                  sizeof(kept)) < 0 ||
	    array_reserve(&capture->bytes, &capture->byte_room,
	                  capture->byte_count + kept.caplen, 1) < 0)
		return -ENOMEM;
	capture->hosts[from].sends = true;
	capture->kept[capture->kept_count++] = kept;
	memcpy(capture->bytes + kept.begin, packet->ip, kept.caplen);
	capture->byte_count += kept.caplen;
	return 0;
}

/* Times from the first packet on, without long silences, and no longer than allowed. */
static void recast_time(struct recast *capture, const struct recasting *all)
{
	int64_t before = capture->kept[0].at_us, at = 0;

	for (size_t i = 0; i < capture->kept_count; i++) {
		int64_t gap = capture->kept[i].at_us - before;

		before = capture->kept[i].at_us;
		at += gap < 0 ? 0 : gap > all->gap_us ? all->gap_us : gap;
		capture->kept[i].at_us = at;
	}
	for (size_t i = 0; at > all->longest_us && i < capture->kept_count; i++)
		capture->kept[i].at_us = (int64_t)((double)capture->kept[i].at_us *
		                                   (double)all->longest_us / (double)at);
}

static int client_of(const struct recast *capture, const struct pair *pair)
{
	const struct host *a = &capture->hosts[pair->host[0]],
			  *b = &capture->hosts[pair->host[1]];

	if (a->sends != b->sends)
		return a->sends ? 0 : 1;
	if (a->partners != b->partners)
		return a->partners > b->partners ? 0 : 1;
	return addr_is_private(&b->addr) && !addr_is_private(&a->addr) ? 1 : 0;
}

static void recast_clients(struct recast *capture, uint32_t *clients)
{
	for (size_t i = 0; i < capture->pair_count; i++) {
		struct pair *pair = &capture->pairs[i];
		struct host *host;

		pair->client = client_of(capture, pair);
		host = &capture->hosts[pair->host[pair->client]];
		if (!host->client)
			host->client = ++*clients;
	}
}

static int recast_read(struct recasting *all, const char *path, struct recast **ret,
                       struct err *err)
{
	const struct capture_options options = {
		.inputs = &path, .input_count = 1, .filter = ""};
	CLEANUP(capture_closep) struct capture *in = NULL;
	CLEANUP(recast_freep) struct recast *capture = calloc(1, sizeof(*capture));
	struct frame frame;
	int r;

	if (!capture)
		return out_of_memory(err);
	r = capture_open(&options, &in, err);
	if (r < 0)
		return r;
	r = capture_check(in, err);
	if (r < 0)
		return r;
	while ((r = capture_next(in, &frame, err)) == CAPTURED_FRAME ||
	       r == CAPTURED_INPUT_END) {
		struct packet packet = {.time_us = frame.time_us};
		enum decoded decoded;

		if (r == CAPTURED_INPUT_END)
			continue;
		decoded = packet_decode(frame.link, frame.bytes, frame.caplen, frame.wire_len,
		                        &packet);
		if (decoded == DECODED_IP)
			packet_unwrap(&packet, &decoded);
		if (decoded != DECODED_IP || packet.ip_caplen > IP_MAX)
			all->left_out++;
		else if (recast_keep(capture, &packet) < 0)
			return out_of_memory(err);
	}
	if (r < 0)
		return r;
	if (!capture->kept_count)
		return 0;
	recast_time(capture, all);
	recast_clients(capture, &all->clients);
	all->packets += capture->kept_count;
	*ret = TAKE(capture);
	return 0;
}

int recasting_read(struct recasting *all, const char *folder, struct err *err)
{
	char **paths = NULL;
	size_t room = 0, count = 0, captures_room = 0;
	int r = capture_expand(folder, &paths, &room, &count, err);

	for (size_t i = 0; r >= 0 && i < count; i++) {
		struct recast *capture = NULL;
		struct err why;

		if (array_reserve(&all->captures, &captures_room, all->count + 1,
		                  sizeof(struct recast *)) < 0)
			r = out_of_memory(err);
		else if (recast_read(all, paths[i], &capture, &why) < 0)
			fprintf(stderr, "left out: %s\n", why.text);
		else if (capture)
			all->captures[all->count++] = capture;
	}
	for (size_t i = 0; i < count; i++)
		free(paths[i]);
	free(paths);
	if (r >= 0 && !all->count)
		return err_set(err, -ENODATA, "%s: no packets", folder);
	return r;
}

size_t recast_count(const struct recast *capture)
{
	return capture->kept_count;
}

int64_t recast_at(const struct recast *capture, size_t packet)
{
	return capture->kept[packet].at_us;
}

/* A client's new address; whoever else lies among the units is moved to 10.0.0.0/10. */
static struct addr addr_of(const struct recast *capture, const struct pair *pair,
                           unsigned which, uint32_t first, uint8_t version)
{
	static const struct prefix units = {{{[10] = 0xff, [11] = 0xff, [12] = 10, [13] = 64}},
	                                    UNITS_BITS};
	const struct host *host = &capture->hosts[pair->host[which]];
	struct addr addr = host->addr;
	uint32_t number;

	if ((int)which != pair->client) {
		if (prefix_covers(&units, &addr))
			addr.b[13] = (uint8_t)(addr.b[13] & 0x3f);
		return addr;
	}
	number = host->client - 1 + first;
	if (version == 4)
		number += UNITS_V4;
	else
		addr = (struct addr){{0x20, 0x01, 0x0d, 0xb8, 0x00, 0x64}};
	for (unsigned i = 0; i < 4; i++)
		addr.b[12 + i] = (uint8_t)(number >> (24 - 8 * i));
	return addr;
}

/* Both addresses of the IP header at `ip`; sums: its own (IPv4) and up to two that cover it. */
static void ends_put(uint8_t *ip, const struct addr ends[2], uint8_t version, uint8_t *over,
                     bool udp)
{
	unsigned len = version == 4 ? 4 : 16, at = version == 4 ? 12 : 8;

	for (unsigned i = 0; i < 2; i++) {
		const uint8_t *bytes = ends[i].b + 16 - len;
		uint8_t old[16];

		memcpy(old, ip + at + i * len, len);
		bulk_mend(ip + at + i * len, bytes, len, over, udp);
		if (version == 4) { /* what was just put again, for the header's own sum */
			memcpy(ip + at + i * len, old, len);
			bulk_mend(ip + at + i * len, bytes, len, ip + 10, false);
		}
	}
}

/* Where the checksum of the transport lies, if it was captured and covers the addresses. */
static uint8_t *sum_of(const struct kept *kept, uint8_t *ip)
{
	unsigned at = kept->header_len;

	switch (kept->transport) {
	case TRANSPORT_TCP:
		at += 16;
		break;
	case TRANSPORT_UDP:
		at += 6;
		break;
	case TRANSPORT_ICMP6:
		at += 2;
		break;
	default:
		return NULL;
	}
	return kept->later || at + 2 > kept->caplen ? NULL : ip + at;
}

/* Which of the pair sent: the address in the header says. */
static unsigned sender_of(const struct recast *capture, const struct pair *pair,
                          const uint8_t *ip, uint8_t version)
{
	unsigned len = version == 4 ? 4 : 16, at = version == 4 ? 12 : 8;

	return memcmp(capture->hosts[pair->host[0]].addr.b + 16 - len, ip + at, len) ? 1 : 0;
}

static void ends_of(const struct recast *capture, const struct pair *pair, const uint8_t *ip,
                    uint8_t version, uint32_t first, struct addr ends[2])
{
	unsigned sender = sender_of(capture, pair, ip, version);

	ends[0] = addr_of(capture, pair, sender, first, version);
	ends[1] = addr_of(capture, pair, !sender, first, version);
}

/* An ICMP error quotes a packet whose addresses change too, and so does the sum over all of it. */
static void quote_put(const struct recast *capture, const struct kept *kept, uint8_t *ip,
                      uint32_t first)
{
	unsigned at = kept->header_len + 8, head = kept->version == 4 ? 20 : 40;
	uint8_t *quote = ip + at, *sum = ip + kept->header_len + 2;
	uint8_t whole[40], sums[2];
	struct addr ends[2];

	if (at + head > kept->caplen)
		return;
	memcpy(whole, quote, head);
	memcpy(sums, sum, 2);
	ends_of(capture, &capture->pairs[kept->quoted_pair], quote, kept->version, first, ends);
	ends_put(quote, ends, kept->version, NULL, false);
	for (unsigned i = 0; i < head; i++) {
		uint8_t now = whole[i];

		whole[i] = quote[i];
		quote[i] = now;
	}
	bulk_mend(quote, whole, head, sum, false);
}

void recast_write(const struct recast *capture, size_t packet, int64_t at_us, uint32_t first,
                  struct bulk *bulk)
{
	const struct kept *kept = &capture->kept[packet];
	const struct pair *pair = &capture->pairs[kept->pair];
	static uint8_t frame[ETHERNET + IP_MAX];
	uint8_t *ip = frame + ETHERNET;
	struct addr ends[2];
	bool out;

	memcpy(ip, capture->bytes + kept->begin, kept->caplen);
	out = (int)sender_of(capture, pair, ip, kept->version) == pair->client;
	ends_of(capture, pair, ip, kept->version, first, ends);
	if (kept->quoted)
		quote_put(capture, kept, ip, first);
	ends_put(ip, ends, kept->version, sum_of(kept, ip), kept->transport == TRANSPORT_UDP);
	bulk_ethernet(frame, capture->hosts[pair->host[pair->client]].client + first, out,
	              kept->version == 4 ? 0x0800 : 0x86dd);
	bulk_frame(bulk, at_us, frame, ETHERNET + kept->caplen, ETHERNET + kept->len);
}
