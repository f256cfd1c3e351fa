/*
 * test_evidence.c - from packets to the evidence of findings: which packets of which flows, how much of each, whose
 * they are when a verdict changes, and what the budgets leave out.
 */
#include "monitor/record/evidence.h"
#include "schema/link.h"
#include "tests/lib/dbkit.h"
#include "tests/lib/run.h"
#include "tests/lib/talk.h"
#include "tests/lib/wrap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SITE \
	"units:\n  - {name: board, addresses: [10.1.0.7, \"2001:db8::7\"], profiles: [room, online]}\n"
#define SECRET "nobody may ever read this"
#define DAY_US (86400 * INT64_C(1000000))

/* ------------------------------------------------------- what a run leaves behind */

struct kept {
	unsigned count;
	struct {
		int64_t finding, time_us;
		uint64_t flow;
		uint32_t wire_len, len;
		uint8_t link, bytes[SAMPLE_BYTES];
	} packet[512];
};

static int take(void *context, const struct evidence_view *view, struct err *err)
{
	struct kept *kept = context;
	unsigned i = kept->count++;

	assert_true(i < ARRAY_LEN(kept->packet));
	assert_true(view->row.len <= SAMPLE_BYTES);
	kept->packet[i].finding = view->row.finding;
	kept->packet[i].time_us = view->row.time_us;
	kept->packet[i].flow = view->row.flow;
	kept->packet[i].wire_len = view->row.wire_len;
	kept->packet[i].len = (uint32_t)view->row.len;
	kept->packet[i].link = view->row.link;
	memcpy(kept->packet[i].bytes, view->row.bytes, view->row.len);
	return 0;
}

static struct kept *kept_of(struct flowdb *db)
{
	const struct evidence_query query = {0};
	struct kept *kept = calloc(1, sizeof(*kept));
	struct err err;

	assert_non_null(kept);
	assert_int_equal(flowdb_evidence(db, &query, take, kept, &err), 0);
	return kept;
}

/* The evidence of this wire under a site that says so. */
static struct kept *seen(const char *more, const struct wire *w, unsigned pump_every)
{
	char site[512];

	snprintf(site, sizeof(site), SITE "%s", more);
	CLEANUP(run_freep) struct run *run = run_new(site);
	run_wire(run, w, pump_every);
	return kept_of(run_db(run));
}

/* It is the frame, as far as it may be kept. */
static void must_be(const struct kept *kept, unsigned i, const struct wire *w, size_t frame)
{
	struct wire_frame packet = wire_packet(w, frame);
	uint32_t len = packet.caplen < SAMPLE_BYTES ? packet.caplen : SAMPLE_BYTES;

	assert_true(kept->packet[i].time_us == packet.time_us);
	assert_int_equal(kept->packet[i].wire_len, packet.len);
	assert_int_equal(kept->packet[i].len, len);
	assert_memory_equal(kept->packet[i].bytes, packet.data, len);
}

/* UDP of nothing we know, to a port that no row has: outside. */
static void outside(struct wire *w, unsigned port, unsigned packets)
{
	char tuple[WIRE_TUPLE], back[WIRE_TUPLE];
	uint8_t data[600];

	memset(data, 0xee, sizeof(data));
	snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > 203.0.113.9:99", port);
	for (unsigned i = 0; i < packets; i++) {
		wire_udp(w, i % 2 ? wire_back(tuple, back) : tuple, data, 40 + 60 * (i % 9));
		wire_wait(w, 0.01);
	}
}

static void the_first_packets_of_three_flows_are_kept_as_they_were(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(freep) struct kept *kept = NULL;

	for (unsigned i = 0; i < 5; i++)
		outside(w, 40000 + i, 12);
	kept = seen("", w, 7);
	assert_int_equal(kept->count, 24);
	for (unsigned i = 0; i < 24; i++) {
		must_be(kept, i, w, i / 8 * 12 + i % 8);
		assert_int_equal(kept->packet[i].flow, 1 + i / 8 * 12);
		assert_int_equal(kept->packet[i].finding, kept->packet[0].finding);
	}
}

static void documented_flows_leave_none(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(freep) struct kept *kept = NULL;

	talk_dns(w, "10.1.0.7:52000 > 10.1.0.53:53",
	         &(struct dns_case){.name = "config.maestro.starleaf.com", .type = 1,
	                            .value = "203.0.113.20"});
	kept = seen("roles: {dns-server: {addresses: [10.1.0.53]}}\n", w, 1);
	assert_int_equal(kept->count, 0);
}

