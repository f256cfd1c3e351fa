/*
 * test_call.c - flows of media in the course of time: ports used again, media that begins or
 * changes late, checks that are answered late.
 */
#include "tests/lib/talk.h"
#include "tests/lib/watched.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNIT "10.1.0.7:50016 > 10.1.0.9:50010"
#define PEER "10.1.0.9:50010 > 10.1.0.7:50016"
#define RELAY "10.1.0.7:50016 > 52.112.1.9:3478"
#define RELAY_BACK "52.112.1.9:3478 > 10.1.0.7:50016"
#define WATCH(w) \
	CLEANUP(watched_freep) struct watched *watched = watched_of(w); \
	const struct watched_flow *flow = watched->flow

/* A check and its answer, both ways; `first` opens. */
static void check(struct wire *w, const char *there, const char *back, const char *name,
                  const char *reversed, uint32_t tx)
{
	const struct stun steps[] = {
		{.type = 0x0001, .tx = tx, .name = name, .sealed = true},
		{.type = 0x0101, .tx = tx, .mapped = "10.1.0.7:50016", .sealed = true},
		{.type = 0x0001, .tx = tx + 1, .name = reversed, .sealed = true},
		{.type = 0x0101, .tx = tx + 1, .mapped = "10.1.0.9:50010", .sealed = true},
	};

	for (unsigned i = 0; i < ARRAY_LEN(steps); i++) {
		struct message m = message_stun(&steps[i]);

		talk_udp(w, i == 0 || i == 3 ? there : back, &m);
	}
}

static void checks(struct wire *w, const char *name, const char *reversed, uint32_t tx)
{
	check(w, UNIT, PEER, name, reversed, tx);
}

/* Speech both ways. */
static void speak(struct wire *w, uint32_t ssrc, unsigned packets)
{
	const struct media media = {.payload_type = PT_SILK, .packets = packets, .ssrc = ssrc};

	talk_rtp(w, UNIT, &media);
}

static void a_new_ice_user_name_begins_a_new_flow(void **state)
{
	/* After so many packets the first flow has settled, or not. */
	static const unsigned packets[] = {3, 20, 200};

	for (unsigned i = 0; i < ARRAY_LEN(packets); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		const struct media video = {.payload_type = PT_H264, .packets = 40, .ssrc = 21};

		checks(w, "abcd:efgh", "efgh:abcd", 1);
		speak(w, 11, packets[i]);
		wire_wait(w, 3);
		checks(w, "ijkl:mnop", "mnop:ijkl", 50);
		talk_rtp(w, UNIT, &video);
		WATCH(w);
		assert_int_equal(watched->count, 2);
		assert_int_equal(flow[0].facts.media, MEDIA_AUDIO);
		assert_int_equal(flow[0].facts.ice, 3);
		assert_int_equal(flow[1].facts.media, MEDIA_VIDEO);
		assert_int_equal(flow[1].facts.ice, 3);
		assert_int_equal(flow[1].facts.app, APP_RTP);
		assert_int_equal(flow[0].ends, 1);
		assert_true(flow[0].facts.last_us < flow[1].facts.first_us);
	}
}

static void the_way_back_has_the_same_name_in_the_other_order(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	/* The peer checks first in the second call: still the pair is a new one. */
	checks(w, "abcd:1:efgh:1", "efgh:1:abcd:1", 1);
	speak(w, 11, 100);
	check(w, PEER, UNIT, "efgh:1:abcd:1", "abcd:1:efgh:1", 30);
	speak(w, 11, 10);
	WATCH(w);
	assert_int_equal(watched->count, 1);
	assert_int_equal(flow[0].facts.media, MEDIA_AUDIO);
}

static void consent_checks_and_silence_never_part_a_call(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	checks(w, "abcd:efgh", "efgh:abcd", 1);
	for (unsigned i = 0; i < 30; i++) {
		speak(w, 11, i % 3 ? 20 : 0); /* on hold now and then */
		wire_wait(w, 5);
		checks(w, "abcd:efgh", "efgh:abcd", 100 + i * 4);
	}
	wire_wait(w, 5);
	checks(w, "abcd:efgh", "efgh:abcd", 500);
	wire_wait(w, 4);
	speak(w, 77, 20); /* resumed by another source */
	WATCH(w);
	assert_int_equal(watched->count, 1);
	assert_int_equal(flow[0].facts.media, MEDIA_AUDIO);
}

