/*
 * report_paper.c - an acceptance for people, as text and HTML: the result, what it rests on, what limits it. Whoever
 * reads only so far has read nothing that is taken back below. All times are UTC, so that the same run gives
 * the same paper everywhere.
 */
#include "monitor/acceptance/report_parts.h"
#include "monitor/commands/query.h"

#define UNITS_LISTED \
	12 /* more are counted, and stand behind a line where there is such a thing */
#define UNITS_SHOWN 400
#define BLINDS_SHOWN 100

static const char *caps(enum acceptance_result result)
{
	return result == ACCEPTED       ? "ACCEPTED"
	       : result == NOT_ACCEPTED ? "NOT ACCEPTED"
	                                : "UNDETERMINED";
}

/* ------------------------------------------------------------------ result */

static void put_levels(const struct acceptance *a, struct paper *paper)
{
	for (uint8_t level = SEVERITY_LOW; level <= SEVERITY_HIGH; level++) {
		enum acceptance_result result = acceptance_result_at(a, (enum severity)level);
		bool asked = level == a->options.fail_on;

		paper_item(paper, result_tone((uint8_t)result), "%s --fail-on %s%s %s.",
		           asked ? "At" : "With", severity_words(level),
		           asked ? ", as was asked, the result is" : " it would be",
		           result_words(result));
	}
}

static void put_window(const struct acceptance *a, struct paper *paper)
{
	char since[TIME_TEXT], until[TIME_TEXT], span[TIME_TEXT];

	if (*a->options.source)
		paper_fact(paper, "judged", "%s", a->options.source);
	if (a->filtered < a->runs && a->filtered)
		paper_fact(paper, "filter",
		           "'%s', in %llu of %llu runs: there what it lets through was judged, and "
		           "nothing else",
		           a->filter, (unsigned long long)a->filtered,
		           (unsigned long long)a->runs);
	else if (a->filtered)
		paper_fact(paper, "filter",
		           "'%s': what it lets through was judged, and nothing else", a->filter);
	if (a->options.unit)
		paper_fact(paper, "of", "%s alone", a->options.unit);
	if (a->since_us)
		paper_fact(paper, "window", "%s to %s (%s); all times are UTC",
		           moment_print(a->since_us, since), moment_print(a->until_us, until),
		           time_print_span(a->until_us - a->since_us, span));
	if (a->settled_us)
		paper_fact(paper, "", "a recorder goes on: all is written up to %s, and what "
		                      "began later may not be yet",
		           moment_print(a->settled_us, until));
	paper_fact(paper, "packets", "%llu in %llu run%s", (unsigned long long)a->packets,
	           (unsigned long long)a->runs, plural(a->runs));
	paper_fact(paper, "policy", "%.12s", a->policy->hash);
}

static void put_reasons(const struct acceptance *a, struct paper *paper)
{
	if (!a->reason_count && !a->waived)
		return;
	paper_head(paper, a->result == ACCEPTED ? "Beside it" : "Why");
	for (size_t i = 0; i < a->reason_count; i++) {
		const struct acceptance_reason *reason = &a->reasons[i];

		if (reason_holds(a, reason))
			paper_item(paper, result_tone(reason->result), "%s", reason->text);
	}
	for (size_t i = 0; i < a->reason_count; i++)
		if (!reason_holds(a, &a->reasons[i]))
			paper_item(paper, TONE_QUIET, "%s: does not count at --fail-on %s",
			           a->reasons[i].text,
			           severity_words((uint8_t)a->options.fail_on));
	if (a->waived)
		paper_item(paper, TONE_QUIET, "%llu finding%s waived",
		           (unsigned long long)a->waived, a->waived == 1 ? " is" : "s are");
}

/* ------------------------------------------------------ were we looking? */

/* "08:00:01 to 08:00:03 (2.1 s): kernel-drop, 120 packets, eth1: the kernel dropped ..." */
static void put_blind(const struct acceptance *a, const struct acceptance_blind *blind,
                      struct paper *paper)
{
	const struct blind_row *row = &blind->row;
	enum blind_cause cause = (enum blind_cause)row->cause;
	char since[TIME_TEXT], until[TIME_TEXT], span[TIME_TEXT], count[BLIND_COUNT_TEXT];

	blind_count_print(cause, row->count, count);
	paper_item(paper, BIT(cause) & BLIND_UNSEEN ? TONE_BAD : TONE_DOUBT,
	           "%s to %s%s%s%s: %s%s%s%s%s%s%s%s: %s",
	           row->since_us ? clock_print(a, row->since_us, since) : "the beginning",
	           row->until_us ? clock_print(a, row->until_us, until) : "the end",
	           row->since_us && row->until_us ? " (" : "",
	           row->since_us && row->until_us
	                   ? time_print_span(row->until_us - row->since_us, span)
	                   : "",
	           row->since_us && row->until_us ? ")" : "", blind_cause_name(cause),
	           *count ? ", " : "", count, *blind->unit ? ", " : "", blind->unit,
	           *blind->unit ? " alone" : "", *blind->detail ? ", " : "", blind->detail,
	           blind_cause_sentence(cause));
}

