/*
 * cmd_blind.c - when not everything could be seen, and why.
 */
#include "monitor/commands.h"
#include "monitor/commands/blind_list.h"
#include "monitor/log.h"
#include "schema/time.h"

static const char HELP[] =
	"usage: tlmon blind [-l DIR] [-o FORMAT] [--since T] [--until T] [...]\n\n"
	"Lists the intervals in which something was not seen, oldest first, and what they\n"
	"add up to. Time of the window in which no run looked is listed as not-running,\n"
	"without an ID; where no window is asked for, that is the time between runs and,\n"
	"live, since the last one. Of capture files, gaps of more than a minute count.\n"
	"What is not listed here was watched: calm there was calm. If nothing at all was\n"
	"recorded in the window asked for, it says so, lists the window as not-running\n"
	"(without START or END where it is open) and ends 1, else 0.\n\n" LOG_HELP
	"  -o, --output FORMAT   table (the default), json, jsonl or csv\n"
	"  -w, --wide            on a terminal too let the table be as wide as it likes\n"
	"      --since T         what goes on at T or later: 2h (ago), 09:30,\n"
	"                        2026-11-22T09:30; local, or with Z or +01:00 behind it.\n"
	"                        In a recording, ago counts back from its last packet\n"
	"      --until T         what goes on at T or earlier; --since 22:00 with\n"
	"                        --until 06:00 is last night\n"
	"      --unit WHO        what concerns this unit: a name, or an address it had\n"
	"      --cause CAUSE     not-running, kernel-drop, inspector-down, sensor-down,\n"
	"                        ring-full, evicted, link-down, mirror-silent, truncated,\n"
	"                        one-sided, clock-step, disk-full, mac-shared,\n"
	"                        stream-gap, dissect-full, removed\n"
	"      --limit N         the first N only\n"
	"  -h, --help            this text\n\n"
	"Were we looking between two and four?\n"
	"  tlmon blind --since 02:00 --until 04:00\n";

/* The names of the columns are fixed: scripts rely on them. */
static const struct out_column COLUMNS[] = {
	{"id", "ID", OUT_RIGHT},
	{NULL, "START", 0},
	{NULL, "LASTED", OUT_RIGHT},
	{"cause", "CAUSE", 0},
	{"unit", NULL, 0},
	{NULL, "UNIT", OUT_CUT_NEXT},
	{"start", NULL, 0},
	{"end", NULL, 0},
	{"count", NULL, 0},
	{NULL, "COUNT", 0},
	{"detail", "DETAIL", OUT_CUT},
	{"sentence", NULL, 0},
};

struct listing {
	struct out *out;
	int64_t now_us;
	struct blind_sums sums;
};

/* "2026-11-22 09:39:40.123" */
static const char *start_print(int64_t us, char buf[TIME_TEXT])
{
	time_print_local(us, buf);
	text_add(buf, TIME_TEXT, ".%03d", (int)(us % SECOND_US / 1000));
	return buf;
}

static int put_blind(void *context, const struct blind_view *blind, struct err *err)
{
	struct listing *listing = context;
	const struct blind_row *row = &blind->row;
	enum blind_cause cause = (enum blind_cause)row->cause;
	/* Of a window outside all that is recorded: nothing goes on there. */
	bool open = !row->since_us || (!row->until_us && row->since_us > listing->now_us);
	struct out *out = listing->out;
	char text[TIME_TEXT + 32], count[BLIND_COUNT_TEXT];

	blind_sums_add(&listing->sums, row);
	if (blind->id)
		out_int(out, blind->id);
	else
		out_null(out);
	out_text(out, row->since_us ? start_print(row->since_us, text) : "");
	time_print_span(row->until_us - row->since_us, text);
	out_text(out, open ? "open" : row->until_us ? text : "goes on");
	out_text(out, blind_cause_name(cause));
	out_text(out, blind->unit);
	out_text(out, blind->unit ? blind->unit : "all");
	out_text(out, row->since_us ? time_print(row->since_us, text) : NULL);
	out_text(out, row->until_us ? time_print(row->until_us, text) : NULL);
	out_int(out, (int64_t)row->count);
	blind_count_print(cause, row->count, count);
	out_text(out, *count ? count : NULL);
	out_text(out, *row->detail ? row->detail : NULL);
	out_text(out, blind_cause_sentence(cause));
	return out_end(out, err);
}

