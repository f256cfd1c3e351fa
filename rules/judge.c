/*
 * judge.c - facts and policy -> verdict (design.md 5). Every row of the unit's profiles is scored;
 * the best match names the verdict, and where none matches the nearest rows say what differs.
 *
 * The headline holds in every mix of profiles: media whose local port is all that keeps it from a
 * row with a narrower range is not excused by a row that allows every local port, unless the site
 * itself names the peer under a role of that row.
 */
#include "rules/score.h"

#define DHCPV6_CLIENT 546
#define DHCPV6_SERVER 547

/* Link upkeep that no envelope lists (domain.md 7.1, 7.2): ICMP, IGMP, DHCPv6 (RFC 8415 7.2). */
static bool is_housekeeping(const struct scorer *s)
{
	const struct flow_facts *facts = s->view->facts;

	switch (facts->transport) {
	case TRANSPORT_ICMP:
	case TRANSPORT_ICMP6:
	case TRANSPORT_IGMP:
		return true;
	case TRANSPORT_UDP:
		return facts->ip_version == 6 && s->local->port == DHCPV6_CLIENT &&
		       s->remote->port == DHCPV6_SERVER && (!s->certain || s->view->app == APP_DHCPV6);
	default:
		return false;
	}
}

bool judge_known_port(size_t i, uint16_t *ret_port)
{
	static const uint16_t ports[] = {0, DHCPV6_CLIENT, DHCPV6_SERVER};

	if (i >= ARRAY_LEN(ports))
		return innocent_port(i - ARRAY_LEN(ports), ret_port);
	*ret_port = ports[i];
	return true;
}

/*
 * Whether the local port alone keeps certain media from a row with a narrower range; *ret_row
 * becomes the nearest of such rows.
 */
static bool misses_by_local_port(const struct scorer *s, struct score *ret_row)
{
	bool found = false;

	for (size_t r = 0; s->media && r < s->policy->row_count; r++) {
		const struct row *row = &s->policy->rows[r];

		for (unsigned f = 0;
		     s->view->profiles >> row->profile & 1 && f < row->form_count; f++) {
			struct score score;

			if (!row->form[f].media || port_set_is_ephemeral(&row->form[f].local))
				continue;
			scorer_form(s, (unsigned)r, f, &score);
			if (score.misses != 1 || score.first != FIELD_LOCAL_PORT)
				continue;
			if (!found || score_compare_misses(&score, ret_row) < 0)
				*ret_row = score;
			found = true;
		}
	}
	return found;
}

