/*
 * run.c - see run.h.
 */
#include "tests/lib/run.h"
#include "monitor/run.h"
#include "monitor/inspector.h"
#include "monitor/sensor.h"

struct run {
	struct policy *policy;
	struct flowdb *db;
	struct ring *facts, *packets, *opinions;
	struct inspector *inspector;
	struct recorder_options options;
	struct recorder *recorder;
	struct counters counters;
	bool lag, dies, died;
	size_t drops_at, recorder_dies_at; /* 0: not */
};

static void must(int r, const struct err *err)
{
	if (r >= 0)
		return;
	fprintf(stderr, "run: %s\n", err->text);
	abort();
}

static struct run *run_begin(const char *site, bool live)
{
	struct run *run = calloc(1, sizeof(*run));
	struct policy_args args = {
		.site_path = "site.yaml", .site_text = site, .site_text_len = strlen(site)};
	struct recorder_options recorder = {
		.session = 1,
		.version = "test",
		.source = live ? "live" : "file",
		.inputs = "wire",
		.filter = "",
		.live = live,
		.begun_us = live ? 1 : 0,
	};
	struct inspector_options inspector = {0};
	struct err err = {0};

	if (!run)
		abort();
	must(policy_load(&args, &run->policy, &err), &err);
	must(flowdb_open(NULL, FLOWDB_WRITE, &run->db, &err), &err);
	run->facts = recorder.facts = ring_new(1 << 20);
	run->packets = ring_new(1 << 20);
	recorder.packets = run->packets;
	run->opinions = recorder.opinions = ring_new(1 << 16);
	inspector.packets = run->packets;
	inspector.opinions = run->opinions;
	recorder.policy = run->policy;
	recorder.db = run->db;
	must(inspector_new(&inspector, &run->inspector, &err), &err);
	must(recorder_new(&recorder, &run->recorder, &err), &err);
	run->options = recorder;
	return run;
}

struct run *run_new(const char *site)
{
	return run_begin(site, false);
}

struct run *run_new_live(const char *site)
{
	return run_begin(site, true);
}

void run_free(struct run *run)
{
	if (!run)
		return;
	recorder_free(run->recorder);
	inspector_free(run->inspector);
	ring_free(run->facts);
	ring_free(run->packets);
	ring_free(run->opinions);
	flowdb_close(run->db);
	policy_free(run->policy);
	free(run);
}

void run_freep(struct run **run)
{
	run_free(*run);
	*run = NULL;
}

void run_lag(struct run *run)
{
	run->lag = true;
}

static bool pump(void *context, bool must_wait)
{
	struct run *run = context;
	struct err err = {0};

	do {
		if (run->lag)
			must(recorder_step(run->recorder, &err), &err);
		inspector_step(run->inspector, run->lag ? 1 : UINT32_MAX);
	} while (ring_peek(run->packets));
	must(recorder_step(run->recorder, &err), &err);
	return true;
}

static enum link link_of(enum wire_link link)
{
	switch (link) {
	case WIRE_SLL:
		return LINK_SLL;
	case WIRE_SLL2:
		return LINK_SLL2;
	case WIRE_RAW:
		return LINK_RAW;
	case WIRE_NULL:
	case WIRE_LOOP:
		return LINK_LOOPBACK;
	default:
		return LINK_ETHERNET;
	}
}

void run_wire(struct run *run, const struct wire *w, unsigned pump_every)
{
	struct sensor_options options = {
		.limits = FLOWTAB_DEFAULTS,
		.names = 1024,
		.outbox = {run->facts, run->packets, pump, run, false},
		.counters = &run->counters,
		.again = run->died,
		.unwrap = {run_is_unit, run->options.policy},
		.keep = run->options.policy->keep,
	};
	struct sensor *sensor = sensor_new(&options);

	if (!sensor)
		abort();
	for (size_t i = 0; i < wire_count(w); i++) {
		struct wire_frame packet = wire_packet(w, i);
		struct frame frame = {packet.time_us,
		                      packet.caplen,
		                      packet.len,
		                      packet.data,
		                      link_of(wire_linktype(w)),
		                      0};

		run->counters.kernel_dropped += run->drops_at && i == run->drops_at;
		sensor_frame(sensor, &frame);
		if (i % pump_every == 0)
			pump(run, false);
		if (run->recorder_dies_at && i == run->recorder_dies_at)
			run_recorder_dies(run);
	}
	if (!run->dies)
		sensor_end(sensor, true);
	pump(run, false);
	run->died = run->dies;
	run->dies = false;
	sensor_free(sensor);
}

void run_drops(struct run *run, size_t at)
{
	run->drops_at = at;
}

void run_recorder_dies_at(struct run *run, size_t at)
{
	run->recorder_dies_at = at;
}

void run_sensor_dies(struct run *run)
{
	run->dies = true;
}

void run_recorder_dies(struct run *run)
{
	struct err err = {0};

	recorder_free(run->recorder);
	ring_attach_reader(run->facts);
	must(recorder_new(&run->options, &run->recorder, &err), &err);
}

struct flowdb *run_db(struct run *run)
{
	return run->db;
}

const struct recorder *run_recorder(const struct run *run)
{
	return run->recorder;
}
