/*
 * cells.c - see acceptance.h: how a row stands for a unit, from the flows that came near it. Pure: no clock, no
 * file, no database, so that a live run and a report say the same.
 */
#include "monitor/acceptance/acceptance.h"

const char *cell_state_name(enum cell_state state)
{
	static const char *const names[CELL_STATE_COUNT] = {
		[CELL_NOT_EXERCISED] = "not-exercised",
		[CELL_UNDETERMINED] = "undetermined",
		[CELL_OK] = "ok",
		[CELL_OUTSIDE] = "outside",
		[CELL_BLOCKED] = "blocked",
	};

	return (unsigned)state < CELL_STATE_COUNT ? names[state] : NULL;
}

static uint64_t answered(const struct cell *cell)
{
	return cell->exact + cell->unproven + cell->wide;
}

static void count_answered(struct cell *cell, const struct cell_count *count, bool own)
{
	if (own)
		cell->carried = false;
	else if (!answered(cell))
		cell->carried = true;
	if (count->grade == GRADE_EXACT)
		cell->exact += count->flows;
	else if (count->grade == GRADE_WIDE)
		cell->wide += count->flows;
	else
		cell->unproven += count->flows;
	cell->media |= count->media;
	if (!count->media)
		cell->media_unknown += count->flows;
	if (!cell->first_us || count->first_us < cell->first_us)
		cell->first_us = count->first_us;
	if (count->last_us > cell->last_us)
		cell->last_us = count->last_us;
	if (count->flow && (!cell->ok_flow || count->flow < cell->ok_flow))
		cell->ok_flow = count->flow;
}

/* What is wrong with a flow whose row this is; NULL: nothing, or it is for nobody to say. */
static uint64_t *trouble_of(struct cell *cell, const struct cell_count *count)
{
	if (count->ruling == RULING_OUTSIDE)
		return &cell->outside;
	if (count->ruling == RULING_UNDETERMINED)
		return &cell->undetermined;
	if (count->ruling != RULING_DOCUMENTED)
		return NULL;
	switch (count->kind) {
	case KIND_BLOCKED_SILENT:
		return &cell->silent;
	case KIND_BLOCKED_PROHIBITED:
		return &cell->prohibited;
	case KIND_NONE:
		return count->outcome == OUTCOME_ONE_SIDED ? &cell->one_sided
		                                           : &cell->unanswered;
	default:
		return &cell->refused;
	}
}

static void cell_count(struct cell *cell, const struct cell_count *count, bool own)
{
	uint64_t *trouble;

	if (count->ruling == RULING_DOCUMENTED && count->kind == KIND_NONE &&
	    count->outcome == OUTCOME_ANSWERED) {
		count_answered(cell, count, own);
		return;
	}
	trouble = trouble_of(cell, count);
	if (!trouble)
		return;
	*trouble += count->flows;
	if (count->ruling == RULING_UNDETERMINED)
		cell->verdict_whys |= (uint32_t)BIT(count->why);
	if (count->flow && (!cell->flow || count->flow < cell->flow))
		cell->flow = count->flow;
}

static bool is_among(const uint16_t *rows, unsigned count, int row)
{
	for (unsigned i = 0; i < count; i++)
		if (rows[i] == row)
			return true;
	return false;
}

void cells_count(const struct policy *policy, struct cell *cells, const uint16_t *rows,
                 unsigned row_count, const struct cell_count *count)
{
	uint16_t all[2 * ROWS_MAX];
	unsigned own = 0, all_count;

	for (unsigned i = 0; i < row_count && own < ROWS_MAX; i++)
		if (rows[i] < policy->row_count && !is_among(all, own, rows[i]))
			all[own++] = rows[i];
	all_count = own;
	for (unsigned i = 0;
	     i < own && count->ruling == RULING_DOCUMENTED && count->transport == TRANSPORT_UDP;
	     i++) {
		int mirror = row_mirror(policy->rows, policy->row_count, all[i]);

		if (mirror >= 0 && !is_among(all, all_count, mirror))
			all[all_count++] = (uint16_t)mirror;
	}
	for (unsigned i = 0; i < all_count; i++)
		cell_count(&cells[all[i]], count, i < own);
}

static uint8_t best_grade(const struct cell *cell)
{
	return cell->exact      ? GRADE_EXACT
	       : cell->unproven ? GRADE_UNPROVEN
	       : cell->wide     ? GRADE_WIDE
	                        : GRADE_NONE;
}

/* Another row's flow is no proof of this one. */
static uint8_t carried_grade(uint8_t grade)
{
	return grade == GRADE_EXACT ? GRADE_UNPROVEN : grade;
}

/* Who forbids is named, who refuses is there, silence may be anybody's. */
static uint8_t plainest_block(const struct cell *cell)
{
	return cell->prohibited ? KIND_BLOCKED_PROHIBITED
	       : cell->refused  ? KIND_REFUSED
	       : cell->silent   ? KIND_BLOCKED_SILENT
	                        : KIND_NONE;
}

