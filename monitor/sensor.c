/*
 * sensor.c - see sensor.h. sensor_frame() decodes and counts a packet; what becomes of it is in
 * sensor_flow.c, what is told of that in sensor_tell.c. Invariants:
 *  (1) Every packet read ends in exactly one counter of struct counters (schema/event.h).
 *  (2) The clock is the packet's time and never goes back, except between files that do not follow
 *      one another and when the clock was set (live), and then every flow has ended before.
 *  (3) A flow event goes out when the flow settles, every 60 s, when facts change after that, and
 *      when it ends; where that is asked for (`prompt`), also when its outcome shows, be it before it settles.
 *      Where there is no room for it, it waits (flowtab.h): the latest facts go then.
 *  (4) What waits goes in the order in which it came, whether flow, name, lease or neighbour.
 */
#include "monitor/sensor_parts.h"
#include "monitor/capture/copies.h"
#include "monitor/capture/outcome.h"

#define SETTLE_US (10 * SECOND) /* after the first payload */
#define FOLLOWS_US \
	(60 * SECOND) /* a file that begins so soon after another goes on with its flows */
#define SILENT_US (30 * SECOND) /* live: a mirror that brought nothing for so long */
#define FILE_SILENT_US (3600 * SECOND) /* of a file: no packet came for so long */
#define LATE_US \
	200000 /* live: the clock of a silent link runs so far behind, for packets come late */
#define STEP_US SECOND /* two clocks that part by more than that at once: one was set */
#define RETIRE_NEAR 8  /* at the end, flows ahead of the one that ends */
#define SECOND INT64_C(1000000)

/* The packet that the one before died of has no counter yet. */
static void count_fatal(struct counters *counters)
{
	uint64_t sum = counters->out_of_scope + counters->in_flows + counters->malformed +
	               counters->fragments_lost + counters->duplicates;

	if (counters->seen > sum)
		counters->malformed += counters->seen - sum;
}

struct sensor *sensor_new(const struct sensor_options *options)
{
	struct sensor *sensor = calloc(1, sizeof(*sensor));

	if (!sensor)
		return NULL;
	sensor->counters = options->counters;
	sensor->inspector_off = options->inspector_off;
	sensor->dtls = options->dtls;
	sensor->scope = options->scope;
	sensor->unwrap = options->unwrap;
	sensor->keep = options->keep;
	sensor->mirror = options->mirror;
	sensor->live = options->live;
	sensor->prompt = options->prompt;
	/* What a mirror shows is looked at with whole flows. */
	sensor->sows = !options->plain && !options->mirror;
	sensor->now_us = sensor->looking_us = sensor->frame_us = options->begin_us;
	sensor->outbox = outbox_new(&options->outbox, options->counters);
	sensor->tab = flowtab_new(&options->limits);
	sensor->names = names_new(options->names);
	sensor->fragments = calloc(1, sizeof(*sensor->fragments));
	sensor->streams = streams_new(options->streams ? options->streams : STREAMS_DEFAULT,
	                              &options->counters->streams_shed);
	sensor->neighbours = calloc(1, sizeof(*sensor->neighbours));
	sensor->queries = queries_new();
	sensor->requests = requests_new();
	if (!sensor->outbox || !sensor->tab || !sensor->names || !sensor->fragments ||
	    !sensor->streams || !sensor->neighbours || !sensor->queries || !sensor->requests) {
		sensor_free(sensor);
		return NULL;
	}
	if (options->again)
		count_fatal(sensor->counters);
	outbox_begin(sensor->outbox, options->begin_us, options->again);
	return sensor;
}

void sensor_free(struct sensor *sensor)
{
	if (!sensor)
		return;
	outbox_free(sensor->outbox);
	flowtab_free(sensor->tab);
	names_free(sensor->names);
	streams_free(sensor->streams);
	queries_free(sensor->queries);
	requests_free(sensor->requests);
	free(sensor->fragments);
	free(sensor->neighbours);
	free(sensor);
}

int64_t sensor_now(const struct sensor *sensor)
{
	return sensor->now_us;
}

uint32_t sensor_untold(const struct sensor *sensor)
{
	return flowtab_untold_count(sensor->tab);
}

uint32_t sensor_unheard(const struct sensor *sensor)
{
	return flowtab_count(sensor->tab) - sensor->heard;
}

struct asked_by {
	const struct sensor *sensor;
	int64_t by_us;
};

static bool flow_waits(const void *context, const struct flow *flow)
{
	const struct asked_by *asked = context;
	const struct unwrap_options *units = &asked->sensor->unwrap;
	const struct flow_facts *facts = &flow->facts;

	if (!facts->asked || facts->first_try_us > asked->by_us ||
	    !outcome_waits(facts, asked->sensor->now_us))
		return false;
	for (unsigned end = 0; end < 2; end++)
		if (units->is_unit && units->is_unit(units->context, &facts->end[end].addr,
		                                     &facts->end[end].mac, facts->packets[end]))
			return true;
	return false;
}

bool sensor_waits(const struct sensor *sensor, int64_t by_us)
{
	return flowtab_any(sensor->tab, flow_waits, &(struct asked_by){sensor, by_us});
}

