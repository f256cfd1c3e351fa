/*
 * sentence.c - a verdict as one line that says what the flow is, how it stands to the document, and
 * what would settle it.
 */
#include "rules/score.h"

#include <ctype.h>

struct line {
	char *buf;
	size_t size;
};

#define HOLDER_TEXT (NAME_MAX_LEN + 1)

#define ADD(line, ...) text_add((line)->buf, (line)->size, __VA_ARGS__)

/* The same without printf, for what nearly every sentence says. */
static void put(const struct line *line, const char *text)
{
	text_append(line->buf, line->size, text);
}

static void put_number(const struct line *line, uint32_t number)
{
	text_number(line->buf, line->size, number);
}

/* "UDP audio from local port 50063 to 52.112.1.9:50011" */
static void flow_add(const struct line *line, const struct scorer *s)
{
	const struct flow_facts *facts = s->view->facts;
	const char *word = transport_name(facts->transport);
	bool inspected = !s->certain && s->view->evidence == EVIDENCE_INSPECTED;
	char transport[16], addr[ADDR_TEXT];
	size_t i = 0;

	for (; word[i] && i + 1 < sizeof(transport); i++)
		transport[i] = (char)toupper((unsigned char)word[i]);
	transport[i] = '\0';
	put(line, transport);
	if (facts->media) {
		put(line, " ");
		put(line, media_name(facts->media));
	} else if ((s->certain || inspected) && s->view->app != APP_NONE) {
		put(line, " ");
		put(line, app_name(s->view->app));
		put(line, inspected ? " (inspected)" : "");
	}
	if (facts->transport == TRANSPORT_ICMP || facts->transport == TRANSPORT_ICMP6) {
		ADD(line, " with ");
		scorer_print_peer(s, false, line->buf, line->size);
	} else if (s->direction == DIRECTION_IN) {
		put(line, " from ");
		scorer_print_peer(s, true, line->buf, line->size);
		put(line, " to local port ");
		put_number(line, s->local->port);
	} else {
		put(line, s->direction ? " from local port " : " between local port ");
		put_number(line, s->local->port);
		put(line, s->direction ? " to " : " and ");
		scorer_print_peer(s, true, line->buf, line->size);
	}
	if (scorer_is_asked_for(s))
		ADD(line, s->remote->port ? " by the proxy %s port %u" : " by the proxy %s",
		    addr_print(&s->remote->addr, addr), s->remote->port);
	put(line, ": ");
}

static void rows_add(const struct line *line, const struct policy *policy,
                     const struct verdict *verdict)
{
	for (unsigned i = 0; i < verdict->row_count; i++)
		ADD(line, "%s%s",
		    !i                            ? ""
		    : i + 1 == verdict->row_count ? " or "
		                                  : ", ",
		    policy->rows[verdict->rows[i]].id);
}

static uint32_t row_peers(const struct row *row)
{
	uint32_t peers = 0;

	for (unsigned form = 0; form < row->form_count; form++)
		peers |= row->form[form].peers;
	return peers;
}

/* Named roles, the ones a site can list holders under. */
static void roles_add(const struct line *line, const struct scorer *s, uint32_t roles,
                      const char *between)
{
	const struct envelope *env = s->policy->envelope;
	bool first = true;

	for (unsigned role = 0; role < env->role_count; role++)
		if (roles >> role & 1 && !env->roles[role].anyone) {
			ADD(line, "%s%s", first ? "" : between, env->roles[role].id);
			first = false;
		}
}

static void why_add(const struct line *line, const struct scorer *s,
                    const struct verdict *verdict)
{
	uint32_t open = 0, peers = row_peers(&s->policy->rows[verdict->rows[0]]);

	switch (verdict->why) {
	case WHY_MIDSTREAM:
		ADD(line, "its beginning was not seen");
		break;
	case WHY_ONE_SIDED:
		ADD(line, "the mirror shows one direction of it");
		break;
	case WHY_TOO_FEW_PACKETS:
		ADD(line, "too few packets to know the application");
		break;
	case WHY_ENCRYPTED:
		ADD(line, "TLS hides which service it is");
		break;
	case WHY_NO_INSPECTOR:
		ADD(line, "its application is unknown and no inspector was running");
		break;
	case WHY_ROLE_UNKNOWN:
		if (scorer_is_asked_for(s)) {
			ADD(line, "where the proxy went to was not seen");
			break;
		}
		for (unsigned role = 0; role < s->policy->envelope->role_count; role++)
			if (peers >> role & 1 && scorer_role(s, role) == FIT_UNKNOWN)
				open |= UINT32_C(1) << role;
		ADD(line, "nothing proves the peer");
		if (open) {
			ADD(line, "; list it under ");
			roles_add(line, s, open, " or ");
			ADD(line, " if it is one");
		}
		break;
	default:
		ADD(line, s->policy->nat ? "local ports are not judged behind a translator"
		                         : "its application is unknown");
	}
}

