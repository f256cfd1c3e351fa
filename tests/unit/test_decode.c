/*
 * test_decode.c - frames into packets: every link, tag, header and lie.
 */
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define V4 "10.1.0.7:50016 > 10.1.0.9:3478"
#define V6 "[2001:db8::7]:50016 > [2001:db8::9]:3478"
#define ETHERNET "\2\0\0\0\0\1\2\0\0\0\0\2"

static const uint8_t DATA[] = "twenty bytes of data";

/* Decodes `len` bytes, in memory of that size; what is borrowed from them is not to be looked at. */
static enum decoded decode(enum link link, const void *frame, uint32_t len, uint32_t wire_len,
			   struct packet *ret)
{
	CLEANUP(freep) uint8_t *copy = malloc(len ? len : 1);
	enum decoded r;

	assert_non_null(copy);
	memcpy(copy, frame, len);
	memset(ret, 0, sizeof(*ret));
	r = packet_decode(link, copy, len, wire_len, ret);
	if (r == DECODED_IP && ret->payload_len) {
		assert_true(ret->payload >= copy &&
			    ret->payload + ret->payload_len <= copy + len);
		assert_true(ret->payload_len <= ret->payload_wire_len);
	}
	return r;
}

static enum decoded decode_first(const struct wire *w, struct packet *ret)
{
	CLEANUP(freep) uint8_t *bytes = NULL;

	return seen_packet(w, 0, ret, &bytes);
}

static void every_link_leads_to_the_same_packet(void **state)
{
	static const enum wire_link links[] = {WIRE_ETHERNET, WIRE_SLL,	 WIRE_SLL2,
					       WIRE_RAW,      WIRE_NULL, WIRE_LOOP};
	static const char *const tuples[] = {V4, V6};

	for (unsigned i = 0; i < ARRAY_LEN(links); i++)
		for (unsigned t = 0; t < ARRAY_LEN(tuples); t++) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			struct packet packet;

			wire_link(w, links[i]);
			wire_udp(w, tuples[t], DATA, sizeof(DATA));
			assert_int_equal(decode_first(w, &packet), DECODED_IP);
			assert_int_equal(packet.ip_version, t ? 6 : 4);
			assert_int_equal(packet.transport, TRANSPORT_UDP);
			assert_int_equal(packet.src_port, 50016);
			assert_int_equal(packet.dst_port, 3478);
			assert_int_equal(packet.payload_len, sizeof(DATA));
			assert_int_equal(packet.ip_len, (t ? 40 : 20) + 8 + sizeof(DATA));
			assert_false(packet.truncated);
			assert_int_equal(packet.vlan, VLAN_NONE);
		}
}

static void loopback_families_are_read_in_both_byte_orders(void **state)
{
	static const uint8_t families[][5] = {
		{0, 0, 0, 2, 4},  {2, 0, 0, 0, 4},  {0, 0, 0, 30, 6}, {30, 0, 0, 0, 6},
		{28, 0, 0, 0, 6}, {10, 0, 0, 0, 6}, {0, 0, 0, 24, 6}};

	for (unsigned i = 0; i < ARRAY_LEN(families); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		struct wire_frame frame;
		struct packet packet;
		uint8_t bytes[128];

		wire_link(w, WIRE_NULL);
		wire_udp(w, families[i][4] == 4 ? V4 : V6, DATA, sizeof(DATA));
		frame = wire_packet(w, 0);
		memcpy(bytes, frame.data, frame.caplen);
		memcpy(bytes, families[i], 4);
		assert_int_equal(decode(LINK_LOOPBACK, bytes, frame.caplen, frame.len, &packet),
				 DECODED_IP);
		assert_int_equal(packet.ip_version, families[i][4]);
	}
}

static void up_to_three_tags_are_taken_off_and_the_outermost_told(void **state)
{
	static const uint16_t ids[] = {100, 7, 9, 11};

	for (unsigned tags = 0; tags <= 4; tags++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		struct packet packet;

		wire_vlan(w, tags, ids);
		wire_udp(w, V4, DATA, sizeof(DATA));
		assert_int_equal(decode_first(w, &packet),
				 tags == 4 ? DECODED_NOT_IP : DECODED_IP);
		assert_int_equal(packet.vlan, tags ? 100 : VLAN_NONE);
	}
}

