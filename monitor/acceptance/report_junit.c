/*
 * report_junit.c - an acceptance as JUnit XML, as CI servers read it (the schema of Apache Ant's junit task, with `skipped`): a suite a
 * unit, a test case a row. Failures are there exactly where the result is "not accepted", and where it is "undetermined"
 * errors and no failure: a CI server is red or yellow as `tlmon check` ends 1 or 3.
 */
#include "monitor/acceptance/report_parts.h"
#include "monitor/commands/query.h"

enum fate { FATE_PASSED, FATE_FAILED, FATE_ERROR, FATE_SKIPPED, FATE_COUNT };

struct junit {
	const struct acceptance *acceptance;
	FILE *file;
	const char *suite;
	uint64_t counts[FATE_COUNT]; /* of the suite; of all once they are written */
};

/* One test case as it came out. Texts are the caller's. */
struct fared {
	enum fate fate;
	const char *type;            /* of what went wrong */
	char message[CELL_TEXT * 6]; /* "": nothing to say */
};

static void put_attribute(FILE *file, const char *name, const char *value)
{
	fprintf(file, " %s=\"", name);
	html_put(file, value);
	fputc('"', file);
}

static void put_property(FILE *file, const char *name, const char *value)
{
	fputs("      <property", file);
	put_attribute(file, "name", name);
	put_attribute(file, "value", value);
	fputs("/>\n", file);
}

/* `body` may be empty: lines, parted by \n. */
static void put_case(struct junit *junit, const char *name, const struct fared *fared,
                     const char *body)
{
	static const char *const tags[FATE_COUNT] = {
		[FATE_FAILED] = "failure", [FATE_ERROR] = "error", [FATE_SKIPPED] = "skipped"};
	FILE *file = junit->file;
	const char *tag = tags[fared->fate];

	junit->counts[fared->fate]++;
	fputs("    <testcase", file);
	put_attribute(file, "classname", junit->suite);
	put_attribute(file, "name", name);
	fputs(" time=\"0.000\"", file);
	if (!tag && !*fared->message) {
		fputs("/>\n", file);
		return;
	}
	if (!tag) {
		fputs(">\n      <system-out>", file);
		html_put(file, fared->message);
		fputs("</system-out>\n    </testcase>\n", file);
		return;
	}
	fprintf(file, ">\n      <%s", tag);
	if (fared->fate != FATE_SKIPPED)
		put_attribute(file, "type", fared->type);
	put_attribute(file, "message", fared->message);
	fputs(*body ? ">" : "/>", file);
	html_put_lines(file, body);
	if (*body)
		fprintf(file, "</%s>", tag);
	fputs("\n    </testcase>\n", file);
}

/* -------------------------------------------------------------------- rows */

static bool is_of(const struct acceptance_finding *finding, size_t unit, size_t row)
{
	return finding->unit == unit && finding->row == (int)row;
}

/* The findings of a row, a line each, with what would settle them. */
static void add_findings(const struct acceptance *a, size_t unit, size_t row, FILE *body)
{
	for (size_t i = 0; i < a->finding_count; i++) {
		const struct acceptance_finding *finding = &a->findings[i];

		if (is_of(finding, unit, row))
			fprintf(body, "F%lld %s %s%s: %s\n", (long long)finding->id,
			        severity_words(finding->finding.severity),
			        kind_name((enum kind)finding->finding.kind),
			        finding->waived ? " (waived)" : "", finding->finding.reason);
	}
}

static void add_blocks(const struct cell *cell, FILE *body)
{
	char text[CELL_TEXT];

	for (unsigned i = 0; i < cell->block_count; i++)
		fprintf(body, "%s\n", block_print(&cell->blocks[i], text));
}

static void add_steps(const struct acceptance *a, size_t unit, size_t row, FILE *body)
{
	for (size_t i = 0; i < a->step_count; i++)
		if (a->steps[i].unit == unit && a->steps[i].row == (int)row)
			fprintf(body, "next: %s\n", a->steps[i].say);
}

