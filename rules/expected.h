/*
 * expected.h - what the rows of a policy expect, field by field, in words: "50000-50019", "rtp, rtcp or stun". They are
 * said of every flow outside, so they are printed once, when the policy is loaded.
 */
#ifndef RULES_EXPECTED_H
#define RULES_EXPECTED_H

#include "rules/policy.h"

/* Fills policy->expected from its rows, narrowed as they are by then. 0 or -ENOMEM. */
int expected_build(struct policy *policy) MUST_CHECK;

static inline const struct expected *expected_of(const struct policy *policy, unsigned row,
                                                 unsigned form)
{
	return &policy->expected[row * FORMS_MAX + form];
}

#endif
