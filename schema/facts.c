/*
 * facts.c - see facts.h.
 */
#include "schema/facts.h"

#include <endian.h>
#include <sha1.h>
#define XXH_INLINE_ALL /* of a length that is known it is a few instructions */
#include <xxhash.h>

/* As numbers: memcmp() would do, and is a call. Those of one packet are of one family. */
static bool is_above(const struct addr *a, const struct addr *b)
{
	uint64_t x[2], y[2];

	memcpy(x, a, sizeof(x));
	memcpy(y, b, sizeof(y));
	return x[0] == y[0] ? be64toh(x[1]) > be64toh(y[1]) : be64toh(x[0]) > be64toh(y[0]);
}

unsigned flow_key_of(const struct packet *packet, const struct mac *dhcp_client,
                     struct flow_key *key)
{
	unsigned from; /* the lower end is side 0 */

	if (addr_equal(&packet->src, &packet->dst))
		from = packet->src_port > packet->dst_port;
	else
		from = is_above(&packet->src, &packet->dst);
	key->addr[from] = packet->src;
	key->addr[!from] = packet->dst;
	key->port[from] = packet->src_port;
	key->port[!from] = packet->dst_port;
	key->transport = packet->transport;
	key->ip_version = packet->ip_version;
	key->mac = dhcp_client ? *dhcp_client : (struct mac){{0}};
	return from;
}

uint64_t flow_key_hash(const struct flow_key *key)
{
	return XXH3_64bits(key, sizeof(*key));
}

const char *evidence_name(enum evidence evidence)
{
	static const char *const names[] = {"none", "dissector", "inspected"};

	return (unsigned)evidence < ARRAY_LEN(names) ? names[evidence] : "none";
}

const char *initiator_by_name(enum initiator_by by)
{
	static const char *const names[] = {"unknown", "first-packet", "port", "request",
	                                    "syn"};

	return (unsigned)by < ARRAY_LEN(names) ? names[by] : "unknown";
}

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[] = {NULL,      "answered",   "unanswered",
	                                    "refused", "prohibited", "one-sided"};

	return (unsigned)outcome < ARRAY_LEN(names) ? names[outcome] : NULL;
}

const char *settled_by_name(enum settled_by by)
{
	static const char *const names[] = {NULL, "dissector", "budget", "age",
	                                    "end", "sensor-lost"};

	return (unsigned)by < ARRAY_LEN(names) ? names[by] : NULL;
}

const char *media_name(uint8_t media)
{
	switch (media) {
	case 0:
		return NULL;
	case MEDIA_AUDIO:
		return "audio";
	case MEDIA_VIDEO:
		return "video";
	case MEDIA_DATA:
		return "data";
	default:
		return "mixed";
	}
}

const char *name_kind_name(enum name_kind kind)
{
	static const char *const names[] = {NULL, "sni", "http-host", "dns-question"};

	return (unsigned)kind < ARRAY_LEN(names) ? names[kind] : NULL;
}

const char *tunnel_name(enum tunnel tunnel)
{
	static const char *const names[TUNNEL_COUNT] = {NULL,    "GRE",    "ERSPAN",
	                                                "VXLAN", "Geneve", "TZSP"};

	return (unsigned)tunnel < TUNNEL_COUNT ? names[tunnel] : NULL;
}

static void base64(const uint8_t *in, size_t len, char *out)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		uint32_t v = (uint32_t)in[i] << 16;

		if (i + 1 < len)
			v |= (uint32_t)in[i + 1] << 8;
		if (i + 2 < len)
			v |= in[i + 2];
		*out++ = digits[v >> 18];
		*out++ = digits[v >> 12 & 63];
		*out++ = i + 1 < len ? digits[v >> 6 & 63] : '=';
		*out++ = i + 2 < len ? digits[v & 63] : '=';
	}
	*out = '\0';
}

const char *community_id(const struct addr *src, const struct addr *dst, uint8_t transport,
                         uint16_t src_port, uint16_t dst_port, char buf[COMMUNITY_ID_TEXT])
{
	bool v4 = addr_is_v4(src) && addr_is_v4(dst);
	unsigned skip = v4 ? 12 : 0;
	int order = addr_compare(src, dst);
	uint8_t digest[SHA1_DIGEST_LENGTH];
	uint8_t tail[6], seed[2] = {0, 0};
	SHA1_CTX ctx;

	if (order > 0 || (!order && src_port > dst_port)) {
		const struct addr *addr = src;
		uint16_t port = src_port;

		src = dst;
		dst = addr;
		src_port = dst_port;
		dst_port = port;
	}
	tail[0] = transport;
	tail[1] = 0;
	tail[2] = (uint8_t)(src_port >> 8);
	tail[3] = (uint8_t)src_port;
	tail[4] = (uint8_t)(dst_port >> 8);
	tail[5] = (uint8_t)dst_port;
	SHA1Init(&ctx);
	SHA1Update(&ctx, seed, sizeof(seed));
	SHA1Update(&ctx, src->b + skip, 16 - skip);
	SHA1Update(&ctx, dst->b + skip, 16 - skip);
	/* Protocols without ports hash without them. */
	SHA1Update(&ctx, tail,
	           src_port || dst_port || transport == TRANSPORT_ICMP ||
	                           transport == TRANSPORT_ICMP6
	                   ? 6
	                   : 2);
	SHA1Final(digest, &ctx);
	buf[0] = '1';
	buf[1] = ':';
	base64(digest, sizeof(digest), buf + 2);
	return buf;
}
