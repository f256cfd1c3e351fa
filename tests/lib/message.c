/*
 * message.c - payloads for tests: the common words, names, leases, and the small protocols. Media and
 * TLS have files of their own.
 */
#include "tests/lib/message.h"

#include <arpa/inet.h>

void message_add(struct message *m, const void *data, size_t len)
{
	if (len > MESSAGE_MAX - m->len) {
		fprintf(stderr, "message: longer than %d bytes\n", MESSAGE_MAX);
		abort();
	}
	if (len)
		memcpy(m->b + m->len, data, len);
	m->len += len;
}

void message_add8(struct message *m, unsigned value)
{
	message_add(m, (uint8_t[]){(uint8_t)value}, 1);
}

void message_add16(struct message *m, unsigned value)
{
	message_add(m, (uint8_t[]){(uint8_t)(value >> 8), (uint8_t)value}, 2);
}

void message_add32(struct message *m, uint32_t value)
{
	message_add16(m, value >> 16);
	message_add16(m, value & 0xffff);
}

/* xorshift32 (Marsaglia 2003) */
void message_add_noise(struct message *m, size_t len, uint32_t seed)
{
	uint32_t x = seed * 2654435761U ^ 0x9e3779b9U;

	for (size_t i = 0; i < len; i++) {
		x = x ? x : 1;
		x ^= x << 13;
		x ^= x >> 17;
		x ^= x << 5;
		message_add8(m, x >> 24);
	}
}

struct message message_text(const char *text)
{
	struct message m = {0};

	message_add(&m, text, strlen(text));
	return m;
}

struct message message_noise(size_t len, uint32_t seed)
{
	struct message m = {0};

	message_add_noise(&m, len, seed);
	return m;
}

struct message message_framed(const struct message *body, unsigned count)
{
	struct message m = {0};

	for (unsigned i = count; i-- > 0;)
		message_add8(&m, i < sizeof(uint32_t) ? (uint32_t)body->len >> 8 * i : 0);
	message_add(&m, body->b, body->len);
	return m;
}

struct message message_der(unsigned tag, const struct message *content)
{
	struct message m = {0};

	message_add8(&m, tag);
	if (content->len >= 256) {
		message_add8(&m, 0x82);
		message_add16(&m, (unsigned)content->len);
	} else if (content->len >= 128) {
		message_add8(&m, 0x81);
		message_add8(&m, (unsigned)content->len);
	} else {
		message_add8(&m, (unsigned)content->len);
	}
	message_add(&m, content->b, content->len);
	return m;
}

/* DNS */

static void name_add(struct message *m, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		message_add8(m, (unsigned)len);
		message_add(m, name, len);
		name += len + (name[len] == '.');
	}
	message_add8(m, 0);
}

static struct message dns_head(uint16_t id, unsigned flags, unsigned answers, const char *name,
                               unsigned type)
{
	struct message m = {0};

	message_add16(&m, id);
	message_add16(&m, flags);
	message_add16(&m, 1);
	message_add16(&m, answers);
	message_add32(&m, 0);
	name_add(&m, name);
	message_add16(&m, type);
	message_add16(&m, 1); /* class IN */
	return m;
}

struct message message_dns_query(uint16_t id, const char *name, unsigned type)
{
	return dns_head(id, 0x0100, 0, name, type); /* recursion desired */
}

struct message message_mdns_query(const char *name)
{
	return dns_head(0, 0, 0, name, DNS_PTR);
}

static void record_add(struct message *m, unsigned owner, unsigned type, uint32_t ttl_s,
                       const struct message *data)
{
	message_add16(m, 0xc000 | owner); /* RFC 1035 4.1.4: a pointer to the name */
	message_add16(m, type);
	message_add16(m, 1);
	message_add32(m, ttl_s);
	message_add16(m, (unsigned)data->len);
	message_add(m, data->b, data->len);
}

struct message message_dns_answer(uint16_t id, const char *name, unsigned type,
                                  const char *cname, const char *value, uint32_t ttl_s)
{
	unsigned answers = !!cname + !!value;
	struct message m = dns_head(id, answers ? 0x8180 : 0x8183, answers, name, type);
	unsigned owner = 12;

	if (cname) {
		struct message alias = {0};

		name_add(&alias, cname);
		record_add(&m, owner, 5, ttl_s, &alias);
		owner = (unsigned)(m.len - alias.len);
	}
	if (value) {
		struct message data = {0};
		uint8_t addr[16];

		if (type == DNS_SRV) { /* RFC 2782: priority, weight, port, target */
			char *host;

			message_add32(&data, 0);
			message_add16(&data, (unsigned)strtoul(value, &host, 10));
			name_add(&data, host + 1);
		} else if (inet_pton(AF_INET, value, addr) == 1) {
			message_add(&data, addr, 4);
		} else if (inet_pton(AF_INET6, value, addr) == 1) {
			message_add(&data, addr, 16);
		}
		record_add(&m, owner, type, ttl_s, &data);
	}
	return m;
}

