/*
 * talk.h - whole conversations for tests, on top of wire.h and message.h. Each begins at the wire's
 * time and moves it on; the tuple is written from the side that opens it.
 */
#ifndef TESTS_LIB_TALK_H
#define TESTS_LIB_TALK_H

#include "tests/lib/message.h"
#include "tests/lib/wire.h"

/* Pieces */
void talk_open(struct wire *w, const char *tuple); /* S, SA, A */
void talk_send(struct wire *w, const char *tuple,
               const struct message *m); /* TCP data, acknowledged */
void talk_udp(struct wire *w, const char *tuple, const struct message *m);
void talk_close(struct wire *w, const char *tuple); /* FA, FA, A */
/* A SYN and its retries after 1, 3 and 7 s, never answered (RFC 6298 5). */
void talk_silence(struct wire *w, const char *tuple);
void talk_refused(struct wire *w, const char *tuple); /* SYN, RST */

/* Names and addresses */
struct dns_case {
	const char *name;
	unsigned type;     /* DNS_A, ... */
	const char *cname; /* NULL: none */
	const char *value; /* NULL: no such name */
};
void talk_dns(struct wire *w, const char *tuple, const struct dns_case *dns);
void talk_dns_tcp(struct wire *w, const char *tuple, const struct dns_case *dns);
/* A query to the group and the answer of `answerer`, unicast and so another 5-tuple; NULL: nobody. */
void talk_llmnr(struct wire *w, const char *tuple, const char *name, const char *answerer);
/* Discover, offer, request, ack; sent by broadcast as clients without an address do. */
struct dhcp_case {
	const char *mac, *address, *server, *mask, *router, *dns;
	uint32_t xid;
};
void talk_dhcp(struct wire *w, const struct dhcp_case *lease);

/* Signalling */
struct tls {
	const char *sni;  /* NULL: none */
	unsigned version; /* 0: 0x0303 */
	bool mutual;      /* the server asks for a certificate and is given one */
	unsigned records; /* of application data each way; 0: 2 */
	bool stays_open;
};
void talk_tls(struct wire *w, const char *tuple, const struct tls *tls);
void talk_http(struct wire *w, const char *tuple, const char *host, const char *target);
void talk_kerberos(struct wire *w, const char *tuple);
void talk_kerberos_tcp(struct wire *w, const char *tuple);
/* A question and its answer in a TCP connection of their own, whatever they say. */
void talk_tcp(struct wire *w, const char *tuple, const struct message *ask,
              const struct message *answer);
void talk_ssh(struct wire *w, const char *tuple);
void talk_ntp(struct wire *w, const char *tuple);

/* Media */
enum { PT_SILK = 104, PT_RTVIDEO = 121, PT_H264 = 122, PT_DATA = 127 };
struct media {
	uint8_t payload_type;
	unsigned packets; /* each way */
	uint32_t ssrc;
	bool one_way, extension;
};
void talk_ice(struct wire *w, const char *tuple); /* a check each way, both answered */
void talk_ice_probe(struct wire *w, const char *tuple, unsigned tries); /* nobody answers */
void talk_rtp(struct wire *w, const char *tuple, const struct media *media);
/* RFC 4571 framed, after a check each way; opens and closes the connection. */
void talk_rtp_tcp(struct wire *w, const char *tuple, const struct media *media);
/* Allocate, refused, allocate, send, data, set active destination; then bare media ([MS-TURN] 3). */
void talk_msturn(struct wire *w, const char *tuple, const char *peer,
                 const struct media *media);
/* The same over TCP, framed; behind the pseudo-TLS handshake if asked for (2.1.1). */
void talk_msturn_tcp(struct wire *w, const char *tuple, const char *peer,
                     const struct media *media, bool pseudo_tls);

#endif
