/*
 * test_inspector.c - packets in, opinions out: when a flow's state begins and ends, and who goes when
 * all places are taken.
 */
#include "monitor/inspector.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct bench {
	struct ring *packets, *opinions;
	struct inspector *inspector;
	/* From the IP header on: one that says nothing, and one that nDPI is certain of. */
	struct {
		uint8_t bytes[256];
		uint16_t len;
	} syn, banner;
};

static struct bench *bench_new(void)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct bench *bench = calloc(1, sizeof(*bench));
	struct err err;

	assert_non_null(bench);
	talk_ssh(w, "10.1.0.7:50000 > 10.2.0.9:22");
	for (unsigned i = 0; i < 4; i += 3) { /* the SYN; what follows the handshake */
		struct wire_frame frame = wire_packet(w, i);

		*(i ? &bench->banner.len : &bench->syn.len) = (uint16_t)(frame.caplen - 14);
		assert_true(frame.caplen - 14 <= sizeof(bench->syn.bytes));
		memcpy(i ? bench->banner.bytes : bench->syn.bytes, frame.data + 14,
		       frame.caplen - 14);
	}
	bench->packets = ring_new(1);
	bench->opinions = ring_new(1);
	assert_int_equal(inspector_new(&(struct inspector_options){.packets = bench->packets,
	                                                           .opinions = bench->opinions},
	                               &bench->inspector, &err),
	                 0);
	return bench;
}

static void bench_freep(struct bench **bench)
{
	inspector_free((*bench)->inspector);
	ring_free((*bench)->packets);
	ring_free((*bench)->opinions);
	free(*bench);
}

/* The SYN opens the flow, the banner follows. */
static void hand(struct bench *bench, uint64_t flow, bool first)
{
	uint16_t len = first ? bench->syn.len : bench->banner.len;
	struct event_packet *event = ring_reserve(bench->packets, sizeof(*event) + len);

	assert_non_null(event);
	event->head.type = EVENT_PACKET;
	event->flow = flow;
	event->time_us = WIRE_EPOCH * 1000000;
	event->ip_len = len;
	event->first = first;
	memcpy(event->ip, first ? bench->syn.bytes : bench->banner.bytes, len);
	ring_publish(bench->packets);
	assert_int_equal(inspector_step(bench->inspector, 1), 1);
}

static void forget(struct bench *bench, uint64_t flow)
{
	struct event_forget *event = ring_reserve(bench->packets, sizeof(*event));

	assert_non_null(event);
	event->head.type = EVENT_FORGET;
	event->flow = flow;
	ring_publish(bench->packets);
	assert_int_equal(inspector_step(bench->inspector, 1), 1);
}

/* Opinions about the flow that were told since the last call. */
static unsigned opinions_of(struct bench *bench, uint64_t flow)
{
	const struct event *event;
	unsigned count = 0;

	while ((event = ring_peek(bench->opinions))) {
		assert_int_equal(event_check(event, event->len), 0);
		count += ((const struct event_opinion *)event)->flow == flow;
		ring_take(bench->opinions);
		ring_release(bench->opinions);
	}
	return count;
}

static void a_flow_begins_with_its_first_packet_alone(void **state)
{
	CLEANUP(bench_freep) struct bench *bench = bench_new();

	hand(bench, 1, false);
	assert_int_equal(opinions_of(bench, 1), 0);
	hand(bench, 2, true);
	hand(bench, 2, false);
	assert_int_equal(opinions_of(bench, 2), 1);
	hand(bench, 3, true);
	forget(bench, 3);
	hand(bench, 3, false);
	assert_int_equal(opinions_of(bench, 3), 0);
	assert_int_equal(inspector_refused(bench->inspector), 0);
}

static void of_a_full_table_the_flow_opened_longest_ago_goes(void **state)
{
	CLEANUP(bench_freep) struct bench *bench = bench_new();
	uint64_t id = 1;

	for (; id <= INSPECTOR_FLOWS_MAX; id++)
		hand(bench, id, true);
	forget(bench, 2); /* one place is free, in the middle of the line */
	hand(bench, id++, true);
	assert_int_equal(inspector_refused(bench->inspector), 0);
	hand(bench, id++, true); /* in the place of the first */
	hand(bench, id, true);   /* ... and of the third */
	assert_int_equal(inspector_refused(bench->inspector), 2);
	for (uint64_t gone = 1; gone <= 3; gone++) {
		hand(bench, gone, false);
		assert_int_equal(opinions_of(bench, gone), 0);
	}
	for (uint64_t kept = 4; kept <= id; kept++) {
		hand(bench, kept, false);
		assert_int_equal(opinions_of(bench, kept), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_begins_with_its_first_packet_alone),
		cmocka_unit_test(of_a_full_table_the_flow_opened_longest_ago_goes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
