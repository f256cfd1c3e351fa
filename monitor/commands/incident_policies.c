/*
 * incident_policies.c - by what the flows of a window were judged, since when, and what the document calls the
 * rows that were met.
 */
#include "monitor/commands/incident.h"
#include "monitor/policy_record.h"
#include "schema/time.h"

/* How a policy came to judge. */
static char *use_text(const struct policy_use_row *use)
{
	char from[TIME_TEXT], at[TIME_TEXT], *text;
	int len;

	time_print(use->from_us, from);
	time_print(use->at_us, at);
	if (use->run && use->from_us)
		len = asprintf(&text, "run %lld, from %.19sZ on", (long long)use->run, from);
	else if (use->run)
		len = asprintf(&text, "run %lld, from its first packet on",
		               (long long)use->run);
	else
		len = asprintf(&text, "rejudged at %.19sZ%s%s: flows recorded from %.19sZ on",
		               at, *use->by_whom ? " by " : "", use->by_whom, from);
	return len < 0 ? NULL : text;
}

static int take_use(void *context, const struct policy_use_view *use, struct err *err)
{
	struct incident *incident = context;

	for (size_t i = 0; i < incident->policy_count; i++) {
		struct incident_policy *policy = &incident->policies[i];

		if (strcmp(policy->hash, use->hash) != 0)
			continue;
		if (array_reserve(&policy->uses, &policy->use_room, policy->use_count + 1,
		                  sizeof(*policy->uses)) < 0)
			return err_set(err, -ENOMEM, "out of memory");
		policy->uses[policy->use_count] = use_text(&use->row);
		if (!policy->uses[policy->use_count++])
			return err_set(err, -ENOMEM, "out of memory");
	}
	return 0;
}

static int compare_policies(const void *a, const void *b)
{
	const struct incident_policy *x = a, *y = b;

	if (x->sum.first_us != y->sum.first_us)
		return x->sum.first_us < y->sum.first_us ? -1 : 1;
	return strcmp(x->hash, y->hash);
}

static int read_uses(struct incident *incident, struct err *err)
{
	int r = 0;

	if (incident->policy_count)
		qsort(incident->policies, incident->policy_count, sizeof(*incident->policies),
		      compare_policies);
	for (size_t i = 0; i < incident->known_count && r >= 0; i++)
		r = flowdb_policy_uses(incident->sources[i].query.db, take_use, incident, err);
	return r;
}

static int take_document(void *context, const char *row, const char *document, struct err *err)
{
	struct incident_thing *thing = incident_find_thing(context, TRAIT_ROW, row);

	if (!thing || thing->document)
		return 0;
	thing->document = strdup(document);
	return thing->document ? 0 : err_set(err, -ENOMEM, "out of memory");
}

/* Rows are called by what the last policy calls them. One that is not recorded whole names none. */
static void read_documents(struct incident *incident)
{
	size_t last = incident->policy_count;
	struct err err = {0};
	int r = -ENOENT;

	for (size_t i = 0; last && i < incident->known_count && r < 0; i++)
		r = policy_documents_of_record(incident->sources[i].query.db,
		                               incident->policies[last - 1].hash, take_document,
		                               incident, &err);
}

int incident_read_policies(struct incident *incident, struct err *err)
{
	int r = read_uses(incident, err);

	if (r >= 0 && incident->documents)
		read_documents(incident);
	return r;
}
