/*
 * capture_blocks.h - a regular file from its beginning to its end, read in large blocks. Only what is asked for
 * in one piece lies in one piece; nothing is mapped, so that a file that is cut short under us is no signal.
 */
#ifndef MONITOR_CAPTURE_CAPTURE_BLOCKS_H
#define MONITOR_CAPTURE_CAPTURE_BLOCKS_H

#include "schema/base.h"

#define PIECE_MAX ((size_t)266240) /* the longest that may be asked for: a packet of 262,144 bytes, and what it stands in */

struct blocks {
	int fd; /* borrowed; its place in the file is neither used nor moved */
	uint8_t *room;
	size_t at, end;  /* in `room`: what was read and is not taken yet */
	uint64_t offset; /* in the file, behind what was read */
	bool failed;     /* a read did */
};

int blocks_init(struct blocks *blocks, int fd) MUST_CHECK;
void blocks_release(struct blocks *blocks);
/* As blocks_need(), where it does not lie there yet. */
const uint8_t *blocks_read(struct blocks *blocks, size_t len);

/*
 * The next `len` bytes, which are not taken by that, or NULL: there are fewer, or they could not be read. They are
 * valid until the next blocks_need().
 */
static inline const uint8_t *blocks_need(struct blocks *blocks, size_t len)
{
	if (blocks->end - blocks->at >= len)
		return blocks->room + blocks->at;
	return blocks_read(blocks, len);
}

/* Takes what blocks_need() gave. */
static inline void blocks_take(struct blocks *blocks, size_t len)
{
	blocks->at += len;
}

/* blocks_need() gave NULL: nothing at all was left. */
static inline bool blocks_over(const struct blocks *blocks)
{
	return !blocks->failed && blocks->at == blocks->end;
}

#endif
