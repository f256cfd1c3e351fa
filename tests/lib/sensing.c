/*
 * sensing.c - see sensing.h.
 */
#include "tests/lib/sensing.h"
#include "schema/event_brief.h"

#include <assert.h>

static void note(struct told *told, const struct event *event)
{
	struct event_flow whole;

	assert(!event_check(event, event->len));
	event = event_whole(event, &whole);
	*told = (struct told){.type = event->type};
	switch (event->type) {
	case EVENT_FLOW_SETTLED:
	case EVENT_FLOW_UPDATE:
	case EVENT_FLOW_END: {
		const struct event_flow *flow = (const struct event_flow *)event;

		told->id = flow->facts.id;
		told->since_us = flow->facts.first_us;
		told->until_us = flow->facts.last_us;
		told->packets = flow->facts.packets[0] + flow->facts.packets[1];
		break;
	}
	case EVENT_NAME: {
		const struct event_name *name = (const struct event_name *)event;

		told->since_us = name->time_us;
		memcpy(told->name, name->name, name->name_len < 15 ? name->name_len : 15);
		break;
	}
	case EVENT_BEGIN:
		told->since_us = ((const struct event_begin *)event)->time_us;
		told->flag = ((const struct event_begin *)event)->again;
		break;
	case EVENT_BLIND: {
		const struct event_blind *blind = (const struct event_blind *)event;

		assert(blind->cause == BLIND_CLOCK_STEP || blind->cause == BLIND_MIRROR_SILENT);
		assert(blind->count == (blind->cause == BLIND_CLOCK_STEP));
		told->cause = blind->cause;
		told->since_us = blind->since_us;
		told->until_us = blind->until_us;
		break;
	}
	case EVENT_HEALTH:
		told->since_us = ((const struct event_health *)event)->time_us;
		told->packets = ((const struct event_health *)event)->counters.seen;
		told->flag = ((const struct event_health *)event)->final;
		break;
	case EVENT_PACKET:
		told->id = ((const struct event_packet *)event)->flow;
		told->flag = ((const struct event_packet *)event)->first;
		break;
	case EVENT_FORGET:
		told->id = ((const struct event_forget *)event)->flow;
		break;
	default:
		break;
	}
}

static unsigned read_ring(struct ring *ring, struct told *told, unsigned *count, unsigned most)
{
	const struct event *event;
	unsigned n = 0;

	for (; n < most && (event = ring_peek(ring)); n++) {
		assert(*count < TOLD_MAX);
		note(&told[(*count)++], event);
		ring_take(ring);
		ring_release(ring);
	}
	return n;
}

unsigned read_facts(struct sensing *bench, unsigned most)
{
	return read_ring(bench->facts, bench->told, &bench->told_count, most);
}

unsigned read_packets(struct sensing *bench, unsigned most)
{
	return read_ring(bench->packets, bench->handed, &bench->handed_count, most);
}

static bool full(void *context, bool must)
{
	struct sensing *bench = context;

	if (bench->gone || (!must && !bench->file)) {
		bench->full++;
		return false;
	}
	return read_facts(bench, 1) + read_packets(bench, 1) > 0;
}

void sensing_again(struct sensing *bench, bool again, int64_t begin_us)
{
	sensor_free(bench->sensor);
	bench->options.again = again;
	bench->options.begin_us = begin_us;
	bench->sensor = sensor_new(&bench->options);
	assert(bench->sensor);
}

struct sensing *sensing_new(uint32_t flows)
{
	struct sensing *bench = calloc(1, sizeof(*bench));

	assert(bench);
	bench->wire = wire_new();
	bench->facts = ring_new(1); /* 64 KiB */
	bench->packets = ring_new(1);
	bench->options = (struct sensor_options){
		.limits = FLOWTAB_DEFAULTS,
		.names = 64,
		.outbox = {bench->facts, bench->packets, full, bench, true},
		.counters = &bench->counters,
		.live = true,
		.inspector_off = &bench->off,
		.keep = KEEP_OFF,
	};
	bench->options.limits.flows = flows;
	if (bench->options.limits.young > flows)
		bench->options.limits.young = flows;
	sensing_again(bench, false, START_US);
	return bench;
}

void sensing_free(struct sensing *bench)
{
	if (!bench)
		return;
	sensor_free(bench->sensor);
	ring_free(bench->facts);
	ring_free(bench->packets);
	wire_free(bench->wire);
	free(bench);
}

void sensing_freep(struct sensing **bench)
{
	sensing_free(*bench);
	*bench = NULL;
}

void must_add_up(const struct sensing *bench)
{
	const struct counters *c = &bench->counters;

	assert(c->seen == c->out_of_scope + c->in_flows + c->malformed + c->fragments_lost +
	                          c->duplicates);
}

