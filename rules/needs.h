/*
 * needs.h - the key `need` of a site file: which rows must be seen to work here before a unit is accepted, where
 * that is not as the envelope has it, and why.
 */
#ifndef RULES_NEEDS_H
#define RULES_NEEDS_H

#include "rules/policy.h"
#include "rules/yaml.h"

/*
 * Lays it over the rows of the policy. A key is a profile, a group (all its rows) or a row; what is narrower goes
 * before what is wider, wherever it stands. `map` may be NULL.
 */
int needs_read(const struct yaml *map, struct policy *policy, struct err *err) MUST_CHECK;

#endif
