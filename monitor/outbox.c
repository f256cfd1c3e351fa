/*
 * outbox.c - see outbox.h. Invariants:
 *  (1) What waits in the queue is in the order of its numbers, and nothing that would wait overtakes it.
 *  (2) No health event goes out before the event of the beginning.
 *  (3) Nothing is allocated after outbox_new().
 */
#include "monitor/outbox.h"
#include "dissectors/decode.h"

/* Room beyond the names for what is rare and must not be lost: the beginning, clock steps. */
#define QUEUE_MAX (OUTBOX_NAMES_MAX + 64)

/* As long as the longest that waits, a name; a multiple of 8. */
#define WAITING_BYTES ((sizeof(struct event_name) + NAME_MAX_LEN + 7) / 8 * 8)
_Static_assert(sizeof(struct event_lease) <= WAITING_BYTES, "a lease fits into the queue");

struct waiting {
	uint64_t number;
	size_t len;
	union {
		struct event head;
		uint8_t bytes[WAITING_BYTES];
	};
};

struct outbox {
	struct outbox_options options;
	struct counters *counters;
	bool must;
	bool begun; /* the event of the beginning is written */
	uint64_t numbers;
	uint32_t first, count; /* of the queue, a circle */
	uint32_t forget_first, forget_count;
	uint64_t forgets[OUTBOX_FORGETS_MAX];
	struct waiting queue[QUEUE_MAX];
};

struct outbox *outbox_new(const struct outbox_options *options, struct counters *counters)
{
	struct outbox *outbox = calloc(1, sizeof(*outbox));

	if (!outbox)
		return NULL;
	outbox->options = *options;
	outbox->counters = counters;
	return outbox;
}

void outbox_free(struct outbox *outbox)
{
	free(outbox);
}

void outbox_must(struct outbox *outbox)
{
	outbox->must = true;
}

bool outbox_waits(const struct outbox *outbox)
{
	return outbox->count || outbox->forget_count;
}

uint64_t outbox_wait_number(struct outbox *outbox)
{
	return ++outbox->numbers;
}

/* Room on a ring; its reader is let work until there is some. */
static void *event_new(struct outbox *outbox, struct ring *ring, enum event_type type,
                       size_t len)
{
	bool must = outbox->must && ring == outbox->options.facts;
	struct event *event;

	while (!(event = ring_reserve(ring, len)))
		if (!outbox->options.full(outbox->options.context, must))
			return NULL;
	event->type = (uint16_t)type;
	return event;
}

static void *fact_new(struct outbox *outbox, enum event_type type, size_t len)
{
	struct event *event = event_new(outbox, outbox->options.facts, type, len);

	if (event)
		event->handed = ring_written(outbox->options.packets);
	return event;
}

/* ------------------------------------------------------- what waits its turn */

static bool fact_write(struct outbox *outbox, const struct event *fact, size_t len)
{
	struct event *event = fact_new(outbox, (enum event_type)fact->type, len);

	if (!event)
		return false;
	memcpy(event + 1, fact + 1, len - sizeof(*event));
	ring_publish(outbox->options.facts);
	outbox->begun |= fact->type == EVENT_BEGIN;
	return true;
}

bool outbox_flush(struct outbox *outbox, uint64_t number)
{
	while (outbox->count) {
		const struct waiting *waiting = &outbox->queue[outbox->first];

		if (waiting->number >= number)
			break;
		if (!fact_write(outbox, &waiting->head, waiting->len))
			return false;
		outbox->first = (outbox->first + 1) % QUEUE_MAX;
		outbox->count--;
	}
	return true;
}

/* Writes the event, of `len` bytes, or lets it wait; refuses it where already `most` wait. */
static void fact_put(struct outbox *outbox, const struct event *fact, size_t len, uint32_t most,
                     bool wait)
{
	struct waiting *waiting;

	if (!wait && outbox_flush(outbox, UINT64_MAX) && fact_write(outbox, fact, len))
		return;
	if (outbox->count >= most) {
		outbox->counters->told_shed++;
		return;
	}
	waiting = &outbox->queue[(outbox->first + outbox->count++) % QUEUE_MAX];
	waiting->number = outbox_wait_number(outbox);
	waiting->len = len;
	memcpy(waiting->bytes, fact, len);
}

