/*
 * keep.h - how much of a packet may be kept as evidence: what the site file says under `evidence`.
 */
#ifndef SCHEMA_KEEP_H
#define SCHEMA_KEEP_H

#include "schema/base.h"

enum keep {
	KEEP_FULL, /* as it was captured, to SAMPLE_BYTES (event.h) */
	KEEP_HEADERS, /* to the end of the header of TCP, UDP or ICMP; of other transports, of that of IP */
	KEEP_OFF, /* nothing */
	KEEP_COUNT
};

/* "full"; NULL if there is no such one. */
const char *keep_name(enum keep keep);

#endif
