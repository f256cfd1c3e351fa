/*
 * suggestion.c - see suggestion.h. The corridor: each step is one walk over the recorded flows of the candidates, judged
 * under what the steps before have found, loaded from the very text that is proposed in the end.
 */
#include "monitor/suggest/parts.h"
#include "monitor/commands/query.h"
#include "rules/recorded.h"

#include <ctype.h>

#define ASKED_AT_ONCE \
	90 /* units of one query (schema/flowdb_query.c); of more all flows are read */

void trace_add(struct trace *trace, const struct flow_view *flow)
{
	const struct flow_facts *facts = &flow->facts;
	const struct endpoint *local = &facts->end[flow->local],
			      *remote = &facts->end[!flow->local];
	char here[END_TEXT], there[END_TEXT];

	/* Flows come in the order they began, but of some candidates before those of others. */
	if (trace->flows++ && (facts->first_us > trace->first_us ||
	                       (facts->first_us == trace->first_us && flow->id > trace->flow)))
		return;
	trace->first_us = facts->first_us;
	trace->flow = flow->id;
	snprintf(trace->what, sizeof(trace->what), "%s %s %s %s",
	         transport_name(facts->transport), end_print(local, facts->transport, here),
	         facts->initiator > 1              ? "<>"
	         : facts->initiator == flow->local ? ">"
	                                           : "<",
	         end_print(remote, facts->transport, there));
}

bool is_host_name(const char *text)
{
	if (!strchr(text, '.') || strlen(text) > 253)
		return false;
	for (; *text; text++)
		if (!isalnum((unsigned char)*text) && *text != '-' && *text != '.' &&
		    *text != '_')
			return false;
	return true;
}

void suggestion_free(struct suggestion *suggestion)
{
	if (!suggestion)
		return;
	for (size_t i = 0; i < suggestion->candidate_count; i++)
		free(suggestion->candidates[i].sentence);
	free(suggestion->candidates);
	free(suggestion->holders);
	free(suggestion);
}

void suggestion_freep(struct suggestion **suggestion)
{
	suggestion_free(*suggestion);
	*suggestion = NULL;
}

size_t suggestion_fresh(const struct suggestion *suggestion)
{
	size_t fresh = 0;

	for (size_t i = 0; i < suggestion->candidate_count; i++)
		fresh += !suggestion->candidates[i].listed;
	return fresh;
}

/* ------------------------------------------------------------- as a policy */

/* The site file in force, as it was recorded, with the files it names; false: there is none, or (*ret) it failed. */
static bool site_in_force(const struct suggestion *suggestion, struct folder *folder,
                          const char **ret_words, int *ret, struct err *err)
{
	const struct policy *in_force = suggestion->options.in_force;

	*ret = in_force ? recorded_read(in_force->site_text, folder, ret_words, err) : 0;
	return *ret >= 0 && in_force && folder->count;
}

int suggestion_write(const struct suggestion *suggestion, FILE *file, struct err *err)
{
	CLEANUP(folder_release) struct folder folder = {.count = 0};
	const char *words;
	int r;

	if (site_in_force(suggestion, &folder, &words, &r, err))
		return site_merge(suggestion, folder.files[0].name, folder.files[0].text,
		                  folder.files[0].len, file, err);
	if (r >= 0)
		site_write(suggestion, file);
	return r;
}

static int print_site(const struct suggestion *suggestion, char **ret_text, size_t *ret_len,
                      struct err *err)
{
	FILE *file = open_memstream(ret_text, ret_len);
	int r;

	if (!file)
		return err_set(err, -ENOMEM, "out of memory");
	r = suggestion_write(suggestion, file, err);
	if (fclose(file) && r >= 0)
		r = err_set(err, -ENOMEM, "out of memory");
	return r;
}

