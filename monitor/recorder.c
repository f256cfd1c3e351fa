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

#include <stdatomic.h>
#include <time.h>

#define OPEN_MAX (1 << 21) /* flows told of and not over */
#define OPINIONS_MAX (1 << 18)
#define HELD_MAX 4096 /* over, but what became of them hangs on what is still to come */
#define WRITE_AGE_US (60 * SECOND_US)
#define COMMIT_US SECOND_US
#define COMMIT_ROWS 10000
#define JOIN_US SECOND_US
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
	struct event_flow *last; /* its facts so far: what is kept of it if its sensor dies */
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
	bool over;
	int64_t blocked_us; /* live: since when the oldest fact waits for the inspector; monotonic */
	int64_t wall_us;    /* live: of the last commit; monotonic */
	struct coverage coverage;
	struct strangers strangers;
	struct blinds *blinds;
	struct losses losses;
	struct recorder_sums sums;
};

static int commit(struct recorder *recorder, bool again, struct err *err);

/* Not the run's clock: how long the machine has taken. */
static int64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void found(void *context, const struct finding *finding)
{
	struct recorder *recorder = context;

	recorder->sums.findings++;
	if (recorder->options.found)
		recorder->options.found(recorder->options.context, finding);
}

/* Files that some run has read already: twice the same packets would be counted twice. */
static int inputs_are_new(const struct recorder *recorder, struct err *err)
{
	const struct recorder_options *options = &recorder->options;
	const struct captured_input *input;

	for (unsigned i = 0; options->input && !options->again &&
	                     (input = options->input(options->context, i));
	     i++) {
		int r = *input->hash ? flowdb_has_input(options->db, input->size, input->hash, err)
		                     : 0;

		if (r < 0)
			return r;
		if (r)
			return err_set(
				err, -EEXIST,
				"%s: the database holds this capture already (same size and content); "
				"--again reads it once more",
				input->name);
	}
	return 0;
}

/* From the last sign of life of the live run before until this one nobody was looking. */
static int note_absence(struct recorder *recorder, struct err *err)
{
	struct blind_row row = {.cause = BLIND_NOT_RUNNING,
	                        .until_us = recorder->options.begun_us,
	                        .detail = ""};
	int r = flowdb_live_last(recorder->options.db, &row.since_us, err);

	if (r <= 0 || row.since_us >= row.until_us)
		return r < 0 ? r : 0;
	return blinds_note(recorder->blinds, recorder->options.db, 0, &row, err);
}

static int run_new(struct recorder *recorder, struct err *err)
{
	const struct recorder_options *options = &recorder->options;
	char roles_unknown[512];
	struct run_row run = {
		.version = options->version,
		.source = options->source,
		.inputs = options->inputs,
		.filter = options->filter,
		.roles_unknown = roles_unknown,
		.begun_us = options->begun_us,
	};
	int r = inputs_are_new(recorder, err);

	policy_roles_unknown(options->policy, roles_unknown, sizeof(roles_unknown));
	if (r >= 0)
		r = flowdb_blind_end(options->db, 0, err);
	if (r >= 0 && options->live)
		r = note_absence(recorder, err);
	if (r >= 0)
		r = flowdb_run_begin(options->db, &run, &recorder->run, err);
	if (r >= 0)
		r = units_list(recorder->units, options->db, err);
	return r;
}

