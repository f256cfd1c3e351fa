/*
 * reserve.h - room kept on the disk of the database, DIR/flows.db-reserve: given up when the disk is full, so that this
 * much at least can be put on record.
 */
#ifndef MONITOR_PROCESS_RESERVE_H
#define MONITOR_PROCESS_RESERVE_H

#include "schema/base.h"

#define RESERVE_BYTES \
	(4 << 20) /* less on a small disk: a sixteenth of it, but no less than 256 KiB */

struct reserve {
	char *path;
	int64_t bytes;
};

/* Looks at the disk; before the sandbox, for it asks how large it is. 0, or negative errno with err filled. */
int reserve_init(struct reserve *reserve, const char *dir, struct err *err) MUST_CHECK;
void reserve_release(struct reserve *reserve);
/*
 * Makes it, if there is room for it and for as much again, of blocks that are its own. True: it is there. A process that
 * is asked for it often asks for a disk that has room.
 */
bool reserve_make(const struct reserve *reserve);
bool reserve_is_there(const struct reserve *reserve);
/* True if there was one. */
bool reserve_give_up(const struct reserve *reserve);

#endif
