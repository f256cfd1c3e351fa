/*
 * remedy_try.c - a change of the site file is made, the policy that follows is loaded, and what is recorded is
 * judged by it. See remedy.h.
 */
#include "monitor/acceptance/remedy_parts.h"

#include "rules/recorded.h"

#define ALSO_MAX 4

/* Who is proven by the word of a server that is named: a resolver that says which name an address has. */
struct also {
	struct addr peer;
	int role; /* -1: none */
	int64_t finding;
};

struct trial {
	struct search *search;
	const struct candidate *candidate;
	struct history *history; /* under the changed policy */
	bool failed;
	bool beside;    /* all flows are looked at, not the finding's alone */
	uint64_t flows; /* looked at */
	struct tally {  /* by finding: its flows among these */
		uint64_t seen, settled;
		bool also; /* some of them by another's word: it keeps a step of its own */
	} * tallies;
	struct also also[ALSO_MAX];
	size_t also_count;
	bool also_more;
};

void attempt_release(struct attempt *attempt)
{
	free(attempt->settles);
	free(attempt->say);
	free(attempt->lines);
	*attempt = (struct attempt){0};
}

/* ------------------------------------------------------------------ judging */

/* The greater, the worse. */
static unsigned trouble(uint8_t ruling, uint8_t grade, uint8_t kind, uint8_t severity)
{
	if (kind != KIND_NONE)
		return 8U + severity;
	switch (ruling) {
	case RULING_DOCUMENTED:
		return grade;
	case RULING_HOUSEKEEPING:
		return 0;
	default:
		return 4;
	}
}

bool verdict_is_firm(const struct policy *policy, const struct verdict *verdict)
{
	const struct role *roles = policy->envelope->roles;

	return verdict->ruling == RULING_DOCUMENTED && verdict->grade != GRADE_WIDE &&
	       verdict->role >= 0 && !roles[verdict->role].anyone &&
	       !roles[verdict->role].by_ice;
}

static bool is_settled(const struct trial *trial, const struct past *past)
{
	const struct verdict *verdict = &past->verdict;

	if (past_waiver(past))
		return true;
	if (verdict->kind != KIND_NONE)
		return false;
	if (verdict->ruling == RULING_DOCUMENTED)
		return !trial->candidate->strict || verdict_is_firm(past->policy, verdict);
	return verdict->ruling == RULING_HOUSEKEEPING;
}

static bool is_worse(const struct flow_view *flow, const struct past *past)
{
	const struct verdict *now = &past->verdict;

	return trouble(now->ruling, now->grade, now->kind, now->severity) >
	               trouble(flow->ruling, flow->grade, flow->kind, flow->severity) &&
	       !past_waiver(past);
}

static bool find_finding(const struct search *search, int64_t id, size_t *ret)
{
	for (*ret = 0; *ret < search->count; ++*ret)
		if (search->findings[*ret].id == id)
			return true;
	return false;
}

static bool is_named(const struct search *search, const struct addr *peer)
{
	for (size_t i = 0; i < search->sample.peer_count; i++)
		if (addr_equal(&search->sample.peers[i], peer))
			return true;
	return false;
}

/* A flow under another finding, settled, though the change does not name its peer. */
static void note_also(struct trial *trial, const struct flow_view *flow,
                      const struct past *past)
{
	const struct addr *peer = &flow->facts.end[!flow->local].addr;
	size_t at;

	if (!trial->candidate->trusts || !flow->finding || past_waiver(past) ||
	    flow->finding == trial->search->findings[trial->search->at].id ||
	    is_named(trial->search, peer))
		return;
	if (find_finding(trial->search, flow->finding, &at))
		trial->tallies[at].also = true;
	for (size_t i = 0; i < trial->also_count; i++)
		if (trial->also[i].finding == flow->finding &&
		    addr_equal(&trial->also[i].peer, peer))
			return;
	if (trial->also_count == ALSO_MAX)
		trial->also_more = true;
	else
		trial->also[trial->also_count++] =
			(struct also){*peer, past->verdict.role, flow->finding};
}

