/*
 * sample_signalling.c - samples of TLS, HTTP, SIP and Kerberos.
 */
#include "tests/lib/sample.h"

#define HELLO_HEAD \
	11 /* | record header 5 | handshake type, length 3 | version 2 | (RFC 8446 5.1, 4) */

/* The lengths of a hello: of the record, the message, session id, suites, compression, extensions. */
static void hello_fields(struct sample *sample)
{
	const uint8_t *b = sample->m.b;
	size_t at = 43;

	sample_field(sample, 3, 2, false);
	sample_field(sample, 6, 3, false);
	sample_field(sample, at, 1, false);
	at += 1u + b[at];
	if (b[5] == 1) {
		sample_field(sample, at, 2, false);
		at += 2u + (unsigned)(b[at] << 8 | b[at + 1]);
		sample_field(sample, at, 1, false);
		at += 1u + b[at];
	} else {
		at += 3;
	}
	if (at + 2 > 9u + (unsigned)(b[7] << 8 | b[8]))
		return;
	sample_field(sample, at, 2, false);
	for (at += 2; at < 9u + (unsigned)(b[7] << 8 | b[8]);
	     at += 4u + (unsigned)(b[at + 2] << 8 | b[at + 3])) {
		sample_field(sample, at + 2, 2, false);
		if (b[at] == 0 &&
		    b[at + 1] == 0) { /* server name (RFC 6066 3): list and name */
			sample_field(sample, at + 4, 2, false);
			sample_field(sample, at + 7, 2, false);
		}
	}
}

static void tls_samples(struct samples *to)
{
	struct message m = message_client_hello("sip.corp.example", 0x0303), more;
	struct sample *sample = sample_add(to, "tls", "a ClientHello of 1.2", APP_TLS, &m);

	sample_tcp(sample, 49152, 443);
	hello_fields(sample);
	sample->alone = sample->cut = HELLO_HEAD;
	m = message_client_hello("sip.corp.example", 0x0304);
	sample = sample_add(to, "tls", "a ClientHello of 1.3, mid-stream", APP_TLS, &m);
	sample_tcp(sample, 49152, 443);
	sample->midstream = true;
	hello_fields(sample);
	sample->alone = sample->cut = HELLO_HEAD;
	m = message_server_hello(0x0303, true);
	sample = sample_add(to, "tls", "a ServerHello of 1.2 that asks for a certificate",
	                    APP_TLS, &m);
	sample_tcp(sample, 443, 49152);
	sample->midstream = true;
	hello_fields(sample);
	sample->alone = sample->cut = HELLO_HEAD;
	m = message_server_hello(0x0304, false);
	sample = sample_add(to, "tls", "a ServerHello of 1.3", APP_TLS, &m);
	sample_tcp(sample, 49152, 443);
	sample_reply(sample);
	hello_fields(sample);
	sample->alone = sample->cut = HELLO_HEAD;
	/* Mid-stream two chained headers are enough, or one record that ends with its segment. */
	m = message_tls_data(60, 1);
	more = message_tls_data(40, 2);
	message_add(&m, more.b, more.len);
	sample = sample_add(to, "tls", "two records, mid-stream", APP_TLS, &m);
	sample_tcp(sample, 49152, 443);
	sample->midstream = true;
	sample_field(sample, 3, 2, true);
	sample_field(sample, 68, 2, false);
	sample->alone = sample->cut = 70;
	sample->also[0] = 65;
	m = message_client_finish(true);
	sample = sample_add(to, "tls", "a client's certificate, mid-stream", APP_TLS, &m);
	sample_tcp(sample, 49152, 5061);
	sample->midstream = true;
	sample_field(sample, 3, 2, true);
	sample_field(sample, 6, 3, false);
	sample_field(sample, 9, 3, false);
	sample_field(sample, 12, 3, false);
	sample->also[0] = 5u + (unsigned)(m.b[3] << 8 | m.b[4]);
	sample->alone = sample->cut = sample->also[0] + 5;
}

