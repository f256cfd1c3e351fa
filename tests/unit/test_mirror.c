/*
 * test_mirror.c - what mirrors show beside and around a unit's packets: wrappings, a unit's own tunnels,
 * copies, tags, upkeep of the link, what others send to everybody. From packets to rows and counters.
 */
#include "tests/lib/run.h"
#include "tests/lib/talk.h"
#include "tests/lib/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SITE \
	"units:\n" \
	"  - {name: board, addresses: [10.1.0.7], macs: [\"00:26:8c:01:02:03\"], profiles: [room, online]}\n" \
	"  - {name: floor, addresses: [10.1.8.0/24], profiles: [room]}\n"

#define RUN(site) \
	CLEANUP(run_freep) struct run *run = run_new(site); \
	CLEANUP(wire_freep) struct wire *w = wire_new()

struct rows {
	unsigned count, tunnel[TUNNEL_COUNT];
	uint64_t packets, duplicates, truncated;
	struct flow_facts last;
};

static int take(void *context, const struct flow_view *flow, struct err *err)
{
	struct rows *rows = context;

	rows->count++;
	rows->tunnel[flow->facts.tunnel]++;
	rows->packets += flow->facts.packets[0] + flow->facts.packets[1];
	rows->duplicates += flow->facts.duplicates;
	rows->truncated += flow->facts.truncated;
	rows->last = flow->facts;
	return 0;
}

static struct rows rows_of(struct run *run)
{
	const struct flow_query query = {0};
	struct rows rows = {0};
	struct err err = {0};

	assert_int_equal(flowdb_flows(run_db(run), &query, take, &rows, &err), 0);
	return rows;
}

static int count_finding(void *context, const struct finding_view *finding, struct err *err)
{
	++*(unsigned *)context;
	return 0;
}

static unsigned findings_of(struct run *run)
{
	const struct finding_query query = {0};
	struct err err = {0};
	unsigned count = 0;

	assert_int_equal(flowdb_findings(run_db(run), &query, count_finding, &count, &err), 0);
	return count;
}

/* design.md 9.3 */
static const struct counters *counters_of(struct run *run, const struct wire *w)
{
	const struct counters *c = &recorder_sums(run_recorder(run))->counters;

	assert_int_equal(c->seen, wire_count(w));
	assert_int_equal(c->seen, c->out_of_scope + c->in_flows + c->malformed +
	                                  c->fragments_lost + c->duplicates);
	return c;
}

/* All of `inner` wrapped onto `w`, frame by frame. */
static void wrap_all(struct wire *w, const char *pair, enum wrap kind, const struct wire *inner)
{
	for (size_t i = 0; i < wire_count(inner); i++) {
		CLEANUP(wire_freep) struct wire *one = wire_new();
		struct wire_frame frame = wire_packet(inner, i);

		wire_frame(one, frame.data, frame.len);
		wire_at(w, (double)(frame.time_us - WIRE_EPOCH * 1000000) / 1e6);
		wrap(w, pair, kind, one, 0);
	}
}

static void a_mirrors_wrapping_is_taken_off(void **state)
{
	for (unsigned kind = 0; kind < WRAP_COUNT; kind++) {
		CLEANUP(wire_freep) struct wire *inner = wire_new();
		const struct counters *c;
		struct rows rows;
		RUN(SITE);

		talk_http(inner, "10.1.0.7:50000 > 10.9.0.1:80", "web.example", "/");
		wrap_all(w, WRAP_PAIR, (enum wrap)kind, inner);
		run_wire(run, w, 1);
		rows = rows_of(run);
		c = counters_of(run, w);
		assert_int_equal(rows.count, 1);
		assert_int_equal(rows.tunnel[TUNNEL_NONE], 0);
		assert_int_equal(rows.last.app, APP_HTTP);
		assert_int_equal(rows.packets, wire_count(inner));
		assert_int_equal(c->tunnelled, wire_count(w));
		assert_int_equal(c->flows, 1);
	}
}

