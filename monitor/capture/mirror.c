/*
 * mirror.c - see mirror.h. Invariants:
 *  (1) A host has one place: the first free one, or its own, from where its address hashes to, within TRIES places.
 *  (2) Packets from or to this very host count as `own` and nowhere else; what is in a wrapping sent to us is not its own.
 */
#include "monitor/capture/mirror.h"
#include "monitor/capture/capture.h"
#include "monitor/capture/checksum.h"

#include <sys/mman.h>
#include <xxhash.h>

#define TRIES 64
#define HOSTS_USED (MIRROR_HOSTS / 4 * 3)
#define SECOND INT64_C(1000000)
enum {
	GRE = 47,
	IPIP = 4,
	IP6IP = 41,
	ESP = 50,
	PORT_CAPWAP = 5247,
	PORT_GTP = 2152,
	PORT_L2TP = 1701
};

struct mirror *mirror_new(void)
{
	struct mirror *mirror = mmap(NULL, sizeof(*mirror), PROT_READ | PROT_WRITE,
	                             MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return mirror == MAP_FAILED ? NULL : mirror;
}

void mirror_free(struct mirror *mirror)
{
	if (mirror)
		munmap(mirror, sizeof(*mirror));
}

void mirror_freep(struct mirror **mirror)
{
	mirror_free(*mirror);
	*mirror = NULL;
}

/* ---------------------------------------------------------------- hosts */

/* Its place, or the free one where it belongs; -1: there is neither. */
static int place_of(const struct mirror *mirror, const struct addr *addr)
{
	uint64_t hash = XXH3_64bits(addr, sizeof(*addr));

	for (unsigned i = 0; i < TRIES; i++) {
		int at = (int)((hash + i) % MIRROR_HOSTS);

		if (addr_is_unspecified(&mirror->host[at].addr) ||
		    addr_equal(&mirror->host[at].addr, addr))
			return at;
	}
	return -1;
}

const struct mirror_host *mirror_find(const struct mirror *mirror, const struct addr *addr)
{
	int at = place_of(mirror, addr);

	return at < 0 || addr_is_unspecified(&mirror->host[at].addr) ? NULL : &mirror->host[at];
}

static struct mirror_host *host_at(struct mirror *mirror, const struct addr *addr)
{
	int at = place_of(mirror, addr);
	struct mirror_host *host = at < 0 ? NULL : &mirror->host[at];

	if (addr_is_unspecified(addr))
		return NULL;
	if (host && addr_is_unspecified(&host->addr) && mirror->hosts < HOSTS_USED) {
		host->addr = *addr;
		mirror->hosts++;
	}
	if (!host || addr_is_unspecified(&host->addr)) {
		mirror->hosts_refused++;
		return NULL;
	}
	return host;
}

static bool is_own(const struct mirror *mirror, const struct addr *addr)
{
	for (uint64_t i = 0; i < mirror->own_count && i < MIRROR_OWN; i++)
		if (addr_equal(&mirror->own_addr[i], addr))
			return true;
	return false;
}

/* TTL or hop limit. A group's, and a link-local address's, say nothing of the way. */
static void note_ttl(struct mirror_host *host, const struct packet *packet)
{
	uint8_t ttl = packet->ip[packet->ip_version == 4 ? 8 : 7];

	if ((packet->transport != TRANSPORT_TCP && packet->transport != TRANSPORT_UDP) ||
	    !ttl || addr_is_link_local(&packet->src))
		return;
	for (unsigned i = 0; i < MIRROR_TTLS; i++) {
		if (host->ttl[i] == ttl)
			return;
		if (!host->ttl[i]) {
			host->ttl[i] = ttl;
			return;
		}
	}
	host->ttl_more = 1;
}

static void note_seen(struct mirror_host *host, const struct packet *packet)
{
	if (!host->first_us)
		host->first_us = packet->time_us;
	host->last_us = packet->time_us;
}

static bool is_to_group(const struct packet *packet)
{
	return addr_is_multicast(&packet->dst) || packet->dst_mac.b[0] & 1;
}

/* --------------------------------------------------------------- frames */

static struct mirror_input *input_at(struct mirror *mirror, unsigned input)
{
	struct mirror_input *at =
		&mirror->input[input < MIRROR_INPUTS ? input : MIRROR_INPUTS - 1];

