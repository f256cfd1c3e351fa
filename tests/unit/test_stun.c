/*
 * test_stun.c - STUN in both forms, ICE checks answered, and MS-TURN over UDP and TCP.
 */
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNIT "10.1.0.7:50016 > 10.1.0.9:50010"
#define PEER "10.1.0.9:50010 > 10.1.0.7:50016"
#define UNIT6 "[2001:db8::7]:50016 > [2001:db8::9]:50010"
#define RELAY "10.1.0.7:50016 > 52.112.1.9:3478"
#define RELAY_BACK "52.112.1.9:3478 > 10.1.0.7:50016"
#define RELAY_TCP "10.1.0.7:50016 > 52.112.1.9:443"

static struct seen *see(const char *tuple, const struct message *m)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_udp(w, tuple, m->b, m->len);
	return seen_of(w);
}

static void a_check_is_stun_over_both_versions_of_ip(void **state)
{
	static const char *const tuples[] = {UNIT, UNIT6};

	for (unsigned i = 0; i < ARRAY_LEN(tuples); i++) {
		struct message m = message_stun_request(1, true);
		CLEANUP(seen_freep) struct seen *seen = see(tuples[i], &m);

		assert_int_equal(seen->facts.app, APP_STUN);
		assert_int_equal(seen->facts.initiator, 2); /* both ends send them */
		assert_int_equal(seen->facts.asked, 0);	    /* and need not answer */
		assert_int_equal(seen->facts.ice, 0);
	}
}

static void a_question_to_a_stun_server_must_be_answered(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message ask = message_stun_plain(1),
		       answer = message_stun_success(1, "10.1.0.7:50016");

	talk_udp(w, RELAY, &ask);
	talk_udp(w, RELAY, &ask);
	talk_udp(w, "52.112.1.9:3478 > 10.1.0.7:50016", &answer);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_STUN);
	assert_int_equal(seen->facts.asked, ASKED_STUN);
	assert_int_equal(seen->facts.tries, 2);
	assert_int_equal(seen->facts.ice, 0); /* an answer, but to no check */
}

static void only_a_success_that_answers_a_check_verifies_its_sender(void **state)
{
	static const struct {
		const char *from;
		uint32_t tx;
		uint8_t ice;
	} cases[] = {
		{PEER, 1, 2},
		{PEER, 2, 0}, /* another transaction */
		{UNIT, 1, 0}, /* its own check */
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;
		struct message ask = message_stun_request(1, true);
		struct message answer = message_stun_success(cases[i].tx, "10.1.0.7:50016");

		talk_udp(w, UNIT, &ask);
		talk_udp(w, cases[i].from, &answer);
		seen = seen_of(w);
		assert_int_equal(seen->facts.ice, cases[i].ice);
	}
}

static void checks_each_way_verify_both_ends(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;

	talk_ice(w, UNIT);
	seen = seen_of(w);
	assert_int_equal(seen->facts.ice, 3);
}

/* | type | length | no cookie: sixteen bytes of id | attributes of [MS-ICE2] |. */
static struct message old_check(void)
{
	struct message m = {0};

	message_add16(&m, 1);
	message_add16(&m, 8 + 8 + 12);
	message_add_noise(&m, 16, 3);
	message_add32(&m, 0x00240004);
	message_add32(&m, 0x7e0012ff);
	message_add32(&m, 0x80700004);
	message_add32(&m, 2);
	message_add32(&m, 0x802a0008);
	message_add_noise(&m, 8, 4);
	return m;
}

static void without_the_cookie_the_attributes_must_prove_it(void **state)
{
	static const struct {
		unsigned at, value;
		enum app app;
	} cases[] = {
		{5, 0, APP_STUN},     /* as it is, but for a byte of the id */
		{1, 3, APP_NONE},     /* no binding */
		{3, 24, APP_NONE},    /* does not end with the datagram */
		{21, 0x77, APP_NONE}, /* an attribute that no old form has */
		{23, 5, APP_NONE},    /* its length leads elsewhere */
		{31, 0, APP_NONE},    /* an attribute of a length it cannot have */
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct message m = old_check();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		m.b[cases[i].at] = (uint8_t)cases[i].value;
		seen = see(UNIT, &m);
		if (seen->facts.app != cases[i].app)
			fail_msg("case %u", i);
	}
}

