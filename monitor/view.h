/*
 * view.h - the parts of the judge's view that are made alike where a flow is recorded and where a recorded
 * one is judged again.
 */
#ifndef MONITOR_VIEW_H
#define MONITOR_VIEW_H

#include "rules/judge.h"
#include "schema/flowdb.h"

/* Of two leases, the second (NULL: none yet) given no later: whether the first one says more of `addr`. */
static inline bool lease_is_better(const struct lease_row *lease, const struct lease_row *best,
                                   const struct addr *addr)
{
	return !best || addr_equal(&lease->address, addr) || !addr_equal(&best->address, addr);
}

/*
 * What DHCP had told a unit when it used `addr`: the last lease of that address given by `last_us`, else
 * the last of any. NULL: none was given by then. `leases` are in the order they were given.
 */
const struct lease_row *lease_at(const struct lease_row *leases, size_t count,
                                 const struct addr *addr, int64_t last_us);
/* The roles that the peer and others were learnt to hold, and the unit's subnet. */
void view_take_lease(const struct policy *policy, const struct lease_row *lease,
                     struct view *view);

/* Whether the answers of a resolver count: it holds the role that the envelope learns from DHCP. `lease` may be NULL. */
bool is_believed_resolver(const struct policy *policy, const struct lease_row *lease,
                          const struct addr *server);

/* Where the site lists servers of DHCP no other one is believed. */
bool is_believed_dhcp_server(const struct policy *policy, const struct addr *server);

/* Whether what is said of an outcome can hang on the unit having talked to anybody near it. */
static inline bool is_unanswered_request(const struct flow_facts *facts)
{
	return facts->asked && (facts->outcome == OUTCOME_UNANSWERED ||
	                        facts->outcome == OUTCOME_REFUSED ||
	                        facts->outcome == OUTCOME_PROHIBITED);
}

#endif
