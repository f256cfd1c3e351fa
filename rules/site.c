/*
 * site.c - see site.h. Files that a site names are looked for beside it.
 */
#include "rules/site.h"

#include "rules/endpoints.h"
#include "rules/form.h"
#include "rules/needs.h"
#include "rules/recorded.h"
#include "rules/rows.h"
#include "rules/waivers.h"

WORDS(SITE_KEYS, "site", "units", "units-file", "domains", "subnets", "roles", "narrow",
      "need", "options", "evidence", "waivers");
WORDS(HOLDER_KEYS, "addresses", "names", "endpoints");

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* `name` as it stands in the site file -> a path; beside the site file unless absolute. */
static int beside(const struct site_loading *loading, const struct yaml *node, char path[4096],
                  struct err *err)
{
	const char *site = yaml_source(loading->file)->name, *slash = strrchr(site, '/'),
		   *name = "";
	int folder = slash ? (int)(slash - site) + 1 : 0;
	int r = yaml_text(node, &name, err);

	if (r < 0)
		return r;
	if (name[0] == '/')
		folder = 0;
	if (snprintf(path, 4096, "%.*s%s", folder, site, name) >= 4096)
		return yaml_fail(node, err, "the path is too long");
	return 0;
}

/* A file that the site names; of a policy that was recorded the next one that stands there. */
static int open_beside(struct site_loading *loading, const char *path, struct text_file *ret_file,
                       struct err *err)
{
	const struct folder *recorded = &loading->recorded;
	const struct text_file *file = loading->recorded_used < recorded->count
	                                       ? &recorded->files[loading->recorded_used]
	                                       : NULL;

	if (!loading->from_record)
		return text_file_open(path, ret_file, err);
	if (!file || strcmp(file_name(path), file->name) != 0)
		return err_set(err, -ENOENT,
		               "the record of this policy does not hold the file %s that its site "
		               "file names",
		               file_name(path));
	loading->recorded_used++;
	return text_file_of(path, file->text, file->len, ret_file, err);
}

static int read_units_file(const struct yaml *node, struct site_loading *loading,
                           struct err *err)
{
	char path[4096];
	struct err cause;
	int r = beside(loading, node, path, err);

	if (r < 0)
		return r;
	if (open_beside(loading, path, &loading->rooms, &cause) < 0)
		return yaml_fail(node, err, "%s", cause.text);
	recorded_put(loading->text, &loading->rooms);
	return rooms_read(&loading->rooms, &loading->units, err);
}

/*
 * A list named for one role serves all roles that the envelope fills from the same file, unless
 * the site names one for them too.
 */
static int read_endpoints(const struct yaml *node, unsigned role, const struct yaml *roles,
                          struct site_loading *loading, struct err *err)
{
	CLEANUP(yaml_freep) struct yaml_file *file = NULL;
	CLEANUP(text_file_release) struct text_file source = {0};
	struct policy *policy = loading->policy;
	const struct envelope *envelope = policy->envelope;
	const char *builtin = envelope->roles[role].endpoints;
	char path[4096];
	struct err cause;
	int r = beside(loading, node, path, err);

	if (r < 0)
		return r;
	if (open_beside(loading, path, &source, &cause) < 0)
		return yaml_fail(node, err, "%s", cause.text);
	r = yaml_read(path, source.text, source.len, &file, err);
	if (r < 0)
		return r; /* it has a place in that file */
	recorded_put(loading->text, yaml_source(file));
	for (unsigned i = 0; i < envelope->role_count; i++) {
		const struct role *other = &envelope->roles[i];
		const struct yaml *named = yaml_get(roles, other->id);

		if (i != role &&
		    (!builtin || !other->endpoints || strcmp(builtin, other->endpoints) ||
		     (named && yaml_get(named, "endpoints"))))
			continue;
		r = endpoints_read(file, &other->choice, policy->arena, &loading->endpoints[i],
		                   err);
		if (r < 0)
			return r;
	}
	if (!loading->endpoints[role].prefix_count && !loading->endpoints[role].name_count)
		return yaml_fail(node, err,
		                 "the file has no addresses and no names for the role '%s'",
		                 envelope->roles[role].id);
	policy->endpoints_date[0] = '\0';
	endpoints_date(path, policy->endpoints_date);
	loading->site[role].by_site = true;
	return 0;
}

static int read_role(const struct yaml *node, const struct yaml *roles,
                     struct site_loading *loading, struct err *err)
{
	const struct envelope *envelope = loading->policy->envelope;
	const char *word[ROLES_MAX];
	struct words words = {word, envelope->role_count};
	struct role_holders *site;
	const struct yaml *item;
	unsigned role = 0;
	int r;

	for (size_t i = 0; i < envelope->role_count; i++)
		word[i] = envelope->roles[i].id;
	r = yaml_key_word(node, "role", &words, &role, err);
	if (r >= 0)
		r = yaml_map(node, "a role", &HOLDER_KEYS, err);
	if (r < 0)
		return r;
	if (envelope->roles[role].anyone)
		return yaml_fail_key(
			node, err,
			"everybody holds the role '%s'; it takes no addresses or names",
			envelope->roles[role].id);
	site = &loading->site[role];
	if ((item = yaml_get(node, "addresses")))
		r = value_prefixes(item, loading->policy->arena, &site->prefixes,
		                   &site->prefix_count, err);
	if (r >= 0 && (item = yaml_get(node, "names")))
		r = value_names(item, loading->policy->arena, &site->names, &site->name_count,
		                err);
	site->by_site = site->prefix_count || site->name_count;
	if (r >= 0 && (item = yaml_get(node, "endpoints")))
		r = read_endpoints(item, role, roles, loading, err);
	return r;
}