/* Who refuses it: the end that was asked, or somebody before it. */
static void refuser_add(const struct line *line, const struct scorer *s)
{
	const struct flow_facts *facts = s->view->facts;
	bool in = s->direction == DIRECTION_IN;
	const struct endpoint *asked = in ? s->local : s->remote;
	char addr[ADDR_TEXT];

	if (facts->icmp_type && !addr_is_unspecified(&facts->icmp_sender) &&
	    !addr_equal(&facts->icmp_sender, &asked->addr)) {
		ADD(line, ", but %s on the way refuses it (ICMP %u/%u); open it there",
		    addr_print(&facts->icmp_sender, addr), facts->icmp_type, facts->icmp_code);
		return;
	}
	if (facts->connect_port && facts->connect_status) {
		ADD(line, ", but the proxy refuses it (HTTP %u); allow it there",
		    facts->connect_status);
		return;
	}
	ADD(line, ", but %s refuses it", in ? "the unit" : "the peer");
	if (facts->icmp_type)
		ADD(line, " (ICMP %u/%u)", facts->icmp_type, facts->icmp_code);
	ADD(line, in ? "" : "; is the service running there?");
}

static void outcome_add(const struct line *line, const struct scorer *s,
                        const struct verdict *verdict)
{
	const struct flow_facts *facts = s->view->facts;
	char addr[ADDR_TEXT];

	switch (verdict->kind) {
	case KIND_BLOCKED_SILENT:
		ADD(line, ", but nothing came back to ");
		if (facts->tries > 1)
			ADD(line, "%u tries in %.1f s", facts->tries,
			    (double)(facts->last_us - facts->first_try_us) / 1e6);
		else
			ADD(line, "it, nor to the same from another port");
		if (facts->icmp_type)
			ADD(line, "; %s says that it cannot be reached (ICMP %u/%u)",
			    addr_print(&facts->icmp_sender, addr), facts->icmp_type,
			    facts->icmp_code);
		else
			ADD(line, "; look for a filter on the way");
		break;
	case KIND_BLOCKED_PROHIBITED:
		ADD(line, ", but %s forbids it (ICMP %u/%u); open it there",
		    addr_print(&facts->icmp_sender, addr), facts->icmp_type, facts->icmp_code);
		break;
	case KIND_REFUSED:
		refuser_add(line, s);
		break;
	default:
		break;
	}
}

static void documented_add(const struct line *line, const struct scorer *s,
                           const struct verdict *verdict)
{
	ADD(line, "documented by ");
	rows_add(line, s->policy, verdict);
	if (verdict->kind) {
		outcome_add(line, s, verdict);
	} else if (verdict->grade == GRADE_UNPROVEN) {
		ADD(line, ", unproven: ");
		why_add(line, s, verdict);
	} else if (verdict->grade == GRADE_WIDE) {
		ADD(line, ", a wide row that accepts almost any port");
	}
}

static const char *plural(const char *ports)
{
	return strpbrk(ports, "-,") ? "s" : "";
}

/* Roles of the row that the flow's own name would fit: a claim of whoever sent it. */
static uint32_t claimed_roles(const struct scorer *s, unsigned row)
{
	return s->claim && !s->proxied
	               ? s->claimed & row_peers(&s->policy->rows[row]) & ~s->anyone
	               : 0;
}

/* Roles the peer is known under; a host that a proxy was asked for is known by what it is called. */
static uint32_t known_roles(const struct scorer *s)
{
	uint32_t claimed = scorer_is_asked_for(s) ? s->claimed : 0;

	return (s->listed | s->bound | claimed) & ~s->places;
}

/* What a site would list under a role: the peer's address, or what a proxy was asked for. */
static const char *holder_print(const struct scorer *s, char buf[HOLDER_TEXT])
{
	buf[0] = '\0';
	if (scorer_is_asked_for(s))
		scorer_print_peer(s, false, buf, HOLDER_TEXT);
	else
		addr_print(&s->remote->addr, buf);
	return buf;
}

/* Nobody is taken for a name that a flow carries, nor for what the site knows him not to be. */
static void peer_add(const struct line *line, const struct scorer *s, unsigned row,
                     const struct differs *differs)
{
	uint32_t claimed = claimed_roles(s, row), known = known_roles(s);
	char addr[HOLDER_TEXT];

	holder_print(s, addr);
	ADD(line, "is for %s, and ", differs->expected);
	if (claimed)
		ADD(line, "that name is only what %s claims: ",
		    s->direction == DIRECTION_OUT  ? "the unit"
		    : s->direction == DIRECTION_IN ? "the peer"
		                                   : "the flow");
	if (known) {
		ADD(line, "%s is known as ", addr);
		roles_add(line, s, known, " and ");
	} else if (claimed) {
		ADD(line, "%s is no address that ", addr);
		roles_add(line, s, claimed, " or ");
		ADD(line, " lists or a dns-server gave for it");
	} else {
		ADD(line, "%s is not known as such", differs->seen);
	}
}

