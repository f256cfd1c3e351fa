/*
 * queries.c - see queries.h. Sets of a few places, found by a hash of who asked and the id.
 */
#include "monitor/capture/queries.h"

#include <xxhash.h>

#define SETS 256
#define PLACES 8

/* A query that was seen, or (early) an answer that waits for its query. time_us 0: free. */
struct place {
	int64_t time_us;
	struct addr asker;
	uint16_t port, id;
	bool early;
	struct flow_key key; /* of the early answer's flow */
};

struct queries {
	struct place set[SETS][PLACES];
};

struct queries *queries_new(void)
{
	return calloc(1, sizeof(struct queries));
}

void queries_free(struct queries *queries)
{
	free(queries);
}

void queries_clear(struct queries *queries)
{
	memset(queries, 0, sizeof(*queries));
}

static struct place *set_of(struct queries *queries, const struct addr *asker, uint16_t port,
                            uint16_t id)
{
	uint64_t hash = XXH3_64bits_withSeed(asker, sizeof(*asker), (uint64_t)port << 16 | id);

	return queries->set[hash % SETS];
}

static bool place_is(const struct place *place, const struct addr *asker, uint16_t port,
                     uint16_t id)
{
	return place->time_us && place->port == port && place->id == id &&
	       addr_equal(&place->asker, asker);
}

static struct place *place_take(struct place *set)
{
	struct place *oldest = set;

	for (unsigned i = 1; i < PLACES; i++)
		if (set[i].time_us < oldest->time_us)
			oldest = &set[i];
	return oldest;
}

void queries_ask(struct queries *queries, const struct packet *packet, uint16_t id)
{
	struct place *set = set_of(queries, &packet->src, packet->src_port, id), *place = NULL;

	for (unsigned i = 0; i < PLACES; i++)
		if (!set[i].early && place_is(&set[i], &packet->src, packet->src_port, id))
			place = &set[i]; /* sent again */
	if (!place)
		place = place_take(set);
	*place = (struct place){
		.time_us = packet->time_us,
		.asker = packet->src,
		.port = packet->src_port,
		.id = id,
	};
}

bool queries_early(struct queries *queries, const struct packet *query, uint16_t id,
                   struct flow_key *ret_key)
{
	struct place *set = set_of(queries, &query->src, query->src_port, id);
	int64_t early_us;

	for (unsigned i = 0; i < PLACES; i++) {
		struct place *place = &set[i];

		if (!place->early || !place_is(place, &query->src, query->src_port, id))
			continue;
		early_us = place->time_us;
		place->time_us = 0;
		if (query->time_us - early_us > QUERIES_EARLY_US)
			continue;
		*ret_key = place->key;
		return true;
	}
	return false;
}

bool queries_answer(struct queries *queries, const struct packet *packet, uint16_t id,
                    const struct flow_key *key)
{
	struct place *set = set_of(queries, &packet->dst, packet->dst_port, id);

	for (unsigned i = 0; i < PLACES; i++)
		if (!set[i].early && place_is(&set[i], &packet->dst, packet->dst_port, id) &&
		    packet->time_us - set[i].time_us <= QUERIES_LATE_US)
			return true;
	*place_take(set) = (struct place){
		.time_us = packet->time_us,
		.asker = packet->dst,
		.port = packet->dst_port,
		.id = id,
		.early = true,
		.key = *key,
	};
	return false;
}
