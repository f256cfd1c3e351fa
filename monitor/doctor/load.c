/*
 * load.c - was everything read that came? A packet that went by unseen may have been anything, so a check
 * over that time stays undetermined.
 */
#include "monitor/doctor/exam.h"
#include "schema/time.h"

#define DROPPED_PERMILLE 1

static void drop_row(struct exam *exam, const char *what, uint64_t count, uint64_t total,
                     const char *remedy)
{
	char share[SHARE_TEXT];
	struct exam_row *row;

	if (!count)
		return;
	row = exam_add(exam, CHECK_drops,
	               share_is(count, total, DROPPED_PERMILLE) ? EXAM_BAD : EXAM_WARN, what,
	               "%s", share_print(count, total, share));
	exam_count(row, count, total);
	exam_remedy(row, "%s", remedy);
}

/* Of times when nobody looked, beside those that the counts above tell of. */
static void blind_rows(struct exam *exam)
{
	static const enum blind_cause CAUSES[] = {BLIND_SENSOR_DOWN, BLIND_LINK_DOWN};

	for (size_t i = 0; i < ARRAY_LEN(CAUSES); i++) {
		struct exam_row *row;

		if (!exam->blinds[CAUSES[i]])
			continue;
		row = exam_add(exam, CHECK_drops, EXAM_BAD, blind_cause_name(CAUSES[i]),
		               "%llu time%s", (unsigned long long)exam->blinds[CAUSES[i]],
		               exam->blinds[CAUSES[i]] == 1 ? "" : "s");
		exam_remedy(row, "%s; 'tlmon watch' says when, and of what",
		            blind_cause_sentence(CAUSES[i]));
	}
}

/* A file does not say what was dropped before it was written; TCP bytes that never came do. */
static void file_row(struct exam *exam)
{
	const struct counters *counters = &exam->counters;
	struct exam_row *row;

	if (!counters->streams_shed || exam->subject.mirror->one_sided || counters->truncated) {
		exam_add(exam, CHECK_drops, EXAM_UNKNOWN, "", "a file does not say");
		return;
	}
	row = exam_add(exam, CHECK_drops, EXAM_WARN, "", "%llu bytes of TCP never came",
	               (unsigned long long)counters->streams_shed);
	exam_count(row, counters->streams_shed, counters->bytes);
	exam_remedy(
		row,
		"they were lost before the capture was written: its writer, or the mirror, could not "
		"keep up. Look at what dropped them there");
}

void check_drops(struct exam *exam)
{
	const struct counters *counters = &exam->counters;
	size_t before = exam->row_count;

	drop_row(
		exam, "kernel", counters->kernel_dropped, counters->kernel_received,
		"the kernel dropped packets before they were read: fewer flows for one host (a filter behind the "
		"options, a session of fewer ports), or a faster one");
	drop_row(
		exam, "interface", counters->interface_dropped,
		counters->interface_dropped + counters->seen,
		"the card dropped them before any program could see them: 'ethtool -G IF rx 4096' gives it more "
		"room, and 'ethtool -S IF' says more");
	drop_row(exam, "flow table", counters->evicted, counters->flows,
	         "the flow table was full: --flows gives it more room");
	blind_rows(exam);
	if (!exam->subject.live)
		file_row(exam);
	else if (exam->row_count == before)
		exam_count(exam_add(exam, CHECK_drops, EXAM_OK, "", "none"), 0,
		           counters->kernel_received);
}

/* How long was looked, by the packets' own clock. */
static int64_t looked_us(const struct exam *exam)
{
	const struct exam_subject *subject = &exam->subject;
	int64_t sum_us = 0;

	if (subject->live && subject->lasted_us)
		return subject->lasted_us;
	for (size_t i = 0; i < subject->input_count; i++)
		if (subject->inputs[i].first_us)
			sum_us += subject->inputs[i].last_us - subject->inputs[i].first_us;
	return sum_us;
}

void check_load(struct exam *exam)
{
	const struct mirror *mirror = exam->subject.mirror;
	int64_t us = looked_us(exam);
	double seconds = us > SECOND_US ? (double)us / SECOND_US : 1;
	uint64_t dropped = exam->counters.kernel_dropped + exam->counters.interface_dropped;
	char span[TIME_TEXT];
	struct exam_row *row;

	row = exam_add(exam, CHECK_load, dropped ? EXAM_WARN : EXAM_OK, "",
	               "%.0f/s in %s, at most %llu/s, %.1f Mbit/s",
	               (double)mirror->frames / seconds, time_print_span(us, span),
	               (unsigned long long)mirror->peak_packets,
	               (double)mirror->peak_bytes * 8 / 1e6);
	if (dropped)
		exam_remedy(
			row,
			"at that load packets were dropped, see drops; a mirror of more than its port "
			"can carry drops at the switch as well, where nobody counts here");
}
