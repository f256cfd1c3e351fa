/*
 * doctor_mirror.c - runs what was asked for into a database of its own, and prints what monitor/doctor/ makes of it.
 */
#include "monitor/commands.h"
#include "monitor/commands/doctor.h"
#include "monitor/doctor/exam.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <time.h>

#define FOR_US (30 * SECOND_US)
#define ROWS_TOLD 20 /* in a table, of one check and state */

static const struct out_column COLUMNS[] = {
	{"check", "CHECK", 0},      {"state", "STATE", 0},     {"of", NULL, 0},
	{NULL, "OF", OUT_CUT_NEXT}, {"seen", "SEEN", OUT_CUT}, {"count", NULL, 0},
	{"total", NULL, 0},         {"remedy", NULL, 0},
};

void doctor_checks_print(FILE *file)
{
	for (unsigned check = 0; check < CHECK_COUNT; check++)
		fprintf(file, "  %-12s %s\n", check_name(check), check_help(check));
}

/* ---------------------------------------------------------------- the rows */

static void put_count(struct out *out, uint64_t count, bool known)
{
	if (known)
		out_int(out, (int64_t)count);
	else
		out_null(out);
}

static int put_row(struct out *out, const struct exam_row *row, struct err *err)
{
	static const enum out_paint PAINTS[EXAM_STATE_COUNT] = {OUT_GREEN, OUT_DIM, OUT_YELLOW,
	                                                        OUT_RED};

	out_text(out, check_name(row->check));
	out_text(out, exam_state_name(row->state));
	out_paint(out, PAINTS[row->state]);
	out_text(out, *row->of ? row->of : NULL);
	out_text(out, row->of);
	out_text(out, row->seen);
	put_count(out, row->count, row->total);
	put_count(out, row->total, row->total);
	out_text(out, *row->remedy ? row->remedy : NULL);
	if (*row->remedy)
		out_note(out, row->remedy);
	return out_end(out, err);
}

/* So many rows of the same check and state stand before it. */
static size_t rows_before(const struct exam *exam, size_t at)
{
	size_t count = 0;

	for (size_t i = 0; i < at; i++)
		count += exam->rows[i].check == exam->rows[at].check &&
		         exam->rows[i].state == exam->rows[at].state;
	return count;
}

/* For programs the result is a row as well. */
static int put_result(struct out *out, const struct exam *exam, struct err *err)
{
	char text[EXAM_RESULT];

	out_text(out, "result");
	out_text(out, exam_is_fit(exam) ? "fit" : "not-fit");
	out_null(out);
	out_null(out);
	out_text(out, exam_result(exam, text));
	out_null(out);
	out_null(out);
	out_null(out);
	return out_end(out, err);
}

static int put_exam(const struct exam *exam, enum out_format format, bool wide, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	char text[EXAM_RESULT];
	size_t left = 0;
	int r = out_new(format, stdout, COLUMNS, ARRAY_LEN(COLUMNS), wide, &out, err);

	for (size_t i = 0; !r && i < exam->row_count; i++) {
		if (format == OUT_TABLE && rows_before(exam, i) >= ROWS_TOLD)
			left++;
		else
			r = put_row(out, &exam->rows[i], err);
	}
	if (!r && format != OUT_TABLE)
		r = put_result(out, exam, err);
	if (!r)
		r = out_flush(out, err);
	if (left)
		out_say(out, "%zu lines more of the same kinds: -o jsonl has them all", left);
	out_say(out, "%s", exam_result(exam, text));
	return r ? r : out_finish(out, err);
}

/* ----------------------------------------------------------------- the run */

/* What was run, and lives as long as the exam. */
struct patient {
	struct policy *policy;
	struct capture *capture;
	struct mirror *mirror;
	struct flowdb *db;
	struct run_result *result;
	struct exam_input *inputs;
	size_t input_count;
	int64_t lasted_us;
};

static void patient_release(struct patient *patient)
{
	flowdb_close(patient->db);
	capture_close(patient->capture);
	mirror_free(patient->mirror);
	policy_free(patient->policy);
	free(patient->result);
	free(patient->inputs);
}

/* What this host says itself is no mirror's; unless a unit lives on it. */
static void note_own(struct mirror *mirror, const struct policy *policy)
{
	struct addr own[MIRROR_OWN];
	size_t count = port_own_addresses(own, ARRAY_LEN(own));

	for (size_t i = 0; i < count; i++)
		if (!policy_find_unit(policy, &own[i], NULL))
			mirror->own_addr[mirror->own_count++] = own[i];
}

static int64_t clock_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

static int patient_admit(struct patient *patient, const struct feed *feed,
                         const struct policy_options *words, struct err *err)
{
	int r = policy_options_load(words, &patient->policy, err);

	if (r < 0)
		return r;
	patient->mirror = mirror_new();
	patient->result = calloc(1, sizeof(*patient->result));
	patient->input_count = feed->interface_count ? feed->interface_count : feed->file_count;
	patient->inputs = calloc(patient->input_count, sizeof(*patient->inputs));
	if (!patient->mirror || !patient->result || !patient->inputs)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < feed->interface_count; i++)
		port_look(feed->interfaces[i], &patient->inputs[i].port);
	if (feed->interface_count)
		note_own(patient->mirror, patient->policy);
	return 0;
}

static int patient_run(struct patient *patient, struct feed *feed, struct err *err)
{
	struct run_options options = feed_run(feed);
	int64_t begun_us = clock_us();
	int r = capture_open(&options.capture, &patient->capture, err);

	if (r < 0)
		return r;
	options.policy = patient->policy;
	options.mirror = patient->mirror;
	options.again = true;
	if (options.capture.live && !options.for_us)
		options.for_us = FOR_US;
	r = run(&options, patient->capture, patient->result, &patient->db, err);
	progress_clear();
	patient->lasted_us = clock_us() - begun_us;
	/* An empty capture is an answer too. */
	if (r < 0 && r != -ENODATA)
		return r;
	if (!mirror_is_sound(patient->mirror))
		return err_set(err, -EBADMSG,
		               "what the sensor left of the mirror makes no sense");
	for (size_t i = 0; i < patient->input_count; i++) {
		const struct captured_input *input = capture_input(patient->capture, i);

		patient->inputs[i].name = input->name;
		patient->inputs[i].packets = input->packets;
		patient->inputs[i].first_us = input->first_us;
		patient->inputs[i].last_us = input->last_us;
	}
	return 0;
}

int doctor_mirror(struct feed *feed, const struct policy_options *policy,
                  enum out_format format, bool wide, struct err *err)
{
	CLEANUP(patient_release) struct patient patient = {0};
	CLEANUP(exam_freep) struct exam *exam = NULL;
	int r = patient_admit(&patient, feed, policy, err);

	if (r >= 0)
		r = patient_run(&patient, feed, err);
	if (r >= 0) {
		const struct exam_subject subject = {
			.policy = patient.policy,
			.mirror = patient.mirror,
			.db = patient.db,
			.strangers = &patient.result->strangers,
			.inputs = patient.inputs,
			.input_count = patient.input_count,
			.filter = feed->filter,
			.live = feed->interface_count > 0,
			.lasted_us = patient.lasted_us,
		};

		r = exam_new(&subject, &exam, err);
	}
	if (r >= 0)
		r = put_exam(exam, format, wide, err);
	if (r < 0)
		return log_err(err);
	return exam_is_fit(exam) ? EXIT_FINE : EXIT_NO;
}
