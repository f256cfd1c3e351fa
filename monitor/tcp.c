/*
 * tcp.c - see tcp.h. RFC 9293 3.5 and 3.6, as far as a bystander sees it.
 */
#include "monitor/tcp.h"

void tcp_begin(struct flow *flow, const struct packet *packet)
{
	struct flow_facts *facts = &flow->facts;

	if (!(packet->tcp_flags & TCP_SYN) || packet->fragment_later) {
		facts->midstream = 1;
		return;
	}
	/* A SYN's sender opened it; a SYN+ACK's receiver did, though we missed the SYN. */
	facts->initiator = packet->tcp_flags & TCP_ACK ? 1 : 0;
	facts->initiator_by = INITIATOR_SYN;
}

void tcp_packet(struct flow *flow, unsigned end, const struct packet *packet)
{
	struct flow_facts *facts = &flow->facts;
	uint8_t flags = packet->tcp_flags;

	if (flags & TCP_SYN) {
		flow->syn_seq[end] = packet->tcp_seq;
		if (!(flags & TCP_ACK)) {
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

static bool is_answered(const struct flow_facts *facts, unsigned end)
{
	/* A lone RST is no answer but a refusal. */
	return facts->packets[end] && (facts->transport != TRANSPORT_TCP ||
				       facts->tcp_flags[end] & (TCP_SYN | TCP_FIN | TCP_PSH) ||
				       !(facts->tcp_flags[end] & TCP_RST));
}

enum idle tcp_idle(const struct flow *flow)
{
	const struct flow_facts *facts = &flow->facts;

	if (facts->closed)
		return IDLE_TCP_CLOSED;
	if (facts->midstream || (is_answered(facts, 0) && is_answered(facts, 1)))
		return IDLE_TCP_OPEN;
	return IDLE_TCP_OPENING;
}

/* Destination unreachable as a decision of somebody on the way (RFC 792, RFC 1812 5.2.7.1, RFC 4443 3.1). */
static bool is_prohibited(const struct flow_facts *facts)
{
	uint8_t code = facts->icmp_code;

	if (facts->ip_version == 4)
		return facts->icmp_type == 3 && (code == 9 || code == 10 || code == 13);
	return facts->icmp_type == 1 && (code == 1 || code == 5 || code == 6);
}

static bool is_port_unreachable(const struct flow_facts *facts)
{
	if (facts->ip_version == 4)
		return facts->icmp_type == 3 &&
		       (facts->icmp_code == 2 || facts->icmp_code == 3);
	return facts->icmp_type == 1 && facts->icmp_code == 4;
}

/* Only one end was seen: did it talk to itself, or does the mirror hide the other one? */
static bool is_one_sided(const struct flow_facts *facts, unsigned seen)
{
	bool knows_opener = facts->initiator_by >= INITIATOR_REQUEST;

	/* Answers without their questions. */
	if (knows_opener && facts->initiator != seen)
		return true;
	if (facts->transport != TRANSPORT_TCP)
		return false;
	/* It acknowledges what we did not see. A SYN alone, and its retries, do not. */
	return facts->tcp_flags[seen] & TCP_ACK;
}

void tcp_outcome(struct flow *flow)
{
	struct flow_facts *facts = &flow->facts;
	bool answered[2] = {is_answered(facts, 0), is_answered(facts, 1)};

	/* DHCP and LLMNR answers travel in flows of their own (design.md 3): such a flow is the answer. */
	if ((answered[0] && answered[1]) ||
	    (facts->app == APP_DHCP && facts->end[facts->initiator & 1].port == 67) ||
	    (facts->app == APP_LLMNR && facts->initiator_by == INITIATOR_REQUEST &&
	     !facts->packets[facts->initiator & 1]))
		facts->outcome = OUTCOME_ANSWERED;
	else if (is_prohibited(facts))
		facts->outcome = OUTCOME_PROHIBITED;
	else if (is_port_unreachable(facts))
		facts->outcome = OUTCOME_REFUSED;
	else if (facts->transport == TRANSPORT_TCP && facts->packets[0] && facts->packets[1])
		facts->outcome = OUTCOME_REFUSED;
	else if (is_one_sided(facts, !facts->packets[0]))
		facts->outcome = OUTCOME_ONE_SIDED;
	else
		facts->outcome = OUTCOME_UNANSWERED;
}
