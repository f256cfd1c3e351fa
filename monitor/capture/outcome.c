/*
 * outcome.c - see outcome.h.
 */
#include "monitor/capture/outcome.h"

bool outcome_spoke(const struct flow_facts *facts, unsigned end)
{
	/* A lone RST is no answer but a refusal. */
	return facts->packets[end] && (facts->transport != TRANSPORT_TCP ||
	                               facts->tcp_flags[end] & (TCP_SYN | TCP_FIN | TCP_PSH) ||
	                               !(facts->tcp_flags[end] & TCP_RST));
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

void outcome_write(struct flow_facts *facts)
{
	bool answered[2] = {outcome_spoke(facts, 0), outcome_spoke(facts, 1)};

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
	else if (addr_is_multicast(&facts->end[!!facts->packets[0]].addr))
		facts->outcome = OUTCOME_UNKNOWN; /* whoever answers a group does so from elsewhere */
	else
		facts->outcome = OUTCOME_UNANSWERED;
}
