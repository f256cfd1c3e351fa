/*
 * rejudge.c - see rejudge.h. Flow by flow, as the recorder does when it learns more of one: it leaves the
 * finding it stood under and goes to the one that the new verdict asks for; what it counted for in `coverage`
 * is taken back, and counted anew. Flows without a row (a flood, retention) stay where they are counted.
 */
#include "monitor/record/rejudge.h"
#include "monitor/history.h"
#include "monitor/idmap.h"
#include "monitor/policy_record.h"
#include "monitor/record/coverage.h"
#include "monitor/record/evidence.h"
#include "monitor/record/findings.h"

#include <xxhash.h>

#define PROGRESS_FLOWS 10000

/* What stands under a finding now, of rows alone. */
struct extent {
	uint64_t flows;
	int64_t first_us, last_us;
	uint8_t severity;
};

/* A policy that judged some of the flows, and how units exercised its rows by it. */
struct before {
	char hash[65];
	struct policy *policy; /* NULL: its record is not whole; then the new one's rows are taken */
	struct coverage coverage;
	struct idmap units; /* id -> struct unit, of which `use` counts */
	struct before *next;
};

struct rejudge {
	const struct rejudge_options *options;
	struct history *history;
	struct units *units;
	struct findings *findings;
	struct evidence_store *evidence; /* of recorded flows no packet comes: what there is goes along */
	struct coverage coverage;
	struct idmap by_name, by_id; /* units: of the policy by name, as recorded by id */
	struct idmap extents;        /* by finding */
	struct before *before;
	int64_t policy_id, first_us;
	int64_t *ids;
	size_t count, room;
	struct rejudge_sums sums;
};

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

static void values_free(struct idmap *map)
{
	for (size_t i = 0; i < map->size; i++)
		free(map->slots[i].value);
	idmap_release(map);
}

static void rejudge_release(struct rejudge *again)
{
	for (struct before *b = again->before, *next; b; b = next) {
		next = b->next;
		for (size_t i = 0; i < b->units.size; i++)
			if (b->units.slots[i].value)
				free(((struct unit *)b->units.slots[i].value)->use);
		values_free(&b->units);
		coverage_release(&b->coverage);
		policy_free(b->policy);
		free(b);
	}
	values_free(&again->extents);
	idmap_release(&again->by_name);
	idmap_release(&again->by_id);
	coverage_release(&again->coverage);
	findings_free(again->findings);
	evidence_free(again->evidence);
	units_free(again->units);
	history_free(again->history);
	free(again->ids);
}

/* -------------------------------------------------------------------- units */

static uint64_t name_key(const char *name)
{
	return XXH3_64bits(name, strlen(name)) | 1;
}

static int unit_now(struct rejudge *again, const struct past *past, struct unit **ret,
                    struct err *err)
{
	*ret = idmap_find(&again->by_name, name_key(past->unit));
	if (*ret)
		return 0;
	*ret = units_adopt(again->units, past->view.unit, past->unit, 0);
	if (!*ret || idmap_add(&again->by_name, name_key(past->unit), *ret) < 0)
		return no_memory(err);
	return units_put(again->units, again->options->db, *ret, err);
}

/* The one whose finding it stood under. */
static int unit_then(struct rejudge *again, const struct flow_view *flow, struct unit *now,
                     struct unit **ret, struct err *err)
{
	if (now->id == flow->unit_id) {
		*ret = now;
		return 0;
	}
	*ret = idmap_find(&again->by_id, (uint64_t)flow->unit_id);
	if (*ret)
		return 0;
	*ret = units_adopt(again->units, NULL, flow->unit, flow->unit_id);
	return *ret && idmap_add(&again->by_id, (uint64_t)flow->unit_id, *ret) >= 0
	               ? 0
	               : no_memory(err);
}

/* ----------------------------------------------------------------- coverage */

static int before_of(struct rejudge *again, const char *hash, struct before **ret,
                     struct err *err)
{
	struct before *before = again->before;

	while (before && strcmp(before->hash, hash) != 0)
		before = before->next;
	if (!before) {
		before = calloc(1, sizeof(*before));
		if (!before)
			return no_memory(err);
		before->next = again->before;
		again->before = before;
		text_copy(before->hash, sizeof(before->hash), hash);
		idmap_init(&before->units, UNITS_MAX);
		if (policy_of_record(again->options->db, hash, &before->policy, NULL) < 0)
			before->policy = NULL;
		if (coverage_init(&before->coverage, before->policy ? before->policy
		                                                    : again->options->policy) < 0)
			return no_memory(err);
	}
	*ret = before;
	return 0;
}