static int read_options(const struct yaml *map, struct site_loading *loading, struct err *err)
{
	int r = yaml_map(map, "options", &SITE_OPTIONS, err);

	for (unsigned i = 0; r >= 0 && i < SITE_OPTIONS.count; i++) {
		const struct yaml *node = yaml_get(map, SITE_OPTIONS.word[i]);
		bool on = false;

		r = node ? yaml_flag(node, &on, err) : 0;
		if (on)
			loading->options |= (uint8_t)BIT(OPTION_NAT + i);
	}
	return r;
}

static int read_evidence(const struct yaml *node, struct policy *policy, struct err *err)
{
	const char *word[KEEP_COUNT];
	const struct words words = {word, KEEP_COUNT};
	unsigned keep = KEEP_FULL;
	int r;

	for (unsigned i = 0; i < KEEP_COUNT; i++)
		word[i] = keep_name((enum keep)i);
	r = yaml_word(node, "evidence", &words, &keep, err);
	if (r >= 0)
		policy->keep = (enum keep)keep;
	return r;
}

/* Keys that say nothing where one alone would: in the order of the file, before they are read in ours. */
static int refuse_empty(const struct yaml *root, struct err *err)
{
	const char *text = "";
	int r = 0;

	for (const struct yaml *node = yaml_first(root); r >= 0 && node;
	     node = yaml_next(node)) {
		const char *key = yaml_key(node);

		if (!strcmp(key, "site") || !strcmp(key, "units-file"))
			r = yaml_text(node, &text, err);
		else if (!strcmp(key, "units") && yaml_is_empty(node))
			r = yaml_fail_key(
				node, err,
				"units is empty; accepted: a list of units, [] for none");
	}
	return r;
}

int site_read(struct site_loading *loading, struct err *err)
{
	const struct yaml *root = yaml_root(loading->file), *node, *roles;
	struct policy *policy = loading->policy;
	const char *name = "";
	int r = yaml_map(root, "the site file", &SITE_KEYS, err);

	recorded_put(loading->text, yaml_source(loading->file));
	if (r >= 0)
		r = refuse_empty(root, err);
	if (r >= 0 && (node = yaml_get(root, "site")))
		r = yaml_text(node, &name, err);
	policy->site_name = arena_text(policy->arena, name);
	if (r >= 0 && !policy->site_name)
		return no_memory(err);
	if (r >= 0 && (node = yaml_get(root, "units")))
		r = units_read(node, &loading->units, err);
	if (r >= 0 && (node = yaml_get(root, "units-file")))
		r = read_units_file(node, loading, err);
	if (r >= 0 && (node = yaml_get(root, "domains")))
		r = value_names(node, policy->arena, &policy->domains, &policy->domain_count,
		                err);
	if (r >= 0 && (node = yaml_get(root, "subnets")))
		r = value_prefixes(node, policy->arena, &policy->subnets, &policy->subnet_count,
		                   err);
	if (r >= 0 && (node = yaml_get(root, "options")))
		r = read_options(node, loading, err);
	if (r >= 0 && (node = yaml_get(root, "evidence")))
		r = read_evidence(node, policy, err);
	if (r >= 0)
		r = needs_read(yaml_get(root, "need"), policy, err);
	roles = r >= 0 ? yaml_get(root, "roles") : NULL;
	if (roles)
		r = yaml_map(roles, "roles", NULL, err);
	for (node = roles && r >= 0 ? yaml_first(roles) : NULL; r >= 0 && node;
	     node = yaml_next(node))
		r = read_role(node, roles, loading, err);
	return r;
}

/* What people read of a row follows what it now says. */
static int narrow_words(const struct yaml *map, struct policy *policy, struct row *row,
                        struct err *err)
{
	const struct yaml *applications = yaml_get(map, "application"),
			  *media = yaml_get(map, "media");
	int r = 0;

	if (applications)
		r = value_words(applications, policy->arena, &row->application_words, err);
	if (r >= 0 && media)
		r = value_words(media, policy->arena, &row->media_words, err);
	return r;
}

int site_narrow(struct site_loading *loading, struct err *err)
{
	struct policy *policy = loading->policy;
	const struct yaml *map = yaml_get(yaml_root(loading->file), "narrow");
	CLEANUP(freep) const char **word = calloc(policy->row_count, sizeof(*word));
	struct words words = {word, policy->row_count};
	int r = map ? yaml_map(map, "narrow", NULL, err) : 0;

	if (!word)
		return no_memory(err);
	for (size_t i = 0; i < policy->row_count; i++)
		word[i] = policy->rows[i].id;
	for (const struct yaml *node = map ? yaml_first(map) : NULL; r >= 0 && node;
	     node = yaml_next(node)) {
		unsigned row = 0;

		r = yaml_key_word(node, "row", &words, &row, err);
		if (r >= 0)
			r = form_narrow(node, policy->envelope, &policy->rows[row], err);
		if (r >= 0)
			r = narrow_words(node, policy, &policy->rows[row], err);
		if (r >= 0)
			policy->row_narrowed[row] = true;
	}
	return r;
}

int site_waivers(struct site_loading *loading, struct err *err)
{
	const struct yaml *list = yaml_get(yaml_root(loading->file), "waivers");

	return list ? waivers_read(list, loading->from_record, loading->policy, err) : 0;
}
