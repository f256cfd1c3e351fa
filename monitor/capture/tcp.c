/*
 * tcp.c - see tcp.h. RFC 9293 3.5 and 3.6, as far as a bystander sees it. What follows
 * a RST or both FINs is of the same flow, and opens it no more.
 */
#include "monitor/capture/tcp.h"
#include "monitor/capture/opener.h"
#include "monitor/capture/outcome.h"

/*
 * An end takes a RST or a FIN only in its window (RFC 9293 3.10.7.4), a RST only at the very next number
 * (RFC 5961 3.2). A bystander misses packets and knows no window: for him it is one of the common size. What
 * lies further off somebody else made up, who does not see the numbers.
 */
#define NEAR (64 * 1024)

static bool is_near(const struct flow *flow, unsigned end, uint32_t seq)
{
	return flow->next_known & BIT(end) && seq - flow->next_seq[end] + NEAR <= 2 * NEAR;
}

static void next_is(struct flow *flow, unsigned end, uint32_t seq)
{
	flow->next_seq[end] = seq;
	flow->next_known |= (uint8_t)BIT(end);
}

/*
 * Whether that end can have sent it. Of one that had sent nothing a RST acknowledges the other's SYN
 * (RFC 9293 3.10.7.3).
 */
static bool is_believed(const struct flow *flow, unsigned end, const struct packet *packet)
{
	if (flow->next_known & BIT(end))
		return is_near(flow, end, packet->tcp_seq);
	if (packet->tcp_flags & TCP_RST && flow->facts.tcp_flags[!end] & TCP_SYN)
		return packet->tcp_flags & TCP_ACK && is_near(flow, !end, packet->tcp_ack);
	return true;
}

/* How far both ends have come. What was acknowledged was sent, whether we saw it or not. */
static void tcp_progress(struct flow *flow, unsigned end, const struct packet *packet)
{
	uint8_t flags = packet->tcp_flags;
	uint32_t next = packet->tcp_seq + packet->payload_wire_len + !!(flags & TCP_SYN) +
	                !!(flags & TCP_FIN);

	if (!(flow->next_known & BIT(end)) || (int32_t)(next - flow->next_seq[end]) > 0)
		next_is(flow, end, next);
	if (flags & TCP_ACK && (!is_near(flow, !end, packet->tcp_ack) ||
	                        (int32_t)(packet->tcp_ack - flow->next_seq[!end]) > 0))
		next_is(flow, !end, packet->tcp_ack);
}

void tcp_packet(struct flow *flow, unsigned end, const struct packet *packet)
{
	struct flow_facts *facts = &flow->facts;
	bool believed = is_believed(flow, end, packet);
	uint8_t flags = packet->tcp_flags;

	if (believed && !(flags & TCP_RST))
		tcp_progress(flow, end, packet);
	/* An end of which nothing but a RST was seen has not answered, whoever sent it (outcome.c). */
	if (!believed)
		flags &= (uint8_t)~(TCP_FIN | (facts->packets[end] > 1 ? TCP_RST : 0));
	if (flags & TCP_SYN) {
		flow->syn_seq[end] = packet->tcp_seq;
		if (!(flags & TCP_ACK)) {
			if (!facts->tcp_flags[end])
				opener_syn(facts, end);
			if (!facts->tries++)
				facts->first_try_us = packet->time_us;
			facts->last_try_us = packet->time_us;
			facts->asked |= ASKED_SYN;
		}
	}
	facts->tcp_flags[end] |= flags;
	if ((believed && flags & TCP_RST) || (facts->tcp_flags[0] & facts->tcp_flags[1] & TCP_FIN))
		facts->closed = 1;
}

bool tcp_begins_anew(const struct flow *flow, unsigned end, const struct packet *packet)
{
	const struct flow_facts *facts = &flow->facts;

	if ((packet->tcp_flags & (TCP_SYN | TCP_ACK | TCP_RST)) != TCP_SYN)
		return false;
	/* The same sequence number again is a retry, also after a refusal. */
	if (facts->tcp_flags[end] & TCP_SYN)
		return flow->syn_seq[end] != packet->tcp_seq;
	/* A SYN from the side that never sent one: both opened at once, or the ports are used again. */
	return facts->midstream || facts->closed || facts->tcp_flags[!end] & TCP_FIN;
}

enum idle tcp_idle(const struct flow *flow)
{
	const struct flow_facts *facts = &flow->facts;

	if (facts->closed)
		return IDLE_TCP_CLOSED;
	if (facts->midstream || (outcome_spoke(facts, 0) && outcome_spoke(facts, 1)))
		return facts->tcp_flags[0] & facts->tcp_flags[1] & TCP_ACK ? IDLE_TCP_OPEN
		                                                           : IDLE_TCP_LONE;
	return IDLE_TCP_OPENING;
}
