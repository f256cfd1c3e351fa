/*
 * test_sensor.c - packets in, facts out: who opened a flow, what became of it, when it ends, what
 * is counted. Packets come from tests/lib/wire.h; the events are read off the rings.
 */
#include "monitor/sensor.h"
#include "schema/event_brief.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define FLOWS_MAX 64
#define LATE_US 200000 /* how far the clock of a silent link runs behind */

/* A sensor, and the last that was told of each flow. */
struct bench {
	struct wire *wire;
	struct ring *facts, *packets;
	struct sensor *sensor;
	struct {
		struct flow_facts facts;
		char name[NAME_MAX_LEN + 1];
		unsigned settled, updates, ends;
	} flow[FLOWS_MAX];
	unsigned count, names, leases, handed, forgotten;
	struct event_lease lease;
	struct event_name learnt;
	struct counters counters; /* as the last health event had them */
	struct counters sums;     /* the sensor's own */
};

static void take(struct bench *bench, const struct event *event)
{
	assert_int_equal(event_check(event, event->len), 0);
	if (event->type == EVENT_NAME) {
		bench->names++;
		bench->learnt = *(const struct event_name *)event;
	} else if (event->type == EVENT_LEASE) {
		bench->leases++;
		bench->lease = *(const struct event_lease *)event;
	} else if (event->type == EVENT_HEALTH) {
		bench->counters = ((const struct event_health *)event)->counters;
	} else if (event->type <= EVENT_FLOW_END) {
		const struct event_flow *flow = (const struct event_flow *)event;
		unsigned i = 0;

		while (i < bench->count && bench->flow[i].facts.id != flow->facts.id)
			i++;
		assert_true(i < FLOWS_MAX);
		if (i == bench->count)
			bench->count++;
		assert_int_equal(bench->flow[i].ends, 0); /* nothing follows the end */
		bench->flow[i].facts = flow->facts;
		memcpy(bench->flow[i].name, flow->name, flow->name_len);
		bench->flow[i].name[flow->name_len] = '\0';
		bench->flow[i].settled += event->type == EVENT_FLOW_SETTLED;
		bench->flow[i].updates += event->type == EVENT_FLOW_UPDATE;
		bench->flow[i].ends += event->type == EVENT_FLOW_END;
	}
}

static bool drain_must(void *context, bool must)
{
	struct bench *bench = context;
	const struct event *event;

	while ((event = ring_peek(bench->packets))) {
		bench->handed += event->type == EVENT_PACKET;
		bench->forgotten += event->type == EVENT_FORGET;
		ring_take(bench->packets);
		ring_release(bench->packets);
	}
	while ((event = ring_peek(bench->facts))) {
		struct event_flow whole;

		assert_int_equal(event_check(event, event->len), 0);
		take(bench, event_whole(event, &whole));
		ring_take(bench->facts);
		ring_release(bench->facts);
	}
	return true;
}

static void drain(struct bench *bench)
{
	drain_must(bench, false);
}

static struct bench *bench_new(uint32_t flows)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct sensor_options options = {
		.limits = FLOWTAB_DEFAULTS, .names = 64, .outbox = {.full = drain_must, .context = bench}};


	assert_non_null(bench);
	options.counters = &bench->sums;
	if (flows)
		options.limits.flows = flows;
	bench->wire = wire_new();
	bench->facts = options.outbox.facts = ring_new(1 << 20);
	bench->packets = options.outbox.packets = ring_new(1 << 20);
	bench->sensor = sensor_new(&options);
	assert_non_null(bench->sensor);
	return bench;
}

static void bench_run(struct bench *bench, bool end)
{
	for (size_t i = 0; i < wire_count(bench->wire); i++) {
		struct wire_frame packet = wire_packet(bench->wire, i);
		struct frame frame = {packet.time_us, packet.caplen, packet.len, packet.data, LINK_ETHERNET, 0};

		sensor_frame(bench->sensor, &frame);
		drain(bench);
	}
	if (end)
		sensor_end(bench->sensor, true);
	drain(bench);
	/* design.md 9.3: no packet is uncounted */
	if (end) {
		const struct counters *c = &bench->counters;

		assert_int_equal(c->seen, wire_count(bench->wire));
		assert_int_equal(c->seen, c->out_of_scope + c->in_flows + c->malformed + c->fragments_lost +
		                                  c->duplicates);
		for (unsigned i = 0; i < bench->count; i++)
			assert_int_equal(bench->flow[i].ends, 1);
	}
}

