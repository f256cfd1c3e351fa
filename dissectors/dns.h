/*
 * dns.h - what dns.c (messages and questions) and dns_answer.c (what an answer binds) share. Only they
 * include it.
 */
#ifndef DISSECTORS_DNS_H
#define DISSECTORS_DNS_H

#include "dissectors/cursor.h"
#include "dissectors/list.h"

enum { TYPE_A = 1, TYPE_CNAME = 5, TYPE_SOA = 6, TYPE_AAAA = 28, TYPE_SRV = 33 };

/*
 *   | id | QR, opcode 4, AA TC RD RA, Z AD CD, rcode 4 | QDCOUNT | ANCOUNT | NSCOUNT | ARCOUNT |
 */
struct dns_header {
	uint16_t id, flags, questions, answers, authorities, additional;
	bool reply;
	uint8_t opcode, rcode;
};

/* A name as text, lower case, without the last dot; "" is the root. */
struct dns_name {
	char text[NAME_MAX_LEN + 1];
	unsigned len;
};

/* | name | type 2 | class 2 | ttl 4 | length 2 | data |; the cursor stands behind the name. */
struct dns_record {
	uint16_t type, class, len;
	uint32_t ttl;
	uint32_t owner, data; /* offsets in the message */
};

/* A message as far as its question. */
struct dns_message {
	const uint8_t *at;
	uint32_t len;
	bool whole; /* all of it is here */
	bool own_port;
	enum app app;

	struct dns_header h;
	struct dns_name asked;
	uint16_t type;
	uint32_t records; /* where they begin; 0: it does not repeat the question */
	bool fits;        /* they lead to the message's end, as far as it is here */
};

/* Reads the name at *pos of a message and moves *pos behind it (RFC 1035 4.1.4); false: broken, or too long. */
bool dns_read_name(const uint8_t *message, uint32_t len, uint32_t *pos, struct dns_name *name);
/* The same for names that differ in case alone; 0 of the root and of a broken one. Far cheaper than text. */
uint64_t dns_hash_name(const uint8_t *message, uint32_t len, uint32_t pos);
/* The record there; false if it is not all there. */
bool dns_read_record(const uint8_t *message, uint32_t len, uint32_t *pos, struct dns_record *ret);
bool dns_skip_records(const uint8_t *message, uint32_t len, uint32_t *pos, unsigned count);

/* What an answer binds (dns_answer.c). `asked`: its question was seen. */
void dns_read_answers(struct look *look, const struct dns_message *message, bool asked);

#endif