/* The recorded verdict as coverage counts it. */
static void verdict_then(const struct policy *policy, const struct flow_view *flow,
                         struct verdict *ret)
{
	int row;

	memset(ret, 0, sizeof(*ret));
	ret->ruling = flow->ruling;
	ret->grade = flow->grade;
	ret->kind = flow->kind;
	for (unsigned i = 0; i < flow->row_count; i++)
		if ((row = envelope_find_row(policy->envelope, flow->rows[i])) >= 0)
			ret->rows[ret->row_count++] = (uint16_t)row;
	if (flow->nearest_count &&
	    (row = envelope_find_row(policy->envelope, flow->nearest[0].row)) >= 0) {
		ret->nearest_count = 1;
		ret->nearest[0].row = (uint16_t)row;
	}
}

static int count_then(struct rejudge *again, const struct flow_view *flow,
                      const struct view *view, struct err *err)
{
	struct before *before = NULL;
	struct verdict verdict;
	struct unit *unit;
	int r = before_of(again, flow->policy, &before, err);

	if (r < 0)
		return r;
	unit = idmap_find(&before->units, (uint64_t)flow->unit_id);
	if (!unit) {
		unit = calloc(1, sizeof(*unit));
		if (!unit || idmap_add(&before->units, (uint64_t)flow->unit_id, unit) < 0) {
			free(unit);
			return no_memory(err);
		}
		unit->id = flow->unit_id;
		unit->use = calloc(before->coverage.policy->row_count + 1, sizeof(*unit->use));
		if (!unit->use)
			return no_memory(err);
	}
	verdict_then(before->coverage.policy, flow, &verdict);
	coverage_count(&before->coverage, unit, view, &verdict);
	return 0;
}

/* What the flows had counted for is taken back from the table. */
static int take_back(struct rejudge *again, struct err *err)
{
	int r = 0;

	for (struct before *b = again->before; b; b = b->next)
		for (size_t i = 0; i < b->units.size; i++) {
			const struct unit *unit = b->units.slots[i].value;

			for (size_t row = 0; unit && r >= 0 && row < b->coverage.policy->row_count;
			     row++) {
				const struct row_use *use = &unit->use[row];
				const struct coverage_row less = {
					.unit = unit->id,
					.row = b->coverage.policy->rows[row].id,
					.exact = use->exact,
					.unproven = use->unproven,
					.wide = use->wide,
					.unanswered = use->unanswered,
					.blocked = use->blocked,
					.outside = use->outside,
				};

				r = flowdb_coverage_less(again->options->db, &less, err);
			}
		}
	return r < 0 ? r : flowdb_coverage_settle(again->options->db, err);
}

/* -------------------------------------------------------------------- flows */

static int extent_note(struct rejudge *again, const struct finding *finding,
                       const struct past *past, struct err *err)
{
	const struct flow_facts *facts = past->view.facts;
	struct extent *extent = idmap_find(&again->extents, (uint64_t)finding->id);

	if (!extent) {
		extent = calloc(1, sizeof(*extent));
		if (!extent || idmap_add(&again->extents, (uint64_t)finding->id, extent) < 0) {
			free(extent);
			return no_memory(err);
		}
		extent->first_us = facts->first_us;
	}
	extent->flows++;
	if (facts->first_us < extent->first_us)
		extent->first_us = facts->first_us;
	if (facts->last_us > extent->last_us)
		extent->last_us = facts->last_us;
	if (past->verdict.severity > extent->severity)
		extent->severity = past->verdict.severity;
	return 0;
}

static int gather(struct rejudge *again, const struct flow_view *flow, const struct past *past,
                  struct unit *unit, struct finding **ret, struct err *err)
{
	struct flowdb *db = again->options->db;
	const struct flow_facts *facts = &flow->facts;
	struct gathered gathered = {0};
	struct exhibit exhibit = {0};
	struct unit *then;
	int r = 0;

	if (flow->finding) {
		r = unit_then(again, flow, unit, &then, err);
		if (r >= 0)
			r = findings_recall(again->findings, db, then, flow->finding,
			                    facts->bytes[0] + facts->bytes[1], &gathered, err);
		if (r >= 0)
			r = evidence_recall(again->evidence, flow->run, facts->id,
			                    gathered_finding(&gathered), &exhibit, err);
	}
	if (r < 0)
		return r;
	if (past->verdict.kind == KIND_NONE)
		findings_drop(again->findings, &gathered);
	else
		r = findings_add(again->findings, db, unit, &past->view, &past->verdict, &gathered,
		                 err);
	*ret = gathered_finding(&gathered);
	if (r < 0 || !*ret)
		return r; /* its packets stay with the finding that it left, should it come back to it */
	if ((*ret)->evidence < EVIDENCE_FLOWS)
		r = evidence_follow(again->evidence, flow->run, facts->id, *ret, &exhibit, err);
	if (r < 0)
		return r;
	(*ret)->row.kept += !gathered.kept;
	if (!idmap_find(&again->extents, (uint64_t)(*ret)->id))
		findings_say(again->findings, unit, &past->view, &past->verdict, *ret);
	return extent_note(again, *ret, past, err);
}

