/*
 * query.c - see query.h.
 */
#include "monitor/commands/query.h"
#include "monitor/capture/capture_words.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <assert.h>
#include <time.h>

/* A row that is documented, or that something recorded refers to (it may be of another envelope). */
static int check_row(struct flowdb *db, const char *row, struct err *err)
{
	CLEANUP(envelope_freep) struct envelope *envelope = NULL;
	CLEANUP(freep) const char **words = NULL;
	int r = flowdb_knows_row(db, row, err);

	if (r)
		return r < 0 ? r : 0;
	r = envelope_load(NULL, &envelope, err);
	if (r < 0 || envelope_find_row(envelope, row) >= 0)
		return r < 0 ? r : 0;
	words = calloc(envelope->row_count + 1, sizeof(*words));
	if (!words)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < envelope->row_count; i++)
		words[i] = envelope->rows[i].id;
	r = word_parse("--row", "row", row, words, envelope->row_count, err);
	return r < 0 ? r : 0;
}

#define FILTERS_TOLD 3

/* What was filtered out is not there to be found, and the reader must know. */
static int note_filter(void *context, const struct run_view *run, struct err *err)
{
	struct query *query = context;
	char of[48] = "";

	if (!*run->row.filter)
		return 0;
	if (query->filters_told++ == FILTERS_TOLD) {
		text_add(query->filters, sizeof(query->filters), ", ...");
		return 1;
	}
	if (query->span.runs > 1)
		snprintf(of, sizeof(of), " of run %lld", (long long)run->id);
	text_add(query->filters, sizeof(query->filters), ",%s only what '%.60s%s' lets through",
	         of, run->row.filter, strlen(run->row.filter) > 60 ? "..." : "");
	return 0;
}

int64_t wall_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

/*
 * "--since 22:00", with --until 06:00 or with no end: asked in the morning, it is the last night that is meant. An end
 * that lies behind such a beginning needs no help.
 */
static bool is_night(const struct query_options *options, const struct query *query)
{
	return options->since && time_is_clock(options->since) &&
	       query->flow.since_us > query->now_us &&
	       (!options->until || (time_is_clock(options->until) &&
	                            query->flow.until_us <= query->flow.since_us));
}

static int make_window(const struct query_options *options, struct query *query,
                       struct err *err)
{
	struct flow_query *flow = &query->flow;
	bool since_relative = false, until_relative = false;
	int r = 0;

	if (options->since)
		r = time_parse(options->since, query->now_us, &flow->since_us, &since_relative,
		               err);
	if (r >= 0 && options->until)
		r = time_parse(options->until, query->now_us, &flow->until_us, &until_relative,
		               err);
	if (r < 0)
		return r;
	query->relative = (since_relative || until_relative) && !query->span.live;
	if (is_night(options, query))
		flow->since_us = time_add_days(flow->since_us, -1);
	if (!options->until || flow->until_us > flow->since_us)
		return 0;
	if (since_relative && until_relative)
		return err_set(err, -EINVAL,
		               "--since %s --until %s: both count back: swap them",
		               options->since, options->until);
	return err_set(err, -EINVAL, "--until %s is not after --since %s", options->until,
	               options->since ? options->since : "(the epoch)");
}

int query_no_such(const struct query *query, const char *word, struct err *err)
{
	const struct query_options *options = query->options;
	struct span span;
	int r = flowdb_span(query->db, &span, err);

	if (r < 0)
		return r;
	return err_set(err, -ENOENT, "no %s %s in %s/flows.db; it holds %llu flow%s and %llu finding%s",
	               *word == 'F' || *word == 'f' ? "finding" : "flow", word,
	               data_dir(options->dir_count ? options->dirs[0] : NULL),
	               (unsigned long long)span.flows, plural(span.flows),
	               (unsigned long long)span.findings, plural(span.findings));
}

static int note_there(void *context, const struct finding_view *finding, struct err *err)
{
	*(bool *)context = true;
	return 1;
}

/* Of a number that was never given nothing is asked: it is misspelt. */
static int check_finding(struct query *query, int64_t id, struct err *err)
{
	bool there = false;
	char word[24];
	int r;

	snprintf(word, sizeof(word), "F%lld", (long long)id);
	if (query->sensors > 1)
		return err_set(err, -EINVAL,
		               "--finding %s: each database numbers its own; name one with -l", word);
	r = finding_by_id(query->db, id, note_there, &there, err);
	return r < 0 || there ? r : query_no_such(query, word, err);
}

/* What needs the database to be understood. */
static int make_out(const struct query_options *options, struct query *query, struct err *err)
{
	struct flow_query *flow = &query->flow;
	int r;

	query->now_us = query->span.live ? wall_clock_us() : query->span.last_us;
	*flow = options->narrow;
	flow->unit = options->units[0];
	flow->more_units = flow->unit && options->units[1] ? options->units + 1 : NULL;
	r = make_window(options, query, err);
	for (const char *const *unit = options->units; *unit && r >= 0; unit++)
		r = flowdb_check_unit(query->db, *unit, err);
	if (r >= 0 && flow->row)
		r = check_row(query->db, flow->row, err);
	if (r >= 0 && flow->finding)
		r = check_finding(query, flow->finding, err);
	return r < 0 ? r : 0;
}

