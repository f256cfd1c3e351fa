/*
 * tuple.h - a flow written by hand, judged without any capture:
 *   udp 10.1.2.3:50063 > 52.112.1.9:50011 app=rtp media=audio
 * The unit stands on the left. `>`: opened by the left, `<`: by the right, `<>`: unknown. IPv6 in
 * brackets. What is not said is taken as seen enough of: both sides spoke, many packets.
 */
#ifndef MONITOR_COMMANDS_TUPLE_H
#define MONITOR_COMMANDS_TUPLE_H

#include "monitor/commands/options.h"
#include "rules/judge.h"

struct tuple {
	struct flow_facts facts;
	struct view view; /* borrows facts and the names: a tuple is not copied */
	char name[NAME_MAX_LEN + 1];
	char bound[NAME_MAX_LEN + 1]; /* bound to the peer by DNS */
	unsigned tries;               /* requests without an answer; 0: not said */
	int64_t after_us;             /* from the first of them to the last; -1: not said */
};

#define TUPLE_HELP \
	"  TRANSPORT UNIT:PORT (>|<|<>) PEER:PORT [WORD=VALUE]...   a flow by hand:\n" \
	"     > opened by the unit, < by the peer, <> unknown; IPv6 as [2001:db8::1]:443\n" \
	"     app=rtp|tls|...  media=audio|video|data|mixed  name=SNI or host  ice=yes|no\n" \
	"     bound=NAME (a DNS answer gave the peer this name)  not=tls,http,...\n" \
	"     outcome=answered|unanswered|refused|prohibited|one-sided\n" \
	"     tries=N  after=SECONDS   how often it was asked and for how long, where\n" \
	"     the outcome is no answer (3 times within 7 s, if nothing is said)\n" \
	"     evidence=dissector|inspected\n" \
	"     connect=PORT   asked of a web proxy; name= is then the host asked for\n"

/*
 * Reads `text` into *ret; its view has no profiles yet. Returns 0, or -EINVAL with err naming the
 * word that is wrong and what is accepted; *ret is then undefined.
 */
int tuple_parse(const char *text, struct tuple *ret, struct err *err) MUST_CHECK;
/*
 * Loads the policy that judges the tuple: the options', with the left address as a unit under
 * --profile where no unit holds it. Sets the view's unit and profiles.
 */
int tuple_policy(struct tuple *tuple, const struct policy_options *options,
                 struct policy **ret_policy, struct err *err) MUST_CHECK;

/* Judges `text` and prints verdict, rows and every row tried, as text or one JSON object; returns the exit code. */
int explain_tuple(const char *text, const struct policy_options *options, bool json);

#endif
