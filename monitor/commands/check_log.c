/*
 * check_log.c - see check_log.h.
 */
#include "monitor/commands/check_log.h"
#include "monitor/commands/blind_list.h"
#include "monitor/policy_record.h"
#include "schema/time.h"

struct check_log {
	struct query_options options;
	struct query query;
	struct policy *policy;
	bool over; /* the last live run does not go on */
	int64_t running, heartbeat_us;
};

bool check_asked_option(struct check_asked *asked, int option, const char *value)
{
	switch (option) {
	case 'l':
		asked->dir = value;
		return true;
	case QUERY_SINCE:
		asked->since = value;
		return true;
	case QUERY_UNTIL:
		asked->until = value;
		return true;
	default:
		return false;
	}
}

static int note_over(void *context, const struct run_view *run, struct err *err)
{
	struct check_log *log = context;
	const struct query *query = &log->query;

	if (run_goes_on(query, run)) {
		log->running = run->id;
		log->heartbeat_us = run->last_us ? run->last_us : run->row.begun_us;
	} else if (query->span.live && run->id == query->span.last_run) {
		log->over = true;
	}
	/* A file that is being read. */
	if (strcmp(run->row.source, "live") && !run->ended && flowdb_is_written(query->db))
		log->running = run->id;
	return 0;
}

/*
 * What nobody looked at belongs to the window: it was asked for. What is to come does not, nor, where no end is asked for,
 * what a recorder that goes on may not have written yet.
 */
static int find_end(struct check_log *log, struct check_window *window, struct err *err)
{
	int64_t last_us = log->query.span.last_us, settled_us;
	int r = flowdb_runs(log->query.db, note_over, log, err);

	if (r < 0)
		return r;
	window->running = log->running;
	settled_us = log->heartbeat_us - FLOW_ROW_US;
	if (log->over && !window->until_us && log->options.since)
		window->until_us = log->query.now_us;
	if (!log->heartbeat_us)
		return 0;
	if (window->until_us > last_us)
		window->until_us = last_us;
	/* Where nothing is left all of it stands there, and is said to be too young. */
	if (!window->until_us && settled_us > window->since_us && settled_us > log->query.span.first_us)
		window->until_us = settled_us;
	return 0;
}

/* An end before anything there is: nobody means that. */
static int check_until(const struct check_log *log, struct err *err)
{
	const struct query *query = &log->query;
	char until[TIME_TEXT], first[TIME_TEXT], last[TIME_TEXT];

	if (!query->flow.until_us || query->flow.since_us ||
	    query->flow.until_us >= query->span.first_us)
		return 0;
	return err_set(err, -EINVAL,
	               "--until %s is %.19sZ, before anything on record there, which is of %.19sZ "
	               "to %.19sZ",
	               log->options.until, time_print(query->flow.until_us, until),
	               time_print(query->span.first_us, first),
	               time_print(query->span.last_us, last));
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
	if (r >= 0)
		r = check_until(log, err);
	if (r < 0)
		return r;
	window = (struct check_window){
		.db = log->query.db,
		.since_us = log->query.flow.since_us,
		.until_us = log->query.flow.until_us,
	};
	r = find_end(log, &window, err);
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
