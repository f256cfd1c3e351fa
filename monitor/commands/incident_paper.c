/*
 * incident_paper.c - an incident report for people: the answer, then what limits it, then what it rests
 * on. Whoever reads only so far has read nothing that is taken back below.
 */
#include "monitor/commands/incident.h"
#include "monitor/commands/paper.h"
#include "schema/time.h"

#define USES_SHOWN 4
#define DIR_TEXT 4200

const char *incident_clock(const struct incident *incident, int64_t us, char buf[TIME_TEXT])
{
	char first[TIME_TEXT], last[TIME_TEXT];
	size_t from;

	time_print_local(us, buf);
	time_print_local(incident->since_us, first);
	time_print_local(incident->until_us - 1, last); /* midnight is the end of a day */
	if (!strncmp(first, last, 10) && !strncmp(first, buf, 10))
		from = 11;
	else
		from = strncmp(first, buf, 4) ? 0 : 5;
	memmove(buf, buf + from, strlen(buf + from) + 1);
	return buf;
}

/* Whose it is, where there is more than one. */
static const char *of_source(const struct incident *incident,
                             const struct incident_source *source, char *buf, size_t size)
{
	bool told = source && incident->known_count > 1;

	snprintf(buf, size, "%s%s", told ? ", " : "", told ? data_dir(source->dir) : "");
	return buf;
}

void incident_commands(const struct incident *incident, struct paper *paper,
                       const char *command, const char *more)
{
	CLEANUP(freep) char *words = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&words, &size);
	char since[TIME_TEXT], until[TIME_TEXT];

	if (!file)
		return;
	shell_put(file, incident->unit);
	fprintf(file, " --since %s --until %s%s", time_print(incident->since_us, since),
	        time_print(incident->until_us, until), more);
	for (size_t i = 0; i < incident->known_count; i++)
		if (incident->sources[i].dir) {
			fputs(" -l ", file);
			shell_put(file, incident->sources[i].dir);
		}
	if (!fclose(file))
		paper_command(paper, "tlmon %s --unit %s", command, words);
}

static void put_window(const struct incident *incident, struct paper *paper)
{
	char since[TIME_TEXT], until[TIME_TEXT], span[TIME_TEXT];

	time_print_local(incident->since_us, since);
	time_print_local(incident->until_us, until);
	time_print_span(incident->until_us - incident->since_us, span);
	paper_fact(paper, "window", "%s to %s local (%s%s)", since,
	           strncmp(since, until, 11) ? until : until + 11, span,
	           incident->relative ? ", counted back from the last packet recorded" : "");
	time_print(incident->since_us, since);
	time_print(incident->until_us, until);
	paper_fact(paper, "", "%s to %s", since, until);
}

static void put_source(const struct incident_source *source, struct paper *paper)
{
	const struct span *span = &source->query.span;
	char first[TIME_TEXT], last[TIME_TEXT], covers[128] = "nothing";

	time_print(span->first_us, first);
	time_print(span->last_us, last);
	if (span->first_us)
		snprintf(covers, sizeof(covers), "%.19sZ to %.19sZ, %llu run%s", first, last,
		         (unsigned long long)span->runs, plural(span->runs));
	paper_fact(paper, "database", "%s/flows.db: %s%s%s", data_dir(source->dir), covers,
	           source->query.filters, source->unit ? "" : "; it does not know this unit");
}

static void put_head(const struct incident *incident, struct paper *paper)
{
	paper_fact(paper, "unit", "%s%s%s", incident->unit,
	           incident->listed ? ", profiles " : ", on no list",
	           incident->listed ? incident->profiles : "");
	put_window(incident, paper);
	for (size_t i = 0; i < incident->source_count; i++)
		put_source(&incident->sources[i], paper);
}

/* "14:00:01 to 14:00:15 (14 s): kernel-drop, 120 packets, eth1: the kernel dropped ..." */
static void put_blind(const struct incident *incident, const struct incident_blind *blind,
                      struct paper *paper)
{
	enum blind_cause cause = (enum blind_cause)blind->row.cause;
	const struct blind_row *row = &blind->row;
	bool unseen = BIT(cause) & INCIDENT_UNSEEN;
	char since[TIME_TEXT], until[TIME_TEXT], lasted[TIME_TEXT], count[BLIND_COUNT_TEXT],
		of[DIR_TEXT], id[32] = "";

