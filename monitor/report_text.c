/*
 * report_text.c - a report as plain text.
 */
#include "monitor/commands/out.h"
#include "monitor/report_data.h"
#include "schema/time.h"

#define COLUMNS_MAX 4 /* more units than that are counted, not drawn */

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

static void write_head(const struct report *report, FILE *file, bool colour)
{
	static const char *const WORDS[] = {"ACCEPTED", "NOT ACCEPTED", "UNDETERMINED"};
	static const char *const PAINT[] = {"\033[1;32m", "\033[1;31m", "\033[1;33m"};
	enum report_verdict result = report_result(report);
	char from[TIME_TEXT], to[TIME_TEXT];

	fprintf(file, "%s%s%s%s%s\n", colour ? PAINT[result] : "", WORDS[result],
	        colour ? "\033[0m" : "", *report->policy->site_name ? "  " : "",
	        report->policy->site_name);
	if (report->span.first_us)
		fprintf(file, "%.19sZ to %.19sZ, %llu packets, policy %.12s\n",
		        time_print(report->span.first_us, from),
		        time_print(report->span.last_us, to),
		        (unsigned long long)report->counters.seen, report->policy->hash);
	if (*report->filter)
		fprintf(file, "of what '%s' lets through, and of nothing else\n",
		        report->filter);
	fputc('\n', file);
}

/* Each line that keeps the result from being better. */
static void write_why(const struct report *report, FILE *file)
{
	uint64_t count = report_refusing(report);

	if (count)
		fprintf(file,
		        "- %llu finding%s of severity %s or worse (high %llu, medium %llu, low %llu)\n",
		        (unsigned long long)count, plural(count),
		        severity_name(report->fail_on),
		        (unsigned long long)report->by_severity[SEVERITY_HIGH],
		        (unsigned long long)report->by_severity[SEVERITY_MEDIUM],
		        (unsigned long long)report->by_severity[SEVERITY_LOW]);
	if (report->waived)
		fprintf(file, "- %llu finding%s waived\n", (unsigned long long)report->waived,
		        plural(report->waived));
	if (!report->unit_count)
		fprintf(file, "- no unit was seen\n");
	if (report->silent)
		fprintf(file, "- %llu entr%s of the list of units: no host was seen\n",
		        (unsigned long long)report->silent, report->silent == 1 ? "y" : "ies");
	if (report->idle_required)
		fprintf(file, "- %llu required row%s not seen to work (see the matrix)\n",
		        (unsigned long long)report->idle_required,
		        plural(report->idle_required));
	if (report->undetermined)
		fprintf(file,
		        "- %llu flow%s nothing certain can be said of ('tlmon flows --verdict undetermined')\n",
		        (unsigned long long)report->undetermined, plural(report->undetermined));
	if (report->counters.kernel_dropped)
		fprintf(file,
		        "- the kernel dropped %llu packets: what was not seen cannot be vouched for\n",
		        (unsigned long long)report->counters.kernel_dropped);
	if (report->counters.truncated)
		fprintf(file, "- the snap length cut %llu packets: what they held was not all seen\n",
		        (unsigned long long)report->counters.truncated);
	if (report->counters.evicted)
		fprintf(file, "- the flow table was full, %llu flows ended early\n",
		        (unsigned long long)report->counters.evicted);
	if (report_unseen(report))
		fprintf(file, "- packets went by unseen: what was not seen cannot be vouched for\n");
}

/* "2026-11-22T08:00:01Z to 08:00:03Z (2.1 s): kernel-drop, 120 packets, eth1" */
static void write_blind(const struct seen_blind *blind, FILE *file)
{
	const struct blind_row *row = &blind->row;
	enum blind_cause cause = (enum blind_cause)row->cause;
	char since[TIME_TEXT], until[TIME_TEXT], count[BLIND_COUNT_TEXT];

	time_print(row->since_us, since);
	time_print(row->until_us, until);
	if (row->until_us)
		fprintf(file, "- %.19sZ to %.*sZ (%.1f s): %s", since,
		        strncmp(since, until, 11) ? 19 : 8,
		        strncmp(since, until, 11) ? until : until + 11,
		        (double)(row->until_us - row->since_us) / 1e6, blind_cause_name(cause));
	else
		fprintf(file, "- %.19sZ to the end: %s", since, blind_cause_name(cause));
	if (*blind_count_print(cause, row->count, count))
		fprintf(file, ", %s", count);
	if (*blind->unit)
		fprintf(file, ", %s alone", blind->unit);
	if (*blind->detail)
		fprintf(file, ", %s", blind->detail);
	fprintf(file, "\n    %s\n", blind_cause_sentence(cause));
}

