/*
 * recorder.c - see recorder.h. Flows go to the desk (record/desk.h) once the inspector has said what it
 * will, names and leases to record/learn.h; counters and what the supervisor tells are handled here. Invariants:
 *  (1) It never waits for the ring of opinions, and drains it before it looks at facts: no wait can
 *      form a circle.
 *  (2) A commit covers whole events, and says up to which one: a successor begins behind it.
 */
#include "monitor/recorder.h"
#include "monitor/capture/capture.h"
#include "monitor/record/handover.h"
#include "monitor/record/learn.h"

#include <stdatomic.h>
#include <time.h>

#define OPINIONS_MAX (1 << 18)
#define COMMIT_US SECOND_US
#define COMMIT_WALL_US 800000 /* whatever the packets' clock says; asked once in LOOK facts */
#define LOOK 16
#define REST_US 120000 /* live, behind a commit: other writers of the database have their turn */
#define COMMIT_ROWS 10000
#define JOIN_US SECOND_US
#define SECOND_US INT64_C(1000000)

struct recorder {
	struct recorder_options options;
	struct join *join;
	struct book *book;
	struct units *units;
	struct findings *findings;
	struct blinds *blinds;
	struct evidence_store *evidence;
	struct standings *standings; /* NULL: nobody asks */
	struct desk desk;
	struct losses losses;
	struct retention retention;
	struct handover handover;
	enum handover_kind goes_on;
	int64_t now_us, commit_us;
	uint64_t rows; /* written beside the desk's, since the last commit */
	bool begun;     /* a transaction is open */
	bool over;
	bool due; /* the clock of the packets asks for a commit */
	int64_t blocked_us; /* live: since when the oldest fact waits for the inspector; monotonic */
	int64_t wall_us;    /* of the last commit, or the beginning of a transaction behind it; monotonic */
	struct recorder_sums sums, committed;
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

static void blind_told(void *context, const struct blind_row *blind)
{
	const struct recorder *recorder = context;
	const struct unit *unit =
		blind->unit ? units_of_id(recorder->units, blind->unit) : NULL;

	recorder->options.blind(recorder->options.context, unit ? unit->name : "", blind);
}

static void rows_gone(void *context, int64_t finding, uint64_t rows)
{
	struct recorder *recorder = context;

	findings_rows_gone(recorder->findings, finding, rows);
}

static int packets_gone(void *context, int64_t finding, struct err *err)
{
	struct recorder *recorder = context;

	return findings_packets_gone(recorder->findings, recorder->options.db, finding, err);
}

static bool is_known(void *context, int64_t finding)
{
	struct recorder *recorder = context;

	return findings_have(recorder->findings, finding);
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
	bool ended = true;
	int r = flowdb_live_last(recorder->options.db, &row.since_us, &ended, err);

	if (r <= 0 || row.since_us >= row.until_us)
		return r < 0 ? r : 0;
	if (!ended)
		row.detail = "it died: flows that were open then may have no row";
	return blinds_note(recorder->blinds, recorder->options.db, 0, &row, err);
}

/* In a database that was begun anew while we looked: from where the one before ends. */
static int64_t begun_us(const struct recorder *recorder)
{
	const struct recorder_options *options = &recorder->options;

	return options->live && recorder->sums.last_us && recorder->sums.last_us < options->begun_us
	               ? recorder->sums.last_us
	               : options->begun_us;
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
		.begun_us = begun_us(recorder),
		.keep = options->policy->keep,
	};
	int r = inputs_are_new(recorder, err);

	policy_roles_unknown(options->policy, roles_unknown, sizeof(roles_unknown));
	if (r >= 0)
		r = flowdb_blind_end(options->db, 0, err);
	if (r >= 0 && options->live)
		r = note_absence(recorder, err);
	if (r >= 0)
		r = flowdb_run_begin(options->db, &run, &recorder->desk.run, err);
	if (r >= 0)
		r = units_list(recorder->units, options->db, err);
	return r;
}

