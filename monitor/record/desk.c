/*
 * desk.c - see desk.h. The corridor of one flow event: flow_handle() finds the units at its ends,
 * flow_judge() judges it for one of them, flow_write() puts it down. Invariants:
 *  (1) No flow of a unit goes unjudged: each event judges anew, the last one counts.
 *  (2) A flow is written when it ends; earlier if it is under a finding or older than 60 s. Of a flood of flows under
 *      one finding that nobody answered samples are (flow_is_sampled()); all of them count.
 *  (3) What a unit used of the rows is counted once a flow, when it ends.
 *  (4) Every open flow of a unit has its last event here: should its sensor die, that is its last word.
 */
#include "monitor/record/desk.h"

#include "rules/memo.h"

#include <stdatomic.h>

#define WRITE_AGE_US (60 * SECOND_US)
#define TWO_WAY_US \
	(600 * SECOND_US) /* design.md 5: blocked is claimed beside a two-way flow that near */
#define SECOND_US INT64_C(1000000)

/* Bits of what is kept of one in the database, for the unit at end 0; at end 1 they stand one further. */
enum { HELD_OVER = 1, HELD_WAITED = 4 };

struct held_flow {
	struct event_flow *event;
	enum app opinion;
	struct open_flow open;
};

int desk_init(struct desk *desk)
{
	shelf_init(&desk->open, DESK_OPEN_MAX);
	desk->held = calloc(DESK_HELD_MAX, sizeof(*desk->held));
	desk->retries = retries_new();
	if (!desk->plain)
		desk->memo = memo_new(desk->policy);
	return desk->held && desk->retries && (desk->plain || desk->memo)
	               ? coverage_init(&desk->coverage, desk->policy)
	               : -ENOMEM;
}

void desk_release(struct desk *desk)
{
	shelf_release(&desk->open);
	for (unsigned i = 0; i < desk->held_count; i++)
		free(desk->held[i].event);
	free(desk->held);
	retries_free(desk->retries);
	memo_free(desk->memo);
	coverage_release(&desk->coverage);
}

/* ---------------------------------------------------------------- writing */

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

/* ---------------------------------------------------------------- judging */

static bool inspector_is_off(const struct desk *desk)
{
	return desk->inspector_off && atomic_load(desk->inspector_off);
}

/* Packets were lost, or half of them not shown, while the flow waited for an answer (domain.md 7.4). */
static bool was_lossy(const struct desk *desk, const struct unit *unit,
                      const struct flow_facts *facts)
{
	static const uint8_t causes[] = {BLIND_KERNEL_DROP,   BLIND_SENSOR_DOWN, BLIND_LINK_DOWN,
	                                 BLIND_MIRROR_SILENT, BLIND_EVICTED,     BLIND_CLOCK_STEP,
	                                 BLIND_ONE_SIDED};
	int64_t until_us = facts->last_us + facts->silent_s * SECOND_US;

	for (size_t i = 0; i < ARRAY_LEN(causes); i++)
		if (blinds_meets(desk->blinds, (enum blind_cause)causes[i], unit->id,
		                 facts->first_us, until_us))
			return true;
	return false;
}

/* What is known beside the flow's own facts; what of it no table tells is returned: TOLD_*. */
static uint8_t view_fill(struct desk *desk, const struct unit *unit,
                      const struct flow_facts *facts, const char *name, unsigned local,
                      enum app opinion, struct view *view)
{
	const struct policy *policy = desk->policy;
	const struct addr *remote = &facts->end[!local].addr;
	const struct lease_row *lease;
	/* nDPI says TLS of anything that begins with its record header: a certain no stands against it. */
	bool opined = opinion != APP_NONE && !app_set_has(&facts->not_apps, opinion);

