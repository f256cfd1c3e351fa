/*
 * cmd_doctor.c - is all fit: this host, the processes that run on it, a mirror?
 */
#include "monitor/commands.h"
#include "monitor/commands/doctor.h"
#include "monitor/log.h"

static const char HELP[] =
	"usage: tlmon doctor -i IF [-i ...] [--for 30s] [-c site.yaml] [filter]\n"
	"       tlmon doctor -r FILE|DIR [-r ...] [-c site.yaml] [filter]\n"
	"       tlmon doctor [--sandbox | --memory SIZE [--flows N]]\n\n"
	"Looks at a mirror port, or at a capture of one, and says whether it is fit to\n"
	"judge by: check by check what was seen, and what to do. It ends with 0 if it\n"
	"is, also with warnings, and with 1 if not. Nothing is stored. Live it looks for\n"
	"30 s; ctrl-C ends it with what was seen.\n\n"
	"Alone it says what this host offers to keep the roles of a run apart, and what\n"
	"is missing for the user who asks; exit 1 if anything is. With --sandbox it says\n"
	"of the processes that run now, run by run, what each may still do, as the kernel\n"
	"shows it in /proc; exit 1 if none runs, one is weaker than it should be, or a\n"
	"run lacks a role. With --memory SIZE it says how a run would split that.\n\n" POLICY_HELP FEED_HELP
	"      --sandbox         the running processes instead of the host\n" OUT_HELP
	"  -w, --wide            on a terminal too let the table be as wide as it likes\n"
	"  -h, --help            this text\n\n"
	"Is the port that the switch gave us a mirror, and does it show both directions?\n"
	"  sudo tlmon doctor -i eth1 -c site.yaml\n"
	"May the process that parses packets do anything at all?\n"
	"  sudo tlmon doctor --sandbox\n\n"
	"Of processes a USER of two words is the real and the effective one; CAPS are the\n"
	"capabilities it can have, NNP is no_new_privs, FILES are open files; '?' is what\n"
	"we may not know. MEMORY and FILES need a wide terminal, or -w.\n\n"
	"Checks of a mirror: each is ok, unknown (cannot be told from here), warn or bad.\n";

enum { SANDBOX = FEED_LAST };

struct asked {
	struct feed feed;
	struct policy_options policy;
	enum out_format format;
	bool sandbox, wide;
};

static int take_option(struct asked *asked, int option, struct err *err)
{
	int r;

	switch (option) {
	case SANDBOX:
		asked->sandbox = true;
		return 0;
	case 'w':
		asked->wide = true;
		return 0;
	case 'o':
		return out_format_parse(optarg, &asked->format, err);
	default:
		r = policy_option(&asked->policy, option, optarg, err);
		return r ? r : feed_option(&asked->feed, option, optarg, err);
	}
}

static bool is_of_mirror(const struct asked *asked)
{
	return asked->feed.file_count || asked->feed.interface_count;
}

/* Options that only mean something of a mirror, where none was named; and the other way round. */
static int check_asked(const struct asked *asked, struct err *err)
{
	const struct policy_options *policy = &asked->policy;

	if (is_of_mirror(asked) && asked->sandbox)
		return err_set(
			err, -EINVAL,
			"doctor: --sandbox looks at processes, -i and -r at a mirror: one of them");
	if (!is_of_mirror(asked) &&
	    (policy->site || policy->envelope || policy->unit_count || policy->profiles ||
	     asked->feed.for_us || asked->feed.snap_len))
		return err_set(
			err, -EINVAL,
			"doctor: of which mirror? -i INTERFACE looks at a port, -r FILE at a capture; without "
			"either it looks at this host, and takes no other option");
	return 0;
}

static int doctor(struct asked *asked, struct err *err)
{
	if (is_of_mirror(asked))
		return doctor_mirror(&asked->feed, &asked->policy, asked->format, asked->wide,
		                     err);
	if (asked->feed.memory_bytes)
		return doctor_memory(asked->feed.memory_bytes, asked->feed.limits.flows,
		                     asked->format, asked->wide, err);
	return asked->sandbox ? doctor_sandbox(asked->format, asked->wide, err)
	                      : doctor_host(asked->format, asked->wide, err);
}

int cmd_doctor(int argc, char **argv)
{
	static const struct option LONG[] = {POLICY_LONG,
	                                     FEED_LONG,
	                                     {"sandbox", no_argument, NULL, SANDBOX},
	                                     {"output", required_argument, NULL, 'o'},
	                                     {"wide", no_argument, NULL, 'w'},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct command_line line = {.command = "doctor", .options = LONG, .words_last = true};
	struct asked asked = {.format = OUT_TABLE};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			doctor_checks_print(stdout);
			feed_release(&asked.feed);
			return EXIT_FINE;
		}
		r = take_option(&asked, option, &err);
	}
	if (r >= 0)
		r = check_asked(&asked, &err);
	if (r >= 0)
		r = is_of_mirror(&asked)
		            ? feed_words(&asked.feed, argc - optind, argv + optind, &err)
		            : command_line_end(&line, argc, argv, &err);
	r = r < 0 ? log_err(&err) : doctor(&asked, &err);
	feed_release(&asked.feed);
	return r;
}