/* In the place of a dead one: what it had noted of blindness, leases, names and losses. */
static int run_resume(struct recorder *recorder, struct err *err)
{
	struct flowdb *db = recorder->options.db;
	int64_t run = recorder->desk.run;
	int r = blinds_load(recorder->blinds, db, run, err);

	recorder->committed = recorder->sums;
	recorder->desk.resumed_flow = recorder->sums.latest_flow;
	recorder->desk.resumed_parted = recorder->sums.parted_flow;

	losses_resume(&recorder->losses, &recorder->sums.counters, recorder->sums.last_us,
	              blinds_meets(recorder->blinds, BLIND_MIRROR_SILENT, 0, INT64_MAX, INT64_MAX));
	if (r >= 0 && recorder->goes_on == HANDOVER_WITHIN && !recorder->options.waited)
		r = flowdb_run_restarts(db, run, &(struct restarts){.recorder = 1}, err);
	if (r >= 0)
		r = learn_again(&recorder->desk, err);
	return r < 0 ? r : desk_read_held(&recorder->desk, err);
}

static int run_begin(struct recorder *recorder, struct err *err)
{
	const struct recorder_options *options = &recorder->options;
	const struct policy *policy = options->policy;
	int r = flowdb_begin(options->db, err);

	if (r < 0)
		return r;
	recorder->begun = true;
	/* A database that was removed under its writer knows of none: a run begins there anew. */
	r = handover_take(&recorder->handover, options, &recorder->desk.run, &recorder->sums, err);
	if (r >= 0) {
		recorder->goes_on = (enum handover_kind)r;
		r = r != HANDOVER_NONE ? run_resume(recorder, err) : run_new(recorder, err);
	}
	if (r >= 0)
		r = flowdb_policy_put(options->db, policy->hash, policy->envelope->text,
		                      policy->site_text, &recorder->desk.policy_id, err);
	if (r >= 0 && recorder->goes_on == HANDOVER_NONE)
		r = flowdb_policy_use(options->db,
		                      &(struct policy_use_row){.policy = recorder->desk.policy_id,
		                                               .from_us = options->live ? options->begun_us : 0,
		                                               .run = recorder->desk.run},
		                      err);
	if (r >= 0 && options->note)
		r = blinds_note(recorder->blinds, options->db, recorder->desk.run, options->note,
		                err);
	/* It is on record at once that we look, and a successor finds its run. */
	if (r >= 0)
		r = commit(recorder, true, err);
	return r;
}

/* What is shown while the run goes on. */
static int shows_new(struct recorder *recorder)
{
	const struct recorder_options *options = &recorder->options;
	const struct standings_options standings = {
		.coverage = &recorder->desk.coverage,
		.teller = options->teller,
		.tell = options->exercised,
		.context = options->context,
	};

	blinds_tell(recorder->blinds, options->blind ? blind_told : NULL, recorder);
	if (!options->exercised)
		return 0;
	recorder->standings = recorder->desk.standings = standings_new(&standings);
	return recorder->standings ? 0 : -ENOMEM;
}

int recorder_new(const struct recorder_options *options, struct recorder **ret, struct err *err)
{
	struct recorder *recorder = calloc(1, sizeof(*recorder));
	int r;

	if (!recorder)
		return err_set(err, -ENOMEM, "out of memory");
	recorder->options = *options;
	if (!options->commit_us)
		recorder->options.commit_us = COMMIT_WALL_US;
	if (options->sums)
		recorder->sums = recorder->committed = *options->sums;
	recorder->join = join_new(OPINIONS_MAX);
	recorder->book = book_new();
	recorder->units = units_new(options->policy);
	recorder->findings = findings_new(options->policy, found, recorder);
	recorder->blinds = blinds_new();
	recorder->evidence =
		evidence_new(options->db, options->policy->keep, &EVIDENCE_DEFAULTS);
	recorder->desk = (struct desk){
		.policy = options->policy,
		.db = options->db,
		.join = recorder->join,
		.book = recorder->book,
		.units = recorder->units,
		.findings = recorder->findings,
		.blinds = recorder->blinds,
		.evidence = recorder->evidence,
		.inspector_off = options->inspector_off,
		.sums = &recorder->sums,
	};
	if (!recorder->join || !recorder->book || !recorder->units || !recorder->findings ||
	    !recorder->blinds || !recorder->evidence || desk_init(&recorder->desk) < 0 ||
	    shows_new(recorder) < 0) {
		recorder_free(recorder);
		return err_set(err, -ENOMEM, "out of memory");
	}
	recorder->retention = (struct retention){
		.limits = options->keep,
		.gone = rows_gone,
		.emptied = packets_gone,
		.knows = is_known,
		.context = recorder,
	};
	r = handover_init(&recorder->handover, options, err);
	if (r >= 0)
		r = run_begin(recorder, err);
	recorder->retention.spared_run = options->live ? 0 : recorder->desk.run;
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
	standings_free(recorder->standings);
	desk_release(&recorder->desk);
	join_free(recorder->join);
	book_free(recorder->book);
	findings_free(recorder->findings);
	units_free(recorder->units);
	blinds_free(recorder->blinds);
	evidence_free(recorder->evidence);
	handover_release(&recorder->handover);
	free(recorder);
}

