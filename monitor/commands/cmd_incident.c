/*
 * cmd_incident.c - what one unit did in a window, in one report: for the ticket as text, for the file as
 * HTML, for programs as JSON.
 */
#include "monitor/commands.h"
#include "monitor/commands/incident.h"
#include "monitor/commands/paper.h"
#include "monitor/log.h"
#include "schema/time.h"

#define FLOWS_SHOWN 100 /* in text */
#define PEERS_SHOWN 20
#define THINGS_SHOWN 30
#define BLINDS_SHOWN 12
#define FLOWS_DRAWN 3000 /* in HTML and JSON */
#define PEERS_DRAWN 500
#define THINGS_DRAWN 500
#define BLINDS_DRAWN 300

static const char HELP[] =
	"usage: tlmon incident --unit WHO --since T [--until T] [-l DIR]... [-o FORMAT]\n"
	"                      [--report FILE]\n\n"
	"What did this unit do, with whom, and were we looking? One report: when nobody\n"
	"watched, findings with the command that gets their packets, what is new against\n"
	"the seven days before, peers and how their names are known, every flow that\n"
	"overlaps the window (marked where its bytes reach beyond it), the addresses the\n"
	"unit had, and the policy that judged. The same database and options give the\n"
	"same bytes. Ends 1 where nothing was recorded, or the unit was never seen: that\n"
	"is not \"nothing happened\".\n\n" LOG_HELP
	"                        Repeatable: one report over several sensors' databases\n"
	"      --unit WHO        a unit's name, or an address it had\n"
	"      --since T         2h (ago), 02:00, 2026-11-22T02:00; local, or with Z or\n"
	"                        +01:00 behind it. In a recording, ago counts back from\n"
	"                        its last packet\n"
	"      --until T         the same (default: the end of what is recorded);\n"
	"                        --since 22:00 --until 06:00 is last night\n"
	"  -o, --output FORMAT   text (the default, 80 columns), html or json\n"
	"      --report FILE     writes the report there as well: .html, .json or .txt\n"
	"                        (repeatable)\n"
	"      --limit N         flows listed (text 100, html and json 3000)\n"
	"  -h, --help            this text\n\n"
	"Between two and four, for the ticket, and as a file for the auditor:\n"
	"  tlmon incident --unit boardroom --since 02:00 --until 04:00\n"
	"  tlmon incident --unit boardroom --since 02:00 --until 04:00 --report inc.html\n";

enum form { FORM_TEXT, FORM_HTML, FORM_JSON, FORM_COUNT };

#define REPORTS_MAX 8

struct asked {
	struct query_options options; /* databases and times */
	const char *unit;
	enum form form;
	const char *reports[REPORTS_MAX];
	size_t report_count;
	uint64_t limit;
};

static int parse_form(const char *value, enum form *ret_form, struct err *err)
{
	static const char *const words[FORM_COUNT] = {"text", "html", "json"};

	for (unsigned i = 0; i < FORM_COUNT; i++)
		if (!strcmp(words[i], value)) {
			*ret_form = (enum form)i;
			return 0;
		}
	return err_set(err, -EINVAL, "-o %s: no such format; accepted: text, html, json",
	               value);
}

/* By the name's end. */
static int form_of_file(const char *name, enum form *ret_form, struct err *err)
{
	static const char *const ends[FORM_COUNT] = {".txt", ".html", ".json"};
	const char *dot = strrchr(name, '.');

	for (unsigned i = 0; dot && i < FORM_COUNT; i++)
		if (!strcmp(ends[i], dot)) {
			*ret_form = (enum form)i;
			return 0;
		}
	return err_set(
		err, -EINVAL,
		"--report %s: what it is to be is told by its end; accepted: .html, .json, .txt",
		name);
}

static int add_report(struct asked *asked, const char *name, struct err *err)
{
	enum form form;

	if (asked->report_count == REPORTS_MAX)
		return err_set(err, -EINVAL, "--report %s: at most %d of them", name,
		               REPORTS_MAX);
	asked->reports[asked->report_count++] = name;
	return form_of_file(name, &form, err);
}

static int parse_limit(const char *value, uint64_t *ret_limit, struct err *err)
{
	size_t digits = strspn(value, "0123456789");

	if (!digits || digits > 7 || value[digits] || !(*ret_limit = strtoull(value, NULL, 10)))
		return err_set(err, -EINVAL, "--limit %s: accepted: a number from 1 to 9999999",
		               value);
	return 0;
}

