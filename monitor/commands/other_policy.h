/*
 * other_policy.h - the policy that whatif and rejudge judge by: a site file, an envelope, or both; what is not
 * given stays as it is in force.
 */
#ifndef MONITOR_COMMANDS_OTHER_POLICY_H
#define MONITOR_COMMANDS_OTHER_POLICY_H

#include "rules/policy.h"
#include "schema/flowdb_query.h"

#define OTHER_POLICY_LONG \
	{"config", required_argument, NULL, 'c'}, \
	{ \
		"envelope", required_argument, NULL, 'e' \
	}
#define OTHER_POLICY_HELP \
	"  -c, --config FILE     the site file; without it the one in force, as recorded\n" \
	"  -e, --envelope DIR    documented rows from DIR, '-' for those compiled in;\n" \
	"                        without it the ones in force, as recorded\n"

struct other_policy {
	const char *site, *envelope; /* NULL: not given */
};

/* Takes the option if it is -c or -e: 1 taken, 0 not mine. */
int other_policy_option(struct other_policy *other, int option, const char *value);
/* On success *ret_policy is the caller's. */
int other_policy_load(const struct other_policy *other, struct flowdb *db,
                      struct policy **ret_policy, struct err *err) MUST_CHECK;
/* "site other.yaml, envelope as recorded" */
const char *other_policy_print(const struct other_policy *other, char *buf, size_t size);

#endif
