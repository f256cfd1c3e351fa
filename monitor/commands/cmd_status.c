/*
 * cmd_status.c - how the monitor stands, read from its database: is it running, whom does it see, what
 * stands open, when could it not see.
 */
#include "monitor/commands.h"
#include "monitor/commands/blind_list.h"
#include "monitor/commands/paper.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <stdarg.h>

static const struct query_command COMMAND = {
	.name = "status",
	.has = HAS(ONE_LOG) | HAS(OUTPUT),
	.usage = "[-l DIR] [-o FORMAT]",
	.about =
		"Tells from the database how the monitor stands: running (its heartbeat is at\n"
		"most 5 s old), stalled (it is older, and yet its writer is there: one of its\n"
		"processes stands still), ended or died, and since when; the last packet; listed\n"
		"units that were never seen; roles that the site leaves empty; open findings;\n"
		"what could not be seen in the last 24 hours of data; processes restarted; how\n"
		"much of what is documented is so on weak grounds. It ends 0 whatever it tells.\n\n",
	.examples = "Is it running, and does it see all units?\n"
		    "  tlmon status -o json | jq '.state, .units_missing'\n",
};

#define DAY_US (86400 * SECOND_US)
#define NAMES_TOLD 10

struct status {
	struct query query;
	struct standing standing;
	bool any; /* there was a run; the last one: */
	int64_t run, begun_us, last_us, packet_us;
	bool live, ended, goes_on;
	struct restarts restarts;
	char inputs[1024], roles_unknown[1024];
	struct blind_sums blind;
};

/* The names of the columns are fixed: scripts rely on them. */
static const struct out_column COLUMNS[] = {
	{"state", "", 0},
	{"run", "", 0},
	{"source", "", 0},
	{"inputs", "", 0},
	{"begun", "", 0},
	{"last", "", 0},
	{"last_packet", "", 0},
	{"units", "", 0},
	{"units_seen", "", 0},
	{"units_missing", "", 0},
	{"roles_unknown", "", 0},
	{"findings", "", 0},
	{"blind_since", "", 0},
	{"blind_until", "", 0},
	{"blind", "", 0},
	{"restarts", "", 0},
	{"flows_documented", "", 0},
	{"flows_unproven", "", 0},
	{"flows_wide", "", 0},
	{"evidence", "", 0},
};

static int take_run(void *context, const struct run_view *run, struct err *err)
{
	struct status *status = context;

	status->any = true;
	status->run = run->id;
	status->begun_us = run->row.begun_us ? run->row.begun_us : run->first_us;
	status->last_us = run->last_us;
	status->packet_us = run->packet_us;
	status->live = !strcmp(run->row.source, "live");
	status->ended = run->ended;
	status->goes_on = run_goes_on(&status->query, run);
	status->restarts = run->restarts;
	text_copy(status->inputs, sizeof(status->inputs), run->row.inputs);
	text_copy(status->roles_unknown, sizeof(status->roles_unknown), run->row.roles_unknown);
	return 0;
}

static int take_blind(void *context, const struct blind_view *blind, struct err *err)
{
	blind_sums_add(context, &blind->row);
	return 0;
}

static int read_status(struct status *status, struct err *err)
{
	struct query *query = &status->query;
	int64_t looked_us;
	int r = flowdb_runs(query->db, take_run, status, err);

	if (r >= 0)
		r = flowdb_standing(query->db, &status->standing, err);
	if (r < 0)
		return r;
	/* The last day of data, but nothing before the first run began to look. */
	query->flow.since_us = query->now_us - DAY_US;
	looked_us = query->span.first_us ? query->span.first_us : status->begun_us;
	if (query->flow.since_us < looked_us || !looked_us)
		query->flow.since_us = looked_us;
	blind_sums_init(&status->blind, query);
	return blind_list(query, BLIND_NONE, take_blind, &status->blind, err);
}

static const char *state_of(const struct status *status)
{
	if (!status->any)
		return "empty";
	if (status->ended)
		return "ended";
	if (!status->live) /* its clock is that of the packets: no heartbeat */
		return "unfinished";
	if (!status->goes_on)
		return "died";
	return status->query.now_us - status->last_us <= RUNNING_US ? "running" : "stalled";
}

/* ------------------------------------------------------------ for people */

static void tell(const char *name, const char *fmt, ...) PRINTF(2, 3);

static void tell(const char *name, const char *fmt, ...)
{
	CLEANUP(freep) char *text = NULL;
	CLEANUP(freep) char *visible = NULL;
	va_list args;

	va_start(args, fmt);
	if (vasprintf(&text, fmt, args) < 0)
		text = NULL;
	va_end(args);
	visible = text ? text_visible(text) : NULL;
	printf("%-10s%s\n", name, visible ? visible : "(out of memory)");
}