/* Whoever has taken a unit and tunnels out of it is seen to do so. */
static void a_tunnel_of_a_units_own_stays_in_sight(void **state)
{
	static const char *const pairs[] = {"10.1.0.7 > 203.0.113.9", "203.0.113.9 > 10.1.0.7",
	                                    "10.1.8.5 > 203.0.113.9"};

	for (unsigned p = 0; p < ARRAY_LEN(pairs); p++)
		for (unsigned kind = 0; kind < WRAP_COUNT; kind++) {
			CLEANUP(wire_freep) struct wire *inner = wire_new();
			struct rows rows;
			RUN(SITE);

			talk_http(inner, "192.168.7.7:50000 > 192.168.7.1:80", "web.example",
			          "/");
			wrap_all(w, pairs[p], (enum wrap)kind, inner);
			run_wire(run, w, 1);
			rows = rows_of(run);
			assert_int_equal(rows.count, 1);
			assert_int_equal(rows.tunnel[TUNNEL_NONE], 1);
			assert_int_equal(counters_of(run, w)->tunnelled, 0);
			assert_true(findings_of(run) > 0);
		}
}

static void a_unit_is_known_there_by_its_mac_as_well(void **state)
{
	CLEANUP(wire_freep) struct wire *inner = wire_new();
	RUN(SITE);

	wire_mac(w, "10.1.0.200", "00:26:8c:01:02:03");
	talk_http(inner, "192.168.7.7:50000 > 192.168.7.1:80", "web.example", "/");
	wrap_all(w, "10.1.0.200 > 203.0.113.9", WRAP_VXLAN, inner);
	run_wire(run, w, 1);
	assert_int_equal(rows_of(run).count, 1);
	assert_int_equal(counters_of(run, w)->tunnelled, 0);
}

/* ... but not one whose MAC stands inside a mirror's wrapping that was taken off: once only. */
static void a_units_own_tunnel_is_seen_inside_a_mirrors_wrapping(void **state)
{
	CLEANUP(wire_freep) struct wire *inner = wire_new(), *own = wire_new();
	struct rows rows;
	RUN(SITE);

	talk_http(inner, "192.168.7.7:50000 > 192.168.7.1:80", "web.example", "/");
	wrap_all(own, "10.1.0.7 > 203.0.113.9", WRAP_VXLAN, inner);
	wrap_all(w, WRAP_PAIR, WRAP_ERSPAN_2, own);
	run_wire(run, w, 1);
	rows = rows_of(run);
	assert_int_equal(rows.count, 1);
	assert_int_equal(rows.tunnel[TUNNEL_ERSPAN], 1);
	assert_int_equal(rows.last.end[1].port, 4789);
	assert_true(findings_of(run) > 0);
}

static void a_collector_within_a_prefix_of_units_gets_its_mirror_opened(void **state)
{
	CLEANUP(wire_freep) struct wire *inner = wire_new();
	RUN(SITE);

	talk_http(inner, "10.1.0.7:50000 > 10.9.0.1:80", "web.example", "/");
	wrap_all(w, "10.99.0.1 > 10.1.8.200", WRAP_ERSPAN_2, inner);
	run_wire(run, w, 1);
	assert_int_equal(rows_of(run).count, 1);
	assert_int_equal(counters_of(run, w)->tunnelled, wire_count(w));
}

static void a_wrapping_in_fragments_is_opened_by_its_first(void **state)
{
	CLEANUP(wire_freep) struct wire *inner = wire_new();
	static uint8_t data[1460];
	const struct counters *c;
	struct rows rows;
	RUN(SITE);

	talk_open(inner, "10.1.0.7:50000 > 10.9.0.1:80");
	for (unsigned i = 0; i < 10; i++) {
		wire_wait(inner, 0.001);
		wire_tcp(inner, "10.9.0.1:80 > 10.1.0.7:50000", "PA", data, sizeof(data));
	}
	wire_mtu(w, 1500);
	wrap_all(w, WRAP_PAIR, WRAP_ERSPAN_2, inner);
	run_wire(run, w, 1);
	rows = rows_of(run);
	c = counters_of(run, w);
	assert_int_equal(wire_count(w), 13 + 10);
	assert_int_equal(rows.packets, 13);
	assert_int_equal(rows.truncated, 10);
	assert_int_equal(c->tunnelled, wire_count(w));
	assert_int_equal(c->out_of_scope, 10);
	assert_int_equal(c->truncated, 10);
	assert_int_equal(c->fragments_lost, 0);
}

