/*
 * history.c - see history.h. Names and leases lie sorted by run and unit; both began anew with every
 * run, so a flow sees those of its own run alone. A unit is the one under the policy of the history, whoever
 * it was when it was recorded.
 */
#include "monitor/history.h"
#include "monitor/history_units.h"

#include <xxhash.h>

struct binding {
	int64_t run;
	uint64_t unit; /* hash of its name; so below */
	struct addr address;
	int64_t from_us, until_us;
	size_t order; /* of one answer, as the database gives them */
	char *name;
};

/* The names of a unit in a run, and when one of each role was first bound, once that is asked for. */
struct bound {
	int64_t run;
	uint64_t unit;
	size_t begin, end;
	bool known;
	int64_t first_us[ROLES_MAX];
};

struct lease {
	uint64_t unit;
	struct lease_row row;
};

/* The MAC that a unit had an address with; zero: it had several. */
struct known_mac {
	int64_t unit;
	struct addr address;
	struct mac mac;
};

/* What is recorded of a unit or a run, by its id. */
struct recorded {
	int64_t id;
	char text[UNIT_NAME_MAX];
};

struct history {
	const struct policy *policy;
	int64_t run; /* the only one that is asked about; 0: any */
	struct past_units *units;
	struct recorded *names_of_units, *policies_of_runs;
	size_t unit_count, unit_room, run_count, run_room;
	struct lease *leases;
	size_t lease_count, lease_room;
	struct known_mac *macs;
	size_t mac_count, mac_room;
	struct binding *names;
	size_t name_count, name_room;
	struct bound *bound;
	size_t bound_count, bound_room;
};

void history_free(struct history *history)
{
	if (!history)
		return;
	for (size_t i = 0; i < history->name_count; i++)
		free(history->names[i].name);
	free(history->names);
	free(history->names_of_units);
	free(history->policies_of_runs);
	free(history->leases);
	free(history->macs);
	free(history->bound);
	past_units_free(history->units);
	free(history);
}

void history_freep(struct history **history)
{
	history_free(*history);
	*history = NULL;
}

/* ------------------------------------------------------------------ loading */

static int compare(int64_t a, int64_t b)
{
	return (a > b) - (a < b);
}

