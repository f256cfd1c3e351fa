/*
 * test_blind.c - the recorder's ledger of what was not seen: which intervals become one, which flows
 * they touch, and that the database holds what the ledger remembers.
 */
#include "monitor/record/blind.h"
#include "tests/lib/dbkit.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define S INT64_C(1000000)

struct bench {
	struct dbkit kit;
	struct blinds *blinds;
	int64_t huddle;
};

static int setup(void **state)
{
	struct bench *bench = calloc(1, sizeof(*bench));

	dbkit_open(&bench->kit);
	bench->huddle = dbkit_unit(&bench->kit, "huddle");
	bench->blinds = blinds_new();
	assert_non_null(bench->blinds);
	*state = bench;
	return 0;
}

static int teardown(void **state)
{
	struct bench *bench = *state;

	blinds_free(bench->blinds);
	dbkit_close(&bench->kit);
	free(bench);
	return 0;
}

static void note(struct bench *bench, struct blind_row row)
{
	struct err err = {0};

	if (!row.detail)
		row.detail = "";
	assert_int_equal(blinds_note(bench->blinds, bench->kit.db, bench->kit.run, &row, &err),
	                 0);
}

static int add(void *context, const struct blind_view *blind, struct err *err)
{
	char *text = context;

	text_add(text, 4096, "%s%s%s %lld-%lld x%llu%s%s; ", blind_cause_name(blind->row.cause),
	         blind->unit ? " " : "", blind->unit ? blind->unit : "",
	         (long long)blind->row.since_us, (long long)blind->row.until_us,
	         (unsigned long long)blind->row.count, *blind->row.detail ? " " : "",
	         blind->row.detail);
	return 0;
}

/* "cause unit since-until xcount detail; " of every row, oldest first. */
static const char *stored(struct bench *bench)
{
	static char text[4096];
	struct err err = {0};

	*text = '\0';
	assert_int_equal(
		flowdb_blinds(bench->kit.db, &(struct blind_query){0}, add, text, &err), 0);
	return text;
}

static void intervals_within_100_ms_are_one_and_their_counts_add_up(void **state)
{
	struct bench *bench = *state;

	note(bench, (struct blind_row){.cause = BLIND_KERNEL_DROP,
	                               .since_us = 1 * S,
	                               .until_us = 2 * S,
	                               .count = 5});
	note(bench, (struct blind_row){.cause = BLIND_KERNEL_DROP,
	                               .since_us = 2 * S + 100000,
	                               .until_us = 3 * S,
	                               .count = 7});
	assert_string_equal(stored(bench), "kernel-drop 1000000-3000000 x12; ");
	note(bench, (struct blind_row){.cause = BLIND_KERNEL_DROP,
	                               .since_us = 3 * S + 100001,
	                               .until_us = 4 * S,
	                               .count = 1});
	assert_string_equal(
		stored(bench),
		"kernel-drop 1000000-3000000 x12; kernel-drop 3100001-4000000 x1; ");
}

static void one_that_lies_inside_or_before_does_not_shrink_the_other(void **state)
{
	struct bench *bench = *state;

	note(bench, (struct blind_row){.cause = BLIND_TRUNCATED,
	                               .since_us = 5 * S,
	                               .until_us = 9 * S,
	                               .count = 1});
	note(bench, (struct blind_row){.cause = BLIND_TRUNCATED,
	                               .since_us = 6 * S,
	                               .until_us = 7 * S,
	                               .count = 1});
	assert_string_equal(stored(bench), "truncated 5000000-9000000 x2; ");
	note(bench, (struct blind_row){.cause = BLIND_TRUNCATED,
	                               .since_us = 4 * S,
	                               .until_us = 5 * S,
	                               .count = 1});
	assert_string_equal(stored(bench), "truncated 4000000-9000000 x3; ");
	/* Another capture, of an earlier time. */
	note(bench, (struct blind_row){.cause = BLIND_TRUNCATED,
	                               .since_us = 1 * S,
	                               .until_us = 2 * S,
	                               .count = 1});
	assert_string_equal(stored(bench),
	                    "truncated 1000000-2000000 x1; truncated 4000000-9000000 x3; ");
}