/* Flows that were silent for long enough, and that were young for long enough. */
static void flows_age(struct sensor *sensor)
{
	struct flow *flow;
	uint32_t number;

	if (sensor->now_us < sensor->due_us)
		return;
	while ((number = flowtab_expired(sensor->tab, sensor->now_us)))
		number_retire(sensor, number);
	while ((flow = flowtab_oldest_young(sensor->tab)) &&
	       sensor->now_us - flow->payload_us >= SETTLE_US)
		flow_settle(sensor, flow, SETTLED_AGE);
	sensor->due_us = flowtab_due(sensor->tab, sensor->now_us);
	if (sensor->due_us > sensor->now_us + SETTLE_US)
		sensor->due_us = sensor->now_us + SETTLE_US;
	if (flow && sensor->due_us > flow->payload_us + SETTLE_US)
		sensor->due_us = flow->payload_us + SETTLE_US;
}

/* Everything that happens because time has passed. */
static void sensor_tick(struct sensor *sensor)
{
	flows_age(sensor);
	if (flowtab_untold_count(sensor->tab) || outbox_waits(sensor->outbox)) {
		tell_waiting(sensor);
		outbox_flush_forgets(sensor->outbox);
	}
}

static void clock_set(struct sensor *sensor, int64_t time_us)
{
	if (time_us > sensor->now_us)
		sensor->now_us = time_us;
	sensor_tick(sensor);
}

static void retire_all(struct sensor *sensor)
{
	CLEANUP(freep) uint32_t *flows = NULL;
	uint32_t number;
	size_t count;

	flows = flowtab_sorted(sensor->tab, &count);
	for (size_t i = 0; i < count; i++) {
		if (i + RETIRE_NEAR < count)
			flowtab_near_end(sensor->tab, flows[i + RETIRE_NEAR]);
		number_retire(sensor, flows[i]);
	}
	/* Only where there was no memory to sort them. */
	while ((number = flowtab_least_missed(sensor->tab)))
		number_retire(sensor, number);
}

/* ----------------------------------------------------------------- packets */

/* What the scope keeps in the kernel is no silence of the mirror. */
static void received(struct sensor *sensor)
{
	if (sensor->counters->interface_received == sensor->received)
		return;
	sensor->received = sensor->counters->interface_received;
	sensor->received_us = sensor->now_us;
}

/* What was not seen may have been the SYN of any flow that we meet next. */
static void looking_anew(struct sensor *sensor)
{
	const struct counters *counters = sensor->counters;

	received(sensor);
	if (counters->kernel_dropped != sensor->dropped || !sensor->looking_us ||
	    (sensor->live && sensor->now_us - sensor->frame_us >= SILENT_US &&
	     sensor->now_us - sensor->received_us >= SILENT_US))
		sensor->looking_us = sensor->now_us;
	sensor->dropped = counters->kernel_dropped;
	sensor->frame_us = sensor->now_us;
}

static void sensor_ip(struct sensor *sensor, struct packet *packet)
{
	struct flow *flow;
	unsigned end;
	bool sown;

	sensor->tunnel = packet->tunnel;
	/* It tells of those that go by their MAC. */
	if (sensor->scope.scope && sensor->scope.scope->mac_count &&
	    (packet->dst_port == 67 || packet->dst_port == 68))
		scope_hear_dhcp(sensor, packet);
	if (packet->quoted) {
		if (icmp_error(sensor, packet)) {
			sensor->counters->in_flows++;
		} else {
			sensor->counters->errors_lost++;
			sensor->counters->out_of_scope++;
		}
		return;
	}
	flow = packet_flow(sensor, packet, &end, &sown);
	if (sown) {
		sensor->counters->in_flows++;
		tell_first_sample(sensor, packet);
		return;
	}
	if (!flow) {
		sensor->counters->fragments_lost++;
		return;
	}
	if (packet_is_copy(flow, end, packet)) {
		if (sensor->mirror)
			mirror_copy(sensor->mirror, flow, end, packet);
		flow->facts.duplicates++;
		sensor->counters->duplicates++;
		return;
	}
	if (sensor->mirror)
		mirror_in_flow(sensor->mirror, flow, packet);
	sensor->counters->in_flows++;
	tell_sample(sensor, flow, packet);
	flow_packet(sensor, flow, end, packet);
}

/* Into exactly one counter. */
static void frame_count(struct sensor *sensor, const struct frame *frame, struct packet *packet)
{
	struct counters *counters = sensor->counters;
	enum decoded decoded = packet_decode(frame->link, frame->bytes, frame->caplen,
	                                     frame->wire_len, packet);
	bool in_pieces = packet->fragment;

	if (sensor->mirror)
		mirror_frame(sensor->mirror, frame, decoded, packet);
	if (decoded == DECODED_IP)
		decoded = unwrap(&sensor->unwrap, sensor->fragments, packet, counters);
	switch (decoded) {
	case DECODED_IP:
		counters->truncated += packet->truncated;
		if (sensor->mirror)
			mirror_packet(sensor->mirror, frame, packet, in_pieces);
		sensor_ip(sensor, packet);
		return;
	case DECODED_ARP:
		counters->arp++;
		tell_neighbour(sensor, packet);
		break;
	case DECODED_IGMP:
		counters->igmp++;
		break;
	case DECODED_ND:
		counters->nd++;
		tell_neighbour(sensor, packet);
		break;
	case DECODED_MALFORMED:
		counters->malformed++;
		return;
	case DECODED_CUT: /* no fault of the sender's: what is left has no ports */
		counters->truncated++;
		break;
	case DECODED_NOT_IP:
		break;
	}
	counters->out_of_scope++;
}

