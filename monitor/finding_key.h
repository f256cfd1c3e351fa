/*
 * finding_key.h - under which finding a flow belongs: one unit, one kind, one nearest row, one peer (by role,
 * else its /24 or /64), one port, one application (design.md 5).
 */
#ifndef MONITOR_FINDING_KEY_H
#define MONITOR_FINDING_KEY_H

#include "rules/judge.h"
#include "schema/flowdb.h"

/* Fills the key of *ret; all else of it is zero. A verdict without a kind gives that of flows that are alike. */
void finding_key(const struct policy *policy, int64_t unit, const struct view *view,
                 const struct verdict *verdict, struct finding_row *ret);

#endif
