/*
 * cmd_suggest.c - a site file proposed from what was seen: live, in capture files, or in a database.
 */
#include "monitor/commands.h"
#include "monitor/commands/check_log.h"
#include "monitor/commands/feed.h"
#include "monitor/commands/new_file.h"
#include "monitor/commands/out.h"
#include "monitor/log.h"
#include "monitor/suggest/census.h"
#include "monitor/suggest/suggestion.h"
#include "rules/text_file.h"

static const char HELP[] =
	"usage: tlmon suggest -i IF [--for 30m] [--unit WHO ...] [filter]\n"
	"       tlmon suggest -r FILE|DIR [-r ...] [--unit WHO ...] [filter]\n"
	"       tlmon suggest -l DIR [--since T] [--until T]\n\n"
	"Looks at what there is and prints a site file that fits it: units, the profiles\n"
	"they use, who holds which role. Above each line stands what speaks for it; what\n"
	"is not proven, and what a waiver might excuse, is commented out with the reason.\n"
	"From a database it is the site file in force with new lines in it, each marked.\n\n"
	"  -i, --interface IF    watch this interface (repeatable); ctrl-C ends it, and\n"
	"                        what was seen by then is printed\n"
	"  -r, --read FILE|DIR   read a pcap or pcapng file, '-' for standard input, or\n"
	"                        the files of a folder in name order (repeatable)\n"
	"  -l, --log DIR         look at a database instead of packets\n"
	"      --since T, --until T\n"
	"                        of a database: 2h (ago), 09:30, 2026-11-22T09:30\n"
	"      --for SPAN        live: end after 90s, 30m, 2h ...\n"
	"      --unit WHO        this is a unit: an address, a prefix (each host in it),\n"
	"                        a MAC (repeatable). Without it: hosts with a MAC of the\n"
	"                        maker, or that ask for its management servers\n"
	"      --site NAME       what the site is called\n"
	"      --output FILE     write it there; a file that exists is left alone\n"
	"  -e, --envelope DIR    documented rows from DIR instead of those compiled in\n"
	"      --snaplen, --flows, --idle, --in-process\n"
	"                        as of watch\n"
	"  -h, --help            this text\n\n"
	"Ports are never proposed: they are the document's. Nor is anybody called an\n"
	"other-client: who takes part in a call is proven by an answered ICE check.\n"
	"What is proposed was seen, and no more: half an hour in which every unit is\n"
	"switched on, signs in and joins a meeting shows most.\n\n"
	"Exit status: 0 a proposal was printed; 1 no host looks like a unit, or nobody\n"
	"was looking; 2 usage, or something failed.\n\n"
	"  tlmon suggest -i eth1 --for 30m --output site.yaml\n"
	"  tlmon suggest -r day.pcap --unit 10.20.0.15 --site 'Head office'\n"
	"  tlmon rules lint -c site.yaml && tlmon check -r day.pcap -c site.yaml\n";

enum { SUGGEST_SITE = FEED_LAST, SUGGEST_OUTPUT };

struct request {
	struct feed feed;
	struct check_asked log; /* dir NULL: packets are looked at */
	const char *envelope, *site, *output_path;
	struct new_file output;
	const char *units[SUGGEST_WORDS_MAX + 1]; /* ended by NULL */
	size_t unit_count;
	char *source; /* "-r day.pcap" */
};

static void request_release(struct request *request)
{
	new_file_release(&request->output);
	feed_release(&request->feed);
	free(request->source);
}

static const char *const *units_of(const struct request *request)
{
	return request->unit_count ? request->units : NULL;
}

/* --------------------------------------------------------------------- words */

static int check_unit(const char *word, struct err *err)
{
	struct prefix prefix;
	struct mac mac;

	if (!mac_parse(word, &mac) || !prefix_parse(word, &prefix))
		return 0;
	return err_set(
		err, -EINVAL,
		"--unit %s: accepted: an address 10.20.0.15, a prefix 10.20.8.0/22 (without host "
		"bits), a MAC 00:26:8c:01:02:03",
		word);
}

static int take_unit(struct request *request, const char *word, struct err *err)
{
	if (request->unit_count == SUGGEST_WORDS_MAX)
		return err_set(err, -E2BIG, "--unit: more than %d of them; name prefixes",
		               SUGGEST_WORDS_MAX);
	request->units[request->unit_count++] = word;
	return check_unit(word, err);
}

