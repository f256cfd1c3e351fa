/*
 * cmd_check.c - acceptance: does this network carry every documented row, and do the units keep to
 * them? Asked of files, of a live run, or of the database that a recorder fills.
 */
#include "monitor/acceptance/reports.h"
#include "monitor/commands.h"
#include "monitor/commands/check_live.h"
#include "monitor/commands/check_log.h"
#include "monitor/commands/feed.h"
#include "monitor/log.h"

#include <unistd.h>

static const char HELP[] =
	"usage: tlmon check -r FILE|DIR [-r ...] [-c site.yaml] [filter]\n"
	"       tlmon check -i IF [--for 15m] [-c site.yaml] [filter]\n"
	"       tlmon check -l DIR [--unit U] [--since T] [--until T]\n\n"
	"Judges a run, or what a recorder has on record of a window, and prints the\n"
	"result, what keeps it from being better, every finding with its reason, and the\n"
	"matrix of documented rows and units, where a row nobody exercised says so.\n"
	"Nothing is stored. A live run says on stderr what happens, and ends when every\n"
	"required row of every unit is decided, after --for, or at ctrl-C.\n\n" POLICY_HELP FEED_HELP
	FEED_SCOPE_HELP
	"  -l, --log DIR         no run: what `tlmon watch` has on record there, by the\n"
	"                        policy it was judged by; then --unit is a unit's name or\n"
	"                        an address it had, and -c, -e, --profile have no place\n"
	"      --since T         of -l: what goes on at T or later: 2h (ago), 09:30,\n"
	"                        2026-11-22T09:30; local, or with Z or +01:00 behind it\n"
	"      --until T         of -l: what goes on at T or earlier\n"
	"      --fail-on LEVEL   findings that refuse: low (default), medium, high\n" REPORT_HELP
	"  -h, --help            this text\n\n"
	"Exit status: 0 accepted; 1 not accepted: a finding stands, or a required row is\n"
	"blocked; 2 usage or configuration; 3 undetermined: a required row was not seen\n"
	"to work, or not all could be seen.\n\n"
	"  tlmon check -r day.pcap --unit 192.168.1.6 --profile room,online\n"
	"  tlmon check -l /var/lib/tlmon --unit boardroom --since 30m\n";

enum { CHECK_FAIL_ON = FEED_LAST, CHECK_REPORT };

/* As it was asked for. */
struct asked {
	struct feed feed;
	struct policy_options policy;
	struct check_asked log; /* dir NULL: packets are read */
	enum severity fail_on;
	struct report_files reports;
};

/* What is judged: a database that was filled, the policy that judged its flows, and the window that is meant. */
struct subject {
	struct check_window window;
	char source[512];
	struct check_log *log; /* of -l: it owns both; else ... */
	struct flowdb *db;     /* ... these do */
	struct policy *policy;
};

static void subject_release(struct subject *subject)
{
	check_log_free(subject->log);
	flowdb_close(subject->db);
	policy_free(subject->policy);
}

/* ------------------------------------------------------- files and live runs */

static void name_source(const struct feed *feed, char *buf, size_t size)
{
	for (size_t i = 0; i < feed->file_count; i++)
		text_add(buf, size, "%s%s", i ? ", " : "", feed->files[i]);
	for (size_t i = 0; i < feed->interface_count; i++)
		text_add(buf, size, "%s%s", i ? ", " : "", feed->interfaces[i]);
}

/* A capture without a packet shows nothing: that is an answer, and no mistake. */
static int subject_empty(struct subject *subject, struct err *err)
{
	log_note("%s", err->text);
	return flowdb_open(NULL, FLOWDB_WRITE, &subject->db, err);
}

/* Runs to its end; then the private database that it filled is there to be read. */
static int subject_run(const struct asked *asked, struct subject *subject, struct err *err)
{
	CLEANUP(capture_closep) struct capture *capture = NULL;
	CLEANUP(freep) struct run_result *result = calloc(1, sizeof(*result));
	struct run_options options = feed_run(&asked->feed);
	int r = result ? policy_options_load(&asked->policy, &subject->policy, err)
	               : err_set(err, -ENOMEM, "out of memory");

	if (r >= 0 && !subject->policy->unit_count)
		r = err_set(
			err, -EINVAL,
			"whose flows? Name the units: -c site.yaml, or --unit ADDRESS --profile "
			"room,online; 'tlmon watch -r FILE' lists hosts that look like units");
	if (r < 0)
		return r;
	name_source(&asked->feed, subject->source, sizeof(subject->source));
	r = capture_open(&options.capture, &capture, err);
	if (r < 0)
		return r;
	options.policy = subject->policy;
	options.again = true;
	options.apart = asked->reports.fds;
	options.apart_count = asked->reports.fd_count;
	r = check_run(&options, capture, result, &subject->db, err);
	if (r == -ENODATA)
		r = subject_empty(subject, err);
	subject->window.db = subject->db;
	subject->window.policy = subject->policy;
	return r;
}

/* What a recorder has on record. */
static int subject_open(const struct asked *asked, struct subject *subject, struct err *err)
{
	text_copy(subject->source, sizeof(subject->source), asked->log.dir);
	return check_log_new(&asked->log, &subject->log, &subject->window, err);
}

/* ------------------------------------------------------------------- report */

/* Files first: whoever closes our standard output early still gets them. */
static int write_reports(struct asked *asked, const struct acceptance *acceptance,
                         struct err *err)
{
	bool colour = isatty(STDOUT_FILENO) && !getenv("NO_COLOR");
	int r = report_files_write(&asked->reports, acceptance, err);

