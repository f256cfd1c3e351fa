/*
 * test_sensor_full.c - the sensor live, while the recorder is slow or gone: what waits, in which order
 * it is told, what is given up and counted.
 */
#include "tests/lib/sensing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define BENCH(flows) CLEANUP(sensing_freep) struct sensing *bench = sensing_new(flows)

/* ------------------------------------------------------------- flows that wait */

static void flows_without_room_wait_and_are_told_in_order(void **state)
{
	uint64_t last = 0;
	BENCH(4096);

	for (unsigned i = 0; i < 2000; i++)
		syn(bench, i, 0.001 * i);
	idle(bench, 60); /* all of them are over */
	assert_in_range(sensor_untold(bench->sensor), 1200, 1999);
	assert_true(bench->full > 0);
	read_all(bench, 60);
	must_have_ended(bench, 2000);
	for (unsigned i = 0; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_FLOW_END) {
			assert_true(bench->told[i].id > last);
			last = bench->told[i].id;
		}
	assert_int_equal(bench->counters.evicted, 0);
	assert_int_equal(bench->counters.told_shed, 0);
}

static void new_events_do_not_overtake_what_waits(void **state)
{
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	syn(bench, 1, 0);
	idle(bench, 31);
	assert_int_equal(sensor_untold(bench->sensor), 1);
	syn(bench, 2, 32);
	forget_told(bench);
	idle(bench, 63); /* now there is room for both */
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 2);
	for (unsigned i = 0, n = 0; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_FLOW_END)
			assert_int_equal(bench->told[i].id, ++n);
}

static void what_settles_does_not_overtake_what_waits_either(void **state)
{
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	syn(bench, 1, 0);
	datagram(bench, 50000, 25);
	idle(bench, 31);
	assert_int_equal(sensor_untold(bench->sensor), 1);
	forget_told(bench);
	idle(bench, 36);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(bench->told[0].type, EVENT_FLOW_END);
	assert_int_equal(bench->told[1].type, EVENT_FLOW_SETTLED);
}

static void a_living_flow_that_waits_is_told_with_its_latest_facts(void **state)
{
	unsigned i = 0;
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	datagram(bench, 50000, 0);
	idle(bench, 11); /* it settles */
	assert_int_equal(sensor_untold(bench->sensor), 1);
	for (unsigned n = 0; n < 30; n++)
		datagram(bench, 50000, 12 + 3 * n); /* and would be told of again */
	assert_int_equal(sensor_untold(bench->sensor), 1);
	forget_told(bench);
	idle(bench, 100);
	read_facts(bench, TOLD_MAX);
	while (bench->told[i].type != EVENT_FLOW_SETTLED)
		assert_true(++i < bench->told_count);
	assert_int_equal(bench->told[i].packets, 31);
	assert_int_equal(sensor_untold(bench->sensor), 0);
	assert_int_equal(told_of(bench, EVENT_FLOW_UPDATE), 0);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	must_have_ended(bench, 1);
}

static void a_flow_that_ends_while_it_waits_sends_its_last_word_alone(void **state)
{
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	datagram(bench, 50000, 0);
	idle(bench, 11);
	idle(bench, 61);
	assert_int_equal(sensor_untold(bench->sensor), 1);
	forget_told(bench);
	idle(bench, 61.1);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_SETTLED), 0);
	must_have_ended(bench, 1);
}

static void another_flow_of_the_same_key_begins_while_one_waits(void **state)
{
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	for (unsigned i = 0; i < 3; i++) {
		datagram(bench, 50000, 100 * i);
		idle(bench, 100 * i + 61);
	}
	assert_int_equal(sensor_untold(bench->sensor), 3);
	forget_told(bench);
	idle(bench, 300);
	read_facts(bench, TOLD_MAX);
	must_have_ended(bench, 3);
}

static void of_a_full_table_the_flow_that_waited_longest_is_given_up(void **state)
{
	BENCH(8);

	forget_told(bench);
	fill_facts(bench);
	for (unsigned i = 0; i < 4; i++)
		syn(bench, i, 0);
	idle(bench, 40); /* four are over and wait */
	for (unsigned i = 4; i < 8; i++)
		syn(bench, i, 41);
	assert_int_equal(bench->counters.evicted, 0);
	syn(bench, 8, 42);
	syn(bench, 9, 42);
	assert_int_equal(bench->counters.evicted, 2);
	syn(bench, 4, 43); /* those that live are not touched */
	assert_int_equal(bench->counters.flows, 10);
	forget_told(bench);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 8);
	for (unsigned i = 0, n = 2; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_FLOW_END)
			assert_int_equal(bench->told[i].id, ++n);
}