static int run_begin(struct recorder *recorder, struct err *err)
{
	const struct recorder_options *options = &recorder->options;
	const struct policy *policy = options->policy;
	int r = flowdb_begin(options->db, err);

	if (r < 0)
		return r;
	recorder->begun = true;
	recorder->run = options->run;
	r = options->run ? blinds_load(recorder->blinds, options->db, options->run, err)
	                 : run_new(recorder, err);
	if (r >= 0)
		r = flowdb_policy_put(options->db, policy->hash, policy->envelope->text,
		                      policy->site_text, &recorder->policy_id, err);
	/* Live it is on record at once that we look; and a successor knows which run is its own. */
	if (r >= 0 && options->live)
		r = commit(recorder, true, err);
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
	recorder->blinds = blinds_new();
	if (!recorder->join || !recorder->book || !recorder->units || !recorder->findings || !recorder->blinds ||
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

static void open_free(struct open_flow *open)
{
	if (open)
		free(open->last);
	free(open);
}

void recorder_free(struct recorder *recorder)
{
	if (!recorder)
		return;
	if (recorder->begun)
		flowdb_rollback(recorder->options.db);
	for (size_t i = 0; i < recorder->open.size; i++)
		open_free(recorder->open.slots[i].value);
	for (unsigned i = 0; i < recorder->held_count; i++)
		free(recorder->held[i].event);
	idmap_release(&recorder->open);
	join_free(recorder->join);
	book_free(recorder->book);
	findings_free(recorder->findings);
	units_free(recorder->units);
	blinds_free(recorder->blinds);
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
	       units_refused(recorder->units) + blinds_refused(recorder->blinds);
}

int64_t recorder_run(const struct recorder *recorder)
{
	return recorder->run;
}

bool recorder_is_over(const struct recorder *recorder)
{
	return recorder->over;
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
	if (r >= 0) { /* a successor begins behind what is committed */
		ring_release(recorder->options.facts);
		if (recorder->options.control)
			ring_release(recorder->options.control);
	}
	if (r >= 0 && again)
		r = flowdb_begin(db, err);
	recorder->begun = again && r >= 0;
	recorder->rows = 0;
	recorder->commit_us = recorder->now_us;
	recorder->wall_us = clock_us();
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
		.blind = view->facts->settled_by == SETTLED_LOST ||
		         blinds_meets(recorder->blinds, BLIND_NONE, unit->id,
		                      view->facts->first_us, view->facts->last_us),
	};
	int r;

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
	r = flowdb_flow_put(recorder->options.db, &row, &sheet->id, err);
	if (r >= 0 && !row.blind)
		blinds_row(recorder->blinds, sheet->id, unit->id, view->facts->first_us,
		           view->facts->last_us);
	return r;
}

/* The mirror shows one direction of what this unit says: so much is known of it, and for so long. */
static int note_one_sided(struct recorder *recorder, const struct unit *unit,
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
	return blinds_note(recorder->blinds, recorder->options.db, recorder->run, &row, err);
}

/* ---------------------------------------------------------------- judging */

static bool inspector_is_off(const struct recorder *recorder)
{
	return recorder->options.inspector_off && atomic_load(recorder->options.inspector_off);
}

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
		.inspector_off = opinion == APP_NONE &&
		                 (inspector_is_off(recorder) ||
		                  blinds_meets(recorder->blinds, BLIND_INSPECTOR_DOWN, unit->id,
		                               facts->first_us, facts->last_us)),
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
	if (ended) {
		r = note_one_sided(recorder, unit, facts, err);
		if (r < 0)
			return r;
	}
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

/*
 * Sets *ret_hold where an ended flow must wait; then `open` is as before. *ret_units: a unit takes
 * part in it.
 */
static int flow_handle(struct recorder *recorder, const struct event_flow *event,
                       enum app opinion, bool may_hold, struct open_flow *open, bool *ret_hold,
                       bool *ret_units, struct err *err)
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
	*ret_units = units[0] || units[1];
	if (!*ret_units)
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
		bool over = all || recorder->now_us > held->until_us, hold = false, units;

		if (r >= 0)
			r = flow_handle(recorder, held->event, held->opinion, !over,
			                &held->open, &hold, &units, err);
		if (hold && r >= 0)
			recorder->held[kept++] = *held;
		else
			free(held->event);
	}
	recorder->held_count = kept;
	return r;
}

/* What is known of an open flow, for its next event or its sensor's death. */
static void open_keep(struct recorder *recorder, const struct event_flow *event,
                      struct open_flow *open, const struct open_flow *fresh)
{
	struct event_flow *last = malloc(event->head.len);

