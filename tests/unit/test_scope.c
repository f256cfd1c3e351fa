/*
 * test_scope.c - what passes a scope and what does not, by its own test and by the kernel itself, which is given the program on a
 * pair of sockets: both must say the same of every frame, but for what the program looks at less closely.
 */
#include "monitor/capture/scope_program.h"
#include "tests/lib/message.h"
#include "tests/lib/wire.h"
#include "tests/lib/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <sys/socket.h>
#include <unistd.h>

#define UNIT "10.1.0.7"
#define UNIT6 "2001:db8::a1b2:c307"
#define FLOOR "10.2.8.0/22"
#define HALL6 "2001:db8:5a5b:5c5d::/64"
#define UNIT_MAC "52:54:9a:bc:de:07" /* far from those of other frames in the 32 bits that the program compares */
#define PLENTY BPF_MAXINSNS

struct kernel {
	int in, out;
	size_t length; /* of its program */
};

static struct scope *scope_of(const char *const *words)
{
	struct scope *scope = scope_new();
	struct mac mac = {{0x00, 0x26, 0x8c}};

	assert_non_null(scope);
	scope_add_oui(scope, &mac);
	for (; *words; words++) {
		struct prefix prefix;

		if (!mac_parse(*words, &mac)) {
			assert_int_equal(scope_add_mac(scope, &mac), 0);
		} else {
			assert_int_equal(prefix_parse(*words, &prefix), 0);
			assert_int_equal(scope_add_prefix(scope, &prefix), 0);
		}
	}
	assert_int_equal(scope_seal(scope), 0);
	return scope;
}

static struct scope *small_scope(void)
{
	static const char *const WORDS[] = {UNIT, UNIT6, FLOOR, HALL6, UNIT_MAC, NULL};

	return scope_of(WORDS);
}

/* ------------------------------------------------------------ the kernel's word */

