/*
 * test_flood.c - more flows than there are slots, and more to tell than anybody reads: who keeps a place, and
 * what goes first (design.md 2). A call on hold is one flow before and after.
 */
#include "tests/lib/sensing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define BENCH(flows) CLEANUP(sensing_freep) struct sensing *bench = sensing_new(flows)
#define SLOTS 256
#define CALL "10.1.0.7:50004 > 52.112.1.9:51004"
#define CONTROL "10.1.0.7:49200 > 52.112.1.8:443"

/* ------------------------------------------------------- who keeps a place */

/* What comes from number `n` of those that flood, to ports of the unit. */
typedef void flood(struct wire *w, unsigned n);

static const char *flooder(unsigned n, unsigned port, char tuple[WIRE_TUPLE])
{
	snprintf(tuple, WIRE_TUPLE, "198.51.%u.%u:4444 > 10.1.0.7:%u", n / 200, 1 + n % 200, port);
	return tuple;
}

static void flood_syn(struct wire *w, unsigned n)
{
	char tuple[WIRE_TUPLE];

	wire_tcp(w, flooder(n, 443, tuple), "S", NULL, 0);
}

static void flood_syn_answered(struct wire *w, unsigned n)
{
	char tuple[WIRE_TUPLE], back[WIRE_TUPLE];

	wire_tcp(w, flooder(n, 443, tuple), "S", NULL, 0);
	wire_tcp(w, wire_back(tuple, back), "SA", NULL, 0);
}

static void flood_syn_refused(struct wire *w, unsigned n)
{
	char tuple[WIRE_TUPLE];

	talk_refused(w, flooder(n, 444, tuple));
}

static void flood_ack(struct wire *w, unsigned n)
{
	char tuple[WIRE_TUPLE];

	wire_tcp(w, flooder(n, 443, tuple), "A", NULL, 0);
}

static void flood_udp(struct wire *w, unsigned n)
{
	char tuple[WIRE_TUPLE];

	wire_udp(w, flooder(n, 5000, tuple), "nobody answers that", 19);
}

static void flood_check(struct wire *w, unsigned n)
{
	struct message check = message_stun_plain(n + 1);
	char tuple[WIRE_TUPLE];

	talk_udp(w, flooder(n, 5004, tuple), &check);
}

static void flood_udp_answered(struct wire *w, unsigned n)
{
	char tuple[WIRE_TUPLE], back[WIRE_TUPLE];

	wire_udp(w, flooder(n, 5000, tuple), "who is there?", 13);
	wire_udp(w, wire_back(tuple, back), "it is me", 8);
}

static void flood_echo(struct wire *w, unsigned n)
{
	char tuple[WIRE_TUPLE];

	snprintf(tuple, sizeof(tuple), "198.51.%u.%u > 10.1.0.7", n / 200, 1 + n % 200);
	wire_echo(w, tuple, false, 1, 1);
}

/* What the last word says of the flow that began with packet `id`: its packets; 0: it was not said. */
static uint64_t packets_of(const struct sensing *bench, uint64_t id)
{
	uint64_t packets = 0;

	for (unsigned i = 0; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_FLOW_END && bench->told[i].id == id) {
			assert_int_equal(packets, 0);
			packets = bench->told[i].packets;
		}
	return packets;
}

static void must_outlast(flood *more)
{
	const struct media media = {PT_SILK, 60, 0x5ca1ab1e, false, false};
	unsigned own, call, control;
	struct wire *w;
	BENCH(SLOTS);

	bench->file = true;
	w = bench->wire;
	talk_open(w, CONTROL);
	control = (unsigned)wire_count(w);
	talk_ice(w, CALL);
	talk_rtp(w, CALL, &media);
	call = (unsigned)wire_count(w) - control;
	own = 2;
	show_from(bench, 0);
	for (unsigned n = 0; n < 4 * SLOTS; n++) { /* for 20 s, and the call says nothing */
		size_t from = wire_count(w);

		wire_wait(w, 20.0 / (4 * SLOTS));
		more(w, n);
		show_from(bench, from);
	}
	assert_int_equal(bench->counters.flows, own + 4 * SLOTS);
	assert_int_equal(bench->counters.evicted, own + 4 * SLOTS - SLOTS);
	for (unsigned again = 0; again < 2; again++) {
		size_t from = wire_count(w);

		if (again)
			talk_close(w, CONTROL);
		else
			talk_rtp(w, CALL, &media);
		show_from(bench, from);
		*(again ? &control : &call) += (unsigned)(wire_count(w) - from);
	}
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	must_have_ended(bench, own + 4 * SLOTS);
	assert_int_equal(packets_of(bench, 1), control);
	assert_int_equal(packets_of(bench, 4), call);
}

