/*
 * dissect.c - see dissect.h. Invariants:
 *  (1) A dissector that said yes owns the flow: of TCP it alone is asked from then on; of UDP the
 *      dissectors of media go on as long as the owner is one of them.
 *  (2) A certain no is said only of a whole first payload of the opener, seen behind its SYN, that no
 *      dissector wants to see more of.
 *  (3) Held bytes are followed by the very next sequence number or dropped.
 */
#include "dissectors/dissect.h"

#include "dissectors/list.h"

static const struct dissector *const LIST[] = {
#define POINTER(name) &dissector_##name,
	DISSECTORS(POINTER)
#undef POINTER
};
_Static_assert(ARRAY_LEN(LIST) <= 32, "young.asked_no has a bit for each dissector");

#define JOIN_MAX 4096          /* held bytes and the head of the segment behind them */
#define MEDIA_PACKETS_MAX 64   /* after that many a media flow has told what it carries */
#define MEDIA_PAYLOADS_MAX 512 /* nor has one that carries none */
#define OWNED_PAYLOADS_MAX 32  /* a certain flow that has not said `done` by then never will */

static uint32_t next_seq(const struct packet *packet)
{
	return packet->tcp_seq + (packet->tcp_flags & TCP_SYN ? 1 : 0) +
	       packet->payload_wire_len;
}

/*
 * Whether this is the very first payload of its side: the side's own SYN was seen, and no segment behind
 * it is missing, as far as the sensor told us where the first one begins.
 */
static bool is_from_start(const struct look *look)
{
	const struct young *young = look->young;
	const struct packet *packet = look->packet;
	unsigned side = look->side;

	if (packet->transport != TRANSPORT_TCP || young->payloads[side] ||
	    look->facts->evidence != EVIDENCE_NONE || !(look->facts->tcp_flags[side] & TCP_SYN))
		return false;
	return !young->first_seq_known[side] ||
	       young->first_seq[side] ==
	               packet->tcp_seq + (packet->tcp_flags & TCP_SYN ? 1 : 0);
}

/* Puts what was held of this side before the segment at hand. */
static void join(struct look *look, uint8_t buf[JOIN_MAX])
{
	struct young *young = look->young;
	uint32_t room = JOIN_MAX - young->hold_len;
	uint32_t len = look->len < room ? look->len : room;

	if (!young->holding || young->hold_side != look->side)
		return;
	if ((int32_t)(look->packet->tcp_seq - young->hold_seq) < 0)
		return; /* sent again; what is held may still be followed */
	young->holding = false;
	if (young->hold_seq != look->packet->tcp_seq)
		return;
	look->resumed = true;
	look->from_start = young->hold_from_start;
	if (!young->hold_len)
		return;
	memcpy(buf, young->hold, young->hold_len);
	memcpy(buf + young->hold_len, look->data, len);
	look->data = buf;
	look->len = young->hold_len + len;
	look->wire_len += young->hold_len;
}

/* Keeps the tail for the next segment; says whether there was room for it. */
static bool hold(struct look *look, uint32_t from)
{
	struct young *young = look->young;
	uint32_t len = look->len - from;

	if (look->len < look->wire_len || len > sizeof(young->hold))
		return false;
	if (len)
		memmove(young->hold, look->data + from, len);
	young->hold_len = (uint16_t)len;
	young->hold_side = (uint8_t)look->side;
	young->hold_seq = next_seq(look->packet);
	young->hold_from_start = look->from_start;
	young->holding = true;
	return true;
}

static bool media_is_told(const struct flow_facts *facts, const struct young *young)
{
	uint64_t packets = 0;

	if (young->payloads[0] + young->payloads[1] >= MEDIA_PAYLOADS_MAX)
		return true;

	for (unsigned i = 0; i < ARRAY_LEN(facts->media_packets); i++)
		packets += facts->media_packets[i];
	return packets >= MEDIA_PACKETS_MAX;
}

/* Asks the one dissector that owns the flow. */
static bool ask_owner(struct look *look)
{
	const struct dissector *owner = LIST[look->young->owner - 1];

	(void)owner->look(look);
	if (look->keep && look->packet->transport == TRANSPORT_TCP)
		hold(look, look->keep_from);
	if (look->done)
		return false;
	if (owner->media)
		return !media_is_told(look->facts, look->young);
	return owner->app == APP_DNS || owner->app == APP_LLMNR || owner->app == APP_DHCP ||
	       look->young->payloads[0] + look->young->payloads[1] < OWNED_PAYLOADS_MAX;
}

