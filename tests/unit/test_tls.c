/*
 * test_tls.c - TLS: names and versions out of hellos however they are cut, and client certificates.
 */
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CLIENT "10.1.0.7:49152 > 10.1.0.9:443"
#define SERVER "10.1.0.9:443 > 10.1.0.7:49152"

/* Data in segments of `step` bytes. */
static void send_cut(struct wire *w, const char *tuple, const struct message *m, size_t step)
{
	for (size_t at = 0; at < m->len; at += step)
		wire_tcp(w, tuple, "PA", m->b + at, m->len - at < step ? m->len - at : step);
}

static void a_client_hello_tells_name_version_and_opener(void **state)
{
	static const struct {
		unsigned version;
		uint8_t told;
	} cases[] = {{0x0303, 3}, {0x0304, 4}};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;
		struct message m = message_client_hello("SIP.Corp.Example", cases[i].version);

		wire_tcp(w, CLIENT, "PA", m.b, m.len); /* no SYN was seen */
		seen = seen_of(w);
		assert_int_equal(seen->facts.app, APP_TLS);
		assert_int_equal(seen->facts.name_kind, NAME_SNI);
		assert_string_equal(seen->name, "sip.corp.example");
		assert_int_equal(seen->facts.tls_version, cases[i].told);
		assert_int_equal(seen->facts.initiator, 0);
		assert_int_equal(seen->facts.initiator_by, INITIATOR_REQUEST);
	}
}

static void a_hello_may_come_in_segments_of_any_size(void **state)
{
	struct message m = message_client_hello("config.maestro.starleaf.com", 0x0304);

	for (size_t step = 12; step <= m.len; step++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		talk_open(w, CLIENT);
		send_cut(w, CLIENT, &m, step);
		seen = seen_of(w);
		assert_int_equal(seen->facts.app, APP_TLS);
		assert_string_equal(seen->name, "config.maestro.starleaf.com");
		assert_int_equal(seen->facts.tls_version, 4);
		assert_int_equal(seen->facts.not_apps.w[0], 0);
	}
}

/* A hello with an extension of `size` bytes in front of the name. */
static struct message long_hello(unsigned size)
{
	static const char name[] = "sip.corp.example";
	unsigned extensions = 4 + size + 4 + 5 + (sizeof(name) - 1);
	unsigned body = 2 + 32 + 1 + 4 + 2 + 2 + extensions;
	struct message m = {0};

	message_add8(&m, 22);
	message_add16(&m, 0x0301);
	message_add16(&m, body + 4);
	message_add16(&m, 0x0100);
	message_add16(&m, body);
	message_add16(&m, 0x0303);
	message_add_noise(&m, 32, 1);
	message_add8(&m, 0);
	message_add32(&m, 0x00021301);
	message_add16(&m, 0x0100);
	message_add16(&m, extensions);
	message_add16(&m, 51); /* key share, as large as those of today */
	message_add16(&m, size);
	message_add_noise(&m, size, 2);
	message_add16(&m, 0);
	message_add16(&m, 5 + sizeof(name) - 1);
	message_add16(&m, 3 + sizeof(name) - 1);
	message_add8(&m, 0);
	message_add16(&m, sizeof(name) - 1);
	message_add(&m, name, sizeof(name) - 1);
	return m;
}

static void a_name_behind_a_long_extension_is_found_wherever_segments_end(void **state)
{
	struct message m = long_hello(1300);

	for (size_t step = 100; step <= m.len; step += 3) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		talk_open(w, CLIENT);
		send_cut(w, CLIENT, &m, step);
		seen = seen_of(w);
		if (strcmp(seen->name, "sip.corp.example"))
			fail_msg("segments of %zu bytes", step);
	}
}

static void a_lost_segment_costs_the_name_and_nothing_else(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message m = long_hello(1300);

	talk_open(w, CLIENT);
	wire_tcp(w, CLIENT, "PA", m.b, 600);
	wire_lose(w, CLIENT, 400);
	wire_tcp(w, CLIENT, "PA", m.b + 1000, m.len - 1000);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_TLS);
	assert_int_equal(seen->facts.name_kind, NAME_NONE);
}