static void one_joins_whichever_it_touches(void **state)
{
	struct bench *bench = *state;
	static const int64_t since[] = {10, 30, 12, 31}, until[] = {20, 40, 15, 45};

	for (size_t i = 0; i < ARRAY_LEN(since); i++)
		note(bench, (struct blind_row){.cause = BLIND_ONE_SIDED,
		                               .since_us = since[i] * S,
		                               .until_us = until[i] * S,
		                               .count = 1});
	assert_string_equal(stored(bench), "one-sided 10000000-20000000 x2; "
	                                   "one-sided 30000000-45000000 x2; ");
}

static void cause_unit_and_detail_keep_intervals_apart(void **state)
{
	struct bench *bench = *state;
	struct blind_row row = {.cause = BLIND_LINK_DOWN,
	                        .since_us = S,
	                        .until_us = 2 * S,
	                        .count = 1,
	                        .detail = "eth1"};

	note(bench, row);
	row.detail = "eth2";
	note(bench, row);
	row.unit = bench->huddle;
	note(bench, row);
	row.cause = BLIND_ONE_SIDED;
	note(bench, row);
	assert_string_equal(
		stored(bench),
		"link-down 1000000-2000000 x1 eth1; link-down 1000000-2000000 x1 eth2; "
		"link-down huddle 1000000-2000000 x1 eth2; one-sided huddle 1000000-2000000 x1 eth2; ");
}

static void one_that_goes_on_is_ended_by_the_next_alike(void **state)
{
	struct bench *bench = *state;

	note(bench, (struct blind_row){.cause = BLIND_LINK_DOWN,
	                               .since_us = 5 * S,
	                               .count = 1,
	                               .detail = "eth1"});
	assert_string_equal(stored(bench), "link-down 5000000-0 x1 eth1; ");
	assert_true(blinds_meets(bench->blinds, BLIND_LINK_DOWN, 0, 900 * S, 900 * S));
	assert_false(blinds_meets(bench->blinds, BLIND_LINK_DOWN, 0, 4 * S, 5 * S - 1));
	note(bench, (struct blind_row){.cause = BLIND_LINK_DOWN,
	                               .since_us = 5 * S,
	                               .until_us = 65 * S,
	                               .detail = "eth1"});
	assert_string_equal(stored(bench), "link-down 5000000-65000000 x1 eth1; ");
	assert_false(blinds_meets(bench->blinds, BLIND_NONE, 0, 66 * S, 67 * S));
	/* Down again at once: it goes on after all. */
	note(bench, (struct blind_row){.cause = BLIND_LINK_DOWN,
	                               .since_us = 65 * S,
	                               .count = 1,
	                               .detail = "eth1"});
	assert_string_equal(stored(bench), "link-down 5000000-0 x2 eth1; ");
	note(bench, (struct blind_row){.cause = BLIND_LINK_DOWN,
	                               .since_us = 70 * S,
	                               .until_us = 1 * S,
	                               .detail = "eth1"});
	assert_string_equal(stored(bench), "link-down 5000000-70000000 x2 eth1; ");
}

static void an_interval_may_be_a_moment(void **state)
{
	struct bench *bench = *state;

	note(bench,
	     (struct blind_row){
		     .cause = BLIND_CLOCK_STEP, .since_us = S, .until_us = S, .count = 1});
	assert_true(blinds_meets(bench->blinds, BLIND_CLOCK_STEP, 7, S, S));
	assert_true(blinds_meets(bench->blinds, BLIND_NONE, 7, 0, 2 * S));
	assert_false(blinds_meets(bench->blinds, BLIND_NONE, 7, S + 1, 2 * S));
	assert_false(blinds_meets(bench->blinds, BLIND_NONE, 7, 0, S - 1));
	assert_false(blinds_meets(bench->blinds, BLIND_KERNEL_DROP, 7, S, S));
	/* An end before the beginning is none. */
	note(bench,
	     (struct blind_row){
		     .cause = BLIND_EVICTED, .since_us = 9 * S, .until_us = 8 * S, .count = 1});
	assert_string_equal(stored(bench),
	                    "clock-step 1000000-1000000 x1; evicted 9000000-9000000 x1; ");
}

