/*
 * test_tunnel.c - what mirrors wrap packets in comes off, once, and only where something sound is inside.
 */
#include "tests/lib/seen.h"
#include "tests/lib/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define V4 "10.1.0.7:50016 > 10.1.0.9:3478"
#define V6 "[2001:db8::7]:50016 > [2001:db8::9]:3478"

static const uint8_t DATA[] = "twenty bytes of data";

static const uint8_t OF_KIND[WRAP_COUNT] = {
	[WRAP_GRE] = TUNNEL_GRE,           [WRAP_GRE_IP] = TUNNEL_GRE,
	[WRAP_GRE_FULL] = TUNNEL_GRE,      [WRAP_ERSPAN_1] = TUNNEL_ERSPAN,
	[WRAP_ERSPAN_2] = TUNNEL_ERSPAN,   [WRAP_ERSPAN_3] = TUNNEL_ERSPAN,
	[WRAP_ERSPAN_3_O] = TUNNEL_ERSPAN, [WRAP_VXLAN] = TUNNEL_VXLAN,
	[WRAP_VXLAN_GROUP] = TUNNEL_VXLAN, [WRAP_GENEVE] = TUNNEL_GENEVE,
	[WRAP_GENEVE_IP] = TUNNEL_GENEVE,  [WRAP_TZSP] = TUNNEL_TZSP,
};

/* The first frame, unwrapped; its bytes are *ret_bytes, the caller's. */
static bool opened(const struct wire *w, struct packet *ret, enum decoded *ret_decoded,
                   uint8_t **ret_bytes)
{
	*ret_decoded = seen_packet(w, 0, ret, ret_bytes);
	assert_int_equal(*ret_decoded, DECODED_IP);
	return packet_unwrap(ret, ret_decoded);
}

static void every_wrapping_comes_off_ipv4_and_ipv6(void **state)
{
	static const char *const tuples[] = {V4, V6},
				 *const outer[] = {WRAP_PAIR,
	                                           "2001:db8:99::1 > 2001:db8:99::2"};

	for (unsigned kind = 0; kind < WRAP_COUNT; kind++)
		for (unsigned t = 0; t < 4; t++) {
			CLEANUP(wire_freep) struct wire *inner = wire_new(), *w = wire_new();
			CLEANUP(freep) uint8_t *bytes = NULL;
			struct packet packet;
			enum decoded decoded;

			wire_udp(inner, tuples[t % 2], DATA, sizeof(DATA));
			wrap(w, outer[t / 2], (enum wrap)kind, inner, 0);
			assert_true(opened(w, &packet, &decoded, &bytes));
			assert_int_equal(decoded, DECODED_IP);
			assert_int_equal(packet.tunnel, OF_KIND[kind]);
			assert_int_equal(packet.ip_version, t % 2 ? 6 : 4);
			assert_int_equal(packet.src_port, 50016);
			assert_int_equal(packet.dst_port, 3478);
			assert_int_equal(packet.payload_len, sizeof(DATA));
			assert_memory_equal(packet.payload, DATA, sizeof(DATA));
			assert_false(packet.truncated);
			assert_int_equal(packet.number, 1);
			assert_int_equal(packet.vlan,
			                 kind >= WRAP_ERSPAN_2 && kind <= WRAP_ERSPAN_3_O
			                         ? 321
			                         : VLAN_NONE);
			assert_int_equal(packet.src_mac.b[0],
			                 kind == WRAP_GRE_IP || kind == WRAP_GENEVE_IP ? 0 : 2);
			/* Once only. */
			assert_false(packet_unwrap(&packet, &decoded));
		}
}

static void the_tag_of_the_frame_inside_goes_before_that_of_its_header(void **state)
{
	static const uint16_t in[] = {20}, out[] = {99};

	for (unsigned kind = 0; kind < WRAP_COUNT; kind++) {
		CLEANUP(wire_freep) struct wire *inner = wire_new(), *w = wire_new();
		CLEANUP(freep) uint8_t *bytes = NULL;
		struct packet packet;
		enum decoded decoded;

		if (kind == WRAP_GRE_IP || kind == WRAP_GENEVE_IP)
			continue;
		wire_vlan(inner, 1, in);
		wire_vlan(w, 1, out);
		wire_udp(inner, V4, DATA, sizeof(DATA));
		wrap(w, WRAP_PAIR, (enum wrap)kind, inner, 0);
		assert_true(opened(w, &packet, &decoded, &bytes));
		assert_int_equal(packet.vlan, 20);
	}
}