static void the_servers_hello_decides_the_version(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message offer = message_client_hello("sip.corp.example", 0x0304);
	struct message answer = message_server_hello(0x0303, false);

	talk_open(w, CLIENT);
	talk_send(w, CLIENT, &offer);
	talk_send(w, SERVER, &answer);
	seen = seen_of(w);
	assert_int_equal(seen->facts.tls_version, 3);
}

static void a_server_seen_alone_is_tls_opened_by_the_other_end(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message answer = message_server_hello(0x0303, false);

	wire_tcp(w, SERVER, "PA", answer.b, answer.len);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_TLS);
	assert_int_equal(seen->facts.initiator, 1);
	assert_int_equal(seen->facts.initiator_by, INITIATOR_REQUEST);
}

static void client_certificates_are_told_from_their_absence(void **state)
{
	static const struct {
		unsigned version;
		bool asked, given;
		enum mtls mtls;
	} cases[] = {
		{0x0303, true, true, MTLS_YES},
		{0x0303, false, false, MTLS_NO},
		{0x0304, false, false, MTLS_UNKNOWN}, /* encrypted */
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t step = 7; step <= 2000; step += 171) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			CLEANUP(seen_freep) struct seen *seen = NULL;
			struct message offer =
				message_client_hello("sip.corp.example", cases[i].version);
			struct message answer =
				message_server_hello(cases[i].version, cases[i].asked);
			struct message finish = message_client_finish(cases[i].given);

			talk_open(w, CLIENT);
			send_cut(w, CLIENT, &offer, 2000);
			send_cut(w, SERVER, &answer, step < 100 ? 100 : step);
			send_cut(w, CLIENT, &finish, step < 100 ? 100 : step);
			seen = seen_of(w);
			assert_int_equal(seen->facts.mtls, cases[i].mtls);
		}
}

static void a_hole_leaves_certificates_unknown_unless_it_lies_in_a_body(void **state)
{
	struct message offer = message_client_hello("sip.corp.example", 0x0303);
	struct message answer = message_server_hello(0x0303, false);
	/* | record 5 | ServerHello | Certificate | ServerHelloDone 4 |, in one record or three */
	size_t hello = 9 + (size_t)answer.b[8];

	for (size_t from = 20; from < answer.len; from++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		talk_open(w, CLIENT);
		send_cut(w, CLIENT, &offer, 2000);
		wire_tcp(w, SERVER, "PA", answer.b, from);
		wire_lose(w, SERVER, 1);
		if (from + 1 < answer.len)
			wire_tcp(w, SERVER, "PA", answer.b + from + 1, answer.len - from - 1);
		seen = seen_of(w);
		if (from < hello || from >= answer.len - 4)
			assert_int_equal(seen->facts.mtls, MTLS_UNKNOWN);
		if (from == hello + 40 || from == answer.len / 2)
			assert_int_equal(seen->facts.mtls, MTLS_NO);
		assert_int_not_equal(seen->facts.mtls, MTLS_YES);
	}
}

static void records_seen_from_the_middle_are_tls_but_not_noise_like_them(void **state)
{
	static const struct {
		size_t len;
		unsigned at, value; /* a byte changed */
		bool tls;
	} cases[] = {
		{105, 0, 23, true},   {105, 0, 24, false}, /* heartbeat is none of the four */
		{105, 1, 2, false},   {105, 2, 5, false},
		{105, 4, 99, false},  /* ends before its segment, in no header */
		{105, 4, 101, false}, /* ends behind it */
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;
		struct message m = {0};

		message_add8(&m, 23);
		message_add16(&m, 0x0303);
		message_add16(&m, 100);
		message_add_noise(&m, 100, 5);
		assert_int_equal(m.len, cases[i].len);
		m.b[cases[i].at] = (uint8_t)cases[i].value;
		wire_tcp(w, CLIENT, "PA", m.b, m.len);
		seen = seen_of(w);
		if ((seen->facts.app == APP_TLS) != cases[i].tls)
			fail_msg("case %u", i);
	}
}

static void a_flow_that_begins_with_data_records_is_not_tls(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message m = message_tls_data(100, 5);

	talk_open(w, CLIENT);
	talk_send(w, CLIENT, &m);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_NONE);
	assert_true(app_set_has(&seen->facts.not_apps, APP_TLS));
}

