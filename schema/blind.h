/*
 * blind.h - THE LIST of reasons why something was not seen: code, word, what one of `count` is,
 * sentence. An interval with one of them is a row of the table `blind`. New ones go to the end: the
 * numbers are stored.
 */
#ifndef SCHEMA_BLIND_H
#define SCHEMA_BLIND_H

#include "schema/base.h"

#define BLIND_CAUSES(X) \
	X(NOT_RUNNING, "not-running", "", "no tlmon was watching") \
	X(KERNEL_DROP, "kernel-drop", "packets", "the kernel dropped packets before we read them") \
	X(INSPECTOR_DOWN, "inspector-down", "restarts", "nDPI was not there to ask") \
	X(SENSOR_DOWN, "sensor-down", "restarts", "nobody read packets") \
	X(RING_FULL, "ring-full", "events", "a ring was full, and what had no place is lost") \
	X(EVICTED, "evicted", "flows", "the flow table was full: flows ended early") \
	X(LINK_DOWN, "link-down", "times", "the interface was down or gone") \
	X(MIRROR_SILENT, "mirror-silent", "", "the mirror port brought no packet at all") \
	X(TRUNCATED, "truncated", "packets", "packets came cut by the snap length") \
	X(ONE_SIDED, "one-sided", "flows", "the mirror showed one direction of conversations") \
	X(CLOCK_STEP, "clock-step", "times", "the clock was set") \
	X(DISK_FULL, "disk-full", "times", "the database could not be written") \
	X(MAC_SHARED, "mac-shared", "", "a unit's MAC stands before many addresses, as a router's: it tells no unit") \
	X(STREAM_GAP, "stream-gap", "bytes", "TCP bytes that never came or had no place: names and applications of some flows may be missing") \
	X(DISSECT_FULL, "dissect-full", "flows", "more flows to look into than there is room for: names and applications of some may be missing") \
	X(SET_ASIDE, "set-aside", "", "the record of that time lies in a database that was damaged and set aside") \
	X(REMOVED, "removed", "", "its flows are not here: retention deleted them, or another database has them (tlmon db stats)")

/* clang-format off */
enum blind_cause {
	BLIND_NONE,
#define X(name, text, counted, sentence) BLIND_##name,
	BLIND_CAUSES(X)
#undef X
	BLIND_CAUSE_COUNT
};
/* clang-format on */

/* Mask of the causes during which packets went by unseen: whatever they were, nothing of them is on record. */
#define BLIND_UNSEEN \
	(BIT(BLIND_NOT_RUNNING) | BIT(BLIND_KERNEL_DROP) | BIT(BLIND_SENSOR_DOWN) | \
	 BIT(BLIND_EVICTED) | BIT(BLIND_LINK_DOWN) | BIT(BLIND_MIRROR_SILENT) | \
	 BIT(BLIND_DISK_FULL))

const char *blind_cause_name(enum blind_cause cause); /* NULL for none */
const char *blind_cause_counted(enum blind_cause cause); /* "packets"; "" where nothing is counted */
/* "120 packets", "1 packet"; "" where nothing is counted, or nothing was. Returns `buf`. */
#define BLIND_COUNT_TEXT 40
const char *blind_count_print(enum blind_cause cause, uint64_t count, char buf[BLIND_COUNT_TEXT]);
const char *blind_cause_sentence(enum blind_cause cause);
enum blind_cause blind_cause_parse(const char *text); /* BLIND_CAUSE_COUNT: no such word */

#endif
