/*
 * test_sensor_full.c - the sensor live, while its readers are slow or gone: what waits and in which
 * order it is told, what is shed and counted; and a sensor that takes the place of another.
 */
#include "monitor/sensor.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define START_US (WIRE_EPOCH * SECOND)
#define TOLD_MAX 40000
#define LATE_US 200000 /* how far the clock of a silent link runs behind */

/* An event as it was told. */
struct told {
	uint64_t id;
	int64_t since_us, until_us;
	uint64_t packets;
	uint16_t type;
	bool flag; /* again, final, first */
	char name[16];
};

struct bench {
	struct wire *wire;
	struct ring *facts, *packets;
	struct counters counters;
	struct sensor_options options;
	struct sensor *sensor;
	_Atomic uint32_t off;
	bool file;     /* a full ring is waited for */
	unsigned full; /* how often it was, and was not waited for */
	struct told told[TOLD_MAX], handed[TOLD_MAX];
	unsigned told_count, handed_count;
};

static void note(struct told *told, const struct event *event)
{
	assert_int_equal(event_check(event, event->len), 0);
	*told = (struct told){.type = event->type};
	switch (event->type) {
	case EVENT_FLOW_SETTLED:
	case EVENT_FLOW_UPDATE:
	case EVENT_FLOW_END: {
		const struct event_flow *flow = (const struct event_flow *)event;

		told->id = flow->facts.id;
		told->since_us = flow->facts.first_us;
		told->until_us = flow->facts.last_us;
		told->packets = flow->facts.packets[0] + flow->facts.packets[1];
		break;
	}
	case EVENT_NAME: {
		const struct event_name *name = (const struct event_name *)event;

		told->since_us = name->time_us;
		memcpy(told->name, name->name, name->name_len < 15 ? name->name_len : 15);
		break;
	}
	case EVENT_BEGIN:
		told->since_us = ((const struct event_begin *)event)->time_us;
		told->flag = ((const struct event_begin *)event)->again;
		break;
	case EVENT_BLIND: {
		const struct event_blind *blind = (const struct event_blind *)event;

		assert_int_equal(blind->cause, BLIND_CLOCK_STEP);
		assert_int_equal(blind->count, 1);
		told->since_us = blind->since_us;
		told->until_us = blind->until_us;
		break;
	}
	case EVENT_HEALTH:
		told->since_us = ((const struct event_health *)event)->time_us;
		told->packets = ((const struct event_health *)event)->counters.seen;
		told->flag = ((const struct event_health *)event)->final;
		break;
	case EVENT_PACKET:
		told->id = ((const struct event_packet *)event)->flow;
		told->flag = ((const struct event_packet *)event)->first;
		break;
	case EVENT_FORGET:
		told->id = ((const struct event_forget *)event)->flow;
		break;
	default:
		break;
	}
}

static unsigned read_ring(struct ring *ring, struct told *told, unsigned *count, unsigned most)
{
	const struct event *event;
	unsigned n = 0;

	for (; n < most && (event = ring_peek(ring)); n++) {
		assert_true(*count < TOLD_MAX);
		note(&told[(*count)++], event);
		ring_take(ring);
		ring_release(ring);
	}
	return n;
}

static unsigned read_facts(struct bench *bench, unsigned most)
{
	return read_ring(bench->facts, bench->told, &bench->told_count, most);
}

static unsigned read_packets(struct bench *bench, unsigned most)
{
	return read_ring(bench->packets, bench->handed, &bench->handed_count, most);
}

static bool full(void *context, bool must)
{
	struct bench *bench = context;

	if (!must && !bench->file) {
		bench->full++;
		return false;
	}
	return read_facts(bench, 1) + read_packets(bench, 1) > 0;
}

static void bench_again(struct bench *bench, bool again, int64_t begin_us)
{
	sensor_free(bench->sensor);
	bench->options.again = again;
	bench->options.begin_us = begin_us;
	bench->sensor = sensor_new(&bench->options);
	assert_non_null(bench->sensor);
}

