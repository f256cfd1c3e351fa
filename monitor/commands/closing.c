/*
 * closing.c - see closing.h.
 */
#include "monitor/commands/closing.h"
#include "monitor/commands.h"
#include "monitor/commands/query.h"
#include "monitor/history.h"
#include "monitor/log.h"
#include "monitor/person.h"
#include "monitor/policy_record.h"
#include "rules/text_file.h"

struct closing {
	const char *dir, *why, *by;
	bool open; /* again */
	int64_t id;
	struct finding_row row;
	bool found;
	char past[PERSON_MAX + 1024]; /* who did it already, and why */
	char sentence[REASON_MAX];
	struct flowdb *db;
};

static int take_finding(void *context, const struct finding_view *finding, struct err *err)
{
	struct closing *closing = context;

	(void)err;
	closing->row = finding->row;
	closing->found = true;
	if (*finding->by)
		snprintf(closing->past, sizeof(closing->past), ", by %.*s: %.900s", PERSON_MAX,
		         finding->by, finding->why);
	else if (!finding->row.open)
		snprintf(closing->past, sizeof(closing->past), ": %s", finding->row.reason);
	return 1;
}

/* What the finding says: the sentence of its first flow, by the policy that judged it. */
static int take_sentence(void *context, const struct flow_view *flow, struct err *err)
{
	CLEANUP(policy_freep) struct policy *policy = NULL;
	CLEANUP(history_freep) struct history *history = NULL;
	struct closing *closing = context;
	struct past past;
	int r = policy_of_record(closing->db, flow->policy, &policy, err);

	if (r >= 0)
		r = history_new(closing->db, policy, flow, &history, err);
	if (r < 0)
		return r;
	if (history_judge(history, flow, &past))
		judge_sentence(policy, &past.view, &past.verdict, closing->sentence,
		               sizeof(closing->sentence));
	return 1;
}

static int find(struct closing *closing, struct err *err)
{
	int r = finding_by_id(closing->db, closing->id, take_finding, closing, err);

	if (r < 0)
		return r;
	if (!closing->found)
		return err_set(err, -ENOENT, "no finding F%lld in %s/flows.db; 'tlmon findings' lists them",
		               (long long)closing->id, data_dir(closing->dir));
	if (closing->row.open == closing->open)
		return err_set(err, -EALREADY, "F%lld is %s already%s", (long long)closing->id,
		               closing->open ? "open" : "closed", closing->past);
	return 0;
}

static int judge(struct closing *closing, struct err *err)
{
	const struct flow_query flows = {.finding = closing->id, .limit = 1};
	const char *reason = NULL;
	char who[PERSON_MAX];
	struct err cause = {0};
	int r = find(closing, err);

	if (r < 0)
		return r;
	person_name(closing->by, who);
	/* The judge closed it with a sentence of his own. Of a record that is not whole that one stays. */
	if (closing->open &&
	    flowdb_flows(closing->db, &flows, take_sentence, closing, &cause) >= 0 &&
	    *closing->sentence)
		reason = closing->sentence;
	r = flowdb_finding_judge(closing->db,
	                         &(struct finding_judgement){.finding = closing->id,
	                                                     .at_us = person_now_us(),
	                                                     .open = closing->open,
	                                                     .reason = reason,
	                                                     .by_whom = who,
	                                                     .why = closing->why},
	                         err);
	return r < 0 ? r : flowdb_commit(closing->db, err);
}

static int check_words(const struct command_line *line, struct closing *closing, int argc,
                       char **argv, struct err *err)
{
	char word[80];

	if (optind == argc)
		return err_set(err, -EINVAL, "%s: a finding is wanted: F17", line->command);
	if (!finding_id_parse(argv[optind], &closing->id))
		return err_set(err, -EINVAL, "%s: '%s' is no finding; accepted: one, as F17",
		               line->command, text_shown(argv[optind], word));
	if (optind + 1 < argc)
		return err_set(err, -EINVAL, "%s: '%s' is one too many; accepted: one finding at a time",
		               line->command, text_shown(argv[optind + 1], word));
	if (!closing->why)
		return err_set(err, -EINVAL, "%s F%lld: --reason is missing: why?", line->command,
		               (long long)closing->id);
	if (!text_is_plain(closing->why) || !closing->why[strspn(closing->why, " ")])
		return err_set(err, -EINVAL, "--reason: accepted: one line of text");
	return closing->by ? person_check(closing->by, err) : 0;
}

int close_or_reopen(const char *command, const char *help, bool open, int argc, char **argv)
{
	enum { REASON = OPTION_LAST, BY };
	static const struct option LONG[] = {{"reason", required_argument, NULL, REASON},
	                                     {"by", required_argument, NULL, BY},
	                                     {"log", required_argument, NULL, 'l'},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct command_line line = {.command = command, .options = LONG};
	struct closing closing = {.open = open};
	struct err err = {0};
	int option, r = 0;

	while (r >= 0 && (r = option = command_line_next(&line, argc, argv, &err)) > 0) {
		if (option == 'h') {
			fputs(help, stdout);
			return EXIT_FINE;
		}
		if (option == REASON)
			closing.why = optarg;
		else if (option == BY)
			closing.by = optarg;
		else
			closing.dir = optarg;
	}
	if (r >= 0)
		r = check_words(&line, &closing, argc, argv, &err);
	if (r >= 0)
		r = flowdb_open(data_dir(closing.dir), FLOWDB_BESIDE, &closing.db, &err);
	if (r >= 0)
		r = judge(&closing, &err);
	flowdb_close(closing.db);
	if (r < 0)
		return log_err(&err);
	printf("F%lld is %s\n", (long long)closing.id, open ? "open again" : "closed");
	return EXIT_FINE;
}
