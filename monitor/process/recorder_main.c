/*
 * recorder_main.c - the recorder as a process: opens its database, begins the run (or goes on with
 * it in the place of one that died), handles what comes, and shows what it found.
 */
#include "monitor/process/storage.h"
#include "monitor/log.h"

#define WAIT_US 50000

struct work {
	struct crew *crew;
	struct recorder *recorder; /* NULL while it begins */
	struct storage storage;
};

static const struct captured_input *input_told(void *context, unsigned index)
{
	const struct work *work = context;

	return index < capture_input_count(work->crew->inputs)
	               ? capture_input(work->crew->inputs, index)
	               : NULL;
}

static int input_hash(void *context, unsigned index, struct err *err)
{
	const struct work *work = context;

	return capture_hash(work->crew->inputs, index, err);
}

/* Shown if there is room; the database has it in any case. */
static void show(struct crew *crew, const void *event, size_t len)
{
	void *room = ring_reserve(crew->found, len);

	if (!room)
		return;
	memcpy(room, event, len);
	((struct event *)room)->len = (uint32_t)(len + 7) & ~7u;
	ring_publish(crew->found);
	bell_ring(&crew->board->bell[PROCESS_SUPERVISOR]);
}

static void committed(void *context, const struct recorder_sums *sums)
{
	struct work *work = context;

	if (work->recorder)
		storage_works(&work->storage);
	if (work->storage.stands_in)
		return;
	work->crew->board->committed = *sums;
}

static void input_over(void *context, const struct event_input *input)
{
	const struct work *work = context;

	show(work->crew, input, input->head.len);
}

static void found(void *context, const struct finding *finding)
{
	const struct work *work = context;
	const char *unit = finding->unit->name, *reason = finding->row.reason;
	size_t unit_len = strlen(unit), text_len = unit_len + strlen(reason);
	union {
		struct event_found found;
		uint8_t room[EVENT_MAX];
	} event = {.found = {.head.type = EVENT_FOUND}};

	/* A predecessor may have come as far, and told of it. */
	if (!work->crew->options->capture.live ||
	    ring_position(work->crew->facts) < atomic_load(&work->crew->board->told))
		return;
	event.found.time_us = finding->row.first_us;
	event.found.id = finding->id;
	event.found.kind = finding->row.kind;
	event.found.severity = finding->row.severity;
	event.found.waived = *finding->row.waiver != '\0';
	event.found.unit_len = (uint8_t)unit_len;
	event.found.text_len = (uint16_t)text_len;
	memcpy(event.found.text, unit, unit_len);
	memcpy(event.found.text + unit_len, reason, text_len - unit_len);
	show(work->crew, &event, sizeof(event.found) + text_len);
}

/* How rows stand may wait, so the half of the ring is kept for what may not. */
static bool exercised(void *context, const char *unit, const struct exercised *exercised)
{
	const struct work *work = context;
	const struct ring *ring = work->crew->found;
	union {
		struct event_exercised exercised;
		uint8_t room[EVENT_MAX];
	} event = {.exercised = {.head.type = EVENT_EXERCISED, .exercised = *exercised}};
	size_t unit_len = strlen(unit);

	if (ring_written(ring) - ring_released(ring) > ring_size(ring) / 2)
		return false;
	event.exercised.unit_len = (uint8_t)unit_len;
	memcpy(event.exercised.unit, unit, unit_len);
	show(work->crew, &event, sizeof(event.exercised) + unit_len);
	return true;
}

static void blind(void *context, const char *unit, const struct blind_row *blind)
{
	const struct work *work = context;
	const char *detail = *unit ? unit : blind->detail;
	size_t detail_len = strlen(detail);
	union {
		struct event_blind blind;
		uint8_t room[EVENT_MAX];
	} event = {.blind = {.head.type = EVENT_BLIND,
	                     .since_us = blind->since_us,
	                     .until_us = blind->until_us,
	                     .count = blind->count,
	                     .cause = blind->cause}};

	if (detail_len > UINT8_MAX)
		return;
	event.blind.detail_len = (uint8_t)detail_len;
	memcpy(event.blind.detail, detail, detail_len);
	show(work->crew, &event, sizeof(event.blind) + detail_len);
}

static void publish(const struct work *work)
{
	struct board *board = work->crew->board;
	struct run_result *result = &board->result;

	if (ring_position(work->crew->facts) > atomic_load(&board->told))
		atomic_store(&board->told, ring_position(work->crew->facts));

	result->sums = *recorder_sums(work->recorder);
	result->refused = recorder_refused(work->recorder);
	/* A successor has not met them all again. */
	if (units_count(recorder_units(work->recorder)) > result->units)
		result->units = units_count(recorder_units(work->recorder));
}

