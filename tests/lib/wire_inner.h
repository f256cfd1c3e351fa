/*
 * wire_inner.h - what wire.c (settings, frames, files) and wire_ip.c (headers, checksums, sequence
 * numbers) share. Nobody else includes it.
 */
#ifndef TESTS_LIB_WIRE_INNER_H
#define TESTS_LIB_WIRE_INNER_H

#include "tests/lib/tuple.h"
#include "tests/lib/wire.h"

#define WIRE_DATAGRAM 65575 /* the longest IPv6 packet without jumbograms */
#define MACS_MAX 256
#define STREAMS_MAX 1024

struct frame {
	int64_t time_us;
	size_t at; /* in bytes */
	uint32_t caplen, len;
};

struct stream {
	struct pair pair;
	uint32_t next;
};

struct wire {
	int64_t now_us;
	enum wire_link link;
	uint32_t snap, mtu, mss, pad, ip_id;
	unsigned vlan_count;
	uint16_t vlan[4];

	struct {
		struct host host;
		uint8_t mac[6];
	} mac[MACS_MAX];
	unsigned mac_count;
	struct {
		bool set;
		uint8_t addr[16], mac[6];
		unsigned bits;
	} router[2]; /* of IPv4, IPv6 */

	struct stream stream[STREAMS_MAX];
	unsigned stream_count;

	struct frame *frames;
	size_t frame_count, frame_room;
	uint8_t *bytes;
	size_t byte_count, byte_room;
	uint8_t last_ip[128]; /* the head of the last IP packet, to be quoted */
	uint32_t last_ip_len;
};

/* The address on the link: as set, of the group, of the router, or made of the address itself. */
void mac_of(const struct wire *w, const struct host *host, uint8_t mac[6]);

#endif