void show_from(struct sensing *bench, size_t from)
{
	for (size_t i = from; i < wire_count(bench->wire); i++) {
		struct wire_frame packet = wire_packet(bench->wire, i);
		struct frame frame = {packet.time_us, packet.caplen, packet.len,
		                      packet.data,    LINK_ETHERNET, 0};

		sensor_frame(bench->sensor, &frame);
		must_add_up(bench);
	}
}

void syn(struct sensing *bench, unsigned port, double at_s)
{
	size_t from = wire_count(bench->wire);
	char tuple[WIRE_TUPLE];

	snprintf(tuple, sizeof(tuple), "10.1.%u.7:%u > 10.2.0.9:443", port / 50000,
	         1 + port % 50000);
	wire_at(bench->wire, at_s);
	wire_tcp(bench->wire, tuple, "S", NULL, 0);
	show_from(bench, from);
}

void begin_request(struct sensing *bench, unsigned port, double at_s)
{
	size_t from = wire_count(bench->wire);
	char tuple[WIRE_TUPLE];

	snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > 10.2.0.9:80", port);
	wire_at(bench->wire, at_s);
	wire_tcp(bench->wire, tuple, "S", NULL, 0);
	wire_tcp(bench->wire, tuple, "PA", "GE", 2);
	show_from(bench, from);
}

void datagram(struct sensing *bench, unsigned port, double at_s)
{
	size_t from = wire_count(bench->wire);
	char tuple[WIRE_TUPLE], text[32];

	snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > 10.2.0.9:51000", port);
	snprintf(text, sizeof(text), "not a known thing %u", port);
	wire_at(bench->wire, at_s);
	wire_udp(bench->wire, tuple, text, strlen(text));
	show_from(bench, from);
}

void ask(struct sensing *bench, unsigned number, double at_s)
{
	size_t from = wire_count(bench->wire);
	char tuple[WIRE_TUPLE], name[32];

	snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > 10.0.0.53:53", 10000 + number);
	snprintf(name, sizeof(name), "h%u.example", number);
	wire_at(bench->wire, at_s);
	talk_dns(bench->wire, tuple,
	         &(struct dns_case){.name = name, .type = 1, .value = "10.9.0.1"});
	show_from(bench, from);
}

void idle_at(struct sensing *bench, double at_s, double mono_s)
{
	sensor_idle(bench->sensor, START_US + LATE_US + (int64_t)(at_s * 1e6),
	            (int64_t)(mono_s * 1e6));
	must_add_up(bench);
}

void idle(struct sensing *bench, double at_s)
{
	idle_at(bench, at_s, at_s);
}

unsigned told_of(const struct sensing *bench, uint16_t type)
{
	unsigned count = 0;

	for (unsigned i = 0; i < bench->told_count; i++)
		count += bench->told[i].type == type;
	return count;
}

void read_all(struct sensing *bench, double at_s)
{
	do
		idle(bench, at_s);
	while (read_facts(bench, 7) + read_packets(bench, 7));
	assert(sensor_untold(bench->sensor) == 0);
}

void must_have_ended(const struct sensing *bench, unsigned flows)
{
	static uint8_t said[TOLD_MAX];

	memset(said, 0, sizeof(said));
	for (unsigned i = 0; i < bench->told_count; i++) {
		const struct told *told = &bench->told[i];

		if (told->type > EVENT_FLOW_END)
			continue;
		assert(told->id && told->id < TOLD_MAX);
		if (told->type == EVENT_FLOW_SETTLED)
			assert(said[told->id] == 0);
		else if (told->type == EVENT_FLOW_UPDATE)
			assert(said[told->id] == EVENT_FLOW_SETTLED);
		else
			assert(said[told->id] != EVENT_FLOW_END);
		if (told->type != EVENT_FLOW_UPDATE)
			said[told->id] = (uint8_t)told->type;
	}
	assert(told_of(bench, EVENT_FLOW_END) == flows);
	assert(bench->counters.flows == flows);
}

/* Room for less than one event of a flow is left. */
void fill_facts(struct sensing *bench)
{
	struct event_health *event;

	while ((event = ring_reserve(bench->facts, sizeof(*event)))) {
		event->head.type = EVENT_HEALTH;
		ring_publish(bench->facts);
	}
	while ((event = ring_reserve(bench->facts, sizeof(struct event_begin)))) {
		event->head.type = EVENT_BEGIN;
		ring_publish(bench->facts);
	}
}

void fill_packets(struct sensing *bench)
{
	struct event_forget *event;

	while ((event = ring_reserve(bench->packets, sizeof(*event)))) {
		event->head.type = EVENT_FORGET;
		event->flow = EVENT_NUMBER_MAX; /* no flow of a test */
		ring_publish(bench->packets);
	}
}

void forget_told(struct sensing *bench)
{
	while (read_facts(bench, TOLD_MAX))
		;
	bench->told_count = 0;
}