static void a_tunnel_inside_a_tunnel_stays_what_it_is(void **state)
{
	CLEANUP(wire_freep)
	struct wire *inner = wire_new(),
		    *middle = wire_new(), *w = wire_new();
	CLEANUP(freep) uint8_t *bytes = NULL;
	struct packet packet;
	enum decoded decoded;

	wire_udp(inner, V4, DATA, sizeof(DATA));
	wrap(middle, "10.1.0.7 > 203.0.113.9", WRAP_VXLAN, inner, 0);
	wrap(w, WRAP_PAIR, WRAP_ERSPAN_2, middle, 0);
	assert_true(opened(w, &packet, &decoded, &bytes));
	assert_int_equal(packet.dst_port, 4789);
	assert_false(packet_unwrap(&packet, &decoded));
	assert_int_equal(packet.dst_port, 4789);
}

static void what_the_mirror_cut_off_is_known_to_be_missing(void **state)
{
	uint8_t data[1000] = "long";

	for (unsigned kind = 0; kind < WRAP_COUNT; kind++) {
		CLEANUP(wire_freep) struct wire *inner = wire_new(), *w = wire_new();
		CLEANUP(freep) uint8_t *bytes = NULL;
		struct packet packet;
		enum decoded decoded;

		wire_udp(inner, V4, data, sizeof(data));
		wrap(w, WRAP_PAIR, (enum wrap)kind, inner, 142);
		assert_true(opened(w, &packet, &decoded, &bytes));
		assert_int_equal(decoded, DECODED_IP);
		assert_true(packet.truncated);
		assert_int_equal(packet.payload_len, 100);
		assert_int_equal(packet.payload_wire_len, 1000);
		assert_int_equal(packet.ip_len, 1028);
	}
}

static void the_first_fragment_of_a_wrapping_opens_it(void **state)
{
	uint8_t data[1472] = "a full frame";

	for (unsigned kind = 0; kind < WRAP_COUNT; kind++) {
		CLEANUP(wire_freep) struct wire *inner = wire_new(), *w = wire_new();
		CLEANUP(freep) uint8_t *bytes = NULL;
		struct packet packet, later;
		uint8_t *rest = NULL;
		enum decoded decoded;

		wire_mtu(w, 1400);
		wire_udp(inner, V4, data, sizeof(data));
		wrap(w, WRAP_PAIR, (enum wrap)kind, inner, 0);
		assert_int_equal(wire_count(w), 2);
		assert_true(opened(w, &packet, &decoded, &bytes));
		assert_true(packet.truncated);
		assert_int_equal(packet.ip_len, 1500);
		assert_false(packet.fragment);
		assert_int_equal(seen_packet(w, 1, &later, &rest), DECODED_IP);
		assert_false(packet_unwrap(&later, &decoded));
		free(rest);
	}
}

static void housekeeping_inside_is_housekeeping(void **state)
{
	static const uint8_t LLDP[60] = "\1\200\302\0\0\16\2\0\0\0\0\1\210\314lldp",
			     OTHER[60] = "\2\0\0\0\0\16\2\0\0\0\0\1\210\314lldp";

	for (unsigned kind = 0; kind < WRAP_COUNT; kind++)
		for (unsigned what = 0; what < 3; what++) {
			CLEANUP(wire_freep) struct wire *inner = wire_new(), *w = wire_new();
			CLEANUP(freep) uint8_t *bytes = NULL;
			bool udp = kind >= WRAP_VXLAN;
			struct packet packet;
			enum decoded decoded;

			if (kind == WRAP_GRE_IP || kind == WRAP_GENEVE_IP)
				continue;
			if (!what)
				wire_arp(inner, "10.1.0.7 > 10.1.0.1");
			else
				wire_frame(inner, what == 1 ? LLDP : OTHER, sizeof(LLDP));
			wrap(w, WRAP_PAIR, (enum wrap)kind, inner, 0);
			/* Of what need not be a frame at all only a group of the link's own is proof. */
			assert_int_equal(opened(w, &packet, &decoded, &bytes),
			                 !udp || what < 2);
			if (!udp || what < 2)
				assert_int_equal(decoded, what ? DECODED_NOT_IP : DECODED_ARP);
			if (!what)
				assert_int_equal(packet.neighbour.b[15], 7);
		}
}