/* It alone keeps the unit from being accepted, whatever --fail-on is: as result.c has it. */
static bool blocks_unit(const struct acceptance *a, const struct acceptance_unit *unit,
                        const struct cell *cell, const struct row *row)
{
	return !(a->blind_causes & BIT(BLIND_REMOVED)) && cell->state == CELL_BLOCKED && row->need == NEED_REQUIRED && !cell->excused &&
	       !cell->waived && unit->result == NOT_ACCEPTED;
}

/* Tried, and nobody can say what came of it: also a block, where flows that may have worked were removed. */
static bool is_uncertain(const struct acceptance *a, const struct cell *cell)
{
	return cell->state == CELL_UNDETERMINED ||
	       (cell->state == CELL_BLOCKED && a->blind_causes & BIT(BLIND_REMOVED));
}

/* All that is wrong with the row is waived. */
static const struct acceptance_finding *waived_by(const struct acceptance *a, size_t unit,
                                                  size_t row)
{
	const struct acceptance_finding *found = NULL;

	for (size_t i = 0; i < a->finding_count; i++) {
		if (!is_of(&a->findings[i], unit, row))
			continue;
		if (!a->findings[i].waived)
			return NULL;
		found = &a->findings[i];
	}
	return found;
}

static struct fared fare(const struct acceptance *a, size_t at, size_t row)
{
	const struct acceptance_unit *unit = &a->units[at];
	const struct cell *cell = &unit->cells[row];
	const struct acceptance_finding *waiver = waived_by(a, at, row);
	struct fared fared = {.type = cell_state_name((enum cell_state)cell->state)};
	char words[CELL_TEXT];

	cell_words(unit, cell, words);
	snprintf(fared.message, sizeof(fared.message), "%s, %s",
	         need_words(&a->policy->rows[row]), words);
	if (cell->refusing || blocks_unit(a, unit, cell, &a->policy->rows[row])) {
		fared.fate = FATE_FAILED;
		if (cell->state == CELL_OK)
			fared.type = "finding";
	} else if (cell->state == CELL_OK) {
		fared.fate = FATE_PASSED;
	} else if (waiver) {
		fared.fate = FATE_SKIPPED;
		text_add(fared.message, sizeof(fared.message), "; waived by %s",
		         waiver->finding.waiver);
	} else if (is_uncertain(a, cell) && unit->result != ACCEPTED) {
		fared.fate = FATE_ERROR;
	} else {
		fared.fate = FATE_SKIPPED;
		if (cell->state == CELL_OUTSIDE || cell->state == CELL_BLOCKED)
			text_add(fared.message, sizeof(fared.message),
			         "; does not refuse at --fail-on %s",
			         severity_words((uint8_t)a->options.fail_on));
	}
	return fared;
}

static int put_row(struct junit *junit, size_t unit, size_t row, struct err *err)
{
	const struct acceptance *a = junit->acceptance;
	const struct fared fared = fare(a, unit, row);
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	FILE *body = open_memstream(&text, &size);

	if (!body)
		return err_set(err, -ENOMEM, "out of memory");
	add_findings(a, unit, row, body);
	add_blocks(&a->units[unit].cells[row], body);
	add_steps(a, unit, row, body);
	if (fclose(body))
		return err_set(err, -ENOMEM, "out of memory");
	put_case(junit, a->policy->rows[row].id, &fared, text);
	return 0;
}

/* ---------------------------------------------------------------- findings */

/* Some row's test case tells of it. */
static bool is_told(const struct acceptance *a, const struct acceptance_finding *finding)
{
	return finding->unit < a->unit_count && finding->row >= 0 &&
	       a->units[finding->unit].cells[finding->row].applies;
}

static void put_finding(struct junit *junit, const struct acceptance_finding *finding)
{
	const struct finding_row *row = &finding->finding;
	struct fared fared = {.fate = finding->refuses ? FATE_FAILED : FATE_SKIPPED,
	                      .type = kind_name((enum kind)row->kind)};
	char name[96];

	snprintf(name, sizeof(name), "finding F%lld %s", (long long)finding->id,
	         kind_name((enum kind)row->kind));
	if (finding->waived)
		snprintf(fared.message, sizeof(fared.message), "waived by %s: %.400s",
		         row->waiver, row->reason);
	else
		snprintf(fared.message, sizeof(fared.message), "%s: %.700s",
		         severity_words(row->severity), row->reason);
	put_case(junit, name, &fared, "");
}