/* ------------------------------------------------------------------- copies */

/* A copy of the last frame: other MACs, a lower TTL (and its checksum), another tag. */
static void routed_again(struct wire *w, bool tagged)
{
	struct wire_frame frame = wire_packet(w, wire_count(w) - 1);
	uint8_t copy[2048], *ip;
	uint32_t at = 0;

	memcpy(copy, "\2\1\1\1\1\1\2\1\1\1\1\2", 12);
	if (tagged)
		memcpy(copy + 12, "\x81\0\0\x63", 4), at = 4;
	memcpy(copy + 12 + at, frame.data + 12, frame.len - 12);
	ip = copy + 14 + at;
	ip[ip[0] >> 4 == 4 ? 8 : 7]--;
	wire_wait(w, 0.002);
	wire_frame(w, copy, frame.len + at);
}

static void copies_are_dropped_whatever_a_router_changed(void **state)
{
	static const char *const tuples[] = {"10.1.0.7:50016 > 10.9.0.9:50016",
	                                     "[2001:db8::7]:50016 > [2001:db8:9::9]:50016"};
	uint8_t rtp[200] = {0x80, 104, 0, 1, 0, 0, 0, 1, 1, 2, 3, 4};

	for (unsigned t = 0; t < ARRAY_LEN(tuples); t++)
		for (unsigned tagged = 0; tagged < 2; tagged++) {
			const struct counters *c;
			RUN("units: [{name: a, addresses: [10.1.0.7, \"2001:db8::7\"], profiles: [room]}]\n");

			for (unsigned i = 0; i < 20; i++) {
				wire_wait(w, 0.02);
				rtp[3] = (uint8_t)i;
				wire_udp(w, tuples[t], rtp, sizeof(rtp));
				routed_again(w, tagged);
			}
			wire_wait(w, 1);
			wire_tcp(w, tuples[t], "S", NULL, 0);
			routed_again(w, tagged);
			wire_wait(w, 1); /* a retry is no copy */
			wire_tcp(w, tuples[t], "S", NULL, 0);
			run_wire(run, w, 1);
			c = counters_of(run, w);
			assert_int_equal(c->duplicates, 21);
			assert_int_equal(c->in_flows, 22);
			assert_int_equal(rows_of(run).duplicates, 21);
		}
}

static void a_copy_may_come_plain_and_wrapped(void **state)
{
	const struct counters *c;
	RUN(SITE);

	for (unsigned i = 0; i < 10; i++) {
		uint8_t data[900] = {0x80, 104, 0, (uint8_t)i};
		CLEANUP(wire_freep) struct wire *inner = wire_new();
		struct wire_frame frame;

		wire_wait(w, 0.02);
		wire_udp(w, "10.1.0.7:50016 > 10.9.0.9:50016", data, sizeof(data));
		frame = wire_packet(w, wire_count(w) - 1);
		wire_frame(inner, frame.data, frame.len);
		wire_wait(w, 0.001);
		wrap(w, WRAP_PAIR, WRAP_ERSPAN_2, inner, i % 2 ? 0 : 200); /* cut, too */
	}
	run_wire(run, w, 1);
	c = counters_of(run, w);
	assert_int_equal(c->duplicates, 10);
	assert_int_equal(c->in_flows, 10);
	assert_int_equal(c->flows, 1);
}

static void fragments_of_one_datagram_are_no_copies(void **state)
{
	static const char *const tuples[] = {"10.1.0.7:50016 > 10.9.0.9:50016",
	                                     "[2001:db8::7]:50016 > [2001:db8:9::9]:50016"};
	uint8_t data[6000] = "as long as it takes";

	for (unsigned t = 0; t < ARRAY_LEN(tuples); t++) {
		const struct counters *c;
		RUN(SITE);

		wire_mtu(w, 1500);
		wire_udp(w, tuples[t], data, sizeof(data));
		run_wire(run, w, 1);
		c = counters_of(run, w);
		assert_int_equal(wire_count(w), 5);
		assert_int_equal(c->duplicates, 0);
		assert_int_equal(c->in_flows, 5);
	}
}