static int judge_flow_again(void *context, const struct flow_view *flow, struct err *err)
{
	struct trial *trial = context;
	struct search *search = trial->search;
	struct past past;
	size_t at;

	(void)err;
	trial->flows++;
	search->judged++;
	if (strcmp(flow->policy, search->policy->hash) != 0) {
		trial->failed |= !trial->beside;
		return trial->failed;
	}
	if (!history_judge(trial->history, flow, &past)) {
		trial->failed |= !trial->beside;
		return trial->failed;
	}
	if (trial->beside)
		trial->failed |= is_worse(flow, &past);
	else
		trial->failed |= !is_settled(trial, &past);
	if (is_settled(trial, &past))
		note_also(trial, flow, &past);
	if (trial->beside && flow->finding && find_finding(search, flow->finding, &at)) {
		trial->tallies[at].seen++;
		trial->tallies[at].settled += is_settled(trial, &past);
	}
	return trial->failed;
}

static int judge_own(struct trial *trial, size_t finding, struct err *err)
{
	const struct flow_query own = {.finding = trial->search->findings[finding].id,
	                               .limit = REMEDY_OWN_MAX};
	int r;

	trial->beside = false;
	trial->flows = 0;
	r = flowdb_flows(trial->search->db, &own, judge_flow_again, trial, err);
	trial->failed |= !trial->flows;
	return r;
}

/* NULL: the findings are of several. */
static const char *only_unit(const struct search *search)
{
	for (size_t i = 1; i < search->count; i++)
		if (strcmp(search->findings[i].unit, search->findings[0].unit) != 0)
			return NULL;
	return search->findings[0].unit;
}

struct taking {
	struct search *search;
	const char *taken; /* flows of this unit are there already */
	size_t read;
};

static int note_beside(void *context, const struct flow_view *flow, struct err *err)
{
	struct taking *taking = context;
	struct search *search = taking->search;

	(void)err;
	search->beside_cut |= taking->read++ == REMEDY_BESIDE_MAX;
	if (taking->taken && !strcmp(flow->unit, taking->taken))
		return 0;
	if (search->beside_count == REMEDY_BESIDE_MAX)
		search->beside_cut = true;
	else
		search->beside[search->beside_count++] = flow->id;
	return search->beside_cut;
}

/* Once, for to find the first ones of a long window all of it is gone through. */
static int take_beside(struct search *search, struct err *err)
{
	struct flow_query query = {.unit = only_unit(search),
	                           .since_us = search->since_us,
	                           .until_us = search->until_us,
	                           .limit = REMEDY_BESIDE_MAX + 1};
	struct taking taking = {.search = search};
	int r = 0;

	if (search->beside_taken)
		return 0;
	search->beside_taken = true;
	search->beside = calloc(REMEDY_BESIDE_MAX, sizeof(*search->beside));
	if (!search->beside)
		return err_set(err, -ENOMEM, "out of memory");
	if (query.unit)
		r = flowdb_flows(search->db, &query, note_beside, &taking, err);
	taking = (struct taking){.search = search, .taken = query.unit};
	query.unit = NULL;
	return r < 0 || search->beside_cut
	               ? r
	               : flowdb_flows(search->db, &query, note_beside, &taking, err);
}

static int judge_beside(struct trial *trial, struct err *err)
{
	struct search *search = trial->search;
	int r = take_beside(search, err);

	trial->beside = true;
	for (size_t i = 0; r >= 0 && !trial->failed && i < search->beside_count; i++)
		r = flowdb_flow(search->db, search->beside[i], judge_flow_again, trial, err);
	return r;
}

/* Where not all flows of the window were looked at: of findings that went well so far the rest. */
static int judge_others(struct trial *trial, struct err *err)
{
	const struct search *search = trial->search;
	int r = 0;

	for (size_t i = 0; r >= 0 && i < search->count; i++) {
		struct tally *tally = &trial->tallies[i];

		if (search->judged >= REMEDY_JUDGED_MAX || i == search->at || !tally->seen ||
		    tally->settled < tally->seen ||
		    tally->seen == search->findings[i].row->kept)
			continue;
		r = judge_own(trial, i, err);
		tally->seen = search->findings[i].row->kept;
		tally->settled = trial->failed ? 0 : tally->seen;
		trial->failed = false;
	}
	return r;
}

