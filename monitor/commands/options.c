/*
 * options.c - see options.h.
 */
#include "monitor/commands/options.h"

int policy_option(struct policy_options *options, int option, const char *value,
                  struct err *err)
{
	switch (option) {
	case 'c':
		options->site = value;
		return 1;
	case 'e':
		options->envelope = value;
		return 1;
	case OPTION_PROFILE:
		options->profiles = value;
		return 1;
	case OPTION_UNIT:
		if (options->unit_count == OPTION_UNITS_MAX)
			return err_set(
				err, -E2BIG,
				"--unit: more than %d of them; name prefixes, or a site file (-c)",
				OPTION_UNITS_MAX);
		options->units[options->unit_count++] = value;
		return 1;
	default:
		return 0;
	}
}

int policy_options_load(const struct policy_options *options, struct policy **ret_policy,
                        struct err *err)
{
	struct policy_args args = {
		.envelope_path = options->envelope,
		.site_path = options->site,
		.units = options->units,
		.unit_count = options->unit_count,
		.profiles = options->profiles,
	};

	return policy_load(&args, ret_policy, err);
}

const char *data_dir(const char *given)
{
	const char *dir = given ? given : getenv("TLMON_DIR");

	return dir && *dir ? dir : "/var/lib/tlmon";
}
