/*
 * scoping.c - see scoping.h.
 */
#include "monitor/scoping.h"

static bool is_everybody(const struct prefix *prefix)
{
	return prefix->bits == (addr_is_v4(&prefix->addr) ? 96 : 0);
}

static int add_unit(struct scope *scope, const struct unit_rule *rule)
{
	int r = 0;

	for (size_t i = 0; i < rule->prefix_count && r >= 0; i++) {
		scope->open |= is_everybody(&rule->prefixes[i]);
		r = scope_add_prefix(scope, &rule->prefixes[i]);
	}
	for (size_t i = 0; i < rule->mac_count && r >= 0; i++)
		r = scope_add_mac(scope, &rule->macs[i]);
	return r;
}

/* Who is contacted by units alone shows those that are on no list. */
static int add_holders(struct scope *scope, const struct policy *policy,
                       const struct role_holders *holders)
{
	bool wanted = false;
	int r = 0;

	for (size_t i = 0; i < holders->name_count; i++)
		wanted |= policy_looks_like_unit(policy, NULL, holders->names[i]);
	for (size_t i = 0; wanted && i < holders->prefix_count && r >= 0; i++)
		if (!is_everybody(&holders->prefixes[i]))
			r = scope_add_prefix(scope, &holders->prefixes[i]);
	return r;
}

int scoping_new(const struct policy *policy, bool live, struct scope **ret, struct err *err)
{
	CLEANUP(scope_freep) struct scope *scope = scope_new();
	int r = scope ? 0 : -ENOMEM;

	*ret = NULL;
	if (!policy->unit_count || (!live && policy->mac_count))
		return 0;

	for (size_t i = 0; i < policy->unit_count && r >= 0; i++)
		r = add_unit(scope, &policy->units[i]);
	for (unsigned role = 0; role < ROLES_MAX && r >= 0; role++)
		r = add_holders(scope, policy, &policy->holders[role]);
	for (size_t i = 0; i < policy->envelope->oui_count && r >= 0; i++)
		scope_add_oui(scope, &policy->envelope->ouis[i]);
	if (r >= 0)
		r = scope_seal(scope);
	if (r < 0)
		return err_set(err, r, "out of memory for the scope");
	*ret = scope->open ? NULL : TAKE(scope);
	return 0;
}

bool scoping_is_name(const void *policy, const char *name)
{
	return policy_looks_like_unit(policy, NULL, name);
}
