/*
 * test_blocked.c - what the network drops, forbids or refuses, from the packets to the verdict (design.md 5):
 * claimed of what must be answered alone, and never where we may have missed the answer.
 */
#include "tests/lib/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SITE \
	"site: Test\n" \
	"units:\n" \
	"  - {name: board, addresses: [10.1.0.7], profiles: [room, onprem]}\n" \
	"roles:\n" \
	"  dns-server: {addresses: [10.1.0.53, 10.1.0.54]}\n" \
	"  maestro: {addresses: [10.1.0.44]}\n" \
	"  domain-controller: {addresses: [10.1.0.10]}\n" \
	"  edge: {addresses: [203.0.113.20]}\n" \
	"  front-end: {addresses: [10.1.0.20]}\n"

#define OUT "10.1.0.7:50000 > 10.1.0.44:443"
#define BACK "10.1.0.44:443 > 10.1.0.7:50000"

/* Somebody answers the unit, so both directions are mirrored. */
static void alive(struct wire *w)
{
	talk_dns(w, "10.1.0.7:40000 > 10.1.0.53:53", &(struct dns_case){.name = "a.example", .type = DNS_A, .value = "192.0.2.1"});
	wire_wait(w, 1);
}
#define ALIVE "udp out(request) dns answered: documented exact room.out.dns"

static void later(struct wire *w)
{
	wire_wait(w, 100);
	wire_arp(w, "10.1.0.7 > 10.1.0.1");
}

static void ask_dns(struct wire *w, const char *tuple, const char *name)
{
	struct message m = message_dns_query(3, name, DNS_A);

	talk_udp(w, tuple, &m);
}

static void silence(struct wire *w)
{
	alive(w);
	talk_silence(w, OUT);
	later(w);
}

static void silence_before_anybody_answers(struct wire *w)
{
	talk_silence(w, OUT);
	wire_wait(w, 100);
	alive(w);
	later(w);
}

static void silence_and_nobody_ever_answers(struct wire *w)
{
	talk_silence(w, OUT);
	later(w);
}

static void one_syn(struct wire *w)
{
	alive(w);
	wire_tcp(w, OUT, "S", NULL, 0);
	later(w);
}

static void reset(struct wire *w)
{
	alive(w);
	talk_refused(w, OUT);
}

static void reset_after_data(struct wire *w)
{
	struct message m = message_client_hello("config.maestro.starleaf.com", 0x0303);

	alive(w);
	talk_open(w, OUT);
	talk_send(w, OUT, &m);
	wire_tcp(w, BACK, "RA", NULL, 0);
}

static void reset_at_once_after_opening(struct wire *w)
{
	alive(w);
	talk_open(w, OUT);
	wire_tcp(w, BACK, "RA", NULL, 0);
}

static void reset_of_an_old_conversation(struct wire *w)
{
	struct message m = message_noise(200, 1);

	alive(w);
	wire_tcp(w, OUT, "A", m.b, m.len);
	wire_tcp(w, BACK, "R", NULL, 0);
}

static void given_up_by_the_asker(struct wire *w)
{
	alive(w);
	wire_tcp(w, OUT, "S", NULL, 0);
	wire_tcp(w, OUT, "R", NULL, 0);
}

/* RFC 7413: data in the SYN; the retry comes without. */
static void fast_open(struct wire *w)
{
	struct message m = message_client_hello("config.maestro.starleaf.com", 0x0303);

	alive(w);
	wire_tcp(w, OUT, "S", m.b, m.len);
	wire_wait(w, 0.01);
	wire_tcp(w, BACK, "SA", NULL, 0);
	wire_tcp(w, OUT, "A", NULL, 0);
	m = message_server_hello(0x0303, false);
	talk_send(w, BACK, &m);
}

static void fast_open_into_silence(struct wire *w)
{
	struct message m = message_client_hello("config.maestro.starleaf.com", 0x0303);

	alive(w);
	wire_tcp(w, OUT, "S", m.b, m.len);
	wire_wait(w, 1);
	wire_tcp(w, OUT, "S", NULL, 0);
	wire_wait(w, 2);
	wire_tcp(w, OUT, "S", NULL, 0);
	later(w);
}

static void forbidden(struct wire *w, uint8_t code, const char *by)
{
	char pair[WIRE_TUPLE];

	alive(w);
	wire_tcp(w, OUT, "S", NULL, 0);
	snprintf(pair, sizeof(pair), "%s > 10.1.0.7", by);
	wire_icmp_error(w, pair, 3, code);
}

static void by_rule_9(struct wire *w)
{
	forbidden(w, 9, "10.1.0.1");
}

