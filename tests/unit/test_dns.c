/*
 * test_dns.c - DNS and LLMNR: questions, answers, and what only looks like them.
 */
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CLIENT "10.1.0.7:40000 > 10.0.0.53:53"

static struct message header(uint16_t flags, unsigned questions, unsigned answers)
{
	struct message m = {0};

	message_add16(&m, 0x1234);
	message_add16(&m, flags);
	message_add16(&m, questions);
	message_add16(&m, answers);
	message_add32(&m, 0);
	return m;
}

static void add_question(struct message *m, const char *wire_name, size_t len, unsigned type)
{
	message_add(m, wire_name, len);
	message_add16(m, type);
	message_add16(m, 1);
}

/* A record whose owner is a pointer, or a name if `owner` < 12. */
static void add_record(struct message *m, unsigned owner, unsigned type, const void *data,
		       size_t len)
{
	message_add16(m, 0xc000 | owner);
	message_add16(m, type);
	message_add16(m, 1);
	message_add32(m, 300);
	message_add16(m, (unsigned)len);
	message_add(m, data, len);
}

static struct seen *see(const char *tuple, const struct message *m)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	wire_udp(w, tuple, m->b, m->len);
	return seen_of(w);
}

static void a_question_names_the_flow_and_its_sender_opened_it(void **state)
{
	struct message m = message_dns_query(7, "SIP.Corp.Example", DNS_A);
	CLEANUP(seen_freep) struct seen *seen = see(CLIENT, &m);

	assert_int_equal(seen->facts.app, APP_DNS);
	assert_int_equal(seen->facts.evidence, EVIDENCE_DISSECTOR);
	assert_int_equal(seen->facts.name_kind, NAME_DNS_QUESTION);
	assert_string_equal(seen->name, "sip.corp.example");
	assert_int_equal(seen->facts.initiator, 0);
	assert_int_equal(seen->facts.initiator_by, INITIATOR_REQUEST);
	assert_int_equal(seen->facts.asked, ASKED_DNS);
	assert_int_equal(seen->facts.tries, 1);
	assert_true(seen->more);
}

static void tries_and_their_times_are_counted(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	struct message m = message_dns_query(7, "sip.corp.example", DNS_A);
	CLEANUP(seen_freep) struct seen *seen = NULL;

	for (unsigned i = 0; i < 3; i++) {
		wire_at(w, 2 * i);
		wire_udp(w, CLIENT, m.b, m.len);
	}
	seen = seen_of(w);
	assert_int_equal(seen->facts.tries, 3);
	assert_int_equal(seen->facts.last_try_us - seen->facts.first_try_us, 4000000);
}

static void an_answer_alone_tells_who_asked(void **state)
{
	struct message m =
		message_dns_answer(7, "sip.corp.example", DNS_A, NULL, "10.0.0.9", 300);
	CLEANUP(seen_freep) struct seen *seen = see("10.0.0.53:53 > 10.1.0.7:40000", &m);

	assert_int_equal(seen->facts.app, APP_DNS);
	assert_int_equal(seen->facts.initiator, 1);
	assert_int_equal(seen->facts.asked, 0);
}

static void an_answer_binds_the_name_asked_for(void **state)
{
	static const struct {
		unsigned type;
		const char *cname, *value;
	} cases[] = {
		{DNS_A, NULL, "52.112.1.9"},
		{DNS_AAAA, NULL, "2603:1037::9"},
		{DNS_A, "sipdir.online.lync.com", "52.112.1.9"},
		{DNS_AAAA, "sipdir.online.lync.com", "2603:1037::9"},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct message m = message_dns_answer(7, "sip.corp.example", cases[i].type,
						      cases[i].cname, cases[i].value, 300);
		CLEANUP(seen_freep)
		struct seen *seen = see("10.0.0.53:53 > 10.1.0.7:40000", &m);
		struct addr address, client, server;

		assert_int_equal(addr_parse(cases[i].value, &address), 0);
		assert_int_equal(addr_parse("10.1.0.7", &client), 0);
		assert_int_equal(addr_parse("10.0.0.53", &server), 0);
		/* each name of the chain, the one asked for last */
		assert_int_equal(seen->names, cases[i].cname ? 2 : 1);
		assert_string_equal(seen->learnt.name[seen->names - 1].name, "sip.corp.example");
		if (cases[i].cname)
			assert_string_equal(seen->learnt.name[0].name, cases[i].cname);
		for (unsigned n = 0; n < seen->names; n++) {
			assert_true(addr_equal(&seen->learnt.name[n].address, &address));
			assert_true(addr_equal(&seen->learnt.name[n].client, &client));
			assert_true(addr_equal(&seen->learnt.name[n].server, &server));
			assert_int_equal(seen->learnt.name[n].ttl_s, 300);
			assert_false(seen->learnt.name[n].asked);
		}
	}
}

