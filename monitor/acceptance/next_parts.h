/*
 * next_parts.h - what the files of steps share.
 */
#ifndef MONITOR_ACCEPTANCE_NEXT_PARTS_H
#define MONITOR_ACCEPTANCE_NEXT_PARTS_H

#include "monitor/acceptance/acceptance.h"

/* Takes it over, also on failure. */
int step_add(struct acceptance *a, struct step *step, struct err *err) MUST_CHECK;
/* "boardroom" -> "boardroom, huddle"; *who may be NULL. */
int who_add(char **who, const char *name, struct err *err) MUST_CHECK;
/* " and 5 more", where `count` are meant and WHO_MAX of them stand there. */
#define WHO_MAX 16
int who_end(char **who, size_t count, struct err *err) MUST_CHECK;
/* Whether it stands there; names hold no comma. */
bool who_has(const char *who, const char *name);

/* Steps at the mirror port, and in the room: required rows first. (next_room.c) */
int add_mirrors(struct acceptance *a, struct err *err) MUST_CHECK;
int add_exercises(struct acceptance *a, struct err *err) MUST_CHECK;

#endif
