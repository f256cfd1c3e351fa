/*
 * cmd_rules.c - the documented rows themselves: list shows them, lint says what is not wrong in a
 * policy and yet will mislead, diff compares two envelopes.
 */
#include "monitor/commands.h"
#include "monitor/commands/options.h"
#include "monitor/commands/rules_diff.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <time.h>

static const char HELP[] =
	"usage: tlmon rules list [-e DIR] [-c FILE] [--profile LIST] [-o FORMAT]\n"
	"       tlmon rules lint [-e DIR] [-c FILE] [--unit WHO --profile LIST]\n"
	"       tlmon rules diff A [B] [-l DIR] [-o FORMAT]\n\n"
	"list shows the documented rows, each with its place in the document; with a site\n"
	"file as that file narrows them, and with --profile those of some profiles alone.\n"
	"lint loads a policy and prints one line for each thing that will mislead: roles\n"
	"that a profile needs and nobody holds, wide rows that cover narrow ones, waivers\n"
	"near their end, the age of Microsoft's endpoint list. It ends 0 if there is no\n"
	"warning, 1 if there is, 2 if the policy cannot be loaded.\n"
	"diff compares two envelopes by row, group and role; each is a folder, '-'\n"
	"for the one compiled in (which stands before a single one), or the hash of a\n"
	"policy recorded in -l DIR. It ends 0 if they say the same, 1 if not.\n\n" POLICY_HELP OUT_HELP
	"  -l, --log DIR         diff: where policies are recorded\n"
	"  -w, --wide            on a terminal too let the table be as wide as it likes\n"
	"  -h, --help            this text\n\n"
	"What may a unit do in Skype for Business Online?\n"
	"  tlmon rules list --profile room,online\n"
	"Is this site file fit to judge by?\n"
	"  tlmon rules lint -c site.yaml\n"
	"What did I change in my copy of the envelope?\n"
	"  tlmon rules diff my-envelope\n";

static const struct out_column COLUMNS[] = {
	{"id", "ROW", 0},
	{"profile", NULL, 0},
	{"document", NULL, 0},
	{"direction", "DIR", OUT_CUT_FIRST},
	{"transport", "TRANSPORT", 0},
	{"local_ports", "LOCAL", OUT_CUT},
	{"remote_ports", "REMOTE", OUT_CUT},
	{"peer", "PEER", OUT_CUT},
	{"application", "APPLICATION", OUT_CUT},
	{"media", "MEDIA", OUT_CUT_FIRST},
	{"need", "NEED", OUT_CUT_FIRST},
	{"need_reason", NULL, 0},
	{"groups", NULL, 0},
};

/* "a, b" as a JSON list of texts; in tables and CSV as it is. The words need no escapes. */
static void put_list(struct out *out, enum out_format format, const char *words)
{
	char json[1024] = "[";

	if (format == OUT_TABLE || format == OUT_CSV) {
		out_text(out, words);
		return;
	}
	while (*words) {
		size_t len = strcspn(words, ",");

		text_add(json, sizeof(json), "%s\"%.*s\"", json[1] ? "," : "", (int)len, words);
		words += len;
		words += strspn(words, ", ");
	}
	text_add(json, sizeof(json), "]");
	out_raw(out, json);
}

static void put_peers(struct out *out, enum out_format format, const struct envelope *envelope,
                      uint32_t peers)
{
	char words[512] = "";

	for (size_t i = 0; i < envelope->role_count; i++)
		if (peers >> i & 1)
			text_add(words, sizeof(words), "%s%s", words[0] ? ", " : "",
			         envelope->roles[i].id);
	put_list(out, format, words);
}

/* Ids of the groups it is in. */
static void put_groups(struct out *out, enum out_format format, const struct envelope *envelope,
                       const struct row *row)
{
	int at = envelope_find_row(envelope, row->id);
	char words[512] = "";

	for (size_t i = 0; i < envelope->group_count; i++)
		for (unsigned k = 0; k < envelope->groups[i].row_count; k++)
			if (envelope->groups[i].rows[k] == at)
				text_add(words, sizeof(words), "%s%s", *words ? ", " : "",
				         envelope->groups[i].id);
	put_list(out, format, words);
}

