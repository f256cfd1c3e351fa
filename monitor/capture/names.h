/*
 * names.h - the pool of names seen in live flows: each stored once and counted. Fixed in size: when
 * it is full a flow goes without its name, and the caller counts that.
 */
#ifndef MONITOR_CAPTURE_NAMES_H
#define MONITOR_CAPTURE_NAMES_H

#include "schema/facts.h"

struct names;

#define NAMES_NONE 0

/* Room for `max` names; NULL when out of memory. */
struct names *names_new(uint32_t max);
void names_free(struct names *names);
/* The number of `text` with one more reference, or NAMES_NONE if the pool is full. */
uint32_t names_take(struct names *names, const char *text);
/* Gives a reference back; NAMES_NONE is fine. */
void names_drop(struct names *names, uint32_t name);
/* "" for NAMES_NONE; valid until its last reference is dropped. */
const char *names_text(const struct names *names, uint32_t name);

#endif