/* ------------------------------------------------------ upkeep (domain.md 7.1) */

static void raw(struct wire *w, const char *to, const char *from, unsigned type,
                const void *data, size_t len)
{
	uint8_t frame[128] = {0};
	struct mac mac;

	assert_int_equal(mac_parse(to, &mac), 0);
	memcpy(frame, mac.b, 6);
	assert_int_equal(mac_parse(from, &mac), 0);
	memcpy(frame + 6, mac.b, 6);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	memcpy(frame + 14, data, len);
	wire_wait(w, 0.1);
	wire_frame(w, frame, 14 + len < 60 ? 60 : 14 + len);
}

#define UNIT_MAC "00:26:8c:01:02:03"

static void the_links_own_upkeep_is_never_a_finding(void **state)
{
	static const uint8_t ND[] = {135, 0, 0, 0, 0, 0, 0, 0, 0xfe, 0x80, [23] = 7},
			     MLD[] = {143, 0, 0, 0, 0, 0, 0, 1},
			     RS[] = {133, 0, 0, 0, 0, 0, 0, 0},
			     RA[] = {134, 0, 0, 0, 64, 0, 7, 8, [15] = 0},
			     NA[] = {136, 0, 0, 0, 0x60, 0, 0, 0, 0xfe, 0x80, [23] = 7},
			     MLD1[] = {131, 0, 0, 0, 0, 0, 0, 0, 0xff, 2, [23] = 1},
			     IGMP[] = {0x22, 0, 0xf9, 2, 0,   0, 0, 1,
	                               4,    0, 0,    0, 224, 0, 0, 252};
	const struct counters *c;
	RUN(SITE);

	wire_mac(w, "10.1.0.7", UNIT_MAC);
	wire_mac(w, "fe80::7", UNIT_MAC);
	wire_arp(w, "10.1.0.7 > 10.1.0.1");
	wire_arp(w, "10.1.0.7 > 10.1.0.7");                                    /* gratuitous */
	raw(w, "ff:ff:ff:ff:ff:ff", UNIT_MAC, 0x8035, "\0\1\10\0\6\4\0\3", 8); /* RARP */
	wire_ip(w, "fe80::7 > ff02::1:ff00:7", 58, ND, sizeof(ND));
	wire_ip(w, ":: > ff02::1:ff00:7", 58, ND, sizeof(ND)); /* DAD */
	wire_ip(w, "fe80::7 > ff02::2", 58, RS, sizeof(RS));
	wire_ip(w, "fe80::1 > ff02::1", 58, RA, sizeof(RA));
	wire_ip(w, "fe80::7 > fe80::1", 58, NA, sizeof(NA));
	wire_ip(w, "fe80::7 > ff02::16", 58, MLD, sizeof(MLD));
	wire_ip(w, "fe80::7 > ff02::1", 58, MLD1, sizeof(MLD1));
	wire_ip(w, "10.1.0.7 > 224.0.0.22", 2, IGMP, sizeof(IGMP));
	raw(w, "01:80:c2:00:00:0e", UNIT_MAC, 0x88cc, "\2\7\4", 3);                   /* LLDP */
	raw(w, "01:00:0c:cc:cc:cc", UNIT_MAC, 0x0050, "\xaa\xaa\3\0\0\x0c\x20\0", 8); /* CDP */
	raw(w, "01:80:c2:00:00:00", UNIT_MAC, 0x0026, "\x42\x42\3\0\0", 5);           /* STP */
	raw(w, "01:80:c2:00:00:02", UNIT_MAC, 0x8809, "\1\1", 2);                     /* LACP */
	raw(w, "01:80:c2:00:00:03", UNIT_MAC, 0x888e, "\1\1\0\0", 4);     /* 802.1X */
	raw(w, "01:80:c2:00:00:01", UNIT_MAC, 0x8808, "\0\1\xff\xff", 4); /* pause */
	raw(w, "01:80:c2:00:00:0e", UNIT_MAC, 0x05ff, "\xe0\xe0\3", 3);   /* 802.3 length */
	run_wire(run, w, 1);
	c = counters_of(run, w);
	assert_int_equal(c->out_of_scope, wire_count(w));
	assert_int_equal(c->arp, 3);
	assert_int_equal(c->nd, 5);
	assert_int_equal(c->igmp, 3);
	assert_int_equal(c->flows, 0);
	assert_int_equal(rows_of(run).count, 0);
	assert_int_equal(findings_of(run), 0);
}

