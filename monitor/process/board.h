/*
 * board.h - what the processes of one run see of each other beside the rings: shared memory, one
 * section a writer, of pages that the kernel lets nobody else write but the supervisor. Whoever reads
 * another's section may find anything there: it takes a copy, and checks that.
 */
#ifndef MONITOR_PROCESS_BOARD_H
#define MONITOR_PROCESS_BOARD_H

#include "dissectors/decode.h"
#include "monitor/bell.h"
#include "monitor/exporter.h"
#include "monitor/process/roles.h"
#include "monitor/process/sandbox.h"
#include "monitor/capture/scope.h"
#include "monitor/run.h"

#define BOARD_PAGE 4096

/*
 * What a role says while it runs. `hand` is the number of the packet it has in hand, 0 while it waits:
 * one that stays the same for 2 s is a hang.
 */
struct board_role {
	_Alignas(BOARD_PAGE) _Atomic uint64_t hand;
	_Atomic int64_t
		ready_us; /* when it had locked itself in and began, wall clock; 0: not yet */
	_Atomic uint64_t turns;        /* of its loop: while it lives it turns, also with nothing to do */
	_Atomic uint64_t finished;     /* packets or events done with since it was forked */
	char missing[SANDBOX_MISSING]; /* of its sandbox */
	struct err err;                /* why it ended; the exporter: why it tries again */
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
	int memory;            /* all of this once more, to be mapped */
	_Atomic uint32_t stop; /* enum board_stop */
	_Atomic uint32_t patient; /* with BOARD_STOP: the sensor waits for what units asked before, sensor_waits() */
	_Atomic uint32_t
		inspector_off; /* there is none, and none will come: nobody waits for it */
	/* Everybody's: the bell of the one who waits. */
	_Alignas(BOARD_PAGE) struct bell bell[PROCESS_COUNT];
	/* One each. */
	struct board_role role[PROCESS_COUNT];
	/* The sensor's. */
	_Alignas(BOARD_PAGE) struct counters
		counters;         /* its successor goes on counting from here */
	_Atomic int64_t now_us;   /* the run's clock */
	_Atomic int64_t seen_us;  /* wall clock: until here all that came was read */
	_Atomic uint32_t unheard; /* sensor_unheard() */
	_Atomic int32_t permille; /* of the files; -1 */
	_Atomic uint32_t input; /* the one being read, and how many packets of it were begun: */
	_Atomic uint64_t input_packets;
	struct board_frame frame;
	_Atomic uint32_t learnt_count; /* addresses that came into its scope, of all sensors of the run */
	struct addr learnt[SCOPE_LEARNT_MAX + 1]; /* the last one opens it */
	/* The inspector's. */
	_Alignas(BOARD_PAGE) _Atomic uint64_t refused_opinions;
	/* The exporter's. */
	_Alignas(BOARD_PAGE) struct exporter_cursor exported;
	_Atomic uint32_t export_fails; /* it tries again; its err says why */
	/* The recorder's. */
	_Alignas(BOARD_PAGE) _Atomic int64_t run; /* in the database; 0: not begun */
	struct recorder_sums committed;           /* its successor goes on from there */
	unsigned full;   /* storage.h: what a recorder ended for */
	unsigned broken;
	_Atomic uint64_t told; /* findings of facts before that place on the ring were shown */
	_Atomic int64_t locked_us; /* since when it waits for another program's lock, monotonic; 0: it does not */
	_Atomic int32_t locked_by; /* ... whose pid is that; 0: not known */
	_Atomic uint64_t wal_bytes;
	_Atomic int32_t wal_reader; /* pid of one who reads an old state; 0 */
	struct run_result result;
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

/*
 * In a child, at once: what is not its section becomes read-only, for good. 0, or negative errno
 * with err filled.
 */
int board_keep(struct board *board, enum process_role role, struct err *err) MUST_CHECK;

/* What another process left, in a copy that is sound: texts end, and hold no control characters. */
void board_err(const struct board *board, enum process_role role, struct err *ret);
void board_missing(const struct board *board, enum process_role role,
                   char ret[SANDBOX_MISSING]);
void board_result(const struct board *board, struct run_result *ret);
/* False if there is none. */
bool board_frame(const struct board *board, struct board_frame *ret);
/* Whether one can go on counting from there. */
bool board_counters(const struct counters *counters);
/* A time of the run's clock. */
int64_t board_time(const _Atomic int64_t *us);

#endif