static void kernel_begin(struct kernel *kernel, const struct scope *scope, enum link link,
                         const struct sock_filter *words, size_t word_count, size_t max)
{
	struct sock_filter *code = calloc(PLENTY, sizeof(*code));
	struct sock_fprog program = {.filter = code};
	int pair[2], room = 1 << 20;

	assert_non_null(code);
	kernel->length = scope_program(scope, link, words, word_count, code, max);
	assert_true(kernel->length && kernel->length <= max);
	program.len = (unsigned short)kernel->length;
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0, pair), 0);
	kernel->in = pair[0];
	kernel->out = pair[1];
	assert_int_equal(setsockopt(kernel->in, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	assert_int_equal(setsockopt(kernel->out, SOL_SOCKET, SO_ATTACH_FILTER, &program,
	                            sizeof(program)),
	                 0);
	free(code);
}

static void kernel_end(struct kernel *kernel)
{
	close(kernel->in);
	close(kernel->out);
}

static bool kernel_passes(const struct kernel *kernel, const uint8_t *bytes, size_t len)
{
	uint8_t byte;

	assert_int_equal(send(kernel->in, bytes, len, 0), len);
	return recv(kernel->out, &byte, 1, MSG_TRUNC) == (ssize_t)len;
}

static bool passes(const struct scope *scope, enum link link, const uint8_t *bytes, size_t len)
{
	const struct frame frame = {
		.bytes = bytes, .caplen = (uint32_t)len, .wire_len = (uint32_t)len, .link = link};

	return scope_passes(scope, &frame);
}

/* Each frame of the wire: as is, in VLANs one in another, and without its link header. */
static void all_say(const struct scope *scope, const struct wire *w, bool wanted, const char *what)
{
	struct kernel ethernet, raw;

	kernel_begin(&ethernet, scope, LINK_ETHERNET, NULL, 0, PLENTY);
	kernel_begin(&raw, scope, LINK_RAW, NULL, 0, PLENTY);
	for (size_t i = 0; i < wire_count(w); i++) {
		struct wire_frame frame = wire_packet(w, i);
		uint8_t tagged[4096];

		assert_true(frame.len + 12 <= sizeof(tagged));
		for (unsigned tags = 0; tags <= 3; tags++) {
			uint32_t len = frame.len + 4 * tags;

			memcpy(tagged, frame.data, 12);
			for (unsigned t = 0; t < tags; t++)
				memcpy(tagged + 12 + 4 * t, t ? "\x81\x00\x00\x05" : "\x88\xa8\x00\x07", 4);
			memcpy(tagged + 12 + 4 * tags, frame.data + 12, frame.len - 12);
			if (passes(scope, LINK_ETHERNET, tagged, len) != wanted ||
			    kernel_passes(&ethernet, tagged, len) != wanted)
				fail_msg("%s: frame %zu in %u tags: the test says %d, the kernel %d",
				         what, i, tags, passes(scope, LINK_ETHERNET, tagged, len),
				         kernel_passes(&ethernet, tagged, len));
		}
		if (frame.data[12] == 8 && frame.data[13] == 6)
			continue; /* there is no ARP without a link */
		if (passes(scope, LINK_RAW, frame.data + 14, frame.len - 14) !=
		    kernel_passes(&raw, frame.data + 14, frame.len - 14))
			fail_msg("%s: frame %zu without its link", what, i);
	}
	kernel_end(&ethernet);
	kernel_end(&raw);
}

/* ----------------------------------------------------------------------- cases */

static void what_a_unit_says_and_hears_passes(void **state)
{
	static const char *const TUPLES[] = {
		UNIT ":50000 > 192.0.2.9:3478",      "192.0.2.9:3478 > " UNIT ":50000",
		"10.2.8.0:1 > 192.0.2.9:2",          "192.0.2.9:2 > 10.2.11.255:1",
		"[" UNIT6 "]:50000 > [2001:db9::1]:9", "[2001:db9::1]:9 > [" UNIT6 "]:50000",
		"[2001:db8:5a5b:5c5d::1]:7 > [2001:db9::1]:9", "[2001:db9::1]:9 > [2001:db8:5a5b:5c5d:ffff::]:9",
	};
	CLEANUP(scope_freep) struct scope *scope = small_scope();
	CLEANUP(wire_freep) struct wire *w = wire_new();

	for (size_t i = 0; i < ARRAY_LEN(TUPLES); i++) {
		wire_udp(w, TUPLES[i], "hello", 5);
		wire_tcp(w, TUPLES[i], "S", NULL, 0);
	}
	all_say(scope, w, true, "of a unit");
}

static void a_mac_of_the_lists_or_of_the_maker_passes_at_either_end(void **state)
{
	static const char *const MACS[] = {UNIT_MAC, "00:26:8c:aa:bb:cc"};

	for (size_t i = 0; i < ARRAY_LEN(MACS); i++) {
		CLEANUP(scope_freep) struct scope *scope = small_scope();
		CLEANUP(wire_freep) struct wire *w = wire_new();

		wire_mac(w, "192.0.2.7", MACS[i]);
		wire_udp(w, "192.0.2.7:9 > 192.0.2.9:9", "hello", 5);
		wire_udp(w, "192.0.2.9:9 > 192.0.2.7:9", "hello", 5);
		for (size_t f = 0; f < wire_count(w); f++)
			assert_true(passes(scope, LINK_ETHERNET, wire_packet(w, f).data,
			                   wire_packet(w, f).len));
	}
}

/* The frame as a capture of all interfaces has it: with the sender's MAC alone. */
static size_t cook(enum link link, struct wire_frame frame, uint8_t cooked[256])
{
	size_t header = link == LINK_SLL ? 16 : 20;

	assert_true(frame.len - 14 + header <= 256);
	memset(cooked, 0, header);
	cooked[link == LINK_SLL ? 5 : 11] = 6;
	memcpy(cooked + (link == LINK_SLL ? 6 : 12), frame.data + 6, 6);
	memcpy(cooked + (link == LINK_SLL ? 14 : 0), frame.data + 12, 2);
	memcpy(cooked + header, frame.data + 14, frame.len - 14);
	return header + frame.len - 14;
}

static void where_only_the_sender_has_a_mac_who_is_known_by_it_hears_what_is_said_to_it(void **state)
{
	static const enum link LINKS[] = {LINK_SLL, LINK_SLL2};
	CLEANUP(scope_freep) struct scope *by_address = scope_new(), *scope = small_scope();
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct prefix prefix;

	assert_int_equal(prefix_parse(UNIT, &prefix), 0);
	assert_int_equal(scope_add_prefix(by_address, &prefix), 0);
	assert_int_equal(scope_seal(by_address), 0);
	wire_mac(w, "192.0.2.7", "00:26:8c:aa:bb:cc");
	wire_udp(w, "192.0.2.7:9 > 192.0.2.9:9", "hello", 5);
	wire_udp(w, "192.0.2.9:9 > 192.0.2.7:9", "hello", 5);
	wire_udp(w, "192.0.2.9:9 > " UNIT ":9", "hello", 5);
	for (size_t i = 0; i < ARRAY_LEN(LINKS); i++)
		for (size_t f = 0; f < wire_count(w); f++) {
			uint8_t cooked[256];
			size_t len = cook(LINKS[i], wire_packet(w, f), cooked);

			assert_true(passes(scope, LINKS[i], cooked, len));
			assert_int_equal(passes(by_address, LINKS[i], cooked, len), f == 2);
		}
}

static void what_others_say_stays_out(void **state)
{
	CLEANUP(scope_freep) struct scope *scope = small_scope();
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_udp(w, "192.0.2.9:3478 > 192.0.2.10:50000", "hello", 5);
	wire_udp(w, "10.1.0.6:1 > 10.1.0.8:1", "beside the unit", 15);
	wire_udp(w, "10.2.7.255:1 > 10.2.12.0:1", "beside the floor", 16);
	wire_udp(w, "[2001:db8::a1b2:c306]:1 > [2001:db8::a1b2:c308]:1", "beside the unit", 15);
	wire_udp(w, "[2001:db8:5a5b:5c5c:ffff::1]:1 > [2001:db8:5a5b:5c5e::1]:1", "beside the hall", 15);
	wire_udp(w, "192.0.2.9:4789 > 192.0.2.10:1", "from a tunnel's port is no tunnel", 33);
	wire_tcp(w, "192.0.2.9:50000 > 192.0.2.10:443", "S", NULL, 0);
	wire_tcp(w, "192.0.2.9:50000 > 192.0.2.10:443", "PA", "\x17\x03\x03\x00\x05hello", 10);
	wire_tcp(w, "192.0.2.10:443 > 192.0.2.9:50000", "PA", "\x16\x03\x03\x00\x05\x02", 6);
	wire_tcp(w, "[2001:db9::1]:50000 > [2001:db9::2]:443", "PA", "GET / HTTP/1.1\r\n", 16);
	wire_echo(w, "192.0.2.9 > 192.0.2.10", false, 1, 1);
	wire_echo(w, "2001:db9::1 > 2001:db9::2", false, 1, 1);
	wire_ip(w, "192.0.2.9 > 192.0.2.10", 50, "hello", 5);
	wire_ip(w, "192.0.2.9 > 192.0.2.10", 4, "hello", 5);
	all_say(scope, w, false, "of others");
}

static void what_tells_of_units_passes(void **state)
{
	static const char *const TUPLES[] = {
		"0.0.0.0:68 > 255.255.255.255:67",    "192.0.2.1:67 > 192.0.2.2:68",
		"192.0.2.9:5000 > 192.0.2.53:53",     "192.0.2.53:53 > 192.0.2.9:5000",
		"192.0.2.9:5000 > 224.0.0.252:5355",  "192.0.2.8:5355 > 192.0.2.9:5000",
		"[2001:db9::1]:5000 > [2001:db9::53]:53", "[fe80::8]:5355 > [fe80::9]:5000",
	};
	CLEANUP(scope_freep) struct scope *scope = small_scope();
	CLEANUP(wire_freep) struct wire *w = wire_new();

	for (size_t i = 0; i < ARRAY_LEN(TUPLES); i++)
		wire_udp(w, TUPLES[i], "anything at all", 15);
	wire_tcp(w, "192.0.2.9:5000 > 192.0.2.53:53", "S", NULL, 0);
	wire_tcp(w, "[2001:db9::53]:53 > [2001:db9::1]:5000", "PA", "hello", 5);
	wire_arp(w, "192.0.2.9 > 192.0.2.10");
	wire_ip(w, "192.0.2.9 > 224.0.0.22", 2, "\x22\0\xf9\0\0\0\0\0", 8);
	wire_ip(w, "fe80::9 > ff02::1", 58, "\x88\0\0\0\0\0\0\0", 8);
	wire_ip(w, "fe80::9 > ff02::16", 58, "\x8f\0\0\0\0\0\0\0", 8);
	all_say(scope, w, true, "tells of units");
}

static void who_is_wanted_by_name_passes_with_the_name(void **state)
{
	static const char *const TUPLES[] = {"192.0.2.9:50000 > 192.0.2.10:443",
	                                     "[2001:db9::1]:50000 > [2001:db9::2]:8443"};
	CLEANUP(scope_freep) struct scope *scope = small_scope();
	CLEANUP(wire_freep) struct wire *w = wire_new();

	for (size_t i = 0; i < ARRAY_LEN(TUPLES); i++) {
		struct message hello = message_client_hello("config.maestro.starleaf.com", 0x303);

		wire_tcp(w, TUPLES[i], "PA", hello.b, hello.len);
		wire_tcp(w, TUPLES[i], "PA", "CONNECT maestro.starleaf.com:443 HTTP/1.1\r\n", 43);
	}
	all_say(scope, w, true, "names whom it wants");
}

static void errors_pass_whoever_they_quote(void **state)
{
	CLEANUP(scope_freep) struct scope *scope = small_scope();
	CLEANUP(wire_freep) struct wire *errors = wire_new();
	static const uint8_t TYPES[] = {3, 4, 5, 11, 12};

	for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
		uint8_t error[8 + 28] = {TYPES[i], 3};

		error[8] = 0x45;
		wire_ip(errors, "192.0.2.9 > 192.0.2.10", 1, error, sizeof(error));
	}
	for (uint8_t type = 1; type <= 4; type++) {
		uint8_t error[8 + 48] = {type};

		error[8] = 0x60;
		wire_ip(errors, "2001:db9::1 > 2001:db9::2", 58, error, sizeof(error));
	}
	all_say(scope, errors, true, "an error");
}

