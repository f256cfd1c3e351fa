/*
 * findings_fold.c - see findings.h: findings that multiply become one. Too many of a unit and kind do, and what one
 * source opens that tries a unit's ports.
 */
#include "monitor/record/findings_parts.h"

#define XXH_INLINE_ALL /* of keys this short the call costs more */
#include <xxhash.h>

#define FOLDED "folded into F" /* the reasons of what folded, by which a successor knows it */
#define TOO_MANY "more than "

/* Local ports that one source tried of one unit lately. */
struct scan {
	struct addr source;
	uint64_t unit;
	int64_t first_us;
	uint16_t ports[SCAN_PORTS];
	unsigned count;
	bool is_scan;
	struct finding *into; /* once it is one */
};

static void finding_goes(struct finding *from, struct finding *into)
{
	from->folded = into;
	/* What went into one of another kind (a scan) stays a reason to look up each key of its own kind. */
	from->unit->findings[from->row.kind] -= from->row.kind == into->row.kind;
}

/* All flows of `from` go over to `into`. */
static int finding_fold(struct findings *findings, struct flowdb *db, struct finding *from,
                        struct finding *into, struct err *err)
{
	char reason[64];

	if (from == into || from->folded)
		return 0;
	into->row.flows += from->row.flows;
	into->row.kept += from->row.kept;
	into->row.bytes += from->row.bytes;
	into->evidence += from->evidence;
	if (from->kept_us > into->kept_us)
		into->kept_us = from->kept_us;
	if (!into->row.first_us || from->row.first_us < into->row.first_us)
		into->row.first_us = from->row.first_us;
	if (from->row.last_us > into->row.last_us)
		into->row.last_us = from->row.last_us;
	if (from->row.severity > into->row.severity)
		into->row.severity = from->row.severity;
	finding_change(findings, into);
	finding_goes(from, into);
	from->row.flows = from->row.kept = from->row.bytes = from->evidence = 0;
	snprintf(reason, sizeof(reason), FOLDED "%lld", (long long)into->id);
	finding_close(findings, from, reason);
	/* Also of one that was closed: a person's words stand with the change that closed it. */
	text_copy(from->row.reason, sizeof(from->row.reason), reason);
	finding_change(findings, from);
	return flowdb_finding_fold(db, from->id, into->id, err);
}

int fold_kind(struct findings *findings, struct flowdb *db, struct unit *unit,
              struct finding_row *key, struct finding **ret, struct err *err)
{
	struct finding *into;
	int r;

	if (unit->fold[key->kind]) {
		*ret = unit->fold[key->kind];
		return 0;
	}
	*key->row = *key->remote = *key->role = *key->port = '\0';
	key->app = APP_NONE;
	key->transport = 0;
	r = finding_get(findings, db, unit, key, &into, err);
	if (r < 0)
		return r;
	for (struct finding *f = idmap_find(&findings->by_kind, findings_kind(unit, key->kind));
	     f && r >= 0; f = f->next)
		r = finding_fold(findings, db, f, into, err);
	snprintf(into->row.reason, sizeof(into->row.reason),
	         TOO_MANY "%d different findings of this kind: %s", FINDINGS_FOLD,
	         kind_sentence(key->kind));
	*ret = unit->fold[key->kind] = into;
	return r < 0 ? r : 0;
}

struct finding *fold_of(const struct unit *unit, uint8_t kind)
{
	struct finding *fold = unit->fold[kind];

	return fold && !fold->folded && unit->findings[kind] == 1 ? fold : NULL;
}

static uint64_t scan_key(const struct unit *unit, const struct addr *source)
{
	return XXH3_64bits_withSeed(source, sizeof(*source), unit->number) | 1;
}

int findings_know(struct findings *findings, struct flowdb *db, struct unit *unit, int64_t id,
                  struct err *err)
{
	struct finding *finding;
	struct finding_row key;
	int r = flowdb_finding_key(db, id, &key, err);

	if (r > 0)
		r = finding_get(findings, db, unit, &key, &finding, err);
	else
		return r;
	if (r < 0)
		return r;
	finding->noted = true;
	if (!strncmp(finding->row.reason, TOO_MANY, strlen(TOO_MANY)) && !*key.row && !*key.port)
		unit->fold[key.kind] = finding;
	if (!strcmp(key.port, "scan")) {
		struct scan *scan = calloc(1, sizeof(*scan));

		if (!scan || addr_parse(key.remote, &scan->source) < 0 ||
		    idmap_add(&findings->scans, scan_key(unit, &scan->source), scan) < 0) {
			free(scan);
			return 0;
		}
		scan->unit = unit->number;
		scan->first_us = finding->row.first_us;
		scan->is_scan = true;
		scan->into = finding;
	}
	return 0;
}

