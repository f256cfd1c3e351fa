/*
 * findings_write.c - see findings.h: what of findings goes to the database, and when.
 */
#include "monitor/record/findings_parts.h"

static int finding_write(struct flowdb *db, struct finding *finding, struct err *err)
{
	bool fresh = finding->fresh;

	finding->fresh = finding->dirty = false;
	return fresh ? flowdb_finding_open(db, &finding->row, finding->id, err)
	             : flowdb_finding_put(db, &finding->row, &finding->id, err);
}

int findings_settle(struct findings *findings, struct flowdb *db, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < findings->moved_count && r >= 0; i++) {
		struct finding *finding = findings->moved[i];

		r = finding_write(db, finding, err);
		finding->moved = false;
	}
	findings->moved_count = 0;
	return r < 0 ? r : 0;
}

static int compare_ids(const void *id, const void *finding)
{
	int64_t a = *(const int64_t *)id, b = (*(struct finding *const *)finding)->id;

	return (a > b) - (a < b);
}

static int compare_findings(const void *a, const void *b)
{
	return compare_ids(&(*(struct finding *const *)a)->id, b);
}

struct refreshed {
	struct finding **by_id;
	size_t count;
};

static int refresh_one(void *context, int64_t id, bool open, const char *reason, struct err *err)
{
	const struct refreshed *refreshed = context;
	struct finding **found = bsearch(&id, refreshed->by_id, refreshed->count,
	                                 sizeof(struct finding *), compare_ids);
	struct finding *finding = found ? *found : NULL;

	(void)err;
	if (!finding || finding->row.open == open)
		return 0;
	finding->row.open = open;
	finding->unit->open_findings[finding->row.kind] =
		(uint16_t)(finding->unit->open_findings[finding->row.kind] + (open ? 1 : -1));
	text_copy(finding->row.reason, sizeof(finding->row.reason), reason);
	return 0;
}

int findings_refresh(struct findings *findings, struct flowdb *db, struct err *err)
{
	CLEANUP(freep)
	struct finding **by_id = calloc(findings->count + 1, sizeof(struct finding *));
	struct refreshed refreshed = {by_id, findings->count};

	if (!by_id)
		return err_set(err, -ENOMEM, "out of memory");
	if (!findings->count)
		return 0;
	memcpy(by_id, findings->all, findings->count * sizeof(struct finding *));
	qsort(by_id, findings->count, sizeof(struct finding *), compare_findings);
	return flowdb_finding_states(db, refresh_one, &refreshed, err);
}

int findings_flush(struct findings *findings, struct flowdb *db, struct err *err)
{
	int r = 0;

	for (size_t i = 0; i < findings->changed_count && r >= 0; i++) {
		struct finding *finding = findings->changed[i];

		if (finding->dirty)
			r = finding_write(db, finding, err);
		finding->listed = false;
	}
	findings->changed_count = 0;
	return r < 0 ? r : 0;
}
