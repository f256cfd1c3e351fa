/*
 * test_kerberos.c - Kerberos over UDP and TCP: what proves it, who asked, and how it is cut.
 */
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CLIENT "10.1.0.7:49152 > 10.1.0.88:88"
#define SERVER "10.1.0.88:88 > 10.1.0.7:49152"

static struct seen *see(const char *tuple, const struct message *m)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_udp(w, tuple, m->b, m->len);
	return seen_of(w);
}

static void requests_and_replies_tell_who_asked(void **state)
{
	static const struct {
		unsigned type;
		const char *tuple;
		uint8_t initiator, asked;
	} cases[] = {
		{KERBEROS_AS_REQ, CLIENT, 0, ASKED_KERBEROS},
		{KERBEROS_AS_REP, SERVER, 1, 0},
		{KERBEROS_ERROR, SERVER, 1, 0},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct message m = message_kerberos(cases[i].type);
		CLEANUP(seen_freep) struct seen *seen = see(cases[i].tuple, &m);

		assert_int_equal(seen->facts.app, APP_KERBEROS);
		assert_int_equal(seen->facts.initiator, cases[i].initiator);
		assert_int_equal(seen->facts.initiator_by, INITIATOR_REQUEST);
		assert_int_equal(seen->facts.asked, cases[i].asked);
	}
}

static void over_tcp_it_may_come_in_two_segments(void **state)
{
	struct message m = message_kerberos(KERBEROS_AS_REQ), framed = message_framed(&m, 4);

	for (size_t cut = 1; cut < framed.len; cut++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		talk_open(w, CLIENT);
		wire_tcp(w, CLIENT, "PA", framed.b, cut);
		wire_tcp(w, CLIENT, "PA", framed.b + cut, framed.len - cut);
		seen = seen_of(w);
		if (seen->facts.app != APP_KERBEROS)
			fail_msg("cut at %zu", cut);
		assert_int_equal(seen->facts.not_apps.w[0], 0);
	}
}

static void from_the_middle_each_message_is_told_by_itself(void **state)
{
	static const struct {
		unsigned type;
		const char *tuple;
		uint8_t initiator, asked;
	} cases[] = {
		{KERBEROS_AS_REQ, CLIENT, 0, ASKED_KERBEROS},
		{KERBEROS_AS_REP, SERVER, 1, 0},
		{KERBEROS_ERROR, SERVER, 1, 0},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
		for (unsigned top = 0; top < 2; top++) {
			struct message m = message_kerberos(cases[i].type), framed = message_framed(&m, 4);
			CLEANUP(wire_freep) struct wire *w = wire_new();
			CLEANUP(seen_freep) struct seen *seen = NULL;

			framed.b[0] |= (uint8_t)(top << 7); /* reserved (RFC 4120 7.2.2) */
			wire_tcp(w, cases[i].tuple, "PA", framed.b, framed.len);
			seen = seen_of(w);
			assert_int_equal(seen->facts.app, top ? APP_NONE : APP_KERBEROS);
			if (top)
				continue;
			assert_int_equal(seen->facts.initiator, cases[i].initiator);
			assert_int_equal(seen->facts.asked, cases[i].asked);
		}
}

static void both_lengths_must_end_with_the_message(void **state)
{
	struct message m = message_kerberos(KERBEROS_AS_REQ);
	CLEANUP(seen_freep) struct seen *longer = NULL, *shorter = NULL;

	m.len--;
	shorter = see(CLIENT, &m);
	m.len += 2;
	longer = see(CLIENT, &m);
	assert_int_equal(shorter->facts.app, APP_NONE);
	assert_int_equal(longer->facts.app, APP_NONE);
}

static void another_message_type_or_version_is_none(void **state)
{
	struct message m = message_kerberos(KERBEROS_AS_REQ);
	unsigned known = 0;

	for (size_t at = 0; at < 20; at++) {
		struct message odd = m;
		CLEANUP(seen_freep) struct seen *seen = NULL;

		odd.b[at] ^= 0x80;
		seen = see(CLIENT, &odd);
		known += seen->facts.app == APP_KERBEROS;
	}
	/* The lengths and the two numbers take up the head; what lies behind them is free. */
	assert_true(known <= 20 - 14);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests_and_replies_tell_who_asked),
		cmocka_unit_test(over_tcp_it_may_come_in_two_segments),
		cmocka_unit_test(from_the_middle_each_message_is_told_by_itself),
		cmocka_unit_test(both_lengths_must_end_with_the_message),
		cmocka_unit_test(another_message_type_or_version_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
