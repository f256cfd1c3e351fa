/*
 * test_ahead.c - looking at frames before their turn: it survives any of them, and guesses the place of their flow.
 */
#include "monitor/capture/ahead.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* UDP 10.0.0.1:5000 > 10.0.0.2:53, tagged. */
static const uint8_t TAGGED[] = {
	0, 1, 2, 3, 4, 5, 0, 1, 2, 3, 4, 6, 0x81, 0, 0, 7, 8, 0,         /* Ethernet, tag */
	0x45, 0, 0, 28, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, /* IP */
	0x13, 0x88, 0, 53, 0, 8, 0, 0,                                   /* UDP */
};

static struct frame frame_of(const uint8_t *bytes, size_t len)
{
	return (struct frame){.caplen = (uint32_t)len, .wire_len = (uint32_t)len, .bytes = bytes,
	                      .link = LINK_ETHERNET};
}

static uint32_t hash_of(const struct frame *frame)
{
	struct packet packet = {0};
	struct flow_key key;

	assert_int_equal(packet_decode(frame->link, frame->bytes, frame->caplen, frame->wire_len,
	                               &packet),
	                 DECODED_IP);
	(void)flow_key_of(&packet, NULL, &key);
	return (uint32_t)flow_key_hash(&key);
}

static struct flowtab *table(void)
{
	struct flowtab_limits limits = FLOWTAB_DEFAULTS;

	limits.flows = limits.young = 64;
	return flowtab_new(&limits);
}

static void it_reads_the_key_that_the_packet_will_have(void **state)
{
	struct frame frame = frame_of(TAGGED, sizeof(TAGGED));
	struct flowtab *tab = table();
	struct ahead ahead = {0};

	ahead_look(&ahead, tab, &frame);
	assert_int_equal(ahead.hash[0], hash_of(&frame));
	flowtab_free(tab);
}

static void what_is_cut_or_of_no_known_kind_is_left_alone(void **state)
{
	struct flowtab *tab = table();

	for (size_t len = 0; len < sizeof(TAGGED); len++) {
		uint8_t *cut = malloc(len + 1); /* of its very length, for the sanitizer */
		struct frame frame;
		struct ahead ahead = {0};

		assert_non_null(cut);
		memcpy(cut + 1, TAGGED, len);
		frame = frame_of(cut + 1, len);
		ahead_look(&ahead, tab, &frame);
		assert_int_equal(!ahead.hash[0], len < 42); /* the ports end there */
		free(cut);
	}
	for (size_t at = 12; at < 30; at++)
		for (unsigned value = 0; value < 256; value++) {
			uint8_t other[sizeof(TAGGED)];
			struct frame frame = frame_of(other, sizeof(other));
			struct ahead ahead = {0};

			memcpy(other, TAGGED, sizeof(other));
			other[at] = (uint8_t)value;
			for (unsigned i = 0; i <= AHEAD_STEP; i++)
				ahead_look(&ahead, tab, &frame);
		}
	flowtab_free(tab);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_reads_the_key_that_the_packet_will_have),
		cmocka_unit_test(what_is_cut_or_of_no_known_kind_is_left_alone),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