static void the_order_of_turns_changes_nothing(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(freep) struct kept *wanted = NULL;

	for (unsigned i = 0; i < 50; i++)
		outside(w, 40000 + i, 3 + i % 9);
	wanted = seen("", w, 1);
	assert_true(wanted->count > 10);
	for (unsigned every = 2; every < 400; every *= 3) {
		CLEANUP(freep) struct kept *kept = seen("", w, every);

		assert_memory_equal(kept, wanted, sizeof(*kept));
	}
}

static void what_a_blocked_flow_was_told_is_kept_with_it(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(freep) struct kept *kept = NULL;
	bool error = false;

	talk_http(w, "10.1.0.7:49000 > 203.0.113.5:443", "x.example", "/");
	wire_wait(w, 1);
	wire_tcp(w, "10.1.0.7:49152 > 52.112.1.9:443", "S", NULL, 0);
	wire_icmp_error(w, "10.1.0.1 > 10.1.0.7", 3, 13);
	kept = seen("", w, 1);
	for (unsigned i = 0; i < kept->count; i++)
		error |= kept->packet[i].len > 35 && kept->packet[i].bytes[23] == 1 &&
		         kept->packet[i].bytes[34] == 3 && kept->packet[i].bytes[35] == 13;
	assert_true(error);
}

static void a_tunnel_of_the_mirror_is_not_kept(void **state)
{
	for (unsigned kind = 0; kind < WRAP_COUNT; kind++) {
		CLEANUP(wire_freep) struct wire *inner = wire_new(), *w = wire_new();
		CLEANUP(freep) struct kept *kept = NULL;
		bool ip = kind == WRAP_GRE_IP || kind == WRAP_GENEVE_IP;
		struct wire_frame frame;

		outside(inner, 40000, 1);
		wrap(w, WRAP_PAIR, (enum wrap)kind, inner, 0);
		kept = seen("", w, 1);
		frame = wire_packet(inner, 0);
		assert_int_equal(kept->count, 1);
		assert_int_equal(kept->packet[0].link, ip ? LINK_RAW : LINK_ETHERNET);
		assert_true(kept->packet[0].len >= 82 - (ip ? 14 : 0));
		assert_memory_equal(kept->packet[0].bytes, frame.data + (ip ? 14 : 0),
		                    82 - (ip ? 14 : 0));
	}
}

/* Everything that carries a secret, in every wrapping. */
static void say_secret(struct wire *w, const char *unit, const char *peer)
{
	char tuple[WIRE_TUPLE], pair[WIRE_TUPLE], back[WIRE_TUPLE];
	char text[2000] = "";

	while (strlen(text) < 1500)
		text_add(text, sizeof(text), SECRET);
	snprintf(pair, sizeof(pair), "%s > %s", unit, peer);
	snprintf(tuple, sizeof(tuple), strchr(unit, ':') ? "[%s]:40000 > [%s]:99" : "%s:40000 > %s:99",
	         unit, peer);
	wire_udp(w, tuple, text, 400);
	wire_icmp_error(w, wire_back(pair, back), strchr(unit, ':') ? 1 : 3, 1);
	wire_mtu(w, 600);
	wire_udp(w, tuple, text, 1500); /* fragments */
	wire_mtu(w, 0);
	snprintf(tuple, sizeof(tuple), strchr(unit, ':') ? "[%s]:40001 > [%s]:98" : "%s:40001 > %s:98",
	         unit, peer);
	wire_tcp(w, tuple, "S", NULL, 0);
	wire_tcp(w, wire_back(tuple, back), "SA", NULL, 0);
	wire_tcp(w, tuple, "PA", text, 300);
	wire_tcp(w, wire_back(tuple, back), "PA", text, 300);
	wire_echo(w, pair, false, 1, 1);
	wire_ip(w, pair, 47, text, 200);  /* GRE that is none */
	wire_ip(w, pair, 50, text, 200);  /* ESP */
	wire_ip(w, pair, 132, text, 200); /* SCTP */
}

static bool has_secret(const struct kept *kept)
{
	for (unsigned i = 0; i < kept->count; i++)
		if (memmem(kept->packet[i].bytes, kept->packet[i].len, SECRET, 4))
			return true;
	return false;
}