static void put_looking(const struct acceptance *a, struct paper *paper)
{
	char span[TIME_TEXT];

	if (a->unrecorded)
		paper_say(paper, "No: nothing was recorded.");
	else if (!a->blind_count && a->unfinished)
		paper_say(paper, "Not to the end: a run broke off.");
	else if (!a->blind_count && a->file_gaps)
		paper_say(paper,
		          "Yes, but for what may lie between one file and the next: %llu gap%s, "
		          "the longest of %s.",
		          (unsigned long long)a->file_gaps, plural(a->file_gaps),
		          time_print_span(a->file_gap_us, span));
	else if (!a->blind_count)
		paper_say(paper,
		          "Yes, all the time: no interval of blindness lies in the window.");
	else if (a->blind_causes & BLIND_UNSEEN)
		paper_say(paper,
		          "Not all the time: packets went by unseen, and any of them may have "
		          "been outside.");
	else if (a->blind_causes & BIT(BLIND_REMOVED))
		paper_say(paper,
		          "Not all of it is here: flows of this time were removed, and a row that only "
		          "they showed to work looks as if it had failed.");
	else if (a->blind_causes & BIT(BLIND_ONE_SIDED))
		paper_say(paper,
		          "Not both ways: the mirror hid one direction of conversations, so of those "
		          "nobody can say that they were answered.");
	else
		paper_say(paper,
		          "Every packet was seen and judged, but not everything could be made "
		          "of them.");
}

static int put_cut(void *context, const struct input_row *input, struct err *err)
{
	if (input->cut)
		paper_item(context, TONE_BAD, "%s: %s; everything before it was judged",
		           input->name, input->note);
	return 0;
}

static int put_blinds(const struct acceptance *a, struct paper *paper, struct err *err)
{
	char filter[FILTER_TEXT];
	int r = 0;

	paper_head(paper, "Were we looking?");
	put_looking(a, paper);
	if (a->filtered)
		paper_item(paper, TONE_DOUBT, "a filter was set: %s", filter_words(a, filter));
	for (size_t i = 0; i < a->blind_count && i < BLINDS_SHOWN; i++)
		put_blind(a, &a->blinds[i], paper);
	if (a->blind_count > BLINDS_SHOWN)
		paper_say(paper, "... and %zu intervals more; .json has them all.",
		          a->blind_count - BLINDS_SHOWN);
	if (a->cuts && a->db)
		r = flowdb_inputs(a->db, 0, put_cut, paper, err);
	return r;
}

/* ------------------------------------------------------------------- units */

/* "room, online; 10.20.0.15; not seen all the time" */
static void add_about(const struct acceptance *a, const struct acceptance_unit *unit, char *buf,
                      size_t size)
{
	const struct envelope *envelope = a->policy->envelope;
	char addr[ADDR_TEXT];

	*buf = '\0';
	for (size_t i = 0; i < envelope->profile_count; i++)
		if (unit->profiles & BIT(i))
			text_add(buf, size, "%s%s", *buf ? ", " : "", envelope->profiles[i].id);
	for (unsigned i = 0; i < unit->address_count; i++)
		text_add(buf, size, "%s%s", i ? ", " : "; ",
		         addr_print(&unit->addresses[i], addr));
	if (unit->blind)
		text_add(buf, size, "; not seen all the time");
}

static void put_unit(const struct acceptance *a, const struct acceptance_unit *unit,
                     struct paper *paper)
{
	const uint64_t counts[] = {unit->documented, unit->outside, unit->blocked,
	                           unit->undetermined, unit->idle_required};
	static const uint8_t tones[] = {TONE_PLAIN, TONE_BAD, TONE_BAD, TONE_DOUBT, TONE_DOUBT};
	char about[1024];

	paper_cell(paper, TONE_PLAIN, "%s", unit->name);
	paper_cell(paper, result_tone(unit->result), "%s",
	           unit->seen ? result_words((enum acceptance_result)unit->result)
	                      : "never seen");
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		paper_cell(paper, counts[i] ? tones[i] : TONE_PLAIN, "%llu",
		           (unsigned long long)counts[i]);
	add_about(a, unit, about, sizeof(about));
	paper_note(paper, "%s", about);
	paper_row_end(paper);
}

