/*
 * history_units.h - whose a recorded flow is under another policy. Where the lists of both policies
 * answer alike, what the recorder knew of the flow stands; else the other policy's lists say.
 */
#ifndef MONITOR_HISTORY_UNITS_H
#define MONITOR_HISTORY_UNITS_H

#include "monitor/view.h"
#include "schema/flowdb_query.h"

struct past_units;

int past_units_new(struct flowdb *db, const struct policy *policy, struct past_units **ret,
                   struct err *err) MUST_CHECK;
void past_units_free(struct past_units *units);

/*
 * Leases tell whose an address was, if their server is `believed`, and whose a DHCP flow was: all of them, in any
 * order, before the first question.
 */
int past_units_lease(struct past_units *units, const struct lease_row *lease, bool believed,
                     struct err *err) MUST_CHECK;

/*
 * The entry of the policy that the flow falls under, with the unit's name; NULL if none.
 */
const struct unit_rule *past_units_of(struct past_units *units, const struct flow_view *flow,
                                      char name[UNIT_NAME_MAX]);
/* As history_lacks_peer() says. */
bool past_units_lacks_peer(struct past_units *units, const struct flow_view *flow);

#endif
