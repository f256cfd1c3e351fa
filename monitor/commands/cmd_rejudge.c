/*
 * cmd_rejudge.c - recorded flows are judged by another policy for good.
 */
#include "monitor/commands.h"
#include "monitor/commands/db_stats.h"
#include "monitor/commands/flip_table.h"
#include "monitor/commands/options.h"
#include "monitor/commands/other_policy.h"
#include "monitor/log.h"
#include "monitor/person.h"
#include "monitor/record/rejudge.h"

#include <unistd.h>

static const char HELP[] =
	"usage: tlmon rejudge [-c site.yaml] [-e DIR] [--by WHO] [-l DIR]\n\n"
	"Judges all recorded flows by another site file, another envelope, or both, for\n"
	"good: verdicts, findings, waivers and coverage are as if the flows had been\n"
	"recorded under it. All of it or nothing: one transaction, in which no recorder\n"
	"may run. 'tlmon whatif' shows beforehand what will flip. Who did it is on record\n"
	"(policy_use, v_finding_change). Packets that were kept of a flow stay with the\n"
	"finding that it leaves, should it come back; of a flow that comes under a\n"
	"finding for the first time there are none.\n\n" OTHER_POLICY_HELP
	"      --by WHO          who (default: your login name)\n" LOG_HELP
	"  -h, --help            this text\n\n"
	"The site file was wrong about a server last week, and is mended:\n"
	"  tlmon whatif -c site.yaml && tlmon rejudge -c site.yaml\n";

static void progress(void *context, uint64_t done, uint64_t all)
{
	(void)context;
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%llu of %llu flows judged\033[K", (unsigned long long)done,
		        (unsigned long long)all);
}

static void say(const struct rejudge_sums *sums, const struct policy *policy)
{
	printf("judged again under policy %.12s\n", policy->hash);
	flips_say(&sums->flows);
	printf("findings: %llu opened or open again, %llu waived, %llu closed\n",
	       (unsigned long long)sums->findings.opened,
	       (unsigned long long)sums->findings.waived,
	       (unsigned long long)sums->findings.closed);
	if (sums->without_row)
		printf("%llu flow%s counted under findings, but not kept as a row: not judged, counted\n"
		       "where they were\n",
		       (unsigned long long)sums->without_row,
		       sums->without_row == 1 ? " is" : "s are");
}

static int judge_again(const char *dir, const struct other_policy *other, const char *by,
                       struct err *err)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct rejudge_sums sums = {.without_row = 0};
	struct rejudge_options options = {.at_us = person_now_us(), .progress = progress};
	char who[PERSON_MAX];
	int r = db_open_to_write(dir, &db, err);

	if (r >= 0)
		r = other_policy_load(other, db, &policy, err);
	if (r < 0)
		return r;
	options.db = db;
	options.policy = policy;
	options.by_whom = person_name(by, who);
	r = rejudge(&options, &sums, err);
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
	if (r >= 0)
		say(&sums, policy);
	return r;
}

int cmd_rejudge(int argc, char **argv)
{
	enum { BY = OPTION_LAST };
	static const struct option LONG[] = {OTHER_POLICY_LONG,
	                                     {"by", required_argument, NULL, BY},
	                                     {"log", required_argument, NULL, 'l'},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct command_line line = {.command = "rejudge", .options = LONG};
	const char *dir = NULL, *by = NULL;
	struct other_policy other = {0};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		if (option == BY)
			r = person_check(by = optarg, &err);
		else if (option == 'l')
			dir = optarg;
		else
			other_policy_option(&other, option, optarg);
	}
	if (r >= 0)
		r = command_line_end(&line, argc, argv, &err);
	if (r >= 0)
		r = judge_again(data_dir(dir), &other, by, &err);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
