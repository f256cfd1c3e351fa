/*
 * recorder.c - see recorder.h: what may be handled now, once the inspector has said what it will, and when that
 * is committed. Invariants:
 *  (1) It never waits for the ring of opinions, and drains it before it looks at facts: no wait can
 *      form a circle.
 *  (2) A commit covers whole events, and says up to which one: a successor begins behind it.
 */
#include "monitor/recorder_parts.h"

#include <stdatomic.h>
#include <time.h>

#define COMMIT_WALL_US 800000 /* whatever the packets' clock says; asked once in LOOK facts */
#define LOOK 16
#define REST_US 120000 /* live, behind a commit: other writers of the database have their turn */
#define JOIN_US SECOND_US

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
	const struct memory memory = options->memory ? *options->memory : memory_default();
	const struct evidence_limits evidence = {(size_t)memory.most[MEMORY_EVIDENCE] << 10,
	                                         EVIDENCE_DEFAULTS.day};
	int r;

	if (!recorder)
		return err_set(err, -ENOMEM, "out of memory");
	recorder->options = *options;
	if (!options->commit_us)
		recorder->options.commit_us = COMMIT_WALL_US;
	if (options->sums)
		recorder->sums = recorder->committed = *options->sums;
	recorder->join = join_new(memory.most[MEMORY_OPINIONS]);
	recorder->book = book_new(memory.most[MEMORY_BOUND]);
	recorder->units = units_new(options->policy, memory.most[MEMORY_UNITS]);
	recorder->findings = findings_new(options->policy, found, recorder);
	if (recorder->findings && options->plain)
		findings_plain(recorder->findings);
	recorder->blinds = blinds_new();
	recorder->evidence =
		evidence_new(options->db, options->policy->keep, &evidence);
	recorder->desk = (struct desk){
		.policy = options->policy,
		.plain = options->plain,
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
	r = flowdb_cache(options->db, memory.most[MEMORY_CACHE], err);
	if (r >= 0)
		r = handover_init(&recorder->handover, options, err);
	if (r >= 0)
		r = recorder_run_begin(recorder, err);
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

uint64_t recorder_rows(const struct recorder *recorder)
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
	return retention_step(retention, db, recorder->sums.last_us, recorder_rows(recorder), err);
}

int recorder_commit(struct recorder *recorder, bool again, struct err *err)
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

/* What is handled and not committed fills most of the ring; live half of it, for there the sensor cannot wait. */
static bool is_full(const struct recorder *recorder)
{
	const struct ring *facts = recorder->options.facts;
	size_t size = ring_size(facts);

	return !recorder->options.stands_in &&
	       ring_unreleased(facts) > (recorder->options.live ? size / 2 : size / 8 * 7);
}

static bool is_due(const struct recorder *recorder, int count)
{
	return recorder->due || is_full(recorder) ||
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
	r = recorder_handle_control(recorder, err);
	while (r >= 0 && !recorder->over && recorder->begun && (event = ring_peek(facts)) &&
	       is_joined(recorder, event, done)) {
		r = recorder_handle(recorder, event, err);
		ring_take(facts);
		count++;
		if (r >= 0 && !recorder->over && is_due(recorder, count))
			r = recorder_commit(recorder, true, err);
	}
	if (r >= 0 && recorder->begun && !recorder->over && is_crowded(recorder))
		r = recorder_commit(recorder, true, err);
	if (r >= 0 && recorder->over && recorder->begun)
		r = recorder_commit(recorder, false, err);
	return r < 0 ? r : count;
}

int recorder_idle(struct recorder *recorder, struct err *err)
{
	if (!recorder->begun || clock_us() - recorder->wall_us < recorder->options.commit_us ||
	    (!recorder_rows(recorder) && !ring_unreleased(recorder->options.facts)))
		return 0;
	return recorder_commit(recorder, true, err);
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
		r = recorder_commit(recorder, false, err);
	recorder->over = true;
	return r;
}
