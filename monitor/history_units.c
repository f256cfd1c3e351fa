/*
 * history_units.c - see history_units.h.
 */
#include "monitor/history_units.h"
#include "monitor/policy_record.h"

#define GOT_US INT64_C(10000000) /* as long as a DHCP flow waits for it */
#define POLICIES_MAX 64 /* that judged what is recorded; of more the lists are not compared */

struct judged_by {
	char hash[65];
	struct policy *policy; /* NULL: its record is not whole */
};

struct claim {
	struct addr address;
	struct mac mac;
	int64_t since_us, until_us;
	bool believed;
};

struct past_units {
	struct flowdb *db;
	const struct policy *policy;
	struct judged_by judged[POLICIES_MAX];
	size_t judged_count, last;
	struct claim *claims;
	size_t claim_count, claim_room;
	bool sorted;
};

int past_units_new(struct flowdb *db, const struct policy *policy, struct past_units **ret,
                   struct err *err)
{
	struct past_units *units = calloc(1, sizeof(*units));

	if (!units)
		return err_set(err, -ENOMEM, "out of memory");
	units->db = db;
	units->policy = policy;
	*ret = units;
	return 0;
}

void past_units_free(struct past_units *units)
{
	if (!units)
		return;
	for (size_t i = 0; i < units->judged_count; i++)
		policy_free(units->judged[i].policy);
	free(units->claims);
	free(units);
}

int past_units_lease(struct past_units *units, const struct lease_row *lease, bool believed,
                     struct err *err)
{
	if (array_reserve(&units->claims, &units->claim_room, units->claim_count + 1,
	                  sizeof(*units->claims)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	units->claims[units->claim_count++] = (struct claim){
		lease->address, lease->mac, lease->first_us,
		lease->until_us ? lease->until_us : lease->last_us, believed};
	units->sorted = false;
	return 0;
}

static int compare_claims(const void *a, const void *b)
{
	const struct claim *x = a, *y = b;
	int order = memcmp(&x->address, &y->address, sizeof(x->address));

	return order ? order : (x->since_us > y->since_us) - (x->since_us < y->since_us);
}

/* The MAC that a lease gave the address to while the flow went on; NULL. */
static const struct mac *leased(struct past_units *units, const struct addr *addr,
                                const struct flow_facts *facts)
{
	const struct mac *mac = NULL;
	size_t low = 0, high = units->claim_count;

	if (!units->sorted && units->claim_count)
		qsort(units->claims, units->claim_count, sizeof(*units->claims), compare_claims);
	units->sorted = true;
	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (memcmp(&units->claims[middle].address, addr, sizeof(*addr)) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < units->claim_count && addr_equal(&units->claims[low].address, addr); low++)
		if (units->claims[low].believed && units->claims[low].since_us <= facts->last_us &&
		    units->claims[low].until_us >= facts->first_us)
			mac = &units->claims[low].mac;
	return mac;
}

/* A DHCP client without an address is who the address is of that it gets: NULL if none is known. */
static const struct addr *got(const struct past_units *units, const struct flow_facts *facts)
{
	const struct claim *last = NULL;

	for (size_t i = 0; i < units->claim_count; i++) {
		const struct claim *claim = &units->claims[i];

		if (mac_equal(&claim->mac, &facts->chaddr) && claim->since_us <= facts->last_us + GOT_US &&
		    (!last || claim->since_us > last->since_us))
			last = claim;
	}
	return last ? &last->address : NULL;
}

/* What the lists of a policy say of the unit's end: by MAC, by address, by the lease of a listed MAC. */
static const struct unit_rule *listed(struct past_units *units, const struct policy *policy,
                                      const struct flow_view *flow)
{
	const struct flow_facts *facts = &flow->facts;
	const struct endpoint *end = &facts->end[flow->local];
	const struct unit_rule *rule = NULL;
	const struct mac *mac;

	if (!mac_is_zero(&facts->chaddr) && end->port == 68) {
		const struct addr *addr = got(units, facts);

		rule = policy_find_unit(policy, addr, &facts->chaddr);
	}
	if (!rule)
		rule = policy_find_unit(policy, &end->addr,
		                        mac_is_zero(&end->mac) ? NULL : &end->mac);
	if (rule)
		return rule;
	mac = leased(units, &end->addr, facts);
	return mac ? policy_find_unit(policy, NULL, mac) : NULL;
}

/* The policy that judged the flow; NULL if its record is not whole. */
static const struct policy *judged_by(struct past_units *units, const char *hash)
{
	struct judged_by *judged;

	if (!strcmp(hash, units->policy->hash))
		return units->policy;
	if (units->last < units->judged_count && !strcmp(units->judged[units->last].hash, hash))
		return units->judged[units->last].policy;
	for (size_t i = 0; i < units->judged_count; i++)
		if (!strcmp(units->judged[i].hash, hash)) {
			units->last = i;
			return units->judged[i].policy;
		}
	if (units->judged_count == POLICIES_MAX)
		return NULL;
	judged = &units->judged[units->judged_count++];
	text_copy(judged->hash, sizeof(judged->hash), hash);
	if (policy_of_record(units->db, hash, &judged->policy, NULL) < 0)
		judged->policy = NULL;
	return judged->policy;
}

/* The entry under which a unit of this name stands: "name", "name/address", or an address within it. */
static const struct unit_rule *rule_named(const struct policy *policy, const char *name)
{
	size_t len = strcspn(name, "/");
	const char *where = name[len] ? name + len + 1 : name;
	struct addr addr;

	for (size_t i = 0; i < policy->unit_count; i++) {
		const struct unit_rule *rule = &policy->units[i];

		if (!rule->unnamed && strlen(rule->name) == len && !memcmp(rule->name, name, len) &&
		    rule->many == (name[len] == '/'))
			return rule;
	}
	return addr_parse(where, &addr) < 0 ? NULL : policy_find_unit(policy, &addr, NULL);
}

static bool same_entry(const struct unit_rule *a, const struct unit_rule *b)
{
	return a && b ? !strcmp(a->name, b->name) && a->many == b->many : a == b;
}

const struct unit_rule *past_units_of(struct past_units *units, const struct flow_view *flow,
                                      char name[UNIT_NAME_MAX])
{
	const struct addr *addr = &flow->facts.end[flow->local].addr;
	const struct unit_rule *now = listed(units, units->policy, flow), *then, *kept;
	const struct policy *before = judged_by(units, flow->policy);

	then = before == units->policy ? now : before ? listed(units, before, flow) : NULL;
	if (before ? same_entry(now, then) : !now) {
		/* Who the recorder found there (by a router's address, a neighbour's word, ...) is there still. */
		kept = rule_named(units->policy, flow->unit);
		if (kept) {
			text_copy(name, UNIT_NAME_MAX, flow->unit);
			return kept;
		}
	}
	if (now)
		unit_name(now, addr, name, UNIT_NAME_MAX);
	return now;
}

bool past_units_lacks_peer(struct past_units *units, const struct flow_view *flow)
{
	const struct addr *peer = &flow->facts.end[!flow->local].addr;
	const struct policy *before;

	if (!policy_find_unit(units->policy, peer, NULL))
		return false;
	before = judged_by(units, flow->policy);
	return before && !policy_find_unit(before, peer, NULL);
}