static void headers_alone_hold_no_byte_of_payload(void **state)
{
	static const enum wire_link links[] = {WIRE_ETHERNET, WIRE_SLL,  WIRE_SLL2,
	                                       WIRE_RAW,      WIRE_NULL, WIRE_LOOP};
	static const uint16_t vlans[] = {7, 8, 9};

	for (unsigned i = 0; i < 4 * ARRAY_LEN(links); i++) {
		CLEANUP(wire_freep) struct wire *w = wire_new();
		CLEANUP(freep) struct kept *full = NULL, *headers = NULL, *off = NULL;

		wire_link(w, links[i / 4]);
		if (links[i / 4] == WIRE_ETHERNET)
			wire_vlan(w, i % 4, vlans);
		if (i % 2)
			wire_snap(w, 90);
		say_secret(w, "10.1.0.7", "203.0.113.9");
		say_secret(w, "2001:db8::7", "2001:db8:99::9");
		full = seen("", w, 1);
		assert_true(has_secret(full));
		headers = seen("evidence: headers\n", w, 1);
		assert_int_equal(headers->count, full->count);
		assert_false(has_secret(headers));
		for (unsigned n = 0; n < headers->count; n++) {
			assert_int_equal(headers->packet[n].wire_len, full->packet[n].wire_len);
			assert_true(headers->packet[n].len >= 20 + (links[i / 4] == WIRE_RAW ? 0 : 4));
			assert_memory_equal(headers->packet[n].bytes, full->packet[n].bytes,
			                    headers->packet[n].len);
		}
		off = seen("evidence: off\n", w, 1);
		assert_int_equal(off->count, 0);
	}
}

static void ports_and_flags_are_headers(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(freep) struct kept *kept = NULL;

	outside(w, 40000, 1);
	wire_tcp(w, "10.1.0.7:40001 > 203.0.113.9:98", "S", NULL, 0);
	wire_tcp(w, "203.0.113.9:98 > 10.1.0.7:40001", "SA", NULL, 0);
	wire_tcp(w, "10.1.0.7:40001 > 203.0.113.9:98", "PA", SECRET, 20);
	kept = seen("evidence: headers\n", w, 1);
	assert_int_equal(kept->count, 4);
	assert_int_equal(kept->packet[0].len, 14 + 20 + 8);
	assert_true(kept->packet[3].len >= 14 + 20 + 20);
	assert_true(kept->packet[3].len + 20 == kept->packet[3].wire_len ||
	            kept->packet[3].len < kept->packet[3].wire_len);
}

static void findings_that_fold_bring_theirs_along(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new();
	CLEANUP(freep) struct kept *kept = NULL;
	int64_t into = 0;

	for (unsigned i = 0; i < FINDINGS_FOLD + 4; i++) {
		char tuple[WIRE_TUPLE];

		snprintf(tuple, sizeof(tuple), "10.1.0.7:40000 > 203.0.%u.9:99", i);
		wire_udp(w, tuple, SECRET, 20);
		wire_wait(w, 61);
	}
	kept = seen("", w, 1);
	assert_in_range(kept->count, FINDINGS_FOLD, FINDINGS_FOLD + 4);
	for (unsigned i = 0; i < kept->count; i++) {
		assert_true(!into || kept->packet[i].finding == into);
		into = kept->packet[i].finding;
	}
}

static void a_recorder_that_takes_over_doubles_nothing(void **state)
{
	CLEANUP(wire_freep) struct wire *w = wire_new(), *rest = wire_new();
	CLEANUP(run_freep) struct run *run = run_new_live(SITE);
	CLEANUP(freep) struct kept *kept = NULL;

	outside(w, 40000, 5);
	wire_wait(w, 70);
	outside(w, 40001, 5);
	run_sensor_dies(run);
	run_wire(run, w, 1);
	run_recorder_dies(run);
	wire_at(rest, 75);
	outside(rest, 40002, 4);
	outside(rest, 40003, 4);
	run_wire(run, rest, 1);
	kept = kept_of(run_db(run));
	for (unsigned i = 0; i < kept->count; i++)
		for (unsigned n = 0; n < i; n++)
			assert_true(kept->packet[i].time_us != kept->packet[n].time_us);
	assert_in_range(kept->count, 8, 24);
	for (unsigned i = 0, flows = 0; i < kept->count; i++) {
		flows += !i || kept->packet[i].flow != kept->packet[i - 1].flow;
		assert_true(flows <= EVIDENCE_FLOWS);
	}
}

/* ------------------------------------------------------ verdicts change, days end */

struct bench {
	struct dbkit kit;
	struct evidence_store *store;
	struct finding finding[3];
	struct err err;
};

