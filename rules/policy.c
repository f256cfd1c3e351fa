/*
 * policy.c - see policy.h. Loading goes: envelope, site file, words of --unit, then what follows from
 * them: options and narrowed rows, holders, lookups, waivers, the hash.
 */
#include "rules/policy.h"

#include "rules/expected.h"
#include "rules/holders.h"
#include "rules/recorded.h"
#include "rules/site.h"

void policy_free(struct policy *policy)
{
	if (!policy)
		return;
	envelope_free(policy->owned_envelope);
	free(policy->units);
	free(policy->site_text);
	arena_free(policy->arena);
	free(policy);
}

void policy_freep(struct policy **policy)
{
	policy_free(*policy);
	*policy = NULL;
}

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

int policy_parse_profiles(const struct envelope *envelope, const char *words,
                          uint32_t *ret_mask, struct err *err)
{
	CLEANUP(freep) char *copy = strdup(words);
	char *rest = copy, *part, *word, shown[SHOWN_MAX], offer[1024];
	struct profile_words accepted;
	uint32_t mask = 0;

	if (!copy)
		return no_memory(err);
	profile_words(envelope, &accepted);
	while ((part = strsep(&rest, ","))) {
		bool empty = true;

		while ((word = strsep(&part, " \t"))) {
			int profile = envelope_find_profile(envelope, word);

			if (!*word)
				continue;
			if (profile < 0)
				return err_set(err, -EINVAL,
				               "--profile: unknown profile '%s'; %s",
				               text_shown(word, shown),
				               words_offer(&accepted.words, word, offer,
				                           sizeof(offer)));
			mask |= (uint32_t)1 << profile;
			empty = false;
		}
		if (empty && strchr(words, ','))
			return err_set(err, -EINVAL,
			               "--profile: '%s' has a comma without a word; %s",
			               text_shown(words, shown),
			               words_offer(&accepted.words, "", offer, sizeof(offer)));
	}
	if (!mask)
		return err_set(err, -EINVAL, "--profile: names none; %s",
		               words_offer(&accepted.words, "", offer, sizeof(offer)));
	*ret_mask = mask;
	return 0;
}

static int take_envelope(const struct policy_args *args, struct policy *policy, struct err *err)
{
	const struct envelope *envelope;
	int r;

	if (args->envelope) {
		policy->envelope = args->envelope;
	} else {
		r = args->recorded_envelope
		            ? envelope_of_text(args->recorded_envelope, &policy->owned_envelope, err)
		            : envelope_load(args->envelope_path, &policy->owned_envelope, err);
		if (r < 0)
			return r;
		policy->envelope = policy->owned_envelope;
	}
	envelope = policy->envelope;
	policy->row_count = envelope->row_count;
	policy->rows = arena_take(policy->arena, policy->row_count * sizeof(*policy->rows));
	policy->row_narrowed =
		arena_take(policy->arena, policy->row_count * sizeof(*policy->row_narrowed));
	if (!policy->rows || !policy->row_narrowed)
		return no_memory(err);
	memcpy(policy->rows, envelope->rows, policy->row_count * sizeof(*policy->rows));
	memcpy(policy->endpoints_date, envelope->endpoints_date,
	       sizeof(policy->endpoints_date));
	return 0;
}

static int add_words(const struct policy_args *args, struct site_loading *loading,
                     struct err *err)
{
	uint32_t profiles = 0;
	int r = 0;

	if (args->profiles)
		r = policy_parse_profiles(loading->policy->envelope, args->profiles, &profiles,
		                          err);
	if (r >= 0 && args->unit_count && !profiles)
		return err_set(err, -EINVAL,
		               "--unit needs --profile: which rows hold for it? For instance "
		               "--profile room,online");
	for (size_t i = 0; r >= 0 && i < args->unit_count; i++) {
		recorded_put_unit(loading->text, args->units[i], args->profiles);
		r = units_add_word(&loading->units, args->units[i], profiles, err);
	}
	return r;
}

/* The same of a policy that was recorded. */
static int add_recorded_words(const char *words, struct site_loading *loading, struct err *err)
{
	char who[128], profiles[512];
	int r;

	while ((r = recorded_next_unit(&words, who, sizeof(who), profiles, sizeof(profiles), err)) >
	       0) {
		const char *const unit[] = {who};
		const struct policy_args args = {.units = unit, .unit_count = 1, .profiles = profiles};

		r = add_words(&args, loading, err);
		if (r < 0)
			break;
	}
	return r;
}

/* Of each row those readings stay that hold under the site's options. */
static void apply_options(struct policy *policy, uint8_t options)
{
	policy->nat = options & BIT(OPTION_NAT);
	policy->strict_relay_ports = options & BIT(OPTION_STRICT_RELAY_PORTS);
	policy->allow_vbss = options & BIT(OPTION_ALLOW_VBSS);
	for (size_t i = 0; i < policy->row_count; i++) {
		struct row *row = &policy->rows[i];
		bool instead = false;
		unsigned kept = 0;

		for (unsigned f = 0; f < row->form_count; f++)
			instead = instead ||
			          (row->form[f].instead && (options & BIT(row->form[f].when)));
		for (unsigned f = 0; f < row->form_count; f++)
			if (row->form[f].instead == instead &&
			    (!row->form[f].when || (options & BIT(row->form[f].when))))
				row->form[kept++] = row->form[f];
		row->form_count = kept;
	}
}

static int take_hash(struct policy *policy, struct site_loading *loading, size_t *text_len,
                     struct err *err)
{
	const struct envelope *envelope = policy->envelope;
	CLEANUP(freep) char *all = NULL;
	int failed = fclose(TAKE(loading->text));

