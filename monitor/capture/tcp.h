/*
 * tcp.h - what TCP's headers say of a flow's life: tried again, closed, its ports used anew.
 */
#ifndef MONITOR_CAPTURE_TCP_H
#define MONITOR_CAPTURE_TCP_H

#include "monitor/capture/flowtab.h"

/* Every packet of a TCP flow, the first one too. */
void tcp_packet(struct flow *flow, unsigned end, const struct packet *packet);
/* Whether this packet opens a new conversation on the ports of an old one (not: tries a SYN again). */
bool tcp_begins_anew(const struct flow *flow, unsigned end, const struct packet *packet);
enum idle tcp_idle(const struct flow *flow);

#endif