static void fragments_pass(void **state)
{
	CLEANUP(scope_freep) struct scope *scope = small_scope();
	CLEANUP(wire_freep) struct wire *w = wire_new();
	char data[3000] = "hello";

	wire_mtu(w, 1500);
	wire_udp(w, "192.0.2.9:5000 > 192.0.2.10:6000", data, sizeof(data));
	wire_udp(w, "[2001:db9::1]:5000 > [2001:db9::2]:6000", data, sizeof(data));
	assert_int_equal(wire_count(w), 6);
	all_say(scope, w, true, "a fragment");
}

static void whatever_a_mirror_wraps_passes(void **state)
{
	CLEANUP(scope_freep) struct scope *scope = small_scope();

	for (unsigned kind = 0; kind < WRAP_COUNT; kind++) {
		CLEANUP(wire_freep) struct wire *inner = wire_new(), *w = wire_new();

		wire_udp(inner, UNIT ":1 > 192.0.2.9:2", "hello", 5);
		wrap(w, WRAP_PAIR, (enum wrap)kind, inner, 0);
		wrap(w, "2001:db9::1 > 2001:db9::2", (enum wrap)kind, inner, 0);
		all_say(scope, w, true, "a wrapping");
	}
}

static void what_is_of_no_interest_to_anybody_stays_out(void **state)
{
	static const uint16_t TYPES[] = {0x88cc, 0x8809, 0x888e, 0x0026, 0x9000};
	CLEANUP(scope_freep) struct scope *scope = small_scope();

	for (size_t i = 0; i < ARRAY_LEN(TYPES); i++) {
		uint8_t frame[60] = {2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4};

		frame[12] = (uint8_t)(TYPES[i] >> 8);
		frame[13] = (uint8_t)TYPES[i];
		assert_false(passes(scope, LINK_ETHERNET, frame, sizeof(frame)));
	}
}

