/*
 * report_matrix.c - every row of every unit in one picture, rows by profile. Each state has a sign and a colour of its own, so
 * that it is told on a black and white print and by whoever sees no red. With few units the state stands beside
 * its sign; of more than DRAWN_UNITS it is drawn how many stand how.
 */
#include "monitor/acceptance/report_parts.h"

#define WIDTH 1000
#define NEED_AT 228
#define LEFT 340 /* where the units begin */
#define LINE 20
#define BAND 26 /* of a profile's title */
#define SIGN 14
#define WORDS_WIDTH 100 /* a column this wide has room for words */
#define WORDS_WIDE 160  /* and this one for counts as well */
#define NAME_LEN 26
#define NAME_SLANTED 132 /* height of names that stand upright */

enum sign {
	SIGN_EXACT,
	SIGN_UNPROVEN,
	SIGN_WIDE,
	SIGN_OUTSIDE,
	SIGN_SILENT,
	SIGN_PROHIBITED,
	SIGN_REFUSED,
	SIGN_UNDETERMINED,
	SIGN_OPEN, /* required, not exercised */
	SIGN_IDLE,
	SIGN_EXCUSED,
	SIGN_COUNT
};

/* In a square of SIGN; m* are of this picture alone. */
static const struct {
	const char *words, *class, *drawing;
} SIGNS[SIGN_COUNT] = {
	[SIGN_EXACT] = {"ok exact", "mg",
                        "<rect class=\"mf\" width=\"14\" height=\"14\" rx=\"3\"/>"
                        "<path class=\"mw\" d=\"M3 7.5l3 3 5-6.5\"/>"},
	[SIGN_UNPROVEN] =
		{"ok unproven", "mg",
                 "<rect class=\"mo\" x=\".75\" y=\".75\" width=\"12.5\" height=\"12.5\" rx=\"3\"/>"
                 "<path class=\"ml\" d=\"M3 7.5l3 3 5-6.5\"/>"},
	[SIGN_WIDE] =
		{"ok wide", "mg",
                 "<rect class=\"mo\" x=\".75\" y=\".75\" width=\"12.5\" height=\"12.5\" rx=\"3\"/>"
                 "<path class=\"ml\" d=\"M3 7h8M5 4.5L2.8 7 5 9.5M9 4.5L11.2 7 9 9.5\"/>"},
	[SIGN_OUTSIDE] = {"outside", "mr",
                          "<path class=\"mf\" d=\"M7 0l7 13.5H0z\"/>"
                          "<path class=\"mw\" d=\"M7 4.5v4.5M7 11v.6\"/>"},
	[SIGN_SILENT] = {"blocked: silent", "mr",
                         "<circle class=\"mf\" cx=\"7\" cy=\"7\" r=\"7\"/>"
                         "<path class=\"mw\" d=\"M3 7h8\"/>"},
	[SIGN_PROHIBITED] = {"blocked: prohibited", "mr",
                             "<circle class=\"mf\" cx=\"7\" cy=\"7\" r=\"7\"/>"
                             "<path class=\"mw\" d=\"M4 4l6 6M10 4l-6 6\"/>"},
	[SIGN_REFUSED] = {"refused", "mr",
                          "<circle class=\"mo\" cx=\"7\" cy=\"7\" r=\"6.2\"/>"
                          "<path class=\"ml\" d=\"M4 4l6 6M10 4l-6 6\"/>"},
	[SIGN_UNDETERMINED] =
		{"undetermined", "ma",
                 "<rect class=\"mf\" width=\"14\" height=\"14\" rx=\"7\"/>"
                 "<path class=\"mw\" d=\"M4.8 5.2a2.2 2.2 0 1 1 3.2 2c-.8.4-1 .8-1 1.6M7 11v.6\"/>"},
	[SIGN_OPEN] =
		{"required, not exercised", "ma",
                 "<rect class=\"md\" x=\".75\" y=\".75\" width=\"12.5\" height=\"12.5\" rx=\"3\"/>"},
	[SIGN_IDLE] = {"not exercised", "mq", "<path class=\"ml\" d=\"M4 7h6\"/>"},
	[SIGN_EXCUSED] = {"another way works", "mq",
                          "<path class=\"ml\" d=\"M2 10L6 4M6 10l4-6M10 10l2-3\"/>"},
};

