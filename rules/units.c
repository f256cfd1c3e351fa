/*
 * units.c - see units.h.
 */
#include "rules/units.h"

#include "rules/folder.h"
#include "rules/form.h"

#define NAME_LEN_MAX 63 /* with "/" and an address it stays below UNIT_NAME_MAX */

WORDS(UNIT_KEYS, "name", "addresses", "macs", "profiles");

void unit_list_release(struct unit_list *list)
{
	free(list->claims);
	list->claims = NULL;
	list->claim_count = list->claim_room = 0;
}

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

void profile_words(const struct envelope *envelope, struct profile_words *ret_words)
{
	for (size_t i = 0; i < envelope->profile_count; i++)
		ret_words->word[i] = envelope->profiles[i].id;
	ret_words->words = (struct words){ret_words->word, envelope->profile_count};
}

static int claim(struct unit_list *list, const struct claim *claim, struct err *err)
{
	if (array_reserve(&list->claims, &list->claim_room, list->claim_count + 1,
	                  sizeof(*claim)) < 0)
		return no_memory(err);
	list->claims[list->claim_count] = *claim;
	list->claims[list->claim_count++].unit = (uint32_t)(list->policy->unit_count - 1);
	return 0;
}

int unit_begin(struct unit_list *list, const struct text_file *source, size_t offset,
               size_t width, unsigned line, const char *name, struct err *err)
{
	struct claim named = {
		.kind = CLAIM_NAME, .source = source, .offset = offset, .width = width};
	struct policy *policy = list->policy;
	struct unit_rule *unit;
	char shown[SHOWN_MAX];

	if (source && !name[strspn(name, " ")])
		return text_file_fail(source, offset, width, err, -EINVAL,
		                      "a unit needs a name");
	if (source && (!text_is_plain(name) || strpbrk(name, "/,")))
		return text_file_fail(
			source, offset, width, err, -EINVAL,
			"'%s' is no name of a unit; accepted: letters, digits, blanks "
			"and signs other than / and ,",
			text_shown(name, shown));
	if (strlen(name) > NAME_LEN_MAX)
		return text_file_fail(source, offset, width, err, -EINVAL,
		                      "the name of a unit has at most %d bytes", NAME_LEN_MAX);
	if (policy->unit_count == UNITS_MAX)
		return source ? text_file_fail(source, offset, width, err, -E2BIG,
		                               "more than %d units", UNITS_MAX)
		              : err_set(err, -E2BIG, "--unit %s: more than %d units", name,
		                        UNITS_MAX);
	if (array_reserve(&policy->units, &list->room, policy->unit_count + 1, sizeof(*unit)) <
	    0)
		return no_memory(err);
	unit = &policy->units[policy->unit_count++];
	unit->name = arena_text(policy->arena, name);
	unit->file = source ? arena_text(policy->arena, source->name) : "--unit";
	unit->line = line;
	if (!unit->name || !unit->file)
		return no_memory(err);
	return claim(list, &named, err);
}

int unit_claim_prefix(struct unit_list *list, const struct text_file *source, size_t offset,
                      size_t width, const struct prefix *prefix, struct err *err)
{
	struct claim claimed = {.kind = CLAIM_PREFIX,
	                        .source = source,
	                        .offset = offset,
	                        .width = width,
	                        .prefix = *prefix};
	struct unit_rule *unit = &list->policy->units[list->policy->unit_count - 1];

	unit->many = unit->many || !prefix_is_host(prefix);
	return claim(list, &claimed, err);
}

int unit_claim_mac(struct unit_list *list, const struct text_file *source, size_t offset,
                   size_t width, const struct mac *mac, struct err *err)
{
	struct claim claimed = {.kind = CLAIM_MAC,
	                        .source = source,
	                        .offset = offset,
	                        .width = width,
	                        .mac = *mac};

	return claim(list, &claimed, err);
}

static int read_addresses(const struct yaml *node, struct unit_list *list, struct err *err)
{
	int r = yaml_list(node, err);

	for (const struct yaml *item = yaml_first(node); r >= 0 && item;
	     item = yaml_next(item)) {
		struct place place = yaml_place(item);
		struct prefix prefix = {.bits = 0};

		r = value_prefix(item, &prefix, err);
		if (r >= 0)
			r = unit_claim_prefix(list, place.source, place.offset, place.width,
			                      &prefix, err);
	}
	return r;
}

static int read_macs(const struct yaml *node, struct unit_list *list, struct err *err)
{
	int r = yaml_list(node, err);

	for (const struct yaml *item = yaml_first(node); r >= 0 && item;
	     item = yaml_next(item)) {
		struct place place = yaml_place(item);
		char shown[SHOWN_MAX];
		const char *text = "";
		struct mac mac;

		r = yaml_text(item, &text, err);
		if (r >= 0 && mac_parse(text, &mac) < 0)
			return yaml_fail(item, err,
			                 "'%s' is no MAC address; accepted: 00:26:8c:01:02:03",
			                 text_shown(text, shown));
		if (r >= 0)
			r = unit_claim_mac(list, place.source, place.offset, place.width, &mac,
			                   err);
	}
	return r;
}

