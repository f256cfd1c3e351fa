/*
 * test_standing.c - how a row stands is told when it changes, once, and taken back; never a flow at a time.
 */
#include "monitor/record/standing.h"
#include "tests/lib/judging.h"

#define TOLD_MAX 64

struct stage {
	struct policy *policy;
	struct coverage coverage;
	struct standings *standings;
	struct unit unit;
	unsigned room; /* so many can be told */
	unsigned count;
	struct exercised told[TOLD_MAX];
	char name[TOLD_MAX][32];
};

static bool tell(void *context, const char *unit, const struct exercised *exercised)
{
	struct stage *stage = context;

	if (!stage->room)
		return false;
	stage->room--;
	assert_true(stage->count < TOLD_MAX);
	text_copy(stage->name[stage->count], sizeof(stage->name[0]), unit);
	stage->told[stage->count++] = *exercised;
	return true;
}

static int set_up(void **state)
{
	struct stage *stage = calloc(1, sizeof(*stage));

	stage->policy = policy_of("");
	stage->room = UINT32_MAX;
	stage->unit = (struct unit){.number = 1, .name = "unit", .rule = &stage->policy->units[0]};
	assert_int_equal(coverage_init(&stage->coverage, stage->policy), 0);
	stage->standings = standings_new(
		&(struct standings_options){&stage->coverage, 7, tell, stage});
	*state = stage;
	return 0;
}

static int tear_down(void **state)
{
	struct stage *stage = *state;

	assert_int_equal(standings_refused(stage->standings), 0);
	standings_free(stage->standings);
	coverage_release(&stage->coverage);
	policy_free(stage->policy);
	free(stage);
	return 0;
}

/* A word about flow `id`, of `unit`. */
static void note_of(struct stage *stage, const struct unit *unit, uint64_t id, const char *row,
                    const struct verdict *said, enum outcome outcome, uint8_t media, bool over)
{
	struct flow_facts facts = {.id = id,
	                           .last_us = 5,
	                           .transport = TRANSPORT_UDP,
	                           .outcome = outcome,
	                           .media = media,
	                           .end = {{.port = 1}, {.port = 2}}};
	struct view view = {.facts = &facts};
	struct verdict verdict = *said;

	if (row) {
		verdict.rows[0] = verdict.nearest[0].row =
			(uint16_t)envelope_find_row(stage->policy->envelope, row);
		verdict.row_count = verdict.nearest_count = 1;
	}
	standings_note(stage->standings, unit, &view, &verdict, over);
}

static const struct verdict EXACT = {.ruling = RULING_DOCUMENTED, .grade = GRADE_EXACT},
			    UNPROVEN = {.ruling = RULING_DOCUMENTED, .grade = GRADE_UNPROVEN},
			    SILENT = {.ruling = RULING_DOCUMENTED,
                                      .grade = GRADE_EXACT,
                                      .kind = KIND_BLOCKED_SILENT},
			    OUTSIDE = {.ruling = RULING_OUTSIDE, .kind = KIND_PEER},
			    UNDETERMINED = {.ruling = RULING_UNDETERMINED, .why = WHY_MIDSTREAM};

static void answered(struct stage *stage, uint64_t id, const char *row,
                     const struct verdict *verdict, bool over)
{
	note_of(stage, &stage->unit, id, row, verdict, OUTCOME_ANSWERED, 0, over);
}

static void asked(struct stage *stage, uint64_t id, const char *row, const struct verdict *verdict, bool over)
{
	note_of(stage, &stage->unit, id, row, verdict, OUTCOME_UNANSWERED, 0, over);
}

/* What was told last of a row; -1: nothing. */
static int last_of(const struct stage *stage, const char *row)
{
	int at = envelope_find_row(stage->policy->envelope, row), ret = -1;

	for (unsigned i = 0; i < stage->count; i++)
		if (stage->told[i].row == at)
			ret = stage->told[i].standing.what;
	return ret;
}