static void where_none_waits_the_longest_idle_flow_is_given_up(void **state)
{
	BENCH(4);

	forget_told(bench);
	fill_facts(bench);
	for (unsigned i = 0; i < 6; i++)
		syn(bench, i, i);
	assert_int_equal(bench->counters.evicted, 2);
	assert_int_equal(sensor_untold(bench->sensor), 0);
	forget_told(bench);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 4);
	assert_int_equal(bench->told[0].id, 3);
}

static void at_the_end_the_ring_is_waited_for(void **state)
{
	BENCH(4096);

	for (unsigned i = 0; i < 3000; i++)
		syn(bench, i, 0.001 * i);
	idle(bench, 32);
	assert_true(sensor_untold(bench->sensor) > 1000);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	must_have_ended(bench, 3000);
	assert_int_equal(bench->told[bench->told_count - 1].type, EVENT_HEALTH);
	assert_true(bench->told[bench->told_count - 1].flag);
	assert_int_equal(bench->told[bench->told_count - 1].packets, 3000);
}

static void what_cannot_be_told_for_good_is_counted(void **state)
{
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	bench->gone = true;
	for (unsigned i = 0; i < 10; i++)
		syn(bench, i, i);
	sensor_end(bench->sensor, true);
	assert_int_equal(bench->counters.evicted, 10);
	assert_int_equal(sensor_untold(bench->sensor), 0);
}

static void another_sensor_goes_on_where_the_end_is_not_the_last(void **state)
{
	BENCH(64);

	syn(bench, 1, 0);
	sensor_end(bench->sensor, false);
	read_facts(bench, TOLD_MAX);
	must_have_ended(bench, 1);
	for (unsigned i = 0; i < bench->told_count; i++)
		assert_false(bench->told[i].flag);
}

static void a_reader_that_comes_and_goes_misses_nothing(void **state)
{
	uint32_t dice = 7;
	unsigned begun = 0;
	BENCH(8192);

	for (unsigned i = 0; i < 12000; i++) {
		dice = dice * 1664525 + 1013904223;
		switch (dice >> 28) {
		case 0:
			read_facts(bench, dice >> 20 & 3);
			break;
		case 1:
			read_packets(bench, dice >> 20 & 63);
			break;
		case 2:
		case 3:
		case 4:
			datagram(bench, 40000 + (dice >> 20 & 63), 0.01 * i);
			break;
		default:
			syn(bench, dice >> 8 & 2047, 0.01 * i);
		}
	}
	assert_true(bench->full > 0);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	begun = (unsigned)bench->counters.flows;
	assert_true(begun > 3000);
	must_have_ended(bench, begun);
	assert_int_equal(bench->counters.evicted, 0);
	assert_int_equal(bench->counters.told_shed, 0);
}

/* ------------------------------------------------------- names, health, the beginning */

static void names_wait_in_a_queue_and_its_overflow_is_counted(void **state)
{
	unsigned names = OUTBOX_NAMES_MAX + 10, n = 0;
	BENCH(16384);

	forget_told(bench);
	fill_facts(bench);
	for (unsigned i = 0; i < names; i++)
		ask(bench, i, 0.0001 * i);
	assert_int_equal(bench->counters.told_shed, 10);
	forget_told(bench);
	read_all(bench, 5);
	assert_int_equal(told_of(bench, EVENT_NAME), OUTBOX_NAMES_MAX);
	for (unsigned i = 0; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_NAME) {
			char name[32];

			snprintf(name, sizeof(name), "h%u.example", n++);
			assert_string_equal(bench->told[i].name, name);
		}
	ask(bench, 1, 6); /* and now there is room again */
	read_all(bench, 7);
	assert_int_equal(told_of(bench, EVENT_NAME), OUTBOX_NAMES_MAX + 1);
	assert_int_equal(bench->counters.told_shed, 10);
}

static void names_and_flows_that_wait_go_in_the_order_in_which_they_came(void **state)
{
	static const uint16_t order[] = {EVENT_FLOW_END, EVENT_NAME, EVENT_FLOW_END};
	unsigned n = 0;
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	syn(bench, 1, 0);
	idle(bench, 31);
	ask(bench, 1, 32);
	syn(bench, 2, 33);
	idle(bench, 64);
	forget_told(bench);
	idle(bench, 65);
	read_facts(bench, TOLD_MAX);
	for (unsigned i = 0; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_NAME ||
		    bench->told[i].type == EVENT_FLOW_END) {
			assert_true(n < ARRAY_LEN(order));
			assert_int_equal(bench->told[i].type, order[n++]);
		}
	assert_int_equal(n, ARRAY_LEN(order));
}

