/*
 * waiver_flips.c - see waiver_flips.h. As in the recorder the latest flow of a finding says what waives it.
 */
#include "monitor/commands/waiver_flips.h"
#include "monitor/idmap.h"

#define WAIVED_MAX (1 << 20) /* findings */

/* A finding under the other policy. */
struct waived {
	int64_t last_us;
	const struct waiver *waiver; /* NULL: none */
};

struct waiver_flips {
	struct idmap by_finding;
};

struct waiver_flips *waiver_flips_new(void)
{
	struct waiver_flips *flips = calloc(1, sizeof(*flips));

	if (!flips)
		return NULL;
	idmap_init(&flips->by_finding, WAIVED_MAX);
	return flips;
}

void waiver_flips_free(struct waiver_flips *flips)
{
	if (!flips)
		return;
	for (size_t i = 0; i < flips->by_finding.size; i++)
		free(flips->by_finding.slots[i].value);
	idmap_release(&flips->by_finding);
	free(flips);
}

int waiver_flips_note(struct waiver_flips *flips, const struct flow_view *flow,
                      const struct past *past, struct err *err)
{
	struct waived *waived;

	/* What the same policy said stands in the finding. */
	if (!flow->finding || !strcmp(flow->policy, past->policy->hash))
		return 0;
	waived = idmap_find(&flips->by_finding, (uint64_t)flow->finding);
	if (!waived) {
		waived = calloc(1, sizeof(*waived));
		if (!waived || idmap_add(&flips->by_finding, (uint64_t)flow->finding, waived) < 0) {
			free(waived);
			return err_set(err, -ENOMEM, "out of memory");
		}
	}
	if (flow->facts.last_us < waived->last_us)
		return 0;
	waived->last_us = flow->facts.last_us;
	waived->waiver = past_waiver(past);
	return 0;
}

static int say_one(void *context, const struct finding_view *finding, struct err *err)
{
	const struct waiver_flips *flips = context;
	const struct waived *waived = idmap_find(&flips->by_finding, (uint64_t)finding->id);
	char text[sizeof(finding->row.waiver)];

	(void)err;
	if (!waived || !finding->row.open || !waived->waiver == !*finding->row.waiver)
		return 0;
	if (waived->waiver)
		printf("F%lld would be waived by %s\n", (long long)finding->id,
		       waiver_print(waived->waiver, text, sizeof(text)));
	else
		printf("F%lld would be waived no longer; it is by %s\n", (long long)finding->id,
		       finding->row.waiver);
	return 0;
}

int waiver_flips_say(struct waiver_flips *flips, struct flowdb *db, struct err *err)
{
	const struct finding_query all = {.state = FINDINGS_ALL};

	return flowdb_findings(db, &all, say_one, flips, err);
}
