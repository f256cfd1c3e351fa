/*
 * acceptance.c - see acceptance.h: reads what a window holds. Everything stands in the database before, and each answer
 * comes in an order of its own, so the same database, policy and window give the same acceptance.
 */
#include "monitor/acceptance/acceptance.h"
#include "monitor/commands/blind_list.h"
#include "schema/flowdb_acceptance.h"
#include "schema/flowdb_incident.h"

/* What is asked of the database, again and again. */
struct reading {
	struct acceptance *acceptance;
	struct query query; /* the window, and the unit where the database knows it */
	int64_t *waived; /* ids of findings, in order */
	size_t waived_count;
};

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* ------------------------------------------------------------------- units */

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

static void unit_release(struct acceptance_unit *unit)
{
	free(unit->name);
	free(unit->cells);
	free(unit->groups);
}

/* The entry of the list that stands for this one host. */
static const struct unit_rule *find_rule(const struct policy *policy, const char *name)
{
	for (size_t i = 0; i < policy->unit_count; i++)
		if (!policy->units[i].many && !strcmp(policy->units[i].name, name))
			return &policy->units[i];
	return NULL;
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
	const struct unit_rule *rule = find_rule(a->policy, view->name);
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
	return flowdb_unit_held(reading->query.db, &window, take_address,
	                        &a->units[a->unit_count - 1], err);
}

static int compare_units(const void *a, const void *b)
{
	const struct acceptance_unit *x = a, *y = b;

	return strcmp(x->name, y->name);
}

static struct acceptance_unit *find_unit(const struct acceptance *a, const char *name)
{
	const struct acceptance_unit key = {.name = (char *)name};

	return a->unit_count ? bsearch(&key, a->units, a->unit_count, sizeof(key), compare_units)
	                     : NULL;
}

/* The one that is asked for, by its name or an address that the list gives it. */
static bool is_asked_for(const struct acceptance *a, const struct unit_rule *rule)
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

		if (!rule->many && is_asked_for(a, rule) &&
		    !(known && bsearch(&key, a->units, known, sizeof(key), compare_units)))
			r = add_unit(a, rule->name, rule->profiles, err);
	}
	if (r >= 0 && a->unit_count)
		qsort(a->units, a->unit_count, sizeof(*a->units), compare_units);
	return r;
}

static int read_units(struct reading *reading, struct err *err)
{
	struct acceptance *a = reading->acceptance;
	int r = 0;

	/* Of a listed unit that never showed the database knows nothing. */
	if (!a->options.unit || reading->query.flow.unit)
		r = flowdb_members(reading->query.db, &reading->query.flow, take_unit, reading,
		                   err);
	return r < 0 ? r : add_silent(a, err);
}

