/*
 * test_dns_answer.c - which names an answer binds to which addresses, for how long, and whether it was
 * asked for.
 */
#include "tests/lib/seen.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define CLIENT "10.1.0.7:40000 > 10.0.0.53:53"
#define SERVER "10.0.0.53:53 > 10.1.0.7:40000"

static void add_name(struct message *m, const char *name)
{
	while (*name) {
		size_t len = strcspn(name, ".");

		message_add8(m, (unsigned)len);
		message_add(m, name, len);
		name += len + (name[len] == '.');
	}
	message_add8(m, 0);
}

/* One record after another: "name TYPE ttl value"; type S is SRV, O is EDNS's OPT. */
static void add_records(struct message *m, const char *const *records, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		char owner[128], type[8], value[128];
		struct message data = {0};
		unsigned ttl, number = 0;
		struct addr addr;

		assert_int_equal(
			sscanf(records[i], "%127s %7s %u %127s", owner, type, &ttl, value), 4);
		if (*type == 'C') {
			number = 5;
			add_name(&data, value);
		} else if (*type == 'S') {
			number = DNS_SRV;
			message_add(&data, "\0\1\0\2\1\273", 6);
			add_name(&data, value);
		} else if (*type == 'O') {
			number = 41;
			message_add(&data, "\0\12\0\0", 4);
		} else {
			number = strchr(value, ':') ? DNS_AAAA : DNS_A;
			assert_int_equal(addr_parse(value, &addr), 0);
			message_add(&data, addr.b + (number == DNS_A ? 12 : 0),
			            number == DNS_A ? 4 : 16);
		}
		add_name(m, strcmp(owner, ".") ? owner : "");
		message_add16(m, number);
		message_add16(m, *type == 'O' ? 1232 : 1);
		message_add32(m, ttl);
		message_add16(m, (unsigned)data.len);
		message_add(m, data.b, data.len);
	}
}

struct reply {
	uint16_t id, flags, type;
	const char *name;
	const char *answers[12], *authorities[2], *additional[6];
};

static size_t count_of(const char *const *list, size_t most)
{
	size_t n = 0;

	while (n < most && list[n])
		n++;
	return n;
}

static struct message reply(const struct reply *r)
{
	size_t answers = count_of(r->answers, 12), authorities = count_of(r->authorities, 2),
	       additional = count_of(r->additional, 6);
	struct message m = {0};

	message_add16(&m, r->id);
	message_add16(&m, r->flags ? r->flags : 0x8180);
	message_add16(&m, 1);
	message_add16(&m, (unsigned)answers);
	message_add16(&m, (unsigned)authorities);
	message_add16(&m, (unsigned)additional);
	add_name(&m, r->name);
	message_add16(&m, r->type ? r->type : DNS_A);
	message_add16(&m, 1);
	add_records(&m, r->answers, answers);
	add_records(&m, r->authorities, authorities);
	add_records(&m, r->additional, additional);
	return m;
}

/* "name address ttl; ..." of what it taught. */
static void must_bind(const struct seen *seen, const char *wanted)
{
	char text[1024] = "", addr[ADDR_TEXT];

	for (unsigned i = 0; i < seen->names; i++)
		text_add(text, sizeof(text), "%s%s %s %u", i ? "; " : "",
		         seen->learnt.name[i].name,
		         addr_print(&seen->learnt.name[i].address, addr),
		         seen->learnt.name[i].ttl_s);
	assert_string_equal(text, wanted);
}