	if (at->input != input)
		*at = (struct mirror_input){.input = input};
	return at;
}

static void note_clock(struct mirror_input *input, int64_t time_us)
{
	int64_t step_us = time_us - input->last_us;

	if (!input->frames) {
		input->first_us = time_us;
	} else if (step_us < 0) {
		input->back++;
		if ((uint64_t)-step_us > input->back_us)
			input->back_us = (uint64_t)-step_us;
	} else if ((uint64_t)step_us > input->gap_us) {
		input->gap_us = (uint64_t)step_us;
		input->gap_at_us = input->last_us;
	}
	input->last_us = time_us;
}

static void note_load(struct mirror *mirror, const struct frame *frame)
{
	if (frame->time_us / SECOND != mirror->second) {
		mirror->second = frame->time_us / SECOND;
		mirror->second_packets = mirror->second_bytes = 0;
	}
	mirror->second_packets++;
	mirror->second_bytes += frame->wire_len;
	if (mirror->second_packets > mirror->peak_packets)
		mirror->peak_packets = mirror->second_packets;
	if (mirror->second_bytes > mirror->peak_bytes)
		mirror->peak_bytes = mirror->second_bytes;
}

/* What follows the tags, of a frame of Ethernet; 0: a length, or cut. */
static uint16_t type_of(const struct frame *frame)
{
	uint32_t at = 12;
	uint16_t type = 0x8100;

	for (unsigned tags = 0; tags < 4 && at + 2 <= frame->caplen; tags++, at += 4) {
		type = (uint16_t)(frame->bytes[at] << 8 | frame->bytes[at + 1]);
		if (type != 0x8100 && type != 0x88a8 && type != 0x9100 && type != 0x9200)
			return type < 1536 ? 0 : type;
	}
	return 0;
}

static void note_type(struct mirror *mirror, uint16_t type)
{
	uint64_t i = 0;

	while (i < mirror->type_count && mirror->type[i].type != type)
		i++;
	if (i == MIRROR_TYPES)
		return;
	if (i == mirror->type_count)
		mirror->type[mirror->type_count++].type = type;
	mirror->type[i].frames++;
}

void mirror_frame(struct mirror *mirror, const struct frame *frame, enum decoded decoded,
                  const struct packet *packet)
{
	struct mirror_input *input = input_at(mirror, frame->input);

	note_clock(input, frame->time_us);
	note_load(mirror, frame);
	mirror->frames++;
	input->frames++;
	input->bytes += frame->wire_len;
	if (frame->caplen < frame->wire_len) {
		input->cut++;
		if (frame->caplen > input->cut_at)
			input->cut_at = frame->caplen;
	}
	if (frame->link != LINK_ETHERNET)
		return;
	if (packet->dst_mac.b[0] & 1)
		mirror->groups++;
	else
		mirror->frames_unicast++;
	if (decoded == DECODED_NOT_IP)
		note_type(mirror, type_of(frame));
}

/* -------------------------------------------------------------- packets */

static void note_vlan(struct mirror *mirror, uint16_t vlan)
{
	uint64_t i = 0;

	if (vlan == VLAN_NONE) {
		mirror->untagged++;
		return;
	}
	if (!vlan) {
		mirror->priority++;
		return;
	}
	mirror->tagged++;
	while (i < mirror->vlan_count && mirror->vlan[i].id != vlan)
		i++;
	if (i == MIRROR_VLANS) {
		mirror->vlans_more++;
		return;
	}
	if (i == mirror->vlan_count)
		mirror->vlan[mirror->vlan_count++].id = vlan;
	mirror->vlan[i].packets++;
}

/* What is wrapped in another way than a mirror's, or twice. */
static void note_wrapping(struct mirror *mirror, const struct packet *packet)
{
	struct packet inner = *packet;
	enum decoded decoded;

	inner.tunnel = TUNNEL_NONE;
	if (packet_unwrap(&inner, &decoded)) {
		if (packet->tunnel)
			mirror->nested++;
		else
			mirror->tunnels_own++;
		return;
	}
	mirror->wrapped[WRAPPED_IP] += packet->transport == IPIP || packet->transport == IP6IP;
	mirror->wrapped[WRAPPED_GRE] += packet->transport == GRE;
	mirror->wrapped[WRAPPED_ESP] += packet->transport == ESP;
	if (packet->transport != TRANSPORT_UDP || packet->fragment_later)
		return;
	mirror->wrapped[WRAPPED_CAPWAP] +=
		packet->src_port == PORT_CAPWAP || packet->dst_port == PORT_CAPWAP;
	mirror->wrapped[WRAPPED_GTP] +=
		packet->src_port == PORT_GTP && packet->dst_port == PORT_GTP;
	mirror->wrapped[WRAPPED_L2TP] +=
		packet->src_port == PORT_L2TP || packet->dst_port == PORT_L2TP;
}

static void note_size(struct mirror_input *input, const struct packet *packet)
{
	if (packet->fragment || packet->ip_len <= MIRROR_WIRE)
		return;
	input->large++;
	input->large_udp += packet->transport == TRANSPORT_UDP;
	if (packet->ip_len > input->largest)
		input->largest = packet->ip_len;
}

static void note_sum(struct mirror_input *input, struct mirror_host *sender,
                     const struct packet *packet)
{
	enum checksum sum = checksum_look(packet);

	input->summed += sum != CHECKSUM_UNKNOWN;
	input->unsummed += sum == CHECKSUM_UNSUMMED;
	input->bad_sums += sum == CHECKSUM_WRONG;
	if (sender) {
		sender->unsummed += sum == CHECKSUM_UNSUMMED;
		sender->bad_sums += sum == CHECKSUM_WRONG;
	}
}

static void note_between(struct mirror *mirror, const struct packet *packet,
                         struct mirror_host *sender)
{
	struct mirror_host *target = host_at(mirror, &packet->dst);

