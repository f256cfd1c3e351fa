/*
 * test_sensor_live.c - the sensor live: an inspector that is slow or off, clocks that are set, and a
 * sensor that takes the place of another.
 */
#include "tests/lib/sensing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define BENCH(flows) CLEANUP(sensing_freep) struct sensing *bench = sensing_new(flows)

/* ------------------------------------------------------------- the inspector */

static void packets_without_room_are_shed_and_the_flow_goes_on(void **state)
{
	BENCH(64);

	fill_packets(bench);
	datagram(bench, 50000, 0);
	datagram(bench, 50000, 0.1);
	assert_int_equal(bench->counters.inspect_shed, 2);
	assert_int_equal(bench->counters.inspected, 0);
	read_packets(bench, TOLD_MAX);
	bench->handed_count = 0;
	datagram(bench, 50000, 0.2);
	datagram(bench, 50000, 0.3);
	read_packets(bench, TOLD_MAX);
	assert_int_equal(bench->counters.inspected, 2);
	assert_true(bench->handed[0].flag); /* what it gets first opens the flow */
	assert_false(bench->handed[1].flag);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	must_have_ended(bench, 1);
}

static void a_word_to_forget_waits_for_room(void **state)
{
	BENCH(64);

	datagram(bench, 50000, 0);
	datagram(bench, 50001, 0);
	read_packets(bench, TOLD_MAX);
	fill_packets(bench);
	idle(bench, 11);
	datagram(bench, 50002, 12);
	assert_int_equal(bench->counters.inspect_shed, 1);
	read_packets(bench, TOLD_MAX);
	bench->handed_count = 0;
	datagram(bench, 50002, 13);
	read_packets(bench, TOLD_MAX);
	assert_int_equal(bench->handed_count, 3);
	assert_int_equal(bench->handed[0].type, EVENT_FORGET);
	assert_int_equal(bench->handed[0].id, 1);
	assert_int_equal(bench->handed[1].type, EVENT_FORGET);
	assert_int_equal(bench->handed[1].id, 2);
	assert_int_equal(bench->handed[2].type, EVENT_PACKET);
}

static void of_too_many_words_to_forget_the_oldest_is_dropped(void **state)
{
	unsigned flows = OUTBOX_FORGETS_MAX + 20;
	BENCH(16384);

	for (unsigned i = 0; i < flows; i++) {
		datagram(bench, 10000 + i, 0.001 * i);
		read_packets(bench, TOLD_MAX);
	}
	read_packets(bench, TOLD_MAX);
	bench->handed_count = 0;
	fill_packets(bench);
	idle(bench, 20);
	while (read_packets(bench, TOLD_MAX))
		;
	bench->handed_count = 0;
	do
		idle(bench, 20);
	while (read_packets(bench, TOLD_MAX));
	assert_int_equal(bench->handed_count, OUTBOX_FORGETS_MAX);
	assert_int_equal(bench->handed[0].type, EVENT_FORGET);
	assert_int_equal(bench->handed[0].id, 21);
	assert_int_equal(bench->handed[OUTBOX_FORGETS_MAX - 1].type, EVENT_FORGET);
	assert_int_equal(bench->handed[OUTBOX_FORGETS_MAX - 1].id, flows);
}

static void an_inspector_that_is_off_is_handed_nothing(void **state)
{
	BENCH(64);

	datagram(bench, 50000, 0);
	bench->off = 1;
	datagram(bench, 50000, 0.1);
	datagram(bench, 50001, 0.1);
	idle(bench, 11);
	assert_int_equal(read_packets(bench, TOLD_MAX), 1);
	assert_int_equal(bench->counters.inspect_shed, 2);
	bench->off = 0;
	datagram(bench, 50002, 12);
	assert_int_equal(read_packets(bench, TOLD_MAX), 1);
	assert_true(bench->handed[1].flag);
}