const struct recorder_sums *recorder_sums(const struct recorder *recorder)
{
	return &recorder->sums;
}

const struct recorder_sums *recorder_committed(const struct recorder *recorder)
{
	return &recorder->committed;
}

uint64_t recorder_refused(const struct recorder *recorder)
{
	return recorder->sums.refused + recorder->desk.strangers.refused +
	       join_refused(recorder->join) + book_refused(recorder->book) +
	       units_refused(recorder->units) + blinds_refused(recorder->blinds) +
	       (recorder->standings ? standings_refused(recorder->standings) : 0);
}

int64_t recorder_run(const struct recorder *recorder)
{
	return recorder->desk.run;
}

bool recorder_goes_on(const struct recorder *recorder)
{
	return recorder->goes_on == HANDOVER_FILES;
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
	return &recorder->desk.strangers;
}

/* ---------------------------------------------------------------- writing */

/* Since the last commit. */
static uint64_t rows(const struct recorder *recorder)
{
	return recorder->rows + recorder->desk.rows;
}

/* A successor begins behind what is committed. */
static void release(struct recorder *recorder, uint64_t opinions)
{
	const struct recorder_options *options = &recorder->options;

	if (opinions == ring_position(options->opinions))
		ring_release(options->opinions);
	ring_release(options->facts);
	if (options->control)
		ring_release(options->control);
}

/* Between two transactions: what is older than it is to be. Not while events wait, nor before files are read. */
static int retain(struct recorder *recorder, bool again, struct err *err)
{
	const struct ring *facts = recorder->options.facts;
	struct retention *retention = &recorder->retention;
	struct flowdb *db = recorder->options.db;

	if (!recorder->options.live)
		return again ? 0 : retention_finish(retention, db, recorder->sums.last_us, err);
	if (ring_written(facts) - ring_released(facts) > ring_size(facts) / 4)
		return 0;
	return retention_step(retention, db, recorder->sums.last_us, rows(recorder), err);
}

static int commit(struct recorder *recorder, bool again, struct err *err)
{
	struct flowdb *db = recorder->options.db;
	struct recorder_sums *sums = &recorder->sums;
	uint64_t opinions = join_settled(recorder->join, recorder->options.opinions);
	int r = recorder->options.live ? flowdb_in_place(db, err) : 0;

	if (join_parted(recorder->join) > sums->parted_flow)
		sums->parted_flow = join_parted(recorder->join);
	if (r >= 0)
		r = units_flush(recorder->units, db, err);
	if (r >= 0)
		r = findings_flush(recorder->findings, db, err);
	if (r >= 0)
		r = evidence_flush(recorder->evidence, recorder->desk.run, err);
	if (r >= 0)
		r = flowdb_run_update(db, recorder->desk.run, sums->first_us, sums->last_us, !again,
		                      &sums->counters, err);
	if (r >= 0 && again)
		r = desk_write_held(&recorder->desk, err);
	if (r >= 0)
		r = handover_write(&recorder->handover, &recorder->options, recorder->desk.run, opinions,
		                   !again, sums, err);
	if (r >= 0)
		r = flowdb_commit(db, err);
	if (r >= 0) {
		recorder->committed = *sums;
		if (recorder->options.committed)
			recorder->options.committed(recorder->options.context, sums);
		if (!recorder->options.stands_in)
			release(recorder, opinions);
	}
	recorder->begun = r < 0;
	if (r >= 0 && !recorder->options.stands_in)
		r = retain(recorder, again, err);
	recorder->rows = recorder->desk.rows = 0;
	recorder->commit_us = recorder->now_us;
	recorder->wall_us = clock_us();
	recorder->due = false;
	return r < 0 ? r : 0;
}

/* The inspector never waits for a fact: opinions that wait for theirs are given back by the half ring. */
static bool is_crowded(const struct recorder *recorder)
{
	const struct ring *opinions = recorder->options.opinions;

	return !recorder->options.stands_in &&
	       ring_unreleased(opinions) > ring_size(opinions) / 2;
}

