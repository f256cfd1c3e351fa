/*
 * test_media.c - what RTP carries: by number, by the shape of its source, and how much of it makes a kind.
 */
#include "dissectors/media.h"
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNIT "10.1.0.7:50016 > 10.1.0.9:50010"
#define PEER "10.1.0.9:50010 > 10.1.0.7:50016"

/* How a source sends: `pieces` packets share a timestamp, `gap_ms` lies between two such groups. */
struct manner {
	unsigned payload_type, pieces, gap_ms;
	uint32_t ticks;
	uint16_t len;
	enum { MARKER_NEVER, MARKER_FIRST, MARKER_LAST } marker;
};
static const struct manner SPEECH = {105, 1, 20, 320, 60, MARKER_FIRST};
static const struct manner CAMERA = {105, 5, 33, 3000, 1000, MARKER_LAST};

static struct message packet_of(const struct manner *manner, unsigned i, uint32_t ssrc)
{
	const struct rtp rtp = {
		.payload_type = (uint8_t)manner->payload_type,
		.marker = manner->marker == MARKER_FIRST ? !i
	                  : manner->marker == MARKER_LAST
	                          ? i % manner->pieces == manner->pieces - 1
	                          : 0,
		.seq = (uint16_t)(65530 + i),
		.timestamp = 0xffffff00 + i / manner->pieces * manner->ticks,
		.ssrc = ssrc,
		.payload_len = manner->len,
	};

	return message_rtp(&rtp);
}

static void send_media(struct wire *w, const char *tuple, const struct manner *manner,
                       unsigned packets, uint32_t ssrc)
{
	double begin = wire_now(w);

	for (unsigned i = 0; i < packets; i++) {
		struct message m = packet_of(manner, i, ssrc);

		wire_at(w, begin + i / manner->pieces * manner->gap_ms / 1000.0 +
		                   i % manner->pieces * 0.0005);
		wire_udp(w, tuple, m.b, m.len);
	}
	wire_wait(w, 0.02);
}

static void a_number_rfc_3551_assigns_is_certain(void **state)
{
	static const struct {
		uint8_t payload_type, media;
	} cases[] = {
		{0, MEDIA_AUDIO},
		{3, MEDIA_AUDIO},
		{5, MEDIA_AUDIO},
		{8, MEDIA_AUDIO},
		{14, MEDIA_AUDIO},
		{15, MEDIA_AUDIO},
		{18, MEDIA_AUDIO},
		{26, MEDIA_VIDEO},
		{31, MEDIA_VIDEO},
		{32, MEDIA_VIDEO},
		{34, MEDIA_VIDEO},
		{33, 0},
		{1, 0},
		{19, 0},
		{24, 0},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;
		struct manner manner = CAMERA;

		/* Whatever it looks like. */
		manner.payload_type = cases[i].payload_type;
		send_media(w, UNIT, &manner, cases[i].media ? 60 : 4, 7);
		seen = seen_of(w);
		if (seen->facts.media != cases[i].media || seen->facts.by_shape)
			fail_msg("%u", cases[i].payload_type);
		assert_int_equal(seen->facts.media_packets[3], cases[i].media ? 0 : 4);
	}
}

