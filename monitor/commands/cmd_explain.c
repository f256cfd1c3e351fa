/*
 * cmd_explain.c - why a flow, a finding or a tuple written by hand is judged so.
 */
#include "monitor/commands.h"
#include "monitor/commands/explain.h"
#include "monitor/commands/removed.h"
#include "monitor/commands/tuple.h"
#include "monitor/log.h"

static const char HELP[] =
	"usage: tlmon explain [-l DIR] [-o FORMAT] [--settle] FLOW | FINDING\n"
	"       tlmon explain [-c site.yaml] [--profile LIST] TUPLE\n\n"
	"Tells the story of a recorded flow (81234) or a finding (F17): what was seen and\n"
	"how it is known, names and lease of that time, the policy that judged it, and\n"
	"every row that was tried with the fields that differ. Rows are quoted from what\n"
	"is recorded of that policy. Or judges a flow that you write down (a tuple),\n"
	"without any recording.\n\n" TUPLE_HELP
	"\n" LOG_HELP
	"                        Repeatable: a number that several databases hold is\n"
	"                        named with its own: DIR:81234, DIR:F17\n"
	"  -o, --output FORMAT   table (for people, the default) or json\n"
	"      --settle          of a finding: try what would settle it, changes of the\n"
	"                        site file by judging again what is recorded; seconds\n"
	"                        on a large database\n" POLICY_HELP
	"  -h, --help            this text\n\n"
	"  tlmon explain F17 -l /var/lib/tlmon\n"
	"  tlmon explain 'udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=audio' \\\n"
	"        --profile room,online\n";

/* What is to be told, and where it may be recorded. */
struct wanted {
	const char *dirs[FLOWDBS_MAX];
	size_t dir_count;
	bool is_finding, json, settle;
	int64_t id;
};

static int found_flow(void *context, const struct flow_view *flow, struct err *err)
{
	(void)flow;
	(void)err;
	*(bool *)context = true;
	return 1;
}

static int found_finding(void *context, const struct finding_view *finding, struct err *err)
{
	(void)finding;
	(void)err;
	*(bool *)context = true;
	return 1;
}

/* 1: that database holds it; 0: not, and `ret_span` tells what it holds. */
static int is_in(const struct wanted *wanted, struct flowdb *db, struct span *ret_span,
                 struct err *err)
{
	bool found = false;
	int r = wanted->is_finding ? finding_by_id(db, wanted->id, found_finding, &found, err)
	                           : flowdb_flow(db, wanted->id, found_flow, &found, err);

	if (r >= 0 && !found)
		r = flowdb_span(db, ret_span, err);
	return r < 0 ? r : found;
}

/* Numbers mean something in one database alone. The only one that was asked stays open: *ret_db. */
static int find_one(const struct wanted *wanted, const char **ret_dir, struct flowdb **ret_db,
                    struct err *err)
{
	char id[32], in[1024] = "", held[128 + REMOVED_TEXT] = "", removed[REMOVED_TEXT];
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	const char *only = data_dir(NULL);
	unsigned found = 0;
	int r = flowdb_open_all(wanted->dirs[0] ? wanted->dirs : &only, wanted->dir_count, &db, err);

	if (r < 0)
		return r;
	snprintf(id, sizeof(id), "%s%lld", wanted->is_finding ? "F" : "", (long long)wanted->id);
	for (size_t i = 0; i < wanted->dir_count; i++) {
		struct span span = {0};

		r = is_in(wanted, flowdb_nth(db, i), &span, err);
		if (r < 0)
			return r;
		if (r) {
			text_add(in, sizeof(in), "%s%.200s:%s", found++ ? ", " : "",
			         data_dir(wanted->dirs[i]), id);
			*ret_dir = wanted->dirs[i];
		} else if (wanted->dir_count == 1) {
			snprintf(held, sizeof(held), "; it holds %llu flow%s and %llu finding%s",
			         (unsigned long long)span.flows, plural(span.flows),
			         (unsigned long long)span.findings, plural(span.findings));
			r = removed_print(db, 0, 0, removed, err);
			if (r < 0)
				return r;
			text_add(held, sizeof(held), "%s", removed);
		}
	}
	if (found == 1 && wanted->dir_count == 1)
		*ret_db = TAKE(db);
	if (found == 1)
		return 0;
	if (found)
		return err_set(err, -EINVAL, "%s %s is in %u of the databases; say which: %s",
		               wanted->is_finding ? "finding" : "flow", id, found, in);
	return err_set(err, -ENOENT, "no %s %s in %s/flows.db%s%s",
	               wanted->is_finding ? "finding" : "flow", id, data_dir(wanted->dirs[0]),
	               wanted->dir_count > 1 ? " or any of the others" : "", held);
}

