/*
 * cmd_findings.c - what left the envelope or was blocked, worst first: for people one line for what
 * is alike at many units, for programs (and with --per-unit) every finding.
 */
#include "monitor/commands.h"
#include "monitor/commands/finding_table.h"
#include "monitor/log.h"

static const char HELP[] =
	"usage: tlmon findings [-l DIR] [-o FORMAT] [--per-unit] [--since T] [...]\n\n"
	"Lists what left the envelope or was blocked, worst first. The table has one line\n"
	"for what is alike at many units (kind, row, peer, port), and below it the\n"
	"sentence of the finding with most flows; --per-unit lists each unit's, as json,\n"
	"jsonl and csv always do.\n\n" QUERY_HELP
	"      --per-unit        one line a unit also in the table\n"
	"      --state STATE     open (the default; waived ones stand last), waived,\n"
	"                        closed, all\n"
	"  -h, --help            this text\n\n"
	"What is worst since yesterday?\n"
	"  tlmon findings --since 1d --severity medium\n"
	"Why, and what would settle it?\n"
	"  tlmon explain F17\n";

static int list_findings(struct query *query, const struct query_options *options, bool grouped,
                         uint8_t state, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	const struct finding_query finding = {.flow = query->flow, .state = state};
	int r = out_new(options->format, stdout,
	                grouped ? FINDING_GROUP_COLUMNS : FINDING_COLUMNS,
	                grouped ? FINDING_GROUP_COLUMN_COUNT : FINDING_COLUMN_COUNT,
	                options->wide, &out, err);

	if (r < 0)
		return r;
	query_head(query, out);
	r = grouped ? flowdb_finding_groups(query->db, &finding, finding_group_put, out, err)
	            : flowdb_findings(query->db, &finding, finding_put, out, err);
	if (r >= 0)
		r = out_finish(out, err);
	return r ? r : query_foot(query, out, "findings", err);
}

static int parse_state(const char *value, uint8_t *ret_state, struct err *err)
{
	static const char *const states[] = {
		[FINDINGS_ALL] = "all",
		[FINDINGS_OPEN] = "open",
		[FINDINGS_WAIVED] = "waived",
		[FINDINGS_CLOSED] = "closed",
	};

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (!strcmp(states[i], value)) {
			*ret_state = (uint8_t)i;
			return 0;
		}
	return err_set(err, -EINVAL,
	               "--state %s: no such state; accepted: open, waived, closed, all", value);
}

int cmd_findings(int argc, char **argv)
{
	enum { PER_UNIT = QUERY_LAST, STATE };
	static const struct option LONG[] = {QUERY_LONG,
	                                     {"per-unit", no_argument, NULL, PER_UNIT},
	                                     {"state", required_argument, NULL, STATE},
	                                     {0}};
	struct command_line line = {.command = "findings", .options = LONG};
	struct query_options options = {0};
	uint8_t state = FINDINGS_OPEN;
	struct query query = {0};
	bool per_unit = false;
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		if (option == PER_UNIT)
			per_unit = true;
		else if (option == STATE)
			r = parse_state(optarg, &state, &err);
		else
			r = query_option(&options, option, optarg, &err);
	}
	if (r >= 0)
		r = command_line_end(&line, argc, argv, &err);
	if (r >= 0)
		r = query_open(&options, &query, &err);
	if (r < 0)
		return log_err(&err);
	r = list_findings(&query, &options, options.format == OUT_TABLE && !per_unit, state,
	                  &err);
	query_release(&query);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
