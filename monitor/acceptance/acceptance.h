/*
 * acceptance.h - does this network carry every documented row, and do these units keep to them? What the
 * flow database says of a window, row by row and unit by unit, and what follows from it. Nothing here
 * prints: reports.h writes it, all forms from the same.
 *
 *     acceptance_new()   database -> cells      (acceptance.c)
 *     cells_count()      flows -> counts        (cells.c)
 *     cell_settle()      counts -> state        (cells.c)
 *     acceptance_judge() cells -> result, why   (result.c, result_rows.c)
 *     next_steps()       what to do now         (next.c)
 */
#ifndef MONITOR_ACCEPTANCE_ACCEPTANCE_H
#define MONITOR_ACCEPTANCE_ACCEPTANCE_H

#include "rules/policy.h"
#include "schema/flowdb_query.h"

/* How a row stands for a unit. */
enum cell_state {
	CELL_NOT_EXERCISED,
	CELL_UNDETERMINED, /* tried, and nobody can say what became of it: `whys` */
	CELL_OK,           /* answered; `grade` says how good the yes is */
	CELL_OUTSIDE,      /* flows came near it and differ */
	CELL_BLOCKED,      /* `blocked` says how */
	CELL_STATE_COUNT
};
const char *cell_state_name(enum cell_state state); /* not-exercised undetermined ok outside blocked */

/* Why a cell is undetermined: the judge's words are enum why; these come from the outcome. */
enum {
	CELL_WHY_UNANSWERED = 1, /* no answer, and the silence proves nothing (packets lost, no other traffic, a probe) */
	CELL_WHY_ONE_SIDED = 2,  /* the mirror showed one direction */
	CELL_WHY_VERDICT = 4,    /* the judge could not tell: `verdict_whys` */
};

#define CELL_BLOCKS_MAX 8
/* One way that is closed. */
struct cell_block {
	uint8_t kind; /* KIND_BLOCKED_SILENT, KIND_BLOCKED_PROHIBITED, KIND_REFUSED */
	uint8_t transport, direction, icmp_type, icmp_code;
	uint16_t local_port, remote_port;
	struct addr local, remote;
	struct addr sender; /* of the ICMP error: the router that forbids; zero: none */
	int64_t flow;       /* its first row in the database */
	uint64_t flows;
};

/* One row of one unit. Flows are those that overlap the window. */
struct cell {
	/* counted */
	uint64_t exact, unproven, wide;      /* documented and answered, by grade */
	uint64_t unanswered, one_sided;      /* documented, neither answered nor blocked */
	uint64_t silent, prohibited, refused; /* documented, blocked */
	uint64_t unwaived;                   /* of those blocked: under no finding that is waived */
	uint64_t outside, undetermined;      /* flows whose nearest (likeliest) row this is */
	uint64_t media_unknown; /* of those answered: they carried what nobody can tell, or nothing */
	uint32_t verdict_whys; /* mask of BIT(enum why) of the undetermined */
	uint8_t media;    /* mask MEDIA_* that answered flows carried */
	int64_t first_us, last_us; /* of answered flows */
	int64_t ok_flow;  /* row of the first one; 0 */
	int64_t flow;     /* a flow to look at for what is wrong; 0 */
	struct cell_block blocks[CELL_BLOCKS_MAX]; /* first ones first */
	uint8_t block_count;
	uint64_t blocks_more;
	/* settled */
	uint8_t state;   /* enum cell_state */
	uint8_t grade;   /* enum grade: the best; of ok */
	uint8_t blocked; /* enum kind: the plainest; of blocked */
	uint8_t whys;    /* mask CELL_WHY_*; of undetermined */
	bool applies;    /* the row is of one of the unit's profiles */
	bool excused;    /* required, not ok, and a group that it is in does not need it */
	int16_t group;   /* index in the unit's groups of the one that excuses or carries it; -1 */
	bool carried;    /* ok by another row of a TOGETHER group or by its mirror, not by a flow of its own */
	bool waived;     /* blocked, and all of it is waived: it does not refuse */
	uint64_t refusing; /* findings of this unit and row that refuse at fail_on */
};
/* Flows that are alike. */
struct cell_count {
	uint8_t ruling, grade, kind, why, media, transport, outcome;
	uint64_t flows;
	int64_t first_us, last_us;
	int64_t flow; /* the first one's row in the database; 0 */
};
/*
 * Counts them for a unit: in the cells of the rows that they are judged by (of outside ones the nearest), and of
 * those that mirror them.
 */
