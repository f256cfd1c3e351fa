/*
 * next_room.c - steps that have to come first: let the mirror show what there is, and do in the room what nobody did.
 */
#include "monitor/acceptance/next_parts.h"

#include <ctype.h>

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

/* ------------------------------------------------------------------ at the mirror port */

/* Units of which one thing is true, in one step. */
static int add_mirror(struct acceptance *a,
                      bool (*is_so)(const struct acceptance *a,
                                    const struct acceptance_unit *unit),
                      const char *say, struct err *err)
{
	struct step step = {.kind = STEP_MIRROR, .row = -1};
	size_t count = 0;
	int r = 0;

	for (size_t unit = 0; r >= 0 && unit < a->unit_count; unit++)
		if (is_so(a, &a->units[unit])) {
			step.unit = step.who ? SIZE_MAX : unit;
			if (count++ < WHO_MAX)
				r = who_add(&step.who, a->units[unit].name, err);
		}
	if (r >= 0)
		r = who_end(&step.who, count, err);
	if (r < 0 || !step.who) {
		free(step.who);
		return r;
	}
	step.say = strdup(say);
	if (!step.say) {
		free(step.who);
		return no_memory(err);
	}
	return step_add(a, &step, err);
}

static bool is_unseen(const struct acceptance *a, const struct acceptance_unit *unit)
{
	(void)a;
	return !unit->seen;
}

static bool is_one_sided(const struct acceptance *a, const struct acceptance_unit *unit)
{
	for (size_t row = 0; row < a->policy->row_count; row++)
		if (unit->cells[row].state == CELL_UNDETERMINED &&
		    (unit->cells[row].whys & CELL_WHY_ONE_SIDED))
			return true;
	return false;
}

int add_mirrors(struct acceptance *a, struct err *err)
{
	int r = add_mirror(
		a, is_unseen,
		"Not a packet was seen: is it switched on, does the mirror show its port, are its "
		"addresses and MACs those of the list? 'tlmon doctor' says what the mirror shows.",
		err);

	if (r >= 0)
		r = add_mirror(
			a, is_one_sided,
			"The mirror shows one direction of conversations: let it copy what the port "
			"sends as well as what it receives.",
			err);
	return r;
}

/* ------------------------------------------------------------------ in the room */

/* Rows and units that one exercise would show. */
struct exercise {
	const char *text;
	uint16_t row; /* whose exercise it is */
	uint16_t rows[ROWS_MAX];
	size_t row_count, rows_more;
	uint8_t need;                   /* enum need */
	uint8_t media;                  /* of the groups */
	const struct row_group *one_of; /* the network chooses which; NULL: all are wanted */
	size_t unit_count, last_unit;   /* units come in order */
	char *who;
};

struct exercises {
	struct exercise *list;
	size_t count, room;
};

static void exercises_release(struct exercises *exercises)
{
	for (size_t i = 0; i < exercises->count; i++)
		free(exercises->list[i].who);
	free(exercises->list);
}

static void exercise_add_row(struct exercise *exercise, uint16_t row)
{
	for (size_t i = 0; i < exercise->row_count; i++)
		if (exercise->rows[i] == row)
			return;
	if (exercise->row_count == ARRAY_LEN(exercise->rows))
		exercise->rows_more++;
	else
		exercise->rows[exercise->row_count++] = row;
}

/* What a unit has to show. */
struct wanted {
	size_t unit;
	uint8_t need;
	const struct row_group *one_of;
	uint16_t row; /* whose exercise it is */
	const uint16_t *rows;
	size_t row_count;
};

/* One way to carry audio is mostly one for video too. */
static bool is_same_choice(const struct row_group *a, const struct row_group *b)
{
	if (!a || !b)
		return a == b;
	return a->row_count == b->row_count &&
	       !memcmp(a->rows, b->rows, a->row_count * sizeof(a->rows[0]));
}

static struct exercise *exercise_of(struct exercises *all, const struct wanted *wanted,
                                    const char *text, struct err *err)
{
	struct exercise *exercise;

	for (size_t i = 0; i < all->count; i++)
		if (!strcmp(all->list[i].text, text) && all->list[i].need == wanted->need &&
		    is_same_choice(all->list[i].one_of, wanted->one_of))
			return &all->list[i];
	if (array_reserve(&all->list, &all->room, all->count + 1, sizeof(*exercise)) < 0) {
		no_memory(err);
		return NULL;
	}
	exercise = &all->list[all->count++];
	*exercise = (struct exercise){.text = text,
	                              .need = wanted->need,
	                              .row = wanted->row,
	                              .one_of = wanted->one_of};
	return exercise;
}

static int exercise_note(struct acceptance *a, struct exercises *all,
                         const struct wanted *wanted, struct err *err)
{
	const char *text = a->policy->rows[wanted->row].exercise;
	struct exercise *exercise = exercise_of(all, wanted, text, err);

	if (!exercise)
		return -ENOMEM;
	exercise->media |= wanted->one_of ? wanted->one_of->media : 0;
	for (size_t i = 0; i < wanted->row_count; i++)
		exercise_add_row(exercise, wanted->rows[i]);
	if (exercise->unit_count && exercise->last_unit == wanted->unit)
		return 0;
	exercise->unit_count++;
	exercise->last_unit = wanted->unit;
	return exercise->unit_count > WHO_MAX
	               ? 0
	               : who_add(&exercise->who, a->units[wanted->unit].name, err);
}

