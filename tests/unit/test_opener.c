/*
 * test_opener.c - who opened a flow: the table of domain.md 3.2, line by line, from the packets to the
 * database; complete, seen from one side, begun before we looked, and just when we began.
 */
#include "tests/lib/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SITE \
	"site: Test\n" \
	"units:\n" \
	"  - {name: board, addresses: [10.1.0.7, \"2001:db8::7\"], profiles: [room, online, touch]}\n" \
	"roles:\n" \
	"  dns-server: {addresses: [10.1.0.53]}\n" \
	"  maestro: {addresses: [10.1.0.44]}\n" \
	"  touch-controller: {addresses: [\"2001:db8::77\"]}\n"

#define OUT "10.1.0.7:50000 > 10.1.0.44:443"
#define BACK "10.1.0.44:443 > 10.1.0.7:50000"

/* Something happened before, so that looking began long ago. */
static void long_ago(struct wire *w)
{
	wire_at(w, 0);
	wire_arp(w, "10.1.0.7 > 10.1.0.1");
	wire_at(w, 100);
}

static void send(struct wire *w, const char *tuple, const struct message *m)
{
	wire_tcp(w, tuple, "PA", m->b, m->len);
	wire_wait(w, 0.002);
}

static void send_noise(struct wire *w, const char *tuple, uint32_t seed)
{
	struct message m = message_noise(300, seed);

	send(w, tuple, &m);
}

static void a_syn(struct wire *w)
{
	talk_tls(w, OUT, &(struct tls){.sni = "config.maestro.starleaf.com"});
}

static void a_syn_from_outside(struct wire *w)
{
	wire_tcp(w, "10.9.0.9:50000 > 10.1.0.7:5000", "S", NULL, 0);
	wire_tcp(w, "10.1.0.7:5000 > 10.9.0.9:50000", "SA", NULL, 0);
	wire_tcp(w, "10.9.0.9:50000 > 10.1.0.7:5000", "A", NULL, 0);
}

static void a_syn_ack(struct wire *w)
{
	wire_tcp(w, BACK, "SA", NULL, 0);
	wire_tcp(w, OUT, "A", NULL, 0);
}

static void a_syn_ack_before_its_syn(struct wire *w)
{
	wire_tcp(w, BACK, "SA", NULL, 0);
	wire_tcp(w, OUT, "S", NULL, 0);
	wire_tcp(w, OUT, "A", NULL, 0);
}

static void both_at_once(struct wire *w)
{
	static const char out[] = "10.1.0.7:50004 > 52.112.1.9:50010", back[] = "52.112.1.9:50010 > 10.1.0.7:50004";

	wire_tcp(w, out, "S", NULL, 0);
	wire_tcp(w, back, "S", NULL, 0);
	wire_tcp(w, out, "SA", NULL, 0);
	wire_tcp(w, back, "SA", NULL, 0);
}

/* It comes too late to have opened anything; a SYN that anybody can send. */
static void a_syn_into_a_conversation(struct wire *w)
{
	a_syn(w);
	wire_tcp(w, BACK, "S", NULL, 0);
}

/* Requests and replies of a conversation that had begun before. */
static void a_client_hello_alone(struct wire *w)
{
	struct message m = message_client_hello("config.maestro.starleaf.com", 0x0303);

	send(w, OUT, &m);
}

static void a_server_hello_alone(struct wire *w)
{
	struct message m = message_server_hello(0x0303, false);

	send(w, BACK, &m);
}

static void a_server_hello_from_an_odd_port(struct wire *w)
{
	struct message m = message_server_hello(0x0303, false);

	send(w, "10.1.0.44:9443 > 10.1.0.7:50000", &m);
}

static void an_http_request_alone(struct wire *w)
{
	struct message m = message_http_get("unit", "/");

	send(w, "10.9.0.9:50000 > 10.1.0.7:80", &m);
}

static void an_http_answer_alone(struct wire *w)
{
	struct message m = message_http_answer(200, 40);

	send(w, "10.1.0.7:80 > 10.9.0.9:50000", &m);
}

