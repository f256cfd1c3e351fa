/*
 * fuzz_inspector.c - what a sensor that was taken over writes on the ring of packets, and what becomes of
 * our part of the inspector that reads it. nDPI has faults of its own, and a process of its own for them:
 * it gets no more than the first byte of an IP header here.
 *   | records: how 1, flow 1, length 1, how many bytes of the event differ 1, each: offset 1, byte 1 |
 */
#include "monitor/inspector.h"

#include <assert.h>

enum { PACKET = 1, FIRST = 2, LYING = 4, REST = 8 };

#define BYTES_MAX 1

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* nDPI's tables take a moment: once for all. */
static struct inspector *inspector_of(struct ring *packets, struct ring *opinions)
{
	static struct inspector *inspector;
	const struct inspector_options options = {.packets = packets, .opinions = opinions};

	if (!inspector)
		assert(inspector_new(&options, &inspector, NULL) == 0);
	return inspector;
}

/* Of sound length and then edited; what the sensor says of it, and what is true. */
static size_t make(const uint8_t record[4], uint8_t event[EVENT_MAX])
{
	bool packet = record[0] & PACKET;
	struct event_packet *made = (struct event_packet *)(void *)event;
	size_t len = packet ? sizeof(*made) + 8 : sizeof(struct event_forget);

	made->head.len = (uint32_t)len;
	made->head.type = packet ? EVENT_PACKET : EVENT_FORGET;
	made->flow = record[1];
	if (packet) {
		made->time_us = INT64_C(1795305600000000);
		made->first = !!(record[0] & FIRST);
		made->ip_len = record[2] & BYTES_MAX;
	}
	return len;
}

static void edit(uint8_t *event, size_t len, bool lying, unsigned at, uint8_t byte)
{
	struct event_packet *made = (struct event_packet *)(void *)event;

	at %= len;
	if (at >= sizeof(made->head.len) || lying)
		event[at] = byte;
}

/* Where it would be taken, its bytes are few: see above. */
static bool is_ours(const uint8_t *event, size_t len)
{
	const struct event_packet *made = (const struct event_packet *)(const void *)event;

	return made->head.type != EVENT_PACKET || made->ip_len <= BYTES_MAX ||
	       event_check(&made->head, len) < 0;
}

static void opinions_are_sound(struct ring *opinions)
{
	const struct event *event;

	while ((event = ring_peek(opinions))) {
		assert(event_check(event, event->len) == 0 && event->type == EVENT_OPINION);
		ring_take(opinions);
		ring_release(opinions);
	}
	assert(!ring_is_broken(opinions));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct ring *packets, *opinions;
	const uint8_t *end = data + size;
	struct inspector *inspector;

	if (!packets) {
		packets = ring_new(1);
		opinions = ring_new(1);
	}
	inspector = inspector_of(packets, opinions);
	while (end - data >= 4) {
		_Alignas(8) uint8_t event[EVENT_MAX] = {0};
		size_t len = make(data, event);
		unsigned edits = data[3];
		bool lying = data[0] & LYING, rest = data[0] & REST;
		void *room;

		data += 4;
		for (; edits && end - data >= 2; edits--, data += 2)
			edit(event, len, lying, data[0], data[1]);
		if (!is_ours(event, len))
			continue;
		while (!(room = ring_reserve(packets, len)))
			assert(inspector_step(inspector, UINT32_MAX));
		memcpy(room, event, len);
		ring_publish(packets);
		if (rest)
			continue;
		inspector_step(inspector, UINT32_MAX);
		if (ring_is_broken(packets))
			ring_attach_writer(packets);
		opinions_are_sound(opinions);
	}
	/* What is left belongs to this input, and its flows too. */
	inspector_step(inspector, UINT32_MAX);
	ring_attach_writer(packets);
	ring_attach_reader(packets);
	for (uint64_t flow = 1; flow < 256; flow++) {
		struct event_forget *forget = ring_reserve(packets, sizeof(*forget));

		assert(forget);
		forget->head.type = EVENT_FORGET;
		forget->flow = flow;
		ring_publish(packets);
		inspector_step(inspector, UINT32_MAX);
	}
	opinions_are_sound(opinions);
	return 0;
}
