/*
 * incident_read.c - see incident.h: findings, flows and addresses of the window, and the whole in one
 * sentence.
 */
#include "monitor/commands/incident.h"
#include "schema/time.h"

static struct unit_window window_of(const struct incident_source *source,
                                    const struct incident *incident)
{
	return (struct unit_window){source->unit, incident->since_us, incident->until_us};
}

struct reading {
	struct incident *incident;
	const struct incident_source *source;
};

/*
 * A finding has an entry already if flows of it in the window are kept. Where all are kept and none lies
 * in the window, it was seen before and after, and is no matter of the report.
 */
static int take_finding(void *context, const struct finding_view *finding, struct err *err)
{
	const struct reading *reading = context;
	struct incident *incident = reading->incident;
	struct flowdb *db = reading->source->query.db;
	size_t at = incident_finding_at(incident, reading->source, finding->id);
	uint64_t evidence = 0;
	int r;

	if (at == incident->finding_count) {
		if (finding->row.kept >= finding->row.flows)
			return 0;
		if (array_reserve(&incident->findings, &incident->finding_room, at + 1,
		                  sizeof(*incident->findings)) < 0)
			return err_set(err, -ENOMEM, "out of memory");
		incident->findings[at].source = reading->source;
		incident->findings[at].id = finding->id;
		incident->finding_count++;
	}
	/* An archive has it as it stood when that was made. */
	if (flowdb_origin(db) == db || !incident->findings[at].row.flows) {
		incident->findings[at].row = finding->row;
		text_copy(incident->findings[at].by, sizeof(incident->findings[at].by),
		          finding->by);
		text_copy(incident->findings[at].why, sizeof(incident->findings[at].why),
		          finding->why);
	}
	r = flowdb_evidence_flows(db, finding->id, &evidence, err);
	incident->findings[at].evidence += evidence;
	return r;
}

