/*
 * wrap.h - packets as a mirror wraps them: the last frame of one wire, inside a tunnel, goes onto another.
 */
#ifndef TESTS_LIB_WRAP_H
#define TESTS_LIB_WRAP_H

#include "tests/lib/wire.h"

enum wrap {
	WRAP_GRE,      /* 0x6558: an Ethernet frame */
	WRAP_GRE_IP,   /* 0x0800, 0x86dd */
	WRAP_GRE_FULL, /* with checksum, key and sequence number */
	WRAP_ERSPAN_1,
	WRAP_ERSPAN_2,   /* VLAN 321 in its header */
	WRAP_ERSPAN_3,   /* VLAN 321 */
	WRAP_ERSPAN_3_O, /* with the platform's 8 bytes */
	WRAP_VXLAN,
	WRAP_VXLAN_GROUP, /* with a group policy */
	WRAP_GENEVE,      /* with 8 bytes of options */
	WRAP_GENEVE_IP,
	WRAP_TZSP, /* with tags */
	WRAP_COUNT
};

#define WRAP_PAIR "10.99.0.1 > 10.99.0.2"

/*
 * `pair` are the tunnel's ends, without ports; the inside is the last frame of `from`, its first `keep`
 * bytes (0: all).
 */
void wrap(struct wire *to, const char *pair, enum wrap kind, const struct wire *from,
          uint32_t keep);
/* The bytes that wrap() puts behind the outer IP header (GRE) or UDP header. Returns their number. */
size_t wrap_bytes(enum wrap kind, const struct wire *from, uint32_t keep, uint8_t *ret);
#define WRAP_MAX (66000)

#endif
