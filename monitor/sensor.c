/*
 * sensor.c - see sensor.h. The corridor of one packet: sensor_frame() decodes and counts, packet_flow()
 * finds its flow, flow_packet() writes down what the headers say, flow_payload() shows the payload to
 * the dissectors and the inspector. Invariants:
 *  (1) Every packet read ends in exactly one counter of struct counters (schema/event.h).
 *  (2) The clock is the packet's time and never goes back, except between files that do not follow
 *      one another and when the clock was set (live), and then every flow has ended before.
 *  (3) A flow event goes out when the flow settles, every 60 s, when facts change after that, and
 *      when it ends. Where there is no room for it, it waits (flowtab.h): the latest facts go then.
 *  (4) What waits goes in the order in which it came, whether flow, name, lease or neighbour.
 */
#include "monitor/sensor.h"
#include "monitor/capture/fragments.h"
#include "monitor/capture/media.h"
#include "monitor/capture/names.h"
#include "monitor/capture/neighbours.h"
#include "monitor/capture/opener.h"
#include "monitor/capture/outcome.h"
#include "monitor/capture/queries.h"
#include "monitor/capture/tcp.h"
#include "dissectors/dissect.h"

#include <xxhash.h>

#define UPDATE_US (60 * SECOND)
#define SETTLE_US (10 * SECOND) /* after the first payload */
#define COPY_US 50000           /* copies of a SPAN follow within that (domain.md 7.4) */
#define MEDIA_PAYLOADS 64       /* a media flow without media goes on learning for so many packets */
#define AGAIN_PAYLOADS 16       /* a flow of nothing we know, when it is looked at again */
#define FOLLOWS_US \
	(60 * SECOND) /* a file that begins so soon after another goes on with its flows */
#define SILENT_US (30 * SECOND) /* live: a mirror that brought nothing for so long */
#define LATE_US \
	200000 /* live: the clock of a silent link runs so far behind, for packets come late */
#define STEP_US SECOND /* two clocks that part by more than that at once: one was set */
#define SECOND INT64_C(1000000)

