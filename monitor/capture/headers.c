/*
 * headers.c - see headers.h.
 */
#include "monitor/capture/headers.h"
#include "monitor/capture/opener.h"
#include "monitor/capture/tcp.h"

void headers_first(struct flow *flow, const struct packet *packet, unsigned side,
                   int64_t looking_us)
{
	struct flow_facts *facts = &flow->facts;

	flow->side0 = (uint8_t)side;
	facts->id = packet->number;
	facts->first_us = facts->last_us = packet->time_us;
	facts->end[0] = (struct endpoint){packet->src, packet->src_mac, packet->src_port};
	facts->end[1] = (struct endpoint){packet->dst, packet->dst_mac, packet->dst_port};
	facts->transport = packet->transport;
	facts->ip_version = packet->ip_version;
	facts->vlan = packet->vlan;
	facts->tunnel = packet->tunnel;
	facts->chaddr = flow->key.mac;
	memset(facts->payload_types, 0xff, sizeof(facts->payload_types));
	opener_begin(flow, packet, looking_us);
	flow->told_us = packet->time_us;
}

void headers_add(struct flow *flow, unsigned end, const struct packet *packet)
{
	struct flow_facts *facts = &flow->facts;

	facts->packets[end]++;
	facts->bytes[end] += packet->ip_len;
	facts->last_us = packet->time_us;
	facts->end[end].mac = packet->src_mac;
	facts->fragments += packet->fragment;
	facts->truncated += packet->truncated;
	if (packet->transport == TRANSPORT_TCP && !packet->fragment_later)
		tcp_packet(flow, end, packet);
}