static void by_rule_10(struct wire *w)
{
	forbidden(w, 10, "10.1.0.1");
}

static void by_rule_13(struct wire *w)
{
	forbidden(w, 13, "10.1.0.1");
}

static void port_unreachable(struct wire *w)
{
	forbidden(w, 3, "10.1.0.44");
}

static void host_unreachable_once(struct wire *w)
{
	forbidden(w, 1, "10.1.0.1");
}

static void host_unreachable_again_and_again(struct wire *w)
{
	alive(w);
	for (unsigned i = 0; i < 3; i++) {
		wire_tcp(w, OUT, "S", NULL, 0);
		wire_icmp_error(w, "10.1.0.1 > 10.1.0.7", 3, 1);
		wire_wait(w, 2);
	}
	later(w);
}

static void first_unreachable_then_forbidden(struct wire *w)
{
	alive(w);
	wire_tcp(w, OUT, "S", NULL, 0);
	wire_icmp_error(w, "10.1.0.1 > 10.1.0.7", 3, 1);
	wire_wait(w, 1);
	wire_tcp(w, OUT, "S", NULL, 0);
	wire_icmp_error(w, "10.1.0.1 > 10.1.0.7", 3, 13);
}

/* Anybody can send such an error; a conversation that goes on contradicts it. */
static void forged_error(struct wire *w)
{
	struct message m = message_client_hello("config.maestro.starleaf.com", 0x0303);

	alive(w);
	talk_open(w, OUT);
	wire_tcp(w, OUT, "PA", m.b, m.len);
	wire_icmp_error(w, "10.1.0.1 > 10.1.0.7", 3, 13);
	m = message_server_hello(0x0303, false);
	talk_send(w, BACK, &m);
}

/* The unit has closed its port before a late answer comes: that the mirror hides it, the error tells. */
static void an_answer_turned_down(struct wire *w)
{
	struct message m = message_dns_answer(3, "b.example", DNS_A, NULL, "192.0.2.1", 60);

	alive(w);
	ask_dns(w, "10.1.0.7:50000 > 10.1.0.53:53", "b.example");
	wire_udp(w, "10.1.0.53:53 > 10.1.0.7:50001", m.b, m.len);
	wire_icmp_error(w, "10.1.0.7 > 10.1.0.53", 3, 3);
	later(w);
}

static void the_unit_refuses(struct wire *w)
{
	struct message m = message_noise(100, 1);

	alive(w);
	talk_udp(w, "10.9.0.9:50000 > 10.1.0.7:161", &m);
	wire_icmp_error(w, "10.1.0.7 > 10.9.0.9", 3, 3);
}

static void a_resolver_on_one_port(struct wire *w)
{
	alive(w);
	ask_dns(w, "10.1.0.7:50000 > 10.1.0.53:53", "b.example");
	wire_wait(w, 5);
	ask_dns(w, "10.1.0.7:50000 > 10.1.0.53:53", "b.example");
	later(w);
}

static void a_resolver_on_new_ports(struct wire *w)
{
	alive(w);
	ask_dns(w, "10.1.0.7:50000 > 10.1.0.53:53", "b.example");
	ask_dns(w, "10.1.0.7:50010 > 10.1.0.54:53", "b.example");
	wire_wait(w, 5);
	ask_dns(w, "10.1.0.7:50001 > 10.1.0.53:53", "b.example");
	later(w);
}

static void a_resolver_that_hits_upon_the_other_server(struct wire *w)
{
	alive(w);
	ask_dns(w, "10.1.0.7:50000 > 10.1.0.53:53", "b.example");
	wire_wait(w, 5);
	talk_dns(w, "10.1.0.7:50001 > 10.1.0.53:53", &(struct dns_case){.name = "b.example", .type = DNS_A, .value = "192.0.2.1"});
	later(w);
}

static void two_questions_at_once(struct wire *w)
{
	alive(w);
	ask_dns(w, "10.1.0.7:50000 > 10.1.0.53:53", "b.example");
	ask_dns(w, "10.1.0.7:50001 > 10.1.0.53:53", "b.example");
	later(w);
}

static void two_names(struct wire *w)
{
	alive(w);
	ask_dns(w, "10.1.0.7:50000 > 10.1.0.53:53", "b.example");
	wire_wait(w, 5);
	ask_dns(w, "10.1.0.7:50001 > 10.1.0.53:53", "c.example");
	later(w);
}

