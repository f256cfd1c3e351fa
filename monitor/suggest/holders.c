/*
 * holders.c - what flows say of who holds a role. A flow of a unit that fits a documented row in all but its peer says
 * that the peer may hold one of the row's roles; where a dissector knows the application and somebody answered, it is
 * proof, if all rows that fit agree. Rows anybody may fill (other clients, `any`, the unit's own segment) say nothing of
 * anybody, nor does media: that goes to whoever takes part in a call.
 */
#include "monitor/suggest/parts.h"
#include "rules/score.h"

#define DHCP_SERVER_PORT 67
#define DHCP_OFFER 2
#define STATUS_DONE 200 /* RFC 9110 15.3: 2xx to a CONNECT, and the proxy went there */

bool role_is_built_in(const struct role *role)
{
	return role->learn == LEARN_NOTHING && (role->prefix_count || role->name_count ||
	                                        role->domain_name_count || role->endpoints);
}

bool role_is_first(const struct role *role)
{
	return role->learn != LEARN_NOTHING || role->proxy;
}

static bool role_is_anybodys(const struct role *role)
{
	return role->anyone || role->own_subnet || role->by_ice;
}

struct holder *holder_at(struct suggestion *suggestion, const struct addr *addr, uint32_t roles)
{
	struct holder *holder;

	for (size_t i = 0; i < suggestion->holder_count; i++)
		if (suggestion->holders[i].roles == roles &&
		    addr_equal(&suggestion->holders[i].addr, addr))
			return &suggestion->holders[i];
	if (suggestion->holder_count == HOLDERS_MAX ||
	    array_reserve(&suggestion->holders, &suggestion->holder_room,
	                  suggestion->holder_count + 1, sizeof(*suggestion->holders)) < 0) {
		suggestion->holders_refused++;
		return NULL;
	}
	holder = &suggestion->holders[suggestion->holder_count++];
	*holder = (struct holder){.addr = *addr, .roles = roles, .role = -1};
	return holder;
}

/* -------------------------------------------------- one flow and all rows */

/* How a row's form answers to a flow whose peer is left open. */
struct answer {
	uint32_t roles;
	unsigned width; /* how many ports the narrower side allows, less one */
	bool certain;   /* the application is one of the row's, by a dissector */
	bool opaque;    /* ... or the row takes any */
};

static bool form_answers(const struct scorer *s, unsigned row, unsigned form,
                         struct answer *ret)
{
	const struct row_form *f = &s->policy->rows[row].form[form];
	struct score score;

	scorer_form(s, row, form, &score);
	for (unsigned field = 0; field < FIELD_COUNT; field++)
		if (field != FIELD_PEER && score.fit[field] == FIT_MISMATCH)
			return false;
	*ret = (struct answer){
		.roles = f->peers,
		.width = score.local_ports < score.remote_ports ? score.local_ports
	                                                        : score.remote_ports,
		/* SIP or PSOM in TLS: no more than the shell is ever seen. */
		.certain = s->certain && !f->opaque && app_set_has(&f->apps, s->app),
		.opaque = f->opaque,
	};
	return true;
}

/* What all rows of the envelope say together. */
struct vote {
	uint32_t roles;   /* of the narrowest rows that fit */
	uint32_t fitting; /* of all that fit, proven ones to be looked for */
	unsigned width;
	bool any;
	bool certain, opaque;
};

/* A certain application goes before an unknown one, then narrow rows before wide ones. */
static void vote_take(struct vote *vote, const struct answer *answer)
{
	bool firm = answer->certain;

	vote->fitting |= answer->roles;
	if (vote->any &&
	    (vote->certain > firm || (vote->certain == firm && vote->width < answer->width)))
		return;
	if (!vote->any || vote->certain < firm || vote->width > answer->width)
		vote->roles = 0;
	vote->any = true;
	vote->certain = firm;
	vote->width = answer->width;
	vote->opaque = answer->opaque;
	vote->roles |= answer->roles;
}

static void vote_hold(struct vote *vote, const struct scorer *s)
{
	*vote = (struct vote){.roles = 0};
	for (unsigned row = 0; row < s->policy->row_count; row++)
		for (unsigned form = 0; form < s->policy->rows[row].form_count; form++) {
			struct answer answer;

			if (form_answers(s, row, form, &answer))
				vote_take(vote, &answer);
		}
}

/* ------------------------------------------------------------- evidence */

/* Media says nothing of who the peer is; a relay that lets somebody in does. */
static bool is_media(const struct scorer *s)
{
	return s->certain && (s->app == APP_STUN || s->app == APP_RTP || s->app == APP_RTCP) &&
	       !(s->view->facts->asked & ASKED_TURN_ALLOCATE);
}

