/*
 * test_whose.c - whose a flow is where frames do not tell: leases, ARP and neighbour discovery, routers,
 * several addresses, and those who lie about it. From packets to rows.
 */
#include "tests/lib/run.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNIT_MAC "00:26:8c:01:02:03"
#define OTHER_MAC "02:aa:00:00:00:09"
#define ROUTER_MAC "02:ff:00:00:00:01"
#define SITE \
	"units:\n" \
	"  - {name: board, macs: [\"" UNIT_MAC \
	"\", \"00:26:8c:01:02:04\"], profiles: [room]}\n" \
	"  - {name: huddle, addresses: [10.9.0.8], profiles: [room]}\n"
#define LISTED SITE "roles: {dhcp-server: {addresses: [10.1.0.2]}}\n"
#define AWAY "10.9.0.5" /* behind the router */

#define RUN(site) \
	CLEANUP(run_freep) struct run *run = run_new(site); \
	CLEANUP(wire_freep) struct wire *w = wire_new(); \
	wire_router(w, "10.1.0.0/16", ROUTER_MAC)

static int take(void *context, const struct flow_view *flow, struct err *err)
{
	char addr[ADDR_TEXT];

	text_add(context, 2048, "%s%s %s:%u", *(char *)context ? ", " : "", flow->unit,
	         addr_print(&flow->facts.end[flow->local].addr, addr),
	         flow->facts.end[flow->local].port);
	return 0;
}

/* "unit address:port, ..." of all rows of flows over TCP. */
static void must_be(struct run *run, const char *wanted)
{
	struct flow_query query = {0};
	char text[2048] = "", *tcp = text;
	struct err err = {0};

	assert_int_equal(flowdb_flows(run_db(run), &query, take, text, &err), 0);
	/* those of DHCP come first, and are not asked for here */
	while (strstr(tcp, ":68") == tcp + strcspn(tcp, ":") ||
	       strstr(tcp, ":67") == tcp + strcspn(tcp, ":")) {
		char *next = strstr(tcp, ", ");

		tcp = next ? next + 2 : tcp + strlen(tcp);
	}
	assert_string_equal(tcp, wanted);
}

static void acked(struct wire *w, const char *mac, const char *addr, const char *server,
                  const char *dns, uint32_t lease_s)
{
	const struct dhcp dhcp = {.type = DHCP_ACK,
	                          .xid = 0x1234,
	                          .lease_s = lease_s,
	                          .chaddr = mac,
	                          .yiaddr = addr,
	                          .server = server,
	                          .mask = "255.255.255.0",
	                          .dns = dns};
	struct message m = message_dhcp(&dhcp);
	char tuple[WIRE_TUPLE];

	struct dhcp ask = dhcp;
	struct message asked;

	ask.type = DHCP_REQUEST;
	ask.yiaddr = NULL;
	asked = message_dhcp(&ask);
	snprintf(tuple, sizeof(tuple), "10.9.0.1:67 > %s:67", server);
	talk_udp(w, tuple, &asked);
	/* as a server answers a relay (RFC 2131 4.1) */
	snprintf(tuple, sizeof(tuple), "%s:67 > 10.9.0.1:67", server);
	talk_udp(w, tuple, &m);
}

static void released(struct wire *w, const char *mac, const char *addr)
{
	const struct dhcp dhcp = {
		.type = 7, .xid = 9, .chaddr = mac, .ciaddr = addr, .server = "10.1.0.2"};
	struct message m = message_dhcp(&dhcp);
	char tuple[WIRE_TUPLE];

	snprintf(tuple, sizeof(tuple), "%s:68 > 10.1.0.2:67", addr);
	talk_udp(w, tuple, &m);
}

static void web(struct wire *w, double at, const char *from, unsigned port, const char *to)
{
	char tuple[WIRE_TUPLE];

	wire_at(w, at);
	snprintf(tuple, sizeof(tuple), "%s:%u > %s:80", from, port, to);
	talk_http(w, tuple, "web.example", "/");
}