static void all_four_tag_types_are_known(void **state)
{
	static const uint16_t types[] = {0x8100, 0x88a8, 0x9100, 0x9200};

	for (unsigned i = 0; i < ARRAY_LEN(types); i++) {
		uint8_t frame[] = ETHERNET "TT\x20\x05\x08\x06"
					   "an ARP follows here";
		struct packet packet;

		frame[12] = (uint8_t)(types[i] >> 8);
		frame[13] = (uint8_t)types[i];
		assert_int_equal(
			decode(LINK_ETHERNET, frame, sizeof(frame), sizeof(frame), &packet),
			DECODED_ARP);
		assert_int_equal(packet.vlan, 5);
	}
}

static void what_is_not_ip_is_said_so(void **state)
{
	static const struct {
		uint8_t type[2];
		enum decoded decoded;
	} cases[] = {
		{{0x08, 0x06}, DECODED_ARP},
		{{0x80, 0x35}, DECODED_ARP}, /* RARP */
		{{0x88, 0xcc}, DECODED_NOT_IP},
		{{0x88, 0x09}, DECODED_NOT_IP}, /* LLDP, LACP */
		{{0x88, 0x8e}, DECODED_NOT_IP},
		{{0x88, 0x08}, DECODED_NOT_IP}, /* 802.1X, pause */
		{{0x00, 0x26}, DECODED_NOT_IP},
		{{0x05, 0xdc}, DECODED_NOT_IP}, /* 802.3: STP and others */
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t frame[60] = ETHERNET;
		struct packet packet;

		memcpy(frame + 12, cases[i].type, 2);
		assert_int_equal(
			decode(LINK_ETHERNET, frame, sizeof(frame), sizeof(frame), &packet),
			cases[i].decoded);
	}
}

static void upkeep_of_the_link_is_no_flow(void **state)
{
	static const struct {
		uint8_t protocol, type;
		enum decoded decoded;
	} cases[] = {
		{58, 128, DECODED_IP},	 {58, 133, DECODED_ND},	  {58, 135, DECODED_ND},
		{58, 137, DECODED_ND},	 {58, 138, DECODED_IP},	  {58, 130, DECODED_IGMP},
		{58, 132, DECODED_IGMP}, {58, 143, DECODED_IGMP}, {58, 1, DECODED_IP},
		{2, 0x16, DECODED_IGMP},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		uint8_t message[24] = {cases[i].type};
		struct packet packet;

		wire_ip(w,
			cases[i].protocol == 58 ? "fe80::1 > ff02::1" : "10.1.0.7 > 224.0.0.22",
			cases[i].protocol, message, sizeof(message));
		assert_int_equal(decode_first(w, &packet), cases[i].decoded);
	}
}

static void other_transports_have_no_ports(void **state)
{
	static const uint8_t protocols[] = {47, 50, 89, 132};

	for (unsigned i = 0; i < ARRAY_LEN(protocols); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		struct packet packet;

		wire_ip(w, "10.1.0.7 > 10.1.0.9", protocols[i], DATA, sizeof(DATA));
		assert_int_equal(decode_first(w, &packet), DECODED_IP);
		assert_int_equal(packet.transport, protocols[i]);
		assert_int_equal(packet.src_port, 0);
		assert_int_equal(packet.payload_len, 0);
	}
}

static void padding_is_cut_off_by_the_ip_length(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct packet packet;

	wire_pad(w, 60);
	wire_udp(w, V4, "x", 1);
	assert_int_equal(decode_first(w, &packet), DECODED_IP);
	assert_int_equal(packet.wire_len, 60);
	assert_int_equal(packet.ip_len, 29);
	assert_int_equal(packet.ip_caplen, 29);
	assert_int_equal(packet.payload_len, 1);
	assert_false(packet.truncated);
}

