/*
 * report.h - the paper of an acceptance run: result, findings, and the matrix of rows and units,
 * read back from the database that the run has filled.
 */
#ifndef MONITOR_REPORT_H
#define MONITOR_REPORT_H

#include "rules/policy.h"
#include "schema/flowdb_query.h"

/* How a row stands for a unit; the worst of what was seen, but a yes beside a no stays visible. */
enum row_state {
	ROW_NOT_EXERCISED,
	ROW_UNDETERMINED, /* tried, not answered, and nobody can be blamed for it */
	ROW_OK,
	ROW_OUTSIDE, /* flows came near it and differ */
	ROW_BLOCKED,
};

enum report_verdict { REPORT_ACCEPTED, REPORT_REFUSED, REPORT_OPEN };

struct report;

/*
 * Reads what the runs in `db` say of `policy`. Findings of a severity below `fail_on` do not
 * refuse. On success *ret is the caller's, to be given to report_free().
 */
int report_new(struct flowdb *db, const struct policy *policy, enum severity fail_on,
               struct report **ret, struct err *err) MUST_CHECK;
void report_free(struct report *report);
void report_freep(struct report **report);

enum report_verdict report_result(const struct report *report);
/* Plain text, at most 80 columns where names allow it; colour if `colour`. */
int report_text(const struct report *report, FILE *file, bool colour,
                struct err *err) MUST_CHECK;

#endif