static void the_length_must_be_that_of_the_datagram(void **state)
{
	struct message m = message_stun_request(1, true);
	CLEANUP(seen_freep) struct seen *seen = NULL;

	message_add8(&m, 0);
	seen = see(UNIT, &m);
	assert_int_equal(seen->facts.app, APP_NONE);
}

static void over_tcp_it_comes_framed_or_bare_and_in_pieces(void **state)
{
	struct message ask = message_stun_request(1, true);
	struct message forms[] = {message_framed(&ask, 2), ask};

	for (unsigned i = 0; i < ARRAY_LEN(forms); i++)
		for (size_t step = 1; step <= forms[i].len; step++) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			CLEANUP(seen_freep) struct seen *seen = NULL;

			talk_open(w, UNIT);
			for (size_t at = 0; at < forms[i].len; at += step)
				wire_tcp(w, UNIT, "PA", forms[i].b + at,
					 forms[i].len - at < step ? forms[i].len - at : step);
			seen = seen_of(w);
			assert_false(app_set_has(&seen->facts.not_apps, APP_STUN));
			if (step >= 28)
				assert_int_equal(seen->facts.app, APP_STUN);
		}
}

#define TURN_TCP "10.1.0.7:50016 > 10.1.0.9:3478"
#define TURN_TCP_BACK "10.1.0.9:3478 > 10.1.0.7:50016"

/* RFC 5766 11.5: padded to 4, between the messages. */
static void add_channel_data(struct message *m, uint16_t seq)
{
	const struct rtp rtp = {.payload_type = PT_H264, .seq = seq, .ssrc = 7, .payload_len = 101};
	struct message inner = message_rtp(&rtp);

	message_add16(m, 0x4001);
	message_add16(m, (unsigned)inner.len);
	message_add(m, inner.b, inner.len);
	while (m->len % 4)
		message_add8(m, 0);
}

static void turn_over_tcp_carries_channels_once_they_are_bound(void **state)
{
	for (unsigned bound = 0; bound < 2; bound++)
		for (size_t step = 7; step < 900; step += 11) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			CLEANUP(seen_freep) struct seen *seen = NULL;
			struct message m = message_stun_plain(1), check = message_stun_request(2, true);

			m.b[1] = bound ? 9 : 1; /* ChannelBind */
			for (uint16_t i = 0; i < 3; i++) {
				while (m.len % 4)
					message_add8(&m, 0);
				add_channel_data(&m, i);
				if (i == 1)
					message_add(&m, check.b, check.len);
			}
			wire_mss(w, (uint32_t)step);
			talk_open(w, TURN_TCP);
			wire_tcp(w, TURN_TCP, "PA", m.b, m.len);
			seen = seen_of(w);
			assert_int_equal(seen->facts.app, APP_STUN);
			assert_int_equal(seen->facts.media, bound ? MEDIA_VIDEO : 0);
			assert_int_equal(seen->facts.media_packets[1], bound ? 3 : 0);
		}
}

