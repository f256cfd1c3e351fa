/*
 * incident_drawing.c - the flows of an incident in time: a lane for each peer, a bar for each flow, hatched
 * where packets went by unseen. What reaches beyond the window ends in an arrow.
 */
#include "monitor/commands/incident.h"
#include "monitor/commands/paper.h"
#include "schema/time.h"

#include <time.h>

#define LEFT 190 /* where time begins */
#define RIGHT 965
#define WIDTH 1000
#define LANE 18
#define TOP 26
#define LANES_MAX 30 /* the last one is for all the others */
#define TICKS_MAX 9

struct drawing {
	const struct incident *incident;
	FILE *file;
	unsigned lanes;
	int bottom;
};

/* Tenths, for text that is the same wherever it is made. */
static int x10_of(const struct drawing *d, int64_t us)
{
	const struct incident *incident = d->incident;
	int64_t whole_us = incident->until_us - incident->since_us;
	int64_t at_us = us < incident->since_us   ? 0
	                : us > incident->until_us ? whole_us
	                                          : us - incident->since_us;

	/* A window may be years long: first to milliseconds. */
	whole_us = whole_us / 1000 ? whole_us / 1000 : 1;
	return LEFT * 10 + (int)(at_us / 1000 * (RIGHT - LEFT) * 10 / whole_us);
}

static unsigned lane_of(const struct drawing *d, const struct addr *peer)
{
	unsigned last = d->lanes - 1;

	for (unsigned lane = 0; lane < last; lane++)
		if (!memcmp(&d->incident->ranked[lane]->addr, peer, sizeof(*peer)))
			return lane;
	return last;
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

/* Ticks stand at full local hours, or what divides them. */
static void draw_time(const struct drawing *d)
{
	const struct incident *incident = d->incident;
	int64_t step_us = step_of(incident->until_us - incident->since_us);
	time_t since = (time_t)(incident->since_us / SECOND_US);
	struct tm local = {0};
	int64_t zone_us, tick_us;

	localtime_r(&since, &local);
	zone_us = local.tm_gmtoff * SECOND_US;
	tick_us = ((incident->since_us + zone_us + step_us - 1) / step_us) * step_us - zone_us;
	for (; tick_us <= incident->until_us; tick_us += step_us) {
		char text[TIME_TEXT];
		int x10 = x10_of(d, tick_us);

		time_print_local(tick_us, text);
		if (step_us < 60 * SECOND_US)
			memmove(text, text + 11, 9);
		else if (step_us < 86400 * SECOND_US)
			snprintf(text, 6, "%.5s",
			         (char[6]){text[11], text[12], text[13], text[14], text[15],
			                   '\0'});
		else
			text[10] = '\0';
		fprintf(d->file,
		        "<line class=\"t\" x1=\"%d.%d\" x2=\"%d.%d\" y1=\"%d\" y2=\"%d\"/>"
		        "<text x=\"%d.%d\" y=\"14\" text-anchor=\"middle\">%s</text>\n",
		        x10 / 10, x10 % 10, x10 / 10, x10 % 10, TOP - 6, d->bottom, x10 / 10,
		        x10 % 10, text);
	}
}

static void draw_blind(const struct drawing *d)
{
	const struct incident_watch *watch = &d->incident->watch;

	for (size_t i = 0; i < watch->gap_count; i++) {
		int x10 = x10_of(d, watch->gaps[i].since_us);
		int width10 = x10_of(d, watch->gaps[i].until_us) - x10;

		width10 = width10 < 10 ? 10 : width10;
		fprintf(d->file,
		        "<rect class=\"b\" x=\"%d.%d\" y=\"%d\" width=\"%d.%d\" height=\"%d\">"
		        "<title>packets went by unseen</title></rect>\n",
		        x10 / 10, x10 % 10, TOP - 4, width10 / 10, width10 % 10,
		        d->bottom - TOP + 4);
	}
}

static void draw_lanes(const struct drawing *d)
{
	for (unsigned lane = 0; lane < d->lanes; lane++) {
		const struct incident *incident = d->incident;
		const struct incident_peer *peer = incident->ranked[lane];
		bool others = lane == LANES_MAX - 1 && incident->peer_count > LANES_MAX;
		char addr[ADDR_TEXT];

		fprintf(d->file, "<text class=\"name\" x=\"%d\" y=\"%d\" text-anchor=\"end\">",
		        LEFT - 14, TOP + (int)lane * LANE + 13);
		html_put(d->file, others ? "other peers" : addr_print(&peer->addr, addr));
		fputs("</text>\n", d->file);
	}
}

/* One flow; the text behind it is a title that the pointer shows. */
static void draw_flow(const struct drawing *d, const struct incident_flow *flow)
{
	static const char *const classes[] = {"", "d", "o", "u", "h"};
	const struct incident *incident = d->incident;
	int y = TOP + (int)lane_of(d, &flow->remote.addr) * LANE + 3;
	int x10 = x10_of(d, flow->first_us), width10 = x10_of(d, flow->last_us) - x10;
	char first[TIME_TEXT], last[TIME_TEXT], text[512];

	width10 = width10 < 20 ? 20 : width10;
	if (x10 + width10 > RIGHT * 10)
		x10 = RIGHT * 10 - width10;
	fprintf(d->file,
	        "<rect class=\"%s\" x=\"%d.%d\" y=\"%d\" width=\"%d.%d\" height=\"%d\"><title>",
	        classes[flow->ruling < ARRAY_LEN(classes) ? flow->ruling : 0], x10 / 10,
	        x10 % 10, flow->ruling == RULING_OUTSIDE ? y - 1 : y + 1, width10 / 10,
	        width10 % 10, flow->ruling == RULING_OUTSIDE ? 13 : 9);
	time_print_local(flow->first_us, first);
	time_print_local(flow->last_us, last);
	snprintf(text, sizeof(text), "flow %lld, %s to %s: %s %s, %s %s", (long long)flow->id,
	         first, last, transport_name(flow->transport),
	         flow->app ? app_name((enum app)flow->app) : "unknown",
	         ruling_name((enum ruling)flow->ruling), flow->row);
	html_put(d->file, text);
	fputs("</title></rect>\n", d->file);
	if (flow->first_us < incident->since_us)
		fprintf(d->file, "<path class=\"a\" d=\"M%d %dl7 -5v10z\"/>\n", LEFT - 8,
		        y + 5);
	if (flow->last_us > incident->until_us)
		fprintf(d->file, "<path class=\"a\" d=\"M%d %dl-7 -5v10z\"/>\n", RIGHT + 8,
		        y + 5);
}

static void draw_legend(const struct drawing *d)
{
	static const char *const words[][2] = {{"d", "documented"},
	                                       {"o", "outside"},
	                                       {"u", "undetermined"},
	                                       {"h", "housekeeping"},
	                                       {"b", "packets went by unseen"}};
	int x = LEFT;

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		fprintf(d->file,
		        "<rect class=\"%s\" x=\"%d\" y=\"%d\" width=\"14\" height=\"9\"/>"
		        "<text x=\"%d\" y=\"%d\">%s</text>\n",
		        words[i][0], x, d->bottom + 9, x + 20, d->bottom + 18, words[i][1]);
		x += 130;
	}
}

