/*
 * handover.c - see handover.h.
 */
#include "monitor/record/handover.h"
#include "monitor/capture/capture.h"

#include <xxhash.h>

static const struct captured_input *input_at(const struct recorder_options *options,
                                             unsigned at)
{
	return options->input ? options->input(options->context, at) : NULL;
}

/* All that decides which facts come, in which order, and what becomes of them. */
static void reads_fill(struct handover *handover, const struct recorder_options *options)
{
	CLEANUP(freep) char *text = NULL;
	XXH128_canonical_t canonical;

	for (unsigned i = 0; input_at(options, i); i++)
		if (!*input_at(options, i)->mark) /* standard input comes once */
			return;
	if (options->live || !options->input ||
	    asprintf(&text, "%s|%s|%s|%s|%s", options->version, options->policy->hash,
	             options->filter, options->how ? options->how : "", handover->inputs) < 0)
		return;
	XXH128_canonicalFromHash(&canonical, XXH3_128bits(text, strlen(text)));
	for (size_t i = 0; i < sizeof(canonical.digest); i++)
		snprintf(handover->reads + 2 * i, 3, "%02x", canonical.digest[i]);
}

int handover_init(struct handover *handover, const struct recorder_options *options,
                  struct err *err)
{
	size_t size = 0;
	FILE *out = open_memstream(&handover->inputs, &size);
	const struct captured_input *input;

	if (!out)
		return err_set(err, -ENOMEM, "out of memory");
	for (unsigned i = 0; !options->live && (input = input_at(options, i)); i++)
		fprintf(out, "%llu:%s,", (unsigned long long)input->size, input->mark);
	if (fclose(out))
		return err_set(err, -ENOMEM, "out of memory");
	handover->session = options->session;
	reads_fill(handover, options);
	return 0;
}

void handover_release(struct handover *handover)
{
	free(handover->inputs);
	handover->inputs = NULL;
}

/* A file of which a run that died had read a part, and `again` was not said. */
static int refuse_parts(const struct recorder_options *options, bool same, struct err *err)
{
	const struct captured_input *input;

	for (unsigned i = 0; !options->live && (input = input_at(options, i)); i++) {
		int r = flowdb_handover_reads(options->db, input->size, input->mark, err);

		if (r < 0)
			return r;
		if (r)
			return err_set(
				err, -EEXIST,
				"%s: a run that died has read a part of this capture; %s, "
				"--again reads it once more, whole, beside that part",
				input->name,
				same ? "it cannot be gone on with, for its sensor had died too"
				     : "with the same files, policy and options as then it is "
				       "gone on with");
	}
	return 0;
}

/* Of what nobody will go on with any more. */
static int forget(const struct recorder_options *options, struct err *err)
{
	const struct captured_input *input;
	int r = flowdb_handover_forget(options->db, options->session, 0, "", err);

	for (unsigned i = 0; r >= 0 && options->again && (input = input_at(options, i)); i++)
		r = flowdb_handover_forget(options->db, options->session, input->size,
		                           input->mark, err);
	return r;
}

int handover_take(struct handover *handover, const struct recorder_options *options,
                  int64_t *ret_run, struct recorder_sums *sums, struct err *err)
{
	struct handover_row row;
	struct recorder_sums told;
	int r = flowdb_handover_find(options->db, options->session,
	                             options->again ? "" : handover->reads, &row, &told,
	                             sizeof(told), err);

	if (r > 0 && row.session == handover->session && handover->session) {
		ring_forward(options->facts, row.facts);
		ring_forward(options->opinions, row.opinions);
		if (options->control)
			ring_forward(options->control, row.control);
		handover->skip = row.skip;
	} else if (r > 0 && told.handled >= 0) {
		handover->skip = (uint64_t)told.handled;
		told.parted_flow = 0; /* nDPI is asked again of all */
	} else if (r >= 0) {
		bool same = r > 0;

		r = forget(options, err);
		if (r >= 0)
			r = refuse_parts(options, same, err);
		return r < 0 ? r : HANDOVER_NONE;
	}
	if (r < 0)
		return r;
	*ret_run = row.run;
	*sums = told;
	return row.session == options->session && options->session ? HANDOVER_WITHIN
	                                                           : HANDOVER_FILES;
}

int handover_write(const struct handover *handover, const struct recorder_options *options,
                   int64_t run, uint64_t opinions, bool over, const struct recorder_sums *sums,
                   struct err *err)
{
	const struct handover_row row = {
		.run = run,
		.session = handover->session,
		.facts = ring_position(options->facts),
		.opinions = opinions,
		.control = options->control ? ring_position(options->control) : 0,
		.skip = handover->skip,
		.reads = handover->reads,
		.inputs = handover->inputs,
	};

	return over ? flowdb_handover_drop(options->db, run, err)
	            : flowdb_handover_put(options->db, &row, sums, sizeof(*sums), err);
}
