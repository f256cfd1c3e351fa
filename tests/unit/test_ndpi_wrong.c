/*
 * test_ndpi_wrong.c - what nDPI 4.2 misses or misnames (domain.md 8.2) and we get right. Each case goes through
 * sensor and inspector; beside it runs nDPI alone over the same packets, so that it is seen to be wrong.
 */
#include "dissectors/ndpi.h"
#include "schema/event.h"
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"
#include "tests/lib/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNIT "10.1.0.7:50016 > 10.1.0.9:50010"
#define PEER "10.1.0.9:50010 > 10.1.0.7:50016"
#define UNIT6 "[2001:db8::7]:50016 > [2001:db8::9]:50010"
#define RELAY "10.1.0.7:50016 > 52.112.1.9:3478"
#define RELAY_BACK "52.112.1.9:3478 > 10.1.0.7:50016"
#define RELAY_TCP "10.1.0.7:50016 > 52.112.1.9:443"
#define OTHER "93.71.110.205:16332"

/* What nDPI says of all packets of the wire as one flow, nobody holding anything back. */
static enum app ndpi_alone(const struct wire *w)
{
	struct ndpi_engine *engine = NULL;
	struct ndpi_state *state;
	enum app app = APP_NONE;
	bool final = false;
	struct err err;

	assert_int_equal(ndpi_engine_new(false, &engine, &err), 0);
	state = ndpi_state_new(engine);
	for (size_t i = 0; i < wire_count(w) && !final; i++) {
		CLEANUP(freep) uint8_t *bytes = NULL;
		struct packet packet;

		if (seen_packet(w, i, &packet, &bytes) == DECODED_IP)
			app = ndpi_look(engine, state, packet.ip, packet.ip_caplen,
			                packet.time_us, &final);
	}
	ndpi_state_free(engine, state);
	ndpi_engine_free(engine);
	return app;
}

/* All flows of the wire are `ours`; nDPI by itself says `theirs`. */
static void compare(const struct wire *w, enum app ours, enum app theirs)
{
	CLEANUP(watched_freep) struct watched *watched = watched_of(w);

	for (unsigned i = 0; i < watched->count; i++) {
		if (watched_app(&watched->flow[i]) != ours)
			fail_msg("flow %u reads %s", i,
			         app_name(watched_app(&watched->flow[i])));
		assert_int_equal(watched->flow[i].facts.evidence,
		                 ours ? EVIDENCE_DISSECTOR : EVIDENCE_NONE);
	}
	assert_true(watched->count > 0);
	if (ndpi_alone(w) != theirs)
		fail_msg("nDPI reads %s", app_name(ndpi_alone(w)));
}

#define WIRE CLEANUP(wire_freep) struct wire *w = wire_new()

static void say(struct wire *w, const char *tuple, const struct message *m)
{
	talk_udp(w, tuple, m);
}

static struct rtp rtp_of(unsigned i, unsigned payload_type)
{
	return (struct rtp){.payload_type = (uint8_t)payload_type,
	                    .seq = (uint16_t)(1000 + i),
	                    .timestamp = i * 320,
	                    .ssrc = 7,
	                    .payload_len = 60};
}

static void stun_over_ipv6_it_never_detects(void **state)
{
	WIRE;
	talk_ice(w, UNIT6);
	compare(w, APP_STUN, APP_NONE);
}

static void stun_over_tcp_in_any_framing_it_never_detects(void **state)
{
	struct message m = message_stun_request(1, true), framed = message_framed(&m, 2);

	for (unsigned i = 0; i < 2; i++) {
		WIRE;
		talk_open(w, UNIT);
		for (unsigned n = 0; n < 4; n++)
			talk_send(w, UNIT, i ? &framed : &m);
		compare(w, APP_STUN, APP_NONE);
	}
}

static void a_stun_message_of_512_bytes_and_more_is_none_to_it(void **state)
{
	WIRE;
	struct rtp rtp = rtp_of(0, PT_H264);
	struct message inner;

	rtp.payload_len = 900;
	for (unsigned i = 0; i < 4; i++) {
		struct message m;

		rtp.seq++;
		inner = message_rtp(&rtp);
		m = message_msturn(i % 2 ? MSTURN_DATA : MSTURN_SEND, i, OTHER, &inner);
		assert_true(m.len >= 512);
		say(w, i % 2 ? RELAY_BACK : RELAY, &m);
	}
	compare(w, APP_MSTURN, APP_NONE);
}