static void what_was_cut_passes(void **state)
{
	CLEANUP(scope_freep) struct scope *scope = small_scope();
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct frame frame;

	wire_udp(w, "192.0.2.9:5000 > 192.0.2.10:6000", "hello, hello, hello", 19);
	frame = (struct frame){.bytes = wire_packet(w, 0).data, .link = LINK_ETHERNET,
	                       .caplen = 60, .wire_len = 61};
	assert_true(scope_passes(scope, &frame));
	frame.wire_len = 60;
	assert_false(scope_passes(scope, &frame));
	frame.caplen = frame.wire_len = 33;
	assert_true(scope_passes(scope, &frame));
}

/* -------------------------------------------------------------------- the program */

static uint32_t draw(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return *seed >> 8;
}

static void the_kernel_and_the_test_agree_on_whatever_bytes(void **state)
{
	CLEANUP(scope_freep) struct scope *scope = small_scope();
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct message hello = message_client_hello("example.org", 0x303);
	struct kernel kernel[2];
	unsigned passed = 0, all = 0;
	uint32_t seed = 7;

	wire_udp(w, "192.0.2.9:5000 > 192.0.2.10:6000", "hello", 5);
	wire_udp(w, "[2001:db9::1]:5000 > [2001:db9::2]:6000", "hello", 5);
	wire_tcp(w, "192.0.2.9:5000 > 192.0.2.10:443", "PA", hello.b, hello.len);
	wire_tcp(w, "[2001:db9::1]:5000 > [2001:db9::2]:443", "PA", hello.b, hello.len);
	wire_echo(w, "192.0.2.9 > 192.0.2.10", false, 1, 1);
	wire_echo(w, "2001:db9::1 > 2001:db9::2", false, 1, 1);
	kernel_begin(&kernel[0], scope, LINK_ETHERNET, NULL, 0, PLENTY);
	kernel_begin(&kernel[1], scope, LINK_RAW, NULL, 0, PLENTY);
	for (unsigned round = 0; round < 30000; round++) {
		struct wire_frame frame = wire_packet(w, draw(&seed) % wire_count(w));
		bool raw = draw(&seed) % 4 == 0;
		uint8_t bytes[4096];
		uint32_t from = raw ? 14 : 0, len = frame.len - from, changes = draw(&seed) % 4;

		memcpy(bytes, frame.data + from, len);
		while (changes--) {
			uint32_t most = draw(&seed) % 2 ? len : 24, at = draw(&seed) % most;

			bytes[at] = (uint8_t)draw(&seed);
		}
		if (!raw && draw(&seed) % 4 == 0)
			memcpy(bytes + 12, "\x81\x00", 2);
		if (draw(&seed) % 3 == 0)
			len = draw(&seed) % len + 1;
		if (passes(scope, raw ? LINK_RAW : LINK_ETHERNET, bytes, len) !=
		    kernel_passes(&kernel[raw], bytes, len))
			fail_msg("round %u, %u bytes, %s: the kernel says %d", round, len,
			         raw ? "raw" : "ethernet", kernel_passes(&kernel[raw], bytes, len));
		passed += passes(scope, raw ? LINK_RAW : LINK_ETHERNET, bytes, len);
		all++;
	}
	/* Both answers were given often. */
	assert_in_range(passed, all / 5, all * 4 / 5);
	kernel_end(&kernel[0]);
	kernel_end(&kernel[1]);
}