static bool is_answered(const struct flow_facts *facts)
{
	return facts->outcome == OUTCOME_ANSWERED && facts->packets[0] && facts->packets[1] &&
	       facts->payload_packets > 1;
}

static void name_add(struct holder *holder, const char *text, bool bound)
{
	struct holder_name *name = NULL;

	for (unsigned i = 0; i < holder->name_count && !name; i++)
		if (holder->names[i].bound == bound && !strcasecmp(holder->names[i].text, text))
			name = &holder->names[i];
	if (!name && holder->name_count < HOLDER_NAMES_MAX) {
		name = &holder->names[holder->name_count++];
		*name = (struct holder_name){.bound = bound};
		text_copy(name->text, sizeof(name->text), text);
	}
	if (name)
		name->flows++;
}

static void names_note(struct holder *holder, const struct view *view)
{
	for (unsigned i = 0; i < view->bound_count; i++)
		name_add(holder, view->bound[i], true);
	if (*view->name &&
	    (view->facts->name_kind == NAME_SNI || view->facts->name_kind == NAME_HTTP_HOST))
		name_add(holder, view->name, false);
}

/* In order. */
static void port_note(struct holder *holder, uint16_t port)
{
	unsigned at = 0;

	while (at < holder->port_count && holder->ports[at] < port)
		at++;
	if (holder->port_count == HOLDER_PORTS_MAX ||
	    (at < holder->port_count && holder->ports[at] == port))
		return;
	memmove(&holder->ports[at + 1], &holder->ports[at],
	        (holder->port_count - at) * sizeof(port));
	holder->ports[at] = port;
	holder->port_count++;
}

/* An opaque row takes anything: what speaks there is which of its ports were opened, and answered. */
static void opaque_note(struct holder *holder, const struct scorer *s,
                        const struct flow_view *flow)
{
	if (!is_answered(s->view->facts)) {
		trace_add(&holder->tried, flow);
		return;
	}
	port_note(holder, s->local->port);
	trace_add(&holder->proven, flow);
}

static void evidence_note(struct holder *holder, const struct scorer *s,
                          const struct vote *vote, const struct flow_view *flow)
{
	const struct flow_facts *facts = s->view->facts;
	bool answered = is_answered(facts);

	if (vote->certain && answered) {
		if (!holder->proven.flows)
			holder->app = s->app;
		holder->turn |= s->app == APP_MSTURN || facts->asked & ASKED_TURN_ALLOCATE;
		trace_add(&holder->proven, flow);
	} else if (answered) {
		trace_add(&holder->unknown, flow);
	} else {
		trace_add(&holder->tried, flow);
	}
	names_note(holder, s->view);
}

static uint32_t roles_where(const struct envelope *envelope,
                            bool (*is)(const struct role *role))
{
	uint32_t mask = 0;

	for (unsigned i = 0; i < envelope->role_count; i++)
		if (is(&envelope->roles[i]))
			mask |= (uint32_t)BIT(i);
	return mask;
}

/* The document, or the site in force, says who this is. */
static bool is_known(struct suggestion *suggestion, const struct scorer *s,
                     const struct vote *vote, const struct flow_view *flow)
{
	const struct envelope *envelope = s->policy->envelope;
	unsigned role;

	FOR_ROLES (role, vote->fitting) {
		const struct role *doc = &envelope->roles[role];

		if (role_is_anybodys(doc) || scorer_role(s, role) != FIT_MATCH)
			continue;
		trace_add(s->policy->holders[role].by_site ? &suggestion->held[role]
		                                           : &suggestion->built_in[role],
		          flow);
		return true;
	}
	return false;
}

static void rows_note(struct suggestion *suggestion, enum holders_pass pass,
                      const struct scorer *s, const struct flow_view *flow)
{
	const struct envelope *envelope = s->policy->envelope;
	uint32_t first = roles_where(envelope, role_is_first);
	struct holder *holder;
	struct vote vote;

	vote_hold(&vote, s);
	if (!vote.any || is_media(s))
		return;
	/* In the first pass nobody knows a name yet: whose flow it is shows later. */
	if (pass == HOLDERS_FIRST && !(vote.roles & first))
		return;
	if (is_known(suggestion, s, &vote, flow) ||
	    vote.roles & roles_where(envelope, role_is_anybodys))
		return;
	vote.roles &= ~roles_where(envelope, role_is_built_in);
	if (!vote.roles || (pass == HOLDERS_SECOND && vote.roles & first))
		return;
	holder = holder_at(suggestion, &s->remote->addr, vote.roles);
	if (!holder)
		return;
	if (vote.opaque)
		opaque_note(holder, s, flow);
	else if (vote.certain || s->view->facts->asked || is_answered(s->view->facts))
		evidence_note(holder, s, &vote, flow);
}

