/*
 * desk_judge.c - see desk_parts.h: one event of a flow, judged for one unit. desk_judge() gathers what is known beside
 * the flow's own facts, asks the judge, and has finding, packets, row and counts follow its verdict. Invariants:
 *  (1) A flow is written when it ends; earlier if it is under a finding or older than 60 s. Of a flood of flows under
 *      one finding that nobody answered samples are (flow_is_sampled()); all of them count.
 *  (2) What a unit used of the rows is counted once a flow, when it ends.
 */
#include "monitor/record/desk_parts.h"

#include "rules/memo.h"

#include <stdatomic.h>

#define WRITE_AGE_US (60 * SECOND_US)
#define TWO_WAY_US \
	(600 * SECOND_US) /* design.md 5: blocked is claimed beside a two-way flow that near */
#define SECOND_US INT64_C(1000000)

static int flow_write(struct desk *desk, const struct unit *unit,
                      const struct view *view, const struct verdict *verdict, uint8_t told,
                      struct sheet *sheet, struct err *err)
{
	const struct policy *policy = desk->policy;
	struct finding *finding = gathered_finding(&sheet->gathered);
	struct flow_row row = {
		.run = desk->run,
		.policy = desk->policy_id,
		.unit = unit->id,
		.facts = view->facts,
		.name = view->name,
		.local = view->local,
		.app = view->app,
		.evidence = view->evidence,
		.asked_again = view->asked_again,
		.lossy = view->lossy,
		.told = told,
		.waits = told & TOLD_OPEN,
		.verdict = verdict,
		.finding = finding ? finding->id : 0,
		.blind = view->facts->settled_by == SETTLED_LOST ||
		         blinds_meets(desk->blinds, BLIND_NONE, unit->id,
		                      view->facts->first_us, view->facts->last_us),
	};
	int r;

	for (unsigned i = 0; i < verdict->row_count; i++)
		row.rows[i] = policy->rows[verdict->rows[i]].id;
	for (unsigned i = 0; i < verdict->nearest_count; i++)
		row.nearest[i] = policy->rows[verdict->nearest[i].row].id;
	if (!sheet->id) {
		desk->sums->flows++;
		desk->sums->kept++;
	}
	if (finding && !sheet->gathered.kept) {
		sheet->gathered.kept = true;
		finding_keeps(finding, view->facts->first_us);
	}
	desk->rows++;
	r = flowdb_flow_put(desk->db, &row, &sheet->id, err);
	if (r >= 0 && !row.blind)
		blinds_row(desk->blinds, sheet->id, unit->id, view->facts->first_us,
		           view->facts->last_us);
	return r;
}

/*
 * Whether this flow, which is over, is counted alone: nobody answered it, it carried nothing, no packet of it is
 * kept, and its finding has enough samples of what is like it.
 */
static bool flow_is_sampled(const struct flow_facts *facts, const struct sheet *sheet)
{
	const struct finding *finding = gathered_finding(&sheet->gathered);

	return finding && !sheet->id && !sheet->exhibit.finding &&
	       facts->outcome == OUTCOME_UNANSWERED && !facts->payload_packets &&
	       !finding_samples(finding, facts->first_us);
}

/* The mirror shows one direction of what this unit says: so much is known of it, and for so long. */
static int note_one_sided(struct desk *desk, const struct unit *unit,
                          const struct flow_facts *facts, struct err *err)
{
	const struct blind_row row = {
		.unit = unit->id,
		.since_us = facts->first_us,
		.until_us = facts->last_us,
		.count = 1,
		.cause = BLIND_ONE_SIDED,
		.detail = "",
	};

	if (facts->outcome != OUTCOME_ONE_SIDED)
		return 0;
	return blinds_note(desk->blinds, desk->db, desk->run, &row, err);
}

static bool inspector_is_off(const struct desk *desk)
{
	return desk->inspector_off && atomic_load(desk->inspector_off);
}