static void a_row_is_told_of_when_it_is_answered_not_when_its_flow_is_over(void **state)
{
	struct stage *stage = *state;
	const struct exercised *told = stage->told;

	answered(stage, 1, "room.out.dns", &EXACT, false);
	assert_int_equal(stage->count, 1);
	assert_string_equal(stage->name[0], "unit");
	assert_int_equal(told->row, envelope_find_row(stage->policy->envelope, "room.out.dns"));
	assert_int_equal(told->standing.what, STANDS_EXACT);
	assert_int_equal(told->entry, 0);
	assert_int_equal(told->teller, 7);
	assert_int_equal(told->time_us, 5);
	assert_int_equal(told->transport, TRANSPORT_UDP);
	assert_int_equal(told->local_port, 1);
	assert_int_equal(told->remote_port, 2);
	answered(stage, 1, "room.out.dns", &EXACT, true);
	assert_int_equal(stage->count, 1);
}

static void a_flood_of_flows_of_one_kind_is_told_once(void **state)
{
	struct stage *stage = *state;

	for (uint64_t id = 1; id <= 3000; id += 3) {
		asked(stage, id, "room.out.dns", &EXACT, false);
		answered(stage, id, "room.out.dns", &UNPROVEN, false);
		answered(stage, id, "room.out.dns", &EXACT, true);
		asked(stage, id + 1, "room.out.maestro", &EXACT, id % 2);
		answered(stage, id + 2, "room.in.web_ui", &OUTSIDE, id % 2);
	}
	/* Asked, answered, better; asked; outside. */
	assert_int_equal(stage->count, 5);
	assert_int_equal(last_of(stage, "room.out.dns"), STANDS_EXACT);
	assert_int_equal(last_of(stage, "room.out.maestro"), STANDS_UNANSWERED);
	assert_int_equal(last_of(stage, "room.in.web_ui"), STANDS_OUTSIDE);
}

static void what_an_open_flow_came_to_is_taken_back_by_a_later_word(void **state)
{
	struct stage *stage = *state;

	answered(stage, 1, "room.out.dns", &OUTSIDE, false);
	assert_int_equal(last_of(stage, "room.out.dns"), STANDS_OUTSIDE);
	answered(stage, 1, "room.out.maestro", &UNDETERMINED, false);
	assert_int_equal(last_of(stage, "room.out.dns"), 0);
	assert_int_equal(last_of(stage, "room.out.maestro"), STANDS_UNDETERMINED);
	assert_int_equal(stage->told[1].standing.whys, BIT(WHY_MIDSTREAM));
	answered(stage, 1, NULL, &(struct verdict){.ruling = RULING_HOUSEKEEPING}, false);
	assert_int_equal(last_of(stage, "room.out.maestro"), 0);
	assert_int_equal(stage->told[stage->count - 1].standing.whys, 0);
	answered(stage, 1, "room.out.maestro", &EXACT, true);
	answered(stage, 2, "room.out.maestro", &UNPROVEN, false);
	answered(stage, 2, "room.out.dns", &EXACT, true);
	assert_int_equal(last_of(stage, "room.out.maestro"), STANDS_EXACT); /* of the flow that is over */
}

static void what_is_over_is_not_taken_back_by_another_of_its_number(void **state)
{
	struct stage *stage = *state;

	answered(stage, 1, "room.out.dns", &OUTSIDE, true);
	answered(stage, 1, "room.out.maestro", &EXACT, true);
	assert_int_equal(last_of(stage, "room.out.dns"), STANDS_OUTSIDE);
	assert_int_equal(stage->count, 2);
}

static void of_two_open_flows_that_came_to_the_same_one_may_go(void **state)
{
	struct stage *stage = *state;

	answered(stage, 1, "room.out.dns", &OUTSIDE, false);
	answered(stage, 2, "room.out.dns", &OUTSIDE, false);
	answered(stage, 1, "room.out.maestro", &EXACT, false);
	assert_int_equal(last_of(stage, "room.out.dns"), STANDS_OUTSIDE);
	answered(stage, 2, "room.out.maestro", &EXACT, false);
	assert_int_equal(last_of(stage, "room.out.dns"), 0);
}

