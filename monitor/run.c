/*
 * run.c - see run.h.
 */
#include "monitor/run.h"
#include "monitor/pipeline.h"
#include "monitor/process/supervisor.h"

bool run_is_unit(const void *policy, const struct addr *addr, const struct mac *mac, bool sent)
{
	const struct unit_rule *rule = policy_find_unit(policy, addr, mac);

	return (rule && (sent || !rule->many)) || (mac && policy_looks_like_unit(policy, mac, NULL));
}

int run(const struct run_options *options, struct capture *capture, struct run_result *result,
        struct flowdb **ret_db, struct err *err)
{
	return options->in_process ? pipeline_run(options, capture, result, ret_db, err)
	                           : supervisor_run(options, capture, result, ret_db, err);
}
