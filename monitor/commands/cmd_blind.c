/*
 * cmd_blind.c - when not everything could be seen, and why.
 */
#include "monitor/commands.h"
#include "monitor/commands/blind_list.h"
#include "monitor/log.h"
#include "schema/time.h"

static const struct query_command COMMAND = {
	.name = "blind",
	.has = HAS_ANSWER | HAS_WINDOW | HAS(UNIT) | HAS(CAUSE) | HAS(LIMIT),
	.usage = "[-l DIR] [-o FORMAT] [--since T] [--until T] [...]",
	.about =
		"Lists the intervals in which something was not seen, oldest first, and what they\n"
		"add up to. Time of the window in which no run looked is listed as not-running,\n"
		"without an ID; where no window is asked for, that is the time between runs and,\n"
		"live, since the last one. Of capture files, gaps of more than a minute count.\n"
		"What is not listed here was watched: calm there was calm. If nothing at all was\n"
		"recorded in the window asked for, it says so, lists the window as not-running\n"
		"(without START or END where it is open) and ends 1, else 0. Of several sensors\n"
		"(-l) each is blind by itself; 1 is for none that recorded anything.\n\n",
	.examples = "Were we looking between two and four?\n"
		    "  tlmon blind --since 02:00 --until 04:00\n",
};

/* The names of the columns are fixed: scripts rely on them. */
static const struct out_column COLUMNS[] = {
	{"id", "ID", OUT_RIGHT},
	{NULL, "START", 0},
	{NULL, "LASTED", OUT_RIGHT},
	{"cause", "CAUSE", 0},
	{"unit", NULL, 0},
	{NULL, "UNIT", OUT_CUT_NEXT},
	{"start", NULL, 0},
	{"end", NULL, 0},
	{"count", NULL, 0},
	{NULL, "COUNT", 0},
	{"detail", "DETAIL", OUT_CUT},
	{"sentence", NULL, 0},
};

struct listing {
	struct out *out;
	int64_t now_us;
};

/* "2026-11-22 09:39:40.123" */
static const char *start_print(int64_t us, char buf[TIME_TEXT])
{
	time_print_local(us, buf);
	text_add(buf, TIME_TEXT, ".%03d", (int)(us % SECOND_US / 1000));
	return buf;
}

static int put_blind(void *context, const struct blind_view *blind, struct err *err)
{
	struct listing *listing = context;
	const struct blind_row *row = &blind->row;
	enum blind_cause cause = (enum blind_cause)row->cause;
	/* Of a window outside all that is recorded: nothing goes on there. */
	bool open = !row->since_us || (!row->until_us && row->since_us > listing->now_us);
	struct out *out = listing->out;
	char text[TIME_TEXT + 32], count[BLIND_COUNT_TEXT];

	query_sensor(out, blind->sensor);
	if (blind->id)
		out_int(out, blind->id);
	else
		out_null(out);
	out_text(out, row->since_us ? start_print(row->since_us, text) : "");
	time_print_span(row->until_us - row->since_us, text);
	out_text(out, open ? "open" : row->until_us ? text : "goes on");
	out_text(out, blind_cause_name(cause));
	out_text(out, blind->unit);
	out_text(out, blind->unit ? blind->unit : "all");
	out_text(out, row->since_us ? time_print(row->since_us, text) : NULL);
	out_text(out, row->until_us ? time_print(row->until_us, text) : NULL);
	out_int(out, (int64_t)row->count);
	blind_count_print(cause, row->count, count);
	out_text(out, *count ? count : NULL);
	out_text(out, *row->detail ? row->detail : NULL);
	out_text(out, blind_cause_sentence(cause));
	return out_end(out, err);
}

static void say_sums(const struct blind_sums *sums, const char *sensor, struct out *out)
{
	char text[BLIND_SUM_TEXT];

	for (unsigned i = BLIND_NONE + 1; i < BLIND_CAUSE_COUNT; i++)
		if (sums->by_cause[i].intervals)
			out_say(out, "%s%s%-14s  %s: %s", sensor ? sensor : "", sensor ? "  " : "",
			        blind_cause_name((enum blind_cause)i),
			        blind_sum_print(&sums->by_cause[i], (enum blind_cause)i, text),
			        blind_cause_sentence((enum blind_cause)i));
}

