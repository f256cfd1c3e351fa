/*
 * profiles.c - which profiles a unit uses: each flow is judged by every profile alone, with all role holders known. A
 * flow speaks for a profile where it fits a row of it and its peer is proven under a role of that row; rows with
 * 1024-65535 on both sides take nearly everything and speak for nothing. What several profiles explain equally well speaks
 * for the one that is there anyhow, or else for the one that explains most.
 */
#include "monitor/suggest/parts.h"

/* Flows of one unit for which the same profiles speak. */
struct pattern {
	size_t candidate;
	uint32_t firm; /* profiles with a row of a named role; mask */
	uint32_t weak; /* ... of a role that an ICE check proves: anybody in a call */
	uint32_t wide; /* ... that would let it pass, and say no more */
	uint64_t flows;
	struct profile_use use[PROFILES_MAX]; /* the first flow of each */
};

struct profiles_reading {
	struct suggestion *suggestion;
	struct pattern *patterns;
	size_t count, room;
};

struct profiles_reading *profiles_new(struct suggestion *suggestion)
{
	struct profiles_reading *reading = calloc(1, sizeof(*reading));

	if (reading)
		reading->suggestion = suggestion;
	return reading;
}

void profiles_free(struct profiles_reading *reading)
{
	if (reading)
		free(reading->patterns);
	free(reading);
}

enum says { SAYS_NOTHING, SAYS_WIDELY, SAYS_WEAKLY, SAYS_FIRMLY };

static enum says profile_says(const struct past *past, unsigned profile,
                              struct verdict *verdict)
{
	struct view view = past->view;
	const struct role *role;

	view.profiles = (uint32_t)BIT(profile);
	judge_flow(past->policy, &view, verdict);
	if (verdict->ruling != RULING_DOCUMENTED || !verdict->row_count)
		return SAYS_NOTHING;
	if (verdict->grade == GRADE_WIDE || verdict->role < 0)
		return SAYS_WIDELY;
	role = &past->policy->envelope->roles[verdict->role];
	if (role->anyone || role->own_subnet)
		return SAYS_WIDELY;
	/* By the port alone it proves nothing, but where the row itself knows no more. */
	if (view.evidence != EVIDENCE_DISSECTOR && verdict->grade != GRADE_EXACT)
		return SAYS_WIDELY;
	return role->by_ice ? SAYS_WEAKLY : SAYS_FIRMLY;
}

static struct pattern *pattern_at(struct profiles_reading *reading, const struct pattern *like)
{
	for (size_t i = 0; i < reading->count; i++)
		if (reading->patterns[i].candidate == like->candidate &&
		    reading->patterns[i].firm == like->firm &&
		    reading->patterns[i].weak == like->weak &&
		    reading->patterns[i].wide == like->wide)
			return &reading->patterns[i];
	if (array_reserve(&reading->patterns, &reading->room, reading->count + 1,
	                  sizeof(*reading->patterns)) < 0)
		return NULL;
	reading->patterns[reading->count] = (struct pattern){.candidate = like->candidate,
	                                                     .firm = like->firm,
	                                                     .weak = like->weak,
	                                                     .wide = like->wide};
	return &reading->patterns[reading->count++];
}

void profiles_note(struct profiles_reading *reading, size_t candidate,
                   const struct flow_view *flow, const struct past *past)
{
	const struct envelope *envelope = past->policy->envelope;
	struct pattern like = {.candidate = candidate}, *pattern;
	struct verdict verdicts[PROFILES_MAX];

	for (unsigned p = 0; p < envelope->profile_count; p++) {
		enum says says = profile_says(past, p, &verdicts[p]);

		like.firm |= (uint32_t)(says == SAYS_FIRMLY) << p;
		like.weak |= (uint32_t)(says == SAYS_WEAKLY) << p;
		like.wide |= (uint32_t)(says == SAYS_WIDELY) << p;
	}
	/* The document's own servers and names prove a profile, whoever else may explain the flow weakly. */
	if (like.firm)
		like.weak = 0;
	if (!like.firm && !like.weak)
		return;
	pattern = pattern_at(reading, &like);
	if (!pattern)
		return;
	pattern->flows++;
	for (unsigned p = 0; p < envelope->profile_count; p++) {
		struct profile_use *use = &pattern->use[p];

		if (!((like.firm | like.weak) >> p & 1))
			continue;
		if (!use->trace.flows) {
			use->row = verdicts[p].rows[0];
			use->grade = verdicts[p].grade;
		}
		trace_add(&use->trace, flow);
	}
}

/* ------------------------------------------------------------------ choosing */

static void use_take(struct profile_use *use, const struct profile_use *more)
{
	uint64_t flows = use->trace.flows + more->trace.flows;

	if (!use->trace.flows || more->trace.first_us < use->trace.first_us)
		*use = *more;
	use->trace.flows = flows;
}

/* The profile is in use: what it explains is explained. */
static void choose(struct profiles_reading *reading, size_t at, unsigned profile)
{
	struct candidate *candidate = &reading->suggestion->candidates[at];

	candidate->profiles |= (uint32_t)BIT(profile);
	for (size_t i = 0; i < reading->count; i++) {
		const struct pattern *pattern = &reading->patterns[i];

		if (pattern->candidate == at && (pattern->firm | pattern->weak) >> profile & 1)
			use_take(&candidate->use[profile], &pattern->use[profile]);
	}
}

/* Profiles that nothing else explains, or (`alone` false) the one that explains most of what is left. */
static bool choose_next(struct profiles_reading *reading, size_t at, bool weak, bool alone)
{
	const struct candidate *candidate = &reading->suggestion->candidates[at];
	uint64_t flows[PROFILES_MAX] = {0};
	int best = -1;

	for (size_t i = 0; i < reading->count; i++) {
		const struct pattern *pattern = &reading->patterns[i];
		uint32_t mask = weak ? pattern->weak : pattern->firm;

		if (pattern->candidate != at || !mask ||
		    (pattern->firm | pattern->weak | (weak ? pattern->wide : 0)) &
		            candidate->profiles ||
		    (alone && mask & (mask - 1)))
			continue;
		for (unsigned p = 0; p < PROFILES_MAX; p++)
			if (mask >> p & 1)
				flows[p] += pattern->flows;
	}
	for (unsigned p = 0; p < PROFILES_MAX; p++)
		if (flows[p] && (best < 0 || flows[p] > flows[best]))
			best = (int)p;
	if (best < 0)
		return false;
	choose(reading, at, (unsigned)best);
	return true;
}

void profiles_settle(struct profiles_reading *reading)
{
	struct suggestion *suggestion = reading->suggestion;

	for (size_t at = 0; at < suggestion->candidate_count; at++) {
		struct candidate *candidate = &suggestion->candidates[at];
		uint32_t listed = candidate->profiles;

		/* What every unit needs comes first in the envelope. */
		if (!candidate->listed)
			choose(reading, at, 0);
		for (unsigned weak = 0; weak < 2; weak++) {
			while (choose_next(reading, at, weak, true))
				continue;
			while (choose_next(reading, at, weak, false))
				continue;
		}
		/* Of a listed unit it is said and not done: somebody decided its profiles. */
		if (candidate->listed)
			candidate->profiles = listed;
	}
}
