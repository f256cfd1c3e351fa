/*
 * flowtab_lists.c - see flowtab.h: the lists on which some flows are besides: the untold, and the young.
 */
#include "monitor/capture/flowtab_parts.h"

#include <assert.h>

void flowtab_told(struct flowtab *tab, struct flow *flow)
{
	if (!flow->untold)
		return;
	flow->untold = 0;
	tab->untold_count--;
	if (flow->idle == IDLE_OVER)
		return; /* on that list it stays until it is removed */
	if (flow->untold_older)
		flow_of(tab, flow->untold_older)->untold_newer = flow->untold_newer;
	else
		tab->untold.oldest = flow->untold_newer;
	if (flow->untold_newer)
		flow_of(tab, flow->untold_newer)->untold_older = flow->untold_older;
	else
		tab->untold.newest = flow->untold_older;
}

void flowtab_untold(struct flowtab *tab, struct flow *flow, uint64_t number)
{
	assert(flow->idle != IDLE_OVER);
	flowtab_told(tab, flow);
	flow->untold = number;
	tab->untold_count++;
	flow->untold_newer = 0;
	flow->untold_older = tab->untold.newest;
	if (tab->untold.newest)
		flow_of(tab, tab->untold.newest)->untold_newer = number_of(tab, flow);
	else
		tab->untold.oldest = number_of(tab, flow);
	tab->untold.newest = number_of(tab, flow);
}

struct flow *flowtab_oldest_over(struct flowtab *tab)
{
	return flow_of(tab, tab->over.oldest);
}

struct flow *flowtab_oldest_untold(struct flowtab *tab)
{
	struct flow *over = flowtab_oldest_over(tab), *live = flow_of(tab, tab->untold.oldest);

	return !over || (live && live->untold < over->untold) ? live : over;
}

uint32_t flowtab_untold_count(const struct flowtab *tab)
{
	return tab->untold_count;
}

/* -------------------------------------------------------------- the young */

static struct list *young_list(struct flowtab *tab, const struct flow *flow)
{
	return flow->staying ? &tab->staying : &tab->young;
}

static void young_append(struct flowtab *tab, struct flow *flow)
{
	struct list *list = young_list(tab, flow);
	uint32_t number = number_of(tab, flow);

	flow->young_newer = 0;
	flow->young_older = list->newest;
	if (list->newest)
		flow_of(tab, list->newest)->young_newer = number;
	else
		list->oldest = number;
	list->newest = number;
}

static void young_unlink(struct flowtab *tab, struct flow *flow)
{
	struct list *list = young_list(tab, flow);

	if (flow->young_older)
		flow_of(tab, flow->young_older)->young_newer = flow->young_newer;
	else
		list->oldest = flow->young_newer;
	if (flow->young_newer)
		flow_of(tab, flow->young_newer)->young_older = flow->young_older;
	else
		list->newest = flow->young_older;
}

bool flowtab_make_young(struct flowtab *tab, struct flow *flow)
{
	union young_slot *slot;

	if (flow->young)
		return true;
	if (tab->young_free) {
		slot = &tab->youth[tab->young_free - 1];
		tab->young_free = slot->next;
	} else if (tab->young_fresh < tab->limits.young) {
		slot = &tab->youth[tab->young_fresh++];
	} else {
		return false;
	}
	memset(slot, 0, sizeof(*slot));
	flow->young = &slot->young;
	flow->staying = false;
	young_append(tab, flow);
	return true;
}

void flowtab_make_old(struct flowtab *tab, struct flow *flow)
{
	union young_slot *slot = (union young_slot *)flow->young;

	if (!slot)
		return;
	assert(!stream_waits(&slot->young.stream[0]) && !stream_waits(&slot->young.stream[1]));
	young_unlink(tab, flow);
	slot->next = tab->young_free;
	tab->young_free = (uint32_t)(slot - tab->youth) + 1;
	flow->young = NULL;
}

void flowtab_stay_young(struct flowtab *tab, struct flow *flow)
{
	young_unlink(tab, flow);
	flow->staying = true;
	young_append(tab, flow);
}

struct flow *flowtab_oldest_staying(struct flowtab *tab)
{
	return flow_of(tab, tab->staying.oldest);
}

struct flow *flowtab_oldest_young(struct flowtab *tab)
{
	return flow_of(tab, tab->young.oldest);
}
