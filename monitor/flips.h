/*
 * flips.h - recorded flows that another policy judges otherwise, gathered as findings are: what they were, what
 * they become, by which row, with which peer, on which port.
 */
#ifndef MONITOR_FLIPS_H
#define MONITOR_FLIPS_H

#include "monitor/history.h"

#define FLIPS_MAX 65536 /* groups; what finds no place is counted */

/* One side of a flip. */
struct judged {
	uint8_t ruling, grade, kind, severity, why;
	char row[ROW_ID_MAX]; /* that documents it, else the nearest; "" */
	uint8_t row_count;    /* all that documented or undetermined flows fit */
	char rows[ROWS_MAX][ROW_ID_MAX];
};

struct flip_group {
	struct judged from, to;
	struct finding_row key; /* remote, role, transport, port, app, first_us, last_us, flows, bytes */
	uint64_t units;
	int64_t flow;                 /* the first of them */
	char unit[UNIT_NAME_MAX];     /* of that one, under the other policy */
	char sentence[REASON_MAX];    /* of that one */
};

/* What became of all that was judged. */
struct flip_sums {
	uint64_t judged, same, flipped;
	uint64_t apart;      /* of the same ones: they differ otherwise from the nearest rows */
	uint64_t moved;      /* of another unit than they were recorded for */
	uint64_t nobodys;    /* the policy lists no unit that they would be of: not judged */
	uint64_t lacks_peer; /* their far end is a unit now: its own row is missing */
	uint64_t from[5][5]; /* by enum ruling, before and after */
	uint64_t within[5];  /* flips that stay what they are, by another row, grade or kind */
	uint64_t waived;     /* flips that a waiver of the policy excuses */
	uint64_t refused;    /* flips that found no group */
};

struct flips;

struct flips *flips_new(void); /* NULL when out of memory */
void flips_free(struct flips *flips);
void flips_freep(struct flips **flips);
/* What was recorded of a flow, and what it is under the policy now. */
void judged_before(const struct flow_view *flow, struct judged *ret);
void judged_now(const struct policy *policy, const struct verdict *verdict, struct judged *ret);
int flips_add(struct flips *flips, const struct flow_view *flow, const struct past *past,
              struct err *err) MUST_CHECK;
/* Worst first: by what they become, severity, flows, then by the key. */
const struct flip_group *const *flips_sorted(struct flips *flips, size_t *ret_count);
struct flip_sums *flips_sums(struct flips *flips);
/* Counts a flow that was judged. */
void flip_sums_add(struct flip_sums *sums, const struct flow_view *flow,
                   const struct past *past, bool flips);

#endif