/* Of a group for one kind of media the row that carries the least beside it: its exercise shows that kind. */
static uint16_t plainest_row(const struct policy *policy, const struct row_group *group)
{
	uint16_t best = group->rows[0];

	for (unsigned i = 0; group->media && i < group->row_count; i++) {
		uint8_t media = policy->rows[group->rows[i]].form[0].media;

		if ((media & group->media) == group->media &&
		    __builtin_popcount(media) <
		            __builtin_popcount(policy->rows[best].form[0].media))
			best = group->rows[i];
	}
	return best;
}

static bool is_grouped(const struct acceptance_unit *unit, size_t row)
{
	for (size_t i = 0; i < unit->group_count; i++)
		for (unsigned k = 0; k < unit->groups[i].group->row_count; k++)
			if (unit->groups[i].group->rows[k] == row)
				return true;
	return false;
}

/* A row of a group stands or falls with it. */
static int note_unit(struct acceptance *a, struct exercises *all, size_t at, uint8_t need,
                     struct err *err)
{
	const struct acceptance_unit *unit = &a->units[at];
	int r = 0;

	for (size_t i = 0; r >= 0 && i < unit->group_count; i++) {
		const struct group_cell *cell = &unit->groups[i];
		const struct row_group *group = cell->group;
		const struct wanted wanted = {.unit = at,
		                              .need = need,
		                              .one_of = group->rule == GROUP_ONE_OF ? group
		                                                                    : NULL,
		                              .row = plainest_row(a->policy, group),
		                              .rows = group->rows,
		                              .row_count = group->row_count};

		if (cell->need == need && cell->state != CELL_OK)
			r = exercise_note(a, all, &wanted, err);
	}
	for (uint16_t row = 0; r >= 0 && row < a->policy->row_count; row++) {
		const struct cell *cell = &unit->cells[row];
		const struct wanted wanted = {
			.unit = at, .need = need, .row = row, .rows = &row, .row_count = 1};

		if (cell->applies && cell->state != CELL_OK && !cell->excused &&
		    a->policy->rows[row].need == need && !is_grouped(unit, row))
			r = exercise_note(a, all, &wanted, err);
	}
	return r;
}

/* "; shows audio and video by one of" */
static void put_media(FILE *out, const struct exercise *exercise)
{
	bool first = true;

	fputs("; shows", out);
	for (uint8_t kind = MEDIA_AUDIO; kind <= MEDIA_DATA; kind *= 2)
		if (exercise->media & kind) {
			fprintf(out, "%s %s", first ? "" : " and", media_name(kind));
			first = false;
		}
	if (exercise->one_of)
		fputs(first ? " one of" : " by one of", out);
}

/* "Renew its network settings; shows room.out.dns, room.out.dhcp" */
static int exercise_say(const struct acceptance *a, const struct exercise *exercise, char **ret,
                        struct err *err)
{
	const char *text = *exercise->text ? exercise->text : "exercise";
	size_t len = 0;
	FILE *out = open_memstream(ret, &len);

	if (!out)
		return no_memory(err);
	fputc(toupper((unsigned char)text[0]), out);
	fprintf(out, "%s%s", text + 1,
	        exercise->need == NEED_RECOMMENDED ? " (recommended)" : "");
	if (exercise->row_count > 1)
		put_media(out, exercise);
	for (size_t i = 0; i < exercise->row_count && exercise->row_count > 1; i++)
		fprintf(out, "%s%s", i ? ", " : " ", a->policy->rows[exercise->rows[i]].id);
	if (exercise->rows_more)
		fprintf(out, " and %zu more", exercise->rows_more);
	fputc('.', out);
	return fclose(out) ? no_memory(err) : 0;
}

int add_exercises(struct acceptance *a, struct err *err)
{
	CLEANUP(exercises_release) struct exercises all = {0};
	int r = 0;

	for (uint8_t need = NEED_REQUIRED; need <= NEED_RECOMMENDED; need++)
		for (size_t unit = 0; r >= 0 && unit < a->unit_count; unit++)
			r = note_unit(a, &all, unit, need, err);
	for (size_t i = 0; r >= 0 && i < all.count; i++) {
		struct exercise *exercise = &all.list[i];
		struct step step = {.kind = STEP_EXERCISE,
		                    .unit = exercise->unit_count > 1 ? SIZE_MAX
		                                                     : exercise->last_unit,
		                    .row = exercise->row};

		r = who_end(&exercise->who, exercise->unit_count, err);
		step.who = TAKE(exercise->who);
		if (r >= 0)
			r = exercise_say(a, exercise, &step.say, err);
		if (r >= 0)
			r = step_add(a, &step, err);
		else
			free(step.who);
	}
	return r;
}