void incident_drawing(const struct incident *incident, FILE *file)
{
	struct drawing d = {.incident = incident, .file = file};

	d.lanes = incident->peer_count < LANES_MAX ? (unsigned)incident->peer_count : LANES_MAX;
	if (!d.lanes)
		return;
	d.bottom = TOP + (int)d.lanes * LANE + 2;
	fprintf(file,
	        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"flows in time, a lane for each "
	        "peer\">\n<style>.t{stroke:var(--line)}.d{fill:var(--good)}.o{fill:var(--bad)}"
	        ".u{fill:var(--doubt)}.h{fill:var(--quiet)}.a{fill:var(--ink)}.b{fill:url(#blind)}</style>\n"
	        "<defs><pattern id=\"blind\" width=\"6\" height=\"6\" patternUnits=\"userSpaceOnUse\" "
	        "patternTransform=\"rotate(45)\"><rect width=\"2\" height=\"6\" "
	        "style=\"fill:var(--quiet)\"/></pattern></defs>\n",
	        WIDTH, d.bottom + 26);
	draw_time(&d);
	draw_blind(&d);
	draw_lanes(&d);
	for (size_t i = 0; i < incident->flow_count; i++)
		draw_flow(&d, &incident->flows[i]);
	draw_legend(&d);
	fputs("</svg>\n", file);
}
