/*
 * exam.c - see exam.h: the rows, and what follows from all of them. What a run left is read in exam_read.c.
 */
#include "monitor/doctor/exam_read.h"

#include <stdarg.h>

#define X(name, text, help) text,
static const char *const NAMES[] = {CHECKS(X)};
#undef X
#define X(name, text, help) help,
static const char *const HELPS[] = {CHECKS(X)};
#undef X
#define X(name, text, help) check_##name,
static void (*const LOOKS[])(struct exam *exam) = {CHECKS(X)};
#undef X

const char *check_name(enum check check)
{
	return NAMES[check];
}

const char *check_help(enum check check)
{
	return HELPS[check];
}

const char *exam_state_name(enum exam_state state)
{
	static const char *const WORDS[EXAM_STATE_COUNT] = {"ok", "unknown", "warn", "bad"};

	return WORDS[state];
}

/* ----------------------------------------------------------------- rows */

struct exam_row *exam_add(struct exam *exam, enum check check, enum exam_state state,
                          const char *of, const char *seen, ...)
{
	static struct exam_row nobody;
	struct exam_row *row = &nobody;
	va_list args;

	if (array_reserve(&exam->rows, &exam->row_room, exam->row_count + 1, sizeof(*row)) < 0)
		exam->failed = -ENOMEM;
	else
		row = &exam->rows[exam->row_count++];
	*row = (struct exam_row){.check = (uint8_t)check, .state = (uint8_t)state};
	text_copy(row->of, sizeof(row->of), of);
	va_start(args, seen);
	vsnprintf(row->seen, sizeof(row->seen), seen, args);
	va_end(args);
	return row;
}

void exam_remedy(struct exam_row *row, const char *remedy, ...)
{
	va_list args;

	va_start(args, remedy);
	vsnprintf(row->remedy, sizeof(row->remedy), remedy, args);
	va_end(args);
}

void exam_count(struct exam_row *row, uint64_t count, uint64_t total)
{
	row->count = count;
	row->total = total;
}

bool share_is(uint64_t count, uint64_t total, unsigned permille)
{
	return count && (double)count * 1000 >= (double)total * permille;
}

const char *share_print(uint64_t count, uint64_t total, char buf[SHARE_TEXT])
{
	double percent = total ? 100.0 * (double)count / (double)total : 0;

	if (count && percent < 0.05)
		snprintf(buf, SHARE_TEXT, "%llu of %llu (< 0.1 %%)", (unsigned long long)count,
		         (unsigned long long)total);
	else
		snprintf(buf, SHARE_TEXT, "%llu of %llu (%.*f %%)", (unsigned long long)count,
		         (unsigned long long)total, count && count == total ? 0 : 1, percent);
	return buf;
}

/* --------------------------------------------------------------- result */

static uint64_t rows_of(const struct exam *exam, enum exam_state state,
                        const struct exam_row **ret_first)
{
	uint64_t count = 0;

	*ret_first = NULL;
	for (size_t i = 0; i < exam->row_count; i++)
		if (exam->rows[i].state == state && !count++)
			*ret_first = &exam->rows[i];
	return count;
}

bool exam_is_fit(const struct exam *exam)
{
	const struct exam_row *first;

	return !rows_of(exam, EXAM_BAD, &first);
}

static void print_fit(const struct exam *exam, char *buf)
{
	const struct exam_row *first;
	unsigned long long warnings = rows_of(exam, EXAM_WARN, &first);

	if (!exam->subject.policy->unit_count)
		snprintf(buf, EXAM_RESULT, "fit as a mirror; no unit was named to judge by it");
	else
		snprintf(buf, EXAM_RESULT, "fit to judge %zu unit%s by", exam->unit_count,
		         exam->unit_count == 1 ? "" : "s");
	if (warnings)
		text_add(buf, EXAM_RESULT, ", with %llu warning%s", warnings,
		         warnings == 1 ? "" : "s");
}

const char *exam_result(const struct exam *exam, char buf[EXAM_RESULT])
{
	const struct exam_row *first;
	unsigned long long bad = rows_of(exam, EXAM_BAD, &first);

	if (!bad) {
		print_fit(exam, buf);
		return buf;
	}
	snprintf(buf, EXAM_RESULT, "not fit: %s%s%s: %s", check_name(first->check),
	         *first->of ? " of " : "", first->of, first->seen);
	if (bad > 1)
		text_add(buf, EXAM_RESULT, "; and %llu more", bad - 1);
	return buf;
}

/* ----------------------------------------------------------------- all */

/* Where no packet of others came every other check would only say so again. */
static void look(struct exam *exam)
{
	for (unsigned check = 0; check < CHECK_COUNT; check++) {
		LOOKS[check](exam);
		if (check == CHECK_mirror && !exam->subject.mirror->others)
			return;
	}
}

int exam_new(const struct exam_subject *subject, struct exam **ret, struct err *err)
{
	CLEANUP(exam_freep) struct exam *exam = calloc(1, sizeof(*exam));
	int r;

	if (!exam)
		return err_set(err, -ENOMEM, "out of memory");
	exam->subject = *subject;
	r = exam_read(exam, err);
	if (r < 0)
		return r;
	look(exam);
	if (exam->failed)
		return err_set(err, exam->failed, "out of memory");
	*ret = TAKE(exam);
	return 0;
}

void exam_free(struct exam *exam)
{
	if (!exam)
		return;
	free(exam->units);
	free(exam->rows);
	free(exam);
}

void exam_freep(struct exam **exam)
{
	exam_free(*exam);
	*exam = NULL;
}