static void one_of_a_unit_meets_that_unit_alone(void **state)
{
	struct bench *bench = *state;

	note(bench, (struct blind_row){.cause = BLIND_ONE_SIDED,
	                               .unit = bench->huddle,
	                               .since_us = S,
	                               .until_us = 2 * S,
	                               .count = 1});
	assert_true(blinds_meets(bench->blinds, BLIND_NONE, bench->huddle, S, S));
	assert_false(blinds_meets(bench->blinds, BLIND_NONE, bench->kit.unit, S, S));
}

static void several_causes_are_asked_for_at_once(void **state)
{
	struct bench *bench = *state;
	const uint32_t lost = BIT(BLIND_KERNEL_DROP) | BIT(BLIND_ONE_SIDED);

	assert_false(blinds_meet_any(bench->blinds, lost, bench->huddle, 0, 9 * S));
	note(bench, (struct blind_row){.cause = BLIND_LINK_DOWN, .since_us = S, .until_us = 2 * S, .count = 1});
	note(bench, (struct blind_row){.cause = BLIND_ONE_SIDED,
	                               .unit = bench->huddle,
	                               .since_us = 4 * S,
	                               .until_us = 5 * S,
	                               .count = 1});
	assert_false(blinds_meet_any(bench->blinds, lost, bench->huddle, 0, 3 * S));
	assert_true(blinds_meet_any(bench->blinds, lost, bench->huddle, 0, 4 * S));
	assert_false(blinds_meet_any(bench->blinds, lost, bench->kit.unit, 0, 9 * S));
	assert_true(blinds_meet_any(bench->blinds, lost | BIT(BLIND_LINK_DOWN), bench->kit.unit, 0, 9 * S));
	/* Any cause but that of a database that was set aside, which took other flows. */
	note(bench, (struct blind_row){.cause = BLIND_SET_ASIDE, .since_us = 7 * S, .until_us = 8 * S, .count = 1});
	assert_false(blinds_meets(bench->blinds, BLIND_NONE, bench->huddle, 6 * S, 9 * S));
	assert_true(blinds_meets(bench->blinds, BLIND_SET_ASIDE, bench->huddle, 6 * S, 9 * S));
}

static int is_blind(void *context, const struct flow_view *flow, struct err *err)
{
	*(bool *)context = flow->blind;
	return 0;
}

static bool blind(struct bench *bench, int64_t id)
{
	struct err err = {0};
	bool seen = false;

	assert_int_equal(flowdb_flow(bench->kit.db, id, is_blind, &seen, &err), 1);
	return seen;
}

/* A flow row from `second` on, 10 s long, told of. */
static int64_t told(struct bench *bench, int second)
{
	struct flow_facts facts = dbkit_facts(second, "52.112.1.9", 443);
	int64_t id = dbkit_flow(&bench->kit, &facts, "online.out.sip_tls", 0);

	blinds_row(bench->blinds, id, bench->kit.unit, facts.first_us, facts.last_us);
	return id;
}

static struct blind_row drop(int64_t since_s, int64_t until_s)
{
	return (struct blind_row){.cause = BLIND_KERNEL_DROP,
	                          .since_us = DBKIT_DAY + since_s * S,
	                          .until_us = DBKIT_DAY + until_s * S,
	                          .count = 1};
}

static void a_row_told_of_is_marked_by_what_is_noted_later(void **state)
{
	struct bench *bench = *state;
	int64_t before = told(bench, 0), within = told(bench, 9);
	struct blind_row other = drop(0, 30);

	other.unit = bench->huddle;
	note(bench, other);
	assert_false(blind(bench, within));
	note(bench, drop(11, 12));
	assert_false(blind(bench, before));
	assert_true(blind(bench, within));
}

static void rows_that_ended_10_s_before_the_newest_are_left_alone(void **state)
{
	struct bench *bench = *state;
	int64_t old = told(bench, 0), young = told(bench, 1), newest = told(bench, 11);

	note(bench, drop(0, 60));
	assert_false(blind(bench, old));
	assert_true(blind(bench, young));
	assert_true(blind(bench, newest));
	assert_int_equal(blinds_refused(bench->blinds), 0);
}