static void write_blinds(const struct report *report, FILE *file)
{
	if (!report->blind_count)
		return;
	fprintf(file, "\nNot everything could be seen:\n");
	for (size_t i = 0; i < report->blind_count && i < BLINDS_TOLD; i++)
		write_blind(&report->blinds[i], file);
	if (report->blind_count > BLINDS_TOLD)
		fprintf(file, "- and %llu intervals more\n",
		        (unsigned long long)(report->blind_count - BLINDS_TOLD));
}

static int write_cut(void *context, const struct input_row *input, struct err *err)
{
	FILE *file = context;

	if (input->cut)
		fprintf(file, "- %s: %s; everything before it was judged\n", input->name,
		        input->note);
	return 0;
}

static void write_findings(const struct report *report, FILE *file, bool colour)
{
	if (!report->finding_count)
		return;
	fprintf(file, "\nFindings, worst first\n");
	for (size_t i = 0; i < report->finding_count; i++) {
		const struct seen_finding *finding = &report->findings[i];
		const struct finding_row *row = &finding->row;
		const char *paint = !colour                          ? ""
		                    : row->severity == SEVERITY_HIGH ? "\033[1;31m"
		                                                     : "\033[33m";
		char units[UNIT_NAME_MAX + 32];

		if (finding->units > 1)
			snprintf(units, sizeof(units), "%llu units",
			         (unsigned long long)finding->units);
		else
			snprintf(units, sizeof(units), "%s", finding->unit);
		fprintf(file, "F%lld  %s%s%s  %s  %s  %llu flow%s%s\n", (long long)finding->id,
		        paint,
		        severity_name(row->severity) ? severity_name(row->severity) : "info",
		        colour ? "\033[0m" : "", units, kind_name(row->kind),
		        (unsigned long long)row->flows, plural(row->flows),
		        *row->waiver ? "  waived" : "");
		fprintf(file, "    %s\n", row->reason);
		if (*row->waiver)
			fprintf(file, "    waived by %s\n", row->waiver);
	}
}

static void cell_text(const struct cell *cell, bool blind, char *buf, size_t size)
{
	const struct coverage_row *use = &cell->use;

	*buf = '\0';
	switch (cell->state) {
	case ROW_OK:
		text_add(buf, size, "ok %s",
		         use->exact      ? "exact"
		         : use->unproven ? "unproven"
		                         : "wide");
		if (use->outside)
			text_add(buf, size, ", %llu outside", (unsigned long long)use->outside);
		if (use->blocked)
			text_add(buf, size, ", %llu blocked", (unsigned long long)use->blocked);
		break;
	case ROW_BLOCKED:
		text_add(buf, size, "BLOCKED");
		break;
	case ROW_OUTSIDE:
		text_add(buf, size, "%llu outside", (unsigned long long)use->outside);
		break;
	case ROW_UNDETERMINED:
		text_add(buf, size, "unanswered");
		break;
	case ROW_NOT_EXERCISED:
		text_add(buf, size, "not exercised%s", blind ? "*" : "");
		break;
	}
}

static enum out_paint cell_paint(enum row_state state)
{
	switch (state) {
	case ROW_OK:
		return OUT_GREEN;
	case ROW_BLOCKED:
	case ROW_OUTSIDE:
		return OUT_RED;
	default:
		return OUT_DIM;
	}
}

static const char *need_word(uint8_t need)
{
	static const char *const WORDS[] = {"required", "recommended", "if used"};

	return need < ARRAY_LEN(WORDS) ? WORDS[need] : "";
}

static bool row_applies(const struct report *report, const struct row *row)
{
	for (size_t i = 0; i < report->unit_count; i++)
		if (report->units[i].mask & BIT(row->profile))
			return true;
	return false;
}

/* One column a unit. */
static int write_units(const struct report *report, FILE *file, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	struct out_column columns[2 + COLUMNS_MAX] = {{"row", "ROW", 0}, {"need", "NEED", 0}};
	int r;

	for (size_t i = 0; i < report->unit_count; i++)
		columns[2 + i] = (struct out_column){report->units[i].name,
		                                     report->units[i].name, OUT_CUT};
	r = out_new(OUT_TABLE, file, columns, 2 + report->unit_count, true, &out, err);
	for (size_t k = 0; k < report->policy->row_count && !r; k++) {
		const struct row *row = &report->policy->rows[k];

		if (!row_applies(report, row))
			continue;
		out_text(out, row->id);
		out_text(out, need_word(row->need));
		for (size_t i = 0; i < report->unit_count; i++) {
			const struct cell *cell = &report->units[i].cells[k];
			char text[64];

			if (!(report->units[i].mask & BIT(row->profile))) {
				out_text(out, "-");
				continue;
			}
			cell_text(cell, report->units[i].blind, text, sizeof(text));
			out_text(out, text);
			out_paint(out, cell_paint(cell->state));
		}
		r = out_end(out, err);
	}
	return r < 0 ? r : out_finish(out, err);
}

