/*
 * ahead.h - brings near what a packet that lies ready will need: its place in the index of flows, then its flow. It
 * changes nothing and promises nothing: of what it cannot read at a glance it says nothing, and a wrong guess costs a
 * cache line.
 */
#ifndef MONITOR_CAPTURE_AHEAD_H
#define MONITOR_CAPTURE_AHEAD_H

#include "monitor/capture/capture.h"
#include "monitor/capture/flowtab.h"

/* Fewer flows lie near in any case. */
#define AHEAD_FLOWS (1u << 16)
/* Between the call for a packet's place and that for its flow there are so many packets. */
#define AHEAD_STEP 4

struct ahead {
	uint32_t hash[AHEAD_STEP]; /* a circle; 0: nothing is known of that packet */
	unsigned at;
};

/* The frame lies some AHEAD_STEP * 2 packets ahead; called for one after the other. */
void ahead_look(struct ahead *ahead, const struct flowtab *tab, const struct frame *frame);

#endif
