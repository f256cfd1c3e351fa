/*
 * outcome.c - what the proposed file says of the flows it was made of: how many it documents, what it leaves outside,
 * and of that what a waiver might excuse, or a server that is commented out would document.
 */
#include "monitor/suggest/parts.h"

static void outsider_note(struct suggestion *suggestion, const struct flow_view *flow,
                          const struct past *past)
{
	const struct verdict *verdict = &past->verdict;
	const char *row =
		verdict->nearest_count ? past->policy->rows[verdict->nearest[0].row].id : "";
	struct outsider *at = NULL;

	for (unsigned i = 0; i < suggestion->outsider_count && !at; i++)
		if (suggestion->outsiders[i].kind == verdict->kind &&
		    suggestion->outsiders[i].severity == verdict->severity &&
		    !strcmp(suggestion->outsiders[i].row, row))
			at = &suggestion->outsiders[i];
	if (!at && suggestion->outsider_count < ARRAY_LEN(suggestion->outsiders)) {
		at = &suggestion->outsiders[suggestion->outsider_count++];
		at->kind = verdict->kind;
		at->severity = verdict->severity;
		text_copy(at->row, sizeof(at->row), row);
	}
	if (!at) {
		suggestion->outsiders_more++;
		return;
	}
	trace_add(&at->trace, flow);
}

/* domain.md 7.2: what no row documents and what nearly every unit needs. */
static bool is_innocent(const struct past *past)
{
	return past->verdict.ruling == RULING_OUTSIDE && past->view.app == APP_NTP &&
	       past->view.facts->initiator != !past->view.local;
}

static void innocent_note(struct suggestion *suggestion, const struct flow_view *flow,
                          const struct past *past)
{
	const struct endpoint *remote = &flow->facts.end[!flow->local];
	struct innocent *at = NULL;

	for (unsigned i = 0; i < suggestion->innocent_count && !at; i++)
		if (addr_equal(&suggestion->innocents[i].remote, &remote->addr) &&
		    suggestion->innocents[i].port == remote->port)
			at = &suggestion->innocents[i];
	if (!at && suggestion->innocent_count < INNOCENTS_MAX) {
		at = &suggestion->innocents[suggestion->innocent_count++];
		*at = (struct innocent){.remote = remote->addr,
		                        .app = past->view.app,
		                        .port = remote->port,
		                        .transport = flow->facts.transport};
	}
	if (!at) {
		suggestion->innocents_refused++;
		return;
	}
	trace_add(&at->trace, flow);
	if (strlen(at->units) + strlen(past->unit) + 3 < sizeof(at->units)) {
		size_t len = strlen(past->unit);
		const char *have = at->units;

		while ((have = strstr(have, past->unit)) && have[len] && have[len] != ',')
			have += len;
		if (!have)
			text_add(at->units, sizeof(at->units), "%s%s", *at->units ? ", " : "",
			         past->unit);
	}
}

/* With the doubted holders listed as well, would it be documented? */
static void withheld_note(struct suggestion *suggestion, const struct policy *uncommented,
                          const struct past *past)
{
	struct verdict verdict;

	judge_flow(uncommented, &past->view, &verdict);
	if (verdict.ruling != RULING_DOCUMENTED)
		return;
	suggestion->withheld++;
	if (verdict.role >= 0)
		suggestion->withheld_roles |= (uint32_t)BIT(verdict.role);
}

void outcome_note(struct suggestion *suggestion, void *uncommented, size_t candidate,
                  const struct flow_view *flow, const struct past *past)
{
	suggestion->rulings[past->verdict.ruling]++;
	suggestion->blocked +=
		past->verdict.ruling == RULING_DOCUMENTED && past->verdict.kind != KIND_NONE;
	if (past->verdict.ruling == RULING_OUTSIDE ||
	    past->verdict.ruling == RULING_UNDETERMINED)
		withheld_note(suggestion, uncommented, past);
	if (is_innocent(past))
		innocent_note(suggestion, flow, past);
	if (past->verdict.ruling == RULING_OUTSIDE)
		outsider_note(suggestion, flow, past);
}

static int compare_outsiders(const void *a, const void *b)
{
	const struct outsider *x = a, *y = b;
	int order = y->severity - x->severity;

	order = order ? order
	              : (x->trace.flows < y->trace.flows) - (x->trace.flows > y->trace.flows);
	order = order ? order : x->kind - y->kind;
	return order ? order : strcmp(x->row, y->row);
}

void outcome_sort(struct suggestion *suggestion)
{
	qsort(suggestion->outsiders, suggestion->outsider_count, sizeof(*suggestion->outsiders),
	      compare_outsiders);
}
