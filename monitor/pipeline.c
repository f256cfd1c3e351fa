/*
 * pipeline.c - see pipeline.h. Whoever finds its ring full lets the others work (pump()), so that
 * no wait can form a circle. The order in which the roles take turns does not change the result:
 * the recorder handles a fact only when the inspector has seen all that was handed before it.
 */
#include "monitor/pipeline.h"
#include "monitor/inspector.h"
#include "monitor/intake.h"
#include "monitor/older.h"
#include "monitor/process/keeper.h"
#include "monitor/process/status.h"
#include "monitor/scoping.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#define RING_OPINIONS (1u << 20)
#define PROGRESS_US 100000

struct pipeline {
	const struct run_options *options;
	struct capture *capture;
	struct flowdb *db;
	struct ring *facts, *packets, *opinions;
	struct counters counters;
	struct keeper keeper; /* of the scope alone: nobody here would count what stays in the kernel */
	struct sensor *sensor;
	struct inspector *inspector;
	struct recorder *recorder;
	char inputs[1024];
	struct err err; /* the recorder's first failure, from inside pump() */
	int failed;
	int64_t begun_us, progress_us; /* monotonic */
	int64_t finish_us; /* ... since when the end is due, of itself; 0: it is not, */
	int64_t finish_now_us; /* and the run's clock then */
};

static volatile sig_atomic_t signals_seen, status_asked;
/* What ends a run with everything written: also the terminal that was closed over it. */
static const int ENDING[] = {SIGINT, SIGTERM, SIGHUP};

static void on_signal(int number)
{
	if (signals_seen++)
		_exit(128 + number); /* a second one means it */
}

static void on_status(int number)
{
	status_asked = 1;
}

static int64_t clock_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Inspector and recorder do what they can; all there is if they must: a commit ends a step of the recorder. */
static bool pump(void *context, bool must)
{
	struct pipeline *pipeline = context;
	int r;

	do {
		struct err err;

		inspector_step(pipeline->inspector, UINT32_MAX);
		r = recorder_step(pipeline->recorder, &err);
		if (r < 0 && !pipeline->failed) {
			pipeline->failed = r;
			pipeline->err = err;
		}
	} while (ring_peek(pipeline->packets) || (must && r > 0));
	return true;
}

static const struct captured_input *input_told(void *context, unsigned index)
{
	const struct pipeline *pipeline = context;

	return index < capture_input_count(pipeline->capture)
	               ? capture_input(pipeline->capture, index)
	               : NULL;
}

static int input_hash(void *context, unsigned index, struct err *err)
{
	const struct pipeline *pipeline = context;

	return capture_hash(pipeline->capture, index, err);
}

static void found(void *context, const struct finding *finding)
{
	const struct pipeline *pipeline = context;
	const struct run_found found = {
		.time_us = finding->row.first_us,
		.id = finding->id,
		.kind = finding->row.kind,
		.severity = finding->row.severity,
		.waived = *finding->row.waiver,
		.unit = finding->unit->name,
		.reason = finding->row.reason,
	};

	if (pipeline->options->found && pipeline->options->capture.live)
		pipeline->options->found(pipeline->options->context, &found);
}

static bool exercised(void *context, const char *unit, const struct exercised *exercised)
{
	const struct pipeline *pipeline = context;

	pipeline->options->exercised(pipeline->options->context, unit, exercised);
	return true;
}

static void blind(void *context, const char *unit, const struct blind_row *blind)
{
	const struct pipeline *pipeline = context;

	if (pipeline->options->blind && pipeline->options->capture.live)
		pipeline->options->blind(pipeline->options->context,
		                         &(struct run_blind){blind->since_us, blind->until_us,
		                                             blind->count, blind->cause,
		                                             *unit ? unit : blind->detail});
}

static void state_fill(const struct pipeline *pipeline, struct run_state *state)
{
	const struct recorder_sums *sums = recorder_sums(pipeline->recorder);
	bool live = pipeline->options->capture.live;

	*state = (struct run_state){
		.now_us = sensor_now(pipeline->sensor),
		.permille = live ? -1 : capture_progress(pipeline->capture),
		.live = live,
		.seen = pipeline->counters.seen,
		.dropped = pipeline->counters.kernel_dropped,
		.flows = sums->flows,
		.findings = sums->findings,
		.units = units_count(recorder_units(pipeline->recorder)),
	};
}

