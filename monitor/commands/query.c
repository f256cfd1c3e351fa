/*
 * query.c - see query.h.
 */
#include "monitor/commands/query.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <time.h>

#define COVERS_TEXT 640

static int parse_kind(const char *value, uint8_t *ret_kind, struct err *err)
{
	enum kind kind = kind_parse(value);
	char words[512] = "";

	if (kind < KIND_COUNT) {
		*ret_kind = (uint8_t)kind;
		return 1;
	}
	for (unsigned i = KIND_NONE + 1; i < KIND_COUNT; i++)
		text_add(words, sizeof(words), "%s%s", i > 1 ? ", " : "",
		         kind_name((enum kind)i));
	return err_set(err, -EINVAL, "--kind %s: no such kind; accepted: %s", value, words);
}

static int parse_severity(const char *value, uint8_t *ret_severity, struct err *err)
{
	enum severity severity = severity_parse(value);

	if (severity < SEVERITY_INFO || severity > SEVERITY_HIGH)
		return err_set(
			err, -EINVAL,
			"--severity %s: no such level; accepted: info, low, medium, high",
			value);
	*ret_severity = (uint8_t)severity;
	return 1;
}

static int parse_limit(const char *value, uint64_t *ret_limit, struct err *err)
{
	size_t digits = strspn(value, "0123456789");

	if (!digits || digits > 18 || value[digits] ||
	    !(*ret_limit = strtoull(value, NULL, 10)))
		return err_set(err, -EINVAL, "--limit %s: accepted: a number from 1 on", value);
	return 1;
}

int query_option(struct query_options *options, int option, const char *value, struct err *err)
{
	int r;

	switch (option) {
	case 'l':
		options->dir = value;
		return 1;
	case 'o':
		r = out_format_parse(value, &options->format, err);
		return r < 0 ? r : 1;
	case 'w':
		options->wide = true;
		return 1;
	case QUERY_SINCE:
		options->since = value;
		return 1;
	case QUERY_UNTIL:
		options->until = value;
		return 1;
	case QUERY_UNIT:
		options->unit = value;
		return 1;
	case QUERY_ROW:
		options->row = value;
		return 1;
	case QUERY_PEER:
		options->peer = value;
		return 1;
	case QUERY_LIMIT:
		return parse_limit(value, &options->limit, err);
	case QUERY_KIND:
		return parse_kind(value, &options->kind, err);
	case QUERY_SEVERITY:
		return parse_severity(value, &options->severity, err);
	default:
		return 0;
	}
}

/* A row that is documented, or that something recorded refers to (it may be of another envelope). */
static int check_row(struct flowdb *db, const char *row, struct err *err)
{
	CLEANUP(envelope_freep) struct envelope *envelope = NULL;
	char words[sizeof(err->text) - 256] = "";
	int r = flowdb_knows_row(db, row, err);

	if (r)
		return r < 0 ? r : 0;
	r = envelope_load(NULL, &envelope, err);
	if (r < 0 || envelope_find_row(envelope, row) >= 0)
		return r < 0 ? r : 0;
	for (size_t i = 0; i < envelope->row_count; i++)
		text_add(words, sizeof(words), "%s%s", i ? ", " : "", envelope->rows[i].id);
	return err_set(err, -EINVAL, "--row %.80s: no such row; accepted: %s", row, words);
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

static int64_t wall_clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

/* "--since 22:00 --until 06:00": asked in the morning, it is the last night that is meant. */
static bool is_night(const struct query_options *options)
{
	return options->since && time_is_clock(options->since) && time_is_clock(options->until);
}

static int make_out(const struct query_options *options, struct query *query, struct err *err)
{
	int64_t now_us = query->span.live ? wall_clock_us() : query->span.last_us;
	bool since_relative = false, until_relative = false;
	int r = 0;

	query->now_us = now_us;
	query->flow = (struct flow_query){
		.unit = options->unit,
		.row = options->row,
		.kind = options->kind,
		.severity = options->severity,
		.limit = options->limit,
	};
	if (options->since)
		r = time_parse(options->since, now_us, &query->flow.since_us, &since_relative,
		               err);
	if (r >= 0 && options->until)
		r = time_parse(options->until, now_us, &query->flow.until_us, &until_relative,
		               err);
	if (r < 0)
		return r;
	query->relative = (since_relative || until_relative) && !query->span.live;
	if (options->until && query->flow.until_us <= query->flow.since_us &&
	    query->flow.since_us > now_us && is_night(options))
		query->flow.since_us = time_add_days(query->flow.since_us, -1);
	if (options->until && query->flow.until_us <= query->flow.since_us && since_relative &&
	    until_relative)
		return err_set(err, -EINVAL,
		               "--since %s --until %s: both count back: swap them",
		               options->since, options->until);
	if (options->until && query->flow.until_us <= query->flow.since_us)
		return err_set(err, -EINVAL, "--until %s is not after --since %s",
		               options->until, options->since ? options->since : "(the epoch)");
	if (options->peer && prefix_parse(options->peer, &query->flow.peer) < 0)
		return err_set(
			err, -EINVAL,
			"--peer %s: accepted: an address or a prefix without host bits, as in "
			"10.0.0.9, 52.112.0.0/14, 2603:1063::/39",
			options->peer);
	r = flowdb_check_unit(query->db, options->unit, err);
	return r >= 0 && options->row ? check_row(query->db, options->row, err) : r;
}

int query_open(const struct query_options *options, struct query *ret_query, struct err *err)
{
	struct query query = {0};
	int r = flowdb_open(data_dir(options->dir), FLOWDB_READ, &query.db, err);

	if (r >= 0)
		r = flowdb_span(query.db, &query.span, err);
	if (r >= 0)
		r = flowdb_whole(query.db, &query.whole, err);
	if (r >= 0)
		r = flowdb_runs(query.db, note_filter, &query, err);
	if (r >= 0)
		r = make_out(options, &query, err);
	if (r < 0) {
		query_release(&query);
		return r;
	}
	if (!time_zone_is_known())
		log_note("TZ=%s is no time zone that this host knows: local times are UTC",
		         getenv("TZ"));
	*ret_query = query;
	return 0;
}

void query_release(struct query *query)
{
	flowdb_close(query->db);
	query->db = NULL;
}

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
static const char *removed_print(const struct query *query, char buf[160])
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
	if (*removed_print(query, window))
		out_say(out, "removed   flows that ended %s", window);
}

int query_foot(const struct query *query, struct out *out, const char *what, struct err *err)
{
	char text[COVERS_TEXT], removed[160];

	if (!out_count(out))
		log_note("no such %s; the database covers %s", what, covers_print(query, text));
	if (!out_count(out) && *removed_print(query, removed))
		log_note("flows that ended %s are not here: retention deleted them, or another database has "
		         "them ('tlmon db stats' says which). That none was found does not say there was none",
		         removed);
	else if (query->flow.limit && out_count(out) == query->flow.limit)
		out_say(out, "(the first %llu; there may be more)",
		        (unsigned long long)query->flow.limit);
	return flowdb_check(query->db, err);
}

void query_say_outside(const struct query *query)
{
	char text[COVERS_TEXT], removed[160];

	if (*removed_print(query, removed)) {
		log_note("nothing of that window is here: flows that ended %s were deleted by "
		         "retention, or another database has them ('tlmon db stats' says which)",
		         removed);
		return;
	}
	log_note("nothing was recorded in that window: nobody watched; the database covers %s",
	         covers_print(query, text));
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
