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

/* What is printed without printf() reads as printf() has it. */
static void addresses_and_macs_are_printed_as_the_library_does(void **state)
{
	for (unsigned i = 0; i < 65536; i++) {
		const uint8_t bytes[] = {(uint8_t)(i >> 8), (uint8_t)i, (uint8_t)(i * 7), (uint8_t)(i >> 4)};
		const struct mac mac = {{bytes[0], bytes[1], bytes[2], bytes[3], bytes[1], bytes[0]}};
		const struct addr addr = addr_from_v4(bytes);
		const struct prefix prefix = prefix_of(&addr, 96 + i % 33);
		char text[PREFIX_TEXT], wanted[PREFIX_TEXT], whole[ADDR_TEXT];

		inet_ntop(AF_INET, bytes, wanted, sizeof(wanted));
		assert_string_equal(addr_print(&addr, whole), wanted);
		snprintf(wanted, sizeof(wanted), "%02x:%02x:%02x:%02x:%02x:%02x", mac.b[0], mac.b[1],
		         mac.b[2], mac.b[3], mac.b[4], mac.b[5]);
		assert_string_equal(mac_print(&mac, text), wanted);
		inet_ntop(AF_INET, prefix.addr.b + 12, whole, sizeof(whole));
		if (i % 33 == 32)
			snprintf(wanted, sizeof(wanted), "%s", whole);
		else
			snprintf(wanted, sizeof(wanted), "%s/%u", whole, i % 33);
		assert_string_equal(prefix_print(&prefix, text), wanted);
	}
}

static void numbers_have_all_their_digits_and_no_more(void **state)
{
	static const uint32_t numbers[] = {0, 9, 10, 65535, 999999999, 1000000000, UINT32_MAX};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		char text[DIGITS_MAX + 1], wanted[DIGITS_MAX + 1];

		*digits_put(text, numbers[i]) = '\0';
		snprintf(wanted, sizeof(wanted), "%u", numbers[i]);
		assert_string_equal(text, wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prefixes_print_as_they_are_written),
		cmocka_unit_test(impossible_prefixes_are_refused),
		cmocka_unit_test(a_prefix_covers_its_own_and_no_other_family),
		cmocka_unit_test(kinds_of_addresses_are_told),
		cmocka_unit_test(macs_are_read_with_colons_or_dashes_and_nothing_else),
		cmocka_unit_test(addresses_and_macs_are_printed_as_the_library_does),
		cmocka_unit_test(numbers_have_all_their_digits_and_no_more),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
