/*
 * test_exam.c - what the doctor makes of what was seen: states, figures, remedies, and the last word. The mirrors are
 * written by hand; tests/cli/doctor_mirror.sh has whole captures.
 */
#include "monitor/doctor/exam.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SITE \
	"units:\n" \
	"  - {name: board, addresses: [10.20.0.15], profiles: [room, touch]}\n" \
	"roles: {dns-server: {addresses: [10.20.0.53]}}\n"
#define START_US (INT64_C(1772438400) * 1000000)

/* A mirror, its database, and what is asked of them; a plain one, until a test changes it. */
struct bench {
	struct mirror *mirror;
	struct policy *policy;
	struct flowdb *db;
	struct counters counters;
	struct exam_input inputs[3];
	struct exam_subject subject;
	struct exam *exam;
	int64_t run;
};

static void must(int r, const struct err *err)
{
	if (r < 0)
		fail_msg("%s", err->text);
}

static struct mirror_host *host_add(struct bench *bench, const char *text, uint64_t sent,
                                    uint64_t got)
{
	/* Any free place from its own on would do; a search finds it there. */
	struct addr addr;
	struct mirror_host *host;

	assert_int_equal(addr_parse(text, &addr), 0);
	for (size_t i = 0; i < MIRROR_HOSTS; i++) {
		host = &bench->mirror->host[i];
		if (!addr_is_unspecified(&host->addr) && !addr_equal(&host->addr, &addr))
			continue;
		host->addr = addr;
		if (mirror_find(bench->mirror, &addr) == host)
			break;
		host->addr = (struct addr){0};
	}
	host->sent = sent;
	host->got = got;
	host->ttl[0] = 64;
	host->two_way = sent && got;
	return host;
}

static struct bench *bench_new(const char *site)
{
	struct bench *bench = calloc(1, sizeof(*bench));
	struct policy_args args = {
		.site_path = *site ? "site.yaml" : NULL, .site_text = site, .site_text_len = strlen(site)};
	const struct run_row run = {.version = "t", .source = "file", .inputs = "a.pcap", .filter = ""};
	struct err err = {0};

	assert_non_null(bench);
	must(policy_load(&args, &bench->policy, &err), &err);
	must(flowdb_open(NULL, FLOWDB_WRITE, &bench->db, &err), &err);
	must(flowdb_run_begin(bench->db, &run, &bench->run, &err), &err);
	bench->mirror = mirror_new();
	assert_non_null(bench->mirror);
	bench->mirror->frames = bench->mirror->ip = bench->mirror->others = 1000;
	bench->mirror->two_way = 50;
	bench->mirror->v4 = 1000;
	bench->mirror->input[0] = (struct mirror_input){
		.frames = 1000, .first_us = START_US, .last_us = START_US + 60000000};
	bench->counters = (struct counters){.seen = 1000, .in_flows = 1000, .flows = 50, .bytes = 500000};
	for (unsigned i = 0; i < ARRAY_LEN(bench->inputs); i++)
		bench->inputs[i] = (struct exam_input){.name = i == 0 ? "eth1" : i == 1 ? "eth2" : "eth3",
		                                       .packets = 1000,
		                                       .first_us = START_US,
		                                       .last_us = START_US + 60000000};
	bench->subject = (struct exam_subject){
		.policy = bench->policy,
		.mirror = bench->mirror,
		.db = bench->db,
		.inputs = bench->inputs,
		.input_count = 1,
		.lasted_us = 30000000,
	};
	return bench;
}

static void bench_freep(struct bench **at)
{
	struct bench *bench = *at;

	exam_free(bench->exam);
	mirror_free(bench->mirror);
	flowdb_close(bench->db);
	policy_free(bench->policy);
	free(bench);
}
#define BENCH(site) CLEANUP(bench_freep) struct bench *bench = bench_new(site)

static void look(struct bench *bench)
{
	struct err err = {0};

	must(flowdb_run_update(bench->db, bench->run, START_US, START_US + 60000000, true,
	                       &bench->counters, &err), &err);
	exam_free(bench->exam);
	bench->exam = NULL;
	must(exam_new(&bench->subject, &bench->exam, &err), &err);
}

/* The n-th row of a check; NULL: there is none. */
static const struct exam_row *row_of(const struct bench *bench, enum check check, unsigned n)
{
	for (size_t i = 0; i < bench->exam->row_count; i++)
		if (bench->exam->rows[i].check == check && !n--)
			return &bench->exam->rows[i];
	return NULL;
}