static int by_id(const void *a, const void *b)
{
	int64_t x = (*(struct finding *const *)a)->id, y = (*(struct finding *const *)b)->id;

	return x < y ? -1 : x > y;
}

void findings_fold_again(struct findings *findings)
{
	if (findings->count)
		qsort(findings->all, findings->count, sizeof(struct finding *), by_id);
	for (size_t i = 0; i < findings->count; i++) {
		struct finding *from = findings->all[i], into = {0}, *key = &into, **found;

		if (from->row.open || strncmp(from->row.reason, FOLDED, strlen(FOLDED)) != 0)
			continue;
		into.id = strtoll(from->row.reason + strlen(FOLDED), NULL, 10);
		found = bsearch(&key, findings->all, findings->count, sizeof(struct finding *),
		                by_id);
		/* That one may have folded as well; round in a circle nothing goes. */
		if (found && finding_now(*found) != from)
			finding_goes(from, *found);
	}
}

void findings_near(const struct findings *findings, const struct unit *unit,
                   const struct flow_facts *facts, unsigned local)
{
	if (facts->initiator == !local)
		idmap_near(&findings->scans, scan_key(unit, &facts->end[!local].addr));
}

struct scan *scan_note(struct findings *findings, const struct unit *unit,
                       const struct view *view)
{
	const struct endpoint *source = &view->facts->end[!view->local];
	uint16_t port = view->facts->end[view->local].port;
	uint64_t key = scan_key(unit, &source->addr);
	struct scan *scan = idmap_find(&findings->scans, key);

	if (!scan) {
		if (findings->scans.count == SCANS_MAX)
			return NULL;
		scan = calloc(1, sizeof(*scan));
		if (!scan || idmap_add(&findings->scans, key, scan) < 0) {
			free(scan);
			return NULL;
		}
		scan->source = source->addr;
		scan->unit = unit->number;
		scan->first_us = view->facts->first_us;
	}
	if (scan->unit != unit->number || !addr_equal(&scan->source, &source->addr))
		return NULL;
	if (view->facts->first_us - scan->first_us > SCAN_US && !scan->is_scan) {
		scan->count = 0;
		scan->first_us = view->facts->first_us;
	}
	for (unsigned i = 0; i < scan->count; i++)
		if (scan->ports[i] == port)
			return scan->is_scan ? scan : NULL;
	if (scan->count < SCAN_PORTS)
		scan->ports[scan->count++] = port;
	else
		scan->is_scan = true;
	return scan->is_scan ? scan : NULL;
}

int fold_scan(struct findings *findings, struct flowdb *db, struct unit *unit,
              struct scan *scan, const struct finding_row *key, struct finding **ret,
              struct err *err)
{
	struct finding_row scan_key = {
		.unit = key->unit, .kind = KIND_SERVICE, .transport = key->transport};
	char source[ADDR_TEXT];
	struct finding *into;
	int r;

	if (scan->into) {
		*ret = scan->into;
		return 0;
	}
	text_copy(scan_key.remote, sizeof(scan_key.remote), addr_print(&scan->source, source));
	text_copy(scan_key.port, sizeof(scan_key.port), "scan");
	r = finding_get(findings, db, unit, &scan_key, &into, err);
	/* What its first ports had opened each on its own goes into it. */
	for (size_t i = 0; i < findings->count && r >= 0; i++) {
		struct finding *f = findings->all[i];

		if (f->unit == unit && f->row.first_us >= scan->first_us &&
		    !strcmp(f->row.remote, key->remote) && !strcmp(f->row.role, key->role) &&
		    f->row.transport == key->transport && f->row.flows <= 1)
			r = finding_fold(findings, db, f, into, err);
	}
	if (r < 0)
		return r;
	snprintf(into->row.reason, sizeof(into->row.reason),
	         "%s tries the unit's ports one after the other (more than %d within a minute)",
	         source, SCAN_PORTS);
	*ret = scan->into = into;
	return 0;
}