static void the_snap_length_is_told_apart_from_malformed(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct wire_frame frame;
	struct packet packet;

	wire_udp(w, V4, DATA, sizeof(DATA));
	frame = wire_packet(w, 0);
	for (uint32_t len = 0; len < frame.len; len++) {
		enum decoded r = decode(LINK_ETHERNET, frame.data, len, frame.len, &packet);

		assert_int_equal(r, len < 14 + 20 + 4 ? DECODED_CUT : DECODED_IP);
		if (r == DECODED_IP) {
			assert_true(packet.truncated);
			assert_int_equal(packet.ip_len, 28 + sizeof(DATA));
			assert_int_equal(packet.ip_caplen, len - 14);
			assert_int_equal(packet.payload_len, len < 42 ? 0 : len - 42);
			assert_int_equal(packet.payload_wire_len, sizeof(DATA));
		}
		/* The same bytes, and the wire had no more of them: the lengths lie. */
		assert_int_equal(decode(LINK_ETHERNET, frame.data, len, len, &packet),
				 DECODED_MALFORMED);
	}
}

/* IPv4 in a raw frame: `b` may be changed by a case. */
static void ipv4(uint8_t b[60], uint8_t protocol)
{
	static const uint8_t head[20] = {0x45, 0, 0,  60, 1, 2, 0,  0, 64, 0,
					 0,    0, 10, 1,  0, 7, 10, 1, 0,  9};

	memset(b, 0, 60);
	memcpy(b, head, sizeof(head));
	b[9] = protocol;
	b[20] = 0xc3; /* 50016 */
	b[21] = 0x60;
	b[22] = 0x0d; /* 3478 */
	b[23] = 0x96;
	if (protocol == TRANSPORT_UDP)
		b[25] = 40;
	if (protocol == TRANSPORT_TCP)
		b[32] = 0x50;
}

static void headers_that_contradict_themselves_are_malformed(void **state)
{
	static const struct {
		uint8_t protocol, at, value;
		enum decoded decoded;
	} cases[] = {
		{17, 0, 0x45, DECODED_IP},	  /* as it was */
		{17, 0, 0x65, DECODED_MALFORMED}, /* version 6 with the length of version 4 */
		{17, 0, 0x55, DECODED_MALFORMED}, /* version 5 */
		{17, 0, 0x44, DECODED_MALFORMED}, /* a header of 16 bytes */
		{17, 3, 19, DECODED_MALFORMED},	  /* shorter than its header */
		{17, 3, 61, DECODED_MALFORMED},	  /* longer than the frame */
		{17, 3, 27, DECODED_MALFORMED},	  /* UDP without its header */
		{17, 3, 0, DECODED_MALFORMED},	  /* only TCP is offloaded */
		{17, 25, 7, DECODED_MALFORMED},	  /* UDP shorter than its header */
		{17, 25, 41, DECODED_MALFORMED},  /* UDP longer than the datagram */
		{17, 25, 30, DECODED_IP},	  /* bytes behind it are no part of it */
		{17, 25, 0, DECODED_IP},	  /* offloaded: all of it */
		{6, 0, 0x45, DECODED_IP},
		{6, 3, 39, DECODED_MALFORMED},	  /* TCP without its header */
		{6, 32, 0x40, DECODED_MALFORMED}, /* TCP header of 16 bytes */
		{6, 32, 0xf0, DECODED_MALFORMED}, /* TCP header longer than the segment */
		{6, 32, 0xa0, DECODED_IP},	  /* all options, no data */
		{6, 3, 0, DECODED_IP},		  /* offloaded: as long as the frame */
		{1, 3, 27, DECODED_MALFORMED},
		{1, 3, 28, DECODED_IP},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct packet packet;
		uint8_t b[60];

		ipv4(b, cases[i].protocol);
		b[cases[i].at] = cases[i].value;
		if (decode(LINK_RAW, b, sizeof(b), sizeof(b), &packet) != cases[i].decoded)
			fail_msg("case %u", i);
		if (cases[i].decoded == DECODED_IP && cases[i].at == 25)
			assert_int_equal(packet.payload_wire_len,
					 cases[i].value ? cases[i].value - 8 : 32);
	}
}