static struct bench *bench_new(uint32_t flows)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	assert_non_null(bench);
	bench->wire = wire_new();
	bench->facts = ring_new(1); /* 64 KiB */
	bench->packets = ring_new(1);
	bench->options = (struct sensor_options){
		.limits = FLOWTAB_DEFAULTS,
		.names = 64,
		.outbox = {bench->facts, bench->packets, full, bench},
		.counters = &bench->counters,
		.live = true,
		.inspector_off = &bench->off,
	};
	bench->options.limits.flows = flows;
	if (bench->options.limits.young > flows)
		bench->options.limits.young = flows;
	bench_again(bench, false, START_US);
	return bench;
}

static void bench_freep(struct bench **bench)
{
	sensor_free((*bench)->sensor);
	ring_free((*bench)->facts);
	ring_free((*bench)->packets);
	wire_free((*bench)->wire);
	free(*bench);
}

/* design.md 9.3: no packet is uncounted, at no time. */
static void assert_sum(const struct bench *bench)
{
	const struct counters *c = &bench->counters;

	assert_int_equal(c->seen, c->out_of_scope + c->in_flows + c->malformed +
	                                  c->fragments_lost + c->duplicates);
}

/* The packets from number `from` on, as they were written on the wire. */
static void show_from(struct bench *bench, size_t from)
{
	for (size_t i = from; i < wire_count(bench->wire); i++) {
		struct wire_frame packet = wire_packet(bench->wire, i);
		struct frame frame = {packet.time_us, packet.caplen, packet.len,
		                      packet.data,    LINK_ETHERNET, 0};

		sensor_frame(bench->sensor, &frame);
		assert_sum(bench);
	}
}

static void syn(struct bench *bench, unsigned port, double at_s)
{
	size_t from = wire_count(bench->wire);
	char tuple[WIRE_TUPLE];

	snprintf(tuple, sizeof(tuple), "10.1.%u.7:%u > 10.2.0.9:443", port / 50000,
	         1 + port % 50000);
	wire_at(bench->wire, at_s);
	wire_tcp(bench->wire, tuple, "S", NULL, 0);
	show_from(bench, from);
}

static void datagram(struct bench *bench, unsigned port, double at_s)
{
	size_t from = wire_count(bench->wire);
	char tuple[WIRE_TUPLE], text[32];

	snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > 10.2.0.9:51000", port);
	snprintf(text, sizeof(text), "not a known thing %u", port);
	wire_at(bench->wire, at_s);
	wire_udp(bench->wire, tuple, text, strlen(text));
	show_from(bench, from);
}

static void ask(struct bench *bench, unsigned number, double at_s)
{
	size_t from = wire_count(bench->wire);
	char tuple[WIRE_TUPLE], name[32];

	snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > 10.0.0.53:53", 10000 + number);
	snprintf(name, sizeof(name), "h%u.example", number);
	wire_at(bench->wire, at_s);
	talk_dns(bench->wire, tuple,
	         &(struct dns_case){.name = name, .type = 1, .value = "10.9.0.1"});
	show_from(bench, from);
}

/* The run's clock shall be at `at_s`, while the monotonic one says `mono_s`. */
static void idle_at(struct bench *bench, double at_s, double mono_s)
{
	sensor_idle(bench->sensor, START_US + LATE_US + (int64_t)(at_s * 1e6),
	            (int64_t)(mono_s * 1e6));
	assert_sum(bench);
}

static void idle(struct bench *bench, double at_s)
{
	idle_at(bench, at_s, at_s);
}

static unsigned told_of(const struct bench *bench, uint16_t type)
{
	unsigned count = 0;

	for (unsigned i = 0; i < bench->told_count; i++)
		count += bench->told[i].type == type;
	return count;
}

/* The reader comes back: it reads in small steps, and the sensor gets its turns between. */
static void read_all(struct bench *bench, double at_s)
{
	do
		idle(bench, at_s);
	while (read_facts(bench, 7) + read_packets(bench, 7));
	assert_int_equal(sensor_untold(bench->sensor), 0);
}

