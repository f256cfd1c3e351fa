/*
 * outbox.c - see outbox.h.
 */
#include "monitor/outbox.h"

/* Room on a ring; its reader is let work until there is some. */
static void *event_new(struct outbox *outbox, struct ring *ring, enum event_type type,
                       size_t len)
{
	struct event *event;

	while (!(event = ring_reserve(ring, len)))
		if (!outbox->full(outbox->context))
			return NULL;
	event->type = (uint16_t)type;
	return event;
}

static void *fact_new(struct outbox *outbox, enum event_type type, size_t len)
{
	struct event *event = event_new(outbox, outbox->facts, type, len);

	event->handed = ring_written(outbox->packets);
	return event;
}

void outbox_flow(struct outbox *outbox, enum event_type type, const struct flow_facts *facts,
                 const char *name)
{
	size_t name_len = strlen(name);
	size_t len = offsetof(struct event_flow, name) + name_len;
	struct event_flow *event =
		fact_new(outbox, type, len > sizeof(*event) ? len : sizeof(*event));

	event->facts = *facts;
	event->name_len = (uint8_t)name_len;
	memcpy(event->name, name, name_len);
	ring_publish(outbox->facts);
}

static void tell_name(struct outbox *outbox, const struct learnt_name *name, int64_t now_us)
{
	size_t len = strnlen(name->name, NAME_MAX_LEN);
	struct event_name *event = fact_new(outbox, EVENT_NAME, sizeof(*event) + len);

	event->time_us = now_us;
	event->client = name->client;
	event->server = name->server;
	event->address = name->address;
	event->ttl_s = name->ttl_s;
	event->name_len = (uint8_t)len;
	memcpy(event->name, name->name, len);
	ring_publish(outbox->facts);
}

static void tell_lease(struct outbox *outbox, const struct learnt_lease *lease, uint64_t flow,
                       int64_t now_us)
{
	struct event_lease *event = fact_new(outbox, EVENT_LEASE, sizeof(*event));

	event->time_us = now_us;
	event->flow = flow;
	event->chaddr = lease->chaddr;
	event->mask_bits = lease->mask_bits;
	event->dns_count = lease->dns_count;
	event->xid = lease->xid;
	event->lease_s = lease->lease_s;
	event->address = lease->address;
	event->server = lease->server;
	event->router = lease->router;
	memcpy(event->dns, lease->dns, sizeof(event->dns));
	ring_publish(outbox->facts);
}

void outbox_learnt(struct outbox *outbox, const struct learnt *learnt, uint64_t flow,
                   int64_t now_us)
{
	for (unsigned i = 0; i < learnt->name_count; i++)
		tell_name(outbox, &learnt->name[i], now_us);
	if (learnt->has_lease)
		tell_lease(outbox, &learnt->lease, flow, now_us);
}

void outbox_health(struct outbox *outbox, const struct counters *counters, uint32_t flows_open,
                   int64_t now_us, bool final)
{
	struct event_health *event = fact_new(outbox, EVENT_HEALTH, sizeof(*event));

	event->time_us = now_us;
	event->counters = *counters;
	event->flows_open = flows_open;
	event->final = final;
	ring_publish(outbox->facts);
}

void outbox_input(struct outbox *outbox, unsigned index, const struct captured_input *input)
{
	size_t note_len = strnlen(input->note, UINT8_MAX);
	struct event_input *event = fact_new(outbox, EVENT_INPUT, sizeof(*event) + note_len);

	event->first_us = input->first_us;
	event->last_us = input->last_us;
	event->packets = input->packets;
	event->index = index;
	event->cut = input->cut;
	event->note_len = (uint8_t)note_len;
	memcpy(event->note, input->note, note_len);
	ring_publish(outbox->facts);
}

void outbox_packet(struct outbox *outbox, uint64_t flow, const struct packet *packet,
                   bool first)
{
	uint32_t len = packet->ip_caplen < INSPECT_MAX ? packet->ip_caplen : INSPECT_MAX;
	struct event_packet *event =
		event_new(outbox, outbox->packets, EVENT_PACKET, sizeof(*event) + len);

	event->flow = flow;
	event->time_us = packet->time_us;
	event->ip_len = (uint16_t)len;
	event->first = first;
	memcpy(event->ip, packet->ip, len);
	ring_publish(outbox->packets);
}

void outbox_forget(struct outbox *outbox, uint64_t flow)
{
	struct event_forget *event =
		event_new(outbox, outbox->packets, EVENT_FORGET, sizeof(*event));

	event->flow = flow;
	ring_publish(outbox->packets);
}
