/*
 * test_watcher.c - rows of a run that goes on: what is news, what is still to be done, when all is decided.
 */
#include "monitor/acceptance/watcher.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

#define NEWS_MAX 64
#define SITE \
	"site: Test\n" \
	"units:\n" \
	"  - {name: board, addresses: [10.1.0.7], profiles: [room]}\n" \
	"  - {name: huddle, addresses: [10.1.0.8], profiles: [room, touch]}\n"
#define WITH_FLOOR SITE "  - {name: floor, addresses: [10.1.8.0/24], profiles: [room]}\n"
#define TELLER 5

struct seen {
	char unit[32], row[ROW_ID_MAX], group[ROW_ID_MAX];
	uint8_t before, state, grade, blocked, whys;
	bool excused, by;
};

struct watch {
	struct policy *policy;
	struct watcher *watcher;
	int64_t teller;
	unsigned count;
	struct seen news[NEWS_MAX];
};

static void note(void *context, const struct watcher_news *news)
{
	struct watch *watch = context;
	struct seen *seen = &watch->news[watch->count++];

	assert_true(watch->count < NEWS_MAX);
	*seen = (struct seen){.before = news->before,
	                      .state = news->cell->state,
	                      .grade = news->cell->grade,
	                      .blocked = news->cell->blocked,
	                      .whys = news->cell->whys,
	                      .excused = news->cell->excused,
	                      .by = news->by != NULL};
	text_copy(seen->unit, sizeof(seen->unit), news->unit);
	text_copy(seen->row, sizeof(seen->row), watch->policy->rows[news->row].id);
	text_copy(seen->group, sizeof(seen->group), news->group ? news->group : "");
}

static int row_of(const struct watch *watch, const char *id)
{
	int row = envelope_find_row(watch->policy->envelope, id);

	assert_true(row >= 0);
	return row;
}

static struct watch *watch_load(const char *site)
{
	const struct policy_args args = {
		.site_path = "site.yaml", .site_text = site, .site_text_len = strlen(site)};
	struct watch *watch = calloc(1, sizeof(*watch));
	struct err err = {0};

	if (policy_load(&args, &watch->policy, &err) < 0)
		fail_msg("%s", err.text);
	watch->policy->owned_envelope->group_count = 0;
	watch->teller = TELLER;
	return watch;
}

static void watch_begin(struct watch *watch)
{
	struct err err = {0};

	assert_int_equal(watcher_new(watch->policy, note, watch, &watch->watcher, &err), 0);
}

static struct watch *watch_new(const char *site)
{
	struct watch *watch = watch_load(site);

	watch_begin(watch);
	return watch;
}

static void watch_freep(struct watch **watch)
{
	watcher_free((*watch)->watcher);
	policy_free((*watch)->policy);
	free(*watch);
}
#define WATCH(site) CLEANUP(watch_freep) struct watch *watch = watch_new(site)

/* A group of two rows that is made up. */
static void group(struct watch *watch, enum group_rule rule, const char *one, const char *other)
{
	struct envelope *envelope = watch->policy->owned_envelope;

	envelope->groups[envelope->group_count++] = (struct row_group){
		.id = "both",
		.profile = envelope->rows[row_of(watch, one)].profile,
		.rule = (uint8_t)rule,
		.row_count = 2,
		.rows = {(uint16_t)row_of(watch, one), (uint16_t)row_of(watch, other)}};
}

static void tell(struct watch *watch, const char *unit, uint32_t entry, const char *row, unsigned what)
{
	const struct exercised exercised = {.teller = watch->teller,
	                                    .entry = entry,
	                                    .row = (uint16_t)row_of(watch, row),
	                                    .standing = {.what = (uint16_t)what}};

	watcher_take(watch->watcher, unit, &exercised);
}

/* Every required row of the unit. */
static void tell_all(struct watch *watch, const char *unit, uint32_t entry, unsigned what)
{
	const struct policy *policy = watch->policy;

	for (size_t i = 0; i < policy->row_count; i++)
		if (policy->rows[i].need == NEED_REQUIRED &&
		    policy->units[entry].profiles & BIT(policy->rows[i].profile))
			tell(watch, unit, entry, policy->rows[i].id, what);
	watch->count = 0;
}