static void a_number_that_says_nothing_is_known_by_the_shape_of_its_source(void **state)
{
	static const struct {
		struct manner manner;
		unsigned packets;
		uint8_t media;
	} cases[] = {
		{{105, 1, 20, 160, 160, MARKER_NEVER}, 12, MEDIA_AUDIO},
		{{96, 1, 20, 320, 60, MARKER_FIRST}, 12, MEDIA_AUDIO},
		{{110, 1, 20, 960, 90, MARKER_NEVER}, 8, MEDIA_AUDIO},
		{{96, 1, 60, 960, 120, MARKER_NEVER}, 12, MEDIA_AUDIO},
		{{96, 1, 20, 960, 80, MARKER_NEVER}, 7, 0}, /* too few */
		{{96, 5, 33, 3000, 1000, MARKER_LAST}, 40, MEDIA_VIDEO},
		{{110, 9, 66, 6000, 1150, MARKER_LAST}, 40, MEDIA_VIDEO},
		{{96, 1, 66, 6000, 250, MARKER_LAST}, 24, MEDIA_VIDEO}, /* thumbnails */
		{{96, 5, 33, 3000, 1000, MARKER_LAST}, 8, 0},
		{{96, 1, 20, 1800, 100, MARKER_NEVER}, 60, 0}, /* 90 kHz, but no frames */
		{{96, 5, 33, 3000, 1000, MARKER_NEVER}, 60, MEDIA_VIDEO}, /* no end */
		{{96, 1, 33, 3000, 1000, MARKER_NEVER}, 60, MEDIA_VIDEO},
		{{96, 1, 2, 960, 80, MARKER_NEVER}, 60, 0},     /* 500 a second */
		{{96, 1, 1000, 8000, 80, MARKER_NEVER}, 20, 0}, /* one a second */
		{{96, 1, 20, 160, 900, MARKER_NEVER}, 60, 0},   /* too large for speech */
		{{96, 1, 20, 0, 60, MARKER_NEVER}, 60, 0},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		send_media(w, UNIT, &cases[i].manner, cases[i].packets, 7);
		seen = seen_of(w);
		assert_int_equal(seen->facts.app, APP_RTP);
		if (seen->facts.media != cases[i].media ||
		    seen->facts.by_shape != cases[i].media)
			fail_msg("case %u says %u by shape %u", i, seen->facts.media,
			         seen->facts.by_shape);
		/* Each packet counts once, those before the shape was known too. */
		assert_int_equal(seen->facts.media_packets[0] + seen->facts.media_packets[1] +
		                         seen->facts.media_packets[3],
		                 cases[i].packets);
		assert_int_equal(seen->facts.media_packets[3],
		                 cases[i].media ? 0 : cases[i].packets);
	}
}

static void an_offered_number_says_what_it_is_whatever_its_shape(void **state)
{
	static const struct {
		struct manner manner;
		uint8_t media;
	} cases[] = {
		{{122, 1, 20, 320, 80, MARKER_FIRST}, MEDIA_VIDEO},
		{{127, 1, 20, 160, 160, MARKER_NEVER}, MEDIA_DATA},
		{{104, 5, 33, 3000, 1000, MARKER_LAST}, MEDIA_AUDIO},
		{{127, 5, 33, 3000, 1000, MARKER_NEVER}, MEDIA_DATA},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		send_media(w, UNIT, &cases[i].manner, 60, 7);
		seen = seen_of(w);
		assert_int_equal(seen->facts.media, cases[i].media);
		assert_int_equal(seen->facts.by_shape, 0);
	}
}

static void a_source_is_of_one_kind_whatever_a_few_of_its_packets_say(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct manner manner = SPEECH;

	/* Silence, a key and what nobody offered, among speech of one SSRC. */
	for (unsigned i = 0; i < 60; i++) {
		struct message m;

		manner.payload_type = i % 10 == 3   ? 13
		                      : i % 10 == 6 ? 101
		                      : i % 10 == 9 ? 110
		                                    : 104;
		m = packet_of(&manner, i, 7);
		talk_udp(w, UNIT, &m);
	}
	seen = seen_of(w);
	assert_int_equal(seen->facts.media, MEDIA_AUDIO);
	assert_int_equal(seen->facts.media_packets[0], 60);
	assert_int_equal(seen->facts.media_packets[3], 0);
}

