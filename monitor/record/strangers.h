/*
 * strangers.h - hosts on no list of units that look like room systems all the same: by the maker's
 * MAC, or by a name that only units ask for. At most STRANGERS_MAX; past that they are counted.
 */
#ifndef MONITOR_RECORD_STRANGERS_H
#define MONITOR_RECORD_STRANGERS_H

#include "rules/policy.h"

#define STRANGERS_MAX 1024

struct stranger {
	struct addr addr;
	struct mac mac;
	char name[NAME_MAX_LEN + 1]; /* the unit's name it asked for or contacted; "" */
	int64_t first_us, last_us;
	uint64_t flows;
	bool by_oui;
};

struct strangers {
	struct stranger list[STRANGERS_MAX];
	size_t count;
	uint64_t refused;
};

/*
 * One flow that is over, with the name seen in it (""). If its end `end` looks like a unit it is
 * written down, and found again in the list; NULL if it does not, or there is no place left. `mac_tells`:
 * its MAC is not known to be a router's.
 */
struct stranger *strangers_note(struct strangers *strangers, const struct policy *policy,
                                const struct flow_facts *facts, const char *name, unsigned end,
                                bool mac_tells);

#endif