/* Units by the thousand, of which no two are neighbours. */
static struct scope *large_scope(unsigned units)
{
	struct scope *scope = scope_new();

	for (unsigned i = 0; i < units; i++) {
		uint8_t v4[4] = {10, (uint8_t)(i >> 7), (uint8_t)(i << 1), 7};
		uint8_t v6[16] = {0x20, 1, 0x0d, 0xb8, 0, 0, 0, (uint8_t)(i & 7)};
		struct mac mac = {{2, 0, 0x10, (uint8_t)(i >> 6), (uint8_t)(i << 2), 9}};
		struct addr addr = addr_from_v4(v4);
		struct prefix prefix = prefix_of(&addr, 128);

		assert_int_equal(scope_add_prefix(scope, &prefix), 0);
		memcpy(v6 + 12, (uint8_t[]){0x40, (uint8_t)(i >> 6), (uint8_t)(i << 2), 1}, 4);
		addr = addr_from_v6(v6);
		prefix = prefix_of(&addr, 128);
		assert_int_equal(scope_add_prefix(scope, &prefix), 0);
		assert_int_equal(scope_add_mac(scope, &mac), 0);
	}
	assert_int_equal(scope_seal(scope), 0);
	return scope;
}

/* What the test lets through the kernel lets through, however short its program had to be. */
static void thousands_of_units_fit_into_any_program(void **state)
{
	static const struct {
		unsigned units;
		size_t max;
		unsigned wider; /* of 2000 foreign addresses, each between two units, so many may pass */
	} CASES[] = {{200, 3276, 0}, {2000, PLENTY, 1850}, {200, 1024, 200}, {5000, 256, 2000}};

	for (size_t c = 0; c < ARRAY_LEN(CASES); c++) {
		CLEANUP(scope_freep) struct scope *scope = large_scope(CASES[c].units);
		CLEANUP(wire_freep) struct wire *w = wire_new();
		unsigned foreign = 0, wider = 0;
		struct kernel kernel;

		kernel_begin(&kernel, scope, LINK_ETHERNET, NULL, 0, CASES[c].max);
		for (unsigned i = 0; i < CASES[c].units; i += 7) {
			char tuple[WIRE_TUPLE];

			snprintf(tuple, sizeof(tuple), "10.%u.%u.7:1 > 192.0.2.9:1", i >> 7, i << 1 & 255);
			wire_udp(w, tuple, "hello", 5);
			snprintf(tuple, sizeof(tuple), "[2001:db9::1]:1 > [2001:db8:0:%x::40%02x:%02x01]:1",
			         i & 7, i >> 6 & 255, i << 2 & 255);
			wire_udp(w, tuple, "hello", 5);
		}
		for (size_t i = 0; i < wire_count(w); i++) {
			struct wire_frame frame = wire_packet(w, i);

			assert_true(passes(scope, LINK_ETHERNET, frame.data, frame.len));
			assert_true(kernel_passes(&kernel, frame.data, frame.len));
		}
		wire_udp(w, "192.0.2.8:1 > 192.0.2.9:1", "hello", 5);
		assert_false(kernel_passes(&kernel, wire_packet(w, wire_count(w) - 1).data,
		                           wire_packet(w, wire_count(w) - 1).len));
		for (unsigned i = 0; i < 2000; i++) {
			CLEANUP(wire_freep) struct wire *other = wire_new();
			char tuple[WIRE_TUPLE];

			snprintf(tuple, sizeof(tuple), "10.%u.%u.9:1 > 192.0.2.9:1", i >> 7, i << 1 & 255);
			wire_udp(other, tuple, "hello", 5);
			assert_false(passes(scope, LINK_ETHERNET, wire_packet(other, 0).data,
			                    wire_packet(other, 0).len));
			wider += kernel_passes(&kernel, wire_packet(other, 0).data,
			                       wire_packet(other, 0).len);
			foreign++;
		}
		if (wider > CASES[c].wider)
			fail_msg("%u units in %zu instructions: %u of %u foreign packets pass the kernel",
			         CASES[c].units, kernel.length, wider, foreign);
		kernel_end(&kernel);
	}
}