/* Its own flows first: most changes fail there. */
static int judge_all(struct trial *trial, struct err *err)
{
	int r = judge_own(trial, trial->search->at, err);

	if (r >= 0 && !trial->failed)
		r = judge_beside(trial, err);
	return r < 0 || trial->failed || !trial->search->beside_cut ? r
	                                                            : judge_others(trial, err);
}

/* ------------------------------------------------------------------ the change */

/* "under roles: in place of line 12 of site.yaml" */
static void say_place(const struct search *search, const struct candidate *candidate,
                      const struct yaml_edited *edited, char *buf, size_t size)
{
	const char *key = candidate->edit.path[0];
	size_t len = strlen(key);

	if (!search->site.len) {
		snprintf(buf, size, "in a site file of its own (-c)");
		return;
	}
	if (!*edited->lines)
		snprintf(buf, size, "take ");
	else if (edited->replaced)
		snprintf(buf, size, "under %s: in place of ", key);
	else
		snprintf(buf, size, "under %s: behind ", key);
	text_add(buf, size, "line%s %u", edited->replaced > 1 ? "s" : "",
	         edited->line - !edited->replaced);
	if (edited->replaced > 1)
		text_add(buf, size, "-%u", edited->line + edited->replaced - 1);
	text_add(buf, size, *edited->lines ? " of %s" : " out of %s", search->site.name);
	/* Another step may have made the key by the time. */
	if (!strncmp(edited->lines, key, len) && !strcspn(edited->lines + len, ":") &&
	    !edited->replaced)
		text_add(buf, size, " (where %s: is there by then, without the first line)",
		         key);
}

/* What was not looked at. */
static void say_extent(const struct trial *trial, char *buf, size_t size)
{
	const struct finding_row *row = trial->search->findings[trial->search->at].row;
	char own[128] = "", beside[128] = "";

	if (row->kept > REMEDY_OWN_MAX)
		snprintf(own, sizeof(own), "%d of its %llu flows were judged again",
		         REMEDY_OWN_MAX, (unsigned long long)row->flows);
	else if (row->flows > row->kept)
		snprintf(own, sizeof(own), "%llu of its %llu flows are on record",
		         (unsigned long long)row->kept, (unsigned long long)row->flows);
	if (trial->search->beside_cut)
		snprintf(beside, sizeof(beside),
		         "of other flows %zu of the window were judged again",
		         trial->search->beside_count);
	if (*own || *beside)
		text_add(buf, size, " (%s%s%s)", own, *own && *beside ? "; " : "", beside);
}

/* "; this also makes 45.33.20.9 a proven maestro (F7)" */
static void say_also(const struct trial *trial, char *buf, size_t size)
{
	const struct envelope *envelope = trial->search->policy->envelope;
	char addr[ADDR_TEXT];

	for (size_t i = 0; i < trial->also_count; i++) {
		const struct also *also = &trial->also[i];

		text_add(buf, size, "%s%s a proven %s (F%lld)", i ? ", " : "; this also makes ",
		         addr_print(&also->peer, addr),
		         also->role < 0 ? "peer" : envelope->roles[also->role].id,
		         (long long)also->finding);
	}
	text_add(buf, size, "%s", trial->also_more ? " and others" : "");
}

static size_t count_lines(const struct yaml_edited *edited)
{
	size_t lines = 0;

	for (const char *c = edited->lines; *c; c++)
		lines += *c == '\n';
	return lines > edited->replaced ? lines : edited->replaced;
}

static int attempt_fill(const struct trial *trial, const struct yaml_edited *edited,
                        struct attempt *ret, struct err *err)
{
	const struct search *search = trial->search;
	char place[512], text[2048];

