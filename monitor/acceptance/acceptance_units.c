/*
 * acceptance_units.c - see acceptance_parts.h: whom an acceptance is of.
 */
#include "monitor/acceptance/acceptance_parts.h"
#include "schema/flowdb_incident.h"

static int add_unit(struct acceptance *a, const char *name, uint32_t profiles, struct err *err)
{
	struct acceptance_unit *unit;

	if (array_reserve(&a->units, &a->unit_room, a->unit_count + 1, sizeof(*unit)) < 0)
		return no_memory(err);
	unit = &a->units[a->unit_count++];
	*unit = (struct acceptance_unit){.profiles = profiles, .name = strdup(name)};
	unit->cells = calloc(a->policy->row_count + 1, sizeof(*unit->cells));
	return unit->name && unit->cells ? 0 : no_memory(err);
}

void unit_release(struct acceptance_unit *unit)
{
	free(unit->name);
	free(unit->cells);
	free(unit->groups);
}

static int compare_hosts(const void *a, const void *b)
{
	const struct unit_rule *const *x = a, *const *y = b;

	return strcmp((*x)->name, (*y)->name);
}

/* The entries that stand for one host, by name. */
static int sort_hosts(struct acceptance *a, struct err *err)
{
	a->hosts = calloc(a->policy->unit_count + 1, sizeof(*a->hosts));
	if (!a->hosts)
		return no_memory(err);
	for (size_t i = 0; i < a->policy->unit_count; i++)
		if (!a->policy->units[i].many)
			a->hosts[a->host_count++] = &a->policy->units[i];
	if (a->host_count)
		qsort(a->hosts, a->host_count, sizeof(*a->hosts), compare_hosts);
	return 0;
}

static const struct unit_rule *find_host(const struct acceptance *a, const char *name)
{
	const struct unit_rule key = {.name = (char *)name}, *wanted = &key;
	const struct unit_rule **found =
		a->host_count ? bsearch(&wanted, a->hosts, a->host_count, sizeof(*a->hosts),
	                                compare_hosts)
			      : NULL;

	return found ? *found : NULL;
}

/* "room, online"; a profile that the policy does not know has no rows. */
static uint32_t parse_profiles(const struct envelope *envelope, const char *text)
{
	char list[256], *rest, *word;
	uint32_t mask = 0;

	text_copy(list, sizeof(list), text);
	for (word = strtok_r(list, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest)) {
		int profile = envelope_find_profile(envelope, word);

		if (profile >= 0)
			mask |= (uint32_t)BIT(profile);
	}
	return mask;
}

static int take_address(void *context, const struct unit_address_row *row, struct err *err)
{
	struct acceptance_unit *unit = context;

	unit->seen = true;
	for (unsigned i = 0; i < unit->address_count; i++)
		if (addr_equal(&unit->addresses[i], &row->address))
			return 0;
	if (unit->address_count < ARRAY_LEN(unit->addresses))
		unit->addresses[unit->address_count++] = row->address;
	return 0;
}

static int take_unit(void *context, const struct unit_view *view, struct err *err)
{
	const struct reading *reading = context;
	struct acceptance *a = reading->acceptance;
	const struct flow_query *asked = &reading->query.flow;
	const struct unit_rule *rule = find_host(a, view->name);
	const struct unit_window window = {
		.unit = view->id,
		.since_us = asked->since_us,
		.until_us = asked->until_us ? asked->until_us : INT64_MAX,
	};
	int r;

	if (!rule && !view->listed) /* it is told of by a finding, and judged by no row */
		return 0;
	r = add_unit(a, view->name,
	             rule ? rule->profiles
	                  : parse_profiles(a->policy->envelope, view->profiles),
	             err);
	if (r < 0)
		return r;
	r = flowdb_unit_held(reading->query.db, &window, take_address,
	                     &a->units[a->unit_count - 1], err);
	/* An address is held from first to last sighting, through silence too: of a window its flows tell. */
	if (a->options.since_us || a->options.until_us)
		a->units[a->unit_count - 1].seen = false;
	return r;
}

static int compare_units(const void *a, const void *b)
{
	const struct acceptance_unit *x = a, *y = b;

	return strcmp(x->name, y->name);
}

struct acceptance_unit *acceptance_find_unit(const struct acceptance *a, const char *name)
{
	const struct acceptance_unit key = {.name = (char *)name};

	return a->unit_count
	               ? bsearch(&key, a->units, a->unit_count, sizeof(key), compare_units)
	               : NULL;
}

/* The one that is asked for, by its name or an address that the list gives it. */
bool reading_asks_for(const struct acceptance *a, const struct unit_rule *rule)
{
	const char *who = a->options.unit;
	struct addr addr;

	return !who || !strcmp(rule->name, who) ||
	       (!addr_parse(who, &addr) && policy_find_unit(a->policy, &addr, NULL) == rule);
}

/* Silence never passes: a listed unit that said nothing is a unit all the same. */
static int add_silent(struct acceptance *a, struct err *err)
{
	size_t known = a->unit_count;
	int r = 0;

	for (size_t i = 0; i < a->policy->unit_count && r >= 0; i++) {
		const struct unit_rule *rule = &a->policy->units[i];
		const struct acceptance_unit key = {.name = rule->name};

		if (!rule->many && reading_asks_for(a, rule) &&
		    !(known && bsearch(&key, a->units, known, sizeof(key), compare_units)))
			r = add_unit(a, rule->name, rule->profiles, err);
	}
	if (r >= 0 && a->unit_count)
		qsort(a->units, a->unit_count, sizeof(*a->units), compare_units);
	return r;
}

int reading_units(struct reading *reading, struct err *err)
{
	struct acceptance *a = reading->acceptance;
	int r = sort_hosts(a, err);

	/* Of a listed unit that never showed the database knows nothing. */
	if (r >= 0 && (!a->options.unit || reading->query.flow.unit))
		r = flowdb_members(reading->query.db, &reading->query.flow, take_unit, reading,
		                   err);
	return r < 0 ? r : add_silent(a, err);
}

/* A host of the entry for many: "name/address"; of one without a name the address. */
static bool stands_for(const struct acceptance *a, const struct unit_rule *rule,
                       const struct acceptance_unit *unit)
{
	size_t len = strlen(rule->name);
	const char *host = unit->name;
	struct addr addr;

	if (!rule->unnamed) {
		if (strncmp(host, rule->name, len) != 0 || host[len] != '/')
			return false;
		host += len + 1;
	}
	return addr_parse(host, &addr) < 0 || policy_find_unit(a->policy, &addr, NULL) == rule;
}

static int list_silent_entries(struct acceptance *a, struct err *err)
{
	a->silent = calloc(a->policy->unit_count + 1, sizeof(*a->silent));
	if (!a->silent)
		return no_memory(err);
	for (size_t i = 0; i < a->policy->unit_count && !a->options.unit; i++) {
		const struct unit_rule *rule = &a->policy->units[i];
		bool seen = !rule->many;

		for (size_t k = 0; k < a->unit_count && !seen; k++)
			seen = a->units[k].seen && stands_for(a, rule, &a->units[k]);
		if (!seen)
			a->silent[a->silent_entries++] = rule;
	}
	return 0;
}

/* Those on no list, or of an entry for many, are there because they were seen. */
int reading_drop_unseen(struct acceptance *a, struct err *err)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->unit_count; i++) {
		struct acceptance_unit *unit = &a->units[i];

		if (unit->seen || a->options.unit || find_host(a, unit->name))
			a->units[kept++] = *unit;
		else
			unit_release(unit);
	}
	a->unit_count = kept;
	return list_silent_entries(a, err);
}