/* A row that allows every local port may not excuse media that a narrower row should have held. */
static bool may_not_excuse(const struct scorer *s, const struct score *score)
{
	const struct row_form *form = score_form(s, score);

	return port_set_is_ephemeral(&form->local) && !scorer_named_by_site(s, form->peers);
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
		if (s->certain && s->view->app == APP_TLS)
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
		if (row->form[f].inferred && row->form[f].when == OPTION_NONE &&
		    (row->form[f].tcp != row->form[0].tcp ||
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

/* Gives `row` the first place among the nearest. */
static void nearest_prefer(struct score nearest[NEAREST_MAX], unsigned *count,
                           const struct score *row)
{
	unsigned at = 0;

	while (at < *count && nearest[at].row != row->row)
		at++;
	if (at == *count && *count < NEAREST_MAX)
		(*count)++;
	for (unsigned i = at < *count ? at : *count - 1; i > 0; i--)
		nearest[i] = nearest[i - 1];
	nearest[0] = *row;
}

/*
 * A row whose named peer is proven and whose ports both fit is what was meant, before a row open to
 * anybody on another port: the touch controller on its own port over IPv4 (domain.md A21) is no
 * failed call of the control API.
 */
static bool is_meant(const struct score *score)
{
	return score->proven && score->fit[FIELD_LOCAL_PORT] && score->fit[FIELD_REMOTE_PORT];
}

static bool is_open_to_anybody(const struct score *score)
{
	return !score->proven && score->fit[FIELD_PEER] == FIT_MATCH &&
	       score->fit[FIELD_LOCAL_PORT] == FIT_MISMATCH;
}

/*
 * The other end of the row's application: the unit answers what the row lets it ask (LLMNR, domain.md A3), which is
 * no other application on the ports of media, wherever the port of him who asked happens to lie.
 */
static bool is_turned(const struct scorer *s, const struct score *score)
{
	const struct row_form *form = score_form(s, score);

	return s->direction == DIRECTION_IN && score->fit[FIELD_DIRECTION] == FIT_MISMATCH &&
	       score->fit[FIELD_APPLICATION] == FIT_MATCH && score->fit[FIELD_PEER] &&
	       port_set_has(&form->remote, s->local->port) &&
	       port_set_has(&form->local, s->remote->port);
}

/* What all rows of the unit's profiles say. */
struct ballot {
	struct score best; /* of those that match, and how many tie with it */
	uint16_t rows[ROWS_MAX];
	unsigned row_count;
	struct score nearest[NEAREST_MAX]; /* of those that do not */
	unsigned nearest_count;
	struct score meant, turned, narrower; /* misses == 0: there is none */
};

static void ballot_match(struct ballot *ballot, const struct score *score)
{
	int order = ballot->row_count ? score_compare_matches(score, &ballot->best) : -1;

	if (order < 0) {
		ballot->best = *score;
		ballot->row_count = 0;
	}
	if (order <= 0 && ballot->row_count < ROWS_MAX)
		ballot->rows[ballot->row_count++] = score->row;
}

static void ballot_miss(struct ballot *ballot, const struct scorer *s, const struct score *score)
{
	nearest_insert(ballot->nearest, &ballot->nearest_count, score);
	if (is_meant(score) &&
	    (!ballot->meant.misses || score_compare_misses(score, &ballot->meant) < 0))
		ballot->meant = *score;
	if (is_turned(s, score) &&
	    (!ballot->turned.misses || score_compare_misses(score, &ballot->turned) < 0))
		ballot->turned = *score;
}

static void ballot_take(struct ballot *ballot, const struct scorer *s)
{
	bool headline = misses_by_local_port(s, &ballot->narrower);

	for (size_t r = 0; r < s->policy->row_count; r++) {
		struct score score;

		if (!(s->view->profiles >> s->policy->rows[r].profile & 1))
			continue;
		scorer_row(s, (unsigned)r, &score);
		if (score.misses)
			ballot_miss(ballot, s, &score);
		else if (!headline || !may_not_excuse(s, &score))
			ballot_match(ballot, &score);
	}
}

/* The order of design.md 5 stands but for three rows that say better what went wrong. */
static void ballot_settle_nearest(struct ballot *ballot, const struct scorer *s)
{
	const struct score *first = &ballot->nearest[0];

	if (!ballot->nearest_count)
		return;
	if (ballot->narrower.misses && may_not_excuse(s, first))
		nearest_prefer(ballot->nearest, &ballot->nearest_count, &ballot->narrower);
	else if (ballot->meant.misses == first->misses && is_open_to_anybody(first))
		nearest_prefer(ballot->nearest, &ballot->nearest_count, &ballot->meant);
	else if (ballot->turned.misses == first->misses &&
	         first->fit[FIELD_APPLICATION] == FIT_MISMATCH)
		nearest_prefer(ballot->nearest, &ballot->nearest_count, &ballot->turned);
}

void judge_flow(const struct policy *policy, const struct view *view, struct verdict *ret)
{
	struct ballot ballot = {0};
	struct scorer s;

	scorer_init(&s, policy, view);
	memset(ret, 0, sizeof(*ret));
	ret->role = -1;
	ret->direction = s.direction;
	if (is_housekeeping(&s)) {
		ret->ruling = RULING_HOUSEKEEPING;
		return;
	}
	ballot_take(&ballot, &s);
	if (ballot.row_count) {
		ret->row_count = (uint8_t)ballot.row_count;
		memcpy(ret->rows, ballot.rows, ballot.row_count * sizeof(*ballot.rows));
		match_fill(&s, &ballot.best, ret);
		return;
	}
	ret->ruling = RULING_OUTSIDE;
	ballot_settle_nearest(&ballot, &s);
	nearest_fill(ballot.nearest, ballot.nearest_count, ret);
	nearest_say(&s, ret);
	severity_fill(&s, ballot.nearest_count ? &ballot.nearest[0] : NULL, ret);
}

void judge_row(const struct policy *policy, const struct view *view, unsigned row,
               struct score *ret)
{
	struct score narrower;
	struct scorer s;

	scorer_init(&s, policy, view);
	scorer_row(&s, row, ret);
	ret->refused =
		!ret->misses && may_not_excuse(&s, ret) && misses_by_local_port(&s, &narrower);
}
