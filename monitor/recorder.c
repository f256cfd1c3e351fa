/*
 * recorder.c - see recorder.h. The corridor of one flow event: flow_handle() finds the units at its
 * ends, flow_judge() judges it for one of them, flow_write() puts it down. Invariants:
 *  (1) No flow of a unit goes unjudged: each event judges anew, the last one counts.
 *  (2) A flow is written when it ends; earlier if it is under a finding or older than 60 s.
 *  (3) What a unit used of the rows is counted once a flow, when it ends.
 */
#include "monitor/recorder.h"
#include "monitor/capture/capture.h"
#include "monitor/idmap.h"
#include "monitor/record/coverage.h"
#include "monitor/record/join.h"

#define OPEN_MAX (1 << 21) /* flows told of and not over */
#define OPINIONS_MAX (1 << 18)
#define HELD_MAX 4096 /* over, but what became of them hangs on what is still to come */
#define WRITE_AGE_US (60 * SECOND_US)
#define COMMIT_US SECOND_US
#define COMMIT_ROWS 10000
#define TWO_WAY_US \
	(600 * SECOND_US) /* design.md 5: blocked is claimed beside a two-way flow that near */
#define SECOND_US INT64_C(1000000)

/* What is kept of a flow between its events, for the unit at one of its ends. */
struct sheet {
	int64_t id; /* its row; 0: not written yet */
	struct gathered gathered;
	bool over; /* its last word is judged: only the other end's unit still waits */
};

struct open_flow {
	struct sheet sheet[2];
};

struct held_flow {
	int64_t until_us;
	struct event_flow *event;
	enum app opinion;
	struct open_flow open;
};

struct recorder {
	struct recorder_options options;
	struct join *join;
	struct book *book;
	struct units *units;
	struct findings *findings;
	struct idmap open;
	struct held_flow held[HELD_MAX];
	unsigned held_count;
	int64_t run, policy_id;
	int64_t now_us, commit_us;
	unsigned rows; /* written since the last commit */
	bool begun;    /* a transaction is open */
	struct coverage coverage;
	struct strangers strangers;
	struct recorder_sums sums;
};

static void found(void *context, const struct finding *finding)
{
	struct recorder *recorder = context;

	recorder->sums.findings++;
	if (recorder->options.found)
		recorder->options.found(recorder->options.context, finding);
}

static int run_begin(struct recorder *recorder, struct err *err)
{
	const struct recorder_options *options = &recorder->options;
	const struct policy *policy = options->policy;
	struct run_row run = {
		.version = options->version,
		.source = options->source,
		.inputs = options->inputs,
		.filter = options->filter,
	};
	int r = flowdb_begin(options->db, err);

	if (r < 0)
		return r;
	recorder->begun = true;
	r = flowdb_run_begin(options->db, &run, &recorder->run, err);
	if (r >= 0)
		r = flowdb_policy_put(options->db, policy->hash, policy->envelope->text,
		                      policy->site_text, &recorder->policy_id, err);
	return r;
}

int recorder_new(const struct recorder_options *options, struct recorder **ret, struct err *err)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	int r;

	if (!recorder)
		return err_set(err, -ENOMEM, "out of memory");
	recorder->options = *options;
	idmap_init(&recorder->open, OPEN_MAX);
	recorder->join = join_new(OPINIONS_MAX);
	recorder->book = book_new();
	recorder->units = units_new(options->policy);
	recorder->findings = findings_new(options->policy, found, recorder);
	if (!recorder->join || !recorder->book || !recorder->units || !recorder->findings ||
	    coverage_init(&recorder->coverage, options->policy) < 0) {
		recorder_free(recorder);
		return err_set(err, -ENOMEM, "out of memory");
	}
	r = run_begin(recorder, err);
	if (r < 0) {
		recorder_free(recorder);
		return r;
	}
	*ret = recorder;
	return 0;
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	if (recorder->begun)
		flowdb_rollback(recorder->options.db);
	for (size_t i = 0; i < recorder->open.size; i++)
		free(recorder->open.slots[i].value);
	for (unsigned i = 0; i < recorder->held_count; i++)
		free(recorder->held[i].event);
	idmap_release(&recorder->open);
	join_free(recorder->join);
	book_free(recorder->book);
	findings_free(recorder->findings);
	units_free(recorder->units);
	coverage_release(&recorder->coverage);
	free(recorder);
}