static void health_without_room_is_told_once_with_the_sums(void **state)
{
	BENCH(64);

	forget_told(bench);
	fill_facts(bench);
	for (unsigned i = 0; i < 10; i++) {
		syn(bench, i, i);
		idle(bench, i + 0.5);
	}
	forget_told(bench);
	idle(bench, 10);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_HEALTH), 1);
	assert_int_equal(bench->told[0].packets, 10);
}

static void the_beginning_is_the_first_event(void **state)
{
	for (unsigned again = 0; again < 2; again++) {
		BENCH(64);

		forget_told(bench);
		sensing_again(bench, again, START_US + 5 * SECOND);
		syn(bench, 1, 7);
		read_facts(bench, TOLD_MAX);
		assert_int_equal(bench->told[0].type, EVENT_BEGIN);
		assert_int_equal(bench->told[0].since_us, START_US + 5 * SECOND);
		assert_int_equal(bench->told[0].flag, again);
		assert_int_equal(told_of(bench, EVENT_BEGIN), 1);
	}
}

static void the_beginning_waits_for_room_and_nothing_goes_before_it(void **state)
{
	BENCH(64);

	fill_facts(bench);
	sensing_again(bench, true, START_US);
	ask(bench, 1, 1);
	syn(bench, 1, 2);
	idle(bench, 33);
	forget_told(bench);
	idle(bench, 34);
	idle(bench, 34);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(bench->told[0].type, EVENT_BEGIN);
	assert_true(told_of(bench, EVENT_NAME) == 1 && told_of(bench, EVENT_HEALTH));
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 1);
}

static void no_health_is_told_before_the_beginning(void **state)
{
	struct outbox *outbox;
	BENCH(64);

	forget_told(bench);
	outbox = outbox_new(&bench->options.outbox, &bench->counters);
	fill_facts(bench);
	outbox_begin(outbox, START_US, true);
	forget_told(bench); /* there is room, but it was not used yet */
	assert_false(outbox_health(outbox, &bench->counters, 0, START_US, false));
	assert_true(outbox_flush(outbox, UINT64_MAX));
	assert_true(outbox_health(outbox, &bench->counters, 0, START_US, false));
	outbox_free(outbox);
}

static void without_room_streams_are_given_up_and_counted(void **state)
{
	BENCH(8192);

	for (unsigned i = 0; i < STREAMS_DEFAULT; i++)
		begin_request(bench, 1 + i, 0.0001 * i);
	assert_int_equal(bench->counters.streams_shed, 0);
	for (unsigned i = 0; i < 100; i++)
		begin_request(bench, 10000 + i, 1);
	assert_int_equal(bench->counters.streams_shed, 200);
	read_all(bench, 60); /* all went back when their flows settled */
	for (unsigned i = 0; i < 100; i++)
		begin_request(bench, 20000 + i, 61);
	assert_int_equal(bench->counters.streams_shed, 200);
}

/* A DNS flow learns on after it has settled, an hour long over TCP: that must blind us for nothing. */
static void flows_that_learn_on_give_their_places_to_new_ones(void **state)
{
	BENCH(64);

	bench->options.limits.young = 4;
	sensing_again(bench, false, START_US);
	for (unsigned i = 1; i <= 4; i++)
		ask(bench, i, 0.1 * i);
	idle(bench, 12);
	forget_told(bench);
	datagram(bench, 60000, 13); /* in the place of the first */
	assert_int_equal(bench->counters.inspected, 1);
	idle(bench, 22.5);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_SETTLED), 0);
	idle(bench, 23.5);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_SETTLED), 1);
	assert_int_equal(told_of(bench, EVENT_FLOW_UPDATE), 0);
	assert_int_equal(bench->counters.young_shed, 0); /* nobody missed anything */
	for (unsigned i = 0; i < 4; i++)
		datagram(bench, 60001 + i, 24);
	forget_told(bench);
	for (unsigned i = 1; i <= 4; i++)
		ask(bench, i, 25 + 0.1 * i); /* those of before, each in the place of another */
	idle(bench, 37);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_NAME), 4);
	assert_int_equal(told_of(bench, EVENT_FLOW_SETTLED), 4);
	assert_int_equal(told_of(bench, EVENT_FLOW_UPDATE), 0);
	assert_true(bench->counters.young_shed >= 4);
	for (unsigned i = 1; i <= 4; i++)
		ask(bench, i, 50 + 0.1 * i);
	for (unsigned i = 1; i <= 4; i++)
		ask(bench, i, 75 + 0.1 * i);
	read_facts(bench, TOLD_MAX);
	assert_true(told_of(bench, EVENT_FLOW_UPDATE) >= 4); /* a minute has passed */
}

