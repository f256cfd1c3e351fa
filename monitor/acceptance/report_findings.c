/*
 * report_findings.c - see report_parts.h: findings with the packets they rest on, what would settle them, and the waivers
 * that excuse some.
 */
#include "monitor/acceptance/report_parts.h"
#include "monitor/commands/query.h"

#define FINDINGS_TEXT 50
#define FINDINGS_HTML 500
#define CLOSED_LINES 20
#define PACKETS_HTML 8 /* more stand behind a line */
#define PACKETS_TEXT 2 /* of a finding; in HTML all */

/* ----------------------------------------------------------------- packets */

struct told {
	const struct acceptance *acceptance;
	struct paper *paper;
	bool folds;
	uint64_t count;
};

/* "08:00:46.000000 out, 60 bytes: tcp 10.20.0.15:49711 > 52.112.64.12:443, SYN" */
static void packet_line(const struct acceptance *a, const struct report_packet *packet,
                        char *buf, size_t size)
{
	char clock[TIME_TEXT], cut[32] = "";

	if (packet->len < packet->wire_len)
		snprintf(cut, sizeof(cut), "%zu of ", packet->len);
	snprintf(buf, size, "%s.%06d %s, %s%u bytes: %s",
	         clock_print(a, packet->time_us, clock), (int)(packet->time_us % SECOND_US),
	         packet->direction, cut, packet->wire_len, packet->text);
}

static int put_packet(void *context, const struct report_packet *packet, struct err *err)
{
	struct told *told = context;
	CLEANUP(freep) char *dump = NULL;
	char line[320];

	told->count++;
	packet_line(told->acceptance, packet, line, sizeof(line));
	if (!told->folds) {
		if (told->count <= PACKETS_TEXT)
			paper_item(told->paper, TONE_QUIET, "%s", line);
		return 0;
	}
	if (told->count == PACKETS_HTML + 1)
		paper_fold(told->paper, false, "... and more packets");
	dump = hex_dump(packet->bytes, packet->len);
	if (!dump)
		return err_set(err, -ENOMEM, "out of memory");
	if (paper_fold(told->paper, false, "%s", line)) {
		paper_lines(told->paper, dump);
		paper_fold_end(told->paper);
	}
	return 0;
}

static int put_packets(const struct acceptance *a, const struct acceptance_finding *finding,
                       struct paper *paper, struct err *err)
{
	struct told told = {.acceptance = a, .paper = paper, .folds = paper_draws(paper)};
	int r;

	if (!finding->evidence)
		return 0;
	if (told.folds)
		paper_say(paper, "Packets that were kept, of %llu flow%s:",
		          (unsigned long long)finding->evidence, plural(finding->evidence));
	r = finding_packets(a, finding->id, put_packet, &told, err);
	if (told.folds && told.count > PACKETS_HTML)
		paper_fold_end(paper);
	if (!told.folds && told.count > PACKETS_TEXT)
		paper_item(
			paper, TONE_QUIET,
			"... and %llu packet%s more; --report FILE.html has all that were kept",
			(unsigned long long)(told.count - PACKETS_TEXT),
			plural(told.count - PACKETS_TEXT));
	return r;
}

/* ---------------------------------------------------------------- findings */

static enum tone finding_tone(const struct acceptance_finding *finding)
{
	return !finding->refuses                              ? TONE_QUIET
	       : finding->finding.severity >= SEVERITY_MEDIUM ? TONE_BAD
	                                                      : TONE_DOUBT;
}

static const char *finding_standing(const struct acceptance_finding *finding)
{
	return finding->waived ? ", waived" : finding->refuses ? "" : ", does not refuse";
}

static int put_finding(const struct acceptance *a, const struct acceptance_finding *finding,
                       struct paper *paper, struct err *err)
{
	const struct finding_row *row = &finding->finding;
	char first[TIME_TEXT], last[TIME_TEXT], port[CELL_TEXT];
	const char *peer = finding_peer(row);

	paper_subhead(paper, finding_tone(finding), "F%lld %s, %s: %s%s",
	              (long long)finding->id, severity_words(row->severity), finding->who,
	              kind_name((enum kind)row->kind), finding_standing(finding));
	paper_say(paper, "%s", row->reason);
	clock_print(a, row->first_us, first);
	clock_print(a, row->last_us, last);
	finding_port(row, port);
	paper_say(paper, "%s%s%s%s%s%s%s%s%llu flow%s, %s%s%s", *row->row ? "Row " : "",
	          row->row, *row->row ? "; " : "", *peer ? "peer " : "", peer,
	          *peer ? ", " : "", port, *port ? "; " : "", (unsigned long long)row->flows,
	          plural(row->flows), first, strcmp(first, last) ? " to " : "",
	          strcmp(first, last) ? last : "");
	if (finding->waived)
		paper_say(paper, "Waived by %s", row->waiver);
	return put_packets(a, finding, paper, err);
}

/* What was outside or blocked under no open finding is not nothing. */
static bool was_spotless(const struct acceptance *a)
{
	uint64_t wrong = a->closed_count;

	for (size_t i = 0; i < a->unit_count; i++)
		wrong += a->units[i].outside + a->units[i].blocked;
	return !wrong;
}

