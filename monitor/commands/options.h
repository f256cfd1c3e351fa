/*
 * options.h - options that several commands share, so that they read and fail alike.
 */
#ifndef MONITOR_COMMANDS_OPTIONS_H
#define MONITOR_COMMANDS_OPTIONS_H

#include "rules/policy.h"

#include <getopt.h>

#define OPTION_UNITS_MAX 256
#define OPTIONS_MAX 32 /* of one command */

enum {
	OPTION_UNIT = 256,
	OPTION_PROFILE,
	OPTION_LAST
}; /* a command's own long options start at OPTION_LAST */

/*
 * The command line of one command. Options may stand anywhere, unless the words behind them are
 * somebody else's language (a tcpdump filter): then `words_last`, and the first word ends them.
 */
struct command_line {
	const char *command; /* "watch" */
	const struct option
		*options; /* THE LIST; a `val` that is a letter is the short one too */
	bool words_last;
	bool (*gathers)(int option); /* it may come again, beside --unit, -r and -i; NULL: none */
	const char *given[OPTIONS_MAX]; /* their values so far, by place in `options` */
	bool begun;
};
/*
 * The next option: its `val`, the value in optarg; 0 when there is none left (words begin at
 * optind); -EINVAL with err filled: an option that is none, one that lacks its value or has an
 * empty one, or a second value for one that takes a single value.
 */
int command_line_next(struct command_line *line, int argc, char **argv,
                      struct err *err) MUST_CHECK;
/* -EINVAL with err filled if a word is left, for a command that takes options alone; else 0. */
int command_line_end(const struct command_line *line, int argc, char **argv,
                     struct err *err) MUST_CHECK;
/* The value of the option with this `val`; NULL if it was not given. */
const char *command_line_given(const struct command_line *line, int option);

/*
 * Where `value` stands in `words`, else -EINVAL with err naming the value, the word it was most likely meant
 * to be, and all that are accepted. `option` is "--kind", `what` "kind".
 */
int word_parse(const char *option, const char *what, const char *value,
               const char *const *words, size_t count, struct err *err) MUST_CHECK;
/* Of `words` the one that `word` was most likely meant to be; NULL if it is like none. */
const char *nearest_word(const char *word, const char *const *words, size_t count);

/* -c site.yaml, -e DIR, --unit X (repeatable), --profile a,b: which policy judges. */
struct policy_options {
	const char *site, *envelope, *profiles;
	const char *units[OPTION_UNITS_MAX];
	size_t unit_count;
};
#define POLICY_LONG \
	{"config", required_argument, NULL, 'c'}, {"envelope", required_argument, NULL, 'e'}, \
		{"unit", required_argument, NULL, OPTION_UNIT}, \
	{ \
		"profile", required_argument, NULL, OPTION_PROFILE \
	}
#define LOG_HELP \
	"  -l, --log DIR         the data directory (default $TLMON_DIR, or\n" \
	"                        /var/lib/tlmon)\n"
#define POLICY_HELP \
	"  -c, --config FILE     the site file: units, roles, waivers\n" \
	"  -e, --envelope DIR    documented rows from DIR instead of those compiled in\n" \
	"      --unit WHO        an address, prefix or MAC to judge without a site file\n" \
	"                        (repeatable; every host seen in a prefix is a unit)\n" \
	"      --profile LIST    profiles of --unit: room,onprem,external,online,touch\n"

/* Takes the option if it is one of POLICY_*: 1 taken, 0 not mine, negative errno with err filled. */
int policy_option(struct policy_options *options, int option, const char *value,
                  struct err *err) MUST_CHECK;
/* Loads the policy they name; --profile without --unit is refused. */
int policy_options_load(const struct policy_options *options, struct policy **ret_policy,
                        struct err *err) MUST_CHECK;

/* The data directory: `given` (from -l), else $TLMON_DIR, else /var/lib/tlmon. */
const char *data_dir(const char *given);

/* "512M", in one of `units` of "KMGT": 0, or -EINVAL. */
int read_size(const char *text, const char *units, uint64_t *ret_bytes) MUST_CHECK;

#endif
