/*
 * retries.c - see retries.h. One place a flow, in sets found by a hash of who asked whom for what.
 */
#include "monitor/record/retries.h"

#define XXH_INLINE_ALL /* of keys this short the call costs more */
#include <xxhash.h>

#define SETS 1024
#define PLACES 8

struct place {
	uint64_t question; /* hash of unit, server, what was asked */
	uint64_t flow;     /* 0: free */
	int64_t time_us;
};

struct retries {
	struct place set[SETS][PLACES];
};

struct retries *retries_new(void)
{
	return calloc(1, sizeof(struct retries));
}

void retries_free(struct retries *retries)
{
	free(retries);
}

static uint64_t question_of(uint64_t unit, const struct endpoint *server, uint8_t asked,
                            const char *name)
{
	struct {
		uint64_t unit, name;
		struct addr addr;
		uint16_t port;
		uint8_t asked, spare[5];
	} question = {
		.unit = unit,
		.name = XXH3_64bits(name, strlen(name)),
		.addr = server->addr,
		.port = server->port,
		.asked = asked,
	};

	return XXH3_64bits(&question, sizeof(question));
}

/* The flow's place; else the one that was free, or asked longest ago. */
static struct place *place_of(struct place *set, uint64_t flow)
{
	struct place *best = set;

	for (unsigned i = 0; i < PLACES; i++) {
		if (set[i].flow == flow)
			return &set[i];
		if (set[i].time_us < best->time_us)
			best = &set[i];
	}
	return best;
}

bool retries_note(struct retries *retries, uint64_t unit, unsigned local,
                  const struct flow_facts *facts, const char *name)
{
	uint8_t asked = facts->asked & (ASKED_DNS | ASKED_KERBEROS);
	uint64_t question;
	struct place *set, *place;

	if (facts->transport != TRANSPORT_UDP || !asked || facts->initiator != local)
		return false;
	question = question_of(unit, &facts->end[!local], asked, name);
	set = retries->set[question % SETS];
	place = place_of(set, facts->id);
	if (facts->outcome != OUTCOME_UNANSWERED) {
		if (place->flow == facts->id)
			*place = (struct place){0};
		return false;
	}
	*place = (struct place){question, facts->id, facts->first_try_us};
	for (unsigned i = 0; i < PLACES; i++) {
		int64_t apart_us = set[i].time_us - facts->first_try_us;

		if (apart_us < 0)
			apart_us = -apart_us;
		if (set[i].flow && set[i].question == question &&
		    apart_us >= RETRIES_APART_US && apart_us <= RETRIES_WITHIN_US)
			return true;
	}
	return false;
}
