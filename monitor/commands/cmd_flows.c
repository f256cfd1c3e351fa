/*
 * cmd_flows.c - recorded flows and their verdicts.
 */
#include "monitor/commands.h"
#include "monitor/commands/flow_table.h"
#include "monitor/log.h"
#include "schema/time.h"

static const char HELP[] =
	"usage: tlmon flows [-l DIR] [-o FORMAT] [--since T] [--until T] [...]\n\n"
	"Lists recorded flows in the order they began, each with its verdict: documented\n"
	"(by which row, and how well: exact, unproven, wide), outside (what differs from\n"
	"the nearest row), undetermined (why), housekeeping. A window takes in what\n"
	"overlaps it.\n\n" QUERY_HELP
	"      --verdict V       documented, outside, undetermined or housekeeping\n"
	"      --blind           only those that overlap a blind interval (tlmon blind)\n"
	"  -h, --help            this text\n\n"
	"What did the boardroom do between two and four, outside its envelope?\n"
	"  tlmon flows --unit boardroom --since 02:00 --until 04:00 --verdict outside\n"
	"Why? (the number is the flow's ID)\n"
	"  tlmon explain 81234\n";

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
	return !strncmp(first, last, 10);
}

static int list_flows(struct query *query, const struct query_options *options, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	struct listing listing = {.one_day = is_one_day(query)};
	int r = out_new(options->format, stdout, FLOW_COLUMNS, FLOW_COLUMN_COUNT, options->wide,
	                &out, err);

	if (r < 0)
		return r;
	listing.out = out;
	query_head(query, out);
	r = flowdb_flows(query->db, &query->flow, put_flow, &listing, err);
	if (r >= 0)
		r = out_finish(out, err);
	return r ? r : query_foot(query, out, "flows", err);
}

int cmd_flows(int argc, char **argv)
{
	enum { VERDICT = QUERY_LAST, SEEN_BLIND };
	static const struct option LONG[] = {
		QUERY_LONG,
		{"verdict", required_argument, NULL, VERDICT},
		{"blind", no_argument, NULL, SEEN_BLIND},
		{0}};
	struct command_line line = {.command = "flows", .options = LONG};
	struct query_options options = {0};
	enum ruling ruling = RULING_NONE;
	struct query query = {0};
	struct err err = {0};
	bool blind = false;
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		if (option == VERDICT) {
			ruling = ruling_parse(optarg);
			if (ruling > RULING_HOUSEKEEPING)
				r = err_set(
					&err, -EINVAL,
					"--verdict %s: no such verdict; accepted: documented, outside, "
					"undetermined, housekeeping",
					optarg);
			continue;
		}
		if (option == SEEN_BLIND)
			blind = true;
		else
			r = query_option(&options, option, optarg, &err);
	}
	if (r >= 0 && optind < argc)
		r = err_set(&err, -EINVAL,
		            "flows: '%s' is no option; 'tlmon flows --help' lists them",
		            argv[optind]);
	if (r >= 0)
		r = query_open(&options, &query, &err);
	if (r < 0)
		return log_err(&err);
	query.flow.ruling = (uint8_t)ruling;
	query.flow.blind = blind;
	r = list_flows(&query, &options, &err);
	query_release(&query);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
