/*
 * query_say.c - see query.h: what is said above and below an answer: which window was meant, what the database
 * covers of it, and when we were blind meanwhile, without which no silence means anything.
 */
#include "monitor/commands/blind_list.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <sys/stat.h>
#include <unistd.h>

/*
 * "2026-11-22 10:39:40 .. 11:39:40 local, 2026-11-22T09:39:40Z .. 2026-11-22T10:39:40Z"; an end
 * that is 0 is open: "from 2026-11-22 10:39:40 local, 2026-11-22T09:39:40Z, to the end".
 */
static const char *window_print(int64_t first_us, int64_t last_us, char buf[160])
{
	char first[TIME_TEXT], last[TIME_TEXT], first_utc[TIME_TEXT], last_utc[TIME_TEXT];

	time_print_local(first_us, first);
	time_print_local(last_us, last);
	time_print(first_us, first_utc);
	time_print(last_us, last_utc);
	if (!last_us)
		snprintf(buf, 160, "from %s local, %.19sZ, to the end", first, first_utc);
	else if (!first_us)
		snprintf(buf, 160, "from the beginning to %s local, %.19sZ", last, last_utc);
	else
		snprintf(buf, 160, "%s .. %s local, %.19sZ .. %.19sZ", first,
		         strncmp(first, last, 11) ? last : last + 11, first_utc, last_utc);
	return buf;
}

#define COVERS_TEXT 640

static const char *covers_print(const struct query *query, char buf[COVERS_TEXT])
{
	const struct span *span = &query->span;
	char window[160];

	if (!span->first_us)
		snprintf(buf, COVERS_TEXT, "nothing: %llu %s, no packet%s",
		         (unsigned long long)span->runs, span->runs == 1 ? "run" : "runs",
		         query->filters);
	else
		snprintf(buf, COVERS_TEXT, "%s (%llu %s%s)",
		         window_print(span->first_us, span->last_us, window),
		         (unsigned long long)span->runs, span->runs == 1 ? "run" : "runs",
		         query->filters);
	return buf;
}

/* "before 2026-08-24 00:00:00 local, 2026-08-23T22:00:00Z", where the window goes beyond what is here; "". */
static const char *removed_text(const struct query *query, char buf[160])
{
	const struct whole *whole = &query->whole;
	char text[TIME_TEXT], utc[TIME_TEXT];

	*buf = '\0';
	if (whole->since_us && query->flow.since_us < whole->since_us)
		snprintf(buf, 160, "before %s local, %.19sZ",
		         time_print_local(whole->since_us, text),
		         time_print(whole->since_us, utc));
	if (whole->until_us && (!query->flow.until_us || query->flow.until_us > whole->until_us))
		text_add(buf, 160, "%sfrom %s local, %.19sZ, on", *buf ? ", and " : "",
		         time_print_local(whole->until_us, text),
		         time_print(whole->until_us, utc));
	return buf;
}

void query_head(const struct query *query, struct out *out)
{
	const struct flow_query *flow = &query->flow;
	char text[COVERS_TEXT], window[160];

	if (flow->since_us || flow->until_us)
		out_say(out, "window    %s%s",
		        window_print(flow->since_us, flow->until_us, window),
		        query->relative ? " (counted back from the last packet recorded)" : "");
	out_say(out, "recorded  %s", covers_print(query, text));
	if (*removed_text(query, window))
		out_say(out, "removed   flows that ended %s", window);
}

/* How often one sensor was blind in what was asked for. */
struct blindness {
	struct blind_sums sums;
	uint64_t intervals;
};

static int add_blind(void *context, const struct blind_view *blind, struct err *err)
{
	struct blindness *blindness = context;

	blindness->intervals++;
	blind_sums_add(&blindness->sums, &blind->row);
	return 0;
}

static void cite_blind(const struct query *query, const struct blindness *blindness)
{
	const char *sensor = flowdb_sensor(query->db);
	char text[BLIND_SUM_TEXT];

	for (unsigned i = BLIND_NONE + 1; i < BLIND_CAUSE_COUNT; i++)
		if (blindness->sums.by_cause[i].intervals)
			log_note("%s%sblind meanwhile: %s: %s: %s", sensor ? sensor : "",
			         sensor ? ": " : "", blind_cause_name((enum blind_cause)i),
			         blind_sum_print(&blindness->sums.by_cause[i],
			                         (enum blind_cause)i, text),
			         blind_cause_sentence((enum blind_cause)i));
}