	if (r >= 0 && !report_files_take_stdout(&asked->reports))
		r = report_write(acceptance, REPORT_TEXT, stdout, colour, err);
	return r;
}

static int judge(struct asked *asked, const struct subject *subject, struct err *err)
{
	static const int EXITS[] = {
		[ACCEPTED] = EXIT_FINE,
		[NOT_ACCEPTED] = EXIT_NO,
		[ACCEPTANCE_UNDETERMINED] = EXIT_UNDETERMINED,
	};
	const struct acceptance_options options = {
		.policy = subject->window.policy,
		.fail_on = asked->fail_on,
		.since_us = subject->window.since_us,
		.until_us = subject->window.until_us,
		.running = subject->window.running,
		.unit = asked->log.dir && asked->policy.unit_count ? asked->policy.units[0] : NULL,
		.source = subject->source,
	};
	CLEANUP(acceptance_freep) struct acceptance *acceptance = NULL;
	int r = acceptance_new(subject->window.db, &options, &acceptance, err);

	if (r >= 0)
		r = next_steps(acceptance, err);
	if (r >= 0)
		r = write_reports(asked, acceptance, err);
	if (r >= 0 && asked->log.dir)
		r = flowdb_check(subject->window.db, err);
	return r < 0 ? r : EXITS[acceptance->result];
}

/* ------------------------------------------------------------- command line */

/* Recorded flows have their policy, and no packets come. */
static int check_log(const struct asked *asked, const struct command_line *line, int words,
                     char **argv, struct err *err)
{
	static const struct {
		int option;
		const char *name;
	} RUNS[] = {
		{'r', "-r"},          {'i', "-i"},
		{FEED_FOR, "--for"},  {FEED_SNAP, "--snaplen"},
		{FEED_FLOWS, "--flows"}, {FEED_IDLE, "--idle"},
		{FEED_TEST, "--test"}, {FEED_IN_PROCESS, "--in-process"},
		{FEED_AGAIN, "--again"},
	};
	const struct policy_options *policy = &asked->policy;
	const char *other = policy->site       ? "-c"
	                    : policy->envelope ? "-e"
	                    : policy->profiles ? "--profile"
	                                       : NULL;

	if (other)
		return err_set(err, -EINVAL,
		               "%s: of -l %s the policy counts that is on record there; 'tlmon rejudge' "
		               "judges it by another one, 'tlmon whatif' tells what that would change",
		               other, asked->log.dir);
	for (size_t i = 0; i < ARRAY_LEN(RUNS); i++)
		if (command_line_given(line, RUNS[i].option))
			return err_set(err, -EINVAL,
			               "%s: -l %s reads what is on record, and no packets",
			               RUNS[i].name, asked->log.dir);
	if (policy->unit_count > 1)
		return err_set(err, -EINVAL,
		               "--unit %s: of -l one unit, or without --unit all of them",
		               policy->units[1]);
	if (words)
		return err_set(err, -EINVAL,
		               "%.80s: words of a filter go with -r and -i; what -l %s holds was "
		               "filtered when it was recorded",
		               argv[0], asked->log.dir);
	return 0;
}

static int check_words(struct asked *asked, const struct command_line *line, int words,
                       char **argv, struct err *err)
{
	if (asked->log.dir)
		return check_log(asked, line, words, argv, err);
	if (asked->log.since || asked->log.until)
		return err_set(err, -EINVAL, "%s goes with -l: a run is judged whole",
		               asked->log.since ? "--since" : "--until");
	return feed_words(&asked->feed, words, argv, err);
}

static int check_option(struct asked *asked, int option, struct err *err)
{
	int r;

	if (check_asked_option(&asked->log, option, optarg))
		return 1;
	switch (option) {
	case CHECK_REPORT:
		r = report_files_add(&asked->reports, optarg, err);
		return r < 0 ? r : 1;
	case CHECK_FAIL_ON:
		asked->fail_on = severity_parse(optarg);
		if (asked->fail_on >= SEVERITY_LOW && asked->fail_on <= SEVERITY_HIGH)
			return 1;
		return err_set(err, -EINVAL, "--fail-on %s: low, medium or high is wanted",
		               optarg);
	default:
		r = policy_option(&asked->policy, option, optarg, err);
		return r ? r : feed_option(&asked->feed, option, optarg, err);
	}
}

static bool gathers(int option)
{
	return option == CHECK_REPORT;
}

int cmd_check(int argc, char **argv)
{
	static const struct option LONG[] = {
		POLICY_LONG,
		FEED_LONG,
		FEED_SCOPE_LONG,
		CHECK_LOG_LONG,
		{"fail-on", required_argument, NULL, CHECK_FAIL_ON},
		{"report", required_argument, NULL, CHECK_REPORT},
		{"help", no_argument, NULL, 'h'},
		{0}};
	struct command_line line = {.command = "check",
	                            .options = LONG,
	                            .words_last = true,
	                            .gathers = gathers};
	struct asked asked = {.fail_on = SEVERITY_LOW};
	struct subject subject = {0};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			report_files_release(&asked.reports);
			feed_release(&asked.feed);
			return EXIT_FINE;
		}
		r = check_option(&asked, option, &err);
	}
	if (r >= 0)
		r = check_words(&asked, &line, argc - optind, argv + optind, &err);
	if (r >= 0)
		r = report_files_open(&asked.reports, &err);
	if (r >= 0)
		r = asked.log.dir ? subject_open(&asked, &subject, &err)
		              : subject_run(&asked, &subject, &err);
	if (r >= 0)
		r = judge(&asked, &subject, &err);
	if (r < 0)
		r = log_err(&err);
	report_files_release(&asked.reports);
	subject_release(&subject);
	feed_release(&asked.feed);
	return r;
}
