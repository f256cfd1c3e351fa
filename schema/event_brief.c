/*
 * event_brief.c - see event_brief.h. Whether one says all is not reasoned about: it is made whole again and compared.
 */
#include "schema/event_brief.h"

static void facts_fill(const struct event_brief *brief, struct flow_facts *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->id = brief->id;
	ret->first_us = ret->first_try_us = brief->first_us;
	/* As numbers without a sign: what a sensor that was taken over wrote may lie anywhere. */
	ret->last_us = (int64_t)((uint64_t)brief->first_us + brief->last_after_us);
	ret->last_try_us = ret->last_us;
	ret->end[0] = brief->end[0];
	ret->end[1] = brief->end[1];
	ret->packets[0] = brief->packets;
	ret->bytes[0] = brief->bytes;
	ret->transport = TRANSPORT_TCP;
	ret->ip_version = brief->ip_version;
	ret->vlan = brief->vlan;
	ret->initiator_by = INITIATOR_SYN;
	ret->tcp_flags[0] = brief->tcp_flags;
	ret->outcome = brief->outcome;
	ret->asked = ASKED_SYN;
	ret->settled_by = SETTLED_END;
	ret->tries = brief->packets;
	ret->silent_s = brief->silent_s;
	ret->tunnel = brief->tunnel;
	memset(ret->payload_types, 0xff, sizeof(ret->payload_types));
}

bool event_brief_fill(const struct flow_facts *facts, struct event_brief *ret)
{
	struct flow_facts whole;

	/* Nearly all that do not fit. */
	if (facts->transport != TRANSPORT_TCP || facts->packets[1] || facts->payload_packets)
		return false;
	ret->id = facts->id;
	ret->first_us = facts->first_us;
	ret->end[0] = facts->end[0];
	ret->end[1] = facts->end[1];
	ret->bytes = (uint32_t)facts->bytes[0];
	ret->last_after_us = (uint32_t)(facts->last_us - facts->first_us);
	ret->vlan = facts->vlan;
	ret->packets = (uint8_t)facts->packets[0];
	ret->tcp_flags = facts->tcp_flags[0];
	ret->outcome = facts->outcome;
	ret->silent_s = facts->silent_s;
	ret->tunnel = facts->tunnel;
	ret->ip_version = facts->ip_version;
	facts_fill(ret, &whole);
	return !memcmp(&whole, facts, sizeof(whole));
}

const struct event *event_whole(const struct event *event, struct event_flow *whole)
{
	if (event->type != EVENT_FLOW_BRIEF || event->len != sizeof(struct event_brief))
		return event;
	whole->head = *event;
	whole->head.len = sizeof(*whole);
	whole->head.type = EVENT_FLOW_END;
	facts_fill((const struct event_brief *)event, &whole->facts);
	memset(&whole->name_len, 0, sizeof(*whole) - offsetof(struct event_flow, name_len));
	return &whole->head;
}