void cells_count(const struct policy *policy, struct cell *cells, const uint16_t *rows,
                 unsigned row_count, const struct cell_count *count);
/* Fills what is settled of one cell from what is counted. */
void cell_settle(struct cell *cell);

/* A group of rows for a unit (rules/envelope.h); only those of its profiles. */
struct group_cell {
	const struct row_group *group;
	uint8_t need;  /* the strongest of its rows' */
	uint8_t state; /* enum cell_state, of the best row */
	uint8_t grade;
	bool media_unknown; /* ONE_OF with media: a row works, but what it carried nobody can tell */
};

struct acceptance_unit {
	char *name;
	uint32_t profiles; /* mask */
	bool seen;         /* it sent or got anything in the window */
	bool blind;        /* for some time of the window not all of it could be seen */
	uint64_t flows, undetermined, housekeeping, outside, blocked, documented;
	uint32_t undetermined_whys; /* mask of BIT(enum why) */
	uint64_t other_policies;    /* of the flows: judged by another policy than options.policy */
	struct addr addresses[8]; /* held in the window, in the order they began */
	uint8_t address_count;
	struct cell *cells; /* one a row of the policy */
	struct group_cell *groups;
	size_t group_count;
	uint64_t idle_required; /* required rows and groups that were not seen to work */
	uint8_t result;         /* enum acceptance_result: of this unit alone */
};

struct acceptance_finding {
	int64_t id;
	size_t unit;  /* index; units[].name; SIZE_MAX: of a unit on no list, `who` */
	char *who;
	int row;      /* index in the policy; -1 */
	struct finding_row finding;
	bool waived;
	bool refuses; /* at fail_on */
	uint64_t evidence; /* flows with packets */
	int64_t flow; /* its first flow that is kept; 0 */
};

/* One that stands no more: it refuses nothing, and is told. */
struct acceptance_closed {
	struct acceptance_finding finding; /* neither waived nor refusing */
	char *by, *why; /* the person who closed it; "": the judge did, and finding.reason says why */
	int64_t at_us;  /* by the wall clock; 0 */
};

struct acceptance_blind {
	int64_t id;
	struct blind_row row; /* detail points into `detail` */
	char unit[UNIT_NAME_MAX], detail[96];
};

/* What keeps the result from being better. */
struct acceptance_reason {
	uint8_t result;   /* enum acceptance_result that it leads to */
	uint8_t severity; /* holds while --fail-on is this or lower; SEVERITY_NONE: always */
	char *text;       /* one line, no full stop */
};

enum acceptance_result { ACCEPTED, NOT_ACCEPTED, ACCEPTANCE_UNDETERMINED };
const char *acceptance_result_name(enum acceptance_result result); /* accepted not-accepted undetermined */

/* Something to do, for a unit or for all (unit SIZE_MAX). */
enum step_kind {
	STEP_EXERCISE, /* in the room */
	STEP_FIREWALL, /* on the way: lines for a firewall */
	STEP_SITE,     /* in the site file: lines of YAML */
	STEP_UNIT,     /* at the unit's own settings */
	STEP_NETWORK,  /* elsewhere: a server, a resolver */
	STEP_MIRROR,   /* at the mirror port */
	STEP_KIND_COUNT
};
const char *step_kind_name(enum step_kind kind); /* exercise firewall site unit network mirror */
struct step {
	uint8_t kind;
	size_t unit;      /* index; SIZE_MAX: several, `who` */
	char *who;        /* "boardroom, huddle" */
	int row;          /* index; -1 */
	int64_t finding;  /* 0: of no finding */
	char *say;        /* a sentence */
	char *lines;      /* to be copied as they are, each ended by \n; NULL */
	bool proven;      /* the flows on record were judged again with this change, and all are documented then */
	uint64_t settles; /* ... of how many findings */
};

