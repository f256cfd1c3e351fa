/*
 * outcome.c - blocked is not outside: a documented flow that the network swallows, forbids or the
 * peer refuses (design.md 5). Claimed only of unicast requests that a protocol must answer, and
 * only while the unit is seen to talk with somebody both ways.
 */
#include "rules/score.h"
#include "schema/time.h"

#define SILENCE_US (3 * SECOND_US)
#define SILENCE_TRIES 2 /* the request and one retry */

/* Asked of a server the site or the document names; an ICE probe to some client may stay silent. */
static bool is_named_server(const struct scorer *s, const struct verdict *verdict)
{
	return verdict->role >= 0 && !(s->clients >> verdict->role & 1);
}

static bool must_be_answered(const struct scorer *s, const struct verdict *verdict)
{
	const struct flow_facts *facts = s->view->facts;
	const struct row *row = &s->policy->rows[verdict->rows[0]];

	if (s->group)
		return false;
	if (facts->asked & (ASKED_DNS | ASKED_KERBEROS))
		return true;
	if (facts->asked & (ASKED_STUN | ASKED_TURN_ALLOCATE))
		return is_named_server(s, verdict);
	/* ICE over TCP opens connections to every candidate. */
	return facts->asked & ASKED_SYN && (!row->form[0].media || is_named_server(s, verdict));
}

/* A resolver may ask again from another port: then the retry is a flow of its own. */
static bool silence_is_proven(const struct view *view)
{
	const struct flow_facts *facts = view->facts;
	int64_t tried_us = facts->last_us - facts->first_try_us, silent_us = facts->silent_s * SECOND_US;

	return !view->lossy && (facts->tries >= SILENCE_TRIES || view->asked_again) &&
	       (tried_us >= SILENCE_US || silent_us >= SILENCE_US);
}

static enum kind claim_of(const struct view *view)
{
	switch (view->facts->outcome) {
	case OUTCOME_UNANSWERED:
		return silence_is_proven(view) ? KIND_BLOCKED_SILENT : KIND_NONE;
	case OUTCOME_PROHIBITED:
		return KIND_BLOCKED_PROHIBITED;
	case OUTCOME_REFUSED:
		return KIND_REFUSED;
	default:
		return KIND_NONE;
	}
}

/* What the room needs is worse to lose; what others ask of the unit in vain does no harm. */
static enum severity claim_severity(const struct scorer *s, const struct verdict *verdict)
{
	if (s->direction != DIRECTION_OUT)
		return SEVERITY_LOW;
	return s->policy->rows[verdict->rows[0]].need == NEED_REQUIRED ? SEVERITY_MEDIUM
	                                                               : SEVERITY_LOW;
}

bool judge_outcome(const struct policy *policy, const struct view *view, bool two_way,
                   struct verdict *verdict)
{
	enum kind claim = claim_of(view);
	struct scorer s;

	if (verdict->ruling != RULING_DOCUMENTED || claim == KIND_NONE)
		return false;
	scorer_init(&s, policy, view);
	if (!must_be_answered(&s, verdict))
		return false;
	if (!two_way)
		return true;
	verdict->kind = (uint8_t)claim;
	verdict->severity = (uint8_t)claim_severity(&s, verdict);
	return false;
}
