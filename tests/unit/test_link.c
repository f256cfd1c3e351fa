/*
 * test_link.c - PPPoE and MPLS before IP, and who says which address is its own.
 */
#include "tests/lib/seen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define V4 "10.1.0.7:50016 > 10.1.0.9:3478"
#define V6 "[2001:db8::7]:50016 > [2001:db8::9]:3478"

static const uint8_t DATA[] = "twenty bytes of data";

/* The frame of `w` with its EtherType replaced by `type` and `head` behind it; then decoded. */
static enum decoded behind(const struct wire *w, uint16_t type, const void *head,
                           size_t head_len, bool whole, struct packet *ret)
{
	struct wire_frame frame = wire_packet(w, wire_count(w) - 1);
	CLEANUP(freep) uint8_t *bytes = malloc(14 + head_len + frame.len);
	uint32_t skip = whole ? 0 : 14, len = (uint32_t)(14 + head_len + frame.len - skip);
	enum decoded r;

	memcpy(bytes, "\2\0\0\0\0\1\2\0\0\0\0\2", 12);
	bytes[12] = (uint8_t)(type >> 8);
	bytes[13] = (uint8_t)type;
	memcpy(bytes + 14, head, head_len);
	memcpy(bytes + 14 + head_len, frame.data + skip, frame.len - skip);
	memset(ret, 0, sizeof(*ret));
	r = packet_decode(LINK_ETHERNET, bytes, len, len, ret);
	for (uint32_t cut = 0; cut < len; cut++) {
		CLEANUP(freep) uint8_t *part = malloc(cut ? cut : 1);
		struct packet packet = {0};

		memcpy(part, bytes, cut);
		(void)packet_decode(LINK_ETHERNET, part, cut, len, &packet);
		(void)packet_decode(LINK_ETHERNET, part, cut, cut, &packet);
	}
	return r;
}

static void must_be_ours(const struct packet *packet, unsigned version)
{
	assert_int_equal(packet->ip_version, version);
	assert_int_equal(packet->src_port, 50016);
	assert_int_equal(packet->dst_port, 3478);
	assert_int_equal(packet->payload_wire_len, sizeof(DATA));
	assert_int_equal(packet->tunnel, TUNNEL_NONE);
}

static void pppoe_sessions_are_read(void **state)
{
	for (unsigned v6 = 0; v6 < 2; v6++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		uint8_t head[8] = {0x11, 0, 0, 9, 0, 0, 0, v6 ? 0x57 : 0x21};
		struct packet packet;

		wire_udp(w, v6 ? V6 : V4, DATA, sizeof(DATA));
		head[5] = (uint8_t)(wire_packet(w, 0).len - 14 + 2);
		assert_int_equal(behind(w, 0x8864, head, 8, false, &packet), DECODED_IP);
		must_be_ours(&packet, v6 ? 6 : 4);
		/* RFC 1661 6.5: the protocol in one byte */
		head[5]--;
		head[6] = head[7];
		assert_int_equal(behind(w, 0x8864, head, 7, false, &packet), DECODED_IP);
		must_be_ours(&packet, v6 ? 6 : 4);
		head[4] = 1; /* longer than the frame */
		assert_int_equal(behind(w, 0x8864, head, 7, false, &packet), DECODED_MALFORMED);
	}
}

static void pppoe_upkeep_is_no_ip(void **state)
{
	static const uint8_t LCP[] = {0x11, 0, 0, 9, 0, 10, 0xc0, 0x21, 9, 1, 0, 8, 1, 2, 3, 4},
			     PADT[] = {0x11, 0xa7, 0, 9, 0, 0};
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct packet packet;

	wire_udp(w, V4, DATA, sizeof(DATA));
	assert_int_equal(behind(w, 0x8864, LCP, sizeof(LCP), false, &packet), DECODED_NOT_IP);
	assert_int_equal(behind(w, 0x8864, PADT, sizeof(PADT), false, &packet), DECODED_NOT_IP);
	assert_int_equal(behind(w, 0x8863, PADT, sizeof(PADT), false, &packet), DECODED_NOT_IP);
}

static void mpls_labels_come_off_to_the_bottom(void **state)
{
	static const uint8_t LABELS[] = {0, 1, 0, 64, 0, 2, 0, 64, 0, 3, 1, 64};
	static const uint16_t TYPES[] = {0x8847, 0x8848};

	for (unsigned v6 = 0; v6 < 2; v6++)
		for (unsigned skip = 0; skip < sizeof(LABELS); skip += 4) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			struct packet packet;

			wire_udp(w, v6 ? V6 : V4, DATA, sizeof(DATA));
			assert_int_equal(behind(w, TYPES[v6], LABELS + skip,
			                        sizeof(LABELS) - skip, false, &packet),
			                 DECODED_IP);
			must_be_ours(&packet, v6 ? 6 : 4);
		}
}

