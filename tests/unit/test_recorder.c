/*
 * test_recorder.c - from packets to judged rows: whose flow it is, what is learnt, what is gathered
 * under a finding, what a row was used for.
 */
#include "tests/lib/run.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SITE                                                                                       \
	"site: Test\n"                                                                             \
	"units:\n"                                                                                 \
	"  - {name: board, addresses: [10.1.0.7], macs: [\"00:26:8c:01:02:03\"], profiles: [room, online]}\n" \
	"  - {name: huddle, addresses: [10.1.0.8], profiles: [room, onprem]}\n"                    \
	"  - {name: floor, addresses: [10.1.8.0/24], profiles: [room, online]}\n"                  \
	"roles:\n"                                                                                 \
	"  front-end: {names: [fe01.corp.example]}\n"
#define WITH_DNS SITE "  dns-server: {addresses: [10.1.0.53]}\n"

struct seen {
	unsigned count;
	struct {
		char unit[64], row[64], finding_text[8], local[ADDR_TEXT];
		uint8_t ruling, grade, kind, why, outcome, app, evidence, media;
		uint16_t remote_port;
		int64_t finding;
		char community[COMMUNITY_ID_TEXT];
	} flow[256];
};

static int take(void *context, const struct flow_view *flow, struct err *err)
{
	struct seen *seen = context;
	const struct endpoint *end = flow->facts.end;
	unsigned i = seen->count++;

	assert_true(i < ARRAY_LEN(seen->flow));
	text_copy(seen->flow[i].unit, sizeof(seen->flow[i].unit), flow->unit);
	text_copy(seen->flow[i].row, sizeof(seen->flow[i].row),
	          flow->row_count ? flow->rows[0] : flow->nearest_count ? flow->nearest[0].row : "");
	addr_print(&end[flow->local].addr, seen->flow[i].local);
	seen->flow[i].ruling = flow->ruling;
	seen->flow[i].grade = flow->grade;
	seen->flow[i].kind = flow->kind;
	seen->flow[i].why = flow->why;
	seen->flow[i].outcome = flow->facts.outcome;
	seen->flow[i].app = (uint8_t)flow->app;
	seen->flow[i].evidence = flow->evidence;
	seen->flow[i].media = flow->facts.media;
	seen->flow[i].remote_port = end[!flow->local].port;
	seen->flow[i].finding = flow->finding;
	community_id(&end[0].addr, &end[1].addr, flow->facts.transport, end[0].port, end[1].port,
	             seen->flow[i].community);
	return 0;
}

static struct seen flows_of(struct run *run)
{
	struct flow_query query = {0};
	struct seen seen = {0};
	struct err err = {0};

	assert_int_equal(flowdb_flows(run_db(run), &query, take, &seen, &err), 0);
	return seen;
}

struct gathered_seen {
	unsigned count;
	struct finding_row row[64];
	char unit[64][UNIT_NAME_MAX];
};

static int take_finding(void *context, const struct finding_view *finding, struct err *err)
{
	struct gathered_seen *seen = context;

	assert_true(seen->count < ARRAY_LEN(seen->row));
	text_copy(seen->unit[seen->count], UNIT_NAME_MAX, finding->unit);
	seen->row[seen->count++] = finding->row;
	return 0;
}

static struct gathered_seen findings_of(struct run *run)
{
	struct finding_query query = {.state = FINDINGS_OPEN};
	struct gathered_seen seen = {0};
	struct err err = {0};

	assert_int_equal(flowdb_findings(run_db(run), &query, take_finding, &seen, &err), 0);
	return seen;
}

#define RUN(site) \
	CLEANUP(run_freep) struct run *run = run_new(site); \
	CLEANUP(wire_freep) struct wire *w = wire_new()