struct matrix {
	const struct acceptance *acceptance;
	FILE *file;
	int column10; /* width of a unit's, in tenths */
	int top, bottom;
	bool upright; /* names of units */
	uint64_t drawn[SIGN_COUNT];
};

static enum sign sign_of(const struct cell *cell, const struct row *row)
{
	switch (cell->state) {
	case CELL_OK:
		return cell->grade == GRADE_UNPROVEN ? SIGN_UNPROVEN
		       : cell->grade == GRADE_WIDE   ? SIGN_WIDE
		                                     : SIGN_EXACT;
	case CELL_BLOCKED:
		return cell->blocked == KIND_REFUSED              ? SIGN_REFUSED
		       : cell->blocked == KIND_BLOCKED_PROHIBITED ? SIGN_PROHIBITED
		                                                  : SIGN_SILENT;
	case CELL_OUTSIDE:
		return SIGN_OUTSIDE;
	case CELL_UNDETERMINED:
		return SIGN_UNDETERMINED;
	default:
		return cell->excused                ? SIGN_EXCUSED
		       : row->need == NEED_REQUIRED ? SIGN_OPEN
		                                    : SIGN_IDLE;
	}
}

static void put_text(FILE *file, const char *class, int x, int y, const char *text)
{
	fprintf(file, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y);
	html_put(file, text);
	fputs("</text>\n", file);
}

static int x10_of(const struct matrix *m, size_t unit)
{
	return LEFT * 10 + (int)unit * m->column10;
}

static void draw_sign(const struct matrix *m, enum sign sign, int x10, int y)
{
	fprintf(m->file, "<g class=\"%s\" transform=\"translate(%d.%d %d)\">%s</g>",
	        SIGNS[sign].class, x10 / 10, x10 % 10, y, SIGNS[sign].drawing);
}

/* ------------------------------------------------------------------- heads */

static void draw_names(const struct matrix *m)
{
	const struct acceptance *a = m->acceptance;
	size_t room = m->upright ? NAME_LEN - 6 : (size_t)m->column10 / 66;
	char name[NAME_CUT];

	for (size_t i = 0; i < a->unit_count; i++) {
		int x10 = x10_of(m, i) + (m->upright ? m->column10 / 2 + 40 : 0);

		name_cut(a->units[i].name, room < NAME_LEN ? room : NAME_LEN, name);
		if (m->upright)
			fprintf(m->file,
			        "<text class=\"name\" transform=\"translate(%d.%d %d) "
			        "rotate(-90)\">",
			        x10 / 10, x10 % 10, m->top - 6);
		else
			fprintf(m->file, "<text class=\"name mb\" x=\"%d.%d\" y=\"%d\">",
			        x10 / 10, x10 % 10, m->top - 8);
		html_put(m->file, name);
		fputs("<title>", m->file);
		html_put(m->file, a->units[i].name);
		fputs("</title></text>\n", m->file);
	}
}

static void draw_band(const struct matrix *m, const struct profile *profile, int y)
{
	char title[160];

	fprintf(m->file, "<rect class=\"mh\" x=\"0\" y=\"%d\" width=\"%d\" height=\"%d\"/>",
	        y + 4, WIDTH, BAND - 6);
	snprintf(title, sizeof(title), "%s: %.100s", profile->id, profile->title);
	put_text(m->file, "name mb", 6, y + 18, title);
}

static void draw_row_head(const struct matrix *m, const struct row *row, int y)
{
	fprintf(m->file, "<path class=\"mt\" d=\"M0 %d.5h%d\"/>", y + LINE - 1, WIDTH);
	fprintf(m->file, "<text class=\"name%s\" x=\"14\" y=\"%d\">",
	        row->need == NEED_REQUIRED ? " mb" : "", y + 14);
	html_put(m->file, row->id);
	fputs("<title>", m->file);
	html_put(m->file, row->document);
	fputs("</title></text>", m->file);
	put_text(m->file, "ms", NEED_AT, y + 14, need_words(row));
}

