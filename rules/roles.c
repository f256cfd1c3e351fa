/*
 * roles.c - see roles.h. Roles of the site alone are moved behind those that rows can name.
 */
#include "rules/roles.h"

#include "rules/endpoints.h"
#include "rules/form.h"

WORDS(FILE_KEYS, "profiles", "roles", "units");
WORDS(ROLE_KEYS, "meaning", "anyone", "own-subnet", "learn", "site-only", "one-service",
      "by-ice", "proxy", "addresses", "names", "domain-names", "habits", "endpoints");
WORDS(ENDPOINT_KEYS, "file", "areas", "required");
WORDS(UNIT_KEYS, "ouis", "names");
WORDS(LEARN, "nothing", "dhcp-dns", "dhcp-server"); /* as enum role_learn */

static int read_flag(const struct yaml *map, const char *key, bool *flag, struct err *err)
{
	const struct yaml *node = yaml_get(map, key);

	return node ? yaml_flag(node, flag, err) : 0;
}

static int read_areas(const struct yaml *list, struct arena *arena,
                      struct endpoint_choice *choice, struct err *err)
{
	int r = yaml_list(list, err);

	if (r < 0)
		return r;
	choice->areas = arena_take(arena, yaml_count(list) * sizeof(*choice->areas));
	if (!choice->areas)
		return err_set(err, -ENOMEM, "out of memory");
	for (const struct yaml *item = yaml_first(list); item; item = yaml_next(item)) {
		const char *text = "";

		r = yaml_text(item, &text, err);
		if (r < 0)
			return r;
		choice->areas[choice->area_count] = arena_text(arena, text);
		if (!choice->areas[choice->area_count++])
			return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

/* The list that was read last: several roles choose from the same. */
struct list {
	const struct text_file *source;
	struct yaml_file *file;
};

static int read_list(const struct text_file *source, struct list *list, struct err *err)
{
	if (list->source == source)
		return 0;
	yaml_free(list->file);
	*list = (struct list){0};
	list->source = source;
	return yaml_read(source->name, source->text, source->len, &list->file, err);
}

static int read_endpoints(const struct yaml *node, const struct folder *folder,
                          struct list *list, struct envelope *envelope, struct role *role,
                          struct err *err)
{
	const struct yaml *named, *areas;
	const struct text_file *source;
	const char *name = "";
	int r = yaml_map(node, "endpoints", &ENDPOINT_KEYS, err);

	if (r >= 0)
		r = yaml_need(node, "endpoints", "file", &named, err);
	if (r >= 0)
		r = yaml_text(named, &name, err);
	if (r >= 0)
		r = read_flag(node, "required", &role->choice.required, err);
	if (r < 0)
		return r;
	areas = yaml_get(node, "areas");
	if (areas)
		r = read_areas(areas, envelope->arena, &role->choice, err);
	if (r < 0)
		return r;
	source = folder_find(folder, name);
	if (!source)
		return yaml_fail(named, err, "no such file beside roles.yaml");
	r = read_list(source, list, err);
	if (r >= 0)
		r = endpoints_read(list->file, &role->choice, envelope->arena, &role->endpoint, err);
	if (r < 0)
		return r;
	if (!role->endpoint.prefix_count && !role->endpoint.name_count)
		return yaml_fail(node, err, "the file has no set that is chosen here");
	endpoints_date(name, envelope->endpoints_date);
	role->endpoints = arena_text(envelope->arena, name);
	return role->endpoints ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int read_role(const struct yaml *node, const struct folder *folder, struct list *list,
                     struct envelope *envelope, struct role *role, struct err *err)
{
	const struct yaml *meaning, *item;
	const char *text = "";
	unsigned learn = 0;
	int r = yaml_map(node, "a role", &ROLE_KEYS, err);

	if (r < 0)
		return r;
	if (!text_copy(role->id, sizeof(role->id), yaml_key(node)))
		return yaml_fail_key(node, err, "the name of a role has at most %zu characters",
		                     sizeof(role->id) - 1);
	r = yaml_need(node, "a role", "meaning", &meaning, err);
	if (r >= 0)
		r = yaml_text(meaning, &text, err);
	if (r < 0)
		return r;
	role->meaning = arena_text(envelope->arena, text);
	if (!role->meaning)
		return err_set(err, -ENOMEM, "out of memory");
	r = read_flag(node, "anyone", &role->anyone, err);
	if (r >= 0)
		r = read_flag(node, "own-subnet", &role->own_subnet, err);
	if (r >= 0)
		r = read_flag(node, "site-only", &role->site_only, err);
	if (r >= 0)
		r = read_flag(node, "one-service", &role->one_service, err);
	if (r >= 0)
		r = read_flag(node, "by-ice", &role->by_ice, err);
	if (r >= 0)
		r = read_flag(node, "proxy", &role->proxy, err);
	if (r >= 0 && (item = yaml_get(node, "learn")))
		r = yaml_word(item, "source to learn from", &LEARN, &learn, err);
	role->learn = (uint8_t)learn;
	if (r >= 0 && (item = yaml_get(node, "addresses")))
		r = value_prefixes(item, envelope->arena, &role->prefixes, &role->prefix_count,
		                   err);
	if (r >= 0 && (item = yaml_get(node, "names")))
		r = value_names(item, envelope->arena, &role->names, &role->name_count, err);
	if (r >= 0 && (item = yaml_get(node, "domain-names")))
		r = value_names(item, envelope->arena, &role->domain_names,
		                &role->domain_name_count, err);
	if (r >= 0 && (item = yaml_get(node, "habits")))
		r = value_names(item, envelope->arena, &role->habits, &role->habit_count, err);
	if (r >= 0 && (item = yaml_get(node, "endpoints")))
		r = read_endpoints(item, folder, list, envelope, role, err);
	return r;
}

/* A maker's prefix "00:26:8c", kept as a MAC that ends in zeros. */
static int read_ouis(const struct yaml *list, struct envelope *envelope, struct err *err)
{
	int r = yaml_list(list, err);

	if (r < 0)
		return r;
	envelope->ouis =
		arena_take(envelope->arena, yaml_count(list) * sizeof(*envelope->ouis));
	if (!envelope->ouis)
		return err_set(err, -ENOMEM, "out of memory");
	for (const struct yaml *item = yaml_first(list); item; item = yaml_next(item)) {
		char whole[MAC_TEXT], shown[SHOWN_MAX];
		const char *text = "";

		r = yaml_text(item, &text, err);
		if (r < 0)
			return r;
		snprintf(whole, sizeof(whole), "%.8s:00:00:00", text);
		if (strlen(text) != 8 ||
		    mac_parse(whole, &envelope->ouis[envelope->oui_count++]) < 0)
			return yaml_fail(item, err,
			                 "'%s' is no maker's prefix; accepted: 00:26:8c",
			                 text_shown(text, shown));
	}
	return 0;
}

/* Roles that rows name stand before those of the site alone. */
static int read_roles(const struct yaml *roles, const struct folder *folder, struct list *list,
                      struct envelope *envelope, struct err *err)
{
	for (unsigned site_only = 0; site_only < 2; site_only++)
		for (const struct yaml *node = yaml_first(roles); node;
		     node = yaml_next(node)) {
			struct role role = {.learn = LEARN_NOTHING};
			int r = read_role(node, folder, list, envelope, &role, err);

			if (r < 0)
				return r;
			if (role.site_only == site_only)
				envelope->roles[envelope->role_count++] = role;
		}
	return 0;
}

int roles_read(const struct yaml_file *file, const struct folder *folder,
               struct envelope *envelope, struct err *err)
{
	const struct yaml *root = yaml_root(file), *roles = NULL, *units, *item;
	struct list list = {0};
	int r = yaml_map(root, "roles.yaml", &FILE_KEYS, err);

	if (r >= 0)
		r = yaml_need(root, "roles.yaml", "roles", &roles, err);
	if (r >= 0)
		r = yaml_map(roles, "roles", NULL, err);
	if (r < 0)
		return r;
	if (yaml_count(roles) > ROLES_MAX)
		return yaml_fail(roles, err, "more than %d roles", ROLES_MAX);
	r = read_roles(roles, folder, &list, envelope, err);
	yaml_free(list.file);
	if (r < 0)
		return r;
	units = yaml_get(root, "units");
	if (!units)
		return 0;
	r = yaml_map(units, "units", &UNIT_KEYS, err);
	if (r >= 0 && (item = yaml_get(units, "ouis")))
		r = read_ouis(item, envelope, err);
	if (r >= 0 && (item = yaml_get(units, "names")))
		r = value_names(item, envelope->arena, &envelope->unit_names,
		                &envelope->unit_name_count, err);
	return r;
}
