/*
 * test_tidings.c - what the supervisor tells a recorder that is slow, or away.
 */
#include "monitor/process/tidings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

struct told {
	unsigned blinds, evidence;
	uint64_t count;
	struct event_blind last;
	char detail[UINT8_MAX + 1];
};

static struct told take_all(struct ring *control)
{
	struct told told = {0};
	const struct event *event;

	while ((event = ring_peek(control))) {
		assert_int_equal(event_check(event, event->len), 0);
		if (event->type == EVENT_BLIND) {
			const struct event_blind *blind = (const struct event_blind *)event;

			told.blinds++;
			told.count += blind->count;
			told.last = *blind;
			memcpy(told.detail, blind->detail, blind->detail_len);
			told.detail[blind->detail_len] = '\0';
		} else {
			assert_int_equal(event->type, EVENT_EVIDENCE);
			told.evidence++;
		}
		ring_take(control);
		ring_release(control);
	}
	return told;
}

static void an_interval_is_told_at_once(void **state)
{
	struct tidings tidings = {.control = ring_new(1)};
	struct told told;

	tidings_blind(&tidings, BLIND_LINK_DOWN, 10, 0, 1, "eth1");
	told = take_all(tidings.control);
	assert_int_equal(told.blinds, 1);
	assert_int_equal(told.last.cause, BLIND_LINK_DOWN);
	assert_int_equal(told.last.until_us, 0);
	assert_string_equal(told.detail, "eth1");
	ring_free(tidings.control);
}

static void one_that_would_end_before_it_begins_is_a_moment(void **state)
{
	struct tidings tidings = {.control = ring_new(1)};
	struct told told;

	tidings_blind(&tidings, BLIND_SENSOR_DOWN, 10, 4, 1, "");
	told = take_all(tidings.control);
	assert_int_equal(told.last.since_us, 10);
	assert_int_equal(told.last.until_us, 10);
	ring_free(tidings.control);
}

/* The recorder is stopped for long: nothing is waited for, and no restart goes uncounted. */
static void what_finds_no_room_waits_and_then_is_merged(void **state)
{
	struct tidings tidings = {.control = ring_new(1)};
	struct told told;
	const unsigned many = 5000;

	for (unsigned i = 0; i < many; i++)
		tidings_blind(&tidings, BLIND_INSPECTOR_DOWN, 100 + i, 101 + i, 1, "killed by SIGKILL");
	assert_int_equal(tidings.count, TIDINGS_MAX);
	told = take_all(tidings.control);
	for (unsigned round = 0; round < 20 && tidings.count; round++) {
		struct told more;

		tidings_flush(&tidings);
		more = take_all(tidings.control);
		told.count += more.count;
		told.last = more.last;
	}
	assert_int_equal(tidings.count, 0);
	assert_int_equal(told.count, many);
	assert_int_equal(told.last.until_us, 100 + many);
	ring_free(tidings.control);
}

static void a_packet_is_kept_up_to_its_limit_or_counted(void **state)
{
	struct tidings tidings = {.control = ring_new(1)};
	static const uint8_t packet[4000];

	for (unsigned i = 0; i < 100; i++)
		tidings_evidence(&tidings, BLIND_SENSOR_DOWN, 0, 1, 0, packet, sizeof(packet),
		                 sizeof(packet));
	assert_true(tidings.evidence_lost > 0);
	assert_int_equal(take_all(tidings.control).evidence + tidings.evidence_lost, 100);
	ring_free(tidings.control);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_interval_is_told_at_once),
		cmocka_unit_test(one_that_would_end_before_it_begins_is_a_moment),
		cmocka_unit_test(what_finds_no_room_waits_and_then_is_merged),
		cmocka_unit_test(a_packet_is_kept_up_to_its_limit_or_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