struct sensor {
	struct outbox *outbox;
	struct flowtab *tab;
	struct names *names;
	struct fragments *fragments;
	struct streams *streams;
	struct neighbours *neighbours;
	struct queries *queries;
	struct counters *counters;
	const _Atomic uint32_t *inspector_off;
	bool dtls; /* sensor_options.dtls */
	struct unwrap_options unwrap;
	struct learnt learnt;
	uint32_t heard; /* live flows that the recorder was told of */
	int64_t now_us, health_us;
	int64_t looking_us;    /* since when we look without a gap that we know of; 0: since the next packet */
	int64_t frame_us;      /* of the last packet of all */
	uint64_t dropped;      /* kernel_dropped when it came */
	bool live, clock_known;
	int64_t clock_us; /* CLOCK_REALTIME less CLOCK_MONOTONIC, when they were looked at last */
};

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
	sensor->unwrap = options->unwrap;
	sensor->live = options->live;
	sensor->now_us = sensor->looking_us = sensor->frame_us = options->begin_us;
	sensor->outbox = outbox_new(&options->outbox, options->counters);
	sensor->tab = flowtab_new(&options->limits);
	sensor->names = names_new(options->names);
	sensor->fragments = calloc(1, sizeof(*sensor->fragments));
	sensor->streams = streams_new(STREAMS_DEFAULT, &options->counters->streams_shed);
	sensor->neighbours = calloc(1, sizeof(*sensor->neighbours));
	sensor->queries = queries_new();
	if (!sensor->outbox || !sensor->tab || !sensor->names || !sensor->fragments ||
	    !sensor->streams || !sensor->neighbours || !sensor->queries) {
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

/* ----------------------------------------------------------------- events */

static bool flow_write(struct sensor *sensor, struct flow *flow, enum event_type type)
{
	if (!outbox_flow(sensor->outbox, type, &flow->facts,
	                 names_text(sensor->names, flow->name)))
		return false;
	flow->told_us = sensor->now_us;
	sensor->heard += !flow->heard;
	flow->heard = true;
	return true;
}

/* Takes out a flow that is over; what was to be told of it is. */
static void flow_drop(struct sensor *sensor, struct flow *flow)
{
	sensor->heard -= flow->heard;
	names_drop(sensor->names, flow->name);
	flowtab_remove(sensor->tab, flow);
}

/* What waits is told, in its order, as far as there is room; false if some of it still waits. */
static bool tell_waiting(struct sensor *sensor)
{
	struct flow *flow;

	while ((flow = flowtab_oldest_untold(sensor->tab))) {
		if (!outbox_flush(sensor->outbox, flow->untold))
			return false;
		if (flow->idle != IDLE_OVER)
			outcome_write(&flow->facts, sensor->now_us);
		if (!flow_write(sensor, flow, (enum event_type)flow->untold_type))
			return false;
		if (flow->idle == IDLE_OVER)
			flow_drop(sensor, flow);
		else
			flowtab_told(sensor->tab, flow);
	}
	return outbox_flush(sensor->outbox, UINT64_MAX);
}

/* Something changed of a flow that goes on. If it waits already, what is new goes along. */
static void tell_flow(struct sensor *sensor, struct flow *flow, enum event_type type)
{
	if (flow->untold || (tell_waiting(sensor) && flow_write(sensor, flow, type)))
		return;
	flow->untold_type = (uint8_t)type;
	flow->told_us = sensor->now_us;
	flowtab_untold(sensor->tab, flow, outbox_wait_number(sensor->outbox));
}

/* The last word about a flow; until it is told the flow keeps its slot. */
static void tell_end(struct sensor *sensor, struct flow *flow)
{
	if (!flow->untold && tell_waiting(sensor) && flow_write(sensor, flow, EVENT_FLOW_END)) {
		flow_drop(sensor, flow);
		return;
	}
	flow->untold_type = EVENT_FLOW_END;
	flowtab_end(sensor->tab, flow, outbox_wait_number(sensor->outbox));
}

/* Names and leases that a payload told. */
static void tell_learnt(struct sensor *sensor, const struct flow *flow)
{
	const struct learnt *learnt = &sensor->learnt;

	sensor->counters->names_refused += learnt->names_refused;
	if (learnt->name_count || learnt->has_lease)
		outbox_learnt(sensor->outbox, learnt, flow->facts.id, sensor->now_us,
		              !tell_waiting(sensor));
}

/* Who says which address is its own. */
static void tell_neighbour(struct sensor *sensor, const struct packet *packet)
{
	switch (neighbours_note(sensor->neighbours, packet)) {
	case NEIGHBOUR_NEW:
		outbox_neighbour(sensor->outbox, &packet->neighbour, &packet->neighbour_mac,
		                 sensor->now_us, !tell_waiting(sensor));
		break;
	case NEIGHBOUR_REFUSED:
		sensor->counters->told_shed++;
		break;
	case NEIGHBOUR_KNOWN:
		break;
	}
}

/* Without room the next one, which is due at once, carries the sums. */
static void tell_health(struct sensor *sensor, bool final)
{
	if (outbox_health(sensor->outbox, sensor->counters, flowtab_count(sensor->tab),
	                  sensor->now_us, final))
		sensor->health_us = sensor->now_us;
}

/* What was not seen may have been the SYN of any flow that we meet next. */
static void looking_anew(struct sensor *sensor)
{
	const struct counters *counters = sensor->counters;

	if (counters->kernel_dropped != sensor->dropped || !sensor->looking_us ||
	    (sensor->live && sensor->now_us - sensor->frame_us >= SILENT_US))
		sensor->looking_us = sensor->now_us;
	sensor->dropped = counters->kernel_dropped;
	sensor->frame_us = sensor->now_us;
}

static void tell_health_when_due(struct sensor *sensor)
{
	if (sensor->now_us - sensor->health_us >= SECOND)
		tell_health(sensor, false);
}

static bool inspector_is_off(const struct sensor *sensor)
{
	return sensor->inspector_off &&
	       atomic_load_explicit(sensor->inspector_off, memory_order_relaxed);
}

static void inspector_hand(struct sensor *sensor, struct flow *flow,
                           const struct packet *packet)
{
	if (inspector_is_off(sensor) ||
	    !outbox_packet(sensor->outbox, flow->facts.id, packet, !flow->opened)) {
		sensor->counters->inspect_shed++;
		return;
	}
	sensor->counters->inspected++;
	flow->opened = true;
	flow->facts.inspected_packets++;
}

/* The inspector says its last word about the flow; it is on its way before the fact that follows. */
static void inspector_forget(struct sensor *sensor, struct flow *flow)
{
	/* One that is off has nothing to forget: its successor begins empty. */
	if (flow->opened && !inspector_is_off(sensor))
		outbox_forget(sensor->outbox, flow->facts.id);
	flow->opened = false;
}

/* ------------------------------------------------------ settling, retiring */

static bool still_learns(const struct flow *flow)
{
	return flow->facts.app == APP_DNS || flow->facts.app == APP_DHCP ||
	       flow->facts.app == APP_LLMNR;
}

/* Shows the dissectors a packet, or with NULL what still waits for one that is missing. */
static bool flow_show(struct sensor *sensor, struct flow *flow, unsigned end,
                      const struct packet *packet)
{
	struct flow_facts *facts = &flow->facts;
	uint8_t name_kind = facts->name_kind;
	char name[NAME_MAX_LEN + 1];
	bool more = false;

	text_copy(name, sizeof(name), names_text(sensor->names, flow->name));
	if (packet)
		more = dissect_payload(packet, end, facts, name, flow->young, sensor->streams,
		                       &sensor->learnt);
	else
		dissect_end(facts, name, flow->young, sensor->streams, &sensor->learnt);
	if (facts->name_kind != NAME_NONE &&
	    (name_kind != facts->name_kind || !flow->name ||
	     strcmp(name, names_text(sensor->names, flow->name)))) {
		names_drop(sensor->names, flow->name);
		flow->name = names_take(sensor->names, name);
		if (!flow->name) {
			facts->name_kind = NAME_NONE;
			sensor->counters->names_refused += *name != '\0';
		}
	}
	tell_learnt(sensor, flow);
	return more;
}

/* Nothing more is to be learnt of its payloads. */
static void flow_grow_old(struct sensor *sensor, struct flow *flow)
{
	if (!flow->young)
		return;
	if (dissect_waits(flow->young))
		flow_show(sensor, flow, 0, NULL);
	flowtab_make_old(sensor->tab, flow);
}

static void flow_settle(struct sensor *sensor, struct flow *flow, enum settled_by by)
{
	inspector_forget(sensor, flow);
	if (!still_learns(flow) || by == SETTLED_END)
		flow_grow_old(sensor, flow);
	if (flow->relearning ? media_relearn_end(flow) : flow->settled)
		tell_flow(sensor, flow, EVENT_FLOW_UPDATE);
	if (flow->settled)
		return;
	flow->settled = true;
	flow->facts.settled_by = (uint8_t)by;
	outcome_write(&flow->facts, sensor->now_us);
	tell_flow(sensor, flow, EVENT_FLOW_SETTLED);
}

static void flow_retire(struct sensor *sensor, struct flow *flow)
{
	inspector_forget(sensor, flow);
	flow_grow_old(sensor, flow);
	if (!flow->settled)
		flow->facts.settled_by = SETTLED_END;
	outcome_write(&flow->facts, sensor->now_us);
	tell_end(sensor, flow);
}

/*
 * The table is full. A flow that is over and could not be told is given up first, the one that waited
 * longest; else the one that was silent longest ends, and is told if there is room.
 */
static void flow_evict(struct sensor *sensor)
{
	sensor->counters->evicted++;
	tell_waiting(sensor);
	if (!flowtab_is_full(sensor->tab))
		return;
	if (!flowtab_oldest_over(sensor->tab))
		flow_retire(sensor, flowtab_longest_idle(sensor->tab));
	if (flowtab_is_full(sensor->tab))
		flow_drop(sensor, flowtab_oldest_over(sensor->tab));
}

/* Everything that happens because time has passed. */
static void sensor_tick(struct sensor *sensor)
{
	struct flow *flow;

	while ((flow = flowtab_expired(sensor->tab, sensor->now_us)))
		flow_retire(sensor, flow);
	while ((flow = flowtab_oldest_young(sensor->tab)) &&
	       sensor->now_us - flow->payload_us >= SETTLE_US) {
		if (still_learns(flow)) {
			/* It stays young; to the end of the list with it, so that others are reached. */
			if (!flow->settled)
				flow_settle(sensor, flow, SETTLED_AGE);
			flowtab_stay_young(sensor->tab, flow);
			flow->payload_us = sensor->now_us;
			continue;
		}
		flow_settle(sensor, flow, SETTLED_AGE);
	}
	tell_waiting(sensor);
	outbox_flush_forgets(sensor->outbox);
}

static void clock_set(struct sensor *sensor, int64_t time_us)
{
	if (time_us > sensor->now_us)
		sensor->now_us = time_us;
	sensor_tick(sensor);
}

static void retire_all(struct sensor *sensor)
{
	CLEANUP(freep) struct flow **flows = NULL;
	struct flow *flow;
	size_t count;

	flows = flowtab_sorted(sensor->tab, &count);
	for (size_t i = 0; i < count; i++)
		flow_retire(sensor, flows[i]);
	/* Only where there was no memory to sort them. */
	while ((flow = flowtab_longest_idle(sensor->tab)))
		flow_retire(sensor, flow);
}

/* ----------------------------------------------------------------- packets */

/*
 * Whether a SPAN has shown this packet before: same flow and direction, same IP id, lengths, TCP
 * numbers and head of the payload, among the last two. A bare ACK of IPv6 has nothing to tell a copy
 * by (a sender repeats it for every segment it misses), so it never counts as one.
 */
static bool packet_is_copy(struct flow *flow, unsigned end, const struct packet *packet)
{
	struct {
		uint32_t ip_id, ip_len, seq, ack, payload_len;
		uint16_t fragment_at;
		uint8_t flags, type, code, spare[3];
		uint8_t head[48];
	} seen = {
		.ip_id = packet->ip_id,
		.ip_len = packet->ip_len,
		.seq = packet->tcp_seq,
		.ack = packet->tcp_ack,
		.payload_len = packet->payload_wire_len,
		.fragment_at = packet->fragment_at,
		.flags = packet->tcp_flags,
		.type = packet->icmp_type,
		.code = packet->icmp_code,
	};
	struct copy_mark *marks = flow->copies[end];
	uint64_t digest;

	if (!packet->ip_id && !packet->payload_len &&
	    !(packet->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST)))
		return false;
	if (packet->payload_len)
		memcpy(seen.head, packet->payload,
		       packet->payload_len < sizeof(seen.head) ? packet->payload_len
		                                               : sizeof(seen.head));
	digest = XXH3_64bits(&seen, sizeof(seen));
	for (unsigned i = 0; i < 2; i++)
		if (marks[i].digest == digest && marks[i].time_us &&
		    packet->time_us - marks[i].time_us <= COPY_US)
			return true;
	marks[1] = marks[0];
	marks[0] = (struct copy_mark){packet->time_us, digest};
	return false;
}

