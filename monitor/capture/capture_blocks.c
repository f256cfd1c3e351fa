/*
 * capture_blocks.c - see capture_blocks.h. A block is read behind a lead, into which the rest of the block before it
 * is moved: so blocks begin at a page, in memory and in the file.
 */
#include "monitor/capture/capture_blocks.h"

#include <assert.h>
#include <unistd.h>

#define PAGE 4096
#define LEAD ((PIECE_MAX + PAGE - 1) / PAGE * PAGE)
#define BLOCK ((size_t)256 * 1024) /* stays in the cache until it is read again, by whoever decodes it */

int blocks_init(struct blocks *blocks, int fd)
{
	*blocks = (struct blocks){.fd = fd, .at = LEAD, .end = LEAD};
	blocks->room = aligned_alloc(PAGE, LEAD + BLOCK);
	return blocks->room ? 0 : -ENOMEM;
}

void blocks_release(struct blocks *blocks)
{
	free(blocks->room);
	blocks->room = NULL;
}

const uint8_t *blocks_read(struct blocks *blocks, size_t len)
{
	assert(len <= PIECE_MAX);
	while (blocks->end - blocks->at < len) {
		size_t rest = blocks->end - blocks->at;
		ssize_t n;

		memmove(blocks->room + LEAD - rest, blocks->room + blocks->at, rest);
		blocks->at = LEAD - rest;
		blocks->end = LEAD;
		n = pread(blocks->fd, blocks->room + LEAD, BLOCK, (off_t)blocks->offset);
		if (n <= 0) {
			blocks->failed = n < 0;
			return NULL;
		}
		blocks->end += (size_t)n;
		blocks->offset += (uint64_t)n;
	}
	return blocks->room + blocks->at;
}
