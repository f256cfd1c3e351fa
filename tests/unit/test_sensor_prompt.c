/*
 * test_sensor_prompt.c - what somebody waits for is told at once: answers, and requests that are asked again or
 * turned down; and which requests the end of a run waits for.
 */
#include "tests/lib/message.h"
#include "tests/lib/sensing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define QUESTION "10.1.0.7:40000 > 10.0.0.53:53"
#define ANSWER "10.0.0.53:53 > 10.1.0.7:40000"
#define CONNECTS "10.1.0.7:40001 > 10.2.0.9:443"
#define ACCEPTS "10.2.0.9:443 > 10.1.0.7:40001"

static struct sensing *bench_of(bool prompt)
{
	struct sensing *bench = sensing_new(64);

	bench->options.prompt = prompt;
	sensing_again(bench, false, START_US);
	forget_told(bench);
	return bench;
}
#define BENCH(prompt) CLEANUP(sensing_freep) struct sensing *bench = bench_of(prompt)

static void question(struct sensing *bench, double at_s)
{
	size_t from = wire_count(bench->wire);
	struct message message = message_dns_query(7, "a.example", DNS_A);

	wire_at(bench->wire, at_s);
	wire_udp(bench->wire, QUESTION, message.b, message.len);
	show_from(bench, from);
}

static void answer(struct sensing *bench, double at_s)
{
	size_t from = wire_count(bench->wire);
	struct message message = message_dns_answer(7, "a.example", DNS_A, NULL, "10.9.0.1", 60);

	wire_at(bench->wire, at_s);
	wire_udp(bench->wire, ANSWER, message.b, message.len);
	show_from(bench, from);
}

static void segment(struct sensing *bench, const char *tuple, const char *flags, double at_s)
{
	size_t from = wire_count(bench->wire);

	wire_at(bench->wire, at_s);
	wire_tcp(bench->wire, tuple, flags, NULL, 0);
	show_from(bench, from);
}

static unsigned flow_events(struct sensing *bench)
{
	read_facts(bench, TOLD_MAX);
	return told_of(bench, EVENT_FLOW_SETTLED) + told_of(bench, EVENT_FLOW_UPDATE) +
	       told_of(bench, EVENT_FLOW_END);
}

static void an_answer_is_told_at_once_and_once(void **state)
{
	BENCH(true);

	question(bench, 1);
	assert_int_equal(flow_events(bench), 0);
	answer(bench, 1.01);
	assert_int_equal(flow_events(bench), 1);
	answer(bench, 1.02);
	question(bench, 2);
	answer(bench, 2.01);
	assert_int_equal(flow_events(bench), 1);
}

static void an_answer_to_what_nobody_knows_is_told_when_it_has_settled(void **state)
{
	BENCH(true);
	size_t from;

	datagram(bench, 50000, 1);
	idle(bench, 12);
	assert_int_equal(flow_events(bench), 1);
	from = wire_count(bench->wire);
	wire_at(bench->wire, 13);
	wire_udp(bench->wire, "10.2.0.9:51000 > 10.1.0.7:50000", "and?", 4);
	show_from(bench, from);
	assert_int_equal(flow_events(bench), 2);
}

static void nobody_is_told_who_does_not_ask(void **state)
{
	BENCH(false);

	question(bench, 1);
	answer(bench, 1.01);
	question(bench, 2);
	segment(bench, CONNECTS, "S", 2);
	segment(bench, CONNECTS, "S", 3);
	assert_int_equal(flow_events(bench), 0);
}

static void a_request_is_told_of_when_it_is_asked_again(void **state)
{
	BENCH(true);

	segment(bench, CONNECTS, "S", 1);
	assert_int_equal(flow_events(bench), 0);
	segment(bench, CONNECTS, "S", 2);
	assert_int_equal(flow_events(bench), 1);
	segment(bench, CONNECTS, "S", 4);
	assert_int_equal(flow_events(bench), 1);
	segment(bench, ACCEPTS, "SA", 4.1);
	assert_int_equal(flow_events(bench), 1); /* it settles with what is said in it */
}

static void a_request_that_is_turned_down_is_told_of(void **state)
{
	BENCH(true);
	size_t from;

	question(bench, 1);
	from = wire_count(bench->wire);
	wire_at(bench->wire, 1.01);
	wire_icmp_error(bench->wire, "10.1.0.1 > 10.1.0.7", 3, 13);
	show_from(bench, from);
	assert_int_equal(flow_events(bench), 1);
}

/* -------------------------------------------------------------- at the end */

static bool is_unit(const void *context, const struct addr *addr, const struct mac *mac, bool sent)
{
	char text[ADDR_TEXT];

	return !strcmp(addr_print(addr, text), context);
}

static bool waits(const struct sensing *bench, double by_s)
{
	return sensor_waits(bench->sensor, START_US + (int64_t)(by_s * 1e6));
}

static void units_are(struct sensing *bench, const char *unit)
{
	bench->options.unwrap = (struct unwrap_options){is_unit, unit};
	sensing_again(bench, false, START_US);
}

static void a_question_asked_once_is_waited_for_until_nobody_asks_again(void **state)
{
	BENCH(true);

	units_are(bench, "10.1.0.7");
	assert_false(waits(bench, 0));
	question(bench, 1);
	assert_true(waits(bench, 1));
	idle(bench, 6.9);
	assert_true(waits(bench, 1.5));
	idle(bench, 7);
	assert_false(waits(bench, 1.5));
}

static void one_asked_twice_until_its_silence_says_something(void **state)
{
	BENCH(true);

	units_are(bench, "10.1.0.7");
	segment(bench, CONNECTS, "S", 1);
	segment(bench, CONNECTS, "S", 2);
	idle(bench, 3.9);
	assert_true(waits(bench, 2));
	segment(bench, CONNECTS, "S", 4);
	idle(bench, 4.9);
	assert_true(waits(bench, 2)); /* the last try is just out */
	idle(bench, 5);
	assert_false(waits(bench, 2));
}

static void an_answer_ends_the_waiting(void **state)
{
	BENCH(true);

	units_are(bench, "10.1.0.7");
	question(bench, 1);
	segment(bench, CONNECTS, "S", 1);
	answer(bench, 1.1);
	assert_true(waits(bench, 1.5));
	segment(bench, ACCEPTS, "SA", 1.2);
	assert_false(waits(bench, 1.5));
}

static void what_is_asked_after_the_end_is_not_waited_for(void **state)
{
	BENCH(true);

	units_are(bench, "10.1.0.7");
	question(bench, 2);
	assert_false(waits(bench, 1.9));
	assert_true(waits(bench, 2));
}

static void what_others_ask_is_not_waited_for(void **state)
{
	BENCH(true);

	units_are(bench, "10.1.0.8");
	question(bench, 1);
	datagram(bench, 50000, 1);
	assert_false(waits(bench, 2));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_is_told_at_once_and_once),
		cmocka_unit_test(an_answer_to_what_nobody_knows_is_told_when_it_has_settled),
		cmocka_unit_test(nobody_is_told_who_does_not_ask),
		cmocka_unit_test(a_request_is_told_of_when_it_is_asked_again),
		cmocka_unit_test(a_request_that_is_turned_down_is_told_of),
		cmocka_unit_test(a_question_asked_once_is_waited_for_until_nobody_asks_again),
		cmocka_unit_test(one_asked_twice_until_its_silence_says_something),
		cmocka_unit_test(an_answer_ends_the_waiting),
		cmocka_unit_test(what_is_asked_after_the_end_is_not_waited_for),
		cmocka_unit_test(what_others_ask_is_not_waited_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