static struct flow *flow_begin(struct sensor *sensor, const struct flow_key *key, unsigned side,
                               const struct packet *packet)
{
	struct flow *flow = flowtab_add(sensor->tab, key);
	struct flow_facts *facts;

	if (!flow) {
		flow_evict(sensor);
		flow = flowtab_add(sensor->tab, key);
	}
	sensor->counters->flows++;
	facts = &flow->facts;
	flow->side0 = (uint8_t)side;
	facts->id = packet->number;
	facts->first_us = facts->last_us = packet->time_us;
	facts->end[0] = (struct endpoint){packet->src, packet->src_mac, packet->src_port};
	facts->end[1] = (struct endpoint){packet->dst, packet->dst_mac, packet->dst_port};
	facts->transport = packet->transport;
	facts->ip_version = packet->ip_version;
	facts->vlan = packet->vlan;
	facts->tunnel = packet->tunnel;
	facts->chaddr = key->mac;
	memset(facts->payload_types, 0xff, sizeof(facts->payload_types));
	opener_begin(flow, packet, sensor->looking_us);
	flow->told_us = packet->time_us;
	return flow;
}

/* The flow of a packet, begun if need be; NULL for a later fragment that nothing is known of. */
static struct flow *packet_flow(struct sensor *sensor, struct packet *packet, unsigned *ret_end)
{
	struct mac client;
	bool dhcp = false;
	struct flow_key key;
	struct flow *flow;
	unsigned side;

