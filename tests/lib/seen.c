/*
 * seen.c - see seen.h.
 */
#include "tests/lib/seen.h"

static enum link link_of(const struct wire *w)
{
	switch (wire_linktype(w)) {
	case WIRE_ETHERNET:
		return LINK_ETHERNET;
	case WIRE_SLL:
		return LINK_SLL;
	case WIRE_SLL2:
		return LINK_SLL2;
	case WIRE_RAW:
		return LINK_RAW;
	case WIRE_NULL:
	case WIRE_LOOP:
		return LINK_LOOPBACK;
	}
	abort();
}

enum decoded seen_packet(const struct wire *w, size_t index, struct packet *ret,
                         uint8_t **ret_bytes)
{
	struct wire_frame frame = wire_packet(w, index);
	uint8_t *bytes = malloc(frame.caplen ? frame.caplen : 1);

	if (!bytes)
		abort();
	memcpy(bytes, frame.data, frame.caplen);
	*ret_bytes = bytes;
	memset(ret, 0, sizeof(*ret));
	ret->number = index + 1;
	ret->time_us = frame.time_us;
	return packet_decode(link_of(w), bytes, frame.caplen, frame.len, ret);
}

static void begin(struct seen *seen, const struct packet *packet)
{
	struct flow_facts *facts = &seen->facts;

	facts->end[0] = (struct endpoint){packet->src, packet->src_mac, packet->src_port};
	facts->end[1] = (struct endpoint){packet->dst, packet->dst_mac, packet->dst_port};
	facts->transport = packet->transport;
	facts->ip_version = packet->ip_version;
	facts->initiator = 2;
	facts->midstream = packet->transport == TRANSPORT_TCP && !(packet->tcp_flags & TCP_SYN);
}

static void note(struct seen *seen, const struct learnt *learnt)
{
	seen->names += learnt->name_count;
	if (learnt->name_count || learnt->names_refused || learnt->has_lease)
		seen->learnt = *learnt;
}

void seen_show(struct seen *seen, const struct packet *packet)
{
	struct flow_facts *facts = &seen->facts;
	struct learnt learnt;
	unsigned side;

	if (!facts->transport)
		begin(seen, packet);
	side = !addr_equal(&packet->src, &facts->end[0].addr) ||
	       packet->src_port != facts->end[0].port;
	facts->tcp_flags[side] |= packet->tcp_flags;
	if (packet->transport == TRANSPORT_TCP && packet->tcp_flags & TCP_SYN &&
	    !facts->midstream) {
		facts->initiator = (uint8_t)(packet->tcp_flags & TCP_ACK ? !side : side);
		facts->initiator_by = INITIATOR_SYN;
		stream_open(&seen->young.stream[side], packet->tcp_seq + 1);
	}
	if (!seen->more || !packet->payload_wire_len ||
	    (packet->transport != TRANSPORT_TCP && packet->transport != TRANSPORT_UDP))
		return;
	seen->payloads++;
	seen->more = dissect_payload(packet, side, facts, seen->name, &seen->young,
	                             seen->streams, &learnt);
	note(seen, &learnt);
}

void seen_end(struct seen *seen)
{
	struct learnt learnt;

	dissect_end(&seen->facts, seen->name, &seen->young, seen->streams, &learnt);
	note(seen, &learnt);
}

struct seen *seen_new(void)
{
	struct seen *seen = calloc(1, sizeof(*seen));

	if (!seen)
		abort();
	seen->streams = streams_new(4, &seen->shed);
	if (!seen->streams)
		abort();
	seen->more = true;
	return seen;
}

struct seen *seen_of(const struct wire *w)
{
	struct seen *seen = seen_new();

	for (size_t i = 0; i < wire_count(w); i++) {
		CLEANUP(freep) uint8_t *bytes = NULL;
		struct packet packet;

		if (seen_packet(w, i, &packet, &bytes) == DECODED_IP && !packet.fragment_later)
			seen_show(seen, &packet);
	}
	seen_end(seen);
	return seen;
}

void seen_freep(struct seen **seen)
{
	if (*seen)
		streams_free((*seen)->streams);
	free(*seen);
	*seen = NULL;
}
