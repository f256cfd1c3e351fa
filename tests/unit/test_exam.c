/*
 * test_exam.c - what the doctor makes of what a mirror shows: states, figures, remedies, and the last word. The mirrors
 * are written by hand; tests/cli/doctor_mirror.sh has whole captures.
 */
#include "tests/lib/exam_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void every_check_has_its_say_of_a_plain_mirror(void **state)
{
	BENCH("");
	char text[EXAM_RESULT];

	look(bench);
	for (unsigned check = 0; check < CHECK_COUNT; check++) {
		bool of_rows = check == CHECK_roles || check == CHECK_names || check == CHECK_mac_shared;

		assert_int_equal(row_of(bench, check, 0) != NULL, !of_rows);
		assert_true(*check_name(check) && *check_help(check));
	}
	assert_true(exam_is_fit(bench->exam));
	assert_string_equal(exam_result(bench->exam, text),
	                    "fit as a mirror; no unit was named to judge by it, with 1 warning");
}

static void shares_are_exact_where_small(void **state)
{
	char text[SHARE_TEXT];

	assert_string_equal(share_print(0, 0, text), "0 of 0 (0.0 %)");
	assert_string_equal(share_print(12, 240, text), "12 of 240 (5.0 %)");
	assert_string_equal(share_print(240, 240, text), "240 of 240 (100 %)");
	assert_string_equal(share_print(1, 1000000, text), "1 of 1000000 (< 0.1 %)");
	assert_false(share_is(0, 0, 0));
	assert_true(share_is(1, 1000, 1));
	assert_false(share_is(1, 1001, 1));
	assert_true(share_is(UINT64_MAX / 2, UINT64_MAX, 499));
}

static void a_port_that_is_no_mirror_is_told_first_and_alone(void **state)
{
	BENCH("");
	char text[EXAM_RESULT];

	bench->subject.live = true;
	bench->mirror->frames = bench->mirror->groups = 80;
	bench->mirror->others = 0;
	look_finds(bench, CHECK_mirror, EXAM_BAD, "80 packets: broadcast and multicast alone", "SPAN session");
	assert_int_equal(bench->exam->row_count, 1);
	assert_false(exam_is_fit(bench->exam));
	bench->mirror->own = 9;
	look_finds(bench, CHECK_mirror, EXAM_BAD, "80 packets: broadcast, multicast and our own alone", "SPAN session");
	assert_string_equal(exam_result(bench->exam, text),
	                    "not fit: mirror: 80 packets: broadcast, multicast and our own alone");
	bench->mirror->frames = 0;
	look_finds(bench, CHECK_mirror, EXAM_BAD, "no packet in 30.0 s", "ip -s link show eth1");
}

static void what_is_no_ip_is_named_by_its_type(void **state)
{
	BENCH("");

	bench->mirror->others = 0;
	bench->mirror->frames_unicast = 990;
	bench->mirror->groups = 10;
	bench->mirror->type_count = 2;
	bench->mirror->type[0].type = 0x88cc; /* LLDP, which came first */
	bench->mirror->type[0].frames = 10;
	bench->mirror->type[1].type = 0x88e5; /* MACsec */
	bench->mirror->type[1].frames = 990;
	look_finds(bench, CHECK_mirror, EXAM_BAD, "no IP in 1000 frames; most are of type 0x88e5", "encrypts");
	bench->mirror->own = 990; /* what is sent to this host itself */
	look_finds(bench, CHECK_mirror, EXAM_BAD, "1000 packets: broadcast, multicast and our own alone", "SPAN session");
}

static void a_dead_output_of_a_tap_is_bad_an_empty_file_is_not(void **state)
{
	BENCH("");

	bench->subject.input_count = 2;
	bench->inputs[1].packets = 0;
	look(bench);
	assert_string_equal(row_of(bench, CHECK_mirror, 1)->of, "eth2");
	assert_int_equal(row_of(bench, CHECK_mirror, 1)->state, EXAM_WARN);
	bench->subject.live = true;
	look(bench);
	assert_int_equal(row_of(bench, CHECK_mirror, 1)->state, EXAM_BAD);
}

