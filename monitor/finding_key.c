/*
 * finding_key.c - see finding_key.h.
 */
#include "monitor/finding_key.h"

/* The peers a person would act on together: those of one role, else one subnet, or one group. */
static void remote_write(const struct policy *policy, const struct view *view,
                         const struct verdict *verdict, struct finding_row *row)
{
	const struct addr *remote = &view->facts->end[!view->local].addr;
	uint32_t roles = policy_roles_of_addr(policy, remote) | view->learnt_roles;
	struct prefix prefix;

	for (unsigned i = 0; i < view->bound_count; i++)
		roles |= policy_roles_of_name(policy, view->bound[i]);
	if (verdict->role >= 0)
		roles = (uint32_t)BIT(verdict->role); /* of several the one that counted */
	if (roles) {
		text_copy(row->role, sizeof(row->role),
		          policy->envelope->roles[__builtin_ctz(roles)].id);
		return;
	}
	prefix = addr_is_multicast(remote) ? prefix_of(remote, 128)
	                                   : prefix_of(remote, addr_is_v4(remote) ? 120 : 64);
	prefix_print(&prefix, row->remote);
}

static void port_write(const struct policy *policy, const struct view *view,
                       const struct verdict *verdict, int row_index, struct finding_row *row)
{
	const struct flow_facts *facts = view->facts;
	bool in = verdict->direction == DIRECTION_IN;
	uint16_t port = facts->end[in ? view->local : !view->local].port;

	if (facts->transport != TRANSPORT_TCP && facts->transport != TRANSPORT_UDP)
		return;
	if (row_index >= 0) {
		const struct row_form *form = &policy->rows[row_index].form[0];
		const struct port_set *set = in ? &form->local : &form->remote;

		if (set->count && (port_set_has(set, port) || facts->media)) {
			port_set_print(set, row->port, sizeof(row->port));
			return;
		}
	}
	*digits_put(row->port, port) = '\0';
}

void finding_key(const struct policy *policy, int64_t unit, const struct view *view,
                 const struct verdict *verdict, struct finding_row *ret)
{
	int index = -1;

	memset(ret, 0, sizeof(*ret));
	if (verdict->nearest_count)
		index = verdict->nearest[0].row;
	else if (verdict->row_count)
		index = verdict->rows[0];
	ret->unit = unit;
	ret->kind = verdict->kind;
	ret->transport = view->facts->transport;
	ret->app = view->app;
	if (index >= 0)
		text_copy(ret->row, sizeof(ret->row), policy->rows[index].id);
	remote_write(policy, view, verdict, ret);
	port_write(policy, view, verdict, index, ret);
}