/* Every flow settled at most once and ended once, and its last word came last. */
static void assert_each_flow_ended(const struct bench *bench, unsigned flows)
{
	static uint8_t said[TOLD_MAX];

	memset(said, 0, sizeof(said));
	for (unsigned i = 0; i < bench->told_count; i++) {
		const struct told *told = &bench->told[i];

		if (told->type > EVENT_FLOW_END)
			continue;
		assert_true(told->id && told->id < TOLD_MAX);
		if (told->type == EVENT_FLOW_SETTLED)
			assert_int_equal(said[told->id], 0);
		else if (told->type == EVENT_FLOW_UPDATE)
			assert_int_equal(said[told->id], EVENT_FLOW_SETTLED);
		else
			assert_int_not_equal(said[told->id], EVENT_FLOW_END);
		if (told->type != EVENT_FLOW_UPDATE)
			said[told->id] = (uint8_t)told->type;
	}
	assert_int_equal(told_of(bench, EVENT_FLOW_END), flows);
	assert_int_equal(bench->counters.flows, flows);
}

/* Room for less than one event of a flow is left. */
static void fill_facts(struct bench *bench)
{
	struct event_health *event;

	while ((event = ring_reserve(bench->facts, sizeof(*event)))) {
		event->head.type = EVENT_HEALTH;
		ring_publish(bench->facts);
	}
	while ((event = ring_reserve(bench->facts, sizeof(struct event_begin)))) {
		event->head.type = EVENT_BEGIN;
		ring_publish(bench->facts);
	}
}

static void fill_packets(struct bench *bench)
{
	struct event_forget *event;

	while ((event = ring_reserve(bench->packets, sizeof(*event)))) {
		event->head.type = EVENT_FORGET;
		ring_publish(bench->packets);
	}
}

static void forget_told(struct bench *bench)
{
	while (read_facts(bench, TOLD_MAX))
		;
	bench->told_count = 0;
}

#define BENCH(flows) CLEANUP(bench_freep) struct bench *bench = bench_new(flows)

/* ------------------------------------------------------------- flows that wait */

static void flows_without_room_wait_and_are_told_in_order(void **state)
{
	uint64_t last = 0;
	BENCH(4096);

	for (unsigned i = 0; i < 2000; i++)
		syn(bench, i, 0.001 * i);
	idle(bench, 60); /* all of them are over */
	assert_in_range(sensor_untold(bench->sensor), 1500, 1999);
	assert_true(bench->full > 0);
	read_all(bench, 60);
	assert_each_flow_ended(bench, 2000);
	for (unsigned i = 0; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_FLOW_END) {
			assert_true(bench->told[i].id > last);
			last = bench->told[i].id;
		}
	assert_int_equal(bench->counters.evicted, 0);
	assert_int_equal(bench->counters.told_shed, 0);
}

static void new_events_do_not_overtake_what_waits(void **state)
{
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	syn(bench, 1, 0);
	idle(bench, 31);
	assert_int_equal(sensor_untold(bench->sensor), 1);
	syn(bench, 2, 32);
	forget_told(bench);
	idle(bench, 63); /* now there is room for both */
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 2);
	for (unsigned i = 0, n = 0; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_FLOW_END)
			assert_int_equal(bench->told[i].id, ++n);
}

static void a_living_flow_that_waits_is_told_with_its_latest_facts(void **state)
{
	unsigned i = 0;
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	datagram(bench, 50000, 0);
	idle(bench, 11); /* it settles */
	assert_int_equal(sensor_untold(bench->sensor), 1);
	for (unsigned n = 0; n < 30; n++)
		datagram(bench, 50000, 12 + 3 * n); /* and would be told of again */
	assert_int_equal(sensor_untold(bench->sensor), 1);
	forget_told(bench);
	idle(bench, 100);
	read_facts(bench, TOLD_MAX);
	while (bench->told[i].type != EVENT_FLOW_SETTLED)
		assert_true(++i < bench->told_count);
	assert_int_equal(bench->told[i].packets, 31);
	assert_int_equal(sensor_untold(bench->sensor), 0);
	assert_int_equal(told_of(bench, EVENT_FLOW_UPDATE), 0);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_each_flow_ended(bench, 1);
}

