/*
 * cmd_evidence.c - the packets kept for findings: a list of them, or a file that Wireshark and tcpdump open.
 */
#include "monitor/commands.h"
#include "monitor/commands/evidence_lack.h"
#include "monitor/commands/evidence_list.h"
#include "monitor/commands/finding_table.h"
#include "monitor/commands/pcapng.h"
#include "monitor/commands/removed.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <unistd.h>

#define WORDS_MAX 256

static const char HELP[] =
	"usage: tlmon evidence [-l DIR] [-o FORMAT | -w FILE] FINDING | FLOW ...\n"
	"       tlmon evidence [-l DIR] [-o FORMAT | -w FILE] --unit WHO [...]\n"
	"       tlmon evidence [-l DIR] [-o FORMAT | -w FILE] --died\n\n"
	"Lists the packets kept for findings (F17) and recorded flows (81234), or writes\n"
	"them to a pcapng file with the finding in its comments. Kept are the first 8\n"
	"packets of 3 flows a finding, 256 bytes of each, 64 MiB a day; the site file may\n"
	"say 'evidence: headers' (no payload) or 'evidence: off'. It ends 1 where\n"
	"no packets are kept of what was asked for, and says why.\n\n" LOG_HELP
	"  -o, --output FORMAT   table (the default), json, jsonl or csv\n"
	"  -w, --write FILE      write them to FILE, as pcapng; '-' is standard output.\n"
	"                        A file that is there is overwritten\n"
	"      --unit WHO        of all findings of a unit: its name, or an address of it\n"
	"      --since T         packets of T or later: 2h (ago), 09:30, 2026-11-22T09:30\n"
	"      --until T         packets of T or earlier\n"
	"      --died            packets that processes of ours died of\n"
	"      --limit N         the first N only\n"
	"  -h, --help            this text\n\n"
	"What was seen of the worst finding?\n"
	"  tlmon evidence F17 -w f17.pcapng && wireshark f17.pcapng\n"
	"  tlmon evidence F17 -w - | tcpdump -nr -\n"
	"What is there of last night?\n"
	"  tlmon evidence --unit boardroom --since 22:00 --until 06:00\n";

/* A finding that packets are asked of. */
struct asked {
	int64_t id;
	uint64_t flows, packets; /* kept */
	bool found;
	char policy[65];    /* that judged its flows; "" */
	char comment[2048]; /* of the file */
	struct finding_row row;
};

struct answer {
	struct query *query;
	struct evidence_query packets;
	struct asked *asked;
	size_t asked_count, asked_room;
	struct kept_flows flows;
	uint64_t count;
	size_t longest;
	uint32_t links;            /* mask */
	struct evidence_view last; /* the packet before, its bytes not; .. */
	struct out *out;
	struct pcapng pcapng;
};

static void answer_release(struct answer *answer)
{
	free(answer->asked);
	kept_flows_release(&answer->flows);
}

/* ---------------------------------------------------------- what is asked of */

static struct asked *asked_of(struct answer *answer, int64_t id, struct err *err)
{
	for (size_t i = 0; i < answer->asked_count; i++)
		if (answer->asked[i].id == id)
			return &answer->asked[i];
	if (array_reserve(&answer->asked, &answer->asked_room, answer->asked_count + 1,
	                  sizeof(*answer->asked)) < 0) {
		err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	answer->asked[answer->asked_count] = (struct asked){.id = id};
	return &answer->asked[answer->asked_count++];
}

static int note_flow(void *context, const struct flow_view *flow, struct err *err)
{
	struct evidence_of *of = context;

	*of = (struct evidence_of){flow->finding, flow->run, flow->facts.id};
	return 0;
}

/* 1: a flow of which packets were not to be kept; *ret_of is nothing then. */
static int take_word(struct answer *answer, const char *word, struct evidence_of *ret_of,
                     struct err *err)
{
	int64_t id;
	int r;

