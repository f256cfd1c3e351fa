/*
 * memory.c - see memory.h. The table below is the split: a part has its percentage of what was asked for, no less than the
 * least it works with, no more than it ever wants. What is left is for flows.
 */
#include "monitor/memory.h"
#include "dissectors/stream.h"
#include "monitor/inspector.h"
#include "monitor/record/book.h"
#include "monitor/record/evidence.h"
#include "monitor/record/units.h"

#define KIB UINT64_C(1024)
#define MIB (1024 * KIB)

/* What each takes is a size in its code where there is one, else as measured with the table full (tests/bench/NOTES.md). */
static const struct part {
	const char *role, *what, *unit;
	uint32_t cost; /* bytes of one */
	uint32_t all, least;
	uint8_t percent;
	enum { PLAIN, DOUBLED, LIVE } kind; /* a power of two; of live runs alone */
} PARTS[MEMORY_PARTS] = {
	[MEMORY_STREAMS] = {"sensor", "TCP that waits for its turn", "streams",
                            STREAM_MAX + 1024, STREAMS_DEFAULT, 256, 6, PLAIN},
	[MEMORY_NAMES] = {"sensor", "names seen in flows", "names", 280, 1 << 16, 1 << 12, 2, PLAIN},
	[MEMORY_CAPTURE] = {"sensor", "packets the kernel holds", "KiB", KIB, 64 * KIB, 4 * KIB,
                            6, LIVE},
	[MEMORY_PACKETS] = {"rings", "packets for the inspector", "KiB", KIB, 8 * KIB, KIB, 3,
                            DOUBLED},
	[MEMORY_INSPECTED] = {"inspector", "flows that nDPI looks at", "flows", 2 * KIB,
                              INSPECTOR_FLOWS_MAX, 1 << 10, 6, PLAIN},
	[MEMORY_FACTS] = {"rings", "facts for the recorder", "KiB", KIB, 16 * KIB, 2 * KIB, 4,
                          DOUBLED},
	[MEMORY_EVIDENCE] = {"recorder", "packets that may become evidence", "KiB", KIB + 64,
                             EVIDENCE_POOL / KIB, 2 * KIB, 4, PLAIN},
	[MEMORY_OPINIONS] = {"recorder", "opinions that wait for their flows", "flows", 48,
                             1 << 18, 1 << 14, 1, PLAIN},
	[MEMORY_BOUND] = {"recorder", "addresses bound to names", "addresses", 512,
                          BOOK_NAMES_MAX, 1 << 12, 2, PLAIN},
	[MEMORY_UNITS] = {"recorder", "units, with the findings of each", "units", 12 * KIB,
                          UNITS_MAX, 256, 5, PLAIN},
	[MEMORY_CACHE] = {"recorder", "the database's cache", "KiB", KIB + 64, 32 * KIB, 2 * KIB,
                          4, PLAIN},
};

/* Of each process and the small rings, whatever comes; of a flow what the recorder keeps until it ends, and its end's sorting. */
#define BASE (64 * MIB)
#define OPEN_COST 512
#define SORT_COST 48
#define YOUNG_SHARE 8 /* of the flows one in so many may be young */
#define FLOWS_LEAST (1u << 13)
#define FLOWS_MOST (1u << 26)

static uint64_t flows_cost(uint32_t flows, uint32_t young)
{
	struct flowtab_limits limits = {.flows = flows, .young = young};

	return flowtab_bytes(&limits) + (uint64_t)flows * (OPEN_COST + SORT_COST);
}

static bool has_part(unsigned part, bool live)
{
	return live || PARTS[part].kind != LIVE;
}

uint64_t memory_needed(const struct memory *memory, bool live)
{
	uint64_t bytes = BASE + flows_cost(memory->flows, memory->young);

	for (unsigned i = 0; i < MEMORY_PARTS; i++)
		if (has_part(i, live))
			bytes += (uint64_t)memory->most[i] * PARTS[i].cost;
	return bytes;
}

static uint32_t young_of(uint32_t flows)
{
	uint32_t young = flows / YOUNG_SHARE;

	return young < 16 ? flows : young;
}

struct memory memory_default(void)
{
	struct memory memory = {.flows = FLOWTAB_DEFAULTS.flows, .young = FLOWTAB_DEFAULTS.young};

	for (unsigned i = 0; i < MEMORY_PARTS; i++)
		memory.most[i] = PARTS[i].all;
	return memory;
}

static void parts_fill(uint64_t bytes, struct memory *memory)
{
	for (unsigned i = 0; i < MEMORY_PARTS; i++) {
		const struct part *part = &PARTS[i];
		uint64_t most = bytes / 100 * part->percent / part->cost;

		if (most > part->all)
			most = part->all;
		while (part->kind == DOUBLED && most & (most - 1))
			most &= most - 1;
		if (most < part->least)
			most = part->least;
		memory->most[i] = (uint32_t)most;
	}
}

/* The most flows for which there is room beside the parts; 0: not even for the fewest. */
static uint32_t flows_fill(uint64_t bytes, bool live, struct memory *memory)
{
	uint32_t low = 0, high = FLOWS_MOST;

	while (low < high) {
		memory->flows = low + (high - low + 1) / 2;
		memory->young = young_of(memory->flows);
		if (memory_needed(memory, live) <= bytes)
			low = memory->flows;
		else
			high = memory->flows - 1;
	}
	memory->flows = low;
	memory->young = young_of(low);
	return low < FLOWS_LEAST ? 0 : low;
}

static uint64_t least(bool live)
{
	struct memory memory;
	uint64_t bytes = BASE;

	do {
		bytes += MIB;
		parts_fill(bytes, &memory);
	} while (!flows_fill(bytes, live, &memory));
	return bytes;
}

int memory_split(uint64_t bytes, uint32_t flows, bool live, struct memory *ret, struct err *err)
{
	struct memory memory = {.bytes = bytes};

	parts_fill(bytes, &memory);
	if (!flows_fill(bytes, live, &memory))
		return err_set(err, -ENOSPC, "the least that works is %lluM",
		               (unsigned long long)(least(live) / MIB));
	if (flows) {
		memory.flows = flows;
		memory.young = young_of(flows);
	}
	*ret = memory;
	return 0;
}

unsigned memory_lines(const struct memory *memory, bool live, struct memory_line lines[MEMORY_LINES])
{
	struct flowtab_limits limits = {.flows = memory->flows, .young = memory->young};
	uint64_t all = flowtab_bytes(&limits), young;
	unsigned count = 0;

	limits.young = 0;
	young = all - flowtab_bytes(&limits);
	lines[count++] = (struct memory_line){"sensor", "flows alive", "flows", memory->flows,
	                                      all - young + (uint64_t)memory->flows * SORT_COST};
	lines[count++] = (struct memory_line){"sensor", "flows being looked into", "flows",
	                                      memory->young, young};
	lines[count++] = (struct memory_line){"recorder", "flows told of and not over", "flows",
	                                      memory->flows, (uint64_t)memory->flows * OPEN_COST};
	for (unsigned i = 0; i < MEMORY_PARTS; i++)
		if (has_part(i, live))
			lines[count++] = (struct memory_line){
				PARTS[i].role, PARTS[i].what, PARTS[i].unit, memory->most[i],
				(uint64_t)memory->most[i] * PARTS[i].cost};
	lines[count++] = (struct memory_line){"all", "the processes by themselves", "KiB",
	                                      BASE / KIB, BASE};
	return count;
}
