/*
 * talk.c - conversations for tests: opening, closing, names, leases, signalling.
 */
#include "tests/lib/talk.h"

#define TURN_ROUND 0.002 /* seconds from one packet to its answer */

void talk_open(struct wire *w, const char *tuple)
{
	char back[WIRE_TUPLE];

	wire_tcp(w, tuple, "S", NULL, 0);
	wire_wait(w, TURN_ROUND);
	wire_tcp(w, wire_back(tuple, back), "SA", NULL, 0);
	wire_wait(w, TURN_ROUND / 2);
	wire_tcp(w, tuple, "A", NULL, 0);
}

void talk_send(struct wire *w, const char *tuple, const struct message *m)
{
	char back[WIRE_TUPLE];

	wire_wait(w, TURN_ROUND);
	wire_tcp(w, tuple, "PA", m->b, m->len);
	wire_wait(w, TURN_ROUND / 2);
	wire_tcp(w, wire_back(tuple, back), "A", NULL, 0);
}

void talk_udp(struct wire *w, const char *tuple, const struct message *m)
{
	wire_udp(w, tuple, m->b, m->len);
	wire_wait(w, TURN_ROUND);
}

void talk_close(struct wire *w, const char *tuple)
{
	char back[WIRE_TUPLE];

	wire_wait(w, TURN_ROUND);
	wire_tcp(w, tuple, "FA", NULL, 0);
	wire_wait(w, TURN_ROUND);
	wire_tcp(w, wire_back(tuple, back), "FA", NULL, 0);
	wire_wait(w, TURN_ROUND / 2);
	wire_tcp(w, tuple, "A", NULL, 0);
}

void talk_silence(struct wire *w, const char *tuple)
{
	static const double waits[] = {1, 2, 4, 0};

	for (unsigned i = 0; i < ARRAY_LEN(waits); i++) {
		wire_tcp(w, tuple, "S", NULL, 0);
		wire_wait(w, waits[i]);
	}
}

void talk_refused(struct wire *w, const char *tuple)
{
	char back[WIRE_TUPLE];

	wire_tcp(w, tuple, "S", NULL, 0);
	wire_wait(w, TURN_ROUND);
	wire_tcp(w, wire_back(tuple, back), "RA", NULL, 0);
}

/* A transaction's number: any that differs from name to name. */
static uint16_t dns_id(const struct dns_case *dns)
{
	uint16_t id = (uint16_t)dns->type;

	for (const char *c = dns->name; *c; c++)
		id = (uint16_t)(id * 31 + *c);
	return id;
}

void talk_dns(struct wire *w, const char *tuple, const struct dns_case *dns)
{
	struct message query = message_dns_query(dns_id(dns), dns->name, dns->type);
	struct message answer = message_dns_answer(dns_id(dns), dns->name, dns->type,
	                                           dns->cname, dns->value, 300);
	char back[WIRE_TUPLE];

	talk_udp(w, tuple, &query);
	talk_udp(w, wire_back(tuple, back), &answer);
}

void talk_dns_tcp(struct wire *w, const char *tuple, const struct dns_case *dns)
{
	struct message query = message_dns_query(dns_id(dns), dns->name, dns->type);
	struct message answer = message_dns_answer(dns_id(dns), dns->name, dns->type,
	                                           dns->cname, dns->value, 300);

	query = message_framed(&query, 2);
	answer = message_framed(&answer, 2);
	talk_tcp(w, tuple, &query, &answer);
}

void talk_llmnr(struct wire *w, const char *tuple, const char *name, const char *answerer)
{
	struct message query = message_dns_query(7, name, DNS_A);
	char back[WIRE_TUPLE];

	query.b[2] = 0; /* RFC 4795 2.1.1: no recursion to desire */
	talk_udp(w, tuple, &query);
	if (answerer) {
		struct message answer = message_dns_answer(7, name, DNS_A, NULL, answerer, 30);
		const char *port = strrchr(strstr(tuple, " > "), ':');

		answer.b[2] = 0x80;
		answer.b[3] = 0;
		snprintf(back, sizeof(back), "%s%s > %.*s", answerer, port,
		         (int)(strstr(tuple, " > ") - tuple), tuple);
		talk_udp(w, back, &answer);
	}
}