/* Asks each sensor, and cites what it did not see. */
static int look_blind(const struct query *query, bool cite, uint64_t *ret_intervals,
                      bool *ret_outside, struct err *err)
{
	*ret_intervals = 0;
	*ret_outside = true;
	for (size_t i = 0; i < query->sensors; i++) {
		struct blindness blindness = {0};
		struct query one;
		int r = query_nth(query, i, &one, err);

		if (r < 0)
			return r;
		one.flow.limit = 0;
		blind_sums_init(&blindness.sums, &one);
		r = blind_list(&one, BLIND_NONE, add_blind, &blindness, err);
		if (r < 0)
			return r;
		*ret_outside &= r > 0;
		*ret_intervals += blindness.intervals;
		if (cite && !r)
			cite_blind(&one, &blindness);
	}
	return 0;
}

/* Of time that has not come nobody can say that nobody watched. */
static bool is_to_come(const struct query *query)
{
	return query->flow.since_us > wall_clock_us();
}

/* Messages and answers go to one place, a terminal for one. */
static bool is_one_place(void)
{
	struct stat out, err;

	return !fstat(STDOUT_FILENO, &out) && !fstat(STDERR_FILENO, &err) &&
	       out.st_dev == err.st_dev && out.st_ino == err.st_ino;
}

/* "; the database covers ...", but where query_head() said so just before. */
#define AND_COVERS_TEXT (COVERS_TEXT + 24)

static const char *and_covers(const struct query *query, char buf[AND_COVERS_TEXT])
{
	char text[COVERS_TEXT];

	*buf = '\0';
	if (query->options->format != OUT_TABLE || !is_one_place())
		snprintf(buf, AND_COVERS_TEXT, "; the database covers %s",
		         covers_print(query, text));
	return buf;
}

static void say_outside(const struct query *query)
{
	char text[AND_COVERS_TEXT], removed[160];

	if (is_to_come(query))
		log_note("that time has not come yet%s", and_covers(query, text));
	else if (*removed_text(query, removed))
		log_note("nothing of that window is here: flows that ended %s were deleted by "
		         "retention, or another database has them ('tlmon db stats' says which)",
		         removed);
	else
		log_note("nothing was recorded in that window: nobody watched%s",
		         and_covers(query, text));
}

static void say_none(const struct query *query, const char *what)
{
	char text[AND_COVERS_TEXT], removed[160];

	log_note("no such %s%s", what, and_covers(query, text));
	if (*removed_text(query, removed))
		log_note("flows that ended %s are not here: retention deleted them, or another database has "
		         "them ('tlmon db stats' says which). That none was found does not say there was none",
		         removed);
}

static void say_limit(const struct query *query, struct out *out)
{
	if (query->flow.limit && out_count(out) == query->flow.limit)
		out_say(out, "(the first %llu; there may be more)",
		        (unsigned long long)query->flow.limit);
}

void query_end(const struct query *query, struct out *out, const char *what, bool outside)
{
	if (outside)
		say_outside(query);
	else if (!out_count(out))
		say_none(query, what);
	else
		say_limit(query, out);
}

/* A flood has samples for rows: who counts these must know how many flows they stand for. */
static int say_samples(const struct query *query, struct out *out, const char *what, struct err *err)
{
	const struct finding_query findings = {.flow = query->flow, .state = FINDINGS_ALL};
	const struct flow_query *flow = &query->flow;
	uint64_t flows;
	int r;

	/* A finding is none of what was documented, and of no other verdict. */
	if ((strcmp(what, "flows") != 0 && strcmp(what, "units") != 0) || (flow->ruling && flow->ruling != RULING_OUTSIDE))
		return 0;
	r = flowdb_without_row(query->db, &findings, &flows, err);
	if (r >= 0 && flows)
		out_say(out, "(%llu more flow%s counted under findings %s no row here; 'tlmon findings' "
		             "counts them)",
		        (unsigned long long)flows, plural(flows), flows == 1 ? "has" : "have");
	return r;
}

int query_foot_of(const struct query *query, struct out *out, const char *what, uint64_t count,
                  struct err *err)
{
	bool none = !count, outside;
	uint64_t intervals;
	int r;

	r = look_blind(query, false, &intervals, &outside, err);
	if (r < 0)
		return r;
	if (outside)
		say_outside(query);
	else if (none)
		say_none(query, what);
	else
		say_limit(query, out);
	if (none && !outside)
		r = look_blind(query, true, &intervals, &outside, err);
	if (r < 0)
		return r;
	if (intervals && !none && !outside)
		out_say(out, "(blind meanwhile: %llu interval%s; 'tlmon blind' lists %s)",
		        (unsigned long long)intervals, plural(intervals),
		        intervals == 1 ? "it" : "them");
	r = say_samples(query, out, what, err);
	if (r < 0)
		return r;
	return flowdb_check(query->db, err);
}

int query_foot(const struct query *query, struct out *out, const char *what, struct err *err)
{
	return query_foot_of(query, out, what, out_count(out), err);
}