static void pseudowires_carry_frames_with_and_without_control_word(void **state)
{
	static const uint8_t HEAD[] = {0, 3, 1, 64, 0, 0, 0, 7};
	static const char *const MACS[] = {"00:26:8c:01:02:03", "02:00:00:00:00:09",
	                                   "46:00:00:54:00:09", "60:00:00:00:00:09",
	                                   "a4:00:00:00:00:09"};
	static const uint16_t VLAN[] = {7};

	for (unsigned word = 0; word < 2; word++)
		for (unsigned m = 0; m < ARRAY_LEN(MACS); m++) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			struct packet packet;

			wire_vlan(w, 1, VLAN);
			wire_mac(w, "10.1.0.9", MACS[m]);
			wire_udp(w, V4, DATA, sizeof(DATA));
			assert_int_equal(behind(w, 0x8847, HEAD, word ? 8 : 4, true, &packet),
			                 DECODED_IP);
			must_be_ours(&packet, 4);
			assert_int_equal(packet.vlan, 7);
			assert_int_equal(packet.src_mac.b[5], 7);
		}
}

static void mpls_in_a_pseudowire_is_left_alone(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	uint8_t frame[14 + 60] = "\2\0\0\0\0\1\2\0\0\0\0\2\x88\x47";
	struct packet packet;

	frame[16] = 1;
	wire_frame(w, frame, sizeof(frame));
	assert_int_equal(behind(w, 0x8847, "\0\3\1\x40", 4, true, &packet), DECODED_NOT_IP);
	/* Labels without end. */
	memset(frame + 14, 0, sizeof(frame) - 14);
	assert_int_equal(
		packet_decode(LINK_ETHERNET, frame, sizeof(frame), sizeof(frame), &packet),
		DECODED_MALFORMED);
}

/* ------------------------------------------------------------- neighbours */

struct arp {
	uint8_t to[6], from[6], type[2], hardware[2], protocol[2], lengths[2], operation[2],
		mac[6], ip[4], target_mac[6], target[4];
};
_Static_assert(sizeof(struct arp) == 42, "as on the wire");

static const struct arp REPLY = {{2, 0, 0, 0, 0, 1},
                                 {2, 0, 0, 0, 0, 7},
                                 {8, 6},
                                 {0, 1},
                                 {8, 0},
                                 {6, 4},
                                 {0, 2},
                                 {2, 0, 0, 0, 0, 7},
                                 {10, 1, 0, 7},
                                 {2, 0, 0, 0, 0, 1},
                                 {10, 1, 0, 1}};

static bool tells(const void *frame, size_t len, struct packet *ret)
{
	memset(ret, 0, sizeof(*ret));
	(void)packet_decode(LINK_ETHERNET, frame, (uint32_t)len, (uint32_t)len, ret);
	return !mac_is_zero(&ret->neighbour_mac);
}

static bool arp_tells(const struct arp *arp)
{
	struct packet packet;

	return tells(arp, sizeof(*arp), &packet);
}

static void arp_tells_of_its_sender(void **state)
{
	struct packet packet;
	struct arp arp = REPLY;
	char text[ADDR_TEXT];

	assert_true(tells(&arp, sizeof(arp), &packet));
	assert_string_equal(addr_print(&packet.neighbour, text), "10.1.0.7");
	assert_int_equal(packet.neighbour_mac.b[5], 7);
	arp.operation[1] = 1;
	assert_true(arp_tells(&arp));
	/* gratuitous: asks for, or answers with, its own */
	memcpy(arp.target, arp.ip, 4);
	assert_true(arp_tells(&arp));
	memset(arp.to, 0xff, 6);
	assert_true(arp_tells(&arp));
}

static void arp_of_another_or_of_nobody_tells_nothing(void **state)
{
	struct arp arp = REPLY;

	arp.mac[5] = 9; /* in another's name */
	assert_false(arp_tells(&arp));
	arp = REPLY;
	memset(arp.ip, 0, 4); /* RFC 5227: a probe */
	assert_false(arp_tells(&arp));
	memset(arp.ip, 255, 4);
	assert_false(arp_tells(&arp));
	arp = REPLY;
	arp.type[0] = 0x80, arp.type[1] = 0x35; /* RARP */
	arp.operation[1] = 4;
	assert_false(arp_tells(&arp));
	arp = REPLY;
	arp.operation[1] = 8; /* InARP */
	assert_false(arp_tells(&arp));
	arp = REPLY;
	arp.lengths[1] = 16;
	assert_false(arp_tells(&arp));
	arp = REPLY;
	arp.mac[0] |= 1, arp.from[0] |= 1; /* a group is nobody */
	assert_false(arp_tells(&arp));
	for (size_t len = 0; len < sizeof(REPLY); len++) {
		CLEANUP(freep) uint8_t *part = malloc(len ? len : 1);
		struct packet packet;

		memcpy(part, &REPLY, len);
		assert_false(tells(part, len, &packet));
	}
}