	time_print_span(row->until_us - row->since_us, lasted);
	blind_count_print(cause, row->count, count);
	if (blind->id)
		snprintf(id, sizeof(id), "interval %lld, ", (long long)blind->id);
	paper_item(paper, unseen ? TONE_BAD : TONE_DOUBT, "%s to %s (%s%s): %s%s%s%s%s%s: %s%s",
	           row->since_us ? incident_clock(incident, row->since_us, since)
	                         : "the beginning",
	           row->until_us ? incident_clock(incident, row->until_us, until) : "now", id,
	           !row->until_us ? "it goes on" : row->since_us ? lasted : "open",
	           blind_cause_name(cause), *count ? ", " : "", count,
	           *blind->detail ? ", " : "", blind->detail,
	           of_source(incident, blind->source, of, sizeof(of)),
	           blind_cause_sentence(cause), blind->alone ? " (this unit alone)" : "");
}

/* What the intervals of each cause add up to, where not all of them are shown. */
static void put_blind_sums(const struct incident *incident, struct paper *paper)
{
	struct blind_sums sums = {.since_us = incident->since_us,
	                          .until_us = incident->until_us};
	char text[BLIND_SUM_TEXT];

	for (size_t i = 0; i < incident->blind_count; i++)
		blind_sums_add(&sums, &incident->blinds[i].row);
	for (unsigned i = BLIND_NONE + 1; i < BLIND_CAUSE_COUNT; i++)
		if (sums.by_cause[i].intervals)
			paper_fact(
				paper, blind_cause_name((enum blind_cause)i), "%s",
				blind_sum_print(&sums.by_cause[i], (enum blind_cause)i, text));
}

static void put_removed(const struct incident_watch *watch, struct paper *paper)
{
	int64_t unseen_us = watch->unseen_us - watch->removed_us;
	char removed[TIME_TEXT], whole[TIME_TEXT], unseen[TIME_TEXT], rest[80] = "";

	if (unseen_us)
		snprintf(rest, sizeof(rest), ", and packets went by unseen in %s",
		         time_print_span(unseen_us, unseen));
	paper_say(paper,
	          "That cannot be told from here for all of it: of %s, what ended in %s was "
	          "recorded and has been removed%s. What is not in this report may have "
	          "happened then.",
	          time_print_span(watch->until_us - watch->since_us, whole),
	          time_print_span(watch->removed_us, removed), rest);
}

static void put_blinds(const struct incident *incident, struct paper *paper)
{
	const struct incident_watch *watch = &incident->watch;
	int64_t whole_us = watch->until_us - watch->since_us;
	char unseen[TIME_TEXT], whole[TIME_TEXT];

	paper_head(paper, "Were we looking?");
	time_print_span(watch->unseen_us, unseen);
	time_print_span(whole_us, whole);
	if (!incident->blind_count)
		paper_say(paper,
		          "Yes, all %s of it: no interval of blindness lies in the window. "
		          "What is not in this report did not pass the mirror.",
		          whole);
	else if (watch->removed_us)
		put_removed(watch, paper);
	else if (watch->unseen_us)
		paper_say(paper,
		          "Not all the time: of %s, packets went by unseen in %s. What is "
		          "not in this report may have happened then.",
		          whole, unseen);
	else
		paper_say(paper,
		          "Every packet was seen, all %s, but not everything could be "
		          "made of them.",
		          whole);
	if (incident->blind_count > incident->blind_limit)
		put_blind_sums(incident, paper);
	for (size_t i = 0; i < incident->blind_count && i < incident->blind_limit; i++)
		put_blind(incident, &incident->blinds[i], paper);
	if (incident->blind_count > incident->blind_limit) {
		paper_say(paper, "... and %llu intervals more:",
		          (unsigned long long)(incident->blind_count - incident->blind_limit));
		incident_commands(incident, paper, "blind", "");
	}
}