static void few_drops_are_a_warning_many_are_bad(void **state)
{
	BENCH("");

	bench->subject.live = true;
	look_finds(bench, CHECK_drops, EXAM_OK, "none", "");
	row_says(bench, CHECK_load, EXAM_OK, "33/s in 30.0 s, at most 0/s, 0.0 Mbit/s", "");
	bench->counters.kernel_received = 100000;
	bench->counters.kernel_dropped = 99;
	look_finds(bench, CHECK_drops, EXAM_WARN, "99 of 100000 (0.1 %)", "the kernel dropped");
	assert_int_equal(row_of(bench, CHECK_load, 0)->state, EXAM_WARN);
	bench->counters.kernel_dropped = 100;
	look_finds(bench, CHECK_drops, EXAM_BAD, "100 of 100000 (0.1 %)", "the kernel dropped");
	assert_string_equal(row_of(bench, CHECK_drops, 0)->of, "kernel");
	assert_int_equal(row_of(bench, CHECK_drops, 0)->count, 100);
	bench->counters.kernel_dropped = 0;
	bench->counters.interface_dropped = 1000;
	look_finds(bench, CHECK_drops, EXAM_BAD, "1000 of 2000 (50.0 %)", "ethtool -G");
	bench->counters.interface_dropped = 0;
	bench->counters.evicted = 1;
	look_finds(bench, CHECK_drops, EXAM_BAD, "1 of 50 (2.0 %)", "--flows");
}

static void a_time_when_nobody_read_is_bad(void **state)
{
	BENCH("");
	struct blind_row blind = {.run = bench->run,
	                          .since_us = START_US,
	                          .until_us = START_US + 2000000,
	                          .cause = BLIND_LINK_DOWN,
	                          .count = 1,
	                          .detail = "eth1"};
	struct err err = {0};
	int64_t id = 0;

	bench->subject.live = true;
	succeeded(flowdb_blind_put(bench->db, &blind, &id, &err), &err);
	look_finds(bench, CHECK_drops, EXAM_BAD, "1 time", "the interface was down or gone");
}

static void a_mirror_that_is_silent_for_long_is_told_from_when(void **state)
{
	BENCH("");
	struct blind_row blind = {.run = bench->run,
	                          .since_us = START_US + 20000000,
	                          .until_us = START_US + 60000000,
	                          .cause = BLIND_MIRROR_SILENT,
	                          .count = 1,
	                          .detail = ""};
	struct err err = {0};
	int64_t id = 0;

	bench->mirror->input[1].gap_us = 31000000;
	bench->mirror->input[1].gap_at_us = START_US + 5000000;
	look_finds(bench, CHECK_silence, EXAM_OK, "31.0 s at the most", "");
	bench->subject.live = true;
	look_finds(bench, CHECK_silence, EXAM_WARN, "31.0 s without a packet", "from 2026-03-02T08:00:05");
	/* Until the end, where no packet closes the gap. */
	succeeded(flowdb_blind_put(bench->db, &blind, &id, &err), &err);
	look_finds(bench, CHECK_silence, EXAM_WARN, "40.0 s without a packet", "from 2026-03-02T08:00:20");
	bench->subject.live = false;
	bench->mirror->input[1].gap_us = 300000000;
	look_finds(bench, CHECK_silence, EXAM_WARN, "5 min 0 s without a packet", "from 2026-03-02T08:00:05");
}

static void bytes_of_tcp_that_never_came_are_told_of_a_file(void **state)
{
	BENCH("");

	look_finds(bench, CHECK_drops, EXAM_UNKNOWN, "a file does not say", "");
	bench->counters.streams_shed = 700;
	look_finds(bench, CHECK_drops, EXAM_WARN, "700 bytes of TCP never came", "lost before the capture");
	bench->mirror->one_sided = 1; /* that explains it */
	look_finds(bench, CHECK_drops, EXAM_UNKNOWN, "a file does not say", "");
}

