/*
 * test_capture_mirror.c - what a sensor writes down of the mirror itself: hosts, directions, tags, sizes, clocks; and
 * what the command believes of it afterwards.
 */
#include "monitor/capture/mirror.h"
#include "tests/lib/sensing.h"
#include "tests/lib/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNIT "10.20.0.15"
#define PEER "10.20.0.53"
#define TCP UNIT ":50000 > " PEER ":443"
#define BACK PEER ":443 > " UNIT ":50000"

/* A mirror, and a sensor that fills it. */
#define BENCH \
	CLEANUP(mirror_freep) struct mirror *mirror = mirror_new(); \
	CLEANUP(sensing_freep) struct sensing *bench = bench_of(mirror); \
	CLEANUP(wire_freep) struct wire *w = wire_new()

static struct sensing *bench_of(struct mirror *mirror)
{
	struct sensing *bench = sensing_new(64);

	assert_non_null(mirror);
	bench->options.mirror = mirror;
	sensing_again(bench, false, START_US);
	return bench;
}

/* All of the wire, as input `input`, and the end of the run. */
static void show(struct sensing *bench, const struct wire *w, unsigned input)
{
	for (size_t i = 0; i < wire_count(w); i++) {
		struct wire_frame packet = wire_packet(w, i);
		struct frame frame = {packet.time_us, packet.caplen, packet.len,
		                      packet.data,    LINK_ETHERNET, input};

		sensor_frame(bench->sensor, &frame);
		read_facts(bench, UINT32_MAX);
		read_packets(bench, UINT32_MAX);
	}
}

static void end(struct sensing *bench)
{
	sensor_end(bench->sensor, true);
	must_add_up(bench);
}

static const struct mirror_host *host_of(const struct mirror *mirror, const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return mirror_find(mirror, &addr);
}

static void both_ways_and_one(void **state)
{
	BENCH;

	talk_tcp(w, TCP, &(struct message){.len = 9}, &(struct message){.len = 9});
	/* what the unit sends to another one alone, acknowledging what was never shown */
	for (unsigned i = 0; i < 5; i++)
		wire_tcp(w, UNIT ":50001 > 10.20.0.54:443", "A", NULL, 0);
	/* what a third one sends to it */
	for (unsigned i = 0; i < 5; i++)
		wire_tcp(w, "10.20.0.55:443 > " UNIT ":50002", "A", NULL, 0);
	/* and a single one, which may be the capture's edge */
	wire_tcp(w, UNIT ":50003 > 10.20.0.56:443", "A", NULL, 0);
	show(bench, w, 0);
	end(bench);
	assert_int_equal(mirror->two_way, 1);
	assert_int_equal(mirror->one_sided, 2);
	assert_int_equal(host_of(mirror, UNIT)->two_way, 1);
	assert_int_equal(host_of(mirror, UNIT)->unseen_got, 1);
	assert_int_equal(host_of(mirror, UNIT)->unseen_sent, 1);
	assert_int_equal(host_of(mirror, "10.20.0.54")->unseen_sent, 1);
	assert_int_equal(host_of(mirror, "10.20.0.55")->unseen_got, 1);
	assert_int_equal(host_of(mirror, "10.20.0.54")->got, 5);
	assert_int_equal(host_of(mirror, "10.20.0.54")->sent, 0);
	assert_null(host_of(mirror, "10.20.0.57"));
	assert_true(mirror_is_sound(mirror));
}

static void to_many_is_to_nobody(void **state)
{
	BENCH;

	wire_udp(w, UNIT ":5353 > 224.0.0.251:5353", "x", 1);
	wire_udp(w, UNIT ":138 > 255.255.255.255:138", "x", 1);
	wire_udp(w, "[fe80::15]:5353 > [ff02::fb]:5353", "x", 1);
	wire_arp(w, UNIT " > " PEER);
	show(bench, w, 0);
	end(bench);
	assert_int_equal(mirror->frames, 4);
	assert_int_equal(mirror->to_groups, 3);
	assert_int_equal(mirror->others, 0);
	assert_int_equal(mirror->frames_unicast, 0);
	assert_int_equal(host_of(mirror, UNIT)->to_groups, 2);
	assert_int_equal(host_of(mirror, UNIT)->sent, 0);
	assert_null(host_of(mirror, "224.0.0.251"));
}