static void a_flow_that_ends_while_it_waits_sends_its_last_word_alone(void **state)
{
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	datagram(bench, 50000, 0);
	idle(bench, 11);
	idle(bench, 61);
	assert_int_equal(sensor_untold(bench->sensor), 1);
	forget_told(bench);
	idle(bench, 61.1);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_SETTLED), 0);
	assert_each_flow_ended(bench, 1);
}

static void another_flow_of_the_same_key_begins_while_one_waits(void **state)
{
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	for (unsigned i = 0; i < 3; i++) {
		datagram(bench, 50000, 100 * i);
		idle(bench, 100 * i + 61);
	}
	assert_int_equal(sensor_untold(bench->sensor), 3);
	forget_told(bench);
	idle(bench, 300);
	read_facts(bench, TOLD_MAX);
	assert_each_flow_ended(bench, 3);
}

static void of_a_full_table_the_flow_that_waited_longest_is_given_up(void **state)
{
	BENCH(8);

	forget_told(bench);
	fill_facts(bench);
	for (unsigned i = 0; i < 4; i++)
		syn(bench, i, 0);
	idle(bench, 40); /* four are over and wait */
	for (unsigned i = 4; i < 8; i++)
		syn(bench, i, 41);
	assert_int_equal(bench->counters.evicted, 0);
	syn(bench, 8, 42);
	syn(bench, 9, 42);
	assert_int_equal(bench->counters.evicted, 2);
	forget_told(bench);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 8);
	for (unsigned i = 0, n = 2; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_FLOW_END)
			assert_int_equal(bench->told[i].id, ++n);
}

static void where_none_waits_the_longest_idle_flow_is_given_up(void **state)
{
	BENCH(4);

	forget_told(bench);
	fill_facts(bench);
	for (unsigned i = 0; i < 6; i++)
		syn(bench, i, i);
	assert_int_equal(bench->counters.evicted, 2);
	assert_int_equal(sensor_untold(bench->sensor), 0);
	forget_told(bench);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 4);
	assert_int_equal(bench->told[0].id, 3);
}

static void at_the_end_the_ring_is_waited_for(void **state)
{
	BENCH(4096);

	for (unsigned i = 0; i < 3000; i++)
		syn(bench, i, 0.001 * i);
	idle(bench, 32);
	assert_true(sensor_untold(bench->sensor) > 1000);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_each_flow_ended(bench, 3000);
	assert_int_equal(bench->told[bench->told_count - 1].type, EVENT_HEALTH);
	assert_true(bench->told[bench->told_count - 1].flag);
	assert_int_equal(bench->told[bench->told_count - 1].packets, 3000);
}

static void another_sensor_goes_on_where_the_end_is_not_the_last(void **state)
{
	BENCH(64);

	syn(bench, 1, 0);
	sensor_end(bench->sensor, false);
	read_facts(bench, TOLD_MAX);
	assert_each_flow_ended(bench, 1);
	for (unsigned i = 0; i < bench->told_count; i++)
		assert_false(bench->told[i].flag);
}

static void a_reader_that_comes_and_goes_misses_nothing(void **state)
{
	uint32_t dice = 7;
	unsigned begun = 0;
	BENCH(8192);

	for (unsigned i = 0; i < 12000; i++) {
		dice = dice * 1664525 + 1013904223;
		switch (dice >> 28) {
		case 0:
			read_facts(bench, dice >> 20 & 7);
			break;
		case 1:
			read_packets(bench, dice >> 20 & 63);
			break;
		case 2:
		case 3:
		case 4:
			datagram(bench, 40000 + (dice >> 20 & 63), 0.01 * i);
			break;
		default:
			syn(bench, dice >> 8 & 2047, 0.01 * i);
		}
	}
	assert_true(bench->full > 0);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	begun = (unsigned)bench->counters.flows;
	assert_true(begun > 3000);
	assert_each_flow_ended(bench, begun);
	assert_int_equal(bench->counters.evicted, 0);
	assert_int_equal(bench->counters.told_shed, 0);
}

/* ------------------------------------------------------- names, health, the beginning */

