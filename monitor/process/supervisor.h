/*
 * supervisor.h - one run in processes of its own (design.md 2): forks the roles, watches them, puts
 * another in the place of one that died or hangs, and tells the recorder what could not be seen meanwhile.
 */
#ifndef MONITOR_PROCESS_SUPERVISOR_H
#define MONITOR_PROCESS_SUPERVISOR_H

#include "monitor/run.h"

/* run() (monitor/run.h), with every role in a process. */
int supervisor_run(const struct run_options *options, struct capture *capture,
                   struct run_result *result, struct flowdb **ret_db, struct err *err) MUST_CHECK;

#endif