static void the_flow_that_had_most_time_gives_its_place_and_is_counted(void **state)
{
	BENCH(64);

	bench->options.limits.young = 1;
	sensing_again(bench, false, START_US);
	forget_told(bench);
	datagram(bench, 60000, 0);
	datagram(bench, 60001, 1);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_SETTLED), 1);
	assert_int_equal(bench->counters.young_shed, 1);
	ask(bench, 1, 2); /* one that learns on gives it too */
	datagram(bench, 60002, 3);
	assert_int_equal(bench->counters.young_shed, 3);
	assert_int_equal(bench->counters.inspected, 3);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_SETTLED), 3);
	idle(bench, 14);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_SETTLED), 4);
}

/* ------------------------------------------------------------- first packets of flows */

static void first_packets_are_shed_and_counted_once_the_ring_is_half_full(void **state)
{
	uint64_t used;
	BENCH(4096);

	bench->options.keep = KEEP_FULL;
	sensing_again(bench, false, START_US);
	forget_told(bench);
	for (unsigned i = 0; !bench->counters.evidence_shed; i++)
		syn(bench, i, 0.001 * i);
	used = ring_written(bench->facts) - ring_released(bench->facts);
	assert_in_range(used, ring_size(bench->facts) / 2, ring_size(bench->facts) / 2 + 200);
	assert_int_equal(bench->counters.told_shed, 0);
	idle(bench, 60);
	assert_true(ring_written(bench->facts) - ring_released(bench->facts) > used); /* flows are not */
	read_all(bench, 60);
	must_have_ended(bench, (unsigned)bench->counters.flows);
	assert_int_equal(told_of(bench, EVENT_SAMPLE) + bench->counters.evidence_shed,
	                 bench->counters.flows);
}

static void no_more_than_eight_of_a_flow_are_copied(void **state)
{
	BENCH(64);

	bench->options.keep = KEEP_FULL;
	sensing_again(bench, false, START_US);
	forget_told(bench);
	for (unsigned i = 0; i < 20; i++)
		datagram(bench, 5000, 0.1 * i);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_SAMPLE), SAMPLE_PACKETS);
	assert_int_equal(bench->counters.evidence_shed, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_packets_are_shed_and_counted_once_the_ring_is_half_full),
		cmocka_unit_test(no_more_than_eight_of_a_flow_are_copied),
		cmocka_unit_test(flows_without_room_wait_and_are_told_in_order),
		cmocka_unit_test(new_events_do_not_overtake_what_waits),
		cmocka_unit_test(what_settles_does_not_overtake_what_waits_either),
		cmocka_unit_test(a_living_flow_that_waits_is_told_with_its_latest_facts),
		cmocka_unit_test(a_flow_that_ends_while_it_waits_sends_its_last_word_alone),
		cmocka_unit_test(another_flow_of_the_same_key_begins_while_one_waits),
		cmocka_unit_test(of_a_full_table_the_flow_that_waited_longest_is_given_up),
		cmocka_unit_test(where_none_waits_the_longest_idle_flow_is_given_up),
		cmocka_unit_test(at_the_end_the_ring_is_waited_for),
		cmocka_unit_test(what_cannot_be_told_for_good_is_counted),
		cmocka_unit_test(another_sensor_goes_on_where_the_end_is_not_the_last),
		cmocka_unit_test(a_reader_that_comes_and_goes_misses_nothing),
		cmocka_unit_test(names_wait_in_a_queue_and_its_overflow_is_counted),
		cmocka_unit_test(names_and_flows_that_wait_go_in_the_order_in_which_they_came),
		cmocka_unit_test(health_without_room_is_told_once_with_the_sums),
		cmocka_unit_test(the_beginning_is_the_first_event),
		cmocka_unit_test(the_beginning_waits_for_room_and_nothing_goes_before_it),
		cmocka_unit_test(no_health_is_told_before_the_beginning),
		cmocka_unit_test(without_room_streams_are_given_up_and_counted),
		cmocka_unit_test(flows_that_learn_on_give_their_places_to_new_ones),
		cmocka_unit_test(the_flow_that_had_most_time_gives_its_place_and_is_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
