/*
 * remedy_say.c - what a person may do about a finding that no change of the site file is proven to settle: at the
 * unit, or elsewhere in the network. Nothing is claimed here but what was seen.
 */
#include "monitor/acceptance/remedy_parts.h"

struct saying {
	const struct policy *policy;
	const struct finding_row *row;
	const struct sample *sample;
	const char *peer, *one; /* its role or prefix; one address of it */
	const char *expected, *seen;
	const char *transport;
	char *buf;
	size_t size;
};

#define SAY(s, ...) snprintf((s)->buf, (s)->size, __VA_ARGS__)

/* The roles by whom a row may be met that no site names: whoever takes part in a call, Microsoft's servers. */
static const char *open_roles(const struct saying *s, char *buf, size_t size, bool *ret_listed)
{
	const struct envelope *envelope = s->policy->envelope;
	int row = envelope_find_row(envelope, s->row->row);
	uint32_t roles = row < 0 ? 0 : envelope->rows[row].form[0].peers;

	*buf = '\0';
	*ret_listed = false;
	for (size_t i = 0; i < envelope->role_count; i++)
		if ((roles & BIT(i)) &&
		    (envelope->roles[i].by_ice || envelope->roles[i].endpoints)) {
			text_add(buf, size, "%s%s", *buf ? " or " : "", envelope->roles[i].id);
			*ret_listed |= envelope->roles[i].endpoints != NULL;
		}
	return buf;
}

static enum step_kind say_peer(const struct saying *s)
{
	char roles[256];
	bool listed;

	if (s->sample->groups) {
		SAY(s,
		    "No row documents %s to the group %s: switch it off at the unit, or stop it at "
		    "the next switch",
		    s->row->app ? app_name((enum app)s->row->app) : s->transport, s->one);
		return STEP_UNIT;
	}
	if (*open_roles(s, roles, sizeof(roles), &listed) && s->sample->public_peer) {
		SAY(s,
		    "Find out whose %s is: no list of %s holds it, and it answered no check of ICE; who "
		    "was in the call? %sIf nobody knows it, block it",
		    s->one, roles,
		    listed ? "Is the list of endpoints an old one ('tlmon rules lint')? " : "");
		return STEP_NETWORK;
	}
	if (*roles) {
		SAY(s,
		    "Find out whether %s took part in a call: it answered no check of ICE, and %s does "
		    "not hold it; if whole networks of yours hold clients, the site may say so under roles",
		    s->one, roles);
		return STEP_NETWORK;
	}
	SAY(s, "Find out why the unit talks to %s, and block it if nobody knows", s->one);
	return STEP_NETWORK;
}

static enum step_kind say_direction(const struct saying *s)
{
	if (s->sample->inbound)
		SAY(s,
		    "Only the unit may open this: block it on its way in, or find out why %s calls",
		    s->one);
	else
		SAY(s,
		    "Only the peer may open this: find out what at the unit calls %s, or block it on "
		    "its way out",
		    s->one);
	return STEP_NETWORK;
}

static enum step_kind say_service(const struct saying *s)
{
	const char *app = s->row->app ? app_name((enum app)s->row->app) : s->transport;

	if (s->sample->inbound) {
		SAY(s,
		    "No documented row is meant for this: find out why %s asks the unit for %s port %s, "
		    "and block it on its way in",
		    s->one, s->transport, s->row->port);
		return STEP_NETWORK;
	}
	SAY(s,
	    "No documented row is meant for this: switch %s off at the unit, or block %s%s%s to %s",
	    app, s->transport, *s->row->port ? " port " : "", s->row->port, s->peer);
	return STEP_UNIT;
}

/* Whether it is for the site to say where that role listens. */
static bool is_own_role(const struct saying *s)
{
	int role = envelope_find_role(s->policy->envelope, s->row->role);

	return role >= 0 && !s->policy->envelope->roles[role].endpoints &&
	       !s->policy->envelope->roles[role].by_ice;
}