static void a_length_of_rfc_4571_that_looks_like_a_frame_of_msturn_is_settled_by_the_body(void **state)
{
	for (unsigned high = 2; high < 4; high++)
		for (unsigned midstream = 0; midstream < 2; midstream++) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			CLEANUP(seen_freep) struct seen *seen = NULL;

			if (!midstream)
				talk_open(w, TURN_TCP);
			for (uint16_t i = 0; i < 5; i++) {
				/* 0x0200 or 0x0300 bytes: the length reads as type and zero */
				const struct rtp rtp = {.payload_type = PT_DATA,
							.seq = i,
							.ssrc = 7,
							.payload_len = (uint16_t)(high * 256 - 12 - 10)};
				struct message inner = message_rtp(&rtp);

				inner.len = high * 256;
				inner = message_framed(&inner, 2);
				assert_int_equal(inner.b[0], high);
				assert_int_equal(inner.b[1], 0);
				wire_tcp(w, TURN_TCP, "PA", inner.b, inner.len);
			}
			seen = seen_of(w);
			assert_int_equal(seen->facts.app, APP_RTP);
			assert_int_equal(seen->facts.media, MEDIA_DATA);
			assert_int_equal(seen->facts.relayed_port, 0);
		}
}

static void data_frames_from_the_middle_need_three_in_a_row_that_fit(void **state)
{
	static const struct {
		unsigned frames, spoilt; /* whose first byte is none of media's */
		bool gap, known;
	} cases[] = {
		{2, 9, false, false}, {3, 9, false, true}, {3, 1, false, false},
		{3, 2, false, false}, {6, 2, false, true}, {3, 9, true, false}, {4, 9, true, true},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		for (uint16_t f = 0; f < cases[i].frames; f++) {
			const struct rtp rtp = {
				.payload_type = PT_DATA, .seq = f, .ssrc = 7, .payload_len = 200};
			struct message m = message_rtp(&rtp);

			m = message_msturn_framed(3, &m);
			if (f == cases[i].spoilt)
				m.b[4] = 0x47;
			wire_tcp(w, RELAY_TCP, "PA", m.b, m.len - (cases[i].gap && !f ? 40 : 0));
			if (cases[i].gap && !f)
				wire_lose(w, RELAY_TCP, 40); /* the end of a body, no header */
			wire_wait(w, 1.1);
		}
		seen = seen_of(w);
		if ((seen->facts.app == APP_MSTURN) != cases[i].known)
			fail_msg("case %u: %s", i, app_name((enum app)seen->facts.app));
	}
}

static void an_allocation_is_msturn_and_asked_for_by_the_unit(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	const struct media media = {.payload_type = PT_SILK, .packets = 5, .ssrc = 7};

	talk_msturn(w, RELAY, "93.71.110.205:16332", &media);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_MSTURN);
	assert_int_equal(seen->facts.initiator, 0);
	assert_int_equal(seen->facts.initiator_by, INITIATOR_REQUEST);
	assert_int_equal(seen->facts.asked, ASKED_TURN_ALLOCATE);
	assert_int_equal(seen->facts.relayed_port, 16332);
	assert_int_equal(seen->facts.media, MEDIA_AUDIO);
	assert_int_equal(seen->facts.ice,
			 0); /* checks inside a relay say nothing of the relay */
}

static void a_check_answered_through_a_relay_says_nothing_of_the_relay(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message m = message_msturn(MSTURN_SET_ACTIVE, 1, "93.71.110.205:16332", NULL);

	talk_udp(w, RELAY, &m);
	talk_ice(w, RELAY);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_MSTURN);
	assert_int_equal(seen->facts.ice, 0);
}

static void a_reply_alone_tells_who_asked(void **state)
{
	struct message m = message_msturn(MSTURN_ALLOCATE_ERROR, 1, NULL, NULL);
	CLEANUP(seen_freep) struct seen *seen = see("52.112.1.9:3478 > 10.1.0.7:50016", &m);

	assert_int_equal(seen->facts.app, APP_MSTURN);
	assert_int_equal(seen->facts.initiator, 1);
}

static void the_magic_cookie_attribute_is_what_makes_it_msturn(void **state)
{
	for (unsigned at = 20; at < 28; at++) {
		struct message m = message_msturn(MSTURN_ALLOCATE, 1, NULL, NULL);
		CLEANUP(seen_freep) struct seen *seen = NULL;

		m.b[at] ^= 1;
		seen = see(RELAY, &m);
		assert_int_not_equal(seen->facts.app, APP_MSTURN);
	}
}

