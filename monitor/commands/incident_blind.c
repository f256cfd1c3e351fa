/*
 * incident_blind.c - how much of a window, and of the days before it, was watched. Of several sensors'
 * databases each may see the unit: nobody looked where none of their runs did; but a packet that one of
 * them lost is lost, for no other need have seen it.
 */
#include "monitor/commands/incident.h"
#include "schema/time.h"

/* Stretches of time, in order, none touching another. */
struct spans {
	struct incident_gap *list;
	size_t count, room;
};

static int spans_add(struct spans *spans, int64_t since_us, int64_t until_us, struct err *err)
{
	if (until_us <= since_us)
		return 0;
	if (array_reserve(&spans->list, &spans->room, spans->count + 1, sizeof(*spans->list)) <
	    0)
		return err_set(err, -ENOMEM, "out of memory");
	spans->list[spans->count++] = (struct incident_gap){since_us, until_us};
	return 0;
}

static void spans_freep(struct spans *spans)
{
	free(spans->list);
}

static int compare_gaps(const void *a, const void *b)
{
	const struct incident_gap *x = a, *y = b;

	return (x->since_us > y->since_us) - (x->since_us < y->since_us);
}

/* Puts them in order, one where some overlapped. */
static void spans_settle(struct spans *spans)
{
	size_t count = 0;

	if (spans->count)
		qsort(spans->list, spans->count, sizeof(*spans->list), compare_gaps);
	for (size_t i = 0; i < spans->count; i++) {
		struct incident_gap *last = &spans->list[count ? count - 1 : 0];

		if (!count || spans->list[i].since_us > last->until_us)
			spans->list[count++] = spans->list[i];
		else if (spans->list[i].until_us > last->until_us)
			last->until_us = spans->list[i].until_us;
	}
	spans->count = count;
}

/* What is in both, each settled. */
static int spans_meet(const struct spans *a, const struct spans *b, struct spans *ret,
                      struct err *err)
{
	size_t i = 0, j = 0;
	int r = 0;

	while (r >= 0 && i < a->count && j < b->count) {
		const struct incident_gap *x = &a->list[i], *y = &b->list[j];

		r = spans_add(ret, x->since_us > y->since_us ? x->since_us : y->since_us,
		              x->until_us < y->until_us ? x->until_us : y->until_us, err);
		if (x->until_us < y->until_us)
			i++;
		else
			j++;
	}
	return r;
}

static int64_t spans_sum(const struct spans *spans)
{
	int64_t us = 0;

	for (size_t i = 0; i < spans->count; i++)
		us += spans->list[i].until_us - spans->list[i].since_us;
	return us;
}

struct gathering {
	struct incident *incident; /* NULL: nothing is kept but spans */
	const struct incident_source *source;
	int64_t since_us, until_us;
	struct spans idle, lost, removed;
};