static int read_profiles(const struct yaml *node, struct unit_list *list, struct err *err)
{
	struct unit_rule *unit = &list->policy->units[list->policy->unit_count - 1];
	struct profile_words accepted;
	char offer[1024];
	int r = yaml_list(node, err);

	profile_words(list->policy->envelope, &accepted);
	if (r >= 0 && !yaml_first(node))
		return yaml_fail_key(node, err, "a unit needs one profile at least; %s",
		                     words_offer(&accepted.words, "", offer, sizeof(offer)));
	for (const struct yaml *item = yaml_first(node); r >= 0 && item;
	     item = yaml_next(item)) {
		unsigned profile = 0;

		r = yaml_word(item, "profile", &accepted.words, &profile, err);
		if (r >= 0)
			unit->profiles |= (uint32_t)1 << profile;
	}
	return r;
}

static int read_unit(const struct yaml *node, struct unit_list *list, struct err *err)
{
	const struct yaml *name = NULL, *profiles = NULL, *addresses, *macs;
	const char *text = "";
	struct place place;
	int r = yaml_map(node, "a unit", &UNIT_KEYS, err);

	if (r >= 0)
		r = yaml_need(node, "a unit", "name", &name, err);
	if (r >= 0)
		r = yaml_text(name, &text, err);
	if (r < 0)
		return r;
	place = yaml_place(name);
	r = unit_begin(list, place.source, place.offset, place.width, yaml_line(name), text,
	               err);
	addresses = yaml_get(node, "addresses");
	macs = yaml_get(node, "macs");
	if (r >= 0 && (!addresses || !yaml_first(addresses)) && (!macs || !yaml_first(macs)))
		if (!addresses || yaml_list(addresses, err) >= 0)
			return yaml_fail(name, err, "a unit needs 'addresses' or 'macs'");
	if (r >= 0 && addresses)
		r = read_addresses(addresses, list, err);
	if (r >= 0 && macs)
		r = read_macs(macs, list, err);
	if (r >= 0)
		r = yaml_need(node, "a unit", "profiles", &profiles, err);
	if (r >= 0)
		r = read_profiles(profiles, list, err);
	return r;
}

int units_read(const struct yaml *node, struct unit_list *list, struct err *err)
{
	int r = yaml_list(node, err);

	for (const struct yaml *item = yaml_first(node); r >= 0 && item; item = yaml_next(item))
		r = read_unit(item, list, err);
	return r;
}

int units_add_word(struct unit_list *list, const char *word, uint32_t profiles, struct err *err)
{
	struct prefix prefix = {.bits = 0};
	char shown[SHOWN_MAX];
	struct unit_rule *unit;
	struct mac mac;
	bool is_mac = !mac_parse(word, &mac);
	int r;

	if (!is_mac && prefix_parse(word, &prefix) < 0)
		return err_set(
			err, -EINVAL,
			"--unit %s: no address, prefix or MAC; accepted: 192.168.1.6, 10.20.8.0/22, "
			"2001:db8::15, 00:26:8c:01:02:03",
			text_shown(word, shown));
	r = unit_begin(list, NULL, 0, 0, 0, word, err);
	if (r < 0)
		return r;
	unit = &list->policy->units[list->policy->unit_count - 1];
	unit->profiles = profiles;
	unit->unnamed = !is_mac && !prefix_is_host(&prefix);
	return is_mac ? unit_claim_mac(list, NULL, 0, 0, &mac, err)
	              : unit_claim_prefix(list, NULL, 0, 0, &prefix, err);
}

/* Two units claim the same: says so at the later place and names the earlier one. */
static int say_clash(const struct unit_list *list, const struct claim *a, const struct claim *b,
                     const char *what, struct err *err)
{
	const struct claim *early = a < b ? a : b, *late = a < b ? b : a;
	const struct unit_rule *first = &list->policy->units[early->unit];
	const struct unit_rule *second = &list->policy->units[late->unit];
	char one[160], where[SHOWN_MAX], early_text[PREFIX_TEXT] = "",
					 late_text[PREFIX_TEXT] = "";

	if (early->kind == CLAIM_PREFIX) {
		prefix_print(&early->prefix, early_text);
		prefix_print(&late->prefix, late_text);
	} else if (early->kind == CLAIM_MAC) {
		mac_print(&early->mac, early_text);
		mac_print(&late->mac, late_text);
	}
	if (early->source)
		snprintf(where, sizeof(where), "line %u of %s", first->line,
		         file_name(first->file));
	else
		snprintf(where, sizeof(where), "the command line");
	if (early->kind == CLAIM_NAME)
		snprintf(one, sizeof(one), "'%s' is the name of two units", second->name);
	else
		snprintf(one, sizeof(one), "%s: %s of '%s' and %s of '%s'", what, late_text,
		         second->name, early_text, first->name);
	if (!late->source)
		return err_set(err, -EINVAL, "--unit %s: %s, first in %s", second->name, one,
		               where);
	return text_file_fail(late->source, late->offset, late->width, err, -EINVAL,
	                      "%s, first in %s", one, where);
}

