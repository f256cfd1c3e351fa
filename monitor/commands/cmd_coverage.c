/*
 * cmd_coverage.c - which documented rows the units used, and how: the matrix of rows and units. What nobody
 * exercised stands there too: silence never passes.
 */
#include "monitor/commands.h"
#include "monitor/commands/query.h"
#include "monitor/log.h"
#include "schema/time.h"

static const struct query_command COMMAND = {
	.name = "coverage",
	.has = HAS_ANSWER | HAS_WINDOW | HAS(UNIT) | HAS(ROW) | HAS(PER_UNIT) | HAS(LIMIT),
	.usage = "[-l DIR] [-o FORMAT] [--per-unit] [--since T] [...]",
	.about =
		"Tells which documented rows the units used. The table has one line a row and\n"
		"says of how many units it was OK (answered at least once, and nothing worse),\n"
		"WEAK (answered, on weak grounds alone: unproven, wide), UNANSWERED, BLOCKED,\n"
		"OUTSIDE (flows came near it and differ), SILENT: not exercised. A unit counts\n"
		"once, by the worst. --per-unit has a line for each unit and row, as json, jsonl\n"
		"and csv always do: flows answered by grade, unanswered, blocked, outside; first\n"
		"and last answered.\n"
		"Without a window all runs count; with one the flows recorded in it.\n\n",
	.examples = "What has nobody tried yet?\n"
		    "  tlmon coverage | awk '$NF'\n"
		    "What did the boardroom use yesterday?\n"
		    "  tlmon coverage --unit boardroom --since 1d --per-unit\n",
};

/* The names of the columns are fixed: scripts rely on them. */
static const struct out_column CELL_COLUMNS[] = {
	{"unit", "UNIT", OUT_CUT_NEXT},
	{"row", "ROW", OUT_CUT},
	{NULL, "STATE", 0},
	{"exact", "EXACT", OUT_RIGHT},
	{"unproven", "UNPROVEN", OUT_RIGHT | OUT_CUT_FIRST},
	{"wide", "WIDE", OUT_RIGHT | OUT_CUT_FIRST},
	{"unanswered", "UNANSWERED", OUT_RIGHT | OUT_CUT_FIRST},
	{"blocked", "BLOCKED", OUT_RIGHT | OUT_CUT_FIRST},
	{"outside", "OUTSIDE", OUT_RIGHT | OUT_CUT_FIRST},
	{"first", NULL, 0},
	{"last", NULL, 0},
	{NULL, "LAST", OUT_CUT_FIRST},
};

static const struct out_column ROW_COLUMNS[] = {
	{NULL, "ROW", OUT_CUT},
	{NULL, "OK", OUT_RIGHT},
	{NULL, "WEAK", OUT_RIGHT},
	{NULL, "UNANSWERED", OUT_RIGHT},
	{NULL, "BLOCKED", OUT_RIGHT},
	{NULL, "OUTSIDE", OUT_RIGHT},
	{NULL, "SILENT", OUT_RIGHT},
};

/* How a unit stands to a row: by the worst of what was seen. In the order of ROW_COLUMNS. */
enum state { OK, WEAK, UNANSWERED, BLOCKED, OUTSIDE, SILENT, STATE_COUNT };

/* A row that stands in the matrix: documented, or of another envelope and recorded. */
struct line {
	char id[ROW_ID_MAX];
	int profile; /* -1: of another envelope */
	uint64_t units[STATE_COUNT];
};

struct member {
	char *name;
	bool profiles[PROFILES_MAX];
};

/* What was told of a unit and a row; the row's text is not to be looked at. */
struct seen {
	size_t unit, line;
	struct coverage_row cell;
};

struct matrix {
	struct envelope *envelope;
	struct line *lines;
	size_t line_count, line_room;
	struct member *units; /* by name */
	size_t unit_count, unit_room;
	struct seen *seen;
	size_t seen_count, seen_room;
	struct coverage_row *cells; /* by unit, then by line; all zero: not exercised */
};

static void matrix_release(struct matrix *matrix)
{
	for (size_t i = 0; i < matrix->unit_count; i++)
		free(matrix->units[i].name);
	free(matrix->units);
	free(matrix->lines);
	free(matrix->seen);
	free(matrix->cells);
	envelope_free(matrix->envelope);
}