static void media_within_send_and_data_tells_its_kind(void **state)
{
	static const unsigned types[] = {MSTURN_SEND, MSTURN_DATA};

	for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
		const struct rtp rtp = {
			.payload_type = PT_H264, .seq = 1, .ssrc = 7, .payload_len = 900};
		struct message inner = message_rtp(&rtp);
		struct message m = message_msturn(types[i], 1, "93.71.110.205:16332", &inner);
		CLEANUP(seen_freep) struct seen *seen = see(RELAY, &m);

		assert_int_equal(seen->facts.app, APP_MSTURN);
		assert_int_equal(seen->facts.media, MEDIA_VIDEO);
		assert_int_equal(seen->facts.relayed_port, 16332);
	}
}

/* An error as Microsoft's relays send it: 61 bytes of reason, a realm of 10, and nothing between. */
static void attributes_of_msturn_are_not_padded(void **state)
{
	struct message m = message_msturn(MSTURN_ALLOCATE_ERROR, 1, NULL, NULL);
	CLEANUP(seen_freep) struct seen *seen = NULL, *padded = NULL;

	m.len = 28; /* header and cookie attribute */
	message_add32(&m, 0x0009003d);
	message_add32(&m, 0x00000401);
	message_add(&m, "The request did not contain a Message-Integrity attribute", 57);
	message_add32(&m, 0x0015000a);
	message_add(&m, "\"rtcmedia\"", 10);
	message_add32(&m, 0x00120008);
	message_add(&m, (uint8_t[]){0, 1, 0x3f, 0xcc, 93, 71, 110, 205}, 8);
	m.b[3] = (uint8_t)(m.len - 20);
	seen = see(RELAY_BACK, &m);
	assert_int_equal(seen->facts.app, APP_MSTURN);
	assert_int_equal(seen->facts.initiator, 1);
	assert_int_equal(seen->facts.relayed_port, 16332);

	m.len = 28;
	message_add32(&m, 0x0015000a);
	message_add(&m, "\"rtcmedia\"\0\0", 12);
	message_add32(&m, 0x00120008);
	message_add(&m, (uint8_t[]){0, 1, 0x3f, 0xcc, 93, 71, 110, 205}, 8);
	m.b[3] = (uint8_t)(m.len - 20);
	padded = see(RELAY_BACK, &m);
	assert_int_equal(padded->facts.app, APP_MSTURN);
	assert_int_equal(padded->facts.relayed_port, 16332);
}

static void media_of_any_length_goes_through_a_relay(void **state)
{
	for (uint16_t len = 60; len < 64; len++) {
		struct message inner = message_rtp(&(struct rtp){
			.payload_type = PT_SILK, .seq = 1, .ssrc = 7, .payload_len = len});
		struct message m =
			message_msturn(MSTURN_DATA, 1, "93.71.110.205:16332", &inner);
		CLEANUP(seen_freep) struct seen *seen = see(RELAY_BACK, &m);

		assert_int_equal(seen->facts.app, APP_MSTURN);
		assert_int_equal(seen->facts.media, MEDIA_AUDIO);
	}
}

static void a_message_of_msturn_inside_of_multiplexed_turn_is_read_too(void **state)
{
	const struct rtp rtp = {
		.payload_type = PT_SILK, .seq = 1, .ssrc = 7, .payload_len = 60};
	struct message media = message_rtp(&rtp);
	struct message data = message_msturn(MSTURN_DATA, 1, "93.71.110.205:16332", &media);
	struct message m = message_msturn_multiplexed(&data);
	CLEANUP(seen_freep) struct seen *seen = see(RELAY_BACK, &m);

	assert_int_equal(seen->facts.app, APP_MSTURN);
	assert_int_equal(seen->facts.media, MEDIA_AUDIO);
	assert_int_equal(seen->facts.relayed_port, 16332);
}

