/*
 * next.c - what to do now. Steps come in this order: what the mirror must show before anything can be seen; work
 * through what nobody exercised, what is required first; open what is blocked, by unit and row; settle what was found, what is proven to settle most first, then by
 * unit, row and finding.
 */
#include "monitor/acceptance/next_parts.h"
#include "monitor/acceptance/remedy.h"

const char *step_kind_name(enum step_kind kind)
{
	static const char *const names[STEP_KIND_COUNT] = {
		[STEP_EXERCISE] = "exercise", [STEP_FIREWALL] = "firewall",
		[STEP_SITE] = "site",         [STEP_UNIT] = "unit",
		[STEP_NETWORK] = "network",   [STEP_MIRROR] = "mirror",
	};

	return (unsigned)kind < STEP_KIND_COUNT ? names[kind] : NULL;
}

static int no_memory(struct err *err)
{
	return err_set(err, -ENOMEM, "out of memory");
}

int step_add(struct acceptance *a, struct step *step, struct err *err)
{
	if (array_reserve(&a->steps, &a->step_room, a->step_count + 1, sizeof(*a->steps)) < 0) {
		free(step->who);
		free(step->say);
		free(step->lines);
		return no_memory(err);
	}
	a->steps[a->step_count++] = *step;
	return 0;
}

int who_add(char **who, const char *name, struct err *err)
{
	char *all = NULL;

	if (asprintf(&all, "%s%s%s", *who ? *who : "", *who ? ", " : "", name) < 0)
		return no_memory(err);
	free(*who);
	*who = all;
	return 0;
}

int who_end(char **who, size_t count, struct err *err)
{
	char *all = NULL;

	if (!*who || count <= WHO_MAX)
		return 0;
	if (asprintf(&all, "%s and %zu more", *who, count - WHO_MAX) < 0)
		return no_memory(err);
	free(*who);
	*who = all;
	return 0;
}

bool who_has(const char *who, const char *name)
{
	size_t len = strlen(name);

	for (; (who = strstr(who, name)); who++)
		if ((!who[len] || who[len] == ',') && !strncmp(who, name, len))
			return true;
	return false;
}

/* ------------------------------------------------------------------ on the way */

/* The ways of a cell as the firewall wants them; of waived ones none. */
static size_t take_ways(const struct cell *cell, struct closed_way ways[CELL_BLOCKS_MAX])
{
	size_t count = 0;

	for (; count < cell->block_count && cell->unwaived; count++) {
		const struct cell_block *block = &cell->blocks[count];

		ways[count] = (struct closed_way){.kind = block->kind,
		                                  .transport = block->transport,
		                                  .direction = block->direction,
		                                  .icmp_type = block->icmp_type,
		                                  .icmp_code = block->icmp_code,
		                                  .local_port = block->local_port,
		                                  .remote_port = block->remote_port,
		                                  .local = block->local,
		                                  .remote = block->remote,
		                                  .sender = block->sender};
	}
	return count;
}

/* Flows that several rows document block all of these. */
static bool is_same_block(const struct cell *a, const struct cell *b)
{
	if (a->block_count != b->block_count || a->blocks_more != b->blocks_more)
		return false;
	for (unsigned i = 0; i < a->block_count; i++)
		if (a->blocks[i].flow != b->blocks[i].flow)
			return false;
	return true;
}

static int64_t find_blocked(const struct acceptance *a, size_t unit, const uint16_t *rows,
                            size_t row_count, bool refused)
{
	for (size_t i = 0; i < a->finding_count; i++) {
		const struct acceptance_finding *finding = &a->findings[i];

		for (size_t k = 0; k < row_count; k++)
			if (finding->unit == unit && finding->row == rows[k] &&
			    !finding->waived && kind_is_blocked(finding->finding.kind) &&
			    (finding->finding.kind == KIND_REFUSED) == refused)
				return finding->id;
	}
	return 0;
}

static int add_ways(struct acceptance *a, size_t unit, const struct firewall_ask *ask,
                    struct err *err)
{
	CLEANUP(remedies_release) struct remedies remedies = {0};
	int r = remedy_ways(a->policy, ask, &remedies, err);

	for (size_t i = 0; r >= 0 && i < remedies.count; i++) {
		struct remedy *remedy = &remedies.list[i];
		struct step step = {.kind = remedy->kind, .unit = unit, .row = ask->rows[0]};

		step.finding = find_blocked(a, unit, ask->rows, ask->row_count,
		                            remedy->kind == STEP_NETWORK);
		step.who = strdup(a->units[unit].name);
		if (!step.who)
			return no_memory(err);
		step.say = TAKE(remedy->say);
		step.lines = TAKE(remedy->lines);
		r = step_add(a, &step, err);
	}
	return r;
}

static int add_blocked(struct acceptance *a, struct err *err)
{
	int r = 0;

	for (size_t unit = 0; r >= 0 && unit < a->unit_count; unit++) {
		const struct acceptance_unit *of = &a->units[unit];

		for (uint16_t row = 0; r >= 0 && row < a->policy->row_count; row++) {
			struct closed_way ways[CELL_BLOCKS_MAX];
			uint16_t rows[ROWS_MAX];
			struct firewall_ask ask = {.rows = rows,
			                           .ways = ways,
			                           .locals = of->addresses,
			                           .local_count = of->address_count};
			bool told = false;

			ask.way_count = take_ways(&of->cells[row], ways);
			for (uint16_t other = 0; ask.way_count && other < a->policy->row_count;
			     other++) {
				if (!is_same_block(&of->cells[row], &of->cells[other]))
					continue;
				told |= other < row;
				if (ask.row_count < ROWS_MAX)
					rows[ask.row_count++] = other;
			}
			if (ask.way_count && !told)
				r = add_ways(a, unit, &ask, err);
		}
	}
	return r;
}

