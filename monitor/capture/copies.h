/*
 * copies.h - whether a SPAN port has shown a packet before: both ways through a switch, or routed twice.
 */
#ifndef MONITOR_CAPTURE_COPIES_H
#define MONITOR_CAPTURE_COPIES_H

#include "monitor/capture/flowtab.h"

/*
 * Whether a SPAN has shown this packet before: same flow and direction, same IP id, lengths, TCP
 * numbers and head of the payload, among the last two. A bare ACK of IPv6 has nothing to tell a copy
 * by (a sender repeats it for every segment it misses), so it never counts as one.
 */
bool packet_is_copy(struct flow *flow, unsigned end, const struct packet *packet);

#endif
