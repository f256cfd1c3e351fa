/*
 * hashes.c - see hashes.h.
 */
#include "schema/hashes.h"

struct hashed *hashed_next(const struct hashes *hashes, uint64_t hash,
                           const struct hashed *after)
{
	size_t at = after ? (size_t)(after - hashes->slot) + 1 : hash;

	for (at &= hashes->room - 1; hashes->slot[at].number && hashes->slot[at].hash != hash;)
		at = (at + 1) & (hashes->room - 1);
	return &hashes->slot[at];
}

int hashes_reserve(struct hashes *hashes, struct err *err)
{
	struct hashes grown = {.count = hashes->count,
	                       .room = hashes->room ? 2 * hashes->room : 1024};

	if (hashes->count < hashes->room / 2)
		return 0;
	grown.slot = calloc(grown.room, sizeof(*grown.slot));
	if (!grown.slot)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < hashes->room; i++) {
		struct hashed *place = NULL;

		if (!hashes->slot[i].number)
			continue;
		do
			place = hashed_next(&grown, hashes->slot[i].hash, place);
		while (place->number);
		*place = hashes->slot[i];
	}
	free(hashes->slot);
	*hashes = grown;
	return 0;
}

void hashed_take(struct hashes *hashes, struct hashed *place, uint64_t hash, size_t number)
{
	*place = (struct hashed){hash, number};
	hashes->count++;
}

void hashes_release(struct hashes *hashes)
{
	free(hashes->slot);
	*hashes = (struct hashes){0};
}