static void must_say(const struct bench *bench, enum check check, enum exam_state state,
                     const char *seen, const char *remedy)
{
	const struct exam_row *row = row_of(bench, check, 0);

	assert_non_null(row);
	assert_string_equal(exam_state_name(row->state), exam_state_name(state));
	assert_string_equal(row->seen, seen);
	if (!strstr(row->remedy, remedy))
		fail_msg("no '%s' in: %s", remedy, row->remedy);
	/* What is wrong comes with what to do. */
	if (state > EXAM_UNKNOWN)
		assert_true(*row->remedy);
}

/* Looks again. */
static void must_find(struct bench *bench, enum check check, enum exam_state state,
                      const char *seen, const char *remedy)
{
	look(bench);
	must_say(bench, check, state, seen, remedy);
}

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
	must_find(bench, CHECK_mirror, EXAM_BAD, "80 packets: broadcast and multicast alone", "SPAN session");
	assert_int_equal(bench->exam->row_count, 1);
	assert_false(exam_is_fit(bench->exam));
	bench->mirror->own = 9;
	must_find(bench, CHECK_mirror, EXAM_BAD, "80 packets: broadcast, multicast and our own alone", "SPAN session");
	assert_string_equal(exam_result(bench->exam, text),
	                    "not fit: mirror: 80 packets: broadcast, multicast and our own alone");
	bench->mirror->frames = 0;
	must_find(bench, CHECK_mirror, EXAM_BAD, "no packet in 30.0 s", "ip -s link show eth1");
}

static void what_is_no_ip_is_named_by_its_type(void **state)
{
	BENCH("");

	bench->mirror->others = 0;
	bench->mirror->frames_unicast = 990;
	bench->mirror->groups = 10;
	bench->mirror->type_count = 1;
	bench->mirror->type[0].type = 0x88e5; /* MACsec */
	must_find(bench, CHECK_mirror, EXAM_BAD, "no IP in 1000 frames; most are of type 0x88e5", "encrypts");
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
	must_find(bench, CHECK_drops, EXAM_OK, "none", "");
	must_say(bench, CHECK_load, EXAM_OK, "33/s in 30.0 s, at most 0/s, 0.0 Mbit/s", "");
	bench->counters.kernel_received = 100000;
	bench->counters.kernel_dropped = 99;
	must_find(bench, CHECK_drops, EXAM_WARN, "99 of 100000 (0.1 %)", "the kernel dropped");
	assert_int_equal(row_of(bench, CHECK_load, 0)->state, EXAM_WARN);
	bench->counters.kernel_dropped = 100;
	must_find(bench, CHECK_drops, EXAM_BAD, "100 of 100000 (0.1 %)", "the kernel dropped");
	assert_string_equal(row_of(bench, CHECK_drops, 0)->of, "kernel");
	assert_int_equal(row_of(bench, CHECK_drops, 0)->count, 100);
	bench->counters.kernel_dropped = 0;
	bench->counters.interface_dropped = 1000;
	must_find(bench, CHECK_drops, EXAM_BAD, "1000 of 2000 (50.0 %)", "ethtool -G");
	bench->counters.interface_dropped = 0;
	bench->counters.evicted = 1;
	must_find(bench, CHECK_drops, EXAM_BAD, "1 of 50 (2.0 %)", "--flows");
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
	must(flowdb_blind_put(bench->db, &blind, &id, &err), &err);
	must_find(bench, CHECK_drops, EXAM_BAD, "1 times", "the interface was down or gone");
}

static void bytes_of_tcp_that_never_came_are_told_of_a_file(void **state)
{
	BENCH("");

	must_find(bench, CHECK_drops, EXAM_UNKNOWN, "a file does not say", "");
	bench->counters.streams_shed = 700;
	must_find(bench, CHECK_drops, EXAM_WARN, "700 bytes of TCP never came", "lost before the capture");
	bench->mirror->one_sided = 1; /* that explains it */
	must_find(bench, CHECK_drops, EXAM_UNKNOWN, "a file does not say", "");
}

