/*
 * log.h - the one place that speaks to the operator, on stderr: "tlmon: text". Results of commands
 * go to stdout instead (monitor/commands/out.h).
 */
#ifndef MONITOR_LOG_H
#define MONITOR_LOG_H

#include "schema/base.h"

/* Prints "tlmon: " and the text; colours the prefix on a terminal alone. */
void log_error(const char *fmt, ...) PRINTF(1, 2);
void log_warning(const char *fmt, ...) PRINTF(1, 2);
void log_note(const char *fmt, ...) PRINTF(1, 2);
/* An err as it stands; returns EXIT_USAGE so that a command can `return log_err(&err)`. */
int log_err(const struct err *err);

#endif