/*
 * A transaction is begun with the first that is to be written in it. Live the lock is left to others for a moment before;
 * while a ring is half full nobody waits. 1: it is begun; 0: not yet.
 */
static int begin(struct recorder *recorder, struct err *err)
{
	const struct recorder_options *options = &recorder->options;
	int r;

	if (recorder->begun)
		return 1;
	if (!ring_peek(options->facts) && (!options->control || !ring_peek(options->control)) &&
	    !is_crowded(recorder))
		return 0;
	if (options->rests && clock_us() - recorder->wall_us < REST_US &&
	    ring_written(options->facts) - ring_released(options->facts) <
	            ring_size(options->facts) / 2)
		return 0;
	r = flowdb_begin(options->db, err);
	if (r < 0)
		return r;
	recorder->begun = true;
	recorder->wall_us = clock_us();
	/* Between two transactions a person may have closed or reopened findings. */
	r = flowdb_others_wrote(options->db, err);
	if (r > 0)
		r = findings_refresh(recorder->findings, options->db, err);
	return r < 0 ? r : 1;
}

static int handle_begin(struct recorder *recorder, const struct event_begin *event,
                        struct err *err)
{
	losses_gap(&recorder->losses, event->time_us);
	if (event->again)
		recorder->sums.handled = -1;
	return event->again ? desk_lose(&recorder->desk, err) : 0;
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
	r = blinds_note(recorder->blinds, recorder->options.db, recorder->desk.run, &row, err);
	if (r >= 0 && (more.inspector || more.sensor))
		r = flowdb_run_restarts(recorder->options.db, recorder->desk.run, &more, err);
	return r;
}

static int handle_evidence(struct recorder *recorder, const struct event_evidence *event,
                           struct err *err)
{
	const struct evidence_row row = {
		.run = recorder->desk.run,
		.time_us = event->time_us,
		.flow = event->flow,
		.cause = event->cause,
		.link = event->link,
		.wire_len = event->wire_len,
		.len = event->len,
		.bytes = event->bytes,
	};

	/* Where the payload begins of a packet that somebody died of nobody looks. */
	if (recorder->options.policy->keep != KEEP_FULL)
		return 0;
	recorder->rows++;
	return flowdb_evidence_put(recorder->options.db, &row, err);
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
	return flowdb_input_put(recorder->options.db, recorder->desk.run, &row, err);
}

static int handle_health(struct recorder *recorder, const struct event_health *event,
                         struct err *err)
{
	int r = 0;

	if (event->time_us < recorder->now_us)
		recorder->commit_us = event->time_us; /* another file, of an earlier time */
	recorder->now_us = recorder->desk.now_us = event->time_us;
	recorder->sums.counters = event->counters;
	if (event->time_us) {
		if (!recorder->sums.first_us || event->time_us < recorder->sums.first_us)
			recorder->sums.first_us = event->time_us;
		if (event->time_us > recorder->sums.last_us)
			recorder->sums.last_us = event->time_us;
	}
	if (recorder->standings)
		standings_flush(recorder->standings);
	r = losses_note(&recorder->losses, recorder->blinds, recorder->options.db,
	                recorder->desk.run, recorder->options.live, event, err);
	if (r >= 0)
		r = desk_release_held(&recorder->desk, event->final, err);
	if (r >= 0 && event->final)
		recorder->over = true;
	else if (recorder->now_us - recorder->commit_us >= COMMIT_US &&
	         (rows(recorder) >= COMMIT_ROWS || recorder->options.live))
		recorder->due = true;
	return r;
}

