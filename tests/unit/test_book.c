/*
 * test_book.c - names bound to addresses: for whom, from when to when.
 */
#include "monitor/record/book.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

static void a_name_counts_for_its_unit_address_and_time_alone(void **state)
{
	struct addr here = address("10.0.0.1"), there = address("10.0.0.2");
	const char *names[BOUND_MAX];
	struct book *book = book_new(BOOK_NAMES_MAX);

	book_bind(book, 1, &here, "a.example", 100, 200);
	assert_int_equal(book_names(book, 1, &here, 150, 160, names), 1);
	assert_string_equal(names[0], "a.example");
	assert_int_equal(book_names(book, 2, &here, 150, 160, names), 0);
	assert_int_equal(book_names(book, 1, &there, 150, 160, names), 0);
	assert_int_equal(book_names(book, 1, &here, 0, 99, names), 0);
	assert_int_equal(book_names(book, 1, &here, 201, 300, names), 0);
	assert_int_equal(book_names(book, 1, &here, 0, 100, names), 1);
	book_bind(book, 1, &here, "a.example", 180, 400);
	assert_int_equal(book_names(book, 1, &here, 300, 300, names), 1);
	book_free(book);
	book_free(NULL);
}

static void the_latest_names_of_an_address_are_kept_latest_first(void **state)
{
	struct addr here = address("2001:db8::1");
	const char *names[BOUND_MAX];
	struct book *book = book_new(BOOK_NAMES_MAX);
	char name[16];

	for (unsigned i = 0; i < BOUND_MAX + 3; i++) {
		snprintf(name, sizeof(name), "n%u.example", i);
		book_bind(book, 1, &here, name, i, 1000);
	}
	assert_int_equal(book_names(book, 1, &here, 500, 500, names), BOUND_MAX);
	for (unsigned i = 0; i < BOUND_MAX; i++) {
		snprintf(name, sizeof(name), "n%u.example", BOUND_MAX + 2 - i);
		assert_string_equal(names[i], name);
	}
	book_free(book);
}

static void a_full_book_refuses_and_counts(void **state)
{
	struct book *book = book_new(BOOK_NAMES_MAX);
	struct addr here = address("10.0.0.1");
	const char *names[BOUND_MAX];

	for (uint64_t unit = 1; unit <= BOOK_NAMES_MAX + 5; unit++)
		book_bind(book, unit, &here, "a.example", 0, 10);
	assert_int_equal(book_refused(book), 5);
	assert_int_equal(book_names(book, 1, &here, 0, 0, names), 1);
	assert_int_equal(book_names(book, BOOK_NAMES_MAX + 1, &here, 0, 0, names), 0);
	assert_true(book_is_short(book, BOOK_NAMES_MAX + 1));
	assert_false(book_is_short(book, 1));
	book_free(book);
}

static void fill(struct book *book, uint64_t unit, unsigned count, int64_t until_us)
{
	for (unsigned i = 0; i < count; i++) {
		struct addr addr = {{[10] = 0xff, [11] = 0xff, 10, (uint8_t)(i >> 16),
		                     (uint8_t)(i >> 8), (uint8_t)i}};

		book_bind(book, unit, &addr, "a.example", 0, until_us);
	}
}

static void what_is_over_gives_way_in_a_full_book(void **state)
{
	struct book *book = book_new(BOOK_NAMES_MAX);
	struct addr here = address("192.0.2.1"), first = address("10.0.0.0");
	const char *names[BOUND_MAX];

	fill(book, 1, BOOK_NAMES_MAX, 10);
	assert_false(book_is_short(book, 1));
	for (uint64_t unit = 2; unit < 1000; unit++)
		book_bind(book, unit, &here, "a.example", 11, 20);
	for (uint64_t unit = 2; unit < 1000; unit++)
		assert_int_equal(book_names(book, unit, &here, 15, 15, names), 1);
	assert_int_equal(book_names(book, 1, &first, 5, 5, names), 0);
	assert_int_equal(book_refused(book), 0);
	assert_false(book_is_short(book, 1));
	assert_false(book_is_short(book, 2));
	book_free(book);
}

static void no_unit_keeps_more_than_its_share_of_a_full_book(void **state)
{
	struct book *book = book_new(BOOK_NAMES_MAX);
	struct addr here = address("192.0.2.1"), there = address("192.0.2.2");
	const char *names[BOUND_MAX];

	fill(book, 1, BOOK_NAMES_MAX, 100);
	book_bind(book, 2, &here, "a.example", 11, 20);
	assert_int_equal(book_names(book, 2, &here, 15, 15, names), 1);
	assert_false(book_is_short(book, 2));
	assert_true(book_is_short(book, 1)); /* it lost one */
	book_bind(book, 1, &there, "a.example", 11, 20);
	assert_int_equal(book_names(book, 1, &there, 15, 15, names), 0);
	assert_int_equal(book_refused(book), 2);
	book_free(book);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_counts_for_its_unit_address_and_time_alone),
		cmocka_unit_test(the_latest_names_of_an_address_are_kept_latest_first),
		cmocka_unit_test(a_full_book_refuses_and_counts),
		cmocka_unit_test(what_is_over_gives_way_in_a_full_book),
		cmocka_unit_test(no_unit_keeps_more_than_its_share_of_a_full_book),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