static void an_answer_binds_what_it_answers(void **state)
{
	static const struct {
		struct reply reply;
		const char *binds;
	} cases[] = {
		{{.name = "A.example",
	          .answers = {"a.EXAMPLE A 300 1.2.3.4", "a.example A 60 1.2.3.5"}},
	         "a.example 1.2.3.4 300; a.example 1.2.3.5 60"},
		/* a chain: each name, as long as what leads to the address */
		{{.name = "a.example",
	          .answers = {"a.example C 100 b.example", "b.example C 200 c.example",
	                      "c.example A 150 1.2.3.4"}},
	         "c.example 1.2.3.4 150; b.example 1.2.3.4 150; a.example 1.2.3.4 100"},
		/* ... in any order */
		{{.name = "a.example",
	          .answers = {"c.example A 50 1.2.3.4", "b.example C 200 c.example",
	                      "a.example C 100 b.example"}},
	         "c.example 1.2.3.4 50; b.example 1.2.3.4 50; a.example 1.2.3.4 50"},
		/* ... in a circle */
		{{.name = "a.example",
	          .answers = {"a.example C 100 b.example", "b.example C 200 a.example",
	                      "b.example A 50 1.2.3.4"}},
	         "b.example 1.2.3.4 50; a.example 1.2.3.4 50"},
		/* ... with a second end, which the first does not lead to */
		{{.name = "a.example",
	          .answers = {"a.example C 100 b.example", "a.example C 100 x.example",
	                      "x.example A 50 1.2.3.4"}},
	         ""},
		/* what was not asked for */
		{{.name = "a.example", .answers = {"b.example A 300 1.2.3.4"}}, ""},
		{{.name = "a.example",
	          .answers = {"a.example A 300 1.2.3.4"},
	          .additional = {"maestro.starleaf.com A 300 6.6.6.6"}},
	         "a.example 1.2.3.4 300"},
		/* EDNS, and TTLs that are none (RFC 2181 8) */
		{{.name = "a.example",
	          .answers = {"a.example A 0 1.2.3.4", "a.example A 2147483648 1.2.3.5"},
	          .additional = {". O 32768 x"}},
	         "a.example 1.2.3.4 0; a.example 1.2.3.5 0"},
		{{.name = "a.example",
	          .type = DNS_AAAA,
	          .answers = {"a.example A 9 2001:db8::1"}},
	         "a.example 2001:db8::1 9"},
		/* no such name, a failure, no such data */
		{{.name = "a.example", .flags = 0x8183, .answers = {"a.example A 300 1.2.3.4"}},
	         ""},
		{{.name = "a.example", .flags = 0x8182}, ""},
		{{.name = "a.example", .authorities = {"example A 300 1.2.3.4"}}, ""},
		/* a question is no answer, whatever hangs on it */
		{{.name = "a.example", .flags = 0x0100, .answers = {"a.example A 300 1.2.3.4"}},
	         ""},
		/* SRV: the targets named, by what the server adds of them */
		{{.name = "_sip._tls.example",
	          .type = DNS_SRV,
	          .answers = {"_sip._tls.example S 300 sip1.example",
	                      "_sip._tls.example S 300 sip2.example"},
	          .authorities = {"example A 1 9.9.9.9"},
	          .additional = {"sip2.example A 77 1.2.3.4", "sip1.example A 78 2001:db8::1",
	                         "other.example A 79 1.2.3.9", ". O 0 x"}},
	         "sip2.example 1.2.3.4 77; sip1.example 2001:db8::1 78"},
		{{.name = "_sip._tls.example",
	          .type = DNS_SRV,
	          .answers = {"_sip._tcp.example S 300 sip1.example"},
	          .additional = {"sip1.example A 78 1.2.3.4"}},
	         ""},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct message m = reply(&cases[i].reply);
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(seen_freep) struct seen *seen = NULL;

		wire_udp(w, SERVER, m.b, m.len);
		seen = seen_of(w);
		must_bind(seen, cases[i].binds);
	}
}

static void a_long_chain_ends(void **state)
{
	const struct reply r = {
		.name = "a0.example",
		.answers = {"a0.example C 9 a1.example", "a1.example C 9 a2.example",
	                    "a2.example C 9 a3.example", "a3.example C 9 a4.example",
	                    "a4.example C 9 a5.example", "a5.example C 9 a6.example",
	                    "a6.example C 9 a7.example", "a7.example C 9 a8.example",
	                    "a8.example C 9 a9.example", "a9.example A 9 1.2.3.4",
	                    "a7.example A 9 1.2.3.5"}};
	struct message m = reply(&r);
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;

	wire_udp(w, SERVER, m.b, m.len);
	seen = seen_of(w);
	assert_int_equal(seen->names, 8);
	assert_string_equal(seen->learnt.name[7].name, "a0.example");
}

/* Records with the address 1.2.3.4; the owner has so many labels of `size` bytes `b`. */
static void add_addresses(struct message *m, unsigned count, unsigned labels, unsigned size,
                          unsigned b)
{
	for (unsigned i = 0; i < count; i++) {
		for (unsigned n = 0; n < labels * (size + 1); n++)
			message_add8(m, n % (size + 1) ? b : size);
		message_add8(m, 0);
		message_add(m, "\0\1\0\1\0\0\0\11\0\4\1\2\3\4", 14);
	}
}

static void must_learn(const struct message *m, unsigned names, unsigned refused)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;

	wire_udp(w, SERVER, m->b, m->len);
	seen = seen_of(w);
	assert_int_equal(seen->names, names);
	assert_int_equal(seen->learnt.names_refused, refused);
}

static void only_so_many_records_of_an_answer_are_looked_at(void **state)
{
	const struct reply r = {.name = "a.example", .answers = {"a.example A 9 1.2.3.4"}};
	struct message few = reply(&r), many = reply(&r);

	few.b[7] = 64;
	add_addresses(&few, 63, 1, 8, 'x');
	must_learn(&few, 1, 0);
	many.b[7] = 71;
	add_addresses(&many, 70, 1, 8, 'x');
	must_learn(&many, 1, 7);
}

static void a_name_that_makes_no_text_hides_no_other(void **state)
{
	const struct reply question = {.name = "a.example"};
	struct message m = reply(&question);

	m.b[7] = 2;
	add_addresses(&m, 1, 3, 63, 1);
	add_records(&m, (const char *const[]){"a.example A 9 1.2.3.5"}, 1);
	must_learn(&m, 1, 0);
}

enum learns { NOTHING, UNASKED, ASKED };

