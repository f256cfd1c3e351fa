/*
 * wire.h - packets for tests, one a line. A wire collects frames with their times in memory; they
 * are written as a capture file by hand (no libpcap) or handed to a test one by one. The same calls
 * give the same bytes. A mistake in a call (a tuple that cannot be read) ends the program with a
 * message: it is the test that is wrong.
 *
 *	CLEANUP(wire_freep) struct wire *w = wire_new();
 *
 *	wire_at(w, 10.5);
 *	wire_tcp(w, "10.1.0.7:49152 > 10.1.0.9:443", "S", NULL, 0);
 *	wire_tcp(w, "10.1.0.9:443 > 10.1.0.7:49152", "SA", NULL, 0);
 *	wire_udp(w, "[2001:db8::7]:50016 > [2001:db8::9]:3478", data, len);
 */
#ifndef TESTS_LIB_WIRE_H
#define TESTS_LIB_WIRE_H

#include "schema/base.h"

struct wire;

#define WIRE_EPOCH INT64_C(1772438400) /* 2026-03-02 08:00:00 UTC: second 0 of every wire */
#define WIRE_TUPLE 112                 /* the longest "[v6]:port > [v6]:port" with its NUL */

/* Link types by their numbers in a capture file (www.tcpdump.org/linktypes.html). */
enum wire_link {
	WIRE_NULL = 0,
	WIRE_ETHERNET = 1,
	WIRE_RAW = 101,
	WIRE_LOOP = 108,
	WIRE_SLL = 113,
	WIRE_SLL2 = 276,
};

/* A frame as captured; `data` lives as long as the wire and no packet is added. */
struct wire_frame {
	int64_t time_us;
	const uint8_t *data;
	uint32_t caplen, len; /* captured; on the wire */
};

struct wire *wire_new(void);
void wire_free(struct wire *w);
void wire_freep(struct wire **w);

/* What holds for the packets that follow. */
void wire_at(struct wire *w, double seconds);   /* time since WIRE_EPOCH */
void wire_wait(struct wire *w, double seconds); /* that much later than now */
double wire_now(const struct wire *w);
void wire_link(struct wire *w, enum wire_link link); /* of the whole capture; Ethernet */
void wire_snap(struct wire *w, uint32_t len);        /* keep so many bytes of a frame; 0: all */
void wire_pad(struct wire *w, uint32_t len); /* IP packets fill frames of at least that: 60 */
void wire_mtu(struct wire *w, uint32_t len); /* fragment longer IP packets; 0: never */
void wire_mss(struct wire *w, uint32_t len); /* cut TCP data there; 0: never; 1460 */
void wire_vlan(struct wire *w, unsigned count, const uint16_t *ids); /* tags, outermost first */
void wire_mac(struct wire *w, const char *addr,
              const char *mac); /* 02:... of the address else */
/* Unicast addresses outside "10.0.0.0/8" or "2001:db8::/32" (one of each family) are behind `mac`. */
void wire_router(struct wire *w, const char *prefix, const char *mac);

/* The flags of a TCP segment: any of "SAFRPU". Sequence numbers are kept for each tuple; a lone
 * "S" starts the connection anew with the same number, as a retry does. Longer data is cut into
 * segments. */
void wire_tcp(struct wire *w, const char *tuple, const char *flags, const void *data,
              size_t len);
void wire_udp(struct wire *w, const char *tuple, const void *data, size_t len);
/* Bytes that were sent but not seen on this wire. */
void wire_lose(struct wire *w, const char *tuple, uint32_t bytes);
/* "10.1.0.7 > 10.1.0.9"; ICMPv6 between IPv6 addresses. */
void wire_echo(struct wire *w, const char *pair, bool reply, uint16_t id, uint16_t seq);
/* An error of `type` and `code` that quotes the last IP packet (its sender should be the target). */
void wire_icmp_error(struct wire *w, const char *pair, uint8_t type, uint8_t code);
/* Any other transport, as it stands: `payload` follows the IP header. */
void wire_ip(struct wire *w, const char *pair, uint8_t protocol, const void *payload,
             size_t len);
void wire_arp(struct wire *w, const char *pair); /* who has the second? tell the first */
/* A frame as it stands, link header and all. */
void wire_frame(struct wire *w, const void *frame, size_t len);
void wire_again(struct wire *w); /* the last frame once more: a SPAN's copy */

size_t wire_count(const struct wire *w);
struct wire_frame wire_packet(const struct wire *w, size_t index);
void wire_sort(struct wire *w); /* by time; frames of one time stay in order */
enum wire_link wire_linktype(const struct wire *w);

/* Writes a pcap file of version 2.4 with microseconds, whatever machine this is. */
int wire_write(const struct wire *w, const char *path, struct err *err) MUST_CHECK;

/* "a > b" becomes "b > a". Returns `buf`. */
const char *wire_back(const char *tuple, char buf[WIRE_TUPLE]);

#endif