/* Many units: how many stand how. */
static int write_counts(const struct report *report, FILE *file, struct err *err)
{
	static const struct out_column COLUMNS[] = {
		{"row", "ROW", 0},
		{"need", "NEED", 0},
		{"ok", "OK", OUT_RIGHT},
		{"outside", "OUTSIDE", OUT_RIGHT},
		{"blocked", "BLOCKED", OUT_RIGHT},
		{"unanswered", "UNANSWERED", OUT_RIGHT},
		{"idle", "NOT EXERCISED", OUT_RIGHT},
	};
	CLEANUP(out_freep) struct out *out = NULL;
	int r = out_new(OUT_TABLE, file, COLUMNS, ARRAY_LEN(COLUMNS), true, &out, err);

	for (size_t k = 0; k < report->policy->row_count && !r; k++) {
		const struct row *row = &report->policy->rows[k];
		int64_t count[ROW_BLOCKED + 1] = {0};

		if (!row_applies(report, row))
			continue;
		for (size_t i = 0; i < report->unit_count; i++)
			if (report->units[i].mask & BIT(row->profile))
				count[report->units[i].cells[k].state]++;
		out_text(out, row->id);
		out_text(out, need_word(row->need));
		out_int(out, count[ROW_OK]);
		out_int(out, count[ROW_OUTSIDE]);
		out_int(out, count[ROW_BLOCKED]);
		out_int(out, count[ROW_UNDETERMINED]);
		out_int(out, count[ROW_NOT_EXERCISED]);
		r = out_end(out, err);
	}
	return r < 0 ? r : out_finish(out, err);
}

/* What was not seen is no proof that it was not done. */
static void write_reserve(const struct report *report, FILE *file)
{
	for (size_t i = 0; i < report->unit_count; i++)
		for (size_t k = 0; report->units[i].blind && k < report->policy->row_count; k++)
			if (report->units[i].mask & BIT(report->policy->rows[k].profile) &&
			    report->units[i].cells[k].state == ROW_NOT_EXERCISED) {
				fprintf(file,
				        "%snot exercised as far as could be seen: see the intervals above\n",
				        report->unit_count > COLUMNS_MAX ? "" : "* ");
				return;
			}
}

/* What to do in the room for the required rows that nobody exercised. */
static void write_exercises(const struct report *report, FILE *file)
{
	bool headed = false;

	for (size_t k = 0; k < report->policy->row_count; k++) {
		const struct row *row = &report->policy->rows[k];
		char units[256] = "";

		for (size_t i = 0; i < report->unit_count; i++) {
			enum row_state state = report->units[i].cells[k].state;

			if (report->units[i].mask & BIT(row->profile) &&
			    row->need == NEED_REQUIRED &&
			    state != ROW_OK && state != ROW_BLOCKED)
				text_add(units, sizeof(units), "%s%s", *units ? ", " : "",
				         report->units[i].name);
		}
		if (!*units)
			continue;
		if (!headed)
			fprintf(file,
			        "\nTo exercise what is required and was not seen to work\n");
		headed = true;
		fprintf(file, "%s: %s (%s)\n", row->id,
		        *row->exercise ? row->exercise : "use it", units);
	}
}

int report_text(const struct report *report, FILE *file, bool colour, struct err *err)
{
	int r;

	write_head(report, file, colour);
	write_why(report, file);
	r = flowdb_inputs(report->db, 0, write_cut, file, err);
	if (r < 0)
		return r;
	write_blinds(report, file);
	write_findings(report, file, colour);
	fprintf(file, "\nDocumented rows by unit\n");
	r = report->unit_count > COLUMNS_MAX ? write_counts(report, file, err)
	                                     : write_units(report, file, err);
	if (r < 0)
		return r;
	write_reserve(report, file);
	write_exercises(report, file);
	if (fflush(file) && errno != EPIPE)
		return err_set(err, -errno, "the report could not be written to its end: %s",
		               strerror(errno));
	return 0;
}