/* ARP of its own: 28 bytes; `frame_mac` sends it. */
static void arp(struct wire *w, double at, const char *mac, const char *frame_mac,
                const char *addr)
{
	uint8_t frame[60] = {0};
	struct mac own, from;
	struct addr ip;

	assert_int_equal(mac_parse(mac, &own), 0);
	assert_int_equal(mac_parse(frame_mac, &from), 0);
	assert_int_equal(addr_parse(addr, &ip), 0);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, from.b, 6);
	memcpy(frame + 12, "\x08\x06\0\1\x08\0\6\4\0\1", 10);
	memcpy(frame + 22, own.b, 6);
	memcpy(frame + 28, ip.b + 12, 4);
	memcpy(frame + 38, ip.b + 12, 4);
	wire_at(w, at);
	wire_frame(w, frame, sizeof(frame));
}

/* ------------------------------------------------------------------ leases */

static void a_lease_tells_whose_an_address_behind_a_router_is(void **state)
{
	RUN(SITE);

	web(w, 1, AWAY, 40001, "10.1.0.9"); /* not known yet */
	wire_at(w, 2);
	acked(w, UNIT_MAC, AWAY, "10.1.0.2", NULL, 600);
	web(w, 3, AWAY, 40002, "10.1.0.9");
	web(w, 4, "10.1.0.9", 40003, AWAY); /* somebody opens a connection to it */
	run_wire(run, w, 1);
	must_be(run, "board " AWAY ":40002, board " AWAY ":80");
}

static void it_counts_as_long_as_it_lasts(void **state)
{
	RUN(SITE);

	wire_at(w, 1);
	acked(w, UNIT_MAC, AWAY, "10.1.0.2", NULL, 600);
	web(w, 500, AWAY, 40001, "10.1.0.9");
	web(w, 700, AWAY, 40002, "10.1.0.9"); /* over */
	wire_at(w, 800);
	acked(w, UNIT_MAC, AWAY, "10.1.0.2", NULL, 600);
	wire_at(w, 1300);
	acked(w, UNIT_MAC, AWAY, "10.1.0.2", NULL, 600); /* renewed */
	web(w, 1800, AWAY, 40003, "10.1.0.9");
	run_wire(run, w, 1);
	must_be(run, "board " AWAY ":40001, board " AWAY ":40003");
}

static void an_address_that_another_was_given_is_not_the_units_any_more(void **state)
{
	RUN(SITE);

	wire_at(w, 1);
	acked(w, UNIT_MAC, AWAY, "10.1.0.2", NULL, 6000);
	/* This one began before, and is the unit's to its end. */
	wire_at(w, 2);
	talk_open(w, AWAY ":40001 > 10.1.0.9:80");
	wire_at(w, 10);
	acked(w, OTHER_MAC, AWAY, "10.1.0.2", NULL, 6000);
	web(w, 11, AWAY, 40002, "10.1.0.9");
	wire_at(w, 12);
	talk_close(w, AWAY ":40001 > 10.1.0.9:80");
	run_wire(run, w, 1);
	must_be(run, "board " AWAY ":40001");
}

static void an_address_given_back_is_nobodys(void **state)
{
	RUN(SITE);

	wire_at(w, 1);
	acked(w, UNIT_MAC, AWAY, "10.1.0.2", NULL, 6000);
	web(w, 2, AWAY, 40001, "10.1.0.9");
	wire_at(w, 3);
	released(w, OTHER_MAC, AWAY); /* not by him who has it */
	web(w, 4, AWAY, 40002, "10.1.0.9");
	wire_at(w, 5);
	released(w, UNIT_MAC, AWAY);
	web(w, 6, AWAY, 40003, "10.1.0.9");
	run_wire(run, w, 1);
	/* what comes from its address is a flow of its own, whatever is said there */
	must_be(run, "board " AWAY ":40001, board " AWAY ":68, board " AWAY
	             ":40002, board " AWAY ":68");
}

