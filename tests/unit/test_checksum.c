/*
 * test_checksum.c - checksums of TCP and UDP as senders write them, and as they hand them to a card.
 */
#include "monitor/capture/checksum.h"
#include "dissectors/decode.h"
#include "tests/lib/wire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define V4 "10.20.0.15:50000 > 10.20.0.53:53"
#define V6 "[2001:db8::15]:50000 > [2001:db8::53]:53"

static uint8_t bytes[2048];
static struct packet packet;

/* The last frame of the wire, decoded from a copy that may be changed. */
static uint8_t *copy_of(const struct wire *w, uint32_t keep)
{
	struct wire_frame frame = wire_packet(w, wire_count(w) - 1);
	uint32_t len = keep && keep < frame.caplen ? keep : frame.caplen;

	memcpy(bytes, frame.data, frame.caplen);
	packet = (struct packet){0};
	assert_int_equal(packet_decode(LINK_ETHERNET, bytes, len, frame.len, &packet), DECODED_IP);
	return bytes + (packet.ip - bytes) + packet.ip_header_len;
}

static void what_a_sender_summed_is_right(void **state)
{
	static const char *const tuples[] = {V4, V6};
	CLEANUP(wire_freep) struct wire *w = wire_new();

	for (size_t i = 0; i < ARRAY_LEN(tuples); i++)
		for (size_t len = 0; len < 40; len++) {
			wire_udp(w, tuples[i], "a question that is longer than the rest of it", len);
			copy_of(w, 0);
			assert_int_equal(checksum_look(&packet), CHECKSUM_RIGHT);
			wire_tcp(w, tuples[i], "PA", "an answer that is longer than the rest of it", len);
			copy_of(w, 0);
			assert_int_equal(checksum_look(&packet), CHECKSUM_RIGHT);
		}
}

static void one_changed_bit_is_wrong(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	uint8_t *transport;

	wire_tcp(w, V4, "PA", "answer", 6);
	transport = copy_of(w, 0);
	for (unsigned bit = 0; bit < 8 * 26; bit++) {
		transport[bit / 8] ^= (uint8_t)BIT(bit % 8);
		assert_int_equal(checksum_look(&packet), CHECKSUM_WRONG);
		transport[bit / 8] ^= (uint8_t)BIT(bit % 8);
	}
	assert_int_equal(checksum_look(&packet), CHECKSUM_RIGHT);
}

/* 10.20.0.15 + 10.20.0.53 + protocol + length, as Linux leaves it there for a card (checksum offload). */
static void the_pseudo_header_alone_is_unsummed(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	uint8_t *transport;
	unsigned sum = 0x0a14 + 0x000f + 0x0a14 + 0x0035;

	wire_udp(w, V4, "question", 8);
	transport = copy_of(w, 0);
	transport[6] = (uint8_t)((sum + 17 + 16) >> 8);
	transport[7] = (uint8_t)(sum + 17 + 16);
	assert_int_equal(checksum_look(&packet), CHECKSUM_UNSUMMED);
	wire_tcp(w, V4, "PA", "question", 8);
	transport = copy_of(w, 0);
	transport[16] = (uint8_t)((sum + 6 + 28) >> 8);
	transport[17] = (uint8_t)(sum + 6 + 28);
	assert_int_equal(checksum_look(&packet), CHECKSUM_UNSUMMED);
	transport[17]++;
	assert_int_equal(checksum_look(&packet), CHECKSUM_WRONG);
}

static void what_is_not_whole_is_not_summed(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	uint8_t *transport;

	wire_udp(w, V4, "question", 8);
	transport = copy_of(w, 44);
	assert_int_equal(checksum_look(&packet), CHECKSUM_UNKNOWN);
	transport = copy_of(w, 0);
	transport[6] = transport[7] = 0; /* RFC 768: none was made */
	assert_int_equal(checksum_look(&packet), CHECKSUM_UNKNOWN);
	wire_mtu(w, 600);
	wire_udp(w, V4, bytes, 1000);
	copy_of(w, 0);
	assert_true(packet.fragment);
	assert_int_equal(checksum_look(&packet), CHECKSUM_UNKNOWN);
	wire_mtu(w, 0);
	wire_echo(w, "10.20.0.15 > 10.20.0.53", false, 1, 1);
	copy_of(w, 0);
	assert_int_equal(checksum_look(&packet), CHECKSUM_UNKNOWN);
	/* cut within the header, which the IP length agrees with */
	wire_ip(w, "10.20.0.15 > 10.20.0.53", 17, "\xc3\x50\x00\x35", 4);
	struct wire_frame frame = wire_packet(w, wire_count(w) - 1);

	packet = (struct packet){0};
	if (packet_decode(LINK_ETHERNET, frame.data, frame.caplen, frame.len, &packet) == DECODED_IP)
		assert_int_equal(checksum_look(&packet), CHECKSUM_UNKNOWN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_sender_summed_is_right),
		cmocka_unit_test(one_changed_bit_is_wrong),
		cmocka_unit_test(the_pseudo_header_alone_is_unsummed),
		cmocka_unit_test(what_is_not_whole_is_not_summed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
