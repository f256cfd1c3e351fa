/*
 * run.c - see run.h.
 */
#include "monitor/run.h"
#include "monitor/pipeline.h"
#include "monitor/process/supervisor.h"

#include <sys/random.h>
#include <time.h>
#include <unistd.h>

/* 0.0.0.0/0 and ::/0 tell nobody from anybody else, so they tell no unit's tunnel from a mirror's. */
static bool is_everybody(const struct unit_rule *rule)
{
	for (size_t i = 0; i < rule->prefix_count; i++)
		if (rule->prefixes[i].bits != (addr_is_v4(&rule->prefixes[i].addr) ? 96 : 0))
			return false;
	return !rule->mac_count;
}

bool run_is_unit(const void *policy, const struct addr *addr, const struct mac *mac, bool sent)
{
	const struct unit_rule *rule = policy_find_unit(policy, addr, mac);

	return (rule && (sent || !rule->many) && !is_everybody(rule)) || (mac && policy_looks_like_unit(policy, mac, NULL));
}

uint64_t run_session(void)
{
	struct timespec now;
	uint64_t number;

	clock_gettime(CLOCK_REALTIME, &now);
	if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != sizeof(number))
		number = (uint64_t)now.tv_sec << 30 ^ (uint64_t)now.tv_nsec ^ (uint64_t)getpid() << 40;
	return (number & INT64_MAX) | 1; /* as SQLite stores it */
}

const char *run_how(const struct run_options *options, char buf[RUN_HOW])
{
	const struct flowtab_limits *limits = &options->limits;

	*buf = '\0';
	text_add(buf, RUN_HOW, "%u %u", limits->flows, limits->young);
	for (size_t i = 0; i < ARRAY_LEN(limits->idle_us); i++)
		text_add(buf, RUN_HOW, " %lld", (long long)limits->idle_us[i]);
	if (options->scope && !options->mirror)
		text_add(buf, RUN_HOW, " scope");
	if (options->memory.bytes)
		text_add(buf, RUN_HOW, " of %llu", (unsigned long long)options->memory.bytes);
	return buf;
}

int run(const struct run_options *options, struct capture *capture, struct run_result *result,
        struct flowdb **ret_db, struct err *err)
{
	return options->in_process ? pipeline_run(options, capture, result, ret_db, err)
	                           : supervisor_run(options, capture, result, ret_db, err);
}