static void put_finding(const struct incident *incident, const struct incident_finding *finding,
                        struct paper *paper)
{
	const struct finding_row *row = &finding->row;
	char first[TIME_TEXT], last[TIME_TEXT], dir[DIR_TEXT], transport[96], rows[96] = "";
	const char *state = !row->open ? " (closed)" : *row->waiver ? " (waived)" : "";

	incident_dir(finding->source, dir, sizeof(dir));
	paper_cell(paper, row->severity >= SEVERITY_MEDIUM && !*state ? TONE_BAD : TONE_DOUBT,
	           "%s", severity_name((enum severity)row->severity));
	paper_cell(paper, TONE_PLAIN, "F%lld%s", (long long)finding->id, state);
	paper_cell(paper, TONE_PLAIN, "%s", kind_name((enum kind)row->kind));
	paper_cell(paper, TONE_PLAIN, "%s", *row->role ? row->role : row->remote);
	snprintf(transport, sizeof(transport), "%s%s%s",
	         row->transport ? transport_name(row->transport) : "", *row->port ? " " : "",
	         row->port);
	paper_cell(paper, TONE_PLAIN, "%s", transport);
	if (finding->sum.flows)
		paper_cell(paper, TONE_PLAIN, "%llu", (unsigned long long)finding->sum.flows);
	else
		paper_cell(paper, TONE_PLAIN, "not kept");
	incident_clock(incident, finding->sum.flows ? finding->sum.first_us : row->first_us,
	               first);
	incident_clock(incident, finding->sum.flows ? finding->sum.last_us : row->last_us,
	               last);
	if (incident_without_row(row))
		snprintf(rows, sizeof(rows), "; of its %llu flows, of all times, %llu have a row",
		         (unsigned long long)row->flows, (unsigned long long)row->kept);
	paper_note(paper, "%s%s%s: %s%s%s%s%s%s%s%s", first, strcmp(first, last) ? " to " : "",
	           strcmp(first, last) ? last : "", row->reason,
	           *row->waiver ? "; waived by " : "", row->waiver,
	           !*finding->by ? ""
	           : row->open   ? "; opened by "
	                         : "; closed by ",
	           finding->by, *finding->by ? ": " : "", finding->why, rows);
	if (finding->evidence)
		paper_note_command(paper, "tlmon evidence F%lld -w F%lld.pcapng%s",
		                   (long long)finding->id, (long long)finding->id, dir);
	else
		paper_note_command(paper, "tlmon explain F%lld%s", (long long)finding->id, dir);
	paper_row_end(paper);
}

static void put_findings(const struct incident *incident, struct paper *paper)
{
	static const struct paper_column columns[] = {
		{"SEVERITY", 0},      {"FINDING", 0},       {"KIND", 0},
		{"PEER", PAPER_WRAP}, {"PORT", PAPER_WRAP}, {"FLOWS", PAPER_RIGHT},
	};
	size_t i;

	paper_head(paper, "Findings, worst first");
	if (!incident->finding_count) {
		paper_say(paper, "None: no flow in the window is under a finding.");
		return;
	}
	paper_table(paper, columns, ARRAY_LEN(columns));
	for (i = 0; i < incident->finding_count && i < incident->thing_limit; i++)
		put_finding(incident, &incident->findings[i], paper);
	paper_table_end(paper);
	if (i < incident->finding_count) {
		paper_say(paper, "... and %zu more:", incident->finding_count - i);
		incident_commands(incident, paper, "findings", "");
	}
	paper_say(paper, "Times and flows are what is recorded of it in this window; where no flow of it "
	                 "is kept, times are those of the whole finding.");
}

static const char *thing_text(const struct incident_thing *thing, char *buf, size_t size)
{
	char addr[ADDR_TEXT];

	if (thing->trait == TRAIT_PEER)
		snprintf(buf, size, "%s", addr_print(&thing->addr, addr));
	else if (thing->trait == TRAIT_APP)
		snprintf(buf, size, "%s", app_name((enum app)thing->number));
	else if (thing->trait == TRAIT_KIND)
		snprintf(buf, size, "%s", kind_name((enum kind)thing->number));
	else
		snprintf(buf, size, "%s", thing->text);
	return buf;
}