/* Those of a unit, or of what is no listed unit's: its index, or SIZE_MAX. */
static void put_closed(struct junit *junit, size_t unit)
{
	const struct acceptance *a = junit->acceptance;
	const char *suite = junit->suite;

	for (size_t i = 0; i < a->closed_count; i++) {
		const struct acceptance_finding *finding = &a->closed[i].finding;
		const char *kind = kind_name((enum kind)finding->finding.kind);
		struct fared fared = {.fate = FATE_SKIPPED};
		char name[96], words[CLOSED_TEXT];

		if (finding->unit != unit)
			continue;
		snprintf(name, sizeof(name), "finding F%lld %s", (long long)finding->id, kind);
		snprintf(fared.message, sizeof(fared.message), "%.700s",
		         closed_words(&a->closed[i], words));
		if (unit == SIZE_MAX)
			junit->suite = finding->who;
		put_case(junit, name, &fared, "");
		junit->suite = suite;
	}
}

/* ------------------------------------------------------------------- whole */

/* Packets went by unseen: no row's fault. */
static void put_mirror(struct junit *junit)
{
	const struct acceptance *a = junit->acceptance;
	uint32_t unseen = a->blind_causes & (uint32_t)BLIND_UNSEEN;
	struct fared fared = {.type = "blind"};

	for (unsigned cause = BLIND_NONE + 1; cause < BLIND_CAUSE_COUNT; cause++)
		if (unseen & BIT(cause))
			text_add(fared.message, sizeof(fared.message), "%s%s: %s",
			         *fared.message ? "; " : "",
			         blind_cause_name((enum blind_cause)cause),
			         blind_cause_sentence((enum blind_cause)cause));
	if (unseen && a->result != ACCEPTED)
		fared.fate = FATE_ERROR;
	put_case(junit, "mirror", &fared, "");
}

static int put_result(struct junit *junit, struct err *err)
{
	const struct acceptance *a = junit->acceptance;
	struct fared fared = {.fate = a->result == ACCEPTED       ? FATE_PASSED
	                              : a->result == NOT_ACCEPTED ? FATE_FAILED
	                                                          : FATE_ERROR,
	                      .type = acceptance_result_name(a->result)};
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	FILE *body = open_memstream(&text, &size);

	if (!body)
		return err_set(err, -ENOMEM, "out of memory");
	answer_print(a, fared.message, sizeof(fared.message));
	for (size_t i = 0; i < a->reason_count; i++)
		if (reason_holds(a, &a->reasons[i]))
			fprintf(body, "%s: %s\n",
			        result_words((enum acceptance_result)a->reasons[i].result),
			        a->reasons[i].text);
	if (fclose(body))
		return err_set(err, -ENOMEM, "out of memory");
	put_case(junit, "result", &fared, text);
	return 0;
}

static void put_counts(FILE *file, const uint64_t counts[FATE_COUNT])
{
	uint64_t all = 0;

	for (unsigned i = 0; i < FATE_COUNT; i++)
		all += counts[i];
	fprintf(file, " tests=\"%llu\" failures=\"%llu\" errors=\"%llu\"",
	        (unsigned long long)all, (unsigned long long)counts[FATE_FAILED],
	        (unsigned long long)counts[FATE_ERROR]);
}

/* Seconds of the run: what a suite is said to have taken. */
static void put_seconds(const struct acceptance *a, FILE *file)
{
	int64_t us = a->until_us > a->since_us ? a->until_us - a->since_us : 0;

	fprintf(file, " time=\"%lld.%03d\"", (long long)(us / SECOND_US),
	        (int)(us % SECOND_US / 1000));
}

typedef int put_cases(struct junit *junit, const void *which, struct err *err);

