/*
 * test_rtp.c - RTP and RTCP: what proves them, what kind of media they are, and how they are framed.
 */
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNIT "10.1.0.7:50016 > 10.1.0.9:50010"
#define PEER "10.1.0.9:50010 > 10.1.0.7:50016"
#define UNIT6 "[2001:db8::7]:50016 > [2001:db8::9]:50010"

/* Packets of one source: sequence numbers `step` and timestamps `ticks` apart. */
static void send_rtp(struct wire *w, const char *tuple, unsigned payload_type, unsigned packets,
		     unsigned step, uint32_t ticks)
{
	for (unsigned i = 0; i < packets; i++) {
		const struct rtp rtp = {.payload_type = (uint8_t)payload_type,
					.seq = (uint16_t)(65534 + i * step),
					.timestamp = 0xffffff00 + i * ticks,
					.ssrc = 7,
					.payload_len = 60};
		struct message m = message_rtp(&rtp);

		talk_udp(w, tuple, &m);
	}
}

static void three_packets_of_one_source_in_a_row_prove_it(void **state)
{
	static const struct {
		const char *tuple;
		unsigned payload_type, packets, step;
		uint32_t ticks;
		bool proven;
	} cases[] = {
		{UNIT, 104, 3, 1, 320, true},
		{UNIT6, 104, 3, 1, 320, true},
		{UNIT, 104, 2, 1, 320, false},
		{UNIT, 104, 3, 50, 0, true}, /* video: many packets of one frame */
		{UNIT, 104, 9, 51, 320, false},
		{UNIT, 104, 9, 0, 0, false},	      /* one packet, again and again */
		{UNIT, 104, 9, 1, 0xfffffff0, false}, /* time goes back */
		{UNIT, 104, 9, 0xffff, 320, false},
		{UNIT, 60, 9, 1, 320, false}, /* no payload type */
		{UNIT, 80, 9, 1, 320, false}, /* would be RTCP with the marker */
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		send_rtp(w, cases[i].tuple, cases[i].payload_type, cases[i].packets,
			 cases[i].step, cases[i].ticks);
		seen = seen_of(w);
		if ((seen->facts.app == APP_RTP) != cases[i].proven)
			fail_msg("case %u", i);
		assert_int_equal(seen->facts.media_packets[0],
				 cases[i].proven ? cases[i].packets : 0);
		assert_int_equal(seen->facts.initiator, 2);
	}
}

static void where_ice_opened_the_way_one_packet_does(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;

	talk_ice(w, UNIT);
	send_rtp(w, PEER, 122, 1, 1, 0);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_RTP);
	assert_int_equal(seen->facts.media, MEDIA_VIDEO);
	assert_int_equal(seen->facts.ice, 3);
}

static void the_payload_type_tells_the_kind(void **state)
{
	static const struct {
		uint8_t payload_type, media;
	} cases[] = {
		{0, MEDIA_AUDIO},
		{8, MEDIA_AUDIO},
		{9, MEDIA_AUDIO},
		{13, MEDIA_AUDIO},
		{97, MEDIA_AUDIO},
		{101, MEDIA_AUDIO},
		{103, MEDIA_AUDIO},
		{104, MEDIA_AUDIO},
		{111, MEDIA_AUDIO},
		{112, MEDIA_AUDIO},
		{114, MEDIA_AUDIO},
		{118, MEDIA_AUDIO},
		{34, MEDIA_VIDEO},
		{121, MEDIA_VIDEO},
		{122, MEDIA_VIDEO},
		{123, MEDIA_VIDEO},
		{126, MEDIA_DATA},
		{127, MEDIA_DATA},
		{96, 0},
		{110, 0},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		send_rtp(w, UNIT, cases[i].payload_type, 4, 1, 320);
		seen = seen_of(w);
		assert_int_equal(seen->facts.app, APP_RTP);
		assert_int_equal(seen->facts.media, cases[i].media);
		assert_int_equal(seen->facts.payload_types[0], cases[i].payload_type);
		assert_int_equal(seen->facts.payload_types[1], 0xff);
	}
}

static void two_kinds_on_one_tuple_are_mixed_but_chance_is_not(void **state)
{
	static const struct {
		unsigned audio, video;
		uint8_t media;
	} cases[] = {{10, 10, MEDIA_AUDIO | MEDIA_VIDEO},
		     {40, 1, MEDIA_AUDIO},
		     {3, 60, MEDIA_VIDEO}};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;
		struct media audio = {PT_SILK, cases[i].audio, 7, true, false};
		struct media video = {PT_H264, cases[i].video, 8, true, false};

		talk_rtp(w, UNIT, &audio);
		talk_rtp(w, UNIT, &video);
		seen = seen_of(w);
		assert_int_equal(seen->facts.media, cases[i].media);
	}
}

