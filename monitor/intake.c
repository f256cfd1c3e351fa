/*
 * intake.c - see intake.h.
 */
#include "monitor/intake.h"

#include <time.h>

#define BATCH 32
#define STATS_US 1000000
#define WAIT_MS 100

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void show(const struct intake *intake, const struct frame *frame)
{
	if (intake->begin)
		intake->begin(intake->context, frame);
	sensor_frame(intake->sensor, frame);
	if (intake->end)
		intake->end(intake->context);
}

static void look_ahead(const struct intake *intake)
{
	struct frame frame;

	while (capture_ahead(intake->capture, &frame))
		sensor_expect(intake->sensor, &frame);
}

static int run_files(const struct intake *intake, struct err *err)
{
	struct capture *capture = intake->capture;
	unsigned first_over = 0, over = 0; /* inputs that ended and are not told of yet */
	int turn = TURN_ON;
	bool looks_ahead = false;
	struct frame frame;

	for (unsigned count = 0; turn == TURN_ON; count++) {
		int r = capture_next(capture, &frame, err);

		if (r < 0)
			return r;
		if (r == CAPTURED_INPUT_END) {
			/* A successor is not asked again for those before its first. */
			if (first_over == over)
				first_over = frame.input;
			over = frame.input + 1;
		}
		if (r != CAPTURED_INPUT_END && r != CAPTURED_NOTHING) {
			/* Only now it is known when the next file begins, and whether flows go on into it. */
			for (; first_over < over; first_over++)
				sensor_input_end(intake->sensor, first_over,
				                 capture_input(capture, first_over),
				                 r == CAPTURED_FRAME ? frame.time_us : 0);
			if (r == CAPTURED_END)
				return TURN_ON;
			if (looks_ahead)
				look_ahead(intake);
			show(intake, &frame);
		}
		if (count % BATCH == 0 || r == CAPTURED_NOTHING) {
			turn = intake->turn(intake->context, false);
			looks_ahead = sensor_looks_ahead(intake->sensor);
		}
	}
	/* Interrupted: when it comes again it is to be known. */
	while (turn == TURN_STOP && capture_hash_rest(capture))
		intake->turn(intake->context, false);
	for (; first_over < over; first_over++)
		sensor_input_end(intake->sensor, first_over, capture_input(capture, first_over), 0);
	if (capture_stop(capture, &over))
		sensor_input_end(intake->sensor, over, capture_input(capture, over), 0);
	return turn;
}

static int run_live(const struct intake *intake, struct err *err)
{
	int64_t stats_us = 0;
	int turn = TURN_ON, r = CAPTURED_NOTHING;

	while (turn == TURN_ON && r != CAPTURED_END) {
		struct frame frame;
		int64_t now_us;

		for (unsigned i = 0; i < BATCH; i++) {
			r = capture_next(intake->capture, &frame, err);
			if (r < 0)
				return r;
			if (r == CAPTURED_INPUT_END)
				continue;
			if (r != CAPTURED_FRAME)
				break;
			show(intake, &frame);
		}
		now_us = clock_us(CLOCK_MONOTONIC);
		if (now_us - stats_us >= STATS_US || r == CAPTURED_END) {
			capture_stats(intake->capture, intake->counters);
			sensor_clock(intake->sensor, clock_us(CLOCK_REALTIME), now_us);
			stats_us = now_us;
		}
		if (r == CAPTURED_NOTHING)
			sensor_idle(intake->sensor, clock_us(CLOCK_REALTIME), now_us);
		turn = intake->turn(intake->context, r == CAPTURED_NOTHING);
		if (turn == TURN_ON && r == CAPTURED_NOTHING)
			capture_wait(intake->capture, WAIT_MS);
	}
	capture_stats(intake->capture, intake->counters);
	return turn;
}

int intake_run(const struct intake *intake, struct err *err)
{
	int r = intake->live ? run_live(intake, err) : run_files(intake, err);

	/* Also when the capture failed: what was seen until then is judged and kept. */
	sensor_end(intake->sensor, r == TURN_STOP || (r != TURN_AWAY && intake->last));
	return r;
}
