/*
 * remedy_stranger.c - the entry under `units` of a host that stands on no list and behaves like a room system. No
 * flow of it is recorded, so nothing can be proven; the packets that were kept say what it seems to use.
 */
#include "monitor/acceptance/remedy_parts.h"

#include "dissectors/decode.h"
#include "rules/judge.h"

#define STRANGER_ADDRESSES 8

struct stranger_look {
	struct search *search;
	struct addr addr; /* zero: it goes by its MAC */
	struct mac mac;
	struct addr addresses[STRANGER_ADDRESSES];
	size_t address_count;
	uint32_t profiles;
};

static bool is_own(const struct stranger_look *look, const struct addr *addr,
                   const struct mac *mac)
{
	return addr_is_unspecified(&look->addr) ? mac_equal(&look->mac, mac)
	                                        : addr_equal(&look->addr, addr);
}

static void note_address(struct stranger_look *look, const struct addr *addr)
{
	if (addr_is_unspecified(addr) || addr_is_multicast(addr) ||
	    look->address_count == STRANGER_ADDRESSES)
		return;
	for (size_t i = 0; i < look->address_count; i++)
		if (addr_equal(&look->addresses[i], addr))
			return;
	look->addresses[look->address_count++] = *addr;
}

/* A profile that has a row for servers of the site, or Microsoft's, and this is one of them. */
static void note_profiles(struct stranger_look *look, const struct packet *packet, bool sends)
{
	const struct policy *policy = look->search->policy;
	struct flow_facts facts = {
		.end = {{.addr = packet->src, .port = packet->src_port},
	                {.addr = packet->dst, .port = packet->dst_port}},
		.transport = packet->transport,
		.ip_version = packet->ip_version,
		.initiator = sends ? 0 : 1,
		.initiator_by = INITIATOR_FIRST_PACKET,
		.packets = {1, 1},
		.payload_packets = 10,
	};
	struct view view = {.facts = &facts, .name = "", .local = sends ? 0 : 1};

	for (size_t profile = 0; profile < policy->envelope->profile_count; profile++) {
		struct verdict verdict;

		view.profiles = (uint32_t)BIT(profile);
		judge_flow(policy, &view, &verdict);
		if (verdict_is_firm(policy, &verdict))
			look->profiles |= (uint32_t)BIT(profile);
	}
}

/* A router's MAC stands before it where the mirror is behind one; the maker's own tells. */
static int note_packet(void *context, const struct evidence_view *evidence, struct err *err)
{
	struct stranger_look *look = context;
	const struct evidence_row *row = &evidence->row;
	struct packet packet = {0};
	enum decoded decoded = packet_decode((enum link)row->link, row->bytes,
	                                     (uint32_t)row->len, row->wire_len, &packet);
	bool sends;

	(void)err;
	if (decoded == DECODED_IP)
		packet_unwrap(&packet, &decoded);
	if (decoded != DECODED_IP)
		return 0;
	sends = is_own(look, &packet.src, &packet.src_mac);
	if (!sends && !is_own(look, &packet.dst, &packet.dst_mac))
		return 0;
	note_address(look, sends ? &packet.src : &packet.dst);
	if (sends && policy_looks_like_unit(look->search->policy, &packet.src_mac, NULL))
		look->mac = packet.src_mac;
	if (packet.transport == TRANSPORT_TCP || packet.transport == TRANSPORT_UDP)
		note_profiles(look, &packet, sends);
	return 0;
}

/* The profile that every unit has, and what it seems to use. */
static size_t profile_texts(const struct stranger_look *look, const char *texts[PROFILES_MAX])
{
	const struct envelope *envelope = look->search->policy->envelope;
	size_t count = 0;

	for (size_t i = 0; i < envelope->profile_count; i++)
		if (!i || (look->profiles & BIT(i)))
			texts[count++] = envelope->profiles[i].id;
	return count;
}

static int offer(struct search *search, const struct stranger_look *look, const char *unit,
                 struct err *err)
{
	char addresses[STRANGER_ADDRESSES][ADDR_TEXT], mac[MAC_TEXT], name[64];
	const char *names[] = {name}, *macs[] = {mac}, *texts[STRANGER_ADDRESSES];
	const char *profiles[PROFILES_MAX];
	struct yaml_pair pairs[4] = {{"name", names, 1, false}};
	struct candidate candidate = {
		.unseen = true, .edit = {.verb = YAML_ADD, .path = {"units"}, .pairs = pairs}};
	size_t count = 1;

	snprintf(name, sizeof(name), "new-%.58s", unit);
	for (char *c = name; *c; c++)
		*c = *c == ':' || *c == '/' ? '-' : *c;
	for (size_t i = 0; i < look->address_count; i++)
		texts[i] = addr_print(&look->addresses[i], addresses[i]);
	if (look->address_count)
		pairs[count++] =
			(struct yaml_pair){"addresses", texts, look->address_count, true};
	if (!mac_is_zero(&look->mac)) {
		mac_print(&look->mac, mac);
		pairs[count++] = (struct yaml_pair){"macs", macs, 1, true};
	}
	pairs[count++] =
		(struct yaml_pair){"profiles", profiles, profile_texts(look, profiles), true};
	candidate.edit.pair_count = count;
	snprintf(
		candidate.say, sizeof(candidate.say),
		"If %s is a room system of yours, list it by a name of its own, with the profiles that it "
		"is deployed as,",
		unit);
	return search_try(search, &candidate, err);
}

int search_stranger(struct search *search, struct err *err)
{
	const struct remedy_finding *finding = &search->findings[search->at];
	const struct evidence_of of = {.finding = finding->id};
	const struct evidence_query query = {.of = &of, .of_count = 1};
	struct stranger_look look = {.search = search};
	int r;

	if (addr_parse(finding->unit, &look.addr) < 0 &&
	    mac_parse(finding->unit, &look.mac) < 0)
		return 0;
	note_address(&look, &look.addr);
	r = flowdb_evidence(search->db, &query, note_packet, &look, err);
	return r < 0 ? r : offer(search, &look, finding->unit, err);
}
