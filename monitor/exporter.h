/*
 * exporter.h - the role that tells others: it reads the database, never a ring, and writes one EVE
 * line (monitor/export/eve.h) whenever a finding of its run opens, is seen again for the first time in
 * the run, is waived or closed.
 */
#ifndef MONITOR_EXPORTER_H
#define MONITOR_EXPORTER_H

#include "schema/base.h"

/*
 * How far an exporter came, for its successor: zeroed by the caller before the first one, and in
 * memory that outlives each. Nobody else writes to it.
 */
struct exporter_cursor {
	int64_t change; /* finding_change.id of the last line that stands in the file whole; 0: none */
	int64_t writing; /* of the one that is being written; 0: none */
};

struct exporter_options {
	const char *dir; /* of the flow database, which need not be there yet; borrowed */
	/*
	 * Open for appending (O_APPEND), the caller's. Where it is open for reading too (O_RDWR) and is a
	 * file, its end is looked at: a line that some other writer left broken is ended first, and a
	 * successor does not repeat the one line whose writer died before it could say that it stands.
	 */
	int eve_fd;
	int64_t run;                    /* changes of this run are written */
	struct exporter_cursor *cursor; /* NULL: there will be no successor */
};

struct exporter;

/* On success *ret is the caller's, to be given to exporter_free(). */
int exporter_new(const struct exporter_options *options, struct exporter **ret,
                 struct err *err) MUST_CHECK;
void exporter_free(struct exporter *exporter);
void exporter_freep(struct exporter **exporter);

/*
 * Writes what is new since the last step; once a second will do, and once at the end. Each line is
 * one write() to a file that is appended to, so that no other writer's line stands in the middle of
 * it. Where the disk is full in the middle of one, the rest follows as soon as there is room. If by then
 * another writer has written, or we have died, a newline ends that part and the whole line follows:
 * a reader skips a line that is no JSON, and an empty one.
 *
 * *ret_written is how many lines were, also on failure. After a failure the next step goes on
 * where this one stopped. -EAGAIN, with err filled: the database is not there yet, is locked or
 * changed while it was read, or the reader of a pipe is slow; there is nothing to tell the
 * operator. Other codes are: -ENOSPC, -EFBIG, -EPIPE, -EACCES, -EBADMSG, ...
 * The caller ignores SIGPIPE and SIGXFSZ.
 */
int exporter_step(struct exporter *exporter, unsigned *ret_written, struct err *err) MUST_CHECK;

#endif
