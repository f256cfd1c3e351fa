/*
 * cmd_explain.c - why a flow, a finding or a tuple written by hand is judged so.
 */
#include "monitor/commands.h"
#include "monitor/commands/explain.h"
#include "monitor/commands/tuple.h"
#include "monitor/log.h"

static const char HELP[] =
	"usage: tlmon explain [-l DIR] [-o FORMAT] FLOW | FINDING\n"
	"       tlmon explain [-c site.yaml] [--profile LIST] TUPLE\n\n"
	"Tells the story of a recorded flow (81234) or a finding (F17): what was seen and\n"
	"how it is known, the nearest documented rows with every field that differs, and\n"
	"the smallest change that would settle it. Or judges a flow that you write down\n"
	"(a tuple), without any recording.\n\n" TUPLE_HELP "\n" LOG_HELP
	"  -o, --output FORMAT   table (for people, the default) or json\n" POLICY_HELP
	"  -h, --help            this text\n\n"
	"  tlmon explain F17 -l /var/lib/tlmon\n"
	"  tlmon explain 'udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=audio' \\\n"
	"        --profile room,online\n";

static int explain_recorded(struct explain *explain, const struct policy_options *options,
                            bool is_finding, int64_t id, struct err *err)
{
	CLEANUP(envelope_freep) struct envelope *envelope = NULL;
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct span span = {0};
	int r = 0;

	if (options->site || options->profiles || options->unit_count)
		r = err_set(err, -EINVAL,
		            "-c, --unit and --profile are for tuples; a recorded %s keeps the "
		            "verdict it was given",
		            is_finding ? "finding" : "flow");
	if (r >= 0)
		r = envelope_load(options->envelope, &envelope, err);
	if (r >= 0)
		r = flowdb_open(data_dir(explain->dir), FLOWDB_READ, &db, err);
	if (r < 0)
		return r;
	explain->db = db;
	explain->envelope = envelope;
	r = is_finding ? explain_finding(explain, id, err) : explain_flow(explain, id, err);
	if (!r)
		r = flowdb_span(db, &span, err);
	else if (r > 0)
		return flowdb_check(db, err);
	if (r < 0)
		return r;
	return err_set(err, -ENOENT,
	               "no %s %s%lld in %s/flows.db; it holds %llu flow%s and %llu finding%s",
	               is_finding ? "finding" : "flow", is_finding ? "F" : "", (long long)id,
	               data_dir(explain->dir), (unsigned long long)span.flows,
	               plural(span.flows), (unsigned long long)span.findings,
	               plural(span.findings));
}

/* The words of a tuple that the shell parted. */
static void join(char *buf, size_t size, char **words, int count)
{
	*buf = '\0';
	for (int i = 0; i < count; i++)
		text_add(buf, size, "%s%s", i ? " " : "", words[i]);
}

static int explain(int argc, char **argv, struct explain *explain,
                   const struct policy_options *options)
{
	char tuple[4096];
	struct err err = {0};
	int64_t id;

	if (!argc) {
		log_error("explain: a flow (81234), a finding (F17) or a tuple is wanted; "
		          "'tlmon explain --help' says more");
		return EXIT_USAGE;
	}
	if (argc == 1 && (finding_id_parse(argv[0], &id) || flow_id_parse(argv[0], &id)))
		return explain_recorded(explain, options, finding_id_parse(argv[0], &id), id,
		                        &err) < 0
		               ? log_err(&err)
		               : EXIT_FINE;
	if (argc == 1 && !strpbrk(argv[0], " \t")) {
		log_error(
			"explain: '%s' is neither a flow (81234), nor a finding (F17), nor a tuple "
			"('udp 10.1.2.3:41022 > 52.112.1.9:50011'); 'tlmon explain --help' says more",
			argv[0]);
		return EXIT_USAGE;
	}
	join(tuple, sizeof(tuple), argv, argc);
	return explain_tuple(tuple, options, explain->json);
}

int cmd_explain(int argc, char **argv)
{
	static const struct option LONG[] = {POLICY_LONG,
	                                     {"log", required_argument, NULL, 'l'},
	                                     {"output", required_argument, NULL, 'o'},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct command_line line = {.command = "explain", .options = LONG};
	struct policy_options options = {0};
	enum out_format format = OUT_TABLE;
	struct explain context = {0};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		if (option == 'l')
			context.dir = optarg;
		else if (option == 'o')
			r = out_format_parse(optarg, &format, &err);
		else
			r = policy_option(&options, option, optarg, &err);
	}
	if (r >= 0 && format == OUT_CSV)
		r = err_set(&err, -EINVAL,
		            "-o csv: a story has no columns; accepted: table, json, jsonl");
	if (r < 0)
		return log_err(&err);
	context.json = format != OUT_TABLE;
	return explain(argc - optind, argv + optind, &context, &options);
}
