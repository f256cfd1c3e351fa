/*
 * cmd_flows.c - recorded flows and their verdicts.
 */
#include "monitor/commands.h"
#include "monitor/commands/query.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <getopt.h>

static const char HELP[] =
	"usage: tlmon flows [-l DIR] [-o FORMAT] [--since T] [--until T] [--unit WHO] [...]\n\n"
	"Lists recorded flows in the order they began, each with its verdict: documented (by which\n"
	"row, and how well: exact, unproven, wide), outside (what differs from the nearest row),\n"
	"undetermined (why), housekeeping. A window takes in what overlaps it.\n\n" QUERY_HELP
	"      --verdict V       documented, outside, undetermined or housekeeping\n"
	"  -h, --help            this text\n\n"
	"What did the boardroom do between two and four, outside its envelope?\n"
	"  tlmon flows --unit boardroom --since 02:00 --until 04:00 --verdict outside\n"
	"Why? (the number is the flow's ID)\n"
	"  tlmon explain 81234\n";

static const struct out_column COLUMNS[] = {
	{"id", "ID", OUT_RIGHT},   {"start", NULL, 0},	      {NULL, "START", 0},
	{"end", NULL, 0},	   {"unit", "UNIT", OUT_CUT}, {NULL, "FLOW", OUT_CUT},
	{NULL, "SPEAKS", OUT_CUT}, {"transport", NULL, 0},    {"ip_version", NULL, 0},
	{"direction", NULL, 0},	   {"initiator", NULL, 0},    {"local", NULL, 0},
	{"local_port", NULL, 0},   {"remote", NULL, 0},	      {"remote_port", NULL, 0},
	{"name", NULL, 0},	   {"application", NULL, 0},  {"evidence", NULL, 0},
	{"media", NULL, 0},	   {"outcome", NULL, 0},      {"verdict", "VERDICT", 0},
	{"grade", NULL, 0},	   {"why", NULL, 0},	      {NULL, "WHY", OUT_CUT},
	{"row", NULL, 0},	   {"rows", NULL, 0},	      {"kind", NULL, 0},
	{"severity", NULL, 0},	   {"finding", "FINDING", 0}, {"nearest", NULL, 0},
	{"community_id", NULL, 0}, {"packets_out", NULL, 0},  {"packets_in", NULL, 0},
	{"bytes_out", NULL, 0},	   {"bytes_in", NULL, 0},     {"vlan", NULL, 0},
	{"blind", NULL, 0},	   {"policy", NULL, 0},
};

struct listing {
	struct out *out;
	bool one_day; /* the table's START need not tell the day */
};

static void put_port(struct out *out, const struct flow_view *flow, uint16_t port)
{
	if (transport_has_ports(flow->facts.transport))
		out_int(out, port);
	else
		out_null(out);
}

/* A list of texts or objects, written into memory and given as it is. */
static void put_rows(struct out *out, const struct flow_view *flow)
{
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	FILE *list = open_memstream(&text, &size);

	if (!list) {
		out_null(out);
		return;
	}
	fputc('[', list);
	for (unsigned i = 0; i < flow->row_count; i++) {
		fputs(i ? "," : "", list);
		json_put(list, flow->rows[i]);
	}
	fputc(']', list);
	fclose(list);
	out_raw(out, text);
}

static void put_nearest(struct out *out, const struct flow_view *flow)
{
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	FILE *list = open_memstream(&text, &size);

	if (!list) {
		out_null(out);
		return;
	}
	fputc('[', list);
	for (unsigned i = 0; i < flow->nearest_count; i++) {
		const struct nearest_view *nearest = &flow->nearest[i];

		fputs(i ? ",{\"row\":" : "{\"row\":", list);
		json_put(list, nearest->row);
		fputs(",\"differs\":[", list);
		for (unsigned j = 0; j < nearest->count; j++) {
			fprintf(list, "%s{\"field\":", j ? "," : "");
			json_put(list, field_name((enum field)nearest->differs[j].field));
			fputs(",\"expected\":", list);
			json_put(list, nearest->differs[j].expected);
			fputs(",\"seen\":", list);
			json_put(list, nearest->differs[j].seen);
			fputc('}', list);
		}
		fputs("]}", list);
	}
	fputc(']', list);
	fclose(list);
	out_raw(out, text);
}

