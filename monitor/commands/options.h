/*
 * options.h - options that several commands share, so that they read and fail alike.
 */
#ifndef MONITOR_COMMANDS_OPTIONS_H
#define MONITOR_COMMANDS_OPTIONS_H

#include "rules/policy.h"

#define OPTION_UNITS_MAX 256

enum {
	OPTION_UNIT = 256,
	OPTION_PROFILE,
	OPTION_LAST
}; /* a command's own long options start at OPTION_LAST */

/* -c site.yaml, -e DIR, --unit X (repeatable), --profile a,b: which policy judges. */
struct policy_options {
	const char *site, *envelope, *profiles;
	const char *units[OPTION_UNITS_MAX];
	size_t unit_count;
};
#define POLICY_SHORT "c:e:"
#define POLICY_LONG \
	{"config", required_argument, NULL, 'c'}, {"envelope", required_argument, NULL, 'e'}, \
		{"unit", required_argument, NULL, OPTION_UNIT}, \
	{ \
		"profile", required_argument, NULL, OPTION_PROFILE \
	}
#define POLICY_HELP \
	"  -c, --config FILE     the site file: units, roles, waivers\n" \
	"  -e, --envelope DIR    documented rows from DIR instead of those compiled in\n" \
	"      --unit WHO        an address, a prefix or a MAC to judge without a site file\n" \
	"                        (repeatable; every host seen in a prefix is a unit)\n" \
	"      --profile LIST    profiles of --unit: room,onprem,external,online,touch\n"

/* Takes the option if it is one of POLICY_*: 1 taken, 0 not mine, negative errno with err filled. */
int policy_option(struct policy_options *options, int option, const char *value,
                  struct err *err) MUST_CHECK;
/* Loads the policy they name. */
int policy_options_load(const struct policy_options *options, struct policy **ret_policy,
                        struct err *err) MUST_CHECK;

/* The data directory: `given` (from -l), else $TLMON_DIR, else /var/lib/tlmon. */
const char *data_dir(const char *given);

#endif
