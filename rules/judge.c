/*
 * judge.c - facts and policy -> verdict (design.md 5). Every row of the unit's profiles is scored;
 * the best match names the verdict, and where none matches the nearest rows say what differs.
 *
 * The headline holds in every mix of profiles: media whose local port is all that keeps it from a
 * row with a narrower range is not excused by a row that allows every local port, unless the site
 * itself names the peer under a role of that row.
 */
#include "rules/score.h"

#define FEW_PACKETS \
	3 /* with payload: fewer settle neither RTP nor a framed stream (domain.md 1.9) */

/* Link upkeep that no envelope lists (domain.md 7.1, 7.2): ICMP, IGMP, DHCPv6 (RFC 8415 7.2). */
static bool is_housekeeping(const struct scorer *s)
{
	const struct flow_facts *facts = s->view->facts;

	switch (facts->transport) {
	case TRANSPORT_ICMP:
	case TRANSPORT_ICMP6:
	case 2: /* IGMP */
		return true;
	case TRANSPORT_UDP:
		return facts->ip_version == 6 && s->local->port == 546 &&
		       s->remote->port == 547 && (!s->certain || s->view->app == APP_DHCPV6);
	default:
		return false;
	}
}

/* Whether the local port alone keeps certain media from a row with a narrower range. */
static bool misses_by_local_port(const struct scorer *s)
{
	uint8_t media = s->view->facts->media;

	for (size_t r = 0; media && r < s->policy->row_count; r++) {
		const struct row *row = &s->policy->rows[r];

		for (unsigned f = 0;
		     s->view->profiles >> row->profile & 1 && f < row->form_count; f++) {
			struct score score;

			if (!row->form[f].media || port_set_is_ephemeral(&row->form[f].local))
				continue;
			scorer_form(s, (unsigned)r, f, &score);
			if (score.misses == 1 && score.first == FIELD_LOCAL_PORT)
				return true;
		}
	}
	return false;
}

static bool may_not_excuse(const struct scorer *s, const struct score *score)
{
	const struct row_form *form = score_form(s, score);

	return !score->misses && port_set_is_ephemeral(&form->local) &&
	       !scorer_named_by_site(s, form->peers);
}

/*
 * What keeps a match from a better grade, the first that holds of: what is inside cannot be seen,
 * the beginning was missed, half of it was missed, there was too little of it, nobody was there to
 * look into it; last, that the site leaves the peer's role open.
 */
static enum why why_of(const struct scorer *s, const struct score *score)
{
	const struct flow_facts *facts = s->view->facts;

	if (score->fit[FIELD_APPLICATION] == FIT_UNKNOWN) {
		if (s->certain)
			return WHY_ENCRYPTED;
		if (facts->midstream)
			return WHY_MIDSTREAM;
		if (facts->outcome == OUTCOME_ONE_SIDED)
			return WHY_ONE_SIDED;
		if (facts->payload_packets < FEW_PACKETS)
			return WHY_TOO_FEW_PACKETS;
		if (s->view->inspector_off)
			return WHY_NO_INSPECTOR;
	}
	return score->fit[FIELD_PEER] == FIT_UNKNOWN ? WHY_ROLE_UNKNOWN : WHY_NONE;
}

/* The row was met as it stands, where the document is thought to mean another transport (A14). */
static bool is_as_written(const struct scorer *s, const struct score *score)
{
	const struct row *row = &s->policy->rows[score->row];

	for (unsigned f = 1; !score->form && f < row->form_count; f++)
		if (row->form[f].inferred && (row->form[f].tcp != row->form[0].tcp ||
					      row->form[f].udp != row->form[0].udp))
			return true;
	return false;
}

static void match_fill(const struct scorer *s, const struct score *best,
		       struct verdict *verdict)
{
	const struct row_form *form = score_form(s, best);

	verdict->ruling = best->grade ? RULING_DOCUMENTED : RULING_UNDETERMINED;
	verdict->grade = best->grade;
	verdict->role = best->role;
	if (best->grade != GRADE_EXACT)
		verdict->why = (uint8_t)why_of(s, best);
	if (verdict->ruling != RULING_DOCUMENTED)
		return;
	if (is_as_written(s, best))
		text_copy(verdict->reason, sizeof(verdict->reason), "as_written");
	else if (form->when == OPTION_ALLOW_VBSS)
		text_copy(verdict->reason, sizeof(verdict->reason), "vbss");
	else if (!s->direction && form->directions != (BIT(DIRECTION_OUT) | BIT(DIRECTION_IN)))
		text_copy(verdict->reason, sizeof(verdict->reason), "assumed");
}