static int write_flow(struct rejudge *again, const struct flow_view *flow,
                      const struct past *past, const struct unit *unit,
                      const struct finding *finding, struct err *err)
{
	const struct policy *policy = again->options->policy;
	const struct verdict *verdict = &past->verdict;
	int64_t id = flow->id;
	struct flow_row row = {
		.run = flow->run,
		.policy = again->policy_id,
		.unit = unit->id,
		.facts = &flow->facts,
		.name = flow->name,
		.local = flow->local,
		.app = flow->app,
		.evidence = flow->evidence,
		.verdict = verdict,
		.finding = finding ? finding->id : 0,
		.blind = flow->blind,
		.asked_again = flow->asked_again,
		.lossy = flow->lossy,
		.told = flow->told,
	};

	for (unsigned i = 0; i < verdict->row_count; i++)
		row.rows[i] = policy->rows[verdict->rows[i]].id;
	for (unsigned i = 0; i < verdict->nearest_count; i++)
		row.nearest[i] = policy->rows[verdict->nearest[i].row].id;
	return flowdb_flow_put(again->options->db, &row, &id, err);
}

static void see(struct unit *unit, const struct flow_view *flow)
{
	unit_seen(unit, &(struct sighting){.end = flow->facts.end[flow->local],
	                                   .first_us = flow->facts.first_us,
	                                   .last_us = flow->facts.last_us,
	                                   .known_by = flow->facts.packets[flow->local]
	                                                       ? KNOWN_BY_PACKETS
	                                                       : 0});
}

static int judge_one(void *context, const struct flow_view *flow, struct err *err)
{
	struct rejudge *again = context;
	struct flip_sums *sums = &again->sums.flows;
	struct flow_facts facts = flow->facts; /* a number of its own, over all runs */
	struct finding *finding = NULL;
	struct unit *unit;
	struct past past;
	struct view view;
	bool flips, differs;
	int r;

	sums->lacks_peer += history_lacks_peer(again->history, flow);
	if (!history_judge(again->history, flow, &past)) {
		sums->nobodys++;
		return 0;
	}
	if (!again->first_us || flow->facts.first_us < again->first_us)
		again->first_us = flow->facts.first_us;
	flips = history_flips(again->history, flow, &past.verdict);
	differs = !flips && history_differs(again->history, flow, &past.verdict);
	flip_sums_add(sums, flow, &past, flips);
	sums->apart += differs;
	r = unit_now(again, &past, &unit, err);
	if (r >= 0)
		r = gather(again, flow, &past, unit, &finding, err);
	if (r < 0)
		return r;
	if (past.moved)
		see(unit, flow);
	view = past.view;
	view.facts = &facts;
	facts.id = (uint64_t)flow->id;
	if (!(flow->told & TOLD_OPEN)) {
		r = count_then(again, flow, &view, err);
		coverage_count(&again->coverage, unit, &view, &past.verdict);
	}
	if (r < 0)
		return r;
	if (flips || differs || past.moved || flow->finding != (finding ? finding->id : 0))
		return write_flow(again, flow, &past, unit, finding, err);
	return flowdb_flow_policy(again->options->db, flow->id, again->policy_id, err);
}

static int take_id(void *context, int64_t id, struct err *err)
{
	struct rejudge *again = context;

	if (array_reserve(&again->ids, &again->room, again->count + 1, sizeof(*again->ids)) < 0)
		return no_memory(err);
	again->ids[again->count++] = id;
	return 0;
}

static int judge_all(struct rejudge *again, struct err *err)
{
	const struct rejudge_options *options = again->options;
	int r = flowdb_flow_ids(options->db, take_id, again, err);

	for (size_t i = 0; r >= 0 && i < again->count; i++) {
		if (options->progress && i % PROGRESS_FLOWS == 0)
			options->progress(options->context, i, again->count);
		r = flowdb_flow(options->db, again->ids[i], judge_one, again, err);
	}
	return r < 0 ? r : 0;
}

/* ----------------------------------------------------------------- findings */