static int open_sources(const struct asked *asked, struct incident *incident, struct err *err)
{
	int r = query_open(&asked->options, &incident->query, err);

	if (r < 0)
		return r;
	incident->sources = calloc(incident->query.sensors, sizeof(*incident->sources));
	if (!incident->sources)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < incident->query.sensors && r >= 0; i++) {
		struct incident_source *source = &incident->sources[incident->source_count++];

		source->dir = asked->options.dirs[i];
		r = query_nth(&incident->query, i, &source->query, err);
	}
	return r;
}

/* Without an end it goes to the end of what is recorded: the same bytes whenever it is asked for. */
static int find_window(const struct asked *asked, struct incident *incident, struct err *err)
{
	const struct query *query = &incident->query;

	incident->since_us = query->flow.since_us;
	incident->until_us = query->flow.until_us ? query->flow.until_us : query->span.last_us;
	incident->relative = query->relative;
	if (incident->until_us > incident->since_us)
		return 0;
	if (query->flow.until_us)
		return err_set(err, -EINVAL,
		               "--until T is --since T: a report is of a stretch of time; 'tlmon flows' "
		               "tells what went on at an instant");
	return err_set(
		err, -ERANGE,
		"nothing is recorded from --since %s on; say --until, and the report tells "
		"what is known of that time",
		asked->options.since);
}

struct naming {
	struct incident *incident;
	struct incident_source *source;
	const char *who;
};

static int take_unit(void *context, const struct unit_view *unit, struct err *err)
{
	struct naming *naming = context;
	struct incident *incident = naming->incident;

	if (incident->unit && strcmp(incident->unit, unit->name) != 0)
		return err_set(err, -EINVAL,
		               "--unit %s: %s and %s had this address; name one of them",
		               naming->who, incident->unit, unit->name);
	if (!incident->unit) {
		incident->unit = strdup(unit->name);
		incident->profiles = strdup(unit->profiles);
		if (!incident->unit || !incident->profiles)
			return err_set(err, -ENOMEM, "out of memory");
	}
	incident->listed |= unit->listed;
	naming->source->unit = unit->id;
	return 0;
}

/* Those that know the unit come first, otherwise as they were given. */
static void put_first(struct incident *incident)
{
	for (size_t i = 0; i < incident->source_count; i++) {
		struct incident_source source = incident->sources[i];

		if (!source.unit)
			continue;
		memmove(&incident->sources[incident->known_count + 1],
		        &incident->sources[incident->known_count],
		        (i - incident->known_count) * sizeof(source));
		incident->sources[incident->known_count++] = source;
	}
}

static int find_unit(const struct asked *asked, struct incident *incident, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < incident->source_count && r >= 0; i++) {
		struct naming naming = {incident, &incident->sources[i], asked->unit};

		r = flowdb_units_named(incident->sources[i].query.db, asked->unit, take_unit,
		                       &naming, err);
	}
	if (r >= 0 && !incident->unit)
		r = flowdb_check_unit(incident->sources[0].query.db, asked->unit, err);
	put_first(incident);
	return r;
}

static int write_form(struct incident *incident, enum form form, FILE *file, struct err *err)
{
	CLEANUP(paper_freep) struct paper *paper = NULL;
	char title[NAME_MAX_LEN + 32];
	int r;

	if (form == FORM_JSON)
		return incident_json(incident, file, err);
	snprintf(title, sizeof(title), "Incident report: %s", incident->unit);
	r = paper_new(form == FORM_HTML ? PAPER_HTML : PAPER_TEXT, file, title, &paper, err);
	return r < 0 ? r : incident_paper(incident, paper, err);
}

