/*
 * test_wire.c - the packet builder itself: what every other test stands on is read back by hand here.
 */
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CLIENT "10.1.0.7:49152 > 10.1.0.9:443"
#define SERVER "10.1.0.9:443 > 10.1.0.7:49152"

static unsigned be16(const uint8_t *at)
{
	return (unsigned)at[0] << 8 | at[1];
}

static uint32_t be32(const uint8_t *at)
{
	return (uint32_t)be16(at) << 16 | be16(at + 2);
}

/* A sum over bytes that hold their own right checksum is 0xffff (RFC 1071 1). */
static unsigned sum(uint32_t total, const uint8_t *at, size_t len)
{
	for (size_t i = 0; i < len; i++)
		total += i % 2 ? at[i] : (uint32_t)at[i] << 8;
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

static void segments_follow_each_other(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_tcp(w, CLIENT, "S", NULL, 0);
	wire_tcp(w, SERVER, "SA", NULL, 0);
	wire_tcp(w, CLIENT, "A", NULL, 0);
	wire_tcp(w, CLIENT, "PA", "hello", 5);
	wire_tcp(w, CLIENT, "FA", NULL, 0);
	const uint8_t *syn = wire_packet(w, 0).data + 34,
		      *syn_ack = wire_packet(w, 1).data + 34;
	const uint8_t *ack = wire_packet(w, 2).data + 34, *data = wire_packet(w, 3).data + 34;
	const uint8_t *fin = wire_packet(w, 4).data + 34;

	assert_int_equal(syn[13], 2);
	assert_int_equal(syn_ack[13], 0x12);
	assert_int_equal(be32(syn_ack + 8), be32(syn + 4) + 1);
	assert_int_equal(be32(ack + 4), be32(syn + 4) + 1);
	assert_int_equal(be32(ack + 8), be32(syn_ack + 4) + 1);
	assert_int_equal(be32(data + 4), be32(ack + 4));
	assert_int_equal(be32(fin + 4), be32(data + 4) + 5);
	assert_memory_equal(data + 20, "hello", 5);
}

static void a_retried_syn_has_the_same_number(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	talk_silence(w, CLIENT);
	assert_int_equal(wire_count(w), 4);
	for (size_t i = 1; i < 4; i++)
		assert_int_equal(be32(wire_packet(w, i).data + 38),
				 be32(wire_packet(w, 0).data + 38));
	assert_int_equal(wire_packet(w, 3).time_us - wire_packet(w, 0).time_us, 7000000);
}

static void lost_bytes_leave_a_gap(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_tcp(w, CLIENT, "PA", "abc", 3);
	wire_lose(w, CLIENT, 100);
	wire_tcp(w, CLIENT, "PA", "abc", 3);
	assert_int_equal(be32(wire_packet(w, 1).data + 38),
			 be32(wire_packet(w, 0).data + 38) + 103);
}

static void long_data_becomes_segments(void **state)
{
	static const uint8_t data[4000];
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_tcp(w, CLIENT, "PA", data, sizeof(data));
	assert_int_equal(wire_count(w), 3);
	assert_int_equal(wire_packet(w, 0).data[47], 16); /* PSH on the last one alone */
	assert_int_equal(wire_packet(w, 2).data[47], 24);
	assert_int_equal(wire_packet(w, 2).len, 54 + 4000 - 2 * 1460);
	wire_mss(w, 0);
	wire_tcp(w, CLIENT, "PA", data, sizeof(data));
	assert_int_equal(wire_packet(w, 3).len, 54 + 4000);
}

static void checksums_are_right_in_both_families(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_tcp(w, CLIENT, "PA", "odd", 3);
	wire_udp(w, "10.1.0.7:50016 > 10.1.0.9:3478", "odd", 3);
	wire_udp(w, "[2001:db8::7]:50016 > [2001:db8::9]:3478", "odd", 3);
	wire_icmp_error(w, "2001:db8::1 > 2001:db8::7", 1, 4);
	for (size_t i = 0; i < wire_count(w); i++) {
		struct wire_frame f = wire_packet(w, i);
		const uint8_t *ip = f.data + 14;
		bool v6 = ip[0] >> 4 == 6;
		size_t header = v6 ? 40 : 20, len = f.len - 14 - header;
		uint32_t pseudo =
			sum(v6 ? ip[6] : ip[9], ip + header - (v6 ? 32 : 8), v6 ? 32 : 8);

		if (!v6)
			assert_int_equal(sum(0, ip, 20), 0xffff);
		assert_int_equal(be16(ip + (v6 ? 4 : 2)), v6 ? len : len + 20);
		assert_int_equal(sum(pseudo + (uint32_t)len, ip + header, len), 0xffff);
	}
}

static void an_icmp_error_quotes_the_last_packet(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_udp(w, "10.1.0.7:50016 > 10.1.0.9:3478", "hello", 5);
	wire_icmp_error(w, "10.1.0.1 > 10.1.0.7", 3, 13);
	struct wire_frame f = wire_packet(w, 1);

	assert_int_equal(f.len, 14 + 20 + 8 + 28);
	assert_int_equal(f.data[34], 3);
	assert_int_equal(f.data[35], 13);
	assert_memory_equal(f.data + 42, wire_packet(w, 0).data + 14, 28);
	assert_int_equal(sum(0, f.data + 34, f.len - 34), 0xffff);
}

static void fragments_tile_the_datagram(void **state)
{
	static const char *const tuples[] = {"10.1.0.7:1 > 10.1.0.9:2", "[::7]:1 > [::9]:2"};
	uint8_t data[5000], seen[5008];

	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7);
	for (unsigned v6 = 0; v6 < 2; v6++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		size_t end = 0;

		wire_mtu(w, 1500);
		wire_udp(w, tuples[v6], data, sizeof(data));
		assert_int_equal(wire_count(w), 4);
		for (size_t i = 0; i < 4; i++) {
			struct wire_frame f = wire_packet(w, i);
			size_t header = 14 + (v6 ? 48 : 20);
			unsigned word = be16(f.data + (v6 ? 14 + 42 : 14 + 6));
			size_t offset = v6 ? word & 0xfff8 : (word & 0x1fff) * 8;

			assert_true(f.len <= 14 + 1500);
			assert_int_equal(!!(word & (v6 ? 1 : 0x2000)), i < 3);
			assert_int_equal(offset, end);
			memcpy(seen + offset, f.data + header, f.len - header);
			end = offset + f.len - header;
		}
		assert_int_equal(end, sizeof(seen));
		assert_memory_equal(seen + 8, data, sizeof(data));
	}
}