static void an_offloaded_segment_is_as_long_as_it_was_captured(void **state)
{
	uint8_t frame[14 + 9000] = ETHERNET "\x08";
	struct packet packet;

	ipv4(frame + 14, TRANSPORT_TCP);
	frame[14 + 3] = 0;
	assert_int_equal(decode(LINK_ETHERNET, frame, sizeof(frame), sizeof(frame), &packet),
			 DECODED_IP);
	assert_int_equal(packet.ip_len, 9000);
	assert_int_equal(packet.payload_len, 8960);
	assert_int_equal(decode(LINK_ETHERNET, frame, 100, sizeof(frame), &packet), DECODED_IP);
	assert_int_equal(packet.ip_len, 9000);
	assert_true(packet.truncated);
}

static void ip_options_are_passed_over(void **state)
{
	uint8_t b[64];
	struct packet packet;

	ipv4(b, TRANSPORT_UDP);
	memmove(b + 24, b + 20, 40);
	memset(b + 20, 1, 4);
	b[0] = 0x46;
	b[3] = 64;
	assert_int_equal(decode(LINK_RAW, b, sizeof(b), sizeof(b), &packet), DECODED_IP);
	assert_int_equal(packet.src_port, 50016);
	assert_int_equal(packet.payload_len, 32);
}

static void only_the_first_fragment_has_ports(void **state)
{
	static const char *const tuples[] = {V4, V6};

	for (unsigned t = 0; t < ARRAY_LEN(tuples); t++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		uint8_t data[3000] = {0};
		uint32_t id = 0;

		wire_mtu(w, 1300);
		wire_udp(w, tuples[t], data, sizeof(data));
		assert_true(wire_count(w) >= 3);
		for (size_t i = 0; i < wire_count(w); i++) {
			CLEANUP(freep) uint8_t *bytes = NULL;
			struct packet packet;

			assert_int_equal(seen_packet(w, i, &packet, &bytes), DECODED_IP);
			assert_true(packet.fragment);
			assert_int_equal(packet.fragment_later, i > 0);
			assert_int_equal(packet.src_port, i ? 0 : 50016);
			assert_int_equal(packet.transport, TRANSPORT_UDP);
			if (!i) {
				id = packet.ip_id;
				assert_true(packet.payload_len < packet.payload_wire_len);
				assert_int_equal(packet.payload_wire_len, sizeof(data));
			} else {
				assert_int_equal(packet.payload_len, 0);
			}
			assert_int_equal(packet.ip_id, id);
		}
	}
}

/* An IPv6 packet of headers `next` with UDP behind them; returns its length. */
static uint32_t ipv6_chain(uint8_t *b, const uint8_t *next, unsigned count)
{
	uint32_t len = 40;

	memset(b, 0, 40);
	b[0] = 0x60;
	b[6] = count ? next[0] : TRANSPORT_UDP;
	b[8] = 0x20;
	b[24] = 0x20;
	b[39] = 9;
	for (unsigned i = 0; i < count; i++) {
		uint32_t size = next[i] == 51 ? 16 : 8;

		memset(b + len, 0, size);
		b[len] = i + 1 < count ? next[i + 1] : TRANSPORT_UDP;
		if (next[i] == 51)
			b[len + 1] = 2; /* words less two (RFC 4302 2.2) */
		len += size;
	}
	memcpy(b + len, "\xc3\x60\x0d\x96\0\x0c\0\0data", 12);
	len += 12;
	b[4] = (uint8_t)((len - 40) >> 8);
	b[5] = (uint8_t)(len - 40);
	return len;
}