	ret->settles = calloc(search->count, sizeof(*ret->settles));
	for (size_t i = 0; ret->settles && i < search->count; i++)
		if (i == search->at ||
		    (ret->proven && trial->tallies[i].settled && !trial->tallies[i].also &&
		     trial->tallies[i].settled == search->findings[i].row->kept))
			ret->settles[ret->settle_count++] = i;
	say_place(search, trial->candidate, edited, place, sizeof(place));
	snprintf(text, sizeof(text), "%s %s", trial->candidate->say, place);
	if (ret->proven)
		say_extent(trial, text, sizeof(text));
	for (size_t i = 0; ret->settles && i < ret->settle_count && ret->settle_count > 1; i++)
		text_add(text, sizeof(text), "%sF%lld",
		         !i                           ? "; settles "
		         : i + 1 == ret->settle_count ? " and "
		                                      : ", ",
		         (long long)search->findings[ret->settles[i]].id);
	say_also(trial, text, sizeof(text));
	text_add(text, sizeof(text), "%s", trial->candidate->else_say);
	ret->say = strdup(text);
	ret->lines = *edited->lines ? strdup(edited->lines) : NULL;
	ret->line_count = count_lines(edited);
	return ret->settles && ret->say && (ret->lines || !*edited->lines)
	               ? 0
	               : err_set(err, -ENOMEM, "out of memory");
}

/* 0 and *ret without a text: the file cannot be changed so, and why does not matter. */
static int edit_site(const struct search *search, const struct yaml_edit *edit,
                     struct yaml_edited *ret, struct err *err)
{
	struct err cause = {0};

	if (yaml_edit(search->site.name, search->site.text, search->site.len, edit, ret,
	              &cause) < 0 &&
	    cause.code == -ENOMEM)
		return err_set(err, -ENOMEM, "%s", cause.text);
	return 0;
}

/* The policy that would be in force; NULL: it is none, and why does not matter. */
static int load_changed(const struct search *search, const struct yaml_edit *edit,
                        struct policy **ret, struct err *err)
{
	CLEANUP(yaml_edited_release) struct yaml_edited edited = {0};
	CLEANUP(freep) char *recorded = NULL;
	struct policy_args args = {.envelope = search->policy->envelope};
	struct err cause = {0};
	int r = edit_site(search, edit, &edited, err);

	if (r < 0 || !edited.text)
		return r;
	r = recorded_with(search->policy->site_text, search->site.name, edited.text, edited.len,
	                  &recorded, err);
	args.recorded_site = recorded;
	if (r >= 0 && policy_load(&args, ret, &cause) == -ENOMEM)
		r = err_set(err, -ENOMEM, "%s", cause.text);
	return r;
}

/* Fewer lines for more findings; of equals the first. */
static bool is_better(const struct attempt *a, const struct attempt *b)
{
	if (!b->say || a->proven != b->proven)
		return !b->say || a->proven;
	if (a->settle_count != b->settle_count)
		return a->settle_count > b->settle_count;
	return a->line_count < b->line_count;
}

int search_try(struct search *search, const struct candidate *candidate, struct err *err)
{
	CLEANUP(yaml_edited_release) struct yaml_edited edited = {0};
	CLEANUP(attempt_release) struct attempt attempt = {0};
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(history_freep) struct history *history = NULL;
	CLEANUP(freep) struct tally *tallies = calloc(search->count, sizeof(*tallies));
	struct trial trial = {.search = search, .candidate = candidate, .tallies = tallies};
	int r;

	if (!tallies)
		return err_set(err, -ENOMEM, "out of memory");
	if (search->tries == REMEDY_TRIES_MAX ||
	    search->tries * search->site.len > REMEDY_BYTES_MAX ||
	    search->judged >= REMEDY_JUDGED_MAX) {
		search->untried = true;
		return 0;
	}
	search->tries++;
	r = edit_site(search, &candidate->edit, &edited, err);
	if (r >= 0 && edited.text)
		r = load_changed(search,
		                 candidate->filled ? candidate->filled : &candidate->edit,
		                 &policy, err);
	if (r < 0 || !policy)
		return r;
	if (!candidate->unseen) {
		r = history_new(search->db, policy, NULL, &history, err);
		trial.history = history;
		if (r >= 0)
			r = judge_all(&trial, err);
		if (r < 0 || trial.failed)
			return r;
		attempt.proven = true;
	}
	r = attempt_fill(&trial, &edited, &attempt, err);
	if (r >= 0 && is_better(&attempt, &search->best)) {
		attempt_release(&search->best);
		search->best = attempt;
		attempt = (struct attempt){0};
	}
	return r;
}
