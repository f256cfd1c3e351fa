/*
 * flowdb_query.h - what can be asked of a flow database. Answers come one at a time through a
 * callback, in an order that depends on the content alone. What a callback is given is borrowed
 * until it returns. It returns 0 to go on, 1 for "enough", or negative errno (with err filled),
 * which the query then returns. A query returns 0 when it came to its end or was told "enough".
 */
#ifndef SCHEMA_FLOWDB_QUERY_H
#define SCHEMA_FLOWDB_QUERY_H

#include "schema/flowdb.h"

/* What to look for; what is zero does not narrow. */
struct flow_query {
	int64_t since_us, until_us; /* overlapping [since, until]; until_us 0: no end */
	const char *
		unit; /* its name or an address it had; NULL. None such: -ENOENT, err names some */
	const char *row;    /* documented by it, or nearest to it; NULL */
	struct prefix peer; /* bits 0: any */
	uint8_t ruling, kind;
	uint8_t severity; /* at least this */
	bool blind;       /* those that were not seen whole alone */
	int64_t finding;
	uint64_t limit; /* 0: all */
};

struct nearest_view {
	char row[ROW_ID_MAX];
	uint8_t count;
	struct differs differs[FIELD_COUNT];
};

/* A recorded flow, whole: judging it again needs nothing else but the names of its time. */
struct flow_view {
	int64_t id, run, unit_id;
	const char *unit, *profiles;
	const char *policy; /* hash */
	const char *name;   /* "" */
	struct flow_facts
		facts; /* as the sensor told them; id is the number of its first packet */
	uint8_t local; /* which end is the unit's */
	uint16_t app;
	uint8_t evidence;
	uint8_t ruling, grade, why, kind, severity, direction;
	uint8_t row_count, nearest_count;
	char rows[ROWS_MAX][ROW_ID_MAX];
	struct nearest_view nearest[NEAREST_MAX];
	char remark[32]; /* verdict.reason */
	int64_t finding; /* 0 */
	bool blind;
	bool asked_again, lossy; /* as the judge was told */
	uint8_t told;            /* TOLD_*: the same */
};

/* In the order they began. */
int flowdb_flows(struct flowdb *db, const struct flow_query *query,
                 int (*each)(void *context, const struct flow_view *flow, struct err *err),
                 void *context, struct err *err) MUST_CHECK;
/* One flow by its id: 1 and `each` was called, 0 if there is none. */
int flowdb_flow(struct flowdb *db, int64_t id,
                int (*each)(void *context, const struct flow_view *flow, struct err *err),
                void *context, struct err *err) MUST_CHECK;

/* In the order they began. */
struct policy_use_view {
	int64_t id;
	const char *hash;
	struct policy_use_row row;
};
int flowdb_policy_uses(struct flowdb *db,
                       int (*each)(void *context, const struct policy_use_view *use,
                                   struct err *err),
                       void *context, struct err *err) MUST_CHECK;
/* What a policy was loaded from (rules/recorded.h). */
struct policy_text {
	int64_t id;
	const char *hash, *envelope, *site;
};
/*
 * The policy of this hash, or of the one that begins so: 1 and `each` was called; 0: there is none. -EINVAL with err
 * filled: there are several.
 */
int flowdb_policy_text(struct flowdb *db, const char *hash,
                       int (*each)(void *context, const struct policy_text *text,
                                   struct err *err),
                       void *context, struct err *err) MUST_CHECK;

enum finding_state {
	FINDINGS_ALL,
	FINDINGS_OPEN,
	FINDINGS_WAIVED,
	FINDINGS_CLOSED
}; /* open: waived or not */

struct finding_query {
	struct flow_query flow; /* ruling is not looked at; limit counts findings or groups */
	uint8_t state;          /* enum finding_state */
};