static bool owner_is_media(const struct young *young)
{
	return young->owner && LIST[young->owner - 1]->media;
}

static bool ask_udp(struct look *look)
{
	struct young *young = look->young;
	bool media_only = owner_is_media(young);

	for (unsigned i = 0; i < ARRAY_LEN(LIST); i++) {
		if (!LIST[i]->udp || (media_only && !LIST[i]->media))
			continue;
		look->keep = false;
		if (LIST[i]->look(look) != ANSWER_YES)
			continue;
		young->owner = (uint8_t)(i + 1);
		return !look->done && !(LIST[i]->media && media_is_told(look->facts, young));
	}
	return true;
}

/* The applications a TCP flow can begin with, as far as we know them; a channel needs a binding first. */
static void say_certain_no(const struct look *look, uint64_t possible)
{
	static const enum app asked[] = {APP_TLS,      APP_HTTP,  APP_STUN,         APP_MSTURN,
	                                 APP_RTP,      APP_RTCP,  APP_TURN_CHANNEL, APP_DNS,
	                                 APP_KERBEROS, APP_LLMNR, APP_SIP};

	for (unsigned i = 0; i < ARRAY_LEN(asked); i++)
		if (!(possible & BIT(asked[i])))
			app_set_add(&look->facts->not_apps, asked[i]);
}

static bool ask_tcp(struct look *look)
{
	struct young *young = look->young;
	uint64_t possible = 0;
	uint32_t said_no = 0;
	bool keep = false;

	for (unsigned i = 0; i < ARRAY_LEN(LIST); i++) {
		enum answer answer;

		if (!LIST[i]->tcp || young->asked_no & BIT(i))
			continue;
		look->keep = false;
		look->keep_from = 0;
		answer = LIST[i]->look(look);
		if (answer == ANSWER_YES) {
			young->owner = (uint8_t)(i + 1);
			if (look->keep)
				hold(look, look->keep_from);
			return !look->done;
		}
		if (answer == ANSWER_MAYBE)
			possible |= LIST[i]->begins;
		else
			said_no |= (uint32_t)BIT(i);
		keep |= look->keep;
	}
	if (keep && hold(look, 0))
		return true;
	if (look->from_start && look->side == look->facts->initiator &&
	    look->facts->initiator_by == INITIATOR_SYN && look->len == look->wire_len) {
		say_certain_no(look, possible);
		young->asked_no |= said_no;
	}
	return true;
}

bool dissect_payload(const struct packet *packet, unsigned side, struct flow_facts *facts,
                     char name[NAME_MAX_LEN + 1], struct young *young, struct learnt *learnt)
{
	uint8_t joined[JOIN_MAX];
	struct look look = {
		.packet = packet,
		.data = packet->payload,
		.len = packet->payload_len,
		.wire_len = packet->payload_wire_len,
		.side = side,
		.facts = facts,
		.name = name,
		.young = young,
		.learnt = learnt,
	};
	bool more = true;

	if (!young->payloads[0] && !young->payloads[1])
		memset(facts->payload_types, 0xff, sizeof(facts->payload_types));
	learnt->name_count = 0;
	learnt->names_refused = 0;
	learnt->has_lease = false;
	learnt->query = QUERY_NONE;
	look.from_start = is_from_start(&look);
	if (packet->transport == TRANSPORT_TCP)
		join(&look, joined);
	if (look.len) {
		if (young->owner &&
		    !(packet->transport == TRANSPORT_UDP && owner_is_media(young)))
			more = ask_owner(&look);
		else if (packet->transport == TRANSPORT_UDP)
			more = ask_udp(&look);
		else if (packet->transport == TRANSPORT_TCP)
			more = ask_tcp(&look);
	}
	if (young->payloads[side] < UINT16_MAX)
		young->payloads[side]++;
	return more;
}

bool port_listens(uint16_t port)
{
	return (port && port < 1024) || (port >= 3478 && port <= 3481) || port == 5061 ||
	       port == 5355;
}