static void an_answer_may_begin_with_a_warning_or_be_nothing_but_an_alert(void **state)
{
	static const uint8_t warning[] = {21, 3, 3, 0, 2, 1, 112}, refusal[] = {21, 3, 3, 0, 2, 2, 40};
	struct message answer = message_server_hello(0x0303, false);
	enum { WARNED, WARNED_APART, REFUSED, FORMS };

	for (unsigned form = 0; form < FORMS; form++)
		for (unsigned with_client = 0; with_client < 2; with_client++) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			CLEANUP(seen_freep) struct seen *seen = NULL;
			struct message offer = message_client_hello("sip.corp.example", 0x0303),
				       first = {0};

			talk_open(w, CLIENT);
			if (with_client)
				talk_send(w, CLIENT, &offer);
			message_add(&first, form == REFUSED ? refusal : warning, 7);
			if (form == WARNED)
				message_add(&first, answer.b, answer.len);
			talk_send(w, SERVER, &first);
			if (form == WARNED_APART)
				talk_send(w, SERVER, &answer);
			seen = seen_of(w);
			assert_int_equal(seen->facts.app, APP_TLS);
			assert_int_equal(seen->facts.mtls, form == REFUSED ? MTLS_UNKNOWN : MTLS_NO);
			assert_int_equal(seen->facts.not_apps.w[0], 0);
		}
}

static void a_resumed_session_tells_nothing_of_certificates(void **state)
{
	struct message offer = message_client_hello("sip.corp.example", 0x0303);
	struct message answer = message_server_hello(0x0303, false), finish = message_server_finish();
	size_t hello = 9 + (size_t)answer.b[8];

	for (unsigned client_first = 0; client_first < 2; client_first++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		/* ServerHello alone in its record, then at once what is encrypted. */
		answer.len = hello;
		answer.b[3] = (uint8_t)((hello - 5) >> 8);
		answer.b[4] = (uint8_t)(hello - 5);
		talk_open(w, CLIENT);
		talk_send(w, CLIENT, &offer);
		talk_send(w, SERVER, &answer);
		talk_send(w, client_first ? CLIENT : SERVER, &finish);
		talk_send(w, client_first ? SERVER : CLIENT, &finish);
		seen = seen_of(w);
		assert_int_equal(seen->facts.app, APP_TLS);
		assert_int_equal(seen->facts.mtls, MTLS_UNKNOWN);
		assert_false(seen->more);
	}
}

static void a_servers_end_shown_before_the_clients_certificate_changes_nothing(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message offer = message_client_hello("sip.corp.example", 0x0303),
		       answer = message_server_hello(0x0303, true),
		       end = message_server_finish(), finish = message_client_finish(true);

	talk_open(w, CLIENT);
	talk_send(w, CLIENT, &offer);
	talk_send(w, SERVER, &answer);
	talk_send(w, SERVER, &end); /* the directions cross by some ms (domain.md 7.3) */
	talk_send(w, CLIENT, &finish);
	seen = seen_of(w);
	assert_int_equal(seen->facts.mtls, MTLS_YES);
}

static void one_side_alone_tells_of_certificates_what_it_can(void **state)
{
	static const struct {
		bool client, asked, given;
		enum mtls mtls;
	} cases[] = {
		{true, true, true, MTLS_YES},	   {true, false, false, MTLS_NO},
		{false, true, true, MTLS_UNKNOWN}, {false, false, false, MTLS_NO},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;
		struct message offer = message_client_hello("sip.corp.example", 0x0303);
		struct message answer = message_server_hello(0x0303, cases[i].asked);
		struct message finish = message_client_finish(cases[i].given);

		if (cases[i].client) {
			wire_tcp(w, CLIENT, "PA", offer.b, offer.len);
			wire_tcp(w, CLIENT, "PA", finish.b, finish.len);
		} else {
			send_cut(w, SERVER, &answer, 1460);
		}
		seen = seen_of(w);
		assert_int_equal(seen->facts.app, APP_TLS);
		assert_int_equal(seen->facts.mtls, cases[i].mtls);
	}
}

