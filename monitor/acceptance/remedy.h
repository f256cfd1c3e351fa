/*
 * remedy.h - what would settle findings with the least change. A change of the site file is proven: the flows of
 * the finding are judged again by the policy that would follow from it, and all of them must be
 * documented, or excused, and no other flow that is recorded judged worse. What cannot be proven so is said in
 * words, and claims nothing. What is blocked needs another network, not another site file (rules/firewall.h).
 */
#ifndef MONITOR_ACCEPTANCE_REMEDY_H
#define MONITOR_ACCEPTANCE_REMEDY_H

#include "rules/firewall.h"
#include "schema/flowdb_query.h"

/* Work is bounded; what is left out is said. */
#define REMEDY_FINDINGS_MAX 256 /* worst first */
#define REMEDY_TRIES_MAX 48     /* changes that are tried, of all findings together, ... */
#define REMEDY_BYTES_MAX (32u * 1024 * 1024) /* ... and what is read of site files for them */
#define REMEDY_JUDGED_MAX 200000 /* ... and flows that are judged for them */
#define REMEDY_OWN_MAX 1000     /* flows of a finding that are judged again, for each change */
#define REMEDY_BESIDE_MAX 4000  /* ... and of the window, the same for each */

/* Open, not waived, not blocked. */
struct remedy_finding {
	int64_t id;
	const char *unit; /* its name; of a host on no list its address or MAC */
	const struct finding_row *row;
};

struct remedy {
	uint8_t kind; /* enum step_kind */
	size_t *settles; /* which of the findings: proven, all of these; else the one that it is about */
	size_t settle_count;
	char *say;   /* a sentence */
	char *lines; /* YAML, to be put where the sentence says; NULL */
	bool proven;
};

struct remedies {
	struct remedy *list; /* in the order of the findings */
	size_t count, room;
	size_t left_out; /* findings past REMEDY_FINDINGS_MAX */
};
void remedies_release(struct remedies *remedies);

/*
 * Flows of [since, until] (until 0: no end) count; where these are too many those of the unit first, if the
 * findings are all of one. `policy` is the one that judged them; what another one judged
 * proves nothing. *ret is the caller's also on failure.
 */
int remedies_find(struct flowdb *db, const struct policy *policy,
                  const struct remedy_finding *findings, size_t count, int64_t since_us,
                  int64_t until_us, struct remedies *ret, struct err *err) MUST_CHECK;

/*
 * What opens ways of one unit: a remedy with rules for those that something on the way closes, one in words for those
 * that the far end refuses. Both are appended to *ret, without `settles`.
 */
int remedy_ways(const struct policy *policy, const struct firewall_ask *ask,
                struct remedies *ret, struct err *err) MUST_CHECK;
/* The same of a finding of KIND_BLOCKED_* or KIND_REFUSED, by flows of it. */
int remedy_blocked(struct flowdb *db, const struct policy *policy,
                   const struct remedy_finding *finding, struct remedies *ret,
                   struct err *err) MUST_CHECK;
static inline bool kind_is_blocked(uint8_t kind)
{
	return kind == KIND_BLOCKED_SILENT || kind == KIND_BLOCKED_PROHIBITED ||
	       kind == KIND_REFUSED;
}

#endif
