/*
 * score.h - one flow held against one row, field by field. What follows from the flow alone is
 * worked out once, in a struct scorer; a struct score is what one row answers. Shared by the
 * files that make a verdict of scores: judge.c, nearest.c, severity.c, outcome.c, sentence.c.
 */
#ifndef RULES_SCORE_H
#define RULES_SCORE_H

#include "rules/judge.h"

struct scorer {
	const struct policy *policy;
	const struct view *view;
	const struct endpoint *local, *remote;
	enum direction direction; /* as seen, also by the first packet alone */
	bool direction_firm;      /* ... and known well enough to hold against a row */
	bool media;   /* certain media: its kind is known, or it is RTP or RTCP all the same */
	bool certain; /* a dissector of ours named the application */
	uint16_t app; /* ... which it is, to whoever is the peer: CONNECT to no proxy of ours is HTTP */
	bool ice;     /* the peer answered an ICE check */
	bool probe;   /* an ICE probe nobody answered (domain.md 3.3) */
	bool group;   /* the peer is a multicast or broadcast address: no host */
	bool claim;   /* the flow carries a name of its peer: SNI, HTTP host */
	bool proxied; /* it goes through the site's web proxy: the peer is the host asked for, ... */
	bool tunnel;   /* ... by CONNECT, and what goes through it is not known */
	uint16_t port; /* the remote port, or the one asked for there; 0: not known (proxied alone) */

	uint32_t listed;  /* roles that list the peer's address */
	uint32_t bound;   /* roles one of whose names DNS bound to it */
	uint32_t claimed; /* roles one of whose names the flow's own name is */
	uint32_t outside; /* roles outside of which some name of the peer lies */
	uint32_t anyone;  /* roles everybody holds */
	uint32_t places;  /* roles that are no identity: `any`, the unit's own subnet */
	uint32_t clients; /* roles an answered ICE check proves */
	uint8_t role_fit[ROLES_MAX]; /* enum fit of the peer under each role */
};

#define ICE_PROBE_PACKETS 15 /* domain.md 3.3: fewer, and only requests */
#define FEW_PACKETS \
	3 /* with payload: fewer settle neither RTP nor a framed stream (domain.md 1.9) */

/* What the names of a flow and its peer say of roles: as in struct scorer. */
struct names_said {
	uint32_t claim, claimed, bound, outside;
};
void scorer_names(const struct policy *policy, const struct view *view, struct names_said *ret);
/* The broadcast address of a subnet of IPv4. */
bool is_broadcast_of(const struct prefix *subnet, const struct addr *addr);
/* Ports that the judge knows beside those of the rows, one after the other; false: there are no more. */
bool judge_known_port(size_t i, uint16_t *ret_port);
bool innocent_port(size_t i, uint16_t *ret_port);

void scorer_init(struct scorer *s, const struct policy *policy, const struct view *view);
/* As much of it as the words of what was seen need, of a flow whose direction is known by now. */
void scorer_init_seen(struct scorer *s, const struct policy *policy, const struct view *view,
                      enum direction direction);
/* Where the peer is the site's web proxy: the host and port asked for take its place (proxy.c). */
void scorer_proxy(struct scorer *s);
enum fit scorer_proxy_role(const struct scorer *s, unsigned role);
/* How the peer answers to one role (judge.h, judge_role()). */
static inline enum fit scorer_role(const struct scorer *s, unsigned role)
{
	return (enum fit)s->role_fit[role];
}
/* Walks the roles of a mask, lowest first. */
#define FOR_ROLES(role, mask) \
	for (uint32_t left_ = (mask); \
	     left_ && ((role) = (unsigned)__builtin_ctz(left_), true); left_ &= left_ - 1)
/* Whether the site file itself names the peer under one of the roles. */
bool scorer_named_by_site(const struct scorer *s, uint32_t roles);
/* Whether the peer is known to share the unit's own segment: subnet, link-local, any group. */
bool scorer_on_segment(const struct scorer *s);
bool scorer_is_by_proxy(const struct scorer *s, const struct row_form *form);
/* Whether the flow is screen sharing sent as video, from the ports of sharing (domain.md A20). */
bool scorer_is_vbss(const struct scorer *s, const struct row *row, const struct row_form *form);

/* Scores the row by the best of its forms. `refused` is left false: that takes all rows. */
void scorer_row(const struct scorer *s, unsigned row, struct score *ret);
void scorer_form(const struct scorer *s, unsigned row, unsigned form, struct score *ret);

/* Negative if `a` comes first, 0 if they tie but for the order of rows. */
int score_compare_matches(const struct score *a, const struct score *b);
int score_compare_misses(const struct score *a, const struct score *b);

static inline const struct row_form *score_form(const struct scorer *s,
                                                const struct score *score)
{
	return &s->policy->rows[score->row].form[score->form];
}

/* Whether the peer is a host that a web proxy was asked for, and is known by that name. */
static inline bool scorer_is_asked_for(const struct scorer *s)
{
	return s->proxied && s->claim;
}
/*
 * Appends "10.0.0.9 (host.example)", or "10.0.0.9:53 (host.example)" with `port`; of a host that a proxy
 * was asked for "host.example" and "host.example:443".
 */
void scorer_print_peer(const struct scorer *s, bool port, char *buf, size_t size);
/* Fills nearest, kind of a flow outside; `scores` are the nearest rows, best first. The words are still to be said. */
void nearest_fill(const struct score *scores, unsigned count, struct verdict *verdict);
void nearest_say(const struct scorer *s, struct verdict *verdict);
/* Sets severity and, where a special reading decides it, reason of a flow outside. */
void severity_fill(const struct scorer *s, const struct score *nearest,
                   struct verdict *verdict);

#endif