static void where_servers_are_listed_no_other_one_is_believed(void **state)
{
	for (unsigned rogue = 0; rogue < 2; rogue++) {
		RUN(LISTED);

		wire_at(w, 1);
		acked(w, UNIT_MAC, AWAY, rogue ? "10.1.0.66" : "10.1.0.2", NULL, 600);
		web(w, 3, AWAY, 40002, "10.1.0.9");
		run_wire(run, w, 1);
		must_be(run, rogue ? "" : "board " AWAY ":40002");
	}
}

static void a_listed_address_goes_before_a_lease(void **state)
{
	RUN(SITE);

	wire_at(w, 1);
	acked(w, UNIT_MAC, "10.9.0.8", "10.1.0.2", NULL, 600);
	web(w, 3, "10.9.0.8", 40002, "10.1.0.9");
	run_wire(run, w, 1);
	must_be(run, "huddle 10.9.0.8:40002");
}

static void an_inform_gives_no_address(void **state)
{
	RUN(SITE);
	const struct dhcp dhcp = {.type = DHCP_ACK,
	                          .xid = 1,
	                          .chaddr = UNIT_MAC,
	                          .ciaddr = AWAY,
	                          .server = "10.1.0.2",
	                          .dns = "10.1.0.53"};
	struct message m = message_dhcp(&dhcp);

	wire_at(w, 1);
	talk_udp(w, "10.1.0.2:67 > 10.9.0.1:67", &m);
	web(w, 3, AWAY, 40002, "10.1.0.9");
	run_wire(run, w, 1);
	must_be(run, "");
}

/* --------------------------------------------------------------- neighbours */

static void its_own_word_tells_whose_an_address_is(void **state)
{
	RUN(SITE);

	arp(w, 1, UNIT_MAC, UNIT_MAC, AWAY);
	web(w, 2, AWAY, 40001, "10.1.0.9");
	web(w, 700, AWAY, 40002, "10.1.0.9"); /* that was long ago */
	run_wire(run, w, 1);
	must_be(run, "board " AWAY ":40001");
}

static void nobody_makes_a_strangers_address_a_units_by_arp(void **state)
{
	static const struct {
		const char *what, *mac, *frame_mac;
	} lies[] = {
		{"in the unit's name", UNIT_MAC, OTHER_MAC},
		{"both say so", UNIT_MAC, UNIT_MAC},
	};

	for (unsigned i = 0; i < ARRAY_LEN(lies); i++) {
		RUN(SITE);

		arp(w, 1, OTHER_MAC, OTHER_MAC, AWAY);
		arp(w, 2, lies[i].mac, lies[i].frame_mac, AWAY);
		web(w, 3, AWAY, 40001, "10.1.0.9");
		run_wire(run, w, 1);
		must_be(run, "");
	}
}

static void a_lease_goes_before_the_word_of_a_host(void **state)
{
	RUN(SITE);

	wire_at(w, 1);
	acked(w, OTHER_MAC, AWAY, "10.1.0.2", NULL, 600);
	arp(w, 2, UNIT_MAC, UNIT_MAC, AWAY);
	web(w, 3, AWAY, 40001, "10.1.0.9");
	run_wire(run, w, 1);
	must_be(run, "");
}

static void who_sends_with_a_mac_that_it_says_is_the_addresss_is_not_the_unit(void **state)
{
	RUN(SITE);

	wire_mac(w, "10.1.0.7", OTHER_MAC);
	wire_at(w, 1);
	acked(w, UNIT_MAC, "10.1.0.7", "10.1.0.2", NULL, 600);
	arp(w, 2, OTHER_MAC, OTHER_MAC, "10.1.0.7");
	web(w, 3, "10.1.0.7", 40001, "10.1.0.9");
	run_wire(run, w, 1);
	must_be(run, "");
}

static void frames_sent_to_a_units_mac_make_no_address_its_own(void **state)
{
	RUN(SITE);

	wire_mac(w, "10.1.0.7", UNIT_MAC);
	wire_mac(w, "10.1.0.99", UNIT_MAC); /* somebody's ARP cache is poisoned */
	web(w, 1, "10.1.0.7", 40001, "10.1.0.9");
	wire_at(w, 2);
	talk_silence(w, "10.1.0.66:40002 > 10.1.0.99:80");
	wire_at(w, 60);
	talk_silence(w, "10.1.0.66:40003 > 10.1.0.7:80");
	run_wire(run, w, 1);
	must_be(run, "board 10.1.0.7:40001, board 10.1.0.7:80");
}

