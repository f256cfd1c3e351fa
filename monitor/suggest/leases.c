/*
 * leases.c - what DHCP says of who holds a role: who gave the units' leases, and which resolvers these name.
 */
#include "monitor/suggest/parts.h"

struct leases {
	struct suggestion *suggestion;
	uint32_t servers, resolvers; /* the roles; masks */
};

static bool is_candidates(const struct suggestion *suggestion, const struct lease_row *lease)
{
	for (size_t i = 0; i < suggestion->candidate_count; i++) {
		const struct candidate *candidate = &suggestion->candidates[i];

		if (mac_equal(&candidate->mac, &lease->mac))
			return true;
		for (unsigned a = 0; a < candidate->address_count; a++)
			if (addr_equal(&candidate->address[a], &lease->address))
				return true;
	}
	return false;
}

static int take_lease(void *context, const struct lease_row *lease, struct err *err)
{
	struct leases *leases = context;
	struct suggestion *suggestion = leases->suggestion;
	struct holder *server;

	(void)err;
	if (!is_candidates(suggestion, lease))
		return 0;
	for (size_t i = 0; i < suggestion->holder_count; i++) {
		struct holder *holder = &suggestion->holders[i];

		if (holder->roles == leases->servers &&
		    mac_equal(&holder->client, &lease->mac) &&
		    !addr_equal(&holder->addr, &lease->server))
			holder->relays_for = lease->server;
	}
	/* Whoever lists resolvers lists all of them: one that the lease names and nobody asked yet belongs there too. */
	for (unsigned n = 0; leases->resolvers && n < lease->dns_count; n++) {
		struct holder *resolver =
			holder_at(suggestion, &lease->dns[n], leases->resolvers);

		if (resolver)
			resolver->taught = true;
	}
	if (addr_is_unspecified(&lease->server) || !leases->servers)
		return 0;
	server = holder_at(suggestion, &lease->server, leases->servers);
	if (server && !server->leases++ && !server->proven.flows)
		server->proven.first_us = lease->first_us;
	return 0;
}

int leases_note(struct suggestion *suggestion, struct err *err)
{
	const struct envelope *envelope = suggestion->options.envelope;
	struct leases leases = {.suggestion = suggestion};

	for (unsigned i = 0; i < envelope->role_count; i++) {
		if (envelope->roles[i].learn == LEARN_DHCP_SERVER)
			leases.servers |= (uint32_t)BIT(i);
		if (envelope->roles[i].learn == LEARN_DHCP_DNS)
			leases.resolvers |= (uint32_t)BIT(i);
	}
	return flowdb_leases(suggestion->options.db, suggestion->options.window.since_us,
	                     take_lease, &leases, err);
}
