/*
 * findings.c - see findings.h. Invariants:
 *  (1) A finding has its id from the moment it is known here; it is in the database behind the event that opened it,
 *      and its counts follow at a flush. Those that one has to write are on the list `changed`, once.
 *  (2) `flows` is the number of flows gathered, whether or not a row of each is kept; `kept` is that of the rows.
 *  (3) A finding that folded keeps its place here and points to the one it went into.
 */
#include "monitor/finding_key.h"
#include "monitor/record/findings_parts.h"

#define XXH_INLINE_ALL /* of keys this short the call costs more */
#include <xxhash.h>

#define FINDINGS_MAX (1 << 20)

struct findings *findings_new(const struct policy *policy,
                              void (*told)(void *context, const struct finding *finding),
                              void *context)
{
	struct findings *findings = calloc(1, sizeof(*findings));

	if (!findings)
		return NULL;
	findings->policy = policy;
	findings->dropped = "judged again when more was known: no flow is left under it";
	findings->told = told;
	findings->context = context;
	idmap_init(&findings->by_key, FINDINGS_MAX);
	idmap_init(&findings->by_id, FINDINGS_MAX);
	idmap_init(&findings->by_kind, FINDINGS_MAX);
	idmap_init(&findings->scans, SCANS_MAX);
	return findings;
}

void findings_plain(struct findings *findings)
{
	findings->plain = true;
}

void findings_free(struct findings *findings)
{
	if (!findings)
		return;
	for (size_t i = 0; i < findings->count; i++)
		free(findings->all[i]);
	for (size_t i = 0; i < findings->scans.size; i++)
		free(findings->scans.slots[i].value);
	free(findings->all);
	free(findings->moved);
	free(findings->changed);
	idmap_release(&findings->by_key);
	idmap_release(&findings->by_id);
	idmap_release(&findings->by_kind);
	idmap_release(&findings->scans);
	free(findings);
}

/* ------------------------------------------------------------------- keys */

static uint64_t key_of(const struct unit *unit, const struct finding_row *row)
{
	struct {
		uint64_t unit;
		uint16_t app;
		uint8_t kind, transport;
		char row[ROW_ID_MAX], remote[PREFIX_TEXT], role[32], port[64];
	} key;

	memset(&key, 0, sizeof(key));
	key.unit = unit->number;
	key.app = row->app;
	key.kind = row->kind;
	key.transport = row->transport;
	text_copy(key.row, sizeof(key.row), row->row);
	text_copy(key.remote, sizeof(key.remote), row->remote);
	text_copy(key.role, sizeof(key.role), row->role);
	text_copy(key.port, sizeof(key.port), row->port);
	return XXH3_64bits(&key, sizeof(key)) | 1;
}

uint64_t findings_kind(const struct unit *unit, uint8_t kind)
{
	return unit->number << 8 | kind;
}

static bool same_key(const struct finding_row *a, const struct finding_row *b)
{
	return a->unit == b->unit && a->kind == b->kind && a->transport == b->transport &&
	       a->app == b->app && !strcmp(a->row, b->row) && !strcmp(a->remote, b->remote) &&
	       !strcmp(a->role, b->role) && !strcmp(a->port, b->port);
}

/* ---------------------------------------------------------------- findings */

static int finding_enter(struct findings *findings, struct finding *finding, struct err *err)
{
	struct finding *first =
		idmap_find(&findings->by_kind, findings_kind(finding->unit, finding->row.kind));

	if (array_reserve(&findings->all, &findings->room, findings->count + 1,
	                  sizeof(struct finding *)) < 0 ||
	    array_reserve(&findings->changed, &findings->changed_room, findings->count + 1,
	                  sizeof(struct finding *)) < 0 ||
	    idmap_add(&findings->by_id, (uint64_t)finding->id, finding) < 0)
		return err_set(err, -ENOMEM, "out of memory for findings");
	if (idmap_add(&findings->by_key, key_of(finding->unit, &finding->row), finding) < 0) {
		idmap_take(&findings->by_id, (uint64_t)finding->id);
		return err_set(err, -ENOMEM, "out of memory for findings");
	}
	if (first) {
		finding->next = first->next;
		first->next = finding;
	} else if (idmap_add(&findings->by_kind, findings_kind(finding->unit, finding->row.kind),
	                     finding) < 0) {
		idmap_take(&findings->by_id, (uint64_t)finding->id);
		idmap_take(&findings->by_key, key_of(finding->unit, &finding->row));
		return err_set(err, -ENOMEM, "out of memory for findings");
	}
	findings->all[findings->count++] = finding;
	finding->unit->findings[finding->row.kind]++;
	return 0;
}