static int add_line(struct matrix *matrix, const char *id, int profile, struct err *err)
{
	struct line *line;

	if (array_reserve(&matrix->lines, &matrix->line_room, matrix->line_count + 1,
	                  sizeof(*line)) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	line = &matrix->lines[matrix->line_count++];
	text_copy(line->id, sizeof(line->id), id);
	line->profile = profile;
	return 0;
}

static int find_line(const struct matrix *matrix, const char *id)
{
	for (size_t i = 0; i < matrix->line_count; i++)
		if (!strcmp(matrix->lines[i].id, id))
			return (int)i;
	return -1;
}

/* "room, online" */
static int take_unit(void *context, const struct unit_view *unit, struct err *err)
{
	struct matrix *matrix = context;
	char list[256], *rest, *word;
	struct member *member;

	if (array_reserve(&matrix->units, &matrix->unit_room, matrix->unit_count + 1,
	                  sizeof(*member)) < 0 ||
	    !(matrix->units[matrix->unit_count].name = strdup(unit->name)))
		return err_set(err, -ENOMEM, "out of memory");
	member = &matrix->units[matrix->unit_count++];
	text_copy(list, sizeof(list), unit->profiles);
	for (word = strtok_r(list, ", ", &rest); word; word = strtok_r(NULL, ", ", &rest)) {
		int profile = envelope_find_profile(matrix->envelope, word);

		if (profile >= 0)
			member->profiles[profile] = true;
	}
	return 0;
}

static int compare_names(const void *name, const void *member)
{
	return strcmp(name, ((const struct member *)member)->name);
}

/* A row of another envelope than ours has its line, too. */
static int take_cell(void *context, const struct coverage_view *coverage, struct err *err)
{
	struct matrix *matrix = context;
	const struct member *member =
		bsearch(coverage->unit, matrix->units, matrix->unit_count,
	                sizeof(*matrix->units), compare_names);
	int line = find_line(matrix, coverage->row.row), r = 0;

	if (!member)
		return 0;
	if (line < 0) {
		line = (int)matrix->line_count;
		r = add_line(matrix, coverage->row.row, -1, err);
	}
	if (r >= 0 && array_reserve(&matrix->seen, &matrix->seen_room, matrix->seen_count + 1,
	                            sizeof(*matrix->seen)) < 0)
		r = err_set(err, -ENOMEM, "out of memory");
	if (r >= 0)
		matrix->seen[matrix->seen_count++] = (struct seen){
			(size_t)(member - matrix->units), (size_t)line, coverage->row};
	return r;
}

/* Each where it stands, now that all units and lines are known. */
static int place_cells(struct matrix *matrix, struct err *err)
{
	matrix->cells = calloc(matrix->unit_count * matrix->line_count + 1,
	                       sizeof(*matrix->cells));
	if (!matrix->cells)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < matrix->seen_count; i++)
		matrix->cells[matrix->seen[i].unit * matrix->line_count + matrix->seen[i].line] =
			matrix->seen[i].cell;
	return 0;
}

static int find_mirrors(const struct envelope *envelope, struct row_mirror **ret, size_t *count,
                        struct err *err)
{
	*ret = calloc(envelope->row_count + 1, sizeof(**ret));
	if (!*ret)
		return err_set(err, -ENOMEM, "out of memory");
	for (size_t i = 0; i < envelope->row_count; i++) {
		int other = row_mirror(envelope->rows, envelope->row_count, i);

		if (other >= 0)
			(*ret)[(*count)++] = (struct row_mirror){envelope->rows[i].id,
			                                         envelope->rows[other].id};
	}
	return 0;
}

static int read_matrix(const struct query *query, struct matrix *matrix, struct err *err)
{
	const struct flow_query *asked = &query->flow;
	CLEANUP(freep) struct row_mirror *mirrors = NULL;
	size_t mirror_count = 0;
	int r = envelope_load(NULL, &matrix->envelope, err);

	for (size_t i = 0; r >= 0 && i < matrix->envelope->row_count; i++) {
		const struct row *row = &matrix->envelope->rows[i];

		if (!asked->row || !strcmp(asked->row, row->id))
			r = add_line(matrix, row->id, row->profile, err);
	}
	if (r >= 0)
		r = find_mirrors(matrix->envelope, &mirrors, &mirror_count, err);
	if (r >= 0)
		r = flowdb_members(query->db, asked, take_unit, matrix, err);
	if (r >= 0)
		r = flowdb_coverage(query->db, asked, mirrors, mirror_count, take_cell, matrix, err);
	return r < 0 ? r : place_cells(matrix, err);
}

static enum state state_of(const struct coverage_row *cell)
{
	return cell->blocked                     ? BLOCKED
	       : cell->outside                   ? OUTSIDE
	       : cell->exact                     ? OK
	       : cell->unproven || cell->wide    ? WEAK
	       : cell->unanswered                ? UNANSWERED
	                                         : SILENT;
}

/* It is the unit's to exercise, or it came near it all the same. */
static bool is_in(const struct member *unit, const struct line *line,
                  const struct coverage_row *cell)
{
	return state_of(cell) != SILENT || (line->profile >= 0 && unit->profiles[line->profile]);
}