static void an_empty_binding_request_never_counts_with_it(void **state)
{
	WIRE;
	struct message m = message_stun_plain(1);

	for (unsigned i = 0; i < 5; i++)
		say(w, RELAY, &m);
	compare(w, APP_STUN, APP_NONE);
}

static void a_check_of_a_microsoft_client_it_calls_a_skype_call(void **state)
{
	WIRE;
	struct message m = message_stun_request(1, true);

	for (unsigned i = 0; i < 3; i++)
		say(w, UNIT, &m);
	compare(w, APP_STUN, APP_STUN); /* STUN.SkypeCall: the carrier is the application */
}

static void a_flow_on_a_port_met_before_inherits_a_name_from_its_cache(void **state)
{
	WIRE;
	CLEANUP(watched_freep) struct watched *watched = NULL;
	struct message skype = message_stun_request(1, true);
	const struct stun stun = {.type = 0x0001, .tx = 3, .name = "abcd:efgh", .sealed = true};
	struct message plain = message_stun(&stun);

	/* Two flows to one port: only the first is of such a client. */
	for (unsigned i = 0; i < 4; i++)
		say(w, "10.1.0.7:50016 > 10.1.0.9:50010", &skype);
	for (unsigned i = 0; i < 4; i++)
		say(w, "10.1.0.8:50020 > 10.1.0.9:50010", &plain);
	watched = watched_of(w);
	assert_int_equal(watched->count, 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(watched_app(&watched->flow[i]), APP_STUN);
		assert_int_equal(watched->flow[i].opinion, APP_NONE);
	}
	assert_int_equal(watched->handed, 0); /* it was asked of neither */
}

static void odd_stun_never_is_whatsapp(void **state)
{
	WIRE;
	const struct stun odd = {.type = 0x0001, .tx = 3, .odd = true};
	struct message m = message_stun(&odd);

	for (unsigned i = 0; i < 6; i++)
		say(w, i % 2 ? RELAY_BACK : RELAY, &m);
	compare(w, APP_STUN, ndpi_alone(w));
}

static void rtp_on_a_flow_that_began_with_checks_it_never_reports(void **state)
{
	WIRE;
	CLEANUP(watched_freep) struct watched *watched = NULL;
	const struct media media = {PT_SILK, 30, 7, false, false};

	talk_ice(w, UNIT);
	talk_rtp(w, UNIT, &media);
	compare(w, APP_RTP, APP_STUN);
	watched = watched_of(w);
	assert_int_equal(watched->flow[0].facts.media, MEDIA_AUDIO);
	assert_int_equal(watched->flow[0].facts.ice, 3);
}

static void rtp_with_an_extension_is_unknown_to_it(void **state)
{
	WIRE;
	const struct media media = {PT_SILK, 30, 7, true, true};

	talk_rtp(w, UNIT, &media);
	compare(w, APP_RTP, APP_NONE);
}

static void rtp_with_contributing_sources_is_unknown_to_it(void **state)
{
	WIRE;
	for (unsigned i = 0; i < 8; i++) {
		const struct rtp rtp = rtp_of(i, PT_SILK);
		struct message m = message_rtp(&rtp);

		m.b[0] |= 2; /* the first eight bytes of the payload are two sources */
		say(w, UNIT, &m);
	}
	compare(w, APP_RTP, APP_NONE);
}

static void rtp_over_tcp_to_a_port_below_1024_is_unknown_to_it(void **state)
{
	WIRE;
	const struct media media = {PT_DATA, 20, 7, false, false};

	talk_rtp_tcp(w, RELAY_TCP, &media);
	compare(w, APP_RTP, APP_NONE);
}

static void one_packet_that_looks_like_rtp_suffices_for_it_and_not_for_us(void **state)
{
	WIRE;
	struct message m = {0};

	/* | 80 | 60 | sequence | noise |: it might be anything. */
	message_add32(&m, 0x80600000);
	message_add_noise(&m, 100, 5);
	say(w, UNIT, &m);
	compare(w, APP_NONE, APP_NONE); /* so its word of RTP is not passed on */
}

static void an_extension_and_sequence_number_02xx_is_no_skype_call(void **state)
{
	WIRE;
	for (unsigned i = 0; i < 8; i++) {
		struct rtp rtp = rtp_of(i, PT_SILK);
		struct message m;

		rtp.seq = (uint16_t)(0x0210 + i);
		rtp.extension = true;
		m = message_rtp(&rtp);
		say(w, UNIT, &m);
	}
	compare(w, APP_RTP, APP_SKYPE);
}

