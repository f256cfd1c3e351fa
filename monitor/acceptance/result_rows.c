/*
 * result_rows.c - see result_parts.h: how far what is required, rows and groups of rows, falls short, and of whom. Pure, as
 * result.c is.
 */
#include "monitor/acceptance/result_parts.h"

void names_add(struct names *names, const char *name)
{
	if (names->count++ < NAMED_MAX)
		text_add(names->text, sizeof(names->text), "%s%.*s", *names->text ? ", " : "",
		         UNIT_NAME_MAX - 1, name);
}

void names_put(const struct names *names, char *buf, size_t size)
{
	text_add(buf, size, "%s", names->text);
	if (names->count > NAMED_MAX)
		text_add(buf, size, " and %zu more", names->count - NAMED_MAX);
}

/* ------------------------------------------------- rows and groups of a unit */

/* How something required falls short; in the order in which it is told. */
enum lack {
	LACK_BLOCKED,
	LACK_REMOVED, /* blocked in what is left; it may have worked in what is gone */
	LACK_OUTSIDE,
	LACK_UNDETERMINED,
	LACK_MEDIA, /* of a group: a row works, and nobody can tell what it carried */
	LACK_IDLE,
	LACK_NOTHING
};

static enum lack lack_of(uint8_t state)
{
	switch (state) {
	case CELL_OK:
		return LACK_NOTHING;
	case CELL_BLOCKED:
		return LACK_BLOCKED;
	case CELL_OUTSIDE:
		return LACK_OUTSIDE;
	case CELL_UNDETERMINED:
		return LACK_UNDETERMINED;
	default:
		return LACK_IDLE;
	}
}

static const struct group_cell *find_group(const struct acceptance_unit *unit,
                                           const struct row_group *group)
{
	for (size_t i = 0; i < unit->group_count; i++)
		if (unit->groups[i].group == group)
			return &unit->groups[i];
	return NULL;
}

/* Its blocked rows are waived, all of them: it is as the others are that were tried. */
static enum lack waived_lack(const struct policy *policy, const struct acceptance_unit *unit,
                             const struct group_cell *settled)
{
	const struct row_group *group = settled->group;
	enum lack worst = LACK_NOTHING;

	for (unsigned i = 0; i < group->row_count; i++) {
		const struct cell *cell = &unit->cells[group->rows[i]];
		enum lack lack = lack_of(cell->state);

		if (cell->applies && policy->rows[group->rows[i]].need == NEED_REQUIRED &&
		    (lack == LACK_OUTSIDE || lack == LACK_UNDETERMINED) && lack < worst)
			worst = lack;
	}
	return worst == LACK_NOTHING && settled->media_unknown ? LACK_MEDIA : worst;
}

static enum lack group_lack(const struct policy *policy, const struct acceptance_unit *unit,
                            const struct row_group *group)
{
	const struct group_cell *settled = find_group(unit, group);
	bool waived = true;

	if (!settled || settled->need != NEED_REQUIRED)
		return LACK_NOTHING;
	for (unsigned i = 0; i < group->row_count; i++) {
		const struct cell *cell = &unit->cells[group->rows[i]];

		waived &= cell->state != CELL_BLOCKED || cell->waived;
	}
	if (settled->state == CELL_BLOCKED && waived)
		return waived_lack(policy, unit, settled);
	if (settled->state == CELL_UNDETERMINED && settled->media_unknown)
		return LACK_MEDIA;
	return lack_of(settled->state);
}

static bool is_grouped(const struct policy *policy, size_t row)
{
	for (size_t i = 0; i < policy->envelope->group_count; i++)
		for (unsigned k = 0; k < policy->envelope->groups[i].row_count; k++)
			if (policy->envelope->groups[i].rows[k] == row)
				return true;
	return false;
}

/* A row of a group stands or falls with it. */
static enum lack row_lack(const struct policy *policy, const struct acceptance_unit *unit,
                          size_t row)
{
	const struct cell *cell = &unit->cells[row];

	if (!cell->applies || policy->rows[row].need != NEED_REQUIRED || cell->waived ||
	    (is_grouped(policy, row) && !policy->rows[row].need_alone))
		return LACK_NOTHING;
	return lack_of(cell->state);
}

