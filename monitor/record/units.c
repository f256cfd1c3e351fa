/*
 * units.c - see units.h. A unit is found by the entry of the policy it falls under and, where the
 * entry stands for many hosts, by its address.
 */
#include "monitor/record/units_parts.h"

#define XXH_INLINE_ALL /* of keys this short the call costs more */
#include <xxhash.h>

#define LATELY_US (3600 * SECOND_US)
#define HAD_US (600 * SECOND_US) /* a router's MAC shows its addresses at once; a unit has had its own */

struct units *units_new(const struct policy *policy, size_t max)
{
	struct units *units = calloc(1, sizeof(*units));

	if (!units)
		return NULL;
	units->policy = policy;
	units->addresses = addresses_new();
	if (!units->addresses) {
		free(units);
		return NULL;
	}
	routers_init(&units->routers);
	routers_init(&units->proxies);
	idmap_init(&units->by_place, max);
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
	addresses_free(units->addresses);
	routers_release(&units->routers);
	routers_release(&units->proxies);
	idmap_release(&units->by_place);
	idmap_release(&units->by_lease);
	free(units->lease_keys);
	free(units->changed);
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

uint64_t mac_key(const struct mac *mac)
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

/* Room for one more, and for its change. */
static int reserve(struct units *units)
{
	int r = array_reserve(&units->all, &units->room, units->count + 1, sizeof(struct unit *));

	return r < 0 ? r
	             : array_reserve(&units->changed, &units->changed_room, units->count + 1,
	                             sizeof(struct unit *));
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
	    reserve(units) < 0 ||
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
	unit->units = units;
	*ret_error = flowdb_unit_put(db, unit->name, profiles, rule != NULL, &unit->id, err);
	return *ret_error < 0 ? NULL : unit;
}

struct unit *units_adopt(struct units *units, const struct unit_rule *rule, const char *name,
                         int64_t id)
{
	struct unit *unit = calloc(1, sizeof(*unit));

	if (unit)
		unit->use = calloc(units->policy->row_count + 1, sizeof(*unit->use));
	if (!unit || !unit->use ||
	    reserve(units) < 0) {
		if (unit)
			free(unit->use);
		free(unit);
		return NULL;
	}
	unit->rule = rule;
	unit->id = id;
	text_copy(unit->name, sizeof(unit->name), name);
	units->all[units->count++] = unit;
	unit->number = units->count;
	unit->units = units;
	return unit;
}

int units_put(struct units *units, struct flowdb *db, struct unit *unit, struct err *err)
{
	char profiles[PROFILES_MAX * 34];

	profiles_print(units->policy, unit->rule ? unit->rule->profiles : 0, profiles,
	               sizeof(profiles));
	return flowdb_unit_put(db, unit->name, profiles, unit->rule != NULL, &unit->id, err);
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

struct unit *units_unlisted(struct units *units, struct flowdb *db, const struct endpoint *end,
                            int *ret_error, struct err *err)
{
	struct unit *unit;

	*ret_error = 0;
	if (unit_find(units, NULL, &end->addr, &unit))
		return unit;
	return unit_make(units, db, NULL, &end->addr, ret_error, err);
}

/* ------------------------------------------------------------- who is it */

static bool is_group_mac(const struct mac *mac)
{
	return mac->b[0] & 1;
}

/* Of what the host with that MAC says of itself nothing is believed. */
static bool tells_many(const struct units *units, const struct mac *mac, int64_t at_us)
{
	return routers_has(&units->routers, mac, at_us) ||
	       routers_has(&units->proxies, mac, at_us);
}

/* A MAC that would tell a unit was seen with this address; whether it tells one (any more). */
static bool mac_tells(struct units *units, struct flowdb *db, const struct unit_rule *rule,
                      const struct sighting *at, int *ret_error, struct err *err)
{
	struct router_news *news = &units->news[units->news_count];
	struct unit *unit = NULL;

	if (at->word) {
		routers_note(&units->proxies, &at->end.mac, &at->end.addr, at->last_us);
		return !tells_many(units, &at->end.mac, at->last_us);
	}
	if (!at->spoke ||
	    !routers_note(&units->routers, &at->end.mac, &at->end.addr, at->last_us))
		return !routers_has(&units->routers, &at->end.mac, at->last_us);
	/* One that stands for many is told of as the host at this address. */
	if (rule && units->news_count < ROUTER_NEWS_MAX &&
	    !unit_find(units, rule, &at->end.addr, &unit))
		unit = unit_make(units, db, rule, &at->end.addr, ret_error, err);
	if (unit) {
		*news = (struct router_news){at->end.mac, unit->id, at->last_us, false};
		units->news_count++;
	}
	return false;
}

static unsigned scope_of(const struct addr *addr)
{
	return addr_is_v4(addr) ? 0 : addr_is_link_local(addr) ? 1 : 2;
}

/*
 * Whether the address is the unit's own, by its packets, DHCP, or its word; while none of its kind is known,
 * any may be.
 */
static bool is_own(struct units *units, const struct unit_rule *rule, const struct sighting *at)
{
	struct unit *unit = NULL;
	struct mac mac;

	/* A DHCP client that has no address yet: its MAC alone says who it is. */
	if (addr_is_unspecified(&at->end.addr))
		return true;
	if (addresses_leased(units->addresses, &at->end.addr, at->first_us, at->last_us, &mac) &&
	    policy_find_unit(units->policy, NULL, &mac) == rule)
		return true;
	if (!unit_find(units, rule, &at->end.addr, &unit) || !unit)
		return true;
	for (unsigned i = 0; i < unit->address_count; i++)
		if (unit->address[i].known_by &&
		    addr_equal(&unit->address[i].addr, &at->end.addr))
			return true;
	for (unsigned i = 0; i < unit->address_count; i++)
		if (unit->address[i].known_by &&
		    scope_of(&unit->address[i].addr) == scope_of(&at->end.addr))
			return false;
	return true;
}

/*
 * Whether the address is the only one of its kind that the unit had for some time, by its packets, when others came
 * up behind its MAC: whoever sends in its name does not make it vanish.
 */
static bool is_settled(struct units *units, const struct unit_rule *rule,
                       const struct sighting *at)
{
	int64_t since_us = routers_since(&units->routers, &at->end.mac);
	struct unit *unit = NULL;
	unsigned others = 0;
	bool had = false;

	if (!unit_find(units, rule, &at->end.addr, &unit) || !unit)
		return false;
	for (unsigned i = 0; i < unit->address_count; i++) {
		const struct unit_address *known = &unit->address[i];

		if (!(known->known_by & KNOWN_BY_PACKETS) ||
		    !mac_equal(&known->mac, &at->end.mac) ||
		    scope_of(&known->addr) != scope_of(&at->end.addr) ||
		    known->first_us + HAD_US > since_us || known->last_us + LATELY_US < since_us)
			continue;
		if (addr_equal(&known->addr, &at->end.addr))
			had = true;
		else
			others++;
	}
	return had && !others;
}

static const struct unit_rule *rule_by_mac(struct units *units, struct flowdb *db,
                                           const struct sighting *at, int *ret_error,
                                           struct err *err)
{
	const struct mac *mac = &at->end.mac;
	const struct unit_rule *rule =
		mac_is_zero(mac) ? NULL : policy_find_unit(units->policy, NULL, mac);

	if (!rule && (mac_is_zero(mac) || !policy_looks_like_unit(units->policy, mac, NULL)))
		return NULL;
	if (!mac_tells(units, db, rule, at, ret_error, err) &&
	    (!rule || at->word || !is_settled(units, rule, at)))
		return NULL;
	if (!rule)
		return NULL;
	return at->spoke || is_own(units, rule, at) ? rule : NULL;
}

/* By a lease, or by the word of the one who has it. */
static const struct unit_rule *rule_by_claim(const struct units *units, struct sighting *at)
{
	const struct addresses *addresses = units->addresses;
	const struct endpoint *end = &at->end;
	const struct unit_rule *rule;
	uint8_t by = KNOWN_BY_DHCP;
	struct mac mac;

	if (!addresses_leased(addresses, &end->addr, at->first_us, at->last_us, &mac)) {
		by = KNOWN_BY_NEIGHBOUR;
		if (!addresses_told(addresses, &end->addr, at->first_us, at->last_us, &mac) ||
		    tells_many(units, &mac, at->last_us))
			return NULL;
	}
	rule = policy_find_unit(units->policy, NULL, &mac);
	if (!rule || (!mac_is_zero(&end->mac) && !mac_equal(&end->mac, &mac) &&
	              addresses_says(addresses, &end->mac, &end->addr, at->first_us, at->last_us)))
		return NULL;
	at->end.mac = mac;
	at->known_by |= by;
	return rule;
}

/* What else says that the address is its own. */
static void know_more(const struct units *units, const struct unit_rule *rule,
                      struct sighting *at)
{
	struct mac mac;

	if (addresses_leased(units->addresses, &at->end.addr, at->first_us, at->last_us, &mac) &&
	    (mac_equal(&mac, &at->end.mac) ||
	     policy_find_unit(units->policy, NULL, &mac) == rule))
		at->known_by |= KNOWN_BY_DHCP;
	if (addresses_says(units->addresses, &at->end.mac, &at->end.addr, at->first_us,
	                   at->last_us))
		at->known_by |= KNOWN_BY_NEIGHBOUR;
}

struct unit *units_at(struct units *units, struct flowdb *db, struct sighting *at,
                      int *ret_error, struct err *err)
{
	bool known = !addr_is_unspecified(&at->end.addr);
	const struct unit_rule *rule;
	struct unit *unit;

	*ret_error = 0;
	at->known_by = at->spoke ? KNOWN_BY_PACKETS : 0;
	/* A frame to a group has no unit at its far end; who sends from such a MAC is odd, but speaks. */
	if (addr_is_multicast(&at->end.addr) || (is_group_mac(&at->end.mac) && !at->spoke))
		return NULL;
	rule = rule_by_mac(units, db, at, ret_error, err);
	if (*ret_error < 0)
		return NULL;
	if (!rule && known)
		rule = policy_find_unit(units->policy, &at->end.addr, NULL);
	if (!rule && known)
		rule = rule_by_claim(units, at);
	if (!rule)
		return NULL;
	know_more(units, rule, at);
	if (unit_find(units, rule, &at->end.addr, &unit))
		return unit;
	if (rule->many && (!at->spoke || !known))
		return NULL;
	return unit_make(units, db, rule, &at->end.addr, ret_error, err);
}

struct unit *units_by_mac(struct units *units, struct flowdb *db, const struct mac *mac,
                          int64_t at_us, int *ret_error, struct err *err)
{
	const struct addr *leased = idmap_find(&units->by_lease, mac_key(mac));
	struct sighting at = {.end.mac = *mac,
	                      .spoke = leased != NULL,
	                      .word = true,
	                      .first_us = at_us,
	                      .last_us = at_us};

	if (leased)
		at.end.addr = *leased;
	return units_at(units, db, &at, ret_error, err);
}

bool units_is_router(const struct units *units, const struct mac *mac, int64_t at_us)
{
	return routers_has(&units->routers, mac, at_us);
}

void units_recall_router(struct units *units, const struct router_news *news, int64_t now_us)
{
	routers_recall(&units->routers, &news->mac, news->at_us, now_us);
	if (units->shared_count < SHARED_MAX)
		units->shared[units->shared_count++] = *news;
}

bool units_take_router(struct units *units, int64_t now_us, struct router_news *ret)
{
	if (units->news_count) {
		*ret = units->news[--units->news_count];
		if (units->shared_count < SHARED_MAX)
			units->shared[units->shared_count++] = *ret;
		return true;
	}
	for (unsigned i = 0; i < units->shared_count; i++) {
		int64_t until_us = routers_until(&units->routers, &units->shared[i].mac);

		if (now_us <= until_us)
			continue;
		*ret = units->shared[i];
		ret->at_us = until_us;
		ret->over = true;
		units->shared[i] = units->shared[--units->shared_count];
		return true;
	}
	return false;
}

/* ------------------------------------------------- what it is known to have */

/* Where all places are taken the address seen longest ago is given up, of those that are written; NULL: none. */
static struct unit_address *address_place(struct unit *unit)
{
	struct unit_address *at = NULL;

	if (unit->address_count < UNIT_ADDRESSES_MAX)
		return &unit->address[unit->address_count++];
	for (unsigned i = 0; i < UNIT_ADDRESSES_MAX; i++)
		if (!unit->address[i].dirty && (!at || unit->address[i].last_us < at->last_us))
			at = &unit->address[i];
	return at;
}

void unit_change(struct unit *unit)
{
	if (unit->listed || !unit->units)
		return;
	unit->listed = true;
	unit->units->changed[unit->units->changed_count++] = unit;
}

void unit_seen(struct unit *unit, const struct sighting *sighting)
{
	const struct endpoint *end = &sighting->end;
	struct unit_address *at = NULL;

	unit_change(unit);

	unit->spoke |= sighting->known_by & KNOWN_BY_PACKETS;
	unit->plain |= sighting->plain;
	if (addr_is_unspecified(&end->addr) || addr_is_multicast(&end->addr))
		return;
	for (unsigned i = 0; i < unit->address_count && !at; i++)
		if (addr_equal(&unit->address[i].addr, &end->addr) &&
		    mac_equal(&unit->address[i].mac, &end->mac))
			at = &unit->address[i];
	if (!at) {
		at = address_place(unit);
		if (!at) {
			unit->addresses_refused++;
			return;
		}
		*at = (struct unit_address){end->addr,          end->mac,
		                            sighting->first_us, sighting->last_us,
		                            sighting->known_by, true};
		unit->fresh = true;
		return;
	}
	if (sighting->first_us < at->first_us)
		at->first_us = sighting->first_us;
	if (sighting->last_us > at->last_us)
		at->last_us = sighting->last_us;
	at->known_by |= sighting->known_by;
	at->dirty = true;
}

static int addresses_flush(struct unit *unit, struct flowdb *db, struct err *err)
{
	int r = 0;

	for (unsigned a = 0; a < unit->address_count && r >= 0; a++) {
		struct unit_address *at = &unit->address[a];

		if (at->dirty)
			r = flowdb_unit_seen(db, unit->id, &at->addr, &at->mac, at->known_by,
			                     at->first_us, at->last_us, err);
		at->dirty = false;
	}
	unit->fresh = false;
	return r;
}

int unit_settle(struct unit *unit, struct flowdb *db, struct err *err)
{
	return unit->fresh ? addresses_flush(unit, db, err) : 0;
}

int units_neighbour(struct units *units, struct flowdb *db, const struct mac *mac,
                    const struct addr *addr, int64_t at_us, struct err *err)
{
	struct sighting at = {.end = {.addr = *addr, .mac = *mac},
	                      .first_us = at_us,
	                      .last_us = at_us};
	const struct unit_rule *rule = policy_find_unit(units->policy, NULL, mac);
	struct unit *unit;
	int r = 0;

	addresses_neighbour(units->addresses, mac, addr, at_us);
	/* It is its own word, though no packet of a flow: an entry for many makes no unit of it. */
	at.spoke = rule && !rule->many;
	at.word = true;
	unit = units_at(units, db, &at, &r, err);
	if (!unit)
		return r;
	at.known_by = KNOWN_BY_NEIGHBOUR;
	unit_seen(unit, &at);
	return unit_settle(unit, db, err);
}

void unit_bound(struct unit *unit, uint32_t roles, int64_t at_us)
{
	for (unsigned i = 0; i < ROLES_MAX; i++)
		if (roles & BIT(i) && (!unit->bound_us[i] || at_us < unit->bound_us[i])) {
			unit->bound_us[i] = at_us;
			unit->bound |= (uint32_t)BIT(i);
		}
}

uint32_t unit_bound_roles(const struct unit *unit, int64_t at_us)
{
	uint32_t roles = 0;

	for (uint32_t left = unit->bound; left; left &= left - 1) {
		unsigned i = (unsigned)__builtin_ctz(left);

		if (unit->bound_us[i] && unit->bound_us[i] <= at_us)
			roles |= (uint32_t)BIT(i);
	}
	return roles;
}

/* ---------------------------------------------------------------- writing */

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

static int by_number(const void *a, const void *b)
{
	uint64_t x = (*(struct unit *const *)a)->number, y = (*(struct unit *const *)b)->number;

	return x < y ? -1 : x > y;
}

int units_flush(struct units *units, struct flowdb *db, struct err *err)
{
	int r = 0;

	if (units->changed_count)
		qsort(units->changed, units->changed_count, sizeof(struct unit *), by_number);
	for (size_t i = 0; i < units->changed_count && r >= 0; i++) {
		struct unit *unit = units->changed[i];

		r = addresses_flush(unit, db, err);
		units->refused += unit->addresses_refused;
		unit->addresses_refused = 0;
		if (unit->dirty && r >= 0)
			r = use_flush(units, unit, db, err);
		unit->dirty = unit->listed = false;
	}
	units->changed_count = 0;
	return r < 0 ? r : 0;
}

struct unit *units_of_id(const struct units *units, int64_t id)
{
	for (size_t i = 0; i < units->count; i++)
		if (units->all[i]->id == id)
			return units->all[i];
	return NULL;
}

size_t units_count(const struct units *units)
{
	return units->count;
}

uint64_t units_refused(const struct units *units)
{
	return units->refused + units->routers.refused + units->proxies.refused +
	       addresses_refused(units->addresses);
}
