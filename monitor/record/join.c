/*
 * join.c - see join.h.
 */
#include "monitor/record/join.h"
#include "monitor/idmap.h"

struct join {
	struct idmap opinions; /* flow -> enum app, as a pointer-sized number */
	uint64_t refused;
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
		}
		ring_take(opinions);
	}
	/* The rest is given back with the next commit; but the inspector never waits for that. */
	if (ring_unreleased(opinions) > ring_size(opinions) / 2)
		ring_release(opinions);
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
