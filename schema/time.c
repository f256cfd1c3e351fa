/*
 * time.c - see time.h. Dates are read by hand: strptime() takes "2026-02-31" and half a text.
 */
#include "schema/time.h"

#include <ctype.h>
#include <time.h>
#include <unistd.h>

static int64_t seconds_of(int64_t us, int64_t *ret_rest)
{
	int64_t rest = us % SECOND_US;

	if (rest < 0)
		rest += SECOND_US;
	*ret_rest = rest;
	return (us - rest) / SECOND_US;
}

const char *time_print(int64_t us, char buf[TIME_TEXT])
{
	int64_t rest;
	time_t seconds = seconds_of(us, &rest);
	struct tm tm = {0};
	size_t used;

	gmtime_r(&seconds, &tm);
	used = strftime(buf, TIME_TEXT, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(buf + used, TIME_TEXT - used, ".%06dZ", (int)rest);
	return buf;
}

const char *time_print_local(int64_t us, char buf[TIME_TEXT])
{
	int64_t rest;
	time_t seconds = seconds_of(us, &rest);
	struct tm tm = {0};

	localtime_r(&seconds, &tm);
	strftime(buf, TIME_TEXT, "%Y-%m-%d %H:%M:%S", &tm);
	return buf;
}

const char *time_print_offset(int64_t us, char buf[TIME_TEXT])
{
	int64_t rest;
	time_t seconds = seconds_of(us, &rest);
	struct tm tm = {0};

	localtime_r(&seconds, &tm);
	strftime(buf, TIME_TEXT, "%z", &tm);
	return buf;
}

const char *time_print_span(int64_t us, char buf[TIME_TEXT])
{
	long long s = us / SECOND_US;

	if (s >= 86400)
		snprintf(buf, TIME_TEXT, "%lld d %lld h", s / 86400, s / 3600 % 24);
	else if (s >= 3600)
		snprintf(buf, TIME_TEXT, "%lld h %lld min", s / 3600, s / 60 % 60);
	else if (s >= 60)
		snprintf(buf, TIME_TEXT, "%lld min %lld s", s / 60, s % 60);
	else if (s >= 1) /* cut, not rounded: never 60.0 s */
		snprintf(buf, TIME_TEXT, "%lld.%lld s", s, (long long)(us / 100000 % 10));
	else
		snprintf(buf, TIME_TEXT, "%lld ms", us > 0 ? (long long)(us / 1000) : 0);
	return buf;
}

/* "CET-1CEST,M3.5.0,M10.5.0/3", "<+03>-3": a zone spelt out needs no file. */
static bool zone_is_spelt_out(const char *zone)
{
	size_t letters = 0;

	while (isalpha((unsigned char)zone[letters]))
		letters++;
	return *zone == '<' ||
	       (letters >= 3 && zone[letters] && strchr("+-0123456789", zone[letters]));
}

bool time_zone_is_known(void)
{
	const char *zone = getenv("TZ"), *dir = getenv("TZDIR");
	CLEANUP(freep) char *path = NULL;

	if (zone && *zone == ':')
		zone++;
	if (!zone || !*zone || !strcmp(zone, "UTC") || !strcmp(zone, "GMT") ||
	    zone_is_spelt_out(zone))
		return true;
	if (asprintf(&path, "%s%s%s", *zone == '/' ? "" : dir ? dir : "/usr/share/zoneinfo",
	             *zone == '/' ? "" : "/", zone) < 0) {
		path = NULL;
		return true;
	}
	return !access(path, R_OK);
}

/* Exactly `digits` digits, worth `low` to `high`; -1 if they do not stand there. */
static int number(const char **text, unsigned digits, int low, int high)
{
	int value = 0;

	for (unsigned i = 0; i < digits; i++) {
		if (!isdigit((unsigned char)(*text)[i]))
			return -1;
		value = value * 10 + (*text)[i] - '0';
	}
	if (value < low || value > high)
		return -1;
	*text += digits;
	return value;
}

static bool word(const char **text, char c)
{
	if (**text != c)
		return false;
	++*text;
	return true;
}

/* "2026-11-22". Dates before the epoch and beyond four digits are typing errors. */
static bool read_date(const char **text, struct tm *tm)
{
	static const uint8_t days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	int year = number(text, 4, 1970, 9999), month, day;

	if (year < 0 || !word(text, '-') || (month = number(text, 2, 1, 12)) < 0 ||
	    !word(text, '-') || (day = number(text, 2, 1, 31)) < 0)
		return false;
	if (day > days[month - 1] +
	                  (month == 2 && year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)))
		return false;
	tm->tm_year = year - 1900;
	tm->tm_mon = month - 1;
	tm->tm_mday = day;
	return true;
}

