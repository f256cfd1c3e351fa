/*
 * places.c - see places.h.
 */
#include "schema/places.h"

struct place *place_next(const struct places *places, uint64_t hash, const struct place *after)
{
	size_t at = after ? (size_t)(after - places->slot) + 1 : hash;

	for (at &= places->room - 1; places->slot[at].number && places->slot[at].hash != hash;)
		at = (at + 1) & (places->room - 1);
	return &places->slot[at];
}

int places_reserve(struct places *places, struct err *err)
{
	struct places grown = {.count = places->count,
	                       .room = places->room ? 2 * places->room : 1024};

	if (places->count < places->room / 2)
		return 0;
	grown.slot = calloc(grown.room, sizeof(*grown.slot));
	if (!grown.slot)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < places->room; i++) {
		struct place *place = NULL;

		if (!places->slot[i].number)
			continue;
		do
			place = place_next(&grown, places->slot[i].hash, place);
		while (place->number);
		*place = places->slot[i];
	}
	free(places->slot);
	*places = grown;
	return 0;
}

void place_take(struct places *places, struct place *place, uint64_t hash, size_t number)
{
	*place = (struct place){hash, number};
	places->count++;
}

void places_release(struct places *places)
{
	free(places->slot);
	*places = (struct places){0};
}
