/*
 * test_name_proof.c - which DNS answers prove a peer's name: of whom, to what question, for how long. A false one
 * must never make a flow exact, nor take a true one's place.
 */
#include "tests/lib/run.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNITS \
	"units: [{name: board, addresses: [10.1.0.7], macs: [\"00:26:8c:01:02:03\"], profiles: [room, onprem]}]\n"
#define SITE UNITS "roles: {front-end: {names: [fe01.corp.example]}}\n"
#define LISTED \
	UNITS \
	"roles: {dns-server: {addresses: [10.1.0.53]}, front-end: {names: [fe01.corp.example]}}\n"

#define MAESTRO "config.maestro.starleaf.com"
#define TRUE_ONE "198.51.100.1"
#define FALSE_ONE "203.0.113.66"
#define RESOLVER "10.1.0.53"

#define RUN(site) \
	CLEANUP(run_freep) struct run *run = run_new(site); \
	CLEANUP(wire_freep) struct wire *w = wire_new(); \
	wire_at(w, 10)

struct last {
	uint8_t ruling, grade, kind;
	unsigned count;
};

static int take(void *context, const struct flow_view *flow, struct err *err)
{
	struct last *last = context;

	*last = (struct last){flow->ruling, flow->grade, flow->kind, last->count + 1};
	return 0;
}

/* The row of the flow that began last. */
static struct last last_of(struct run *run)
{
	const struct flow_query query = {0};
	struct last last = {0};
	struct err err = {0};

	assert_int_equal(flowdb_flows(run_db(run), &query, take, &last, &err), 0);
	assert_true(last.count > 0);
	return last;
}

static void asked(struct wire *w, unsigned port, uint16_t id, const char *server)
{
	struct message m = message_dns_query(id, MAESTRO, DNS_A);
	char tuple[WIRE_TUPLE];

	snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > %s:53", port, server);
	talk_udp(w, tuple, &m);
}

static void answered(struct wire *w, unsigned port, uint16_t id, const char *server,
                     const char *name, const char *addr)
{
	struct message m = message_dns_answer(id, name, DNS_A, NULL, addr, 300);
	char tuple[WIRE_TUPLE];

	snprintf(tuple, sizeof(tuple), "%s:53 > 10.1.0.7:%u", server, port);
	talk_udp(w, tuple, &m);
}

static void leased(struct wire *w)
{
	talk_dhcp(w, &(struct dhcp_case){.mac = "00:26:8c:01:02:03",
	                                 .address = "10.1.0.7",
	                                 .server = "10.1.0.2",
	                                 .mask = "255.255.255.0",
	                                 .router = "10.1.0.1",
	                                 .dns = RESOLVER,
	                                 .xid = 7});
}

static void signs_in(struct wire *w, const char *addr)
{
	char tuple[WIRE_TUPLE];

	wire_wait(w, 1);
	snprintf(tuple, sizeof(tuple), "10.1.0.7:50100 > %s:443", addr);
	talk_tls(w, tuple, &(struct tls){.sni = MAESTRO});
}

static void a_dns_server_proves_a_name(void **state)
{
	static const char *const sites[] = {LISTED, SITE};

	for (unsigned i = 0; i < ARRAY_LEN(sites); i++) {
		RUN(sites[i]);

		if (i)
			leased(w);
		asked(w, 50000, 1, RESOLVER);
		answered(w, 50000, 1, RESOLVER, MAESTRO, TRUE_ONE);
		signs_in(w, TRUE_ONE);
		run_wire(run, w, 1);
		assert_int_equal(last_of(run).ruling, RULING_DOCUMENTED);
		assert_int_equal(last_of(run).grade, GRADE_EXACT);
	}
}

static void a_foreign_resolver_never_does(void **state)
{
	static const struct {
		const char *site;
		bool lease;
	} cases[] = {{LISTED, false}, {LISTED, true}, {SITE, false}, {SITE, true}};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct last last;
		RUN(cases[i].site);

		if (cases[i].lease)
			leased(w);
		asked(w, 50000, 1, "8.8.8.8");
		answered(w, 50000, 1, "8.8.8.8", MAESTRO, FALSE_ONE);
		signs_in(w, FALSE_ONE);
		run_wire(run, w, 1);
		last = last_of(run);
		assert_int_not_equal(last.grade, GRADE_EXACT);
	}
}

