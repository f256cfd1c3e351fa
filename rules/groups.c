/*
 * groups.c - see groups.h.
 */
#include "rules/groups.h"

#include "rules/arena.h"
#include "rules/form.h"

WORDS(GROUP_KEYS, "id", "decided", "media", "rows", "reason");
static const char *const RULE_LIST[] = {"together", "one-of"};
static const struct words RULES = {RULE_LIST, ARRAY_LEN(RULE_LIST)};

const char *group_rule_name(enum group_rule rule)
{
	return rule < ARRAY_LEN(RULE_LIST) ? RULE_LIST[rule] : "";
}

static int read_id(const struct yaml *map, const struct envelope *envelope,
                   struct row_group *group, struct err *err)
{
	const struct yaml *node = NULL;
	const char *text = "";
	char shown[SHOWN_MAX];
	int r = yaml_need(map, "a group", "id", &node, err);

	if (r >= 0)
		r = yaml_text(node, &text, err);
	if (r < 0)
		return r;
	if (!text_copy(group->id, sizeof(group->id), text))
		return yaml_fail(node, err, "the id of a group has at most %zu characters",
		                 sizeof(group->id) - 1);
	/* They stand in reports side by side, and a site names any of them under `need`. */
	if (envelope_find_row(envelope, text) >= 0 || envelope_find_group(envelope, text) >= 0 ||
	    envelope_find_profile(envelope, text) >= 0)
		return yaml_fail(node, err, "there is a profile, a row or a group '%s' already",
		                 text_shown(text, shown));
	return 0;
}

static int read_rows(const struct yaml *list, const struct envelope *envelope,
                     struct row_group *group, struct err *err)
{
	int r = yaml_list(list, err);

	for (const struct yaml *node = r >= 0 ? yaml_first(list) : NULL; node;
	     node = yaml_next(node)) {
		const char *text = "";
		char shown[SHOWN_MAX];
		int row;

		r = yaml_text(node, &text, err);
		if (r < 0)
			return r;
		row = envelope_find_row(envelope, text);
		if (row < 0 || envelope->rows[row].profile != group->profile)
			return yaml_fail(node, err, "this profile has no row '%s'",
			                 text_shown(text, shown));
		if (group->row_count == GROUP_ROWS_MAX)
			return yaml_fail(node, err, "more than %d rows in a group", GROUP_ROWS_MAX);
		if (group->row_count && row <= group->rows[group->row_count - 1])
			return yaml_fail(node, err, "rows of a group stand in the order of the profile, "
			                            "each once");
		group->rows[group->row_count++] = (uint16_t)row;
	}
	if (r >= 0 && group->row_count < 2)
		return yaml_fail(list, err, "a group has two rows at least");
	return r;
}

/* A flow says one thing of its row: where rows are one on the wire no second group can say another. */
static int check_together(const struct yaml *node, const struct envelope *envelope,
                          const struct row_group *group, struct err *err)
{
	for (size_t i = 0; i < envelope->group_count; i++)
		for (unsigned k = 0; k < envelope->groups[i].row_count; k++)
			for (unsigned j = 0; j < group->row_count; j++)
				if (envelope->groups[i].rows[k] == group->rows[j] &&
				    (group->rule == GROUP_TOGETHER ||
				     envelope->groups[i].rule == GROUP_TOGETHER))
					return yaml_fail(
						node, err,
						"%s is in group '%s' already; a row that is decided together "
						"with others is in no second group",
						envelope->rows[group->rows[j]].id, envelope->groups[i].id);
	return 0;
}

static int read_group(const struct yaml *map, struct envelope *envelope, struct row_group *group,
                      struct err *err)
{
	const struct yaml *node = NULL;
	const char *reason = "";
	unsigned rule = 0;
	int r = yaml_map(map, "a group", &GROUP_KEYS, err);

	if (r >= 0)
		r = read_id(map, envelope, group, err);
	if (r >= 0)
		r = yaml_need(map, "a group", "decided", &node, err);
	if (r >= 0)
		r = yaml_word(node, "way to decide", &RULES, &rule, err);
	group->rule = (uint8_t)rule;
	if (r >= 0 && (node = yaml_get(map, "media"))) {
		r = value_media(node, &group->media, err);
		if (r >= 0 && group->rule == GROUP_TOGETHER)
			return yaml_fail_key(node, err,
			                     "media is for groups that are decided one-of");
	}
	if (r >= 0)
		r = yaml_need(map, "a group", "rows", &node, err);
	if (r >= 0)
		r = read_rows(node, envelope, group, err);
	if (r >= 0)
		r = check_together(node, envelope, group, err);
	if (r >= 0)
		r = yaml_need(map, "a group", "reason", &node, err);
	if (r >= 0)
		r = yaml_text(node, &reason, err);
	if (r < 0)
		return r;
	group->reason = arena_text(envelope->arena, reason);
	return group->reason ? 0 : err_set(err, -ENOMEM, "out of memory");
}

int groups_read(const struct yaml *list, struct envelope *envelope, struct err *err)
{
	int r = list ? yaml_list(list, err) : 0;

	for (const struct yaml *node = list && r >= 0 ? yaml_first(list) : NULL; node;
	     node = yaml_next(node)) {
		struct row_group group = {.profile = (uint8_t)(envelope->profile_count - 1)};

		if (envelope->group_count == GROUPS_MAX)
			return yaml_fail(node, err, "more than %d groups", GROUPS_MAX);
		r = read_group(node, envelope, &group, err);
		if (r < 0)
			return r;
		envelope->groups[envelope->group_count++] = group;
	}
	return r;
}