/* ------------------------------------------------------------------- cells */

/* As many as there is room for. */
static const char *words_of(const struct matrix *m, const struct acceptance_unit *unit,
                            const struct cell *cell, char buf[CELL_TEXT])
{
	char whole[CELL_TEXT], cut[NAME_CUT];

	if (m->column10 < WORDS_WIDE * 10)
		return cell_word(cell);
	cell_words(unit, cell, whole);
	snprintf(buf, CELL_TEXT, "%s", name_cut(whole, (size_t)(m->column10 - 250) / 60, cut));
	return buf;
}

static void draw_cell(const struct matrix *m, const struct acceptance_unit *unit, size_t at,
                      int x10, int y)
{
	const struct cell *cell = &unit->cells[at];
	const struct row *row = &m->acceptance->policy->rows[at];
	enum sign sign = sign_of(cell, row);
	bool words = m->column10 >= WORDS_WIDTH * 10;
	int sign10 = words ? x10 : x10 + (m->column10 - SIGN * 10) / 2;
	char text[CELL_TEXT];

	if (!cell->applies)
		return;
	fputs("<g>", m->file);
	draw_sign(m, sign, sign10, y + 3);
	if (cell->state == CELL_OK && cell->refusing) /* a yes beside a no */
		fprintf(m->file, "<circle class=\"me\" cx=\"%d.%d\" cy=\"%d\" r=\"3\"/>",
		        (sign10 + 135) / 10, (sign10 + 135) % 10, y + 5);
	if (words) {
		fprintf(m->file, "<text class=\"%s\" x=\"%d\" y=\"%d\">",
		        cell->state == CELL_OK || cell->state == CELL_NOT_EXERCISED ? "mn"
		                                                                    : "name",
		        x10 / 10 + SIGN + 6, y + 14);
		html_put(m->file, words_of(m, unit, cell, text));
		fputs("</text>", m->file);
	}
	fputs("<title>", m->file);
	html_put(m->file, unit->name);
	fputs(", ", m->file);
	html_put(m->file, row->id);
	fputs(": ", m->file);
	html_put(m->file, cell_words(unit, cell, text));
	fputs("</title></g>\n", m->file);
}

/* Of many units a bar: as long as so many stand so, with their number. */
static void draw_bar(const struct matrix *m, size_t at, int y)
{
	const struct acceptance *a = m->acceptance;
	const struct row *row = &a->policy->rows[at];
	uint64_t counts[SIGN_COUNT] = {0}, all = 0;
	int x = LEFT;

	for (size_t i = 0; i < a->unit_count; i++)
		if (a->units[i].cells[at].applies) {
			counts[sign_of(&a->units[i].cells[at], row)]++;
			all++;
		}
	for (unsigned sign = 0; sign < SIGN_COUNT; sign++) {
		int width = (int)(counts[sign] * (WIDTH - LEFT - SIGN_COUNT * 34) / all);
		char text[64];

		if (!counts[sign])
			continue;
		fprintf(m->file,
		        "<g class=\"%s\"><rect class=\"mp\" x=\"%d\" y=\"%d\" width=\"%d\" height=\"16\"/></g>",
		        SIGNS[sign].class, x, y + 2, width + 32);
		draw_sign(m, (enum sign)sign, x * 10 + 10, y + 3);
		snprintf(text, sizeof(text), "%llu", (unsigned long long)counts[sign]);
		put_text(m->file, "name", x + SIGN + 4, y + 14, text);
		x += width + 34;
	}
}

/* ------------------------------------------------------------------- whole */

static int rows_height(const struct acceptance *a)
{
	int height = 0;

	for (size_t p = 0; p < a->policy->envelope->profile_count; p++) {
		int rows = 0;

		for (size_t k = 0; k < a->policy->row_count; k++)
			rows += a->policy->rows[k].profile == p && row_is_asked(a, k);
		height += rows ? BAND + rows * LINE : 0;
	}
	return height;
}