struct finding_view {
	int64_t id;
	const char *unit;
	struct finding_row row;
};
/* Worst first: open before closed, waived ones last, then by severity, flows, kind, row, peer, unit. */
int flowdb_findings(struct flowdb *db, const struct finding_query *query,
                    int (*each)(void *context, const struct finding_view *finding,
                                struct err *err),
                    void *context, struct err *err) MUST_CHECK;

/* The same thing wrong at several units: findings of one kind, row, peer, port and state. */
struct finding_group {
	int64_t id;       /* of its first finding with most flows */
	const char *unit; /* of that finding */
	uint64_t units, findings;
	uint16_t apps[2]; /* the least and the greatest; alike where there is one */
	uint8_t transports[2];
	struct finding_row row; /* that finding's, with sums over all */
};
int flowdb_finding_groups(struct flowdb *db, const struct finding_query *query,
                          int (*each)(void *context, const struct finding_group *group,
                                      struct err *err),
                          void *context, struct err *err) MUST_CHECK;

/* What became of a finding: it opened (or was seen again in a later run), was waived, was closed. */
struct change_view {
	int64_t id; /* greater than those of all changes before */
	int64_t run, time_us;
	uint8_t state;               /* enum finding_state, from then on */
	int64_t flow;                /* the finding's first flow that is kept; 0: none */
	struct finding_view finding; /* as it stands now */
};
/* The changes of a run that come after the one of id `after`, in order, at most `limit`. */
int flowdb_finding_changes(struct flowdb *db, int64_t run, int64_t after, uint64_t limit,
                           int (*each)(void *context, const struct change_view *change,
                                       struct err *err),
                           void *context, struct err *err) MUST_CHECK;
/* The last change before the run, 0 if there is none: what comes after is the run's, or later. */
int flowdb_last_change(struct flowdb *db, int64_t run, int64_t *ret_id,
                       struct err *err) MUST_CHECK;

/* How units exercised rows, by unit and row; `unit` (name or address) and `row` may be NULL. */
struct coverage_view {
	const char *unit;
	struct coverage_row row;
};
int flowdb_coverage(struct flowdb *db, const char *unit, const char *row,
                    int (*each)(void *context, const struct coverage_view *coverage,
                                struct err *err),
                    void *context, struct err *err) MUST_CHECK;

struct unit_view {
	int64_t id;
	const char *name, *profiles;
	bool listed;
	uint64_t flows;
};
/* By name. */
int flowdb_units(struct flowdb *db,
                 int (*each)(void *context, const struct unit_view *unit, struct err *err),
                 void *context, struct err *err) MUST_CHECK;

/* Who had which address when: a unit and one of its addresses, or a unit that has none in the window. */
struct holding_view {
	int64_t unit_id;
	const char *unit, *profiles;
	bool listed;
	bool seen; /* `at` is filled; else it is on a list, and nothing more */
	struct unit_address_row at;
	/* Of the unit. Local ports of conversations that carried media, or checks for it: ever, in the window. */
	uint64_t media_ports_ever, media_ports;
	uint64_t flows;         /* rows, in the window */
	uint64_t findings_open; /* waived ones are not counted */
};
/*
 * By unit, then by time. since_us, until_us, unit and limit of the query count. Units without an address are
 * there only where no window is asked for.
 */
int flowdb_holdings(struct flowdb *db, const struct flow_query *query,
                    int (*each)(void *context, const struct holding_view *holding,
                                struct err *err),
                    void *context, struct err *err) MUST_CHECK;

struct run_view {
	int64_t id;
	struct run_row row;
	int64_t first_us, last_us; /* 0: its clock has not moved yet; live: last_us is its heartbeat */
	int64_t packet_us;         /* the last packet; 0: none */
	bool ended;
	struct restarts restarts;
	struct counters counters;
};
/* In the order they began. */
int flowdb_runs(struct flowdb *db,
                int (*each)(void *context, const struct run_view *run, struct err *err),
                void *context, struct err *err) MUST_CHECK;
