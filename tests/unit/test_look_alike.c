/*
 * test_look_alike.c - what begins like media and is none: no dissector of media may claim it, however long
 * it goes on.
 */
#include "tests/lib/talk.h"
#include "tests/lib/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNIT "10.1.0.7:50016 > 10.1.0.9:50010"
#define PEER "10.1.0.9:50010 > 10.1.0.7:50016"
#define PACKETS 600

static struct message noise(void (*head)(struct message *m, unsigned i), unsigned i, size_t len)
{
	struct message m = {0};

	if (head)
		head(&m, i);
	message_add_noise(&m, len, i + 1);
	return m;
}

/* RFC 9000 17.3: short header, connection id, the rest encrypted; 17.2 with the fixed bit greased (RFC 9287). */
static void quic_short(struct message *m, unsigned i)
{
	message_add8(m, 0x40 | (i * 37 & 0x3f));
	message_add32(m, 0xa1b2c3d4);
}

static void quic_greased(struct message *m, unsigned i)
{
	message_add8(m, 0x80 | (i * 37 & 0x3f));
	message_add32(m, 1);
	message_add32(m, 0x08a1b2c3);
}

static void quic_greased_short(struct message *m, unsigned i)
{
	message_add8(m, i * 37 & 0x3f);
	message_add32(m, 0xa1b2c3d4);
}

static void dns_of_high_ids(struct message *m, unsigned i)
{
	message_add16(m, 0x8000 + i);
	message_add32(m, 0x01000001);
	message_add32(m, 0);
	message_add16(m, 0);
}

/* | 4 | 0 0 0 | receiver 4 | counter 8, little-endian | encrypted */
static void wireguard(struct message *m, unsigned i)
{
	message_add32(m, i ? 0x04000000 : 0x01000000);
	message_add32(m, 0x80e1b2c3);
	message_add32(m, i << 24);
	message_add32(m, 0);
}

/* RFC 3948: | SPI 4 | sequence 4 | encrypted; an SPI may begin with any byte */
static void esp_in_udp(struct message *m, unsigned i)
{
	message_add32(m, 0x80681234);
	message_add32(m, i);
}

/* | 84 | sequence 3, little-endian | reliability | ... */
static void raknet(struct message *m, unsigned i)
{
	message_add8(m, 0x84);
	message_add8(m, i & 0xff);
	message_add8(m, i >> 8);
	message_add8(m, 0);
	message_add32(m, 0x60014000);
	message_add32(m, i << 8);
}

/* ENet: | peer 2, its top bit: with a time | milliseconds 2 | command, channel, sequence 2 | length 2 | data */
static void enet(struct message *m, unsigned i)
{
	message_add16(m, 0x8003);
	message_add16(m, i * 33);
	message_add16(m, 0x0601);
	message_add16(m, i);
	message_add32(m, 0x00140102);
}

/* UDT, SRT: control packets | 80 02 | 0 0 | sequence 4 | time 4 | socket 4 */
static void srt_control(struct message *m, unsigned i)
{
	message_add32(m, 0x80020000);
	message_add32(m, i * 10);
	message_add32(m, i * 10000);
	message_add32(m, 0x1234);
}

static void tftp_data(struct message *m, unsigned i)
{
	message_add16(m, 3);
	message_add16(m, i + 1);
}

/* | 1 request | id | length of all 2 | authenticator 16 | */
static void radius(struct message *m, unsigned i)
{
	message_add8(m, 1);
	message_add8(m, i);
	message_add16(m, 4 + 80);
}

/* A binding request by its first bytes, whose length fits; no attribute does. */
static void stun_without_attributes_that_parse(struct message *m, unsigned i)
{
	message_add16(m, 1);
	message_add16(m, 80 + 4 - 20);
}

static void multiplexed_of_another_length(struct message *m, unsigned i)
{
	message_add16(m, 0xff10);
	message_add16(m, 79);
}

static void channel_without_a_binding(struct message *m, unsigned i)
{
	message_add16(m, 0x4001);
	message_add16(m, 80);
}

static void dtls_of_no_version(struct message *m, unsigned i)
{
	message_add8(m, 22);
	message_add16(m, 0xfefb);
}

/* Of RTP everything but one source. */
static void sequence_without_source(struct message *m, unsigned i)
{
	message_add16(m, 0x8068);
	message_add16(m, i);
	message_add32(m, i * 320);
	message_add_noise(m, 4, i);
}

static void source_without_sequence(struct message *m, unsigned i)
{
	message_add16(m, 0x8068);
	message_add16(m, i * 25173 + 13849);
	message_add32(m, i * 320);
	message_add32(m, 7);
}

static void source_whose_time_goes_back(struct message *m, unsigned i)
{
	message_add16(m, 0x8068);
	message_add16(m, i);
	message_add32(m, 0x7fffffff - i * 320);
	message_add32(m, 7);
}

/* Of RTCP the first bytes, of a length that does not fit. */
static void report_of_another_length(struct message *m, unsigned i)
{
	message_add16(m, 0x80c8);
	message_add16(m, 0x0600 + i);
}

static void nothing_that_only_begins_like_media_is_taken_for_it(void **state)
{
	static const struct {
		const char *what;
		void (*head)(struct message *m, unsigned i);
	} cases[] = {
		{"noise", NULL},
		{"QUIC", quic_short},
		{"QUIC, long and greased", quic_greased},
		{"QUIC, short and greased", quic_greased_short},
		{"DNS", dns_of_high_ids},
		{"WireGuard", wireguard},
		{"ESP", esp_in_udp},
		{"RakNet", raknet},
		{"ENet", enet},
		{"SRT", srt_control},
		{"TFTP", tftp_data},
		{"RADIUS", radius},
		{"STUN", stun_without_attributes_that_parse},
		{"FF10", multiplexed_of_another_length},
		{"a channel", channel_without_a_binding},
		{"DTLS", dtls_of_no_version},
		{"no source", sequence_without_source},
		{"no sequence", source_without_sequence},
		{"time goes back", source_whose_time_goes_back},
		{"RTCP", report_of_another_length},
	};

	for (unsigned n = 0; n < ARRAY_LEN(cases); n++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(watched_freep) struct watched *watched = NULL;

		for (unsigned i = 0; i < PACKETS; i++) {
			struct message m = noise(cases[n].head, i, 80);

			talk_udp(w, i % 5 == 4 ? PEER : UNIT, &m);
			wire_wait(w, 0.03);
		}
		watched = watched_of(w);
		assert_int_equal(watched->count, 1);
		if (watched->flow[0].facts.evidence != EVIDENCE_NONE ||
		    watched->flow[0].facts.media || watched->flow[0].facts.ice)
			fail_msg("%s reads %s", cases[n].what,
			         app_name((enum app)watched->flow[0].facts.app));
	}
}

static void a_counter_in_an_empty_header_is_no_media(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(watched_freep) struct watched *watched = NULL;

	for (unsigned i = 0; i < 20; i++) {
		struct message m = {0};

		message_add16(&m, 0x8000);
		message_add16(&m, i);
		message_add32(&m, 0);
		message_add32(&m, 0);
		talk_udp(w, UNIT, &m);
		wire_wait(w, 0.03);
	}
	watched = watched_of(w);
	assert_int_equal(watched->flow[0].facts.evidence, EVIDENCE_NONE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_that_only_begins_like_media_is_taken_for_it),
		cmocka_unit_test(a_counter_in_an_empty_header_is_no_media),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