static int handle_fact(struct recorder *recorder, const struct event *event, struct err *err)
{
	switch (event->type) {
	case EVENT_FLOW_SETTLED:
	case EVENT_FLOW_UPDATE:
	case EVENT_FLOW_END:
		return desk_flow(&recorder->desk, (const struct event_flow *)event, err);
	case EVENT_SAMPLE:
		return desk_sample(&recorder->desk, (const struct event_sample *)event, err);
	case EVENT_NAME:
		return learn_name(&recorder->desk, (const struct event_name *)event, err);
	case EVENT_LEASE:
		return learn_lease(&recorder->desk, (const struct event_lease *)event, err);
	case EVENT_NEIGHBOUR:
		return learn_neighbour(&recorder->desk, (const struct event_neighbour *)event, err);
	case EVENT_HEALTH:
		return handle_health(recorder, (const struct event_health *)event, err);
	case EVENT_INPUT:
		return handle_input(recorder, (const struct event_input *)event, err);
	case EVENT_BEGIN:
		return handle_begin(recorder, (const struct event_begin *)event, err);
	case EVENT_BLIND: /* of all causes a sensor knows these alone */
		if (((const struct event_blind *)event)->cause == BLIND_CLOCK_STEP ||
		    ((const struct event_blind *)event)->cause == BLIND_MIRROR_SILENT)
			return handle_blind(recorder, (const struct event_blind *)event, err);
		break;
	default:
		break;
	}
	recorder->sums.refused++;
	return 0;
}

/* It is in the database already: only what others are told of it remains. */
static int leave_out(struct recorder *recorder, const struct event *event)
{
	recorder->handover.skip--;
	if (event_check(event, event->len) < 0)
		return 0;
	if (event->type == EVENT_FLOW_END)
		join_opinion(recorder->join, ((const struct event_flow *)event)->facts.id, true);
	desk_leave_out(&recorder->desk, event);
	if (event->type == EVENT_INPUT && recorder->options.input_over)
		recorder->options.input_over(recorder->options.context,
		                             (const struct event_input *)event);
	return 0;
}

static int handle(struct recorder *recorder, const struct event *event, struct err *err)
{
	int r;

	if (recorder->handover.skip)
		return leave_out(recorder, event);
	if (recorder->sums.handled >= 0)
		recorder->sums.handled++;
	if (event_check(event, event->len) < 0) {
		recorder->sums.refused++;
		return 0;
	}
	r = handle_fact(recorder, event, err);
	if (r >= 0)
		r = learn_routers(&recorder->desk, err);
	return r < 0 ? r : findings_settle(recorder->findings, recorder->options.db, err);
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
		else
			recorder->sums.refused++;
		ring_take(control);
	}
	return r;
}

static bool inspector_is_off(const struct recorder *recorder)
{
	return recorder->options.inspector_off && atomic_load(recorder->options.inspector_off);
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

static bool is_due(const struct recorder *recorder, int count)
{
	return recorder->due ||
	       (!recorder->options.stands_in &&
	        ring_unreleased(recorder->options.facts) > ring_size(recorder->options.facts) / 2) ||
	       (count % LOOK == 0 && clock_us() - recorder->wall_us >= recorder->options.commit_us);
}

int recorder_step(struct recorder *recorder, struct err *err)
{
	struct ring *facts = recorder->options.facts;
	/* Read first: what the inspector wrote before it released a packet is then sure to be there. */
	uint64_t done = ring_released(recorder->options.packets);
	const struct event *event;
	int count = 0, r;

	join_drain(recorder->join, recorder->options.opinions);
	r = begin(recorder, err);
	if (r <= 0)
		return r;
	r = handle_control(recorder, err);
	while (r >= 0 && !recorder->over && recorder->begun && (event = ring_peek(facts)) &&
	       is_joined(recorder, event, done)) {
		r = handle(recorder, event, err);
		ring_take(facts);
		count++;
		if (r >= 0 && !recorder->over && is_due(recorder, count))
			r = commit(recorder, true, err);
	}
	if (r >= 0 && recorder->begun && !recorder->over && is_crowded(recorder))
		r = commit(recorder, true, err);
	if (r >= 0 && recorder->over && recorder->begun)
		r = commit(recorder, false, err);
	return r < 0 ? r : count;
}

int recorder_idle(struct recorder *recorder, struct err *err)
{
	if (!recorder->begun || clock_us() - recorder->wall_us < recorder->options.commit_us ||
	    (!rows(recorder) && !ring_unreleased(recorder->options.facts)))
		return 0;
	return commit(recorder, true, err);
}

int recorder_end(struct recorder *recorder, struct err *err)
{
	int r = recorder->begun ? 0 : flowdb_begin(recorder->options.db, err);

	recorder->begun |= r >= 0;
	if (r >= 0)
		r = desk_lose(&recorder->desk, err);
	if (r >= 0)
		r = desk_release_held(&recorder->desk, true, err);
	if (r >= 0)
		r = commit(recorder, false, err);
	recorder->over = true;
	return r;
}