	if (packet->fragment_later) {
		if (!fragments_find(sensor->fragments, packet, &client, &dhcp))
			return NULL;
	} else {
		dhcp = dhcp_client(packet, &client);
		if (packet->fragment)
			fragments_put(sensor->fragments, packet, dhcp ? &client : NULL);
	}
	side = flow_key_of(packet, dhcp ? &client : NULL, &key);
	flow = flowtab_find(sensor->tab, &key);
	if (flow && packet->transport == TRANSPORT_TCP && !packet->fragment_later &&
	    tcp_begins_anew(flow, side != flow->side0, packet)) {
		flow_retire(sensor, flow);
		flow = NULL;
	}
	if (flow && packet->transport == TRANSPORT_UDP && !packet->fragment_later &&
	    media_begins_anew(flow, side != flow->side0, packet)) {
		struct media_trace next = media_next(flow, packet);
		bool same_end = side == flow->side0;

		flow_retire(sensor, flow);
		flow = flow_begin(sensor, &key, side, packet);
		media_begin(flow, &next, same_end);
	}
	if (!flow)
		flow = flow_begin(sensor, &key, side, packet);
	*ret_end = side != flow->side0;
	return flow;
}

static enum idle flow_idle(const struct flow *flow)
{
	switch (flow->facts.transport) {
	case TRANSPORT_TCP:
		return tcp_idle(flow);
	case TRANSPORT_UDP:
		return IDLE_UDP;
	case TRANSPORT_ICMP:
	case TRANSPORT_ICMP6:
		return IDLE_ICMP;
	default:
		return IDLE_OTHER;
	}
}

