/*
 * call.c - see call.h. What a packet costs here: a look at its first bytes; a walk over the attributes
 * of STUN messages, which are few. Invariants:
 *  (1) A consent check (RFC 7675), a check sent again, or one that was overtaken by the next session
 *      never parts a flow by itself: it bears a user name that is known. An ICE restart (RFC 8445 9) parts
 *      one, for nothing on the wire tells it from the next call on the same ports.
 *  (2) A flow to a relay is never parted: what it carries are the sessions of those behind it.
 */
#include "monitor/capture/call.h"

#include "dissectors/media.h"
#include "dissectors/stun.h"

#include <xxhash.h>

#define SECOND INT64_C(1000000)
#define SILENCE_US (2 * SECOND) /* between two calls */
#define SETUP_US (3 * SECOND)   /* from the first check of one to its first media */
#define AGAIN_US (10 * SECOND) /* before a flow is shown anew that told nothing, doubling ... */
#define AGAIN_DOUBLINGS 4      /* ... so often */
#define SOURCES_MAX 16         /* past that many a new one is nothing new */

bool call_is(const struct flow_facts *facts)
{
	return facts->app == APP_STUN || facts->app == APP_MSTURN || facts->app == APP_RTP ||
	       facts->app == APP_RTCP || facts->app == APP_TURN_CHANNEL;
}

/* Seen to be so; or we came when all was agreed, and the port alone tells. */
static bool is_relayed(const struct flow_facts *facts)
{
	bool port = false;

	for (unsigned end = 0; end < 2; end++)
		port |= facts->end[end].port >= 3478 && facts->end[end].port <= 3481;
	return port || facts->app == APP_MSTURN || !addr_is_unspecified(&facts->relayed);
}

/*
 * The user name of a check is "receiver:sender" (RFC 8445 7.2.2), older ones "r:1:s:1"; the way back has it in the
 * other order, so its parts are hashed and added up. One without parts has no order: its hash is even.
 */
static uint32_t name_hash(const struct stun_binding *binding)
{
	const uint8_t *from = binding->name, *end = from ? from + binding->name_len : from;
	uint32_t sum = 0;
	bool parts = false;

	if (from == end)
		return 0;
	while (end > from && !end[-1]) /* some pad it with zeroes */
		end--;
	for (const uint8_t *at = from; at <= end; at++) {
		if (at < end && *at != ':')
			continue;
		sum += (uint32_t)XXH3_64bits(from, (size_t)(at - from));
		parts |= at < end;
		from = at + 1;
	}
	return parts ? sum | 1 : sum & ~1u ? sum & ~1u : 2;
}

/* A check of ICE, not a question to a STUN server; its class tells whether it asks or answers. */
static bool check_read(const struct packet *packet, struct stun_binding *ret)
{
	return packet->payload_len >= STUN_HEADER && packet->payload[0] < 2 &&
	       stun_binding_read(packet->payload, packet->payload_len, packet->payload_wire_len,
	                         ret) &&
	       (ret->class != STUN_REQUEST || ret->check || ret->name);
}

/* A bit for its source, and its payload type. */
static bool rtp_read(const struct packet *packet, uint64_t *ret_source, uint8_t *ret_type)
{
	struct cursor c = cursor_over(packet->payload, packet->payload_len);
	uint8_t first = cursor_u8(&c), second = cursor_u8(&c);
	uint32_t ssrc;

	cursor_skip(&c, 6);
	ssrc = cursor_be32(&c);
	*ret_source = BIT(ssrc * 2654435769u >> 26);
	*ret_type = second & 0x7f;
	return !c.short_read && rtp_begins(first, second);
}

static bool name_begins_anew(const struct flow *flow, unsigned end, uint32_t name)
{
	const struct call_trace *trace = &flow->call;

	if (!name || name == trace->name[end] || name == trace->before[0] ||
	    name == trace->before[1])
		return false;
	if (trace->name[end])
		return !(name & 1) || name != trace->name[!end];
	return name & 1 && trace->name[!end] & 1 && name != trace->name[!end];
}

bool call_begins_anew(const struct flow *flow, unsigned end, const struct packet *packet)
{
	const struct call_trace *trace = &flow->call;
	struct stun_binding check;
	uint64_t source;
	uint8_t type;

	if (!packet->payload_len || is_relayed(&flow->facts) ||
	    !(trace->name[0] || trace->name[1] || trace->sources))
		return false;
	if (packet->payload[0] < 2)
		return check_read(packet, &check) && check.class == STUN_REQUEST &&
		       name_begins_anew(flow, end, name_hash(&check));
	/* Consent goes on while a call is on hold; a new one is checked after silence, and then speaks at once. */
	return trace->sources && trace->check_us &&
	       trace->check_us - trace->media_us >= SILENCE_US &&
	       packet->time_us - trace->check_us <= SETUP_US &&
	       rtp_read(packet, &source, &type) && !(trace->sources & source) &&
	       __builtin_popcountll(trace->sources) <= SOURCES_MAX;
}