/* "udp :50016 > 52.112.1.9:3478" */
static const char *flow_text(const struct flow_view *flow, char *buf, size_t size)
{
	static const char *const arrows[] = {
		[DIRECTION_UNKNOWN] = "<>", [DIRECTION_OUT] = ">", [DIRECTION_IN] = "<"};
	const struct flow_facts *facts = &flow->facts;
	char peer[END_TEXT], port[8] = "";

	if (transport_has_ports(facts->transport))
		snprintf(port, sizeof(port), " :%u", facts->end[flow->local].port);
	snprintf(buf, size, "%s%s %s %s", transport_name(facts->transport), port,
		 arrows[flow->direction % 3],
		 end_print(&facts->end[!flow->local], facts->transport, peer));
	return buf;
}

static const char *speaks_text(const struct flow_view *flow, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", flow->app ? app_name((enum app)flow->app) : "",
		 flow->app && flow->facts.media ? " " : "",
		 flow->facts.media ? media_name(flow->facts.media) : "");
	if (*flow->name)
		text_add(buf, size, "%s%s", *buf ? " " : "", flow->name);
	return buf;
}

/* Documented by what, or what is wrong with it. */
static const char *why_text(const struct flow_view *flow, char *buf, size_t size)
{
	*buf = '\0';
	if (flow->kind)
		text_add(buf, size, "%s, ", kind_name((enum kind)flow->kind));
	else if (flow->grade)
		text_add(buf, size, "%s, ", grade_name((enum grade)flow->grade));
	else if (flow->why)
		text_add(buf, size, "%s, ", why_name((enum why)flow->why));
	if (flow->row_count)
		text_add(buf, size, "%s", flow->rows[0]);
	else if (flow->nearest_count)
		text_add(buf, size, "near %s", flow->nearest[0].row);
	else if (*buf)
		buf[strlen(buf) - 2] = '\0';
	return buf;
}

static void put_head(struct listing *listing, const struct flow_view *flow)
{
	const struct flow_facts *facts = &flow->facts;
	struct out *out = listing->out;
	char time[TIME_TEXT], text[320];

	out_int(out, flow->id);
	out_text(out, time_print(facts->first_us, time));
	time_print_local(facts->first_us, time);
	out_text(out, time + (listing->one_day ? 11 : 5));
	out_text(out, time_print(facts->last_us, time));
	out_text(out, flow->unit);
	out_text(out, flow_text(flow, text, sizeof(text)));
	out_text(out, speaks_text(flow, text, sizeof(text)));
	out_text(out, transport_name(facts->transport));
	out_int(out, facts->ip_version);
	out_text(out, direction_name((enum direction)flow->direction));
	out_text(out, initiator_by_name((enum initiator_by)facts->initiator_by));
}

static void put_ends(struct out *out, const struct flow_view *flow)
{
	const struct endpoint *unit = &flow->facts.end[flow->local],
			      *peer = &flow->facts.end[!flow->local];
	char addr[ADDR_TEXT];

	out_text(out, addr_print(&unit->addr, addr));
	put_port(out, flow, unit->port);
	out_text(out, addr_print(&peer->addr, addr));
	put_port(out, flow, peer->port);
	out_text(out, *flow->name ? flow->name : NULL);
	out_text(out, flow->app ? app_name((enum app)flow->app) : NULL);
	out_text(out, evidence_name((enum evidence)flow->evidence));
	out_text(out, media_name(flow->facts.media));
	out_text(out, outcome_name((enum outcome)flow->facts.outcome));
}

