/*
 * peer.c - who is the peer? Asked for each role of a row (design.md 4). Proven: the address is
 * listed in the role, or DNS bound a name of the role to it. Unknown: nothing speaks against it.
 * Wrong: all else. SNI and HTTP host are claims of the client and prove nothing.
 */
#include "rules/score.h"

static bool subnet_known(const struct scorer *s, const struct prefix *subnet, bool *ret_covers)
{
	if (!prefix_covers(subnet, &s->local->addr))
		return false;
	*ret_covers |= prefix_covers(subnet, &s->remote->addr);
	return true;
}

/* The unit's own subnet: by its lease, or as the site lists them. */
static enum fit own_subnet_fit(const struct scorer *s)
{
	bool covers = false, known = false;

	if (s->view->subnet_known)
		known = subnet_known(s, &s->view->subnet, &covers);
	for (size_t i = 0; i < s->policy->subnet_count; i++)
		known |= subnet_known(s, &s->policy->subnets[i], &covers);
	if (covers)
		return FIT_MATCH;
	return !known && addr_is_private(&s->remote->addr) ? FIT_UNKNOWN : FIT_MISMATCH;
}

/* The broadcast address of a subnet of IPv4: all host bits set (RFC 922). */
bool is_broadcast_of(const struct prefix *subnet, const struct addr *addr)
{
	struct addr last = subnet->addr;

	if (!addr_is_v4(addr) || subnet->bits > 126 || !prefix_covers(subnet, addr))
		return false;
	for (unsigned bit = subnet->bits; bit < 128; bit++)
		last.b[bit / 8] |= (uint8_t)(0x80 >> bit % 8);
	return addr_equal(&last, addr);
}

/* By the address, by a subnet that we know, or because the frame went to everybody on the link. */
static bool is_group(const struct policy *policy, const struct view *view,
                     const struct endpoint *end)
{
	const struct addr *addr = &end->addr;

	if (addr_is_multicast(addr) || addr_is_unspecified(addr) || mac_is_broadcast(&end->mac))
		return true;
	if (view->subnet_known && is_broadcast_of(&view->subnet, addr))
		return true;
	for (size_t i = 0; i < policy->subnet_count; i++)
		if (is_broadcast_of(&policy->subnets[i], addr))
			return true;
	return false;
}

/* A row that waits for others at that port of the unit, of whoever comes from any port of a client. */
static bool envelope_listens(const struct scorer *s)
{
	for (size_t r = 0; r < s->policy->row_count; r++) {
		const struct row *row = &s->policy->rows[r];

		for (unsigned f = 0;
		     s->view->profiles >> row->profile & 1 && f < row->form_count; f++) {
			const struct row_form *form = &row->form[f];

			if (form->directions == BIT(DIRECTION_IN) && !form->media &&
			    port_set_is_ephemeral(&form->remote) &&
			    (s->view->facts->transport == TRANSPORT_TCP ? form->tcp
			                                                : form->udp) &&
			    port_set_has(&form->local, s->local->port) &&
			    port_set_has(&form->remote, s->remote->port))
				return true;
		}
	}
	return false;
}

/*
 * Who opened it (domain.md 3.2). Media often begins at the far end, so the first packet alone says
 * nothing; nor does a port, of a TCP flow that may have begun before we looked. A port that the
 * envelope lists as the unit's says more than a first packet, and not enough to hold against a row.
 */
static void direction_init(struct scorer *s)
{
	const struct flow_facts *facts = s->view->facts;
	unsigned local = s->view->local & 1;

	if (facts->initiator <= 1 && facts->initiator_by != INITIATOR_UNKNOWN)
		s->direction = facts->initiator == local ? DIRECTION_OUT : DIRECTION_IN;
	s->direction_firm =
		s->direction &&
		facts->initiator_by > (facts->warmup ? INITIATOR_PORT : INITIATOR_FIRST_PACKET);
	if (facts->initiator_by <= INITIATOR_FIRST_PACKET && envelope_listens(s))
		s->direction = DIRECTION_IN;
}

static bool is_claimed(const struct view *view)
{
	return view->name && view->name[0] &&
	       (view->facts->name_kind == NAME_SNI || view->facts->name_kind == NAME_HTTP_HOST);
}

void scorer_names(const struct policy *policy, const struct view *view, struct names_said *ret)
{
	uint32_t all = UINT32_MAX;

	*ret = (struct names_said){0};
	ret->claim = is_claimed(view);
	if (ret->claim)
		all &= ret->claimed = policy_roles_of_name(policy, view->name);
	for (unsigned i = 0; i < view->bound_count && i < BOUND_MAX; i++) {
		uint32_t roles = policy_roles_of_name(policy, view->bound[i]);

		ret->bound |= roles;
		all &= roles;
	}
	ret->outside = ~all;
}

static void names_init(struct scorer *s)
{
	struct names_said names;

	scorer_names(s->policy, s->view, &names);
	s->claim = names.claim;
	s->claimed = names.claimed;
	s->bound = names.bound;
	s->outside = names.outside;
}

/* What the document lists under a role that DHCP teaches is the broadcast address, nobody's own. */
static bool role_is_empty(const struct scorer *s, unsigned role)
{
	const struct role_holders *held = &s->policy->holders[role];

	if (s->policy->envelope->roles[role].learn != LEARN_NOTHING && !held->by_site)
		return true;
	return !held->prefix_count && !held->name_count;
}

