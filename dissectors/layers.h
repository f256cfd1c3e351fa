/*
 * layers.h - how decode.c, ip.c, transport.c, neighbour.c and tunnel.c hand a packet on. Only they include it.
 */
#ifndef DISSECTORS_LAYERS_H
#define DISSECTORS_LAYERS_H

#include "dissectors/cursor.h"
#include "dissectors/decode.h"

/*
 * What is left of a frame: the captured bytes, and how many there were on the wire (never fewer).
 * Where a read fails, the wire length says whose fault it is. Sixteen bytes, so that it is handed on in registers.
 */
struct rest {
	const uint8_t *at;
	uint32_t left, wire;
};
_Static_assert(sizeof(struct rest) == 16, "it is handed on in registers");

static inline struct cursor rest_cursor(const struct rest *rest)
{
	return cursor_over(rest->at, rest->left);
}

/* The next `len` captured bytes, or NULL, and then nothing is left. */
static inline const uint8_t *rest_jump(struct rest *rest, uint32_t len)
{
	const uint8_t *at = rest->at;

	if (len > rest->left) {
		rest->left = 0;
		return NULL;
	}
	if (len)
		rest->at += len;
	rest->left -= len;
	return at;
}

/* The next `len` bytes, or NULL; see rest_fault(). */
static inline const uint8_t *rest_take(struct rest *rest, uint32_t len)
{
	const uint8_t *at = len <= rest->wire ? rest_jump(rest, len) : NULL;

	if (at)
		rest->wire -= len;
	return at;
}

/* Why rest_take(rest, len) gave nothing: the wire had too little, or the snap length took it. */
static inline enum decoded rest_fault(const struct rest *rest, uint32_t len)
{
	return len > rest->wire ? DECODED_MALFORMED : DECODED_CUT;
}

static inline uint16_t be16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static inline uint32_t be32(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

/* Nothing of it is known but number and time_us, which stay (decode.c). */
void packet_empty(struct packet *packet);
/* From the Ethernet header on (decode.c). */
enum decoded decode_ethernet(struct rest rest, struct packet *packet);
/* From the IP header on (ip.c); `version` 0 takes what the header says. */
enum decoded decode_ip(struct rest rest, unsigned version, struct packet *packet);
/* From the transport header on (transport.c); packet->transport, fragment are set. */
enum decoded decode_transport(struct rest rest, struct packet *packet);
/* The packet an ICMP error quotes (ip.c): as much as its sender copied. */
void decode_quoted(const uint8_t *data, uint32_t len, struct packet *packet);
/* Behind the EtherType of ARP; `rest` is behind the 8-byte header of ICMPv6 (neighbour.c). */
void decode_arp(struct rest rest, struct packet *packet);
void decode_nd(struct rest rest, struct packet *packet);

#endif
