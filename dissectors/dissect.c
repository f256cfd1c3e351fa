/*
 * dissect.c - see dissect.h. Invariants:
 *  (1) A dissector that said yes owns the flow: of TCP it alone is asked from then on; of UDP the
 *      dissectors of media go on as long as the owner is one of them.
 *  (2) A certain no is said only of a whole first payload of the opener, seen behind its SYN, that no
 *      dissector wants to see more of; or of the other end's, which had not received a byte by then.
 *  (3) Of TCP every byte is shown in its place (stream.h), again only where a dissector asked for it.
 */
#include "dissectors/dissect.h"

#include "dissectors/list.h"
#include "dissectors/media.h"

static const struct dissector *const LIST[] = {
#define POINTER(name) &dissector_##name,
	DISSECTORS(POINTER)
#undef POINTER
};
_Static_assert(ARRAY_LEN(LIST) <= 32, "young.asked_no has a bit for each dissector");

#define OWNED_PAYLOADS_MAX \
	32 /* a certain flow that has not said `done` by then never will, ... */
#define OWNED_BYTES_MAX (2 * STREAM_MAX) /* ... of TCP after so many bytes of one end */

/* The owner of what is said: of the flow, or of what goes through its tunnel. */
static uint8_t *owner_of(const struct look *look)
{
	return &look->young->owner[look->inner];
}

/* Asks the one dissector that owns it. */
static bool ask_owner(struct look *look)
{
	const struct dissector *owner = LIST[*owner_of(look) - 1];

	(void)owner->look(look);
	if (look->done)
		return false;
	if (owner->media)
		return !media_is_told(look->facts, look->young);
	if (dissect_goes_on(owner->app))
		return true;
	if (look->packet->transport == TRANSPORT_TCP)
		return look->seq + look->len - look->young->stream[look->side].first <
		       OWNED_BYTES_MAX;
	return look->young->payloads[0] + look->young->payloads[1] < OWNED_PAYLOADS_MAX;
}

static bool owner_is_media(const struct young *young)
{
	return young->owner[0] && LIST[young->owner[0] - 1]->media;
}

bool dissect_goes_on(enum app app)
{
	return app == APP_DNS || app == APP_LLMNR || app == APP_DHCP;
}

/* A flow of these is known, though it gave its young half and has a new one. */
static void own_again(const struct flow_facts *facts, struct young *young)
{
	for (unsigned i = 0; i < ARRAY_LEN(LIST); i++)
		if (LIST[i]->app == facts->app)
			young->owner[0] = (uint8_t)(i + 1);
}

/* A flow that is known and has no owner is of media, and looked at again. */
static bool is_again(const struct look *look)
{
	return !look->young->owner[0] && look->facts->evidence == EVIDENCE_DISSECTOR;
}