/* Reads what this form shows, and writes it. 1: nothing is recorded there. */
static int write_report(const struct asked *asked, struct incident *incident, enum form form,
                        FILE *file, struct err *err)
{
	bool text = form == FORM_TEXT;
	struct incident shown = *incident;
	int r;

	shown.flow_limit = asked->limit ? asked->limit : text ? FLOWS_SHOWN : FLOWS_DRAWN;
	shown.peer_limit = text ? PEERS_SHOWN : PEERS_DRAWN;
	shown.thing_limit = text ? THINGS_SHOWN : THINGS_DRAWN;
	shown.blind_limit = text ? BLINDS_SHOWN : BLINDS_DRAWN;
	shown.documents = form != FORM_JSON;
	r = incident_read(&shown, err);
	if (r >= 0)
		r = write_form(&shown, form, file, err);
	if (r >= 0)
		r = (shown.outside && !shown.finding_count) || !shown.seen;
	incident_forget(&shown);
	return r;
}

static int write_file(const struct asked *asked, struct incident *incident, const char *name,
                      struct err *err)
{
	CLEANUP(fclosep) FILE *file = fopen(name, "we");
	enum form form = FORM_TEXT;
	int r = form_of_file(name, &form, err);

	if (!file)
		return err_set(err, -errno, "--report %s: %s", name, strerror(errno));
	return r < 0 ? r : write_report(asked, incident, form, file, err);
}

static int report(const struct asked *asked, struct incident *incident, struct err *err)
{
	int r = open_sources(asked, incident, err), written = 0;

	if (r >= 0)
		r = find_window(asked, incident, err);
	if (r >= 0)
		r = find_unit(asked, incident, err);
	for (size_t i = 0; i < asked->report_count && r >= 0; i++)
		r = write_file(asked, incident, asked->reports[i], err);
	if (r >= 0)
		written = r = write_report(asked, incident, asked->form, stdout, err);
	if (r >= 0)
		r = flowdb_check(incident->query.db, err);
	return r < 0 ? r : written;
}

enum { REPORT = QUERY_LAST };

static bool gathers(int option)
{
	return option == 'l' || option == REPORT;
}

/* 1: help was asked for. */
static int read_options(int argc, char **argv, struct asked *asked, struct err *err)
{
	static const struct option LONG[] = {{"log", required_argument, NULL, 'l'},
	                                     {"output", required_argument, NULL, 'o'},
	                                     {"since", required_argument, NULL, QUERY_SINCE},
	                                     {"until", required_argument, NULL, QUERY_UNTIL},
	                                     {"unit", required_argument, NULL, QUERY_UNIT},
	                                     {"report", required_argument, NULL, REPORT},
	                                     {"limit", required_argument, NULL, QUERY_LIMIT},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct command_line line = {.command = "incident", .options = LONG, .gathers = gathers};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, err)) > 0) {
		if (option == 'h')
			return 1;
		if (option == 'l' && asked->options.dir_count == FLOWDBS_MAX)
			r = err_set(err, -EINVAL, "-l %s: at most %d of them", optarg,
			            FLOWDBS_MAX);
		else if (option == 'l')
			asked->options.dirs[asked->options.dir_count++] = optarg;
		else if (option == 'o')
			r = parse_form(optarg, &asked->form, err);
		else if (option == QUERY_SINCE)
			asked->options.since = optarg;
		else if (option == QUERY_UNTIL)
			asked->options.until = optarg;
		else if (option == QUERY_UNIT)
			asked->unit = optarg;
		else if (option == QUERY_LIMIT)
			r = parse_limit(optarg, &asked->limit, err);
		else
			r = add_report(asked, optarg, err);
	}
	if (r >= 0)
		r = command_line_end(&line, argc, argv, err);
	if (r >= 0 && !asked->unit)
		r = err_set(err, -EINVAL,
		            "incident: --unit WHO is wanted: a name, or an address it had; "
		            "'tlmon units' lists them");
	if (r >= 0 && !asked->options.since)
		r = err_set(err, -EINVAL,
		            "incident: --since T is wanted: 02:00, 2h, 2026-11-22T02:00; "
		            "'tlmon incident --help' says more");
	return r;
}

int cmd_incident(int argc, char **argv)
{
	struct incident incident = {0};
	struct asked asked = {0};
	struct err err = {0};
	int r = read_options(argc, argv, &asked, &err);

	if (r > 0) {
		fputs(HELP, stdout);
		return EXIT_FINE;
	}
	if (r >= 0)
		r = report(&asked, &incident, &err);
	incident_release(&incident);
	if (r == -ERANGE) {
		log_note("%s", err.text);
		return EXIT_NO;
	}
	return r < 0 ? log_err(&err) : r ? EXIT_NO : EXIT_FINE;
}
