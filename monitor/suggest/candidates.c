/*
 * candidates.c - who looks like a unit, of all hosts on record. A host is an address; addresses of one MAC are
 * one candidate, where the MAC is sure to be the host's own: the maker's, or one that DHCP gave that very address
 * to, and not that of a router.
 */
#include "monitor/record/routers.h"
#include "monitor/suggest/parts.h"

struct host {
	int64_t unit; /* in the database */
	struct addr addr;
	struct mac mac; /* of its frames; zero: not known */
	struct trace by_name;
	char called[NAME_MAX_LEN + 1];
	bool called_more;
	bool serves; /* it asks for such names because others ask it: a resolver, a proxy */
	bool by_mac; /* the MAC is its own */
	bool by_oui;
	bool routed;
	bool asked; /* --unit names it */
	const struct lease_row *lease;
};

struct reading {
	struct suggestion *suggestion;
	struct policy *looks; /* without units: what the maker's look like */
	struct host *hosts;   /* by unit, then address */
	size_t count, room;
	struct lease_row *leases;
	size_t lease_count, lease_room;
};

static void reading_release(struct reading *reading)
{
	policy_free(reading->looks);
	free(reading->hosts);
	free(reading->leases);
}

static int compare_hosts(const void *a, const void *b)
{
	const struct host *x = a, *y = b;
	int order = (x->unit > y->unit) - (x->unit < y->unit);

	order = order ? order : addr_compare(&x->addr, &y->addr);
	return order ? order : memcmp(&x->mac, &y->mac, sizeof(x->mac));
}

/* ------------------------------------------------------------- reading */

