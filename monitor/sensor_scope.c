/*
 * sensor_scope.c - which addresses units have, heard on the wire; see sensor_parts.h. Whatever may be true counts, long before the
 * recorder believes it: a scope that is too wide costs time, one that is too narrow a flow.
 */
#include "dissectors/dissect.h"
#include "monitor/sensor_parts.h"

static void learn(struct sensor *sensor, const struct addr *addr)
{
	struct sensor_scope *scope = &sensor->scope;

	if (scope_learn(scope->scope, addr) && scope->told)
		scope->told(scope->told_context, addr);
}

void scope_hear_dhcp(struct sensor *sensor, const struct packet *packet)
{
	struct addr addrs[DHCP_ADDRESSES_MAX];
	struct mac client;
	unsigned count;

	if (packet->transport != TRANSPORT_UDP || packet->fragment_later)
		return;
	count = dhcp_addresses(packet, &client, addrs);
	for (unsigned i = 0; i < count && scope_has_mac(sensor->scope.scope, &client); i++)
		learn(sensor, &addrs[i]);
}

void scope_hear_neighbour(struct sensor *sensor, const struct packet *packet)
{
	if (sensor->scope.scope && !mac_is_zero(&packet->neighbour_mac) &&
	    scope_has_mac(sensor->scope.scope, &packet->neighbour_mac))
		learn(sensor, &packet->neighbour);
}

/* Who holds a name that units alone ask for: whoever turns to it may be one. */
void scope_hear_names(struct sensor *sensor)
{
	const struct learnt *learnt = &sensor->learnt;
	const struct sensor_scope *scope = &sensor->scope;

	for (unsigned i = 0; scope->scope && i < learnt->name_count; i++)
		if (scope->is_name(scope->context, learnt->name[i].name))
			learn(sensor, &learnt->name[i].address);
}

/* The same by its SNI. */
void scope_hear_flow(struct sensor *sensor, const struct flow_facts *facts, const char *name)
{
	const struct sensor_scope *scope = &sensor->scope;

	if (scope->scope && facts->name_kind == NAME_SNI && facts->initiator < 2 &&
	    scope->is_name(scope->context, name))
		learn(sensor, &facts->end[!facts->initiator].addr);
}