/* Those on no list, or of an entry for many, are there because they were seen. */
static void drop_unseen(struct acceptance *a)
{
	size_t kept = 0;

	for (size_t i = 0; i < a->unit_count; i++) {
		struct acceptance_unit *unit = &a->units[i];

		if (unit->seen || a->options.unit || find_rule(a->policy, unit->name))
			a->units[kept++] = *unit;
		else
			unit_release(unit);
	}
	a->unit_count = kept;
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

static void count_silent_entries(struct acceptance *a)
{
	for (size_t i = 0; i < a->policy->unit_count && !a->options.unit; i++) {
		const struct unit_rule *rule = &a->policy->units[i];
		bool seen = !rule->many;

		for (size_t k = 0; k < a->unit_count && !seen; k++)
			seen = a->units[k].seen && stands_for(a, rule, &a->units[k]);
		a->silent_entries += !seen;
	}
}

/* ------------------------------------------------------------------- flows */

/* "a, b": indices of those that the policy has. */
static unsigned find_rows(const struct policy *policy, const char *text, uint16_t rows[ROWS_MAX])
{
	unsigned count = 0;

	while (*text && count < ROWS_MAX) {
		size_t len = strcspn(text, ",");
		char id[ROW_ID_MAX];
		int row;

		snprintf(id, sizeof(id), "%.*s", (int)len, text);
		row = envelope_find_row(policy->envelope, id);
		if (row >= 0)
			rows[count++] = (uint16_t)row;
		text += len;
		text += strspn(text, ", ");
	}
	return count;
}

static void count_flows(struct acceptance_unit *unit, const struct flow_tally *tally)
{
	unit->seen = true;
	unit->flows += tally->flows;
	switch (tally->ruling) {
	case RULING_DOCUMENTED:
		unit->documented += tally->flows;
		if (tally->kind)
			unit->blocked += tally->flows;
		break;
	case RULING_OUTSIDE:
		unit->outside += tally->flows;
		break;
	case RULING_UNDETERMINED:
		unit->undetermined += tally->flows;
		unit->undetermined_whys |= (uint32_t)BIT(tally->why);
		break;
	default:
		unit->housekeeping += tally->flows;
	}
}

static int take_tally(void *context, const struct flow_tally *tally, struct err *err)
{
	struct acceptance *a = context;
	struct acceptance_unit *unit = find_unit(a, tally->unit);
	const struct cell_count count = {
		.ruling = tally->ruling,
		.grade = tally->grade,
		.kind = tally->kind,
		.why = tally->why & 31,
		.media = tally->media,
		.transport = tally->transport,
		.outcome = tally->outcome,
		.flows = tally->flows,
		.first_us = tally->first_us,
		.last_us = tally->last_us,
		.flow = tally->flow,
	};
	uint16_t rows[ROWS_MAX];
	unsigned row_count;

	if (!unit)
		return 0;
	count_flows(unit, tally);
	if (strcmp(tally->policy, a->policy->hash) != 0) {
		unit->other_policies += tally->flows;
		a->other_policies += tally->flows;
	}
	row_count = find_rows(a->policy, tally->rows, rows);
	cells_count(a->policy, unit->cells, rows, row_count, &count);
	return 0;
}

/* ---------------------------------------------------------------- findings */

static int take_first_flow(void *context, const struct flow_view *flow, struct err *err)
{
	*(int64_t *)context = flow->id;
	return 1;
}

static bool is_block(uint8_t kind)
{
	return kind == KIND_BLOCKED_SILENT || kind == KIND_BLOCKED_PROHIBITED ||
	       kind == KIND_REFUSED;
}

/* Where not every flow of it has a row, the finding knows how many there were. */
static void count_unkept(struct acceptance *a, const struct acceptance_finding *finding)
{
	const struct finding_row *row = &finding->finding;
	const struct cell_count count = {
		.ruling = is_block(row->kind) ? RULING_DOCUMENTED : RULING_OUTSIDE,
		.kind = row->kind,
		.transport = row->transport,
		.flows = row->flows - row->kept,
	};
	struct acceptance_unit *unit = finding->unit == SIZE_MAX ? NULL : &a->units[finding->unit];
	uint16_t at = (uint16_t)finding->row;

	if (!unit || row->flows <= row->kept || row->first_us < a->since_us ||
	    row->last_us > a->until_us)
		return;
	unit->seen = true;
	unit->flows += count.flows;
	if (count.ruling == RULING_OUTSIDE)
		unit->outside += count.flows;
	else
		unit->blocked += count.flows;
	if (count.ruling == RULING_DOCUMENTED)
		unit->documented += count.flows;
	if (finding->row >= 0)
		cells_count(a->policy, unit->cells, &at, 1, &count);
	if (finding->row >= 0 && count.ruling == RULING_DOCUMENTED && !finding->waived)
		unit->cells[at].unwaived += count.flows;
}

static int read_kept(const struct reading *reading, struct acceptance_finding *finding,
                     struct err *err)
{
	struct flow_query query = {
		.since_us = reading->query.flow.since_us,
		.until_us = reading->query.flow.until_us,
		.finding = finding->id,
		.alone = true,
		.limit = 1,
	};
	int r = flowdb_flows(reading->query.db, &query, take_first_flow, &finding->flow, err);

	if (r < 0)
		return r;
	return flowdb_evidence_flows(reading->query.db, finding->id, &finding->evidence, err);
}

static int take_finding(void *context, const struct finding_view *view, struct err *err)
{
	const struct reading *reading = context;
	struct acceptance *a = reading->acceptance;
	const struct acceptance_unit *unit = find_unit(a, view->unit);
	struct acceptance_finding *finding;
	int r;

	if (array_reserve(&a->findings, &a->finding_room, a->finding_count + 1,
	                  sizeof(*finding)) < 0)
		return no_memory(err);
	finding = &a->findings[a->finding_count++];
	*finding = (struct acceptance_finding){
		.id = view->id,
		.unit = unit ? (size_t)(unit - a->units) : SIZE_MAX,
		.who = strdup(view->unit),
		.row = *view->row.row ? envelope_find_row(a->policy->envelope, view->row.row)
		                      : -1,
		.finding = view->row,
		.waived = *view->row.waiver,
	};
	if (!finding->who)
		return no_memory(err);
	finding->refuses = !finding->waived && view->row.severity >= a->options.fail_on;
	if (finding->waived)
		a->waived++;
	else if (view->row.severity < ARRAY_LEN(a->by_severity))
		a->by_severity[view->row.severity]++;
	r = read_kept(reading, finding, err);
	if (r >= 0)
		count_unkept(a, finding);
	return r;
}

/* What the findings say of the cells, once these are settled. */
static void mark_cells(struct acceptance *a)
{
	for (size_t i = 0; i < a->finding_count; i++) {
		const struct acceptance_finding *finding = &a->findings[i];

		if (finding->unit != SIZE_MAX && finding->row >= 0)
			a->units[finding->unit].cells[finding->row].refusing += finding->refuses;
	}
}

/* ------------------------------------------------------------------ blocks */

static int compare_ids(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* The findings that are waived, for is_waived(). */
static int list_waived(struct reading *reading, struct err *err)
{
	const struct acceptance *a = reading->acceptance;

	reading->waived = calloc(a->waived + 1, sizeof(*reading->waived));
	if (!reading->waived)
		return no_memory(err);
	for (size_t i = 0; i < a->finding_count; i++)
		if (a->findings[i].waived)
			reading->waived[reading->waived_count++] = a->findings[i].id;
	qsort(reading->waived, reading->waived_count, sizeof(*reading->waived), compare_ids);
	return 0;
}

static bool is_waived(const struct reading *reading, int64_t finding)
{
	return bsearch(&finding, reading->waived, reading->waived_count,
	               sizeof(*reading->waived), compare_ids);
}

static void add_block(struct cell *cell, const struct flow_block *block, bool waived)
{
	if (!waived)
		cell->unwaived += block->flows;
	if (cell->block_count == CELL_BLOCKS_MAX) {
		cell->blocks_more++;
		return;
	}
	cell->blocks[cell->block_count++] = (struct cell_block){
		.kind = block->kind,
		.transport = block->transport,
		.direction = block->direction,
		.icmp_type = block->icmp_type,
		.icmp_code = block->icmp_code,
		.local_port = block->local_port,
		.remote_port = block->remote_port,
		.local = block->local,
		.remote = block->remote,
		.sender = block->sender,
		.flow = block->flow,
		.flows = block->flows,
	};
}

static int take_block(void *context, const struct flow_block *block, struct err *err)
{
	const struct reading *reading = context;
	const struct acceptance *a = reading->acceptance;
	struct acceptance_unit *unit = find_unit(a, block->unit);
	bool waived = is_waived(reading, block->finding);
	uint16_t rows[ROWS_MAX];
	unsigned row_count = unit ? find_rows(a->policy, block->rows, rows) : 0;

	for (unsigned i = 0; i < row_count; i++) {
		int mirror = block->transport == TRANSPORT_UDP
		                     ? row_mirror(a->policy->rows, a->policy->row_count, rows[i])
		                     : -1;

		add_block(&unit->cells[rows[i]], block, waived);
		for (unsigned k = 0; k < row_count; k++)
			if (rows[k] == mirror)
				mirror = -1;
		if (mirror >= 0)
			add_block(&unit->cells[mirror], block, waived);
	}
	return 0;
}

/* --------------------------------------------------- what could not be seen */

static int take_blind(void *context, const struct blind_view *view, struct err *err)
{
	struct acceptance *a = context;
	struct acceptance_blind *blind;

	if (array_reserve(&a->blinds, &a->blind_room, a->blind_count + 1, sizeof(*blind)) < 0)
		return no_memory(err);
	blind = &a->blinds[a->blind_count++];
	*blind = (struct acceptance_blind){.id = view->id, .row = view->row};
	text_copy(blind->unit, sizeof(blind->unit), view->unit ? view->unit : "");
	text_copy(blind->detail, sizeof(blind->detail), view->row.detail);
	a->blind_causes |= (uint32_t)BIT(view->row.cause);
	for (size_t i = 0; i < a->unit_count; i++)
		if (!view->unit || !strcmp(view->unit, a->units[i].name))
			a->units[i].blind = true;
	return 0;
}

static int read_blinds(struct reading *reading, struct err *err)
{
	struct acceptance *a = reading->acceptance;
	int r = blind_list(&reading->query, BLIND_NONE, take_blind, a, err);

	if (r < 0)
		return r;
	a->unrecorded = r || !reading->query.span.first_us;
	for (size_t i = 0; i < a->blind_count; i++) /* the array stands still from here on */
		a->blinds[i].row.detail = a->blinds[i].detail;
	return 0;
}

static bool overlaps(const struct acceptance *a, int64_t first_us, int64_t last_us)
{
	return first_us <= a->until_us && last_us >= a->since_us;
}

static void add_counters(struct counters *sum, const struct counters *more)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)more;

	_Static_assert(sizeof(*sum) % sizeof(*to) == 0, "counters are numbers of 64 bits");
	for (size_t i = 0; i < sizeof(*sum) / sizeof(*to); i++)
		to[i] += from[i];
}

