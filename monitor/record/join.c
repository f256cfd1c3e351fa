/*
 * join.c - see join.h.
 */
#include "monitor/record/join.h"
#include "monitor/idmap.h"

struct join {
	struct idmap opinions; /* flow -> enum app, as a pointer-sized number */
	uint64_t refused;
	uint64_t latest, parted; /* numbers of flows: the highest one with an opinion; see join_parted() */
};

struct join *join_new(size_t max)
{
	struct join *join = calloc(1, sizeof(*join));

	if (join)
		idmap_init(&join->opinions, max);
	return join;
}

void join_free(struct join *join)
{
	if (!join)
		return;
	idmap_release(&join->opinions);
	free(join);
}

void join_drain(struct join *join, struct ring *opinions)
{
	const struct event *event;

	while ((event = ring_peek(opinions))) {
		const struct event_opinion *opinion = (const struct event_opinion *)event;

		if (event_check(event, event->len) < 0 || event->type != EVENT_OPINION) {
			join->refused++;
		} else {
			idmap_take(&join->opinions, opinion->flow);
			/* Those of flows that nobody will ask for any more have gathered: away with all. */
			if (join->opinions.count == join->opinions.max) {
				join->refused += join->opinions.count;
				idmap_clear(&join->opinions);
			}
			if (idmap_add(&join->opinions, opinion->flow,
			              (void *)(uintptr_t)opinion->app) < 0)
				join->refused++;
			if (opinion->flow > join->latest)
				join->latest = opinion->flow;
		}
		ring_take(opinions);
	}
}

uint64_t join_settled(struct join *join, const struct ring *opinions)
{
	if (join->opinions.count && ring_unreleased(opinions) <= ring_size(opinions) / 2)
		return ring_released(opinions);
	if (join->opinions.count)
		join->parted = join->latest;
	return ring_position(opinions);
}

uint64_t join_parted(const struct join *join)
{
	return join->parted;
}

enum app join_opinion(struct join *join, uint64_t flow, bool last)
{
	void *value =
		last ? idmap_take(&join->opinions, flow) : idmap_find(&join->opinions, flow);

	return (enum app)(uintptr_t)value;
}

uint64_t join_refused(const struct join *join)
{
	return join->refused;
}
