/*
 * settle.c - evidence of roles -> who is proposed, and by which name. What every rule here has in common: a wrong
 * proposal would call documented what is not, and nobody would see it again. So who is proposed has answered in
 * the role's protocol, or DNS or DHCP said who it is before it was asked; whatever else speaks for a host, its place
 * beside a proven one or a name that the unit alone says, only tells under which role it is commented out.
 */
#include "monitor/suggest/parts.h"

#include <stdarg.h>

#define BESIDE 4 /* servers of a role mostly stand in a row: so many addresses apart at most */
#define OPAQUE_PORTS_MIN \
	2 /* of the ports that a panel opens: one alone anybody may have tried */

/* ------------------------------------------------------------------- names */

static bool is_below(const char *name, const char *domain)
{
	size_t len = strlen(name), tail = strlen(domain);

	return len > tail + 1 && name[len - tail - 1] == '.' &&
	       !strcasecmp(name + len - tail, domain);
}

static bool has_domains(const struct suggestion *suggestion)
{
	const struct policy *in_force = suggestion->options.in_force;

	return suggestion->domain_count || (in_force && in_force->domain_count);
}

/* Of a domain of the site. While none is known any name is as good. */
static bool is_own_name(const struct suggestion *suggestion, const char *name)
{
	const struct policy *in_force = suggestion->options.in_force;

	for (unsigned i = 0; i < suggestion->domain_count; i++)
		if (is_below(name, suggestion->domains[i].text))
			return true;
	for (size_t i = 0; in_force && i < in_force->domain_count; i++)
		if (is_below(name, in_force->domains[i]))
			return true;
	return !has_domains(suggestion);
}

static bool is_claimed(const struct holder *holder, const char *text)
{
	for (unsigned i = 0; i < holder->name_count; i++)
		if (!holder->names[i].bound && !strcasecmp(holder->names[i].text, text))
			return true;
	return false;
}

/* A name that DNS bound to it for each flow: the one that the flows claim themselves before all others. */
static void take_name(const struct suggestion *suggestion, struct holder *holder)
{
	uint64_t flows = holder->proven.flows + holder->unknown.flows + holder->tried.flows;
	const struct holder_name *best = NULL;

	for (unsigned i = 0; i < holder->name_count; i++) {
		const struct holder_name *name = &holder->names[i];
		int order;

		if (!name->bound || name->flows < flows || !is_host_name(name->text) ||
		    !is_own_name(suggestion, name->text))
			continue;
		order = best ? is_claimed(holder, name->text) - is_claimed(holder, best->text)
		             : 1;
		if (!order)
			order = strcasecmp(best->text, name->text);
		if (order > 0)
			best = name;
	}
	text_copy(holder->name, sizeof(holder->name), best ? best->text : "");
}

/* "sts", "sts1", "sts-b" of habit "sts". */
static bool has_habit(const struct role *role, const char *name)
{
	size_t label = strcspn(name, ".");

	for (size_t i = 0; i < role->habit_count; i++) {
		size_t len = strlen(role->habits[i]);

		if (label < len || strncasecmp(name, role->habits[i], len) != 0)
			continue;
		if (label == len || name[len] == '-' ||
		    strspn(name + len, "0123456789") == label - len)
			return true;
	}
	return false;
}

/* The role that one of the names is habitual for; -1. `bound`: names that DNS bound, else claims. */
static int role_by_habit(const struct suggestion *suggestion, const struct holder *holder,
                         bool bound)
{
	const struct envelope *envelope = suggestion->options.envelope;

	for (unsigned i = 0; i < holder->name_count; i++) {
		const struct holder_name *name = &holder->names[i];

		if (name->bound != bound || !is_host_name(name->text) ||
		    !is_own_name(suggestion, name->text))
			continue;
		for (unsigned role = 0; role < envelope->role_count; role++)
			if (holder->roles >> role & 1 &&
			    has_habit(&envelope->roles[role], name->text))
				return (int)role;
	}
	return -1;
}

