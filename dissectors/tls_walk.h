/*
 * tls_walk.h - follows the clear part of a TLS handshake through its records, whose ends are not those
 * of messages (RFC 5246 6.2.1): names and versions of the hellos, and client certificates.
 */
#ifndef DISSECTORS_TLS_WALK_H
#define DISSECTORS_TLS_WALK_H

#include "dissectors/dissector.h"

#define TLS_RECORD_MAX 18432 /* RFC 5246 6.2.3 */

enum { TLS_CCS = 20, TLS_ALERT = 21, TLS_HANDSHAKE = 22, TLS_DATA = 23 };
enum { TLS_CLIENT_HELLO = 1, TLS_SERVER_HELLO = 2 };

/* A place in what was captured, and how much of a record lies behind it. */
struct tls_place {
	uint32_t pos, record_left;
	bool not_handshake; /* what stands here is another record, or none at all */
};

/*
 * Copies the next handshake bytes to `to`, or passes over them if it is NULL; returns how many of the
 * `want` are here.
 */
uint32_t tls_take(const struct look *look, struct tls_place *place, uint8_t *to, uint32_t want);

/* The walk of look->side begins at look->data[at]. */
void tls_walk_begin(struct look *look, uint32_t at, bool client);
/*
 * Goes on as far as possible. Sets facts->mtls once the handshake has shown it, and young->tls_over when it
 * can show no more. What is missing in a body it passes over; a hole that may hide more ends it.
 */
void tls_walk(struct look *look);

/* tls_hello.c: reads a ClientHello or ServerHello, with its header, as far as it is here; it may be cut. */
void tls_hello(struct look *look, const uint8_t *message, uint32_t len);
/* 0x03xx -> xx, 0x0304 the last; else 0: GREASE (RFC 8701) and drafts are no versions. */
uint8_t tls_version(uint16_t version);

#endif