static int index_prefixes(struct unit_list *list, struct err *err)
{
	struct policy *policy = list->policy;
	struct prefix_index *index = &policy->unit_prefixes;

	if (prefix_index_init(index, policy->arena, list->claim_count) < 0)
		return no_memory(err);
	for (size_t i = 0; i < list->claim_count; i++)
		if (list->claims[i].kind == CLAIM_PREFIX)
			prefix_index_add(index, &list->claims[i].prefix, (uint32_t)i);
	prefix_index_sort(index);
	for (size_t i = 0; i < index->count; i++) {
		const struct claim *mine = &list->claims[index->entries[i].value], *wider;

		if (index->entries[i].parent < 0)
			continue;
		wider = &list->claims[index->entries[index->entries[i].parent].value];
		if (wider->unit != mine->unit)
			return say_clash(list, mine, wider, "overlapping units", err);
	}
	for (size_t i = 0; i < index->count; i++)
		index->entries[i].value = list->claims[index->entries[i].value].unit;
	return 0;
}

static int compare_macs(const void *a, const void *b)
{
	const struct mac_entry *x = a, *y = b;
	int order = memcmp(&x->mac, &y->mac, sizeof(x->mac));

	return order ? order : (x->unit > y->unit) - (x->unit < y->unit);
}

static int index_macs(struct unit_list *list, struct err *err)
{
	struct policy *policy = list->policy;

	policy->macs = arena_take(policy->arena, list->claim_count * sizeof(*policy->macs));
	if (!policy->macs)
		return no_memory(err);
	for (size_t i = 0; i < list->claim_count; i++)
		if (list->claims[i].kind == CLAIM_MAC)
			policy->macs[policy->mac_count++] =
				(struct mac_entry){list->claims[i].mac, (uint32_t)i};
	if (policy->mac_count)
		qsort(policy->macs, policy->mac_count, sizeof(*policy->macs), compare_macs);
	for (size_t i = 1; i < policy->mac_count; i++) {
		const struct claim *a = &list->claims[policy->macs[i - 1].unit];
		const struct claim *b = &list->claims[policy->macs[i].unit];

		if (mac_equal(&a->mac, &b->mac) && a->unit != b->unit)
			return say_clash(list, a, b, "one MAC, two units", err);
	}
	for (size_t i = 0; i < policy->mac_count; i++)
		policy->macs[i].unit = list->claims[policy->macs[i].unit].unit;
	return 0;
}

static int compare_names(const void *a, const void *b, void *context)
{
	const struct unit_list *list = context;
	const uint32_t *x = a, *y = b;
	int order = strcmp(list->policy->units[list->claims[*x].unit].name,
	                   list->policy->units[list->claims[*y].unit].name);

	return order ? order : (*x > *y) - (*x < *y);
}

static int check_names(struct unit_list *list, struct err *err)
{
	CLEANUP(freep) uint32_t *names = calloc(list->claim_count + 1, sizeof(*names));
	size_t count = 0;

	if (!names)
		return no_memory(err);
	for (size_t i = 0; i < list->claim_count; i++)
		if (list->claims[i].kind == CLAIM_NAME)
			names[count++] = (uint32_t)i;
	qsort_r(names, count, sizeof(*names), compare_names, list);
	for (size_t i = 1; i < count; i++) {
		const struct claim *a = &list->claims[names[i - 1]],
				   *b = &list->claims[names[i]];

		if (!strcmp(list->policy->units[a->unit].name,
		            list->policy->units[b->unit].name))
			return say_clash(list, a, b, "", err);
	}
	return 0;
}

/* Each unit's own arrays, cut out of one. */
static int give_claims(struct unit_list *list, struct err *err)
{
	struct policy *policy = list->policy;
	struct prefix *prefixes =
		arena_take(policy->arena, list->claim_count * sizeof(*prefixes));
	struct mac *macs = arena_take(policy->arena, list->claim_count * sizeof(*macs));

	if (!prefixes || !macs)
		return no_memory(err);
	for (size_t i = 0; i < list->claim_count; i++) { /* claims of one unit stand together */
		const struct claim *claimed = &list->claims[i];
		struct unit_rule *unit = &policy->units[claimed->unit];

		if (claimed->kind == CLAIM_PREFIX) {
			unit->prefixes = unit->prefix_count ? unit->prefixes : prefixes;
			unit->prefix_count++;
			*prefixes++ = claimed->prefix;
		} else if (claimed->kind == CLAIM_MAC) {
			unit->macs = unit->mac_count ? unit->macs : macs;
			unit->mac_count++;
			*macs++ = claimed->mac;
		}
	}
	return 0;
}

int units_index(struct unit_list *list, struct err *err)
{
	int r = check_names(list, err);

	if (r >= 0)
		r = index_prefixes(list, err);
	if (r >= 0)
		r = index_macs(list, err);
	return r < 0 ? r : give_claims(list, err);
}
