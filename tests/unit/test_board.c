/*
 * test_board.c - what a role that was taken over can do to the board: write its own section, and no
 * other; and what the supervisor makes of what it finds there.
 */
#include "monitor/process/board.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#define FOR_ROLES(role) \
	for (enum process_role role = PROCESS_SENSOR; role <= PROCESS_EXPORTER; role++)

static const struct place {
	const char *name;
	size_t at, size;
	enum process_role role; /* whose it is; SUPERVISOR: nobody else's */
} PLACES[] = {
#define PLACE(member, role) \
	{#member, offsetof(struct board, member), sizeof(((struct board *)0)->member), role}
	PLACE(memory, PROCESS_SUPERVISOR),
	PLACE(stop, PROCESS_SUPERVISOR),
	PLACE(inspector_off, PROCESS_SUPERVISOR),
	PLACE(role[PROCESS_SUPERVISOR], PROCESS_SUPERVISOR),
	PLACE(role[PROCESS_SENSOR], PROCESS_SENSOR),
	PLACE(role[PROCESS_INSPECTOR], PROCESS_INSPECTOR),
	PLACE(role[PROCESS_RECORDER], PROCESS_RECORDER),
	PLACE(role[PROCESS_EXPORTER], PROCESS_EXPORTER),
	PLACE(counters, PROCESS_SENSOR),
	PLACE(seen_us, PROCESS_SENSOR),
	PLACE(frame, PROCESS_SENSOR),
	PLACE(refused_opinions, PROCESS_INSPECTOR),
	PLACE(exported, PROCESS_EXPORTER),
	PLACE(export_fails, PROCESS_EXPORTER),
	PLACE(run, PROCESS_RECORDER),
	PLACE(committed, PROCESS_RECORDER),
	PLACE(result, PROCESS_RECORDER),
#undef PLACE
};

static void on_fault(int number)
{
	_exit(100 + number);
}

/* The status of a child that is `role`, and that writes the first and the last byte of the place. */
static int status_of_writer(struct board *board, enum process_role role, const struct place *place,
                            bool unlock)
{
	pid_t pid = fork();
	int status;

	if (!pid) {
		uint8_t *at = (uint8_t *)board + place->at;
		uint8_t *page = (uint8_t *)board + place->at / BOARD_PAGE * BOARD_PAGE;

		prctl(PR_SET_PDEATHSIG, SIGKILL);
		signal(SIGSEGV, on_fault);
		if (board_keep(board, role, NULL) < 0)
			_exit(3);
		if (unlock && !mprotect(page, BOARD_PAGE, PROT_READ | PROT_WRITE))
			_exit(4);
		*(volatile uint8_t *)at = 0x5a;
		*(volatile uint8_t *)(at + place->size - 1) = 0x5a;
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void a_role_writes_its_own_section_and_no_other(void **state)
{
	FOR_ROLES(role) {
		for (size_t i = 0; i < ARRAY_LEN(PLACES); i++) {
			struct board *board = board_new();
			bool own = PLACES[i].role == role;
			const uint8_t *at = (const uint8_t *)board + PLACES[i].at;

			assert_non_null(board);
			if (status_of_writer(board, role, &PLACES[i], false) !=
			    (own ? 0 : 100 + SIGSEGV))
				fail_msg("%s, %s", process_role_name(role), PLACES[i].name);
			assert_int_equal(at[PLACES[i].size - 1], own ? 0x5a : 0);
			board_free(board);
		}
	}
}

static void no_role_can_make_another_s_section_writable_again(void **state)
{
	FOR_ROLES(role) {
		for (size_t i = 0; i < ARRAY_LEN(PLACES); i++) {
			struct board *board = board_new();

			if (PLACES[i].role != role)
				assert_int_equal(
					status_of_writer(board, role, &PLACES[i], true),
					100 + SIGSEGV);
			board_free(board);
		}
	}
}

static void every_bell_can_be_rung_by_all(void **state)
{
	static const struct place bells = {"bell", offsetof(struct board, bell),
	                                   sizeof(((struct board *)0)->bell), PROCESS_SENSOR};
	struct board *board = board_new();

	FOR_ROLES(role)
		assert_int_equal(status_of_writer(board, role, &bells, false), 0);
	board_free(board);
}

static void an_error_without_an_end_gets_one_and_says_nothing_to_the_terminal(void **state)
{
	struct board *board = board_new();
	struct board_role *sensor = &board->role[PROCESS_SENSOR];
	char missing[SANDBOX_MISSING];
	struct err err;

	memset(&sensor->err, 'x', sizeof(sensor->err));
	memset(sensor->missing, 'y', sizeof(sensor->missing));
	memcpy(sensor->err.text, "a\033[2J\nb\177", 8);
	sensor->err.code = 1;
	board_err(board, PROCESS_SENSOR, &err);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	assert_memory_equal(err.text, "a?[2J\nb?x", 9);
	assert_int_equal(err.code, -EIO);
	board_missing(board, PROCESS_SENSOR, missing);
	assert_int_equal(strlen(missing), sizeof(missing) - 1);

	memset(&sensor->err, 0, sizeof(sensor->err));
	board_err(board, PROCESS_SENSOR, &err);
	assert_true(err.code < 0 && *err.text);
	board_free(board);
}

static void a_result_holds_no_more_strangers_than_there_is_room_for(void **state)
{
	struct board *board = board_new();
	struct run_result *result = malloc(sizeof(*result));

	assert_non_null(result);
	memset(&board->result, 0xff, sizeof(board->result));
	board->refused_opinions = 7;
	board_result(board, result);
	assert_int_equal(result->strangers.count, STRANGERS_MAX);
	for (size_t i = 0; i < STRANGERS_MAX; i++)
		assert_int_equal(strlen(result->strangers.list[i].name), NAME_MAX_LEN);
	assert_int_equal(result->refused_opinions, 7);
	free(result);
	board_free(board);
}

static void a_frame_is_evidence_only_if_all_of_it_makes_sense(void **state)
{
	static const struct board_frame sound = {.time_us = 1, .wire_len = 60, .len = 60};
	const struct {
		struct board_frame frame;
		bool taken;
	} cases[] = {
		{sound, true},
		{{.time_us = 1, .len = 0}, false},
		{{.time_us = 1, .len = EVIDENCE_MAX}, true},
		{{.time_us = 1, .len = EVIDENCE_MAX + 1}, false},
		{{.time_us = -1, .len = 60}, false},
		{{.time_us = EVENT_NUMBER_MAX + 1, .len = 60}, false},
		{{.time_us = 1, .len = 60, .link = LINK_LOOPBACK + 1}, false},
	};
	struct board *board = board_new();
	struct board_frame frame;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		board->frame = cases[i].frame;
		assert_int_equal(board_frame(board, &frame), cases[i].taken);
	}
	board_free(board);
}

static void times_and_counters_stay_where_sums_of_them_fit(void **state)
{
	struct board *board = board_new();

	board->seen_us = INT64_MIN;
	assert_int_equal(board_time(&board->seen_us), 0);
	board->seen_us = INT64_MAX;
	assert_int_equal(board_time(&board->seen_us), EVENT_NUMBER_MAX);
	board->seen_us = 5;
	assert_int_equal(board_time(&board->seen_us), 5);
	assert_true(board_counters(&board->counters));
	board->counters.young_shed = UINT64_MAX; /* the last one */
	assert_false(board_counters(&board->counters));
	board_free(board);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_role_writes_its_own_section_and_no_other),
		cmocka_unit_test(no_role_can_make_another_s_section_writable_again),
		cmocka_unit_test(every_bell_can_be_rung_by_all),
		cmocka_unit_test(an_error_without_an_end_gets_one_and_says_nothing_to_the_terminal),
		cmocka_unit_test(a_result_holds_no_more_strangers_than_there_is_room_for),
		cmocka_unit_test(a_frame_is_evidence_only_if_all_of_it_makes_sense),
		cmocka_unit_test(times_and_counters_stay_where_sums_of_them_fit),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
