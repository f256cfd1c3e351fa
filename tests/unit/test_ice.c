/*
 * test_ice.c - ICE checks and their answers, old drafts and fingerprints, standard TURN and who is behind it.
 */
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNIT "10.1.0.7:50016 > 10.1.0.9:50010"
#define PEER "10.1.0.9:50010 > 10.1.0.7:50016"
#define RELAY "10.1.0.7:50016 > 52.112.1.9:3478"
#define RELAY_BACK "52.112.1.9:3478 > 10.1.0.7:50016"

/* One message of a case, in the order in which it is seen. */
struct said {
	const char *tuple;
	struct stun stun;
};

static struct seen *see(const struct said *said, size_t count)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	for (size_t i = 0; i < count && said[i].tuple; i++) {
		struct message m = message_stun(&said[i].stun);

		talk_udp(w, said[i].tuple, &m);
	}
	return seen_of(w);
}

#define CHECK(number) \
	{ \
		.type = 0x0001, .tx = number, .name = "abcd:efgh", .sealed = true \
	}
#define SUCCESS(number) \
	{ \
		.type = 0x0101, .tx = number, .mapped = "10.1.0.7:50016", .sealed = true \
	}

static void answers_find_their_checks(void **state)
{
	static const struct {
		const char *what;
		struct said said[10];
		uint8_t ice;
	} cases[] = {
		{"one of several that wait",
	         {{UNIT, CHECK(1)}, {UNIT, CHECK(2)}, {UNIT, CHECK(3)}, {PEER, SUCCESS(1)}},
	         2},
		{"sent again and again",
	         {{UNIT, CHECK(1)},
	          {UNIT, CHECK(9)},
	          {UNIT, CHECK(1)},
	          {UNIT, CHECK(1)},
	          {UNIT, CHECK(1)},
	          {UNIT, CHECK(1)},
	          {UNIT, CHECK(1)},
	          {UNIT, CHECK(1)},
	          {UNIT, CHECK(1)},
	          {PEER, SUCCESS(9)}},
	         2},
		{"shown before it, by taps that cross",
	         {{UNIT, CHECK(5)}, {PEER, SUCCESS(1)}, {UNIT, CHECK(1)}},
	         2},
		{"each way",
	         {{UNIT, CHECK(1)}, {PEER, CHECK(2)}, {UNIT, SUCCESS(2)}, {PEER, SUCCESS(1)}},
	         3},
		{"to none", {{UNIT, CHECK(1)}, {PEER, SUCCESS(2)}}, 0},
		{"its own", {{UNIT, CHECK(1)}, {UNIT, SUCCESS(1)}}, 0},
		{"an error: both would control",
	         {{UNIT, CHECK(1)},
	          {PEER, {.type = 0x0111, .tx = 1, .error = 487, .sealed = true}}},
	         0},
		{"unsolicited, and media may follow", {{PEER, SUCCESS(1)}}, 0},
		{"to a check that nobody sent, before and after others",
	         {{PEER, SUCCESS(7)}, {UNIT, CHECK(1)}, {PEER, SUCCESS(8)}},
	         0},
		{"a STUN server's, alone",
	         {{RELAY_BACK, {.type = 0x0101, .tx = 1, .mapped = "10.1.0.7:50016"}}},
	         0},
		{"to a question that was no check",
	         {{UNIT, {.type = 0x0001, .tx = 1}}, {PEER, SUCCESS(1)}},
	         0},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(seen_freep) struct seen *seen = see(cases[i].said, 10);

		assert_int_equal(seen->facts.app, APP_STUN);
		if (seen->facts.ice != cases[i].ice)
			fail_msg("%s: %u", cases[i].what, seen->facts.ice);
		assert_true(seen->facts.initiator_by < INITIATOR_PORT);
	}
}

static void without_the_cookie_a_fingerprint_has_the_last_word(void **state)
{
	static const struct {
		struct stun stun;
		enum app app;
	} cases[] = {
		{{.draft = true, .sealed = true}, APP_STUN},
		{{.draft = true, .sealed = true, .odd = true}, APP_STUN},
		{{.draft = true, .sealed = true, .spoil = 0x10000}, APP_NONE},
		{{.draft = true, .odd = true}, APP_NONE},
		{{.draft = true}, APP_STUN},              /* by its attributes */
		{{.sealed = true, .spoil = 1}, APP_STUN}, /* by the cookie */
		{{.odd = true}, APP_STUN},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct said said = {UNIT, cases[i].stun};
		CLEANUP(seen_freep) struct seen *seen = NULL;

		said.stun.type = 0x0001;
		said.stun.name = "abcd:efgh";
		seen = see(&said, 1);
		if (seen->facts.app != cases[i].app)
			fail_msg("case %u", i);
	}
}

static void the_fingerprint_of_a_misprinted_table_is_one_too(void **state)
{
	unsigned differ = 0;

	/* Only where that entry of the table is met do the two differ. */
	for (uint32_t tx = 0; tx < 40; tx++) {
		struct said said = {UNIT, CHECK(tx)};
		CLEANUP(seen_freep) struct seen *seen = NULL;
		struct message right, wrong;

		said.stun.draft = true;
		said.stun.odd = true;
		right = message_stun(&said.stun);
		said.stun.misprinted = true;
		wrong = message_stun(&said.stun);
		differ += memcmp(right.b, wrong.b, right.len) != 0;
		seen = see(&said, 1);
		assert_int_equal(seen->facts.app, APP_STUN);
	}
	assert_true(differ > 0);
}

