/*
 * test_order.c - a conversation over TCP tells the same facts however its bytes are cut into segments, in
 * whatever order they come, and whatever is sent twice.
 */
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define TCP "10.1.0.7:49152 > 10.1.0.9:443"
#define TCP_BACK "10.1.0.9:443 > 10.1.0.7:49152"
#define PACKETS_MAX 20000

static void say_tls12_mutual(struct wire *w)
{
	const struct tls tls = {.sni = "sip.corp.example", .mutual = true};

	talk_tls(w, TCP, &tls);
}

static void say_tls13(struct wire *w)
{
	const struct tls tls = {.sni = "config.maestro.starleaf.com", .version = 0x0304};

	talk_tls(w, TCP, &tls);
}

static void say_http(struct wire *w)
{
	talk_http(w, "10.1.0.7:49152 > 10.1.0.9:80", "lyncdiscover.corp.example", "/");
}

static void say_connect(struct wire *w)
{
	struct message
		ask = message_text(
			"CONNECT sip.corp.example:443 HTTP/1.1\r\nHost: sip.corp.example:443\r\n\r\n"),
		answer = message_text("HTTP/1.1 200 Connection established\r\nVia: a\r\n\r\n"),
		hello = message_client_hello("sip.corp.example", 0x0303),
		reply = message_server_hello(0x0303, true),
		finish = message_client_finish(true);

	talk_open(w, TCP);
	talk_send(w, TCP, &ask);
	talk_send(w, TCP_BACK, &answer);
	talk_send(w, TCP, &hello);
	talk_send(w, TCP_BACK, &reply);
	talk_send(w, TCP, &finish);
}

static void say_kerberos(struct wire *w)
{
	talk_kerberos_tcp(w, "10.1.0.7:49152 > 10.1.0.9:88");
}

static void say_dns(struct wire *w)
{
	const struct dns_case dns = {"sip.corp.example", DNS_A, "fe01.corp.example",
	                             "10.0.0.9"};

	talk_dns_tcp(w, "10.1.0.7:49152 > 10.0.0.53:53", &dns);
}

static void say_framed(struct wire *w)
{
	const struct media media = {PT_DATA, 6, 7, false, false};

	talk_rtp_tcp(w, "10.1.0.7:50016 > 10.1.0.9:50010", &media);
}

static void say_msturn(struct wire *w)
{
	const struct media media = {PT_H264, 5, 7, false, false};

	talk_msturn_tcp(w, TCP, "93.71.110.205:16332", &media, true);
}

static void say_ssh(struct wire *w)
{
	talk_ssh(w, TCP);
}

static const struct {
	const char *name;
	void (*say)(struct wire *w);
	enum app app;
	bool media;
} TALKS[] = {
	{"tls 1.2, mutual", say_tls12_mutual, APP_TLS, false},
	{"tls 1.3", say_tls13, APP_TLS, false},
	{"http", say_http, APP_HTTP, false},
	{"connect", say_connect, APP_TLS, false},
	{"kerberos", say_kerberos, APP_KERBEROS, false},
	{"dns", say_dns, APP_DNS, false},
	{"framed", say_framed, APP_RTP, true},
	{"msturn", say_msturn, APP_MSTURN, true},
	{"ssh", say_ssh, APP_NONE, false},
};

/* The packets of a wire, to be cut, joined and mixed; each has its payload to itself. */
struct talk {
	struct packet packet[PACKETS_MAX];
	unsigned count;
};

static struct packet *talk_add(struct talk *talk, const struct packet *like,
                               const uint8_t *data, uint32_t len)
{
	struct packet *packet = &talk->packet[talk->count++];
	uint8_t *copy = malloc(len ? len : 1);

	assert_true(talk->count < PACKETS_MAX);
	assert_non_null(copy);
	if (len)
		memcpy(copy, data, len);
	*packet = *like;
	packet->payload = copy;
	packet->payload_len = packet->payload_wire_len = len;
	return packet;
}

