/*
 * test_succession.c - another sensor or recorder takes the place of one that died: what becomes of the
 * flows, their rows and findings.
 */
#include "tests/lib/run.h"
#include "tests/lib/talk.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SITE \
	"units: [{name: board, addresses: [10.1.0.7], profiles: [room, online, onprem]}]\n" \
	"roles:\n  dns-server: {addresses: [10.1.0.53]}\n  front-end: {names: [fe01.corp.example]}\n"

struct rows {
	unsigned count, blind, lost, exact_sip, silent;
	uint64_t packets;
};

static int take(void *context, const struct flow_view *flow, struct err *err)
{
	struct rows *rows = context;

	rows->count++;
	rows->blind += flow->blind;
	rows->lost += flow->facts.settled_by == SETTLED_LOST;
	rows->exact_sip += flow->row_count && !strcmp(flow->rows[0], "onprem.out.sip") &&
	                   flow->grade == GRADE_EXACT;
	rows->silent += flow->facts.end[!flow->local].port == 5061 && !flow->facts.packets[!flow->local];
	rows->packets += flow->facts.packets[0] + flow->facts.packets[1];
	return 0;
}

static struct rows rows_of(struct run *run)
{
	struct flow_query query = {0};
	struct rows rows = {0};
	struct err err = {0};

	assert_int_equal(flowdb_flows(run_db(run), &query, take, &rows, &err), 0);
	return rows;
}

static int take_finding(void *context, const struct finding_view *finding, struct err *err)
{
	struct finding_row *sum = context;

	sum->flows += finding->row.flows;
	sum->kept += finding->row.kept;
	sum->bytes += finding->row.bytes;
	return 0;
}

static struct finding_row findings_of(struct run *run)
{
	struct finding_query query = {0};
	struct finding_row sum = {0};
	struct err err = {0};

	assert_int_equal(flowdb_findings(run_db(run), &query, take_finding, &sum, &err), 0);
	return sum;
}

#define RUN(live) \
	CLEANUP(run_freep) struct run *run = live ? run_new_live(SITE) : run_new(SITE); \
	CLEANUP(wire_freep) struct wire *w = wire_new(); \
	CLEANUP(wire_freep) struct wire *later = wire_new()

static const struct media AUDIO = {.payload_type = 0, .packets = 100};

static void a_flow_whose_sensor_died_has_its_last_facts_and_is_blind(void **state)
{
	struct rows rows;
	RUN(false);

	talk_ntp(w, "10.1.0.7:123 > 192.0.2.1:123");
	wire_wait(w, 1);
	talk_rtp(w, "10.1.0.7:50063 > 52.112.1.9:50011", &AUDIO); /* settles, and is told */
	run_sensor_dies(run);
	run_wire(run, w, 1);
	wire_at(later, 100);
	talk_ntp(later, "10.1.0.7:123 > 192.0.2.2:123");
	run_wire(run, later, 1);
	rows = rows_of(run);
	/* The first NTP flow had not been told of yet: it is gone with its sensor. */
	assert_int_equal(rows.count, 2);
	assert_int_equal(rows.lost, 1);
	assert_int_equal(rows.blind, 1);
	assert_int_equal(findings_of(run).flows, 2);
}

static void packets_of_a_successor_have_numbers_of_their_own(void **state)
{
	const struct counters *counters;
	RUN(false);

	talk_rtp(w, "10.1.0.7:50063 > 52.112.1.9:50011", &AUDIO);
	run_sensor_dies(run);
	run_wire(run, w, 1);
	wire_at(later, 100);
	talk_rtp(later, "10.1.0.7:50063 > 52.112.1.9:50011", &AUDIO);
	run_wire(run, later, 1);
	counters = &recorder_sums(run_recorder(run))->counters;
	assert_int_equal(rows_of(run).count, 2);
	assert_int_equal(counters->seen, wire_count(w) + wire_count(later));
	assert_int_equal(counters->seen, counters->in_flows + counters->out_of_scope + counters->malformed +
	                                         counters->fragments_lost + counters->duplicates);
}

