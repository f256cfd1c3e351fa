/*
 * query.h - what commands that read the flow database share: the databases opened, the window that is meant,
 * and the lines above and below an answer. The options stand in query_options.h.
 */
#ifndef MONITOR_COMMANDS_QUERY_H
#define MONITOR_COMMANDS_QUERY_H

#include "monitor/commands/query_options.h"
#include "schema/flowdb_upkeep.h"

struct query {
	struct flowdb *db; /* of several sensors the first, and all of them: flowdb_nth() */
	size_t sensors;
	struct span span; /* of all together */
	struct flow_query flow;
	struct whole whole; /* flows outside are not all here any more */
	int64_t now_us;    /* what "ago" counts back from: the wall clock, in a recording its last packet */
	bool relative;     /* the window was counted back from the last packet */
	char filters[400]; /* ", only what 'udp port 53' lets through"; "" */
	unsigned filters_told;
	const struct query_options *options;
	struct flow_filter filter;
	struct capture_words *words; /* of the filter; NULL */
};
/*
 * Opens the databases and makes out what is asked for; unknown units, rows, fields, times are refused. The
 * options must outlive it.
 */
int query_open(const struct query_options *options, struct query *ret_query,
               struct err *err) MUST_CHECK;
void query_release(struct query *query);
/* The same question to the nth database alone, as long as `query` lives; counted from 0. */
int query_nth(const struct query *query, size_t n, struct query *ret, struct err *err) MUST_CHECK;
int64_t wall_clock_us(void);
/* Nothing asked for but all there is: no window. */
bool query_has_window(const struct query *query);

/* As out_new(), in the format asked for to stdout; of several sensors with a column `sensor` before all. */
int query_out(const struct query *query, const struct out_column *columns, size_t count,
              struct out **ret_out, struct err *err) MUST_CHECK;
/* The first cell of a row, where there is such a column. */
void query_sensor(struct out *out, const char *sensor);

/* The lines above a table: the window in local time and UTC, and what the database covers. */
void query_head(const struct query *query, struct out *out);
/*
 * Below the answer. Where there was no row it says so, what was looked at, and when we were blind meanwhile;
 * else how often we were. `what` is "flows", "findings". Returns as flowdb_check() does.
 */
int query_foot(const struct query *query, struct out *out, const char *what,
               struct err *err) MUST_CHECK;
/* The same where what was asked for are not the rows of the answer: there were `count` of them. */
int query_foot_of(const struct query *query, struct out *out, const char *what, uint64_t count,
                  struct err *err) MUST_CHECK;

/* The part of it that is about rows; `outside`: nothing was recorded in the window. */
void query_end(const struct query *query, struct out *out, const char *what, bool outside);

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

/* Refuses the number of a flow (81234) or finding (F17) that the one database asked does not hold: -ENOENT. */
int query_no_such(const struct query *query, const char *word, struct err *err);

/* "F17" -> 17; false if it is no such word. */
bool finding_id_parse(const char *text, int64_t *ret_id);
/* "81234"; false if it is no number of a flow. */
bool flow_id_parse(const char *text, int64_t *ret_id);

/* "10.0.0.1:53", "[2001:db8::1]:443", a bare address for ICMP. Returns `buf`. */
#define END_TEXT (ADDR_TEXT + 10)
const char *end_print(const struct endpoint *end, uint8_t transport, char buf[END_TEXT]);
bool transport_has_ports(uint8_t transport);

#endif
