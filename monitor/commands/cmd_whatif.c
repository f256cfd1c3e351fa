/*
 * cmd_whatif.c - recorded flows under another site file or envelope: which verdicts would be others, gathered
 * as findings are. Nothing is changed.
 */
#include "monitor/commands.h"
#include "monitor/commands/flip_table.h"
#include "monitor/commands/other_policy.h"
#include "monitor/commands/query.h"
#include "monitor/commands/waiver_flips.h"
#include "monitor/histories.h"
#include "monitor/log.h"

#include <unistd.h>

static const char HELP[] =
	"usage: tlmon whatif [-c site.yaml] [-e DIR] [-l DIR] [--since T] [--until T]\n"
	"                    [--unit WHO] [--flows] [-o FORMAT]\n\n"
	"Judges recorded flows by another site file, another envelope, or both, and lists\n"
	"what flips: what it was, what it becomes, at how many units, and why. Nothing is\n"
	"changed; 'tlmon rejudge' does it for good. Without -c and -e each flow is judged\n"
	"again by the policy that judged it, and nothing flips. The policy in force is\n"
	"that of the last run, or of a rejudge after it.\n\n" OTHER_POLICY_HELP LOG_HELP
	"  -o, --output FORMAT   table (the default), json, jsonl or csv\n"
	"  -w, --wide            on a terminal too let the table be as wide as it likes\n"
	"      --since T         what goes on at T or later: 2h (ago), 09:30,\n"
	"                        2026-11-22T09:30\n"
	"      --until T         what goes on at T or earlier\n"
	"      --unit WHO        a unit's name, or an address it had, as recorded\n"
	"      --limit N         the first N flips only; the sums count all\n"
	"      --flows           each flow that flips, not what they have in common\n"
	"  -h, --help            this text\n\n"
	"What would the new site file have said of last week?\n"
	"  tlmon whatif -c new.yaml --since 7d\n"
	"Which flows hang on one range? Copy the envelope, change it, compare:\n"
	"  tlmon whatif -e my-envelope --flows\n";

struct whatif {
	struct query query;
	struct policy *policy;
	struct history *history; /* under that policy; NULL: each flow under its own */
	struct histories own;
	struct flips *flips;
	struct waiver_flips *waivers;
	struct out *out;
	uint64_t limit;
	bool flows; /* each one */
	bool told;  /* progress stands on the terminal */
};

static void whatif_release(struct whatif *whatif)
{
	out_free(whatif->out);
	waiver_flips_free(whatif->waivers);
	flips_free(whatif->flips);
	history_free(whatif->history);
	histories_release(&whatif->own);
	policy_free(whatif->policy);
	query_release(&whatif->query);
}

static void progress(struct whatif *whatif)
{
	const struct flip_sums *sums = flips_sums(whatif->flips);

	if (sums->judged % 50000 || !isatty(STDERR_FILENO))
		return;
	fprintf(stderr, "\r%llu of %llu flows judged, %llu flip\033[K",
	        (unsigned long long)sums->judged, (unsigned long long)whatif->query.span.flows,
	        (unsigned long long)sums->flipped);
	whatif->told = true;
}

static void progress_over(struct whatif *whatif)
{
	if (whatif->told)
		fputs("\r\033[K", stderr);
	whatif->told = false;
}

static int judge_one(void *context, const struct flow_view *flow, struct err *err)
{
	struct whatif *whatif = context;
	struct flip_sums *sums = flips_sums(whatif->flips);
	struct history *history = whatif->history;
	struct past past;
	bool flips;
	int r = history ? 0 : histories_of(&whatif->own, flow->policy, &history, err);

	if (r < 0)
		return r;
	sums->lacks_peer += history_lacks_peer(history, flow);
	if (!history_judge(history, flow, &past)) {
		sums->nobodys++;
		return 0;
	}
	flips = history_flips(history, flow, &past.verdict);
	flip_sums_add(sums, flow, &past, flips);
	progress(whatif);
	if (!flips) {
		sums->apart += history_differs(history, flow, &past.verdict);
		return waiver_flips_note(whatif->waivers, flow, &past, err);
	}
	r = flips_add(whatif->flips, flow, &past, err);
	if (r >= 0 && whatif->flows && (!whatif->limit || sums->flipped <= whatif->limit)) {
		progress_over(whatif);
		r = flip_flow_put(whatif->out, flow, &past, err);
	}
	return r;
}