static void silence_that_was_waited_for_is_blocked_and_stays(void **state)
{
	struct stage *stage = *state;

	asked(stage, 1, "room.out.dns", &EXACT, false);
	asked(stage, 1, "room.out.dns", &SILENT, true);
	assert_int_equal(last_of(stage, "room.out.dns"), STANDS_SILENT);
	answered(stage, 2, "room.out.dns", &EXACT, true);
	assert_int_equal(last_of(stage, "room.out.dns"), STANDS_SILENT | STANDS_EXACT);
	assert_int_equal(stage->count, 3);
}

static void media_are_told_as_they_show(void **state)
{
	struct stage *stage = *state;

	note_of(stage, &stage->unit, 1, "online.out.relay_udp", &UNPROVEN, OUTCOME_ANSWERED, 0, false);
	note_of(stage, &stage->unit, 1, "online.out.relay_udp", &UNPROVEN, OUTCOME_ANSWERED, MEDIA_AUDIO, false);
	note_of(stage, &stage->unit, 2, "online.out.relay_udp", &UNPROVEN, OUTCOME_ANSWERED, MEDIA_VIDEO, true);
	assert_int_equal(stage->count, 3);
	assert_int_equal(stage->told[0].standing.media, STANDS_NO_MEDIA);
	assert_int_equal(stage->told[1].standing.media, MEDIA_AUDIO);
	assert_int_equal(stage->told[2].standing.media, MEDIA_AUDIO | MEDIA_VIDEO);
	/* Beside those that carry some, one without any says nothing. */
	note_of(stage, &stage->unit, 3, "online.out.relay_udp", &UNPROVEN, OUTCOME_ANSWERED, 0, true);
	assert_int_equal(stage->count, 3);
	note_of(stage, &stage->unit, 1, "online.out.relay_udp", &UNPROVEN, OUTCOME_UNANSWERED, MEDIA_AUDIO, true);
	assert_int_equal(stage->told[3].standing.media, MEDIA_VIDEO); /* nobody answered with the other */
}

static void a_unit_is_told_of_whatever_it_does(void **state)
{
	struct stage *stage = *state;
	const struct verdict housekeeping = {.ruling = RULING_HOUSEKEEPING};

	stage->room = 0;
	answered(stage, 1, NULL, &housekeeping, true);
	answered(stage, 2, NULL, &housekeeping, true);
	stage->room = UINT32_MAX;
	standings_flush(stage->standings);
	answered(stage, 3, NULL, &housekeeping, true);
	assert_int_equal(stage->count, 1);
	assert_string_equal(stage->name[0], "unit");
	assert_int_equal(stage->told[0].standing.what, 0);
}

static void rows_that_mirror_each_other_are_both_told(void **state)
{
	struct stage *stage = *state;

	answered(stage, 1, "room.out.dhcp", &EXACT, true);
	assert_int_equal(stage->count, 2);
	assert_int_equal(last_of(stage, "room.out.dhcp"), STANDS_EXACT);
	assert_int_equal(last_of(stage, "room.in.dhcp"), STANDS_EXACT);
}

static void over_tcp_no_row_mirrors_another(void **state)
{
	struct stage *stage = *state;
	struct flow_facts facts = {.id = 1, .outcome = OUTCOME_ANSWERED, .transport = TRANSPORT_TCP};
	struct view view = {.facts = &facts};
	struct verdict verdict = EXACT;

	verdict.row_count = 1;
	verdict.rows[0] = (uint16_t)envelope_find_row(stage->policy->envelope, "room.out.dhcp");
	standings_note(stage->standings, &stage->unit, &view, &verdict, true);
	assert_int_equal(stage->count, 1);
	assert_int_equal(last_of(stage, "room.in.dhcp"), -1);
}

static void both_ends_of_a_flow_may_be_units(void **state)
{
	struct stage *stage = *state;
	struct unit other = stage->unit;
	struct flow_facts facts = {.id = 1, .outcome = OUTCOME_ANSWERED, .transport = TRANSPORT_TCP};
	struct view view = {.facts = &facts, .local = 1};
	struct verdict verdict = EXACT;

	other.number = 2;
	text_copy(other.name, sizeof(other.name), "other");
	verdict.row_count = 1;
	answered(stage, 1, "room.out.dns", &OUTSIDE, false);
	standings_note(stage->standings, &other, &view, &verdict, false);
	answered(stage, 1, "room.out.dns", &EXACT, true);
	assert_string_equal(stage->name[1], "other");
	assert_int_equal(stage->count, 3);
	assert_int_equal(last_of(stage, "room.out.dns"), STANDS_EXACT);
}