static void link_headers_have_their_lengths(void **state)
{
	static const struct {
		enum wire_link link;
		unsigned len, type_at, type;
	} cases[] = {
		{WIRE_ETHERNET, 14, 12, 0x0800}, {WIRE_SLL, 16, 14, 0x0800},
		{WIRE_SLL2, 20, 0, 0x0800},	 {WIRE_RAW, 0, 0, 0x4500},
		{WIRE_NULL, 4, 0, 0x0200},	 {WIRE_LOOP, 4, 2, 2},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();

		wire_link(w, cases[i].link);
		wire_udp(w, "10.1.0.7:1 > 10.1.0.9:2", "x", 1);
		assert_int_equal(wire_packet(w, 0).len, cases[i].len + 29);
		assert_int_equal(be16(wire_packet(w, 0).data + cases[i].type_at),
				 cases[i].type);
		assert_int_equal(wire_packet(w, 0).data[cases[i].len], 0x45);
	}
}

static void tags_stand_outermost_first(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_vlan(w, 2, (uint16_t[]){7, 8});
	wire_udp(w, "10.1.0.7:1 > 10.1.0.9:2", "x", 1);
	const uint8_t *frame = wire_packet(w, 0).data;

	assert_int_equal(be32(frame + 12), 0x88a80007);
	assert_int_equal(be32(frame + 16), 0x81000008);
	assert_int_equal(be16(frame + 20), 0x0800);
}