static bool ask_udp(struct look *look)
{
	struct young *young = look->young;
	bool media_only = owner_is_media(young) || is_again(look);

	for (unsigned i = 0; i < ARRAY_LEN(LIST); i++) {
		if (!LIST[i]->udp || (media_only && !LIST[i]->media))
			continue;
		look->keep = false;
		if (LIST[i]->look(look) != ANSWER_YES)
			continue;
		young->owner[0] = (uint8_t)(i + 1);
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

/*
 * Whether this is what the flow begins with: the opener's first bytes, or the other end's which, as their
 * acknowledgement says, had not received one.
 */
static bool begins_flow(const struct look *look)
{
	return look->from_start && look->len == look->wire_len &&
	       (look->facts->initiator_by == INITIATOR_SYN || look->inner) &&
	       (look->side == look->facts->initiator || look->young->spoke_first);
}

static bool ask_tcp(struct look *look)
{
	struct young *young = look->young;
	bool keep = false, media_only = is_again(look);
	uint64_t possible = 0;
	uint32_t said_no = 0;

	for (unsigned i = 0; i < ARRAY_LEN(LIST); i++) {
		enum answer answer;

		if (!LIST[i]->tcp || young->asked_no & BIT(i) || (media_only && !LIST[i]->media))
			continue;
		look->keep = false;
		look->keep_from = 0;
		answer = LIST[i]->look(look);
		if (answer == ANSWER_YES) {
			*owner_of(look) = (uint8_t)(i + 1);
			return !look->done;
		}
		if (answer == ANSWER_MAYBE)
			possible |= LIST[i]->begins;
		else
			said_no |= (uint32_t)BIT(i);
		keep |= look->keep;
	}
	look->keep = keep && look->len < STREAM_MAX;
	look->keep_from = 0;
	if (!look->keep && begins_flow(look)) {
		/* In these the opener speaks first, whatever the other end's words look like. */
		if (look->side != look->facts->initiator)
			possible &= ~(BIT(APP_TLS) | BIT(APP_HTTP) | BIT(APP_MSTURN) |
			              BIT(APP_DNS) | BIT(APP_KERBEROS) | BIT(APP_LLMNR));
		say_certain_no(look, possible);
		young->asked_no |= said_no;
	}
	return true;
}

/* Asks once more where it turns out that a tunnel begins. Says whether the next byte is its first. */
static bool ask_piece(struct look *look, bool *ret_tunnel)
{
	struct young *young = look->young;
	uint32_t done = 0;
	bool more = true;

	*ret_tunnel = false;
	for (;;) {
		look->inner = young->inner[look->side];
		look->keep = look->tunnel = false;
		look->keep_from = 0;
		if (look->len)
			more = *owner_of(look) ? ask_owner(look) : ask_tcp(look);
		if (!look->tunnel)
			break;
		young->inner[look->side] = true;
		*ret_tunnel = true;
		look->from_start = true;
		look->resumed = false;
		done += look->keep_from;
		look->data += look->keep_from;
		look->seq += look->keep_from;
		look->len -= look->keep_from;
		look->wire_len -= look->keep_from;
		look->keep_from = 0;
		if (!look->len)
			break;
	}
	*ret_tunnel &= look->keep && !look->keep_from;
	look->keep_from += done;
	return more;
}

static bool ask_stream(struct look *look, struct streams *streams, struct segment *segment)
{
	struct young *young = look->young;
	struct stream *stream = &young->stream[look->side];
	struct piece piece;
	bool more = true, tunnel;

	while (more && stream_next(streams, stream, segment, &piece)) {
		look->data = piece.data;
		look->seq = piece.seq;
		look->len = piece.len;
		look->wire_len = piece.wire_len;
		look->from_start = piece.at_start;
		look->resumed = piece.again;
		more = ask_piece(look, &tunnel);
		stream_shown(streams, stream, &piece, look->keep, look->keep_from);
		stream->at_start |= tunnel && stream->again;
	}
	return more;
}

static bool ask_tcp_packet(struct look *look, struct streams *streams)
{
	const struct packet *packet = look->packet;
	const struct stream *stream = &look->young->stream[look->side],
			    *other = &look->young->stream[!look->side];
	struct segment segment = {
		.seq = packet->tcp_seq + (packet->tcp_flags & TCP_SYN ? 1 : 0),
		.len = packet->payload_len,
		.wire_len = packet->payload_wire_len,
		.data = packet->payload,
		.time_us = packet->time_us,
	};

	if (look->side != look->facts->initiator && packet->tcp_flags & TCP_ACK &&
	    stream->opened && segment.seq == stream->first && other->opened &&
	    packet->tcp_ack == other->first)
		look->young->spoke_first = true;
	return ask_stream(look, streams, &segment);
}

static void learnt_empty(struct learnt *learnt)
{
	learnt->name_count = 0;
	learnt->names_refused = 0;
	learnt->has_lease = false;
	learnt->dhcp_asks = false;
	learnt->query = QUERY_NONE;
}

bool dissect_payload(const struct packet *packet, unsigned side, struct flow_facts *facts,
                     char name[NAME_MAX_LEN + 1], struct young *young, struct streams *streams,
                     struct learnt *learnt)
{
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

	if (!young->payloads[0] && !young->payloads[1] && facts->evidence == EVIDENCE_NONE)
		memset(facts->payload_types, 0xff, sizeof(facts->payload_types));
	if (!young->owner[0] && facts->evidence == EVIDENCE_DISSECTOR &&
	    dissect_goes_on((enum app)facts->app))
		own_again(facts, young);
	learnt_empty(learnt);
	if (packet->transport == TRANSPORT_TCP)
		more = ask_tcp_packet(&look, streams);
	else if (packet->transport == TRANSPORT_UDP && look.len)
		more = young->owner[0] && !owner_is_media(young) ? ask_owner(&look)
		                                                 : ask_udp(&look);
	if (young->payloads[side] < UINT16_MAX)
		young->payloads[side]++;
	young->told = !more;
	return more;
}

void dissect_end(struct flow_facts *facts, char name[NAME_MAX_LEN + 1], struct young *young,
                 struct streams *streams, struct learnt *learnt)
{
	learnt_empty(learnt);
	for (unsigned side = 0; side < 2; side++) {
		const struct packet packet = {
			.time_us = facts->last_us,
			.ip_version = facts->ip_version,
			.transport = facts->transport,
			.src = facts->end[side].addr,
			.dst = facts->end[!side].addr,
			.src_port = facts->end[side].port,
			.dst_port = facts->end[!side].port,
		};
		struct look look = {
			.packet = &packet,
			.side = side,
			.facts = facts,
			.name = name,
			.young = young,
			.learnt = learnt,
		};

		if (!young->told && stream_waits(&young->stream[side]))
			ask_stream(&look, streams, NULL);
		stream_close(streams, &young->stream[side]);
	}
}

bool dissect_waits(const struct young *young)
{
	return stream_waits(&young->stream[0]) || stream_waits(&young->stream[1]);
}

bool port_listens(uint16_t port)
{
	return (port && port < 1024) || (port >= 3478 && port <= 3481) || port == 5061 ||
	       port == 5355;
}
