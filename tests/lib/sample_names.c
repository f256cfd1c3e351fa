/*
 * sample_names.c - samples of DNS, LLMNR and DHCP.
 */
#include "tests/lib/sample.h"

/* Header 12 bytes, then the question: its labels, a zero, type and class (RFC 1035 4.1). */
static uint32_t question_end(const struct message *m)
{
	uint32_t at = 12;

	while (m->b[at])
		at += 1u + m->b[at];
	return at + 5;
}

/*
 * The counts of the header, the labels of the question, and from there on the lengths of the records;
 * `prefix` bytes of TCP's length before. QDCOUNT is 1 in all there is of DNS today (domain.md 1.1).
 */
static void dns_fields(struct sample *sample, unsigned prefix, bool own_port)
{
	const uint8_t *b = sample->m.b + prefix;
	size_t len = sample->m.len - prefix, at = 12;

	if (prefix)
		sample_field(sample, 0, prefix, false);
	sample_field(sample, prefix + 4, 2, true);
	for (unsigned i = 6; i < 12; i += 2)
		sample_field(sample, prefix + i, 2, !own_port);
	for (; b[at]; at += 1u + b[at])
		sample_field(sample, prefix + at, 1, false);
	at += 5;
	while (at + 12 <= len) {
		sample_field(sample, prefix + at, 2, false); /* a pointer is an offset */
		sample_field(sample, prefix + at + 10, 2, !own_port);
		at += 12u + (unsigned)(b[at + 10] << 8 | b[at + 11]);
	}
}

/*
 * At its own port header and question are DNS, whatever follows; over TCP the message may go on in the next
 * segment. Elsewhere every byte must be accounted for.
 */
static void dns_add(struct samples *to, const char *what, const struct message *m, bool reply)
{
	struct message framed = message_framed(m, 2);
	struct sample *sample;

	sample = sample_add(to, "dns", what, APP_DNS, m);
	sample_udp(sample, 40000, 53);
	dns_fields(sample, 0, true);
	sample->alone = sample->cut = question_end(m);
	if (reply)
		sample_reply(sample);

	sample = sample_add(to, "dns", what, APP_DNS, m);
	sample_udp(sample, 40000, 5300);
	dns_fields(sample, 0, false);
	if (reply)
		sample_reply(sample);

	sample = sample_add(to, "dns", what, APP_DNS, &framed);
	sample_tcp(sample, 40000, 53);
	dns_fields(sample, 2, true);
	sample->alone = sample->cut = question_end(m) + 2;
	if (reply)
		sample_reply(sample);

	sample = sample_add(to, "dns", what, APP_DNS, &framed);
	sample_tcp(sample, 40000, 5300);
	dns_fields(sample, 2, false);
	if (reply)
		sample_reply(sample);
}

static void dns_samples(struct samples *to)
{
	struct message m = message_dns_query(7, "sip.corp.example", DNS_A);

	dns_add(to, "a query", &m, false);
	m.b[11] = 1; /* EDNS (RFC 6891 6.1.2): | root | OPT | 1232 | flags | no options | */
	message_add(&m, (uint8_t[]){0, 0, 41, 4, 0xd0, 0, 0, 0, 0, 0, 0}, 11);
	dns_add(to, "a query with EDNS", &m, false);
	m = message_dns_answer(7, "sip.corp.example", DNS_A, "fe01.corp.example", "10.0.0.9",
	                       60);
	dns_add(to, "an alias and its address", &m, true);
	m = message_dns_answer(7, "sip.corp.example", DNS_AAAA, NULL, "2001:db8::9", 60);
	dns_add(to, "an IPv6 address", &m, true);
	m = message_dns_answer(8, "_sip._tls.corp.example", DNS_SRV, NULL,
	                       "443 sip.corp.example", 60);
	dns_add(to, "a service", &m, true);
	m = message_dns_answer(9, "no.corp.example", DNS_A, NULL, NULL, 60);
	dns_add(to, "no such name", &m, true);
}

static void llmnr_add(struct samples *to, const char *what, const struct message *m, bool reply)
{
	struct message framed = message_framed(m, 2);
	struct sample *sample = sample_add(to, "llmnr", what, APP_LLMNR, m);

	/* A reply is unicast and so a flow of its own (RFC 4795 2.5): end 0 is the responder. */
	sample_udp(sample, reply ? 5355 : 40000, reply ? 40000 : 5355);
	dns_fields(sample, 0, true);
	sample->alone = sample->cut = question_end(m);

	sample = sample_add(to, "llmnr", what, APP_LLMNR, &framed);
	sample_tcp(sample, 40000, 5355);
	dns_fields(sample, 2, true);
	sample->alone = sample->cut = question_end(m) + 2;
	if (reply)
		sample_reply(sample);
}

static void llmnr_samples(struct samples *to)
{
	struct message m = message_dns_query(7, "printer", DNS_A);

	m.b[2] = 0; /* RFC 4795 2.1.1: no recursion */
	llmnr_add(to, "a query", &m, false);
	m = message_dns_answer(7, "printer", DNS_A, NULL, "10.1.0.77", 30);
	m.b[2] = 0x80;
	m.b[3] = 0;
	llmnr_add(to, "a reply", &m, true);
}

/* The magic number ends the fixed part at 240, and settles it (domain.md 1.2). */
static void dhcp_add(struct samples *to, const char *what, const struct dhcp *dhcp, bool reply)
{
	struct message m = message_dhcp(dhcp);
	struct sample *sample = sample_add(to, "dhcp", what, APP_DHCP, &m);
	uint32_t at;

	sample_udp(sample, reply ? 67 : 68, reply ? 68 : 67);
	sample_field(sample, 1, 1, true);
	sample_field(sample, 2, 1, true);
	for (at = 240; m.b[at] != 255; at += 2u + m.b[at + 1])
		sample_field(sample, at + 1, 1, false);
	sample->teaches = at + 1;
	sample->alone = sample->cut = 240;
}

static void dhcp_samples(struct samples *to)
{
	struct dhcp dhcp = {.type = DHCP_DISCOVER, .xid = 7, .chaddr = "00:26:8c:01:02:03"};

	dhcp_add(to, "discover", &dhcp, false);
	dhcp.type = DHCP_REQUEST;
	dhcp.requested = "10.1.0.7";
	dhcp.server = "10.1.0.1";
	dhcp_add(to, "request", &dhcp, false);
	dhcp.requested = NULL;
	dhcp.type = DHCP_ACK;
	dhcp.yiaddr = "10.1.0.7";
	dhcp.mask = "255.255.255.0";
	dhcp.router = "10.1.0.1";
	dhcp.dns = "10.0.0.53";
	dhcp.lease_s = 86400;
	dhcp_add(to, "ack", &dhcp, true);
}

void samples_of_names(struct samples *to)
{
	dns_samples(to);
	llmnr_samples(to);
	dhcp_samples(to);
}
