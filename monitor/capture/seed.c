/*
 * seed.c - see seed.h. It keeps of the packet what headers.c and copies.c read of one, and shows it to them again.
 */
#include "monitor/capture/seed.h"
#include "monitor/capture/copies.h"
#include "monitor/capture/headers.h"

#define SECOND INT64_C(1000000)

bool seed_fits(const struct packet *packet)
{
	return packet->transport == TRANSPORT_TCP &&
	       (packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST | TCP_FIN)) == TCP_SYN &&
	       !packet->payload_wire_len && !packet->fragment && !packet->fragment_later &&
	       !packet->truncated;
}

void seed_fill(struct seed *seed, const struct flow_key *key, unsigned side,
               const struct packet *packet, unsigned samples)
{
	*seed = (struct seed){
		.key = *key,
		.seq = packet->tcp_seq,
		.id = packet->number,
		.time_us = packet->time_us,
		.ack = packet->tcp_ack,
		.ip_id = packet->ip_id,
		.ip_len = packet->ip_len,
		.src_mac = packet->src_mac,
		.dst_mac = packet->dst_mac,
		.vlan = packet->vlan,
		.flags = packet->tcp_flags,
		.side = (uint8_t)side,
		.tunnel = packet->tunnel,
		.samples = (uint8_t)samples,
	};
}

void seed_grow(const struct seed *seed, bool goes_on, struct flow *ret)
{
	const struct packet packet = {
		.number = seed->id,
		.time_us = seed->time_us,
		.src_mac = seed->src_mac,
		.dst_mac = seed->dst_mac,
		.vlan = seed->vlan,
		.tunnel = seed->tunnel,
		.ip_version = seed->key.ip_version,
		.transport = seed->key.transport,
		.src = seed->key.addr[seed->side],
		.dst = seed->key.addr[!seed->side],
		.ip_id = seed->ip_id,
		.ip_len = seed->ip_len,
		.src_port = seed->key.port[seed->side],
		.dst_port = seed->key.port[!seed->side],
		.tcp_flags = seed->flags,
		.tcp_seq = seed->seq,
		.tcp_ack = seed->ack,
	};

	memset(ret, 0, sizeof(*ret));
	ret->key = seed->key;
	ret->samples = seed->samples;
	/* Who sent a SYN is known, however long we have looked. */
	headers_first(ret, &packet, seed->side, 0);
	if (goes_on)
		(void)packet_is_copy(ret, 0, &packet);
	headers_add(ret, 0, &packet);
}

/* Nobody answered, or it went to a group. */
void seed_brief(const struct seed *seed, int64_t now_us, struct event_brief *ret)
{
	const struct addr *to = &seed->key.addr[!seed->side];
	bool asked_one = !addr_is_multicast(to) && !mac_is_broadcast(&seed->dst_mac);
	int64_t silent_s = asked_one ? (now_us - seed->time_us) / SECOND : 0;

	ret->id = seed->id;
	ret->first_us = seed->time_us;
	ret->end[0] = (struct endpoint){seed->key.addr[seed->side], seed->src_mac,
	                                seed->key.port[seed->side]};
	ret->end[1] = (struct endpoint){*to, seed->dst_mac, seed->key.port[!seed->side]};
	ret->bytes = seed->ip_len;
	ret->last_after_us = 0;
	ret->vlan = seed->vlan;
	ret->packets = 1;
	ret->tcp_flags = seed->flags;
	ret->outcome = asked_one ? OUTCOME_UNANSWERED : OUTCOME_UNKNOWN;
	ret->silent_s = (uint8_t)(silent_s < UINT8_MAX ? silent_s : UINT8_MAX);
	ret->tunnel = seed->tunnel;
	ret->ip_version = seed->key.ip_version;
}
