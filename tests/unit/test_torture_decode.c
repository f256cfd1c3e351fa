/*
 * test_torture_decode.c - frames of every kind, spoilt: cut at every byte, every byte and every pair of bytes
 * wrong, bits flipped. What is decoded lies within the frame, a wrapping included; a frame that the network
 * cut is no packet, and one that the snap length cut is not called malformed.
 */
#include "dissectors/dissect.h"
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"
#include "tests/lib/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define V4 "10.1.0.7:50016 > 10.1.0.9:3478"
#define V6 "[2001:db8::7]:50016 > [2001:db8::9]:3478"
#define FRAMES_MAX 128
#define FLIPS 20000

struct frame {
	enum link link;
	bool wrapped, padded;
	uint32_t len;
	uint8_t *bytes;
};

struct frames {
	struct frame list[FRAMES_MAX];
	unsigned count;
};

static void add(struct frames *frames, enum link link, const void *data, size_t len)
{
	struct frame *frame = &frames->list[frames->count++];

	assert_true(frames->count <= FRAMES_MAX);
	*frame = (struct frame){.link = link, .len = (uint32_t)len, .bytes = malloc(len)};
	assert_non_null(frame->bytes);
	memcpy(frame->bytes, data, len);
}

/* IPv4 and IPv6 with TCP, UDP, ICMP errors, fragments, tags, on one kind of link. */
static void add_link(struct frames *frames, enum wire_link kind, enum link link)
{
	enum { PLAIN, TAGGED, PADDED, WAYS };
	uint8_t data[120] = {1, 2, 3};

	for (unsigned way = PLAIN; way < (link == LINK_ETHERNET ? WAYS : TAGGED); way++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();

		wire_link(w, kind);
		if (way == TAGGED)
			wire_vlan(w, 2, (uint16_t[]){100, 200});
		if (way == PADDED)
			wire_pad(w, 60);
		wire_udp(w, V4, data, way == PADDED ? 4 : 40);
		wire_icmp_error(w, "10.1.0.1 > 10.1.0.7", 3, 13);
		wire_tcp(w, V4, "PA", data, 40);
		wire_udp(w, V6, data, 40);
		wire_icmp_error(w, "2001:db8::1 > 2001:db8::7", 1, 1);
		wire_tcp(w, V6, "PA", data, 40);
		wire_echo(w, "10.1.0.7 > 10.1.0.9", false, 1, 2);
		wire_mtu(w, 80);
		wire_udp(w, V4, data, sizeof(data));
		wire_udp(w, V6, data, sizeof(data));
		if (link == LINK_ETHERNET)
			wire_arp(w, "10.1.0.7 > 10.1.0.9");
		for (size_t i = 0; i < wire_count(w); i++) {
			struct wire_frame frame = wire_packet(w, i);

			add(frames, link, frame.data, frame.len);
			frames->list[frames->count - 1].padded = way == PADDED;
		}
	}
}

/* What a mirror wraps around a frame (domain.md 7.4). */
static void add_wrapped(struct frames *frames)
{
	CLEANUP(wire_freep) struct wire *outer = wire_new();
	CLEANUP(wire_freep) struct wire *inner = wire_new();
	uint8_t data[40] = {4, 5, 6};

	wire_udp(inner, V4, data, sizeof(data));
	for (unsigned kind = 0; kind < WRAP_COUNT; kind++) {
		struct wire_frame frame;

		wrap(outer, WRAP_PAIR, (enum wrap)kind, inner, 0);
		frame = wire_packet(outer, kind);
		add(frames, LINK_ETHERNET, frame.data, frame.len);
		frames->list[frames->count - 1].wrapped = true;
	}
}

