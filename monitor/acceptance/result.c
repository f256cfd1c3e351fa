/*
 * result.c - see acceptance.h: from rows, findings and what could not be seen to a result, as README.md, "Acceptance",
 * has it in a table. Each line of that table is a function, in the same order: here, and of rows in result_rows.c. Pure: no
 * database is asked.
 */
#include "monitor/acceptance/result_parts.h"
#include "schema/time.h"

/*
 * What was not seen, or of whom nobody knows: nothing else on record shows that all was documented. During the other causes
 * every flow was judged (README.md); they keep the result open only through a row that was not seen to work.
 */
#define UNSETTLING \
	(BLIND_UNSEEN | BIT(BLIND_CLOCK_STEP) | BIT(BLIND_MAC_SHARED) | BIT(BLIND_SET_ASIDE) | \
	 BIT(BLIND_REMOVED))

const char *acceptance_result_name(enum acceptance_result result)
{
	static const char *const names[] = {
		[ACCEPTED] = "accepted",
		[NOT_ACCEPTED] = "not-accepted",
		[ACCEPTANCE_UNDETERMINED] = "undetermined",
	};

	return (unsigned)result < ARRAY_LEN(names) ? names[result] : NULL;
}

static const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* ----------------------------------------------------------------- reasons */

int result_reason(struct acceptance *a, enum acceptance_result result, uint8_t severity,
                  const char *text, struct err *err)
{
	char *copy = strdup(text);

	if (!copy || array_reserve(&a->reasons, &a->reason_room, a->reason_count + 1,
	                           sizeof(*a->reasons)) < 0) {
		free(copy);
		return err_set(err, -ENOMEM, "out of memory");
	}
	a->reasons[a->reason_count++] = (struct acceptance_reason){
		.result = (uint8_t)result, .severity = severity, .text = copy};
	return 0;
}

static int undetermined(struct acceptance *a, const char *text, struct err *err)
{
	return result_reason(a, ACCEPTANCE_UNDETERMINED, SEVERITY_NONE, text, err);
}

/* ------------------------------------------------------------ not accepted */

/* Where no unit was seen, what hosts on no list do says nothing of them. */
static bool says_something(const struct acceptance *a, const struct acceptance_finding *finding)
{
	if (finding->unit != SIZE_MAX)
		return true;
	for (size_t i = 0; i < a->unit_count; i++)
		if (a->units[i].seen)
			return true;
	return false;
}

static int judge_findings(struct acceptance *a, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < a->finding_count; i++)
		a->findings[i].refuses &= says_something(a, &a->findings[i]);
	for (uint8_t severity = SEVERITY_HIGH; severity >= SEVERITY_LOW && r >= 0; severity--) {
		uint64_t count = 0;
		char text[REASON_TEXT];

		for (size_t i = 0; i < a->finding_count; i++)
			count += !a->findings[i].waived &&
			         a->findings[i].finding.severity == severity &&
			         says_something(a, &a->findings[i]);
		if (!count)
			continue;
		snprintf(text, sizeof(text), "%llu open finding%s of severity %s",
		         (unsigned long long)count, plural(count), severity_name(severity));
		r = result_reason(a, NOT_ACCEPTED, severity, text, err);
	}
	return r;
}

/* ------------------------------------------------------------ undetermined */

static bool is_empty_window(const struct acceptance *a)
{
	return !a->unrecorded && a->until_us <= a->since_us;
}

/* Its end is so near to now that not every flow of it has a row. */
static bool is_young(const struct acceptance *a)
{
	return a->settled_us && a->until_us > a->settled_us;
}

static int judge_window(struct acceptance *a, struct err *err)
{
	if (a->unrecorded && (a->options.since_us || a->options.until_us))
		return undetermined(a, "nothing was recorded in the window", err);
	if (a->unrecorded)
		return undetermined(a, "nothing was recorded: there is no packet at all", err);
	if (is_empty_window(a))
		return undetermined(a, "the window has no length: nothing can be seen in it",
		                    err);
	return 0;
}

/* Of whom nothing is documented nothing is required: that is no reason to accept it. */
static int judge_profiles(struct acceptance *a, struct err *err)
{
	struct names names = {0};
	char text[REASON_TEXT] = "no documented row is of any profile of: ";

	for (size_t i = 0; i < a->unit_count; i++)
		if (!a->units[i].profiles)
			names_add(&names, a->units[i].name);
	names_put(&names, text, sizeof(text));
	return names.count ? undetermined(a, text, err) : 0;
}