static int explain_recorded(const struct wanted *wanted, const struct policy_options *options,
                            struct err *err)
{
	struct explain explain = {.json = wanted->json, .settle = wanted->settle};
	int r = 0;

	if (options->site || options->profiles || options->unit_count || options->envelope)
		r = err_set(err, -EINVAL,
		            "-c, -e, --unit and --profile are for tuples; a recorded %s keeps the "
		            "verdict it was given, by the policy that is recorded with it",
		            wanted->is_finding ? "finding" : "flow");
	if (r >= 0 && wanted->settle && !wanted->is_finding)
		r = err_set(err, -EINVAL,
		            "--settle: %lld is a flow; accepted with a finding (F17)",
		            (long long)wanted->id);
	if (r >= 0)
		r = find_one(wanted, &explain.dir, &explain.db, err);
	if (r >= 0 && !explain.db)
		r = flowdb_open(data_dir(explain.dir), FLOWDB_READ, &explain.db, err);
	if (r >= 0)
		r = wanted->is_finding ? explain_finding(&explain, wanted->id, err)
		                       : explain_flow(&explain, wanted->id, err);
	if (r >= 0)
		r = flowdb_check(explain.db, err);
	explain_release(&explain);
	return r;
}

/* "81234", "F17", and of one database "DIR:81234". `word` is parted there. */
static bool parse_wanted(char *word, struct wanted *wanted)
{
	char *colon = strrchr(word, ':');
	const char *id = colon ? colon + 1 : word;

	wanted->is_finding = finding_id_parse(id, &wanted->id);
	if (!wanted->is_finding && !flow_id_parse(id, &wanted->id))
		return false;
	if (colon == word)
		return false;
	if (colon) {
		*colon = '\0';
		wanted->dirs[0] = word;
		wanted->dir_count = 1;
	}
	return true;
}

/* The words of a tuple that the shell parted. */
static void join(char *buf, size_t size, char **words, int count)
{
	*buf = '\0';
	for (int i = 0; i < count; i++)
		text_add(buf, size, "%s%s", i ? " " : "", words[i]);
}

static int explain(int argc, char **argv, struct wanted *wanted,
                   const struct policy_options *options)
{
	char tuple[4096];
	struct err err = {0};

	if (!argc) {
		log_error("explain: a flow (81234), a finding (F17) or a tuple is wanted; "
		          "'tlmon explain --help' says more");
		return EXIT_USAGE;
	}
	if (argc == 1 && !strpbrk(argv[0], " \t") && parse_wanted(argv[0], wanted))
		return explain_recorded(wanted, options, &err) < 0 ? log_err(&err) : EXIT_FINE;
	if (argc == 1 && !strpbrk(argv[0], " \t")) {
		log_error(
			"explain: '%s' is neither a flow (81234), nor a finding (F17), nor a tuple "
			"('udp 10.1.2.3:41022 > 52.112.1.9:50011'); 'tlmon explain --help' says more",
			argv[0]);
		return EXIT_USAGE;
	}
	if (wanted->settle) {
		log_error("explain: --settle: nothing is recorded of a tuple; accepted with a "
		          "finding (F17)");
		return EXIT_USAGE;
	}
	join(tuple, sizeof(tuple), argv, argc);
	return explain_tuple(tuple, options, wanted->json);
}

static bool gathers(int option)
{
	return option == 'l';
}

int cmd_explain(int argc, char **argv)
{
	enum { SETTLE = OPTION_LAST };
	static const struct option LONG[] = {POLICY_LONG,
	                                     {"log", required_argument, NULL, 'l'},
	                                     {"output", required_argument, NULL, 'o'},
	                                     {"settle", no_argument, NULL, SETTLE},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct command_line line = {.command = "explain", .options = LONG, .gathers = gathers};
	struct policy_options options = {0};
	enum out_format format = OUT_TABLE;
	struct wanted wanted = {0};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		if (option == 'l' && wanted.dir_count == FLOWDBS_MAX)
			r = err_set(&err, -EINVAL, "-l %s: at most %d of them", optarg, FLOWDBS_MAX);
		else if (option == 'l')
			wanted.dirs[wanted.dir_count++] = optarg;
		else if (option == 'o')
			r = out_format_parse(optarg, &format, &err);
		else if (option == SETTLE)
			wanted.settle = true;
		else
			r = policy_option(&options, option, optarg, &err);
	}
	if (r >= 0 && format == OUT_CSV)
		r = err_set(&err, -EINVAL,
		            "-o csv: a story has no columns; accepted: table, json, jsonl");
	if (r < 0)
		return log_err(&err);
	if (!wanted.dir_count)
		wanted.dir_count = 1; /* the default one */
	wanted.json = format != OUT_TABLE;
	return explain(argc - optind, argv + optind, &wanted, &options);
}
