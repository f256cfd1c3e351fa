/*
 * query_options.c - see query_options.h. Words are held against the lists that the program is compiled
 * from, so what is accepted cannot differ from what is answered.
 */
#include "monitor/commands/query_options.h"
#include "schema/blind.h"

#include <assert.h>
#include <unistd.h>

/* In the order of --help. A value of NULL: it takes none. */
static const struct option_row {
	int option;
	char letter;
	const char *name, *value, *help; /* lines of at most 55 letters */
} ROWS[] = {
	{QUERY_LOG, 'l', "log", "DIR",
         "the data directory (default $TLMON_DIR, or\n/var/lib/tlmon); several: one answer over all, with\n"
         "a column `sensor`: the directory's name"},
	{QUERY_ONE_LOG, 'l', "log", "DIR",
         "the data directory (default $TLMON_DIR, or\n/var/lib/tlmon)"},
	{QUERY_OUTPUT, 'o', "output", "FORMAT", "table (the default), json, jsonl or csv"},
	{QUERY_WIDE, 'w', "wide", NULL, "on a terminal too let the table be as wide as it likes"},
	{QUERY_SINCE, 0, "since", "T",
         "what goes on at T or later: 2h (ago), 09:30,\n2026-11-22T09:30; local, or with Z or +01:00 behind it.\n"
         "In a recording, ago counts back from its last packet"},
	{QUERY_UNTIL, 0, "until", "T",
         "what goes on at T or earlier; --since 22:00 with\n--until 06:00 is last night, the same T twice an instant"},
	{QUERY_UNIT, 0, "unit", "WHO", "a unit's name, or an address it had (repeatable)"},
	{QUERY_PEER, 0, "peer", "WHO",
         "the far end: 10.0.0.9, 52.112.0.0/14, 2603:1063::/39,\nor a name it showed or DNS gave it by then:\n"
         "meet.lync.com, '*.lync.com'"},
	{QUERY_NAME, 0, "name", "NAME", "this name: meet.lync.com, '*.lync.com'"},
	{QUERY_PORT, 0, "port", "PORT", "this port at either end: 3478, or a range 50000-50019"},
	{QUERY_TRANSPORT, 0, "transport", "T", "udp, tcp, icmp, icmp6, ..."},
	{QUERY_APPLICATION, 0, "application", "A", "rtp, stun, tls, sip, dns, ..."},
	{QUERY_MEDIA, 0, "media", "KIND", "audio, video, data; mixed: more than one of them"},
	{QUERY_DIRECTION, 0, "direction", "D", "out (the unit opened it), in, unknown"},
	{QUERY_OUTCOME, 0, "outcome", "O",
         "answered, unanswered, refused, prohibited, one-sided"},
	{QUERY_VERDICT, 0, "verdict", "V", "documented, outside, undetermined, housekeeping"},
	{QUERY_GRADE, 0, "grade", "G", "how good a yes: exact, unproven, wide"},
	{QUERY_ROW, 0, "row", "ROW", "documented by this row, or nearest to it"},
	{QUERY_KIND, 0, "kind", "KIND", "what is wrong: local-port, peer, blocked-silent, ..."},
	{QUERY_SEVERITY, 0, "severity", "LEVEL", "at least this: info, low, medium, high"},
	{QUERY_STATE, 0, "state", "STATE",
         "open (the default; waived ones stand last), waived,\nclosed, all (the default with --finding)"},
	{QUERY_CAUSE, 0, "cause", "CAUSE",
         "not-running, kernel-drop, inspector-down, sensor-down,\nring-full, evicted, link-down, mirror-silent, truncated,\n"
         "one-sided, clock-step, disk-full, mac-shared,\nstream-gap, dissect-full, set-aside, removed"},
	{QUERY_FINDING, 0, "finding", "F17", "what is gathered under this finding"},
	{QUERY_BLIND, 0, "blind", NULL, "only those that overlap a blind interval (tlmon blind)"},
	{QUERY_PER_UNIT, 0, "per-unit", NULL, "one line a unit also in the table"},
	{QUERY_SORT, 0, "sort", "FIELDS",
         "by these fields, named as in -o json; - before one:\nfalling, as in -bytes_in,unit. Words go by the alphabet,\nbut severity, grade and state by what they mean"},
	{QUERY_COUNT_BY, 0, "count-by", "FIELDS",
         "how many there are of each: remote,hour. Besides the\nfields of -o json: peer (remote), hour, day (local; of\nan hour that the clock shows twice, which)"},
	{QUERY_LIMIT, 0, "limit", "N", "the first N only"},
	{QUERY_FOLLOW, 0, "follow", NULL,
         "what is recorded from now on, as it comes (with\n--since: what there is first); ^C ends it"},
	{'h', 'h', "help", NULL, "this text"},
};

