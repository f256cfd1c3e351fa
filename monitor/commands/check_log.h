/*
 * check_log.h - what `tlmon check -l` judges: what a recorder has on record of a window, by the policy in force there.
 */
#ifndef MONITOR_COMMANDS_CHECK_LOG_H
#define MONITOR_COMMANDS_CHECK_LOG_H

#include "monitor/commands/query_options.h"
#include "rules/policy.h"
#include "schema/flowdb_query.h"

struct check_log;

struct check_asked {
	const char *dir, *since, *until; /* the times as on the command line; NULL */
};
#define CHECK_LOG_LONG \
	{"log", required_argument, NULL, 'l'}, {"since", required_argument, NULL, QUERY_SINCE}, \
	{ \
		"until", required_argument, NULL, QUERY_UNTIL \
	}
/* Takes the option if it is one of CHECK_LOG_LONG; false: it is not. */
bool check_asked_option(struct check_asked *asked, int option, const char *value);

/* All of it is borrowed from the log. */
struct check_window {
	struct flowdb *db;
	const struct policy *policy;
	int64_t since_us, until_us; /* 0: that end is open */
	int64_t running;            /* the run that goes on; 0: none */
};
/*
 * Opens it for reading and makes out the window. With --since alone it goes on to the end of what is recorded, or,
 * where nobody records any more what is asked for, until now. Where a recorder goes on it ends where all has a row. On success *ret_log is the caller's
 * (check_log_free()); `asked` must outlive it.
 */
int check_log_new(const struct check_asked *asked, struct check_log **ret_log,
                  struct check_window *ret_window, struct err *err) MUST_CHECK;
void check_log_free(struct check_log *log);
void check_log_freep(struct check_log **log);

#endif
