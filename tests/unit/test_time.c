/*
 * test_time.c - times as people write them.
 */
#include "schema/time.h"

#include <setjmp.h>
#include <stdarg.h>
#include <time.h>
#include <cmocka.h>

#define NOW INT64_C(1795340380123456) /* 2026-11-22T09:39:40.123456Z */

/* Spelt out, so that no zone files need be installed. */
#define BERLIN "CET-1CEST,M3.5.0,M10.5.0/3"
#define AUCKLAND "NZST-12NZDT,M9.5.0,M4.1.0/3"

static void zone(const char *name)
{
	setenv("TZ", name, 1);
	tzset();
}

static void prints_utc_with_microseconds(void **state)
{
	char buf[TIME_TEXT];

	assert_string_equal(time_print(NOW, buf), "2026-11-22T09:39:40.123456Z");
	assert_string_equal(time_print(0, buf), "1970-01-01T00:00:00.000000Z");
	assert_string_equal(time_print(-1, buf), "1969-12-31T23:59:59.999999Z");
}

static void prints_local_time_by_the_zone(void **state)
{
	char buf[TIME_TEXT];

	zone(BERLIN);
	assert_string_equal(time_print_local(NOW, buf), "2026-11-22 10:39:40");
	zone("UTC");
	assert_string_equal(time_print_local(NOW, buf), "2026-11-22 09:39:40");
}

static void a_day_later_is_the_same_clock_time(void **state)
{
	char buf[TIME_TEXT];

	zone(BERLIN); /* 2026-10-25 has 25 hours there */
	assert_string_equal(time_print(time_add_days(INT64_C(1792918800000007), -1), buf),
	                    "2026-10-24T08:00:00.000007Z");
	assert_string_equal(time_print(time_add_days(INT64_C(1792828800000000), 1), buf),
	                    "2026-10-25T09:00:00.000000Z");
	assert_true(time_is_clock("22:00") && time_is_clock("22:00:40"));
	assert_false(time_is_clock("22:00Z") || time_is_clock("2h") || time_is_clock("now") ||
	             time_is_clock("2026-11-22") || time_is_clock("2026-11-22T09:39"));
	zone("UTC");
}

static const struct {
	const char *zone, *text, *utc;
	bool relative;
} ACCEPTED[] = {
	{"UTC", "2026-11-22", "2026-11-22T00:00:00.000000Z", false},
	{"UTC", "2026-11-22T09:39", "2026-11-22T09:39:00.000000Z", false},
	{"UTC", "2026-11-22 09:39:40", "2026-11-22T09:39:40.000000Z", false},
	{"UTC", "2026-11-22T09:39:40.5", "2026-11-22T09:39:40.500000Z", false},
	{"UTC", "2026-11-22T09:39:40.123456Z", "2026-11-22T09:39:40.123456Z", false},
	{"UTC", "2026-11-22T09:39:40.123456789Z", "2026-11-22T09:39:40.123456Z", false},
	{BERLIN, "2026-11-22T09:39", "2026-11-22T08:39:00.000000Z", false},
	{BERLIN, "2026-07-01T09:39", "2026-07-01T07:39:00.000000Z", false}, /* summer */
	{BERLIN, "2026-11-22T09:39Z", "2026-11-22T09:39:00.000000Z", false},
	{BERLIN, "2026-11-22T09:39+03:00", "2026-11-22T06:39:00.000000Z", false},
	{BERLIN, "2026-11-22T09:39-0530", "2026-11-22T15:09:00.000000Z", false},
	{BERLIN, "2026-11-22Z", "2026-11-22T00:00:00.000000Z", false},
	{"UTC", "02:00", "2026-11-22T02:00:00.000000Z", false},
	{"UTC", "02:00:01.25", "2026-11-22T02:00:01.250000Z", false},
	{BERLIN, "02:00", "2026-11-22T01:00:00.000000Z", false},
	{AUCKLAND, "02:00", "2026-11-21T13:00:00.000000Z", false}, /* it is the 22nd there */
	{BERLIN, "02:00Z", "2026-11-22T02:00:00.000000Z", false},
	{"UTC", "2028-02-29", "2028-02-29T00:00:00.000000Z", false},
	{"UTC", "now", "2026-11-22T09:39:40.123456Z", true},
	{"UTC", "2h", "2026-11-22T07:39:40.123456Z", true},
	{"UTC", "15m", "2026-11-22T09:24:40.123456Z", true},
	{"UTC", "30s", "2026-11-22T09:39:10.123456Z", true},
	{"UTC", "7d", "2026-11-15T09:39:40.123456Z", true},
};

