/*
 * units.c - see units.h. A unit is found by the entry of the policy it falls under and, where the
 * entry stands for many hosts, by its address.
 */
#include "monitor/record/units.h"
#include "monitor/idmap.h"

#include <xxhash.h>

#define LEASES_MAX 65536

struct units {
	const struct policy *policy;
	struct unit **all;
	size_t count, room;
	struct idmap by_place; /* hash of (entry, address) -> unit */
	struct idmap by_lease; /* MAC -> struct addr, the address DHCP gave it */
	uint64_t refused;
};

struct units *units_new(const struct policy *policy)
{
	struct units *units = calloc(1, sizeof(*units));

	if (!units)
		return NULL;
	units->policy = policy;
	idmap_init(&units->by_place, UNITS_MAX);
	idmap_init(&units->by_lease, LEASES_MAX);
	return units;
}

void units_free(struct units *units)
{
	if (!units)
		return;
	for (size_t i = 0; i < units->count; i++) {
		free(units->all[i]->use);
		free(units->all[i]);
	}
	for (size_t i = 0; i < units->by_lease.size; i++)
		free(units->by_lease.slots[i].value);
	idmap_release(&units->by_place);
	idmap_release(&units->by_lease);
	free(units->all);
	free(units);
}

static uint64_t place_of(const struct unit_rule *rule, const struct addr *addr)
{
	struct {
		uint64_t rule;
		struct addr addr;
	} place = {(uintptr_t)rule, {{0}}};

	if (!rule || rule->many)
		place.addr = *addr;
	return XXH3_64bits(&place, sizeof(place)) | 1;
}

/* False if nobody has the place yet. Two hosts of one hash: the second is no unit, and counted. */
static bool unit_find(struct units *units, const struct unit_rule *rule,
                      const struct addr *addr, struct unit **ret)
{
	struct unit *unit = idmap_find(&units->by_place, place_of(rule, addr));

	if (!unit)
		return false;
	if (unit->rule != rule || ((!rule || rule->many) && !addr_equal(&unit->addr, addr))) {
		units->refused++;
		unit = NULL;
	}
	*ret = unit;
	return true;
}

static uint64_t mac_key(const struct mac *mac)
{
	uint64_t key = 1;

	for (unsigned i = 0; i < 6; i++)
		key = key << 8 | mac->b[i];
	return key;
}

static void profiles_print(const struct policy *policy, uint32_t profiles, char *buf,
                           size_t size)
{
	*buf = '\0';
	for (size_t i = 0; i < policy->envelope->profile_count; i++)
		if (profiles & BIT(i))
			text_add(buf, size, "%s%s", *buf ? ", " : "",
			         policy->envelope->profiles[i].id);
}

static struct unit *unit_make(struct units *units, struct flowdb *db,
                              const struct unit_rule *rule, const struct addr *addr,
                              int *ret_error, struct err *err)
{
	struct unit *unit = calloc(1, sizeof(*unit));
	char profiles[PROFILES_MAX * 34];

	if (unit)
		unit->use = calloc(units->policy->row_count + 1, sizeof(*unit->use));
	if (!unit || !unit->use ||
	    array_reserve(&units->all, &units->room, units->count + 1, sizeof(struct unit *)) <
	            0 ||
	    idmap_add(&units->by_place, place_of(rule, addr), unit) < 0) {
		if (unit)
			free(unit->use);
		free(unit);
		units->refused++;
		return NULL;
	}
	unit->rule = rule;
	unit->addr = *addr;
	if (rule)
		unit_name(rule, addr, unit->name, sizeof(unit->name));
	else
		addr_print(addr, unit->name);
	profiles_print(units->policy, rule ? rule->profiles : 0, profiles, sizeof(profiles));
	units->all[units->count++] = unit;
	unit->number = units->count;
	*ret_error = flowdb_unit_put(db, unit->name, profiles, rule != NULL, &unit->id, err);
	return *ret_error < 0 ? NULL : unit;
}

int units_list(const struct units *units, struct flowdb *db, struct err *err)
{
	char profiles[PROFILES_MAX * 34];
	int64_t id;
	int r = 0;

	for (size_t i = 0; i < units->policy->unit_count && r >= 0; i++) {
		const struct unit_rule *rule = &units->policy->units[i];

		if (rule->many)
			continue;
		profiles_print(units->policy, rule->profiles, profiles, sizeof(profiles));
		r = flowdb_unit_put(db, rule->name, profiles, true, &id, err);
	}
	return r < 0 ? r : 0;
}

static bool is_group_mac(const struct mac *mac)
{
	return mac->b[0] & 1;
}