/* RFC 4120 7.2.1: UDP first, TCP where that brings nothing. */
static void kerberos_udp_then_tcp(struct wire *w)
{
	struct message m = message_kerberos(KERBEROS_AS_REQ);

	alive(w);
	for (unsigned i = 0; i < 3; i++) {
		talk_udp(w, "10.1.0.7:50000 > 10.1.0.10:88", &m);
		wire_wait(w, 2);
	}
	talk_kerberos_tcp(w, "10.1.0.7:50001 > 10.1.0.10:88");
	later(w);
}

/* RFC 5389 7.2.1: seven tries within 31.5 s, given up 8 s later. */
static void stun_seven_times(struct wire *w)
{
	struct message m = message_stun_plain(1);

	alive(w);
	for (double wait = 0.5; wait < 40; wait *= 2) {
		talk_udp(w, "10.1.0.7:50000 > 203.0.113.20:3478", &m);
		wire_wait(w, wait);
	}
	later(w);
}

static void allocate_in_vain(struct wire *w)
{
	struct message m = message_msturn(MSTURN_ALLOCATE, 1, NULL, NULL);

	alive(w);
	for (unsigned i = 0; i < 4; i++) {
		talk_udp(w, "10.1.0.7:50000 > 203.0.113.20:3478", &m);
		wire_wait(w, 1.5);
	}
	later(w);
}

static void ice_probe(struct wire *w)
{
	alive(w);
	talk_ice_probe(w, "10.1.0.7:50004 > 198.51.100.9:50010", 7);
	later(w);
}

static void a_group_is_silent(struct wire *w)
{
	alive(w);
	for (unsigned i = 0; i < 3; i++) {
		talk_llmnr(w, "10.1.0.7:51000 > 224.0.0.252:5355", "printer", NULL);
		wire_wait(w, 2);
	}
	later(w);
}

/* Only what the unit sends is mirrored: it acknowledges what we do not see. */
static void one_sided(struct wire *w)
{
	struct message m = message_client_hello("config.maestro.starleaf.com", 0x0303);

	alive(w);
	wire_tcp(w, OUT, "S", NULL, 0);
	wire_tcp(w, OUT, "A", NULL, 0);
	wire_tcp(w, OUT, "PA", m.b, m.len);
	later(w);
}

#define MAESTRO "room.out.maestro"
#define DNS_SILENT "udp out(request) dns unanswered: documented exact blocked-silent medium room.out.dns"
#define DNS_UNANSWERED "udp out(request) dns unanswered: documented exact room.out.dns"

static void what_must_be_answered_and_is_not(void **state)
{
	static const struct story stories[] = {
		{"a SYN and its retries", silence, ALIVE " | tcp out(syn) none unanswered: documented unproven blocked-silent medium " MAESTRO " why=too-few-packets"},
		{"the two-way flow comes after", silence_before_anybody_answers,
		 "tcp out(syn) none unanswered: documented unproven blocked-silent medium " MAESTRO " why=too-few-packets | " ALIVE},
		{"SYN with data", fast_open_into_silence, ALIVE " | tcp out(syn) tls unanswered: documented exact blocked-silent medium " MAESTRO},
		{"one port", a_resolver_on_one_port, ALIVE " | " DNS_SILENT},
		{"new ports", a_resolver_on_new_ports, ALIVE " | " DNS_SILENT " | " DNS_UNANSWERED " | " DNS_SILENT},
		{"Kerberos", kerberos_udp_then_tcp,
		 ALIVE " | udp out(request) kerberos unanswered: documented exact blocked-silent medium onprem.out.kerberos"
		 " | tcp out(syn) kerberos answered: documented exact onprem.out.kerberos"},
		{"STUN", stun_seven_times, ALIVE " | udp out(port) stun unanswered: documented exact blocked-silent medium onprem.out.turn_udp"},
		{"TURN", allocate_in_vain, ALIVE " | udp out(request) msturn unanswered: documented exact blocked-silent medium onprem.out.turn_udp"},
	};

	assert_stories(SITE, stories);
}

#define UNPROVEN "documented unproven " MAESTRO " why=too-few-packets"

