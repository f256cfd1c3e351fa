/*
 * test_exam_units.c - what the doctor makes of units and roles: who is seen, whole, as himself, and whether rows could
 * be proven.
 */
#include "tests/lib/exam_bench.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* A unit on the list, as a run leaves it. */

static void silence_of_a_unit_proves_nothing_but_an_answer_to_nothing_does(void **state)
{
	BENCH(SITE);
	struct mirror_host *host = host_add(bench, "10.20.0.15", 40, 0);

	list_unit(bench, "board", "10.20.0.15");
	look_finds(bench, CHECK_directions, EXAM_WARN, "40 packets from it, none to it", "nothing proves");
	assert_true(exam_is_fit(bench->exam));
	host->unseen_got = 1;
	look_finds(bench, CHECK_directions, EXAM_BAD, "40 packets from it, none to it", "must copy both");
	*host = (struct mirror_host){.addr = host->addr, .sent = 40, .got = 30, .two_way = 30, .unseen_got = 2};
	look_finds(bench, CHECK_directions, EXAM_WARN, "one way: 2 of 32 (6.2 %) flows", "another way back");
	host->unseen_sent = 5;
	look_finds(bench, CHECK_directions, EXAM_BAD, "one way: 7 of 37 (18.9 %) flows", "what the unit sends is missing");
	*host = (struct mirror_host){.addr = host->addr, .sent = 9};
	look(bench);
	assert_int_equal(row_of(bench, CHECK_directions, 0)->state, EXAM_OK);
}

static void a_unit_that_is_not_there_makes_it_unfit(void **state)
{
	BENCH(SITE);
	char text[EXAM_RESULT];

	list_unit(bench, "board", NULL);
	look_finds(bench, CHECK_units, EXAM_BAD, "no packet of it, nor for it", "is it on");
	assert_string_equal(exam_result(bench->exam, text), "not fit: units of board: no packet of it, nor for it");
	assert_non_null(strstr(row_of(bench, CHECK_units, 0)->remedy, "its address in the site file"));
	host_add(bench, "10.20.0.15", 0, 12);
	look_finds(bench, CHECK_units, EXAM_BAD, "silent; 12 packets came for it", "is it on");
	host_add(bench, "10.20.0.15", 12, 12);
	look_finds(bench, CHECK_units, EXAM_OK, "1 of 1 seen", "");
	assert_true(exam_is_fit(bench->exam));
}

static void one_known_by_its_mac_may_stand_behind_a_router(void **state)
{
	BENCH("units: [{name: board, macs: [\"00:26:8c:01:02:03\"], profiles: [room]}]\n");

	list_unit(bench, "board", NULL);
	look_finds(bench, CHECK_units, EXAM_BAD, "no packet of it, nor for it",
	          "its MAC in the site file is not its own, or it stands behind a router");
}

static void what_others_hide_is_no_fault_of_a_unit_that_is_whole(void **state)
{
	BENCH(SITE);

	list_unit(bench, "board", "10.20.0.15");
	host_add(bench, "10.20.0.15", 12, 12);
	bench->mirror->one_sided = 50;
	look_finds(bench, CHECK_directions, EXAM_WARN, "one way: 50 of 100 (50.0 %) flows", "of all hosts");
	assert_true(exam_is_fit(bench->exam));
}

static void time_to_live_says_how_far_and_no_more(void **state)
{
	BENCH(SITE);
	struct mirror_host *host = host_add(bench, "10.20.0.15", 12, 12);

	list_unit(bench, "board", "10.20.0.15");
	host->ttl[1] = 128; /* two of its programs */
	look_finds(bench, CHECK_translation, EXAM_OK, "none: 1 of 1 with full TTL", "");
	host->ttl[0] = 61;
	host->ttl[1] = 0;
	look_finds(bench, CHECK_translation, EXAM_UNKNOWN, "3 hops on the way here (TTL 61)", "cannot be told");
	host->ttl[1] = 125;
	look_finds(bench, CHECK_translation, EXAM_WARN, "routed, as of several hosts: 3 hops", "options.nat");
	host->ttl[0] = 80; /* 48 hops: no way is so long */
	host->ttl[1] = 0;
	look_finds(bench, CHECK_translation, EXAM_UNKNOWN, "no packet of a unit tells", "");
}

static void rows_that_need_ipv6_want_some(void **state)
{
	BENCH(SITE);

	list_unit(bench, "board", "10.20.0.15");
	look(bench);
	assert_int_not_equal(row_of(bench, CHECK_ipv6, 0)->state, EXAM_OK);
	assert_non_null(strstr(row_of(bench, CHECK_ipv6, 0)->remedy, "touch."));
	bench->mirror->v6 = 10;
	look_finds(bench, CHECK_ipv6, EXAM_OK, "10 of 1010 (1.0 %) packets", "");
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
	succeeded(flowdb_name_put(bench->db, &name, &err), &err);
	look(bench);
	assert_non_null(role_row(bench, "maestro")); /* a resolver that the site does not list */
	assert_int_equal(addr_parse("10.20.0.53", &name.server), 0);
	succeeded(flowdb_name_put(bench->db, &name, &err), &err);
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

static void who_takes_part_in_calls_is_asked_for_where_the_site_lists_it(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		BENCH(i ? "units: [{name: board, addresses: [10.20.0.15], profiles: [room, online]}]\n"
		          "roles: {other-client: {addresses: [192.0.2.0/24]}}\n"
		        : "units: [{name: board, addresses: [10.20.0.15], profiles: [room, online]}]\n");

		list_unit(bench, "board", "10.20.0.15");
		look(bench);
		assert_int_equal(role_row(bench, "other-client") != NULL, i);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_of_a_unit_proves_nothing_but_an_answer_to_nothing_does),
		cmocka_unit_test(a_unit_that_is_not_there_makes_it_unfit),
		cmocka_unit_test(one_known_by_its_mac_may_stand_behind_a_router),
		cmocka_unit_test(what_others_hide_is_no_fault_of_a_unit_that_is_whole),
		cmocka_unit_test(time_to_live_says_how_far_and_no_more),
		cmocka_unit_test(rows_that_need_ipv6_want_some),
		cmocka_unit_test(a_role_is_confirmed_by_a_packet_of_its_holder),
		cmocka_unit_test(a_table_of_hosts_that_was_full_proves_no_absence),
		cmocka_unit_test(who_takes_part_in_calls_is_asked_for_where_the_site_lists_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
