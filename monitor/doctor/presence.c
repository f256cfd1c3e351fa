/*
 * presence.c - does anything come, and is it a mirror's? A switch port that no mirror ends at shows broadcast and
 * multicast alone: the commonest mistake of all.
 */
#include "monitor/doctor/exam.h"
#include "schema/time.h"

#define SILENT_LIVE_US (30 * SECOND_US)
#define SILENT_FILE_US (300 * SECOND_US)

#define NO_MIRROR \
	"a switch port that is no mirror's shows nothing else: set up a SPAN session with this port as its " \
	"destination, and units' ports (both directions) as its source"

static void nothing_came(struct exam *exam)
{
	const struct exam_subject *subject = &exam->subject;
	char span[TIME_TEXT];
	struct exam_row *row;

	if (!subject->live) {
		row = exam_add(exam, CHECK_mirror, EXAM_BAD, "", "no packet at all");
		exam_remedy(
			row,
			"the capture is empty: was it taken at the mirror's destination, with a "
			"filter that lets packets through?");
		return;
	}
	row = exam_add(exam, CHECK_mirror, EXAM_BAD, "", "no packet in %s",
	               time_print_span(subject->lasted_us, span));
	exam_remedy(
		row,
		"is the session up, and is this port its destination? 'ip -s link show %s' counts "
		"what comes in",
		subject->inputs[0].name);
}

/* Frames came, and none between two others. */
static void no_mirror(struct exam *exam)
{
	const struct mirror *mirror = exam->subject.mirror;
	uint64_t most = 0;
	struct exam_row *row;

	for (uint64_t i = 1; i < mirror->type_count; i++)
		if (mirror->type[i].frames > mirror->type[most].frames)
			most = i;
	if (mirror->frames_unicast > mirror->own && mirror->frames_unicast > mirror->groups &&
	    mirror->type_count) {
		row = exam_add(exam, CHECK_mirror, EXAM_BAD, "",
		               "no IP in %llu frames; most are of type 0x%04x",
		               (unsigned long long)mirror->frames,
		               (unsigned)mirror->type[most].type);
		exam_remedy(
			row,
			"the mirror wraps or encrypts what it copies in a way that is not read here: "
			"let the session copy plain Ethernet, or wrap it in ERSPAN, GRE or VXLAN");
	} else {
		row = exam_add(exam, CHECK_mirror, EXAM_BAD, "",
		               mirror->own
		                       ? "%llu packets: broadcast, multicast and our own alone"
		                       : "%llu packets: broadcast and multicast alone",
		               (unsigned long long)mirror->frames);
		exam_remedy(row, NO_MIRROR);
	}
	exam_count(row, mirror->others, mirror->frames);
}

/* One of several interfaces or files that brought nothing. */
static void idle_inputs(struct exam *exam)
{
	const struct exam_subject *subject = &exam->subject;

	for (size_t i = 0; i < subject->input_count && subject->input_count > 1; i++) {
		struct exam_row *row;

		if (subject->inputs[i].packets)
			continue;
		row = exam_add(exam, CHECK_mirror, subject->live ? EXAM_BAD : EXAM_WARN,
		               subject->inputs[i].name, "no packet");
		exam_remedy(
			row,
			subject->live
				? "of a tap each output shows one direction: is this one plugged in, and up?"
				: "the file holds none");
	}
}

void check_mirror(struct exam *exam)
{
	const struct mirror *mirror = exam->subject.mirror;
	struct exam_row *row;

	if (!mirror->frames) {
		nothing_came(exam);
		return;
	}
	if (!mirror->others) {
		no_mirror(exam);
		return;
	}
	row = exam_add(exam, CHECK_mirror, EXAM_OK, "", "%llu packets, %llu hosts",
	               (unsigned long long)mirror->frames, (unsigned long long)mirror->hosts);
	exam_count(row, mirror->others, mirror->frames);
	if (exam->subject.filter && *exam->subject.filter)
		exam_remedy(row, "all that follows is of what the filter lets through: '%s'",
		            exam->subject.filter);
	idle_inputs(exam);
}

static const struct mirror_input *longest_gap(const struct mirror *mirror)
{
	const struct mirror_input *longest = &mirror->input[0];

	for (size_t i = 1; i < MIRROR_INPUTS; i++)
		if (mirror->input[i].gap_us > longest->gap_us)
			longest = &mirror->input[i];
	return longest;
}

void check_silence(struct exam *exam)
{
	const struct mirror_input *input = longest_gap(exam->subject.mirror);
	int64_t gap_us = (int64_t)input->gap_us, at_us = input->gap_at_us;
	char span[TIME_TEXT], from[TIME_TEXT];
	struct exam_row *row;

	/* A gap ends with a packet; at the end of a run there may be none. */
	if (exam->silent_us > gap_us) {
		gap_us = exam->silent_us;
		at_us = exam->silent_at_us;
	}
	time_print_span(gap_us, span);
	if (gap_us < (exam->subject.live ? SILENT_LIVE_US : SILENT_FILE_US)) {
		exam_add(exam, CHECK_silence, EXAM_OK, "", "%s at the most", span);
		return;
	}
	row = exam_add(exam, CHECK_silence, EXAM_WARN, "", "%s without a packet", span);
	exam_remedy(
		row,
		"from %s on: the mirror was silent, the capture paused, or its clock was set forward. Of "
		"that time nobody can say anything",
		time_print(at_us, from));
}