static int work_on(struct work *work, struct err *err)
{
	struct crew *crew = work->crew;
	struct board *board = crew->board;
	struct bell *bell = &board->bell[PROCESS_RECORDER];
	uint64_t delay = 0;

	while (!recorder_is_over(work->recorder) && !storage_has_room(&work->storage)) {
		/* Asked before the rings are looked at: nothing comes after that. */
		bool alone = atomic_load(&board->stop) >= BOARD_NO_SENSOR;
		uint32_t ticket = bell_listen(bell);
		int r = recorder_step(work->recorder, err);

		atomic_fetch_add(&board->role[PROCESS_RECORDER].turns, 1);
		if (r > 0) {
			atomic_fetch_add(&board->role[PROCESS_RECORDER].finished, (unsigned)r);
			bell_ring(&board->bell[PROCESS_SENSOR]);
			bell_ring(&board->bell[PROCESS_INSPECTOR]);
		} else if (!r && alone && !ring_peek(crew->facts)) { /* none waits for the inspector */
			r = recorder_end(work->recorder, err);
		} else if (!r) {
			bell_wait(bell, ticket, WAIT_US);
			r = recorder_idle(work->recorder, err);
		}
		publish(work);
		storage_look(&work->storage);
		if (r < 0)
			return r;
		if (work->storage.stands_in && atomic_load(&board->stop) >= BOARD_STOP)
			return 0;
		crew_delay(crew, &delay);
	}
	return 0;
}

/* Judges and tells, and leaves all on the rings for the one that can write it. */
static int stand_in(struct work *work)
{
	struct err err = work->crew->board->role[PROCESS_RECORDER].err;

	if (crew_enter(work->crew, PROCESS_RECORDER, work->crew->options->dir, 0) < 0)
		return CREW_FAILED;
	if (work_on(work, &err) >= 0)
		err = work->crew->board->role[PROCESS_RECORDER].err;
	crew_fail(work->crew, &err);
	return CREW_FULL;
}

int recorder_main(struct crew *crew)
{
	const struct run_options *options = crew->options;
	struct board *board = crew->board;
	struct work work = {.crew = crew};
	char how[RUN_HOW];
	struct recorder_options recorder = {
		.policy = options->policy,
		.facts = crew->facts,
		.packets = crew->packets,
		.opinions = crew->opinions,
		.control = crew->control,
		.session = crew->session,
		.how = run_how(options, how),
		.sums = atomic_load(&board->run) ? &board->committed : NULL,
		.version = TLMON_VERSION,
		.source = options->capture.live ? "live" : "file",
		.inputs = crew->input_names,
		.filter = options->capture.filter ? options->capture.filter : "",
		.live = options->capture.live,
		.commit_us = options->test.commit_us,
		.plain = options->test.plain,
		.memory = &options->memory,
		.rests = options->capture.live,
		.begun_us = options->capture.live ? crew_now_us() : 0,
		.keep = options->keep,
		.again = options->again,
		.inspector_off = &board->inspector_off,
		.input = options->capture.live ? NULL : input_told,
		.hash = input_hash,
		.committed = committed,
		.input_over = input_over,
		.found = found,
		.exercised = options->exercised ? exercised : NULL,
		.teller = crew_now_us(),
		.blind = options->blind ? blind : NULL,
		.context = &work,
	};
	struct storage *storage = &work.storage;
	struct err err = {0};
	int r;

	ring_attach_reader(crew->facts);
	ring_attach_reader(crew->opinions);
	ring_attach_reader(crew->control);
	ring_attach_writer(crew->found);
	r = storage_open(storage, crew, &err);
	if (r >= 0) {
		recorder.db = storage->db;
		recorder.stands_in = storage->stands_in;
		recorder.waited = board->full;
		recorder.note = storage->has_note ? &storage->note : NULL;
		r = recorder_new(&recorder, &work.recorder, &err);
	}
	capture_detach(crew->capture);
	if (r >= 0 && storage->stands_in)
		return stand_in(&work);
	if (r >= 0) {
		atomic_store(&board->run, recorder_run(work.recorder));
		if (!crew->again && recorder_goes_on(work.recorder))
			log_note("a run that died had read a part of this: it is gone on with behind what "
			         "it had written");
		storage_look(storage);
		if (crew_enter(crew, PROCESS_RECORDER, options->dir, 0) < 0)
			return CREW_FAILED;
		crew_ready(crew, PROCESS_RECORDER);
		r = work_on(&work, &err);
	}
	if (r >= 0 && crew->image >= 0)
		r = flowdb_save(storage->db, crew->image, &err);
	if (r < 0) {
		crew_fail(crew, &err);
		return storage_failed(storage, r) ? CREW_FULL : CREW_FAILED;
	}
	board->result.strangers = *recorder_strangers(work.recorder);
	recorder_free(work.recorder);
	storage_release(storage);
	return CREW_DONE;
}