static void a_row_is_news_when_its_state_or_grade_changes(void **state)
{
	WATCH(SITE);

	tell(watch, "board", 0, "room.out.dns", STANDS_UNANSWERED);
	tell(watch, "board", 0, "room.out.dns", STANDS_WIDE);
	tell(watch, "board", 0, "room.out.dns", STANDS_WIDE | STANDS_OUTSIDE);
	tell(watch, "board", 0, "room.out.dns", STANDS_EXACT | STANDS_OUTSIDE);
	tell(watch, "board", 0, "room.out.maestro", STANDS_PROHIBITED);
	tell(watch, "board", 0, "touch.in.control", STANDS_EXACT); /* of none of its profiles */
	assert_int_equal(watch->count, 4);
	assert_string_equal(watch->news[0].unit, "board");
	assert_string_equal(watch->news[0].row, "room.out.dns");
	assert_int_equal(watch->news[0].before, CELL_NOT_EXERCISED);
	assert_int_equal(watch->news[0].state, CELL_UNDETERMINED);
	assert_int_equal(watch->news[0].whys, CELL_WHY_UNANSWERED);
	assert_int_equal(watch->news[1].state, CELL_OK);
	assert_int_equal(watch->news[1].grade, GRADE_WIDE);
	assert_int_equal(watch->news[2].before, CELL_OK);
	assert_int_equal(watch->news[2].grade, GRADE_EXACT);
	assert_int_equal(watch->news[3].blocked, KIND_BLOCKED_PROHIBITED);
	assert_true(watch->news[3].by);
}

static void what_is_taken_back_is_news_and_open_again(void **state)
{
	WATCH(SITE);

	tell_all(watch, "board", 0, STANDS_EXACT);
	tell_all(watch, "huddle", 1, STANDS_EXACT);
	assert_true(watcher_is_decided(watch->watcher));
	tell(watch, "board", 0, "room.out.dns", 0);
	assert_int_equal(watch->count, 1);
	assert_int_equal(watch->news[0].state, CELL_NOT_EXERCISED);
	assert_false(watcher_is_decided(watch->watcher));
	tell(watch, "board", 0, "room.out.dns", STANDS_SILENT);
	assert_true(watcher_is_decided(watch->watcher));
}

static void every_listed_unit_must_be_decided(void **state)
{
	WATCH(SITE);
	const struct watcher_sums *sums = watcher_sums(watch->watcher);
	size_t required = sums->required;

	assert_int_equal(sums->units, 2);
	assert_int_equal(sums->seen, 0);
	assert_true(required > 0);
	tell_all(watch, "board", 0, STANDS_REFUSED);
	assert_int_equal(sums->seen, 1);
	assert_int_equal(sums->decided, required / 2); /* touch has none */
	assert_false(watcher_is_decided(watch->watcher));
	tell_all(watch, "huddle", 1, STANDS_OUTSIDE);
	assert_int_equal(sums->decided, required);
	assert_true(watcher_is_decided(watch->watcher));
}

static void what_is_only_tried_is_not_decided(void **state)
{
	WATCH(SITE);
	struct cell cell;
	size_t dns = (size_t)row_of(watch, "room.out.dns");

	tell_all(watch, "huddle", 1, STANDS_EXACT);
	tell_all(watch, "board", 0, STANDS_UNANSWERED | STANDS_ONE_SIDED | STANDS_UNDETERMINED);
	assert_false(watcher_is_decided(watch->watcher));
	assert_true(watcher_undetermined(watch->watcher, 0, dns, &cell));
	assert_int_equal(cell.whys, CELL_WHY_UNANSWERED | CELL_WHY_ONE_SIDED | CELL_WHY_VERDICT);
	assert_false(watcher_undetermined(watch->watcher, 1, dns, &cell));
}

static void what_another_row_excuses_is_not_asked_after(void **state)
{
	CLEANUP(watch_freep) struct watch *watch = watch_load(SITE);
	struct cell cell;
	size_t dns = (size_t)row_of(watch, "room.out.dns");

	group(watch, GROUP_ONE_OF, "room.out.dns", "room.out.maestro");
	watch_begin(watch);
	tell(watch, "board", 0, "room.out.dns", STANDS_UNANSWERED);
	assert_true(watcher_undetermined(watch->watcher, 0, dns, &cell));
	tell(watch, "board", 0, "room.out.maestro", STANDS_EXACT);
	assert_false(watcher_undetermined(watch->watcher, 0, dns, &cell));
}

