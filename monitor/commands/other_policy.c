/*
 * other_policy.c - see other_policy.h.
 */
#include "monitor/commands/other_policy.h"
#include "monitor/policy_record.h"

int other_policy_option(struct other_policy *other, int option, const char *value)
{
	if (option == 'c')
		other->site = value;
	else if (option == 'e')
		other->envelope = value;
	else
		return 0;
	return 1;
}

int other_policy_load(const struct other_policy *other, struct flowdb *db,
                      struct policy **ret_policy, struct err *err)
{
	CLEANUP(policy_freep) struct policy *now = NULL;
	struct policy_args args = {.site_path = other->site};
	int r = 0;

	if (!other->site && !other->envelope)
		return policy_in_force(db, ret_policy, err);
	if (other->envelope && strcmp(other->envelope, "-") != 0)
		args.envelope_path = other->envelope;
	if (!other->site || !other->envelope) {
		r = policy_in_force(db, &now, err);
		if (r < 0)
			return r;
		if (!other->site)
			args.recorded_site = now->site_text;
		if (!other->envelope)
			args.recorded_envelope = now->envelope->text;
	}
	return policy_load(&args, ret_policy, err);
}

const char *other_policy_print(const struct other_policy *other, char *buf, size_t size)
{
	if (!other->site && !other->envelope)
		snprintf(buf, size, "the policy in force, as recorded");
	else
		snprintf(buf, size, "%s%.200s, %s%.200s", other->site ? "site " : "the site in force",
		         other->site ? other->site : "",
		         !other->envelope                     ? "the envelope in force"
		         : strcmp(other->envelope, "-") == 0 ? "the envelope compiled in"
		                                              : "envelope ",
		         other->envelope && strcmp(other->envelope, "-") != 0 ? other->envelope : "");
	return buf;
}
