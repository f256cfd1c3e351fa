/*
 * desk.c - see desk.h. The corridor of one flow event: desk_handle() finds the units at its ends, desk_judge()
 * (desk_judge.c) judges it for one of them; what must wait for its last word lies in desk_held.c. Invariants:
 *  (1) No flow of a unit goes unjudged: each event judges anew, the last one counts.
 *  (2) Every open flow of a unit has its last event here: should its sensor die, that is its last word.
 */
#include "monitor/record/desk_parts.h"

#include "rules/memo.h"

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
	desk_drop_held(desk);
	retries_free(desk->retries);
	memo_free(desk->memo);
	coverage_release(&desk->coverage);
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

int desk_handle(struct desk *desk, const struct event_flow *event, enum app opinion, bool may_hold,
                struct open_flow *open, bool *ret_hold, bool *ret_units, struct err *err)
{
	const struct flow_facts *facts = &event->facts;
	char name[NAME_MAX_LEN + 1];
	struct told_flow flow = {
		.facts = facts,
		.name = name,
		.opinion = opinion,
		.ended = event->head.type == EVENT_FLOW_END,
		.may_hold = may_hold,
	};
	struct unit *units[2];
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
		return flow.ended ? flow_strangers(desk, facts, name, err) : 0;
	for (unsigned end = 0; end < 2; end++) {
		if (!units[end] || open->sheet[end].over)
			continue;
		open->sheet[end].unit = units[end];
		if (recall) {
			r = sheet_recall(desk, units[end], facts, &flow.opinion,
			                 &open->sheet[end], err);
			if (r < 0)
				return r;
		}
		r = desk_judge(desk, units[end], &flow, end, &open->sheet[end], ret_hold, err);
		if (r < 0 || *ret_hold)
			return r;
	}
	return 0;
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
	r = desk_handle(desk, event, opinion,
	                desk->held_count < DESK_HELD_MAX && event->facts.settled_by != SETTLED_LOST,
	                &open, &hold, &units, err);
	if (hold)
		desk_hold(desk, event, opinion, &open);
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
	if (!desk_holds(desk, id))
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