static void there_is_no_program_where_none_fits(void **state)
{
	CLEANUP(scope_freep) struct scope *scope = small_scope();
	struct sock_filter code[64];

	assert_int_equal(scope_program(scope, LINK_ETHERNET, NULL, 0, code, ARRAY_LEN(code)), 0);
	assert_int_equal(scope_program(scope, LINK_SLL, NULL, 0, code, ARRAY_LEN(code)), 0);
}

/* "ip": what others let through is held against the scope, what they do not is gone. */
static void words_of_a_filter_come_first(void **state)
{
	static const struct sock_filter WORDS[] = {
		{BPF_LD | BPF_H | BPF_ABS, 0, 0, 12},
		{BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0x0800},
		{BPF_RET | BPF_K, 0, 0, 65535},
		{BPF_RET | BPF_K, 0, 0, 0},
	};
	CLEANUP(scope_freep) struct scope *scope = small_scope();
	CLEANUP(wire_freep) struct wire *w = wire_new();
	static const bool WANTED[] = {true, false, false};
	struct kernel kernel;

	wire_udp(w, UNIT ":1 > 192.0.2.9:1", "hello", 5);
	wire_udp(w, "[" UNIT6 "]:1 > [2001:db9::9]:1", "hello", 5);
	wire_udp(w, "192.0.2.8:1 > 192.0.2.9:1", "hello", 5);
	kernel_begin(&kernel, scope, LINK_ETHERNET, WORDS, ARRAY_LEN(WORDS), PLENTY);
	for (size_t i = 0; i < wire_count(w); i++)
		assert_int_equal(kernel_passes(&kernel, wire_packet(w, i).data, wire_packet(w, i).len),
		                 WANTED[i]);
	kernel_end(&kernel);
}