static void a_dns_question_alone(struct wire *w)
{
	struct message m = message_dns_query(1, "a.example", DNS_A);

	talk_udp(w, "10.1.0.7:50000 > 10.1.0.53:53", &m);
}

static void a_dns_answer_alone(struct wire *w)
{
	struct message m = message_dns_answer(1, "a.example", DNS_A, NULL, "192.0.2.1", 60);

	talk_udp(w, "10.1.0.53:53 > 10.1.0.7:50000", &m);
}

static void a_kerberos_request_alone(struct wire *w)
{
	struct message m = message_kerberos(KERBEROS_AS_REQ);

	talk_udp(w, "10.1.0.7:50000 > 10.1.0.10:88", &m);
}

static void a_kerberos_reply_alone(struct wire *w)
{
	struct message m = message_kerberos(KERBEROS_AS_REP);

	talk_udp(w, "10.1.0.10:88 > 10.1.0.7:50000", &m);
}

static void an_allocate_alone(struct wire *w)
{
	struct message m = message_msturn(MSTURN_ALLOCATE, 1, NULL, NULL);

	talk_udp(w, "10.1.0.7:50004 > 52.112.1.9:3478", &m);
}

static void an_allocate_answer_alone(struct wire *w)
{
	struct message m = message_msturn(MSTURN_ALLOCATE_SUCCESS, 1, "10.1.0.7:50004", NULL);

	talk_udp(w, "52.112.1.9:3478 > 10.1.0.7:50004", &m);
}

/* Both sides of a call send checks; whose comes first means nothing. */
static void checks_from_outside(struct wire *w)
{
	talk_ice(w, "52.112.1.9:50010 > 10.1.0.7:50004");
}

static void ports_alone(struct wire *w)
{
	send_noise(w, BACK, 1);
	send_noise(w, OUT, 2);
}

static void ports_alone_long_ago(struct wire *w)
{
	long_ago(w);
	ports_alone(w);
}

/* The far end's port is a server's: whatever the row says of the unit's. */
static void our_port_alone(struct wire *w)
{
	long_ago(w);
	send_noise(w, "10.1.0.7:22 > 10.9.0.9:50000", 1);
	send_noise(w, "10.9.0.9:50000 > 10.1.0.7:22", 2);
}

static void our_port_alone_just_begun(struct wire *w)
{
	send_noise(w, "10.1.0.7:22 > 10.9.0.9:50000", 1);
	send_noise(w, "10.9.0.9:50000 > 10.1.0.7:22", 2);
}

static void a_touch_port(struct wire *w)
{
	long_ago(w);
	send_noise(w, "[2001:db8::7]:5000 > [2001:db8::77]:50000", 1);
	send_noise(w, "[2001:db8::77]:50000 > [2001:db8::7]:5000", 2);
}

static void a_touch_port_and_a_server_s(struct wire *w)
{
	long_ago(w);
	send_noise(w, "10.1.0.7:5000 > 10.1.0.44:443", 1);
	send_noise(w, "10.1.0.44:443 > 10.1.0.7:5000", 2);
}

static void the_first_packet(struct wire *w)
{
	long_ago(w);
	talk_rtp(w, "52.112.1.9:50010 > 10.1.0.7:50004", &(struct media){.payload_type = PT_SILK, .packets = 20, .ssrc = 1});
}

static void the_first_packet_at_once(struct wire *w)
{
	talk_rtp(w, "52.112.1.9:50010 > 10.1.0.7:50004", &(struct media){.payload_type = PT_SILK, .packets = 20, .ssrc = 1});
}

static void one_way(struct wire *w)
{
	long_ago(w);
	wire_tcp(w, OUT, "S", NULL, 0);
	wire_tcp(w, OUT, "A", NULL, 0);
	a_client_hello_alone(w);
}

static void one_way_back(struct wire *w)
{
	long_ago(w);
	wire_tcp(w, BACK, "SA", NULL, 0);
	a_server_hello_alone(w);
}

#define MAESTRO "documented exact room.out.maestro"

