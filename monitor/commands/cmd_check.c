/*
 * cmd_check.c - acceptance: does this network carry every documented row, and do the units keep to
 * them?
 */
#include "monitor/commands.h"
#include "monitor/commands/feed.h"
#include "monitor/log.h"
#include "monitor/report.h"

#include <unistd.h>

static const char HELP[] =
	"usage: tlmon check -r FILE|DIR [-r ...] [-c site.yaml] [filter]\n"
	"       tlmon check -i IF --for 15m [-c site.yaml] [filter]\n\n"
	"Judges a run and prints the result, every finding with its reason, and the\n"
	"matrix of documented rows and units, where a row nobody exercised says so.\n"
	"Nothing is stored.\n\n" POLICY_HELP FEED_HELP
	"      --fail-on LEVEL   findings that refuse: low (default), medium, high\n"
	"  -h, --help            this text\n\n"
	"Exit status: 0 accepted; 1 not accepted, a finding stands; 2 usage or\n"
	"configuration; 3 undetermined: a required row was not seen to work, or not all\n"
	"could be seen.\n\n"
	"  tlmon check -r day.pcap --unit 192.168.1.6 --profile room,online\n";

enum { CHECK_FAIL_ON = FEED_LAST };

static int check(struct feed *feed, const struct policy_options *policy_words,
                 enum severity fail_on)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(capture_closep) struct capture *capture = NULL;
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	CLEANUP(freep) struct run_result *result = calloc(1, sizeof(*result));
	CLEANUP(report_freep) struct report *report = NULL;
	static const int EXITS[] = {
		[ACCEPTED] = EXIT_FINE,
		[NOT_ACCEPTED] = EXIT_NO,
		[ACCEPTANCE_UNDETERMINED] = EXIT_UNDETERMINED,
	};
	struct run_options options = feed_run(feed);
	struct err err = {0};
	int r;

	r = result ? policy_options_load(policy_words, &policy, &err)
	           : err_set(&err, -ENOMEM, "out of memory");
	if (r >= 0 && !policy->unit_count)
		r = err_set(
			&err, -EINVAL,
			"whose flows? Name the units: -c site.yaml, or --unit ADDRESS --profile "
			"room,online; 'tlmon watch -r FILE' lists hosts that look like units");
	if (r >= 0)
		r = capture_open(&options.capture, &capture, &err);
	if (r < 0)
		return log_err(&err);
	options.policy = policy;
	options.again = true;
	r = run(&options, capture, result, &db, &err);
	progress_clear();
	if (r >= 0)
		r = report_new(db, policy, fail_on, &report, &err);
	if (r >= 0)
		r = report_text(report, stdout, isatty(STDOUT_FILENO) && !getenv("NO_COLOR"),
		                &err);
	if (r < 0)
		return log_err(&err);
	return EXITS[report_result(report)];
}

int cmd_check(int argc, char **argv)
{
	static const struct option LONG[] = {
		POLICY_LONG,
		FEED_LONG,
		{"fail-on", required_argument, NULL, CHECK_FAIL_ON},
		{"help", no_argument, NULL, 'h'},
		{0}};
	enum severity fail_on = SEVERITY_LOW;
	struct command_line line = {.command = "check", .options = LONG, .words_last = true};
	struct policy_options policy = {0};
	struct feed feed = {0};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			feed_release(&feed);
			return EXIT_FINE;
		}
		if (option == CHECK_FAIL_ON) {
			fail_on = severity_parse(optarg);
			if (fail_on < SEVERITY_LOW || fail_on > SEVERITY_HIGH)
				r = err_set(&err, -EINVAL,
				            "--fail-on %s: low, medium or high is wanted",
				            optarg);
			continue;
		}
		r = policy_option(&policy, option, optarg, &err);
		if (!r)
			r = feed_option(&feed, option, optarg, &err);
	}
	if (r >= 0)
		r = feed_words(&feed, argc - optind, argv + optind, &err);
	r = r < 0 ? log_err(&err) : check(&feed, &policy, fail_on);
	feed_release(&feed);
	return r;
}