static void a_full_ring_of_packets_is_waited_for_in_a_file(void **state)
{
	BENCH(64);

	bench->file = true;
	fill_packets(bench);
	datagram(bench, 50000, 0);
	assert_int_equal(bench->counters.inspect_shed, 0);
	assert_int_equal(bench->counters.inspected, 1);
}

/* ------------------------------------------------------------------ successors */

static void a_successor_counts_on_and_the_fatal_packet_is_malformed(void **state)
{
	BENCH(64);

	syn(bench, 1, 0);
	syn(bench, 2, 0);
	bench->counters.seen++; /* it died of the next one, before it was sorted in */
	forget_told(bench);
	sensing_again(bench, true, START_US + SECOND);
	must_add_up(bench);
	assert_int_equal(bench->counters.malformed, 1);
	syn(bench, 1, 2);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(bench->counters.seen, 4);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 1);
	for (unsigned i = 0; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_FLOW_END)
			assert_int_equal(bench->told[i].id, 4); /* no number is used again */
}

static void one_that_died_of_a_packet_already_counted_adds_none(void **state)
{
	BENCH(64);

	syn(bench, 1, 0);
	sensing_again(bench, true, START_US + SECOND);
	must_add_up(bench);
	assert_int_equal(bench->counters.malformed, 0);
}

/* ------------------------------------------------------------------------ clocks */

static void a_clock_set_back_ends_all_flows_and_is_told(void **state)
{
	const struct told *step;
	unsigned i = 0;
	BENCH(64);

	syn(bench, 1, 100);
	syn(bench, 2, 100);
	idle(bench, 101);
	idle_at(bench, 40, 102);
	assert_int_equal(sensor_now(bench->sensor), START_US + 40 * SECOND);
	read_facts(bench, TOLD_MAX);
	must_have_ended(bench, 2);
	while (bench->told[i].type != EVENT_BLIND)
		assert_true(++i < bench->told_count);
	step = &bench->told[i];
	assert_int_equal(step->since_us, START_US + 40 * SECOND);
	assert_int_equal(step->until_us, START_US + 101 * SECOND);
	/* from here on it is the new time */
	syn(bench, 1, 41);
	assert_int_equal(sensor_now(bench->sensor), START_US + 41 * SECOND);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	must_have_ended(bench, 3);
	assert_int_equal(told_of(bench, EVENT_BLIND), 1);
}

static void a_clock_set_forward_is_told_and_flows_go_on(void **state)
{
	unsigned i = 0;
	BENCH(64);

	syn(bench, 1, 100);
	idle(bench, 101);
	sensor_clock(bench->sensor, START_US + LATE_US + 111 * SECOND, 101500000);
	read_facts(bench, TOLD_MAX);
	while (bench->told[i].type != EVENT_BLIND)
		assert_true(++i < bench->told_count);
	assert_int_equal(bench->told[i].since_us, START_US + 101 * SECOND);
	assert_int_equal(bench->told[i].until_us, START_US + 111 * SECOND);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 0);
	/* a packet stamped before that comes late: it is no clock set back */
	syn(bench, 2, 101.4);
	sensor_clock(bench->sensor, START_US + LATE_US + 112 * SECOND, 102500000);
	assert_int_equal(sensor_now(bench->sensor), START_US + 111 * SECOND);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_BLIND), 1);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 0);
}

static void a_clock_that_drifts_or_a_sensor_that_stood_still_is_no_step(void **state)
{
	BENCH(64);

	for (unsigned i = 0; i < 100; i++) /* half a second each time, which no clock does */
		idle_at(bench, 1.5 * i, i);
	for (unsigned i = 0; i < 100; i++)
		idle_at(bench, 150 + 0.5 * i, 100 + i);
	/* it was stopped for an hour; packets of that time lie ready */
	idle_at(bench, 3800, 3800);
	syn(bench, 1, 300);
	idle_at(bench, 3801, 3801);
	/* one that was stamped a little early */
	syn(bench, 1, 3805);
	idle_at(bench, 3802, 3802);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_BLIND), 0);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 0);
}

