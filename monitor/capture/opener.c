/*
 * opener.c - see opener.h. The evidence in order of weight: a SYN or SYN+ACK, then (dissectors) a
 * request or reply, then the one port of the two that a server listens on, last the first packet.
 */
#include "monitor/capture/opener.h"
#include "dissectors/dissect.h"

static void opened_by(struct flow_facts *facts, unsigned end, enum initiator_by by)
{
	facts->initiator = (uint8_t)end;
	facts->initiator_by = (uint8_t)by;
}

/* Nothing but ports and order speaks yet; a request seen later overrules both. A group never spoke first. */
static void guess(struct flow_facts *facts, int64_t looking_us)
{
	bool listens0 = port_listens(facts->end[0].port),
	     listens1 = port_listens(facts->end[1].port);
	bool ports = facts->transport == TRANSPORT_TCP || facts->transport == TRANSPORT_UDP;

	if (ports && listens0 != listens1)
		opened_by(facts, listens0, INITIATOR_PORT);
	else if (ports && facts->first_us - looking_us < OPENER_FIRST_US &&
	         !addr_is_multicast(&facts->end[1].addr) &&
	         !mac_is_broadcast(&facts->end[1].mac))
		opened_by(facts, 2, INITIATOR_UNKNOWN);
	else
		opened_by(facts, 0, INITIATOR_FIRST_PACKET);
}

void opener_begin(struct flow *flow, const struct packet *packet, int64_t looking_us)
{
	struct flow_facts *facts = &flow->facts;

	guess(facts, looking_us);
	if (packet->transport != TRANSPORT_TCP)
		return;
	/* A SYN's sender opened it; a SYN+ACK's receiver did, though we missed the SYN. */
	if (packet->tcp_flags & TCP_SYN && !packet->fragment_later) {
		opened_by(facts, packet->tcp_flags & TCP_ACK ? 1 : 0, INITIATOR_SYN);
		return;
	}
	facts->midstream = 1;
	facts->warmup = facts->first_us - looking_us < OPENER_WARMUP_US;
}

/* Both opened it at once (RFC 9293 3.5, figure 7). */
void opener_syn(struct flow_facts *facts, unsigned end)
{
	if (facts->initiator_by == INITIATOR_SYN && facts->initiator != end)
		opened_by(facts, 2, INITIATOR_UNKNOWN);
}