static void names_wait_in_a_queue_and_its_overflow_is_counted(void **state)
{
	unsigned names = OUTBOX_NAMES_MAX + 10, n = 0;
	BENCH(16384);

	forget_told(bench);
	fill_facts(bench);
	for (unsigned i = 0; i < names; i++)
		ask(bench, i, 0.0001 * i);
	assert_int_equal(bench->counters.told_shed, 10);
	forget_told(bench);
	read_all(bench, 5);
	assert_int_equal(told_of(bench, EVENT_NAME), OUTBOX_NAMES_MAX);
	for (unsigned i = 0; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_NAME) {
			char name[32];

			snprintf(name, sizeof(name), "h%u.example", n++);
			assert_string_equal(bench->told[i].name, name);
		}
	ask(bench, 1, 6); /* and now there is room again */
	read_all(bench, 7);
	assert_int_equal(told_of(bench, EVENT_NAME), OUTBOX_NAMES_MAX + 1);
	assert_int_equal(bench->counters.told_shed, 10);
}

static void names_and_flows_that_wait_go_in_the_order_in_which_they_came(void **state)
{
	static const uint16_t order[] = {EVENT_FLOW_END, EVENT_NAME, EVENT_FLOW_END};
	unsigned n = 0;
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	syn(bench, 1, 0);
	idle(bench, 31);
	ask(bench, 1, 32);
	syn(bench, 2, 33);
	idle(bench, 64);
	forget_told(bench);
	idle(bench, 65);
	read_facts(bench, TOLD_MAX);
	for (unsigned i = 0; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_NAME ||
		    bench->told[i].type == EVENT_FLOW_END) {
			assert_true(n < ARRAY_LEN(order));
			assert_int_equal(bench->told[i].type, order[n++]);
		}
	assert_int_equal(n, ARRAY_LEN(order));
}

static void health_without_room_is_told_once_with_the_sums(void **state)
{
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	for (unsigned i = 0; i < 10; i++) {
		syn(bench, i, i);
		idle(bench, i + 0.5);
	}
	forget_told(bench);
	idle(bench, 10);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_HEALTH), 1);
	assert_int_equal(bench->told[0].packets, 10);
}

static void the_beginning_is_the_first_event(void **state)
{
	for (unsigned again = 0; again < 2; again++) {
		BENCH(64);

		forget_told(bench);
		bench_again(bench, again, START_US + 5 * SECOND);
		syn(bench, 1, 7);
		read_facts(bench, TOLD_MAX);
		assert_int_equal(bench->told[0].type, EVENT_BEGIN);
		assert_int_equal(bench->told[0].since_us, START_US + 5 * SECOND);
		assert_int_equal(bench->told[0].flag, again);
		assert_int_equal(told_of(bench, EVENT_BEGIN), 1);
	}
}

static void the_beginning_waits_for_room_and_nothing_goes_before_it(void **state)
{
	BENCH(64);

	fill_facts(bench);
	bench_again(bench, true, START_US);
	ask(bench, 1, 1);
	syn(bench, 1, 2);
	idle(bench, 33);
	forget_told(bench);
	idle(bench, 34);
	idle(bench, 34);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(bench->told[0].type, EVENT_BEGIN);
	assert_true(told_of(bench, EVENT_NAME) == 1 && told_of(bench, EVENT_HEALTH));
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 1);
}

/* ------------------------------------------------------------- the inspector */

static void packets_without_room_are_shed_and_the_flow_goes_on(void **state)
{
	BENCH(64);

	fill_packets(bench);
	datagram(bench, 50000, 0);
	datagram(bench, 50000, 0.1);
	assert_int_equal(bench->counters.inspect_shed, 2);
	assert_int_equal(bench->counters.inspected, 0);
	read_packets(bench, TOLD_MAX);
	bench->handed_count = 0;
	datagram(bench, 50000, 0.2);
	datagram(bench, 50000, 0.3);
	read_packets(bench, TOLD_MAX);
	assert_int_equal(bench->counters.inspected, 2);
	assert_true(bench->handed[0].flag); /* what it gets first opens the flow */
	assert_false(bench->handed[1].flag);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_each_flow_ended(bench, 1);
}

