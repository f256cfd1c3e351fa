/*
 * test_large.c - messages of many segments over TCP: each dissector reads them whole, up to 16 KiB.
 */
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define LARGE_MAX 20000

struct large {
	uint32_t len;
	uint8_t b[LARGE_MAX];
};

static void add(struct large *large, const void *data, size_t len)
{
	assert_true(large->len + len <= LARGE_MAX);
	memcpy(large->b + large->len, data, len);
	large->len += (uint32_t)len;
}

static void add_noise(struct large *large, size_t len)
{
	for (size_t i = 0; i < len; i++)
		add(large, &(uint8_t){(uint8_t)(i * 131 + i / 256)}, 1);
}

static void add_be(struct large *large, uint64_t value, unsigned bytes)
{
	while (bytes--)
		add(large, &(uint8_t){(uint8_t)(value >> bytes * 8)}, 1);
}

static void put_be(struct large *large, uint32_t at, uint64_t value, unsigned bytes)
{
	while (bytes--)
		large->b[at++] = (uint8_t)(value >> bytes * 8);
}

/* From the tuple's sender, in segments of `step` bytes, each two change places if `mixed`. */
static struct seen *see(const char *tuple, const struct large *large, uint32_t step, bool mixed)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct seen *seen = seen_new();
	size_t first;

	wire_mss(w, step);
	talk_open(w, tuple);
	first = wire_count(w);
	wire_tcp(w, tuple, "PA", large->b, large->len);
	for (size_t i = 0; i < wire_count(w); i++) {
		CLEANUP(freep) uint8_t *bytes = NULL;
		struct packet packet;
		size_t at = i;

		if (mixed && i >= first)
			at = (i - first) % 2 ? i - 1 : i + 1 < wire_count(w) ? i + 1 : i;
		assert_int_equal(seen_packet(w, at, &packet, &bytes), DECODED_IP);
		seen_show(seen, &packet);
	}
	seen_end(seen);
	return seen;
}

/* A hello with `size` bytes of key share and ticket in front of the name. */
static struct large hello(unsigned size, unsigned record)
{
	static const char name[] = "sip.corp.example";
	struct large body = {0}, m = {0};
	unsigned extensions = 4 + size + 4 + 5 + (unsigned)strlen(name) + 7;

	add_be(&body, 1, 1);
	add_be(&body, 2 + 32 + 1 + 4 + 2 + 2 + extensions, 3);
	add_be(&body, 0x0303, 2);
	add_noise(&body, 32);
	add_be(&body, 0, 1);
	add_be(&body, 0x00021301, 4);
	add_be(&body, 0x0100, 2);
	add_be(&body, extensions, 2);
	add_be(&body, 0xfe0d, 2); /* encrypted client hello, as large as it likes */
	add_be(&body, size, 2);
	add_noise(&body, size);
	add_be(&body, 0, 2);
	add_be(&body, 5 + strlen(name), 2);
	add_be(&body, 3 + strlen(name), 2);
	add_be(&body, 0, 1);
	add_be(&body, strlen(name), 2);
	add(&body, name, strlen(name));
	add_be(&body, 0x002b0003020304, 7);
	for (uint32_t at = 0; at < body.len; at += record) {
		uint32_t len = body.len - at < record ? body.len - at : record;

		add_be(&m, 0x160301, 3);
		add_be(&m, len, 2);
		add(&m, body.b + at, len);
	}
	return m;
}

static void a_client_hello_of_12_kib_is_read_to_its_name(void **state)
{
	static const uint32_t steps[] = {1460, 536, 100, 16384};
	static const unsigned records[] = {16384, 4000, 500, 1};

	for (unsigned i = 0; i < ARRAY_LEN(steps); i++)
		for (unsigned r = 0; r < ARRAY_LEN(records) * 2; r++) {
			/* A byte in a record costs five more. */
			struct large m =
				hello(records[r / 2] == 1 ? 1200 : 12000, records[r / 2]);
			CLEANUP(seen_freep)
			struct seen *seen =
				see("10.1.0.7:49152 > 10.1.0.9:443", &m, steps[i], r & 1);

			assert_int_equal(seen->facts.app, APP_TLS);
			assert_string_equal(seen->name, "sip.corp.example");
			assert_int_equal(seen->facts.tls_version, 4);
			assert_int_equal(seen->facts.not_apps.w[0], 0);
		}
}

static void der_len(struct large *m, uint32_t len)
{
	add_be(m, 0x82, 1);
	add_be(m, len, 2);
}

