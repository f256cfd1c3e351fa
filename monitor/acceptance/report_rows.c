/*
 * report_rows.c - see report_parts.h: rows and units in words: how each row stands, which ways are closed and by whom,
 * what was decided together, and where it is documented.
 */
#include "monitor/acceptance/report_parts.h"
#include "monitor/commands/query.h"

#define UNITS_FOLDED 200
#define BLOCKS_SHOWN 200
#define ABREAST 3 /* units in one table: 80 columns have no room for more */

/* ------------------------------------------------------------------ matrix */

static bool applies(const struct acceptance_unit *units, size_t count, size_t row)
{
	for (size_t i = 0; i < count; i++)
		if (units[i].cells[row].applies)
			return true;
	return false;
}

static void put_need(const struct row *row, struct paper *paper)
{
	paper_cell(paper, TONE_PLAIN, "%s", row->id);
	paper_cell(paper, row->need == NEED_REQUIRED ? TONE_PLAIN : TONE_QUIET, "%s",
	           need_words(row));
}

static void put_cells(const struct acceptance *a, const struct acceptance_unit *units,
                      size_t count, size_t at, struct paper *paper)
{
	const struct row *row = &a->policy->rows[at];
	char text[CELL_TEXT];

	put_need(row, paper);
	for (size_t i = 0; i < count; i++) {
		const struct cell *cell = &units[i].cells[at];

		if (cell->applies)
			paper_cell(paper, cell_tone(cell, row), "%s",
			           cell_words(&units[i], cell, text));
		else
			paper_cell(paper, TONE_QUIET, "-");
	}
	paper_row_end(paper);
}

/* A column a unit. */
static void put_words(const struct acceptance *a, const struct acceptance_unit *units,
                      size_t count, struct paper *paper)
{
	struct paper_column columns[2 + NAMED_UNITS] = {{"ROW", 0}, {"NEED", PAPER_WRAP}};
	char *names[NAMED_UNITS] = {0}; /* a heading is no text from outside to a paper */

	for (size_t i = 0; i < count; i++) {
		names[i] = text_visible(units[i].name);
		columns[2 + i] = (struct paper_column){names[i] ? names[i] : "?", PAPER_WRAP};
	}
	paper_table(paper, columns, 2 + count);
	for (size_t k = 0; k < a->policy->row_count; k++)
		if (applies(units, count, k))
			put_cells(a, units, count, k, paper);
	paper_table_end(paper);
	for (size_t i = 0; i < count; i++)
		free(names[i]);
}

/* Many units: how many stand how. */
static void put_counts(const struct acceptance *a, struct paper *paper)
{
	static const struct paper_column columns[] = {
		{"ROW", PAPER_WRAP},       {"NEED", PAPER_WRAP},     {"OK", PAPER_RIGHT},
		{"OUTSIDE", PAPER_RIGHT},  {"BLOCKED", PAPER_RIGHT}, {"UNCERTAIN", PAPER_RIGHT},
		{"NOT SEEN", PAPER_RIGHT},
	};
	static const struct {
		uint8_t state, tone;
	} order[] = {{CELL_OK, TONE_GOOD},
	             {CELL_OUTSIDE, TONE_BAD},
	             {CELL_BLOCKED, TONE_BAD},
	             {CELL_UNDETERMINED, TONE_DOUBT},
	             {CELL_NOT_EXERCISED, TONE_DOUBT}};

	paper_say(paper, "%zu units: how many stand how.", a->unit_count);
	paper_table(paper, columns, ARRAY_LEN(columns));
	for (size_t k = 0; k < a->policy->row_count; k++) {
		uint64_t counts[CELL_STATE_COUNT];

		if (!row_is_asked(a, k))
			continue;
		row_counts(a, k, counts);
		put_need(&a->policy->rows[k], paper);
		for (size_t i = 0; i < ARRAY_LEN(order); i++)
			paper_cell(paper, counts[order[i].state] ? order[i].tone : TONE_QUIET,
			           "%llu", (unsigned long long)counts[order[i].state]);
		paper_row_end(paper);
	}
	paper_table_end(paper);
}

/* What is wrong, unit by unit, to be opened. */
static void put_folded(const struct acceptance *a, struct paper *paper)
{
	for (size_t i = 0; i < a->unit_count && i < UNITS_FOLDED; i++) {
		const struct acceptance_unit *unit = &a->units[i];

		if (!paper_fold(paper, false, "%s: %s", unit->name,
		                result_words((enum acceptance_result)unit->result)))
			return;
		put_words(a, unit, 1, paper);
		paper_fold_end(paper);
	}
}