static void a_straggler_of_the_call_before_parts_nothing(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	checks(w, "abcd:efgh", "efgh:abcd", 1);
	speak(w, 11, 20);
	checks(w, "ijkl:mnop", "mnop:ijkl", 50);
	checks(w, "abcd:efgh", "efgh:abcd", 1);
	checks(w, "ijkl:mnop", "mnop:ijkl", 60);
	speak(w, 21, 20);
	WATCH(w);
	assert_int_equal(watched->count, 2);
	assert_int_equal(flow[1].facts.ice, 3);
}

static void names_without_halves_are_each_ends_own(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	checks(w, "abcdefgh", "efghabcd", 1);
	speak(w, 11, 20);
	checks(w, "abcdefgh", "efghabcd", 20);
	speak(w, 11, 20);
	checks(w, "ijklmnop", "mnopijkl", 50);
	WATCH(w);
	/* Either end's new name would do; the other one's follows within the new flow. */
	assert_int_equal(watched->count, 2);
	assert_int_equal(flow[1].facts.ice, 3);
}

static void new_sources_with_new_checks_begin_a_flow(void **state)
{
	static const struct {
		double silence_s;
		uint32_t ssrc;
		bool checks;
		unsigned flows;
	} cases[] = {
		{3, 211, true, 2},
		{3, 211, false, 1}, /* another source, but nobody checked */
		{3, 11, true, 1},   /* checks, but the old source goes on */
		{0.5, 211, true, 1},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		const struct media media = {PT_SILK, 100, 11, true, false};
		const struct media next = {PT_SILK, 40, cases[i].ssrc, true, false};
		struct message answers[2] = {
			message_stun(&(struct stun){.type = 0x0101,
		                                    .tx = 1,
		                                    .mapped = "10.1.0.7:50016",
		                                    .sealed = true}),
			message_stun(&(struct stun){.type = 0x0101,
		                                    .tx = 2,
		                                    .mapped = "10.1.0.7:50016",
		                                    .sealed = true}),
		};

		/* The mirror shows the peer alone: answers have no name, and prove nothing. */
		talk_udp(w, PEER, &answers[0]);
		talk_rtp(w, PEER, &media);
		wire_wait(w, cases[i].silence_s);
		if (cases[i].checks)
			talk_udp(w, PEER, &answers[1]);
		talk_rtp(w, PEER, &next);
		WATCH(w);
		if (watched->count != cases[i].flows)
			fail_msg("case %u: %u flows", i, watched->count);
		assert_int_equal(flow[0].facts.ice, 0);
		assert_int_equal(flow[watched->count - 1].facts.ice, 0);
		assert_int_equal(flow[watched->count - 1].facts.media, MEDIA_AUDIO);
	}
}

static void also_under_the_old_name_and_the_next_name_parts_again(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	for (unsigned i = 0; i < 3; i++) {
		checks(w, i < 2 ? "abcd:efgh" : "ijkl:mnop", i < 2 ? "efgh:abcd" : "mnop:ijkl",
		       1 + i * 10);
		speak(w, 11 + i * 100, 100);
		wire_wait(w, 4);
	}
	WATCH(w);
	assert_int_equal(watched->count, 3);
	for (unsigned i = 0; i < 3; i++) {
		assert_int_equal(flow[i].facts.ice, 3);
		assert_int_equal(flow[i].facts.media, MEDIA_AUDIO);
	}
}

static void a_flow_to_a_relay_is_never_parted(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	const struct media media = {.payload_type = PT_SILK, .packets = 30, .ssrc = 7};

	talk_msturn(w, RELAY, "93.71.110.205:16332", &media);
	/* Bare behind Set Active Destination: checks of those behind the relay. */
	check(w, RELAY, RELAY_BACK, "abcd:efgh", "efgh:abcd", 1);
	check(w, RELAY, RELAY_BACK, "ijkl:mnop", "mnop:ijkl", 50);
	WATCH(w);
	assert_int_equal(watched->count, 1);
	assert_int_equal(flow[0].facts.app, APP_MSTURN);
	assert_int_equal(flow[0].facts.ice, 0);
}

