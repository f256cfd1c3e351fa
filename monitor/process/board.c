/*
 * board.c - see board.h.
 */
#include "monitor/process/board.h"

#include <sys/mman.h>

struct board *board_new(void)
{
	struct board *board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE,
	                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return board == MAP_FAILED ? NULL : board;
}

void board_free(struct board *board)
{
	if (board)
		munmap(board, sizeof(*board));
}