static void of_an_entry_for_many_hosts_each_that_is_seen_counts(void **state)
{
	WATCH(WITH_FLOOR);
	size_t required = watcher_sums(watch->watcher)->required;

	tell_all(watch, "board", 0, STANDS_EXACT);
	tell_all(watch, "huddle", 1, STANDS_EXACT);
	assert_int_equal(watcher_sums(watch->watcher)->decided, required);
	assert_false(watcher_is_decided(watch->watcher)); /* no host of the floor was seen */
	tell(watch, "floor/10.1.8.3", 2, "room.out.dns", 0);
	assert_int_equal(watcher_sums(watch->watcher)->units, 3);
	assert_int_equal(watcher_sums(watch->watcher)->required, required / 2 * 3);
	assert_false(watcher_is_decided(watch->watcher));
	tell_all(watch, "floor/10.1.8.3", 2, STANDS_EXACT);
	assert_true(watcher_is_decided(watch->watcher));
	tell(watch, "floor/10.1.8.4", 2, "room.out.dns", STANDS_EXACT);
	assert_false(watcher_is_decided(watch->watcher));
}

static void what_a_recorder_that_died_had_told_stays(void **state)
{
	WATCH(SITE);

	tell(watch, "board", 0, "room.out.dns", STANDS_EXACT);
	watch->teller++;
	tell(watch, "board", 0, "room.out.dns", STANDS_UNANSWERED);
	assert_int_equal(watch->count, 1);
	tell(watch, "board", 0, "room.out.maestro", STANDS_WIDE);
	tell(watch, "board", 0, "room.out.maestro", 0); /* its own it may take back */
	assert_int_equal(watch->count, 3);
	assert_int_equal(watch->news[2].state, CELL_NOT_EXERCISED);
}

static void of_rows_of_which_one_does_the_others_are_not_needed(void **state)
{
	CLEANUP(watch_freep) struct watch *watch = watch_load(SITE);

	group(watch, GROUP_ONE_OF, "room.out.dns", "room.out.maestro");
	watch_begin(watch);
	tell_all(watch, "huddle", 1, STANDS_EXACT);
	tell_all(watch, "board", 0, STANDS_EXACT);
	tell(watch, "board", 0, "room.out.maestro", 0);
	assert_int_equal(watch->count, 1);
	assert_true(watch->news[0].excused);
	assert_string_equal(watch->news[0].group, "both");
	assert_true(watcher_is_decided(watch->watcher));
	tell(watch, "board", 0, "room.out.dns", 0);
	assert_int_equal(watch->count, 3); /* the other one is needed again */
	assert_false(watcher_is_decided(watch->watcher));
}

static void rows_that_nobody_can_tell_apart_turn_together(void **state)
{
	CLEANUP(watch_freep) struct watch *watch = watch_load(SITE);

	group(watch, GROUP_TOGETHER, "room.out.dns", "room.out.maestro");
	watch_begin(watch);
	tell(watch, "board", 0, "room.out.maestro", STANDS_UNPROVEN);
	assert_int_equal(watch->count, 2);
	assert_string_equal(watch->news[0].row, "room.out.dns");
	assert_int_equal(watch->news[0].state, CELL_OK);
	assert_string_equal(watch->news[0].group, "both");
	assert_false(watch->news[0].by);
	assert_true(watch->news[1].by);
	assert_int_equal(watcher_sums(watch->watcher)->decided, 2);
}

