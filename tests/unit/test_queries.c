/*
 * test_queries.c - an LLMNR answer and its query, two flows: joined by who asked and the transaction, in
 * whatever order the mirror shows them; and what is made of an answer that nobody asked for.
 */
#include "monitor/capture/queries.h"
#include "tests/lib/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SITE \
	"site: Test\n" \
	"units:\n" \
	"  - {name: board, addresses: [10.1.0.7, \"2001:db8::7\"], profiles: [room]}\n"
#define SUBNET SITE "roles:\n  local-segment: {addresses: [10.1.0.0/24]}\n"

static const char QUERY[] = "10.1.0.7:51000 > 224.0.0.252:5355";

static struct message query_of(uint16_t id)
{
	struct message m = message_dns_query(id, "printer", DNS_A);

	m.b[2] = 0;
	return m;
}

static struct message answer_of(uint16_t id)
{
	struct message m = message_dns_answer(id, "printer", DNS_A, NULL, "10.1.0.9", 30);

	m.b[2] = 0x80;
	m.b[3] = 0;
	return m;
}

static void ask(struct wire *w, const char *tuple, uint16_t id)
{
	struct message m = query_of(id);

	talk_udp(w, tuple, &m);
}

static void answer(struct wire *w, const char *tuple, uint16_t id)
{
	struct message m = answer_of(id);

	talk_udp(w, tuple, &m);
}

static void asked_and_answered(struct wire *w)
{
	ask(w, QUERY, 7);
	answer(w, "10.1.0.9:5355 > 10.1.0.7:51000", 7);
}

static void answered_before_asked(struct wire *w)
{
	answer(w, "10.1.0.9:5355 > 10.1.0.7:51000", 7);
	ask(w, QUERY, 7);
}

static void answered_by_two(struct wire *w)
{
	answer(w, "10.1.0.9:5355 > 10.1.0.7:51000", 7);
	ask(w, QUERY, 7);
	answer(w, "10.1.0.10:5355 > 10.1.0.7:51000", 7);
}

static void over_ipv6(struct wire *w)
{
	ask(w, "[2001:db8::7]:51000 > [ff02::1:3]:5355", 7);
	answer(w, "[2001:db8::99]:5355 > [2001:db8::7]:51000", 7);
}

static void another_transaction(struct wire *w)
{
	ask(w, QUERY, 7);
	answer(w, "10.1.0.9:5355 > 10.1.0.7:51000", 8);
}

static void another_port(struct wire *w)
{
	ask(w, QUERY, 7);
	answer(w, "10.1.0.9:5355 > 10.1.0.7:51001", 7);
}

static void too_late(struct wire *w)
{
	ask(w, QUERY, 7);
	wire_wait(w, 6);
	answer(w, "10.1.0.9:5355 > 10.1.0.7:51000", 7);
}

static void far_too_early(struct wire *w)
{
	answer(w, "10.1.0.9:5355 > 10.1.0.7:51000", 7);
	wire_wait(w, 2);
	ask(w, QUERY, 7);
}

/* Many names from one port: their flow has long settled when the last one is asked for. */
static void the_twentieth_of_a_port(struct wire *w)
{
	for (uint16_t id = 1; id <= 20; id++) {
		ask(w, QUERY, id);
		wire_wait(w, 1);
	}
	answer(w, "10.1.0.9:5355 > 10.1.0.7:51000", 20);
}

static void somebody_else_asked(struct wire *w)
{
	ask(w, "10.1.0.9:51000 > 224.0.0.252:5355", 7);
	answer(w, "10.1.0.7:5355 > 10.1.0.9:51000", 7);
}

static void by_tcp(struct wire *w)
{
	struct message q = query_of(7), a = answer_of(7);

	q = message_framed(&q, 2);
	a = message_framed(&a, 2);
	asked_and_answered(w);
	talk_tcp(w, "10.1.0.7:51002 > 10.1.0.9:5355", &q, &a);
}

#define ASKED "udp out(request) llmnr unknown: documented exact room.out.llmnr"
#define PROVEN "udp out(request) llmnr answered: documented exact room.out.llmnr solicited"
#define UNASKED "udp out(request) llmnr unknown: documented unproven room.out.llmnr why=too-few-packets"

static void an_answer_takes_the_row_of_its_query(void **state)
{
	static const struct story stories[] = {
		{"in order", asked_and_answered, ASKED " | " PROVEN},
		{"the mirror's directions cross", answered_before_asked, PROVEN " | " ASKED},
		{"two have an answer", answered_by_two, PROVEN " | " ASKED " | " PROVEN},
		{"IPv6", over_ipv6, ASKED " | " PROVEN},
		{"the twentieth name", the_twentieth_of_a_port, ASKED " | " PROVEN},
		{"the answer was cut: again by TCP", by_tcp,
		 ASKED " | " PROVEN " | tcp out(syn) llmnr answered: documented unproven room.out.llmnr why=role-unknown"},
	};

	assert_stories(SITE, stories);
}

static void an_answer_to_nothing_is_judged_as_it_stands(void **state)
{
	static const struct story stories[] = {
		{"another transaction", another_transaction, ASKED " | " UNASKED},
		{"another port", another_port, ASKED " | " UNASKED},
		{"too late", too_late, ASKED " | " UNASKED},
		{"far too early", far_too_early, UNASKED " | " ASKED},
	};

	assert_stories(SITE, stories);
}

static void the_unit_that_answers_others_is_undocumented(void **state)
{
	static const struct story stories[] = {
		{"the unit as responder", somebody_else_asked,
		 "udp in(request) llmnr answered: outside direction info room.out.llmnr solicited"},
	};

	assert_stories(SUBNET, stories);
	assert_stories(SITE, stories);
}

static void the_table_gives_way_to_what_is_newer(void **state)
{
	struct queries *queries = queries_new();
	struct packet packet = {.time_us = 1000000, .src_port = 50000, .dst_port = 50000};
	struct flow_key key = {.port = {1, 2}}, found;

	assert_non_null(queries);
	for (unsigned i = 0; i < 100000; i++) {
		packet.time_us++;
		queries_ask(queries, &packet, (uint16_t)i);
		assert_true(queries_answer(queries, &packet, (uint16_t)i, &key));
	}
	assert_false(queries_answer(queries, &packet, 1, &key)); /* it had to go; this one waits */
	assert_true(queries_early(queries, &packet, 1, &found));
	assert_memory_equal(&found, &key, sizeof(key));
	assert_false(queries_early(queries, &packet, 1, &found)); /* each once */
	queries_clear(queries);
	assert_false(queries_answer(queries, &packet, (uint16_t)(100000 - 1), &key));
	queries_free(queries);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_takes_the_row_of_its_query),
		cmocka_unit_test(an_answer_to_nothing_is_judged_as_it_stands),
		cmocka_unit_test(the_unit_that_answers_others_is_undocumented),
		cmocka_unit_test(the_table_gives_way_to_what_is_newer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
