/*
 * test_seed.c - a flow that was sown tells what it would have told without: two sensors see the same packets, one
 * of them keeps whole flows alone, and what they tell is compared byte for byte.
 */
#include "monitor/capture/seed.h"
#include "tests/lib/sensing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define PACKETS 6000
#define LOG (64u << 20)
#define SEQ_AT (14 + 20 + 4) /* of a TCP header behind Ethernet and IPv4 */

/* One sensor and all that it told. */
struct side {
	struct ring *facts, *packets;
	struct counters counters;
	struct sensor *sensor;
	bool file;
	uint8_t *log;
	size_t len;
	unsigned ended, brief;
};

static void side_read(struct side *side, unsigned most)
{
	const struct event *event;

	for (unsigned i = 0; i < most && (event = ring_peek(side->facts)); i++) {
		assert_int_equal(event_check(event, event->len), 0);
		assert_true(side->len + event->len <= LOG);
		memcpy(side->log + side->len, event, event->len);
		side->len += event->len;
		side->ended += event->type == EVENT_FLOW_END || event->type == EVENT_FLOW_BRIEF;
		side->brief += event->type == EVENT_FLOW_BRIEF;
		ring_take(side->facts);
		ring_release(side->facts);
	}
	while (ring_peek(side->packets)) {
		ring_take(side->packets);
		ring_release(side->packets);
	}
}

static bool full(void *context, bool must)
{
	struct side *side = context;

	if (!must && !side->file)
		return false;
	side_read(side, 5);
	return true;
}

static void side_begin(struct side *side, uint32_t flows, bool file, bool plain)
{
	struct sensor_options options = {
		.limits = FLOWTAB_DEFAULTS,
		.names = 64,
		.counters = &side->counters,
		.live = !file,
		.prompt = !file,
		.plain = plain,
		.keep = KEEP_FULL,
	};

	*side = (struct side){.facts = ring_new(1), .packets = ring_new(1), .file = file,
	                      .log = malloc(LOG)};
	assert_non_null(side->log);
	options.outbox = (struct outbox_options){side->facts, side->packets, full, side, !file};
	options.limits.flows = flows;
	options.limits.young = flows < 16 ? flows : flows / 2;
	options.begin_us = file ? 0 : START_US;
	side->sensor = sensor_new(&options);
	assert_non_null(side->sensor);
}

static void side_end(struct side *side)
{
	sensor_free(side->sensor);
	ring_free(side->facts);
	ring_free(side->packets);
	free(side->log);
}

static unsigned draw(uint32_t *state, unsigned below)
{
	*state = *state * 1664525u + 1013904223u;
	return (*state >> 8) % below;
}

/* Connections of a few tuples, in any state; most of them get no further than their SYN. */
static struct wire *any_traffic(uint32_t seed)
{
	static const char *const flags[] = {"S", "S", "S", "S", "S", "SU", "SP", "SF", "SR", "A", "PA",
	                                    "FA", "R", "RA"};
	struct wire *w = wire_new();
	char tuple[WIRE_TUPLE], back[WIRE_TUPLE];

	for (unsigned i = 0; i < PACKETS; i++) {
		unsigned port = 1000 + draw(&seed, draw(&seed, 4) ? 2000 : 20), what = draw(&seed, 40);
		const char *flag = flags[draw(&seed, ARRAY_LEN(flags))];
		bool data = !draw(&seed, 12);

		if (!draw(&seed, 9)) /* a group, and all of the link */
			snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > %s:443", port,
			         draw(&seed, 2) ? "239.1.2.3" : "255.255.255.255");
		else if (draw(&seed, 5))
			snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > 10.2.0.9:443", port);
		else
			snprintf(tuple, sizeof(tuple), "[2001:db8::7]:%u > [2001:db8::9]:443", port);
		wire_wait(w, what == 0 ? 31 : what == 1 ? 4 : draw(&seed, 1000) / 1e4);
		if (what < 30)
			wire_tcp(w, tuple, flag, data ? "GET / HTTP/1.1" : NULL, data ? 14 : 0);
		else if (what < 34)
			wire_tcp(w, wire_back(tuple, back), draw(&seed, 3) ? "SA" : "RA", NULL, 0);
		else if (what < 36 && wire_count(w))
			wire_again(w);
		else if (what < 38)
			wire_icmp_error(w, "10.2.0.9 > 10.1.0.7", 3, draw(&seed, 2) ? 13 : 1);
		else
			wire_udp(w, tuple, "nobody knows that", 17);
	}
	return w;
}

