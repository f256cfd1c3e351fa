/*
 * pipeline.h - one run in one process: capture, sensor, inspector and recorder take turns, and meet only
 * in events on rings. For debuggers, sanitizers and tests.
 */
#ifndef MONITOR_PIPELINE_H
#define MONITOR_PIPELINE_H

#include "monitor/run.h"

/* run() (monitor/run.h), with all roles in this process: if one dies, so does the run. */
int pipeline_run(const struct run_options *options, struct capture *capture,
                 struct run_result *result, struct flowdb **ret_db, struct err *err) MUST_CHECK;

#endif