static void who_sends_from_a_units_mac_is_the_unit_whatever_address_it_borrows(void **state)
{
	RUN(SITE);

	wire_mac(w, "10.9.0.8", UNIT_MAC);
	web(w, 1, "10.9.0.8", 40001, "10.1.0.9");
	run_wire(run, w, 1);
	must_be(run, "board 10.9.0.8:40001");
}

/* ------------------------------------------------------------------ routers */

static int count_shared(void *context, const struct blind_view *blind, struct err *err)
{
	assert_string_equal(blind->row.detail, UNIT_MAC);
	assert_string_equal(blind->unit, "board");
	++*(unsigned *)context;
	return 0;
}

static unsigned shared(struct run *run)
{
	const struct blind_query query = {.cause = BLIND_MAC_SHARED};
	struct err err = {0};
	unsigned count = 0;

	assert_int_equal(flowdb_blinds(run_db(run), &query, count_shared, &count, &err), 0);
	return count;
}

static void a_mac_before_many_addresses_tells_nobody(void **state)
{
	RUN(SITE);

	for (unsigned i = 1; i <= 8; i++) {
		char addr[ADDR_TEXT];

		snprintf(addr, sizeof(addr), "10.1.7.%u", i);
		wire_mac(w, addr, UNIT_MAC);
		web(w, i, addr, 40000 + i, "10.1.0.9");
	}
	wire_at(w, 20);
	acked(w, UNIT_MAC, "10.1.7.1", "10.1.0.2", NULL, 600); /* DHCP knows it all the same */
	web(w, 21, "10.1.7.1", 40021, "10.1.0.9");
	run_wire(run, w, 1);
	must_be(run, "board 10.1.7.1:40001, board 10.1.7.2:40002, board 10.1.7.3:40003,"
	             " board 10.1.7.4:40004, board 10.1.7.1:40021");
	assert_int_equal(shared(run), 1);
}

static void who_answers_arp_for_many_tells_nobody(void **state)
{
	RUN(SITE);

	for (unsigned i = 1; i <= 8; i++) {
		char addr[ADDR_TEXT];

		snprintf(addr, sizeof(addr), "10.9.7.%u", i);
		arp(w, i, UNIT_MAC, UNIT_MAC, addr);
	}
	web(w, 9, "10.9.7.7", 40001, "10.1.0.9");
	/* but anybody can say so in its name: where it sends itself it is seen */
	wire_mac(w, "10.1.0.7", UNIT_MAC);
	web(w, 10, "10.1.0.7", 40002, "10.1.0.9");
	run_wire(run, w, 1);
	must_be(run, "board 10.1.0.7:40002");
	assert_int_equal(shared(run), 0);
}

/* Six addresses that somebody sends from with the unit's MAC. */
static void many_send(struct wire *w, double at)
{
	for (unsigned i = 0; i < 6; i++) {
		char addr[ADDR_TEXT];

		snprintf(addr, sizeof(addr), "10.1.7.%u", i);
		wire_mac(w, addr, UNIT_MAC);
		web(w, at + i, addr, 41000 + i, "10.1.0.9");
	}
}

static void a_unit_in_whose_name_many_send_keeps_the_address_it_had(void **state)
{
	RUN(SITE);

	wire_mac(w, "10.1.0.7", UNIT_MAC);
	for (unsigned i = 0; i < 2; i++)
		web(w, 1 + 900 * i, "10.1.0.7", 40001 + i, "10.1.0.9");
	many_send(w, 1000);
	web(w, 1010, "10.1.0.7", 40003, "10.1.0.9");
	web(w, 1011, "10.1.0.9", 40004, "10.1.0.7");
	web(w, 1012, "10.1.7.5", 40005, "10.1.0.9");
	run_wire(run, w, 1);
	must_be(run, "board 10.1.0.7:40001, board 10.1.0.7:40002, board 10.1.7.0:41000,"
	             " board 10.1.7.1:41001, board 10.1.7.2:41002, board 10.1.0.7:40003,"
	             " board 10.1.0.7:80");
	assert_int_equal(shared(run), 1);
}

