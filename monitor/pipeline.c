/*
 * pipeline.c - see pipeline.h. Whoever finds its ring full lets the others work (pump()), so that
 * no wait can form a circle. The order in which the roles take turns does not change the result:
 * the recorder handles a fact only when the inspector has seen all that was handed before it.
 */
#include "monitor/pipeline.h"
#include "monitor/inspector.h"
#include "monitor/log.h"
#include "monitor/sensor.h"

#include <signal.h>
#include <time.h>
#include <unistd.h>

#define RING_FACTS (16u << 20)
#define RING_PACKETS (8u << 20)
#define RING_OPINIONS (1u << 20)
#define NAMES_MAX (1u << 16)
#define BATCH 32
#define PROGRESS_US 100000

struct pipeline {
	struct pipeline_options options;
	struct capture *capture;
	struct ring *facts, *packets, *opinions;
	struct counters counters;
	struct sensor *sensor;
	struct inspector *inspector;
	struct recorder *recorder;
	char inputs[1024];
	struct err err; /* the recorder's first failure, from inside pump() */
	int failed;
	int64_t progress_us;
};

static volatile sig_atomic_t signals_seen;
/* What ends a run with everything written: also the terminal that was closed over it. */
static const int ENDING[] = {SIGINT, SIGTERM, SIGHUP};

static void on_signal(int number)
{
	if (signals_seen++)
		_exit(128 + number); /* a second one means it */
}

static int64_t wall_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

/* Inspector and recorder do what they can. */
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
	} while (ring_peek(pipeline->packets));
	return true;
}

static const struct captured_input *input_told(void *context, unsigned index)
{
	const struct pipeline *pipeline = context;

	return capture_input(pipeline->capture, index);
}

static void found(void *context, const struct finding *finding)
{
	const struct pipeline *pipeline = context;

	if (pipeline->options.found)
		pipeline->options.found(pipeline->options.context, finding);
}

static void progress(struct pipeline *pipeline, bool now)
{
	int64_t wall = wall_us(CLOCK_MONOTONIC);
	struct pipeline_state state;

	if (!pipeline->options.progress || (!now && wall - pipeline->progress_us < PROGRESS_US))
		return;
	pipeline->progress_us = wall;
	state = (struct pipeline_state){
		.now_us = sensor_now(pipeline->sensor),
		.permille = pipeline->options.capture.live
	                            ? -1
	                            : capture_progress(pipeline->capture),
		.live = pipeline->options.capture.live,
		.counters = &pipeline->counters,
		.sums = recorder_sums(pipeline->recorder),
		.units = (uint32_t)units_count(recorder_units(pipeline->recorder)),
	};
	pipeline->options.progress(pipeline->options.context, &state);
}

static int pipeline_new(const struct pipeline_options *options, struct capture *capture,
                        struct pipeline **ret, struct err *err)
{
	CLEANUP(pipeline_freep) struct pipeline *pipeline = calloc(1, sizeof(*pipeline));
	struct sensor_options sensor = {
		.limits = options->limits,
		.names = NAMES_MAX,
		.outbox = {.full = pump, .context = pipeline},
		.counters = &pipeline->counters,
		.begin_us = options->capture.live ? wall_us(CLOCK_REALTIME) : 0,
	};
	struct recorder_options recorder = {
		.policy = options->policy,
		.db = options->db,
		.version = TLMON_VERSION,
		.live = options->capture.live,
		.source = options->capture.live ? "live" : "file",
		.filter = options->capture.filter ? options->capture.filter : "",
		.input = options->capture.live ? NULL : input_told,
		.found = found,
		.context = pipeline,
	};
	int r;

	if (!pipeline)
		return err_set(err, -ENOMEM, "out of memory");
	pipeline->options = *options;
	pipeline->capture = capture;
	for (size_t i = 0; i < capture_input_count(capture); i++)
		text_add(pipeline->inputs, sizeof(pipeline->inputs), "%s%s", i ? ", " : "",
		         capture_input(capture, i)->name);
	pipeline->facts = ring_new(RING_FACTS);
	pipeline->packets = ring_new(RING_PACKETS);
	pipeline->opinions = ring_new(RING_OPINIONS);
	if (!pipeline->facts || !pipeline->packets || !pipeline->opinions)
		return err_set(err, -ENOMEM, "out of memory for the rings");
	sensor.outbox.facts = recorder.facts = pipeline->facts;
	sensor.outbox.packets = pipeline->packets;
	recorder.opinions = pipeline->opinions;
	recorder.packets = pipeline->packets;
	recorder.inputs = pipeline->inputs;
	pipeline->sensor = sensor_new(&sensor);
	if (!pipeline->sensor)
		return err_set(err, -ENOMEM, "out of memory for the flow table");
	r = inspector_new(pipeline->packets, pipeline->opinions, &pipeline->inspector, err);
	if (r >= 0)
		r = recorder_new(&recorder, &pipeline->recorder, err);
	if (r < 0)
		return r;
	*ret = TAKE(pipeline);
	return 0;
}

void pipeline_free(struct pipeline *pipeline)
{
	if (!pipeline)
		return;
	sensor_free(pipeline->sensor);
	inspector_free(pipeline->inspector);
	recorder_free(pipeline->recorder);
	ring_free(pipeline->facts);
	ring_free(pipeline->packets);
	ring_free(pipeline->opinions);
	free(pipeline);
}

void pipeline_freep(struct pipeline **pipeline)
{
	pipeline_free(*pipeline);
	*pipeline = NULL;
}

