/*
 * test_evidence_pool.c - packets of many flows in a fixed amount of memory: what comes back, who must go.
 */
#include "monitor/record/evidence_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define FLOWS 64

static void pool_freep(struct evidence_pool **pool)
{
	evidence_pool_free(*pool);
}

/* Bytes that tell flow, number and place. */
static void fill(uint8_t *bytes, uint64_t flow, unsigned number, size_t len)
{
	for (size_t i = 0; i < len; i++)
		bytes[i] = (uint8_t)(flow * 31 + number * 7 + i);
}

static bool add(struct evidence_pool *pool, uint64_t flow, unsigned number, uint16_t len)
{
	const struct pooled packet = {.time_us = (int64_t)(flow * 1000 + number),
	                              .wire_len = len + 5u,
	                              .len = len,
	                              .link = 3,
	                              .number = (uint8_t)number};
	uint8_t bytes[SAMPLE_BYTES];

	fill(bytes, flow, number, len);
	return evidence_pool_add(pool, flow, &packet, bytes);
}

struct reader {
	uint64_t flow;
	unsigned count, first;
	uint16_t len[SAMPLE_PACKETS];
};

static int read_packet(void *context, const struct pooled *packet, const uint8_t *bytes,
                       struct err *err)
{
	struct reader *reader = context;
	uint8_t wanted[SAMPLE_BYTES];

	if (!reader->count)
		reader->first = packet->number;
	assert_true(reader->count < SAMPLE_PACKETS);
	assert_int_equal(packet->number, reader->first + reader->count);
	assert_int_equal(packet->time_us, reader->flow * 1000 + packet->number);
	assert_int_equal(packet->wire_len, packet->len + 5);
	assert_int_equal(packet->link, 3);
	fill(wanted, reader->flow, packet->number, packet->len);
	assert_memory_equal(bytes, wanted, packet->len);
	reader->len[reader->count++] = packet->len;
	return 0;
}

static struct reader read_flow(const struct evidence_pool *pool, uint64_t flow)
{
	struct reader reader = {.flow = flow};
	struct err err;

	assert_int_equal(evidence_pool_each(pool, flow, read_packet, &reader, &err), 0);
	return reader;
}

static void packets_come_back_as_they_came(void **state)
{
	CLEANUP(pool_freep) struct evidence_pool *pool = evidence_pool_new(1 << 20);

	/* Every length, so that packets begin and end everywhere in a block. */
	for (uint16_t len = 0; len <= SAMPLE_BYTES; len++) {
		struct reader reader;

		for (unsigned i = 0; i < SAMPLE_PACKETS; i++)
			assert_false(add(pool, 1 + len, i, (uint16_t)((len + i * 37) % 257)));
		reader = read_flow(pool, 1 + len);
		assert_int_equal(reader.count, SAMPLE_PACKETS);
		for (unsigned i = 0; i < SAMPLE_PACKETS; i++)
			assert_int_equal(reader.len[i], (len + i * 37) % 257);
	}
	assert_int_equal(read_flow(pool, 9999).count, 0);
	assert_int_equal(evidence_pool_lost(pool), 0);
}

static void the_flow_that_came_first_goes_first_and_is_counted(void **state)
{
	CLEANUP(pool_freep) struct evidence_pool *pool = evidence_pool_new(16384);
	uint64_t flow = 0, there;

	while (!evidence_pool_lost(pool)) {
		add(pool, ++flow, 0, 200);
		add(pool, flow, 1, 200);
	}
	assert_in_range(flow, 30, 60);
	for (there = 1; !read_flow(pool, there).count; there++)
		;
	assert_int_equal(evidence_pool_lost(pool), 2 * (there - 1));
	for (; there <= flow; there++)
		assert_int_equal(read_flow(pool, there).count, 2);
	/* One that is larger than what is free does not push itself out. */
	for (unsigned i = 2; i < SAMPLE_PACKETS; i++)
		add(pool, flow, i, 256);
	assert_int_equal(read_flow(pool, flow).count, SAMPLE_PACKETS);
}

static void what_is_dropped_is_room_again(void **state)
{
	CLEANUP(pool_freep) struct evidence_pool *pool = evidence_pool_new(16384);

	for (uint64_t flow = 1; flow < 5000; flow++) {
		for (unsigned i = 0; i < 3; i++)
			add(pool, flow, i, (uint16_t)(flow % 257));
		assert_int_equal(read_flow(pool, flow).count, 3);
		evidence_pool_drop(pool, flow > 5 ? flow - 5 : 0);
	}
	assert_int_equal(evidence_pool_lost(pool), 0);
	evidence_pool_drop(pool, 123456); /* not there */
}

static void a_flow_of_which_more_is_known_is_told(void **state)
{
	CLEANUP(pool_freep) struct evidence_pool *pool = evidence_pool_new(16384);

	assert_false(add(pool, 1, 0, 10));
	assert_false(add(pool, 1, 1, 10));
	evidence_pool_mark(pool, 1);
	assert_true(add(pool, 1, 2, 10));
	assert_true(add(pool, 2, 3, 10)); /* its first ones went elsewhere, or are lost */
	evidence_pool_drop(pool, 1);
	assert_false(add(pool, 1, 0, 10));
	evidence_pool_mark(pool, 77); /* not there */
	for (unsigned i = 0; i < 300; i++)
		add(pool, 3, i % SAMPLE_PACKETS, 1); /* as nobody sends them */
	assert_int_equal(evidence_pool_lost(pool), 300 - SAMPLE_PACKETS);
}

/* Flows that are looked for in the same place, dropped and given up in any order, against a list of what must be there. */
static void any_order_of_adding_and_dropping_keeps_what_it_must(void **state)
{
	CLEANUP(pool_freep) struct evidence_pool *pool = evidence_pool_new(1 << 16);
	unsigned there[FLOWS] = {0};
	uint32_t random = 7;

	for (unsigned step = 0; step < 20000; step++) {
		unsigned n = (random = random * 1664525 + 1013904223) >> 16 & (FLOWS - 1);
		uint64_t flow = 1 + (uint64_t)n * 256; /* all collide */

		if (random >> 28 < 3 || there[n] == SAMPLE_PACKETS) {
			evidence_pool_drop(pool, flow);
			there[n] = 0;
		} else {
			add(pool, flow, there[n]++, random >> 8 & 0x7f);
		}
		assert_int_equal(read_flow(pool, flow).count, there[n]);
		n = random >> 22 & (FLOWS - 1);
		assert_int_equal(read_flow(pool, 1 + (uint64_t)n * 256).count, there[n]);
	}
	assert_int_equal(evidence_pool_lost(pool), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_come_back_as_they_came),
		cmocka_unit_test(the_flow_that_came_first_goes_first_and_is_counted),
		cmocka_unit_test(what_is_dropped_is_room_again),
		cmocka_unit_test(a_flow_of_which_more_is_known_is_told),
		cmocka_unit_test(any_order_of_adding_and_dropping_keeps_what_it_must),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
