/*
 * sensor_flow.c - the flow of a packet and what becomes of it; see sensor_parts.h. packet_flow() finds or
 * begins it, flow_packet() writes down what the headers say, flow_payload() shows the payload to the
 * dissectors and the inspector, flow_settle() and flow_retire() tell of it.
 */
#include "monitor/sensor_parts.h"
#include "monitor/capture/call.h"
#include "monitor/capture/headers.h"
#include "monitor/capture/outcome.h"
#include "monitor/capture/tcp.h"

#define UPDATE_US (60 * SECOND)
#define MEDIA_PAYLOADS 64       /* a media flow without media goes on learning for so many packets */
#define AGAIN_PAYLOADS 16       /* a flow of nothing we know, when it is looked at again */
#define SECOND INT64_C(1000000)

/* Of these every payload is read, for as long as they go on. */
static bool still_learns(const struct flow *flow)
{
	return dissect_goes_on((enum app)flow->facts.app);
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
		scope_hear_flow(sensor, facts, name);
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

void flow_settle(struct sensor *sensor, struct flow *flow, enum settled_by by)
{
	inspector_forget(sensor, flow);
	if (!still_learns(flow))
		flow_grow_old(sensor, flow);
	else if (flow->young)
		flowtab_stay_young(sensor->tab, flow);
	if (flow->relearning ? call_relearn_end(flow) : flow->settled)
		tell_flow(sensor, flow, EVENT_FLOW_UPDATE);
	if (flow->settled)
		return;
	flow->settled = true;
	flow->facts.settled_by = (uint8_t)by;
	outcome_write(&flow->facts, sensor->now_us);
	tell_flow(sensor, flow, EVENT_FLOW_SETTLED);
}

void flow_retire(struct sensor *sensor, struct flow *flow)
{
	inspector_forget(sensor, flow);
	flow_grow_old(sensor, flow);
	if (!flow->settled)
		flow->facts.settled_by = SETTLED_END;
	outcome_write(&flow->facts, sensor->now_us);
	if (sensor->mirror)
		mirror_flow(sensor->mirror, &flow->facts);
	tell_end(sensor, flow);
}

void number_retire(struct sensor *sensor, uint32_t number)
{
	const struct seed *seed = flowtab_seed(sensor->tab, number);

	if (seed && tell_seed_end(sensor, seed))
		flowtab_remove_seed(sensor->tab, number);
	else
		flow_retire(sensor, flowtab_at(sensor->tab, number));
}

/*
 * The table is full. A flow that is over and could not be told is given up first, the one that waited
 * longest; else the one that is missed least ends, and is told if there is room.
 */
static void flow_evict(struct sensor *sensor)
{
	sensor->counters->evicted++;
	tell_waiting(sensor);
	if (!flowtab_is_full(sensor->tab))
		return;
	if (!flowtab_oldest_over(sensor->tab))
		number_retire(sensor, flowtab_least_missed(sensor->tab));
	if (flowtab_is_full(sensor->tab))
		flow_drop(sensor, flowtab_oldest_over(sensor->tab));
}

static struct flow *flow_begin(struct sensor *sensor, const struct flow_key *key, unsigned side,
                               const struct packet *packet)
{
	struct flow *flow = flowtab_add(sensor->tab, key);

	if (!flow) {
		flow_evict(sensor);
		flow = flowtab_add(sensor->tab, key);
	}
	sensor->counters->flows++;
	headers_first(flow, packet, side, sensor->looking_us);
	return flow;
}

/* The same of one that nothing more is known of than this packet. */
static void flow_sow(struct sensor *sensor, const struct flow_key *key, unsigned side,
                     const struct packet *packet)
{
	unsigned samples = sensor->keep != KEEP_OFF;

	if (!flowtab_sow(sensor->tab, key, side, packet, samples)) {
		flow_evict(sensor);
		(void)flowtab_sow(sensor->tab, key, side, packet, samples);
	}
	sensor->counters->flows++;
}

struct flow *packet_flow(struct sensor *sensor, struct packet *packet, unsigned *ret_end,
                         bool *ret_sown)
{
	struct mac client;
	bool dhcp = false;
	struct flow_key key;
	struct flow *flow;
	unsigned side;

	*ret_sown = false;
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
	    call_begins_anew(flow, side != flow->side0, packet)) {
		struct call_trace next = call_next(flow, packet);
		bool same_end = side == flow->side0;

		flow_retire(sensor, flow);
		flow = flow_begin(sensor, &key, side, packet);
		call_begin(flow, &next, same_end);
	}
	if (!flow && sensor->sows && seed_fits(packet)) {
		flow_sow(sensor, &key, side, packet);
		*ret_sown = true;
		return NULL;
	}
	if (!flow)
		flow = flow_begin(sensor, &key, side, packet);
	*ret_end = side != flow->side0;
	return flow;
}

static enum idle udp_idle(const struct flow_facts *facts)
{
	bool answered = facts->packets[0] && facts->packets[1];

	if (facts->app == APP_RTP || facts->media || (answered && call_is(facts)))
		return IDLE_UDP_CALL;
	return answered ? IDLE_UDP : IDLE_UDP_LONE;
}