static void extensions_and_contributing_sources_are_part_of_the_header(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new(), *odd = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL, *none = NULL;
	const struct media media = {PT_SILK, 5, 7, true, true};

	talk_rtp(w, UNIT, &media);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_RTP);
	for (unsigned i = 0; i < 5; i++) {
		const struct rtp rtp = {
			.payload_type = 104, .seq = (uint16_t)i, .ssrc = 7, .payload_len = 4};
		struct message m = message_rtp(&rtp);

		m.b[0] |= 15; /* sixty bytes of sources that are not there */
		m.len = 40;
		talk_udp(odd, UNIT, &m);
	}
	none = seen_of(odd);
	assert_int_equal(none->facts.app, APP_NONE);
}

static void rtcp_is_not_rtp_and_no_media(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message m = message_rtcp(7, 1);

	talk_udp(w, UNIT, &m);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_RTCP);
	assert_int_equal(seen->facts.media, 0);
}

static void rtcp_probes_of_any_size_need_company(void **state)
{
	/* | RR, no block | 300 words | and 14 bytes of SRTCP: certain; one more byte: only in a row. */
	static const struct {
		size_t len;
		unsigned packets;
		enum app app;
	} cases[] = {
		{1214, 1, APP_RTCP}, {1215, 1, APP_RTCP}, {1220, 1, APP_NONE},
		{1220, 2, APP_NONE}, {1220, 3, APP_RTCP}, {1199, 3, APP_NONE},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;
		struct message m = {0};

		message_add32(&m, 0x80c9012b);
		message_add_noise(&m, cases[i].len - 4, 9);
		for (unsigned n = 0; n < cases[i].packets; n++)
			talk_udp(w, UNIT, &m);
		seen = seen_of(w);
		assert_int_equal(seen->facts.app, cases[i].app);
	}
}

static void media_over_tcp_is_framed(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	const struct media media = {PT_DATA, 8, 7, false, false};

	talk_rtp_tcp(w, UNIT, &media);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_RTP);
	assert_int_equal(seen->facts.media, MEDIA_DATA);
	assert_int_equal(seen->facts.ice, 3);
	assert_int_equal(seen->facts.initiator_by, INITIATOR_SYN);
}

static void frames_may_lie_across_segments(void **state)
{
	struct message stream = {0};

	for (unsigned i = 0; i < 12; i++) {
		const struct rtp rtp = {.payload_type = PT_DATA,
					.seq = (uint16_t)i,
					.timestamp = i,
					.ssrc = 7,
					.payload_len = (uint16_t)(100 + i)};
		struct message m = message_rtp(&rtp), framed = message_framed(&m, 2);

		message_add(&stream, framed.b, framed.len);
	}
	for (size_t step = 50; step < 600; step += 7) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		talk_open(w, UNIT);
		for (size_t at = 0; at < stream.len; at += step)
			wire_tcp(w, UNIT, "PA", stream.b + at,
				 stream.len - at < step ? stream.len - at : step);
		seen = seen_of(w);
		if (seen->facts.app != APP_RTP)
			fail_msg("segments of %zu bytes", step);
		assert_int_equal(seen->facts.media, MEDIA_DATA);
		assert_int_equal(seen->facts.not_apps.w[0] & BIT(APP_RTP), 0);
	}
}

static void a_media_flow_has_told_enough_after_64_packets(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	const struct media media = {PT_SILK, 100, 7, true, false};

	talk_rtp(w, UNIT, &media);
	seen = seen_of(w);
	assert_false(seen->more);
	assert_int_equal(seen->facts.media_packets[0], 64);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(three_packets_of_one_source_in_a_row_prove_it),
		cmocka_unit_test(where_ice_opened_the_way_one_packet_does),
		cmocka_unit_test(the_payload_type_tells_the_kind),
		cmocka_unit_test(two_kinds_on_one_tuple_are_mixed_but_chance_is_not),
		cmocka_unit_test(extensions_and_contributing_sources_are_part_of_the_header),
		cmocka_unit_test(rtcp_is_not_rtp_and_no_media),
		cmocka_unit_test(rtcp_probes_of_any_size_need_company),
		cmocka_unit_test(media_over_tcp_is_framed),
		cmocka_unit_test(frames_may_lie_across_segments),
		cmocka_unit_test(a_media_flow_has_told_enough_after_64_packets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