static bool is_had(const struct option_row *row, uint64_t has)
{
	return row->option == 'h' || has & BIT(row->option - QUERY_LOG);
}

void query_longs(uint64_t has, struct option longs[OPTIONS_MAX])
{
	size_t at = 0;

	while (longs[at].name)
		at++;
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		const struct option_row *row = &ROWS[i];

		if (!is_had(row, has))
			continue;
		assert(at + 1 < OPTIONS_MAX);
		longs[at++] = (struct option){row->name,
		                              row->value ? required_argument : no_argument, NULL,
		                              row->letter ? row->letter : row->option};
	}
}

#define HELP_INDENT 24

void query_help(uint64_t has, FILE *file)
{
	for (size_t i = 0; i < ARRAY_LEN(ROWS); i++) {
		const struct option_row *row = &ROWS[i];
		char head[HELP_INDENT + 16];

		if (!is_had(row, has))
			continue;
		if (row->letter)
			snprintf(head, sizeof(head), "  -%c, --%s", row->letter, row->name);
		else
			snprintf(head, sizeof(head), "      --%s", row->name);
		if (row->value)
			text_add(head, sizeof(head), " %s", row->value);
		if (strlen(head) < HELP_INDENT)
			fprintf(file, "%-*s", HELP_INDENT, head);
		else
			fprintf(file, "%s\n%*s", head, HELP_INDENT, "");
		for (const char *c = row->help; *c; c++) {
			fputc(*c, file);
			if (*c == '\n')
				fprintf(file, "%*s", HELP_INDENT, "");
		}
		fputc('\n', file);
	}
}

bool query_gathers(int option)
{
	return option == 'l' || option == QUERY_UNIT;
}

/* The words of a list by their numbers `from` to `to`; those without one are left out. */
#define WORDS(value, option, what, name_of, type, from, to, ret, err) \
	({ \
		const char *words_[128]; \
		uint8_t numbers_[128]; \
		size_t count_ = 0; \
		int at_; \
		for (unsigned i_ = (from); i_ < (to); i_++) \
			if (name_of((type)i_)) { \
				words_[count_] = name_of((type)i_); \
				numbers_[count_++] = (uint8_t)i_; \
			} \
		at_ = word_parse(option, what, value, words_, count_, err); \
		if (at_ >= 0) \
			*(ret) = numbers_[at_]; \
		at_ < 0 ? at_ : 1; \
	})

static int parse_app(const char *value, uint16_t *ret_app, struct err *err)
{
	uint8_t app;
	int r = WORDS(value, "--application", "application", app_name, enum app, APP_NONE + 1,
	              APP_COUNT, &app, err);

	if (r > 0)
		*ret_app = app;
	return r;
}

static int parse_transport(const char *value, uint8_t *ret_transport, struct err *err)
{
	static const char *const words[] = {"udp", "tcp", "icmp", "icmp6", "sctp", "gre", "esp"};

	*ret_transport = transport_parse(value);
	if (*ret_transport)
		return 1;
	return word_parse("--transport", "transport", value, words, ARRAY_LEN(words), err);
}

static int parse_media(const char *value, uint8_t *ret_media, struct err *err)
{
	static const char *const words[] = {"audio", "video", "data", "mixed"};
	int at = word_parse("--media", "media", value, words, ARRAY_LEN(words), err);

	if (at < 0)
		return at;
	*ret_media = (uint8_t)BIT(at);
	return 1;
}

static int parse_state(const char *value, uint8_t *ret_state, struct err *err)
{
	static const char *const words[] = {"open", "waived", "closed", "all"};
	static const uint8_t states[] = {FINDINGS_OPEN, FINDINGS_WAIVED, FINDINGS_CLOSED,
	                                 FINDINGS_ALL};
	int at = word_parse("--state", "state", value, words, ARRAY_LEN(words), err);

	if (at < 0)
		return at;
	*ret_state = states[at];
	return 1;
}

static int parse_number(const char *option, const char *value, uint64_t most, uint64_t *ret,
                        struct err *err)
{
	size_t digits = strspn(value, "0123456789");

	if (!digits || digits > 18 || value[digits] || !(*ret = strtoull(value, NULL, 10)) ||
	    *ret > most)
		return err_set(err, -EINVAL, "%s %.80s: accepted: a number from 1 on", option, value);
	return 1;
}

