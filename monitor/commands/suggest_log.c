/*
 * suggest_log.c - see suggest_log.h.
 */
#include "monitor/commands/suggest_log.h"
#include "monitor/commands/query.h"
#include "monitor/policy_record.h"

int suggest_log(const struct query_options *asked, const char *folder,
                struct suggestion_options *options,
                int (*propose)(void *context, const struct suggestion_options *options,
                               struct err *err),
                void *context, struct err *err)
{
	CLEANUP(envelope_freep) struct envelope *envelope = NULL;
	CLEANUP(policy_freep) struct policy *in_force = NULL;
	CLEANUP(query_release) struct query query = {.sensors = 0};
	int r = query_open(asked, &query, err), checked;

	if (r >= 0)
		r = policy_in_force(query.db, &in_force, err);
	if (r >= 0 && folder)
		r = envelope_load(folder, &envelope, err);
	if (r < 0)
		return r;
	options->db = query.db;
	options->in_force = in_force;
	options->envelope = envelope ? envelope : in_force->envelope;
	options->window = (struct flow_query){.since_us = query.flow.since_us,
	                                      .until_us = query.flow.until_us};
	r = propose(context, options, err);
	checked = flowdb_check(query.db, err);
	return checked < 0 ? checked : r;
}