static void bench_freep(struct bench **bench)
{
	sensor_free((*bench)->sensor);
	ring_free((*bench)->facts);
	ring_free((*bench)->packets);
	wire_free((*bench)->wire);
	free(*bench);
}
#define BENCH CLEANUP(bench_freep) struct bench *bench = bench_new(0); struct wire *w = bench->wire

#define C2S "10.1.0.7:49152 > 10.2.0.9:443"
#define S2C "10.2.0.9:443 > 10.1.0.7:49152"

static void both_directions_are_one_flow_opened_by_the_syn(void **state)
{
	BENCH;
	wire_tcp(w, C2S, "S", NULL, 0);
	wire_tcp(w, S2C, "SA", NULL, 0);
	wire_tcp(w, C2S, "A", NULL, 0);
	bench_run(bench, true);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->flow[0].facts.initiator, 0);
	assert_int_equal(bench->flow[0].facts.initiator_by, INITIATOR_SYN);
	assert_int_equal(bench->flow[0].facts.packets[0], 2);
	assert_int_equal(bench->flow[0].facts.packets[1], 1);
	assert_int_equal(bench->flow[0].facts.outcome, OUTCOME_ANSWERED);
	assert_int_equal(bench->flow[0].facts.bytes[0], 44 + 40); /* the SYN has an MSS */
	assert_false(bench->flow[0].facts.midstream);
}

static void a_syn_ack_alone_tells_the_opener_and_is_one_sided(void **state)
{
	BENCH;
	wire_tcp(w, S2C, "SA", NULL, 0);
	bench_run(bench, true);
	assert_int_equal(bench->flow[0].facts.initiator, 1);
	assert_int_equal(bench->flow[0].facts.initiator_by, INITIATOR_SYN);
	assert_int_equal(bench->flow[0].facts.outcome, OUTCOME_ONE_SIDED);
}

static void an_answer_without_its_question_is_one_sided(void **state)
{
	struct wire_frame answer;
	struct frame frame;
	BENCH;

	talk_dns(w, "10.1.0.7:50000 > 10.0.0.53:53",
	         &(struct dns_case){.name = "fe01.corp.example", .type = 1, .value = "10.9.0.1"});
	answer = wire_packet(w, 1);
	frame = (struct frame){answer.time_us, answer.caplen, answer.len, answer.data, LINK_ETHERNET, 0};
	sensor_frame(bench->sensor, &frame);
	sensor_end(bench->sensor, true);
	drain(bench);
	assert_int_equal(bench->flow[0].facts.initiator, 1);
	assert_int_equal(bench->flow[0].facts.outcome, OUTCOME_ONE_SIDED);
}

/* What the client says of it alone: the relay's answers go by elsewhere. */
static void whoever_sends_through_a_relay_was_answered(void **state)
{
	BENCH;

	talk_msturn(w, "10.1.0.7:50007 > 198.51.100.12:3478", "192.0.2.44:50044",
	            &(struct media){.payload_type = PT_SILK, .packets = 20, .ssrc = 7});
	for (size_t i = 0; i < wire_count(w); i++) {
		struct wire_frame sent = wire_packet(w, i);
		struct frame frame = {sent.time_us, sent.caplen, sent.len, sent.data, LINK_ETHERNET, 0};

		/* Ethernet, then IPv4: who sent it is at 26 */
		if (sent.data[29] == 7)
			sensor_frame(bench->sensor, &frame);
	}
	sensor_end(bench->sensor, true);
	drain(bench);
	assert_int_equal(bench->flow[0].facts.packets[1], 0);
	assert_true(bench->flow[0].facts.asked & ASKED_TURN_ALLOCATE);
	assert_int_equal(bench->flow[0].facts.outcome, OUTCOME_ONE_SIDED);
}

static void retries_of_a_syn_are_one_flow_unanswered(void **state)
{
	BENCH;
	talk_silence(w, C2S);
	bench_run(bench, true);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->flow[0].facts.outcome, OUTCOME_UNANSWERED);
	assert_int_equal(bench->flow[0].facts.asked, ASKED_SYN);
	assert_int_equal(bench->flow[0].facts.tries, wire_count(w));
	assert_true(bench->flow[0].facts.last_try_us - bench->flow[0].facts.first_try_us >= 3000000);
}

