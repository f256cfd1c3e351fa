/*
 * holders.c - see holders.h; also policy_roles_of_addr() and policy_roles_of_name().
 */
#include "rules/holders.h"

#include "rules/name_index.h"

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static int compare_prefixes(const void *a, const void *b)
{
	const struct prefix *x = a, *y = b;
	int order = addr_compare(&x->addr, &y->addr);

	return order ? order : (x->bits > y->bits) - (x->bits < y->bits);
}

static void add_prefixes(struct role_holders *holders, const struct prefix *prefixes,
                         size_t count)
{
	if (count)
		memcpy(holders->prefixes + holders->prefix_count, prefixes,
		       count * sizeof(*prefixes));
	holders->prefix_count += count;
}

static void add_names(struct role_holders *holders, char **names, size_t count)
{
	if (count)
		memcpy(holders->names + holders->name_count, names, count * sizeof(*names));
	holders->name_count += count;
}

/* "lyncdiscover" with each domain of the site; with any, while the site lists none. */
static int add_domain_names(struct policy *policy, const struct role *role,
                            struct role_holders *holders, struct err *err)
{
	size_t domains = policy->domain_count ? policy->domain_count : 1;

	for (size_t i = 0; i < role->domain_name_count; i++)
		for (size_t d = 0; d < domains; d++) {
			char name[2 * NAME_MAX_LEN + 2];

			snprintf(name, sizeof(name), "%s.%s", role->domain_names[i],
			         policy->domain_count ? policy->domains[d] : "*");
			holders->names[holders->name_count] = arena_text(policy->arena, name);
			if (!holders->names[holders->name_count++])
				return no_memory(err);
		}
	return 0;
}

static int build_role(struct site_loading *loading, unsigned i, struct err *err)
{
	struct policy *policy = loading->policy;
	const struct role *role = &policy->envelope->roles[i];
	const struct endpoint_list *endpoints = &loading->endpoints[i];
	const struct role_holders *site = &loading->site[i];
	struct role_holders *holders = &policy->holders[i];
	size_t domains = policy->domain_count ? policy->domain_count : 1;
	size_t prefixes = role->prefix_count + endpoints->prefix_count + site->prefix_count;
	size_t names = role->name_count + endpoints->name_count + site->name_count +
	               role->domain_name_count * domains;
	int r;

	holders->prefixes = arena_take(policy->arena, prefixes * sizeof(*holders->prefixes));
	holders->names = arena_take(policy->arena, names * sizeof(*holders->names));
	if (!holders->prefixes || !holders->names)
		return no_memory(err);
	holders->by_site = site->by_site;
	add_prefixes(holders, role->prefixes, role->prefix_count);
	add_prefixes(holders, endpoints->prefixes, endpoints->prefix_count);
	add_prefixes(holders, site->prefixes, site->prefix_count);
	add_names(holders, role->names, role->name_count);
	add_names(holders, endpoints->names, endpoints->name_count);
	add_names(holders, site->names, site->name_count);
	r = add_domain_names(policy, role, holders, err);
	if (r >= 0 && holders->prefix_count)
		qsort(holders->prefixes, holders->prefix_count, sizeof(*holders->prefixes),
		      compare_prefixes);
	return r;
}

/* Prefixes that the site lists under `local-segment` are its units' own subnets, as those of `subnets` are. */
static int add_subnets(struct site_loading *loading, struct err *err)
{
	struct policy *policy = loading->policy;
	struct prefix *subnets;
	size_t count = policy->subnet_count;

	for (unsigned i = 0; i < policy->envelope->role_count; i++)
		if (policy->envelope->roles[i].own_subnet)
			count += loading->site[i].prefix_count;
	if (count == policy->subnet_count)
		return 0;
	subnets = arena_take(policy->arena, count * sizeof(*subnets));
	if (!subnets)
		return no_memory(err);
	if (policy->subnet_count)
		memcpy(subnets, policy->subnets, policy->subnet_count * sizeof(*subnets));
	policy->subnets = subnets;
	for (unsigned i = 0; i < policy->envelope->role_count; i++)
		for (size_t p = 0;
		     policy->envelope->roles[i].own_subnet && p < loading->site[i].prefix_count;
		     p++)
			policy->subnets[policy->subnet_count++] = loading->site[i].prefixes[p];
	return 0;
}

int holders_build(struct site_loading *loading, struct err *err)
{
	struct policy *policy = loading->policy;
	size_t prefixes = 0, names = 0;

	if (add_subnets(loading, err) < 0)
		return -ENOMEM;
	for (unsigned i = 0; i < policy->envelope->role_count; i++) {
		int r = build_role(loading, i, err);

		if (r < 0)
			return r;
		if (policy->envelope->roles[i].proxy && policy->holders[i].prefix_count)
			policy->proxies |= (uint32_t)BIT(i);
		prefixes += policy->holders[i].prefix_count;
		names += policy->holders[i].name_count;
	}
	policy->role_names = name_index_new(policy->arena, names);
	if (!policy->role_names ||
	    prefix_index_init(&policy->role_prefixes, policy->arena, prefixes) < 0)
		return no_memory(err);
	for (unsigned i = 0; i < policy->envelope->role_count; i++) {
		const struct role_holders *holders = &policy->holders[i];

		for (size_t p = 0; p < holders->prefix_count; p++)
			prefix_index_add(&policy->role_prefixes, &holders->prefixes[p],
			                 (uint32_t)1 << i);
		for (size_t n = 0; n < holders->name_count; n++)
			name_index_add(policy->role_names, holders->names[n], (uint32_t)1 << i);
	}
	prefix_index_sort(&policy->role_prefixes);
	prefix_index_or(&policy->role_prefixes);
	name_index_sort(policy->role_names);
	return 0;
}

uint32_t policy_roles_of_addr(const struct policy *policy, const struct addr *addr)
{
	const struct prefix_entry *entry = prefix_index_find(&policy->role_prefixes, addr);

	return entry ? entry->value : 0;
}

uint32_t policy_roles_of_name(const struct policy *policy, const char *name)
{
	return name_index_find(policy->role_names, name);
}