static void a_flow_between_two_units_is_two_rows_of_one_conversation(void **state)
{
	struct seen seen;
	RUN(SITE);

	talk_http(w, "10.1.0.7:50000 > 10.1.0.8:80", "huddle", "/");
	run_wire(run, w, 1);
	seen = flows_of(run);
	assert_int_equal(seen.count, 2);
	assert_string_not_equal(seen.flow[0].unit, seen.flow[1].unit);
	assert_string_equal(seen.flow[0].community, seen.flow[1].community);
	for (unsigned i = 0; i < 2; i++) {
		bool asked = !strcmp(seen.flow[i].unit, "board");

		assert_string_equal(seen.flow[i].local, asked ? "10.1.0.7" : "10.1.0.8");
		assert_int_equal(seen.flow[i].ruling, asked ? RULING_OUTSIDE : RULING_DOCUMENTED);
	}
	assert_int_equal(recorder_sums(run_recorder(run))->counters.in_flows, wire_count(w));
}

static void a_unit_that_talks_to_itself_has_one_row_as_the_opener(void **state)
{
	struct seen seen;
	RUN("units: [{name: two, addresses: [10.1.0.7, 10.1.0.9], profiles: [room]}]\n");

	talk_http(w, "10.1.0.9:50000 > 10.1.0.7:80", "two", "/");
	run_wire(run, w, 1);
	seen = flows_of(run);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.flow[0].local, "10.1.0.9");
}

static void a_host_of_a_prefix_is_a_unit_once_it_spoke(void **state)
{
	struct seen seen;
	RUN(SITE);

	talk_silence(w, "192.0.2.1:40000 > 10.1.8.20:22"); /* nobody there */
	talk_dns(w, "10.1.8.21:50000 > 10.1.0.53:53", &(struct dns_case){.name = "a.example", .type = 1, .value = "192.0.2.9"});
	run_wire(run, w, 1);
	seen = flows_of(run);
	assert_int_equal(seen.count, 1);
	assert_string_equal(seen.flow[0].unit, "floor/10.1.8.21");
}

static void a_dhcp_client_is_known_by_its_mac(void **state)
{
	struct seen seen;
	RUN(SITE);

	talk_dhcp(w, &(struct dhcp_case){.mac = "00:26:8c:01:02:03", .address = "10.1.0.7", .server = "10.1.0.1",
	                             .mask = "255.255.255.0", .router = "10.1.0.1", .dns = "10.1.0.53", .xid = 7});
	run_wire(run, w, 1);
	seen = flows_of(run);
	assert_true(seen.count >= 2);
	for (unsigned i = 0; i < seen.count; i++) {
		assert_string_equal(seen.flow[i].unit, "board");
		assert_int_equal(seen.flow[i].ruling, RULING_DOCUMENTED);
	}
}

static void a_dhcp_client_without_a_listed_mac_is_known_by_the_lease_it_gets(void **state)
{
	struct seen seen;
	RUN(SITE);

	talk_dhcp(w, &(struct dhcp_case){.mac = "02:00:00:00:00:08", .address = "10.1.0.8", .server = "10.1.0.1",
	                             .mask = "255.255.255.0", .router = "10.1.0.1", .dns = "10.1.0.53", .xid = 8});
	run_wire(run, w, 1);
	seen = flows_of(run);
	assert_true(seen.count >= 2);
	for (unsigned i = 0; i < seen.count; i++)
		assert_string_equal(seen.flow[i].unit, "huddle");
}

static void the_dns_server_of_a_lease_is_learnt_and_grades_unproven(void **state)
{
	struct seen seen;
	RUN(SITE);

	talk_dhcp(w, &(struct dhcp_case){.mac = "00:26:8c:01:02:03", .address = "10.1.0.7", .server = "10.1.0.1",
	                             .mask = "255.255.255.0", .router = "10.1.0.1", .dns = "10.1.0.53", .xid = 7});
	wire_wait(w, 1);
	talk_dns(w, "10.1.0.7:50000 > 10.1.0.53:53", &(struct dns_case){.name = "a.example", .type = 1, .value = "192.0.2.9"});
	talk_dns(w, "10.1.0.7:50001 > 8.8.8.8:53", &(struct dns_case){.name = "a.example", .type = 1, .value = "192.0.2.9"});
	run_wire(run, w, 1);
	seen = flows_of(run);
	for (unsigned i = 0; i < seen.count; i++)
		if (seen.flow[i].remote_port == 53 && seen.flow[i].ruling == RULING_DOCUMENTED)
			assert_int_equal(seen.flow[i].grade, GRADE_UNPROVEN);
	assert_int_equal(seen.flow[seen.count - 1].ruling, RULING_OUTSIDE);
	assert_int_equal(seen.flow[seen.count - 1].kind, KIND_PEER);
}