static void our_own_traffic_is_no_mirrors(void **state)
{
	BENCH;

	assert_int_equal(addr_parse(PEER, &mirror->own_addr[0]), 0);
	mirror->own_count = 1;
	talk_tcp(w, TCP, &(struct message){.len = 9}, &(struct message){.len = 9});
	show(bench, w, 0);
	end(bench);
	assert_int_equal(mirror->own, mirror->ip);
	assert_int_equal(mirror->others, 0);
	assert_int_equal(mirror->two_way, 0);
	assert_null(host_of(mirror, UNIT));
}

/* The wrapping is sent to us, what is inside is not. */
static void a_mirrors_wrapping_to_us_is_no_traffic_of_ours(void **state)
{
	BENCH;
	CLEANUP(wire_freep) struct wire *inside = wire_new();

	assert_int_equal(addr_parse("10.99.0.2", &mirror->own_addr[0]), 0);
	mirror->own_count = 1;
	wire_udp(inside, UNIT ":50000 > " PEER ":53", "question", 8);
	wrap(w, WRAP_PAIR, WRAP_ERSPAN_2, inside, 0);
	wrap(w, WRAP_PAIR, WRAP_VXLAN, inside, 0);
	show(bench, w, 0);
	end(bench);
	assert_int_equal(mirror->own, 0);
	assert_int_equal(mirror->others, 2);
	assert_int_equal(mirror->tunnel[TUNNEL_ERSPAN], 1);
	assert_int_equal(mirror->tunnel[TUNNEL_VXLAN], 1);
	assert_int_equal(mirror->nested, 0);
	assert_non_null(host_of(mirror, UNIT));
	assert_null(host_of(mirror, "10.99.0.1"));
}

static void copies_are_told_apart_by_what_differs(void **state)
{
	BENCH;
	static const uint16_t vlan = 7;

	wire_udp(w, UNIT ":50000 > " PEER ":53", "question", 8);
	wire_again(w);
	show(bench, w, 0);
	/* the same packet once more, behind a router, and in a VLAN */
	struct wire_frame frame = wire_packet(w, 0);
	uint8_t copy[128], tagged[132];

	memcpy(copy, frame.data, frame.caplen);
	memcpy(tagged, frame.data, 12);
	memcpy(tagged + 12, (uint8_t[]){0x81, 0, 0, vlan}, 4);
	memcpy(tagged + 16, frame.data + 12, frame.caplen - 12);
	copy[6] ^= 2;
	sensor_frame(bench->sensor, &(struct frame){frame.time_us, frame.caplen, frame.len, copy, LINK_ETHERNET, 0});
	sensor_frame(bench->sensor, &(struct frame){frame.time_us, frame.caplen + 4, frame.len + 4, tagged, LINK_ETHERNET, 0});
	end(bench);
	assert_int_equal(mirror->copies_same, 1);
	assert_int_equal(mirror->copies_routed, 1);
	assert_int_equal(mirror->copies_tagged, 1);
	assert_int_equal(host_of(mirror, UNIT)->copies, 3);
	assert_int_equal(mirror->mixed_untagged, 0);
	assert_int_equal(mirror->vlan_count, 1);
	assert_int_equal(mirror->vlan[0].id, vlan);
}

static void tags_are_counted_and_half_a_conversation_with_one(void **state)
{
	BENCH;
	static const uint16_t priority = 0, other = 30;

	wire_udp(w, UNIT ":50000 > " PEER ":53", "question", 8);
	wire_vlan(w, 1, &priority);
	wire_udp(w, PEER ":53 > " UNIT ":50000", "answer", 6);
	wire_vlan(w, 1, &other);
	wire_udp(w, PEER ":53 > " UNIT ":50000", "answer 2", 8);
	for (uint16_t id = 100; id < 100 + 2 * MIRROR_VLANS; id++) {
		wire_vlan(w, 1, &id);
		wire_udp(w, PEER ":54 > " UNIT ":50001", &id, 2);
	}
	show(bench, w, 0);
	end(bench);
	assert_int_equal(mirror->untagged, 1);
	assert_int_equal(mirror->priority, 1);
	assert_int_equal(mirror->tagged, 1 + 2 * MIRROR_VLANS);
	assert_int_equal(mirror->vlan_count, MIRROR_VLANS);
	assert_int_equal(mirror->vlans_more, 1 + MIRROR_VLANS);
	assert_int_equal(mirror->mixed_untagged, 2);
	assert_int_equal(mirror->mixed, 2 * MIRROR_VLANS - 1);
	assert_true(mirror_is_sound(mirror));
}

