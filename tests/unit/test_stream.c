/*
 * test_stream.c - segments in any order become one stream: what is shown, what is kept, what is given up.
 */
#include "dissectors/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define SHOWN_MAX 100000

/* A stream, and what it showed: '~' stands for a gap, '|' ends a piece if `pieces`. */
struct bench {
	struct streams *streams;
	struct stream stream;
	uint64_t shed;
	int64_t now_us;
	bool pieces;
	uint32_t keep; /* so many bytes of a piece's end are wanted again; */
	bool again;    /* ... if any are */
	uint32_t expected;
	unsigned len, starts, resumed;
	char shown[SHOWN_MAX];
	char last[STREAM_MAX + 1]; /* the last piece, with what was kept */
	uint32_t last_len, last_wire_len;
};

static struct bench *bench_new(uint32_t blocks)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	bench->streams = streams_new(blocks, &bench->shed);
	assert_non_null(bench->streams);
	bench->now_us = SECOND;
	return bench;
}

static void bench_freep(struct bench **bench)
{
	stream_close((*bench)->streams, &(*bench)->stream);
	streams_free((*bench)->streams);
	free(*bench);
}
#define BENCH CLEANUP(bench_freep) struct bench *b = bench_new(2)

static void put(struct bench *b, char c)
{
	assert_true(b->len < SHOWN_MAX - 1);
	b->shown[b->len++] = c;
}

static void show(struct bench *b, struct segment *segment)
{
	struct piece piece;

	while (stream_next(b->streams, &b->stream, segment, &piece)) {
		uint32_t held = b->expected - piece.seq;
		uint32_t keep = b->keep < piece.len ? b->keep : piece.len;

		if (b->len && held > piece.len)
			put(b, '~');
		if (!b->len || held > piece.len)
			held = 0;
		for (uint32_t i = held; i < piece.len; i++)
			put(b, (char)piece.data[i]);
		if (b->pieces)
			put(b, '|');
		b->starts += piece.at_start;
		b->resumed += piece.again;
		b->last_len = piece.len;
		b->last_wire_len = piece.wire_len;
		if (piece.len && piece.len <= STREAM_MAX)
			memcpy(b->last, piece.data, piece.len);
		b->last[piece.len <= STREAM_MAX ? piece.len : 0] = '\0';
		b->expected = piece.seq + piece.wire_len;
		stream_shown(b->streams, &b->stream, &piece, b->again, piece.len - keep);
	}
}

/* In memory of just its size. */
static void send_bytes(struct bench *b, uint32_t seq, const void *data, uint32_t len,
                       uint32_t wire_len)
{
	uint8_t *copy = malloc(len ? len : 1);
	struct segment segment = {.seq = seq,
	                          .len = len,
	                          .wire_len = wire_len,
	                          .data = copy,
	                          .time_us = b->now_us};

	assert_non_null(copy);
	if (len)
		memcpy(copy, data, len);
	show(b, &segment);
	free(copy);
}

static void send(struct bench *b, uint32_t seq, const char *text)
{
	send_bytes(b, seq, text, (uint32_t)strlen(text), (uint32_t)strlen(text));
}

static void must_show(struct bench *b, const char *text)
{
	b->shown[b->len] = '\0';
	assert_string_equal(b->shown, text);
}

static void segments_in_order_are_shown_at_once_and_where_they_lie(void **state)
{
	BENCH;
	stream_open(&b->stream, 100);
	b->pieces = true;
	send(b, 100, "abc");
	send(b, 103, "de");
	must_show(b, "abc|de|");
	assert_int_equal(b->starts, 1);
	assert_false(stream_waits(&b->stream));
	assert_int_equal(b->shed, 0);
}

