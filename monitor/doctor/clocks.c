/*
 * clocks.c - when was it? A run's clock is that of its packets and never goes back: what is stamped earlier than
 * what came before counts as of then. Files are read one behind the other.
 */
#include "monitor/doctor/exam.h"
#include "schema/time.h"

#define ORDER_US 10000 /* queues of one card, and outputs of a tap, cross by less */
#define BACK_US SECOND_US
#define OVERLAP_US SECOND_US
/* Before and behind them a clock was never set: 2001-09-09 and 2100-01-01. */
#define FIRST_US (1000000000 * SECOND_US)
#define LAST_US (4102444800 * SECOND_US)

static const char *name_of(const struct exam *exam, uint64_t input)
{
	return input < exam->subject.input_count ? exam->subject.inputs[input].name : "";
}

static void back_row(struct exam *exam, const struct mirror_input *input)
{
	bool far = input->back_us >= BACK_US;
	char span[TIME_TEXT];
	struct exam_row *row;

	row = exam_add(exam, CHECK_clock, far ? EXAM_BAD : EXAM_WARN,
	               name_of(exam, input->input), "back by %s, %llu time%s",
	               time_print_span((int64_t)input->back_us, span),
	               (unsigned long long)input->back, input->back == 1 ? "" : "s");
	exam_count(row, input->back, input->frames);
	exam_remedy(
		row,
		far ? "the clock was set, or files were put behind one another in the wrong order: "
		      "set it by NTP and capture anew, or bring the packets into order ('reordercap')"
		    : "packets of several queues or taps cross; by so little that only who spoke first "
		      "may be told wrong. 'reordercap' brings a file into order");
}

static void unset_row(struct exam *exam, const struct mirror_input *input)
{
	bool early = input->first_us < FIRST_US;
	char time[TIME_TEXT];
	struct exam_row *row;

	row = exam_add(exam, CHECK_clock, EXAM_WARN, name_of(exam, input->input), "%s %.10s",
	               early ? "begins" : "ends",
	               time_print(early ? input->first_us : input->last_us, time));
	exam_remedy(
		row,
		"no clock was ever set so: waivers and windows of time mean nothing there. Set the "
		"clock of whoever captures by NTP");
}

/* The same time twice, read one behind the other: each conversation falls in two. */
static size_t overlap_rows(struct exam *exam)
{
	const struct exam_subject *subject = &exam->subject;
	size_t told = 0;

	for (size_t i = 1; !subject->live && i < subject->input_count; i++) {
		const struct exam_input *one = &subject->inputs[i - 1],
					*two = &subject->inputs[i];
		int64_t from_us = one->first_us > two->first_us ? one->first_us : two->first_us;
		int64_t until_us = one->last_us < two->last_us ? one->last_us : two->last_us;
		char span[TIME_TEXT];
		struct exam_row *row;

		if (!one->packets || !two->packets ||
		    two->first_us >= one->last_us - OVERLAP_US)
			continue;
		if (until_us - from_us < OVERLAP_US) {
			row = exam_add(exam, CHECK_clock, EXAM_BAD, two->name,
			               "older than %s, read before", one->name);
			exam_remedy(
				row,
				"files are read in the order in which they are given, a folder in that of "
				"names: give them in that of time");
		} else {
			row = exam_add(exam, CHECK_clock, EXAM_BAD, two->name,
			               "of one time with %s: %s", one->name,
			               time_print_span(until_us - from_us, span));
			exam_remedy(
				row,
				"they are read one behind the other, and conversations fall in two: "
				"'mergecap -w both.pcap %s %s'",
				one->name, two->name);
		}
		told++;
	}
	return told;
}

void check_clock(struct exam *exam)
{
	const struct mirror *mirror = exam->subject.mirror;
	size_t told = overlap_rows(exam);

	for (size_t i = 0; i < MIRROR_INPUTS; i++) {
		const struct mirror_input *input = &mirror->input[i];

		if (!input->frames)
			continue;
		if (input->back && input->back_us >= ORDER_US) {
			back_row(exam, input);
			told++;
		}
		if (input->first_us < FIRST_US || input->last_us > LAST_US) {
			unset_row(exam, input);
			told++;
		}
	}
	/* Of a file it is said above: its own time went back. */
	if (exam->subject.live && exam->blinds[BLIND_CLOCK_STEP]) {
		struct exam_row *row = exam_add(exam, CHECK_clock, EXAM_WARN, "",
		                                "this host's was set meanwhile");

		exam_remedy(
			row,
			"all flows end when this host's clock is set back: let NTP slew it ('chronyc "
			"tracking')");
		told++;
	}
	if (!told)
		exam_add(exam, CHECK_clock, EXAM_OK, "", "goes on");
}
