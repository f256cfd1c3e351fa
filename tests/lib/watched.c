/*
 * watched.c - see watched.h.
 */
#include "tests/lib/watched.h"

#include "dissectors/decode.h"
#include "monitor/inspector.h"
#include "monitor/sensor.h"
#include "schema/event_brief.h"

struct bench {
	struct ring *facts, *packets, *opinions;
	struct inspector *inspector;
	struct watched *watched;
};

static void must(bool holds, const char *what)
{
	if (holds)
		return;
	fprintf(stderr, "watched: %s\n", what);
	abort();
}

static struct watched_flow *flow_of(struct watched *watched, uint64_t id)
{
	for (unsigned i = 0; i < watched->count; i++)
		if (watched->flow[i].facts.id == id)
			return &watched->flow[i];
	must(watched->count < WATCHED_MAX, "too many flows");
	watched->flow[watched->count].facts.id = id;
	return &watched->flow[watched->count++];
}

static void take_fact(struct watched *watched, const struct event *event)
{
	const struct event_flow *told;
	struct watched_flow *flow;
	struct event_flow whole;

	must(!event_check(event, event->len), "an event that is not sound");
	event = event_whole(event, &whole);
	told = (const struct event_flow *)event;
	if (event->type != EVENT_FLOW_SETTLED && event->type != EVENT_FLOW_UPDATE &&
	    event->type != EVENT_FLOW_END)
		return;
	flow = flow_of(watched, told->facts.id);
	must(!flow->ends, "a word after the last one");
	flow->facts = told->facts;
	flow->settled += event->type == EVENT_FLOW_SETTLED;
	flow->updates += event->type == EVENT_FLOW_UPDATE;
	flow->ends += event->type == EVENT_FLOW_END;
	if (event->type == EVENT_FLOW_SETTLED)
		flow->first = told->facts;
}

static void drain(struct bench *bench)
{
	const struct event *event;

	while (inspector_step(bench->inspector, 64))
		continue;
	while ((event = ring_peek(bench->facts))) {
		take_fact(bench->watched, event);
		ring_take(bench->facts);
		ring_release(bench->facts);
	}
	while ((event = ring_peek(bench->opinions))) {
		const struct event_opinion *opinion = (const struct event_opinion *)event;

		flow_of(bench->watched, opinion->flow)->opinion = (enum app)opinion->app;
		ring_take(bench->opinions);
		ring_release(bench->opinions);
	}
}

static bool drain_must(void *context, bool forever)
{
	drain(context);
	return true;
}

struct watched *watched_of(const struct wire *w)
{
	struct watched *watched = calloc(1, sizeof(*watched));
	struct bench bench = {.facts = ring_new(1 << 20),
	                      .packets = ring_new(1 << 20),
	                      .opinions = ring_new(1 << 20),
	                      .watched = watched};
	struct counters counters = {0};
	struct sensor_options options = {.limits = FLOWTAB_DEFAULTS,
	                                 .names = 64,
	                                 .counters = &counters,
	                                 .outbox = {.facts = bench.facts,
	                                            .packets = bench.packets,
	                                            .full = drain_must,
	                                            .context = &bench}};
	struct sensor *sensor;
	struct err err;

	options.limits.flows = 1024;
	options.limits.young = 256;
	sensor = sensor_new(&options);
	must(watched && sensor, "out of memory");
	must(!inspector_new(&(struct inspector_options){.packets = bench.packets,
	                                                .opinions = bench.opinions},
	                    &bench.inspector, &err),
	     "no inspector");
	for (size_t i = 0; i < wire_count(w); i++) {
		struct wire_frame packet = wire_packet(w, i);
		struct frame frame = {packet.time_us, packet.caplen, packet.len,
		                      packet.data,    LINK_ETHERNET, 0};

		sensor_frame(sensor, &frame);
		drain(&bench);
	}
	sensor_end(sensor, true);
	drain(&bench);
	watched->handed = (unsigned)counters.inspected;
	sensor_free(sensor);
	inspector_free(bench.inspector);
	ring_free(bench.facts);
	ring_free(bench.packets);
	ring_free(bench.opinions);
	return watched;
}

void watched_freep(struct watched **watched)
{
	free(*watched);
	*watched = NULL;
}

enum app watched_app(const struct watched_flow *flow)
{
	return flow->facts.evidence == EVIDENCE_DISSECTOR ? (enum app)flow->facts.app
	                                                  : flow->opinion;
}
