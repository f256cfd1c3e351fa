/*
 * findings_parts.h - what the files of findings.h share. For them alone.
 */
#ifndef MONITOR_RECORD_FINDINGS_PARTS_H
#define MONITOR_RECORD_FINDINGS_PARTS_H

#include "monitor/idmap.h"
#include "monitor/record/findings.h"

#define SCANS_MAX 65536

struct scan;

struct findings {
	const struct policy *policy;
	bool plain; /* findings_plain() */
	const char *dropped; /* why a finding is closed that no flow is left under */
	struct idmap by_key;  /* hash of the key -> finding */
	struct idmap by_id;
	struct idmap by_kind; /* (unit, kind) -> the first of a chain */
	struct idmap scans;   /* hash of unit and source -> struct scan */
	struct finding **all, **moved, **changed;
	size_t count, room;
	size_t changed_count, changed_room; /* there is room for all */
	size_t moved_count, moved_room;
	void (*told)(void *context, const struct finding *finding);
	void *context;
};

/* A key of by_kind. */
uint64_t findings_kind(const struct unit *unit, uint8_t kind);
/* The finding of this key: known here, in the database from an earlier run, or new. */
int finding_get(struct findings *findings, struct flowdb *db, struct unit *unit,
                const struct finding_row *key, struct finding **ret, struct err *err) MUST_CHECK;
/* To be written at the next flush. */
void finding_change(struct findings *findings, struct finding *finding);

/* All of the unit's findings of that kind went into one: so does whatever comes. NULL: they did not. */
struct finding *fold_of(const struct unit *unit, uint8_t kind);
/* More than FINDINGS_FOLD open ones of a unit and kind: one for all of them, this one's key too. */
int fold_kind(struct findings *findings, struct flowdb *db, struct unit *unit,
              struct finding_row *key, struct finding **ret, struct err *err) MUST_CHECK;
/*
 * The scan that this inbound flow is one of; NULL: of none. Its source tried more than SCAN_PORTS local ports within
 * SCAN_US. ICE probes are media and never get here (domain.md 7.3).
 */
struct scan *scan_note(struct findings *findings, const struct unit *unit,
                       const struct view *view);
int fold_scan(struct findings *findings, struct flowdb *db, struct unit *unit,
              struct scan *scan, const struct finding_row *key, struct finding **ret,
              struct err *err) MUST_CHECK;

#endif