const struct recorder_sums *recorder_sums(const struct recorder *recorder)
{
	return &recorder->sums;
}

uint64_t recorder_refused(const struct recorder *recorder)
{
	return recorder->sums.refused + recorder->strangers.refused +
	       join_refused(recorder->join) + book_refused(recorder->book) +
	       units_refused(recorder->units);
}

const struct units *recorder_units(const struct recorder *recorder)
{
	return recorder->units;
}

const struct strangers *recorder_strangers(const struct recorder *recorder)
{
	return &recorder->strangers;
}

/* ---------------------------------------------------------------- writing */

static int commit(struct recorder *recorder, bool again, struct err *err)
{
	struct flowdb *db = recorder->options.db;
	const struct recorder_sums *sums = &recorder->sums;
	int r = units_flush(recorder->units, db, err);

	if (r >= 0)
		r = findings_flush(recorder->findings, db, err);
	if (r >= 0)
		r = flowdb_run_update(db, recorder->run, sums->first_us, sums->last_us, !again,
		                      &sums->counters, err);
	if (r >= 0)
		r = flowdb_commit(db, err);
	if (r >= 0 && again)
		r = flowdb_begin(db, err);
	recorder->begun = again && r >= 0;
	recorder->rows = 0;
	recorder->commit_us = recorder->now_us;
	return r < 0 ? r : 0;
}

static int flow_write(struct recorder *recorder, const struct unit *unit,
                      const struct view *view, const struct verdict *verdict,
                      struct sheet *sheet, struct err *err)
{
	const struct policy *policy = recorder->options.policy;
	struct finding *finding = gathered_finding(&sheet->gathered);
	struct flow_row row = {
		.run = recorder->run,
		.policy = recorder->policy_id,
		.unit = unit->id,
		.facts = view->facts,
		.name = view->name,
		.local = view->local,
		.app = view->app,
		.evidence = view->evidence,
		.verdict = verdict,
		.finding = finding ? finding->id : 0,
	};

	for (unsigned i = 0; i < verdict->row_count; i++)
		row.rows[i] = policy->rows[verdict->rows[i]].id;
	for (unsigned i = 0; i < verdict->nearest_count; i++)
		row.nearest[i] = policy->rows[verdict->nearest[i].row].id;
	if (!sheet->id)
		recorder->sums.flows++;
	if (finding && !sheet->gathered.kept) {
		sheet->gathered.kept = true;
		finding->row.kept++;
	}
	recorder->rows++;
	return flowdb_flow_put(recorder->options.db, &row, &sheet->id, err);
}

/* ---------------------------------------------------------------- judging */

/* What is known beside the flow's own facts. */
static void view_fill(const struct recorder *recorder, const struct unit *unit,
                      const struct flow_facts *facts, const char *name, unsigned local,
                      enum app opinion, struct view *view)
{
	const struct policy *policy = recorder->options.policy;
	const struct addr *remote = &facts->end[!local].addr;

	*view = (struct view){
		.facts = facts,
		.name = name,
		.local = (uint8_t)local,
		.app = facts->evidence == EVIDENCE_DISSECTOR ? facts->app : (uint16_t)opinion,
		.evidence = facts->evidence == EVIDENCE_DISSECTOR ? EVIDENCE_DISSECTOR
	                    : opinion != APP_NONE                 ? EVIDENCE_INSPECTED
	                                                          : EVIDENCE_NONE,
		.profiles = unit->rule->profiles,
		.unit = unit->rule,
		.over_us = recorder->now_us,
		.bound_roles = unit->bound_roles,
	};
	view->bound_count = book_names(recorder->book, unit->number, remote, facts->first_us,
	                               facts->last_us, view->bound);
	if (!unit->lease.known)
		return;
	for (size_t i = 0; i < policy->envelope->role_count; i++) {
		const struct role *role = &policy->envelope->roles[i];

		if (role->learn == LEARN_DHCP_DNS) {
			for (unsigned n = 0; n < unit->lease.dns_count; n++)
				if (addr_equal(&unit->lease.dns[n], remote))
					view->learnt_roles |= (uint32_t)BIT(i);
			if (unit->lease.dns_count)
				view->learnt_any |= (uint32_t)BIT(i);
		} else if (role->learn == LEARN_DHCP_SERVER &&
		           !addr_is_unspecified(&unit->lease.server)) {
			view->learnt_any |= (uint32_t)BIT(i);
			if (addr_equal(&unit->lease.server, remote))
				view->learnt_roles |= (uint32_t)BIT(i);
		}
	}
	if (unit->lease.mask_bits) {
		view->subnet_known = true;
		view->subnet = prefix_of(&unit->lease.address, 96u + unit->lease.mask_bits);
	}
}