static void bench_open(struct bench *bench, enum keep keep, uint64_t day)
{
	const struct evidence_limits limits = {1 << 20, day};

	*bench = (struct bench){0};
	dbkit_open(&bench->kit);
	bench->store = evidence_new(bench->kit.db, keep, &limits);
	assert_non_null(bench->store);
	for (unsigned i = 0; i < 3; i++) {
		static const char *const remotes[] = {"10.0.0.0/24", "10.0.1.0/24", "10.0.2.0/24"};

		bench->finding[i].id = dbkit_finding(&bench->kit, bench->kit.unit, KIND_PEER,
		                                     SEVERITY_HIGH, remotes[i], 1);
	}
}

static void bench_close(struct bench *bench)
{
	evidence_free(bench->store);
	dbkit_close(&bench->kit);
}

static bool sample(struct bench *bench, uint64_t flow, unsigned number, int64_t time_us)
{
	union {
		struct event_sample event;
		uint8_t room[sizeof(struct event_sample) + SAMPLE_BYTES];
	} u = {.event = {.flow = flow,
	                 .time_us = time_us,
	                 .wire_len = 100,
	                 .len = 100,
	                 .headers_len = 42,
	                 .number = (uint8_t)number}};

	return evidence_add(bench->store, &u.event);
}

static void follow(struct bench *bench, uint64_t flow, struct finding *finding,
                   struct exhibit *exhibit)
{
	assert_int_equal(evidence_follow(bench->store, bench->kit.run, flow, finding, exhibit,
	                                 &bench->err),
	                 0);
}

/* How many packets a finding has. */
static unsigned count_of(struct bench *bench, unsigned finding)
{
	CLEANUP(freep) struct kept *kept = kept_of(bench->kit.db);
	unsigned count = 0;

	for (unsigned i = 0; i < kept->count; i++)
		count += kept->packet[i].finding == bench->finding[finding].id;
	return count;
}

static void what_was_kept_goes_where_its_flow_goes(void **state)
{
	struct exhibit exhibit = {0}, others[3] = {0};
	struct bench bench;

	bench_open(&bench, KEEP_FULL, EVIDENCE_DAY);
	assert_false(sample(&bench, 1, 0, DBKIT_DAY));
	assert_false(sample(&bench, 1, 1, DBKIT_DAY));
	follow(&bench, 1, NULL, &exhibit);
	assert_int_equal(count_of(&bench, 0), 0);
	follow(&bench, 1, &bench.finding[0], &exhibit);
	assert_int_equal(count_of(&bench, 0), 2);
	assert_true(sample(&bench, 1, 2, DBKIT_DAY)); /* whoever asks is told of what still comes */
	follow(&bench, 1, &bench.finding[0], &exhibit);
	follow(&bench, 1, &bench.finding[0], &exhibit);
	assert_int_equal(count_of(&bench, 0), 3);
	follow(&bench, 1, &bench.finding[1], &exhibit); /* another verdict */
	assert_int_equal(count_of(&bench, 0), 0);
	assert_int_equal(count_of(&bench, 1), 3);
	assert_int_equal(bench.finding[0].evidence, 0);
	assert_int_equal(bench.finding[1].evidence, 1);
	for (unsigned i = 0; i < 3; i++) {
		sample(&bench, 10 + i, 0, DBKIT_DAY);
		follow(&bench, 10 + i, &bench.finding[2], &others[i]);
	}
	assert_int_equal(count_of(&bench, 2), 3);
	follow(&bench, 1, &bench.finding[2], &exhibit); /* which has three already */
	assert_int_equal(count_of(&bench, 1), 0);
	assert_int_equal(count_of(&bench, 2), 3);
	follow(&bench, 1, &bench.finding[0], &exhibit); /* what waits is still there */
	assert_int_equal(count_of(&bench, 0), 3);
	follow(&bench, 1, NULL, &exhibit);
	assert_int_equal(count_of(&bench, 0), 0);
	assert_int_equal(bench.finding[0].evidence, 0);
	follow(&bench, 11, NULL, &others[1]); /* a place is free again */
	evidence_forget(bench.store, 1);
	follow(&bench, 1, &bench.finding[2], &exhibit);
	assert_int_equal(count_of(&bench, 2), 2);
	bench_close(&bench);
}

