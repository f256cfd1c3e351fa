/*
 * view.c - see view.h.
 */
#include "monitor/view.h"

const struct lease_row *lease_at(const struct lease_row *leases, size_t count,
                                 const struct addr *addr, int64_t last_us)
{
	const struct lease_row *best = NULL;

	for (size_t i = 0; i < count; i++)
		if (leases[i].first_us <= last_us && lease_is_better(&leases[i], best, addr))
			best = &leases[i];
	return best;
}

void view_take_lease(const struct policy *policy, const struct lease_row *lease,
                     struct view *view)
{
	const struct addr *remote = &view->facts->end[!view->local].addr;

	for (size_t i = 0; i < policy->envelope->role_count; i++) {
		const struct role *role = &policy->envelope->roles[i];

		if (role->learn == LEARN_DHCP_DNS) {
			for (unsigned n = 0; n < lease->dns_count; n++)
				if (addr_equal(&lease->dns[n], remote))
					view->learnt_roles |= (uint32_t)BIT(i);
			if (lease->dns_count)
				view->learnt_any |= (uint32_t)BIT(i);
		} else if (role->learn == LEARN_DHCP_SERVER &&
		           !addr_is_unspecified(&lease->server)) {
			view->learnt_any |= (uint32_t)BIT(i);
			if (addr_equal(&lease->server, remote))
				view->learnt_roles |= (uint32_t)BIT(i);
		}
	}
	if (lease->mask_bits) {
		view->subnet_known = true;
		view->subnet = prefix_of(&lease->address, 96u + lease->mask_bits);
	}
}

bool is_believed_resolver(const struct policy *policy, const struct lease_row *lease,
                          const struct addr *server)
{
	uint32_t listed = policy_roles_of_addr(policy, server);

	for (size_t i = 0; i < policy->envelope->role_count; i++) {
		if (policy->envelope->roles[i].learn != LEARN_DHCP_DNS)
			continue;
		if (listed & BIT(i))
			return true;
		for (unsigned n = 0;
		     lease && n < lease->dns_count && !policy->holders[i].prefix_count; n++)
			if (addr_equal(&lease->dns[n], server))
				return true;
	}
	return false;
}

bool is_believed_dhcp_server(const struct policy *policy, const struct addr *server)
{
	uint32_t listed = policy_roles_of_addr(policy, server);

	for (size_t i = 0; i < policy->envelope->role_count; i++)
		if (policy->envelope->roles[i].learn == LEARN_DHCP_SERVER &&
		    policy->holders[i].by_site && !(listed & BIT(i)))
			return false;
	return true;
}
