/*
 * person.h - who does something at the command line, and when: what people do is told by the wall clock.
 */
#ifndef MONITOR_PERSON_H
#define MONITOR_PERSON_H

#include "schema/base.h"

#define PERSON_MAX 64

/* `given`, else the login name. Returns `buf`. */
const char *person_name(const char *given, char buf[PERSON_MAX]);
int64_t person_now_us(void);
/* -EINVAL with err filled if `name`, given with --by, is none. */
int person_check(const char *name, struct err *err) MUST_CHECK;

#endif