static struct talk *talk_of(void (*say)(struct wire *w))
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct talk *talk = calloc(1, sizeof(*talk));

	assert_non_null(talk);
	say(w);
	for (size_t i = 0; i < wire_count(w); i++) {
		CLEANUP(freep) uint8_t *bytes = NULL;
		struct packet packet;

		assert_int_equal(seen_packet(w, i, &packet, &bytes), DECODED_IP);
		talk_add(talk, &packet, packet.payload, packet.payload_len);
	}
	return talk;
}

static void talk_freep(struct talk **talk)
{
	for (unsigned i = 0; i < (*talk)->count; i++)
		free((uint8_t *)(uintptr_t)(*talk)->packet[i].payload);
	free(*talk);
}

static bool same_side(const struct packet *a, const struct packet *b)
{
	return a->src_port == b->src_port && addr_equal(&a->src, &b->src);
}

static uint32_t random_next(uint32_t *random, uint32_t below)
{
	*random = *random * 1664525 + 1013904223;
	return (*random >> 8) % below;
}

/* Every payload in pieces of `step` bytes. */
static struct talk *talk_cut(const struct talk *from, uint32_t step)
{
	struct talk *talk = calloc(1, sizeof(*talk));

	assert_non_null(talk);
	for (unsigned i = 0; i < from->count; i++) {
		const struct packet *packet = &from->packet[i];
		uint32_t at = 0;

		do {
			uint32_t len = packet->payload_len - at < step
			                       ? packet->payload_len - at
			                       : step;

			talk_add(talk, packet, packet->payload + at, len)->tcp_seq += at;
			at += len;
		} while (at < packet->payload_len);
	}
	return talk;
}

/* What a side says until the other one speaks, in one segment. */
static struct talk *talk_join(const struct talk *from)
{
	struct talk *talk = calloc(1, sizeof(*talk));
	static uint8_t joined[65536];

	assert_non_null(talk);
	for (unsigned i = 0; i < from->count;) {
		const struct packet *packet = &from->packet[i];
		uint32_t len = 0;

		do {
			if (same_side(packet, &from->packet[i]) &&
			    from->packet[i].payload_len) {
				memcpy(joined + len, from->packet[i].payload,
				       from->packet[i].payload_len);
				len += from->packet[i].payload_len;
			}
			i++;
		} while (
			len && i < from->count &&
			(!from->packet[i].payload_len || same_side(packet, &from->packet[i])) &&
			!(from->packet[i].tcp_flags & (TCP_SYN | TCP_FIN)));
		talk_add(talk, packet, joined, len);
	}
	return talk;
}

/* Payloads of one side change places with others up to `window` behind them, and some come twice. */
static struct talk *talk_mix(const struct talk *from, unsigned window, bool twice,
                             uint32_t seed)
{
	struct talk *talk = calloc(1, sizeof(*talk));

	assert_non_null(talk);
	for (unsigned i = 0; i < from->count; i++) {
		const struct packet *packet = &from->packet[i];

		talk_add(talk, packet, packet->payload, packet->payload_len);
		if (twice && packet->payload_len && !random_next(&seed, 3)) {
			unsigned other = talk->count - 1 -
			                 random_next(&seed, talk->count < 8 ? talk->count : 8);
			const struct packet again = talk->packet[other];

			if (again.payload_len)
				talk_add(talk, &again, again.payload, again.payload_len);
		}
	}
	for (unsigned i = 0; i + 1 < talk->count; i++) {
		unsigned end = i + 1;
		struct packet packet = talk->packet[i];

		if (!packet.payload_len)
			continue;
		while (end < talk->count && end - i < window && talk->packet[end].payload_len &&
		       same_side(&packet, &talk->packet[end]))
			end++;
		end = i + random_next(&seed, end - i);
		talk->packet[i] = talk->packet[end];
		talk->packet[end] = packet;
	}
	return talk;
}

static struct seen *see(const struct talk *talk)
{
	struct seen *seen = seen_new();

	for (unsigned i = 0; i < talk->count; i++)
		seen_show(seen, &talk->packet[i]);
	seen_end(seen);
	return seen;
}