/* --------------------------------------------------- what is told otherwise */

static int role_with(const struct envelope *envelope, enum role_learn learn, bool proxy)
{
	for (unsigned i = 0; i < envelope->role_count; i++)
		if (proxy ? envelope->roles[i].proxy : envelope->roles[i].learn == learn)
			return (int)i;
	return -1;
}

/* Whoever answers DHCP: the server, or a relay in its place. */
static void dhcp_note(struct suggestion *suggestion, const struct scorer *s,
                      const struct flow_view *flow)
{
	const struct flow_facts *facts = s->view->facts;
	int role = role_with(s->policy->envelope, LEARN_DHCP_SERVER, false);
	struct holder *holder;

	if (role < 0 || s->group || s->remote->port != DHCP_SERVER_PORT)
		return;
	holder = holder_at(suggestion, &s->remote->addr, (uint32_t)BIT(role));
	if (!holder)
		return;
	if (!facts->packets[!s->view->local]) {
		trace_add(&holder->tried, flow);
		return;
	}
	if (!holder->proven.flows)
		holder->client = facts->chaddr;
	holder->app = APP_DHCP;
	holder->offers += facts->dhcp_type == DHCP_OFFER;
	trace_add(&holder->proven, flow);
}

static void proxy_note(struct suggestion *suggestion, const struct scorer *s,
                       const struct flow_view *flow)
{
	const struct flow_facts *facts = s->view->facts;
	int role = role_with(s->policy->envelope, LEARN_NOTHING, true);
	struct holder *holder =
		role < 0 ? NULL : holder_at(suggestion, &s->remote->addr, (uint32_t)BIT(role));

	if (!holder)
		return;
	holder->app = APP_HTTP;
	trace_add(facts->connect_status / 100 == STATUS_DONE / 100 ? &holder->proven
	                                                           : &holder->tried,
	          flow);
}

static bool is_microsofts(const struct envelope *envelope, const char *name)
{
	for (unsigned i = 0; i < envelope->role_count; i++)
		for (size_t n = 0; n < envelope->roles[i].endpoint.name_count; n++)
			if (name_fits(envelope->roles[i].endpoint.names[n], name))
				return true;
	return false;
}

/* "lyncdiscover.corp.example", asked for, says that corp.example is a domain of the site. */
static void domain_note(struct suggestion *suggestion, const struct flow_view *flow,
                        const struct envelope *envelope, const char *head)
{
	size_t len = strlen(head);
	const char *domain = flow->name + len + 1;
	struct domain *at = NULL;

	if (strncasecmp(flow->name, head, len) || flow->name[len] != '.' ||
	    !is_host_name(domain) || is_microsofts(envelope, flow->name))
		return;
	for (unsigned i = 0; i < suggestion->domain_count && !at; i++)
		if (!strcasecmp(suggestion->domains[i].text, domain))
			at = &suggestion->domains[i];
	if (!at && suggestion->domain_count < DOMAINS_MAX) {
		at = &suggestion->domains[suggestion->domain_count++];
		text_copy(at->text, sizeof(at->text), domain);
		text_copy(at->asked, sizeof(at->asked), flow->name);
	}
	if (!at)
		return;
	at->asked_more |= strcasecmp(at->asked, flow->name) != 0;
	trace_add(&at->trace, flow);
}

static void domains_note(struct suggestion *suggestion, const struct flow_view *flow,
                         const struct envelope *envelope)
{
	if (flow->facts.name_kind != NAME_DNS_QUESTION || !*flow->name ||
	    flow->facts.initiator != flow->local)
		return;
	for (unsigned i = 0; i < envelope->role_count; i++)
		for (size_t n = 0; n < envelope->roles[i].domain_name_count; n++)
			domain_note(suggestion, flow, envelope,
			            envelope->roles[i].domain_names[n]);
}

void holders_note(struct suggestion *suggestion, enum holders_pass pass,
                  const struct flow_view *flow, const struct past *past)
{
	const struct flow_facts *facts = &flow->facts;
	struct view view = past->view;
	struct scorer s;

	view.profiles = UINT32_MAX; /* which of them are in use is asked later */
	scorer_init(&s, past->policy, &view);
	if (pass == HOLDERS_FIRST)
		domains_note(suggestion, flow, past->policy->envelope);
	if (s.certain && s.app == APP_DHCP) {
		if (pass == HOLDERS_FIRST)
			dhcp_note(suggestion, &s, flow);
		return;
	}
	if (facts->connect_port && !s.proxied) {
		if (pass == HOLDERS_FIRST)
			proxy_note(suggestion, &s, flow);
		return;
	}
	if (s.group || s.proxied || addr_is_unspecified(&s.remote->addr))
		return;
	rows_note(suggestion, pass, &s, flow);
}
