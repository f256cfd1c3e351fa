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
	uint64_t idle_required; /* cells: required, and neither ok, outside nor blocked */
	uint64_t cuts;
	uint64_t silent;  /* entries of the site for many hosts of which none was seen */
	char filter[256]; /* tcpdump words of the last run; "" */
};

/* Findings that refuse: open, not waived, of the severity asked for or worse. */
uint64_t report_refusing(const struct report *report);

#endif