static void bundled_audio_and_video_are_mixed_and_the_counts_show_the_share(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	const struct manner video = {122, 9, 20, 1800, 1000, MARKER_LAST};
	struct manner audio = SPEECH;

	/* 450 packets of video a second, 50 of audio. */
	audio.payload_type = 104;
	for (unsigned i = 0; i < 200; i++) {
		struct message m = i % 10 ? packet_of(&video, i - i / 10 - 1, 8)
		                          : packet_of(&audio, i / 10, 7);

		wire_at(w, i / 10 * 0.02 + i % 10 * 0.001);
		wire_udp(w, UNIT, m.b, m.len);
	}
	seen = seen_of(w);
	assert_int_equal(seen->facts.media, MEDIA_AUDIO | MEDIA_VIDEO);
	assert_true(seen->facts.media_packets[0] >= 5);
	assert_true(seen->facts.media_packets[1] >= 6 * seen->facts.media_packets[0]);
	assert_int_equal(seen->facts.by_shape, 0);
}

static void kinds_of_two_directions_count_for_one_flow(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct manner out = SPEECH, in = SPEECH;

	/* The same call, numbered otherwise on the way back ([MS-RTP] 2.2.1). */
	out.payload_type = 104;
	in.payload_type = 110;
	send_media(w, UNIT, &out, 30, 7);
	send_media(w, PEER, &in, 30, 9);
	seen = seen_of(w);
	assert_int_equal(seen->facts.media, MEDIA_AUDIO);
	assert_int_equal(seen->facts.by_shape, MEDIA_AUDIO);
	assert_int_equal(seen->facts.media_packets[0], 60);
	assert_int_equal(seen->facts.media_packets[1], 0);
}

static void many_sources_are_looked_at_until_none_is_in_doubt(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct manner manner = SPEECH;

	/* Six who speak at once, under a number that says nothing. */
	manner.payload_type = 110;
	for (unsigned i = 0; i < 40; i++)
		for (unsigned n = 0; n < 6; n++) {
			struct message m = packet_of(&manner, i, n + 1);

			wire_at(w, i * 0.02 + n * 0.001);
			wire_udp(w, UNIT, m.b, m.len);
		}
	seen = seen_of(w);
	assert_int_equal(seen->facts.media, MEDIA_AUDIO);
	assert_int_equal(seen->facts.media_packets[1], 0);
	assert_false(seen->more);
}

static void one_packet_of_another_kind_makes_nothing_mixed(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	const struct manner video = {122, 1, 20, 1800, 400, MARKER_LAST};
	struct manner audio = SPEECH;

	audio.payload_type = 104;
	talk_ice(w, UNIT);
	send_media(w, UNIT, &audio, 3, 7);
	send_media(w, UNIT, &video, 1, 8);
	seen = seen_of(w);
	assert_int_equal(seen->facts.media, MEDIA_AUDIO);
	assert_int_equal(seen->facts.media_packets[1], 1);
}

static void a_kind_that_is_less_than_a_sixteenth_makes_nothing_mixed(void **state)
{
	static const struct {
		unsigned audio, video;
		uint8_t media;
	} cases[] = {
		{323, 10, MEDIA_AUDIO},
		{150, 9, MEDIA_AUDIO},
		{150, 10, MEDIA_AUDIO | MEDIA_VIDEO},
		{20, 2, MEDIA_AUDIO},
		{20, 3, MEDIA_AUDIO | MEDIA_VIDEO},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = seen_new();
		const struct manner video = {122, 1, 20, 1800, 400, MARKER_LAST};
		struct manner audio = SPEECH;
		unsigned shown = 0;

		audio.payload_type = 104;
		talk_ice(w, UNIT);
		/* The others in the midst of speech, the first of them early on. */
		for (unsigned n = 0; n < cases[i].audio; n++) {
			struct message m = packet_of(&audio, n, 7);

			wire_udp(w, UNIT, m.b, m.len);
			if (n % (cases[i].audio / cases[i].video) == 1 &&
			    shown < cases[i].video) {
				m = packet_of(&video, shown++, 8);
				wire_udp(w, UNIT, m.b, m.len);
			}
			wire_wait(w, 0.02);
		}
		for (unsigned n = 0; n < wire_count(w); n++) {
			struct packet packet;
			CLEANUP(freep) uint8_t *bytes = NULL;

			assert_int_equal(seen_packet(w, n, &packet, &bytes), DECODED_IP);
			seen->more = true; /* however much it has told */
			seen_show(seen, &packet);
		}
		assert_int_equal(shown, cases[i].video);
		if (seen->facts.media != cases[i].media)
			fail_msg("case %u: %u of %u", i, seen->facts.media_packets[1],
			         seen->facts.media_packets[0]);
	}
}

