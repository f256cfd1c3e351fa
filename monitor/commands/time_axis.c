/*
 * time_axis.c - see time_axis.h.
 */
#include "monitor/commands/time_axis.h"
#include "monitor/commands/paper.h"
#include "schema/time.h"

#include <time.h>

#define TICKS_MAX 9

int axis_x10(const struct time_axis *axis, int64_t us)
{
	int64_t whole_us = axis->until_us - axis->since_us;
	int64_t at_us = us < axis->since_us   ? 0
	                : us > axis->until_us ? whole_us
	                                      : us - axis->since_us;

	/* A window may be years long: first to milliseconds. */
	whole_us = whole_us / 1000 ? whole_us / 1000 : 1;
	return axis->left * 10 +
	       (int)(at_us / 1000 * (axis->right - axis->left) * 10 / whole_us);
}

static int64_t step_of(int64_t whole_us)
{
	static const int seconds[] = {1,     2,     5,     10,    15,     30,    60,
	                              120,   300,   600,   900,   1800,   3600,  7200,
	                              10800, 21600, 43200, 86400, 172800, 604800};

	for (size_t i = 0; i < ARRAY_LEN(seconds); i++)
		if (whole_us / (seconds[i] * SECOND_US) <= TICKS_MAX)
			return seconds[i] * SECOND_US;
	return whole_us / TICKS_MAX + 1;
}

static int64_t zone_of(const struct time_axis *axis)
{
	time_t since = (time_t)(axis->since_us / SECOND_US);
	struct tm local = {0};

	if (axis->utc)
		return 0;
	localtime_r(&since, &local);
	return local.tm_gmtoff * SECOND_US;
}

/* As much of it as tells one tick from the next. */
static const char *tick_words(const struct time_axis *axis, int64_t tick_us, int64_t step_us,
                              char buf[TIME_TEXT])
{
	char whole[TIME_TEXT];

	if (axis->utc)
		time_print(tick_us, whole);
	else
		time_print_local(tick_us, whole);
	if (step_us < 60 * SECOND_US)
		snprintf(buf, TIME_TEXT, "%.8s", whole + 11);
	else if (step_us < 86400 * SECOND_US)
		snprintf(buf, TIME_TEXT, "%.5s", whole + 11);
	else
		snprintf(buf, TIME_TEXT, "%.10s", whole);
	return buf;
}

/* Ticks stand at full hours, or what divides them. */
void axis_draw(const struct time_axis *axis)
{
	int64_t step_us = step_of(axis->until_us - axis->since_us), zone_us = zone_of(axis);
	int64_t tick_us =
		(axis->since_us + zone_us + step_us - 1) / step_us * step_us - zone_us;

	for (; tick_us <= axis->until_us; tick_us += step_us) {
		char text[TIME_TEXT];
		int x10 = axis_x10(axis, tick_us);

		fprintf(axis->file,
		        "<line class=\"t\" x1=\"%d.%d\" x2=\"%d.%d\" y1=\"%d\" y2=\"%d\"/>"
		        "<text x=\"%d.%d\" y=\"%d\" text-anchor=\"middle\">%s</text>\n",
		        x10 / 10, x10 % 10, x10 / 10, x10 % 10, axis->top - 6, axis->bottom,
		        x10 / 10, x10 % 10, axis->top - 12,
		        tick_words(axis, tick_us, step_us, text));
	}
}

void axis_define_hatching(FILE *file)
{
	fputs("<defs><pattern id=\"blind\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
	      "patternTransform=\"rotate(45)\"><rect width=\"2\" height=\"6\" "
	      "style=\"fill:var(--quiet)\"/></pattern></defs>\n",
	      file);
}

void axis_hatch(const struct time_axis *axis, int64_t since_us, int64_t until_us, int top,
                int bottom, const char *words)
{
	int x10 = axis_x10(axis, since_us), width10 = axis_x10(axis, until_us) - x10;

	width10 = width10 < 10 ? 10 : width10;
	fprintf(axis->file,
	        "<rect class=\"b\" x=\"%d.%d\" y=\"%d\" width=\"%d.%d\" height=\"%d\"><title>",
	        x10 / 10, x10 % 10, top, width10 / 10, width10 % 10, bottom - top);
	html_put(axis->file, words);
	fputs("</title></rect>\n", axis->file);
}
