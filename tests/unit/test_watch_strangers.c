/*
 * test_watch_strangers.c - hosts that look like units, and the command line that goes on from there.
 */
#include "monitor/commands/watch_strangers.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct stranger host(const char *addr, const char *mac, bool by_oui, const char *name)
{
	struct stranger host = {.flows = 2, .by_oui = by_oui};

	assert_int_equal(addr_parse(addr, &host.addr), 0);
	if (mac)
		assert_int_equal(mac_parse(mac, &host.mac), 0);
	text_copy(host.name, sizeof(host.name), name);
	return host;
}

/* What is printed; the caller frees it. */
static char *printed(const struct stranger *hosts, size_t count, char *const *words)
{
	char *text = NULL;
	size_t size;
	FILE *file = open_memstream(&text, &size);

	strangers_print(file, hosts, count, words);
	fclose(file);
	return text;
}

static void one_line_a_mac_and_every_unit_in_the_command_line(void **state)
{
	const struct stranger hosts[] = {
		host("10.20.0.15", "00:26:8c:01:02:03", true, ""),
		host("10.9.0.1", "02:00:00:00:00:01", false, "config.example"),
		host("fe80::1", "00:26:8c:01:02:03", true, "late.example"),
		host("10.9.0.2", "02:00:00:00:00:01", false, ""),
		host("10.7.0.1", NULL, false, "a.example"),
		host("10.7.0.2", NULL, false, "b.example"),
	};
	const char *words[] = {"-r", "it's a day.pcap", "-l", "/tmp/db", "udp or (tcp)", NULL};
	char *text = printed(hosts, ARRAY_LEN(hosts), (char **)words);

	assert_string_equal(
		text,
		"Hosts that look like room systems:\n"
		"  00:26:8c:01:02:03  10.20.0.15, fe80::1  4 flows  MAC of the maker, late.example\n"
		"  02:00:00:00:00:01  10.9.0.1, 10.9.0.2  4 flows  config.example\n"
		"                     10.7.0.1  2 flows  a.example\n"
		"                     10.7.0.2  2 flows  b.example\n"
		"Go on with:\n"
		"  tlmon watch --unit 00:26:8c:01:02:03 --unit 10.9.0.1 --unit 10.9.0.2 --unit 10.7.0.1"
		" --unit 10.7.0.2 --profile room,online -r 'it'\\''s a day.pcap' -l /tmp/db"
		" 'udp or (tcp)'\n");
	free(text);
}

static void more_than_eight_units_go_into_a_site_file(void **state)
{
	struct stranger hosts[11];
	const char *words[] = {"-i", "eth1", NULL};
	char *text;

	for (unsigned i = 0; i < ARRAY_LEN(hosts); i++) {
		char addr[16];

		snprintf(addr, sizeof(addr), "10.0.0.%u", 1 + i);
		hosts[i] = host(addr, NULL, false, "a.example");
	}
	text = printed(hosts, ARRAY_LEN(hosts), (char **)words);
	assert_non_null(strstr(text, "--unit 10.0.0.8 --profile room,online -i eth1\n"));
	assert_non_null(strstr(text, "the other 3 in a site file"));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_line_a_mac_and_every_unit_in_the_command_line),
		cmocka_unit_test(more_than_eight_units_go_into_a_site_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
