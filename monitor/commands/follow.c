/*
 * follow.c - see follow.h. The signal flag is at file scope, as it must be.
 */
#include "monitor/commands/follow.h"

#include <poll.h>
#include <signal.h>

#define ASK_AGAIN_MS 500

static volatile sig_atomic_t over;

static void end(int signal)
{
	over = 1;
}

/* Sleeps; false when a signal ended it, or whoever read us has gone. */
static bool wait_more(void)
{
	struct pollfd out = {.fd = fileno(stdout)};

	if (!over && poll(&out, 1, ASK_AGAIN_MS) > 0 && out.revents & (POLLERR | POLLHUP))
		return false;
	return !over;
}

int follow(struct query *query, struct out *out,
           int (*tell)(const struct query *query, void *context, struct err *err), void *context,
           struct err *err)
{
	const struct sigaction action = {.sa_handler = end};
	int r = flowdb_refresh(query->db, err);

	over = 0;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	if (r >= 0 && query->options->since)
		r = tell(query, context, err);
	query->flow.fresh = true;
	query->flow.until_us = 0;
	for (;;) {
		if (!r)
			r = out_flush(out, err);
		if (r || !wait_more())
			break;
		r = flowdb_refresh(query->db, err);
		if (r >= 0)
			r = tell(query, context, err);
	}
	return r < 0 ? r : 0;
}
