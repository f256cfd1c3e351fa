/*
 * check_live.h - the run of `tlmon check`; live it says what happens while it happens: rows that turn, findings, what
 * cannot be seen, and what to do next in the room. It speaks on stderr, for the report alone goes to stdout.
 */
#ifndef MONITOR_COMMANDS_CHECK_LIVE_H
#define MONITOR_COMMANDS_CHECK_LIVE_H

#include "monitor/run.h"

/*
 * run(), as `options` say, but for their callbacks. Live it ends when all rows that are required are decided and have
 * stayed so for CHECK_SETTLED_US, after options->for_us, or at a signal.
 */
#define CHECK_SETTLED_US INT64_C(5000000)
int check_run(const struct run_options *options, struct capture *capture,
              struct run_result *result, struct flowdb **ret_db, struct err *err) MUST_CHECK;

#endif