static void show(struct side *side, const struct wire *w, size_t index, bool other_seq)
{
	struct wire_frame packet = wire_packet(w, index);
	struct frame frame = {packet.time_us, packet.caplen, packet.len, packet.data, LINK_ETHERNET, 0};
	uint8_t bytes[2048];

	/* A SYN of the same ports that is no retry. */
	if (other_seq && packet.caplen < sizeof(bytes) && packet.caplen > SEQ_AT + 4) {
		memcpy(bytes, packet.data, packet.caplen);
		bytes[SEQ_AT] ^= (uint8_t)(1 + index % 7);
		frame.bytes = bytes;
	}
	sensor_frame(side->sensor, &frame);
}

static void both_tell_the_same(uint32_t flows, bool file, uint32_t seed)
{
	CLEANUP(wire_freep) struct wire *w = any_traffic(seed);
	struct side side[2];

	for (unsigned s = 0; s < 2; s++)
		side_begin(&side[s], flows, file, s);
	for (size_t i = 0; i < wire_count(w); i++) {
		bool other_seq = !draw(&seed, 6), reads = draw(&seed, 900) > 0;
		int64_t time_us = wire_packet(w, i).time_us;

		for (unsigned s = 0; s < 2; s++) {
			show(&side[s], w, i, other_seq);
			/* Live nobody reads for a while, now and then: more waits than there are slots. */
			if (i % 1500 > 700 && reads)
				side_read(&side[s], 50);
			if (!file && i % 64 == 0)
				sensor_idle(side[s].sensor, time_us + LATE_US, time_us);
		}
		assert_int_equal(sensor_waits(side[0].sensor, time_us - SECOND),
		                 sensor_waits(side[1].sensor, time_us - SECOND));
		assert_int_equal(sensor_untold(side[0].sensor), sensor_untold(side[1].sensor));
		assert_int_equal(sensor_unheard(side[0].sensor), sensor_unheard(side[1].sensor));
	}
	for (unsigned s = 0; s < 2; s++) {
		sensor_end(side[s].sensor, true);
		side_read(&side[s], UINT32_MAX);
	}
	assert_memory_equal(&side[0].counters, &side[1].counters, sizeof(struct counters));
	assert_int_equal(side[0].len, side[1].len);
	assert_memory_equal(side[0].log, side[1].log, side[0].len);
	/* None is lost where somebody reads. */
	assert_true(side[0].ended > 500);
	assert_true(side[0].brief > 50 && side[0].brief < side[0].ended);
	if (file)
		assert_int_equal(side[0].ended, side[0].counters.flows);
	for (unsigned s = 0; s < 2; s++)
		side_end(&side[s]);
}

static void what_is_sown_tells_what_whole_flows_tell(void **state)
{
	for (uint32_t seed = 1; seed <= 6; seed++)
		both_tell_the_same(4096, true, seed);
}

static void also_where_the_table_is_full(void **state)
{
	for (uint32_t seed = 1; seed <= 6; seed++) {
		both_tell_the_same(8, true, seed);
		both_tell_the_same(100, true, seed);
	}
}

static void also_where_nobody_reads(void **state)
{
	for (uint32_t seed = 1; seed <= 6; seed++) {
		both_tell_the_same(64, false, seed);
		both_tell_the_same(2000, false, seed);
	}
}

static struct flow_key key_of(const struct packet *packet)
{
	struct flow_key key;

	(void)flow_key_of(packet, NULL, &key);
	return key;
}

static struct packet lone_syn(uint64_t number)
{
	struct packet packet = {.number = number,
	                        .time_us = (int64_t)number * SECOND,
	                        .transport = TRANSPORT_TCP,
	                        .ip_version = 4,
	                        .src_port = (uint16_t)(1000 + number),
	                        .dst_port = 443,
	                        .tcp_flags = TCP_SYN,
	                        .ip_len = 40};

	packet.src = addr_from_v4((const uint8_t[]){10, 1, 0, 7});
	packet.dst = addr_from_v4((const uint8_t[]){10, 2, 0, 9});
	return packet;
}

