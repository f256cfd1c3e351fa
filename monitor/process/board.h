/*
 * board.h - what the processes of one run see of each other beside the rings: shared memory, one
 * section a writer. Whoever reads another's section gets numbers to show, never an index.
 */
#ifndef MONITOR_PROCESS_BOARD_H
#define MONITOR_PROCESS_BOARD_H

#include "dissectors/decode.h"
#include "monitor/bell.h"
#include "monitor/exporter.h"
#include "monitor/process/roles.h"
#include "monitor/process/sandbox.h"
#include "monitor/run.h"

/*
 * What a role says while it runs. `hand` is the number of the packet it has in hand, 0 while it waits:
 * one that stays the same for 2 s is a hang.
 */
struct board_role {
	_Atomic uint64_t hand;
	_Atomic int64_t ready_us;  /* when it had locked itself in and began, wall clock; 0: not yet */
	_Atomic uint64_t finished; /* packets or events done with since it was forked */
	char missing[SANDBOX_MISSING]; /* of its sandbox */
};

/* The frame that the sensor has in hand, put down by its signal handler when it dies of it. */
struct board_frame {
	int64_t time_us;
	uint32_t wire_len;
	uint16_t len; /* 0: none */
	uint8_t link;
	uint8_t bytes[EVIDENCE_MAX];
};

struct board {
	/* The supervisor's. */
	_Atomic uint32_t stop;          /* enum board_stop */
	_Atomic uint32_t inspector_off; /* there is none, and none will come: nobody waits for it */
	/* Everybody's: the bell of the one who waits. */
	struct bell bell[PROCESS_COUNT];
	struct board_role role[PROCESS_COUNT];
	/* The sensor's. */
	struct counters counters; /* its successor goes on counting from here */
	_Atomic int64_t now_us;   /* the run's clock */
	_Atomic int64_t seen_us;  /* wall clock: until here all that came was read */
	_Atomic uint32_t unheard; /* sensor_unheard() */
	_Atomic int32_t permille; /* of the files; -1 */
	_Atomic uint32_t input;   /* the one being read, and how many packets of it were begun: */
	_Atomic uint64_t input_packets;
	struct board_frame frame;
	/* The exporter's. */
	struct exporter_cursor exported;
	_Atomic uint32_t export_fails; /* it tries again; err says why */
	struct err export_err;
	/* The recorder's. */
	_Atomic int64_t run; /* in the database; 0: not begun */
	struct recorder_sums committed; /* its successor goes on from there */
	struct run_result result;
	struct err err; /* why the recorder, or whoever failed before it was ready, ended */
};

enum board_stop {
	BOARD_RUN,
	BOARD_HAND_OVER, /* the sensor ends all flows and goes: another one takes its place */
	BOARD_STOP,      /* the sensor ends all flows, says its last word and goes */
	BOARD_NO_SENSOR, /* there is none any more: what lies on the rings is the end */
	BOARD_NO_RECORDER,
};

/* NULL when out of memory. */
struct board *board_new(void);
void board_free(struct board *board);

#endif