static void every_order_of_segments_shows_the_same(void **state)
{
	static const struct {
		uint32_t seq;
		const char *text;
	} segments[] = {{100, "ab"}, {102, "cde"}, {105, "f"}, {106, "ghij"}, {110, "k"}};
	static const uint32_t firsts[] = {0, UINT32_MAX - 99, UINT32_MAX - 105,
	                                  0x7fffffff - 104}; /* numbers that wrap */

	for (unsigned f = 0; f < ARRAY_LEN(firsts); f++)
		for (unsigned n = 0; n < 120; n++) {
			unsigned order[5] = {0, 1, 2, 3, 4}, rest = n;
			BENCH;

			for (unsigned i = 0; i < 5; i++) {
				unsigned at = i + rest % (5 - i), swap = order[i];

				rest /= 5 - i;
				order[i] = order[at];
				order[at] = swap;
			}
			stream_open(&b->stream, firsts[f] + 100);
			for (unsigned i = 0; i < 5; i++)
				send(b, firsts[f] + segments[order[i]].seq,
				     segments[order[i]].text);
			must_show(b, "abcdefghijk");
			assert_int_equal(b->starts, 1);
			assert_int_equal(b->shed, 0);
			assert_false(stream_waits(&b->stream));
		}
}

static void what_was_sent_again_is_not_shown_again(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	send(b, 0, "abcd");
	send(b, 0, "abcd"); /* a retransmission */
	send(b, 2, "cdef"); /* one with more behind it */
	send(b, 5, "f");
	send(b, 3, "d"); /* a keep-alive */
	send(b, 6, "g");
	must_show(b, "abcdefg");
}

static void of_two_that_differ_the_first_to_come_stays(void **state)
{
	static const struct {
		uint32_t seq;
		const char *text, *shown;
	} cases[] = {
		{4, "XX", "abcdefgh"},       /* the same place */
		{3, "XXXX", "abcXefXh"},     /* over both ends */
		{2, "XXX", "abXXefgh"},      /* before it and into it */
		{5, "XXXX", "abcdefXXX"},    /* out of it */
		{0, "XXXXXXXX", "XXXXefXX"}, /* all that is missing and more */
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		BENCH;

		stream_open(&b->stream, 0);
		send(b, 4, "ef"); /* waits */
		send(b, cases[i].seq, cases[i].text);
		send(b, 0, "abcdefgh");
		must_show(b, cases[i].shown);
	}
}

static void a_gap_is_given_up_after_a_second_of_packets(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	send(b, 0, "ab");
	send(b, 4, "ef");
	b->now_us += SECOND;
	send(b, 6, "gh");
	must_show(b, "ab");
	b->now_us += 1;
	send(b, 8, "ij");
	must_show(b, "ab~efghij");
	assert_int_equal(b->shed, 2);
	send(b, 2, "cd"); /* too late */
	must_show(b, "ab~efghij");
	assert_false(stream_waits(&b->stream));
}

static void a_stream_that_gets_on_waits_a_second_from_there(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	send(b, 2, "c");
	send(b, 5, "f");
	b->now_us += SECOND;
	send(b, 0, "ab");
	must_show(b, "abc");
	b->now_us += SECOND;
	send(b, 7, "h");
	must_show(b, "abc");
	send(b, 3, "de");
	must_show(b, "abcdef");
	assert_int_equal(b->shed, 0);
}

static void at_the_end_what_waits_is_shown(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	send(b, 2, "cd");
	send(b, 6, "gh");
	must_show(b, "");
	show(b, NULL);
	must_show(b, "cd~gh");
	assert_int_equal(b->shed, 4);
	assert_int_equal(b->starts, 0);
	assert_false(stream_waits(&b->stream));
}

static void from_the_middle_it_begins_with_the_first_payload(void **state)
{
	BENCH;
	send(b, 5000, "cd");
	send(b, 4998, "ab"); /* from before */
	send(b, 5002, "ef");
	must_show(b, "cdef");
	assert_int_equal(b->starts, 0);
}

static void a_keep_alive_is_no_beginning(void **state)
{
	BENCH;
	send(b, 4999, "\1");
	send(b, 5000, "ab");
	must_show(b, "ab");
}