void talk_dhcp(struct wire *w, const struct dhcp_case *lease)
{
	char back[WIRE_TUPLE];
	struct dhcp ask = {.type = DHCP_DISCOVER, .xid = lease->xid, .chaddr = lease->mac};
	struct dhcp answer = {.type = DHCP_OFFER,
	                      .xid = lease->xid,
	                      .lease_s = 86400,
	                      .chaddr = lease->mac,
	                      .yiaddr = lease->address,
	                      .server = lease->server,
	                      .mask = lease->mask,
	                      .router = lease->router,
	                      .dns = lease->dns};

	snprintf(back, sizeof(back), "%s:67 > 255.255.255.255:68", lease->server);
	wire_mac(w, "0.0.0.0", lease->mac);
	for (unsigned round = 0; round < 2; round++) {
		struct message m = message_dhcp(&ask);

		talk_udp(w, "0.0.0.0:68 > 255.255.255.255:67", &m);
		m = message_dhcp(&answer);
		talk_udp(w, back, &m);
		ask.type = DHCP_REQUEST;
		ask.requested = lease->address;
		ask.server = lease->server;
		answer.type = DHCP_ACK;
	}
}

void talk_tls(struct wire *w, const char *tuple, const struct tls *tls)
{
	unsigned version = tls->version ? tls->version : 0x0303;
	unsigned records = tls->records ? tls->records : 2;
	struct message m = message_client_hello(tls->sni, version);
	char back[WIRE_TUPLE];

	wire_back(tuple, back);
	talk_open(w, tuple);
	talk_send(w, tuple, &m);
	m = message_server_hello(version, tls->mutual);
	talk_send(w, back, &m);
	if (version < 0x0304) {
		m = message_client_finish(tls->mutual);
		talk_send(w, tuple, &m);
		m = message_server_finish();
		talk_send(w, back, &m);
	}
	for (unsigned i = 0; i < records; i++) {
		m = message_tls_data(220 + i % 7 * 40, i);
		talk_send(w, tuple, &m);
		m = message_tls_data(900 + i % 5 * 60, i + 100);
		talk_send(w, back, &m);
	}
	if (!tls->stays_open)
		talk_close(w, tuple);
}

void talk_tcp(struct wire *w, const char *tuple, const struct message *ask,
              const struct message *answer)
{
	char back[WIRE_TUPLE];

	talk_open(w, tuple);
	talk_send(w, tuple, ask);
	talk_send(w, wire_back(tuple, back), answer);
	talk_close(w, tuple);
}

void talk_http(struct wire *w, const char *tuple, const char *host, const char *target)
{
	struct message ask = message_http_get(host, target),
		       answer = message_http_answer(200, 240);

	talk_tcp(w, tuple, &ask, &answer);
}

void talk_kerberos(struct wire *w, const char *tuple)
{
	struct message m = message_kerberos(KERBEROS_AS_REQ);
	char back[WIRE_TUPLE];

	talk_udp(w, tuple, &m);
	m = message_kerberos(KERBEROS_AS_REP);
	talk_udp(w, wire_back(tuple, back), &m);
}

void talk_kerberos_tcp(struct wire *w, const char *tuple)
{
	struct message ask = message_kerberos(KERBEROS_AS_REQ),
		       answer = message_kerberos(KERBEROS_AS_REP);

	ask = message_framed(&ask, 4);
	answer = message_framed(&answer, 4);
	talk_tcp(w, tuple, &ask, &answer);
}

/* RFC 4253 4.2: both sides say who they are, then send a binary packet (7.1, KEXINIT) */
void talk_ssh(struct wire *w, const char *tuple)
{
	struct message m = message_text("SSH-2.0-OpenSSH_8.4\r\n");
	char back[WIRE_TUPLE];

	wire_back(tuple, back);
	talk_open(w, tuple);
	talk_send(w, tuple, &m);
	m = message_text("SSH-2.0-OpenSSH_9.2p1\r\n");
	talk_send(w, back, &m);
	for (unsigned i = 0; i < 2; i++) {
		m = (struct message){0};
		message_add32(&m, 404);
		message_add(&m, (uint8_t[]){6, 20}, 2);
		message_add_noise(&m, 16, i);
		message_add32(&m, 17);
		message_add(&m, "curve25519-sha256", 17);
		while (m.len < 408)
			message_add8(&m, 0);
		talk_send(w, i ? back : tuple, &m);
	}
	for (unsigned i = 0; i < 6; i++) {
		m = message_noise(120, i);
		talk_send(w, i % 2 ? back : tuple, &m);
	}
	talk_close(w, tuple);
}

void talk_ntp(struct wire *w, const char *tuple)
{
	struct message m = message_ntp(3);
	char back[WIRE_TUPLE];

	talk_udp(w, tuple, &m);
	m = message_ntp(4);
	talk_udp(w, wire_back(tuple, back), &m);
}