static void silence_after_asking_a_group_is_not_known_to_be_one(void **state)
{
	BENCH;
	wire_udp(w, "10.1.0.7:5353 > 224.0.0.251:5353", "\0\0\0\0\0\0\0\0\0\0\0\0", 12);
	wire_udp(w, "10.1.0.7:5354 > 10.2.0.9:5354", "hello", 5);
	bench_run(bench, true);
	assert_int_equal(bench->flow[0].facts.outcome, OUTCOME_UNKNOWN);
	assert_int_equal(bench->flow[1].facts.outcome, OUTCOME_UNANSWERED);
}

static void a_rst_to_a_syn_is_refused(void **state)
{
	BENCH;
	talk_refused(w, C2S);
	bench_run(bench, true);
	assert_int_equal(bench->flow[0].facts.outcome, OUTCOME_REFUSED);
	assert_int_equal(bench->flow[0].facts.closed, 1);
}

static void an_icmp_error_belongs_to_the_flow_it_quotes(void **state)
{
	static const struct {
		uint8_t type, code;
		enum outcome outcome;
	} cases[] = {
		{3, 13, OUTCOME_PROHIBITED}, {3, 9, OUTCOME_PROHIBITED}, {3, 10, OUTCOME_PROHIBITED},
		{3, 3, OUTCOME_REFUSED},     {3, 1, OUTCOME_UNANSWERED}, {11, 0, OUTCOME_UNANSWERED},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		BENCH;
		char sender[ADDR_TEXT];

		wire_tcp(w, C2S, "S", NULL, 0);
		wire_icmp_error(w, "10.1.0.1 > 10.1.0.7", cases[i].type, cases[i].code);
		bench_run(bench, true);
		assert_int_equal(bench->count, 1);
		assert_int_equal(bench->flow[0].facts.outcome, cases[i].outcome);
		assert_int_equal(bench->flow[0].facts.icmp_code, cases[i].code);
		assert_string_equal(addr_print(&bench->flow[0].facts.icmp_sender, sender), "10.1.0.1");
		assert_int_equal(bench->flow[0].facts.packets[1], 0);
	}
}

static void an_icmp_error_about_nothing_we_know_is_counted(void **state)
{
	BENCH;
	wire_tcp(w, C2S, "S", NULL, 0);
	wire_icmp_error(w, "10.1.0.1 > 10.1.0.7", 3, 13);
	/* only the error is shown */
	struct wire_frame packet = wire_packet(w, 1);
	struct frame frame = {packet.time_us, packet.caplen, packet.len, packet.data, LINK_ETHERNET, 0};

	sensor_frame(bench->sensor, &frame);
	sensor_end(bench->sensor, true);
	drain(bench);
	assert_int_equal(bench->count, 0);
	assert_int_equal(bench->counters.errors_lost, 1);
	assert_int_equal(bench->counters.out_of_scope, 1);
}

static void a_flow_without_its_syn_is_midstream(void **state)
{
	BENCH;
	wire_tcp(w, S2C, "A", NULL, 0);
	wire_tcp(w, C2S, "A", NULL, 0);
	bench_run(bench, true);
	assert_true(bench->flow[0].facts.midstream);
	/* the port tells who is the server */
	assert_int_equal(bench->flow[0].facts.initiator, 1);
	assert_int_equal(bench->flow[0].facts.initiator_by, INITIATOR_PORT);
}

static void a_new_connection_on_old_ports_is_a_new_flow(void **state)
{
	BENCH;
	struct wire_frame first;
	uint8_t frame[128];

	talk_open(w, C2S);
	talk_close(w, C2S);
	wire_wait(w, 1);
	/* the first SYN once more, with another sequence number */
	first = wire_packet(w, 0);
	assert_true(first.caplen <= sizeof(frame));
	memcpy(frame, first.data, first.caplen);
	frame[14 + 20 + 4] ^= 0x55;
	wire_frame(w, frame, first.caplen);
	bench_run(bench, true);
	assert_int_equal(bench->count, 2);
	assert_true(bench->flow[0].facts.closed);
	assert_false(bench->flow[1].facts.closed);
}

static void a_udp_flow_ends_after_a_minute_of_silence(void **state)
{
	BENCH;
	wire_udp(w, "10.1.0.7:50000 > 10.2.0.9:50010", "hello", 5);
	wire_wait(w, 61);
	wire_udp(w, "10.1.0.7:50000 > 10.2.0.9:50010", "again", 5);
	bench_run(bench, true);
	assert_int_equal(bench->count, 2);
	assert_int_equal(bench->flow[0].facts.packets[0], 1);
	assert_int_equal(bench->flow[1].facts.id, 2);
}