static void behind_a_jump_too_far_to_be_filled_it_goes_on_after_a_second(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	send(b, 0, "ab");
	send(b, 3 + STREAM_MAX, "de");
	must_show(b, "ab");
	b->now_us += SECOND;
	send(b, 5 + STREAM_MAX, "fg");
	must_show(b, "ab");
	b->now_us += 1;
	send(b, 7 + STREAM_MAX, "hi");
	send(b, 9 + STREAM_MAX, "jk");
	must_show(b, "ab~hijk");
	assert_int_equal(b->starts, 1);
	assert_int_equal(b->shed, 4);
	send(b, 2, "c"); /* of before the jump */
	must_show(b, "ab~hijk");
}

static void a_number_out_of_all_order_does_not_blind_us_for_what_follows(void **state)
{
	static const uint32_t far[] = {200000, 0x40000000, 0x90000000, 100 + STREAM_MAX, (uint32_t)-STREAM_MAX - 1};

	for (size_t i = 0; i < ARRAY_LEN(far); i++) {
		BENCH;
		stream_open(&b->stream, 0);
		send(b, far[i], "??"); /* somebody else's, or broken */
		send(b, 0, "ab");
		for (unsigned k = 0; k < 4; k++) {
			send(b, far[i], "??");
			b->now_us += SECOND;
			send(b, 2 + k, "c");
		}
		must_show(b, "abcccc");
		assert_int_equal(b->shed, 10);
	}
}

static void what_a_stream_begins_with_is_never_taken_from_elsewhere(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	for (unsigned i = 0; i < 5; i++) {
		send(b, 200000 + 2 * i, "??");
		b->now_us += 2 * SECOND;
	}
	must_show(b, "");
	send(b, 0, "ab");
	must_show(b, "ab");
	assert_int_equal(b->starts, 1);
}

static void from_where_it_was_led_astray_a_stream_comes_back(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	send(b, 0, "ab");
	send(b, 200000, "??");
	b->now_us += 2 * SECOND; /* and the true one is silent */
	send(b, 200000, "??");
	must_show(b, "ab~??");
	send(b, 2, "cd");
	b->now_us += SECOND + 1;
	send(b, 4, "ef");
	assert_memory_equal(b->shown + b->len - 2, "ef", 2);
	assert_int_equal(b->starts, 1);
	assert_false(b->stream.opened);
}

static void as_much_waits_as_there_is_room_for(void **state)
{
	static const char text[1000] = {0};
	BENCH;

	stream_open(&b->stream, 0);
	for (uint32_t at = 1; at + sizeof(text) <= STREAM_MAX; at += sizeof(text))
		send_bytes(b, at, text, sizeof(text), sizeof(text));
	send_bytes(b, 16001, text, sizeof(text), sizeof(text)); /* one too many */
	assert_int_equal(b->len, 0);
	assert_int_equal(b->shed, 1000);
	send(b, 0, "a");
	assert_int_equal(b->len, 16001);
	send_bytes(b, 16001, text, sizeof(text), sizeof(text));
	assert_int_equal(b->len, 17001);
}

static void many_small_segments_do_not_wait_for_ever(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	for (uint32_t i = 0; i < 65; i++)
		send(b, 1 + i * 2, "x");
	assert_int_equal(b->len, 0);
	assert_int_equal(b->shed, 1); /* the last one */
	b->now_us += SECOND + 1;
	send(b, 1 + 65 * 2, "x");
	assert_true(b->len > 0);
	show(b, NULL);
	assert_false(stream_waits(&b->stream));
}

static void bytes_that_are_wanted_again_come_in_front_of_the_next(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	b->again = true;
	b->keep = 3;
	send(b, 0, "abcde");
	send(b, 7, "hi"); /* waits, while what was kept stays */
	send(b, 5, "fg");
	must_show(b, "abcdefghi");
	assert_string_equal(b->last, "efghi");
	assert_int_equal(b->resumed, 2);
	b->keep = 100;
	send(b, 9, "j");
	send(b, 10, "k");
	assert_string_equal(b->last, "ghijk");
	assert_int_equal(b->shed, 0);
}