static void a_certificate_cut_by_the_snap_length_is_not_taken_for_none(void **state)
{
	struct message offer = message_client_hello("sip.corp.example", 0x0303),
		       finish = message_client_finish(true);

	for (uint32_t snap = 55; snap < 75; snap++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		wire_tcp(w, CLIENT, "PA", offer.b, offer.len);
		wire_snap(w, snap);
		wire_tcp(w, CLIENT, "PA", finish.b, finish.len);
		seen = seen_of(w);
		assert_int_equal(seen->facts.mtls, snap < 54 + 5 + 7 ? MTLS_UNKNOWN : MTLS_YES);
	}
}

static void sslv2_hellos_are_known_by_lengths_that_agree(void **state)
{
	static const uint8_t hello[] = {0x80, 0x2e, 1, 3, 1, 0, 0x15, 0, 0, 0, 0x10};

	for (unsigned change = 0; change <= sizeof(hello); change++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;
		struct message m = {0};

		message_add(&m, hello, sizeof(hello));
		message_add_noise(&m, 0x15 + 0x10, 1);
		if (change < sizeof(hello))
			m.b[change] ^= 0x40;
		talk_open(w, CLIENT);
		send_cut(w, CLIENT, &m, change ? 2000 : 3);
		seen = seen_of(w);
		assert_int_equal(seen->facts.app, change == sizeof(hello) ? APP_TLS : APP_NONE);
		if (change == sizeof(hello))
			assert_int_equal(seen->facts.tls_version, 1);
	}
}

static void records_seen_from_the_middle_chain_through_segments(void **state)
{
	struct message one = message_tls_data(3000, 1), two = message_tls_data(100, 2), m = {0};

	message_add(&m, one.b, one.len);
	message_add(&m, two.b, two.len);
	for (size_t step = 50; step < 3000; step += 59)
		for (unsigned odd = 0; odd < 2; odd++) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			CLEANUP(seen_freep) struct seen *seen = NULL;

			m.b[one.len] = odd ? 77 : 23; /* no second header where it must be */
			send_cut(w, CLIENT, &m, step);
			seen = seen_of(w);
			assert_int_equal(seen->facts.app == APP_TLS, !odd);
			assert_int_equal(seen->facts.not_apps.w[0], 0);
		}
}

static void survives_every_changed_byte(void **state)
{
	struct message m = message_client_hello("sip.corp.example", 0x0304);

	for (size_t at = 0; at < m.len; at++)
		for (unsigned value = 0; value < 256; value += 15) {
			CLEANUP(wire_freep) struct wire *w = wire_new();
			CLEANUP(seen_freep) struct seen *seen = NULL;
			struct message odd = m;

			odd.b[at] = (uint8_t)value;
			talk_open(w, CLIENT);
			send_cut(w, CLIENT, &odd, 64);
			seen = seen_of(w);
			assert_true(strlen(seen->name) <= NAME_MAX_LEN);
			if (at > 11)
				assert_int_equal(seen->facts.app, APP_TLS);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_client_hello_tells_name_version_and_opener),
		cmocka_unit_test(a_hello_may_come_in_segments_of_any_size),
		cmocka_unit_test(a_name_behind_a_long_extension_is_found_wherever_segments_end),
		cmocka_unit_test(a_lost_segment_costs_the_name_and_nothing_else),
		cmocka_unit_test(the_servers_hello_decides_the_version),
		cmocka_unit_test(a_server_seen_alone_is_tls_opened_by_the_other_end),
		cmocka_unit_test(client_certificates_are_told_from_their_absence),
		cmocka_unit_test(a_hole_leaves_certificates_unknown_unless_it_lies_in_a_body),
		cmocka_unit_test(records_seen_from_the_middle_are_tls_but_not_noise_like_them),
		cmocka_unit_test(a_flow_that_begins_with_data_records_is_not_tls),
		cmocka_unit_test(an_answer_may_begin_with_a_warning_or_be_nothing_but_an_alert),
		cmocka_unit_test(a_resumed_session_tells_nothing_of_certificates),
		cmocka_unit_test(a_servers_end_shown_before_the_clients_certificate_changes_nothing),
		cmocka_unit_test(one_side_alone_tells_of_certificates_what_it_can),
		cmocka_unit_test(a_certificate_cut_by_the_snap_length_is_not_taken_for_none),
		cmocka_unit_test(sslv2_hellos_are_known_by_lengths_that_agree),
		cmocka_unit_test(records_seen_from_the_middle_chain_through_segments),
		cmocka_unit_test(survives_every_changed_byte),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
