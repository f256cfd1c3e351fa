/*
 * cmd_names.c - which address held which name, as DNS answers said.
 */
#include "monitor/commands.h"
#include "monitor/commands/query.h"
#include "monitor/log.h"
#include "schema/time.h"

static const struct query_command COMMAND = {
	.name = "names",
	.has = HAS_ANSWER | HAS_WINDOW | HAS(UNIT) | HAS(PEER) | HAS(NAME) | HAS(SORT) |
               HAS(LIMIT),
	.usage = "[-l DIR] [-o FORMAT] [--since T] [--name NAME] [...]",
	.about =
		"Lists DNS answers: which name an address held, who had asked, which server said\n"
		"so, from the first answer to the last, and until when that held (its time to\n"
		"live). A window takes in what held in it. --unit is who asked, --peer the\n"
		"address named.\n\n",
	.examples = "What was 52.112.1.9 called last night?\n"
		    "  tlmon names --peer 52.112.1.9 --since 22:00 --until 06:00\n"
		    "Which addresses were Skype for Business Online's?\n"
		    "  tlmon names --name '*.lync.com'\n",
};

/* The names of the columns are fixed: scripts rely on them. */
static const struct out_column COLUMNS[] = {
	{"name", "NAME", OUT_CUT},
	{"address", "ADDRESS", 0},
	{"client", NULL, 0},
	{"unit", NULL, 0},
	{NULL, "CLIENT", OUT_CUT_NEXT},
	{"server", "SERVER", OUT_CUT_FIRST},
	{"first", NULL, 0},
	{"last", NULL, 0},
	{"until", NULL, 0},
	{NULL, "FIRST", 0},
	{NULL, "UNTIL", 0},
};

static int put_name(void *context, const struct name_view *name, struct err *err)
{
	const struct name_row *row = &name->row;
	struct out *out = context;
	char text[TIME_TEXT + ADDR_TEXT];

	query_sensor(out, name->sensor);
	out_text(out, row->name);
	out_text(out, addr_print(&row->address, text));
	out_text(out, addr_print(&row->client, text));
	out_text(out, name->client_unit);
	out_text(out, name->client_unit ? name->client_unit : text);
	out_text(out, addr_print(&row->server, text));
	out_text(out, time_print(row->first_us, text));
	out_text(out, time_print(row->last_us, text));
	out_text(out, time_print(row->until_us, text));
	out_text(out, time_print_local(row->first_us, text) + 5);
	out_text(out, time_print_local(row->until_us, text) + 5);
	return out_end(out, err);
}

static int list_names(struct query *query, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	int r = query_out(query, COLUMNS, ARRAY_LEN(COLUMNS), &out, err);

	if (r < 0)
		return r;
	query_head(query, out);
	r = flowdb_names(query->db, &query->flow, put_name, out, err);
	if (r >= 0)
		r = out_finish(out, err);
	return r ? r : query_foot(query, out, "names", err);
}

int cmd_names(int argc, char **argv)
{
	struct query_options options;
	struct query query = {0};
	struct err err = {0};
	int r = query_command_line(&COMMAND, argc, argv, &options, &err);

	if (r > 0)
		return EXIT_FINE;
	if (r >= 0 && options.narrow.sort)
		r = query_fields(&options, THING_NAMES, &err);
	if (r >= 0)
		r = query_open(&options, &query, &err);
	if (r < 0)
		return log_err(&err);
	r = list_names(&query, &err);
	query_release(&query);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