static void the_gap_that_joins_two_intervals_is_blind_as_well(void **state)
{
	struct bench *bench = *state;
	struct flow_facts facts = dbkit_facts(20, "52.112.1.9", 443);
	int64_t id;

	note(bench, drop(10, 20));
	facts.first_us = facts.last_us = DBKIT_DAY + 20 * S + 50000;
	id = dbkit_flow(&bench->kit, &facts, "online.out.sip_tls", 0);
	blinds_row(bench->blinds, id, bench->kit.unit, facts.first_us, facts.last_us);
	note(bench, (struct blind_row){.cause = BLIND_KERNEL_DROP,
	                               .since_us = DBKIT_DAY + 20 * S + 100000,
	                               .until_us = DBKIT_DAY + 21 * S,
	                               .count = 1});
	assert_true(blind(bench, id));
}

static void a_row_given_up_before_its_time_is_counted_if_it_is_missed(void **state)
{
	struct bench *bench = *state;
	int64_t first = told(bench, 0);

	for (unsigned i = 0; i < BLIND_ROWS_MAX - 1; i++)
		blinds_row(bench->blinds, 1000 + i, bench->kit.unit, DBKIT_DAY + 5 * S,
		           DBKIT_DAY + 5 * S);
	assert_int_equal(blinds_refused(bench->blinds), 0);
	blinds_row(bench->blinds, 9999, bench->kit.unit, DBKIT_DAY + 5 * S, DBKIT_DAY + 5 * S);
	assert_int_equal(blinds_refused(bench->blinds), 0); /* nothing has come that it would have missed */
	note(bench, drop(0, 1));
	assert_false(blind(bench, first));
	assert_int_equal(blinds_refused(bench->blinds), 1);
	/* Those that are old enough are nobody's loss. */
	blinds_row(bench->blinds, 10000, bench->kit.unit, DBKIT_DAY + 60 * S,
	           DBKIT_DAY + 60 * S);
	blinds_row(bench->blinds, 10001, bench->kit.unit, DBKIT_DAY + 60 * S,
	           DBKIT_DAY + 60 * S);
	assert_int_equal(blinds_refused(bench->blinds), 1);
}

/* Rows of others, none of which is in the database. */
static void told_of_others(struct bench *bench, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		blinds_row(bench->blinds, 100000 + i, bench->huddle + i % 3, DBKIT_DAY + 5 * S,
		           DBKIT_DAY + 5 * S);
}

static void of_one_unit_all_its_rows_that_are_remembered_are_found(void **state)
{
	struct bench *bench = *state;
	int64_t alike = bench->kit.unit + (1 << 14); /* another unit whose rows lie in the same chain */
	struct flow_facts facts = dbkit_facts(3, "52.112.1.9", 443);
	int64_t lost = told(bench, 1), first = told(bench, 2), last, others;
	struct blind_row mine = drop(0, 30);

	mine.unit = bench->kit.unit;
	told_of_others(bench, BLIND_ROWS_MAX / 2);
	others = dbkit_flow(&bench->kit, &facts, "online.out.sip_tls", 0);
	blinds_row(bench->blinds, others, alike, facts.first_us, facts.last_us);
	last = told(bench, 4);
	/* All but one of the places are taken by what came behind the first one. */
	told_of_others(bench, BLIND_ROWS_MAX - BLIND_ROWS_MAX / 2 - 3);
	note(bench, mine);
	assert_true(blind(bench, first));
	assert_true(blind(bench, last));
	assert_false(blind(bench, lost)); /* the place of its row was taken */
	assert_false(blind(bench, others));
	assert_int_equal(blinds_refused(bench->blinds), 1);
	/* Nobody looks behind the oldest that is remembered: its place is another's by now. */
	told_of_others(bench, 2 * BLIND_ROWS_MAX);
	note(bench, drop(0, 31));
	note(bench, mine);
	assert_false(blind(bench, lost));
}

