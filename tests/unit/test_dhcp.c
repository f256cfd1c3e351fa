/*
 * test_dhcp.c - DHCP: whose flow it is, who opened it, and what an ACK gives.
 */
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define BROADCAST "0.0.0.0:68 > 255.255.255.255:67"
#define REPLY "10.1.0.1:67 > 10.1.0.7:68"
#define MAC "00:26:8c:01:02:03"

static const struct dhcp ACK = {.type = DHCP_ACK,
				.xid = 0xabcd,
				.lease_s = 3600,
				.chaddr = MAC,
				.yiaddr = "10.1.0.7",
				.server = "10.0.0.67",
				.mask = "255.255.255.0",
				.router = "10.1.0.1",
				.dns = "10.0.0.53"};

static struct seen *see(const char *tuple, const struct message *m)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_udp(w, tuple, m->b, m->len);
	return seen_of(w);
}

static bool is(const struct addr *addr, const char *text)
{
	struct addr other;

	return !addr_parse(text, &other) && addr_equal(addr, &other);
}

static void a_request_tells_client_type_and_transaction(void **state)
{
	const struct dhcp dhcp = {.type = DHCP_DISCOVER, .xid = 0x1234, .chaddr = MAC};
	struct message m = message_dhcp(&dhcp);
	CLEANUP(seen_freep) struct seen *seen = see(BROADCAST, &m);
	struct mac mac;

	assert_int_equal(mac_parse(MAC, &mac), 0);
	assert_int_equal(seen->facts.app, APP_DHCP);
	assert_true(mac_equal(&seen->facts.chaddr, &mac));
	assert_int_equal(seen->facts.dhcp_type, DHCP_DISCOVER);
	assert_int_equal(seen->facts.dhcp_xid, 0x1234);
	assert_int_equal(seen->facts.initiator, 0);
	assert_int_equal(seen->facts.initiator_by, INITIATOR_REQUEST);
	assert_int_equal(seen->facts.asked, 0);
	assert_false(seen->learnt.has_lease);
}

static void an_ack_gives_the_lease(void **state)
{
	struct message m = message_dhcp(&ACK);
	CLEANUP(seen_freep) struct seen *seen = see(REPLY, &m);
	const struct learnt_lease *lease = &seen->learnt.lease;

	assert_true(seen->learnt.has_lease);
	assert_true(is(&lease->address, "10.1.0.7"));
	assert_true(is(&lease->server, "10.0.0.67"));
	assert_true(is(&lease->router, "10.1.0.1"));
	assert_true(is(&lease->dns[0], "10.0.0.53"));
	assert_int_equal(lease->dns_count, 1);
	assert_int_equal(lease->mask_bits, 24);
	assert_int_equal(lease->lease_s, 3600);
	assert_int_equal(lease->xid, 0xabcd);
}

static void the_answer_to_an_inform_is_about_ciaddr(void **state)
{
	struct dhcp dhcp = ACK;
	struct message m;
	CLEANUP(seen_freep) struct seen *seen = NULL;

	dhcp.yiaddr = NULL;
	dhcp.ciaddr = "10.1.0.8";
	m = message_dhcp(&dhcp);
	seen = see(REPLY, &m);
	assert_true(seen->learnt.has_lease);
	assert_true(is(&seen->learnt.lease.address, "10.1.0.8"));
}

static void an_offer_gives_no_lease(void **state)
{
	struct dhcp dhcp = ACK;
	struct message m;
	CLEANUP(seen_freep) struct seen *seen = NULL;

	dhcp.type = DHCP_OFFER;
	m = message_dhcp(&dhcp);
	seen = see(REPLY, &m);
	assert_int_equal(seen->facts.app, APP_DHCP);
	assert_false(seen->learnt.has_lease);
}

