/*
 * result_parts.h - reasons of a result, for result.c and result_rows.c alone.
 */
#ifndef MONITOR_ACCEPTANCE_RESULT_PARTS_H
#define MONITOR_ACCEPTANCE_RESULT_PARTS_H

#include "monitor/acceptance/acceptance.h"
#include "schema/blind.h"

#define NAMED_MAX 4 /* names that a reason has; the others it counts */
#define REASON_TEXT 1024

int result_reason(struct acceptance *a, enum acceptance_result result, uint8_t severity,
                  const char *text, struct err *err) MUST_CHECK;

/* What shares a reason: "boardroom, huddle and 3 more". */
struct names {
	char text[NAMED_MAX * (UNIT_NAME_MAX + 2)];
	size_t count;
};
void names_add(struct names *names, const char *name);
void names_put(const struct names *names, char *buf, size_t size);

/* Reasons from what is required: first what is blocked, later what was not seen to work. */
int result_blocked(struct acceptance *a, struct err *err) MUST_CHECK;
int result_open(struct acceptance *a, struct err *err) MUST_CHECK;
/* Whether anything required of it is blocked; fills its `idle_required`. */
bool result_unit_blocked(const struct acceptance *a, struct acceptance_unit *unit);

#endif