static void must_be_same(const char *name, const char *how, unsigned with, const struct seen *a,
                         const struct seen *b)
{
	const struct flow_facts *x = &a->facts, *y = &b->facts;

#define SAME(field) \
	if (memcmp(&x->field, &y->field, sizeof(x->field))) \
	fail_msg("%s, %s %u: another %s, %lx", name, how, with, #field, \
	         (unsigned long)*(const uint8_t *)&y->field)
	SAME(app);
	SAME(evidence);
	SAME(not_apps);
	SAME(name_kind);
	SAME(initiator);
	SAME(initiator_by);
	SAME(tls_version);
	SAME(mtls);
	SAME(media);
	SAME(media_packets);
	SAME(payload_types);
	SAME(ice);
	SAME(relayed);
	SAME(relayed_port);
	SAME(connect_port);
	SAME(asked);
	SAME(tries);
	assert_string_equal(a->name, b->name);
	assert_int_equal(a->names, b->names);
	assert_int_equal(b->shed, 0);
}

static void segments_of_any_size_tell_the_same(void **state)
{
	for (unsigned t = 0; t < ARRAY_LEN(TALKS); t++) {
		CLEANUP(talk_freep) struct talk *talk = talk_of(TALKS[t].say);
		CLEANUP(seen_freep) struct seen *plain = see(talk);

		assert_int_equal(plain->facts.app, TALKS[t].app);
		/* Of media the first 512 payloads are looked at. */
		for (uint32_t step = TALKS[t].media ? 40 : 1; step < 1460;
		     step += step < 120 ? 1 : 37) {
			CLEANUP(talk_freep) struct talk *cut = talk_cut(talk, step);
			CLEANUP(seen_freep) struct seen *seen = see(cut);

			must_be_same(TALKS[t].name, "pieces of", step, plain, seen);
		}
	}
}

static void segments_joined_tell_the_same(void **state)
{
	for (unsigned t = 0; t < ARRAY_LEN(TALKS); t++) {
		CLEANUP(talk_freep) struct talk *talk = talk_of(TALKS[t].say);
		CLEANUP(talk_freep) struct talk *joined = talk_join(talk);
		CLEANUP(seen_freep) struct seen *plain = see(talk), *seen = see(joined);

		must_be_same(TALKS[t].name, "joined", 0, plain, seen);
	}
}

static void segments_in_another_order_tell_the_same(void **state)
{
	for (unsigned t = 0; t < ARRAY_LEN(TALKS); t++) {
		CLEANUP(talk_freep) struct talk *talk = talk_of(TALKS[t].say);
		CLEANUP(seen_freep) struct seen *plain = see(talk);

		for (uint32_t seed = 0; seed < 400; seed++) {
			CLEANUP(talk_freep)
			struct talk *cut = talk_cut(talk, 60 + seed * 7 % 300);
			CLEANUP(talk_freep)
			struct talk *mixed = talk_mix(cut, 2 + seed % 9, seed & 1, seed);
			CLEANUP(seen_freep) struct seen *seen = see(mixed);

			must_be_same(TALKS[t].name, "mix", seed, plain, seen);
		}
	}
}

static void segments_sent_again_with_other_bytes_change_nothing(void **state)
{
	for (unsigned t = 0; t < ARRAY_LEN(TALKS); t++) {
		CLEANUP(talk_freep) struct talk *talk = talk_of(TALKS[t].say);
		CLEANUP(talk_freep) struct talk *twice = calloc(1, sizeof(*twice));
		CLEANUP(seen_freep) struct seen *plain = see(talk), *seen = NULL;

		assert_non_null(twice);
		for (unsigned i = 0; i < talk->count; i++) {
			const struct packet *packet = &talk->packet[i];
			static const uint8_t zeros[65536];

			talk_add(twice, packet, packet->payload, packet->payload_len);
			if (packet->payload_len)
				talk_add(twice, packet, zeros, packet->payload_len);
		}
		seen = see(twice);
		must_be_same(TALKS[t].name, "again", 0, plain, seen);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_of_any_size_tell_the_same),
		cmocka_unit_test(segments_joined_tell_the_same),
		cmocka_unit_test(segments_in_another_order_tell_the_same),
		cmocka_unit_test(segments_sent_again_with_other_bytes_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