/* ------------------------------------------------------------------ what was found */

struct found {
	struct remedy_finding *list;
	size_t *of; /* index in a->findings */
	size_t count;
};

static void found_release(struct found *found)
{
	free(found->list);
	free(found->of);
}

static int find_open(const struct acceptance *a, struct found *ret, struct err *err)
{
	ret->list = calloc(a->finding_count + 1, sizeof(*ret->list));
	ret->of = calloc(a->finding_count + 1, sizeof(*ret->of));
	if (!ret->list || !ret->of)
		return no_memory(err);
	for (size_t i = 0; i < a->finding_count; i++) {
		const struct acceptance_finding *finding = &a->findings[i];

		if (finding->waived || !finding->finding.open ||
		    kind_is_blocked(finding->finding.kind))
			continue;
		ret->of[ret->count] = i;
		ret->list[ret->count++] =
			(struct remedy_finding){finding->id, finding->who, &finding->finding};
	}
	return 0;
}

/* Whom it concerns: the units of the findings that it settles, each once. */
static int settle_who(const struct acceptance *a, const struct found *found,
                      const struct remedy *remedy, struct step *step, struct err *err)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < remedy->settle_count; i++) {
		const struct acceptance_finding *finding =
			&a->findings[found->of[remedy->settles[i]]];
		bool known = false;

		for (size_t k = 0; k < i; k++)
			known |= !strcmp(a->findings[found->of[remedy->settles[k]]].who,
			                 finding->who);
		if (known)
			continue;
		step->unit = step->who ? SIZE_MAX : finding->unit;
		r = who_add(&step->who, finding->who, err);
	}
	return r;
}

/* The same advice for another unit. */
static struct step *find_words(struct acceptance *a, const struct step *step, const char *say)
{
	for (size_t i = 0; !step->proven && i < a->step_count; i++)
		if (a->steps[i].finding && a->steps[i].kind == step->kind &&
		    a->steps[i].row == step->row && !strcmp(a->steps[i].say, say))
			return &a->steps[i];
	return NULL;
}

static int add_remedy(struct acceptance *a, const struct found *found, struct remedy *remedy,
                      struct err *err)
{
	const struct acceptance_finding *first = &a->findings[found->of[remedy->settles[0]]];
	struct step step = {.kind = remedy->kind,
	                    .row = first->row,
	                    .finding = first->id,
	                    .proven = remedy->proven,
	                    .settles = remedy->proven ? remedy->settle_count : 0};
	struct step *known = find_words(a, &step, remedy->say);
	int r;

	if (known) {
		if (who_has(known->who, first->who))
			return 0;
		known->unit = SIZE_MAX;
		return who_add(&known->who, first->who, err);
	}
	r = settle_who(a, found, remedy, &step, err);
	if (r < 0) {
		free(step.who);
		return r;
	}
	step.say = TAKE(remedy->say);
	step.lines = TAKE(remedy->lines);
	return step_add(a, &step, err);
}

static int add_left_out(struct acceptance *a, size_t left_out, struct err *err)
{
	struct step step = {.kind = STEP_SITE, .unit = SIZE_MAX, .row = -1};

	if (asprintf(&step.say,
	             "%zu more findings were not looked at: settle these first, then check "
	             "again.",
	             left_out) < 0)
		return no_memory(err);
	return step_add(a, &step, err);
}

static int add_remedies(struct acceptance *a, struct err *err)
{
	CLEANUP(found_release) struct found found = {0};
	CLEANUP(remedies_release) struct remedies remedies = {0};
	int r = find_open(a, &found, err);

	if (r >= 0)
		r = remedies_find(a->db, a->policy, found.list, found.count, a->since_us,
		                  a->until_us, &remedies, err);
	for (size_t i = 0; r >= 0 && i < remedies.count; i++)
		r = add_remedy(a, &found, &remedies.list[i], err);
	return r >= 0 && remedies.left_out ? add_left_out(a, remedies.left_out, err) : r;
}

/* ------------------------------------------------------------------ the whole */

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int compare_steps(const void *a, const void *b)
{
	const struct step *x = a, *y = b;
	int order = compare_numbers(y->settles, x->settles);

	order = order ? order : compare_numbers(x->unit, y->unit);
	order = order ? order : (x->row > y->row) - (x->row < y->row);
	order = order ? order : (x->finding > y->finding) - (x->finding < y->finding);
	order = order ? order : compare_numbers(x->kind, y->kind);
	return order ? order : strcmp(x->say, y->say);
}

int next_steps(struct acceptance *a, struct err *err)
{
	size_t others;
	int r = add_mirrors(a, err);

	if (r >= 0)
		r = add_exercises(a, err);
	if (r >= 0)
		r = add_blocked(a, err);
	others = a->step_count;
	if (r >= 0)
		r = add_remedies(a, err);
	if (r >= 0 && a->step_count > others)
		qsort(a->steps + others, a->step_count - others, sizeof(*a->steps),
		      compare_steps);
	return r;
}