static void sizes_and_cuts_by_input(void **state)
{
	BENCH;
	static uint8_t data[40000];

	wire_mss(w, 0);
	wire_tcp(w, TCP, "PA", data, 30000);
	wire_udp(w, UNIT ":50000 > " PEER ":53", data, 1472);
	wire_udp(w, UNIT ":50000 > " PEER ":53", data, 1473);
	wire_mtu(w, 4000);
	wire_udp(w, UNIT ":50000 > " PEER ":55", data, 7000); /* in pieces, of which one is long */
	show(bench, w, 0);
	CLEANUP(wire_freep) struct wire *cut = wire_new();

	wire_snap(cut, 200);
	wire_udp(cut, UNIT ":50000 > " PEER ":54", data, 500);
	wire_mtu(cut, 600);
	wire_udp(cut, UNIT ":50000 > " PEER ":54", data, 3000);
	show(bench, cut, 1);
	end(bench);
	assert_int_equal(mirror->input[0].large, 2);
	assert_int_equal(mirror->input[0].large_udp, 1);
	assert_int_equal(mirror->input[0].largest, 30040);
	assert_int_equal(mirror->input[0].cut, 0);
	assert_int_equal(mirror->input[1].large, 0);
	assert_int_equal(mirror->input[1].cut, wire_count(cut) - 1); /* the last piece is short */
	assert_int_equal(mirror->input[1].cut_at, 200);
	assert_int_equal(mirror->input[0].summed, 3);
	assert_int_equal(mirror->input[1].summed, 0);
	assert_int_equal(host_of(mirror, UNIT)->cut, mirror->input[1].cut);
}

static void each_input_has_its_clock(void **state)
{
	BENCH;

	wire_at(w, 10);
	wire_udp(w, UNIT ":50000 > " PEER ":53", "1", 1);
	wire_at(w, 12.5);
	wire_udp(w, UNIT ":50000 > " PEER ":53", "2", 1);
	wire_at(w, 12.2);
	wire_udp(w, UNIT ":50000 > " PEER ":53", "3", 1);
	wire_at(w, 13);
	wire_udp(w, UNIT ":50000 > " PEER ":53", "4", 1);
	show(bench, w, 0);
	show(bench, w, 70); /* shares the last place with whoever comes next */
	show(bench, w, 71);
	end(bench);
	assert_int_equal(mirror->input[0].back, 1);
	assert_int_equal(mirror->input[0].back_us, 300000);
	assert_int_equal(mirror->input[0].gap_us, 2500000);
	assert_int_equal(mirror->input[0].gap_at_us, START_US + 10 * SECOND);
	assert_int_equal(mirror->input[MIRROR_INPUTS - 1].input, 71);
	assert_int_equal(mirror->input[MIRROR_INPUTS - 1].frames, 4);
	assert_int_equal(mirror->input[MIRROR_INPUTS - 1].back, 1);
}

static void time_to_live_is_kept_of_what_goes_to_one(void **state)
{
	BENCH;
	uint8_t copy[128];

	wire_udp(w, UNIT ":50000 > " PEER ":53", "question", 8);
	struct wire_frame frame = wire_packet(w, 0);

	memcpy(copy, frame.data, frame.caplen);
	for (unsigned ttl = 60; ttl < 66; ttl++) {
		copy[14 + 8] = (uint8_t)ttl;
		copy[14 + 4] = (uint8_t)ttl;
		sensor_frame(bench->sensor, &(struct frame){frame.time_us, frame.caplen, frame.len, copy, LINK_ETHERNET, 0});
	}
	end(bench);
	for (unsigned i = 0; i < MIRROR_TTLS; i++)
		assert_int_equal(host_of(mirror, UNIT)->ttl[i], 60 + i);
	assert_int_equal(host_of(mirror, UNIT)->ttl_more, 1);
}

static void of_ipv6_it_is_the_hop_limit(void **state)
{
	BENCH;

	wire_udp(w, "[2001:db8::15]:50000 > [2001:db8::53]:53", "question", 8);
	show(bench, w, 0);
	end(bench);
	assert_int_equal(host_of(mirror, "2001:db8::15")->ttl[0], 64);
	assert_int_equal(host_of(mirror, "2001:db8::15")->ttl[1], 0);
}