static void frames_are_too_large_by_the_ports_own_measure(void **state)
{
	BENCH("");
	struct mirror_input *input = &bench->mirror->input[0];

	input->large = 10;
	input->largest = 8900;
	look_finds(bench, CHECK_offload, EXAM_WARN, "up to 8900 bytes: 10 of 1000 (1.0 %)", "jumbo frames, or merged by a card. 'ethtool -K IF gro off");
	bench->subject.live = true;
	bench->inputs[0].port = (struct port){.mtu = 9000, .is_known = true};
	look_finds(bench, CHECK_offload, EXAM_WARN, "up to 8900 bytes: 10 of 1000 (1.0 %)", "jumbo frames");
	bench->inputs[0].port = (struct port){.mtu = 1500, .is_known = true}; /* it may take in more */
	look_finds(bench, CHECK_offload, EXAM_WARN, "up to 8900 bytes: 10 of 1000 (1.0 %)", "jumbo frames");
	bench->inputs[0].port = (struct port){.mtu = 1500, .is_known = true, .merges = PORT_GRO | PORT_LRO};
	look_finds(bench, CHECK_offload, EXAM_WARN, "up to 8900 bytes: 10 of 1000 (1.0 %)",
	          "no wire carried these: a card merged them, or was to cut them (on here: gro lro). 'ethtool -K eth1 gro off");
	input->large_udp = 3;
	look_finds(bench, CHECK_offload, EXAM_BAD, "up to 8900 bytes: 10 of 1000 (1.0 %)", "3 are UDP");
}

static void a_snap_length_that_cuts_names_is_bad(void **state)
{
	BENCH("");
	struct mirror_input *input = &bench->mirror->input[0];

	input->cut = 400;
	input->cut_at = 1514;
	look_finds(bench, CHECK_truncation, EXAM_WARN, "cut at 1514 bytes: 400 of 1000 (40.0 %)", "1600");
	input->cut_at = 256;
	look_finds(bench, CHECK_truncation, EXAM_BAD, "cut at 256 bytes: 400 of 1000 (40.0 %)", "1600 at least");
	input->cut = 0;
	bench->mirror->cut_inside = 5;
	look_finds(bench, CHECK_truncation, EXAM_WARN, "cut inside a tunnel: 5 of 1000 (0.5 %)", "MTU");
	bench->mirror->tunnel_fragments = 50;
	look_finds(bench, CHECK_truncation, EXAM_BAD, "cut inside a tunnel: 50 of 1000 (5.0 %)", "MTU");
}

static void few_tags_and_few_wrong_sums_are_fine(void **state)
{
	BENCH("");
	struct mirror_input *input = &bench->mirror->input[0];

	bench->mirror->untagged = 1000;
	bench->mirror->mixed = 9;
	look_finds(bench, CHECK_vlan, EXAM_OK, "untagged", "");
	bench->mirror->mixed = 10;
	look_finds(bench, CHECK_vlan, EXAM_WARN, "untagged", "of another VLAN than");
	input->summed = 2000;
	input->bad_sums = 1;
	look_finds(bench, CHECK_checksums, EXAM_OK, "wrong: 1 of 2000 (0.1 %)", "");
	input->bad_sums = 2;
	look_finds(bench, CHECK_checksums, EXAM_WARN, "wrong: 2 of 2000 (0.1 %)", "a bad cable");
}

static void what_is_wrapped_otherwise_is_named(void **state)
{
	BENCH("");

	bench->mirror->tunnel[TUNNEL_NONE] = 500;
	bench->mirror->tunnel[TUNNEL_GRE] = 300;
	bench->mirror->tunnel[TUNNEL_ERSPAN] = 200;
	bench->mirror->wrapped[WRAPPED_ESP] = 600;
	bench->mirror->wrapped[WRAPPED_CAPWAP] = 10;
	look_finds(bench, CHECK_tunnels, EXAM_OK, "opened: GRE, ERSPAN; others came without", "");
	assert_string_equal(row_of(bench, CHECK_tunnels, 1)->of, "ESP (IPsec)");
	assert_int_equal(row_of(bench, CHECK_tunnels, 1)->state, EXAM_WARN);
	assert_null(row_of(bench, CHECK_tunnels, 2));
}

