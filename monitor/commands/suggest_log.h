/*
 * suggest_log.h - `tlmon suggest -l`: the database that is asked, and the policy in force there.
 */
#ifndef MONITOR_COMMANDS_SUGGEST_LOG_H
#define MONITOR_COMMANDS_SUGGEST_LOG_H

#include "monitor/commands/query_options.h"
#include "monitor/suggest/suggestion.h"

/*
 * Opens the database and fills db, envelope (`folder`, or as recorded where it is NULL), in_force and window of
 * *options; they live until `propose` returns, whose result this returns.
 */
int suggest_log(const struct query_options *asked, const char *folder,
                struct suggestion_options *options,
                int (*propose)(void *context, const struct suggestion_options *options,
                               struct err *err),
                void *context, struct err *err) MUST_CHECK;

#endif
