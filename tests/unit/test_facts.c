/*
 * test_facts.c - the key of a flow is the same both ways; community ids as others print them.
 */
#include "schema/facts.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

/* The baseline of github.com/corelight/community-id-spec, version 1, seed 0. */
static void community_ids_are_those_of_the_specification(void **state)
{
	static const struct {
		const char *src, *dst;
		uint8_t transport;
		uint16_t src_port, dst_port;
		const char *id;
	} cases[] = {
		{"128.232.110.120", "66.35.250.204", 6, 34855, 80, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"66.35.250.204", "128.232.110.120", 6, 80, 34855, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="},
		{"192.168.1.52", "8.8.8.8", 17, 54585, 53, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char buf[COMMUNITY_ID_TEXT];
		struct addr src, dst;

		assert_int_equal(addr_parse(cases[i].src, &src), 0);
		assert_int_equal(addr_parse(cases[i].dst, &dst), 0);
		assert_string_equal(community_id(&src, &dst, cases[i].transport, cases[i].src_port,
		                                 cases[i].dst_port, buf),
		                    cases[i].id);
	}
}

static void both_directions_have_one_key_from_opposite_sides(void **state)
{
	struct packet there = {.transport = 17, .ip_version = 4, .src_port = 50000, .dst_port = 3478}, back;
	struct flow_key a, b;
	unsigned side;

	assert_int_equal(addr_parse("10.0.0.9", &there.src), 0);
	assert_int_equal(addr_parse("10.0.0.2", &there.dst), 0);
	back = there;
	back.src = there.dst;
	back.dst = there.src;
	back.src_port = there.dst_port;
	back.dst_port = there.src_port;
	side = flow_key_of(&there, NULL, &a);
	assert_int_equal(flow_key_of(&back, NULL, &b), !side);
	assert_memory_equal(&a, &b, sizeof(a));
	assert_int_equal(flow_key_hash(&a), flow_key_hash(&b));
	/* one address on both sides: the ports order it */
	there.dst = there.src;
	back = there;
	back.src_port = there.dst_port;
	back.dst_port = there.src_port;
	side = flow_key_of(&there, NULL, &a);
	assert_int_equal(flow_key_of(&back, NULL, &b), !side);
	assert_memory_equal(&a, &b, sizeof(a));
}

static void dhcp_clients_without_an_address_have_keys_of_their_own(void **state)
{
	struct packet packet = {.transport = 17, .ip_version = 4, .src_port = 68, .dst_port = 67};
	struct mac one = {{0, 0x26, 0x8c, 1, 2, 3}}, other = {{0, 0x26, 0x8c, 1, 2, 4}};
	struct flow_key a, b;

	flow_key_of(&packet, &one, &a);
	flow_key_of(&packet, &other, &b);
	assert_memory_not_equal(&a, &b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(community_ids_are_those_of_the_specification),
		cmocka_unit_test(both_directions_have_one_key_from_opposite_sides),
		cmocka_unit_test(dhcp_clients_without_an_address_have_keys_of_their_own),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