/* PPPoE, MPLS, IPv6 extension headers, 802.3, neighbour discovery: as they stand on the wire. */
static void add_by_hand(struct frames *frames)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct wire_frame frame;
	struct message m = {0};
	uint8_t data[20] = {7, 8, 9}, advert[32] = {0};

	wire_udp(w, V4, data, sizeof(data));
	frame = wire_packet(w, 0);
	message_add(&m, frame.data, 12);
	message_add16(&m, 0x8864); /* PPPoE (RFC 2516 4) */
	message_add(&m, (uint8_t[]){0x11, 0, 0, 9, 0, (uint8_t)(frame.len - 14 + 2), 0, 0x21},
	            8);
	message_add(&m, frame.data + 14, frame.len - 14);
	add(frames, LINK_ETHERNET, m.b, m.len);
	m.len = 12;
	message_add16(&m, 0x8847); /* MPLS, two labels (RFC 3032 2.1) */
	message_add(&m, (uint8_t[]){0, 1, 0, 64, 0, 2, 1, 64}, 8);
	message_add(&m, frame.data + 14, frame.len - 14);
	add(frames, LINK_ETHERNET, m.b, m.len);
	m.len = 12;
	message_add16(&m, 0x86dd); /* hop-by-hop, destination options, then UDP (RFC 8200 4) */
	message_add32(&m, 0x60000000);
	message_add(&m, (uint8_t[]){0, 44, 0, 64}, 4);
	message_add_noise(&m, 32, 1);
	message_add(&m, (uint8_t[]){60, 0, 1, 4, 0, 0, 0, 0}, 8);
	message_add(&m, (uint8_t[]){17, 0, 1, 4, 0, 0, 0, 0}, 8);
	message_add(&m, (uint8_t[]){0xc3, 0x60, 0x0d, 0x96, 0, 28, 0, 0}, 8);
	message_add(&m, data, sizeof(data));
	add(frames, LINK_ETHERNET, m.b, m.len);
	/* neighbour advertisement with the target's address (RFC 4861 4.4, 4.6.1) */
	advert[0] = 136;
	advert[24] = 2;
	advert[25] = 1;
	wire_ip(w, "2001:db8::7 > 2001:db8::9", 58, advert, sizeof(advert));
	frame = wire_packet(w, 1);
	add(frames, LINK_ETHERNET, frame.data, frame.len);
	m.len = 12;
	message_add16(&m, 38); /* 802.3: a bridge's hello */
	message_add_noise(&m, 46, 2);
	add(frames, LINK_ETHERNET, m.b, m.len);
}

static void must_lie_within(const struct packet *packet, const uint8_t *frame, uint32_t len)
{
	struct flow_key key;
	struct mac client;

	assert_true(packet->ip_version == 4 || packet->ip_version == 6);
	assert_true(packet->ip >= frame && packet->ip + packet->ip_caplen <= frame + len);
	assert_true(packet->ip_caplen <= packet->ip_len);
	assert_true(packet->truncated == (packet->ip_caplen < packet->ip_len));
	assert_true(packet->payload_len <= packet->payload_wire_len);
	assert_true(!packet->payload_len ||
	            (packet->payload >= packet->ip &&
	             packet->payload + packet->payload_len <= packet->ip + packet->ip_caplen));
	(void)dhcp_client(packet, &client);
	(void)flow_key_of(packet, NULL, &key);
}

/* In memory of just its size. What it is, without a wrapping. */
static enum decoded show(enum link link, const uint8_t *data, uint32_t len, uint32_t wire_len)
{
	CLEANUP(freep) uint8_t *bytes = malloc(len ? len : 1);
	struct packet packet = {.number = 1};
	enum decoded outer, inner;

	assert_non_null(bytes);
	memcpy(bytes, data, len);
	outer = packet_decode(link, bytes, len, wire_len, &packet);
	if (outer != DECODED_IP)
		return outer;
	must_lie_within(&packet, bytes, len);
	if (packet_unwrap(&packet, &inner) && inner == DECODED_IP)
		must_lie_within(&packet, bytes, len);
	return outer;
}

static void a_frame_cut_by_the_snap_length_is_not_malformed(void **state)
{
	const struct frames *frames = *state;

	for (unsigned i = 0; i < frames->count; i++) {
		const struct frame *frame = &frames->list[i];
		enum decoded whole = show(frame->link, frame->bytes, frame->len, frame->len);

		assert_int_not_equal(whole, DECODED_MALFORMED);
		assert_int_not_equal(whole, DECODED_CUT);
		for (uint32_t cut = 0; cut < frame->len; cut++) {
			enum decoded r = show(frame->link, frame->bytes, cut, frame->len);

			if (r != whole && r != DECODED_CUT)
				fail_msg("frame %u, cut at %u: %d, not %d", i, cut, r, whole);
		}
	}
}