void finding_change(struct findings *findings, struct finding *finding)
{
	finding->dirty = true;
	if (finding->listed)
		return;
	finding->listed = true;
	findings->changed[findings->changed_count++] = finding; /* there is a place for every one */
}

int finding_get(struct findings *findings, struct flowdb *db, struct unit *unit,
                const struct finding_row *key, struct finding **ret, struct err *err)
{
	struct finding *finding = idmap_find(&findings->by_key, key_of(unit, key));
	int r;

	if (finding && same_key(&finding->row, key)) {
		*ret = finding;
		return 0;
	}
	finding = calloc(1, sizeof(*finding));
	if (!finding)
		return err_set(err, -ENOMEM, "out of memory");
	finding->unit = unit;
	r = flowdb_finding_find(db, key, &finding->row, &finding->id, err);
	if (r > 0) {
		r = flowdb_evidence_flows(db, finding->id, &finding->evidence, err);
		if (r >= 0)
			r = flowdb_finding_latest(db, finding->id, &finding->kept_us, err);
	} else if (!r) {
		finding->row = *key;
		r = flowdb_finding_number(db, &finding->id, err);
		finding->fresh = true;
	}
	if (r >= 0)
		r = finding_enter(findings, finding, err);
	if (r >= 0 && finding->fresh)
		finding_change(findings, finding);
	if (r < 0) {
		free(finding);
		return r;
	}
	unit->open_findings[key->kind] += finding->row.open;
	*ret = finding;
	return 0;
}

int findings_recall(struct findings *findings, struct flowdb *db, struct unit *unit, int64_t id,
                    uint64_t bytes, struct gathered *gathered, struct err *err)
{
	struct finding_row key;
	int r = flowdb_finding_key(db, id, &key, err);

	if (r <= 0)
		return r;
	*gathered = (struct gathered){.bytes = bytes, .kept = true};
	return finding_get(findings, db, unit, &key, &gathered->finding, err);
}

/* Without memory for the list it is written with the counts. */
static void finding_moves(struct findings *findings, struct finding *finding)
{
	if (finding->moved || array_reserve(&findings->moved, &findings->moved_room,
	                                    findings->moved_count + 1,
	                                    sizeof(struct finding *)) < 0)
		return;
	finding->moved = true;
	findings->moved[findings->moved_count++] = finding;
}

static void finding_open(struct findings *findings, struct finding *finding)
{
	if (!finding->noted)
		finding_moves(findings, finding);
	finding->noted = true;
	if (finding->row.open)
		return;
	finding_moves(findings, finding);
	finding->row.open = true;
	finding->unit->open_findings[finding->row.kind]++;
	if (findings->told)
		findings->told(findings->context, finding);
}

void finding_close(struct findings *findings, struct finding *finding, const char *reason)
{
	if (!finding->row.open)
		return;
	finding_moves(findings, finding);
	finding->row.open = false;
	finding->unit->open_findings[finding->row.kind]--;
	finding_change(findings, finding);
	text_copy(finding->row.reason, sizeof(finding->row.reason), reason);
}

struct finding *finding_now(struct finding *finding)
{
	while (finding && finding->folded)
		finding = finding->folded;
	return finding;
}

struct finding *gathered_finding(const struct gathered *gathered)
{
	return finding_now(gathered->finding);
}