void outbox_begin(struct outbox *outbox, int64_t time_us, bool again)
{
	struct event_begin event = {
		.head.type = EVENT_BEGIN, .time_us = time_us, .again = again};

	fact_put(outbox, &event.head, sizeof(event), QUEUE_MAX, false);
}

void outbox_blind(struct outbox *outbox, enum blind_cause cause, int64_t since_us, int64_t until_us,
                  bool wait)
{
	struct event_blind event = {
		.head.type = EVENT_BLIND,
		.since_us = since_us,
		.until_us = until_us,
		.count = cause == BLIND_CLOCK_STEP,
		.cause = (uint8_t)cause,
	};

	fact_put(outbox, &event.head, sizeof(event), QUEUE_MAX, wait);
}

static void tell_name(struct outbox *outbox, const struct learnt_name *name, uint8_t tunnel,
                      int64_t now_us, bool wait)
{
	size_t len = strnlen(name->name, NAME_MAX_LEN);
	union {
		struct event_name name;
		uint8_t bytes[WAITING_BYTES];
	} event = {.name = {
			   .head.type = EVENT_NAME,
			   .time_us = now_us,
			   .client = name->client,
			   .client_mac = name->client_mac,
			   .server = name->server,
			   .address = name->address,
			   .ttl_s = name->ttl_s,
			   .asked = name->asked,
			   .tunnel = tunnel,
			   .name_len = (uint8_t)len,
		   }};

	memcpy(event.bytes + offsetof(struct event_name, name), name->name, len);
	fact_put(outbox, &event.name.head, sizeof(event.name) + len, OUTBOX_NAMES_MAX, wait);
}

void outbox_lease(struct outbox *outbox, const struct learnt_lease *lease, uint64_t flow,
                  uint8_t tunnel, int64_t now_us, bool wait)
{
	struct event_lease event = {
		.head.type = EVENT_LEASE,
		.time_us = now_us,
		.flow = flow,
		.chaddr = lease->chaddr,
		.mask_bits = lease->mask_bits,
		.dns_count = lease->dns_count,
		.xid = lease->xid,
		.lease_s = lease->lease_s,
		.word = lease->word,
		.asked = lease->asked,
		.tunnel = tunnel,
		.address = lease->address,
		.server = lease->server,
		.router = lease->router,
	};

	memcpy(event.dns, lease->dns, sizeof(event.dns));
	fact_put(outbox, &event.head, sizeof(event), OUTBOX_NAMES_MAX, wait);
}

void outbox_learnt(struct outbox *outbox, const struct learnt *learnt, uint64_t flow,
                   uint8_t tunnel, int64_t now_us, bool wait)
{
	for (unsigned i = 0; i < learnt->name_count; i++)
		tell_name(outbox, &learnt->name[i], tunnel, now_us, wait);
	if (learnt->has_lease)
		outbox_lease(outbox, &learnt->lease, flow, tunnel, now_us, wait);
}

void outbox_neighbour(struct outbox *outbox, const struct addr *address, const struct mac *mac,
                      uint8_t tunnel, int64_t now_us, bool wait)
{
	struct event_neighbour event = {.head.type = EVENT_NEIGHBOUR,
	                                .time_us = now_us,
	                                .address = *address,
	                                .mac = *mac,
	                                .tunnel = tunnel};

	fact_put(outbox, &event.head, sizeof(event), OUTBOX_NAMES_MAX, wait);
}

/* ------------------------------------------------------- what its caller keeps */

bool outbox_brief(struct outbox *outbox, const struct event_brief *brief)
{
	struct event_brief *event = fact_new(outbox, EVENT_FLOW_BRIEF, sizeof(*event));

	if (!event)
		return false;
	memcpy(&event->head + 1, &brief->head + 1, sizeof(*event) - sizeof(event->head));
	ring_publish(outbox->options.facts);
	return true;
}

bool outbox_flow(struct outbox *outbox, enum event_type type, const struct flow_facts *facts,
                 const char *name)
{
	size_t name_len = strlen(name);
	struct event_brief brief;
	size_t len = offsetof(struct event_flow, name) + name_len;
	struct event_flow *event;

	if (type == EVENT_FLOW_END && !name_len && event_brief_fill(facts, &brief))
		return outbox_brief(outbox, &brief);
	event = fact_new(outbox, type, len > sizeof(*event) ? len : sizeof(*event));
	if (!event)
		return false;
	event->facts = *facts;
	event->name_len = (uint8_t)name_len;
	memcpy(event->name, name, name_len);
	ring_publish(outbox->options.facts);
	return true;
}