static void a_foreign_one_does_not_help_where_a_true_one_spoke(void **state)
{
	RUN("units: [{name: board, addresses: [10.1.0.7], profiles: [room]}]\n"
	    "roles: {dns-server: {addresses: [10.1.0.53]}}\n");

	asked(w, 50000, 1, RESOLVER);
	answered(w, 50000, 1, RESOLVER, MAESTRO, TRUE_ONE);
	asked(w, 50001, 2, "8.8.8.8");
	answered(w, 50001, 2, "8.8.8.8", MAESTRO, FALSE_ONE);
	signs_in(w, FALSE_ONE);
	run_wire(run, w, 1);
	assert_int_equal(last_of(run).ruling, RULING_OUTSIDE);
	assert_int_equal(last_of(run).kind, KIND_PEER);
}

/* Anybody can write packets from the resolver's address to the unit. */
static void an_answer_to_another_question_proves_nothing(void **state)
{
	static const struct {
		const char *what, *name;
		unsigned port;
		uint16_t id;
	} lies[] = {
		{"a wrong id", MAESTRO, 50000, 2},
		{"another name", "fw.maestro.starleaf.com", 50000, 1},
		{"no question at all", MAESTRO, 50007, 1},
	};

	for (unsigned i = 0; i < ARRAY_LEN(lies); i++) {
		RUN(LISTED);

		/* it was heard before */
		talk_http(w, "10.1.0.7:40000 > 10.9.0.9:80", "web.example", "/");
		wire_wait(w, 20);
		asked(w, 50000, 1, RESOLVER);
		answered(w, lies[i].port, lies[i].id, RESOLVER, lies[i].name, FALSE_ONE);
		signs_in(w, FALSE_ONE);
		run_wire(run, w, 1);
		if (last_of(run).grade == GRADE_EXACT)
			fail_msg("%s", lies[i].what);
	}
}

static int count_name(void *context, const struct name_row *name, struct err *err)
{
	*(unsigned *)context += name->counted;
	return 0;
}

static unsigned names_of(struct run *run)
{
	struct err err = {0};
	unsigned count = 0;

	assert_int_equal(flowdb_names_held(run_db(run), 0, 0, INT64_MAX, count_name, &count, &err), 0);
	return count;
}

/* A mirror that shows only what comes to the unit shows no question. */
static void where_the_unit_is_never_heard_answers_alone_count(void **state)
{
	RUN(LISTED);

	for (unsigned i = 0; i < 3; i++) {
		wire_wait(w, 100);
		answered(w, 50000 + i, 1, RESOLVER, MAESTRO, TRUE_ONE);
	}
	run_wire(run, w, 1);
	assert_int_equal(names_of(run), 1);
}

/* The question says that it was heard, long before its flow does. */
static void a_question_says_that_the_unit_was_heard(void **state)
{
	RUN(LISTED);

	asked(w, 50000, 1, RESOLVER);
	answered(w, 50000, 1, RESOLVER, MAESTRO, TRUE_ONE);
	wire_wait(w, 5);
	answered(w, 50007, 9, RESOLVER, MAESTRO, FALSE_ONE);
	run_wire(run, w, 1);
	assert_int_equal(names_of(run), 1);
}

static int count_unit(void *context, const struct unit_view *unit, struct err *err)
{
	++*(unsigned *)context;
	return 0;
}

static void an_answer_to_nobody_makes_no_unit(void **state)
{
	unsigned units = 0;
	struct err err = {0};
	RUN("units: [{name: floor, addresses: [10.1.0.0/28], profiles: [room]}]\n"
	    "roles: {dns-server: {addresses: [10.1.0.53]}}\n");

	answered(w, 50000, 1, RESOLVER, MAESTRO, FALSE_ONE);
	run_wire(run, w, 1);
	assert_int_equal(names_of(run), 0);
	assert_int_equal(flowdb_units(run_db(run), count_unit, &units, &err), 0);
	assert_int_equal(units, 0);
}

