/*
 * cmd_watch.c - judge every flow of the units, live or from capture files, into the database.
 */
#include "monitor/commands.h"
#include "monitor/commands/feed.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <getopt.h>
#include <unistd.h>

static const char HELP[] =
	"usage: tlmon watch -i IF [-i IF] [-c site.yaml] [-l DIR] [filter]\n"
	"       tlmon watch -r FILE|DIR [-r ...] [-c site.yaml] [-l DIR] [filter]\n\n"
	"Judges every flow of every unit against the documented rows and writes flows and\n"
	"findings to DIR/flows.db. Live it prints a line for each new finding, until SIGINT\n"
	"or SIGTERM. Without units it lists hosts that look like room systems.\n\n" POLICY_HELP
		FEED_HELP
	"  -l, --log DIR         the data directory (default $TLMON_DIR, else /var/lib/tlmon)\n"
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

	if (!*live)
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

/* Nobody was listed: who looks like a room system, and the command that goes on from here. */
static void say_candidates(const struct recorder *recorder, const struct feed *feed)
{
	char addr[ADDR_TEXT], mac[MAC_TEXT];
	const struct strangers *strangers = recorder_strangers(recorder);
	size_t count = strangers->count;

	if (!count) {
		printf("No host here looks like a room system (by its MAC or by the names it asks for).\n"
		       "Name the units: --unit ADDRESS --profile room,online, or a site file with -c.\n");
		return;
	}
	printf("Hosts that look like room systems:\n");
	for (size_t i = 0; i < count; i++) {
		const struct stranger *host = &strangers->list[i];

		printf("  %-39s  %s  %llu flows  %s%s%s\n", addr_print(&host->addr, addr),
		       mac_print(&host->mac, mac), (unsigned long long)host->flows,
		       host->by_oui ? "MAC of the maker" : "",
		       host->by_oui && *host->name ? ", " : "", *host->name ? host->name : "");
	}
	printf("Go on with:\n  tlmon watch %s %s --unit %s --profile room,online\n",
	       feed->file_count ? "-r" : "-i",
	       feed->file_count ? feed->files[0] : feed->interfaces[0],
	       addr_print(&strangers->list[0].addr, addr));
}

static void say_cuts(const struct capture *capture)
{
	for (size_t i = 0; i < capture_input_count(capture); i++) {
		const struct captured_input *input = capture_input(capture, i);

		if (!input->packets)
			log_warning("%s: no packet was read of it", input->name);
		if (input->cut)
			log_warning("%s: %s; everything before it was judged",
			            input->name, input->note);
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
	if (counters->evicted)
		log_warning("the flow table was full: %llu flows ended early",
		            (unsigned long long)counters->evicted);
	if (pipeline_refused(pipeline))
		log_warning(
			"tables were full: %llu names, opinions or hosts went without a place",
			(unsigned long long)pipeline_refused(pipeline));
	if (units_count(recorder_units(recorder)))
		printf("Go on with:  tlmon findings -l %s\n", dir);
}

static int watch(struct feed *feed, const struct policy_options *options, const char *dir)
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
		say_candidates(pipeline_recorder(pipeline), feed);
	return EXIT_FINE;
}

int cmd_watch(int argc, char **argv)
{
	static const struct option LONG[] = {POLICY_LONG,
	                                     FEED_LONG,
	                                     {"log", required_argument, NULL, 'l'},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct policy_options policy = {0};
	struct feed feed = {0};
	const char *dir = NULL;
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (option = getopt_long(argc, argv, "+" POLICY_SHORT FEED_SHORT "l:h",
	                                       LONG, NULL)) != -1) {
		if (option == 'h') {
			fputs(HELP, stdout);
			feed_release(&feed);
			return EXIT_FINE;
		}
		if (option == 'l') {
			dir = optarg;
			continue;
		}
		if (option == '?') {
			log_error("'tlmon watch --help' lists the options");
			feed_release(&feed);
			return EXIT_USAGE;
		}
		r = policy_option(&policy, option, optarg, &err);
		if (!r)
			r = feed_option(&feed, option, optarg, &err);
	}
	if (r >= 0)
		r = feed_words(&feed, argc - optind, argv + optind, &err);
	r = r < 0 ? log_err(&err) : watch(&feed, &policy, data_dir(dir));
	feed_release(&feed);
	return r;
}