/* Inserts into the best NEAREST_MAX, kept in order. Rows come in order, so ties stay behind. */
static void nearest_insert(struct score nearest[NEAREST_MAX], unsigned *count,
			   const struct score *score)
{
	unsigned at = *count;

	while (at > 0 && score_compare_misses(score, &nearest[at - 1]) < 0)
		at--;
	if (at == NEAREST_MAX)
		return;
	if (*count < NEAREST_MAX)
		(*count)++;
	for (unsigned i = *count - 1; i > at; i--)
		nearest[i] = nearest[i - 1];
	nearest[at] = *score;
}

/*
 * A row whose named peer is proven and whose ports both fit is what was meant, before a row open to
 * anybody on another port: the touch controller on its own port over IPv4 (domain.md A21) is no
 * failed call of the control API. `meant` is the nearest such row; it takes the first place.
 */
static void nearest_prefer(struct score nearest[NEAREST_MAX], unsigned *count,
			   const struct score *meant)
{
	unsigned at = 0;

	if (!*count || !meant->proven || meant->misses != nearest[0].misses ||
	    nearest[0].proven || nearest[0].fit[FIELD_PEER] != FIT_MATCH ||
	    nearest[0].fit[FIELD_LOCAL_PORT])
		return;
	while (at < *count && nearest[at].row != meant->row)
		at++;
	if (at == *count && *count < NEAREST_MAX)
		(*count)++;
	for (unsigned i = at < *count ? at : *count - 1; i > 0; i--)
		nearest[i] = nearest[i - 1];
	nearest[0] = *meant;
}

static bool is_meant(const struct score *score)
{
	return score->proven && score->fit[FIELD_LOCAL_PORT] && score->fit[FIELD_REMOTE_PORT];
}

void judge_flow(const struct policy *policy, const struct view *view, struct verdict *ret)
{
	struct score best = {0}, meant = {0}, nearest[NEAREST_MAX], score;
	unsigned near_count = 0;
	bool headline, found = false;
	struct scorer s;

	scorer_init(&s, policy, view);
	memset(ret, 0, sizeof(*ret));
	ret->role = -1;
	ret->direction = s.direction;
	if (is_housekeeping(&s)) {
		ret->ruling = RULING_HOUSEKEEPING;
		return;
	}
	headline = misses_by_local_port(&s);
	for (size_t r = 0; r < policy->row_count; r++) {
		int order;

		if (!(view->profiles >> policy->rows[r].profile & 1))
			continue;
		scorer_row(&s, (unsigned)r, &score);
		if (headline && may_not_excuse(&s, &score))
			continue;
		if (score.misses) {
			nearest_insert(nearest, &near_count, &score);
			if (is_meant(&score) &&
			    (!meant.proven || score_compare_misses(&score, &meant) < 0))
				meant = score;
			continue;
		}
		order = found ? score_compare_matches(&score, &best) : -1;
		if (order < 0) {
			best = score;
			found = true;
			ret->row_count = 0;
		}
		if (order <= 0 && ret->row_count < ROWS_MAX)
			ret->rows[ret->row_count++] = (uint16_t)r;
	}
	if (found) {
		for (unsigned i = ret->row_count; i < ROWS_MAX; i++)
			ret->rows[i] = 0; /* of a row that was best for a while */
		match_fill(&s, &best, ret);
		return;
	}
	ret->ruling = RULING_OUTSIDE;
	nearest_prefer(nearest, &near_count, &meant);
	nearest_fill(&s, nearest, near_count, ret);
	severity_fill(&s, near_count ? &nearest[0] : NULL, ret);
}

void judge_row(const struct policy *policy, const struct view *view, unsigned row,
	       struct score *ret)
{
	struct scorer s;

	scorer_init(&s, policy, view);
	scorer_row(&s, row, ret);
	ret->refused = may_not_excuse(&s, ret) && misses_by_local_port(&s);
}
