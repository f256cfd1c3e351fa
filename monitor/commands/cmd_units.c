/*
 * cmd_units.c - who had which address when, and how that is known.
 */
#include "monitor/commands.h"
#include "monitor/commands/query.h"
#include "monitor/log.h"
#include "schema/time.h"

static const struct query_command COMMAND = {
	.name = "units",
	.has = HAS_ANSWER | HAS_WINDOW | HAS(UNIT) | HAS(LIMIT),
	.usage = "[-l DIR] [-o FORMAT] [--since T] [--until T] [--unit WHO]",
	.about =
		"Lists the units, and each address they had: with which MAC, from when to when,\n"
		"and how that is known: by its packets, by the lease that DHCP gave, by its own\n"
		"word (arp/nd). An address that others wrote to and that never spoke is known by\n"
		"none of these. A window takes in addresses seen in it; without one, units on the\n"
		"lists that never showed are there as well, and those whose addresses retention\n"
		"or an archive took ('removed').\n\n"
		"PORTS are the local ports that carried media, or checks for it, in the window,\n"
		"and ever (in brackets): the document asks for 40 at the least. FLOWS are the\n"
		"recorded ones, OPEN is findings.\n\n",
	.examples = "Who had this address last night?\n"
		    "  tlmon units --unit 10.20.0.15 --since 22:00 --until 06:00\n",
};

/* The names of the columns are fixed: scripts rely on them. */
static const struct out_column COLUMNS[] = {
	{"unit", NULL, 0},
	{NULL, "UNIT", OUT_CUT},
	{"profiles", NULL, 0},
	{NULL, "PROFILES", OUT_CUT_FIRST},
	{"listed", NULL, 0},
	{"address", "ADDRESS", OUT_CUT_NEXT},
	{"mac", "MAC", OUT_CUT_FIRST},
	{"known_by", NULL, 0},
	{NULL, "KNOWN BY", OUT_CUT_FIRST},
	{"first", NULL, 0},
	{"last", NULL, 0},
	{NULL, "FIRST", OUT_CUT_FIRST},
	{NULL, "LAST", 0},
	{"media_ports", NULL, 0},
	{"media_ports_ever", NULL, 0},
	{NULL, "PORTS", OUT_RIGHT},
	{"flows", NULL, 0},
	{NULL, "FLOWS", OUT_RIGHT},
	{"findings_open", NULL, 0},
	{NULL, "OPEN", OUT_RIGHT},
};

struct listing {
	struct out *out;
	char unit[256]; /* of the row before */
};

static const char *const KNOWN_BY[] = {"packets", "dhcp", "arp/nd"};

/* Words of the mask, each between `quote`, with `between` between them. */
static const char *known_by_print(uint8_t known_by, const char *quote, const char *between,
                                  char *buf, size_t size)
{
	*buf = '\0';
	for (size_t i = 0; i < ARRAY_LEN(KNOWN_BY); i++)
		if (known_by & BIT(i))
			text_add(buf, size, "%s%s%s%s", *buf ? between : "", quote, KNOWN_BY[i],
			         quote);
	return buf;
}

/* A cell for programs, then the one for people: a unit's own figures stand in its first row alone. */
static void put_count(struct out *out, uint64_t count, bool first)
{
	char text[24] = "";

	out_int(out, (int64_t)count);
	if (first)
		snprintf(text, sizeof(text), "%llu", (unsigned long long)count);
	out_text(out, text);
}

static void put_address(struct out *out, const struct unit_address_row *at)
{
	char text[TIME_TEXT + ADDR_TEXT], list[64];

	out_text(out, addr_print(&at->address, text));
	if (mac_is_zero(&at->mac))
		out_null(out);
	else
		out_text(out, mac_print(&at->mac, text));
	known_by_print(at->known_by, "\"", ",", list, sizeof(list));
	snprintf(text, sizeof(text), "[%s]", list);
	out_raw(out, text);
	out_text(out, known_by_print(at->known_by, "", ", ", list, sizeof(list)));
	out_text(out, time_print(at->first_us, text));
	out_text(out, time_print(at->last_us, text));
	time_print_local(at->first_us, text);
	text[16] = '\0'; /* minutes will do */
	out_text(out, text);
	time_print_local(at->last_us, text);
	text[16] = '\0';
	out_text(out, text);
}

static int put_holding(void *context, const struct holding_view *holding, struct err *err)
{
	struct listing *listing = context;
	bool first = strcmp(listing->unit, holding->unit) != 0;
	struct out *out = listing->out;
	char ports[48] = "";

	text_copy(listing->unit, sizeof(listing->unit), holding->unit);
	query_sensor(out, holding->sensor);
	out_text(out, holding->unit);
	out_text(out, first ? holding->unit : "");
	out_text(out, holding->profiles);
	out_text(out, !first ? "" : holding->listed ? holding->profiles : "(on no list)");
	out_bool(out, holding->listed);
	if (holding->seen) {
		put_address(out, &holding->at);
	} else {
		out_null(out);
		out_null(out);
		out_raw(out, "[]");
		out_text(out, holding->removed ? "removed" : "never seen");
		out_paint(out, OUT_YELLOW);
		out_null(out);
		out_null(out);
		out_text(out, "");
		out_text(out, "");
	}
	out_int(out, (int64_t)holding->media_ports);
	out_int(out, (int64_t)holding->media_ports_ever);
	if (first)
		snprintf(ports, sizeof(ports), "%llu (%llu)",
		         (unsigned long long)holding->media_ports,
		         (unsigned long long)holding->media_ports_ever);
	out_text(out, ports);
	put_count(out, holding->flows, first);
	put_count(out, holding->findings_open, first);
	if (holding->findings_open)
		out_paint(out, OUT_YELLOW);
	return out_end(out, err);
}

static int list_units(struct query *query, struct err *err)
{
	CLEANUP(out_freep) struct out *out = NULL;
	struct listing listing = {0};
	int r = query_out(query, COLUMNS, ARRAY_LEN(COLUMNS), &out, err);

	if (r < 0)
		return r;
	listing.out = out;
	query_head(query, out);
	r = flowdb_holdings(query->db, &query->flow, put_holding, &listing, err);
	if (r >= 0)
		r = out_finish(out, err);
	return r ? r : query_foot(query, out, "units", err);
}

int cmd_units(int argc, char **argv)
{
	struct query_options options;
	struct query query = {0};
	struct err err = {0};
	int r = query_command_line(&COMMAND, argc, argv, &options, &err);

	if (r > 0)
		return EXIT_FINE;
	if (r >= 0)
		r = query_open(&options, &query, &err);
	if (r < 0)
		return log_err(&err);
	r = list_units(&query, &err);
	query_release(&query);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