static void say_sums(const struct blind_sums *sums, struct out *out)
{
	char text[BLIND_SUM_TEXT];

	for (unsigned i = BLIND_NONE + 1; i < BLIND_CAUSE_COUNT; i++)
		if (sums->by_cause[i].intervals)
			out_say(out, "%-14s  %s: %s", blind_cause_name((enum blind_cause)i),
			        blind_sum_print(&sums->by_cause[i], (enum blind_cause)i, text),
			        blind_cause_sentence((enum blind_cause)i));
}

/* No row says what a run missed that stands still, and nobody shall take that for calm. */
static int note_stalled(void *context, const struct run_view *run, struct err *err)
{
	const struct query *query = context;
	int64_t old_us = query->now_us - run->last_us;
	char text[TIME_TEXT];

	if (run_goes_on(query, run) && old_us > RUNNING_US &&
	    (!query->flow.until_us || query->flow.until_us > run->last_us))
		log_note("run %lld stands still, its heartbeat is %s old: what it did not see since "
		         "then is not known yet; 'tlmon status' tells more",
		         (long long)run->id, time_print_span(old_us, text));
	return 0;
}

/* 1: nothing was recorded in the window. */
static int list_blind(struct query *query, const struct query_options *options,
                      enum blind_cause cause, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	struct listing listing = {.now_us = query->now_us};
	bool outside;
	int r = out_new(options->format, stdout, COLUMNS, ARRAY_LEN(COLUMNS), options->wide,
	                &out, err);

	if (r < 0)
		return r;
	listing.out = out;
	blind_sums_init(&listing.sums, query);
	query_head(query, out);
	r = blind_list(query, cause, put_blind, &listing, err);
	outside = r > 0;
	if (r >= 0)
		r = out_finish(out, err);
	if (r >= 0)
		r = flowdb_runs(query->db, note_stalled, query, err);
	if (r < 0)
		return r;
	say_sums(&listing.sums, out);
	if (!outside)
		return query_foot(query, out, "blind intervals", err);
	query_say_outside(query);
	r = flowdb_check(query->db, err);
	return r < 0 ? r : 1;
}

static int parse_cause(const char *value, enum blind_cause *ret_cause, struct err *err)
{
	enum blind_cause cause = blind_cause_parse(value);
	char words[512] = "";

	if (cause < BLIND_CAUSE_COUNT) {
		*ret_cause = cause;
		return 0;
	}
	for (unsigned i = BLIND_NONE + 1; i < BLIND_CAUSE_COUNT; i++)
		text_add(words, sizeof(words), "%s%s", *words ? ", " : "",
		         blind_cause_name((enum blind_cause)i));
	return err_set(err, -EINVAL, "--cause %s: no such cause; accepted: %s", value, words);
}

int cmd_blind(int argc, char **argv)
{
	enum { CAUSE = QUERY_LAST };
	static const struct option LONG[] = {{"log", required_argument, NULL, 'l'},
	                                     {"output", required_argument, NULL, 'o'},
	                                     {"wide", no_argument, NULL, 'w'},
	                                     {"since", required_argument, NULL, QUERY_SINCE},
	                                     {"until", required_argument, NULL, QUERY_UNTIL},
	                                     {"unit", required_argument, NULL, QUERY_UNIT},
	                                     {"cause", required_argument, NULL, CAUSE},
	                                     {"limit", required_argument, NULL, QUERY_LIMIT},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct command_line line = {.command = "blind", .options = LONG};
	struct query_options options = {0};
	enum blind_cause cause = BLIND_NONE;
	struct query query = {0};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		if (option == CAUSE)
			r = parse_cause(optarg, &cause, &err);
		else
			r = query_option(&options, option, optarg, &err);
	}
	if (r >= 0)
		r = command_line_end(&line, argc, argv, &err);
	if (r >= 0)
		r = query_open(&options, &query, &err);
	if (r < 0)
		return log_err(&err);
	r = list_blind(&query, &options, cause, &err);
	query_release(&query);
	return r < 0 ? log_err(&err) : r ? EXIT_NO : EXIT_FINE;
}