static bool is_solicited(const struct scorer *s)
{
	return s->view->facts->solicited && s->direction == DIRECTION_OUT;
}

static enum fit empty_role_fit(const struct scorer *s, unsigned role)
{
	uint32_t bit = UINT32_C(1) << role;

	if (s->view->learnt_roles & bit)
		return FIT_UNKNOWN;
	/* A relay answers for DHCP servers under its own address; a resolver has no such deputy. */
	if (s->view->learnt_any & bit &&
	    s->policy->envelope->roles[role].learn == LEARN_DHCP_DNS)
		return FIT_MISMATCH;
	if ((s->listed | s->bound) & ~s->places & ~bit)
		return FIT_MISMATCH; /* we know who this is: somebody else */
	return s->clients & bit && s->ice ? FIT_MATCH : FIT_UNKNOWN;
}

static enum fit role_fit(const struct scorer *s, unsigned role)
{
	const struct role *doc = &s->policy->envelope->roles[role];
	uint32_t bit = UINT32_C(1) << role;

	if (scorer_is_asked_for(s))
		return scorer_proxy_role(s, role);
	if (doc->anyone || (s->listed | s->bound) & bit)
		return FIT_MATCH;
	/* Whoever answers what was asked of a group of the link is on the link (RFC 4795 2.5). */
	if (doc->own_subnet)
		return is_solicited(s) ? FIT_MATCH : own_subnet_fit(s);
	if (s->group)
		return FIT_MISMATCH;
	if (role_is_empty(s, role))
		return empty_role_fit(s, role);
	if (!s->policy->holders[role].prefix_count && !(s->view->bound_roles & bit) &&
	    !(s->outside & bit))
		return FIT_UNKNOWN;
	return FIT_MISMATCH;
}

/* What is to be read off the flow. */
static void flow_init(struct scorer *s, const struct policy *policy, const struct view *view)
{
	const struct flow_facts *facts = view->facts;
	unsigned local = view->local & 1;

	memset(s, 0, sizeof(*s));
	s->policy = policy;
	s->view = view;
	s->local = &facts->end[local];
	s->remote = &facts->end[!local];
	s->port = s->remote->port;
	s->certain = view->evidence == EVIDENCE_DISSECTOR && view->app != APP_NONE &&
	             view->app < APP_COUNT;
}

static uint16_t app_of(const struct scorer *s)
{
	return s->view->facts->connect_port && !s->proxied ? APP_HTTP : s->view->app;
}

void scorer_init_seen(struct scorer *s, const struct policy *policy, const struct view *view,
                      enum direction direction)
{
	const struct addr *remote = &view->facts->end[!(view->local & 1)].addr;

	if (policy->proxies && policy_roles_of_addr(policy, remote) & policy->proxies) {
		scorer_init(s, policy, view);
		return;
	}
	flow_init(s, policy, view);
	s->direction = direction;
	s->claim = is_claimed(view);
	s->app = app_of(s);
}

void scorer_init(struct scorer *s, const struct policy *policy, const struct view *view)
{
	const struct flow_facts *facts = view->facts;
	const struct envelope *env = policy->envelope;
	unsigned local = view->local & 1;

	flow_init(s, policy, view);
	direction_init(s);
	s->media =
		facts->media || (s->certain && (view->app == APP_RTP || view->app == APP_RTCP));
	s->ice = facts->ice >> !local & 1;
	s->probe = s->certain && view->app == APP_STUN && !facts->ice && !facts->media &&
	           facts->outcome != OUTCOME_ANSWERED && facts->outcome != OUTCOME_ONE_SIDED &&
	           !facts->packets[0] != !facts->packets[1] &&
	           facts->packets[0] + facts->packets[1] < ICE_PROBE_PACKETS;
	s->group = is_group(policy, view, s->remote);
	s->listed = policy_roles_of_addr(policy, &s->remote->addr);
	for (unsigned i = 0; i < env->role_count; i++) {
		s->anyone |= (uint32_t)env->roles[i].anyone << i;
		s->places |= (uint32_t)(env->roles[i].anyone || env->roles[i].own_subnet) << i;
		s->clients |= (uint32_t)env->roles[i].by_ice << i;
	}
	names_init(s);
	if (s->listed & policy->proxies)
		scorer_proxy(s);
	s->app = app_of(s);
	for (unsigned i = 0; i < env->role_count; i++)
		s->role_fit[i] = (uint8_t)role_fit(s, i);
}

enum fit judge_role(const struct policy *policy, const struct view *view, unsigned role)
{
	struct scorer s;

	scorer_init(&s, policy, view);
	return scorer_role(&s, role);
}

bool scorer_named_by_site(const struct scorer *s, uint32_t roles)
{
	unsigned role;

	FOR_ROLES (role, roles & (s->listed | s->bound)) {
		const struct role *doc = &s->policy->envelope->roles[role];
		bool by_document = false;

		for (size_t i = 0; i < doc->prefix_count; i++)
			by_document |= prefix_covers(&doc->prefixes[i], &s->remote->addr);
		for (size_t i = 0; i < doc->endpoint.prefix_count; i++)
			by_document |=
				prefix_covers(&doc->endpoint.prefixes[i], &s->remote->addr);
		if (s->policy->holders[role].by_site && !by_document)
			return true;
	}
	return false;
}

bool scorer_on_segment(const struct scorer *s)
{
	return !scorer_is_asked_for(s) &&
	       (s->group || addr_is_link_local(&s->remote->addr) ||
	        own_subnet_fit(s) == FIT_MATCH);
}