static void payload_types_of_microsoft_have_a_kind(void **state)
{
	static const struct {
		uint8_t payload_type, media;
	} cases[] = {
		{104, MEDIA_AUDIO}, {121, MEDIA_VIDEO}, {122, MEDIA_VIDEO}, {127, MEDIA_DATA}};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		WIRE;
		CLEANUP(watched_freep) struct watched *watched = NULL;
		const struct media media = {cases[i].payload_type, 12, 7, true, false};

		talk_rtp(w, UNIT, &media);
		compare(w, APP_RTP, APP_NONE);
		watched = watched_of(w);
		assert_int_equal(watched->flow[0].facts.media, cases[i].media);
	}
}

static void srtcp_whose_lengths_do_not_add_up_is_unknown_to_it(void **state)
{
	WIRE;
	struct message m = {0};

	/* | RR, one block | 32 bytes, and 14 of index and tag. */
	message_add32(&m, 0x81c90007);
	message_add_noise(&m, 42, 9);
	say(w, UNIT, &m);
	say(w, UNIT, &m);
	compare(w, APP_RTCP, APP_NONE);
}

static void pseudo_tls_is_no_tls(void **state)
{
	WIRE;
	const struct media media = {.payload_type = PT_SILK, .packets = 5, .ssrc = 7};

	talk_msturn_tcp(w, RELAY_TCP, OTHER, &media, true);
	compare(w, APP_MSTURN, APP_TLS);
}

static void multiplexed_turn_channels_and_bare_media_to_3478_are_no_guess(void **state)
{
	enum { MULTIPLEXED, CHANNEL, BARE };

	for (unsigned form = MULTIPLEXED; form <= BARE; form++) {
		WIRE;
		struct message first =
			form == CHANNEL ? message_stun(&(struct stun){
						  .type = 0x0009, .tx = 1, .peer = OTHER})
			: form == BARE  ? message_msturn(MSTURN_SET_ACTIVE, 1, OTHER, NULL)
					: message_msturn(MSTURN_ALLOCATE, 1, NULL, NULL);
		CLEANUP(watched_freep) struct watched *watched = NULL;

		say(w, RELAY, &first);
		for (unsigned i = 0; i < 10; i++) {
			const struct rtp rtp = rtp_of(i, PT_SILK);
			struct message inner = message_rtp(&rtp);
			struct message m = form == MULTIPLEXED
			                           ? message_msturn_multiplexed(&inner)
			                   : form == CHANNEL ? message_channel(0x4000, &inner)
			                                     : inner;

			say(w, RELAY, &m);
		}
		compare(w, form == CHANNEL ? APP_STUN : APP_MSTURN, ndpi_alone(w));
		watched = watched_of(w);
		assert_int_equal(watched->flow[0].facts.media, MEDIA_AUDIO);
	}
}

/* A conversation without its first `skip` packets. */
static void join_late(struct wire *to, const struct wire *from, size_t skip)
{
	for (size_t i = skip; i < wire_count(from); i++) {
		struct wire_frame frame = wire_packet(from, i);

		wire_frame(to, frame.data, frame.caplen);
	}
}

static void tls_joined_late_on_443_and_5061_is_tls_and_never_sip_by_port(void **state)
{
	static const char *const tuples[] = {"10.1.0.7:49152 > 10.1.0.9:443",
	                                     "10.1.0.7:49152 > 10.1.0.9:5061"};

	for (unsigned i = 0; i < ARRAY_LEN(tuples); i++) {
		CLEANUP(wire_freep) struct wire *whole = wire_new(), *w = wire_new();
		const struct tls tls = {.sni = "sip.corp.example", .records = 6};

		talk_tls(whole, tuples[i], &tls);
		join_late(w, whole, 14);
		compare(w, APP_TLS, APP_NONE);
	}
}

static void http_of_the_server_side_alone_is_http(void **state)
{
	WIRE;
	struct message m = message_http_answer(200, 240);

	wire_tcp(w, "10.1.0.9:80 > 10.1.0.7:49152", "PA", m.b, m.len);
	compare(w, APP_HTTP, APP_NONE);
}

static void an_llmnr_reply_alone_is_llmnr(void **state)
{
	WIRE;
	CLEANUP(wire_freep) struct wire *whole = wire_new();

	talk_llmnr(whole, "10.1.0.7:49152 > 224.0.0.252:5355", "printer", "10.1.0.9");
	join_late(w, whole, 1);
	compare(w, APP_LLMNR, APP_NONE);
}