static void a_silent_link_lets_time_pass(void **state)
{
	BENCH;
	wire_udp(w, "10.1.0.7:50000 > 10.2.0.9:50010", "hello", 5);
	bench_run(bench, false);
	assert_int_equal(bench->count, 0);
	sensor_idle(bench->sensor, sensor_now(bench->sensor) + LATE_US + 10 * 1000000, 0);
	drain(bench);
	assert_int_equal(bench->flow[0].settled, 1); /* 10 s after the first payload */
	assert_int_equal(bench->flow[0].facts.settled_by, SETTLED_AGE);
	sensor_idle(bench->sensor, sensor_now(bench->sensor) + LATE_US + 50 * 1000000, 50 * 1000000);
	drain(bench);
	assert_int_equal(bench->flow[0].ends, 1);
}

static void a_long_flow_is_told_of_every_minute(void **state)
{
	BENCH;
	for (unsigned i = 0; i < 200; i++) {
		wire_tcp(w, C2S, i ? "A" : "S", NULL, 0);
		wire_tcp(w, S2C, i ? "A" : "SA", NULL, 0);
		if (i == 1)
			talk_tls(w, C2S, &(struct tls){.sni = "config.maestro.starleaf.com", .stays_open = true});
		wire_wait(w, 1);
	}
	bench_run(bench, true);
	assert_int_equal(bench->count, 1);
	assert_int_equal(bench->flow[0].settled, 1);
	assert_in_range(bench->flow[0].updates, 2, 4);
	assert_string_equal(bench->flow[0].name, "config.maestro.starleaf.com");
	assert_int_equal(bench->flow[0].facts.app, APP_TLS);
	assert_int_equal(bench->flow[0].facts.evidence, EVIDENCE_DISSECTOR);
}

static void copies_of_a_span_are_dropped_and_counted(void **state)
{
	BENCH;
	wire_udp(w, "10.1.0.7:50000 > 10.2.0.9:50010", "hello", 5);
	wire_again(w);
	wire_udp(w, "10.2.0.9:50010 > 10.1.0.7:50000", "there", 5);
	wire_again(w);
	bench_run(bench, true);
	assert_int_equal(bench->counters.duplicates, 2);
	assert_int_equal(bench->flow[0].facts.duplicates, 2);
	assert_int_equal(bench->flow[0].facts.packets[0] + bench->flow[0].facts.packets[1], 2);
}

static void a_copy_comes_at_once_and_a_repetition_later(void **state)
{
	static const struct {
		double later;
		unsigned copies;
	} cases[] = {{0.01, 1}, {0.049, 1}, {0.06, 0}, {1, 0}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		BENCH;

		wire_udp(w, "10.1.0.7:50000 > 10.2.0.9:50010", "hello", 5);
		wire_wait(w, cases[i].later);
		wire_again(w);
		bench_run(bench, true);
		assert_int_equal(bench->counters.duplicates, cases[i].copies);
	}
}

static void the_first_icmp_error_of_a_flow_decides(void **state)
{
	struct wire_frame first;
	uint8_t frame[256];
	BENCH;

	wire_tcp(w, C2S, "S", NULL, 0);
	wire_icmp_error(w, "10.1.0.1 > 10.1.0.7", 3, 13);
	/* the same error once more, said to be 3/3 (its checksum is nobody's concern) */
	first = wire_packet(w, 1);
	assert_true(first.caplen <= sizeof(frame));
	memcpy(frame, first.data, first.caplen);
	frame[14 + 20 + 1] = 3;
	wire_frame(w, frame, first.caplen);
	bench_run(bench, true);
	assert_int_equal(bench->flow[0].facts.outcome, OUTCOME_PROHIBITED);
	assert_int_equal(bench->flow[0].facts.icmp_code, 13);
}

static void fragments_belong_to_the_flow_of_the_first(void **state)
{
	BENCH;
	char data[3000];

	memset(data, 'x', sizeof(data));
	wire_mtu(w, 1500);
	wire_udp(w, "10.1.0.7:50000 > 10.2.0.9:50010", data, sizeof(data));
	wire_mtu(w, 0);
	bench_run(bench, true);
	assert_int_equal(bench->count, 1);
	assert_true(bench->flow[0].facts.fragments >= 2);
	assert_int_equal(bench->flow[0].facts.packets[0], bench->flow[0].facts.fragments);
	assert_int_equal(bench->counters.fragments_lost, 0);
}

