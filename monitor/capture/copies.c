/*
 * copies.c - see copies.h.
 */
#include "monitor/capture/copies.h"

#define XXH_INLINE_ALL /* of a length that is known it is a few instructions */
#include <xxhash.h>

#define COPY_US 50000 /* copies follow within that (domain.md 7.4) */

bool packet_is_copy(struct flow *flow, unsigned end, const struct packet *packet)
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