static int put_cell(struct out *out, const struct member *unit, const struct line *line,
                    const struct coverage_row *cell, struct err *err)
{
	static const struct {
		const char *word;
		enum out_paint paint;
	} states[STATE_COUNT] = {
		[OK] = {"ok", OUT_GREEN},           [WEAK] = {"weak", OUT_YELLOW},
		[UNANSWERED] = {"unanswered", OUT_YELLOW}, [BLOCKED] = {"blocked", OUT_RED},
		[OUTSIDE] = {"outside", OUT_RED},   [SILENT] = {"not exercised", OUT_DIM},
	};
	char time[TIME_TEXT];

	out_text(out, unit->name);
	out_text(out, line->id);
	out_text(out, states[state_of(cell)].word);
	out_paint(out, states[state_of(cell)].paint);
	out_int(out, (int64_t)cell->exact);
	out_int(out, (int64_t)cell->unproven);
	out_int(out, (int64_t)cell->wide);
	out_int(out, (int64_t)cell->unanswered);
	out_int(out, (int64_t)cell->blocked);
	out_int(out, (int64_t)cell->outside);
	out_text(out, cell->first_us ? time_print(cell->first_us, time) : NULL);
	out_text(out, cell->last_us ? time_print(cell->last_us, time) : NULL);
	out_text(out, cell->last_us ? time_print_local(cell->last_us, time) : "");
	return out_end(out, err);
}

static int put_cells(const struct matrix *matrix, uint64_t limit, struct out *out,
                     struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < matrix->unit_count; i++)
		for (size_t k = 0; k < matrix->line_count && !r; k++) {
			const struct coverage_row *cell =
				&matrix->cells[i * matrix->line_count + k];

			if (limit && out_count(out) == limit)
				return 0;
			if (is_in(&matrix->units[i], &matrix->lines[k], cell))
				r = put_cell(out, &matrix->units[i], &matrix->lines[k], cell, err);
		}
	return r;
}

static int put_lines(struct matrix *matrix, uint64_t limit, struct out *out, struct err *err)
{
	static const enum out_paint paint[STATE_COUNT] = {OUT_GREEN, OUT_YELLOW, OUT_YELLOW,
	                                                  OUT_RED,   OUT_RED,    OUT_DIM};
	int r = 0;

	for (size_t k = 0; k < matrix->line_count && !r; k++) {
		struct line *line = &matrix->lines[k];
		uint64_t units = 0;

		for (size_t i = 0; i < matrix->unit_count; i++) {
			const struct coverage_row *cell =
				&matrix->cells[i * matrix->line_count + k];

			if (is_in(&matrix->units[i], line, cell)) {
				line->units[state_of(cell)]++;
				units++;
			}
		}
		if (!units)
			continue;
		if (limit && out_count(out) == limit)
			return 0;
		out_text(out, line->id);
		for (unsigned state = 0; state < STATE_COUNT; state++) {
			out_int(out, (int64_t)line->units[state]);
			if (line->units[state])
				out_paint(out, paint[state]);
		}
		r = out_end(out, err);
	}
	return r;
}

static int list_coverage(const struct query *query, struct matrix *matrix, struct err *err)
{
	const struct query_options *options = query->options;
	bool cells = options->per_unit || options->format != OUT_TABLE;
	CLEANUP(out_freep) struct out *out = NULL;
	int r = read_matrix(query, matrix, err);

	if (r >= 0)
		r = out_new(options->format, stdout, cells ? CELL_COLUMNS : ROW_COLUMNS,
		            cells ? ARRAY_LEN(CELL_COLUMNS) : ARRAY_LEN(ROW_COLUMNS),
		            options->wide, &out, err);
	if (r < 0)
		return r;
	query_head(query, out);
	r = cells ? put_cells(matrix, query->flow.limit, out, err)
	          : put_lines(matrix, query->flow.limit, out, err);
	if (r >= 0)
		r = out_finish(out, err);
	return r ? r : query_foot(query, out, "units", err);
}

int cmd_coverage(int argc, char **argv)
{
	struct matrix matrix = {0};
	struct query_options options;
	struct query query = {0};
	struct err err = {0};
	int r = query_command_line(&COMMAND, argc, argv, &options, &err);

	if (r > 0)
		return EXIT_FINE;
	if (r >= 0)
		r = query_open(&options, &query, &err);
	if (r < 0)
		return log_err(&err);
	r = list_coverage(&query, &matrix, &err);
	matrix_release(&matrix);
	query_release(&query);
	return r < 0 ? log_err(&err) : EXIT_FINE;
}