static void a_host_has_the_mac_that_it_came_with(void **state)
{
	BENCH;
	char text[MAC_TEXT];

	wire_mac(w, UNIT, "02:00:00:00:00:01");
	wire_udp(w, UNIT ":50000 > " PEER ":53", "question", 8);
	wire_mac(w, UNIT, "02:00:00:00:00:02");
	wire_udp(w, UNIT ":50000 > " PEER ":53", "another", 7);
	show(bench, w, 0);
	end(bench);
	assert_string_equal(mac_print(&host_of(mirror, UNIT)->mac, text), "02:00:00:00:00:01");
}

static void what_is_wrapped_is_told_by_its_ports(void **state)
{
	BENCH;

	wire_udp(w, UNIT ":2152 > " PEER ":2152", "x", 1);
	wire_udp(w, UNIT ":2152 > " PEER ":53", "x", 1); /* a port that a host may happen to have */
	wire_udp(w, UNIT ":50000 > " PEER ":5247", "x", 1);
	wire_udp(w, UNIT ":50000 > " PEER ":1701", "x", 1);
	show(bench, w, 0);
	end(bench);
	assert_int_equal(mirror->wrapped[WRAPPED_GTP], 1);
	assert_int_equal(mirror->wrapped[WRAPPED_CAPWAP], 1);
	assert_int_equal(mirror->wrapped[WRAPPED_L2TP], 1);
}

static void a_flood_of_hosts_is_counted_and_takes_nothing(void **state)
{
	BENCH;
	char tuple[WIRE_TUPLE];

	wire_udp(w, UNIT ":50000 > " PEER ":53", "question", 8);
	for (unsigned i = 0; i < 20000; i++) {
		snprintf(tuple, sizeof(tuple), "10.%u.%u.%u:9 > " PEER ":9", 100 + i / 65536, i / 256 % 256, i % 256);
		wire_udp(w, tuple, "x", 1);
	}
	show(bench, w, 0);
	end(bench);
	assert_true(mirror->hosts <= MIRROR_HOSTS / 4 * 3);
	assert_true(mirror->hosts > MIRROR_HOSTS / 2);
	assert_int_equal(host_of(mirror, PEER)->got, 20001);
	assert_true(mirror->hosts_refused > 20002 - MIRROR_HOSTS);
	assert_true(mirror_is_sound(mirror));
}

/* What another process left is believed only if a sensor of ours can have left it. */
static void nonsense_is_not_sound(void **state)
{
	CLEANUP(mirror_freep) struct mirror *mirror = mirror_new();
	uint64_t *const places[] = {
		&mirror->frames,          &mirror->vlan_count,         &mirror->type_count,
		&mirror->own_count,       &mirror->peak_bytes,         &mirror->input[3].cut_at,
		&mirror->host[77].two_way, &mirror->host[MIRROR_HOSTS - 1].sent, &mirror->vlan[2].id,
	};

	assert_true(mirror_is_sound(mirror));
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		*places[i] = UINT64_MAX;
		assert_false(mirror_is_sound(mirror));
		*places[i] = 0;
	}
	mirror->host[5].first_us = -1;
	assert_false(mirror_is_sound(mirror));
	mirror->host[5].first_us = 0;
	mirror->input[MIRROR_INPUTS - 1].gap_at_us = INT64_MAX;
	assert_false(mirror_is_sound(mirror));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_ways_and_one),
		cmocka_unit_test(to_many_is_to_nobody),
		cmocka_unit_test(our_own_traffic_is_no_mirrors),
		cmocka_unit_test(a_mirrors_wrapping_to_us_is_no_traffic_of_ours),
		cmocka_unit_test(copies_are_told_apart_by_what_differs),
		cmocka_unit_test(tags_are_counted_and_half_a_conversation_with_one),
		cmocka_unit_test(sizes_and_cuts_by_input),
		cmocka_unit_test(each_input_has_its_clock),
		cmocka_unit_test(time_to_live_is_kept_of_what_goes_to_one),
		cmocka_unit_test(of_ipv6_it_is_the_hop_limit),
		cmocka_unit_test(a_host_has_the_mac_that_it_came_with),
		cmocka_unit_test(what_is_wrapped_is_told_by_its_ports),
		cmocka_unit_test(a_flood_of_hosts_is_counted_and_takes_nothing),
		cmocka_unit_test(nonsense_is_not_sound),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
