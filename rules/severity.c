/*
 * severity.c - how bad is a flow outside (domain.md 5.4, 7.2). The first rule that holds decides:
 * what the row itself says of the field, clear-text SIP, another application on a listed port, the
 * media rules, inbound, the innocent-looking, and last where the peer is.
 */
#include "rules/score.h"

/* What units do that no row lists, by where they go to (domain.md 7.2), ... */
static const struct {
	uint16_t port;
	bool tcp, udp;
	enum severity severity;
	enum app app; /* ... and what they speak there, where that is said for certain at all */
} INNOCENT[] = {
	{123, false, true, SEVERITY_LOW, APP_NTP},  /* NTP: needed in practice */
	{5353, false, true, SEVERITY_LOW, APP_MDNS}, /* mDNS */
	{1900, false, true, SEVERITY_LOW, APP_SSDP}, /* SSDP */
	{3702, false, true, SEVERITY_LOW, APP_WSD}, /* WSD */
	{137, false, true, SEVERITY_LOW, APP_NETBIOS},  /* NBNS */
	{138, false, true, SEVERITY_LOW, APP_NETBIOS},
	{80, true, false, SEVERITY_LOW, APP_HTTP},     /* OCSP, CRL: TLS clients do it */
	{853, true, true, SEVERITY_MEDIUM, APP_NONE},  /* DNS over TLS */
	{443, false, true, SEVERITY_MEDIUM, APP_NONE}, /* QUIC */
	{389, true, true, SEVERITY_MEDIUM, APP_NONE},  /* LDAP */
	{636, true, false, SEVERITY_MEDIUM, APP_NONE},
	{445, true, false, SEVERITY_MEDIUM, APP_NONE}, /* SMB */
	{135, true, false, SEVERITY_MEDIUM, APP_NONE}, /* RPC */
	{22, true, false, SEVERITY_MEDIUM, APP_NONE},  /* SSH */
	{23, true, false, SEVERITY_MEDIUM, APP_NONE},  /* Telnet */
	{161, false, true, SEVERITY_MEDIUM, APP_NONE}, /* SNMP */
	{162, false, true, SEVERITY_MEDIUM, APP_NONE},
	{514, true, true, SEVERITY_MEDIUM, APP_NONE},   /* syslog */
	{69, false, true, SEVERITY_MEDIUM, APP_NONE},   /* TFTP */
	{3128, true, false, SEVERITY_MEDIUM, APP_NONE}, /* web proxies the site does not name */
	{8080, true, false, SEVERITY_MEDIUM, APP_NONE},
};

bool innocent_port(size_t i, uint16_t *ret_port)
{
	if (i >= ARRAY_LEN(INNOCENT))
		return false;
	*ret_port = INNOCENT[i].port;
	return true;
}

static enum severity innocent(const struct scorer *s)
{
	uint8_t transport = s->view->facts->transport;

	for (size_t i = 0; i < ARRAY_LEN(INNOCENT); i++)
		if (INNOCENT[i].port == (s->port ? s->port : s->remote->port) &&
		    ((INNOCENT[i].tcp && transport == TRANSPORT_TCP) ||
		     (INNOCENT[i].udp && transport == TRANSPORT_UDP)) &&
		    (INNOCENT[i].app == APP_NONE || !s->certain ||
		     s->view->app == INNOCENT[i].app))
			return INNOCENT[i].severity;
	return SEVERITY_NONE;
}

/* Media or the checks and relays that carry it, known for certain. */
static bool is_media(const struct scorer *s)
{
	static const enum app apps[] = {APP_STUN, APP_MSTURN, APP_TURN_CHANNEL};

	if (s->media)
		return true;
	for (size_t i = 0; i < ARRAY_LEN(apps); i++)
		if (s->certain && s->view->app == apps[i])
			return true;
	return false;
}

/*
 * Another client behind an address translator shows a translated port (domain.md 3.3, A18): its
 * answer to an ICE check says that both ends agreed on it.
 */
static bool is_translated_peer(const struct scorer *s, const struct score *nearest)
{
	const struct row_form *form = score_form(s, nearest);

	return nearest->misses == 1 && nearest->first == FIELD_REMOTE_PORT && form->media &&
	       s->ice && form->peers & s->clients && !addr_is_private(&s->remote->addr);
}

static enum severity media_severity(const struct scorer *s, const struct score *nearest,
                                    struct verdict *verdict)
{
	const struct row *row = &s->policy->rows[nearest->row];

	if (is_translated_peer(s, nearest)) {
		text_copy(verdict->reason, sizeof(verdict->reason), "peer_nat");
		return SEVERITY_LOW;
	}
	if (nearest->misses == 1 && nearest->first == FIELD_LOCAL_PORT &&
	    scorer_is_vbss(s, row, score_form(s, nearest))) {
		text_copy(verdict->reason, sizeof(verdict->reason), "vbss");
		return SEVERITY_LOW;
	}
	return SEVERITY_MEDIUM;
}

static bool is_listed_port(const struct row_form *form)
{
	return !port_set_is_ephemeral(&form->local) || !port_set_is_ephemeral(&form->remote);
}

/*
 * A row that the flow was meant for but for what the row itself calls grave: a touch port over IPv4
 * or from no controller (A21), whichever row came nearest.
 */
static bool is_grave_for_a_row(const struct scorer *s)
{
	for (size_t r = 0; r < s->policy->row_count; r++) {
		const struct row *row = &s->policy->rows[r];
		struct score score;
		bool grave = true;

		if (!(s->view->profiles >> row->profile & 1))
			continue;
		scorer_row(s, (unsigned)r, &score);
		for (unsigned field = 0; field < FIELD_COUNT; field++)
			if (score.fit[field] == FIT_MISMATCH &&
			    row->severity[field] != SEVERITY_HIGH)
				grave = false;
		if (grave && score.misses)
			return true;
	}
	return false;
}

static enum severity severity_of(const struct scorer *s, const struct score *nearest,
                                 struct verdict *verdict)
{
	bool media_kind = verdict->kind == KIND_LOCAL_PORT ||
	                  verdict->kind == KIND_REMOTE_PORT || verdict->kind == KIND_MEDIA;
	enum severity severity;

	if (is_grave_for_a_row(s))
		return SEVERITY_HIGH;
	if (nearest && verdict->kind != KIND_SERVICE) {
		severity = s->policy->rows[nearest->row].severity[nearest->first];
		if (severity)
			return severity;
	}
	if (s->certain && s->view->app == APP_SIP)
		return SEVERITY_HIGH;
	if (verdict->kind == KIND_APPLICATION && is_listed_port(score_form(s, nearest)))
		return SEVERITY_HIGH;
	if (media_kind && is_media(s) && score_form(s, nearest)->media)
		return media_severity(s, nearest, verdict);
	if (s->direction == DIRECTION_IN && s->direction_firm)
		return s->view->facts->outcome == OUTCOME_ANSWERED ? SEVERITY_HIGH
		                                                   : SEVERITY_LOW;
	severity = innocent(s);
	if (severity)
		return severity;
	if (s->group || addr_is_link_local(&s->remote->addr))
		return SEVERITY_LOW;
	if (verdict->kind == KIND_PEER)
		return SEVERITY_MEDIUM;
	return scorer_on_segment(s) ? SEVERITY_LOW : SEVERITY_MEDIUM;
}

void severity_fill(const struct scorer *s, const struct score *nearest, struct verdict *verdict)
{
	verdict->severity = (uint8_t)severity_of(s, nearest, verdict);
}