/*
 * Of a file the packets' times are all that is known of its clock. Where they go back it was set, and the clock waits for
 * them; where no packet comes for very long, it was set or nobody recorded: who can tell.
 */
static void file_clock(struct sensor *sensor, int64_t time_us)
{
	bool back = time_us < sensor->now_us - STEP_US;

	if (sensor->live || !sensor->now_us)
		return;
	if (back && !sensor->behind)
		outbox_blind(sensor->outbox, BLIND_CLOCK_STEP, time_us, sensor->now_us,
		             !tell_waiting(sensor));
	else if (time_us - sensor->now_us > FILE_SILENT_US)
		outbox_blind(sensor->outbox, BLIND_MIRROR_SILENT, sensor->now_us, time_us,
		             !tell_waiting(sensor));
	if (back || time_us >= sensor->now_us)
		sensor->behind = back;
}

/* It is seen before anything is done that we could die of; what counters say is told when it is counted. */
void sensor_frame(struct sensor *sensor, const struct frame *frame)
{
	struct packet packet;

	sensor->counters->seen++;
	sensor->counters->bytes += frame->wire_len;
	file_clock(sensor, frame->time_us);
	clock_set(sensor, frame->time_us);
	looking_anew(sensor);
	if (sensor->scope.scope && !scope_passes(sensor->scope.scope, frame)) {
		sensor->counters->out_of_scope++;
	} else {
		packet.number = sensor->counters->seen;
		packet.time_us = sensor->now_us;
		frame_count(sensor, frame, &packet);
	}
	tell_health_when_due(sensor);
}

bool sensor_looks_ahead(const struct sensor *sensor)
{
	return flowtab_count(sensor->tab) >= AHEAD_FLOWS;
}

void sensor_expect(struct sensor *sensor, const struct frame *frame)
{
	ahead_look(&sensor->ahead, sensor->tab, frame);
}

/* Nothing that was seen before is of the time that now begins. */
static void forget_all(struct sensor *sensor)
{
	retire_all(sensor);
	sensor->due_us = 0;
	memset(sensor->fragments, 0, sizeof(*sensor->fragments));
	memset(sensor->neighbours, 0, sizeof(*sensor->neighbours));
	queries_clear(sensor->queries);
	requests_clear(sensor->requests);
}

static void clock_back(struct sensor *sensor, int64_t now_us)
{
	forget_all(sensor);
	outbox_blind(sensor->outbox, BLIND_CLOCK_STEP, now_us, sensor->now_us, !tell_waiting(sensor));
	sensor->now_us = sensor->health_us = sensor->looking_us = now_us;
}

void sensor_clock(struct sensor *sensor, int64_t wall_us, int64_t mono_us)
{
	int64_t clock_us = wall_us - mono_us, step_us = clock_us - sensor->clock_us;
	int64_t now_us = wall_us - LATE_US, old_us = sensor->now_us;
	bool known = sensor->clock_known;

	sensor->clock_us = clock_us;
	sensor->clock_known = true;
	if (!sensor->live || !known || !old_us)
		return;
	if (step_us < -STEP_US && now_us < old_us) {
		clock_back(sensor, now_us);
	} else if (step_us > STEP_US && now_us > old_us) {
		outbox_blind(sensor->outbox, BLIND_CLOCK_STEP, old_us, now_us, !tell_waiting(sensor));
		clock_set(sensor, now_us);
	}
}

void sensor_idle(struct sensor *sensor, int64_t wall_us, int64_t mono_us)
{
	sensor_clock(sensor, wall_us, mono_us);
	clock_set(sensor, wall_us - LATE_US);
	received(sensor);
	tell_health_when_due(sensor);
}

void sensor_input_end(struct sensor *sensor, unsigned index, const struct captured_input *input,
                      int64_t next_us)
{
	if (!next_us || next_us < sensor->now_us - SECOND ||
	    next_us > sensor->now_us + FOLLOWS_US) {
		forget_all(sensor);
		tell_health(sensor, false);
		if (next_us)
			sensor->now_us = sensor->health_us = sensor->looking_us = 0;
	}
	outbox_input(sensor->outbox, index, input);
}

void sensor_end(struct sensor *sensor, bool last)
{
	struct flow *flow;

	outbox_must(sensor->outbox);
	retire_all(sensor);
	tell_waiting(sensor);
	/* Only where the recorder is gone for good. */
	while ((flow = flowtab_oldest_over(sensor->tab))) {
		sensor->counters->evicted++;
		flow_drop(sensor, flow);
	}
	tell_health(sensor, last);
}
