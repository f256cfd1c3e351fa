/*
 * rules_diff.h - two envelopes compared row by row, and what they say of roles.
 */
#ifndef MONITOR_COMMANDS_RULES_DIFF_H
#define MONITOR_COMMANDS_RULES_DIFF_H

#include "monitor/commands/out.h"

/*
 * `a` and `b` are folders, "-" for the envelope compiled in, or hashes of policies recorded in `dir`. 0: they
 * say the same; 1: they differ; negative errno with err filled.
 */
int rules_diff(const char *a, const char *b, const char *dir, enum out_format format, bool wide,
               struct err *err) MUST_CHECK;

#endif
