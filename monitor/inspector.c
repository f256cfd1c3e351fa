/*
 * inspector.c - see inspector.h. Invariants:
 *  (1) An opinion is written before its event is released: whoever sees the event released can read
 *      the opinion, and a full ring loses nothing.
 *  (2) A flow is in the map and on the list, which is in the order in which they were opened.
 */
#include "monitor/inspector.h"
#include "monitor/idmap.h"
#include "dissectors/ndpi.h"

#include <stdatomic.h>

struct inspected {
	uint64_t id;
	struct inspected *newer, *older;
	struct ndpi_state *state; /* NULL once the last word is said */
	enum app app;
};

struct inspector {
	struct ring *packets, *opinions;
	_Atomic uint64_t *hand, *finished;
	_Atomic uint64_t nowhere; /* where they are shown if nobody wants to see them */
	struct ndpi_engine *engine;
	struct idmap flows;
	struct inspected *oldest, *newest;
	uint64_t refused;
};

int inspector_new(const struct inspector_options *options, struct inspector **ret,
                  struct err *err)
{
	struct inspector *inspector = calloc(1, sizeof(*inspector));
	int r;

	if (!inspector)
		return err_set(err, -ENOMEM, "out of memory");
	r = ndpi_engine_new(options->dtls, &inspector->engine, err);
	if (r < 0) {
		free(inspector);
		return r;
	}
	inspector->packets = options->packets;
	inspector->opinions = options->opinions;
	inspector->hand = options->hand ? options->hand : &inspector->nowhere;
	inspector->finished = options->finished ? options->finished : &inspector->nowhere;
	idmap_init(&inspector->flows, INSPECTOR_FLOWS_MAX);
	*ret = inspector;
	return 0;
}

static void inspected_free(struct inspector *inspector, struct inspected *flow)
{
	if (flow)
		ndpi_state_free(inspector->engine, flow->state);
	free(flow);
}

void inspector_free(struct inspector *inspector)
{
	if (!inspector)
		return;
	for (size_t i = 0; i < inspector->flows.size; i++)
		inspected_free(inspector, inspector->flows.slots[i].value);
	idmap_release(&inspector->flows);
	ndpi_engine_free(inspector->engine);
	free(inspector);
}

static struct inspected *flow_take(struct inspector *inspector, uint64_t id)
{
	struct inspected *flow = idmap_take(&inspector->flows, id);

	if (!flow)
		return NULL;
	*(flow->older ? &flow->older->newer : &inspector->oldest) = flow->newer;
	*(flow->newer ? &flow->newer->older : &inspector->newest) = flow->older;
	return flow;
}

/* When all places are taken the one opened longest ago goes: what it could tell, it told. */
static struct inspected *flow_open(struct inspector *inspector, uint64_t id)
{
	struct inspected *flow = calloc(1, sizeof(*flow));

	if (inspector->flows.count == inspector->flows.max) {
		inspector->refused++;
		inspected_free(inspector, flow_take(inspector, inspector->oldest->id));
	}
	if (flow)
		flow->state = ndpi_state_new(inspector->engine);
	if (!flow || !flow->state || idmap_add(&inspector->flows, id, flow) < 0) {
		inspected_free(inspector, flow);
		inspector->refused++;
		return NULL;
	}
	flow->id = id;
	flow->older = inspector->newest;
	*(flow->older ? &flow->older->newer : &inspector->oldest) = flow;
	inspector->newest = flow;
	return flow;
}

static void say(struct inspector *inspector, struct event_opinion *event, uint64_t flow,
                enum app app, bool final)
{
	event->head.type = EVENT_OPINION;
	event->flow = flow;
	event->app = (uint16_t)app;
	event->final = final;
	ring_publish(inspector->opinions);
}

static void look(struct inspector *inspector, const struct event_packet *event,
                 struct event_opinion *opinion)
{
	struct inspected *flow = idmap_find(&inspector->flows, event->flow);
	bool final = false;
	enum app app;

	if (!flow && event->first)
		flow = flow_open(inspector, event->flow);
	if (!flow || !flow->state)
		return;
	app = ndpi_look(inspector->engine, flow->state, event->ip, event->ip_len,
	                event->time_us, &final);
	if (app != APP_NONE && (app != flow->app || final)) {
		flow->app = app;
		say(inspector, opinion, event->flow, app, final);
	}
	if (final) {
		ndpi_state_free(inspector->engine, flow->state);
		flow->state = NULL;
	}
}

static void forget(struct inspector *inspector, const struct event_forget *event,
                   struct event_opinion *opinion)
{
	struct inspected *flow = flow_take(inspector, event->flow);

	if (!flow)
		return;
	if (flow->state && flow->app != APP_NONE)
		say(inspector, opinion, event->flow, flow->app, true);
	inspected_free(inspector, flow);
}

unsigned inspector_step(struct inspector *inspector, unsigned most)
{
	const struct event *event;
	unsigned count = 0;

	while (count < most && (event = ring_peek(inspector->packets))) {
		struct event_opinion *room = ring_reserve(inspector->opinions, sizeof(*room));

		if (!room)
			break;
		atomic_store(inspector->hand, ring_released(inspector->packets) + 1);
		if (event_check(event, event->len) < 0)
			inspector->refused++;
		else if (event->type == EVENT_PACKET)
			look(inspector, (const struct event_packet *)event, room);
		else if (event->type == EVENT_FORGET)
			forget(inspector, (const struct event_forget *)event, room);
		atomic_store(inspector->hand, 0);
		atomic_fetch_add_explicit(inspector->finished, 1, memory_order_relaxed);
		ring_take(inspector->packets);
		ring_release(inspector->packets);
		count++;
	}
	return count;
}

uint64_t inspector_refused(const struct inspector *inspector)
{
	return inspector->refused;
}