/* sip to the Front End: its name is bound by the right server, by a stranger, or not at all */
static void only_answers_of_a_dns_server_prove_a_name(void **state)
{
	static const struct {
		const char *server;
		uint8_t ruling, grade;
	} cases[] = {
		{"10.1.0.53", RULING_DOCUMENTED, GRADE_EXACT},
		{"8.8.8.8", RULING_DOCUMENTED, GRADE_UNPROVEN},
		{NULL, RULING_DOCUMENTED, GRADE_UNPROVEN},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char tuple[WIRE_TUPLE];
		struct seen seen;
		RUN(WITH_DNS);

		if (cases[i].server) {
			snprintf(tuple, sizeof(tuple), "10.1.0.8:50000 > %s:53", cases[i].server);
			talk_dns(w, tuple, &(struct dns_case){.name = "fe01.corp.example", .type = 1, .value = "10.9.0.1"});
		}
		talk_tls(w, "10.1.0.8:50010 > 10.9.0.1:5061", &(struct tls){.sni = "fe01.corp.example"});
		run_wire(run, w, 1);
		seen = flows_of(run);
		assert_int_equal(seen.flow[seen.count - 1].ruling, cases[i].ruling);
		assert_int_equal(seen.flow[seen.count - 1].grade, cases[i].grade);
		assert_string_equal(seen.flow[seen.count - 1].row, "onprem.out.sip");
	}
}

static void a_name_bound_elsewhere_makes_this_address_wrong(void **state)
{
	struct seen seen;
	RUN(WITH_DNS "  other-client: {addresses: [10.66.0.0/16]}\n");

	talk_dns(w, "10.1.0.8:50000 > 10.1.0.53:53", &(struct dns_case){.name = "fe01.corp.example", .type = 1, .value = "10.9.0.1"});
	talk_tls(w, "10.1.0.8:50010 > 10.9.0.2:5061", &(struct tls){.sni = "fe01.corp.example"});
	run_wire(run, w, 1);
	seen = flows_of(run);
	assert_int_equal(seen.flow[1].ruling, RULING_OUTSIDE);
}

static void silence_is_blocked_only_beside_a_two_way_flow(void **state)
{
	for (unsigned two_way = 0; two_way < 2; two_way++) {
		struct gathered_seen found;
		RUN(WITH_DNS);

		talk_silence(w, "10.1.0.8:50010 > 10.9.0.1:5061");
		if (two_way) /* later than the silence: it had to wait for it */
			talk_dns(w, "10.1.0.8:50000 > 10.1.0.53:53",
			         &(struct dns_case){.name = "a.example", .type = 1, .value = "192.0.2.1"});
		run_wire(run, w, 1);
		found = findings_of(run);
		assert_int_equal(found.count, two_way);
		if (two_way)
			assert_int_equal(found.row[0].kind, KIND_BLOCKED_SILENT);
		assert_int_equal(recorder_sums(run_recorder(run))->by_ruling[RULING_DOCUMENTED], 1 + two_way);
	}
}

static void a_two_way_flow_long_ago_proves_no_block(void **state)
{
	RUN(WITH_DNS);

	talk_dns(w, "10.1.0.8:50000 > 10.1.0.53:53",
	         &(struct dns_case){.name = "a.example", .type = 1, .value = "192.0.2.1"});
	wire_wait(w, 601);
	talk_silence(w, "10.1.0.8:50010 > 10.9.0.1:5061");
	run_wire(run, w, 1);
	assert_int_equal(findings_of(run).count, 0);
}

