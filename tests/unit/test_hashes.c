/*
 * test_hashes.c - things are found by their hash, however many have the same, and while the table grows.
 */
#include "schema/hashes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* The place of thing `number` among all of this hash; a free one if it is not there. */
static struct hashed *place_of(const struct hashes *hashes, uint64_t hash, size_t number)
{
	struct hashed *place = hashed_next(hashes, hash, NULL);

	while (place->number && place->number != number)
		place = hashed_next(hashes, hash, place);
	return place;
}

static void put(struct hashes *hashes, uint64_t hash, size_t number)
{
	struct err err = {0};
	struct hashed *place;

	assert_int_equal(hashes_reserve(hashes, &err), 0);
	place = place_of(hashes, hash, number);
	assert_int_equal(place->number, 0);
	hashed_take(hashes, place, hash, number);
}

/* 0 to 29, and their like far up: 100 things have each hash, and neighbours' places overlap. */
static uint64_t hash_of(size_t number)
{
	return number % 50 < 30 ? number % 50 : UINT64_MAX - number % 50;
}

static void all_things_are_found_though_hundreds_share_a_hash(void **state)
{
	struct hashes hashes = {0};

	for (size_t number = 1; number <= 5000; number++)
		put(&hashes, hash_of(number), number);
	assert_int_equal(hashes.count, 5000);
	assert_true(hashes.count <= hashes.room / 2);
	for (size_t number = 1; number <= 5000; number++)
		assert_int_equal(place_of(&hashes, hash_of(number), number)->number, number);
	for (uint64_t hash = 0; hash < 50; hash++) {
		const struct hashed *place = NULL;
		unsigned count = 0;

		while ((place = hashed_next(&hashes, hash, place))->number) {
			assert_int_equal(place->hash, hash);
			count++;
		}
		assert_int_equal(count, hash < 30 ? 100 : 0);
	}
	hashes_release(&hashes);
	assert_int_equal(hashes.count, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_things_are_found_though_hundreds_share_a_hash),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