static void the_place_alone_can_be_kept(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	b->again = true;
	send(b, 0, "ab");
	assert_false(stream_waits(&b->stream));
	send(b, 2, "cd");
	assert_int_equal(b->resumed, 1);
	send(b, 5, "f");
	show(b, NULL);
	assert_int_equal(b->resumed, 1); /* behind a gap nothing is resumed */
}

static void kept_from_the_start_is_still_the_start(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	b->again = true;
	b->keep = 100;
	send(b, 0, "ab");
	send(b, 2, "cd");
	assert_int_equal(b->starts, 2);
	b->keep = 3;
	send(b, 4, "ef");
	send(b, 6, "gh");
	assert_int_equal(b->starts, 3);
}

static void what_was_kept_is_dropped_at_a_gap(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	b->again = true;
	b->keep = 2;
	send(b, 0, "ab");
	send(b, 5, "fg");
	show(b, NULL);
	assert_string_equal(b->last, "fg");
	must_show(b, "ab~fg");
}

static void more_than_16_kib_are_not_kept(void **state)
{
	static char text[10000];
	BENCH;

	memset(text, 'x', sizeof(text));
	stream_open(&b->stream, 0);
	b->again = true;
	b->keep = UINT32_MAX;
	send_bytes(b, 0, text, sizeof(text), sizeof(text));
	assert_int_equal(b->last_len, 10000);
	send_bytes(b, 10000, text, sizeof(text), sizeof(text));
	assert_int_equal(b->len, 20000);
	assert_int_equal(b->shed, STREAM_MAX);
	assert_int_equal(b->last_len, 20000 - STREAM_MAX); /* begins anew */
	assert_int_equal(b->resumed, 1);
}

static void what_the_snap_length_cut_is_a_gap_at_once(void **state)
{
	BENCH;
	stream_open(&b->stream, 0);
	b->again = true;
	b->keep = 2;
	send_bytes(b, 0, "abcd", 4, 10);
	assert_int_equal(b->last_wire_len, 10);
	send(b, 10, "kl");
	must_show(b, "abcdkl"); /* the piece said so itself */
	assert_string_equal(b->last, "kl");
	assert_int_equal(b->resumed, 0);
	send_bytes(b, 14, "op", 2, 6); /* waits, and is cut */
	send(b, 20, "uv");
	send(b, 12, "mn");
	must_show(b, "abcdklmnopuv");
	send_bytes(b, 22, NULL, 0, 5); /* nothing of it is left */
	send(b, 27, "z");
	must_show(b, "abcdklmnopuvz");
	assert_int_equal(b->shed, 0);
}

static void the_stream_that_waited_longest_makes_room(void **state)
{
	struct bench *all[3];
	uint64_t shed = 0;
	struct streams *streams = streams_new(2, &shed);

	for (unsigned i = 0; i < 3; i++) {
		all[i] = bench_new(1);
		streams_free(all[i]->streams);
		all[i]->streams = streams;
		stream_open(&all[i]->stream, 0);
	}
	send(all[0], 2, "cd");
	send(all[1], 2, "cd");
	send(all[0], 0, "a"); /* gets on, and so waits less long than the other */
	send(all[2], 2, "cd");
	assert_int_equal(shed, 2);
	assert_true(stream_waits(&all[0]->stream));
	assert_false(stream_waits(&all[1]->stream));
	assert_true(stream_waits(&all[2]->stream));
	send(all[1], 0, "ab"); /* goes on without what it had */
	must_show(all[1], "ab");
	send(all[1], 2, "cd");
	must_show(all[1], "abcd");
	for (unsigned i = 0; i < 3; i++) {
		stream_close(streams, &all[i]->stream);
		free(all[i]);
	}
	streams_free(streams);
}

static void blocks_that_were_given_back_are_used_again(void **state)
{
	BENCH;
	for (unsigned i = 0; i < 100; i++) {
		memset(&b->stream, 0, sizeof(b->stream));
		stream_open(&b->stream, 0);
		send(b, 1, "b");
		assert_true(stream_waits(&b->stream));
		stream_close(b->streams, &b->stream);
	}
	assert_int_equal(b->shed, 0);
}