static void a_full_ledger_forgets_the_oldest_that_is_over(void **state)
{
	struct bench *bench = *state;

	note(bench, (struct blind_row){.cause = BLIND_LINK_DOWN,
	                               .since_us = S / 2,
	                               .count = 1,
	                               .detail = "eth1"});
	for (int64_t i = 1; i < BLINDS_MAX; i++)
		note(bench, (struct blind_row){.cause = BLIND_KERNEL_DROP,
		                               .since_us = i * S,
		                               .until_us = i * S,
		                               .count = 1});
	assert_int_equal(blinds_refused(bench->blinds), 0);
	assert_true(blinds_meets(bench->blinds, BLIND_KERNEL_DROP, 0, S, S));
	note(bench, (struct blind_row){.cause = BLIND_KERNEL_DROP,
	                               .since_us = 9999 * S,
	                               .until_us = 9999 * S,
	                               .count = 1});
	assert_int_equal(blinds_refused(bench->blinds), 1);
	assert_false(blinds_meets(bench->blinds, BLIND_KERNEL_DROP, 0, S, S));
	assert_true(blinds_meets(bench->blinds, BLIND_KERNEL_DROP, 0, 2 * S, 2 * S));
	assert_true(blinds_meets(bench->blinds, BLIND_KERNEL_DROP, 0, 9999 * S, 9999 * S));
	/* What goes on is still there to be ended. */
	note(bench, (struct blind_row){.cause = BLIND_LINK_DOWN,
	                               .since_us = S / 2,
	                               .until_us = 10000 * S,
	                               .detail = "eth1"});
	assert_false(blinds_meets(bench->blinds, BLIND_LINK_DOWN, 0, 10001 * S, 10001 * S));
}

static void a_successor_goes_on_where_the_dead_one_stopped(void **state)
{
	struct bench *bench = *state;
	struct err err = {0};

	note(bench, (struct blind_row){.cause = BLIND_LINK_DOWN,
	                               .since_us = 5 * S,
	                               .count = 1,
	                               .detail = "eth1"});
	note(bench, (struct blind_row){.cause = BLIND_TRUNCATED,
	                               .unit = bench->huddle,
	                               .since_us = 1 * S,
	                               .until_us = 2 * S,
	                               .count = 3});
	blinds_free(bench->blinds);
	bench->blinds = blinds_new();
	assert_int_equal(blinds_load(bench->blinds, bench->kit.db, bench->kit.run, &err), 0);
	note(bench, (struct blind_row){.cause = BLIND_LINK_DOWN,
	                               .since_us = 5 * S,
	                               .until_us = 6 * S,
	                               .detail = "eth1"});
	note(bench, (struct blind_row){.cause = BLIND_TRUNCATED,
	                               .unit = bench->huddle,
	                               .since_us = 2 * S,
	                               .until_us = 3 * S,
	                               .count = 1});
	assert_string_equal(
		stored(bench),
		"truncated huddle 1000000-3000000 x4; link-down 5000000-6000000 x1 eth1; ");
}

static void a_long_detail_is_cut_and_still_one_thing(void **state)
{
	struct bench *bench = *state;
	char detail[200];

	memset(detail, 'x', sizeof(detail));
	detail[sizeof(detail) - 1] = '\0';
	note(bench, (struct blind_row){.cause = BLIND_SENSOR_DOWN,
	                               .since_us = S,
	                               .until_us = S,
	                               .count = 1,
	                               .detail = detail});
	note(bench, (struct blind_row){.cause = BLIND_SENSOR_DOWN,
	                               .since_us = S,
	                               .until_us = S,
	                               .count = 1,
	                               .detail = detail});
	detail[BLIND_DETAIL_MAX - 1] = '\0';
	assert_non_null(strstr(stored(bench), "x2 xxxx"));
	assert_int_equal(strlen(stored(bench)),
	                 strlen("sensor-down 1000000-1000000 x2 ; ") + BLIND_DETAIL_MAX - 1);
}