static enum learns learns(uint16_t id, const char *name, unsigned type, const char *tuple)
{
	struct message q = message_dns_query(id, name, type);
	struct message a =
		message_dns_answer(7, "Sip.corp.example", DNS_A, NULL, "1.2.3.4", 60);
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;

	wire_udp(w, tuple, q.b, q.len);
	wire_udp(w, SERVER, a.b, a.len);
	seen = seen_of(w);
	if (!seen->names)
		return NOTHING;
	assert_int_equal(seen->names, 1);
	return seen->learnt.name[0].asked ? ASKED : UNASKED;
}

static void an_answer_is_held_against_its_question(void **state)
{
	assert_int_equal(learns(7, "sip.corp.example", DNS_A, CLIENT), ASKED);
	assert_int_equal(learns(7, "SIP.corp.EXAMPLE", DNS_A, CLIENT), ASKED);
	/* nobody answers his own */
	assert_int_equal(learns(7, "sip.corp.example", DNS_A, SERVER), UNASKED);
}

static void a_forged_answer_binds_nothing_where_the_client_is_heard(void **state)
{
	assert_int_equal(learns(8, "sip.corp.example", DNS_A, CLIENT), NOTHING);
	assert_int_equal(learns(7, "sip.corp.examplf", DNS_A, CLIENT), NOTHING);
	assert_int_equal(learns(7, "sip.corp.example", DNS_AAAA, CLIENT), NOTHING);
}

/* So many questions, sent twice, the last one after a pause, then their answers. */
static struct seen *seen_asked(unsigned asked, double pause_s)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();

	for (unsigned i = 0; i < 2 * asked; i++) {
		struct message q =
			message_dns_query((uint16_t)(i / 2), "sip.corp.example", DNS_A);

		if (i == 2 * (asked - 1))
			wire_wait(w, pause_s);
		wire_udp(w, CLIENT, q.b, q.len);
	}
	for (unsigned i = 0; i < asked; i++) {
		struct message a = message_dns_answer((uint16_t)i, "sip.corp.example", DNS_A,
		                                      NULL, "1.2.3.4", 60);

		wire_udp(w, SERVER, a.b, a.len);
	}
	return seen_of(w);
}

static void questions_in_one_go_all_have_their_answers(void **state)
{
	CLEANUP(seen_freep) struct seen *seen = seen_asked(DISSECT_QUESTIONS, 0);

	assert_int_equal(seen->names, DISSECT_QUESTIONS);
	assert_int_equal(seen->learnt.names_refused, 0);
}

/* More than there are places, but never more than two that wait. */
static void an_answered_question_gives_its_place_free(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;
	struct message first = message_dns_query(1000, "sip.corp.example", DNS_A);

	wire_udp(w, CLIENT, first.b, first.len);
	for (unsigned i = 0; i <= 3 * DISSECT_QUESTIONS; i++) {
		bool last = i == 3 * DISSECT_QUESTIONS;
		uint16_t id = (uint16_t)(last ? 1000 : i);
		struct message q = message_dns_query(id, "sip.corp.example", DNS_A);
		struct message a =
			message_dns_answer(id, "sip.corp.example", DNS_A, NULL, "1.2.3.4", 60);

		if (!last)
			wire_udp(w, CLIENT, q.b, q.len);
		wire_udp(w, SERVER, a.b, a.len);
	}
	seen = seen_of(w);
	assert_int_equal(seen->names, 3 * DISSECT_QUESTIONS + 1);
	assert_int_equal(seen->learnt.names_refused, 0);
}

static void a_question_that_gives_way_while_it_waits_is_counted(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(seen_freep) struct seen *seen = NULL;

	for (uint16_t i = 0; i <= DISSECT_QUESTIONS; i++) {
		struct message q = message_dns_query(i, "sip.corp.example", DNS_A);

		wire_udp(w, CLIENT, q.b, q.len);
	}
	seen = seen_of(w);
	assert_int_equal(seen->learnt.names_refused, 1);
}

static void a_question_that_nobody_waits_for_gives_way_unnoticed(void **state)
{
	CLEANUP(seen_freep) struct seen *seen =
		seen_asked(DISSECT_QUESTIONS + 1, 20);

	assert_int_equal(seen->names, DISSECT_QUESTIONS);
	assert_int_equal(seen->learnt.names_refused, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_answer_binds_what_it_answers),
		cmocka_unit_test(a_long_chain_ends),
		cmocka_unit_test(only_so_many_records_of_an_answer_are_looked_at),
		cmocka_unit_test(a_name_that_makes_no_text_hides_no_other),
		cmocka_unit_test(an_answer_is_held_against_its_question),
		cmocka_unit_test(a_forged_answer_binds_nothing_where_the_client_is_heard),
		cmocka_unit_test(questions_in_one_go_all_have_their_answers),
		cmocka_unit_test(an_answered_question_gives_its_place_free),
		cmocka_unit_test(a_question_that_gives_way_while_it_waits_is_counted),
		cmocka_unit_test(a_question_that_nobody_waits_for_gives_way_unnoticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