static void silence_that_proves_nothing(void **state)
{
	static const struct story stories[] = {
		{"one try", one_syn, ALIVE " | tcp out(syn) none unanswered: " UNPROVEN},
		{"nobody answers this unit at all", silence_and_nobody_ever_answers, "tcp out(syn) none unanswered: " UNPROVEN},
		{"the asker gave up", given_up_by_the_asker, ALIVE " | tcp out(syn) none unanswered: " UNPROVEN},
		{"a lost question", a_resolver_that_hits_upon_the_other_server, ALIVE " | " DNS_UNANSWERED " | " ALIVE},
		{"two questions at once", two_questions_at_once, ALIVE " | " DNS_UNANSWERED " | " DNS_UNANSWERED},
		{"two names", two_names, ALIVE " | " DNS_UNANSWERED " | " DNS_UNANSWERED},
		{"ICE probe", ice_probe, ALIVE " | udp unknown(unknown) stun unanswered: documented wide onprem.out.media_udp why=role-unknown"},
		{"a group", a_group_is_silent, ALIVE " | udp out(request) llmnr unknown: documented exact room.out.llmnr"},
		{"one side of it", one_sided, ALIVE " | tcp out(syn) tls one-sided: documented exact " MAESTRO},
	};

	assert_stories(SITE, stories);
}

#define PROHIBITED "tcp out(syn) none prohibited: documented unproven blocked-prohibited medium " MAESTRO " why=too-few-packets"

static void errors_and_resets_are_believed_at_once(void **state)
{
	static const struct story stories[] = {
		{"RST", reset, ALIVE " | tcp out(syn) none refused: documented unproven refused medium " MAESTRO " why=too-few-packets"},
		{"port unreachable", port_unreachable, ALIVE " | tcp out(syn) none refused: documented unproven refused medium " MAESTRO " why=too-few-packets"},
		{"3/9", by_rule_9, ALIVE " | " PROHIBITED},
		{"3/10", by_rule_10, ALIVE " | " PROHIBITED},
		{"3/13", by_rule_13, ALIVE " | " PROHIBITED},
		{"a decision goes before a failure", first_unreachable_then_forbidden, ALIVE " | " PROHIBITED},
		{"the unit refuses", the_unit_refuses, ALIVE " | udp in(port) none refused: outside local-port low onprem.out.media_udp"},
	};

	assert_stories(SITE, stories);
}

static void what_is_no_refusal(void **state)
{
	static const struct story stories[] = {
		{"RST after data", reset_after_data, ALIVE " | tcp out(syn) tls answered: documented exact " MAESTRO},
		{"RST after opening", reset_at_once_after_opening, ALIVE " | tcp out(syn) none answered: " UNPROVEN},
		{"RST of an old conversation", reset_of_an_old_conversation,
		 ALIVE " | tcp out(port) none unknown: documented unproven " MAESTRO " why=midstream midstream warmup"},
		{"fast open", fast_open, ALIVE " | tcp out(syn) tls answered: documented exact " MAESTRO},
		{"forged error", forged_error, ALIVE " | tcp out(syn) tls answered: documented exact " MAESTRO},
		{"an answer turned down", an_answer_turned_down, ALIVE " | " DNS_UNANSWERED " | udp out(request) dns one-sided: documented exact room.out.dns"},
		{"host unreachable, once", host_unreachable_once, ALIVE " | tcp out(syn) none unanswered: " UNPROVEN},
		{"... again and again", host_unreachable_again_and_again,
		 ALIVE " | tcp out(syn) none unanswered: documented unproven blocked-silent medium " MAESTRO " why=too-few-packets"},
	};

	assert_stories(SITE, stories);
}

/* The clock shows a second between two looks at what the kernel counts. */
static void seconds(struct wire *w, unsigned count)
{
	for (unsigned i = 0; i < count; i++) {
		wire_wait(w, 1);
		wire_arp(w, "10.1.0.7 > 10.1.0.1");
	}
}

static void silence_while_packets_were_dropped_proves_nothing(void **state)
{
	for (unsigned dropped = 0; dropped < 2; dropped++) {
		CLEANUP(run_freep) struct run *run = run_new(SITE);
		CLEANUP(wire_freep) struct wire *w = wire_new();
		char said[1024];

		alive(w);
		for (unsigned i = 0; i < 3; i++) {
			wire_tcp(w, OUT, "S", NULL, 0);
			seconds(w, 2);
		}
		if (dropped)
			run_drops(run, wire_count(w) - 3);
		seconds(w, 60);
		run_wire(run, w, 1);
		story_print(run, said, sizeof(said));
		assert_string_equal(said, dropped ? ALIVE " | tcp out(syn) none unanswered: " UNPROVEN
		                                  : ALIVE " | tcp out(syn) none unanswered: documented unproven blocked-silent medium "
		                                    MAESTRO " why=too-few-packets");
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_must_be_answered_and_is_not),
		cmocka_unit_test(silence_that_proves_nothing),
		cmocka_unit_test(silence_while_packets_were_dropped_proves_nothing),
		cmocka_unit_test(errors_and_resets_are_believed_at_once),
		cmocka_unit_test(what_is_no_refusal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