static void put_fresh(const struct incident *incident, struct paper *paper)
{
	static const char *const words[TRAIT_COUNT] = {
		[TRAIT_PEER] = "peer",
		[TRAIT_NAME] = "name",
		[TRAIT_APP] = "application",
		[TRAIT_ROW] = "row",
		[TRAIT_KIND] = "kind of deviation",
	};
	static const struct paper_column columns[] = {{"NEW", 0},
	                                              {"WHAT", PAPER_WRAP},
	                                              {"FIRST SEEN", PAPER_WRAP},
	                                              {"FLOWS", PAPER_RIGHT}};
	char text[NAME_MAX_LEN + 1], first[TIME_TEXT];
	uint64_t shown = 0, left = 0;

	paper_table(paper, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < incident->thing_count; i++) {
		const struct incident_thing *thing = &incident->things[i];

		if (thing->known)
			continue;
		if (shown++ >= incident->thing_limit) {
			left++;
			continue;
		}
		paper_cell(paper, TONE_PLAIN, "%s", words[thing->trait]);
		paper_cell(paper, TONE_PLAIN, "%s", thing_text(thing, text, sizeof(text)));
		paper_cell(paper, TONE_PLAIN, "%s%s",
		           incident_clock(incident, thing->sum.first_us, first),
		           thing->sum.first_us < incident->since_us ? " (before the window)"
		                                                    : "");
		paper_cell(paper, TONE_PLAIN, "%llu", (unsigned long long)thing->sum.flows);
		paper_row_end(paper);
	}
	paper_table_end(paper);
	if (left)
		paper_say(paper, "... and %llu more; -o json has them all.",
		          (unsigned long long)left);
}

static void put_new(const struct incident *incident, struct paper *paper)
{
	const struct incident_watch *before = &incident->before;
	int64_t whole_us = before->until_us - before->since_us;
	char watched[TIME_TEXT], whole[TIME_TEXT];
	uint64_t fresh = 0;

	for (size_t i = 0; i < TRAIT_COUNT; i++)
		fresh += incident->fresh[i];
	paper_head(paper, "New against the %d days before", INCIDENT_DAYS);
	time_print_span(whole_us - before->unseen_us, watched);
	time_print_span(whole_us, whole);
	if (!incident_can_tell_new(incident)) {
		paper_say(paper,
		          "Nobody can tell: nothing of these days was %s. Whatever the "
		          "unit did would look new.",
		          before->removed_us ? "kept" : "watched");
		return;
	}
	if (before->unseen_us)
		paper_say(paper,
		          "Of these days %s of %s were %s: what is new may be old "
		          "habit from the rest.",
		          watched, whole, incident_kept(before));
	else
		paper_say(paper, "All of these days was watched.");
	if (!fresh)
		paper_say(paper,
		          "Nothing is new: every peer, name, application, row and kind of "
		          "deviation was seen then.");
	else
		put_fresh(incident, paper);
}

static void put_addresses(const struct incident *incident, struct paper *paper)
{
	char addr[ADDR_TEXT], server[ADDR_TEXT], mac[MAC_TEXT], first[TIME_TEXT],
		last[TIME_TEXT], known[64], of[DIR_TEXT];

	paper_head(paper, "Its addresses");
	if (!incident->address_count)
		paper_say(paper, "None: it had no address in this window that we know of.");
	for (size_t i = 0; i < incident->address_count; i++) {
		const struct unit_address_row *row = &incident->addresses[i].row;

		paper_item(paper, TONE_PLAIN, "%s, MAC %s, from %s to %s; known by %s%s",
		           addr_print(&row->address, addr),
		           mac_is_zero(&row->mac) ? "unknown" : mac_print(&row->mac, mac),
		           time_print_local(row->first_us, first),
		           time_print_local(row->last_us, last),
		           known_by_words(row->known_by, known, sizeof(known)),
		           of_source(incident, incident->addresses[i].source, of, sizeof(of)));
	}
	for (size_t i = 0; i < incident->lease_count; i++) {
		const struct lease_row *row = &incident->leases[i].row;

		paper_item(paper, TONE_PLAIN, "leased %s to MAC %s by %s, from %s%s%s%s",
		           addr_print(&row->address, addr), mac_print(&row->mac, mac),
		           addr_is_unspecified(&row->server) ? "a server that is not known"
		                                             : addr_print(&row->server, server),
		           time_print_local(row->first_us, first), row->until_us ? " to " : "",
		           row->until_us ? time_print_local(row->until_us, last) : "",
		           of_source(incident, incident->leases[i].source, of, sizeof(of)));
	}
}