/* Packets were lost, or half of them not shown, while the flow waited for an answer (domain.md 7.4). */
static bool was_lossy(const struct desk *desk, const struct unit *unit,
                      const struct flow_facts *facts)
{
	static const uint32_t causes = BIT(BLIND_KERNEL_DROP) | BIT(BLIND_SENSOR_DOWN) |
	                               BIT(BLIND_LINK_DOWN) | BIT(BLIND_MIRROR_SILENT) |
	                               BIT(BLIND_EVICTED) | BIT(BLIND_CLOCK_STEP) |
	                               BIT(BLIND_ONE_SIDED);

	return blinds_meet_any(desk->blinds, causes, unit->id, facts->first_us,
	                       facts->last_us + facts->silent_s * SECOND_US);
}

/* What is known beside the flow's own facts; what of it no table tells is returned: TOLD_*. */
static uint8_t view_fill(struct desk *desk, const struct unit *unit, const struct told_flow *flow,
                         unsigned local, struct view *view)
{
	const struct policy *policy = desk->policy;
	const struct flow_facts *facts = flow->facts;
	enum app opinion = flow->opinion;
	const struct addr *remote = &facts->end[!local].addr;
	const struct lease_row *lease;
	/* nDPI says TLS of anything that begins with its record header: a certain no stands against it. */
	bool opined = opinion != APP_NONE && !app_set_has(&facts->not_apps, opinion);

	*view = (struct view){
		.facts = facts,
		.name = flow->name,
		.local = (uint8_t)local,
		.app = facts->evidence == EVIDENCE_DISSECTOR ? facts->app
		       : opined                              ? (uint16_t)opinion
							     : APP_NONE,
		.evidence = facts->evidence == EVIDENCE_DISSECTOR ? EVIDENCE_DISSECTOR
			    : opined                              ? EVIDENCE_INSPECTED
								  : EVIDENCE_NONE,
		.profiles = unit->rule->profiles,
		.asked_again = retries_note(desk->retries, unit->number, local, facts, flow->name),
		.unit = unit->rule,
		/* What is not bound for it may be what found no place: that makes no peer a wrong one. */
		.bound_roles = book_is_short(desk->book, unit->number)
		                       ? 0
		                       : unit_bound_roles(unit, facts->last_us),
		.inspector_off = opinion == APP_NONE &&
		                 (inspector_is_off(desk) || facts->id <= desk->resumed_parted ||
		                  blinds_meets(desk->blinds, BLIND_INSPECTOR_DOWN, unit->id,
		                               facts->first_us, facts->last_us)),
	};
	view->bound_count = book_names(desk->book, unit->number, remote, facts->first_us,
	                               facts->last_us, view->bound);
	lease = unit_lease_at(unit, &facts->end[local].addr, facts->last_us);
	if (lease)
		view_take_lease(policy, lease, view);
	return (uint8_t)((view->inspector_off ? TOLD_NO_INSPECTOR : 0) |
	                 (book_is_short(desk->book, unit->number) ? TOLD_NAMES_SHORT : 0) |
	                 (unit->leased && (!lease || lease->first_us > facts->last_us) ? TOLD_LEASE_LATER : 0));
}

/*
 * Whether an ended flow must wait for the last word about its outcome. Either the unit has yet to show that
 * anybody answers it, or this is one question without an answer, and what ends along with it may hold
 * the same one: that much is known at the next step of the clock.
 */
static bool outcome_waits(const struct desk *desk, const struct view *view,
                          bool two_way_missing, struct sheet *sheet)
{
	const struct flow_facts *facts = view->facts;

	if (two_way_missing)
		return facts->last_us + TWO_WAY_US >= desk->now_us;
	if (sheet->waited || view->asked_again || facts->tries != 1 ||
	    facts->outcome != OUTCOME_UNANSWERED || facts->transport != TRANSPORT_UDP ||
	    !(facts->asked & (ASKED_DNS | ASKED_KERBEROS)))
		return false;
	sheet->waited = true;
	return true;
}

