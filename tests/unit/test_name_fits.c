/*
 * test_name_fits.c - which host names fit a pattern, asked one by one and through the index.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "rules/envelope.h"
#include "rules/name_index.h"

static const struct {
	const char *pattern, *name;
	bool fits;
} CASES[] = {
	{"maestro.starleaf.com", "maestro.starleaf.com", true},
	{"maestro.starleaf.com", "MAESTRO.StarLeaf.com", true},
	{"maestro.starleaf.com", "maestro.starleaf.com.", true},
	{"maestro.starleaf.com", "maestro.starleaf.co", false},
	{"maestro.starleaf.com", "maestro.starleaf.comx", false},
	{"maestro.starleaf.com", "xmaestro.starleaf.com", false},
	{"*.lync.com", "sipdir.lync.com", true},
	{"*.lync.com", "sipdir.online.lync.com", true}, /* all levels below */
	{"*.lync.com", "lync.com", false},
	{"*.lync.com", ".lync.com", false},
	{"*.lync.com", "notlync.com", false},
	{"*.lync.com", "sipdir.lync.com.evil.example", false},
	{"*.lync.com", "SIPDIR.LYNC.COM.", true},
	{"sts*.example.com", "sts.example.com", true},
	{"sts*.example.com", "sts1.example.com", true},
	{"sts*.example.com", "st.example.com", false},
	{"*cdn.onenote.net", "cdn.onenote.net", true},
	{"*cdn.onenote.net", "site-cdn.onenote.net", true},
	{"lyncdiscover.*", "lyncdiscover.corp.example", true},
	{"lyncdiscover.*", "lyncdiscoverinternal.corp.example", false},
	{"lyncdiscover.*", "x.lyncdiscover.corp.example", false},
	{"autodiscover.*.onmicrosoft.com", "autodiscover.a.b.onmicrosoft.com", true},
	{"*a*b*a*", "xxaxxbxxa", true},
	{"*a*b*a*", "xxaxxaxxa", false},
	{"*", "anything.example", true},
	{"*.lync.com", "", false},
	{"*", ".", false},
};

static void patterns_fit_names_one_by_one(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++)
		if (name_fits(CASES[i].pattern, CASES[i].name) != CASES[i].fits)
			fail_msg("'%s' and '%s'", CASES[i].pattern, CASES[i].name);
}

static void the_index_says_the_same(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
		CLEANUP(arena_freep) struct arena *arena = arena_new();
		struct name_index *index = name_index_new(arena, 3);

		name_index_add(index, CASES[i].pattern, 1);
		name_index_add(index, "other.example", 2);
		name_index_add(index, "*.other.example", 4);
		name_index_sort(index);
		if (name_index_find(index, CASES[i].name) != CASES[i].fits)
			fail_msg("'%s' and '%s'", CASES[i].pattern, CASES[i].name);
	}
}

/* Names and patterns of few letters, so that many fit: the index says of them all what each pattern says. */
static void the_index_says_the_same_of_thousands(void **state)
{
	static const char *const labels[] = {"a", "b", "ab", "x-1", "a.b", "", "example"};
	static const char *const stars[] = {"", "", "*", "*.", "a*", "*b.*"};
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct name_index *index = name_index_new(arena, 20);
	char patterns[20][64];
	uint32_t dice = 7;
	unsigned hits = 0;

	for (size_t i = 0; i < ARRAY_LEN(patterns); i++) {
		dice = dice * 1664525 + 1013904223;
		snprintf(patterns[i], sizeof(patterns[i]), "%s%s.%s", stars[(dice >> 10) % ARRAY_LEN(stars)],
		         labels[(dice >> 14) % ARRAY_LEN(labels)], labels[(dice >> 20) % ARRAY_LEN(labels)]);
		name_index_add(index, patterns[i], UINT32_C(1) << i);
	}
	name_index_sort(index);
	for (unsigned n = 0; n < 20000; n++) {
		uint32_t mask = 0;
		char name[96];

		dice = dice * 1664525 + 1013904223;
		snprintf(name, sizeof(name), "%s%s%s%s%s", labels[(dice >> 8) % ARRAY_LEN(labels)],
		         dice >> 28 & 1 ? "." : "", labels[(dice >> 12) % ARRAY_LEN(labels)],
		         dice >> 29 & 1 ? "." : "", labels[(dice >> 18) % ARRAY_LEN(labels)]);
		for (size_t i = 0; i < ARRAY_LEN(patterns); i++)
			mask |= (uint32_t)name_fits(patterns[i], name) << i;
		if (name_index_find(index, name) != mask)
			fail_msg("'%s': %x, not %x", name, name_index_find(index, name), mask);
		hits += mask != 0;
	}
	assert_true(hits > 1000 && hits < 19000);
}

static void all_masks_of_a_name_are_found(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct name_index *index = name_index_new(arena, 5);

	name_index_add(index, "a.b.example", 1);
	name_index_add(index, "*.b.example", 2);
	name_index_add(index, "*.example", 4);
	name_index_add(index, "a.*", 8);
	name_index_add(index, "a.b.example", 16); /* a second role with the same name */
	name_index_sort(index);
	assert_int_equal(name_index_find(index, "a.b.example"), 31);
	assert_int_equal(name_index_find(index, "c.b.example"), 6);
	assert_int_equal(name_index_find(index, "b.example"), 4);
	assert_int_equal(name_index_find(index, "a.b.test"), 8);
	assert_int_equal(name_index_find(index, "example"), 0);
}

static void a_name_longer_than_any_is_nobodys(void **state)
{
	CLEANUP(arena_freep) struct arena *arena = arena_new();
	struct name_index *index = name_index_new(arena, 1);
	char name[400];

	name_index_add(index, "*.example", 1);
	name_index_sort(index);
	memset(name, 'x', sizeof(name));
	strcpy(name + sizeof(name) - 9, ".example");
	assert_int_equal(name_index_find(index, name), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patterns_fit_names_one_by_one),
		cmocka_unit_test(the_index_says_the_same),
		cmocka_unit_test(the_index_says_the_same_of_thousands),
		cmocka_unit_test(all_masks_of_a_name_are_found),
		cmocka_unit_test(a_name_longer_than_any_is_nobodys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
