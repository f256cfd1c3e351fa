/*
 * findings.h - gathers flows under findings: one unit, one kind, one nearest row, one peer (by role, else its
 * /24 or /64), one port, one application (design.md 5). Findings that multiply fold into one.
 */
#ifndef MONITOR_RECORD_FINDINGS_H
#define MONITOR_RECORD_FINDINGS_H

#include "monitor/record/units.h"

#define FINDINGS_FOLD 32                /* more open ones of a unit and kind become one */
#define SCAN_PORTS 20                   /* so many local ports from one source ... */
#define SCAN_US (60 * INT64_C(1000000)) /* ... within that are one scan */
#define FINDING_ROWS 1000               /* rows of flows without an answer that a finding has, before ... */
#define FINDING_ROW_US INT64_C(1000000) /* ... it has one of each stretch of so long */

struct finding {
	struct finding_row row;
	int64_t id; /* in the database, given at once */
	struct unit *unit;
	struct finding *folded; /* gone into that one */
	struct finding *next;   /* of the same unit and kind */
	uint64_t evidence;      /* flows that packets are kept of (evidence.h) */
	int64_t kept_us;        /* the latest beginning of a flow whose row is kept; 0: none is */
	bool dirty, listed; /* listed: on the list of findings_flush() */
	bool noted; /* that this run has seen it is on record */
	bool moved; /* its state has: on the list of findings_settle() */
	bool fresh; /* it is not in the database yet */
};

struct findings;

/* What the recorder remembers of a flow that stands under a finding. */
struct gathered {
	struct finding *finding; /* NULL: under none */
	uint64_t bytes;          /* of it already counted there */
	bool kept;               /* its row counts among `kept` */
};

/* NULL when out of memory. `policy` must outlive it; `told` (may be NULL) hears of each finding that opens. */
struct findings *findings_new(const struct policy *policy,
                              void (*told)(void *context, const struct finding *finding),
                              void *context);
void findings_free(struct findings *findings);
/* For tests: no way is shorter for flows that are alike. */
void findings_plain(struct findings *findings);

/* A flow for the unit at its end `local` is about to be judged: brings near what it may be asked about. */
void findings_near(const struct findings *findings, const struct unit *unit,
                   const struct flow_facts *facts, unsigned local);

/*
 * The flow of `view` belongs under the finding that `verdict` (which has a kind) asks for: opens it
 * or adds to it, and takes it away from where it was before. 0, or negative errno with err filled.
 */
int findings_add(struct findings *findings, struct flowdb *db, struct unit *unit,
                 const struct view *view, const struct verdict *verdict,
                 struct gathered *gathered, struct err *err) MUST_CHECK;
/* The sentence of an open finding, unless it speaks of many findings in one, is of this flow now. */
void findings_say(struct findings *findings, struct unit *unit, const struct view *view,
                  const struct verdict *verdict, struct finding *finding);
/* A flow whose row another recorder wrote stands under finding `id` there, with so many bytes. */
int findings_recall(struct findings *findings, struct flowdb *db, struct unit *unit, int64_t id,
                    uint64_t bytes, struct gathered *gathered, struct err *err) MUST_CHECK;
/* Finding `id` of a recorder that died is known here as it was there, and in whose place it stands if it folded. */
int findings_know(struct findings *findings, struct flowdb *db, struct unit *unit, int64_t id,
                  struct err *err) MUST_CHECK;
void findings_fold_again(struct findings *findings);
/* The flow is under no finding any more: the last flow gone closes it. */
void findings_drop(struct findings *findings, struct gathered *gathered);
/*
 * Under a flood samples stand for the flows: whether one more that nobody answered, which began then, is to have a
 * row under the finding. It hangs on what the database holds alone, so that a successor samples alike.
 */
bool finding_samples(const struct finding *finding, int64_t first_us);
/* The row of a flow that began then is written under it, its first one. */
void finding_keeps(struct finding *finding, int64_t first_us);
/* The finding a flow stands under now (it may have folded); NULL. */
struct finding *gathered_finding(const struct gathered *gathered);
/* Where its flows went, if it folded; else itself; NULL of NULL. */
struct finding *finding_now(struct finding *finding);

/* A unit on no list was seen: one finding a host, without rows of flows. */
int findings_unlisted(struct findings *findings, struct flowdb *db, struct unit *unit,
                      const struct flow_facts *facts, unsigned local,
                      struct finding **ret_finding, struct err *err) MUST_CHECK;

/* So many rows of flows under finding `id` were deleted. */
void findings_rows_gone(struct findings *findings, int64_t id, uint64_t rows);
/* Packets kept for finding `id` were deleted: as many flows as the database says have some yet. */
int findings_packets_gone(struct findings *findings, struct flowdb *db, int64_t id,
                          struct err *err) MUST_CHECK;
/* Whether finding `id` is known here, and must stay in the database. */
bool findings_have(const struct findings *findings, int64_t id);
/*
 * Behind each event: writes those that opened, closed, or were seen for the first time, so that what became of them
 * does not hang on when counts are written.
 */
int findings_settle(struct findings *findings, struct flowdb *db, struct err *err) MUST_CHECK;
/* Closes it, which a flush writes. */
void finding_close(struct findings *findings, struct finding *finding, const char *reason);
/* For judging anew: why a finding is closed that no flow is left under (borrowed); all of them, to be changed. */
void findings_dropped(struct findings *findings, const char *reason);
void findings_each(struct findings *findings, void (*each)(void *context, struct finding *finding),
                   void *context);

/* A person may have closed or reopened some: as the database says now, after a flush. */
int findings_refresh(struct findings *findings, struct flowdb *db, struct err *err) MUST_CHECK;

/* Writes what changed. */
int findings_flush(struct findings *findings, struct flowdb *db, struct err *err) MUST_CHECK;

#endif