static int take_run(void *context, const struct run_view *run, struct err *err)
{
	struct acceptance *a = context;
	int64_t first_us = run->row.begun_us && run->row.begun_us < run->first_us
	                           ? run->row.begun_us
	                           : run->first_us;
	const char *filter = run->row.filter;

	if (a->since_us && !overlaps(a, first_us, run->last_us))
		return 0;
	a->runs++;
	a->packets += run->counters.seen;
	add_counters(&a->counters, &run->counters);
	if (*filter && !*a->filter)
		text_copy(a->filter, sizeof(a->filter), filter);
	else if (*filter && !strstr(a->filter, filter))
		text_add(a->filter, sizeof(a->filter), "; %s", filter);
	return 0;
}

static int take_input(void *context, const struct input_row *input, struct err *err)
{
	struct acceptance *a = context;

	if (input->cut && (!input->first_us || overlaps(a, input->first_us, input->last_us)))
		a->cuts++;
	return 0;
}

/* ------------------------------------------------------------------- whole */

/* What is asked, and of what time: where no window is given of all that was recorded. */
static int begin_reading(struct reading *reading, struct err *err)
{
	struct acceptance *a = reading->acceptance;
	struct query *query = &reading->query;
	struct err unknown;
	int r = flowdb_covers(query->db, &query->span, err);

	if (r >= 0)
		r = flowdb_whole(query->db, &query->whole, err);
	if (r < 0)
		return r;
	query->now_us = query->span.last_us;
	query->flow.since_us = a->options.since_us;
	query->flow.until_us = a->options.until_us;
	a->since_us = a->options.since_us ? a->options.since_us : query->span.first_us;
	a->until_us = a->options.until_us ? a->options.until_us : query->span.last_us;
	if (!a->options.unit)
		return 0;
	r = flowdb_check_unit(query->db, a->options.unit, &unknown);
	if (r >= 0) {
		query->flow.unit = a->options.unit;
		return 0;
	}
	for (size_t i = 0; i < a->policy->unit_count && r == -ENOENT; i++)
		if (!a->policy->units[i].many && is_asked_for(a, &a->policy->units[i]))
			return 0;
	*err = unknown;
	return r;
}

