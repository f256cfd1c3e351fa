/*
 * flowdb_acceptance.h - what an acceptance asks of a window: how the flows in it went, by unit and documented
 * row, as sums; never whole flows. Of one database: what hangs on it by flowdb_nth() is not asked. Callbacks as
 * in flowdb_query.h; of a query the window and units count.
 */
#ifndef SCHEMA_FLOWDB_ACCEPTANCE_H
#define SCHEMA_FLOWDB_ACCEPTANCE_H

#include "schema/flowdb_query.h"

/* Flows that overlap the window and are alike in all that is told here, added up. */
struct flow_tally {
	int64_t unit_id;
	const char *unit;
	const char *
		rows; /* "a, b": all rows that tie, best first; of flows outside the nearest; "" */
	const char *policy; /* hash of what judged them */
	uint8_t ruling, grade, kind, why, media, transport;
	/* As recorded; but a flow that goes on and has packets both ways is answered. */
	uint8_t outcome;
	uint64_t flows;
	int64_t first_us, last_us; /* of whole flows, also where they reach beyond the window */
	int64_t flow;              /* the least id among them */
};
/* By unit, rows, and all else. */
int flowdb_flow_tallies(struct flowdb *db, const struct flow_query *query,
                        int (*each)(void *context, const struct flow_tally *tally,
                                    struct err *err),
                        void *context, struct err *err) MUST_CHECK;

/* Documented flows that were blocked the same way between the same ends. */
struct flow_block {
	const char *unit, *rows;
	uint8_t kind, transport, direction;
	uint8_t icmp_type, icmp_code;     /* of the error that decided it; 0 */
	uint16_t local_port, remote_port; /* of `flow`; 0 without ports */
	struct addr local, remote;
	struct addr sender; /* of the ICMP error; zero */
	int64_t finding;    /* 0: none */
	int64_t flow;       /* the least id */
	uint64_t flows;
};
/* In the order of their first flows. */
int flowdb_flow_blocks(struct flowdb *db, const struct flow_query *query,
                       int (*each)(void *context, const struct flow_block *block,
                                   struct err *err),
                       void *context, struct err *err) MUST_CHECK;

/* Of each finding that has a flow in the window its first row; by finding. */
int flowdb_finding_flows(struct flowdb *db, const struct flow_query *query,
                         int (*each)(void *context, int64_t finding, int64_t flow,
                                     struct err *err),
                         void *context, struct err *err) MUST_CHECK;

#endif