/* An AS-REQ whose ticket's PAC is large; then another message on the same connection. */
static void a_kerberos_request_of_10_kib_and_what_follows_it(void **state)
{
	struct message second = message_kerberos(KERBEROS_AS_REQ);

	for (uint32_t step = 30; step < 1460; step += 143) {
		struct large m = {0};

		add_be(&m, 10000 + 8, 4);
		add_be(&m, 0x6a, 1);
		der_len(&m, 10004);
		add_be(&m, 0x30, 1);
		der_len(&m, 10000);
		add_be(&m, 0xa103020105, 5);
		add_be(&m, 0xa20302010a, 5);
		add_noise(&m, 9990);
		add_be(&m, second.len, 4);
		add(&m, second.b, second.len);

		CLEANUP(seen_freep)
		struct seen *seen = see("10.1.0.7:49152 > 10.1.0.88:88", &m, step, false);

		assert_int_equal(seen->facts.app, APP_KERBEROS);
		assert_int_equal(seen->facts.tries, 2); /* both were read as what they are */
		m.b[6] ^= 1;
		CLEANUP(seen_freep)
		struct seen *odd = see("10.1.0.7:49152 > 10.1.0.88:88", &m, step, false);

		assert_int_equal(odd->facts.app, APP_NONE);
	}
}

static void a_dns_answer_of_14_kib_teaches_its_last_address(void **state)
{
	static const char name[] = "\3sip\4corp\7example";

	for (uint32_t step = 100; step < 1460; step += 271)
		for (unsigned mixed = 0; mixed < 2; mixed++) {
			struct large m = {0};
			CLEANUP(seen_freep) struct seen *seen = NULL;
			unsigned texts = 56;

			add_be(&m, 0, 2);
			add_be(&m, 0x12348180, 4);
			add_be(&m, 1, 2);
			add_be(&m, texts + 1, 2);
			add_be(&m, 0, 4);
			add(&m, name, sizeof(name));
			add_be(&m, 0x00010001, 4);
			for (unsigned i = 0; i < texts;
			     i++) { /* signatures, or anything long */
				add_be(&m, 0xc00c002e0001, 6);
				add_be(&m, 60, 4);
				add_be(&m, 240, 2);
				add_noise(&m, 240);
			}
			add_be(&m, 0xc00c00010001, 6);
			add_be(&m, 60, 4);
			add_be(&m, 4, 2);
			add_be(&m, 0x0a000009, 4);
			put_be(&m, 0, m.len - 2, 2);
			assert_true(m.len > 14000 && m.len <= STREAM_MAX);
			seen = see("10.0.0.53:53 > 10.1.0.7:49152", &m, step,
			           mixed && step > 300);
			assert_int_equal(seen->facts.app, APP_DNS);
			assert_int_equal(seen->names, 1);
			assert_string_equal(seen->learnt.name[0].name, "sip.corp.example");
		}
}

static void a_host_behind_9_kib_of_headers_is_found(void **state)
{
	for (uint32_t step = 200; step < 1460; step += 171) {
		struct large m = {0};
		CLEANUP(seen_freep) struct seen *seen = NULL;
		static const char begin[] = "GET / HTTP/1.1\r\nCookie: ",
				  end[] = "\r\nHost: corp.example\r\n\r\n";

		add(&m, begin, strlen(begin));
		for (unsigned i = 0; i < 9000; i++)
			add(&m, "k", 1);
		add(&m, end, strlen(end));
		seen = see("10.1.0.7:49152 > 10.1.0.9:80", &m, step, step > 600);
		assert_int_equal(seen->facts.app, APP_HTTP);
		assert_string_equal(seen->name, "corp.example");
	}
}

static void what_is_longer_than_may_be_kept_is_given_up_and_counted(void **state)
{
	struct large m = {0};
	CLEANUP(seen_freep) struct seen *seen = NULL;

	add(&m, "GET / HTTP/1.1\r\nCookie: ", 24);
	for (unsigned i = 0; i < 17000; i++)
		add(&m, "k", 1);
	add(&m, "\r\nHost: corp.example\r\n\r\n", 24);
	seen = see("10.1.0.7:49152 > 10.1.0.9:80", &m, 1460, false);
	assert_int_equal(seen->facts.app, APP_HTTP);
	assert_int_equal(seen->facts.name_kind, NAME_NONE);
	assert_true(seen->shed >= STREAM_MAX - 1460);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_hello_of_12_kib_is_read_to_its_name),
		cmocka_unit_test(a_kerberos_request_of_10_kib_and_what_follows_it),
		cmocka_unit_test(a_dns_answer_of_14_kib_teaches_its_last_address),
		cmocka_unit_test(a_host_behind_9_kib_of_headers_is_found),
		cmocka_unit_test(what_is_longer_than_may_be_kept_is_given_up_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
