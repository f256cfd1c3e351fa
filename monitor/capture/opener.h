/*
 * opener.h - who opened a conversation, as far as its first packets say (domain.md 3.2). What a
 * dissector finds later in a request or a reply counts for more than a port, and less than a SYN.
 */
#ifndef MONITOR_CAPTURE_OPENER_H
#define MONITOR_CAPTURE_OPENER_H

#include "monitor/capture/flowtab.h"

/* A TCP flow without SYN that begins so soon after we began to look may be older than that. */
#define OPENER_WARMUP_US INT64_C(60000000)
/* So soon after, the first packet seen is no sign of who spoke first. */
#define OPENER_FIRST_US INT64_C(2000000)

/*
 * The first packet of a flow, whose facts hold its ends and transport. `looking_us`: since when we
 * look without a gap.
 */
void opener_begin(struct flow *flow, const struct packet *packet, int64_t looking_us);
/* A SYN without ACK, the first packet of end `end`, in a flow that has begun. */
void opener_syn(struct flow_facts *facts, unsigned end);

#endif