static int take_until(void *context, const struct blind_view *blind, struct err *err)
{
	*(double *)context = (double)(blind->row.until_us - WIRE_EPOCH * 1000000) / 1e6;
	return 0;
}

static void a_mac_is_its_units_again_an_hour_after_the_many(void **state)
{
	for (unsigned late = 0; late < 2; late++) {
		const struct blind_query query = {.cause = BLIND_MAC_SHARED};
		struct err err = {0};
		double until = 0;
		RUN(SITE);

		wire_mac(w, "10.1.0.7", UNIT_MAC);
		many_send(w, 1);
		web(w, late ? 3700 : 3500, "10.1.0.7", 40001, "10.1.0.9");
		run_wire(run, w, 1);
		must_be(run, late ? "board 10.1.7.0:41000, board 10.1.7.1:41001,"
		                    " board 10.1.7.2:41002, board 10.1.7.3:41003,"
		                    " board 10.1.0.7:40001"
		                  : "board 10.1.7.0:41000, board 10.1.7.1:41001,"
		                    " board 10.1.7.2:41002, board 10.1.7.3:41003");
		assert_int_equal(flowdb_blinds(run_db(run), &query, take_until, &until, &err),
		                 0);
		if (late)
			assert_true(until > 3600 && until < 3610);
	}
}

static void a_unit_with_all_its_addresses_is_no_router(void **state)
{
	static const char *const addrs[] = {"10.1.0.7",      "169.254.7.7",   "fe80::7",
	                                    "fd00::7",       "2001:db8::7",   "2001:db8::a:1",
	                                    "2001:db8::a:2", "2001:db8::a:3", "2001:db8::a:4",
	                                    "fd00::a:1",     "fd00::a:2",     "fd00::a:3",
	                                    "2001:db8::a:5", "2001:db8::a:6"};
	char wanted[2048] = "";
	RUN(SITE);

	wire_router(w, "2001:db8::/32", ROUTER_MAC);
	for (unsigned i = 0; i < ARRAY_LEN(addrs); i++) {
		bool v6 = strchr(addrs[i], ':');
		char tuple[WIRE_TUPLE];

		wire_mac(w, addrs[i], UNIT_MAC);
		wire_at(w, 1 + i);
		snprintf(tuple, sizeof(tuple),
		         v6 ? "[%s]:%u > [2001:db8::99]:80" : "%s:%u > 10.1.0.9:80", addrs[i],
		         40000 + i);
		talk_http(w, tuple, "web.example", "/");
		text_add(wanted, sizeof(wanted), "%sboard %s:%u", i ? ", " : "", addrs[i],
		         40000 + i);
	}
	run_wire(run, w, 1);
	must_be(run, wanted);
	assert_int_equal(shared(run), 0);
}

static void a_unit_that_changes_its_address_every_day_is_no_router(void **state)
{
	RUN(SITE);

	for (unsigned day = 0; day < 9; day++) {
		char addr[ADDR_TEXT];

		snprintf(addr, sizeof(addr), "10.1.7.%u", day);
		wire_mac(w, addr, UNIT_MAC);
		web(w, day * 86400., addr, 40000 + day, "10.1.0.9");
	}
	run_wire(run, w, 1);
	assert_int_equal(shared(run), 0);
	assert_int_equal(recorder_sums(run_recorder(run))->flows, 9);
}

static void two_interfaces_are_one_unit(void **state)
{
	RUN(SITE);

	wire_mac(w, "10.1.0.7", UNIT_MAC);
	wire_mac(w, "10.1.0.8", "00:26:8c:01:02:04");
	web(w, 1, "10.1.0.7", 40001, "10.1.0.9");
	web(w, 2, "10.1.0.8", 40002, "10.1.0.9");
	run_wire(run, w, 1);
	must_be(run, "board 10.1.0.7:40001, board 10.1.0.8:40002");
}

