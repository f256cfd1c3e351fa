/*
 * cmd_findings.c - what left the envelope or was blocked, worst first: for people one line for what
 * is alike at many units, for programs (and with --per-unit) every finding.
 */
#include "monitor/commands.h"
#include "monitor/commands/count_table.h"
#include "monitor/commands/finding_table.h"
#include "monitor/commands/follow.h"
#include "monitor/log.h"

static const struct query_command COMMAND = {
	.name = "findings",
	.has = HAS_ANSWER | HAS_WINDOW | HAS(UNIT) | HAS(PEER) | HAS(PORT) | HAS(TRANSPORT) |
               HAS(APPLICATION) | HAS(MEDIA) | HAS(DIRECTION) | HAS(OUTCOME) | HAS(ROW) |
               HAS(KIND) | HAS(SEVERITY) | HAS(STATE) | HAS(FINDING) | HAS(BLIND) |
               HAS(PER_UNIT) | HAS(SORT) | HAS(COUNT_BY) | HAS(LIMIT) | HAS(FOLLOW),
	.filter = true,
	.usage = "[-l DIR] [-o FORMAT] [--per-unit] [...] [filter]",
	.about =
		"Lists what left the envelope or was blocked, worst first. The table has one line\n"
		"for what is alike at many units (kind, row, peer, port), and below it the\n"
		"sentence of the finding with most flows; --per-unit lists each unit's, as json,\n"
		"jsonl and csv always do, and --sort and --follow.\n\n",
	.examples =
		"filter: words of a tcpdump filter, behind the options; a finding is listed if\n"
		"they take one of its recorded flows (so do --peer, --port, --media, --direction,\n"
		"--outcome, --blind, --since, --until). Of a finding of which not all flows are\n"
		"kept, the window takes what lies between its first and its last.\n\n"
		"What is worst since yesterday?\n"
		"  tlmon findings --since 1d --severity medium\n"
		"Why, and what would settle it?\n"
		"  tlmon explain F17\n",
};

static int tell_findings(const struct query *query, void *context, struct err *err)
{
	const struct finding_query finding = {.flow = query->flow,
	                                      .state = query->options->state};

	return flowdb_findings(query->db, &finding, finding_put, context, err);
}

static int list_findings(struct query *query, struct err *err)
{
	const struct query_options *options = query->options;
	bool grouped = options->format == OUT_TABLE && !options->per_unit &&
	               !options->narrow.sort && !options->follow;
	const struct finding_query finding = {.flow = query->flow, .state = options->state};
	CLEANUP(out_freep) struct out *out = NULL;
	int r = query_out(query, grouped ? FINDING_GROUP_COLUMNS : FINDING_COLUMNS,
	                  grouped ? FINDING_GROUP_COLUMN_COUNT : FINDING_COLUMN_COUNT, &out,
	                  err);

	if (r < 0)
		return r;
	query_head(query, out);
	if (options->follow)
		return follow(query, out, tell_findings, out, err);
	r = grouped ? flowdb_finding_groups(query->db, &finding, finding_group_put, out, err)
	            : tell_findings(query, out, err);
	if (r >= 0)
		r = out_finish(out, err);
	return r ? r : query_foot(query, out, "findings", err);
}

int cmd_findings(int argc, char **argv)
{
	struct query_options options;
	struct query query = {0};
	struct err err = {0};
	int r = query_command_line(&COMMAND, argc, argv, &options, &err);

	if (r > 0)
		return EXIT_FINE;
	if (r >= 0)
		r = query_fields(&options, THING_FINDINGS, &err);
	if (r >= 0)
		r = query_open(&options, &query, &err);
	if (r < 0)
		return log_err(&err);
	r = options.count_by ? count_list(&query, THING_FINDINGS, "findings", &err)
	                     : list_findings(&query, &err);
	query_release(&query);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