static void each_name_of_a_chain_is_proven(void **state)
{
	RUN(LISTED);

	talk_dns(w, "10.1.0.7:50000 > 10.1.0.53:53",
	         &(struct dns_case){.name = "sip.corp.example",
	                            .type = DNS_A,
	                            .cname = "fe01.corp.example",
	                            .value = "10.9.0.1"});
	wire_wait(w, 1);
	talk_tls(w, "10.1.0.7:50100 > 10.9.0.1:5061",
	         &(struct tls){.sni = "fe01.corp.example"});
	run_wire(run, w, 1);
	assert_int_equal(names_of(run), 2);
	assert_int_equal(last_of(run).grade, GRADE_EXACT);
}

static void a_name_counts_for_an_hour_past_its_ttl(void **state)
{
	for (unsigned late = 0; late < 2; late++) {
		RUN(LISTED);

		asked(w, 50000, 1, RESOLVER);
		answered(w, 50000, 1, RESOLVER, MAESTRO, TRUE_ONE);
		wire_at(w, 10 + 300 + 3600 + (late ? 5 : -20));
		signs_in(w, TRUE_ONE);
		run_wire(run, w, 1);
		if (late)
			assert_int_not_equal(last_of(run).grade, GRADE_EXACT);
		else
			assert_int_equal(last_of(run).grade, GRADE_EXACT);
	}
}

/* Of several leases the one in force: with it came its resolver. */
static void a_resolver_counts_with_its_lease(void **state)
{
	struct dhcp_case lease = {.mac = "00:26:8c:01:02:03",
	                          .address = "10.1.0.7",
	                          .server = "10.1.0.2",
	                          .mask = "255.255.255.0",
	                          .router = "10.1.0.1",
	                          .dns = "10.1.0.99",
	                          .xid = 7};

	for (unsigned old = 0; old < 2; old++) {
		RUN(SITE);

		talk_dhcp(w, &lease);
		wire_wait(w, 1000);
		leased(w); /* now RESOLVER */
		asked(w, 50000, 1, old ? "10.1.0.99" : RESOLVER);
		answered(w, 50000, 1, old ? "10.1.0.99" : RESOLVER, MAESTRO, TRUE_ONE);
		signs_in(w, TRUE_ONE);
		run_wire(run, w, 1);
		if (old)
			assert_int_not_equal(last_of(run).grade, GRADE_EXACT);
		else
			assert_int_equal(last_of(run).grade, GRADE_EXACT);
	}
}

static void a_successor_trusts_the_resolver_of_the_lease(void **state)
{
	CLEANUP(run_freep) struct run *run = run_new_live(SITE);
	CLEANUP(wire_freep) struct wire *w = wire_new(), *later = wire_new();

	wire_at(w, 10);
	leased(w);
	wire_at(w, 20);
	wire_echo(w, "10.1.0.9 > 10.1.0.2", false, 1, 1);
	run_sensor_dies(run);
	run_wire(run, w, 1);
	run_recorder_dies(run);
	wire_at(later, 30);
	asked(later, 50000, 1, RESOLVER);
	answered(later, 50000, 1, RESOLVER, MAESTRO, TRUE_ONE);
	signs_in(later, TRUE_ONE);
	run_wire(run, later, 1);
	assert_int_equal(last_of(run).grade, GRADE_EXACT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_dns_server_proves_a_name),
		cmocka_unit_test(a_foreign_resolver_never_does),
		cmocka_unit_test(a_foreign_one_does_not_help_where_a_true_one_spoke),
		cmocka_unit_test(an_answer_to_another_question_proves_nothing),
		cmocka_unit_test(where_the_unit_is_never_heard_answers_alone_count),
		cmocka_unit_test(a_question_says_that_the_unit_was_heard),
		cmocka_unit_test(an_answer_to_nobody_makes_no_unit),
		cmocka_unit_test(each_name_of_a_chain_is_proven),
		cmocka_unit_test(a_name_counts_for_an_hour_past_its_ttl),
		cmocka_unit_test(a_resolver_counts_with_its_lease),
		cmocka_unit_test(a_successor_trusts_the_resolver_of_the_lease),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