static void files_of_one_time_and_in_the_wrong_order(void **state)
{
	BENCH("");

	bench->subject.input_count = 2;
	look_finds(bench, CHECK_clock, EXAM_BAD, "of one time with eth1: 1 min 0 s", "mergecap -w both.pcap eth1 eth2");
	bench->inputs[1].first_us -= 3600000000;
	bench->inputs[1].last_us -= 3600000000;
	look_finds(bench, CHECK_clock, EXAM_BAD, "older than eth1, read before", "in that of time");
	bench->inputs[1].first_us += 2 * 3600000000;
	bench->inputs[1].last_us += 2 * 3600000000;
	look_finds(bench, CHECK_clock, EXAM_OK, "goes on", "");
	bench->inputs[1].first_us = bench->inputs[0].last_us - 500000; /* two captures that follow */
	look_finds(bench, CHECK_clock, EXAM_OK, "goes on", "");
	bench->subject.live = true; /* interfaces are merged */
	bench->inputs[1] = bench->inputs[0];
	look_finds(bench, CHECK_clock, EXAM_OK, "goes on", "");
}

static void clocks_that_cross_a_little_are_fine(void **state)
{
	BENCH("");
	struct mirror_input *input = &bench->mirror->input[0];

	input->back = 40;
	input->back_us = 9999;
	look_finds(bench, CHECK_clock, EXAM_OK, "goes on", "");
	input->back_us = 40000;
	look_finds(bench, CHECK_clock, EXAM_WARN, "back by 40 ms, 40 times", "reordercap");
	input->last_us = INT64_C(4200000000) * 1000000;
	look(bench);
	assert_string_equal(row_of(bench, CHECK_clock, 1)->seen, "ends 2103-02-04");
	input->last_us = START_US;
	input->back_us = 1000000;
	look_finds(bench, CHECK_clock, EXAM_BAD, "back by 1.0 s, 40 times", "NTP");
}

static void directions_of_all_count_where_no_unit_is_known(void **state)
{
	BENCH("");

	bench->mirror->one_sided = 1;
	bench->mirror->two_way = 200;
	look_finds(bench, CHECK_directions, EXAM_OK, "one way: 1 of 201 (0.5 %) flows", "");
	bench->mirror->one_sided = 10;
	look_finds(bench, CHECK_directions, EXAM_WARN, "one way: 10 of 210 (4.8 %) flows", "both directions");
	bench->mirror->one_sided = 100;
	look_finds(bench, CHECK_directions, EXAM_BAD, "one way: 100 of 300 (33.3 %) flows", "both directions");
	bench->mirror->one_sided = bench->mirror->two_way = 0;
	look_finds(bench, CHECK_directions, EXAM_UNKNOWN, "no conversation that would show it", "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_check_has_its_say_of_a_plain_mirror),
		cmocka_unit_test(shares_are_exact_where_small),
		cmocka_unit_test(a_port_that_is_no_mirror_is_told_first_and_alone),
		cmocka_unit_test(what_is_no_ip_is_named_by_its_type),
		cmocka_unit_test(a_dead_output_of_a_tap_is_bad_an_empty_file_is_not),
		cmocka_unit_test(few_drops_are_a_warning_many_are_bad),
		cmocka_unit_test(a_time_when_nobody_read_is_bad),
		cmocka_unit_test(a_mirror_that_is_silent_for_long_is_told_from_when),
		cmocka_unit_test(bytes_of_tcp_that_never_came_are_told_of_a_file),
		cmocka_unit_test(frames_are_too_large_by_the_ports_own_measure),
		cmocka_unit_test(a_snap_length_that_cuts_names_is_bad),
		cmocka_unit_test(few_tags_and_few_wrong_sums_are_fine),
		cmocka_unit_test(what_is_wrapped_otherwise_is_named),
		cmocka_unit_test(files_of_one_time_and_in_the_wrong_order),
		cmocka_unit_test(clocks_that_cross_a_little_are_fine),
		cmocka_unit_test(directions_of_all_count_where_no_unit_is_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