void cell_settle(struct cell *cell)
{
	cell->grade = best_grade(cell);
	cell->blocked = plainest_block(cell);
	cell->whys = (uint8_t)((cell->unanswered ? CELL_WHY_UNANSWERED : 0) |
	                       (cell->one_sided ? CELL_WHY_ONE_SIDED : 0) |
	                       (cell->undetermined ? CELL_WHY_VERDICT : 0));
	cell->state = cell->grade     ? CELL_OK
	              : cell->blocked ? CELL_BLOCKED
	              : cell->outside ? CELL_OUTSIDE
	              : cell->whys    ? CELL_UNDETERMINED
	                              : CELL_NOT_EXERCISED;
	cell->carried &= cell->state == CELL_OK;
	if (cell->carried)
		cell->grade = carried_grade(cell->grade);
	cell->waived = cell->state == CELL_BLOCKED && !cell->unwaived;
	cell->excused = false;
	cell->group = -1;
}

/* ------------------------------------------------------------------ groups */

/* The worse is the greater: what one row alone cannot settle, the others may. */
static unsigned rank_of(const struct group_cell *group)
{
	static const uint8_t ranks[CELL_STATE_COUNT] = {
		[CELL_OK] = 0,           [CELL_BLOCKED] = 1,       [CELL_OUTSIDE] = 2,
		[CELL_UNDETERMINED] = 3, [CELL_NOT_EXERCISED] = 4,
	};

	return ranks[group->state] * 8U + group->grade;
}

/* How far this row carries its group: of a kind of media only by what carried it. */
static struct group_cell row_alone(const struct row_group *group, const struct cell *cell)
{
	struct group_cell one = {.group = group, .state = cell->state, .grade = cell->grade};

	if (cell->state != CELL_OK || group->rule != GROUP_ONE_OF || !group->media ||
	    cell->media & group->media)
		return one;
	one.grade = GRADE_NONE;
	one.media_unknown = cell->media_unknown;
	one.state = one.media_unknown ? CELL_UNDETERMINED : CELL_NOT_EXERCISED;
	return one;
}

static struct group_cell group_settle(const struct policy *policy,
                                      const struct row_group *group, const struct cell *cells)
{
	struct group_cell best = {
		.group = group, .need = NEED_IF_USED, .state = CELL_NOT_EXERCISED};
	uint8_t need = NEED_IF_USED;

	for (unsigned i = 0; i < group->row_count; i++) {
		const struct row *row = &policy->rows[group->rows[i]];
		struct group_cell one = row_alone(group, &cells[group->rows[i]]);
		bool unknown = best.media_unknown || one.media_unknown;

		if (row->need < need)
			need = row->need;
		if (rank_of(&one) < rank_of(&best))
			best = one;
		best.media_unknown = unknown && best.state != CELL_OK;
	}
	best.need = need;
	return best;
}

static void group_mark(const struct policy *policy, const struct group_cell *settled,
                       int16_t at, struct cell *cells)
{
	const struct row_group *group = settled->group;

	if (settled->state != CELL_OK)
		return;
	for (unsigned i = 0; i < group->row_count; i++) {
		struct cell *cell = &cells[group->rows[i]];

		if (cell->state == CELL_OK)
			continue;
		if (group->rule == GROUP_TOGETHER) {
			cell->state = CELL_OK;
			cell->grade = carried_grade(settled->grade);
			cell->carried = true;
			cell->group = at;
		} else if (cell->group < 0) {
			const struct row *row = &policy->rows[group->rows[i]];

			if (row->need_alone)
				continue;
			cell->excused = row->need == NEED_REQUIRED;
			cell->group = at;
		}
	}
}

/* Rows that are ok together first: what one of them carries may excuse others. */
size_t unit_groups(const struct policy *policy, uint32_t profiles, struct cell *cells,
                   struct group_cell *ret)
{
	const struct envelope *envelope = policy->envelope;
	size_t count = 0;

	for (size_t i = 0; i < envelope->group_count; i++)
		if (profiles & BIT(envelope->groups[i].profile))
			ret[count++].group = &envelope->groups[i];
	for (int rule = GROUP_TOGETHER; rule <= GROUP_ONE_OF; rule++)
		for (size_t i = 0; i < count; i++)
			if (ret[i].group->rule == rule) {
				ret[i] = group_settle(policy, ret[i].group, cells);
				group_mark(policy, &ret[i], (int16_t)i, cells);
			}
	return count;
}

static bool in_group(const struct group_cell *groups, size_t count, size_t row)
{
	for (size_t i = 0; i < count; i++)
		if (is_among(groups[i].group->rows, groups[i].group->row_count, (int)row))
			return true;
	return false;
}

static bool is_decided(uint8_t state)
{
	return state == CELL_OK || state == CELL_OUTSIDE || state == CELL_BLOCKED;
}

bool unit_is_decided(const struct policy *policy, uint32_t profiles, const struct cell *cells)
{
	CLEANUP(freep) struct cell *copy = calloc(policy->row_count + 1, sizeof(*copy));
	struct group_cell groups[GROUPS_MAX];
	size_t count;

	if (!copy)
		return false;
	memcpy(copy, cells, policy->row_count * sizeof(*copy));
	count = unit_groups(policy, profiles, copy, groups);
	for (size_t i = 0; i < count; i++)
		if (groups[i].need == NEED_REQUIRED && !is_decided(groups[i].state))
			return false;
	for (size_t i = 0; i < policy->row_count; i++)
		if (policy->rows[i].need == NEED_REQUIRED &&
		    profiles & BIT(policy->rows[i].profile) && !is_decided(copy[i].state) &&
		    (policy->rows[i].need_alone || !in_group(groups, count, i)))
			return false;
	return true;
}
