/*
 * new_file.h - a file that is made before a run that may take hours, and stays only if it becomes whole. By its end the run
 * may not be allowed to remove it any more (process/sandbox.h), so a process waits beside it that may.
 */
#ifndef MONITOR_COMMANDS_NEW_FILE_H
#define MONITOR_COMMANDS_NEW_FILE_H

#include "schema/base.h"

struct new_file {
	const char *path; /* the caller's; NULL: there is none */
	FILE *file;       /* to be written to */
	int keeper, keeper_pid;
	int fds[2]; /* what no role is to have (run_options.apart), once it is open */
};

/* Makes it. One that is there already is left as it is: -EEXIST. `option` is "--output". */
int new_file_open(struct new_file *file, const char *option, const char *path,
                  struct err *err) MUST_CHECK;
/* All is written: it stays. */
int new_file_keep(struct new_file *file, struct err *err) MUST_CHECK;
/* Else it goes. */
void new_file_release(struct new_file *file);

#endif