static enum idle flow_idle(const struct flow *flow)
{
	switch (flow->facts.transport) {
	case TRANSPORT_TCP:
		return tcp_idle(flow);
	case TRANSPORT_UDP:
		return udp_idle(&flow->facts);
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
		return !call_is(facts) && flow->young->payloads[0] + flow->young->payloads[1] >=
		                                   AGAIN_PAYLOADS;
	if (facts->app == APP_RTP || facts->media)
		return false;
	if (facts->transport == TRANSPORT_TCP && facts->evidence == EVIDENCE_DISSECTOR &&
	    !call_is(facts))
		return false;
	return facts->payload_packets >= (call_is(facts)                       ? MEDIA_PAYLOADS
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

/*
 * Where all places are taken, one that has settled and goes on learning gives its own, the one that was
 * silent longest: it gets another with its next payload. Where there is none, the one that had most
 * time settles now. What was not looked at for that is counted.
 */
static void flow_take_young(struct sensor *sensor, struct flow *flow)
{
	struct flow *other;

	if (flowtab_make_young(sensor->tab, flow))
		return;
	if (!flowtab_oldest_staying(sensor->tab)) {
		sensor->counters->young_shed++;
		flow_settle(sensor, flowtab_oldest_young(sensor->tab), SETTLED_BUDGET);
	}
	other = flowtab_oldest_staying(sensor->tab);
	if (other)
		flow_grow_old(sensor, other);
	flowtab_make_young(sensor->tab, flow);
}

/* It gave its place, and knows nothing any more of what it was asked. */
static void flow_young_again(struct sensor *sensor, struct flow *flow)
{
	sensor->counters->young_shed++;
	flow_take_young(sensor, flow);
	flowtab_stay_young(sensor->tab, flow);
}

static void flow_payload(struct sensor *sensor, struct flow *flow, unsigned end,
                         const struct packet *packet)
{
	struct flow_facts *facts = &flow->facts;
	bool tcp = facts->transport == TRANSPORT_TCP;
	bool more;

	if (facts->payload_packets < UINT16_MAX)
		facts->payload_packets++;
	if (!flow->payload_us || call_relearns(flow, packet)) {
		if (flow->settled)
			call_relearn_begin(flow);
		flow->payload_us = packet->time_us;
		flow_take_young(sensor, flow);
	} else if (flow->settled && !flow->young && still_learns(flow)) {
		flow_young_again(sensor, flow);
	}
	if (!flow->young)
		return;
	for (unsigned i = 0; tcp && !flow->settled && i < 2; i++)
		if (facts->tcp_flags[i] & TCP_SYN)
			stream_open(&flow->young->stream[i], flow->syn_seq[i] + 1);
	more = flow_show(sensor, flow, end, packet);
	query_join(sensor, flow, packet);
	if (flow->settled && !flow->relearning) {
		flowtab_stay_young(sensor->tab, flow);
		return;
	}
	if (!flow->settled &&
	    (facts->app == APP_DTLS ? sensor->dtls : facts->evidence != EVIDENCE_DISSECTOR) &&
	    facts->inspected_packets < (tcp ? INSPECT_TCP : INSPECT_UDP) && !packet->truncated)
		inspector_hand(sensor, flow, packet);
	if (!more && !(facts->app == APP_DTLS && sensor->dtls))
		flow_settle(sensor, flow, SETTLED_DISSECTOR);
	else if (!dissect_waits(flow->young) && budget_is_spent(flow))
		flow_settle(sensor, flow, SETTLED_BUDGET);
}

/*
 * What an attempt has come to is told at once where somebody waits for it: that it is answered, once it is known what
 * is spoken, or nobody asks any more; asked a second time in vain; or turned down (`error`).
 */
static void flow_prompt(struct sensor *sensor, struct flow *flow, bool error)
{
	struct flow_facts *facts = &flow->facts;
	enum outcome outcome;
	bool news;

	if (!sensor->prompt || facts->outcome == OUTCOME_ANSWERED) /* as it was told last */
		return;
	outcome = outcome_now(facts);
	if (outcome == OUTCOME_ANSWERED)
		news = flow->settled || facts->evidence == EVIDENCE_DISSECTOR;
	else
		news = error || (outcome == OUTCOME_UNANSWERED && facts->tries == 2 &&
		                 facts->last_try_us == sensor->now_us);
	if (!news)
		return;
	outcome_write(facts, sensor->now_us);
	tell_flow(sensor, flow, EVENT_FLOW_UPDATE);
}

void flow_packet(struct sensor *sensor, struct flow *flow, unsigned end,
                        const struct packet *packet)
{
	struct flow_facts *facts = &flow->facts;

	headers_add(flow, end, packet);
	flowtab_touch(sensor->tab, flow, flow_idle(flow));
	if (packet->payload_wire_len && !packet->fragment_later) {
		bool news = call_packet(flow, end, packet);

		flow_payload(sensor, flow, end, packet);
		if (news) {
			outcome_write(facts, sensor->now_us);
			tell_flow(sensor, flow, EVENT_FLOW_UPDATE);
		}
	}
	flow_prompt(sensor, flow, false);
	/* A flow that settled by the packet above told so now. */
	if (flow->settled && sensor->now_us - flow->told_us >= UPDATE_US) {
		outcome_write(&flow->facts, sensor->now_us);
		tell_flow(sensor, flow, EVENT_FLOW_UPDATE);
	}
}

bool icmp_error(struct sensor *sensor, const struct packet *packet)
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
	tell_sample(sensor, flow, packet);
	outcome_error(&flow->facts, side != flow->side0, packet);
	flow_prompt(sensor, flow, true);
	return true;
}
