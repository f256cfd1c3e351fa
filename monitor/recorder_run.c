/*
 * recorder_run.c - see recorder_parts.h: which run is recorded. A new one, once per program; or the one that a
 * recorder, or a whole program, died of, from behind its last commit.
 */
#include "monitor/capture/capture.h"
#include "monitor/record/learn.h"
#include "monitor/recorder_parts.h"

/* Files that some run has read already: twice the same packets would be counted twice. */
static int inputs_are_new(const struct recorder *recorder, struct err *err)
{
	const struct recorder_options *options = &recorder->options;
	const struct captured_input *input;

	for (unsigned i = 0; options->input && !options->again &&
	                     (input = options->input(options->context, i));
	     i++) {
		int r = !input->size ? 0
		                     : flowdb_has_input(options->db, input->size, NULL, err);

		/* To know its hash now it has to be read twice. */
		if (r > 0)
			r = options->hash(options->context, i, err);
		if (r >= 0 && *input->hash)
			r = flowdb_has_input(options->db, input->size, input->hash, err);
		if (r < 0)
			return r;
		if (r)
			return err_set(
				err, -EEXIST,
				"%s: the database holds this capture already (same size and content); "
				"--again reads it once more",
				input->name);
	}
	return 0;
}

/* From the last sign of life of the live run before until this one nobody was looking. */
static int note_absence(struct recorder *recorder, struct err *err)
{
	struct blind_row row = {.cause = BLIND_NOT_RUNNING,
	                        .until_us = recorder->options.begun_us,
	                        .detail = ""};
	bool ended = true;
	int r = flowdb_live_last(recorder->options.db, &row.since_us, &ended, err);

	if (r <= 0 || row.since_us >= row.until_us)
		return r < 0 ? r : 0;
	if (!ended)
		row.detail = "it died: flows that were open then may have no row";
	return blinds_note(recorder->blinds, recorder->options.db, 0, &row, err);
}

/* In a database that was begun anew while we looked: from where the one before ends. */
static int64_t begun_us(const struct recorder *recorder)
{
	const struct recorder_options *options = &recorder->options;

	return options->live && recorder->sums.last_us && recorder->sums.last_us < options->begun_us
	               ? recorder->sums.last_us
	               : options->begun_us;
}

static int run_new(struct recorder *recorder, struct err *err)
{
	const struct recorder_options *options = &recorder->options;
	char roles_unknown[512];
	struct run_row run = {
		.version = options->version,
		.source = options->source,
		.inputs = options->inputs,
		.filter = options->filter,
		.roles_unknown = roles_unknown,
		.begun_us = begun_us(recorder),
		.keep = options->policy->keep,
	};
	int r = inputs_are_new(recorder, err);

	policy_roles_unknown(options->policy, roles_unknown, sizeof(roles_unknown));
	if (r >= 0)
		r = flowdb_blind_end(options->db, 0, err);
	if (r >= 0 && options->live)
		r = note_absence(recorder, err);
	if (r >= 0)
		r = flowdb_run_begin(options->db, &run, &recorder->desk.run, err);
	if (r >= 0)
		r = units_list(recorder->units, options->db, err);
	return r;
}

/* In the place of a dead one: what it had noted of blindness, leases, names and losses. */
static int run_resume(struct recorder *recorder, struct err *err)
{
	struct flowdb *db = recorder->options.db;
	int64_t run = recorder->desk.run;
	int r = blinds_load(recorder->blinds, db, run, err);

	recorder->committed = recorder->sums;
	recorder->desk.resumed_flow = recorder->sums.latest_flow;
	recorder->desk.resumed_parted = recorder->sums.parted_flow;

	losses_resume(&recorder->losses, &recorder->sums.counters, recorder->sums.last_us,
	              blinds_meets(recorder->blinds, BLIND_MIRROR_SILENT, 0, INT64_MAX, INT64_MAX));
	if (r >= 0 && recorder->goes_on == HANDOVER_WITHIN && !recorder->options.waited)
		r = flowdb_run_restarts(db, run, &(struct restarts){.recorder = 1}, err);
	if (r >= 0)
		r = learn_again(&recorder->desk, err);
	return r < 0 ? r : desk_read_held(&recorder->desk, err);
}

int recorder_run_begin(struct recorder *recorder, struct err *err)
{
	const struct recorder_options *options = &recorder->options;
	const struct policy *policy = options->policy;
	int r = flowdb_begin(options->db, err);

	if (r < 0)
		return r;
	recorder->begun = true;
	/* A database that was removed under its writer knows of none: a run begins there anew. */
	r = handover_take(&recorder->handover, options, &recorder->desk.run, &recorder->sums, err);
	if (r >= 0) {
		recorder->goes_on = (enum handover_kind)r;
		r = r != HANDOVER_NONE ? run_resume(recorder, err) : run_new(recorder, err);
	}
	if (r >= 0)
		r = flowdb_policy_put(options->db, policy->hash, policy->envelope->text,
		                      policy->site_text, &recorder->desk.policy_id, err);
	if (r >= 0 && recorder->goes_on == HANDOVER_NONE)
		r = flowdb_policy_use(options->db,
		                      &(struct policy_use_row){.policy = recorder->desk.policy_id,
		                                               .from_us = options->live ? options->begun_us : 0,
		                                               .run = recorder->desk.run},
		                      err);
	if (r >= 0 && options->note)
		r = blinds_note(recorder->blinds, options->db, recorder->desk.run, options->note,
		                err);
	/* It is on record at once that we look, and a successor finds its run. */
	if (r >= 0)
		r = recorder_commit(recorder, true, err);
	return r;
}