const struct recorder *pipeline_recorder(const struct pipeline *pipeline)
{
	return pipeline->recorder;
}

uint64_t pipeline_refused(const struct pipeline *pipeline)
{
	return recorder_refused(pipeline->recorder) + inspector_refused(pipeline->inspector) +
	       pipeline->counters.names_refused;
}

static bool wants_end(const struct pipeline *pipeline, int64_t begun_us)
{
	return signals_seen || pipeline->failed ||
	       (pipeline->options.for_us &&
	        wall_us(CLOCK_MONOTONIC) - begun_us >= pipeline->options.for_us);
}

static int run_files(struct pipeline *pipeline, struct err *err)
{
	unsigned first_over = 0, over = 0; /* inputs that ended and are not told of yet */
	struct frame frame;
	int r;

	for (unsigned count = 0; !wants_end(pipeline, 0); count++) {
		r = capture_next(pipeline->capture, &frame, err);
		if (r < 0)
			return r;
		if (r == CAPTURED_INPUT_END)
			over = frame.input + 1;
		if (r == CAPTURED_INPUT_END || r == CAPTURED_NOTHING)
			continue;
		/* Only now it is known when the next file begins, and whether flows go on into it. */
		for (; first_over < over; first_over++)
			sensor_input_end(pipeline->sensor, first_over,
			                 capture_input(pipeline->capture, first_over),
			                 r == CAPTURED_FRAME ? frame.time_us : 0);
		if (r == CAPTURED_END)
			break;
		sensor_frame(pipeline->sensor, &frame);
		if (count % BATCH == 0) {
			pump(pipeline, true);
			if (count % (BATCH * 32) == 0)
				progress(pipeline, false);
		}
	}
	if (wants_end(pipeline, 0) && capture_stop(pipeline->capture, &over))
		sensor_input_end(pipeline->sensor, over, capture_input(pipeline->capture, over),
		                 0);
	return 0;
}

static void say_gone(const struct captured_input *input)
{
	log_warning("%s: %s", input->name, input->note);
}

static int say_all_gone(struct pipeline *pipeline)
{
	log_warning("no interface is left: the run ends with what it has");
	capture_stats(pipeline->capture, &pipeline->counters);
	return 0;
}

static int run_live(struct pipeline *pipeline, struct err *err)
{
	int64_t begun_us = wall_us(CLOCK_MONOTONIC), stats_us = 0;
	struct frame frame;
	int r = CAPTURED_NOTHING;

	while (!wants_end(pipeline, begun_us)) {
		for (unsigned i = 0; i < BATCH; i++) {
			r = capture_next(pipeline->capture, &frame, err);
			if (r < 0)
				return r;
			if (r == CAPTURED_INPUT_END) {
				say_gone(capture_input(pipeline->capture, frame.input));
				continue;
			}
			if (r == CAPTURED_END)
				return say_all_gone(pipeline);
			if (r != CAPTURED_FRAME)
				break;
			sensor_frame(pipeline->sensor, &frame);
		}
		if (r == CAPTURED_NOTHING)
			sensor_idle(pipeline->sensor, wall_us(CLOCK_REALTIME),
			            wall_us(CLOCK_MONOTONIC));
		if (wall_us(CLOCK_MONOTONIC) - stats_us >= 1000000) {
			stats_us = wall_us(CLOCK_MONOTONIC);
			capture_stats(pipeline->capture, &pipeline->counters);
			sensor_clock(pipeline->sensor, wall_us(CLOCK_REALTIME),
			             wall_us(CLOCK_MONOTONIC));
		}
		pump(pipeline, true);
		progress(pipeline, false);
		if (r == CAPTURED_NOTHING)
			capture_wait(pipeline->capture, 100);
	}
	capture_stats(pipeline->capture, &pipeline->counters);
	return 0;
}

static int known_inputs(const struct pipeline_options *options, const struct capture *capture,
                        struct err *err)
{
	for (size_t i = 0; i < capture_input_count(capture); i++) {
		const struct captured_input *input = capture_input(capture, i);
		int r;

		if (!*input->hash)
			continue;
		r = flowdb_has_input(options->db, input->size, input->hash, err);
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

int pipeline_run(const struct pipeline_options *options, struct capture *capture,
                 struct pipeline **ret, struct err *err)
{
	CLEANUP(pipeline_freep) struct pipeline *pipeline = NULL;
	struct sigaction action = {.sa_handler = on_signal};
	struct sigaction before[ARRAY_LEN(ENDING)];
	int r = options->capture.live || options->again ? 0
	                                                : known_inputs(options, capture, err);

	if (r >= 0)
		r = pipeline_new(options, capture, &pipeline, err);
	if (r < 0)
		return r;
	signals_seen = 0;
	for (size_t i = 0; i < ARRAY_LEN(ENDING); i++)
		sigaction(ENDING[i], &action, &before[i]);
	r = options->capture.live ? run_live(pipeline, err) : run_files(pipeline, err);
	/* Also when the capture failed: what was seen until then is judged and kept. */
	sensor_end(pipeline->sensor);
	pump(pipeline, true);
	progress(pipeline, true);
	for (size_t i = 0; i < ARRAY_LEN(ENDING); i++)
		sigaction(ENDING[i], &before[i], NULL);
	if (r >= 0 && pipeline->failed) {
		*err = pipeline->err;
		r = pipeline->failed;
	}
	if (r < 0)
		return r;
	*ret = TAKE(pipeline);
	return 0;
}