/* What was not seen is no proof that it was not done. */
static void put_reserve(const struct acceptance *a, struct paper *paper)
{
	for (size_t i = 0; i < a->unit_count; i++)
		for (size_t k = 0; a->units[i].blind && k < a->policy->row_count; k++)
			if (a->units[i].cells[k].applies &&
			    a->units[i].cells[k].state == CELL_NOT_EXERCISED) {
				paper_say(paper, "* as far as could be seen: see the intervals "
				                 "above.");
				return;
			}
}

/* ------------------------------------------------------------- closed ways */

static bool is_closed(const struct cell *cell)
{
	return cell->applies && cell->block_count;
}

/* One flow may be of several rows, which then are closed alike: told once. */
static bool is_told(const struct acceptance_unit *unit, size_t row,
                    const struct cell_block *block)
{
	for (size_t k = 0; k < row; k++)
		for (unsigned i = 0; i < unit->cells[k].block_count; i++)
			if (is_closed(&unit->cells[k]) && block->flow &&
			    unit->cells[k].blocks[i].flow == block->flow)
				return true;
	return false;
}

/* "onprem.out.turn_udp, external.out.turn_3478": all rows that this way is of. */
static void add_rows(const struct acceptance *a, const struct acceptance_unit *unit, size_t row,
                     const struct cell_block *block, char *buf, size_t size)
{
	snprintf(buf, size, "%s", a->policy->rows[row].id);
	for (size_t k = row + 1; k < a->policy->row_count && block->flow; k++)
		for (unsigned i = 0; i < unit->cells[k].block_count; i++)
			if (is_closed(&unit->cells[k]) &&
			    unit->cells[k].blocks[i].flow == block->flow)
				text_add(buf, size, ", %s", a->policy->rows[k].id);
}

static uint64_t put_closed_unit(const struct acceptance *a, const struct acceptance_unit *unit,
                                struct paper *paper, uint64_t shown)
{
	char text[CELL_TEXT], rows[512];

	for (size_t k = 0; k < a->policy->row_count; k++) {
		const struct cell *cell = &unit->cells[k];

		for (unsigned i = 0; is_closed(cell) && i < cell->block_count; i++) {
			if (is_told(unit, k, &cell->blocks[i]) || shown++ >= BLOCKS_SHOWN)
				continue;
			add_rows(a, unit, k, &cell->blocks[i], rows, sizeof(rows));
			paper_item(paper, cell->waived ? TONE_QUIET : TONE_BAD, "%s, %s: %s%s",
			           unit->name, rows, block_print(&cell->blocks[i], text),
			           cell->waived ? " (waived)" : "");
		}
	}
	return shown;
}

static void put_closed(const struct acceptance *a, struct paper *paper)
{
	uint64_t shown = 0, more = 0;
	bool any = false;

	for (size_t i = 0; i < a->unit_count; i++)
		for (size_t k = 0; k < a->policy->row_count; k++) {
			any |= is_closed(&a->units[i].cells[k]);
			more += a->units[i].cells[k].applies ? a->units[i].cells[k].blocks_more
			                                     : 0;
		}
	if (!any)
		return;
	paper_head(paper, "Ways that are closed");
	for (size_t i = 0; i < a->unit_count; i++)
		shown = put_closed_unit(a, &a->units[i], paper, shown);
	more += shown > BLOCKS_SHOWN ? shown - BLOCKS_SHOWN : 0;
	if (more)
		paper_say(paper, "... and %llu more.", (unsigned long long)more);
}

static void put_table(const struct acceptance *a, struct paper *paper)
{
	if (a->unit_count > NAMED_UNITS) {
		put_counts(a, paper);
		put_folded(a, paper);
	} else if (a->unit_count <= ABREAST) {
		put_words(a, a->units, a->unit_count, paper);
	} else {
		size_t half = (a->unit_count + 1) / 2;

		paper_subhead(paper, TONE_PLAIN, "Units 1 to %zu of %zu", half, a->unit_count);
		put_words(a, a->units, half, paper);
		paper_subhead(paper, TONE_PLAIN, "Units %zu to %zu", half + 1, a->unit_count);
		put_words(a, a->units + half, a->unit_count - half, paper);
	}
}

