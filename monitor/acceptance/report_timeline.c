/*
 * report_timeline.c - the run in time: for each unit when each row was first seen to work and when findings opened,
 * and when nobody could see. Drawn for HTML, as lines of signs for text.
 */
#include "monitor/acceptance/report_parts.h"
#include "monitor/commands/time_axis.h"
#include "monitor/json.h"

#include <limits.h>

#define LEFT 190
#define RIGHT 965
#define WIDTH 1000
#define TOP 26
#define LANE 22      /* of many units */
#define LANE_TALL 84 /* of few: rows that work, added up */

#define TEXT_NAME 16
#define TEXT_SLOTS 64

/* ----------------------------------------------------------------- drawing */

struct drawing {
	const struct acceptance *acceptance;
	struct time_axis axis;
	FILE *file;
	size_t lanes;
	int lane;
};

static int compare_moments(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* When rows of the unit were first seen to work, in order; those carried by others are not counted again. */
static size_t first_moments(const struct acceptance *a, const struct acceptance_unit *unit,
                            int64_t *ret)
{
	size_t count = 0;

	for (size_t k = 0; k < a->policy->row_count; k++)
		if (unit->cells[k].applies && unit->cells[k].first_us)
			ret[count++] = unit->cells[k].first_us;
	if (count)
		qsort(ret, count, sizeof(*ret), compare_moments);
	return count;
}

static size_t rows_of(const struct acceptance *a, const struct acceptance_unit *unit)
{
	size_t count = 0;

	for (size_t k = 0; k < a->policy->row_count; k++)
		count += unit->cells[k].applies;
	return count;
}

/* Rows that work, added up: how far the script in the room came, and when. */
static void draw_stairs(const struct drawing *d, const struct acceptance_unit *unit, int top)
{
	const struct acceptance *a = d->acceptance;
	CLEANUP(freep) int64_t *moments = calloc(a->policy->row_count + 1, sizeof(*moments));
	size_t count = moments ? first_moments(a, unit, moments) : 0, all = rows_of(a, unit);
	int bottom = top + d->lane - 8, height = d->lane - 26;

	if (!count)
		return;
	fprintf(d->file, "<path class=\"ts\" d=\"M%d %d", LEFT, bottom);
	for (size_t i = 0; i < count; i++) {
		int x10 = axis_x10(&d->axis, moments[i]);
		int y10 = bottom * 10 - (int)((i + 1) * (size_t)height * 10 / all);

		fprintf(d->file, "H%d.%dV%d.%d", x10 / 10, x10 % 10, y10 / 10, y10 % 10);
	}
	fprintf(d->file,
	        "H%dV%dz\"/>\n<text class=\"tn\" x=\"%d\" y=\"%d\" text-anchor=\"end\">%zu of %zu rows</text>\n",
	        RIGHT, bottom, LEFT - 14, top + 32, count, all);
}

static void draw_row(const struct drawing *d, const struct acceptance_unit *unit, size_t row,
                     int y)
{
	const struct cell *cell = &unit->cells[row];
	int x10 = axis_x10(&d->axis, cell->first_us);
	char clock[TIME_TEXT], words[ROW_ID_MAX + 96];

	fprintf(d->file, "<path class=\"to\" d=\"M%d.%d %dv8\"><title>", x10 / 10, x10 % 10, y);
	snprintf(words, sizeof(words), "%s: %s, first at %s",
	         d->acceptance->policy->rows[row].id, cell_word(cell),
	         clock_print(d->acceptance, cell->first_us, clock));
	html_put(d->file, words);
	fputs("</title></path>\n", d->file);
}

static void draw_finding(const struct drawing *d, const struct acceptance_finding *finding,
                         int x10, int y)
{
	const struct finding_row *row = &finding->finding;
	char clock[TIME_TEXT], words[512];

	snprintf(words, sizeof(words), "F%lld %s %s at %s: %.300s", (long long)finding->id,
	         severity_words(row->severity), kind_name((enum kind)row->kind),
	         clock_print(d->acceptance, row->first_us, clock), row->reason);
	fprintf(d->file, "<path class=\"%s\" d=\"M%d.%d %dl5 9h-10z\"><title>",
	        finding->refuses ? "tf" : "tw", x10 / 10, x10 % 10, y);
	html_put(d->file, words);
	fputs("</title></path>\n", d->file);
}

static int compare_findings(const void *a, const void *b)
{
	const struct acceptance_finding *const *x = a, *const *y = b;

	return ((*x)->finding.first_us > (*y)->finding.first_us) -
	       ((*x)->finding.first_us < (*y)->finding.first_us);
}

/* As they opened; numbers stand where there is room for them. */
static void draw_findings(const struct drawing *d, size_t unit, int y)
{
	const struct acceptance *a = d->acceptance;
	CLEANUP(freep)
	const struct acceptance_finding **findings =
		calloc(a->finding_count + 1, sizeof(const struct acceptance_finding *));
	size_t count = 0;
	int free10 = 0;

	for (size_t i = 0; i < a->finding_count && findings; i++)
		if (a->findings[i].unit == unit)
			findings[count++] = &a->findings[i];
	if (count)
		qsort(findings, count, sizeof(*findings), compare_findings);
	for (size_t i = 0; i < count; i++) {
		int x10 = axis_x10(&d->axis, findings[i]->finding.first_us);
		int next10 = i + 1 < count
		                     ? axis_x10(&d->axis, findings[i + 1]->finding.first_us)
		                     : INT_MAX;

		draw_finding(d, findings[i], x10, y);
		if (d->lane != LANE_TALL || x10 < free10 || next10 - x10 < 320)
			continue;
		fprintf(d->file, "<text class=\"name\" x=\"%d.%d\" y=\"%d\">F%lld</text>\n",
		        (x10 + 70) / 10, (x10 + 70) % 10, y + 9, (long long)findings[i]->id);
		free10 = x10 + 320;
	}
}

static bool blind_is_of(const struct acceptance_blind *blind,
                        const struct acceptance_unit *unit)
{
	return !*blind->unit || !strcmp(blind->unit, unit->name);
}

static void draw_blinds(const struct drawing *d, const struct acceptance_unit *unit, int top)
{
	const struct acceptance *a = d->acceptance;

	for (size_t i = 0; i < a->blind_count; i++) {
		const struct acceptance_blind *blind = &a->blinds[i];
		const char *words = blind_cause_sentence((enum blind_cause)blind->row.cause);

		if (blind_is_of(blind, unit))
			axis_hatch(&d->axis,
			           blind->row.since_us ? blind->row.since_us : a->since_us,
			           blind->row.until_us ? blind->row.until_us : a->until_us, top,
			           top + d->lane, words);
	}
}

static void draw_lane(const struct drawing *d, size_t at, int top)
{
	const struct acceptance *a = d->acceptance;
	const struct acceptance_unit *unit = &a->units[at];
	bool tall = d->lane == LANE_TALL;
	char name[NAME_CUT];

	fprintf(d->file,
	        "<path class=\"t\" d=\"M0 %d.5h%d\"/><text class=\"name\" x=\"%d\" y=\"%d\" "
	        "text-anchor=\"end\">",
	        top + d->lane - 1, WIDTH, LEFT - 14, top + 15);
	html_put(d->file, name_cut(unit->name, 28, name));
	fputs("<title>", d->file);
	html_put(d->file, unit->name);
	fputs("</title></text>\n", d->file);
	draw_blinds(d, unit, top);
	if (tall)
		draw_stairs(d, unit, top);
	for (size_t k = 0; k < a->policy->row_count; k++)
		if (unit->cells[k].applies && unit->cells[k].first_us)
			draw_row(d, unit, k, top + d->lane - (tall ? 12 : 10));
	draw_findings(d, at, top + 3);
}

static void draw_legend(const struct drawing *d)
{
	int y = d->axis.bottom + 10;

	fprintf(d->file,
	        "<path class=\"to\" d=\"M%d %dv8\"/><text x=\"%d\" y=\"%d\">a row was first seen to work</text>"
	        "<path class=\"tf\" d=\"M%d %dl5 9h-10z\"/><text x=\"%d\" y=\"%d\">a finding opened that refuses</text>"
	        "<path class=\"tw\" d=\"M%d %dl5 9h-10z\"/><text x=\"%d\" y=\"%d\">... that does not</text>"
	        "<rect class=\"b\" x=\"%d\" y=\"%d\" width=\"16\" height=\"9\"/><text x=\"%d\" y=\"%d\">not all could be seen</text>\n",
	        LEFT, y, LEFT + 8, y + 9, LEFT + 190, y, LEFT + 200, y + 9, LEFT + 390, y,
	        LEFT + 400, y + 9, LEFT + 510, y, LEFT + 532, y + 9);
}

void report_draw_timeline(const struct acceptance *a, FILE *file)
{
	struct drawing d = {.acceptance = a, .file = file};

	d.lanes = a->unit_count < DRAWN_UNITS ? a->unit_count : DRAWN_UNITS;
	d.lane = a->unit_count <= NAMED_UNITS ? LANE_TALL : LANE;
	d.axis = (struct time_axis){.file = file,
	                            .since_us = a->since_us,
	                            .until_us = a->until_us,
	                            .left = LEFT,
	                            .right = RIGHT,
	                            .top = TOP,
	                            .bottom = TOP + (int)d.lanes * d.lane,
	                            .utc = true};
	fprintf(file,
	        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"the run in time, a lane for each "
	        "unit\">\n<style>.t{stroke:var(--line)}.b{fill:url(#blind)}.to{stroke:var(--good);stroke-width:2}"
	        ".tf{fill:var(--bad)}.tw{fill:none;stroke:var(--quiet);stroke-width:1.2}"
	        ".ts{fill:var(--good);opacity:.18}.tn{fill:var(--soft)}</style>\n",
	        WIDTH, d.axis.bottom + 30);
	axis_define_hatching(file);
	axis_draw(&d.axis);
	for (size_t i = 0; i < d.lanes; i++)
		draw_lane(&d, i, TOP + (int)i * d.lane);
	draw_legend(&d);
	fputs("</svg>\n", file);
}

/* -------------------------------------------------------------------- text */

enum { SLOT_OK = 1, SLOT_FINDING = 2, SLOT_BLIND = 4 };

static size_t slot_of(const struct acceptance *a, int64_t us)
{
	int64_t whole_us = a->until_us - a->since_us;
	int64_t at_us = us < a->since_us ? 0 : us > a->until_us ? whole_us : us - a->since_us;

	/* A window may be years long: first to milliseconds. */
	whole_us = whole_us / 1000 ? whole_us / 1000 : 1;
	return (size_t)(at_us / 1000 * (TEXT_SLOTS - 1) / whole_us);
}

static void put_lane(const struct acceptance *a, size_t at, FILE *file)
{
	const struct acceptance_unit *unit = &a->units[at];
	char name[NAME_CUT];
	uint8_t slots[TEXT_SLOTS] = {0};

	for (size_t k = 0; k < a->policy->row_count; k++)
		if (unit->cells[k].applies && unit->cells[k].first_us)
			slots[slot_of(a, unit->cells[k].first_us)] |= SLOT_OK;
	for (size_t i = 0; i < a->finding_count; i++)
		if (a->findings[i].unit == at)
			slots[slot_of(a, a->findings[i].finding.first_us)] |= SLOT_FINDING;
	for (size_t i = 0; i < a->blind_count; i++) {
		const struct blind_row *row = &a->blinds[i].row;
		size_t last = row->until_us ? slot_of(a, row->until_us) : TEXT_SLOTS - 1;

		for (size_t s = slot_of(a, row->since_us);
		     blind_is_of(&a->blinds[i], unit) && s <= last; s++)
			slots[s] |= SLOT_BLIND;
	}
	fputs(name_cut(unit->name, TEXT_NAME - 2, name), file);
	for (size_t width = 0, i = 0; width < TEXT_NAME; width++)
		if (name[i])
			i += utf8_len((const unsigned char *)name + i);
		else
			fputc(' ', file);
	for (size_t i = 0; i < TEXT_SLOTS; i++)
		fputc(slots[i] & SLOT_FINDING ? slots[i] & SLOT_OK ? '#' : '!'
		      : slots[i] & SLOT_OK    ? 'o'
		      : slots[i] & SLOT_BLIND ? '/'
		                              : '.',
		      file);
	fputc('\n', file);
}

static void put_lanes(const struct acceptance *a, size_t lanes, struct paper *paper)
{
	CLEANUP(freep) char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);
	char since[TIME_TEXT], until[TIME_TEXT];

	if (!file)
		return;
	clock_print(a, a->since_us, since);
	clock_print(a, a->until_us, until);
	fprintf(file, "%*s%s%*s\n", TEXT_NAME, "", since, TEXT_SLOTS - (int)strlen(since),
	        until);
	for (size_t i = 0; i < lanes; i++)
		put_lane(a, i, file);
	if (!fclose(file))
		paper_lines(paper, text);
}

void report_put_timeline(const struct acceptance *a, struct paper *paper)
{
	size_t lanes = a->unit_count < DRAWN_UNITS ? a->unit_count : DRAWN_UNITS;
	FILE *drawing;

	if (!lanes || !a->since_us)
		return;
	paper_head(paper, "The run in time");
	drawing = paper_drawing(paper);
	if (drawing)
		report_draw_timeline(a, drawing);
	else
		put_lanes(a, lanes, paper);
	if (!drawing)
		paper_say(
			paper,
			"o a row was first seen to work, ! a finding opened, # both, / not all "
			"could be seen");
	if (lanes < a->unit_count)
		paper_say(paper, "The first %zu units of %zu; .json has them all.", lanes,
		          a->unit_count);
}