static void a_day_has_its_budget_by_the_packets_clock(void **state)
{
	struct exhibit exhibit[4] = {0};
	struct evidence_day_row day;
	struct evidence_lack lack;
	struct bench bench;

	bench_open(&bench, KEEP_FULL, 250);
	for (unsigned i = 0; i < 3; i++)
		sample(&bench, 1, i, DBKIT_DAY + i);
	follow(&bench, 1, &bench.finding[0], &exhibit[0]);
	assert_int_equal(count_of(&bench, 0), 2);
	sample(&bench, 2, 0, DBKIT_DAY + 9);
	follow(&bench, 2, &bench.finding[1], &exhibit[1]);
	follow(&bench, 2, &bench.finding[1], &exhibit[1]); /* counted once */
	assert_int_equal(count_of(&bench, 1), 0);
	sample(&bench, 3, 0, DBKIT_DAY + DAY_US);
	follow(&bench, 3, &bench.finding[1], &exhibit[2]);
	assert_int_equal(count_of(&bench, 1), 1);
	sample(&bench, 4, 0, DBKIT_DAY + 99); /* a packet of the day before */
	follow(&bench, 4, &bench.finding[1], &exhibit[3]);
	assert_int_equal(count_of(&bench, 1), 1);
	assert_int_equal(evidence_flush(bench.store, bench.kit.run, &bench.err), 0);
	assert_int_equal(flowdb_evidence_day(bench.kit.db, DBKIT_DAY / DAY_US, &day, &bench.err), 0);
	assert_int_equal(day.bytes, 200);
	assert_int_equal(day.refused, 3);
	assert_int_equal(flowdb_evidence_day(bench.kit.db, DBKIT_DAY / DAY_US + 1, &day, &bench.err),
	                 0);
	assert_int_equal(day.bytes, 100);
	assert_int_equal(day.refused, 0);
	assert_int_equal(flowdb_evidence_lack(bench.kit.db, DBKIT_DAY - 5, DBKIT_DAY + 2 * DAY_US,
	                                      &lack, &bench.err),
	                 0);
	assert_int_equal(lack.refused, 3);
	assert_true(lack.refused_day == DBKIT_DAY / DAY_US);
	/* Another one in its place knows what is used, and what is there. */
	evidence_free(bench.store);
	bench.store = evidence_new(bench.kit.db, KEEP_FULL, &(struct evidence_limits){1 << 20, 250});
	sample(&bench, 5, 0, DBKIT_DAY + 5);
	exhibit[0] = exhibit[1] = (struct exhibit){0};
	follow(&bench, 5, &bench.finding[2], &exhibit[0]);
	assert_int_equal(count_of(&bench, 2), 0);
	assert_int_equal(evidence_recall(bench.store, bench.kit.run, 3, &bench.finding[1], &exhibit[1],
	                                 &bench.err),
	                 0);
	sample(&bench, 3, 0, DBKIT_DAY + DAY_US); /* told again */
	sample(&bench, 3, 1, DBKIT_DAY + DAY_US);
	follow(&bench, 3, &bench.finding[1], &exhibit[1]);
	assert_int_equal(count_of(&bench, 1), 2);
	bench_close(&bench);
}

static void whatever_a_sensor_sends_no_more_is_kept_than_may_be(void **state)
{
	struct exhibit exhibit = {0};
	struct bench bench;

	bench_open(&bench, KEEP_HEADERS, EVIDENCE_DAY);
	sample(&bench, 1, 0, DBKIT_DAY);
	follow(&bench, 1, &bench.finding[0], &exhibit);
	CLEANUP(freep) struct kept *kept = kept_of(bench.kit.db);
	assert_int_equal(kept->count, 1);
	assert_int_equal(kept->packet[0].len, 42);
	bench_close(&bench);
	bench_open(&bench, KEEP_OFF, EVIDENCE_DAY);
	sample(&bench, 1, 0, DBKIT_DAY);
	exhibit = (struct exhibit){0};
	follow(&bench, 1, &bench.finding[0], &exhibit);
	assert_int_equal(count_of(&bench, 0), 0);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_packets_of_three_flows_are_kept_as_they_were),
		cmocka_unit_test(documented_flows_leave_none),
		cmocka_unit_test(the_order_of_turns_changes_nothing),
		cmocka_unit_test(what_a_blocked_flow_was_told_is_kept_with_it),
		cmocka_unit_test(a_tunnel_of_the_mirror_is_not_kept),
		cmocka_unit_test(headers_alone_hold_no_byte_of_payload),
		cmocka_unit_test(ports_and_flags_are_headers),
		cmocka_unit_test(findings_that_fold_bring_theirs_along),
		cmocka_unit_test(a_recorder_that_takes_over_doubles_nothing),
		cmocka_unit_test(what_was_kept_goes_where_its_flow_goes),
		cmocka_unit_test(a_day_has_its_budget_by_the_packets_clock),
		cmocka_unit_test(whatever_a_sensor_sends_no_more_is_kept_than_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