/* --------------------------------------------------------------- successors */

static void a_successor_knows_leases_neighbours_and_routers(void **state)
{
	CLEANUP(run_freep) struct run *run = run_new_live(SITE);
	CLEANUP(wire_freep) struct wire *w = wire_new(), *later = wire_new();

	wire_router(w, "10.1.0.0/16", ROUTER_MAC);
	wire_router(later, "10.1.0.0/16", ROUTER_MAC);
	wire_at(w, 1);
	acked(w, UNIT_MAC, AWAY, "10.1.0.2", "10.1.0.53", 6000);
	acked(w, UNIT_MAC, "10.9.0.6", "10.1.0.2", "10.1.0.53", 6000);
	arp(w, 3, "00:26:8c:01:02:04", "00:26:8c:01:02:04", "10.9.0.7");
	for (unsigned i = 1; i <= 8; i++) {
		char addr[ADDR_TEXT];

		snprintf(addr, sizeof(addr), "10.1.7.%u", i);
		wire_mac(w, addr, UNIT_MAC);
		web(w, 4 + i / 10., addr, 41000 + i, "10.1.0.9");
	}
	/* It has committed all that: then only the next one sees what comes. */
	wire_at(w, 200);
	wire_echo(w, "10.1.0.9 > 10.1.0.2", false, 1, 1);
	run_sensor_dies(run);
	run_wire(run, w, 1);
	run_recorder_dies(run);
	web(later, 230, AWAY, 40001, "10.1.0.9");
	web(later, 231, "10.9.0.6", 40002, "10.1.0.9");
	web(later, 232, "10.9.0.7", 40003, "10.1.0.9");
	wire_mac(later, "10.1.7.9", UNIT_MAC);
	web(later, 233, "10.1.7.9", 40004, "10.1.0.9");
	run_wire(run, later, 1);
	must_be(run, "board 10.1.7.1:41001, board 10.1.7.2:41002, board 10.1.7.3:41003,"
	             " board 10.1.7.4:41004, board " AWAY
	             ":40001, board 10.9.0.6:40002, board 10.9.0.7:40003");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_lease_tells_whose_an_address_behind_a_router_is),
		cmocka_unit_test(it_counts_as_long_as_it_lasts),
		cmocka_unit_test(an_address_that_another_was_given_is_not_the_units_any_more),
		cmocka_unit_test(an_address_given_back_is_nobodys),
		cmocka_unit_test(where_servers_are_listed_no_other_one_is_believed),
		cmocka_unit_test(a_listed_address_goes_before_a_lease),
		cmocka_unit_test(an_inform_gives_no_address),
		cmocka_unit_test(its_own_word_tells_whose_an_address_is),
		cmocka_unit_test(nobody_makes_a_strangers_address_a_units_by_arp),
		cmocka_unit_test(a_lease_goes_before_the_word_of_a_host),
		cmocka_unit_test(
			who_sends_with_a_mac_that_it_says_is_the_addresss_is_not_the_unit),
		cmocka_unit_test(frames_sent_to_a_units_mac_make_no_address_its_own),
		cmocka_unit_test(
			who_sends_from_a_units_mac_is_the_unit_whatever_address_it_borrows),
		cmocka_unit_test(a_mac_before_many_addresses_tells_nobody),
		cmocka_unit_test(who_answers_arp_for_many_tells_nobody),
		cmocka_unit_test(a_unit_in_whose_name_many_send_keeps_the_address_it_had),
		cmocka_unit_test(a_mac_is_its_units_again_an_hour_after_the_many),
		cmocka_unit_test(a_unit_with_all_its_addresses_is_no_router),
		cmocka_unit_test(a_unit_that_changes_its_address_every_day_is_no_router),
		cmocka_unit_test(two_interfaces_are_one_unit),
		cmocka_unit_test(a_successor_knows_leases_neighbours_and_routers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