static void macs_follow_addresses_routers_and_groups(void **state)
{
	static const struct {
		const char *tuple;
		uint8_t mac[6];
	} cases[] = {
		{"10.1.0.7:1 > 10.1.0.9:2", {2, 4, 10, 1, 0, 9}},
		{"10.1.0.7:1 > 10.1.0.8:2", {0, 0x26, 0x8c, 1, 2, 3}},
		{"10.1.0.7:1 > 52.112.1.9:2", {0, 0, 0x5e, 0, 1, 1}},
		{"10.1.0.7:1 > 224.0.0.252:2", {1, 0, 0x5e, 0, 0, 0xfc}},
		{"10.1.0.7:1 > 255.255.255.255:2", {255, 255, 255, 255, 255, 255}},
		{"[fe80::7]:1 > [ff02::1:3]:2", {0x33, 0x33, 0, 1, 0, 3}},
	};
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_router(w, "10.0.0.0/8", "00:00:5e:00:01:01");
	wire_mac(w, "10.1.0.8", "02:00:00:00:00:01");
	wire_mac(w, "10.1.0.8", "00:26:8c:01:02:03"); /* the later word counts */
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		wire_udp(w, cases[i].tuple, "x", 1);
		assert_memory_equal(wire_packet(w, i).data, cases[i].mac, 6);
	}
}

static void the_snap_length_cuts_and_remembers(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_snap(w, 40);
	wire_udp(w, "10.1.0.7:1 > 10.1.0.9:2", "0123456789", 10);
	assert_int_equal(wire_packet(w, 0).caplen, 40);
	assert_int_equal(wire_packet(w, 0).len, 52);
}

static void short_frames_are_padded(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_pad(w, 60);
	wire_udp(w, "10.1.0.7:1 > 10.1.0.9:2", "x", 1);
	assert_int_equal(wire_packet(w, 0).len, 60);
	assert_int_equal(be16(wire_packet(w, 0).data + 16), 29);
	assert_int_equal(wire_packet(w, 0).data[59], 0);
}

static void sorting_keeps_the_order_of_one_time(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_at(w, 2);
	wire_frame(w, "c", 1);
	wire_at(w, 1);
	wire_frame(w, "a", 1);
	wire_frame(w, "b", 1);
	wire_sort(w);
	for (size_t i = 0; i < 3; i++)
		assert_int_equal(wire_packet(w, i).data[0], 'a' + i);
	assert_int_equal(wire_packet(w, 2).time_us, (WIRE_EPOCH + 2) * 1000000);
}

static void a_copy_is_the_same_frame_later(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_udp(w, "10.1.0.7:1 > 10.1.0.9:2", "x", 1);
	wire_wait(w, 0.001);
	wire_again(w);
	assert_int_equal(wire_packet(w, 1).time_us - wire_packet(w, 0).time_us, 1000);
	assert_memory_equal(wire_packet(w, 1).data, wire_packet(w, 0).data,
			    wire_packet(w, 0).len);
}

static void a_capture_file_is_written_to_the_byte(void **state)
{
	static const uint8_t wanted[] = {
		0xd4, 0xc3, 0xb2, 0xa1, 2, 0, 4,   0, 0, 0, 0,	  0,	0,    0,
		0,    0,    0,	  0,	4, 0, 101, 0, 0, 0, 0x80, 0x43, 0xa5, 0x69,
		0x20, 0xa1, 7,	  0,	2, 0, 0,   0, 2, 0, 0,	  0,	'h',  'i',
	};
	char path[] = "/tmp/test_wire.XXXXXX";
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(fclosep) FILE *file = NULL;
	uint8_t seen[sizeof(wanted) + 1];
	struct err err;
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	file = fdopen(fd, "rb");
	wire_link(w, WIRE_RAW);
	wire_at(w, 0.5);
	wire_frame(w, "hi", 2);
	assert_int_equal(wire_write(w, path, &err), 0);
	assert_int_equal(fread(seen, 1, sizeof(seen), file), sizeof(wanted));
	assert_memory_equal(seen, wanted, sizeof(wanted));
	remove(path);
	assert_int_equal(wire_write(w, "/no/such/folder/x", &err), -ENOENT);
}