static void extension_headers_are_passed_over(void **state)
{
	static const struct {
		unsigned count;
		uint8_t next[10];
		enum decoded decoded;
	} cases[] = {
		{0, {0}, DECODED_IP},
		{1, {0}, DECODED_IP},
		{1, {43}, DECODED_IP},
		{1, {60}, DECODED_IP},
		{1, {51}, DECODED_IP},
		{1, {44}, DECODED_IP},
		{5, {0, 60, 43, 44, 51}, DECODED_IP},
		{8, {0, 60, 60, 60, 60, 60, 60, 60}, DECODED_IP},
		{9, {0, 60, 60, 60, 60, 60, 60, 60, 60}, DECODED_MALFORMED},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		uint8_t b[256];
		struct packet packet;
		uint32_t len = ipv6_chain(b, cases[i].next, cases[i].count);

		assert_int_equal(decode(LINK_RAW, b, len, len, &packet), cases[i].decoded);
		if (cases[i].decoded != DECODED_IP)
			continue;
		assert_int_equal(packet.src_port, 50016);
		assert_int_equal(packet.payload_len, 4);
		assert_false(packet.fragment); /* a lone fragment is whole (RFC 6946) */
	}
}

static void an_extension_header_may_not_lead_out_of_the_packet(void **state)
{
	static const uint8_t next[] = {60};
	uint8_t b[256];
	struct packet packet;
	uint32_t len = ipv6_chain(b, next, 1);

	b[41] = 2;
	assert_int_equal(decode(LINK_RAW, b, len, len, &packet), DECODED_MALFORMED);
}

static void an_error_tells_the_packet_it_quotes(void **state)
{
	static const struct {
		const char *tuple, *pair;
		uint8_t type, code;
		bool quoted;
	} cases[] = {
		{V4, "10.1.0.9 > 10.1.0.7", 3, 3, true},
		{V4, "10.1.0.1 > 10.1.0.7", 3, 13, true},
		{V4, "10.1.0.1 > 10.1.0.7", 11, 0, true},
		{V4, "10.1.0.1 > 10.1.0.7", 8, 0, false},
		{V6, "2001:db8::9 > 2001:db8::7", 1, 4, true},
		{V6, "2001:db8::1 > 2001:db8::7", 3, 0, true},
		{V6, "2001:db8::1 > 2001:db8::7", 128, 0, false},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(freep) uint8_t *bytes = NULL;
		struct packet packet, first;

		wire_udp(w, cases[i].tuple, DATA, sizeof(DATA));
		wire_icmp_error(w, cases[i].pair, cases[i].type, cases[i].code);
		assert_int_equal(decode_first(w, &first), DECODED_IP);
		assert_int_equal(seen_packet(w, 1, &packet, &bytes), DECODED_IP);
		assert_int_equal(packet.icmp_type, cases[i].type);
		assert_int_equal(packet.icmp_code, cases[i].code);
		assert_int_equal(packet.quoted, cases[i].quoted);
		if (!cases[i].quoted)
			continue;
		assert_int_equal(packet.quoted_transport, TRANSPORT_UDP);
		assert_int_equal(packet.quoted_src_port, 50016);
		assert_int_equal(packet.quoted_dst_port, 3478);
		assert_true(addr_equal(&packet.quoted_src, &first.src));
		assert_true(addr_equal(&packet.quoted_dst, &first.dst));
	}
}

static void quoted_extension_headers_are_passed_over_too(void **state)
{
	static const uint8_t next[] = {0, 60};
	uint8_t quote[256], b[512] = {0x60, 0, 0, 0, 0, 0, 58, 64, [8] = 0x20, [24] = 0x20};
	uint32_t len = ipv6_chain(quote, next, ARRAY_LEN(next));
	struct packet packet;

	b[5] = (uint8_t)(8 + len);
	b[40] = 1; /* unreachable */
	memcpy(b + 48, quote, len);
	assert_int_equal(decode(LINK_RAW, b, 48 + len, 48 + len, &packet), DECODED_IP);
	assert_true(packet.quoted);
	assert_int_equal(packet.quoted_src_port, 50016);
	assert_int_equal(packet.quoted_transport, TRANSPORT_UDP);
}

static void a_quote_without_its_ports_is_none(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct wire_frame frame;
	struct packet packet;

	wire_udp(w, V4, DATA, sizeof(DATA));
	wire_icmp_error(w, "10.1.0.9 > 10.1.0.7", 3, 3);
	frame = wire_packet(w, 1);
	assert_int_equal(
		decode(LINK_ETHERNET, frame.data, 14 + 20 + 8 + 20 + 3, frame.len, &packet),
		DECODED_IP);
	assert_false(packet.quoted);
	assert_int_equal(
		decode(LINK_ETHERNET, frame.data, 14 + 20 + 8 + 20 + 4, frame.len, &packet),
		DECODED_IP);
	assert_true(packet.quoted);
}

