/*
 * report_data.h - what a report holds once it is read: for report.c, which reads it, and the files
 * that write it. Nobody else looks inside.
 */
#ifndef MONITOR_REPORT_DATA_H
#define MONITOR_REPORT_DATA_H

#include "monitor/report.h"

struct seen_unit {
	char *name;
	uint32_t mask; /* of profiles */
	bool blind;    /* for some time not all of it could be seen */
	struct cell {
		struct coverage_row use; /* sums */
		enum row_state state;
	} * cells; /* one a row */
};

struct seen_finding {
	int64_t id;
	uint64_t units;
	char *unit;
	struct finding_row row;
};

#define BLINDS_TOLD 24 /* in full; the others are counted */

struct seen_blind {
	struct blind_row row; /* detail points here: */
	char unit[UNIT_NAME_MAX], detail[64];
};

struct report {
	const struct policy *policy;
	struct flowdb *db;
	enum severity fail_on;
	struct span span;
	struct counters counters;
	struct seen_unit *units;
	size_t unit_count, unit_room;
	struct seen_finding *findings;
	size_t finding_count, finding_room;
	uint64_t by_severity[5], waived; /* open, unwaived ones; and the waived */
	uint64_t undetermined;           /* flows */
	uint64_t idle_required; /* cells: required, and neither ok nor blocked: not seen to work */
	uint64_t cuts;
	uint64_t silent;  /* entries of the site for many hosts of which none was seen */
	char filter[256]; /* tcpdump words of the last run; "" */
	struct seen_blind blinds[BLINDS_TOLD];
	uint64_t blind_count;
	uint32_t blind_causes; /* mask of enum blind_cause */
};

/* Findings that refuse: open, not waived, of the severity asked for or worse. */
uint64_t report_refusing(const struct report *report);
/* Mask of the causes on record for which packets or flows went by that nobody judged. */
uint32_t report_unseen(const struct report *report);

#endif
