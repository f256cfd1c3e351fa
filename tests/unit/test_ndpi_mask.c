/*
 * test_ndpi_mask.c - where nDPI asks whether two masks have a bit in common it is answered by us, and as by itself.
 */
#include "dissectors/ndpi.h"

#include <dlfcn.h>
#include <ndpi_api.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

typedef int (*mask_test)(NDPI_PROTOCOL_BITMASK a, NDPI_PROTOCOL_BITMASK b);

/* nDPI calls it by name: ours is found first, its own is the next. */
static void masks_are_compared_as_ndpi_does(void **state)
{
	mask_test ours = (mask_test)dlsym(RTLD_DEFAULT, "NDPI_BITMASK_COMPARE");
	mask_test theirs = (mask_test)dlsym(RTLD_NEXT, "NDPI_BITMASK_COMPARE");
	NDPI_PROTOCOL_BITMASK a, b;

	assert_non_null(ndpi_version()); /* so that the room is linked */
	assert_non_null(ours);
	assert_non_null(theirs);
	assert_ptr_not_equal(ours, theirs);
	for (unsigned i = 0; i < NDPI_NUM_BITS; i++)
		for (unsigned j = i % 7; j < NDPI_NUM_BITS; j += 7) {
			NDPI_BITMASK_RESET(a);
			NDPI_BITMASK_RESET(b);
			NDPI_BITMASK_ADD(a, i);
			NDPI_BITMASK_ADD(b, j);
			assert_int_equal(ours(a, b), i == j);
			assert_int_equal(theirs(a, b), i == j);
		}
	NDPI_BITMASK_SET_ALL(a);
	assert_int_equal(ours(a, b), 1);
	NDPI_BITMASK_RESET(b);
	assert_int_equal(ours(a, b), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(masks_are_compared_as_ndpi_does),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