static int check_sources(const struct request *request, int words, struct err *err)
{
	const struct feed *feed = &request->feed;
	const struct check_asked *log = &request->log;

	if (log->dir && (feed->file_count || feed->interface_count))
		return err_set(
			err, -EINVAL,
			"-l and %s: either a database or packets; 'tlmon watch' puts packets into a "
			"database",
			feed->file_count ? "-r" : "-i");
	if (log->dir && words)
		return err_set(err, -EINVAL, "-l %s: a filter is for packets (-i, -r)",
		               log->dir);
	if (log->dir && feed->for_us)
		return err_set(err, -EINVAL,
		               "--for ends a live run; of a database --since and --until say "
		               "which part");
	if (!log->dir && (log->since || log->until))
		return err_set(err, -EINVAL, "--since and --until are for a database (-l)");
	if (!log->dir && !feed->file_count && !feed->interface_count)
		return err_set(
			err, -EINVAL,
			"what shall be looked at? -i INTERFACE watches a mirror port, -r FILE reads a "
			"capture, -l DIR a database");
	if (request->site && !text_is_plain(request->site))
		return err_set(err, -EINVAL, "--site: " NOT_PLAIN);
	return 0;
}

static int print_source(struct request *request, struct err *err)
{
	const struct feed *feed = &request->feed;
	size_t len;
	FILE *file = open_memstream(&request->source, &len);

	if (!file)
		return err_set(err, -ENOMEM, "out of memory");
	if (request->log.dir) {
		fputs("-l ", file);
		shell_put(file, request->log.dir);
	}
	for (size_t i = 0; i < feed->file_count && i < 4; i++) {
		fputs(i ? " -r " : "-r ", file);
		shell_put(file, feed->files[i]);
	}
	if (feed->file_count > 4)
		fprintf(file, " ... (%zu files)", feed->file_count);
	for (size_t i = 0; i < feed->interface_count; i++) {
		fputs(i ? " -i " : "-i ", file);
		shell_put(file, feed->interfaces[i]);
	}
	return fclose(file) ? err_set(err, -ENOMEM, "out of memory") : 0;
}

/* -------------------------------------------------------------------- answers */

/* Where nobody looks like a unit: what was seen, and how to go on. */
static int say_nobody(const struct suggestion *suggestion)
{
	if (!suggestion->packets)
		log_error(
			"%s",
			suggestion->options.recorded
				? "nobody was looking in that window: no run covers it ('tlmon blind' says when one does)"
				: "not one packet was seen, so there is nothing to propose");
	else if (suggestion->options.units)
		log_error(
			"of %llu hosts that spoke in %llu packets none is one that --unit names",
			(unsigned long long)suggestion->hosts,
			(unsigned long long)suggestion->packets);
	else
		log_error(
			"no unit is among the %llu hosts that spoke in %llu packets: none has a MAC of the "
			"maker or asks for its management servers; name them with --unit ADDRESS",
			(unsigned long long)suggestion->hosts,
			(unsigned long long)suggestion->packets);
	return EXIT_NO;
}

static int answer(struct request *request, const struct suggestion *suggestion, struct err *err)
{
	FILE *file = request->output.path ? request->output.file : stdout;
	int r = suggestion_write(suggestion, file, err);

	if (r >= 0 && request->output.path)
		r = new_file_keep(&request->output, err);
	return r < 0 || request->output.path ? r : stream_end(stdout, err);
}

static int propose(struct request *request, const struct suggestion_options *options,
                   struct err *err)
{
	CLEANUP(suggestion_freep) struct suggestion *suggestion = NULL;
	int r = suggestion_new(options, &suggestion, err);

	if (r < 0)
		return r;
	if (!suggestion->candidate_count || !suggestion->packets)
		return say_nobody(suggestion);
	for (size_t i = 0; i < request->unit_count; i++)
		if (suggestion->missing[i])
			log_warning("--unit %s: no such host was seen", request->units[i]);
	r = answer(request, suggestion, err);
	return r < 0 ? r : EXIT_FINE;
}

/* -------------------------------------------------------------------- sources */