	*ret_of = (struct evidence_of){0};
	if (finding_id_parse(word, &id)) {
		ret_of->finding = id;
		return asked_of(answer, id, err) ? 0 : -ENOMEM;
	}
	if (!flow_id_parse(word, &id))
		return err_set(err, -EINVAL,
		               "evidence: '%s' is neither a finding (F17) nor a flow (81234); "
		               "'tlmon evidence --help' says more",
		               word);
	r = flowdb_flow(answer->query->db, id, note_flow, ret_of, err);
	if (r <= 0)
		return r < 0 ? r : query_no_such(answer->query, word, err);
	if (!ret_of->finding) {
		log_note("of flow %s no packets are kept: it is under no finding", word);
		return 1;
	}
	return asked_of(answer, ret_of->finding, err) ? 0 : -ENOMEM;
}

static int note_finding(void *context, const struct finding_view *finding, struct err *err)
{
	const struct finding_row *row = &finding->row;
	char first[TIME_TEXT], last[TIME_TEXT];
	struct asked *asked = context;

	asked->found = true;
	asked->row = *row;
	time_print(row->first_us, first);
	time_print(row->last_us, last);
	snprintf(asked->comment, sizeof(asked->comment),
	         "F%lld: %s at %s, severity %s, %s\n%s\nrow: %s\npeer: %s\nport: %s\n"
	         "seen: %s .. %s\nflows: %llu, packets kept of %llu\npolicy: %s",
	         (long long)finding->id, kind_name((enum kind)row->kind), finding->unit,
	         severity_name((enum severity)row->severity)
	                 ? severity_name((enum severity)row->severity)
	                 : "none",
	         finding_state(row), row->reason, *row->row ? row->row : "none",
	         *row->role     ? row->role
	         : *row->remote ? row->remote
	                        : "any",
	         *row->port ? row->port : "any", first, last, (unsigned long long)row->flows,
	         (unsigned long long)asked->flows,
	         *asked->policy ? asked->policy : "not known");
	return 1;
}

static int look_up(struct answer *answer, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < answer->asked_count && r >= 0; i++) {
		struct asked *asked = &answer->asked[i];
		char word[24];

		r = finding_by_id(answer->query->db, asked->id, note_finding, asked, err);
		snprintf(word, sizeof(word), "F%lld", (long long)asked->id);
		if (r >= 0 && !asked->found)
			r = query_no_such(answer->query, word, err);
	}
	return r;
}

/* What is there: the findings and the flows it belongs to. */
static int note_packet(void *context, const struct evidence_view *packet, struct err *err)
{
	struct answer *answer = context;
	const struct kept_flow *flow;
	size_t known = answer->flows.count;
	struct asked *asked;
	int r;

	answer->count++;
	if (packet->row.len > answer->longest)
		answer->longest = packet->row.len;
	if (packet->row.link < LINK_COUNT)
		answer->links |= (uint32_t)BIT(packet->row.link);
	if (!packet->row.finding)
		return 0;
	asked = asked_of(answer, packet->row.finding, err);
	if (!asked)
		return -ENOMEM;
	asked->packets++;
	r = kept_flow_of(&answer->flows, answer->query->db, packet, &flow, err);
	if (r >= 0 && answer->flows.count > known) {
		asked->flows++;
		if (*flow->policy)
			text_copy(asked->policy, sizeof(asked->policy), flow->policy);
	}
	return r;
}

/* ----------------------------------------------------------------- as a list */

static int put_packet(void *context, const struct evidence_view *packet, struct err *err)
{
	struct answer *answer = context;

	return evidence_put(answer->out, packet,
	                    kept_flow_find(&answer->flows, packet->row.finding, packet->row.run,
	                                   packet->row.flow),
	                    err);
}

static int say_asked(const struct answer *answer, struct out *out, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < answer->asked_count && r >= 0; i++) {
		const struct asked *asked = &answer->asked[i];
		char why[LACK_TEXT] = "";

		if (asked->flows < asked->row.flows && asked->flows < EVIDENCE_FLOWS_WANTED)
			r = evidence_lack_print(answer->query->db, asked->row.first_us,
			                        asked->row.last_us, why, err);
		if (asked->flows > asked->row.flows) {
			out_say(out,
			        "F%lld: packets of %llu flow%s; %llu flow%s under it now, others were "
			        "before they were judged again",
			        (long long)asked->id, (unsigned long long)asked->flows,
			        plural(asked->flows), (unsigned long long)asked->row.flows,
			        asked->row.flows == 1 ? " is" : "s are");
			continue;
		}
		out_say(out, "F%lld: packets of %llu of %llu flow%s%s%s", (long long)asked->id,
		        (unsigned long long)asked->flows, (unsigned long long)asked->row.flows,
		        plural(asked->row.flows), *why ? "; " : "", why);
	}
	return r;
}