/* Enough packets were seen; of media and of streams known it is the dissectors that say so. */
static bool budget_is_spent(const struct flow *flow)
{
	const struct flow_facts *facts = &flow->facts;

	if (flow->relearning)
		return !media_is(facts) && flow->young->payloads[0] + flow->young->payloads[1] >=
		                                   AGAIN_PAYLOADS;
	if (facts->app == APP_RTP || facts->media)
		return false;
	if (facts->transport == TRANSPORT_TCP && facts->evidence == EVIDENCE_DISSECTOR &&
	    !media_is(facts))
		return false;
	return facts->payload_packets >= (media_is(facts)                       ? MEDIA_PAYLOADS
	                                  : facts->transport == TRANSPORT_TCP ? INSPECT_TCP
	                                                                      : INSPECT_UDP);
}

/* An answer to what was asked of a group: its query was another flow. */
static void flow_solicited(struct sensor *sensor, struct flow *flow)
{
	if (flow->facts.solicited)
		return;
	flow->facts.solicited = 1;
	outcome_write(&flow->facts, sensor->now_us);
	if (flow->settled)
		tell_flow(sensor, flow, EVENT_FLOW_UPDATE);
}

/* Query and answer find each other, whichever of them the mirror showed first. */
static void query_join(struct sensor *sensor, struct flow *flow, const struct packet *packet)
{
	uint16_t id = sensor->learnt.query_id;
	struct flow_key key;
	struct flow *early;

	if (sensor->learnt.query == QUERY_ANSWERED) {
		if (queries_answer(sensor->queries, packet, id, &flow->key))
			flow_solicited(sensor, flow);
	} else if (sensor->learnt.query == QUERY_ASKED && addr_is_multicast(&packet->dst)) {
		queries_ask(sensor->queries, packet, id);
		while (queries_early(sensor->queries, packet, id, &key))
			if ((early = flowtab_find(sensor->tab, &key)))
				flow_solicited(sensor, early);
	}
}

