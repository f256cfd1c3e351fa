/*
 * cmd_flows.c - recorded flows and their verdicts.
 */
#include "monitor/commands.h"
#include "monitor/commands/count_table.h"
#include "monitor/commands/flow_table.h"
#include "monitor/commands/follow.h"
#include "monitor/log.h"
#include "schema/time.h"

static const struct query_command COMMAND = {
	.name = "flows",
	.has = HAS_ANSWER | HAS_WINDOW | HAS(UNIT) | HAS(PEER) | HAS(PORT) | HAS(TRANSPORT) |
               HAS(APPLICATION) | HAS(MEDIA) | HAS(DIRECTION) | HAS(OUTCOME) | HAS(VERDICT) |
               HAS(GRADE) | HAS(ROW) | HAS(KIND) | HAS(SEVERITY) | HAS(FINDING) | HAS(BLIND) |
               HAS(SORT) | HAS(COUNT_BY) | HAS(LIMIT) | HAS(FOLLOW),
	.filter = true,
	.usage = "[-l DIR] [-o FORMAT] [--since T] [--until T] [...] [filter]",
	.about =
		"Lists recorded flows in the order they began, each with its verdict: documented\n"
		"(by which row, and how well: exact, unproven, wide), outside (what differs from\n"
		"the nearest row), undetermined (why), housekeeping. A window takes in what\n"
		"overlaps it.\n\n",
	.examples =
		"filter: words of a tcpdump filter, behind the options; a flow is listed if one\n"
		"of its packets would be taken. Words about what no flow remembers (payload,\n"
		"flags of one packet, lengths) are refused. VLAN tags count where the words\n"
		"speak of vlan.\n\n"
		"What did the boardroom do between two and four, outside its envelope?\n"
		"  tlmon flows --unit boardroom --since 02:00 --until 04:00 --verdict outside\n"
		"Why? (the number is the flow's ID)\n"
		"  tlmon explain 81234\n"
		"With whom did it talk most, and when?\n"
		"  tlmon flows --unit boardroom --since 1d --count-by peer,hour --limit 10\n"
		"What went to that host over UDP?\n"
		"  tlmon flows --sort -bytes_out host 10.0.0.9 and udp port 3478\n",
};

struct listing {
	struct out *out;
	bool one_day; /* the table's START need not tell the day */
};

static int put_flow(void *context, const struct flow_view *flow, struct err *err)
{
	const struct listing *listing = context;

	return flow_put(listing->out, flow, listing->one_day, err);
}

static bool is_one_day(const struct query *query)
{
	const struct span *span = &query->span;
	char first[TIME_TEXT], last[TIME_TEXT];

	time_print_local(query->flow.since_us > span->first_us ? query->flow.since_us
	                                                       : span->first_us,
	                 first);
	time_print_local(query->flow.until_us && query->flow.until_us < span->last_us
	                         ? query->flow.until_us
	                         : span->last_us,
	                 last);
	return !strncmp(first, last, 10) && !query->options->follow;
}

static int tell_flows(const struct query *query, void *context, struct err *err)
{
	return flowdb_flows(query->db, &query->flow, put_flow, context, err);
}

static int list_flows(struct query *query, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	struct listing listing = {.one_day = is_one_day(query)};
	int r = query_out(query, FLOW_COLUMNS, FLOW_COLUMN_COUNT, &out, err);

	if (r < 0)
		return r;
	listing.out = out;
	query_head(query, out);
	if (query->options->follow)
		return follow(query, out, tell_flows, &listing, err);
	r = tell_flows(query, &listing, err);
	if (r >= 0)
		r = out_finish(out, err);
	return r ? r : query_foot(query, out, "flows", err);
}

int cmd_flows(int argc, char **argv)
{
	struct query_options options;
	struct query query = {0};
	struct err err = {0};
	int r = query_command_line(&COMMAND, argc, argv, &options, &err);

	if (r > 0)
		return EXIT_FINE;
	if (r >= 0)
		r = query_fields(&options, THING_FLOWS, &err);
	if (r >= 0)
		r = query_open(&options, &query, &err);
	if (r < 0)
		return log_err(&err);
	r = options.count_by ? count_list(&query, THING_FLOWS, "flows", &err)
	                     : list_flows(&query, &err);
	query_release(&query);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