static void multiplexed_turn_is_unwrapped(void **state)
{
	const struct rtp rtp = {
		.payload_type = PT_SILK, .seq = 1, .ssrc = 7, .payload_len = 60};
	struct message inner = message_rtp(&rtp);
	struct message m = message_msturn_multiplexed(&inner);
	CLEANUP(seen_freep) struct seen *seen = see(RELAY, &m), *odd = NULL;

	assert_int_equal(seen->facts.app, APP_MSTURN);
	assert_int_equal(seen->facts.media, MEDIA_AUDIO);
	m.b[3] ^= 1;
	odd = see(RELAY, &m);
	assert_int_equal(odd->facts.app, APP_NONE);
}

static void pseudo_tls_is_msturn_from_either_side_alone(void **state)
{
	struct message hello = message_pseudo_tls_hello(), answer = message_pseudo_tls_answer();
	CLEANUP(wire_freep) struct wire *client = wire_new(), *server = wire_new();
	CLEANUP(seen_freep) struct seen *a = NULL, *b = NULL;

	assert_int_equal(hello.len, 50);
	assert_int_equal(answer.len, 83);
	wire_tcp(client, RELAY_TCP, "PA", hello.b, hello.len);
	wire_tcp(server, "52.112.1.9:443 > 10.1.0.7:50016", "PA", answer.b, answer.len);
	a = seen_of(client);
	b = seen_of(server);
	assert_int_equal(a->facts.app, APP_MSTURN);
	assert_int_equal(a->facts.initiator, 0);
	assert_int_equal(a->facts.tls_version, 0);
	assert_int_equal(b->facts.app, APP_MSTURN);
	assert_int_equal(b->facts.initiator, 1);
}

static void pseudo_tls_in_pieces_is_never_taken_for_tls(void **state)
{
	struct message m = message_pseudo_tls_hello();

	for (size_t cut = 1; cut < m.len; cut++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		talk_open(w, RELAY_TCP);
		wire_tcp(w, RELAY_TCP, "PA", m.b, cut);
		wire_tcp(w, RELAY_TCP, "PA", m.b + cut, m.len - cut);
		seen = seen_of(w);
		if (seen->facts.app != APP_MSTURN)
			fail_msg("cut at %zu", cut);
	}
}

static void a_hello_that_only_has_its_length_is_tls(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message m = message_pseudo_tls_hello();

	m.b[47] = 0x2f; /* a suite that is not anonymous */
	talk_open(w, RELAY_TCP);
	talk_send(w, RELAY_TCP, &m);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_TLS);
}

static void a_hello_of_tls_behind_the_pseudo_one_changes_nothing(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message hello = message_pseudo_tls_hello(), answer = message_pseudo_tls_answer(),
		       tls = message_client_hello("sip.corp.example", 0x0303);

	talk_open(w, RELAY_TCP);
	talk_send(w, RELAY_TCP, &hello);
	talk_send(w, "52.112.1.9:443 > 10.1.0.7:50016", &answer);
	talk_send(w, RELAY_TCP, &tls);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_MSTURN);
	assert_int_equal(seen->facts.name_kind, NAME_NONE);
	assert_int_equal(seen->facts.tls_version, 0);
}

static void frames_over_tcp_carry_media_with_and_without_the_handshake(void **state)
{
	for (unsigned pseudo = 0; pseudo < 2; pseudo++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;
		const struct media media = {.payload_type = PT_DATA, .packets = 5, .ssrc = 7};

		talk_msturn_tcp(w, RELAY_TCP, "93.71.110.205:16332", &media, pseudo);
		seen = seen_of(w);
		assert_int_equal(seen->facts.app, APP_MSTURN);
		assert_int_equal(seen->facts.media, MEDIA_DATA);
		assert_int_equal(seen->facts.relayed_port, 16332);
	}
}