static void put_verdict(struct out *out, const struct flow_view *flow)
{
	static const enum out_paint paint[] = {
		[RULING_DOCUMENTED] = OUT_GREEN,
		[RULING_OUTSIDE] = OUT_RED,
		[RULING_UNDETERMINED] = OUT_YELLOW,
		[RULING_HOUSEKEEPING] = OUT_DIM,
	};
	char text[ROW_ID_MAX + 64];

	out_text(out, ruling_name((enum ruling)flow->ruling));
	out_paint(out, flow->ruling < ARRAY_LEN(paint) ? paint[flow->ruling] : OUT_PLAIN);
	out_text(out, grade_name((enum grade)flow->grade));
	out_text(out, why_name((enum why)flow->why));
	out_text(out, why_text(flow, text, sizeof(text)));
	out_text(out, flow->row_count ? flow->rows[0] : NULL);
	put_rows(out, flow);
	out_text(out, kind_name((enum kind)flow->kind));
	out_text(out, severity_name((enum severity)flow->severity));
	snprintf(text, sizeof(text), "F%lld", (long long)flow->finding);
	out_text(out, flow->finding ? text : NULL);
	put_nearest(out, flow);
}

static int put_flow(void *context, const struct flow_view *flow, struct err *err)
{
	struct listing *listing = context;
	const struct flow_facts *facts = &flow->facts;
	struct out *out = listing->out;
	char id[COMMUNITY_ID_TEXT], policy[13];

	put_head(listing, flow);
	put_ends(out, flow);
	put_verdict(out, flow);
	out_text(out, community_id(&facts->end[0].addr, &facts->end[1].addr, facts->transport,
				   facts->end[0].port, facts->end[1].port, id));
	out_int(out, (int64_t)facts->packets[flow->local]);
	out_int(out, (int64_t)facts->packets[!flow->local]);
	out_int(out, (int64_t)facts->bytes[flow->local]);
	out_int(out, (int64_t)facts->bytes[!flow->local]);
	if (facts->vlan == VLAN_NONE)
		out_null(out);
	else
		out_int(out, facts->vlan);
	out_bool(out, flow->blind);
	snprintf(policy, sizeof(policy), "%.12s", flow->policy);
	out_text(out, policy);
	return out_end(out, err);
}

static bool is_one_day(const struct query *query)
{
	const struct span *span = &query->span;
	char first[TIME_TEXT], last[TIME_TEXT];

	time_print_local(query->flow.since_us > span->first_us ? query->flow.since_us
							       : span->first_us,
			 first);
	time_print_local(query->flow.until_us && query->flow.until_us < span->last_us
				 ? query->flow.until_us
				 : span->last_us,
			 last);
	return !strncmp(first, last, 10);
}

static int list_flows(struct query *query, const struct query_options *options, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	struct listing listing = {.one_day = is_one_day(query)};
	int r = out_new(options->format, stdout, COLUMNS, ARRAY_LEN(COLUMNS), options->wide,
			&out, err);

	if (r < 0)
		return r;
	listing.out = out;
	query_head(query, out);
	r = flowdb_flows(query->db, &query->flow, put_flow, &listing, err);
	if (r >= 0)
		r = out_finish(out, err);
	return r ? r : query_foot(query, out, "flows", err);
}

int cmd_flows(int argc, char **argv)
{
	enum { VERDICT = QUERY_LAST };
	static const struct option LONG[] = {
		QUERY_LONG, {"verdict", required_argument, NULL, VERDICT}, {0}};
	struct query_options options = {0};
	enum ruling ruling = RULING_NONE;
	struct query query = {0};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (option = getopt_long(argc, argv, QUERY_SHORT, LONG, NULL)) != -1) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		if (option == '?')
			return EXIT_USAGE;
		if (option == VERDICT) {
			ruling = ruling_parse(optarg);
			if (ruling > RULING_HOUSEKEEPING)
				r = err_set(
					&err, -EINVAL,
					"--verdict %s: no such verdict; accepted: documented, outside, "
					"undetermined, housekeeping",
					optarg);
			continue;
		}
		r = query_option(&options, option, optarg, &err);
	}
	if (r >= 0 && optind < argc)
		r = err_set(&err, -EINVAL,
			    "flows: '%s' is no option; 'tlmon flows --help' lists them",
			    argv[optind]);
	if (r >= 0)
		r = query_open(&options, &query, &err);
	if (r < 0)
		return log_err(&err);
	query.flow.ruling = (uint8_t)ruling;
	r = list_flows(&query, &options, &err);
	query_release(&query);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