static int read_all(struct reading *reading, struct err *err)
{
	struct acceptance *a = reading->acceptance;
	struct flowdb *db = reading->query.db;
	const struct flow_query *flow = &reading->query.flow;
	const struct finding_query findings = {.flow = *flow, .state = FINDINGS_OPEN};
	bool known = !a->options.unit || flow->unit;
	int r = read_units(reading, err);

	if (r >= 0 && known)
		r = flowdb_flow_tallies(db, flow, take_tally, a, err);
	if (r < 0)
		return r;
	drop_unseen(a);
	count_silent_entries(a);
	if (known)
		r = flowdb_findings(db, &findings, take_finding, reading, err);
	if (r >= 0)
		r = list_waived(reading, err);
	if (r >= 0 && known)
		r = flowdb_flow_blocks(db, flow, take_block, reading, err);
	if (r >= 0)
		r = flowdb_runs(db, take_run, a, err);
	if (r >= 0)
		r = flowdb_inputs(db, 0, take_input, a, err);
	if (r >= 0)
		r = read_blinds(reading, err);
	return r;
}

static int settle_unit(const struct acceptance *a, struct acceptance_unit *unit, struct err *err)
{
	const struct policy *policy = a->policy;

	for (size_t i = 0; i < policy->row_count; i++) {
		cell_settle(&unit->cells[i]);
		unit->cells[i].applies = unit->profiles & BIT(policy->rows[i].profile);
	}
	unit->groups = calloc(GROUPS_MAX, sizeof(*unit->groups));
	if (!unit->groups)
		return no_memory(err);
	unit->group_count = unit_groups(policy, unit->profiles, unit->cells, unit->groups);
	return 0;
}

