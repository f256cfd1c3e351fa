/*
 * test_claims.c - names, leases and neighbours that somebody made up: what came in a tunnel, what nobody asked for.
 * From packets to rows.
 */
#include "tests/lib/run.h"
#include "tests/lib/talk.h"
#include "tests/lib/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define UNIT_MAC "00:26:8c:01:02:03"
#define SITE \
	"units: [{name: board, addresses: [10.1.0.7], macs: [\"" UNIT_MAC "\"], profiles: [room]}]\n" \
	"roles: {dns-server: {addresses: [10.1.0.53]}}\n"
#define MAESTRO "config.maestro.starleaf.com"
#define AWAY "10.9.0.5" /* behind a router */

#define RUN(site) \
	CLEANUP(run_freep) struct run *run = run_new(site); \
	CLEANUP(wire_freep) struct wire *w = wire_new(), *inner = wire_new(); \
	wire_mac(w, "10.1.0.7", UNIT_MAC); \
	wire_mac(inner, "10.1.0.7", UNIT_MAC); \
	wire_router(w, "10.1.0.0/16", "02:ff:00:00:00:01"); \
	wire_router(inner, "10.1.0.0/16", "02:ff:00:00:00:01")

/* All of `inner` wrapped onto `w`, frame by frame. */
static void wrap_all(struct wire *w, const struct wire *inner)
{
	for (size_t i = 0; i < wire_count(inner); i++) {
		CLEANUP(wire_freep) struct wire *one = wire_new();
		struct wire_frame frame = wire_packet(inner, i);

		wire_frame(one, frame.data, frame.len);
		wire_at(w, (double)(frame.time_us - WIRE_EPOCH * 1000000) / 1e6);
		wrap(w, WRAP_PAIR, WRAP_VXLAN, one, 0);
	}
}

static void web(struct wire *w, double at, const char *tuple)
{
	wire_at(w, at);
	talk_http(w, tuple, "web.example", "/");
}

/* From the unit's MAC, by ARP: the address is its own. */
static void arp(struct wire *w, const char *addr)
{
	uint8_t frame[60] = {0};
	struct mac mac;
	struct addr ip;

	assert_int_equal(mac_parse(UNIT_MAC, &mac), 0);
	assert_int_equal(addr_parse(addr, &ip), 0);
	memset(frame, 0xff, 6);
	memcpy(frame + 6, mac.b, 6);
	memcpy(frame + 12, "\x08\x06\0\1\x08\0\6\4\0\1", 10);
	memcpy(frame + 22, mac.b, 6);
	memcpy(frame + 28, ip.b + 12, 4);
	memcpy(frame + 38, ip.b + 12, 4);
	wire_frame(w, frame, sizeof(frame));
}

static void dhcp(struct wire *w, uint8_t type, const char *tuple)
{
	struct message m = message_dhcp(&(struct dhcp){.type = type,
	                                               .xid = 7,
	                                               .lease_s = 6000,
	                                               .chaddr = UNIT_MAC,
	                                               .yiaddr = type == DHCP_ACK ? AWAY : NULL,
	                                               .server = "10.1.0.2",
	                                               .mask = "255.255.255.0",
	                                               .dns = "10.1.0.53"});

	talk_udp(w, tuple, &m);
}

static int count_name(void *context, const struct name_row *name, struct err *err)
{
	*(unsigned *)context += name->counted;
	return 0;
}

static int count_lease(void *context, const struct lease_row *lease, struct err *err)
{
	*(unsigned *)context += lease->counted;
	return 0;
}

static int count_away(void *context, const struct flow_view *flow, struct err *err)
{
	struct addr away;

	assert_int_equal(addr_parse(AWAY, &away), 0);
	*(unsigned *)context += addr_equal(&flow->facts.end[flow->local].addr, &away);
	return 0;
}

struct believed {
	unsigned names, leases, away; /* away: flows of the unit at that address */
};

static struct believed believed(struct run *run)
{
	const struct flow_query query = {0};
	struct believed b = {0};
	struct err err = {0};

	assert_int_equal(flowdb_names_held(run_db(run), 0, 0, INT64_MAX, count_name, &b.names, &err), 0);
	assert_int_equal(flowdb_leases(run_db(run), 0, count_lease, &b.leases, &err), 0);
	assert_int_equal(flowdb_flows(run_db(run), &query, count_away, &b.away, &err), 0);
	return b;
}

