/*
 * waiver_draft.h - the waiver that excuses a finding, as an item for `waivers` of the site file: its scope
 * is the finding's and no more.
 */
#ifndef MONITOR_WAIVER_DRAFT_H
#define MONITOR_WAIVER_DRAFT_H

#include "rules/envelope.h"
#include "rules/yaml_put.h"
#include "schema/flowdb_query.h"

struct waiver_draft {
	const struct finding_row *row;
	const char *const *units; /* borrowed, as all texts here */
	size_t unit_count;
	const char *owner, *reason, *expires;
	/* The ports. waiver_draft_ports() fills these. */
	bool inbound;
	struct port_set said, /* the finding's in numbers, */
		seen;         /* and those of its flows that are not in it */
	bool many;            /* more of these than a port set holds: the waiver names none */
};
/* Looks at flows of the finding, so many at most as a person would read. May be called for several findings of one draft. */
int waiver_draft_ports(struct flowdb *db, int64_t finding, struct waiver_draft *draft,
                       struct err *err) MUST_CHECK;

/* Its keys; they point into the draft and into *ret. */
#define WAIVER_PAIRS 12
struct waiver_pairs {
	struct yaml_pair pairs[WAIVER_PAIRS];
	size_t count;
	const char *texts[WAIVER_PAIRS];
	char ports[PORT_RANGES_MAX][12];
	const char *port_texts[PORT_RANGES_MAX];
};
void waiver_draft_pairs(const struct waiver_draft *draft, struct waiver_pairs *ret);

#endif