static void a_frame_cut_by_the_network_is_no_packet(void **state)
{
	const struct frames *frames = *state;

	for (unsigned i = 0; i < frames->count; i++) {
		const struct frame *frame = &frames->list[i];

		for (uint32_t cut = 0; cut < frame->len; cut++) {
			enum decoded r = show(frame->link, frame->bytes, cut, cut);

			if ((r == DECODED_IP && !frame->padded) || r == DECODED_CUT)
				fail_msg("frame %u, cut at %u: %d", i, cut, r);
		}
	}
}

static void every_byte_and_every_pair_of_them_may_be_wrong(void **state)
{
	static const uint16_t pairs[] = {0, 1, 0x00ff, 0x0100, 0x7fff, 0x8000, 0xff00, 0xffff};
	const struct frames *frames = *state;

	for (unsigned i = 0; i < frames->count; i++) {
		const struct frame *frame = &frames->list[i];
		CLEANUP(freep) uint8_t *bytes = malloc(frame->len);

		assert_non_null(bytes);
		memcpy(bytes, frame->bytes, frame->len);
		for (uint32_t at = 0; at + 1 < frame->len; at++) {
			uint16_t right = (uint16_t)(bytes[at] << 8 | bytes[at + 1]);

			for (unsigned v = 0; v < ARRAY_LEN(pairs) + 2; v++) {
				uint16_t value = v < ARRAY_LEN(pairs)
				                         ? pairs[v]
				                         : (uint16_t)(right + (v % 2 ? 1 : -1));

				bytes[at] = (uint8_t)(value >> 8);
				bytes[at + 1] = (uint8_t)value;
				(void)show(frame->link, bytes, frame->len, frame->len);
				(void)show(frame->link, bytes, frame->len, frame->len + 1000);
				bytes[at] = frame->bytes[at]; /* the second one alone */
				(void)show(frame->link, bytes, frame->len, frame->len);
			}
			memcpy(bytes, frame->bytes, frame->len);
		}
	}
}

/* xorshift32 (Marsaglia 2003) */
static uint32_t next(uint32_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 17;
	*x ^= *x << 5;
	return *x;
}

static void bits_may_flip(void **state)
{
	const struct frames *frames = *state;
	uint32_t x = 20260302;

	for (unsigned i = 0; i < frames->count; i++) {
		const struct frame *frame = &frames->list[i];
		CLEANUP(freep) uint8_t *bytes = malloc(frame->len);

		assert_non_null(bytes);
		for (unsigned n = 0; n < FLIPS; n++) {
			uint32_t len = frame->len - next(&x) % frame->len;
			enum link link = next(&x) % 8 ? frame->link : (enum link)(next(&x) % 5);

			memcpy(bytes, frame->bytes, frame->len);
			for (unsigned k = next(&x) % 8; k > 0; k--)
				bytes[next(&x) % frame->len] ^= (uint8_t)(1U << next(&x) % 8);
			(void)show(link, bytes, len, len + (next(&x) % 2 ? 0 : next(&x) % 200));
		}
	}
}

static int begin(void **state)
{
	struct frames *frames = calloc(1, sizeof(*frames));

	assert_non_null(frames);
	add_link(frames, WIRE_ETHERNET, LINK_ETHERNET);
	add_link(frames, WIRE_SLL, LINK_SLL);
	add_link(frames, WIRE_SLL2, LINK_SLL2);
	add_link(frames, WIRE_RAW, LINK_RAW);
	add_link(frames, WIRE_LOOP, LINK_LOOPBACK);
	add_wrapped(frames);
	add_by_hand(frames);
	*state = frames;
	return 0;
}

static int end(void **state)
{
	struct frames *frames = *state;

	for (unsigned i = 0; i < frames->count; i++)
		free(frames->list[i].bytes);
	free(frames);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_frame_cut_by_the_snap_length_is_not_malformed),
		cmocka_unit_test(a_frame_cut_by_the_network_is_no_packet),
		cmocka_unit_test(every_byte_and_every_pair_of_them_may_be_wrong),
		cmocka_unit_test(bits_may_flip),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