static void draw_profile(const struct matrix *m, size_t profile, int *y)
{
	const struct acceptance *a = m->acceptance;
	bool headed = false;

	for (size_t k = 0; k < a->policy->row_count; k++) {
		const struct row *row = &a->policy->rows[k];

		if (row->profile != profile || !row_is_asked(a, k))
			continue;
		if (!headed) {
			draw_band(m, &a->policy->envelope->profiles[profile], *y);
			*y += BAND;
		}
		headed = true;
		draw_row_head(m, row, *y);
		if (a->unit_count > DRAWN_UNITS)
			draw_bar(m, k, *y);
		for (size_t i = 0; i < a->unit_count && a->unit_count <= DRAWN_UNITS; i++)
			draw_cell(m, &a->units[i], k, x10_of(m, i), *y);
		*y += LINE;
	}
}

static void count_signs(struct matrix *m)
{
	const struct acceptance *a = m->acceptance;

	for (size_t i = 0; i < a->unit_count; i++)
		for (size_t k = 0; k < a->policy->row_count; k++)
			if (a->units[i].cells[k].applies)
				m->drawn[sign_of(&a->units[i].cells[k], &a->policy->rows[k])]++;
}

/* What the signs mean, and how often each stands there. Returns where it ends; `draw`: and draws it. */
static int put_legend(const struct matrix *m, bool draw)
{
	int x = 14, y = m->bottom + 10;

	for (unsigned sign = 0; sign < SIGN_COUNT; sign++) {
		char text[96];
		int width;

		if (!m->drawn[sign])
			continue;
		snprintf(text, sizeof(text), "%llu %s", (unsigned long long)m->drawn[sign],
		         SIGNS[sign].words);
		width = 40 + (int)strlen(text) * 6;
		if (x + width > WIDTH) {
			x = 14;
			y += 22;
		}
		if (draw) {
			draw_sign(m, (enum sign)sign, x * 10, y);
			put_text(m->file, "name", x + SIGN + 5, y + 11, text);
		}
		x += width;
	}
	return y + 20;
}

void report_draw_matrix(const struct acceptance *a, FILE *file)
{
	struct matrix m = {.acceptance = a, .file = file};
	bool bars = a->unit_count > DRAWN_UNITS;
	int y;

	m.column10 =
		a->unit_count ? (WIDTH - LEFT - 6) * 10 / (int)(bars ? 1 : a->unit_count) : 0;
	m.column10 = m.column10 > 3200 ? 3200 : m.column10;
	m.upright = m.column10 < WORDS_WIDTH * 10;
	m.top = bars ? 4 : m.upright ? NAME_SLANTED : 26;
	m.bottom = m.top + rows_height(a);
	count_signs(&m);
	fprintf(file,
	        "<svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"documented rows by unit; the table "
	        "below has the same in words\">\n<style>"
	        ".mg{color:var(--good)}.mr{color:var(--bad)}.ma{color:var(--doubt)}.mq{color:var(--quiet)}"
	        ".mf{fill:currentColor}.mo,.ml,.md{fill:none;stroke:currentColor;stroke-width:1.5}"
	        ".md{stroke-dasharray:3 2}.mw{fill:none;stroke:var(--page);stroke-width:1.8;stroke-linecap:round}"
	        ".ml{stroke-linecap:round}.mp{fill:currentColor;opacity:.22}.me{fill:var(--bad);stroke:var(--page)}"
	        ".mh{fill:var(--band)}.mt{stroke:var(--line)}.mb{font-weight:600}.ms,.mn{fill:var(--soft)}"
	        "</style>\n",
	        WIDTH, put_legend(&m, false));
	if (!bars)
		draw_names(&m);
	y = m.top;
	for (size_t p = 0; p < a->policy->envelope->profile_count; p++)
		draw_profile(&m, p, &y);
	put_legend(&m, true);
	fputs("</svg>\n", file);
}