static void a_full_table_ends_the_longest_idle_flow_and_counts_it(void **state)
{
	CLEANUP(bench_freep) struct bench *bench = bench_new(4);
	struct wire *w = bench->wire;

	for (unsigned i = 0; i < 8; i++) {
		char tuple[WIRE_TUPLE];

		snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > 10.2.0.9:443", 50000 + i);
		wire_tcp(w, tuple, "S", NULL, 0);
		wire_wait(w, 0.01);
	}
	bench_run(bench, true);
	assert_int_equal(bench->count, 8);
	assert_int_equal(bench->counters.evicted, 4);
}

static void the_inspector_gets_first_packets_until_a_dissector_is_certain(void **state)
{
	BENCH;
	for (unsigned i = 0; i < 20; i++) {
		char text[32];

		snprintf(text, sizeof(text), "not a known thing %u", i);
		wire_udp(w, "10.1.0.7:50000 > 10.2.0.9:51000", text, strlen(text));
	}
	bench_run(bench, true);
	assert_int_equal(bench->handed, INSPECT_UDP);
	assert_int_equal(bench->forgotten, 1);
	assert_int_equal(bench->flow[0].facts.settled_by, SETTLED_BUDGET);
	assert_int_equal(bench->flow[0].facts.app, APP_NONE);

}

static void the_inspector_is_spared_what_a_dissector_knows(void **state)
{
	BENCH;
	talk_tls(w, C2S, &(struct tls){.sni = "sts.corp.example"});
	bench_run(bench, true);
	assert_int_equal(bench->handed, 0);
	assert_int_equal(bench->flow[0].facts.app, APP_TLS);
}

static void names_and_leases_are_told(void **state)
{
	BENCH;
	talk_dns(w, "10.1.0.7:50000 > 10.0.0.53:53",
	         &(struct dns_case){.name = "fe01.corp.example", .type = 1, .value = "10.9.0.1"});
	talk_dhcp(w, &(struct dhcp_case){.mac = "00:26:8c:01:02:03", .address = "10.1.0.7", .server = "10.1.0.1",
	                             .mask = "255.255.255.0", .router = "10.1.0.1", .dns = "10.0.0.53", .xid = 7});
	bench_run(bench, true);
	assert_int_equal(bench->names, 1);
	assert_int_equal(bench->leases, 1);
	assert_int_equal(bench->lease.mask_bits, 24);
	assert_int_equal(bench->lease.dns_count, 1);
	for (unsigned i = 0; i < bench->count; i++)
		if (bench->flow[i].facts.app == APP_DHCP)
			assert_int_equal(bench->flow[i].facts.chaddr.b[5], 3);
}

static void files_that_do_not_follow_one_another_share_no_flow(void **state)
{
	static const struct {
		int64_t gap_us;
		unsigned flows;
	} cases[] = {{30 * 1000000, 1}, {90 * 1000000, 2}, {-3600 * INT64_C(1000000), 2}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		BENCH;
		struct captured_input input = {.name = "a.pcap", .packets = 1};
		struct wire_frame packet;
		struct frame frame;

		wire_tcp(w, C2S, "A", NULL, 0);
		wire_tcp(w, C2S, "PA", "x", 1);
		packet = wire_packet(w, 0);
		frame = (struct frame){packet.time_us, packet.caplen, packet.len, packet.data, LINK_ETHERNET, 0};
		sensor_frame(bench->sensor, &frame);
		sensor_input_end(bench->sensor, 0, &input, packet.time_us + cases[i].gap_us);
		packet = wire_packet(w, 1);
		frame = (struct frame){packet.time_us + cases[i].gap_us, packet.caplen, packet.len, packet.data,
		                       LINK_ETHERNET, 1};
		sensor_frame(bench->sensor, &frame);
		sensor_end(bench->sensor, true);
		drain(bench);
		assert_int_equal(bench->count, cases[i].flows);
		assert_int_equal(bench->flow[bench->count - 1].facts.last_us, frame.time_us);
	}
}

static void frame_at(struct bench *bench, size_t index, double at_s)
{
	struct wire_frame packet = wire_packet(bench->wire, index);
	struct frame frame = {WIRE_EPOCH * 1000000 + (int64_t)(at_s * 1e6), packet.caplen, packet.len,
	                      packet.data, LINK_ETHERNET, 0};

	sensor_frame(bench->sensor, &frame);
}

