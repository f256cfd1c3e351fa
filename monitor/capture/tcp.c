/*
 * tcp.c - see tcp.h. RFC 9293 3.5 and 3.6, as far as a bystander sees it.
 */
#include "monitor/capture/tcp.h"
#include "monitor/capture/opener.h"
#include "monitor/capture/outcome.h"

void tcp_packet(struct flow *flow, unsigned end, const struct packet *packet)
{
	struct flow_facts *facts = &flow->facts;
	uint8_t flags = packet->tcp_flags;

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
	if (flags & TCP_RST || (facts->tcp_flags[0] & facts->tcp_flags[1] & TCP_FIN))
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
		return IDLE_TCP_OPEN;
	return IDLE_TCP_OPENING;
}
