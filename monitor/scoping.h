/*
 * scoping.h - the scope that follows from a policy: units as the site lists them, the maker's MACs, and who holds the names
 * that only units ask for.
 */
#ifndef MONITOR_SCOPING_H
#define MONITOR_SCOPING_H

#include "monitor/capture/scope.h"
#include "rules/policy.h"

/*
 * *ret is the caller's; NULL where everybody may be a unit: nobody is listed, or a prefix that stands for all; and of files
 * also where a unit goes by its MAC, for an address that turns out to be its own late had flows before. 0, or
 * -ENOMEM with err filled.
 */
int scoping_new(const struct policy *policy, bool live, struct scope **ret,
                struct err *err) MUST_CHECK;
/* Whether who holds this name is wanted by units alone; `policy` as in sensor_options. */
bool scoping_is_name(const void *policy, const char *name);

#endif
