/*
 * flips.c - see flips.h.
 */
#include "monitor/flips.h"
#include "monitor/finding_key.h"
#include "monitor/idmap.h"

#include <xxhash.h>

#define UNITS_OF_GROUPS_MAX (1 << 20)

struct flips {
	struct idmap by_key; /* hash of the key -> group */
	struct idmap units;  /* (group, unit) that was counted */
	struct flip_group **groups;
	size_t count, room;
	struct flip_sums sums;
};

struct flips *flips_new(void)
{
	struct flips *flips = calloc(1, sizeof(*flips));

	if (!flips)
		return NULL;
	idmap_init(&flips->by_key, FLIPS_MAX);
	idmap_init(&flips->units, UNITS_OF_GROUPS_MAX);
	return flips;
}

void flips_free(struct flips *flips)
{
	if (!flips)
		return;
	for (size_t i = 0; i < flips->count; i++)
		free(flips->groups[i]);
	free(flips->groups);
	idmap_release(&flips->by_key);
	idmap_release(&flips->units);
	free(flips);
}

void flips_freep(struct flips **flips)
{
	flips_free(*flips);
	*flips = NULL;
}

struct flip_sums *flips_sums(struct flips *flips)
{
	return &flips->sums;
}

void judged_before(const struct flow_view *flow, struct judged *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->ruling = flow->ruling;
	ret->grade = flow->grade;
	ret->kind = flow->kind;
	ret->severity = flow->severity;
	ret->why = flow->why;
	ret->row_count = flow->row_count;
	for (unsigned i = 0; i < flow->row_count; i++)
		text_copy(ret->rows[i], sizeof(ret->rows[i]), flow->rows[i]);
	if (flow->ruling == RULING_DOCUMENTED && flow->row_count)
		text_copy(ret->row, sizeof(ret->row), flow->rows[0]);
	else if (flow->nearest_count)
		text_copy(ret->row, sizeof(ret->row), flow->nearest[0].row);
}

void judged_now(const struct policy *policy, const struct verdict *verdict, struct judged *ret)
{
	memset(ret, 0, sizeof(*ret));
	ret->ruling = verdict->ruling;
	ret->grade = verdict->grade;
	ret->kind = verdict->kind;
	ret->severity = verdict->severity;
	ret->why = verdict->why;
	ret->row_count = verdict->row_count;
	for (unsigned i = 0; i < verdict->row_count; i++)
		text_copy(ret->rows[i], sizeof(ret->rows[i]), policy->rows[verdict->rows[i]].id);
	if (verdict->ruling == RULING_DOCUMENTED && verdict->row_count)
		text_copy(ret->row, sizeof(ret->row), ret->rows[0]);
	else if (verdict->nearest_count)
		text_copy(ret->row, sizeof(ret->row), policy->rows[verdict->nearest[0].row].id);
}

static uint64_t key_of(const struct flip_group *group)
{
	struct {
		struct judged from, to;
		char remote[PREFIX_TEXT], role[32], port[64];
		uint16_t app;
		uint8_t transport;
	} key;

	memset(&key, 0, sizeof(key));
	key.from = group->from;
	key.to = group->to;
	text_copy(key.remote, sizeof(key.remote), group->key.remote);
	text_copy(key.role, sizeof(key.role), group->key.role);
	text_copy(key.port, sizeof(key.port), group->key.port);
	key.app = group->key.app;
	key.transport = group->key.transport;
	return XXH3_64bits(&key, sizeof(key)) | 1;
}

