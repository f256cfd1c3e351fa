/*
 * test_addr.c - addresses, prefixes and MACs: text and back, what covers what.
 */
#include "schema/addr.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static void prefixes_print_as_they_are_written(void **state)
{
	static const char *const texts[] = {"10.0.0.0/8",    "10.1.2.3", "0.0.0.0/0",  "::/0",
	                                    "2001:db8::/32", "fe80::1",  "10.20.8.0/22"};
	char buf[PREFIX_TEXT];
	struct prefix prefix;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		assert_int_equal(prefix_parse(texts[i], &prefix), 0);
		assert_string_equal(prefix_print(&prefix, buf), texts[i]);
	}
}

static void impossible_prefixes_are_refused(void **state)
{
	static const char *const texts[] = {"10.0.0.0/33", "10.0.0.1/8", "2001:db8::/129", "10.0.0/8", "",
	                                    "10.0.0.0/",   "10.0.0.0/-1", "10.0.0.0/8x",   "2001:db8::1/32"};
	struct prefix prefix;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		assert_int_equal(prefix_parse(texts[i], &prefix), -EINVAL);
}

static void a_prefix_covers_its_own_and_no_other_family(void **state)
{
	static const struct {
		const char *prefix, *addr;
		bool covers;
	} cases[] = {
		{"10.20.8.0/22", "10.20.8.0", true},   {"10.20.8.0/22", "10.20.11.255", true},
		{"10.20.8.0/22", "10.20.12.0", false}, {"10.20.8.0/22", "10.20.7.255", false},
		{"0.0.0.0/0", "203.0.113.9", true},    {"0.0.0.0/0", "2001:db8::1", false},
		{"::/0", "2001:db8::1", true},         {"::/0", "10.0.0.1", false},
		{"2001:db8::/33", "2001:db8:7fff::1", true}, {"2001:db8::/33", "2001:db8:8000::1", false},
		{"192.0.2.7", "192.0.2.7", true},      {"192.0.2.7", "192.0.2.8", false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct prefix prefix;
		struct addr addr;

		assert_int_equal(prefix_parse(cases[i].prefix, &prefix), 0);
		assert_int_equal(addr_parse(cases[i].addr, &addr), 0);
		assert_int_equal(prefix_covers(&prefix, &addr), cases[i].covers);
	}
}

static void kinds_of_addresses_are_told(void **state)
{
	static const struct {
		const char *addr;
		bool multicast, private, link_local, unspecified;
	} cases[] = {
		{"224.0.0.252", true, false, false, false},   {"255.255.255.255", true, false, false, false},
		{"10.1.2.3", false, true, false, false},      {"172.31.0.1", false, true, false, false},
		{"172.32.0.1", false, false, false, false},   {"169.254.1.1", false, true, true, false},
		{"52.112.1.9", false, false, false, false},   {"fe80::1", false, true, true, false},
		{"fd00::1", false, true, false, false},       {"ff02::1:3", true, false, false, false},
		{"2001:db8::1", false, false, false, false},  {"0.0.0.0", false, false, false, true},
		{"::", false, false, false, true},            {"100.64.0.1", false, true, false, false},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct addr addr;

		assert_int_equal(addr_parse(cases[i].addr, &addr), 0);
		assert_int_equal(addr_is_multicast(&addr), cases[i].multicast);
		assert_int_equal(addr_is_private(&addr), cases[i].private);
		assert_int_equal(addr_is_link_local(&addr), cases[i].link_local);
		assert_int_equal(addr_is_unspecified(&addr), cases[i].unspecified);
	}
}

static void macs_are_read_with_colons_or_dashes_and_nothing_else(void **state)
{
	static const char *const bad[] = {"00:26:8c:01:02", "00:26:8c:01:02:0g", "00:26-8c:01:02:03",
	                                  "00268c010203",   "00:26:8c:01:02:03 ", ""};
	char buf[MAC_TEXT];
	struct mac mac;

	assert_int_equal(mac_parse("00-26-8C-01-02-03", &mac), 0);
	assert_string_equal(mac_print(&mac, buf), "00:26:8c:01:02:03");
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		assert_int_equal(mac_parse(bad[i], &mac), -EINVAL);
}

static void addresses_print_as_the_c_library_does(void **state)
{
	char ours[ADDR_TEXT], theirs[INET6_ADDRSTRLEN];
	struct addr addr;

	for (unsigned byte = 0; byte < 256; byte++)
		for (unsigned at = 12; at < 16; at++) {
			assert_int_equal(addr_parse("9.10.99.100", &addr), 0);
			addr.b[at] = (uint8_t)byte;
			assert_string_equal(addr_print(&addr, ours),
			                    inet_ntop(AF_INET, addr.b + 12, theirs, sizeof(theirs)));
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_print_as_they_are_written),
		cmocka_unit_test(impossible_prefixes_are_refused),
		cmocka_unit_test(a_prefix_covers_its_own_and_no_other_family),
		cmocka_unit_test(kinds_of_addresses_are_told),
		cmocka_unit_test(addresses_print_as_the_c_library_does),
		cmocka_unit_test(macs_are_read_with_colons_or_dashes_and_nothing_else),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