static void a_recorder_that_takes_over_goes_on_with_rows_and_findings(void **state)
{
	struct rows rows[2];
	struct finding_row sum[2];

	for (unsigned i = 0; i < 4; i++) {
		bool dies = i & 1, live = i & 2; /* a live one has committed what it heard */
		RUN(live);

		talk_rtp(w, "10.1.0.7:50063 > 52.112.1.9:50011", &AUDIO); /* a finding: it has a row at once */
		for (unsigned n = 0; n < 4; n++) {
			wire_wait(w, 40);
			talk_rtp(w, "10.1.0.7:50063 > 52.112.1.9:50011", &AUDIO);
		}
		/* The first half is handled and not committed; or it is committed, and the flow goes on. */
		run_sensor_dies(run);
		run_wire(run, w, 1);
		if (dies)
			run_recorder_dies(run);
		wire_at(later, 400);
		talk_ntp(later, "10.1.0.7:123 > 192.0.2.2:123");
		run_wire(run, later, 1);
		rows[dies] = rows_of(run);
		sum[dies] = findings_of(run);
		assert_int_equal(rows[dies].count, 2);
		if (!dies)
			continue;
		assert_int_equal(rows[0].packets, rows[1].packets);
		assert_int_equal(sum[0].flows, sum[1].flows);
		assert_int_equal(sum[0].kept, sum[1].kept);
		assert_int_equal(sum[0].bytes, sum[1].bytes);
	}
}

static void a_recorder_that_takes_over_knows_the_names_of_its_predecessor(void **state)
{
	static const struct dns_case DNS = {.name = "fe01.corp.example", .type = 1, .value = "10.2.0.5"};
	static const struct tls TLS = {.sni = "fe01.corp.example"};
	struct rows rows[2];

	for (unsigned i = 0; i < 4; i++) {
		bool dies = i & 1, live = i & 2; /* a live one has committed what it heard */
		RUN(live);

		talk_dns(w, "10.1.0.7:52000 > 10.1.0.53:53", &DNS);
		wire_wait(w, 2);
		talk_ntp(w, "10.1.0.7:123 > 192.0.2.1:123");
		run_sensor_dies(run);
		run_wire(run, w, 1);
		if (dies)
			run_recorder_dies(run);
		wire_at(later, 20);
		talk_tls(later, "10.1.0.7:50000 > 10.2.0.5:5061", &TLS);
		run_wire(run, later, 1);
		rows[dies] = rows_of(run);
		assert_int_equal(rows[dies].exact_sip, 1);
		if (dies)
			assert_memory_equal(&rows[0], &rows[1], sizeof(rows[0]));
	}
}

/* Ten hours long: what its peer was called when it began is over when the recorder dies. */
static void a_flow_that_outlives_a_name_keeps_it_when_its_recorder_dies(void **state)
{
	static const struct dns_case DNS = {.name = "fe01.corp.example", .type = 1, .value = "10.2.0.5"};
	static const struct tls TLS = {.sni = "fe01.corp.example", .stays_open = true};
	struct rows rows[2];

	for (unsigned i = 0; i < 4; i++) {
		bool dies = i & 1, live = i & 2;
		RUN(live);

		talk_dns(w, "10.1.0.7:52000 > 10.1.0.53:53", &DNS);
		wire_wait(w, 1);
		talk_tls(w, "10.1.0.7:50000 > 10.2.0.5:5061", &TLS);
		for (unsigned minute = 0; minute < 600; minute++) {
			wire_wait(w, 60);
			wire_tcp(w, "10.1.0.7:50000 > 10.2.0.5:5061", "A", NULL, 0);
		}
		if (dies)
			run_recorder_dies_at(run, wire_count(w) - 60);
		run_wire(run, w, 1);
		rows[dies] = rows_of(run);
		assert_int_equal(rows[dies].exact_sip, 1);
		assert_int_equal(wire_count(later), 0);
		if (dies)
			assert_memory_equal(&rows[0], &rows[1], sizeof(rows[0]));
	}
}

