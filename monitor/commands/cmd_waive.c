/*
 * cmd_waive.c - the waiver that excuses a finding, as YAML for the site file. Waivers live there
 * alone: this prints, it changes nothing.
 */
#include "monitor/commands.h"
#include "monitor/commands/query.h"
#include "monitor/log.h"
#include "monitor/waiver_draft.h"
#include "rules/waivers.h"
#include "schema/time.h"

static const char HELP[] =
	"usage: tlmon waive F17 --owner WHO --reason WHY --expires YYYY-MM-DD [-l DIR]\n\n"
	"Prints the waiver that excuses a finding, to be added under 'waivers:' of the\n"
	"site file; nothing else is changed. Flows it covers are recorded as before,\n"
	"their finding says by whom it is waived, until the day is over.\n\n"
	"      --owner WHO       who answers for it\n"
	"      --reason WHY      why it is to stay\n"
	"      --expires DAY     its last day, YYYY-MM-DD (UTC)\n" LOG_HELP
	"  -h, --help            this text\n\n"
	"  tlmon waive F17 --owner netops --reason 'local clock until firmware 4.5' \\\n"
	"        --expires 2026-12-31 >> waivers-to-add.yaml\n";

struct waiver_words {
	const char *dir, *owner, *reason, *expires;
};

struct target {
	struct finding_row row;
	char unit[NAME_MAX_LEN + 1];
	bool found;
	struct waiver_draft draft;
};

static void stanza_put(struct target *target, const struct waiver_words *words)
{
	const char *unit = target->unit;
	struct waiver_pairs pairs;

	target->draft.units = &unit;
	target->draft.unit_count = 1;
	target->draft.owner = words->owner;
	target->draft.reason = words->reason;
	target->draft.expires = words->expires;
	waiver_draft_pairs(&target->draft, &pairs);
	yaml_put_item(stdout, pairs.pairs, pairs.count, 2);
}

static int note(void *context, const struct finding_view *finding, struct err *err)
{
	struct target *target = context;

	target->found = true;
	target->row = finding->row;
	text_copy(target->unit, sizeof(target->unit), finding->unit);
	target->draft.row = &target->row;
	return 1;
}

static int find(const char *dir, int64_t id, struct target *target, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	int r = flowdb_open(data_dir(dir), FLOWDB_READ, &db, err);

	if (r >= 0)
		r = finding_by_id(db, id, note, target, err);
	if (r >= 0 && !target->found)
		r = err_set(err, -ENOENT,
		            "no finding F%lld in %s/flows.db; 'tlmon findings' lists them",
		            (long long)id, data_dir(dir));
	if (r >= 0)
		r = waiver_draft_ports(db, id, &target->draft, err);
	return r < 0 ? r : flowdb_check(db, err);
}

/* Pasted from an advice, the word stands there still. */
static bool is_open(const char *text, const char *word)
{
	return !text || !text[strspn(text, " \t\r\n")] || !strcmp(text, word);
}

static int check_words(const struct waiver_words *words, int64_t *ret_expires_us,
                       struct err *err)
{
	if (is_open(words->owner, WAIVER_OWNER_OPEN) ||
	    is_open(words->reason, WAIVER_REASON_OPEN) || is_open(words->expires, "YYYY-MM-DD"))
		return err_set(
			err, -EINVAL,
			"a waiver needs an owner, a reason and an expiry: --owner WHO --reason WHY "
			"--expires YYYY-MM-DD");
	if (time_parse_day_end(words->expires, ret_expires_us) < 0)
		return err_set(err, -EINVAL,
		               "--expires %s: no day; accepted: YYYY-MM-DD, as in 2026-12-31",
		               words->expires);
	return 0;
}

static int waive(const char *text, const struct waiver_words *words)
{
	struct target target = {0};
	int64_t id, expires_us = 0;
	struct err err = {0};
	int r = check_words(words, &expires_us, &err);

	if (r >= 0 && !finding_id_parse(text, &id))
		r = err_set(&err, -EINVAL,
		            "'%s' is no finding; accepted: F17, as 'tlmon findings' lists them",
		            text);
	if (r >= 0)
		r = find(words->dir, id, &target, &err);
	if (r >= 0 && target.row.kind == KIND_UNLISTED_UNIT)
		r = err_set(
			&err, -EINVAL,
			"F%lld is a host on no list: add %s under 'units:' of the site file",
			(long long)id, target.unit);
	if (r < 0)
		return log_err(&err);
	stanza_put(&target, words);
	if (expires_us < target.row.last_us)
		log_warning(
			"it expires before the last flow of F%lld: it would excuse only earlier ones",
			(long long)id);
	if (*target.row.waiver)
		log_warning("F%lld is waived already, by %s", (long long)id, target.row.waiver);
	log_note("add this under 'waivers:' of the site file (-c), then restart 'tlmon watch'");
	return EXIT_FINE;
}

int cmd_waive(int argc, char **argv)
{
	enum { OWNER = OPTION_LAST, REASON, EXPIRES };
	static const struct option LONG[] = {{"owner", required_argument, NULL, OWNER},
	                                     {"reason", required_argument, NULL, REASON},
	                                     {"expires", required_argument, NULL, EXPIRES},
	                                     {"log", required_argument, NULL, 'l'},
	                                     {"help", no_argument, NULL, 'h'},
	                                     {0}};
	struct command_line line = {.command = "waive", .options = LONG};
	struct waiver_words words = {0};
	struct err err = {0};
	int option;

	while ((option = command_line_next(&line, argc, argv, &err)) != 0) {
		switch (option) {
		case OWNER:
			words.owner = optarg;
			break;
		case REASON:
			words.reason = optarg;
			break;
		case EXPIRES:
			words.expires = optarg;
			break;
		case 'l':
			words.dir = optarg;
			break;
		case 'h':
			fputs(HELP, stdout);
			return EXIT_FINE;
		default:
			return log_err(&err);
		}
	}
	if (argc - optind != 1) {
		log_error(
			"waive: one finding is wanted, as in F17; 'tlmon waive --help' says how");
		return EXIT_USAGE;
	}
	return waive(argv[optind], &words);
}