/* A stranger wraps what it wants to be believed as a mirror would; or the mirror itself is wrapped. */
static void what_a_tunnel_says_does_not_count_for_a_unit_seen_outside(void **state)
{
	enum { NAME, LEASE, NEIGHBOUR, COUNT };

	for (unsigned i = 0; i < 2 * COUNT; i++) {
		bool plain = i / COUNT;
		struct believed b;
		RUN(SITE);

		web(plain ? w : inner, 1, "10.1.0.7:40001 > 10.1.0.9:80");
		wire_at(inner, 100);
		if (i % COUNT == NAME)
			talk_dns(inner, "10.1.0.7:50000 > 10.1.0.53:53",
			         &(struct dns_case){.name = MAESTRO,
			                            .type = DNS_A,
			                            .value = "203.0.113.66"});
		if (i % COUNT == LEASE) {
			dhcp(inner, DHCP_REQUEST, "10.9.0.1:67 > 10.1.0.2:67");
			dhcp(inner, DHCP_ACK, "10.1.0.2:67 > 10.9.0.1:67");
		}
		if (i % COUNT == NEIGHBOUR)
			arp(inner, AWAY);
		wrap_all(w, inner);
		web(w, 200, AWAY ":40002 > 10.1.0.9:80");
		run_wire(run, w, 1);
		b = believed(run);
		assert_int_equal(b.names, i == NAME);
		assert_int_equal(b.leases, i == LEASE);
		assert_int_equal(b.away, i == LEASE || i == NEIGHBOUR);
	}
}

/* In the same flow, behind a question that was seen plain. */
static void a_wrapped_answer_to_a_plain_question_does_not_count(void **state)
{
	struct message ask = message_dns_query(1, MAESTRO, DNS_A);
	struct message answer =
		message_dns_answer(1, MAESTRO, DNS_A, NULL, "203.0.113.66", 300);
	RUN(SITE);

	web(w, 1, "10.1.0.7:40001 > 10.1.0.9:80");
	wire_at(w, 100);
	talk_udp(w, "10.1.0.7:50000 > 10.1.0.53:53", &ask);
	wire_at(inner, 101);
	talk_udp(inner, "10.1.0.53:53 > 10.1.0.7:50000", &answer);
	wrap_all(w, inner);
	run_wire(run, w, 1);
	assert_int_equal(believed(run).names, 0);
}

/* A forged ACK brings a resolver of the forger's along. */
static void an_ack_counts_only_if_it_was_asked_for_or_the_unit_is_never_heard(void **state)
{
	static const struct {
		const char *what;
		bool heard;
		double asked_at; /* 0: nobody asked */
		uint8_t asks;
		bool counts;
	} cases[] = {
		{"nobody asked", true, 0, 0, false},
		{"a mirror that shows but what comes to the unit", false, 0, 0, true},
		{"asked", true, 99.9, DHCP_REQUEST, true},
		{"an INFORM", true, 99.9, 8, true},
		{"one that no ACK answers", true, 99.9, DHCP_DECLINE, false},
		{"too long ago", true, 30, DHCP_REQUEST, false},
		{"the mirror's directions cross", true, 100.002, DHCP_REQUEST, true},
		{"asked later", true, 110, DHCP_REQUEST, false},
	};

	for (unsigned i = 0; i < 2 * ARRAY_LEN(cases); i++) {
		bool relayed = i % 2;
		const char *ask = relayed ? "10.9.0.1:67 > 10.1.0.2:67"
		                          : "0.0.0.0:68 > 255.255.255.255:67";
		const char *ack = relayed ? "10.1.0.2:67 > 10.9.0.1:67"
		                          : "10.1.0.2:67 > 255.255.255.255:68";
		double asked_at = cases[i / 2].asked_at;
		RUN(SITE);

		if (!relayed)
			wire_mac(w, "0.0.0.0", UNIT_MAC);
		if (cases[i / 2].heard)
			web(w, 1, "10.1.0.7:40001 > 10.1.0.9:80");
		wire_at(w, asked_at);
		if (asked_at && asked_at < 100)
			dhcp(w, cases[i / 2].asks, ask);
		wire_at(w, 100);
		dhcp(w, DHCP_ACK, ack);
		wire_at(w, asked_at > 100 ? asked_at : 100);
		if (asked_at > 100)
			dhcp(w, cases[i / 2].asks, ask);
		run_wire(run, w, 1);
		if ((believed(run).leases == 1) != cases[i / 2].counts)
			fail_msg("%s%s", cases[i / 2].what, relayed ? ", by a relay" : "");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_a_tunnel_says_does_not_count_for_a_unit_seen_outside),
		cmocka_unit_test(a_wrapped_answer_to_a_plain_question_does_not_count),
		cmocka_unit_test(
			an_ack_counts_only_if_it_was_asked_for_or_the_unit_is_never_heard),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