static void frames_are_too_large_by_the_ports_own_measure(void **state)
{
	BENCH("");
	struct mirror_input *input = &bench->mirror->input[0];

	input->large = 10;
	input->largest = 8900;
	must_find(bench, CHECK_offload, EXAM_WARN, "up to 8900 bytes: 10 of 1000 (1.0 %)", "jumbo frames, or merged by a card. 'ethtool -K IF gro off");
	bench->subject.live = true;
	bench->inputs[0].port = (struct port){.mtu = 9000, .is_known = true};
	must_find(bench, CHECK_offload, EXAM_WARN, "up to 8900 bytes: 10 of 1000 (1.0 %)", "jumbo frames");
	bench->inputs[0].port = (struct port){.mtu = 1500, .is_known = true}; /* it may take in more */
	must_find(bench, CHECK_offload, EXAM_WARN, "up to 8900 bytes: 10 of 1000 (1.0 %)", "jumbo frames");
	bench->inputs[0].port = (struct port){.mtu = 1500, .is_known = true, .merges = PORT_GRO | PORT_LRO};
	must_find(bench, CHECK_offload, EXAM_WARN, "up to 8900 bytes: 10 of 1000 (1.0 %)",
	          "no wire carried these: a card merged them, or was to cut them (on here: gro lro). 'ethtool -K eth1 gro off");
	input->large_udp = 3;
	must_find(bench, CHECK_offload, EXAM_BAD, "up to 8900 bytes: 10 of 1000 (1.0 %)", "3 are UDP");
}

static void a_snap_length_that_cuts_names_is_bad(void **state)
{
	BENCH("");
	struct mirror_input *input = &bench->mirror->input[0];

	input->cut = 400;
	input->cut_at = 1514;
	must_find(bench, CHECK_truncation, EXAM_WARN, "cut at 1514 bytes: 400 of 1000 (40.0 %)", "1600");
	input->cut_at = 256;
	must_find(bench, CHECK_truncation, EXAM_BAD, "cut at 256 bytes: 400 of 1000 (40.0 %)", "1600 at least");
	input->cut = 0;
	bench->mirror->cut_inside = 5;
	must_find(bench, CHECK_truncation, EXAM_WARN, "cut inside a tunnel: 5 of 1000 (0.5 %)", "MTU");
	bench->mirror->tunnel_fragments = 50;
	must_find(bench, CHECK_truncation, EXAM_BAD, "cut inside a tunnel: 50 of 1000 (5.0 %)", "MTU");
}

static void what_is_wrapped_otherwise_is_named(void **state)
{
	BENCH("");

	bench->mirror->tunnel[TUNNEL_NONE] = 500;
	bench->mirror->tunnel[TUNNEL_GRE] = 300;
	bench->mirror->tunnel[TUNNEL_ERSPAN] = 200;
	bench->mirror->wrapped[WRAPPED_ESP] = 600;
	bench->mirror->wrapped[WRAPPED_CAPWAP] = 10;
	must_find(bench, CHECK_tunnels, EXAM_OK, "opened: GRE, ERSPAN; others came without", "");
	assert_string_equal(row_of(bench, CHECK_tunnels, 1)->of, "ESP (IPsec)");
	assert_int_equal(row_of(bench, CHECK_tunnels, 1)->state, EXAM_WARN);
	assert_null(row_of(bench, CHECK_tunnels, 2));
}

static void files_of_one_time_and_in_the_wrong_order(void **state)
{
	BENCH("");

	bench->subject.input_count = 2;
	must_find(bench, CHECK_clock, EXAM_BAD, "of one time with eth1: 1 min 0 s", "mergecap -w both.pcap eth1 eth2");
	bench->inputs[1].first_us -= 3600000000;
	bench->inputs[1].last_us -= 3600000000;
	must_find(bench, CHECK_clock, EXAM_BAD, "older than eth1, read before", "in that of time");
	bench->inputs[1].first_us += 2 * 3600000000;
	bench->inputs[1].last_us += 2 * 3600000000;
	must_find(bench, CHECK_clock, EXAM_OK, "goes on", "");
	bench->subject.live = true; /* interfaces are merged */
	bench->inputs[1] = bench->inputs[0];
	must_find(bench, CHECK_clock, EXAM_OK, "goes on", "");
}

static void clocks_that_cross_a_little_are_fine(void **state)
{
	BENCH("");
	struct mirror_input *input = &bench->mirror->input[0];

	input->back = 40;
	input->back_us = 9999;
	must_find(bench, CHECK_clock, EXAM_OK, "goes on", "");
	input->back_us = 40000;
	must_find(bench, CHECK_clock, EXAM_WARN, "back by 40 ms, 40 times", "reordercap");
	input->back_us = 1000000;
	must_find(bench, CHECK_clock, EXAM_BAD, "back by 1.0 s, 40 times", "NTP");
}