static void put_unit_table(const struct acceptance *a, struct paper *paper)
{
	static const struct paper_column columns[] = {
		{"UNIT", PAPER_ABOVE},       {"RESULT", 0},
		{"DOCUMENTED", PAPER_RIGHT}, {"OUTSIDE", PAPER_RIGHT},
		{"BLOCKED", PAPER_RIGHT},    {"UNCERTAIN", PAPER_RIGHT},
		{"OPEN", PAPER_RIGHT},
	};
	size_t i;

	paper_table(paper, columns, ARRAY_LEN(columns));
	for (i = 0; i < a->unit_count && i < UNITS_SHOWN; i++)
		put_unit(a, &a->units[i], paper);
	paper_table_end(paper);
	if (i < a->unit_count)
		paper_say(paper, "... and %zu more; .json has them all.", a->unit_count - i);
	paper_say(paper,
	          "Flows of the window by verdict; open: what is required and was neither "
	          "seen to work nor blocked.");
}

static void put_unit_counts(const struct acceptance *a, struct paper *paper)
{
	uint64_t counts[ACCEPTANCE_UNDETERMINED + 1] = {0};

	for (size_t i = 0; i < a->unit_count; i++)
		counts[a->units[i].result]++;
	paper_say(paper, "%zu units: %llu accepted, %llu not accepted, %llu undetermined.",
	          a->unit_count, (unsigned long long)counts[ACCEPTED],
	          (unsigned long long)counts[NOT_ACCEPTED],
	          (unsigned long long)counts[ACCEPTANCE_UNDETERMINED]);
}

static void put_units(const struct acceptance *a, struct paper *paper)
{
	bool many = a->unit_count > UNITS_LISTED;

	paper_head(paper, "Units");
	if (!a->unit_count)
		paper_say(paper, "No unit was seen.");
	if (many)
		put_unit_counts(a, paper);
	if (many && paper_fold(paper, false, "Each of them")) {
		put_unit_table(a, paper);
		paper_fold_end(paper);
	} else if (a->unit_count) {
		put_unit_table(a, paper);
	}
	for (size_t i = 0; i < a->silent_entries && i < UNITS_LISTED; i++)
		paper_item(paper, TONE_DOUBT, "%s: no host of this entry was seen",
		           a->silent[i]->name);
	if (a->silent_entries > UNITS_LISTED)
		paper_item(paper, TONE_DOUBT, "... nor of %zu entries more",
		           a->silent_entries - UNITS_LISTED);
}

/* ------------------------------------------------------------------- whole */

/* What the others see at once, at the end of a long text. */
static void put_next_level(const struct acceptance *a, struct paper *paper)
{
	uint8_t next = (uint8_t)(a->options.fail_on + 1);
	char line[160];

	if (next > SEVERITY_HIGH)
		snprintf(line, sizeof(line), "--fail-on high is the last level.");
	else
		snprintf(line, sizeof(line), "With --fail-on %s it would be: %s.",
		         severity_words(next),
		         result_words(acceptance_result_at(a, (enum severity)next)));
	paper_lead(paper, result_tone(a->result), "%s%s. %s", caps(a->result), filter_mark(a),
	           line);
}

static int put_all(const struct acceptance *a, struct paper *paper, struct err *err)
{
	char answer[1600];
	int r;

	answer_print(a, answer, sizeof(answer));
	paper_lead(paper, result_tone(a->result), "The result is %s: %s.",
	           result_words(a->result), answer);
	put_levels(a, paper);
	put_window(a, paper);
	put_reasons(a, paper);
	r = put_blinds(a, paper, err);
	if (r < 0)
		return r;
	put_units(a, paper);
	report_put_matrix(a, paper);
	report_put_groups(a, paper);
	report_put_timeline(a, paper);
	r = report_put_findings(a, paper, err);
	if (r < 0)
		return r;
	report_put_steps(a, paper);
	report_put_waivers(a, paper);
	report_put_documented(a, paper);
	r = report_put_origin(a, paper, err);
	if (r >= 0 && !paper_draws(paper))
		put_next_level(a, paper);
	return r;
}

int report_paper(const struct acceptance *acceptance, enum paper_form form, FILE *file,
                 struct err *err)
{
	CLEANUP(paper_freep) struct paper *paper = NULL;
	const char *site = acceptance->policy->site_name;
	char title[512];
	int r;

	snprintf(title, sizeof(title), "%s%s%s%.400s", caps(acceptance->result),
	         filter_mark(acceptance), *site ? ": " : "", site);
	r = paper_new(form, file, title, &paper, err);
	if (r >= 0)
		r = put_all(acceptance, paper, err);
	return r < 0 ? r : paper_end(paper, err);
}
