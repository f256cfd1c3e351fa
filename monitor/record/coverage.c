/*
 * coverage.c - see coverage.h.
 */
#include "monitor/record/coverage.h"

int coverage_init(struct coverage *coverage, const struct policy *policy)
{
	coverage->policy = policy;
	coverage->mirror = calloc(policy->row_count + 1, sizeof(*coverage->mirror));
	if (!coverage->mirror)
		return -ENOMEM;
	for (size_t i = 0; i < policy->row_count; i++)
		coverage->mirror[i] = (int16_t)row_mirror(policy->rows, policy->row_count, i);
	return 0;
}

void coverage_release(struct coverage *coverage)
{
	free(coverage->mirror);
	coverage->mirror = NULL;
}

void coverage_count(const struct coverage *coverage, struct unit *unit, const struct view *view,
                    const struct verdict *verdict)
{
	const struct flow_facts *facts = view->facts;

	unit->dirty = true;
	unit_change(unit);
	if (verdict->ruling == RULING_OUTSIDE && verdict->nearest_count)
		unit->use[verdict->nearest[0].row].outside++;
	if (verdict->ruling != RULING_DOCUMENTED)
		return;
	for (unsigned i = 0; i < verdict->row_count; i++) {
		int row = verdict->rows[i];

		for (unsigned mirrored = 0; row >= 0; mirrored++) {
			struct row_use *use = &unit->use[row];

			if (use->flow == facts->id)
				break; /* it fits both the row and its mirror */
			use->flow = facts->id;
			if (verdict->kind != KIND_NONE) {
				use->blocked++;
			} else if (facts->outcome != OUTCOME_ANSWERED) {
				use->unanswered++;
			} else {
				uint64_t *count = verdict->grade == GRADE_EXACT ? &use->exact
				                  : verdict->grade == GRADE_WIDE
				                          ? &use->wide
				                          : &use->unproven;

				(*count)++;
				if (!use->first_us || facts->first_us < use->first_us)
					use->first_us = facts->first_us;
				if (facts->last_us > use->last_us)
					use->last_us = facts->last_us;
			}
			if (mirrored || facts->transport != TRANSPORT_UDP)
				break;
			row = coverage->mirror[row];
		}
	}
}

static int settle_row(const struct coverage *coverage, struct flowdb *db, int row, struct err *err)
{
	return row < 0 ? 0 : flowdb_row_put(db, coverage->policy->rows[row].id, err);
}

int coverage_settle(const struct coverage *coverage, struct flowdb *db, const struct verdict *verdict,
                    struct err *err)
{
	int r = 0;

	if (verdict->ruling == RULING_OUTSIDE && verdict->nearest_count)
		return settle_row(coverage, db, verdict->nearest[0].row, err);
	for (unsigned i = 0; verdict->ruling == RULING_DOCUMENTED && i < verdict->row_count && r >= 0;
	     i++) {
		r = settle_row(coverage, db, verdict->rows[i], err);
		if (r >= 0)
			r = settle_row(coverage, db, coverage->mirror[verdict->rows[i]], err);
	}
	return r;
}
