/*
 * needs.c - see needs.h.
 */
#include "rules/needs.h"

#include "rules/arena.h"
#include "rules/rows.h"

WORDS(ENTRY_KEYS, "need", "reason");

/* What keys may name, in this order: wider before narrower. */
struct names {
	const char **word;
	size_t profiles, groups, rows; /* how many of each */
};

static int read_entry(const struct yaml *map, struct policy *policy, unsigned *ret_need,
                      const char **ret_reason, struct err *err)
{
	const struct yaml *node = NULL;
	const char *text = "";
	int r = yaml_map(map, "a need", &ENTRY_KEYS, err);

	if (r >= 0)
		r = yaml_need(map, "a need", "need", &node, err);
	if (r >= 0)
		r = yaml_word(node, "need", &NEEDS, ret_need, err);
	if (r >= 0)
		r = yaml_need(map, "a need", "reason", &node, err);
	if (r >= 0)
		r = yaml_text(node, &text, err);
	if (r < 0)
		return r;
	*ret_reason = arena_text(policy->arena, text);
	return *ret_reason ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static bool is_meant(const struct policy *policy, const struct names *names, size_t key, size_t row)
{
	const struct row_group *group;

	if (key < names->profiles)
		return policy->rows[row].profile == key;
	key -= names->profiles;
	if (key >= names->groups)
		return row == key - names->groups;
	group = &policy->envelope->groups[key];
	for (unsigned i = 0; i < group->row_count; i++)
		if (group->rows[i] == row)
			return true;
	return false;
}

/* Groups share their names with nobody (groups.c). */
static int check_meaning(const struct yaml *node, const struct policy *policy,
                         const struct names *names, unsigned key, struct err *err)
{
	char shown[SHOWN_MAX];

	if (key >= names->profiles || envelope_find_row(policy->envelope, yaml_key(node)) < 0)
		return 0;
	return yaml_fail_key(node, err,
	                     "'%s' is a profile and a row of this envelope; accepted: names that are one",
	                     text_shown(yaml_key(node), shown));
}

/* Entries whose key is among word[from] to word[to - 1]. */
static int read_some(const struct yaml *map, struct policy *policy, const struct names *names,
                     size_t from, size_t to, struct err *err)
{
	const struct words words = {names->word, names->profiles + names->groups + names->rows};
	int r = 0;

	for (const struct yaml *node = yaml_first(map); node && r >= 0; node = yaml_next(node)) {
		const char *reason = "";
		unsigned key = 0, need = 0;

		r = yaml_key_word(node, "profile, group or row", &words, &key, err);
		if (r >= 0 && (key < from || key >= to))
			continue;
		if (r >= 0)
			r = check_meaning(node, policy, names, key, err);
		if (r >= 0)
			r = read_entry(node, policy, &need, &reason, err);
		for (size_t i = 0; r >= 0 && i < policy->row_count; i++)
			if (is_meant(policy, names, key, i)) {
				policy->rows[i].need = (uint8_t)need;
				policy->rows[i].need_reason = reason;
				policy->rows[i].need_by_site = true;
				policy->rows[i].need_alone =
					need == NEED_REQUIRED &&
					key >= names->profiles + names->groups;
			}
	}
	return r;
}

int needs_read(const struct yaml *map, struct policy *policy, struct err *err)
{
	const struct envelope *envelope = policy->envelope;
	struct names names = {NULL, envelope->profile_count, envelope->group_count,
	                      policy->row_count};
	size_t all = names.profiles + names.groups + names.rows, count = 0;
	CLEANUP(freep) const char **word = calloc(all + 1, sizeof(*word));
	int r = map ? yaml_map(map, "need", NULL, err) : 0;

	if (!word)
		return err_set(err, -ENOMEM, "out of memory");
	if (!map || r < 0)
		return r;
	names.word = word;
	for (size_t i = 0; i < names.profiles; i++)
		word[count++] = envelope->profiles[i].id;
	for (size_t i = 0; i < names.groups; i++)
		word[count++] = envelope->groups[i].id;
	for (size_t i = 0; i < names.rows; i++)
		word[count++] = policy->rows[i].id;
	r = read_some(map, policy, &names, 0, names.profiles, err);
	if (r >= 0)
		r = read_some(map, policy, &names, names.profiles, names.profiles + names.groups, err);
	if (r >= 0)
		r = read_some(map, policy, &names, names.profiles + names.groups, all, err);
	return r;
}