/* The group of this key, made if it is a new one; NULL with 0 in *ret_error where there is no place. */
static struct flip_group *group_of(struct flips *flips, const struct flip_group *key,
                                   const struct flow_view *flow, const struct past *past,
                                   int *ret_error, struct err *err)
{
	uint64_t hash = key_of(key);
	struct flip_group *group = idmap_find(&flips->by_key, hash);

	*ret_error = 0;
	if (group)
		return group;
	if (flips->count == FLIPS_MAX) {
		flips->sums.refused++;
		return NULL;
	}
	group = malloc(sizeof(*group));
	if (!group ||
	    array_reserve(&flips->groups, &flips->room, flips->count + 1,
	                  sizeof(struct flip_group *)) < 0 ||
	    idmap_add(&flips->by_key, hash, group) < 0) {
		free(group);
		*ret_error = err_set(err, -ENOMEM, "out of memory");
		return NULL;
	}
	flips->groups[flips->count++] = group;
	*group = *key;
	group->flow = flow->id;
	group->key.first_us = flow->facts.first_us;
	text_copy(group->unit, sizeof(group->unit), past->unit);
	judge_sentence(past->policy, &past->view, &past->verdict, group->sentence,
	               sizeof(group->sentence));
	return group;
}

int flips_add(struct flips *flips, const struct flow_view *flow, const struct past *past,
              struct err *err)
{
	const struct flow_facts *facts = &flow->facts;
	struct flip_group key, *group;
	uint64_t seen;
	int r;

	memset(&key, 0, sizeof(key));
	judged_before(flow, &key.from);
	judged_now(past->policy, &past->verdict, &key.to);
	finding_key(past->policy, 0, &past->view, &past->verdict, &key.key);
	group = group_of(flips, &key, flow, past, &r, err);
	if (!group)
		return r;
	group->key.flows++;
	group->key.bytes += facts->bytes[0] + facts->bytes[1];
	if (facts->first_us < group->key.first_us)
		group->key.first_us = facts->first_us;
	if (facts->last_us > group->key.last_us)
		group->key.last_us = facts->last_us;
	seen = XXH3_64bits_withSeed(past->unit, strlen(past->unit), (uint64_t)group->flow) | 1;
	if (!idmap_find(&flips->units, seen) && !idmap_add(&flips->units, seen, group))
		group->units++;
	return 0;
}

static int compare_numbers(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* What becomes outside stands first, what becomes documented last. */
static unsigned rank_of(const struct judged *to)
{
	static const uint8_t rank[] = {[RULING_OUTSIDE] = 0,
	                               [RULING_UNDETERMINED] = 2,
	                               [RULING_DOCUMENTED] = 3,
	                               [RULING_HOUSEKEEPING] = 4};

	return to->ruling == RULING_DOCUMENTED && to->kind ? 1
	       : to->ruling < ARRAY_LEN(rank)             ? rank[to->ruling]
	                                                  : 5;
}

static int compare_groups(const void *a, const void *b)
{
	const struct flip_group *x = *(struct flip_group *const *)a,
				*y = *(struct flip_group *const *)b;
	int order = compare_numbers(rank_of(&x->to), rank_of(&y->to));

	order = order ? order : compare_numbers(y->to.severity, x->to.severity);
	order = order ? order : compare_numbers(y->key.flows, x->key.flows);
	order = order ? order : strcmp(x->to.row, y->to.row);
	order = order ? order : compare_numbers((uint64_t)x->flow, (uint64_t)y->flow);
	return order;
}

const struct flip_group *const *flips_sorted(struct flips *flips, size_t *ret_count)
{
	if (flips->count)
		qsort(flips->groups, flips->count, sizeof(struct flip_group *), compare_groups);
	*ret_count = flips->count;
	return (const struct flip_group *const *)flips->groups;
}

void flip_sums_add(struct flip_sums *sums, const struct flow_view *flow,
                   const struct past *past, bool flips)
{
	const struct verdict *verdict = &past->verdict;

	sums->judged++;
	sums->moved += past->moved;
	sums->from[flow->ruling % 5][verdict->ruling % 5]++;
	if (!flips) {
		sums->same++;
		return;
	}
	sums->flipped++;
	if (flow->ruling == verdict->ruling)
		sums->within[verdict->ruling % 5]++;
	if (past_waiver(past))
		sums->waived++;
}