/* ------------------------------------------------------------------ deciding */

static void doubt(struct holder *holder, const char *fmt, ...) PRINTF(2, 3);

static void doubt(struct holder *holder, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(holder->why, sizeof(holder->why), fmt, args);
	va_end(args);
	holder->state = HOLDER_DOUBTED;
}

static int lowest_role(uint32_t roles)
{
	return __builtin_ctz(roles);
}

static bool is_single(uint32_t roles)
{
	return !(roles & (roles - 1));
}

/* Whoever holds it by the site in force is enough: somebody decided that. */
static bool is_taken(const struct suggestion *suggestion, int role)
{
	const struct policy *in_force = suggestion->options.in_force;

	return in_force && in_force->holders[role].by_site;
}

static void propose(const struct suggestion *suggestion, struct holder *holder, int role)
{
	const struct policy *in_force = suggestion->options.in_force;

	holder->role = role;
	holder->state = HOLDER_ACTIVE;
	if (in_force && policy_roles_of_addr(in_force, &holder->addr) >> role & 1) {
		holder->state = HOLDER_KNOWN;
		return;
	}
	if (is_taken(suggestion, role))
		doubt(holder,
		      "the site file names others for this role; add it there if it is one");
}

static const struct holder *active_at(const struct suggestion *suggestion,
                                      const struct addr *addr, uint32_t roles)
{
	for (size_t i = 0; i < suggestion->holder_count; i++) {
		const struct holder *holder = &suggestion->holders[i];

		if (holder->state == HOLDER_ACTIVE && roles >> holder->role & 1 &&
		    addr_equal(&holder->addr, addr))
			return holder;
	}
	return NULL;
}

/* How far apart in one subnet of common size (/24, /64); more than BESIDE: not near. */
static unsigned distance(const struct addr *a, const struct addr *b)
{
	size_t subnet = addr_is_v4(a) ? 15 : 8;
	uint64_t x = 0, y = 0;

	if (addr_is_v4(a) != addr_is_v4(b) || memcmp(a, b, subnet) != 0)
		return BESIDE + 1;
	for (size_t i = 8; i < 16; i++) {
		x = x << 8 | a->b[i];
		y = y << 8 | b->b[i];
	}
	x = x > y ? x - y : y - x;
	return x > BESIDE ? BESIDE + 1 : (unsigned)x;
}

/* A holder that is proven on its own and stands beside it. */
static const struct holder *beside(const struct suggestion *suggestion,
                                   const struct holder *holder, uint32_t roles)
{
	const struct holder *nearest = NULL;

	for (size_t i = 0; i < suggestion->holder_count; i++) {
		const struct holder *other = &suggestion->holders[i];

		if (other == holder || other->state != HOLDER_ACTIVE || *other->why ||
		    !(roles >> other->role & 1) ||
		    distance(&other->addr, &holder->addr) > BESIDE)
			continue;
		if (!nearest || distance(&other->addr, &holder->addr) <
		                        distance(&nearest->addr, &holder->addr))
			nearest = other;
	}
	return nearest;
}

/* It stays a comment, under the role of a proven holder close by if there is one. */
static void doubt_beside(const struct suggestion *suggestion, struct holder *holder,
                         const char *why)
{
	const struct holder *other = beside(suggestion, holder, holder->roles);
	char addr[ADDR_TEXT];

	holder->role = other ? other->role : lowest_role(holder->roles);
	if (other)
		doubt(holder, "%s; it stands beside %s", why, addr_print(&other->addr, addr));
	else
		doubt(holder, "%s", why);
}

/*
 * Nobody answered; but each time the site's DNS had told the unit that this is a host of the site's, and what it is
 * there for is said by the port, where one role alone has it, or by a habit of naming. An answer of something else
 * that nobody knows says more than both.
 */
static bool settle_named(const struct suggestion *suggestion, struct holder *holder, int role)
{
	if (holder->proven.flows || holder->unknown.flows || !has_domains(suggestion))
		return false;
	take_name(suggestion, holder);
	if (*holder->name)
		propose(suggestion, holder, role);
	return *holder->name;
}