struct acceptance_options {
	const struct policy *policy; /* that every flow of the window should have been judged by */
	enum severity fail_on;       /* findings below it do not refuse */
	int64_t since_us, until_us;  /* 0: all that is recorded */
	const char *unit;            /* NULL: all that the policy lists or that were seen */
	int64_t running;             /* the run that goes on meanwhile; 0: none */
	const char *source;          /* what was read or watched, in the words of the command line; "" */
};

struct acceptance {
	struct acceptance_options options;
	const struct policy *policy;
	struct flowdb *db;
	int64_t since_us, until_us; /* of the window, or of what was recorded; 0: nothing was */
	uint64_t runs, packets;
	struct counters counters; /* of the runs, added up */
	const struct unit_rule **hosts; /* entries of the policy for one host, by name */
	size_t host_count;
	struct acceptance_unit *units; /* by name */
	size_t unit_count, unit_room;
	struct acceptance_finding *findings; /* worst first; open ones and waived ones that overlap the window */
	size_t finding_count, finding_room;
	struct acceptance_closed *closed; /* that overlap the window; first those that a person closed */
	size_t closed_count, closed_room;
	size_t closed_by_hand;
	struct acceptance_blind *blinds; /* that overlap it, oldest first */
	size_t blind_count, blind_room;
	uint32_t blind_causes; /* mask */
	uint64_t by_severity[SEVERITY_HIGH + 1], waived; /* findings: open and not waived; waived */
	uint64_t cuts;          /* files that end in the middle of a packet */
	uint64_t file_gaps;     /* short ones between files of one run: no time without a watcher, and none with packets */
	int64_t file_gap_us;    /* the longest of them */
	uint64_t unfinished;    /* runs of the window that neither ended nor go on, and files still being read */
	int64_t unfinished_run, unfinished_us; /* the last of them, and how far it came; 0: nowhere */
	int64_t settled_us;     /* a recorder goes on: what began later may have no row yet; 0: all is written */
	const struct unit_rule **silent; /* entries of the policy for many hosts of which none was seen */
	size_t silent_entries;
	uint64_t other_policies; /* flows of the window judged by another policy than options.policy */
	bool unrecorded;         /* nothing of the window was recorded */
	char filter[8192];      /* tcpdump words of the runs, each once, "; " between; "" */
	uint64_t filtered;      /* runs that had some; the others saw all there was */
	struct acceptance_reason *reasons; /* worst first */
	size_t reason_count, reason_room;
	struct step *steps; /* exercises, what is blocked, what settles findings: next.c says in which order */
	size_t step_count, step_room;
	enum acceptance_result result;
};

/*
 * Reads and judges. `db` and the policy must outlive it. On success *ret is the caller's, to be given to
 * acceptance_free(). -ENOENT: no unit of that name; err names some.
 */
int acceptance_new(struct flowdb *db, const struct acceptance_options *options,
                   struct acceptance **ret, struct err *err) MUST_CHECK;
void acceptance_free(struct acceptance *acceptance);
void acceptance_freep(struct acceptance **acceptance);

/* From settled cells: groups, reasons, results. acceptance_new() calls it. */
int acceptance_judge(struct acceptance *acceptance, struct err *err) MUST_CHECK;
/* What the result would be with another --fail-on. */
enum acceptance_result acceptance_result_at(const struct acceptance *acceptance, enum severity fail_on);

/* Fills `steps` (next.c). */
int next_steps(struct acceptance *acceptance, struct err *err) MUST_CHECK;

/* Whether all that is required of a unit is decided: ok, outside or blocked. From cells alone, so that a live run can ask. */
bool unit_is_decided(const struct policy *policy, uint32_t profiles, const struct cell *cells);
/* Groups of a unit's profiles, settled from its cells; marks cells excused or carried. At most GROUPS_MAX; returns how many. */
size_t unit_groups(const struct policy *policy, uint32_t profiles, struct cell *cells,
                   struct group_cell *ret);

#endif
