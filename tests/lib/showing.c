/*
 * showing.c - see showing.h.
 */
#include "tests/lib/showing.h"

#include "schema/event.h"

#include <assert.h>

#define START_US INT64_C(1772438400000000)
#define BLOCKS 2 /* of streams: one a direction, so that one that is not given back is missed */

static const struct addr *end_addr(const struct showing *showing, unsigned end)
{
	return &showing->facts.end[end].addr;
}

struct showing *showing_new(void)
{
	struct showing *showing = calloc(1, sizeof(*showing));

	if (!showing)
		abort();
	showing->streams = streams_new(BLOCKS, &showing->shed);
	if (!showing->streams)
		abort();
	return showing;
}

void showing_free(struct showing *showing)
{
	showing_end(showing);
	streams_free(showing->streams);
	free(showing);
}

void showing_begin(struct showing *showing, const struct sample *sample)
{
	struct flow_facts *facts = &showing->facts;

	showing_end(showing);
	memset(facts, 0, sizeof(*facts));
	memset(&showing->young, 0, sizeof(showing->young));
	memset(showing->name, 0, sizeof(showing->name));
	facts->id = 1;
	facts->first_us = facts->last_us = START_US;
	facts->transport = sample->transport;
	facts->ip_version = 4;
	facts->vlan = VLAN_NONE;
	facts->initiator = 2;
	facts->midstream = sample->midstream;
	for (unsigned i = 0; i < 2; i++) {
		facts->end[i].addr = addr_from_v4((uint8_t[]){10, 1, 0, (uint8_t)(7 + i)});
		facts->end[i].port = showing->port[i] = sample->port[i];
		showing->seq[i] = UINT32_MAX - 100 * i; /* it wraps around */
	}
	if (sample->transport == TRANSPORT_TCP && !sample->midstream) {
		facts->initiator = 0;
		facts->initiator_by = INITIATOR_SYN;
		for (unsigned i = 0; i < 2; i++) {
			facts->tcp_flags[i] = TCP_SYN | TCP_ACK;
			stream_open(&showing->young.stream[i], showing->seq[i]);
		}
	}
	showing->more = true;
	showing->learnt.name_count = 0;
	showing->learnt.has_lease = false;
	for (unsigned i = 0; i < sample->before_count; i++)
		showing_payload(showing, sample->before[i].side, sample->before[i].m.b,
		                (uint32_t)sample->before[i].m.len,
		                (uint32_t)sample->before[i].m.len);
}

/* What the recorder would refuse must never be said. */
static void check(const struct showing *showing)
{
	const struct flow_facts *facts = &showing->facts;
	size_t name_len = strnlen(showing->name, sizeof(showing->name));
	struct {
		struct event_flow flow;
		char room[NAME_MAX_LEN];
	} event;
	struct {
		struct event_name name;
		char room[NAME_MAX_LEN];
	} name;

	assert(name_len <= NAME_MAX_LEN && (facts->name_kind == NAME_NONE) == !name_len);
	assert((facts->app == APP_NONE) == (facts->evidence == EVIDENCE_NONE));
	memset(&event, 0, sizeof(event));
	event.flow.head.len = sizeof(event.flow) + 256;
	event.flow.head.type = EVENT_FLOW_END;
	event.flow.facts = *facts;
	event.flow.name_len = (uint8_t)name_len;
	memcpy((char *)&event + offsetof(struct event_flow, name), showing->name, name_len);
	assert(event_check(&event.flow.head, event.flow.head.len) == 0);
	assert(showing->learnt.name_count <= LEARNT_NAMES_MAX);
	for (unsigned i = 0; i < showing->learnt.name_count; i++) {
		const struct learnt_name *learnt = &showing->learnt.name[i];

		name_len = strnlen(learnt->name, sizeof(learnt->name));
		memset(&name, 0, sizeof(name));
		name.name.head.len = sizeof(name.name) + 256;
		name.name.head.type = EVENT_NAME;
		name.name.time_us = START_US;
		name.name.name_len = (uint8_t)name_len;
		memcpy((char *)&name + offsetof(struct event_name, name), learnt->name,
		       name_len);
		assert(event_check(&name.name.head, name.name.head.len) == 0);
	}
	assert(!showing->learnt.has_lease ||
	       (showing->learnt.lease.mask_bits <= 32 &&
	        showing->learnt.lease.dns_count <= LEASE_SERVERS));
}

void showing_segment(struct showing *showing, unsigned side, uint32_t seq, const uint8_t *data,
                     uint32_t len, uint32_t wire_len)
{
	struct packet packet = {
		.number = 1,
		.time_us = START_US,
		.wire_len = wire_len + 54,
		.ip_version = 4,
		.ip_len = wire_len + 40,
		.vlan = VLAN_NONE,
		.transport = showing->facts.transport,
		.src = *end_addr(showing, side),
		.dst = *end_addr(showing, !side),
		.src_port = showing->port[side],
		.dst_port = showing->port[!side],
		.truncated = len < wire_len,
		.payload_len = len,
		.payload_wire_len = wire_len,
	};
	CLEANUP(freep) uint8_t *bytes = malloc(len ? len : 1);

	if (!bytes)
		abort();
	if (len)
		memcpy(bytes, data, len);
	packet.payload = bytes;
	if (packet.transport == TRANSPORT_TCP) {
		packet.tcp_flags = TCP_ACK | TCP_PSH;
		packet.tcp_seq = seq;
		packet.tcp_ack = showing->seq[!side];
	}
	if (!showing->more || !wire_len)
		return;
	showing->more = dissect_payload(&packet, side, &showing->facts, showing->name,
	                                &showing->young, showing->streams, &showing->learnt);
	check(showing);
}

void showing_end(struct showing *showing)
{
	if (!showing->facts.transport)
		return;
	dissect_end(&showing->facts, showing->name, &showing->young, showing->streams,
	            &showing->learnt);
	check(showing);
	showing->facts.transport = 0;
}

void showing_payload(struct showing *showing, unsigned side, const uint8_t *data, uint32_t len,
                     uint32_t wire_len)
{
	showing_segment(showing, side, showing->seq[side], data, len, wire_len);
	showing->seq[side] += wire_len;
}

bool showing_is_certain(const struct showing *showing, enum app app)
{
	const struct flow_facts *facts = &showing->facts;
	uint64_t media = 0;

	if (facts->evidence == EVIDENCE_DISSECTOR && facts->app == app)
		return true;
	/* Behind a relay the flow stays the relay's, and only the media tells. */
	for (unsigned i = 0; i < ARRAY_LEN(facts->media_packets); i++)
		media += facts->media_packets[i];
	return app == APP_RTP && media;
}