/* Rows and groups are counted through: groups first. */
static size_t thing_count(const struct policy *policy)
{
	return policy->envelope->group_count + policy->row_count;
}

static enum lack thing_lack(const struct acceptance *a, const struct acceptance_unit *unit,
                            size_t thing)
{
	const struct policy *policy = a->policy;
	size_t groups = policy->envelope->group_count;
	enum lack lack = thing < groups
	                         ? group_lack(policy, unit, &policy->envelope->groups[thing])
	                         : row_lack(policy, unit, thing - groups);

	return lack == LACK_BLOCKED && a->blind_causes & BIT(BLIND_REMOVED) ? LACK_REMOVED
	                                                                    : lack;
}

/* "room.out.dns", "audio by one of online.out.audio, online.out.relay_udp" */
static void add_thing(const struct policy *policy, size_t thing, char *buf, size_t size)
{
	const struct envelope *envelope = policy->envelope;
	const struct row_group *group;

	if (thing >= envelope->group_count) {
		text_add(buf, size, "%s", policy->rows[thing - envelope->group_count].id);
		return;
	}
	group = &envelope->groups[thing];
	if (group->rule == GROUP_ONE_OF && group->media)
		text_add(buf, size, "%s by ",
		         media_name(group->media) ? media_name(group->media) : "media");
	text_add(buf, size, "%s", group->rule == GROUP_ONE_OF ? "one of " : "");
	for (unsigned i = 0; i < group->row_count; i++)
		text_add(buf, size, "%s%s",
		         !i                              ? ""
		         : group->rule == GROUP_TOGETHER ? " or "
		                                         : ", ",
		         policy->rows[group->rows[i]].id);
}

static const char *lack_words(enum lack lack)
{
	static const char *const words[] = {
		[LACK_BLOCKED] = "is blocked",
		[LACK_REMOVED] =
			"is blocked in what is left, and may have worked in what was removed",
		[LACK_OUTSIDE] = "was not seen to work: only flows outside of it",
		[LACK_UNDETERMINED] = "was tried, and nobody can say that it works",
		[LACK_MEDIA] =
			"was not seen: one of them works, and nobody can tell what it carried",
		[LACK_IDLE] = "was not exercised",
	};

	return words[lack];
}

static int add_lacks(struct acceptance *a, size_t thing, enum lack lack, struct err *err)
{
	struct names names = {0};
	char text[REASON_TEXT] = "required: ";

	for (size_t i = 0; i < a->unit_count; i++)
		if (a->units[i].seen && thing_lack(a, &a->units[i], thing) == lack)
			names_add(&names, a->units[i].name);
	if (!names.count)
		return 0;
	add_thing(a->policy, thing, text, sizeof(text));
	text_add(text, sizeof(text), " %s%s: ", lack_words(lack),
	         lack == LACK_UNDETERMINED && a->blind_causes & BIT(BLIND_ONE_SIDED)
	                 ? ", for the mirror showed one direction"
	                 : "");
	names_put(&names, text, sizeof(text));
	return result_reason(a, lack == LACK_BLOCKED ? NOT_ACCEPTED : ACCEPTANCE_UNDETERMINED,
	                  SEVERITY_NONE, text, err);
}

int result_blocked(struct acceptance *a, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < thing_count(a->policy) && r >= 0; i++)
		r = add_lacks(a, i, LACK_BLOCKED, err);
	return r;
}

int result_open(struct acceptance *a, struct err *err)
{
	int r = 0;

	for (enum lack lack = LACK_REMOVED; lack < LACK_NOTHING; lack++)
		for (size_t i = 0; i < thing_count(a->policy) && r >= 0; i++)
			r = add_lacks(a, i, lack, err);
	return r;
}

bool result_unit_blocked(const struct acceptance *a, struct acceptance_unit *unit)
{
	bool blocked = false;

	unit->idle_required = 0;
	for (size_t i = 0; i < thing_count(a->policy); i++) {
		enum lack lack = thing_lack(a, unit, i);

		blocked |= lack == LACK_BLOCKED;
		unit->idle_required += lack != LACK_BLOCKED && lack != LACK_NOTHING;
	}
	return blocked;
}