static int judge_entries(struct acceptance *a, struct err *err)
{
	struct names names = {0};
	char text[REASON_TEXT];

	if (!a->silent_entries)
		return 0;
	for (size_t i = 0; i < a->silent_entries; i++)
		names_add(&names, a->silent[i]->name);
	snprintf(text, sizeof(text), "of %zu entr%s of the list of units no host was seen: ",
	         a->silent_entries, a->silent_entries == 1 ? "y" : "ies");
	names_put(&names, text, sizeof(text));
	return undetermined(a, text, err);
}

static int judge_units(struct acceptance *a, struct err *err)
{
	struct names names = {0};
	char text[REASON_TEXT] = "no packet of a listed unit was seen: ";
	int r = 0;

	if (!a->unit_count)
		r = undetermined(a, "no unit was seen", err);
	for (size_t i = 0; i < a->unit_count; i++)
		if (!a->units[i].seen)
			names_add(&names, a->units[i].name);
	names_put(&names, text, sizeof(text));
	if (r >= 0 && names.count)
		r = undetermined(a, text, err);
	if (r >= 0)
		r = judge_profiles(a, err);
	return r < 0 ? r : judge_entries(a, err);
}

static void add_whys(uint32_t whys, char *buf, size_t size)
{
	const char *before = " (";

	for (unsigned why = WHY_NONE + 1; why <= WHY_NO_INSPECTOR; why++)
		if (whys & BIT(why)) {
			text_add(buf, size, "%s%s", before, why_name((enum why)why));
			before = ", ";
		}
	if (*before == ',')
		text_add(buf, size, ")");
}

static int judge_undetermined(struct acceptance *a, struct err *err)
{
	struct names names = {0};
	char text[REASON_TEXT];
	uint64_t flows = 0;
	uint32_t whys = 0;

	for (size_t i = 0; i < a->unit_count; i++)
		if (a->units[i].undetermined) {
			names_add(&names, a->units[i].name);
			flows += a->units[i].undetermined;
			whys |= a->units[i].undetermined_whys;
		}
	if (!flows)
		return 0;
	snprintf(text, sizeof(text), "%llu flow%s nothing certain can be said of",
	         (unsigned long long)flows, plural(flows));
	add_whys(whys, text, sizeof(text));
	text_add(text, sizeof(text), ": ");
	names_put(&names, text, sizeof(text));
	return undetermined(a, text, err);
}

static int judge_policies(struct acceptance *a, struct err *err)
{
	char text[REASON_TEXT];

	if (!a->other_policies)
		return 0;
	snprintf(
		text, sizeof(text),
		"%llu flow%s judged by another policy than %.12s: 'tlmon rejudge' judges all by one",
		(unsigned long long)a->other_policies,
		a->other_policies == 1 ? " was" : "s were", a->policy->hash);
	return undetermined(a, text, err);
}

static int judge_blinds(struct acceptance *a, struct err *err)
{
	int r = 0;

	for (unsigned cause = BLIND_NONE + 1; cause < BLIND_CAUSE_COUNT && r >= 0; cause++) {
		uint64_t count = 0;
		char text[REASON_TEXT];

		for (size_t i = 0; i < a->blind_count; i++)
			count += a->blinds[i].row.cause == cause;
		/* It is all of the window, and was said. */
		if (!count || !(UNSETTLING & BIT(cause)) ||
		    (cause == BLIND_NOT_RUNNING && a->unrecorded))
			continue;
		snprintf(text, sizeof(text), "%s: %s (%llu interval%s)",
		         blind_cause_name((enum blind_cause)cause),
		         blind_cause_sentence((enum blind_cause)cause),
		         (unsigned long long)count, plural(count));
		r = undetermined(a, text, err);
	}
	return r;
}

/* Runs that broke off, and one that goes on: what they saw is not all on record. */
static int judge_runs(struct acceptance *a, struct err *err)
{
	char text[REASON_TEXT], time[TIME_TEXT];
	int r = 0;

	if (a->unfinished && a->unfinished_run == a->options.running) {
		snprintf(text, sizeof(text), "run %lld is not over: its files are still being read",
		         (long long)a->unfinished_run);
		r = undetermined(a, text, err);
	} else if (a->unfinished) {
		snprintf(text, sizeof(text),
		         "%srun %lld died%s%.19s%s, or this is a copy from while it ran: not all "
		         "that it was to see is on record",
		         a->unfinished > 1 ? "runs broke off; the last, " : "",
		         (long long)a->unfinished_run, a->unfinished_us ? " at " : " early",
		         a->unfinished_us ? time_print(a->unfinished_us, time) : "",
		         a->unfinished_us ? "Z" : "");
		r = undetermined(a, text, err);
	}
	if (r < 0 || !is_young(a))
		return r;
	snprintf(text, sizeof(text),
	         "a recorder goes on: what began after %.19sZ may not be written yet",
	         time_print(a->settled_us, time));
	return undetermined(a, text, err);
}

