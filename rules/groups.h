/*
 * groups.h - reads the groups of a profile: rows whose need is decided together (envelope.h).
 */
#ifndef RULES_GROUPS_H
#define RULES_GROUPS_H

#include "rules/envelope.h"
#include "rules/yaml.h"

/* Appends those of the profile that was read last, whose rows are in *envelope. `list` may be NULL. */
int groups_read(const struct yaml *list, struct envelope *envelope, struct err *err) MUST_CHECK;

#endif
