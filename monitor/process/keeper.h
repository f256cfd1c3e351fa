/*
 * keeper.h - the supervisor's half of the scope: it holds the sockets beside the sensor, which may not change them, and
 * puts a new program there when the sensor has learnt an address. Nobody else asks for one: what the sensor leaves on the
 * board can only make the scope wider.
 */
#ifndef MONITOR_PROCESS_KEEPER_H
#define MONITOR_PROCESS_KEEPER_H

#include "monitor/process/board.h"

#define KEEPER_HANDLES_MAX 16 /* as many as -i takes */

struct keeper {
	struct scope *scope; /* NULL: everything is looked at */
	uint32_t taken;      /* of board->learnt */
	struct capture_handle handle[KEEPER_HANDLES_MAX];
	const char *name[KEEPER_HANDLES_MAX];
	unsigned handle_count;
	bool said; /* how it went */
};

/* As the run wants it. 0, or negative errno with err filled. */
int keeper_begin(struct keeper *keeper, const struct run_options *options,
                 struct err *err) MUST_CHECK;
void keeper_end(struct keeper *keeper);
/* Of the sockets. */
void keeper_let_go(struct keeper *keeper);
/* The inputs that the next sensor reads, while they are open here: the kernel keeps to the scope from now on. */
void keeper_take(struct keeper *keeper, const struct capture *capture);
/* What the sensor has learnt since. */
void keeper_look(struct keeper *keeper, const struct capture *capture, const struct board *board);

#endif