static void what_is_no_wrapping_stays(void **state)
{
	static const struct {
		const char *what, *tuple;
		uint8_t data[64];
	} cases[] = {
		{"media to a tunnel's port",
	         "10.1.0.7:50016 > 10.1.0.9:4789",
	         {0x80, 104, 0, 1}},
		{"VXLAN without a network", "10.1.0.7:50016 > 10.1.0.9:4789", {0}},
		{"DNS to it", "10.1.0.7:50016 > 10.1.0.9:4789", {8, 0, 1, 0, 0, 1, 0, 0}},
		{"Geneve, control", "10.1.0.7:50016 > 10.1.0.9:6081", {0, 0x80, 0x65, 0x58}},
		{"Geneve, version 1", "10.1.0.7:50016 > 10.1.0.9:6081", {0x40, 0, 0x65, 0x58}},
		{"Geneve, ARP", "10.1.0.7:50016 > 10.1.0.9:6081", {0, 0, 8, 6}},
		{"Geneve, options past the end",
	         "10.1.0.7:50016 > 10.1.0.9:6081",
	         {63, 0, 8, 0}},
		{"TZSP keep-alive", "10.1.0.7:50016 > 10.1.0.9:37008", {1, 4, 0, 1, 1}},
		{"TZSP, no Ethernet", "10.1.0.7:50016 > 10.1.0.9:37008", {1, 0, 0, 18, 1}},
		{"TZSP without end", "10.1.0.7:50016 > 10.1.0.9:37008", {1, 0, 0, 1}},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(freep) uint8_t *bytes = NULL;
		struct packet packet;
		enum decoded decoded;

		wire_udp(w, cases[i].tuple, cases[i].data, sizeof(cases[i].data));
		if (opened(w, &packet, &decoded, &bytes))
			fail_msg("%s was opened", cases[i].what);
		assert_int_equal(packet.src_port, 50016);
		assert_int_equal(packet.payload_len, sizeof(cases[i].data));
	}
}

static void other_gre_stays(void **state)
{
	static const struct {
		const char *what;
		uint8_t data[48];
	} cases[] = {
		{"PPTP", {0x30, 1, 0x88, 0x0b}},
		{"with a route", {0x40, 0, 0x65, 0x58}},
		{"keep-alive", {0, 0, 0, 0}},
		{"ERSPAN of no version", {0x10, 0, 0x88, 0xbe, 0, 0, 0, 1, 0x31}},
		{"ERSPAN III around InfiniBand",
	         {0x10, 0, 0x22, 0xeb, 0, 0, 0, 1, 0x20, [18] = 4}},
		{"an IP that is none", {0, 0, 8, 0, 0x15}},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(freep) uint8_t *bytes = NULL;
		struct packet packet;
		enum decoded decoded;

		wire_ip(w, WRAP_PAIR, 47, cases[i].data, sizeof(cases[i].data));
		if (opened(w, &packet, &decoded, &bytes))
			fail_msg("%s was opened", cases[i].what);
		assert_int_equal(packet.transport, 47);
	}
}

/* domain.md: 4, 41 are no mirror's: they are flows of their own. */
static void ip_in_ip_stays(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		CLEANUP(wire_freep) struct wire *inner = wire_new(), *w = wire_new();
		CLEANUP(freep) uint8_t *bytes = NULL;
		struct wire_frame frame;
		struct packet packet;
		enum decoded decoded;

		wire_udp(inner, i ? V6 : V4, DATA, sizeof(DATA));
		frame = wire_packet(inner, 0);
		wire_ip(w, WRAP_PAIR, i ? 41 : 4, frame.data + 14, frame.len - 14);
		assert_false(opened(w, &packet, &decoded, &bytes));
		assert_int_equal(packet.transport, i ? 41 : 4);
	}
}

/* Cut at every byte: by the snap length, and on the wire. What is opened is sound or known to be cut. */
static void every_cut_is_survived(void **state)
{
	for (unsigned kind = 0; kind < WRAP_COUNT; kind++) {
		CLEANUP(wire_freep) struct wire *inner = wire_new(), *whole = wire_new();
		uint32_t len;

		wire_udp(inner, V4, DATA, sizeof(DATA));
		wrap(whole, WRAP_PAIR, (enum wrap)kind, inner, 0);
		len = wire_packet(whole, 0).len;
		for (uint32_t snap = 1; snap < len; snap++) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			CLEANUP(freep) uint8_t *bytes = NULL;
			struct packet packet;
			enum decoded decoded;

			wire_snap(w, snap);
			wrap(w, WRAP_PAIR, (enum wrap)kind, inner, 0);
			decoded = seen_packet(w, 0, &packet, &bytes);
			if (decoded != DECODED_IP || !packet_unwrap(&packet, &decoded))
				continue;
			if (decoded == DECODED_IP) {
				assert_true(packet.truncated);
				assert_int_equal(packet.dst_port, 3478);
			} else {
				assert_int_equal(decoded, DECODED_CUT);
			}
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_wrapping_comes_off_ipv4_and_ipv6),
		cmocka_unit_test(the_tag_of_the_frame_inside_goes_before_that_of_its_header),
		cmocka_unit_test(a_tunnel_inside_a_tunnel_stays_what_it_is),
		cmocka_unit_test(what_the_mirror_cut_off_is_known_to_be_missing),
		cmocka_unit_test(the_first_fragment_of_a_wrapping_opens_it),
		cmocka_unit_test(housekeeping_inside_is_housekeeping),
		cmocka_unit_test(what_is_no_wrapping_stays),
		cmocka_unit_test(other_gre_stays),
		cmocka_unit_test(ip_in_ip_stays),
		cmocka_unit_test(every_cut_is_survived),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
