/*
 * sensor_tell.c - what a sensor tells recorder and inspector, through its outbox; see sensor_parts.h.
 * Without room a flow waits in the table, and what waits goes in the order in which it came.
 */
#include "monitor/sensor_parts.h"
#include "monitor/capture/outcome.h"

#define SECOND INT64_C(1000000)

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

void flow_drop(struct sensor *sensor, struct flow *flow)
{
	sensor->heard -= flow->heard;
	names_drop(sensor->names, flow->name);
	flowtab_remove(sensor->tab, flow);
}

bool tell_waiting(struct sensor *sensor)
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

void tell_flow(struct sensor *sensor, struct flow *flow, enum event_type type)
{
	if (flow->untold || (tell_waiting(sensor) && flow_write(sensor, flow, type)))
		return;
	flow->untold_type = (uint8_t)type;
	flow->told_us = sensor->now_us;
	flowtab_untold(sensor->tab, flow, outbox_wait_number(sensor->outbox));
}

void tell_end(struct sensor *sensor, struct flow *flow)
{
	if (!flow->untold && tell_waiting(sensor) && flow_write(sensor, flow, EVENT_FLOW_END)) {
		flow_drop(sensor, flow);
		return;
	}
	flow->untold_type = EVENT_FLOW_END;
	flowtab_end(sensor->tab, flow, outbox_wait_number(sensor->outbox));
}

bool tell_seed_end(struct sensor *sensor, const struct seed *seed)
{
	struct event_brief brief;

	seed_brief(seed, sensor->now_us, &brief);
	return tell_waiting(sensor) && outbox_brief(sensor->outbox, &brief);
}

void tell_sample(struct sensor *sensor, struct flow *flow, const struct packet *packet)
{
	if (flow->samples == SAMPLE_PACKETS || sensor->keep == KEEP_OFF)
		return;
	if (!outbox_sample(sensor->outbox, flow->facts.id, flow->samples, packet, sensor->keep))
		sensor->counters->evidence_shed++;
	flow->samples++;
}

void tell_first_sample(struct sensor *sensor, const struct packet *packet)
{
	if (sensor->keep != KEEP_OFF &&
	    !outbox_sample(sensor->outbox, packet->number, 0, packet, sensor->keep))
		sensor->counters->evidence_shed++;
}

/* The flow began in it, or the packet at hand came in it. */
static uint8_t tunnel_of(const struct sensor *sensor, const struct flow *flow)
{
	return flow->facts.tunnel ? flow->facts.tunnel : sensor->tunnel;
}

/* A DHCP request and its ACK find each other, whichever of them the mirror showed first. */
static void request_join(struct sensor *sensor, const struct flow *flow)
{
	struct learnt *learnt = &sensor->learnt;
	struct acked acked;

	if (learnt->has_lease && learnt->lease.word == LEASE_GIVEN) {
		acked = (struct acked){learnt->lease, flow->facts.id, tunnel_of(sensor, flow)};
		learnt->lease.asked =
			requests_answer(sensor->requests, &acked, sensor->now_us);
	} else if (learnt->dhcp_asks &&
	           requests_ask(sensor->requests, &learnt->lease.chaddr, learnt->lease.xid,
	                        sensor->now_us, &acked)) {
		acked.lease.asked = true;
		outbox_lease(sensor->outbox, &acked.lease, acked.flow, acked.tunnel,
		             sensor->now_us, !tell_waiting(sensor));
	}
}

void tell_learnt(struct sensor *sensor, const struct flow *flow)
{
	const struct learnt *learnt = &sensor->learnt;

	request_join(sensor, flow);
	scope_hear_names(sensor);

	sensor->counters->names_refused += learnt->names_refused;
	if (learnt->name_count || learnt->has_lease)
		outbox_learnt(sensor->outbox, learnt, flow->facts.id, tunnel_of(sensor, flow),
		              sensor->now_us, !tell_waiting(sensor));
}

void tell_neighbour(struct sensor *sensor, const struct packet *packet)
{
	scope_hear_neighbour(sensor, packet);
	switch (neighbours_note(sensor->neighbours, packet)) {
	case NEIGHBOUR_NEW:
		outbox_neighbour(sensor->outbox, &packet->neighbour, &packet->neighbour_mac,
		                 packet->tunnel, sensor->now_us, !tell_waiting(sensor));
		break;
	case NEIGHBOUR_REFUSED:
		sensor->counters->told_shed++;
		break;
	case NEIGHBOUR_KNOWN:
		break;
	}
}

void tell_health(struct sensor *sensor, bool final)
{
	if (outbox_health(sensor->outbox, sensor->counters, flowtab_count(sensor->tab),
	                  sensor->now_us, final))
		sensor->health_us = sensor->now_us;
}

void tell_health_when_due(struct sensor *sensor)
{
	if (sensor->now_us - sensor->health_us >= SECOND)
		tell_health(sensor, false);
}

static bool inspector_is_off(const struct sensor *sensor)
{
	return sensor->inspector_off &&
	       atomic_load_explicit(sensor->inspector_off, memory_order_relaxed);
}

void inspector_hand(struct sensor *sensor, struct flow *flow,
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

void inspector_forget(struct sensor *sensor, struct flow *flow)
{
	/* One that is off has nothing to forget: its successor begins empty. */
	if (flow->opened && !inspector_is_off(sensor))
		outbox_forget(sensor->outbox, flow->facts.id);
	flow->opened = false;
}