static void directions_of_all_count_where_no_unit_is_known(void **state)
{
	BENCH("");

	bench->mirror->one_sided = 1;
	bench->mirror->two_way = 200;
	must_find(bench, CHECK_directions, EXAM_OK, "one way: 1 of 201 (0.5 %) flows", "");
	bench->mirror->one_sided = 10;
	must_find(bench, CHECK_directions, EXAM_WARN, "one way: 10 of 210 (4.8 %) flows", "both directions");
	bench->mirror->one_sided = 100;
	must_find(bench, CHECK_directions, EXAM_BAD, "one way: 100 of 300 (33.3 %) flows", "both directions");
	bench->mirror->one_sided = bench->mirror->two_way = 0;
	must_find(bench, CHECK_directions, EXAM_UNKNOWN, "no conversation that would show it", "");
}

/* A unit on the list, as a run leaves it. */
static void list_unit(struct bench *bench, const char *name, const char *address)
{
	struct err err = {0};
	struct addr addr;
	int64_t id = 0;

	must(flowdb_unit_put(bench->db, name, "room, touch", true, &id, &err), &err);
	if (!address)
		return;
	assert_int_equal(addr_parse(address, &addr), 0);
	must(flowdb_unit_seen(bench->db, id, &addr, &(struct mac){0}, KNOWN_BY_PACKETS, START_US, START_US + 1, &err), &err);
}

static void silence_of_a_unit_proves_nothing_but_an_answer_to_nothing_does(void **state)
{
	BENCH(SITE);
	struct mirror_host *host = host_add(bench, "10.20.0.15", 40, 0);

	list_unit(bench, "board", "10.20.0.15");
	must_find(bench, CHECK_directions, EXAM_WARN, "40 packets from it, none to it", "nothing proves");
	assert_true(exam_is_fit(bench->exam));
	host->unseen_got = 1;
	must_find(bench, CHECK_directions, EXAM_BAD, "40 packets from it, none to it", "must copy both");
	*host = (struct mirror_host){.addr = host->addr, .sent = 40, .got = 30, .two_way = 30, .unseen_got = 2};
	must_find(bench, CHECK_directions, EXAM_WARN, "one way: 2 of 32 (6.2 %) flows", "another way back");
	host->unseen_sent = 5;
	must_find(bench, CHECK_directions, EXAM_BAD, "one way: 7 of 37 (18.9 %) flows", "what the unit sends is missing");
	*host = (struct mirror_host){.addr = host->addr, .sent = 9};
	look(bench);
	assert_int_equal(row_of(bench, CHECK_directions, 0)->state, EXAM_OK);
}

static void a_unit_that_is_not_there_makes_it_unfit(void **state)
{
	BENCH(SITE);
	char text[EXAM_RESULT];

	list_unit(bench, "board", NULL);
	must_find(bench, CHECK_units, EXAM_BAD, "no packet of it, nor for it", "is it on");
	assert_string_equal(exam_result(bench->exam, text), "not fit: units of board: no packet of it, nor for it");
	host_add(bench, "10.20.0.15", 0, 12);
	must_find(bench, CHECK_units, EXAM_BAD, "silent; 12 packets came for it", "is it on");
	host_add(bench, "10.20.0.15", 12, 12);
	must_find(bench, CHECK_units, EXAM_OK, "1 of 1 seen", "");
	assert_true(exam_is_fit(bench->exam));
}

static void time_to_live_says_how_far_and_no_more(void **state)
{
	BENCH(SITE);
	struct mirror_host *host = host_add(bench, "10.20.0.15", 12, 12);

	list_unit(bench, "board", "10.20.0.15");
	host->ttl[1] = 128; /* two of its programs */
	must_find(bench, CHECK_translation, EXAM_OK, "none: 1 of 1 with full TTL", "");
	host->ttl[0] = 61;
	host->ttl[1] = 0;
	must_find(bench, CHECK_translation, EXAM_UNKNOWN, "3 hops on the way here (TTL 61)", "cannot be told");
	host->ttl[1] = 125;
	must_find(bench, CHECK_translation, EXAM_WARN, "routed, as of several hosts: 3 hops", "options.nat");
	host->ttl[0] = 80; /* 48 hops: no way is so long */
	host->ttl[1] = 0;
	must_find(bench, CHECK_translation, EXAM_UNKNOWN, "no packet of a unit tells", "");
}

