/*
 * seed.c - see seed.h. It keeps of the packet what headers.c and copies.c read of one, and shows it to them again.
 */
#include "monitor/capture/seed.h"
#include "monitor/capture/copies.h"
#include "monitor/capture/headers.h"

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