/* A sensor that was taken over may tell of one flow twice: then both are taken off, but never below 0. */
static uint64_t less(uint64_t from, uint64_t by)
{
	return from > by ? from - by : 0;
}

void findings_drop(struct findings *findings, struct gathered *gathered)
{
	struct finding *finding = gathered_finding(gathered);

	if (!finding)
		return;
	finding->row.flows = less(finding->row.flows, 1);
	finding->row.kept = less(finding->row.kept, gathered->kept);
	finding->row.bytes = less(finding->row.bytes, gathered->bytes);
	finding_change(findings, finding);
	if (!finding->row.flows)
		finding_close(findings, finding, findings->dropped);
	*gathered = (struct gathered){0};
}

bool finding_samples(const struct finding *finding, int64_t first_us)
{
	return finding->row.kept < FINDING_ROWS ||
	       first_us / FINDING_ROW_US > finding->kept_us / FINDING_ROW_US;
}

void finding_keeps(struct finding *finding, int64_t first_us)
{
	finding->row.kept++;
	if (first_us > finding->kept_us)
		finding->kept_us = first_us;
}

static void waiver_write(struct findings *findings, const struct view *view,
                         const struct verdict *verdict, struct finding *finding)
{
	const struct waiver *waiver =
		policy_find_waiver(findings->policy, finding->unit->name, verdict, view->facts,
	                           view->local, view->app, view->facts->last_us, NULL);

	if (!waiver != !*finding->row.waiver)
		finding_moves(findings, finding);
	*finding->row.waiver = '\0';
	if (waiver)
		waiver_print(waiver, finding->row.waiver, sizeof(finding->row.waiver));
}

/* Of a verdict out of the judge's memory what differs is asked for first. */
static void sentence_write(const struct findings *findings, const struct view *view,
                           const struct verdict *verdict, struct finding *finding)
{
	struct verdict worded = *verdict;

	if (verdict->nearest_count && !verdict->nearest[0].count)
		judge_words(findings->policy, view, &worded);
	judge_sentence(findings->policy, view, &worded, finding->row.reason,
	               sizeof(finding->row.reason));
}

/* The finding that a flow belongs under; *ret_one: it speaks of flows like this one alone. */
static int finding_of(struct findings *findings, struct flowdb *db, struct unit *unit,
                      const struct view *view, const struct verdict *verdict,
                      struct finding **ret, bool *ret_one, struct err *err)
{
	struct scan *scan = NULL;
	struct finding_row key;
	int r;

	if (verdict->direction == DIRECTION_IN && !view->facts->media &&
	    verdict->ruling == RULING_OUTSIDE)
		scan = scan_note(findings, unit, view);
	*ret = scan || findings->plain ? NULL : fold_of(unit, verdict->kind);
	*ret_one = false;
	if (*ret)
		return 0;
	finding_key(findings->policy, unit->id, view, verdict, &key);
	if (scan)
		r = fold_scan(findings, db, unit, scan, &key, ret, err);
	else if (!idmap_find(&findings->by_key, key_of(unit, &key)) &&
	         (unit->fold[key.kind] || unit->open_findings[key.kind] >= FINDINGS_FOLD))
		r = fold_kind(findings, db, unit, &key, ret, err);
	else
		r = finding_get(findings, db, unit, &key, ret, err);
	if (r < 0)
		return r;
	*ret = finding_now(*ret);
	*ret_one = !scan && *ret != unit->fold[key.kind];
	return 0;
}

int findings_add(struct findings *findings, struct flowdb *db, struct unit *unit,
                 const struct view *view, const struct verdict *verdict,
                 struct gathered *gathered, struct err *err)
{
	const struct flow_facts *facts = view->facts;
	uint64_t bytes = facts->bytes[0] + facts->bytes[1];
	struct finding *finding;
	bool is_new, is_one;
	int r;