/* No row says what a run missed that stands still, and nobody shall take that for calm. */
static int note_stalled(void *context, const struct run_view *run, struct err *err)
{
	const struct query *query = context;
	int64_t old_us = query->now_us - run->last_us;
	char text[TIME_TEXT];

	if (run_goes_on(query, run) && old_us > RUNNING_US &&
	    (!query->flow.until_us || query->flow.until_us > run->last_us))
		log_note("run %lld stands still, its heartbeat is %s old: what it did not see since "
		         "then is not known yet; 'tlmon status' tells more",
		         (long long)run->id, time_print_span(old_us, text));
	return 0;
}

/* What one sensor did not see. */
struct sensor_blinds {
	struct query query; /* to it alone */
	struct blind_sums sums;
	struct blind_view *all;
	size_t count, room, at;
	bool outside;
};

static int gather(void *context, const struct blind_view *blind, struct err *err)
{
	struct sensor_blinds *g = context;
	struct blind_view *to;

	if (array_reserve(&g->all, &g->room, g->count + 1, sizeof(*g->all)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	to = &g->all[g->count];
	*to = *blind;
	to->sensor = flowdb_sensor(g->query.db);
	to->unit = blind->unit ? strdup(blind->unit) : NULL;
	to->row.detail = strdup(blind->row.detail);
	if (!to->row.detail || (blind->unit && !to->unit))
		return err_set(err, -ENOMEM, "out of memory");
	g->count++;
	blind_sums_add(&g->sums, &to->row);
	return 0;
}

/* All sensors' in one order. */
static int put_all(const struct query *query, struct sensor_blinds *all,
                        struct listing *listing, struct err *err)
{
	for (int r;;) {
		struct sensor_blinds *next = NULL;

		for (size_t i = 0; i < query->sensors; i++)
			if (all[i].at < all[i].count &&
			    (!next || all[i].all[all[i].at].row.since_us <
			                      next->all[next->at].row.since_us))
				next = &all[i];
		if (!next || (query->flow.limit && out_count(listing->out) == query->flow.limit))
			return 0;
		listing->now_us = next->query.now_us;
		r = put_blind(listing, &next->all[next->at++], err);
		if (r)
			return r;
	}
}

/* 1: nothing was recorded in the window. */
static int list_blind(const struct query *query, struct sensor_blinds *all, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	struct listing listing = {0};
	bool outside = true;
	int r = query_out(query, COLUMNS, ARRAY_LEN(COLUMNS), &out, err);

	listing.out = out;
	if (r >= 0)
		query_head(query, out);
	for (size_t i = 0; i < query->sensors && r >= 0; i++) {
		struct sensor_blinds *g = &all[i];

		r = query_nth(query, i, &g->query, err);
		if (r < 0)
			return r;
		blind_sums_init(&g->sums, &g->query);
		r = blind_list(&g->query, (enum blind_cause)query->options->cause, gather, g, err);
		outside &= r > 0;
	}
	if (r >= 0)
		r = put_all(query, all, &listing, err);
	if (r >= 0)
		r = out_finish(out, err);
	for (size_t i = 0; i < query->sensors && r >= 0; i++) {
		r = flowdb_runs(all[i].query.db, note_stalled, &all[i].query, err);
		say_sums(&all[i].sums, flowdb_sensor(all[i].query.db), out);
	}
	if (r < 0)
		return r;
	query_end(query, out, "blind intervals", outside);
	r = flowdb_check(query->db, err);
	return r < 0 ? r : outside;
}

int cmd_blind(int argc, char **argv)
{
	struct query_options options;
	struct sensor_blinds *all = NULL;
	struct query query = {0};
	struct err err = {0};
	int r = query_command_line(&COMMAND, argc, argv, &options, &err);

	if (r > 0)
		return EXIT_FINE;
	if (r >= 0)
		r = query_open(&options, &query, &err);
	if (r >= 0 && !(all = calloc(query.sensors, sizeof(*all))))
		r = err_set(&err, -ENOMEM, "out of memory");
	if (r >= 0)
		r = list_blind(&query, all, &err);
	for (size_t i = 0; all && i < query.sensors; i++) {
		for (size_t k = 0; k < all[i].count; k++) {
			free((char *)all[i].all[k].unit);
			free((char *)all[i].all[k].row.detail);
		}
		free(all[i].all);
	}
	free(all);
	query_release(&query);
	return r < 0 ? log_err(&err) : r ? EXIT_NO : EXIT_FINE;
}