/* Counters are of whole runs: of a window the intervals tell. */
static bool counters_tell(const struct acceptance *a, enum blind_cause cause)
{
	return !a->options.since_us && !a->options.until_us && !(a->blind_causes & BIT(cause));
}

static int judge_losses(struct acceptance *a, struct err *err)
{
	char text[REASON_TEXT];
	int r = 0;

	if (a->cuts) {
		snprintf(text, sizeof(text),
		         "%llu file%s in the middle: what came after is not there",
		         (unsigned long long)a->cuts, a->cuts == 1 ? " ends" : "s end");
		r = undetermined(a, text, err);
	}
	if (r >= 0 && a->counters.kernel_dropped && counters_tell(a, BLIND_KERNEL_DROP)) {
		snprintf(text, sizeof(text), "the kernel dropped %llu packet%s",
		         (unsigned long long)a->counters.kernel_dropped,
		         plural(a->counters.kernel_dropped));
		r = undetermined(a, text, err);
	}
	if (r >= 0 && a->counters.evicted && counters_tell(a, BLIND_EVICTED)) {
		snprintf(text, sizeof(text), "the flow table was full: %llu flow%s ended early",
		         (unsigned long long)a->counters.evicted, plural(a->counters.evicted));
		r = undetermined(a, text, err);
	}
	return r;
}

/* -------------------------------------------------------------------- unit */

static bool is_unsettled(const struct acceptance *a, const char *unit)
{
	if (a->unrecorded || is_empty_window(a) || a->cuts || a->unfinished || is_young(a) ||
	    (a->counters.kernel_dropped && counters_tell(a, BLIND_KERNEL_DROP)) ||
	    (a->counters.evicted && counters_tell(a, BLIND_EVICTED)))
		return true;
	for (size_t i = 0; i < a->blind_count; i++)
		if (UNSETTLING & BIT(a->blinds[i].row.cause) &&
		    (!*a->blinds[i].unit || !strcmp(a->blinds[i].unit, unit)))
			return true;
	return false;
}

static bool is_refused(const struct acceptance *a, size_t unit)
{
	for (size_t i = 0; i < a->finding_count; i++)
		if (a->findings[i].unit == unit && a->findings[i].refuses)
			return true;
	return false;
}

static void judge_unit(struct acceptance *a, size_t at)
{
	struct acceptance_unit *unit = &a->units[at];
	bool blocked = result_unit_blocked(a, unit);

	if (blocked || is_refused(a, at))
		unit->result = NOT_ACCEPTED;
	else if (!unit->seen || !unit->profiles || unit->idle_required || unit->undetermined ||
	         unit->other_policies || is_unsettled(a, unit->name))
		unit->result = ACCEPTANCE_UNDETERMINED;
	else
		unit->result = ACCEPTED;
}

/* ------------------------------------------------------------------- whole */

enum acceptance_result acceptance_result_at(const struct acceptance *acceptance,
                                            enum severity fail_on)
{
	enum acceptance_result result = ACCEPTED;

	for (size_t i = 0; i < acceptance->reason_count; i++) {
		const struct acceptance_reason *reason = &acceptance->reasons[i];

		if (reason->severity != SEVERITY_NONE && reason->severity < fail_on)
			continue;
		if (reason->result == NOT_ACCEPTED)
			return NOT_ACCEPTED;
		result = (enum acceptance_result)reason->result;
	}
	return result;
}

int acceptance_judge(struct acceptance *acceptance, struct err *err)
{
	static int (*const judges[])(struct acceptance * acceptance, struct err * err) = {
		result_blocked,      judge_findings, judge_window, judge_units,  result_open,
		judge_undetermined, judge_policies, judge_blinds, judge_runs,   judge_losses,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(judges) && r >= 0; i++)
		r = judges[i](acceptance, err);
	if (r < 0)
		return r;
	for (size_t i = 0; i < acceptance->unit_count; i++)
		judge_unit(acceptance, i);
	acceptance->result = acceptance_result_at(acceptance, acceptance->options.fail_on);
	return 0;
}
