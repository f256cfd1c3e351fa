/*
 * memory.h - what a run takes of memory, and how what it may take (--memory) is split: every table whose size can be
 * chosen has its limit from here. Without --memory each has all it ever wants.
 */
#ifndef MONITOR_MEMORY_H
#define MONITOR_MEMORY_H

#include "monitor/capture/flowtab.h"

/* As the rows of the table in memory.c. */
enum memory_part {
	MEMORY_STREAMS,
	MEMORY_NAMES,
	MEMORY_CAPTURE,
	MEMORY_PACKETS,
	MEMORY_INSPECTED,
	MEMORY_FACTS,
	MEMORY_EVIDENCE,
	MEMORY_OPINIONS,
	MEMORY_BOUND,
	MEMORY_UNITS,
	MEMORY_CACHE,
	MEMORY_PARTS
};

struct memory {
	uint64_t bytes; /* asked for; 0: nobody did */
	uint32_t flows, young;        /* of the flow table */
	uint32_t most[MEMORY_PARTS];  /* KiB of pools and rings, entries of tables */
};

/* What a run takes of which nobody asked that it stay under anything. */
struct memory memory_default(void);
/*
 * All processes together stay under `bytes`. `flows`: so many were asked for, whatever they take (0: as many as
 * there is room for); `live`: packets are kept by the kernel, too. -ENOSPC, with err saying the least that works.
 */
int memory_split(uint64_t bytes, uint32_t flows, bool live, struct memory *ret,
                 struct err *err) MUST_CHECK;
/* What it comes to, when every table is full. */
uint64_t memory_needed(const struct memory *memory, bool live);

/* The split, a line each: what it is, what it holds at most and in which unit, and bytes. */
struct memory_line {
	const char *role, *what, *unit;
	uint64_t most, bytes;
};
#define MEMORY_LINES (MEMORY_PARTS + 4)
unsigned memory_lines(const struct memory *memory, bool live, struct memory_line lines[MEMORY_LINES]);

#endif
