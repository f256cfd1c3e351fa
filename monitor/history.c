/*
 * history.c - see history.h. Names and leases lie sorted by run and unit; both began anew with every
 * run, so a flow sees those of its own run alone.
 */
#include "monitor/history.h"
#include "monitor/history_units.h"

struct binding {
	int64_t run, unit;
	struct addr address;
	int64_t from_us, until_us;
	char *name;
};

/* When a name of each role was first bound for a unit in a run. */
struct bound {
	int64_t run, unit;
	int64_t first_us[ROLES_MAX];
};

struct history {
	const struct policy *policy;
	struct past_units *units;
	struct lease_row *leases;
	size_t lease_count, lease_room;
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
	free(history->leases);
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

static int compare_leases(const void *a, const void *b)
{
	const struct lease_row *x = a, *y = b;
	int order = compare(x->run, y->run);

	order = order ? order : compare(x->unit, y->unit);
	order = order ? order : compare(x->first_us, y->first_us);
	order = order ? order : memcmp(&x->mac, &y->mac, sizeof(x->mac));
	return order ? order : memcmp(&x->address, &y->address, sizeof(x->address));
}

static int compare_names(const void *a, const void *b)
{
	const struct binding *x = a, *y = b;
	int order = compare(x->run, y->run);

	order = order ? order : compare(x->unit, y->unit);
	order = order ? order : memcmp(&x->address, &y->address, sizeof(x->address));
	order = order ? order : compare(x->from_us, y->from_us);
	return order ? order : strcmp(x->name, y->name);
}

static int take_lease(void *context, const struct lease_row *lease, struct err *err)
{
	struct history *history = context;

	if (!is_believed_dhcp_server(history->policy, &lease->server))
		return 0;
	if (array_reserve(&history->leases, &history->lease_room, history->lease_count + 1,
	                  sizeof(*history->leases)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	history->leases[history->lease_count++] = *lease;
	return past_units_lease(history->units, lease, err);
}

/* The leases of a unit in a run, in the order they were given. */
static const struct lease_row *leases_of(const struct history *history, int64_t run,
                                         int64_t unit, size_t *ret_count)
{
	size_t low = 0, high = history->lease_count, end;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct lease_row *lease = &history->leases[middle];

		if (lease->run < run || (lease->run == run && lease->unit < unit))
			low = middle + 1;
		else
			high = middle;
	}
	for (end = low; end < history->lease_count && history->leases[end].run == run &&
	                history->leases[end].unit == unit;
	     end++)
		;
	*ret_count = end - low;
	return history->leases + low;
}

static int take_name(void *context, const struct name_row *row, struct err *err)
{
	struct history *history = context;
	struct binding *name;
	const struct lease_row *leases;
	size_t count;

	if (!row->unit)
		return 0;
	leases = leases_of(history, row->run, row->unit, &count);
	if (!is_believed_resolver(history->policy,
	                          lease_at(leases, count, &row->client, row->first_us),
	                          &row->server))
		return 0;
	if (array_reserve(&history->names, &history->name_room, history->name_count + 1,
	                  sizeof(*history->names)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	name = &history->names[history->name_count];
	*name = (struct binding){row->run,      row->unit,     row->address,
	                         row->first_us, row->until_us, strdup(row->name)};
	if (!name->name)
		return err_set(err, -ENOMEM, "out of memory");
	history->name_count++;
	return 0;
}

/* By what the names are, once they are sorted by run and unit. */
static int bound_fill(struct history *history, struct err *err)
{
	struct bound *bound = NULL;

	for (size_t i = 0; i < history->name_count; i++) {
		const struct binding *name = &history->names[i];
		uint32_t roles = policy_roles_of_name(history->policy, name->name);

		if (!bound || bound->run != name->run || bound->unit != name->unit) {
			if (array_reserve(&history->bound, &history->bound_room,
			                  history->bound_count + 1, sizeof(*bound)) < 0)
				return err_set(err, -ENOMEM, "out of memory");
			bound = &history->bound[history->bound_count++];
			bound->run = name->run;
			bound->unit = name->unit;
		}
		for (unsigned role = 0; role < ROLES_MAX; role++)
			if (roles & BIT(role) &&
			    (!bound->first_us[role] || name->from_us < bound->first_us[role]))
				bound->first_us[role] = name->from_us;
	}
	return 0;
}

int history_new(struct flowdb *db, const struct policy *policy, struct history **ret_history,
                struct err *err)
{
	CLEANUP(history_freep) struct history *history = calloc(1, sizeof(*history));
	int r;

	if (!history)
		return err_set(err, -ENOMEM, "out of memory");
	history->policy = policy;
	r = past_units_new(db, policy, &history->units, err);
	if (r >= 0)
		r = flowdb_leases(db, 0, take_lease, history, err);
	if (r < 0)
		return r;
	if (history->lease_count)
		qsort(history->leases, history->lease_count, sizeof(*history->leases),
		      compare_leases);
	r = flowdb_names_held(db, 0, 0, take_name, history, err);
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

static uint32_t bound_roles(const struct history *history, const struct flow_view *flow)
{
	size_t low = 0, high = history->bound_count;
	const struct bound *bound;
	uint32_t roles = 0;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		bound = &history->bound[middle];
		if (bound->run < flow->run || (bound->run == flow->run && bound->unit < flow->unit_id))
			low = middle + 1;
		else
			high = middle;
	}
	bound = &history->bound[low];
	if (low == history->bound_count || bound->run != flow->run || bound->unit != flow->unit_id)
		return 0;
	for (unsigned role = 0; role < ROLES_MAX; role++)
		if (bound->first_us[role] && bound->first_us[role] <= flow->facts.last_us)
			roles |= (uint32_t)BIT(role);
	return roles;
}

/* As the book keeps them (record/book.c): the last BOUND_MAX names of an address, a place each. */
static void names_fill(const struct history *history, const struct flow_view *flow,
                       struct view *view)
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

		order = order ? order : compare(name->unit, flow->unit_id);
		order = order ? order : memcmp(&name->address, peer, sizeof(*peer));
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	for (; low < history->name_count; low++) {
		const struct binding *name = &history->names[low];
		unsigned at = 0;

		if (name->run != flow->run || name->unit != flow->unit_id ||
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
                      const struct unit_rule *rule, struct view *view)
{
	const struct flow_facts *facts = &flow->facts;
	const struct lease_row *leases, *lease;
	size_t count;

	*view = (struct view){
		.facts = facts,
		.name = flow->name,
		.local = flow->local,
		.app = flow->app,
		.evidence = flow->evidence,
		.profiles = rule->profiles,
		.unit = rule,
		.bound_roles = flow->told & TOLD_NAMES_SHORT ? 0 : bound_roles(history, flow),
		.inspector_off = flow->told & TOLD_NO_INSPECTOR,
		.lossy = flow->lossy,
		.asked_again = flow->asked_again,
	};
	names_fill(history, flow, view);
	leases = leases_of(history, flow->run, flow->unit_id, &count);
	lease = lease_at(leases, count, &facts->end[flow->local].addr, facts->last_us);
	if (!lease && count && flow->told & TOLD_LEASE_LATER)
		lease = leases;
	if (lease)
		view_take_lease(history->policy, lease, view);
}

bool history_judge(struct history *history, const struct flow_view *flow, struct past *ret)
{
	const struct unit_rule *rule = past_units_of(history->units, flow, ret->unit);

	if (!rule)
		return false;
	ret->moved = strcmp(ret->unit, flow->unit) != 0;
	view_fill(history, flow, rule, &ret->view);
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
	    flow->nearest_count != verdict->nearest_count ||
	    strcmp(flow->remark, verdict->reason) != 0)
		return true;
	for (unsigned i = 0; i < verdict->row_count; i++)
		if (strcmp(flow->rows[i], rows[verdict->rows[i]].id) != 0)
			return true;
	return verdict->nearest_count &&
	       strcmp(flow->nearest[0].row, rows[verdict->nearest[0].row].id) != 0;
}