/* "09:39[:40[.123456]]" */
static bool read_clock(const char **text, struct tm *tm, int64_t *ret_rest)
{
	int64_t unit = SECOND_US;

	*ret_rest = 0;
	tm->tm_sec = 0;
	if ((tm->tm_hour = number(text, 2, 0, 23)) < 0 || !word(text, ':') ||
	    (tm->tm_min = number(text, 2, 0, 59)) < 0)
		return false;
	if (!word(text, ':'))
		return true;
	if ((tm->tm_sec = number(text, 2, 0, 59)) < 0)
		return false;
	if (!word(text, '.'))
		return true;
	if (!isdigit((unsigned char)**text))
		return false;
	for (; isdigit((unsigned char)**text); ++*text) {
		unit /= 10;
		*ret_rest += (**text - '0') * unit;
	}
	return true;
}

/* "Z", "+01:00", or nothing: local. */
static bool read_zone(const char **text, bool *ret_local, int *ret_offset_s)
{
	int sign = **text == '-' ? -1 : 1, hours, minutes;

	*ret_offset_s = 0;
	*ret_local = !**text;
	if (*ret_local || word(text, 'Z') || word(text, 'z'))
		return true;
	if ((!word(text, '+') && !word(text, '-')) || (hours = number(text, 2, 0, 14)) < 0)
		return false;
	word(text, ':');
	if ((minutes = number(text, 2, 0, 59)) < 0)
		return false;
	*ret_offset_s = sign * (hours * 3600 + minutes * 60);
	return true;
}

/* A date, a clock time, or both. */
static bool read_point(const char *text, int64_t now_us, int64_t *ret_us)
{
	bool has_date = strlen(text) >= 5 && text[4] == '-', local;
	struct tm tm = {.tm_isdst = -1};
	const char *zone = text;
	int64_t rest = 0;
	time_t seconds;
	int offset_s;

	if (has_date && !read_date(&text, &tm))
		return false;
	if ((!has_date || word(&text, 'T') || word(&text, 't') || word(&text, ' ')) &&
	    !read_clock(&text, &tm, &rest))
		return false;
	zone = text;
	if (!read_zone(&text, &local, &offset_s) || *text)
		return false;
	if (!has_date) { /* that day's, in the zone it is told in */
		struct tm day = {0};
		int64_t unused;

		seconds = seconds_of(now_us, &unused) + offset_s;
		if (*zone)
			gmtime_r(&seconds, &day);
		else
			localtime_r(&seconds, &day);
		tm.tm_year = day.tm_year;
		tm.tm_mon = day.tm_mon;
		tm.tm_mday = day.tm_mday;
	}
	seconds = local ? mktime(&tm) : timegm(&tm) - offset_s;
	*ret_us = seconds * SECOND_US + rest;
	return true;
}

/* Digits and a unit of time, no more than some thousand years. */
static bool read_span(const char *text, int64_t *ret_us)
{
	static const struct {
		const char *name;
		int64_t us;
	} units[] = {
		{"ms", 1000},
		{"s", SECOND_US},
		{"m", 60 * SECOND_US},
		{"h", 3600 * SECOND_US},
		{"d", 86400 * SECOND_US},
		{"w", 7 * 86400 * SECOND_US},
	};
	size_t digits = strspn(text, "0123456789");

	if (!digits || digits > 9)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(units); i++)
		if (!strcmp(text + digits, units[i].name)) {
			int64_t value = strtoll(text, NULL, 10);

			if (value > INT64_MAX / 100 / units[i].us)
				return false;
			*ret_us = value * units[i].us;
			return true;
		}
	return false;
}

int time_parse(const char *text, int64_t now_us, int64_t *ret_us, bool *ret_relative,
               struct err *err)
{
	int64_t us = 0;
	bool relative = !strcmp(text, "now") || read_span(text, &us);

	if (relative)
		us = now_us - us;
	else if (!read_point(text, now_us, &us))
		return err_set(
			err, -EINVAL,
			"'%s' is no time; accepted: 2026-11-22, 2026-11-22T09:39[:40[.123456]] and "
			"09:39[:40] (local, or with Z or +hh:mm behind), 30s, 15m, 2h, 7d (ago), now",
			text);
	*ret_us = us;
	if (ret_relative)
		*ret_relative = relative;
	return 0;
}

bool time_is_clock(const char *text)
{
	struct tm tm;
	int64_t rest;

	return read_clock(&text, &tm, &rest) && !*text;
}

int64_t time_add_days(int64_t us, int days)
{
	int64_t rest;
	time_t seconds = seconds_of(us, &rest);
	struct tm tm = {0};

	localtime_r(&seconds, &tm);
	tm.tm_mday += days;
	tm.tm_isdst = -1;
	return (int64_t)mktime(&tm) * SECOND_US + rest;
}

int time_parse_span(const char *text, int64_t *ret_us, struct err *err)
{
	if (read_span(text, ret_us))
		return 0;
	return err_set(err, -EINVAL,
	               "'%s' is no span of time; accepted: 500ms, 90s, 15m, 2h, 7d, 4w", text);
}

int time_parse_day_end(const char *text, int64_t *ret_us)
{
	struct tm tm = {0};

	if (!read_date(&text, &tm) || *text)
		return -EINVAL;
	*ret_us = ((int64_t)timegm(&tm) + 86400) * SECOND_US - 1;
	return 0;
}