/* An Ethernet frame from 02::07 with a message of neighbour discovery. */
static size_t nd(uint8_t frame[128], const char *from, uint8_t hops, const uint8_t *message,
                 size_t len)
{
	struct addr src, dst;

	assert_int_equal(addr_parse(from, &src), 0);
	assert_int_equal(addr_parse("ff02::1", &dst), 0);
	memcpy(frame, "\x33\x33\0\0\0\1\2\0\0\0\0\7\x86\xdd\x60\0\0\0", 18);
	frame[18] = 0;
	frame[19] = (uint8_t)len;
	frame[20] = 58;
	frame[21] = hops;
	memcpy(frame + 22, src.b, 16);
	memcpy(frame + 38, dst.b, 16);
	memcpy(frame + 54, message, len);
	return 54 + len;
}

#define TARGET 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77
#define OPTION(n) n, 1, 2, 0, 0, 0, 0, 7
#define NONCE 14, 1, 1, 2, 3, 4, 5, 6

static void neighbour_discovery_tells_of_its_sender(void **state)
{
	static const struct {
		const char *what, *from, *tells;
		uint8_t hops;
		uint8_t message[48];
		size_t len;
	} cases[] = {
		{"advertisement",
	         "fe80::7",
	         "fe80::77",
	         255,
	         {136, 0, 0, 0, 0x60, 0, 0, 0, TARGET, OPTION(2)},
	         32},
		{"... behind another option",
	         "fe80::7",
	         "fe80::77",
	         255,
	         {136, 0, 0, 0, 0x60, 0, 0, 0, TARGET, NONCE, OPTION(2)},
	         40},
		{"... without its option",
	         "fe80::7",
	         NULL,
	         255,
	         {136, 0, 0, 0, 0x60, 0, 0, 0, TARGET},
	         24},
		{"... with the sender's",
	         "fe80::7",
	         NULL,
	         255,
	         {136, 0, 0, 0, 0x60, 0, 0, 0, TARGET, OPTION(1)},
	         32},
		{"... from behind a router",
	         "fe80::7",
	         NULL,
	         254,
	         {136, 0, 0, 0, 0x60, 0, 0, 0, TARGET, OPTION(2)},
	         32},
		{"... with a code",
	         "fe80::7",
	         NULL,
	         255,
	         {136, 1, 0, 0, 0x60, 0, 0, 0, TARGET, OPTION(2)},
	         32},
		{"... of length 0",
	         "fe80::7",
	         NULL,
	         255,
	         {136, 0, 0, 0, 0x60, 0, 0, 0, TARGET, 2, 0, 2, 0, 0, 0, 0, 7},
	         32},
		{"... in another's name",
	         "fe80::7",
	         NULL,
	         255,
	         {136, 0, 0, 0, 0x60, 0, 0, 0, TARGET, 2, 1, 2, 0, 0, 0, 0, 8},
	         32},
		{"solicitation",
	         "fe80::7",
	         "fe80::7",
	         255,
	         {135, 0, 0, 0, 0, 0, 0, 0, TARGET, OPTION(1)},
	         32},
		{"duplicate address detection",
	         "::",
	         NULL,
	         255,
	         {135, 0, 0, 0, 0, 0, 0, 0, TARGET, NONCE},
	         32},
		{"... with an option it must not have",
	         "::",
	         NULL,
	         255,
	         {135, 0, 0, 0, 0, 0, 0, 0, TARGET, OPTION(1)},
	         32},
		{"router solicitation",
	         "fe80::7",
	         "fe80::7",
	         255,
	         {133, 0, 0, 0, 0, 0, 0, 0, OPTION(1)},
	         16},
		{"router advertisement",
	         "fe80::7",
	         "fe80::7",
	         255,
	         {134, 0, 0, 0, 64, 0, 7, 8, 0, 0, 0, 0, 0, 0, 0, 0, OPTION(1)},
	         24},
		{"redirect",
	         "fe80::7",
	         NULL,
	         255,
	         {137, 0, 0, 0, 0, 0, 0, 0, TARGET, OPTION(2)},
	         32},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct packet packet;
		uint8_t frame[128];
		size_t len =
			nd(frame, cases[i].from, cases[i].hops, cases[i].message, cases[i].len);
		char text[ADDR_TEXT];

		if (tells(frame, len, &packet) != !!cases[i].tells)
			fail_msg("%s", cases[i].what);
		if (cases[i].tells)
			assert_string_equal(addr_print(&packet.neighbour, text),
			                    cases[i].tells);
		for (size_t cut = 54; cut < len; cut++) {
			CLEANUP(freep) uint8_t *part = malloc(cut);

			memcpy(part, frame, cut);
			assert_false(tells(part, cut, &packet));
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pppoe_sessions_are_read),
		cmocka_unit_test(pppoe_upkeep_is_no_ip),
		cmocka_unit_test(mpls_labels_come_off_to_the_bottom),
		cmocka_unit_test(pseudowires_carry_frames_with_and_without_control_word),
		cmocka_unit_test(mpls_in_a_pseudowire_is_left_alone),
		cmocka_unit_test(arp_tells_of_its_sender),
		cmocka_unit_test(arp_of_another_or_of_nobody_tells_nothing),
		cmocka_unit_test(neighbour_discovery_tells_of_its_sender),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
