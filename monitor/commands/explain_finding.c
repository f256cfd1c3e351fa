/*
 * explain_finding.c - one finding: why it stands, its flows, the row as documented, and how to settle it, or
 * to waive it if it is to stay.
 */
#include "monitor/commands/evidence_lack.h"
#include "monitor/commands/explain.h"
#include "monitor/commands/finding_table.h"
#include "monitor/commands/flow_table.h"
#include "schema/time.h"

#define FLOWS_SHOWN 10

struct told {
	struct explain *explain;
	struct finding_row row;
	char unit[NAME_MAX_LEN + 1];
	bool found;
	struct out *out;
	bool has_flow; /* some row of its flows is kept */
};

static void print_head(const struct finding_view *finding)
{
	const struct finding_row *row = &finding->row;
	char first[TIME_TEXT], last[TIME_TEXT];

	explain_text(2, "F%lld: %s at %s%s%s, severity %s, %s", (long long)finding->id,
	             kind_name((enum kind)row->kind), finding->unit, *row->row ? ", row " : "",
	             row->row,
	             severity_name((enum severity)row->severity)
	                     ? severity_name((enum severity)row->severity)
	                     : "none",
	             finding_state(row));
	fputs("  ", stdout);
	explain_text(2, "%s", row->reason);
	printf("  That is: %s.\n", kind_sentence((enum kind)row->kind));
	if (*row->role || *row->remote)
		explain_line("peer", "%s", *row->role ? row->role : row->remote);
	if (*row->port)
		explain_line("port", "%s", row->port);
	if (row->transport)
		explain_line("speaks", "%s%s%s", transport_name(row->transport),
		             row->app ? ", " : "",
		             row->app ? app_name((enum app)row->app) : "");
	time_print_local(row->first_us, first);
	time_print_local(row->last_us, last);
	explain_line("seen", "%s .. %s local", first, last);
	time_print(row->first_us, first);
	time_print(row->last_us, last);
	explain_line("", "%s .. %s", first, last);
	explain_line("flows", "%llu, %llu bytes; %llu of them kept as rows",
	             (unsigned long long)row->flows, (unsigned long long)row->bytes,
	             (unsigned long long)row->kept);
	if (*row->waiver)
		explain_line("waived by", "%s", row->waiver);
}

static int note(void *context, const struct finding_view *finding, struct err *err)
{
	struct told *told = context;

	told->found = true;
	told->row = finding->row;
	text_copy(told->unit, sizeof(told->unit), finding->unit);
	if (told->explain->json)
		return explain_finding_json(told->explain, finding, err);
	print_head(finding);
	return 1;
}

static int note_flow(void *context, const struct flow_view *flow, struct err *err)
{
	struct told *told = context;

	int r = 0;

	if (!told->has_flow)
		r = explain_load_policy(told->explain, flow->policy, err);
	told->has_flow = true;
	if (r < 0)
		return r;
	return flow_put(told->out, flow, false, err);
}

static int print_person(void *context, const struct change_view *change, struct err *err)
{
	char at[TIME_TEXT];

	(void)context;
	(void)err;
	explain_line(change->state == FINDINGS_CLOSED   ? "closed by"
	             : change->state == FINDINGS_WAIVED ? "waived by"
	                                                : "opened by",
	             "%s, %s local: %s", change->by, time_print_local(change->time_us, at), change->why);
	return 0;
}

static int print_flows(struct told *told, int64_t id, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	const struct flow_query query = {.finding = id, .limit = FLOWS_SHOWN};
	int r = out_new(OUT_TABLE, stdout, FLOW_COLUMNS, FLOW_COLUMN_COUNT, false, &out, err);

	if (r < 0)
		return r;
	told->out = out;
	printf("\n");
	r = flowdb_flows(told->explain->db, &query, note_flow, told, err);
	if (r >= 0)
		r = out_finish(out, err);
	if (r >= 0 && !out_count(out))
		printf("No row of its flows is kept.\n");
	else if (r >= 0 && told->row.kept > FLOWS_SHOWN)
		printf("(the first %d; all: tlmon flows --kind %s ...)\n", FLOWS_SHOWN,
		       kind_name((enum kind)told->row.kind));
	return r;
}

static int print_packets(const struct explain *explain, int64_t id,
                         const struct finding_row *row, struct err *err)
{
	char why[LACK_TEXT] = "";
	uint64_t kept = 0;
	int r = flowdb_evidence_flows(explain->db, id, &kept, err);

	if (r >= 0 && kept < row->flows && kept < EVIDENCE_FLOWS_WANTED)
		r = evidence_lack_print(explain->db, row->first_us, row->last_us, why, err);
	if (r < 0)
		return r;
	if (kept) {
		printf("\nPackets of %llu flow%s are kept:  tlmon evidence F%lld -w F%lld.pcapng",
		       (unsigned long long)kept, plural(kept), (long long)id, (long long)id);
		explain_dir(explain);
	}
	if (*why)
		printf("%s: %s\n", kept ? "  Not of more" : "\nNo packets of it are kept", why);
	return 0;
}

/* Trying takes its time on a large database, so it is for who asks. */
static int print_settle(struct told *told, int64_t id, struct err *err)
{
	struct explain *explain = told->explain;
	int r = 0;

	if (!finding_is_to_settle(&told->row))
		return 0;
	printf("\nTo settle it\n");
	if (explain->settle)
		r = explain_settle(explain, id, told->unit, &told->row, err);
	if (r >= 0 && told->row.kind != KIND_UNLISTED_UNIT) {
		printf("  If it is to stay, print the waiver for the site file:\n"
		       "    tlmon waive F%lld --owner WHO --reason WHY --expires YYYY-MM-DD",
		       (long long)id);
		explain_dir(explain);
	}
	if (r >= 0 && !explain->settle) {
		printf("  Try what would settle it (seconds on a large database):\n"
		       "    tlmon explain F%lld --settle",
		       (long long)id);
		explain_dir(explain);
	}
	return r;
}

int explain_finding(struct explain *explain, int64_t id, struct err *err)
{
	struct told told = {.explain = explain};
	int r = finding_by_id(explain->db, id, note, &told, err);

	if (r < 0 || !told.found)
		return r;
	if (explain->json)
		return 1;
	r = flowdb_finding_persons(explain->db, id, print_person, NULL, err);
	if (r >= 0)
		r = print_flows(&told, id, err);
	if (r >= 0)
		r = print_packets(explain, id, &told.row, err);
	if (r >= 0)
		r = explain_finding_policy(explain, id, err);
	if (r < 0)
		return r;
	if (*told.row.row)
		explain_row(explain->envelope, told.row.row);
	r = print_settle(&told, id, err);
	return r < 0 ? r : 1;
}
