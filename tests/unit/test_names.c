/*
 * test_names.c - the pool of names: one entry a text, counted references, a full pool refuses.
 */
#include "monitor/capture/names.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void the_same_text_is_stored_once(void **state)
{
	struct names *names = names_new(4);
	uint32_t a = names_take(names, "sip.corp.example");

	assert_int_not_equal(a, NAMES_NONE);
	assert_int_equal(names_take(names, "sip.corp.example"), a);
	assert_int_not_equal(names_take(names, "fe01.corp.example"), a);
	assert_string_equal(names_text(names, a), "sip.corp.example");
	assert_string_equal(names_text(names, NAMES_NONE), "");
	names_free(names);
	names_free(NULL);
}

static void a_full_pool_refuses_until_a_name_is_dropped(void **state)
{
	struct names *names = names_new(2);
	uint32_t a = names_take(names, "a"), b = names_take(names, "b");

	assert_int_equal(names_take(names, "c"), NAMES_NONE);
	assert_int_equal(names_take(names, "b"), b); /* one more reference */
	names_drop(names, b);
	assert_int_equal(names_take(names, "c"), NAMES_NONE);
	names_drop(names, a);
	names_drop(names, NAMES_NONE);
	assert_int_equal(names_take(names, "c"), a);
	assert_string_equal(names_text(names, a), "c");
	assert_string_equal(names_text(names, b), "b");
	names_free(names);
}

static void an_empty_or_overlong_text_is_no_name(void **state)
{
	struct names *names = names_new(2);
	char overlong[NAME_MAX_LEN + 2];

	memset(overlong, 'x', sizeof(overlong));
	overlong[sizeof(overlong) - 1] = '\0';
	assert_int_equal(names_take(names, ""), NAMES_NONE);
	assert_int_equal(names_take(names, overlong), NAMES_NONE);
	names_free(names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_same_text_is_stored_once),
		cmocka_unit_test(a_full_pool_refuses_until_a_name_is_dropped),
		cmocka_unit_test(an_empty_or_overlong_text_is_no_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
