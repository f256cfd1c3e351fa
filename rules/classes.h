/*
 * classes.h - ports and addresses that a policy cannot tell apart. Between two borders of its ranges and prefixes,
 * and of those that the judge knows by itself, every question that it asks of one has the answer that it has of the
 * other.
 */
#ifndef RULES_CLASSES_H
#define RULES_CLASSES_H

#include "rules/policy.h"

#define PORTS_DIFFER UINT16_MAX

struct classes {
	uint16_t port[65536];
	/* Of each 256 ports the class that all of them have, or PORTS_DIFFER: no cache of a flood holds the table. */
	uint16_t ports[256];
	uint32_t *v4; /* where classes begin, in order, but for the first */
	struct v6_border {
		uint64_t high, low;
	} * v6;
	size_t v4_count, v6_count;
};

/* 0 or -ENOMEM. The policy is not needed any more. */
int classes_init(struct classes *classes, const struct policy *policy) MUST_CHECK;
void classes_release(struct classes *classes);

uint32_t classes_of_addr(const struct classes *classes, const struct addr *addr);
static inline uint16_t classes_of_port(const struct classes *classes, uint16_t port)
{
	uint16_t all = classes->ports[port >> 8];

	return all == PORTS_DIFFER ? classes->port[port] : all;
}

#endif
