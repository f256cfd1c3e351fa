/*
 * firewall.h - what opens a documented row that the network closes: commands for 'nft -f' that put rules into the
 * chain `forward` of the table `inet filter`, and one plain sentence. No more is opened than the row documents, for
 * the unit and the peers that were turned away. A pure function.
 */
#ifndef RULES_FIREWALL_H
#define RULES_FIREWALL_H

#include "rules/policy.h"

/* A way that is closed for a unit: what was tried, and what became of it. */
struct closed_way {
	uint8_t kind; /* KIND_BLOCKED_SILENT, KIND_BLOCKED_PROHIBITED, KIND_REFUSED */
	uint8_t transport, direction, icmp_type, icmp_code;
	uint16_t local_port, remote_port;
	struct addr local, remote;
	struct addr sender; /* of the ICMP error; zero: none */
};

/* Ways of one unit that the same rows document. */
struct firewall_ask {
	const uint16_t *rows; /* of the policy, best first */
	size_t row_count;
	const struct addr *locals; /* what addresses the unit has, beside those of the ways */
	size_t local_count;
	const struct closed_way *ways; /* one at least */
	size_t way_count;
};

/* Beyond so many prefixes those alone that hold the peers of the ways: Microsoft's list has hundreds. */
#define FIREWALL_HOLDERS_MAX 16

/* Whether no filter on the way does it: the end that was asked says no itself, or a proxy of the site. */
bool way_is_refused(const struct policy *policy, const struct closed_way *way);

/*
 * For ways of which none is refused. *ret_lines, each ended by \n, are whole in themselves: what lets the answers
 * through is among them. NULL where a rule cannot help: on one link nothing is forwarded. Both are the caller's.
 */
int firewall_open(const struct policy *policy, const struct firewall_ask *ask, char **ret_say,
                  char **ret_lines, struct err *err) MUST_CHECK;
/* The sentence for ways that are. The caller's. */
int firewall_refused(const struct policy *policy, const struct firewall_ask *ask,
                     char **ret_say, struct err *err) MUST_CHECK;

#endif