static void media_that_begins_long_after_the_checks_is_told(void **state)
{
	static const double waits[] = {11, 30, 50};

	for (unsigned i = 0; i < ARRAY_LEN(waits); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();

		checks(w, "abcd:efgh", "efgh:abcd", 1);
		wire_wait(w, waits[i]);
		speak(w, 11, 40);
		wire_wait(w, 12);
		checks(w, "abcd:efgh", "efgh:abcd", 9);
		WATCH(w);
		assert_int_equal(watched->count, 1);
		assert_int_equal(flow[0].settled, 1);
		assert_int_equal(flow[0].first.media, 0);
		assert_true(flow[0].updates >= 1);
		assert_int_equal(flow[0].facts.app, APP_RTP);
		assert_int_equal(flow[0].facts.media, MEDIA_AUDIO);
	}
}

static void video_that_is_added_later_makes_the_flow_mixed(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	const struct media video = {.payload_type = PT_H264, .packets = 60, .ssrc = 21};

	checks(w, "abcd:efgh", "efgh:abcd", 1);
	speak(w, 11, 600);
	talk_rtp(w, UNIT, &video);
	speak(w, 11, 10);
	WATCH(w);
	assert_int_equal(watched->count, 1);
	assert_int_equal(flow[0].first.media, MEDIA_AUDIO);
	assert_int_equal(flow[0].facts.media, MEDIA_AUDIO | MEDIA_VIDEO);
}

static void every_packet_of_bare_media_counts_once(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	const struct media media = {PT_SILK, 600, 7, true, false};

	talk_rtp(w, UNIT, &media);
	WATCH(w);
	assert_int_equal(flow[0].first.media_packets[0], 64);
	assert_int_equal(flow[0].facts.media_packets[0], 600);
	assert_int_equal(flow[0].facts.media, MEDIA_AUDIO);
}

static void media_wrapped_by_a_relay_is_told_late_too(void **state)
{
	enum { DATA, MULTIPLEXED, CHANNEL, MULTIPLEXED_DATA };

	for (unsigned form = DATA; form <= MULTIPLEXED_DATA; form++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		struct message bind = message_stun(
			&(struct stun){.type = 0x0009, .tx = 1, .peer = "93.71.110.205:16332"});
		struct message allocate = message_msturn(MSTURN_ALLOCATE, 1, NULL, NULL);

		talk_udp(w, RELAY, form == CHANNEL ? &bind : &allocate);
		wire_wait(w, 12);
		for (unsigned i = 0; i < 30; i++) {
			const struct rtp rtp = {.payload_type = PT_SILK,
			                        .seq = (uint16_t)i,
			                        .timestamp = i * 320,
			                        .ssrc = 7,
			                        .payload_len = 60};
			struct message inner = message_rtp(&rtp), m;

			if (form == DATA || form == MULTIPLEXED_DATA)
				inner = message_msturn(MSTURN_DATA, i, "93.71.110.205:16332",
				                       &inner);
			m = form == DATA ? inner
			    : form != CHANNEL ? message_msturn_multiplexed(&inner)
			                          : message_channel(0x4001, &inner);
			talk_udp(w, RELAY_BACK, &m);
			wire_wait(w, 0.02);
		}
		WATCH(w);
		assert_int_equal(watched->count, 1);
		if (flow[0].facts.media != MEDIA_AUDIO)
			fail_msg("form %u", form);
		assert_int_equal(flow[0].facts.app, form == CHANNEL ? APP_STUN : APP_MSTURN);
	}
}

static void a_check_that_is_answered_late_verifies_the_peer(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct message answer = message_stun(&(struct stun){
		.type = 0x0101, .tx = 119, .mapped = "10.1.0.7:50016", .sealed = true});

	/* It rings for half a minute. */
	for (unsigned i = 0; i < 20; i++) {
		struct message m = message_stun(&(struct stun){
			.type = 0x0001, .tx = 100 + i, .name = "abcd:efgh", .sealed = true});

		talk_udp(w, UNIT, &m);
		wire_wait(w, 1.5);
	}
	talk_udp(w, PEER, &answer);
	WATCH(w);
	assert_int_equal(watched->count, 1);
	assert_int_equal(flow[0].first.ice, 0);
	assert_int_equal(flow[0].facts.ice, 2);
	assert_int_equal(flow[0].facts.outcome, OUTCOME_ANSWERED);
}

static void keep_alives_before_a_call_do_not_hide_it(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	for (unsigned i = 0; i < 12; i++) {
		wire_udp(w, i % 2 ? PEER : UNIT, "\0", i % 3 == 2 ? 0 : 1);
		wire_wait(w, 1);
	}
	checks(w, "abcd:efgh", "efgh:abcd", 1);
	speak(w, 11, 30);
	wire_udp(w, UNIT, "\0", 1);
	WATCH(w);
	assert_int_equal(watched->count, 1);
	assert_int_equal(flow[0].facts.app, APP_RTP);
	assert_int_equal(flow[0].facts.media, MEDIA_AUDIO);
	assert_int_equal(flow[0].facts.ice, 3);
}

