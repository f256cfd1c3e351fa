/*
 * fragments.c - see fragments.h. A direct-mapped table: a new datagram replaces whatever lies in
 * its place, so the table is never full and the loss shows in `fragments_lost`.
 */
#include "monitor/capture/fragments.h"

#include <xxhash.h>

#define KEPT_US (30 * INT64_C(1000000)) /* RFC 791 3.2 suggests 15 s for reassembly */

static size_t slot_of(const struct packet *packet)
{
	struct {
		struct addr src, dst;
		uint32_t ip_id, transport;
	} key = {packet->src, packet->dst, packet->ip_id, packet->transport};

	return XXH3_64bits(&key, sizeof(key)) % FRAGMENTS_MAX;
}

void fragments_put(struct fragments *fragments, const struct packet *packet,
                   const struct mac *client)
{
	fragments->slots[slot_of(packet)] = (struct fragment_slot){
		.src = packet->src,
		.dst = packet->dst,
		.ip_id = packet->ip_id,
		.transport = packet->transport,
		.src_port = packet->src_port,
		.dst_port = packet->dst_port,
		.dhcp = client != NULL,
		.client = client ? *client : (struct mac){{0}},
		.time_us = packet->time_us,
	};
}

void fragments_put_opened(struct fragments *fragments, const struct packet *packet)
{
	fragments_put(fragments, packet, NULL);
	fragments->slots[slot_of(packet)].opened = true;
}

static const struct fragment_slot *slot_find(const struct fragments *fragments,
                                             const struct packet *packet)
{
	const struct fragment_slot *slot = &fragments->slots[slot_of(packet)];
	int64_t age_us = packet->time_us - slot->time_us;

	if (!slot->time_us || age_us < 0 || age_us > KEPT_US ||
	    slot->ip_id != packet->ip_id || slot->transport != packet->transport ||
	    !addr_equal(&slot->src, &packet->src) || !addr_equal(&slot->dst, &packet->dst))
		return NULL;
	return slot;
}

bool fragments_is_opened(const struct fragments *fragments, const struct packet *packet)
{
	const struct fragment_slot *slot = slot_find(fragments, packet);

	return slot && slot->opened;
}

bool fragments_find(const struct fragments *fragments, struct packet *packet,
                    struct mac *ret_client, bool *ret_dhcp)
{
	const struct fragment_slot *slot = slot_find(fragments, packet);

	if (!slot)
		return false;
	packet->src_port = slot->src_port;
	packet->dst_port = slot->dst_port;
	*ret_dhcp = slot->dhcp;
	*ret_client = slot->client;
	return true;
}