static void an_address_of_another_name_binds_nothing(void **state)
{
	struct message m = header(0x8180, 1, 2);
	CLEANUP(seen_freep) struct seen *seen = NULL;

	add_question(&m, "\3sip\7example\0", 13, DNS_A);
	add_record(&m, 16, DNS_A, "\1\1\1\1", 4); /* example */
	add_record(&m, 12, DNS_A, "\2\2\2\2", 4); /* sip.example */
	seen = see("10.0.0.53:53 > 10.1.0.7:40000", &m);
	assert_int_equal(seen->names, 1);
	assert_int_equal(seen->learnt.name[0].address.b[12], 2);
}

static void more_names_than_there_is_room_for_are_counted(void **state)
{
	struct message m = header(0x8180, 1, LEARNT_NAMES_MAX + 3);
	CLEANUP(seen_freep) struct seen *seen = NULL;

	add_question(&m, "\3sip\7example\0", 13, DNS_A);
	for (unsigned i = 0; i < LEARNT_NAMES_MAX + 3; i++)
		add_record(&m, 12, DNS_A, "\2\2\2\2", 4);
	seen = see("10.0.0.53:53 > 10.1.0.7:40000", &m);
	assert_int_equal(seen->names, LEARNT_NAMES_MAX);
	assert_int_equal(seen->learnt.names_refused, 3);
}

static void a_refused_question_binds_nothing(void **state)
{
	struct message m = message_dns_answer(7, "sip.corp.example", DNS_A, NULL, NULL, 300);
	CLEANUP(seen_freep) struct seen *seen = see("10.0.0.53:53 > 10.1.0.7:40000", &m);

	assert_int_equal(seen->facts.app, APP_DNS);
	assert_int_equal(seen->names, 0);
}

static void names_that_lie_are_refused(void **state)
{
	static const struct {
		const char *what;
		uint8_t name[8];
		size_t len;
	} cases[] = {
		{"a pointer to itself", {0xc0, 12}, 2},
		{"a pointer forward", {0xc0, 20}, 2},
		{"a pointer into the header", {0xc0, 4}, 2},
		{"a label beyond the end", {60, 'a', 'b'}, 3},
		{"a label of 64", {64, 'a', 0}, 3},
		{"a reserved label type", {0x80, 0}, 2},
		{"no end", {1, 'a', 1, 'b'}, 4},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct message m = header(0x0100, 1, 0);
		CLEANUP(seen_freep) struct seen *seen = NULL;

		message_add(&m, cases[i].name, cases[i].len);
		if (cases[i].len == 2)
			message_add32(&m, 0x00010001);
		seen = see(CLIENT, &m);
		if (seen->facts.app != APP_NONE)
			fail_msg("%s", cases[i].what);
	}
}

static void bytes_that_read_as_something_else_are_escaped(void **state)
{
	struct message m = header(0x0100, 1, 0);
	CLEANUP(seen_freep) struct seen *seen = NULL;

	add_question(&m, "\7a.b\0\\\n\377\2de\0", 12, DNS_A);
	seen = see(CLIENT, &m);
	assert_string_equal(seen->name, "a\\046b\\000\\092\\010\\255.de");
}

static void ports_of_its_relatives_are_not_dns(void **state)
{
	static const struct {
		const char *tuple;
		enum app app;
	} cases[] = {
		{"10.1.0.7:5353 > 224.0.0.251:5353", APP_NONE},
		{"10.1.0.7:137 > 10.1.0.255:137", APP_NONE},
		{"10.1.0.7:50000 > 224.0.0.252:5355", APP_LLMNR},
		{"[fe80::7]:50000 > [ff02::1:3]:5355", APP_LLMNR},
		{"10.1.0.9:5355 > 10.1.0.7:50000", APP_LLMNR},
		{"10.1.0.7:50000 > 10.0.0.53:5300", APP_DNS},
	};

	for (unsigned i = 0; i < ARRAY_LEN(cases); i++) {
		struct message m = message_dns_query(7, "sip.corp.example", DNS_A);
		CLEANUP(seen_freep) struct seen *seen = see(cases[i].tuple, &m);

		assert_int_equal(seen->facts.app, cases[i].app);
		assert_int_equal(seen->facts.asked, cases[i].app == APP_DNS ? ASKED_DNS : 0);
	}
}