/* Worst first: open before closed, waived ones last. */
static int compare_findings(const void *a, const void *b)
{
	const struct incident_finding *x = a, *y = b;
	int x_rank = !x->row.open ? 2 : *x->row.waiver ? 1 : 0;
	int y_rank = !y->row.open ? 2 : *y->row.waiver ? 1 : 0;

	if (x_rank != y_rank)
		return x_rank - y_rank;
	if (x->row.severity != y->row.severity)
		return y->row.severity - x->row.severity;
	if (x->sum.flows != y->sum.flows)
		return x->sum.flows > y->sum.flows ? -1 : 1;
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static int take_flow(void *context, const struct flow_view *flow, struct err *err)
{
	const struct reading *reading = context;
	struct incident *incident = reading->incident;
	const struct flow_facts *facts = &flow->facts;
	struct incident_flow *kept;
	char *name = strdup(flow->name);

	if (!name || array_reserve(&incident->flows, &incident->flow_room,
	                           incident->flow_count + 1, sizeof(*incident->flows)) < 0) {
		free(name);
		return err_set(err, -ENOMEM, "out of memory");
	}
	kept = &incident->flows[incident->flow_count++];
	*kept = (struct incident_flow){
		.source = reading->source,
		.id = flow->id,
		.first_us = facts->first_us,
		.last_us = facts->last_us,
		.finding = flow->finding,
		.local = facts->end[flow->local],
		.remote = facts->end[!flow->local],
		.transport = facts->transport,
		.direction = flow->direction,
		.media = facts->media,
		.evidence = flow->evidence,
		.ruling = flow->ruling,
		.grade = flow->grade,
		.why = flow->why,
		.kind = flow->kind,
		.severity = flow->severity,
		.app = flow->app,
		.bytes_out = facts->bytes[flow->local],
		.bytes_in = facts->bytes[!flow->local],
		.blind = flow->blind,
		.name = name,
	};
	text_copy(kept->row, sizeof(kept->row),
	          flow->row_count       ? flow->rows[0]
	          : flow->nearest_count ? flow->nearest[0].row
	                                : "");
	snprintf(kept->policy, sizeof(kept->policy), "%.12s", flow->policy);
	return 0;
}

static int compare_flows(const void *a, const void *b)
{
	const struct incident_flow *x = a, *y = b;

	if (x->first_us != y->first_us)
		return x->first_us < y->first_us ? -1 : 1;
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

static int take_address(void *context, const struct unit_address_row *row, struct err *err)
{
	const struct reading *reading = context;
	struct incident *incident = reading->incident;

	if (array_reserve(&incident->addresses, &incident->address_room,
	                  incident->address_count + 1, sizeof(*incident->addresses)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	incident->addresses[incident->address_count++] =
		(struct incident_address){reading->source, *row};
	return 0;
}

static int take_lease(void *context, const struct lease_row *lease, struct err *err)
{
	const struct reading *reading = context;
	struct incident *incident = reading->incident;

	if (array_reserve(&incident->leases, &incident->lease_room, incident->lease_count + 1,
	                  sizeof(*incident->leases)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	incident->leases[incident->lease_count++] =
		(struct incident_lease){reading->source, *lease};
	return 0;
}

static int read_source(struct incident *incident, const struct incident_source *source,
                       struct err *err)
{
	struct flowdb *db = source->query.db;
	struct reading reading = {.incident = incident, .source = source};
	const struct unit_window window = window_of(source, incident);
	const struct finding_query findings = {
		.flow = {.since_us = incident->since_us,
	                 .until_us = incident->until_us,
	                 .unit = incident->unit,
	                 .alone = true},
		.state = FINDINGS_ALL,
	};
	int r = flowdb_findings(db, &findings, take_finding, &reading, err);

	if (r >= 0)
		r = flowdb_window_flows(db, &window, incident->flow_limit, take_flow, &reading,
		                        err);
	if (r >= 0)
		r = flowdb_unit_held(db, &window, take_address, &reading, err);
	if (r >= 0)
		r = flowdb_unit_leases(db, &window, take_lease, &reading, err);
	if (r >= 0)
		r = flowdb_unit_showed(db, source->unit, err);
	incident->seen |= r > 0;
	return r;
}

int incident_read(struct incident *incident, struct err *err)
{
	int r = incident_read_blinds(incident, err);

	if (r >= 0)
		r = incident_read_sums(incident, err);
	for (size_t i = 0; i < incident->known_count && r >= 0; i++)
		r = read_source(incident, &incident->sources[i], err);
	if (r < 0)
		return r;
	if (incident->finding_count)
		qsort(incident->findings, incident->finding_count, sizeof(*incident->findings),
		      compare_findings);
	if (incident->flow_count)
		qsort(incident->flows, incident->flow_count, sizeof(*incident->flows),
		      compare_flows);
	while (incident->flow_count > incident->flow_limit)
		free(incident->flows[--incident->flow_count].name);
	return 0;
}

void incident_forget(struct incident *incident)
{
	incident_release_sums(incident);
	for (size_t i = 0; i < incident->flow_count; i++)
		free(incident->flows[i].name);
	free(incident->flows);
	free(incident->findings);
	free(incident->addresses);
	free(incident->leases);
	free(incident->blinds);
	free(incident->watch.gaps);
	free(incident->before.gaps);
}

void incident_release(struct incident *incident)
{
	query_release(&incident->query);
	free(incident->sources);
	free(incident->unit);
	free(incident->profiles);
}

const char *incident_kept(const struct incident_watch *watch)
{
	return watch->removed_us ? "on record" : "watched";
}

bool incident_can_tell_new(const struct incident *incident)
{
	const struct incident_watch *before = &incident->before;

	return before->until_us - before->since_us - before->unseen_us > 0;
}

/* Less than a tenth of the days before was watched. */
static bool incident_tells_little(const struct incident *incident)
{
	const struct incident_watch *before = &incident->before;
	int64_t whole_us = before->until_us - before->since_us;

	return whole_us - before->unseen_us < whole_us / 10;
}

/* "7 d" where all of it was watched, "2 d 3 h of 7 d" */
static void add_watched(const struct incident_watch *watch, char *buf, size_t size)
{
	int64_t whole_us = watch->until_us - watch->since_us;
	char seen[TIME_TEXT], whole[TIME_TEXT];

	time_print_span(whole_us - watch->unseen_us, seen);
	time_print_span(whole_us, whole);
	if (watch->unseen_us)
		text_add(buf, size, "%s of %s", seen, whole);
	else
		text_add(buf, size, "%s", whole);
}

static void add_new(const struct incident *incident, char *buf, size_t size)
{
	uint64_t fresh = incident->fresh[TRAIT_PEER];

	if (!incident_can_tell_new(incident))
		return;
	if (fresh)
		text_add(buf, size, ", with %llu peer%s not seen in the %d days before",
		         (unsigned long long)fresh, plural(fresh), INCIDENT_DAYS);
	else
		text_add(buf, size, ", with no peer that was not seen in the %d days before",
		         INCIDENT_DAYS);
	if (incident->before.unseen_us) {
		text_add(buf, size, incident_tells_little(incident) ? " (but only " : " (");
		add_watched(&incident->before, buf, size);
		text_add(buf, size, " %s)", incident_kept(&incident->before));
	}
}

uint64_t incident_without_row(const struct finding_row *finding)
{
	return finding->kept < finding->flows && finding->kind != KIND_UNLISTED_UNIT
	               ? finding->flows - finding->kept
	               : 0;
}

/* Of floods the window shows samples, of others what retention left. */
static void add_without_row(const struct incident *incident, char *buf, size_t size)
{
	uint64_t flows = 0;

	for (size_t i = 0; i < incident->finding_count; i++)
		flows += incident_without_row(&incident->findings[i].row);
	if (flows)
		text_add(buf, size, "; %llu more %s counted under the findings below and %s no row here",
		         (unsigned long long)flows, flows == 1 ? "is" : "are",
		         flows == 1 ? "has" : "have");
}

static void add_flows(const struct incident *incident, char *buf, size_t size)
{
	const struct incident_sum *sum = &incident->sum;
	const uint64_t *by = sum->by_ruling;

	text_add(buf, size, "%llu flow%s, ", (unsigned long long)sum->flows,
	         plural(sum->flows));
	if (by[RULING_OUTSIDE])
		text_add(buf, size, "%llu outside the envelope",
		         (unsigned long long)by[RULING_OUTSIDE]);
	else
		text_add(buf, size, "none outside the envelope");
	if (sum->blocked)
		text_add(buf, size, ", %llu blocked", (unsigned long long)sum->blocked);
	if (by[RULING_UNDETERMINED])
		text_add(buf, size, ", %llu undetermined",
		         (unsigned long long)by[RULING_UNDETERMINED]);
	add_new(incident, buf, size);
	add_without_row(incident, buf, size);
}

/* What was not seen of the window, and what is here no more. */
static void add_unseen(const struct incident_watch *watch, char *buf, size_t size)
{
	int64_t unseen_us = watch->unseen_us - watch->removed_us;
	char text[TIME_TEXT];

	if (watch->removed_us)
		text_add(buf, size, "; what ended in %s of it has been removed",
		         time_print_span(watch->removed_us, text));
	if (unseen_us)
		text_add(buf, size, "; watched for all but %s.", time_print_span(unseen_us, text));
	else
		text_add(buf, size, "; watched all the time.");
}

static void add_nothing(const struct incident *incident, char *buf, size_t size)
{
	const struct incident_watch *watch = &incident->watch;

	if (watch->removed_us && watch->removed_us >= watch->idle_us)
		text_add(buf, size,
		         "What was recorded of this window has been removed: retention deleted it, or "
		         "an archive has it ('tlmon db stats' says which)");
	else if (watch->removed_us)
		text_add(buf, size,
		         "Nothing of this window is here: a part was recorded, and has been removed by "
		         "retention or to an archive ('tlmon db stats' says which); in the rest nobody "
		         "watched");
	else
		text_add(buf, size, "Nothing was recorded in this window: nobody watched");
	text_add(buf, size, ". That is not to say that nothing happened.");
}

static void add_no_flow(const struct incident *incident, char *buf, size_t size)
{
	if (!incident->seen)
		text_add(buf, size,
		         "This unit was never seen: no flow of it is recorded, in this window or any "
		         "other");
	else if (!incident->listed)
		text_add(buf, size,
		         "No flow of this unit is kept: it is on no list, and flows of such a unit are "
		         "counted under its finding, not kept one by one");
	else
		text_add(buf, size, "No flow of this unit is recorded in this window");
}

const char *incident_answer(const struct incident *incident, char buf[INCIDENT_ANSWER])
{
	const struct incident_watch *watch = &incident->watch;
	int64_t whole_us = watch->until_us - watch->since_us;
	bool nothing = !incident->sum.flows && (incident->outside || watch->idle_us >= whole_us);

	*buf = '\0';
	if (nothing)
		add_nothing(incident, buf, INCIDENT_ANSWER);
	else if (incident->sum.flows)
		add_flows(incident, buf, INCIDENT_ANSWER);
	else
		add_no_flow(incident, buf, INCIDENT_ANSWER);
	if (!nothing)
		add_unseen(watch, buf, INCIDENT_ANSWER);
	if (!incident->sum.flows && incident->finding_count)
		text_add(buf, INCIDENT_ANSWER, " %zu finding%s of this time %s on record.",
		         incident->finding_count, plural(incident->finding_count),
		         incident->finding_count == 1 ? "is" : "are");
	if (incident->sum.flows && !incident_can_tell_new(incident))
		text_add(buf, INCIDENT_ANSWER,
		         " The %d days before were not %s: nobody can tell what is new.",
		         INCIDENT_DAYS, incident_kept(&incident->before));
	return buf;
}

void incident_dir(const struct incident_source *source, char *buf, size_t size)
{
	CLEANUP(freep) char *quoted = NULL;
	size_t len = 0;
	FILE *file = source->dir ? open_memstream(&quoted, &len) : NULL;

	*buf = '\0';
	if (!file)
		return;
	shell_put(file, source->dir);
	if (!fclose(file))
		snprintf(buf, size, " -l %s", quoted);
}