static void a_tpkt_header_is_no_frame(void **state)
{
	/* The connection request of RDP: | 3 | 0 | length 19 | ... */
	static const uint8_t request[] = {3, 0, 0, 19, 14, 0xe0, 0, 0, 0, 0,
					  0, 1, 0, 8,  0,  3,	 0, 0, 0};
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;

	talk_open(w, "10.1.0.7:49152 > 10.1.0.9:3389");
	wire_tcp(w, "10.1.0.7:49152 > 10.1.0.9:3389", "PA", request, sizeof(request));
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_NONE);
	assert_true(app_set_has(&seen->facts.not_apps, APP_MSTURN));
	assert_true(app_set_has(&seen->facts.not_apps, APP_STUN));
}

static void survives_every_truncation(void **state)
{
	const struct rtp rtp = {
		.payload_type = PT_SILK, .seq = 1, .ssrc = 7, .payload_len = 60};
	struct message inner = message_rtp(&rtp);
	struct message all[] = {
		message_stun_request(1, true),
		message_stun_success(1, "[2001:db8::7]:50016"),
		message_msturn(MSTURN_DATA, 1, "[2001:db8::9]:16332", &inner),
		message_msturn_multiplexed(&inner),
		old_check(),
	};

	for (unsigned i = 0; i < ARRAY_LEN(all); i++)
		for (size_t len = 1; len <= all[i].len; len++) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			CLEANUP(seen_freep) struct seen *seen = NULL;
			struct message cut = all[i];
			CLEANUP(seen_freep) struct seen *short_one = NULL;

			cut.len = len;
			short_one = see(RELAY, &cut);
			assert_true(len == all[i].len || short_one->facts.app == APP_NONE);
			wire_snap(w, (uint32_t)(42 + len));
			wire_udp(w, RELAY, all[i].b, all[i].len);
			seen = seen_of(w);
			if (len == all[i].len)
				assert_int_not_equal(seen->facts.app, APP_NONE);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_check_is_stun_over_both_versions_of_ip),
		cmocka_unit_test(a_question_to_a_stun_server_must_be_answered),
		cmocka_unit_test(only_a_success_that_answers_a_check_verifies_its_sender),
		cmocka_unit_test(checks_each_way_verify_both_ends),
		cmocka_unit_test(without_the_cookie_the_attributes_must_prove_it),
		cmocka_unit_test(the_length_must_be_that_of_the_datagram),
		cmocka_unit_test(over_tcp_it_comes_framed_or_bare_and_in_pieces),
		cmocka_unit_test(turn_over_tcp_carries_channels_once_they_are_bound),
		cmocka_unit_test(a_length_of_rfc_4571_that_looks_like_a_frame_of_msturn_is_settled_by_the_body),
		cmocka_unit_test(data_frames_from_the_middle_need_three_in_a_row_that_fit),
		cmocka_unit_test(an_allocation_is_msturn_and_asked_for_by_the_unit),
		cmocka_unit_test(a_check_answered_through_a_relay_says_nothing_of_the_relay),
		cmocka_unit_test(a_reply_alone_tells_who_asked),
		cmocka_unit_test(the_magic_cookie_attribute_is_what_makes_it_msturn),
		cmocka_unit_test(media_within_send_and_data_tells_its_kind),
		cmocka_unit_test(attributes_of_msturn_are_not_padded),
		cmocka_unit_test(media_of_any_length_goes_through_a_relay),
		cmocka_unit_test(a_message_of_msturn_inside_of_multiplexed_turn_is_read_too),
		cmocka_unit_test(multiplexed_turn_is_unwrapped),
		cmocka_unit_test(pseudo_tls_is_msturn_from_either_side_alone),
		cmocka_unit_test(pseudo_tls_in_pieces_is_never_taken_for_tls),
		cmocka_unit_test(a_hello_that_only_has_its_length_is_tls),
		cmocka_unit_test(a_hello_of_tls_behind_the_pseudo_one_changes_nothing),
		cmocka_unit_test(frames_over_tcp_carry_media_with_and_without_the_handshake),
		cmocka_unit_test(a_tpkt_header_is_no_frame),
		cmocka_unit_test(survives_every_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
