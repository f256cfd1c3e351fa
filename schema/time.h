/*
 * time.h - times are int64_t microseconds since the epoch, UTC; here they become text and back.
 */
#ifndef SCHEMA_TIME_H
#define SCHEMA_TIME_H

#include "schema/base.h"

#define TIME_TEXT 32
#define SECOND_US INT64_C(1000000)

/* "2026-11-22T09:39:40.123456Z". Returns `buf`. */
const char *time_print(int64_t us, char buf[TIME_TEXT]);
/* "2026-11-22 09:39:40" in the local zone (TZ). Returns `buf`. */
const char *time_print_local(int64_t us, char buf[TIME_TEXT]);
/* "+0100": of local time then */
const char *time_print_offset(int64_t us, char buf[TIME_TEXT]);
/* False: $TZ names a zone that this host does not know, and local times are UTC (tzset(3)). */
bool time_zone_is_known(void);
/* "3 d 4 h", "2 h 5 min", "2 min 5 s", "12.5 s", "18 ms"; less than nothing is nothing. Returns `buf`. */
const char *time_print_span(int64_t us, char buf[TIME_TEXT]);

/*
 * Reads a point in time as a person writes it: "2026-11-22", "2026-11-22T09:39[:40[.123456]]"
 * (a blank may stand for the T), "09:39[:40]" (that day's, where `now_us` lies), each local
 * unless followed by Z or +hh:mm; "2h", "15m", "30s", "7d" (that long before `now_us`), "now".
 * *ret_relative (may be NULL) says whether it was counted back from `now_us`.
 * Returns 0 or -EINVAL with `err` filled; err says what is accepted.
 */
int time_parse(const char *text, int64_t now_us, int64_t *ret_us, bool *ret_relative,
               struct err *err) MUST_CHECK;
/* "22:00[:40]" and nothing more: a clock time of any day, local. */
bool time_is_clock(const char *text);
/* The same local clock time so many days later (negative: earlier), whatever the clock did between. */
int64_t time_add_days(int64_t us, int days);
/* "15m", "90s", "2h", "7d", "500ms" -> microseconds. Returns 0 or -EINVAL with `err` filled. */
int time_parse_span(const char *text, int64_t *ret_us, struct err *err) MUST_CHECK;
/* "2026-12-31" -> the last microsecond of that day, UTC. Returns 0 or -EINVAL. */
int time_parse_day_end(const char *text, int64_t *ret_us) MUST_CHECK;

#endif
