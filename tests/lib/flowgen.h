/*
 * flowgen.h - flow databases of any size for tests and measurements: an office of many room systems over
 * many days. What kinds of flows there are is a table of tuples, judged by the real judge once each; who,
 * when, which ports and how much is drawn. The same seed gives the same database.
 */
#ifndef TESTS_LIB_FLOWGEN_H
#define TESTS_LIB_FLOWGEN_H

#include "schema/flowdb.h"

#define FLOWGEN_DAY INT64_C(1795305600000000) /* 2026-11-22T00:00:00Z, the first of them */
#define FLOWGEN_UNIT "room-%03u"              /* from 1 */

struct flowgen;

struct flowgen_size {
	uint64_t flows;
	unsigned units, days; /* at most 4,000 and 365 */
	uint64_t seed;
};

/*
 * Writes policy, units and what is known of them into an open transaction. On success *ret_gen is the
 * caller's (flowgen_free()), on failure err says why.
 */
int flowgen_new(struct flowdb *db, const struct flowgen_size *size, struct flowgen **ret_gen,
                struct err *err) MUST_CHECK;
void flowgen_free(struct flowgen *gen);
void flowgen_freep(struct flowgen **gen);

/*
 * The next flow, in the order in which they end: *ret and what it points to (`facts`, `verdict` are the
 * caller's, to be kept as long as *ret). Begins a run each day. 1, 0 after the last, or negative errno.
 */
int flowgen_next(struct flowgen *gen, struct flow_row *ret, struct flow_facts *facts,
                 struct verdict *verdict, struct err *err) MUST_CHECK;
/* Whatever is told of the flows so far: sums of findings, coverage, blind intervals, evidence. Once, at the end. */
int flowgen_finish(struct flowgen *gen, struct err *err) MUST_CHECK;

#endif
