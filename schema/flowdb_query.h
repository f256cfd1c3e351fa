/*
 * flowdb_query.h - what can be asked of a flow database. Answers come one at a time through a
 * callback, in an order that depends on the content alone. What a callback is given is borrowed
 * until it returns. It returns 0 to go on, 1 for "enough", or negative errno (with err filled),
 * which the query then returns. A query returns 0 when it came to its end or was told "enough".
 */
#ifndef SCHEMA_FLOWDB_QUERY_H
#define SCHEMA_FLOWDB_QUERY_H

#include "schema/flowdb.h"

/*
 * Databases of several sensors under one handle. Flows, findings, counts, units, coverage and names are answered
 * by all of them, in one order, and views say whose row it is: the directory's name (as given where two are
 * alike). All else (what goes by a number, runs, blind intervals, the span) is asked of one: flowdb_nth().
 * At most FLOWDBS_MAX, none of them twice.
 */
#define FLOWDBS_MAX 32
int flowdb_open_all(const char *const *dirs, size_t count, struct flowdb **ret_db,
                    struct err *err) MUST_CHECK;
/* Counted from 0; NULL past the last. It belongs to `db`. */
struct flowdb *flowdb_nth(struct flowdb *db, size_t n);
/* NULL: there is but one. */
const char *flowdb_sensor(const struct flowdb *db);

/* A recorded flow, as tcpdump's words can be held against it. */
struct flow_head {
	struct endpoint local, remote;
	uint16_t vlan; /* VLAN_NONE */
	uint8_t transport, ip_version;
	bool sent[2]; /* whether there are packets of the unit, and of the peer */
};
struct flow_filter {
	bool (*takes)(const void *context, const struct flow_head *head);
	const void *context;
};

/* What to look for; what is zero does not narrow. */
struct flow_query {
	int64_t since_us, until_us; /* overlapping [since, until]; until_us 0: no end */
	const char *unit; /* its name or an address it had. None such: -ENOENT, err names some */
	const char *const *more_units; /* or one of these; ended by NULL */
	const char *row;               /* documented by it, or nearest to it */
	struct prefix peer;            /* bits 0: any */
	const char *peer_name; /* "*.lync.com": shown in the flow, or bound to its peer by DNS by then */
	uint16_t port_low, port_high; /* of either end; high 0: any */
	uint16_t app;                 /* enum app */
	uint8_t transport;
	uint8_t media;     /* mask MEDIA_*: carries one of these; MEDIA_MIXED: more than one */
	uint8_t direction; /* 1 + enum direction */
	uint8_t outcome;
	uint8_t ruling, grade, kind;
	uint8_t severity; /* at least this */
	bool blind;       /* those that were not seen whole alone */
	bool alone;       /* flows, findings: of this database, whatever is asked together with it */
	bool fresh;       /* what was committed between the last two flowdb_refresh() alone */
	int64_t finding;
	const struct flow_filter *filter;
	const char *sort; /* "-bytes_in,unit": fields by their names in JSON; - before it: falling */
	uint64_t limit;   /* 0: all */
};
#define MEDIA_MIXED 8

/*
 * Goes on to what is committed by now, also where the database was begun anew meanwhile. What came since
 * the last time is `fresh`; the first call only notes where things stand.
 */
int flowdb_refresh(struct flowdb *db, struct err *err) MUST_CHECK;

/* What can be counted, and sorted by. */
enum flowdb_thing { THING_FLOWS, THING_FINDINGS, THING_NAMES };
/* Fields of a list such as "unit,-start"; -EINVAL with err naming what is accepted. `what` is the option. */
int flowdb_check_fields(enum flowdb_thing thing, const char *what, const char *list,
                        struct err *err) MUST_CHECK;
#define COUNT_FIELDS_MAX 8
struct count_view {
	const char *fields[COUNT_FIELDS_MAX]; /* NULL: not known */
	bool number[COUNT_FIELDS_MAX];
	size_t field_count;
	uint64_t count, bytes;
	int64_t first_us, last_us;
};
struct finding_query;
/*
 * Flows or findings counted by fields ("remote,hour"; day and hour are local), most first. No more than
 * COUNTED_MAX different ones. sort is not looked at, limit counts rows of the answer.
 */
#define COUNTED_MAX 1000000
int flowdb_counts(struct flowdb *db, enum flowdb_thing thing, const struct finding_query *query,
                  const char *by,
                  int (*each)(void *context, const struct count_view *count, struct err *err),
                  void *context, struct err *err) MUST_CHECK;

struct nearest_view {
	char row[ROW_ID_MAX];
	uint8_t count;
	struct differs differs[FIELD_COUNT];
};

/* A recorded flow, whole: judging it again needs nothing else but the names of its time. */
struct flow_view {
	int64_t id, run, unit_id;
	const char *sensor; /* NULL: there is but one database; so in all views */
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
	const char *sensor;
	const char *unit;
	struct finding_row row;
	const char *by, *why; /* whoever brought it into its state, if a person did; "" */
	int64_t at_us;        /* by the wall clock; 0 */
};
/*
 * How many flows such findings count that have no row in flow: of a flood samples are kept, and retention deletes.
 * Hosts on no list are left out, of which no flow ever has one. `limit` and `sort` are not looked at.
 */
int flowdb_without_row(struct flowdb *db, const struct finding_query *query, uint64_t *ret_flows,
                       struct err *err) MUST_CHECK;