bool outbox_health(struct outbox *outbox, const struct counters *counters, uint32_t flows_open,
                   int64_t now_us, bool final)
{
	struct event_health *event =
		outbox->begun ? fact_new(outbox, EVENT_HEALTH, sizeof(*event)) : NULL;

	if (!event)
		return false;
	event->time_us = now_us;
	event->counters = *counters;
	event->flows_open = flows_open;
	event->final = final;
	ring_publish(outbox->options.facts);
	return true;
}

bool outbox_sample(struct outbox *outbox, uint64_t flow, unsigned number,
                   const struct packet *packet, enum keep keep)
{
	struct ring *facts = outbox->options.facts;
	uint32_t headers_len = packet_headers_len(packet);
	uint32_t len = keep == KEEP_HEADERS ? headers_len : packet->frame_len;
	struct event_sample *event;

	if (len > SAMPLE_BYTES)
		len = SAMPLE_BYTES;
	if (outbox->options.live &&
	    ring_written(facts) - ring_released(facts) > ring_size(facts) / 2)
		return false;
	event = event_new(outbox, facts, EVENT_SAMPLE,
	                  offsetof(struct event_sample, bytes) + len);
	if (!event)
		return false;
	event->flow = flow;
	event->time_us = packet->time_us;
	event->wire_len = packet->wire_len > len ? packet->wire_len : len;
	event->len = (uint16_t)len;
	event->headers_len = (uint16_t)(headers_len < len ? headers_len : len);
	event->link = packet->link;
	event->number = (uint8_t)number;
	memcpy(event->bytes, packet->frame, len);
	ring_publish(facts);
	return true;
}

void outbox_input(struct outbox *outbox, unsigned index, const struct captured_input *input)
{
	size_t note_len = strnlen(input->note, UINT8_MAX);
	struct event_input *event = fact_new(outbox, EVENT_INPUT, sizeof(*event) + note_len);

	if (!event)
		return;
	event->first_us = input->first_us;
	event->last_us = input->last_us;
	event->packets = input->packets;
	event->index = index;
	event->cut = input->cut;
	event->hashed = *input->hash != '\0';
	if (event->hashed) {
		event->size = input->size;
		memcpy(event->hash, input->hash, sizeof(event->hash));
	}
	event->note_len = (uint8_t)note_len;
	memcpy(event->note, input->note, note_len);
	ring_publish(outbox->options.facts);
}

/* ---------------------------------------------------------- to the inspector */

static bool forget_write(struct outbox *outbox, uint64_t flow)
{
	struct event_forget *event =
		event_new(outbox, outbox->options.packets, EVENT_FORGET, sizeof(*event));

	if (!event)
		return false;
	event->flow = flow;
	ring_publish(outbox->options.packets);
	return true;
}

bool outbox_flush_forgets(struct outbox *outbox)
{
	while (outbox->forget_count) {
		if (!forget_write(outbox, outbox->forgets[outbox->forget_first]))
			return false;
		outbox->forget_first = (outbox->forget_first + 1) % OUTBOX_FORGETS_MAX;
		outbox->forget_count--;
	}
	return true;
}

bool outbox_packet(struct outbox *outbox, uint64_t flow, const struct packet *packet,
                   bool first)
{
	uint32_t len = packet->ip_caplen < INSPECT_MAX ? packet->ip_caplen : INSPECT_MAX;
	struct event_packet *event = NULL;

	if (outbox_flush_forgets(outbox))
		event = event_new(outbox, outbox->options.packets, EVENT_PACKET,
		                  sizeof(*event) + len);
	if (!event)
		return false;
	event->flow = flow;
	event->time_us = packet->time_us;
	event->ip_len = (uint16_t)len;
	event->first = first;
	memcpy(event->ip, packet->ip, len);
	ring_publish(outbox->options.packets);
	return true;
}

void outbox_forget(struct outbox *outbox, uint64_t flow)
{
	if (outbox_flush_forgets(outbox) && forget_write(outbox, flow))
		return;
	if (outbox->forget_count == OUTBOX_FORGETS_MAX) {
		outbox->forget_first = (outbox->forget_first + 1) % OUTBOX_FORGETS_MAX;
		outbox->forget_count--;
	}
	outbox->forgets[(outbox->forget_first + outbox->forget_count++) % OUTBOX_FORGETS_MAX] =
		flow;
}