static void print_run(const struct status *status)
{
	const char *state = state_of(status);
	char begun[TIME_TEXT], last[TIME_TEXT], lasted[TIME_TEXT];

	if (!status->any) {
		tell("empty", "no run has begun");
		return;
	}
	time_print_local(status->begun_us, begun);
	time_print_local(status->last_us, last);
	if (!status->begun_us)
		tell(state, "no packet yet");
	else if (!strcmp(state, "running"))
		tell(state, "since %s local (%s)", begun,
		     time_print_span(status->query.now_us - status->begun_us, lasted));
	else if (!strcmp(state, "stalled"))
		tell(state,
		     "running, but its heartbeat is %lld s old: a process of it stands still "
		     "('tlmon doctor --sandbox' lists them)",
		     (long long)((status->query.now_us - status->last_us) / SECOND_US));
	else if (status->live)
		tell(state, "%s local, after %s", last,
		     time_print_span(status->last_us - status->begun_us, lasted));
	else
		tell(state, "a recording of %s .. %s local", begun, last);
	tell("reads", "%s%s (run %lld)", status->live ? "" : "files: ", status->inputs,
	     (long long)status->run);
	if (!status->packet_us)
		tell("packet", "none yet");
	else if (status->live)
		tell("packet", "the last one at %s local, %s ago",
		     time_print_local(status->packet_us, last),
		     time_print_span(status->query.now_us - status->packet_us, lasted));
	else
		tell("packet", "the last one at %s local",
		     time_print_local(status->packet_us, last));
}

struct names {
	char text[NAMES_TOLD * 130];
	uint64_t count;
};

static int take_name(void *context, const char *name, struct err *err)
{
	struct names *names = context;

	text_add(names->text, sizeof(names->text), "%s%.120s", names->count ? ", " : "", name);
	return ++names->count == NAMES_TOLD;
}

static int print_units(const struct status *status, struct err *err)
{
	const struct standing *standing = &status->standing;
	uint64_t missing = standing->units - standing->units_seen;
	struct names names = {0};
	int r = flowdb_units_missing(status->query.db, take_name, &names, err);

	if (r < 0)
		return r;
	if (!standing->units)
		tell("units",
		     "none is listed by name; 'tlmon findings' tells of hosts on no list");
	else if (!missing)
		tell("units", "all %llu listed ones seen", (unsigned long long)standing->units);
	else if (missing > names.count)
		tell("units", "%llu of %llu listed ones seen; never: %s and %llu more",
		     (unsigned long long)standing->units_seen,
		     (unsigned long long)standing->units, names.text,
		     (unsigned long long)(missing - names.count));
	else
		tell("units", "%llu of %llu listed ones seen; never: %s",
		     (unsigned long long)standing->units_seen,
		     (unsigned long long)standing->units, names.text);
	return 0;
}

static void print_blind(const struct status *status)
{
	const char *name = "blind";
	char text[BLIND_SUM_TEXT];

	for (unsigned i = BLIND_NONE + 1; i < BLIND_CAUSE_COUNT; i++) {
		if (!status->blind.by_cause[i].intervals)
			continue;
		if (*name)
			tell(name, "in the last 24 hours of data:");
		name = "";
		tell(name, "  %-14s  %s", blind_cause_name((enum blind_cause)i),
		     blind_sum_print(&status->blind.by_cause[i], (enum blind_cause)i, text));
	}
	if (*name)
		tell(name, "not once in the last 24 hours of data");
}

static double share(uint64_t part, uint64_t whole)
{
	return whole ? 100.0 * (double)part / (double)whole : 0;
}

static int print_status(const struct status *status, struct err *err)
{
	const struct standing *standing = &status->standing;
	int r;

	print_run(status);
	r = print_units(status, err);
	if (r < 0)
		return r;
	tell("roles", "%s%s",
	     *status->roles_unknown ? "left empty, so that peers stay unproven: "
	                            : "none that the units need is left empty",
	     status->roles_unknown);
	tell("findings", "open: high %llu, medium %llu, low %llu, info %llu; waived: %llu",
	     (unsigned long long)standing->open[SEVERITY_HIGH],
	     (unsigned long long)standing->open[SEVERITY_MEDIUM],
	     (unsigned long long)standing->open[SEVERITY_LOW],
	     (unsigned long long)standing->open[SEVERITY_INFO],
	     (unsigned long long)standing->waived);
	print_blind(status);
	tell("restarts", "inspector %llu, sensor %llu, recorder %llu",
	     (unsigned long long)status->restarts.inspector,
	     (unsigned long long)status->restarts.sensor,
	     (unsigned long long)status->restarts.recorder);
	tell("flows", "%llu documented: %.1f %% unproven, %.1f %% wide",
	     (unsigned long long)standing->documented,
	     share(standing->unproven, standing->documented),
	     share(standing->wide, standing->documented));
	tell("evidence", "%llu packet%s kept", (unsigned long long)standing->evidence,
	     plural(standing->evidence));
	return stream_end(stdout, err);
}

/* ---------------------------------------------------------- for programs */