static int compare_units(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_leases(const void *a, const void *b)
{
	const struct lease *x = a, *y = b;
	int order = compare(x->row.run, y->row.run);

	order = order ? order : compare_units(x->unit, y->unit);
	order = order ? order : compare(x->row.first_us, y->row.first_us);
	order = order ? order : memcmp(&x->row.mac, &y->row.mac, sizeof(x->row.mac));
	return order ? order : memcmp(&x->row.address, &y->row.address, sizeof(x->row.address));
}

static int compare_names(const void *a, const void *b)
{
	const struct binding *x = a, *y = b;
	int order = compare(x->run, y->run);

	order = order ? order : compare_units(x->unit, y->unit);
	order = order ? order : memcmp(&x->address, &y->address, sizeof(x->address));
	order = order ? order : compare(x->from_us, y->from_us);
	return order ? order : compare_units(x->order, y->order);
}

static int compare_recorded(const void *a, const void *b)
{
	const struct recorded *x = a, *y = b;

	return compare(x->id, y->id);
}

static int recorded_add(struct recorded **list, size_t *count, size_t *room, int64_t id,
                        const char *text, struct err *err)
{
	if (array_reserve(list, room, *count + 1, sizeof(**list)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	(*list)[*count].id = id;
	text_copy((*list)[*count].text, UNIT_NAME_MAX, text);
	++*count;
	return 0;
}

static const char *recorded_text(const struct recorded *list, size_t count, int64_t id)
{
	const struct recorded key = {.id = id};
	const struct recorded *found =
		count ? bsearch(&key, list, count, sizeof(key), compare_recorded) : NULL;

	return found ? found->text : "";
}

static int take_unit(void *context, const struct unit_view *unit, struct err *err)
{
	struct history *history = context;

	return recorded_add(&history->names_of_units, &history->unit_count, &history->unit_room,
	                    unit->id, unit->name, err);
}

static int take_use(void *context, const struct policy_use_view *use, struct err *err)
{
	struct history *history = context;

	return use->row.run ? recorded_add(&history->policies_of_runs, &history->run_count,
	                                   &history->run_room, use->row.run, use->hash, err)
	                    : 0;
}

static uint64_t unit_key(const char *name)
{
	return XXH3_64bits(name, strlen(name));
}

/* Whose that address was: as of a flow from there. 0: nobody's. */
static uint64_t unit_at(struct history *history, int64_t run, int64_t unit,
                        const struct addr *addr, const struct mac *mac, int64_t first_us,
                        int64_t last_us)
{
	char name[UNIT_NAME_MAX];
	const struct flow_view flow = {
		.run = run,
		.unit = recorded_text(history->names_of_units, history->unit_count, unit),
		.policy = recorded_text(history->policies_of_runs, history->run_count, run),
		.facts = {.first_us = first_us,
	                  .last_us = last_us,
	                  .end = {{.addr = *addr, .mac = mac ? *mac : (struct mac){{0}}}}},
	};

	return past_units_of(history->units, &flow, name) ? unit_key(name) : 0;
}

static int take_lease(void *context, const struct lease_row *lease, struct err *err)
{
	struct history *history = context;

	bool believed = is_believed_dhcp_server(history->policy, &lease->server);
	int r = past_units_lease(history->units, lease, believed, err);

	if (r < 0 || !believed || (history->run && lease->run != history->run))
		return r;
	if (array_reserve(&history->leases, &history->lease_room, history->lease_count + 1,
	                  sizeof(*history->leases)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	history->leases[history->lease_count++] = (struct lease){.row = *lease};
	return 0;
}

/* Once all of them are known. */
static void leases_settle(struct history *history)
{
	for (size_t i = 0; i < history->lease_count; i++) {
		struct lease *lease = &history->leases[i];

		lease->unit = unit_at(history, lease->row.run, lease->row.unit, &lease->row.address,
		                      &lease->row.mac, lease->row.first_us, lease->row.last_us);
	}
	if (history->lease_count)
		qsort(history->leases, history->lease_count, sizeof(*history->leases),
		      compare_leases);
}

/* As view.h's lease_at(), of the leases of a unit in a run. `later`: else the first of them. */
static const struct lease_row *lease_of(const struct history *history, int64_t run,
                                        uint64_t unit, const struct addr *addr, int64_t last_us,
                                        bool later)
{
	size_t low = 0, high = history->lease_count;
	const struct lease_row *best = NULL;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct lease *lease = &history->leases[middle];

		if (lease->row.run < run || (lease->row.run == run && lease->unit < unit))
			low = middle + 1;
		else
			high = middle;
	}
	for (size_t i = low; i < history->lease_count && history->leases[i].row.run == run &&
	                     history->leases[i].unit == unit;
	     i++) {
		const struct lease_row *row = &history->leases[i].row;

		if (row->first_us <= last_us ? lease_is_better(row, best, addr) : later && !best)
			best = row;
	}
	return best;
}

static int compare_macs(const void *a, const void *b)
{
	const struct known_mac *x = a, *y = b;
	int order = compare(x->unit, y->unit);

	return order ? order : memcmp(&x->address, &y->address, sizeof(x->address));
}

static int take_mac(void *context, const struct unit_address_row *row, struct err *err)
{
	struct history *history = context;

	if (mac_is_zero(&row->mac))
		return 0;
	if (array_reserve(&history->macs, &history->mac_room, history->mac_count + 1,
	                  sizeof(*history->macs)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	history->macs[history->mac_count++] =
		(struct known_mac){row->unit, row->address, row->mac};
	return 0;
}

static void macs_settle(struct history *history)
{
	size_t kept = 0;

	if (history->mac_count)
		qsort(history->macs, history->mac_count, sizeof(*history->macs), compare_macs);
	for (size_t i = 0; i < history->mac_count; i++)
		if (kept && !compare_macs(&history->macs[kept - 1], &history->macs[i]))
			history->macs[kept - 1].mac = (struct mac){{0}};
		else
			history->macs[kept++] = history->macs[i];
	history->mac_count = kept;
}

/* Names are recorded without the MAC of who asked: it is the one that the unit had that address with. NULL: not known. */
static const struct mac *mac_of(const struct history *history, int64_t unit,
                                const struct addr *address)
{
	const struct known_mac key = {.unit = unit, .address = *address};
	const struct known_mac *known = history->mac_count
	                                        ? bsearch(&key, history->macs, history->mac_count,
	                                                  sizeof(key), compare_macs)
	                                        : NULL;

	return known && !mac_is_zero(&known->mac) ? &known->mac : NULL;
}

static int take_name(void *context, const struct name_row *row, struct err *err)
{
	struct history *history = context;
	struct binding *name;
	uint64_t unit;

	if (!row->unit)
		return 0;
	unit = unit_at(history, row->run, row->unit, &row->client,
	               mac_of(history, row->unit, &row->client), row->first_us, row->last_us);
	if (!unit ||
	    !is_believed_resolver(history->policy,
	                          lease_of(history, row->run, unit, &row->client, row->first_us,
	                                   false),
	                          &row->server))
		return 0;
	if (array_reserve(&history->names, &history->name_room, history->name_count + 1,
	                  sizeof(*history->names)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	name = &history->names[history->name_count];
	*name = (struct binding){row->run,      unit,          row->address,
	                         row->first_us, row->until_us, history->name_count,
	                         strdup(row->name)};
	if (!name->name)
		return err_set(err, -ENOMEM, "out of memory");
	history->name_count++;
	return 0;
}

/* Once the names are sorted by run and unit. */
static int bound_fill(struct history *history, struct err *err)
{
	struct bound *bound = NULL;

	for (size_t i = 0; i < history->name_count; i++) {
		const struct binding *name = &history->names[i];

		if (!bound || bound->run != name->run || bound->unit != name->unit) {
			if (array_reserve(&history->bound, &history->bound_room,
			                  history->bound_count + 1, sizeof(*bound)) < 0)
				return err_set(err, -ENOMEM, "out of memory");
			bound = &history->bound[history->bound_count++];
			*bound = (struct bound){
				.run = name->run, .unit = name->unit, .begin = i};
		}
		bound->end = i + 1;
	}
	return 0;
}

int history_new(struct flowdb *db, const struct policy *policy, const struct flow_view *flow,
                struct history **ret_history, struct err *err)
{
	CLEANUP(history_freep) struct history *history = calloc(1, sizeof(*history));
	int r;

	if (!history)
		return err_set(err, -ENOMEM, "out of memory");
	history->policy = policy;
	history->run = flow ? flow->run : 0;
	r = past_units_new(db, policy, &history->units, err);
	if (r >= 0)
		r = flowdb_units(db, take_unit, history, err);
	if (r >= 0)
		r = flowdb_policy_uses(db, take_use, history, err);
	if (r >= 0)
		r = flowdb_leases(db, 0, take_lease, history, err);
	if (r < 0)
		return r;
	if (history->unit_count)
		qsort(history->names_of_units, history->unit_count,
		      sizeof(*history->names_of_units), compare_recorded);
	if (history->run_count)
		qsort(history->policies_of_runs, history->run_count,
		      sizeof(*history->policies_of_runs), compare_recorded);
	leases_settle(history);
	r = flowdb_unit_addresses(db, 0, take_mac, history, err);
	if (r < 0)
		return r;
	macs_settle(history);
	r = flowdb_names_held(db, history->run, 0, flow ? flow->facts.last_us : INT64_MAX,
	                      take_name, history, err);
	if (r < 0)
		return r;
	if (history->name_count)
		qsort(history->names, history->name_count, sizeof(*history->names), compare_names);
	r = bound_fill(history, err);
	if (r < 0)
		return r;
	*ret_history = TAKE(history);
	return 0;
}

/* ------------------------------------------------------------------ judging */

/* By what the names are. */
static void bound_know(const struct history *history, struct bound *bound)
{
	for (size_t i = bound->begin; i < bound->end; i++) {
		const struct binding *name = &history->names[i];
		uint32_t roles = policy_roles_of_name(history->policy, name->name);

		for (unsigned role = 0; role < ROLES_MAX; role++)
			if (roles & BIT(role) &&
			    (!bound->first_us[role] || name->from_us < bound->first_us[role]))
				bound->first_us[role] = name->from_us;
	}
	bound->known = true;
}

static uint32_t bound_roles(const struct history *history, const struct flow_view *flow,
                            uint64_t unit)
{
	size_t low = 0, high = history->bound_count;
	struct bound *bound;
	uint32_t roles = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		bound = &history->bound[middle];
		if (bound->run < flow->run || (bound->run == flow->run && bound->unit < unit))
			low = middle + 1;
		else
			high = middle;
	}
	bound = &history->bound[low];
	if (low == history->bound_count || bound->run != flow->run || bound->unit != unit)
		return 0;
	if (!bound->known)
		bound_know(history, bound);
	for (unsigned role = 0; role < ROLES_MAX; role++)
		if (bound->first_us[role] && bound->first_us[role] <= flow->facts.last_us)
			roles |= (uint32_t)BIT(role);
	return roles;
}

/* As the book keeps them (record/book.c): the last BOUND_MAX names of an address, a place each. */
static void names_fill(const struct history *history, const struct flow_view *flow,
                       uint64_t unit, struct view *view)
{
	const struct flow_facts *facts = &flow->facts;
	const struct addr *peer = &facts->end[!flow->local].addr;
	const struct binding *place[BOUND_MAX];
	size_t low = 0, high = history->name_count;
	unsigned count = 0, oldest = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct binding *name = &history->names[middle];
		int order = compare(name->run, flow->run);

		order = order ? order : compare_units(name->unit, unit);
		order = order ? order : memcmp(&name->address, peer, sizeof(*peer));
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < history->name_count; low++) {
		const struct binding *name = &history->names[low];
		unsigned at = 0;

		if (name->run != flow->run || name->unit != unit ||
		    !addr_equal(&name->address, peer) || name->from_us > facts->last_us)
			break;
		while (at < count && strcmp(place[at]->name, name->name) != 0)
			at++;
		if (at == BOUND_MAX) {
			at = oldest;
			oldest = (oldest + 1) % BOUND_MAX;
		} else if (at == count) {
			count++;
		} else if (name->until_us < place[at]->until_us) {
			continue;
		}
		place[at] = name;
	}
	for (unsigned i = count; i--;) {
		const struct binding *name = place[(i + oldest) % count];

		if (name->until_us >= facts->first_us)
			view->bound[view->bound_count++] = name->name;
	}
}

static void view_fill(const struct history *history, const struct flow_view *flow,
                      const struct unit_rule *rule, uint64_t unit, struct view *view)
{
	const struct flow_facts *facts = &flow->facts;
	const struct lease_row *lease;

	*view = (struct view){
		.facts = facts,
		.name = flow->name,
		.local = flow->local,
		.app = flow->app,
		.evidence = flow->evidence,
		.profiles = rule->profiles,
		.unit = rule,
		.bound_roles = flow->told & TOLD_NAMES_SHORT ? 0 : bound_roles(history, flow, unit),
		.inspector_off = flow->told & TOLD_NO_INSPECTOR,
		.lossy = flow->lossy,
		.asked_again = flow->asked_again,
	};
	names_fill(history, flow, unit, view);
	lease = lease_of(history, flow->run, unit, &facts->end[flow->local].addr, facts->last_us,
	                 flow->told & TOLD_LEASE_LATER);
	if (lease)
		view_take_lease(history->policy, lease, view);
}

bool history_judge(struct history *history, const struct flow_view *flow, struct past *ret)
{
	const struct unit_rule *rule = past_units_of(history->units, flow, ret->unit);

	if (!rule)
		return false;
	ret->policy = history->policy;
	ret->moved = strcmp(ret->unit, flow->unit) != 0;
	view_fill(history, flow, rule, unit_key(ret->unit), &ret->view);
	judge_flow(history->policy, &ret->view, &ret->verdict);
	if (!(flow->told & TOLD_OPEN))
		judge_outcome(history->policy, &ret->view, !(flow->told & TOLD_ALONE),
		              &ret->verdict);
	return true;
}

bool history_lacks_peer(struct history *history, const struct flow_view *flow)
{
	return past_units_lacks_peer(history->units, flow);
}

bool history_flips(const struct history *history, const struct flow_view *flow,
                   const struct verdict *verdict)
{
	const struct row *rows = history->policy->rows;

	if (flow->ruling != verdict->ruling || flow->grade != verdict->grade ||
	    flow->kind != verdict->kind || flow->severity != verdict->severity ||
	    flow->why != verdict->why || flow->row_count != verdict->row_count ||
	    !flow->nearest_count != !verdict->nearest_count)
		return true;
	for (unsigned i = 0; i < verdict->row_count; i++)
		if (strcmp(flow->rows[i], rows[verdict->rows[i]].id) != 0)
			return true;
	return verdict->nearest_count &&
	       strcmp(flow->nearest[0].row, rows[verdict->nearest[0].row].id) != 0;
}

static bool is_as_near(const struct nearest_view *then, const struct nearest *now)
{
	if (then->count != now->count)
		return false;
	for (unsigned i = 0; i < now->count; i++)
		if (then->differs[i].field != now->differs[i].field ||
		    strcmp(then->differs[i].expected, now->differs[i].expected) != 0 ||
		    strcmp(then->differs[i].seen, now->differs[i].seen) != 0)
			return false;
	return true;
}

bool history_differs(const struct history *history, const struct flow_view *flow,
                     const struct verdict *verdict)
{
	const struct row *rows = history->policy->rows;

	if (flow->nearest_count != verdict->nearest_count ||
	    strcmp(flow->remark, verdict->reason) != 0)
		return true;
	for (unsigned i = 0; i < verdict->nearest_count; i++)
		if (strcmp(flow->nearest[i].row, rows[verdict->nearest[i].row].id) != 0 ||
		    !is_as_near(&flow->nearest[i], &verdict->nearest[i]))
			return true;
	return false;
}

const struct waiver *past_waiver(const struct past *past)
{
	const struct view *view = &past->view;

	return past->verdict.kind == KIND_NONE
	               ? NULL
	               : policy_find_waiver(past->policy, past->unit, &past->verdict, view->facts,
	                                    view->local, view->app, view->facts->last_us, NULL);
}