static void echo_is_housekeeping_and_errors_belong_to_their_flow(void **state)
{
	const struct counters *c;
	RUN(SITE);

	wire_mac(w, "10.1.0.7", UNIT_MAC);
	wire_echo(w, "10.9.0.1 > 10.1.0.7", false, 1, 1);
	wire_echo(w, "10.1.0.7 > 10.9.0.1", true, 1, 1);
	wire_wait(w, 1);
	talk_open(w, "10.1.0.7:50000 > 10.9.0.9:80");
	wire_tcp(w, "10.1.0.7:50000 > 10.9.0.9:80", "PA", "GET", 3);
	wire_icmp_error(w, "10.9.0.1 > 10.1.0.7", 3, 4); /* fragmentation needed */
	run_wire(run, w, 1);
	c = counters_of(run, w);
	assert_int_equal(c->errors_lost, 0);
	assert_int_equal(c->in_flows, wire_count(w));
	assert_int_equal(c->flows, 2);
}

static void what_others_send_to_everybody_is_no_traffic_of_the_unit(void **state)
{
	static const char *const tuples[] = {
		"10.1.0.66:50000 > 239.255.255.250:1900", /* SSDP */
		"10.1.0.66:5353 > 224.0.0.251:5353",      /* mDNS */
		"[fe80::66]:5353 > [ff02::fb]:5353",
		"10.1.0.66:137 > 10.1.0.255:137", /* NetBIOS, to a subnet it need not know */
		"10.1.0.66:138 > 255.255.255.255:138",
		"10.1.0.66:50001 > 224.0.0.252:5355",      /* LLMNR */
		"10.1.0.66:17500 > 255.255.255.255:17500", /* Dropbox */
		"10.1.0.66:17500 > 10.1.0.255:17500",
		"10.1.0.66:50002 > 239.255.255.250:3702", /* WSD */
		"[fe80::66]:546 > [ff02::1:2]:547",       /* DHCPv6 */
	};
	const struct dhcp_case lease = {
		"02:00:00:00:00:66", "10.1.0.66", "10.1.0.2", "255.255.255.0",
		"10.1.0.1",          "10.1.0.53", 77};
	RUN(SITE);

	wire_mac(w, "10.1.0.255", "ff:ff:ff:ff:ff:ff");
	for (unsigned i = 0; i < ARRAY_LEN(tuples); i++) {
		wire_wait(w, 0.1);
		wire_udp(w, tuples[i], "what it says does not matter", 28);
	}
	talk_dhcp(w, &lease);
	run_wire(run, w, 1);
	assert_int_equal(rows_of(run).count, 0);
	assert_int_equal(findings_of(run), 0);
	assert_int_equal(counters_of(run, w)->in_flows, wire_count(w));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_mirrors_wrapping_is_taken_off),
		cmocka_unit_test(a_tunnel_of_a_units_own_stays_in_sight),
		cmocka_unit_test(a_unit_is_known_there_by_its_mac_as_well),
		cmocka_unit_test(a_units_own_tunnel_is_seen_inside_a_mirrors_wrapping),
		cmocka_unit_test(a_collector_within_a_prefix_of_units_gets_its_mirror_opened),
		cmocka_unit_test(a_wrapping_in_fragments_is_opened_by_its_first),
		cmocka_unit_test(copies_are_dropped_whatever_a_router_changed),
		cmocka_unit_test(a_copy_may_come_plain_and_wrapped),
		cmocka_unit_test(fragments_of_one_datagram_are_no_copies),
		cmocka_unit_test(the_links_own_upkeep_is_never_a_finding),
		cmocka_unit_test(echo_is_housekeeping_and_errors_belong_to_their_flow),
		cmocka_unit_test(what_others_send_to_everybody_is_no_traffic_of_the_unit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
