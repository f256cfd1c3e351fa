/*
 * seed.h - a flow of which one packet was seen, a lone SYN: all that is known of it, in a fifth of what a flow takes.
 * Of a flood nothing else is ever kept. The flow that grows from it is what it would be without.
 */
#ifndef MONITOR_CAPTURE_SEED_H
#define MONITOR_CAPTURE_SEED_H

#include "monitor/capture/flowtab.h"
#include "schema/event_brief.h"

struct seed {
	struct flow_key key;
	uint32_t seq;
	uint64_t id; /* number of the packet */
	int64_t time_us;
	uint32_t ack, ip_id, ip_len;
	struct mac src_mac, dst_mac;
	uint16_t vlan;
	uint8_t flags;
	uint8_t side; /* of the key: its sender */
	uint8_t tunnel;
	uint8_t samples; /* copied for the recorder, or shed */
	uint8_t spare[2];
};
_Static_assert(sizeof(struct seed) == 96, "a seed is small: that is what it is for");

/* Whether a flow that begins with this packet may be a seed. */
bool seed_fits(const struct packet *packet);
void seed_fill(struct seed *seed, const struct flow_key *key, unsigned side,
               const struct packet *packet, unsigned samples);
/* The flow by now, but for the lists it is on. `goes_on`: it may have more packets. */
void seed_grow(const struct seed *seed, bool goes_on, struct flow *ret);
/* The last word on a flow that never grew, now that it is over: what outcome_write() and event_brief_fill() make of it. */
void seed_brief(const struct seed *seed, int64_t now_us, struct event_brief *ret);

#endif
