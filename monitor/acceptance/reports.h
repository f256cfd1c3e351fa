/*
 * reports.h - an acceptance written down: text, HTML, JSON and JUnit XML, all from the same struct. Nothing
 * of the wall clock, of this host or of the order of anything but the content is in them: the same
 * acceptance gives the same bytes.
 */
#ifndef MONITOR_ACCEPTANCE_REPORTS_H
#define MONITOR_ACCEPTANCE_REPORTS_H

#include "monitor/acceptance/acceptance.h"

enum report_form { REPORT_TEXT, REPORT_HTML, REPORT_JSON, REPORT_JUNIT, REPORT_FORM_COUNT };

/* Writes to `file`, which stays the caller's; `colour` is of text. 0; 1 when whoever read it has gone. */
int report_write(const struct acceptance *acceptance, enum report_form form, FILE *file,
                 bool colour, struct err *err) MUST_CHECK;

/* Files that were asked for. */
#define REPORTS_MAX 16
struct report_files {
	const char *names[REPORTS_MAX]; /* the caller's */
	size_t count;
};
/* Takes --report NAME: -EINVAL where its end tells no form, or there are too many. */
int report_files_add(struct report_files *files, const char *name, struct err *err) MUST_CHECK;
/* Before a run that may take hours: whether each could be written by now. */
int report_files_try(const struct report_files *files, struct err *err) MUST_CHECK;
/* One of them is standard output, which then is that file and nothing else. */
bool report_files_take_stdout(const struct report_files *files);
/* Writes them all: each is whole, or stays as it was. */
int report_files_write(const struct report_files *files, const struct acceptance *acceptance,
                       struct err *err) MUST_CHECK;

#define REPORT_HELP \
	"      --report FILE     writes the report there as well: .html, .xml (JUnit), .json\n" \
	"                        or .txt. Repeatable; -.json (and so on) is standard output,\n" \
	"                        in place of the text\n"

#endif