static int put_groups(struct whatif *whatif, struct err *err)
{
	size_t count;
	const struct flip_group *const *groups = flips_sorted(whatif->flips, &count);
	int r = 0;

	for (size_t i = 0; !r && i < count && (!whatif->limit || i < whatif->limit); i++)
		r = flip_group_put(whatif->out, groups[i], err);
	return r;
}

static int list_flips(struct whatif *whatif, const struct query_options *options,
                      const struct other_policy *other, struct err *err)
{
	const struct flip_sums *sums;
	char by[512];
	int r = out_new(options->format, stdout, whatif->flows ? FLIP_FLOW_COLUMNS : FLIP_COLUMNS,
	                whatif->flows ? FLIP_FLOW_COLUMN_COUNT : FLIP_COLUMN_COUNT, options->wide,
	                &whatif->out, err);

	if (r < 0)
		return r;
	query_head(&whatif->query, whatif->out);
	if (whatif->policy)
		out_say(whatif->out, "judged by %s (%.12s)",
		        other_policy_print(other, by, sizeof(by)), whatif->policy->hash);
	else
		out_say(whatif->out, "judged by the policy that judged each, as recorded");
	r = flowdb_flows(whatif->query.db, &whatif->query.flow, judge_one, whatif, err);
	progress_over(whatif);
	if (!r && !whatif->flows)
		r = put_groups(whatif, err);
	if (!r)
		r = out_finish(whatif->out, err);
	if (!r && options->format == OUT_TABLE) {
		flips_say(flips_sums(whatif->flips));
		r = waiver_flips_say(whatif->waivers, whatif->query.db, err);
	}
	sums = flips_sums(whatif->flips);
	return r ? r : query_foot_of(&whatif->query, whatif->out, "flows",
	                             sums->judged + sums->nobodys, err);
}

static int whatif_run(struct whatif *whatif, struct query_options *options,
                      const struct other_policy *other, struct err *err)
{
	int r;

	whatif->limit = options->narrow.limit;
	options->narrow.limit = 0; /* it counts flips, not flows */
	r = query_open(options, &whatif->query, err);
	whatif->own.db = whatif->query.db;
	if (r >= 0 && (other->site || other->envelope))
		r = other_policy_load(other, whatif->query.db, &whatif->policy, err);
	if (r >= 0 && whatif->policy)
		r = history_new(whatif->query.db, whatif->policy, NULL, &whatif->history, err);
	if (r < 0)
		return r;
	whatif->flips = flips_new();
	whatif->waivers = waiver_flips_new();
	if (!whatif->flips || !whatif->waivers)
		return err_set(err, -ENOMEM, "out of memory");
	return list_flips(whatif, options, other, err);
}

int cmd_whatif(int argc, char **argv)
{
	enum { FLOWS = QUERY_LAST };
	static const struct option LONG[] = {OTHER_POLICY_LONG,
	                                     {"log", required_argument, NULL, 'l'},
	                                     {"output", required_argument, NULL, 'o'},
	                                     {"wide", no_argument, NULL, 'w'},
	                                     {"since", required_argument, NULL, QUERY_SINCE},
	                                     {"until", required_argument, NULL, QUERY_UNTIL},
	                                     {"unit", required_argument, NULL, QUERY_UNIT},
	                                     {"limit", required_argument, NULL, QUERY_LIMIT},
	                                     {"flows", no_argument, NULL, FLOWS},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	CLEANUP(whatif_release) struct whatif whatif = {.flows = false};
	struct command_line line = {.command = "whatif", .options = LONG};
	struct query_options options = {0};
	struct other_policy other = {0};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		if (option == FLOWS)
			whatif.flows = true;
		else if (!other_policy_option(&other, option, optarg))
			r = query_option(&options, option, optarg, &err);
	}
	if (r >= 0)
		r = command_line_end(&line, argc, argv, &err);
	if (r >= 0)
		r = whatif_run(&whatif, &options, &other, &err);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
