/*
 * reporting.h - an acceptance made up by hand, written in any form: units, cells, findings, intervals, steps.
 */
#ifndef TESTS_LIB_REPORTING_H
#define TESTS_LIB_REPORTING_H

#include "monitor/acceptance/reports.h"
#include "tests/lib/dbkit.h"

/* Of ten minutes from DBKIT_DAY on, of a site "Head <b>office" with two waivers; `text` is what was written last. */
struct reporting {
	struct policy *policy;
	struct acceptance a;
	char *text;
	size_t size;
};

int reporting_setup(void **state);
int reporting_teardown(void **state);

/* More of that name, with numbers where there are several; profiles as a site file has them. */
void reporting_add_units(struct reporting *bench, size_t count, const char *name,
                         const char *profiles);
struct cell *reporting_cell(struct reporting *bench, size_t unit, const char *row);
/* Sets a row and settles it. */
struct cell *reporting_set(struct reporting *bench, size_t unit, const char *row,
                           struct cell cell);
/* Of `unit` SIZE_MAX: of a host on no list. `row` and `waiver` may be "". */
struct acceptance_finding *reporting_add_finding(struct reporting *bench, size_t unit,
                                                 const char *row, enum kind kind,
                                                 enum severity severity, const char *waiver);
void reporting_add_blind(struct reporting *bench, enum blind_cause cause, int from_s, int to_s,
                         const char *unit);
void reporting_add_step(struct reporting *bench, enum step_kind kind, size_t unit,
                        const char *say, const char *lines);
/* Judges what was made, also again. */
void reporting_judge(struct reporting *bench);
/* Everything works; one of each. */
void reporting_make_fine(struct reporting *bench, size_t units);
void reporting_make_mixed(struct reporting *bench);

const char *reporting_write(struct reporting *bench, enum report_form form);
/* What was written has these words, has them not, has them so often, has them in this order (ended by NULL). */
void reporting_has(const struct reporting *bench, const char *words);
void reporting_lacks(const struct reporting *bench, const char *words);
size_t reporting_count(const struct reporting *bench, const char *words);
void reporting_in_order(const struct reporting *bench, const char *const *words);

#endif