static void every_cause_has_its_word_and_back(void **state)
{
	char count[BLIND_COUNT_TEXT];

	for (unsigned i = BLIND_NONE + 1; i < BLIND_CAUSE_COUNT; i++) {
		assert_int_equal(blind_cause_parse(blind_cause_name((enum blind_cause)i)), i);
		assert_non_null(blind_cause_counted((enum blind_cause)i));
		assert_non_null(blind_cause_sentence((enum blind_cause)i));
	}
	assert_string_equal(blind_count_print(BLIND_KERNEL_DROP, 120, count), "120 packets");
	assert_string_equal(blind_count_print(BLIND_KERNEL_DROP, 1, count), "1 packet");
	assert_string_equal(blind_count_print(BLIND_KERNEL_DROP, 0, count), "");
	assert_string_equal(blind_count_print(BLIND_MIRROR_SILENT, 5, count), "");
	assert_string_equal(blind_count_print(BLIND_NONE, 5, count), "");
	assert_null(blind_cause_name(BLIND_NONE));
	assert_null(blind_cause_name(BLIND_CAUSE_COUNT));
	assert_int_equal(blind_cause_parse("asleep"), BLIND_CAUSE_COUNT);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

static void take_told(void *context, const struct blind_row *row)
{
	text_add(context, 256, "%s %lld-%lld x%llu; ", blind_cause_name(row->cause), (long long)row->since_us,
	         (long long)row->until_us, (unsigned long long)row->count);
}

static void an_interval_is_told_when_it_begins_and_when_one_that_went_on_is_over(void **state)
{
	struct bench *bench = *state;
	char told[256] = "";

	blinds_tell(bench->blinds, take_told, told);
	note(bench, (struct blind_row){.cause = BLIND_MIRROR_SILENT, .since_us = 1 * S, .count = 1});
	note(bench, (struct blind_row){.cause = BLIND_MIRROR_SILENT, .since_us = 1 * S, .count = 1});
	assert_string_equal(told, "mirror-silent 1000000-0 x1; ");
	*told = '\0';
	note(bench, (struct blind_row){.cause = BLIND_MIRROR_SILENT, .since_us = 1 * S, .until_us = 3 * S, .count = 1});
	assert_string_equal(told, "mirror-silent 1000000-3000000 x3; ");
	*told = '\0';
	note(bench, (struct blind_row){.cause = BLIND_KERNEL_DROP, .since_us = 5 * S, .until_us = 6 * S, .count = 4});
	note(bench, (struct blind_row){.cause = BLIND_KERNEL_DROP, .since_us = 6 * S, .until_us = 7 * S, .count = 4});
	assert_string_equal(told, "kernel-drop 5000000-6000000 x4; ");
	*told = '\0';
	blinds_tell(bench->blinds, NULL, NULL);
	note(bench, (struct blind_row){.cause = BLIND_KERNEL_DROP, .since_us = 500 * S, .until_us = 600 * S, .count = 4});
	assert_string_equal(told, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH(intervals_within_100_ms_are_one_and_their_counts_add_up),
		WITH(one_that_lies_inside_or_before_does_not_shrink_the_other),
		WITH(one_joins_whichever_it_touches),
		WITH(cause_unit_and_detail_keep_intervals_apart),
		WITH(one_that_goes_on_is_ended_by_the_next_alike),
		WITH(an_interval_is_told_when_it_begins_and_when_one_that_went_on_is_over),
		WITH(an_interval_may_be_a_moment),
		WITH(one_of_a_unit_meets_that_unit_alone),
		WITH(several_causes_are_asked_for_at_once),
		WITH(a_row_told_of_is_marked_by_what_is_noted_later),
		WITH(rows_that_ended_10_s_before_the_newest_are_left_alone),
		WITH(the_gap_that_joins_two_intervals_is_blind_as_well),
		WITH(a_row_given_up_before_its_time_is_counted_if_it_is_missed),
		WITH(of_one_unit_all_its_rows_that_are_remembered_are_found),
		WITH(a_full_ledger_forgets_the_oldest_that_is_over),
		WITH(a_successor_goes_on_where_the_dead_one_stopped),
		WITH(a_long_detail_is_cut_and_still_one_thing),
		cmocka_unit_test(every_cause_has_its_word_and_back),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
