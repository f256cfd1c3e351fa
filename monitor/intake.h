/*
 * intake.h - the sensor's loop: takes frames from a capture, in batches, and shows them to it. What
 * must happen between batches is the caller's (others get a turn, bells are rung, somebody asks to stop).
 */
#ifndef MONITOR_INTAKE_H
#define MONITOR_INTAKE_H

#include "monitor/sensor.h"

enum turn {
	TURN_ON,
	TURN_STOP, /* all flows end, the last word goes out */
	TURN_AWAY, /* all flows end, another sensor goes on */
};

struct intake {
	struct capture *capture;
	struct sensor *sensor;
	struct counters *counters; /* of the sensor: the kernel's numbers are added once a second */
	bool live;
	bool last; /* nobody goes on when the inputs are over: that is the end of the run */
	/* After each batch; `idle`: no packet lies ready, and nothing will be done until one comes. */
	enum turn (*turn)(void *context, bool idle);
	/* Before and after each frame; may be NULL. */
	void (*begin)(void *context, const struct frame *frame);
	void (*end)(void *context);
	void *context;
};

/*
 * Runs to the end of all inputs or until a turn says so; then the flows have ended. Returns an enum turn: TURN_ON
 * if the inputs came to their end (live: all interfaces are gone), else what was asked for; or negative errno
 * with err filled, and then the flows have ended too.
 */
int intake_run(const struct intake *intake, struct err *err) MUST_CHECK;

#endif
