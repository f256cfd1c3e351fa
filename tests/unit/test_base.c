/*
 * test_base.c - texts are appended and cut as printf would.
 */
#include "schema/base.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void numbers_and_texts_are_appended_as_printf_does(void **state)
{
	static const uint32_t numbers[] = {0, 1, 9, 10, 99, 100, 65535, 1000000000, UINT32_MAX};
	static const char *const texts[] = {"", "a", "50000-50019", "a text longer than all room"};

	/* From a room that holds everything down to none at all. */
	for (size_t size = 32; size-- > 1;)
		for (size_t text = 0; text < ARRAY_LEN(texts); text++)
			for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
				char ours[32] = "", wanted[32] = "";

				snprintf(wanted, size, "%s%u%s", texts[text], numbers[i], texts[text]);
				text_append(ours, size, texts[text]);
				text_number(ours, size, numbers[i]);
				text_append(ours, size, texts[text]);
				assert_string_equal(ours, wanted);
			}
}

static void what_is_full_stays(void **state)
{
	char full[4] = {'a', 'b', 'c', 'd'};

	text_append(full, sizeof(full), "e");
	text_number(full, sizeof(full), 1);
	assert_memory_equal(full, "abcd", sizeof(full));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_and_texts_are_appended_as_printf_does),
		cmocka_unit_test(what_is_full_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
