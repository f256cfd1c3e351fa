/*
 * leases.c - see units.h: what DHCP gave units, as far as their own packets do not tell.
 */
#include "monitor/record/units_parts.h"

#define FOREVER_US EVENT_NUMBER_MAX

static void lease_remember(struct units *units, const struct mac *mac, const struct addr *addr)
{
	struct addr *known = idmap_find(&units->by_lease, mac_key(mac));
	size_t at;

	if (known) {
		*known = *addr;
		return;
	}
	at = units->by_lease.count;
	if (at == LEASES_MAX) {
		at = units->lease_first;
		units->lease_first = (at + 1) % LEASES_MAX;
		free(idmap_take(&units->by_lease, units->lease_keys[at]));
		units->refused++;
	}
	known = malloc(sizeof(*known));
	if (!known ||
	    array_reserve(&units->lease_keys, &units->lease_room, at + 1, sizeof(uint64_t)) < 0 ||
	    idmap_add(&units->by_lease, mac_key(mac), known) < 0) {
		free(known);
		units->refused++;
		return;
	}
	units->lease_keys[at] = mac_key(mac);
	*known = *addr;
}

static bool says_the_same(const struct lease_row *a, const struct lease_row *b)
{
	return mac_equal(&a->mac, &b->mac) && addr_equal(&a->address, &b->address) &&
	       addr_equal(&a->server, &b->server) && a->mask_bits == b->mask_bits &&
	       a->dns_count == b->dns_count && !memcmp(a->dns, b->dns, sizeof(a->dns));
}

/* Renews the unit's last lease, or is the next one; returns where it stands. */
static struct lease_row *lease_add(struct unit *unit, const struct lease_row *lease)
{
	struct lease_row *last =
		unit->lease_count ? &unit->lease[unit->lease_count - 1] : NULL;

	if (last && says_the_same(last, lease) &&
	    (!last->until_us || last->until_us >= lease->first_us)) {
		last->last_us = lease->last_us;
		last->until_us = lease->until_us;
		return last;
	}
	if (unit->lease_count == UNIT_LEASES_MAX)
		memmove(unit->lease, unit->lease + 1, --unit->lease_count * sizeof(*last));
	last = &unit->lease[unit->lease_count++];
	*last = *lease;
	last->unit = unit->id;
	return last;
}

static int lease_given_back(struct units *units, struct flowdb *db,
                            const struct event_lease *event, struct err *err)
{
	int r = 0;
	struct unit *unit =
		units_by_mac(units, db, &event->chaddr, event->time_us, &r, err);

	addresses_give_up(units->addresses, &event->chaddr, &event->address, event->time_us);
	for (unsigned i = unit ? unit->lease_count : 0; i-- && r >= 0;) {
		struct lease_row *lease = &unit->lease[i];

		if (mac_equal(&lease->mac, &event->chaddr) &&
		    addr_equal(&lease->address, &event->address) &&
		    lease->until_us > event->time_us) {
			lease->until_us = event->time_us;
			r = flowdb_lease_put(db, lease, err);
		}
	}
	return r;
}

int units_lease(struct units *units, struct flowdb *db, int64_t run,
                const struct event_lease *event, bool trusted, struct err *err)
{
	struct lease_row lease = {
		.run = run,
		.mac = event->chaddr,
		.address = event->address,
		.server = event->server,
		.first_us = event->time_us,
		.last_us = event->time_us,
		.mask_bits = event->mask_bits,
		.dns_count = event->dns_count,
		.counted = trusted,
	};
	struct unit *unit;
	int r = 0;

	if (addr_is_unspecified(&event->address))
		return 0;
	if (event->word != LEASE_GIVEN)
		return lease_given_back(units, db, event, err);
	lease_remember(units, &event->chaddr, &event->address);
	memcpy(lease.dns, event->dns, event->dns_count * sizeof(lease.dns[0]));
	if (event->lease_s)
		lease.until_us = event->lease_s == UINT32_MAX
		                         ? FOREVER_US
		                         : event->time_us + event->lease_s * SECOND_US;
	if (trusted && event->lease_s)
		addresses_lease(units->addresses, &lease.mac, &lease.address, lease.first_us,
		                lease.until_us);
	unit = units_by_mac(units, db, &lease.mac, event->time_us, &r, err);
	if (!unit)
		return r;
	unit->leased = true;
	lease.unit = unit->id;
	/* Under another site that server may count: what it said is on record for it. */
	return flowdb_lease_put(db, trusted ? lease_add(unit, &lease) : &lease, err);
}

int units_recall_lease(struct units *units, struct flowdb *db, const struct lease_row *lease,
                       struct err *err)
{
	struct unit *unit;
	int r = 0;

	lease_remember(units, &lease->mac, &lease->address);
	if (lease->counted && lease->until_us)
		addresses_lease(units->addresses, &lease->mac, &lease->address, lease->first_us,
		                lease->until_us);
	unit = units_by_mac(units, db, &lease->mac, lease->first_us, &r, err);
	if (!unit)
		return r;
	unit->leased = true;
	if (lease->counted)
		lease_add(unit, lease);
	return r;
}

const struct lease_row *unit_lease_at(const struct unit *unit, const struct addr *addr,
                                      int64_t last_us)
{
	const struct lease_row *lease = lease_at(unit->lease, unit->lease_count, addr, last_us);

	return lease || !unit->lease_count ? lease : &unit->lease[0];
}
