/*
 * explain.h - the story of one recorded flow or finding, for people.
 */
#ifndef MONITOR_COMMANDS_EXPLAIN_H
#define MONITOR_COMMANDS_EXPLAIN_H

#include "monitor/commands/query.h"

struct explain {
	struct flowdb *db;
	const struct envelope *envelope; /* whose rows are quoted */
	const char *dir;                 /* as given with -l; NULL */
	bool json;
};

/* 1: it was told; 0: there is no such one; negative errno with err filled. */
int explain_flow(const struct explain *explain, int64_t id, struct err *err) MUST_CHECK;
int explain_finding(const struct explain *explain, int64_t id, struct err *err) MUST_CHECK;

/* For flowdb_flow(): the flow as a line of JSON; `context` is the struct explain. */
int explain_json(void *context, const struct flow_view *flow, struct err *err) MUST_CHECK;
/* The blind intervals on record that a flow overlaps, if it was not seen whole. */
int explain_blinds(struct flowdb *db, const struct flow_view *flow,
                   int (*each)(void *context, const struct blind_view *blind, struct err *err),
                   void *context, struct err *err) MUST_CHECK;

/* The row as documented, in some lines behind two blanks; or that this envelope does not hold it. */
void explain_row(const struct envelope *envelope, const char *id);
/*
 * What would settle it with the least change, a line or two: of the network, of the unit, of the
 * site file. `flow` is one flow of it, or NULL.
 */
void explain_remedy(const struct envelope *envelope, const char *unit,
                    const struct finding_row *finding, const struct flow_view *flow);

/* Ends a command line that is proposed: " -l DIR" as it was given, and the line's end. */
void explain_dir(const struct explain *explain);

/* "name: text" lines; the names stand in one column. */
void explain_line(const char *name, const char *fmt, ...) PRINTF(2, 3);

#endif
