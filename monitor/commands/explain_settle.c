/*
 * explain_settle.c - what would settle a finding: changes of the site file that are proven by judging its flows again,
 * rules for a firewall, or words. The same as in the report of 'tlmon check', of this finding alone.
 */
#include "monitor/acceptance/acceptance.h"
#include "monitor/acceptance/remedy.h"
#include "monitor/commands/explain.h"
#include "monitor/commands/finding_table.h"
#include "monitor/json.h"
#include "monitor/policy_record.h"

/* Flows of its last day, and of an hour before and after, must not be judged worse. */
#define HOUR_US (INT64_C(3600) * 1000000)
#define DAY_US (24 * HOUR_US)

static int note_policy(void *context, const struct flow_view *flow, struct err *err)
{
	(void)err;
	text_copy(context, 65, flow->policy);
	return 1;
}

int explain_finding_policy(struct explain *explain, int64_t id, struct err *err)
{
	const struct flow_query own = {.finding = id, .limit = 1};
	struct err lost = {0};
	char hash[65] = "";
	int r;

	if (explain->envelope)
		return 0;
	r = flowdb_flows(explain->db, &own, note_policy, hash, err);
	if (r < 0 || *hash)
		return r < 0 ? r : explain_load_policy(explain, hash, err);
	if (policy_in_force(explain->db, &explain->policy, &lost) < 0)
		return explain_load_policy(explain, "", err);
	explain->envelope = explain->policy->envelope;
	return 0;
}

static int find(struct explain *explain, const struct remedy_finding *finding,
                struct remedies *ret, struct err *err)
{
	CLEANUP(policy_freep) struct policy *bare = NULL;
	const struct policy_args args = {.envelope = explain->compiled_in};
	const struct policy *policy = explain->policy;
	int64_t since_us = finding->row->first_us;
	int r = 0;

	if (since_us < finding->row->last_us - DAY_US)
		since_us = finding->row->last_us - DAY_US;
	/* What judged it is not on record: no flow is judged again, and words remain. */
	if (!policy)
		r = policy_load(&args, &bare, err);
	policy = policy ? policy : bare;
	if (r >= 0 && kind_is_blocked(finding->row->kind))
		r = remedy_blocked(explain->db, policy, finding, ret, err);
	else if (r >= 0)
		r = remedies_find(explain->db, policy, finding, 1, since_us - HOUR_US,
		                  finding->row->last_us + HOUR_US, ret, err);
	return r;
}

static void put_lines(const char *lines)
{
	for (const char *line = lines; line && *line;) {
		size_t len = strcspn(line, "\n");

		explain_say("    %.*s", (int)len, line);
		line += len + (line[len] == '\n');
	}
}

int explain_settle(struct explain *explain, int64_t id, const char *unit,
                   const struct finding_row *row, struct err *err)
{
	CLEANUP(remedies_release) struct remedies remedies = {0};
	const struct remedy_finding finding = {id, unit, row};
	int r = find(explain, &finding, &remedies, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < remedies.count; i++) {
		const struct remedy *remedy = &remedies.list[i];

		fputs("  ", stdout);
		explain_text(
			2, "%s%s", remedy->say,
			remedy->proven
				? " Proven: judged again so, its flows are documented or excused, "
				  "and no other one is worse."
				: "");
		put_lines(remedy->lines);
	}
	return 0;
}

static int put_json(struct explain *explain, const struct finding_view *finding, FILE *file,
                    struct err *err)
{
	CLEANUP(remedies_release) struct remedies remedies = {0};
	const struct remedy_finding of = {finding->id, finding->unit, &finding->row};
	int r = 0;

	if (!explain->settle) {
		fputs("null", file);
		return 0;
	}
	fputc('[', file);
	if (finding_is_to_settle(&finding->row)) {
		r = explain_finding_policy(explain, finding->id, err);
		if (r >= 0)
			r = find(explain, &of, &remedies, err);
	}
	for (size_t i = 0; r >= 0 && i < remedies.count; i++) {
		const struct remedy *remedy = &remedies.list[i];

		fprintf(file, "%s{\"kind\":\"%s\",\"say\":", i ? "," : "",
		        step_kind_name((enum step_kind)remedy->kind));
		json_put(file, remedy->say);
		fputs(",\"lines\":", file);
		if (remedy->lines)
			json_put(file, remedy->lines);
		else
			fputs("null", file);
		fprintf(file, ",\"proven\":%s}", remedy->proven ? "true" : "false");
	}
	fputc(']', file);
	return r;
}

int explain_finding_json(struct explain *explain, const struct finding_view *finding,
                         struct err *err)
{
	CLEANUP(freep)
	struct out_column *columns = calloc(FINDING_COLUMN_COUNT + 1, sizeof(*columns));
	CLEANUP(out_freep) struct out *out = NULL;
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	int r;

	if (!file || !columns) {
		fclosep(&file);
		return err_set(err, -ENOMEM, "out of memory");
	}
	memcpy(columns, FINDING_COLUMNS, FINDING_COLUMN_COUNT * sizeof(*columns));
	columns[FINDING_COLUMN_COUNT].name = "settle";
	r = put_json(explain, finding, file, err);
	if (fclose(file) && r >= 0)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r >= 0)
		r = out_new(OUT_JSONL, stdout, columns, FINDING_COLUMN_COUNT + 1, false, &out,
		            err);
	if (r < 0)
		return r;
	finding_cells(out, finding);
	out_raw(out, text);
	r = out_end(out, err);
	return r < 0 ? r : out_finish(out, err);
}
