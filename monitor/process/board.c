/*
 * board.c - see board.h.
 */
#include "monitor/process/board.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#define SECTION(role, first, behind) \
	{ \
		role, offsetof(struct board, first), offsetof(struct board, behind) \
	}

/* Between the bells, which all ring, and the end. */
static const struct section {
	int role; /* the one who writes it beside the supervisor; SUPERVISOR: nobody else */
	size_t from, to;
} SECTIONS[] = {
	SECTION(PROCESS_SUPERVISOR, memory, bell),
	SECTION(PROCESS_SUPERVISOR, role[PROCESS_SUPERVISOR], role[PROCESS_SENSOR]),
	SECTION(PROCESS_SENSOR, role[PROCESS_SENSOR], role[PROCESS_INSPECTOR]),
	SECTION(PROCESS_INSPECTOR, role[PROCESS_INSPECTOR], role[PROCESS_RECORDER]),
	SECTION(PROCESS_RECORDER, role[PROCESS_RECORDER], role[PROCESS_EXPORTER]),
	SECTION(PROCESS_EXPORTER, role[PROCESS_EXPORTER], counters),
	SECTION(PROCESS_SENSOR, counters, refused_opinions),
	SECTION(PROCESS_INSPECTOR, refused_opinions, exported),
	SECTION(PROCESS_EXPORTER, exported, run),
	{PROCESS_RECORDER, offsetof(struct board, run), sizeof(struct board)},
};

struct board *board_new(void)
{
	struct board *board;
	int memory = memfd_create("tlmon-board", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (memory < 0 || ftruncate(memory, sizeof(*board)) < 0) {
		closep(&memory);
		return NULL;
	}
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (board == MAP_FAILED) {
		closep(&memory);
		return NULL;
	}
	/* Whoever maps it from now on reads it, and no mprotect() changes that (fcntl(2)). */
	fcntl(memory, F_ADD_SEALS, F_SEAL_FUTURE_WRITE | F_SEAL_GROW | F_SEAL_SHRINK);
	board->memory = memory;
	return board;
}

void board_free(struct board *board)
{
	int memory;

	if (!board)
		return;
	memory = board->memory;
	munmap(board, sizeof(*board));
	closep(&memory);
}

int board_keep(struct board *board, enum process_role role, struct err *err)
{
	int memory = board->memory;

	for (size_t i = 0; i < ARRAY_LEN(SECTIONS); i++) {
		const struct section *section = &SECTIONS[i];
		uint8_t *at = (uint8_t *)board + section->from;

		if (section->role != (int)role &&
		    mmap(at, section->to - section->from, PROT_READ, MAP_SHARED | MAP_FIXED,
		         memory, (off_t)section->from) != at)
			return err_set(err, -errno, "the board cannot be made read-only: %s",
			               strerror(errno));
	}
	closep(&memory);
	return 0;
}

static void take_text(char *to, size_t size, const char *from)
{
	size_t len = strnlen(from, size - 1);

	memcpy(to, from, len);
	to[len] = '\0';
	text_tame(to);
}

void board_err(const struct board *board, enum process_role role, struct err *ret)
{
	const struct err *told = &board->role[role].err;

	ret->code = told->code;
	if (ret->code >= 0)
		ret->code = -EIO;
	take_text(ret->text, sizeof(ret->text), told->text);
	if (!*ret->text)
		text_copy(ret->text, sizeof(ret->text), "it did not say why");
}

void board_missing(const struct board *board, enum process_role role, char ret[SANDBOX_MISSING])
{
	take_text(ret, SANDBOX_MISSING, board->role[role].missing);
}

void board_result(const struct board *board, struct run_result *ret)
{
	*ret = board->result;
	if (ret->strangers.count > STRANGERS_MAX)
		ret->strangers.count = STRANGERS_MAX;
	for (size_t i = 0; i < ret->strangers.count; i++)
		ret->strangers.list[i].name[NAME_MAX_LEN] = '\0';
	ret->refused_opinions = atomic_load(&board->refused_opinions);
}

bool board_frame(const struct board *board, struct board_frame *ret)
{
	*ret = board->frame;
	return ret->len && ret->len <= EVIDENCE_MAX && ret->link <= LINK_LOOPBACK &&
	       ret->time_us >= 0 && ret->time_us <= EVENT_NUMBER_MAX;
}

bool board_counters(const struct counters *counters)
{
	const uint64_t *counts = (const uint64_t *)counters;

	for (size_t i = 0; i < sizeof(*counters) / sizeof(*counts); i++)
		if (counts[i] > EVENT_NUMBER_MAX / 2)
			return false;
	return true;
}

int64_t board_time(const _Atomic int64_t *us)
{
	int64_t time_us = atomic_load(us);

	return time_us < 0 ? 0 : time_us > EVENT_NUMBER_MAX ? EVENT_NUMBER_MAX : time_us;
}
