/*
 * incident_drawing.c - the flows of an incident in time: a lane for each peer, a bar for each flow, hatched
 * where packets went by unseen. What reaches beyond the window ends in an arrow.
 */
#include "monitor/commands/incident.h"
#include "monitor/commands/paper.h"
#include "monitor/commands/time_axis.h"
#include "schema/time.h"

#define LEFT 190 /* where time begins */
#define RIGHT 965
#define WIDTH 1000
#define LANE 18
#define TOP 26
#define LANES_MAX 30 /* the last one is for all the others */

struct drawing {
	const struct incident *incident;
	FILE *file;
	struct time_axis axis;
	unsigned lanes;
	int bottom;
};

static unsigned lane_of(const struct drawing *d, const struct addr *peer)
{
	unsigned last = d->lanes - 1;

	for (unsigned lane = 0; lane < last; lane++)
		if (!memcmp(&d->incident->ranked[lane]->addr, peer, sizeof(*peer)))
			return lane;
	return last;
}

static void draw_blind(const struct drawing *d)
{
	const struct incident_watch *watch = &d->incident->watch;

	for (size_t i = 0; i < watch->gap_count; i++)
		axis_hatch(&d->axis, watch->gaps[i].since_us, watch->gaps[i].until_us, TOP - 4,
		           d->bottom, "packets went by unseen");
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
	int x10 = axis_x10(&d->axis, flow->first_us),
	    width10 = axis_x10(&d->axis, flow->last_us) - x10;
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
	        ".u{fill:var(--doubt)}.h{fill:var(--quiet)}.a{fill:var(--ink)}.b{fill:url(#blind)}</style>\n",
	        WIDTH, d.bottom + 26);
	d.axis = (struct time_axis){.file = file,
	                            .since_us = incident->since_us,
	                            .until_us = incident->until_us,
	                            .left = LEFT,
	                            .right = RIGHT,
	                            .top = TOP,
	                            .bottom = d.bottom};
	axis_define_hatching(file);
	axis_draw(&d.axis);
	draw_blind(&d);
	draw_lanes(&d);
	for (size_t i = 0; i < incident->flow_count; i++)
		draw_flow(&d, &incident->flows[i]);
	draw_legend(&d);
	fputs("</svg>\n", file);
}