static void a_tuple_is_turned_round(void **state)
{
	char back[WIRE_TUPLE];

	assert_string_equal(wire_back("[::1]:1 > [::2]:2", back), "[::2]:2 > [::1]:1");
}

static void fixed_lengths_of_ms_turn_hold(void **state)
{
	struct message hello = message_pseudo_tls_hello(), answer = message_pseudo_tls_answer();
	struct message allocate = message_msturn(MSTURN_ALLOCATE, 1, NULL, NULL);

	assert_int_equal(hello.len, 50);
	assert_int_equal(answer.len, 83);
	assert_int_equal(be32(allocate.b + 20), 0x000f0004);
	assert_int_equal(be32(allocate.b + 24), 0x72c64bc6);
	assert_int_equal(be16(allocate.b + 2) + 20, allocate.len);
}

static void a_check_ends_in_its_fingerprint(void **state)
{
	struct message m = message_stun_request(1, true);
	uint32_t crc = 0xffffffff;

	for (size_t i = 0; i < m.len - 8; i++) {
		crc ^= m.b[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ 0xedb88320U : crc >> 1;
	}
	assert_int_equal(be32(m.b + m.len - 8), 0x80280004);
	assert_int_equal(be32(m.b + m.len - 4), ~crc ^ 0x5354554eU);
	assert_int_equal(be16(m.b + 2) + 20, m.len);
}

static void der_lengths_end_at_the_end(void **state)
{
	static const unsigned types[] = {KERBEROS_AS_REQ, KERBEROS_AS_REP, KERBEROS_ERROR};

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		struct message m = message_kerberos(types[i]);
		size_t len = m.b[1], head = 2;

		if (m.b[1] == 0x81)
			len = m.b[2], head = 3;
		else if (m.b[1] == 0x82)
			len = be16(m.b + 2), head = 4;
		assert_int_equal(m.b[0], 0x60 | types[i]);
		assert_int_equal(head + len, m.len);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(segments_follow_each_other),
		cmocka_unit_test(a_retried_syn_has_the_same_number),
		cmocka_unit_test(lost_bytes_leave_a_gap),
		cmocka_unit_test(long_data_becomes_segments),
		cmocka_unit_test(checksums_are_right_in_both_families),
		cmocka_unit_test(an_icmp_error_quotes_the_last_packet),
		cmocka_unit_test(fragments_tile_the_datagram),
		cmocka_unit_test(link_headers_have_their_lengths),
		cmocka_unit_test(tags_stand_outermost_first),
		cmocka_unit_test(macs_follow_addresses_routers_and_groups),
		cmocka_unit_test(the_snap_length_cuts_and_remembers),
		cmocka_unit_test(short_frames_are_padded),
		cmocka_unit_test(sorting_keeps_the_order_of_one_time),
		cmocka_unit_test(a_copy_is_the_same_frame_later),
		cmocka_unit_test(a_capture_file_is_written_to_the_byte),
		cmocka_unit_test(a_tuple_is_turned_round),
		cmocka_unit_test(fixed_lengths_of_ms_turn_hold),
		cmocka_unit_test(a_check_ends_in_its_fingerprint),
		cmocka_unit_test(der_lengths_end_at_the_end),
	};

	return cmocka_run_group_tests_name("wire", tests, NULL, NULL);
}