/* Worst first: open before closed, waived ones last, then by severity, flows, kind, row, peer, unit. */
int flowdb_findings(struct flowdb *db, const struct finding_query *query,
                    int (*each)(void *context, const struct finding_view *finding,
                                struct err *err),
                    void *context, struct err *err) MUST_CHECK;

/* The same thing wrong at several units: findings of one kind, row, peer, port and state. */
struct finding_group {
	int64_t id;       /* of its first finding with most flows */
	const char *sensor;
	const char *unit; /* of that finding */
	uint64_t units, findings;
	uint16_t apps[2]; /* the least and the greatest; alike where there is one */
	uint8_t transports[2];
	struct finding_row row; /* that finding's, with sums over all */
	char by[128], why[512]; /* of that finding, as in struct finding_view */
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
	const char *by, *why;        /* a person did it; "", or NULL */
};
/* The changes of a run that come after the one of id `after`, in order, at most `limit`. */
int flowdb_finding_changes(struct flowdb *db, int64_t run, int64_t after, uint64_t limit,
                           int (*each)(void *context, const struct change_view *change,
                                       struct err *err),
                           void *context, struct err *err) MUST_CHECK;
/* The changes that persons made of a finding, in order: id, run, state, by, why; time_us is by the wall clock. */
int flowdb_finding_persons(struct flowdb *db, int64_t finding,
                           int (*each)(void *context, const struct change_view *change,
                                       struct err *err),
                           void *context, struct err *err) MUST_CHECK;
/* The last change before the run, 0 if there is none: what comes after is the run's, or later. */
int flowdb_last_change(struct flowdb *db, int64_t run, int64_t *ret_id,
                       struct err *err) MUST_CHECK;

/*
 * How units exercised rows, by unit and row. unit and row of the query count; with a window (or a
 * filter) it is made up from the flows recorded in it, else it is what was counted over all runs. Of the
 * same unit seen by several sensors it is the sum, and `sensor` is NULL.
 */
struct coverage_view {
	const char *unit;
	struct coverage_row row;
};
/* Rows that one UDP flow exercises together (coverage.h of the recorder): both orders are listed. */
struct row_mirror {
	const char *row, *other; /* ids of an envelope */
};
int flowdb_coverage(struct flowdb *db, const struct flow_query *query,
                    const struct row_mirror *mirrors, size_t mirror_count,
                    int (*each)(void *context, const struct coverage_view *coverage,
                                struct err *err),
                    void *context, struct err *err) MUST_CHECK;

/* A DNS answer on record: who learnt it from whom, and from when to when it was said and holds. */
struct name_view {
	const char *sensor;
	const char *client_unit; /* NULL: no unit, or not known by then */
	struct name_row row;
};
/* By first answer. Window, unit (as the client), peer (the address), peer_name (the name), sort and limit count. */
int flowdb_names(struct flowdb *db, const struct flow_query *query,
                 int (*each)(void *context, const struct name_view *name, struct err *err),
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

/* The database that this one is an archive of, where both are asked together; else itself. */
const struct flowdb *flowdb_origin(const struct flowdb *db);

/* The units asked for, by name, each once; their flows are not counted (0). */
int flowdb_members(struct flowdb *db, const struct flow_query *query,
                   int (*each)(void *context, const struct unit_view *unit, struct err *err),
                   void *context, struct err *err) MUST_CHECK;

/* Who had which address when: a unit and one of its addresses, or a unit that has none in the window. */
struct holding_view {
	const char *sensor;
	int64_t unit_id;
	const char *unit, *profiles;
	bool listed;
	bool seen;    /* `at` is filled; else it is on a list, and nothing more, ... */
	bool removed; /* ... or it was seen, and its addresses are here no more */
	struct unit_address_row at;
	/* Of the unit. Local ports of conversations that carried media, or checks for it: ever, in the window. */
	uint64_t media_ports_ever, media_ports;
	uint64_t flows;         /* rows, in the window */
	uint64_t findings_open; /* in the window; waived ones are not counted */
};
/*
 * By unit, then by time. since_us, until_us, unit and limit of the query count. Units without an address are
 * there only where no window is asked for. Of several sensors the figures of units of one name are added
 * up (a port that two saw counts twice).
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
	const char *sensor;
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
	bool rejudged;             /* flows of any time, by `tlmon rejudge` */
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
	int64_t last_run;          /* the last live one, or where there is none the last; 0: none */
	bool live; /* a run read an interface: "2h ago" counts from now */
};
int flowdb_span(struct flowdb *db, struct span *ret_span, struct err *err) MUST_CHECK;
/* All of it but `findings`, which have to be counted: for what every command asks first. */
int flowdb_covers(struct flowdb *db, struct span *ret_span, struct err *err) MUST_CHECK;

/* Some process still holds the writer's lock, whatever the database says. Asks the kernel anew each time. */
bool flowdb_is_written(const struct flowdb *db);

/* 0 if `unit` (NULL too) is a unit's name or an address it had, in one of the databases, else -ENOENT with err naming some. */
int flowdb_check_unit(struct flowdb *db, const char *unit, struct err *err) MUST_CHECK;

/* 1 if anything recorded in one of the databases refers to this row of an envelope, 0 if not. */
int flowdb_knows_row(struct flowdb *db, const char *row, struct err *err) MUST_CHECK;

#endif