static void a_resolver_of_the_lease_counts_only_where_the_site_names_none(void **state)
{
	static const struct {
		const char *site;
		uint8_t grade;
	} cases[] = {{SITE, GRADE_EXACT}, {WITH_DNS, GRADE_UNPROVEN}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct seen seen;
		RUN(cases[i].site);

		talk_dhcp(w, &(struct dhcp_case){.mac = "02:00:00:00:00:08", .address = "10.1.0.8", .server = "10.1.0.1",
		                                 .mask = "255.255.255.0", .router = "10.1.0.1", .dns = "10.1.0.99", .xid = 8});
		talk_dns(w, "10.1.0.8:50000 > 10.1.0.99:53",
		         &(struct dns_case){.name = "fe01.corp.example", .type = 1, .value = "10.9.0.1"});
		talk_tls(w, "10.1.0.8:50010 > 10.9.0.1:5061", &(struct tls){.sni = "fe01.corp.example"});
		run_wire(run, w, 1);
		seen = flows_of(run);
		assert_string_equal(seen.flow[seen.count - 1].row, "onprem.out.sip");
		assert_int_equal(seen.flow[seen.count - 1].grade, cases[i].grade);
	}
}

static void a_peer_known_by_dns_stands_under_its_role(void **state)
{
	struct gathered_seen found;
	RUN(WITH_DNS);

	talk_dns(w, "10.1.0.8:50000 > 10.1.0.53:53",
	         &(struct dns_case){.name = "fe01.corp.example", .type = 1, .value = "10.9.0.1"});
	/* a Front End is no resolver */
	talk_dns(w, "10.1.0.8:50001 > 10.9.0.1:53",
	         &(struct dns_case){.name = "a.example", .type = 1, .value = "192.0.2.1"});
	run_wire(run, w, 1);
	found = findings_of(run);
	assert_int_equal(found.count, 1);
	assert_string_equal(found.row[0].role, "front-end");
	assert_string_equal(found.row[0].remote, "");
}

static void flows_of_one_reason_are_one_finding(void **state)
{
	struct gathered_seen found;
	RUN(WITH_DNS);

	for (unsigned i = 0; i < 5; i++) {
		char tuple[WIRE_TUPLE];

		/* other resolvers of one subnet, another port each time */
		snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > 9.9.9.%u:53", 50100 + i, 1 + i);
		talk_dns(w, tuple, &(struct dns_case){.name = "a.example", .type = 1, .value = "192.0.2.1"});
	}
	run_wire(run, w, 1);
	found = findings_of(run);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.row[0].kind, KIND_PEER);
	assert_int_equal(found.row[0].flows, 5);
	assert_int_equal(found.row[0].kept, 5);
	assert_string_equal(found.row[0].remote, "9.9.9.0/24");
	assert_string_equal(found.row[0].port, "53");
}

static void a_scan_of_the_unit_is_one_finding(void **state)
{
	struct gathered_seen found;
	RUN(WITH_DNS);

	for (unsigned i = 0; i < 60; i++) {
		char tuple[WIRE_TUPLE];

		snprintf(tuple, sizeof(tuple), "10.7.7.7:40000 > 10.1.0.7:%u", 1000 + i);
		talk_refused(w, tuple);
		wire_wait(w, 0.05);
	}
	run_wire(run, w, 1);
	found = findings_of(run);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.row[0].flows, 60);
	assert_string_equal(found.row[0].remote, "10.7.7.7");
	assert_int_equal(flows_of(run).count, 60);
}

static void too_many_findings_of_a_kind_fold_into_one(void **state)
{
	struct gathered_seen found;
	struct seen seen;
	RUN(WITH_DNS);

	for (unsigned i = 0; i < 50; i++) {
		char tuple[WIRE_TUPLE];

		snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > 9.9.%u.1:53", 50100 + i, i);
		talk_dns(w, tuple, &(struct dns_case){.name = "a.example", .type = 1, .value = "192.0.2.1"});
	}
	run_wire(run, w, 1);
	found = findings_of(run);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.row[0].flows, 50);
	assert_int_equal(found.row[0].kind, KIND_PEER);
	seen = flows_of(run);
	for (unsigned i = 1; i < seen.count; i++)
		assert_int_equal(seen.flow[i].finding, seen.flow[0].finding);
}