static void without_room_a_row_waits_and_is_told_as_it_stands_then(void **state)
{
	struct stage *stage = *state;

	stage->room = 1;
	answered(stage, 1, "room.out.dns", &EXACT, true);
	asked(stage, 2, "room.out.maestro", &UNPROVEN, false);
	answered(stage, 3, "room.in.web_ui", &EXACT, false);
	answered(stage, 2, "room.out.maestro", &UNPROVEN, false);
	standings_flush(stage->standings);
	assert_int_equal(stage->count, 1);
	stage->room = 1;
	standings_flush(stage->standings);
	assert_int_equal(stage->count, 2);
	assert_int_equal(last_of(stage, "room.out.maestro"), STANDS_UNPROVEN);
	assert_int_equal(stage->told[1].transport, 0);
	stage->room = UINT32_MAX;
	standings_flush(stage->standings);
	standings_flush(stage->standings);
	assert_int_equal(stage->count, 3);
	assert_int_equal(last_of(stage, "room.in.web_ui"), STANDS_EXACT);
	answered(stage, 2, "room.out.maestro", &EXACT, true);
	assert_int_equal(stage->count, 4); /* it waits no more */
}

static void a_row_that_waits_is_told_in_its_turn(void **state)
{
	struct stage *stage = *state;

	stage->room = 0;
	asked(stage, 1, "room.out.maestro", &EXACT, false);
	answered(stage, 2, "room.in.web_ui", &UNPROVEN, false);
	stage->room = 1;
	answered(stage, 2, "room.in.web_ui", &EXACT, false);
	assert_int_equal(stage->count, 0);
	standings_flush(stage->standings);
	assert_int_equal(last_of(stage, "room.out.maestro"), STANDS_UNANSWERED);
	assert_int_equal(last_of(stage, "room.in.web_ui"), -1);
	stage->room = 1;
	standings_flush(stage->standings);
	assert_int_equal(last_of(stage, "room.in.web_ui"), STANDS_EXACT);
}

static void of_a_fleet_each_row_waits_once(void **state)
{
	struct stage *stage = *state;
	struct unit *units = calloc(2000, sizeof(*units));

	stage->room = 0;
	for (unsigned i = 0; i < 2000; i++) {
		units[i] = stage->unit;
		units[i].number = i + 2;
		for (unsigned flow = 0; flow < 20; flow++)
			note_of(stage, &units[i], 1 + i * 20 + flow, "room.out.dns", flow % 2 ? &EXACT : &OUTSIDE,
			        OUTCOME_ANSWERED, 0, flow % 3 == 0);
	}
	for (unsigned told = 0; told < 2000; told += 50) {
		stage->count = 0;
		stage->room = 50;
		standings_flush(stage->standings);
		assert_int_equal(stage->count, 50);
	}
	stage->count = 0;
	stage->room = 50;
	standings_flush(stage->standings);
	assert_int_equal(stage->count, 0);
	free(units);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(a_row_is_told_of_when_it_is_answered_not_when_its_flow_is_over),
		TEST(a_flood_of_flows_of_one_kind_is_told_once),
		TEST(what_an_open_flow_came_to_is_taken_back_by_a_later_word),
		TEST(what_is_over_is_not_taken_back_by_another_of_its_number),
		TEST(of_two_open_flows_that_came_to_the_same_one_may_go),
		TEST(silence_that_was_waited_for_is_blocked_and_stays),
		TEST(media_are_told_as_they_show),
		TEST(a_unit_is_told_of_whatever_it_does),
		TEST(rows_that_mirror_each_other_are_both_told),
		TEST(over_tcp_no_row_mirrors_another),
		TEST(both_ends_of_a_flow_may_be_units),
		TEST(without_room_a_row_waits_and_is_told_as_it_stands_then),
		TEST(a_row_that_waits_is_told_in_its_turn),
		TEST(of_a_fleet_each_row_waits_once),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