	r = finding_of(findings, db, unit, view, verdict, &finding, &is_one, err);
	if (r < 0)
		return r;
	is_new = gathered_finding(gathered) != finding || !finding->row.flows;
	if (is_new) {
		findings_drop(findings, gathered);
		gathered->finding = finding;
		finding->row.flows++;
	}
	finding->row.bytes = less(finding->row.bytes, gathered->bytes) + bytes;
	gathered->bytes = bytes;
	if (!finding->row.first_us || facts->first_us < finding->row.first_us)
		finding->row.first_us = facts->first_us;
	if (facts->last_us > finding->row.last_us)
		finding->row.last_us = facts->last_us;
	if (verdict->severity > finding->row.severity)
		finding->row.severity = verdict->severity;
	if (is_new && !finding->row.open && is_one)
		sentence_write(findings, view, verdict, finding);
	waiver_write(findings, view, verdict, finding);
	finding_change(findings, finding);
	/* What went on when a person closed it does not open it again: the next flow does. */
	if (is_new)
		finding_open(findings, finding);
	return 0;
}

void findings_say(struct findings *findings, struct unit *unit, const struct view *view,
                  const struct verdict *verdict, struct finding *finding)
{
	struct finding_row key;

	finding_key(findings->policy, unit->id, view, verdict, &key);
	if (!finding->row.open || idmap_find(&findings->by_key, key_of(unit, &key)) != finding)
		return;
	judge_sentence(findings->policy, view, verdict, finding->row.reason,
	               sizeof(finding->row.reason));
	finding_change(findings, finding);
}

int findings_unlisted(struct findings *findings, struct flowdb *db, struct unit *unit,
                      const struct flow_facts *facts, unsigned local,
                      struct finding **ret_finding, struct err *err)
{
	struct finding_row key = {
		.unit = unit->id, .kind = KIND_UNLISTED_UNIT, .severity = SEVERITY_MEDIUM};
	struct finding *finding;
	char mac[MAC_TEXT];
	int r = finding_get(findings, db, unit, &key, &finding, err);

	if (r < 0)
		return r;
	if (!finding->row.first_us)
		finding->row.first_us = facts->first_us;
	if (facts->last_us > finding->row.last_us)
		finding->row.last_us = facts->last_us;
	finding->row.flows++;
	finding->row.bytes += facts->bytes[0] + facts->bytes[1];
	finding->row.severity = SEVERITY_MEDIUM;
	snprintf(
		finding->row.reason, sizeof(finding->row.reason),
		"%s (%s) behaves like a room system and stands on no list of units; add it to the site file",
		unit->name, mac_print(&facts->end[local].mac, mac));
	finding_change(findings, finding);
	finding_open(findings, finding);
	*ret_finding = finding;
	return 0;
}

void findings_rows_gone(struct findings *findings, int64_t id, uint64_t rows)
{
	struct finding *finding = idmap_find(&findings->by_id, (uint64_t)id);

	if (!finding)
		return;
	finding->row.kept = less(finding->row.kept, rows);
	finding_change(findings, finding);
}

int findings_packets_gone(struct findings *findings, struct flowdb *db, int64_t id,
                          struct err *err)
{
	struct finding *finding = idmap_find(&findings->by_id, (uint64_t)id);

	return finding ? flowdb_evidence_flows(db, id, &finding->evidence, err) : 0;
}

bool findings_have(const struct findings *findings, int64_t id)
{
	return idmap_find(&findings->by_id, (uint64_t)id);
}

void findings_dropped(struct findings *findings, const char *reason)
{
	findings->dropped = reason;
}

void findings_each(struct findings *findings, void (*each)(void *context, struct finding *finding),
                   void *context)
{
	for (size_t i = 0; i < findings->count; i++)
		each(context, findings->all[i]);
	/* In the order in which they came to be known, whatever changed first. */
	findings->changed_count = 0;
	for (size_t i = 0; i < findings->count; i++) {
		findings->all[i]->listed = false;
		finding_change(findings, findings->all[i]);
	}
}
