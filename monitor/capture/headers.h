/*
 * headers.h - what the headers of packets say of a flow, before anybody looks into one.
 */
#ifndef MONITOR_CAPTURE_HEADERS_H
#define MONITOR_CAPTURE_HEADERS_H

#include "monitor/capture/flowtab.h"

/* Of its first packet, whose sender is `side` of the key; we have looked without a gap since `looking_us`. */
void headers_first(struct flow *flow, const struct packet *packet, unsigned side,
                   int64_t looking_us);
/* Of each, the first one too: end `end` sent it. */
void headers_add(struct flow *flow, unsigned end, const struct packet *packet);

#endif
