/*
 * learn.c - see learn.h. What comes from the wire is a claim: which of them count is said here, by the
 * policy's roles; how long they hold is for the book, and for addresses.h.
 */
#include "monitor/record/learn.h"

#define LEASES_US \
	(7 * 86400 * SECOND_US) /* leases that ended before tell a successor nothing */
#define SECOND_US INT64_C(1000000)

/* An answer counts only from a server that holds the role which the envelope learns from DHCP. */
static bool is_dns_server(const struct desk *desk, const struct unit *unit,
                          const struct event_name *event)
{
	return is_believed_resolver(desk->policy,
	                            unit_lease_at(unit, &event->client, event->time_us),
	                            &event->server);
}

/*
 * An answer to no question that we saw is anybody's who can write to the unit's port. It counts only while the
 * unit was never heard: the mirror then shows but what comes to it.
 */
static bool is_credible(const struct unit *unit, const struct event_name *event)
{
	return event->asked || !unit->spoke;
}

/*
 * What came in a mirror's tunnel anybody may have sent us who can reach our port. It is believed of a unit until that
 * one is seen outside of any: where all of a mirror is wrapped, none is. A unit that was not seen at all yet may be
 * behind such a mirror, so there it is believed too.
 */
static bool is_doubtful(const struct unit *unit, uint8_t tunnel)
{
	return tunnel != TUNNEL_NONE && unit && unit->plain;
}

/* The unit that has the MAC, and the one that has the address; each may be NULL. */
struct owners {
	struct unit *of_mac, *of_addr;
};

static int owners_of(struct desk *desk, const struct mac *mac, const struct addr *addr,
                     int64_t at_us, struct owners *ret, struct err *err)
{
	struct sighting here = {.end = {.addr = *addr}, .first_us = at_us, .last_us = at_us};
	struct sighting both = here;
	int r = 0;

	*ret = (struct owners){0};
	both.end.mac = *mac;
	ret->of_mac = units_by_mac(desk->units, desk->db, mac, at_us, &r, err);
	if (r >= 0 && !ret->of_mac)
		ret->of_mac = units_at(desk->units, desk->db, &both, &r, err);
	if (r >= 0)
		ret->of_addr = units_at(desk->units, desk->db, &here, &r, err);
	return r;
}

static bool are_doubtful(const struct owners *owners, uint8_t tunnel)
{
	return is_doubtful(owners->of_mac, tunnel) || is_doubtful(owners->of_addr, tunnel);
}

int learn_name(struct desk *desk, const struct event_name *event, struct err *err)
{
	/* An answer is to somebody who asked, or to nobody: a unit is there only by what it says. */
	struct sighting client = {.end = {.addr = event->client, .mac = event->client_mac},
	                          .spoke = event->asked,
	                          .first_us = event->time_us,
	                          .last_us = event->time_us};
	char text[NAME_MAX_LEN + 1];
	struct name_row row = {
		.run = desk->run,
		.client = event->client,
		.server = event->server,
		.address = event->address,
		.name = text,
		.first_us = event->time_us,
		.last_us = event->time_us,
		.until_us = event->time_us + (int64_t)event->ttl_s * SECOND_US + BOOK_GRACE_US,
	};
	struct unit *unit;
	int r = 0;

	memcpy(text, event->name, event->name_len);
	text[event->name_len] = '\0';
	unit = units_at(desk->units, desk->db, &client, &r, err);
	if (r < 0 || !unit || is_doubtful(unit, event->tunnel) || !is_credible(unit, event))
		return r;
	unit->spoke |= event->asked;
	unit->plain |= event->asked && event->tunnel == TUNNEL_NONE;
	row.unit = unit->id;
	row.counted = is_dns_server(desk, unit, event);
	if (row.counted) {
		book_bind(desk->book, unit->number, &event->address, text, row.first_us,
		          row.until_us);
		unit_bound(unit, policy_roles_of_name(desk->policy, text), row.first_us);
	}
	/* Under another site other servers count: what they said is on record for it. */
	desk->rows++;
	return flowdb_name_put(desk->db, &row, err);
}

/* As of names: an ACK that nobody asked for anybody can have sent. */
static bool is_asked_for(const struct owners *owners, const struct event_lease *event)
{
	return event->word != LEASE_GIVEN || event->asked ||
	       !((owners->of_mac && owners->of_mac->spoke) ||
	         (owners->of_addr && owners->of_addr->spoke));
}