	if (!open) {
		open = last ? malloc(sizeof(*open)) : NULL;
		if (!open || idmap_add(&recorder->open, event->facts.id, open) < 0) {
			free(open);
			free(last);
			recorder->sums.refused++;
			return;
		}
		*open = *fresh;
	}
	if (!last)
		return;
	memcpy(last, event, event->head.len);
	free(open->last);
	open->last = last;
}

static int handle_flow(struct recorder *recorder, const struct event_flow *event,
                       struct err *err)
{
	uint64_t id = event->facts.id;
	bool ended = event->head.type == EVENT_FLOW_END, hold = false, units = false;
	struct open_flow fresh = {0};
	struct open_flow *open = idmap_find(&recorder->open, id);
	enum app opinion = join_opinion(recorder->join, id, ended);
	int r = flow_handle(recorder, event, opinion,
	                    recorder->held_count < HELD_MAX &&
	                            event->facts.settled_by != SETTLED_LOST,
	                    open ? open : &fresh, &hold, &units, err);

	if (hold)
		flow_hold(recorder, event, opinion, open ? open : &fresh);
	if (ended)
		open_free(idmap_take(&recorder->open, id));
	else if (units)
		open_keep(recorder, event, open, &fresh);
	return r;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = (*(struct event_flow *const *)a)->facts.id,
		 y = (*(struct event_flow *const *)b)->facts.id;

	return x < y ? -1 : x > y;
}

/* Their sensor is gone: of every flow it had told of, the last facts are the last word. */
static int lose_flows(struct recorder *recorder, struct err *err)
{
	CLEANUP(freep) struct event_flow **lost = NULL;
	size_t count = 0;
	int r = 0;

	lost = calloc(recorder->open.count + 1, sizeof(struct event_flow *));
	if (!lost)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < recorder->open.size; i++) {
		struct open_flow *open = recorder->open.slots[i].value;

		if (open && open->last) {
			lost[count++] = open->last;
			open->last = NULL;
		}
	}
	qsort(lost, count, sizeof(struct event_flow *), by_number);
	for (size_t i = 0; i < count; i++) {
		struct event_flow *event = lost[i];

		event->head.type = EVENT_FLOW_END;
		event->facts.settled_by = SETTLED_LOST;
		/* Whether an answer came later nobody knows. */
		if (event->facts.outcome == OUTCOME_UNANSWERED)
			event->facts.outcome = OUTCOME_UNKNOWN;
		if (r >= 0)
			r = handle_flow(recorder, event, err);
		free(event);
	}
	return r;
}

static int handle_begin(struct recorder *recorder, const struct event_begin *event,
                        struct err *err)
{
	return event->again ? lose_flows(recorder, err) : 0;
}

static int handle_blind(struct recorder *recorder, const struct event_blind *event,
                        struct err *err)
{
	char detail[UINT8_MAX + 1];
	const struct blind_row row = {
		.since_us = event->since_us,
		.until_us = event->until_us,
		.count = event->count,
		.cause = event->cause,
		.detail = detail,
	};
	const struct restarts more = {
		.inspector = event->cause == BLIND_INSPECTOR_DOWN ? event->count : 0,
		.sensor = event->cause == BLIND_SENSOR_DOWN ? event->count : 0,
	};
	int r;

	memcpy(detail, event->detail, event->detail_len);
	detail[event->detail_len] = '\0';
	recorder->rows++;
	r = blinds_note(recorder->blinds, recorder->options.db, recorder->run, &row, err);
	if (r >= 0 && (more.inspector || more.sensor))
		r = flowdb_run_restarts(recorder->options.db, recorder->run, &more, err);
	return r;
}

static int handle_evidence(struct recorder *recorder, const struct event_evidence *event,
                           struct err *err)
{
	const struct evidence_row row = {
		.run = recorder->run,
		.time_us = event->time_us,
		.flow = event->flow,
		.cause = event->cause,
		.link = event->link,
		.wire_len = event->wire_len,
		.len = event->len,
		.bytes = event->bytes,
	};

