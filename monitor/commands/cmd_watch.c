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
	"SIGINT, SIGTERM or SIGHUP; SIGUSR1 prints how it goes. Without units it lists\n"
	"hosts that look like room systems.\n\n" POLICY_HELP
		FEED_HELP FEED_SCOPE_HELP LOG_HELP
	"      --eve FILE        append each finding to FILE as a line of EVE JSON\n"
	"                        (rotate it with copytruncate)\n"
	"      --keep SPAN       delete flows that ended so long before the newest packet\n"
	"                        (live 90d; 'forever' for none)\n"
	"      --keep-size SIZE  delete the oldest flows while the database is greater\n"
	"                        (live 20G; 'unlimited' for none). Of capture files only\n"
	"                        where asked for, and never what the run itself wrote\n"
	"      --again           read a capture again that the database holds already\n"
	"  -h, --help            this text\n\n"
	"filter: words of a tcpdump filter, as in 'host 10.20.0.15 and not port 22'\n\n"
	"  tlmon watch -i eth1 -c site.yaml -l /var/lib/tlmon\n"
	"  tlmon watch -r day.pcap --unit 192.168.1.6 --profile room,online -l /tmp/look\n";

static void found(void *context, const struct run_found *finding)
{
	bool terminal = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	const char *paint = !terminal                                ? ""
	                    : finding->severity >= SEVERITY_HIGH ? "\033[1;31m"
	                                                             : "\033[33m";
	char time[TIME_TEXT];

	if (ferror(stdout)) /* the run goes on when nobody reads it any more */
		return;
	progress_clear();
	printf("%.19s  F%lld  %s%s%s  %s  %s  %s\n",
	       time_print_local(finding->time_us, time), (long long)finding->id, paint,
	       severity_name(finding->severity) ? severity_name(finding->severity) : "info",
	       terminal ? "\033[0m" : "", finding->unit, kind_name(finding->kind),
	       finding->reason);
	fflush(stdout);
}

static void say_strangers(const struct strangers *strangers, char *const *words)
{
	if (strangers->count)
		strangers_print(stdout, strangers->list, strangers->count, words);
	else
		printf("No host here looks like a room system (by its MAC or by the names it asks for).\n"
		       "Name the units: --unit ADDRESS --profile room,online, or a site file with -c.\n");
}

/* Files alone: an interface has no end. */
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

static void say_restarts(const struct run_result *result)
{
	for (unsigned role = 0; role < PROCESS_COUNT; role++)
		if (result->restarts[role])
			log_warning("the %s was started again %llu time%s; 'tlmon blind' says when",
			            process_role_name(role),
			            (unsigned long long)result->restarts[role],
			            result->restarts[role] == 1 ? "" : "s");
	if (result->sums.unjoined)
		log_warning("%llu flows were judged before nDPI had said all it could",
		            (unsigned long long)result->sums.unjoined);
}

static void say_sums(const struct run_result *result, const char *dir)
{
	const struct recorder_sums *sums = &result->sums;
	const struct counters *counters = &sums->counters;

	printf("%llu packets (%llu in flows, %llu out of scope, %llu malformed, %llu fragments without a flow, "
	       "%llu copies)\n",
	       (unsigned long long)counters->seen, (unsigned long long)counters->in_flows,
	       (unsigned long long)counters->out_of_scope,
	       (unsigned long long)counters->malformed,
	       (unsigned long long)counters->fragments_lost,
	       (unsigned long long)counters->duplicates);
	if (counters->interface_received > counters->seen)
		printf("%llu more came to the interfaces and stayed in the kernel: filter and scope let through what can matter to "
		       "the units (--scope off: all)\n",
		       (unsigned long long)(counters->interface_received - counters->seen));
	printf("%llu units, %llu of their flows: %llu documented, %llu outside, %llu undetermined, %llu housekeeping; "
	       "%llu findings opened\n",
	       (unsigned long long)result->units, (unsigned long long)sums->flows,
	       (unsigned long long)sums->by_ruling[RULING_DOCUMENTED],
	       (unsigned long long)sums->by_ruling[RULING_OUTSIDE],
	       (unsigned long long)sums->by_ruling[RULING_UNDETERMINED],
	       (unsigned long long)sums->by_ruling[RULING_HOUSEKEEPING],
	       (unsigned long long)sums->findings);
	if (sums->kept < sums->flows)
		printf("flows counted: %llu, of which %llu have a row: samples stand for floods that nobody answered\n",
		       (unsigned long long)sums->flows, (unsigned long long)sums->kept);
	if (counters->kernel_dropped)
		log_warning("the kernel dropped %llu packets",
		            (unsigned long long)counters->kernel_dropped);
	if (counters->truncated)
		log_warning("the snap length cut %llu packets; 1600 bytes would keep them whole",
		            (unsigned long long)counters->truncated);
	if (counters->evicted)
		log_warning("the flow table was full: %llu flows ended early",
		            (unsigned long long)counters->evicted);
	if (result->refused)
		log_warning(
			"tables were full: %llu names, opinions or hosts went without a place",
			(unsigned long long)result->refused);
	say_restarts(result);
	if (!result->units)
		return;
	printf("Go on with:  tlmon findings -l ");
	shell_put(stdout, dir);
	putchar('\n');
}

