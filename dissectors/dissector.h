/*
 * dissector.h - what a dissector is, and what it is given to look at.
 */
#ifndef DISSECTORS_DISSECTOR_H
#define DISSECTORS_DISSECTOR_H

#include "schema/facts.h"

/* no: not mine; maybe: show me more; yes: certain. */
enum answer { ANSWER_NO, ANSWER_MAYBE, ANSWER_YES };

/* What dissectors remember of a flow while it is young; given back when it settles. Zeroed at start. */
#define DISSECT_SSRCS 4
struct young {
	struct {
		uint32_t ssrc, timestamp;
		uint16_t seq;
		uint16_t run; /* packets in a row whose sequence advanced */
		uint8_t side, payload_type;
		bool used;
	} rtp[DISSECT_SSRCS];
	uint32_t asked_no;        /* bit i: dissector i said no for good */
	uint8_t dns_id[2];
	uint16_t payloads[2];     /* payload packets seen from end i */
	uint8_t stun_tx[12];      /* last binding request's transaction id, ... */
	uint8_t stun_from;        /* ... and who sent it, plus one; 0: none */
	bool turn;                /* an MS-TURN or TURN exchange was seen: bare media may follow */
	uint8_t hold[512];        /* the head of a TCP message cut by segments (ClientHello, HTTP), ... */
	uint16_t hold_len;
	uint8_t hold_side;
	uint32_t hold_seq;        /* ... and the sequence number that must come next */
};

/* A name or lease learnt from a payload; the sensor makes an event of it. */
struct learnt_name {
	struct addr client, server, address;
	uint32_t ttl_s;
	char name[NAME_MAX_LEN + 1];
};
struct learnt_lease {
	struct mac chaddr;
	struct addr address, server, router, dns[4];
	uint32_t xid, lease_s;
	uint8_t mask_bits, dns_count;
};
#define LEARNT_NAMES_MAX 32

struct learnt {
	unsigned name_count; /* past the maximum they are counted in names_refused */
	unsigned names_refused;
	struct learnt_name name[LEARNT_NAMES_MAX];
	bool has_lease;
	struct learnt_lease lease;
};

struct look {
	const struct packet *packet;
	const uint8_t *data;  /* the payload to judge: the packet's, or what was put together */
	uint32_t len;         /* captured bytes of it */
	uint32_t wire_len;    /* bytes of it on the wire */
	unsigned side;        /* which end of the facts sent it */
	bool from_start;      /* the first payload of this side of a TCP flow seen from its SYN */
	struct flow_facts *facts; /* a yes writes app, media, name_kind, ...; never the counters */
	char *name;           /* NAME_MAX_LEN + 1 bytes; write with the facts' name_kind */
	struct young *young;
	struct learnt *learnt;
};

struct dissector {
	const char *name;
	enum app app;
	bool tcp, udp;
	enum answer (*look)(struct look *look);
};

#endif