static int from_packets(struct request *request, struct err *err)
{
	CLEANUP(envelope_freep) struct envelope *envelope = NULL;
	CLEANUP(policy_freep) struct policy *census = NULL;
	CLEANUP(capture_closep) struct capture *capture = NULL;
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	CLEANUP(freep) struct run_result *result = calloc(1, sizeof(*result));
	struct run_options options = feed_run(&request->feed);
	int r = result ? envelope_load(request->envelope, &envelope, err)
	               : err_set(err, -ENOMEM, "out of memory");

	if (r >= 0)
		r = census_policy(envelope, &census, err);
	if (r >= 0)
		r = capture_open(&options.capture, &capture, err);
	if (r < 0)
		return r;
	options.policy = census;
	options.again = true;
	options.apart = request->output.fds;
	options.apart_count = request->output.path ? ARRAY_LEN(request->output.fds) : 0;
	r = run(&options, capture, result, &db, err);
	progress_clear();
	if (r < 0)
		return r;
	for (size_t i = 0; !options.capture.live && i < capture_input_count(capture); i++)
		if (capture_input(capture, i)->cut)
			log_warning("%s: %s; everything before it was looked at",
			            capture_input(capture, i)->name,
			            capture_input(capture, i)->note);
	if (result->refused)
		log_warning(
			"tables were full: %llu names, opinions or hosts went without a place",
			(unsigned long long)result->refused);
	return propose(request,
	               &(struct suggestion_options){.db = db,
	                                            .envelope = envelope,
	                                            .units = units_of(request),
	                                            .site = request->site,
	                                            .source = request->source},
	               err);
}

static int from_database(struct request *request, struct err *err)
{
	CLEANUP(check_log_freep) struct check_log *log = NULL;
	CLEANUP(envelope_freep) struct envelope *envelope = NULL;
	struct suggestion_options options = {
		.units = units_of(request), .site = request->site, .source = request->source};
	struct check_window window;
	int r = check_log_new(&request->log, &log, &window, err);

	if (r >= 0 && request->envelope)
		r = envelope_load(request->envelope, &envelope, err);
	if (r < 0)
		return r;
	options.db = window.db;
	options.recorded = true;
	options.in_force = window.policy;
	options.envelope = envelope ? envelope : window.policy->envelope;
	options.window.since_us = window.since_us;
	options.window.until_us = window.until_us;
	return propose(request, &options, err);
}

static int take_option(struct request *request, int option, struct err *err)
{
	int r;

	if (check_asked_option(&request->log, option, optarg))
		return 0;
	switch (option) {
	case SUGGEST_SITE:
		request->site = optarg;
		return 0;
	case SUGGEST_OUTPUT:
		request->output_path = optarg;
		return 0;
	case 'e':
		request->envelope = optarg;
		return 0;
	case OPTION_UNIT:
		return take_unit(request, optarg, err);
	default:
		r = feed_option(&request->feed, option, optarg, err);
		return r < 0 ? r : 0;
	}
}

int cmd_suggest(int argc, char **argv)
{
	static const struct option LONG[] = {
		FEED_LONG,
		CHECK_LOG_LONG,
		{"unit", required_argument, NULL, OPTION_UNIT},
		{"envelope", required_argument, NULL, 'e'},
		{"site", required_argument, NULL, SUGGEST_SITE},
		{"output", required_argument, NULL, SUGGEST_OUTPUT},
		{"help", no_argument, NULL, 'h'},
		{0}};
	CLEANUP(request_release) struct request request = {.unit_count = 0};
	struct command_line line = {.command = "suggest", .options = LONG, .words_last = true};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		r = take_option(&request, option, &err);
	}
	if (r >= 0)
		r = check_sources(&request, argc - optind, &err);
	if (r >= 0 && !request.log.dir)
		r = feed_words(&request.feed, argc - optind, argv + optind, &err);
	if (r >= 0)
		r = print_source(&request, &err);
	if (r >= 0 && request.output_path)
		r = new_file_open(&request.output, "--output", request.output_path, &err);
	if (r >= 0)
		r = request.log.dir ? from_database(&request, &err)
		                    : from_packets(&request, &err);
	if (r >= 0)
		return r;
	log_err(&err);
	/* A capture without a packet is no mistake, and no proposal. */
	return r == -ENODATA ? EXIT_NO : EXIT_USAGE;
}
