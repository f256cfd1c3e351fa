/*
 * cmd_db.c - upkeep of the flow database: how it stands, whether it is sound, and what is done about its age
 * and its size by hand.
 */
#include "monitor/commands.h"
#include "monitor/commands/db_stats.h"
#include "monitor/commands/query.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <time.h>
#include <unistd.h>

static const char HELP[] =
	"usage: tlmon db stats [-l DIR] [-o FORMAT]\n"
	"       tlmon db check [-l DIR]\n"
	"       tlmon db compact [-l DIR]\n"
	"       tlmon db snapshot [-l DIR] TO\n"
	"       tlmon db archive [-l DIR] --until T TO\n\n"
	"stats     where the bytes are: by table, index, day and unit; what retention and\n"
	"          archives have taken away. Reads the whole file.\n"
	"check     is it sound? What SQLite checks, and what must hold besides:\n"
	"          references, counts of findings, flows, coverage and packets. Prints a\n"
	"          line for each thing that is wrong; ends 0 if there is none, else 1.\n"
	"compact   writes the file anew without the room that deleting left, and drops\n"
	"          addresses and texts that nothing refers to. Needs twice its size free\n"
	"          on that disk, and that no tlmon writes there. An older version's\n"
	"          database becomes one of this version.\n"
	"snapshot  a consistent copy in the directory TO, also while tlmon writes. It is\n"
	"          there whole or not at all, and overwrites nothing.\n"
	"archive   moves the flows that ended before T, with all they refer to, to the\n"
	"          database in the directory TO, which is made if need be; every command\n"
	"          reads it with -l TO, under the same numbers. May be killed at any\n"
	"          moment and called again. Needs that no tlmon writes there. What came\n"
	"          since a run of files began that was cut off stays, for it may go on.\n\n"
	"What grows old by itself is up to --keep and --keep-size of 'tlmon watch'.\n\n" LOG_HELP
	"  -o, --output FORMAT   of stats: table (the default), json, jsonl or csv\n"
	"      --until T         of archive: 2026-10-01, 2026-10-01T09:30, 30d (ago);\n"
	"                        local, or with Z or +01:00 behind it\n"
	"  -h, --help            this text\n\n"
	"A copy to look at elsewhere, and October out of the way:\n"
	"  tlmon db snapshot /srv/look && tlmon findings -l /srv/look\n"
	"  tlmon db archive --until 2026-11-01 /srv/archive/2026-10\n";

struct request {
	const char *dir, *until, *to;
	enum out_format format;
};

/* ---------------------------------------------------------------- progress */

static struct timespec told_at;

static void show_progress(void *context, const char *doing, uint64_t done, uint64_t all)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (!isatty(STDERR_FILENO) ||
	    (now.tv_sec - told_at.tv_sec) * 1000 + (now.tv_nsec - told_at.tv_nsec) / 1000000 <
	            100)
		return;
	told_at = now;
	if (all)
		fprintf(stderr, "\r%s  %3llu%%\033[K", doing,
		        (unsigned long long)(done * 100 / all));
	else
		fprintf(stderr, "\r%s\033[K", doing);
}

static const struct upkeep_progress PROGRESS = {show_progress, NULL};

static void progress_over(void)
{
	if (told_at.tv_sec)
		fputs("\r\033[K", stderr);
}

/* ------------------------------------------------------------- subcommands */

static int do_stats(const struct request *request, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	int r = flowdb_open(request->dir, FLOWDB_READ, &db, err);

	return r < 0 ? r : db_stats(db, request->dir, request->format, &PROGRESS, err);
}

static int say_wrong(void *context, const char *wrong, struct err *err)
{
	uint64_t *count = context;

	progress_over();
	++*count;
	printf("%s\n", wrong);
	return 0;
}

/* 1: something is wrong. */
static int do_check(const struct request *request, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	uint64_t wrong = 0;
	struct span span;
	int r = flowdb_open(request->dir, FLOWDB_READ, &db, err);

	if (r >= 0)
		r = flowdb_verify(db, &PROGRESS, say_wrong, &wrong, err);
	progress_over();
	if (r >= 0 && !wrong)
		r = flowdb_span(db, &span, err);
	if (r >= 0)
		r = flowdb_check(db, err);
	if (r == -EBADMSG) { /* it cannot even be opened */
		printf("%s\n", err->text);
		wrong++;
	} else if (r < 0) {
		return r;
	}
	if (wrong) {
		log_error("%s/flows.db: %llu thing%s wrong", request->dir,
		          (unsigned long long)wrong, wrong == 1 ? " is" : "s are");
		return 1;
	}
	printf("%s/flows.db is sound: %llu run%s, %llu flow%s, %llu finding%s\n", request->dir,
	       (unsigned long long)span.runs, plural(span.runs),
	       (unsigned long long)span.flows, plural(span.flows),
	       (unsigned long long)span.findings, plural(span.findings));
	return 0;
}

static uint64_t size_of(const struct extent *extent)
{
	return extent->used + extent->free;
}

static int do_compact(const struct request *request, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	char first[DB_SIZE_TEXT], last[DB_SIZE_TEXT];
	struct extent before, after;
	int r = db_open_to_write(request->dir, &db, err);

	if (r >= 0)
		r = flowdb_extent(db, &before, err);
	if (r >= 0)
		r = flowdb_compact(db, &PROGRESS, err);
	if (r >= 0)
		r = flowdb_extent(db, &after, err);
	progress_over();
	if (r < 0)
		return r;
	printf("%s/flows.db: %s before, %s now\n", request->dir,
	       db_size_print(size_of(&before), first), db_size_print(size_of(&after), last));
	return 0;
}

