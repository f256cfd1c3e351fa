/*
 * test_flowdb_incident.c - what a report asks of a window: which flows overlap it, what they add up to, what is
 * new, and what was known of names and leases then.
 */
#include "schema/flowdb_incident.h"
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SECOND INT64_C(1000000)
#define AT(second) (DBKIT_DAY + (second)*SECOND)

/* Flows last 10 s: before, over the first edge, in it, over the last edge, after; one of hours. Window 10,000 to 10,100 s. */
static int setup(void **state)
{
	static const int begins[] = {9000, 9995, 10020, 10030, 10095, 10101};
	struct dbkit *kit = malloc(sizeof(*kit));
	struct flow_facts facts;

	dbkit_open(kit);
	*state = kit;
	for (size_t i = 0; i < ARRAY_LEN(begins); i++) {
		facts = dbkit_facts(begins[i],
		                    begins[i] == 10020 ? "198.51.100.7" : "52.112.1.9", 443);
		dbkit_flow(kit, &facts, begins[i] == 10020 ? NULL : "online.out.sip_tls", 0);
	}
	facts = dbkit_facts(100, "52.112.1.10", 443); /* begins hours before */
	facts.last_us = AT(20000);
	dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
	facts = dbkit_facts(200, "52.112.1.11", 443); /* as long, and over before */
	facts.last_us = AT(9999);
	dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
	return 0;
}

static int teardown(void **state)
{
	dbkit_close(*state);
	free(*state);
	return 0;
}

static struct unit_window window(const struct dbkit *kit, int since, int until)
{
	return (struct unit_window){kit->unit, AT(since), AT(until)};
}

static int take_sum(void *context, const struct flow_sum *sum, struct err *err)
{
	char addr[ADDR_TEXT];

	text_add(context, 512, "%s %s %llu -%llu +%llu; ", addr_print(&sum->remote, addr),
	         ruling_name((enum ruling)sum->ruling), (unsigned long long)sum->flows,
	         (unsigned long long)sum->before, (unsigned long long)sum->after);
	return 0;
}

static const char *sums(struct dbkit *kit, int since, int until)
{
	static char text[512];
	const struct unit_window asked = window(kit, since, until);
	struct err err = {0};

	*text = '\0';
	assert_int_equal(flowdb_flow_sums(kit->db, &asked, take_sum, text, &err), 0);
	return text;
}

static void flows_that_overlap_count_and_say_where_they_reach_beyond(void **state)
{
	assert_string_equal(sums(*state, 10000, 10100),
	                    "52.112.1.9 documented 3 -1 +1; 52.112.1.10 documented 1 -1 +1; "
	                    "198.51.100.7 outside 1 -0 +0; ");
}

static void the_last_and_the_first_microsecond_are_in(void **state)
{
	/* 9000 to 9010 s */
	assert_string_equal(sums(*state, 9010, 9011),
	                    "52.112.1.9 documented 1 -1 +0; 52.112.1.10 documented 1 -1 +1; "
	                    "52.112.1.11 documented 1 -1 +1; ");
	assert_non_null(strstr(sums(*state, 8999, 9000), "52.112.1.9 "));
	assert_null(strstr(sums(*state, 9011, 9012), "52.112.1.9 "));
}

static void flows_are_added_up_that_are_alike_in_all_that_is_asked(void **state)
{
	struct dbkit *kit = *state;
	struct flow_facts facts = dbkit_facts(30000, "203.0.113.5", 443);

	dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
	facts.first_us += SECOND;
	facts.end[0].port++; /* the unit's own, where it asks, tells nothing apart */
	dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
	assert_string_equal(sums(kit, 30000, 30001), "203.0.113.5 documented 2 -0 +2; ");
	assert_string_equal(sums(kit, 30005, 30020), "203.0.113.5 documented 2 -2 +0; ");
	facts.first_us += SECOND;
	facts.name_kind = NAME_SNI;
	dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
	facts.first_us += SECOND;
	facts.media = MEDIA_AUDIO;
	dbkit_flow(kit, &facts, "online.out.sip_tls", 0);
	facts.first_us += SECOND;
	dbkit_flow(kit, &facts, "online.out.relay_tcp", 0);
	assert_string_equal(sums(kit, 30000, 30100),
	                    "203.0.113.5 documented 2 -0 +0; 203.0.113.5 documented 1 -0 +0; "
	                    "203.0.113.5 documented 1 -0 +0; 203.0.113.5 documented 1 -0 +0; ");
}

static void another_unit_has_flows_of_its_own(void **state)
{
	struct dbkit *kit = *state;
	int64_t unit = kit->unit;

	kit->unit = dbkit_unit(kit, "huddle");
	assert_string_equal(sums(kit, 0, 90000), "");
	kit->unit = unit;
}

static struct trait_known peer(const char *text)
{
	return (struct trait_known){.trait = TRAIT_PEER, .addr = dbkit_addr(text)};
}

