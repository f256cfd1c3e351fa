/*
 * test_intake.c - a run over files that is stopped: each file that was over by then is told of.
 */
#include "monitor/intake.h"
#include "tests/lib/sensing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <unistd.h>
#include <cmocka.h>

#define PACKETS 70 /* more than two batches of them */

static const char *const PATHS[] = {"test_intake.a", "test_intake.b"};

/* The first of so many packets; the second is not over when somebody looks. */
static void write_files(unsigned packets)
{
	for (unsigned i = 0; i < ARRAY_LEN(PATHS); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		struct err err;

		wire_at(w, 10 * i);
		for (unsigned p = 0; p < (i ? PACKETS : packets); p++)
			wire_udp(w, "10.0.0.1:5000 > 10.0.0.2:6000", "hello", 5);
		assert_int_equal(wire_write(w, PATHS[i], &err), 0);
	}
}

/* Somebody asks to stop as soon as the first is over. */
static enum turn turn(void *context, bool idle)
{
	return *capture_input(context, 0)->hash ? TURN_STOP : TURN_ON;
}

static void a_file_is_told_of_wherever_the_run_is_stopped_behind_it(void **state)
{
	for (unsigned packets = 1; packets <= PACKETS; packets++) {
		CLEANUP(sensing_freep) struct sensing *bench = sensing_new(100);
		CLEANUP(capture_closep) struct capture *capture = NULL;
		struct capture_options options = {
			.inputs = PATHS, .input_count = ARRAY_LEN(PATHS), .filter = ""};
		struct intake intake = {.counters = &bench->counters, .turn = turn, .last = true};
		bool begun;
		struct err err;

		write_files(packets);
		bench->options.live = false;
		sensing_again(bench, false, 0);
		assert_int_equal(capture_open(&options, &capture, &err), 0);
		assert_int_equal(capture_check(capture, &err), 0);
		intake.capture = intake.context = capture;
		intake.sensor = bench->sensor;
		assert_int_equal(intake_run(&intake, &err), TURN_STOP);
		read_facts(bench, TOLD_MAX);
		begun = bench->counters.seen > packets;
		assert_int_equal(told_of(bench, EVENT_INPUT), 1 + begun);
		must_add_up(bench);
	}
	for (unsigned i = 0; i < ARRAY_LEN(PATHS); i++)
		unlink(PATHS[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_told_of_wherever_the_run_is_stopped_behind_it),
	};
	char dir[] = "/tmp/test_intake.XXXXXX";
	int r;

	if (!mkdtemp(dir) || chdir(dir) < 0)
		return 1;
	r = cmocka_run_group_tests(tests, NULL, NULL);
	return rmdir(dir) < 0 ? 1 : r;
}
