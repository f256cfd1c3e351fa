/*
 * addr.h - addresses as we keep them: sixteen bytes, IPv4 as ::ffff:a.b.c.d, so that one compare
 * serves both families. MAC addresses and prefixes beside them.
 */
#ifndef SCHEMA_ADDR_H
#define SCHEMA_ADDR_H

#include "schema/base.h"

struct addr {
	uint8_t b[16];
};

struct mac {
	uint8_t b[6];
};

/* `bits` counts over all 128: an IPv4 /24 has 120. */
struct prefix {
	struct addr addr; /* host bits are zero */
	uint8_t bits;
};

#define ADDR_TEXT 46   /* longest text with its NUL, as INET6_ADDRSTRLEN */
#define PREFIX_TEXT 50 /* "address/bits" */
#define MAC_TEXT 18

/* Those that every packet needs are here to be inlined. */
static inline struct addr addr_from_v4(const uint8_t bytes[4])
{
	struct addr addr = {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}};

	memcpy(addr.b + 12, bytes, 4);
	return addr;
}

static inline struct addr addr_from_v6(const uint8_t bytes[16])
{
	struct addr addr;

	memcpy(addr.b, bytes, 16);
	return addr;
}

static inline bool addr_is_v4(const struct addr *addr)
{
	return !memcmp(addr->b, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
}

static inline bool addr_equal(const struct addr *a, const struct addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

/* An order: all of IPv4 before all of IPv6, so that no prefix of one lies among the other's. */
int addr_compare(const struct addr *a, const struct addr *b);
/* 0.0.0.0, :: and the all-zero struct (no address known). */
bool addr_is_unspecified(const struct addr *addr);
/* 224.0.0.0/4, ff00::/8, and 255.255.255.255. A subnet's own broadcast is not known here. */
bool addr_is_multicast(const struct addr *addr);
/* 169.254.0.0/16 (RFC 3927), fe80::/10 (RFC 4291 2.5.6). */
bool addr_is_link_local(const struct addr *addr);
/* RFC 1918, RFC 6598 shared space, loopback, link-local, RFC 4193 unique local. */
bool addr_is_private(const struct addr *addr);
/* Parses text; returns 0 or -EINVAL and leaves *ret_addr untouched. */
int addr_parse(const char *text, struct addr *ret_addr) MUST_CHECK;
/* Returns `buf`. */
const char *addr_print(const struct addr *addr, char buf[ADDR_TEXT]);

static inline bool mac_equal(const struct mac *a, const struct mac *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static inline bool mac_is_zero(const struct mac *mac)
{
	return !memcmp(mac->b, "\0\0\0\0\0", 6);
}

bool mac_is_broadcast(const struct mac *mac);
int mac_parse(const char *text,
              struct mac *ret_mac) MUST_CHECK; /* 00:26:8c:01:02:03, also with - */
const char *mac_print(const struct mac *mac, char buf[MAC_TEXT]);

/* "10.0.0.0/8", "2001:db8::/32", or a bare address (all bits). Host bits set are -EINVAL. */
int prefix_parse(const char *text, struct prefix *ret_prefix) MUST_CHECK;
/* Its highest address; ff...ff where bits is 0. */
struct addr prefix_last(const struct prefix *prefix);
struct prefix prefix_of(const struct addr *addr, unsigned bits); /* clears the host bits */
/* ::/0 covers all of IPv6 and nothing of IPv4. */
bool prefix_covers(const struct prefix *prefix, const struct addr *addr);
bool prefix_is_host(const struct prefix *prefix); /* one single address */
/* A bare address where all bits count, "addr/bits" else. Returns `buf`. */
const char *prefix_print(const struct prefix *prefix, char buf[PREFIX_TEXT]);

#endif