/* "3478", "50000-50019" */
static int parse_port(const char *value, struct flow_query *query, struct err *err)
{
	unsigned low, high;
	int end = 0, count = sscanf(value, "%5u%n-%5u%n", &low, &end, &high, &end);

	if (count == 1)
		high = low;
	if (count < 1 || value[end] || strspn(value, "0123456789-") != strlen(value) || !high ||
	    high > UINT16_MAX || low > high)
		return err_set(err, -EINVAL,
		               "--port %.80s: accepted: a port or a range of them from 0 to 65535, as in "
		               "3478, 50000-50019",
		               value);
	query->port_low = (uint16_t)low;
	query->port_high = (uint16_t)high;
	return 1;
}

static bool is_name(const char *value)
{
	return strspn(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	                     "-_.*") == strlen(value) &&
	       strpbrk(value, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ*") &&
	       strlen(value) <= NAME_MAX_LEN;
}

static int parse_name(const char *option, const char *value, const char **ret_name,
                      struct err *err)
{
	if (!is_name(value))
		return err_set(err, -EINVAL,
		               "%s %.80s: accepted: a name, as in meet.lync.com or '*.lync.com'",
		               option, value);
	*ret_name = value;
	return 1;
}

static int parse_peer(const char *value, struct flow_query *query, struct err *err)
{
	if (prefix_parse(value, &query->peer) == 0)
		return 1;
	if (is_name(value)) {
		query->peer_name = value;
		return 1;
	}
	return err_set(err, -EINVAL,
	               "--peer %.80s: accepted: an address, a prefix without host bits, or a name, as "
	               "in 10.0.0.9, 52.112.0.0/14, 2603:1063::/39, '*.lync.com'",
	               value);
}

static int parse_finding(const char *value, int64_t *ret_id, struct err *err)
{
	uint64_t id;

	if ((*value != 'F' && *value != 'f') ||
	    parse_number("--finding", value + 1, INT64_MAX, &id, err) < 0)
		return err_set(err, -EINVAL,
		               "--finding %.80s: accepted: the ID of a finding, as in F17", value);
	*ret_id = (int64_t)id;
	return 1;
}

static int add_dir(struct query_options *options, const char *dir, struct err *err)
{
	if (options->dir_count == FLOWDBS_MAX)
		return err_set(err, -E2BIG, "-l: more than %d of them", FLOWDBS_MAX);
	options->dirs[options->dir_count++] = dir;
	return 1;
}

static int add_unit(struct query_options *options, const char *unit, struct err *err)
{
	size_t count = 0;

	while (options->units[count])
		count++;
	if (count == UNITS_ASKED_MAX)
		return err_set(err, -E2BIG, "--unit: more than %d of them", UNITS_ASKED_MAX);
	options->units[count] = unit;
	return 1;
}

/* What narrows flows by a word: 1 taken, 0 not one of these. */
static int word_option(struct flow_query *q, int option, const char *value, struct err *err)
{
	int r;

	switch (option) {
	case QUERY_TRANSPORT:
		return parse_transport(value, &q->transport, err);
	case QUERY_APPLICATION:
		return parse_app(value, &q->app, err);
	case QUERY_MEDIA:
		return parse_media(value, &q->media, err);
	case QUERY_DIRECTION:
		r = WORDS(value, "--direction", "direction", direction_name, enum direction, 0,
		          DIRECTION_IN + 1, &q->direction, err);
		q->direction += r > 0;
		return r;
	case QUERY_OUTCOME:
		return WORDS(value, "--outcome", "outcome", outcome_name, enum outcome, 0,
		             OUTCOME_ONE_SIDED + 1, &q->outcome, err);
	case QUERY_VERDICT:
		return WORDS(value, "--verdict", "verdict", ruling_name, enum ruling, 0,
		             RULING_HOUSEKEEPING + 1, &q->ruling, err);
	case QUERY_GRADE:
		return WORDS(value, "--grade", "grade", grade_name, enum grade, 0,
		             GRADE_WIDE + 1, &q->grade, err);
	case QUERY_KIND:
		return WORDS(value, "--kind", "kind", kind_name, enum kind, 0, KIND_COUNT,
		             &q->kind, err);
	case QUERY_SEVERITY:
		return WORDS(value, "--severity", "level", severity_name, enum severity, 0,
		             SEVERITY_HIGH + 1, &q->severity, err);
	default:
		return 0;
	}
}

int query_option(struct query_options *options, int option, const char *value, struct err *err)
{
	struct flow_query *narrow = &options->narrow;
	int r = word_option(narrow, option, value, err);

	if (r)
		return r;
	switch (option) {
	case 'l':
		return add_dir(options, value, err);
	case 'o':
		r = out_format_parse(value, &options->format, err);
		return r < 0 ? r : 1;
	case 'w':
		options->wide = true;
		return 1;
	case QUERY_SINCE:
		options->since = value;
		return 1;
	case QUERY_UNTIL:
		options->until = value;
		return 1;
	case QUERY_UNIT:
		return add_unit(options, value, err);
	case QUERY_PEER:
		return parse_peer(value, narrow, err);
	case QUERY_NAME:
		return parse_name("--name", value, &narrow->peer_name, err);
	case QUERY_PORT:
		return parse_port(value, narrow, err);
	case QUERY_ROW:
		narrow->row = value;
		return 1;
	case QUERY_STATE:
		return parse_state(value, &options->state, err);
	case QUERY_CAUSE:
		return WORDS(value, "--cause", "cause", blind_cause_name, enum blind_cause, 0,
		             BLIND_CAUSE_COUNT, &options->cause, err);
	case QUERY_FINDING:
		return parse_finding(value, &narrow->finding, err);
	case QUERY_BLIND:
		narrow->blind = true;
		return 1;
	case QUERY_PER_UNIT:
		options->per_unit = true;
		return 1;
	case QUERY_SORT:
		narrow->sort = value;
		return 1;
	case QUERY_COUNT_BY:
		options->count_by = value;
		return 1;
	case QUERY_LIMIT:
		return parse_number("--limit", value, UINT64_MAX, &narrow->limit, err);
	case QUERY_FOLLOW:
		options->follow = true;
		return 1;
	default:
		return 0;
	}
}

int query_fields(const struct query_options *options, enum flowdb_thing thing, struct err *err)
{
	int r = 0;

	if (options->follow && (options->count_by || options->narrow.sort || options->until ||
	                        options->narrow.limit))
		return err_set(err, -EINVAL, "--follow: it has no end, so no %s",
		               options->count_by      ? "--count-by"
		               : options->narrow.sort ? "--sort"
		               : options->until       ? "--until"
		                                      : "--limit");
	if (options->follow && options->format == OUT_JSON)
		return err_set(err, -EINVAL, "--follow: json has an end; use -o jsonl");
	if (options->count_by && options->narrow.sort)
		return err_set(err, -EINVAL, "--sort: --count-by has its own order: most first");
	if (options->count_by)
		r = flowdb_check_fields(thing, "--count-by", options->count_by, err);
	if (r >= 0 && options->narrow.sort)
		r = flowdb_check_fields(thing, "--sort", options->narrow.sort, err);
	return r;
}

static void help(const struct query_command *command)
{
	printf("usage: tlmon %s %s\n\n%s", command->name, command->usage, command->about);
	query_help(command->has, stdout);
	printf("\n%s", command->examples);
}

/* Trailing words: a filter, or too much. */
static int take_words(const struct query_command *command, const struct command_line *line,
                      int argc, char **argv, struct query_options *options, struct err *err)
{
	if (optind >= argc)
		return 0;
	if (!command->filter)
		return err_set(err, -EINVAL,
		               "%s: '%.80s' is an argument, and it takes none; words of a tcpdump filter "
		               "go with flows and findings; 'tlmon %s --help' lists its options",
		               command->name, argv[optind], command->name);
	for (int i = optind; i < argc; i++) {
		if (!access(argv[i], F_OK))
			return err_set(err, -EINVAL,
			               "%s: '%.200s' is a file; trailing words are a tcpdump filter, and "
			               "what is asked is a database (-l DIR)",
			               command->name, argv[i]);
		if (!strncmp(argv[i], "--", 2))
			return err_set(err, -EINVAL,
			               "%s: %.80s stands behind the words of a filter; options go before "
			               "them",
			               command->name, argv[i]);
		if (strlen(options->filter) + strlen(argv[i]) + 2 > sizeof(options->filter))
			return err_set(err, -E2BIG, "%s: a filter of more than %zu letters",
			               command->name, sizeof(options->filter) - 1);
		text_add(options->filter, sizeof(options->filter), "%s%s",
		         i > optind ? " " : "", argv[i]);
	}
	return 0;
}

int query_command_line(const struct query_command *command, int argc, char **argv,
                       struct query_options *ret, struct err *err)
{
	struct option longs[OPTIONS_MAX] = {0};
	struct command_line line = {.command = command->name,
	                            .options = longs,
	                            .words_last = command->filter,
	                            .gathers = query_gathers};
	int option, r = 0;

	query_longs(command->has, longs);
	*ret = (struct query_options){.state = FINDINGS_OPEN};
	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, err)) > 0) {
		if (option == 'h') {
			help(command);
			return 1;
		}
		r = query_option(ret, option, optarg, err);
	}
	/* Who names a finding means it, closed or not. */
	if (ret->narrow.finding && !command_line_given(&line, QUERY_STATE))
		ret->state = FINDINGS_ALL;
	return r < 0 ? r : take_words(command, &line, argc, argv, ret, err);
}