/* They refuse nothing, and whoever signs is to know who said so. */
static void put_closed(const struct acceptance *a, struct paper *paper)
{
	char words[CLOSED_TEXT];

	if (!a->closed_count)
		return;
	paper_say(paper, "%s%zu w%s closed:", a->finding_count ? "" : "None is open; ",
	          a->closed_count, a->closed_count == 1 ? "as" : "ere");
	for (size_t i = 0; i < a->closed_count && i < CLOSED_LINES; i++) {
		const struct acceptance_finding *finding = &a->closed[i].finding;
		const struct finding_row *row = &finding->finding;

		paper_item(paper, TONE_QUIET, "F%lld %s, %s: %s, %llu flow%s, %s",
		           (long long)finding->id, severity_words(row->severity), finding->who,
		           kind_name((enum kind)row->kind), (unsigned long long)row->flows,
		           plural(row->flows), closed_words(&a->closed[i], words));
	}
	if (a->closed_count > CLOSED_LINES)
		paper_say(paper, "... and %zu more; .json has them all.",
		          a->closed_count - CLOSED_LINES);
}

int report_put_findings(const struct acceptance *a, struct paper *paper, struct err *err)
{
	size_t limit = paper_draws(paper) ? FINDINGS_HTML : FINDINGS_TEXT;
	int r = 0;

	paper_head(paper, "Findings, worst first");
	if (was_spotless(a) && !a->finding_count)
		paper_say(paper,
		          "None: nothing was outside, and nothing that is documented was "
		          "blocked.");
	else if (!a->finding_count && !a->closed_count)
		paper_say(paper, "None is open.");
	for (size_t i = 0; i < a->finding_count && i < limit && r >= 0; i++)
		r = put_finding(a, &a->findings[i], paper, err);
	if (a->finding_count > limit)
		paper_say(paper, "... and %zu more; .json has them all.",
		          a->finding_count - limit);
	put_closed(a, paper);
	return r;
}

/* ------------------------------------------------------------- what to do */

static void put_step(const struct acceptance *a, const struct step *step, struct paper *paper)
{
	char about[256] = "", finding[32] = "", settles[96] = "";

	if (step->row >= 0 && (size_t)step->row < a->policy->row_count)
		snprintf(about, sizeof(about), "%s%s",
		         step->who || step->unit < a->unit_count ? ", " : "",
		         a->policy->rows[step->row].id);
	if (step->finding)
		snprintf(finding, sizeof(finding), "%sF%lld",
		         step->who || step->unit < a->unit_count || *about ? ", " : "",
		         (long long)step->finding);
	if (step->proven)
		snprintf(settles, sizeof(settles),
		         " Proven: judged again so, %llu finding%s gone.",
		         (unsigned long long)step->settles,
		         step->settles == 1 ? " is" : "s are");
	paper_item(paper, TONE_PLAIN, "%s%s%s%s%s%s",
	           step->unit < a->unit_count ? a->units[step->unit].name
	           : step->who                ? step->who
	                                      : "",
	           about, finding,
	           *about || *finding || step->who || step->unit < a->unit_count ? ": " : "",
	           step->say, settles);
	if (step->lines && *step->lines)
		paper_lines(paper, step->lines);
}

void report_put_steps(const struct acceptance *a, struct paper *paper)
{
	if (!a->step_count)
		return;
	paper_head(paper, "What to do next");
	for (size_t i = 0; i < a->step_count; i++)
		put_step(a, &a->steps[i], paper);
}

/* ----------------------------------------------------------------- waivers */

static const char *excused(const struct acceptance *a, const struct waiver *waiver, char *buf,
                           size_t size)
{
	uint64_t count = 0;

	*buf = '\0';
	for (size_t i = 0; i < a->finding_count; i++) {
		if (!waiver_excuses(a, waiver, &a->findings[i]))
			continue;
		if (count++ < 12)
			text_add(buf, size, "%sF%lld", *buf ? ", " : "",
			         (long long)a->findings[i].id);
	}
	if (count > 12)
		text_add(buf, size, " and %llu more", (unsigned long long)count - 12);
	return count ? buf : "none";
}

void report_put_waivers(const struct acceptance *a, struct paper *paper)
{
	static const struct paper_column columns[] = {{"OWNER", PAPER_WRAP},
	                                              {"UNTIL", PAPER_WRAP},
	                                              {"REASON", PAPER_WRAP},
	                                              {"EXCUSES", PAPER_WRAP},
	                                              {"SCOPE", PAPER_BELOW}};
	char scope[1024], ids[256];

	paper_head(paper, "Waivers");
	if (!a->policy->waiver_count)
		paper_say(paper, "The site file has none.");
	paper_table(paper, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < a->policy->waiver_count; i++) {
		const struct waiver *waiver = &a->policy->waivers[i];
		bool over = waiver_is_over(a, waiver);

		paper_cell(paper, TONE_PLAIN, "%s", waiver->owner);
		paper_cell(paper, over ? TONE_BAD : TONE_PLAIN, "%s%s", waiver->expires,
		           over ? " EXPIRED" : "");
		paper_cell(paper, TONE_PLAIN, "%s", waiver->reason);
		paper_cell(paper, TONE_PLAIN, "%s", excused(a, waiver, ids, sizeof(ids)));
		paper_cell(paper, TONE_QUIET, "%s",
		           waiver_scope(a->policy, waiver, scope, sizeof(scope)));
		paper_row_end(paper);
	}
	paper_table_end(paper);
}
