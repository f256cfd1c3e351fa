/*
 * test_fragments.c - a later fragment gets the ports of its own datagram, and of no other.
 */
#include "monitor/capture/fragments.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static struct fragments table;

static struct packet part(uint32_t ip_id, int64_t time_us)
{
	struct packet packet = {.ip_id = ip_id, .time_us = time_us, .transport = TRANSPORT_UDP};

	assert_int_equal(addr_parse("10.0.0.1", &packet.src), 0);
	assert_int_equal(addr_parse("10.0.0.2", &packet.dst), 0);
	return packet;
}

static bool finds(uint32_t ip_id, int64_t time_us, struct packet *ret)
{
	struct mac client;
	bool dhcp;

	*ret = part(ip_id, time_us);
	return fragments_find(&table, ret, &client, &dhcp);
}

static void only_the_same_datagram_is_found(void **state)
{
	struct packet first = part(7, 1000), later;

	first.src_port = 5000;
	first.dst_port = 6000;
	fragments_put(&table, &first, NULL);
	assert_true(finds(7, 2000, &later));
	assert_int_equal(later.src_port, 5000);
	assert_int_equal(later.dst_port, 6000);
	/* many of these share its place in the table */
	for (uint32_t id = 8; id < 100000; id++)
		assert_false(finds(id, 2000, &later));
	later = part(7, 2000);
	later.transport = TRANSPORT_TCP;
	assert_false(fragments_find(&table, &later, &(struct mac){{0}}, &(bool){false}));
}

static void a_datagram_is_forgotten_after_a_while(void **state)
{
	struct packet first = part(9, 1000), later;

	fragments_put(&table, &first, NULL);
	assert_true(finds(9, 1000 + 30 * INT64_C(1000000), &later));
	assert_false(finds(9, 1001 + 30 * INT64_C(1000000), &later));
}

static void a_dhcp_client_goes_with_its_fragments(void **state)
{
	struct packet first = part(11, 1000), later = part(11, 1000);
	struct mac client = {{0, 0x26, 0x8c, 1, 2, 3}}, found;
	bool dhcp = false;

	fragments_put(&table, &first, &client);
	assert_true(fragments_find(&table, &later, &found, &dhcp));
	assert_true(dhcp);
	assert_true(mac_equal(&found, &client));
}

static void a_part_is_not_of_a_datagram_that_came_later(void **state)
{
	struct packet first = part(13, 5000), later;

	fragments_put(&table, &first, NULL);
	assert_false(finds(13, 4999, &later));
	assert_true(finds(13, 5000, &later));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_the_same_datagram_is_found),
		cmocka_unit_test(a_datagram_is_forgotten_after_a_while),
		cmocka_unit_test(a_dhcp_client_goes_with_its_fragments),
		cmocka_unit_test(a_part_is_not_of_a_datagram_that_came_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