/* One event of a flow, for the unit at end `local`. Sets *ret_hold where an ended flow must wait. */
static int flow_judge(struct recorder *recorder, struct unit *unit,
                      const struct flow_facts *facts, const char *name, unsigned local,
                      enum app opinion, bool ended, bool may_hold, struct sheet *sheet,
                      bool *ret_hold, struct err *err)
{
	struct verdict verdict;
	struct view view;
	int r = 0;

	unit_seen(unit, &facts->end[local], facts->first_us, facts->last_us);
	if (facts->packets[0] && facts->packets[1] && facts->outcome == OUTCOME_ANSWERED &&
	    facts->last_us > unit->two_way_us)
		unit->two_way_us = facts->last_us;
	view_fill(recorder, unit, facts, name, local, opinion, &view);
	judge_flow(recorder->options.policy, &view, &verdict);
	if (ended && verdict.ruling == RULING_DOCUMENTED) {
		bool two_way = unit->two_way_us &&
		               unit->two_way_us >= facts->first_us - TWO_WAY_US &&
		               unit->two_way_us <= facts->last_us + TWO_WAY_US;

		if (judge_outcome(recorder->options.policy, &view, two_way, &verdict) &&
		    may_hold) {
			*ret_hold = true;
			return 0;
		}
	}
	if (verdict.kind != KIND_NONE)
		r = findings_add(recorder->findings, recorder->options.db, unit, &view,
		                 &verdict, &sheet->gathered, err);
	else
		findings_drop(recorder->findings, &sheet->gathered);
	if (r >= 0 && (ended || sheet->id || verdict.kind != KIND_NONE ||
	               facts->last_us - facts->first_us >= WRITE_AGE_US))
		r = flow_write(recorder, unit, &view, &verdict, sheet, err);
	if (ended) {
		sheet->over = true;
		recorder->sums.by_ruling[verdict.ruling]++;
		coverage_count(&recorder->coverage, unit, &view, &verdict);
	}
	return r < 0 ? r : 0;
}

/* A flow no unit of the lists takes part in: is one of its ends a room system all the same? */
static int flow_strangers(struct recorder *recorder, const struct flow_facts *facts,
                          const char *name, struct err *err)
{
	int r = 0;

	for (unsigned end = 0; end < 2 && r >= 0; end++) {
		const struct endpoint *host = &facts->end[end];
		struct unit *unit;

		/* Where nobody is listed they are candidates, and no finding. */
		if (!strangers_note(&recorder->strangers, recorder->options.policy, facts, name,
		                    end) ||
		    !recorder->options.policy->unit_count)
			continue;
		unit = units_unlisted(recorder->units, recorder->options.db, host, &r, err);
		if (!unit)
			continue;
		unit_seen(unit, host, facts->first_us, facts->last_us);
		r = findings_unlisted(recorder->findings, recorder->options.db, unit, facts,
		                      end, err);
	}
	return r < 0 ? r : 0;
}

/* ----------------------------------------------------------------- events */

/* The unit at one end; a DHCP client without an address is known by its MAC or by the lease it gets. */
static struct unit *unit_of_end(struct recorder *recorder, const struct flow_facts *facts,
                                unsigned end, int *ret_error, struct err *err)
{
	bool client = !mac_is_zero(&facts->chaddr) && facts->end[end].port == 68;

	if (client) {
		struct unit *unit = units_by_mac(recorder->units, recorder->options.db,
		                                 &facts->chaddr, ret_error, err);

		if (unit || *ret_error < 0)
			return unit;
	}
	return units_at(recorder->units, recorder->options.db, &facts->end[end],
	                facts->packets[end] > 0, ret_error, err);
}

/* Sets *ret_hold where an ended flow must wait; then `open` is as before. */
static int flow_handle(struct recorder *recorder, const struct event_flow *event,
                       enum app opinion, bool may_hold, struct open_flow *open, bool *ret_hold,
                       struct err *err)
{
	const struct flow_facts *facts = &event->facts;
	bool ended = event->head.type == EVENT_FLOW_END;
	struct unit *units[2];
	char name[NAME_MAX_LEN + 1];
	int r = 0;

