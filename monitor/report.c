/*
 * report.c - see report.h. Everything stands in the database before a report begins, so the same
 * database and policy give the same report.
 */
#include "monitor/report_data.h"

static int add_unit(struct report *report, const char *name, uint32_t mask, struct err *err)
{
	struct seen_unit *seen;

	if (array_reserve(&report->units, &report->unit_room, report->unit_count + 1,
	                  sizeof(*seen)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	seen = &report->units[report->unit_count++];
	seen->name = strdup(name);
	seen->cells = calloc(report->policy->row_count + 1, sizeof(*seen->cells));
	seen->mask = mask;
	return seen->name && seen->cells ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int take_unit(void *context, const struct unit_view *unit, struct err *err)
{
	struct report *report = context;
	const struct envelope *envelope = report->policy->envelope;
	CLEANUP(freep) char *words = strdup(unit->profiles);
	uint32_t mask = 0;
	char *save = NULL;

	if (!unit->listed)
		return 0;
	if (!words)
		return err_set(err, -ENOMEM, "out of memory");
	for (char *word = strtok_r(words, ", ", &save); word;
	     word = strtok_r(NULL, ", ", &save)) {
		int profile = envelope_find_profile(envelope, word);

		if (profile >= 0)
			mask |= (uint32_t)BIT(profile);
	}
	return add_unit(report, unit->name, mask, err);
}

static bool was_seen(const struct report *report, const struct unit_rule *rule)
{
	size_t len = strlen(rule->name);

	for (size_t i = 0; i < report->unit_count; i++) {
		const char *name = report->units[i].name;

		if (!rule->many ? !strcmp(name, rule->name)
		                : rule->unnamed ||
		                          (!strncmp(name, rule->name, len) && name[len] == '/'))
			return true;
	}
	return false;
}

static int compare_units(const void *a, const void *b)
{
	return strcmp(((const struct seen_unit *)a)->name, ((const struct seen_unit *)b)->name);
}

/* Silence never passes: a listed unit that said nothing stands in the matrix all the same. */
static int add_silent(struct report *report, struct err *err)
{
	size_t spoke = report->unit_count;
	int r = 0;

	for (size_t i = 0; i < report->policy->unit_count && r >= 0; i++) {
		const struct unit_rule *rule = &report->policy->units[i];

		if (was_seen(report, rule))
			continue;
		if (rule->many)
			report->silent++;
		else
			r = add_unit(report, rule->name, rule->profiles, err);
	}
	if (report->unit_count > spoke)
		qsort(report->units, report->unit_count, sizeof(*report->units), compare_units);
	return r;
}

static int take_coverage(void *context, const struct coverage_view *coverage, struct err *err)
{
	struct report *report = context;
	int row = envelope_find_row(report->policy->envelope, coverage->row.row);

	for (size_t i = 0; i < report->unit_count && row >= 0; i++)
		if (!strcmp(report->units[i].name, coverage->unit))
			report->units[i].cells[row].use = coverage->row;
	return 0;
}

static int take_finding(void *context, const struct finding_group *group, struct err *err)
{
	struct report *report = context;
	struct seen_finding *seen;

	if (!group->row.open)
		return 0;
	if (*group->row.waiver)
		report->waived += group->findings;
	else if (group->row.severity < ARRAY_LEN(report->by_severity))
		report->by_severity[group->row.severity] += group->findings;
	if (array_reserve(&report->findings, &report->finding_room, report->finding_count + 1,
	                  sizeof(*seen)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	seen = &report->findings[report->finding_count++];
	seen->id = group->id;
	seen->units = group->units;
	seen->row = group->row;
	seen->unit = strdup(group->unit);
	return seen->unit ? 0 : err_set(err, -ENOMEM, "out of memory");
}

static int take_flow(void *context, const struct flow_view *flow, struct err *err)
{
	struct report *report = context;

	report->undetermined++;
	return 0;
}

static int take_run(void *context, const struct run_view *run, struct err *err)
{
	struct report *report = context;

	report->counters.seen += run->counters.seen;
	report->counters.kernel_dropped += run->counters.kernel_dropped;
	report->counters.malformed += run->counters.malformed;
	report->counters.evicted += run->counters.evicted;
	report->counters.truncated += run->counters.truncated;
	text_copy(report->filter, sizeof(report->filter), run->row.filter);
	return 0;
}

static int take_blind(void *context, const struct blind_view *blind, struct err *err)
{
	struct report *report = context;
	struct seen_blind *seen;

	if (blind->row.cause >= BLIND_CAUSE_COUNT)
		return err_set(err, -EBADMSG, "blind interval %lld: no cause has the number %u",
		               (long long)blind->id, blind->row.cause);
	report->blind_causes |= (uint32_t)BIT(blind->row.cause);
	for (size_t i = 0; i < report->unit_count; i++)
		if (!blind->unit || !strcmp(blind->unit, report->units[i].name))
			report->units[i].blind = true;
	if (report->blind_count++ >= BLINDS_TOLD)
		return 0;
	seen = &report->blinds[report->blind_count - 1];
	seen->row = blind->row;
	text_copy(seen->unit, sizeof(seen->unit), blind->unit ? blind->unit : "");
	text_copy(seen->detail, sizeof(seen->detail), blind->row.detail);
	seen->row.detail = seen->detail;
	return 0;
}

static int take_input(void *context, const struct input_row *input, struct err *err)
{
	struct report *report = context;

	report->cuts += input->cut;
	return 0;
}

static enum row_state cell_state(const struct coverage_row *use)
{
	if (use->exact || use->unproven || use->wide)
		return ROW_OK;
	if (use->blocked)
		return ROW_BLOCKED;
	if (use->outside)
		return ROW_OUTSIDE;
	return use->unanswered ? ROW_UNDETERMINED : ROW_NOT_EXERCISED;
}

static void judge_cells(struct report *report)
{
	for (size_t i = 0; i < report->unit_count; i++)
		for (size_t k = 0; k < report->policy->row_count; k++) {
			const struct row *row = &report->policy->rows[k];
			struct cell *cell = &report->units[i].cells[k];

			cell->state = cell_state(&cell->use);
			if (report->units[i].mask & BIT(row->profile) &&
			    row->need == NEED_REQUIRED &&
			    cell->state != ROW_OK && cell->state != ROW_BLOCKED)
				report->idle_required++;
		}
}

int report_new(struct flowdb *db, const struct policy *policy, enum severity fail_on,
               struct report **ret, struct err *err)
{
	CLEANUP(report_freep) struct report *report = calloc(1, sizeof(*report));
	struct finding_query findings = {0};
	struct flow_query undetermined = {.ruling = RULING_UNDETERMINED};
	struct blind_query blinds = {0};
	int r;

	if (!report)
		return err_set(err, -ENOMEM, "out of memory");
	report->policy = policy;
	report->db = db;
	report->fail_on = fail_on;
	r = flowdb_span(db, &report->span, err);
	if (r >= 0)
		r = flowdb_units(db, take_unit, report, err);
	if (r >= 0)
		r = add_silent(report, err);
	if (r >= 0)
		r = flowdb_coverage(db, &(struct flow_query){0}, NULL, 0, take_coverage, report, err);
	if (r >= 0)
		r = flowdb_finding_groups(db, &findings, take_finding, report, err);
	if (r >= 0)
		r = flowdb_flows(db, &undetermined, take_flow, report, err);
	if (r >= 0)
		r = flowdb_runs(db, take_run, report, err);
	if (r >= 0)
		r = flowdb_inputs(db, 0, take_input, report, err);
	if (r >= 0)
		r = flowdb_blinds(db, &blinds, take_blind, report, err);
	if (r < 0)
		return r;
	judge_cells(report);
	*ret = TAKE(report);
	return 0;
}

void report_free(struct report *report)
{
	if (!report)
		return;
	for (size_t i = 0; i < report->unit_count; i++) {
		free(report->units[i].name);
		free(report->units[i].cells);
	}
	for (size_t i = 0; i < report->finding_count; i++)
		free(report->findings[i].unit);
	free(report->units);
	free(report->findings);
	free(report);
}

void report_freep(struct report **report)
{
	report_free(*report);
	*report = NULL;
}

uint64_t report_refusing(const struct report *report)
{
	uint64_t count = 0;

	for (unsigned i = report->fail_on; i < ARRAY_LEN(report->by_severity); i++)
		count += report->by_severity[i];
	return count;
}

/*
 * What a cause hides: of these, packets that might have been outside the envelope. For the others
 * every flow was judged: nDPI's opinion convicts of nothing, a ring gives up opinions and names and
 * never flows, a packet cut short or seen one way, a stream with a gap, a flow looked into for a
 * short time is judged by what is there. They can keep a row from being exercised, which is what
 * then counts.
 */
uint32_t report_unseen(const struct report *report)
{
	return report->blind_causes & (uint32_t)BLIND_UNSEEN;
}

enum report_verdict report_result(const struct report *report)
{
	if (report_refusing(report))
		return REPORT_REFUSED;
	if (!report->unit_count || report->idle_required || report->undetermined ||
	    report->cuts || report->silent || report->counters.kernel_dropped ||
	    report->counters.evicted || report_unseen(report))
		return REPORT_OPEN;
	return REPORT_ACCEPTED;
}
