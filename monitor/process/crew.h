/*
 * crew.h - what the processes of one run are forked with, and their main functions: each locks itself
 * in, does its work until it is told that there is no more, and returns its exit code.
 */
#ifndef MONITOR_PROCESS_CREW_H
#define MONITOR_PROCESS_CREW_H

#include "monitor/process/board.h"
#include "monitor/process/links.h"

struct crew {
	const struct run_options *options;
	struct board *board;
	struct ring *facts, *packets, *opinions; /* design.md 2 */
	struct ring *control;                    /* supervisor -> recorder */
	struct ring *found;                      /* recorder -> supervisor, to be shown */
	struct sandbox_users users;
	struct capture *capture; /* the sensor's, opened for it */
	struct capture *inputs; /* names, sizes, hashes: to look at */
	char input_names[1024];
	uint64_t session; /* recorder_options */
	int64_t unwritten_us; /* since when the database cannot be written, wall clock; 0: it can */
	int image; /* a private database is left here by the recorder; -1 */
	int eve;   /* the exporter's file; -1 */
	int signals; /* the supervisor's, ... */
	struct links *links; /* ... as these; NULL */
	unsigned asked; /* how often a signal has asked for the end */
	enum process_role role; /* in a child: which it is, and */
	bool again;             /* that it takes the place of one that died */
};

/* Exit codes of a child; 128 + n: its handler of signal n put the packet in hand on the board. */
enum {
	CREW_DONE = 0,
	CREW_FAILED = 1, /* its err on the board says why */
	CREW_AWAY = 3,   /* the sensor: another one shall take its place */
	CREW_GONE = 4,   /* the sensor: all its interfaces are gone */
	CREW_FULL = 5,   /* the recorder: the database cannot be written now; its err says why */
};

int sensor_main(struct crew *crew);
int inspector_main(struct crew *crew);
int recorder_main(struct crew *crew);
int exporter_main(struct crew *crew);

/* In a child, at once: lets go of what is not its own. 0, or CREW_FAILED. */
int crew_leave(struct crew *crew, enum process_role role) MUST_CHECK;
/*
 * When it has opened all it will ever open: locks itself in as its role, and tries what a test asks
 * for. 0, or negative errno with its err on the board filled.
 */
int crew_enter(struct crew *crew, enum process_role role, const char *dir, uint64_t memory) MUST_CHECK;
/* It begins its work: the supervisor waits for that. */
void crew_ready(struct crew *crew, enum process_role role);
/* Its err on the board says why. */
int crew_fail(struct crew *crew, const struct err *err);
int64_t crew_now_us(void); /* wall clock */
/* For tests: sleeps now and then, by run_options.test.delay. */
void crew_delay(struct crew *crew, uint64_t *state);

#endif
