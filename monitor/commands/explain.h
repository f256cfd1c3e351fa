/*
 * explain.h - the story of one recorded flow or finding, for people.
 */
#ifndef MONITOR_COMMANDS_EXPLAIN_H
#define MONITOR_COMMANDS_EXPLAIN_H

#include "monitor/commands/query.h"
#include "monitor/history.h"
#include "schema/flowdb_incident.h"

struct explain {
	struct flowdb *db;
	const char *dir; /* as given with -l; NULL */
	bool json, settle;
	/* explain_load_policy() fills these. */
	struct policy *policy;           /* that judged it, as recorded; NULL: that is not whole */
	struct envelope *compiled_in;    /* in its place */
	const struct envelope *envelope; /* of the one or the other: whose rows are quoted */
	/* The flow as the judge saw it. */
	struct history *history;
	struct past past;
	bool has_past;
	/* For what is told one at a time. */
	unsigned told;
	const struct addr *local;
};
/* Closes the database, too. */
void explain_release(struct explain *explain);

/* 1: it was told; 0: there is no such one; negative errno with err filled. */
int explain_flow(struct explain *explain, int64_t id, struct err *err) MUST_CHECK;
int explain_finding(struct explain *explain, int64_t id, struct err *err) MUST_CHECK;

/* The policy of that hash, from what is recorded of it. */
int explain_load_policy(struct explain *explain, const char *hash, struct err *err) MUST_CHECK;
/* What is on record beside the flow itself: names, address and lease; then policy and evidence. */
int explain_known(struct explain *explain, const struct flow_view *flow,
                  struct err *err) MUST_CHECK;
int explain_policy(struct explain *explain, const struct flow_view *flow,
                   struct err *err) MUST_CHECK;
/* The same one by one. */
struct unit_window explain_window(const struct flow_view *flow);
struct name_verdict {
	bool counts, proves;
};
/* Whether a DNS answer counted for the flow, and whether it proves the peer; in words in `buf`. */
struct name_verdict explain_name(const struct explain *explain, const struct name_row *name,
                                 char *buf, size_t size);
/* How its policy came to judge it; "": that is not on record. */
int explain_policy_use(const struct explain *explain, const struct flow_view *flow, char *buf,
                       size_t size, struct err *err) MUST_CHECK;
/* Packets of it that are kept. */
int explain_evidence(const struct explain *explain, const struct flow_view *flow,
                     uint64_t *ret_count, struct err *err) MUST_CHECK;

/* For flowdb_flow(): the flow as a line of JSON; `context` is the struct explain. */
int explain_json(void *context, const struct flow_view *flow, struct err *err) MUST_CHECK;
/* The blind intervals on record that a flow overlaps, if it was not seen whole. */
int explain_blinds(struct flowdb *db, const struct flow_view *flow,
                   int (*each)(void *context, const struct blind_view *blind, struct err *err),
                   void *context, struct err *err) MUST_CHECK;

/* The row as documented, in some lines behind two blanks; or that this envelope does not hold it. */
void explain_row(const struct envelope *envelope, const char *id);
/* Whether there is anything to settle: it is open and not waived. */
static inline bool finding_is_to_settle(const struct finding_row *row)
{
	return row->open && !*row->waiver;
}
/* What would settle such a finding, tried on what is recorded (explain_settle.c); its policy is loaded. */
int explain_settle(struct explain *explain, int64_t id, const char *unit,
                   const struct finding_row *row, struct err *err) MUST_CHECK;
/* The finding as a line of JSON, with what would settle it if that is asked for. */
int explain_finding_json(struct explain *explain, const struct finding_view *finding,
                         struct err *err) MUST_CHECK;
/* The policy of its first flow, unless one is loaded; where no flow of it is kept that of the last run. */
int explain_finding_policy(struct explain *explain, int64_t id, struct err *err) MUST_CHECK;

/* Ends a command line that is proposed: " -l DIR" as it was given, and the line's end. */
void explain_dir(const struct explain *explain);

/*
 * Ends a line that stands at `indent` with a text: in 80 columns on a terminal, else in one line, for grep. What
 * would steer a terminal is made visible.
 */
void explain_text(size_t indent, const char *fmt, ...) PRINTF(2, 3);
/* A whole line, as long as it is; made visible, too. */
void explain_say(const char *fmt, ...) PRINTF(1, 2);
/* "name: text" lines; the names stand in one column. */
void explain_line(const char *name, const char *fmt, ...) PRINTF(2, 3);

#endif