/* A suite's counts stand before its cases: these are written first, beside. */
static int put_suite(struct junit *junit, size_t id, const char *name, put_cases *put,
                     const void *which, struct err *err)
{
	const struct acceptance *a = junit->acceptance;
	CLEANUP(freep) char *cases = NULL;
	size_t size = 0;
	struct junit inner = {
		.acceptance = a, .suite = name, .file = open_memstream(&cases, &size)};
	char moment[TIME_TEXT], filter[FILTER_TEXT];
	int r;

	if (!inner.file)
		return err_set(err, -ENOMEM, "out of memory");
	r = put(&inner, which, err);
	if (fclose(inner.file) && r >= 0)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	fputs("  <testsuite", junit->file);
	put_attribute(junit->file, "name", name);
	put_attribute(junit->file, "package", "tlmon");
	fprintf(junit->file, " id=\"%zu\" timestamp=\"%.19s\" hostname=\"localhost\"", id,
	        time_print(a->since_us, moment));
	put_counts(junit->file, inner.counts);
	fprintf(junit->file, " skipped=\"%llu\"",
	        (unsigned long long)inner.counts[FATE_SKIPPED]);
	put_seconds(a, junit->file);
	fputs(">\n    <properties>\n", junit->file);
	put_property(junit->file, "policy", a->policy->hash);
	put_property(junit->file, "software", "tlmon " TLMON_VERSION);
	if (a->filtered) {
		put_property(junit->file, "filter", a->filter);
		put_property(junit->file, "filtered", filter_words(a, filter));
	}
	fputs("    </properties>\n", junit->file);
	fputs(cases, junit->file);
	fputs("    <system-out/>\n    <system-err/>\n  </testsuite>\n", junit->file);
	for (unsigned i = 0; i < FATE_COUNT; i++)
		junit->counts[i] += inner.counts[i];
	return 0;
}

static int put_unit_cases(struct junit *junit, const void *which, struct err *err)
{
	const struct acceptance *a = junit->acceptance;
	size_t unit = *(const size_t *)which;
	int r = 0;

	for (size_t k = 0; k < a->policy->row_count && r >= 0; k++)
		if (a->units[unit].cells[k].applies)
			r = put_row(junit, unit, k, err);
	for (size_t i = 0; i < a->finding_count && r >= 0; i++)
		if (a->findings[i].unit == unit && !is_told(a, &a->findings[i]))
			put_finding(junit, &a->findings[i]);
	put_closed(junit, unit);
	return r;
}

/* What is no listed unit's. */
static int put_other_cases(struct junit *junit, const void *which, struct err *err)
{
	const struct acceptance *a = junit->acceptance;
	const char *suite = junit->suite;

	(void)which;
	for (size_t i = 0; i < a->finding_count; i++)
		if (a->findings[i].unit >= a->unit_count) {
			junit->suite = a->findings[i].who;
			put_finding(junit, &a->findings[i]);
			junit->suite = suite;
		}
	put_closed(junit, SIZE_MAX);
	put_mirror(junit);
	return put_result(junit, err);
}

static int put_suites(struct junit *junit, struct err *err)
{
	const struct acceptance *a = junit->acceptance;
	int r = 0;

	for (size_t i = 0; i < a->unit_count && r >= 0; i++)
		r = put_suite(junit, i, a->units[i].name, put_unit_cases, &i, err);
	if (r >= 0)
		r = put_suite(junit, a->unit_count, "acceptance", put_other_cases, NULL, err);
	return r;
}

int report_junit(const struct acceptance *acceptance, FILE *file, struct err *err)
{
	CLEANUP(freep) char *suites = NULL;
	size_t size = 0;
	struct junit junit = {.acceptance = acceptance, .file = open_memstream(&suites, &size)};
	int r;

	if (!junit.file)
		return err_set(err, -ENOMEM, "out of memory");
	r = put_suites(&junit, err);
	if (fclose(junit.file) && r >= 0)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r < 0)
		return r;
	fputs("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tlmon check\"",
	      file);
	put_counts(file, junit.counts);
	put_seconds(acceptance, file);
	fputs(">\n", file);
	fputs(suites, file);
	fputs("</testsuites>\n", file);
	return stream_end(file, err);
}