static void a_unit_on_no_list_is_a_finding(void **state)
{
	struct gathered_seen found;
	RUN(WITH_DNS);

	wire_mac(w, "10.1.0.99", "00:26:8c:99:99:99");
	talk_dns(w, "10.1.0.99:50000 > 10.1.0.53:53", &(struct dns_case){.name = "a.example", .type = 1, .value = "192.0.2.1"});
	run_wire(run, w, 1);
	found = findings_of(run);
	assert_int_equal(found.count, 1);
	assert_int_equal(found.row[0].kind, KIND_UNLISTED_UNIT);
	assert_string_equal(found.unit[0], "10.1.0.99");
}

static void a_waived_flow_says_so_until_the_waiver_expires(void **state)
{
	static const struct {
		const char *expires;
		bool waived;
	} cases[] = {{"2026-12-31", true}, {"2026-03-02", true}, {"2026-03-01", false}};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct finding_query query = {0};
		struct gathered_seen found = {0};
		struct err err = {0};
		char site[1024];

		snprintf(site, sizeof(site),
		         WITH_DNS "waivers:\n  - {units: [board], transport: udp, remote-ports: [123], owner: netops,\n"
		                  "     reason: clock, expires: %s}\n",
		         cases[i].expires);
		RUN(site);
		talk_ntp(w, "10.1.0.7:123 > 192.0.2.123:123");
		run_wire(run, w, 1);
		assert_int_equal(flowdb_findings(run_db(run), &query, take_finding, &found, &err), 0);
		assert_int_equal(found.count, 1);
		assert_int_equal(*found.row[0].waiver != '\0', cases[i].waived);
	}
}

static void ndpi_names_what_no_dissector_knows(void **state)
{
	struct seen seen;
	RUN(WITH_DNS);

	talk_ssh(w, "10.1.0.7:50000 > 192.0.2.1:22");
	run_wire(run, w, 1);
	seen = flows_of(run);
	assert_int_equal(seen.flow[0].app, APP_SSH);
	assert_int_equal(seen.flow[0].evidence, EVIDENCE_INSPECTED);
}

struct use {
	uint64_t exact, unproven, wide, unanswered, blocked, outside;
};

static int take_use(void *context, const struct coverage_view *coverage, struct err *err)
{
	struct use *use = context;

	*use = (struct use){coverage->row.exact,      coverage->row.unproven, coverage->row.wide,
	                    coverage->row.unanswered, coverage->row.blocked,  coverage->row.outside};
	return 0;
}

static struct use use_of(struct run *run, const char *unit, const char *row)
{
	struct use use = {0};
	struct err err = {0};

	assert_int_equal(flowdb_coverage(run_db(run), &(struct flow_query){.unit = unit, .row = row}, NULL, 0,
	                                 take_use, &use, &err), 0);
	return use;
}

static void udp_media_exercises_the_row_and_its_mirror(void **state)
{
	RUN(WITH_DNS);

	talk_ice(w, "10.1.0.7:50004 > 52.112.1.9:50010");
	talk_rtp(w, "10.1.0.7:50004 > 52.112.1.9:50010", &(struct media){.payload_type = 104, .packets = 40, .ssrc = 9});
	run_wire(run, w, 1);
	assert_int_equal(use_of(run, "board", "online.out.audio").exact, 1);
	assert_int_equal(use_of(run, "board", "online.in.audio").exact, 1);
	assert_int_equal(use_of(run, "board", "online.out.video").exact, 0);
}