int learn_lease(struct desk *desk, const struct event_lease *event, struct err *err)
{
	struct owners owners;
	int r = owners_of(desk, &event->chaddr, &event->address, event->time_us, &owners, err);

	if (r < 0 || are_doubtful(&owners, event->tunnel) || !is_asked_for(&owners, event))
		return r;
	if (owners.of_mac) {
		owners.of_mac->spoke |= event->asked;
		owners.of_mac->plain |= event->asked && event->tunnel == TUNNEL_NONE;
	}
	desk->rows++;
	return units_lease(desk->units, desk->db, desk->run, event,
	                   is_believed_dhcp_server(desk->policy, &event->server), err);
}

int learn_neighbour(struct desk *desk, const struct event_neighbour *event, struct err *err)
{
	struct owners owners;
	int r = owners_of(desk, &event->mac, &event->address, event->time_us, &owners, err);

	if (r < 0 || are_doubtful(&owners, event->tunnel))
		return r;
	return units_neighbour(desk->units, desk->db, &event->mac, &event->address,
	                       event->time_us, err);
}

/* A MAC of the lists stands before many addresses: so long its unit is not seen by it. */
int learn_routers(struct desk *desk, struct err *err)
{
	struct router_news news;
	int r = 0;

	while (r >= 0 && units_take_router(desk->units, desk->now_us, &news)) {
		char text[MAC_TEXT];
		const struct blind_row row = {
			.unit = news.unit,
			.since_us = news.at_us,
			.until_us = news.over ? news.at_us : 0,
			.cause = BLIND_MAC_SHARED,
			.detail = mac_print(&news.mac, text),
		};

		desk->rows++;
		r = blinds_note(desk->blinds, desk->db, desk->run, &row, err);
	}
	return r;
}

/* ------------------------------------------------ in the place of a dead one */

static int recall_name(void *context, const struct name_row *name, struct err *err)
{
	struct desk *desk = context;
	struct sighting client = {.end.addr = name->client,
	                          .spoke = true,
	                          .first_us = name->first_us,
	                          .last_us = name->last_us};
	int r = 0;
	struct unit *unit =
		name->counted ? units_at(desk->units, desk->db, &client, &r, err) : NULL;

	if (!unit)
		return r;
	/* Also one that is over: a flow that began while it held still goes on. */
	book_bind(desk->book, unit->number, &name->address, name->name, name->first_us,
	          name->until_us);
	unit_bound(unit, policy_roles_of_name(desk->policy, name->name), name->first_us);
	return 0;
}

static int recall_lease(void *context, const struct lease_row *lease, struct err *err)
{
	struct desk *desk = context;

	return lease->run == desk->run ? units_recall_lease(desk->units, desk->db, lease, err) : 0;
}

static int recall_address(void *context, const struct unit_address_row *row, struct err *err)
{
	struct desk *desk = context;
	struct sighting at = {.end = {.addr = row->address, .mac = row->mac},
	                      .spoke = row->known_by & KNOWN_BY_PACKETS,
	                      .first_us = row->first_us,
	                      .last_us = row->last_us};
	struct unit *unit;
	int r = 0;

	if (row->known_by & KNOWN_BY_NEIGHBOUR && !mac_is_zero(&row->mac))
		r = units_neighbour(desk->units, desk->db, &row->mac, &row->address,
		                    row->last_us, err);
	if (r < 0)
		return r;
	unit = units_at(desk->units, desk->db, &at, &r, err);
	if (unit)
		unit_seen(unit, &at);
	return r;
}

static int recall_router(void *context, const struct blind_view *blind, struct err *err)
{
	struct desk *desk = context;
	struct router_news news = {.unit = blind->row.unit, .at_us = blind->row.since_us};

	if (!blind->row.until_us && !mac_parse(blind->row.detail, &news.mac))
		units_recall_router(desk->units, &news, desk->sums->last_us);
	return 0;
}

static int recall_finding(void *context, int64_t id, int64_t unit_id, struct err *err)
{
	struct desk *desk = context;
	struct unit *unit = units_of_id(desk->units, unit_id);

	return unit ? findings_know(desk->findings, desk->db, unit, id, err) : 0;
}

int learn_again(struct desk *desk, struct err *err)
{
	const struct blind_query routers = {.run = desk->run, .cause = BLIND_MAC_SHARED};
	int64_t now_us = desk->sums->last_us;
	int r = flowdb_blinds(desk->db, &routers, recall_router, desk, err);

	if (r >= 0)
		r = flowdb_leases(desk->db, now_us - LEASES_US, recall_lease, desk, err);
	if (r >= 0)
		r = flowdb_unit_addresses(desk->db, now_us - NEIGHBOUR_HOLDS_US, recall_address,
		                          desk, err);
	if (r >= 0)
		r = flowdb_names_held(desk->db, desk->run, 0, INT64_MAX, recall_name, desk, err);
	if (r >= 0)
		r = flowdb_run_findings(desk->db, desk->run, recall_finding, desk, err);
	findings_fold_again(desk->findings);
	return r;
}