static int take_address(void *context, const struct unit_address_row *row, struct err *err)
{
	struct reading *reading = context;
	const struct flow_query *window = &reading->suggestion->options.window;

	/* Others wrote to it there, and it never spoke. */
	if (!row->known_by || row->last_us < window->since_us ||
	    (window->until_us && row->first_us > window->until_us))
		return 0;
	if (array_reserve(&reading->hosts, &reading->room, reading->count + 1,
	                  sizeof(*reading->hosts)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	reading->hosts[reading->count++] =
		(struct host){.unit = row->unit, .addr = row->address, .mac = row->mac};
	return 0;
}

static int take_lease(void *context, const struct lease_row *lease, struct err *err)
{
	struct reading *reading = context;

	if (array_reserve(&reading->leases, &reading->lease_room, reading->lease_count + 1,
	                  sizeof(*reading->leases)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	reading->leases[reading->lease_count++] = *lease;
	return 0;
}

/* The host that a flow is of: by unit and address, else the unit's first. */
static struct host *host_of(struct reading *reading, const struct flow_view *flow)
{
	const struct addr *addr = &flow->facts.end[flow->local].addr;
	size_t low = 0, high = reading->count;
	struct host *first;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (reading->hosts[middle].unit < flow->unit_id)
			low = middle + 1;
		else
			high = middle;
	}
	first = low < reading->count && reading->hosts[low].unit == flow->unit_id
	                ? &reading->hosts[low]
	                : NULL;
	for (; low < reading->count && reading->hosts[low].unit == flow->unit_id; low++)
		if (addr_equal(&reading->hosts[low].addr, addr))
			return &reading->hosts[low];
	return first;
}

static int take_flow(void *context, const struct flow_view *flow, struct err *err)
{
	struct reading *reading = context;
	const struct flow_facts *facts = &flow->facts;
	struct host *host;
	bool both = facts->packets[0] && facts->packets[1];

	(void)err;
	if (!*flow->name || facts->initiator > 1 ||
	    !policy_looks_like_unit(reading->looks, NULL, flow->name))
		return 0;
	host = host_of(reading, flow);
	if (!host)
		return 0;
	if (facts->initiator != flow->local) {
		host->serves |=
			both &&
			(facts->connect_port ||
		         (facts->evidence == EVIDENCE_DISSECTOR && facts->app == APP_DNS));
		return 0;
	}
	if (!host->by_name.flows)
		text_copy(host->called, sizeof(host->called), flow->name);
	host->called_more |= strcasecmp(host->called, flow->name) != 0;
	trace_add(&host->by_name, flow);
	return 0;
}

/* -------------------------------------------------------------- judging */

struct mac_use {
	struct mac mac;
	struct addr addr;
};

static int compare_uses(const void *a, const void *b)
{
	const struct mac_use *x = a, *y = b;
	int order = memcmp(&x->mac, &y->mac, sizeof(x->mac));

	return order ? order : addr_compare(&x->addr, &y->addr);
}

static bool is_asked(const struct suggestion *suggestion, const struct host *host, bool *seen)
{
	const char *const *words = suggestion->options.units;
	bool asked = false;

	for (size_t i = 0; words && words[i]; i++) {
		struct prefix prefix;
		struct mac mac;
		bool fits = !mac_parse(words[i], &mac)
		                    ? mac_equal(&mac, &host->mac)
		                    : !prefix_parse(words[i], &prefix) &&
		                              prefix_covers(&prefix, &host->addr);

		seen[i] |= fits;
		asked |= fits;
	}
	return asked;
}

static void host_look(struct reading *reading, struct host *host, bool *seen)
{
	for (size_t i = 0; i < reading->lease_count; i++) {
		const struct lease_row *lease = &reading->leases[i];

		if (addr_equal(&lease->address, &host->addr) &&
		    (!host->lease || lease->first_us >= host->lease->first_us))
			host->lease = lease;
	}
	host->by_oui = !host->routed && !mac_is_zero(&host->mac) &&
	               policy_looks_like_unit(reading->looks, &host->mac, NULL);
	host->by_mac = host->by_oui || (host->lease && !host->routed &&
	                                mac_equal(&host->lease->mac, &host->mac));
	host->asked = is_asked(reading->suggestion, host, seen);
}

/* More addresses than one host has (record/routers.h): whoever is behind that MAC, it tells nobody. */
static int mark_routers(struct reading *reading, struct err *err)
{
	CLEANUP(freep) struct mac_use *uses = calloc(reading->count + 1, sizeof(*uses));
	size_t end;

	if (!uses)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < reading->count; i++)
		uses[i] = (struct mac_use){reading->hosts[i].mac, reading->hosts[i].addr};
	qsort(uses, reading->count, sizeof(*uses), compare_uses);
	for (size_t begin = 0; begin < reading->count; begin = end) {
		unsigned v4 = 0, v6 = 0;

		for (end = begin;
		     end < reading->count && mac_equal(&uses[end].mac, &uses[begin].mac); end++)
			if (end == begin || !addr_equal(&uses[end].addr, &uses[end - 1].addr))
				*(addr_is_v4(&uses[end].addr) ? &v4 : &v6) += 1;
		for (size_t i = 0; (v4 > ROUTER_V4 || v6 > ROUTER_V6) && i < reading->count;
		     i++)
			reading->hosts[i].routed |=
				mac_equal(&reading->hosts[i].mac, &uses[begin].mac);
	}
	return 0;
}

/* ------------------------------------------------------------ gathering */

static struct candidate *candidate_new(struct suggestion *suggestion, int *ret_error,
                                       struct err *err)
{
	*ret_error = 0;
	if (suggestion->candidate_count == CANDIDATES_MAX) {
		suggestion->candidates_refused++;
		return NULL;
	}
	if (array_reserve(&suggestion->candidates, &suggestion->candidate_room,
	                  suggestion->candidate_count + 1,
	                  sizeof(*suggestion->candidates)) < 0) {
		*ret_error = err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	suggestion->candidates[suggestion->candidate_count] =
		(struct candidate){.listed = false};
	return &suggestion->candidates[suggestion->candidate_count++];
}

static void take_address_of(struct candidate *candidate, const struct addr *addr)
{
	unsigned at = 0;

	while (at < candidate->address_count && addr_compare(&candidate->address[at], addr) < 0)
		at++;
	if (at < candidate->address_count && addr_equal(&candidate->address[at], addr))
		return;
	if (candidate->address_count == CANDIDATE_ADDRESSES_MAX) {
		candidate->addresses_more++;
		return;
	}
	memmove(&candidate->address[at + 1], &candidate->address[at],
	        (candidate->address_count - at) * sizeof(*addr));
	candidate->address[at] = *addr;
	candidate->address_count++;
}

static void candidate_join(struct candidate *candidate, const struct host *host)
{
	take_address_of(candidate, &host->addr);
	candidate->asked |= host->asked;
	candidate->by_oui |= host->by_oui;
	if (host->by_mac)
		candidate->mac = host->mac;
	else if (host->routed)
		candidate->routed = host->mac;
	if (host->by_name.flows && !host->serves) {
		candidate->called_more |=
			host->called_more || (candidate->by_name.flows &&
		                              strcasecmp(candidate->called, host->called) != 0);
		if (!candidate->by_name.flows ||
		    host->by_name.first_us < candidate->by_name.first_us) {
			uint64_t flows = candidate->by_name.flows;

			candidate->by_name = host->by_name;
			candidate->by_name.flows += flows;
			text_copy(candidate->called, sizeof(candidate->called), host->called);
		} else {
			candidate->by_name.flows += host->by_name.flows;
		}
	}
	if (host->lease && host->lease->first_us >= candidate->lease.first_us)
		candidate->lease = *host->lease;
}

static bool is_seed(const struct suggestion *suggestion, const struct host *host)
{
	if (suggestion->options.units)
		return host->asked;
	/* Whoever is on record is a unit, or looks like one; those that the site file lists are not here. */
	if (suggestion->options.recorded)
		return true;
	return host->by_oui || (host->by_name.flows && !host->serves);
}

static bool is_of(const struct candidate *candidate, const struct host *host)
{
	for (unsigned i = 0; i < candidate->address_count; i++)
		if (addr_equal(&candidate->address[i], &host->addr))
			return true;
	return host->by_mac && !mac_is_zero(&candidate->mac) &&
	       mac_equal(&candidate->mac, &host->mac);
}

/* The candidate that the host is another address of; NULL. */
static struct candidate *candidate_of(struct suggestion *suggestion, const struct host *host)
{
	for (size_t i = 0; i < suggestion->candidate_count; i++)
		if (!suggestion->candidates[i].listed &&
		    is_of(&suggestion->candidates[i], host))
			return &suggestion->candidates[i];
	return NULL;
}

/* First the seeds, then whoever is beside one of them. */
static int gather(struct reading *reading, bool seeds, struct err *err)
{
	struct suggestion *suggestion = reading->suggestion;
	int r = 0;

	for (size_t i = 0; i < reading->count && r >= 0; i++) {
		const struct host *host = &reading->hosts[i];
		struct candidate *candidate = candidate_of(suggestion, host);

		if (seeds != is_seed(suggestion, host))
			continue;
		if (!candidate && seeds)
			candidate = candidate_new(suggestion, &r, err);
		if (candidate)
			candidate_join(candidate, host);
	}
	return r;
}

/* --------------------------------------------------------------- naming */

static int compare_candidates(const void *a, const void *b)
{
	const struct candidate *x = a, *y = b;
	int order = y->listed - x->listed;

	if (!order && x->listed)
		return strcmp(x->name, y->name);
	if (!order && x->address_count && y->address_count)
		order = addr_compare(&x->address[0], &y->address[0]);
	return order ? order : memcmp(&x->mac, &y->mac, sizeof(x->mac));
}

int candidate_named(const struct suggestion *suggestion, const char *name)
{
	for (size_t i = 0; i < suggestion->candidate_count; i++)
		if (!strcmp(suggestion->candidates[i].name, name))
			return (int)i;
	return -1;
}

/* "room-1" and so on, but for what the site file in force calls its own. */
static void name_all(struct suggestion *suggestion)
{
	const struct policy *in_force = suggestion->options.in_force;
	unsigned number = 0;

	for (size_t i = 0; i < suggestion->candidate_count; i++) {
		struct candidate *candidate = &suggestion->candidates[i];
		bool taken = true;

		while (!candidate->listed && taken) {
			snprintf(candidate->name, sizeof(candidate->name), "room-%u", ++number);
			taken = false;
			for (size_t u = 0; in_force && u < in_force->unit_count; u++)
				taken |= !strcmp(in_force->units[u].name, candidate->name);
		}
	}
}

void candidate_drop(struct suggestion *suggestion, size_t at)
{
	memmove(&suggestion->candidates[at], &suggestion->candidates[at + 1],
	        (suggestion->candidate_count - at - 1) * sizeof(*suggestion->candidates));
	suggestion->candidate_count--;
	name_all(suggestion);
}

bool is_near_units(const struct suggestion *suggestion, const struct addr *addr)
{
	bool v4 = addr_is_v4(addr);
	size_t bytes = v4 ? 14 : 4; /* a /16; a /32, what a provider has */

	if (addr_is_private(addr))
		return true;
	for (size_t i = 0; i < suggestion->candidate_count; i++) {
		const struct candidate *candidate = &suggestion->candidates[i];

		for (unsigned a = 0; a < candidate->address_count; a++)
			if (addr_is_v4(&candidate->address[a]) == v4 &&
			    !memcmp(&candidate->address[a], addr, bytes))
				return true;
	}
	return false;
}

/* ------------------------------------------------------- units on record */

/* Of a recording: units that are listed are candidates that need no line; hosts on no list are read as in a census. */
static int take_unit(void *context, const struct unit_view *unit, struct err *err)
{
	struct reading *reading = context;
	struct suggestion *suggestion = reading->suggestion;
	const struct policy *in_force = suggestion->options.in_force;
	struct candidate *candidate;
	int r = 0;

	suggestion->hosts++;
	if (!in_force || !unit->listed)
		return 0;
	candidate = candidate_new(suggestion, &r, err);
	if (!candidate)
		return r;
	*candidate = (struct candidate){.listed = true, .unit = unit->id};
	text_copy(candidate->name, sizeof(candidate->name), unit->name);
	return policy_parse_profiles(in_force->envelope, unit->profiles, &candidate->profiles,
	                             NULL) < 0
	               ? 0
	               : r;
}

/* Hosts of listed units are no candidates: their addresses are the listed ones'. */
static void part_listed(struct reading *reading)
{
	struct suggestion *suggestion = reading->suggestion;
	size_t kept = 0;

	for (size_t i = 0; i < reading->count; i++) {
		struct candidate *owner = NULL;

		for (size_t c = 0; c < suggestion->candidate_count && !owner; c++)
			if (suggestion->candidates[c].unit == reading->hosts[i].unit)
				owner = &suggestion->candidates[c];
		if (owner)
			take_address_of(owner, &reading->hosts[i].addr);
		else
			reading->hosts[kept++] = reading->hosts[i];
	}
	reading->count = kept;
}

static int take_finding(void *context, const struct finding_view *finding, struct err *err)
{
	struct suggestion *suggestion = context;
	struct addr addr;

	(void)err;
	if (addr_parse(finding->unit, &addr) < 0)
		return 0;
	for (size_t i = 0; i < suggestion->candidate_count; i++) {
		struct candidate *candidate = &suggestion->candidates[i];

		for (unsigned a = 0; !candidate->listed && a < candidate->address_count; a++)
			if (addr_equal(&candidate->address[a], &addr) && !candidate->sentence)
				candidate->sentence = strdup(finding->row.reason);
	}
	return 0;
}

static int read_all(struct reading *reading, struct err *err)
{
	struct suggestion *suggestion = reading->suggestion;
	struct flowdb *db = suggestion->options.db;
	const struct policy_args args = {.envelope = suggestion->options.envelope};
	int r = policy_load(&args, &reading->looks, err);

	if (r >= 0)
		r = flowdb_units(db, take_unit, reading, err);
	if (r >= 0)
		r = flowdb_unit_addresses(db, 0, take_address, reading, err);
	if (r >= 0 && suggestion->options.in_force)
		part_listed(reading);
	if (r >= 0 && reading->count)
		qsort(reading->hosts, reading->count, sizeof(*reading->hosts), compare_hosts);
	if (r >= 0)
		r = flowdb_leases(db, 0, take_lease, reading, err);
	if (r >= 0 && !suggestion->options.in_force)
		r = flowdb_flows(db, &suggestion->options.window, take_flow, reading, err);
	return r < 0 ? r : mark_routers(reading, err);
}

int candidates_find(struct suggestion *suggestion, struct err *err)
{
	const struct finding_query unlisted = {.flow = {.kind = KIND_UNLISTED_UNIT}};
	CLEANUP(reading_release) struct reading reading = {.suggestion = suggestion};
	bool seen[SUGGEST_WORDS_MAX] = {false};
	const char *const *words = suggestion->options.units;
	int r = read_all(&reading, err);

	for (size_t i = 0; r >= 0 && i < reading.count; i++)
		host_look(&reading, &reading.hosts[i], seen);
	if (r >= 0)
		r = gather(&reading, true, err);
	if (r >= 0)
		r = gather(&reading, false, err);
	if (r < 0)
		return r;
	for (size_t i = 0; words && words[i]; i++)
		suggestion->missing[i] = !seen[i];
	if (suggestion->candidate_count)
		qsort(suggestion->candidates, suggestion->candidate_count,
		      sizeof(*suggestion->candidates), compare_candidates);
	name_all(suggestion);
	return suggestion->options.in_force ? flowdb_findings(suggestion->options.db, &unlisted,
	                                                      take_finding, suggestion, err)
	                                    : 0;
}
