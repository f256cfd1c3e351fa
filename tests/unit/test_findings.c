/*
 * test_findings.c - where flows are gathered (monitor/record/findings.c): the short way to a finding that many folded
 * into comes to the same one as the long way, and a successor to the same one as who died.
 */
#include "monitor/record/findings.h"
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define SITE "units: [{name: board, addresses: [10.1.0.7], profiles: [room]}]\n"
#define SECOND_US INT64_C(1000000)

struct bench {
	struct dbkit kit;
	struct policy *policy;
	struct units *units;
	struct findings *findings;
	struct unit *unit;
	uint64_t flows;
};

/* Another recorder: it knows what the database tells it. */
static void begin_anew(struct bench *bench)
{
	struct err err = {0};

	if (bench->findings)
		assert_int_equal(findings_flush(bench->findings, bench->kit.db, &err), 0);
	findings_free(bench->findings);
	units_free(bench->units);
	bench->units = units_new(bench->policy, 16);
	bench->findings = findings_new(bench->policy, NULL, NULL);
	assert_non_null(bench->units);
	assert_non_null(bench->findings);
	bench->unit = units_adopt(bench->units, bench->policy->units, "board", bench->kit.unit);
	assert_non_null(bench->unit);
}

static void bench_open(struct bench *bench, bool plain)
{
	const struct policy_args args = {
		.site_path = "site.yaml", .site_text = SITE, .site_text_len = strlen(SITE)};
	struct err err = {0};

	*bench = (struct bench){0};
	dbkit_open(&bench->kit);
	assert_int_equal(policy_load(&args, &bench->policy, &err), 0);
	begin_anew(bench);
	if (plain)
		findings_plain(bench->findings);
}

static void bench_close(struct bench *bench)
{
	struct err err = {0};

	assert_int_equal(findings_flush(bench->findings, bench->kit.db, &err), 0);
	findings_free(bench->findings);
	units_free(bench->units);
	policy_free(bench->policy);
	dbkit_done(&bench->kit);
	dbkit_close(&bench->kit);
}

/* A flow, inbound to that port of the unit, or outbound to it; the finding it comes to. */
static struct finding *add(struct bench *bench, enum kind kind, const char *peer, uint16_t port,
                           bool inbound)
{
	struct flow_facts facts = dbkit_facts((int)bench->flows, peer, inbound ? 4444 : port);
	const struct view view = {.facts = &facts, .name = "", .local = 0, .app = APP_NONE};
	const struct verdict verdict = {
		.ruling = RULING_OUTSIDE,
		.kind = (uint8_t)kind,
		.severity = SEVERITY_MEDIUM,
		.direction = inbound ? DIRECTION_IN : DIRECTION_OUT,
		.role = -1,
	};
	struct gathered gathered = {0};
	struct err err = {0};

	facts.media = 0;
	facts.first_us = facts.last_us = SECOND_US + (int64_t)bench->flows++ * 1000;
	if (inbound)
		facts.end[0].port = port;
	assert_int_equal(findings_add(bench->findings, bench->kit.db, bench->unit, &view, &verdict,
	                              &gathered, &err),
	                 0);
	assert_int_equal(findings_settle(bench->findings, bench->kit.db, &err), 0);
	return gathered_finding(&gathered);
}

static struct finding *scan(struct bench *bench, uint16_t port)
{
	struct finding *finding = NULL;

	for (unsigned i = 0; i <= SCAN_PORTS; i++)
		finding = add(bench, KIND_PEER, "198.51.100.7", (uint16_t)(port + i), true);
	assert_string_equal(finding->row.port, "scan");
	return finding;
}

static struct finding *fold(struct bench *bench, enum kind kind)
{
	struct finding *finding = NULL;

	for (unsigned i = 0; i <= FINDINGS_FOLD; i++) {
		char peer[ADDR_TEXT];

		snprintf(peer, sizeof(peer), "203.0.%u.1", i);
		finding = add(bench, kind, peer, 53, false);
	}
	assert_ptr_equal(finding, bench->unit->fold[kind]);
	return finding;
}

static void what_went_into_a_scan_stays_with_it_where_others_fold(void **state)
{
	for (unsigned plain = 0; plain < 2; plain++) {
		struct finding *scanned, *folded;
		struct bench bench;

		bench_open(&bench, plain);
		scanned = scan(&bench, 1000);
		folded = fold(&bench, KIND_PEER);
		assert_ptr_equal(add(&bench, KIND_PEER, "192.0.2.1", 53, false), folded);
		/* Another host of the same network, at a port that the scan had tried. */
		assert_ptr_equal(add(&bench, KIND_PEER, "198.51.100.8", 1003, true), scanned);
		bench_close(&bench);
	}
}

/* The scan's finding is older than what it takes in, and goes itself into one of many. */
static void a_successor_knows_where_what_folded_twice_went(void **state)
{
	struct finding *scanned, *folded;
	struct err err = {0};
	struct bench bench;
	int64_t last;

	bench_open(&bench, false);
	scan(&bench, 1000);
	begin_anew(&bench);
	scanned = scan(&bench, 2000);
	folded = fold(&bench, KIND_SERVICE);
	assert_ptr_equal(finding_now(scanned), folded);
	last = folded->id;
	assert_ptr_equal(add(&bench, KIND_PEER, "198.51.100.8", 2003, true), folded);
	begin_anew(&bench);
	for (int64_t id = 1; id <= last; id++)
		assert_true(findings_know(bench.findings, bench.kit.db, bench.unit, id, &err) >= 0);
	findings_fold_again(bench.findings);
	assert_int_equal(add(&bench, KIND_PEER, "198.51.100.8", 2003, true)->id, last);
	bench_close(&bench);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_went_into_a_scan_stays_with_it_where_others_fold),
		cmocka_unit_test(a_successor_knows_where_what_folded_twice_went),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
