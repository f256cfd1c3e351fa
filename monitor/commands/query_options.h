/*
 * query_options.h - THE LIST of options that narrow, order and shape an answer: what each is called, what it
 * takes and what it means stands here once. A command that reads the database says which of them it has.
 */
#ifndef MONITOR_COMMANDS_QUERY_OPTIONS_H
#define MONITOR_COMMANDS_QUERY_OPTIONS_H

#include "monitor/commands/options.h"
#include "monitor/commands/out.h"
#include "schema/flowdb_query.h"

/* Long options; -l, -o, -w and -h go by their letters. */
enum {
	QUERY_LOG = 512,
	QUERY_ONE_LOG, /* in its place, where several databases make no answer */
	QUERY_OUTPUT,
	QUERY_WIDE,
	QUERY_SINCE,
	QUERY_UNTIL,
	QUERY_UNIT,
	QUERY_PEER,
	QUERY_NAME,
	QUERY_PORT,
	QUERY_TRANSPORT,
	QUERY_APPLICATION,
	QUERY_MEDIA,
	QUERY_DIRECTION,
	QUERY_OUTCOME,
	QUERY_VERDICT,
	QUERY_GRADE,
	QUERY_ROW,
	QUERY_KIND,
	QUERY_SEVERITY,
	QUERY_STATE,
	QUERY_CAUSE,
	QUERY_FINDING,
	QUERY_BLIND,
	QUERY_PER_UNIT,
	QUERY_SORT,
	QUERY_COUNT_BY,
	QUERY_LIMIT,
	QUERY_FOLLOW,
	QUERY_LAST /* a command's own options begin here */
};
#define HAS(option) BIT(QUERY_##option - QUERY_LOG)
/* What every command that answers has; what narrows to a window and units. */
#define HAS_ANSWER (HAS(LOG) | HAS(OUTPUT) | HAS(WIDE))
#define HAS_WINDOW (HAS(SINCE) | HAS(UNTIL))

#define UNITS_ASKED_MAX 64

struct query_options {
	const char *dirs[FLOWDBS_MAX]; /* of -l */
	size_t dir_count;
	const char *since, *until;
	const char *units[UNITS_ASKED_MAX + 1]; /* ended by NULL */
	const char *count_by;
	struct flow_query narrow; /* what needs no database to be understood */
	enum out_format format;
	uint8_t state; /* enum finding_state; open unless asked for */
	uint8_t cause; /* enum blind_cause */
	bool wide, per_unit, follow;
	char filter[4096]; /* tcpdump words; "" */
};

/* A command as its users meet it. */
struct query_command {
	const char *name;  /* "flows" */
	uint64_t has;      /* HAS() of THE LIST */
	const char *usage; /* what stands behind the name */
	const char *about; /* what it does; ends with a blank line */
	const char *examples;
	bool filter; /* trailing words are tcpdump's */
};

/*
 * Reads the command line: 0, 1 when help was asked for and printed, or -EINVAL with err filled. Whatever is
 * borrowed lives as long as argv.
 */
int query_command_line(const struct query_command *command, int argc, char **argv,
                       struct query_options *ret, struct err *err) MUST_CHECK;

/* Checks --sort and --count-by against the fields of the thing, and what does not go together. */
int query_fields(const struct query_options *options, enum flowdb_thing thing,
                 struct err *err) MUST_CHECK;

/*
 * For commands with options of their own beside these: appends those of `has` (--help too) to `longs` of
 * OPTIONS_MAX, ended by {0}, prints their help, takes one (1 taken, 0 not one of these, -EINVAL with err filled).
 */
void query_longs(uint64_t has, struct option longs[OPTIONS_MAX]);
void query_help(uint64_t has, FILE *file);
int query_option(struct query_options *options, int option, const char *value,
                 struct err *err) MUST_CHECK;
/* command_line.gathers: -l and --unit of a query may come again. */
bool query_gathers(int option);

#endif