static void what_is_looked_at_in_vain_is_left_alone_for_longer(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	/* Nobody's protocol, whose first byte now and then is that of RTP. */
	for (unsigned i = 0; i < 3000; i++) {
		struct message m = message_noise(200, i);

		talk_udp(w, UNIT, &m);
		wire_wait(w, 0.02);
	}
	WATCH(w);
	assert_int_equal(watched->count, 1);
	assert_int_equal(flow[0].facts.app, APP_NONE);
	assert_int_equal(flow[0].facts.media, 0);
	assert_true(flow[0].updates <= 2); /* one a minute, as any long flow */
}

static void sharing_that_begins_late_over_tcp_is_told(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct message ask = message_stun(
		&(struct stun){.type = 0x0001, .tx = 1, .name = "abcd:efgh", .sealed = true});
	struct message framed = message_framed(&ask, 2);

	talk_open(w, UNIT);
	talk_send(w, UNIT, &framed);
	wire_wait(w, 30);
	for (unsigned i = 0; i < 40; i++) {
		const struct rtp rtp = {.payload_type = PT_DATA,
		                        .seq = (uint16_t)i,
		                        .timestamp = i,
		                        .ssrc = 7,
		                        .payload_len = 300};
		struct message m = message_rtp(&rtp);

		framed = message_framed(&m, 2);
		talk_send(w, UNIT, &framed);
	}
	WATCH(w);
	assert_int_equal(watched->count, 1);
	assert_int_equal(flow[0].first.app, APP_STUN);
	assert_int_equal(flow[0].facts.app, APP_RTP);
	assert_int_equal(flow[0].facts.media, MEDIA_DATA);
}

static void sharing_that_begins_late_through_a_relay_over_tcp_is_told(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	const char *tuple = "10.1.0.7:50040 > 52.112.1.9:443";
	const char *back = "52.112.1.9:443 > 10.1.0.7:50040";
	struct message m = message_pseudo_tls_hello();

	talk_open(w, tuple);
	talk_send(w, tuple, &m);
	m = message_pseudo_tls_answer();
	talk_send(w, back, &m);
	wire_wait(w, 40);
	for (unsigned i = 0; i < 40; i++) {
		const struct rtp rtp = {.payload_type = PT_DATA,
		                        .seq = (uint16_t)i,
		                        .timestamp = i,
		                        .ssrc = 7,
		                        .payload_len = 300};
		struct message inner = message_rtp(&rtp);

		m = message_msturn_framed(3, &inner);
		talk_send(w, tuple, &m);
	}
	WATCH(w);
	assert_int_equal(watched->count, 1);
	assert_int_equal(flow[0].first.media, 0);
	assert_int_equal(flow[0].facts.app, APP_MSTURN);
	assert_int_equal(flow[0].facts.media, MEDIA_DATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_new_ice_user_name_begins_a_new_flow),
		cmocka_unit_test(the_way_back_has_the_same_name_in_the_other_order),
		cmocka_unit_test(consent_checks_and_silence_never_part_a_call),
		cmocka_unit_test(a_straggler_of_the_call_before_parts_nothing),
		cmocka_unit_test(names_without_halves_are_each_ends_own),
		cmocka_unit_test(new_sources_with_new_checks_begin_a_flow),
		cmocka_unit_test(also_under_the_old_name_and_the_next_name_parts_again),
		cmocka_unit_test(a_flow_to_a_relay_is_never_parted),
		cmocka_unit_test(media_that_begins_long_after_the_checks_is_told),
		cmocka_unit_test(video_that_is_added_later_makes_the_flow_mixed),
		cmocka_unit_test(every_packet_of_bare_media_counts_once),
		cmocka_unit_test(media_wrapped_by_a_relay_is_told_late_too),
		cmocka_unit_test(a_check_that_is_answered_late_verifies_the_peer),
		cmocka_unit_test(keep_alives_before_a_call_do_not_hide_it),
		cmocka_unit_test(what_is_looked_at_in_vain_is_left_alone_for_longer),
		cmocka_unit_test(sharing_that_begins_late_over_tcp_is_told),
		cmocka_unit_test(sharing_that_begins_late_through_a_relay_over_tcp_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