static void a_word_to_forget_waits_for_room(void **state)
{
	BENCH(64);

	datagram(bench, 50000, 0);
	datagram(bench, 50001, 0);
	read_packets(bench, TOLD_MAX);
	fill_packets(bench);
	idle(bench, 11);
	datagram(bench, 50002, 12);
	assert_int_equal(bench->counters.inspect_shed, 1);
	read_packets(bench, TOLD_MAX);
	bench->handed_count = 0;
	datagram(bench, 50002, 13);
	read_packets(bench, TOLD_MAX);
	assert_int_equal(bench->handed_count, 3);
	assert_int_equal(bench->handed[0].type, EVENT_FORGET);
	assert_int_equal(bench->handed[0].id, 1);
	assert_int_equal(bench->handed[1].type, EVENT_FORGET);
	assert_int_equal(bench->handed[1].id, 2);
	assert_int_equal(bench->handed[2].type, EVENT_PACKET);
}

static void an_inspector_that_is_off_is_handed_nothing(void **state)
{
	BENCH(64);

	datagram(bench, 50000, 0);
	bench->off = 1;
	datagram(bench, 50000, 0.1);
	datagram(bench, 50001, 0.1);
	idle(bench, 11);
	assert_int_equal(read_packets(bench, TOLD_MAX), 1);
	assert_int_equal(bench->counters.inspect_shed, 2);
	bench->off = 0;
	datagram(bench, 50002, 12);
	assert_int_equal(read_packets(bench, TOLD_MAX), 1);
	assert_true(bench->handed[1].flag);
}

static void a_full_ring_of_packets_is_waited_for_in_a_file(void **state)
{
	BENCH(64);

	bench->file = true;
	fill_packets(bench);
	datagram(bench, 50000, 0);
	assert_int_equal(bench->counters.inspect_shed, 0);
	assert_int_equal(bench->counters.inspected, 1);
}

/* ------------------------------------------------------------------ successors */

static void a_successor_counts_on_and_the_fatal_packet_is_malformed(void **state)
{
	BENCH(64);

	syn(bench, 1, 0);
	syn(bench, 2, 0);
	bench->counters.seen++; /* it died of the next one, before it was sorted in */
	forget_told(bench);
	bench_again(bench, true, START_US + SECOND);
	assert_sum(bench);
	assert_int_equal(bench->counters.malformed, 1);
	syn(bench, 1, 2);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(bench->counters.seen, 4);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 1);
	for (unsigned i = 0; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_FLOW_END)
			assert_int_equal(bench->told[i].id, 4); /* no number is used again */
}

static void one_that_died_of_a_packet_already_counted_adds_none(void **state)
{
	BENCH(64);

	syn(bench, 1, 0);
	bench_again(bench, true, START_US + SECOND);
	assert_sum(bench);
	assert_int_equal(bench->counters.malformed, 0);
}

/* ------------------------------------------------------------------------ clocks */

static void a_clock_set_back_ends_all_flows_and_is_told(void **state)
{
	const struct told *step;
	unsigned i = 0;
	BENCH(64);

	syn(bench, 1, 100);
	syn(bench, 2, 100);
	idle(bench, 101);
	idle_at(bench, 40, 102);
	assert_int_equal(sensor_now(bench->sensor), START_US + 40 * SECOND);
	read_facts(bench, TOLD_MAX);
	assert_each_flow_ended(bench, 2);
	while (bench->told[i].type != EVENT_BLIND)
		assert_true(++i < bench->told_count);
	step = &bench->told[i];
	assert_int_equal(step->since_us, START_US + 40 * SECOND);
	assert_int_equal(step->until_us, START_US + 101 * SECOND);
	/* from here on it is the new time */
	syn(bench, 1, 41);
	assert_int_equal(sensor_now(bench->sensor), START_US + 41 * SECOND);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_each_flow_ended(bench, 3);
	assert_int_equal(told_of(bench, EVENT_BLIND), 1);
}