static void a_syn_seen_too_late_moves_nothing(void **state)
{
	BENCH;
	send(b, 100, "ab");
	stream_open(&b->stream, 50);
	send(b, 102, "cd");
	must_show(b, "abcd");
	assert_false(b->stream.opened);
}

/* Any segments at all: every byte once at most, in order, never two for one place. */
static void whatever_comes_the_order_holds(void **state)
{
	uint32_t random = 1;

	for (unsigned round = 0; round < 300; round++) {
		static uint8_t bytes[3000];
		uint32_t first = round * 0x01234567u;
		BENCH;

		for (unsigned i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)(i * 7 + i / 251);
		stream_open(&b->stream, first);
		b->again = round & 1;
		for (unsigned i = 0; i < 200; i++) {
			uint32_t at, len, cut;

			random = random * 1664525 + 1013904223;
			at = (random >> 8) % sizeof(bytes);
			random = random * 1664525 + 1013904223;
			len = 1 + (random >> 8) % 100;
			if (len > sizeof(bytes) - at)
				len = (uint32_t)sizeof(bytes) - at;
			cut = random >> 28 ? len : len / 2;
			b->keep = random >> 20 & 63;
			b->now_us += random >> 12 & 0x3ffff;
			if (i % 3 == 0) { /* the very next, so that it gets on */
				at = b->stream.next - first;
				if (at >= sizeof(bytes))
					break;
				if (len > sizeof(bytes) - at)
					len = (uint32_t)sizeof(bytes) - at;
				cut = len;
			}
			send_bytes(b, first + at, bytes + at, cut, len);
			if (b->last_len)
				assert_memory_equal(
					b->last,
					bytes + (b->expected - b->last_wire_len - first),
					b->last_len);
		}
		b->again = false;
		show(b, NULL);
		send(b, b->stream.next, "x");
		assert_false(stream_waits(&b->stream));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_in_order_are_shown_at_once_and_where_they_lie),
		cmocka_unit_test(every_order_of_segments_shows_the_same),
		cmocka_unit_test(what_was_sent_again_is_not_shown_again),
		cmocka_unit_test(of_two_that_differ_the_first_to_come_stays),
		cmocka_unit_test(a_gap_is_given_up_after_a_second_of_packets),
		cmocka_unit_test(a_stream_that_gets_on_waits_a_second_from_there),
		cmocka_unit_test(at_the_end_what_waits_is_shown),
		cmocka_unit_test(from_the_middle_it_begins_with_the_first_payload),
		cmocka_unit_test(a_keep_alive_is_no_beginning),
		cmocka_unit_test(behind_a_jump_too_far_to_be_filled_it_goes_on_after_a_second),
		cmocka_unit_test(a_number_out_of_all_order_does_not_blind_us_for_what_follows),
		cmocka_unit_test(what_a_stream_begins_with_is_never_taken_from_elsewhere),
		cmocka_unit_test(from_where_it_was_led_astray_a_stream_comes_back),
		cmocka_unit_test(as_much_waits_as_there_is_room_for),
		cmocka_unit_test(many_small_segments_do_not_wait_for_ever),
		cmocka_unit_test(bytes_that_are_wanted_again_come_in_front_of_the_next),
		cmocka_unit_test(the_place_alone_can_be_kept),
		cmocka_unit_test(kept_from_the_start_is_still_the_start),
		cmocka_unit_test(what_was_kept_is_dropped_at_a_gap),
		cmocka_unit_test(more_than_16_kib_are_not_kept),
		cmocka_unit_test(what_the_snap_length_cut_is_a_gap_at_once),
		cmocka_unit_test(the_stream_that_waited_longest_makes_room),
		cmocka_unit_test(blocks_that_were_given_back_are_used_again),
		cmocka_unit_test(a_syn_seen_too_late_moves_nothing),
		cmocka_unit_test(whatever_comes_the_order_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