/* DHCP */

static void addr_add(struct message *m, const char *text)
{
	struct in_addr addr = {0};

	if (text)
		inet_pton(AF_INET, text, &addr);
	message_add(m, &addr, 4);
}

static void option_addr(struct message *m, unsigned code, const char *text)
{
	if (!text)
		return;
	message_add8(m, code);
	message_add8(m, 4);
	addr_add(m, text);
}

struct message message_dhcp(const struct dhcp *dhcp)
{
	bool reply = dhcp->type == DHCP_OFFER || dhcp->type == DHCP_ACK;
	struct message m = {0};
	uint8_t blank[202] = {0};

	message_add(&m, (uint8_t[]){reply ? 2 : 1, 1, 6, 0}, 4);
	message_add32(&m, dhcp->xid);
	message_add16(&m, 0);
	message_add16(&m, dhcp->ciaddr ? 0 : 0x8000); /* answer by broadcast */
	addr_add(&m, dhcp->ciaddr);
	addr_add(&m, dhcp->yiaddr);
	message_add32(&m, 0);
	message_add32(&m, 0);
	for (unsigned i = 0; i < 6; i++)
		message_add8(&m, (unsigned)strtoul(dhcp->chaddr + 3 * i, NULL, 16));
	message_add(&m, blank, sizeof(blank)); /* rest of chaddr, sname, file */
	message_add32(&m, 0x63825363);
	message_add(&m, (uint8_t[]){53, 1, dhcp->type}, 3);
	option_addr(&m, 50, dhcp->requested);
	option_addr(&m, 54, dhcp->server);
	option_addr(&m, 1, dhcp->mask);
	option_addr(&m, 3, dhcp->router);
	option_addr(&m, 6, dhcp->dns);
	if (dhcp->lease_s) {
		message_add(&m, (uint8_t[]){51, 4}, 2);
		message_add32(&m, dhcp->lease_s);
	}
	if (!reply)
		message_add(&m, (uint8_t[]){55, 4, 1, 3, 6, 15}, 6);
	message_add8(&m, 255);
	while (m.len < 300) /* RFC 1542 2.1: the least a BOOTP relay passes on */
		message_add8(&m, 0);
	return m;
}

/* HTTP */

struct message message_http_get(const char *host, const char *target)
{
	char text[512];

	snprintf(text, sizeof(text),
	         "GET %s HTTP/1.1\r\nHost: %s\r\nAccept: "
	         "application/vnd.microsoft.rtc.autodiscover+xml;v=1\r\n\r\n",
	         target, host);
	return message_text(text);
}

struct message message_http_answer(unsigned status, size_t body_len)
{
	char text[256];
	struct message m;

	snprintf(text, sizeof(text),
	         "HTTP/1.1 %u %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n",
	         status, status == 200 ? "OK" : "Moved", body_len);
	m = message_text(text);
	for (size_t i = 0; i < body_len; i++)
		message_add8(&m, 'a' + i % 26);
	return m;
}

/* Kerberos: the inner parts first */

/* PrincipalName (5.2.2) of one string */
static struct message kerberos_name(uint8_t type, const struct message *text)
{
	struct message m = {0}, part = message_der(0x1b, text);

	message_add(&m, (uint8_t[]){0xa0, 3, 2, 1, type}, 5);
	part = message_der(0x30, &part);
	part = message_der(0xa1, &part);
	message_add(&m, part.b, part.len);
	return message_der(0x30, &m);
}

/* EncryptedData (5.2.9): aes256, and what nobody can read */
static struct message encrypted(size_t len, uint32_t seed)
{
	struct message m = {0}, part = message_noise(len, seed);

	message_add(&m, (uint8_t[]){0xa0, 3, 2, 1, 18}, 5);
	part = message_der(0x04, &part);
	part = message_der(0xa2, &part);
	message_add(&m, part.b, part.len);
	return message_der(0x30, &m);
}

/* Ticket (5.3) as field [5] of an answer */
static void ticket_add(struct message *m)
{
	struct message body = {0}, part = message_text("CORP.EXAMPLE");

	message_add(&body, (uint8_t[]){0xa0, 3, 2, 1, 5}, 5);
	part = message_der(0x1b, &part);
	part = message_der(0xa1, &part);
	message_add(&body, part.b, part.len);
	part = message_text("krbtgt");
	part = kerberos_name(2, &part);
	part = message_der(0xa2, &part);
	message_add(&body, part.b, part.len);
	part = encrypted(90, 5);
	part = message_der(0xa3, &part);
	message_add(&body, part.b, part.len);
	body = message_der(0x30, &body);
	body = message_der(0x61, &body);
	body = message_der(0xa5, &body);
	message_add(m, body.b, body.len);
}