/* Of several the flows are all there only where they are in each. */
static void join_whole(struct whole *all, const struct whole *one)
{
	if (one->since_us > all->since_us)
		all->since_us = one->since_us;
	if (one->until_us && (!all->until_us || one->until_us < all->until_us))
		all->until_us = one->until_us;
}

/* What one database covers is added to what the others do. */
static int join_one(struct query *query, struct flowdb *db, struct err *err)
{
	struct span *all = &query->span, one;
	struct whole whole;
	int r = flowdb_covers(db, &one, err);

	if (r >= 0)
		r = flowdb_whole(db, &whole, err);
	if (r < 0)
		return r;
	join_whole(&query->whole, &whole);
	all->runs += one.runs;
	all->flows += one.flows;
	all->units += one.units;
	all->live |= one.live;
	all->last_run = one.last_run;
	if (one.first_us && (!all->first_us || one.first_us < all->first_us))
		all->first_us = one.first_us;
	if (one.last_us > all->last_us)
		all->last_us = one.last_us;
	return 0;
}

static int join_all(struct query *query, struct err *err)
{
	struct flowdb *db;
	int r = 0;

	for (; r >= 0 && (db = flowdb_nth(query->db, query->sensors)); query->sensors++)
	{
		uint64_t runs = query->span.runs;

		r = join_one(query, db, err);
		if (flowdb_is_copy(db))
			query->span.runs = runs;
	}
	return r;
}

int query_open(const struct query_options *options, struct query *ret_query, struct err *err)
{
	const char *only = data_dir(NULL);
	struct query query = {.options = options};
	int r = flowdb_open_all(options->dir_count ? options->dirs : &only,
	                        options->dir_count ? options->dir_count : 1, &query.db, err);

	if (r >= 0)
		r = join_all(&query, err);
	for (size_t i = 0; i < query.sensors && r >= 0; i++)
		r = flowdb_runs(flowdb_nth(query.db, i), note_filter, &query, err);
	if (r >= 0)
		r = make_out(options, &query, err);
	if (r >= 0 && *options->filter) {
		r = capture_words_new(options->filter, &query.words, err);
		query.filter = (struct flow_filter){capture_words_take, query.words};
	}
	if (r < 0) {
		query_release(&query);
		return r;
	}
	if (!time_zone_is_known())
		log_note("TZ=%s is no time zone that this host knows: local times are UTC",
		         getenv("TZ"));
	*ret_query = query;
	if (query.words)
		ret_query->flow.filter = &ret_query->filter;
	return 0;
}

void query_release(struct query *query)
{
	capture_words_free(query->words);
	flowdb_close(query->db);
	query->words = NULL;
	query->db = NULL;
}

int query_nth(const struct query *query, size_t n, struct query *ret, struct err *err)
{
	*ret = *query;
	ret->db = flowdb_nth(query->db, n);
	ret->span = (struct span){0};
	ret->whole = (struct whole){0};
	ret->sensors = 1;
	return join_one(ret, ret->db, err);
}

bool query_has_window(const struct query *query)
{
	return query->flow.since_us || query->flow.until_us;
}

#define QUERY_COLUMNS_MAX 64

int query_out(const struct query *query, const struct out_column *columns, size_t count,
              struct out **ret_out, struct err *err)
{
	struct out_column all[QUERY_COLUMNS_MAX] = {{"sensor", "SENSOR", OUT_CUT_NEXT}};
	size_t first = query->sensors > 1;

	assert(count + first <= QUERY_COLUMNS_MAX);
	memcpy(all + first, columns, count * sizeof(*columns));
	return out_new(query->options->format, stdout, all, count + first,
	               query->options->wide, ret_out, err);
}

void query_sensor(struct out *out, const char *sensor)
{
	if (sensor)
		out_text(out, sensor);
}

int finding_by_id(struct flowdb *db, int64_t id,
                  int (*each)(void *context, const struct finding_view *finding,
                              struct err *err),
                  void *context, struct err *err)
{
	const struct finding_query query = {.flow = {.finding = id}, .state = FINDINGS_ALL};

	/* Ids begin with 1; in a query 0 would narrow nothing. */
	return id ? flowdb_findings(db, &query, each, context, err) : 0;
}

bool flow_id_parse(const char *text, int64_t *ret_id)
{
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 18 || text[digits])
		return false;
	*ret_id = strtoll(text, NULL, 10);
	return true;
}

bool finding_id_parse(const char *text, int64_t *ret_id)
{
	return (*text == 'F' || *text == 'f') && flow_id_parse(text + 1, ret_id);
}

bool transport_has_ports(uint8_t transport)
{
	return transport == TRANSPORT_TCP || transport == TRANSPORT_UDP;
}

const char *end_print(const struct endpoint *end, uint8_t transport, char buf[END_TEXT])
{
	char addr[ADDR_TEXT];

	addr_print(&end->addr, addr);
	if (!transport_has_ports(transport))
		snprintf(buf, END_TEXT, "%s", addr);
	else
		snprintf(buf, END_TEXT, strchr(addr, ':') ? "[%s]:%u" : "%s:%u", addr,
		         end->port);
	return buf;
}
