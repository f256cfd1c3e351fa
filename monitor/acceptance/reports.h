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

/*
 * Files that were asked for. They are opened before a run that may take hours: what cannot be written is said
 * at once. By its end the run may not be allowed to make a file any more (sandbox.h), so a process of one's own waits
 * beside it, which does nothing but give a file that is whole its name, and remove what never was.
 */
#define REPORTS_MAX 16
struct report_file {
	const char *name; /* the caller's */
	enum report_form form;
	FILE *file;
	char *path,
		*beside; /* beside: what it is called until it is whole; NULL: it is written to directly */
};
struct report_files {
	struct report_file files[REPORTS_MAX];
	size_t count;
	int keeper; /* a socket to it, or 0 */
	int keeper_pid;
	int fds[REPORTS_MAX + 1]; /* what no other process is to have (run_options.apart) */
	size_t fd_count;
};
/* Takes --report NAME: -EINVAL where its end tells no form, there are too many, or it is there already. */
int report_files_add(struct report_files *files, const char *name, struct err *err) MUST_CHECK;
int report_files_open(struct report_files *files, struct err *err) MUST_CHECK;
/* One of them is standard output, which then is that file and nothing else. */
bool report_files_take_stdout(const struct report_files *files);
/* Writes them all: each is whole, or stays as it was. */
int report_files_write(struct report_files *files, const struct acceptance *acceptance,
                       struct err *err) MUST_CHECK;
/* At the end, and where nothing was written. */
void report_files_release(struct report_files *files);

#define REPORT_HELP \
	"      --report FILE     writes the report there as well: .html, .json, .txt, or\n" \
	"                        .xml for JUnit. Repeatable; -.json (or so) is standard\n" \
	"                        output, in place of the text\n"

#endif