static void indications_and_errors_are_stun_and_nothing_more(void **state)
{
	static const struct stun cases[] = {
		{.type = 0x0011, .tx = 1},
		{.type = 0x0011, .tx = 1, .sealed = true},
		{.type = 0x0111, .tx = 1, .error = 487, .sealed = true},
		{.type = 0x0111, .tx = 1, .error = 400, .draft = true},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct said said = {UNIT, cases[i]};
		CLEANUP(seen_freep) struct seen *seen = see(&said, 1);

		assert_int_equal(seen->facts.app, APP_STUN);
		assert_int_equal(seen->facts.ice, 0);
		assert_int_equal(seen->facts.asked, 0);
	}
}

static void the_peer_behind_a_standard_relay_is_known(void **state)
{
	static const struct {
		const char *what;
		struct said said[3];
		uint16_t port;
	} cases[] = {
		{"a permission",
	         {{RELAY, {.type = 0x0008, .tx = 1, .peer = "93.71.110.205:16332"}}},
	         16332},
		{"IPv6", {{RELAY, {.type = 0x0008, .tx = 1, .peer = "[2001:db8::9]:7"}}}, 7},
		{"a permission more says less than a channel",
	         {{RELAY, {.type = 0x0009, .tx = 1, .peer = "93.71.110.205:16332"}},
	          {RELAY, {.type = 0x0008, .tx = 2, .peer = "93.71.110.206:5"}}},
	         16332},
		{"data came from another",
	         {{RELAY, {.type = 0x0016, .tx = 1, .peer = "93.71.110.205:16332"}},
	          {RELAY_BACK, {.type = 0x0017, .tx = 2, .peer = "93.71.110.206:5"}}},
	         5},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(seen_freep) struct seen *seen = see(cases[i].said, 3);
		char text[ADDR_TEXT];

		assert_int_equal(seen->facts.app, APP_STUN);
		assert_int_equal(seen->facts.initiator, 0);
		assert_int_equal(seen->facts.initiator_by, INITIATOR_REQUEST);
		if (seen->facts.relayed_port != cases[i].port)
			fail_msg("%s: %u", cases[i].what, seen->facts.relayed_port);
		assert_string_equal(addr_print(&seen->facts.relayed, text),
		                    i == 1   ? "2001:db8::9"
		                    : i == 3 ? "93.71.110.206"
		                             : "93.71.110.205");
	}
}

static void channel_data_means_nothing_without_a_binding(void **state)
{
	for (unsigned bound = 0; bound < 3; bound++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;
		const struct rtp rtp = {
			.payload_type = PT_SILK, .seq = 1, .ssrc = 7, .payload_len = 60};
		struct message inner = message_rtp(&rtp),
			       data = message_channel(0x4001, &inner);
		/* The request, or where the mirror hides that the answer. */
		struct message bind = message_stun(
			&(struct stun){.type = bound == 2 ? 0x0109 : 0x0009,
		                       .tx = 1,
		                       .peer = bound == 2 ? NULL : "93.71.110.205:16332"});

		if (bound)
			talk_udp(w, bound == 2 ? RELAY_BACK : RELAY, &bind);
		talk_udp(w, RELAY_BACK, &data);
		seen = seen_of(w);
		assert_int_equal(seen->facts.media, bound ? MEDIA_AUDIO : 0);
		assert_int_equal(seen->facts.app, bound ? APP_STUN : APP_NONE);
	}
}

static void every_message_of_ms_turn_tells_alone_who_asked(void **state)
{
	static const struct {
		unsigned type;
		bool request;
	} cases[] = {
		{0x0003, true},  {0x0103, false}, {0x0113, false}, {0x0004, true},
		{0x0115, false}, {0x0006, true},  {0x0106, false}, {0x0116, false},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;
		struct message m =
			message_msturn(cases[i].type, 1, "[2001:db8::9]:16332", NULL);

		talk_udp(w, cases[i].request ? RELAY : RELAY_BACK, &m);
		seen = seen_of(w);
		assert_int_equal(seen->facts.app, APP_MSTURN);
		assert_int_equal(seen->facts.initiator, cases[i].request ? 0 : 1);
		assert_int_equal(seen->facts.initiator_by, INITIATOR_REQUEST);
		assert_int_equal(seen->facts.asked,
		                 cases[i].type == 0x0003 ? ASKED_TURN_ALLOCATE : 0);
	}
}

static void multiplexed_turn_goes_both_ways_and_may_be_bare_one_way(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message ask = message_stun(&(struct stun)CHECK(1)),
		       answer = message_stun(&(struct stun)SUCCESS(1)),
		       wrapped = message_msturn_multiplexed(&answer);

	talk_udp(w, RELAY_BACK, &ask);
	talk_udp(w, RELAY, &wrapped);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_MSTURN);
	assert_int_equal(seen->facts.ice, 0);
	assert_int_equal(seen->facts.media, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(answers_find_their_checks),
		cmocka_unit_test(without_the_cookie_a_fingerprint_has_the_last_word),
		cmocka_unit_test(the_fingerprint_of_a_misprinted_table_is_one_too),
		cmocka_unit_test(indications_and_errors_are_stun_and_nothing_more),
		cmocka_unit_test(the_peer_behind_a_standard_relay_is_known),
		cmocka_unit_test(channel_data_means_nothing_without_a_binding),
		cmocka_unit_test(every_message_of_ms_turn_tells_alone_who_asked),
		cmocka_unit_test(multiplexed_turn_goes_both_ways_and_may_be_bare_one_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
