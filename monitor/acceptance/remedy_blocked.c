/*
 * remedy_blocked.c - ways that are closed, sorted by who can open them: a filter on the way, or the end that was
 * asked.
 */
#include "monitor/acceptance/remedy_parts.h"

#define WAYS_MAX 16

int remedy_ways(const struct policy *policy, const struct firewall_ask *ask,
                struct remedies *ret, struct err *err)
{
	struct closed_way closed[WAYS_MAX], refused[WAYS_MAX];
	struct firewall_ask open = *ask, ended = *ask;
	int r = 0;

	open.ways = closed;
	ended.ways = refused;
	open.way_count = ended.way_count = 0;
	for (size_t i = 0; i < ask->way_count && i < WAYS_MAX; i++)
		if (way_is_refused(policy, &ask->ways[i]))
			refused[ended.way_count++] = ask->ways[i];
		else
			closed[open.way_count++] = ask->ways[i];
	for (unsigned step = 0; r >= 0 && step < 2; step++) {
		struct remedy remedy = {.kind = step ? STEP_NETWORK : STEP_FIREWALL};

		if (!(step ? ended.way_count : open.way_count))
			continue;
		r = step ? firewall_refused(policy, &ended, &remedy.say, err)
		         : firewall_open(policy, &open, &remedy.say, &remedy.lines, err);
		if (r >= 0)
			r = remedy_add(ret, &remedy, err);
	}
	return r;
}

struct blocked {
	const struct policy *policy;
	struct closed_way ways[WAYS_MAX];
	size_t way_count;
	uint16_t rows[ROWS_MAX];
	size_t row_count;
};

static bool is_known(const struct blocked *blocked, const struct closed_way *way)
{
	for (size_t i = 0; i < blocked->way_count; i++)
		if (addr_equal(&blocked->ways[i].remote, &way->remote) &&
		    addr_equal(&blocked->ways[i].local, &way->local) &&
		    blocked->ways[i].transport == way->transport)
			return true;
	return false;
}

static int note_flow(void *context, const struct flow_view *flow, struct err *err)
{
	struct blocked *blocked = context;
	const struct flow_facts *facts = &flow->facts;
	const struct endpoint *local = &facts->end[flow->local],
			      *remote = &facts->end[!flow->local];
	const struct closed_way way = {.kind = flow->kind,
	                               .transport = facts->transport,
	                               .direction = flow->direction,
	                               .icmp_type = facts->icmp_type,
	                               .icmp_code = facts->icmp_code,
	                               .local_port = local->port,
	                               .remote_port = remote->port,
	                               .local = local->addr,
	                               .remote = remote->addr,
	                               .sender = facts->icmp_sender};

	(void)err;
	for (unsigned i = 0; !blocked->way_count && i < flow->row_count; i++) {
		int row = envelope_find_row(blocked->policy->envelope, flow->rows[i]);

		if (row >= 0)
			blocked->rows[blocked->row_count++] = (uint16_t)row;
	}
	if (!is_known(blocked, &way))
		blocked->ways[blocked->way_count++] = way;
	return blocked->way_count == WAYS_MAX;
}

int remedy_blocked(struct flowdb *db, const struct policy *policy,
                   const struct remedy_finding *finding, struct remedies *ret, struct err *err)
{
	const struct flow_query own = {.finding = finding->id, .limit = REMEDY_OWN_MAX};
	struct blocked blocked = {.policy = policy};
	struct firewall_ask ask = {.rows = blocked.rows, .ways = blocked.ways};
	int r = flowdb_flows(db, &own, note_flow, &blocked, err);

	ask.row_count = blocked.row_count;
	ask.way_count = blocked.way_count;
	return r < 0 || !ask.way_count || !ask.row_count ? r
	                                                 : remedy_ways(policy, &ask, ret, err);
}
