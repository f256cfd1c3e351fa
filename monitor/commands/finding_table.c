/*
 * finding_table.c - see finding_table.h. The names of the columns are fixed: scripts rely on them.
 */
#include "monitor/commands/finding_table.h"
#include "schema/time.h"

const struct out_column FINDING_COLUMNS[] = {
	{"id", "ID", 0},
	{"unit", "UNIT", OUT_CUT_NEXT},
	{"kind", "KIND", OUT_CUT_NEXT},
	{"severity", "SEVERITY", 0},
	{"row", "ROW", OUT_CUT},
	{"remote", NULL, 0},
	{"role", NULL, 0},
	{NULL, "PEER", OUT_CUT_NEXT},
	{"transport", NULL, 0},
	{"port", NULL, 0},
	{NULL, "PORT", OUT_CUT_FIRST},
	{"application", NULL, 0},
	{"first", NULL, 0},
	{"last", NULL, 0},
	{"flows", "FLOWS", OUT_RIGHT},
	{"kept", NULL, 0},
	{"bytes", NULL, 0},
	{"state", NULL, 0},
	{"reason", NULL, 0},
	{"waiver", NULL, 0},
	{"changed_by", NULL, 0},
	{"changed_why", NULL, 0},
	{"changed_at", NULL, 0},
};
const size_t FINDING_COLUMN_COUNT = ARRAY_LEN(FINDING_COLUMNS);

const struct out_column FINDING_GROUP_COLUMNS[] = {
	{NULL, "SEVERITY", 0},         {NULL, "KIND", OUT_CUT_NEXT},
	{NULL, "ROW", OUT_CUT},        {NULL, "PEER", OUT_CUT_NEXT},
	{NULL, "PORT", OUT_CUT_FIRST}, {NULL, "UNITS", OUT_CUT_NEXT | OUT_RIGHT},
	{NULL, "FLOWS", OUT_RIGHT},    {NULL, "ID", 0},
};
const size_t FINDING_GROUP_COLUMN_COUNT = ARRAY_LEN(FINDING_GROUP_COLUMNS);

const char *finding_state(const struct finding_row *row)
{
	return !row->open ? "closed" : *row->waiver ? "waived" : "open";
}

static const char *or_null(const char *text)
{
	return *text ? text : NULL;
}

static enum out_paint paint_of(const struct finding_row *row)
{
	static const enum out_paint paint[] = {[SEVERITY_LOW] = OUT_PLAIN,
	                                       [SEVERITY_MEDIUM] = OUT_YELLOW,
	                                       [SEVERITY_HIGH] = OUT_RED};

	if (!row->open || *row->waiver)
		return OUT_DIM;
	return row->severity < ARRAY_LEN(paint) ? paint[row->severity] : OUT_PLAIN;
}

/* "udp 123", "tcp 443 tls" */
static const char *port_text(const struct finding_row *row, char *buf, size_t size)
{
	snprintf(buf, size, "%s%s%s", row->transport ? transport_name(row->transport) : "",
	         row->transport && *row->port ? " " : "", row->port);
	return buf;
}

/* The sentence, and from when to when; what waives it, or that it is closed. */
static void put_note(struct out *out, const struct finding_row *row, const char *unit,
                     uint64_t units, const char *by, const char *why)
{
	char first[TIME_TEXT], last[TIME_TEXT], text[2400], closed[700] = "closed: ";

	if (*by && !row->open)
		snprintf(closed, sizeof(closed), "closed by %.100s: %.500s; ", by, why);

	time_print_local(row->first_us, first);
	time_print_local(row->last_us, last);
	first[16] = last[16] = '\0'; /* minutes will do */
	snprintf(text, sizeof(text), "%s%s%s%s%s%s (%s .. %s)",
	         *row->waiver ? "waived by " : "", row->waiver,
	         *row->waiver ? "; "
	         : row->open  ? ""
	                      : closed,
	         units > 1 ? unit : "", units > 1 ? ": " : "", row->reason, first,
	         strncmp(first, last, 11) ? last : last + 11);
	out_note(out, text);
}

void finding_cells(struct out *out, const struct finding_view *finding)
{
	const struct finding_row *row = &finding->row;
	char time[TIME_TEXT], text[96];

	query_sensor(out, finding->sensor);
	snprintf(text, sizeof(text), "F%lld", (long long)finding->id);
	out_text(out, text);
	out_text(out, finding->unit);
	out_text(out, kind_name((enum kind)row->kind));
	out_text(out, severity_name((enum severity)row->severity));
	out_paint(out, paint_of(row));
	out_text(out, or_null(row->row));
	out_text(out, or_null(row->remote));
	out_text(out, or_null(row->role));
	out_text(out, *row->role ? row->role : row->remote);
	out_text(out, row->transport ? transport_name(row->transport) : NULL);
	out_text(out, or_null(row->port));
	out_text(out, port_text(row, text, sizeof(text)));
	out_text(out, row->app ? app_name((enum app)row->app) : NULL);
	out_text(out, time_print(row->first_us, time));
	out_text(out, time_print(row->last_us, time));
	out_int(out, (int64_t)row->flows);
	out_int(out, (int64_t)row->kept);
	out_int(out, (int64_t)row->bytes);
	out_text(out, finding_state(row));
	out_text(out, row->reason);
	out_text(out, or_null(row->waiver));
	out_text(out, or_null(finding->by));
	out_text(out, or_null(finding->why));
	out_text(out, finding->at_us ? time_print(finding->at_us, time) : NULL);
}

int finding_put(void *context, const struct finding_view *finding, struct err *err)
{
	const struct finding_row *row = &finding->row;
	struct out *out = context;

	finding_cells(out, finding);
	put_note(out, row, finding->unit, 1, finding->by, finding->why);
	return out_end(out, err);
}

int finding_group_put(void *context, const struct finding_group *group, struct err *err)
{
	const struct finding_row *row = &group->row;
	struct out *out = context;
	char text[96];

	query_sensor(out, group->sensor);
	out_text(out, severity_name((enum severity)row->severity));
	out_paint(out, paint_of(row));
	out_text(out, kind_name((enum kind)row->kind));
	out_text(out, row->row);
	out_text(out, *row->role ? row->role : row->remote);
	if (group->transports[0] == group->transports[1])
		out_text(out, port_text(row, text, sizeof(text)));
	else
		out_text(out, row->port);
	if (group->units == 1)
		out_text(out, group->unit);
	else
		out_int(out, (int64_t)group->units);
	out_int(out, (int64_t)row->flows);
	snprintf(text, sizeof(text), "F%lld%s", (long long)group->id,
	         group->findings > 1 ? " ..." : "");
	out_text(out, text);
	put_note(out, row, group->unit, group->units, group->by, group->why);
	return out_end(out, err);
}