static void an_llmnr_answer_alone_is_llmnr_and_binds_nothing(void **state)
{
	struct message m = message_dns_answer(7, "huddle", DNS_A, NULL, "10.1.0.9", 30);
	CLEANUP(seen_freep) struct seen *seen = see("10.1.0.9:5355 > 10.1.0.7:50000", &m);

	assert_int_equal(seen->facts.app, APP_LLMNR);
	assert_int_equal(seen->facts.initiator, 1);
	assert_int_equal(seen->names, 0);
}

static void away_from_its_port_every_byte_must_be_accounted_for(void **state)
{
	struct message m = message_dns_query(7, "sip.corp.example", DNS_A);
	CLEANUP(seen_freep) struct seen *odd = NULL, *own = NULL;

	message_add8(&m, 0);
	odd = see("10.1.0.7:50000 > 10.0.0.53:5300", &m);
	own = see(CLIENT, &m);
	assert_int_equal(odd->facts.app, APP_NONE);
	assert_int_equal(own->facts.app, APP_DNS);
}

static void rtp_with_a_fitting_header_is_not_dns(void **state)
{
	/* Sequence 0x0100, timestamp 0x00010000: flags RD, one question, no answer. */
	struct rtp rtp = {
		.payload_type = 0, .seq = 0x0100, .timestamp = 0x00010000, .payload_len = 160};
	struct message m = message_rtp(&rtp);
	CLEANUP(seen_freep) struct seen *seen = see("10.1.0.7:50016 > 10.1.0.9:50010", &m);

	assert_int_equal(seen->facts.app, APP_NONE);
}

static void over_tcp_a_length_stands_before_it(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	const struct dns_case dns = {"sip.corp.example", DNS_A, "sipdir.online.lync.com",
				     "52.112.1.9"};

	talk_dns_tcp(w, CLIENT, &dns);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_DNS);
	assert_string_equal(seen->name, "sip.corp.example");
	assert_int_equal(seen->names, 2);
	assert_true(seen->learnt.name[0].asked);
}

static void a_length_sent_alone_is_put_before_its_message(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message m = message_dns_query(7, "sip.corp.example", DNS_A);
	struct message framed = message_framed(&m, 2);

	talk_open(w, CLIENT);
	wire_tcp(w, CLIENT, "PA", framed.b, 2);
	wire_tcp(w, CLIENT, "PA", framed.b + 2, 20);
	wire_tcp(w, CLIENT, "PA", framed.b + 22, framed.len - 22);
	seen = seen_of(w);
	assert_int_equal(seen->facts.app, APP_DNS);
	assert_string_equal(seen->name, "sip.corp.example");
	assert_int_equal(seen->facts.not_apps.w[0], 0);
}

static void survives_every_truncation(void **state)
{
	struct message m = message_dns_answer(7, "sip.corp.example", DNS_A,
					      "sipdir.online.lync.com", "52.112.1.9", 300);

	for (size_t len = 1; len <= m.len; len++) {
		struct message cut = m;
		CLEANUP(seen_freep) struct seen *seen = NULL;

		cut.len = len;
		seen = see("10.0.0.53:53 > 10.1.0.7:40000", &cut);
		assert_int_equal(seen->names, len == m.len ? 2 : 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_question_names_the_flow_and_its_sender_opened_it),
		cmocka_unit_test(tries_and_their_times_are_counted),
		cmocka_unit_test(an_answer_alone_tells_who_asked),
		cmocka_unit_test(an_answer_binds_the_name_asked_for),
		cmocka_unit_test(an_address_of_another_name_binds_nothing),
		cmocka_unit_test(more_names_than_there_is_room_for_are_counted),
		cmocka_unit_test(a_refused_question_binds_nothing),
		cmocka_unit_test(names_that_lie_are_refused),
		cmocka_unit_test(bytes_that_read_as_something_else_are_escaped),
		cmocka_unit_test(ports_of_its_relatives_are_not_dns),
		cmocka_unit_test(an_llmnr_answer_alone_is_llmnr_and_binds_nothing),
		cmocka_unit_test(away_from_its_port_every_byte_must_be_accounted_for),
		cmocka_unit_test(rtp_with_a_fitting_header_is_not_dns),
		cmocka_unit_test(over_tcp_a_length_stands_before_it),
		cmocka_unit_test(a_length_sent_alone_is_put_before_its_message),
		cmocka_unit_test(survives_every_truncation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