/* Silence is no word yet: the flow waits for a two-way one of its unit. Its row does not. */
static void a_flow_that_waits_for_its_verdict_outlives_its_recorder(void **state)
{
	for (unsigned dies = 0; dies < 2; dies++) {
		RUN(true);

		talk_silence(w, "10.1.0.7:50010 > 10.2.0.5:5061");
		wire_wait(w, 60);
		talk_ntp(w, "10.1.0.7:123 > 192.0.2.1:123");
		run_sensor_dies(run);
		run_wire(run, w, 1);
		if (dies)
			run_recorder_dies(run);
		wire_at(later, 100);
		talk_ntp(later, "10.1.0.7:123 > 192.0.2.2:123");
		run_wire(run, later, 1);
		assert_int_equal(rows_of(run).silent, 1);
	}
}

static int take_blind(void *context, const struct blind_view *blind, struct err *err)
{
	unsigned *ones = context;

	assert_int_equal(blind->row.cause, BLIND_ONE_SIDED);
	assert_string_equal(blind->unit, "board");
	*ones += (unsigned)blind->row.count;
	return 0;
}

static void a_conversation_of_which_one_side_shows_is_blind_and_on_record(void **state)
{
	struct blind_query query = {0};
	struct err err = {0};
	unsigned ones = 0;
	struct rows rows;
	RUN(false);

	wire_tcp(w, "10.2.0.5:443 > 10.1.0.7:50000", "SA", NULL, 0);
	wire_tcp(w, "10.2.0.5:443 > 10.1.0.7:50000", "PA", "ab", 2);
	wire_wait(w, 10);
	talk_ntp(w, "10.1.0.7:123 > 192.0.2.1:123"); /* seen whole, and later */
	run_wire(run, w, 1);
	rows = rows_of(run);
	assert_int_equal(rows.count, 2);
	assert_int_equal(rows.blind, 1);
	assert_int_equal(wire_count(later), 0);
	assert_int_equal(flowdb_blinds(run_db(run), &query, take_blind, &ones, &err), 0);
	assert_int_equal(ones, 1);
}

/* Each to another network, which is another finding. */
static void ask_strangers(struct wire *w, unsigned from, unsigned until)
{
	for (unsigned i = from; i < until; i++) {
		char tuple[WIRE_TUPLE];

		snprintf(tuple, sizeof(tuple), "10.1.0.7:%u > 9.9.%u.1:53", 50100 + i, i);
		talk_dns(w, tuple, &(struct dns_case){.name = "a.example", .type = 1, .value = "192.0.2.1"});
	}
}

static void what_a_person_closed_counts_once_where_it_folds(void **state)
{
	const struct finding_judgement closed = {.finding = 1, .by_whom = "ann", .why = "known"};
	struct finding_row sum;
	struct rows rows;
	struct err err = {0};
	RUN(true);

	ask_strangers(w, 0, 20);
	wire_wait(w, 100); /* all of it is over, and committed */
	ask_strangers(w, 20, 21);
	run_sensor_dies(run);
	run_wire(run, w, 1);
	run_recorder_dies(run);
	assert_int_equal(flowdb_finding_judge(run_db(run), &closed, &err), 1);
	run_recorder_dies(run);
	wire_at(later, 400);
	ask_strangers(later, 30, 60);
	run_wire(run, later, 1);
	rows = rows_of(run);
	sum = findings_of(run);
	assert_in_range(rows.count, 50, 51);
	assert_int_equal(sum.flows, rows.count);
	assert_int_equal(sum.kept, rows.count);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_flow_whose_sensor_died_has_its_last_facts_and_is_blind),
		cmocka_unit_test(packets_of_a_successor_have_numbers_of_their_own),
		cmocka_unit_test(a_recorder_that_takes_over_goes_on_with_rows_and_findings),
		cmocka_unit_test(a_recorder_that_takes_over_knows_the_names_of_its_predecessor),
		cmocka_unit_test(a_flow_that_outlives_a_name_keeps_it_when_its_recorder_dies),
		cmocka_unit_test(a_flow_that_waits_for_its_verdict_outlives_its_recorder),
		cmocka_unit_test(a_conversation_of_which_one_side_shows_is_blind_and_on_record),
		cmocka_unit_test(what_a_person_closed_counts_once_where_it_folds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
