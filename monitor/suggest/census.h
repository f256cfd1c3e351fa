/*
 * census.h - a policy under which every host that speaks is a unit and nothing is a finding: who the units are
 * is not known yet, and a live interface is seen only once.
 */
#ifndef MONITOR_SUGGEST_CENSUS_H
#define MONITOR_SUGGEST_CENSUS_H

#include "rules/policy.h"

/*
 * `envelope` tells what a unit of the maker looks like: such a host's own tunnels stay in sight. On success *ret_policy is
 * the caller's (policy_free()).
 */
int census_policy(const struct envelope *envelope, struct policy **ret_policy,
                  struct err *err) MUST_CHECK;

#endif
