/*
 * evidence.h - the first packets of flows. The sensor copies those of every flow; here they wait, until it is known
 * whether their flow comes under a finding. Then they are written for it, and so are those that still come.
 *
 * A finding has packets of EVIDENCE_FLOWS flows at most (more only where others folded into it), a day, by the
 * packets' own clock, EVIDENCE_DAY bytes. What waits has a pool: without room the flow that has waited longest is
 * given up first.
 */
#ifndef MONITOR_RECORD_EVIDENCE_H
#define MONITOR_RECORD_EVIDENCE_H

#include "monitor/record/findings.h"

#define EVIDENCE_FLOWS 3
#define EVIDENCE_DAY (64u << 20)
#define EVIDENCE_POOL (32u << 20)

struct evidence_store;

struct evidence_limits {
	size_t pool;  /* bytes of packets that wait */
	uint64_t day; /* bytes of packets of one day */
};
extern const struct evidence_limits EVIDENCE_DEFAULTS;

/* NULL when out of memory. `db` must outlive it. `keep`: no more of a packet ever leaves this. */
struct evidence_store *evidence_new(struct flowdb *db, enum keep keep,
                                    const struct evidence_limits *limits);
void evidence_free(struct evidence_store *evidence);

/* What is kept of a flow, for the unit at one of its ends. Zero: nothing. */
struct exhibit {
	struct finding *finding; /* that has it; NULL */
	uint8_t next;            /* packets with a lower number are written */
	struct finding *refused; /* that had nothing left for it; NULL */
};

/*
 * A packet comes: it waits. True where its flow may be under a finding already: then its caller, who knows that, is
 * to ask for each unit with evidence_follow().
 */
bool evidence_add(struct evidence_store *evidence, const struct event_sample *sample);
/*
 * The flow stands under `finding` (NULL: under none): what waits of it is written, as far as there is room, and what
 * was written for another finding goes along or is deleted. 0, or negative errno with err filled.
 */
int evidence_follow(struct evidence_store *evidence, int64_t run, uint64_t flow,
                    struct finding *finding, struct exhibit *exhibit,
                    struct err *err) MUST_CHECK;
/* A recorder that is dead wrote of this flow for `finding`: it is gone on with. */
int evidence_recall(struct evidence_store *evidence, int64_t run, uint64_t flow,
                    struct finding *finding, struct exhibit *exhibit,
                    struct err *err) MUST_CHECK;
/* The flow is over, and its last word is spoken. */
void evidence_forget(struct evidence_store *evidence, uint64_t flow);

/* Before a commit: what the day used, what was given up. */
int evidence_flush(struct evidence_store *evidence, int64_t run, struct err *err) MUST_CHECK;

#endif