static void a_thing_is_known_by_flows_that_ran_by_then_be_they_over_or_not(void **state)
{
	struct dbkit *kit = *state;
	struct trait_known traits[] = {
		peer("52.112.1.9"),   /* 9000 to 9010 */
		peer("52.112.1.10"),  /* runs on into what comes after */
		peer("52.112.1.11"),  /* as long, and over */
		peer("198.51.100.7"), /* later */
		peer("203.0.113.77"), /* never */
		{.trait = TRAIT_ROW, .text = "online.out.sip_tls"},
		{.trait = TRAIT_ROW, .text = "room.out.dns"},
		{.trait = TRAIT_NAME, .text = "no.such"},
		{.trait = TRAIT_KIND, .number = KIND_REMOTE_PORT}, /* later */
		{.trait = TRAIT_APP, .number = APP_TLS},
		{.trait = TRAIT_APP, .number = APP_SSH},
	};
	const bool known[] = {true, true, true, false, false, true, false, false, false, true, false};
	struct unit_window before = window(kit, 0, 10000);
	struct err err = {0};

	before.until_us--;
	assert_int_equal(flowdb_traits_known(kit->db, &before, traits, ARRAY_LEN(traits), &err),
	                 0);
	for (size_t i = 0; i < ARRAY_LEN(traits); i++)
		if (traits[i].known != known[i])
			fail_msg("thing %zu: %d", i, traits[i].known);
}

static int take_name(void *context, const struct name_row *name, struct err *err)
{
	char server[ADDR_TEXT];

	text_add(context, 256, "%s %s %d%s; ", name->name, addr_print(&name->server, server),
	         name->counted, name->asked ? " asked" : "");
	return 0;
}

static void names_of_a_peer_are_those_of_its_time_and_of_the_units_own_questions(void **state)
{
	struct dbkit *kit = *state;
	const struct addr client = dbkit_addr("10.20.0.15"), peer = dbkit_addr("52.112.1.9");
	const struct unit_window asked = window(kit, 10000, 10100);
	const struct mac none = {0};
	struct name_row names[] = {
		{.name = "then.example",
	         .first_us = AT(9000),
	         .until_us = AT(10001),
	         .counted = true},
		{.name = "over.example",
	         .first_us = AT(9000),
	         .until_us = AT(9999),
	         .counted = true},
		{.name = "later.example",
	         .first_us = AT(10101),
	         .until_us = AT(20000),
	         .counted = true},
		{.name = "foreign.example", .first_us = AT(10050), .until_us = AT(20000)},
	};
	struct flow_facts question = dbkit_facts(8999, "10.20.0.53", 53);
	const struct verdict verdict = {.ruling = RULING_UNDETERMINED};
	const struct flow_row flow = {.run = kit->run,
	                              .policy = kit->policy,
	                              .unit = kit->unit,
	                              .facts = &question,
	                              .name = "then.example",
	                              .verdict = &verdict};
	char text[256] = "";
	struct err err = {0};
	int64_t id;

	question.name_kind = NAME_DNS_QUESTION;
	assert_int_equal(flowdb_flow_put(kit->db, &flow, &id, &err), 0);
	assert_int_equal(flowdb_unit_seen(kit->db, kit->unit, &client, &none, KNOWN_BY_PACKETS,
	                                  AT(1), AT(20000), &err),
	                 0);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		names[i].run = kit->run;
		names[i].unit = kit->unit;
		names[i].client = client;
		names[i].server = dbkit_addr("10.20.0.53");
		names[i].address = peer;
		names[i].last_us = names[i].first_us;
		assert_int_equal(flowdb_name_put(kit->db, &names[i], &err), 0);
	}
	assert_int_equal(flowdb_names_of(kit->db, &asked, &peer, take_name, text, &err), 0);
	assert_string_equal(text, "then.example 10.20.0.53 1 asked; foreign.example 10.20.0.53 0; ");
}

static int count(void *context, const struct lease_row *lease, struct err *err)
{
	++*(int *)context;
	return 0;
}

static void a_lease_is_the_units_until_it_is_over(void **state)
{
	struct dbkit *kit = *state;
	struct lease_row lease = {.run = kit->run,
	                          .unit = kit->unit,
	                          .mac = dbkit_mac("00:26:8c:01:02:03"),
	                          .address = dbkit_addr("10.20.0.15"),
	                          .first_us = AT(100),
	                          .last_us = AT(100),
	                          .until_us = AT(10000)};
	struct unit_window asked = window(kit, 10000, 10100);
	struct err err = {0};
	int leases = 0;

	assert_int_equal(flowdb_lease_put(kit->db, &lease, &err), 0);
	assert_int_equal(flowdb_unit_leases(kit->db, &asked, count, &leases, &err), 0);
	assert_int_equal(leases, 1);
	asked.since_us++;
	assert_int_equal(flowdb_unit_leases(kit->db, &asked, count, &leases, &err), 0);
	assert_int_equal(leases, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			flows_that_overlap_count_and_say_where_they_reach_beyond, setup,
			teardown),
		cmocka_unit_test_setup_teardown(the_last_and_the_first_microsecond_are_in,
	                                        setup, teardown),
		cmocka_unit_test_setup_teardown(flows_are_added_up_that_are_alike_in_all_that_is_asked, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(another_unit_has_flows_of_its_own, setup,
	                                        teardown),
		cmocka_unit_test_setup_teardown(
			a_thing_is_known_by_flows_that_ran_by_then_be_they_over_or_not, setup, teardown),
		cmocka_unit_test_setup_teardown(
			names_of_a_peer_are_those_of_its_time_and_of_the_units_own_questions,
			setup, teardown),
		cmocka_unit_test_setup_teardown(a_lease_is_the_units_until_it_is_over, setup,
	                                        teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
