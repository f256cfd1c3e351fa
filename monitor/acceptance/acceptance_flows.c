/*
 * acceptance_flows.c - see acceptance_parts.h: flows of the window become counts of rows, and findings say what of it
 * refuses and what is waived.
 */
#include "monitor/acceptance/acceptance_parts.h"
#include "schema/flowdb_acceptance.h"

/* "a, b": indices of those that the policy has. */
static unsigned find_rows(const struct policy *policy, const char *text,
                          uint16_t rows[ROWS_MAX])
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
	struct acceptance_unit *unit = acceptance_find_unit(a, tally->unit);
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

static int take_first(void *context, int64_t finding, int64_t flow, struct err *err)
{
	struct reading *reading = context;

	if (array_reserve(&reading->firsts, &reading->first_room, reading->first_count + 1,
	                  sizeof(*reading->firsts)) < 0)
		return no_memory(err);
	reading->firsts[reading->first_count++] = (struct first_flow){finding, flow};
	return 0;
}

/* Of both ids and first flows. */
static int compare_ids(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static int64_t first_flow(const struct reading *reading, int64_t finding)
{
	const struct first_flow *found =
		reading->first_count ? bsearch(&finding, reading->firsts, reading->first_count,
	                                       sizeof(*reading->firsts), compare_ids)
				     : NULL;

	return found ? found->flow : 0;
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
	struct acceptance_unit *unit =
		finding->unit == SIZE_MAX ? NULL : &a->units[finding->unit];
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

static struct acceptance_finding finding_of(const struct acceptance *a,
                                            const struct finding_view *view)
{
	const struct acceptance_unit *unit = acceptance_find_unit(a, view->unit);

	return (struct acceptance_finding){
		.id = view->id,
		.unit = unit ? (size_t)(unit - a->units) : SIZE_MAX,
		.who = strdup(view->unit),
		.row = *view->row.row ? envelope_find_row(a->policy->envelope, view->row.row)
	                              : -1,
		.finding = view->row,
	};
}

static int take_finding(void *context, const struct finding_view *view, struct err *err)
{
	const struct reading *reading = context;
	struct acceptance *a = reading->acceptance;
	struct acceptance_finding *finding;
	int r;

	if (array_reserve(&a->findings, &a->finding_room, a->finding_count + 1,
	                  sizeof(*finding)) < 0)
		return no_memory(err);
	finding = &a->findings[a->finding_count++];
	*finding = finding_of(a, view);
	if (!finding->who)
		return no_memory(err);
	finding->waived = *view->row.waiver;
	finding->refuses = !finding->waived && view->row.severity >= a->options.fail_on;
	if (finding->waived)
		a->waived++;
	else if (view->row.severity < ARRAY_LEN(a->by_severity))
		a->by_severity[view->row.severity]++;
	finding->flow = first_flow(reading, view->id);
	r = flowdb_evidence_flows(reading->query.db, view->id, &finding->evidence, err);
	if (r >= 0)
		count_unkept(a, finding);
	return r;
}

static int add_closed(struct acceptance *a, const struct finding_view *view, struct err *err)
{
	struct acceptance_closed *closed;

	if (array_reserve(&a->closed, &a->closed_room, a->closed_count + 1, sizeof(*closed)) <
	    0)
		return no_memory(err);
	closed = &a->closed[a->closed_count++];
	*closed = (struct acceptance_closed){
		.finding = finding_of(a, view),
		.by = strdup(view->by),
		.why = strdup(view->why),
		.at_us = view->at_us,
	};
	if (!closed->finding.who || !closed->by || !closed->why)
		return no_memory(err);
	count_unkept(a, &closed->finding);
	return 0;
}

static int take_closed_by_hand(void *context, const struct finding_view *view, struct err *err)
{
	const struct reading *reading = context;

	if (!*view->by)
		return 0;
	reading->acceptance->closed_by_hand++;
	return add_closed(reading->acceptance, view, err);
}

static int take_closed_by_judge(void *context, const struct finding_view *view, struct err *err)
{
	const struct reading *reading = context;

	return *view->by ? 0 : add_closed(reading->acceptance, view, err);
}

/* What the findings say of the cells, once these are settled. */
void reading_mark(struct acceptance *a)
{
	for (size_t i = 0; i < a->finding_count; i++) {
		const struct acceptance_finding *finding = &a->findings[i];

		if (finding->unit != SIZE_MAX && finding->row >= 0)
			a->units[finding->unit].cells[finding->row].refusing +=
				finding->refuses;
	}
}

/* ------------------------------------------------------------------ blocks */

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
	struct acceptance_unit *unit = acceptance_find_unit(a, block->unit);
	bool waived = is_waived(reading, block->finding);
	uint16_t rows[ROWS_MAX];
	unsigned row_count = unit ? find_rows(a->policy, block->rows, rows) : 0;

	for (unsigned i = 0; i < row_count; i++) {
		int mirror =
			block->transport == TRANSPORT_UDP
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

int reading_flows(struct reading *reading, struct err *err)
{
	return flowdb_flow_tallies(reading->query.db, &reading->query.flow, take_tally,
	                           reading->acceptance, err);
}

int reading_findings(struct reading *reading, struct err *err)
{
	const struct flow_query *flow = &reading->query.flow;
	const struct finding_query open = {.flow = *flow, .state = FINDINGS_OPEN};
	const struct finding_query closed = {.flow = *flow, .state = FINDINGS_CLOSED};
	struct flowdb *db = reading->query.db;
	int r = flowdb_finding_flows(db, flow, take_first, reading, err);

	if (r >= 0)
		r = flowdb_findings(db, &open, take_finding, reading, err);
	if (r >= 0)
		r = flowdb_findings(db, &closed, take_closed_by_hand, reading, err);
	if (r >= 0)
		r = flowdb_findings(db, &closed, take_closed_by_judge, reading, err);
	if (r >= 0)
		r = list_waived(reading, err);
	if (r >= 0)
		r = flowdb_flow_blocks(db, flow, take_block, reading, err);
	return r;
}