/* What is proposed so far, beside the files that the site file in force names. */
static int load_policy(const struct suggestion *suggestion, struct policy **ret_policy,
                       struct err *err)
{
	CLEANUP(folder_release) struct folder folder = {.count = 0};
	CLEANUP(text_file_release) struct text_file site = {0};
	CLEANUP(freep) char *text = NULL, *record = NULL;
	struct policy_args args = {.envelope = suggestion->options.envelope};
	const char *words = "";
	size_t len, record_len;
	FILE *out;
	int r = print_site(suggestion, &text, &len, err);

	if (r < 0)
		return r;
	if (!site_in_force(suggestion, &folder, &words, &r, err)) {
		args.site_path = "the suggested site file";
		args.site_text = text;
		args.site_text_len = len;
		return r < 0 ? r : policy_load(&args, ret_policy, err);
	}
	r = text_file_of(folder.files[0].name, text, len, &site, err);
	out = r < 0 ? NULL : open_memstream(&record, &record_len);
	if (!out)
		return r < 0 ? r : err_set(err, -ENOMEM, "out of memory");
	recorded_put(out, &site);
	for (size_t i = 1; i < folder.count; i++)
		recorded_put(out, &folder.files[i]);
	fputs(words, out);
	if (fclose(out))
		return err_set(err, -ENOMEM, "out of memory");
	args.recorded_site = record;
	return policy_load(&args, ret_policy, err);
}

/* ------------------------------------------------------------------ walking */

struct walk {
	struct suggestion *suggestion;
	struct policy *policy;
	struct history *history;
	int *candidates; /* by place of the policy's units; -1: none, or to be looked for by name */
	void *context;
	void (*each)(struct suggestion *suggestion, void *context, size_t candidate,
	             const struct flow_view *flow, const struct past *past);
};

static int walk_begin(struct walk *walk, struct err *err)
{
	const struct policy *policy = walk->policy;

	walk->candidates = calloc(policy->unit_count + 1, sizeof(*walk->candidates));
	if (!walk->candidates)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < policy->unit_count; i++)
		walk->candidates[i] = candidate_named(walk->suggestion, policy->units[i].name);
	return 0;
}

/* An entry for many hosts has as many names. */
static int candidate_of(const struct walk *walk, const struct past *past)
{
	const struct unit_rule *rule = past->view.unit;

	return rule->many ? candidate_named(walk->suggestion, past->unit)
	                  : walk->candidates[rule - walk->policy->units];
}

static int walk_one(void *context, const struct flow_view *flow, struct err *err)
{
	struct walk *walk = context;
	struct past past;
	int candidate;

	(void)err;
	if (!history_judge(walk->history, flow, &past))
		return 0;
	candidate = candidate_of(walk, &past);
	if (candidate >= 0)
		walk->each(walk->suggestion, walk->context, (size_t)candidate, flow, &past);
	return 0;
}

/* Of a census there are flows of everybody: only those at the candidates' addresses are read, some at once. */
static int walk_census(struct walk *walk, struct err *err)
{
	const struct suggestion *suggestion = walk->suggestion;
	char texts[ASKED_AT_ONCE][ADDR_TEXT];
	const char *units[ASKED_AT_ONCE + 1];
	size_t count = 0;
	int r = 0;

	for (size_t i = 0; i < suggestion->candidate_count && r >= 0; i++) {
		const struct candidate *candidate = &suggestion->candidates[i];

		for (unsigned a = 0; a < candidate->address_count; a++, count++)
			units[count] = addr_print(&candidate->address[a], texts[count]);
		if (i + 1 < suggestion->candidate_count &&
		    count + CANDIDATE_ADDRESSES_MAX <= ASKED_AT_ONCE)
			continue;
		units[count] = NULL;
		r = flowdb_flows(
			suggestion->options.db,
			&(struct flow_query){.unit = units[0], .more_units = units + 1},
			walk_one, walk, err);
		count = 0;
	}
	return r;
}