	recorder->rows++;
	return flowdb_evidence_put(recorder->options.db, &row, err);
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
	if (recorder->options.input_over)
		recorder->options.input_over(recorder->options.context, event);
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
	r = losses_note(&recorder->losses, recorder->blinds, recorder->options.db,
	                recorder->run, recorder->options.live, event, err);
	if (recorder->held_count && r >= 0)
		r = held_release(recorder, event->final, err);
	if (r >= 0 && event->final)
		recorder->over = true;
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
	case EVENT_BEGIN:
		return handle_begin(recorder, (const struct event_begin *)event, err);
	case EVENT_BLIND:
		return handle_blind(recorder, (const struct event_blind *)event, err);
	default:
		recorder->sums.refused++;
		return 0;
	}
}

/* What the supervisor says: bytes of packets come from there alone. */
static int handle_control(struct recorder *recorder, struct err *err)
{
	struct ring *control = recorder->options.control;
	const struct event *event;
	int r = 0;

	while (control && r >= 0 && (event = ring_peek(control))) {
		if (event_check(event, event->len) < 0)
			recorder->sums.refused++;
		else if (event->type == EVENT_BLIND)
			r = handle_blind(recorder, (const struct event_blind *)event, err);
		else if (event->type == EVENT_EVIDENCE)
			r = handle_evidence(recorder, (const struct event_evidence *)event, err);
		ring_take(control);
	}
	return r;
}

/*
 * Whether the inspector has said what it will about the packets before this fact. Live nobody waits for it
 * longer than a second, nor while there is none; and if it has nothing left to read it cannot say more, whatever
 * a sensor that was taken over claims.
 */
static bool is_joined(struct recorder *recorder, const struct event *event, uint64_t done)
{
	const struct recorder_options *options = &recorder->options;
	bool waited;

	if (event->handed <= done || ring_written(options->packets) == done) {
		recorder->blocked_us = 0;
		return true;
	}
	if (inspector_is_off(recorder)) {
		recorder->sums.unjoined++;
		return true;
	}
	if (!options->live)
		return false;
	if (!recorder->blocked_us)
		recorder->blocked_us = clock_us();
	waited = clock_us() - recorder->blocked_us >= JOIN_US;
	recorder->sums.unjoined += waited;
	return waited;
}

int recorder_step(struct recorder *recorder, struct err *err)
{
	struct ring *facts = recorder->options.facts;
	/* Read first: what the inspector wrote before it released a packet is then sure to be there. */
	uint64_t done = ring_released(recorder->options.packets);
	const struct event *event;
	int count = 0, r;

	join_drain(recorder->join, recorder->options.opinions);
	r = handle_control(recorder, err);
	while (r >= 0 && !recorder->over && (event = ring_peek(facts)) &&
	       is_joined(recorder, event, done)) {
		r = handle(recorder, event, err);
		ring_take(facts);
		count++;
		if (r >= 0 && ring_unreleased(facts) > ring_size(facts) / 2)
			r = commit(recorder, true, err);
	}
	if (r >= 0 && recorder->over && recorder->begun)
		r = commit(recorder, false, err);
	return r < 0 ? r : count;
}

int recorder_idle(struct recorder *recorder, struct err *err)
{
	if (!recorder->options.live || clock_us() - recorder->wall_us < COMMIT_US ||
	    (!recorder->rows && !ring_unreleased(recorder->options.facts)))
		return 0;
	return commit(recorder, true, err);
}

int recorder_end(struct recorder *recorder, struct err *err)
{
	int r = lose_flows(recorder, err);

	if (r >= 0 && recorder->held_count)
		r = held_release(recorder, true, err);
	if (r >= 0)
		r = commit(recorder, false, err);
	recorder->over = true;
	return r;
}
