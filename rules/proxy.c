/*
 * proxy.c - a flow to the site's web proxy is judged by the host it asks for (domain.md A2): CONNECT
 * names host and port (RFC 9110 9.3.6), a GET by absolute URI the host, on port 80. Both are claims of
 * the client, and where the proxy went nobody saw: no role is ever proven by them.
 */
#include "rules/score.h"

#define PORT_HTTP 80
#define PORT_HTTPS 443
#define PORT_FIRST_FREE 1024

/*
 * Whether this is a conversation with the proxy as such. It begins in HTTP, or in TLS where the
 * beginning was missed; what is certainly neither, or goes to a well-known port of something else, is a
 * conversation with that machine.
 */
static bool is_by_proxy(const struct scorer *s)
{
	const struct flow_facts *facts = s->view->facts;
	uint16_t port = s->remote->port;

	if (facts->transport != TRANSPORT_TCP ||
	    (s->direction == DIRECTION_IN && s->direction_firm))
		return false;
	if (facts->connect_port)
		return true;
	if (s->certain)
		return s->view->app == APP_HTTP || (s->view->app == APP_TLS && s->claim);
	return !app_set_has(&facts->not_apps, APP_HTTP) &&
	       (port >= PORT_FIRST_FREE || port == PORT_HTTP || port == PORT_HTTPS);
}

void scorer_proxy(struct scorer *s)
{
	const struct flow_facts *facts = s->view->facts;
	struct addr asked;

	if (!is_by_proxy(s))
		return;
	s->proxied = true;
	s->tunnel = facts->connect_port && s->view->app == APP_HTTP;
	if (facts->connect_port)
		s->port = facts->connect_port;
	else if (s->certain && s->view->app == APP_HTTP)
		s->port = PORT_HTTP;
	else
		s->port = 0;
	if (!s->claim)
		return;
	/* Who the proxy itself is, by its address or by DNS, does not matter any more. */
	s->bound = 0;
	s->listed = addr_parse(s->view->name, &asked) < 0
	                    ? 0
	                    : policy_roles_of_addr(s->policy, &asked);
}

/* Each role is held by the host asked for at best as far as it is claimed. */
enum fit scorer_proxy_role(const struct scorer *s, unsigned role)
{
	const struct role_holders *held = &s->policy->holders[role];
	uint32_t bit = UINT32_C(1) << role, known = (s->listed | s->claimed) & ~s->places;

	if (s->anyone & bit)
		return FIT_MATCH;
	if (known & bit)
		return FIT_UNKNOWN;
	/* Nobody holds it as far as we know, and the host is nobody else. */
	return held->prefix_count || held->name_count || known ? FIT_MISMATCH : FIT_UNKNOWN;
}