/* ----------------------------------------------------------------------- learning */

static struct addr addr_of(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

static void an_address_that_is_learnt_passes_from_then_on(void **state)
{
	static const char *const LEARNT[] = {"192.0.2.77", "1.2.3.4", "250.1.2.3", "2001:db9::77", "::5"};
	CLEANUP(scope_freep) struct scope *scope = small_scope();
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct addr known = addr_of(UNIT), none = addr_of("0.0.0.0"), group = addr_of("224.0.0.1");

	wire_udp(w, "192.0.2.77:1 > 1.2.3.4:1", "hello", 5);
	wire_udp(w, "250.1.2.3:1 > 192.0.2.9:1", "hello", 5);
	wire_udp(w, "[2001:db9::77]:1 > [::5]:1", "hello", 5);
	all_say(scope, w, false, "not learnt yet");
	assert_false(scope_learn(scope, &known));
	assert_false(scope_learn(scope, &none));
	assert_false(scope_learn(scope, &group));
	for (size_t i = 0; i < ARRAY_LEN(LEARNT); i++) {
		struct addr addr = addr_of(LEARNT[i]);

		assert_true(scope_learn(scope, &addr));
		assert_false(scope_learn(scope, &addr));
	}
	all_say(scope, w, true, "learnt");
	what_others_say_stays_out(NULL);
}

static void where_no_more_can_be_learnt_everything_passes(void **state)
{
	CLEANUP(scope_freep) struct scope *scope = small_scope();
	struct sock_filter code[BPF_MAXINSNS];
	const uint8_t foreign[60] = {2, 2, 2, 2, 2, 2, 4, 4, 4, 4, 4, 4, 0x88, 0xcc};

	for (unsigned i = 0; i < SCOPE_LEARNT_MAX; i++) {
		uint8_t v4[4] = {172, 16, (uint8_t)(i >> 8), (uint8_t)i};
		struct addr addr = addr_from_v4(v4);

		assert_true(scope_learn(scope, &addr));
	}
	assert_false(scope->open);
	assert_false(passes(scope, LINK_ETHERNET, foreign, sizeof(foreign)));
	assert_true(scope_learn(scope, &(struct addr){{0x20, 1, 0x0d, 0xb9}}));
	assert_true(scope->open);
	assert_true(passes(scope, LINK_ETHERNET, foreign, sizeof(foreign)));
	assert_int_equal(scope_program(scope, LINK_ETHERNET, NULL, 0, code, ARRAY_LEN(code)), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_unit_says_and_hears_passes),
		cmocka_unit_test(a_mac_of_the_lists_or_of_the_maker_passes_at_either_end),
		cmocka_unit_test(where_only_the_sender_has_a_mac_who_is_known_by_it_hears_what_is_said_to_it),
		cmocka_unit_test(what_others_say_stays_out),
		cmocka_unit_test(what_tells_of_units_passes),
		cmocka_unit_test(who_is_wanted_by_name_passes_with_the_name),
		cmocka_unit_test(errors_pass_whoever_they_quote),
		cmocka_unit_test(fragments_pass),
		cmocka_unit_test(whatever_a_mirror_wraps_passes),
		cmocka_unit_test(what_is_of_no_interest_to_anybody_stays_out),
		cmocka_unit_test(what_was_cut_passes),
		cmocka_unit_test(the_kernel_and_the_test_agree_on_whatever_bytes),
		cmocka_unit_test(thousands_of_units_fit_into_any_program),
		cmocka_unit_test(there_is_no_program_where_none_fits),
		cmocka_unit_test(words_of_a_filter_come_first),
		cmocka_unit_test(an_address_that_is_learnt_passes_from_then_on),
		cmocka_unit_test(where_no_more_can_be_learnt_everything_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