/* False: in what the nearest rows differ is not there in words; judge_words() says it. */
static bool judge(const struct desk *desk, const struct view *view, struct verdict *verdict)
{
	if (desk->memo)
		return memo_judge(desk->memo, view, verdict);
	judge_flow(desk->policy, view, verdict);
	return true;
}

int desk_judge(struct desk *desk, struct unit *unit, const struct told_flow *flow, unsigned local,
               struct sheet *sheet, bool *ret_hold, struct err *err)
{
	const struct flow_facts *facts = flow->facts;
	struct verdict verdict;
	struct view view;
	bool two_way, worded;
	uint8_t told;
	int r = 0;

	findings_near(desk->findings, unit, facts, local);
	if (facts->packets[0] && facts->packets[1] && facts->outcome == OUTCOME_ANSWERED &&
	    facts->last_us > unit->two_way_us)
		unit->two_way_us = facts->last_us;
	if (flow->ended) {
		r = note_one_sided(desk, unit, facts, err);
		if (r < 0)
			return r;
	}
	told = view_fill(desk, unit, flow, local, &view);
	worded = judge(desk, &view, &verdict);
	two_way = unit->two_way_us && unit->two_way_us >= facts->first_us - TWO_WAY_US &&
	          unit->two_way_us <= facts->last_us + TWO_WAY_US;
	if (!flow->ended)
		told |= TOLD_OPEN;
	else if (is_unanswered_request(facts) && !two_way)
		told |= TOLD_ALONE;
	/* Of one lone try nobody claims anything: no need to look. */
	view.lossy = flow->ended && facts->outcome == OUTCOME_UNANSWERED &&
	             (facts->tries > 1 || view.asked_again) && was_lossy(desk, unit, facts);
	if (flow->ended && verdict.ruling == RULING_DOCUMENTED) {
		bool missing = judge_outcome(desk->policy, &view, two_way, &verdict);

		if (flow->may_hold)
			*ret_hold = outcome_waits(desk, &view, missing, sheet);
		if (*ret_hold) {
			/* Nothing is claimed of its outcome yet. */
			verdict.kind = KIND_NONE;
			verdict.severity = SEVERITY_NONE;
			if (desk->standings)
				standings_note(desk->standings, unit, &view, &verdict, false);
			/* Its row does not wait: should we die meanwhile, nobody else knows of it. */
			return sheet->id ? 0
			                 : flow_write(desk, unit, &view, &verdict,
			                              told | TOLD_OPEN, sheet, err);
		}
	}
	if (desk->standings)
		standings_note(desk->standings, unit, &view, &verdict, flow->ended);
	if (verdict.kind != KIND_NONE)
		r = findings_add(desk->findings, desk->db, unit, &view,
		                 &verdict, &sheet->gathered, err);
	else
		findings_drop(desk->findings, &sheet->gathered);
	if (r >= 0)
		r = evidence_follow(desk->evidence, desk->run, facts->id,
		                    gathered_finding(&sheet->gathered), &sheet->exhibit, err);
	if (flow->ended && flow_is_sampled(facts, sheet)) {
		desk->sums->flows++;
	} else if (r >= 0 && (flow->ended || sheet->id || verdict.kind != KIND_NONE ||
	                      facts->last_us - facts->first_us >= WRITE_AGE_US)) {
		if (!worded)
			judge_words(desk->policy, &view, &verdict);
		r = flow_write(desk, unit, &view, &verdict, told, sheet, err);
	}
	if (flow->ended) {
		sheet->over = true;
		desk->sums->by_ruling[verdict.ruling]++;
		coverage_count(&desk->coverage, unit, &view, &verdict);
		if (r >= 0)
			r = coverage_settle(&desk->coverage, desk->db, &verdict, err);
	}
	return r < 0 ? r : 0;
}
