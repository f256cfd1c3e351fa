/*
 * fuzz_dissect.c - a conversation of one flow, payload by payload, each in memory of just its size.
 *   | flags 1: 1 TCP, 2 seen from its SYN | ports 4 | payloads: length 2, of which bit 15 is the side, bit 14
 *   says that 100 bytes before it were lost, bit 13 that the snap length cut it, and bit 12 that it begins
 *   100 bytes before the last one did; bytes |
 */
#include "dissectors/dissect.h"

#include <assert.h>

enum { FLAG_TCP = 1, FLAG_SYN = 2 };
enum { SIDE = 0x8000, LOST = 0x4000, CUT = 0x2000, BACK = 0x1000, LENGTH = 0x0fff };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint16_t be16(const uint8_t *b)
{
	return (uint16_t)(b[0] << 8 | b[1]);
}

static void check(const struct flow_facts *facts, const char *name, const struct learnt *learnt)
{
	assert(facts->app < APP_COUNT && facts->evidence <= EVIDENCE_DISSECTOR);
	assert((facts->app == APP_NONE) == (facts->evidence == EVIDENCE_NONE));
	assert(facts->initiator <= 2 && facts->initiator_by <= INITIATOR_SYN);
	assert(facts->media < 8 && facts->ice < 4 && facts->mtls <= MTLS_YES);
	assert(strnlen(name, NAME_MAX_LEN + 1) <= NAME_MAX_LEN);
	assert((facts->name_kind == NAME_NONE) == !*name);
	assert(learnt->name_count <= LEARNT_NAMES_MAX);
	for (unsigned i = 0; i < learnt->name_count; i++)
		assert(*learnt->name[i].name && strlen(learnt->name[i].name) <= NAME_MAX_LEN);
	assert(!learnt->has_lease || (learnt->lease.dns_count <= ARRAY_LEN(learnt->lease.dns) &&
	                              learnt->lease.mask_bits <= 32));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct flow_facts facts = {.initiator = 2};
	char name[NAME_MAX_LEN + 1] = "";
	struct young young = {0};
	struct learnt learnt;
	uint64_t shed = 0;
	struct streams *streams;
	uint32_t seq[2] = {1000, 2000}, last[2] = {1000, 2000};
	uint16_t ports[2];
	bool more = true;

	if (size < 5)
		return 0;
	facts.transport = data[0] & FLAG_TCP ? TRANSPORT_TCP : TRANSPORT_UDP;
	facts.midstream = facts.transport == TRANSPORT_TCP && !(data[0] & FLAG_SYN);
	if (facts.transport == TRANSPORT_TCP && !facts.midstream) {
		facts.initiator = 0;
		facts.initiator_by = INITIATOR_SYN;
		facts.tcp_flags[0] = facts.tcp_flags[1] = TCP_SYN;
		stream_open(&young.stream[0], seq[0]);
		stream_open(&young.stream[1], seq[1]);
	}
	streams = streams_new(2, &shed);
	if (!streams)
		return 0;
	ports[0] = be16(data + 1);
	ports[1] = be16(data + 3);
	data += 5;
	size -= 5;
	while (size >= 2 && more) {
		uint16_t head = be16(data);
		unsigned side = !!(head & SIDE);
		uint32_t len = head & LENGTH;
		CLEANUP(freep) uint8_t *payload = NULL;
		struct packet packet = {.ip_version = 4,
		                        .transport = facts.transport,
		                        .src_port = ports[side],
		                        .dst_port = ports[!side],
		                        .tcp_flags = TCP_ACK};

		data += 2;
		size -= 2;
		if (len > size)
			len = (uint32_t)size;
		payload = malloc(len ? len : 1);
		if (!payload)
			abort();
		memcpy(payload, data, len);
		data += len;
		size -= len;
		seq[side] += head & LOST ? 100 : 0;
		packet.tcp_seq = head & BACK ? last[side] - 100 : seq[side];
		last[side] = packet.tcp_seq;
		packet.payload = payload;
		packet.payload_len = len;
		packet.payload_wire_len = len + (head & CUT ? 40 : 0);
		if ((int32_t)(packet.tcp_seq + packet.payload_wire_len - seq[side]) > 0)
			seq[side] = packet.tcp_seq + packet.payload_wire_len;
		if (!packet.payload_wire_len)
			continue;
		more = dissect_payload(&packet, side, &facts, name, &young, streams,
		                       &learnt);
		check(&facts, name, &learnt);
	}
	dissect_end(&facts, name, &young, streams, &learnt);
	check(&facts, name, &learnt);
	streams_free(streams);
	return 0;
}