	memcpy(name, event->name, event->name_len);
	name[event->name_len] = '\0';
	for (unsigned end = 0; end < 2; end++) {
		units[end] = unit_of_end(recorder, facts, end, &r, err);
		if (r < 0)
			return r;
	}
	/* A unit that talks to itself has one row; it is local where it opened the conversation. */
	if (units[0] == units[1] && units[0])
		units[facts->initiator == 0] = NULL;
	if (!units[0] && !units[1])
		return ended ? flow_strangers(recorder, facts, name, err) : 0;
	for (unsigned end = 0; end < 2; end++) {
		if (!units[end] || open->sheet[end].over)
			continue;
		r = flow_judge(recorder, units[end], facts, name, end, opinion, ended, may_hold,
		               &open->sheet[end], ret_hold, err);
		if (r < 0 || *ret_hold)
			return r;
	}
	return 0;
}

static void flow_hold(struct recorder *recorder, const struct event_flow *event,
                      enum app opinion, const struct open_flow *open)
{
	struct held_flow *held = &recorder->held[recorder->held_count++];

	*held = (struct held_flow){event->facts.last_us + TWO_WAY_US, malloc(event->head.len),
	                           opinion, *open};
	if (held->event)
		memcpy(held->event, event, event->head.len);
	else
		recorder->held_count--;
}

/* Flows that waited for their unit to show a two-way flow: it has, or the time is over. */
static int held_release(struct recorder *recorder, bool all, struct err *err)
{
	unsigned kept = 0;
	int r = 0;

	for (unsigned i = 0; i < recorder->held_count; i++) {
		struct held_flow *held = &recorder->held[i];
		bool over = all || recorder->now_us > held->until_us, hold = false;

		if (r >= 0)
			r = flow_handle(recorder, held->event, held->opinion, !over,
			                &held->open, &hold, err);
		if (hold && r >= 0)
			recorder->held[kept++] = *held;
		else
			free(held->event);
	}
	recorder->held_count = kept;
	return r;
}

static int handle_flow(struct recorder *recorder, const struct event_flow *event,
                       struct err *err)
{
	uint64_t id = event->facts.id;
	bool ended = event->head.type == EVENT_FLOW_END, hold = false;
	struct open_flow fresh = {0};
	struct open_flow *open = idmap_find(&recorder->open, id);
	enum app opinion = join_opinion(recorder->join, id, ended);
	int r = flow_handle(recorder, event, opinion, recorder->held_count < HELD_MAX,
	                    open ? open : &fresh, &hold, err);

	if (hold)
		flow_hold(recorder, event, opinion, open ? open : &fresh);
	if (ended) {
		free(idmap_take(&recorder->open, id));
	} else if (!open && (fresh.sheet[0].id || fresh.sheet[1].id)) {
		open = malloc(sizeof(*open));
		if (!open || idmap_add(&recorder->open, id, open) < 0) {
			free(open);
			recorder->sums.refused++;
		} else {
			*open = fresh;
		}
	}
	return r;
}

/* An answer counts only from a server that holds the role which the envelope learns from DHCP. */
static bool is_dns_server(const struct recorder *recorder, const struct unit *unit,
                          const struct addr *server)
{
	const struct policy *policy = recorder->options.policy;
	uint32_t listed = policy_roles_of_addr(policy, server);

	for (size_t i = 0; i < policy->envelope->role_count; i++) {
		if (policy->envelope->roles[i].learn != LEARN_DHCP_DNS)
			continue;
		if (listed & BIT(i))
			return true;
		for (unsigned n = 0;
		     n < unit->lease.dns_count && !policy->holders[i].prefix_count; n++)
			if (addr_equal(&unit->lease.dns[n], server))
				return true;
	}
	return false;
}

static int handle_name(struct recorder *recorder, const struct event_name *event,
                       struct err *err)
{
	struct endpoint client = {.addr = event->client};
	char text[NAME_MAX_LEN + 1];
	struct name_row row = {
		.client = event->client,
		.server = event->server,
		.address = event->address,
		.name = text,
		.first_us = event->time_us,
		.last_us = event->time_us,
		.until_us = event->time_us + (int64_t)event->ttl_s * SECOND_US + BOOK_GRACE_US,
	};
	struct unit *unit;
	int r = 0;