static void a_clock_step_waits_where_there_is_no_room(void **state)
{
	BENCH(64);

	forget_told(bench);
	syn(bench, 1, 100);
	idle(bench, 101);
	fill_facts(bench);
	idle_at(bench, 40, 102);
	syn(bench, 1, 41);
	assert_int_equal(sensor_untold(bench->sensor), 1);
	forget_told(bench);
	idle_at(bench, 42, 104);
	sensor_end(bench->sensor, true);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_FLOW_END), 2);
	assert_int_equal(told_of(bench, EVENT_BLIND), 1);
}

/* The nth interval that was told of. */
static const struct told *blind_told(const struct sensing *bench, unsigned n)
{
	for (unsigned i = 0; i < bench->told_count; i++)
		if (bench->told[i].type == EVENT_BLIND && !n--)
			return &bench->told[i];
	fail_msg("it was not told of");
	return NULL;
}

static void a_file_whose_times_go_back_tells_so_once_until_they_are_there_again(void **state)
{
	BENCH(64);

	bench->options.live = false;
	sensing_again(bench, false, 0);
	syn(bench, 1, 100);
	syn(bench, 2, 99.5); /* out of order by less than a second */
	syn(bench, 3, 40);
	syn(bench, 4, 41);
	assert_int_equal(sensor_now(bench->sensor), START_US + 100 * SECOND);
	syn(bench, 5, 101);
	syn(bench, 6, 60);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_BLIND), 2);
	assert_int_equal(blind_told(bench, 0)->cause, BLIND_CLOCK_STEP);
	assert_int_equal(blind_told(bench, 0)->since_us, START_US + 40 * SECOND);
	assert_int_equal(blind_told(bench, 0)->until_us, START_US + 100 * SECOND);
	assert_int_equal(blind_told(bench, 1)->since_us, START_US + 60 * SECOND);
}

static void a_file_without_a_packet_for_an_hour_tells_so(void **state)
{
	BENCH(64);

	bench->options.live = false;
	sensing_again(bench, false, 0);
	syn(bench, 1, 100);
	syn(bench, 2, 3700);
	syn(bench, 3, 7301);
	read_facts(bench, TOLD_MAX);
	assert_int_equal(told_of(bench, EVENT_BLIND), 1);
	assert_int_equal(blind_told(bench, 0)->cause, BLIND_MIRROR_SILENT);
	assert_int_equal(blind_told(bench, 0)->since_us, START_US + 3700 * SECOND);
	assert_int_equal(blind_told(bench, 0)->until_us, START_US + 7301 * SECOND);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(packets_without_room_are_shed_and_the_flow_goes_on),
		cmocka_unit_test(a_word_to_forget_waits_for_room),
		cmocka_unit_test(of_too_many_words_to_forget_the_oldest_is_dropped),
		cmocka_unit_test(an_inspector_that_is_off_is_handed_nothing),
		cmocka_unit_test(a_full_ring_of_packets_is_waited_for_in_a_file),
		cmocka_unit_test(a_successor_counts_on_and_the_fatal_packet_is_malformed),
		cmocka_unit_test(one_that_died_of_a_packet_already_counted_adds_none),
		cmocka_unit_test(a_clock_set_back_ends_all_flows_and_is_told),
		cmocka_unit_test(a_clock_set_forward_is_told_and_flows_go_on),
		cmocka_unit_test(a_clock_that_drifts_or_a_sensor_that_stood_still_is_no_step),
		cmocka_unit_test(a_clock_step_waits_where_there_is_no_room),
		cmocka_unit_test(a_file_whose_times_go_back_tells_so_once_until_they_are_there_again),
		cmocka_unit_test(a_file_without_a_packet_for_an_hour_tells_so),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
