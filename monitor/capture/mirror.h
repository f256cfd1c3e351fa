/*
 * mirror.h - what the mirror shows, whoever of it is a unit: for `tlmon doctor` alone, which asks whether it is fit
 * to judge by. Filled by the sensor, in memory that it shares with the command; nothing in it points anywhere.
 * Fixed in size: hosts that find no place are counted.
 */
#ifndef MONITOR_CAPTURE_MIRROR_H
#define MONITOR_CAPTURE_MIRROR_H

#include "dissectors/decode.h"
#include "monitor/capture/flowtab.h"

struct frame;

#define MIRROR_HOSTS 16384 /* a power of two */
#define MIRROR_INPUTS 64   /* those behind share the last place, one after the other */
#define MIRROR_VLANS 32
#define MIRROR_TYPES 8
#define MIRROR_TTLS 4
#define MIRROR_OWN 64

/* Longest IP packet that Ethernet carries without jumbo frames (RFC 894). */
#define MIRROR_WIRE 1500
/* So many packets of a TCP flow that went one way prove that the mirror hides the other; fewer may be its edge. */
#define MIRROR_ONE_SIDED 3

/* What a host looks like. All counts are of packets, unless they say flows. */
struct mirror_host {
	struct addr addr; /* unspecified: the place is free */
	struct mac mac;   /* of its first frame, as here: a router's if it is not near */
	uint8_t ttl
		[MIRROR_TTLS]; /* of its TCP and UDP packets to one host, in order of appearance; 0: none */
	uint8_t ttl_more; /* there were others */
	uint8_t spare;
	uint64_t sent, got;          /* from and to one other host, ... */
	uint64_t to_groups;          /* ... and to many */
	uint64_t copies, cut;        /* that it sent */
	uint64_t unsummed, bad_sums; /* of `sent`: see struct mirror_input */
	/* Flows that it is an end of: seen both ways; proven to have been seen without what it sent, or what it got. */
	uint64_t two_way, unseen_sent, unseen_got;
	int64_t first_us, last_us;
};

struct mirror_input {
	uint64_t input; /* which one it is */
	uint64_t frames, bytes;
	uint64_t cut, cut_at; /* frames; the most that was kept of one */
	uint64_t large, large_udp,
		largest; /* IP packets above MIRROR_WIRE, in one piece; bytes of the largest */
	uint64_t summed, unsummed,
		bad_sums; /* TCP and UDP: checksums looked at; left to the card (RFC 1071 sum of
	                                      * the pseudo header alone stands there); wrong otherwise */
	uint64_t back, back_us; /* times that its clock went back; by how much at the most */
	uint64_t gap_us;        /* longest time between two frames, ... */
	int64_t gap_at_us;      /* ... from here on */
	int64_t first_us, last_us;
};

enum mirror_wrap {
	WRAPPED_IP,
	WRAPPED_GRE,
	WRAPPED_ESP,
	WRAPPED_CAPWAP,
	WRAPPED_GTP,
	WRAPPED_L2TP,
	WRAPPED_COUNT
};

struct mirror {
	/* The command's, before anything is read: addresses of this very host, whose own traffic is not mirrored. */
	uint64_t own_count;
	struct addr own_addr[MIRROR_OWN];

	uint64_t frames, groups, frames_unicast; /* by their Ethernet address */
	uint64_t ip, own, to_groups,
		others;  /* IP packets: all, of this host, to many, between two others */
	uint64_t v4, v6; /* of the others */
	uint64_t untagged, priority, tagged, vlans_more; /* priority: VLAN 0 */
	uint64_t mixed_untagged,
		mixed; /* in a conversation that began with a tag, or without; with another tag */
	uint64_t copies_same, copies_tagged, copies_routed;
	uint64_t tunnel[TUNNEL_COUNT];
	uint64_t nested;      /* tunnels inside a mirror's wrapping: nobody looks into these */
	uint64_t tunnels_own; /* that are not a mirror's, but a unit's */
	uint64_t tunnel_fragments; /* wrappings that came in pieces: what is inside is cut */
	uint64_t cut_inside;       /* packets that came cut inside of a wrapping */
	uint64_t wrapped[WRAPPED_COUNT];   /* otherwise: not looked into */
	uint64_t two_way, one_sided;       /* flows */
	uint64_t peak_packets, peak_bytes; /* in the busiest second */
	uint64_t hosts, hosts_refused;
	uint64_t vlan_count, type_count;
	struct {
		uint64_t id, packets;
	} vlan[MIRROR_VLANS];
	struct {
		uint64_t type, frames; /* EtherType of what is no IP and no ARP */
	} type[MIRROR_TYPES];
	int64_t second; /* that is being counted */
	uint64_t second_packets, second_bytes;
	struct mirror_input input[MIRROR_INPUTS];
	struct mirror_host host[MIRROR_HOSTS];
};

/* Memory that forked processes share, all zero; NULL when out of memory. Freed in each of them. */
struct mirror *mirror_new(void);
void mirror_free(struct mirror *mirror);
void mirror_freep(struct mirror **mirror);

/* The sensor's. A frame, as it was decoded, before a wrapping is taken off. */
void mirror_frame(struct mirror *mirror, const struct frame *frame, enum decoded decoded,
                  const struct packet *packet);
/* An IP packet once that is done; `in_pieces`: it came in a fragmented wrapping. */
void mirror_packet(struct mirror *mirror, const struct frame *frame,
                   const struct packet *packet, bool in_pieces);
/* What became of it: one more of its flow, or a copy in it. */
void mirror_in_flow(struct mirror *mirror, const struct flow *flow,
                    const struct packet *packet);
void mirror_copy(struct mirror *mirror, const struct flow *flow, unsigned end,
                 const struct packet *packet);
/* A flow that is over. */
void mirror_flow(struct mirror *mirror, const struct flow_facts *facts);

/* The command's, when the sensor is gone. False: what it left there is not what a sensor of ours leaves. */
bool mirror_is_sound(const struct mirror *mirror);
/* NULL: it was not seen. */
const struct mirror_host *mirror_find(const struct mirror *mirror, const struct addr *addr);

#endif