static void rows_that_need_ipv6_want_some(void **state)
{
	BENCH(SITE);

	list_unit(bench, "board", "10.20.0.15");
	look(bench);
	assert_int_not_equal(row_of(bench, CHECK_ipv6, 0)->state, EXAM_OK);
	assert_non_null(strstr(row_of(bench, CHECK_ipv6, 0)->remedy, "touch."));
	bench->mirror->v6 = 10;
	must_find(bench, CHECK_ipv6, EXAM_OK, "10 of 1010 (1.0 %) packets", "");
}

/* The row of a role; NULL: it is confirmed. */
static const struct exam_row *role_row(const struct bench *bench, const char *role)
{
	const struct exam_row *row;

	for (unsigned n = 0; (row = row_of(bench, CHECK_roles, n)); n++)
		if (!strcmp(row->of, role))
			return row;
	return NULL;
}

static void a_role_is_confirmed_by_a_packet_of_its_holder(void **state)
{
	BENCH(SITE);

	list_unit(bench, "board", "10.20.0.15");
	look(bench);
	assert_string_equal(role_row(bench, "dns-server")->seen, "no packet of a holder");
	assert_int_equal(role_row(bench, "dns-server")->state, EXAM_WARN);
	assert_non_null(strstr(role_row(bench, "dns-server")->remedy, "room.out.dns"));
	assert_non_null(role_row(bench, "maestro"));
	host_add(bench, "10.20.0.53", 0, 5); /* asked, and silent */
	look(bench);
	assert_non_null(role_row(bench, "dns-server"));
	host_add(bench, "10.20.0.53", 5, 5);
	look(bench);
	assert_null(role_row(bench, "dns-server"));
	/* of a name, where DNS bound it to somebody who is seen */
	struct name_row name = {.run = bench->run, .name = "config.maestro.starleaf.com",
	                        .first_us = START_US, .last_us = START_US, .until_us = START_US + 1, .counted = true};
	struct err err = {0};

	assert_int_equal(addr_parse("10.20.0.15", &name.client), 0);
	assert_int_equal(addr_parse("8.8.8.8", &name.server), 0);
	assert_int_equal(addr_parse("203.0.113.20", &name.address), 0);
	host_add(bench, "203.0.113.20", 5, 5);
	must(flowdb_name_put(bench->db, &name, &err), &err);
	look(bench);
	assert_non_null(role_row(bench, "maestro")); /* a resolver that the site does not list */
	assert_int_equal(addr_parse("10.20.0.53", &name.server), 0);
	must(flowdb_name_put(bench->db, &name, &err), &err);
	look(bench);
	assert_null(role_row(bench, "maestro"));
}

static void a_table_of_hosts_that_was_full_proves_no_absence(void **state)
{
	BENCH(SITE);

	list_unit(bench, "board", "10.20.0.15");
	bench->mirror->hosts_refused = 1;
	look(bench);
	assert_int_equal(role_row(bench, "dns-server")->state, EXAM_UNKNOWN);
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
		cmocka_unit_test(bytes_of_tcp_that_never_came_are_told_of_a_file),
		cmocka_unit_test(frames_are_too_large_by_the_ports_own_measure),
		cmocka_unit_test(a_snap_length_that_cuts_names_is_bad),
		cmocka_unit_test(what_is_wrapped_otherwise_is_named),
		cmocka_unit_test(files_of_one_time_and_in_the_wrong_order),
		cmocka_unit_test(clocks_that_cross_a_little_are_fine),
		cmocka_unit_test(directions_of_all_count_where_no_unit_is_known),
		cmocka_unit_test(silence_of_a_unit_proves_nothing_but_an_answer_to_nothing_does),
		cmocka_unit_test(a_unit_that_is_not_there_makes_it_unfit),
		cmocka_unit_test(time_to_live_says_how_far_and_no_more),
		cmocka_unit_test(rows_that_need_ipv6_want_some),
		cmocka_unit_test(a_role_is_confirmed_by_a_packet_of_its_holder),
		cmocka_unit_test(a_table_of_hosts_that_was_full_proves_no_absence),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
