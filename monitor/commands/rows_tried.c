/*
 * rows_tried.c - see rows_tried.h.
 */
#include "monitor/commands/rows_tried.h"

/* Short enough for a table of eight columns beside the name of the row; as enum field. */
static const char *const HEADS[FIELD_COUNT] = {"ip",    "trans", "dir",   "peer",
                                               "rport", "app",   "lport", "media"};
static const char *const FITS[] = {"NO", "?", "."};
static const char *const FIT_NAMES[] = {"mismatch", "unknown", "match"};

static const char *result_of(const struct score *score)
{
	if (score->refused)
		return "refused";
	if (score->misses)
		return "";
	return score->grade ? grade_name((enum grade)score->grade) : "undetermined";
}

static void print_row(const char *id, const struct score *score)
{
	char line[2 * ROW_ID_MAX];

	snprintf(line, sizeof(line), "  %-24s", id);
	for (unsigned field = 0; field < FIELD_COUNT; field++)
		text_add(line, sizeof(line), " %-*s", (int)strlen(HEADS[field]),
		         FITS[score->fit[field]]);
	text_add(line, sizeof(line), " %s", result_of(score));
	for (size_t len = strlen(line); len && line[len - 1] == ' ';)
		line[--len] = '\0';
	printf("%s\n", line);
}

void rows_tried_print(const struct policy *policy, const struct view *view)
{
	bool refused = false;

	printf("\nrows tried (. fits, ? cannot be told, NO differs):\n  %-24s", "");
	for (unsigned field = 0; field < FIELD_COUNT; field++)
		printf(" %s", HEADS[field]);
	printf("\n");
	for (unsigned r = 0; r < policy->row_count; r++) {
		struct score score;

		if (!(view->profiles >> policy->rows[r].profile & 1))
			continue;
		judge_row(policy, view, r, &score);
		print_row(policy->rows[r].id, &score);
		refused |= score.refused;
	}
	if (refused)
		printf("refused: the row allows every local port; it may not excuse media that a\n"
		       "narrower row should have held, unless the site names the peer under its role\n");
}

void rows_tried_json(const struct policy *policy, const struct view *view, FILE *file)
{
	bool first = true;

	fputc('[', file);
	for (unsigned r = 0; r < policy->row_count; r++) {
		struct score score;

		if (!(view->profiles >> policy->rows[r].profile & 1))
			continue;
		judge_row(policy, view, r, &score);
		fprintf(file, "%s{\"row\":", first ? "" : ",");
		json_put(file, policy->rows[r].id);
		for (unsigned field = 0; field < FIELD_COUNT; field++)
			fprintf(file, ",\"%s\":\"%s\"", field_name((enum field)field),
			        FIT_NAMES[score.fit[field]]);
		fprintf(file, ",\"result\":\"%s\"}",
		        score.misses ? "differs" : result_of(&score));
		first = false;
	}
	fputc(']', file);
}
