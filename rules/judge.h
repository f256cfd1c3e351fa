/*
 * judge.h - facts and policy -> verdict, nearest rows, differing fields. A pure function: no clock,
 * no I/O, no globals (design.md 5). What the recorder knows beside the flow's own facts comes in a
 * struct view.
 */
#ifndef RULES_JUDGE_H
#define RULES_JUDGE_H

#include "rules/policy.h"

#define BOUND_MAX 8

struct view {
	const struct flow_facts *facts;
	const char *name; /* seen in the flow: SNI, HTTP host, DNS question; "" */
	uint8_t local;    /* which end of the facts is the unit's: 0, 1 */
	uint16_t app; /* after the join: a dissector's, else nDPI's opinion, else APP_NONE */
	uint8_t evidence;             /* enum evidence of app */
	uint32_t profiles;            /* the unit's: mask */
	const struct unit_rule *unit; /* may be NULL (a tuple written by hand) */

	/* from the book of names and leases */
	/* names a dns-server's answer bound to the peer for this unit */
	const char *bound[BOUND_MAX];
	uint8_t bound_count;
	uint32_t
		bound_roles; /* roles some name of which was bound to any address for this unit */
	uint32_t learnt_roles; /* roles the peer was learnt to hold (DHCP) */
	uint32_t learnt_any;   /* roles for which anybody was learnt */
	bool subnet_known;
	struct prefix subnet; /* the unit's own, from its lease */

	bool inspector_off; /* no inspector was there to ask */
	bool lossy;         /* packets were lost meanwhile: that no answer was seen says nothing */
	/* The same was asked again in another flow of the unit, and not answered there either. */
	bool asked_again;
};

/* Fills *ret whole; every flow gets a ruling. */
void judge_flow(const struct policy *policy, const struct view *view, struct verdict *ret);
/*
 * In what the nearest rows differ from the flow, in words: fills what a verdict out of the judge's memory (memo.h) lacks.
 * `verdict` is of this flow or of one that the judge cannot tell from it.
 */
void judge_words(const struct policy *policy, const struct view *view, struct verdict *verdict);

enum fit { FIT_MISMATCH, FIT_UNKNOWN, FIT_MATCH };
/* How the peer of a flow answers to one role: proven, unknown, wrong (design.md 4, "Who is the peer?"). */
enum fit judge_role(const struct policy *policy, const struct view *view, unsigned role);

/* What one row answers to a flow, by the best of its forms. */
struct score {
	uint16_t row;
	uint8_t form;
	uint8_t fit[FIELD_COUNT]; /* enum fit; unknown is no difference */
	uint8_t misses;           /* how many fields differ */
	uint8_t first;            /* the first of them; FIELD_COUNT: none */
	uint8_t grade; /* enum grade where none differs; GRADE_NONE then: undetermined */
	bool proven;   /* the peer is proven under a named role of the row, ... */
	int8_t role;   /* ... this one; -1 */
	bool claimed;  /* the flow's own name is one of a role of the row */
	bool refused;  /* nothing differs, but the row may not excuse this local port */
	uint16_t local_ports, remote_ports; /* how many it allows, less one */
};
/* How row `row` of the policy answers, as judge_flow() sees it; for those who explain a verdict. */
void judge_row(const struct policy *policy, const struct view *view, unsigned row,
               struct score *ret);

/*
 * What became of a documented flow: sets kind blocked-*, refused and its severity in *verdict where
 * design.md 5 allows the claim. `two_way` says that the unit had a two-way flow within ten minutes.
 * Returns true where only that is missing: hold the flow and ask again.
 */
bool judge_outcome(const struct policy *policy, const struct view *view, bool two_way,
                   struct verdict *verdict);

#define REASON_MAX 768
/*
 * The sentence a person reads: "UDP audio from local port 50063 to 52.112.1.9:50011: online.out.audio
 * allows local ports 50000-50019". Deterministic, one line. Returns `buf`.
 */
const char *judge_sentence(const struct policy *policy, const struct view *view,
                           const struct verdict *verdict, char *buf, size_t size);

#endif