static void put_rows_used(const struct incident *incident, struct paper *paper)
{
	static const struct paper_column columns[] = {
		{"ROW", PAPER_WRAP},       {"FLOWS", PAPER_RIGHT}, {"EXACT", PAPER_RIGHT},
		{"UNPROVEN", PAPER_RIGHT}, {"WIDE", PAPER_RIGHT},  {"DOCUMENT", PAPER_BELOW}};

	paper_table(paper, columns, ARRAY_LEN(columns));
	for (size_t i = 0; i < incident->thing_count; i++) {
		const struct incident_thing *thing = &incident->things[i];

		if (thing->trait != TRAIT_ROW || !thing->sum.by_ruling[RULING_DOCUMENTED])
			continue;
		paper_cell(paper, TONE_PLAIN, "%s", thing->text);
		paper_cell(paper, TONE_PLAIN, "%llu",
		           (unsigned long long)thing->sum.by_ruling[RULING_DOCUMENTED]);
		for (unsigned grade = GRADE_EXACT; grade <= GRADE_WIDE; grade++)
			paper_cell(paper, TONE_PLAIN, "%llu",
			           (unsigned long long)thing->sum.by_grade[grade]);
		paper_cell(paper, TONE_QUIET, "%s", thing->document ? thing->document : "");
		paper_row_end(paper);
	}
	paper_table_end(paper);
}

/* The first and the last of them, where a run a day has gone by. */
static void put_uses(const struct incident_policy *policy, struct paper *paper)
{
	for (size_t i = 0; i < policy->use_count; i++)
		if (policy->use_count <= USES_SHOWN || i < USES_SHOWN / 2 ||
		    i >= policy->use_count - USES_SHOWN / 2)
			paper_fact(paper, "", "%s", policy->uses[i]);
		else if (i == USES_SHOWN / 2)
			paper_fact(paper, "", "... (%zu more)", policy->use_count - USES_SHOWN);
}

static void put_policies(const struct incident *incident, struct paper *paper)
{
	if (!incident->policy_count)
		return;
	paper_head(paper, "Judged by");
	for (size_t i = 0; i < incident->policy_count; i++) {
		const struct incident_policy *policy = &incident->policies[i];

		paper_fact(paper, "policy", "%s", policy->hash);
		paper_fact(paper, "", "%llu of these flows",
		           (unsigned long long)policy->sum.flows);
		put_uses(policy, paper);
	}
	if (incident->listed)
		paper_fact(paper, "profiles", "%s", incident->profiles);
	put_rows_used(incident, paper);
}

int incident_paper(const struct incident *incident, struct paper *paper, struct err *err)
{
	char answer[INCIDENT_ANSWER];
	const uint64_t *by = incident->sum.by_ruling;

	paper_lead(paper,
	           by[RULING_OUTSIDE] ? TONE_BAD
	           : incident->outside || incident->watch.unseen_us ||
	                           by[RULING_UNDETERMINED] || !incident->sum.flows
	                   ? TONE_DOUBT
	                   : TONE_GOOD,
	           "%s", incident_answer(incident, answer));
	put_head(incident, paper);
	put_blinds(incident, paper);
	if (incident->sum.flows || incident->finding_count)
		put_findings(incident, paper);
	if (incident->sum.flows) {
		put_new(incident, paper);
		incident_put_peers(incident, paper);
		incident_put_flows(incident, paper);
	}
	if (!incident->outside || incident->watch.removed_us) {
		put_addresses(incident, paper);
		put_policies(incident, paper);
	}
	return paper_end(paper, err);
}