/* One role is left, and the protocol proves it: whether the host may be believed to be the site's. */
static void settle_proven(struct suggestion *suggestion, struct holder *holder)
{
	int role = lowest_role(holder->roles);
	const struct role *doc = &suggestion->options.envelope->roles[role];

	holder->role = role;
	if (!role_is_first(doc) && !holder->port_count)
		take_name(suggestion, holder);
	if (holder->port_count && holder->port_count < OPAQUE_PORTS_MIN)
		doubt(holder, "it opened one of the ports only, which anybody may try");
	else if (!holder->turn && !holder->taught && !*holder->name &&
	         !is_near_units(suggestion, &holder->addr))
		doubt(holder, "a public address, and DNS bound no name of yours to it");
	else
		propose(suggestion, holder, role);
}

/* Several roles offer what was seen (TLS on 443), or nobody answered: a name must tell. */
static void settle_open(struct suggestion *suggestion, struct holder *holder)
{
	int role = is_single(holder->roles) ? lowest_role(holder->roles)
	                                    : role_by_habit(suggestion, holder, true);

	if (active_at(suggestion, &holder->addr, holder->roles))
		return; /* it holds one of them anyhow */
	if (role >= 0 && settle_named(suggestion, holder, role))
		return;
	if (role >= 0 && holder->proven.flows) {
		take_name(suggestion, holder);
		propose(suggestion, holder, role);
		return;
	}
	role = role_by_habit(suggestion, holder, false);
	if (role >= 0) {
		holder->roles = (uint32_t)BIT(role);
		doubt_beside(suggestion, holder, "only the unit itself says its name (SNI)");
	}
}

/* Web services of a host that holds another role by proof, under the same name: the row that says `tls` itself. */
static bool serves_tls(const struct envelope *envelope, unsigned role)
{
	for (size_t i = 0; i < envelope->row_count; i++)
		for (unsigned f = 0; f < envelope->rows[i].form_count; f++)
			if (envelope->rows[i].form[f].peers >> role & 1 &&
			    envelope->rows[i].form[f].tls)
				return true;
	return false;
}

static void settle_same_host(struct suggestion *suggestion, struct holder *holder)
{
	const struct envelope *envelope = suggestion->options.envelope;
	const struct holder *other = active_at(suggestion, &holder->addr, UINT32_MAX);

	take_name(suggestion, holder);
	if (!holder->proven.flows || !other || other->port_count ||
	    role_is_first(&envelope->roles[other->role]) || !*holder->name)
		return;
	for (unsigned role = 0; role < envelope->role_count; role++)
		if (holder->roles >> role & 1 && serves_tls(envelope, role)) {
			propose(suggestion, holder, (int)role);
			snprintf(holder->why, sizeof(holder->why), "web services of the %s",
			         envelope->roles[other->role].id);
			return;
		}
}

/* What is left: said where it may be the site's, else it is just a stranger. */
static void settle_rest(struct suggestion *suggestion, struct holder *holder)
{
	const struct envelope *envelope = suggestion->options.envelope;
	bool own = is_near_units(suggestion, &holder->addr);
	char roles[120] = "";

	if (active_at(suggestion, &holder->addr, holder->roles))
		return;
	if (!holder->proven.flows) {
		if (own || is_single(holder->roles) ||
		    beside(suggestion, holder, holder->roles))
			doubt_beside(suggestion, holder,
			             holder->unknown.flows ? "the port alone speaks for it"
			                                   : "no answer proves it");
		return;
	}
	for (unsigned i = 0; i < holder->name_count; i++)
		own |= suggestion->domain_count &&
		       is_own_name(suggestion, holder->names[i].text);
	if (!own)
		return;
	for (unsigned role = 0; role < envelope->role_count; role++)
		if (holder->roles >> role & 1)
			text_add(roles, sizeof(roles), "%s%s", *roles ? " or " : "",
			         envelope->roles[role].id);
	holder->role = lowest_role(holder->roles);
	doubt(holder, "nothing tells whether it is %s", roles);
}