/* All flows of candidates under what is proposed so far. */
static int walk_all(struct walk *walk, struct err *err)
{
	const struct suggestion_options *options = &walk->suggestion->options;
	int r = load_policy(walk->suggestion, &walk->policy, err);

	if (r >= 0)
		r = walk_begin(walk, err);
	if (r >= 0)
		r = history_new(options->db, walk->policy, NULL, &walk->history, err);
	if (r >= 0)
		r = options->recorded
		            ? flowdb_flows(options->db, &options->window, walk_one, walk, err)
		            : walk_census(walk, err);
	history_free(walk->history);
	policy_free(walk->policy);
	free(walk->candidates);
	return r;
}

/* ------------------------------------------------------------------- steps */

static void note_holders(struct suggestion *suggestion, void *context, size_t candidate,
                         const struct flow_view *flow, const struct past *past)
{
	holders_note(suggestion, *(enum holders_pass *)context, flow, past);
}

static int find_holders(struct suggestion *suggestion, enum holders_pass pass, struct err *err)
{
	struct walk walk = {.suggestion = suggestion, .context = &pass, .each = note_holders};
	int r = walk_all(&walk, err);

	return r < 0 ? r : holders_settle(suggestion, pass, err);
}

static void note_profiles(struct suggestion *suggestion, void *context, size_t candidate,
                          const struct flow_view *flow, const struct past *past)
{
	profiles_note(context, candidate, flow, past);
}

static int find_profiles(struct suggestion *suggestion, struct err *err)
{
	struct profiles_reading *reading = profiles_new(suggestion);
	struct walk walk = {
		.suggestion = suggestion, .context = reading, .each = note_profiles};
	int r = reading ? walk_all(&walk, err) : err_set(err, -ENOMEM, "out of memory");

	if (r >= 0)
		profiles_settle(reading);
	profiles_free(reading);
	return r;
}

static int find_outcome(struct suggestion *suggestion, struct err *err)
{
	CLEANUP(policy_freep) struct policy *uncommented = NULL;
	struct walk walk = {.suggestion = suggestion, .each = outcome_note};
	int r;

	suggestion->uncommented = true;
	r = load_policy(suggestion, &uncommented, err);
	suggestion->uncommented = false;
	walk.context = uncommented;
	if (r >= 0)
		r = walk_all(&walk, err);
	outcome_sort(suggestion);
	return r;
}

/* It opens the panel's ports of a unit; or it is a server, and nothing but its place among units speaks for it. */
static bool is_server(const struct suggestion *suggestion, const struct candidate *candidate)
{
	for (size_t i = 0; i < suggestion->holder_count; i++) {
		const struct holder *holder = &suggestion->holders[i];

		for (unsigned a = 0; a < candidate->address_count; a++)
			if (holder->state == HOLDER_ACTIVE &&
			    (holder->port_count || !candidate->by_oui) &&
			    addr_equal(&holder->addr, &candidate->address[a]))
				return true;
	}
	return false;
}

/* Panels have a MAC of the maker too, and in a prefix of units there are routers. */
static void drop_servers(struct suggestion *suggestion)
{
	for (size_t c = suggestion->candidate_count; c-- > 0;) {
		struct candidate *candidate = &suggestion->candidates[c];

		if (candidate->listed || candidate->asked || candidate->by_name.flows ||
		    !is_server(suggestion, candidate))
			continue;
		free(candidate->sentence);
		candidate_drop(suggestion, c);
	}
}

/* ----------------------------------------------------------- what was seen */

static int take_run(void *context, const struct run_view *run, struct err *err)
{
	struct suggestion *suggestion = context;
	const struct flow_query *window = &suggestion->options.window;

	(void)err;
	if (!run->first_us || run->last_us < window->since_us ||
	    (window->until_us && run->first_us > window->until_us))
		return 0;
	suggestion->runs++;
	suggestion->packets += run->counters.seen;
	suggestion->tunnelled += run->counters.tunnelled;
	if (!suggestion->first_us || run->first_us < suggestion->first_us)
		suggestion->first_us = run->first_us;
	if (run->last_us > suggestion->last_us)
		suggestion->last_us = run->last_us;
	if (*run->row.filter)
		text_copy(suggestion->filter, sizeof(suggestion->filter), run->row.filter);
	return 0;
}

