/*
 * check_log.c - see check_log.h.
 */
#include "monitor/commands/check_log.h"
#include "monitor/commands/blind_list.h"
#include "monitor/policy_record.h"

struct check_log {
	struct query_options options;
	struct query query;
	struct policy *policy;
	bool over; /* a live run was the last, and does not go on */
};

static int note_over(void *context, const struct run_view *run, struct err *err)
{
	struct check_log *log = context;

	log->over = run->id == log->query.span.last_run && !run_goes_on(&log->query, run);
	return 0;
}

/*
 * What nobody looked at belongs to the window: it was asked for. What is to come does not: of a recorder that goes on it
 * ends with the last heartbeat.
 */
static int find_end(struct check_log *log, int64_t *until_us, struct err *err)
{
	int r;

	if (!log->query.span.live)
		return 0;
	r = flowdb_runs(log->query.db, note_over, log, err);
	if (r < 0)
		return r;
	if (!log->over && *until_us > log->query.span.last_us)
		*until_us = 0;
	else if (log->over && !*until_us && log->options.since)
		*until_us = log->query.now_us;
	return 0;
}

int check_log_new(const struct check_asked *asked, struct check_log **ret_log,
                  struct check_window *ret_window, struct err *err)
{
	CLEANUP(check_log_freep) struct check_log *log = calloc(1, sizeof(*log));
	struct check_window window;
	int r;

	if (!log)
		return err_set(err, -ENOMEM, "out of memory");
	log->options.dirs[log->options.dir_count++] = asked->dir;
	log->options.since = asked->since;
	log->options.until = asked->until;
	r = query_open(&log->options, &log->query, err);
	if (r < 0)
		return r;
	window = (struct check_window){
		.db = log->query.db,
		.since_us = log->query.flow.since_us,
		.until_us = log->query.flow.until_us,
	};
	r = find_end(log, &window.until_us, err);
	if (r >= 0)
		r = policy_in_force(window.db, &log->policy, err);
	if (r < 0)
		return r;
	window.policy = log->policy;
	*ret_window = window;
	*ret_log = TAKE(log);
	return 0;
}

void check_log_free(struct check_log *log)
{
	if (!log)
		return;
	query_release(&log->query);
	policy_free(log->policy);
	free(log);
}

void check_log_freep(struct check_log **log)
{
	check_log_free(*log);
	*log = NULL;
}