static void flow_payload(struct sensor *sensor, struct flow *flow, unsigned end,
                         const struct packet *packet)
{
	struct flow_facts *facts = &flow->facts;
	bool tcp = facts->transport == TRANSPORT_TCP;
	bool more;

	if (facts->payload_packets < UINT16_MAX)
		facts->payload_packets++;
	if (!flow->payload_us || media_relearns(flow, packet)) {
		if (flow->settled)
			media_relearn_begin(flow);
		flow->payload_us = packet->time_us;
		if (!flowtab_make_young(sensor->tab, flow)) {
			/* All are taken: the one that had most time gives its place. */
			flow_settle(sensor, flowtab_oldest_young(sensor->tab), SETTLED_BUDGET);
			if (!flowtab_make_young(sensor->tab, flow))
				return;
		}
	}
	if (!flow->young)
		return;
	for (unsigned i = 0; tcp && !flow->relearning && i < 2; i++)
		if (facts->tcp_flags[i] & TCP_SYN)
			stream_open(&flow->young->stream[i], flow->syn_seq[i] + 1);
	more = flow_show(sensor, flow, end, packet);
	query_join(sensor, flow, packet);
	if (flow->settled && !flow->relearning)
		return;
	if (!flow->settled &&
	    (facts->app == APP_DTLS ? sensor->dtls : facts->evidence != EVIDENCE_DISSECTOR) &&
	    facts->inspected_packets < (tcp ? INSPECT_TCP : INSPECT_UDP) && !packet->truncated)
		inspector_hand(sensor, flow, packet);
	if (!more && !(facts->app == APP_DTLS && sensor->dtls))
		flow_settle(sensor, flow, SETTLED_DISSECTOR);
	else if (!dissect_waits(flow->young) && budget_is_spent(flow))
		flow_settle(sensor, flow, SETTLED_BUDGET);
}

static void flow_packet(struct sensor *sensor, struct flow *flow, unsigned end,
                        const struct packet *packet)
{
	struct flow_facts *facts = &flow->facts;

	facts->packets[end]++;
	facts->bytes[end] += packet->ip_len;
	facts->last_us = packet->time_us;
	facts->end[end].mac = packet->src_mac;
	facts->fragments += packet->fragment;
	facts->truncated += packet->truncated;
	if (packet->transport == TRANSPORT_TCP && !packet->fragment_later)
		tcp_packet(flow, end, packet);
	flowtab_touch(sensor->tab, flow, flow_idle(flow));
	if (packet->payload_wire_len && !packet->fragment_later) {
		bool news = media_packet(flow, end, packet);

		flow_payload(sensor, flow, end, packet);
		if (news) {
			outcome_write(facts, sensor->now_us);
			tell_flow(sensor, flow, EVENT_FLOW_UPDATE);
		}
	}
	/* A flow that settled by the packet above told so now. */
	if (flow->settled && sensor->now_us - flow->told_us >= UPDATE_US) {
		outcome_write(&flow->facts, sensor->now_us);
		tell_flow(sensor, flow, EVENT_FLOW_UPDATE);
	}
}