static void put_time(struct out *out, int64_t us)
{
	char text[TIME_TEXT];

	out_text(out, us ? time_print(us, text) : NULL);
}

static int list_name(void *context, const char *name, struct err *err)
{
	FILE *list = context;

	if (ftell(list) > 1)
		fputc(',', list);
	json_put(list, name);
	return 0;
}

static int put_missing(struct out *out, const struct status *status, struct err *err)
{
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	FILE *list = open_memstream(&text, &size);
	int r;

	if (!list)
		return err_set(err, -ENOMEM, "out of memory");
	fputc('[', list);
	r = flowdb_units_missing(status->query.db, list_name, list, err);
	fputc(']', list);
	fclose(list);
	if (r >= 0)
		out_raw(out, text);
	return r;
}

/* "a,b" -> ["a","b"] */
static void put_words(struct out *out, const char *words)
{
	char json[2048] = "[";

	while (*words) {
		size_t len = strcspn(words, ",");

		text_add(json, sizeof(json), "%s\"%.*s\"", json[1] ? "," : "", (int)len, words);
		words += len + (words[len] == ',');
	}
	text_add(json, sizeof(json), "]");
	out_raw(out, json);
}

static void put_blind(struct out *out, const struct blind_sums *sums)
{
	char json[BLIND_CAUSE_COUNT * 128] = "[";

	for (unsigned i = BLIND_NONE + 1; i < BLIND_CAUSE_COUNT; i++) {
		const struct blind_sum *sum = &sums->by_cause[i];

		if (sum->intervals)
			text_add(json, sizeof(json),
			         "%s{\"cause\":\"%s\",\"intervals\":%llu,\"seconds\":%.3f,"
			         "\"count\":%llu}",
			         json[1] ? "," : "", blind_cause_name((enum blind_cause)i),
			         (unsigned long long)sum->intervals, (double)sum->us / 1e6,
			         (unsigned long long)sum->count);
	}
	text_add(json, sizeof(json), "]");
	out_raw(out, json);
}

static int put_status(const struct status *status, enum out_format format, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	const struct standing *standing = &status->standing;
	char json[256];
	/* One object, no list of one. */
	int r = out_new(format == OUT_JSON ? OUT_JSONL : format, stdout, COLUMNS,
	                ARRAY_LEN(COLUMNS), false, &out, err);

	if (r < 0)
		return r;
	out_text(out, state_of(status));
	if (status->any)
		out_int(out, status->run);
	else
		out_null(out);
	out_text(out, !status->any ? NULL : status->live ? "live" : "file");
	out_text(out, status->any ? status->inputs : NULL);
	put_time(out, status->begun_us);
	put_time(out, status->last_us);
	put_time(out, status->packet_us);
	out_int(out, (int64_t)standing->units);
	out_int(out, (int64_t)standing->units_seen);
	r = put_missing(out, status, err);
	if (r < 0)
		return r;
	put_words(out, status->roles_unknown);
	snprintf(json, sizeof(json),
	         "{\"high\":%llu,\"medium\":%llu,\"low\":%llu,\"info\":%llu,\"waived\":%llu}",
	         (unsigned long long)standing->open[SEVERITY_HIGH],
	         (unsigned long long)standing->open[SEVERITY_MEDIUM],
	         (unsigned long long)standing->open[SEVERITY_LOW],
	         (unsigned long long)standing->open[SEVERITY_INFO],
	         (unsigned long long)standing->waived);
	out_raw(out, json);
	put_time(out, status->blind.since_us);
	put_time(out, status->blind.until_us);
	put_blind(out, &status->blind);
	snprintf(json, sizeof(json), "{\"inspector\":%llu,\"sensor\":%llu,\"recorder\":%llu}",
	         (unsigned long long)status->restarts.inspector,
	         (unsigned long long)status->restarts.sensor,
	         (unsigned long long)status->restarts.recorder);
	out_raw(out, json);
	out_int(out, (int64_t)standing->documented);
	out_int(out, (int64_t)standing->unproven);
	out_int(out, (int64_t)standing->wide);
	out_int(out, (int64_t)standing->evidence);
	r = out_end(out, err);
	return r ? r : out_finish(out, err);
}

int cmd_status(int argc, char **argv)
{
	struct query_options options;
	struct status status = {0};
	struct err err = {0};
	int r = query_command_line(&COMMAND, argc, argv, &options, &err);

	if (r > 0)
		return EXIT_FINE;
	if (r >= 0 && options.dir_count > 1)
		r = err_set(&err, -EINVAL, "status: one -l at a time: each monitor stands by itself");
	if (r >= 0)
		r = query_open(&options, &status.query, &err);
	if (r < 0)
		return log_err(&err);
	r = read_status(&status, &err);
	if (r >= 0)
		r = options.format == OUT_TABLE ? print_status(&status, &err)
		                                : put_status(&status, options.format, &err);
	if (r >= 0)
		r = flowdb_check(status.query.db, &err);
	query_release(&status.query);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