/* cells.c decides in the report: both must say the same. */
static void all_is_decided_when_each_unit_is(void **state)
{
	CLEANUP(watch_freep) struct watch *watch = watch_load(
		"site: Test\nunits:\n  - {name: board, addresses: [10.1.0.7], profiles: [room, online]}\n");
	const struct policy *policy = watch->policy;
	CLEANUP(freep) struct cell *cells = calloc(policy->row_count, sizeof(*cells));
	uint32_t seed = 1;
	unsigned yes = 0, no = 0;

	group(watch, GROUP_ONE_OF, "room.out.dns", "room.out.maestro");
	group(watch, GROUP_ONE_OF, "online.out.audio", "online.out.relay_udp");
	group(watch, GROUP_TOGETHER, "online.out.sip_tls", "online.out.psom_tls");
	for (unsigned round = 0; round < 300; round++) {
		bool decided;

		watch_begin(watch);
		for (size_t i = 0; i < policy->row_count; i++) {
			static const uint16_t WHATS[] = {STANDS_EXACT, STANDS_SILENT, STANDS_EXACT, STANDS_UNANSWERED};
			unsigned pick = (seed = seed * 1103515245 + 12345) >> 24;
			unsigned what = pick < round % 30 ? 0 : WHATS[pick % 4 & (pick < 160 ? 1 : 3)];

			cells[i] = (struct cell){.exact = what & STANDS_EXACT,
			                         .silent = what & STANDS_SILENT,
			                         .unwaived = what & STANDS_SILENT,
			                         .unanswered = what & STANDS_UNANSWERED};
			cell_settle(&cells[i]);
			watch->count = 0;
			tell(watch, "board", 0, policy->rows[i].id, what);
		}
		decided = unit_is_decided(policy, policy->units[0].profiles, cells);
		assert_int_equal(watcher_is_decided(watch->watcher), decided);
		yes += decided;
		no += !decided;
		watcher_free(watch->watcher);
		watch->watcher = NULL;
	}
	assert_true(yes > 10 && no > 10);
}

static void what_to_do_is_how_the_first_idle_rows_are_exercised(void **state)
{
	WATCH(SITE);
	struct watcher_todo todo;

	assert_true(watcher_todo(watch->watcher, &todo));
	assert_string_equal(todo.unit, "board");
	assert_false(todo.seen);
	assert_int_equal(todo.rows[0], row_of(watch, "room.out.dns"));
	assert_string_equal(todo.exercise, watch->policy->rows[todo.rows[0]].exercise);
	assert_int_equal(todo.row_count, 3); /* DNS and DHCP come with the same */
	tell(watch, "board", 0, "room.out.dns", STANDS_UNANSWERED); /* it was exercised: nothing to do */
	assert_true(watcher_todo(watch->watcher, &todo));
	assert_int_equal(todo.rows[0], row_of(watch, "room.out.dhcp"));
	assert_true(todo.seen);
	tell_all(watch, "board", 0, STANDS_EXACT);
	assert_true(watcher_todo(watch->watcher, &todo));
	assert_string_equal(todo.unit, "huddle");
	tell_all(watch, "huddle", 1, STANDS_EXACT);
	assert_false(watcher_todo(watch->watcher, &todo));
}

static void nonsense_changes_nothing(void **state)
{
	WATCH(SITE);
	struct exercised exercised = {.row = UINT16_MAX, .standing = {.what = STANDS_EXACT}};

	watcher_take(watch->watcher, "board", &exercised);
	exercised.row = 0;
	exercised.entry = 2;
	watcher_take(watch->watcher, "board", &exercised);
	assert_int_equal(watch->count, 0);
	assert_int_equal(watcher_sums(watch->watcher)->seen, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_row_is_news_when_its_state_or_grade_changes),
		cmocka_unit_test(what_is_taken_back_is_news_and_open_again),
		cmocka_unit_test(every_listed_unit_must_be_decided),
		cmocka_unit_test(what_is_only_tried_is_not_decided),
		cmocka_unit_test(what_another_row_excuses_is_not_asked_after),
		cmocka_unit_test(of_an_entry_for_many_hosts_each_that_is_seen_counts),
		cmocka_unit_test(what_a_recorder_that_died_had_told_stays),
		cmocka_unit_test(of_rows_of_which_one_does_the_others_are_not_needed),
		cmocka_unit_test(rows_that_nobody_can_tell_apart_turn_together),
		cmocka_unit_test(all_is_decided_when_each_unit_is),
		cmocka_unit_test(what_to_do_is_how_the_first_idle_rows_are_exercised),
		cmocka_unit_test(nonsense_changes_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
