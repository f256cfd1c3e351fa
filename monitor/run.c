/*
 * run.c - see run.h.
 */
#include "monitor/run.h"
#include "monitor/pipeline.h"
#include "monitor/process/supervisor.h"

int run(const struct run_options *options, struct capture *capture, struct run_result *result,
        struct flowdb **ret_db, struct err *err)
{
	return options->in_process ? pipeline_run(options, capture, result, ret_db, err)
	                           : supervisor_run(options, capture, result, ret_db, err);
}