	if (failed)
		return no_memory(err);
	all = malloc(envelope->text_len + *text_len + 1);
	if (!all)
		return no_memory(err);
	memcpy(all, envelope->text, envelope->text_len);
	memcpy(all + envelope->text_len, policy->site_text, *text_len);
	digest_hex(all, envelope->text_len + *text_len, policy->hash);
	return 0;
}

static void loading_release(struct site_loading *loading)
{
	unit_list_release(&loading->units);
	yaml_free(loading->file);
	text_file_release(&loading->rooms);
	folder_release(&loading->recorded);
	fclosep(&loading->text);
}

static int read_site(const struct policy_args *args, struct site_loading *loading,
                     struct err *err)
{
	int r;

	if (args->recorded_site) {
		const struct folder *recorded = &loading->recorded;

		r = recorded_read(args->recorded_site, &loading->recorded, &loading->words, err);
		if (r < 0 || !recorded->count)
			return r;
		loading->recorded_used = 1;
		r = yaml_read(recorded->files[0].name, recorded->files[0].text,
		              recorded->files[0].len, &loading->file, err);
		return r < 0 ? r : site_read(loading, err);
	}
	if (!args->site_path)
		return 0;
	if (args->site_text)
		r = yaml_read(args->site_path, args->site_text, args->site_text_len,
		              &loading->file, err);
	else
		r = yaml_open(args->site_path, &loading->file, err);
	return r < 0 ? r : site_read(loading, err);
}

int policy_load(const struct policy_args *args, struct policy **ret_policy, struct err *err)
{
	CLEANUP(policy_freep) struct policy *policy = calloc(1, sizeof(*policy));
	CLEANUP(loading_release)
	struct site_loading loading = {
		.policy = policy, .units.policy = policy, .from_record = args->recorded_site != NULL};
	size_t text_len = 0;
	int r;

	if (!policy || !(policy->arena = arena_new()))
		return no_memory(err);
	policy->site_name = arena_text(policy->arena, "");
	loading.text = open_memstream(&policy->site_text, &text_len);
	if (!policy->site_name || !loading.text)
		return no_memory(err);
	r = take_envelope(args, policy, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < policy->envelope->role_count; i++)
		loading.endpoints[i] = policy->envelope->roles[i].endpoint;
	r = read_site(args, &loading, err);
	if (r >= 0)
		r = args->recorded_site ? add_recorded_words(loading.words, &loading, err)
		                        : add_words(args, &loading, err);
	if (r >= 0)
		r = units_index(&loading.units, err);
	if (r < 0)
		return r;
	apply_options(policy, loading.options);
	if (loading.file)
		r = site_narrow(&loading, err);
	if (r >= 0)
		r = holders_build(&loading, err);
	if (r >= 0 && loading.file)
		r = site_waivers(&loading, err);
	if (r >= 0)
		r = take_hash(policy, &loading, &text_len, err);
	if (r < 0)
		return r;
	if (expected_build(policy) < 0)
		return no_memory(err);
	*ret_policy = TAKE(policy);
	return 0;
}

static const struct unit_rule *find_mac(const struct policy *policy, const struct mac *mac)
{
	size_t low = 0, high = policy->mac_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = memcmp(&policy->macs[middle].mac, mac, sizeof(*mac));

		if (!order)
			return &policy->units[policy->macs[middle].unit];
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return NULL;
}

const struct unit_rule *policy_find_unit(const struct policy *policy, const struct addr *addr,
                                         const struct mac *mac)
{
	const struct unit_rule *unit = mac ? find_mac(policy, mac) : NULL;
	const struct prefix_entry *entry = NULL;

	if (unit)
		return unit;
	if (addr)
		entry = prefix_index_find(&policy->unit_prefixes, addr);
	if (entry && (addr_is_unspecified(addr) || addr_is_multicast(addr)) &&
	    !prefix_is_host(&entry->prefix))
		return NULL; /* within a prefix it is no host */
	return entry ? &policy->units[entry->value] : NULL;
}

const char *unit_name(const struct unit_rule *rule, const struct addr *addr, char *buf,
                      size_t size)
{
	char text[ADDR_TEXT];

	if (rule->unnamed)
		snprintf(buf, size, "%s", addr_print(addr, text));
	else if (rule->many)
		snprintf(buf, size, "%s/%s", rule->name, addr_print(addr, text));
	else
		snprintf(buf, size, "%s", rule->name);
	return buf;
}

bool policy_looks_like_unit(const struct policy *policy, const struct mac *mac,
                            const char *name)
{
	const struct envelope *envelope = policy->envelope;

	for (size_t i = 0; mac && i < envelope->oui_count; i++)
		if (!memcmp(mac->b, envelope->ouis[i].b, 3))
			return true;
	for (size_t i = 0; name && *name && i < envelope->unit_name_count; i++)
		if (name_fits(envelope->unit_names[i], name))
			return true;
	return false;
}

void policy_roles_unknown(const struct policy *policy, char *buf, size_t size)
{
	uint32_t profiles = 0, wanted = 0;

	*buf = '\0';
	for (size_t i = 0; i < policy->unit_count; i++)
		profiles |= policy->units[i].profiles;
	for (size_t i = 0; i < policy->row_count; i++)
		for (unsigned f = 0; f < policy->rows[i].form_count; f++)
			if (profiles & BIT(policy->rows[i].profile))
				wanted |= policy->rows[i].form[f].peers;
	for (size_t i = 0; i < policy->envelope->role_count; i++) {
		const struct role *role = &policy->envelope->roles[i];
		const struct role_holders *holders = &policy->holders[i];

		if ((wanted & BIT(i)) && !role->anyone && !role->own_subnet && !role->learn &&
		    !holders->by_site && !holders->prefix_count && !holders->name_count)
			text_add(buf, size, "%s%s", *buf ? "," : "", role->id);
	}
}
