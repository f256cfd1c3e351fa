/*
 * child.h - one forked role: its process, whether it hangs, when another may take its place.
 */
#ifndef MONITOR_PROCESS_CHILD_H
#define MONITOR_PROCESS_CHILD_H

#include "monitor/process/crew.h"

#include <sys/types.h>

struct child {
	enum process_role role;
	pid_t pid; /* 0: none runs */
	uint64_t forks;
	uint64_t hand;          /* the packet it had in hand when we looked last, ... */
	int64_t hand_since_us;  /* ... and since when; monotonic */
	int64_t hand_cpu_us;    /* ... and what it had used of CPU time by then; -1: not known */
	bool hung;              /* we ended it for that, ... */
	int64_t hung_us;        /* ... and when; monotonic */
	uint64_t turns;         /* of its loop, when we looked last, ... */
	int64_t turns_us;       /* ... and since when; monotonic */
	bool still;             /* it stands still: stopped, most likely */
	int64_t not_before_us;  /* monotonic: no other one before; it died without having done anything */
	int64_t backoff_us;
	unsigned empty; /* that have died in a row without having done anything */
	uint64_t restarts;
	bool waits; /* it ended because its disk is full: the next one is no restart */
};

/* How it ended. */
struct child_end {
	int exit_code;   /* -1: by a signal */
	int signal;      /* 0: none; also the one its handler exited for */
	bool hung, crashed; /* crashed: by a fault of its own, which the packet in hand may be to blame for */
	uint64_t hand;   /* of the packet it had in hand, 0 */
	char text[64];   /* "killed by SIGSEGV", "hung for 2 s on a packet", "exit 1" */
};

int64_t child_clock_us(void); /* monotonic */

/* Forks it; in the child `main` runs and its code is the exit code. 0 or negative errno with err filled. */
int child_fork(struct child *child, struct crew *crew, int (*main)(struct crew *crew),
               struct err *err) MUST_CHECK;
/* True if it has ended: then it is reaped, and the back-off set. */
bool child_ended(struct child *child, struct board *board, struct child_end *ret);
/*
 * Waits until it is ready, or has ended before: true, or false with *ret_end. A signal that ends a
 * run ends it at once while the sensor is awaited, for nothing has begun yet; later it is kept in crew->asked.
 */
bool child_await(struct child *child, struct crew *crew, struct child_end *ret_end);
/*
 * Ends it if it has had the same packet in hand for 2 s: `hand`, 0 while it has none. Not one that would go on but
 * for want of a CPU: such a one has its time until it has used half as much.
 */
void child_watch(struct child *child, uint64_t hand);
void child_kill(struct child *child);

#endif