static int take_blind(void *context, const struct blind_view *blind, struct err *err)
{
	struct suggestion *suggestion = context;
	int64_t since_us = blind->row.since_us, until_us = blind->row.until_us;

	(void)err;
	if (!until_us || until_us > suggestion->last_us)
		until_us = suggestion->last_us;
	if (since_us < suggestion->first_us)
		since_us = suggestion->first_us;
	suggestion->blinds++;
	suggestion->blind_causes |= (uint32_t)BIT(blind->row.cause);
	if (until_us > since_us)
		suggestion->blind_us += until_us - since_us;
	return 0;
}

static int read_window(struct suggestion *suggestion, struct err *err)
{
	const struct flow_query *window = &suggestion->options.window;
	struct blind_query blinds = {.window = *window};
	int r = flowdb_runs(suggestion->options.db, take_run, suggestion, err);

	/* Of a run that goes beyond the window only what lies in it was looked at. */
	if (suggestion->first_us < window->since_us)
		suggestion->first_us = window->since_us;
	if (window->until_us && suggestion->last_us > window->until_us)
		suggestion->last_us = window->until_us;
	return r < 0 ? r
	             : flowdb_blinds(suggestion->options.db, &blinds, take_blind, suggestion,
	                             err);
}

static int take_subnet(void *context, const struct lease_row *lease, struct err *err)
{
	struct suggestion *suggestion = context;
	struct prefix prefix;

	(void)err;
	if (!lease->mask_bits)
		return 0;
	prefix = prefix_of(&lease->address, 96u + lease->mask_bits);
	for (unsigned i = 0; i < suggestion->subnet_count; i++)
		if (suggestion->subnets[i].bits == prefix.bits &&
		    addr_equal(&suggestion->subnets[i].addr, &prefix.addr))
			return 0;
	for (size_t i = 0; i < suggestion->candidate_count; i++)
		for (unsigned a = 0; a < suggestion->candidates[i].address_count; a++)
			if (addr_equal(&suggestion->candidates[i].address[a],
			               &lease->address) &&
			    suggestion->subnet_count < ARRAY_LEN(suggestion->subnets)) {
				suggestion->subnets[suggestion->subnet_count++] = prefix;
				return 0;
			}
	return 0;
}

static int find_all(struct suggestion *suggestion, struct err *err)
{
	int r = read_window(suggestion, err);

	if (r >= 0 && suggestion->packets)
		r = candidates_find(suggestion, err);
	if (r < 0 || !suggestion->candidate_count)
		return r;
	r = flowdb_leases(suggestion->options.db, 0, take_subnet, suggestion, err);
	if (r >= 0)
		r = find_holders(suggestion, HOLDERS_FIRST, err);
	if (r >= 0)
		r = find_holders(suggestion, HOLDERS_SECOND, err);
	if (r >= 0)
		drop_servers(suggestion);
	if (r < 0 || !suggestion->candidate_count)
		return r;
	r = find_profiles(suggestion, err);
	return r < 0 ? r : find_outcome(suggestion, err);
}

int suggestion_new(const struct suggestion_options *options, struct suggestion **ret,
                   struct err *err)
{
	CLEANUP(suggestion_freep)
	struct suggestion *suggestion = calloc(1, sizeof(*suggestion));
	int r;

	if (!suggestion)
		return err_set(err, -ENOMEM, "out of memory");
	suggestion->options = *options;
	/* Units of --unit have no site file: the whole of it is proposed. */
	if (options->in_force && strncmp(options->in_force->site_text, "# FILE ", 7) != 0)
		suggestion->options.in_force = NULL;
	r = find_all(suggestion, err);
	if (r < 0)
		return r;
	*ret = TAKE(suggestion);
	return 0;
}