static void files_that_do_not_follow_one_another_share_no_datagram(void **state)
{
	struct captured_input input = {.name = "a.pcap", .packets = 1};
	static const uint8_t text[2000] = {0};
	BENCH;

	wire_mtu(w, 1500);
	wire_udp(w, "10.1.0.7:50007 > 10.1.0.9:50044", text, sizeof(text));
	assert_int_equal(wire_count(w), 2);
	frame_at(bench, 0, 10);
	sensor_input_end(bench->sensor, 0, &input, (int64_t)((WIRE_EPOCH + 5) * 1e6));
	frame_at(bench, 1, 5); /* before the first part, ... */
	frame_at(bench, 1, 11); /* ... and behind it, were it the same time */
	assert_int_equal(bench->sums.fragments_lost, 2);
}

/* A flow without SYN is one of the warm-up, or not, by what happened before it. */
static void the_warm_up_begins_anew_where_we_may_have_missed_a_syn(void **state)
{
	static const struct {
		double at_s;     /* after the first packet of all */
		bool drop, file; /* the kernel dropped one a second before; another file begins then */
		bool warmup;
	} cases[] = {
		{0, false, false, true},   {59.9, false, false, true}, {60, false, false, false},
		{100, true, false, true},  {200, false, true, true},   {30, false, true, true},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct captured_input input = {.name = "a.pcap", .packets = 1};
		double at_s = cases[i].at_s;
		BENCH;

		wire_arp(w, "10.1.0.7 > 10.1.0.1");
		wire_tcp(w, C2S, "A", NULL, 0);
		frame_at(bench, 0, 0);
		bench->sums.kernel_dropped += cases[i].drop;
		if (cases[i].file)
			sensor_input_end(bench->sensor, 0, &input, (int64_t)((WIRE_EPOCH + at_s) * 1e6));
		else
			frame_at(bench, 0, at_s > 1 ? at_s - 1 : 0);
		frame_at(bench, 1, at_s);
		sensor_end(bench->sensor, true);
		drain(bench);
		assert_true(bench->flow[bench->count - 1].facts.midstream);
		assert_int_equal(bench->flow[bench->count - 1].facts.warmup, cases[i].warmup);
	}
}

static void a_packet_cut_before_its_ports_is_truncated_and_not_malformed(void **state)
{
	BENCH;
	wire_snap(w, 14 + 20 + 2);
	wire_udp(w, "10.1.0.7:50000 > 10.2.0.9:50010", "hello", 5);
	bench_run(bench, true);
	assert_int_equal(bench->counters.truncated, 1);
	assert_int_equal(bench->counters.malformed, 0);
	assert_int_equal(bench->counters.out_of_scope, 1);
}

static void upkeep_and_nonsense_are_counted(void **state)
{
	BENCH;
	wire_arp(w, "10.1.0.7 > 10.1.0.1");
	wire_frame(w, "\1\2\3\4\5\6\1\2\3\4\5\6\x88\xcc lldp", 20);
	wire_frame(w, "\1\2\3\4\5\6\1\2\3\4\5\6\x08\x00\x4f\xff\xff\xff", 18);
	bench_run(bench, true);
	assert_int_equal(bench->counters.arp, 1);
	assert_int_equal(bench->counters.out_of_scope, 2);
	assert_int_equal(bench->counters.malformed, 1);
}

/* ------------------------------------------------------------- TCP streams */

/* The message in segments of which each two change places. */
static void send_mixed(struct wire *w, const char *tuple, const struct message *m, size_t step)
{
	double now = wire_now(w);

	for (size_t at = 0, i = 0; at < m->len; at += step, i++) {
		wire_at(w, now + 0.001 * (double)(i ^ 1));
		wire_tcp(w, tuple, "PA", m->b + at, m->len - at < step ? m->len - at : step);
	}
	wire_at(w, now + 1);
	wire_sort(w);
}

static void a_hello_in_many_segments_and_no_order_is_read_to_its_end(void **state)
{
	struct message m = message_client_hello("sip.corp.example", 0x0303);
	BENCH;

	talk_open(w, C2S);
	wire_wait(w, 1);
	send_mixed(w, C2S, &m, 5); /* far more than INSPECT_TCP packets */
	bench_run(bench, true);
	assert_int_equal(bench->flow[0].facts.app, APP_TLS);
	assert_string_equal(bench->flow[0].name, "sip.corp.example");
	assert_true(bench->flow[0].facts.payload_packets > INSPECT_TCP * 2);
	assert_int_equal(bench->counters.streams_shed, 0);
}

