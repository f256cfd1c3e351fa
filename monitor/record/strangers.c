/*
 * strangers.c - see strangers.h.
 */
#include "monitor/record/strangers.h"

static struct stranger *stranger_at(struct strangers *strangers, const struct addr *addr)
{
	struct stranger *stranger;

	for (size_t i = 0; i < strangers->count; i++)
		if (addr_equal(&strangers->list[i].addr, addr))
			return &strangers->list[i];
	if (strangers->count == STRANGERS_MAX) {
		strangers->refused++;
		return NULL;
	}
	stranger = &strangers->list[strangers->count++];
	stranger->addr = *addr;
	return stranger;
}

struct stranger *strangers_note(struct strangers *strangers, const struct policy *policy,
                                const struct flow_facts *facts, const char *name, unsigned end,
                                bool mac_tells)
{
	const struct endpoint *host = &facts->end[end];
	bool by_oui = mac_tells && policy_looks_like_unit(policy, &host->mac, NULL);
	bool by_name =
		facts->initiator == end && *name && policy_looks_like_unit(policy, NULL, name);
	struct stranger *stranger;

	if (!facts->packets[end] || addr_is_unspecified(&host->addr) || (!by_oui && !by_name))
		return NULL;
	stranger = stranger_at(strangers, &host->addr);
	if (!stranger)
		return NULL;
	stranger->mac = host->mac;
	stranger->by_oui |= by_oui;
	if (by_name)
		text_copy(stranger->name, sizeof(stranger->name), name);
	if (!stranger->flows++)
		stranger->first_us = facts->first_us;
	stranger->last_us = facts->last_us;
	return stranger;
}
