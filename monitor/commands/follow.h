/*
 * follow.h - an answer that goes on: as tail -f, what is committed is told as it comes, until SIGINT or
 * SIGTERM, or until nobody reads it any more.
 */
#ifndef MONITOR_COMMANDS_FOLLOW_H
#define MONITOR_COMMANDS_FOLLOW_H

#include "monitor/commands/query.h"

/*
 * Asks `tell` again and again for what is fresh (flow_query.fresh is set), half a second apart; it returns as
 * out_end() does. Without --since nothing older is told. Returns 0, or negative errno with err filled.
 */
int follow(struct query *query, struct out *out,
           int (*tell)(const struct query *query, void *context, struct err *err), void *context,
           struct err *err) MUST_CHECK;

#endif
