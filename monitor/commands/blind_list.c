/*
 * blind_list.c - see blind_list.h.
 */
#include "monitor/commands/blind_list.h"
#include "schema/time.h"


struct stretch {
	int64_t since_us, until_us;
	int64_t file; /* the run of files that it is of; 0: of none */
	bool removed; /* of gaps: it was recorded, and is here no more */
};

struct gathering {
	const struct query *query;
	int (*each)(void *context, const struct blind_view *blind, struct err *err);
	void *context;
	struct stretch *looked; /* while somebody did, or it is on record that nobody did */
	size_t count, room;
	struct stretch *gaps;
	size_t gap_count, gap_room, gap_next;
	uint64_t told;
	int64_t run;     /* in hand */
	unsigned of_run; /* its inputs */
	bool any;        /* something of the window was recorded */
};

bool run_goes_on(const struct query *query, const struct run_view *run)
{
	return !run->ended && !strcmp(run->row.source, "live") &&
	       run->id == query->span.last_run &&
	       (query->now_us - run->last_us <= RUNNING_US || flowdb_is_written(query->db));
}

static int add_stretch(struct stretch **all, size_t *count, size_t *room,
                       struct stretch stretch, struct err *err)
{
	if (array_reserve(all, room, *count + 1, sizeof(**all)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	(*all)[(*count)++] = stretch;
	return 0;
}

static int add_looked(struct gathering *g, int64_t since_us, int64_t until_us, int64_t file,
                      struct err *err)
{
	return add_stretch(&g->looked, &g->count, &g->room,
	                   (struct stretch){since_us, until_us, file, false}, err);
}

/* A run or a file of one; what it recorded of the window was looked at. */
static int add_watched(struct gathering *g, int64_t since_us, int64_t until_us, int64_t file,
                       struct err *err)
{
	const struct flow_query *window = &g->query->flow;

	/* What was recorded and is here no more was not. */
	if (g->query->whole.since_us > since_us)
		since_us = g->query->whole.since_us;
	if (g->query->whole.until_us && g->query->whole.until_us < until_us)
		until_us = g->query->whole.until_us;
	if (until_us < since_us)
		return 0;
	g->any |= until_us >= window->since_us &&
	          (!window->until_us || since_us <= window->until_us);
	return add_looked(g, since_us, until_us, file, err);
}

static int take_input(void *context, const struct input_row *input, struct err *err)
{
	struct gathering *g = context;

	if (!input->first_us)
		return 0;
	g->of_run++;
	return add_watched(g, input->first_us, input->last_us, g->run, err);
}

static int take_run(void *context, const struct run_view *run, struct err *err)
{
	struct gathering *g = context;
	int64_t file = strcmp(run->row.source, "live") ? run->id : 0;
	int64_t since_us = run->row.begun_us ? run->row.begun_us : run->first_us;
	int64_t until_us = run_goes_on(g->query, run) ? g->query->now_us : run->last_us;
	int r = 0;

	g->run = run->id;
	g->of_run = 0;
	if (file)
		r = flowdb_inputs(g->query->db, run->id, take_input, g, err);
	if (r < 0 || g->of_run || !since_us)
		return r;
	return add_watched(g, since_us, until_us > since_us ? until_us : since_us, file, err);
}

static int take_recorded(void *context, const struct blind_view *blind, struct err *err)
{
	struct gathering *g = context;
	int64_t until_us = blind->row.until_us ? blind->row.until_us : INT64_MAX;

	return add_looked(g, blind->row.since_us, until_us, 0, err);
}

/* Somebody looked, or nobody did: another database knows. */
static int take_set_aside(void *context, const struct blind_view *blind, struct err *err)
{
	struct gathering *g = context;

	g->any = true;
	return take_recorded(context, blind, err);
}

static int find_set_aside(struct gathering *g, struct err *err)
{
	const struct flow_query *window = &g->query->flow;
	const struct blind_query aside = {
		.window = {.since_us = window->since_us, .until_us = window->until_us},
		.cause = BLIND_SET_ASIDE,
	};

	return flowdb_blinds(g->query->db, &aside, take_set_aside, g, err);
}

static int compare_stretches(const void *a, const void *b)
{
	const struct stretch *x = a, *y = b;

	return (x->since_us > y->since_us) - (x->since_us < y->since_us);
}

static int add_gap(struct gathering *g, int64_t since_us, int64_t until_us, int64_t least_us,
                   struct err *err)
{
	const struct flow_query *window = &g->query->flow;

	if (since_us < window->since_us)
		since_us = window->since_us;
	if (window->until_us && until_us > window->until_us)
		until_us = window->until_us;
	if (until_us <= since_us || until_us - since_us <= least_us)
		return 0;
	return add_stretch(&g->gaps, &g->gap_count, &g->gap_room,
	                   (struct stretch){.since_us = since_us, .until_us = until_us}, err);
}

/* What was recorded between these two and is here no more, as far as it lies in the window. */
static int add_removed(struct gathering *g, int64_t since_us, int64_t until_us, bool told,
                       struct err *err)
{
	size_t count = g->gap_count;
	int r;

	if (until_us <= since_us)
		return 0;
	r = add_looked(g, since_us, until_us, 0, err);
	if (r >= 0 && told)
		r = add_gap(g, since_us, until_us, 0, err);
	if (g->gap_count > count)
		g->gaps[count].removed = true;
	return r;
}

static int find_removed(struct gathering *g, bool told, struct err *err)
{
	const struct query *query = g->query;
	const struct whole *whole = &query->whole;
	int r = 0;

	if (query->span.first_us && whole->since_us)
		r = add_removed(g, query->span.first_us, whole->since_us, told, err);
	if (r >= 0 && whole->until_us)
		r = add_removed(g, whole->until_us, query->span.last_us, told, err);
	return r;
}

/* What is left of the window when all stretches are taken out of it. */
static int find_gaps(struct gathering *g, struct err *err)
{
	const struct query *query = g->query;
	int64_t to_us =
		query->flow.since_us; /* 0: nothing is asked of the time before the first */
	int64_t file = 0;
	int64_t end_us = query->span.live ? query->now_us : query->flow.until_us;
	int r = 0;

	if (g->count)
		qsort(g->looked, g->count, sizeof(*g->looked), compare_stretches);
	for (size_t i = 0; i < g->count && r >= 0; i++) {
		const struct stretch *next = &g->looked[i];

		if (to_us)
			r = add_gap(g, to_us, next->since_us,
			            file && next->file == file ? FILES_GAP_US : LIVE_GAP_US, err);
		if (next->until_us >= to_us) {
			to_us = next->until_us;
			file = next->file;
		}
	}
	if (r >= 0 && to_us && end_us)
		r = add_gap(g, to_us, end_us, LIVE_GAP_US, err);
	return r;
}

/* Nothing was recorded in the window that is asked for: it is one gap, but for what is on record. */
static bool is_outside(const struct gathering *g)
{
	const struct flow_query *window = &g->query->flow;

	return (window->since_us || window->until_us) && !g->any;
}

static int find_not_running(struct gathering *g, struct err *err)
{
	const struct flow_query *window = &g->query->flow;
	const struct blind_query recorded = {
		.window = {.since_us = window->since_us, .until_us = window->until_us},
		.cause = BLIND_NOT_RUNNING,
	};
	size_t runs = g->count;
	int r = flowdb_blinds(g->query->db, &recorded, take_recorded, g, err);

	if (r >= 0)
		r = find_gaps(g, err);
	if (r < 0 || g->gap_count || g->count > runs || !is_outside(g))
		return r;
	return add_stretch(&g->gaps, &g->gap_count, &g->gap_room,
	                   (struct stretch){window->since_us, window->until_us, 0, false}, err);
}

static int tell(struct gathering *g, const struct blind_view *blind, struct err *err)
{
	if (g->query->flow.limit && g->told == g->query->flow.limit)
		return 1;
	g->told++;
	return g->each(g->context, blind, err);
}

/* The gaps that begin by then. */
static int tell_gaps(struct gathering *g, int64_t until_us, struct err *err)
{
	int r = 0;

	for (; !r && g->gap_next < g->gap_count && g->gaps[g->gap_next].since_us <= until_us;
	     g->gap_next++) {
		const struct stretch *gap = &g->gaps[g->gap_next];
		struct blind_view view = {
			.row = {.cause = gap->removed ? BLIND_REMOVED : BLIND_NOT_RUNNING,
		                .since_us = gap->since_us,
		                .until_us = gap->until_us,
		                .detail = ""},
		};

		/* Up to now, and nobody asked for less: it goes on. */
		if (!gap->removed && g->query->span.live && gap->until_us == g->query->now_us)
			view.row.until_us = 0;
		r = tell(g, &view, err);
	}
	return r;
}

static int take_blind(void *context, const struct blind_view *blind, struct err *err)
{
	struct gathering *g = context;
	int r;

	if (!blind_cause_name((enum blind_cause)blind->row.cause))
		return err_set(err, -EBADMSG, "blind interval %lld: no cause has the number %u",
		               (long long)blind->id, blind->row.cause);
	r = tell_gaps(g, blind->row.since_us, err);
	return r ? r : tell(g, blind, err);
}

int blind_list(const struct query *query, enum blind_cause cause,
               int (*each)(void *context, const struct blind_view *blind, struct err *err),
               void *context, struct err *err)
{
	struct gathering g = {.query = query, .each = each, .context = context};
	const struct blind_query asked = {.window = query->flow, .cause = (uint8_t)cause};
	int r = flowdb_runs(query->db, take_run, &g, err);

	if (r >= 0)
		r = find_set_aside(&g, err);
	if (r >= 0)
		r = find_removed(&g, !cause || cause == BLIND_REMOVED, err);
	if (r >= 0 && (!cause || cause == BLIND_NOT_RUNNING))
		r = find_not_running(&g, err);
	if (r >= 0 && g.gap_count)
		qsort(g.gaps, g.gap_count, sizeof(*g.gaps), compare_stretches);
	if (r >= 0)
		r = flowdb_blinds(query->db, &asked, take_blind, &g, err);
	if (r >= 0)
		r = tell_gaps(&g, INT64_MAX, err);
	free(g.looked);
	free(g.gaps);
	return r < 0 ? r : is_outside(&g);
}

void blind_sums_init(struct blind_sums *sums, const struct query *query)
{
	*sums = (struct blind_sums){
		.since_us = query->flow.since_us,
		.until_us = query->flow.until_us ? query->flow.until_us : query->now_us,
	};
}

void blind_sums_add(struct blind_sums *sums, const struct blind_row *blind)
{
	struct blind_sum *sum = &sums->by_cause[blind->cause];
	int64_t since_us = blind->since_us, until_us = blind->until_us;

	if (since_us < sums->since_us)
		since_us = sums->since_us;
	if (since_us < sum->to_us)
		since_us = sum->to_us;
	if (!until_us || until_us > sums->until_us)
		until_us = sums->until_us;
	sum->intervals++;
	sum->count += blind->count;
	/* A window outside all that was recorded, open at one end, has no length. */
	sum->open |= !blind->since_us || (!blind->until_us && since_us > sums->until_us);
	if (blind->since_us && until_us > since_us) {
		sum->us += until_us - since_us;
		sum->to_us = until_us;
	}
}

const char *blind_sum_print(const struct blind_sum *sum, enum blind_cause cause,
                            char buf[BLIND_SUM_TEXT])
{
	char count[BLIND_COUNT_TEXT], lasted[TIME_TEXT];

	snprintf(buf, BLIND_SUM_TEXT, "%llu interval%s, %s", (unsigned long long)sum->intervals,
	         plural(sum->intervals), sum->open ? "open" : time_print_span(sum->us, lasted));
	if (*blind_count_print(cause, sum->count, count))
		text_add(buf, BLIND_SUM_TEXT, ", %s", count);
	return buf;
}