/* Counts and times of a finding all of whose flows have rows are theirs. */
static void settle_one(void *context, struct finding *finding)
{
	struct rejudge *again = context;
	const struct extent *extent = idmap_find(&again->extents, (uint64_t)finding->id);
	char reason[200];

	if (extent && extent->flows == finding->row.flows) {
		finding->row.first_us = extent->first_us;
		finding->row.last_us = extent->last_us;
		finding->row.severity = extent->severity;
	}
	again->sums.without_row += finding->row.flows - (extent ? extent->flows : 0);
	if (extent || !finding->row.open || !finding->row.flows)
		return;
	snprintf(reason, sizeof(reason),
	         "rejudged under policy %.12s: no flow that has a row is left under it; %llu "
	         "without one were counted along with them",
	         again->options->policy->hash, (unsigned long long)finding->row.flows);
	finding_close(again->findings, finding, reason);
}

static int close_unlisted(void *context, const struct finding_view *finding, struct err *err)
{
	struct rejudge *again = context;
	const struct unit_rule *rule;
	struct addr addr;
	char reason[256];

	if (!finding->row.open || addr_parse(finding->unit, &addr) < 0 ||
	    !(rule = policy_find_unit(again->options->policy, &addr, NULL)))
		return 0;
	snprintf(reason, sizeof(reason), "rejudged under policy %.12s: it is listed, as '%s'",
	         again->options->policy->hash, rule->name);
	return flowdb_finding_judge(again->options->db,
	                            &(struct finding_judgement){.finding = finding->id,
	                                                        .reason = reason,
	                                                        .by_whom = "",
	                                                        .why = ""},
	                            err);
}

static int settle(struct rejudge *again, int64_t last_change, struct err *err)
{
	const struct rejudge_options *options = again->options;
	const struct finding_query unlisted = {.flow = {.kind = KIND_UNLISTED_UNIT},
	                                       .state = FINDINGS_OPEN};
	char why[64];
	int r;

	findings_each(again->findings, settle_one, again);
	r = findings_flush(again->findings, options->db, err);
	if (r >= 0)
		r = flowdb_findings(options->db, &unlisted, close_unlisted, again, err);
	if (r >= 0)
		r = take_back(again, err);
	if (r >= 0)
		r = units_flush(again->units, options->db, err);
	snprintf(why, sizeof(why), "rejudged under policy %.12s", options->policy->hash);
	if (r >= 0)
		r = flowdb_changes_by(options->db, last_change,
		                      &(struct finding_judgement){.by_whom = options->by_whom,
		                                                  .why = why,
		                                                  .at_us = options->at_us},
		                      &again->sums.findings, err);
	return r < 0 ? r
	             : flowdb_policy_use(options->db,
	                                 &(struct policy_use_row){.policy = again->policy_id,
	                                                          .from_us = again->first_us,
	                                                          .at_us = options->at_us,
	                                                          .by_whom = options->by_whom},
	                                 err);
}

static int prepare(struct rejudge *again, struct err *err)
{
	const struct rejudge_options *options = again->options;
	const struct policy *policy = options->policy;
	int r = flowdb_policy_put(options->db, policy->hash, policy->envelope->text,
	                          policy->site_text, &again->policy_id, err);

	if (r < 0)
		return r;
	idmap_init(&again->by_name, UNITS_MAX);
	idmap_init(&again->by_id, UNITS_MAX);
	idmap_init(&again->extents, 1 << 20);
	again->units = units_new(policy, UNITS_MAX);
	again->findings = findings_new(policy, NULL, NULL);
	again->evidence = evidence_new(options->db, KEEP_OFF, &(struct evidence_limits){0});
	if (!again->units || !again->findings || !again->evidence || coverage_init(&again->coverage, policy) < 0)
		return no_memory(err);
	findings_dropped(again->findings, "rejudged under another policy: no flow is left under it");
	r = units_list(again->units, options->db, err);
	return r < 0 ? r : history_new(options->db, policy, NULL, &again->history, err);
}

int rejudge(const struct rejudge_options *options, struct rejudge_sums *ret, struct err *err)
{
	CLEANUP(rejudge_release) struct rejudge again = {.options = options};
	int64_t last_change = 0;
	int r = flowdb_begin(options->db, err);

	if (r < 0)
		return r;
	r = flowdb_newest_change(options->db, &last_change, err);
	if (r >= 0)
		r = prepare(&again, err);
	if (r >= 0)
		r = judge_all(&again, err);
	if (r >= 0)
		r = settle(&again, last_change, err);
	if (r >= 0)
		r = flowdb_commit(options->db, err);
	if (r < 0) {
		flowdb_rollback(options->db);
		return r;
	}
	*ret = again.sums;
	return 0;
}