	*view = (struct view){
		.facts = facts,
		.name = name,
		.local = (uint8_t)local,
		.app = facts->evidence == EVIDENCE_DISSECTOR ? facts->app
		       : opined                              ? (uint16_t)opinion
							     : APP_NONE,
		.evidence = facts->evidence == EVIDENCE_DISSECTOR ? EVIDENCE_DISSECTOR
			    : opined                              ? EVIDENCE_INSPECTED
								  : EVIDENCE_NONE,
		.profiles = unit->rule->profiles,
		.asked_again = retries_note(desk->retries, unit->number, local, facts, name),
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

/* Its row may be there already, of a recorder that is dead: it is gone on with. */
static int sheet_recall(struct desk *desk, struct unit *unit, const struct flow_facts *facts,
                        enum app *opinion, struct sheet *sheet, struct err *err)
{
	struct flow_found found;
	int r = flowdb_flow_find(desk->db, desk->run, unit->id, facts->first_us, facts->id, &found,
	                         err);

	if (r <= 0)
		return r;
	sheet->id = found.id;
	if (*opinion == APP_NONE)
		*opinion = found.opinion;
	if (!found.finding)
		return 0;
	r = findings_recall(desk->findings, desk->db, unit, found.finding, found.bytes,
	                    &sheet->gathered, err);
	return r < 0 ? r
	             : evidence_recall(desk->evidence, desk->run, facts->id,
	                               gathered_finding(&sheet->gathered), &sheet->exhibit, err);
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

/* One event of a flow, for the unit at end `local`. Sets *ret_hold where an ended flow must wait. */
static int flow_judge(struct desk *desk, struct unit *unit,
                      const struct flow_facts *facts, const char *name, unsigned local,
                      enum app opinion, bool ended, bool may_hold, struct sheet *sheet,
                      bool *ret_hold, struct err *err)
{
	struct verdict verdict;
	struct view view;
	bool two_way, worded;
	uint8_t told;
	int r = 0;

	findings_near(desk->findings, unit, facts, local);
	if (facts->packets[0] && facts->packets[1] && facts->outcome == OUTCOME_ANSWERED &&
	    facts->last_us > unit->two_way_us)
		unit->two_way_us = facts->last_us;
	if (ended) {
		r = note_one_sided(desk, unit, facts, err);
		if (r < 0)
			return r;
	}
	told = view_fill(desk, unit, facts, name, local, opinion, &view);
	worded = judge(desk, &view, &verdict);
	two_way = unit->two_way_us && unit->two_way_us >= facts->first_us - TWO_WAY_US &&
	          unit->two_way_us <= facts->last_us + TWO_WAY_US;
	if (!ended)
		told |= TOLD_OPEN;
	else if (is_unanswered_request(facts) && !two_way)
		told |= TOLD_ALONE;
	/* Of one lone try nobody claims anything: no need to look. */
	view.lossy = ended && facts->outcome == OUTCOME_UNANSWERED &&
	             (facts->tries > 1 || view.asked_again) && was_lossy(desk, unit, facts);
	if (ended && verdict.ruling == RULING_DOCUMENTED) {
		struct verdict so_far = verdict;
		bool missing = judge_outcome(desk->policy, &view, two_way, &verdict);

		if (may_hold)
			*ret_hold = outcome_waits(desk, &view, missing, sheet);
		if (*ret_hold) {
			if (desk->standings)
				standings_note(desk->standings, unit, &view, &so_far, false);
			/* Its row does not wait: should we die meanwhile, nobody else knows of it. */
			return sheet->id ? 0
			                 : flow_write(desk, unit, &view, &so_far,
			                              told | TOLD_OPEN, sheet, err);
		}
	}
	if (desk->standings)
		standings_note(desk->standings, unit, &view, &verdict, ended);
	if (verdict.kind != KIND_NONE)
		r = findings_add(desk->findings, desk->db, unit, &view,
		                 &verdict, &sheet->gathered, err);
	else
		findings_drop(desk->findings, &sheet->gathered);
	if (r >= 0)
		r = evidence_follow(desk->evidence, desk->run, facts->id,
		                    gathered_finding(&sheet->gathered), &sheet->exhibit, err);
	if (ended && flow_is_sampled(facts, sheet)) {
		desk->sums->flows++;
	} else if (r >= 0 && (ended || sheet->id || verdict.kind != KIND_NONE ||
	                      facts->last_us - facts->first_us >= WRITE_AGE_US)) {
		if (!worded)
			judge_words(desk->policy, &view, &verdict);
		r = flow_write(desk, unit, &view, &verdict, told, sheet, err);
	}
	if (ended) {
		sheet->over = true;
		desk->sums->by_ruling[verdict.ruling]++;
		coverage_count(&desk->coverage, unit, &view, &verdict);
		if (r >= 0)
			r = coverage_settle(&desk->coverage, desk->db, &verdict, err);
	}
	return r < 0 ? r : 0;
}

/* A flow no unit of the lists takes part in: is one of its ends a room system all the same? */
static int flow_strangers(struct desk *desk, const struct flow_facts *facts,
                          const char *name, struct err *err)
{
	int r = 0;

	for (unsigned end = 0; end < 2 && r >= 0; end++) {
		const struct endpoint *host = &facts->end[end];
		struct exhibit exhibit = {0};
		struct finding *finding;
		struct unit *unit;

		/* Where nobody is listed they are candidates, and no finding. */
		if (!strangers_note(&desk->strangers, desk->policy, facts, name, end,
		                    !units_is_router(desk->units, &host->mac,
		                                     facts->last_us)) ||
		    !desk->policy->unit_count)
			continue;
		unit = units_unlisted(desk->units, desk->db, host, &r, err);
		if (!unit)
			continue;
		unit_seen(unit, &(struct sighting){.end = *host,
		                                   .first_us = facts->first_us,
		                                   .last_us = facts->last_us,
		                                   .known_by = KNOWN_BY_PACKETS});
		r = unit_settle(unit, desk->db, err);
		if (r >= 0)
			r = findings_unlisted(desk->findings, desk->db, unit, facts, end, &finding, err);
		if (r >= 0)
			r = evidence_follow(desk->evidence, desk->run, facts->id, finding,
			                    &exhibit, err);
	}
	return r < 0 ? r : 0;
}

/* ----------------------------------------------------------------- events */

/*
 * The unit at one end, and that it was seen there; a DHCP client without an address is known by its MAC or by
 * the lease it gets.
 */
static struct unit *unit_of_end(struct desk *desk, const struct flow_facts *facts, unsigned end,
                                struct unit *so_far, int *ret_error, struct err *err)
{
	bool client = !mac_is_zero(&facts->chaddr) && facts->end[end].port == 68;
	struct sighting at = {
		.end = facts->end[end],
		.spoke = facts->packets[end] > 0,
		.plain = facts->packets[end] > 0 && facts->tunnel == TUNNEL_NONE,
		.first_us = facts->first_us,
		.last_us = facts->last_us,
	};
	struct unit *unit = NULL;

	if (client && !so_far)
		unit = units_by_mac(desk->units, desk->db, &facts->chaddr, facts->last_us,
		                    ret_error, err);
	if (*ret_error < 0)
		return NULL;
	if (unit || (client && so_far)) {
		at.known_by = at.spoke ? KNOWN_BY_PACKETS : 0;
	} else {
		unit = units_at(desk->units, desk->db, &at, ret_error, err);
		if (*ret_error < 0)
			return NULL;
	}
	if (so_far && unit != so_far) {
		unit = so_far;
		at.end.mac = facts->end[end].mac;
		at.known_by = at.spoke ? KNOWN_BY_PACKETS : 0;
	}
	if (unit) {
		unit_seen(unit, &at);
		*ret_error = unit_settle(unit, desk->db, err);
	}
	return unit;
}

/*
 * Sets *ret_hold where an ended flow must wait; then `open` is as before. *ret_units: a unit takes
 * part in it.
 */
static int flow_handle(struct desk *desk, const struct event_flow *event,
                       enum app opinion, bool may_hold, struct open_flow *open, bool *ret_hold,
                       bool *ret_units, struct err *err)
{
	const struct flow_facts *facts = &event->facts;
	bool ended = event->head.type == EVENT_FLOW_END;
	struct unit *units[2];
	char name[NAME_MAX_LEN + 1];
	/* It began before we took over, and this is the first we hear of it. */
	bool recall = facts->id <= desk->resumed_flow && !open->told;
	int r = 0;

	memcpy(name, event->name, event->name_len);
	name[event->name_len] = '\0';
	for (unsigned end = 0; end < 2; end++) {
		units[end] = unit_of_end(desk, facts, end, open->sheet[end].unit, &r, err);
		if (r < 0)
			return r;
	}
	/* A unit that talks to itself has one row; it is local where it opened the conversation. */
	if (units[0] == units[1] && units[0])
		units[facts->initiator == 0] = NULL;
	*ret_units = units[0] || units[1];
	if (!*ret_units)
		return ended ? flow_strangers(desk, facts, name, err) : 0;
	for (unsigned end = 0; end < 2; end++) {
		if (!units[end] || open->sheet[end].over)
			continue;
		open->sheet[end].unit = units[end];
		if (recall) {
			r = sheet_recall(desk, units[end], facts, &opinion, &open->sheet[end],
			                 err);
			if (r < 0)
				return r;
		}
		r = flow_judge(desk, units[end], facts, name, end, opinion, ended, may_hold,
		               &open->sheet[end], ret_hold, err);
		if (r < 0 || *ret_hold)
			return r;
	}
	return 0;
}

static void flow_hold(struct desk *desk, const struct event_flow *event,
                      enum app opinion, const struct open_flow *open)
{
	struct held_flow *held = &desk->held[desk->held_count++];

	*held = (struct held_flow){malloc(event->head.len),
	                           opinion, *open};
	if (held->event)
		memcpy(held->event, event, event->head.len);
	else
		desk->held_count--;
	desk->held_moved = true;
}

/* Flows that waited for what else their unit does: it has done it, or the time is over. */
int desk_release_held(struct desk *desk, bool all, struct err *err)
{
	unsigned kept = 0;
	int r = 0;

	for (unsigned i = 0; i < desk->held_count; i++) {
		struct held_flow *held = &desk->held[i];
		bool hold = false, units;

		if (r >= 0)
			r = flow_handle(desk, held->event, held->opinion, !all,
			                &held->open, &hold, &units, err);
		if (hold && r >= 0) {
			desk->held[kept++] = *held;
		} else {
			evidence_forget(desk->evidence, held->event->facts.id);
			free(held->event);
		}
	}
	desk->held_moved |= kept != desk->held_count;
	desk->held_count = kept;
	return r;
}

int desk_write_held(struct desk *desk, struct err *err)
{
	int r = desk->held_moved ? flowdb_held_clear(desk->db, desk->run, err) : 0;

	for (unsigned i = 0; desk->held_moved && i < desk->held_count && r >= 0; i++) {
		const struct held_flow *held = &desk->held[i];
		unsigned marks = 0;

		for (unsigned end = 0; end < 2; end++)
			marks |= (held->open.sheet[end].over ? HELD_OVER : 0) << end |
			         (held->open.sheet[end].waited ? HELD_WAITED : 0) << end;
		r = flowdb_held_put(desk->db, desk->run, held->opinion, marks,
		                    &held->event->head, err);
	}
	if (r >= 0)
		desk->held_moved = false;
	return r;
}

static int held_recall(void *context, enum app opinion, unsigned marks,
                       const struct event *event, struct err *err)
{
	struct desk *desk = context;
	struct open_flow open = {0};

	if (event->type != EVENT_FLOW_END || desk->held_count == DESK_HELD_MAX)
		return 0;
	for (unsigned end = 0; end < 2; end++) {
		open.sheet[end].over = marks & HELD_OVER << end;
		open.sheet[end].waited = marks & HELD_WAITED << end;
	}
	flow_hold(desk, (const struct event_flow *)event, opinion, &open);
	return 0;
}

int desk_read_held(struct desk *desk, struct err *err)
{
	return flowdb_held(desk->db, desk->run, held_recall, desk, err);
}

int desk_flow(struct desk *desk, const struct event_flow *event, struct err *err)
{
	uint64_t id = event->facts.id;
	bool ended = event->head.type == EVENT_FLOW_END, hold = false, units = false;
	enum app opinion = join_opinion(desk->join, id, ended);
	struct open_flow open;
	int r = 0;

	shelf_get(&desk->open, id, &open);
	if (id > desk->sums->latest_flow)
		desk->sums->latest_flow = id;
	r = flow_handle(desk, event, opinion,
	                desk->held_count < DESK_HELD_MAX && event->facts.settled_by != SETTLED_LOST,
	                &open, &hold, &units, err);
	if (hold)
		flow_hold(desk, event, opinion, &open);
	else if (ended)
		evidence_forget(desk->evidence, id);
	if (ended)
		shelf_drop(&desk->open, id);
	else if (units && shelf_put(&desk->open, &open, event) < 0)
		desk->sums->refused++;
	return r;
}

int desk_sample(struct desk *desk, const struct event_sample *event, struct err *err)
{
	int r = 0;

	if (!evidence_add(desk->evidence, event))
		return 0;
	for (unsigned end = 0; end < 2 && r >= 0; end++) {
		struct sheet *sheet = shelf_exhibited(&desk->open, event->flow, end);

		if (!sheet || !sheet->exhibit.finding)
			continue;
		r = evidence_follow(desk->evidence, desk->run, event->flow,
		                    gathered_finding(&sheet->gathered), &sheet->exhibit, err);
	}
	return r;
}

void desk_leave_out(struct desk *desk, const struct event *event)
{
	uint64_t id;

	if (event->type == EVENT_SAMPLE)
		evidence_add(desk->evidence, (const struct event_sample *)event);
	if (event->type != EVENT_FLOW_END)
		return;
	id = ((const struct event_flow *)event)->facts.id;
	for (unsigned i = 0; i < desk->held_count; i++)
		if (desk->held[i].event->facts.id == id)
			return;
	evidence_forget(desk->evidence, id);
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = (*(struct event_flow *const *)a)->facts.id,
		 y = (*(struct event_flow *const *)b)->facts.id;

	return x < y ? -1 : x > y;
}

int desk_lose(struct desk *desk, struct err *err)
{
	size_t count = 0;
	CLEANUP(freep) struct event_flow **lost = shelf_latest(&desk->open, &count);
	int r = 0;

	if (!lost)
		return err_set(err, -ENOMEM, "out of memory");
	qsort(lost, count, sizeof(struct event_flow *), by_number);
	for (size_t i = 0; i < count; i++) {
		struct event_flow *event = lost[i];

		event->head.type = EVENT_FLOW_END;
		event->facts.settled_by = SETTLED_LOST;
		/* Whether an answer came later nobody knows. */
		if (event->facts.outcome == OUTCOME_UNANSWERED)
			event->facts.outcome = OUTCOME_UNKNOWN;
		if (r >= 0)
			r = desk_flow(desk, event, err);
		free(event);
	}
	return r;
}