static void silence_exercises_no_row(void **state)
{
	struct message query = message_dns_query(1, "a.example", DNS_A);
	struct use dns, maestro, api;
	RUN(WITH_DNS);

	talk_udp(w, "10.1.0.7:50000 > 10.1.0.53:53", &query);
	wire_tcp(w, "10.1.0.7:50001 > 192.0.2.1:443", "S", NULL, 0);
	wire_tcp(w, "10.1.0.7:50002 > 192.0.2.1:443", "A", NULL, 0); /* one side of it */
	talk_refused(w, "10.9.0.9:50000 > 10.1.0.7:80");
	run_wire(run, w, 1);
	dns = use_of(run, "board", "room.out.dns");
	maestro = use_of(run, "board", "room.out.maestro");
	api = use_of(run, "board", "room.in.control_api");
	assert_int_equal(dns.exact + dns.unproven + dns.wide, 0);
	assert_int_equal(dns.unanswered, 1);
	assert_int_equal(maestro.exact + maestro.unproven + maestro.wide, 0);
	assert_int_equal(maestro.unanswered, 2);
	assert_int_equal(api.exact + api.unproven + api.wide, 0);
	assert_int_equal(api.unanswered, 1);
}

static void the_result_does_not_depend_on_who_gets_a_turn_when(void **state)
{
	static const unsigned turns[] = {1, 2, 7, 64, 100000};
	struct seen first = {0};

	for (size_t i = 0; i < 2 * ARRAY_LEN(turns); i++) {
		struct seen seen;
		RUN(WITH_DNS);

		if (i >= ARRAY_LEN(turns))
			run_lag(run);

		talk_ssh(w, "10.1.0.7:50000 > 192.0.2.1:22");
		talk_dns(w, "10.1.0.8:50000 > 10.1.0.53:53",
		         &(struct dns_case){.name = "fe01.corp.example", .type = 1, .value = "10.9.0.1"});
		talk_tls(w, "10.1.0.8:50010 > 10.9.0.1:5061", &(struct tls){.sni = "fe01.corp.example"});
		talk_ntp(w, "10.1.0.7:123 > 192.0.2.123:123");
		talk_rtp(w, "10.1.0.7:50063 > 52.112.1.9:50010", &(struct media){.payload_type = 104, .packets = 90, .ssrc = 9});
		run_wire(run, w, turns[i % ARRAY_LEN(turns)]);
		seen = flows_of(run);
		if (!i)
			first = seen;
		assert_memory_equal(&seen, &first, sizeof(seen));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_between_two_units_is_two_rows_of_one_conversation),
		cmocka_unit_test(a_unit_that_talks_to_itself_has_one_row_as_the_opener),
		cmocka_unit_test(a_host_of_a_prefix_is_a_unit_once_it_spoke),
		cmocka_unit_test(a_dhcp_client_is_known_by_its_mac),
		cmocka_unit_test(a_dhcp_client_without_a_listed_mac_is_known_by_the_lease_it_gets),
		cmocka_unit_test(the_dns_server_of_a_lease_is_learnt_and_grades_unproven),
		cmocka_unit_test(only_answers_of_a_dns_server_prove_a_name),
		cmocka_unit_test(a_name_bound_elsewhere_makes_this_address_wrong),
		cmocka_unit_test(silence_is_blocked_only_beside_a_two_way_flow),
		cmocka_unit_test(a_two_way_flow_long_ago_proves_no_block),
		cmocka_unit_test(a_resolver_of_the_lease_counts_only_where_the_site_names_none),
		cmocka_unit_test(a_peer_known_by_dns_stands_under_its_role),
		cmocka_unit_test(flows_of_one_reason_are_one_finding),
		cmocka_unit_test(a_scan_of_the_unit_is_one_finding),
		cmocka_unit_test(too_many_findings_of_a_kind_fold_into_one),
		cmocka_unit_test(a_unit_on_no_list_is_a_finding),
		cmocka_unit_test(a_waived_flow_says_so_until_the_waiver_expires),
		cmocka_unit_test(ndpi_names_what_no_dissector_knows),
		cmocka_unit_test(udp_media_exercises_the_row_and_its_mirror),
		cmocka_unit_test(silence_exercises_no_row),
		cmocka_unit_test(the_result_does_not_depend_on_who_gets_a_turn_when),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
