/*
 * query.h - what commands that read the flow database share: the options that narrow an answer, the
 * window they mean, and the lines that head it.
 */
#ifndef MONITOR_COMMANDS_QUERY_H
#define MONITOR_COMMANDS_QUERY_H

#include "monitor/commands/options.h"
#include "monitor/commands/out.h"
#include "schema/flowdb_upkeep.h"

enum {
	QUERY_SINCE = 512,
	QUERY_UNTIL,
	QUERY_UNIT,
	QUERY_ROW,
	QUERY_PEER,
	QUERY_LIMIT,
	QUERY_KIND,
	QUERY_SEVERITY,
	QUERY_LAST
};

#define QUERY_LONG \
	{"log", required_argument, NULL, 'l'}, {"output", required_argument, NULL, 'o'}, \
		{"wide", no_argument, NULL, 'w'}, \
		{"since", required_argument, NULL, QUERY_SINCE}, \
		{"until", required_argument, NULL, QUERY_UNTIL}, \
		{"unit", required_argument, NULL, QUERY_UNIT}, \
		{"row", required_argument, NULL, QUERY_ROW}, \
		{"peer", required_argument, NULL, QUERY_PEER}, \
		{"limit", required_argument, NULL, QUERY_LIMIT}, \
		{"kind", required_argument, NULL, QUERY_KIND}, \
		{"severity", required_argument, NULL, QUERY_SEVERITY}, \
	{ \
		"help", no_argument, NULL, 'h' \
	}
#define QUERY_HELP \
	LOG_HELP \
	"  -o, --output FORMAT   table (the default), json, jsonl or csv\n" \
	"  -w, --wide            on a terminal too let the table be as wide as it likes\n" \
	"      --since T         what goes on at T or later: 2h (ago), 09:30,\n" \
	"                        2026-11-22T09:30; local, or with Z or +01:00 behind it.\n" \
	"                        In a recording, ago counts back from its last packet\n" \
	"      --until T         what goes on at T or earlier; --since 22:00 with\n" \
	"                        --until 06:00 is last night\n" \
	"      --unit WHO        a unit's name, or an address it had\n" \
	"      --row ROW         documented by this row, or nearest to it\n" \
	"      --peer CIDR       the far end: 52.112.0.0/14, 2603:1063::/39, 10.0.0.9\n" \
	"      --kind KIND       what is wrong: local-port, peer, blocked-silent, ...\n" \
	"      --severity LEVEL  at least this: info, low, medium, high\n" \
	"      --limit N         the first N only\n"

struct query_options {
	const char *dir, *since, *until, *unit, *row, *peer;
	enum out_format format;
	uint8_t kind, severity;
	uint64_t limit;
	bool wide;
};

/* Takes the option if it is one of QUERY_*: 1 taken, 0 not mine, negative errno with err filled. */
int query_option(struct query_options *options, int option, const char *value,
                 struct err *err) MUST_CHECK;

struct query {
	struct flowdb *db;
	struct span span;
	struct flow_query flow;
	struct whole whole; /* flows outside are not all here any more */
	int64_t now_us;    /* what "ago" counts back from: the wall clock, in a recording its last packet */
	bool relative;     /* the window was counted back from the last packet */
	char filters[400]; /* ", only what 'udp port 53' lets through"; "" */
	unsigned filters_told;
};
/* Opens the database and makes out what is asked for; unknown units, rows, prefixes are refused. */
int query_open(const struct query_options *options, struct query *ret_query,
               struct err *err) MUST_CHECK;
void query_release(struct query *query);

/* The lines above a table: the window in local time and UTC, and what the database covers. */
void query_head(const struct query *query, struct out *out);
/*
 * Below the answer. Where there was no row it says so, and what was looked at; `what` is
 * "flows", "findings". Returns as flowdb_check() does.
 */
int query_foot(const struct query *query, struct out *out, const char *what,
               struct err *err) MUST_CHECK;

/* That nothing was recorded in the window, and what was. */
void query_say_outside(const struct query *query);

/* One finding by its id, whatever its state. No such one: `each` is not called. */
int finding_by_id(struct flowdb *db, int64_t id,
                  int (*each)(void *context, const struct finding_view *finding,
                              struct err *err),
                  void *context, struct err *err) MUST_CHECK;

/* What makes a word of `count` things out of that of one: "s", "". */
static inline const char *plural(uint64_t count)
{
	return count == 1 ? "" : "s";
}

/* "F17" -> 17; false if it is no such word. */
bool finding_id_parse(const char *text, int64_t *ret_id);
/* "81234"; false if it is no number of a flow. */
bool flow_id_parse(const char *text, int64_t *ret_id);

/* "10.0.0.1:53", "[2001:db8::1]:443", a bare address for ICMP. Returns `buf`. */
#define END_TEXT (ADDR_TEXT + 10)
const char *end_print(const struct endpoint *end, uint8_t transport, char buf[END_TEXT]);
bool transport_has_ports(uint8_t transport);

#endif