struct message message_kerberos(unsigned type)
{
	bool request = type == KERBEROS_AS_REQ;
	struct message m = {0}, part, text, name;

	/* pvno and msg-type: [1] and [2] of a request, [0] and [1] of an answer */
	message_add(&m, (uint8_t[]){request ? 0xa1 : 0xa0, 3, 2, 1, 5}, 5);
	message_add(&m, (uint8_t[]){request ? 0xa2 : 0xa1, 3, 2, 1, (uint8_t)type}, 5);
	if (type ==
	    KERBEROS_ERROR) { /* stime, susec, error-code 25: preauthentication required */
		text = message_text("20260302080000Z");
		part = message_der(0x18, &text);
		part = message_der(0xa4, &part);
		message_add(&m, part.b, part.len);
		message_add(&m, (uint8_t[]){0xa5, 3, 2, 1, 7, 0xa6, 3, 2, 1, 25}, 10);
	}
	text = message_text("CORP.EXAMPLE");
	part = message_der(0x1b, &text); /* the realm, a GeneralString */
	if (request) {
		struct message body = {0};

		message_add(&body, (uint8_t[]){0xa0, 7, 3, 5, 0, 0x40, 0x81, 0, 0x10}, 9);
		part = message_der(0xa2, &part);
		message_add(&body, part.b, part.len);
		message_add(&body, (uint8_t[]){0xa7, 4, 2, 2, 0x12, 0x34}, 6);  /* nonce */
		message_add(&body, (uint8_t[]){0xa8, 5, 0x30, 3, 2, 1, 18}, 7); /* aes256 */
		body = message_der(0x30, &body);
		part = message_der(0xa4, &body);
	} else {
		part = message_der(type == KERBEROS_ERROR ? 0xa9 : 0xa3, &part);
	}
	message_add(&m, part.b, part.len);
	if (type == KERBEROS_AS_REP) { /* cname, ticket, enc-part */
		text = message_text("huddle");
		name = kerberos_name(1, &text);
		name = message_der(0xa4, &name);
		message_add(&m, name.b, name.len);
		ticket_add(&m);
		name = encrypted(140, type);
		name = message_der(0xa6, &name);
		message_add(&m, name.b, name.len);
	}
	m = message_der(0x30, &m);
	return message_der(0x60 | type, &m);
}

/* What rooms should not say, but do */

struct message message_ntp(unsigned mode)
{
	struct message m = {0};

	message_add(&m, (uint8_t[]){(uint8_t)(4 << 3 | mode), mode == 4 ? 2 : 0, 6, 0xe9}, 4);
	message_add32(&m, mode == 4 ? 0x00000a10 : 0);
	message_add32(&m, mode == 4 ? 0x00000b20 : 0);
	message_add32(&m, mode == 4 ? 0x0a140035 : 0);
	for (unsigned i = 0; i < 3;
	     i++) { /* reference, origin, receive: 2026-03-02 in NTP's era */
		message_add32(&m, mode == 4 ? 0xed4f5b00 + i : 0);
		message_add32(&m, mode == 4 ? 0x40000000 : 0);
	}
	message_add32(&m, 0xed4f5b03);
	message_add32(&m, 0x80000000);
	return m;
}

struct message message_sip_register(const char *domain)
{
	char text[512];

	snprintf(
		text, sizeof(text),
		"REGISTER sip:%s SIP/2.0\r\nVia: SIP/2.0/TCP 10.20.1.21:49911;branch=z9hG4bK1\r\n"
		"From: <sip:huddle@%s>;tag=1\r\nTo: <sip:huddle@%s>\r\nCall-ID: 1@%s\r\n"
		"CSeq: 1 REGISTER\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n",
		domain, domain, domain, domain);
	return message_text(text);
}

struct message message_sip_answer(void)
{
	return message_text("SIP/2.0 401 Unauthorized\r\nCSeq: 1 REGISTER\r\nCall-ID: 1\r\n"
	                    "Content-Length: 0\r\n\r\n");
}

struct message message_ldap_bind(void)
{
	struct message m = {0};

	message_add(&m, (uint8_t[]){0x30, 0x0c, 2, 1, 1, 0x60, 7, 2, 1, 3, 4, 0, 0x80, 0}, 14);
	return m;
}