static void reads_every_accepted_form(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(ACCEPTED); i++) {
		struct err err = {0};
		char buf[TIME_TEXT];
		bool relative;
		int64_t us;

		zone(ACCEPTED[i].zone);
		if (time_parse(ACCEPTED[i].text, NOW, &us, &relative, &err) < 0)
			fail_msg("%s: %s", ACCEPTED[i].text, err.text);
		if (strcmp(time_print(us, buf), ACCEPTED[i].utc) ||
		    relative != ACCEPTED[i].relative)
			fail_msg("%s in %s became %s", ACCEPTED[i].text, ACCEPTED[i].zone, buf);
	}
	zone("UTC");
}

static void refuses_what_is_no_time(void **state)
{
	static const char *const texts[] = {
		"",
		" ",
		"yesterday",
		"2026",
		"2026-11",
		"2026-13-01",
		"2026-02-29",
		"2100-02-29",
		"2026-11-31",
		"2026-11-22T",
		"2026-11-22T9:39",
		"2026-11-22T24:00",
		"2026-11-22T09:60",
		"2026-11-22T09:39:60",
		"2026-11-22T09:39:40.",
		"2026-11-22T09:39X",
		"2026-11-22T09:39+1",
		"2026-11-22T09:39+15:00",
		"2026-11-22T09:39Z ",
		"2026-11-22x",
		"1969-12-31",
		"-2h",
		"2",
		"2x",
		"h",
		"2h3",
		"1e3s",
		"9999999999s",
		"09:3",
		"9:39",
		"25:00",
		"2026/11/22",
	};

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		struct err err = {0};
		int64_t us = 77;

		if (time_parse(texts[i], NOW, &us, NULL, &err) != -EINVAL || us != 77)
			fail_msg("'%s' was taken for a time", texts[i]);
		assert_non_null(strstr(err.text, "accepted: 2026-11-22"));
	}
}

static void reads_spans(void **state)
{
	struct err err;
	int64_t us;

	assert_int_equal(time_parse_span("500ms", &us, &err), 0);
	assert_int_equal(us, 500000);
	assert_int_equal(time_parse_span("90s", &us, &err), 0);
	assert_int_equal(us, 90 * SECOND_US);
	assert_int_equal(time_parse_span("2h", &us, &err), 0);
	assert_int_equal(us, 7200 * SECOND_US);
	assert_int_equal(time_parse_span("4w", &us, &err), 0);
	assert_int_equal(us, 28 * 86400 * SECOND_US);
	assert_int_equal(time_parse_span("15", &us, &err), -EINVAL);
	assert_non_null(strstr(err.text, "15m"));
	assert_int_equal(time_parse_span("999999999w", &us, &err),
			 -EINVAL); /* 19 million years do not fit */
}

static void the_end_of_a_day_is_its_last_microsecond(void **state)
{
	char buf[TIME_TEXT];
	int64_t us;

	assert_int_equal(time_parse_day_end("2026-12-31", &us), 0);
	assert_string_equal(time_print(us, buf), "2026-12-31T23:59:59.999999Z");
	assert_int_equal(time_parse_day_end("2026-12-32", &us), -EINVAL);
	assert_int_equal(time_parse_day_end("2026-12-31T00:00", &us), -EINVAL);
	assert_int_equal(time_parse_day_end("", &us), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(prints_utc_with_microseconds),
		cmocka_unit_test(prints_local_time_by_the_zone),
		cmocka_unit_test(a_day_later_is_the_same_clock_time),
		cmocka_unit_test(reads_every_accepted_form),
		cmocka_unit_test(refuses_what_is_no_time),
		cmocka_unit_test(reads_spans),
		cmocka_unit_test(the_end_of_a_day_is_its_last_microsecond),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