static int keep(struct gathering *g, const struct blind_view *blind, struct err *err)
{
	struct incident *incident = g->incident;
	struct incident_blind *kept;

	if (array_reserve(&incident->blinds, &incident->blind_room, incident->blind_count + 1,
	                  sizeof(*incident->blinds)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	kept = &incident->blinds[incident->blind_count++];
	*kept = (struct incident_blind){
		.source = g->source,
		.id = blind->id,
		.row = blind->row,
		.alone = blind->unit,
	};
	kept->row.detail = NULL; /* it was borrowed */
	text_copy(kept->detail, sizeof(kept->detail), blind->row.detail);
	return 0;
}

static int take(void *context, const struct blind_view *blind, struct err *err)
{
	struct gathering *g = context;
	const struct blind_row *row = &blind->row;
	int64_t since_us = row->since_us > g->since_us ? row->since_us : g->since_us;
	int64_t until_us =
		row->until_us && row->until_us < g->until_us ? row->until_us : g->until_us;
	int r = 0;

	if (row->cause == BLIND_NOT_RUNNING || row->cause == BLIND_REMOVED)
		r = spans_add(&g->idle, since_us, until_us, err);
	if (r >= 0 && row->cause == BLIND_REMOVED)
		r = spans_add(&g->removed, since_us, until_us, err);
	else if (row->cause != BLIND_NOT_RUNNING && BIT(row->cause) & INCIDENT_UNSEEN)
		r = spans_add(&g->lost, since_us, until_us, err);
	/* Of several, what one did not run another may have. */
	if (r < 0 || !g->incident ||
	    (row->cause == BLIND_NOT_RUNNING && g->incident->known_count > 1))
		return r;
	return keep(g, blind, err);
}

/* What one database says. 1: nothing was recorded in that time. */
static int look(struct gathering *g, const char *unit, struct err *err)
{
	struct query query = g->source->query;
	int r;

	query.flow = (struct flow_query){
		.since_us = g->since_us, .until_us = g->until_us, .unit = unit};
	r = blind_list(&query, BLIND_NONE, take, g, err);
	spans_settle(&g->idle);
	return r;
}

/* 1: nothing was recorded in that time, by anybody. */
static int look_all(struct incident *incident, struct gathering *g, struct spans *idle,
                    struct err *err)
{
	bool outside = true;
	int r = 0;

	for (size_t i = 0; i < incident->known_count && r >= 0; i++) {
		struct spans both = {0};

		g->source = &incident->sources[i];
		g->idle.count = 0;
		r = look(g, incident->unit, err);
		outside &= r != 0;
		if (r >= 0)
			r = spans_meet(i ? idle : &g->idle, &g->idle, &both, err);
		free(idle->list);
		*idle = both;
	}
	return r < 0 ? r : outside;
}

/* None of several databases holds anything of that time. */
static int keep_idle(struct gathering *g, const struct spans *idle, struct err *err)
{
	int r = 0;

	g->source = NULL;
	for (size_t i = 0; i < idle->count && r >= 0; i++) {
		const struct blind_view nobody = {
			.row = {.cause = BLIND_NOT_RUNNING,
		                .since_us = idle->list[i].since_us,
		                .until_us = idle->list[i].until_us,
		                .detail = ""},
		};

		r = keep(g, &nobody, err);
	}
	return r;
}

/* Of what no database holds, what one of them held once. */
static int find_removed(struct gathering *g, const struct spans *idle,
                        struct incident_watch *watch, struct err *err)
{
	CLEANUP(spans_freep) struct spans both = {0};
	int r;

	spans_settle(&g->removed);
	r = spans_meet(idle, &g->removed, &both, err);
	watch->removed_us = spans_sum(&both);
	return r;
}

/* As look_all(). */
static int read_watch(struct incident *incident, struct incident_watch *watch, bool keeps,
                      struct err *err)
{
	CLEANUP(spans_freep) struct spans idle = {0};
	struct gathering g = {
		.incident = keeps ? incident : NULL,
		.since_us = watch->since_us,
		.until_us = watch->until_us,
	};
	int outside = look_all(incident, &g, &idle, err), r = outside;

	watch->idle_us = spans_sum(&idle);
	if (r >= 0)
		r = find_removed(&g, &idle, watch, err);
	if (keeps && incident->known_count > 1 && r >= 0)
		r = keep_idle(&g, &idle, err);
	for (size_t i = 0; i < idle.count && r >= 0; i++)
		r = spans_add(&g.lost, idle.list[i].since_us, idle.list[i].until_us, err);
	spans_settle(&g.lost);
	watch->unseen_us = spans_sum(&g.lost);
	watch->gaps = TAKE(g.lost.list);
	watch->gap_count = g.lost.count;
	free(g.idle.list);
	free(g.removed.list);
	return r < 0 ? r : outside;
}

static int compare_blinds(const void *a, const void *b)
{
	const struct incident_blind *x = a, *y = b;

	if (x->row.since_us != y->row.since_us)
		return x->row.since_us < y->row.since_us ? -1 : 1;
	if (x->source != y->source)
		return x->source < y->source ? -1 : 1;
	return (x->id > y->id) - (x->id < y->id);
}

int incident_read_blinds(struct incident *incident, struct err *err)
{
	struct incident_watch *watch = &incident->watch, *before = &incident->before;
	int r;

	watch->since_us = incident->since_us;
	watch->until_us = incident->until_us;
	before->until_us = incident->since_us;
	before->since_us = incident->since_us - INCIDENT_DAYS * 86400 * SECOND_US;
	if (before->since_us < 1)
		before->since_us = 1;
	r = read_watch(incident, watch, true, err);
	if (r < 0)
		return r;
	incident->outside = r > 0;
	if (incident->blind_count)
		qsort(incident->blinds, incident->blind_count, sizeof(*incident->blinds),
		      compare_blinds);
	r = read_watch(incident, before, false, err);
	return r < 0 ? r : 0;
}
