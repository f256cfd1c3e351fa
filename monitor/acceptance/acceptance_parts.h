/*
 * acceptance_parts.h - an acceptance being read, for its files alone: acceptance.c reads what could not be seen and
 * puts it together, acceptance_units.c has the units, acceptance_flows.c flows and findings.
 */
#ifndef MONITOR_ACCEPTANCE_ACCEPTANCE_PARTS_H
#define MONITOR_ACCEPTANCE_ACCEPTANCE_PARTS_H

#include "monitor/acceptance/acceptance.h"
#include "monitor/commands/query.h"

struct first_flow {
	int64_t finding, flow;
};

/* What is asked of the database, again and again, and what of the answers is needed once. */
struct reading {
	struct acceptance *acceptance;
	struct query query;        /* the window, and the unit where the database knows it */
	struct first_flow *firsts; /* of findings, by number */
	size_t first_count, first_room;
	int64_t *waived; /* ids of findings, in order */
	size_t waived_count;
};

/* Units of the list and those that the database has, by name. */
int reading_units(struct reading *reading, struct err *err) MUST_CHECK;
/* Those of an entry for many that were not seen are no units. */
int reading_drop_unseen(struct acceptance *acceptance, struct err *err) MUST_CHECK;
struct acceptance_unit *acceptance_find_unit(const struct acceptance *acceptance,
                                             const char *name);
/* Whether this entry of the list, of one host, is asked for: by its name or its address. */
bool reading_asks_for(const struct acceptance *acceptance, const struct unit_rule *rule);
void unit_release(struct acceptance_unit *unit);

/* Cells are counted from flows; then from findings, by which blocks are then known to be waived. */
int reading_flows(struct reading *reading, struct err *err) MUST_CHECK;
int reading_findings(struct reading *reading, struct err *err) MUST_CHECK;
/* What findings say of cells that are settled. */
void reading_mark(struct acceptance *acceptance);

static inline int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

#endif
