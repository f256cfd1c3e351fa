/*
 * cmd_findings.c - what left the envelope or was blocked, worst first: for people one line for what
 * is alike at many units, for programs (and with --per-unit) every finding.
 */
#include "monitor/commands.h"
#include "monitor/commands/query.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <getopt.h>

static const char HELP[] =
	"usage: tlmon findings [-l DIR] [-o FORMAT] [--per-unit] [--since T] [--unit WHO] [...]\n\n"
	"Lists what left the envelope or was blocked, worst first. The table has one line for what\n"
	"is alike at many units (kind, row, peer, port), and below it the sentence of the finding\n"
	"with most flows; --per-unit lists each unit's, as json, jsonl and csv always do.\n\n" QUERY_HELP
	"      --per-unit        one line a unit also in the table\n"
	"      --state STATE     open (the default; waived ones stand last), waived, closed, all\n"
	"  -h, --help            this text\n\n"
	"What is worst since yesterday?\n"
	"  tlmon findings --since 1d --severity medium\n"
	"Why, and what would settle it?\n"
	"  tlmon explain F17\n";

static const struct out_column COLUMNS[] = {
	{"id", "ID", 0},
	{"unit", "UNIT", OUT_CUT},
	{"kind", "KIND", 0},
	{"severity", "SEVERITY", 0},
	{"row", "ROW", OUT_CUT},
	{"remote", NULL, 0},
	{"role", NULL, 0},
	{NULL, "PEER", OUT_CUT},
	{"transport", NULL, 0},
	{"port", NULL, 0},
	{NULL, "PORT", OUT_CUT},
	{"application", NULL, 0},
	{"first", NULL, 0},
	{"last", NULL, 0},
	{"flows", "FLOWS", OUT_RIGHT},
	{"kept", NULL, 0},
	{"bytes", NULL, 0},
	{"state", NULL, 0},
	{"reason", NULL, 0},
	{"waiver", NULL, 0},
};

static const struct out_column GROUP_COLUMNS[] = {
	{NULL, "SEVERITY", 0},	    {NULL, "KIND", 0},
	{NULL, "ROW", OUT_CUT},	    {NULL, "PEER", OUT_CUT},
	{NULL, "PORT", OUT_CUT},    {NULL, "UNITS", OUT_CUT | OUT_RIGHT},
	{NULL, "FLOWS", OUT_RIGHT}, {NULL, "ID", 0},
};

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
		     uint64_t units)
{
	char first[TIME_TEXT], last[TIME_TEXT], text[1400];

	time_print_local(row->first_us, first);
	time_print_local(row->last_us, last);
	first[16] = last[16] = '\0'; /* minutes will do */
	snprintf(text, sizeof(text), "%s%s%s%s%s%s (%s .. %s)",
		 *row->waiver ? "waived by " : "", row->waiver,
		 *row->waiver ? "; "
		 : row->open  ? ""
			      : "closed: ",
		 units > 1 ? unit : "", units > 1 ? ": " : "", row->reason, first,
		 strncmp(first, last, 11) ? last : last + 11);
	out_note(out, text);
}

static int put_finding(void *context, const struct finding_view *finding, struct err *err)
{
	const struct finding_row *row = &finding->row;
	struct out *out = context;
	char time[TIME_TEXT], text[96];

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
	out_text(out, row->open ? "open" : "closed");
	out_text(out, row->reason);
	out_text(out, or_null(row->waiver));
	put_note(out, row, finding->unit, 1);
	return out_end(out, err);
}

static int put_group(void *context, const struct finding_group *group, struct err *err)
{
	const struct finding_row *row = &group->row;
	struct out *out = context;
	char text[96];

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
	put_note(out, row, group->unit, group->units);
	return out_end(out, err);
}

static int list_findings(struct query *query, const struct query_options *options, bool grouped,
			 uint8_t state, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	const struct finding_query finding = {.flow = query->flow, .state = state};
	int r = grouped ? out_new(options->format, stdout, GROUP_COLUMNS,
				  ARRAY_LEN(GROUP_COLUMNS), options->wide, &out, err)
			: out_new(options->format, stdout, COLUMNS, ARRAY_LEN(COLUMNS),
				  options->wide, &out, err);

	if (r < 0)
		return r;
	query_head(query, out);
	r = grouped ? flowdb_finding_groups(query->db, &finding, put_group, out, err)
		    : flowdb_findings(query->db, &finding, put_finding, out, err);
	if (r >= 0)
		r = out_finish(out, err);
	return r ? r : query_foot(query, out, "findings", err);
}

static int parse_state(const char *value, uint8_t *ret_state, struct err *err)
{
	static const char *const states[] = {
		[FINDINGS_ALL] = "all",
		[FINDINGS_OPEN] = "open",
		[FINDINGS_WAIVED] = "waived",
		[FINDINGS_CLOSED] = "closed",
	};

	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		if (!strcmp(states[i], value)) {
			*ret_state = (uint8_t)i;
			return 0;
		}
	return err_set(err, -EINVAL,
		       "--state %s: no such state; accepted: open, waived, closed, all", value);
}

int cmd_findings(int argc, char **argv)
{
	enum { PER_UNIT = QUERY_LAST, STATE };
	static const struct option LONG[] = {QUERY_LONG,
					     {"per-unit", no_argument, NULL, PER_UNIT},
					     {"state", required_argument, NULL, STATE},
					     {0}};
	struct query_options options = {0};
	uint8_t state = FINDINGS_OPEN;
	struct query query = {0};
	bool per_unit = false;
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (option = getopt_long(argc, argv, QUERY_SHORT, LONG, NULL)) != -1) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		if (option == '?')
			return EXIT_USAGE;
		if (option == PER_UNIT)
			per_unit = true;
		else if (option == STATE)
			r = parse_state(optarg, &state, &err);
		else
			r = query_option(&options, option, optarg, &err);
	}
	if (r >= 0 && optind < argc)
		r = err_set(&err, -EINVAL,
			    "findings: '%s' is no option; 'tlmon findings --help' lists them",
			    argv[optind]);
	if (r >= 0)
		r = query_open(&options, &query, &err);
	if (r < 0)
		return log_err(&err);
	r = list_findings(&query, &options, options.format == OUT_TABLE && !per_unit, state,
			  &err);
	query_release(&query);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