static void progress(struct pipeline *pipeline, bool now)
{
	const struct run_options *options = pipeline->options;
	int64_t us = clock_us(CLOCK_MONOTONIC);
	struct run_state state;

	state_fill(pipeline, &state);
	if (status_asked)
		status_line(stderr, &state);
	status_asked = 0;
	if (!options->progress || (!now && us - pipeline->progress_us < PROGRESS_US))
		return;
	pipeline->progress_us = us;
	options->progress(options->context, &state);
}

/* It ends by itself: as the supervisor does it. */
static bool is_over(struct pipeline *pipeline)
{
	const struct run_options *options = pipeline->options;
	int64_t now_us = clock_us(CLOCK_MONOTONIC);

	if (!pipeline->finish_us) {
		if (!(options->for_us && now_us - pipeline->begun_us >= options->for_us) &&
		    !(options->capture.live && options->enough &&
		      options->enough(options->context)))
			return false;
		pipeline->finish_us = now_us;
		pipeline->finish_now_us = sensor_now(pipeline->sensor);
	}
	return !options->exercised || now_us - pipeline->finish_us >= RUN_PATIENCE_US ||
	       !sensor_waits(pipeline->sensor, pipeline->finish_now_us);
}

static enum turn turn(void *context, bool idle)
{
	struct pipeline *pipeline = context;
	struct err err;
	int r;

	pump(pipeline, false);
	if (idle) {
		r = recorder_idle(pipeline->recorder, &err);
		if (r < 0 && !pipeline->failed) {
			pipeline->failed = r;
			pipeline->err = err;
		}
	}
	progress(pipeline, false);
	return signals_seen || pipeline->failed || is_over(pipeline) ? TURN_STOP : TURN_ON;
}

static int roles_new(struct pipeline *pipeline, struct err *err)
{
	const struct run_options *options = pipeline->options;
	bool live = options->capture.live;
	char how[RUN_HOW];
	struct recorder_options recorder = {
		.policy = options->policy,
		.db = pipeline->db,
		.facts = pipeline->facts,
		.packets = pipeline->packets,
		.opinions = pipeline->opinions,
		.session = run_session(),
		.how = run_how(options, how),
		.version = TLMON_VERSION,
		.source = live ? "live" : "file",
		.inputs = pipeline->inputs,
		.filter = options->capture.filter ? options->capture.filter : "",
		.live = live,
		.begun_us = live ? clock_us(CLOCK_REALTIME) : 0,
		.keep = options->keep,
		.again = options->again,
		.commit_us = options->test.commit_us,
		.plain = options->test.plain,
		.memory = &options->memory,
		.input = live ? NULL : input_told,
		.hash = input_hash,
		.found = found,
		.exercised = live && options->exercised ? exercised : NULL,
		.teller = 1,
		.blind = blind,
		.context = pipeline,
	};
	const struct inspector_options inspector = {
		.flows = options->memory.most[MEMORY_INSPECTED],
		.packets = pipeline->packets,
		.opinions = pipeline->opinions,
		.dtls = options->test.ndpi_dtls,
	};
	const struct sensor_options sensor = {
		.limits = options->limits,
		.names = options->memory.most[MEMORY_NAMES],
		.streams = options->memory.most[MEMORY_STREAMS],
		.outbox = {pipeline->facts, pipeline->packets, pump, pipeline, live},
		.counters = &pipeline->counters,
		.begin_us = recorder.begun_us,
		.live = live,
		.prompt = live && options->exercised,
		.scope = {pipeline->keeper.scope, scoping_is_name, options->policy, NULL, NULL},
		.unwrap = {run_is_unit, options->policy},
		.keep = options->policy->keep,
		.plain = options->test.plain,
		.dtls = options->test.ndpi_dtls,
		.mirror = options->mirror,
	};
	int r = recorder_new(&recorder, &pipeline->recorder, err);

	if (r >= 0)
		r = inspector_new(&inspector, &pipeline->inspector, err);
	if (r < 0)
		return r;
	pipeline->sensor = sensor_new(&sensor);
	return pipeline->sensor ? 0 : err_set(err, -ENOMEM, "out of memory for the flow table");
}