static int put_row(struct out *out, enum out_format format, const struct policy *policy,
                   const struct row *row, struct err *err)
{
	static const char *const directions[] = {"", "out", "in", "out, in"};
	static const char *const transports[] = {"", "tcp", "udp", "tcp, udp"};
	const struct row_form *form = &row->form[0];
	char ports[128];

	out_text(out, row->id);
	out_text(out, policy->envelope->profiles[row->profile].id);
	out_text(out, row->document);
	put_list(out, format, directions[form->directions >> DIRECTION_OUT & 3]);
	put_list(out, format, transports[(form->udp ? 2 : 0) + form->tcp]);
	put_list(out, format, port_set_print(&form->local, ports, sizeof(ports)));
	put_list(out, format, port_set_print(&form->remote, ports, sizeof(ports)));
	put_peers(out, format, policy->envelope, form->peers);
	put_list(out, format, row->application_words);
	put_list(out, format, row->media_words);
	out_text(out, need_name((enum need)row->need));
	out_text(out, *row->need_reason ? row->need_reason : NULL);
	put_groups(out, format, policy->envelope, row);
	if (*row->note)
		out_note(out, row->note);
	return out_end(out, err);
}

static int list_rows(const struct policy *policy, const char *profiles, enum out_format format,
                     bool wide, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	uint32_t mask = UINT32_MAX;
	int r = profiles ? policy_parse_profiles(policy->envelope, profiles, &mask, err) : 0;

	if (r >= 0)
		r = out_new(format, stdout, COLUMNS, ARRAY_LEN(COLUMNS), wide, &out, err);
	for (size_t i = 0; r == 0 && i < policy->row_count; i++)
		if (mask >> policy->rows[i].profile & 1)
			r = put_row(out, format, policy, &policy->rows[i], err);
	return r == 0 ? out_finish(out, err) : r;
}

static void print_lint(void *context, const struct lint *lint)
{
	printf("%s: %s\n", lint->level == LINT_WARNING ? "warning" : "note", lint->text);
}

static int64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec * SECOND_US + now.tv_nsec / 1000;
}

static int compare(int count, char **words, const struct policy_options *options,
                   const char *dir, enum out_format format, bool wide)
{
	struct err err = {0};
	int r;

	if (count < 1 || count > 2)
		r = err_set(&err, -EINVAL, "rules diff: one or two envelopes are wanted: folders, '-' "
		                           "for the one compiled in, hashes of recorded policies");
	else if (options->site || options->envelope || options->unit_count || options->profiles)
		r = err_set(&err, -EINVAL, "rules diff: it takes envelopes as words, no -c, -e, --unit");
	else
		r = rules_diff(count == 2 ? words[0] : "-", words[count - 1], dir, format, wide, &err);
	return r < 0 ? log_err(&err) : r ? EXIT_NO : EXIT_FINE;
}

int cmd_rules(int argc, char **argv)
{
	static const struct option LONG[] = {POLICY_LONG,
	                                     {"output", required_argument, NULL, 'o'},
	                                     {"wide", no_argument, NULL, 'w'},
	                                     {"log", required_argument, NULL, 'l'},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	CLEANUP(policy_freep) struct policy *policy = NULL;
	struct command_line line = {.command = "rules", .options = LONG};
	struct policy_options options = {0};
	const char *profiles, *dir = NULL;
	enum out_format format = OUT_TABLE;
	bool wide = false, list = false;
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(HELP, stdout);
			return EXIT_FINE;
		}
		if (option == 'o')
			r = out_format_parse(optarg, &format, &err);
		else if (option == 'w')
			wide = true;
		else if (option == 'l')
			dir = optarg;
		else
			r = policy_option(&options, option, optarg, &err);
	}
	if (r >= 0 && optind < argc && !strcmp(argv[optind], "diff"))
		return compare(argc - optind - 1, argv + optind + 1, &options, dir, format, wide);
	if (r >= 0 && dir)
		r = err_set(&err, -EINVAL, "rules: -l is for diff, where it names recorded policies");
	if (r >= 0 && optind + 1 == argc)
		list = !strcmp(argv[optind], "list");
	if (r >= 0 && (optind + 1 != argc || (!list && strcmp(argv[optind], "lint"))))
		r = err_set(&err, -EINVAL, "rules: which of them? accepted: list, lint, diff A [B]");
	if (r >= 0 && !list && (command_line_given(&line, 'o') || wide))
		r = err_set(&err, -EINVAL,
		            "rules lint: it prints lines of text; -o and --wide are for list");
	profiles = options.profiles;
	if (list)
		options.profiles = NULL; /* they choose among the rows */
	if (r >= 0)
		r = policy_options_load(&options, &policy, &err);
	if (r < 0)
		return log_err(&err);
	if (!list)
		return policy_lint(policy, now_us(), print_lint, NULL) ? EXIT_NO : EXIT_FINE;
	r = list_rows(policy, profiles, format, wide, &err);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
