/*
 * cmd_watch.c - judge every flow of the units, live or from capture files, into the database.
 */
#include "monitor/commands.h"
#include "monitor/commands/watch_strangers.h"
#include "monitor/commands/feed.h"
#include "monitor/commands/out.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <unistd.h>

static const char HELP[] =
	"usage: tlmon watch -i IF [-i IF] [-c site.yaml] [-l DIR] [filter]\n"
	"       tlmon watch -r FILE|DIR [-r ...] [-c site.yaml] [-l DIR] [filter]\n\n"
	"Judges every flow of every unit against the documented rows and writes flows and\n"
	"findings to DIR/flows.db. Live it prints a line for each new finding, until\n"
	"SIGINT or SIGTERM. Without units it lists hosts that look like room systems.\n\n" POLICY_HELP
		FEED_HELP LOG_HELP
	"      --again           read a capture again that the database holds already\n"
	"  -h, --help            this text\n\n"
	"filter: words of a tcpdump filter, as in 'host 10.20.0.15 and not port 22'\n\n"
	"  tlmon watch -i eth1 -c site.yaml -l /var/lib/tlmon\n"
	"  tlmon watch -r day.pcap --unit 192.168.1.6 --profile room,online -l /tmp/look\n";

static void found(void *context, const struct finding *finding)
{
	const bool *live = context;
	bool terminal = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	const char *paint = !terminal                                ? ""
	                    : finding->row.severity >= SEVERITY_HIGH ? "\033[1;31m"
	                                                             : "\033[33m";
	char time[TIME_TEXT];

	if (!*live || ferror(stdout)) /* the run goes on when nobody reads it any more */
		return;
	progress_clear();
	printf("%.19s  F%lld  %s%s%s  %s  %s  %s\n",
	       time_print_local(finding->row.first_us, time), (long long)finding->id, paint,
	       severity_name(finding->row.severity) ? severity_name(finding->row.severity)
	                                            : "info",
	       terminal ? "\033[0m" : "", finding->unit->name, kind_name(finding->row.kind),
	       finding->row.reason);
	fflush(stdout);
}

static void say_strangers(const struct recorder *recorder, char *const *words)
{
	const struct strangers *strangers = recorder_strangers(recorder);

	if (strangers->count)
		strangers_print(stdout, strangers->list, strangers->count, words);
	else
		printf("No host here looks like a room system (by its MAC or by the names it asks for).\n"
		       "Name the units: --unit ADDRESS --profile room,online, or a site file with -c.\n");
}

static void say_cuts(const struct capture *capture)
{
	for (size_t i = 0; i < capture_input_count(capture); i++) {
		const struct captured_input *input = capture_input(capture, i);

		if (!input->packets)
			log_warning("%s: no packet was read of it", input->name);
		if (input->cut)
			log_warning("%s: %s; everything before it was judged", input->name,
			            input->note);
	}
}

static void say_sums(const struct pipeline *pipeline, const char *dir)
{
	const struct recorder *recorder = pipeline_recorder(pipeline);
	const struct recorder_sums *sums = recorder_sums(recorder);
	const struct counters *counters = &sums->counters;

	printf("%llu packets (%llu in flows, %llu not IP or upkeep, %llu malformed, %llu fragments without a flow, "
	       "%llu copies)\n",
	       (unsigned long long)counters->seen, (unsigned long long)counters->in_flows,
	       (unsigned long long)counters->out_of_scope,
	       (unsigned long long)counters->malformed,
	       (unsigned long long)counters->fragments_lost,
	       (unsigned long long)counters->duplicates);
	printf("%zu units, %llu of their flows: %llu documented, %llu outside, %llu undetermined, %llu housekeeping; "
	       "%llu findings opened\n",
	       units_count(recorder_units(recorder)), (unsigned long long)sums->flows,
	       (unsigned long long)sums->by_ruling[RULING_DOCUMENTED],
	       (unsigned long long)sums->by_ruling[RULING_OUTSIDE],
	       (unsigned long long)sums->by_ruling[RULING_UNDETERMINED],
	       (unsigned long long)sums->by_ruling[RULING_HOUSEKEEPING],
	       (unsigned long long)sums->findings);
	if (counters->kernel_dropped)
		log_warning("the kernel dropped %llu packets",
		            (unsigned long long)counters->kernel_dropped);
	if (counters->truncated)
		log_warning("the snap length cut %llu packets; 1600 bytes would keep them whole",
		            (unsigned long long)counters->truncated);
	if (counters->evicted)
		log_warning("the flow table was full: %llu flows ended early",
		            (unsigned long long)counters->evicted);
	if (pipeline_refused(pipeline))
		log_warning(
			"tables were full: %llu names, opinions or hosts went without a place",
			(unsigned long long)pipeline_refused(pipeline));
	if (!units_count(recorder_units(recorder)))
		return;
	printf("Go on with:  tlmon findings -l ");
	shell_put(stdout, dir);
	putchar('\n');
}

/* `words`: the command line behind "watch", ended by NULL. */
static int watch(struct feed *feed, const struct policy_options *options, const char *dir,
                 char **words)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(capture_closep) struct capture *capture = NULL;
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	CLEANUP(pipeline_freep) struct pipeline *pipeline = NULL;
	struct pipeline_options run = {.for_us = feed->for_us, .again = feed->again};
	bool live = feed->interface_count > 0;
	struct err err = {0};
	int r;

	feed_capture(feed, &run.capture);
	r = policy_options_load(options, &policy, &err);
	if (r >= 0)
		r = capture_open(&run.capture, &capture, &err);
	if (r >= 0)
		r = flowdb_open(policy->unit_count ? dir : NULL, FLOWDB_WRITE, &db, &err);
	if (r < 0)
		return log_err(&err);
	run.limits = feed_limits(feed);
	run.policy = policy;
	run.db = db;
	run.found = found;
	run.progress = progress_show;
	run.context = &live;
	if (!policy->unit_count)
		log_note("no units are named: looking for hosts that look like room systems");
	r = pipeline_run(&run, capture, &pipeline, &err);
	progress_clear();
	if (r < 0)
		return log_err(&err);
	say_cuts(capture);
	say_sums(pipeline, dir);
	if (!policy->unit_count)
		say_strangers(pipeline_recorder(pipeline), words);
	return EXIT_FINE;
}

int cmd_watch(int argc, char **argv)
{
	static const struct option LONG[] = {POLICY_LONG,
	                                     FEED_LONG,
	                                     {"log", required_argument, NULL, 'l'},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct command_line line = {.command = "watch", .options = LONG, .words_last = true};
	struct policy_options policy = {0};
	struct feed feed = {0};
	const char *dir = NULL;
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			feed_release(&feed);
			return EXIT_FINE;
		}
		if (option == 'l') {
			dir = optarg;
			continue;
		}
		r = policy_option(&policy, option, optarg, &err);
		if (!r)
			r = feed_option(&feed, option, optarg, &err);
	}
	if (r >= 0)
		r = feed_words(&feed, argc - optind, argv + optind, &err);
	r = r < 0 ? log_err(&err) : watch(&feed, &policy, data_dir(dir), argv + 1);
	feed_release(&feed);
	return r;
}