/* An ICMP error belongs to the flow it quotes (design.md 3); false if we do not know that flow. */
static bool icmp_error(struct sensor *sensor, const struct packet *packet)
{
	struct packet quoted = {
		.src = packet->quoted_src,
		.dst = packet->quoted_dst,
		.src_port = packet->quoted_src_port,
		.dst_port = packet->quoted_dst_port,
		.transport = packet->quoted_transport,
		.ip_version = packet->ip_version,
	};
	struct flow_key key;
	unsigned side = flow_key_of(&quoted, NULL, &key);
	struct flow *flow = flowtab_find(sensor->tab, &key);

	if (!flow)
		return false;
	outcome_error(&flow->facts, side != flow->side0, packet);
	return true;
}

static void sensor_ip(struct sensor *sensor, struct packet *packet)
{
	struct flow *flow;
	unsigned end;

	if (packet->quoted) {
		if (icmp_error(sensor, packet)) {
			sensor->counters->in_flows++;
		} else {
			sensor->counters->errors_lost++;
			sensor->counters->out_of_scope++;
		}
		return;
	}
	flow = packet_flow(sensor, packet, &end);
	if (!flow) {
		sensor->counters->fragments_lost++;
		return;
	}
	if (packet_is_copy(flow, end, packet)) {
		flow->facts.duplicates++;
		sensor->counters->duplicates++;
		return;
	}
	sensor->counters->in_flows++;
	flow_packet(sensor, flow, end, packet);
}

/* Into exactly one counter. */
static void frame_count(struct sensor *sensor, const struct frame *frame, struct packet *packet)
{
	struct counters *counters = sensor->counters;
	enum decoded decoded = packet_decode(frame->link, frame->bytes, frame->caplen,
	                                     frame->wire_len, packet);

	if (decoded == DECODED_IP)
		decoded = unwrap(&sensor->unwrap, sensor->fragments, packet, counters);
	switch (decoded) {
	case DECODED_IP:
		counters->truncated += packet->truncated;
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

/* It is seen before anything is done that we could die of; what counters say is told when it is counted. */
void sensor_frame(struct sensor *sensor, const struct frame *frame)
{
	struct packet packet;

	sensor->counters->seen++;
	sensor->counters->bytes += frame->wire_len;
	clock_set(sensor, frame->time_us);
	looking_anew(sensor);
	packet.number = sensor->counters->seen;
	packet.time_us = sensor->now_us;
	frame_count(sensor, frame, &packet);
	tell_health_when_due(sensor);
}

/* Nothing that was seen before is of the time that now begins. */
static void clock_back(struct sensor *sensor, int64_t now_us)
{
	retire_all(sensor);
	memset(sensor->fragments, 0, sizeof(*sensor->fragments));
	memset(sensor->neighbours, 0, sizeof(*sensor->neighbours));
	queries_clear(sensor->queries);
	outbox_clock_step(sensor->outbox, now_us, sensor->now_us, !tell_waiting(sensor));
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
		outbox_clock_step(sensor->outbox, old_us, now_us, !tell_waiting(sensor));
		clock_set(sensor, now_us);
	}
}

void sensor_idle(struct sensor *sensor, int64_t wall_us, int64_t mono_us)
{
	sensor_clock(sensor, wall_us, mono_us);
	clock_set(sensor, wall_us - LATE_US);
	tell_health_when_due(sensor);
}

void sensor_input_end(struct sensor *sensor, unsigned index, const struct captured_input *input,
                      int64_t next_us)
{
	if (!next_us || next_us < sensor->now_us - SECOND ||
	    next_us > sensor->now_us + FOLLOWS_US) {
		retire_all(sensor);
		tell_health(sensor, false);
		queries_clear(sensor->queries);
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
