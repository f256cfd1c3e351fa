/*
 * waivers.h - reads the site file's waivers.
 */
#ifndef RULES_WAIVERS_H
#define RULES_WAIVERS_H

#include "rules/policy.h"
#include "rules/yaml.h"

/* Stand in a waiver that is proposed where a person is to fill in: none is loaded that says so still. */
#define WAIVER_OWNER_OPEN "WHO"
#define WAIVER_REASON_OPEN "WHY"

/*
 * Fills the policy's waivers; its units and rows are there already. Of a policy that was recorded those that were
 * never filled in are taken as they judged then.
 */
int waivers_read(const struct yaml *list, bool recorded, struct policy *policy,
                 struct err *err) MUST_CHECK;

#endif