/* `words`: the command line behind "watch", ended by NULL. */
static int watch(struct feed *feed, const struct policy_options *policy_words,
                 const struct retention_limits *keep, const char *dir,
                 const char *eve, char **words)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(capture_closep) struct capture *capture = NULL;
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	CLEANUP(freep) struct run_result *result = calloc(1, sizeof(*result));
	struct run_options options = feed_run(feed);
	struct err err = {0};
	int r;

	r = result ? policy_options_load(policy_words, &policy, &err)
	           : err_set(&err, -ENOMEM, "out of memory");
	if (r >= 0)
		r = capture_open(&options.capture, &capture, &err);
	if (r >= 0 && eve && (!policy->unit_count || feed->in_process))
		r = err_set(&err, -EINVAL, "--eve %s: %s", eve,
		            feed->in_process ? "needs a process of its own: not with --in-process"
		                             : "without units nothing is judged; name them with -c or --unit");
	if (r < 0)
		return log_err(&err);
	options.policy = policy;
	options.dir = policy->unit_count ? dir : NULL;
	options.found = found;
	options.eve = eve;
	options.keep = *keep;
	if (!policy->unit_count)
		log_note("no units are named: looking for hosts that look like room systems");
	r = run(&options, capture, result, &db, &err);
	progress_clear();
	if (r < 0)
		return log_err(&err);
	if (!options.capture.live)
		say_cuts(capture);
	else if (!result->sums.counters.seen)
		log_warning("not one packet came; is the mirror port set up?");
	say_sums(result, dir);
	if (!policy->unit_count)
		say_strangers(&result->strangers, words);
	return EXIT_FINE;
}

/* "90d", "forever". */
static int read_keep(const char *value, int64_t *ret_us, struct err *err)
{
	int64_t us = 0;

	if (strcmp(value, "forever") &&
	    (time_parse_span(value, &us, NULL) < 0 || us < RETENTION_LEAST_US))
		return err_set(err, -EINVAL,
		               "--keep %s: accepted: a span from 2h on, as in 90d, or 'forever'",
		               value);
	*ret_us = us;
	return 0;
}

/* "20G", "unlimited". */
static int read_keep_size(const char *value, uint64_t *ret_bytes, struct err *err)
{
	static const char UNITS[] = "MGT";
	size_t digits = strspn(value, "0123456789");
	const char *unit = value[digits] ? strchr(UNITS, value[digits]) : NULL;
	uint64_t number = digits && digits < 7 ? strtoull(value, NULL, 10) : 0;

	if (!strcmp(value, "unlimited")) {
		*ret_bytes = 0;
		return 0;
	}
	if (!number || !unit || value[digits + 1])
		return err_set(err, -EINVAL,
		               "--keep-size %s: accepted: a size as in 500M, 20G, 1T, or 'unlimited'",
		               value);
	*ret_bytes = number << (20 + 10 * (unit - UNITS));
	return 0;
}

enum { WATCH_EVE = FEED_LAST, WATCH_KEEP, WATCH_KEEP_SIZE };

int cmd_watch(int argc, char **argv)
{
	static const struct option LONG[] = {POLICY_LONG,
	                                     FEED_LONG,
	                                     FEED_SCOPE_LONG,
	                                     {"log", required_argument, NULL, 'l'},
	                                     {"eve", required_argument, NULL, WATCH_EVE},
	                                     {"keep", required_argument, NULL, WATCH_KEEP},
	                                     {"keep-size", required_argument, NULL, WATCH_KEEP_SIZE},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct command_line line = {.command = "watch", .options = LONG, .words_last = true};
	struct policy_options policy = {0};
	struct feed feed = {0};
	const char *dir = NULL, *eve = NULL;
	struct retention_limits limits = {RETENTION_SPAN_US, RETENTION_BYTES};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			feed_release(&feed);
			return EXIT_FINE;
		}
		if (option == WATCH_EVE) {
			eve = optarg;
			continue;
		}
		if (option == WATCH_KEEP || option == WATCH_KEEP_SIZE) {
			r = option == WATCH_KEEP ? read_keep(optarg, &limits.span_us, &err)
			                         : read_keep_size(optarg, &limits.bytes, &err);
			if (r < 0)
				break;
			r = 1;
			continue;
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
	if (feed.file_count && !command_line_given(&line, WATCH_KEEP))
		limits.span_us = 0;
	if (feed.file_count && !command_line_given(&line, WATCH_KEEP_SIZE))
		limits.bytes = 0;
	r = r < 0 ? log_err(&err)
	          : watch(&feed, &policy, &limits, data_dir(dir), eve, argv + 1);
	feed_release(&feed);
	return r;
}