static int pipeline_new(const struct run_options *options, struct capture *capture,
                        struct pipeline *pipeline, struct err *err)
{
	int r;

	*pipeline = (struct pipeline){.options = options,
	                              .capture = capture,
	                              .begun_us = clock_us(CLOCK_MONOTONIC)};
	for (size_t i = 0; i < capture_input_count(capture); i++)
		text_add(pipeline->inputs, sizeof(pipeline->inputs), "%s%s", i ? ", " : "",
		         capture_input(capture, i)->name);
	pipeline->facts = ring_new((size_t)options->memory.most[MEMORY_FACTS] << 10);
	pipeline->packets = ring_new((size_t)options->memory.most[MEMORY_PACKETS] << 10);
	pipeline->opinions = ring_new(RING_OPINIONS);
	if (!pipeline->facts || !pipeline->packets || !pipeline->opinions)
		return err_set(err, -ENOMEM, "out of memory for the rings");
	r = flowdb_open(options->dir, FLOWDB_WRITE, &pipeline->db, err);
	if (r < 0)
		return r;
	older_tell(pipeline->db, options->dir);
	r = keeper_begin(&pipeline->keeper, options, err);
	if (r < 0)
		return r;
	return roles_new(pipeline, err);
}

static void pipeline_release(struct pipeline *pipeline)
{
	sensor_free(pipeline->sensor);
	keeper_end(&pipeline->keeper);
	inspector_free(pipeline->inspector);
	recorder_free(pipeline->recorder);
	flowdb_close(pipeline->db);
	ring_free(pipeline->facts);
	ring_free(pipeline->packets);
	ring_free(pipeline->opinions);
}

static void result_fill(const struct pipeline *pipeline, struct run_result *result)
{
	*result = (struct run_result){
		.sums = *recorder_sums(pipeline->recorder),
		.refused = recorder_refused(pipeline->recorder) +
	                   inspector_refused(pipeline->inspector) +
	                   pipeline->counters.names_refused,
		.units = units_count(recorder_units(pipeline->recorder)),
	};
	result->strangers = *recorder_strangers(pipeline->recorder);
}

static int take_turns(struct pipeline *pipeline, struct err *err)
{
	const struct intake intake = {
		.capture = pipeline->capture,
		.sensor = pipeline->sensor,
		.counters = &pipeline->counters,
		.live = pipeline->options->capture.live,
		.last = true,
		.turn = turn,
		.context = pipeline,
	};
	struct sigaction action = {.sa_handler = on_signal}, before[ARRAY_LEN(ENDING)];
	struct sigaction status = {.sa_handler = on_status}, status_before;
	int r;

	signals_seen = 0;
	for (size_t i = 0; i < ARRAY_LEN(ENDING); i++)
		sigaction(ENDING[i], &action, &before[i]);
	sigaction(SIGUSR1, &status, &status_before);
	r = intake_run(&intake, err);
	pump(pipeline, true);
	progress(pipeline, true);
	sigaction(SIGUSR1, &status_before, NULL);
	for (size_t i = 0; i < ARRAY_LEN(ENDING); i++)
		sigaction(ENDING[i], &before[i], NULL);
	if (r >= 0 && pipeline->failed) {
		*err = pipeline->err;
		r = pipeline->failed;
	}
	return r < 0 ? r : 0;
}

int pipeline_run(const struct run_options *options, struct capture *capture,
                 struct run_result *result, struct flowdb **ret_db, struct err *err)
{
	struct pipeline pipeline;
	int r = capture_check(capture, err);

	if (r < 0)
		return r;
	r = pipeline_new(options, capture, &pipeline, err);
	if (r >= 0)
		r = take_turns(&pipeline, err);
	if (r >= 0) {
		result_fill(&pipeline, result);
		if (!options->dir) {
			*ret_db = pipeline.db;
			pipeline.db = NULL;
		}
	}
	pipeline_release(&pipeline);
	return r;
}