struct call_trace call_next(const struct flow *flow, const struct packet *packet)
{
	struct call_trace next = {.answered = flow->call.answered};

	/* By its sources, and it goes on under the name of the old one; or by its name. */
	if (packet->payload[0] > 1) {
		memcpy(next.name, flow->call.name, sizeof(next.name));
		memcpy(next.before, flow->call.before, sizeof(next.before));
	} else {
		memcpy(next.before, flow->call.name, sizeof(next.before));
		next.answered = 0;
	}
	return next;
}

void call_begin(struct flow *flow, const struct call_trace *next, bool same_end)
{
	struct call_trace *trace = &flow->call;

	*trace = *next;
	if (!same_end) {
		trace->name[0] = next->name[1];
		trace->name[1] = next->name[0];
		trace->answered = (uint8_t)((next->answered >> 1 | next->answered << 1) & 3);
	}
	flow->facts.ice = trace->answered;
	trace->answered = 0;
}

static bool check_packet(struct flow *flow, unsigned end, const struct stun_binding *check,
                         int64_t time_us)
{
	struct call_trace *trace = &flow->call;
	struct flow_facts *facts = &flow->facts;
	uint32_t name;

	if (!trace->check_us)
		trace->check_us = time_us;
	switch (check->class) {
	case STUN_REQUEST:
		name = name_hash(check);
		if (name && name != trace->before[0] && name != trace->before[1])
			trace->name[end] = name;
		trace->check[end] = check->transaction;
		return false;
	case STUN_SUCCESS:
		if (trace->check[!end] != check->transaction)
			return false; /* to no check that we saw: anyone can send one */
		trace->answered |= (uint8_t)BIT(end);
		/* While it is young the dissector says so. */
		if (!flow->settled || flow->young || facts->ice >> end & 1 || is_relayed(facts))
			return false;
		facts->ice |= (uint8_t)BIT(end);
		return true;
	default:
		return false;
	}
}

bool call_packet(struct flow *flow, unsigned end, const struct packet *packet)
{
	struct call_trace *trace = &flow->call;
	struct stun_binding check;
	uint64_t source;
	uint8_t type;

	if (packet->transport != TRANSPORT_UDP || !packet->payload_len ||
	    !call_is(&flow->facts))
		return false;
	if (packet->payload[0] < 2)
		return check_read(packet, &check) &&
		       check_packet(flow, end, &check, packet->time_us);
	if (flow->facts.app == APP_RTP && rtp_read(packet, &source, &type)) {
		if (!flow->young && flow->settled)
			media_tally(&flow->facts, type);
		trace->sources |= source;
		trace->media_us = packet->time_us;
		trace->check_us = 0;
		trace->answered = 0;
	}
	return false;
}

/* Of a flow that nobody knew: a beginning that proves itself, or may be media. */
static bool may_begin(const struct packet *packet)
{
	const uint8_t *data = packet->payload;
	uint32_t len = packet->payload_len;

	if (data[0] < 2 && (stun_is_marked(data, len) || msturn_is_marked(data, len)))
		return true;
	return len >= 12 && data[0] == 0xff && data[1] == 0x10 &&
	       (data[2] << 8 | data[3]) + 4u == packet->payload_wire_len;
}

bool call_relearns(const struct flow *flow, const struct packet *packet)
{
	const struct flow_facts *facts = &flow->facts;
	const struct call_trace *trace = &flow->call;
	bool udp = facts->transport == TRANSPORT_UDP;

	if (!flow->settled || flow->young || !packet->payload_len ||
	    (trace->in_vain && packet->time_us - flow->payload_us < AGAIN_US << trace->in_vain))
		return false;
	if (facts->evidence == EVIDENCE_NONE)
		return udp && (may_begin(packet) || media_may_be_new(facts, packet));
	if (!call_is(facts) && !(udp && facts->app == APP_DTLS))
		return false;
	return media_may_be_new(facts, packet) ||
	       (udp && facts->app != APP_MSTURN && packet->payload[0] == 0xff &&
	        may_begin(packet));
}

/* What a second look may change. */
static uint32_t facts_digest(const struct flow_facts *facts)
{
	return (uint32_t)facts->app << 16 | (uint32_t)facts->media << 8 |
	       (uint32_t)facts->by_shape << 4 | facts->ice;
}

void call_relearn_begin(struct flow *flow)
{
	flow->relearning = true;
	flow->call.known = facts_digest(&flow->facts);
}

bool call_relearn_end(struct flow *flow)
{
	bool news = facts_digest(&flow->facts) != flow->call.known;

	flow->relearning = false;
	if (news)
		flow->call.in_vain = 0;
	else if (flow->call.in_vain < AGAIN_DOUBLINGS)
		flow->call.in_vain++;
	return news;
}