static void a_flow_that_begins_with_a_reply_was_opened_by_the_server(void **state)
{
	struct message m = message_dhcp(&ACK);
	CLEANUP(seen_freep) struct seen *seen = see("10.0.0.67:67 > 255.255.255.255:68", &m);

	assert_int_equal(seen->facts.initiator, 0);
	assert_int_equal(seen->facts.initiator_by, INITIATOR_REQUEST);
}

static void a_mask_with_a_hole_tells_nothing(void **state)
{
	static const struct {
		const char *mask;
		unsigned bits;
	} cases[] = {{"255.255.255.0", 24},
		     {"255.255.255.255", 32},
		     {"255.255.254.0", 23},
		     {"255.0.255.0", 0},
		     {"0.0.0.255", 0}};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct dhcp dhcp = ACK;
		struct message m;
		CLEANUP(seen_freep) struct seen *seen = NULL;

		dhcp.mask = cases[i].mask;
		m = message_dhcp(&dhcp);
		seen = see(REPLY, &m);
		assert_int_equal(seen->learnt.lease.mask_bits, cases[i].bits);
	}
}

static void the_key_is_told_its_client_by_the_right_packets_alone(void **state)
{
	static const struct {
		const char *tuple;
		unsigned at, value; /* a byte changed */
		bool client;
	} cases[] = {
		{BROADCAST, 0, 1, true},
		{REPLY, 0, 2, true},
		{"10.1.0.1:67 > 10.0.0.67:67", 0, 1, true}, /* a relay */
		{"10.1.0.7:68 > 10.0.0.67:69", 0, 1, false},
		{"10.1.0.7:50000 > 10.0.0.67:67", 0, 1, false},
		{BROADCAST, 0, 3, false},      /* op */
		{BROADCAST, 1, 6, false},      /* hardware type */
		{BROADCAST, 2, 16, false},     /* its address length */
		{BROADCAST, 236, 0x64, false}, /* magic */
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(freep) uint8_t *bytes = NULL;
		const struct dhcp dhcp = {.type = DHCP_DISCOVER, .xid = 1, .chaddr = MAC};
		struct message m = message_dhcp(&dhcp);
		struct packet packet;
		struct mac client, mac;

		m.b[cases[i].at] = (uint8_t)cases[i].value;
		wire_udp(w, cases[i].tuple, m.b, m.len);
		assert_int_equal(seen_packet(w, 0, &packet, &bytes), DECODED_IP);
		if (dhcp_client(&packet, &client) != cases[i].client)
			fail_msg("case %u", i);
		assert_int_equal(mac_parse(MAC, &mac), 0);
		assert_true(!cases[i].client || mac_equal(&client, &mac));
	}
}

static void survives_every_truncation_and_every_option_length(void **state)
{
	struct message m = message_dhcp(&ACK);

	for (size_t len = 1; len < m.len; len++) {
		struct message cut = m;
		CLEANUP(seen_freep) struct seen *seen = NULL;

		cut.len = len;
		seen = see(REPLY, &cut);
		assert_int_equal(seen->facts.app, len < 240 ? APP_NONE : APP_DHCP);
	}
	for (size_t at = 240; at < m.len; at++)
		for (unsigned value = 0; value < 256; value += 5) {
			struct message odd = m;
			CLEANUP(seen_freep) struct seen *seen = NULL;

			odd.b[at] = (uint8_t)value;
			seen = see(REPLY, &odd);
			assert_int_equal(seen->facts.app, APP_DHCP);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_tells_client_type_and_transaction),
		cmocka_unit_test(an_ack_gives_the_lease),
		cmocka_unit_test(the_answer_to_an_inform_is_about_ciaddr),
		cmocka_unit_test(an_offer_gives_no_lease),
		cmocka_unit_test(a_flow_that_begins_with_a_reply_was_opened_by_the_server),
		cmocka_unit_test(a_mask_with_a_hole_tells_nothing),
		cmocka_unit_test(the_key_is_told_its_client_by_the_right_packets_alone),
		cmocka_unit_test(survives_every_truncation_and_every_option_length),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
