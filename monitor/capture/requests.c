/*
 * requests.c - see requests.h. Sets of a few places, found by a hash of client and transaction.
 */
#include "monitor/capture/requests.h"

#include <xxhash.h>

#define SETS 256
#define PLACES 8

/* A request that was seen, or (early) an ACK that waits for its request. time_us 0: free. */
struct place {
	int64_t time_us;
	bool early;
	uint32_t xid;
	struct mac client;
	struct acked acked; /* the early one */
};

struct requests {
	struct place set[SETS][PLACES];
};

struct requests *requests_new(void)
{
	return calloc(1, sizeof(struct requests));
}

void requests_free(struct requests *requests)
{
	free(requests);
}

void requests_clear(struct requests *requests)
{
	memset(requests, 0, sizeof(*requests));
}

static struct place *set_of(struct requests *requests, const struct mac *client, uint32_t xid)
{
	return requests->set[XXH3_64bits_withSeed(client, sizeof(*client), xid) % SETS];
}

/* The request, or the early ACK; NULL. */
static struct place *place_find(struct place *set, const struct mac *client, uint32_t xid,
                                bool early)
{
	for (unsigned i = 0; i < PLACES; i++)
		if (set[i].time_us && set[i].early == early && set[i].xid == xid &&
		    mac_equal(&set[i].client, client))
			return &set[i];
	return NULL;
}

static struct place *place_take(struct place *set)
{
	struct place *oldest = set;

	for (unsigned i = 1; i < PLACES; i++)
		if (set[i].time_us < oldest->time_us)
			oldest = &set[i];
	return oldest;
}

bool requests_ask(struct requests *requests, const struct mac *client, uint32_t xid,
                  int64_t time_us, struct acked *ret_early)
{
	struct place *set = set_of(requests, client, xid);
	struct place *place = place_find(set, client, xid, false);
	struct place *early = place_find(set, client, xid, true);
	bool found = early && time_us - early->time_us <= REQUESTS_EARLY_US;

	if (found)
		*ret_early = early->acked;
	if (early)
		early->time_us = 0;
	if (!place)
		place = place_take(set);
	*place = (struct place){.time_us = time_us, .xid = xid, .client = *client};
	return found;
}

bool requests_answer(struct requests *requests, const struct acked *acked, int64_t time_us)
{
	const struct mac *client = &acked->lease.chaddr;
	uint32_t xid = acked->lease.xid;
	struct place *set = set_of(requests, client, xid);
	struct place *place = place_find(set, client, xid, false);

	if (place && time_us - place->time_us <= REQUESTS_LATE_US)
		return true;
	place = place_find(set, client, xid, true);
	if (!place)
		place = place_take(set);
	*place = (struct place){.time_us = time_us,
	                        .early = true,
	                        .xid = xid,
	                        .client = *client,
	                        .acked = *acked};
	return false;
}