static void a_clock_set_forward_is_told_and_flows_go_on(void **state)
{
	unsigned i = 0;
	BENCH(64);

	syn(bench, 1, 100);
	idle(bench, 101);
	sensor_clock(bench->sensor, START_US + LATE_US + 111 * SECOND, 101500000);
	read_facts(bench, TOLD_MAX);
	while (bench->told[i].type != EVENT_BLIND)
		assert_true(++i < bench->told_count);
	assert_int_equal(bench->told[i].since_us, START_US + 101 * SECOND);
	assert_int_equal(bench->told[i].until_us, START_US + 111 * SECOND);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 0);
	/* a packet stamped before that comes late: it is no clock set back */
	syn(bench, 2, 101.4);
	sensor_clock(bench->sensor, START_US + LATE_US + 112 * SECOND, 102500000);
	assert_int_equal(sensor_now(bench->sensor), START_US + 111 * SECOND);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_BLIND), 1);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 0);
}

static void a_clock_that_drifts_or_a_sensor_that_stood_still_is_no_step(void **state)
{
	BENCH(64);

	for (unsigned i = 0; i < 100; i++) /* half a second each time, which no clock does */
		idle_at(bench, 1.5 * i, i);
	for (unsigned i = 0; i < 100; i++)
		idle_at(bench, 150 + 0.5 * i, 100 + i);
	/* it was stopped for an hour; packets of that time lie ready */
	idle_at(bench, 3800, 3800);
	syn(bench, 1, 300);
	idle_at(bench, 3801, 3801);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_BLIND), 0);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 0);
}

static void a_clock_step_waits_where_there_is_no_room(void **state)
{
	BENCH(64);

	forget_told(bench);
	syn(bench, 1, 100);
	idle(bench, 101);
	fill_facts(bench);
	idle_at(bench, 40, 102);
	syn(bench, 1, 41);
	assert_int_equal(sensor_untold(bench->sensor), 1);
	forget_told(bench);
	idle_at(bench, 42, 104);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 2);
	assert_int_equal(told_of(bench, EVENT_BLIND), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_without_room_wait_and_are_told_in_order),
		cmocka_unit_test(new_events_do_not_overtake_what_waits),
		cmocka_unit_test(a_living_flow_that_waits_is_told_with_its_latest_facts),
		cmocka_unit_test(a_flow_that_ends_while_it_waits_sends_its_last_word_alone),
		cmocka_unit_test(another_flow_of_the_same_key_begins_while_one_waits),
		cmocka_unit_test(of_a_full_table_the_flow_that_waited_longest_is_given_up),
		cmocka_unit_test(where_none_waits_the_longest_idle_flow_is_given_up),
		cmocka_unit_test(at_the_end_the_ring_is_waited_for),
		cmocka_unit_test(another_sensor_goes_on_where_the_end_is_not_the_last),
		cmocka_unit_test(a_reader_that_comes_and_goes_misses_nothing),
		cmocka_unit_test(names_wait_in_a_queue_and_its_overflow_is_counted),
		cmocka_unit_test(names_and_flows_that_wait_go_in_the_order_in_which_they_came),
		cmocka_unit_test(health_without_room_is_told_once_with_the_sums),
		cmocka_unit_test(the_beginning_is_the_first_event),
		cmocka_unit_test(the_beginning_waits_for_room_and_nothing_goes_before_it),
		cmocka_unit_test(packets_without_room_are_shed_and_the_flow_goes_on),
		cmocka_unit_test(a_word_to_forget_waits_for_room),
		cmocka_unit_test(an_inspector_that_is_off_is_handed_nothing),
		cmocka_unit_test(a_full_ring_of_packets_is_waited_for_in_a_file),
		cmocka_unit_test(a_successor_counts_on_and_the_fatal_packet_is_malformed),
		cmocka_unit_test(one_that_died_of_a_packet_already_counted_adds_none),
		cmocka_unit_test(a_clock_set_back_ends_all_flows_and_is_told),
		cmocka_unit_test(a_clock_set_forward_is_told_and_flows_go_on),
		cmocka_unit_test(a_clock_that_drifts_or_a_sensor_that_stood_still_is_no_step),
		cmocka_unit_test(a_clock_step_waits_where_there_is_no_room),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
