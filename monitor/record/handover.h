/*
 * handover.h - where a run stands, kept in the transaction that holds what was written so far: whoever takes the
 * place of a dead recorder goes on exactly behind it. Within one program that is a place on its rings; another program
 * that reads the same files in the same way leaves out as many facts as were handled.
 */
#ifndef MONITOR_RECORD_HANDOVER_H
#define MONITOR_RECORD_HANDOVER_H

#include "monitor/recorder.h"

struct handover {
	uint64_t session;
	char reads[33]; /* schema/flowdb.h */
	char *inputs;
	uint64_t skip; /* of the facts to come are written already */
};

/* What a successor finds. */
enum handover_kind {
	HANDOVER_NONE,
	HANDOVER_WITHIN, /* a recorder of this program died */
	HANDOVER_FILES,  /* a program died that read the same files */
};

/* 0 or -ENOMEM with err filled. */
int handover_init(struct handover *handover, const struct recorder_options *options,
                  struct err *err) MUST_CHECK;
void handover_release(struct handover *handover);

/*
 * Whether there is something to go on with: an enum handover_kind, with the rings forwarded, *ret_run and *sums filled;
 * or -EEXIST with err naming a file of which a run that died had read a part, which cannot be gone on with.
 */
int handover_take(struct handover *handover, const struct recorder_options *options,
                  int64_t *ret_run, struct recorder_sums *sums, struct err *err) MUST_CHECK;
/*
 * In each transaction, as its last word before the commit. `opinions`: up to where their ring is given back then;
 * `over`: nobody is to go on with the run.
 */
int handover_write(const struct handover *handover, const struct recorder_options *options,
                   int64_t run, uint64_t opinions, bool over, const struct recorder_sums *sums,
                   struct err *err) MUST_CHECK;

#endif