/* The files of a run (0: of all), in the order they were read. */
int flowdb_inputs(struct flowdb *db, int64_t run,
                  int (*each)(void *context, const struct input_row *input, struct err *err),
                  void *context, struct err *err) MUST_CHECK;

/* What to look for of blind intervals; what is zero does not narrow. */
struct blind_query {
	struct flow_query window; /* since_us, until_us, unit, limit alone; all units are any unit's too */
	int64_t run;
	uint8_t cause; /* enum blind_cause */
};
struct blind_view {
	int64_t id;
	const char *unit; /* NULL: all */
	struct blind_row row;
};
/* Oldest first. One that goes on overlaps all that is later. */
int flowdb_blinds(struct flowdb *db, const struct blind_query *query,
                  int (*each)(void *context, const struct blind_view *blind, struct err *err),
                  void *context, struct err *err) MUST_CHECK;

/* A flow that packets were kept of, or (flow 0) all those of its finding. */
struct evidence_of {
	int64_t finding, run;
	uint64_t flow; /* the number of its first packet */
};
/* Packets that were kept; what is zero does not narrow. */
struct evidence_query {
	struct flow_query window; /* since_us, until_us, unit, limit alone; of the packets' own time */
	const struct evidence_of *of; /* any of these; NULL: all */
	size_t of_count;
	bool died; /* those that a process died of; else those of findings */
};
struct evidence_view {
	int64_t id;
	int64_t first_us; /* of the first packet kept of its flow */
	int64_t unit_id; /* of the finding; 0 */
	const char *unit; /* its name; NULL */
	struct evidence_row row;
};
/* In the order of their times. */
int flowdb_evidence(struct flowdb *db, const struct evidence_query *query,
                    int (*each)(void *context, const struct evidence_view *packet,
                                struct err *err),
                    void *context, struct err *err) MUST_CHECK;

/* Why of some flow no packets, or not all, are there: of what was recorded between two times. */
struct evidence_lack {
	uint64_t runs;             /* that overlap */
	uint64_t off, headers;     /* of these: that kept none, or headers alone */
	uint64_t unable;           /* ... of a version that could not */
	uint64_t shed, lost;       /* packets, of these runs */
	uint64_t refused;          /* packets, for the budgets of these days */
	int64_t refused_day;       /* the first such day */
};
int flowdb_evidence_lack(struct flowdb *db, int64_t since_us, int64_t until_us,
                         struct evidence_lack *ret, struct err *err) MUST_CHECK;

/* How things stand. Units are those on the lists of the last run. */
struct standing {
	uint64_t units, units_seen;          /* listed; of these ever seen */
	uint64_t documented, unproven, wide; /* flows; of these */
	uint64_t open[5], waived;            /* findings, by severity the unwaived ones */
	uint64_t evidence;                   /* packets kept */
};
int flowdb_standing(struct flowdb *db, struct standing *ret, struct err *err) MUST_CHECK;
/* Names of listed units that were never seen, in order. */
int flowdb_units_missing(struct flowdb *db,
                         int (*each)(void *context, const char *name, struct err *err),
                         void *context, struct err *err) MUST_CHECK;

/* What the database covers. */
struct span {
	uint64_t runs, flows, findings, units;
	int64_t first_us, last_us; /* of all packets; 0: none */
	int64_t last_run;          /* 0: none */
	bool live; /* the last run read an interface: "2h ago" counts from now */
};
int flowdb_span(struct flowdb *db, struct span *ret_span, struct err *err) MUST_CHECK;

/* Some process still holds the writer's lock, whatever the database says. Asks the kernel anew each time. */
bool flowdb_is_written(const struct flowdb *db);

/* 0 if `unit` (NULL too) is a unit's name or an address it had, else -ENOENT with err naming some. */
int flowdb_check_unit(struct flowdb *db, const char *unit, struct err *err) MUST_CHECK;

/* 1 if anything recorded refers to this row of the envelope, 0 if not. */
int flowdb_knows_row(struct flowdb *db, const char *row, struct err *err) MUST_CHECK;

#endif