static int list_packets(struct answer *answer, const struct query_options *options,
                        struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	bool whole = answer->packets.of && !answer->packets.of[0].flow;
	int r = out_new(options->format, stdout,
	                answer->packets.died ? EVIDENCE_COLUMNS_DIED : EVIDENCE_COLUMNS,
	                EVIDENCE_COLUMN_COUNT, options->wide, &out, err);

	if (r < 0)
		return r;
	answer->out = out;
	query_head(answer->query, out);
	r = flowdb_evidence(answer->query->db, &answer->packets, put_packet, answer, err);
	if (r >= 0)
		r = out_finish(out, err);
	if (!r && whole && !answer->packets.window.limit)
		r = say_asked(answer, out, err);
	return r ? r : query_foot(answer->query, out, "packets", err);
}

/* ----------------------------------------------------------------- as a file */

/* A flow between two units may stand under a finding of each: of its packets the file has one. */
static bool is_again(struct answer *answer, const struct evidence_view *packet)
{
	const struct evidence_row *a = &answer->last.row, *b = &packet->row;
	bool again = a->flow && a->flow == b->flow && a->run == b->run &&
	             a->time_us == b->time_us && a->wire_len == b->wire_len &&
	             a->len == b->len && a->finding != b->finding;

	answer->last = *packet;
	return again;
}

static int write_packet(void *context, const struct evidence_view *packet, struct err *err)
{
	struct answer *answer = context;
	const struct evidence_row *row = &packet->row;
	const struct kept_flow *flow =
		kept_flow_find(&answer->flows, row->finding, row->run, row->flow);
	char comment[160];

	if (row->link >= LINK_COUNT || is_again(answer, packet))
		return 0;
	if (!row->finding)
		snprintf(comment, sizeof(comment), "%s",
		         blind_cause_sentence((enum blind_cause)row->cause)
		                 ? blind_cause_sentence((enum blind_cause)row->cause)
		                 : "a process died of it");
	else if (flow && flow->id)
		snprintf(comment, sizeof(comment), "F%lld, flow %lld, %s",
		         (long long)row->finding, (long long)flow->id,
		         direction_name(packet_direction(packet, flow)));
	else
		snprintf(comment, sizeof(comment), "F%lld, a flow without a row of its own",
		         (long long)row->finding);
	pcapng_put(&answer->pcapng, &(struct pcapng_packet){.link = (enum link)row->link,
	                                                    .time_us = row->time_us,
	                                                    .wire_len = row->wire_len,
	                                                    .len = (uint32_t)row->len,
	                                                    .bytes = row->bytes,
	                                                    .comment = comment});
	return ferror(answer->pcapng.file) ? 1 : 0;
}

static int write_to(struct answer *answer, FILE *file, struct err *err)
{
	CLEANUP(freep) const char **comments = calloc(answer->asked_count + 1, sizeof(char *));
	size_t count = 0;

	if (!comments)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < answer->asked_count; i++)
		if (answer->asked[i].packets)
			comments[count++] = answer->asked[i].comment;
	pcapng_begin(&answer->pcapng, file, "tlmon " TLMON_VERSION, comments, count,
	             (uint32_t)answer->longest);
	return flowdb_evidence(answer->query->db, &answer->packets, write_packet, answer, err);
}

static int write_file(struct answer *answer, const char *name, struct err *err)
{
	bool to_stdout = !strcmp(name, "-");
	FILE *file = to_stdout ? stdout : fopen(name, "we");
	int r;

	if (!file)
		return err_set(err, -errno, "-w %s: %s", name, strerror(errno));
	r = write_to(answer, file, err);
	if (to_stdout)
		return r < 0 ? r : stream_end(file, err);
	if ((fflush(file) || ferror(file)) && r >= 0)
		r = err_set(err, -EIO, "-w %s: could not be written to its end: %s", name,
		            strerror(errno));
	if (fclose(file) && r >= 0)
		r = err_set(err, -errno, "-w %s: %s", name, strerror(errno));
	return r;
}

static void say_written(const struct answer *answer, const char *name)
{
	log_note("%llu packet%s of %zu flow%s written to %s", (unsigned long long)answer->count,
	         plural(answer->count), answer->flows.count, plural(answer->flows.count),
	         strcmp(name, "-") != 0 ? name : "standard output");
	if (answer->links & (answer->links - 1))
		log_note(
			"they are of more than one link type: Wireshark reads such a file, tcpdump "
			"does not");
}

/* -------------------------------------------------------------------- nothing */