static void survives_every_truncation(void **state)
{
	static const enum wire_link links[] = {WIRE_ETHERNET, WIRE_SLL, WIRE_SLL2, WIRE_RAW,
					       WIRE_NULL};
	static const enum link ours[] = {LINK_ETHERNET, LINK_SLL, LINK_SLL2, LINK_RAW,
					 LINK_LOOPBACK};
	static const uint16_t ids[] = {1, 2};

	for (unsigned l = 0; l < ARRAY_LEN(links); l++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();

		wire_link(w, links[l]);
		if (links[l] == WIRE_ETHERNET)
			wire_vlan(w, 2, ids);
		wire_tcp(w, V4, "S", NULL, 0);
		wire_tcp(w, V6, "PA", DATA, sizeof(DATA));
		wire_udp(w, V4, DATA, sizeof(DATA));
		wire_icmp_error(w, "10.1.0.9 > 10.1.0.7", 3, 3);
		wire_udp(w, V6, DATA, sizeof(DATA));
		wire_icmp_error(w, "2001:db8::9 > 2001:db8::7", 1, 4);
		wire_mtu(w, 64);
		wire_udp(w, V6, DATA, sizeof(DATA));
		for (size_t i = 0; i < wire_count(w); i++) {
			struct wire_frame frame = wire_packet(w, i);
			struct packet packet;

			for (uint32_t len = 0; len <= frame.caplen; len++) {
				(void)decode(ours[l], frame.data, len, frame.len, &packet);
				(void)decode(ours[l], frame.data, len, len, &packet);
				(void)decode(ours[l], frame.data, len, 0, &packet);
			}
			assert_int_equal(
				decode(ours[l], frame.data, frame.caplen, frame.len, &packet),
				DECODED_IP);
		}
	}
}

static void number_and_time_stay_as_they_were(void **state)
{
	struct packet packet = {.number = 7, .time_us = 8, .quoted = true, .src_port = 9};
	uint8_t b[60];

	ipv4(b, TRANSPORT_ICMP);
	assert_int_equal(packet_decode(LINK_RAW, b, sizeof(b), sizeof(b), &packet), DECODED_IP);
	assert_int_equal(packet.number, 7);
	assert_int_equal(packet.time_us, 8);
	assert_int_equal(packet.src_port, 0);
	assert_false(packet.quoted);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_link_leads_to_the_same_packet),
		cmocka_unit_test(loopback_families_are_read_in_both_byte_orders),
		cmocka_unit_test(up_to_three_tags_are_taken_off_and_the_outermost_told),
		cmocka_unit_test(all_four_tag_types_are_known),
		cmocka_unit_test(what_is_not_ip_is_said_so),
		cmocka_unit_test(upkeep_of_the_link_is_no_flow),
		cmocka_unit_test(other_transports_have_no_ports),
		cmocka_unit_test(padding_is_cut_off_by_the_ip_length),
		cmocka_unit_test(the_snap_length_is_told_apart_from_malformed),
		cmocka_unit_test(headers_that_contradict_themselves_are_malformed),
		cmocka_unit_test(an_offloaded_segment_is_as_long_as_it_was_captured),
		cmocka_unit_test(ip_options_are_passed_over),
		cmocka_unit_test(only_the_first_fragment_has_ports),
		cmocka_unit_test(extension_headers_are_passed_over),
		cmocka_unit_test(an_extension_header_may_not_lead_out_of_the_packet),
		cmocka_unit_test(an_error_tells_the_packet_it_quotes),
		cmocka_unit_test(quoted_extension_headers_are_passed_over_too),
		cmocka_unit_test(a_quote_without_its_ports_is_none),
		cmocka_unit_test(survives_every_truncation),
		cmocka_unit_test(number_and_time_stay_as_they_were),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
