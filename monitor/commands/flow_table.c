/*
 * flow_table.c - see flow_table.h. The names of the columns are fixed: scripts rely on them.
 */
#include "monitor/commands/flow_table.h"
#include "schema/time.h"

const struct out_column FLOW_COLUMNS[] = {
	{"id", "ID", OUT_RIGHT},
	{"start", NULL, 0},
	{NULL, "START", 0},
	{"end", NULL, 0},
	{"unit", "UNIT", OUT_CUT_NEXT},
	{NULL, "FLOW", OUT_CUT},
	{NULL, "SPEAKS", OUT_CUT_FIRST},
	{"transport", NULL, 0},
	{"ip_version", NULL, 0},
	{"direction", NULL, 0},
	{"initiator", NULL, 0},
	{"local", NULL, 0},
	{"local_port", NULL, 0},
	{"remote", NULL, 0},
	{"remote_port", NULL, 0},
	{"name", NULL, 0},
	{"application", NULL, 0},
	{"evidence", NULL, 0},
	{"media", NULL, 0},
	{"outcome", NULL, 0},
	{"verdict", NULL, 0},
	{NULL, "VERDICT", 0},
	{"grade", NULL, 0},
	{"why", NULL, 0},
	{NULL, "WHY", OUT_CUT_NEXT},
	{"row", NULL, 0},
	{"rows", NULL, 0},
	{"kind", NULL, 0},
	{"severity", NULL, 0},
	{"finding", NULL, 0},
	{"nearest", NULL, 0},
	{"community_id", NULL, 0},
	{"packets_out", NULL, 0},
	{"packets_in", NULL, 0},
	{"bytes_out", NULL, 0},
	{"bytes_in", NULL, 0},
	{"vlan", NULL, 0},
	{"blind", NULL, 0},
	{"policy", NULL, 0},
};
const size_t FLOW_COLUMN_COUNT = ARRAY_LEN(FLOW_COLUMNS);

static void put_port(struct out *out, const struct flow_view *flow, uint16_t port)
{
	if (transport_has_ports(flow->facts.transport))
		out_int(out, port);
	else
		out_null(out);
}

/* A list of texts or objects, written into memory and given as it is. */
void row_list_put(struct out *out, const char (*rows)[ROW_ID_MAX], unsigned count)
{
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	FILE *list = open_memstream(&text, &size);

	if (!list) {
		out_null(out);
		return;
	}
	fputc('[', list);
	for (unsigned i = 0; i < count; i++) {
		fputs(i ? "," : "", list);
		json_put(list, rows[i]);
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
const char *flow_text(const struct flow_view *flow, char *buf, size_t size)
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
	const char *row = flow->row_count       ? flow->rows[0]
	                  : flow->nearest_count ? flow->nearest[0].row
	                                        : "";

	*buf = '\0';
	if (flow->finding)
		text_add(buf, size, "F%lld ", (long long)flow->finding);
	if (flow->kind)
		text_add(buf, size, "%s%s", kind_name((enum kind)flow->kind), *row ? ", " : "");
	else if (flow->ruling == RULING_UNDETERMINED && flow->why)
		text_add(buf, size, "%s%s", why_name((enum why)flow->why), *row ? ", " : "");
	text_add(buf, size, "%s", row);
	return buf;
}

static void put_head(struct out *out, const struct flow_view *flow, bool one_day)
{
	const struct flow_facts *facts = &flow->facts;
	char time[TIME_TEXT], text[320];

	out_int(out, flow->id);
	out_text(out, time_print(facts->first_us, time));
	time_print_local(facts->first_us, time);
	out_text(out, time + (one_day ? 11 : 5));
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
	out_text(out, flow->grade ? grade_name((enum grade)flow->grade)
	                          : ruling_name((enum ruling)flow->ruling));
	out_paint(out, flow->ruling < ARRAY_LEN(paint) ? paint[flow->ruling] : OUT_PLAIN);
	out_text(out, grade_name((enum grade)flow->grade));
	out_text(out, why_name((enum why)flow->why));
	out_text(out, why_text(flow, text, sizeof(text)));
	out_text(out, flow->ruling == RULING_DOCUMENTED ? flow->rows[0] : NULL);
	row_list_put(out, flow->rows, flow->row_count);
	out_text(out, kind_name((enum kind)flow->kind));
	out_text(out, severity_name((enum severity)flow->severity));
	snprintf(text, sizeof(text), "F%lld", (long long)flow->finding);
	out_text(out, flow->finding ? text : NULL);
	put_nearest(out, flow);
}

void flow_cells(struct out *out, const struct flow_view *flow, bool one_day)
{
	const struct flow_facts *facts = &flow->facts;
	char id[COMMUNITY_ID_TEXT], policy[13];

	put_head(out, flow, one_day);
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
}

int flow_put(struct out *out, const struct flow_view *flow, bool one_day, struct err *err)
{
	query_sensor(out, flow->sensor);
	flow_cells(out, flow, one_day);
	return out_end(out, err);
}
