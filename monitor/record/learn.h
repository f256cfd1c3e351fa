/*
 * learn.h - what the wire tells of names and addresses, and how much of it is believed: answers of a
 * dns-server, leases of a dhcp-server, what hosts say of themselves on their link.
 */
#ifndef MONITOR_RECORD_LEARN_H
#define MONITOR_RECORD_LEARN_H

#include "monitor/record/desk.h"

/* Each 0, or negative errno with err filled: the database failed. What is not believed is no error. */
int learn_name(struct desk *desk, const struct event_name *event, struct err *err) MUST_CHECK;
int learn_lease(struct desk *desk, const struct event_lease *event, struct err *err) MUST_CHECK;
int learn_neighbour(struct desk *desk, const struct event_neighbour *event,
                    struct err *err) MUST_CHECK;
/* MACs that turned out to be a router's since the last call, where a unit went by one: it is said once. */
int learn_routers(struct desk *desk, struct err *err) MUST_CHECK;
/* In the place of a dead one: what it had learnt, as far as it still holds. */
int learn_again(struct desk *desk, struct err *err) MUST_CHECK;

#endif
