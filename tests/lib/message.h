/*
 * message.h - payloads for tests: what one protocol says in one packet, by its document. Nothing is
 * random: what looks so on the wire comes from the numbers given.
 */
#ifndef TESTS_LIB_MESSAGE_H
#define TESTS_LIB_MESSAGE_H

#include "schema/base.h"

#define MESSAGE_MAX 4096

struct message {
	size_t len;
	uint8_t b[MESSAGE_MAX];
};

/* Building blocks. Past MESSAGE_MAX the test ends with a message: it is wrong. */
void message_add(struct message *m, const void *data, size_t len);
void message_add8(struct message *m, unsigned value);
void message_add16(struct message *m, unsigned value);
void message_add32(struct message *m, uint32_t value);
void message_add_noise(struct message *m, size_t len, uint32_t seed); /* as if encrypted */
struct message message_text(const char *text);
struct message message_noise(size_t len, uint32_t seed);
/* `count` bytes of length before it, big-endian: DNS and RFC 4571 over TCP 2, Kerberos 4. */
struct message message_framed(const struct message *body, unsigned count);

struct message message_der(unsigned tag,
                           const struct message *content); /* X.690 8.1, definite */

/* DNS (RFC 1035 4.1), LLMNR (RFC 4795 2.1), mDNS (RFC 6762 18) */
enum { DNS_A = 1, DNS_PTR = 12, DNS_AAAA = 28, DNS_SRV = 33 };
struct message message_dns_query(uint16_t id, const char *name, unsigned type);
/*
 * `name` is an alias of `cname` unless that is NULL; `value` is an address, for SRV "port host".
 * Without either: no such name (NXDOMAIN).
 */
struct message message_dns_answer(uint16_t id, const char *name, unsigned type,
                                  const char *cname, const char *value, uint32_t ttl_s);
struct message message_mdns_query(const char *name);

/* DHCP (RFC 2131 2, RFC 2132). Addresses that are NULL are left out. */
enum { DHCP_DISCOVER = 1, DHCP_OFFER, DHCP_REQUEST, DHCP_DECLINE, DHCP_ACK };
struct dhcp {
	uint8_t type;
	uint32_t xid, lease_s;
	const char *chaddr, *ciaddr, *yiaddr, *requested, *server, *mask, *router, *dns;
};
struct message message_dhcp(const struct dhcp *dhcp);

/* TLS (RFC 5246 7.4, RFC 8446 4): whole records */
struct message message_client_hello(const char *sni,
                                    unsigned version); /* 0x0303, 0x0304; sni may be NULL */
/* ServerHello; up to 1.2 with Certificate, CertificateRequest if asked for, ServerHelloDone */
struct message message_server_hello(unsigned version, bool asks_certificate);
/* ClientKeyExchange, ccs, Finished of 1.2; with a client's certificate and its proof before */
struct message message_client_finish(bool certificate);
struct message message_server_finish(void);
struct message message_tls_data(size_t len, uint32_t seed);

struct message message_http_get(const char *host, const char *target);
struct message message_http_answer(unsigned status, size_t body_len);

/* STUN (RFC 5389 6, 15), ICE checks as [MS-ICE2] 2.2 has them: 8054 and 8070 with cookie */
struct message message_stun_request(uint32_t tx, bool controlling);
struct message message_stun_success(uint32_t tx,
                                    const char *mapped); /* "10.1.0.7:50016", "[::1]:1" */
struct message
message_stun_plain(uint32_t tx); /* a binding request of anybody's, without attributes */

/* Any message of STUN or TURN; what is NULL or 0 is left out. */
struct stun {
	unsigned type;
	uint32_t tx;
	const char *name;   /* USERNAME; makes a request a check, with PRIORITY */
	const char *mapped; /* XOR-MAPPED-ADDRESS */
	const char *peer;   /* XOR-PEER-ADDRESS */
	unsigned error;     /* ERROR-CODE, 487 */
	const struct message *data;
	bool draft;       /* sixteen bytes of id, no cookie */
	bool sealed;      /* MESSAGE-INTEGRITY and FINGERPRINT */
	bool odd;         /* an attribute nobody knows */
	uint32_t spoil;   /* the FINGERPRINT, by these bits */
	bool misprinted;  /* by the table of [MS-ICE2] 3.1.4.8.2, which lacks a digit */
};
struct message message_stun(const struct stun *stun);
struct message message_channel(unsigned number, const struct message *data); /* RFC 5766 11.4 */

/* MS-TURN ([MS-TURN] 2.2): the cookie attribute first */
enum {
	MSTURN_ALLOCATE = 0x0003,
	MSTURN_ALLOCATE_SUCCESS = 0x0103,
	MSTURN_ALLOCATE_ERROR = 0x0113,
	MSTURN_SEND = 0x0004,
	MSTURN_DATA = 0x0115,
	MSTURN_SET_ACTIVE = 0x0006,
	MSTURN_SET_ACTIVE_SUCCESS = 0x0106,
};
/* `peer` as above: destination of SEND and SET_ACTIVE, source of DATA, mapped of ALLOCATE_SUCCESS */
struct message message_msturn(unsigned type, uint32_t tx, const char *peer,
                              const struct message *inner);
struct message message_msturn_framed(unsigned type,
                                     const struct message *body);      /* 2.2.1; 2 or 3 */
struct message message_msturn_multiplexed(const struct message *body); /* 2.2.3: ff 10 */
struct message message_pseudo_tls_hello(void);  /* 2.1.1: exactly 50 bytes */
struct message message_pseudo_tls_answer(void); /* exactly 83 bytes */

/* RTP (RFC 3550 5.1) under SRTP, so that the payload is noise and a tag follows */
struct rtp {
	uint8_t payload_type, marker;
	uint16_t seq;
	uint32_t timestamp, ssrc;
	uint16_t payload_len;
	bool extension; /* RFC 8285: one of two words, as 0x90 0x68 of Teams */
};
struct message message_rtp(const struct rtp *rtp);
struct message message_rtcp(uint32_t ssrc,
                            uint32_t index); /* SRTCP sender report (RFC 3711 3.4) */

/* Kerberos (RFC 4120 5.4), without the length of TCP */
enum { KERBEROS_AS_REQ = 10, KERBEROS_AS_REP = 11, KERBEROS_ERROR = 30 };
struct message message_kerberos(unsigned type);

struct message message_ntp(unsigned mode);               /* RFC 5905 7.3: 3 client, 4 server */
struct message message_sip_register(const char *domain); /* RFC 3261 10 */
struct message message_sip_answer(void);
struct message message_ldap_bind(void); /* RFC 4511 4.2 */

#endif