void report_put_matrix(const struct acceptance *a, struct paper *paper)
{
	FILE *drawing;

	paper_head(paper, "Documented rows by unit");
	drawing = a->unit_count ? paper_drawing(paper) : NULL;
	if (!a->unit_count)
		paper_say(paper, "Of no unit.");
	if (drawing)
		report_draw_matrix(a, drawing);
	if (a->unit_count && paper_fold(paper, false, "The same in words, with counts")) {
		put_table(a, paper);
		paper_fold_end(paper);
	} else if (a->unit_count) {
		put_table(a, paper);
	}
	put_reserve(a, paper);
	put_closed(a, paper);
}

/* ------------------------------------------------------------------ groups */

static const char *group_state(const struct group_cell *group)
{
	if (group->state == CELL_OK)
		return "decided";
	if (group->media_unknown)
		return "a row works, but nobody can tell what it carried";
	return group->state == CELL_BLOCKED        ? "blocked"
	       : group->state == CELL_OUTSIDE      ? "outside alone"
	       : group->state == CELL_UNDETERMINED ? "undetermined"
	                                           : "not exercised";
}

static const struct group_cell *group_of(const struct acceptance_unit *unit,
                                         const struct row_group *group)
{
	for (size_t i = 0; i < unit->group_count; i++)
		if (unit->groups[i].group == group)
			return &unit->groups[i];
	return NULL;
}

/* "boardroom: decided; huddle: not exercised"; of many units how many are decided. */
static bool add_states(const struct acceptance *a, const struct row_group *group, bool *ret_open,
                       char *buf, size_t size)
{
	uint64_t asked = 0, decided = 0;

	*buf = '\0';
	*ret_open = false;
	for (size_t i = 0; i < a->unit_count; i++) {
		const struct group_cell *cell = group_of(&a->units[i], group);

		if (!cell)
			continue;
		asked++;
		decided += cell->state == CELL_OK;
		*ret_open |= cell->state != CELL_OK && cell->need == NEED_REQUIRED;
		if (a->unit_count <= NAMED_UNITS)
			text_add(buf, size, "%s%s: %s", *buf ? "; " : "", a->units[i].name,
			         group_state(cell));
	}
	if (a->unit_count > NAMED_UNITS)
		snprintf(buf, size, "decided for %llu of %llu units",
		         (unsigned long long)decided, (unsigned long long)asked);
	return asked;
}

void report_put_groups(const struct acceptance *a, struct paper *paper)
{
	static const struct paper_column columns[] = {
		{"GROUP", 0}, {"RULE", PAPER_WRAP}, {"STATE", PAPER_WRAP}};
	const struct envelope *envelope = a->policy->envelope;
	char states[1024], rows[GROUP_ROWS_MAX * (ROW_ID_MAX + 2)], words[CELL_TEXT];
	bool headed = false, open;

	for (size_t i = 0; i < envelope->group_count; i++) {
		const struct row_group *group = &envelope->groups[i];

		if (!add_states(a, group, &open, states, sizeof(states)))
			continue;
		if (!headed) {
			paper_head(paper, "Decided together");
			paper_table(paper, columns, ARRAY_LEN(columns));
		}
		headed = true;
		paper_cell(paper, TONE_PLAIN, "%s", group->id);
		paper_cell(paper, TONE_PLAIN, "%s", group_words(group, words));
		paper_cell(paper, open ? TONE_DOUBT : TONE_GOOD, "%s", states);
		paper_note(paper, "%s: %s", group_rows(a->policy, group, rows, sizeof(rows)),
		           group->reason);
		paper_row_end(paper);
	}
	if (headed)
		paper_table_end(paper);
}

/* ----------------------------------------------------------- as documented */

void report_put_documented(const struct acceptance *a, struct paper *paper)
{
	static const struct paper_column columns[] = {{"ROW", PAPER_WRAP},
	                                              {"NEED", PAPER_WRAP},
	                                              {"DOCUMENT", PAPER_WRAP},
	                                              {"WHY", PAPER_BELOW}};

	paper_head(paper, "Rows as documented");
	paper_table(paper, columns, ARRAY_LEN(columns));
	for (size_t k = 0; k < a->policy->row_count; k++) {
		const struct row *row = &a->policy->rows[k];
		const char *why = row->need_reason ? row->need_reason : "";

		if (!row_is_asked(a, k))
			continue;
		put_need(row, paper);
		paper_cell(paper, TONE_QUIET, "%s", row->document);
		paper_cell(paper, TONE_QUIET, "%s%s%s", why,
		           a->policy->row_narrowed && a->policy->row_narrowed[k] && *why ? "; "
		                                                                         : "",
		           a->policy->row_narrowed && a->policy->row_narrowed[k]
		                   ? "narrowed by the site file"
		                   : "");
		paper_row_end(paper);
	}
	paper_table_end(paper);
}
