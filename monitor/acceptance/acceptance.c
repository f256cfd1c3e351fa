/*
 * acceptance.c - see acceptance.h: reads what a window holds. Everything stands in the database before, and each answer
 * comes in an order of its own, so the same database, policy and window give the same acceptance.
 */
#include "monitor/acceptance/acceptance_parts.h"
#include "monitor/commands/blind_list.h"

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

struct joins {
	struct acceptance *acceptance;
	int64_t last_us; /* of the files of the run so far */
};

/* blind_list() lets a short gap between files of one run pass: then it is to be said. */
static int take_join(void *context, const struct input_row *input, struct err *err)
{
	struct joins *joins = context;
	struct acceptance *a = joins->acceptance;
	int64_t gap_us = input->first_us - joins->last_us;

	if (!input->first_us)
		return 0;
	if (joins->last_us && gap_us > LIVE_GAP_US && gap_us <= FILES_GAP_US &&
	    overlaps(a, joins->last_us, input->first_us)) {
		a->file_gaps++;
		if (gap_us > a->file_gap_us)
			a->file_gap_us = gap_us;
	}
	if (input->last_us > joins->last_us)
		joins->last_us = input->last_us;
	return 0;
}

/* What a run leaves unwritten when it breaks off: of a live one what was young, of a file all that was to come. */
static void take_end(struct acceptance *a, const struct run_view *run)
{
	bool live = !strcmp(run->row.source, "live");
	bool asked = a->options.since_us || a->options.until_us;
	int64_t last_us = run->last_us ? run->last_us : run->row.begun_us;

	if (run->ended)
		return;
	if (live && run->id == a->options.running) {
		a->settled_us = last_us - FLOW_ROW_US;
		return;
	}
	if (asked && !overlaps(a, live ? last_us - FLOW_ROW_US : run->first_us, last_us))
		return;
	a->unfinished++;
	a->unfinished_run = run->id;
	a->unfinished_us = last_us;
}

static bool is_listed(const char *list, const char *filter)
{
	size_t len = strlen(filter);

	for (const char *at = list, *end; at; at = end ? end + 2 : NULL) {
		end = strstr(at, "; ");
		if ((end ? (size_t)(end - at) : strlen(at)) == len && !strncmp(at, filter, len))
			return true;
	}
	return false;
}

/* For what does not fit any more dots stand there. */
static void add_filter(struct acceptance *a, const char *filter)
{
	size_t used = strlen(a->filter);
	const char *before = used ? "; " : "";

	if (!*filter)
		return;
	a->filtered++;
	if (is_listed(a->filter, filter))
		return;
	if (used + strlen(filter) + sizeof("; ; ...") <= sizeof(a->filter))
		text_add(a->filter, sizeof(a->filter), "%s%s", before, filter);
	else if (!is_listed(a->filter, "..."))
		text_add(a->filter, sizeof(a->filter), "%s...", before);
}

static int take_run(void *context, const struct run_view *run, struct err *err)
{
	struct acceptance *a = context;
	int64_t first_us = run->row.begun_us && run->row.begun_us < run->first_us
	                           ? run->row.begun_us
	                           : run->first_us;
	struct joins joins = {.acceptance = a};

	take_end(a, run);
	if (a->since_us && !overlaps(a, first_us, run->last_us))
		return 0;
	a->runs++;
	a->packets += run->counters.seen;
	add_counters(&a->counters, &run->counters);
	add_filter(a, run->row.filter);
	return flowdb_inputs(a->db, run->id, take_join, &joins, err);
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
	/* What is asked for beyond the end of the record was not looked at. */
	query->now_us = a->options.until_us > query->span.last_us ? a->options.until_us
	                                                          : query->span.last_us;
	query->flow.since_us = a->options.since_us;
	query->flow.until_us = a->options.until_us;
	a->since_us = a->options.since_us ? a->options.since_us : query->span.first_us;
	a->until_us = a->options.until_us ? a->options.until_us : query->span.last_us;
	/* What is asked for lies outside of what is recorded: it has no length, and does not go backwards. */
	if (a->until_us < a->since_us && a->options.since_us)
		a->until_us = a->since_us;
	else if (a->until_us < a->since_us)
		a->since_us = a->until_us;
	if (!a->options.unit)
		return 0;
	r = flowdb_check_unit(query->db, a->options.unit, &unknown);
	if (r >= 0) {
		query->flow.unit = a->options.unit;
		return 0;
	}
	for (size_t i = 0; i < a->policy->unit_count && r == -ENOENT; i++)
		if (!a->policy->units[i].many && reading_asks_for(a, &a->policy->units[i]))
			return 0;
	*err = unknown;
	return r;
}

static int read_all(struct reading *reading, struct err *err)
{
	struct acceptance *a = reading->acceptance;
	struct flowdb *db = reading->query.db;
	bool known = !a->options.unit || reading->query.flow.unit;
	int r = reading_units(reading, err);

	if (r >= 0 && known)
		r = reading_flows(reading, err);
	if (r >= 0)
		r = reading_drop_unseen(a, err);
	if (r >= 0 && known)
		r = reading_findings(reading, err);
	if (r >= 0)
		r = flowdb_runs(db, take_run, a, err);
	if (r >= 0)
		r = flowdb_inputs(db, 0, take_input, a, err);
	if (r >= 0)
		r = read_blinds(reading, err);
	return r;
}

static int settle_unit(const struct acceptance *a, struct acceptance_unit *unit,
                       struct err *err)
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
	free(reading.firsts);
	for (size_t i = 0; i < a->unit_count && r >= 0; i++)
		r = settle_unit(a, &a->units[i], err);
	if (r < 0)
		return r;
	reading_mark(a);
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
	for (size_t i = 0; i < acceptance->closed_count; i++) {
		free(acceptance->closed[i].finding.who);
		free(acceptance->closed[i].by);
		free(acceptance->closed[i].why);
	}
	for (size_t i = 0; i < acceptance->reason_count; i++)
		free(acceptance->reasons[i].text);
	for (size_t i = 0; i < acceptance->step_count; i++) {
		free(acceptance->steps[i].who);
		free(acceptance->steps[i].say);
		free(acceptance->steps[i].lines);
	}
	free(acceptance->units);
	free(acceptance->findings);
	free(acceptance->closed);
	free(acceptance->blinds);
	free(acceptance->reasons);
	free(acceptance->steps);
	free(acceptance->hosts);
	free(acceptance->silent);
	free(acceptance);
}

void acceptance_freep(struct acceptance **acceptance)
{
	acceptance_free(*acceptance);
	*acceptance = NULL;
}