static void packets_overtaken_or_doubled_by_a_mirror_do_not_defeat_the_proof(void **state)
{
	static const struct {
		unsigned order[8];
		bool proven;
	} cases[] = {
		{{1, 0, 2, 3, 4, 5, 6, 7}, true},  {{1, 0, 3, 2, 5, 4, 7, 6}, true},
		{{0, 0, 1, 1, 2, 2, 3, 3}, true},  {{4, 0, 1, 2, 3, 5, 6, 7}, true},
		{{7, 6, 5, 4, 3, 2, 1, 0}, false}, {{0, 0, 0, 0, 1, 1, 1, 1}, false},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		for (unsigned n = 0; n < 8; n++) {
			struct message m = packet_of(&SPEECH, cases[i].order[n], 7);

			talk_udp(w, UNIT, &m);
		}
		seen = seen_of(w);
		if ((seen->facts.app == APP_RTP) != cases[i].proven)
			fail_msg("case %u", i);
	}
}

static void losses_do_not_hide_the_shape(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;

	for (unsigned i = 0; i < 60; i++) {
		struct message m = packet_of(&SPEECH, i, 7);

		wire_at(w, i * 0.02 + i % 3 * 0.004);
		if (i % 7 != 4)
			wire_udp(w, UNIT, m.b, m.len);
	}
	seen = seen_of(w);
	assert_int_equal(seen->facts.media, MEDIA_AUDIO);
	assert_int_equal(seen->facts.by_shape, MEDIA_AUDIO);
}

static void sharing_over_tcp_is_known_by_its_shape(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;

	talk_open(w, UNIT);
	for (unsigned i = 0; i < 40; i++) {
		const struct rtp rtp = {.payload_type = 105,
		                        .seq = (uint16_t)i,
		                        .timestamp = i * i * 1000,
		                        .ssrc = 7,
		                        .payload_len = (uint16_t)(700 + i * 11)};
		struct message m = message_rtp(&rtp), framed = message_framed(&m, 2);

		talk_send(w, UNIT, &framed);
	}
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_RTP);
	assert_int_equal(seen->facts.media, MEDIA_DATA);
	assert_int_equal(seen->facts.by_shape, MEDIA_DATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_rfc_3551_assigns_is_certain),
		cmocka_unit_test(
			a_number_that_says_nothing_is_known_by_the_shape_of_its_source),
		cmocka_unit_test(an_offered_number_says_what_it_is_whatever_its_shape),
		cmocka_unit_test(a_source_is_of_one_kind_whatever_a_few_of_its_packets_say),
		cmocka_unit_test(
			bundled_audio_and_video_are_mixed_and_the_counts_show_the_share),
		cmocka_unit_test(kinds_of_two_directions_count_for_one_flow),
		cmocka_unit_test(many_sources_are_looked_at_until_none_is_in_doubt),
		cmocka_unit_test(one_packet_of_another_kind_makes_nothing_mixed),
		cmocka_unit_test(a_kind_that_is_less_than_a_sixteenth_makes_nothing_mixed),
		cmocka_unit_test(
			packets_overtaken_or_doubled_by_a_mirror_do_not_defeat_the_proof),
		cmocka_unit_test(losses_do_not_hide_the_shape),
		cmocka_unit_test(sharing_over_tcp_is_known_by_its_shape),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