static void a_call_on_hold_outlasts_a_flood_of_four_times_the_table(void **state)
{
	static flood *const FLOODS[] = {
		flood_syn, flood_syn_answered, flood_udp,  flood_check,
		flood_ack, flood_udp_answered, flood_echo,
	};

	for (size_t i = 0; i < ARRAY_LEN(FLOODS); i++)
		must_outlast(FLOODS[i]);
}

/* What closes is over after 5 s: the table is not always full. */
static void a_call_on_hold_outlasts_refusals(void **state)
{
	const struct media media = {PT_SILK, 60, 0x5ca1ab1e, false, false};
	unsigned call;
	struct wire *w;
	BENCH(SLOTS);

	bench->file = true;
	w = bench->wire;
	talk_rtp(w, CALL, &media);
	call = (unsigned)wire_count(w);
	for (unsigned n = 0; n < 4 * SLOTS; n++)
		flood_syn_refused(w, n);
	show_from(bench, 0);
	assert_true(bench->counters.evicted >= 2 * SLOTS);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	must_have_ended(bench, 1 + 4 * SLOTS);
	assert_int_equal(packets_of(bench, 1), call);
}

/* A table full of flows that were answered leaves a new one its time. */
static void a_request_among_answered_flows_waits_for_its_answer(void **state)
{
	struct wire *w;
	size_t from;
	char tuple[WIRE_TUPLE], back[WIRE_TUPLE];
	BENCH(SLOTS);

	bench->file = true;
	w = bench->wire;
	for (unsigned n = 0; n < 2 * SLOTS; n++)
		flood_udp_answered(w, n);
	show_from(bench, 0);
	from = wire_count(w);
	flooder(5 * SLOTS, 5000, tuple);
	wire_udp(w, tuple, "and me?", 7);
	for (unsigned n = 2 * SLOTS; n < 2 * SLOTS + SLOTS / 9; n++)
		flood_udp(w, n);
	wire_udp(w, wire_back(tuple, back), "you too", 7);
	show_from(bench, from);
	assert_int_equal(bench->counters.flows, 2 * SLOTS + 1 + SLOTS / 9);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	must_have_ended(bench, 2 * SLOTS + 1 + SLOTS / 9);
	assert_int_equal(packets_of(bench, 4 * SLOTS + 1), 2);
}

/* ------------------------------------------------------------ what goes first */

/* When each was shed first, in steps of the storm; 0: never. */
struct shed {
	unsigned inspect, evidence, names, flows;
};

static void note(unsigned *first, uint64_t count, unsigned step)
{
	if (count && !*first)
		*first = step;
}

/*
 * Nobody reads. A step is a flow that nDPI would be asked of, a name, and a flow that ends; the rings are as large as each
 * other, as little as an eighth of their sizes in a run.
 */
static struct shed storm(struct sensing *bench, unsigned steps)
{
	const struct counters *c = &bench->counters;
	struct shed shed = {0};

	for (unsigned i = 1; i <= steps; i++) {
		for (unsigned n = 0; n < 4; n++)
			datagram(bench, 40000 + i % 20000, 0.0005 * i);
		ask(bench, i, 0.0005 * i);
		syn(bench, i, 0.0005 * i);
		note(&shed.inspect, c->inspect_shed, i);
		note(&shed.evidence, c->evidence_shed, i);
		note(&shed.names, c->told_shed, i);
		note(&shed.flows, c->evicted, i);
	}
	return shed;
}

static void under_load_packets_for_nDPI_go_first_then_evidence_then_names_and_no_flow(void **state)
{
	struct shed shed;
	BENCH(32768);

	bench->options.keep = KEEP_HEADERS;
	sensing_again(bench, false, START_US);
	forget_told(bench);
	fill_packets(bench); /* whoever asks nDPI is the slowest of all */
	shed = storm(bench, OUTBOX_NAMES_MAX + 400);
	assert_int_equal(shed.inspect, 1);
	assert_true(shed.evidence > shed.inspect);
	assert_true(shed.names > shed.evidence);
	assert_true(shed.names > OUTBOX_NAMES_MAX);
	assert_int_equal(shed.flows, 0);
	assert_int_equal(bench->counters.in_flows, bench->counters.seen);
	forget_told(bench);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(bench->counters.flows, 3 * (OUTBOX_NAMES_MAX + 400));
	assert_int_equal(told_of(bench, EVENT_FLOW_END), bench->counters.flows);
	assert_int_equal(bench->counters.evicted, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_call_on_hold_outlasts_a_flood_of_four_times_the_table),
		cmocka_unit_test(a_call_on_hold_outlasts_refusals),
		cmocka_unit_test(a_request_among_answered_flows_waits_for_its_answer),
		cmocka_unit_test(
			under_load_packets_for_nDPI_go_first_then_evidence_then_names_and_no_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