int acceptance_new(struct flowdb *db, const struct acceptance_options *options,
                   struct acceptance **ret, struct err *err)
{
	CLEANUP(acceptance_freep) struct acceptance *a = calloc(1, sizeof(*a));
	struct reading reading = {.acceptance = a, .query = {.db = db, .sensors = 1}};
	int r;

	if (!a)
		return no_memory(err);
	a->options = *options;
	a->policy = options->policy;
	a->db = db;
	r = begin_reading(&reading, err);
	if (r >= 0)
		r = read_all(&reading, err);
	free(reading.waived);
	for (size_t i = 0; i < a->unit_count && r >= 0; i++)
		r = settle_unit(a, &a->units[i], err);
	if (r < 0)
		return r;
	mark_cells(a);
	r = acceptance_judge(a, err);
	if (r >= 0)
		*ret = TAKE(a);
	return r < 0 ? r : 0;
}

void acceptance_free(struct acceptance *acceptance)
{
	if (!acceptance)
		return;
	for (size_t i = 0; i < acceptance->unit_count; i++)
		unit_release(&acceptance->units[i]);
	for (size_t i = 0; i < acceptance->finding_count; i++)
		free(acceptance->findings[i].who);
	for (size_t i = 0; i < acceptance->reason_count; i++)
		free(acceptance->reasons[i].text);
	for (size_t i = 0; i < acceptance->step_count; i++) {
		free(acceptance->steps[i].who);
		free(acceptance->steps[i].say);
		free(acceptance->steps[i].lines);
	}
	free(acceptance->units);
	free(acceptance->findings);
	free(acceptance->blinds);
	free(acceptance->reasons);
	free(acceptance->steps);
	free(acceptance);
}

void acceptance_freep(struct acceptance **acceptance)
{
	acceptance_free(*acceptance);
	*acceptance = NULL;
}