static void only_a_syn_alone_is_sown(void **state)
{
	struct packet packet = lone_syn(1);

	assert_true(seed_fits(&packet));
	packet.tcp_flags = TCP_SYN | TCP_ACK;
	assert_false(seed_fits(&packet));
	packet = lone_syn(1);
	packet.payload_wire_len = 1;
	assert_false(seed_fits(&packet));
	packet = lone_syn(1);
	packet.truncated = true;
	assert_false(seed_fits(&packet));
	packet = lone_syn(1);
	packet.fragment = true;
	assert_false(seed_fits(&packet));
	packet = lone_syn(1);
	packet.transport = TRANSPORT_UDP;
	assert_false(seed_fits(&packet));
}

/* Found, it lives in its own slot from there on, and what was changed of it stays. */
static void it_grows_where_it_is_found(void **state)
{
	struct flowtab_limits limits = FLOWTAB_DEFAULTS;
	struct flowtab *tab;
	struct packet packet;
	struct flow_key key;
	struct flow *flow;

	limits.flows = limits.young = 3;
	tab = flowtab_new(&limits);
	for (uint64_t i = 1; i <= 3; i++) {
		packet = lone_syn(i);
		key = key_of(&packet);
		assert_null(flowtab_find(tab, &key));
		assert_true(flowtab_sow(tab, &key, flow_key_of(&packet, NULL, &key), &packet, 1));
	}
	assert_true(flowtab_is_full(tab));
	packet = lone_syn(4);
	key = key_of(&packet);
	assert_false(flowtab_sow(tab, &key, 0, &packet, 1));
	packet = lone_syn(2);
	key = key_of(&packet);
	flow = flowtab_find(tab, &key);
	assert_non_null(flow);
	assert_int_equal(flow->facts.id, 2);
	flow->facts.duplicates = 7;
	assert_ptr_equal(flowtab_find(tab, &key), flow);
	assert_int_equal(flowtab_find(tab, &key)->facts.duplicates, 7);
	assert_int_equal(flowtab_at(tab, flowtab_least_missed(tab))->facts.id, 1);
	flowtab_end(tab, flowtab_at(tab, flowtab_least_missed(tab)), 1);
	assert_int_equal(flowtab_oldest_over(tab)->facts.id, 1);
	assert_int_equal(flowtab_at(tab, flowtab_least_missed(tab))->facts.id, 2);
	flowtab_remove(tab, flowtab_at(tab, flowtab_least_missed(tab)));
	assert_null(flowtab_find(tab, &key));
	assert_int_equal(flowtab_oldest_over(tab)->facts.id, 1);
	assert_int_equal(flowtab_count(tab), 1);
	flowtab_free(tab);
}

/* The order of their numbers, however slots were used again. */
static void they_are_sorted_however_they_lie(void **state)
{
	for (unsigned rounds = 0; rounds < 12; rounds++) {
		struct flowtab_limits limits = FLOWTAB_DEFAULTS;
		CLEANUP(freep) uint32_t *numbers = NULL;
		struct flowtab *tab;
		size_t count;

		limits.flows = limits.young = 5;
		tab = flowtab_new(&limits);
		for (uint64_t i = 1; i <= 5 + rounds; i++) {
			struct packet packet = lone_syn(i);
			struct flow_key key = key_of(&packet);

			/* The oldest goes; in some rounds another one as well, so that they lie in no order. */
			if (flowtab_is_full(tab))
				flowtab_remove(tab, flowtab_at(tab, flowtab_least_missed(tab)));
			if (i % 4 == 3 && rounds % 2)
				flowtab_remove(tab, flowtab_at(tab, flowtab_least_missed(tab)));
			assert_true(flowtab_sow(tab, &key, flow_key_of(&packet, NULL, &key), &packet, 0));
		}
		numbers = flowtab_sorted(tab, &count);
		assert_int_equal(count, flowtab_count(tab));
		for (size_t i = 0, last = 0; i < count; i++) {
			size_t id = flowtab_at(tab, numbers[i])->facts.id;

			assert_true(id > last);
			last = id;
		}
		flowtab_free(tab);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_sown_tells_what_whole_flows_tell),
		cmocka_unit_test(also_where_the_table_is_full),
		cmocka_unit_test(also_where_nobody_reads),
		cmocka_unit_test(only_a_syn_alone_is_sown),
		cmocka_unit_test(it_grows_where_it_is_found),
		cmocka_unit_test(they_are_sorted_however_they_lie),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