	memcpy(text, event->name, event->name_len);
	text[event->name_len] = '\0';
	unit = units_at(recorder->units, recorder->options.db, &client, true, &r, err);
	if (r < 0 || !unit || !is_dns_server(recorder, unit, &event->server))
		return r;
	book_bind(recorder->book, unit->number, &event->address, text, row.first_us,
	          row.until_us);
	unit->bound_roles |= policy_roles_of_name(recorder->options.policy, text);
	recorder->rows++;
	return flowdb_name_put(recorder->options.db, &row, err);
}

static int handle_lease(struct recorder *recorder, const struct event_lease *event,
                        struct err *err)
{
	struct unit *unit;
	int r = 0;

	units_lease(recorder->units, event);
	unit = units_by_mac(recorder->units, recorder->options.db, &event->chaddr, &r, err);
	if (!unit)
		return r;
	unit->lease = (struct lease){
		.known = true,
		.time_us = event->time_us,
		.address = event->address,
		.server = event->server,
		.mask_bits = event->mask_bits,
		.dns_count = event->dns_count,
	};
	memcpy(unit->lease.dns, event->dns, sizeof(unit->lease.dns));
	return 0;
}

static int handle_input(struct recorder *recorder, const struct event_input *event,
                        struct err *err)
{
	const struct captured_input *told =
		recorder->options.input
			? recorder->options.input(recorder->options.context, event->index)
			: NULL;
	char note[UINT8_MAX + 1];
	struct input_row row = {
		.name = told ? told->name : "",
		.size = told ? told->size : 0,
		.hash = told ? told->hash : "",
		.first_us = event->first_us,
		.last_us = event->last_us,
		.packets = event->packets,
		.cut = event->cut,
		.note = note,
	};

	memcpy(note, event->note, event->note_len);
	note[event->note_len] = '\0';
	return flowdb_input_put(recorder->options.db, recorder->run, &row, err);
}

static int handle_health(struct recorder *recorder, const struct event_health *event,
                         struct err *err)
{
	int r = 0;

	if (event->time_us < recorder->now_us)
		recorder->commit_us = event->time_us; /* another file, of an earlier time */
	recorder->now_us = event->time_us;
	recorder->sums.counters = event->counters;
	if (event->time_us) {
		if (!recorder->sums.first_us || event->time_us < recorder->sums.first_us)
			recorder->sums.first_us = event->time_us;
		if (event->time_us > recorder->sums.last_us)
			recorder->sums.last_us = event->time_us;
	}
	if (recorder->held_count)
		r = held_release(recorder, event->final, err);
	if (r >= 0 && event->final)
		r = commit(recorder, false, err);
	else if (r >= 0 && recorder->now_us - recorder->commit_us >= COMMIT_US &&
	         (recorder->rows >= COMMIT_ROWS || recorder->options.live))
		r = commit(recorder, true, err);
	return r;
}

static int handle(struct recorder *recorder, const struct event *event, struct err *err)
{
	if (event_check(event, event->len) < 0) {
		recorder->sums.refused++;
		return 0;
	}
	switch (event->type) {
	case EVENT_FLOW_SETTLED:
	case EVENT_FLOW_UPDATE:
	case EVENT_FLOW_END:
		return handle_flow(recorder, (const struct event_flow *)event, err);
	case EVENT_NAME:
		return handle_name(recorder, (const struct event_name *)event, err);
	case EVENT_LEASE:
		return handle_lease(recorder, (const struct event_lease *)event, err);
	case EVENT_HEALTH:
		return handle_health(recorder, (const struct event_health *)event, err);
	case EVENT_INPUT:
		return handle_input(recorder, (const struct event_input *)event, err);
	default:
		recorder->sums.refused++;
		return 0;
	}
}

int recorder_step(struct recorder *recorder, struct err *err)
{
	/* Read first: what the inspector wrote before it released a packet is then sure to be there. */
	uint64_t done = ring_released(recorder->options.packets);
	const struct event *event;
	int count = 0;

	join_drain(recorder->join, recorder->options.opinions);
	while ((event = ring_peek(recorder->options.facts)) && event->handed <= done) {
		int r = handle(recorder, event, err);

		ring_take(recorder->options.facts);
		ring_release(recorder->options.facts);
		if (r < 0)
			return r;
		count++;
	}
	return count;
}