static void each_line_of_the_table(void **state)
{
	static const struct story stories[] = {
		{"SYN", a_syn, "tcp out(syn) tls answered: " MAESTRO},
		{"SYN from outside", a_syn_from_outside, "tcp in(syn) none answered: outside local-port high room.in.control_api"},
		{"SYN+ACK: its receiver", a_syn_ack, "tcp out(syn) none answered: documented unproven room.out.maestro why=too-few-packets"},
		{"directions cross", a_syn_ack_before_its_syn, "tcp out(syn) none answered: documented unproven room.out.maestro why=too-few-packets"},
		{"both at once", both_at_once, "tcp unknown(unknown) none answered: documented unproven online.out.audio+online.in.audio why=too-few-packets reason=assumed"},
		{"a SYN into it", a_syn_into_a_conversation, "tcp out(syn) tls answered: " MAESTRO},
		{"ClientHello", a_client_hello_alone, "tcp out(request) tls one-sided: " MAESTRO " midstream warmup"},
		{"ServerHello", a_server_hello_alone, "tcp out(request) tls one-sided: " MAESTRO " midstream warmup"},
		{"ServerHello, no port to go by", a_server_hello_from_an_odd_port, "tcp out(request) tls one-sided: outside remote-port medium room.out.maestro midstream warmup"},
		{"HTTP request", an_http_request_alone, "tcp in(request) http one-sided: documented exact room.in.control_api midstream warmup"},
		{"HTTP answer", an_http_answer_alone, "tcp in(request) http one-sided: documented exact room.in.control_api midstream warmup"},
		{"DNS QR=0", a_dns_question_alone, "udp out(request) dns unanswered: documented exact room.out.dns"},
		{"DNS QR=1", a_dns_answer_alone, "udp out(request) dns one-sided: documented exact room.out.dns"},
		{"Kerberos 6a", a_kerberos_request_alone, "udp out(request) kerberos unanswered: outside remote-port medium online.out.audio"},
		{"Kerberos 6b", a_kerberos_reply_alone, "udp out(request) kerberos one-sided: outside remote-port medium online.out.audio"},
		{"MS-TURN allocate", an_allocate_alone, "udp out(request) msturn unanswered: documented exact online.out.relay_udp"},
		{"its answer", an_allocate_answer_alone, "udp out(request) msturn one-sided: documented exact online.out.relay_udp"},
		{"STUN is no sign", checks_from_outside, "udp unknown(unknown) stun answered: documented exact online.out.audio+online.in.audio reason=assumed"},
		{"one port is a server's", ports_alone_long_ago, "tcp out(port) none answered: documented unproven room.out.maestro why=midstream midstream"},
		{"... the unit's", our_port_alone, "tcp in(port) none answered: outside local-port high room.in.control_api midstream"},
		{"one port listens by the envelope", a_touch_port, "tcp in(first-packet) none answered: documented exact touch.in.control midstream"},
		{"... and the other is a server's", a_touch_port_and_a_server_s, "tcp out(port) none answered: documented unproven room.out.maestro why=midstream midstream"},
		{"first packet", the_first_packet, "udp in(first-packet) rtp answered: documented exact online.out.audio+online.in.audio"},
		{"none", the_first_packet_at_once, "udp unknown(unknown) rtp answered: documented exact online.out.audio+online.in.audio reason=assumed"},
		{"one way out", one_way, "tcp out(syn) tls one-sided: " MAESTRO},
		{"one way back", one_way_back, "tcp out(syn) tls one-sided: " MAESTRO},
	};

	assert_stories(SITE, stories);
}

static void in_the_warm_up_no_port_is_held_against_a_row(void **state)
{
	static const struct story stories[] = {
		{"client", ports_alone, "tcp out(port) none answered: documented unproven room.out.maestro why=midstream midstream warmup"},
		{"server", our_port_alone_just_begun, "tcp in(port) none answered: outside local-port medium room.in.control_api midstream warmup"},
	};

	assert_stories(SITE, stories);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_line_of_the_table),
		cmocka_unit_test(in_the_warm_up_no_port_is_held_against_a_row),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
