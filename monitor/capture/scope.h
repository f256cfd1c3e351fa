/*
 * scope.h - which frames can matter to the units at all, told by their first headers alone: those of a unit, by MAC and by
 * address, and what tells of units (DHCP, ARP, neighbour discovery, questions for names), what may hold
 * one inside (fragments, tunnels, MPLS, PPPoE), what quotes one (ICMP errors), what shows a unit on no list (the maker's
 * MACs, its management's addresses, the first bytes of TLS and of CONNECT, which name whom they want). All else is
 * out of scope. The same test is a program for the kernel (scope_program.h), there a little wider.
 *
 * It only ever grows: an address that is learnt stays. No room for one opens it, and then everything passes.
 */
#ifndef MONITOR_CAPTURE_SCOPE_H
#define MONITOR_CAPTURE_SCOPE_H

#include "monitor/capture/capture.h"

#define SCOPE_LEARNT_MAX 4096
#define SCOPE_OUIS_MAX 8

/* From first to last; an IPv6 address in two numbers. */
struct span4 {
	uint32_t first, last;
};
struct wide {
	uint64_t high, low;
};
struct span6 {
	struct wide first, last;
};

struct scope {
	struct span4 *v4; /* sorted, apart from each other */
	struct span6 *v6;
	uint64_t *macs; /* sorted, in the low 48 bits */
	size_t v4_count, v4_room, v6_count, v6_room, mac_count, mac_room;
	uint32_t ouis[SCOPE_OUIS_MAX]; /* in the high 24 bits */
	unsigned oui_count;
	unsigned learnt; /* addresses since scope_seal() */
	bool open;       /* everything passes */
};

/* NULL when out of memory. */
struct scope *scope_new(void);
void scope_free(struct scope *scope);
void scope_freep(struct scope **scope);
/* Before it is used. 0 or -ENOMEM. */
int scope_add_prefix(struct scope *scope, const struct prefix *prefix) MUST_CHECK;
int scope_add_mac(struct scope *scope, const struct mac *mac) MUST_CHECK;
void scope_add_oui(struct scope *scope, const struct mac *oui);
/* All is added: from here on it may be asked, and takes SCOPE_LEARNT_MAX addresses more without allocating. 0 or -ENOMEM. */
int scope_seal(struct scope *scope) MUST_CHECK;

/* True if the address was not in it: its frames pass from now on. */
bool scope_learn(struct scope *scope, const struct addr *addr);
/* Whether frames with this MAC pass, whatever is in them. */
bool scope_has_mac(const struct scope *scope, const struct mac *mac);
/* What was cut, or is too short to tell, passes. */
bool scope_passes(const struct scope *scope, const struct frame *frame);

#endif
