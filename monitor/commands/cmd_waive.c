/*
 * cmd_waive.c - the waiver that excuses a finding, as YAML for the site file. Waivers live there
 * alone: this prints, it changes nothing.
 */
#include "monitor/commands.h"
#include "monitor/commands/query.h"
#include "monitor/log.h"
#include "schema/time.h"

#include <ctype.h>

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

#define FLOWS_ASKED 1000 /* for their ports */

struct waiver_words {
	const char *dir, *owner, *reason, *expires;
};

struct target {
	struct finding_row row;
	char unit[NAME_MAX_LEN + 1];
	bool found, inbound;
	struct port_set said,
		seen; /* the finding's port in numbers; ports of its flows that are not in it */
	bool many;    /* more of these than a port set holds */
};

/* A plain scalar where no reader could take it for anything else, else a quoted one (JSON's are YAML's). */
static void yaml_put(const char *text)
{
	static const char *const words[] = {"true", "false", "yes", "no", "on",
	                                    "off",  "null",  "y",   "n"};
	bool plain = isalpha((unsigned char)text[0]) &&
	             !isspace((unsigned char)text[strlen(text) - 1]);

	for (const char *c = text; plain && *c; c++)
		plain = isascii(*c) && (isalnum((unsigned char)*c) || strchr("-_./ ", *c));
	for (size_t i = 0; plain && i < ARRAY_LEN(words); i++)
		plain = strcasecmp(words[i], text) != 0;
	if (plain)
		fputs(text, stdout);
	else
		json_put(stdout, text);
}

static void key_put(const char *key, const char *value)
{
	printf("    %s: ", key);
	yaml_put(value);
	putchar('\n');
}

/* Media outside a row's ports is gathered under the row's, so its own are what is to be excused. */
static void ports_put(const struct target *target)
{
	const struct port_set *ports = target->seen.count ? &target->seen : &target->said;
	char text[256];

	if (ports->count && !target->many)
		printf("    %s: [%s]\n", target->inbound ? "local-ports" : "remote-ports",
		       port_set_print(ports, text, sizeof(text)));
}

static void stanza_put(const struct target *target, const struct waiver_words *words)
{
	const struct finding_row *row = &target->row;

	printf("  - units: [");
	yaml_put(target->unit);
	printf("]\n");
	key_put("kind", kind_name((enum kind)row->kind));
	if (*row->row)
		key_put("row", row->row);
	if (*row->remote)
		key_put("remote", row->remote);
	if (row->transport)
		key_put("transport", transport_name(row->transport));
	ports_put(target);
	if (row->app)
		key_put("application", app_name((enum app)row->app));
	key_put("owner", words->owner);
	key_put("reason", words->reason);
	printf("    expires: %s\n", words->expires);
}

/* "3478-3481, 443"; a word ("scan") gives none. */
static void ports_parse(const char *text, struct port_set *ret)
{
	unsigned low, high;
	int used = 0;

	for (; sscanf(text, "%5u%n", &low, &used) == 1 && low <= 65535;
	     text += strspn(text, ", ")) {
		text += used;
		high = low;
		if (sscanf(text, "-%5u%n", &high, &used) == 1)
			text += used;
		if (high < low || high > 65535 ||
		    port_set_add(ret, (uint16_t)low, (uint16_t)high) < 0)
			return;
	}
}

static int note(void *context, const struct finding_view *finding, struct err *err)
{
	struct target *target = context;

	target->found = true;
	target->row = finding->row;
	text_copy(target->unit, sizeof(target->unit), finding->unit);
	ports_parse(finding->row.port, &target->said);
	return 1;
}

/* A finding's port is the unit's where the peer opened the flow. */
static int note_flow(void *context, const struct flow_view *flow, struct err *err)
{
	struct target *target = context;
	uint16_t port;

	target->inbound = flow->direction == DIRECTION_IN;
	port = flow->facts.end[target->inbound ? flow->local : !flow->local].port;
	if (target->said.count && !port_set_has(&target->said, port))
		target->many |= port_set_add(&target->seen, port, port) < 0;
	return 0;
}

static int find(const char *dir, int64_t id, struct target *target, struct err *err)
{
	CLEANUP(flowdb_closep) struct flowdb *db = NULL;
	const struct flow_query flows = {.finding = id, .limit = FLOWS_ASKED};
	int r = flowdb_open(data_dir(dir), FLOWDB_READ, &db, err);

	if (r >= 0)
		r = finding_by_id(db, id, note, target, err);
	if (r >= 0 && !target->found)
		r = err_set(err, -ENOENT,
		            "no finding F%lld in %s/flows.db; 'tlmon findings' lists them",
		            (long long)id, data_dir(dir));
	if (r >= 0)
		r = flowdb_flows(db, &flows, note_flow, target, err);
	return r < 0 ? r : flowdb_check(db, err);
}

static bool is_blank(const char *text)
{
	return !text || !text[strspn(text, " \t\r\n")];
}

static int check_words(const struct waiver_words *words, int64_t *ret_expires_us,
                       struct err *err)
{
	if (is_blank(words->owner) || is_blank(words->reason) || is_blank(words->expires))
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