	mirror->others++;
	mirror->v4 += packet->ip_version == 4;
	mirror->v6 += packet->ip_version == 6;
	if (sender) {
		sender->sent++;
		note_ttl(sender, packet);
	}
	if (target) {
		target->got++;
		note_seen(target, packet);
	}
}

void mirror_packet(struct mirror *mirror, const struct frame *frame,
                   const struct packet *packet, bool in_pieces)
{
	struct mirror_input *input = input_at(mirror, frame->input);
	struct mirror_host *sender;

	mirror->ip++;
	if (is_own(mirror, &packet->src) || is_own(mirror, &packet->dst)) {
		mirror->own++;
		return;
	}
	mirror->tunnel[packet->tunnel < TUNNEL_COUNT ? packet->tunnel : TUNNEL_NONE]++;
	mirror->tunnel_fragments += packet->tunnel && in_pieces;
	mirror->cut_inside += packet->truncated && frame->caplen >= frame->wire_len;
	note_vlan(mirror, packet->vlan);
	note_wrapping(mirror, packet);
	note_size(input, packet);
	sender = host_at(mirror, &packet->src);
	note_sum(input, sender, packet);
	if (sender) {
		if (!sender->sent && !sender->to_groups)
			sender->mac = packet->src_mac;
		sender->cut += packet->truncated;
		note_seen(sender, packet);
	}
	if (!is_to_group(packet)) {
		note_between(mirror, packet, sender);
		return;
	}
	mirror->to_groups++;
	if (sender)
		sender->to_groups++;
}

void mirror_in_flow(struct mirror *mirror, const struct flow *flow, const struct packet *packet)
{
	uint16_t first = flow->facts.vlan;

	if (packet->vlan == first)
		return;
	if (packet->vlan == VLAN_NONE || first == VLAN_NONE)
		mirror->mixed_untagged++;
	else
		mirror->mixed++;
}

void mirror_copy(struct mirror *mirror, const struct flow *flow, unsigned end,
                 const struct packet *packet)
{
	struct mirror_host *sender = host_at(mirror, &packet->src);

	if (packet->vlan != flow->facts.vlan)
		mirror->copies_tagged++;
	else if (!mac_equal(&packet->src_mac, &flow->facts.end[end].mac))
		mirror->copies_routed++;
	else
		mirror->copies_same++;
	if (sender)
		sender->copies++;
}

/* ---------------------------------------------------------------- flows */

static void flow_two_way(struct mirror *mirror, const struct flow_facts *facts)
{
	mirror->two_way++;
	for (unsigned end = 0; end < 2; end++) {
		struct mirror_host *host = host_at(mirror, &facts->end[end].addr);

		if (host)
			host->two_way++;
	}
}

static void flow_one_sided(struct mirror *mirror, const struct flow_facts *facts)
{
	unsigned seen = !facts->packets[0];
	struct mirror_host *host = host_at(mirror, &facts->end[seen].addr);

	mirror->one_sided++;
	if (host)
		host->unseen_got++;
	host = host_at(mirror, &facts->end[!seen].addr);
	if (host)
		host->unseen_sent++;
}

void mirror_flow(struct mirror *mirror, const struct flow_facts *facts)
{
	bool tcp = facts->transport == TRANSPORT_TCP;

	for (unsigned end = 0; end < 2; end++)
		if (is_own(mirror, &facts->end[end].addr) ||
		    addr_is_multicast(&facts->end[end].addr) || facts->end[end].mac.b[0] & 1)
			return;
	if (facts->packets[0] && facts->packets[1])
		flow_two_way(mirror, facts);
	else if (facts->outcome == OUTCOME_ONE_SIDED &&
	         (!tcp || facts->packets[0] + facts->packets[1] >= MIRROR_ONE_SIDED))
		flow_one_sided(mirror, facts);
}

/* ------------------------------------------------------------ afterwards */

/* The sums are all numbers, one behind the other, but for the addresses before them. */
static bool sums_are_sound(const struct mirror *mirror)
{
	const uint64_t *at = &mirror->frames, *end = (const uint64_t *)mirror->input;

	for (; at < end; at++)
		if (*at > EVENT_NUMBER_MAX)
			return false;
	return mirror->vlan_count <= MIRROR_VLANS && mirror->type_count <= MIRROR_TYPES &&
	       mirror->own_count <= MIRROR_OWN;
}

_Static_assert(sizeof(struct mirror_input) % sizeof(uint64_t) == 0,
               "an input is numbers alone");

bool mirror_is_sound(const struct mirror *mirror)
{
	const uint64_t *at = (const uint64_t *)mirror->input,
		       *end = (const uint64_t *)mirror->host;

	if (!sums_are_sound(mirror))
		return false;
	for (; at < end; at++)
		if (*at > EVENT_NUMBER_MAX)
			return false;
	for (size_t i = 0; i < MIRROR_HOSTS; i++) {
		at = &mirror->host[i].sent;
		end = (const uint64_t *)(&mirror->host[i] + 1);
		for (; at < end; at++)
			if (*at > EVENT_NUMBER_MAX)
				return false;
	}
	return true;
}