static void differs_add(const struct line *line, const struct scorer *s, unsigned row,
                        const struct differs *differs)
{
	switch (differs->field) {
	case FIELD_IP_VERSION:
		ADD(line, "is documented for IPv%s, not IPv%s", differs->expected,
		    differs->seen);
		break;
	case FIELD_TRANSPORT:
		ADD(line, "is %s, not %s", differs->expected, differs->seen);
		break;
	case FIELD_DIRECTION:
		ADD(line, "is opened %s",
		    !strcmp(differs->expected, "in") ? "by the peer, not by the unit"
		                                     : "by the unit, not by the peer");
		break;
	case FIELD_PEER:
		peer_add(line, s, row, differs);
		break;
	case FIELD_REMOTE_PORT:
		ADD(line, "allows remote port%s %s", plural(differs->expected),
		    differs->expected);
		break;
	case FIELD_APPLICATION:
		ADD(line, "is for %s, and this is %s", differs->expected, differs->seen);
		break;
	case FIELD_LOCAL_PORT:
		ADD(line, "allows local port%s %s", plural(differs->expected),
		    differs->expected);
		break;
	case FIELD_MEDIA:
		ADD(line, "is for %s, not %s", differs->expected, differs->seen);
		break;
	default:
		break;
	}
}

/* When the peer's address belongs under the roles of the row. */
static void list_add(const struct line *line, const struct scorer *s, unsigned row)
{
	uint32_t claimed = claimed_roles(s, row), known = known_roles(s);
	char addr[HOLDER_TEXT];

	ADD(line, claimed ? "; " : known ? "; if it is both, " : "; if it is, ");
	ADD(line, "list %s under roles: ", holder_print(s, addr));
	roles_add(line, s, claimed ? claimed : row_peers(&s->policy->rows[row]), " or ");
	ADD(line, claimed ? " only if it is right" : "");
}

/* It was asked for another host, so it is a web proxy, and nobody listed it as one. */
static void proxy_add(const struct line *line, const struct scorer *s)
{
	const struct envelope *env = s->policy->envelope;
	char addr[ADDR_TEXT];

	for (unsigned role = 0; role < env->role_count; role++)
		if (env->roles[role].proxy)
			ADD(line, "; if %s is the site's web proxy, list it under roles: %s",
			    addr_print(&s->remote->addr, addr), env->roles[role].id);
}

/* The smallest change of site file or network that would settle it. */
static void remedy_add(const struct line *line, const struct scorer *s,
                       const struct verdict *verdict)
{
	const struct nearest *nearest = &verdict->nearest[0];

	if (s->view->facts->connect_port && !s->proxied && s->direction == DIRECTION_OUT) {
		proxy_add(line, s);
	} else if (!strcmp(verdict->reason, "vbss")) {
		ADD(line, "; screen sharing sent as video: options.allow-vbss accepts it");
	} else if (!strcmp(verdict->reason, "peer_nat")) {
		ADD(line, "; the peer answered an ICE check, so a translator changed its port");
	} else if (nearest->count != 1) {
		return;
	} else if (verdict->kind == KIND_PEER && !s->group) {
		list_add(line, s, nearest->row);
	} else if (verdict->kind == KIND_LOCAL_PORT && s->view->facts->media) {
		ADD(line,
		    "; set the unit's media ports so, or options.nat if the mirror sees translated ports");
	}
}

static void outside_add(const struct line *line, const struct scorer *s,
                        const struct verdict *verdict)
{
	const struct nearest *nearest = &verdict->nearest[0];

	if (!verdict->nearest_count) {
		ADD(line, "no documented row applies to this unit");
		return;
	}
	if (verdict->kind == KIND_SERVICE) {
		put(line, "no documented row comes near; the nearest, ");
		put(line, s->policy->rows[nearest->row].id);
		put(line, ", differs in ");
		for (unsigned i = 0; i < nearest->count; i++) {
			put(line, !i                        ? ""
			          : i + 1 == nearest->count ? " and "
			                                    : ", ");
			put(line, field_name(nearest->differs[i].field));
		}
		remedy_add(line, s, verdict);
		return;
	}
	put(line, s->policy->rows[nearest->row].id);
	put(line, " ");
	for (unsigned i = 0; i < nearest->count; i++) {
		put(line, i ? ", and it " : "");
		differs_add(line, s, nearest->row, &nearest->differs[i]);
	}
	remedy_add(line, s, verdict);
}

const char *judge_sentence(const struct policy *policy, const struct view *view,
                           const struct verdict *verdict, char *buf, size_t size)
{
	struct line line = {.buf = buf, .size = size};
	struct scorer s;

	buf[0] = '\0';
	scorer_init(&s, policy, view);
	flow_add(&line, &s);
	switch (verdict->ruling) {
	case RULING_DOCUMENTED:
		documented_add(&line, &s, verdict);
		break;
	case RULING_OUTSIDE:
		outside_add(&line, &s, verdict);
		break;
	case RULING_UNDETERMINED:
		ADD(&line, "cannot tell whether ");
		rows_add(&line, policy, verdict);
		ADD(&line, " covers it: ");
		why_add(&line, &s, verdict);
		break;
	default:
		ADD(&line, "link upkeep that no envelope lists");
	}
	return buf;
}
