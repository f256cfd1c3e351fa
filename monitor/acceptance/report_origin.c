/*
 * report_origin.c - see report_parts.h: what an acceptance was made from, in full, and where it is signed.
 */
#include "monitor/acceptance/report_parts.h"
#include "monitor/commands/query.h"

#define INPUTS_SHOWN 200

struct told {
	const struct acceptance *acceptance;
	struct paper *paper;
	uint64_t count;
};

/* Whether it is of the window. 0: not known. */
static bool is_asked(const struct acceptance *a, int64_t first_us, int64_t last_us)
{
	return !first_us || !a->since_us ||
	       (first_us <= a->until_us && (!last_us || last_us >= a->since_us));
}

static int put_input(void *context, const struct input_row *input, struct err *err)
{
	struct told *told = context;
	char first[TIME_TEXT], last[TIME_TEXT];

	if (!is_asked(told->acceptance, input->first_us, input->last_us) ||
	    told->count++ >= INPUTS_SHOWN)
		return 0;
	paper_fact(told->paper, "file", "%s, %llu bytes, %llu packets, %s to %s%s%s",
	           input->name, (unsigned long long)input->size,
	           (unsigned long long)input->packets, moment_print(input->first_us, first),
	           moment_print(input->last_us, last), input->cut ? "; " : "",
	           input->cut ? input->note : "");
	if (*input->hash)
		paper_fact(told->paper, "", "hash %s", input->hash);
	return 0;
}

static int put_run(void *context, const struct run_view *run, struct err *err)
{
	struct told *told = context;
	char first[TIME_TEXT], last[TIME_TEXT];

	if (!is_asked(told->acceptance, run->first_us, run->last_us) ||
	    told->count++ >= INPUTS_SHOWN)
		return 0;
	paper_fact(told->paper, "run", "%lld, %s %s, %s to %s, %llu packets, tlmon %s%s%s%s",
	           (long long)run->id, run->row.source, run->row.inputs,
	           moment_print(run->first_us, first), moment_print(run->last_us, last),
	           (unsigned long long)run->counters.seen, run->row.version,
	           *run->row.filter ? ", filter '" : "", run->row.filter,
	           *run->row.filter ? "'" : "");
	return 0;
}

static int put_inputs(const struct acceptance *a, struct paper *paper, struct err *err)
{
	struct told runs = {.acceptance = a, .paper = paper}, inputs = runs;
	int r = 0;

	if (a->db)
		r = flowdb_runs(a->db, put_run, &runs, err);
	if (r >= 0 && a->db)
		r = flowdb_inputs(a->db, 0, put_input, &inputs, err);
	if (runs.count > INPUTS_SHOWN)
		paper_say(paper, "... and %llu runs more",
		          (unsigned long long)(runs.count - INPUTS_SHOWN));
	if (inputs.count > INPUTS_SHOWN)
		paper_say(paper, "... and %llu files more",
		          (unsigned long long)(inputs.count - INPUTS_SHOWN));
	return r;
}

static void put_text(struct paper *paper, const char *name, const char *text)
{
	if (!text || !*text || !paper_fold(paper, false, "%s, %zu bytes", name, strlen(text)))
		return;
	paper_lines(paper, text);
	paper_fold_end(paper);
}

int report_put_origin(const struct acceptance *a, struct paper *paper, struct err *err)
{
	const struct policy *policy = a->policy;
	int r;

	paper_head(paper, "Made from");
	if (*a->options.source)
		paper_fact(paper, "judged", "%s", a->options.source);
	r = put_inputs(a, paper, err);
	if (*a->filter)
		paper_fact(paper, "filter", "%s", a->filter);
	paper_fact(paper, "policy", "%s", policy->hash);
	paper_fact(paper, "envelope", "%s", policy->envelope->hash);
	if (*policy->endpoints_date)
		paper_fact(paper, "endpoints", "of %s", policy->endpoints_date);
	paper_fact(paper, "software", "tlmon %s", TLMON_VERSION);
	put_text(paper, "The site file in full", policy->site_text);
	put_text(paper, "The envelope in full", policy->envelope->text);
	paper_head(paper, "Signed");
	paper_blank(paper, "Name");
	paper_blank(paper, "Date");
	paper_blank(paper, "Signature");
	return r;
}