static enum step_kind say_remote_port(const struct saying *s)
{
	const char *port = *s->seen ? s->seen : s->row->port;

	if (s->sample->other_app)
		return say_service(s);
	if (s->sample->peer_nat)
		SAY(s,
		    "A translator before the peer changed its port; nothing of yours is wrong");
	else if (!*s->row->role)
		SAY(s,
		    "Nothing tells that %s is the server that this row means. If it is, make it listen "
		    "at %s; if not, find out why the unit talks to it, and block it",
		    s->one, s->expected);
	else if (is_own_role(s))
		SAY(s, "Make %s listen at %s%s, or keep the unit from port %s", s->peer,
		    s->expected, s->sample->media ? " (where its calls are set up)" : "", port);
	else
		SAY(s,
		    "The document knows %s at port %s alone: find out what the unit does at port %s, and "
		    "keep it from there",
		    s->peer, s->expected, port);
	return STEP_NETWORK;
}

static enum step_kind say_local_port(const struct saying *s)
{
	int row = envelope_find_row(s->policy->envelope, s->row->row);

	if (s->sample->media || (row >= 0 && s->policy->envelope->rows[row].form[0].media)) {
		SAY(s, "Set the unit's media ports so that %s comes from %s", s->row->row,
		    s->expected);
		return STEP_UNIT;
	}
	if (s->sample->inbound)
		SAY(s,
		    "The document lets others ask the unit at port %s alone: find out why %s asks at "
		    "port %s, and end it",
		    s->expected, s->one, s->seen);
	else
		SAY(s, "Find out what at the unit speaks from port %s, and end it: %s comes from %s",
		    s->seen, s->row->row, s->expected);
	return s->sample->inbound ? STEP_NETWORK : STEP_UNIT;
}

static enum step_kind say_by_kind(const struct saying *s)
{
	switch (s->row->kind) {
	case KIND_IP_VERSION:
	case KIND_TRANSPORT:
		SAY(s, "Make %s use %s%s for it, or block this way at the network",
		    s->sample->inbound ? s->one : "the unit",
		    s->row->kind == KIND_IP_VERSION ? "IPv" : "", s->expected);
		return s->sample->inbound ? STEP_NETWORK : STEP_UNIT;
	case KIND_DIRECTION:
		return say_direction(s);
	case KIND_PEER:
		return say_peer(s);
	case KIND_REMOTE_PORT:
		return say_remote_port(s);
	case KIND_APPLICATION:
		SAY(s,
		    "What speaks there is %s%snot %s: find out who does it, and end it; no site file "
		    "excuses it but a waiver",
		    s->seen, *s->seen ? ", and " : "", s->expected);
		return s->sample->inbound ? STEP_NETWORK : STEP_UNIT;
	case KIND_LOCAL_PORT:
		return say_local_port(s);
	case KIND_MEDIA:
		SAY(s,
		    "Give each kind of media its own ports (%s belongs there); queues and firewalls rely "
		    "on them",
		    s->expected);
		return STEP_UNIT;
	case KIND_UNLISTED_UNIT:
		SAY(s, "List it in the site file, or find out whose it is");
		return STEP_SITE;
	default:
		return say_service(s);
	}
}

enum step_kind remedy_say(const struct policy *policy, const struct remedy_finding *finding,
                          const struct sample *sample, char *buf, size_t size)
{
	const struct finding_row *row = finding->row;
	char addr[ADDR_TEXT];
	struct saying s = {.policy = policy,
	                   .row = row,
	                   .sample = sample,
	                   .peer = *row->role     ? row->role
	                           : *row->remote ? row->remote
	                                          : "the peer",
	                   .expected = *sample->differs.expected ? sample->differs.expected
	                                                         : "what the row says",
	                   .seen = sample->differs.seen,
	                   .transport = row->transport ? transport_name(row->transport) : "it",
	                   .buf = buf,
	                   .size = size};

	s.one = sample->peer_count ? addr_print(&sample->peers[0], addr) : s.peer;
	return say_by_kind(&s);
}
