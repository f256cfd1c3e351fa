/*
 * outcome.c - see outcome.h.
 */
#include "monitor/capture/outcome.h"

#define SECOND INT64_C(1000000)
#define SILENCE_US (3 * SECOND) /* design.md 5 */
#define ANSWER_US SECOND        /* that an answer to the last try may take */
#define AGAIN_US (6 * SECOND)   /* after which nobody asks a second time */

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

/* Somebody decided, and does not merely say that he could not deliver. */
static bool is_decision(const struct flow_facts *facts)
{
	return is_prohibited(facts) || is_port_unreachable(facts);
}

void outcome_error(struct flow_facts *facts, unsigned end, const struct packet *packet)
{
	struct flow_facts told = *facts;

	/* It quotes what we did not see anybody send, or turns down an answer: nothing asked was refused. */
	if (!facts->packets[end] || (facts->initiator_by >= INITIATOR_REQUEST &&
	                             facts->initiator <= 1 && facts->initiator != end))
		return;
	told.icmp_type = packet->icmp_type;
	told.icmp_code = packet->icmp_code;
	/* The first decision stands; before it the first word of any other trouble. */
	if (facts->icmp_type && (is_decision(facts) || !is_decision(&told)))
		return;
	facts->icmp_type = packet->icmp_type;
	facts->icmp_code = packet->icmp_code;
	facts->icmp_sender = packet->src;
}

/*
 * Sends through a relay, or media to whom it has just checked: nobody does so before the relay granted it
 * (RFC 5766 9, 10), or the check was answered (RFC 8445 12). The answer went by where we did not look.
 */
static bool goes_on_as_if_answered(const struct flow_facts *facts)
{
	return facts->asked & (ASKED_STUN | ASKED_TURN_ALLOCATE) &&
	       (facts->media || !addr_is_unspecified(&facts->relayed));
}

/* Only one end was seen: did it talk to itself, or does the mirror hide the other one? */
static bool is_one_sided(const struct flow_facts *facts, unsigned seen)
{
	bool knows_opener = facts->initiator_by >= INITIATOR_REQUEST;

	/* Answers without their questions. */
	if (knows_opener && facts->initiator != seen)
		return true;
	if (goes_on_as_if_answered(facts))
		return true;
	if (facts->transport != TRANSPORT_TCP)
		return false;
	/* It acknowledges what we did not see. A SYN alone, and its retries, do not. */
	return facts->tcp_flags[seen] & TCP_ACK;
}

/* Both ends of TCP sent something, and one of them a lone RST: it refuses the SYN, if there was one. */
static enum outcome reset_outcome(const struct flow_facts *facts)
{
	return facts->asked & ASKED_SYN ? OUTCOME_REFUSED : OUTCOME_UNKNOWN;
}

/* DHCP and LLMNR answers travel in flows of their own (design.md 3): such a flow is the answer. */
static bool is_answer_alone(const struct flow_facts *facts)
{
	return facts->solicited || (facts->app == APP_DHCP &&
	                            facts->end[facts->initiator & 1].port == 67);
}

/* ... and LLMNR's is one to a question that we did not see: asked before our time, or by nobody. */
static bool is_answer_to_nothing(const struct flow_facts *facts)
{
	return facts->app == APP_LLMNR && facts->initiator_by == INITIATOR_REQUEST &&
	       !facts->packets[facts->initiator & 1];
}

/* A proxy's last word to a CONNECT was no (RFC 9110 9.3.6, 15): nobody behind it was reached. */
static bool is_refused_by_proxy(const struct flow_facts *facts)
{
	return facts->connect_port && facts->connect_status && facts->connect_status / 100 != 2;
}

enum outcome outcome_now(const struct flow_facts *facts)
{
	if (is_refused_by_proxy(facts))
		return OUTCOME_REFUSED;
	if ((outcome_spoke(facts, 0) && outcome_spoke(facts, 1)) || is_answer_alone(facts))
		return OUTCOME_ANSWERED;
	if (is_prohibited(facts))
		return OUTCOME_PROHIBITED;
	if (is_port_unreachable(facts))
		return OUTCOME_REFUSED;
	if (facts->transport == TRANSPORT_TCP && facts->packets[0] && facts->packets[1])
		return reset_outcome(facts);
	if (is_answer_to_nothing(facts))
		return OUTCOME_UNKNOWN;
	if (is_one_sided(facts, !facts->packets[0]))
		return OUTCOME_ONE_SIDED;
	if (addr_is_multicast(&facts->end[!!facts->packets[0]].addr) ||
	    mac_is_broadcast(&facts->end[!!facts->packets[0]].mac))
		return OUTCOME_UNKNOWN; /* whoever answers a group does so from elsewhere */
	return OUTCOME_UNANSWERED;
}

void outcome_write(struct flow_facts *facts, int64_t now_us)
{
	int64_t silent_s = 0;

	facts->outcome = (uint8_t)outcome_now(facts);
	if (facts->outcome == OUTCOME_UNANSWERED && facts->asked)
		silent_s = (now_us - facts->first_try_us) / SECOND;
	facts->silent_s = (uint8_t)(silent_s < UINT8_MAX ? silent_s : UINT8_MAX);
}

bool outcome_waits(const struct flow_facts *facts, int64_t now_us)
{
	if (!facts->asked || outcome_now(facts) != OUTCOME_UNANSWERED)
		return false;
	if (facts->tries < 2)
		return now_us - facts->first_try_us < AGAIN_US;
	return now_us - facts->first_try_us < SILENCE_US ||
	       now_us - facts->last_try_us < ANSWER_US;
}