static void what_nobody_knows_on_touch_ports_and_8057_stays_unknown(void **state)
{
	static const char *const tuples[] = {
		"10.1.0.7:49152 > 10.1.0.9:8057",
		"[2001:db8::9]:49152 > [2001:db8::7]:69",
		"[2001:db8::9]:49152 > [2001:db8::7]:5000",
		"[2001:db8::9]:49152 > [2001:db8::7]:5152",
		"[2001:db8::9]:49152 > [2001:db8::7]:23456",
	};

	for (unsigned i = 0; i < ARRAY_LEN(tuples); i++) {
		WIRE;
		struct message ask = message_noise(80, i), answer = message_noise(200, i + 50);

		ask.b[0] = answer.b[0] = 0x99;
		talk_tcp(w, tuples[i], &ask, &answer);
		compare(w, APP_NONE, APP_NONE);
	}
}

static void addresses_of_microsoft_name_no_application(void **state)
{
	WIRE;
	CLEANUP(watched_freep) struct watched *watched = NULL;

	for (unsigned i = 0; i < 9; i++) {
		struct message m = message_noise(90, i);

		m.b[0] = 0x05;
		say(w, "10.1.0.7:50016 > 23.96.1.9:40000", &m);
	}
	watched = watched_of(w);
	assert_int_equal(watched_app(&watched->flow[0]), APP_NONE);
}

static void dtls_never_reaches_it(void **state)
{
	WIRE;
	CLEANUP(watched_freep) struct watched *watched = NULL;

	for (unsigned i = 0; i < 4; i++) {
		struct message m = {0};

		/* A handshake, also of old OpenSSL; data; and of 1.3 what has no version any more (RFC 9147 4). */
		message_add8(&m, i == 3 ? 0x2e : i == 2 ? 23 : 22);
		message_add16(&m, i == 3 ? 0x1234 : i == 1 ? 0x0100 : 0xfefd);
		message_add_noise(&m, 8, i);
		message_add16(&m, 60);
		message_add_noise(&m, 60, i);
		say(w, UNIT, &m);
	}
	watched = watched_of(w);
	assert_int_equal(watched_app(&watched->flow[0]), APP_DTLS);
	assert_int_equal(watched->handed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stun_over_ipv6_it_never_detects),
		cmocka_unit_test(stun_over_tcp_in_any_framing_it_never_detects),
		cmocka_unit_test(a_stun_message_of_512_bytes_and_more_is_none_to_it),
		cmocka_unit_test(an_empty_binding_request_never_counts_with_it),
		cmocka_unit_test(a_check_of_a_microsoft_client_it_calls_a_skype_call),
		cmocka_unit_test(a_flow_on_a_port_met_before_inherits_a_name_from_its_cache),
		cmocka_unit_test(odd_stun_never_is_whatsapp),
		cmocka_unit_test(rtp_on_a_flow_that_began_with_checks_it_never_reports),
		cmocka_unit_test(rtp_with_an_extension_is_unknown_to_it),
		cmocka_unit_test(rtp_with_contributing_sources_is_unknown_to_it),
		cmocka_unit_test(rtp_over_tcp_to_a_port_below_1024_is_unknown_to_it),
		cmocka_unit_test(one_packet_that_looks_like_rtp_suffices_for_it_and_not_for_us),
		cmocka_unit_test(an_extension_and_sequence_number_02xx_is_no_skype_call),
		cmocka_unit_test(payload_types_of_microsoft_have_a_kind),
		cmocka_unit_test(srtcp_whose_lengths_do_not_add_up_is_unknown_to_it),
		cmocka_unit_test(pseudo_tls_is_no_tls),
		cmocka_unit_test(multiplexed_turn_channels_and_bare_media_to_3478_are_no_guess),
		cmocka_unit_test(tls_joined_late_on_443_and_5061_is_tls_and_never_sip_by_port),
		cmocka_unit_test(http_of_the_server_side_alone_is_http),
		cmocka_unit_test(an_llmnr_reply_alone_is_llmnr),
		cmocka_unit_test(what_nobody_knows_on_touch_ports_and_8057_stays_unknown),
		cmocka_unit_test(addresses_of_microsoft_name_no_application),
		cmocka_unit_test(dtls_never_reaches_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