static int say_nothing(const struct answer *answer, struct err *err)
{
	const struct query *query = answer->query;
	char removed[REMOVED_TEXT];
	int r = 0;

	for (size_t i = 0; i < answer->asked_count && r >= 0; i++) {
		const struct asked *asked = &answer->asked[i];
		char why[LACK_TEXT];

		r = evidence_lack_print(query->db, asked->row.first_us, asked->row.last_us, why,
		                        err);
		if (r >= 0)
			log_note("of F%lld no packets are kept: %s", (long long)asked->id, why);
	}
	if (r < 0 || answer->asked_count)
		return r;
	r = removed_print(query->db, query->flow.since_us, query->flow.until_us, removed, err);
	if (r >= 0)
		log_note("%s%s",
		         answer->packets.died
		                 ? "no process died of a packet that was kept"
		                 : "no packets are kept of findings there; 'tlmon findings' lists what was found",
		         removed);
	return r;
}

static int answer_all(struct answer *answer, const struct query_options *options,
                      const char *file, struct err *err)
{
	struct flowdb *db = answer->query->db;
	int r = flowdb_evidence(db, &answer->packets, note_packet, answer, err);

	if (r >= 0)
		r = look_up(answer, err);
	if (r < 0)
		return r;
	if (!answer->count) {
		r = say_nothing(answer, err);
		if (r >= 0)
			r = flowdb_check(db, err);
		return r < 0 ? r : EXIT_NO;
	}
	r = file ? write_file(answer, file, err) : list_packets(answer, options, err);
	if (file && !r)
		r = flowdb_check(db, err);
	if (file && !r)
		say_written(answer, file);
	return r < 0 ? r : EXIT_FINE;
}

static int evidence(int argc, char **argv, const struct query_options *options, bool died,
                    const char *file, struct err *err)
{
	struct evidence_of of[WORDS_MAX];
	struct query query = {0};
	struct answer answer = {.query = &query};
	size_t of_count = 0;
	int r = 0;

	if (argc > WORDS_MAX)
		return err_set(err, -EINVAL,
		               "evidence: %d findings and flows at once; accepted: up to %d",
		               argc, WORDS_MAX);
	if (!argc && !*options->units && !options->since && !options->until && !died)
		return err_set(
			err, -EINVAL,
			"evidence: a finding (F17), a flow (81234), --unit, --since or --died "
			"is wanted; 'tlmon evidence --help' says more");
	if (argc && died)
		return err_set(
			err, -EINVAL,
			"--died: what processes died of is under no finding: '%s' narrows nothing",
			argv[0]);
	if (file && !strcmp(file, "-") && isatty(STDOUT_FILENO))
		return err_set(
			err, -EINVAL,
			"-w -: standard output is a terminal; accepted: a file, or a pipe");
	r = query_open(options, &query, err);
	if (r < 0)
		return r;
	for (int i = 0; i < argc && r >= 0; i++) {
		r = take_word(&answer, argv[i], &of[of_count], err);
		of_count += !r;
	}
	answer.packets = (struct evidence_query){.window = query.flow,
	                                         .of = argc ? of : NULL,
	                                         .of_count = of_count,
	                                         .died = died};
	if (r >= 0)
		r = argc && !of_count ? EXIT_NO : answer_all(&answer, options, file, err);
	answer_release(&answer);
	query_release(&query);
	return r;
}

int cmd_evidence(int argc, char **argv)
{
	enum { DIED = QUERY_LAST };
	static const struct option LONG[] = {{"log", required_argument, NULL, 'l'},
	                                     {"output", required_argument, NULL, 'o'},
	                                     {"write", required_argument, NULL, 'w'},
	                                     {"since", required_argument, NULL, QUERY_SINCE},
	                                     {"until", required_argument, NULL, QUERY_UNTIL},
	                                     {"unit", required_argument, NULL, QUERY_UNIT},
	                                     {"limit", required_argument, NULL, QUERY_LIMIT},
	                                     {"died", no_argument, NULL, DIED},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct command_line line = {.command = "evidence", .options = LONG};
	struct query_options options = {0};
	const char *file = NULL;
	struct err err = {0};
	bool died = false;
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		if (option == 'w')
			file = optarg;
		else if (option == DIED)
			died = true;
		else
			r = query_option(&options, option, optarg, &err);
	}
	if (r >= 0 && file && command_line_given(&line, 'o'))
		r = err_set(&err, -EINVAL, "-o and -w: a list or a file, not both");
	if (r >= 0)
		r = evidence(argc - optind, argv + optind, &options, died, file, &err);
	return r < 0 ? log_err(&err) : r;
}
