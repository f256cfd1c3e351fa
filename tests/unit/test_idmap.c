/*
 * test_idmap.c - against a plain array: what was put in is found, what was taken out is not.
 */
#include "monitor/idmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define KEYS 5000

static void it_agrees_with_an_array_over_random_changes(void **state)
{
	static bool there[KEYS];
	struct idmap map;
	uint32_t dice = 12345;
	size_t count = 0;

	idmap_init(&map, KEYS);
	for (unsigned i = 0; i < 200000; i++) {
		uint64_t key;

		dice = dice * 1664525 + 1013904223;
		key = (dice >> 8) % KEYS + 1;
		if (there[key - 1]) {
			assert_ptr_equal(idmap_take(&map, key), (void *)(uintptr_t)key);
			count--;
		} else {
			assert_int_equal(idmap_add(&map, key, (void *)(uintptr_t)key), 0);
			count++;
		}
		there[key - 1] = !there[key - 1];
		assert_int_equal(map.count, count);
	}
	for (uint64_t key = 1; key <= KEYS; key++)
		assert_ptr_equal(idmap_find(&map, key), there[key - 1] ? (void *)(uintptr_t)key : NULL);
	idmap_release(&map);
}

static void it_is_bounded(void **state)
{
	struct idmap map;

	idmap_init(&map, 2);
	assert_null(idmap_find(&map, 7));
	assert_null(idmap_take(&map, 7));
	assert_int_equal(idmap_add(&map, 1, &map), 0);
	assert_int_equal(idmap_add(&map, 2, &map), 0);
	assert_int_equal(idmap_add(&map, 3, &map), -ENOSPC);
	idmap_take(&map, 1);
	assert_int_equal(idmap_add(&map, 3, &map), 0);
	idmap_release(&map);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_agrees_with_an_array_over_random_changes),
		cmocka_unit_test(it_is_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