/* ------------------------------------------------------------------- DHCP */

static void settle_dhcp(struct suggestion *suggestion, struct holder *holder)
{
	holder->role = lowest_role(holder->roles);
	if (holder->leases || !addr_is_unspecified(&holder->relays_for))
		propose(suggestion, holder, holder->role);
	else if (holder->proven.flows)
		doubt(holder, "it answered, but no unit took a lease of it (no ACK was seen)");
	else
		doubt(holder, "it never answered");
}

/* A resolver on the internet is one's own only where there is no other. */
static void settle_resolver(struct suggestion *suggestion, struct holder *holder)
{
	bool others = false;

	for (size_t i = 0; i < suggestion->holder_count; i++) {
		const struct holder *other = &suggestion->holders[i];

		others |= other != holder && other->roles == holder->roles &&
		          other->proven.flows &&
		          (other->taught || is_near_units(suggestion, &other->addr));
	}
	if (holder->taught || is_near_units(suggestion, &holder->addr) || !others)
		propose(suggestion, holder, lowest_role(holder->roles));
	else {
		holder->role = lowest_role(holder->roles);
		doubt(holder, "a public resolver, and the units have others of their own");
	}
}

/* ------------------------------------------------------------------- order */

static int compare_holders(const void *a, const void *b)
{
	const struct holder *x = a, *y = b;
	int order = x->role - y->role;

	order = order ? order : x->state - y->state;
	order = order ? order : addr_compare(&x->addr, &y->addr);
	return order ? order : (x->roles > y->roles) - (x->roles < y->roles);
}

static void settle_first(struct suggestion *suggestion, struct holder *holder)
{
	const struct role *role =
		&suggestion->options.envelope->roles[lowest_role(holder->roles)];

	if (role->learn == LEARN_DHCP_SERVER)
		settle_dhcp(suggestion, holder);
	else if (role->learn == LEARN_DHCP_DNS && (holder->proven.flows || holder->taught))
		settle_resolver(suggestion, holder);
	else if (holder->proven.flows)
		settle_proven(suggestion, holder);
}

static bool is_of(const struct suggestion *suggestion, enum holders_pass pass,
                  const struct holder *holder)
{
	bool first =
		role_is_first(&suggestion->options.envelope->roles[lowest_role(holder->roles)]);

	return holder->state == HOLDER_NOTED && first == (pass == HOLDERS_FIRST);
}

/* The certain ones first: the others may stand beside them, or be them. */
int holders_settle(struct suggestion *suggestion, enum holders_pass pass, struct err *err)
{
	enum { CERTAIN, OPEN, SAME_HOST, REST, STEPS };
	int r = pass == HOLDERS_FIRST ? leases_note(suggestion, err) : 0;

	for (int step = CERTAIN; step < STEPS && r >= 0; step++)
		for (size_t i = 0; i < suggestion->holder_count; i++) {
			struct holder *holder = &suggestion->holders[i];

			if (!is_of(suggestion, pass, holder))
				continue;
			if (step == REST)
				settle_rest(suggestion, holder);
			else if (pass == HOLDERS_FIRST && step == CERTAIN)
				settle_first(suggestion, holder);
			else if (step == CERTAIN && is_single(holder->roles) &&
			         holder->proven.flows)
				settle_proven(suggestion, holder);
			else if (step == OPEN &&
			         (pass == HOLDERS_SECOND || !is_single(holder->roles)))
				settle_open(suggestion, holder);
			else if (step == SAME_HOST && !is_single(holder->roles))
				settle_same_host(suggestion, holder);
		}
	if (suggestion->holder_count)
		qsort(suggestion->holders, suggestion->holder_count,
		      sizeof(*suggestion->holders), compare_holders);
	return r < 0 ? r : 0;
}