struct unit *units_at(struct units *units, struct flowdb *db, const struct endpoint *end,
                      bool spoke, int *ret_error, struct err *err)
{
	const struct mac *mac = mac_is_zero(&end->mac) ? NULL : &end->mac;
	const struct unit_rule *rule;
	struct unit *unit;

	*ret_error = 0;
	/* A frame to a group has no unit at its far end; who sends from such a MAC is odd, but speaks. */
	if (addr_is_multicast(&end->addr) || (mac && is_group_mac(mac) && !spoke))
		return NULL;
	rule = policy_find_unit(units->policy,
	                        addr_is_unspecified(&end->addr) ? NULL : &end->addr, mac);
	if (!rule)
		return NULL;
	if (unit_find(units, rule, &end->addr, &unit))
		return unit;
	if (rule->many && (!spoke || addr_is_unspecified(&end->addr)))
		return NULL;
	return unit_make(units, db, rule, &end->addr, ret_error, err);
}

struct unit *units_unlisted(struct units *units, struct flowdb *db, const struct endpoint *end,
                            int *ret_error, struct err *err)
{
	struct unit *unit;

	*ret_error = 0;
	if (unit_find(units, NULL, &end->addr, &unit))
		return unit;
	return unit_make(units, db, NULL, &end->addr, ret_error, err);
}

struct unit *units_by_mac(struct units *units, struct flowdb *db, const struct mac *mac,
                          int *ret_error, struct err *err)
{
	const struct addr *leased = idmap_find(&units->by_lease, mac_key(mac));
	struct endpoint end = {.mac = *mac};

	if (leased)
		end.addr = *leased;
	return units_at(units, db, &end, leased != NULL, ret_error, err);
}

void units_lease(struct units *units, const struct event_lease *lease)
{
	struct addr *known = idmap_find(&units->by_lease, mac_key(&lease->chaddr));

	if (addr_is_unspecified(&lease->address))
		return;
	if (known) {
		*known = lease->address;
		return;
	}
	known = malloc(sizeof(*known));
	if (!known || idmap_add(&units->by_lease, mac_key(&lease->chaddr), known) < 0) {
		free(known);
		units->refused++;
		return;
	}
	*known = lease->address;
}

void unit_seen(struct unit *unit, const struct endpoint *end, int64_t first_us, int64_t last_us)
{
	struct unit_address *at = NULL;

	if (addr_is_unspecified(&end->addr) || addr_is_multicast(&end->addr))
		return;
	for (unsigned i = 0; i < unit->address_count && !at; i++)
		if (addr_equal(&unit->address[i].addr, &end->addr) &&
		    mac_equal(&unit->address[i].mac, &end->mac))
			at = &unit->address[i];
	if (!at) {
		/* All places taken: the address seen longest ago has been written and can be given up. */
		if (unit->address_count < UNIT_ADDRESSES_MAX) {
			at = &unit->address[unit->address_count++];
		} else {
			at = &unit->address[0];
			for (unsigned i = 1; i < UNIT_ADDRESSES_MAX; i++)
				if (unit->address[i].last_us < at->last_us)
					at = &unit->address[i];
		}
		*at = (struct unit_address){end->addr, end->mac, first_us, last_us, true};
		return;
	}
	if (first_us < at->first_us)
		at->first_us = first_us;
	if (last_us > at->last_us)
		at->last_us = last_us;
	at->dirty = true;
}

static int use_flush(const struct units *units, struct unit *unit, struct flowdb *db,
                     struct err *err)
{
	int r = 0;

	for (size_t row = 0; !r && row < units->policy->row_count; row++) {
		struct row_use *use = &unit->use[row];
		struct coverage_row coverage = {
			.unit = unit->id,
			.row = units->policy->rows[row].id,
			.exact = use->exact,
			.unproven = use->unproven,
			.wide = use->wide,
			.unanswered = use->unanswered,
			.blocked = use->blocked,
			.outside = use->outside,
			.first_us = use->first_us,
			.last_us = use->last_us,
		};

		if (use->exact || use->unproven || use->wide || use->unanswered ||
		    use->blocked || use->outside)
			r = flowdb_coverage_add(db, &coverage, err);
		*use = (struct row_use){0};
	}
	return r < 0 ? r : 0;
}

int units_flush(struct units *units, struct flowdb *db, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < units->count && r >= 0; i++) {
		struct unit *unit = units->all[i];

		for (unsigned a = 0; a < unit->address_count && r >= 0; a++) {
			struct unit_address *at = &unit->address[a];

			if (at->dirty)
				r = flowdb_unit_seen(db, unit->id, &at->addr, &at->mac, 1,
				                     at->first_us, at->last_us, err);
			at->dirty = false;
		}
		if (unit->dirty && r >= 0)
			r = use_flush(units, unit, db, err);
		unit->dirty = false;
	}
	return r < 0 ? r : 0;
}

size_t units_count(const struct units *units)
{
	return units->count;
}

uint64_t units_refused(const struct units *units)
{
	return units->refused;
}