static void what_waits_for_a_lost_segment_is_shown_when_the_flow_settles(void **state)
{
	struct message m = message_client_hello("sip.corp.example", 0x0303);

	for (unsigned age = 0; age < 2; age++) {
		BENCH;
		talk_open(w, C2S);
		wire_lose(w, C2S, 10);
		wire_tcp(w, C2S, "PA", m.b, m.len);
		if (age) { /* any packet of another flow lets time pass */
			wire_wait(w, 11);
			wire_udp(w, "10.1.0.7:50000 > 10.2.0.9:50001", "x", 1);
		}
		bench_run(bench, !age);
		assert_int_equal(bench->flow[0].facts.app, APP_TLS);
		assert_string_equal(bench->flow[0].name, "sip.corp.example");
		assert_int_equal(bench->flow[0].facts.settled_by, age ? SETTLED_AGE : SETTLED_END);
		assert_int_equal(bench->sums.streams_shed, 10);
		sensor_end(bench->sensor, true);
	}
}

/* What comes behind a RST or FIN that is not believed is of the same flow, however late. */
static void a_flow_is_closed_only_by_who_knows_its_numbers(void **state)
{
	static const struct {
		const char *flags;
		uint32_t off;
		bool back, closed;
	} cases[] = {
		{"R", 0, false, true},       {"R", 0, true, true},          {"R", 60000, false, true},
		{"R", 900000, false, false}, {"R", 900000, true, false},    {"RA", 0x80000000, true, false},
		{"R", 66000, true, false},   {"R", -66000u, true, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *tuple = cases[i].back ? "10.2.0.9:443 > 10.1.0.7:49152" : "10.1.0.7:49152 > 10.2.0.9:443";
		BENCH;

		talk_open(w, "10.1.0.7:49152 > 10.2.0.9:443");
		wire_tcp(w, "10.1.0.7:49152 > 10.2.0.9:443", "PA", "hello", 5);
		wire_tcp(w, "10.2.0.9:443 > 10.1.0.7:49152", "PA", "hi", 2);
		wire_lose(w, tuple, cases[i].off);
		wire_tcp(w, tuple, cases[i].flags, NULL, 0);
		wire_lose(w, tuple, -cases[i].off);
		wire_wait(w, 6);
		wire_tcp(w, tuple, "PA", "data", 4);
		bench_run(bench, true);
		assert_int_equal(bench->count, cases[i].closed ? 2 : 1);
		assert_int_equal(bench->flow[0].facts.closed, cases[i].closed);
		assert_int_equal(bench->flow[0].facts.outcome, OUTCOME_ANSWERED);
		sensor_end(bench->sensor, true);
	}
}

static void two_fins_out_of_all_order_close_nothing(void **state)
{
	BENCH;

	talk_open(w, C2S);
	for (unsigned i = 0; i < 2; i++) {
		const char *tuple = i ? "10.2.0.9:443 > 10.1.0.7:49152" : "10.1.0.7:49152 > 10.2.0.9:443";

		wire_lose(w, tuple, 900000);
		wire_tcp(w, tuple, "FA", NULL, 0);
		wire_lose(w, tuple, -900001u);
	}
	wire_wait(w, 6);
	wire_tcp(w, C2S, "PA", "data", 4);
	bench_run(bench, true);
	assert_int_equal(bench->count, 1);
	assert_false(bench->flow[0].facts.closed);
}

/* More is lost than TCP's numbers may be apart; the acknowledgements tell where it goes on. */
static void behind_a_long_gap_a_rst_is_known_by_what_was_acknowledged(void **state)
{
	BENCH;

	talk_open(w, C2S);
	wire_lose(w, C2S, 5000000);
	wire_tcp(w, "10.2.0.9:443 > 10.1.0.7:49152", "A", NULL, 0);
	wire_tcp(w, C2S, "R", NULL, 0);
	bench_run(bench, true);
	assert_true(bench->flow[0].facts.closed);
}

static void a_dns_stream_goes_on_for_as_long_as_it_is_open(void **state)
{
	struct message answer = message_dns_answer(1, "sip.corp.example", DNS_A, NULL, "10.0.0.9", 60),
		       framed = message_framed(&answer, 2);
	BENCH;

	talk_open(w, "10.1.0.7:49152 > 10.0.0.53:53");
	for (unsigned i = 0; i < 3; i++) {
		wire_tcp(w, "10.0.0.53:53 > 10.1.0.7:49152", "PA", framed.b, 40);
		wire_wait(w, 15); /* it settles, and half a message waits */
		wire_udp(w, "10.1.0.7:50000 > 10.2.0.9:50001", "x", 1);
		wire_tcp(w, "10.0.0.53:53 > 10.1.0.7:49152", "PA", framed.b + 40, framed.len - 40);
	}
	bench_run(bench, true);
	assert_int_equal(bench->names, 3);
	assert_int_equal(bench->counters.streams_shed, 0);
}

static void a_name_in_what_waited_to_the_end_is_told_with_its_flow(void **state)
{
	struct message answer = message_dns_answer(1, "sip.corp.example", DNS_A, NULL, "10.0.0.9", 60),
		       framed = message_framed(&answer, 2);
	BENCH;

	talk_open(w, "10.1.0.7:49152 > 10.0.0.53:53");
	wire_lose(w, "10.0.0.53:53 > 10.1.0.7:49152", 40);
	wire_tcp(w, "10.0.0.53:53 > 10.1.0.7:49152", "PA", framed.b, framed.len);
	bench_run(bench, true);
	assert_int_equal(bench->flow[0].facts.app, APP_DNS);
	assert_int_equal(bench->names, 1);
	assert_int_equal(bench->counters.streams_shed, 40);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions_are_one_flow_opened_by_the_syn),
		cmocka_unit_test(a_syn_ack_alone_tells_the_opener_and_is_one_sided),
		cmocka_unit_test(an_answer_without_its_question_is_one_sided),
		cmocka_unit_test(whoever_sends_through_a_relay_was_answered),
		cmocka_unit_test(retries_of_a_syn_are_one_flow_unanswered),
		cmocka_unit_test(silence_after_asking_a_group_is_not_known_to_be_one),
		cmocka_unit_test(a_rst_to_a_syn_is_refused),
		cmocka_unit_test(an_icmp_error_belongs_to_the_flow_it_quotes),
		cmocka_unit_test(an_icmp_error_about_nothing_we_know_is_counted),
		cmocka_unit_test(a_flow_without_its_syn_is_midstream),
		cmocka_unit_test(a_new_connection_on_old_ports_is_a_new_flow),
		cmocka_unit_test(a_udp_flow_ends_after_a_minute_of_silence),
		cmocka_unit_test(a_silent_link_lets_time_pass),
		cmocka_unit_test(a_long_flow_is_told_of_every_minute),
		cmocka_unit_test(copies_of_a_span_are_dropped_and_counted),
		cmocka_unit_test(a_copy_comes_at_once_and_a_repetition_later),
		cmocka_unit_test(the_first_icmp_error_of_a_flow_decides),
		cmocka_unit_test(fragments_belong_to_the_flow_of_the_first),
		cmocka_unit_test(a_full_table_ends_the_longest_idle_flow_and_counts_it),
		cmocka_unit_test(the_inspector_gets_first_packets_until_a_dissector_is_certain),
		cmocka_unit_test(the_inspector_is_spared_what_a_dissector_knows),
		cmocka_unit_test(names_and_leases_are_told),
		cmocka_unit_test(files_that_do_not_follow_one_another_share_no_flow),
		cmocka_unit_test(files_that_do_not_follow_one_another_share_no_datagram),
		cmocka_unit_test(the_warm_up_begins_anew_where_we_may_have_missed_a_syn),
		cmocka_unit_test(a_packet_cut_before_its_ports_is_truncated_and_not_malformed),
		cmocka_unit_test(upkeep_and_nonsense_are_counted),
		cmocka_unit_test(a_hello_in_many_segments_and_no_order_is_read_to_its_end),
		cmocka_unit_test(what_waits_for_a_lost_segment_is_shown_when_the_flow_settles),
		cmocka_unit_test(a_flow_is_closed_only_by_who_knows_its_numbers),
		cmocka_unit_test(two_fins_out_of_all_order_close_nothing),
		cmocka_unit_test(behind_a_long_gap_a_rst_is_known_by_what_was_acknowledged),
		cmocka_unit_test(a_dns_stream_goes_on_for_as_long_as_it_is_open),
		cmocka_unit_test(a_name_in_what_waited_to_the_end_is_told_with_its_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