static uint32_t line_end(const struct message *m)
{
	return (uint32_t)((const uint8_t *)memchr(m->b, '\n', m->len) - m->b) + 1;
}

/* A request is one with its first line, an answer with its status (domain.md 1.4). */
static void http_samples(struct samples *to)
{
	struct message m =
		message_http_get("lyncdiscover.corp.example", "/?sipuri=a@corp.example");
	struct sample *sample = sample_add(to, "http", "a request", APP_HTTP, &m);

	sample_tcp(sample, 49152, 80);
	sample->alone = sample->cut = line_end(&m);
	m = message_text(
		"CONNECT sip.corp.example:443 HTTP/1.1\r\nHost: sip.corp.example:443\r\n\r\n");
	sample = sample_add(to, "http", "a request to a proxy", APP_HTTP, &m);
	sample_tcp(sample, 49152, 8080);
	sample->alone = sample->cut = line_end(&m);
	m = message_http_answer(302, 60);
	sample = sample_add(to, "http", "an answer alone", APP_HTTP, &m);
	sample_tcp(sample, 80, 49152);
	sample->midstream = true;
	sample->alone = sample->cut = 12;
	m = message_http_answer(200, 10);
	sample = sample_add(to, "http", "an answer", APP_HTTP, &m);
	sample_tcp(sample, 49152, 80);
	sample_reply(sample);
	sample->alone = sample->cut = 12;
}

static void sip_samples(struct samples *to)
{
	struct message m = message_sip_register("corp.example");
	struct sample *sample;

	for (unsigned i = 0; i < 4; i++) {
		if (i == 2)
			m = message_sip_answer();
		sample = sample_add(to, "sip", i < 2 ? "a request" : "an answer", APP_SIP, &m);
		if (i % 2)
			sample_tcp(sample, 49152, 5060);
		else
			sample_udp(sample, 49152, 5060);
		if (i >= 2)
			sample_reply(sample);
		sample->alone = sample->cut = line_end(&m);
	}
}

/* The two outer lengths of DER (X.690 8.1.3) as far as they are there. */
static void der_fields(struct sample *sample, size_t at)
{
	for (unsigned i = 0; i < 2; i++) {
		uint8_t first = sample->m.b[at + 1];

		sample_field(sample, at + 1, 1, true);
		if (first > 0x80)
			sample_field(sample, at + 2, first & 0x7f, true);
		at += 2u + (first > 0x80 ? first & 0x7f : 0);
	}
}

/*
 * Both lengths must end with the message, so less of it on the wire is none. The message type is the last
 * byte looked at; over TCP the length before it says how long the message will be.
 */
static void kerberos_add(struct samples *to, const char *what, unsigned type, bool reply)
{
	struct message m = message_kerberos(type), framed = message_framed(&m, 4);
	struct sample *sample = sample_add(to, "kerberos", what, APP_KERBEROS, &m);
	const uint8_t *version = memmem(m.b, m.len, (uint8_t[]){3, 2, 1, 5}, 4);
	uint32_t proof = (uint32_t)(version - m.b) + 4 + 5;

	sample_udp(sample, 49152, 88);
	der_fields(sample, 0);
	sample->cut = proof;
	if (reply)
		sample_reply(sample);
	sample = sample_add(to, "kerberos", what, APP_KERBEROS, &framed);
	sample_tcp(sample, 49152, 88);
	sample_field(sample, 0, 4, true);
	der_fields(sample, 4);
	sample->alone = sample->cut = proof + 4;
	if (reply)
		sample_reply(sample);
}

static void kerberos_samples(struct samples *to)
{
	kerberos_add(to, "a request", KERBEROS_AS_REQ, false);
	kerberos_add(to, "a ticket", KERBEROS_AS_REP, true);
	kerberos_add(to, "an error", KERBEROS_ERROR, true);
}

void samples_of_signalling(struct samples *to)
{
	tls_samples(to);
	http_samples(to);
	sip_samples(to);
	kerberos_samples(to);
}