static int do_snapshot(const struct request *request, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	int r = flowdb_open(request->dir, FLOWDB_READ, &db, err);
	struct span span;

	if (r >= 0)
		r = flowdb_span(db, &span, err);
	if (r >= 0)
		r = flowdb_snapshot(db, request->to, &PROGRESS, err);
	progress_over();
	if (r < 0)
		return r;
	printf("%s/flows.db: %llu run%s, %llu flow%s, %llu finding%s\nGo on with:  tlmon findings -l ",
	       request->to, (unsigned long long)span.runs, plural(span.runs),
	       (unsigned long long)span.flows, plural(span.flows),
	       (unsigned long long)span.findings, plural(span.findings));
	shell_put(stdout, request->to);
	putchar('\n');
	return 0;
}

static int until_us(struct flowdb *db, const char *text, int64_t *ret_us, struct err *err)
{
	struct timespec now;
	struct span span;
	int r = flowdb_span(db, &span, err);

	clock_gettime(CLOCK_REALTIME, &now);
	return r < 0 ? r
	             : time_parse(text, span.live ? now.tv_sec * SECOND_US : span.last_us,
	                          ret_us, NULL, err);
}

static int do_archive(const struct request *request, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	struct archived moved = {0};
	char time[TIME_TEXT];
	int64_t us = 0;
	int r = db_open_to_write(request->dir, &db, err);

	if (r >= 0)
		r = until_us(db, request->until, &us, err);
	if (r >= 0)
		r = flowdb_archive(db, request->to, us, &PROGRESS, &moved, err);
	progress_over();
	if (r < 0)
		return r;
	printf("%llu flow%s that ended before %s moved to %s/flows.db",
	       (unsigned long long)moved.flows, plural(moved.flows), time_print(moved.until_us, time),
	       request->to);
	if (moved.again)
		printf("; %llu of them a call that was interrupted had copied",
		       (unsigned long long)moved.again);
	if (moved.waits_run)
		printf("\nWhat ended later stays: run %lld was cut off, and goes on when its files are "
		       "read again",
		       (long long)moved.waits_run);
	printf("\nGo on with:  tlmon flows -l ");
	shell_put(stdout, request->to);
	putchar('\n');
	return 0;
}

/* ------------------------------------------------------------ command line */

enum { DB_UNTIL = OPTION_LAST };

static const struct subcommand {
	const char *name;
	int (*run)(const struct request *request, struct err *err);
	bool has_output, has_until, has_target;
} LIST[] = {
	{"stats", do_stats, true, false, false},
	{"check", do_check, false, false, false},
	{"compact", do_compact, false, false, false},
	{"snapshot", do_snapshot, false, false, true},
	{"archive", do_archive, false, true, true},
};

/* Which of them, and that it has what it needs and nothing else. */
static int find(const struct command_line *line, int count, char **words,
                struct request *request, const struct subcommand **ret, struct err *err)
{
	const struct subcommand *one = NULL;

	for (size_t i = 0; count && i < ARRAY_LEN(LIST); i++)
		if (!strcmp(words[0], LIST[i].name))
			one = &LIST[i];
	if (!one)
		return err_set(err, -EINVAL,
		               "db%s%s: %s; accepted: stats, check, compact, snapshot, archive",
		               count ? " " : "", count ? words[0] : "",
		               count ? "there is none" : "which of them?");
	if (one->has_target && count == 1)
		return err_set(
			err, -EINVAL,
			"db %s: to where? Name a directory, as in 'tlmon db %s%s /srv/copy'",
			one->name, one->name, one->has_until ? " --until 2026-10-01" : "");
	if (count > 1 + one->has_target)
		return err_set(
			err, -EINVAL,
			"db %s: '%s' is an argument too many; 'tlmon db --help' says more",
			one->name, words[1 + one->has_target]);
	if (one->has_until && !request->until)
		return err_set(err, -EINVAL,
		               "db %s: until when? --until T, as in --until 2026-10-01 or 30d",
		               one->name);
	if (!one->has_until && request->until)
		return err_set(err, -EINVAL, "db %s: --until is for archive alone", one->name);
	if (!one->has_output && command_line_given(line, 'o'))
		return err_set(err, -EINVAL, "db %s: --output is for stats alone", one->name);
	request->to = one->has_target ? words[1] : NULL;
	*ret = one;
	return 0;
}

int cmd_db(int argc, char **argv)
{
	static const struct option LONG[] = {{"log", required_argument, NULL, 'l'},
	                                     {"output", required_argument, NULL, 'o'},
	                                     {"until", required_argument, NULL, DB_UNTIL},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct command_line line = {.command = "db", .options = LONG};
	const struct subcommand *one = NULL;
	struct request request = {0};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		if (option == 'o')
			r = out_format_parse(optarg, &request.format, &err);
		else if (option == DB_UNTIL)
			request.until = optarg;
	}
	request.dir = data_dir(command_line_given(&line, 'l'));
	if (r >= 0)
		r = find(&line, argc - optind, argv + optind, &request, &one, &err);
	if (r >= 0)
		r = one->run(&request, &err);
	return r < 0 ? log_err(&err) : r ? EXIT_NO : EXIT_FINE;
}
